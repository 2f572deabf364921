"""The conductor's lock: one process at a time reads photos into a catalog."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

from curator.model import BusyError, CatalogError
from curator.settings import Home


class ConductorLock:
    """A lock on a file of the home folder that ends with the process that holds it.

    The file stays; only the lock on it counts, and the system takes that back even after
    ``kill -9``. Two locks of one process exclude each other too.
    """

    def __init__(self, home: Home) -> None:
        self.path: Path = home.data / "conductor.lock"
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            BusyError: another Curator has it.
            CatalogError: the file cannot be made.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise CatalogError(
                f"The home folder {self.path.parent} cannot be written ({error.strerror}).",
                "Choose another with --home or CURATOR_HOME.",
            ) from error
        try:
            _lock(handle)
        except OSError as error:
            os.close(handle)
            raise BusyError(
                "Another Curator is already reading photos into this catalog.",
                "Wait until it is done, or close it.",
            ) from error
        self._file = handle

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> ConductorLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
