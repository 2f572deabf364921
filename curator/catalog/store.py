"""The SQLite connection of a catalog: queries, transactions, checkpoints, translated errors.

Every part of the catalog reads and writes through a :class:`Store`. One store is one connection and
belongs to the thread that opened it. Writes are short transactions that take the write lock at
once (``BEGIN IMMEDIATE``), so that two writers wait for each other instead of failing half-way.
Every error of SQLite goes through :func:`translate`, which turns those not caused by our code into
a :class:`CatalogError` with a remedy.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import itertools
import logging
import os
import shutil
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
import peewee
from numpy.typing import NDArray

from curator import atomic
from curator.catalog import backups, disk_reserve, integrity
from curator.catalog.lock import UseLock
from curator.catalog.write_priority import WritePriority
from curator.model import CatalogError

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
LOG_BYTES = 32 << 20  # size reserved for the write-ahead log, to which SQLite truncates it
CHECKPOINT_BYTES = 24 << 20  # in use when the conductor checkpoints, so that LOG_BYTES suffice
CHUNK = 900  # parameters of one statement; older builds of SQLite stop at 999
TRANSACTION_S = 0.001  # a background transaction should end after this: a decision may wait for it
MOST_AT_ONCE = 200  # the most photos one background transaction writes
_FIRST_AT_ONCE = 16  # the first writes this many, before it is known how long one takes
PAUSE_S = 0.001  # between background transactions, for decisions of other processes, which poll
KEY_PAUSE_S = 0.05  # background writers wait at most this long after a key press
MARK_WAIT_S = 0.05  # background queries wait at most this long for a mark that is being written
_READERS, _AHEAD = 2, 6  # connections that read at once; queries started before it is their turn
_ROOM = 256 << 10  # bytes SQLite needs beside a catalog to open it at all
_RESERVED_AT_ONCE = 1 << 20  # bytes that the log grows while a decision may wait, some 2 ms
_LOG_HEADER, _FRAME_HEADER = 32, 24  # bytes in the log before all frames, and before each page

Row = tuple[Any, ...]
Value = TypeVar("Value")


class DiskFullError(CatalogError):
    """The disk has no room left for the catalog. Nothing was half-written; retrying may help."""


class DamagedError(CatalogError):
    """The catalog is damaged; restoring a backup may help."""


class MissingError(DamagedError):
    """The catalog is missing but backups of it exist: an empty one would hide the loss."""


def chunks(values: Sequence[Value], size: int = CHUNK) -> Iterator[Sequence[Value]]:
    """Split a sequence into pieces small enough for the parameters of one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class TransactionSize:
    """How many values a background transaction may write: as many as take about ``TRANSACTION_S``.

    A decision waits for it. A transaction is at most twice as large as the one before, and smaller
    if that took longer than it should.

    Attributes:
        values: how many the next transaction may write.
    """

    def __init__(self) -> None:
        self.values = min(_FIRST_AT_ONCE, MOST_AT_ONCE)

    @contextlib.contextmanager
    def measured(self, count: int) -> Iterator[None]:
        """Measure a transaction that writes ``count`` values, to choose the size of the next."""
        begun = time.monotonic()
        yield
        spent = max(time.monotonic() - begun, 1e-6)
        fitting = int(count * TRANSACTION_S / spent)
        if count >= self.values or fitting < count:  # a few quick ones do not tell how many fit
            self.values = max(1, min(MOST_AT_ONCE, 2 * self.values, fitting))


def paused_chunks(values: Sequence[Value], pause_s: float = PAUSE_S) -> Iterator[Sequence[Value]]:
    """Split values into parts, each written in one background transaction of ``TRANSACTION_S``.

    A waiting decision is written between two parts: one of this process is woken, one of another
    polls and needs the pause. If the caller's work on a part fails, those before it stay written.
    """
    start, size = 0, TransactionSize()
    while part := values[start : start + size.values]:
        with size.measured(len(part)):
            yield part
        time.sleep(pause_s)
        start += len(part)


def folder_prefix(path: str | Path) -> str:
    """Return the prefix of all paths inside a folder: the folder and a separator."""
    return str(Path(path) / "x")[:-1]  # right for a drive's root as well


def path_range(path: str | Path) -> tuple[str, str]:
    """Return two strings between which all paths inside a folder sort, for use with an index."""
    first = folder_prefix(path)
    return first, first[:-1] + chr(ord(first[-1]) + 1)


