"""The candidates beside the loupe while rating: four similar photos to swap in, a key each."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from curator.library import captions
from curator.session import Session
from curator.session.candidates import SLOTS
from curator.ui.widgets import mark_painter, theme
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.key_state import KeyState
from curator.ui.widgets.thumbnails import TileCache, blit, fitted, thumbnail_request

_CLIENT = "candidates"
_MARGIN = 12
_LARGEST = 112
_FOOTER = 22
_GAP = 12
_REST_MS = 150  # longer than the repeat of a held arrow: photos passed cause no search


class CandidatesPanel(QWidget):
    """Shows the candidates for the current photo; a click or a key swaps one in.

    Nothing is searched for while the panel is hidden or an arrow key is held. No model's score is
    shown, so that it influences no rating.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures, key_state: KeyState) -> None:
        super().__init__()
        self._session, self._thumbs = session, pictures.thumbs
        self._known = TileCache(session)
        self.nearby = session.find_candidates()
        self._key_state = key_state
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._find_candidates)
        self.setFixedWidth(theme.CANDIDATES)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.nearby.changed.connect(self._on_changed)
        session.photos.current_changed.connect(self._on_current)
        session.photos.photos_changed.connect(self._on_photos)
        session.requests.candidate_swap_requested.connect(self._on_swap_requested)
        self._thumbs.arrived.connect(self._on_arrived)

    # --- positions

    def edge(self) -> int:
        """Return the edge of a thumbnail, px: as large as the height allows."""
        room = (self.height() - 2 * _MARGIN - (SLOTS - 1) * _GAP) // SLOTS - _FOOTER
        return max(min(_LARGEST, room), 0)

    def cell(self, slot: int) -> QRect:
        """Return the rectangle of a candidate with its footer, px."""
        edge = self.edge()
        step = edge + _FOOTER + _GAP
        top = (self.height() - SLOTS * step + _GAP) // 2 + slot * step
        return QRect((self.width() - _LARGEST) // 2, top, _LARGEST, edge + _FOOTER)

    def slot_at(self, at: QPoint) -> int | None:
        """Return the candidate at a point, px, or None."""
        found = (slot for slot in range(len(self.nearby.photos)) if self.cell(slot).contains(at))
        return next(found, None)

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
            self.nearby.find()

    def _swap(self, slot: int) -> None:
        """Swap a candidate in; the others stay, so that the same key swaps back."""
        self.nearby.swap(slot)
        self._rest.stop()

    def _on_changed(self) -> None:
        self._want()
        texts = (self._description(slot) for slot in range(len(self.nearby.photos)))
        self.setAccessibleName(f"Candidates: {'; '.join(texts)}")
        self.update()

    def _on_photos(self, changed: Collection[int]) -> None:
        if self.isVisible() and not set(changed).isdisjoint(self.nearby.photos):
            self._on_changed()

    def _on_arrived(self, wants: Collection[FrameRequest]) -> None:
        if self.isVisible() and self.nearby.photos:
            keys = {self._known(photo).thumb for photo in self.nearby.photos}
            if any(want.key in keys for want in wants):
                self.update()

    def _on_swap_requested(self, slot: int) -> None:
        if self.isVisible():
            self._swap(slot)
        else:
            self._session.messages.say(
                "Maybes stand beside the photo in the loupe while one rates."
            )

    def _want(self) -> None:
        box = self._box()
        wants = [thumbnail_request(self._known(photo), box) for photo in self.nearby.photos]
        self._thumbs.want(_CLIENT, [want for want in wants if want is not None])

    def _box(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(_LARGEST * ratio), round(self.edge() * ratio)

    def _description(self, slot: int) -> str:
        """Return name, marks and key of a slot's photo."""
        tile = self._known(self.nearby.photos[slot])
        parts = (tile.name, captions.marks_line(tile.marks), self._key(slot))
        return " · ".join(part for part in parts if part)

    def _key(self, slot: int) -> str:
        return self._session.preferences.keys.get(f"candidate_{slot + 1}", "")

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the candidates."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        painter.setFont(theme.caption_font())
        for slot in range(len(self.nearby.photos)):
            self._draw(painter, slot)

    def _draw(self, painter: QPainter, slot: int) -> None:
        cell, ratio, box = self.cell(slot), self.devicePixelRatioF(), self._box()
        tile = self._known(self.nearby.photos[slot])
        want = thumbnail_request(tile, box)
        frame = (self._thumbs.get(want) or self._thumbs.any_size(want)) if want else None
        width, height = want.size if want and want.size else fitted(tile, box)
        # At the bottom of its cell, as in the grid.
        left = round(cell.left() * ratio) + (box[0] - width) // 2
        place = QRect(left, round(cell.top() * ratio) + box[1] - height, width, height)
        if frame is None:
            area = QRectF(place.x(), place.y(), width, height)
            painter.fillRect(QRectF(area.topLeft() / ratio, area.size() / ratio), theme.PANEL)
        else:
            blit(painter, frame, place, ratio)
        middle = cell.bottom() + 1 - _FOOTER // 2
        end = mark_painter.draw_marks(painter, cell.left(), middle, tile.marks, False)
        key = self._key(slot)
        painter.setPen(theme.QUIET)
        wide = QFontMetrics(painter.font()).horizontalAdvance(key)
        if cell.right() + 1 - wide < end:
            return  # no room for both; the tooltip has the key
        room = QRect(cell.right() + 1 - wide, middle - 8, wide, 16)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, key)

    # --- coming, going, mouse

    def showEvent(self, event: QEvent) -> None:
        """Search for candidates soon."""
        self._rest.start()

    def hideEvent(self, event: QEvent) -> None:
        """Release everything."""
        self._rest.stop()
        self.nearby.clear()
        self._thumbs.want(_CLIENT, ())

    def resizeEvent(self, event: QEvent) -> None:
        """Request thumbnails of the new size."""
        self._want()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show in the cursor what can be clicked."""
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
