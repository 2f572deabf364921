"""A location is exported only if chosen; exiftool verifies it.

exiftool reads every exported file again, with everything embedded in it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator import files
from curator.catalog import PhotoDetail
from curator.export import ExportReport, Options, location_removal, write
from curator.export.presets import BUILT_IN
from curator.export.sources import Source
from curator.model import Kind, KnownError
from curator.settings import ExportSettings, kept_metadata
from curator.workers import InlinePool
from tests.photos import draw_jpeg
from tests.unit.export.conftest import STARS, make_plan, photo
from tests.unit.export.test_folder import manifest

EXIFTOOL = shutil.which("exiftool") or ""
with_exiftool = pytest.mark.skipif(not EXIFTOOL, reason="no exiftool on this machine")
PLACES = {
    "EXIF:GPSLatitude": "64.1",
    "EXIF:GPSLatitudeRef": "N",
    "EXIF:GPSLongitude": "21.9",
    "EXIF:GPSLongitudeRef": "W",
    "IPTC:City": "Vik",
    "IPTC:Sub-location": "Black beach",
    "IPTC:Province-State": "South",
    "IPTC:Country-PrimaryLocationName": "Iceland",
    "XMP-exif:GPSLatitude": "64.1",
    "XMP-exif:GPSLongitude": "-21.9",
    "XMP-photoshop:City": "Vik",
    "XMP-photoshop:State": "South",
    "XMP-photoshop:Country": "Iceland",
    "XMP-iptcCore:Location": "Black beach",
    "XMP-iptcCore:CountryCode": "IS",
    "XMP-iptcExt:LocationShownCity": "Vik",
    "XMP-iptcExt:LocationCreatedCountryName": "Iceland",
}


def exiftool(*words: object) -> bytes:
    return subprocess.run(
        [EXIFTOOL, "-config", "", "-q", "-q", *map(str, words)], capture_output=True, check=False
    ).stdout


def tags_of(*paths: Path) -> dict[str, Any]:
    """Read all tags of files by group, except those exiftool computes itself."""
    found = json.loads(exiftool("-j", "-a", "-u", "-e", "-ee3", "-G1", *paths) or b"[]")
    return {f"{each['SourceFile']} {key}": value for each in found for key, value in each.items()}


def places_in(folder: Path, *, text: bool = True) -> list[str]:
    """Return the location tags of the files in a folder, including embedded pictures."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    exiftool("-a", "-b", "-W", f"{folder}/embedded/%f-%t%-c.%s", "-preview:all", *files)
    files += list((folder / "embedded").glob("*"))
    word = re.compile(r":(?:GPS(?!VersionID)|.*(?:City|Country|Location|[Ll]atitude))")
    own = re.compile(r":(?:Creator|.*(?:Focus|AFPoint|Subject)Location|TimeZoneCity)")
    stated = {
        key: value for key, value in tags_of(*files).items() if set(f"{value}") - set("['nul, ]")
    }
    found = [f"{k}={v}" for k, v in stated.items() if word.search(k) and not own.search(k)]
    there = re.compile(rb"Iceland|Black beach|Vik")
    texts = [path for path in files if text and there.search(path.read_bytes())]
    return found + [f"{path.name} names the place" for path in texts]


@pytest.fixture
def placed(tmp_path: Path) -> PhotoDetail:
    """A photo that states its location in every way, also in thumbnail and sidecar."""
    path = draw_jpeg(tmp_path / "card" / "DSC_1.JPG", size=(96, 64), seed=1)
    thumbnail = draw_jpeg(tmp_path / "thumbnail.jpg", size=(32, 24), seed=1)
    words = [f"-{name}={value}" for name, value in PLACES.items()]
    exiftool("-overwrite_original", *words, "-EXIF:Artist=Ann", path)
    exiftool("-overwrite_original", *words[:4], thumbnail)
    exiftool("-overwrite_original", f"-ThumbnailImage<={thumbnail}", path)
    xmp = [word for word in words if word.startswith("-XMP")]
    exiftool("-o", path.with_suffix(".xmp"), *xmp, "-XMP:Rating=4", "-XMP-dc:Creator=Ann")
    made = photo(1, STARS, path)
    return replace(made, capture=replace(made.capture, latitude=64.1, longitude=-21.9))


def run(photos: list[PhotoDetail], to: Path, **options: object) -> ExportReport:
    options = {"exiftool": EXIFTOOL, **options}
    made = make_plan(photos, Options(to, **options))  # type: ignore[arg-type]
    return write(made, pool=InlinePool())


# --- one rule


