"""Folders and files that are their owner's alone (0700, 0600), whatever the umask.

Used for everything in the home folder: the catalog, its copies, the log and the proxies show what
somebody photographs. Where a system has no such rights, as Windows, its own profile folder has.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o077


def opener(path: str, flags: int) -> int:
    """Open a file for ``open(..., opener=opener)``; a new one is its owner's alone."""
    return os.open(path, flags, FILE)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing; the new ones are the owner's alone.

    Raises:
        OSError: it cannot be made, or a file is in its place (FileExistsError).
    """
    try:
        path.mkdir(FOLDER)
    except FileNotFoundError:
        if path.parent == path:
            raise
        make_folder(path.parent)
        path.mkdir(FOLDER, exist_ok=True)
    except FileExistsError:
        if not path.is_dir():
            raise


def touch(path: Path) -> None:
    """Make a file the owner's alone: an empty one where there is none.

    What the system refuses is left to whoever opens it next to say.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))
        return
    restrict(path)


def restrict(path: str | os.PathLike[str]) -> None:
    """Take what others may do with a file or folder away; one that is somebody else's stays."""
    with contextlib.suppress(OSError):
        mode = os.stat(path).st_mode  # noqa: PTH116 - also what scandir gives, as text
        if mode & _OTHERS:
            os.chmod(path, mode & 0o7700)  # noqa: PTH101


def restrict_known(folder: Path, ours: re.Pattern[str], *, whole: bool = False) -> None:
    """Restrict a folder and the files in it, but nothing that is not ours.

    A folder that holds anything else stays open, as one somebody chose as a home beside other
    things does; links stay, too, and what is in subfolders.

    Args:
        folder: one that need not be there.
        ours: what the names in it match.
        whole: the folder is ours, whatever is in it.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = list(entries)
        known = [entry for entry in names if ours.fullmatch(entry.name)]
        if whole or len(known) == len(names):
            restrict(folder)
        for entry in known:
            if entry.is_file(follow_symlinks=False):
                restrict(entry.path)
