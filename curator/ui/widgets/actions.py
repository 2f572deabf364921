"""One QAction per line of the keyboard in force, and keys read by their place where that is meant.

Letters type normally in text fields: a field takes them before any shortcut sees them. What Qt
delivers was looked at on X11 with US, German, French, Czech and Russian keyboards:

- Digits of the top row are places. Shift with one types another character everywhere, and on
  AZERTY the plain key does (``&``, ``-`` for 6), on Czech too (``+`` for 1). So a press there is
  the digit, by scan code, unless a bound character was typed with Shift (``/`` is Shift+7 on a
  German keyboard) or Ctrl (``Ctrl+-``).
- Signs are characters: ``?`` and ``+`` come with Shift or without. Qt finds them on X11, Windows
  and macOS; here they are looked up first, so that no platform is left out.
- AltGr is no modifier of ours: ``Ctrl+[`` is Ctrl+AltGr+8 on a German keyboard, and matches.
- The number pad sends the main keys' digits and signs with a modifier that Qt ignores where it
  does not match, but an Enter of its own, which therefore goes wherever Return does. Shift turns
  the pad's digits into arrows before anybody sees them.
- Letters of a keyboard that is not Latin match where a Latin one is installed beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from curator.keyboard import Keyboard
from curator.keymap import Binding, KeymapError, spelled

# Scan codes of the top row, from 1 to 9 and 0: X11 and Wayland count from 8, Windows from 0.
_EVDEV = dict(zip(range(10, 20), "1234567890", strict=True))
_WINDOWS = dict(zip(range(2, 12), "1234567890", strict=True))
# Virtual keys of macOS (Events.h, kVK_ANSI_1 ...), which are places, not characters.
_MACOS = {18: "1", 19: "2", 20: "3", 21: "4", 23: "5", 22: "6", 26: "7", 28: "8", 25: "9", 29: "0"}

_NONE, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_CTRL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_META = Qt.KeyboardModifier.MetaModifier
_HELD = {_NONE: "", _SHIFT: "Shift+", _ALT: "Alt+", _CTRL: "Ctrl+", _CTRL | _SHIFT: "Ctrl+Shift+"}
_OURS = _SHIFT | _CTRL | _ALT | _META  # neither AltGr nor the number pad makes another key
_MODIFIERS = frozenset(
    (
        *(Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr),
        *(Qt.Key.Key_Meta, Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown),
    )
)


class KeyActions:
    """The keyboard of a window.

    Attributes:
        keyboard: the keys in force.
        actions: each of its lines with its action.

    Args:
        window: whose shortcuts they are.
        keyboard: the keys to begin with.
        run: runs what a binding says.
    """

    def __init__(self, window: QWidget, keyboard: Keyboard, run: Callable[[Binding], None]) -> None:
        self._window, self._run, self._view = window, run, ""
        self.actions: list[tuple[Binding, QAction]] = []
        self.use(keyboard)

    def use(self, keyboard: Keyboard) -> None:
        """Put other keys in force."""
        for _, action in self.actions:
            self._window.removeAction(action)
            action.deleteLater()
        self.keyboard = keyboard
        self.actions = [(binding, self._action(binding)) for binding in keyboard.bindings]
        self.enter_view(self._view)

    def _action(self, binding: Binding) -> QAction:
        action = QAction(binding.command, self._window)
        pad = binding.keys.replace("Return", "Enter")
        action.setShortcuts([QKeySequence(each) for each in dict.fromkeys((binding.keys, pad))])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(binding.repeat)
        action.triggered.connect(lambda: self._run(binding))
        self._window.addAction(action)
        return action

    def enter_view(self, view: str) -> None:
        """Let only those keys act that mean something in this view."""
        self._view = view
        for binding, action in self.actions:
            action.setEnabled(view in binding.views)

    def by_place(self, event: QKeyEvent) -> QAction | None:
        """Find what a press does whose key code would not lead there.

        Returns:
            An enabled action, or None: the key goes its usual way.
        """
        modifiers, typed = event.modifiers() & _OURS, event.text()
        if modifiers == _SHIFT and _is_sign(typed) and (action := self.action(typed)) is not None:
            return action
        digit = _digit(event)
        if digit is None or modifiers not in _HELD:
            return None
        held, key = _HELD[modifiers], event.key()
        if key == ord(digit) and not modifiers & _SHIFT:
            return None
        if modifiers == _CTRL and key < sys.maxunicode and self.action(f"Ctrl+{chr(key)}"):
            return None
        return self.action(held + digit)

    def action(self, keys: str) -> QAction | None:
        """Give the enabled action of a key, or None."""
        for binding, action in self.actions:
            if binding.keys == keys and action.isEnabled():
                return action
        return None


def spelled_press(event: QKeyEvent, keyboard: Keyboard) -> str:
    """Spell the key that was pressed as KEYMAP does, however the keyboard types it.

    Args:
        event: the press.
        keyboard: the keys in force: a sign bound in them is that sign, though typed by a digit.

    Returns:
        The key; empty for a modifier alone and for what no key can be bound to.
    """
    key, modifiers = event.key(), event.modifiers() & _OURS
    if key in _MODIFIERS:
        return ""
    digit = _digit(event)
    name = QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)
    name = "Tab" if key == Qt.Key.Key_Backtab else name
    sign = _spelled(modifiers & ~_SHIFT, name) if _is_sign(name) else ""
    if sign and (digit is None or any(line.keys == sign for line in keyboard.bindings)):
        return sign
    return _spelled(modifiers, digit or name)


def _spelled(modifiers: Qt.KeyboardModifier, name: str) -> str:
    held = (("Meta+", _META), ("Ctrl+", _CTRL), ("Alt+", _ALT), ("Shift+", _SHIFT))
    try:
        return spelled("".join(text for text, each in held if modifiers & each) + name)
    except KeymapError:
        return ""


def _digit(event: QKeyEvent) -> str | None:
    """Name the digit a press stands for by its place; with AltGr it is the character typed."""
    if event.modifiers() & Qt.KeyboardModifier.GroupSwitchModifier:
        return None
    return digit_at(event.nativeScanCode(), event.nativeVirtualKey(), sys.platform)


def _is_sign(text: str) -> bool:
    return len(text) == 1 and text.isprintable() and not text.isalnum() and not text.isspace()


def digit_at(scan_code: int, virtual_key: int, platform: str) -> str | None:
    """Name the digit of the top row at a physical key, or None if it is another key."""
    if platform == "darwin":
        return _MACOS.get(virtual_key)
    return (_WINDOWS if platform == "win32" else _EVDEV).get(scan_code)
