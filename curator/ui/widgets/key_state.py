"""Which keys are down: a held arrow is no rest, and a held Z is a look, not a switch.

A key that is bound to an action never reaches a widget as a press. What a window does see of it is
the question whether it overrides the shortcut, and the release; both are enough.

X11 repeats a held key as releases and presses, and Qt tells them from a finger's only where both
arrive together; what a server sends in two goes looks like a key hit again. Both still have one
time stamp, to the millisecond, and no finger is that fast.
"""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from curator.keyboard import Keyboard

_DOWN = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class KeyState(QObject):
    """Watches one window's keyboard for all its parts, without taking anything from it.

    Signals:
        pressed: a key went down, or repeats.
        released: a key is up: whether it is one that looks while it is held, and the seconds.

    Attributes:
        caps_lock: Caps Lock was on at the last press of any other key.
        repeated: the last press was a repeat of a held key. It is never set for a peek key, whose
            release has ended the peek, so that a repeat begins it again.

    Thread: GUI.
    """

    pressed = Signal()
    released = Signal(bool, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._since: dict[int, float] = {}
        self._let_go: dict[int, tuple[int, float]] = {}  # key: time stamp, and down since when
        self.repeated = self.caps_lock = False
        self.use(Keyboard())

    def use(self, keyboard: Keyboard) -> None:
        """Take over which keys move through the photos, and which look while they are held."""
        repeating = (line.keys for line in keyboard.bindings if line.repeat)
        self._moves = frozenset(map(_qt_key, repeating))
        self._looks = frozenset(map(_qt_key, keyboard.keys_of("zoom")))

    def watch(self, window: QWidget) -> None:
        """Watch this window from now on."""
        window.installEventFilter(self)

    def is_navigating(self) -> bool:
        """Tell whether a key that moves through the photos is down."""
        return not self._moves.isdisjoint(self._since)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note keys going down and up; never takes an event."""
        kind = event.type()
        if kind in _DOWN and isinstance(event, QKeyEvent):
            self._went_down(event)
            self.pressed.emit()
        elif kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if not event.isAutoRepeat():
                since = self._since.pop(event.key(), None)
                if since is not None:
                    self._let_go[event.key()] = event.timestamp(), since
                    looks = event.key() in self._looks
                    self.released.emit(looks, time.monotonic() - since)
        elif kind == QEvent.Type.WindowDeactivate:
            self._since.clear()
        return False

    def _went_down(self, event: QKeyEvent) -> None:
        key = event.key()
        self.caps_lock = is_caps_lock_on(event.nativeModifiers(), sys.platform)
        let_go, since = self._let_go.get(key, (0, 0.0))
        again = bool(let_go) and event.timestamp() == let_go
        self.repeated = (again or event.isAutoRepeat()) and key not in self._looks
        self._since.setdefault(key, since if again else time.monotonic())


def is_caps_lock_on(native_modifiers: int, platform: str) -> bool:
    """Whether Caps Lock is on, from the modifiers as the platform gives them.

    Qt has no modifier for it. X11 and Wayland set LockMask, macOS NSEventModifierFlagCapsLock,
    and Qt's Windows plugin a flag of its own.
    """
    mask = {"darwin": 1 << 16, "win32": 1 << 8}.get(platform, 1 << 1)
    return bool(native_modifiers & mask)


def _qt_key(keys: str) -> int:
    """Give Qt's code of a key, its modifiers left out."""
    return QKeySequence(keys)[0].key().value  # type: ignore[index]
