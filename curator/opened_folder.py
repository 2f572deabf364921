"""A folder held open: whatever is done by a name inside it stays inside it, and follows no link.

    with OpenedFolder.at(Path("out")) as folder:
        folder.write("photos.json", content)
        folder.rename("DSC_1.JPG", "images/2024_DSC_1.JPG")     # FileExistsError, never over it
        folder.remove("old.jpg", folder.seen("old.jpg"))        # if it still is what was read

For whoever writes where others may have put links, or by names that others wrote (a manifest).
Names are relative, with "/" between their parts, and taken letter by letter: neither folded nor
resolved. Every act opens the folders of its name one by one, from the folder that is held open,
and refuses what is a link: a link that appears in between leads nowhere.

Never to be had here: a path. Who joins one to `OpenedFolder.path` and opens it follows links again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from curator import atomic
from curator.model import KnownError, UnreadableError

Mark = tuple[int, int]
"""What tells files and folders apart whatever their names: the disk's number, and theirs on it."""

# Windows has no call that works from an opened folder. There every act looks at each folder on
# its way right before, and refuses links, junctions and folders that are not the ones opened;
# what changes between that look and the act, within microseconds, it cannot see.
_BY_HANDLE = sys.platform != "win32" and os.open in os.supports_dir_fd

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# A pipe that takes the place of a file right after it was looked at must not hold anybody up.
_READ = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | getattr(os, "O_BINARY", 0)
_LINKED = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)  # what systems answer where a link is
_BLOCK_BYTES = 1 << 20
# Of the tags of reparse points those that lead elsewhere have this bit (MS-FSCC 2.1.2.1): links
# and junctions have it, files that a cloud drive brings when they are read do not.
_LEADS_ELSEWHERE = 0x20000000
_NOT_ON_WINDOWS = '<>:"|?*\\'


class OutsideError(KnownError):
    """A name leads out of the folder, or to what is neither a file nor a folder of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was when it was read; an act that is given it leaves any other file alone."""

    sha256: str
    size: int
    mtime_ns: int
    mark: Mark

    def is_still(self, status: os.stat_result | None) -> bool:
        """Whether a status is of this very file, unchanged."""
        return status is not None and (mark_of(status), status.st_size, status.st_mtime_ns) == (
            self.mark,
            self.size,
            self.mtime_ns,
        )


def is_leaf(name: str) -> bool:
    """Whether a name leads neither up nor down: that of something right inside a folder."""
    return name not in ("", ".", "..") and "\0" not in name and PurePath(name).name == name


def mark_of(status: os.stat_result) -> Mark:
    """Return what tells a file or folder from all others on this computer."""
    return status.st_dev, status.st_ino


