"""JPEGs for other people's eyes: upright, sRGB with the profile said, no metadata."""

from __future__ import annotations

import io
import struct
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms


@cache
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB, as LittleCMS makes it, some 0.6 kB.

    Source: ICC.1:2022 7.2.2: bytes 24-35 of the header are the time the profile was made. They
    are set to one moment, or no two exports of a photo would be equal.
    """
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + profile[36:]


def encode_delivery(
    rgb: NDArray[np.uint8], long_edge_px: int, quality: int, turn: int = 0
) -> bytes:
    """Make a JPEG of a picture.

    Args:
        rgb: (H, W, 3) uint8, sRGB, upright.
        long_edge_px: at most this long; a smaller picture is never enlarged.
        quality: 60-100; colour is kept at full resolution from 90 on.
        turn: the photographer's quarter turns clockwise, put into the pixels.

    Returns:
        The JPEG's bytes; the same picture always gives the same.
    """
    height, width = rgb.shape[:2]
    scale = long_edge_px / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if turn % 4:
        rgb = np.rot90(rgb, -turn)
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(
        out,
        "JPEG",
        quality=quality,
        subsampling=0 if quality >= 90 else 2,
        optimize=True,
        icc_profile=srgb_profile(),
    )
    return out.getvalue()