@pytest.mark.parametrize("metadata", ["auto", "all", "no_location", "none"])
def test_location_is_exported_only_if_chosen(metadata: str) -> None:
    assert (kept_metadata(metadata, "folder", "jpeg") == "all") is (metadata == "all")
    assert (kept_metadata(metadata, "gallery", "original") == "all") is (metadata == "all")
    assert (kept_metadata(metadata, "folder", "original") == "all") is (metadata in ("auto", "all"))


def test_presets_and_options_follow_the_rule(tmp_path: Path) -> None:
    kept = {preset.name: preset.choices.kept for preset in BUILT_IN}
    assert kept.pop("Originals") == "all" and set(kept.values()) == {"no_location"}
    for preset in BUILT_IN:
        assert Options(tmp_path, **dict(preset.choices)).metadata_kept == preset.choices.kept
    gallery = Options(tmp_path, **dict(ExportSettings(target="gallery")))
    assert gallery.metadata_kept == "no_location"


def test_without_exiftool_originals_without_location_are_refused(
    shoot: list[PhotoDetail], tmp_path: Path
) -> None:
    for metadata in ("no_location", "none"):
        with pytest.raises(KnownError, match="Only exiftool can remove the location") as caught:
            run(shoot, tmp_path / "out", metadata=metadata, exiftool="")
        assert "export JPEGs instead" in caught.value.remedy
    assert not (tmp_path / "out").exists()
    sidecars = run(shoot, tmp_path / "sidecars", target="sidecar", metadata="none", exiftool="")
    assert sidecars.folder.name == "sidecars"  # they have no location


