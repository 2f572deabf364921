"""The EXIF of an exported JPEG: a list of allowed fields, never a copy of the original's block.

Maker notes contain serial numbers, names and, on phones, the location a second time; thumbnails
show parts that were cropped away. Therefore a new block is written with named fields only.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from curator.imaging import containers, exif, stills, tiff
from curator.imaging.pixels import opened
from curator.model import Capture

# EXIF 2.32 tag numbers, separately for text, integers and fractions, which are stored differently.
_MAIN_TEXT = (270, 271, 272, 315, 33432)  # title, maker, model, artist, copyright
_EXIF_TEXT = (36867, 36868, 36880, 36881, 36882, 37520, 37521, 37522, 42035, 42036)
_EXIF_WHOLE = (34850, 34855, 34864, 37383, 37384, 37385, 40961, 41986, 41987, 41989, 41990)
_EXIF_PARTS = (33434, 33437, 37380, 37381, 37382, 37386, 41988)
_GPS_TEXT = (1, 3, 16, 29)
_GPS_PARTS = (2, 4, 6, 7, 17)
_TIME, _TAKEN = 306, 36867
# Fields of capture data that are EXIF fields.
_FACTS = {
    33434: "exposure_s",
    33437: "f_number",
    34855: "iso",
    37386: "focal_length_mm",
    42036: "lens",
}
_MAX_TEXT = 2000  # characters; a JPEG's block is limited to 64 KiB


def exif_to_keep(path: str | Path, *, location: bool) -> bytes:
    """Build the EXIF block of an upright JPEG from the metadata of its original.

    Args:
        path: the original, in any format.
        location: whether to include the location.

    Returns:
        The block for Pillow's ``exif`` argument; empty if there is nothing to keep.

    Raises:
        GoneError: the file does not exist.
        UnreadableError: it cannot be read.
    """
    with opened(path) as file:
        directories = _directories(file, str(path))
    main = Image.Exif()
    camera = main.get_ifd(0x8769)
    gps = main.get_ifd(0x8825)
    # TIFF/EP cameras also write exposure into the first page; the EXIF directory takes precedence.
    for directory in sorted(directories, key=lambda directory: directory.role != "exif"):
        if directory.role in ("page", "exif"):
            _copy(directory, main, text=(*_MAIN_TEXT, _TIME))
            _copy(directory, camera, text=_EXIF_TEXT, whole=_EXIF_WHOLE, parts=_EXIF_PARTS)
        elif directory.role == "gps" and location:
            _copy(directory, gps, text=_GPS_TEXT, parts=_GPS_PARTS)
            height = directory.tags.get(5)  # one byte: above or below sea level
            if height in ((0.0,), (1.0,)):
                gps.setdefault(5, b"\1" if height == (1.0,) else b"\0")
    lacks_facts = not {_TAKEN, *_FACTS} <= set(camera) or not {271, 272} & set(main)
    lacks_location = location and not {2, 4} <= set(gps)
    if lacks_facts or lacks_location:
        capture = exif.read_capture(path)
        _complete(main, camera, capture)
        if lacks_location:
            _locate(gps, capture)
    if not (len(main) or camera or gps):
        return b""
    main[274] = 1  # the pixels are upright
    camera[36864] = b"0232"
    return main.tobytes()


def _complete(main: Image.Exif, camera: dict[int, Any], capture: Capture) -> None:
    """Add capture data that only XMP or IPTC states."""
    if capture.camera and not {271, 272} & set(main):
        main[272] = _plain(capture.camera)
    taken, offset = capture.taken_at, capture.utc_offset_min
    if taken is not None and _TAKEN not in camera:
        camera[_TAKEN] = f"{taken:%Y:%m:%d %H:%M:%S}"
        if taken.microsecond:
            camera[37521] = f"{taken.microsecond:06}".rstrip("0")
        if offset is not None:
            hours, minutes = divmod(abs(offset), 60)
            camera[36881] = f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"
    for tag, name in _FACTS.items():
        value = getattr(capture, name)
        if value is None or tag in camera:
            continue
        if isinstance(value, str):
            camera[tag] = _plain(value)
        elif isinstance(value, float):
            camera[tag] = _fraction(value)
        elif value < 65536:
            camera[tag] = value


def _locate(gps: dict[int, Any], capture: Capture) -> None:
    """Add a location that only XMP states."""
    if capture.latitude is None or capture.longitude is None:
        return
    for tag, signs, angle in ((1, "NS", capture.latitude), (3, "EW", capture.longitude)):
        degrees, rest = divmod(abs(angle) * 60, 60)
        minutes = int(rest)
        gps[tag] = signs[angle < 0]
        gps[tag + 1] = (degrees, minutes, IFDRational(round((rest - minutes) * 600_000), 10_000))


def _directories(file: IO[bytes], name: str) -> list[tiff.Directory]:
    read = tiff.from_file(file)
    head = read(0, exif.HEADER_BYTES)
    form = containers.sniff(head[:65536], name)
    if form == "jpeg":
        return tiff.directories(tiff.from_bytes(containers.read_jpeg_header(head).exif))
    if form == "raw":
        return containers.raw_directories(read)
    if form == "tiff":
        return tiff.directories(read)
    return stills.inside(file, form)[1] if form else []


def _copy(
    source: tiff.Directory,
    to: Any,
    *,
    text: tuple[int, ...] = (),
    whole: tuple[int, ...] = (),
    parts: tuple[int, ...] = (),
) -> None:
    """Copy fields that are still missing; the first page belongs to the picture itself."""
    for tag in text:
        content = source.text(tag)
        if content and tag not in to:
            to[tag] = _plain(content)
    for tag in whole:
        number = source.number(tag)
        if number is not None and tag not in to and 0 <= number < 65536:
            to[tag] = int(number)
    for tag in parts:
        value = source.tags.get(tag)
        if isinstance(value, tuple) and tag not in to and all(map(_fits, value)):
            found = tuple(_fraction(part) for part in value[:3])
            to[tag] = found if len(found) > 1 else found[0]


def _plain(content: str) -> str | bytes:
    plain = "".join(sign for sign in content if sign.isprintable() or sign == "\n")[:_MAX_TEXT]
    # Pillow would replace non-ASCII letters with "?"; all EXIF readers accept UTF-8 today.
    return plain if plain.isascii() else plain.encode()


def _fits(part: float) -> bool:
    return math.isfinite(part) and abs(part) < 1 << 31


def _fraction(part: float) -> IFDRational:
    # The nearest fraction with a readable denominator: 0.004 is 1/250, not its exact 53 bits.
    near = Fraction(part).limit_denominator(1_000_000)
    if abs(near.numerator) >= 1 << 31:
        near = Fraction(round(part))
    return IFDRational(near.numerator, near.denominator)
