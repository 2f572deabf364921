"""A column of clickable rows with icon, title and count; the sidebar consists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
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
        key: identifies the row in signals.
        dim: whether the row is drawn as disabled.
        opens: whether the row's children are shown; None for a row without children.
        tip: the tooltip.
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

    Attributes:
        rows: the rows shown.

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
        self.rows: Sequence[Row] = ()
        self._hover = -1
        self._choice: object = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Replace the rows."""
        before, self.rows = self.rows, rows
        if list(rows) == list(before):
            return
        self.setAccessibleName(", ".join(f"{row.title} {row.count}".strip() for row in rows))
        if len(rows) == len(before):  # counts change several times a second while photos are read
            for index, (new, old) in enumerate(zip(rows, before, strict=True)):
                if new != old:
                    self.update(self._rect(index))
            return
        self.setFixedHeight(len(rows) * theme.ROW)
        self.update()

    def show_stable(self, rows: Sequence[Row], choice: object) -> bool:
        """Replace the rows if ``choice`` changed, else only update them.

        While the person has chosen nothing else, no row may appear, vanish or move under the
        pointer. Rows that are missing turn dim.

        Args:
            rows: the rows as they are now.
            choice: what the person chose to see.

        Returns:
            Whether the rows were replaced.
        """
        replaced, self._choice = choice != self._choice, choice
        if not replaced:
            new = {row.key: row for row in rows}
            rows = [new.get(row.key, replace(row, count="", dim=True)) for row in self.rows]
        self.show_rows(rows)
        return replaced

    def forget_choice(self) -> None:
        """Replace the rows at the next update, even if the choice is the same."""
        self._choice = None

    def sizeHint(self) -> QSize:
        """Return the size of all rows."""
        return QSize(theme.SIDEBAR, len(self.rows) * theme.ROW)

    def row_rect(self, key: str) -> QRect:
        """Return the rectangle of a row; empty if there is no such row."""
        for index, row in enumerate(self.rows):
            if row.key == key:
                return self._rect(index)
        return QRect()

    def _rect(self, index: int) -> QRect:
        return QRect(0, index * theme.ROW, self.width(), theme.ROW)

    def _index_at(self, y: float) -> int:
        """Return the index of the row at a y, -1 for none."""
        index = int(y // theme.ROW)
        return index if 0 <= index < len(self.rows) else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that are visible and changed."""
        painter, region = QPainter(self), event.region()
        first = max(event.rect().top() // theme.ROW, 0)
        last = min(event.rect().bottom() // theme.ROW, len(self.rows) - 1)
        for index in range(first, last + 1):
            if region.intersects(self._rect(index)):
                self._paint(painter, self.rows[index], index)

    def _paint(self, painter: QPainter, row: Row, index: int) -> None:
        area = self._rect(index)
        top = area.top()
        if row.current:
            painter.fillRect(area, theme.RAISED)
            painter.fillRect(QRect(0, top, 2, theme.ROW), theme.WHITE)
        elif index == self._hover:
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
        # Folder names differ at their ends (2026-05-01 a, 2026-05-01 b), so the middle is elided.
        title, elide = bidi_safe(row.title), Qt.TextElideMode.ElideMiddle
        beside = right - left - 8 - QFontMetrics(theme.body_font()).horizontalAdvance(title)
        painter.setFont(theme.caption_font())
        painter.setPen(theme.DISABLED if row.dim else theme.QUIET)
        counts = QRect(left, top, right - left, theme.ROW)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        metrics, cut = painter.fontMetrics(), Qt.TextElideMode.ElideRight
        count = metrics.elidedText(row.count, cut, max(beside, counts.width() // 2))
        painter.drawText(counts, int(flags | Qt.AlignmentFlag.AlignRight), count)
        width = counts.width() - 8 - metrics.horizontalAdvance(count)
        painter.setFont(theme.body_font())
        painter.setPen(color)
        text = painter.fontMetrics().elidedText(title, elide, width)
        painter.drawText(QRect(left, top, width, theme.ROW), int(flags), text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the row under the pointer."""
        self._highlight(self._index_at(event.position().y()))

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        self._highlight(-1)

    def _highlight(self, index: int) -> None:
        if index != self._hover:
            for changed in (self._hover, index):
                self.update(self._rect(changed))
            self._hover = index

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Emit ``pressed`` for a row or ``folded`` for its triangle."""
        index = self._index_at(event.position().y())
        if index < 0 or event.button() is not Qt.MouseButton.LeftButton:
            return
        row = self.rows[index]
        if row.opens is not None and event.position().x() > self.width() - _RIGHT - theme.ICON:
            self.folded.emit(row.key)
        else:
            self.pressed.emit(row.key)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Request the row's menu."""
        index = self._index_at(event.pos().y())
        if index >= 0:
            self.menu.emit(self.rows[index].key, event.globalPos())

    def event(self, event: QEvent) -> bool:
        """Show the row's tooltip, as plain text."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._index_at(event.pos().y())
            if index >= 0 and (tip := self.rows[index].tip):
                QToolTip.showText(event.globalPos(), theme.plain_tip(tip), self)
            return True
        return super().event(event)


def section_with_add_button(
    section: QWidget, title: str, button_name: str, rows: Rows
) -> QToolButton:
    """Lay out a section of the sidebar: a caption with an Add button, and rows below.

    Args:
        section: still empty.
        title: its caption.
        button_name: the accessible name of the button.
        rows: the rows below.

    Returns:
        The button.
    """
    add = theme.icon_button("add", button_name)
    column = QVBoxLayout(section)
    column.setContentsMargins(0, 12, 0, 0)
    column.setSpacing(0)
    column.addWidget(section_head(title, add))
    column.addWidget(rows)
    return add


def section_head(title: str, button: QWidget | None = None) -> QWidget:
    """Build the head of a section of the sidebar: a caption, and a button at the right."""
    head = QWidget()
    head.setFixedHeight(theme.ROW)
    line = QHBoxLayout(head)
    line.setContentsMargins(12, 0, 6, 0)
    line.addWidget(theme.plain(title, role="caption"))
    line.addStretch(1)
    if button is not None:
        line.addWidget(button)
    return head
