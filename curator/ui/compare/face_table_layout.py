"""Where the cells of the face table lie.

Pure arithmetic in logical px for :mod:`curator.ui.compare.face_table_view`. Places in the table are
those of its content, before it is scrolled; the row captions at the left and the heads of the
columns do not scroll with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize

HEAD = 26
LEFT = 264  # width of the row captions
WORD = 18  # below a crop
GAP = 8
_SMALLEST, _LARGEST = 88, 300
_READABLE = 200  # crops do not shrink below this to bring all rows on screen


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The arrangement of a table's cells.

    Attributes:
        rows: number of frames.
        columns: number of people.
        side: of a crop.
    """

    rows: int
    columns: int
    side: int

    @classmethod
    def fitting(cls, rows: int, columns: int, room: QSize, scale: float = 1.0) -> TableLayout:
        """Choose crops that show every person on screen, and every frame unless they get small.

        Args:
            rows: number of frames.
            columns: number of people.
            room: the size of the viewport.
            scale: how much larger the person wants the crops.
        """
        wide = (room.width() - LEFT - GAP) // max(columns, 1) - GAP
        high = (room.height() - HEAD) // max(rows, 1) - WORD - GAP
        side = round(min(wide, max(high, _READABLE)) * scale)
        return cls(rows, columns, min(max(side, _SMALLEST), _LARGEST))

    @property
    def row_height(self) -> int:
        """The distance from row to row."""
        return self.side + WORD + GAP

    @property
    def size(self) -> QSize:
        """The size of the content, with captions and heads."""
        return QSize(
            LEFT + self.columns * (self.side + GAP) + GAP, HEAD + self.rows * self.row_height
        )

    def row(self, number: int) -> QRect:
        """Return the rectangle of a row."""
        return QRect(0, HEAD + number * self.row_height, self.size.width(), self.row_height)

    def crop(self, row: int, column: int) -> QRect:
        """Return the rectangle of a crop."""
        left = LEFT + column * (self.side + GAP)
        return QRect(left, HEAD + row * self.row_height + GAP // 2, self.side, self.side)

    def at(self, x: int, y: int) -> tuple[int | None, int | None]:
        """Return the row and column at a point of the content; None beside all of them."""
        row, column = (y - HEAD) // self.row_height, (x - LEFT) // (self.side + GAP)
        return (
            row if 0 <= row < self.rows else None,
            column if 0 <= column < self.columns else None,
        )
