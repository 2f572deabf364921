"""Round trips through the programs people use: exiftool, exiv2, darktable (packages of Debian).

digiKam is too large to install for a test; it reads and writes through exiv2, whose view of the
fields digiKam asks for stands for it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from curator.imaging.embedded_metadata import read as read_embedded_metadata
from curator.model import Flag, Label, Marks
from curator.sidecar import PROFILES, SidecarMetadata, merge, read, read_embedded

pytestmark = pytest.mark.slow

METADATA = SidecarMetadata.of(
    Marks(Flag.REJECT, 3, Label.GREEN), ["Ísland", "a & <b>"], ["Places|Norway"]
)
PICKED = SidecarMetadata.of(Marks(Flag.PICK, 4, Label.PURPLE), ["sea"])


def run(*command: str | Path) -> str:
    """Run a program; skip the test if it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def embed(tmp_path: Path, *words: str | Path) -> None:
    """Write with exiftool; the flag is defined for versions that do not know it."""
    known = tmp_path / "exiftool.config"
    known.write_text(
        "%Image::ExifTool::UserDefined = ('Image::ExifTool::XMP::xmpDM' =>"
        " { pick => { Writable => 'integer' }, good => { Writable => 'boolean' } }); 1;"
    )
    run("exiftool", "-config", known, "-q", "-m", "-overwrite_original", *words)


def fields_in(path: Path) -> dict[str, object]:
    """Return what exiftool reads, by group and name; it must not report any problem."""
    assert "OK" in run("exiftool", "-validate", "-warning", "-error", "-a", path)
    return dict(json.loads(run("exiftool", "-j", "-G1", "-struct", path))[0])


def sidecar(
    tmp_path: Path, profile: str, metadata: SidecarMetadata, existing: bytes | None = None
) -> Path:
    path = tmp_path / "a.xmp"
    path.write_bytes(merge(existing, metadata, None, PROFILES[profile]))
    return path


@pytest.mark.parametrize("profile", PROFILES)
def test_exiftool_reads_what_we_wrote(tmp_path: Path, profile: str) -> None:
    found = fields_in(sidecar(tmp_path, profile, METADATA))
    assert found["XMP-xmp:Rating"] == (-1 if profile == "darktable" else 3)
    assert (found["XMP-xmpDM:Pick"], found["XMP-xmpDM:Good"]) == (-1, False)
    assert found["XMP-xmp:Label"] == "Green"
    assert found["XMP-dc:Subject"] == ["Ísland", "a & <b>", "Norway"]
    assert found["XMP-lr:HierarchicalSubject"] == ["Ísland", "a & <b>", "Places|Norway"]
    if profile == "digikam":
        assert (found["XMP-digiKam:PickLabel"], found["XMP-digiKam:ColorLabel"]) == (1, 4)
        assert found["XMP-digiKam:TagsList"] == ["Ísland", "a & <b>", "Places/Norway"]


@pytest.mark.parametrize("profile", PROFILES)
def test_changes_by_exiftool_are_read(tmp_path: Path, profile: str) -> None:
    path = sidecar(tmp_path, profile, METADATA)
    words = ("-XMP:Rating=5", "-XMP-xmpDM:Pick=1", "-XMP:Label=Red", "-XMP-dc:Subject+=new")
    embed(tmp_path, *words, "-XMP-dc:Subject-=Ísland", path)
    data = path.read_bytes()
    assert b"Image::ExifTool" in data  # it serializes everything again, in its own form
    metadata = read(data).metadata
    assert (metadata.rating, metadata.flag, metadata.label) == (5, "pick", "red")
    assert set(metadata.keywords or ()) >= {"new", "a & <b>"}
    # and ours goes into its form again, whole
    again = SidecarMetadata.of(Marks(None, 1, Label.RED), ["new", "sea"])
    path.write_bytes(merge(data, again, metadata, PROFILES[profile]))
    found = fields_in(path)
    assert (found["XMP-xmp:Rating"], found["XMP-xmpDM:Pick"]) == (1, 0)
    assert set(found["XMP-dc:Subject"]) == {"new", "sea"}  # type: ignore[call-overload]
    assert read(path.read_bytes()).metadata.marks() == again.marks()


