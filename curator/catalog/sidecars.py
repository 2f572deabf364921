"""Sidecars: what they should say, which are to be written, and conflicts with a person's marks.

The sidecar writer of the pipeline and the dialogs about sidecars use this. Importing what sidecars
say is in `metadata_import`. No file is opened here.

    catalog.sidecars.request_write([412])                       # Ctrl+S
    catalog.sidecars.to_write(catalog.sidecars.due(...))        # what a sidecar should say now
    catalog.sidecars.save_written([WriteResult(412, since, reading)])
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.catalog.fields import PRESENT
from curator.catalog.integrity import reports_damage
from curator.catalog.metadata_import import (
    FIELDS,
    NO_VALUE,
    MetadataImport,
    Plain,
    seconds,
    value,
)
from curator.catalog.projects import Projects
from curator.catalog.sidecar_files import SidecarFiles, SidecarRow
from curator.catalog.store import Store, chunks, placeholders
from curator.catalog.tags import BETWEEN, Tags, folded, known_as
from curator.model import FileGroup, FileMarks, FoundFile, Kind

_DISPUTED = (
    "EXISTS (SELECT 1 FROM sidecar AS s WHERE s.photo_id = u.photo_id AND s.state = 'conflict')"
)
_CONFLICTS = "SELECT count(*) FROM sidecar WHERE state = 'conflict'"
_REV = "sidecars_rev"
_INTENTS = 8  # unconfirmed writes remembered for each photo
_RETRY_S = 60.0  # after which a failed write is tried again automatically


@dataclass(frozen=True, slots=True)
class SidecarContent:
    """What a photo's sidecar should say now.

    Attributes:
        photo_id: the photo.
        path: of its main file.
        kind: of its main file.
        fields: all fields as plain data: stars, flag, label, confirmed tags, their paths, projects.
        sidecars: all known sidecars of the photo, whoever made them.
        since: when the content last changed; None if the sidecar is up to date.
        missing: whether the drive of the file is unplugged.
        decided: whether a person decided something here; otherwise everything came from its files.
    """

    photo_id: int
    path: str
    kind: Kind
    fields: dict[str, Any]
    sidecars: tuple[SidecarRow, ...]
    since: float | None
    missing: bool
    decided: bool

    @property
    def needs_sidecar(self) -> bool:
        """Whether a sidecar must be made if there is none: for marks, if a person decided."""
        if not self.decided:
            return False
        fields = ("rating", "keywords", "projects")
        marked = self.fields["flag"] != NO_VALUE or self.fields["label"] != NO_VALUE
        return marked or any(self.fields[name] for name in fields)

    @property
    def known(self) -> dict[str, tuple[str, dict[str, Any] | None]]:
        """Digest and last agreed content of each sidecar, by path."""
        return {row.path: (row.digest, row.base) for row in self.sidecars}


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of writing one sidecar.

    ``since`` is that of the content written. ``now`` is what the file says afterwards, None if
    nothing had to be written. ``problem`` says why it could not be written; it is then tried again
    later.
    """

    photo_id: int
    since: float | None
    now: FileMarks | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A sidecar that contradicts a person's decision.

    ``differs`` has (ours, theirs) by field: rating, flag, label. ``newer`` is the side that changed
    last, ``"file"`` or ``"catalog"``.
    """

    photo_id: int
    name: str
    path: str
    differs: dict[str, tuple[object, object]]
    newer: str


@dataclass(frozen=True, slots=True)
class SidecarCounts:
    """How many sidecars are to be written or in conflict, and why some cannot be written.

    Attributes:
        unwritten: photos whose sidecar is not up to date.
        asked: those of them a person wants written.
        ready: those of ``asked`` that can be written now.
        failed: photos whose sidecar could not be written so far.
        conflicts: sidecars that contradict a person's decision.
        reason: why one of ``failed`` could not be written.
        newest: when one of ``unwritten`` was last marked, in Unix time.
    """

    unwritten: int = 0
    asked: int = 0
    ready: int = 0
    failed: int = 0
    conflicts: int = 0
    reason: str = ""
    newest: float = 0.0


@reports_damage
@dataclass(eq=False)
class Sidecars:
    """Keeps track of what sidecars should say and of what was written."""

    _store: Store
    _sidecar_files: SidecarFiles
    _metadata: MetadataImport
    _tags: Tags
    _projects: Projects

    def find_unread(self, groups: Sequence[FileGroup]) -> list[tuple[int, list[str]]]:
        """Record the sidecars of groups of files; list photos with an unread one, with all paths.

        Groups that belong to no photo of the catalog are skipped.
        """
        found_by_photo: list[tuple[int, Sequence[FoundFile]]] = []
        for group in groups:
            main = Path(group.files[0].path)
            photo = self._store.value(
                "SELECT photo_id FROM file JOIN directory ON directory.id = directory_id"
                " WHERE path = ? AND name = ? AND missing_since IS NULL",
                (str(main.parent), main.name),
            )
            if photo is not None and group.sidecars:
                found_by_photo.append((photo, group.sidecars))
        by_owner = self._sidecar_files.by_owner(found_by_photo)
        with self._store.transaction():
            self._sidecar_files.note_found(by_owner)
        unread = set(self._sidecar_files.photos_with_unread([photo for photo, _ in by_owner]))
        return [(photo, [f.path for f in found]) for photo, found in by_owner if photo in unread]

    # --- writing

    def request_write(self, ids: Sequence[int]) -> None:
        """Request that the sidecars of photos are written now; failed ones are tried again."""
        now = time.time()
        with self._store.transaction():
            self._store.run_many(
                "INSERT INTO unwritten (photo_id, since, asked) VALUES (?, ?, 1) ON CONFLICT"
                " (photo_id) DO UPDATE SET asked = 1, reason = NULL, tried_at = NULL",
                [(photo, now) for photo in ids],
            )
            self._store.increment(_REV)

    def revision(self) -> tuple[int, int]:
        """Return two numbers that change when sidecars do, but not with each mark; cheap.

        The first grows when sidecars are requested, written or tried, or a drive is back. The
        second is how many are in conflict. Conflicts in which the person now agrees with the file
        are resolved first.
        """
        self._resolve_agreed()
        return self._store.counter(_REV), int(self._store.value(_CONFLICTS))

    def due(self, limit: int, background: bool, quiet_s: float) -> list[int]:
        """List photos whose sidecars are to be written now, requested ones first.

        Reads every unwritten sidecar: every marked photo if sidecars are off. So call it only if
        :meth:`revision` changed, or if sidecars are written in the background. Sidecars in conflict
        wait for a person's choice.

        Args:
            limit: at most this many.
            background: whether sidecars nobody requested are written too.
            quiet_s: for those, seconds without a decision.
        """
        self._resolve_agreed()
        now = time.time()
        newest = self._store.value("SELECT max(since) FROM unwritten WHERE NOT asked") or 0.0
        quiet = background and not now - quiet_s < newest <= now  # the clock may have been set back
        return self._store.values(
            "SELECT photo_id FROM unwritten AS u WHERE (asked AND reason IS NULL"
            f" OR ? AND (reason IS NULL OR tried_at < ?)) AND NOT {_DISPUTED}"
            " ORDER BY asked DESC, photo_id LIMIT ?",
            (quiet, now - _RETRY_S, limit),
        )

    def outstanding(self) -> SidecarCounts:
        """Count the sidecars to be written and those in conflict.

        Reads every unwritten sidecar, as :meth:`due` does.
        """
        [row] = self._store.rows(
            "SELECT count(*), coalesce(sum(asked), 0), coalesce(sum(asked AND reason IS NULL"
            f" AND NOT {_DISPUTED}), 0), count(reason), ({_CONFLICTS}), coalesce(max(reason), ''),"
            " coalesce(max(since), 0.0) FROM unwritten AS u"
        )
        return SidecarCounts(*row)

    def to_write(self, ids: Sequence[int]) -> list[SidecarContent]:
        """Return what the sidecars of photos should say now, without photos that are gone."""
        found: list[SidecarContent] = []
        for part in chunks(list(ids)):
            among = f"IN ({placeholders(len(part))})"
            keywords = self._tags.keywords_of(part)
            projects = self._projects.names_of(part)
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
                f" WHERE p.id {among} AND {PRESENT} ORDER BY d.path, f.name",
                part,
            ):
                beside = tuple(sidecars.get(photo, ()))
                fields = {
                    "rating": rating or 0,
                    "flag": flag or NO_VALUE,
                    "label": label or NO_VALUE,
                }
                fields |= _spelled(keywords.get(photo, ()), beside)
                fields["projects"] = sorted(projects.get(photo, ()))
                main = str(Path(path, name))
                found.append(
                    SidecarContent(photo, main, Kind(kind), fields, beside, since, *map(bool, more))
                )
        return found

    def start_writing(self, intents: Mapping[int, Plain]) -> None:
        """Record what is about to be written to the sidecars of photos.

        Earlier intents that were never confirmed stay recorded: the file may hold any of them. A
        photo with nothing unwritten gets the time 0, so that a mark made meanwhile is noticed.
        """
        with self._store.transaction():
            self._store.run_many(
                "INSERT INTO unwritten (photo_id, since, intent) VALUES (?, 0, ?)"
                " ON CONFLICT (photo_id) DO UPDATE SET intent = excluded.intent",
                [
                    (photo, json.dumps([*self._metadata.intents(photo), dict(fields)][-_INTENTS:]))
                    for photo, fields in intents.items()
                ],
            )

    def save_written(self, done: Sequence[WriteResult]) -> None:
        """Save results of writing; a photo marked again meanwhile is written again."""
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
                    # A different time means a different mark, even if earlier: clocks are set back.
                    "DELETE FROM unwritten WHERE photo_id = ? AND since = coalesce(?, 0)",
                    (wrote.photo_id, wrote.since),
                )
                self._store.run(
                    "UPDATE unwritten SET intent = NULL WHERE photo_id = ?", (wrote.photo_id,)
                )
            self._store.increment(_REV)

    def _note_written(self, photo: int, now: FileMarks) -> None:
        self._store.upsert(
            "sidecar",
            "path",
            photo_id=photo,
            path=now.path,
            digest=now.digest,
            size=now.size,
            mtime_ns=now.mtime_ns,
            metadata_date=now.date or None,
            said=json.dumps(dict(now.fields or {})),
            theirs=None,
            synced_at=time.time(),
            state="synced",
            reason=None,
        )

    # --- conflicts

    def conflicts(self, ids: Sequence[int] | None = None) -> list[Conflict]:
        """List sidecars that contradict a person's decision, of all photos or of these."""
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
        """Resolve conflicts in which a person has meanwhile made the same decision as the file."""
        rows = self._sidecar_files.where("state", ["conflict"])
        agreed = [row.photo_id for row in rows if not self._conflict(row).differs]
        if agreed:
            self.resolve_conflicts(agreed, write=False)

    def resolve_conflicts(self, ids: Sequence[int], write: bool) -> None:
        """End the conflicts of photos; ``write`` requests that their sidecars are written.

        What the sidecars say counts as known from now on, and is not imported.
        """
        with self._store.transaction():
            for part in chunks(list(ids)):
                self._store.run(
                    "UPDATE sidecar SET said = theirs, theirs = NULL, state = 'synced'"
                    f" WHERE state = 'conflict' AND photo_id IN ({placeholders(len(part))})",
                    part,
                )
            if write:
                self.request_write(ids)


def _spelled(
    keywords: Sequence[tuple[str, str | None]], sidecars: Sequence[SidecarRow]
) -> dict[str, Any]:
    """Return keywords and their paths, spelled as in the photo's sidecars where they contain them.

    A tag's name is shorter than a keyword may be, and has one path where a keyword may have
    several. Writing must not shorten a keyword that stays in the file.
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