def test_a_copy_without_location_has_its_own_digest_and_is_made_once(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(source: Source, folder: Path, program: str) -> tuple[Path, str]:
        made = folder / "copy.jpg"
        made.write_bytes(source.path.read_bytes()[:-1])
        return made, files.sha256(source.path)

    monkeypatch.setattr(location_removal, "without_location", short)
    out, original = tmp_path / "out", shoot[1].path
    how = {"metadata": "no_location", "exiftool": "exiftool"}
    assert run(shoot[1:2], out).written == ["DSC_2.JPG"]
    assert (out / "DSC_2.JPG").read_bytes() == original.read_bytes()
    assert run(shoot[1:2], out, **how).written == ["DSC_2.JPG"], "the one with location is replaced"
    assert (out / "DSC_2.JPG").read_bytes() == original.read_bytes()[:-1]
    record: Any = manifest(out)["photos"][0]["files"][0]
    assert (record["sha256"], record["original_sha256"]) == (
        files.sha256(out / "DSC_2.JPG"),
        files.sha256(original),
    )
    assert run(shoot[1:2], out, **how).written == []
    assert run(shoot[1:2], out).written == ["DSC_2.JPG"], "asked for, it is whole again"


@pytest.mark.parametrize("now", ["gone", "a pipe", "no temporary folder"])
def test_a_copy_that_fails_fails_that_photo_only(
    shoot: list[PhotoDetail], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: str
) -> None:
    options = Options(tmp_path / "out", metadata="no_location", exiftool="exiftool")
    made = make_plan(shoot[1:2], options)
    if now == "no temporary folder":
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    else:
        shoot[1].path.unlink()
    if now == "a pipe":
        os.mkfifo(shoot[1].path)
    report = write(made, pool=InlinePool())
    assert [skip.path for skip in report.failed] == [str(shoot[1].path)]
    assert "A copy without location failed" in report.failed[0].reason


def test_the_picture_of_a_jpeg_is_compared_without_trailing_data(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(96, 64), seed=1)
    data = path.read_bytes()
    noted = data[:2] + b"\xff\xfe\0\6note" + data[2:]

    def same(before: bytes, after: bytes) -> bool:
        (tmp_path / "b.jpg").write_bytes(before)
        path.write_bytes(after)
        return location_removal._same_picture(tmp_path / "b.jpg", path)

    assert same(noted, data) and same(noted + b"padding", data + b"padding")
    assert same(noted + data, data), "a further picture may go"
    assert not same(noted, data[:-9]) and not same(data, data[:-9] + b"\0" + data[-8:])


# --- exported files


@with_exiftool
@pytest.mark.slow
def test_no_file_of_an_export_without_location_has_one(placed: PhotoDetail, tmp_path: Path) -> None:
    out, card = tmp_path / "out", tmp_path / "card"
    before = {path: path.read_bytes() for path in card.iterdir()}
    assert len(places_in(shutil.copytree(card, tmp_path / "seen"))) > len(PLACES), "the judge"
    report = run([placed], out, metadata="no_location")
    assert (report.written, report.failed) == (["DSC_1.JPG", "DSC_1.xmp"], [])
    entry: Any = manifest(out)["photos"][0]
    assert (entry["form"], entry["capture"]["latitude"]) == ("original without place", None)
    assert entry["files"][0]["sha256"] != entry["files"][0]["original_sha256"]
    assert (out / "DSC_1.JPG").stat().st_mtime_ns == placed.path.stat().st_mtime_ns
    kept = tags_of(out / "DSC_1.JPG", out / "DSC_1.xmp")
    assert {"Ann", 4} <= {value for value in kept.values() if isinstance(value, str | int)}
    again = run([placed], out, metadata="no_location")
    assert (again.written, again.unchanged) == ([], 2)
    assert places_in(out) == []
    assert {path: path.read_bytes() for path in card.iterdir()} == before


@with_exiftool
@pytest.mark.slow
def test_a_copy_with_location_is_replaced_by_one_without(
    placed: PhotoDetail, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run([placed], out).written == ["DSC_1.JPG", "DSC_1.xmp"]
    assert places_in(shutil.copytree(out, tmp_path / "seen"))
    assert run([placed], out, metadata="no_location").written == ["DSC_1.JPG", "DSC_1.xmp"]
    assert len(list(out.iterdir())) == 3 and places_in(out) == []


@with_exiftool
@pytest.mark.slow
def test_jpegs_and_galleries_have_a_location_only_if_chosen(
    placed: PhotoDetail, tmp_path: Path
) -> None:
    for name, options in {
        "jpeg": {"form": "jpeg"},
        "gallery": {"target": "gallery"},
        "none": {"target": "gallery", "metadata": "none"},
    }.items():
        run([placed], tmp_path / name, **options)
        assert places_in(tmp_path / name) == [], name
        assert "64.1" not in (tmp_path / name / "photos.json").read_text()
    run([placed], tmp_path / "asked", form="jpeg", metadata="all")
    assert any("GPSLatitude" in place for place in places_in(tmp_path / "asked"))


@with_exiftool
@pytest.mark.slow
def test_a_photo_whose_location_cannot_be_removed_is_not_exported(
    corpus: Path, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    card.mkdir()
    for name in ("photos/photoprism/image-2011.jpg", "formats/exiftool-jpg-stubs/ExifTool.jpg"):
        shutil.copyfile(corpus / name, card / Path(name).name)
    photos = [photo(number, STARS, path) for number, path in enumerate(sorted(card.iterdir()))]
    report = run(photos, tmp_path / "out", metadata="no_location")
    reasons = {Path(skip.path).name: skip.reason for skip in report.failed}
    assert reasons.keys() == {"ExifTool.jpg", "image-2011.jpg"} and report.written == []
    assert all("location cannot be removed: " in reason for reason in reasons.values())
    assert all(reason.endswith("Export it as a JPEG.") for reason in reasons.values())


@with_exiftool
@pytest.mark.slow
def test_a_photo_with_a_location_in_a_custom_tag_is_not_exported(tmp_path: Path) -> None:
    """The file itself names the group of such a tag, in any case."""
    path = draw_jpeg(tmp_path / "card" / "DSC_1.JPG", size=(96, 64))
    rdf = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
    own = f'{rdf} xmlns:fön="http://example.org/" fön:City="Vik"/></rdf:RDF>'
    packet = b"http://ns.adobe.com/xap/1.0/\0" + own.encode()
    data = path.read_bytes()
    length = (len(packet) + 2).to_bytes(2, "big")
    path.write_bytes(data[:2] + b"\xff\xe1" + length + packet + data[2:])
    (failed,) = run([photo(1, STARS, path)], tmp_path / "out", metadata="no_location").failed
    assert failed.reason.startswith("The location cannot be removed: City would stay")


@with_exiftool
@pytest.mark.slow
def test_real_originals_are_exported_without_location_or_not_at_all(
    corpus: Path, tmp_path: Path
) -> None:
    card, out = tmp_path / "card", tmp_path / "out"
    card.mkdir()
    found = [
        *sorted((corpus / "photos/photoprism").glob("*.[jJ]*"))[:16],
        *sorted((corpus / "photos/metatron").glob("*"))[:4],
        *sorted((corpus / "bursts/kphotoalbum-demo").glob("*"))[:4],
        *sorted((corpus / "formats/pillow_heif/heif_other").glob("*.*")),
        *sorted((corpus / "raw/stubs/exiftool").glob("N*")),
    ]
    for number, path in enumerate(found):
        shutil.copyfile(path, card / f"{number}{path.suffix}")
    photos = [photo(int(path.stem), STARS, path) for path in sorted(card.iterdir())]
    photos = [
        replace(each, files=(replace(each.files[0], kind=Kind.RAW),))
        if "raw" in found[each.id].parts
        else each
        for each in photos
    ]
    telling = len(places_in(shutil.copytree(card, tmp_path / "seen"), text=False))
    report = run(photos, out, metadata="no_location")
    assert telling > 50 and report.photos > 0.9 * len(photos), report.failed
    assert places_in(out, text=False) == []
