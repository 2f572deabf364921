"""The columns of all photos in a file, so that the next window opens at once.

A window that closes saves it, and so does an ingest that read many photos. The file is in the
cache and may be deleted at any time. The catalog names the file that is valid by a token, written
after the file: what changed since has a later revision, and a catalog restored from a backup has
another token, or none. A file that is missing, damaged or outdated is never an error: the table
then reads all photos.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator import arrays, atomic
from curator.catalog import Catalog
from curator.library.columns import NUMBERS, OBJECTS
from curator.library.table import Table, TableState
from curator.model import KnownError
from curator.settings import ApprovalSettings

log = logging.getLogger(__name__)

MIN_PHOTOS = 5000  # fewer are read from the catalog within 50 ms

Arrays = Mapping[str, NDArray[Any]]
_TOKEN = "token"
_NAMES = {*NUMBERS, *OBJECTS, "id", "rev", "by_name", "by_time", "project.rev"}
_NONE = "\1"  # stands for a missing text; catalogs hold no control characters


def open_table(catalog: Catalog, path: Path, approval: ApprovalSettings | None = None) -> Table:
    """Open a table of all photos, from the file at ``path`` if it is valid."""
    token = catalog.photos.snapshot()
    held = read(path, token)
    if held is not None and not held.keys() >= _NAMES:  # of another version of Curator
        held = None
    table = Table(catalog, approval, None if held is None else _state(held))
    if held is not None:
        table.cache_key = token, int(held["rev"]), *held["project.rev"].tolist()
    return table


def save(known: Table | Catalog, path: Path) -> None:
    """Save what a table knows, unless the file holds it already or reading all photos is fast.

    A failure only makes the next start a second slower.

    Args:
        known: the table, or the catalog to read it from.
        path: the file.

    Thread: the catalog's.
    """
    try:
        table = known if isinstance(known, Table) else open_table(known, path)
        if len(table.ids) >= MIN_PHOTOS:
            table.refresh()
            write_table(table, path)
    except (KnownError, OSError, ValueError) as error:
        log.info("the next start reads all photos: %s", error)


def write_table(table: Table, path: Path) -> None:
    """Write what a table knows now, unless the file holds it already.

    Raises:
        OSError: it cannot be written; the former file stays.
        KnownError: the catalog cannot note the token; the next table reads all photos.
        ValueError: a text cannot be stored.
    """
    if table.cache_key == (table.catalog.photos.snapshot(), *table.known) and path.exists():
        return
    state = table.dump()
    texts = {name: pack_texts(column) for name, column in state.texts.items()}
    token = table.catalog.photos.new_snapshot()
    write(path, token, {**state.numbers, **texts})
    table.catalog.photos.set_snapshot(token)
    table.cache_key = token, *table.known


def _state(held: Arrays) -> TableState:
    count = len(held["id"])
    return TableState(held, {name: unpack_texts(held[name], count) for name in OBJECTS})


def write(path: Path, token: str, held: Arrays) -> None:
    """Write arrays atomically.

    Raises:
        OSError: it could not be written; a former file stays.
    """
    atomic.write(path, arrays.dump({_TOKEN: token, **held}), sync=False)


def read(path: Path, token: str) -> Arrays | None:
    """Read the arrays written with this token; None where the file is missing or not valid."""
    if not token:
        return None
    try:
        held = arrays.load(path)
    except FileNotFoundError:
        return None
    except arrays.DamagedArraysError as error:
        log.info("all photos are read from the catalog, %s is damaged: %s", path.name, error)
        return None
    return held if str(held.get(_TOKEN)) == token else None


def pack_texts(texts: Sequence[object]) -> NDArray[np.uint8]:
    """Pack texts, None among them, into bytes.

    Raises:
        ValueError: a text contains a NUL, which separates them.
    """
    joined = "\0".join(_NONE if text is None else str(text) for text in texts)
    if joined.count("\0") != max(len(texts) - 1, 0):
        raise ValueError("a text holds a NUL")
    return np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8)


def unpack_texts(content: NDArray[np.uint8], count: int) -> list[object]:
    """Unpack the texts that :func:`pack_texts` packed.

    Raises:
        ValueError: their number is not ``count``.
    """
    texts = content.tobytes().decode("utf-8", "surrogatepass").split("\0") if count else []
    if len(texts) != count:
        raise ValueError(f"{len(texts)} texts of {count}")
    return [None if text == _NONE else text for text in texts]
