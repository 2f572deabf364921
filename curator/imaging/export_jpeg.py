"""JPEGs for other people's eyes: upright, sRGB with the profile said, sharpened for their size."""

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

# Radius in px of the output (standard deviation of the blur), amount, and the difference in luma
# that is left alone. A screen shows a pixel as it is; on paper ink spreads over its neighbors,
# so it takes a wider and stronger edge, which looks too hard on a screen. Chosen by eye.
_UNSHARP: dict[str, tuple[float, float, float]] = {
    "screen": (0.6, 0.45, 1.0),
    "print": (1.1, 0.75, 1.5),
}


@cache
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB, as LittleCMS makes it, some 0.6 kB.

    Source: ICC.1:2022 7.2.2: bytes 24-35 of the header are the time the profile was made. They
    are set to one moment, or no two exports of a photo would be equal.
    """
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + profile[36:]


@dataclass(frozen=True, slots=True)
class JpegOptions:
    """How a JPEG is made.

    ``quality`` is 60-100; color is kept at full resolution from 90 on. ``turn`` is the
    photographer's quarter turns clockwise, put into the pixels. ``exif`` is a block as
    :func:`curator.imaging.export_exif.exif_to_keep` makes it, ``xmp`` a packet; or nothing.
    """

    quality: int = 92
    sharpen: Sharpen = "off"
    turn: int = 0
    exif: bytes = b""
    xmp: bytes = b""


def scaled(rgb: NDArray[np.uint8], long_edge_px: int) -> NDArray[np.uint8]:
    """Scale a picture down to a long edge, by Lanczos; a smaller one is returned as it is.

    An area average, which is good for proxies, is softer where the factor is no whole number, and
    at a factor under two uneven; here somebody else looks, at this size and no other.
    """
    height, width = rgb.shape[:2]
    scale = long_edge_px / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Sharpness is in the luma: Lanczos for that alone takes a third of the time, and what is left
    # of color at a JPEG's resolution is the same (52 dB and more on photos of 12-16 MP).
    colors = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    luma = Image.fromarray(cv2.extractChannel(colors, 0))
    # reducing_gap halves by area first where that leaves three times the size: as sharp, and fast.
    luma = luma.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    way = cv2.INTER_LINEAR if scale >= 0.5 else cv2.INTER_AREA
    small = cv2.resize(colors, size, interpolation=way)
    cv2.insertChannel(np.asarray(luma), small, 0)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_YCrCb2RGB), np.uint8)


def sharpened(rgb: NDArray[np.uint8], how: Sharpen) -> NDArray[np.uint8]:
    """Sharpen a picture at its output size by an unsharp mask on luma.

    The same difference is added to all three colors: edges gain no colored rims. Differences of
    noise's size are left alone.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        how: for what it is made.

    Returns:
        (H, W, 3) uint8; the very array where nothing is asked for.
    """
    if how == "off":
        return rgb
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    blurred = cv2.GaussianBlur(luma, (0, 0), _UNSHARP[how][0])
    steps = _steps(how)
    # Saturating 8-bit sums throughout: a quarter of the time of floats, and no array of them.
    lighter = cv2.LUT(cv2.subtract(luma, blurred), steps)
    darker = cv2.LUT(cv2.subtract(blurred, luma), steps)
    raised = cv2.add(rgb, cv2.merge((lighter,) * 3))
    return np.asarray(cv2.subtract(raised, cv2.merge((darker,) * 3)), np.uint8)


@cache
def _steps(how: str) -> NDArray[np.uint8]:
    """Give what is added for each difference of luma, 0-255."""
    _, amount, least = _UNSHARP[how]
    return np.rint(amount * np.maximum(np.arange(256) - least, 0.0)).astype(np.uint8)


def encode_jpeg(rgb: NDArray[np.uint8], long_edge_px: int, how: JpegOptions) -> bytes:
    """Make a JPEG of a picture.

    Args:
        rgb: (H, W, 3) uint8, sRGB, upright.
        long_edge_px: at most this long; a smaller picture is never enlarged.
        how: quality, sharpening, turn and metadata.

    Returns:
        The JPEG's bytes; the same picture always gives the same.
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