def placeholders(count: int) -> str:
    """Return ``count`` question marks, separated by commas, for parameters of a statement."""
    return ",".join("?" * count)


def numbers(joined: str | None) -> NDArray[np.int64]:
    """Parse integers that SQLite's ``group_concat`` joined by commas; None is no integer."""
    return np.fromstring(joined or "", np.int64, sep=",")


class Store:
    """One connection to a catalog file.

    Thread: the one that opened it, no other.

    Attributes:
        path: the SQLite file.
        interactive: whether a person waits for the writes of this connection, which then go before
            those of other connections of this process, as decisions always do.
    """

    interactive = False

    def __init__(self, path: Path, database: peewee.SqliteDatabase, use: UseLock) -> None:
        self.path = path
        self._use = use
        self._database = database
        self._connection: sqlite3.Connection = database.connection()
        self._priority = WritePriority.of(path)
        self._depth = 0
        self._begun = 0.0  # when the transaction did, by time.monotonic()
        self._durable = False
        self._checked = False  # whether damage_error has checked the whole catalog
        self.reports_damage_now = False  # inside a method that `reports_damage` wraps
        self._log_path, self._checkpoint_at = Path(f"{path}-wal"), CHECKPOINT_BYTES
        self._connection.execute("PRAGMA busy_timeout = 0")  # _execute_patiently waits instead

    @classmethod
    def connect(cls, path: Path) -> peewee.SqliteDatabase:
        """Open a database connection with the settings every catalog connection needs.

        Automatic checkpoints are off: one at the wrong moment would delay a decision. The conductor
        makes them.
        """
        database = peewee.SqliteDatabase(
            str(path),
            pragmas={
                "busy_timeout": int(BUSY_TIMEOUT_S * 1000),
                "journal_mode": "wal",
                "foreign_keys": 1,
                "synchronous": "normal",
                "wal_autocheckpoint": 0,
                "journal_size_limit": LOG_BYTES,  # for the file, when SQLite starts over in it
                "cache_size": -4 * 1024,  # KB; four connections with 32 MB each were no faster
                "temp_store": "memory",
            },
            timeout=BUSY_TIMEOUT_S,
            thread_safe=False,
            autoconnect=False,
        )
        database.connect()
        return database

    def close(self) -> None:
        """Close the connection. The last connection to close checkpoints the log."""
        self._database.close()
        self._use.release()

    @property
    def is_open(self) -> bool:
        """Whether the store has not been closed yet."""
        return not self._database.is_closed()

    @property
    def in_transaction(self) -> bool:
        """Whether a write transaction is open."""
        return self._depth > 0

    @property
    def should_commit(self) -> bool:
        """Whether a background transaction should end: its time is up, or a decision waits."""
        return self._priority.interactive_waits or time.monotonic() - self._begun > TRANSACTION_S

    # --- queries and transactions

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run a query and return all its rows."""
        self._yield_to_marks()
        try:
            return self._execute_patiently(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def each_row(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        """Run a query and yield its rows, where all of them would take much memory."""
        self._yield_to_marks()
        try:
            yield from self._execute_patiently(sql, parameters)
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def first_rows(self, sql: str, each: Sequence[Sequence[object]]) -> Iterator[Row]:
        """Run a long query with each of many parameters; yield the first row of each, in order.

        Lazy: two queries at a time run a little ahead of the caller, on threads and connections of
        their own. Each sees what was committed when it began.
        """
        if len(each) < _READERS:
            yield from (self.rows(sql, parameters)[0] for parameters in each)
            return
        free: SimpleQueue[sqlite3.Connection] = SimpleQueue()

        def read(parameters: Sequence[object]) -> Row:
            connection = free.get()
            try:
                row: Row = connection.execute(sql, parameters).fetchone()
                return row
            finally:
                free.put(connection)

        with contextlib.ExitStack() as opened:
            try:
                for _ in range(_READERS):
                    free.put(opened.enter_context(contextlib.closing(self._reader())))
                readers = opened.enter_context(ThreadPoolExecutor(_READERS, "curator-reader"))
                ahead = collections.deque(readers.submit(read, part) for part in each[:_AHEAD])
                for part in [*each[_AHEAD:], *[None] * len(ahead)]:
                    yield ahead.popleft().result()
                    if part is not None:
                        ahead.append(readers.submit(read, part))
            except sqlite3.Error as error:
                raise self._fault(error) from error

    def _reader(self) -> sqlite3.Connection:
        """Open a connection that only reads, for any thread."""
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, BUSY_TIMEOUT_S, uri=True, check_same_thread=False)

    def rows_for(self, sql: str, values: Iterable[object], *before: object) -> list[Row]:
        """Run a query about many values; return all its rows.

        It runs once for each chunk of values, so that its order holds only within a chunk.

        Args:
            sql: the query; ``{}`` stands for the values, as in ``IN ({})``.
            values: any number.
            *before: the parameters that precede them.
        """
        found: list[Row] = []
        for part in chunks(list(values)):
            found += self.rows(sql.replace("{}", placeholders(len(part))), (*before, *part))
        return found

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        """Run a query and return its first row, or None."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def value(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """Run a query and return the first value of its first row, or None."""
        row = self.row(sql, parameters)
        return row[0] if row else None

    def values(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Run a query and return the first value of each row."""
        return [row[0] for row in self.rows(sql, parameters)]

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

    def insert(self, table: str, /, **values: object) -> int:
        """Insert a row of these columns; return its id. Only inside :meth:`transaction`."""
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({placeholders(len(values))})"
        number = self.run(sql, tuple(values.values())).lastrowid
        assert number is not None
        return number

    def insert_rows(self, table: str, names: str, rows: Sequence[Sequence[object]]) -> None:
        """Insert rows of columns, ``names`` separated by commas. Only inside :meth:`transaction`.

        A statement inserts many of them: each gives up the interpreter, for which a mark may wait.
        """
        width = names.count(",") + 1
        for part in chunks(rows, CHUNK // width):
            values = ", ".join([f"({placeholders(width)})"] * len(part))
            sql = f"INSERT INTO {table} ({names}) VALUES {values}"
            self.run(sql, tuple(itertools.chain.from_iterable(part)))

    def upsert(self, table: str, key: str, /, **values: object) -> None:
        """Insert a row, or update the one that has the same value in the column ``key``.

        Only inside :meth:`transaction`.
        """
        updates = ", ".join(f"{name} = excluded.{name}" for name in values if name != key)
        self.run(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({placeholders(len(values))})"
            f" ON CONFLICT ({key}) DO UPDATE SET {updates}",
            tuple(values.values()),
        )

    @contextlib.contextmanager
    def transaction(self, durable: bool = False, *, keep: bool = True) -> Iterator[None]:
        """Open a write transaction for the block: all of it is committed, or nothing.

        A transaction inside another joins the outer one. ``durable`` waits until the data is on
        disk and goes before other writers of this process, as decisions must. Other work may lose
        its last moments to a power cut; it is then done again. Without ``keep`` everything
        written in the block is rolled back at its end; such a transaction must be the outermost.
        """
        assert keep or not self._depth, "an outer transaction would keep what is written"
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        # Without permission after that time, SQLite's own lock decides.
        ours = self._priority.acquire(durable or self.interactive, BUSY_TIMEOUT_S)
        try:
            with self._begin(durable, keep):
                yield
        finally:
            if ours:
                self._priority.release()
            self._yield_to_marks()

    @contextlib.contextmanager
    def transaction_with(self, query: Callable[[], Value]) -> Iterator[Value]:
        """Open a write transaction for a block that needs the result of ``query``.

        ``query`` runs before the lock is taken, so that decisions wait less. It runs again if
        another connection wrote in between.
        """
        version = self.data_version()
        found = query()
        with self.transaction():
            yield found if self.data_version() == version else query()

    def _yield_to_marks(self) -> None:
        """Wait briefly while another connection writes a mark, unless this one is interactive."""
        if not (self.interactive or self._depth):
            self._priority.wait_for_interactive(MARK_WAIT_S)

    def hold_background(self, held: bool) -> None:
        """Pause background writers briefly while the window reacts to a key, or end the pause.

        Thread: any.
        """
        self._priority.pause_background(KEY_PAUSE_S if held else 0.0)

    @contextlib.contextmanager
    def _begin(self, durable: bool, keep: bool) -> Iterator[None]:
        try:
            self._make_durable(durable)
            self._execute_patiently("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._fault(error) from error
        self._depth, self._begun = 1, time.monotonic()
        try:
            yield
            self._connection.execute("COMMIT" if keep else "ROLLBACK")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._fault(error) from error
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._depth = 0

    def _make_durable(self, durable: bool) -> None:
        """Choose whether commits wait for the disk; run the statement only if that changes.

        Each statement gives up the interpreter, and getting it back from a busy conductor takes up
        to a switch interval, which a mark would wait for.
        """
        if durable is not self._durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _execute_patiently(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Execute a statement; while another connection holds the lock, retry twice a millisecond.

        SQLite itself waits longer between tries, up to 100 ms, and a person's mark would lose the
        race against a conductor that writes all the time.
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
        """Return the error to raise: a CatalogError with a remedy, or for our bugs the error."""
        return translate(error, self.path) or error

    def meta(self, key: str) -> str | None:
        """Return a value of the table ``meta``, or None."""
        value: str | None = self.value("SELECT value FROM meta WHERE key = ?", (key,))
        return value

    def set_meta(self, key: str, value: str | None) -> None:
        """Set a value in the table ``meta``; None removes it. Only inside a transaction."""
        if value is None:
            self.run("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self.upsert("meta", "key", key=key, value=value)

    def increment(self, counter: str) -> None:
        """Increment a counter in the table ``meta``, by which readers notice changes."""
        self.run(
            "INSERT INTO meta (key, value) VALUES (?, '1')"
            " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
            (counter,),
        )

    def counter(self, counter: str) -> int:
        """Return the value of a counter in the table ``meta``; 0 if it never grew."""
        return int(self.meta(counter) or 0)

    def trace(self, report: Callable[[str], object] | None) -> None:
        """Pass each statement SQLite runs from now on to ``report``; None stops that."""
        self._connection.set_trace_callback(report)

    def total_changes(self) -> int:
        """Return how many rows this connection has changed since it was opened."""
        return self._connection.total_changes

    # --- maintenance of the file

    def data_version(self) -> int:
        """Return a number that changes when another connection commits."""
        return int(self.value("PRAGMA data_version"))

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the catalog as far as no reader is in the way.

        Only the conductor calls this, between two batches of work. It holds no lock a decision
        waits for. Once nobody reads from the log, the next write starts at its beginning again.
        """
        rows = self.rows("PRAGMA wal_checkpoint(PASSIVE)")
        _, frames, copied = rows[0] if rows else (0, 0, 0)
        # If a reader kept some of it back, the next try is when the log has grown further.
        self._checkpoint_at += CHECKPOINT_BYTES if copied < frames else 0

    def checkpoint_if_long(self) -> None:
        """Checkpoint if the log has grown past its bound; cheap if it has not."""
        log_path = self._log_path
        if not log_reaches(log_path, CHECKPOINT_BYTES):
            self._checkpoint_at = CHECKPOINT_BYTES
        elif log_reaches(log_path, self._checkpoint_at):
            self.checkpoint()

    def keep_disk_reserve(self) -> None:
        """Create the disk reserve if it is missing and the disk is not nearly full."""
        if shutil.disk_usage(self.path.parent).free > 25 * disk_reserve.ROOM:
            disk_reserve.keep(self.path)

    def reserve_log(self) -> None:
        """Grow the log to its full size, in steps between which a decision can be written.

        Nothing is reserved where the disk is nearly full.

        No decision should wait for the log to grow: a commit that makes the file longer makes the
        file system write its own journal first, together with everything else being written. With a
        process writing 25 proxies a second beside it, commits took p99 11.9 ms in a growing log,
        and 7.5 and 3.7 ms in a reserved one (ext4, 2026). SQLite ignores zeros after the last
        frame, as their checksums fail. The write lock is held so that nobody appends meanwhile.
        """
        if shutil.disk_usage(self.path.parent).free < 20 * LOG_BYTES:
            return  # photos need this space more than the log
        with contextlib.suppress(OSError), self._log_path.open("r+b", buffering=0) as log_file:
            while True:
                with self.transaction():
                    missing = LOG_BYTES - log_file.seek(0, os.SEEK_END)
                    if missing <= 0:
                        return
                    log_file.write(bytes(min(missing, _RESERVED_AT_ONCE)))
                os.fsync(log_file.fileno())  # a decision syncs this file, too

    def check(self) -> list[str]:
        """Check the whole file; return what is wrong with it. Takes seconds on a large catalog."""
        return integrity.faults(self._connection)

    def damage_error(self, error: BaseException) -> CatalogError | None:
        """Return a DamagedError if damage of the catalog caused an exception, else None.

        The first call checks the whole catalog, which takes seconds if it is large. Later calls do
        not check again and return None, unless the exception is about text that is no UTF-8.
        """
        if not isinstance(error, integrity.DAMAGE_ERRORS):
            return None
        if isinstance(error, sqlite3.ProgrammingError) or not self.is_open:
            return None
        if "decode to UTF-8" in str(error):
            return damaged(self.path)
        if self._checked:
            return None
        self._checked = True
        with contextlib.suppress(sqlite3.ProgrammingError):  # called on another thread
            return damaged(self.path) if self.check() else None
        return None


def translate(error: sqlite3.Error, path: Path) -> CatalogError | None:
    """Turn an error of SQLite into a CatalogError with a remedy; None if it is our bug."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return CatalogError(
            f"The catalog {path} is locked by another program.", "Try again in a moment."
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path)
    # A full disk and an exceeded quota cause different errors, depending on the file written.
    refused = name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and _refusal(path)
    if refused == errno.ENOSPC or name.startswith("SQLITE_FULL"):
        return DiskFullError(
            "The disk that holds the catalog is full.",
            f"Free at least 10 MB on the disk of {path.parent}, then try again.",
        )
    if refused:
        return DiskFullError(
            "Your quota on the disk that holds the catalog is used up.",
            f"Delete files of yours on the disk of {path.parent}, or have your quota raised, then"
            " try again.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return CatalogError(
            f"The catalog {path} is not writable.",
            "Make its folder and the files in it writable, or choose another with --home or"
            " CURATOR_HOME.",
        )
    if name.startswith("SQLITE_IOERR"):
        return CatalogError(
            f"The disk that holds the catalog {path} reports errors.",
            "Check the disk and its connection, then try again.",
        )
    return None


def _refusal(path: Path) -> int:
    """Try to write a little beside the catalog; return ENOSPC or EDQUOT if the disk refuses it.

    Some of SQLite's errors do not distinguish these. Returns 0 if it worked or failed otherwise.
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


def log_reaches(log: Path, offset: int) -> bool:
    """Whether a frame in use ends beyond ``offset`` bytes of the write-ahead log.

    The size of the file says little: it never shrinks below what was reserved, and SQLite starts
    over at its beginning. But each frame in use carries the salts of the log's header
    (sqlite.org/fileformat2.html, 4). Nothing locks this file, so opening and closing it beside
    SQLite is harmless; doing that with the catalog itself would drop SQLite's locks.

    Takes some 40 us. False for a log that is missing or cannot be read.
    """
    with contextlib.suppress(OSError, struct.error), atomic.open_plain(log) as file:
        header = file.read(_LOG_HEADER)
        (page,) = struct.unpack_from(">I", header, 8)
        size = _FRAME_HEADER + page
        file.seek(_LOG_HEADER + (max(offset - _LOG_HEADER, 0) // size) * size)
        frame = file.read(_FRAME_HEADER)
        return page > 0 and len(frame) == _FRAME_HEADER and frame[8:16] == header[16:24]
    return False


def missing(path: Path) -> MissingError:
    """Return the error for a catalog that is gone while backups of it exist."""
    return MissingError(
        f"The catalog {path} is missing, but backups of it exist.",
        "`curator doctor restore` restores the newest intact one,"
        " `curator doctor new-catalog` starts an empty one; or put the file back yourself.",
    )


def damaged(path: Path) -> DamagedError:
    """Return the error for a damaged catalog, which says how to restore the newest backup."""
    newest = next(iter(backups.files(path)), None)
    if newest is not None:
        remedy = (
            f"Close Curator, then run `curator doctor restore` to restore the newest intact backup"
            f" ({newest})."
        )
    else:
        # SQLite would apply a log left behind to whatever file takes the catalog's place.
        remedy = (
            f"Move it, {path.name}-wal and {path.name}-shm away and add your folders again; no"
            " backup exists yet."
        )
    return DamagedError(f"The catalog {path} is damaged.", remedy)
