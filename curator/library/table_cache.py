"""The columns of all photos in a file, so that the next window opens at once.

A window saves the file when it closes, and so does an ingest that read many photos. The file is
mapped (`column_file`), is in the cache and may be deleted at any time. It holds a token, which is
written to the catalog after it. What changed since has a later revision, and a catalog restored
from a backup has another token, or none. A file that is missing, damaged or of another version of
Curator is never an error: the table then reads all photos.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from curator import __version__
from curator.catalog import Catalog
from curator.faces import people
from curator.library import column_file
from curator.library.columns import NUMBERS
from curator.library.table import Table
from curator.model import KnownError
from curator.settings import ApprovalSettings

log = logging.getLogger(__name__)

_FORMAT = 2  # grows whenever the meaning of a column changes

Arrays = Mapping[str, NDArray[Any]]


def open_table(catalog: Catalog, path: Path, approval: ApprovalSettings | None = None) -> Table:
    """Open a table of all photos, from the file at ``path`` if it is valid."""
    token = catalog.photos.snapshot()
    held = read(path, token)
    if held is not None:
        try:
            table = Table(catalog, approval, held)
        except KeyError as error:
            log.info("all photos are read from the catalog, %s lacks %s", path.name, error)
        else:
            table.cache_key = token, *held["known"].tolist()
            return table
    return Table(catalog, approval)


def save(known: Table | Catalog, path: Path) -> None:
    """Save the table to the file, unless the file is current or there are few photos.

    A failure is only logged: it makes the next start a second slower.

    Args:
        known: the table, or the catalog to read a table from.
        path: the file.

    Thread: the catalog's.
    """
    try:
        table = known if isinstance(known, Table) else open_table(known, path)
        if len(table.ids) >= column_file.MIN_PHOTOS:
            table.refresh()
            if isinstance(known, Catalog):
                table.stacks.complete()  # nobody waits for a window here
            write_table(table, path)
    except (KnownError, OSError) as error:
        log.info("the next start reads all photos: %s", error)


def write_table(table: Table, path: Path) -> None:
    """Write a table to the file, unless the file is current.

    Raises:
        OSError: it cannot be written; the former file stays.
        KnownError: the catalog cannot note the token; the next table reads all photos.
    """
    if table.cache_key == (table.catalog.photos.snapshot(), *table.known) and path.exists():
        return
    dumped, token = table.dump(), table.catalog.photos.new_snapshot()
    write(path, token, dumped)
    table.catalog.photos.set_snapshot(token)
    table.cache_key = token, *table.known


def write(path: Path, token: str, held: Arrays) -> None:
    """Write columns atomically.

    Raises:
        OSError: the file cannot be written; the former file stays.
    """
    column_file.write(path, _label(token), held)


def read(path: Path, token: str) -> Arrays | None:
    """Map the columns written with this token; None where the file is missing or not valid."""
    if not token:
        return None
    try:
        label, held = column_file.read(path)
    except FileNotFoundError:
        return None
    except column_file.DamagedFileError as error:
        log.info("all photos are read from the catalog, %s is damaged: %s", path.name, error)
        return None
    return held if label == _label(token) else None


def _label(token: str) -> str:
    """Return the label of a valid file: the catalog's state, and versions of the code."""
    columns = ",".join(f"{name}:{dtype}" for name, dtype in NUMBERS.items())
    return f"{token} {__version__} {_FORMAT} {people.VERSION} {columns}"
