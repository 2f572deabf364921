"""Putting a back-up in the place of a catalog that is damaged or gone.

What was decided since is made again as far as the damaged one can be read (see `replaying`).
Nothing is deleted: the damaged catalog is set aside under a name with the date.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curator import private
from curator.catalog import backups
from curator.catalog.backups import Backup
from curator.catalog.lock import UseLock
from curator.catalog.replaying import ReplayReport
from curator.model import CatalogError

log = logging.getLogger(__name__)

_ROOM = 1.2  # of a back-up's size: what was decided since comes on top


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was put back.

    Attributes:
        backup: the back-up that is the catalog now.
        aside: where the former catalog is; None if there was none.
        redone: what became of the decisions made since; None if they were not to be redone.
    """

    backup: Backup
    aside: Path | None
    redone: ReplayReport | None


def restore(
    catalog: Path, backup: Path, mend: Callable[[Path, Path], ReplayReport] | None = None
) -> RestoreReport:
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
        private.make_folder(bench)
        copy = bench / catalog.name
        _need_room(catalog, found)
        private.touch(copy)
        shutil.copyfile(backup, copy)
        redone = mend(copy, catalog) if mend is not None else None
        _close_off(copy)
        with copy.open("rb+") as file:
            os.fsync(file.fileno())
        aside = _set_aside(catalog)
        copy.replace(catalog)
        log.info("restored %s from %s; the former one is %s", catalog, backup, aside)
        return RestoreReport(found, aside, redone)
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
        set_log_aside(catalog)
        return None
    aside = _name_aside(catalog)
    try:
        os.link(catalog, aside)
    except OSError:  # a file system without links
        try:
            private.touch(aside)
            shutil.copy2(catalog, aside)
        except OSError:
            aside.unlink(missing_ok=True)
            raise
    _move_log(catalog, aside)
    return aside


def set_log_aside(catalog: Path) -> None:
    """Keep the log of a catalog that is gone, where no other catalog takes it for its own."""
    _move_log(catalog, _name_aside(catalog))


def _name_aside(catalog: Path) -> Path:
    """Name what a catalog is kept under; neither it nor a log has that name yet."""
    name = f"{catalog.stem}-before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = catalog.with_name(f"{name}{catalog.suffix}"), 1
    while aside.exists() or Path(f"{aside}-wal").exists():
        number += 1
        aside = catalog.with_name(f"{name}-{number}{catalog.suffix}")
    return aside


def _move_log(catalog: Path, aside: Path) -> None:
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{catalog}{ending}").rename(f"{aside}{ending}")
