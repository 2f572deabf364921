"""Back-ups of the catalog: copied while it is in use, verified, and thinned out.

    keep(home.catalog)                      # today's, if there is none yet; old ones go
    for backup in listed(home.catalog):     # newest first, each read from end to end
        backup.made_at, backup.photos, backup.decisions, backup.fault

They lie in ``backups`` beside the catalog. Every one is a catalog by itself, in one file.
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
from curator.model import CatalogError

log = logging.getLogger(__name__)

DAY_S = 86_400.0
# Their names have the time of where one was: a day and two hours is how far clocks differ on earth.
_AHEAD_S = 26 * 3600.0
_KEEP_DAYS = 5
_KEEP_WEEKS = 4
_KEEP_VERSIONS = 3
_STAMP = "%Y%m%d-%H%M%S"
# Copied in steps of some 4 MB, each brought to the disk before the next: all of it at once would
# leave the disk busy for as long as it takes, and a mark that is being committed waits for it.
_PAGES = 1000
_BREATH_S = 0.005
_OPCODES = 200_000  # of SQLite, between two looks whether a check was given up

Stop = Callable[[], bool]


class GivenUpError(Exception):
    """A back-up was given up half-way, because it was asked to; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A back-up as it was found on disk.

    Attributes:
        path: its file.
        made_at: when, in Unix time.
        version: of the schema; 0 if it could not be read.
        photos: how many are in it, without those whose folder was removed.
        decisions: how many the journal has.
        size: bytes on disk.
        fault: what is wrong with it, empty when it is sound and was read from end to end.
    """

    path: Path
    made_at: float
    version: int = 0
    photos: int = 0
    decisions: int = 0
    size: int = 0
    fault: str = ""


def files(catalog: Path) -> list[Path]:
    """List the back-ups of a catalog, newest first; none of them is opened."""
    with contextlib.suppress(OSError):
        found = (catalog.parent / "backups").glob(f"{catalog.stem}-*.db")
        return sorted(found, key=_age_s)
    return []


def _age_s(backup: Path) -> float:
    """Say how old a back-up is; one from the future, as by a clock that was wrong, is the oldest.

    Otherwise it would keep new ones from being made until then, and push out those that are.
    """
    age = time.time() - made_at(backup)
    return age if age > -_AHEAD_S else time.time()


def made_at(backup: Path) -> float:
    """Say when a back-up was made, in Unix time: its name has it, or else its file."""
    stamp = re.search(r"-(\d{8}-\d{6})(?:-\d+)?\.db$", backup.name)
    with contextlib.suppress(ValueError, OverflowError, OSError):
        if stamp:
            return datetime.strptime(stamp[1], _STAMP).timestamp()
    with contextlib.suppress(OSError):
        return backup.stat().st_mtime
    return 0.0


def listed(catalog: Path) -> list[Backup]:
    """Read every back-up of a catalog from end to end, newest first; seconds for large ones."""
    return [inspect(path) for path in files(catalog)]


def newest_sound(catalog: Path) -> Backup | None:
    """Choose the newest back-up that can be read from end to end."""
    found = (inspect(path) for path in files(catalog))
    return next((backup for backup in found if not backup.fault), None)


def inspect(path: Path) -> Backup:
    """Read a back-up from end to end: is it sound, is it ours, what is in it."""
    when = made_at(path)
    try:
        with atomic.open_plain(path):  # SQLite would wait for a pipe
            size = path.stat().st_size
        with contextlib.closing(_reading(path)) as connection:
            version = _value(connection, "PRAGMA user_version")
            fault = verdict(connection) or _foreign(connection)
            if fault:
                return Backup(path, when, version, size=size, fault=fault)
            photos, decisions = counted(connection)
    except OSError as error:
        return Backup(path, when, fault=f"cannot be read ({error.strerror or error})")
    except integrity.NONSENSE as error:
        return Backup(path, when, size=size, fault=str(error))
    return Backup(path, when, version, photos, decisions, size)


def _reading(path: Path) -> sqlite3.Connection:
    """Open a file that nobody writes to; nothing is made beside it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _value(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _foreign(connection: sqlite3.Connection) -> str:
    ours = _value(connection, "PRAGMA application_id") == schema.APPLICATION_ID
    return "" if ours else "is no catalog of Curator's"


def verdict(connection: sqlite3.Connection, *, gently: bool = False) -> str:
    """Say what is wrong with a whole catalog, the first thing found; empty when it is sound."""
    found = integrity.faults(connection, gently=gently)
    return found[0].splitlines()[-1] if found else ""


def counted(connection: sqlite3.Connection) -> tuple[int, int]:
    """Count photos and decisions, as the back-ups are told apart by."""
    return (
        _value(
            connection,
            "SELECT count(*) FROM photo WHERE merged_into IS NULL AND removed_at IS NULL",
        ),
        _value(connection, "SELECT count(*) FROM decision"),
    )


# --- making


def before_migration(path: Path, version: int) -> Path:
    """Name a back-up that is made before a migration; no other has that name."""
    stamp = time.strftime(_STAMP)
    folder = path.parent / "backups"
    wanted = folder / f"{path.stem}-v{version}-{stamp}.db"
    number = 1
    while wanted.exists():
        number += 1
        wanted = folder / f"{path.stem}-v{version}-{stamp}-{number}.db"
    return wanted


def is_due(catalog: Path, every_s: float = DAY_S) -> bool:
    """Say whether the newest daily back-up is older than ``every_s``, or there is none."""
    newest = next(iter(_daily(catalog)), None)
    return newest is None or _age_s(newest) >= every_s


def keep(catalog: Path, every_s: float = DAY_S, stop: Stop = lambda: False) -> Path | None:
    """Have a verified back-up of today, and let go those that are older than one needs.

    Kept are the five newest daily ones, the newest of each of the four weeks before them, and
    what the last three migrations began with. Nothing goes before a new one is verified.

    Args:
        catalog: the SQLite file; it may be in use.
        every_s: none is made while the newest daily one is younger.
        stop: asked every few milliseconds whether to give it up.

    Returns:
        The copy, or None if none was due or there is no photo yet.

    Raises:
        CatalogError: no copy could be made, or the catalog itself is damaged; all back-ups there
            were are still there.
        GivenUpError: ``stop`` said so; nothing of it is left.

    Thread: any; the catalog is opened for it and closed again.
    """
    if not is_due(catalog, every_s):
        return None
    to = catalog.parent / "backups" / f"{catalog.stem}-daily-{time.strftime(_STAMP)}.db"
    try:
        where = f"{catalog.absolute().as_uri()}?mode=rw"  # never makes one
        with contextlib.closing(
            sqlite3.connect(where, uri=True, isolation_level=None)
        ) as connection:
            if connection.execute("SELECT 1 FROM photo LIMIT 1").fetchone() is None:
                return None  # it would be the only one of this day
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
    """Choose which back-ups nobody needs any more, out of all there are, newest first."""
    daily = [path for path in backups if "-daily-" in path.name]
    weeks: dict[tuple[int, int], Path] = {}
    for path in daily[_KEEP_DAYS:]:
        weeks.setdefault(datetime.fromtimestamp(made_at(path)).isocalendar()[:2], path)
    versions: dict[str, Path] = {}
    for path in backups:
        version = re.search(r"-v(\d+)-", path.name)
        if version:
            versions.setdefault(version[1], path)
    needed = {*daily[:_KEEP_DAYS], *list(weeks.values())[:_KEEP_WEEKS]}
    needed |= set(list(versions.values())[:_KEEP_VERSIONS])
    migrated = [path for path in backups if re.search(r"-v\d+-", path.name)]
    return [path for path in (*daily, *migrated) if path not in needed]


def hold_newest(catalog: Path) -> None:
    """Keep the newest sound back-up for good: what comes after it is of another catalog.

    Raises:
        CatalogError: it cannot be renamed.
    """
    found = newest_sound(catalog)
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

    Verified: SQLite finds it whole, and it has as many photos and decisions as the catalog had
    at that moment. Others read and write meanwhile.

    Args:
        connection: of the catalog, not within a transaction.
        to: the copy's file.
        stop: asked every few milliseconds whether to give it up.

    Raises:
        CatalogError: no copy could be made or it is not sound; none is left behind.
        GivenUpError: ``stop`` said so; none is left behind.
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
    """Copy one moment of a database, bit by bit, and hold the copy against it."""
    connection.execute("BEGIN")  # what is read from here on is of this moment
    try:
        expected = counted(connection) if _is_made(connection) else None
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no log beside it
            copy.execute("PRAGMA synchronous = OFF")  # we sync it ourselves
            with temporary.open("rb+") as file:

                def breathe(*_: int) -> None:
                    if stop():
                        raise GivenUpError
                    os.fsync(file.fileno())
                    time.sleep(_BREATH_S)

                connection.backup(copy, pages=_PAGES, progress=breathe)
                copy.execute("PRAGMA journal_mode = DELETE")  # the copy says of itself what we do
                copy.set_progress_handler(stop, _OPCODES)
                fault = verdict(copy, gently=True)
                if not fault and expected is not None and counted(copy) != expected:
                    fault = "photos or decisions are missing in it"
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


def _is_made(connection: sqlite3.Connection) -> bool:
    return bool(_value(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'decision'"))


def _damaged(fault: str) -> CatalogError:
    return CatalogError(
        f"No back-up was made: the catalog is damaged ({fault}).",
        "Close Curator and put the last sound back-up in its place: `curator doctor restore`.",
    )


def _failed(to: Path, error: OSError | sqlite3.Error | UnicodeDecodeError) -> CatalogError:
    name = getattr(error, "sqlite_errorname", None) or ""
    torn = name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
    if torn or isinstance(error, UnicodeDecodeError):  # SQLite quotes what is no text
        return _damaged(str(error))
    said = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return CatalogError(
        f"No back-up of the catalog could be made at {to} ({said}).",
        "Make room there or make it writable; nothing was changed.",
    )
