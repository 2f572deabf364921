"""A drive that fails as cards and disks do: a FUSE file system over a plain folder, Linux only.

    drive = FaultyDrive(tmp_path, "EOS_DIGITAL", monkeypatch)
    card = drive.plug()            # where it is mounted; its content is in `drive.files`
    drive.fail(Faults(unreadable={"DCIM/100CANON/IMG_0002.JPG": 70_000}))
    drive.pull()                   # even while it is read; `plug` mounts it again

Every request is answered by another process, which reads and writes the folder `drive.files` and
writes each of them down (`drive.requests`). The kernel caches nothing.

    python -m tests.faulty_drive FOLDER MOUNT_POINT DEVICE
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import re
import subprocess
import sys
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.drives import announce

READY_S = 20.0
ROOT = Path(__file__).parents[1]


@dataclass
class Faults:
    """What is wrong with a drive from now on; counts of bytes begin when it is set.

    Attributes:
        unreadable: path -> offset of a byte that gives an I/O error.
        cut: path -> where the file ends when it is read, although its listed size is larger.
        unsteady: path -> offset of a byte that is read differently than it is stored.
        changing: path -> offset; once that was read, other bytes are written over the file's start.
        forgotten: pattern of names -> offset of a written byte that is stored wrongly.
        refused: pattern of names that cannot be created, as ``a:b`` on exFAT.
        room: bytes that can be written before the drive is full.
        quota: bytes that can be written, although the drive reports more room.
        gone_after: bytes that can be read and written before the drive is pulled out.
        sync_fails: whether fsync gives an I/O error.
        read_only: whether every change is refused.
        wait_s: seconds that each reading or writing takes.
    """

    unreadable: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    unsteady: dict[str, int] = field(default_factory=dict)
    changing: dict[str, int] = field(default_factory=dict)
    forgotten: dict[str, int] = field(default_factory=dict)
    refused: str = ""
    room: int | None = None
    quota: int | None = None
    gone_after: int | None = None
    sync_fails: bool = False
    read_only: bool = False
    wait_s: float = 0.0


@dataclass(frozen=True)
class Traits:
    """What kind of file system it is, as long as it is plugged in.

    Attributes:
        folds_names: names that differ in case or in their Unicode form are the same name.
        decomposes_names: it stores names in Unicode's form D, as HFS+ does.
        links: whether it has hard links.
        grain_ns: what modification times are rounded down to: two seconds on FAT.
        shift_s: what is added to every modification time: FAT stores local time, so that a change
            of the time zone shifts all of them.
    """

    folds_names: bool = False
    decomposes_names: bool = False
    links: bool = True
    grain_ns: int = 1
    shift_s: int = 0


CARD = Traits(folds_names=True, links=False, grain_ns=2_000_000_000)  # as FAT


class FaultyDrive:
    """A drive with faults; see the module.

    Raises:
        pytest.skip: this machine has no FUSE, or this user must not use it.
    """

    def __init__(
        self, top: Path, label: str, monkeypatch: pytest.MonkeyPatch, traits: Traits = CARD
    ) -> None:
        if sys.platform != "linux" or not os.access("/dev/fuse", os.R_OK | os.W_OK):
            pytest.skip("this machine has no FUSE")
        try:
            import mfusepy  # noqa: F401
        except (ImportError, OSError):
            pytest.skip("FUSE's library is not installed")
        self.label, self.traits = label, traits
        self._state = top / f"{label}.drive"
        self.files = self._state / "files"
        self.files.mkdir(parents=True)
        self._media = top / "media"
        self.device = f"/dev/faulty-{os.getpid()}-{top.name}-{label}"
        self.key = announce(top, self.device, label, monkeypatch)
        self.fail(Faults())
        self.at: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._burial: threading.Thread | None = None

    def plug(self, name: str = "", keep_mount_point: bool = False) -> Path:
        """Mount it, by default under its label; return its mount point.

        Args:
            name: of the mount point.
            keep_mount_point: whether the empty folder stays on the system disk once it is pulled.
        """
        assert self.at is None, "it is plugged in"
        at = self._media / (name or self.label)
        at.mkdir(parents=True, exist_ok=True)
        (self._state / "traits.json").write_text(json.dumps(dataclasses.asdict(self.traits)))
        command = (sys.executable, "-m", __name__, str(self._state), str(at), self.device)
        self._server = subprocess.Popen(command, cwd=ROOT)
        until = time.monotonic() + READY_S
        while not at.is_mount():
            if self._server.poll() is not None or time.monotonic() > until:
                self._server.kill()
                self._server.wait()
                pytest.skip("FUSE cannot be used here")
            time.sleep(0.005)
        self.at = at
        self._burial = threading.Thread(
            target=self._unmount_when_gone, args=(self._server, at, keep_mount_point)
        )
        self._burial.start()
        return at

    def pull(self) -> None:
        """Pull it out even if it is being used; returns once it is unmounted."""
        if self._server is not None and self._burial is not None:
            self._server.kill()
            self._burial.join()
            self._server = self._burial = self.at = None

    def wait_until_gone(self) -> None:
        """Wait until it was pulled out by :attr:`Faults.gone_after`."""
        assert self._burial is not None
        self._burial.join(READY_S)
        assert not self._burial.is_alive(), "nothing pulled it out"
        self._server = self._burial = self.at = None

    def fail(self, faults: Faults) -> None:
        """Change what is wrong with it, from the next request on."""
        self._from = len(self._lines())
        new = self._state / "new.json"
        new.write_text(json.dumps(dataclasses.asdict(faults)))
        new.replace(self._state / "faults.json")

    def requests(self, *verbs: str) -> list[tuple[str, ...]]:
        """Return the requests since the last :meth:`fail`: (verb, path, ...), of some verbs."""
        found = [tuple(line.split("\t")) for line in self._lines()[self._from :]]
        return [each for each in found if not verbs or each[0] in verbs]

    def changes(self) -> list[str]:
        """Return all requests so far that would change something on it, also those it refused."""
        return [line for line in self._lines() if line.split("\t")[0] in _CHANGES]

    def _lines(self) -> list[str]:
        try:
            return (self._state / "requests").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []

    def bytes_read(self) -> Counter[str]:
        """Return how many bytes of each file were read since the last :meth:`fail`."""
        read: Counter[str] = Counter()
        for _, path, count in self.requests("read"):
            read[path] += int(count)
        return read

    def close(self) -> None:
        """Pull it out."""
        self.pull()

    @staticmethod
    def _unmount_when_gone(
        server: subprocess.Popen[bytes], at: Path, keep_mount_point: bool
    ) -> None:
        server.wait()
        unmount = (("umount", "--lazy"), ("fusermount3", "-u", "-z"), ("fusermount", "-u", "-z"))
        for command in unmount:
            with contextlib.suppress(OSError):
                if subprocess.run([*command, str(at)], capture_output=True).returncode == 0:
                    break
        if not keep_mount_point:
            with contextlib.suppress(OSError):
                at.rmdir()


_CHANGES = (
    *("create", "write", "truncate", "unlink", "rename", "link", "symlink", "mkdir", "rmdir"),
    *("chmod", "chown", "utimens", "setxattr", "mknod"),
)


# The process that answers -----------------------------------------------------------------------


class Server:
    """Answers the kernel's requests; one at a time."""

    use_ns = True

    def __init__(self, state: Path, traits: Traits) -> None:
        self._state, self._traits = state, traits
        self._files = os.fspath(state / "files")
        self._faults, self._seen = Faults(), None
        self._moved = self._written = 0
        self._names: dict[int, str] = {}  # of the files that are open, as they are stored
        self._changed: set[str] = set()

    # --- faults

    def _asked(self, verb: str, path: str, *more: object) -> Faults:
        """Write a request down; return the faults at this moment."""
        with contextlib.suppress(FileNotFoundError):
            status = (self._state / "faults.json").stat()
            if (status.st_ino, status.st_mtime_ns) != self._seen:
                self._faults = Faults(**json.loads((self._state / "faults.json").read_text()))
                self._seen = (status.st_ino, status.st_mtime_ns)
                self._moved = self._written = 0
        line = "\t".join(map(str, (verb, path.lstrip("/"), *more))) + "\n"
        with open(self._state / "requests", "a", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            file.write(line)
        if verb in _CHANGES and self._faults.read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return self._faults

    def _move(self, count: int) -> None:
        """Count bytes read or written; end where the drive is pulled out."""
        faults = self._faults
        if faults.wait_s:
            time.sleep(faults.wait_s)
        self._moved += count
        if faults.gone_after is not None and self._moved > faults.gone_after:
            os._exit(0)

    # --- names

    def _real(self, path: str) -> str:
        """Return the path of a name in the folder; of a new name, the one to create."""
        real = self._files
        for part in filter(None, path.split("/")):
            real = os.path.join(real, self._entry(real, part))  # noqa: PTH118
        return real

    def _entry(self, folder: str, name: str) -> str:
        if self._traits.decomposes_names:
            name = unicodedata.normalize("NFD", name)
        if self._traits.folds_names:
            with contextlib.suppress(OSError):
                for other in os.listdir(folder):  # noqa: PTH208
                    if _folded(other) == _folded(name):
                        return other
        return name

    def _new(self, verb: str, path: str, *more: object) -> str:
        """Return where to create a name, if the drive takes it."""
        faults = self._asked(verb, path, *more)
        if faults.refused and re.search(faults.refused, path.rpartition("/")[2]):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return self._real(path)

    # --- reading

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        status = os.lstat(self._real(path))
        names = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino")
        grain = self._traits.grain_ns
        mtime = status.st_mtime_ns // grain * grain + self._traits.shift_s * 10**9
        answer = {name: getattr(status, name) for name in names}
        return answer | {"st_mtime": mtime, "st_ctime": mtime, "st_atime": mtime}

    def readdir(self, path: str, fh: int) -> Iterator[str]:
        self._asked("list", path)
        yield from (".", "..", *os.listdir(self._real(path)))  # noqa: PTH208

    def readlink(self, path: str) -> str:
        return os.readlink(self._real(path))  # noqa: PTH115

    def open(self, path: str, flags: int) -> int:
        real = self._real(path)
        name = real.removeprefix(self._files).lstrip("/")
        self._asked("open", name)
        handle = os.open(real, flags & ~(os.O_CREAT | os.O_EXCL | os.O_DIRECT))
        self._names[handle] = name
        return handle

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        name = self._names[fh]
        faults = self._asked("read", name, size)
        self._move(size)
        bad = faults.unreadable.get(name)
        if bad is not None and offset <= bad < offset + size:
            if bad == offset:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            size = bad - offset
        if name in faults.cut:
            size = max(0, min(size, faults.cut[name] - offset))
        data = os.pread(fh, size, offset)
        data = _with_flipped(data, faults.unsteady.get(name, -1) - offset)
        changes_at = faults.changing.get(name)
        if changes_at is not None and offset + size > changes_at and name not in self._changed:
            self._changed.add(name)
            with open(self._real(path), "r+b") as file:  # noqa: PTH123
                file.write(b"changed while it was copied")
        return data

    def statfs(self, path: str) -> dict[str, int]:
        faults, found = self._asked("statfs", path), os.statvfs(self._files)
        names = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_files", "f_frsize", "f_namemax")
        answer = {name: getattr(found, name) for name in names}
        if faults.room is not None:
            left = max(faults.room - self._written, 0) // found.f_frsize
            answer |= {"f_bavail": left, "f_bfree": left}
        return answer

    # --- writing

    def create(self, path: str, mode: int, fi: object = None) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        handle = os.open(self._new("create", path), flags, mode)
        self._names[handle] = path.lstrip("/")
        return handle

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        faults = self._asked("write", path, len(data))
        for left, number in ((faults.room, errno.ENOSPC), (faults.quota, errno.EDQUOT)):
            if left is not None and self._written + len(data) > left:
                raise OSError(number, os.strerror(number))
        self._move(len(data))
        self._written += len(data)
        for pattern, bad in faults.forgotten.items():
            if re.search(pattern, path):
                data = _with_flipped(data, bad - offset)
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        self._asked("truncate", path, length)
        os.truncate(self._real(path), length)

    def flush(self, path: str, fh: int) -> None:
        pass

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        if self._asked("fsync", path).sync_fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    fsyncdir = fsync

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        self._asked("utimens", path)
        shift = self._traits.shift_s * 10**9
        moved = None if times is None else (times[0] - shift, times[1] - shift)
        os.utime(self._real(path), ns=moved)

    def chmod(self, path: str, mode: int) -> None:
        self._asked("chmod", path)  # as FAT does: nothing comes of it

    def chown(self, path: str, uid: int, gid: int) -> None:
        self._asked("chown", path)

    # --- names that come, change and go

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self._new("mkdir", path), mode)  # noqa: PTH102

    def rmdir(self, path: str) -> None:
        self._asked("rmdir", path)
        os.rmdir(self._real(path))  # noqa: PTH106

    def unlink(self, path: str) -> None:
        self._asked("unlink", path)
        os.unlink(self._real(path))  # noqa: PTH108

    def rename(self, old: str, new: str) -> None:
        os.rename(self._real(old), self._new("rename", new, old))  # noqa: PTH104

    def link(self, target: str, source: str) -> None:
        real = self._new("link", target, source)
        if not self._traits.links:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        os.link(self._real(source), real)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _with_flipped(data: bytes, at: int) -> bytes:
    if not 0 <= at < len(data):
        return data
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def main(state: Path, at: str, device: str) -> None:
    import mfusepy

    # Only methods that are here may be offered to the kernel: it asks no more for others.
    traits = Traits(**json.loads((state / "traits.json").read_text()))
    uncached = {"attr_timeout": 0, "entry_timeout": 0, "negative_timeout": 0, "direct_io": True}
    mfusepy.FUSE(
        Server(state, traits), at, foreground=True, nothreads=True, fsname=device, **uncached
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
