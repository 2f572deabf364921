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

from curator import file_lock
from curator.model import BusyError, KnownError
from curator.opened_folder import OpenedFolder

_WINDOWS_FILE = ".curator-export.lock"


@contextmanager
def exclusive(folder: OpenedFolder) -> Iterator[None]:
    """Keep other exports out of a folder.

    Raises:
        BusyError: another export is running; nothing was written.
        KnownError: the name of the lock file is taken.
    """
    busy = BusyError(f"Another export into {folder.path} is running.", "Wait until it is done.")
    with _handle(folder, busy) as handle:
        taken = True
        with contextlib.suppress(OSError):  # a file system without locks
            taken = handle is None or file_lock.acquire(handle)
        if not taken:
            raise busy
        try:
            yield
        finally:
            if handle is not None:
                file_lock.release(handle)


@contextmanager
def _handle(folder: OpenedFolder, busy: BusyError) -> Iterator[int | None]:
    """Yield the handle to lock: of the folder, on Windows of a file in it; None without handles."""
    if sys.platform != "win32":
        yield folder.fileno() if folder.has_handle else None
        return
    if folder.status(_WINDOWS_FILE) is not None and not folder.is_file(_WINDOWS_FILE):
        # Opening a link would open its target, which is then deleted when it is closed.
        raise KnownError(f"{folder.path / _WINDOWS_FILE} is a link, or no file.", "Remove it.")
    temporary = getattr(os, "O_TEMPORARY", 0)  # deleted once nobody has it open
    try:
        handle = os.open(folder.path / _WINDOWS_FILE, os.O_RDWR | os.O_CREAT | temporary)
    except PermissionError as error:
        raise busy from error  # another export is just closing it
    try:
        yield handle
    finally:
        os.close(handle)
