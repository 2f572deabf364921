"""The cheat sheet (?): all commands by group; the keys of the current view are bright."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QRect, Qt
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
from curator.ui.widgets.overlay_panel import OverlayPanel

_LINE = 22  # if the window is high enough
_MARGIN, _EDGE = 40, 16  # beside and below the columns; the least there may be
_TOP = 8
_BETWEEN = 12  # px between keys and titles
_NARROWEST, _GAP = 20, 72  # px between columns, at least and at most
_HEAD, _APART = 4, 0.8  # px below a group's name; lines between groups
_STEP = 3  # lines an arrow key scrolls
_BAR = 3  # px, width of the scroll bar
_FOOT = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
# Groups of commands side by side, as many columns as there is room for.
ARRANGEMENTS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("Modes", "Files"), ("Rate and flag",), ("Navigate",), ("View",)),
    (("Modes", "Navigate"), ("Files", "Rate and flag"), ("View",)),
    (("Modes", "Files", "View"), ("Rate and flag", "Navigate")),
    (("Modes", "Rate and flag", "Navigate", "View", "Files"),),
)

# Commands whose keys are usually neighbors, by their common title.
_FAMILIES = {
    "Stars": tuple(f"stars_{number}" for number in range(1, 6)),
    "Red, yellow, green, blue label": tuple(
        f"label_{color}" for color in ("red", "yellow", "green", "blue")
    ),
    "Similar photo": tuple(f"candidate_{number}" for number in range(1, 5)),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sheet; ``bright`` if its key works in the current view."""

    keys: str
    title: str
    bright: bool


Lines = Mapping[str, Sequence[Line]]


