"""The keys page of the settings: every command with its keys; press one, then the key it should be.

Nothing is in force before the settings are saved. A key that means something else says so and can
be taken over; a file of keys can be written and read, to be shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from curator.commands import COMMANDS, GROUPS
from curator.keyboard import PRESETS, Keyboard, load, preset, save
from curator.model import KnownError, counted
from curator.ui.widgets import dialogs, theme
from curator.ui.widgets.actions import spelled_press

_PATTERN = "Keys (*.toml)"


class KeyCap(QPushButton):
    """One key of a command: pressed, it waits for the key to take its place; Delete removes it.

    Signals:
        chosen: the key that was pressed instead.
        removed: the key is wanted no more.
        waiting: it began to wait, or ended.

    Args:
        keys: the key, as KEYMAP spells it; empty for one still to be chosen.
        keyboard: gives the keys as they are on the page.
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
        self.setToolTip("Press to change it; Delete takes it away")
        self.clicked.connect(self.wait)

    def wait(self) -> None:
        """Wait for a key."""
        self._wait(True, "Press a key")
        self.setFocus()

    def _wait(self, on: bool, text: str) -> None:
        if on != self.waits:
            self.waits = on
            self.setProperty("waiting", on)
            self.style().unpolish(self)
            self.style().polish(self)
            self.setText(text)
            self.waiting.emit(on)

    def _give_up(self) -> None:
        if self.waits:
            self._wait(False, theme.keys(self.keys))
            if not self.keys:
                self.removed.emit()

    def event(self, event: QEvent) -> bool:
        """Take every key while waiting, Tab and the dialog's own too."""
        if isinstance(event, QKeyEvent) and self.waits:
            if event.type() is QEvent.Type.KeyPress:
                self._pressed(event)
            event.accept()
            return True
        return super().event(event)

    def _pressed(self, event: QKeyEvent) -> None:
        keys = spelled_press(event, self._keyboard())
        if event.key() == Qt.Key.Key_Escape:
            self._give_up()
        elif keys and not event.isAutoRepeat():
            self._wait(False, theme.keys(keys))
            self.chosen.emit(keys)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove the key with Delete; Space and Enter press the button."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Wait no more once something else has the keyboard."""
        super().focusOutEvent(event)
        self._give_up()


class KeyRow(QWidget):
    """A command, its keys, a way to another key and one back to the preset's.

    Signals:
        wanted: the keys the command should have.
    """

    wanted = Signal(object)

    def __init__(self, command: str, keyboard: Callable[[], Keyboard]) -> None:
        super().__init__()
        self.command, self._keyboard = command, keyboard
        self.caps: list[KeyCap] = []
        self.title = theme.plain(COMMANDS[command].title.removesuffix("…"))
        self.title.setToolTip(theme.plain_tip(COMMANDS[command].help.splitlines()[0]))
        self.reset = _flat("retry", "As in the preset")
        self.reset.clicked.connect(lambda: self.wanted.emit(self._keyboard().usual(command)))
        self.add = _flat("add", "Another key")
        self.add.clicked.connect(lambda: self._cap("").wait())
        self._remove = _flat("close", "Remove this key")
        self._remove.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._remove.clicked.connect(self._remove_waiting)
        self._across = QHBoxLayout()
        self._across.setContentsMargins(0, 0, 0, 0)
        self._across.setSpacing(4)
        self._across.addWidget(self.title, 1)
        for button in (self._remove, self.reset, self.add):
            self._across.addWidget(button)
        self.note = QHBoxLayout()
        self.note.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(2)
        column.addLayout(self._across)
        column.addLayout(self.note)
        self.refresh()

    def refresh(self) -> None:
        """Show the keys as they are, and take back what was said of them."""
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
        self.reset.setVisible(keys != keyboard.usual(self.command))
        self._remove.hide()
        self.say("")

    def fits(self, text: str) -> bool:
        """Tell whether the row has to do with a key, or with letters of what it does."""
        command, wanted = COMMANDS[self.command], text.casefold().strip()
        if wanted in (cap.text().casefold() for cap in self.caps):
            return True
        said = f" {command.title} {command.name} {command.help}".casefold()
        return all(f" {word}" in said for word in wanted.split())

    def say(self, text: str, *answers: tuple[str, Callable[[], None]]) -> None:
        """Say something under the row, with its answers; an empty text takes it back."""
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


