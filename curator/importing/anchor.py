"""A folder on a volume that may be pulled out at any moment, and recognized when it is back.

Cards and destinations are anchored when an import starts. A folder of the same path on another
volume is never taken for it: the empty mount point of a pulled drive lies on the system disk.
"""

from __future__ import annotations

import os
from pathlib import Path

from curator import volumes
from curator.model import UnavailableError, path_label


class Anchor:
    """A folder, and the volume it is on.

    Thread: any, one at a time; a drive that hangs makes :meth:`is_here` hang.

    Attributes:
        path: where the folder is; changes if its volume comes back under another mount point.
        label: the name of its volume for people, or of the folder if the volume has none.
        mount: its volume when it was last found; None where the system does not report that.
    """

    def __init__(self, path: Path) -> None:
        """Remember the volume a folder is on.

        Raises:
            OSError: the folder is not there.
        """
        self.path = path
        self._device = path.stat().st_dev
        self.mount = mount = volumes.mount_of(path)
        self._has_node = _has_node(mount)
        self._within = "" if mount is None else volumes.within(path, mount)
        self._top = None if mount is None or len(Path(mount.path).parts) == 1 else mount.path
        self.label = mount.label if mount is not None and self._top else path_label(path)

    def on_volume(self) -> tuple[str, tuple[str, str]] | None:
        """Return its path, with the key of its volume and its path there; None without a key."""
        if self.mount is None or self.mount.key is None:
            return None
        return str(self.path), (self.mount.key, self._within)

    def is_here(self) -> bool:
        """Whether the folder is at its path, on its own volume."""
        try:
            if self.path.stat().st_dev != self._device:
                return False
        except OSError:
            return False
        if self.mount is None or self.mount.key is None:
            return True
        mount = volumes.mount_of(self.path)
        if mount is None or mount.key != self.mount.key:
            return False
        return not self._has_node or _has_node(mount)

    def find_again(self) -> bool:
        """Look for the folder, wherever its volume is mounted now; return whether it is there."""
        try:
            return volumes.ask(self.path, self._find)
        except (UnavailableError, OSError):
            return False

    def _find(self) -> bool:
        if self.is_here():
            return True
        key = None if self.mount is None else self.mount.key
        if key is not None:
            location = volumes.find_folder(str(self.path), key, self._within, volumes.mounted())
            if not (location.path and location.own):
                return False
            self.path, self.mount = Path(location.path), location.mount
        elif self._top is None or not (os.path.ismount(self._top) and self.path.is_dir()):
            return False  # without a key only a volume mounted at the same place counts
        self._device = self.path.stat().st_dev
        return True


def _has_node(mount: volumes.Mount | None) -> bool:
    """Whether the device of a volume is in ``/dev``, which loses it as soon as it is pulled out.

    The volume stays mounted until a program unmounts it, and names in the cache can still be read.
    """
    return mount is not None and mount.device.startswith("/dev/") and Path(mount.device).exists()
