"""Waiting until all that was requested from the conductor is done."""

from __future__ import annotations

import threading
from dataclasses import replace

from curator.model import KnownError
from curator.pipeline.events import Totals


class IdleTracker:
    """Counts requests to the conductor, and how many of them are done.

    Thread: any for :meth:`note_posted`, :meth:`wait`, :meth:`forgive`, :meth:`stop` and
    :meth:`is_taken`; the conductor's for all others.

    Attributes:
        halted: the problem that paused all work; None while there is none.
    """

    def __init__(self) -> None:
        self.halted: KnownError | None = None
        self._condition = threading.Condition()
        self._posted = self._taken = self._read = self._done = 0
        self._stopped = False
        self._totals = Totals()

    def note_posted(self) -> None:
        """Count a request."""
        with self._condition:
            self._posted += 1

    def note_taken(self) -> None:
        """Note that the conductor begins with a request."""
        self._taken += 1

    @property
    def is_reported(self) -> bool:
        """Whether :meth:`note_read` was called after all requests taken so far."""
        return self._read == self._taken

    def note_read(self, totals: Totals) -> None:
        """Note that every photo has been read; descriptions and text may still be under way."""
        self._totals, self._read = totals, self._taken

    def release(self, described: int, texts: int) -> None:
        """Wake callers whose requests are all done.

        Args:
            described: how many photos were described since the last call.
            texts: in how many photos text was looked for since then.
        """
        with self._condition:
            self._totals = replace(self._totals, described=described, texts=texts)
            self._done = self._read
            self._condition.notify_all()

    @property
    def is_waited_for(self) -> bool:
        """Whether every photo has been read, and callers have not been woken yet."""
        return self._done != self._read

    def is_taken(self) -> bool:
        """Whether the conductor took every request."""
        with self._condition:
            return self._taken >= self._posted

    def halt(self, error: KnownError) -> None:
        """Wake callers with the problem that paused all work."""
        with self._condition:
            self.halted = error
            self._condition.notify_all()

    def forgive(self) -> None:
        """Forget the problem that paused all work."""
        with self._condition:
            self.halted = None

    def stop(self) -> None:
        """Wake callers, because nothing more will be done."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def wait(self, timeout_s: float | None) -> Totals | None:
        """Wait until all requests posted so far are done; None if time ran out, or work stopped.

        Raises:
            KnownError: this problem paused all work, such as a full disk.
        """
        with self._condition:
            asked = self._posted
            self._condition.wait_for(
                lambda: self._done >= asked or self.halted or self._stopped, timeout_s
            )
            if self._done >= asked:
                return self._totals
            if self.halted is not None:
                raise self.halted
            return None
