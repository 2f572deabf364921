"""The keys page of the settings: every command with its keys, which can be changed.

Changes take effect when the settings are saved. A key that is in use can be reassigned. Keys can be
saved to a file and loaded from one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QPushButton,
    QWidget,
)

from curator.commands import COMMANDS, GROUPS
from curator.keyboard import PRESETS, Keyboard, load, preset, save
from curator.model import KnownError, counted
from curator.ui.widgets import dialogs, layouts, theme
from curator.ui.widgets.actions import spelled_press

_PATTERN = "Keys (*.toml)"


class KeyCap(QPushButton):
    """A button with one key of a command. Clicked, it waits for a new key; Delete removes the key.

    Signals:
        chosen(str): the new key.
        removed: the person removed the key.
        waiting(bool): it started or stopped waiting for a key.

    Args:
        keys: the key, as KEYMAP spells it; empty for a new one.
        keyboard: returns the keys as shown on the page.
    """

    chosen = Signal(str)
    removed = Signal()
    waiting = Signal(bool)

    def __init__(self, keys: str, keyboard: Callable[[], Keyboard]) -> None:
        super().__init__()
        self.keys, self._keyboard = keys, keyboard
        self.waits = False
        self.setProperty("cap", True)
        self.setAutoDefault(False)
        self.setText(theme.keys(keys))
        self.setToolTip("Click to change; Delete removes it")
        self.clicked.connect(self.wait)

    def wait(self) -> None:
        """Wait for a key."""
        self._wait(True, "Press a key")
        self.setFocus()

    def _wait(self, on: bool, text: str) -> None:
        if on != self.waits:
            self.waits = on
            self.setProperty("waiting", on)
            theme.restyle(self)
            self.setText(text)
            self.waiting.emit(on)

    def _stop_waiting(self) -> None:
        if self.waits:
            self._wait(False, theme.keys(self.keys))
            if not self.keys:
                self.removed.emit()

    def event(self, event: QEvent) -> bool:
        """Take every key while waiting, including Tab and the dialog's own."""
        if isinstance(event, QKeyEvent) and self.waits:
            if event.type() is QEvent.Type.KeyPress:
                self._pressed(event)
            event.accept()
            return True
        return super().event(event)

    def _pressed(self, event: QKeyEvent) -> None:
        keys = spelled_press(event, self._keyboard())
        if event.key() == Qt.Key.Key_Escape:
            self._stop_waiting()
        elif keys and not event.isAutoRepeat():
            self._wait(False, theme.keys(keys))
            self.chosen.emit(keys)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove the key with Delete; Space and Enter click the button."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Stop waiting when another widget gets the focus."""
        super().focusOutEvent(event)
        self._stop_waiting()


