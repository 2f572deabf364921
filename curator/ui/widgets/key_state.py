"""Which keys of a window are down: a photo passed with a held arrow was not seen, a held Z peeks.

Loupe, compare view, candidates and the window's keyboard use it. A key bound to an action never
reaches a widget as a press, but the window still gets its ShortcutOverride event and its release,
which suffice.

X11 repeats a held key as releases and presses. Qt recognizes a repeat only if both arrive
together; if the server sends them apart, it looks like a second press. Both still carry the same
time stamp to the millisecond, and no finger is that fast.
"""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from curator.keyboard import Keyboard

_DOWN = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class KeyState(QObject):
    """An event filter for one window that records keys without consuming events.

    Signals:
        pressed: a key went down or repeats.
        released(bool, float): a key went up: whether it is a peek key, and the seconds it was down.

    Attributes:
        caps_lock: whether Caps Lock was on at the last press.
        repeated: whether the last press was a repeat of a held key. Always false for a peek key:
            its release ended the peek, so a repeat starts it again.

    Thread: GUI.
    """

    pressed = Signal()
    released = Signal(bool, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._down_since: dict[int, float] = {}
        self._released: dict[int, tuple[int, float]] = {}  # key: time stamp, down since
        self.repeated = self.caps_lock = False
        self.use(Keyboard())

    def use(self, keyboard: Keyboard) -> None:
        """Take navigation keys and peek keys from a keyboard."""
        repeating = (binding.keys for binding in keyboard.bindings if binding.repeat)
        self._navigation_keys = frozenset(map(_qt_key, repeating))
        self._peek_keys = frozenset(map(_qt_key, keyboard.keys_of("zoom")))

    def is_navigating(self) -> bool:
        """Whether a key that moves through the photos is down."""
        return not self._navigation_keys.isdisjoint(self._down_since)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Record keys going down and up; never consumes an event."""
        kind = event.type()
        if isinstance(event, QKeyEvent):
            if kind in _DOWN:
                self._on_down(event)
                self.pressed.emit()
            elif kind == QEvent.Type.KeyRelease and not event.isAutoRepeat():
                self._on_up(event)
        elif kind == QEvent.Type.WindowDeactivate:
            self._down_since.clear()
        return False

    def _on_down(self, event: QKeyEvent) -> None:
        key = event.key()
        self.caps_lock = is_caps_lock_on(event.nativeModifiers(), sys.platform)
        released_at, since = self._released.get(key, (0, 0.0))
        again = bool(released_at) and event.timestamp() == released_at
        self.repeated = (again or event.isAutoRepeat()) and key not in self._peek_keys
        self._down_since.setdefault(key, since if again else time.monotonic())

    def _on_up(self, event: QKeyEvent) -> None:
        since = self._down_since.pop(event.key(), None)
        if since is not None:
            self._released[event.key()] = event.timestamp(), since
            self.released.emit(event.key() in self._peek_keys, time.monotonic() - since)


def is_caps_lock_on(native_modifiers: int, platform: str) -> bool:
    """Whether Caps Lock is on, from the platform's native modifiers; Qt has no modifier for it.

    X11 and Wayland set LockMask, macOS NSEventModifierFlagCapsLock, Qt's Windows plugin its own
    flag.
    """
    mask = {"darwin": 1 << 16, "win32": 1 << 8}.get(platform, 1 << 1)
    return bool(native_modifiers & mask)


def _qt_key(keys: str) -> int:
    """Return Qt's code of a key without modifiers."""
    return QKeySequence(keys)[0].key().value  # type: ignore[index]
