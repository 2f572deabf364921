"""The command palette (Ctrl+K): find a command, folder, sort order or filter by a few letters.

The project chooser and the tag entry use its field and rows, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from curator.commands import COMMANDS
from curator.keyboard import Keyboard, views_of
from curator.keymap import VIEWS
from curator.library.filters import FILTERS
from curator.library.scopes import Scope
from curator.library.sort_orders import orders_for
from curator.session import Session
from curator.ui.widgets import layouts, theme
from curator.ui.widgets.actions import spelled_press
from curator.ui.widgets.overlay_panel import FIELD, OverlayPanel
from curator.ui.widgets.wheel import WheelSteps

_NO_MATCH = "No matches"
_ROWS = 12
_MARGIN = 14
_RECENT = 8  # entries remembered
_OFF_PENALTY = 2  # added to the kind of fit of an entry that is off here
# The most frequent actions first; decides between equal fits.
_COMMON = {
    name: place
    for place, name in enumerate(
        (
            *("export", "undo", "search", "pick", "reject", "keep", "cull", "rate", "browse"),
            *("open_folder", "settings", "compare", "survey", "grid", "loupe", "tag", "order"),
            *("toggle_fullscreen", "toggle_inspector", "select_all", "turn_left", "turn_right"),
            *("write_sidecars", "find_similar", "choose_project", "redo", "help_", "overview"),
        )
    )
}
# What other programs call a command.
_SYNONYMS = {
    "choose_project": "collection album",
    "export": "save as share publish",
    "face_table": "blink eyes people group",
    "failures": "errors broken damaged",
    "help_": "shortcuts keyboard help",
    "keep": "accept",
    "open_folder": "import add",
    "order": "sort",
    "quit_": "exit close",
    "reject": "delete trash discard",
    "delete_rejects": "delete trash empty",
    "search": "filter find",
    "settings": "preferences options configuration",
    "survey": "n-up",
    "compare": "2-up side by side",
    "tag": "keywords",
    "toggle_stack": "group",
    "turn_left": "rotate",
    "turn_right": "rotate",
    "unflag": "clear unpick",
    "write_sidecars": "xmp save metadata",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the palette.

    Attributes:
        name: identifies it among the entries used last.
        title: its title on screen.
        about: what it does, in a sentence.
        act: called when it is chosen.
        key: its key, as shown to the person.
        off: why it does not apply here; empty if it does.
        at_once: whether it is listed before anything is typed.
    """

    name: str
    title: str
    about: str
    act: Callable[[], None] = lambda: None
    key: str = ""
    off: str = ""
    at_once: bool = False


def entries(session: Session, view: str, do: Callable[[str], None]) -> list[Entry]:
    """List the palette's entries: commands, then folders, sort orders and filters.

    Args:
        session: the window's session.
        view: the name of the current view.
        do: runs a command by name.
    """

    def open_scope(scope: Scope) -> None:  # its folder may be removed while the person types
        session.messages.say_errors(lambda: session.sources.open_scope(scope))

    found = []
    for name, command in COMMANDS.items():
        if name != "palette":
            title, about = command.title.removesuffix("…"), command.help.splitlines()[0]
            key, off = session.preferences.keys.get(name, ""), command.disabled_reason(session)
            if view not in views_of(name):
                off = f"in the {_listed(views_of(name))} only"
            found.append(Entry(name, title, about, partial(do, name), key, off, at_once=True))
    for row in session.sources.scopes():
        if row.enabled and row.scope != session.criteria.scope:
            scope = row.scope
            act = partial(open_scope, scope)
            about = "project" if scope.project is not None else scope.expression or scope.key
            found.append(Entry(f"scope:{scope.key}", f"Go to {scope.title}", about, act))
    for name, order in orders_for(session.criteria.scope.kind).items():
        off = "" if session.ordering.is_available(name) else session.ordering.why_unavailable(name)
        act = partial(session.ordering.set_order, name)
        title = f"Sort by {_lower(order.title)}"
        found.append(Entry(f"order:{name}", title, order.about, act, off=off))
    for name, (title, _) in FILTERS.items():
        text = f"is:{name}"
        act = partial(session.search.set_filter, text)
        found.append(Entry(text, f"Show {_lower(title)}", text, act))
    return found


def best(entries: Sequence[Entry], text: str, recent: Sequence[str] = ()) -> list[Entry]:
    """Return the entries that fit the letters typed, best fit first.

    The start of a title counts most, then the start of a word in it, its initials, a synonym, any
    part of it, the words of its description, and last the letters in that order anywhere. An entry
    that is off here ranks lower, unless its whole title was typed. Among equal fits, entries
    used last come first, then common ones. With nothing typed, only recent use counts.
    """
    used = {name: age for age, name in enumerate(recent)}
    wanted = " ".join(text.casefold().split())
    if not wanted:
        offered = [each for each in entries if each.at_once or each.name in used]
        return sorted(offered, key=lambda each: (bool(each.off), used.get(each.name, len(used))))
    letters = re.compile(".*?".join(map(re.escape, wanted.replace(" ", ""))))
    ranked = []
    for entry in entries:
        fit = _fit(entry, wanted, letters)
        if fit is not None:
            kind = fit[0] + (_OFF_PENALTY if entry.off and fit[0] else 0)
            last_used = used.get(entry.name, len(used))
            common = _COMMON.get(entry.name, len(_COMMON))
            ranked.append(((kind, fit[1], last_used, common), entry))
    return [entry for _, entry in sorted(ranked, key=lambda each: each[0])]  # keeps their order


