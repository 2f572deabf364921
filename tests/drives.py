"""Drives that are plugged in and pulled out, as far as the system's table of mounts tells.

The files are real and really come and go, by renaming the folder they are in; only the table that
says which volume is mounted where is ours.
"""

from __future__ import annotations

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
