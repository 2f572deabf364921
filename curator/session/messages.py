"""Messages for the status line: what was just done, what failed, what takes a moment.

Every part of the session reports through :class:`Messages`; the window shows the last message. A
message disappears when the person moves to a place it is not about. Nothing is logged or
stored here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from curator.model import KnownError, Pass, View

log = logging.getLogger(__name__)

MANY = 2_000  # photos whose marking takes longer than a blink


class Whereabouts(NamedTuple):
    """Where the person is in the window: the list, and the photo on screen."""

    list: tuple[str, Pass, str]
    """Key of the scope, mode, filter."""
    photo: tuple[View, bool, int | None]
    """View, whether the finish page is shown, id of the current photo."""


class Messages(QObject):
    """Collects the messages of a session.

    Signals:
        status_message(str): the line to show; empty when the last one no longer applies.
        cleared: the last message no longer applies.
        slow_operation_started(str): an operation about to start that takes a moment.

    Thread: GUI only.
    """

    status_message = Signal(str)
    cleared = Signal()
    slow_operation_started = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._here: Whereabouts | None = None
        self._said_at: tuple[object, ...] | None = None
        self._lasting = False
        # A command may report first and move afterwards: its message belongs to the final place.
        self._after_command = QTimer(self, singleShot=True, interval=0)
        self._after_command.timeout.connect(self._note_place)

    def say(self, text: str) -> None:
        """Show a remark on the last attempt; it disappears with the next move."""
        self._show(text, lasting=False)

    def announce(self, text: str) -> None:
        """Show an action or news; it stays until the scope, the mode or the filter changes."""
        self._show(text, lasting=True)

    def _show(self, text: str, *, lasting: bool) -> None:
        self._said_at, self._lasting = None, lasting
        self._after_command.start()
        self.status_message.emit(text)

    def announce_slow(self, text: str, photos: int) -> None:
        """Show the operation about to start, if its many photos take a moment."""
        if photos >= MANY:
            self.slow_operation_started.emit(text)

    def moved_to(self, here: Whereabouts) -> None:
        """Note where the person is now; clear a message about another place."""
        self._here = here
        if self._said_at not in (None, self._place()):
            self._said_at = None
            self.status_message.emit("")
            self.cleared.emit()

    def _place(self) -> tuple[object, ...] | None:
        if self._here is None:
            return None
        return self._here.list if self._lasting else (*self._here.list, *self._here.photo)

    def _note_place(self) -> None:
        self._said_at = self._place()

    def close(self) -> None:
        """Stop the timer."""
        self._after_command.stop()


class BestEffort:
    """Writes facts that are not decisions: a place in a list, or that a photo was seen.

    An error is reported once, until a write succeeds again: nobody asked for the write, and the
    message about a mark must stay readable.
    """

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._failing = False

    def write(self, write: Callable[[], object]) -> None:
        """Call ``write``; report a KnownError instead of raising it."""
        try:
            write()
        except KnownError as error:
            log.info("not written: %s", error)
            if not self._failing:
                self._messages.announce(str(error))
            self._failing = True
        else:
            self._failing = False
