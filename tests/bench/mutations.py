"""Make broken files out of good ones of every format, as bad cards and disks do.

    random = Random(7)
    for mutant in mutants(random, drawn() + of_corpus(corpus), 10_000):
        (card / mutant.name).write_bytes(mutant.data)

The same seed and bases give the same files on every machine. Some changes are random (bits, blocks,
ends); others use the format and enlarge exactly the lengths, offsets, counts and sizes in pixels
that a decoder relies on.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
import pillow_heif
from PIL import Image as Pillow
from PIL import ImageCms

from tests.photos import draw_jpeg, scene, write_dng

LARGEST = 150_000
"""Bytes of a base, so that ten thousand files are read in minutes."""
_TINY = Path(__file__).resolve().parents[2] / "resources" / "formats"
_SUFFIXES = {
    "jpeg": (".jpg", ".jpeg", ".mpo"),
    "tiff": (".tif", ".tiff"),
    "png": (".png",),
    "webp": (".webp",),
    "heif": (".heic", ".heif", ".hif"),
    "avif": (".avif",),
    "bmp": (".bmp",),
    "gif": (".gif",),
    "raw": (
        ".dng", ".nef", ".cr2", ".cr3", ".crw", ".raf", ".mrw", ".rw2", ".iiq", ".x3f", ".kdc",
        ".orf", ".arw",
    ),
}  # fmt: skip
FORMS = frozenset(_SUFFIXES)
_FORM_OF = {suffix: form for form, suffixes in _SUFFIXES.items() for suffix in suffixes}
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="3"><dc:subject><rdf:Bag><rdf:li>'
    b"harbour</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@dataclass(frozen=True)
class Base:
    """A good file; ``form`` is the name of its format in the table of outcomes."""

    name: str
    form: str
    data: bytes

    @property
    def suffix(self) -> str:
        """The ending of its name."""
        return Path(self.name).suffix


@dataclass(frozen=True)
class Mutant:
    """A broken file: its base, and ``how`` it was changed."""

    name: str
    form: str
    how: str
    base: str
    data: bytes


# ---------------------------------------------------------------- good files


@cache
def drawn() -> tuple[Base, ...]:
    """Draw small files of every format and coding Curator reads, except RAWs (`cameras`)."""
    pillow_heif.register_heif_opener(thumbnails=False)
    rgb = Pillow.fromarray(scene((96, 64), 1))
    turned = rgb.rotate(180)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey16 = Pillow.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    exif = rgb.getexif()
    exif[271], exif[272], exif[306] = "Curator Works", "Test One", "2024:05:04 18:42:07"
    said = {"exif": exif.tobytes(), "xmp": _XMP, "icc_profile": icc}
    made = [
        _saved("baseline.jpg", rgb, quality=90, **said),
        _saved("progressive.jpg", rgb, quality=90, progressive=True, **said),
        _saved("cmyk.jpg", rgb.convert("CMYK"), quality=90),
        _saved("grey.jpg", rgb.convert("L"), quality=90),
        _saved("restarts.jpg", rgb, quality=95, subsampling=0, restart_marker_blocks=3),
        _saved("two.mpo", rgb, save_all=True, append_images=[turned]),
        _saved("strips.tif", rgb, strip_size=2048, exif=exif),
        _saved("lzw.tif", rgb, compression="tiff_lzw"),
        _saved("deflate.tif", rgb, compression="tiff_deflate"),
        _saved("packbits.tif", rgb, compression="packbits"),
        _saved("jpeg.tif", rgb, compression="jpeg"),
        _saved("fax.tif", rgb.convert("1"), compression="group4"),
        _saved("grey16.tif", grey16),
        _saved("cmyk.tif", rgb.convert("CMYK")),
        _saved("palette.tif", rgb.convert("P")),
        Base("tiles.tif", "tiff", _tiled(np.asarray(rgb))),
        _saved("rgb.png", rgb, exif=exif, icc_profile=icc),
        _saved("grey16.png", grey16),
        _saved("palette.png", rgb.convert("P")),
        _saved("alpha.png", rgb.convert("RGBA")),
        _saved("lossy.webp", rgb, quality=80, **said),
        _saved("lossless.webp", rgb, lossless=True),
        _saved("moving.webp", rgb, save_all=True, append_images=[turned]),
        _saved("rgb.heic", rgb, quality=60, **said),
        _saved("alpha.heic", rgb.convert("RGBA"), quality=60),
        _saved("rgb.avif", rgb, quality=60, **said),
        _saved("rgb.bmp", rgb),
        _saved("palette.bmp", rgb.convert("P")),
        _saved("palette.gif", rgb),
        _saved("moving.gif", rgb, save_all=True, append_images=[turned]),
    ]
    return (*made, *(_file(path) for path in sorted(_TINY.iterdir())))


def cameras(folder: Path) -> tuple[Base, ...]:
    """Draw files of cameras: JPEGs with EXIF and thumbnail, RAWs with and without preview."""
    made = (
        draw_jpeg(folder / "camera.jpg", size=(96, 64), gps=(64.1, -21.9), orientation=6),
        write_dng(folder / "preview.dng", size=(96, 64)),
        write_dng(folder / "plain.dng", size=(96, 64), preview=False, orientation=8),
        write_dng(folder / "small.dng", size=(120, 80), preview=(60, 40)),
    )
    return tuple(_file(path) for path in made)


def of_corpus(corpus: Path) -> tuple[Base, ...]:
    """Return the small files of the corpus."""
    parts = (sorted((corpus / part).rglob("*")) for part in ("formats", "raw"))
    return tuple(
        _file(path)
        for path in (path for paths in parts for path in paths)
        if path.suffix.lower() in _FORM_OF and path.is_file() and path.stat().st_size <= LARGEST
    )


def _saved(name: str, image: Pillow.Image, **more: Any) -> Base:
    form = _FORM_OF[Path(name).suffix]
    plugin = {".mpo": "MPO", ".heic": "HEIF"}.get(Path(name).suffix, form.upper())
    buffer = io.BytesIO()
    image.save(buffer, plugin, **more)
    return Base(name, form, buffer.getvalue())


def _file(path: Path) -> Base:
    return Base(path.name, _FORM_OF[path.suffix.lower()], path.read_bytes())


def _tiled(rgb: np.ndarray) -> bytes:
    """Return a TIFF of uncompressed 32 x 32 tiles; the edges must be multiples of 32."""
    height, width = rgb.shape[:2]
    tiles = [
        rgb[y : y + 32, x : x + 32].tobytes()
        for y in range(0, height, 32)
        for x in range(0, width, 32)
    ]
    count, size = len(tiles), len(tiles[0])
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, 150), (259, 3, 1, 1), (262, 3, 1, 2),
        (277, 3, 1, 3), (322, 3, 1, 32), (323, 3, 1, 32), (324, 4, count, 156),
        (325, 4, count, 156 + 4 * count), (284, 3, 1, 1),
    ]  # fmt: skip
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + b"\0" * 4
    head = head.ljust(150, b"\0") + struct.pack("<HHH", 8, 8, 8)
    start = 156 + 8 * count
    offsets = struct.pack(f"<{count}I", *(start + number * size for number in range(count)))
    return head + offsets + struct.pack(f"<{count}I", *[size] * count) + b"".join(tiles)


# ---------------------------------------------------------------- numbers decoders rely on


@dataclass(frozen=True)
class Field:
    """A number in a file: position, size in bytes, byte order (``<`` or ``>``) and meaning."""

    at: int
    size: int
    order: str
    means: Literal["length", "offset", "pixels", "kind"]


def fields(data: bytes, form: str) -> list[Field]:
    """Return the numbers in a file's structure that a decoder relies on."""
    if data[:3] == b"\xff\xd8\xff":
        return list(_jpeg_fields(data))
    if data[:2] in (b"II", b"MM"):
        return list(_tiff_fields(data, 0))
    find = {"png": _png_fields, "webp": _webp_fields, "bmp": _bmp_fields, "gif": _gif_fields}
    if form in find:
        return list(find[form](data))
    if data[4:8] == b"ftyp":
        return list(_box_fields(data, 0, len(data)))
    # A proprietary RAW: any number in its first bytes.
    return [Field(at, 4, ">", "offset") for at in range(0, min(len(data), 512) - 4, 2)]


