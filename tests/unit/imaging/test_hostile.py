"""Invalid numbers in broken files, and files that would need unbounded time or memory."""

from __future__ import annotations

import io
import math
import os
import re
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curator.imaging import (
    containers,
    decode,
    embedded_metadata,
    embedded_thumbnail,
    exif,
    export_exif,
    tiff,
)
from curator.model import Capture, UnreadableError
from tests.photos import draw_jpeg, write_dng

BYTE, LONG, RATIONAL, DOUBLE = 1, 4, 5, 12
NO_NUMBERS = {
    "no number": (DOUBLE, struct.pack("<d", math.nan)),
    "infinite": (DOUBLE, struct.pack("<d", math.inf)),
    "beyond all measure": (DOUBLE, struct.pack("<d", 1e300)),
    "negative": (DOUBLE, struct.pack("<d", -1e9)),
    "nothing of nothing": (RATIONAL, bytes(8)),
}


def directory(*entries: tuple[int, int, int, int], after: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", after)


@pytest.mark.parametrize("said", NO_NUMBERS)
@pytest.mark.parametrize("name", ["a.tif", "a.nef"])
def test_a_number_that_is_not_finite_counts_as_missing(
    tmp_path: Path, said: str, name: str
) -> None:
    """In links to directories, sizes, ratings, and offsets of thumbnails."""
    kind, value = NO_NUMBERS[said]
    path = tmp_path / name
    for tag in (256, 257, 330, 513, 514, 0x4746, 34665):
        entries = {256: (LONG, 60), 257: (LONG, 40), 513: (LONG, 400), 514: (LONG, 5000)}
        made = [(other, kind_, 1, at) for other, (kind_, at) in entries.items() if other != tag]
        head = b"II*\0\x08\0\0\0" + directory(*made, (tag, kind, 1, 200))
        path.write_bytes((head.ljust(200, b"\0") + value).ljust(20_000, b"\1"))
        assert exif.read_capture(path).camera is None
        assert embedded_metadata.read(path).rating is None
        assert embedded_thumbnail.thumbnail(str(path), Capture(width=60, height=40)) is None
        export_exif.exif_to_keep(path, location=True)


@pytest.mark.parametrize("edge", [1_000_001, 2**31, 2**32 - 1])
def test_an_impossible_size_counts_as_missing(tmp_path: Path, edge: int) -> None:
    """Such a photo in the catalog once stopped the reading of all others."""
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0\x08\0\0\0" + directory((256, LONG, 1, edge), (257, LONG, 1, 40)))
    found = exif.read_capture(path)
    assert (found.width, found.height) == (None, None)


def test_reading_directories_is_bounded() -> None:
    """48 directories of 512 tags of 64 KiB each would be 50 GB of numbers, out of 400 KB."""
    made, at = b"II*\0\x08\0\0\0", 8
    for number in range(48):
        at += 2 + 12 * 512 + 4
        entries = [(1000 + tag, BYTE, 65536, 300_000) for tag in range(512)]
        made += directory(*entries, after=at if number < 47 else 0)
    data = made.ljust(400_000, b"\1")
    read = 0

    def counted(offset: int, size: int) -> bytes:
        nonlocal read
        read += size
        return data[offset : offset + size]

    found = tiff.directories(counted)
    assert read <= 3 << 20
    assert found[0].tags[1000] == (1.0,) * 65536


@pytest.mark.parametrize("size", [1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_a_box_longer_than_any_file_ends_the_search(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.cr3"
    head = struct.pack(">I4s4s4x", 16, b"ftyp", b"crx ")
    path.write_bytes(head + struct.pack(">I4sQ", 1, b"free", size) + bytes(100))
    assert embedded_metadata.read(path).packets == ()
    assert exif.read_capture(path) == Capture()


def test_reading_segments_is_bounded() -> None:
    frame = b"\xff\xc0\x00\x11\x08\x00\x28\x00\x3c\x03" + bytes(9)
    for count, width in ((500, 60), (5000, 0)):
        data = b"\xff\xd8" + b"\xff\xe1\x00\x02" * count + frame + b"\xff\xda\x00\x02"
        assert containers.read_jpeg_header(data).width == width


@pytest.mark.parametrize("between", [b"\0" * 300, b"\xff" * 300, b"\xff\0" * 99, b"\xff\xd0" * 99])
def test_garbage_between_segments_is_skipped(between: bytes) -> None:
    frame = b"\xff\xc0\x00\x11\x08\x00\x28\x00\x3c\x03" + bytes(9)
    head = containers.read_jpeg_header(
        b"\xff\xd8" + between + frame + between + b"\xff\xda\x00\x02"
    )
    assert (head.width, head.height, head.complete) == (60, 40, True)


@pytest.mark.parametrize("form", ["png", "bmp", "gif"])
def test_a_size_that_the_file_cannot_hold_is_refused(tmp_path: Path, form: str) -> None:
    """Flipped bits in a header of 10 KB cost a minute and 4 GB."""
    buffer = io.BytesIO()
    Image.new("P", (64, 48)).save(buffer, form)
    data = bytearray(buffer.getvalue())
    wide = {"png": struct.pack(">II", 9000, 9000), "bmp": struct.pack("<ii", 9000, 9000)}
    place = {"png": 16, "bmp": 18, "gif": 6}[form]
    data[place : place + 8] = wide.get(form, struct.pack("<HH", 9000, 9000) + data[10:14])
    if form == "png":
        from tests.bench.mutations import summed

        data[:] = summed(bytes(data), 16)
    path = tmp_path / f"a.{form}"
    path.write_bytes(data)
    with pytest.raises(UnreadableError, match="too short for the 9,000 x 9,000 pixels"):
        decode.decode(path)


def _chunk(kind: bytes, size: int, order: str) -> bytes:
    return struct.pack(f"{order}I", size) + kind if order == ">" else kind + struct.pack("<I", size)


HOLE_BYTES = 200 << 20  # bytes, of a hole that takes no room on the disk
PNG = (
    b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", 13, ">") + struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
)
HEADS_OF_HOLES = {
    "heif": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "heif with a long description": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + _chunk(b"meta", 0, ">"),
    "avif": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    "webp": b"RIFF" + struct.pack("<I", HOLE_BYTES) + b"WEBP" + _chunk(b"EXIF", HOLE_BYTES, "<"),
    "png": PNG + bytes(4) + _chunk(b"tEXt", HOLE_BYTES, ">"),
    "gif": b"GIF89a" + struct.pack("<HH", 64, 48) + b"\xf7\0\0",
    "bmp": b"BM" + bytes(30),
    "tif": b"II*\0\x08\0\0\0",
    "jpg": b"\xff\xd8\xff\xe0",
    "crw": b"II\x1a\0\0\0HEAPCCDR",
    "raf": b"FUJIFILMCCD-RAW ",
    "cr3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
}


@pytest.mark.parametrize("kind", HEADS_OF_HOLES)
def test_a_sparse_huge_file_needs_no_memory_to_peek(tmp_path: Path, kind: str) -> None:
    """A 24-byte HEIC extended to 4 GB was once read completely, three times."""
    path = tmp_path / f"a.{kind.split()[0]}"
    path.write_bytes(HEADS_OF_HOLES[kind])
    os.truncate(path, HOLE_BYTES)
    tracemalloc.start()
    try:
        exif.read_capture(path)
        embedded_metadata.read(path)
        embedded_thumbnail.thumbnail(str(path), Capture(width=60, height=40))
        export_exif.exif_to_keep(path, location=True)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 48 << 20


BROKEN_NOTES = {
    "no header": b"garbage!" * 4,
    "beyond the end": b"II*\0" + b"\xff" * 28,
    "around in circles": b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0",
}


@pytest.mark.parametrize("how", BROKEN_NOTES)
@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "heif", "tiff"])
def test_broken_metadata_never_prevents_decoding(tmp_path: Path, form: str, how: str) -> None:
    whole, notes = Image.Exif(), BROKEN_NOTES[how]
    whole[271] = "MAKER" * 12
    buffer = io.BytesIO()
    drawn = Image.linear_gradient("L").resize((48, 32)).convert("RGB")
    drawn.save(buffer, form, exif=whole, quality=90)
    data = bytearray(buffer.getvalue())
    text = data.index(b"MAKERMAKER")
    if form == "tiff":  # its notes are what its pixels are described in: this one points nowhere
        at = data.index(struct.pack("<HH", 271, 2))
        data[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    else:  # of the PNG the checksum of the chunk is wrong, too
        at = max(data.rfind(b"II*\0", 0, text), data.rfind(b"MM\0*", 0, text))
        data[at : at + len(notes)] = notes
    path = tmp_path / f"a.{form}"
    path.write_bytes(data)
    picture = decode.decode(path)
    assert picture.damage is None and picture.rgb.shape == (32, 48, 3)
    assert abs(picture.rgb.mean() - np.asarray(drawn).mean()) < 4
    assert exif.read_capture(path).camera is None


def test_an_odd_marker_does_not_hide_missing_data(tmp_path: Path) -> None:
    data = bytearray(draw_jpeg(tmp_path / "a.jpg", size=(96, 64), thumbnail=False).read_bytes())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 7] = struct.pack(">H", 640)
    middle = (data.index(b"\xff\xda") + len(data)) // 2
    data[middle:middle] = b"\xff\xaf"
    (tmp_path / "a.jpg").write_bytes(data)
    damage = decode.decode(tmp_path / "a.jpg").damage
    assert damage and re.fullmatch(r"The file is damaged: the last 9\d % is missing\.", damage)


def test_the_size_of_a_gif_is_checked_before_its_frames_are_allocated(tmp_path: Path) -> None:
    """Pillow allocates the first frame for that: 2.3 GB for a file of 3 KB."""
    buffer = io.BytesIO()
    Image.new("P", (64, 48)).save(buffer, "gif")
    data = bytearray(buffer.getvalue())
    data[6:10] = struct.pack("<HH", 20_000, 20_000)
    path = tmp_path / "a.gif"
    path.write_bytes(data)
    assert exif.read_capture(path) == Capture()
    with pytest.raises(UnreadableError, match="far too short for the size"):
        decode.decode(path)


def test_a_monochrome_sensor_gives_a_gray_picture(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "monochrom.dng", size=(96, 64), preview=False)
    linear = path.read_bytes().replace(
        struct.pack("<HHII", 262, 3, 1, 32803), struct.pack("<HHII", 262, 3, 1, 34892)
    )
    path.write_bytes(linear)
    picture = decode.decode(path)
    assert picture.rgb.shape == (64, 96, 3)
    assert np.ptp(picture.rgb.astype(int), axis=2).max() == 0
    assert picture.rgb.std() > 10


@pytest.mark.parametrize("end", [b"", b"\xff\xd9", b"\xff\xfe\xff\xff"])
def test_a_jpeg_without_picture_data_is_not_called_too_short(tmp_path: Path, end: bytes) -> None:
    """A file of 929 bytes with a valid header was once called too short."""
    data = draw_jpeg(tmp_path / "a.jpg", size=(96, 64), thumbnail=False).read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: data.index(b"\xff\xc0")] + end)
    with pytest.raises(UnreadableError) as refused:
        decode.decode(tmp_path / "a.jpg")
    assert refused.value.args[0] == "The file is damaged: its picture data is cut off or missing."
