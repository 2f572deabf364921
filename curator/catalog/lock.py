"""Locks of the home folder: one process reads photos in; nobody swaps a catalog that is in use."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from curator import private
from curator.model import BusyError, CatalogError
from curator.settings import Home


class _FileLock:
    """A lock on a file of the home folder that ends with the process that holds it.

    The file stays; only the lock on it counts, and the system takes that back even after
    ``kill -9``. Two locks of one process exclude each other too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _take(self, taken: str, remedy: str) -> None:
        """Lock out everybody else, or say that it is taken."""
        handle = self._open()
        try:
            _lock_alone(handle)
        except OSError as error:
            os.close(handle)
            if _is_taken(error):
                raise BusyError(taken, remedy) from error
            raise CatalogError(
                f"The file system of {self.path.parent} has no locks ({error.strerror or error}).",
                "Choose a folder on another disk with --home or CURATOR_HOME.",
            ) from error
        self._file = handle

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT, private.FILE)
        except OSError as error:
            raise CatalogError(
                f"The home folder {self.path.parent} cannot be written ({error.strerror}).",
                "Choose another with --home or CURATOR_HOME.",
            ) from error


class ConductorLock(_FileLock):
    """Held by the one process that reads photos into a catalog."""

    def __init__(self, home: Home) -> None:
        super().__init__(home.data / "conductor.lock")

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            BusyError: another Curator has it.
            CatalogError: the file cannot be made, or there are no locks.
        """
        self._take(
            "Another Curator is already reading photos into this catalog.",
            "Wait until it is done, or close it.",
        )

    def __enter__(self) -> Self:
        self.acquire()
        return self


class UseLock(_FileLock):
    """Shared by all who have a catalog open; held alone by who puts another in its place."""

    def __init__(self, catalog: Path) -> None:
        super().__init__(catalog.with_suffix(".lock"))

    def share(self) -> None:
        """Say that the catalog is in use; where no lock can be had, that is left unsaid.

        Raises:
            BusyError: it is just being restored.
        """
        try:
            handle = self._open()
        except CatalogError:
            return  # a home one can only read: nobody restores anything there either
        try:
            _lock_shared(handle)
        except OSError as error:
            os.close(handle)
            if not _is_taken(error):  # a file system without locks
                return
            raise BusyError(
                "The catalog is just being put back from a back-up.", "Try again in a moment."
            ) from error
        self._file = handle

    def alone(self) -> None:
        """Keep everybody else out.

        Raises:
            BusyError: somebody has the catalog open.
            CatalogError: the file cannot be made, or there are no locks.
        """
        self._take("Curator is open on this catalog.", "Close it everywhere, then try again.")


if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes for one alone: who shares takes any one of these, who is alone all.
    _PLACES = 64

    def _lock_alone(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, _PLACES)

    def _lock_shared(handle: int) -> None:
        for place in range(_PLACES):
            os.lseek(handle, place, os.SEEK_SET)
            with contextlib.suppress(OSError):
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
                return
        raise BlockingIOError

    def _is_taken(error: OSError) -> bool:
        return True

else:
    import fcntl

    def _lock_alone(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _lock_shared(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def _is_taken(error: OSError) -> bool:
        return isinstance(error, BlockingIOError)
