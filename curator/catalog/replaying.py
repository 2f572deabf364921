"""Replaying what happened since a backup, as far as a damaged catalog can be read.

Used when a backup is restored. The journal is only ever added to, and ids of photos and steps are
never reused. So the readable steps after the backup are entered again, step by step, also on photos
added since. Changes a person made outside the journal are copied.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curator.catalog import integrity, schema
from curator.catalog.decisions import Decisions
from curator.catalog.faces import SUMMARY
from curator.catalog.fields import RELATIONS
from curator.catalog.integrity import DAMAGE_ERRORS, reports_damage
from curator.catalog.journal import revisions
from curator.catalog.photo_files import PhotoFiles
from curator.catalog.store import Row, Store, placeholders
from curator.catalog.tags import Tags
from curator.catalog.work import DESCRIBE, WorkQueue
from curator.model import Change, Step

log = logging.getLogger(__name__)


def _columns(table: str, names: str) -> str:
    """Return columns as :meth:`_FormerCatalog.rows` takes them, with the name of their table."""
    return ", ".join(f"{table}.{name}" for name in names.split(", "))


# New tags and projects, whose names the journal does not contain.
_NAMES = {
    "tag": "id, name, category, folded",
    "project": "id, name, notes, made_at, removed_at",
}
_OF_FOLDER = "path, enabled, recursive, sampled, added_at, volume, volume_name, within"
# Faces are measured again: their rows are not copied.
_NOT_COPIED = {"directory_id", "rev", *SUMMARY}
_OF_PHOTO = ", ".join(
    field.column_name
    for field in schema.Photo._meta.sorted_fields
    if field.column_name not in _NOT_COPIED
)
_OF_FILE = (
    "name, kind, role, size, mtime_ns, fingerprint, sha256, width, height, missing_since,"
    " emptied_at"
)
_OF_DESCRIPTION = (
    "photo_id, provider, model, source, subject, content_type, lighting, mood, made_at"
)
_OF_STEP = "id, kind, summary, made_at, reverts, source, scope, context"
_OF_DECISION = "step_id, photo_id, field, about, before, after, expected, order_name, repeated"
# Changes a person made outside the journal: columns, source, and the statement that writes them.
_FACTS = (
    (
        _columns("project", "name, notes, cover, removed_at, id"),
        "FROM project",
        "UPDATE OR IGNORE project SET name = ?, notes = ?, cover = ?, removed_at = ? WHERE id = ?",
    ),
    (
        _columns("photo", "turn, seen_at, id"),
        "FROM photo WHERE turn <> 0 OR seen_at IS NOT NULL",
        "UPDATE OR IGNORE photo SET turn = ?, seen_at = coalesce(seen_at, ?) WHERE id = ?",
    ),
    (
        _columns("file", "missing_since, emptied_at, sha256, photo_id, name") + ", directory.path",
        "FROM file JOIN directory ON directory.id = file.directory_id"
        " WHERE file.emptied_at IS NOT NULL",
        "UPDATE OR IGNORE file SET missing_since = ?, emptied_at = ?, sha256 = ? WHERE photo_id = ?"
        " AND name = ? AND directory_id = (SELECT id FROM directory WHERE path = ?)",
    ),
    (
        _columns("photo", "emptied_at, id"),
        "FROM photo WHERE emptied_at IS NOT NULL",
        "UPDATE OR IGNORE photo SET emptied_at = ? WHERE id = ?",
    ),
)


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What was replayed after a backup.

    Attributes:
        steps: steps found in the damaged catalog and entered again.
        decisions: single decisions among them that were made again.
        orphaned: decisions left out, about photos, tags or projects this catalog lacks.
        whole: whether the damaged catalog's journal was replayed to its end.
        related: False if the damaged catalog does not descend from this backup: nothing was
            replayed.
        photos: photos added since that were copied.
    """

    steps: int = 0
    decisions: int = 0
    orphaned: int = 0
    whole: bool = True
    related: bool = True
    photos: int = 0


