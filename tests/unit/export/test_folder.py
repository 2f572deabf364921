"""Exporting to a folder: approved photos are copied once and never overwritten."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from PIL import Image, ImageCms

from curator import export, opened_folder
from curator.catalog import PhotoDetail
from curator.export import ExportReport, Options, writing
from curator.export.name_allocator import INTENT
from curator.home import resource
from curator.model import Clause, KnownError, Label, Marks
from curator.workers import InlinePool
from tests.drives import Silence
from tests.face_data import CLOSED, OPEN, UNKNOWN
from tests.photos import draw_jpeg
from tests.unit.export.conftest import PICK, REJECT, STARS, make_plan, photo


def run(photos: list[PhotoDetail], to: Path, **options: object) -> ExportReport:
    plan = make_plan(photos, Options(to, **options))  # type: ignore[arg-type]
    return export.write(plan, pool=InlinePool())


def names(to: Path) -> set[str]:
    return {path.name for path in to.iterdir()}


def manifest(to: Path) -> dict[str, list[dict[str, object]]]:
    content = json.loads((to / "photos.json").read_text("utf-8"))
    jsonschema.validate(content, json.loads(resource("photos.schema.json").read_text("utf-8")))
    return content  # type: ignore[no-any-return]


def snapshot(to: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in to.iterdir()}


def test_approved_photos_are_exported_with_both_halves_of_a_pair(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    before = snapshot(card)
    report = run(shoot, tmp_path / "out")
    assert names(tmp_path / "out") == {"DSC_1.dng", "DSC_1.JPG", "DSC_2.JPG", "photos.json"}
    for name in ("DSC_1.dng", "DSC_1.JPG", "DSC_2.JPG"):
        copied, original = tmp_path / "out" / name, card / name
        assert copied.read_bytes() == original.read_bytes()
        assert copied.stat().st_mtime_ns == original.stat().st_mtime_ns
    assert report.photos == 2
    assert snapshot(card) == before


def test_the_manifest_has_origin_and_reason(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    shoot[0] = replace(shoot[0], marks=replace(STARS, label=Label.BLUE))
    run(shoot, tmp_path / "out")
    first, second = manifest(tmp_path / "out")["photos"]
    assert (first["filename"], first["clause"], first["label"]) == ("DSC_1.dng", "stars", "blue")
    assert first["original_path"] == str(shoot[0].path)
    assert first["sha256"] == hashlib.sha256(shoot[0].path.read_bytes()).hexdigest()
    assert [file["filename"] for file in first["files"]] == ["DSC_1.dng", "DSC_1.JPG"]  # type: ignore[attr-defined]
    assert first["capture"]["taken_at"] == "2024-05-04T18:42:07.120000"  # type: ignore[index]
    assert (second["clause"], second["match_score"], second["tags"]) == ("pick", None, [])


def test_of_faces_the_manifest_has_counts_only(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    shoot[0] = replace(shoot[0], faces=(OPEN, CLOSED, UNKNOWN))
    run(shoot, tmp_path / "out")
    first, second = manifest(tmp_path / "out")["photos"]
    assert (first["faces"], first["eyes_open"], first["eyes_closed"]) == (3, 1, 1)
    assert (second["faces"], second["eyes_open"]) == (None, None), "it is not measured"


def test_a_clause_of_a_custom_rule_is_named_by_its_search(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    clauses = {1: "rating:>=4 tag:bride", 3: "is:rejected"}  # 3 is a reject and not exported
    report = export.write(export.make_plan(shoot, Options(tmp_path / "out", clauses)))
    assert report.photos == 1
    assert [entry["clause"] for entry in manifest(tmp_path / "out")["photos"]] == [clauses[1]]


def test_a_second_run_changes_nothing_not_even_a_time(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    run(shoot, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    report = run(shoot, tmp_path / "out")
    assert snapshot(tmp_path / "out") == before
    assert (report.written, report.unchanged) == ([], 3)


def test_a_dry_run_counts_by_clause_and_touches_nothing(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    plan = make_plan(shoot, Options(tmp_path / "out"))
    summary = plan.summary()
    assert summary["approved"] == {"stars": 1, "pick": 1, "match": 0, "file": 0}
    assert (summary["photos"], summary["new_files"]) == (2, 3)
    assert not (tmp_path / "out").exists()


def test_only_photos_of_selected_clauses_are_exported(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    run(shoot, tmp_path / "out", approve=frozenset({Clause.PICK}))
    assert names(tmp_path / "out") == {"DSC_2.JPG", "photos.json"}


def test_a_clash_of_names_gets_a_number_and_overwrites_nothing(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "dsc_2.jpg").write_bytes(b"somebody else's")
    other = draw_jpeg(tmp_path / "second card" / "DSC_2.JPG", size=(96, 64), seed=9)
    shoot.append(photo(4, STARS, other))
    run(shoot, out)
    assert (out / "dsc_2.jpg").read_bytes() == b"somebody else's"
    entries = {entry["original_path"]: entry["filename"] for entry in manifest(out)["photos"]}
    assert entries[str(shoot[1].path)] == "DSC_2-2.JPG"
    assert entries[str(other)] == "DSC_2-3.JPG"
    before = snapshot(out)
    run(list(reversed(shoot)), out)
    assert snapshot(out) == before


def test_a_pair_keeps_one_name_when_one_half_clashes(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "DSC_1.JPG").write_bytes(b"somebody else's")
    run(shoot[:1], out)
    assert names(out) == {"DSC_1.JPG", "DSC_1-2.dng", "DSC_1-2.JPG", "photos.json"}


def test_a_changed_decision_updates_the_entry(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    run(shoot, tmp_path / "out")
    shoot[1] = replace(shoot[1], marks=Marks(rating=5, kept=True))
    report = run(shoot, tmp_path / "out")
    assert report.written == []
    second = manifest(tmp_path / "out")["photos"][1]
    assert (second["rating"], second["flag"], second["clause"]) == (5, None, "stars")


def test_a_photo_no_longer_approved_is_withdrawn_and_its_file_stays(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    run(shoot, tmp_path / "out")
    shoot[1] = replace(shoot[1], marks=REJECT)
    assert make_plan(shoot, Options(tmp_path / "out")).summary()["withdrawn"] == ["DSC_2.JPG"]
    report = run(shoot, tmp_path / "out")
    assert report.withdrawn == ["DSC_2.JPG"]
    content = manifest(tmp_path / "out")
    assert [entry["filename"] for entry in content["photos"]] == ["DSC_1.dng"]
    assert [(e["filename"], e["reason"]) for e in content["withdrawn"]] == [
        ("DSC_2.JPG", "rejected")
    ]
    assert (tmp_path / "out" / "DSC_2.JPG").exists()


def test_a_withdrawn_photo_that_is_approved_again_comes_back_without_a_second_copy(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(shoot, out)
    run([replace(shoot[1], marks=REJECT)], out)
    run(shoot, out)
    content = manifest(out)
    assert {entry["filename"] for entry in content["photos"]} == {"DSC_1.dng", "DSC_2.JPG"}
    assert content["withdrawn"] == []
    assert names(out) == {"DSC_1.dng", "DSC_1.JPG", "DSC_2.JPG", "photos.json"}


def test_photos_outside_the_scope_stay_as_they_are(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    run(shoot, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    run([shoot[2]], tmp_path / "out")
    assert snapshot(tmp_path / "out") == before


def test_a_moved_original_keeps_its_entry(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    run(shoot, tmp_path / "out")
    moved = tmp_path / "archive" / "renamed.JPG"
    moved.parent.mkdir()
    (card / "DSC_2.JPG").rename(moved)
    report = run([photo(2, PICK, moved)], tmp_path / "out")
    assert (report.written, report.unchanged) == ([], 1)
    assert manifest(tmp_path / "out")["photos"][1]["original_path"] == str(moved)


def test_a_newer_version_of_an_original_is_written_beside_the_old_one(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(shoot, out)
    old = (out / "DSC_2.JPG").read_bytes()
    draw_jpeg(card / "DSC_2.JPG", size=(120, 80), seed=50)
    report = run([photo(2, PICK, card / "DSC_2.JPG")], out)
    assert (out / "DSC_2.JPG").read_bytes() == old
    assert (out / "DSC_2-2.JPG").read_bytes() == (card / "DSC_2.JPG").read_bytes()
    assert (report.written, report.withdrawn) == (["DSC_2-2.JPG"], ["DSC_2.JPG"])
    assert [e["filename"] for e in manifest(out)["photos"]] == ["DSC_1.dng", "DSC_2-2.JPG"]


def test_an_exported_file_edited_since_is_kept_and_listed(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(shoot, out)
    (out / "DSC_2.JPG").write_bytes(b"retouched")
    report = run(shoot, out)
    assert report.edited == ["DSC_2.JPG"]
    assert (out / "DSC_2.JPG").read_bytes() == b"retouched"


def test_an_exported_file_that_was_removed_is_written_again(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    run(shoot, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    (tmp_path / "out" / "DSC_2.JPG").unlink()
    run(shoot, tmp_path / "out")
    assert snapshot(tmp_path / "out") == before


@pytest.mark.parametrize("below", ["", "exports", "exports/2024"])
def test_no_export_into_a_source_folder(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path, below: str
) -> None:
    link = tmp_path / "link"
    link.symlink_to(card)
    for target in (card / below, link / below):
        with pytest.raises(KnownError, match="contains originals"):
            make_plan(shoot, Options(target, sources=(card,)))


@pytest.mark.parametrize("content", ['["not ours"]', "[" * 9000], ids=["list", "deep"])
def test_a_foreign_photos_json_is_refused_and_stays(
    shoot: list[PhotoDetail], tmp_path: Path, content: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "photos.json").write_text(content)
    with pytest.raises(KnownError, match="was not written by Curator"):
        run(shoot, out)
    assert names(out) == {"photos.json"}


def test_a_link_to_nowhere_keeps_its_name(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "DSC_2.JPG").symlink_to(tmp_path / "nowhere")
    assert run(shoot[1:2], out).written == ["DSC_2-2.JPG"]
    assert (out / "DSC_2.JPG").is_symlink()


@pytest.mark.parametrize("away", ["drive is away", ""])
def test_a_drive_that_does_not_answer_keeps_no_export_waiting(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    lost = replace(shoot[0].files[1], missing=bool(away), away=away)
    there = replace(shoot[1], files=(replace(shoot[1].files[0], path=tmp_path / "DSC_2.JPG"),))
    silence = Silence(card, monkeypatch)
    silence.begin()
    with ThreadPoolExecutor(1, "planning") as threads:
        options = Options(tmp_path / "out", sources=(card,))
        photos = [replace(shoot[0], files=(lost,)), there]
        planned = threads.submit(make_plan, photos, options).result(60)
        with pytest.raises(KnownError, match="does not answer"):
            threads.submit(make_plan, photos, Options(card / "out")).result(60)
        silence.end()
    assert not any(name.startswith("planning") for name in silence.waiting)
    assert "DSC_2.JPG" in [item.name for item in planned.files()]


def test_an_unreachable_original_is_listed_and_stops_nothing(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    (tmp_path / "card" / "DSC_1.dng").unlink()
    report = run(shoot, tmp_path / "out")
    assert [Path(skip.path).name for skip in report.failed] == ["DSC_1.dng"]
    assert names(tmp_path / "out") == {"DSC_1.JPG", "DSC_2.JPG", "photos.json"}


def test_a_full_disk_is_reported_in_one_sentence_and_leaves_no_incomplete_file(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    fill_up_after(monkeypatch, files=1)
    with pytest.raises(KnownError, match=r"is full\. 0 of 2 photos") as caught:
        run(shoot, out)
    assert "\n" not in str(caught.value)
    assert not [name for name in names(out) if name.endswith((".part", ".tmp"))]
    assert names(out) <= {"DSC_1.dng", INTENT}
    monkeypatch.undo()
    run(shoot, out)
    assert names(out) == {"DSC_1.dng", "DSC_1.JPG", "DSC_2.JPG", "photos.json"}
    assert len(manifest(out)["photos"]) == 2


def test_a_copy_that_reads_back_differently_is_removed(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.fsync, 0

    def fsync(number: int) -> None:
        nonlocal synced
        synced += 1
        if synced == 2:  # the first copy, after the names were recorded
            os.write(number, b"a disk that lies")
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(KnownError, match="reads back differently"):
        run(shoot, tmp_path / "out")
    assert names(tmp_path / "out") <= {INTENT}


def fill_up_after(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    """Let the disk take this many more files and then report that it is full."""
    real, synced = os.fsync, 0

    def fsync(number: int) -> None:
        nonlocal synced
        synced += 1
        if synced > files:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_disk_too_small_is_refused_before_anything_is_written(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = writing.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(KnownError, match=r"needs .* free"):
        run(shoot, tmp_path / "out")
    assert names(tmp_path / "out") == set()


def test_a_folder_that_cannot_be_created_is_reported_in_one_sentence(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KnownError) as caught:
        run(shoot, tmp_path / "file" / "out")
    assert "\n" not in str(caught.value)


def test_a_name_the_disk_refuses_fails_that_photo_only(
    card: Path, shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picky(real: Callable[..., object]) -> Callable[..., object]:
        def act(source: str, target: str, *more: object, **how: object) -> object:
            if Path(target).name == "DSC_2.JPG":
                raise OSError(errno.EINVAL, "Invalid argument")
            return real(source, target, *more, **how)

        return act

    rename = picky(opened_folder._rename_exclusively)
    monkeypatch.setattr(opened_folder, "_rename_exclusively", rename)
    monkeypatch.setattr(os, "link", picky(os.link))
    monkeypatch.setattr(os, "replace", picky(os.replace))
    report = run(shoot, tmp_path / "out")
    assert ["refuses the file name DSC_2.JPG" in skip.reason for skip in report.failed] == [True]
    assert report.written and "DSC_2.JPG" not in names(tmp_path / "out")


@pytest.mark.skipif(os.name == "nt", reason="names are measured otherwise there")
def test_the_longest_name_is_exported(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "card" / f"{'n' * 251}.jpg", size=(60, 40))
    report = run([photo(1, Marks(rating=5), path)], tmp_path / "out")
    assert report.written == [path.name] and report.failed == []


def test_an_unreadable_folder_is_reported_in_one_sentence(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def locked(path: Path, **options: object) -> os.stat_result:
        if path.name == "out":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", locked)
    with pytest.raises(KnownError, match="cannot be used"):
        make_plan(shoot, Options(folder=tmp_path / "out"))


def test_cancelling_keeps_what_is_done_and_a_later_run_does_the_rest(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    reports: list[tuple[int, int, str]] = []
    report = export.write(
        make_plan(shoot, Options(out)),
        progress=lambda *words: reports.append(words),
        cancelled=lambda: bool(reports),
    )
    assert report.cancelled and reports == [(1, 2, "DSC_1.dng")]
    assert [entry["filename"] for entry in manifest(out)["photos"]] == ["DSC_1.dng"]
    run(shoot, out)
    assert len(manifest(out)["photos"]) == 2


class Killed(BaseException):
    """Simulates kill -9: only the interpreter's own clean-up runs after it."""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["original", "jpeg"])
