"""Which of a process's connections may write next to a catalog: a person's marks go first.

SQLite lets one connection write at a time and does not order those that wait. A conductor leaves
only microseconds between two transactions, and a mark that asks twice a millisecond can miss them
many times. With this lock a mark waits for the transaction that is running and for no other, and
is woken instead of polling. Background writers also pause from a key press until its photo is
shown, and background queries while a mark is written: each statement of a mark releases the GIL,
and a background thread would take it. Other processes know nothing of this; SQLite's own lock still
holds between them.
"""

from __future__ import annotations

import threading
import time
import weakref
from pathlib import Path


class WritePriority:
    """The write lock of one catalog within this process; interactive writers go first.

    Thread: any.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._taken = self._taken_interactively = False
        self._interactive = 0  # writers that wait or write
        self._paused_until = 0.0

    @staticmethod
    def of(path: Path) -> WritePriority:
        """Return the lock that all connections of this process to a catalog share."""
        key = str(path.resolve())
        with _LOCK:
            return _KNOWN.setdefault(key, WritePriority())

    def acquire(self, interactive: bool, within_s: float) -> bool:
        """Wait for permission to write; return whether it came. :meth:`release` gives it back.

        Args:
            interactive: a person waits for this write; it goes before all background writers.
            within_s: how long to wait.
        """
        deadline = time.monotonic() + within_s
        with self._changed:
            self._interactive += interactive
            while not (free := self._is_free(interactive)):
                now = time.monotonic()
                if now >= deadline:
                    break
                paused = 0.0 if interactive else self._paused_until - now
                self._changed.wait(min(paused, deadline - now) if paused > 0 else deadline - now)
            if free:
                self._taken, self._taken_interactively = True, interactive
            else:
                self._interactive -= interactive
        return free

    def _is_free(self, interactive: bool) -> bool:
        paused = self._interactive or time.monotonic() < self._paused_until
        return not self._taken and (interactive or not paused)

    def pause_background(self, seconds: float) -> None:
        """Make background writers wait for this many seconds; 0 ends the wait.

        A second call before the pause is over does not prolong it: a key that repeats must not
        stop the background for good.
        """
        now = time.monotonic()
        if seconds:
            if now >= self._paused_until:
                self._paused_until = now + seconds  # wakes nobody, so a key need not take the lock
            return
        with self._changed:
            self._paused_until = now
            self._changed.notify_all()

    def release(self) -> None:
        """Let the next connection write."""
        with self._changed:
            self._interactive -= self._taken_interactively
            self._taken = self._taken_interactively = False
            self._changed.notify_all()

    @property
    def interactive_waits(self) -> bool:
        """Whether an interactive writer waits, for whoever holds the lock as a background one."""
        return self._interactive > 0

    def wait_for_interactive(self, within_s: float) -> None:
        """Wait until no interactive writer waits or writes, but no longer than this."""
        if self._interactive:
            with self._changed:
                self._changed.wait_for(lambda: not self._interactive, within_s)


_LOCK = threading.Lock()
_KNOWN: weakref.WeakValueDictionary[str, WritePriority] = weakref.WeakValueDictionary()
