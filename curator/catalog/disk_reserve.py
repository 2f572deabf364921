"""Some room kept beside a catalog, given away where a full disk would keep it from opening.

To open a catalog SQLite needs some 32 kB beside it, and for each decision a few more until they
are folded in; a disk without any room would keep a person from even looking. So a file of no use
lies there, and goes when nothing else is left.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from curator import atomic

ROOM = 4 << 20  # bytes: a hundred decisions, until the log is folded in and has room again


def keep(catalog: Path) -> None:
    """Have the room kept, where it is not; a disk that takes no more is no fault."""
    path = _path(catalog)
    with contextlib.suppress(OSError):
        if not path.exists():
            atomic.write(path, os.urandom(ROOM))  # zeros take no room where the disk packs them


def spend(catalog: Path) -> bool:
    """Give the room away; say whether there was any."""
    try:
        _path(catalog).unlink()
    except OSError:
        return False
    return True


def _path(catalog: Path) -> Path:
    return catalog.with_suffix(".reserve")
