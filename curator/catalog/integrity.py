"""Whether a catalog is sound: what SQLite finds, and whether each value is what is kept there.

A flipped bit inside a row breaks no page. So beyond SQLite's own check every value is held against
the type of its column, and what is parsed later (times, JSON) against its form.

    faults(connection)          # what is wrong, nothing where all is sound
    @judging                    # of a class: what goes wrong in it may be the catalog's fault
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import peewee

from curator.catalog import schema

_TYPES = {
    peewee.TextField: "text",
    peewee.IntegerField: "integer",
    peewee.AutoField: "integer",
    peewee.FloatField: "real",
    peewee.BlobField: "blob",
}
_PYTHON: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "real": (float, int),
    "blob": (bytes,),
}
_FIELDS = {
    (table._meta.table_name, field.column_name): field
    for table in schema.TABLES
    for field in table._meta.sorted_fields
}
# What is parsed by whoever reads it: column → when it cannot be.
_FORMS = {
    ("meta", "value"): "(key = 'stages' AND NOT json_valid({0})"
    " OR (key LIKE '%rev' OR key LIKE '%anew') AND {0} <> CAST({0} AS INTEGER))",
    ("photo", "taken_at"): "julianday({0}) IS NULL",
    ("step", "context"): "NOT json_valid({0})",
    ("place", "value"): "NOT json_valid({0})",
    ("sidecar", "said"): "NOT json_valid({0})",
    ("sidecar", "theirs"): "NOT json_valid({0})",
    ("unwritten", "intent"): "NOT json_valid({0})",
}
# What values nobody ever wrote make of the code that reads them; a KnownError is none of these.
NONSENSE = (
    sqlite3.Error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    StopIteration,
    TypeError,
    ValueError,
)

_ROWS = 200  # read at once, half a millisecond
_BREATH_S = 0.002

Class = TypeVar("Class", bound=type)


def faults(connection: sqlite3.Connection, *, gently: bool = False) -> list[str]:
    """Look a whole catalog over; say what is wrong, nothing when it is sound.

    Takes seconds on a large one.

    Args:
        connection: of the catalog.
        gently: let others have the interpreter in between: a window lives in this process.

    Raises:
        sqlite3.OperationalError: it was interrupted.
        sqlite3.ProgrammingError: it is closed, or another thread's.
    """
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        wrong = [line for line in found if line != "ok"]
        wrong += [
            f"{table} row {row} points at no {parent}"
            for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check")
        ]
        wrong = wrong or list(_misfits(connection)) or list(_unread(connection))
        if not wrong:
            _read_through(connection, gently)
        return wrong
    except sqlite3.ProgrammingError:
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise
        return [str(error)]


def fits(columns: Sequence[str], row: Sequence[object]) -> bool:
    """Say whether values that may be nobody's could be of these columns.

    Args:
        columns: as ``photo.name``.
        row: a value for each.
    """
    for column, value in zip(columns, row, strict=True):
        table, _, name = column.partition(".")
        field = _FIELDS[table, name]
        kind = _kind(field)
        if value is None:
            if not field.null and not field.primary_key:
                return False
        elif kind and not isinstance(value, _PYTHON[kind]):
            return False
        elif column == "photo.taken_at":
            with contextlib.suppress(ValueError):
                datetime.fromisoformat(str(value))
                continue
            return False
    return True


def _misfits(connection: sqlite3.Connection) -> Iterator[str]:
    """Name the tables with values that are of another type than their column."""
    for name, fields in _tables(connection):
        wrong = " OR ".join(filter(None, (_wrong(name, field) for field in fields)))
        if wrong and connection.execute(f"SELECT 1 FROM {name} WHERE {wrong} LIMIT 1").fetchone():
            yield f"{name} holds what does not belong there"


def _read_through(connection: sqlite3.Connection, gently: bool) -> None:
    """Read every text there is: it may be none.

    Raises:
        sqlite3.OperationalError: one is not UTF-8.
    """
    for name, fields in _tables(connection):
        texts = [field.column_name for field in fields if _kind(field) == "text"]
        if texts:
            rows = connection.execute(f"SELECT {', '.join(texts)} FROM {name}")
            while rows.fetchmany(_ROWS):
                if gently:
                    time.sleep(_BREATH_S)


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, list[peewee.Field]]]:
    """List the tables and columns there are; an older catalog has fewer."""
    for table in schema.TABLES:
        name = table._meta.table_name
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        yield name, [field for field in table._meta.sorted_fields if field.column_name in there]


def _unread(connection: sqlite3.Connection) -> Iterator[str]:
    """Say what is wrong with the full-text index, which SQLite's own check may pass over."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'photo_text'").fetchone():
        try:
            connection.execute("SELECT rowid FROM photo_text WHERE photo_text MATCH 'a'").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise
            yield f"the full-text index cannot be read ({error})"


def _kind(field: peewee.Field) -> str:
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    return next((kind for cls, kind in _TYPES.items() if isinstance(field, cls)), "")


def _wrong(table: str, field: peewee.Field) -> str:
    """Give the condition under which a column's value cannot be right; none for any value."""
    kind, column = _kind(field), f'"{field.column_name}"'
    if not kind:
        return ""
    wrong = f"typeof({column}) <> '{kind}'"
    form = _FORMS.get((table, field.column_name))
    if form:
        wrong = f"({wrong} OR {form.format(column)})"
    return f"({column} IS NOT NULL AND {wrong})"


def judging(cls: Class) -> Class:
    """Let the public methods of a part of the catalog report a damaged catalog as such.

    An error in one of them is passed to ``self._store.damage_error``, which returns what to raise
    instead. Calls from one part to another are left alone: only the outermost call reports.
    """
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and inspect.isfunction(method):
            setattr(cls, name, _judged(method))
    return cls


def _judged(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **more: Any) -> Any:
        store = self._store
        if store.is_judging:
            return method(self, *args, **more)
        store.is_judging = True
        try:
            return method(self, *args, **more)
        except NONSENSE as error:
            _raise(store, error)
        finally:
            store.is_judging = False

    @functools.wraps(method)
    def each(self: Any, *args: Any, **more: Any) -> Iterator[Any]:
        try:
            yield from method(self, *args, **more)
        except NONSENSE as error:
            _raise(self._store, error)

    return each if inspect.isgeneratorfunction(method) else call


def _raise(store: Any, error: Exception) -> NoReturn:
    known = store.damage_error(error)
    if known is None:
        raise error
    raise known from error
