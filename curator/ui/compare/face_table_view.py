"""The face table: the people of a stack in columns, its frames in rows, crops at equal scale.

The main window shows it. The session knows the rows, the people and the focus; nothing here decides
anything. What was measured is written in gray, and a person's marks are drawn in pencil. The
session accepts no mark before the row in focus has been painted with its own pixels.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from curator.library import captions
from curator.library.table import Tile
from curator.model import Eye, counted
from curator.session import Session
from curator.session.face_table import FaceTable
from curator.session.panes import Rows
from curator.ui.compare.face_table_layout import GAP, HEAD, LEFT, WORD, TableLayout
from curator.ui.compare.face_table_pixels import THUMB, FaceTablePixels
from curator.ui.loupe import pan_zoom
from curator.ui.loupe.face_crops import Closeup
from curator.ui.loupe.fullres_cache import FullresCache
from curator.ui.loupe.view_transform import turned
from curator.ui.widgets import mark_painter, theme, words
from curator.ui.widgets.frames import Pictures
from curator.ui.widgets.key_state import KeyState
from curator.ui.widgets.throttle import Throttle
from curator.ui.widgets.thumbnails import (
    REJECTED_OPACITY,
    TileCache,
    draw_suggestion_ring,
    draw_thumbnail,
    fitted,
    single_line_tooltip,
)

_MARGIN = 12
_LINE = 16
_UNDERLINE = 2
_STEP = 1.25  # the keys + and - change the size of crops by
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_WRAP = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)


class FaceTableView(QAbstractScrollArea):
    """Shows the session's face table.

    Args:
        session: the window's session.
        pictures: proxies and thumbnails.
        originals: full-resolution cache, shared with the loupe.
        key_state: which of the window's keys are down.

    Signals:
        painted(int): the photo of the row in focus, whose faces were just painted.

    Thread: GUI.
    """

    painted = Signal(object)

    def __init__(
        self, session: Session, pictures: Pictures, originals: FullresCache, key_state: KeyState
    ) -> None:
        super().__init__()
        self._session, self._thumbs = session, pictures.thumbs
        self._tile_of = TileCache(session)
        self._pixels = FaceTablePixels(session, pictures, originals, self._tile_of)
        self._scale = 1.0
        self.table_layout = TableLayout(0, 0, 1)
        self._peeks = False  # the zoom key that is down opened the loupe
        self._painted_row = 0  # the row that was painted as the one in focus
        self._on_screen: set[int] = set()  # photos whose rows were painted with their own pixels
        self._requesting = Throttle(self, 0, self._request)  # after posted paints
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Face table")
        session.face_table.table_changed.connect(self._on_table)
        session.face_table.focus_changed.connect(self._on_focus)
        session.compare.panes_changed.connect(self._on_focus)
        session.photos.photos_changed.connect(self._on_photos)
        session.requests.zoom_requested.connect(self._on_zoom_requested)
        session.requests.resize_requested.connect(self._on_resize_requested)
        pictures.frames.arrived.connect(self._on_arrived)
        pictures.thumbs.arrived.connect(self._on_arrived)
        originals.arrived.connect(self._on_arrived)
        key_state.released.connect(self._on_released)

    # --- what is where

    def _table(self) -> FaceTable | None:
        """Return the table on screen; None while another view shows."""
        shown = isinstance(self._session.compare.panes, Rows) and self.isVisible()
        return self._session.face_table.table if shown else None

    def _offset(self) -> QPoint:
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def cell(self, row: int, column: int) -> QRect:
        """Return the rectangle of a crop in the viewport."""
        return self.table_layout.crop(row, column).translated(-self._offset())

    def _row(self, number: int) -> QRect:
        row = self.table_layout.row(number)
        return QRect(0, row.top() - self._offset().y(), self.viewport().width(), row.height())

    def _at(self, point: QPoint) -> tuple[int | None, int | None]:
        """Return the row and column at a point of the viewport."""
        offset = self._offset()
        x = point.x() + offset.x() if point.x() >= LEFT else point.x()
        y = point.y() + offset.y() if point.y() >= HEAD else point.y()
        return self.table_layout.at(x, y)

    @property
    def active_row(self) -> int:
        """The number of the row in focus."""
        rows = self._session.compare.panes
        return rows.active if rows is not None else 0

    def _lay_out(self, table: FaceTable) -> None:
        # With room for the bar, shown or not: a layout that depends on it would change it again.
        room = self.maximumViewportSize() - QSize(self.verticalScrollBar().sizeHint().width(), 0)
        count = len(table.frames), len(table.people)
        self.table_layout = layout = TableLayout.fitting(*count, room, self._scale)
        ratio = self.devicePixelRatioF()
        self._pixels.use(table, round(layout.side * ratio), ratio)
        view = self.viewport().size()
        for bar, content, page, step in (
            (self.horizontalScrollBar(), layout.size.width(), view.width(), layout.side + GAP),
            (self.verticalScrollBar(), layout.size.height(), view.height(), layout.row_height),
        ):
            bar.setRange(0, max(content - page, 0))
            bar.setPageStep(page)
            bar.setSingleStep(step // 3)

    def _reveal_focus(self) -> None:
        """Scroll just far enough to show the cell in focus."""
        table = self._table()
        if table is None:
            return
        place = self.table_layout.crop(self.active_row, self._session.face_table.column)
        view = self.viewport().size()
        for bar, first, last, start, end in (
            (self.horizontalScrollBar(), place.left(), place.right(), LEFT, view.width()),
            (self.verticalScrollBar(), place.top(), place.bottom() + WORD, HEAD, view.height()),
        ):
            value = min(bar.value(), first - start - GAP)
            bar.setValue(max(value, last + GAP - end))

    # --- following the session

    def _on_table(self) -> None:
        table = self._table()
        if table is not None:
            self._lay_out(table)
            self._on_focus()
            self.viewport().update()

    def _on_focus(self) -> None:
        """Show the cell in focus; only the row it is in, and the one it was in, are painted."""
        current = self._session.current
        if self._table() is None or current is None:
            return
        self._reveal_focus()
        self._requesting.request()
        for row in {self._painted_row, self.active_row}:
            self.viewport().update(self._row(row))

    def _on_photos(self, changed: Collection[int]) -> None:
        table = self._table()
        if table is not None and not set(table.frames).isdisjoint(changed):
            self._pixels.clear_failures()
            self._on_table()

    def _on_arrived(self, _: object) -> None:
        if self.isVisible():
            self._pixels.compare_looks()
            self.viewport().update()

    def _on_zoom_requested(self) -> None:
        self._peeks = self._table() is not None
        if self._peeks:
            self.open_face()

    def _on_released(self, peeks: bool, seconds: float) -> None:
        """Return to the table when the zoom key was held."""
        if self._peeks and peeks:
            self._peeks = False
            if seconds > pan_zoom.PEEK_S and self._session.face_table.returns:
                self._session.face_table.return_to_table()

    def _on_resize_requested(self, by: int) -> None:
        if self._table() is not None:
            before, side = self._scale, self.table_layout.side
            self._scale *= _STEP**by
            self._on_table()
            if self.table_layout.side == side:  # the largest or the smallest
                self._scale = before

    def open_face(self) -> None:
        """Show the eyes of the face in focus at 100 % in the loupe; without a face, the frame."""
        session = self._session
        face, photo = session.face_table.face, session.current
        if face is None or photo is None:
            session.face_table.open_frame()
        else:
            session.face_table.open_face(turned(face.eyes_at, self._tile_of(photo).turn))

    def _request(self) -> None:
        """Request the pixels of the rows, those nearest to the focus first."""
        table = self._table()
        if table is None:
            return
        nearest = sorted(range(len(table.frames)), key=lambda number: abs(number - self.active_row))
        view = self.viewport().rect().adjusted(0, HEAD, 0, 0)
        shown = [table.frames[row] for row in nearest if self._row(row).intersects(view)]
        self._pixels.want([table.frames[row] for row in nearest], shown)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw rows, then captions and heads over them; emit ``painted`` for the row in focus."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.CANVAS)
        table = self._table()
        if table is None:
            return
        painter.setFont(theme.caption_font())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        view = self.viewport().rect()
        for number, photo in enumerate(table.frames):
            row = self._row(number)
            shown = row & view.adjusted(0, HEAD, 0, 0)
            if not shown.intersects(event.rect()):
                if shown.isEmpty():
                    self._on_screen.discard(photo)
                continue
            tile = self._tile_of(photo)
            painter.setClipRect(view.adjusted(0, HEAD, 0, 0))
            if number == self.active_row:
                painter.fillRect(row, theme.PANEL)
            self._draw_caption(painter, QRect(0, row.top(), LEFT, row.height()), tile, table)
            painter.setClipRect(view.adjusted(LEFT, HEAD, 0, 0))
            complete = self._draw_cells(painter, number, tile, table)
            (self._on_screen.add if complete else self._on_screen.discard)(photo)
        painter.setClipRect(view)
        self._draw_heads(painter, table)
        painter.end()
        self._painted_row = self.active_row
        self._session.viewer.note_painted(*self._on_screen)
        if self._session.current in self._on_screen:
            self.painted.emit(self._session.current)
        self._set_accessible_name(table)

    def _draw_cells(self, painter: QPainter, row: int, tile: Tile, table: FaceTable) -> bool:
        """Draw the faces of a frame, and the words about them.

        Returns:
            Whether all of them have pixels, or will have none.
        """
        closeups, complete = self._pixels.closeups(tile), True
        for column, closeup in closeups.items():
            place, person = self.cell(row, column), table.people[column]
            complete &= self._draw_crop(painter, place, tile, closeup)
            look = person.look(tile.id)
            if look.is_outlined:
                painter.setPen(QPen(theme.DISABLED if tile.rejected else theme.QUIET, 1))
                painter.drawRect(place.adjusted(0, 0, -1, -1))
            painter.setPen(theme.QUIET)
            line = QRect(place.left(), place.bottom() + 1, place.width(), WORD)
            painter.drawText(line, _MIDDLE, look.word)
        if row == self.active_row and table.people:
            place = self.cell(row, self._session.face_table.column)
            line = QRect(place.left(), place.bottom() + 1 + WORD, place.width(), _UNDERLINE)
            painter.fillRect(line, theme.WHITE)
        return complete

    def _draw_crop(self, painter: QPainter, place: QRect, tile: Tile, closeup: Closeup) -> bool:
        """Draw a crop, flat until its pixels are there. Return whether nothing more will come."""
        ratio = self.devicePixelRatioF()
        device = QRect(QPoint(0, 0), QSize(*closeup.crop.size))
        device.moveCenter((place.center().toPointF() * ratio).toPoint())
        painter.setOpacity(REJECTED_OPACITY if tile.rejected else 1.0)
        drawn = closeup.draw(painter, device, ratio)
        painter.setOpacity(1.0)
        if not drawn:
            painter.fillRect(place, theme.RAISED)
        return drawn or self._pixels.is_missing(tile)

    def _draw_caption(self, painter: QPainter, row: QRect, tile: Tile, table: FaceTable) -> None:
        """Draw a frame's thumbnail, name, marks and what is known of the eyes."""
        ratio = self.devicePixelRatioF()
        box = QRect(_MARGIN, row.top() + GAP // 2, THUMB.width(), THUMB.height())
        width, height = fitted(tile, (THUMB * ratio).toTuple())
        left = round(box.left() * ratio) + (round(box.width() * ratio) - width) // 2
        frame = self._thumbs.best(self._pixels.thumbnail(tile))
        picture = draw_thumbnail(
            painter, tile, frame, QRect(left, round(box.top() * ratio), width, height), ratio
        )
        if tile.suggested:
            draw_suggestion_ring(painter, picture)
        text = QRect(box.right() + 1 + _MARGIN, box.top(), 0, _LINE)
        text.setRight(row.right() - _MARGIN)
        metrics = QFontMetrics(painter.font())
        painter.setPen(theme.TEXT)
        name = metrics.elidedText(tile.name, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(text, _MIDDLE, name)
        middle = text.center().y() + _LINE + 1
        if mark_painter.draw_marks(painter, text.left(), middle, tile.marks, False) > text.left():
            text.translate(0, _LINE)
        reason = self._session.stacks.suggestion_reason(tile.id) if tile.suggested else ""
        facts = ["unreadable"] if tile.state == "failed" else table.facts(tile.id)
        facts = [*facts, f"Suggested best: {reason}"] if reason else facts
        painter.setPen(theme.QUIET)
        below = QRect(text.left(), text.bottom() + 2, text.width(), row.bottom() - text.bottom())
        painter.drawText(below, _WRAP, "\n".join(facts))
        if tile.id == self._session.current:
            line = QRect(box.left(), row.bottom() + 1 - GAP // 2, row.width(), _UNDERLINE)
            line.setRight(row.right() - _MARGIN)
            painter.fillRect(line, theme.WHITE)

    def _draw_heads(self, painter: QPainter, table: FaceTable) -> None:
        """Draw the heads of the columns: a number, and how often the eyes are closed."""
        head = QRect(0, 0, self.viewport().width(), HEAD)
        painter.fillRect(head, theme.CANVAS)
        painter.setClipRect(head.adjusted(LEFT, 0, 0, 0))
        metrics = QFontMetrics(painter.font())
        for column, person in enumerate(table.people):
            place = self.cell(0, column)
            closed = list(person.eyes.values()).count(Eye.CLOSED)
            summary = f"closed in {closed} of {len(person.faces)}" if closed else ""
            painter.setPen(theme.QUIET)
            text = words.elide_facts(
                words.joined((f"{column + 1}", summary)), metrics, place.width()
            )
            painter.drawText(QRect(place.left(), 0, place.width(), HEAD), _MIDDLE, text)
        painter.setClipRect(head)
        if table.others:
            others = f"+{counted(len(table.others), 'smaller face')}"
            painter.drawText(head.adjusted(_MARGIN, 0, 0, 0), _MIDDLE, others)

    def _set_accessible_name(self, table: FaceTable) -> None:
        """Set the accessible name to what the cell in focus shows."""
        photo, controller = self._session.current, self._session.face_table
        if photo is None:
            return
        tile = self._tile_of(photo)
        parts = [tile.name, captions.marks_line(tile.marks), *table.facts(photo)]
        if table.people:
            where = f"person {controller.column + 1} of {len(table.people)}"
            parts.append(f"{where}: {controller.description(photo, controller.column)}")
        name = words.joined(parts)
        if name != self.accessibleName():
            self.setAccessibleName(name)

    # --- showing, hiding, mouse

    def showEvent(self, event: QEvent) -> None:
        """Lay the table out and request its pixels."""
        self._on_table()

    def hideEvent(self, event: QEvent) -> None:
        """Request nothing while hidden."""
        self._on_screen.clear()
        self._pixels.release()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the table out for the new size."""
        self._on_table()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Paint the rows now on screen, and request their pixels."""
        self._requesting.request()
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move the focus to a cell, or to a row."""
        self._focus_at(event.position().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the face at 100 %, or from its caption the frame."""
        _, column = self._at(event.position().toPoint())
        if self._focus_at(event.position().toPoint()):
            self._session.face_table.open_frame() if column is None else self.open_face()

    def _focus_at(self, point: QPoint) -> bool:
        """Move the focus to the cell or row at a point. Return whether there is one."""
        table, (row, column) = self._table(), self._at(point)
        if table is None or row is None:
            return False
        self._session.compare.activate(table.frames[row])
        if column is not None:
            self._session.face_table.focus(column)
        return True

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Move the focus to the row; the window then opens the photo's menu."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        event.setAccepted(by_mouse and not self._focus_at(event.pos()))

    def viewportEvent(self, event: QEvent) -> bool:
        """Show what is known of the face under the pointer."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), single_line_tooltip(self._tip(event.pos())))
            return True
        return super().viewportEvent(event)

    def _tip(self, point: QPoint) -> str:
        table, (row, column) = self._table(), self._at(point)
        if table is None or row is None:
            return ""
        if column is None:
            return self._session.stacks.suggestion_reason(table.frames[row])
        return self._session.face_table.description(table.frames[row], column)
