"""A folder held open by a handle: operations by name stay inside it and follow no links.

    with OpenedFolder.at(Path("out")) as folder:
        folder.write("photos.json", content)
        state = folder.file_state("a.jpg")
        folder.rename("a.jpg", "images/2024_a.jpg", state)    # FileExistsError if that exists
        folder.remove("old.jpg", folder.file_state("old.jpg"))      # only if it is still unchanged

Exports and sidecars use it, because other people may put links into their folders, and because a
manifest names files and may have been edited. Names are relative, with "/" between their parts,
and compared byte for byte: neither case-folded nor resolved. Each operation opens the folders of
its name one after the other, starting from the folder held open, and refuses links, even one that
replaces a folder in between.

Never join a name to `OpenedFolder.path` and open the result: that follows links again.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import stat
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import BinaryIO

from curator import atomic, file_lock
from curator.model import KnownError, UnreadableError

FileId = tuple[int, int]
"""Identifies a file or folder independently of its name: device and inode number."""

# Windows has no calls relative to an opened folder. There each operation first checks every folder
# on its path and refuses links, junctions and folders other than the ones opened. It cannot detect
# a change in the microseconds between this check and the operation.
_BY_HANDLE = sys.platform != "win32" and os.open in os.supports_dir_fd

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# A pipe that replaces a file right after the check must not block us.
_READ = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | getattr(os, "O_BINARY", 0)
_LINKED = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)  # the error codes for a link, by system
# The call that renames without overwriting, its flag for that, and AT_FDCWD: Linux, then macOS.
_EXCLUSIVE = (("renameat2", 1, -100), ("renameatx_np", 4, -2))
_NOT_SUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_LOCK_S = 5.0  # a rename takes microseconds
_BLOCK_BYTES = 1 << 20
# This bit of a reparse tag means that it leads elsewhere (MS-FSCC 2.1.2.1). Links and junctions
# have it; files that a cloud drive downloads when they are read do not.
_LEADS_ELSEWHERE = 0x20000000
_NOT_ON_WINDOWS = '<>:"|?*\\'


class OutsideError(KnownError):
    """A name leads out of the folder, or to something that is neither a file nor a folder in it."""


@dataclass(frozen=True, slots=True)
class FileState:
    """Identifies a file as it was when read. Operations that take one change no other file."""

    sha256: str
    size: int
    mtime_ns: int
    file_id: FileId

    def matches(self, status: os.stat_result | None) -> bool:
        """Whether a status belongs to this same file, unchanged."""
        return status is not None and (file_id(status), status.st_size, status.st_mtime_ns) == (
            self.file_id,
            self.size,
            self.mtime_ns,
        )

    def is_renamed_to(self, status: os.stat_result | None) -> bool:
        """Whether a status is that of this file right after it was renamed.

        A new name may come with a new id (FAT on Windows) or a new time (some drivers of FAT).
        """
        if status is None or not _is_plain(status) or status.st_size != self.size:
            return False
        return file_id(status) == self.file_id or status.st_mtime_ns == self.mtime_ns


def is_leaf(name: str) -> bool:
    """Whether a name is a single path component other than "." and ".."."""
    return name not in ("", ".", "..") and "\0" not in name and PurePath(name).name == name


def file_id(status: os.stat_result) -> FileId:
    """Return the id of a file or folder, unique on this computer."""
    return status.st_dev, status.st_ino


class OpenedFolder:
    """A folder held open, made by :meth:`at`; a context manager that closes it.

    Attributes:
        path: its path when it was opened; for messages only.
        file_id: identifies the folder.
        is_locked: whether the owner holds its lock (`curator.file_lock`); set by the owner.

    Thread: any, one at a time.
    """

    def __init__(
        self, path: Path, handle: int | None, chain: tuple[tuple[Path, FileId], ...],
        closed: Collection[FileId],
    ) -> None:  # fmt: skip
        """Take over a handle; called by this class only."""
        self.path, self.file_id, self.is_locked = path, chain[-1][1], False
        self._handle, self._chain, self._closed = handle, chain, closed

    @classmethod
    def at(cls, path: Path, closed: Collection[FileId] = ()) -> OpenedFolder:
        """Open a folder that the user chose. Links in its path are followed.

        Args:
            path: the folder.
            closed: folders with originals; no operation may reach into them.

        Raises:
            OSError: it does not exist, is not a folder or cannot be opened.
        """
        handle = os.open(path, _FOLDER) if _BY_HANDLE else None
        status = path.stat() if handle is None else os.fstat(handle)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return cls(path, handle, ((path.absolute(), file_id(status)),), closed)

    def __enter__(self) -> OpenedFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the handle."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        self._chain = ()

    @property
    def has_handle(self) -> bool:
        """Whether the folder is held open by a handle; not on Windows."""
        return self._handle is not None

    def fileno(self) -> int:
        """Return the handle, for example to lock the folder.

        Raises:
            OSError: this system has no handles of folders.
        """
        if self._handle is None:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(self.path))
        return self._handle

    # --- folders

    def above(self) -> Iterator[FileId]:
        """Yield the ids of this folder, of the folder that contains it now, and so on up."""
        top = f"{os.path.realpath(self.path)}/" if self._handle is None else ""
        up, last = ".", None
        with contextlib.suppress(PermissionError):  # folders further up may not be readable
            while (mark := file_id(os.stat(f"{top}{up}", dir_fd=self._handle))) != last:
                yield mark
                up, last = f"{up}/..", mark

    def inside(self, name: str) -> OpenedFolder:
        """Open a subfolder; with ``name`` "" the same folder again.

        Raises:
            OutsideError: a link or a closed folder is in the way.
            OSError: it does not exist or cannot be opened.
        """
        with self._down(_parts(name) if name else []) as folder:
            handle = None if folder._handle is None else os.dup(folder._handle)
            return OpenedFolder(folder.path, handle, folder._chain, self._closed)

    def make_folder(self, name: str) -> None:
        """Create a folder inside it, and its parents, where they do not exist yet.

        Raises:
            OutsideError, OSError: as :meth:`inside`; or it cannot be created.
        """
        with ExitStack() as opened:
            folder = self
            for part in _parts(name):
                folder._check_unmoved()
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder._to(part), dir_fd=folder._handle)
                folder = opened.enter_context(folder._step(part))

    def names(self, inside: str = "") -> list[str]:
        """Return the names in it, or in a folder inside it; none if that does not exist."""
        try:
            with self.inside(inside) as folder:
                folder._check_unmoved()
                return os.listdir(folder.path if folder._handle is None else folder._handle)  # noqa: PTH208
        except FileNotFoundError:
            return []

    def sync(self) -> None:
        """Flush its names to disk, where the system supports it.

        Raises:
            OSError: the disk failed or is gone, so that a rename may be undone.
        """
        try:
            atomic.sync(self.fileno())
        except OSError as error:
            if error.errno not in (*_NOT_SUPPORTED, errno.EACCES):
                raise

    # --- reading

    def status(self, name: str) -> os.stat_result | None:
        """Return the status of a name, without following a link; None if it does not exist.

        Raises:
            OutsideError: a link or a closed folder is on the way to it.
        """
        try:
            with self._parent(name) as (folder, leaf):
                return folder._lstat(leaf)
        except FileNotFoundError:
            return None

    def is_file(self, name: str) -> bool:
        """Whether the name is a plain file, not a link, pipe or folder."""
        status = self.status(name)
        return status is not None and _is_plain(status)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a plain file for reading, unbuffered.

        Raises:
            OutsideError: it is not a plain file, or a link or a closed folder is on the way.
            OSError: it does not exist or cannot be opened.
        """
        with self._parent(name) as (folder, leaf):
            # Check before opening: merely opening a device can have an effect.
            if not _is_plain(folder._lstat(leaf)):
                raise _no_file(name)
            try:
                handle = os.open(folder._to(leaf), _READ, dir_fd=folder._handle)
            except OSError as error:
                if error.errno in _LINKED:
                    raise _no_file(name) from error
                raise
            with open(handle, "rb", buffering=0) as file:  # noqa: PTH123
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise _no_file(name)
                yield file

    def read(self, name: str, max_bytes: int = -1) -> bytes | None:
        """Read a file, or its first ``max_bytes`` bytes; None if it does not exist.

        Raises:
            OutsideError: it is not a plain file, or a link or a closed folder is on the way.
            OSError: it cannot be read.
        """
        try:
            with self.open(name) as file:
                return file.read(max_bytes)
        except FileNotFoundError:
            return None

    def file_state(self, name: str) -> FileState | None:
        """Read a whole file and return its state; None if the name is not a plain file.

        Raises:
            OutsideError: a link or a closed folder is on the way to it.
            UnreadableError: we may not read it.
            OSError: the disk fails.
        """
        if not self.is_file(name):
            return None
        digest = hashlib.sha256()
        try:
            with self.open(name) as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
                status = os.fstat(file.fileno())
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise UnreadableError(f"{name} cannot be read ({error.strerror}).") from error
        return FileState(digest.hexdigest(), status.st_size, status.st_mtime_ns, file_id(status))

    # --- writing

    @contextmanager
    def create(
        self, name: str, *, mode: int | None = None, times_ns: tuple[int, int] | None = None
    ) -> Iterator[BinaryIO]:
        """Create a file and open it for writing; it is synced to disk when the block succeeds.

        Args:
            name: its name.
            mode: its permissions, if not the default ones.
            times_ns: access and modification time, if not now.

        Raises:
            FileExistsError: the name is taken, even by a link to nowhere.
            OutsideError, OSError: as elsewhere.
        """
        with self._parent(name) as (folder, leaf):
            path = folder._to(leaf)
            handle = os.open(path, _CREATE, 0o666, dir_fd=folder._handle)
            # Set by handle: by the time the content is written, another file may have the name.
            by_handle = os.utime in os.supports_fd and os.chmod in os.supports_fd
            with open(handle, "wb") as file:  # noqa: PTH123
                yield file
                file.flush()
                if by_handle:
                    _set_attributes(handle, mode, times_ns)
                atomic.sync(handle)
            if not by_handle:  # Windows changes the time of a file when it is closed
                _set_attributes(path, mode, times_ns)

    def set_mtime(self, name: str, mtime_ns: int, expected: FileState) -> FileState:
        """Set the modification time of a file; return its new state.

        Raises:
            OutsideError: it is another file by now, or as elsewhere.
            OSError: the time cannot be set.
        """
        with self._parent(name) as (folder, leaf):
            folder._expect(leaf, expected)
            os.utime(
                folder._to(leaf),
                ns=(mtime_ns, mtime_ns),
                dir_fd=folder._handle,
                follow_symlinks=os.utime not in os.supports_follow_symlinks,
            )
            return replace(expected, mtime_ns=folder._lstat(leaf).st_mtime_ns)

    def rename(self, old: str, new: str, expected: FileState) -> None:
        """Rename a file, but never over another file.

        Args:
            old: its name.
            new: its new name.
            expected: the file that is to be renamed.

        Raises:
            FileExistsError: the new name is taken.
            OutsideError: ``old`` is another file by now, or as elsewhere.
            OSError: it cannot be renamed.
        """
        with self._parent(old) as (source, first), self._parent(new) as (target, last):
            source._expect(first, expected)
            existing = target._lstat_or_none(last)
            if existing is not None and file_id(existing) == expected.file_id:
                # Both names are one file, for example on a disk that ignores case.
                source._move(first, target, last)
                return
            if existing is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
            source._move_to_free_name(first, target, last)
            if not expected.is_renamed_to(target._lstat_or_none(last)):  # another was faster
                with contextlib.suppress(OSError):  # then that file keeps the new name
                    target._move_to_free_name(last, source, first)
                raise _changed(old)

    def replace(self, temporary: str, name: str, expected: FileState | None = None) -> None:
        """Move a temporary file to a name, replacing anything there except a folder.

        Args:
            temporary: our file, from :meth:`create`.
            name: the name it takes.
            expected: the file to be replaced, if it matters.

        Raises:
            OutsideError: something else has that name by now, or as elsewhere.
            OSError: it cannot be replaced.
        """
        with self._parent(temporary) as (source, first), self._parent(name) as (target, last):
            if expected is not None:
                target._expect(last, expected)
            source._move(first, target, last)

    def commit(
        self, temporary: str, name: str, expected: FileState | None, made: FileState | None = None
    ) -> None:
        """Rename a temporary file to its final name, if the name is still as the caller found it.

        Args:
            temporary: our file, from :meth:`create`.
            name: the name it takes.
            expected: the file to be replaced; None if the name was free.
            made: the state of ``temporary``, if known.

        Raises:
            FileExistsError: the name was free and is taken now.
            OutsideError: something else has that name by now, or as elsewhere.
            OSError: it cannot be renamed.
        """
        if expected is not None:
            self.replace(temporary, name, expected)
            return
        made = made or self.file_state(temporary)
        assert made is not None
        self.rename(temporary, name, made)

    def remove(self, name: str, expected: FileState | None = None) -> None:
        """Remove a file or a link, if it exists and, with ``expected``, is still that file.

        Raises:
            OutsideError, OSError: as elsewhere.
        """
        with contextlib.suppress(FileNotFoundError), self._parent(name) as (folder, leaf):
            folder._unlink(leaf, expected)

    def write(self, name: str, content: bytes) -> bool:
        """Write a file atomically, replacing what has its name; return whether it changed.

        Raises:
            OutsideError, OSError: as elsewhere; the old file is unchanged.
        """
        if self.is_file(name) and self.read(name) == content:
            return False
        with self.temporary(name) as temporary:
            with self.create(temporary) as file:
                file.write(content)
            self.replace(temporary, name)
        return True

    @contextmanager
    def temporary(self, name: str) -> Iterator[str]:
        """Yield an unused name for a temporary file beside ``name``; remove the file afterwards."""
        temporary = PurePath(name).with_name(atomic.temporary_path(Path("-")).name).as_posix()
        try:
            yield temporary
        finally:
            with contextlib.suppress(OSError):  # the next `remove_leftovers` finds it
                self.remove(temporary)

    def remove_leftovers(self) -> None:
        """Remove the temporary files of ended processes in it, but not in its subfolders."""
        for name in self.names():
            pid = atomic.writer_pid(name)
            if pid is not None:
                with contextlib.suppress(OSError):
                    if atomic.writer_is_gone(pid, self._lstat(name).st_mtime):
                        self._unlink(name, None)

    # --- one folder

    @contextmanager
    def _parent(self, name: str) -> Iterator[tuple[OpenedFolder, str]]:
        """Yield the folder a name is in, opened, and the last part of the name."""
        *folders, leaf = _parts(name)
        with self._down(folders) as folder:
            yield folder, leaf

    @contextmanager
    def _down(self, parts: Iterable[str]) -> Iterator[OpenedFolder]:
        """Open nested folders one after the other; yield the last, or itself if there are none."""
        with ExitStack() as opened:
            folder = self
            for part in parts:
                folder = opened.enter_context(folder._step(part))
            folder._check_unmoved()
            yield folder

    def _step(self, part: str) -> OpenedFolder:
        """Open a direct subfolder, without following a link."""
        path = self.path / part
        handle = None
        try:
            if self._handle is None:
                self._check_unmoved()
                status = os.lstat(path)
            else:
                handle = os.open(part, _FOLDER | _NO_FOLLOW, dir_fd=self._handle)
                status = os.fstat(handle)
        except OSError as error:
            if error.errno in _LINKED:
                raise _in_the_way(path) from error
            raise
        mark = file_id(status)
        if not stat.S_ISDIR(status.st_mode) or _leads_elsewhere(status):
            raise _in_the_way(path)
        if mark in self._closed:
            if handle is not None:
                os.close(handle)
            raise OutsideError(f"{path} contains originals. Curator changes nothing there.")
        return OpenedFolder(path, handle, (*self._chain, (path.absolute(), mark)), self._closed)

    def _check_unmoved(self) -> None:
        """Without a handle, check that all folders on its path are still the ones opened.

        Raises:
            OutsideError: a folder was replaced.
        """
        if self._handle is not None:
            return
        for depth, (path, mark) in enumerate(self._chain):
            status = path.lstat() if depth else path.stat()
            if file_id(status) != mark or (depth and _leads_elsewhere(status)):
                raise _in_the_way(path)

    def _to(self, leaf: str) -> str:
        return leaf if self._handle is not None else str(self.path / leaf)

    def _lstat(self, leaf: str) -> os.stat_result:
        return os.stat(self._to(leaf), dir_fd=self._handle, follow_symlinks=False)

    def _lstat_or_none(self, leaf: str) -> os.stat_result | None:
        try:
            return self._lstat(leaf)
        except FileNotFoundError:
            return None

    def _expect(self, leaf: str, expected: FileState) -> None:
        if not expected.matches(self._lstat_or_none(leaf)):
            raise _changed(leaf)

    def _move_to_free_name(self, leaf: str, target: OpenedFolder, name: str) -> None:
        """Rename a file to a name that nothing has, even if another process takes it right now.

        Raises:
            FileExistsError: the name is taken.
        """
        old, new = self._to(leaf), target._to(name)
        if _rename_exclusively(old, new, self._handle, target._handle):
            return
        if self._link(old, target, new):
            os.unlink(old, dir_fd=self._handle)
            return
        # exFAT by FUSE or on macOS, and some network drives. An empty file that takes the name
        # first would stay after a kill. Other programs have microseconds to take it in between.
        with target._locked():
            if target._lstat_or_none(name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
            self._move(leaf, target, name)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes of ours from renaming files into the folder, where it has locks."""
        if self.is_locked:
            yield
            return
        handle = os.open(self._to("."), _FOLDER, dir_fd=self._handle)
        try:
            with contextlib.suppress(OSError):
                until = time.monotonic() + _LOCK_S
                while not file_lock.acquire(handle) and time.monotonic() < until:
                    time.sleep(0.001)
            yield
        finally:
            os.close(handle)

    def _link(self, old: str, target: OpenedFolder, new: str) -> bool:
        """Hard-link a file to a second name; return False on a disk without hard links.

        Raises:
            FileExistsError: the name is taken.
        """
        how = {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
        try:
            os.link(old, new, src_dir_fd=self._handle, dst_dir_fd=target._handle, **how)
        except FileExistsError:
            raise
        except OSError:
            return False
        status = [os.lstat(old, dir_fd=self._handle), os.lstat(new, dir_fd=target._handle)]
        if file_id(status[0]) == file_id(status[1]):
            return True
        # Many FUSE programs (sshfs) give each name an id of its own. Only a plain rename keeps it.
        os.unlink(new, dir_fd=target._handle)
        return False

    def _move(self, leaf: str, target: OpenedFolder, name: str) -> None:
        os.replace(
            self._to(leaf), target._to(name), src_dir_fd=self._handle, dst_dir_fd=target._handle
        )

    def _unlink(self, leaf: str, expected: FileState | None) -> None:
        if expected is None or expected.matches(self._lstat_or_none(leaf)):
            os.unlink(self._to(leaf), dir_fd=self._handle)


def _rename_exclusively(old: str, new: str, inside: int | None, into: int | None) -> bool:
    """Rename a file unless the new name is taken; return False where the disk cannot do that.

    Args:
        old: its name.
        new: its new name.
        inside: the handle of the folder of ``old``; None if that is a path.
        into: the handle of the folder of ``new``; None if that is a path.

    Raises:
        FileExistsError: the name is taken.
    """
    if sys.platform == "win32":
        os.rename(old, new)  # noqa: PTH104
        return True
    call, exclusive, here = _EXCLUSIVE[sys.platform == "darwin"]
    rename = getattr(ctypes.CDLL(None, use_errno=True), call, None)
    if rename is None:
        return False
    sys.audit("os.rename", old, new, inside, into)  # as `os.rename` does
    rename.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    folders = [here if handle is None else handle for handle in (inside, into)]
    if not rename(folders[0], os.fsencode(old), folders[1], os.fsencode(new), exclusive):
        return True
    code = ctypes.get_errno()
    if code in _NOT_SUPPORTED:
        return False
    raise OSError(code, os.strerror(code), old, None, new)


def _parts(name: str) -> list[str]:
    """Split a name into its parts.

    Raises:
        OutsideError: a part is empty or leads up.
    """
    parts = name.split("/")
    for part in parts:
        if not is_leaf(part):
            raise OutsideError(f"{name!r} is not a valid name of a file inside a folder.")
        if sys.platform == "win32" and (set(part) & set(_NOT_ON_WINDOWS) or part[-1] in " ."):
            raise OutsideError(f"{name!r} is not a valid file name on Windows.")
    return parts


def _set_attributes(file: int | str, mode: int | None, times_ns: tuple[int, int] | None) -> None:
    if mode is not None:
        os.chmod(file, mode)  # noqa: PTH101
    if times_ns is not None:
        os.utime(file, ns=times_ns)


def _is_plain(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and not _leads_elsewhere(status)


def _leads_elsewhere(status: os.stat_result) -> bool:
    tag = int(getattr(status, "st_reparse_tag", 0))
    return stat.S_ISLNK(status.st_mode) or bool(tag & _LEADS_ELSEWHERE)


def _in_the_way(path: Path) -> OutsideError:
    return OutsideError(
        f"{path} is a link or no longer a folder. Curator does not follow links here.",
        "Replace it with a plain folder, or choose another folder.",
    )


def _no_file(name: str) -> OutsideError:
    return OutsideError(f"{name} is a link or not a plain file. Curator does not open it.")


def _changed(name: str) -> OutsideError:
    return OutsideError(f"Another program just changed {name}. Curator left it alone.")
