"""Colours of a file into sRGB, once."""

from __future__ import annotations

import hashlib
import io
import logging
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

log = logging.getLogger(__name__)

ADOBE_RGB = b"Adobe RGB (1998)"  # stands for the profile where EXIF only names it (R03)
# Linear Adobe RGB (1998) to linear sRGB, both D65: Adobe RGB (1998) Color Image Encoding 4.3.
_ADOBE_TO_SRGB = np.array(
    [[1.39836, -0.39836, 0.0], [0.0, 1.0, 0.0], [0.0, -0.04293, 1.04293]], np.float32
)
_BAND = 64  # rows
_transforms: dict[bytes, ImageCms.ImageCmsTransform | None] = {}


def to_srgb(rgb: npt.NDArray[np.uint8], icc: bytes | None) -> npt.NDArray[np.uint8]:
    """Convert pixels to sRGB by the profile a file embeds.

    Args:
        rgb: (H, W, 3) uint8.
        icc: the profile's bytes, :data:`ADOBE_RGB`, or None for sRGB. A profile that is broken
            or not for RGB is taken as sRGB: the picture is worth more than its exact colours.
    """
    if not icc:
        return rgb
    if icc == ADOBE_RGB:
        return _from_adobe(rgb)
    transform = _transform(icc)
    if transform is None:
        return rgb
    shown = ImageCms.applyTransform(Image.fromarray(rgb), transform)
    return np.asarray(shown)


def _transform(icc: bytes) -> ImageCms.ImageCmsTransform | None:
    key = hashlib.blake2b(icc, digest_size=16).digest()
    if key not in _transforms:
        if len(_transforms) >= 16:
            _transforms.clear()
        _transforms[key] = _make_transform(icc)
    return _transforms[key]


def _make_transform(icc: bytes) -> ImageCms.ImageCmsTransform | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if "srgb" in (ImageCms.getProfileDescription(profile) or "").lower():
            return None
        if profile.profile.xcolor_space.strip() != "RGB":
            return None
        return ImageCms.buildTransform(
            profile, _srgb(), "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        log.debug("colour profile of %d bytes ignored: %s", len(icc), error)
        return None


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _from_adobe(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    shown = np.empty_like(rgb)
    for top in range(0, rgb.shape[0], _BAND):  # in floats a whole picture weighs four times as much
        linear = cv2.transform(cv2.LUT(rgb[top : top + _BAND], _decode_curve()), _ADOBE_TO_SRGB)
        steps = np.clip(linear * 4095 + 0.5, 0, 4095).astype(np.uint16)
        shown[top : top + _BAND] = _encode_curve()[steps]
    return shown


@lru_cache(maxsize=1)
def _decode_curve() -> npt.NDArray[np.float32]:
    return ((np.arange(256) / 255.0) ** 2.19921875).astype(np.float32)


@lru_cache(maxsize=1)
def _encode_curve() -> npt.NDArray[np.uint8]:
    """Encode linear light in 4,096 steps as sRGB (IEC 61966-2-1)."""
    light = np.arange(4096) / 4095.0
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(value * 255).astype(np.uint8)
