"""Where the tiles of the grid lie, by arithmetic: no cost grows with the number of photos."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect

GAP = 8
FOOTER = 22
CAPTION = 16  # px more below a picture if tiles show name and date
MARGIN = 12
SHAPES = (2 / 3, 3 / 4, 1.0)
"""Allowed ratios of a cell's height to its width: 3:2 frames, 4:3 frames, square."""
_BELOW = (FOOTER + GAP) / 184  # height of a row without pictures, over the width of a usual tile


def fitting_shape(ratios: NDArray[np.float32]) -> float:
    """Return the shape of cells that shows these pictures largest on a screen.

    All cells have one shape, so that no picture that arrives late moves another. A picture taller
    than its cell is shown at the height of the row.

    Args:
        ratios: (N,) height / width of the pictures; if empty, the result is 3:2.
    """

    def shown(shape: float) -> float:
        areas = np.where(ratios <= shape, ratios, shape * shape / np.maximum(ratios, 1e-3))
        return float(areas.mean()) / (shape + _BELOW)

    return max(SHAPES, key=shown) if len(ratios) else SHAPES[0]


@dataclass(frozen=True, slots=True)
class GridLayout:
    """The rectangles of ``count`` tiles in rows, in logical px from the top of the grid.

    A tile is a cell for the picture, ``edge`` wide and ``shape`` times as high, with a footer of
    ``foot`` px below. Columns fill the width: ``edge`` is at least ``thumb_px`` and grows until
    another column fits, so that the right edge is straight and gaps are always 8 px.
    """

    width: int
    count: int
    thumb_px: int
    shape: float = SHAPES[0]
    foot: int = FOOTER
    columns: int = field(init=False)  # tiles per row
    edge: int = field(init=False)  # width of a cell, px
    tall: int = field(init=False)  # height of a cell, px
    pitch: int = field(init=False)  # distance between rows, px

    def __post_init__(self) -> None:
        # Computed once: painting a screen asks thousands of times.
        inside = self.width - 2 * MARGIN + GAP
        columns = max(1, inside // (self.thumb_px + GAP))
        edge = max(self.thumb_px, min(inside // columns - GAP, 2 * self.thumb_px))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "edge", edge)
        object.__setattr__(self, "tall", round(edge * self.shape))
        object.__setattr__(self, "pitch", self.tall + self.foot + GAP)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return -(-self.count // self.columns)

    @property
    def height(self) -> int:
        """Height of all rows with margins, px."""
        return self.rows * self.pitch - GAP + 2 * MARGIN if self.count else 0

    def top(self, index: int) -> int:
        """Return y of the row of a tile, px."""
        return MARGIN + index // self.columns * self.pitch

    def rect(self, index: int) -> QRect:
        """Return the rectangle of a tile with its footer."""
        left = MARGIN + index % self.columns * (self.edge + GAP)
        return QRect(left, self.top(index), self.edge, self.tall + self.foot)

    def at(self, x: int, y: int) -> int | None:
        """Return the tile at a point, or None in a gap."""
        column, inside_x = divmod(x - MARGIN, self.edge + GAP)
        row, inside_y = divmod(y - MARGIN, self.pitch)
        index = row * self.columns + column
        if not (0 <= column < self.columns and row >= 0 and index < self.count):
            return None
        return index if inside_x < self.edge and inside_y < self.tall + self.foot else None

    def between(self, top: int, bottom: int) -> range:
        """Return the tiles of all rows that overlap ``top <= y < bottom``."""
        first = max(0, (top - MARGIN + GAP) // self.pitch)
        last = max(first, -(-(bottom - MARGIN) // self.pitch))
        return range(min(first * self.columns, self.count), min(last * self.columns, self.count))