@dataclass(frozen=True, slots=True)
class Word:
    """A text and its place, aligned left or right."""

    text: str
    place: QRect
    font: QFont
    color: QColor
    right: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """The layout of a sheet: groups by column, widths of keys and titles, the font."""

    groups: tuple[tuple[str, ...], ...]
    widths: tuple[tuple[int, int], ...]
    font: QFont

    @classmethod
    def fitting(cls, lines: Lines, width: int) -> Columns:
        """Choose as many columns as fit ``width`` px, in the largest font that fits.

        If a single column of the smallest font is too wide, the titles are cut.
        """
        for groups in ARRANGEMENTS:
            for font in (theme.body_font(), theme.caption_font()):
                metrics = QFontMetrics(font)
                columns = [[line for group in column for line in lines[group]] for column in groups]
                widths = tuple(
                    (
                        max(metrics.horizontalAdvance(line.keys) for line in column) + 2,
                        max(metrics.horizontalAdvance(line.title) for line in column) + 2,
                    )
                    for column in columns
                )
                layout = cls(groups, widths, font)
                room = width - 2 * _EDGE - _NARROWEST * (len(groups) - 1)
                if layout.total_width <= room:
                    return layout
        ((keys, titles),) = widths
        return cls(groups, ((keys, max(titles - layout.total_width + room, 0)),), font)

    @property
    def total_width(self) -> int:
        """The width of all columns in px, without the gaps."""
        return sum(keys + _BETWEEN + titles for keys, titles in self.widths)

    def height(self, lines: Lines, line: int) -> int:
        """Return the height of the longest column in px, with lines of ``line`` px."""
        groups = [[len(lines[group]) for group in column] for column in self.groups]
        return max(
            (len(column) + sum(column)) * line
            + len(column) * _HEAD
            + (len(column) - 1) * round(_APART * line)
            for column in groups
        )

    def words(self, lines: Lines, width: int, top: int, line: int) -> list[Word]:
        """Place all texts, centered in ``width`` px, from ``top`` on, with lines of ``line`` px."""
        between = max(len(self.groups) - 1, 1)
        gap = min(max((width - 2 * _MARGIN - self.total_width) // between, _NARROWEST), _GAP)
        x = (width - self.total_width - gap * (len(self.groups) - 1)) // 2
        placed = []
        for column, (keys, titles) in zip(self.groups, self.widths, strict=True):
            y, left = top, x + keys + _BETWEEN
            for group in column:
                head = QRect(left, y, titles, line)
                placed.append(Word(group, head, theme.title_font(), theme.TEXT))
                y += line + _HEAD
                for each in lines[group]:
                    bright, dull = (theme.WHITE, theme.TEXT), (theme.DISABLED, theme.DISABLED)
                    pressed, meant = bright if each.bright else dull
                    at = QRect(x, y, keys, line)
                    placed.append(Word(each.keys, at, self.font, pressed, right=True))
                    placed.append(Word(each.title, QRect(left, y, titles, line), self.font, meant))
                    y += line
                y += round(_APART * line)
            x = left + titles + gap
        return placed


def sheet(view: str, keyboard: Keyboard) -> dict[str, list[Line]]:
    """Return the lines of the sheet by group; keys like 1 to 5 share one line."""
    lines: dict[str, list[Line]] = {group: [] for group in GROUPS}
    families, folded = {}, set()
    for title, members in _FAMILIES.items():
        if span := _span([keyboard.keys_of(name) for name in members]):
            bright = any(view in views_of(name) for name in members)
            families[members[0]] = Line(span, title, bright)
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
    """List the titles of commands without a key."""
    return [
        command.title.rstrip("…")
        for name, command in COMMANDS.items()
        if not keyboard.keys_of(name)
    ]


def _span(keys: Sequence[Sequence[str]]) -> str:
    """Fold neighboring keys like ``1`` to ``5`` into one text; empty if they are not neighbors."""
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
    """Leave out alternatives of another key of the command, like = for +."""
    seconds = {"=": "+", "Ctrl++": "+", "Ctrl+=": "+", "Ctrl+-": "-", "Ctrl+Y": "Ctrl+Shift+Z"}
    return [key for key in keys if seconds.get(key) not in keys]


class HelpOverlay(OverlayPanel):
    """The sheet, painted over the whole window; any key or click closes it.

    A small window has fewer columns, and the arrow keys scroll.

    Args:
        parent: the widget it covers.
        view: returns the name of the current view.
        keyboard: returns the current keys.
    """

    def __init__(
        self, parent: QWidget, view: Callable[[], str], keyboard: Callable[[], Keyboard]
    ) -> None:
        super().__init__(parent, theme.DIALOG)
        self.panel.hide()
        self._view, self._keyboard = view, keyboard
        self._words: list[Word] = []
        self._foot, self._foot_place = "", QRect()
        self._room = self._max_scroll = self._scrolled = 0  # px: visible, hidden, scrolled
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("All keys")

    def open(self) -> None:
        """Cover the window and take the keyboard focus."""
        self.place()
        self._lay_out()
        parts = sheet(self._view(), self._keyboard()).values()
        lines = (f"{line.keys}: {line.title}" for part in parts for line in part)
        self.setAccessibleDescription(". ".join(lines))
        self.show()
        self.raise_()
        self.setFocus()

    def place(self) -> None:
        """Cover the whole window."""
        self.setGeometry(self._covered.rect())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll if there is more to see; close with any other key but modifiers."""
        modifiers = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta)
        if self.scrolls and (by := self._steps().get(Qt.Key(event.key()))) is not None:
            self._scroll_to(self._scrolled + by)
        elif event.key() not in modifiers and not event.isAutoRepeat():
            self.close_panel()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll if there is more to see."""
        self._scroll_to(self._scrolled - event.angleDelta().y() * _STEP * _LINE // 120)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close with a click."""
        self.close_panel()

    def resizeEvent(self, event: object) -> None:
        """Lay the sheet out again for the size."""
        self._lay_out()

    # --- layout

    @property
    def words(self) -> list[Word]:
        """The texts with their places on the widget, as scrolled."""
        return [
            replace(word, place=word.place.translated(0, -self._scrolled)) for word in self._words
        ]

    @property
    def room(self) -> QRect:
        """The area of the texts: everything above the last line."""
        return QRect(0, 0, self.width(), self._room)

    @property
    def scrolls(self) -> bool:
        """Whether the sheet is higher than its area."""
        return self._max_scroll > 0

    def _lay_out(self) -> None:
        """Place all texts, and compute how far the sheet can scroll."""
        lines = sheet(self._view(), self._keyboard())
        columns = Columns.fitting(lines, self.width())
        small = QFontMetrics(theme.caption_font())
        self._room = self.height() - small.height() - _EDGE - 8  # above the last line
        foot, foot_height = self._without_key(small)
        least = QFontMetrics(columns.font).height() + 1
        room = self._room - foot_height - 2 * _TOP
        fits = (line for line in range(_LINE, least, -1) if columns.height(lines, line) <= room)
        line = next(fits, least)
        height = columns.height(lines, line)
        top = _TOP + max(room - height, 0) // 2
        self._words = columns.words(lines, self.width(), top, line)
        self._foot = foot
        ends = max(top + height + _TOP, self._room - foot_height)
        self._foot_place = QRect(_EDGE, ends, self.width() - 2 * _EDGE, foot_height)
        self._max_scroll = max(self._foot_place.bottom() + 1 - self._room, 0)
        self._scroll_to(0)

    def _without_key(self, small: QFontMetrics) -> tuple[str, int]:
        """Return the text about commands without a key, and its height in px."""
        keyboard = self._keyboard()
        palette = keyboard.keys_of("palette")
        intro = f"{theme.keys(palette[0])} finds commands" if palette else "Commands"
        words = "   ".join(title.replace(" ", "\u00a0") for title in without_key(keyboard))
        text = f"{intro} without a key:   {words}" if words else ""
        room = QRect(0, 0, self.width() - 2 * _EDGE, 1 << 14)
        return text, small.boundingRect(room, _FOOT, text).height() if text else 0

    def _steps(self) -> dict[Qt.Key, int]:
        """Return how far each key scrolls, px."""
        line, page, all_ = _STEP * _LINE, self._room - 2 * _LINE, self._max_scroll
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
        self._scrolled = min(max(y, 0), self._max_scroll)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sheet."""
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
        if self.scrolls:
            shown = self._room * self._room // (self._room + self._max_scroll)
            y = (self._room - shown) * self._scrolled // self._max_scroll
            painter.fillRect(self.width() - 2 - _BAR, y, _BAR, shown, theme.DISABLED)
        painter.restore()
        painter.setFont(theme.caption_font())
        painter.setPen(theme.QUIET)
        leave = "↑ ↓ show more   Any other key closes" if self.scrolls else "Any key closes"
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        painter.drawText(self.rect().adjusted(0, 0, 0, -_EDGE), flags, leave)


def _paint(painter: QPainter, word: Word) -> None:
    align = Qt.AlignmentFlag.AlignRight if word.right else Qt.AlignmentFlag.AlignLeft
    flags = int(align | Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine
    painter.setFont(word.font)
    painter.setPen(word.color)
    room = word.place.width()
    text = painter.fontMetrics().elidedText(word.text, Qt.TextElideMode.ElideRight, room)
    painter.drawText(word.place, flags, text)
