"""Headers of HEIC, AVIF, WebP and PNG: size and metadata, without decoding.

The decoders of these formats need the complete file in memory even to report its size. This module
reads the boxes (ISO/IEC 14496-12 and 23008-12) and chunks (RFC 9649) instead. All reads are
bounded; broken files yield None or less, never an error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from curator.imaging import containers, png
from curator.imaging.tiff import Read

FORMS = ("heif", "avif", "webp", "png")

_MAX_META = 4 << 20  # bytes of the box that describes all items; at most 33 KB in the corpus
_MAX_METADATA = 16 << 20  # bytes of EXIF or XMP
_MAX_BOXES = 4096
_MAX_CHUNKS = 64
_BEYOND = 1 << 40  # no file is that large
_XMP_TYPE = b"application/rdf+xml"
# ISO/IEC 23008-12, 6.5.10 and 6.5.12: quarter turns counterclockwise, then a mirror (None, or its
# axis: 1 swaps left and right) -> EXIF orientation.
_ORIENTATIONS = {
    (0, None): 1,
    (0, 1): 2,
    (2, None): 3,
    (0, 0): 4,
    (1, 0): 5,
    (3, None): 6,
    (1, 1): 7,
    (1, None): 8,
    (2, 0): 2,
    (2, 1): 4,
    (3, 0): 7,
    (3, 1): 5,
}


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The stored size, the orientation, and the metadata as bytes.

    ``orientation`` is the container's own (EXIF 1-8; 0 for WebP and PNG, which have none). ``crop``
    is the size in px left by its clean aperture. ``colors`` are the code points of primaries and
    transfer (Rec. ITU-T H.273), if stated.
    """

    width: int
    height: int
    orientation: int = 0
    crop: tuple[int, int] | None = None
    exif: bytes = b""
    xmp: bytes = b""
    colors: tuple[int, int] | None = None


def read_header(read: Read, form: str) -> ImageHeader | None:
    """Read the header of a picture; None if it cannot be parsed.

    Args:
        read: reads the file at an offset.
        form: one of FORMS, from :func:`containers.sniff`.
    """

    def bounded(offset: int, size: int) -> bytes:
        return read(offset, size) if offset + size < _BEYOND else b""

    try:
        reader = {"webp": _webp, "png": _png}.get(form, _heif)
        return reader(bounded)
    except (struct.error, IndexError, ValueError, OverflowError):
        return None


def _webp(read: Read) -> ImageHeader | None:
    size, metadata = (0, 0), {b"EXIF": b"", b"XMP ": b""}
    at = 12
    for _ in range(_MAX_CHUNKS):
        chunk = read(at, 18)
        if len(chunk) < 8:
            break
        kind, length = struct.unpack_from("<4sI", chunk)
        body = chunk[8:]
        if kind in metadata and length <= _MAX_METADATA:
            metadata[kind] = metadata[kind] or read(at + 8, length)
        elif kind == b"VP8X":
            across, down = (int.from_bytes(body[start : start + 3], "little") for start in (4, 7))
            size = (1 + across, 1 + down)
        elif kind == b"VP8L" and body[:1] == b"\x2f" and not size[0]:
            bits = struct.unpack_from("<I", body, 1)[0]
            size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and not size[0]:
            across, down = struct.unpack_from("<HH", body, 6)
            size = (across & 0x3FFF, down & 0x3FFF)
        at += 8 + length + length % 2
    return ImageHeader(*size, exif=metadata[b"EXIF"], xmp=metadata[b"XMP "]) if size[0] else None


def _png(read: Read) -> ImageHeader | None:
    if read(12, 4) != b"IHDR":
        return None
    found = png.read_metadata(read)
    width, height = struct.unpack(">II", read(16, 8))
    if not width or not height:
        return None
    colors = (found.cicp[0], found.cicp[1]) if len(found.cicp) >= 2 else None
    return ImageHeader(width, height, exif=found.exif, xmp=found.xmp, colors=colors)


