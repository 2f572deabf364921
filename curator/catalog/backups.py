"""Backups of the catalog: copied while it is in use, verified, and thinned out.

The pipeline makes one a day; `migrations` makes one before each step; the command line lists and
restores them. They are in ``backups`` beside the catalog. Each is a complete catalog in one file.

    make_if_due(home.catalog)               # today's, if there is none yet; deletes old ones
    for backup in listed(home.catalog):     # newest first, each read from end to end
        backup.made_at, backup.photos, backup.decisions, backup.fault
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from curator import atomic, private
from curator.catalog import integrity, schema
from curator.catalog.fields import NOT_REMOVED, PRESENT
from curator.model import CatalogError

log = logging.getLogger(__name__)

DAY_S = 86_400.0
# How far ahead a backup's date may be: names contain local times, which differ by up to 26 hours.
_AHEAD_S = 26 * 3600.0
_KEEP_DAYS = 5
_KEEP_WEEKS = 4
_KEEP_VERSIONS = 3
_STAMP = "%Y%m%d-%H%M%S"
# Copied in steps of some 4 MB, each synced before the next: syncing all at once would keep the
# disk busy so long that a mark being committed has to wait.
_PAGES = 1000
_PAUSE_S = 0.005
_OPCODES = 200_000  # of SQLite, after which it asks whether to cancel

Stop = Callable[[], bool]


class GivenUpError(Exception):
    """A backup was canceled half-way on request; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as found on disk.

    Attributes:
        path: its file.
        made_at: when, in Unix time.
        version: of the schema; 0 if it could not be read.
        photos: how many it has, without those that are gone (see `fields.PRESENT`).
        decisions: how many the journal has.
        size: bytes on disk.
        fault: what is wrong with it; empty if it is intact and was read from end to end.
    """

    path: Path
    made_at: float
    version: int = 0
    photos: int = 0
    decisions: int = 0
    size: int = 0
    fault: str = ""


def files(catalog: Path) -> list[Path]:
    """List the backups of a catalog, newest first, without opening them."""
    with contextlib.suppress(OSError):
        found = (catalog.parent / "backups").glob(f"{catalog.stem}-*.db")
        return sorted(found, key=_age_s)
    return []


def _age_s(backup: Path) -> float:
    """Return the age of a backup in seconds; a backup dated in the future counts as the oldest.

    Otherwise a backup made while the clock was wrong would block new backups until that date, and
    replace the existing ones.
    """
    age = time.time() - made_at(backup)
    return age if age > -_AHEAD_S else time.time()


def made_at(backup: Path) -> float:
    """Return when a backup was made, in Unix time: from its name, or else from its file."""
    stamp = re.search(r"-(\d{8}-\d{6})(?:-\d+)?\.db$", backup.name)
    with contextlib.suppress(ValueError, OverflowError, OSError):
        if stamp:
            return datetime.strptime(stamp[1], _STAMP).timestamp()
    with contextlib.suppress(OSError):
        return backup.stat().st_mtime
    return 0.0


def listed(catalog: Path) -> list[Backup]:
    """Read every backup of a catalog from end to end, newest first; seconds for large ones."""
    return [inspect(path) for path in files(catalog)]


def newest_intact(catalog: Path) -> Backup | None:
    """Return the newest backup that can be read from end to end."""
    found = (inspect(path) for path in files(catalog))
    return next((backup for backup in found if not backup.fault), None)


def inspect(path: Path) -> Backup:
    """Read a backup from end to end: check it and count its contents."""
    when = made_at(path)
    try:
        with atomic.open_plain(path):  # SQLite would block on a pipe
            size = path.stat().st_size
        with contextlib.closing(_open_read_only(path)) as connection:
            version = _value(connection, "PRAGMA user_version")
            fault = first_fault(connection) or _foreign(connection)
            if fault:
                return Backup(path, when, version, size=size, fault=fault)
            photos, decisions = counted(connection)
    except OSError as error:
        return Backup(path, when, fault=f"cannot be read ({error.strerror or error})")
    except integrity.DAMAGE_ERRORS as error:
        return Backup(path, when, size=size, fault=str(error))
    return Backup(path, when, version, photos, decisions, size)


def _open_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that no process writes to, without creating files beside it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _value(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _foreign(connection: sqlite3.Connection) -> str:
    ours = _value(connection, "PRAGMA application_id") == schema.APPLICATION_ID
    return "" if ours else "is not a catalog of Curator"


def first_fault(connection: sqlite3.Connection, *, gently: bool = False) -> str:
    """Return the first thing that is wrong with a catalog; empty if it is intact."""
    found = integrity.faults(connection, gently=gently)
    return found[0].splitlines()[-1] if found else ""


def counted(connection: sqlite3.Connection) -> tuple[int, int]:
    """Count present photos and decisions, which help a person choose a backup."""
    # Catalogs before version 4 do not know that files were deleted.
    counts = PRESENT if _value(connection, "PRAGMA user_version") >= 4 else NOT_REMOVED
    return (
        _value(connection, f"SELECT count(*) FROM photo AS p WHERE {counts}"),
        _value(connection, "SELECT count(*) FROM decision"),
    )


# --- making


def before_migration(path: Path, version: int) -> Path:
    """Return an unused name for a backup made before a migration."""
    name = f"{path.stem}-v{version}-{time.strftime(_STAMP)}"
    backup, number = path.parent / "backups" / f"{name}.db", 1
    while backup.exists():
        number += 1
        backup = backup.with_name(f"{name}-{number}.db")
    return backup


def is_due(catalog: Path, every_s: float = DAY_S) -> bool:
    """Whether the newest daily backup is older than ``every_s``, or there is none."""
    newest = next(iter(_daily(catalog)), None)
    return newest is None or _age_s(newest) >= every_s


def make_if_due(catalog: Path, every_s: float = DAY_S, stop: Stop = lambda: False) -> Path | None:
    """Make and verify today's backup if it is due, then delete those no longer needed.

    The five newest daily ones stay, the newest of each of the four weeks before them, and the one
    made before each of the last three migrations. Nothing is deleted before a new one is verified.

    Args:
        catalog: the SQLite file; it may be in use.
        every_s: none is made while the newest daily one is younger.
        stop: called every few milliseconds; True cancels.

    Returns:
        The copy, or None if none was due or the catalog has no photos yet.

    Raises:
        CatalogError: no copy could be made, or the catalog itself is damaged; all backups are kept.
        GivenUpError: ``stop`` returned True; nothing is left behind.

    Thread: any; the catalog is opened for it and closed again.
    """
    if not is_due(catalog, every_s):
        return None
    to = catalog.parent / "backups" / f"{catalog.stem}-daily-{time.strftime(_STAMP)}.db"
    try:
        where = f"{catalog.absolute().as_uri()}?mode=rw"  # never creates a file
        with contextlib.closing(
            sqlite3.connect(where, uri=True, isolation_level=None)
        ) as connection:
            if connection.execute("SELECT 1 FROM photo LIMIT 1").fetchone() is None:
                return None  # an empty backup would be the only one of the day
            made = back_up(connection, to, stop)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _failed(to, error) from error
    for old in superseded(files(catalog)):
        with contextlib.suppress(OSError):
            old.unlink()
    return made


def _daily(catalog: Path) -> Iterator[Path]:
    return (path for path in files(catalog) if "-daily-" in path.name)


def superseded(backups: Sequence[Path]) -> list[Path]:
    """Return those of all backups, given newest first, that are no longer needed."""
    daily = [path for path in backups if "-daily-" in path.name]
    migrated = [(path, old[1]) for path in backups if (old := re.search(r"-v(\d+)-", path.name))]
    weeks: dict[tuple[int, int], Path] = {}
    for path in daily[_KEEP_DAYS:]:
        weeks.setdefault(datetime.fromtimestamp(made_at(path)).isocalendar()[:2], path)
    versions: dict[str, Path] = {}
    for path, version in migrated:
        versions.setdefault(version, path)
    needed = {*daily[:_KEEP_DAYS], *list(weeks.values())[:_KEEP_WEEKS]}
    needed |= set(list(versions.values())[:_KEEP_VERSIONS])
    return [path for path in (*daily, *(path for path, _ in migrated)) if path not in needed]


def hold_newest(catalog: Path) -> None:
    """Rename the newest intact backup so that it is never deleted automatically.

    For a new catalog in place of a lost one: the backups made from then on are of the new one.

    Raises:
        CatalogError: it cannot be renamed.
    """
    found = newest_intact(catalog)
    if found is None:
        return
    held = found.path.with_name(re.sub(r"-(daily|v\d+)-", "-held-", found.path.name))
    try:
        if not held.exists():
            found.path.rename(held)
    except OSError as error:
        raise _failed(held, error) from error


def back_up(connection: sqlite3.Connection, to: Path, stop: Stop = lambda: False) -> Path:
    """Copy a database while it is in use, verify the copy, and only then give it its name.

    Verified means that `integrity.faults` finds nothing, and that it has as many photos and
    decisions as the catalog had at that moment. Other connections read and write meanwhile.

    Args:
        connection: of the catalog, not within a transaction.
        to: the copy's file.
        stop: called every few milliseconds; True cancels.

    Raises:
        CatalogError: no copy could be made or it is damaged; none is left behind.
        GivenUpError: ``stop`` returned True; none is left behind.
    """
    try:
        private.make_folder(to.parent)
        atomic.remove_leftovers(to.parent)
        with atomic.replacing(to) as temporary:
            private.touch(temporary)
            try:
                _copy(connection, temporary, stop)
            finally:
                with contextlib.suppress(OSError):
                    Path(f"{temporary}-journal").unlink(missing_ok=True)
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        raise _failed(to, error) from error
    return to


def _copy(connection: sqlite3.Connection, temporary: Path, stop: Stop) -> None:
    """Copy one moment of a database page by page, and verify the copy against it."""
    connection.execute("BEGIN")  # everything below reads the state of this moment
    try:
        expected = counted(connection) if _has_journal(connection) else None
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no log beside it
            copy.execute("PRAGMA synchronous = OFF")  # we sync it ourselves
            with temporary.open("rb+") as file:

                def pause(*_: int) -> None:
                    if stop():
                        raise GivenUpError
                    os.fsync(file.fileno())
                    time.sleep(_PAUSE_S)

                connection.backup(copy, pages=_PAGES, progress=pause)
                # Again: the backup copied the journal mode of the original.
                copy.execute("PRAGMA journal_mode = DELETE")
                copy.set_progress_handler(stop, _OPCODES)
                fault = first_fault(copy, gently=True)
                if not fault and expected is not None and counted(copy) != expected:
                    fault = "the copy lacks photos or decisions"
                os.fsync(file.fileno())
    except sqlite3.OperationalError as error:
        if stop():
            raise GivenUpError from error
        raise
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if fault:
        raise _damaged(fault)


def _has_journal(connection: sqlite3.Connection) -> bool:
    return bool(_value(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'decision'"))


def _damaged(fault: str) -> CatalogError:
    return CatalogError(
        f"No backup was made: the catalog is damaged ({fault}).",
        "Close Curator and restore the last intact backup: `curator doctor restore`.",
    )


def _failed(to: Path, error: OSError | sqlite3.Error | UnicodeDecodeError) -> CatalogError:
    name = getattr(error, "sqlite_errorname", None) or ""
    torn = name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
    if torn or isinstance(error, UnicodeDecodeError):  # SQLite quotes the broken text
        return _damaged(str(error))
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return CatalogError(
        f"The backup {to} could not be made ({reason}).",
        "Free space there or make the folder writable; nothing was changed.",
    )
