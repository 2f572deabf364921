"""Sidecars: which there are, what they said last, and what they are to say.

What they say comes in through `readings`; here is what goes out.

    catalog.ask_written([412])                      # Ctrl+S
    catalog.to_write(catalog.due_sidecars(...))     # what its sidecar should say now
    catalog.save_written([WriteResult(412, since, reading)])
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.catalog.integrity import judging
from curator.catalog.metadata_import import (
    FIELDS,
    NO_VALUE,
    MetadataImport,
    Plain,
    SidecarRow,
    seconds,
    value,
)
from curator.catalog.sidecar_files import SidecarFiles
from curator.catalog.store import Store, chunks, marks
from curator.catalog.tags import BETWEEN, Tags, folded, known_as
from curator.model import FileGroup, FileMarks, FoundFile, Kind

_DISPUTED = (
    "EXISTS (SELECT 1 FROM sidecar AS s WHERE s.photo_id = u.photo_id AND s.state = 'conflict')"
)
_CONFLICTS = "SELECT count(*) FROM sidecar WHERE state = 'conflict'"
_REV = "sidecars_rev"
_BEGUN = 8  # writes begun and never noted that are remembered of a photo
_LATER_S = 60.0  # after which what could not be written is tried again by itself


@dataclass(frozen=True, slots=True)
class SidecarContent:
    """What a photo's sidecar should say now.

    ``path`` and ``kind`` are of its main file. ``said`` are all fields, as plain data: stars, flag,
    label, confirmed tags, their paths, projects. ``sidecars`` are all known, whoever made them.
    ``since`` is when it last changed, None if its sidecar has it all. ``missing``: its drive is
    away. ``judged``: a person had a word in it here, so that not all was read from its files.
    """

    photo_id: int
    path: str
    kind: Kind
    said: dict[str, Any]
    sidecars: tuple[SidecarRow, ...]
    since: float | None
    missing: bool
    judged: bool

    @property
    def speaks(self) -> bool:
        """Whether there is anything to say of it that its files do not say themselves."""
        if not self.judged:
            return False
        fields = ("rating", "keywords", "projects")
        marked = self.said["flag"] != NO_VALUE or self.said["label"] != NO_VALUE
        return marked or any(self.said[name] for name in fields)

    @property
    def known(self) -> dict[str, tuple[str, dict[str, Any] | None]]:
        """Give digest and what was agreed on last by the path of each sidecar."""
        return {row.path: (row.digest, row.base) for row in self.sidecars}


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What came of writing one sidecar.

    ``now`` is what the file says afterwards, None where there was nothing to write. ``problem``
    says why it could not be written; then it stays to be done.
    """

    photo_id: int
    since: float | None
    now: FileMarks | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A sidecar that contradicts a person's word.

    ``differs`` has (ours, theirs) by field: rating, flag, label. ``newer`` is the side changed
    last, ``"file"`` or ``"catalog"``.
    """

    photo_id: int
    name: str
    path: str
    differs: dict[str, tuple[object, object]]
    newer: str


@dataclass(frozen=True, slots=True)
class SidecarCounts:
    """How many sidecars are to be written, how many contradict us, and why some cannot be written.

    ``asked`` of ``unwritten`` are wanted by a person, ``ready`` of those can be written now.
    ``failed`` could not be written so far, one of them for this ``reason``. ``newest`` is when
    one of them was last marked, in Unix time.
    """

    unwritten: int = 0
    asked: int = 0
    ready: int = 0
    failed: int = 0
    conflicts: int = 0
    reason: str = ""
    newest: float = 0.0


@judging
class Sidecars:
    """The part of the catalog that keeps sidecars and photos in step."""

    def __init__(
        self, store: Store, sidecar_files: SidecarFiles, metadata: MetadataImport, tags: Tags
    ) -> None:
        self._store = store
        self._sidecar_files = sidecar_files
        self._metadata = metadata
        self._tags = tags

    def find_unread(self, groups: Sequence[FileGroup]) -> list[tuple[int, list[str]]]:
        """Note the sidecars of groups of files; list photos with all of theirs if any is news.

        Groups that are no photo of the catalog are passed over.
        """
        met: list[tuple[int, Sequence[FoundFile]]] = []
        for group in groups:
            main = Path(group.files[0].path)
            photo = self._store.value(
                "SELECT photo_id FROM file JOIN directory ON directory.id = directory_id"
                " WHERE path = ? AND name = ? AND missing_since IS NULL",
                (str(main.parent), main.name),
            )
            if photo is not None and group.sidecars:
                met.append((photo, group.sidecars))
        met = self._sidecar_files.by_owner(met)
        with self._store.transaction():
            self._sidecar_files.note_found(met)
        unread = set(self._sidecar_files.photos_with_unread([photo for photo, _ in met]))
        return [(photo, [f.path for f in found]) for photo, found in met if photo in unread]

    # --- writing

    def request_write(self, ids: Sequence[int]) -> None:
        """Want the sidecars of photos written now; also what failed is tried again."""
        now = time.time()
        with self._store.transaction():
            self._store.run_many(
                "INSERT INTO unwritten (photo_id, since, asked) VALUES (?, ?, 1) ON CONFLICT"
                " (photo_id) DO UPDATE SET asked = 1, reason = NULL, tried_at = NULL",
                [(photo, now) for photo in ids],
            )
            self._store.increment(_REV)

    def revision(self) -> tuple[int, int]:
        """Give two numbers, cheap, that marks leave as they are.

        The first grows when sidecars are asked for, tried again or written; the second is how many
        contradict a person's word. What a person came to agree with is settled first.
        """
        self._resolve_agreed()
        return self._store.counter(_REV), int(self._store.value(_CONFLICTS))

    def due(self, limit: int, background: bool, quiet_s: float) -> list[int]:
        """List photos whose sidecars are to be written now, those asked for first.

        Goes through all that is unwritten, which is every marked photo where nobody wants sidecars:
        to be asked only when :meth:`sidecars_rev` changed, or they are written in the background.
        What contradicts a person's word waits for their choice.

        Args:
            limit: at most so many.
            background: whether also what nobody asked for is written.
            quiet_s: then, seconds without a decision.
        """
        self._resolve_agreed()
        now = time.time()
        newest = self._store.value("SELECT max(since) FROM unwritten WHERE NOT asked") or 0.0
        quiet = background and not now - quiet_s < newest <= now  # a clock may be set back
        return [
            row[0]
            for row in self._store.rows(
                "SELECT photo_id FROM unwritten AS u WHERE (asked AND reason IS NULL"
                f" OR ? AND (reason IS NULL OR tried_at < ?)) AND NOT {_DISPUTED}"
                " ORDER BY asked DESC, photo_id LIMIT ?",
                (quiet, now - _LATER_S, limit),
            )
        ]

    def outstanding(self) -> SidecarCounts:
        """Say how many sidecars are to be written, and what is in the way.

        Goes through all that is unwritten, as :meth:`due_sidecars` does.
        """
        conflicts = int(self._store.value(_CONFLICTS))
        row = self._store.row(
            "SELECT count(*), coalesce(sum(asked), 0), coalesce(sum(asked AND reason IS NULL"
            f" AND NOT {_DISPUTED}), 0), count(reason), max(reason), max(since) FROM unwritten AS u"
        )
        assert row is not None
        unwritten, asked, ready, failed, reason, newest = row
        return SidecarCounts(
            unwritten, asked, ready, failed, conflicts, reason or "", newest or 0.0
        )

    def to_write(self, ids: Sequence[int]) -> list[SidecarContent]:
        """Say what the sidecars of photos should say now; photos merged or gone are left out."""
        found: list[SidecarContent] = []
        for part in chunks(list(ids)):
            among = f"IN ({marks(len(part))})"
            keywords = self._tags.keywords_of(part)
            projects = self._names(
                "SELECT photo_id, name FROM photo_project JOIN project ON project.id = project_id"
                f" WHERE removed_at IS NULL AND photo_id {among} ORDER BY 2",
                part,
            )
            sidecars: dict[int, list[SidecarRow]] = {}
            for row in self._sidecar_files.where("photo_id", part):
                sidecars.setdefault(row.photo_id, []).append(row)
            for photo, path, name, kind, flag, rating, label, since, *more in self._store.rows(
                "SELECT p.id, d.path, f.name, f.kind, p.flag, p.rating, p.label, u.since,"
                " p.missing OR away_since IS NOT NULL,"
                " EXISTS (SELECT 1 FROM decision AS o JOIN step AS s ON s.id = o.step_id"
                " WHERE o.photo_id IN"
                " (SELECT p.id UNION SELECT id FROM photo WHERE merged_into = p.id)"
                " AND s.source = 'person'"
                " AND o.field IN ('flag', 'rating', 'label', 'tag', 'project'))"
                " FROM photo AS p JOIN file AS f ON f.photo_id = p.id"
                " AND f.role = 'main' JOIN directory AS d ON d.id = f.directory_id"
                " LEFT JOIN folder ON folder.id = d.folder_id"
                " LEFT JOIN unwritten AS u ON u.photo_id = p.id"
                f" WHERE p.id {among} AND p.merged_into IS NULL AND p.removed_at IS NULL"
                " AND p.emptied_at IS NULL ORDER BY d.path, f.name",
                part,
            ):
                beside = tuple(sidecars.get(photo, ()))
                said = {"rating": rating or 0, "flag": flag or NO_VALUE, "label": label or NO_VALUE}
                said |= _spelled(keywords.get(photo, ()), beside)
                said["projects"] = list(projects.get(photo, ()))
                where = str(Path(path, name))
                found.append(
                    SidecarContent(photo, where, Kind(kind), said, beside, since, *map(bool, more))
                )
        return found

    def _names(self, sql: str, ids: Sequence[object]) -> dict[int, tuple[str, ...]]:
        found: dict[int, dict[str, None]] = {}
        for photo, name in self._store.rows(sql, ids):
            found.setdefault(photo, {})[name] = None
        return {photo: tuple(names) for photo, names in found.items()}

    def start_writing(self, intents: Mapping[int, Plain]) -> None:
        """Note what is about to be written to the sidecars of photos.

        What was begun before and never noted as written stays noted: the file may hold either.
        A photo nobody marked since gets the time 0, so that a mark made meanwhile is told from it.
        """
        with self._store.transaction():
            self._store.run_many(
                "INSERT INTO unwritten (photo_id, since, intent) VALUES (?, 0, ?)"
                " ON CONFLICT (photo_id) DO UPDATE SET intent = excluded.intent",
                [
                    (photo, json.dumps([*self._metadata.intents(photo), dict(said)][-_BEGUN:]))
                    for photo, said in intents.items()
                ],
            )

    def save_written(self, done: Sequence[WriteResult]) -> None:
        """Note what came of writing; a photo marked again meanwhile stays to be written."""
        now = time.time()
        with self._store.transaction():
            for wrote in done:
                if wrote.problem:
                    self._store.run(
                        "UPDATE unwritten SET reason = ?, tried_at = ? WHERE photo_id = ?",
                        (wrote.problem, now, wrote.photo_id),
                    )
                    continue
                if wrote.now is not None:
                    self._note_written(wrote.photo_id, wrote.now)
                self._store.run(
                    # Another time is another mark, also an earlier one: clocks are set back.
                    "DELETE FROM unwritten WHERE photo_id = ? AND since = coalesce(?, 0)",
                    (wrote.photo_id, wrote.since),
                )
                self._store.run(
                    "UPDATE unwritten SET intent = NULL WHERE photo_id = ?", (wrote.photo_id,)
                )
            self._store.increment(_REV)

    def _note_written(self, photo: int, now: FileMarks) -> None:
        self._store.run(
            "INSERT INTO sidecar (photo_id, path, digest, size, mtime_ns, metadata_date, said,"
            " synced_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'synced') ON CONFLICT (path)"
            " DO UPDATE SET photo_id = excluded.photo_id, digest = excluded.digest,"
            " size = excluded.size, mtime_ns = excluded.mtime_ns,"
            " metadata_date = excluded.metadata_date, said = excluded.said, theirs = NULL,"
            " synced_at = excluded.synced_at, state = 'synced', reason = NULL",
            (
                photo,
                now.path,
                now.digest,
                now.size,
                now.mtime_ns,
                now.date or None,
                json.dumps(dict(now.said or {})),
                time.time(),
            ),
        )

    # --- conflicts

    def conflicts(self, ids: Sequence[int] | None = None) -> list[Conflict]:
        """List sidecars that contradict a person's word, of all photos or of these."""
        rows = self._sidecar_files.where("state", ["conflict"])
        if ids is not None:
            wanted = set(ids)
            rows = [row for row in rows if row.photo_id in wanted]
        return [found for found in map(self._conflict, rows) if found.differs]

    def _conflict(self, row: SidecarRow) -> Conflict:
        theirs, base = json.loads(row.theirs or "{}"), row.base or {}
        ours = self._metadata.our_marks(row.photo_id)
        differs = {
            field: (ours[field], value(theirs, field))
            for field in FIELDS
            if value(theirs, field) not in (value(base, field), ours[field])
        }
        name = str(self._store.value("SELECT name FROM photo WHERE id = ?", (row.photo_id,)))
        decided = self._store.value(
            "SELECT max(s.made_at) FROM decision AS d JOIN step AS s ON s.id = d.step_id"
            " WHERE d.photo_id = ? AND d.field IN ('rating', 'flag', 'label')",
            (row.photo_id,),
        )
        newer = seconds(row.metadata_date, row.mtime_ns) > (decided or 0)
        return Conflict(row.photo_id, name, row.path, differs, "file" if newer else "catalog")

    def _resolve_agreed(self) -> None:
        """Settle conflicts that are none any more, since a person came to say the same."""
        rows = self._sidecar_files.where("state", ["conflict"])
        agreed = [row.photo_id for row in rows if not self._conflict(row).differs]
        if agreed:
            self.resolve_conflicts(agreed, write=False)

    def resolve_conflicts(self, ids: Sequence[int], write: bool) -> None:
        """Take what the sidecars of photos say as known; ``write`` has ours put there now."""
        with self._store.transaction():
            for part in chunks(list(ids)):
                self._store.run(
                    "UPDATE sidecar SET said = theirs, theirs = NULL, state = 'synced'"
                    f" WHERE state = 'conflict' AND photo_id IN ({marks(len(part))})",
                    part,
                )
            if write:
                self.request_write(ids)


def _spelled(
    keywords: Sequence[tuple[str, str | None]], sidecars: Sequence[SidecarRow]
) -> dict[str, Any]:
    """Give keywords and their paths as the sidecars spell them, where they do.

    A tag's name is shorter than a keyword may be, and has one path where a keyword may have
    several: what stays a keyword must not lose anything in the file by it.
    """
    ours = {folded(name): name for name, _ in keywords}
    paths = [f"{path}{BETWEEN}{name}" for name, path in keywords if path]
    for row in sidecars:
        base = row.base or {}
        for word in base.get("keywords") or ():
            ours |= dict.fromkeys(known_as(word) & ours.keys(), word)
        for path in base.get("hierarchical") or ():
            if known_as(path.rpartition(BETWEEN)[2]) & ours.keys():
                paths.append(path)
    return {"keywords": list(ours.values()), "hierarchical": list(dict.fromkeys(paths))}
