"""One export into a folder at a time, of all Curators on this computer.

The lock lies among the system's temporary files and not in the folder, which is the person's and
may be handed on; it ends with the process that holds it.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.model import BusyError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other exports out of a folder.

    Raises:
        BusyError: one is under way there; nothing was written.
    """
    own = f"{getattr(os, 'getuid', int)()} {folder.resolve()}"
    name = hashlib.sha256(os.fsencode(own)).hexdigest()[:24]
    lock = Path(tempfile.gettempdir(), f"curator-export-{name}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock(handle)
        except OSError as error:
            raise BusyError(
                f"Another export into {folder} is under way.", "Wait until it is done."
            ) from error
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