def _jpeg_fields(data: bytes) -> Iterator[Field]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xD9, 0xFF):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        yield Field(at + 1, 1, ">", "kind")
        yield Field(at + 2, 2, ">", "length")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            yield Field(at + 4, 1, ">", "kind")
            yield Field(at + 5, 2, ">", "pixels")
            yield Field(at + 7, 2, ">", "pixels")
            for place in range(at + 9, min(at + 2 + length, len(data))):
                yield Field(place, 1, ">", "kind")
        elif marker in (0xC4, 0xDB, 0xDA, 0xDD):
            for place in range(at + 4, min(at + 2 + length, at + 24, len(data))):
                yield Field(place, 1, ">", "kind")
        elif data[at + 4 : at + 8] == b"Exif":
            yield from _tiff_fields(data, at + 10)
        elif data[at + 4 : at + 8] == b"MPF\0":
            yield from _tiff_fields(data, at + 8)
        elif data[at + 4 : at + 8] == b"ICC_":
            for place in range(at + 18, min(at + 318, len(data) - 4), 4):
                yield Field(place, 4, ">", "offset")
        if marker == 0xDA:
            return
        at += 2 + max(length, 2)


def _tiff_fields(data: bytes, start: int) -> Iterator[Field]:
    order = {b"II": "<", b"MM": ">"}.get(data[start : start + 2])
    if order is None or len(data) < start + 8:
        return
    yield Field(start + 4, 4, order, "offset")
    waiting = [struct.unpack_from(order + "I", data, start + 4)[0]]
    seen: set[int] = set()
    while waiting and len(seen) < 12:
        at = waiting.pop(0)
        if at in seen or start + at + 2 > len(data):
            continue
        seen.add(at)
        count = struct.unpack_from(order + "H", data, start + at)[0]
        yield Field(start + at, 2, order, "length")
        for entry in range(start + at + 2, start + at + 2 + 12 * min(count, 80), 12):
            if entry + 12 > len(data):
                return
            tag, kind, number, value = struct.unpack_from(order + "HHII", data, entry)
            yield Field(entry, 2, order, "kind")
            yield Field(entry + 2, 2, order, "kind")
            yield Field(entry + 4, 4, order, "length")
            wide = tag in (256, 257, 322, 323, 278)
            if wide and kind == 3:
                yield Field(entry + 8, 2, order, "pixels")
            else:
                yield Field(entry + 8, 4, order, "pixels" if wide else "offset")
            if tag in (330, 34665, 34853, 40965, 50740):
                waiting.append(value)
                if number > 1 and start + value + 4 <= len(data):
                    waiting.append(struct.unpack_from(order + "I", data, start + value)[0])
        after = start + at + 2 + 12 * count
        if after + 4 <= len(data):
            yield Field(after, 4, order, "offset")
            waiting.append(struct.unpack_from(order + "I", data, after)[0])


