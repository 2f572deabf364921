"""Putting a back-up in the place of a damaged catalog, with what was decided since.

The journal is only ever added to, and ids are never used twice. So what a damaged catalog still
has of the steps after its back-up can be made again in the copy, step by step, as far as it can
be read. Nothing is deleted: the damaged catalog is set aside under a name with the date.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from curator.catalog import backups
from curator.catalog.backups import Backup
from curator.catalog.fields import RELATIONS
from curator.catalog.journal import Journal, revisions
from curator.catalog.lock import UseLock
from curator.catalog.store import Row, marks
from curator.model import CatalogError, Change, Step

log = logging.getLogger(__name__)

_ROOM = 1.2  # of a back-up's size: what was decided since comes on top


@dataclass(frozen=True, slots=True)
class Redone:
    """What became of the decisions that were made after a back-up.

    Attributes:
        steps: acts found in the damaged catalog and made again.
        decisions: single decisions among them that were made again.
        homeless: decisions found that are about photos the back-up does not have.
        whole: the damaged catalog's journal could be read to its end.
        related: the damaged catalog is what became of this back-up; otherwise nothing is redone.
    """

    steps: int = 0
    decisions: int = 0
    homeless: int = 0
    whole: bool = True
    related: bool = True


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back.

    Attributes:
        backup: the back-up that is the catalog now.
        aside: where the former catalog is; None if there was none.
        redone: what became of the decisions made since; None if they were not to be redone.
    """

    backup: Backup
    aside: Path | None
    redone: Redone | None


def restore(
    catalog: Path, backup: Path, mend: Callable[[Path, Path], Redone] | None = None
) -> Restored:
    """Put a back-up in the catalog's place; the catalog there was is set aside, never deleted.

    Either all of it is done or nothing is: the copy is made, verified and brought up to date
    beside the catalog, and takes its place in one step.

    Args:
        catalog: the SQLite file.
        backup: the copy to put there; it stays where it is.
        mend: gets the copy and the catalog there was, and makes decisions again.

    Raises:
        BusyError: somebody has the catalog open.
        CatalogError: the back-up is not sound, or there is no room; the catalog is as it was.
    """
    lock = UseLock(catalog)
    lock.alone()
    bench = catalog.parent / "restoring"
    try:
        found = backups.inspect(backup)
        if found.fault:
            raise CatalogError(
                f"The back-up {backup} cannot be used ({found.fault}).",
                "`curator doctor backups` lists the others.",
            )
        shutil.rmtree(bench, ignore_errors=True)
        bench.mkdir()
        copy = bench / catalog.name
        _need_room(catalog, found)
        shutil.copyfile(backup, copy)
        redone = mend(copy, catalog) if mend is not None else None
        _close_off(copy)
        with copy.open("rb+") as file:
            os.fsync(file.fileno())
        aside = _set_aside(catalog)
        copy.replace(catalog)
        log.info("restored %s from %s; the former one is %s", catalog, backup, aside)
        return Restored(found, aside, redone)
    except (OSError, sqlite3.Error) as error:
        said = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise CatalogError(
            f"The back-up {backup} could not be put in the catalog's place ({said}).",
            f"Make room in {catalog.parent} or make it writable; nothing was lost.",
        ) from error
    finally:
        shutil.rmtree(bench, ignore_errors=True)
        lock.release()


def _need_room(catalog: Path, backup: Backup) -> None:
    free = shutil.disk_usage(catalog.parent).free
    if free < backup.size * _ROOM:
        raise CatalogError(
            f"There is no room in {catalog.parent} to put the back-up in the catalog's place.",
            f"Make {backup.size * _ROOM / 1e6:,.0f} MB of room; nothing was changed.",
        )


def _close_off(copy: Path) -> None:
    """Fold in what was redone, and verify the copy once more."""
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        fault = backups.verdict(connection)
    if fault:
        raise CatalogError(f"The copy of the back-up is not sound ({fault}).", "Try another one.")


def _set_aside(catalog: Path) -> Path | None:
    """Keep the catalog there is, with its log, under a name of its own.

    The log goes first and the catalog stays until the copy replaces it: one that is missing for
    a moment would be made anew, empty, by whoever starts then.
    """
    if not catalog.exists():
        return None
    name = f"{catalog.stem}-before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = catalog.with_name(f"{name}{catalog.suffix}"), 1
    while aside.exists():
        number += 1
        aside = catalog.with_name(f"{name}-{number}{catalog.suffix}")
    try:
        os.link(catalog, aside)
    except OSError:  # a file system without links
        shutil.copy2(catalog, aside)
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{catalog}{ending}").rename(f"{aside}{ending}")
    return aside


