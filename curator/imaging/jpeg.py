"""Decoding JPEGs with libjpeg-turbo: by far the most common format, so this is the fastest path.

As much as possible of a damaged file is decoded, and the damage is described.
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

# Words in libjpeg-turbo's messages that mean wrong or missing picture data.
_LOSSES = ("premature", "huffman", "instead of rst", "progression", "arithmetic", "unexpected end")
# The number of bytes left over at the expected end of the picture data, or of a part of it.
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd[0-79]")
_WRONG = "The file is damaged: parts of the picture may be wrong."


def decode(
    data: bytes, options: DecodeOptions, head: containers.JpegHeader | None = None
) -> DecodedImage:
    """Decode a JPEG.

    Args:
        data: the complete file, or the preview of a RAW.
        options: among others the size; scaled pictures come out at 1, 1/2, 1/4 or 1/8.
        head: its header, if already read.

    Raises:
        UnreadableError: nothing can be shown.
    """
    head = head or containers.read_jpeg_header(data)
    if not head.width:
        raise UnreadableError(_no_header_reason(head))
    check_size(head.width, head.height, options.max_megapixels, len(data))
    directories = tiff.directories(tiff.from_bytes(head.exif))
    orientation = exif_fields.capture_of(directories).orientation
    icc = head.icc or (color.ADOBE_RGB if _is_adobe(directories) else None)
    if icc and not color.is_for(icc, head.components == 1):
        icc = None
    damage = None
    try:
        rgb = _decode(data, head, options, strict=True)
    except ValueError:
        rgb, damage = _salvage(data, head, options)
    if damage is None and options.check_damage and rgb.shape[:2] == (head.height, head.width):
        damage = _WRONG if is_shifted(rgb, head.unit) else None
    size = upright_size(head.width, head.height, orientation)
    return DecodedImage(rgb, orientation, icc, size, damage=damage)


def _is_adobe(directories: list[tiff.Directory]) -> bool:
    """Whether EXIF names Adobe RGB: interoperability index R03 (DCF 2.0 optional color space)."""
    return any(d.role == "interop" and d.text(1) == "R03" for d in directories)


def _decode(
    data: bytes, head: containers.JpegHeader, options: DecodeOptions, *, strict: bool
) -> Image:
    if head.components == 4 or head.bits != 8:
        raise ValueError("libjpeg-turbo cannot convert it to RGB")
    # libjpeg-turbo is fast at 1, 1/2, 1/4 and 1/8 only: 7/8 takes longer than the full size.
    factor, long_edge = 1, max(head.width, head.height)
    while options.long_edge_px and factor < 8 and long_edge >= 2 * factor * options.long_edge_px:
        factor *= 2
    draft = options.shrunk_to_px is not None and long_edge >= 2 * options.shrunk_to_px
    # Without a minimal size simplejpeg decodes the full size; with one, the smallest n/8 above it.
    least = (-(-head.width // factor), -(-head.height // factor)) if factor > 1 else (0, 0)
    return simplejpeg.decode_jpeg(
        data, "RGB", fastupsample=draft, min_width=least[0], min_height=least[1], strict=strict
    )


def _salvage(
    data: bytes, head: containers.JpegHeader, options: DecodeOptions
) -> tuple[Image, str | None]:
    """Decode as much of a JPEG as possible; return the picture and what is missing, if anything."""
    try:
        rgb = _decode(data, head, options, strict=False)
    except ValueError as error:
        rgb = _decode_with_opencv(data, head, str(error))
    missing = blank_share(rgb)
    # libjpeg-turbo reports only the first fault, and fills missing parts with middle gray.
    gray = missing > 0.01 and bool((rgb[-1, -1] == 128).all())
    if not gray and not _is_incomplete(data, head):
        return rgb, None  # garbage between segments or odd markers: the picture is complete
    if missing > 0.97:
        raise UnreadableError("The file ends early: almost the whole picture is missing.")
    if missing > 0.01:
        return rgb, f"The file is damaged: the last {100 * missing:.0f} % is missing."
    return rgb, _WRONG


def _is_incomplete(data: bytes, head: containers.JpegHeader) -> bool:
    """Whether coded picture data is missing, or left over.

    The decoder gets the picture data without the other segments, because it reports only its first
    complaint, and complaints about those segments, which lose nothing, would come first.
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
    return len(set(rest)) > 1  # otherwise it is padding; some writers append zeros


def _decode_with_opencv(data: bytes, head: containers.JpegHeader, message: str) -> Image:
    """Decode with OpenCV what simplejpeg cannot (CMYK, unusual sampling) or gave up on."""
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


def _no_header_reason(head: containers.JpegHeader) -> str:
    if head.complete:
        return "The file is damaged: its beginning does not say what picture it is."
    return "The file is damaged: its picture data is cut off or missing."
