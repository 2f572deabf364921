"""A lock on an open file or folder that ends with the process that holds it.

The catalog, an export and the start of a window use it. The system releases the lock even after
``kill -9``. Only the lock counts, not whether a lock file exists: such files are never removed. Two
handles of one process exclude each other like two processes.
"""

from __future__ import annotations

import contextlib
import os
import sys

if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes exclusively: a shared lock takes any one of these, an exclusive one all.
    _BYTES = 64

    def acquire(handle: int, *, shared: bool = False) -> bool:
        """Lock an open file without waiting; return whether this succeeded."""
        for start, count in [(at, 1) for at in range(_BYTES)] if shared else [(0, _BYTES)]:
            os.lseek(handle, start, os.SEEK_SET)
            with contextlib.suppress(OSError):
                msvcrt.locking(handle, msvcrt.LK_NBLCK, count)
                return True
        return False

    def release(handle: int) -> None:
        """Do nothing: on Windows a lock ends when its file is closed."""

else:
    import fcntl

    def acquire(handle: int, *, shared: bool = False) -> bool:
        """Lock an open file or folder without waiting; return whether this succeeded.

        Raises:
            OSError: the file system has no locks.
        """
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(handle: int) -> None:
        """Unlock a file or folder that stays open."""
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
