"""The cheat sheet (?): every command by purpose with its keys, this view's keys bright."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from curator.commands import COMMANDS, GROUPS
from curator.keyboard import Keyboard, views_of
from curator.ui import theme

_LINE = 22  # where the window is high enough
_MARGIN = 40
_BETWEEN = 12  # keys and what they do
_NARROWEST, _GAP = 20, 72  # between columns: wider would tear apart what one reads together
# Groups of commands side by side; the short ones share a column.
COLUMNS: tuple[tuple[str, ...], ...] = (("Passes", "Files"), ("Marks",), ("Moves",), ("Looking",))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet; ``bright`` where its key means something in this view."""

    keys: str
    does: str
    bright: bool


Column = Sequence[tuple[str, list[Line]]]  # groups one below the other


def sheet(view: str, keyboard: Keyboard) -> dict[str, list[Line]]:
    """Make the lines of the sheet by group, keys in a row folded into one line each."""
    lines: dict[str, list[Line]] = {group: [] for group in GROUPS}
    folded: set[str] = set()
    for does, members in _FAMILIES.items():
        span = _span([keyboard.keys_of(name) for name in members])
        if span:
            folded |= set(members)
            bright = any(view in views_of(name) for name in members)
            lines[COMMANDS[members[0]].group].append(Line(span, does, bright))
    for name, command in COMMANDS.items():
        keys = keyboard.keys_of(name)
        if name in folded or not keys:
            continue
        shown = " ".join(theme.keys(key) for key in _without_doubles(keys))
        lines[command.group].append(Line(shown, command.title, view in views_of(name)))
    lines["Marks"].append(Line("Shift+mark", "Go on, or stay, just once", view != "finish"))
    return lines


def without_key(keyboard: Keyboard) -> list[str]:
    """List what there is to do besides, by title."""
    return [
        command.title.rstrip("…")
        for name, command in COMMANDS.items()
        if not keyboard.keys_of(name)
    ]


# Commands whose keys usually lie in a row, by what they do.
_FAMILIES = {
    "Stars": tuple(f"stars_{number}" for number in range(1, 6)),
    "Red, yellow, green, blue label": tuple(
        f"label_{colour}" for colour in ("red", "yellow", "green", "blue")
    ),
    "Swap in a maybe": tuple(f"maybe_{number}" for number in range(1, 5)),
}


def _span(keys: Sequence[Sequence[str]]) -> str:
    """Fold single keys in a row, ``1`` to ``5``, into one text; empty where they are in none."""
    if any(len(each) != 1 for each in keys):
        return ""
    stem = keys[0][0].rstrip("0123456789")
    numbers = [each[0].removeprefix(stem) for each in keys]
    if not all(number.isdecimal() for number in numbers):
        return ""
    first = int(numbers[0])
    if [int(number) for number in numbers] != list(range(first, first + len(keys))):
        return ""
    last = stem.rpartition("+")[2] + numbers[-1]
    return f"{theme.keys(keys[0][0])} – {last}"


def _without_doubles(keys: Sequence[str]) -> list[str]:
    """Leave out what a keyboard without the first key needs: = beside +."""
    seconds = {"=": "+", "Ctrl++": "+", "Ctrl+=": "+", "Ctrl+-": "-", "Ctrl+Y": "Ctrl+Shift+Z"}
    return [key for key in keys if seconds.get(key) not in keys]


