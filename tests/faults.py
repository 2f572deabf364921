"""A disk that refuses: full, broken or write-protected at a touch of the test's choosing."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curator import opened_folder
from curator.catalog import Catalog

FULL, BROKEN, LOCKED, QUOTA = errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT
FAULTS = (FULL, BROKEN, LOCKED, QUOTA)


class Refusing:
    """Refuses to write below a folder, from the so-manieth touch on; counts them.

    A touch is a file opened to be written, written to, synced, renamed, linked or made a folder.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = os.fspath(folder), number
        self.touches = 0
        self.allowed: float = float("inf")
        self.refused = 0

    def touch(self, path: object) -> None:
        if not str(path).startswith(self._folder):
            return
        self.touches += 1
        if self.touches > self.allowed:
            self.refused += 1
            raise OSError(self._number, os.strerror(self._number), str(path))

    def room_for(self, touches: float) -> None:
        """Allow so many more; infinitely many make the disk well again."""
        self.allowed = self.touches + touches


class _File(io.BufferedWriter):
    """A file that asks before each write; ``file`` is its path, or its handle."""

    def __init__(self, file: str | int, path: str, mode: str, refusing: Refusing) -> None:
        raw = io.FileIO(file, mode.replace("b", ""))
        super().__init__(raw)
        self._path, self._refusing = path, refusing

    def write(self, data: Any, /) -> int:
        self._refusing.touch(self._path)
        return super().write(data)


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path, number: int) -> Refusing:
    """Have a disk refuse below a folder, in this process, once told to."""
    refusing = Refusing(folder, number)
    real_open, real_fsync = io.open, os.fsync

    def named(name: Any, handle: int | None) -> str:
        """Put together what a name inside an opened folder is called."""
        if handle is None:
            return os.fspath(name)
        return os.path.join(os.readlink(f"/proc/self/fd/{handle}"), name)  # noqa: PTH115, PTH118

    def opened(file: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
        if set(mode) & set("wxa+"):
            path = named("", file) if isinstance(file, int) else os.fspath(file)
            path = path.rstrip("/")
            refusing.touch(path)
            plain = "b" in mode and set(mode) <= set("xwb") and set(args) <= {-1, None}
            if plain and path.startswith(os.fspath(folder)):
                return _File(file if isinstance(file, int) else path, path, mode, refusing)
        return real_open(file, mode, *args, **more)

    def synced(handle: int) -> None:
        with contextlib.suppress(OSError):
            refusing.touch(Path(f"/proc/self/fd/{handle}").readlink())
            return real_fsync(handle)
        raise OSError(number, os.strerror(number))

    def asking(name: str, place: int) -> Callable[..., Any]:
        real = getattr(os, name)

        def act(*args: Any, **more: Any) -> Any:
            handle = more.get("dst_dir_fd", more.get("dir_fd"))
            refusing.touch(named(args[place], handle))
            return real(*args, **more)

        return act

    monkeypatch.setattr(io, "open", opened)
    monkeypatch.setattr(builtins, "open", opened)
    if sys.platform == "linux":
        monkeypatch.setattr(os, "fsync", synced)
    for name, place in (("replace", 1), ("rename", 1), ("link", 1), ("mkdir", 0)):
        monkeypatch.setattr(os, name, asking(name, place))
    rename = opened_folder._rename_exclusively

    def renamed(old: str, new: str, inside: int | None, into: int | None) -> bool:
        refusing.touch(named(new, into))
        return rename(old, new, inside, into)

    monkeypatch.setattr(opened_folder, "_rename_exclusively", renamed)
    return refusing


def fill_up(catalog: Catalog, spare: int = 0) -> None:
    """Have SQLite find no room in a catalog for more than so many pages."""
    pages = catalog.store.value("PRAGMA page_count")
    catalog.store.rows(f"PRAGMA max_page_count = {pages + spare}")


def make_room(catalog: Catalog) -> None:
    """Have SQLite find room again."""
    catalog.store.rows("PRAGMA max_page_count = 1073741823")


@contextlib.contextmanager
def broken_beyond(size: int) -> Iterator[None]:
    """Have the system refuse this process every write beyond so many bytes of any file.

    What SQLite makes of it is an I/O error in the middle of what it writes, not a full disk.
    """
    if sys.platform == "win32":
        pytest.skip("the system there knows no such limit")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class SmallDisk:
    """A file system of its own with little room, mounted for the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self, spare: int = 0) -> None:
        """Take all room but so many bytes."""
        free = os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_frsize
        left = max(free - spare, 0)
        # Unbuffered: what a buffer holds would be refused at the very end.
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 16)))
            while not spare:
                file.write(bytes(1))

    def empty(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(path: Path, size_mb: int) -> Iterator[SmallDisk]:
    """Mount a small disk, or skip the test where that is not permitted."""
    path.mkdir(parents=True, exist_ok=True)
    if sys.platform != "linux":
        pytest.skip("a small disk is mounted on Linux only")
    how = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(path)]
    try:
        done = subprocess.run(how, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"nothing can be mounted here ({error.strerror})")
    if done.returncode:
        pytest.skip(f"nothing can be mounted here ({done.stderr.strip()})")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)
