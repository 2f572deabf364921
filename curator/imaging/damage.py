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
_BLOCKS = 3  # a part has at least so many where it is one of 32
_NOTABLE = 2.0  # grey levels; a part with less has no step
_SHARE = 0.7  # of the parts of a step have at least that
_FIRM = 0.8  # of them are no further from its height than what counts as its spread
# Measured on 175 clean photos of many cameras the highest was -2.0; half of the visible damage
# without a word from the decoder gives more than 5 (`tests/bench/test_damage.py`).
_LEAST = 2.0


def is_shifted(rgb: _Array, unit: tuple[int, int]) -> bool:
    """Whether light or color jumps from the middle of a row of blocks on.

    Args:
        rgb: (H, W, 3) uint8, a whole JPEG as stored, neither scaled nor turned.
        unit: (width, height) px of its blocks, all components together.

    Thread: any; about a sixth of what decoding to grey takes.
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
        Three of (rows - 1, stretches): median over a stretch, grey levels, of how much more
        changes across the edge than beside it.
    """
    wide, high = unit
    count = len(range(high, rgb.shape[0] - 4, high))
    across = rgb.shape[1] // wide // stretches * stretches * wide
    columns = slice(wide // 4, across, wide // 2)
    # Two rows away from the edge: chroma of half the height is interpolated across it. One channel
    # after the other, which takes half the time of all three.
    red, green, blue = (
        [rgb[high + at :: high, columns, channel][:count].astype(np.int16) for at in (-5, -2, 1, 4)]
        for channel in range(3)
    )
    middle = len(range(*columns.indices(across))) // stretches // 2
    found = []
    for kind in (green, *map(_less, (red, blue), (green, green))):
        above, before, after, below = kind
        twice = 3 * (after - before) + above - below
        parts = np.partition(twice.reshape(count, stretches, -1), middle, axis=2)
        found.append(parts[:, :, middle] / 2)
    return found


def _less(lines: list[_Array], others: list[_Array]) -> list[_Array]:
    return [line - other for line, other in zip(lines, others, strict=True)]


def _score(steps: _Array) -> float:
    """Score the likeliest place where a shift begins, in grey levels over what else is there."""
    stretches = steps.shape[1]
    notable = (np.abs(steps) > _NOTABLE).sum(axis=1)
    rows = np.flatnonzero(notable[:-1] + notable[1:] >= _SHARE * stretches)
    if not rows.size:
        return -np.inf
    noise = float(np.median(np.abs(steps)))
    first, second = steps[rows], steps[rows + 1]
    best = -np.inf
    for at in range(1, stretches - 1):  # the shift begins within this stretch
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