class HelpOverlay(QWidget):
    """Lies over the whole window at 94 %; any key or press closes it.

    Signals:
        left: it was closed; somebody should take the keyboard.

    Args:
        parent: what it covers.
        view: gives the name of the view in force.
        keyboard: gives the keys in force.
    """

    left = Signal()

    def __init__(
        self, parent: QWidget, view: Callable[[], str], keyboard: Callable[[], Keyboard]
    ) -> None:
        super().__init__(parent)
        self._covered = parent
        self._view, self._keyboard = view, keyboard
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("All keys")
        parent.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Cover the window and take the keyboard."""
        self.setGeometry(self._covered.rect())
        parts = sheet(self._view(), self._keyboard()).values()
        said = (f"{line.keys}: {line.does}" for part in parts for line in part)
        self.setAccessibleDescription(". ".join(said))
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
        lines = sheet(self._view(), self._keyboard())
        blocks = [[(group, lines[group]) for group in column] for column in COLUMNS]
        lines_most = max(sum(len(part) + 2.5 for _, part in column) for column in blocks)
        foot = self._paint_foot(painter)
        line = min(_LINE, int((self.height() - foot) / lines_most))
        tallest = lines_most * line
        font, widths = self.fitted(blocks, self.width() - 2 * _MARGIN)
        taken = sum(keys + _BETWEEN + does for keys, does in widths)
        gap = min(max((self.width() - 2 * _MARGIN - taken) // (len(blocks) - 1), _NARROWEST), _GAP)
        x = (self.width() - taken - gap * (len(blocks) - 1)) // 2
        top = max(round((self.height() - foot - tallest) / 2) + 8, 8)
        for column, (keys, does) in zip(blocks, widths, strict=True):
            y = top
            for group, part in column:
                painter.setFont(font)
                y = _paint_group(painter, QRect(x + keys + _BETWEEN, y, does, line), group, part)
            x += keys + _BETWEEN + does + gap

    def _paint_foot(self, painter: QPainter) -> int:
        """Draw what has no key, and below it how to leave; give the height that takes, px."""
        painter.setFont(theme.caption_font())
        metrics = painter.fontMetrics()
        keyboard = self._keyboard()
        finds = keyboard.keys_of("palette")
        by = f"{theme.keys(finds[0])} finds " if finds else ""
        words = "   ".join(title.replace(" ", "\u00a0") for title in without_key(keyboard))
        text = f"{by}what has no key:   {words}" if words else ""
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        room = self.rect().adjusted(_MARGIN, 0, -_MARGIN, -16)
        painter.setPen(theme.QUIET)
        painter.drawText(room, flags, "Any key closes")
        room.adjust(0, 0, 0, -metrics.height() - 8)
        wrapped = flags | Qt.TextFlag.TextWordWrap
        taken = metrics.boundingRect(room, wrapped, text).height() if text else 0
        painter.drawText(room, wrapped, text)
        return taken + metrics.height() + 40

    @staticmethod
    def fitted(blocks: Sequence[Column], room: int) -> tuple[QFont, list[tuple[int, int]]]:
        """Choose the largest font in which everything fits ``room`` px.

        Returns:
            The font, and of each column the widths of its keys and of their meanings, px; where
            even the smallest font is too wide the meanings give way.
        """
        for font in (theme.body_font(), theme.caption_font()):
            metrics = QFontMetrics(font)
            lines = [[line for _, part in column for line in part] for column in blocks]
            widths = [
                (
                    max(metrics.horizontalAdvance(line.keys) for line in column),
                    max(metrics.horizontalAdvance(line.does) for line in column) + 1,
                )
                for column in lines
            ]
            over = sum(keys + _BETWEEN + does for keys, does in widths) - room
            over += _NARROWEST * (len(blocks) - 1)
            if over <= 0:
                return font, widths
        less = -(-over // len(blocks))
        return font, [(keys, max(does - less, 0)) for keys, does in widths]


def _paint_group(painter: QPainter, at: QRect, group: str, part: list[Line]) -> int:
    """Draw a group, its meanings from the left edge of ``at``, its keys left of that."""
    middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
    right = int(Qt.AlignmentFlag.AlignRight) | middle
    font, place = painter.font(), QRect(at)
    painter.setFont(theme.title_font())
    painter.setPen(theme.TEXT)
    painter.drawText(place, middle, group)
    height = place.height()
    place.translate(0, height + 6)
    painter.setFont(font)
    for line in part:
        painter.setPen(theme.WHITE if line.bright else theme.DISABLED)
        keys = QRect(0, place.y(), place.left() - _BETWEEN, height)
        painter.drawText(keys, right, line.keys)
        painter.setPen(theme.TEXT if line.bright else theme.DISABLED)
        room = place.width()
        does = painter.fontMetrics().elidedText(line.does, Qt.TextElideMode.ElideRight, room)
        painter.drawText(place, middle, does)
        place.translate(0, height)
    return place.y() + round(1.2 * height)
