"""Disk space held in reserve beside a catalog, freed when a full disk would keep it from opening.

To open a catalog SQLite needs some 32 kB beside it, and a few more for each decision until the log
is checkpointed. On a full disk a person could not even view their photos. So a file of random bytes
is kept there, and deleted when the disk is full.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from curator import atomic

ROOM = 4 << 20  # bytes: a hundred decisions, until the log is checkpointed


def keep(catalog: Path) -> None:
    """Create the reserve if it is missing; a disk without room for it is no error."""
    path = _path(catalog)
    with contextlib.suppress(OSError):
        if not path.exists():
            # Random, because a compressing file system stores zeros in no space.
            atomic.write(path, os.urandom(ROOM))


def spend(catalog: Path) -> bool:
    """Delete the reserve; return whether there was one."""
    try:
        _path(catalog).unlink()
    except OSError:
        return False
    return True


def _path(catalog: Path) -> Path:
    return catalog.with_suffix(".reserve")
