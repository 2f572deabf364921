"""Exporting again with other choices: changed files are replaced, foreign files stay."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from curator import volumes
from curator.catalog import PhotoDetail, TagDetail
from curator.export import ExportReport, Options, write
from curator.export.name_allocator import FileAction
from curator.imaging.embedded_metadata import read as read_embedded_metadata
from curator.model import BusyError, Clause, KnownError, Marks
from curator.sidecar import SidecarMetadata, read_embedded
from curator.workers import InlinePool
from tests.photos import draw_jpeg
from tests.unit.export.conftest import PICK, REJECT, STARS, make_plan, photo
from tests.unit.export.test_folder import manifest, names, snapshot


def run(photos: list[PhotoDetail], to: Path, **options: object) -> ExportReport:
    made = make_plan(photos, Options(to, **options))  # type: ignore[arg-type]
    return write(made, pool=InlinePool())


def jpegs(photos: list[PhotoDetail], to: Path, **options: object) -> ExportReport:
    return run(photos, to, **{"form": "jpeg", "long_edge_px": 60, **options})


def test_other_choices_replace_the_jpegs_an_export_made(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    jpegs(shoot[1:], out)
    report = jpegs(shoot[1:], out, long_edge_px=40, sharpen="screen")
    assert (report.written, names(out)) == (["DSC_2.jpg"], {"DSC_2.jpg", "photos.json"})
    with Image.open(out / "DSC_2.jpg") as image:
        assert max(image.size) == 40
    (entry,) = manifest(out)["photos"]
    assert entry["form"] == "jpeg 40 px q92, sharpened for screen, without place"
    before = snapshot(out)
    jpegs(shoot[1:], out, long_edge_px=40, sharpen="screen")
    assert snapshot(out) == before


def embedded(path: Path) -> SidecarMetadata:
    return read_embedded(read_embedded_metadata(path).packets).metadata


def test_a_jpeg_carries_stars_and_confirmed_tags_and_follows_them(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    tags = (
        TagDetail("harbor", "person", 100, "confirmed", "Places"),
        TagDetail("boat", "vision", 60, "suggested"),
    )
    tagged = replace(shoot[1], marks=STARS, tags=tags)
    jpegs([tagged], out)
    metadata = embedded(out / "DSC_2.jpg")
    assert (metadata.rating, metadata.keywords, metadata.projects) == (4, ("harbor",), None)
    planned = make_plan([tagged], Options(out, form="jpeg", long_edge_px=60))
    assert [item.action for item in planned.files()] == [FileAction.KEEP]
    again = jpegs([replace(tagged, marks=Marks(rating=5, kept=True))], out)
    assert again.written == ["DSC_2.jpg"]
    assert embedded(out / "DSC_2.jpg").rating == 5
    for way, to in (({"metadata": "none"}, "bare"), ({"target": "gallery"}, "page")):
        jpegs([tagged], tmp_path / to, **way)
        (made,) = (tmp_path / to).rglob("DSC_2*.jpg")
        assert not embedded(made)


def test_a_turn_is_applied_to_the_pixels_at_the_next_export(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    jpegs(shoot[1:2], out)
    jpegs([replace(shoot[1], turn=1)], out)
    with Image.open(out / "DSC_2.jpg") as image:
        assert image.size == (40, 60)
    assert names(out) == {"DSC_2.jpg", "photos.json"}


def test_a_retouched_jpeg_is_not_replaced(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    jpegs(shoot[1:2], out)
    (out / "DSC_2.jpg").write_bytes(b"retouched")
    report = jpegs(shoot[1:2], out, long_edge_px=40)
    assert (out / "DSC_2.jpg").read_bytes() == b"retouched"
    assert (report.edited, report.written) == (["DSC_2.jpg"], ["DSC_2-2.jpg"])


def test_another_template_renames_existing_files(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(shoot, out)
    inodes = {path.stat().st_ino for path in out.iterdir() if path.name != "photos.json"}
    run(shoot, out, names="{date}_{name}")
    assert names(out) == {
        "2024-05-04_DSC_1.dng",
        "2024-05-04_DSC_1.JPG",
        "2024-05-04_DSC_2.JPG",
        "photos.json",
    }
    assert {p.stat().st_ino for p in out.iterdir() if p.name != "photos.json"} == inodes
    before = snapshot(out)
    run(shoot, out, names="{date}_{name}")
    assert snapshot(out) == before


@pytest.mark.parametrize("form", ["original", "jpeg"])
def test_a_name_that_differs_in_case_removes_no_file(
    shoot: list[PhotoDetail], tmp_path: Path, form: str
) -> None:
    out, photos = tmp_path / "out", shoot[1:2]
    run(photos, out, names="a_{name}", form=form)
    (before,) = names(out) - {"photos.json"}
    # A disk that takes both cases for one name, as those of Windows and macOS do.
    os.link(out / before, out / before.replace("a", "A", 1))
    report = run(photos, out, names="A_{name}", form=form)
    assert report.withdrawn == [] and manifest(out)["withdrawn"] == []
    assert (out / before).exists() and manifest(out)["photos"][0]["filename"].startswith("A_")


@pytest.mark.parametrize(("form", "ending"), [("original", ".JPG"), ("jpeg", ".jpg")])
def test_a_file_edited_since_keeps_its_name_when_the_template_changes(
    shoot: list[PhotoDetail], tmp_path: Path, form: str, ending: str
) -> None:
    out = tmp_path / "out"
    run(shoot[1:2], out, form=form)
    (out / f"DSC_2{ending}").write_bytes(b"retouched")
    run(shoot[1:2], out, form=form, names="{seq}")
    assert (out / f"DSC_2{ending}").read_bytes() == b"retouched"
    assert (out / f"001{ending}").exists()


def test_numbers_stay_with_their_photos_when_others_come_between(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(shoot, out, names="{seq}")
    assert names(out) == {"001.dng", "001.JPG", "002.JPG", "photos.json"}
    earlier = replace(shoot[1].capture, taken_at=datetime(2020, 1, 1))
    early = draw_jpeg(card / "DSC_0.JPG", size=(96, 64), seed=70)
    run([*shoot, photo(4, STARS, early, capture=earlier)], out, names="{seq}")
    assert names(out) == {"001.dng", "001.JPG", "002.JPG", "003.JPG", "photos.json"}
    assert (out / "003.JPG").read_bytes() == early.read_bytes()


def test_a_project_is_numbered_in_its_order_by_hand(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = {"project": "../../etc", "order": (2, 1), "names": "{project}-{seq}"}
    run(shoot, out, **options)
    assert names(out) == {
        "_._.._etc-001.JPG",
        "_._.._etc-002.dng",
        "_._.._etc-002.JPG",
        "photos.json",
    }
    first, _ = manifest(out)["photos"]
    assert (first["project"], first["projects"]) == ("../../etc", ["../../etc"])
    assert list(tmp_path.glob("etc*")) == []


@pytest.mark.parametrize(("pair", "there"), [("raw", {"DSC_1.dng"}), ("jpeg", {"DSC_1.JPG"})])
def test_one_half_of_a_pair_can_be_exported(
    shoot: list[PhotoDetail], tmp_path: Path, pair: str, there: set[str]
) -> None:
    out = tmp_path / "out"
    run(shoot[:1], out, pair=pair)
    assert names(out) == there | {"photos.json"}
    before = snapshot(out)
    run(shoot[:1], out, pair=pair)
    assert snapshot(out) == before


def test_a_half_left_out_later_stays_and_is_listed(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(shoot[:1], out)
    report = run(shoot[:1], out, pair="raw")
    assert report.withdrawn == ["DSC_1.JPG"] and (out / "DSC_1.JPG").exists()
    assert [e["reason"] for e in manifest(out)["withdrawn"]] == ["left out since"]


def test_a_pair_whose_raw_cannot_be_decoded_gives_its_jpeg(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    report = jpegs(shoot[:1], tmp_path / "out")
    assert (report.written, report.failed) == (["DSC_1.jpg"], [])


def test_sidecars_are_exported_under_the_name_of_their_photo(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (card / "DSC_1.xmp").write_text("for Lightroom")
    (card / "dsc_1.dng.XMP").write_text("for darktable")
    (card / "DSC_9.xmp").write_text("of nobody here")
    run(shoot, out, names="{name}_{rating}")
    sidecars = {path.name: path.read_text() for path in out.iterdir() if "xmp" in path.name.lower()}
    assert sidecars == {"DSC_1_4.xmp": "for Lightroom", "DSC_1_4.dng.XMP": "for darktable"}
    kinds = [file["kind"] for file in manifest(out)["photos"][0]["files"]]  # type: ignore[attr-defined]
    assert kinds == ["raw", "image", "sidecar", "sidecar"]
    (card / "DSC_1.xmp").write_text("a new rating")
    report = run(shoot, out, names="{name}_{rating}")
    assert report.written == ["DSC_1_4.xmp"]
    assert (out / "DSC_1_4.xmp").read_text() == "a new rating"
    (out / "DSC_1_4.xmp").write_text("mine")
    (card / "DSC_1.xmp").write_text("newer still")
    run(shoot, out, names="{name}_{rating}")
    assert (out / "DSC_1_4.xmp").read_text() == "mine"


def test_ratings_read_from_files_are_exported_only_if_selected(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    read = [replace(shoot[1], marks=Marks(rating=5, kept=True), elsewhere=True)]
    made = make_plan(read, Options(tmp_path / "out"))
    assert (made.approved[Clause.FILE], made.chosen) == (1, [])
    run(read, tmp_path / "out", approve=frozenset(Clause))
    assert [entry["clause"] for entry in manifest(tmp_path / "out")["photos"]] == ["file"]
    assert make_plan([replace(read[0], marks=REJECT)], Options(tmp_path)).approved.total() == 0


def test_the_manifest_has_tags_with_their_source(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    tags = (
        TagDetail("harbour", "person", 100, "confirmed"),
        TagDetail("fog", "vision", None, "suggested", "weather"),
    )
    run([replace(shoot[1], tags=tags)], tmp_path / "out")
    assert manifest(tmp_path / "out")["photos"][0]["tags"] == [
        {
            "name": "harbour",
            "source": "person",
            "confidence": 100,
            "category": None,
            "state": "confirmed",
        },
        {
            "name": "fog",
            "source": "vision",
            "confidence": None,
            "category": "weather",
            "state": "suggested",
        },
    ]


def test_names_that_differ_only_in_case_do_not_overwrite_each_other(
    card: Path, tmp_path: Path
) -> None:
    wild = [
        "caf\u00e9.jpg",
        "cafe\u0301.jpg",
        "CAF\u00c9.jpg",
        "aux.jpg",
        "-x\ny.jpg",
        "\U0001f600.jpg",
    ]
    photos = [
        photo(at, PICK, draw_jpeg(tmp_path / "wild" / name, size=(60, 40), seed=at))
        for at, name in enumerate(wild, 10)
    ]
    run(photos, tmp_path / "out")
    made = names(tmp_path / "out") - {"photos.json"}
    assert len({name.casefold() for name in made}) == len(wild)
    assert {"_aux.jpg", "_x_y.jpg", "\U0001f600.jpg"} <= made


def test_the_folder_of_a_disconnected_drive_is_not_created(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "_MOUNT_POINTS", ((str(tmp_path / "media"), 2),))
    away = tmp_path / "media" / "ann" / "T7 Shield" / "out"
    with pytest.raises(KnownError, match="The drive T7 Shield is not connected"):
        run(shoot, away)
    assert not (tmp_path / "media").exists()
    (tmp_path / "media" / "ann" / "T7 Shield").mkdir(parents=True)
    assert run(shoot, away).photos == 2


def test_a_drive_disconnected_meanwhile_is_reported_in_one_sentence(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made = make_plan(shoot, Options(out))

    def pull(done: int, total: int, name: str) -> None:
        for path in out.iterdir():
            path.unlink()
        out.rmdir()

    with pytest.raises(KnownError, match=r"no longer reachable.*1 of 2 photos") as caught:
        write(made, progress=pull)
    assert "Connect its drive" in caught.value.remedy


def test_a_folder_with_another_kind_of_export_is_refused(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    run(shoot, tmp_path / "out")
    with pytest.raises(KnownError, match="another kind of export"):
        make_plan(shoot, Options(tmp_path / "out", target="gallery"))


def test_a_name_that_is_not_text_can_be_exported(shoot: list[PhotoDetail], tmp_path: Path) -> None:
    path = tmp_path / "wild" / "caf\udce9.jpg"
    photos = [photo(9, PICK, draw_jpeg(path, size=(60, 40)))]
    run(photos, tmp_path / "out")
    (entry,) = json.loads((tmp_path / "out" / "photos.json").read_text("utf-8"))["photos"]
    assert (entry["filename"], entry["original_path"]) == ("caf_.jpg", str(path))
    assert run(photos, tmp_path / "out").written == []


@pytest.mark.parametrize(
    "name", ["../card/DSC_3.JPG", "/{}", "a/../../b.jpg", "\0", "link/DSC_3.JPG", ".."]
)
def test_a_manifest_that_names_files_elsewhere_is_refused(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    run(shoot, out)
    (out / "link").symlink_to(card)
    content, victim = manifest(out), card / "DSC_3.JPG"
    record = content["photos"][1]["files"][0]
    record |= {"filename": name.format(victim), "size": victim.stat().st_size}
    record["sha256"] = sha256(victim.read_bytes()).hexdigest()
    (out / "photos.json").write_text(json.dumps(content))
    before = snapshot(card)
    with pytest.raises(KnownError, match="not in its folder"):
        run(shoot, out, names="{seq}_{name}")
    assert snapshot(card) == before


def test_a_gallery_writes_nothing_through_a_link(
    shoot: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    out, before = tmp_path / "page", snapshot(card)
    out.mkdir()
    (out / "images").symlink_to(card)
    with pytest.raises(KnownError, match="is a link"):
        make_plan(shoot, Options(out, target="gallery"))
    assert snapshot(card) == before


def test_the_sidecar_of_a_raw_is_not_exported_with_another_photo_of_its_name(
    card: Path, tmp_path: Path
) -> None:
    draw_jpeg(card / "DSC_1.tif", size=(96, 64), seed=9)
    for name in ("DSC_1.xmp", "DSC_1.JPG.xmp", "DSC_2.xmp"):
        (card / name).write_text(name)
    raw, half = card / "DSC_1.dng", card / "DSC_1.JPG"
    split = [photo(1, REJECT, raw), photo(2, STARS, half), photo(3, STARS, card / "DSC_1.tif")]
    run([*split, photo(4, STARS, card / "DSC_2.JPG")], tmp_path / "out")
    assert names(tmp_path / "out") == {
        "photos.json", "DSC_1.JPG", "DSC_1.JPG.xmp", "DSC_1.tif", "DSC_2.JPG", "DSC_2.xmp"
    }  # fmt: skip
    run([photo(1, STARS, raw, half)], tmp_path / "half", pair="jpeg")
    assert names(tmp_path / "half") == {"photos.json", "DSC_1.JPG", "DSC_1.JPG.xmp", "DSC_1.xmp"}


def test_two_exports_into_one_folder_take_turns(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, other_name, temporary = tmp_path / "out", tmp_path / "link", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    other_name.symlink_to(out)
    first, second = (
        make_plan(some, Options(to)) for some, to in ((shoot[:1], out), (shoot[1:], other_name))
    )
    stood: list[str] = []

    def meanwhile(*_: object) -> None:
        with pytest.raises(BusyError) as busy:
            write(second)
        stood.append(str(busy.value))

    write(first, progress=meanwhile)
    assert stood == [f"Another export into {other_name} is running. Wait until it is done."]
    assert list(temporary.iterdir()) == [] and {".lock"}.isdisjoint(p.suffix for p in out.iterdir())
    before = snapshot(out)
    with pytest.raises(KnownError, match="ran in the meantime"):
        write(second)
    assert snapshot(out) == before
    write(make_plan(shoot[1:], Options(out)))
    assert [entry["filename"] for entry in manifest(out)["photos"]] == ["DSC_1.dng", "DSC_2.JPG"]