def test_a_killed_run_is_continued_without_second_copies(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    out = tmp_path / "out"
    photos = shoot[1:2]

    def kill(*_: object) -> bool:
        raise Killed

    monkeypatch.setattr("curator.export.manifest.save", kill)
    with pytest.raises(Killed):
        run(photos, out, form=form)
    left = {path.name: path.stat().st_ino for path in out.iterdir() if path.suffix != ".json"}
    assert len(left) == 1
    monkeypatch.undo()
    run(photos, out, form=form)
    now = {path.name: path.stat().st_ino for path in out.iterdir() if path.suffix != ".json"}
    assert now == left
    assert len(manifest(out)["photos"]) == 1


def test_a_jpeg_export_is_small_srgb_turned_and_without_metadata_if_chosen(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    turned = replace(shoot[1], turn=1)
    run([turned], tmp_path / "out", form="jpeg", long_edge_px=60, metadata="none")
    entry = manifest(tmp_path / "out")["photos"][0]
    form = "jpeg 60 px q92, without metadata"
    assert (entry["filename"], entry["form"]) == ("DSC_2.jpg", form)
    with Image.open(tmp_path / "out" / "DSC_2.jpg") as image:
        assert image.size == (40, 60)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)
        assert "exif" not in image.info
    assert entry["sha256"] != entry["files"][0]["original_sha256"]  # type: ignore[index]


def test_a_jpeg_export_is_never_enlarged(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    run(shoot[1:2], tmp_path / "out", form="jpeg", long_edge_px=5000)
    with Image.open(tmp_path / "out" / "DSC_2.jpg") as image:
        assert image.size == (96, 64)
    known = replace(shoot[1], capture=replace(shoot[1].capture, width=96, height=64))
    plan = make_plan([known], Options(tmp_path / "guessed", form="jpeg", long_edge_px=5000))
    assert plan.bytes_to_write < 96 * 64  # only the bytes to write count


@pytest.mark.slow
def test_a_photo_that_cannot_be_decoded_is_listed_and_the_rest_is_exported(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    (card / "DSC_3.JPG").write_bytes(b"no picture at all")
    broken = photo(3, STARS, card / "DSC_3.JPG")
    plan = make_plan([broken, shoot[1]], Options(tmp_path / "out", form="jpeg"))
    report = export.write(plan)  # in processes of its own
    assert [Path(skip.path).name for skip in report.failed] == ["DSC_3.JPG"]
    assert report.written == ["DSC_2.jpg"]


def test_the_location_is_included_as_chosen(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    capture = replace(shoot[1].capture, latitude=64.1, longitude=-21.9)
    placed = [replace(shoot[1], capture=capture)]
    run(placed, tmp_path / "with")
    run(placed, tmp_path / "without", metadata="no_location", form="jpeg")
    assert manifest(tmp_path / "with")["photos"][0]["capture"]["latitude"] == 64.1  # type: ignore[index]
    assert manifest(tmp_path / "without")["photos"][0]["capture"]["latitude"] is None  # type: ignore[index]