class OpenedFolder:
    """A folder held open, by :meth:`at` or :meth:`make`; a context manager that closes it.

    Attributes:
        path: what it was called when it was opened, to be shown.
        mark: which folder it is.

    Thread: any; one at a time.
    """

    def __init__(
        self, path: Path, handle: int | None, chain: tuple[tuple[Path, Mark], ...],
        closed: Collection[Mark],
    ) -> None:  # fmt: skip
        """Take over a handle; for the class itself."""
        self.path, self.mark = path, chain[-1][1]
        self._handle, self._chain, self._closed = handle, chain, closed

    @classmethod
    def at(cls, path: Path, closed: Collection[Mark] = ()) -> OpenedFolder:
        """Open a folder that a person named: links in its path are the person's, and followed.

        Args:
            path: the folder.
            closed: folders that no name may lead through, as they hold what is not to be touched.

        Raises:
            OSError: it is not there, is no folder or cannot be opened.
        """
        handle = os.open(path, _FOLDER) if _BY_HANDLE else None
        status = path.stat() if handle is None else os.fstat(handle)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return cls(path, handle, ((path.absolute(), mark_of(status)),), closed)

    def __enter__(self) -> OpenedFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        self._chain = ()

    def fileno(self) -> int:
        """Return the handle, for a lock or the like.

        Raises:
            OSError: this system holds folders open by their paths.
        """
        if self._handle is None:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(self.path))
        return self._handle

    # --- folders

    def above(self) -> Iterator[Mark]:
        """List which folders it lies in: itself, the folder that holds it now, and so on."""
        top = f"{os.path.realpath(self.path)}/" if self._handle is None else ""
        up, last = ".", None
        with contextlib.suppress(PermissionError):  # further up nobody here can look
            while (mark := mark_of(os.stat(f"{top}{up}", dir_fd=self._handle))) != last:
                yield mark
                up, last = f"{up}/..", mark

    def inside(self, name: str) -> OpenedFolder:
        """Open a folder inside it, or ("") itself once more.

        Raises:
            OutsideError: a link is in the way, or a closed folder.
            OSError: it is not there or cannot be opened.
        """
        with self._down(_parts(name) if name else []) as folder:
            handle = None if folder._handle is None else os.dup(folder._handle)
            return OpenedFolder(folder.path, handle, folder._chain, self._closed)

    def make_folder(self, name: str) -> None:
        """Make a folder inside it with all above it, where they are not there yet.

        Raises:
            OutsideError, OSError: as :meth:`inside`; or it cannot be made.
        """
        with ExitStack() as opened:
            folder = self
            for part in _parts(name):
                folder._unmoved()
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder._to(part), dir_fd=folder._handle)
                folder = opened.enter_context(folder._step(part))

    def names(self, inside: str = "") -> list[str]:
        """List what is in it, or in a folder inside it; nothing where that is not there."""
        try:
            with self.inside(inside) as folder:
                folder._unmoved()
                return os.listdir(folder.path if folder._handle is None else folder._handle)  # noqa: PTH208
        except FileNotFoundError:
            return []

    def sync(self) -> None:
        """Flush its names to disk, where the system can do that."""
        with contextlib.suppress(OSError):
            os.fsync(self.fileno())

    # --- looking

    def status(self, name: str) -> os.stat_result | None:
        """Return what a name is, of a link the link itself; None where nothing has that name.

        Raises:
            OutsideError: a link or a closed folder is on the way to it.
        """
        try:
            with self._parent(name) as (folder, leaf):
                return folder._lstat(leaf)
        except FileNotFoundError:
            return None

    def is_file(self, name: str) -> bool:
        """Whether a plain file has this name: no link, pipe or folder."""
        status = self.status(name)
        return status is not None and _is_plain(status)

    def read(self, name: str, most_bytes: int = -1) -> bytes | None:
        """Read a file, or its beginning; None where nothing has that name.

        Raises:
            OutsideError: it is no plain file, or a link or a closed folder is on the way.
            OSError: it cannot be read.
        """
        try:
            with self._open(name) as file:
                return file.read(most_bytes)
        except FileNotFoundError:
            return None

    def seen(self, name: str) -> Seen | None:
        """Read a file to its end; None where no plain file has that name.

        Raises:
            OutsideError: a link or a closed folder is on the way to it.
            UnreadableError: it is not ours to read.
            OSError: the disk fails.
        """
        if not self.is_file(name):
            return None
        digest = hashlib.sha256()
        try:
            with self._open(name) as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
                status = os.fstat(file.fileno())
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise UnreadableError(f"{name} cannot be read ({error.strerror}).") from error
        return Seen(digest.hexdigest(), status.st_size, status.st_mtime_ns, mark_of(status))

    # --- acting

    @contextmanager
    def create(
        self, name: str, *, mode: int | None = None, times_ns: tuple[int, int] | None = None
    ) -> Iterator[BinaryIO]:
        """Open a file that is not there yet, to be written; on disk when the context ends well.

        Args:
            name: its name.
            mode: its permissions, if not the usual ones.
            times_ns: when it was read and written last, if not now.

        Raises:
            FileExistsError: something has that name, be it a link to nowhere.
            OutsideError, OSError: as elsewhere.
        """
        with self._parent(name) as (folder, leaf):
            path = folder._to(leaf)
            handle = os.open(path, _CREATE, 0o666, dir_fd=folder._handle)
            # By its handle: another file may have its name by the time it is written.
            by_handle = os.utime in os.supports_fd and os.chmod in os.supports_fd
            with open(handle, "wb") as file:  # noqa: PTH123
                yield file
                file.flush()
                if by_handle:
                    _dress(handle, mode, times_ns)
                os.fsync(handle)
            if not by_handle:  # Windows: on closing a file its time changes again
                _dress(path, mode, times_ns)

    def rename(self, old: str, new: str, seen: Seen) -> None:
        """Rename a file, never taking the name of another.

        Args:
            old: its name.
            new: the other.
            seen: what it is.

        Raises:
            FileExistsError: something else has the new name.
            OutsideError: it is another file by now, or as elsewhere.
            OSError: it cannot be renamed.
        """
        with self._parent(old) as (source, first), self._parent(new) as (target, last):
            source._expect(first, seen)
            there = target._lstat_or_none(last)
            if there is not None and mark_of(there) == seen.mark:
                # One file by both names: on a disk that takes them for one, as in another case.
                source._move(first, target, last)
            elif there is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
            elif source._link(first, target, last):
                if not seen.is_still(target._lstat_or_none(last)):
                    os.unlink(target._to(last), dir_fd=target._handle)  # somebody was faster
                    raise _changed(old)
                source._unlink(first, seen)
            else:
                source._expect(first, seen)
                source._move(first, target, last)

    def replace(self, temporary: str, name: str, seen: Seen | None = None) -> None:
        """Put a file of ours in the place of whatever has a name; never of a folder.

        Args:
            temporary: our file, from :meth:`create`.
            name: the name it takes.
            seen: what is to be replaced, if it matters.

        Raises:
            OutsideError: something else has that name by now, or as elsewhere.
            OSError: it cannot be replaced.
        """
        with self._parent(temporary) as (source, first), self._parent(name) as (target, last):
            if seen is not None:
                target._expect(last, seen)
            source._move(first, target, last)

    def remove(self, name: str, seen: Seen | None = None) -> None:
        """Remove a file or a link; nothing where it is not there, or (``seen``) another by now.

        Raises:
            OutsideError, OSError: as elsewhere.
        """
        with contextlib.suppress(FileNotFoundError), self._parent(name) as (folder, leaf):
            folder._unlink(leaf, seen)

    def write(self, name: str, content: bytes) -> bool:
        """Write a file whole, in the place of what has its name; return whether it changed.

        Raises:
            OutsideError, OSError: as elsewhere; what was there stays.
        """
        if self.is_file(name) and self.read(name) == content:
            return False
        part = self.temporary(name)
        try:
            with self.create(part) as file:
                file.write(content)
            self.replace(part, name)
        finally:
            self.remove(part)
        return True

    def temporary(self, name: str) -> str:
        """Return a name for a temporary file beside ``name`` that nobody has."""
        return PurePath(name).with_name(atomic.temporary(Path("-")).name).as_posix()

    def sweep(self) -> None:
        """Remove the temporary files in it whose processes are no more; not in folders below."""
        for name in self.names():
            writer = atomic.writer_of(name)
            if writer is not None:
                with contextlib.suppress(OSError):
                    if atomic.is_left(writer, self._lstat(name).st_mtime):
                        self._unlink(name, None)

    # --- one folder

    @contextmanager
    def _parent(self, name: str) -> Iterator[tuple[OpenedFolder, str]]:
        """Open the folder a name is in; gives it and the last part of the name."""
        *folders, leaf = _parts(name)
        with self._down(folders) as folder:
            yield folder, leaf

    @contextmanager
    def _down(self, parts: Iterable[str]) -> Iterator[OpenedFolder]:
        """Open folders inside each other; gives the last, or itself."""
        with ExitStack() as opened:
            folder = self
            for part in parts:
                folder = opened.enter_context(folder._step(part))
            folder._unmoved()
            yield folder

    def _step(self, part: str) -> OpenedFolder:
        """Open a folder right inside this one, following no link."""
        path = self.path / part
        handle = None
        try:
            if self._handle is None:
                self._unmoved()
                status = os.lstat(path)
            else:
                handle = os.open(part, _FOLDER | _NO_FOLLOW, dir_fd=self._handle)
                status = os.fstat(handle)
        except OSError as error:
            if error.errno in _LINKED:
                raise _in_the_way(path) from error
            raise
        mark = mark_of(status)
        if not stat.S_ISDIR(status.st_mode) or _leads_elsewhere(status):
            raise _in_the_way(path)
        if mark in self._closed:
            if handle is not None:
                os.close(handle)
            raise OutsideError(f"{path} holds originals; nothing is changed there.")
        return OpenedFolder(path, handle, (*self._chain, (path.absolute(), mark)), self._closed)

    def _unmoved(self) -> None:
        """Check where no handle holds it that all folders on its path are the ones opened.

        Raises:
            OutsideError: one is another by now.
        """
        if self._handle is not None:
            return
        for depth, (path, mark) in enumerate(self._chain):
            status = path.lstat() if depth else path.stat()
            if mark_of(status) != mark or (depth and _leads_elsewhere(status)):
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

    def _expect(self, leaf: str, seen: Seen) -> None:
        if not seen.is_still(self._lstat_or_none(leaf)):
            raise _changed(leaf)

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        with self._parent(name) as (folder, leaf):
            # Looked at first: to open a device can be an act in itself.
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

    def _link(self, leaf: str, target: OpenedFolder, name: str) -> bool:
        """Link a file to a second name, never following a link; return False where none can be.

        Raises:
            FileExistsError: the name is taken, be it this very moment.
        """
        how = {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
        try:
            os.link(
                self._to(leaf), target._to(name),
                src_dir_fd=self._handle, dst_dir_fd=target._handle, **how,
            )  # fmt: skip
        except FileExistsError:
            raise
        except OSError:  # FAT and exFAT, as on cards, and some network drives have no links
            if target._lstat_or_none(name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from None
            return False
        return True

    def _move(self, leaf: str, target: OpenedFolder, name: str) -> None:
        os.replace(
            self._to(leaf), target._to(name), src_dir_fd=self._handle, dst_dir_fd=target._handle
        )

    def _unlink(self, leaf: str, seen: Seen | None) -> None:
        if seen is None or seen.is_still(self._lstat_or_none(leaf)):
            os.unlink(self._to(leaf), dir_fd=self._handle)


def _parts(name: str) -> list[str]:
    """Split a name into its parts.

    Raises:
        OutsideError: one of them is none, or leads up.
    """
    parts = name.split("/")
    for part in parts:
        if not is_leaf(part):
            raise OutsideError(f"{name!r} is no name of a file inside a folder.")
        if sys.platform == "win32" and (set(part) & set(_NOT_ON_WINDOWS) or part[-1] in " ."):
            raise OutsideError(f"{name!r} is no name of a file on Windows.")
    return parts


def _dress(file: int | str, mode: int | None, times_ns: tuple[int, int] | None) -> None:
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
        f"{path} is a link, or no folder any more; it is not followed.",
        "Put a plain folder in its place, or choose another folder.",
    )


def _no_file(name: str) -> OutsideError:
    return OutsideError(f"{name} is a link, or no plain file; it is not opened.")


def _changed(name: str) -> OutsideError:
    return OutsideError(f"{name} was changed by another program just now; it was left alone.")
