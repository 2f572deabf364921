"""TIFFs of 32 bits and PFMs: they have more tones than a screen and are shown through a curve.

OpenCV decodes them and turns them upright. None of these files states how bright white is, so what
is shown is one interpretation of the numbers; ``basis`` names it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.imaging import color, icc, tiff
from curator.imaging.pixels import DecodedImage, check_size
from curator.model import UnreadableError

_Values = npt.NDArray[Any]

# A pixel needs 12 bytes or more instead of 3, so the limit of pixels is lower.
_WEIGHT = 4
_MOST_SAMPLES = 4
_SIZE = re.compile(rb"P[fF]\s+(\d{1,6})\s+(\d{1,6})\s")
_BITS, _SAMPLES, _FORMAT = 258, 277, 339
_SIGNED, _FLOAT = 2, 3  # TIFF 6.0, section 19
_MIDDLE_GRAY = 0.18
_DIM = 0.1  # of white: a picture without brighter pixels is scaled before it is shown
_BAND = 64  # rows


def is_deep(directories: list[tiff.Directory]) -> bool:
    """Whether the first page of a TIFF has signed, floating-point or more than 16-bit samples."""
    page = directories[0] if directories else tiff.Directory("page", 0)
    return (page.number(_BITS) or 1) > 16 or (
        page.number(_FORMAT) in (_SIGNED, _FLOAT) and (page.number(_BITS) or 1) >= 16
    )


def pfm_size(head: bytes) -> tuple[int, int] | None:
    """Read (width, height) from the first line of a PFM; None if it is not such a line."""
    found = _SIZE.match(head)
    return (int(found[1]), int(found[2])) if found else None


def decode_tiff(
    data: bytes, directories: list[tiff.Directory], profile: bytes, max_megapixels: float
) -> DecodedImage:
    """Decode a deep TIFF.

    Args:
        data: the complete file.
        directories: its pages.
        profile: its ICC profile, or empty.
        max_megapixels: the largest 8-bit picture to decode; the limit here is a quarter of it.

    Raises:
        UnreadableError: it is too large, damaged, or of an unsupported kind.
    """
    page = directories[0]
    if page.number(_FORMAT) == _FLOAT and page.number(_BITS) == 16:
        raise UnreadableError(
            "16-bit floating-point pictures cannot be read.", "Save it with 32 bits per color."
        )
    if (page.number(_SAMPLES) or 1) > _MOST_SAMPLES:
        raise UnreadableError("The TIFF has more than four channels and cannot be read.")
    size = tiff.as_count(page.number(256)) or 0, tiff.as_count(page.number(257)) or 0
    check_size(*size, max_megapixels / _WEIGHT, len(data))
    return _decode(data, "TIFF", profile)


def decode_pfm(data: bytes, max_megapixels: float) -> DecodedImage:
    """Decode a PFM; arguments and errors as for :func:`decode_tiff`."""
    check_size(*(pfm_size(data[:64]) or (0, 0)), max_megapixels / _WEIGHT, len(data))
    return _decode(data, "PFM", b"")


def decode_16_bit(data: bytes, profile: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode a 16-bit PNG or TIFF with its profile; from 8 bits, dark tones would show bands.

    Args:
        data: the complete file.
        profile: its RGB profile.

    Returns:
        (H, W, 3) uint8 sRGB; None if it is not 16-bit RGB or its profile is not a simple one.
    """
    curve, matrix = icc.curve_of(profile), icc.to_srgb_light(profile)
    if curve is None or matrix is None:
        return None
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if values is None or values.dtype != np.uint16 or values.shape[2:] != (3,):
        return None
    table = curve(np.linspace(0, 1, 65536)).astype(np.float32)
    transposed = matrix.T.astype(np.float32)
    return _convert_in_bands(values[:, :, ::-1], lambda part: table[part] @ transposed, raw=True)


