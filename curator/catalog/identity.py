"""Which files are one photo. A photo is its content, not its path.

Scans, results of stages and undo use this. Files are matched by fingerprint. If the known file is
no longer where it was, it has moved. If it is still there, both files are read completely, and
equal bytes make the new file a copy of the same photo. Two photos that turn out to be one are
merged into the older: it gets the files and marks of both, and both journals stay.

Where a file must not or cannot be read completely now (as on a memory card), an equal fingerprint
makes a copy too if the photo has a capture time. Such a copy is unproved: it has no sha256, and is
proved before it may be removed. This module never opens a file itself: a :class:`FileReader` passed
in by the caller reads, and never while the write lock is held.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from curator.catalog.decisions import Decisions
from curator.catalog.fields import FIELDS, RELATIONS, STANDS, FieldKey, nothing
from curator.catalog.integrity import reports_damage
from curator.catalog.photo_files import Content, FileReader, FileRow, PhotoFiles
from curator.catalog.sidecar_files import SidecarFiles
from curator.catalog.store import Store, placeholders
from curator.catalog.tags import Tags
from curator.catalog.work import WorkQueue
from curator.model import Change, FoundFile, KnownError, UnavailableError


@dataclass(frozen=True, slots=True)
class Twin:
    """A known file with the same content as a file just found.

    ``moved``: the known file is gone, so this is that file at a new path. ``sha256`` is known if
    whole files were compared; without it a copy is unproved.
    """

    row: FileRow
    moved: bool
    sha256: str | None = None


def assign_roles(files: Sequence[FileRow], disabled: Collection[int] = ()) -> dict[int, str]:
    """Decide which file of a photo is the main one, which its other half, and which are copies.

    Present files come before missing ones and before those in ``disabled`` directories, RAW before
    other pictures; otherwise files keep their roles. The half of a RAW is taken from the same
    directory if possible. Former contents have no role here.
    """
    current = [file for file in files if file.role != "former"]
    pool = [file for file in current if file.missing_since is None] or current
    pool = [file for file in pool if file.directory_id not in disabled] or pool
    if not pool:
        return {}
    main = min(pool, key=lambda file: (file.kind != "raw", file.role != "main", file.id))
    roles = {file.id: "copy" for file in current} | {main.id: "main"}
    stem = PurePath(main.name).stem.casefold()
    images = [file for file in pool if file.kind == "image"] if main.kind == "raw" else []
    if images:
        half = min(
            images,
            key=lambda file: (
                file.directory_id != main.directory_id,
                PurePath(file.name).stem.casefold() != stem,
                file.role != "half",
                file.id,
            ),
        )
        roles[half.id] = "half"
    return roles


@reports_damage
@dataclass(eq=False)
class Identity:
    """Keeps photos, their files and their pending work consistent; merges and splits photos."""

    _store: Store
    _files: PhotoFiles
    _work: WorkQueue
    _decisions: Decisions
    _tags: Tags
    _sidecar_files: SidecarFiles

    # --- files of a photo

    def sync(self, photos: Iterable[int]) -> None:
        """Update roles, directory, name and pending work of photos from their files.

        Only inside a transaction.
        """
        ids = list(dict.fromkeys(photos))
        if not ids:
            return
        disabled = self._files.disabled_directories()
        files: defaultdict[int, list[FileRow]] = defaultdict(list)
        for file in self._files.where_in("photo_id IN ({}) ORDER BY file.id", ids):
            files[file.photo_id].append(file)
        split = self.split_among(ids)
        roles: list[tuple[str, int]] = []
        names: list[tuple[int, str, int]] = []
        sources: dict[int, str | None] = {}
        for photo, own in files.items():
            assigned = assign_roles(own, disabled)
            roles += [(assigned[f.id], f.id) for f in own if assigned.get(f.id, f.role) != f.role]
            main = next((file for file in own if assigned.get(file.id) == "main"), None)
            if main is None:
                continue
            # The halves of a split pair have the same stem: their suffixes tell them apart.
            name = main.name if photo in split else PurePath(main.name).stem
            names.append((main.directory_id, name, photo))
            if main.missing_since is None:
                sources[photo] = main.fingerprint
        self._store.run_many("UPDATE file SET role = ? WHERE id = ?", roles)
        self._store.run_many(
            "UPDATE photo SET directory_id = ?1, name = ?2"
            " WHERE id = ?3 AND (directory_id <> ?1 OR name <> ?2)",
            names,
        )
        self._work.requeue_outdated("file", sources)
        self._work.refresh_ready(ids)

    # --- the same content

    def find_twin(self, path: str, twins: Sequence[FileRow], reader: FileReader) -> Twin | None:
        """Find the known file that has the content of the file at this path.

        Reads whole files, so never inside a transaction. A known file that is gone has moved here,
        unless its sha256 is known and differs. A known file that is still there is read completely,
        as is the new one, and only equal bytes make a copy. If they cannot be read now, the
        fingerprint decides: a file that is gone has moved, and a photo with a capture time (which
        the fingerprint covers) has a copy.
        """
        assert not self._store.in_transaction, "files are not read while the write lock is held"
        digest: str | None = None
        likely: Twin | None = None
        for row in twins:
            there: bool | None = None
            try:
                there = row.is_there(reader)
                if not there and row.sha256 is None:
                    return Twin(row, moved=True)
                if there and os.path.samestat(reader.status(row.path), reader.status(path)):
                    return Twin(row, moved=False)  # a hard or symbolic link to itself
                digest = digest or reader.sha256(path)
                known = row.sha256 or reader.sha256(row.path)
            except UnavailableError:
                if there is False:
                    likely = likely if likely is not None and likely.moved else Twin(row, True)
                elif likely is None and self.is_dated(row.photo_id):
                    likely = Twin(row, moved=False)
                continue
            except KnownError:
                continue
            if known == digest:
                return Twin(row, moved=not there, sha256=digest)
        return likely

    def reads_whole(self, path: str, twins: Sequence[FileRow], reader: FileReader) -> bool:
        """Whether :meth:`find_twin` reads whole files, which may take minutes."""
        for row in twins:
            try:
                there = row.is_there(reader)
                if not there and row.sha256 is None:
                    return False
                if there and os.path.samestat(reader.status(row.path), reader.status(path)):
                    return False
            except KnownError:
                continue
            return True
        return False

    def is_dated(self, photo: int) -> bool:
        """Whether a photo has a capture time."""
        return bool(
            self._store.value("SELECT taken_at IS NOT NULL FROM photo WHERE id = ?", (photo,))
        )

    def attach(
        self, photo: int, directory_id: int, found: FoundFile, content: Content, twin: Twin | None
    ) -> None:
        """Add a file to a photo: move the twin's row to this path, or insert a new row."""
        if twin is None or not twin.moved:
            self._files.add(photo, directory_id, found, "copy" if twin else "half", content)
        else:
            self._store.run(
                "UPDATE file SET photo_id = ?, directory_id = ?, name = ?, kind = ?, size = ?,"
                " mtime_ns = ?, missing_since = NULL, emptied_at = NULL,"
                " role = CASE role WHEN 'former' THEN 'copy' ELSE role END WHERE id = ?",
                (
                    photo,
                    directory_id,
                    found.name,
                    str(found.kind),
                    found.size,
                    found.mtime_ns,
                    twin.row.id,
                ),
            )
        if twin is not None and twin.sha256 is not None:
            self._store.run("UPDATE file SET sha256 = ? WHERE id = ?", (twin.sha256, twin.row.id))
        self.bring_back(photo)

    def bring_back(self, photo: int) -> None:
        """Show a removed or emptied photo again; other photos stay as they are.

        Its vectors get new revisions: readers of vectors have already passed the old ones.
        """
        if self._store.run(
            "UPDATE photo SET removed_at = NULL, emptied_at = NULL WHERE id = ?"
            " AND (removed_at IS NOT NULL OR emptied_at IS NOT NULL)",
            (photo,),
        ).rowcount:
            self._store.run(
                "UPDATE vector SET rev = (SELECT max(rev) + 1 FROM vector AS v"
                " WHERE v.encoder = vector.encoder) WHERE photo_id = ?",
                (photo,),
            )

    # --- pairs split by hand

    def split_among(self, photos: Collection[int]) -> set[int]:
        """Return the photos among these that are, or once were, half of a pair split by hand."""
        sql = "SELECT id FROM photo WHERE (apart OR half_of IS NOT NULL) AND id IN ({})"
        return {row[0] for row in self._store.rows_for(sql, photos)}

    def split(self, photo: int, undo_join: bool = False) -> None:
        """Make the second file of a RAW+JPEG pair a photo of its own, with the marks of the pair.

        If it was a photo of its own before, it becomes that photo again. ``undo_join``: the person
        undid joining the two, so that each gets back the decisions made about it alone.
        """
        # Copies move with it: a copy left behind would make the next scan merge the two again.
        halves = self._files.where(
            "photo_id = ?1 AND kind = 'image' AND role <> 'former' AND EXISTS (SELECT 1 FROM file"
            " WHERE photo_id = ?1 AND role = 'main' AND kind = 'raw') ORDER BY role <> 'half'",
            (photo,),
        )
        if not halves:
            return
        other = self._store.value(
            "SELECT id FROM photo WHERE half_of = ?1 AND merged_into = ?1", (photo,)
        )
        if other is None:
            other = self._files.add_photo(halves[0].directory_id, halves[0].name)
            self._store.run("UPDATE photo SET half_of = ? WHERE id = ?", (photo, other))
        self._store.run("UPDATE photo SET merged_into = NULL WHERE id = ?", (other,))
        self._work.add_photos([other])
        names = [name for name in FIELDS if name != "apart"]
        self._store.run(
            f"UPDATE photo SET {', '.join(f'{name} = pair.{name}' for name in names)}"
            " FROM photo AS pair WHERE photo.id = ? AND pair.id = ?",
            (other, photo),
        )
        self._share(photo, other)
        if undo_join:
            self._restore_own_marks(photo, other)
        self._store.run_many(
            "UPDATE file SET photo_id = ?, role = ? WHERE id = ?",
            [(other, "main" if file is halves[0] else "copy", file.id) for file in halves],
        )
        self.sync([photo, other])

    def _share(self, pair: int, half: int) -> None:
        """Copy tags and projects of a pair to its half.

        Suggested tags are left out: models process the half as a photo of its own.
        """
        for table, columns, of in (
            ("photo_tag", "tag_id, source, confidence, state", " AND source IN ('person', 'file')"),
            ("photo_project", "project_id, place", ""),
        ):
            self._store.run(f"DELETE FROM {table} WHERE photo_id = ?{of}", (half,))
            self._store.run(
                f"INSERT INTO {table} (photo_id, {columns}) SELECT ?, {columns} FROM {table}"
                f" WHERE photo_id = ?{of}",
                (half, pair),
            )
        self._store.increment("tags_rev")
        self._store.increment("projects_anew")

    def _restore_own_marks(self, pair: int, half: int) -> None:
        """Restore the marks of two halves that were joined, from their own journals.

        Decisions made before the split count for both, except comparisons, which stay with the
        pair. So do comparisons that the half lost while it was a photo of its own.
        """
        split = self._store.value(
            "SELECT max(d.step_id) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            f" WHERE d.photo_id = ? AND d.field = 'apart' AND d.after AND {STANDS}",
            (pair,),
        )
        fields: set[FieldKey] = {(name, None) for name in FIELDS if name != "apart"}
        fields |= {
            (name, about)
            for name, about in self._store.rows(
                "SELECT field, about FROM decision WHERE photo_id IN (?, ?) AND about IS NOT NULL",
                (pair, half),
            )
        }
        changes = []
        for photo, other in ((pair, half), (half, pair)):
            own = self._decisions.family(photo)
            for name, about in fields:
                since = split if photo == half and name == "over" else 0
                found = self._store.value(
                    "SELECT json_array(d.after) FROM decision AS d JOIN step AS s"
                    f" ON s.id = d.step_id WHERE {STANDS} AND d.field = ? AND d.about IS ?"
                    f" AND (d.photo_id IN ({placeholders(len(own))}) AND d.step_id > ?"
                    " OR d.photo_id = ? AND d.step_id < ?) ORDER BY d.id DESC LIMIT 1",
                    (name, about, *own, since, other, 0 if since else split),
                )
                value = nothing(name) if found is None else json.loads(found)[0]
                changes.append(Change(photo, name, None, value, about))
        self._decisions.apply(changes)
        self._store.increment("projects_anew")  # no decision records this, nor did one the join
        self._store.run_many(
            "INSERT INTO unwritten (photo_id, since) VALUES (?, ?)"
            " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since",
            [(photo, time.time()) for photo in (pair, half)],
        )

    def join(self, photo: int) -> None:
        """Make the two halves one photo again; the newest decision wins for each field."""
        sql = "SELECT id FROM photo WHERE half_of = ? AND merged_into IS NULL"
        self.merge([photo, *self._store.values(sql, (photo,))])
        self.sync([photo])

    def pair_of(self, photo_id: int) -> int | None:
        """Return the photo whose half this is or was, or itself for a split pair, or None."""
        return self._store.value(
            "SELECT CASE WHEN apart THEN id ELSE half_of END FROM photo WHERE id = ?", (photo_id,)
        )

    # --- merging

    def merge(self, photos: Iterable[int]) -> int:
        """Merge photos that turned out to be the same into the oldest; return its id.

        It gets all files, and for each field the newest decision not undone. Every entry of the
        journal keeps its photo id. Only inside a transaction.
        """
        ids = sorted(set(photos))
        survivor, others = ids[0], ids[1:]
        if not others:
            return survivor
        for other in others:
            self._store.run("UPDATE file SET photo_id = ? WHERE photo_id = ?", (survivor, other))
            self._store.run("DELETE FROM work WHERE photo_id = ?", (other,))
            self._tags.merge_photo(survivor, other)
            self._sidecar_files.merge_photo(survivor, other)
            self._store.run(
                "UPDATE OR IGNORE description SET photo_id = ? WHERE photo_id = ?",
                (survivor, other),
            )
            self._store.run(
                "UPDATE text_line SET photo_id = ? WHERE photo_id = ?"
                " AND NOT EXISTS (SELECT 1 FROM text_line WHERE photo_id = ?)",
                (survivor, other, survivor),
            )
            for relation in RELATIONS.values():
                for statement in relation.merge:
                    self._store.run(statement, (survivor, other))
            self._store.run(
                "UPDATE photo SET merged_into = ? WHERE merged_into = ?", (survivor, other)
            )
            self._store.run("UPDATE photo SET half_of = ? WHERE half_of = ?", (survivor, other))
            self._store.run("UPDATE photo SET merged_into = ? WHERE id = ?", (survivor, other))
            self._store.run(
                "UPDATE photo SET seen_at = coalesce(photo.seen_at, o.seen_at),"
                " turn = CASE photo.turn WHEN 0 THEN o.turn ELSE photo.turn END"
                " FROM photo AS o WHERE photo.id = ? AND o.id = ?",
                (survivor, other),
            )
            if self._store.value(
                "SELECT removed_at IS NULL AND emptied_at IS NULL FROM photo WHERE id = ?", (other,)
            ):
                self.bring_back(survivor)
        family = self._decisions.family(survivor)
        for field in FIELDS:
            standing = self._decisions.standing(family, (field, None))
            if standing is not None:
                self._store.run(
                    f"UPDATE photo SET {field} = ? WHERE id = ?", (standing[1], survivor)
                )
        return survivor
