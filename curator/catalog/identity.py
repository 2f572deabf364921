"""A photo is its content, not its path: which files are one photo, and what follows from it.

Files are matched by fingerprint. If the known file is no longer where it was, it moved; if it is,
both are read whole, and equal bytes are a copy of the same photo. Two photos that prove to be
one are merged into the older: files and marks go there, both journals stay. Where either must not
or cannot be read whole now (a card is not, unasked), a fingerprint that agrees with that of a photo
whose capture time is known makes a copy too, unproved: it has no sha256, and is proven before it
is removed. Nothing here touches a file itself: what the caller passes as :class:`FileReader`
(`curator.files`) does, and never while the write lock is held.
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
from curator.catalog.integrity import judging
from curator.catalog.photo_files import Content, FileReader, FileRow, PhotoFiles
from curator.catalog.sidecar_files import SidecarFiles
from curator.catalog.store import Store, chunks, marks
from curator.catalog.tags import Tags
from curator.catalog.work import WorkQueue
from curator.model import Change, FoundFile, KnownError, UnavailableError


@dataclass(frozen=True, slots=True)
class Twin:
    """A known file that holds the same content as one just met; unproved without a ``sha256``."""

    row: FileRow
    moved: bool
    sha256: str | None = None


def assign_roles(files: Sequence[FileRow], off: Collection[int] = ()) -> dict[int, str]:
    """Decide which file of a photo is main, which its half, which are copies.

    What is there goes before what is missing, and before what lies in directories that are
    ``off``; a RAW before a picture; what was main or half stays so. The half of a RAW lies
    beside it if it can.
    """
    current = [file for file in files if file.role != "former"]
    pool = [file for file in current if file.missing_since is None] or current
    pool = [file for file in pool if file.directory_id not in off] or pool
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


@judging
class Identity:
    """The part of the catalog that keeps photos, files and work in step."""

    def __init__(
        self,
        store: Store,
        files: PhotoFiles,
        work: WorkQueue,
        decisions: Decisions,
        tags: Tags,
        sidecar_files: SidecarFiles,
    ) -> None:
        self._store = store
        self._files = files
        self._work = work
        self._decisions = decisions
        self._tags = tags
        self._sidecar_files = sidecar_files

    # --- stages

    # --- files of a photo

    def sync(self, photos: Iterable[int]) -> None:
        """Bring roles, place, name and work of photos in line with their files."""
        ids = list(dict.fromkeys(photos))
        off = self._files.disabled_directories() if ids else set()
        for part in chunks(ids):
            self._sync_some(part, off)
        self._work.refresh_ready(ids)

    def _sync_some(self, photos: Sequence[int], off: Collection[int]) -> None:
        files: defaultdict[int, list[FileRow]] = defaultdict(list)
        for file in self._files.where(
            f"photo_id IN ({marks(len(photos))}) ORDER BY file.id", photos
        ):
            files[file.photo_id].append(file)
        apart = self.split_among(photos)
        roles: list[tuple[str, int]] = []
        places: list[tuple[int, str, int]] = []
        sources: dict[int, str | None] = {}
        for photo, own in files.items():
            now = assign_roles(own, off)
            roles += [(now[f.id], f.id) for f in own if now.get(f.id, f.role) != f.role]
            main = next((file for file in own if now.get(file.id) == "main"), None)
            if main is None:
                continue
            name = main.name if photo in apart else PurePath(main.name).stem
            places.append((main.directory_id, name, photo))
            if main.missing_since is None:
                sources[photo] = main.fingerprint
        self._store.run_many("UPDATE file SET role = ? WHERE id = ?", roles)
        self._store.run_many(
            "UPDATE photo SET directory_id = ?1, name = ?2"
            " WHERE id = ?3 AND (directory_id <> ?1 OR name <> ?2)",
            places,
        )
        self._work.requeue_outdated("file", sources)

    # --- the same content

    def find_twin(self, path: str, twins: Sequence[FileRow], reader: FileReader) -> Twin | None:
        """Find the known file whose content this path holds; reads whole files, so no lock.

        A twin that is gone moved here, unless its sha256 is known and says otherwise. A twin
        that is still there is read whole, as is the file; only equal bytes are a copy. Where that
        cannot be now, the fingerprint is taken at its word: one that is gone moved, and one whose
        photo has a capture time (which the fingerprint covers) has a copy.
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
                elif likely is None and self._is_dated(row.photo_id):
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

    def _is_dated(self, photo: int) -> bool:
        return bool(
            self._store.value("SELECT taken_at IS NOT NULL FROM photo WHERE id = ?", (photo,))
        )

    def attach(
        self, photo: int, directory_id: int, found: FoundFile, content: Content, twin: Twin | None
    ) -> None:
        """Make a file one of a photo's: move the twin's row here, or add one."""
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
        """Have a photo back that was removed, or its files; of others nothing changes.

        Its vectors are new again: who read vectors meanwhile went past them.
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

    # --- pairs made two photos by hand

    def split_among(self, photos: Collection[int]) -> set[int]:
        """Give those of these photos that are, or were, half of a pair made two."""
        rows = self._store.rows(
            f"SELECT id FROM photo WHERE id IN ({marks(len(photos))})"
            " AND (apart OR half_of IS NOT NULL)",
            [*photos],
        )
        return {row[0] for row in rows}

    def split(self, photo: int, again: bool = False) -> None:
        """Make the other half of a pair a photo of its own, marked as the pair is.

        If it has been one before, it is that one again; ``again``: with what was decided of each
        of the two, since the person takes back that they were made one.
        """
        # Its copies go with it: one left here would prove the two to be one at the next look.
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
        if again:
            self._restore_own_marks(photo, other)
        self._store.run_many(
            "UPDATE file SET photo_id = ?, role = ? WHERE id = ?",
            [(other, "main" if file is halves[0] else "copy", file.id) for file in halves],
        )
        self.sync([photo, other])

    def _share(self, pair: int, half: int) -> None:
        """Give a half the tags and projects of its pair; what a model sees it is asked anew."""
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
        """Give two halves that were made one what each was before, by their journals.

        What was decided of either before they were split counts for both; but duels a half had in
        an earlier life stayed with the pair.
        """
        split = self._store.value(
            "SELECT max(d.step_id) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            f" WHERE d.photo_id = ? AND d.field = 'apart' AND d.after AND {STANDS}",
            (pair,),
        )
        places: set[FieldKey] = {(name, None) for name in FIELDS if name != "apart"}
        places |= {
            (name, about)
            for name, about in self._store.rows(
                "SELECT field, about FROM decision WHERE photo_id IN (?, ?) AND about IS NOT NULL",
                (pair, half),
            )
        }
        changes = []
        for photo, other in ((pair, half), (half, pair)):
            own = self._decisions.family(photo)
            for name, about in places:
                since = split if photo == half and name == "over" else 0
                found = self._store.value(
                    "SELECT json_array(d.after) FROM decision AS d JOIN step AS s"
                    f" ON s.id = d.step_id WHERE {STANDS} AND d.field = ? AND d.about IS ?"
                    f" AND (d.photo_id IN ({marks(len(own))}) AND d.step_id > ?"
                    " OR d.photo_id = ? AND d.step_id < ?) ORDER BY d.id DESC LIMIT 1",
                    (name, about, *own, since, other, 0 if since else split),
                )
                value = nothing(name) if found is None else json.loads(found)[0]
                changes.append(Change(photo, name, None, value, about))
        self._decisions.apply(changes)
        self._store.increment("projects_anew")  # as when they were made one: no decision says it
        self._store.run_many(
            "INSERT INTO unwritten (photo_id, since) VALUES (?, ?)"
            " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since",
            [(photo, time.time()) for photo in (pair, half)],
        )

    def join(self, photo: int) -> None:
        """Make the two halves one photo again; the newest decision wins each field."""
        halves = self._store.rows(
            "SELECT id FROM photo WHERE half_of = ? AND merged_into IS NULL", (photo,)
        )
        self.merge([photo, *(row[0] for row in halves)])
        self.sync([photo])

    def pair_of(self, photo_id: int) -> int | None:
        """Give the photo whose half this is or was, itself for a pair made two; else None."""
        return self._store.value(
            "SELECT CASE WHEN apart THEN id ELSE half_of END FROM photo WHERE id = ?", (photo_id,)
        )

    # --- one content, one photo

    def merge(self, photos: Iterable[int]) -> int:
        """Make one photo of several that proved to be the same; the oldest survives.

        Files move there, the newest decision that stands wins each field, and every journal
        entry stays as it is, under the id it was made for.

        Returns:
            The survivor.
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
            for relation in RELATIONS.values():
                for statement in relation.move:
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
