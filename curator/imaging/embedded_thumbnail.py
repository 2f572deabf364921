"""The thumbnail that cameras embed in their files, shown before the picture is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import simplejpeg

from curator.imaging import containers, tiff
from curator.imaging.exif import HEADER_BYTES
from curator.imaging.pixels import Image, check_size, upright
from curator.imaging.proxy import THUMB_PX
from curator.model import Capture, UnreadableError

_ASPECT = 0.02  # tolerance; cameras pad 3:2 pictures to 4:3 thumbnails, which are not used
_MAX_BYTES = 600_000  # a larger preview takes as long as convert, which follows soon anyway


def thumbnail(path: str, capture: Capture) -> Image | None:
    """Decode the embedded thumbnail of a JPEG or RAW.

    Args:
        path: the file.
        capture: its capture data; size and orientation are needed.

    Returns:
        (H, W, 3) uint8 upright, usually 160 px; None if there is no thumbnail that fits. Never
        raises on content.
    """
    if not capture.width or not capture.height:
        return None
    try:
        with Path(path).open("rb") as file:
            read = tiff.from_file(file)
            head = read(0, HEADER_BYTES)
            form = containers.sniff(head[:65536], path)
            if form not in ("jpeg", "raw"):
                return None
            if form == "jpeg":
                block = containers.read_jpeg_header(head).exif
                jpegs = _jpegs(tiff.cached_directories(block), tiff.from_bytes(block))
            else:
                jpegs = _jpegs(tiff.directories(read), read)
            found = [_decode(data, capture) for data in jpegs]
            candidates = [picture for picture in found if picture is not None]
    except OSError:
        return None
    return max(candidates, key=lambda picture: picture.size, default=None)


def _jpegs(directories: Iterable[tiff.Directory], read: tiff.Read) -> list[bytes]:
    """Return the small JPEGs that TIFF directories point to, by either of the two usual tags."""
    found = []
    for directory in directories:
        for at, length in ((513, 514), (273, 279)):
            start, size = (
                tiff.as_count(directory.number(at)),
                tiff.as_count(directory.number(length)),
            )
            if at == 273 and directory.number(259) not in (6, 7):
                continue
            if start and size and 128 < size <= _MAX_BYTES:
                data = read(start, size)
                if data[:3] == b"\xff\xd8\xff":
                    found.append(data)
    return found


def _decode(data: bytes, capture: Capture) -> Image | None:
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        check_size(width, height, 100)
        factor = 1
        while factor < 8 and max(width, height) >= 2 * factor * THUMB_PX:
            factor *= 2
        least = (-(-width // factor), -(-height // factor)) if factor > 1 else (0, 0)
        rgb = simplejpeg.decode_jpeg(data, "RGB", min_width=least[0], min_height=least[1])
    except (ValueError, UnreadableError):
        return None
    upright_rgb = upright(rgb, capture.orientation)
    assert capture.width and capture.height
    wanted = capture.width / capture.height
    if abs(upright_rgb.shape[1] / upright_rgb.shape[0] / wanted - 1) <= _ASPECT:
        return upright_rgb
    # A RAW's preview may be upright already although the RAW states an orientation.
    fits = abs(rgb.shape[1] / rgb.shape[0] / wanted - 1) <= _ASPECT
    return rgb if fits and capture.orientation >= 5 else None
