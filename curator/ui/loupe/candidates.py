"""The candidates beside the loupe while rating: four similar photos, each swapped in by a key."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from curator.library import captions
from curator.session import Session
from curator.session.candidates import SLOTS
from curator.ui.widgets import mark_painter, theme, words
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.key_state import KeyState
from curator.ui.widgets.thumbnails import TileCache, draw_thumbnail, fitted, thumbnail_request

_MARGIN = 12
_LARGEST = 112  # px, the longest edge of a thumbnail
_FOOTER = 22
_GAP = 12
_REST_MS = 150  # longer than the repeat of a held arrow: photos passed cause no search


class CandidatesPanel(QWidget):
    """Shows the candidates for the current photo; a click or a key swaps one in.

    It searches for none while it is hidden or an arrow key is held. It shows no model's score,
    which could influence the rating.

    Attributes:
        finder: finds the candidates.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures, key_state: KeyState) -> None:
        super().__init__()
        self._session, self._thumbs = session, pictures.thumbs
        self._tile = TileCache(session)
        self.finder = session.find_candidates()
        self._key_state = key_state
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._find_candidates)
        self.setFixedWidth(theme.CANDIDATES)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.finder.changed.connect(self._on_changed)
        session.photos.current_changed.connect(self._on_current)
        session.photos.photos_changed.connect(self._on_photos)
        session.requests.candidate_swap_requested.connect(self._on_swap_requested)
        self._thumbs.arrived.connect(self._on_arrived)

    # --- positions

    def edge(self) -> int:
        """Return the height of a thumbnail's cell, px: as large as four fit, at most 112."""
        fitting = (self.height() - 2 * _MARGIN - (SLOTS - 1) * _GAP) // SLOTS - _FOOTER
        return max(min(_LARGEST, fitting), 0)

    def cell(self, slot: int) -> QRect:
        """Return the rectangle of a candidate with its footer, px."""
        edge = self.edge()
        step = edge + _FOOTER + _GAP
        top = (self.height() - SLOTS * step + _GAP) // 2 + slot * step
        return QRect((self.width() - _LARGEST) // 2, top, _LARGEST, edge + _FOOTER)

    def slot_at(self, at: QPoint) -> int | None:
        """Return the slot of the candidate at a point, px, or None."""
        slots = range(len(self.finder.photos))
        return next((slot for slot in slots if self.cell(slot).contains(at)), None)

    # --- following the session

    def _on_current(self) -> None:
        if self.isVisible():
            self._rest.start()

    def _find_candidates(self) -> None:
        if not self.isVisible():
            return
        if self._key_state.is_navigating():
            self._rest.start()
        else:
            self.finder.find()

    def _swap(self, slot: int) -> None:
        """Swap a candidate in; the others stay, so that the same key swaps back."""
        self.finder.swap(slot)
        self._rest.stop()

    def _on_changed(self) -> None:
        self._request()
        texts = (self._description(slot) for slot in range(len(self.finder.photos)))
        self.setAccessibleName(f"Similar photos: {'; '.join(texts)}")
        self.update()

    def _on_photos(self, changed: Collection[int]) -> None:
        if self.isVisible() and not set(changed).isdisjoint(self.finder.photos):
            self._on_changed()

    def _on_arrived(self, requests: Collection[FrameRequest]) -> None:
        if self.isVisible() and self.finder.photos:
            keys = {self._tile(photo).thumb for photo in self.finder.photos}
            if any(request.key in keys for request in requests):
                self.update()

    def _on_swap_requested(self, slot: int) -> None:
        if self.isVisible():
            self._swap(slot)
        else:
            self._session.messages.say("Similar photos appear beside the loupe while you rate")

    def _request(self) -> None:
        box, tiles = self._box(), map(self._tile, self.finder.photos)
        self._thumbs.want("candidates", [thumbnail_request(tile, box) for tile in tiles])

    def _box(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(_LARGEST * ratio), round(self.edge() * ratio)

    def _description(self, slot: int) -> str:
        """Return name, marks and key of a slot's photo."""
        tile = self._tile(self.finder.photos[slot])
        return words.joined((tile.name, captions.marks_line(tile.marks), self._key(slot)))

    def _key(self, slot: int) -> str:
        return self._session.preferences.keys.get(f"candidate_{slot + 1}", "")

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the candidates."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        painter.setFont(theme.caption_font())
        for slot in range(len(self.finder.photos)):
            self._draw(painter, slot)

    def _draw(self, painter: QPainter, slot: int) -> None:
        cell, ratio, box = self.cell(slot), self.devicePixelRatioF(), self._box()
        tile = self._tile(self.finder.photos[slot])
        width, height = fitted(tile, box)
        # At the bottom of its cell, as in the grid.
        left = round(cell.left() * ratio) + (box[0] - width) // 2
        place = QRect(left, round(cell.top() * ratio) + box[1] - height, width, height)
        frame = self._thumbs.best(thumbnail_request(tile, box))
        draw_thumbnail(painter, tile, frame, place, ratio)
        middle = cell.bottom() + 1 - _FOOTER // 2
        end = mark_painter.draw_marks(painter, cell.left(), middle, tile.marks, False)
        key = self._key(slot)
        painter.setPen(theme.QUIET)
        width = QFontMetrics(painter.font()).horizontalAdvance(key)
        if cell.right() + 1 - width < end:
            return  # the marks leave no space for the key; the tooltip has it
        rect = QRect(cell.right() + 1 - width, middle - 8, width, 16)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, key)

    # --- showing, hiding, mouse

    def showEvent(self, event: QEvent) -> None:
        """Search for candidates soon."""
        self._rest.start()

    def hideEvent(self, event: QEvent) -> None:
        """Drop the candidates and their thumbnails."""
        self._rest.stop()
        self.finder.clear()
        self._thumbs.want("candidates", ())

    def resizeEvent(self, event: QEvent) -> None:
        """Request thumbnails of the new size."""
        self._request()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show a pointing hand over a candidate."""
        clickable = self.slot_at(event.position().toPoint()) is not None
        shape = Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Swap in the candidate under the pointer."""
        slot = self.slot_at(event.position().toPoint())
        if slot is not None and event.button() == Qt.MouseButton.LeftButton:
            self._swap(slot)

    def event(self, event: QEvent) -> bool:
        """Show a tooltip with the photo under the pointer."""
        if isinstance(event, QHelpEvent):
            slot = self.slot_at(event.pos())
            tip = "" if slot is None else theme.plain_tip(self._description(slot))
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)
