"""Draw photos for tests and benchmarks: camera JPEGs and RAWs in milliseconds.

They have realistic texture and EXIF. The same arguments always give the same bytes, and each seed
gives others. A scene has soft light, hard edges at all angles and fine detail down to single
pixels, so that its sharpness can be measured.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Look = Literal["sharp", "soft", "shaken", "subject"]

TAKEN = datetime(2024, 5, 4, 18, 42, 7, 120000)
_TILE = 1024  # large scenes repeat a mirrored tile, so that 24 megapixels are quick to draw
_WHITE = 16383  # 14 bits, as most cameras have


@dataclass(frozen=True)
class Shot:
    """The EXIF data of a drawn photo."""

    taken: datetime | None = TAKEN
    offset_min: int | None = 120
    make: str = "Curator Works"
    model: str = "Test One"
    lens: str = "TW 24-70mm F2.8"
    exposure_s: float = 1 / 250
    f_number: float = 2.8
    iso: int = 800
    focal_length_mm: float = 50.0
    gps: tuple[float, float] | None = None
    orientation: int = 1
    subject: tuple[int, int] | None = None


@dataclass(frozen=True)
class Coding:
    """How to encode the file.

    ``thumbnail`` embeds an EXIF thumbnail of 160 px, ``icc`` a color profile (both JPEG only).
    ``preview`` is the JPEG inside a RAW: full size, none, or a given size.
    """

    quality: int = 90
    thumbnail: bool = True
    icc: bytes | None = None
    preview: bool | tuple[int, int] = True
    preview_quality: int = 90


@dataclass
class _Directory:
    """A TIFF directory: (tag, type, values) entries, and child directories by tag."""

    entries: list[tuple[int, int, object]] = field(default_factory=list)
    children: list[tuple[int, list[_Directory]]] = field(default_factory=list)

    def add(self, tag: int, kind: int, value: object) -> None:
        """Add an entry; a value in a list is a blob to place at the end of the file."""
        self.entries.append((tag, kind, value))


_ASCII, _SHORT, _LONG, _RATIONAL, _BLOB, _SRATIONAL = 2, 3, 4, 5, 7, 10
_SIZES = {1: 1, _ASCII: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, _BLOB: 1, _SRATIONAL: 8}


def draw_jpeg(
    path: Path,
    *,
    size: tuple[int, int] = (600, 400),
    seed: int = 0,
    look: Look = "sharp",
    shot: Shot | None = None,
    **more: object,
) -> Path:
    """Write a camera JPEG and return its path.

    Args:
        path: of the file; missing folders are created.
        size: (width, height) as stored, before orientation.
        seed: selects the scene; other seeds give other pictures and bytes.
        look: sharp, soft (out of focus), shaken (motion), or a sharp subject on a soft background.
        shot: the EXIF data.
        **more: single fields of :class:`Coding` and, without ``shot``, of :class:`Shot`.
    """
    shot, coding = _split_fields(shot, more)
    return _write(path, camera_jpeg(scene(size, seed, look), shot, coding))


def camera_jpeg(image: Image, shot: Shot, coding: Coding) -> bytes:
    """Encode ``rgb`` as a camera's JPEG, with EXIF data."""
    body = jpeg_bytes(image, coding.quality)
    small = jpeg_bytes(_fitted(image, 160), 80) if coding.thumbnail else None
    block = b"Exif\0\0" + _exif_tiff(shot, image.shape[1::-1], small)
    parts = [body[:2], b"\xff\xe1", struct.pack(">H", len(block) + 2), block]
    if coding.icc:
        chunk = b"ICC_PROFILE\0\x01\x01" + coding.icc
        parts += [b"\xff\xe2", struct.pack(">H", len(chunk) + 2), chunk]
    return b"".join([*parts, body[2:]])


def write_dng(
    path: Path,
    *,
    size: tuple[int, int] = (600, 400),
    seed: int = 0,
    look: Look = "sharp",
    shot: Shot | None = None,
    **more: object,
) -> Path:
    """Write a RAW (DNG, 14 bit Bayer mosaic, uncompressed) and return its path.

    Args:
        path: of the file; missing folders are created.
        size: (width, height) of the sensor's picture before orientation; even numbers.
        seed: selects the scene.
        look: as for :func:`draw_jpeg`.
        shot: the EXIF data.
        **more: single fields of :class:`Coding` and, without ``shot``, of :class:`Shot`.
    """
    shot, coding = _split_fields(shot, more)
    image = scene(size, seed, look)
    main = _shot_directory(shot, size)
    for tag, value in ((254, 0), (256, size[0]), (257, size[1])):
        main.add(tag, _LONG, value)
    main.add(258, _SHORT, 16)
    main.add(259, _SHORT, 1)
    main.add(262, _SHORT, 32803)
    main.add(273, _LONG, [_mosaic(image).tobytes()])
    main.add(277, _SHORT, 1)
    main.add(278, _LONG, size[1])
    main.add(279, _LONG, size[0] * size[1] * 2)
    main.add(33421, _SHORT, (2, 2))
    main.add(33422, 1, (0, 1, 1, 2))
    main.add(50706, 1, (1, 4, 0, 0))
    main.add(50708, _ASCII, f"{shot.make} {shot.model}")
    main.add(50717, _LONG, _WHITE)
    # XYZ to linear sRGB (IEC 61966-2-1), so that the camera's colors are those of the scene.
    main.add(
        50721,
        _SRATIONAL,
        (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057),
    )
    main.add(50728, _RATIONAL, (1.0, 1.0, 1.0))
    main.add(50778, _SHORT, 21)
    wanted = size if coding.preview is True else coding.preview
    if wanted:
        main.children.append((330, [_preview(image, wanted, coding.preview_quality)]))
    return _write(path, _tiff([main]))


