"""Mounted volumes, and how to recognize a volume at another mount point.

    card = mount_of("/media/ada/T7 Shield/2026")
    card.path, card.label, card.removable      # "/media/ada/T7 Shield", "T7 Shield", True
    [mount for mount in mounted() if mount.key == card.key]     # wherever it is mounted today

The pipeline, import, export and dialogs use it. Every call asks the system again, because cards
come and go. A drive that does not answer may block its caller forever: access folders only on a
thread that nothing waits for, or with :func:`ask`, which gives up after a while:

    there = ask(folder, lambda: Path(folder).is_dir())      # UnavailableError: no answer within 2 s
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import stat
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar

from curator.model import KnownError, UnavailableError

T = TypeVar("T")

PATIENCE_S = 2.0  # how long a drive may take to answer
_POLL_S = 0.2  # how often a wait checks whether it is canceled

_NETWORK = frozenset(
    {
        "9p", "afpfs", "afs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.davfs2", "fuse.rclone",
        "fuse.sshfs", "fuse.glusterfs", "fuse.gvfsd-fuse", "glusterfs", "lustre", "ncpfs", "nfs",
        "ftp", "macfuse", "nfs4", "osxfuse", "smb3", "smbfs", "webdav",
    }
)  # fmt: skip
_MOUNTINFO = Path("/proc/self/mountinfo")
# udev keeps links here, from names of volumes to their devices. Containers have none.
_DISKS = Path("/dev/disk")
_BLOCK_DEVICES = Path("/sys/dev/block")


@dataclass(frozen=True, slots=True)
class Mount:
    r"""A mounted volume.

    Attributes:
        device: the system's name for it: ``/dev/sdb1``, ``E:\``, ``//nas/photos``.
        path: its mount point.
        kind: the file system's type in lower case, ``exfat``.
        key: identifies the volume wherever it is mounted: the file system's UUID or serial number,
            or the share of a network drive. None if it has no such key (memory, containers):
            then only its path identifies it.
        label: its name for people, ``T7 Shield``; without a name, that of the mount point.
        removable: a card, a stick or an external drive, as far as the system reports it. Windows
            reports only cards and sticks.
        network: its files are on another machine.
    """

    device: str
    path: str
    kind: str
    key: str | None
    label: str
    removable: bool
    network: bool


@dataclass(frozen=True, slots=True)
class FolderLocation:
    """Where a folder was found.

    Attributes:
        path: where it is now; empty if it was not found.
        mount: the volume it is on; None if the system does not report that.
        within: its path relative to the mount point.
        own: whether it is on its own volume; if not, it may be another folder of that name.
        plugged: whether its volume is mounted, with or without the folder.
    """

    path: str
    mount: Mount | None = None
    within: str = ""
    own: bool = True
    plugged: bool = False


def mounted() -> tuple[Mount, ...]:
    """Return the volumes mounted now, as far as the system reports them.

    Thread: any but the window's: a drive that was just plugged in may take a while to answer.
    """
    if sys.platform == "linux":
        return _on_linux()
    return tuple(_on_macos_or_windows())


def mount_of(
    path: str | os.PathLike[str], among: Sequence[Mount] | None = None, follow: bool = True
) -> Mount | None:
    """Find the volume a path is on; the path itself need not exist.

    Args:
        path: any path.
        among: the volumes to consider, by default :func:`mounted`.
        follow: resolve links first; if False, nothing on the volume is touched.

    Returns:
        The volume; None if the path is on no mounted volume, such as an unused drive letter.

    Thread: any but the window's, see :func:`mounted`.
    """
    wanted = os.path.normcase(os.path.realpath(path) if follow else Path(path).absolute())
    best: Mount | None = None
    for mount in mounted() if among is None else among:
        top = os.path.normcase(mount.path)
        inside = wanted == top or wanted.startswith(top.rstrip(os.sep) + os.sep)
        # Of two volumes mounted at the same path, the later one is visible.
        if inside and (best is None or len(mount.path) >= len(best.path)):
            best = mount
    if best is None and sys.platform == "win32":
        return _share(wanted)
    return best


def within(path: str | os.PathLike[str], mount: Mount) -> str:
    """Return the path relative to a volume's mount point, with ``/`` on every system."""
    relative = os.path.relpath(os.path.realpath(path), mount.path)
    return "" if relative == os.curdir else PurePath(relative).as_posix()


