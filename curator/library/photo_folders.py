"""The folders of photos: the folder of the main file, and the folders of copies.

`Table` keeps it beside its rows. A photo with a copy in another folder is shown in both. While a
folder is viewed, a photo with only a copy in it is shown under the name of that copy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog, FolderRow
from curator.files import is_picture_name
from curator.library.columns import STATE_CODE
from curator.library.photo_rows import PhotoRows
from curator.library.spans import Ids, Mask
from curator.model import STATES

DirectoryIds = tuple[int, ...]
"""Directory ids: the main file's first, then those of copies elsewhere, ascending."""


class PhotoFolders:
    """The directories of a catalog, and which photos are in each.

    Thread: the table's.

    Attributes:
        serial: grows whenever folders went away, came back, were switched on or off, or have
            another path.
        moved: former and new paths of folders; the reader clears the list.
        copies_here: photos shown by a copy in the viewed folder: its name and directory id.
        names_serial: grows whenever ``copies_here`` changes.
    """

    def __init__(self, rows: PhotoRows, catalog: Catalog) -> None:
        self._rows, self._catalog = rows, catalog
        self.serial = 0
        self.moved: list[tuple[str, str]] = []
        self.copies_here: Mapping[int, tuple[str, int]] = {}
        self.names_serial = 0
        self._directories: dict[int, str] = {}
        self._hidden: frozenset[int] = frozenset()  # of disabled folders
        self._away: frozenset[int] = frozenset()
        self._folders: dict[int, str] = {}
        self._copies = np.zeros((0, 2), np.int64)  # photo id, directory id
        self._copy_names: NDArray[Any] = np.zeros(0, object)
        self._viewed = ""  # path of the folder that is viewed
        self._last_below: tuple[object, str, list[int]] = None, "", []

    @property
    def hidden(self) -> tuple[int, ...]:
        """The ids of the directories of disabled folders, ascending."""
        return tuple(sorted(self._hidden))

    def restore(self, hidden: Ids) -> None:
        """Begin with the directories hidden earlier, so that :meth:`refresh` notices a change."""
        self._hidden = frozenset(hidden.tolist())

    def refresh(self) -> bool:
        """Read folders and directories again; return whether other directories are hidden now.

        Those of a disabled folder are hidden.
        """
        folders = self._catalog.folders.all()
        on = {folder.id for folder in folders if folder.enabled}
        listed = self._catalog.folders.directories()
        removed = not self._folders.keys() <= {folder.id for folder in folders}
        self._note_moves(folders, listed)
        known = len(self._directories)
        self._directories = {directory: path for directory, _, path in listed}
        hidden = frozenset(
            directory for directory, folder, _ in listed if folder is not None and folder not in on
        )
        switched, self._hidden = hidden != self._hidden, hidden
        self.serial += switched
        if len(listed) != known or switched or removed:
            self.refresh_copies()
        return switched

    def _note_moves(
        self, folders: Sequence[FolderRow], listed: Sequence[tuple[int, int | None, str]]
    ) -> None:
        """Note which folders are away, and which have another path."""
        paths = {folder.id: folder.path for folder in folders}
        was = self._folders
        moved = [(was[n], path) for n, path in paths.items() if was.get(n, path) != path]
        absent = {folder.id for folder in folders if folder.away}
        away = frozenset(directory for directory, folder, _ in listed if folder in absent)
        if moved or away != self._away:
            self.serial += 1
        self._folders, self._away = paths, away
        self.moved += moved

    @property
    def directories(self) -> dict[int, str]:
        """Paths by directory id."""
        return self._directories

    # --- masks over rows

    def alive(self) -> Mask:
        """Mark the photos that are not merged, removed, deleted or in a disabled folder."""
        mask: Mask = ~self._rows.column("gone")
        if self._hidden:
            mask &= ~np.isin(self._rows.column("directory_id"), list(self._hidden))
        return mask

    def inside(self, path: str) -> Mask:
        """Mark the photos in the folder ``path`` and its subfolders."""
        wanted = self._below(path)
        mask: Mask = np.isin(self._rows.column("directory_id"), wanted)
        copied, where = self._copied()
        mask[copied[np.isin(where, wanted)]] = True
        return mask

    def are_any_inside(self, path: str, rows: Ids) -> bool:
        """Whether any of some photos is in the folder ``path`` or its subfolders."""
        wanted = self._below(path)
        if np.isin(self._rows.column("directory_id")[rows], wanted).any():
            return True
        copied, where = self._copied()
        return bool(np.isin(copied[np.isin(where, wanted)], rows).any())

    def missing(self) -> Mask:
        """Mark the photos whose files are missing or cannot be reached now."""
        mask: Mask = self._rows.column("state") == STATE_CODE["missing"]
        if self._away:
            away = np.isin(self._rows.column("directory_id"), list(self._away))
            copied, where = self._copied()
            away[copied[~np.isin(where, list(self._away))]] = False
            mask |= away & ~self._rows.failed()
        return mask

    def _below(self, path: str) -> list[int]:
        """List the directories at a path and below it; the last answer is kept."""
        directories, last, found = self._last_below
        if directories is not self._directories or last != path:
            prefix = path.rstrip(os.sep) + os.sep
            found = [
                directory
                for directory, where in self._directories.items()
                if where == path or where.startswith(prefix)
            ]
            self._last_below = self._directories, path, found
        return found

    def _copied(self) -> tuple[Ids, Ids]:
        """Return the rows with a copy in another folder, and the directory ids of these copies."""
        photos, where = self._copies[self._rows.knows(self._copies[:, 0])].T
        return self._rows.rows_of(photos), where

    # --- one photo

    def state(self, photo_id: int) -> str:
        """Return ``""``, ``"failed"`` or ``"missing"``, as in :meth:`missing`."""
        row = self._rows.row(photo_id)
        state = STATES[self._rows.column("state").item(row)]
        if state or self._rows.column("directory_id").item(row) not in self._away:
            return state
        copies = self._copies[self._copies[:, 0] == photo_id, 1].tolist()
        return "missing" if self._away.issuperset(copies) else state

    def name(self, photo_id: int) -> str:
        """Return a photo's name: in the viewed folder that of its copy there."""
        here = self.copies_here.get(photo_id)
        return here[0] if here else str(self._rows.texts("name")[self._rows.row(photo_id)])

    def directory_of(self, photo_id: int) -> str:
        """Return the directory of a photo's main file, or of its copy in the viewed folder."""
        here = self.copies_here.get(photo_id)
        main = self._rows.column("directory_id").item(self._rows.row(photo_id))
        return self._directories.get(here[1] if here else main, "")

    # --- copies

    def set_viewed(self, folder: str) -> None:
        """Set the viewed folder by its path; empty: all photos have the name of their main file."""
        self._viewed = folder
        self._name_copies()

    def refresh_copies(self, photos: Ids | None = None) -> set[int]:
        """Read which photos have a copy in another folder.

        Args:
            photos: only these are read again, because their main files moved.

        Returns:
            The photos whose name or directory in the viewed folder changed.
        """
        rows = self._catalog.photos.copy_locations(None if photos is None else photos.tolist())
        copies = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
        names = np.array([row[2] for row in rows], object)
        if photos is not None:
            others = ~np.isin(self._copies[:, 0], photos)
            copies = np.concatenate([self._copies[others], copies])
            names = np.concatenate([self._copy_names[others], names])
        self._copies, self._copy_names = copies, names
        return self._name_copies(photos)

    def photos_moved(self) -> None:
        """Name copies again, because photos were added or their main files moved."""
        if self._viewed and len(self._copies):
            self._name_copies()

    def _name_copies(self, photos: Ids | None = None) -> set[int]:
        """Name photos by their copies in the viewed folder; by default all, else only these."""
        before, others = self.copies_here, dict[int, tuple[str, int]]()
        here: dict[int, tuple[str, int]] = {}
        wanted = set(self._below(self._viewed)) if self._viewed else set()
        wanted -= self._hidden
        inside = self._rows.knows(self._copies[:, 0]) & np.isin(self._copies[:, 1], list(wanted))
        if photos is not None:
            inside &= np.isin(self._copies[:, 0], photos)
            again = set(photos.tolist())
            others = {photo: name for photo, name in before.items() if photo not in again}
            before = {photo: name for photo, name in before.items() if photo in again}
        rows = self._rows.rows_of(self._copies[inside, 0])
        elsewhere = ~np.isin(self._rows.column("directory_id")[rows], list(wanted))
        copies = self._copies[inside][elsewhere].tolist()
        names = self._rows.texts_at(rows[elsewhere], ("name",))[0]
        files = self._copy_names[inside][elsewhere].tolist()
        for (photo, where), name, file in zip(copies, names, files, strict=True):
            # Half of a split pair is named with its suffix.
            suffixed = is_picture_name(str(name))
            here.setdefault(photo, (file if suffixed else PurePath(file).stem, where))
        changed = {photo for photo, _ in before.items() ^ here.items()}
        if changed:
            self.copies_here = others | here
            self.names_serial += 1
        return changed

    # --- the tree of folders

    def count_by_directories(self) -> dict[DirectoryIds, int]:
        """Count photos by the directories they are shown in.

        Photos that are gone (merged, removed or emptied) are left out. Photos of disabled folders
        count in the directory of their main file only.
        """
        copied, where = self._copied()
        seen = self.alive()[copied]
        here = ~self._rows.column("gone")
        return count_photos(self._rows.column("directory_id"), here, copied[seen], where[seen])


def count_photos(main: Ids, here: Mask, rows: Ids, copies: Ids) -> dict[DirectoryIds, int]:
    """Count photos by directory.

    Args:
        main: (N,) directory id of each photo's main file.
        here: (N,) which photos to count.
        rows: (M,) the rows with a copy, one entry per copy.
        copies: (M,) directory id of that copy.
    """
    alone = here.copy()
    alone[rows] = False
    found: dict[DirectoryIds, int] = {(where,): number for where, number in _each(main[alone])}
    order = np.lexsort((copies, rows))
    copies = copies[order]
    photos, first, numbers = np.unique(rows[order], return_index=True, return_counts=True)
    for number in np.unique(numbers).tolist():
        has = numbers == number
        spread = [copies[first[has] + each] for each in range(number)]
        where, counts = np.unique(
            np.column_stack([main[photos[has]], *spread]), axis=0, return_counts=True
        )
        found |= dict(zip(map(tuple, where.tolist()), counts.tolist(), strict=True))
    return found


def _each(directories: Ids) -> Iterator[tuple[int, int]]:
    where, counts = np.unique(directories, return_counts=True)
    return zip(where.tolist(), counts.tolist(), strict=True)
