"""Where the tiles of a contact sheet lie, by arithmetic: nothing is laid out, at any length."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect

GAP = 8
FOOTER = 22
CAPTION = 16  # px more below a picture, where tiles say name and date
MARGIN = 12
SHAPES = (2 / 3, 3 / 4, 1.0)
"""Heights a cell may have for its width: of 3:2 and of 4:3 frames, and square."""
_BELOW = (FOOTER + GAP) / 184  # of a row that holds no picture, for the width of a usual tile


def fitting_shape(ratios: NDArray[np.float32]) -> float:
    """Return the shape of cells that shows most of these pictures on a screen.

    Cells are all of one shape, so that no picture that arrives late moves another. A picture
    taller than its cell has the height of its row, as in a justified sheet.

    Args:
        ratios: (N,) height / width of the pictures; none at all counts as 3:2.
    """

    def shown(shape: float) -> float:
        areas = np.where(ratios <= shape, ratios, shape * shape / np.maximum(ratios, 1e-3))
        return float(areas.mean()) / (shape + _BELOW)

    return max(SHAPES, key=shown) if len(ratios) else SHAPES[0]


@dataclass(frozen=True, slots=True)
class GridLayout:
    """A sheet of ``count`` tiles in rows, in logical px of its own, from the top.

    A tile is a cell for the picture, ``edge`` wide and ``shape`` times that high, with a footer of
    ``foot`` px below it. Columns fill the
    width: ``edge`` is at least the ``thumb_px`` asked for and less than a column's share more,
    so the right edge is never ragged and the gap is always 8 px.
    """

    width: int
    count: int
    thumb_px: int
    shape: float = SHAPES[0]
    foot: int = FOOTER
    columns: int = field(init=False)  # tiles in a row
    edge: int = field(init=False)  # width of the cell a picture is fitted into, px
    tall: int = field(init=False)  # its height, px
    pitch: int = field(init=False)  # distance of rows, px

    def __post_init__(self) -> None:
        # Kept, not computed when asked for: a screen asks thousands of times.
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
        """Of the whole sheet, margins included, px."""
        return self.rows * self.pitch - GAP + 2 * MARGIN if self.count else 0

    def top(self, index: int) -> int:
        """Y of the row a tile lies in, px."""
        return MARGIN + index // self.columns * self.pitch

    def rect(self, index: int) -> QRect:
        """Give a tile: picture and footer."""
        left = MARGIN + index % self.columns * (self.edge + GAP)
        return QRect(left, self.top(index), self.edge, self.tall + self.foot)

    def at(self, x: int, y: int) -> int | None:
        """Find the tile at a point; gaps belong to nobody."""
        column, inside_x = divmod(x - MARGIN, self.edge + GAP)
        row, inside_y = divmod(y - MARGIN, self.pitch)
        index = row * self.columns + column
        if not (0 <= column < self.columns and row >= 0 and index < self.count):
            return None
        return index if inside_x < self.edge and inside_y < self.tall + self.foot else None

    def between(self, top: int, bottom: int) -> range:
        """Give the tiles of all rows that reach into ``top <= y < bottom``."""
        first = max(0, (top - MARGIN + GAP) // self.pitch)
        last = max(first, -(-(bottom - MARGIN) // self.pitch))
        return range(min(first * self.columns, self.count), min(last * self.columns, self.count))
