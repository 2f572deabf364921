"""Ratings and keywords embedded in a picture: XMP packets, IPTC and EXIF Rating.

This module only finds them and returns bytes and plain values; `curator.sidecar` interprets them.
All reads are bounded, and nothing may raise on content: a broken file has no metadata.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from curator.imaging import containers, stills, tiff
from curator.imaging.pixels import opened

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"  # XMP specification part 3, 1.1.3.1
_PHOTOSHOP = b"Photoshop 3.0\0"
_RESOURCES = (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR")
_CANON_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_RATING, _PACKET, _IPTC = 0x4746, 700, 33723
_MAX = 16 << 20  # bytes of one packet, and of all segments read of a JPEG
_MAX_SEGMENTS = 2000
_MAX_KEYWORDS = 10_000
_DATES = (55, 60, 62, 63)  # IPTC-IIM, record 2: created, digitized; each date, time


@dataclass(frozen=True, slots=True)
class EmbeddedMetadata:
    """XMP packets (the main one first, then the extended one), IPTC keywords, EXIF Rating.

    ``keywords`` are decoded from IPTC-IIM 2:25; ``rating`` is EXIF 0x4746; ``created`` and
    ``digitized`` are date and time as stored in IPTC-IIM 2:55, 2:60, 2:62 and 2:63.
    """

    packets: tuple[bytes, ...] = ()
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    created: tuple[str, str] = ("", "")
    digitized: tuple[str, str] = ("", "")


def read(path: str | Path) -> EmbeddedMetadata:
    """Read the metadata embedded in a JPEG, TIFF, DNG or other RAW, PNG, WebP, HEIC or AVIF.

    Args:
        path: the file; only its headers are read.

    Raises:
        GoneError: the file does not exist.
        UnreadableError: it cannot be read.
    """
    with opened(path) as file:
        return read_open(file, str(path))


def read_open(file: IO[bytes], name: str) -> EmbeddedMetadata:
    """Read the metadata embedded in an open picture; never raises on content.

    Args:
        file: the picture.
        name: its name; used only to decide whether a TIFF structure is a picture or a RAW.
    """
    read = tiff.from_file(file)
    head = read(0, 65536)
    form = containers.sniff(head, name)
    if form == "jpeg":
        return _of_jpeg(read)
    if head[:8] == b"FUJIFILM":
        start = struct.unpack(">I", head[84:88].rjust(4, b"\0"))[0]
        return _of_jpeg(lambda offset, size: read(start + offset, size))
    if head[4:12] == b"ftypcrx ":
        packet = _canon_packet(read)
        return EmbeddedMetadata((packet,) if packet else ())
    if form in ("tiff", "raw"):
        return _of_tiff(read)
    if form:
        packet, directories = stills.inside(file, form)
        return EmbeddedMetadata((packet,) if packet else (), (), _rating(directories))
    return EmbeddedMetadata()


def _of_tiff(read: tiff.Read) -> EmbeddedMetadata:
    packet = tiff.tag_bytes(read, _PACKET, _MAX)
    iptc = tiff.tag_bytes(read, _IPTC, _MAX)
    return _with_iptc((packet,) if packet else (), iptc, _rating(tiff.directories(read)))


def _of_jpeg(read: tiff.Read) -> EmbeddedMetadata:
    packet, photoshop, rating = b"", b"", None
    extended: dict[bytes, bytearray] = {}
    for marker, segment in _segments(read):
        if marker == 0xE1 and segment.startswith(_XMP):
            packet = packet or segment[len(_XMP) :]
        elif marker == 0xE1 and segment.startswith(_EXTENSION):
            _add_extension(extended, segment[len(_EXTENSION) :])
        elif marker == 0xE1 and segment[:5] == b"Exif\0" and rating is None:
            rating = _rating(tiff.cached_directories(segment[6:]))
        elif marker == 0xED and segment.startswith(_PHOTOSHOP):
            photoshop += segment[len(_PHOTOSHOP) :]
    # The main packet names its extension; any other is left over from an earlier edit.
    own = [bytes(data) for digest, data in extended.items() if digest in packet]
    packets = tuple(part for part in (packet, *own[:1]) if part)
    return _with_iptc(packets, _iptc_resource(photoshop), rating)


def _segments(read: tiff.Read) -> Iterator[tuple[int, bytes]]:
    """Yield a JPEG's APP1 and APP13 segments up to its picture data."""
    at, seen = 2, 0
    for _ in range(_MAX_SEGMENTS):
        head = read(at, 4)
        if len(head) < 4 or head[0] != 0xFF:
            return
        marker = head[1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (0xDA, 0xD9):
            return
        length = max(struct.unpack(">H", head[2:])[0], 2)
        if marker in (0xE1, 0xED):
            seen += length
            if seen > _MAX:
                return
            yield marker, read(at + 4, length - 2)
        at += 2 + length


def _add_extension(extended: dict[bytes, bytearray], segment: bytes) -> None:
    """Insert one part of an extended packet; a part is digest, total length, offset, bytes."""
    if len(segment) < 40:
        return
    digest = segment[:32]
    total, offset = struct.unpack(">II", segment[32:40])
    part = segment[40:]
    if total > _MAX or offset + len(part) > total or len(extended) > 4:
        return
    if digest not in extended:
        extended[digest] = bytearray(b" " * total)
    extended[digest][offset : offset + len(part)] = part


def _iptc_resource(data: bytes) -> bytes:
    """Return IPTC-IIM (0x0404) from Photoshop's image resources; empty if there is none."""
    at = 0
    while data[at : at + 4] in _RESOURCES and at + 12 <= len(data):
        kind = struct.unpack_from(">H", data, at + 4)[0]
        name = data[at + 6]
        start = at + 6 + (name + 2) // 2 * 2  # a Pascal string, padded to an even length
        if start + 4 > len(data):
            break
        size = struct.unpack_from(">I", data, start)[0]
        if kind == 0x0404:
            return data[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2
    return b""


def _with_iptc(packets: tuple[bytes, ...], data: bytes, rating: int | None) -> EmbeddedMetadata:
    """Add the keywords and dates of IPTC-IIM.

    The encoding is the one stated in 1:90, else UTF-8, else Windows-1252.
    """
    keywords: list[bytes] = []
    dates: dict[int, str] = {}
    at, utf8 = 0, False
    while at + 5 <= len(data) and data[at] == 0x1C and len(keywords) < _MAX_KEYWORDS:
        record, number, size = data[at + 1], data[at + 2], struct.unpack_from(">H", data, at + 3)[0]
        if size & 0x8000:  # an extended length, which no keyword needs
            break
        value = data[at + 5 : at + 5 + size]
        if (record, number) == (1, 90):
            utf8 = value == b"\x1b%G"
        elif (record, number) == (2, 25):
            keywords.append(value)
        elif record == 2 and number in _DATES:
            dates.setdefault(number, value[:32].decode("ascii", "replace"))
        at += 5 + size
    day, time, other_day, other_time = (dates.get(number, "") for number in _DATES)
    found = tuple(_text(value, utf8) for value in keywords)
    return EmbeddedMetadata(packets, found, rating, (day, time), (other_day, other_time))


def _text(value: bytes, utf8: bool) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8" if utf8 else "cp1252", "replace")


def _rating(directories: Iterable[tiff.Directory]) -> int | None:
    for directory in directories:
        value = directory.number(_RATING)
        if value is not None and value == tiff.as_count(value):
            return int(value)
    return None


def _canon_packet(read: tiff.Read) -> bytes:
    """Return the XMP of a CR3 from its uuid box; empty if there is none."""
    for kind, at, size in containers.boxes(read):
        if kind == b"uuid" and size > 16 and read(at, 16) == _CANON_XMP:
            return read(at + 16, min(size - 16, _MAX))
    return b""
