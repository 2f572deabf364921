"""The shortcuts of a window: one QAction per key binding, digit keys found by position.

The window's keyboard owns them. The Keys page of the settings and the command palette use
:func:`spelled_press`. Text fields take letters before any shortcut does. Qt's behavior was checked
on X11 with US, German, French, Czech and Russian keyboards:

- Digits of the top row are positions. With Shift such a key types another character everywhere; on
  AZERTY the plain key does so too (``&``, ``-`` for 6), and on Czech (``+`` for 1). A press there
  counts as the digit, by scan code, unless a bound character was typed with Shift (``/`` is Shift+7
  on a German keyboard) or Ctrl (``Ctrl+-``).
- Signs are characters: ``?`` and ``+`` may be typed with or without Shift. Qt finds them on X11,
  Windows and macOS; they are looked up here first so that every platform behaves alike.
- AltGr is not one of our modifiers: ``Ctrl+[`` is Ctrl+AltGr+8 on a German keyboard, and matches.
- The number pad sends the digits and signs of the main keys with a modifier that Qt ignores if it
  does not match, but has its own Enter, which is therefore bound wherever Return is. Shift turns
  the pad's digits into arrows before any program sees them.
- Letters of a non-Latin keyboard match if a Latin one is installed beside it.
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
# Virtual keys of macOS (Events.h, kVK_ANSI_1 ...), which are positions, not characters.
_MACOS = {18: "1", 19: "2", 20: "3", 21: "4", 23: "5", 22: "6", 26: "7", 28: "8", 25: "9", 29: "0"}

_NONE, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_CTRL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_META = Qt.KeyboardModifier.MetaModifier
_PREFIXES = {
    _NONE: "",
    _SHIFT: "Shift+",
    _ALT: "Alt+",
    _CTRL: "Ctrl+",
    _CTRL | _SHIFT: "Ctrl+Shift+",
}
_BINDABLE = _SHIFT | _CTRL | _ALT | _META  # AltGr and the number pad make no other key
_MODIFIER_KEYS = frozenset(
    (
        *(Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr),
        *(Qt.Key.Key_Meta, Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown),
    )
)


class KeyActions:
    """The actions for the key bindings of one window.

    Attributes:
        keyboard: the keys in use.
        actions: each key binding with its action.

    Args:
        window: the window that gets the shortcuts.
        keyboard: the keys to start with.
        run: runs a binding.
    """

    def __init__(self, window: QWidget, keyboard: Keyboard, run: Callable[[Binding], None]) -> None:
        self._window, self._run, self._view = window, run, ""
        self.actions: list[tuple[Binding, QAction]] = []
        self.use(keyboard)

    def use(self, keyboard: Keyboard) -> None:
        """Use another keyboard."""
        for _, action in self.actions:
            self._window.removeAction(action)
            action.deleteLater()
        self.keyboard = keyboard
        self.actions = [(binding, self._action(binding)) for binding in keyboard.bindings]
        self._enable()

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
        """Enable only the keys bound in this view."""
        if view != self._view:  # the window says so whenever something changes
            self._view = view
            self._enable()

    def _enable(self) -> None:
        for binding, action in self.actions:
            action.setEnabled(self._view in binding.views)

    def action_by_position(self, event: QKeyEvent) -> QAction | None:
        """Find the action of a sign typed with Shift or of a digit key, which Qt might not match.

        Returns:
            An enabled action, or None: Qt handles the key as usual.
        """
        modifiers, typed = event.modifiers() & _BINDABLE, event.text()
        if modifiers == _SHIFT and _is_sign(typed) and (action := self.action(typed)) is not None:
            return action
        digit, key = _digit(event), event.key()
        if digit is None or modifiers not in _PREFIXES:
            return None
        if key == ord(digit) and not modifiers & _SHIFT:
            return None
        if modifiers == _CTRL and key < sys.maxunicode and self.action(f"Ctrl+{chr(key)}"):
            return None
        return self.action(_PREFIXES[modifiers] + digit)

    def action(self, keys: str) -> QAction | None:
        """Return the enabled action of a key, or None."""
        for binding, action in self.actions:
            if binding.keys == keys and action.isEnabled():
                return action
        return None


def spelled_press(event: QKeyEvent, keyboard: Keyboard) -> str:
    """Return the pressed key as KEYMAP spells it, on any keyboard layout.

    Args:
        event: the press.
        keyboard: the keys in use: a sign bound there counts as the sign, even on a digit key.

    Returns:
        The key; empty for a modifier alone and for keys that cannot be bound.
    """
    key, modifiers = event.key(), event.modifiers() & _BINDABLE
    if key in _MODIFIER_KEYS:
        return ""
    digit = _digit(event)
    name = QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)
    name = "Tab" if key == Qt.Key.Key_Backtab else name
    sign = _spelled(modifiers & ~_SHIFT, name) if _is_sign(name) else ""
    if sign and (digit is None or any(binding.keys == sign for binding in keyboard.bindings)):
        return sign
    return _spelled(modifiers, digit or name)


def _spelled(modifiers: Qt.KeyboardModifier, name: str) -> str:
    prefixes = (("Meta+", _META), ("Ctrl+", _CTRL), ("Alt+", _ALT), ("Shift+", _SHIFT))
    try:
        return spelled("".join(text for text, each in prefixes if modifiers & each) + name)
    except KeymapError:
        return ""


def _digit(event: QKeyEvent) -> str | None:
    """Return the digit of a key by position, or None; with AltGr the typed character counts."""
    if event.modifiers() & Qt.KeyboardModifier.GroupSwitchModifier:
        return None
    return digit_at(event.nativeScanCode(), event.nativeVirtualKey(), sys.platform)


def _is_sign(text: str) -> bool:
    return len(text) == 1 and text.isprintable() and not text.isalnum() and not text.isspace()


def digit_at(scan_code: int, virtual_key: int, platform: str) -> str | None:
    """Return the digit of a physical key of the top row, or None for another key."""
    if platform == "darwin":
        return _MACOS.get(virtual_key)
    return (_WINDOWS if platform == "win32" else _EVDEV).get(scan_code)
