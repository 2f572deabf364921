"""Whether a catalog is intact: SQLite's own check, and a check of every value's type and form.

A flipped bit inside a row breaks no page. So beyond SQLite's check every value is compared with the
type of its column, and values that are parsed later (times, JSON) with their form. Backups,
`doctor` and every part of the catalog use this.

    faults(connection)      # what is wrong; empty if all is intact
    @reports_damage         # on a part of the catalog: its errors become DamagedError
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
# Values that readers parse: column → SQL for when that fails.
_FORMS = {
    ("meta", "value"): "(key = 'stages' AND NOT json_valid({0})"
    " OR (key LIKE '%rev' OR key LIKE '%anew') AND {0} <> CAST({0} AS INTEGER))",
    ("photo", "taken_at"): "julianday({0}) IS NULL",
    ("step", "context"): "NOT json_valid({0})",
    ("place", "value"): "NOT json_valid({0})",
    ("sidecar", "said"): "NOT json_valid({0})",
    ("sidecar", "theirs"): "NOT json_valid({0})",
    ("unwritten", "intent"): "NOT json_valid({0})",
    ("import_run", "request"): "NOT json_valid({0})",
    ("import_run", "report"): "NOT json_valid({0})",
}
# Errors that damaged values cause in code that reads them; a KnownError is none of these.
DAMAGE_ERRORS = (
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
_PAUSE_S = 0.002

Class = TypeVar("Class", bound=type)


def faults(connection: sqlite3.Connection, *, gently: bool = False) -> list[str]:
    """Check a whole catalog; return what is wrong with it. Takes seconds if it is large.

    Args:
        connection: of the catalog.
        gently: pause again and again, so that the window of this process stays responsive.

    Raises:
        sqlite3.OperationalError: the check was interrupted.
        sqlite3.ProgrammingError: the connection is closed, or another thread's.
    """
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        wrong = [line for line in found if line != "ok"]
        wrong += [
            f"{table} row {row} refers to a missing {parent}"
            for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check")
        ]
        wrong = wrong or list(_type_faults(connection)) or list(_text_index_faults(connection))
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
    """Whether values of unknown origin could belong to these columns.

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


def _type_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Name the tables with values that do not fit their columns."""
    for name, fields in _tables(connection):
        wrong = " OR ".join(filter(None, (_misfit_sql(name, field) for field in fields)))
        if wrong and connection.execute(f"SELECT 1 FROM {name} WHERE {wrong} LIMIT 1").fetchone():
            yield f"{name} has values of the wrong type"


def _read_through(connection: sqlite3.Connection, gently: bool) -> None:
    """Read every text once.

    Raises:
        sqlite3.OperationalError: one is not UTF-8.
    """
    for name, fields in _tables(connection):
        texts = [field.column_name for field in fields if _kind(field) == "text"]
        if texts:
            rows = connection.execute(f"SELECT {', '.join(texts)} FROM {name}")
            while rows.fetchmany(_ROWS):
                if gently:
                    time.sleep(_PAUSE_S)


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, list[peewee.Field]]]:
    """List the existing tables and columns; an older catalog has fewer."""
    for table in schema.TABLES:
        name = table._meta.table_name
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        yield name, [field for field in table._meta.sorted_fields if field.column_name in there]


def _text_index_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Check the full-text index, which SQLite's own check may skip."""
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


def _misfit_sql(table: str, field: peewee.Field) -> str:
    """Return the SQL condition under which a column's value cannot be right; empty if any can."""
    kind, column = _kind(field), f'"{field.column_name}"'
    if not kind:
        return ""
    wrong = f"typeof({column}) <> '{kind}'"
    form = _FORMS.get((table, field.column_name))
    if form:
        wrong = f"({wrong} OR {form.format(column)})"
    return f"({column} IS NOT NULL AND {wrong})"


def reports_damage(cls: Class) -> Class:
    """Make the public methods of a catalog part raise DamagedError for errors caused by damage.

    An error is passed to ``self._store.damage_error``, which may return another error to raise.
    Only the outermost call does this, not calls from one part to another.
    """
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and inspect.isfunction(method):
            setattr(cls, name, _reporting_damage(method))
    return cls


def _reporting_damage(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **more: Any) -> Any:
        store = self._store
        if store.reports_damage_now:
            return method(self, *args, **more)
        store.reports_damage_now = True
        try:
            return method(self, *args, **more)
        except DAMAGE_ERRORS as error:
            _raise(store, error)
        finally:
            store.reports_damage_now = False

    @functools.wraps(method)
    def each(self: Any, *args: Any, **more: Any) -> Iterator[Any]:
        try:
            yield from method(self, *args, **more)
        except DAMAGE_ERRORS as error:
            _raise(self._store, error)

    return each if inspect.isgeneratorfunction(method) else call


def _raise(store: Any, error: Exception) -> NoReturn:
    known = store.damage_error(error)
    if known is None:
        raise error
    raise known from error