def _heif(read: Read) -> ImageHeader | None:
    at, size = containers.find_box(read, b"meta")
    meta = read(at, min(size, _MAX_META))
    boxes = {kind: meta[at:end] for kind, at, end in _boxes(meta, 4)}
    if not {b"pitm", b"iprp"} <= boxes.keys():
        return None
    main = _number(boxes[b"pitm"], 4, boxes[b"pitm"][0])
    width, height, turn, mirror, crop, colors = 0, 0, 0, None, None, None
    for kind, body in _properties(boxes[b"iprp"], main):
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", body, 4)
        elif kind == b"irot":
            turn = body[0] & 3
        elif kind == b"imir":
            mirror = body[0] & 1
        elif kind == b"clap":
            across, parts_x, down, parts_y = struct.unpack_from(">IIII", body)
            crop = (across // max(parts_x, 1), down // max(parts_y, 1))
        elif kind == b"colr" and body[:4] == b"nclx":
            colors = struct.unpack_from(">HH", body, 4)
    if not width or not height:
        return None
    metadata = {b"exif": b"", b"xmp": b""}
    locations = dict(_item_locations(boxes.get(b"iloc", b"")))
    for number, name in _items(boxes.get(b"iinf", b"")):
        if not metadata[name]:
            metadata[name] = _content(read, locations.get(number, (0, [])), boxes.get(b"idat", b""))
    # The first four bytes are the offset of the TIFF header behind them.
    skipped = 4 + int.from_bytes(metadata[b"exif"][:4], "big")
    block = metadata[b"exif"][skipped:]
    orientation = _ORIENTATIONS[turn, mirror]
    return ImageHeader(width, height, orientation, crop, block, metadata[b"xmp"], colors)


def _boxes(data: bytes, at: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the boxes in a box's content."""
    for _ in range(_MAX_BOXES):
        if at + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        size = size or len(data) - at
        if size < 8:
            return
        yield kind, at + 8, min(at + size, len(data))
        at += size


def _number(data: bytes, at: int, wide: int) -> int:
    return int(struct.unpack_from(">I" if wide else ">H", data, at)[0])


def _properties(data: bytes, item: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (kind, content) of an item's properties, in the order they apply."""
    inside = list(_boxes(data))
    known: list[tuple[bytes, bytes]] = []
    for kind, at, end in inside:
        if kind == b"ipco":
            known += [(name, data[s:e]) for name, s, e in _boxes(data[:end], at)]
    for kind, at, _ in inside:
        if kind != b"ipma":
            continue
        version, wide, count = data[at], data[at + 3] & 1, _number(data, at + 4, 1)
        at += 8
        for _ in range(min(count, _MAX_BOXES)):
            number = _number(data, at, version)
            at += 4 if version else 2
            links, at = data[at], at + 1
            for _ in range(links):
                link = _number(data, at, 0) & 0x7FFF if wide else data[at] & 0x7F
                at += 2 if wide else 1
                if number == item and 0 < link <= len(known):
                    yield known[link - 1]


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number, exif or xmp) of the items that are metadata."""
    for kind, at, end in _boxes(data, 8 if data[:1] not in (b"", b"\0") else 6):
        version = data[at]
        if kind != b"infe" or version < 2:
            continue
        number = _number(data, at + 4, version > 2)
        rest = data[at + (10 if version > 2 else 8) : end]
        if rest[:4] == b"Exif":
            yield number, b"exif"
        elif rest[:4] == b"mime" and rest[4:].split(b"\0")[1:2] == [_XMP_TYPE]:
            yield number, b"xmp"


def _item_locations(data: bytes) -> Iterator[tuple[int, tuple[int, list[tuple[int, int]]]]]:
    """Yield item, (method, [(offset, length)]); method 0 is in the file, 1 in the box idat."""
    if not data:
        return
    version = data[0]
    widths = (data[4] >> 4, data[4] & 15, data[5] >> 4, data[5] & 15 if version else 0)
    count, at = _number(data, 6, version > 1), 10 if version > 1 else 8

    def take(width: int) -> int:
        nonlocal at
        at += width
        if at > len(data):
            raise ValueError("the box ends early")
        return int.from_bytes(data[at - width : at], "big")

    for _ in range(min(count, _MAX_BOXES)):
        number = take(4 if version > 1 else 2)
        method = take(2) & 15 if version else 0
        take(2)  # the data reference: this file
        base, extents = take(widths[2]), []
        for _ in range(take(2)):
            take(widths[3])
            extents.append((base + take(widths[0]), take(widths[1])))
        yield number, (method, extents)


def _content(read: Read, place: tuple[int, list[tuple[int, int]]], idat: bytes) -> bytes:
    method, extents = place
    if method > 1 or sum(length for _, length in extents) > _MAX_METADATA:
        return b""
    parts = (idat[at : at + size] if method else read(at, size) for at, size in extents if size)
    return b"".join(parts)
