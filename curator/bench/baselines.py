"""References for figures: the least work needed, done by bare libraries.

They share no code with Curator, so a change that slows Curator does not slow them.
`curator.bench.window_driver` has the bare viewer.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from curator.bench.figures import timed
from curator.catalog.store import LOG_BYTES
from curator.learning.vector_index import VectorIndex

COMMIT = "a bare SQLite commit of one row, with the same safety"
PRODUCT = "a float32 product with all vectors, held in memory"
_PART = 2_000  # vectors read at a time
_ROW = "x" * 200  # about the size of a mark in the journal
_JPEG = b"\xff\xd8\xff"


@contextmanager
def commits(folder: Path) -> Iterator[Callable[[], float]]:
    """Yield a function that commits a row to a SQLite file and returns the seconds.

    As for a mark, the row is then on disk, the log has its full size before, and no checkpoint
    runs meanwhile.
    """
    path = folder / "bare.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name, value in (
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("wal_autocheckpoint", "0"),
        ):
            connection.execute(f"PRAGMA {name} = {value}")
        connection.execute("CREATE TABLE mark (id INTEGER PRIMARY KEY, text TEXT)")
        with Path(f"{path}-wal").open("r+b") as log:
            log.write(bytes(LOG_BYTES - log.seek(0, os.SEEK_END)))
            log.flush()
            os.fsync(log.fileno())
        insert = "INSERT INTO mark (text) VALUES (?)"
        yield lambda: timed(lambda: connection.execute(insert, (_ROW,)))


def rows(catalog: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    """Read rows of a catalog with plain SQLite, all at once."""
    with closing(sqlite3.connect(f"{catalog.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


@contextmanager
def index(folder: Path) -> Iterator[Callable[[list[str]], float]]:
    """Yield a function that adds texts to a full-text index and returns the seconds."""
    with closing(sqlite3.connect(folder / "index.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE VIRTUAL TABLE texts USING fts5 (words, prefix = '1 2 3')")

        def insert(texts: list[str]) -> None:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO texts VALUES (?)", [(text,) for text in texts])
            connection.execute("COMMIT")

        yield lambda texts: timed(lambda: insert(texts))


def vectors(index: VectorIndex) -> NDArray[np.float32]:
    """Return all vectors in memory, (N, dimension) float32; 100,000 take 0.5 GB."""
    found = np.empty((index.size, index.dimension), np.float32)
    for start in range(0, index.size, _PART):
        some = range(start, min(start + _PART, index.size))
        found[start : some.stop] = index.take(some)[:, : index.dimension]
    return found


def listed(folder: Path) -> list[str]:
    """Return the files below a folder after reading size and time of each."""
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                found += listed(Path(entry))
            else:
                entry.stat()
                found.append(entry.path)
    return sorted(found)


def thumbnail(path: Path | str) -> NDArray[np.uint8]:
    """Decode the JPEG embedded in a JPEG, else the file itself, (H, W, 4) BGRA."""
    data = Path(path).read_bytes()
    inside = data.find(_JPEG, len(_JPEG))
    return np.asarray(simplejpeg.decode_jpeg(data[max(inside, 0) :], "BGRA", strict=False))
