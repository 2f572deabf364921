"""The tag entry (T): type tags for the current photo or the selection, with completion."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from curator.catalog import folded, plain_name, tag_names
from curator.model import KnownError, counted
from curator.session import Session
from curator.ui.dialogs.palette import Entry, EntryRows, Field
from curator.ui.widgets import layouts, theme
from curator.ui.widgets.menus import tag_menu
from curator.ui.widgets.overlay_panel import FIELD, OverlayPanel
from curator.ui.widgets.tag_chips import TagChips

_WIDTH = 440
_MARGIN = 13  # px; aligns the title with the typed text


class TagEntry(OverlayPanel):
    """The photos' tags as chips, a text field, and completions.

    Enter adds the highlighted completion, Shift+Enter the text as typed; Tab completes; a comma
    ends a tag. Up or Backspace in an empty field goes to the chips, where Enter confirms a tag and
    Delete removes it. Esc, or Enter in an empty field, closes the entry.

    Args:
        parent: the widget it covers.
        session: the window's session.
    """

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent, _WIDTH)
        self._session = session
        self._photos: list[int] = []
        self._renames = ""
        self.title = theme.plain("", role="caption")
        self.chips = TagChips(clickable=True)
        self.field = Field(self._handle_key)
        self.field.setAccessibleName("Tags")
        self.field.setFixedHeight(FIELD)
        self.rows = EntryRows()
        self._lay_out()
        self.field.textChanged.connect(self._find)
        self.rows.pressed.connect(lambda entry: self._add(entry.name))
        self.chips.confirmed.connect(self._confirm)
        self.chips.removed.connect(self._remove)
        self.chips.menu.connect(lambda name, at: tag_menu(self, session, name).popup(at))
        session.photos.photos_changed.connect(self._refresh)
        session.tags.changed.connect(self._refresh)

    def _lay_out(self) -> None:
        head = QWidget()
        above = layouts.column(head, spacing=8, margins=(_MARGIN, 10, _MARGIN, 2))
        above.addWidget(self.title)
        above.addWidget(self.chips)
        column = layouts.column(self.panel, margins=(1, 1, 1, 1))
        column.addWidget(head)
        column.addWidget(self.field)
        column.addWidget(self.rows)
        self._head = head

    # --- coming and going

    def open(self, photos: Sequence[int]) -> None:
        """Open to type tags for photos."""
        self._photos, self._renames = list(photos), ""
        self.field.setPlaceholderText("Add tags, separated by commas")
        self.field.setAccessibleName("Tags to add")
        self._begin("")

    def rename(self, name: str) -> None:
        """Open to rename a tag; the name of another tag merges the two."""
        self._photos, self._renames = [], name
        self.field.setPlaceholderText("New name")
        self.field.setAccessibleName(f"New name for the tag {name}")
        self._begin(name)

    def _begin(self, text: str) -> None:
        self.chips.clear_selection()
        self.field.setText(text)
        self.field.selectAll()
        self.show()
        self.raise_()
        self._refresh()
        self._find(text)
        self.field.setFocus()

    def _refresh(self, _: object = None) -> None:
        """Show the photos' current tags."""
        if not self.isVisible():
            return
        photos = self._photos
        if self._renames:
            self.title.setText(f"Rename {self._renames} on all photos")
        else:
            name = self._session.table.name(photos[0]) if len(photos) == 1 else ""
            what = f"Tags of {name or counted(len(photos), 'photo')}"
            room = _WIDTH - 2 * _MARGIN - 2
            middle = Qt.TextElideMode.ElideMiddle  # file names differ at their ends
            self.title.setText(self.title.fontMetrics().elidedText(what, middle, room))
        found = self._session.tags.of(photos) if photos else []
        counts = None
        if len(photos) > 1:
            counts = ["" if number == len(photos) else f"{number:,}" for _, number in found]
        self.chips.show_tags([tag for tag, _ in found], counts)
        self.chips.setVisible(bool(found))
        self.place()

    # --- typing

    @property
    def _typed(self) -> tuple[str, str]:
        """The text up to the last comma, and after it; a new name has no commas."""
        text = self.field.text()
        if self._renames:
            return "", text
        before, comma, last = text.rpartition(",")
        return before + comma, last

    def _find(self, _: str) -> None:
        """Show completions of the last tag; a new tag comes last, a new name first."""
        last = plain_name(self._typed[1])
        if last:
            self.chips.clear_selection()
        found = self._session.tags.completions(last)
        same = any(folded(each.name) == folded(last) for each in found)
        does = "merges the two" if self._renames else ""
        found = [each for each in found if each.name != self._renames]
        entries = [Entry(each.name, each.name, does, key=f"{each.count:,}") for each in found]
        if last and not same:
            new = Entry(last, last, "new name" if self._renames else "new tag")
            entries = [new, *entries] if self._renames else [*entries, new]
        self.rows.show_entries(entries)
        self.rows.setVisible(bool(last) and bool(entries))
        self.place()

    def _add(self, last: str) -> None:
        """Add the tags before the last comma and ``last``; keep the entry open."""
        session = self._session
        try:
            if self._renames:
                session.tags.rename(self._renames, last)
                self.close_panel()
                return
            known = session.tags.exists(last)  # an old name may contain other characters
            names = [*tag_names(self._typed[0]), *([last] if known else tag_names(last))]
            unique = {folded(name): name for name in names}
            session.tags.add(list(unique.values()), self._photos)
        except KnownError as error:
            self.title.setText(str(error))
            session.messages.say(str(error))
        else:
            self.field.clear()

    def _confirm(self, name: str) -> None:
        session = self._session
        session.messages.say_errors(lambda: session.tags.confirm(name, self._photos))

    def _remove(self, name: str) -> None:
        session = self._session
        session.messages.say_errors(lambda: session.tags.remove(name, self._photos))

    def _handle_key(self, event: QKeyEvent) -> bool:
        """Handle a key that does not edit the text. Return whether it was one."""
        key, chip = Qt.Key(event.key()), self.chips.current
        if key == Qt.Key.Key_Escape:
            self.chips.clear_selection() if chip is not None else self.close_panel()
            return True
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._complete()
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._enter(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
            return True
        if self.field.text():
            return self._move(key)
        return self._handle_chip_key(key)

    def _enter(self, exactly: bool) -> None:
        """Confirm the chip, add the completion or, ``exactly``, what was typed, or close."""
        chip, (before, last) = self.chips.current, self._typed
        row = self.rows.current if last.strip() and not exactly else None
        if chip is not None:
            if chip.state != "confirmed":
                self._confirm(chip.name)
        elif row is not None:
            self._add(row.name)
        elif before or last.strip():
            self._add(last)
        else:
            self.close_panel()

    def _complete(self) -> None:
        """Type out the highlighted completion without adding it."""
        before, last = self._typed
        if last.strip() and self.rows.current is not None:
            self.field.setText(f"{before}{' ' if before else ''}{self.rows.current.name}")

    def _move(self, key: Qt.Key) -> bool:
        by = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(key)
        if by is not None:
            self.rows.step(by)
        return by is not None

    def _handle_chip_key(self, key: Qt.Key) -> bool:
        """Move among the chips while nothing is typed. Return whether the key was handled."""
        chip = self.chips.current
        if chip is None:
            if key in (Qt.Key.Key_Up, Qt.Key.Key_Backspace, Qt.Key.Key_Left):
                self.chips.go(-1)
                return True
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._remove(chip.name)
            return True
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.chips.go(-1 if key == Qt.Key.Key_Left else 1)
            return True
        elif key == Qt.Key.Key_Down:
            self.chips.clear_selection()
            return True
        return key in (Qt.Key.Key_Up, Qt.Key.Key_Down)

    def height_for(self, width: int) -> int:
        """Return the height of title, chips, field and rows."""
        inside = width - 2 - 2 * _MARGIN
        height = 10 + self.title.sizeHint().height() + 2
        if not self.chips.isHidden():
            height += 8 + self.chips.heightForWidth(inside)
        self._head.setFixedHeight(height)
        return height + FIELD + (0 if self.rows.isHidden() else self.rows.height()) + 2
