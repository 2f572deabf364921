"""The cheat sheet (?): every command by purpose with its keys, this view's keys bright."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from curator.commands import COMMANDS, GROUPS
from curator.keyboard import Keyboard, views_of
from curator.ui.widgets import theme

_LINE = 22  # where the window is high enough
_MARGIN, _EDGE = 40, 16  # beside and below the columns; the least there may be
_TOP = 8
_BETWEEN = 12  # keys and what they do
_NARROWEST, _GAP = 20, 72  # between columns: wider would tear apart what one reads together
_HEAD, _APART = 6, 1.2  # px below a group's name; lines between groups
_STEP = 3  # lines a press of an arrow scrolls by
_BAR = 3  # px wide: what shows how far it is scrolled
# Groups of commands side by side, as many columns as there is room for.
ARRANGEMENTS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("Modes", "Files"), ("Rate and flag",), ("Navigate",), ("View",)),
    (("Modes", "Navigate"), ("Files", "Rate and flag"), ("View",)),
    (("Modes", "Files", "View"), ("Rate and flag", "Navigate")),
    (("Modes", "Rate and flag", "Navigate", "View", "Files"),),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet; ``bright`` where its key means something in this view."""

    keys: str
    does: str
    bright: bool


Lines = Mapping[str, Sequence[Line]]


