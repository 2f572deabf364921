"""Find the folders of the catalog, whose drives may be unplugged or have another path.

The pipeline, the window and the command line use it. Nothing here writes;
`curator.pipeline.folder_availability` reacts to folders that moved. A drive may not answer, so
never find folders on the GUI thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from curator import volumes
from curator.catalog import Catalog, FolderRow
from curator.model import UnavailableError, counted
from curator.volumes import FolderLocation

NETWORK_S, DISK_S = 2.0, 10.0  # how long a drive may take to answer: disks sleep

FolderLocations = Mapping[int, FolderLocation | None]
"""Where each folder was found, by folder id; None if its drive does not answer."""


def locate_folders(
    rows: Sequence[FolderRow], given_up: Callable[[], bool] = lambda: False
) -> FolderLocations:
    """Find folders, waiting for each drive no longer than NETWORK_S or DISK_S.

    Args:
        rows: the folders.
        given_up: called now and then; once it returns True, no drive is waited for any more.

    Thread: any but the GUI thread.
    """
    mounts = volumes.mounted()
    found: dict[int, FolderLocation | None] = {}
    for row in rows:
        mount = volumes.mount_of(row.path, mounts, follow=False)
        timeout_s = NETWORK_S if mount is None or mount.network else DISK_S
        find = partial(volumes.find_folder, row.path, row.volume, row.within, mounts)
        try:
            found[row.id] = volumes.ask(row.path, find, timeout_s, given_up=given_up)
        except UnavailableError:
            found[row.id] = None
    return found


def all_in_place(rows: Sequence[FolderRow]) -> bool:
    """Whether every folder is where the catalog says, on the volume that the catalog knows."""
    found = locate_folders(rows)
    return all(_is_in_place(row, found[row.id]) for row in rows)


def _is_in_place(row: FolderRow, location: FolderLocation | None) -> bool:
    if (
        location is None
        or row.away
        or row.unplugged
        or location.path != row.path
        or not location.own
    ):
        return False
    mount = location.mount
    return mount is None or mount.key is None or mount.label == row.volume_name


def waiting_for_drives(catalog: Catalog) -> str:
    """Return how many photos wait for which drive: ``1,204 photos wait for T7 Shield``."""
    return ", ".join(
        f"{counted(number, 'photo')} {'waits' if number == 1 else 'wait'} for {name}"
        for name, number in catalog.volumes.waiting_by_volume().items()
    )
