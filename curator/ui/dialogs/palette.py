"""The command palette (Ctrl+K): find a command, folder, order or filter by a few of its letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from curator.commands import COMMANDS
from curator.keyboard import Keyboard, views_of
from curator.keymap import VIEWS
from curator.library.filters import FILTERS
from curator.library.scopes import Scope
from curator.library.sort_orders import orders_for
from curator.model import KnownError
from curator.session import Session
from curator.ui.widgets import theme
from curator.ui.widgets.actions import spelled_press
from curator.ui.widgets.overlay_panel import FIELD, OverlayPanel

_ROWS = 12
_MARGIN = 14
_RECENT = 8  # acts remembered
_OFF = 2  # kinds of fit that something counts less for being off here
# What people do most, the most frequent first: decides between equal fits.
_USUAL = {
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
# What other programs call it.
_ALSO = {
    "choose_project": "collection album",
    "export": "save as share publish",
    "failures": "errors broken damaged",
    "help_": "shortcuts keyboard help",
    "keep": "accept",
    "open_folder": "import add",
    "order": "sort",
    "quit_": "exit close",
    "reject": "delete trash discard",
    "remove_rejects": "delete trash empty",
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
    """One thing the palette can do.

    Attributes:
        name: what it is called in the code, and remembered by.
        title: what it is called on screen.
        about: what it does, in a sentence.
        act: does it.
        key: the key that does it too, as the person reads it.
        off: why it means nothing here; empty where it does.
        at_once: whether it is offered before anything is typed.
    """

    name: str
    title: str
    about: str
    act: Callable[[], None]
    key: str = ""
    off: str = ""
    at_once: bool = False


def entries(session: Session, view: str, do: Callable[[str], None]) -> list[Entry]:
    """List all there is to do: commands, then folders, orders and filters.

    Args:
        session: what is on the table.
        view: the view in force.
        do: runs a command by name.
    """

    def open_scope(scope: Scope) -> None:
        try:
            session.open_scope(scope)
        except KnownError as error:  # its folder went while one was typing
            session.say(str(error))

    found = [
        Entry(
            name,
            command.title.removesuffix("…"),
            command.help.splitlines()[0],
            partial(do, name),
            session.keys.get(name, ""),
            f"in the {_listed(views_of(name))} only"
            if view not in views_of(name)
            else command.lacks(session),
            at_once=True,
        )
        for name, command in COMMANDS.items()
        if name != "palette"
    ]
    for row in session.scopes():
        if row.enabled and row.scope != session.scope:
            scope = row.scope
            act = partial(open_scope, scope)
            about = "project" if scope.project is not None else scope.expression or scope.key
            found.append(Entry(f"scope:{scope.key}", f"Go to {scope.title}", about, act))
    for name, order in orders_for(session.scope.kind).items():
        off = "" if session.may_order(name) else session.why_not_order(name)
        act = partial(session.set_order, name)
        title = f"Order by {_lower(order.title)}"
        found.append(Entry(f"order:{name}", title, order.about, act, off=off))
    for name, (title, _) in FILTERS.items():
        text = f"is:{name}"
        act = partial(session.set_filter, text)
        found.append(Entry(text, f"Show {_lower(title)}", text, act))
    return found


def best(entries: Sequence[Entry], text: str, recent: Sequence[str] = ()) -> list[Entry]:
    """Return the entries that fit the letters typed, the best first.

    The start of a title counts most, then the start of a word in it, initials, another program's
    word for it, any part of it, the words of its sentence, and last letters in that order
    anywhere. What is off here counts as a weaker fit, unless all of its title was typed. Of equal
    fits the one used last goes first, then what people do more often. Without any letters, only
    use counts.
    """
    used = {name: place for place, name in enumerate(recent)}
    wanted = " ".join(text.casefold().split())
    if not wanted:
        offered = [each for each in entries if each.at_once or each.name in used]
        return sorted(offered, key=lambda each: (bool(each.off), used.get(each.name, len(used))))
    letters = re.compile(".*?".join(map(re.escape, wanted.replace(" ", ""))))
    ranked = []
    for place, entry in enumerate(entries):
        fit = _fit(entry, wanted, letters)
        if fit is not None:
            weaker = _OFF if entry.off and fit[0] else 0
            last_used, usual = used.get(entry.name, len(used)), _USUAL.get(entry.name, len(_USUAL))
            rank = (fit[0] + weaker, fit[1], last_used, usual, place)
            ranked.append((rank, entry))
    return [entry for _, entry in sorted(ranked, key=lambda each: each[0])]


def _fit(entry: Entry, wanted: str, letters: re.Pattern[str]) -> tuple[int, int] | None:
    """Return how well an entry fits, lower is better: the kind of fit, and a step within it."""
    title, name = entry.title.casefold(), entry.name.casefold()
    typed, of_title = wanted.split(), f" {title}"
    if wanted in (title, entry.key.casefold()):
        return 0, 0
    if title.startswith(wanted):
        return 1, 0 if title.startswith(f"{wanted} ") else 1
    if all(f" {word}" in of_title for word in typed):
        return 2, 0 if f" {wanted}" in of_title else 1
    if "".join(word[0] for word in title.split()).startswith(wanted):
        return 3, 0
    if f" {wanted}" in f" {_ALSO.get(entry.name, '')}":
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
    """A field and the rows that fit.

    Args:
        parent: what it covers.
        keyboard: gives the keys in force: its own key closes it again.
    """

    def __init__(self, parent: QWidget, keyboard: Callable[[], Keyboard]) -> None:
        super().__init__(parent, theme.DIALOG)
        self._keyboard = keyboard
        self._entries: Sequence[Entry] = ()
        self._recent: list[str] = []
        self._before: QWidget | None = None
        self.field = Field(self._take)
        self.field.setPlaceholderText("Find a command, folder, order or filter")
        self.field.setAccessibleName("Command palette")
        self.field.setFixedHeight(FIELD)
        self.rows = EntryRows()
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.field)
        column.addWidget(self.rows)
        self.field.textChanged.connect(self._find)
        self.rows.pressed.connect(self._run)

    def open(self, entries: Sequence[Entry], recent: list[str]) -> None:
        """Show what there is to do; ``recent`` is changed in place when something is done."""
        self._entries, self._recent = entries, recent
        self._before = self._covered.window().focusWidget()
        self.field.clear()
        self._find("")
        self.place()
        self.show()
        self.raise_()
        self.field.setFocus()

    def close_panel(self) -> None:
        """Close, and give the keyboard back to who had it."""
        before, self._before = self._before, None
        self.hide()
        if before is not None and before.isVisible() and before is not self.field:
            before.setFocus()
        else:
            self.closed.emit()

    def _find(self, text: str) -> None:
        self.rows.show_entries(best(self._entries, text, self._recent))
        self.place()

    def _run(self, entry: Entry) -> None:
        """Do what was chosen, once the window is as it was; what is off stays where it is."""
        if entry.off:
            return
        self._recent[:] = [entry.name, *(each for each in self._recent if each != entry.name)]
        del self._recent[_RECENT:]
        self.close_panel()
        entry.act()

    def _take(self, event: QKeyEvent) -> bool:
        """Take the keys that are none of the text's; tell whether this was one."""
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
            self.rows.move_(moves[Qt.Key(key)])
        else:
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        return True

    def height_for(self, width: int) -> int:
        """Ask for the field and the rows."""
        return FIELD + self.rows.height() + 2


