"""Encoding exported JPEGs: upright, sRGB with an embedded profile, sharpened for their size."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Sharpen = Literal["off", "screen", "print"]

# Radius in px of the output (standard deviation of the blur), amount, and the luma difference below
# which nothing changes. On paper ink spreads, so print needs a wider and stronger edge, which looks
# too hard on a screen. Chosen by eye.
_UNSHARP: dict[str, tuple[float, float, float]] = {
    "screen": (0.6, 0.45, 1.0),
    "print": (1.1, 0.75, 1.5),
}


@cache
def srgb_profile() -> bytes:
    """Return LittleCMS's ICC profile of sRGB, some 0.6 kB.

    Bytes 24-35 of the header are the time of its creation (ICC.1:2022, 7.2.2). They are set to a
    fixed time, so that two exports of a photo are equal.
    """
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + profile[36:]


@dataclass(frozen=True, slots=True)
class JpegOptions:
    """Options of an exported JPEG.

    ``quality``: 60-100; from 90 on color keeps its full resolution. ``turn``: the user's quarter
    turns clockwise, applied to the pixels. ``exif``: a block made by
    :func:`curator.imaging.export_exif.exif_to_keep`, or empty. ``xmp``: a packet, or empty.
    """

    quality: int = 92
    sharpen: Sharpen = "off"
    turn: int = 0
    exif: bytes = b""
    xmp: bytes = b""


def scaled(rgb: NDArray[np.uint8], long_edge_px: int) -> NDArray[np.uint8]:
    """Scale a picture down to a long edge with Lanczos; a smaller picture is returned unchanged.

    An area average, good enough for proxies, is softer for fractional factors and uneven below a
    factor of two. Exports are viewed at exactly this size.
    """
    height, width = rgb.shape[:2]
    scale = long_edge_px / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Lanczos on luma only takes a third of the time, and color at a JPEG's resolution comes out the
    # same (52 dB and more on photos of 12-16 MP).
    colors = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    luma = Image.fromarray(cv2.extractChannel(colors, 0))
    # reducing_gap first halves by area, down to three times the size: as sharp, and fast.
    luma = luma.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    way = cv2.INTER_LINEAR if scale >= 0.5 else cv2.INTER_AREA
    small = cv2.resize(colors, size, interpolation=way)
    cv2.insertChannel(np.asarray(luma), small, 0)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_YCrCb2RGB), np.uint8)


def sharpened(rgb: NDArray[np.uint8], how: Sharpen) -> NDArray[np.uint8]:
    """Sharpen a picture at its output size by an unsharp mask on luma.

    The same difference is added to all three colors, so that edges get no colored rims. Differences
    as small as noise are ignored.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        how: for a screen, for print, or off.

    Returns:
        (H, W, 3) uint8; the same array if off.
    """
    if how == "off":
        return rgb
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    blurred = cv2.GaussianBlur(luma, (0, 0), _UNSHARP[how][0])
    steps = _steps(how)
    # Saturating 8-bit arithmetic throughout takes a quarter of the time of floats.
    lighter = cv2.LUT(cv2.subtract(luma, blurred), steps)
    darker = cv2.LUT(cv2.subtract(blurred, luma), steps)
    raised = cv2.add(rgb, cv2.merge((lighter,) * 3))
    return np.asarray(cv2.subtract(raised, cv2.merge((darker,) * 3)), np.uint8)


@cache
def _steps(how: str) -> NDArray[np.uint8]:
    """Return the amount to add for each luma difference, (256,) uint8."""
    _, amount, least = _UNSHARP[how]
    return np.rint(amount * np.maximum(np.arange(256) - least, 0.0)).astype(np.uint8)


def encode_jpeg(rgb: NDArray[np.uint8], long_edge_px: int, how: JpegOptions) -> bytes:
    """Encode a picture as JPEG.

    Args:
        rgb: (H, W, 3) uint8, sRGB, upright.
        long_edge_px: the maximal long edge; a smaller picture is never enlarged.
        how: quality, sharpening, turn and metadata.

    Returns:
        The JPEG's bytes; the same picture and options always produce the same bytes.
    """
    rgb = sharpened(scaled(rgb, long_edge_px), how.sharpen)
    if how.turn % 4:
        rgb = np.rot90(rgb, -how.turn)
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(
        out,
        "JPEG",
        quality=how.quality,
        subsampling=0 if how.quality >= 90 else 2,
        optimize=True,
        icc_profile=srgb_profile(),
        **({"exif": how.exif} if how.exif else {}),
        **({"xmp": how.xmp} if how.xmp else {}),
    )
    return out.getvalue()
