"""The keyboard of one window: its shortcuts, which keys are down, and changing to other keys.

The main window owns one. :attr:`WindowKeyboard.keyboard` is the only place that holds the keys in
use.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from curator.keyboard import Keyboard, load_for_home, preset
from curator.keymap import Binding
from curator.session import Session
from curator.ui.photo_menu import request_menu_by_key
from curator.ui.widgets import theme
from curator.ui.widgets.actions import KeyActions
from curator.ui.widgets.key_state import KeyState


class WindowKeyboard(QObject):
    """Turns key presses in one window into commands.

    Args:
        window: the window whose keyboard it is.
        session: gets the keys in use, to name them in messages.
        run: runs a command, its second argument inverting auto-advance.

    Attributes:
        shortcuts: one action per key binding.
        state: which keys are down.
        problem: why the user's keys are not used; empty if they are.

    Signals:
        changed: another keyboard is in use.

    Thread: GUI.
    """

    changed = Signal()

    def __init__(self, window: QWidget, session: Session, run: Callable[[str, bool], None]) -> None:
        super().__init__(window)
        self._window, self._session, self._run = window, session, run
        keyboard, self.problem = load_for_home(session.home)
        self.shortcuts = KeyActions(window, keyboard, self._press)
        self.state = KeyState(window)
        window.installEventFilter(self.state)
        self._caps_lock_advances = False
        self.use(keyboard)

    @property
    def keyboard(self) -> Keyboard:
        """The keys in use."""
        return self.shortcuts.keyboard

    def use(self, keyboard: Keyboard) -> None:
        """Use other keys from now on, also in messages and tooltips."""
        if keyboard is not self.shortcuts.keyboard:
            self.shortcuts.use(keyboard)
        self.state.use(keyboard)
        chosen = preset(keyboard.preset)
        first = keyboard.first_keys().items()
        keys = {command: theme.keys(sequence) for command, sequence in first}
        self._session.preferences.use_keyboard(keys, chosen.flags_stay)
        self._caps_lock_advances = chosen.caps_lock
        self.changed.emit()

    def run(self, command: str, invert: bool = False) -> None:
        """Run a command as its key does, with Caps Lock as the preset reads it."""
        self._session.preferences.caps_lock = self._caps_lock_advances and self.state.caps_lock
        self._run(command, invert)

    def _press(self, binding: Binding) -> None:
        if binding.repeat or not self.state.repeated:
            self.run(binding.command, binding.invert)

    def press(self, event: QKeyEvent) -> bool:
        """Handle a press that no shortcut handled. Return whether this did."""
        action = self.shortcuts.action_by_position(event)
        if action is None:
            return request_menu_by_key(event, self._window)
        if not event.isAutoRepeat():
            action.trigger()
        return True
