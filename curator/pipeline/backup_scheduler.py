"""The daily back-up: made on a thread of its own, so that neither marks nor reading wait for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from curator.catalog import backups
from curator.model import KnownError

log = logging.getLogger(__name__)

_LOOK_S = 600.0  # how often it is looked whether one is due
_SETTLED_S = 60.0  # after the start: whoever opens a window wants to see photos first
_AGAIN_S = 3600.0  # after one that failed
_PATIENCE_S = 30.0  # that the end of the program waits for one that is being made


class BackupScheduler:
    """Has a back-up of the catalog made when the last one is a day old.

    While photos are being read it waits, for a day more at most. One that fails stops nothing: it
    is told, and tried again an hour later.

    Thread: the conductor's.
    """

    def __init__(self, path: Path, inline: bool, tell: Callable[[KnownError], None]) -> None:
        """Make a keeper of a catalog; nothing happens before it is asked.

        Args:
            path: the SQLite file.
            inline: make it on the calling thread.
            tell: gets why there is no back-up; called on the keeper's thread.
        """
        self._path, self._inline, self._tell = path, inline, tell
        self._look_at = self._settled_at = time.monotonic() + _SETTLED_S
        self._again_at = 0.0
        self._owed = False
        self._thread: threading.Thread | None = None
        self._given_up = threading.Event()

    def look(self, calm: bool) -> None:
        """Have a back-up made if it is time; asked often, it looks every ten minutes.

        Args:
            calm: nothing else is being done.
        """
        if time.monotonic() >= self._look_at and not self._inline:
            self._look_at = time.monotonic() + _LOOK_S
            self._begin(backups.DAY_S if calm else 2 * backups.DAY_S)

    def finished(self) -> None:
        """Have a back-up made if it is time: photos were read, and all is done.

        Right after the start it waits for :meth:`look`, or for the end where that comes first: a
        verb that reads a few photos takes seconds.
        """
        self._owed = not self._inline and time.monotonic() < self._settled_at
        if not self._owed:
            self._begin(backups.DAY_S)

    def _begin(self, every_s: float) -> None:
        if self._is_busy() or time.monotonic() < self._again_at:
            return
        if not backups.is_due(self._path, every_s):
            return
        if self._inline:
            self._keep()
            return
        self._thread = threading.Thread(target=self._keep, name="curator-keeper")
        self._thread.start()

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _keep(self) -> None:
        try:
            backups.make_if_due(self._path, stop=self._given_up.is_set)
        except backups.GivenUpError:
            log.info("a back-up was given up; the next start makes it")
        except KnownError as error:
            self._again_at = time.monotonic() + _AGAIN_S
            log.info("no back-up: %s", error)
            self._tell(error)

    def close(self) -> None:
        """Wait a while for a back-up that is being made or owed, then give it up."""
        if self._owed:
            self._begin(backups.DAY_S)
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            self._given_up.set()
            self._thread.join()
