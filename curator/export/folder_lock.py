"""One export into a folder at a time, of all Curators on this computer.

The folder itself is locked, as it is held open: by whatever name, person or home it is come to,
it is one lock, nothing of it is on disk, and it ends with the process that holds it. Windows locks
files only: there it is a file in the folder, which the system removes when it is closed. A disk
that knows no locks keeps nobody out; then a manifest that somebody else wrote meanwhile stops an
export (:func:`curator.export.manifest.save`), and no file is ever written over.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from curator.model import BusyError, KnownError
from curator.opened_folder import OpenedFolder


@contextmanager
def exclusive(folder: OpenedFolder) -> Iterator[None]:
    """Keep other exports out of a folder.

    Raises:
        BusyError: one is under way there; nothing was written.
        KnownError: something else has the name of the lock.
    """
    try:
        with _locked(folder):
            yield
    except _HeldError as error:
        raise BusyError(
            f"Another export into {folder.path} is under way.", "Wait until it is done."
        ) from error


class _HeldError(Exception):
    """Somebody else has the lock."""


if sys.platform == "win32":
    import msvcrt

    _FILE = ".curator-export.lock"

    @contextmanager
    def _locked(folder: OpenedFolder) -> Iterator[None]:
        passing = getattr(os, "O_TEMPORARY", 0)  # gone once nobody has it open
        if folder.status(_FILE) is not None and not folder.is_file(_FILE):
            # Opened, it would be what a link leads to that is gone afterwards.
            raise KnownError(f"{folder.path / _FILE} is a link, or no file.", "Remove it.")
        try:
            handle = os.open(folder.path / _FILE, os.O_RDWR | os.O_CREAT | passing)
        except PermissionError as error:
            raise _HeldError from error  # another is just closing it
        try:
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            except OSError as error:
                raise _HeldError from error
            yield
        finally:
            os.close(handle)

else:
    import fcntl

    @contextmanager
    def _locked(folder: OpenedFolder) -> Iterator[None]:
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(folder.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _HeldError from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(folder.fileno(), fcntl.LOCK_UN)