def _png_fields(data: bytes) -> Iterator[Field]:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield Field(at, 4, ">", "length")
        if data[at + 4 : at + 8] == b"IHDR":
            yield Field(at + 8, 4, ">", "pixels")
            yield Field(at + 12, 4, ">", "pixels")
            for place in range(at + 16, at + 21):
                yield Field(place, 1, ">", "kind")
        at += 12 + length


def _webp_fields(data: bytes) -> Iterator[Field]:
    yield Field(4, 4, "<", "length")
    at = 12
    while at + 18 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield Field(at + 4, 4, "<", "length")
        wide = {b"VP8X": (12, 15), b"VP8 ": (14, 16), b"VP8L": (9, 11), b"ANMF": (14, 17)}
        for place in wide.get(data[at : at + 4], ()):
            yield Field(at + place, 2, "<", "pixels")
        at += 8 + length + length % 2


def _bmp_fields(data: bytes) -> Iterator[Field]:
    for at, means in ((2, "length"), (10, "offset"), (14, "length"), (34, "length")):
        yield Field(at, 4, "<", means)  # type: ignore[arg-type]
    for at in (18, 22):
        yield Field(at, 4, "<", "pixels")
    for at, size in ((26, 2), (28, 2), (30, 4), (46, 4), (50, 4)):
        yield Field(at, size, "<", "kind")


