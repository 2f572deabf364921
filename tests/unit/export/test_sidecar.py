"""Sidecars only: ratings for somebody who has the originals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from curator import sidecar
from curator.catalog import PhotoDetail, TagDetail
from curator.export import ExportReport, Options, Plan, write
from curator.model import Flag, Label, Marks
from tests.unit.export.conftest import PICK, REJECT, STARS, make_plan, photo
from tests.unit.export.test_folder import manifest

Shoot = Callable[..., list[PhotoDetail]]


def planned(photos: list[PhotoDetail], to: Path, **options: object) -> Plan:
    card = photos[0].path.parents[1]
    chosen: dict[str, object] = {"target": "sidecar", "sources": (card,), **options}
    return make_plan(photos, Options(to, **chosen))  # type: ignore[arg-type]


def run(photos: list[PhotoDetail], to: Path, **options: object) -> ExportReport:
    return write(planned(photos, to, **options))


def files(to: Path) -> list[str]:
    return sorted(str(path.relative_to(to)) for path in to.rglob("*") if path.is_file())


def as_written(to: Path) -> dict[str, tuple[bytes, int, int]]:
    """Record content and modification time of all files; reading changes only the access time."""
    found = {name: (to / name, (to / name).stat()) for name in files(to)}
    return {
        name: (path.read_bytes(), status.st_ino, status.st_mtime_ns)
        for name, (path, status) in found.items()
    }


def metadata_in(path: Path) -> sidecar.SidecarMetadata:
    return sidecar.read(path.read_bytes()).metadata


@pytest.fixture
def trip(tmp_path: Path) -> list[PhotoDetail]:
    """Three RAWs in two folders of a card, and a JPEG."""
    card = tmp_path / "card"
    marks = {"mon/DSC_1.NEF": STARS, "tue/DSC_1.NEF": PICK, "tue/DSC_2.NEF": REJECT,
             "tue/DSC_3.JPG": STARS}  # fmt: skip
    found = []
    for number, (name, mark) in enumerate(marks.items(), 1):
        path = card / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 99)
        made = photo(number, mark, path)
        if path.suffix == ".NEF":
            made = replace(made, files=(replace(made.files[0], kind="raw"),))
        found.append(made)
    return found


def test_approved_photos_get_sidecars_in_the_folders_of_their_originals(
    trip: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    boat = TagDetail("boat", "person", 100, "confirmed", "sea")
    guess = TagDetail("car", "vision", 40, "suggested")
    trip[0] = replace(trip[0], tags=(boat, guess), marks=replace(STARS, label=Label.RED))
    plan = planned(trip, out, projects={1: ("Iceland",)})
    assert plan.summary()["names"] == ["mon/DSC_1.xmp", "tue/DSC_1.xmp"]
    assert "JPEG" in plan.skipped[0].reason and not out.exists()
    report = write(plan)
    assert files(out) == ["mon/DSC_1.xmp", "photos.json", "tue/DSC_1.xmp"]
    first = metadata_in(out / "mon/DSC_1.xmp")
    assert (first.rating, first.label, first.keywords) == (4, "red", ("boat",))
    assert (first.hierarchical, first.projects) == (("sea|boat",), ("Iceland",))
    assert metadata_in(out / "tue/DSC_1.xmp").flag == "pick"
    (one, _) = manifest(out)["photos"]
    assert (one["form"], one["filename"]) == ("sidecar lightroom", "mon/DSC_1.xmp")
    assert one["sha256"] == sidecar.digest((out / "mon/DSC_1.xmp").read_bytes())
    size = sum((out / name).stat().st_size for name in report.written)
    assert report.bytes == plan.bytes_to_write == size


def test_the_profile_decides_names_and_whether_jpegs_get_sidecars(
    trip: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(trip, out)
    report = run(trip, out, profile="darktable")
    assert report.written == ["mon/DSC_1.NEF.xmp", "tue/DSC_1.NEF.xmp", "tue/DSC_3.JPG.xmp"]
    assert report.withdrawn == ["mon/DSC_1.xmp", "tue/DSC_1.xmp"]
    assert run(trip, out).unchanged == 2  # back again, unchanged
    assert {e["filename"] for e in manifest(out)["withdrawn"]} == {
        "mon/DSC_1.NEF.xmp", "tue/DSC_1.NEF.xmp"}  # fmt: skip


def test_a_second_run_writes_only_changes(trip: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    boat = TagDetail("boat", "person", 100, "confirmed")
    trip[0] = replace(trip[0], tags=(boat,))
    run(trip, out)
    before = as_written(out)
    again = run(trip, out)
    assert (again.written, again.unchanged) == ([], 2)
    assert before == as_written(out) and len(before) == 3
    trip[0] = replace(trip[0], marks=Marks(rating=5, kept=True), tags=())
    trip[1] = replace(trip[1], marks=REJECT)
    report = run(trip, out)
    assert (report.written, report.withdrawn) == (["mon/DSC_1.xmp"], ["tue/DSC_1.xmp"])
    now = metadata_in(out / "mon/DSC_1.xmp")
    assert (now.rating, now.keywords or ()) == (5, ())
    assert metadata_in(out / "tue/DSC_1.xmp").flag == "pick"  # its file stays as exported


def test_metadata_of_other_programs_stays(trip: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "mon").mkdir(parents=True)
    (out / "tue").mkdir()
    theirs = sidecar.SidecarMetadata(flag="none", label="blue", keywords=("glacier",))
    lightroom = sidecar.PROFILES["lightroom"]
    (out / "mon/dsc_1.XMP").write_bytes(sidecar.merge(None, theirs, None, lightroom))
    (out / "tue/DSC_1.xmp").write_bytes(b"no sidecar at all")
    report = run(trip, out)
    assert report.written == ["mon/dsc_1.XMP"]
    found = metadata_in(out / "mon/dsc_1.XMP")
    assert (found.rating, found.label, found.keywords) == (4, "blue", ("glacier",))
    assert (out / "tue/DSC_1.xmp").read_bytes() == b"no sidecar at all"


def test_a_contradicting_sidecar_is_listed_and_kept(
    trip: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(trip, out)
    there = out / "mon/DSC_1.xmp"
    lightroom = sidecar.PROFILES["lightroom"]
    before = metadata_in(there)
    there.write_bytes(
        sidecar.merge(there.read_bytes(), replace(before, rating=1), before, lightroom)
    )
    assert run(trip, out).written == []  # they changed it, and ours is unchanged
    assert metadata_in(there).rating == 1
    trip[0] = replace(trip[0], marks=Marks(rating=5, kept=True))
    plan = planned(trip, out)
    assert "another rating" in plan.skipped[0].reason
    write(plan)
    assert metadata_in(there).rating == 1


def test_names_of_two_opened_folders_and_of_odd_photos_do_not_clash(tmp_path: Path) -> None:
    found = []
    odd = ("a/-x\n☃.NEF", "b/-x\n☃.NEF", "b/dsc_2.NEF", "b/DSC_2.CR3")
    for number, name in enumerate(odd, 1):
        path = tmp_path / "cards" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 9)
        made = photo(number, Marks(flag=Flag.PICK, kept=True), path)
        found.append(replace(made, files=(replace(made.files[0], kind="raw"),)))
    roots = (tmp_path / "cards/a", tmp_path / "cards/b")
    plan = planned(found, tmp_path / "out", sources=roots)
    write(plan)
    assert [skip.path for skip in plan.skipped] == [str(tmp_path / "cards/b/dsc_2.NEF")]
    assert planned(found, tmp_path / "out", sources=roots).summary()["unchanged_files"] == 3
    assert files(tmp_path / "out") == [
        "a/-x\n☃.xmp", "b/-x\n☃.xmp", "b/DSC_2.xmp", "photos.json"]  # fmt: skip


def test_a_link_out_of_the_folder_is_not_followed(trip: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mon").symlink_to(trip[0].path.parent)
    plan = planned(trip, out)
    write(plan)
    assert "link" in plan.skipped[0].reason
    assert files(trip[0].path.parent) == ["DSC_1.NEF"]


def test_a_sidecar_that_cannot_be_written_fails_that_photo_only(
    trip: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    plan = planned(trip, out)
    (out / "mon").write_text("in the way")
    report = write(plan)
    assert report.written == ["tue/DSC_1.xmp"]
    assert [skip.path for skip in report.failed] == [str(trip[0].path)]


def test_a_manifest_that_names_files_elsewhere_is_harmless(
    trip: list[PhotoDetail], tmp_path: Path
) -> None:
    out, victim = tmp_path / "out", tmp_path / "elsewhere/DSC_1.xmp"
    run(trip, out)
    victim.parent.mkdir()
    victim.write_bytes((out / "mon/DSC_1.xmp").read_bytes())
    text = (out / "photos.json").read_text()
    (out / "photos.json").write_text(text.replace("mon/DSC_1.xmp", "../elsewhere/DSC_1.xmp"))
    trip[0] = replace(trip[0], marks=Marks(rating=5, kept=True))
    before = victim.read_bytes()
    plan = planned(trip, out)
    write(plan)
    assert len(plan.skipped) == 2 and victim.read_bytes() == before
