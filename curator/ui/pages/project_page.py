"""The page of a project: its head above the grid, its name and notes, its order by dragging."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from curator.catalog import ProjectRow
from curator.model import KnownError
from curator.session import Session
from curator.session.projects import Projects
from curator.ui.grid.grid_layout import GAP, MARGIN
from curator.ui.grid.grid_view import GridView
from curator.ui.widgets import theme, words
from curator.ui.widgets.dialogs import Dialog
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.thumbnails import TileCache, blit, thumbnail_request

_HEIGHT = 96
_COVER = (96, 72)  # px the cover is fitted into
_TEXT = 16  # px between the cover and what is written beside it
_CLIENT = "cover"
_EDGE = 32  # px from the grid's upper and lower edge within which a drag scrolls
_SCROLL_MS = 16
_NOTES_HEIGHT = 140


class ProjectHead(QWidget):
    """The cover, name, counts and notes of the project on the table.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__()
        self._session, self._thumbs = session, pictures.thumbs
        self._known = TileCache(session)
        self._want: FrameRequest | None = None  # the cover
        self.said = ("", "", "")  # name, counts, notes
        self.setAccessibleName("Project")
        self.edit = QPushButton("Name and notes…")
        self.export = QPushButton("Export…")
        self.edit.clicked.connect(self._edit)
        self.export.clicked.connect(lambda: session.ask("export"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 16, 0)
        row.setSpacing(8)
        row.addStretch(1)
        for button in (self.edit, self.export):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        session.projects.changed.connect(self._refresh)
        session.counts_changed.connect(self._refresh)
        session.view_changed.connect(self._refresh)
        self._thumbs.arrived.connect(self._on_arrived)

    @staticmethod
    def wanted_height() -> int:
        """Say how high it is, px."""
        return _HEIGHT

    def _say(self) -> tuple[str, str, str]:
        """Say name, counts and notes; nothing where no project is on the table."""
        row = self._session.projects.open
        if row is None:
            return "", "", ""
        photos, approved = self._session.projects.counts()[row.id]
        counts = words.joined((words.photos(photos), f"{words.count(approved)} approved"))
        if photos > 1 and not self._session.projects.why_fixed():
            keys = [self._session.keys.get(name) for name in ("move_earlier", "move_later")]
            counts = f"{counts} · {' or '.join(each for each in ('drag', *keys) if each)} to order"
        return row.name, counts, row.notes

    # --- the cover

    def _cover(self) -> FrameRequest | None:
        row = self._session.projects.open
        photo = None if row is None else self._session.projects.cover(row)
        return None if photo is None else thumbnail_request(self._known(photo), self._box())

    def _box(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(_COVER[0] * ratio), round(_COVER[1] * ratio)

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        self._want = self._cover()
        self._thumbs.want(_CLIENT, () if self._want is None else (self._want,))
        self.said = self._say()
        self.setAccessibleDescription(words.joined(self.said))
        self.export.setEnabled(self._want is not None)
        self.update()

    def _on_arrived(self, wants: Collection[FrameRequest]) -> None:
        if self._want in wants:
            self.update()

    def showEvent(self, event: QEvent) -> None:
        """Take over what there is to show."""
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the device pixel ratio of the screen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._refresh()

    def hideEvent(self, event: QEvent) -> None:
        """Want nothing while out of sight."""
        self._thumbs.want(_CLIENT, ())

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw cover and words on bare canvas, a hairline below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), theme.HAIRLINE)
        self._paint_cover(painter)
        name, counts, notes = self.said
        left = MARGIN + _COVER[0] + _TEXT
        room = QRect(left, 12, self.edit.x() - left - _TEXT, _HEIGHT - 24)
        line = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        elide = Qt.TextElideMode.ElideRight
        painter.setFont(theme.title_font())
        painter.setPen(theme.TEXT)
        painter.drawText(room, line, painter.fontMetrics().elidedText(name, elide, room.width()))
        room.setTop(room.top() + 22)
        painter.setFont(theme.caption_font())
        painter.setPen(theme.QUIET)
        painter.drawText(room, line, painter.fontMetrics().elidedText(counts, elide, room.width()))
        room.setTop(room.top() + 18)
        painter.setFont(theme.body_font())
        painter.setPen(theme.TEXT)
        _paint_lines(painter, room, notes, 2)

    def _paint_cover(self, painter: QPainter) -> None:
        ratio, box = self.devicePixelRatioF(), self._box()
        top = (_HEIGHT - _COVER[1]) // 2
        want = self._want
        if want is None:
            painter.fillRect(QRect(MARGIN, top, *_COVER), theme.PANEL)
            return
        width, height = want.size if want.size else box
        left = round(MARGIN * ratio) + (box[0] - width) // 2
        place = QRect(left, round(top * ratio) + (box[1] - height) // 2, width, height)
        frame = self._thumbs.get(want) or self._thumbs.any_size(want)
        if frame is None:
            area = QRectF(place)
            painter.fillRect(QRectF(area.topLeft() / ratio, area.size() / ratio), theme.PANEL)
        else:
            blit(painter, frame, place, ratio)

    def _edit(self) -> None:
        row = self._session.projects.open
        if row is not None:
            self._session.ask("project", ("edit", row.id))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Change what one reads."""
        self._edit()


def _paint_lines(painter: QPainter, room: QRect, text: str, most: int) -> None:
    """Write text in lines of a width, the last one elided if there is more."""
    metrics = painter.fontMetrics()
    flat = " ".join(text.split())
    layout = QTextLayout(flat, painter.font())
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    layout.setTextOption(option)
    layout.beginLayout()
    y = room.top()
    for number in range(most):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(room.width())
        start = line.textStart()
        shown = flat[start : start + line.textLength()]
        if number == most - 1:
            shown = metrics.elidedText(flat[start:], Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(QRect(room.left(), y, room.width(), metrics.height()), 0, shown)
        y += metrics.height()
    layout.endLayout()


class ProjectDialog(Dialog):
    """A project's name and notes, to be changed.

    Attributes:
        wants_removal: whether the person pressed Remove.
    """

    def __init__(self, row: ProjectRow, projects: Projects, parent: QWidget | None) -> None:
        super().__init__(f"Project {row.name}", parent)
        self._row, self._projects = row, projects
        self.wants_removal = False
        self.name, self.notes = QLineEdit(row.name), QPlainTextEdit(row.notes)
        self.name.setAccessibleName("Name")
        self.notes.setAccessibleName("Notes")
        self.notes.setFixedHeight(_NOTES_HEIGHT)
        self.notes.setTabChangesFocus(True)
        self.problem = self.wrapped("", role="error")
        self.problem.hide()
        self.body.addWidget(theme.plain("Name", role="caption"))
        self.body.addWidget(self.name)
        self.body.addWidget(self.problem)
        self.body.addSpacing(8)
        self.body.addWidget(theme.plain("Notes", role="caption"))
        self.body.addWidget(self.notes)
        self.remove = self.button("Remove…")
        self.cancel = self.button("Cancel")
        self.save = self.button("Save", primary=True)
        self.remove.clicked.connect(self._remove)
        self.cancel.clicked.connect(self.reject)
        self.save.clicked.connect(self._save)
        self.buttons.addWidget(self.remove)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.cancel)
        self.buttons.addWidget(self.save)
        self.name.returnPressed.connect(self._save)
        self.name.setFocus()
        self.name.selectAll()

    def _save(self) -> None:
        try:
            if self.name.text() != self._row.name:
                self._projects.rename(self._row.id, self.name.text())
            if self.notes.toPlainText() != self._row.notes:
                self._projects.write_notes(self._row.id, self.notes.toPlainText())
        except KnownError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.accept()

    def _remove(self) -> None:
        self.wants_removal = True
        self.reject()


class _DropLine(QWidget):
    """Where photos would go: 2 px of white between two tiles."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        QPainter(self).fillRect(self.rect(), theme.WHITE)


class HandOrder(QObject):
    """Lets photos of a project be dragged in the grid to where they shall stand.

    It watches the grid's mouse and steps in only where the order is by hand.

    Thread: GUI.
    """

    def __init__(self, grid: GridView, session: Session) -> None:
        super().__init__(grid)
        self._grid, self._session = grid, session
        self._from: QPoint | None = None
        self._photos: list[int] = []
        self._click: int | None = None  # a press on the selection that may become a click
        self._at: QPoint | None = None  # while dragging
        self.line = _DropLine(grid.viewport())
        self._scroll = QTimer(self, interval=_SCROLL_MS)
        self._scroll.timeout.connect(self._scroll_on)
        grid.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take presses, moves and releases of the left button that drag."""
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
        if number is None or self._session.projects.why_fixed():
            return False
        photo, selection = self._grid.tile_photo(number), self._session.selection
        self._from = at
        if photo in selection and len(selection) > 1:
            self._photos, self._click = (
                [p for p in self._session.ids.tolist() if p in selection],
                photo,
            )
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
            try:
                self._session.projects.move(photos, before)
            except KnownError as error:
                self._session.say(str(error))
        elif click is not None:
            self._session.select_only(click)
        return at is not None or click is not None

    def _stop(self) -> None:
        if self._at is not None:
            self._grid.viewport().unsetCursor()
        self._from = self._at = self._click = None
        self._scroll.stop()
        self.line.hide()

    # --- where to

    def _gap(self, at: QPoint) -> tuple[int, int]:
        """Find the gap nearest to a point: the row, and how many tiles of it stand before."""
        sheet = self._grid.grid_layout
        y = at.y() + self._grid.verticalScrollBar().value() - MARGIN
        row = max(0, min(y // sheet.pitch, sheet.rows - 1))
        column = round((at.x() - MARGIN + GAP / 2) / (sheet.edge + GAP))
        there = min(sheet.columns, sheet.count - row * sheet.columns)
        return row, max(0, min(column, there))

    def _before(self, at: QPoint) -> int | None:
        row, column = self._gap(at)
        place = row * self._grid.grid_layout.columns + column
        ids = self._session.ids
        return int(ids[place]) if place < len(ids) else None

    def _show_line(self) -> None:
        assert self._at is not None
        sheet = self._grid.grid_layout
        row, column = self._gap(self._at)
        left = MARGIN + column * (sheet.edge + GAP) - GAP // 2 - 1
        top = MARGIN + row * sheet.pitch - self._grid.verticalScrollBar().value()
        self.line.setGeometry(left, top, 2, sheet.tall)
        self.line.show()
        self.line.raise_()

    def _scroll_on(self) -> None:
        """Scroll while a drag rests near the upper or the lower edge, faster nearer to it."""
        if self._at is None:
            return
        over = min(self._at.y() - _EDGE, 0) + max(
            self._at.y() + _EDGE - self._grid.viewport().height(), 0
        )
        if over:
            bar = self._grid.verticalScrollBar()
            bar.setValue(bar.value() + max(-_EDGE, min(over, _EDGE)))
            self._show_line()
