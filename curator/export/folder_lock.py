"""A lock that allows one export into a folder at a time, across all Curators on this computer.

It locks the opened folder itself. The lock is therefore the same by whatever path, user or home,
leaves nothing on disk, and ends with its process. Windows can lock only files: there it is a file
in the folder, which the system removes when it is closed. On a disk without locks, an export
notices that another one wrote the manifest (:func:`curator.export.manifest.save`) and stops; no
file is ever overwritten.
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
        BusyError: another export is running; nothing was written.
        KnownError: the name of the lock file is taken.
    """
    try:
        with _locked(folder):
            yield
    except _HeldError as error:
        raise BusyError(
            f"Another export into {folder.path} is running.", "Wait until it is done."
        ) from error


class _HeldError(Exception):
    """Another process holds the lock."""


if sys.platform == "win32":
    import msvcrt

    _FILE = ".curator-export.lock"

    @contextmanager
    def _locked(folder: OpenedFolder) -> Iterator[None]:
        passing = getattr(os, "O_TEMPORARY", 0)  # gone once nobody has it open
        if folder.status(_FILE) is not None and not folder.is_file(_FILE):
            # Opening and closing it would remove the file that a link leads to.
            raise KnownError(f"{folder.path / _FILE} is a link or not a file.", "Remove it.")
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