def find_folder(
    path: str, key: str | None, relative: str | None, among: Sequence[Mount]
) -> FolderLocation:
    """Find a folder at its former path, or on its volume wherever that is mounted now.

    Args:
        path: where it was.
        key: the key of its volume; None if unknown.
        relative: its path relative to the mount point, from :func:`within`.
        among: the volumes mounted now.

    Thread: any but the window's, see :func:`mounted`.
    """
    there, mount = Path(path).is_dir(), mount_of(path, among)
    plugged = key is not None and any(each.key == key for each in among)
    own = key == (None if mount is None else mount.key)
    if key is not None and not (there and own):
        for each in among:
            other = str(Path(each.path, *PurePosixPath(relative or "").parts))
            if each.key == key and other != path and Path(other).is_dir():
                return FolderLocation(other, each, within(other, each), True, True)
    if not there:
        return FolderLocation("", plugged=plugged)
    return FolderLocation(path, mount, "" if mount is None else within(path, mount), own, plugged)


# Drives that do not answer -----------------------------------------------------------------------

_silent: dict[str, threading.Thread] = {}  # drive or folder -> the thread that waits for it


def ask(
    path: str | os.PathLike[str],
    question: Callable[[], T],
    patience_s: float | None = None,
    moved_at: Callable[[], float] = lambda: 0.0,
    given_up: Callable[[], bool] = lambda: False,
) -> T:
    """Call a function that accesses a drive, and wait only a limited time for it.

    The function keeps waiting on its own thread. Until it returns, further calls for that drive
    fail at once; on the system drive, and outside Linux, only calls for that path.

    Args:
        path: a path on the drive.
        question: the function to call; its exceptions are raised here.
        patience_s: how long to wait, by default :data:`PATIENCE_S`.
        moved_at: returns when a long answer last made progress, on the monotonic clock.
        given_up: returns whether the answer is no longer wanted.

    Raises:
        UnavailableError: the drive did not answer.

    Thread: any.
    """
    if _is_silent(path):
        raise _unanswered(path)
    patience_s = PATIENCE_S if patience_s is None else patience_s
    answer: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            answer.append(question())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    asking = threading.Thread(target=run, name="curator-ask", daemon=True)
    begun = time.monotonic()
    asking.start()
    while not done.is_set():
        left = max(begun, moved_at()) + patience_s - time.monotonic()
        if left <= 0 or given_up():
            if left <= 0:
                _silent[_silent_part(path)] = asking
            raise _unanswered(path)
        done.wait(min(left, _POLL_S))
    if errors:
        raise errors[0]
    return answer[0]


def status(path: str | os.PathLike[str]) -> os.stat_result | None:
    """Return the status of a path; None if it does not exist or its drive does not answer.

    Safe on the GUI thread: it waits two seconds at most.
    """
    try:
        return ask(path, Path(path).stat)
    except (UnavailableError, OSError, ValueError):
        return None


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder exists and its drive answers; safe on the GUI thread."""
    found = status(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file exists and its drive answers; safe on the GUI thread."""
    found = status(path)
    return found is not None and stat.S_ISREG(found.st_mode)


# Where systems mount drives, and how deep the drive's folder is.
_MOUNT_POINTS = (("/Volumes", 1), ("/media", 2), ("/run/media", 2), ("/mnt", 1))


def refuse_away(folder: Path) -> None:
    """Refuse to create the folder of a drive that is not connected: it would fill the system disk.

    Raises:
        KnownError: the folder is where systems mount a drive, and that drive is not mounted.
    """
    for root, depth in _MOUNT_POINTS:
        if not folder.is_relative_to(root) or folder == Path(root):
            continue
        drives = [Path(root, *folder.relative_to(root).parts[:at]) for at in range(1, depth + 1)]
        drive = drives[-1]
        if drive != folder and not drive.exists() and not any(map(os.path.ismount, drives)):
            raise KnownError(
                f"The drive {drive.name} is not connected.", "Connect it or choose another folder."
            )


def _unanswered(path: str | os.PathLike[str]) -> UnavailableError:
    return UnavailableError(f"{path} does not answer.", "Check that its drive is connected.")


def _is_silent(path: str | os.PathLike[str]) -> bool:
    wanted = os.path.normcase(Path(path).absolute())
    for top, asking in list(_silent.items()):
        if not asking.is_alive():
            _silent.pop(top, None)
        elif wanted == top or wanted.startswith(top.rstrip(os.sep) + os.sep):
            return True
    return False


