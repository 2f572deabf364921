"""File formats by content, and where their metadata is.

The name counts only if the content is ambiguous (a TIFF structure may be a picture or a RAW).
Nothing here may decode a pixel; only headers are read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

from curator.imaging import tiff

# Suffixes with which a TIFF structure is a picture; with any other it is tried as a RAW first.
_PICTURE_SUFFIXES = {".tif", ".tiff", ".jpg", ".jpeg", ".png", ".psd", ""}
# Photometric values that only a RAW has: color filter array and linear RAW (TIFF/EP, DNG 1.6).
_RAW_PHOTOMETRIC = {32803, 34892}
_DNG_VERSION = 50706
# A JPEG marker followed by a segment; between segments there may be padding or garbage.
_SEGMENT = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
_MAX_SEGMENTS = 2000  # before the picture data
_MAX_BOXES = 64  # top-level boxes of a file
_MOST_S = 1 << 33  # seconds since 1904, until 2176
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"miaf"}
_RAW_MAGIC: tuple[tuple[int, bytes], ...] = (
    (0, b"FUJIFILMCCD-RAW"),
    (0, b"IIRO"),
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\0"),
    (0, b"IIII"),
    (0, b"MMMM"),
    (0, b"FOVb"),
    (0, b"\0MRM"),
    (6, b"HEAPCCDR"),
    (8, b"CR\x02"),
    (4, b"ftypcrx "),
    (0, b"ARRI"),
)


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """The content of the segments before a JPEG's picture data.

    ``components`` is 1, 3 or 4; ``bits`` are per sample; ``exif`` is the TIFF structure without its
    prefix; ``body`` is the offset of the picture data. ``unit`` is (width, height) px of its
    blocks, all components together. ``tables`` are the start of the file and the segments needed to
    decode the picture. These three are set only if ``complete``: if the picture data was reached.
    """

    width: int = 0
    height: int = 0
    components: int = 0
    bits: int = 8
    exif: bytes = b""
    icc: bytes = b""
    body: int = 0
    complete: bool = False
    unit: tuple[int, int] = (8, 8)
    tables: bytes = b""


def sniff(head: bytes, name: str = "") -> str:
    """Return a file's format: jpeg png webp gif bmp pnm pfm tiff heif avif raw, or "" for none.

    Args:
        head: its first 64 KiB, or all of it.
        name: its name; used only to decide whether a TIFF structure is a picture or a RAW.
    """
    if head[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if any(head[at : at + len(magic)] == magic for at, magic in _RAW_MAGIC):
        return "raw"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:2] == b"BM" and len(head) > 26:
        return "bmp"
    if head[:1] == b"P" and head[2:3] in (b"\n", b"\r", b" ", b"\t", b"#"):
        return "pnm" if head[1:2] in b"123456" else "pfm" if head[1:2] in b"fF" else ""
    if head[4:8] == b"ftyp":
        size = min(struct.unpack(">I", head[:4])[0], 256)
        brands = {head[at : at + 4] for at in range(8, size, 4)}
        if brands & {b"avif", b"avis"}:
            return "avif"
        return "heif" if brands & _HEIF_BRANDS else ""
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        suffix = PurePath(name).suffix.lower()
        return "raw" if suffix not in _PICTURE_SUFFIXES or _is_raw_tiff(head) else "tiff"
    return ""


def _is_raw_tiff(head: bytes) -> bool:
    return any(
        _DNG_VERSION in directory.tags or directory.number(262) in _RAW_PHOTOMETRIC
        for directory in tiff.directories(tiff.from_bytes(head))
    )


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Read the segments of a JPEG up to its picture data.

    Args:
        data: the file or its beginning; ``complete`` of the result is whether that was enough.
    """
    width = height = components = 0
    bits, exif, unit = 8, b"", (8, 8)
    chunks: dict[int, bytes] = {}
    tables = [data[:2]]
    at = 2
    for _ in range(_MAX_SEGMENTS):
        found = _SEGMENT.search(data, at)
        if found is None or found.end() + 2 > len(data):
            break
        at = found.start()
        marker = data[at + 1]
        length = struct.unpack_from(">H", data, at + 2)[0]
        segment = data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            icc = b"".join(chunks[key] for key in sorted(chunks))
            needed = b"".join(tables)
            return JpegHeader(
                width, height, components, bits, exif, icc, at, True, unit=unit, tables=needed
            )
        if 0xC0 <= marker <= 0xCF or marker in (0xDB, 0xDD):
            tables.append(data[at : at + 2 + length])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(segment) >= 6:
            bits, height, width, components = struct.unpack_from(">BHHB", segment)
            factors = [(each >> 4, each & 15) for each in segment[7 : 6 + 3 * components : 3]]
            if components > 1 and factors:  # a single component is always stored block by block
                unit = 8 * max(x for x, _ in factors), 8 * max(y for _, y in factors)
        elif marker == 0xE1 and segment[:5] == b"Exif\0" and not exif:
            exif = segment[6:]
        elif marker == 0xE2 and segment[:12] == b"ICC_PROFILE\0" and len(segment) > 14:
            chunks.setdefault(segment[12], segment[14:])
        elif marker == 0xD9:
            break
        at += 2 + max(length, 2)
    icc = b"".join(chunks[key] for key in sorted(chunks))
    return JpegHeader(width, height, components, bits, exif, icc, 0, False)


