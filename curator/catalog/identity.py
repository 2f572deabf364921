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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, NamedTuple, Protocol

from curator.catalog.fields import FIELDS, RELATIONS, STANDS, Place, nothing
from curator.catalog.journal import Seen
from curator.catalog.sidecars import Sidecars
from curator.catalog.store import chunks, marks
from curator.model import Change, FoundFile, KnownError, Step, UnavailableError


class Unread(Exception):
    """A reader has not read yet what it was asked for; nothing was written meanwhile.

    Attributes:
        wanted: what it lacks, in the reader's own terms: have that read, and ask again.
    """

    def __init__(self, wanted: Sequence[Any]) -> None:
        super().__init__(f"{len(wanted)} not read yet")
        self.wanted = list(wanted)


class FileReader(Protocol):
    """What reads files for the catalog; the module `curator.files` is one.

    One that must not keep its thread waiting may raise :class:`Unread` instead of reading. All
    raise GoneError for what is not there, UnavailableError for what must not or cannot be read now,
    and another KnownError for what cannot be read at all.
    """

    def status(self, path: str) -> os.stat_result:
        """Give size, times and all of a file."""

    def fingerprint(self, path: str) -> str:
        """Give the fingerprint of a file as hex."""

    def sha256(self, path: str) -> str:
        """Give the sha256 of a whole file as hex."""


class StageRule(NamedTuple):
    """What the catalog knows of a stage: its version, what comes before, and what it reads.

    ``reads`` is ``file`` or ``proxy``: a result holds while that has the same bytes, and while
    ``variant`` is the same. ``every``: it is for all photos, not only for those asked for.
    """

    name: str
    version: int
    needs: tuple[str, ...]
    reads: str = "file"
    every: bool = True
    variant: str = ""


def _ready(stage: StageRule, photo: str) -> str:
    """Say in SQL whether a stage can be run for a photo: what ``work.ready`` holds."""
    # A proxy is looked at and described whether or not the drive of its file is here.
    here = " AND folder.away_since IS NULL" if stage.reads == "file" else ""
    needs = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM work AS n WHERE n.photo_id = {photo}"
        f" AND n.stage = '{name}' AND n.state <> 'done')"
        for name in stage.needs
    )
    return (
        "EXISTS (SELECT 1 FROM photo JOIN file ON file.photo_id = photo.id AND file.role = 'main'"
        " AND file.missing_since IS NULL JOIN directory ON directory.id = file.directory_id"
        f" LEFT JOIN folder ON folder.id = directory.folder_id WHERE photo.id = {photo}"
        " AND photo.merged_into IS NULL AND photo.removed_at IS NULL"
        f" AND coalesce(folder.enabled, 1){here}){needs}"
    )


class FileRow(NamedTuple):
    """A row of the table ``file``, with its path."""

    id: int
    photo_id: int
    directory_id: int
    name: str
    kind: str
    role: str
    size: int
    mtime_ns: int
    fingerprint: str | None
    sha256: str | None
    width: int | None
    height: int | None
    missing_since: float | None
    directory: str

    @property
    def path(self) -> str:
        """Where it lies, or lay."""
        return str(Path(self.directory, self.name))

    def is_there(self, reader: FileReader) -> bool:
        """Say whether its content is still at its path: same size and time, or fingerprint.

        Raises:
            UnavailableError: that cannot be told now.
        """
        try:
            status = reader.status(self.path)
            if (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns):
                return True
            return status.st_size == self.size and (
                reader.fingerprint(self.path) == self.fingerprint
            )
        except UnavailableError:
            raise
        except KnownError:
            return False


_FILE = (
    "SELECT file.id, photo_id, directory_id, name, kind, role, size, mtime_ns, fingerprint,"
    " sha256, width, height, missing_since, directory.path"
    " FROM file JOIN directory ON directory.id = directory_id"
)


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


