"""Capture data wherever a file states it, and the choice among several times."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curator.files import is_picture_name
from curator.imaging import decode, exif, png
from curator.imaging.export_exif import exif_to_keep
from curator.model import Capture, UnreadableError
from tests.photos import scene

ORIGINAL, DIGITIZED, CHANGED = "2021:01:01 10:00:00", "2022:02:02 10:00:00", "2023:03:03 10:00:00"
PICTURE = Image.fromarray(scene((96, 64), 0))
FIELDS = (
    'tiff:Make="NIKON CORPORATION" tiff:Model="NIKON D90" aux:Lens="24.0-70.0 mm f/2.8"'
    ' exif:ExposureTime="1/250" exif:FNumber="28/10" exif:FocalLength="500/10"'
    ' exif:GPSLatitude="33,51.408S" exif:GPSLongitude="151,12,55.08E"'
)
SAVED = (  # a format, and how Pillow is told of the packet
    ("a.jpg", "xmp"),
    ("a.webp", "xmp"),
    ("a.avif", "xmp"),
    ("a.heic", "xmp"),
    ("a.png", "pnginfo"),
    ("a.tif", "tiffinfo"),
)


def packet(attributes: str, inside: str = "") -> bytes:
    spaces = {
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "aux": "http://ns.adobe.com/exif/1.0/aux/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    }
    declared = " ".join(f'xmlns:{name}="{space}"' for name, space in spaces.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {declared}><rdf:Description rdf:about=""'
        f" {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def block(main: dict[int, Any] | None = None, camera: dict[int, Any] | None = None) -> bytes:
    """Build an EXIF block of tags."""
    made = Image.Exif()
    made.update(main or {})
    made.get_ifd(0x8769).update(camera or {})
    return made.tobytes()


def saved(path: Path, way: str, xmp: bytes, **more: Any) -> Path:
    from PIL.PngImagePlugin import PngInfo

    if way == "pnginfo":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        more["pnginfo"] = info
    else:
        more |= {"tiffinfo": {700: xmp}} if way == "tiffinfo" else {"xmp": xmp}
    PICTURE.save(path, **more)
    return path


def iptc(*values: tuple[int, bytes]) -> bytes:
    """Build a JPEG segment with IPTC fields of record 2."""
    data = b"".join(struct.pack(">BBBH", 0x1C, 2, n, len(v)) + v for n, v in values)
    data += b"\0" * (len(data) % 2)
    data = b"Photoshop 3.0\08BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data
    return struct.pack(">BBH", 0xFF, 0xED, len(data) + 2) + data


@pytest.mark.parametrize(("name", "way"), SAVED)
def test_capture_data_stated_only_in_xmp_is_read(tmp_path: Path, name: str, way: str) -> None:
    isos = "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>800</rdf:li></rdf:Seq></exif:ISOSpeedRatings>"
    written = packet(FIELDS + ' xmp:CreateDate="2024-05-04T18:42:07.25+02:00"', isos)
    found = exif.read_capture(saved(tmp_path / name, way, written))
    assert (found.camera, found.lens) == ("NIKON D90", "24.0-70.0 mm f/2.8")
    assert (found.exposure_s, found.f_number) == pytest.approx((1 / 250, 2.8))
    assert (found.iso, found.focal_length_mm) == (800, 50)
    assert (found.latitude, found.longitude) == pytest.approx((-33.8568, 151.2153), abs=1e-5)
    assert found.taken_at == datetime(2024, 5, 4, 18, 42, 7, 250000)
    assert found.utc_offset_min == 120
    assert (found.width, found.height) == (96, 64)


def test_an_exported_jpeg_has_them_in_exif(tmp_path: Path) -> None:
    written = packet(FIELDS + ' xmp:CreateDate="2024-05-04T18:42:07.25-03:30"')
    path = saved(tmp_path / "a.png", "pnginfo", written)
    PICTURE.save(tmp_path / "b.jpg", exif=exif_to_keep(path, location=False))
    ours, theirs = exif.read_capture(tmp_path / "b.jpg"), exif.read_capture(path)
    assert ours == replace(theirs, latitude=None, longitude=None)
    assert ours.lens == "24.0-70.0 mm f/2.8"


def test_exif_takes_precedence_over_xmp(tmp_path: Path) -> None:
    both = saved(
        tmp_path / "a.jpg",
        "xmp",
        packet(FIELDS + ' exif:DateTimeOriginal="2024-05-04T18:42:07"'),
        exif=block({271: "Canon", 272: "Canon EOS 20D"}, {36867: ORIGINAL, 33437: 4.0}),
    )
    found = exif.read_capture(both)
    assert (found.camera, found.f_number) == ("Canon EOS 20D", 4)
    assert found.taken_at == datetime(2021, 1, 1, 10)
    assert found.lens == "24.0-70.0 mm f/2.8"


def test_exposure_in_apex_values_is_converted(tmp_path: Path) -> None:
    apex = packet('exif:ApertureValue="3/1" exif:ShutterSpeedValue="8/1"')
    found = exif.read_capture(saved(tmp_path / "a.jpg", "xmp", apex))
    assert (found.f_number, found.exposure_s) == (2.8, 1 / 256)


@pytest.mark.parametrize("text", ["", "1/0", "x", "-1/3", "9" * 40, "nan", "1e400"])
def test_absurd_values_in_xmp_count_as_missing(tmp_path: Path, text: str) -> None:
    names = ("ExposureTime", "FNumber", "FocalLength", "GPSLatitude", "DateTimeOriginal")
    written = packet(" ".join(f'exif:{name}="{text}"' for name in names))
    found = exif.read_capture(saved(tmp_path / "a.jpg", "xmp", written))
    assert found == Capture(width=96, height=64)


E_ORIGINAL, E_DIGITIZED = {36867: ORIGINAL}, {36868: DIGITIZED}
X_ORIGINAL = 'exif:DateTimeOriginal="2011-01-01T10:00:00"'
X_CREATED = 'photoshop:DateCreated="2012-02-02"'
X_MADE = 'xmp:CreateDate="2013-03-03T10:00:00Z"'
X_DIGITIZED = 'exif:DateTimeDigitized="2015-05-05T10:00:00"'
I_CREATED = ((55, b"20140404"), (60, b"100000+0200"))
I_DIGITIZED = ((62, b"20160606"), (63, b"100000"))
ALL = f"{X_ORIGINAL} {X_CREATED} {X_MADE} {X_DIGITIZED}"


@pytest.mark.parametrize(
    ("camera", "xmp", "fields", "year", "offset"),
    [
        ({**E_ORIGINAL, **E_DIGITIZED}, ALL, I_CREATED, 2021, None),
        ({36867: "0000:00:00 00:00:00", **E_DIGITIZED}, ALL, I_CREATED, 2011, None),
        (E_DIGITIZED, f"{X_CREATED} {X_MADE}", I_CREATED, 2012, None),
        (E_DIGITIZED, X_MADE, I_CREATED, 2013, 0),
        ({}, 'photoshop:DateCreated="2012-02-02T10:00-08:00"', (), 2012, -480),
        (E_DIGITIZED, X_DIGITIZED, I_CREATED, 2014, 120),
        (E_DIGITIZED, X_DIGITIZED, I_DIGITIZED, 2022, None),
        ({}, X_DIGITIZED, I_DIGITIZED, 2015, None),
        ({}, "", I_DIGITIZED, 2016, None),
        ({}, 'xmp:ModifyDate="2017-01-01T10:00:00"', (), None, None),
    ],
)
def test_the_most_direct_capture_time_is_taken(
    tmp_path: Path,
    camera: dict[int, str],
    xmp: str,
    fields: tuple[tuple[int, bytes], ...],
    year: int | None,
    offset: int | None,
) -> None:
    """Every file also states when it was changed, which must not be taken."""
    path = saved(tmp_path / "a.jpg", "xmp", packet(xmp), exif=block({306: CHANGED}, camera))
    whole = path.read_bytes()
    path.write_bytes(whole[:2] + iptc(*fields) + whole[2:] if fields else whole)
    found = exif.read_capture(path)
    assert (found.taken_at and found.taken_at.year) == year
    assert found.utc_offset_min == offset


def test_parts_of_seconds_and_the_offset_stay_with_their_time(tmp_path: Path) -> None:
    camera = {36868: DIGITIZED, 37522: "25", 36882: "-03:30", 37521: "77", 36881: "+01:00"}
    PICTURE.save(tmp_path / "a.jpg", exif=block({}, camera))
    found = exif.read_capture(tmp_path / "a.jpg")
    assert found.taken_at == datetime(2022, 2, 2, 10, 0, 0, 250000)
    assert found.utc_offset_min == -210


def test_the_time_of_an_image_sequence_is_read(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "a.avif")
    seconds = int((datetime(2020, 6, 7, 8, 9, 10) - datetime(1904, 1, 1)).total_seconds())
    still = (tmp_path / "a.avif").read_bytes()
    for version, number in ((0, struct.pack(">I", seconds)), (1, struct.pack(">Q", seconds))):
        head = struct.pack(">I4sB3x", 100, b"mvhd", version) + number + bytes(88 - len(number))
        (tmp_path / "b.avif").write_bytes(still + struct.pack(">I4s", 108, b"moov") + head)
        found = exif.read_capture(tmp_path / "b.avif")
        assert (found.taken_at, found.utc_offset_min) == (datetime(2020, 6, 7, 8, 9, 10), 0)
    for broken in (
        struct.pack(">I4s", 9, b"moov"),
        struct.pack(">I4sI4s", 24, b"moov", 16, b"mvhd"),
        *(  # no time, and the year 19326
            struct.pack(">I4sI4sB3xQ8x", 36, b"moov", 28, b"mvhd", 1, seconds)
            for seconds in (0, 1 << 39)
        ),
    ):
        (tmp_path / "b.avif").write_bytes(still + broken)
        assert exif.read_capture(tmp_path / "b.avif").taken_at is None


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_profile(data: bytes, word: bytes = b"exif") -> bytes:
    lines = b"\n" + word + b"\n%8d\n" % len(data) + data.hex().encode() + b"\n"
    return b"Raw profile type " + word + b"\0\0" + zlib.compress(lines)


NOTES = block({271: "NIKON", 274: 6}, E_ORIGINAL)
PNG_NOTES: dict[str, Callable[[bytes], bytes]] = {
    "eXIf": lambda data: chunk(b"eXIf", data[6:]),
    "profile": lambda data: chunk(b"zTXt", raw_profile(data)),
    "profile APP1": lambda data: chunk(b"zTXt", raw_profile(data, b"APP1")),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("kind", PNG_NOTES)
def test_metadata_of_a_png_is_read_before_and_after_the_picture(
    tmp_path: Path, kind: str, place: str
) -> None:
    PICTURE.save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    at = 33 if place == "before" else whole.index(b"IEND") - 4
    path = tmp_path / "b.png"
    path.write_bytes(whole[:at] + PNG_NOTES[kind](NOTES) + whole[at:])
    found = exif.read_capture(path)
    assert (found.camera, found.taken_at) == ("NIKON", datetime(2021, 1, 1, 10))
    assert (found.width, found.height, found.orientation) == (64, 96, 6)
    assert np.array_equal(decode.decode(path).rgb, np.rot90(np.asarray(PICTURE), -1))


def test_broken_metadata_of_a_png_is_ignored(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    broken = (
        chunk(b"eXIf", b"II*\0"),
        chunk(b"zTXt", b"Raw profile type exif\0\0not packed"),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 99\nabc"),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1"),
        struct.pack(">I4s", 0xFFFFFFF0, b"eXIf"),
    )
    for extra in broken:
        (tmp_path / "b.png").write_bytes(whole[:33] + extra + whole[33:])
        assert exif.read_capture(tmp_path / "b.png") == Capture(width=96, height=64)


def test_a_thousand_compressed_texts_are_not_all_decompressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PICTURE.save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    unpacked: list[int] = []
    monkeypatch.setattr(png, "_decompress", lambda data: unpacked.append(len(data)) or b"")
    bomb = chunk(b"zTXt", raw_profile(b"")) * 1000
    (tmp_path / "b.png").write_bytes(whole[:33] + bomb + whole[33:])
    assert exif.read_capture(tmp_path / "b.png") == Capture(width=96, height=64)
    assert len(unpacked) < 10


@pytest.mark.parametrize(("name", "way"), [way for way in SAVED if way[0] != "a.heic"])
def test_the_orientation_in_xmp_counts_where_exif_has_none(
    tmp_path: Path, name: str, way: str
) -> None:
    """For PNG, WebP and TIFF; HEIC containers have their own, and for JPEG only EXIF counts."""
    path = saved(tmp_path / name, way, packet('tiff:Orientation="6"'))
    upright = (96, 64) if name in ("a.jpg", "a.avif") else (64, 96)
    found = exif.read_capture(path)
    assert (found.width, found.height) == upright
    assert decode.decode(path).full_size == upright


# --- against exiftool

DIFFER = {
    "raw/kodak/RAW_KODAK_DC50_é.KDC": "A RAW of 1997: the camera wrote DateTime alone.",
    "hostile/derived/truncated/kdc_trunc01.KDC": "The same RAW.",
    "hostile/derived/truncated/kdc_trunc95.KDC": "The same RAW.",
    "hostile/derived/bitflip/kdc_header.KDC": "The same RAW.",
    "raw/stubs/exiftool/Sigma.x3f": "A header without its picture: LibRaw, who knows X3F, refuses.",
    "hostile/exiv2-poc/issue_1838_poc.crw": "Broken on purpose: LibRaw, who knows CRW, refuses.",
    "hostile/exiv2-poc/issue_3455_sigma_print0x0008_empty.jpg": "exiftool gives its EXIF up.",
    "hostile/derived/truncated/jpg_trunc01.jpg": "1 % of a JPEG: exiftool gives its EXIF up.",
    "hostile/derived/truncated/cr3_trunc01.CR3": "1 % of a CR3: exiftool gives its EXIF up.",
    "hostile/hsexif/xmp-before-exif-truncated.jpg": "Cut in its EXIF: exiftool gives that up.",
}
"""Files of the corpus whose time differs from what exiftool says, with the reason."""
THEIRS = (  # exiftool's names, the plainest first
    "ExifIFD:DateTimeOriginal",
    "IFD0:DateTimeOriginal",
    "SubIFD:DateTimeOriginal",
    "XMP-exif:DateTimeOriginal",
    "XMP-photoshop:DateCreated",
    "XMP-xmp:CreateDate",
    "IPTC:DateCreated",
    "ExifIFD:CreateDate",
    "IFD0:CreateDate",
    "CanonRaw:DateTimeOriginal",
    "CIFF:DateTimeOriginal",
    "PhaseOne:DateTimeOriginal",
    "SigmaRaw:DateTimeOriginal",
    "QuickTime:CreateDate",
)

TIME = re.compile(r"(\d{4})\D(\d\d)\D(\d\d)(?:\D(\d\d)\D(\d\d)(?:[:.](\d\d))?)?")


def theirs(said: dict[str, Any]) -> tuple[datetime | None, str]:
    """Return the first valid time exiftool found, to the second, and its tag."""
    for name in THEIRS:
        written = str(said.get(name, ""))
        if name == "IPTC:DateCreated" and written:
            written += " " + str(said.get("IPTC:TimeCreated", ""))
        parts = TIME.match(written)
        if not parts:
            continue
        try:
            found = datetime(*(int(part or 0) for part in parts.groups()))
        except ValueError:
            continue
        if datetime(1970, 1, 2) <= found < datetime(2100, 1, 1):
            return found, name
    return None, ""


@pytest.mark.slow
def test_times_agree_with_exiftool_over_the_corpus(corpus: Path) -> None:
    tool = shutil.which("exiftool")
    if tool is None:
        pytest.skip("exiftool is not installed")
    wanted = ("DateTimeOriginal", "CreateDate", "DateCreated", "TimeCreated")
    parts = ("SubSecTimeOriginal", "OffsetTimeOriginal")
    run = subprocess.run(
        [tool, "-j", "-G1", "-a", "-q", "-q", "-r", *(f"-{tag}" for tag in wanted + parts), corpus],
        capture_output=True,
        check=False,  # it ends with 1 for every file it cannot read
    )
    compared, differ, odd = 0, set(), []
    for said in json.loads(run.stdout):
        path = Path(said["SourceFile"])
        name = path.relative_to(corpus).as_posix()
        if not is_picture_name(path.name):
            continue
        try:
            ours = exif.read_capture(path)
        except UnreadableError:
            ours = Capture()
        time, source = theirs(said)
        compared += time is not None
        whole = ours.taken_at and ours.taken_at.replace(microsecond=0)
        if whole != time:
            differ.add(name)
            if name not in DIFFER:
                odd.append(f"{name}: {whole}, exiftool {time} ({source})")
            continue
        if source == "ExifIFD:DateTimeOriginal":
            digits = str(said.get("ExifIFD:SubSecTimeOriginal", "")).strip()
            micro = int(digits.ljust(6, "0")[:6]) if digits.isdigit() else 0
            if ours.taken_at and ours.taken_at.microsecond != micro:
                odd.append(f"{name}: {ours.taken_at}, exiftool has .{digits}")
            zone = str(said.get("ExifIFD:OffsetTimeOriginal", ""))
            if zone[:1] in ("+", "-") and ours.utc_offset_min is not None:
                minutes = int(zone[1:3]) * 60 + int(zone[4:6])
                if ours.utc_offset_min != (minutes if zone[0] == "+" else -minutes):
                    odd.append(f"{name}: offset {ours.utc_offset_min}, exiftool {zone}")
    assert not odd, "\n".join(odd)
    assert differ == set(DIFFER)
    assert compared >= 350
