"""Conversion of a file's colors to sRGB, by the content of its profile and never by its name."""

from __future__ import annotations

import hashlib
import io
import logging
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from curator.imaging import icc as profiles

log = logging.getLogger(__name__)

ADOBE_RGB = b"Adobe RGB (1998)"  # used as profile if EXIF only names it (R03)
# Linear Adobe RGB (1998) to linear sRGB, both D65: Adobe RGB (1998) Color Image Encoding 4.3.
_ADOBE_TO_SRGB = np.array(
    [[1.39836, -0.39836, 0.0], [0.0, 1.0, 0.0], [0.0, -0.04293, 1.04293]], np.float32
)
_BAND = 64  # rows
_SAME = 2  # levels of 255 by which rounding in the tables of sRGB profiles may differ
# If a profile moves a gray ramp by more levels, pixels are measured after conversion. Gamma 2.2
# moves it by 7, and only in deep shadows, which would then look clipped; gamma 1.8 and linear light
# move it by 20 and 100.
_OTHER_TONE = 8


@dataclass(frozen=True, slots=True)
class _Conversion:
    """The conversion of a profile to sRGB: a curve for grays, and a transform for colors.

    ``gray`` (256,) uint8 is the converted gray ramp; ``transform`` is None for a gray profile.
    """

    gray: npt.NDArray[np.uint8]
    transform: ImageCms.ImageCmsTransform | None = None


_conversions: dict[bytes, _Conversion | None] = {}


def to_srgb(rgb: npt.NDArray[np.uint8], icc: bytes | None) -> npt.NDArray[np.uint8]:
    """Convert pixels to sRGB with a file's embedded profile.

    Args:
        rgb: (H, W, 3) uint8; a gray picture has three equal channels.
        icc: the profile's bytes, for RGB or gray; :data:`ADOBE_RGB`; or None for sRGB. A profile
            that is broken or for other colors counts as sRGB: showing the picture matters more
            than exact colors.
    """
    if not icc:
        return rgb
    if icc == ADOBE_RGB:
        return _from_adobe(rgb)
    found = _conversion(icc)
    if found is None:
        return rgb
    if found.transform is None:
        return np.asarray(cv2.LUT(rgb, found.gray), np.uint8)
    return np.asarray(ImageCms.applyTransform(Image.fromarray(rgb), found.transform))


def toned(pixels: npt.NDArray[np.uint8], icc: bytes | None) -> npt.NDArray[np.uint8]:
    """Return pixels with the tones of sRGB, to measure brightness as people see it.

    The colors of the profile are kept, because converted colors outside sRGB would look clipped.
    Pixels with tones close to sRGB are returned unchanged.

    Args:
        pixels: (H, W, 3) or (H, W) uint8 as the file stores them.
        icc: as in :func:`to_srgb`.
    """
    if not icc or not is_other_tone(icc):
        return pixels
    found = _conversion(icc)
    assert found is not None
    return np.asarray(cv2.LUT(pixels, found.gray), np.uint8)


def is_other_tone(icc: bytes | None) -> bool:
    """Whether the tones of a profile are far from those of sRGB."""
    found = _conversion(icc) if icc and icc != ADOBE_RGB else None
    return found is not None and _largest_shift(found.gray) > _OTHER_TONE


def gray16(icc: bytes | None) -> npt.NDArray[np.uint8]:
    """Return the sRGB value of each 16-bit gray: (65536,) uint8; dark tones keep their steps.

    Args:
        icc: a profile for gray or RGB; None or a profile without a curve means sRGB.
    """
    value = np.linspace(0.0, 1.0, 65536)
    curve = profiles.curve_of(icc) if icc else None
    return _bytes(value if curve is None else encoded(curve(value)))


def is_for(icc: bytes, gray: bool) -> bool:
    """Whether a profile fits a picture; a gray profile does not fit RGB."""
    return gray or icc[16:20] != b"GRAY"


def _conversion(icc: bytes) -> _Conversion | None:
    """Return the cached conversion of a profile; None if nothing has to be converted."""
    key = hashlib.blake2b(icc, digest_size=16).digest()
    if key not in _conversions:
        if len(_conversions) >= 16:
            _conversions.clear()
        _conversions[key] = _build_conversion(icc)
    return _conversions[key]


def _build_conversion(icc: bytes) -> _Conversion | None:
    try:
        if icc[16:20] == b"GRAY":
            return _build_gray_conversion(icc)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space.strip() != "RGB":
            return None
        transform = ImageCms.buildTransform(
            profile, _srgb(), "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        log.debug("color profile of %d bytes ignored: %s", len(icc), error)
        return None
    samples = _samples()
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(samples), transform))
    if np.abs(shown.astype(int) - samples).max() <= _SAME:
        return None
    return _Conversion(np.ascontiguousarray(shown[0, :, 1]), transform)


def _build_gray_conversion(icc: bytes) -> _Conversion | None:
    curve = profiles.curve_of(icc)
    if curve is None:
        return None
    gray = _bytes(encoded(curve(np.linspace(0.0, 1.0, 256))))
    return None if _largest_shift(gray) <= _SAME else _Conversion(gray)


def _largest_shift(gray: npt.NDArray[np.uint8]) -> int:
    return int(np.abs(gray.astype(int) - np.arange(256)).max())


@lru_cache(maxsize=1)
def _samples() -> npt.NDArray[np.uint8]:
    """Return colors for comparing profiles, (4, 256, 3): grays, and a lattice of nine levels."""
    levels = np.rint(np.linspace(0, 255, 9)).astype(np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return np.vstack([ramp, lattice, ramp[: 1024 - 256 - len(lattice)]]).reshape(4, 256, 3)


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _from_adobe(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    shown = np.empty_like(rgb)
    for top in range(0, rgb.shape[0], _BAND):  # floats of a full picture need four times the memory
        linear = cv2.transform(cv2.LUT(rgb[top : top + _BAND], _decode_curve()), _ADOBE_TO_SRGB)
        steps = np.clip(linear * 4095 + 0.5, 0, 4095).astype(np.uint16)
        shown[top : top + _BAND] = _encode_curve()[steps]
    return shown


@lru_cache(maxsize=1)
def _decode_curve() -> npt.NDArray[np.float32]:
    return ((np.arange(256) / 255.0) ** 2.19921875).astype(np.float32)


@lru_cache(maxsize=1)
def _encode_curve() -> npt.NDArray[np.uint8]:
    return _bytes(encoded(np.arange(4096) / 4095.0))


def encoded(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Encode linear light, 0-1, as sRGB, 0-1 (IEC 61966-2-1)."""
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _bytes(value: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    return np.rint(value * 255).astype(np.uint8)