def _flat(icon: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setProperty("flat", True)
    button.setIcon(theme.icon(icon, quiet=True))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button


class KeysPage(QWidget):
    """All keys, to be looked through and changed.

    Attributes:
        keyboard: the keys as the page has them now.

    Args:
        keyboard: the keys in force.
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
        self.presets.activated.connect(self._take_preset)
        self.looked_for = QLineEdit()
        self.looked_for.setPlaceholderText("Find a command or a key")
        self.looked_for.setAccessibleName("Find a command or a key")
        self.looked_for.textChanged.connect(self._find)
        self.said = theme.plain("", role="error")
        self.said.setWordWrap(True)
        self.said.hide()
        self.reset_all = QPushButton("Reset all")
        self.load, self.save_as = QPushButton("Load…"), QPushButton("Save as…")
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 12, 0)
        self._list.setSpacing(0)
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.presets)
        top.addWidget(self.looked_for, 1)
        content = QWidget()
        content.setLayout(self._list)
        scroll = theme.scrolled(content)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        for button, act in (
            (self.reset_all, self._reset),
            (self.load, self._load),
            (self.save_as, self._save_as),
        ):
            button.setAutoDefault(False)
            button.clicked.connect(act)
            bottom.addWidget(button)
        bottom.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.said)
        column.addWidget(scroll, 1)
        column.addLayout(bottom)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the rows when they are first looked at: there are some hundred."""
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
        """Give a command its keys; what others have of them has to be taken over first."""
        had = self.keyboard.keys_of(row.command)
        taken = {key: self.keyboard.others(row.command, key) for key in keys if key not in had}
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
        row.say(
            f"{theme.keys(key)} means {titles}.",
            ("Take it over", lambda: self._set(changes)),
            ("Leave it", row.refresh),
        )

    def _set(self, changes: dict[str, Sequence[str]]) -> None:
        self.keyboard = self.keyboard.with_keys(changes)
        self._say("")
        for command in changes:
            self.rows[command].refresh()
        row = self.rows[next(iter(changes))]
        (row.caps[-1] if row.caps else row.add).setFocus()

    def _take(self, keyboard: Keyboard, said: str = "") -> None:
        """Show another keyboard as a whole."""
        self.keyboard = keyboard
        self.presets.setCurrentIndex(self.presets.findData(keyboard.preset))
        self._say(said)
        for row in self.rows.values():
            row.refresh()
        self._find(self.looked_for.text())

    def _take_preset(self) -> None:
        name = self.presets.currentData()
        if name == self.keyboard.preset:
            return
        left = len(self.keyboard.changes)
        said = f"Left out: {counted(left, 'command')} with keys of yours." if left else ""
        self._take(Keyboard(name), said)

    def _reset(self) -> None:
        self._take(Keyboard(self.keyboard.preset))

    # --- finding

    def _find(self, text: str) -> None:
        for row in self.rows.values():
            row.setVisible(row.fits(text))
        for group, head in self._heads.items():
            shown = (not row.isHidden() for name, row in self.rows.items() if _in(name, group))
            head.setVisible(any(shown))

    # --- files

    def _load(self) -> None:
        chosen = dialogs.choose_file(self, "Load keys", pattern=_PATTERN)
        if not chosen:
            return
        try:
            self._take(load(Path(chosen)), f"From {Path(chosen).name}; in force once saved.")
        except KnownError as error:
            self._say(str(error))

    def _save_as(self) -> None:
        chosen = dialogs.choose_file(self, "Save keys as", pattern=_PATTERN, new="keys.toml")
        if not chosen:
            return
        path = Path(chosen)
        try:
            save(self.keyboard, path if path.suffix else path.with_suffix(".toml"))
            self._say(f"Written to {path.name}, to be shared.")
        except KnownError as error:
            self._say(str(error))

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.said.setVisible(bool(text))


def _in(command: str, group: str) -> bool:
    return COMMANDS[command].group == group
