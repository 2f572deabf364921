"""The filmstrip: the list in one row below loupe and compare view, the current photo centered."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer
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
from curator.ui.widgets import mark_painter, theme
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.thumbnails import (
    REJECTED_OPACITY,
    STALE_OPACITY,
    TileCache,
    blit,
    draw_suggestion_ring,
    fitted,
    single_line_tooltip,
    thumbnail_request,
)

_CELL = 88
_PICTURE = (80, 54)
_TOP = 8
_MARKS_MIDDLE = 72
_BESIDE = 6  # px between marks and match score
_UNDERLINE = 3
_INSET = 4
_STACK_LINE = 79  # y of the line that connects the frames of a stack
_NOTCH = 120
_BLANK = Marks()
_LATER_MS = 40  # longer than the repeat of a held arrow
_AHEAD = 16  # cells beyond either end that are decoded ahead


class Filmstrip(QWidget):
    """Shows the photos around the current one; a click goes to a photo.

    Positions are arithmetic: only the cells on screen exist. The current cell is centered except
    near the ends of the list.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._store = pictures.thumbs
        self._pictures = pictures
        self._known = TileCache(session)
        self._wheel = 0
        self._count = 0  # photos at the last layout
        self._anchor: tuple[tuple[object, ...], int] | None = None  # choice, x of the current cell
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_LATER_MS)
        self._later.timeout.connect(self._want_near)
        self._keys: frozenset[str] = frozenset()
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
        return self._centered()

    def _centered(self) -> int:
        """Return the same with the current photo, or a short list, in the middle."""
        count, width = len(self._session.ids), self.width()
        length = count * _CELL
        if length <= width:
            return (width - length) // 2
        wanted = width // 2 - _CELL // 2 - max(self._session.photos.index, 0) * _CELL
        return min(0, max(wanted, width - length))

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
        """Return what a person chose; while it is the same, the current photo's cell stays."""
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
        at = self._centered() + index * _CELL
        self._anchor = None if current is None else (self._choice(), at)

    def _on_current(self) -> None:
        self._set_anchor()
        self._draw()

    def _draw(self) -> None:
        """Repaint now; request thumbnails later, as the loupe's frame goes first."""
        if self.isVisible():
            if not self._later.isActive():
                self._later.start()
            self.update()

    def _on_list(self) -> None:
        """Keep the current cell in place while photos join the list."""
        here = self._anchor is not None and self._anchor[0] == self._choice()
        if not here or len(self._session.ids) < self._count:
            self._set_anchor()
        self._count = len(self._session.ids)
        self._refresh()

    def _refresh(self) -> None:
        if self.isVisible():
            self._want_near()
            self.update()

    def _want_near(self) -> None:
        seen, count = self.visible(), len(self._session.ids)
        near = range(max(seen.start - _AHEAD, 0), min(seen.stop + _AHEAD, count))
        middle = self._session.photos.index
        places = sorted(near, key=lambda place: abs(place - middle))
        wants = [self._want(self._tile(place)) for place in places]
        self._store.want("filmstrip", [want for want in wants if want is not None])
        self._keys = frozenset(want.key for want in wants if want is not None)

    def _on_photos(self, changed: Collection[int]) -> None:
        if not self.isVisible():
            return
        seen = self.visible()
        here = self._session.ids[seen.start : seen.stop].tolist()
        touched = [photo for photo in here if photo in changed]
        if touched:
            self._pictures.thumbs.clear_failures(self._known(photo).thumb for photo in touched)
            self._draw()

    def _on_arrived(self, wants: Collection[FrameRequest]) -> None:
        if self.isVisible() and any(want.key in self._keys for want in wants):
            self.update()

    def _tile(self, index: int) -> Tile:
        return self._known(int(self._session.ids[index]))

    def _box(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(_PICTURE[0] * ratio), round(_PICTURE[1] * ratio)

    def _want(self, tile: Tile) -> FrameRequest | None:
        return thumbnail_request(tile, self._box())

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells on screen."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        box, start = self._box(), self.start()
        for place in self.visible():
            cell = QRect(start + place * _CELL, 0, _CELL, self.height())
            if place == self._session.photos.index:
                painter.fillRect(cell, theme.RAISED)
            self._paint_cell(painter, cell, self._tile(place), box)
            self._paint_bond(painter, cell, place)
            if place == self._session.photos.index:
                bar = cell.adjusted(0, cell.height() - _UNDERLINE, 0, 0)
                painter.fillRect(bar, theme.WHITE)

    def _paint_cell(self, painter: QPainter, cell: QRect, tile: Tile, box: tuple[int, int]) -> None:
        ratio = self.devicePixelRatioF()
        want = thumbnail_request(tile, box)
        frame = (self._store.get(want) or self._store.any_size(want)) if want else None
        width, height = want.size if want and want.size else fitted(tile, box)
        left = round((cell.left() + (_CELL - _PICTURE[0]) / 2) * ratio) + (box[0] - width) // 2
        picture = QRect(left, round(_TOP * ratio) + (box[1] - height) // 2, width, height)
        rect = QRectF(picture.x() / ratio, picture.y() / ratio, width / ratio, height / ratio)
        if frame is None:
            painter.fillRect(rect, theme.PANEL)
        else:
            painter.setOpacity(
                REJECTED_OPACITY if tile.rejected else STALE_OPACITY if tile.stale else 1.0
            )
            blit(painter, frame, picture, ratio)
            painter.setOpacity(1.0)
        if tile.rejected:
            mark_painter.draw_strike(painter, rect)
        if tile.suggested:
            draw_suggestion_ring(painter, rect)
        if tile.state == "failed":
            icon = theme.pixmap("failed", theme.QUIET, theme.ICON, ratio)
            half = theme.ICON / 2
            painter.drawPixmap(QPointF(rect.center().x() - half, rect.center().y() - half), icon)
        self._paint_marks(painter, cell, tile)

    def _paint_bond(self, painter: QPainter, cell: QRect, place: int) -> None:
        """Draw the line that connects the frames of a stack."""
        units = self._session.photos.listing.units
        span = units[units.at(place)]
        if len(span) > 1:
            left = cell.left() + (_INSET if place == span.start else 0)
            right = cell.right() + 1 - (_INSET if place == span.stop - 1 else 0)
            painter.fillRect(QRect(left, _STACK_LINE, right - left, 1), theme.DISABLED)

    def _paint_marks(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        here = tile.id == self._session.current  # not skipped yet, however long it shows
        skipped = tile.seen and not here and tile.marks.verdict is Verdict.UNREVIEWED
        score = tile.match if self._session.settings.taste.show_match else None
        if tile.marks == _BLANK and not skipped and score is None:
            return
        width = mark_painter.marks_width(tile.marks, skipped)
        beside = 0 if score is None else mark_painter.match_width(score) + (_BESIDE if width else 0)
        if width + beside > _CELL:  # no room for both: marks go first
            beside = 0
        left = cell.left() + (_CELL - width - beside) // 2
        left = mark_painter.draw_marks(painter, left, _MARKS_MIDDLE, tile.marks, skipped)
        if score is not None and beside:
            mark_painter.draw_match(painter, left + (_BESIDE if width else 0), _MARKS_MIDDLE, score)

    # --- coming, going, mouse

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
            place = self.at(event.x())
            text = "" if place is None else self._tip(int(self._session.ids[place]))
            QToolTip.showText(event.globalPos(), single_line_tooltip(text), self)
            return True
        return super().event(event)

    def _tip(self, photo: int) -> str:
        tile = self._known(photo)
        parts = [tile.name, self._session.stacks.position_in_stack(photo)]
        if tile.suggested:
            parts.append(f"suggested best: {self._session.stacks.suggestion_reason(photo)}")
        return " · ".join(part for part in parts if part)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the photo clicked."""
        place = self.at(event.position().toPoint().x())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._session.navigator.go_to(int(self._session.ids[place]))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Go to the photo; the window then opens its menu."""
        place = self.at(event.pos().x())
        event.setAccepted(place is None)
        if place is not None:
            self._session.navigator.go_to(int(self._session.ids[place]))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Accept the event: the press already acted."""
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the list."""
        delta = event.angleDelta()
        self._wheel += delta.y() or delta.x()
        steps = int(self._wheel / _NOTCH)
        self._wheel -= steps * _NOTCH
        event.accept()
        if steps:
            self._session.navigator.step(-steps)