def _fit(entry: Entry, wanted: str, letters: re.Pattern[str]) -> tuple[int, int] | None:
    """Return how well an entry fits, lower is better: the kind of fit, and a rank within it."""
    title, name = entry.title.casefold(), entry.name.casefold()
    typed, of_title = wanted.split(), f" {title}"  # a blank precedes each word
    if wanted in (title, entry.key.casefold()):
        return 0, 0
    if title.startswith(wanted):
        return 1, 0 if title.startswith(f"{wanted} ") else 1
    if all(f" {word}" in of_title for word in typed):
        return 2, 0 if f" {wanted}" in of_title else 1
    if "".join(word[0] for word in title.split()).startswith(wanted):
        return 3, 0
    if f" {wanted}" in f" {_SYNONYMS.get(entry.name, '')}":
        return 4, 0
    if wanted in title or wanted in name:
        return 5, 0
    if all(f" {word}" in f" {entry.about.casefold()}" for word in typed):
        return 6, 0
    for kind, text in ((7, title), (8, name)):
        found = letters.search(text)
        if found is not None:
            return kind, found.end() - found.start()
    return None


class Palette(OverlayPanel):
    """A text field, and below it the entries that fit the text.

    Args:
        parent: the widget it covers.
        keyboard: returns the current keys; the palette's own key closes it.
    """

    def __init__(self, parent: QWidget, keyboard: Callable[[], Keyboard]) -> None:
        super().__init__(parent, theme.DIALOG)
        self._keyboard = keyboard
        self._find: Callable[[str], Sequence[Entry]] = lambda text: ()
        self._recent: list[str] = []
        self._focused_before: QWidget | None = None
        self.field = Field(self._handle_key)
        self.field.setPlaceholderText("Find a command, folder, sort order or filter")
        self.field.setAccessibleName("Command palette")
        self.field.setFixedHeight(FIELD)
        self.rows = EntryRows()
        column = layouts.column(self.panel, margins=(1, 1, 1, 1))
        column.addWidget(self.field)
        column.addWidget(self.rows)
        self.field.textChanged.connect(self._refresh)
        self.rows.pressed.connect(self._run)

    def open(self, entries: Sequence[Entry], recent: list[str]) -> None:
        """Open over a list of entries.

        Args:
            entries: all that can be chosen.
            recent: names of the entries used last; changed in place.
        """
        self.open_with(lambda text: best(entries, text, recent), recent=recent)

    def open_with(
        self,
        find: Callable[[str], Sequence[Entry]],
        text: str = "",
        recent: list[str] | None = None,
    ) -> None:
        """Open over a search.

        Args:
            find: returns the entries for a text, best first.
            text: typed at first, and selected.
            recent: names of the entries used last; changed in place.
        """
        self._find, self._recent = find, [] if recent is None else recent
        self._focused_before = self._covered.window().focusWidget()
        self.field.setText(text)
        self.field.selectAll()
        self._refresh(text)
        self.show()
        self.raise_()
        self.field.setFocus()

    def close_panel(self) -> None:
        """Close, and return the keyboard focus to the widget that had it."""
        before, self._focused_before = self._focused_before, None
        self.hide()
        if before is not None and before.isVisible() and before is not self.field:
            before.setFocus()
        else:
            self.closed.emit()

    def _refresh(self, text: str) -> None:
        self.rows.show_entries(self._find(text))
        self.place()

    def _run(self, entry: Entry) -> None:
        """Remember an entry, close the palette, and run the entry, unless it is off."""
        if entry.off:
            return
        self._recent[:] = [entry.name, *(each for each in self._recent if each != entry.name)]
        del self._recent[_RECENT:]
        self.close_panel()
        entry.act()

    def _handle_key(self, event: QKeyEvent) -> bool:
        """Handle a key that does not edit the text. Return whether it was one."""
        key = event.key()
        moves = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: _ROWS - 1,
            Qt.Key.Key_PageUp: 1 - _ROWS,
        }
        own = spelled_press(event, self._keyboard()) in self._keyboard().keys_of("palette")
        if key == Qt.Key.Key_Escape or own:
            self.close_panel()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.rows.current is not None and not event.isAutoRepeat():
                self._run(self.rows.current)
        elif key in moves:
            self.rows.step(moves[Qt.Key(key)])
        else:
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        return True

    def height_for(self, width: int) -> int:
        """Return the height of the field and the rows."""
        return FIELD + self.rows.height() + 2


