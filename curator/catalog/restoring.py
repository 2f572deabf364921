"""Replacing a damaged or lost catalog with a backup.

The command line and the recovery dialog do this. On request, what was decided since the backup is
replayed as far as the damaged catalog can be read (see `replaying`). Nothing is deleted: the
damaged catalog is set aside under a name with the date.
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

_ROOM = 1.2  # times a backup's size: replayed decisions need some more


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was restored.

    Attributes:
        backup: the backup that is the catalog now.
        aside: where the former catalog is; None if there was none.
        redone: the replay of the decisions made since; None if none was wanted.
    """

    backup: Backup
    aside: Path | None
    redone: ReplayReport | None


def restore(
    catalog: Path, backup: Path, replay: Callable[[Path, Path], ReplayReport] | None = None
) -> RestoreReport:
    """Replace the catalog with a backup, as `curator.catalog.restore` says.

    Either all of it is done or nothing: the copy is made, verified and brought up to date beside
    the catalog, and takes its place in one step. ``replay`` is called with the copy and the present
    catalog.
    """
    lock = UseLock(catalog)
    lock.exclude_others()
    workspace = catalog.parent / "restoring"
    try:
        found = backups.inspect(backup)
        if found.fault:
            raise CatalogError(
                f"The backup {backup} cannot be used ({found.fault}).",
                "`curator doctor backups` lists the others.",
            )
        shutil.rmtree(workspace, ignore_errors=True)
        private.make_folder(workspace)
        copy = workspace / catalog.name
        _require_room(catalog, found)
        private.touch(copy)
        shutil.copyfile(backup, copy)
        redone = replay(copy, catalog) if replay is not None else None
        _finish(copy)
        with copy.open("rb+") as file:
            os.fsync(file.fileno())
        aside = _set_aside(catalog)
        copy.replace(catalog)
        log.info("restored %s from %s; the former one is %s", catalog, backup, aside)
        return RestoreReport(found, aside, redone)
    except (OSError, sqlite3.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise CatalogError(
            f"The backup {backup} could not be restored ({reason}).",
            f"Free space in {catalog.parent} or make it writable; nothing was lost.",
        ) from error
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
        lock.release()


def _require_room(catalog: Path, backup: Backup) -> None:
    free = shutil.disk_usage(catalog.parent).free
    if free < backup.size * _ROOM:
        raise CatalogError(
            f"Not enough space in {catalog.parent} to restore the backup.",
            f"Free {backup.size * _ROOM / 1e6:,.0f} MB; nothing was changed.",
        )


def _finish(copy: Path) -> None:
    """Checkpoint the replayed decisions and verify the copy once more."""
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        fault = backups.first_fault(connection)
    if fault:
        raise CatalogError(f"The copy of the backup is damaged ({fault}).", "Try another one.")


def _set_aside(catalog: Path) -> Path | None:
    """Link or copy the present catalog to a name of its own, and move its log there.

    The catalog itself stays until the backup replaces it: if it were missing for a moment, a
    Curator started then would create an empty one.
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
    """Move the log of a lost catalog away, so that SQLite never applies it to another catalog."""
    _move_log(catalog, _name_aside(catalog))


def _name_aside(catalog: Path) -> Path:
    """Return an unused name under which to set aside a catalog and its log."""
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
