"""JPEG pixels through libjpeg-turbo: the commonest file by far, so the fastest way for it.

A damaged file gives what it has, and says so.
"""

from __future__ import annotations

import logging
import re

import cv2
import numpy as np
import simplejpeg

from curator.imaging import color, containers, exif_fields, tiff
from curator.imaging.damage import is_shifted
from curator.imaging.pixels import (
    DecodedImage,
    DecodeOptions,
    Image,
    blank_share,
    check_size,
    upright_size,
)
from curator.model import UnreadableError

log = logging.getLogger(__name__)

# Words of libjpeg-turbo's messages that mean picture data is wrong or missing.
_LOSSES = ("premature", "huffman", "instead of rst", "progression", "arithmetic", "unexpected end")
# So much coded picture was left over where it was to end: at the end of all, or of a part.
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd[0-79]")
_WRONG = "The file is damaged: parts of the picture may be wrong."


def decode(
    data: bytes, wish: DecodeOptions, head: containers.JpegHeader | None = None
) -> DecodedImage:
    """Decode a JPEG.

    Args:
        data: the whole file, or the preview out of a RAW.
        wish: how large; scaled decodes come out at 1, 1/2, 1/4 or 1/8.
        head: its segments, if already read.

    Raises:
        UnreadableError: nothing of it can be shown.
    """
    head = head or containers.read_jpeg_header(data)
    if not head.width:
        raise UnreadableError(_headless(head))
    check_size(head.width, head.height, wish.max_megapixels, len(data))
    directories = tiff.directories(tiff.from_bytes(head.exif))
    orientation = exif_fields.capture_of(directories).orientation
    icc = head.icc or (color.ADOBE_RGB if _is_adobe(directories) else None)
    if icc and not color.is_for(icc, head.components == 1):
        icc = None
    damage = None
    try:
        rgb = _decode(data, head, wish, strict=True)
    except ValueError:
        rgb, damage = _salvaged(data, head, wish)
    if damage is None and rgb.shape[:2] == (head.height, head.width) and is_shifted(rgb, head.unit):
        damage = _WRONG
    size = upright_size(head.width, head.height, orientation)
    return DecodedImage(rgb, orientation, icc, size, damage=damage)


def _is_adobe(directories: list[tiff.Directory]) -> bool:
    """Adobe RGB by name only: interoperability index R03 (DCF 2.0 optional color space)."""
    return any(d.role == "interop" and d.text(1) == "R03" for d in directories)


def _decode(
    data: bytes, head: containers.JpegHeader, wish: DecodeOptions, *, strict: bool
) -> Image:
    if head.components == 4 or head.bits != 8:
        raise ValueError("not a picture libjpeg-turbo gives as RGB")
    # libjpeg-turbo is fast at 1, 1/2, 1/4 and 1/8 only: 7/8 takes longer than the whole.
    factor, long_edge = 1, max(head.width, head.height)
    while wish.long_edge_px and factor < 8 and long_edge >= 2 * factor * wish.long_edge_px:
        factor *= 2
    draft = wish.shrunk_to_px is not None and long_edge >= 2 * wish.shrunk_to_px
    # Without a least size simplejpeg decodes whole; with one, at the smallest n/8 over it.
    least = (-(-head.width // factor), -(-head.height // factor)) if factor > 1 else (0, 0)
    return simplejpeg.decode_jpeg(
        data, "RGB", fastupsample=draft, min_width=least[0], min_height=least[1], strict=strict
    )


def _salvaged(
    data: bytes, head: containers.JpegHeader, wish: DecodeOptions
) -> tuple[Image, str | None]:
    """Get out of a JPEG what there is; the second value says what is missing, if anything."""
    try:
        rgb = _decode(data, head, wish, strict=False)
    except ValueError as error:
        rgb = _by_opencv(data, head, str(error))
    missing = blank_share(rgb)
    # libjpeg-turbo tells of the first fault only, and paints what is not there middle gray.
    gray = missing > 0.01 and bool((rgb[-1, -1] == 128).all())
    if not gray and not _is_incomplete(data, head):
        return rgb, None  # rubbish between parts, odd markers: nothing of the picture is lost
    if missing > 0.97:
        raise UnreadableError("The file ends early: next to nothing of the picture is there.")
    if missing > 0.01:
        return rgb, f"The file is damaged: the last {100 * missing:.0f} % is missing."
    return rgb, _WRONG


def _is_incomplete(data: bytes, head: containers.JpegHeader) -> bool:
    """Whether the decoder misses some of the coded picture, or has some of it left over.

    It is asked about the picture alone: it names its first complaint only, and those about what
    stands before the picture, of which nothing is lost, come first.
    """
    alone = head.tables + data[head.body :]
    try:
        simplejpeg.decode_jpeg(alone, "GRAY", min_width=1, min_height=1, strict=True)
        return False
    except ValueError as error:
        message = str(error)
    left = _LEFT_OVER.search(message)
    if left is None:
        return any(word in message.lower() for word in _LOSSES)
    end = data.find(b"\xff\xd9", head.body)
    rest = data[max(end - int(left[1]), head.body) : end]
    return len(set(rest)) > 1  # otherwise it is padding: some writers fill up with zeros


def _by_opencv(data: bytes, head: containers.JpegHeader, message: str) -> Image:
    """Decode what simplejpeg does not (CMYK, odd sampling) or gave up on."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        found = None
    if found is None:
        log.debug("JPEG not decodable: %s", message)
        if head.bits in (12, 16):
            raise UnreadableError(f"JPEGs with {head.bits} bits per color cannot be read.")
        if not head.complete:
            raise UnreadableError("The file ends before the picture begins.")
        raise UnreadableError("The picture data is damaged and nothing can be shown.")
    return np.ascontiguousarray(found[:, :, ::-1], np.uint8)


def _headless(head: containers.JpegHeader) -> str:
    if head.complete:
        return "The file is damaged: its beginning does not say what picture it is."
    return "The file is damaged: its picture data is cut off or missing."