def _decode(data: bytes, name: str, profile: bytes) -> DecodedImage:
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        values = None
    if values is None or not values.size:
        raise UnreadableError(f"This kind of {name} is not supported, or the file is damaged.")
    values = values[:, :, None] if values.ndim == 2 else values
    values = values[:, :, 2::-1] if values.shape[2] >= 3 else values[:, :, :1]  # OpenCV uses BGR
    floating = values.dtype.kind == "f"
    with np.errstate(all="ignore"):  # absurd numbers become black or white
        rgb = _from_floats(values, profile) if floating else _from_integers(values)
    size = rgb.shape[1], rgb.shape[0]
    return DecodedImage(rgb, 1, None, size, basis="float" if floating else "integer")


def _from_floats(values: _Values, profile: bytes) -> npt.NDArray[np.uint8]:
    """Tone-map floats: 0 to 1 unchanged, other ranges by Reinhard's curve with average middle gray.

    Source: Reinhard et al., Photographic Tone Reproduction for Digital Images, 2002, (2) and (4).
    """
    sample = _sample(values)
    low, white = (float(part) for part in np.percentile(sample, (0.1, 99.9)))
    if low >= -0.01 and _DIM <= white <= 1.0:
        curve, matrix = icc.curve_of(profile), icc.to_srgb_light(profile)
        return _convert_in_bands(values, lambda part: _to_light(part, curve, matrix))
    low = min(low, 0.0)
    light = np.maximum(sample - low, 0)
    average = float(np.exp(np.log(light + 1e-6 * (white - low)).mean()))
    scale = _MIDDLE_GRAY / average if average > 0 else 0.0
    brightest = max(scale * (white - low), 1.0)

    def toned(part: _Values) -> _Values:
        light = np.maximum(part - low, 0) * scale
        return light * (1 + light / brightest**2) / (1 + light)

    return _convert_in_bands(values, toned)


def _to_light(values: _Values, curve: icc.Curve | None, matrix: icc.Floats | None) -> _Values:
    light = values if curve is None else curve(np.clip(values, 0, 1))
    return light if matrix is None or light.shape[2] != 3 else light @ matrix.T


def _from_integers(values: _Values) -> npt.NDArray[np.uint8]:
    """Scale integers linearly: black is 0 or the lowest value, white the end of their range."""
    low, high = min(float(values.min()), 0.0), float(values.max())
    if low < 0:
        full = high - low
    else:
        ends = (255.0, 65535.0, 2.0**31 - 1, 2.0**32 - 1)
        full = next((end for end in ends if end / 2 < high <= end), high)
    return _convert_in_bands(values, lambda part: (part - low) / (full or 1.0), encode=False)


def _sample(values: _Values) -> _Values:
    """Return a sample of the finite values as floats, from at most a thousand rows and columns."""
    step = max(1, max(values.shape[:2]) // 1000)
    found = values[::step, ::step].astype(np.float64).ravel()
    found = found[np.isfinite(found)]
    return found if found.size else np.zeros(1)


def _convert_in_bands(
    values: _Values, light_of: Any, *, encode: bool = True, raw: bool = False
) -> npt.NDArray[np.uint8]:
    """Convert values to 8 bits in bands: floats of a full picture need eight times the memory."""
    shown = np.empty((*values.shape[:2], 3), np.uint8)
    table = _srgb_table() if encode else _linear_table()
    for top in range(0, values.shape[0], _BAND):
        part = values[top : top + _BAND]
        if not raw:
            part = np.nan_to_num(part.astype(np.float64), posinf=3e38, neginf=0.0)
        light = np.clip(np.nan_to_num(light_of(part), posinf=1.0), 0, 1)
        shown[top : top + _BAND] = table[np.rint(light * 65535).astype(np.uint16)]
    return shown


@lru_cache(maxsize=1)
def _srgb_table() -> npt.NDArray[np.uint8]:
    """Encode light in 65,536 steps as sRGB."""
    return np.rint(255 * color.encoded(np.linspace(0, 1, 65536))).astype(np.uint8)


@lru_cache(maxsize=1)
def _linear_table() -> npt.NDArray[np.uint8]:
    return np.rint(255 * np.linspace(0, 1, 65536)).astype(np.uint8)
