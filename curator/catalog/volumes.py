"""Folders on volumes that come and go: which volume each is on, which are away, and re-linking.

The pipeline recognizes a folder by its volume's key and its path on the volume
(`curator.volumes`). What is written here changes paths and what can be processed, never decisions:
because a drive has another mount point, nothing is read or converted again, or taken for missing.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curator.catalog.folders import FolderRow, Folders, moved
from curator.catalog.integrity import reports_damage
from curator.catalog.photo_files import FileRow, PhotoFiles
from curator.catalog.store import Store, path_range, paused_chunks
from curator.catalog.work import WorkQueue

_MOVES = 500  # moves remembered, to translate the scopes of steps
_SAMPLE = 8  # files by which a folder is distinguished from another at the same path


@reports_damage
@dataclass(eq=False)
class Volumes:
    """Tracks the volumes of folders, and moves folders to new paths."""

    _store: Store
    _files: PhotoFiles
    _work: WorkQueue
    _folders: Folders

    def note(self, folder_id: int, key: str | None, name: str, within: str) -> None:
        """Record which volume a folder is on; without a key it is known by its path alone."""
        known = (key, name, within) if key is not None else (None, None, None)
        sql = "UPDATE folder SET volume = ?, volume_name = ?, within = ? WHERE id = ?"
        with self._store.transaction():
            self._store.run(sql, (*known, folder_id))

    def set_away(self, folder_id: int, away: bool, unplugged: bool = False) -> None:
        """Mark a folder as away or present; work that reads its files waits or continues.

        If this is interrupted half-way, another call of :meth:`refresh_waiting` finishes it.

        Args:
            folder_id: its id.
            away: whether it cannot be reached.
            unplugged: whether that is because of its volume.
        """
        sql = "UPDATE folder SET away_since = ?, unplugged = ? WHERE id = ?"
        with self._store.transaction():
            self._store.run(sql, (time.time() if away else None, away and unplugged, folder_id))
            if not away:  # failed reads and sidecar writes can be retried at once
                inside = (
                    "photo_id IN (SELECT photo.id FROM photo JOIN directory"
                    " ON directory.id = directory_id WHERE folder_id = ?)"
                )
                self._store.run(
                    "UPDATE work SET next_attempt_at = NULL, reason = NULL"
                    f" WHERE next_attempt_at IS NOT NULL AND {inside}",
                    (folder_id,),
                )
                self._store.run(
                    "UPDATE unwritten SET reason = NULL, tried_at = NULL"
                    f" WHERE reason IS NOT NULL AND {inside}",
                    (folder_id,),
                )
                self._store.increment("sidecars_rev")
        self.refresh_waiting(folder_id)

    def refresh_waiting(self, folder_id: int) -> None:
        """Update which work can run for a folder's files after it came or went."""
        sql = "SELECT away_since, enabled FROM folder WHERE id = ?"
        away, enabled = self._store.row(sql, (folder_id,)) or (None, False)
        workable = away is None and bool(enabled)
        wrong: set[int] = set()
        for stage in self._work.stages():
            needs = "".join(
                " AND NOT EXISTS (SELECT 1 FROM work AS n WHERE n.photo_id = w.photo_id"
                f" AND n.stage = '{name}' AND n.state <> 'done')"
                for name in (stage.needs if workable else ())
            )
            if stage.reads != "proxy":
                rows = self._store.rows(
                    "SELECT w.photo_id FROM work AS w JOIN file AS f ON f.photo_id = w.photo_id"
                    " AND f.role = 'main' AND f.missing_since IS NULL"
                    " JOIN directory AS d ON d.id = f.directory_id WHERE d.folder_id = ?"
                    f" AND w.stage = ? AND w.state = 'waiting' AND w.ready <> ?{needs}",
                    (folder_id, stage.name, workable),
                )
                wrong.update(row[0] for row in rows)
        for part in paused_chunks(sorted(wrong)):
            with self._store.transaction():
                self._work.refresh_ready(part)

    def away_among(self, photos: Iterable[int]) -> list[int]:
        """Return the photos among these whose files are in folders that are away."""
        rows = self._store.rows_for(
            "SELECT DISTINCT f.photo_id FROM file AS f JOIN directory AS d"
            " ON d.id = f.directory_id JOIN folder ON folder.id = d.folder_id"
            " WHERE f.role = 'main' AND folder.away_since IS NOT NULL AND f.photo_id IN ({})",
            photos,
        )
        return [row[0] for row in rows]

    def waiting_by_folder(self) -> dict[int, int]:
        """Count, for each folder that is away, the photos that wait for its files to be read.

        Photos of which only the faces are not measured yet can be viewed, and do not count.
        """
        stages = ", ".join(repr(rule.name) for rule in self._work.stages() if rule.reads == "file")
        return dict(
            self._store.rows(
                "SELECT d.folder_id, count(DISTINCT w.photo_id) FROM folder JOIN directory AS d"
                " ON d.folder_id = folder.id JOIN file AS f ON f.directory_id = d.id"
                " AND f.role = 'main' AND f.missing_since IS NULL JOIN work AS w"
                f" ON w.photo_id = f.photo_id AND w.state = 'waiting' AND w.stage IN ({stages})"
                " WHERE folder.away_since IS NOT NULL AND folder.enabled GROUP BY d.folder_id"
            )
        )

    def waiting_by_volume(self) -> dict[str, int]:
        """Count the photos that wait for folders that are away, by the name of the drive.

        Where the drive is unknown, by the name of the folder.
        """
        waiting = self.waiting_by_folder()
        names: dict[str, int] = {}
        for row in self._folders.all():
            if waiting.get(row.id):
                name = row.volume_name or Path(row.path).name or row.path
                names[name] = names.get(name, 0) + waiting[row.id]
        return names

    def sample_files(self, folder_id: int) -> list[FileRow]:
        """Return a few files by which a folder is distinguished from another at the same path."""
        return self._files.where(
            "directory.folder_id = ? AND role <> 'former' AND missing_since IS NULL"
            " ORDER BY random() LIMIT ?",
            (folder_id, _SAMPLE),
        )

    # --- re-linking

    def relink(self, folder_id: int, path: str) -> int:
        """Move a folder to another path with everything known in it, in one transaction.

        Directories, sidecars and positions move along by their paths. Steps of the journal are
        never rewritten: their scope is translated when they are read. If a folder at the new path
        is known already, the two are merged. Files this folder has at the same paths as the other
        are missing from now on, and the next scan identifies them by content.

        Returns:
            The id of the folder that is at the path now.
        """
        with self._store.transaction():
            old = str(self._store.value("SELECT path FROM folder WHERE id = ?", (folder_id,)))
            if old == path:
                return folder_id
            host = self._store.value("SELECT id FROM folder WHERE path = ?", (path,))
            self._join_directories(folder_id, old, path)
            steps = [(old, path)]
            # Paths that lie within each other would clash half-way: go by a prefix no path has.
            if path.startswith(old) or old.startswith(path):
                steps = [(old, f"moving:{old}"), (f"moving:{old}", path)]
            for start, end in steps:
                self._rename("directory", "path", start, end, f" AND folder_id = {folder_id}")
                self._rename("sidecar", "path", start, end)
            self._rename("place", "scope", old, path)
            self._note_move(old, path)
            sql = "SELECT json_extract(value, '$.scope') FROM place WHERE scope = ':last'"
            last = self._store.value(sql)
            if last is not None and (now := moved(last, old, path)) != last:
                sql = "UPDATE place SET value = json_set(value, '$.scope', ?) WHERE scope = ':last'"
                self._store.run(sql, (now,))
            if host is None:
                self._store.run("UPDATE folder SET path = ? WHERE id = ?", (path, folder_id))
                return folder_id
            self._store.run(
                "UPDATE directory SET folder_id = ? WHERE folder_id = ?", (host, folder_id)
            )
            self._store.run(
                "UPDATE folder SET enabled = max(folder.enabled, mine.enabled),"
                " recursive = max(folder.recursive, mine.recursive),"
                " sampled = min(folder.sampled, mine.sampled)"
                " FROM (SELECT * FROM folder WHERE id = ?) AS mine WHERE folder.id = ?",
                (folder_id, host),
            )
            self._store.run("DELETE FROM folder WHERE id = ?", (folder_id,))
        return int(host)

    def set_aside(self, folder: FolderRow) -> None:
        """Free the path of a folder that is away for another folder now at that path.

        The folder gets a path no volume has, which contains the volume's name. It is found again by
        the volume's key.
        """
        path = Path(folder.path)
        drive = re.sub(r'[<>:"/\\|?*]', " ", f"{folder.volume_name} {folder.volume}")
        self.relink(folder.id, str(Path(path.anchor, f"{drive} (away)", *path.parts[1:])))

    def _note_move(self, old: str, path: str) -> None:
        moves = [*self._folders.moves(), (time.time(), old, path)][-_MOVES:]
        self._store.set_meta("moves", json.dumps(moves))

    def _rename(self, table: str, column: str, old: str, new: str, condition: str = "") -> None:
        """Replace a path and the beginning of all paths inside it; rows that would clash stay."""
        (inside, end), (into, _) = path_range(old), path_range(new)
        self._store.run(
            f"UPDATE OR IGNORE {table} SET {column} = CASE {column} WHEN ? THEN ?"
            f" ELSE ? || substr({column}, ?) END"
            f" WHERE ({column} = ? OR {column} > ? AND {column} < ?){condition}",
            (old, new, into, len(inside) + 1, old, inside, end),
        )

    def _join_directories(self, folder_id: int, old: str, path: str) -> None:
        """Move the contents of directories into those that another folder has at their new paths.

        Photos whose directories are renamed by the move are queued for the text index.
        """
        now = time.time()
        renamed: list[int] = []
        for number, before in self._store.rows(
            "SELECT id, path FROM directory WHERE folder_id = ?", (folder_id,)
        ):
            after = moved(before, old, path)
            if Path(before).parts[-2:] != Path(after).parts[-2:]:
                renamed.append(number)
            other = self._store.value(
                "SELECT id FROM directory WHERE path = ? AND folder_id IS NOT ?", (after, folder_id)
            )
            if other is None:
                continue
            self._store.run(
                "UPDATE file SET missing_since = ? WHERE directory_id = ? AND missing_since IS NULL"
                " AND name IN (SELECT name FROM file WHERE directory_id = ?"
                " AND missing_since IS NULL)",
                (now, number, other),
            )
            for table in ("file", "photo"):
                self._store.run(
                    f"UPDATE {table} SET directory_id = ? WHERE directory_id = ?", (other, number)
                )
            self._store.run("DELETE FROM directory WHERE id = ?", (number,))
        self._store.run_many(
            "INSERT INTO photo_text_due SELECT id FROM photo WHERE directory_id = ?"
            " ON CONFLICT DO NOTHING",
            [(number,) for number in renamed],
        )
