"""The settings and keys in force, and whether a mark advances to the next photo.

The window sets the keyboard in force; commands and dialogs change settings and save them here.
Views subscribe to :attr:`Preferences.changed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from PySide6.QtCore import QObject, Signal

from curator.home import Home
from curator.model import KnownError
from curator.session.messages import Messages
from curator.settings import Settings, save


class Preferences(QObject):
    """The preferences of one window.

    Signals:
        changed: a setting or the keyboard changed.

    Attributes:
        settings: the one object that all parts read.
        keys: the key of each command as a person reads it, for messages that name a key.
        flags_stay: whether P and X stay on the photo, and advance with Shift.
        caps_lock: whether Caps Lock is on, in a preset where it makes marks advance.

    Thread: GUI only.
    """

    changed = Signal()

    def __init__(self, settings: Settings, home: Home, messages: Messages) -> None:
        super().__init__()
        self.settings = settings
        self._home, self._messages = home, messages
        self.keys: Mapping[str, str] = MappingProxyType({})
        self.flags_stay = False
        self.caps_lock = False

    def use_keyboard(self, keys: Mapping[str, str], flags_stay: bool) -> None:
        """Use another keyboard."""
        self.keys, self.flags_stay = keys, flags_stay
        self.changed.emit()

    def save(self, *, announce: bool = True) -> None:
        """Save the settings after a change; show a message if they cannot be written.

        Args:
            announce: whether to emit `changed`; False if all views know of the change already.
        """
        try:
            save(self.settings, self._home)
        except KnownError as error:
            self._messages.say(str(error))
        if announce:
            self.changed.emit()

    @property
    def stars_advance(self) -> bool:
        """Whether stars and labels go to the next photo: M, or Caps Lock in some presets."""
        return self.settings.loupe.stars_advance or self.caps_lock

    @property
    def flags_advance(self) -> bool:
        """Whether P and X go to the next photo."""
        return self.stars_advance or not self.flags_stay

    @property
    def unflag_advances(self) -> bool:
        """Whether U goes to the next photo: where flags stay, and M or Caps Lock is on."""
        return self.stars_advance and self.flags_stay

    def hint(self, command: str) -> str:
        """Return a command's key for the middle of a message: " (B)"; empty without a key."""
        return f" ({self.keys[command]})" if command in self.keys else ""

    def with_undo_key(self, text: str) -> str:
        """Return a message with the key that undoes what it reports."""
        return f"{text} · {self.keys['undo']}" if "undo" in self.keys else text