def _gif_fields(data: bytes) -> Iterator[Field]:
    for at in (6, 8):
        yield Field(at, 2, "<", "pixels")
    for at in (10, 11, 12):
        yield Field(at, 1, "<", "kind")
    at = 13 + (3 << (data[10] % 8 + 1) if data[10] & 0x80 else 0)
    for place in range(at, min(at + 40, len(data) - 2)):
        if data[place] == 0x2C:  # an image begins: where it stands, how large it is
            for edge in range(place + 1, min(place + 9, len(data) - 2), 2):
                yield Field(edge, 2, "<", "pixels")
            yield Field(place + 9, 1, "<", "kind")
    for place in range(at, min(at + 30, len(data))):
        yield Field(place, 1, "<", "length")


_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"iprp", b"ipco", b"dinf", b"grpl"}
_FULL = {b"meta", b"iinf", b"iref", b"stsd"}


def _box_fields(data: bytes, at: int, end: int, depth: int = 0) -> Iterator[Field]:
    while at + 8 <= min(end, len(data)):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        yield Field(at, 4, ">", "length")
        if size == 0 or size < 8:
            return
        inside = at + 8 + 4 * (name in _FULL) + {b"iinf": 2, b"stsd": 4}.get(name, 0)
        if name in _PARENTS | _FULL and depth < 8:
            yield from _box_fields(data, inside, at + size, depth + 1)
        elif name == b"ispe":
            yield Field(at + 12, 4, ">", "pixels")
            yield Field(at + 16, 4, ">", "pixels")
        elif name != b"mdat":
            for place in range(at + 8, min(at + size, at + 72, len(data) - 4), 2):
                yield Field(place, 4 if place % 4 else 2, ">", "offset")
        at += size


# ---------------------------------------------------------------- changes to files


def mutants(random: Random, bases: Sequence[Base], count: int) -> Iterator[Mutant]:
    """Yield broken files, equally many of each format, with one to four changes each."""
    forms: dict[str, list[Base]] = {}
    for base in bases:
        forms.setdefault(base.form, []).append(base)
    names = sorted(forms)
    for number in range(count):
        base = random.choice(forms[names[number % len(names)]])
        data, done = base.data, []
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            change = random.choices(_CHANGES, _WEIGHTS)[0]
            data = change(random, data, base)
            done.append(change.__name__.strip("_"))
        suffix = base.suffix
        if random.random() < 0.04:
            suffix = random.choice(sorted(_FORM_OF))
            done.append(f"named {suffix}")
        elif random.random() < 0.04:
            data += random.choice(bases).data
            done.append("two in one")
        yield Mutant(f"{number:05}{suffix}", base.form, ", ".join(done), base.name, data)


def _bits(random: Random, data: bytes, base: Base) -> bytes:
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 3, 20))):
        if made:
            made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def _early_bits(random: Random, data: bytes, base: Base) -> bytes:
    made = bytearray(data)
    for _ in range(random.choice((1, 2, 8))):
        if made:
            made[random.randrange(min(len(made), 400))] = random.randrange(256)
    return bytes(made)