class Field(QLineEdit):
    """A field that no shortcut reaches; its owner sees every key first."""

    def __init__(self, take: Callable[[QKeyEvent], bool]) -> None:
        super().__init__()
        self._take = take

    def event(self, event: QEvent) -> bool:
        """Keep every key from the window's shortcuts, Tab from the next widget."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._take(event) or super().event(event)
        return super().event(event)


class EntryRows(QWidget):
    """Rows of 28 px: title, what it does, its key; as many as there are, a screen of them at most.

    Signals:
        pressed: an entry was pressed.
    """

    pressed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._entries: Sequence[Entry] = ()
        self._at = self._top = 0
        self.setMouseTracking(True)

    @property
    def entries(self) -> Sequence[Entry]:
        """What is shown, from the best on."""
        return self._entries

    @property
    def current(self) -> Entry | None:
        """The entry Enter would take; none where what fits best is off."""
        return self._entries[self._at] if self._at >= 0 else None

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries, the first of them current unless it is off."""
        self._entries, self._top = entries, 0
        self._at = 0 if entries and not entries[0].off else -1
        self.setFixedHeight(theme.ROW * max(min(len(entries), _ROWS), 1) + 8)
        self._moved()

    def move_(self, by: int) -> None:
        """Make another row current that is not off; the list has ends."""
        if not self._entries:
            return
        last, step = len(self._entries) - 1, 1 if by > 0 else -1
        at = max(0, min(self._at + by, last))
        ways = (*range(at, self._at, -step), *range(at, last + 1 if by > 0 else -1, step))
        self._at = next((row for row in ways if not self._entries[row].off), self._at)
        self._top = max(self._at - _ROWS + 1, min(self._top, max(self._at, 0)))
        if all(entry.off for entry in self._entries[: max(self._at, 0)]) and self._at < _ROWS:
            self._top = 0  # what is off above the first is to be seen, too
        self._moved()

    def _moved(self) -> None:
        nothing = self._entries[0].title if self._entries else "Nothing fits"
        self.setAccessibleName(self.current.title if self.current else nothing)
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for the height of the rows."""
        return QSize(theme.DIALOG, self.height())

    def _row(self, at: QPoint) -> int | None:
        row = self._top + (at.y() - 4) // theme.ROW
        inside = self.rect().adjusted(0, 4, 0, -4).contains(at)
        return row if inside and row < len(self._entries) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that show, and a hairline above them."""
        painter = QPainter(self)
        painter.fillRect(QRect(0, 0, self.width(), 1), theme.HAIRLINE)
        if not self._entries:
            painter.setPen(theme.QUIET)
            flags = int(Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(self.rect().adjusted(_MARGIN, 0, 0, 0), flags, "Nothing fits")
        for number, entry in enumerate(self._entries[self._top : self._top + _ROWS]):
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
        """Make the row under the pointer current."""
        row = self._row(event.position().toPoint())
        if row is not None and row != self._at and not self._entries[row].off:
            self._at = row
            self._moved()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a press on a row."""
        row = self._row(event.position().toPoint())
        if row is not None and event.button() is Qt.MouseButton.LeftButton:
            self.pressed.emit(self._entries[row])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by rows."""
        self.move_(-1 if event.angleDelta().y() > 0 else 1)


def _listed(views: frozenset[str]) -> str:
    """Name views in the order of VIEWS: "grid and loupe"."""
    named = [view for view in VIEWS if view in views]
    return " and ".join((", ".join(named[:-1]), named[-1])) if len(named) > 1 else named[0]


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