def _silent_part(path: str | os.PathLike[str]) -> str:
    """Return what to avoid if a path does not answer: its drive; on the system drive, the path."""
    mount = mount_of(path, follow=False) if sys.platform == "linux" else None
    top = Path(path).absolute()
    silent = top if mount is None or mount.path == top.anchor else Path(mount.path)
    return os.path.normcase(silent)


def _name(label: str, path: str) -> str:
    return label or PurePath(path).name or path


def _shared(device: str) -> str:
    r"""Return a share's name: ``photos on nas`` for ``//nas/photos`` or ``nas:/photos``."""
    parts = [part for part in re.split(r"[/\\:]+", device) if part]
    return f"{parts[-1]} on {parts[0]}" if len(parts) > 1 else device


# Linux ------------------------------------------------------------------------------------------


class _MountTable:
    """Linux's table of mounts; read again when the kernel or udev reports a change.

    Thread: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file, self._path = -1, Path()
        self._names: object = None
        self._mounts: tuple[Mount, ...] = ()

    def read(self) -> tuple[Mount, ...]:
        names = [_changed_at(_DISKS / which) for which in ("by-uuid", "by-label")]
        with self._lock:
            if sys.platform != "linux" or (self._is_current() and names == self._names):
                return self._mounts
            os.lseek(self._file, 0, os.SEEK_SET)
            parts = iter(lambda: os.read(self._file, 1 << 16), b"")
            lines = b"".join(parts).decode("utf-8", "surrogateescape").splitlines()
            self._mounts, self._names = tuple(_mounts_in(lines)), names
            return self._mounts

    def _is_current(self) -> bool:
        if sys.platform != "linux":
            return True
        if self._path != _MOUNTINFO:
            if self._file >= 0:
                os.close(self._file)
            self._file, self._path = os.open(_MOUNTINFO, os.O_RDONLY), _MOUNTINFO
            self._names = None
        poll = select.poll()
        poll.register(self._file, select.POLLPRI | select.POLLERR)
        return not poll.poll(0)


_table = _MountTable()


def _on_linux() -> tuple[Mount, ...]:
    try:
        return _table.read()
    except OSError:
        return ()


def _changed_at(folder: Path) -> tuple[str, int]:
    try:
        return str(folder), folder.stat().st_mtime_ns
    except OSError:
        return str(folder), 0


def _mounts_in(lines: Sequence[str]) -> Iterator[Mount]:
    keys, labels = _links("by-uuid"), _links("by-label")
    for line in lines:
        # "36 35 98:0 /root /mnt rw ... - ext3 /dev/sda1 rw" (Documentation/filesystems/proc.rst)
        before, _, after = line.partition(" - ")
        mounted_at, mounted_from = before.split(), after.split()
        if len(mounted_at) < 5 or len(mounted_from) < 2:
            continue
        number, root, path = mounted_at[2], _plain(mounted_at[3]), _plain(mounted_at[4])
        kind, device = mounted_from[0].lower(), _plain(mounted_from[1])
        if kind in _NETWORK:
            share = device.rstrip("/").casefold() or None
            key = share if share is None or root == "/" else f"{share}:{root}"
            yield Mount(device, path, kind, key, _shared(device), False, True)
            continue
        real = os.path.realpath(device) if device.startswith("/dev/") else device
        key = device if kind == "zfs" else keys.get(real)
        if key is not None and root != "/":  # a subvolume, or a folder mounted by itself
            key = f"{key}:{root}"
        label = _name(labels.get(real, ""), path)
        yield Mount(device, path, kind, key, label, _is_removable(number, real), False)


def _plain(text: str) -> str:
    r"""Decode characters escaped by the kernel or udev: a space is ``\040`` or ``\x20``."""
    text = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
    if r"\x" not in text:
        return text
    raw = re.sub(
        rb"\\x([0-9a-f]{2})",
        lambda found: bytes([int(found[1], 16)]),
        text.encode("utf-8", "replace"),
    )
    return raw.decode("utf-8", "replace")


def _links(which: str) -> dict[str, str]:
    """Read one of udev's folders: device → the name of its link."""
    try:
        return {os.path.realpath(link): _plain(link.name) for link in (_DISKS / which).iterdir()}
    except OSError:
        return {}


def _is_removable(number: str, device: str) -> bool:
    """Whether a block device, or any of its disks, is a card, a stick or on USB, by sysfs."""
    if not device.startswith("/dev/"):
        return False
    if sys.platform != "win32" and number.startswith("0:"):  # btrfs: a number of no device
        try:
            status = Path(device).stat()
        except OSError:
            return False
        number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return _has_removable_disk(Path(os.path.realpath(_BLOCK_DEVICES / number)))


