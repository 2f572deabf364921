"""Folders the person added, the directories below them, and where the person was in each scope.

The pipeline scans these folders; the sidebar lists them. Nothing on disk is changed here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from curator.catalog.fields import PRESENT
from curator.catalog.identity import Identity
from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store, folder_prefix
from curator.catalog.work import WorkQueue
from curator.model import NotFoundError


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder of the catalog.

    Attributes:
        id: of the folder.
        path: where it is.
        enabled: whether its photos are shown and processed.
        recursive: whether subfolders belong to it.
        sampled: only a sample of its photos was added, and scans add no others.
        added_at: Unix time.
        scanned_at: Unix time, None before the first complete scan.
        photos: how many it has; None unless asked for.
        volume: key of the volume it is on, None where volumes have no identity.
        volume_name: what the volume is called.
        within: its path on the volume.
        away: whether it could not be reached at the last check.
        unplugged: whether that was because of its volume.
    """

    id: int
    path: str
    enabled: bool
    recursive: bool
    sampled: bool
    added_at: float
    scanned_at: float | None
    photos: int | None = None
    volume: str | None = None
    volume_name: str | None = None
    within: str | None = None
    away: bool = False
    unplugged: bool = False

    @property
    def absence(self) -> str:
        """Why the folder cannot be reached (``T7 Shield unplugged``); empty if it can."""
        return absence(self.unplugged, self.volume, self.volume_name) if self.away else ""


def absence(unplugged: bool, volume: str | None, name: str | None) -> str:
    """Return why a folder that is away cannot be reached."""
    if not unplugged or not volume or not name:
        return "folder not there now"
    share = volume.startswith(("//", "\\\\")) or ":/" in volume
    return f"{name} {'not connected' if share else 'unplugged'}"