class KeyRow(QWidget):
    """A command with its keys, and buttons to add a key and to restore the preset's keys.

    Signals:
        wanted(tuple[str, ...]): the keys the command should have.
    """

    wanted = Signal(object)

    def __init__(self, command: str, keyboard: Callable[[], Keyboard]) -> None:
        super().__init__()
        self.command, self._keyboard = command, keyboard
        self.caps: list[KeyCap] = []
        self.title = theme.plain(COMMANDS[command].title.removesuffix("…"))
        self.title.setToolTip(theme.plain_tip(COMMANDS[command].help.splitlines()[0]))
        self.reset = theme.icon_button("retry", "Reset to preset", quiet=True)
        self.add = theme.icon_button("add", "Add a key", quiet=True)
        for button in (self.reset, self.add):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.reset.clicked.connect(
            lambda: self.wanted.emit(self._keyboard().preset_keys_of(command))
        )
        self.add.clicked.connect(lambda: self._cap("").wait())
        self._remove = theme.icon_button("close", "Remove this key", quiet=True)
        self._remove.clicked.connect(self._remove_waiting)
        self._across = layouts.row(spacing=4)
        self._across.addWidget(self.title, 1)
        for button in (self._remove, self.reset, self.add):
            self._across.addWidget(button)
        self.note = layouts.row(spacing=4)
        column = layouts.column(self, spacing=2, margins=(0, 2, 0, 2))
        column.addLayout(self._across)
        column.addLayout(self.note)
        self.refresh()

    def refresh(self) -> None:
        """Show the current keys and clear the message."""
        keyboard = self._keyboard()
        keys = keyboard.keys_of(self.command)
        for cap in self.caps:
            cap.blockSignals(True)
            self._across.removeWidget(cap)
            cap.hide()
            cap.deleteLater()
        self.caps = []
        for each in keys:
            self._cap(each)
        self.reset.setVisible(keys != keyboard.preset_keys_of(self.command))
        self._remove.hide()
        self.show_message("")

    def fits(self, text: str) -> bool:
        """Whether the text is one of the row's keys, or its words begin words of the command."""
        command, wanted = COMMANDS[self.command], text.casefold().strip()
        if wanted in (cap.text().casefold() for cap in self.caps):
            return True
        text = f" {command.title} {command.name} {command.help}".casefold()
        return all(f" {word}" in text for word in wanted.split())

    def show_message(self, text: str, *answers: tuple[str, Callable[[], None]]) -> None:
        """Show a message with buttons below the row; an empty text clears it."""
        theme.clear_layout(self.note)
        if not text:
            return
        self.note.addStretch(1)
        self.note.addWidget(theme.plain(text, role="error"))
        for number, (title, act) in enumerate(answers):
            button = QPushButton(title)
            button.setProperty("cap", True)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            self.note.addWidget(button)
            if not number:
                button.setFocus()

    def _cap(self, keys: str) -> KeyCap:
        cap = KeyCap(keys, self._keyboard)
        cap.setAccessibleName(f"{self.title.text()}: {theme.keys(keys) or 'new key'}")
        cap.chosen.connect(lambda chosen: self._want(cap, chosen))
        cap.removed.connect(lambda: self._want(cap, ""))
        cap.waiting.connect(self._remove.setVisible)
        self._across.insertWidget(1 + len(self.caps), cap)
        self.caps.append(cap)
        return cap

    def _want(self, cap: KeyCap, chosen: str) -> None:
        keys = [chosen if each is cap else each.keys for each in self.caps]
        self.wanted.emit(tuple(dict.fromkeys(key for key in keys if key)))

    def _remove_waiting(self) -> None:
        for cap in self.caps:
            if cap.waits:
                self._want(cap, "")
                return


