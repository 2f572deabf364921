"""The connection under the catalog: opening, transactions, and errors in plain words.

One :class:`Store` is one SQLite connection and belongs to the thread that opened it. Writes are
short transactions that take the write lock at once (``BEGIN IMMEDIATE``), so that two writers
wait for each other instead of failing half-way. Everything SQLite can say goes through
:meth:`Store.fault`, which turns the world's faults into a :class:`CatalogError`.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import peewee

from curator import atomic
from curator.catalog import backups, disk_reserve, integrity, wal
from curator.catalog.lock import UseLock
from curator.catalog.write_priority import Turns
from curator.model import CatalogError

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
LOG_BYTES = 32 << 20  # what the write-ahead log is given at once, and is cut back to
FOLD_BYTES = 24 << 20  # where the conductor folds it in, so that it stays inside of that
# SQLite's default; each parameter of a statement counts, older builds stop at 999.
CHUNK = 900
PART = 200  # photos whose work is queued in one transaction, some 5 ms
LET_GO_S = 0.001
HELD_S = 0.05  # whatever becomes of the key
_ROOM = 256 << 10  # what SQLite needs beside a catalog to open it at all

Row = tuple[Any, ...]
Value = TypeVar("Value")


class DiskFullError(CatalogError):
    """There is no room left for the catalog; nothing was half-written, trying later may help."""


class DamagedError(CatalogError):
    """The catalog cannot be read as it should; a back-up may be put in its place."""


class MissingError(DamagedError):
    """There is no catalog, but there are back-ups of one: an empty one would hide what is lost."""


def chunks(values: Sequence[Value], size: int = CHUNK) -> Iterator[Sequence[Value]]:
    """Cut a sequence into pieces small enough for one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def by_part(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cut photos into parts to be written each for itself: a decision goes in between."""
    for part in chunks(ids, PART):
        yield part
        time.sleep(LET_GO_S)


def below(path: str | Path) -> str:
    """Give what every path inside a folder starts with: the folder and a separator."""
    return str(Path(path) / "x")[:-1]  # right for a drive's root as well


def span(path: str | Path) -> tuple[str, str]:
    """Give what every path inside a folder lies between, so that an index finds them."""
    first = below(path)
    return first, first[:-1] + chr(ord(first[-1]) + 1)


def marks(count: int) -> str:
    """Give ``count`` question marks for a list in SQL."""
    return ",".join("?" * count)


class Store:
    """One open catalog file: reads, write transactions, back-up, check.

    Thread: the one that opened it, no other.

    Attributes:
        path: the SQLite file.
        interactive: whether a person waits for whatever is written here, as for a decision: it goes
            before what others of this process write.
    """

    interactive = False

    def __init__(
        self, path: Path, database: peewee.SqliteDatabase, use: UseLock | None = None
    ) -> None:
        self.path = path
        self._use = use
        self._database = database
        self._connection: sqlite3.Connection = database.connection()
        self._turns = Turns.at(path)
        self._depth = 0
        self._durable = False
        self._looked_over = False
        self.is_judging = False  # inside of a method that reports damage, see `integrity.judging`
        self._log_path, self._fold_at = Path(f"{path}-wal"), FOLD_BYTES
        self._connection.execute("PRAGMA busy_timeout = 0")  # waiting is ours: _execute_patiently

    @classmethod
    def connect(cls, path: Path) -> peewee.SqliteDatabase:
        """Open a database connection with the settings every catalog connection has.

        Checkpoints are left to the conductor: one at the wrong moment would hold a decision up.
        """
        database = peewee.SqliteDatabase(
            str(path),
            pragmas={
                "busy_timeout": int(BUSY_TIMEOUT_S * 1000),
                "journal_mode": "wal",
                "foreign_keys": 1,
                "synchronous": "normal",
                "wal_autocheckpoint": 0,
                "journal_size_limit": LOG_BYTES,  # the file, once it is used from the start again
                "cache_size": -32 * 1024,
                "temp_store": "memory",
            },
            timeout=BUSY_TIMEOUT_S,
            thread_safe=False,
            autoconnect=False,
        )
        database.connect()
        return database

    def close(self) -> None:
        """Close the connection; the last one to close folds the write-ahead log in."""
        self._database.close()
        if self._use is not None:
            self._use.release()

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return not self._database.is_closed()

    @property
    def in_transaction(self) -> bool:
        """Whether a write transaction is open."""
        return self._depth > 0

    # --- speaking to SQLite

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query and return all its rows."""
        self._yield_to_marks()
        try:
            return self._execute_patiently(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        """Run a query and return its first row, or None."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def value(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """Run a query and return the first value of its first row, or None."""
        row = self.row(sql, parameters)
        return row[0] if row else None

    def run(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> sqlite3.Cursor:
        """Run a statement that writes; only inside :meth:`transaction`."""
        assert self._depth, "a write outside of a transaction"
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def run_many(self, sql: str, parameters: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each tuple of parameters; only inside :meth:`transaction`."""
        assert self._depth, "a write outside of a transaction"
        try:
            self._connection.executemany(sql, parameters)
        except sqlite3.Error as error:
            raise self._fault(error) from error

    @contextlib.contextmanager
    def transaction(self, durable: bool = False) -> Iterator[None]:
        """Hold the write lock for the block: all of it is kept, or none.

        A block inside a block joins the outer one. ``durable`` waits until the disk has it, as
        decisions must, and goes before others of this process that wait for the lock; other work
        may lose its last moments to a power cut and is done again.
        """
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        ours = self._turns.take(durable or self.interactive, BUSY_TIMEOUT_S)
        try:
            with self._begin(durable):
                yield
        finally:
            if ours:
                self._turns.give_back()
            self._yield_to_marks()

    @contextlib.contextmanager
    def transaction_with(self, look: Callable[[], Value]) -> Iterator[Value]:
        """Open a write transaction for a block that needs what ``look`` reads.

        ``look`` runs before the lock is taken, so that a decision waits for less, and again if
        another connection wrote in between.
        """
        version = self.data_version()
        seen = look()
        with self.transaction():
            yield seen if self.data_version() == version else look()

    def _yield_to_marks(self) -> None:
        """Hold still while a decision is kept elsewhere, unless it is what others wait for."""
        if not (self.interactive or self._depth):
            self._turns.stand_back(HELD_S)

    def hold_background(self, held: bool) -> None:
        """Have who writes in the background wait while a key is answered: for a moment at most.

        Thread: any.
        """
        self._turns.hold(HELD_S if held else 0.0)

    @contextlib.contextmanager
    def _begin(self, durable: bool) -> Iterator[None]:
        try:
            self._make_durable(durable)
            self._execute_patiently("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._fault(error) from error
        self._depth = 1
        try:
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._fault(error) from error
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._depth = 0

    def _make_durable(self, durable: bool) -> None:
        """Choose whether commits wait for the disk, speaking of it only when that changes.

        Each statement lets go of the interpreter, and getting it back from a busy conductor
        takes up to a switch interval: words are what a mark waits for.
        """
        if durable is not self._durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _execute_patiently(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Execute a statement, asking twice a millisecond while another connection is in the way.

        SQLite itself waits longer from one try to the next, up to 100 ms, and a person's mark
        would lose the race against a conductor that writes all the time.
        """
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                return self._connection.execute(sql, parameters)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.0005)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # SQLite rolls some failures back by itself
            self._connection.execute("ROLLBACK")

    def _fault(self, error: sqlite3.Error) -> Exception:
        """Say what is the matter and what to do; what is our own mistake stays as it is."""
        return translate(error, self.path) or error

    def increment(self, counter: str) -> None:
        """Make a counter of the table ``meta`` one more: somebody reads by it what is new."""
        self.run(
            "INSERT INTO meta (key, value) VALUES (?, '1')"
            " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
            (counter,),
        )

    def counter(self, counter: str) -> int:
        """Return the value of a counter in the table ``meta``; 0 if it never grew."""
        return int(self.value("SELECT value FROM meta WHERE key = ?", (counter,)) or 0)

    def trace(self, report: Callable[[str], object] | None) -> None:
        """Pass each statement SQLite runs from now on to ``report``; None stops that."""
        self._connection.set_trace_callback(report)

    def total_changes(self) -> int:
        """Return how many rows this connection has changed since it was opened."""
        return self._connection.total_changes

    # --- looking after the file

    def data_version(self) -> int:
        """Give a number that changes when another connection has committed."""
        return int(self.value("PRAGMA data_version"))

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the catalog as far as no reader is in the way.

        Only the conductor calls it, between two batches of work. It holds no lock a decision
        waits for. The next write uses the log from its start again, once nobody reads from it.
        """
        rows = self.rows("PRAGMA wal_checkpoint(PASSIVE)")
        _, held, folded = rows[0] if rows else (0, 0, 0)
        # Where a reader kept some of it from being folded, it is tried again when more has come.
        self._fold_at += FOLD_BYTES if folded < held else 0

    def checkpoint_if_long(self) -> None:
        """Fold the write-ahead log in if it has grown past its bound; cheap where it has not."""
        log_path = self._log_path
        if not wal.reaches(log_path, FOLD_BYTES):
            self._fold_at = FOLD_BYTES
        elif wal.reaches(log_path, self._fold_at):
            self.checkpoint()

    def reserve_space(self) -> None:
        """Keep some room for a day on which the disk is full, and give the log its own at once.

        No decision is to wait for more of the log: a commit that makes the file longer makes the
        file system write its own journal first, and with it whatever else is being written. With
        a process writing 25 proxies a second beside it, commits took p99 11.9 ms in a growing log
        and 7.5 and 3.7 ms in a reserved one (ext4, 2026). Zeros behind the last frame are no
        frames to SQLite: their checksums fail. The write lock is held, so that nobody appends
        meanwhile.
        """
        free = shutil.disk_usage(self.path.parent).free
        if free > 25 * disk_reserve.ROOM:
            disk_reserve.keep(self.path)
        if free < 20 * LOG_BYTES:
            return  # the room is worth more to photos than to a log that will not need it all
        opened = self._log_path.open
        with self.transaction(), contextlib.suppress(OSError), opened("r+b") as log_file:
            missing = LOG_BYTES - log_file.seek(0, os.SEEK_END)
            if missing > 0:
                log_file.write(bytes(missing))
                log_file.flush()
                os.fsync(log_file.fileno())

    def check(self) -> list[str]:
        """Look the whole file over; say what is wrong, nothing when it is sound.

        Takes seconds on a large catalog.
        """
        return integrity.faults(self._connection)

    def damage_error(self, error: BaseException) -> CatalogError | None:
        """Say whether what went wrong is the catalog's fault; None if it is a mistake of ours.

        The first time a catalog is looked over, which takes seconds if it is large.
        """
        if not isinstance(error, integrity.NONSENSE):
            return None
        if isinstance(error, sqlite3.ProgrammingError) or not self.is_open:
            return None
        if "decode to UTF-8" in str(error):
            return damaged(self.path)
        looked_over, self._looked_over = self._looked_over, True
        with contextlib.suppress(sqlite3.ProgrammingError):  # asked on another thread
            return damaged(self.path) if not looked_over and self.check() else None
        return None


def translate(error: sqlite3.Error, path: Path) -> CatalogError | None:
    """Turn what SQLite says into a sentence with a remedy; None if it is a mistake of ours."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return CatalogError(
            f"The catalog {path} is held by another program.", "Try again in a moment."
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path)
    # What a full disk and a quota make of it depends on what was to be written, and where.
    refused = name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and _refusal(path)
    if refused == errno.ENOSPC or name.startswith("SQLITE_FULL"):
        return DiskFullError(
            "The disk that holds the catalog is full.",
            f"Make room where {path.parent} is, 10 MB or more, then try again.",
        )
    if refused:
        return DiskFullError(
            "Your share of the disk that holds the catalog is used up (quota).",
            f"Remove something of yours where {path.parent} is, or have your quota raised, then"
            " try again.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return CatalogError(
            f"The catalog {path} cannot be written.",
            "Make its folder and the files in it writable, or choose another with --home or"
            " CURATOR_HOME.",
        )
    if name.startswith("SQLITE_IOERR"):
        return CatalogError(
            f"The disk that holds the catalog {path} does not answer as it should.",
            "Check the disk and its connection, then try again.",
        )
    return None


def _refusal(path: Path) -> int:
    """Try whether the disk takes anything beside the catalog: ENOSPC, EDQUOT, or 0 if it does.

    Some of SQLite's errors do not tell; a disk that fails in another way is none of these.
    """
    probe = atomic.temporary_path(path)
    try:
        if shutil.disk_usage(path.parent).free < _ROOM:
            return errno.ENOSPC
        with probe.open("xb") as file:
            file.write(bytes(_ROOM))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno or 0 if atomic.is_full(error) else 0
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return 0


def missing(path: Path) -> MissingError:
    """Say that the catalog is gone, and the two ways to go on."""
    return MissingError(
        f"The catalog {path} is gone, and there are back-ups of it.",
        "`curator doctor restore` puts the newest sound one in its place,"
        " `curator doctor new-catalog` starts an empty one; or put the file back yourself.",
    )


def damaged(path: Path) -> DamagedError:
    """Say that the catalog is damaged, and how the newest back-up gets in its place."""
    newest = next(iter(backups.files(path)), None)
    if newest is not None:
        remedy = (
            f"Close Curator, then `curator doctor restore` puts the newest sound back-up in its"
            f" place ({newest})."
        )
    else:
        # A log left beside it would be played into whatever is put in its place.
        them = f"it, {path.name}-wal and {path.name}-shm"
        remedy = f"Move {them} away and open your folders again; there is no back-up of it yet."
    return DamagedError(f"The catalog {path} is damaged.", remedy)
