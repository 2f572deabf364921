"""Damage of a JPEG that no decoder notices: the light jumps in the middle of a row of blocks.

A JPEG keeps the mean of each block as the difference to the block before. One flipped bit in such
a difference makes everything that follows lighter, darker or of another color, and the file still
decodes to its end. What shows is a step along the top of the blocks that follow in this row, and
along the top of those before in the next row, as high in both; pictures have no such steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]

_STRETCHES = (32, 16, 8)  # a row of blocks is looked at in so many parts, each some blocks wide
_BYTES = 7  # from one value looked at to the next; no multiple of three
_BLOCKS = 3  # a part has at least so many where it is one of 32
_NOTABLE = 2.0  # gray levels; a part with less has no step
_SHARE = 0.6  # of the parts of a step have at least that
_FIRM = 0.8  # of them are no further from its height than what counts as its spread
# The highest of 413 clean JPEGs was -2.5; more than half of the visible damage no decoder has a
# word about gives more than 4 (`tests/bench/test_damage.py` has the shares by kind).
_LEAST = 2.0


def is_shifted(rgb: _Array, unit: tuple[int, int]) -> bool:
    """Whether light or color jumps from the middle of a row of blocks on.

    Args:
        rgb: (H, W, 3) uint8, a whole JPEG as stored, neither scaled nor turned.
        unit: (width, height) px of its blocks, all components together.

    Thread: any; about a tenth of what decoding to gray takes.
    """
    wide, high = unit
    across, down = rgb.shape[1] // wide, rgb.shape[0] // high
    stretches = next((some for some in _STRETCHES if across >= _BLOCKS * some), 8)
    if across < stretches or down < 4:
        return False
    return any(_score(rows) >= _LEAST for rows in _steps(rgb, unit, stretches))


def _steps(rgb: _Array, unit: tuple[int, int], stretches: int) -> list[_Array]:
    """Measure the steps between rows of blocks, for light and two differences of color.

    Returns:
        Three of (rows - 1, stretches): median over a stretch, gray levels, of how much more
        changes across the edge than beside it.
    """
    wide, high = unit
    count = len(range(high, rgb.shape[0] - 4, high))
    across = rgb.shape[1] // wide * wide
    # Every 7th byte, so that one pass over the rows gives each channel in turn: reading them is
    # what costs. Two rows away from the edge: chroma of half the height is interpolated across it.
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
    """Mark (row, stretch) where a shift may begin: most of what follows steps in one direction."""
    begun = np.cumsum(notable, axis=1)
    following = begun[:-1, -1:] - begun[:-1] + np.roll(begun[1:], 1, axis=1)
    likely: _Array = following >= _SHARE * notable.shape[1]
    likely[:, [0, -1]] = False  # a whole row of blocks: the edge of a frame, a horizon
    return likely


def _score(steps: _Array) -> float:
    """Score the likeliest place where a shift begins, in gray levels over what else is there."""
    stretches = steps.shape[1]
    likely = _likely(steps > _NOTABLE) | _likely(steps < -_NOTABLE)
    if not likely.any():
        return -np.inf
    noise, best = float(np.median(np.abs(steps))), -np.inf
    for at in np.flatnonzero(likely.any(axis=0)).tolist():
        rows = np.flatnonzero(likely[:, at])
        first, second = steps[rows], steps[rows + 1]
        right, left = first[:, at + 1 :], second[:, :at]
        both = np.concatenate([right, left], axis=1)
        height = np.median(both, axis=1)
        spread = np.sort(np.abs(both - height[:, None]), axis=1)[:, int(_FIRM * stretches)]
        unlike = np.abs(np.median(right, axis=1) - np.median(left, axis=1))
        outside = np.maximum(
            np.abs(np.median(first[:, :at], axis=1)),
            np.abs(np.median(second[:, at + 1 :], axis=1)),
        )
        score = np.abs(height) - 1.5 * spread - unlike - 1.5 * outside - noise
        best = max(best, float(score.max()))
    return best