class KeysPage(QWidget):
    """Lists and edits all keys.

    Attributes:
        keyboard: the keys as edited on the page.

    Args:
        keyboard: the current keys.
    """

    def __init__(self, keyboard: Keyboard) -> None:
        super().__init__()
        self.keyboard = keyboard
        self.rows: dict[str, KeyRow] = {}
        self._heads: dict[str, QWidget] = {}
        self.presets = QComboBox()
        self.presets.setAccessibleName("Preset")
        for name in PRESETS:
            self.presets.addItem(preset(name).title, name)
        self.presets.setCurrentIndex(self.presets.findData(keyboard.preset))
        self.presets.activated.connect(self._on_preset)
        self.search_field = QLineEdit()
        self.search_field.setPlaceholderText("Find a command or a key")
        self.search_field.setAccessibleName("Find a command or a key")
        self.search_field.textChanged.connect(self._find)
        self.message = theme.wrapped("", "error")
        self.message.hide()
        self.reset_all = QPushButton("Reset all")
        self.load, self.save_as = QPushButton("Load…"), QPushButton("Save as…")
        self._list = layouts.column(margins=(0, 0, 12, 0))
        self._lay_out()

    def _lay_out(self) -> None:
        top = layouts.row(spacing=8)
        top.addWidget(self.presets)
        top.addWidget(self.search_field, 1)
        content = QWidget()
        content.setLayout(self._list)
        scroll = theme.scrolled(content)
        bottom = layouts.row(spacing=8)
        for button, act in (
            (self.reset_all, self._reset),
            (self.load, self._load),
            (self.save_as, self._save_as),
        ):
            button.setAutoDefault(False)
            button.clicked.connect(act)
            bottom.addWidget(button)
        bottom.addStretch(1)
        column = layouts.column(self, spacing=8)
        column.addLayout(top)
        column.addWidget(self.message)
        column.addWidget(scroll, 1)
        column.addLayout(bottom)

    def showEvent(self, event: QShowEvent) -> None:
        """Build the rows when the page is first shown, as there are about a hundred."""
        if not self.rows:
            self._make_rows()

    def _make_rows(self) -> None:
        for group in GROUPS:
            head = theme.plain(group)
            head.setFont(theme.font(theme.BODY_PX, semibold=True))
            head.setFixedHeight(theme.ROW + 8 * bool(self.rows))
            head.setAlignment(Qt.AlignmentFlag.AlignBottom)
            self._heads[group] = head
            self._list.addWidget(head)
            for name, command in COMMANDS.items():
                if command.group == group:
                    row = KeyRow(name, lambda: self.keyboard)
                    row.wanted.connect(lambda keys, row=row: self._want(row, keys))
                    self.rows[name] = row
                    self._list.addWidget(row)
        self._list.addStretch(1)

    # --- changing

    def _want(self, row: KeyRow, keys: Sequence[str]) -> None:
        """Set a command's keys, after asking if another command has one of them."""
        had = self.keyboard.keys_of(row.command)
        taken = {key: self.keyboard.conflicts(row.command, key) for key in keys if key not in had}
        changes: dict[str, Sequence[str]] = {row.command: keys}
        for key, others in taken.items():
            for other in others:
                left = changes.get(other, self.keyboard.keys_of(other))
                changes[other] = tuple(each for each in left if each != key)
        if len(changes) == 1:
            self._set(changes)
            return
        key = next(key for key, others in taken.items() if others)
        titles = " and ".join(COMMANDS[other].title.removesuffix("…") for other in taken[key])
        row.show_message(
            f"{theme.keys(key)} is used by {titles}.",
            ("Reassign", lambda: self._set(changes)),
            ("Cancel", row.refresh),
        )

    def _set(self, changes: dict[str, Sequence[str]]) -> None:
        self.keyboard = self.keyboard.with_keys(changes)
        self._show_message("")
        for command in changes:
            self.rows[command].refresh()
        row = self.rows[next(iter(changes))]
        (row.caps[-1] if row.caps else row.add).setFocus()

    def _replace_keyboard(self, keyboard: Keyboard, text: str = "") -> None:
        """Replace all keys."""
        self.keyboard = keyboard
        self.presets.setCurrentIndex(self.presets.findData(keyboard.preset))
        self._show_message(text)
        for row in self.rows.values():
            row.refresh()
        self._find(self.search_field.text())

    def _on_preset(self) -> None:
        name = self.presets.currentData()
        if name == self.keyboard.preset:
            return
        left = len(self.keyboard.changes)
        text = f"Your keys of {counted(left, 'command')} were replaced." if left else ""
        self._replace_keyboard(Keyboard(name), text)

    def _reset(self) -> None:
        self._replace_keyboard(Keyboard(self.keyboard.preset))

    # --- finding

    def _find(self, text: str) -> None:
        for row in self.rows.values():
            row.setVisible(row.fits(text))
        groups = {COMMANDS[row.command].group for row in self.rows.values() if not row.isHidden()}
        for group, head in self._heads.items():
            head.setVisible(group in groups)

    # --- files

    def _load(self) -> None:
        chosen = dialogs.choose_file(self, "Load keys", pattern=_PATTERN)
        if not chosen:
            return
        path = Path(chosen)
        try:
            self._replace_keyboard(load(path), f"Loaded {path.name}; takes effect when saved.")
        except KnownError as error:
            self._show_message(str(error))

    def _save_as(self) -> None:
        chosen = dialogs.choose_file(self, "Save keys as", pattern=_PATTERN, new="keys.toml")
        if not chosen:
            return
        path = Path(chosen)
        try:
            save(self.keyboard, path if path.suffix else path.with_suffix(".toml"))
            self._show_message(f"Saved to {path.name}.")
        except KnownError as error:
            self._show_message(str(error))

    def _show_message(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))
