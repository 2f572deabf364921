"""Reorders the photos of a project by dragging them in the grid."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from curator.session import Session
from curator.ui.grid.grid_layout import GAP, MARGIN
from curator.ui.grid.grid_view import GridView
from curator.ui.widgets import theme

_EDGE = 32  # px from the grid's upper and lower edge within which a drag scrolls
_SCROLL_MS = 16


class DragOrder(QObject):
    """Lets the person drag photos of a project to another position in the grid.

    It filters the grid's mouse events and acts only where the order can be changed by hand.

    Thread: GUI.
    """

    def __init__(self, grid: GridView, session: Session) -> None:
        super().__init__(grid)
        self._grid, self._session = grid, session
        self._from: QPoint | None = None
        self._photos: list[int] = []
        self._click: int | None = None  # pressed on the selection: may become a click
        self._at: QPoint | None = None  # while dragging
        self.line = QWidget(grid.viewport())  # the drop position, between two tiles
        self.line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.line.setStyleSheet(f"background: {theme.WHITE.name()}")
        self.line.hide()
        self._scroll = QTimer(self, interval=_SCROLL_MS)
        self._scroll.timeout.connect(self._scroll_on)
        grid.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle the presses, moves and releases of the left button that belong to a drag."""
        if not isinstance(event, QMouseEvent):
            return False
        kind, at = event.type(), event.position().toPoint()
        if kind == QEvent.Type.MouseButtonPress:
            return self._press(event, at)
        if kind == QEvent.Type.MouseMove and self._from is not None:
            return self._move(at)
        if kind == QEvent.Type.MouseButtonRelease and self._from is not None:
            return self._release()
        return False

    def _press(self, event: QMouseEvent, at: QPoint) -> bool:
        self._stop()
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if event.button() is not Qt.MouseButton.LeftButton or not plain:
            return False
        number = self._grid.grid_layout.at(at.x(), at.y() + self._grid.verticalScrollBar().value())
        if number is None or self._session.projects.why_not_movable():
            return False
        photo, selection = self._grid.tile_photo(number), self._session.photos.selection
        self._from = at
        if photo in selection and len(selection) > 1:
            self._photos = [each for each in self._session.ids.tolist() if each in selection]
            self._click = photo
            return True
        self._photos = [photo]
        return False

    def _move(self, at: QPoint) -> bool:
        assert self._from is not None
        far = (at - self._from).manhattanLength() >= QApplication.startDragDistance()
        if self._at is None and not far:
            return True
        if self._at is None:
            self._grid.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            self._scroll.start()
        self._at = at
        self._show_line()
        return True

    def _release(self) -> bool:
        at, photos, click = self._at, self._photos, self._click
        before = self._before(at) if at is not None else None
        self._stop()
        if at is not None:
            self._session.messages.say_errors(lambda: self._session.projects.move(photos, before))
        elif click is not None:
            self._session.photos.select_only(click)
        return at is not None or click is not None

    def _stop(self) -> None:
        if self._at is not None:
            self._grid.viewport().unsetCursor()
        self._from = self._at = self._click = None
        self._scroll.stop()
        self.line.hide()

    # --- the drop position

    def _gap(self, at: QPoint) -> tuple[int, int]:
        """Return the gap nearest to a point: its row and the number of tiles before it."""
        layout = self._grid.grid_layout
        y = at.y() + self._grid.verticalScrollBar().value() - MARGIN
        row = max(0, min(y // layout.row_height, layout.rows - 1))
        column = round((at.x() - MARGIN + GAP / 2) / (layout.cell_width + GAP))
        in_row = min(layout.columns, layout.count - row * layout.columns)
        return row, max(0, min(column, in_row))

    def _before(self, at: QPoint) -> int | None:
        """Return the photo before which a drop at a point inserts; None at the end."""
        row, column = self._gap(at)
        number = row * self._grid.grid_layout.columns + column
        ids = self._session.ids
        return int(ids[number]) if number < len(ids) else None

    def _show_line(self) -> None:
        assert self._at is not None
        layout = self._grid.grid_layout
        row, column = self._gap(self._at)
        left = MARGIN + column * (layout.cell_width + GAP) - GAP // 2 - 1
        top = MARGIN + row * layout.row_height - self._grid.verticalScrollBar().value()
        self.line.setGeometry(left, top, 2, layout.cell_height)
        self.line.show()
        self.line.raise_()

    def _scroll_on(self) -> None:
        """Scroll while a drag rests near the upper or lower edge, faster the nearer it is."""
        if self._at is None:
            return
        y, height = self._at.y(), self._grid.viewport().height()
        step = min(y - _EDGE, 0) + max(y + _EDGE - height, 0)
        if step:
            bar = self._grid.verticalScrollBar()
            bar.setValue(bar.value() + max(-_EDGE, min(step, _EDGE)))
            self._show_line()
