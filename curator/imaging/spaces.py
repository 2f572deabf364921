"""Profiles for color spaces that a picture states by numbers instead of an embedded profile.

Code points (Rec. ITU-T H.273) are in the cICP chunk of PNG and in HEIC and AVIF; older PNGs have
gAMA and cHRM. The result is None for sRGB, which needs no conversion.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from curator.imaging import icc

_D65 = (0.3127, 0.3290)
_SRGB = (_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
# H.273, table 2, as far as used in pictures: white, red, green, blue. 2 is "unspecified".
_PRIMARIES = {
    1: _SRGB,
    2: _SRGB,
    5: (_D65, (0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
# H.273, table 3. The curves of video cameras (1, 6, 14, 15) are treated as sRGB, as in browsers
# and libavif.
_PLAIN = {1, 2, 6, 13, 14, 15}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}
_PQ, _HLG = 16, 18
HDR = {_PQ, _HLG}
"""Transfers with highlights too bright for a screen; they are rolled off."""
_WHITE_NITS = 203.0  # ITU-R BT.2408: paper white in HDR
_HLG_PEAK = 1000.0
_KNEE = 0.75  # share of white above which highlights are rolled off
# PNG (third edition), 11.3.2.1: writers state a gamma of 45455 for sRGB.
_SRGB_GAMMA = 0.45455
_NEAR = 0.01


@lru_cache(maxsize=16)
def of_code_points(primaries: int, transfer: int) -> bytes | None:
    """Return a profile for two code points; None for sRGB and unknown ones."""
    points = _PRIMARIES.get(primaries)
    if points is None or (points is _SRGB and transfer in _PLAIN):
        return None
    if transfer in _PLAIN:
        return icc.build_profile(points, _srgb)
    if transfer in _GAMMAS:
        return icc.build_profile(points, lambda value: value ** _GAMMAS[transfer])
    if transfer in HDR:
        return icc.build_profile(points, _pq if transfer == _PQ else _hlg)
    return None


@lru_cache(maxsize=16)
def of_png(gamma: float | None, chromaticities: tuple[float, ...] | None) -> bytes | None:
    """Return a profile for gAMA and cHRM of a PNG (x and y of white, red, green, blue)."""
    points = _SRGB
    if chromaticities is not None and len(chromaticities) == 8:
        pairs = list(zip(chromaticities[::2], chromaticities[1::2], strict=True))
        flat = [part for pair in _SRGB for part in pair]
        if max(abs(a - b) for a, b in zip(chromaticities, flat, strict=True)) > _NEAR:
            points = (pairs[0], pairs[1], pairs[2], pairs[3])
    plain = gamma is None or abs(gamma - _SRGB_GAMMA) <= _NEAR or not 0.1 <= gamma <= 10
    if plain and points is _SRGB:
        return None
    return icc.build_profile(
        points, _srgb if plain or gamma is None else lambda value: value ** (1 / gamma)
    )


def _srgb(value: icc.Floats) -> icc.Floats:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _pq(value: icc.Floats) -> icc.Floats:
    """SMPTE ST 2084: value to light, 1 being paper white."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = value ** (1 / m2)
    light = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return _rolled_off(light * 10000 / _WHITE_NITS)


def _hlg(value: icc.Floats) -> icc.Floats:
    """ITU-R BT.2100: value to light of a display of 1000 nits, 1 being paper white."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    return _rolled_off(scene**1.2 * _HLG_PEAK / _WHITE_NITS)


def _rolled_off(light: icc.Floats) -> icc.Floats:
    over = np.maximum(light - _KNEE, 0) / (1 - _KNEE)
    return np.minimum(light, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over))
