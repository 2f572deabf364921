"""Two locks beside the catalog: only one process imports photos; no open catalog is replaced."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from curator import file_lock, private
from curator.home import Home
from curator.model import READ_ELSEWHERE, BusyError, CatalogError


class _Lock:
    """A lock on a file in the catalog's folder; see `curator.file_lock`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def release(self) -> None:
        """Release the lock; harmless if it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _acquire(self, busy: BusyError, *, shared: bool = False) -> None:
        """Take the lock.

        Raises:
            BusyError: ``busy``, if another holder is in the way.
            CatalogError: the file cannot be created, or the file system has no locks.
        """
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, private.FILE)
        except OSError as error:
            raise CatalogError(
                f"The home folder {self.path.parent} is not writable ({error.strerror}).",
                "Choose another with --home or CURATOR_HOME.",
            ) from error
        try:
            taken = file_lock.acquire(handle, shared=shared)
        except OSError as error:
            os.close(handle)
            raise CatalogError(
                f"The file system of {self.path.parent} has no locks ({error.strerror or error}).",
                "Choose a folder on another disk with --home or CURATOR_HOME.",
            ) from error
        if not taken:
            os.close(handle)
            raise busy
        self._handle = handle


class ConductorLock(_Lock):
    """Held by the one process that imports photos into a catalog."""

    def __init__(self, home: Home) -> None:
        super().__init__(home.data / "conductor.lock")

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            BusyError: another Curator has it.
            CatalogError: the file cannot be created, or the file system has no locks.
        """
        self._acquire(BusyError(READ_ELSEWHERE, "Wait until it is done, or close it."))

    def __enter__(self) -> Self:
        self.acquire()
        return self


class UseLock(_Lock):
    """Shared by every process that has the catalog open; exclusive while it is replaced."""

    def __init__(self, catalog: Path) -> None:
        super().__init__(catalog.with_suffix(".lock"))

    def share(self) -> None:
        """Mark the catalog as in use; no effect where locks are not available.

        Raises:
            BusyError: the catalog is being restored.
        """
        try:
            self._acquire(
                BusyError("The catalog is being restored.", "Try again in a moment."), shared=True
            )
        except CatalogError:
            return  # no locks, or a read-only folder, where no catalog can be restored either

    def exclude_others(self) -> None:
        """Take the lock exclusively, so that nobody else can open the catalog.

        Raises:
            BusyError: somebody has the catalog open.
            CatalogError: the file cannot be created, or the file system has no locks.
        """
        self._acquire(
            BusyError("Curator is open on this catalog.", "Close it everywhere, then try again.")
        )
