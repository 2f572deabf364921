"""Damage of a JPEG that no decoder notices: brightness jumps in the middle of a row of blocks.

A JPEG stores the mean of each block as the difference to the previous block. One flipped bit in
such a difference makes everything after it lighter, darker or of another color, and the file still
decodes to its end. The damage shows as a step along the top of the remaining blocks of this row,
and along the top of the preceding ones in the next row, equally high; real pictures have no such
steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from curator.imaging.pixels import medians

_Array = npt.NDArray[Any]

_STRETCHES = (32, 16, 8)  # a row of blocks is divided into this many stretches
_BYTES = 7  # distance of the bytes sampled; not a multiple of three
_BLOCKS = 3  # minimal blocks per stretch, to divide a row into 16 or 32
_NOTABLE = 2.0  # gray levels; smaller differences are ignored
_SHARE = 0.6  # this share of the stretches of a step must be notable
_FIRM = 0.8  # this quantile of the deviations from a step's height is its spread
# The highest score of 413 clean JPEGs was -2.5; more than half of the visible damage that no
# decoder reports scores above 4 (`tests/bench/test_damage.py` has the shares by kind).
_LEAST = 2.0


def is_shifted(rgb: _Array, unit: tuple[int, int]) -> bool:
    """Whether brightness or color jumps in the middle of a row of blocks.

    Args:
        rgb: (H, W, 3) uint8, a complete JPEG as stored, neither scaled nor turned.
        unit: (width, height) px of its blocks, all components together.

    Thread: any; takes about a tenth of the time of decoding to gray.
    """
    wide, high = unit
    across, down = rgb.shape[1] // wide, rgb.shape[0] // high
    stretches = next((some for some in _STRETCHES if across >= _BLOCKS * some), 8)
    if across < stretches or down < 4:
        return False
    return any(_score(rows) >= _LEAST for rows in _steps(rgb, unit, stretches))


def _steps(rgb: _Array, unit: tuple[int, int], stretches: int) -> list[_Array]:
    """Measure the steps between rows of blocks, for brightness and two color differences.

    Returns:
        Three arrays (rows - 1, stretches): the median over a stretch, in gray levels, of how much
        larger the change across the edge is than beside it.
    """
    wide, high = unit
    count = len(range(high, rgb.shape[0] - 4, high))
    across = rgb.shape[1] // wide * wide
    # Every 7th byte, so that one pass over the rows samples all channels: reading memory is the
    # cost. Two rows away from the edge, because chroma of half height is interpolated across it.
    per = 3 * (len(range(0, 3 * across, _BYTES)) // stretches // 3)
    if per < 9:
        return []
    columns = slice(0, _BYTES * per * stretches, _BYTES)
    flat = rgb.reshape(rgb.shape[0], -1)
    above, before, after, below = (
        flat[high + at :: high, columns][:count].astype(np.int16) for at in (-5, -2, 1, 4)
    )
    twice = (3 * (after - before) + above - below).reshape(count, stretches, per // 3, 3)
    middle = per // 6
    parts = np.partition(twice.transpose(3, 0, 1, 2), middle, axis=3)[..., middle] / 2
    red, green, blue = parts
    return [green, red - green, blue - green]


def _likely(notable: _Array) -> _Array:
    """Mark (row, stretch) where a shift may begin: most of the rest steps in one direction."""
    begun = np.cumsum(notable, axis=1)
    following = begun[:-1, -1:] - begun[:-1] + np.roll(begun[1:], 1, axis=1)
    likely: _Array = following >= _SHARE * notable.shape[1]
    likely[:, [0, -1]] = False  # a full row of blocks is the edge of a frame, or a horizon
    return likely


def _score(steps: _Array) -> float:
    """Return the best score of a shift: its height in gray levels above all other changes."""
    stretches = steps.shape[1]
    likely = _likely(steps > _NOTABLE) | _likely(steps < -_NOTABLE)
    if not likely.any():
        return -np.inf
    noise, best = float(medians(np.abs(steps).ravel())), -np.inf
    for at in np.flatnonzero(likely.any(axis=0)).tolist():
        rows = np.flatnonzero(likely[:, at])
        first, second = steps[rows], steps[rows + 1]
        right, left = first[:, at + 1 :], second[:, :at]
        both = np.concatenate([right, left], axis=1)
        height = medians(both)
        spread = np.sort(np.abs(both - height[:, None]), axis=1)[:, int(_FIRM * stretches)]
        unlike = np.abs(medians(right) - medians(left))
        outside = np.maximum(np.abs(medians(first[:, :at])), np.abs(medians(second[:, at + 1 :])))
        score = np.abs(height) - 1.5 * spread - unlike - 1.5 * outside - noise
        best = max(best, float(score.max()))
    return best