def _split_fields(shot: Shot | None, more: dict[str, object]) -> tuple[Shot, Coding]:
    """Return Shot and Coding with the given fields; an unknown field raises TypeError."""
    names = {field.name for field in fields(Coding)}
    coding = Coding(**{name: more.pop(name) for name in names & set(more)})  # type: ignore[arg-type]
    return (replace(shot, **more) if shot else Shot(**more)), coding  # type: ignore[arg-type]


def _preview(image: Image, size: tuple[int, int], quality: int) -> _Directory:
    jpeg = jpeg_bytes(_resized(image, size), quality)
    shown = _Directory()
    entries: tuple[tuple[int, int, object], ...] = (
        (254, _LONG, 1),
        (256, _LONG, size[0]),
        (257, _LONG, size[1]),
        (258, _SHORT, (8, 8, 8)),
        (259, _SHORT, 7),
        (262, _SHORT, 6),
        (273, _LONG, [jpeg]),
        (277, _SHORT, 3),
        (278, _LONG, size[1]),
        (279, _LONG, len(jpeg)),
    )
    for entry in entries:
        shown.add(*entry)
    return shown


def _resized(image: Image, size: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=8)
def scene(size: tuple[int, int], seed: int, look: Look = "sharp") -> Image:
    """Draw a picture, ``rgb`` (H, W, 3) uint8, always the same for the same arguments."""
    width, height = size
    tile = _tile(seed, min(_TILE, max(width, height)))
    edge = tile.shape[0]
    rows, columns = -(-height // edge), -(-width // edge)
    mosaic = np.concatenate(
        [
            np.concatenate(
                [tile[:: 1 - 2 * (r % 2), :: 1 - 2 * (c % 2)] for c in range(columns)], 1
            )
            for r in range(rows)
        ]
    )[:height, :width]
    # Light falls off to one side, so that large pictures are not periodic.
    fall = np.linspace(1.0, 0.72, width, dtype=np.float32)[None, :, None]
    sharp = np.ascontiguousarray((mosaic * fall).astype(np.uint8))
    if look == "sharp":
        return sharp
    if look == "shaken":
        return np.asarray(cv2.filter2D(sharp, -1, np.full((1, 9), 1 / 9, np.float32)), np.uint8)
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3.0), np.uint8)
    if look == "subject":
        top, left = height // 3, width // 3
        inner = np.s_[top : 2 * height // 3, left : 2 * width // 3]
        soft[inner] = sharp[inner]
    return soft


def jpeg_bytes(image: Image, quality: int = 90) -> bytes:
    """Encode ``rgb`` as JPEG (4:2:0) without metadata."""
    ok, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return bytes(data)


def _tile(seed: int, edge: int) -> Image:
    """Draw a square with soft light, edges at all angles and detail of single pixels."""
    random = np.random.default_rng(seed)
    image = np.zeros((edge, edge, 3), np.float32)
    for cells, weight in ((3, 60.0), (9, 40.0), (40, 22.0)):
        grid = random.normal(0, 1, (cells, cells, 3)).astype(np.float32)
        image += weight * cv2.resize(grid, (edge, edge), interpolation=cv2.INTER_CUBIC)
    canvas = np.clip(image + 118, 4, 246).astype(np.uint8)
    for _ in range(60):
        x, y, turn = (int(v) for v in random.integers(0, (edge, edge, 180)))
        reach = max(3, int(edge * random.uniform(0.01, 0.12)))
        color = tuple(int(v) for v in random.integers(10, 240, 3))
        box = cv2.boxPoints(((x, y), (reach, max(2, reach // 3)), turn)).astype(np.int32)
        if random.random() < 0.5:
            cv2.fillPoly(canvas, [box], color, cv2.LINE_AA)
        else:
            cv2.polylines(canvas, [box], True, color, 1, cv2.LINE_AA)
    # Detail like foliage on half of the picture, none on the rest.
    noise = random.normal(0, 26, (edge, edge, 1)).astype(np.float32)
    detail = cv2.GaussianBlur(noise, (0, 0), 0.6)[:, :, None]
    mask = cv2.resize(random.random((5, 5)).astype(np.float32), (edge, edge))[:, :, None] > 0.5
    return np.clip(canvas + detail * mask, 0, 255).astype(np.uint8)


def _fitted(image: Image, long_edge_px: int) -> Image:
    height, width = image.shape[:2]
    scale = long_edge_px / max(height, width)
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _resized(image, wanted)


def _mosaic(image: Image) -> npt.NDArray[np.uint16]:
    """Sample a Bayer mosaic (RGGB) of linear light from a picture."""
    curve = ((np.arange(256) / 255.0) ** 2.2 * _WHITE).astype(np.uint16)
    mosaic = np.empty(image.shape[:2], np.uint16)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = curve[image[row::2, column::2, channel]]
    return mosaic


def _shot_directory(shot: Shot, size: tuple[int, int]) -> _Directory:
    main, exif = _Directory(), _Directory()
    main.add(271, _ASCII, shot.make)
    main.add(272, _ASCII, shot.model)
    main.add(274, _SHORT, shot.orientation)
    exif.add(33434, _RATIONAL, shot.exposure_s)
    exif.add(33437, _RATIONAL, shot.f_number)
    exif.add(34855, _SHORT, shot.iso)
    if shot.taken:
        exif.add(36867, _ASCII, f"{shot.taken:%Y:%m:%d %H:%M:%S}")
        exif.add(37521, _ASCII, f"{shot.taken.microsecond // 1000:03d}")
        if shot.offset_min is not None:
            hours, minutes = divmod(abs(shot.offset_min), 60)
            sign = "-" if shot.offset_min < 0 else "+"
            exif.add(36881, _ASCII, f"{sign}{hours:02d}:{minutes:02d}")
    exif.add(37386, _RATIONAL, shot.focal_length_mm)
    if shot.subject:
        exif.add(37396, _SHORT, shot.subject)
    exif.add(40962, _LONG, size[0])
    exif.add(40963, _LONG, size[1])
    exif.add(42036, _ASCII, shot.lens)
    main.children.append((34665, [exif]))
    if shot.gps:
        gps = _Directory()
        for tag, value, names in ((1, shot.gps[0], "NS"), (3, shot.gps[1], "EW")):
            degrees, rest = divmod(abs(value) * 3600, 3600)
            gps.add(tag, _ASCII, names[value < 0])
            gps.add(tag + 1, _RATIONAL, (degrees, *divmod(rest, 60)))
        main.children.append((34853, [gps]))
    return main


def _exif_tiff(shot: Shot, size: tuple[int, int], thumbnail: bytes | None) -> bytes:
    pages = [_shot_directory(shot, size)]
    if thumbnail:
        second = _Directory()
        second.add(259, _SHORT, 6)
        second.add(513, _LONG, [thumbnail])
        second.add(514, _LONG, len(thumbnail))
        pages.append(second)
    return _tiff(pages)


def _tiff(pages: Sequence[_Directory]) -> bytes:
    """Encode directories and their data, little-endian, with blobs (``[bytes]``) at the end."""
    out = bytearray(b"II*\0\0\0\0\0")
    blobs: list[tuple[int, bytes]] = []
    at = 4  # position of the offset of the next page
    for page in pages:
        start, at_next = _lay(out, page, blobs)
        struct.pack_into("<I", out, at, start)
        at = at_next
    for where, blob in blobs:
        struct.pack_into("<I", out, where, len(out))
        out += blob + b"\0" * (len(blob) % 2)
    return bytes(out)


def _lay(out: bytearray, page: _Directory, blobs: list[tuple[int, bytes]]) -> tuple[int, int]:
    """Append a directory; return its offset and the position of its next-page offset."""
    links = [(tag, [_lay(out, child, blobs)[0] for child in kids]) for tag, kids in page.children]
    entries = sorted([*page.entries, *((tag, _LONG, tuple(at)) for tag, at in links)])
    out += b"\0" * (len(out) % 2)
    start = len(out)
    out += struct.pack("<H", len(entries)) + b"\0" * (12 * len(entries) + 4)
    for number, (tag, kind, value) in enumerate(entries):
        slot = start + 2 + 12 * number
        if isinstance(value, list):
            struct.pack_into("<HHII", out, slot, tag, kind, 1, 0)
            blobs.append((slot + 8, value[0]))
            continue
        data = _packed(kind, value)
        struct.pack_into("<HHI", out, slot, tag, kind, len(data) // _SIZES[kind])
        if len(data) <= 4:
            out[slot + 8 : slot + 8 + len(data)] = data
        else:
            struct.pack_into("<I", out, slot + 8, len(out))
            out += data + b"\0" * (len(data) % 2)
    return start, start + 2 + 12 * len(entries)


def _packed(kind: int, value: object) -> bytes:
    if kind == _ASCII:
        return str(value).encode() + b"\0"
    if isinstance(value, bytes):
        return value
    values = value if isinstance(value, tuple) else (value,)
    if kind in (_RATIONAL, _SRATIONAL):
        parts = [Fraction(v).limit_denominator(1_000_000) for v in values]
        code = "<II" if kind == _RATIONAL else "<ii"
        return b"".join(struct.pack(code, p.numerator, p.denominator) for p in parts)
    return struct.pack(f"<{len(values)}{ {1: 'B', _SHORT: 'H', _LONG: 'I'}[kind] }", *values)


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
