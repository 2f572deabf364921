"""Memory cards: volumes with a DCIM folder, as cameras make them. Find, recognize, protect, eject.

    find_cards()                        # [Card(...)], as mounted now
    card_of("/media/ada/EOS_DIGITAL/DCIM/100CANON/IMG_1.CR3")
    protection = Protection()           # asked before anything is written or removed
    protection.reason(path)             # "On the card EOS_DIGITAL, which Curator never ..."

The import finds cards with it. Everything that writes beside photos, into them, or removes them
asks `Protection` first: nothing on a card is ever written or deleted by Curator.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from curator import volumes
from curator.model import KnownError, UnavailableError
from curator.volumes import Mount

DCIM = "DCIM"

# Some card readers do not report that their cards are removable. But no disk has these formats and
# a DCIM folder unless it was in a camera.
_OF_CARDS = ("exfat", "fat", "fat32", "msdos", "vfat")
# An external disk in one of these formats is no card, even if a card was copied to it as a whole.
_NOT_OF_CARDS = ("apfs", "btrfs", "hfs", "ntfs", "ntfs3", "refs", "xfs", "zfs")
_NEVER = "which Curator never changes."
COPY_FIRST = "Copy the photo first."
_EJECT_S = 60.0  # a card that still writes may take so long


@dataclass(frozen=True, slots=True)
class Card:
    """A memory card that is mounted now."""

    mount: Mount

    @property
    def path(self) -> str:
        """The root of the card."""
        return self.mount.path

    @property
    def label(self) -> str:
        """Its name for people, ``EOS_DIGITAL``."""
        return self.mount.label


def find_cards() -> list[Card]:
    """Return the memory cards that are mounted now; it waits 2 s at most for one that is silent.

    Thread: any but the window's, see :func:`curator.volumes.mounted`.
    """
    found = []
    for mount in volumes.mounted():
        with contextlib.suppress(UnavailableError):
            if _is_card(mount):
                found.append(Card(mount))
    return found


def card_of(path: str | os.PathLike[str], among: Sequence[Mount] | None = None) -> Card | None:
    """Return the card that a path is on, following links; None if it is not on a card.

    Args:
        path: any path, even one that does not exist.
        among: the volumes mounted now, if known.

    Raises:
        UnavailableError: the drive does not answer, so that it may be a card.

    Thread: any but the window's, see :func:`curator.volumes.mounted`.
    """
    among = volumes.mounted() if among is None else among
    if not any(map(_may_be_card, among)):
        return None
    mount = volumes.ask(path, lambda: volumes.mount_of(path, among))
    return Card(mount) if mount is not None and _is_card(mount) else None


class Protection:
    """Whether files may be changed or accompanied, for many files at one moment.

    Make a new one for each piece of work: cards come and go.

    Thread: any but the window's, see :func:`curator.volumes.mounted`.
    """

    def __init__(self) -> None:
        self._mounts = volumes.mounted()
        self._reasons: dict[str, str] = {}

    def reason(self, file: str | os.PathLike[str], remedy: str = "") -> str:
        """Return why a file must not be written or removed, in plain sentences; empty if it may.

        Args:
            file: its path. Only its folder's links are followed, so resolve the file's own.
            remedy: what to do if it is on a card.
        """
        folder = str(PurePath(file).parent)
        if folder not in self._reasons:
            self._reasons[folder] = self.folder_reason(folder)
        found = self._reasons[folder]
        return f"{found} {remedy}" if remedy and found.endswith(_NEVER) else found

    def folder_reason(self, folder: str | os.PathLike[str]) -> str:
        """Return why nothing may be written or removed in a folder; empty if it may."""
        try:
            card = card_of(folder, self._mounts)
        except UnavailableError as error:
            return str(error)
        return "" if card is None else f"On the card {card.label}, {_NEVER}"


def _may_be_card(mount: Mount) -> bool:
    if mount.network or mount.kind in _NOT_OF_CARDS:
        return False
    return mount.removable or mount.kind in _OF_CARDS


def _is_card(mount: Mount) -> bool:
    """Whether a volume is a card.

    Raises:
        UnavailableError: it does not answer.
    """
    return _may_be_card(mount) and volumes.ask(mount.path, lambda: _has_dcim(mount.path))


def _has_dcim(root: str) -> bool:
    try:
        with os.scandir(root) as entries:
            return any(
                entry.name.upper() == DCIM and entry.is_dir(follow_symlinks=False)
                for entry in entries
            )
    except OSError:
        return False


# Ejecting ---------------------------------------------------------------------------------------


def can_eject(card: Card) -> bool:
    """Whether the system may let us eject a card."""
    return sys.platform == "win32" or bool(_ejectors(card.mount))


def eject(card: Card) -> None:
    """Eject a card, so that it can be taken out.

    On Linux it is unmounted. Its reader stays on: switching it off would also take away a second
    card in it, and the next card would not be noticed.

    Raises:
        KnownError: the system refuses, in its own words, or has no program for it.

    Thread: any but the window's; it may take a minute.
    """
    if sys.platform == "win32":
        _eject_on_windows(card)
        return
    why = "This system has no program for it."
    for command in _ejectors(card.mount):
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=_EJECT_S,
            )
        except subprocess.TimeoutExpired:
            raise _not_ejected(card, "It is still busy.") from None
        except OSError as error:
            why = error.strerror or str(error)
            continue
        if not done.returncode:
            return
        why = next(iter((done.stderr or done.stdout).strip().splitlines()), why)
    raise _not_ejected(card, why)


def _ejectors(mount: Mount) -> list[list[str]]:
    """Return the commands of this system that eject a volume, best first."""
    if sys.platform == "darwin":
        commands = [["diskutil", "eject", mount.path]]
    else:
        commands = [
            ["udisksctl", "unmount", "--no-user-interaction", "--block-device", mount.device],
            ["gio", "mount", "--unmount", mount.path],
            ["umount", mount.path],
        ]
    return [[found, *rest] for name, *rest in commands if (found := shutil.which(name))]


def _eject_on_windows(card: Card) -> None:
    """Lock, dismount and eject a volume (Microsoft KB165721)."""
    if sys.platform != "win32":
        return
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.CreateFileW.restype = ctypes.c_void_p
    device = rf"\\.\{Path(card.path).drive}"
    # GENERIC_READ and GENERIC_WRITE; share reading and writing; OPEN_EXISTING
    handle = kernel.CreateFileW(ctypes.c_wchar_p(device), 0xC0000000, 3, None, 3, 0, None)
    if handle in (None, ctypes.c_void_p(-1).value):
        raise _not_ejected(card, ctypes.FormatError(ctypes.get_last_error()))
    volume, count = ctypes.c_void_p(handle), ctypes.c_ulong()
    try:
        # FSCTL_LOCK_VOLUME, FSCTL_DISMOUNT_VOLUME, IOCTL_STORAGE_EJECT_MEDIA
        for act in (0x00090018, 0x00090020, 0x002D4808):
            if not kernel.DeviceIoControl(volume, act, None, 0, None, 0, ctypes.byref(count), None):
                raise _not_ejected(card, ctypes.FormatError(ctypes.get_last_error()))
    finally:
        kernel.CloseHandle(volume)


def _not_ejected(card: Card, why: str) -> KnownError:
    return KnownError(
        f"{card.label} was not ejected: {why}",
        "Close programs that use it, then eject it in your file manager.",
    )