class Identity(Sidecars):
    """The part of the catalog that keeps photos, files and work in step."""

    _stages: tuple[StageRule, ...] | None = None

    # --- stages

    def stages(self) -> tuple[StageRule, ...]:
        """Give the stages that photos of this catalog go through, as the conductor declared."""
        if self._stages is None:
            text = self._value("SELECT value FROM meta WHERE key = 'stages'")
            self._stages = tuple(
                StageRule(name, version, tuple(needs), *reads)
                for name, version, needs, *reads in json.loads(text or "[]")
            )
        return self._stages

    def _queue(self, photos: Sequence[int]) -> None:
        """Give new photos, whose files are known, a waiting row for every stage."""
        ids, queued = json.dumps(photos), set[str]()
        for stage in self.stages() if photos else ():
            if stage.every:
                waits = not queued.isdisjoint(stage.needs)
                self._run(
                    "INSERT INTO work (photo_id, stage, version, state, ready) SELECT value, ?, ?,"
                    f" 'waiting', {0 if waits else _ready(stage, 'value')} FROM json_each(?)",
                    (stage.name, stage.version, ids),
                )
                queued.add(stage.name)

    def _refresh_ready(self, photos: Iterable[int], of: str = "") -> None:
        """Set ``ready`` of the work of photos from everything it depends on.

        Args:
            photos: their ids.
            of: a stage, if nothing but its work has changed: for others it is as it was.
        """
        ids = json.dumps([*photos])
        for stage in self.stages() if ids != "[]" else ():
            if of and of != stage.name and of not in stage.needs:
                continue
            # One statement for all of them: each lets go of the interpreter while a mark may wait.
            self._run(
                f"UPDATE work SET ready = {_ready(stage, 'work.photo_id')} WHERE photo_id IN"
                f" (SELECT value FROM json_each(?)) AND stage = '{stage.name}'",
                (ids,),
            )

    # --- files of a photo

    def _files_where(self, where: str, parameters: Sequence[object]) -> list[FileRow]:
        return [FileRow(*row) for row in self._rows(f"{_FILE} WHERE {where}", parameters)]

    def _settle(self, photos: Iterable[int]) -> None:
        """Bring roles, place, name and work of photos in line with their files."""
        ids = list(dict.fromkeys(photos))
        off = self._switched_off() if ids else set()
        for part in chunks(ids):
            self._settle_some(part, off)
        self._refresh_ready(ids)

    def _settle_some(self, photos: Sequence[int], off: Collection[int]) -> None:
        files: defaultdict[int, list[FileRow]] = defaultdict(list)
        for file in self._files_where(
            f"photo_id IN ({marks(len(photos))}) ORDER BY file.id", photos
        ):
            files[file.photo_id].append(file)
        apart = self._apart(photos)
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
        self._run_many("UPDATE file SET role = ? WHERE id = ?", roles)
        self._run_many(
            "UPDATE photo SET directory_id = ?1, name = ?2"
            " WHERE id = ?3 AND (directory_id <> ?1 OR name <> ?2)",
            places,
        )
        self._outdate("file", sources)

    def _switched_off(self) -> set[int]:
        """Give the directories of folders that are switched off."""
        rows = self._rows(
            "SELECT directory.id FROM folder JOIN directory ON folder_id = folder.id"
            " WHERE NOT enabled"
        )
        return {row[0] for row in rows}

    def _outdate(self, reads: str, sources: Mapping[int, str | None]) -> None:
        """Have done again what was made of other bytes of photos than these; the rest holds."""
        for rule in self.stages():
            if rule.reads == reads and rule.every:
                self._run(
                    "UPDATE work SET state = 'waiting', attempts = 0, next_attempt_at = NULL,"
                    " reason = NULL WHERE photo_id IN (SELECT value FROM json_each(?))"
                    " AND stage = ? AND state IN ('done', 'failed')"
                    " AND source IS NOT json_extract(?, '$.' || photo_id) || ?",
                    (json.dumps([*sources]), rule.name, json.dumps(sources), rule.variant),
                )

    def _directory(self, path: str, folder_id: int | None) -> int:
        """Find or make the row of a directory; one of no folder joins this one."""
        row = self._row("SELECT id, folder_id FROM directory WHERE path = ?", (path,))
        if row is None:
            number = self._run(
                "INSERT INTO directory (folder_id, path) VALUES (?, ?)", (folder_id, path)
            ).lastrowid
            assert number is not None
            return number
        if row[1] is None and folder_id is not None:
            self._run("UPDATE directory SET folder_id = ? WHERE id = ?", (folder_id, row[0]))
        return int(row[0])

    def _add_photo(self, directory_id: int, name: str) -> int:
        number = self._run(
            "INSERT INTO photo (directory_id, name, added_at) VALUES (?, ?, ?)",
            (directory_id, name, time.time()),
        ).lastrowid
        assert number is not None
        return number

    def _add_file(
        self, photo: int, directory_id: int, found: FoundFile, role: str, content: Content
    ) -> int:
        number = self._run(
            "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns,"
            " fingerprint, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                photo,
                directory_id,
                found.name,
                str(found.kind),
                role,
                found.size,
                found.mtime_ns,
                content.fingerprint,
                content.sha256,
            ),
        ).lastrowid
        assert number is not None
        return number

    # --- the same content

    def _twins(self, fingerprint: str, but_for: int | None = None) -> list[FileRow]:
        """List known files with a fingerprint, those that are there first."""
        return self._files_where(
            "fingerprint = ? AND photo_id IS NOT ? ORDER BY missing_since IS NOT NULL, file.id",
            (fingerprint, but_for),
        )

    def _prove(self, path: str, twins: Sequence[FileRow], reader: FileReader) -> Twin | None:
        """Find the known file whose content this path holds; reads whole files, so no lock.

        A twin that is gone moved here, unless its sha256 is known and says otherwise. A twin
        that is still there is read whole, as is the file; only equal bytes are a copy. Where that
        cannot be now, the fingerprint is taken at its word: one that is gone moved, and one whose
        photo has a capture time (which the fingerprint covers) has a copy.
        """
        assert not self._depth, "files are not read while the write lock is held"
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

    def _is_dated(self, photo: int) -> bool:
        return bool(self._value("SELECT taken_at IS NOT NULL FROM photo WHERE id = ?", (photo,)))

    def _attach(
        self, photo: int, directory_id: int, found: FoundFile, content: Content, twin: Twin | None
    ) -> None:
        """Make a file one of a photo's: move the twin's row here, or add one."""
        if twin is None or not twin.moved:
            self._add_file(photo, directory_id, found, "copy" if twin else "half", content)
        else:
            self._run(
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
            self._run("UPDATE file SET sha256 = ? WHERE id = ?", (twin.sha256, twin.row.id))
        self._bring_back(photo)

    def _bring_back(self, photo: int) -> None:
        """Have a photo back that was removed, or its files; of others nothing changes.

        Its vectors are new again: who read vectors meanwhile went past them.
        """
        if self._run(
            "UPDATE photo SET removed_at = NULL, emptied_at = NULL WHERE id = ?"
            " AND (removed_at IS NOT NULL OR emptied_at IS NOT NULL)",
            (photo,),
        ).rowcount:
            self._run(
                "UPDATE vector SET rev = (SELECT max(rev) + 1 FROM vector AS v"
                " WHERE v.encoder = vector.encoder) WHERE photo_id = ?",
                (photo,),
            )

    # --- pairs made two photos by hand

    def _enter(self, step: Step, seen: Seen) -> Step:
        entered = super()._enter(step, seen)
        for change in step.changes:
            if change.field == "apart" and change.after:
                self._split(change.photo_id, again=step.kind == "undo")
            elif change.field == "apart":
                self._join(change.photo_id)
        return entered

    def _apart(self, photos: Collection[int]) -> set[int]:
        """Give those of these photos that are, or were, half of a pair made two."""
        rows = self._rows(
            f"SELECT id FROM photo WHERE id IN ({marks(len(photos))})"
            " AND (apart OR half_of IS NOT NULL)",
            [*photos],
        )
        return {row[0] for row in rows}

    def _split(self, photo: int, again: bool = False) -> None:
        """Make the other half of a pair a photo of its own, marked as the pair is.

        If it has been one before, it is that one again; ``again``: with what was decided of each
        of the two, since the person takes back that they were made one.
        """
        # Its copies go with it: one left here would prove the two to be one at the next look.
        halves = self._files_where(
            "photo_id = ?1 AND kind = 'image' AND role <> 'former' AND EXISTS (SELECT 1 FROM file"
            " WHERE photo_id = ?1 AND role = 'main' AND kind = 'raw') ORDER BY role <> 'half'",
            (photo,),
        )
        if not halves:
            return
        other = self._value(
            "SELECT id FROM photo WHERE half_of = ?1 AND merged_into = ?1", (photo,)
        )
        if other is None:
            other = self._add_photo(halves[0].directory_id, halves[0].name)
            self._run("UPDATE photo SET half_of = ? WHERE id = ?", (photo, other))
        self._run("UPDATE photo SET merged_into = NULL WHERE id = ?", (other,))
        self._queue([other])
        names = [name for name in FIELDS if name != "apart"]
        self._run(
            f"UPDATE photo SET {', '.join(f'{name} = pair.{name}' for name in names)}"
            " FROM photo AS pair WHERE photo.id = ? AND pair.id = ?",
            (other, photo),
        )
        self._share(photo, other)
        if again:
            self._tell_apart(photo, other)
        self._run_many(
            "UPDATE file SET photo_id = ?, role = ? WHERE id = ?",
            [(other, "main" if file is halves[0] else "copy", file.id) for file in halves],
        )
        self._settle([photo, other])

    def _share(self, pair: int, half: int) -> None:
        """Give a half the tags and projects of its pair; what a model sees it is asked anew."""
        for table, columns, of in (
            ("photo_tag", "tag_id, source, confidence, state", " AND source IN ('person', 'file')"),
            ("photo_project", "project_id, place", ""),
        ):
            self._run(f"DELETE FROM {table} WHERE photo_id = ?{of}", (half,))
            self._run(
                f"INSERT INTO {table} (photo_id, {columns}) SELECT ?, {columns} FROM {table}"
                f" WHERE photo_id = ?{of}",
                (half, pair),
            )
        self._grow("tags_rev")
        self._grow("projects_anew")

    def _tell_apart(self, pair: int, half: int) -> None:
        """Give two halves that were made one what each was before, by their journals.

        What was decided of either before they were split counts for both; but duels a half had in
        an earlier life stayed with the pair.
        """
        split = self._value(
            "SELECT max(d.step_id) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            f" WHERE d.photo_id = ? AND d.field = 'apart' AND d.after AND {STANDS}",
            (pair,),
        )
        places: set[Place] = {(name, None) for name in FIELDS if name != "apart"}
        places |= {
            (name, about)
            for name, about in self._rows(
                "SELECT field, about FROM decision WHERE photo_id IN (?, ?) AND about IS NOT NULL",
                (pair, half),
            )
        }
        changes = []
        for photo, other in ((pair, half), (half, pair)):
            own = self._family(photo)
            for name, about in places:
                since = split if photo == half and name == "over" else 0
                found = self._value(
                    "SELECT json_array(d.after) FROM decision AS d JOIN step AS s"
                    f" ON s.id = d.step_id WHERE {STANDS} AND d.field = ? AND d.about IS ?"
                    f" AND (d.photo_id IN ({marks(len(own))}) AND d.step_id > ?"
                    " OR d.photo_id = ? AND d.step_id < ?) ORDER BY d.id DESC LIMIT 1",
                    (name, about, *own, since, other, 0 if since else split),
                )
                value = nothing(name) if found is None else json.loads(found)[0]
                changes.append(Change(photo, name, None, value, about))
        self._put(changes)
        self._grow("projects_anew")  # as when they were made one: no decision says it
        self._run_many(
            "INSERT INTO unwritten (photo_id, since) VALUES (?, ?)"
            " ON CONFLICT (photo_id) DO UPDATE SET since = excluded.since",
            [(photo, time.time()) for photo in (pair, half)],
        )

    def _join(self, photo: int) -> None:
        """Make the two halves one photo again; the newest decision wins each field."""
        halves = self._rows(
            "SELECT id FROM photo WHERE half_of = ? AND merged_into IS NULL", (photo,)
        )
        self._merge([photo, *(row[0] for row in halves)])
        self._settle([photo])

    def whole_of(self, photo_id: int) -> int | None:
        """Give the photo whose half this is or was, itself for a pair made two; else None."""
        return self._value(
            "SELECT CASE WHEN apart THEN id ELSE half_of END FROM photo WHERE id = ?", (photo_id,)
        )

    # --- one content, one photo

    def _merge(self, photos: Iterable[int]) -> int:
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
            self._run("UPDATE file SET photo_id = ? WHERE photo_id = ?", (survivor, other))
            self._run("DELETE FROM work WHERE photo_id = ?", (other,))
            self._merge_tags(survivor, other)
            self._merge_sidecars(survivor, other)
            self._run(
                "UPDATE OR IGNORE description SET photo_id = ? WHERE photo_id = ?",
                (survivor, other),
            )
            for relation in RELATIONS.values():
                for statement in relation.move:
                    self._run(statement, (survivor, other))
            self._run("UPDATE photo SET merged_into = ? WHERE merged_into = ?", (survivor, other))
            self._run("UPDATE photo SET half_of = ? WHERE half_of = ?", (survivor, other))
            self._run("UPDATE photo SET merged_into = ? WHERE id = ?", (survivor, other))
            self._run(
                "UPDATE photo SET seen_at = coalesce(photo.seen_at, o.seen_at),"
                " turn = CASE photo.turn WHEN 0 THEN o.turn ELSE photo.turn END"
                " FROM photo AS o WHERE photo.id = ? AND o.id = ?",
                (survivor, other),
            )
            if self._value(
                "SELECT removed_at IS NULL AND emptied_at IS NULL FROM photo WHERE id = ?", (other,)
            ):
                self._bring_back(survivor)
        family = self._family(survivor)
        for field in FIELDS:
            standing = self._standing(family, (field, None))
            if standing is not None:
                self._run(f"UPDATE photo SET {field} = ? WHERE id = ?", (standing[1], survivor))
        return survivor


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of a file's bytes."""

    fingerprint: str | None = None
    sha256: str | None = None
