"""Which keys are down: a held arrow is no rest, and a held Z is a look, not a switch.

A key that is bound to an action never reaches a widget as a press. What a window does see of it is
the question whether it overrides the shortcut, and the release; both are enough.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

_DOWN = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
MOVES = frozenset(
    {
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Backspace,
    }
)


class HeldKeys(QObject):
    """Watches one window's keyboard, without taking anything from it.

    Signals:
        released: Qt key and the seconds it was held.

    Thread: GUI.
    """

    released = Signal(object, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._since: dict[int, float] = {}
        self._window: QWidget | None = None

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
        return any(key in self._since for key in MOVES)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note keys going down and up; never takes an event."""
        kind = event.type()
        if kind in _DOWN and isinstance(event, QKeyEvent):
            self._since.setdefault(event.key(), time.monotonic())
        elif kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if not event.isAutoRepeat():
                since = self._since.pop(event.key(), None)
                if since is not None:
                    self.released.emit(Qt.Key(event.key()), time.monotonic() - since)
        elif kind == QEvent.Type.WindowDeactivate:
            self._since.clear()
        return False