@reports_damage
@dataclass(eq=False)
class Recovery:
    """Copies into a restored backup what happened in the former catalog since."""

    _store: Store
    _files: PhotoFiles
    _work: WorkQueue
    _decisions: Decisions
    _tags: Tags

    def replay(self, path: Path) -> ReplayReport:
        """Replay in this catalog, a restored backup, what happened in the former one since.

        Args:
            path: the damaged catalog; it is only read, as far as that is possible.

        Raises:
            CatalogError: this catalog is not writable; nothing was copied.
        """
        since = self._store.row("SELECT id, made_at, summary FROM step ORDER BY id DESC LIMIT 1")
        with contextlib.closing(_FormerCatalog(path)) as former:
            if since is not None:
                rows, whole = former.rows(
                    _columns("step", "id, made_at, summary"), "FROM step WHERE id = ?", since[0]
                )
                if rows != [since]:
                    return ReplayReport(whole=whole, related=not whole)
            with self._store.transaction(durable=True):
                photos = self._copy_photos(former)
                replayed = self._replay_steps(former, since[0] if since else 0)
                for columns, query, write in _FACTS:
                    self._write(write, former.rows(columns, query)[0])
                self._copy_searches(former)
                self._copy_descriptions(former)
                return replace(replayed, photos=photos)

    def _write(self, sql: str, rows: Sequence[Row]) -> None:
        """Write rows one by one; skip those that do not fit this catalog."""
        for row in rows:
            with contextlib.suppress(*DAMAGE_ERRORS):
                self._store.run(sql, row)

    # --- photos added since

    def _copy_photos(self, former: _FormerCatalog) -> int:
        """Copy the photos added since, with their files; scans and stages do the rest."""
        newest = self._store.row("SELECT id, added_at FROM photo ORDER BY id DESC LIMIT 1")
        if newest is not None:
            same, _ = former.rows("photo.id, photo.added_at", "FROM photo WHERE id = ?", newest[0])
            if same != [newest]:
                return 0
        folders, _ = former.rows(_columns("folder", _OF_FOLDER), "FROM folder")
        self._write(
            f"INSERT OR IGNORE INTO folder ({_OF_FOLDER}) VALUES ({placeholders(8)})", folders
        )
        rows, _ = former.rows(
            "directory.path, directory.folder_id, " + _columns("photo", _OF_PHOTO),
            "FROM photo JOIN directory ON directory.id = photo.directory_id WHERE photo.id > ?"
            " ORDER BY photo.id",
            newest[0] if newest else 0,
        )
        copied = 0
        for path, folder, number, *rest in rows:
            with contextlib.suppress(*DAMAGE_ERRORS):
                directory = self._directory(former, path, folder)
                self._store.run(
                    f"INSERT INTO photo (directory_id, {_OF_PHOTO})"
                    f" VALUES ({placeholders(len(rest) + 2)})",
                    (directory, number, *rest),
                )
                copied += 1
                self._copy_files(former, number)
        return copied

    def _copy_files(self, former: _FormerCatalog, photo: int) -> None:
        """Copy the files of a new photo.

        Another photo may have a file at the same path: a person split that pair since, or a camera
        used the name again.
        """
        others: list[int] = []
        self._work.add_photos([photo])
        rows, _ = former.rows(
            "directory.path, directory.folder_id, " + _columns("file", _OF_FILE),
            "FROM file JOIN directory ON directory.id = file.directory_id"
            " WHERE file.photo_id = ? ORDER BY file.id",
            photo,
        )
        for path, folder, *rest in rows:
            directory = self._directory(former, path, folder)
            here = "directory_id = ? AND name = ? AND missing_since IS NULL"
            at_path = (directory, rest[0])
            others += self._store.values(f"SELECT photo_id FROM file WHERE {here}", at_path)
            fingerprint = rest[_OF_FILE.split(", ").index("fingerprint")]
            self._store.run(
                f"DELETE FROM file WHERE {here} AND fingerprint = ?", (*at_path, fingerprint)
            )
            self._store.run(
                f"UPDATE file SET missing_since = ? WHERE {here}", (time.time(), *at_path)
            )
            self._write(
                f"INSERT INTO file (photo_id, directory_id, {_OF_FILE})"
                f" VALUES ({placeholders(len(rest) + 2)})",
                [(photo, directory, *rest)],
            )
        self._work.refresh_ready([photo, *others])

    def _directory(self, former: _FormerCatalog, path: str, folder: int | None) -> int:
        """Find or insert the directory of a path; its folder may have another id here."""
        named, _ = former.rows("folder.path", "FROM folder WHERE id = ?", folder)
        sql = "SELECT id FROM folder WHERE path = ?"
        number = self._store.value(sql, named[0]) if named else None
        return self._files.ensure_directory(path, number)

    # --- decisions made since

    def _replay_steps(self, former: _FormerCatalog, since: int) -> ReplayReport:
        """Enter the steps after ``since`` again, up to the first that cannot be read."""
        for table, names in _NAMES.items():
            newest = self._store.value(f"SELECT coalesce(max(id), 0) FROM {table}")
            rows, _ = former.rows(_columns(table, names), f"FROM {table} WHERE id > ?", newest)
            self._write(
                f"INSERT INTO {table} ({names}) VALUES ({placeholders(1 + names.count(','))})", rows
            )
        steps = decisions = orphaned = 0
        rows, whole = former.rows(
            _columns("step", _OF_STEP), "FROM step WHERE id > ? ORDER BY id", since
        )
        names = former.existing("decision", _OF_DECISION)
        for row in rows:
            decided, complete = former.rows(
                _columns("decision", names),
                "FROM decision WHERE step_id = ? ORDER BY id",
                row[0],
            )
            try:
                known = [decision for decision in decided if self._exists(*decision[1:4])]
                follows = row[0] == since + steps + 1  # otherwise one in between could not be read
                if not follows or not complete or not self._replay_step(row, names, known):
                    whole = False  # no partial steps, and none after an unreadable one
                    break
            except DAMAGE_ERRORS as error:
                log.info("step %d of the former catalog makes no sense: %s", row[0], error)
                whole = False
                break
            orphaned += len(decided) - len(known)
            steps, decisions = steps + 1, decisions + len(known)
        return ReplayReport(steps, decisions, orphaned, whole)

    def _exists(self, photo: int, field: str, about: int | None) -> bool:
        """Whether the subject of a decision exists in this catalog."""
        if self._store.value("SELECT 1 FROM photo WHERE id = ?", (photo,)) is None:
            return False
        return about is None or self._store.value(RELATIONS[field].find, (about,)) is not None

    def _replay_step(self, row: Row, names: str, decided: list[Row]) -> bool:
        """Enter a step unchanged and apply it to photos: completely or not at all.

        Args:
            row: the step.
            names: the columns of its decisions.
            decided: its decisions.
        """
        self._store.run("SAVEPOINT step")
        try:
            self._store.run(f"INSERT INTO step ({_OF_STEP}) VALUES ({placeholders(len(row))})", row)
            self._store.run_many(
                f"INSERT INTO decision ({names}) VALUES ({placeholders(1 + names.count(','))})",
                decided,
            )
            number, kind, summary, made_at, reverts, _, _, context = row
            changes = tuple(
                Change(photo, field, before, after, about)
                for _, photo, field, about, before, after, *_ in decided
            )
            step = Step(number, kind, summary, made_at, changes, reverts, json.loads(context))
            self._tags.revise(revisions(step), back=kind == "undo")
            self._decisions.apply(changes)
        except DAMAGE_ERRORS as error:
            log.info("step %d of the former catalog cannot be made again: %s", row[0], error)
            self._store.run("ROLLBACK TO step")
            return False
        finally:
            self._store.run("RELEASE step")
        return True

    # --- outside the journal

    def _copy_searches(self, former: _FormerCatalog) -> None:
        """Copy the saved searches; delete the others if all could be read."""
        rows, whole = former.rows(
            _columns("saved_search", "name, expression, made_at"), "FROM saved_search"
        )
        if whole:
            self._store.run("DELETE FROM saved_search")
        self._write(
            "INSERT INTO saved_search (name, expression, made_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET expression = excluded.expression",
            rows,
        )

    def _copy_descriptions(self, former: _FormerCatalog) -> None:
        """Copy newer descriptions: a model needs seconds for each."""
        rows, _ = former.rows(_columns("description", _OF_DESCRIPTION), "FROM description")
        for row in rows:
            photo, made_at = row[0], row[-1]
            ours = self._store.value("SELECT made_at FROM description WHERE photo_id = ?", (photo,))
            if ours is None or ours < made_at:
                with contextlib.suppress(*DAMAGE_ERRORS):
                    self._store.run(
                        f"INSERT OR REPLACE INTO description ({_OF_DESCRIPTION})"
                        f" VALUES ({placeholders(len(row))})",
                        row,
                    )
                    self._copy_suggestions(former, photo)

    def _copy_suggestions(self, former: _FormerCatalog, photo: int) -> None:
        """Copy the tags of a description, and mark it as done."""
        tags, _ = former.rows(
            "tag.name, photo_tag.confidence",
            "FROM photo_tag JOIN tag ON tag.id = photo_tag.tag_id"
            " WHERE photo_tag.photo_id = ? AND photo_tag.source = 'vision'",
            photo,
        )
        self._tags.suggest(photo, "vision", tags)
        self._work.add(DESCRIBE, [photo])
        done, _ = former.rows(
            "work.source",
            "FROM work WHERE photo_id = ? AND stage = ? AND state = 'done'",
            photo,
            DESCRIBE,
        )
        for (source,) in done:
            self._work.mark_done(DESCRIBE, {photo: source})


