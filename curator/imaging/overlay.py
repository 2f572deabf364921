"""Measurements for the loupe's overlays, on every pixel of a picture.

Clipping and focus peaking mark single pixels, the sharpness map has one number per tile, the
histogram counts levels. Nothing is drawn here; see `curator.imaging.overlay_mask`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.imaging import quality
from curator.imaging.pixels import block_average

_Array = npt.NDArray[Any]

# The kinds of overlays.
CLIPPING, PEAKING, TILES, HISTOGRAM = "clipping", "peaking", "tiles", "histogram"
KINDS = (CLIPPING, PEAKING, TILES, HISTOGRAM)

# Bits of a mark.
HIGHLIGHT, SHADOW, PEAK = 1, 2, 4
BITS = (HIGHLIGHT, SHADOW, PEAK)
STEP = 4  # the small copy of the marks has one value for 4 x 4 pixels

# Minimal ratio of the second difference over 1 px to the strongest over 4 px nearby. One px of a
# straight edge of any angle gets 2.7 marks if blurred by 0.6 px, 2.2 by 1 px, 0.1 by 1.5 px and
# none by 2 px.
_PEAK_RATIO = 0.18
_PEAK_LEAST = 10.0  # gray levels; a weaker edge is invisible
_PEAK_NOISE = 5.0  # minimal strength of an edge, as a multiple of the calmest tiles'
_PEAK_NEIGHBORS = 3  # minimal marks in 3 x 3 px, including the center: edges are lines, not points
_BAND = 128  # rows at a time, so that they stay in the processor's cache; a multiple of STEP
_MARGIN = 3 * STEP  # rows that neighboring bands share, so that both get the same result


@dataclass(slots=True)
class Overlay:
    """The measurements of one picture; those not requested are None.

    Attributes:
        kinds: the kinds measured.
        marks: (H, W) uint8, bits HIGHLIGHT, SHADOW and PEAK of every pixel.
        shares: (ceil(H / 4), ceil(W / 4), 3) uint8, the share (0-255) of each 16 pixels that have
            the bit, in the order of BITS.
        tiles: (ceil(H / 64), ceil(W / 64)) uint8, sharpness 0-100 of every tile of 64 px.
        histogram: (3, 256) int64, the number of pixels with each level of red, green and blue.
        clipped: shares (0-1) of pixels blown in any channel, and black in all.
    """

    kinds: frozenset[str]
    marks: _Array | None = None
    shares: _Array | None = None
    tiles: _Array | None = None
    histogram: _Array | None = None
    clipped: tuple[float, float] | None = None


def measure(rgb: _Array, kinds: Collection[str]) -> Overlay:
    """Measure a picture for some overlays.

    Args:
        rgb: (H, W, 3) uint8 at full resolution, in the file's own colors: after a conversion to
            another color space, other pixels would be clipped.
        kinds: names from KINDS.
    """
    found = Overlay(frozenset(kinds))
    luma: _Array | None = None
    if PEAKING in kinds or TILES in kinds:
        luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if TILES in kinds and luma is not None:
        found.tiles = quality.sharpness_map(luma)
    if HISTOGRAM in kinds:
        found.histogram = histogram(rgb)
    if CLIPPING in kinds or PEAKING in kinds:
        edges = luma if PEAKING in kinds else None
        found.marks, found.shares, high, low = _marked(rgb, CLIPPING in kinds, edges)
        total = rgb.shape[0] * rgb.shape[1]
        found.clipped = (high / total, low / total) if CLIPPING in kinds else None
    return found


def histogram(rgb: _Array) -> _Array:
    """Count the pixels with each level of each channel: (3, 256) int64."""
    counts = np.zeros((3, 256), np.int64)
    # OpenCV counts in float32, which is exact only up to 16.7 million; therefore in bands.
    for top in range(0, rgb.shape[0], _BAND):
        band = [rgb[top : top + _BAND]]
        for channel in range(3):
            found = cv2.calcHist(band, [channel], None, [256], [0, 256])
            counts[channel] += found.ravel().astype(np.int64)
    return counts


def _marked(rgb: _Array, clipping: bool, luma: _Array | None) -> tuple[_Array, _Array, int, int]:
    """Mark clipped pixels and, if ``luma`` is given, edges in focus, band by band.

    Returns:
        Marks and shares as in :class:`Overlay`, and the numbers of highlight and shadow pixels.
    """
    height, width = rgb.shape[:2]
    marks = np.zeros((height, width), np.uint8)
    shares = np.zeros((-(-height // STEP), -(-width // STEP), len(BITS)), np.uint8)
    least = 0.0 if luma is None else _least(luma)
    count = {HIGHLIGHT: 0, SHADOW: 0, PEAK: 0}
    for top in range(0, height, _BAND):
        rows = slice(top, min(top + _BAND, height))
        masks = (
            dict(zip((HIGHLIGHT, SHADOW), quality.clipped(rgb[rows]), strict=True))
            if clipping
            else {}
        )
        if luma is not None:
            masks[PEAK] = _peaks(luma, rows, least)
        for bit, mask in masks.items():
            count[bit] += cv2.countNonZero(mask)
            marks[rows] |= mask & np.uint8(bit)
            small = shares[rows.start // STEP : -(-rows.stop // STEP)]
            small[:, :, BITS.index(bit)] = _share(mask)
    return marks, shares, count[HIGHLIGHT], count[SHADOW]


def _peaks(luma: _Array, rows: slice, least: float) -> _Array:
    """Mark the edges in focus in some rows: 0 or 255.

    A pixel is marked if its second difference exceeds the noise, is large compared to the same
    place at quarter size, and has marked neighbors.
    """
    start, stop = max(0, rows.start - _MARGIN), min(luma.shape[0], rows.stop + _MARGIN)
    band = luma[start:stop]
    height, width = band.shape
    if min(height, width) < STEP:
        return np.zeros((rows.stop - rows.start, width), np.uint8)
    fine = cv2.convertScaleAbs(cv2.Laplacian(band, cv2.CV_16S, ksize=1))
    small = block_average(band, STEP)
    coarse = cv2.convertScaleAbs(cv2.Laplacian(small, cv2.CV_16S, ksize=1), alpha=_PEAK_RATIO)
    # Take the strongest nearby, because the extremes of an edge lie beside it.
    coarse = cv2.dilate(coarse, np.ones((3, 3), np.uint8))
    coarse = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    marks: _Array = cv2.compare(fine, coarse, cv2.CMP_GT)
    marks &= cv2.inRange(fine, least, 255)
    around = cv2.boxFilter(marks, cv2.CV_16U, (3, 3), normalize=False)
    marks &= cv2.inRange(around, 255 * _PEAK_NEIGHBORS, 255 * 9)
    return marks[rows.start - start : rows.stop - start]


def _least(luma: _Array) -> float:
    """Return the minimal second difference of an edge, from that of the calmest tiles."""
    height, width = (edge // quality.TILE for edge in luma.shape)
    if not width:
        return _PEAK_LEAST
    calm: list[_Array] = [np.zeros(0, np.uint8)]
    for row in range(height):
        band = luma[quality.TILE * row : quality.TILE * (row + 1), : quality.TILE * width]
        fine = cv2.convertScaleAbs(cv2.Laplacian(band, cv2.CV_16S, ksize=1))
        difference = cv2.resize(fine, (width, 1), interpolation=cv2.INTER_AREA)
        light = cv2.resize(band, (width, 1), interpolation=cv2.INTER_AREA)
        calm.append(difference[(light > 12) & (light < 243)])
    lit = np.concatenate(calm)
    noise = float(np.percentile(lit, 5)) if lit.size else 0.0
    return max(_PEAK_LEAST, _PEAK_NOISE * noise)


def _share(mask: _Array) -> _Array:
    """Average blocks of STEP x STEP; pixels missing at right and bottom count as unmarked."""
    height, width = (-(-edge // STEP) * STEP for edge in mask.shape)
    pad = (0, height - mask.shape[0], 0, width - mask.shape[1])
    padded = cv2.copyMakeBorder(mask, *pad, cv2.BORDER_CONSTANT) if any(pad) else mask
    return block_average(padded, STEP)