@dataclass(frozen=True, slots=True)
class Word:
    """A text of the sheet and where it stands: at the left of its place, or at the right."""

    text: str
    place: QRect
    font: QFont
    color: QColor
    right: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """How a sheet is laid out: columns of groups, the widths of keys and meanings, the font."""

    groups: tuple[tuple[str, ...], ...]
    widths: tuple[tuple[int, int], ...]
    font: QFont

    @classmethod
    def fitting(cls, lines: Lines, width: int) -> Columns:
        """Choose as many columns as ``width`` px have room for, and the largest font for those.

        Where one column of the smallest font is too wide still, the meanings give way.
        """
        for groups in ARRANGEMENTS:
            for font in (theme.body_font(), theme.caption_font()):
                metrics = QFontMetrics(font)
                columns = [[line for group in column for line in lines[group]] for column in groups]
                widths = tuple(
                    (
                        max(metrics.horizontalAdvance(line.keys) for line in column) + 2,
                        max(metrics.horizontalAdvance(line.does) for line in column) + 2,
                    )
                    for column in columns
                )
                made = cls(groups, widths, font)
                room = width - 2 * _EDGE - _NARROWEST * (len(groups) - 1)
                if made.taken <= room:
                    return made
        ((keys, does),) = widths
        return cls(groups, ((keys, max(does - made.taken + room, 0)),), font)

    @property
    def taken(self) -> int:
        """Px of all columns, without what is between them."""
        return sum(keys + _BETWEEN + does for keys, does in self.widths)

    def height(self, lines: Lines, line: int) -> int:
        """Give what the longest column takes at ``line`` px a line, px."""
        groups = [[len(lines[group]) for group in column] for column in self.groups]
        return max(
            (len(column) + sum(column)) * line
            + len(column) * _HEAD
            + (len(column) - 1) * round(_APART * line)
            for column in groups
        )

    def words(self, lines: Lines, width: int, top: int, line: int) -> list[Word]:
        """Place everything in the middle of ``width`` px, from ``top`` on, ``line`` px a line."""
        between = max(len(self.groups) - 1, 1)
        gap = min(max((width - 2 * _MARGIN - self.taken) // between, _NARROWEST), _GAP)
        x = (width - self.taken - gap * (len(self.groups) - 1)) // 2
        placed = []
        for column, (keys, does) in zip(self.groups, self.widths, strict=True):
            y, left = top, x + keys + _BETWEEN
            for group in column:
                head = QRect(left, y, does, line)
                placed.append(Word(group, head, theme.title_font(), theme.TEXT))
                y += line + _HEAD
                for each in lines[group]:
                    bright, dull = (theme.WHITE, theme.TEXT), (theme.DISABLED, theme.DISABLED)
                    pressed, meant = bright if each.bright else dull
                    at = QRect(x, y, keys, line)
                    placed.append(Word(each.keys, at, self.font, pressed, right=True))
                    placed.append(Word(each.does, QRect(left, y, does, line), self.font, meant))
                    y += line
                y += round(_APART * line)
            x = left + does + gap
        return placed


def sheet(view: str, keyboard: Keyboard) -> dict[str, list[Line]]:
    """Make the lines of the sheet by group, keys in a row folded into one line each."""
    lines: dict[str, list[Line]] = {group: [] for group in GROUPS}
    families, folded = {}, set()
    for does, members in _FAMILIES.items():
        if span := _span([keyboard.keys_of(name) for name in members]):
            bright = any(view in views_of(name) for name in members)
            families[members[0]] = Line(span, does, bright)
            folded |= set(members)
    for name, command in COMMANDS.items():
        keys = keyboard.keys_of(name)
        if name in families:
            lines[command.group].append(families[name])
        elif keys and name not in folded:
            shown = " ".join(theme.keys(key) for key in _without_doubles(keys))
            lines[command.group].append(Line(shown, command.title, view in views_of(name)))
    lines["Rate and flag"].append(Line("Shift+mark", "Invert auto-advance once", view != "finish"))
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
        f"label_{color}" for color in ("red", "yellow", "green", "blue")
    ),
    "Swap in a candidate": tuple(f"maybe_{number}" for number in range(1, 5)),
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

    In a small window there are fewer columns, and the arrows scroll: no word is cut.

    Signals:
        left: it was closed; somebody should take the keyboard.

    Args:
        parent: what it covers.
        view: gives the name of the view in force.
        keyboard: gives the keys in force.
    """

    closed = Signal()

    def __init__(
        self, parent: QWidget, view: Callable[[], str], keyboard: Callable[[], Keyboard]
    ) -> None:
        super().__init__(parent)
        self._covered = parent
        self._view, self._keyboard = view, keyboard
        self._words: list[Word] = []
        self._foot, self._foot_place = "", QRect()
        self._room = self._most = self._scrolled = 0  # px: shown at once, hidden, scrolled by
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("All keys")
        parent.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Cover the window and take the keyboard."""
        self.setGeometry(self._covered.rect())
        self._lay_out()
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
        """Scroll where there is more, or close, with any key that is more than a modifier."""
        modifiers = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta)
        if self._most and (by := self._steps().get(Qt.Key(event.key()))) is not None:
            self._scroll_to(self._scrolled + by)
        elif event.key() not in modifiers and not event.isAutoRepeat():
            self._close()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll where there is more."""
        self._scroll_to(self._scrolled - event.angleDelta().y() * _STEP * _LINE // 120)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close with a press anywhere."""
        self._close()

    def _close(self) -> None:
        self.hide()
        self.closed.emit()

    def resizeEvent(self, event: object) -> None:
        """Lay it out for the size."""
        self._lay_out()

    # --- what lies where

    @property
    def words(self) -> list[Word]:
        """What shows, where it lies on the widget now, scrolled as it is."""
        return [
            replace(word, place=word.place.translated(0, -self._scrolled)) for word in self._words
        ]

    @property
    def room(self) -> QRect:
        """Where words show: all of it but the line that says how to leave."""
        return QRect(0, 0, self.width(), self._room)

    @property
    def scrolls(self) -> bool:
        """Whether there is more than shows."""
        return self._most > 0

    def _lay_out(self) -> None:
        """Place everything, and find out how much of it there is no room for."""
        lines = sheet(self._view(), self._keyboard())
        columns = Columns.fitting(lines, self.width())
        small = QFontMetrics(theme.caption_font())
        self._room = self.height() - small.height() - _EDGE - 8  # above how to leave
        foot, high = self._without_key(columns, small)
        least = QFontMetrics(columns.font).height() + 1
        room = self._room - high - 2 * _TOP
        fits = (line for line in range(_LINE, least, -1) if columns.height(lines, line) <= room)
        line = next(fits, least)
        tall = columns.height(lines, line)
        top = _TOP + max(room - tall, 0) // 2
        self._words = columns.words(lines, self.width(), top, line)
        self._foot = foot
        ends = max(top + tall + _TOP, self._room - high)
        self._foot_place = QRect(_EDGE, ends, self.width() - 2 * _EDGE, high)
        self._most = max(self._foot_place.bottom() + 1 - self._room, 0)
        self._scroll_to(0)

    def _without_key(self, columns: Columns, small: QFontMetrics) -> tuple[str, int]:
        """Say what has no key; give the height it takes, px."""
        keyboard = self._keyboard()
        finds = keyboard.keys_of("palette")
        by = f"{theme.keys(finds[0])} finds " if finds else ""
        words = "   ".join(title.replace(" ", "\u00a0") for title in without_key(keyboard))
        text = f"{by}what has no key:   {words}" if words else ""
        room = QRect(0, 0, self.width() - 2 * _EDGE, 1 << 14)
        return text, small.boundingRect(room, _FOOT, text).height() if text else 0

    def _steps(self) -> dict[Qt.Key, int]:
        line, page, all_ = _STEP * _LINE, self._room - 2 * _LINE, self._most
        key = Qt.Key
        return {
            key.Key_Down: line,
            key.Key_Up: -line,
            key.Key_PageDown: page,
            key.Key_PageUp: -page,
            key.Key_Home: -all_,
            key.Key_End: all_,
        }

    def _scroll_to(self, y: int) -> None:
        self._scrolled = min(max(y, 0), self._most)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the columns."""
        painter = QPainter(self)
        veil = QColor(theme.CANVAS)
        veil.setAlphaF(0.94)
        painter.fillRect(self.rect(), veil)
        painter.save()
        painter.setClipRect(self.room)
        for word in self.words:
            _paint(painter, word)
        painter.setFont(theme.caption_font())
        painter.setPen(theme.QUIET)
        painter.drawText(self._foot_place.translated(0, -self._scrolled), _FOOT, self._foot)
        if self._most:
            shown = self._room * self._room // (self._room + self._most)
            y = (self._room - shown) * self._scrolled // self._most
            painter.fillRect(self.width() - 2 - _BAR, y, _BAR, shown, theme.DISABLED)
        painter.restore()
        painter.setFont(theme.caption_font())
        painter.setPen(theme.QUIET)
        leave = "↑ ↓ show more   Any other key closes" if self._most else "Any key closes"
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        painter.drawText(self.rect().adjusted(0, 0, 0, -_EDGE), flags, leave)


_FOOT = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)


def _paint(painter: QPainter, word: Word) -> None:
    align = Qt.AlignmentFlag.AlignRight if word.right else Qt.AlignmentFlag.AlignLeft
    flags = int(align | Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine
    painter.setFont(word.font)
    painter.setPen(word.color)
    room = word.place.width()
    text = painter.fontMetrics().elidedText(word.text, Qt.TextElideMode.ElideRight, room)
    painter.drawText(word.place, flags, text)