class _FormerCatalog:
    """A damaged catalog, read as far as possible and never written to."""

    def __init__(self, path: Path) -> None:
        self._connection: sqlite3.Connection | None = None
        with contextlib.suppress(sqlite3.Error):
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()

    def existing(self, table: str, names: str) -> str:
        """Return those of these columns that it has: an older Curator may have made it."""
        try:
            assert self._connection is not None
            info = self._connection.execute(f"PRAGMA table_info({table})")
            there = {row[1] for row in info}
        except DAMAGE_ERRORS:
            return names
        return ", ".join(name for name in names.split(", ") if name in there) or names

    def rows(self, columns: str, query: str, *values: object) -> tuple[list[Row], bool]:
        """Read rows until one cannot be read; skip rows with impossible values.

        Args:
            columns: as ``photo.id, photo.name``.
            query: the rest of the query, from FROM on.
            *values: its parameters.

        Returns:
            The rows, and whether they are complete.
        """
        found: list[Row] = []
        names, whole = columns.split(", "), True
        if self._connection is None:
            return found, False
        try:
            for row in self._connection.execute(f"SELECT {columns} {query}", values):
                if integrity.fits(names, row):
                    found.append(row)
                else:
                    whole = False
        except DAMAGE_ERRORS as error:
            log.info("the former catalog cannot be read on: %s", error)
            return found, False
        return found, whole
