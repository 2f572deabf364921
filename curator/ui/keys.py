"""One QAction per line of KEYMAP, and digits by the key's place on the keyboard.

Letters type normally in text fields: a field takes them before any shortcut sees them. Digits
are special: Shift with a digit types another character on every layout, and on AZERTY the plain
key does; so digits of the top row are read as physical keys where the typed character is not the
digit itself. A character that is bound as itself (``/`` is Shift+7 on a German keyboard) wins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from curator import keymap
from curator.keymap import KEYMAP, Binding

# Scan codes of the top row, from 1 to 9 and 0: X11 and Wayland count from 8, Windows from 0.
_EVDEV = dict(zip(range(10, 20), "1234567890", strict=True))
_WINDOWS = dict(zip(range(2, 12), "1234567890", strict=True))
# Virtual keys of macOS (Events.h, kVK_ANSI_1 ...), which are places, not characters.
_MACOS = {18: "1", 19: "2", 20: "3", 21: "4", 23: "5", 22: "6", 26: "7", 28: "8", 25: "9", 29: "0"}

_CHARACTERS = frozenset(
    binding.keys for binding in KEYMAP if len(binding.keys) == 1 and not binding.keys.isalnum()
)


class Keys:
    """The keyboard of a window.

    Args:
        window: whose shortcuts they are.
        run: runs what a binding says.
    """

    def __init__(self, window: QWidget, run: Callable[[Binding], None]) -> None:
        keymap.check(KEYMAP)
        self.actions: list[tuple[Binding, QAction]] = []
        for binding in KEYMAP:
            action = QAction(binding.command, window)
            action.setShortcut(QKeySequence(binding.keys))
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setAutoRepeat(binding.repeat)
            action.triggered.connect(lambda _=False, binding=binding: run(binding))
            window.addAction(action)
            self.actions.append((binding, action))

    def enter_view(self, view: str) -> None:
        """Let only those keys act that mean something in this view."""
        for binding, action in self.actions:
            action.setEnabled(view in binding.views)

    def physical(self, event: QKeyEvent) -> QAction | None:
        """Find what a key does by its place, where its character would not find it.

        Returns:
            An enabled action, or None: the key goes its usual way.
        """
        digit = digit_at(event.nativeScanCode(), event.nativeVirtualKey(), sys.platform)
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        shift, alt = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
        if digit is None or modifiers not in (Qt.KeyboardModifier.NoModifier, shift, alt):
            return None
        if event.key() == ord(digit) and modifiers != shift:
            return None
        if modifiers != alt and event.text() in _CHARACTERS:
            return None
        prefix = {shift: "Shift+", alt: "Alt+"}.get(modifiers, "")
        return self.action(prefix + digit)

    def action(self, keys: str) -> QAction | None:
        """Give the enabled action of a key sequence, or None."""
        for binding, action in self.actions:
            if binding.keys == keys and action.isEnabled():
                return action
        return None


def digit_at(scan_code: int, virtual_key: int, platform: str) -> str | None:
    """Name the digit of the top row at a physical key, or None if it is another key."""
    if platform == "darwin":
        return _MACOS.get(virtual_key)
    return (_WINDOWS if platform == "win32" else _EVDEV).get(scan_code)
