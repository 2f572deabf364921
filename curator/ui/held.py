"""Which keys are down: a held arrow is no rest, and a held Z is a look, not a switch.

A key that is bound to an action never reaches a widget as a press. What a window does see of it is
the question whether it overrides the shortcut, and the release; both are enough.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from curator.keyboard import Keyboard

_DOWN = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)


class HeldKeys(QObject):
    """Watches one window's keyboard, without taking anything from it.

    Signals:
        pressed: a key went down, or repeats.
        released: a key is up: whether it is one that looks while it is held, and the seconds.

    Thread: GUI.
    """

    pressed = Signal()
    released = Signal(bool, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._since: dict[int, float] = {}
        self._window: QWidget | None = None
        self.use(Keyboard())

    def use(self, keyboard: Keyboard) -> None:
        """Take over which keys move through the photos, and which look while they are held."""
        repeating = (line.keys for line in keyboard.bindings if line.repeat)
        self._moves = frozenset(map(_qt_key, repeating))
        self._looks = frozenset(map(_qt_key, keyboard.keys_of("zoom")))

    def watch(self, window: QWidget) -> None:
        """Watch this window from now on, and no other."""
        if window is self._window:
            return
        if self._window is not None:
            self._window.removeEventFilter(self)
        self._window = window
        window.installEventFilter(self)

    def moving(self) -> bool:
        """Tell whether a key that moves through the photos is down."""
        return not self._moves.isdisjoint(self._since)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note keys going down and up; never takes an event."""
        kind = event.type()
        if kind in _DOWN and isinstance(event, QKeyEvent):
            self._since.setdefault(event.key(), time.monotonic())
            self.pressed.emit()
        elif kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if not event.isAutoRepeat():
                since = self._since.pop(event.key(), None)
                if since is not None:
                    looks = event.key() in self._looks
                    self.released.emit(looks, time.monotonic() - since)
        elif kind == QEvent.Type.WindowDeactivate:
            self._since.clear()
        return False


def _qt_key(keys: str) -> int:
    """Give Qt's code of a key, its modifiers left out."""
    return QKeySequence(keys)[0].key().value  # type: ignore[index]
