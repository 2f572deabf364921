"""What bars are set beside: the least that has to be done, by bare libraries and nothing else.

These share no code with the program, so that what makes it slower does not make them slower.
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
from curator.learning.vector_index import VectorIndex

COMMIT = "a bare SQLite commit of one row, as safe"
PRODUCT = "a float32 product with all of them, held in memory"
_PART = 2_000  # vectors
_ROW = "x" * 200  # about what is said of a mark
_JPEG = b"\xff\xd8\xff"


@contextmanager
def commits(folder: Path) -> Iterator[Callable[[], float]]:
    """Give an act that commits a row to a SQLite file of its own, and says the seconds.

    As for a mark, the row is on the disk then, and nothing is copied from the log meanwhile.
    """
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        for name, value in (
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("wal_autocheckpoint", "0"),
        ):
            connection.execute(f"PRAGMA {name} = {value}")
        connection.execute("CREATE TABLE mark (id INTEGER PRIMARY KEY, said TEXT)")
        insert = "INSERT INTO mark (said) VALUES (?)"
        yield lambda: timed(lambda: connection.execute(insert, (_ROW,)))


def rows(catalog: Path, query: str, *values: object) -> list[tuple[object, ...]]:
    """Read rows of a catalog by SQLite alone, all of them at once."""
    with closing(sqlite3.connect(f"{catalog.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


@contextmanager
def index(folder: Path) -> Iterator[Callable[[list[str]], float]]:
    """Give an act that puts texts into a full-text index of its own, and says the seconds."""
    with closing(sqlite3.connect(folder / "index.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE VIRTUAL TABLE said USING fts5 (words, prefix = '1 2 3')")

        def insert(texts: list[str]) -> None:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO said VALUES (?)", [(text,) for text in texts])
            connection.execute("COMMIT")

        yield lambda texts: timed(lambda: insert(texts))


def vectors(archive: VectorIndex) -> NDArray[np.float32]:
    """Hold all vectors in memory, (N, dimension) float32: 0.5 GB of a hundred thousand."""
    found = np.empty((archive.size, archive.dimension), np.float32)
    for start in range(0, archive.size, _PART):
        some = range(start, min(start + _PART, archive.size))
        found[start : some.stop] = archive.take(some)[:, : archive.dimension]
    return found


def listed(folder: Path) -> list[str]:
    """List the files below a folder, asking each for its size and time."""
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
    """Decode the JPEG inside a JPEG, or where there is none the file's own; BGRA."""
    data = Path(path).read_bytes()
    inside = data.find(_JPEG, len(_JPEG))
    return np.asarray(simplejpeg.decode_jpeg(data[max(inside, 0) :], "BGRA", strict=False))
