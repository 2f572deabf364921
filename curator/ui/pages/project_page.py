"""The header above the grid of an open project: cover, name, counts and notes."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QRect, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QPushButton, QWidget

from curator.session import Session
from curator.ui.grid.grid_layout import MARGIN
from curator.ui.widgets import layouts, theme, words
from curator.ui.widgets.frames import FrameRequest, Pictures
from curator.ui.widgets.thumbnails import TileCache, blit, thumbnail_request

HEIGHT = 96  # px
_COVER = (96, 72)  # px the cover is fitted into
_TEXT = 16  # px between the cover and the texts beside it
_VIEW = "cover"


class ProjectHeader(QWidget):
    """The cover, name, counts and notes of the open project.

    Thread: GUI.
    """

    def __init__(self, session: Session, pictures: Pictures) -> None:
        super().__init__()
        self._session, self._thumbs = session, pictures.thumbs
        self._tiles = TileCache(session)
        self._cover_request: FrameRequest | None = None  # the cover
        self.texts = ("", "", "")  # name, counts, notes
        self.setAccessibleName("Project")
        self.edit = QPushButton("Name and notes…")
        self.export = QPushButton("Export…")
        self.edit.clicked.connect(self._edit)
        self.export.clicked.connect(lambda: session.requests.export_requested.emit(None))
        row = layouts.row(self, spacing=8, margins=(0, 0, 16, 0))
        row.addStretch(1)
        for button in (self.edit, self.export):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        session.projects.changed.connect(self._refresh)
        session.photos.counts_changed.connect(self._refresh)
        session.view_state.arrangement_changed.connect(self._refresh)
        session.preferences.changed.connect(self._refresh)
        self._thumbs.arrived.connect(self._on_arrived)

    def _build_texts(self) -> tuple[str, str, str]:
        """Return name, counts and notes; empty texts if no project is open."""
        row = self._session.projects.open
        if row is None:
            return "", "", ""
        photos, approved = self._session.projects.counts()[row.id]
        counts = words.joined((words.photos(photos), f"{words.count(approved)} approved"))
        if photos > 1 and not self._session.projects.why_not_movable():
            keys = self._session.preferences.keys
            how = ("drag", keys.get("move_earlier"), keys.get("move_later"))
            counts = f"{counts} · {' or '.join(filter(None, how))} to reorder"
        return row.name, counts, row.notes

    # --- the cover

    def _cover(self) -> FrameRequest | None:
        row = self._session.projects.open
        photo = None if row is None else self._session.projects.cover(row)
        return None if photo is None else thumbnail_request(self._tiles(photo), self._box())

    def _box(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return round(_COVER[0] * ratio), round(_COVER[1] * ratio)

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        self._cover_request = self._cover()
        self._thumbs.want(_VIEW, (self._cover_request,))
        self.texts = self._build_texts()
        self.setAccessibleDescription(words.joined(self.texts))
        self.export.setEnabled(self._cover_request is not None)
        self.update()

    def _on_arrived(self, wants: Collection[FrameRequest]) -> None:
        if self._cover_request in wants:
            self.update()

    def showEvent(self, event: QEvent) -> None:
        """Show the open project."""
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Request the cover again for another device pixel ratio."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._refresh()

    def hideEvent(self, event: QEvent) -> None:
        """Withdraw the request for the cover."""
        self._thumbs.want(_VIEW, ())

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw cover and texts, and a hairline below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.CANVAS)
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), theme.HAIRLINE)
        self._paint_cover(painter)
        name, counts, notes = self.texts
        left = MARGIN + _COVER[0] + _TEXT
        room = QRect(left, 12, self.edit.x() - left - _TEXT, HEIGHT - 24)
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
        top = (HEIGHT - _COVER[1]) // 2
        want = self._cover_request
        if want is None:
            painter.fillRect(QRect(MARGIN, top, *_COVER), theme.PANEL)
            return
        width, height = want.size if want.size else box
        left = round(MARGIN * ratio) + (box[0] - width) // 2
        place = QRect(left, round(top * ratio) + (box[1] - height) // 2, width, height)
        frame = self._thumbs.best(want)
        if frame is None:
            area = QRectF(place)
            painter.fillRect(QRectF(area.topLeft() / ratio, area.size() / ratio), theme.PANEL)
        else:
            blit(painter, frame, place, ratio)

    def _edit(self) -> None:
        row = self._session.projects.open
        if row is not None:
            self._session.requests.edit_project_requested.emit(row.id)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Edit name and notes."""
        self._edit()


def _paint_lines(painter: QPainter, room: QRect, text: str, most: int) -> None:
    """Draw wrapped text in at most ``most`` lines; the last one is elided if there is more."""
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
