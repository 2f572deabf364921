"""Technical measures of full-resolution pixels: sharpness and exposure.

They sort and explain; nothing is ever rejected by them. Sharpness is variance of Laplacian done
right, and cheap: structure at a coarse scale picks some 60 tiles, and only those are looked at in
full resolution. `tests/bench` measures how well it separates real photos from blurred copies.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.imaging.pixels import block_average, medians
from curator.model import Quality

_Array = npt.NDArray[Any]

TILE = 64  # px at full resolution; small enough that an eye fills some
_CELLS = 6  # 6 x 6 cells, each of which contributes a tile, so that a small subject counts
_EXTRA = 16  # tiles with the most structure in the whole picture, added to those
_BEST = 8  # the score is computed from this many of the sharpest tiles
_CALM = 24  # the noise is estimated from at most this many tiles
_SAMPLED = 240  # tiles looked at for the noise alone
_NOISE = 1.5  # times the noise floor is subtracted, because the floor itself scatters
_FLOOR = 10.0  # gray levels², keeps the ratio quiet where there is no structure at all
# Coarse energy in gray levels²: up to _EMPTY a tile of the map is 0, from _FULL on it counts fully.
# In real photos clear skies and mist have 1 to 4, the dullest rock 15.
_EMPTY, _FULL = 4.0, 16.0
# Second differences along 0, 45, 90 and 135 degrees.
_KERNELS = tuple(
    np.array(kernel, np.float32)
    for kernel in (
        [[0, 0, 0], [-1, 2, -1], [0, 0, 0]],
        [[-1, 0, 0], [0, 2, 0], [0, 0, -1]],
        [[0, -1, 0], [0, 2, 0], [0, -1, 0]],
        [[0, 0, -1], [0, 2, 0], [-1, 0, 0]],
    )
)
# Raw ratio that scores 50, and the steepness of the curve; see score().
_MIDDLE, _STEEP = 0.35, 1.6
# Channel values that count as clipped: JPEG rounding moves 255 and 0 by one.
_HIGH, _LOW = 254, 1
_STRIP = 32  # rows at a time, so that a strip stays in the processor's cache


def measure(rgb: _Array, half: _Array | None = None) -> Quality:
    """Measure a picture.

    Args:
        rgb: (H, W, 3) uint8 at full resolution, in any orientation; or its luma (H, W).
        half: the same at half size (:func:`pixels.block_average`), if at hand.

    Returns:
        The measures; ``sharpest`` is in fractions of the array as given.
    """
    raw, sharpest = sharpness(rgb, half)
    highlights, shadows = clipping(rgb)
    return Quality(score(raw), exposure_score(highlights, shadows), highlights, shadows, sharpest)


def score(raw: float) -> float:
    """Map the raw ratio to 0-100, strictly rising.

    A logistic in log(raw). Of 80 real photos of many cameras a tenth score under 42, half under
    70 and nine tenths under 88; large files straight from a camera lie in the lower half, since
    their single pixels are softer. Blurred by 1.5 px the same photos score 8 to 18.
    """
    if raw <= 0:
        return 0.0
    return round(_logistic(raw), 1)


def _logistic(raw: Any) -> Any:
    return 100.0 / (1.0 + (_MIDDLE / raw) ** _STEEP)


def exposure_score(highlights: float, shadows: float) -> float:
    """Map clipped shares (0-1) to 0-100: 100 nothing clipped, 72 at 5 % of blown highlights.

    Shadows weigh half: black is often meant, and sensors keep more there.
    """
    loss = highlights + shadows / 2
    return round(100.0 * float(np.exp(-loss / 0.15)), 1)


def clipping(rgb: _Array) -> tuple[float, float]:
    """Return the shares (0-1) of clipped pixels: blown in any channel; black in all channels."""
    high = low = 0
    for top in range(0, rgb.shape[0], _STRIP):
        most = _most(rgb[top : top + _STRIP])
        high += int(np.count_nonzero(most >= _HIGH))
        low += int(np.count_nonzero(most <= _LOW))
    total = rgb.shape[0] * rgb.shape[1]
    return high / total, low / total


def clipped(rgb: _Array) -> tuple[_Array, _Array]:
    """Mark the pixels blown in any channel, and those black in all: two masks of 0 and 255."""
    most = _most(rgb)
    return cv2.inRange(most, _HIGH, 255), cv2.inRange(most, 0, _LOW)


def _most(rgb: _Array) -> _Array:
    """Return the largest channel of each pixel, (H, W); a luma is returned unchanged."""
    if rgb.ndim == 2:
        return rgb
    red, green, blue = cv2.split(rgb)
    return cv2.max(cv2.max(red, green), blue)


def sharpness(
    pixels: _Array, half: _Array | None = None
) -> tuple[float, tuple[float, float] | None]:
    """Measure sharpness as a ratio of fine to coarse structure, free of contrast and noise.

    For each chosen tile and each of four directions: the energy of second differences at full
    resolution, less the noise floor, over the same at quarter resolution. The weakest direction
    counts, and the more so the less the strongest agrees: motion blur leaves the edges along it
    sharp, a picture in focus is sharp all round.

    Args:
        pixels: (H, W, 3) RGB or (H, W) luma, uint8, full resolution.
        half: the same at half size, if at hand.

    Returns:
        The raw ratio (0 and up; see :func:`score`) and the center of the sharpest tile as
        fractions of width and height; None without structure.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < TILE:
        pad = (0, max(0, TILE - height), 0, max(0, TILE - width))
        pixels, half = cv2.copyMakeBorder(pixels, *pad, cv2.BORDER_REFLECT), None
    rows, columns = pixels.shape[0] // TILE, pixels.shape[1] // TILE
    if half is None:
        half = block_average(pixels, 2)
    coarse, light = _coarse(half, rows, columns)
    picked = _pick(coarse.min(axis=1), rows, columns)
    calm = _calmest(coarse.sum(axis=1), light)
    fine = _fine(pixels, np.concatenate([picked, calm]), columns)
    noise = float(medians(fine[len(picked) :].min(axis=1)))
    ratio = _ratio(fine[: len(picked)], coarse[picked], noise)
    order = np.argsort(-ratio.min(axis=1), kind="stable")[:_BEST]
    by_direction = ratio[order].mean(axis=0)
    weakest, strongest = float(by_direction.min()), float(by_direction.max())
    if strongest <= 0:
        return 0.0, None
    row, column = divmod(int(picked[order[0]]), columns)
    center = ((column + 0.5) * TILE / width, (row + 0.5) * TILE / height)
    return weakest / strongest**0.5, (min(center[0], 1.0), min(center[1], 1.0))


