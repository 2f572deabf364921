"""The filmstrip: the list in one row below loupe and compare view, the current photo centered."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPointF, QRect, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from curator.library.table import Tile
from curator.model import Marks, Verdict
from curator.session import Session
from curator.ui.widgets import mark_painter, theme, words
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.throttle import Throttle
from curator.ui.widgets.thumbnails import (
    TileCache,
    draw_suggestion_ring,
    draw_thumbnail,
    fitted,
    single_line_tooltip,
    thumbnail_request,
)
from curator.ui.widgets.wheel import WheelSteps

_CELL = 88
_PICTURE = (80, 54)
_TOP = 8
_MARKS_MIDDLE = 72
_BESIDE = 6  # px between marks and match score
_UNDERLINE = 3
_INSET = 4
_STACK_LINE = 79  # y of the line that connects the frames of a stack
_BLANK = Marks()
_REQUEST_MS = 40  # longer than the repeat of a held arrow
_AHEAD = 16  # cells beyond either end that are decoded ahead


class Filmstrip(QWidget):
    """Shows the photos around the current one; a click goes to a photo.

    Positions are arithmetic: only the cells on screen are painted. The current cell is centered,
    except near the ends of the list, and stays in place while photos join the list.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__()
        self._session, self._store = session, pictures.thumbs
        self._photo_tile = TileCache(session)
        self._wheel = WheelSteps()
        self._count = 0  # photos at the last layout
        self._anchor: tuple[tuple[object, ...], int] | None = None  # choice, x of the current cell
        self._requesting = Throttle(self, _REQUEST_MS, self._request)
        self._keys: frozenset[str] = frozenset()  # of the requested thumbnails
        self.setFixedHeight(theme.FILMSTRIP)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Filmstrip")
        session.photos.current_changed.connect(self._on_current)
        session.photos.list_changed.connect(self._on_list)
        for changed in (
            session.view_state.view_changed,
            session.criteria.order_changed,
            session.preferences.changed,
            session.taste.captions_changed,
        ):
            changed.connect(self.update)
        session.photos.photos_changed.connect(self._on_photos)
        self._store.arrived.connect(self._on_arrived)

    # --- positions

    def start(self) -> int:
        """Return x of the list's first photo, px; negative if it lies left of the strip."""
        if self._anchor is not None and self._anchor[0] == self._choice():
            return self._anchor[1] - self._session.photos.index * _CELL
        return self._centered_start()

    def _centered_start(self) -> int:
        """Return x of the first photo with the current photo, or a short list, in the middle."""
        length, width = len(self._session.ids) * _CELL, self.width()
        if length <= width:
            return (width - length) // 2
        start = width // 2 - _CELL // 2 - max(self._session.photos.index, 0) * _CELL
        return min(0, max(start, width - length))

    def visible(self) -> range:
        """Return the list positions at least partly on screen."""
        start, count = self.start(), len(self._session.ids)
        first = max(0, -start // _CELL)
        return range(first, max(first, min(count, -(-(self.width() - start) // _CELL))))

    def cell(self, index: int) -> QRect:
        """Return the rectangle of a position, px."""
        return QRect(self.start() + index * _CELL, 0, _CELL, self.height())

    def at(self, x: int) -> int | None:
        """Return the position at an x, px, or None."""
        index = (x - self.start()) // _CELL
        return index if 0 <= index < len(self._session.ids) else None

    # --- following the session

    def _choice(self) -> tuple[object, ...]:
        """Return what the person chose to see; while it is the same, the current cell stays."""
        session = self._session
        return (
            session.current,
            session.criteria.scope.key,
            session.criteria.mode,
            session.criteria.order,
            session.criteria.is_reversed,
        )

    def _set_anchor(self) -> None:
        """Center the current photo, and keep its cell there from now on."""
        current, index = self._session.current, self._session.photos.index
        self._count = len(self._session.ids)
        x = self._centered_start() + index * _CELL
        self._anchor = None if current is None else (self._choice(), x)

    def _on_current(self) -> None:
        self._set_anchor()
        self._update_first()

    def _update_first(self) -> None:
        """Repaint now; request thumbnails later, because the loupe's frame goes first."""
        if self.isVisible():
            self._requesting.request()
            self.update()

    def _on_list(self) -> None:
        """Keep the current cell in place while photos join the list."""
        same = self._anchor is not None and self._anchor[0] == self._choice()
        if not same or len(self._session.ids) < self._count:
            self._set_anchor()
        self._count = len(self._session.ids)
        self._refresh()

    def _refresh(self) -> None:
        if self.isVisible():
            self._request()
            self.update()

    def _request(self) -> None:
        """Request the thumbnails on screen and beside it, those next to the current one first."""
        visible, count = self.visible(), len(self._session.ids)
        near = range(max(visible.start - _AHEAD, 0), min(visible.stop + _AHEAD, count))
        middle, box = self._session.photos.index, self._box()
        tiles = map(self._tile, sorted(near, key=lambda index: abs(index - middle)))
        requests = [thumbnail_request(tile, box) for tile in tiles]
        self._store.want("filmstrip", requests)
        self._keys = frozenset(request.key for request in requests if request is not None)

    def _on_photos(self, changed: Collection[int]) -> None:
        if not self.isVisible():
            return
        visible = self.visible()
        photos = self._session.ids[visible.start : visible.stop].tolist()
        touched = [photo for photo in photos if photo in changed]
        if touched:
            self._store.clear_failures(self._photo_tile(photo).thumb for photo in touched)
            self._update_first()

    def _on_arrived(self, requests: Collection[FrameRequest]) -> None:
        if self.isVisible() and any(request.key in self._keys for request in requests):
            self.update()

    def _tile(self, index: int) -> Tile:
        return self._photo_tile(int(self._session.ids[index]))

    def _box(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(_PICTURE[0] * ratio), round(_PICTURE[1] * ratio)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells on screen."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        box, start = self._box(), self.start()
        for index in self.visible():
            cell = QRect(start + index * _CELL, 0, _CELL, self.height())
            if index == self._session.photos.index:
                painter.fillRect(cell, theme.RAISED)
            self._paint_cell(painter, cell, self._tile(index), box)
            self._paint_stack_line(painter, cell, index)
            if index == self._session.photos.index:
                bar = cell.adjusted(0, cell.height() - _UNDERLINE, 0, 0)
                painter.fillRect(bar, theme.WHITE)

    def _paint_cell(self, painter: QPainter, cell: QRect, tile: Tile, box: tuple[int, int]) -> None:
        ratio = self.devicePixelRatioF()
        width, height = fitted(tile, box)
        left = round((cell.left() + (_CELL - _PICTURE[0]) / 2) * ratio) + (box[0] - width) // 2
        place = QRect(left, round(_TOP * ratio) + (box[1] - height) // 2, width, height)
        frame = self._store.best(thumbnail_request(tile, box))
        rect = draw_thumbnail(painter, tile, frame, place, ratio)
        if tile.suggested:
            draw_suggestion_ring(painter, rect)
        if tile.state == "failed":
            icon = theme.pixmap("failed", theme.QUIET, theme.ICON, ratio)
            half = theme.ICON / 2
            painter.drawPixmap(QPointF(rect.center().x() - half, rect.center().y() - half), icon)
        self._paint_marks(painter, cell, tile)

    def _paint_stack_line(self, painter: QPainter, cell: QRect, index: int) -> None:
        """Draw this cell's part of the line that connects the frames of a stack."""
        units = self._session.photos.listing.units
        span = units[units.at(index)]
        if len(span) > 1:
            left = cell.left() + (_INSET if index == span.start else 0)
            right = cell.right() + 1 - (_INSET if index == span.stop - 1 else 0)
            painter.fillRect(QRect(left, _STACK_LINE, right - left, 1), theme.DISABLED)

    def _paint_marks(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        current = tile.id == self._session.current  # not skipped yet, however long it is shown
        skipped = tile.seen and not current and tile.marks.verdict is Verdict.UNREVIEWED
        score = tile.match if self._session.settings.taste.show_match else None
        if tile.marks == _BLANK and not skipped and score is None:
            return
        width = mark_painter.marks_width(tile.marks, skipped)
        beside = 0 if score is None else mark_painter.match_width(score) + (_BESIDE if width else 0)
        if width + beside > _CELL:  # not enough space for both: only the marks
            beside = 0
        left = cell.left() + (_CELL - width - beside) // 2
        left = mark_painter.draw_marks(painter, left, _MARKS_MIDDLE, tile.marks, skipped)
        if score is not None and beside:
            mark_painter.draw_match(painter, left + (_BESIDE if width else 0), _MARKS_MIDDLE, score)

    # --- showing, hiding, mouse

    def showEvent(self, event: QEvent) -> None:
        """Lay the list out and request thumbnails."""
        self._set_anchor()
        self._refresh()

    def hideEvent(self, event: QEvent) -> None:
        """Request nothing while hidden."""
        self._store.want("filmstrip", ())

    def resizeEvent(self, event: QEvent) -> None:
        """Lay the list out for the new width."""
        self._set_anchor()
        self._refresh()

    def event(self, event: QEvent) -> bool:
        """Show a tooltip with the photo under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.at(event.x())
            text = "" if index is None else self._tooltip(int(self._session.ids[index]))
            QToolTip.showText(event.globalPos(), single_line_tooltip(text), self)
            return True
        return super().event(event)

    def _tooltip(self, photo: int) -> str:
        tile = self._photo_tile(photo)
        parts = [tile.name, self._session.stacks.position_in_stack(photo)]
        if tile.suggested:
            parts.append(f"suggested best: {self._session.stacks.suggestion_reason(photo)}")
        return words.joined(parts)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the photo clicked."""
        index = self.at(event.position().toPoint().x())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self._session.navigator.go_to(int(self._session.ids[index]))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Go to the photo; the window then opens its menu."""
        index = self.at(event.pos().x())
        event.setAccepted(index is None)
        if index is not None:
            self._session.navigator.go_to(int(self._session.ids[index]))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Accept the event: the press already acted."""
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the list."""
        delta = event.angleDelta()
        event.accept()
        if steps := self._wheel.take(delta.y() or delta.x()):
            self._session.navigator.step(-steps)