def _has_removable_disk(node: Path) -> bool:
    below = node / "slaves"  # the disks of an encrypted or joined volume
    slaves = list(below.iterdir()) if below.is_dir() else []
    if any(_has_removable_disk(Path(os.path.realpath(slave))) for slave in slaves):
        return True
    disk = node.parent if (node / "partition").exists() else node
    if re.search(r"/usb\d+/|/firewire", str(disk)):
        return True
    return _attribute(disk / "removable") == "1" or _attribute(disk / "device" / "type") == "SD"


def _attribute(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""


# macOS and Windows ------------------------------------------------------------------------------


def _on_macos_or_windows() -> Iterator[Mount]:
    import psutil

    for part in psutil.disk_partitions(all=True):
        kind = part.fstype.lower()
        if sys.platform == "win32":
            found = _on_windows(part.mountpoint, kind)
            if found is not None:
                yield found
            continue
        network = kind in _NETWORK
        share = re.sub("//[^/@]*@", "//", part.device)  # without the user name
        key = share.casefold() if network else _macos_uuid(part.mountpoint)
        name = _shared(share) if network else _name("", part.mountpoint)
        removable = not network and part.mountpoint.startswith("/Volumes/")
        yield Mount(part.device, part.mountpoint, kind, key, name, removable, network)


def _macos_uuid(path: str) -> str | None:
    """Return a volume's UUID: getattrlist(2), ``ATTR_VOL_UUID``."""

    class AttrList(ctypes.Structure):
        _fields_ = (
            ("bitmapcount", ctypes.c_ushort),
            ("reserved", ctypes.c_uint16),
            ("commonattr", ctypes.c_uint32),
            ("volattr", ctypes.c_uint32),
            ("dirattr", ctypes.c_uint32),
            ("fileattr", ctypes.c_uint32),
            ("forkattr", ctypes.c_uint32),
        )

    wanted = AttrList(bitmapcount=5, volattr=0x80000000 | 0x00040000)  # INFO, UUID
    answer = ctypes.create_string_buffer(20)  # its length, then the UUID
    try:
        ask = ctypes.CDLL(None, use_errno=True).getattrlist
    except (AttributeError, OSError, TypeError):  # another system
        return None
    ask.argtypes = (
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_uint32,
    )
    if ask(os.fsencode(path), ctypes.byref(wanted), answer, len(answer), 0) != 0:
        return None
    found = uuid.UUID(bytes=answer.raw[4:20])
    return str(found) if found.int else None


def _on_windows(root: str, kind: str) -> Mount | None:
    r"""Ask Windows about the volume at a root like ``E:\``; None if the drive is empty."""
    if sys.platform != "win32":
        return None
    windows = getattr(ctypes, "windll", None)
    if windows is None:
        return None
    kernel = windows.kernel32
    drive = kernel.GetDriveTypeW(ctypes.c_wchar_p(root))  # 2 removable, 3 fixed, 4 remote, 5 CD
    if drive == 4:
        share = _remote_name(root)
        return Mount(share, root, kind, share.casefold(), _shared(share), False, True)
    label = ctypes.create_unicode_buffer(261)
    serial = ctypes.c_ulong()
    if not kernel.GetVolumeInformationW(
        ctypes.c_wchar_p(root), label, 261, ctypes.byref(serial), None, None, None, 0
    ):
        return None
    key = f"{serial.value >> 16:04X}-{serial.value & 0xFFFF:04X}" if serial.value else None
    return Mount(root, root, kind, key, label.value or root.rstrip("\\"), drive in (2, 5), False)


def _remote_name(root: str) -> str:
    r"""Return the share of a drive letter: ``\\nas\photos``."""
    if sys.platform != "win32":
        return root
    name, size = ctypes.create_unicode_buffer(1024), ctypes.c_ulong(1024)
    if ctypes.windll.mpr.WNetGetConnectionW(root.rstrip("\\"), name, ctypes.byref(size)) != 0:
        return root
    return name.value


def _share(path: str) -> Mount | None:
    r"""Return the network drive of a path like ``\\nas\photos\2026``."""
    root = PurePath(path).drive
    if not root.startswith("\\\\"):
        return None
    return Mount(root, root, "", root.casefold(), _shared(root), False, True)
