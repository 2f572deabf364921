"""Drives that are plugged in and pulled out.

`Drives`: the files are real and really come and go, by renaming the folder they are in; only the
table that says which volume is mounted where is ours. `Stick`: a file system the kernel mounts.
`Silence`: a drive that does not answer.
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

import pytest

from curator import volumes
from curator.volumes import Mount


class Drives:
    """A shelf of drives, and where they are mounted.

    ``labels`` are those of the drives by key; a drive that is not mounted lies in the shelf.
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
        """Make a drive; give where its files are while it lies in the shelf."""
        self.labels[key] = label
        (self._shelf / key).mkdir()
        return self._shelf / key

    def plug(self, key: str, at: str = "") -> Path:
        """Mount a drive, by default under its label; give its mount point.

        The table comes first: a folder without its volume in it would be a copy of that folder.
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
    """An empty shelf, and a computer with a disk of its own."""
    return Drives(tmp_path, monkeypatch)


class Stick:
    """A real file system in a file, mounted by the kernel; `pull` takes it out in use.

    Raises:
        pytest.skip: this machine, or this person, may not mount.
    """

    def __init__(self, top: Path, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._top = top
        self._at: Path | None = None
        image, self.key = top / "stick.img", str(uuid.uuid4())
        if sys.platform != "linux":
            pytest.skip("mounts are Linux's here")
        with image.open("wb") as file:
            file.truncate(64 << 20)
        try:
            run("mkfs.ext4", "-q", "-L", label, "-U", self.key, str(image))
            self.device = run("losetup", "--find", "--show", str(image)).strip()
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"nothing can be mounted here: {error}")
        # What udev does for everybody but a container.
        for which, name in (("by-uuid", self.key), ("by-label", label.replace(" ", "\\x20"))):
            (top / "disk" / which).mkdir(parents=True)
            (top / "disk" / which / name).symlink_to(self.device)
        monkeypatch.setattr(volumes, "_DISKS", top / "disk")

    def plug(self, name: str) -> Path:
        """Mount it under a name."""
        at = self._top / "media" / name
        at.mkdir(parents=True, exist_ok=True)
        try:
            run("mount", self.device, str(at))
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"nothing can be mounted here: {error}")
        self._at = at
        return at

    def pull(self) -> None:
        """Take it out, whoever reads from it; the mount point goes as on a desktop."""
        if self._at is not None:
            run("umount", "--lazy", str(self._at))
            self._at.rmdir()
            self._at = None

    def close(self) -> None:
        """Take it out for good."""
        self.pull()
        run("losetup", "--detach", self.device)


def run(*command: str) -> str:
    """Run a program of the system's; give what it says."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Silence:
    """A folder whose drive does not answer from :meth:`begin` to :meth:`end`.

    ``waiting`` are the names of the threads that looked at it and had to wait.
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
        """Give it up soon while it is silent; whoever answers may be as slow as this machine."""

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
        """Answer nobody from now on."""
        self._answer.clear()

    def end(self) -> None:
        """Answer all who wait."""
        self._answer.set()