def test_we_read_what_exiftool_wrote(tmp_path: Path) -> None:
    path = tmp_path / "b.xmp"
    run(
        "exiftool", "-q", "-XMP:Rating=-1", "-XMP:Label=Blue", "-XMP-dc:Subject=one",
        "-XMP-dc:Subject=two", "-XMP-lr:HierarchicalSubject=A|two", "-o", path,
    )  # fmt: skip
    assert read(path.read_bytes()).metadata == SidecarMetadata(
        None, "reject", "blue", ("one", "two"), ("A|two",)
    )


@pytest.mark.parametrize("suffix", ["jpg", "tif", "png", "webp", "heic", "avif", "dng"])
def test_we_read_what_exiftool_embedded(tmp_path: Path, suffix: str, corpus: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix in ("heic", "avif"):
        made = {"heic": "heic/orientation1.heic", "avif": "avif/metadata.avif"}[suffix]
        shutil.copy(corpus / "formats" / "kimageformats" / made, path)
    else:
        form = "TIFF" if suffix == "dng" else None
        Image.new("RGB", (64, 48), (90, 120, 40)).save(path, form)
    words = ["-XMP:Rating=4", "-XMP:Label=Red", "-XMP-dc:Subject=Ísland", "-XMP-xmpDM:Pick=1"]
    embed(tmp_path, *words, path)
    found = read_embedded_metadata(path)
    metadata = read_embedded(found.packets, found.keywords, found.rating).metadata
    assert (metadata.rating, metadata.flag, metadata.label) == (4, "pick", "red")
    assert metadata.keywords == ("Ísland",)


def test_we_read_what_exiftool_embedded_without_xmp(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 48)).save(path)
    words = ["-IFD0:Rating=2", "-IPTC:Keywords=Ísland", "-IPTC:Keywords=sea"]
    embed(tmp_path, *words, path)
    found = read_embedded_metadata(path)
    assert read_embedded(*vars_of(found)).metadata == SidecarMetadata(2, keywords=("Ísland", "sea"))
    embed(tmp_path, "-IPTC:CodedCharacterSet=UTF8", *words, path)
    assert read_embedded_metadata(path).keywords == ("Ísland", "sea")


def vars_of(found: object) -> tuple[tuple[bytes, ...], tuple[str, ...], int | None]:
    return found.packets, found.keywords, found.rating  # type: ignore[attr-defined]


def test_an_extended_packet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 48)).save(path)
    many = [f"-XMP-dc:Subject=keyword {number:05}" for number in range(4000)]
    words = tmp_path / "words"
    words.write_text("\n".join(["-XMP:Rating=5", *many]))
    embed(tmp_path, "-@", words, path)
    metadata = read_embedded(*vars_of(read_embedded_metadata(path))).metadata
    assert metadata.rating == 5
    assert len(metadata.keywords or ()) == 4000


@pytest.mark.parametrize("profile", PROFILES)
def test_exiv2_sees_what_we_wrote(tmp_path: Path, profile: str) -> None:
    shown = run("exiv2", "-Pkv", "-px", sidecar(tmp_path, profile, METADATA))
    found = dict(line.split(maxsplit=1) for line in shown.splitlines() if " " in line)
    rating = {"darktable": "-1"}.get(profile, "3")
    assert found["Xmp.xmp.Rating"] == rating
    assert (found["Xmp.xmpDM.pick"], found["Xmp.xmp.Label"]) == ("-1", "Green")
    assert found["Xmp.dc.subject"] == "Ísland, a & <b>, Norway"
    if profile == "digikam":  # what digiKam asks exiv2 for
        assert found["Xmp.digiKam.PickLabel"] == "1"
        assert found["Xmp.digiKam.ColorLabel"] == "4"
        assert found["Xmp.digiKam.TagsList"] == "Ísland, a & <b>, Places/Norway"


