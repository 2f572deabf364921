"""Turns at writing: among the connections of one process, who keeps a decision goes first.

SQLite lets one connection write at a time and knows no order among those that wait. A conductor
at work leaves microseconds between two transactions; a mark that asks twice a millisecond misses
them several times over. Here it waits for the transaction under way and for no other, and it is
woken where it would have slept. While it is written, and from a key to its photo, those in the
background hold still: the interpreter is one, and a mark lets go of it at each statement. Other
processes know nothing of this: SQLite's own lock stays.
"""

from __future__ import annotations

import threading
import time
import weakref
from pathlib import Path


class Turns:
    """Who may write next to one catalog.

    Thread: any.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._taken = self._by_pressing = False
        self._pressing = 0  # who wait, and who writes
        self._held_until = 0.0

    @staticmethod
    def at(path: Path) -> Turns:
        """Give the turns of a catalog, the same to all its connections."""
        key = str(path.resolve())
        with _LOCK:
            return _KNOWN.setdefault(key, Turns())

    def take(self, pressing: bool, within_s: float) -> bool:
        """Wait for a turn, and tell whether it came; :meth:`give_back` ends it.

        Args:
            pressing: a person waits: goes before all who write in the background.
            within_s: how long to wait.
        """
        deadline = time.monotonic() + within_s
        with self._changed:
            self._pressing += pressing
            while not (came := self._is_free(pressing)):
                now = time.monotonic()
                if now >= deadline:
                    break
                held = 0.0 if pressing else self._held_until - now
                self._changed.wait(min(held, deadline - now) if held > 0 else deadline - now)
            if came:
                self._taken, self._by_pressing = True, pressing
            else:
                self._pressing -= pressing
        return came

    def _is_free(self, pressing: bool) -> bool:
        held = self._pressing or time.monotonic() < self._held_until
        return not self._taken and (pressing or not held)

    def hold(self, seconds: float) -> None:
        """Have who writes in the background hold still for so long; 0 lets them go on.

        Asked again before that is over, as by a key that repeats, it is no longer for that.
        """
        with self._changed:
            now = time.monotonic()
            if not seconds or now >= self._held_until:
                self._held_until = now + seconds
                self._changed.notify_all()

    def give_back(self) -> None:
        """Let the next one write."""
        with self._changed:
            self._pressing -= self._by_pressing
            self._taken = self._by_pressing = False
            self._changed.notify_all()

    def stand_back(self, within_s: float) -> None:
        """Hold still while a person waits for what is written, so long at most."""
        if self._pressing:
            with self._changed:
                self._changed.wait_for(lambda: not self._pressing, within_s)


_LOCK = threading.Lock()
_KNOWN: weakref.WeakValueDictionary[str, Turns] = weakref.WeakValueDictionary()
