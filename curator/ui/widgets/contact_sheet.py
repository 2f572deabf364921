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
_SHEET_ROW = 132  # px, at most
_SHEET_ROWS = 2
_GAP = 8
_MOST = 60  # more photos never fit two rows


class ContactSheet(QWidget):
    """Photos in justified rows, without marks.

    Signals:
        pressed(int): the id of a photo that was pressed.
    """

    pressed = Signal(int)

    def __init__(self, session: Session, pictures: Pictures | None) -> None:
        super().__init__()
        self._rows = _SHEET_ROWS
        self._session, self._pictures = session, pictures
        self._ids: list[int] = []
        self.places: list[tuple[Tile, QRect]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if pictures is not None:
            pictures.thumbs.arrived.connect(self.update)
        session.photos.photos_changed.connect(self._on_photos)

    def show_photos(self, ids: Sequence[int]) -> None:
        """Show these photos, as many as fit the rows."""
        self._ids = list(ids[:_MOST])
        self._arrange()

    def _on_photos(self, changed: Set[int]) -> None:
        """Show thumbnails that were made or rotated since they were laid out."""
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
        shapes = [tile.width / tile.height if tile.width and tile.height else 1.5 for tile in tiles]
        placed = justified(shapes, self.width() or WIDTH, self._rows)
        self.places = [(tiles[number], rect) for number, rect in placed]
        self.setFixedHeight(max((rect.bottom() + 1 for _, rect in placed), default=0))
        if self._pictures is not None:
            wants = [self._want(tile, rect) for tile, rect in self.places]
            self._pictures.thumbs.want("sheet", [want for want in wants if want is not None])
        self.update()

    def hideEvent(self, event: object) -> None:
        """Request nothing while hidden."""
        if self._pictures is not None:
            self._pictures.thumbs.want("sheet", [])

    def _want(self, tile: Tile, rect: QRect) -> FrameRequest | None:
        if tile.thumb is None:
            return None
        ratio = self.devicePixelRatioF()
        size = round(rect.width() * ratio), round(rect.height() * ratio)
        return FrameRequest(THUMB, tile.thumb, size, tile.turn)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the thumbnails, and a flat rectangle where one is not loaded."""
        painter = QPainter(self)
        for tile, rect in self.places:
            want = self._want(tile, rect)
            thumbs = self._pictures.thumbs if self._pictures is not None else None
            frame = None
            if thumbs is not None and want is not None:
                frame = thumbs.get(want) or thumbs.any_size(want)
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
    return min(max((height + _GAP) // (_SHEET_ROW + _GAP), 0), _SHEET_ROWS)


def justified(
    shapes: Sequence[float], width: int, rows: int = _SHEET_ROWS
) -> list[tuple[int, QRect]]:
    """Arrange pictures of these aspect ratios in full rows.

    A last row that is not full is as high as the row above it.

    Returns:
        Index and rectangle of each picture that fits ``rows``.
    """
    placed: list[tuple[int, QRect]] = []
    start, y, above = 0, 0, _SHEET_ROW
    for _ in range(rows):
        if start >= len(shapes):
            break
        end, total = start, 0.0
        while end < len(shapes) and total * _SHEET_ROW + (end - start) * _GAP < width:
            total += shapes[end]
            end += 1
        room = width - (end - start - 1) * _GAP
        fitted = int(room / total)
        full = fitted < _SHEET_ROW
        height = above = fitted if full else above
        x = 0
        for number in range(start, end):
            wide = round(shapes[number] * height)
            if full and number == end - 1:
                wide = width - x  # despite rounding, the right edge is straight
            placed.append((number, QRect(x, y, wide, height)))
            x += wide + _GAP
        y += height + _GAP
        start = end
    return placed