def _run(random: Random, data: bytes, base: Base) -> bytes:
    start, stop = _range(random, data)
    return data[:start] + random.randbytes(stop - start) + data[stop:]


def _zeros(random: Random, data: bytes, base: Base) -> bytes:
    start, stop = _range(random, data)
    return data[:start] + bytes(stop - start) + data[stop:]


def _end(random: Random, data: bytes, base: Base) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _inserted(random: Random, data: bytes, base: Base) -> bytes:
    at = random.randrange(len(data) + 1)
    start, stop = _range(random, data)
    return data[:at] + data[start:stop] + data[at:]


def _taken_out(random: Random, data: bytes, base: Base) -> bytes:
    start, stop = _range(random, data)
    return data[:start] + data[stop:]


def _swapped(random: Random, data: bytes, base: Base) -> bytes:
    a, b, c = sorted(random.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _field(random: Random, data: bytes, base: Base) -> bytes:
    return _changed(random, data, base, fields(data, base.form))


def _huge(random: Random, data: bytes, base: Base) -> bytes:
    found = [field for field in fields(data, base.form) if field.means == "pixels"]
    return _changed(random, data, base, found)


def _loop(random: Random, data: bytes, base: Base) -> bytes:
    """Make an offset point back to the start of another structure."""
    found = [field for field in fields(data, base.form) if field.means == "offset"]
    if not found:
        return _swapped(random, data, base)
    field, target = random.choice(found), random.choice(found)
    return _put(data, field, target.at - random.choice((0, 2, 8, 10)))


def _notes(random: Random, data: bytes, base: Base) -> bytes:
    """Change metadata: EXIF, XMP, profiles."""
    marks = [data.find(mark) for mark in (b"Exif", b"<x:xmpmeta", b"acsp", b"8BIM", b"rdf:")]
    places = [mark for mark in marks if mark >= 0]
    if not places:
        return _field(random, data, base)
    made = bytearray(data)
    start = random.choice(places)
    for _ in range(random.choice((1, 4, 30))):
        at = start + random.randrange(1200)
        if at < len(made):
            made[at] = random.choice((0, 0xFF, 0x3C, 0x26, random.randrange(256)))
    return bytes(made)


_CHANGES: tuple[Callable[[Random, bytes, Base], bytes], ...] = (
    _bits, _early_bits, _run, _zeros, _end, _inserted, _taken_out, _swapped, _field, _huge,
    _loop, _notes,
)  # fmt: skip
_WEIGHTS = (3, 2, 2, 2, 2, 1, 1, 1, 8, 4, 2, 2)


def _range(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 4, 16, 64, 512, 4096, 65536)))


def _changed(random: Random, data: bytes, base: Base, found: list[Field]) -> bytes:
    if not found:
        return _bits(random, data, base)
    field = random.choice(found)
    whole = 1 << (8 * field.size)
    old = int.from_bytes(data[field.at : field.at + field.size], _ENDIAN[field.order])
    values: list[int] = [0, 1, whole - 1, whole // 2, whole // 2 - 1, old + 1, old - 1, 2 * old]
    values += [random.randrange(whole), len(data), field.at, old ^ 1 << random.randrange(16)]
    if field.means == "pixels":
        values += [2000, 12_000, 20_000, 30_000, 65_000, 100_000, 1 << 20, 1 << 24]
    return _put(data, field, random.choice(values))


_ENDIAN: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}


def _put(data: bytes, field: Field, value: int) -> bytes:
    number = (value % (1 << 8 * field.size)).to_bytes(field.size, _ENDIAN[field.order])
    made = data[: field.at] + number + data[field.at + field.size :]
    return summed(made, field.at) if made[:4] == b"\x89PNG" else made


def summed(data: bytes, changed: int) -> bytes:
    """Correct the checksum of the PNG chunk around a position, so that decoders accept it."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if at + 4 <= changed < end and end + 4 <= len(data):
            sum_ = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
            return data[:end] + sum_ + data[end + 4 :]
        at = end + 4
    return data
