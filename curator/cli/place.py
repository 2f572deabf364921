"""Where a home may be: not on a network drive.

SQLite's write-ahead log keeps its index in memory shared by all processes of one computer
(sqlite.org/wal.html: "WAL does not work over a network filesystem"), and locks on network drives
cannot be relied on. A catalog there could lose marks without anybody noticing. Drives served by a
program of this computer (ntfs-3g, exfat-fuse) are local.

In virtual machines, 9p is refused: its mapped memory is not the host's and its locks are not seen
there, so that Windows and a Linux inside it (WSL) could both write; the same holds for WSL's older
drvfs. If 9p is the only file system, as in a sandbox, it is accepted: no other side can write.
Virtiofs is accepted: within one machine it maps and locks like a disk.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from curator.model import KnownError
from curator.settings import Home
from curator.volumes import Mount, mount_of, mounted

_LINKS = 40  # followed at most, as the system does
_OTHER_SIDE = frozenset({"drvfs"})


def refuse_network(home: Home, among: Sequence[Mount] | None = None) -> None:
    """Refuse a home with its catalog on a network drive; the cache may be on one.

    Never waits for a drive that does not answer: nothing on it is touched.

    Raises:
        KnownError: the catalog would be on a network drive; nothing was created.
    """
    mount = _network(home.data, mounted() if among is None else among)
    if mount is not None:
        kind = f" ({mount.kind})" if mount.kind else ""
        raise KnownError(
            f"The home folder {home.data} lies on a network drive{kind}, where the catalog is not"
            " safe: two programs could write to it at once.",
            "Choose a folder on this computer with --home or CURATOR_HOME; photos may stay there.",
        )


def _network(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """Return the network drive of a path, following links without touching that drive."""
    if sys.platform == "win32":
        mount = mount_of(path, mounts)
        return mount if mount is not None and mount.network else None
    done, rest, links = Path(path.anchor), list(path.parts[1:]), 0
    while rest:
        part = rest.pop(0)
        here = done.parent if part == ".." else done / part
        mount = _over(here, mounts)
        asked = mount is None or not (_is_unsafe(mount) or here == Path(mount.path))
        if asked and links < _LINKS and here.is_symlink():
            links += 1
            to = here.readlink()
            rest = [*to.parts[1 if to.is_absolute() else 0 :], *rest]
            done = Path(path.anchor) if to.is_absolute() else done
        else:
            done = here
    mount = _over(done, mounts)
    return mount if mount is not None and _is_unsafe(mount) else None


def _is_unsafe(mount: Mount) -> bool:
    sandbox = mount.kind == "9p" and mount.path == "/"
    return (mount.network or mount.kind in _OTHER_SIDE) and not sandbox


def _over(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """Return the innermost mount of a path by its name alone; of two, the later."""
    best: Mount | None = None
    for mount in mounts:
        if path.is_relative_to(mount.path) and (best is None or len(mount.path) >= len(best.path)):
            best = mount
    return best