class Field(QLineEdit):
    """A text field whose owner handles every key first; no key reaches a shortcut."""

    def __init__(self, handle_key: Callable[[QKeyEvent], bool]) -> None:
        super().__init__()
        self._handle_key = handle_key

    def event(self, event: QEvent) -> bool:
        """Keep keys from the window's shortcuts, and Tab from moving the focus."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._handle_key(event) or super().event(event)
        return super().event(event)


class EntryRows(QWidget):
    """The entries as rows: title, description, key; at most `_ROWS` are visible at once.

    Attributes:
        entries: the entries, best first.

    Signals:
        pressed(Entry): an entry was clicked.
    """

    pressed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.entries: Sequence[Entry] = ()
        self._at = self._top = 0
        self._wheel = WheelSteps()
        self.setMouseTracking(True)

    @property
    def current(self) -> Entry | None:
        """The entry that Enter runs; None if none is selected."""
        return self.entries[self._at] if self._at >= 0 else None

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show entries; the first one is current unless it is off."""
        self.entries, self._top = entries, 0
        self._at = 0 if entries and not entries[0].off else -1
        self.setFixedHeight(theme.ROW * max(min(len(entries), _ROWS), 1) + 8)
        self._moved()

    def step(self, by: int) -> None:
        """Make another row current, skipping rows that are off; the list does not wrap."""
        if not self.entries:
            return
        last, sign = len(self.entries) - 1, 1 if by > 0 else -1
        at = max(0, min(self._at + by, last))
        # The row aimed at, else the nearest one before it, else the nearest one after it.
        rows = (*range(at, self._at, -sign), *range(at, last + 1 if by > 0 else -1, sign))
        self._at = next((row for row in rows if not self.entries[row].off), self._at)
        self._top = max(self._at - _ROWS + 1, min(self._top, max(self._at, 0)))
        if all(entry.off for entry in self.entries[: max(self._at, 0)]) and self._at < _ROWS:
            self._top = 0  # show the rows that are off above the first, too
        self._moved()

    def _moved(self) -> None:
        nothing = self.entries[0].title if self.entries else _NO_MATCH
        self.setAccessibleName(self.current.title if self.current else nothing)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the rows."""
        return QSize(theme.DIALOG, self.height())

    def _row(self, at: QPoint) -> int | None:
        row = self._top + (at.y() - 4) // theme.ROW
        inside = self.rect().adjusted(0, 4, 0, -4).contains(at)
        return row if inside and row < len(self.entries) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the visible rows, and a hairline above them."""
        painter = QPainter(self)
        painter.fillRect(QRect(0, 0, self.width(), 1), theme.HAIRLINE)
        if not self.entries:
            painter.setPen(theme.QUIET)
            flags = int(Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(self.rect().adjusted(_MARGIN, 0, 0, 0), flags, _NO_MATCH)
        for number, entry in enumerate(self.entries[self._top : self._top + _ROWS]):
            row = QRect(0, 4 + number * theme.ROW, self.width(), theme.ROW)
            self._paint(painter, entry, row, self._top + number == self._at)

    @staticmethod
    def _paint(painter: QPainter, entry: Entry, row: QRect, current: bool) -> None:
        middle = int(Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine
        if current:
            painter.fillRect(row, theme.HAIRLINE)
        place = row.adjusted(_MARGIN, 0, -_MARGIN, 0)
        painter.setFont(theme.body_font())
        metrics = painter.fontMetrics()
        key = entry.off or entry.key
        painter.setFont(theme.caption_font() if entry.off else theme.body_font())
        taken = painter.fontMetrics().horizontalAdvance(key)
        painter.setPen(theme.DISABLED if entry.off else theme.TEXT if current else theme.QUIET)
        painter.drawText(place, middle | int(Qt.AlignmentFlag.AlignRight), key)
        painter.setFont(theme.body_font())
        place.setRight(place.right() - taken - (20 if key else 0))
        painter.setPen(theme.DISABLED if entry.off else theme.WHITE if current else theme.TEXT)
        title = metrics.elidedText(entry.title, Qt.TextElideMode.ElideMiddle, place.width())
        painter.drawText(place, middle, title)
        place.setLeft(place.left() + metrics.horizontalAdvance(title) + 12)
        if place.width() > 40:
            painter.setFont(theme.caption_font())
            painter.setPen(theme.DISABLED if entry.off else theme.QUIET)
            elide = Qt.TextElideMode.ElideRight
            about = painter.fontMetrics().elidedText(entry.about, elide, place.width())
            painter.drawText(place, middle, about)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Make the row under the pointer current, unless it is off."""
        row = self._row(event.position().toPoint())
        if row is not None and row != self._at and not self.entries[row].off:
            self._at = row
            self._moved()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Report a click on a row."""
        row = self._row(event.position().toPoint())
        if row is not None and event.button() is Qt.MouseButton.LeftButton:
            self.pressed.emit(self.entries[row])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by rows."""
        if steps := self._wheel.take(event.angleDelta().y()):
            self.step(-steps)


def _listed(views: frozenset[str]) -> str:
    """Name views in the order of VIEWS: "grid and loupe"."""
    named = [view for view in VIEWS if view in views]
    return " and ".join((", ".join(named[:-1]), named[-1])) if len(named) > 1 else named[0]


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
