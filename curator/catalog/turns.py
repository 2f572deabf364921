"""Turns at writing: among the connections of one process, who keeps a decision goes first.

SQLite lets one connection write at a time and knows no order among those that wait. A conductor
at work leaves microseconds between two transactions; a mark that asks twice a millisecond misses
them several times over. Here it waits for the transaction under way and for no other, and it is
woken where it would have slept. Other processes know nothing of this: SQLite's own lock stays.
"""

from __future__ import annotations

import threading
import weakref
from pathlib import Path


class Turns:
    """Who may write next to one catalog.

    Thread: any.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._taken = False
        self._pressing = 0

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
        with self._changed:
            self._pressing += pressing
            came = self._changed.wait_for(
                lambda: not self._taken and (pressing or not self._pressing), within_s
            )
            self._pressing -= pressing
            self._taken |= came
        return came

    def give_back(self) -> None:
        """Let the next one write."""
        with self._changed:
            self._taken = False
            self._changed.notify_all()


_LOCK = threading.Lock()
_KNOWN: weakref.WeakValueDictionary[str, Turns] = weakref.WeakValueDictionary()
