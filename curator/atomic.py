"""Files written whole or not at all, and nothing left of a process that was killed while at it.

    put(path, content)          # a temporary file, then a rename: no reader ever sees half of it
    read(path, 65536)           # of a plain file; a pipe in its place would be waited for, for ever
    sweep(path.parent)          # what killed processes left there

A temporary file is called after the process that writes it, so that whoever comes next can tell
what is being written from what nobody will ever finish.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

from curator import private

_TEMPORARY = re.compile(r"\.curator-(\d+)-[0-9a-f]{12}\.tmp")
_SLACK_S = 5.0  # by which clocks of a disk and of the system may differ
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def is_full(error: BaseException | None) -> bool:
    """Say whether an error means that a disk has no room left, or a person none on it."""
    return isinstance(error, OSError) and error.errno in _FULL


def temporary(path: Path) -> Path:
    """Name a temporary file for ``path``, beside it; nobody else has that name."""
    return path.with_name(f".curator-{os.getpid()}-{secrets.token_hex(6)}.tmp")


def put(
    path: Path,
    content: bytes,
    *,
    work: Path | None = None,
    sync: bool = True,
    owners: bool = True,
) -> None:
    """Write a file so that no reader ever sees half of it.

    Args:
        path: the file; its folder is there.
        content: what it is to hold.
        work: where the temporary file goes, on the same disk; beside it unless given.
        sync: whether to wait until the disk has it; what can be made again need not.
        owners: whether it is its owner's alone; else others may do what the umask lets them.

    Raises:
        OSError: it could not be written, as on a full disk; it names ``path``, whatever step
            failed. An older file of that name stays, and no part of the new one does.
    """
    new = temporary(path if work is None else work / path.name)
    try:
        try:
            with open(new, "xb", opener=private.opener if owners else None) as file:
                file.write(content)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def opened(path: Path) -> BinaryIO:
    """Open a plain file to read; what would be waited for, as a pipe, is refused instead.

    Raises:
        OSError: it cannot be opened, or is no plain file.
    """
    how = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, how)
    kind = os.fstat(handle).st_mode
    if stat.S_ISREG(kind):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is not a plain file", str(path))


def read(path: Path, most_bytes: int = -1) -> bytes:
    """Read a plain file, or its beginning.

    Raises:
        OSError: as :func:`opened`.
    """
    with opened(path) as file:
        return file.read(most_bytes)


def sweep(folder: Path) -> None:
    """Remove the temporary files of a folder whose processes are no more.

    What a living process writes stays, and so does what cannot be removed: the next sweep tries
    again.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            writer = writer_of(entry.name)
            if writer is not None:
                with contextlib.suppress(OSError):
                    if is_left(writer, entry.stat(follow_symlinks=False).st_mtime):
                        Path(entry.path).unlink()


def writer_of(name: str) -> int | None:
    """Return the id of the process that writes a temporary file, None for the name of another."""
    named = _TEMPORARY.match(name)
    return None if named is None else int(named[1])


def is_left(number: int, written_at: float) -> bool:
    """Say whether the process that wrote something then is gone; another may have its number.

    Args:
        number: the process id.
        written_at: when it wrote, in Unix time.
    """
    import psutil

    try:
        return bool(psutil.Process(number).create_time() > written_at + _SLACK_S)
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OverflowError, ValueError):  # it is there, and somebody else's
        return False
