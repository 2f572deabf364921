"""The daily backup of the catalog, made on its own thread.

The conductor asks for it; neither marks nor reading photos must ever wait for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from curator.catalog import backups
from curator.model import KnownError

log = logging.getLogger(__name__)

_CHECK_S = 600.0  # how often to check whether a backup is due
_SETTLED_S = 60.0  # no backup this soon after the start: photos come first
_AGAIN_S = 3600.0  # pause after a failed backup
_PATIENCE_S = 30.0  # how long closing waits for a backup in progress


class BackupScheduler:
    """Makes a backup of the catalog when the last one is a day old.

    While photos are being read it waits, for one more day at most. A failed backup is reported, and
    tried again an hour later.

    Thread: the conductor's.
    """

    def __init__(self, path: Path, inline: bool, failed: Callable[[KnownError], None]) -> None:
        """Make a scheduler; nothing happens before :meth:`look` or :meth:`finished`.

        Args:
            path: the SQLite file.
            inline: make backups on the calling thread, for tests.
            failed: gets the reason when a backup fails; called on the backup's thread.
        """
        self._path, self._inline, self._failed = path, inline, failed
        self._look_at = self._settled_at = time.monotonic() + _SETTLED_S
        self._again_at = 0.0
        self._owed = False
        self._thread: threading.Thread | None = None
        self._cancel = threading.Event()

    def look(self, calm: bool) -> None:
        """Make a backup if one is due; checks every ten minutes, however often it is called.

        Args:
            calm: nothing else is being done.
        """
        if time.monotonic() >= self._look_at and not self._inline:
            self._look_at = time.monotonic() + _CHECK_S
            self._begin(backups.DAY_S if calm else 2 * backups.DAY_S)

    def finished(self) -> None:
        """Make a backup if one is due, after photos were read.

        In the first minute the backup waits for :meth:`look`, or for the end of the program if
        that comes first, so that it does not delay a command that reads a few photos.
        """
        self._owed = not self._inline and time.monotonic() < self._settled_at
        if not self._owed:
            self._begin(backups.DAY_S)

    def _begin(self, every_s: float) -> None:
        busy = self._thread is not None and self._thread.is_alive()
        if busy or time.monotonic() < self._again_at or not backups.is_due(self._path, every_s):
            return
        if self._inline:
            self._make()
            return
        self._thread = threading.Thread(target=self._make, name="curator-backup")
        self._thread.start()

    def _make(self) -> None:
        try:
            backups.make_if_due(self._path, stop=self._cancel.is_set)
        except backups.GivenUpError:
            log.info("a backup was canceled; the next start makes it")
        except KnownError as error:
            self._again_at = time.monotonic() + _AGAIN_S
            log.info("no backup: %s", error)
            self._failed(error)

    def close(self) -> None:
        """Wait a while for a backup in progress or due, then cancel it."""
        if self._owed:
            self._begin(backups.DAY_S)
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            self._cancel.set()
            self._thread.join()
