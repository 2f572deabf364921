"""A column of clickable rows with icon, text and a count; the sidebar is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from curator.model import Label, bidi_safe
from curator.ui.widgets import theme

_LEFT = 12
_INDENT = 14
_RIGHT = 14


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        opens: whether the row's children are shown; None for a row without children.
        dim: whether the row is drawn as disabled.
        swatch: name of a label whose color is drawn before the title.
    """

    key: str
    title: str
    count: str = ""
    icon: str = ""
    depth: int = 0
    current: bool = False
    dim: bool = False
    opens: bool | None = None
    tip: str = ""
    swatch: str = ""


class Rows(QWidget):
    """Rows of 28 px, painted only where visible.

    Signals:
        pressed(str): the row with this key was pressed.
        folded(str): the triangle of a row with children was pressed.
        menu(str, QPoint): a row's context menu was requested at a global position.
    """

    pressed = Signal(str)
    folded = Signal(str)
    menu = Signal(str, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Row] = ()
        self._hover = -1
        self._choice: object = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows shown."""
        return self._rows

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Replace the rows."""
        if list(rows) == list(self._rows):
            return
        self._rows = rows
        self.setAccessibleName(", ".join(f"{row.title} {row.count}".strip() for row in rows))
        self.setFixedHeight(len(rows) * theme.ROW)
        self.update()

    def show_stable(self, rows: Sequence[Row], choice: object) -> bool:
        """Show rows that come and go only when ``choice`` changes, never under the pointer.

        Returns:
            Whether the rows were replaced; else only those there were updated.
        """
        replaced, self._choice = choice != self._choice, choice
        if replaced:
            self.show_rows(rows)
        else:
            self.update_rows(rows)
        return replaced

    def forget_choice(self) -> None:
        """Replace the rows at the next update, even if the choice is the same."""
        self._choice = None

    def update_rows(self, rows: Sequence[Row]) -> None:
        """Update the rows shown without adding, removing or moving any; missing ones turn dim."""
        found = {row.key: row for row in rows}
        gone = (replace(row, count="", dim=True) for row in self._rows)
        self.show_rows([found.get(row.key, row) for row in gone])

    def sizeHint(self) -> QSize:
        """Return the size of all rows."""
        return QSize(theme.SIDEBAR, len(self._rows) * theme.ROW)

    def row_rect(self, key: str) -> QRect:
        """Return the rectangle of a row; empty if there is no such row."""
        for number, row in enumerate(self._rows):
            if row.key == key:
                return QRect(0, number * theme.ROW, self.width(), theme.ROW)
        return QRect()

    def _at(self, y: float) -> int:
        number = int(y // theme.ROW)
        return number if 0 <= number < len(self._rows) else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the visible rows."""
        painter = QPainter(self)
        first = max(event.rect().top() // theme.ROW, 0)
        last = min(event.rect().bottom() // theme.ROW, len(self._rows) - 1)
        for number in range(first, last + 1):
            self._paint(painter, self._rows[number], number)

    def _paint(self, painter: QPainter, row: Row, number: int) -> None:
        top = number * theme.ROW
        area = QRect(0, top, self.width(), theme.ROW)
        if row.current:
            painter.fillRect(area, theme.RAISED)
            painter.fillRect(QRect(0, top, 2, theme.ROW), theme.WHITE)
        elif number == self._hover:
            painter.fillRect(area, theme.RAISED)
        ratio = self.devicePixelRatioF()
        color = theme.DISABLED if row.dim else theme.WHITE if row.current else theme.TEXT
        left = _LEFT + row.depth * _INDENT
        middle = top + (theme.ROW - theme.ICON) // 2
        if row.icon:
            shade = color if row.current or row.dim else theme.QUIET
            painter.drawPixmap(left, middle, theme.pixmap(row.icon, shade, theme.ICON, ratio))
            left += theme.ICON + 8
        if row.swatch:
            bar = QRect(left, middle, 3, theme.ICON)
            painter.fillRect(bar, theme.LABELS[Label(row.swatch)])
            left += 11
        right = self.width() - _RIGHT
        if row.opens is not None:
            name = "down" if row.opens else "right"
            icon = theme.pixmap(name, theme.QUIET, theme.ICON, ratio)
            painter.drawPixmap(right - theme.ICON + 4, middle, icon)
        right -= theme.ICON
        painter.setFont(theme.caption_font())
        painter.setPen(theme.DISABLED if row.dim else theme.QUIET)
        numbers = QRect(left, top, right - left, theme.ROW)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(numbers, int(flags | Qt.AlignmentFlag.AlignRight), row.count)
        taken = painter.fontMetrics().horizontalAdvance(row.count)
        painter.setFont(theme.body_font())
        painter.setPen(color)
        room = right - taken - 8 - left
        # Folder names differ at their ends (2026-05-01 a, 2026-05-01 b), so the middle is elided.
        title, elide = bidi_safe(row.title), Qt.TextElideMode.ElideMiddle
        text = painter.fontMetrics().elidedText(title, elide, room)
        painter.drawText(QRect(left, top, room, theme.ROW), int(flags), text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the row under the pointer."""
        self._hover_at(self._at(event.position().y()))

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        self._hover_at(-1)

    def _hover_at(self, number: int) -> None:
        if number != self._hover:
            self._hover = number
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Emit ``pressed`` for a row or ``folded`` for its triangle."""
        number = self._at(event.position().y())
        if number < 0 or event.button() is not Qt.MouseButton.LeftButton:
            return
        row = self._rows[number]
        if row.opens is not None and event.position().x() > self.width() - _RIGHT - theme.ICON:
            self.folded.emit(row.key)
        else:
            self.pressed.emit(row.key)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the row's menu."""
        number = self._at(event.pos().y())
        if number >= 0:
            self.menu.emit(self._rows[number].key, event.globalPos())

    def event(self, event: QEvent) -> bool:
        """Show the row's tooltip, as plain text."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self._at(event.pos().y())
            tip = self._rows[number].tip if number >= 0 else ""
            QToolTip.showText(event.globalPos(), theme.plain_tip(tip), self) if tip else None
            return True
        return super().event(event)


def section_with_add_button(part: QWidget, title: str, adds: str, rows: Rows) -> QToolButton:
    """Lay out a section of the sidebar: a caption with an Add button, and rows below.

    Args:
        part: the section, still empty.
        title: its caption.
        adds: the accessible name of the button.
        rows: the rows below.

    Returns:
        The button.
    """
    add = QToolButton()
    add.setIcon(theme.icon("add"))
    add.setProperty("flat", True)
    add.setAccessibleName(adds)
    head = QWidget()
    head.setFixedHeight(theme.ROW)
    line = QHBoxLayout(head)
    line.setContentsMargins(12, 0, 6, 0)
    line.addWidget(theme.plain(title, role="caption"))
    line.addStretch(1)
    line.addWidget(add)
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 12, 0, 0)
    column.setSpacing(0)
    column.addWidget(head)
    column.addWidget(rows)
    return add