# --- what was decided since


class Replays(Journal):
    """The part of a catalog that makes decisions of another again."""

    def replay(self, former: Path) -> Redone:
        """Make again, in the catalog a back-up became, what was decided in the former one since.

        Args:
            former: the damaged catalog; it is only read, as far as that goes.

        Returns:
            What was found and what became of it.
        """
        since = self._row("SELECT id, made_at, summary FROM step ORDER BY id DESC LIMIT 1")
        reading = _Former(former)
        try:
            if since is not None and not reading.has(since):
                return Redone(whole=reading.whole, related=not reading.whole)
            with self._writing(durable=True):
                return self._redo(reading, since[0] if since else 0)
        finally:
            reading.close()

    def _redo(self, reading: _Former, since: int) -> Redone:
        for table, columns in _NAMES.items():
            newest = self._value(f"SELECT coalesce(max(id), 0) FROM {table}")
            listed = ", ".join(columns)
            self._run_many(
                f"INSERT OR IGNORE INTO {table} ({listed}) VALUES ({marks(len(columns))})",
                reading.rows(f"SELECT {listed} FROM {table} WHERE id > ?", newest),
            )
        steps = decisions = homeless = 0
        for row in reading.rows(
            "SELECT id, kind, summary, made_at, reverts, source, scope, context FROM step"
            " WHERE id > ? ORDER BY id",
            since,
        ):
            made = list(
                reading.rows(
                    "SELECT step_id, photo_id, field, about, before, after, expected, order_name"
                    " FROM decision WHERE step_id = ? ORDER BY id",
                    row[0],
                )
            )
            if not reading.whole:  # half a step is none
                break
            housed = [one for one in made if self._has(one[1], one[2], one[3])]
            homeless += len(made) - len(housed)
            self._redo_step(row, housed)
            steps, decisions = steps + 1, decisions + len(housed)
        return Redone(steps, decisions, homeless, reading.whole)

    def _has(self, photo: int, field: str, about: int | None) -> bool:
        """Say whether what a decision is about is in this catalog."""
        if self._value("SELECT 1 FROM photo WHERE id = ?", (photo,)) is None:
            return False
        return about is None or self._value(RELATIONS[field].known, (about,)) is not None

    def _redo_step(self, row: Row, made: list[Row]) -> None:
        """Enter a step as it stood, and make photos what they are by it."""
        self._run(
            "INSERT INTO step (id, kind, summary, made_at, reverts, source, scope, context)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        self._run_many(
            "INSERT INTO decision (step_id, photo_id, field, about, before, after, expected,"
            " order_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            made,
        )
        number, kind, summary, made_at, reverts, _, _, context = row
        changes = tuple(
            Change(photo, field, before, after, about)
            for _, photo, field, about, before, after, *_ in made
        )
        step = Step(number, kind, summary, made_at, changes, reverts, json.loads(context))
        self._revise(revisions(step), back=kind == "undo")
        self._put(changes)


# What decisions are about and the journal does not tell of: their names, as far as they are new.
_NAMES = {
    "tag": ("id", "name", "category", "folded"),
    "project": ("id", "name", "notes", "made_at", "removed_at"),
}


class _Former:
    """A damaged catalog, read as far as that goes and never written to.

    Attributes:
        whole: nothing that was asked for was unreadable so far.
    """

    def __init__(self, path: Path) -> None:
        self.whole = True
        self._connection: sqlite3.Connection | None = None
        with self._noticing():
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def close(self) -> None:
        """Let go of it."""
        if self._connection is not None:
            self._connection.close()

    def rows(self, sql: str, value: object) -> Iterator[Row]:
        """Read rows until there is no more, or one cannot be read."""
        with self._noticing():
            if self._connection is not None:
                yield from self._connection.execute(sql, (value,))

    def has(self, step: Row) -> bool:
        """Say whether it has this step just so: then it is what became of that back-up."""
        return list(self.rows("SELECT id, made_at, summary FROM step WHERE id = ?", step[0])) == [
            step
        ]

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            log.info("the former catalog cannot be read on: %s", error)
            self.whole = False
