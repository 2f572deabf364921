"""The positions of the grid's tiles, by arithmetic: no cost grows with the number of photos."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect

GAP = 8
FOOTER = 22
CAPTION = 16  # px more below a picture if tiles show name and capture time
MARGIN = 12
SHAPES = (2 / 3, 3 / 4, 1.0)
"""Allowed ratios of a cell's height to its width: 3:2 frames, 4:3 frames, square."""
_BELOW = (FOOTER + GAP) / 184  # a row's height without the picture, over the default tile width


def fitting_shape(ratios: NDArray[np.float32]) -> float:
    """Return the shape of cells that shows these pictures largest on a screen.

    All cells have one shape, so that a picture that arrives late moves no other. A picture too
    tall for its cell is shown at the cell's height.

    Args:
        ratios: (N,) height / width of the pictures; if empty, the result is 3:2.
    """

    def shown_area(shape: float) -> float:
        areas = np.where(ratios <= shape, ratios, shape * shape / np.maximum(ratios, 1e-3))
        return float(areas.mean()) / (shape + _BELOW)

    return max(SHAPES, key=shown_area) if len(ratios) else SHAPES[0]


@dataclass(frozen=True, slots=True)
class GridLayout:
    """The rectangles of ``count`` tiles in rows, in logical px from the top of the grid.

    A tile is a cell for the picture, ``shape`` times as high as wide, with a footer below. Cells
    are at least ``thumb_px`` wide and grow, at most to twice that, until another column fits: the
    columns fill the width, and gaps are always 8 px.
    """

    width: int
    count: int
    thumb_px: int
    shape: float = SHAPES[0]
    footer: int = FOOTER
    columns: int = field(init=False)  # tiles per row
    cell_width: int = field(init=False)
    cell_height: int = field(init=False)  # without the footer
    row_height: int = field(init=False)  # with footer and gap

    def __post_init__(self) -> None:
        # Computed once, because painting a screen reads them thousands of times.
        inside = self.width - 2 * MARGIN + GAP
        columns = max(1, inside // (self.thumb_px + GAP))
        cell_width = max(self.thumb_px, min(inside // columns - GAP, 2 * self.thumb_px))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "cell_width", cell_width)
        object.__setattr__(self, "cell_height", round(cell_width * self.shape))
        object.__setattr__(self, "row_height", self.cell_height + self.footer + GAP)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return -(-self.count // self.columns)

    @property
    def height(self) -> int:
        """Height of all rows with margins, px."""
        return self.rows * self.row_height - GAP + 2 * MARGIN if self.count else 0

    def top(self, index: int) -> int:
        """Return y of the row of a tile, px."""
        return MARGIN + index // self.columns * self.row_height

    def rect(self, index: int) -> QRect:
        """Return the rectangle of a tile with its footer."""
        left = MARGIN + index % self.columns * (self.cell_width + GAP)
        return QRect(left, self.top(index), self.cell_width, self.cell_height + self.footer)

    def at(self, x: int, y: int) -> int | None:
        """Return the tile at a point, or None in a gap."""
        column, inside_x = divmod(x - MARGIN, self.cell_width + GAP)
        row, inside_y = divmod(y - MARGIN, self.row_height)
        index = row * self.columns + column
        if not (0 <= column < self.columns and row >= 0 and index < self.count):
            return None
        inside = inside_x < self.cell_width and inside_y < self.cell_height + self.footer
        return index if inside else None

    def between(self, top: int, bottom: int) -> range:
        """Return the tiles of all rows that overlap ``top <= y < bottom``."""
        first = max(0, (top - MARGIN + GAP) // self.row_height)
        last = max(first, -(-(bottom - MARGIN) // self.row_height))
        return range(min(first * self.columns, self.count), min(last * self.columns, self.count))
