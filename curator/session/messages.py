"""Messages for the status line: what was just done, what failed, what takes a moment.

Every part of the session reports through :class:`Messages`; the window shows the last message. A
message disappears when the person moves on to another photo or list. Nothing is stored here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from curator.model import KnownError

log = logging.getLogger(__name__)

MANY = 2_000  # photos whose marking takes longer than a blink


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
        self._list: tuple[object, ...] = ()
        self._photo: tuple[object, ...] = ()
        self._shown_at: tuple[object, ...] | None = None  # where the message on screen belongs
        self._lasting = False
        self._write_failing = False
        # A command may report first and move afterwards: its message belongs to where it ends.
        self._after_command = QTimer(self, singleShot=True, interval=0)
        self._after_command.timeout.connect(self._note_location)

    def say(self, text: str) -> None:
        """Show a remark on the last attempt; it disappears with the next move."""
        self._show(text, lasting=False)

    def say_errors(self, act: Callable[[], object]) -> bool:
        """Call ``act``; say its KnownError instead of raising it. Return whether it succeeded."""
        try:
            act()
        except KnownError as error:
            self.say(str(error))
            return False
        return True

    def announce(self, text: str) -> None:
        """Show an action or news; it stays until the scope, the mode or the filter changes."""
        self._show(text, lasting=True)

    def _show(self, text: str, *, lasting: bool) -> None:
        self._shown_at, self._lasting = None, lasting
        self._after_command.start()
        self.status_message.emit(text)

    def announce_slow(self, text: str, photos: int) -> None:
        """Show the operation about to start, if its many photos take a moment."""
        if photos >= MANY:
            self.slow_operation_started.emit(text)

    def attempt(self, write: Callable[[], object]) -> None:
        """Write a fact that is no decision, such as a position; report a KnownError.

        An error is reported once, until a write succeeds again: nobody asked for the write, and the
        message about a mark must stay readable.
        """
        try:
            write()
        except KnownError as error:
            log.info("not written: %s", error)
            if not self._write_failing:
                self.announce(str(error))
            self._write_failing = True
        else:
            self._write_failing = False

    def moved_to(self, list_: tuple[object, ...], photo: tuple[object, ...]) -> None:
        """Clear a message that is about another list or, unless it lasts, another photo.

        Args:
            list_: scope, mode and filter of the list.
            photo: the view, whether the finish page is shown, and the current photo.
        """
        self._list, self._photo = list_, photo
        if self._shown_at not in (None, self._location()):
            self._shown_at = None
            self.status_message.emit("")
            self.cleared.emit()

    def _location(self) -> tuple[object, ...]:
        return self._list if self._lasting else self._list + self._photo

    def _note_location(self) -> None:
        self._shown_at = self._location()

    def close(self) -> None:
        """Stop the timer."""
        self._after_command.stop()
