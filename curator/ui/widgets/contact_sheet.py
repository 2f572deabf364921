"""A contact sheet of a few photos in justified rows, on the finish page and in dialogs."""

from __future__ import annotations

from collections.abc import Sequence, Set

from PySide6.QtCore import QRect, QRectF, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.library.table import Tile
from curator.session import Session
from curator.ui.widgets import theme
from curator.ui.widgets.frames import THUMB, FrameRequest, Pictures

WIDTH = 960
_ROW = 132  # height of a row, px, at most
_ROWS = 2
_GAP = 8
_MOST = 60  # more photos never fit two rows


class ContactSheet(QWidget):
    """Photos in justified rows, without marks.

    Signals:
        pressed(int): the id of a photo that was pressed.

    Attributes:
        places: the photos shown and their rectangles.
    """

    pressed = Signal(int)

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__()
        self._rows = _ROWS
        self._session, self._thumbs = session, pictures.thumbs
        self._ids: list[int] = []
        self.places: list[tuple[Tile, QRect]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._thumbs.arrived.connect(self.update)
        session.photos.photos_changed.connect(self._on_photos)

    def show_photos(self, ids: Sequence[int]) -> None:
        """Show these photos, as many as fit the rows."""
        self._ids = list(ids[:_MOST])
        self._arrange()

    def _on_photos(self, changed: Set[int]) -> None:
        """Lay out again: a thumbnail may exist now, or a photo be rotated."""
        if self.isVisible() and not changed.isdisjoint(self._ids):
            self._arrange()

    def set_rows(self, most: int) -> None:
        """Limit the number of rows."""
        if most != self._rows:
            self._rows = most
            self._arrange()

    def resizeEvent(self, event: object) -> None:
        """Lay the photos out for the new width."""
        self._arrange()

    def _arrange(self) -> None:
        tiles = [self._session.tile(photo_id) for photo_id in self._ids]
        aspects = [
            tile.width / tile.height if tile.width and tile.height else 1.5 for tile in tiles
        ]
        placed = justified(aspects, self.width() or WIDTH, self._rows)
        self.places = [(tiles[index], rect) for index, rect in placed]
        self.setFixedHeight(max((rect.bottom() + 1 for _, rect in placed), default=0))
        self._thumbs.want("sheet", [self._request(tile, rect) for tile, rect in self.places])
        self.update()

    def hideEvent(self, event: object) -> None:
        """Request nothing while hidden."""
        self._thumbs.want("sheet", ())

    def _request(self, tile: Tile, rect: QRect) -> FrameRequest | None:
        if tile.thumb is None:
            return None
        ratio = self.devicePixelRatioF()
        size = round(rect.width() * ratio), round(rect.height() * ratio)
        return FrameRequest(THUMB, tile.thumb, size, tile.turn)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the thumbnails, and a flat rectangle where one is not loaded."""
        painter = QPainter(self)
        for tile, rect in self.places:
            frame = self._thumbs.best(self._request(tile, rect))
            if frame is None:
                painter.fillRect(rect, theme.PANEL)
            else:
                painter.drawImage(QRectF(rect), frame.image)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Emit the photo under the pointer."""
        for tile, rect in self.places:
            if rect.contains(event.position().toPoint()):
                self.pressed.emit(tile.id)


def fitting_rows(height: int) -> int:
    """Return how many rows fit ``height`` px, at most two."""
    return min(max((height + _GAP) // (_ROW + _GAP), 0), _ROWS)


def justified(aspects: Sequence[float], width: int, rows: int = _ROWS) -> list[tuple[int, QRect]]:
    """Arrange pictures of these aspect ratios (width / height) in full rows.

    A last row that is not full is as high as the row above it.

    Returns:
        Index and rectangle of each picture that fits ``rows``.
    """
    placed: list[tuple[int, QRect]] = []
    start, y, height = 0, 0, _ROW
    for _ in range(rows):
        if start >= len(aspects):
            break
        end, total = start, 0.0
        while end < len(aspects) and total * _ROW + (end - start) * _GAP < width:
            total += aspects[end]
            end += 1
        fitted = int((width - (end - start - 1) * _GAP) / total)
        full = fitted < _ROW
        height = fitted if full else height
        x = 0
        for index in range(start, end):
            across = round(aspects[index] * height)
            if full and index == end - 1:
                across = width - x  # despite rounding, the right edge is straight
            placed.append((index, QRect(x, y, across, height)))
            x += across + _GAP
        y += height + _GAP
        start = end
    return placed