@reports_damage
@dataclass(eq=False)
class Folders:
    """Adds, disables and removes folders."""

    _store: Store
    _work: WorkQueue
    _identity: Identity

    def all(self, counted: bool = False) -> list[FolderRow]:
        """List the folders by path; ``counted`` also counts their photos (20 ms at 100,000)."""
        counts: dict[int, int] = {}
        if counted:
            counts = dict(
                self._store.rows(
                    "SELECT folder_id, sum(photos) FROM directory JOIN"
                    " (SELECT directory_id, count(*) AS photos FROM photo AS p"
                    f" WHERE {PRESENT} GROUP BY directory_id)"
                    " ON directory_id = directory.id GROUP BY folder_id"
                )
            )
        rows = self._store.rows(
            "SELECT id, path, enabled, recursive, sampled, added_at, scanned_at, volume,"
            " volume_name, within, away_since IS NOT NULL, unplugged FROM folder ORDER BY path"
        )
        return [
            FolderRow(
                *[
                    *row[:2],
                    *map(bool, row[2:5]),
                    *row[5:7],
                    counts.get(row[0], 0) if counted else None,
                    *row[7:10],
                    *map(bool, row[10:]),
                ]
            )
            for row in rows
        ]

    def directories(self) -> list[tuple[int, int | None, str]]:
        """List (id, folder id or None, path) of all directories that have or had photos."""
        return self._store.rows("SELECT id, folder_id, path FROM directory")

    def containing(self, path: str | Path) -> FolderRow | None:
        """Find the folder that contains a path: the path itself or the nearest above it.

        A folder without its subfolders contains only its own path.
        """
        wanted = Path(path)
        found = [
            row
            for row in self.all()
            if Path(row.path) == wanted or (row.recursive and Path(row.path) in wanted.parents)
        ]
        return max(found, key=lambda row: len(row.path), default=None)

    def ensure(self, path: str | Path, recursive: bool = True, sampled: bool = False) -> int:
        """Return the folder above a path that shows it; otherwise add the path with these options.

        A folder above that is switched off or sampled does not count.
        """
        known = self.containing(path)
        if known and known.path != str(path) and known.enabled and not known.sampled:
            return known.id
        return self.add(path, recursive, sampled)

    def add(self, path: str | Path, recursive: bool = True, sampled: bool = False) -> int:
        """Add a folder; an existing folder gets the new options.

        Adding a sampled folder again without ``sampled`` makes it complete and enables it; a
        re-scan does neither.

        Returns:
            The folder's id.
        """
        with self._store.transaction():
            self._store.run(
                "INSERT INTO folder (path, recursive, sampled, added_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET recursive = max(recursive, excluded.recursive),"
                " sampled = min(sampled, excluded.sampled)",
                (str(path), recursive, sampled, time.time()),
            )
            number = int(self._store.value("SELECT id FROM folder WHERE path = ?", (str(path),)))
            # Photos kept when their folder was removed belong to a folder again.
            prefix = folder_prefix(path)
            self._store.run(
                "UPDATE directory SET folder_id = ? WHERE folder_id IS NULL AND (path = ?"
                " OR (? AND substr(path, 1, ?) = ?))",
                (number, str(path), recursive, len(prefix), prefix),
            )
            if not self._store.value("SELECT enabled FROM folder WHERE id = ?", (number,)):
                self.enable(number, True)
        return number

    def enable(self, folder_id: int, enabled: bool) -> None:
        """Enable or disable a folder. Photos of a disabled folder are neither shown nor processed.

        A photo with a copy in an enabled folder is shown in and read from that folder.

        Raises:
            NotFoundError: the folder does not exist.
        """
        with self._store.transaction():
            self._require(folder_id)
            self._store.run("UPDATE folder SET enabled = ? WHERE id = ?", (enabled, folder_id))
            self._identity.sync(self._with_other_files(folder_id))
            self._work.refresh_ready(self._photos_in(folder_id))

    def remove(self, folder_id: int, keep_photos: bool) -> int:
        """Remove a folder from the catalog; nothing on disk is touched.

        With ``keep_photos`` its photos stay, without a folder. Otherwise they are hidden. Their
        rows and decisions stay, so that adding the folder again restores them with their marks. A
        photo with a copy in another folder stays there.

        Returns:
            How many photos were hidden.

        Raises:
            NotFoundError: the folder does not exist.
        """
        now = time.time()
        with self._store.transaction():
            self._require(folder_id)
            gone: list[int] = []
            if not keep_photos:
                inside = self._store.rows(
                    "SELECT file.id, photo_id FROM file JOIN directory"
                    " ON directory.id = file.directory_id WHERE folder_id = ?",
                    (folder_id,),
                )
                self._store.run_many(
                    "UPDATE file SET missing_since = coalesce(missing_since, ?) WHERE id = ?",
                    [(now, file) for file, _ in inside],
                )
                photos = sorted({photo for _, photo in inside})
                self._identity.sync(self._with_other_files(folder_id))
                gone = self._store.values(
                    "SELECT id FROM photo WHERE missing AND id IN (SELECT value FROM json_each(?))",
                    (json.dumps(photos),),
                )
                self._store.run_many(
                    "UPDATE photo SET removed_at = ? WHERE id = ?", [(now, p) for p in gone]
                )
            else:
                photos = self._photos_in(folder_id)
            self._store.run("DELETE FROM folder WHERE id = ?", (folder_id,))
            self._work.refresh_ready(photos)
        return len(gone)

    def _require(self, folder_id: int) -> None:
        if self._store.row("SELECT 1 FROM folder WHERE id = ?", (folder_id,)) is None:
            raise NotFoundError(
                f"Folder {folder_id} not found.", "`curator folders` lists all folders."
            )

    def _with_other_files(self, folder_id: int) -> list[int]:
        """List the photos that have a file in a folder, and another one outside of it."""
        return self._store.values(
            "SELECT DISTINCT photo_id FROM directory JOIN file ON directory_id = directory.id"
            " WHERE folder_id = ?1 AND EXISTS (SELECT 1 FROM file AS other"
            " JOIN directory AS there ON there.id = other.directory_id"
            " WHERE other.photo_id = file.photo_id AND there.folder_id IS NOT ?1)",
            (folder_id,),
        )

    def _photos_in(self, folder_id: int) -> list[int]:
        return self._store.values(
            "SELECT photo.id FROM photo JOIN directory ON directory.id = directory_id"
            " WHERE folder_id = ?",
            (folder_id,),
        )

    def position(self, scope: str) -> dict[str, object] | None:
        """Return where the person was in a scope, or None."""
        text = self._store.value("SELECT value FROM place WHERE scope = ?", (scope,))
        return None if text is None else dict(json.loads(text))

    def save_position(self, scope: str, position: Mapping[str, object]) -> None:
        """Save where the person is in a scope: any JSON-able facts."""
        with self._store.transaction():
            self._store.upsert("place", "scope", scope=scope, value=json.dumps(dict(position)))

    def moves(self) -> list[tuple[float, str, str]]:
        """List (time, old path, new path) of the moves of folders, the earliest first."""
        return json.loads(self._store.meta("moves") or "[]")


def moved(path: str, old: str, new: str) -> str:
    """Return the present path of something that may lie in folder ``old``, which is now ``new``."""
    if path == old:
        return new
    inside = folder_prefix(old)
    return folder_prefix(new) + path[len(inside) :] if path.startswith(inside) else path
