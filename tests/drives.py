"""Drives that tests plug in and pull out.

`Drives` has real files, which come and go by renaming their folder; only the table of mounts is
replaced. `Stick` is a file system that the kernel mounts. `Silence` is a drive that does not
answer.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from curator import volumes
from curator.volumes import Mount


class Drives:
    """A few drives, mounted or not.

    ``labels`` are the drives' labels by key. The files of a drive that is not mounted are in the
    folder ``shelf``.
    """

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._shelf, self._media = top / "shelf", top / "media"
        self._media.mkdir(parents=True)
        self._shelf.mkdir()
        self.labels: dict[str, str] = {}
        self._mounts: tuple[Mount, ...] = (
            Mount("/dev/vda", top.anchor, "ext4", "system", top.anchor, False, False),
        )
        monkeypatch.setattr(volumes, "mounted", lambda: self._mounts)

    def make(self, key: str, label: str) -> Path:
        """Make a drive; return the folder of its files while it is not mounted."""
        self.labels[key] = label
        (self._shelf / key).mkdir()
        return self._shelf / key

    def plug(self, key: str, at: str = "") -> Path:
        """Mount a drive, by default under its label; return its mount point.

        The table changes first: otherwise the folder would be taken for a copy.
        """
        label = self.labels[key]
        path = self._media / (at or label)
        self._mounts += (Mount("/dev/sdb1", str(path), "exfat", key, label, True, False),)
        (self._shelf / key).rename(path)
        return path

    def pull(self, key: str) -> None:
        """Pull a drive out."""
        [mount] = [mount for mount in self._mounts if mount.key == key]
        Path(mount.path).rename(self._shelf / key)
        self._mounts = tuple(each for each in self._mounts if each is not mount)


@pytest.fixture
def drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drives:
    """No drives yet besides the computer's own disk."""
    return Drives(tmp_path, monkeypatch)


class Stick:
    """A real file system in a file, mounted by the kernel; `pull` removes it even while in use.

    Raises:
        pytest.skip: this machine or user must not mount.
    """

    def __init__(
        self,
        top: Path,
        label: str,
        monkeypatch: pytest.MonkeyPatch,
        kind: Literal["ext4", "exfat"] = "ext4",
    ) -> None:
        self._top, self._kind = top, kind
        self._at: Path | None = None
        image = top / f"{label}.img"
        if sys.platform != "linux":
            pytest.skip("mounts are Linux's here")
        with image.open("wb") as file:
            file.truncate(64 << 20)
        try:
            quiet = ("-q",) if kind == "ext4" else ()
            run(f"mkfs.{kind}", *quiet, "-L", label, str(image))
            self.device = run("losetup", "--find", "--show", str(image)).strip()
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"nothing can be mounted here: {error}")
        self.key = announce(top, self.device, label, monkeypatch)

    def plug(self, name: str) -> Path:
        """Mount it under a name."""
        at = self._top / "media" / name
        at.mkdir(parents=True, exist_ok=True)
        mount = "mount" if self._kind == "ext4" else "mount.exfat-fuse"
        try:
            run(mount, self.device, str(at))
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"nothing can be mounted here: {error}")
        self._at = at
        return at

    def pull(self) -> None:
        """Unmount it even if it is being read; the mount point goes, too, as on a desktop."""
        if self._at is not None:
            run("umount", "--lazy", str(self._at))
            self._at.rmdir()
            self._at = None

    def close(self) -> None:
        """Unmount it and free its loop device."""
        self.pull()
        run("losetup", "--detach", self.device)


def announce(top: Path, device: str, label: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Link a device's key and label to it, as udev does except in containers; return the key.

    Curator then sees a removable volume at its mount point. Links of one ``top`` add up.
    """
    key = str(uuid.uuid4())
    for which, name in (("by-uuid", key), ("by-label", label.replace(" ", "\\x20"))):
        (top / "disk" / which).mkdir(parents=True, exist_ok=True)
        (top / "disk" / which / name).symlink_to(device)
    monkeypatch.setattr(volumes, "_DISKS", top / "disk")
    real = volumes._is_removable
    monkeypatch.setattr(
        volumes, "_is_removable", lambda number, name: name == device or real(number, name)
    )
    return key


def run(*command: str) -> str:
    """Run a system program and return its output."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Silence:
    """A folder whose drive does not answer from :meth:`begin` to :meth:`end`.

    ``waiting`` are the names of the threads that accessed it and had to wait.
    """

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._top, self._answer = str(top), threading.Event()
        self.waiting: set[str] = set()
        self._answer.set()
        for name in ("stat", "lstat", "scandir", "listdir", "open"):
            monkeypatch.setattr(os, name, self._slow(getattr(os, name)))
        monkeypatch.setattr(io, "open", self._slow(io.open))
        monkeypatch.setattr(volumes, "ask", self._asked(volumes.ask))

    def _asked(self, real: Callable[..., object]) -> Callable[..., object]:
        """Shorten the patience while the drive is silent; a drive that answers may be slow."""

        def ask(
            path: object,
            question: object,
            patience_s: float | None = None,
            *rest: object,
            **more: object,
        ) -> object:
            silent = not self._answer.is_set() and str(path).startswith(self._top)
            return real(path, question, 0.05 if silent else patience_s, *rest, **more)

        return ask

    def _slow(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(path: object = ".", *rest: object, **options: object) -> object:
            if not self._answer.is_set() and str(path).startswith(self._top):
                self.waiting.add(threading.current_thread().name)
                assert self._answer.wait(60)
            return real(path, *rest, **options)

        return call

    def begin(self) -> None:
        """Stop answering."""
        self._answer.clear()

    def end(self) -> None:
        """Answer again, and release the threads that wait."""
        self._answer.set()