def _ratio(fine: _Array, coarse: _Array, noise: float) -> _Array:
    """Compare fine energies with coarse ones, the sensor's noise taken out of both."""
    return np.maximum(fine - _NOISE * noise, 0) / (np.maximum(coarse - noise / 16, 0) + _FLOOR)


def noise_floor(pixels: _Array) -> float:
    """Estimate the energy of the sensor's noise from the calmest of tiles all over a picture.

    Args:
        pixels: (H, W, 3) RGB or (H, W) luma, uint8, full resolution; may be a view.

    Returns:
        The energy of second differences, for :func:`region_sharpness`; 0 for a tiny picture.
    """
    rows, columns = pixels.shape[0] // TILE, pixels.shape[1] // TILE
    if not rows * columns:
        return 0.0
    tiles = np.unique(np.linspace(0, rows * columns - 1, _SAMPLED).astype(np.intp))
    stack = _luma_of(pixels, tiles, columns)
    edge = TILE // 4
    blocks = stack.reshape(len(stack), edge, 4, edge, 4).mean(axis=(2, 4))
    calm = _calmest(blocks.var(axis=(1, 2)), blocks.mean(axis=(1, 2)))
    return float(medians(_fine_energies(stack[calm]).min(axis=1)))


def region_sharpness(luma: _Array, noise: float) -> float:
    """Measure the sharpness of a small region as a whole, as :func:`sharpness` does that of tiles.

    Args:
        luma: (H, W) uint8, full resolution, at least 12 x 12.
        noise: the picture's noise, from :func:`noise_floor`.

    Returns:
        The raw ratio (0 and up; see :func:`score`).
    """
    quarter = block_average(luma, 4).astype(np.float32)
    fine, coarse = _fine_energies(luma[None].astype(np.float32)), _fine_energies(quarter[None])
    ratio = _ratio(fine, coarse, noise)[0]
    weakest, strongest = float(ratio.min()), float(ratio.max())
    return weakest / strongest**0.5 if strongest > 0 else 0.0