def raw_directories(read: tiff.Read) -> list[tiff.Directory]:
    """Find the camera's directories in a RAW file, in any maker's container.

    Args:
        read: reads the file at an offset.
    """
    head = read(0, 16)
    if head[:8] == b"FUJIFILM":
        start = struct.unpack(">I", (read(84, 4) or b"\0").rjust(4, b"\0"))[0]
        return tiff.directories(tiff.from_bytes(read_jpeg_header(read(start, 131072)).exif))
    if head[4:12] == b"ftypcrx ":
        return _canon_boxes(read(0, 262144))
    if head[:4] == b"\0MRM":
        block = read(0, 65536)
        at = block.find(b"\0TTW")
        return tiff.directories(tiff.from_bytes(block[at + 8 :])) if at > 0 else []
    return tiff.directories(read)


def movie_time(read: tiff.Read) -> tuple[datetime | None, int | None]:
    """Return the creation time of an image sequence (AVIF, HEIF) in UTC; (None, None) for a still.

    Source: ISO/IEC 14496-12, 8.2.2: seconds since 1904, 0 for none.
    """
    at, _ = find_box(read, b"moov")
    head = read(at, 24) if at else b""
    if len(head) < 24 or head[4:8] != b"mvhd":
        return None, None
    seconds = struct.unpack_from(">Q" if head[8] == 1 else ">I", head, 12)[0]
    when = datetime(1904, 1, 1) + timedelta(seconds=min(seconds, _MOST_S))
    return (when, 0) if 1971 <= when.year < 2100 else (None, None)


def find_box(read: tiff.Read, name: bytes) -> tuple[int, int]:
    """Return offset and size of the content of a top-level box; both are 0 if there is none."""
    found = ((at, size) for kind, at, size in boxes(read) if kind == name)
    return next(found, (0, 0))


def boxes(read: tiff.Read) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, offset of the content, its size) of the top-level boxes of a file.

    Source: ISO/IEC 14496-12, 4.2.
    """
    at = 0
    for _ in range(_MAX_BOXES):
        head = read(at, 16)
        if len(head) < 8:
            return
        size, kind = struct.unpack_from(">I4s", head)
        prefix = 8
        if size == 1 and len(head) == 16:
            size, prefix = struct.unpack_from(">Q", head, 8)[0], 16
        if size < prefix:  # includes 0, which means up to the end of the file
            return
        yield kind, at + prefix, size - prefix
        at += size
        if tiff.as_count(at) is None:
            return


def _canon_boxes(head: bytes) -> list[tiff.Directory]:
    """Return the TIFF structures of a CR3, in the boxes CMT1 (main), CMT2 (EXIF) and CMT4 (GPS)."""
    found: list[tiff.Directory] = []
    roles: tuple[tuple[bytes, tiff.Role], ...] = (
        (b"CMT1", "page"),
        (b"CMT2", "exif"),
        (b"CMT4", "gps"),
    )
    for name, role in roles:
        at = head.find(name)
        if at < 4:
            continue
        size = struct.unpack_from(">I", head, at - 4)[0]
        for directory in tiff.directories(tiff.from_bytes(head[at + 4 : at - 4 + size]))[:1]:
            directory.role = role
            found.append(directory)
    return found
