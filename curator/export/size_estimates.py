"""Estimates of the size of exported JPEGs, from the proxies of their photos.

The bytes per pixel of a proxy measure how much detail a photo has. The formula for other sizes,
qualities and sharpening was fitted on 222 real photos. It is meant for the sum over an export; a
single photo may be off by a third.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from curator import files
from curator.imaging.proxy import proxy_path
from curator.model import KnownError

# quality -> (a, b): a JPEG has exp(a + b * ln(density)) bytes per pixel, where density is that of a
# proxy of quality 88, at the proxy's size. From 90 on colors have full resolution.
_QUALITIES = {
    60: (-0.53, 1.12),
    70: (-0.35, 1.11),
    80: (-0.15, 1.085),
    89: (0.10, 1.03),
    90: (0.27, 0.975),
    94: (0.41, 0.89),
    98: (0.66, 0.76),
    100: (0.98, 0.73),
}
_PROXY_QUALITY = 88
_GROWTH = -0.13  # exponent of the pixels: a larger picture has less detail in each
_SHARPENED = {"off": 1.0, "screen": 1.036, "print": 1.116}
_FULL_SIZE = 0.86  # from quality 90 on: the original's colors had less than full resolution
_USUAL = 0.205  # bytes per pixel of a typical proxy, for photos without one
_HEADERS, _PROXY_HEADERS = 1500, 600  # bytes: profile, EXIF and tables; tables only


@dataclass(frozen=True, slots=True)
class Proxies:
    """Where proxies are stored, and how they are made: long edge in px, JPEG quality."""

    cache: Path
    long_edge_px: int = 1440
    quality: int = _PROXY_QUALITY

    def density(self, key: str | None, pixels: int) -> float | None:
        """Return a proxy's bytes per pixel, converted to quality 88; None if there is no proxy."""
        if key is None:
            return None
        try:
            size = files.status(proxy_path(self.cache, key)).st_size
        except KnownError:  # no proxy yet, or the cache was cleared
            return None
        found = max(size - _PROXY_HEADERS, 1) / pixels
        a, b = _at(min(self.quality, 89))
        a88, b88 = _at(_PROXY_QUALITY)
        usual = math.log(_USUAL)
        return found * math.exp(a88 + b88 * usual - a - b * usual)


def jpeg_bytes(
    pixels: tuple[int, int],
    edge: int,
    quality: int,
    sharpen: str = "off",
    proxies: Proxies | None = None,
    key: str | None = None,
) -> int:
    """Estimate the size of a JPEG in bytes.

    Args:
        pixels: width and height of the photo in px; zeros if unknown.
        edge: maximal long edge of the JPEG in px; pictures are never enlarged.
        quality: 60 to 100.
        sharpen: off, screen or print.
        proxies: where proxies are stored.
        key: the key of the photo's proxy, None if it has none.
    """
    proxies = proxies or Proxies(Path())
    wide, high = pixels if min(pixels) else (3 * edge, 2 * edge)
    area = _area(wide, high, edge)
    proxy_area = _area(wide, high, proxies.long_edge_px)
    density = proxies.density(key, proxy_area) or _USUAL
    a, b = _at(quality)
    each = math.exp(a + b * math.log(density)) * (area / proxy_area) ** _GROWTH
    if quality >= 90 and edge >= max(wide, high):
        each *= _FULL_SIZE
    return round(area * each * _SHARPENED[sharpen]) + _HEADERS


def _area(wide: int, high: int, edge: int) -> int:
    """Return the number of pixels of a picture scaled down to a long edge."""
    scale = min(1.0, edge / max(wide, high))
    return max(round(wide * scale), 1) * max(round(high * scale), 1)


def _at(quality: int) -> tuple[float, float]:
    """Return the constants of a quality, interpolated between the measured ones."""
    known = sorted(_QUALITIES)
    quality = min(max(quality, known[0]), known[-1])
    after = known[bisect_left(known, quality)]
    before = known[max(bisect_left(known, quality) - 1, 0)] if after != quality else after
    share = (quality - before) / (after - before) if after != before else 0.0
    (a, b), (a2, b2) = _QUALITIES[before], _QUALITIES[after]
    return a + share * (a2 - a), b + share * (b2 - b)
