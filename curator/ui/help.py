"""The cheat sheet (?): every command by purpose with its keys, this view's keys bright."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from curator.commands import COMMANDS, GROUPS
from curator.keymap import keys_of
from curator.ui import theme
from curator.ui.topbar import available

_LINE = 22
_KEYS_WIDTH = 92
_MARGIN = 40
# Groups of commands side by side; the short ones share a column.
COLUMNS: tuple[tuple[str, ...], ...] = (("Passes", "Files"), ("Marks",), ("Moves",), ("Looking",))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet; ``bright`` where its key means something in this view."""

    keys: str
    does: str
    bright: bool


def sheet(view: str) -> dict[str, list[Line]]:
    """Make the lines of the sheet by group, families of keys folded into one line each."""
    lines: dict[str, list[Line]] = {group: [] for group in GROUPS}
    folded: set[str] = set()
    for family in _FAMILIES:
        members = [name for name in family.members if name in COMMANDS]
        if not members:
            continue
        folded |= set(members)
        bright = any(available(name, view) for name in members)
        lines[COMMANDS[members[0]].group].append(Line(family.keys, family.does, bright))
    for name, command in COMMANDS.items():
        keys = keys_of(name)
        if name in folded or not keys:
            continue
        shown = " ".join(theme.keys(key) for key in _without_doubles(keys))
        lines[command.group].append(Line(shown, command.title, available(name, view)))
    lines["Marks"].append(Line("Shift+mark", "Go on, or stay, just once", view != "finish"))
    return lines


@dataclass(frozen=True, slots=True)
class _Family:
    keys: str
    does: str
    members: tuple[str, ...]


_FAMILIES = (
    _Family("1 – 5", "Stars", tuple(f"stars_{number}" for number in range(1, 6))),
    _Family(
        "6 – 9",
        "Red, yellow, green, blue label",
        tuple(f"label_{colour}" for colour in ("red", "yellow", "green", "blue")),
    ),
)


def _without_doubles(keys: list[str]) -> list[str]:
    """Leave out the second spelling of a key: Enter beside Return, = beside +."""
    seconds = {"Enter": "Return", "=": "+", "Ctrl+Y": "Ctrl+Shift+Z"}
    return [key for key in keys if seconds.get(key) not in keys]


class HelpOverlay(QWidget):
    """Lies over the whole window at 94 %; any key or press closes it.

    Signals:
        left: it was closed; somebody should take the keyboard.

    Args:
        parent: what it covers.
        view: gives the name of the view in force.
    """

    left = Signal()

    def __init__(self, parent: QWidget, view: Callable[[], str]) -> None:
        super().__init__(parent)
        self._covered = parent
        self._view = view
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("All keys")
        parent.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Cover the window and take the keyboard."""
        self.setGeometry(self._covered.rect())
        self.show()
        self.raise_()
        self.setFocus()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Follow the size of the window."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._covered.rect())
        return False

    def event(self, event: QEvent) -> bool:
        """Take every key for itself: none of them may mark a photo under the sheet."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with any key that is more than a modifier."""
        modifiers = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta)
        if event.key() not in modifiers and not event.isAutoRepeat():
            self._close()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close with a press anywhere."""
        self._close()

    def _close(self) -> None:
        self.hide()
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the columns."""
        painter = QPainter(self)
        veil = QColor(theme.CANVAS)
        veil.setAlphaF(0.94)
        painter.fillRect(self.rect(), veil)
        lines = sheet(self._view())
        blocks = [[(group, lines[group]) for group in column] for column in COLUMNS]
        tallest = max(sum(len(part) + 2.5 for _, part in column) for column in blocks) * _LINE
        room = self.width() - 2 * _MARGIN
        # Wider columns than the text needs would tear keys and meaning apart.
        width = min(room // len(COLUMNS), 340)
        # The keys of the first column stand far left of its words: centre what one sees.
        left = (self.width() - width * len(COLUMNS)) // 2 + 24
        top = max(round((self.height() - tallest) / 2), 16)
        for number, column in enumerate(blocks):
            y = top
            for group, part in column:
                y = self._paint_group(
                    painter, QPointF(left + number * width, y), width, group, part
                )
        painter.setFont(theme.caption_font())
        painter.setPen(theme.QUIET)
        foot = self.rect().adjusted(0, 0, 0, -16)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
        painter.drawText(foot, int(flags), "Any key closes")

    def _paint_group(
        self, painter: QPainter, at: QPointF, width: int, group: str, part: list[Line]
    ) -> int:
        x, y = round(at.x()), round(at.y())
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        painter.setFont(theme.title_font())
        painter.setPen(theme.TEXT)
        painter.drawText(QRect(x + _KEYS_WIDTH + 12, y, width, _LINE), middle, group)
        y += _LINE + 6
        painter.setFont(theme.body_font())
        for line in part:
            painter.setPen(theme.WHITE if line.bright else theme.DISABLED)
            right = int(Qt.AlignmentFlag.AlignRight) | middle
            painter.drawText(QRect(x, y, _KEYS_WIDTH, _LINE), right, line.keys)
            painter.setPen(theme.TEXT if line.bright else theme.DISABLED)
            room = width - _KEYS_WIDTH - 24
            does = painter.fontMetrics().elidedText(line.does, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRect(x + _KEYS_WIDTH + 12, y, room, _LINE), middle, does)
            y += _LINE
        return y + round(1.2 * _LINE)
