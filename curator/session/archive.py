"""Vectors and tone of every photo as rows in memory: what taste is learned from and scores.

A hundred thousand photos are half a gigabyte of float32, so the rows lie in a temporary file that
the system maps and may drop; it goes with the process. The catalog stays the truth.
"""

from __future__ import annotations

import logging
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog

log = logging.getLogger(__name__)

_PART = 2000  # vectors read at a time
_FIRST_CAPACITY = 1024
_NOBODY: NDArray[np.int64] = np.zeros(0, np.int64)


class Archive:
    """The rows of one encoder, a row a photo.

    Thread: one, that of the catalog it is given.

    Attributes:
        encoder: whose vectors these are; empty before there are any.
        dimension: columns of the vector in a row; tone stands behind.
    """

    def __init__(self, scratch: Path) -> None:
        """Make an empty archive that keeps its rows in a temporary file under ``scratch``."""
        self._scratch = scratch
        self._shut: Callable[[], object] = lambda: None
        self.encoder = ""
        self.dimension = 0
        self._clear()

    def _clear(self) -> None:
        self.size = self._rev = 0
        self._shut()
        self._file: IO[bytes] | None = None
        self._rows: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._ids: NDArray[np.int64] = _NOBODY
        self._place: NDArray[np.int64] = _NOBODY

    @property
    def ids(self) -> NDArray[np.int64]:
        """Photo ids by row."""
        return self._ids[: self.size]

    @property
    def rows(self) -> NDArray[np.float32]:
        """The rows, (size, dimension + tones) float32; a view, valid until the next sync."""
        return self._rows[: self.size]

    def places(self, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the row of each photo, -1 where it has no vector."""
        wanted = np.asarray(ids, np.int64)
        found = np.full(len(wanted), -1, np.int64)
        inside = wanted < len(self._place)
        found[inside] = self._place[wanted[inside]]
        return found

    def nearest(
        self, vector: NDArray[np.float32], most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the photos most like a vector: (ids, cosines), nearest first."""
        likeness = self.rows[:, : self.dimension] @ vector
        some = min(most, self.size)
        best = np.argpartition(-likeness, some - 1)[:some] if some else np.zeros(0, np.intp)
        best = best[np.argsort(-likeness[best], kind="stable")]
        return self.ids[best], likeness[best]

    def sync(self, catalog: Catalog) -> NDArray[np.int64]:
        """Take over vectors that are new in the catalog; return the ids of their photos.

        When another encoder has become the one to go by, everything is read anew.
        """
        encoder = next(iter(catalog.encoders()), "")
        if encoder != self.encoder:
            self._clear()
            self.encoder = encoder
        found = [_NOBODY]
        while encoder and (part := catalog.vectors(encoder, self._rev, _PART)):
            self._rev = part[-1][0]
            found.append(self._take([row[1] for row in part], [row[2:] for row in part]))
        return np.concatenate(found)

    def _take(self, ids: list[int], blobs: list[tuple[bytes, bytes]]) -> NDArray[np.int64]:
        if not self.size:
            self.dimension = len(blobs[0][0]) // 2
            self._columns = self.dimension + len(blobs[0][1]) // 4
        sizes = 2 * self.dimension, 4 * (self._columns - self.dimension)
        good = [number for number, pair in enumerate(blobs) if (*map(len, pair),) == sizes]
        rows = np.empty((len(good), self._columns), np.float32)
        vectors = b"".join(blobs[number][0] for number in good)
        tones = b"".join(blobs[number][1] for number in good)
        rows[:, : self.dimension] = np.frombuffer(vectors, np.float16).reshape(-1, self.dimension)
        rows[:, self.dimension :] = np.frombuffer(tones, np.float32).reshape(len(good), -1)
        sound = np.isfinite(rows).all(axis=1)
        sound &= np.abs((rows[:, : self.dimension] ** 2).sum(axis=1) - 1.0) < 0.02
        if len(good) < len(ids) or not sound.all():
            bad = len(ids) - int(sound.sum())
            log.info("%d vectors of %s are damaged and left out", bad, self.encoder)
        kept = np.array([ids[number] for number in good], np.int64)[sound]
        self._put(kept, rows[sound])
        return kept

    def _put(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        if not len(ids):
            return
        if ids.max() >= len(self._place):
            wider = np.full(max(int(ids.max()) + 1, 2 * len(self._place)), -1, np.int64)
            wider[: len(self._place)] = self._place
            self._place = wider
        fresh = ids[self._place[ids] < 0]
        self._reserve(self.size + len(fresh))
        self._place[fresh] = np.arange(self.size, self.size + len(fresh))
        self.size += len(fresh)
        at = self._place[ids]
        self._ids[at] = ids
        self._rows[at] = rows

    def _reserve(self, count: int) -> None:
        if count <= len(self._ids):
            return
        capacity = max(count, 2 * len(self._ids), _FIRST_CAPACITY)
        grown = np.zeros(capacity, np.int64)
        grown[: self.size] = self.ids
        self._ids = grown
        file = self._file
        if file is None:
            self._scratch.mkdir(parents=True, exist_ok=True)
            file = self._file = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115
            self._shut = weakref.finalize(self, file.close)
        file.truncate(capacity * self._columns * 4)
        self._rows = np.memmap(file, np.float32, "r+", shape=(capacity, self._columns))