def sharpness_map(luma: _Array) -> _Array:
    """Score every tile of a picture as :func:`sharpness` scores its best ones.

    Args:
        luma: (H, W) uint8, full resolution.

    Returns:
        (ceil(H / TILE), ceil(W / TILE)) uint8, 0-100; tiles cut by an edge are filled by mirroring.
        A tile with hardly any structure, such as clear sky, is 0.
    """
    rows, columns = (-(-edge // TILE) for edge in luma.shape)
    pad = (0, rows * TILE - luma.shape[0], 0, columns * TILE - luma.shape[1])
    if any(pad):
        luma = cv2.copyMakeBorder(luma, *pad, cv2.BORDER_REFLECT)
    coarse, light = _coarse(block_average(luma, 2), rows, columns)
    fine = np.concatenate(
        [
            _energies(luma[TILE * row : TILE * (row + 1)], (columns, 1), cv2.BORDER_REFLECT)
            for row in range(rows)
        ]
    )
    noise = float(medians(fine[_calmest(coarse.sum(axis=1), light)].min(axis=1)))
    ratio = _ratio(fine, coarse, noise)
    weakest, strongest = ratio.min(axis=1), ratio.max(axis=1)
    raw = weakest / np.sqrt(np.maximum(strongest, 1e-9))
    with np.errstate(divide="ignore"):
        scores = _logistic(raw)
    weight = np.clip((coarse.max(axis=1) - _EMPTY) / (_FULL - _EMPTY), 0, 1)
    return np.rint(scores * weight).astype(np.uint8).reshape(rows, columns)


def _energies(luma: _Array, size: tuple[int, int], border: int) -> _Array:
    """Return the energy of second differences by direction, averaged down to ``size``: (N, 4)."""
    energies = []
    for kernel in _KERNELS:
        difference = cv2.filter2D(luma, cv2.CV_32F, kernel, borderType=border)
        squared = cv2.multiply(difference, difference)
        energies.append(cv2.resize(squared, size, interpolation=cv2.INTER_AREA).ravel())
    return np.stack(energies, axis=1)


def _coarse(half: _Array, rows: int, columns: int) -> tuple[_Array, _Array]:
    """Return every tile's energy by direction at quarter size (N, 4), and its mean level (N,)."""
    if half.ndim == 3:
        half = cv2.cvtColor(half, cv2.COLOR_RGB2GRAY)
    edge = TILE // 4
    quarter = block_average(half, 2)
    missing = (rows * edge - quarter.shape[0], columns * edge - quarter.shape[1])
    if max(missing) > 0:  # an odd edge lost a row on the way
        quarter = cv2.copyMakeBorder(
            quarter, 0, max(0, missing[0]), 0, max(0, missing[1]), cv2.BORDER_REPLICATE
        )
    quarter = quarter[: rows * edge, : columns * edge]
    size = (columns, rows)
    light = cv2.resize(quarter, size, interpolation=cv2.INTER_AREA).ravel()
    return _energies(quarter, size, cv2.BORDER_REPLICATE), light


def _pick(structure: _Array, rows: int, columns: int) -> _Array:
    """Choose tiles: the best of each cell, and the best of all."""
    down, across = np.divmod(np.arange(rows * columns), columns)
    cells = (down * _CELLS // max(rows, _CELLS)) * _CELLS + across * _CELLS // max(columns, _CELLS)
    order = np.lexsort((-structure, cells))
    first = np.r_[True, cells[order][1:] != cells[order][:-1]]
    picked = np.zeros(len(structure), bool)  # np.union1d imports numpy.ma, see `medians`
    picked[order[first]] = True
    picked[np.argsort(-structure, kind="stable")[:_EXTRA]] = True
    return np.flatnonzero(picked)


def _calmest(structure: _Array, light: _Array) -> _Array:
    """Choose the calmest tiles that are neither black, white nor dead: they show the noise."""
    able = (light > 12) & (light < 243) & (structure > 0)
    count = min(_CALM, max(1, len(structure) // 20))
    order = np.argsort(np.where(able, structure, np.inf), kind="stable")[:count]
    kept = order[able[order]]
    return kept if kept.size else order[:1]


def _fine(pixels: _Array, tiles: _Array, columns: int) -> _Array:
    """Return the energy by direction of some tiles at full resolution, (K, 4)."""
    return _fine_energies(_luma_of(pixels, tiles, columns))


def _luma_of(pixels: _Array, tiles: _Array, columns: int) -> _Array:
    """Return the luma of some tiles, (K, TILE, TILE) float32."""
    corners = [(TILE * int(tile // columns), TILE * int(tile % columns)) for tile in tiles]
    strip = np.concatenate([pixels[y : y + TILE, x : x + TILE] for y, x in corners])
    if strip.ndim == 3:
        strip = cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
    return strip.reshape(len(corners), TILE, TILE).astype(np.float32)


def _fine_energies(stack: _Array) -> _Array:
    """Return the energy by direction of pictures of equal size (K, H, W): (K, 4)."""
    middle = 2 * stack[:, 1:-1, 1:-1]
    inner = np.s_[1:-1]
    pairs = (
        (stack[:, inner, :-2], stack[:, inner, 2:]),
        (stack[:, :-2, :-2], stack[:, 2:, 2:]),
        (stack[:, :-2, inner], stack[:, 2:, inner]),
        (stack[:, :-2, 2:], stack[:, 2:, :-2]),
    )
    energies = np.empty((len(stack), 4), np.float32)
    for number, (before, after) in enumerate(pairs):
        difference = middle - before - after
        energies[:, number] = np.einsum("kij,kij->k", difference, difference)
    return energies / np.float32(middle[0].size)
