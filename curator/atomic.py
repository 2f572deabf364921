"""Atomic file writes by path, bounded reads of plain files, and cleaning up after killed processes.

    write(path, content)             # a temporary file, then a rename: readers never see half of it
    read(path, 65536)                # a plain file only; opening a pipe would block forever
    remove_leftovers(path.parent)    # temporary files of processes that were killed

Everything that writes a file by its path uses :func:`write`, or :func:`replacing` where another
library fills the file. Writes inside a folder that others may tamper with go through
:class:`curator.opened_folder.OpenedFolder`, which names its temporary files the same way.

The name of a temporary file contains the id of its process, so that a later process can tell a file
still being written from one that nobody will finish. Never write to a final name directly.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from curator import private

_TEMPORARY = re.compile(r"\.curator-(\d+)-[0-9a-f]{12}\.tmp")
_SLACK_S = 5.0  # the clock of a disk may differ from the system's by this much
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def is_full(error: BaseException | None) -> bool:
    """Whether an error means that the disk is full, or the user's quota on it is used up."""
    return isinstance(error, OSError) and error.errno in _FULL


def temporary_path(path: Path) -> Path:
    """Return a path beside ``path`` for a temporary file; no other process uses that name."""
    return path.with_name(f".curator-{os.getpid()}-{secrets.token_hex(6)}.tmp")


@contextmanager
def replacing(path: Path, work: Path | None = None) -> Iterator[Path]:
    """Yield the path of a temporary file that replaces ``path`` if the block succeeds.

    If the block raises, the temporary file is removed and ``path`` stays as it was. A link at
    ``path`` is replaced, not followed.

    Args:
        path: the file to replace.
        work: the folder of the temporary file, on the same disk; by default that of ``path``.
    """
    temporary = temporary_path(path if work is None else work / path.name)
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def write(
    path: Path,
    content: bytes,
    *,
    work: Path | None = None,
    sync: bool = True,
    owner_only: bool = True,
) -> None:
    """Write a file atomically: readers see the old content or the new, never a part of it.

    Args:
        path: the file; its folder must exist.
        content: the new content.
        work: as for :func:`replacing`.
        sync: whether to wait until the content is on disk; files that can be made again skip this.
        owner_only: whether only the owner may read it; otherwise the umask decides.

    Raises:
        OSError: the file could not be written, for example because the disk is full. The error
            names ``path``, whichever step failed. An older file of that name is unchanged.
    """
    try:
        with (
            replacing(path, work) as temporary,
            open(temporary, "xb", opener=private.opener if owner_only else None) as file,
        ):
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def sync(handle: int) -> None:
    """Flush a file, or a folder's names, to disk; on macOS `os.fsync` stops at the disk's memory.

    Raises:
        OSError: the disk fails, or cannot do that for folders.
    """
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):  # network drives and some formats cannot do that
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, where the system supports it; otherwise do nothing."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading; refuse pipes and devices, which could block forever.

    Raises:
        OSError: it cannot be opened, or is not a plain file.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, flags)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is not a plain file", str(path))


def read(path: Path, max_bytes: int = -1) -> bytes:
    """Read a plain file, or its first ``max_bytes`` bytes.

    Raises:
        OSError: as :func:`open_plain`.
    """
    with open_plain(path) as file:
        return file.read(max_bytes)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files in a folder whose processes have ended.

    Files of running processes stay. A file that cannot be removed is left for the next call.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            pid = writer_pid(entry.name)
            if pid is not None:
                with contextlib.suppress(OSError):
                    if writer_is_gone(pid, entry.stat(follow_symlinks=False).st_mtime):
                        Path(entry.path).unlink()


def writer_pid(name: str) -> int | None:
    """Return the id of the process that writes a temporary file; None for any other file name."""
    found = _TEMPORARY.match(name)
    return None if found is None else int(found[1])


def writer_is_gone(pid: int, written_at: float) -> bool:
    """Whether the process that wrote something has ended; a new process may have its id.

    Args:
        pid: the process id.
        written_at: when the process wrote, in Unix time.
    """
    import psutil

    try:
        return bool(psutil.Process(pid).create_time() > written_at + _SLACK_S)
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OverflowError, ValueError):  # the process runs, for another user
        return False
