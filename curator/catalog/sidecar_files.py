"""The table `sidecar`: which XMP files lie beside which photos, and whether they were read.

Scans report the files they find here. What sidecars say is imported in `metadata_import`; what
they should say is computed in `sidecars`. No file is opened here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from curator.catalog.integrity import reports_damage
from curator.catalog.store import Store, path_range
from curator.model import FoundFile

FoundSidecars = Sequence[tuple[int, Sequence[FoundFile]]]
"""Photos with the sidecars found beside them."""


class SidecarRow(NamedTuple):
    """A row of the table ``sidecar`` (see `schema.Sidecar`); JSON as it is stored.

    ``agreed`` is the column ``said``.
    """

    id: int
    photo_id: int
    path: str
    digest: str
    size: int
    mtime_ns: int
    metadata_date: str | None
    agreed: str | None
    theirs: str | None
    state: str
    reason: str | None

    @property
    def base(self) -> dict[str, Any] | None:
        """The content file and catalog last agreed on; None if the file was never read."""
        return None if self.agreed is None else json.loads(self.agreed)


@reports_damage
@dataclass(eq=False)
class SidecarFiles:
    """Records which sidecars exist, which photo each belongs to, and which have changed."""

    _store: Store

    def where(self, column: str, values: Iterable[object]) -> list[SidecarRow]:
        """Return the sidecars with one of these values in a column, by path."""
        columns = ", ".join(SidecarRow._fields).replace("agreed", "said")  # the column's old name
        sql = f"SELECT {columns} FROM sidecar WHERE {column} IN ({{}}) ORDER BY path"
        return [SidecarRow(*row) for row in self._store.rows_for(sql, values)]

    def note_found(self, found_by_photo: FoundSidecars) -> list[int]:
        """Record the sidecars a scan found; return photos with a new or changed one.

        Only inside a transaction.
        """
        news = self._news(found_by_photo)
        self._store.run_many(
            # A sidecar that moved with its photo keeps what was agreed on at its old path.
            "INSERT INTO sidecar (photo_id, path, digest, size, mtime_ns, state, said)"
            " VALUES (?1, ?2, '', ?3, ?4, 'unread', (SELECT said FROM sidecar"
            " WHERE photo_id = ?1 AND size = ?3 AND mtime_ns = ?4 AND path <> ?2))"
            " ON CONFLICT (path) DO UPDATE SET"
            " photo_id = excluded.photo_id, size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, state = 'unread', reason = NULL,"
            # Beside another photo nothing has been agreed on yet.
            " said = CASE WHEN photo_id = excluded.photo_id THEN said END,"
            " digest = CASE WHEN photo_id = excluded.photo_id THEN digest ELSE '' END,"
            " theirs = CASE WHEN photo_id = excluded.photo_id THEN theirs END",
            [(photo, found.path, found.size, found.mtime_ns) for photo, found in news],
        )
        return list(dict.fromkeys(photo for photo, _ in news))

    def has_news(self, found_by_photo: FoundSidecars) -> bool:
        """Whether one of these sidecars is new, changed or beside another photo; reads only."""
        return bool(self._news(found_by_photo))

    def _news(self, found_by_photo: FoundSidecars) -> list[tuple[int, FoundFile]]:
        found_by_photo = self.by_owner(found_by_photo)
        paths = [found.path for _, sidecars in found_by_photo for found in sidecars]
        known = {
            (row.path, row.size, row.mtime_ns, row.photo_id) for row in self.where("path", paths)
        }
        return [
            (photo, found)
            for photo, sidecars in found_by_photo
            for found in sidecars
            if (found.path, found.size, found.mtime_ns, photo) not in known
        ]

    def by_owner(self, found_by_photo: FoundSidecars) -> FoundSidecars:
        """Assign sidecars that name one half of a split pair to that half."""
        halves = {
            (pair, str(Path(directory, name)).casefold()): half
            for pair, half, directory, name in self._store.rows_for(
                "SELECT half_of, photo.id, path, file.name FROM photo"
                " JOIN file ON file.photo_id = photo.id JOIN directory ON directory.id ="
                " file.directory_id WHERE role <> 'former' AND merged_into IS NULL"
                " AND half_of IN ({})",
                [photo for photo, _ in found_by_photo],
            )
        }
        if not halves:
            return found_by_photo
        found: dict[int, list[FoundFile]] = {}
        for photo, sidecars in found_by_photo:
            for sidecar in sidecars:
                named = str(Path(sidecar.path).with_suffix("")).casefold()
                found.setdefault(halves.get((photo, named), photo), []).append(sidecar)
        return [*found.items()]

    def photos_with_unread(self, ids: Sequence[int]) -> list[int]:
        """Return the photos among these that have a sidecar not read yet."""
        sql = "SELECT DISTINCT photo_id FROM sidecar WHERE state = 'unread' AND photo_id IN ({})"
        return [row[0] for row in self._store.rows_for(sql, ids)]

    def below(self, root: str, deep: bool) -> list[tuple[int, str]]:
        """List (id, path) of the known sidecars in a folder; ``deep`` includes subfolders."""
        rows = self._store.rows(
            "SELECT id, path FROM sidecar WHERE path > ? AND path < ?", path_range(root)
        )
        return [row for row in rows if deep or str(Path(row[1]).parent) == root]

    def remove(self, gone: Sequence[int]) -> None:
        """Remove the rows of sidecars that are gone; the marks stay."""
        if gone:
            with self._store.transaction():
                self._store.run_many("DELETE FROM sidecar WHERE id = ?", [(row,) for row in gone])

    def merge_photo(self, survivor: int, other: int) -> None:
        """Move the sidecars of a photo to another that turned out to be the same."""
        self._store.run("UPDATE sidecar SET photo_id = ? WHERE photo_id = ?", (survivor, other))
        self._store.run(
            "UPDATE OR IGNORE unwritten SET photo_id = ? WHERE photo_id = ?", (survivor, other)
        )
        self._store.run("DELETE FROM unwritten WHERE photo_id = ?", (other,))