def test_changes_by_exiv2_as_in_digikam_are_read(tmp_path: Path) -> None:
    path = sidecar(tmp_path, "digikam", METADATA)
    run("exiv2", "-M", "set Xmp.digiKam.PickLabel 3", "-M", "set Xmp.digiKam.ColorLabel 5", path)
    run("exiv2", "-M", "set Xmp.xmp.Rating 5", path)
    metadata = read(path.read_bytes()).metadata
    assert (metadata.rating, metadata.flag, metadata.label) == (5, "pick", "blue")
    assert metadata.projects is None and metadata.keywords == METADATA.keywords


def darktable(
    tmp_path: Path, metadata: SidecarMetadata, existing: bytes | None = None
) -> sqlite3.Connection:
    """Import a picture with our sidecar into darktable; return its library."""
    picture = tmp_path / "a.jpg"
    Image.new("RGB", (64, 48), (90, 120, 40)).save(picture)
    beside = tmp_path / "a.jpg.xmp"
    beside.write_bytes(merge(existing, metadata, None, PROFILES["darktable"]))
    library = tmp_path / "library.db"
    run(
        "darktable-cli", picture, tmp_path / "out.jpg", "--core", "--disable-opencl",
        "--configdir", tmp_path / "config", "--cachedir", tmp_path / "cache", "--library", library,
    )  # fmt: skip
    connection = sqlite3.connect(library)
    connection.execute("ATTACH ? AS data", (str(tmp_path / "config" / "data.db"),))
    return connection


@pytest.mark.parametrize(
    ("metadata", "stars", "rejected", "colors"), [(METADATA, 0, 8, [2]), (PICKED, 4, 0, [4])]
)
def test_darktable_sees_what_we_wrote(
    tmp_path: Path, metadata: SidecarMetadata, stars: int, rejected: int, colors: list[int]
) -> None:
    library = darktable(tmp_path, metadata)
    try:
        # darktable's own bits: 0-2 the stars, 3 rejected (DT_IMAGE_REJECTED)
        flags = "SELECT flags & 7, flags & 8 FROM images"
        assert library.execute(flags).fetchall() == [(stars, rejected)]
        assert [c for (c,) in library.execute("SELECT color FROM color_labels")] == colors
        tags = "SELECT name FROM data.tags WHERE id IN (SELECT tagid FROM tagged_images)"
        names = {name for (name,) in library.execute(tags) if not name.startswith("darktable|")}
        paths = set(metadata.hierarchical or ())
        leaves = {path.rpartition("|")[2] for path in paths}
        assert names == (set(metadata.keywords or ()) - leaves) | paths
    finally:
        library.close()


def test_a_sidecar_of_darktable_is_read(tmp_path: Path) -> None:
    darktable(tmp_path, METADATA).close()
    found = read_embedded(*vars_of(read_embedded_metadata(tmp_path / "out.jpg"))).metadata
    assert (found.rating, found.flag, found.label) == (3, "reject", "green")
    # It also lists every level of a path among the keywords.
    assert set(found.keywords or ()) == {*(METADATA.keywords or ()), "Places"}


def test_a_darktable_edit_keeps_working_with_our_marks_in_it(tmp_path: Path, corpus: Path) -> None:
    edit = (corpus / "sidecars" / "darktable-tests" / "exposure.xmp").read_bytes()
    library = darktable(tmp_path, PICKED, edit)
    try:
        steps = "SELECT count(*) FROM history WHERE operation = 'exposure'"
        assert library.execute(steps).fetchone()[0] >= 1
        assert library.execute("SELECT flags & 7 FROM images").fetchone() == (4,)
    finally:
        library.close()
