"""Vectors and tone of every photo as rows in a temporary file, for taste and similar photos.

The rows are in a temporary file (`row_file`), vectors as 16-bit fixed point. Scoring 100,000 rows
of 1280 on two cores took this long, and kept this much in memory:

    float32, mapped                      22-47 ms   542 MB
    float32, read in blocks              46-55 ms     1 MB
    float16, read in blocks              86-100 ms    1 MB  (numpy is slow to widen half floats)
    16-bit fixed point, read in blocks   43-57 ms     1 MB  (chosen)

From 0.03 on, a step of 2^-15 is as fine as float16, the format in the catalog.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog
from curator.learning.row_file import RowFile
from curator.learning.vector_sketch import VectorSketch

log = logging.getLogger(__name__)

_PART = 500  # vectors read from the catalog at a time; the memory of 2,000 is not all freed again
_FIRST_CAPACITY = 1024
_STEP = 2.0**-15  # of the fixed point; a unit vector's numbers lie within -1 and 1
_BLOCK = 128  # rows read from the file at a time: they fit a core's cache as float32
_SKETCHED = 20_000  # photos from which on there is a sketch: fewer are compared in 10 ms
_SAMPLE = 2000  # rows a sketch is learned from
_GROWN = 2.0  # growth of the index after which its sketch is made again
_CANDIDATES = 2000  # photos compared exactly; tests/bench/test_similar.py measures what is missed
_NO_IDS: NDArray[np.int64] = np.zeros(0, np.int64)


class VectorIndex:
    """The vectors of one encoder, one row per photo.

    Thread: one, that of the catalog it is given.

    Attributes:
        scratch: the folder of the temporary file.
        encoder: the encoder of the vectors; empty before there are any.
        dimension: columns of the vector in a row; the tone follows.
        size: the number of rows.
        damaged: ids of photos whose vector cannot be used.
    """

    def __init__(self, scratch: Path) -> None:
        """Create an empty index; its file is created with the first row."""
        self.scratch = scratch
        self.encoder = ""
        self._clear()

    def _clear(self) -> None:
        self.size = self.dimension = self._columns = self._rev = 0
        self._stored = np.dtype([])
        self._file = RowFile(self._stored, self.scratch)
        self._ids: NDArray[np.int64] = _NO_IDS
        self._place: NDArray[np.int64] = _NO_IDS
        self._sketch: VectorSketch | None = None
        self._sketched_at = 0
        self.damaged: set[int] = set()

    @property
    def columns(self) -> int:
        """The length of a row: the vector, followed by the tone."""
        return self._columns

    @property
    def ids(self) -> NDArray[np.int64]:
        """Photo ids by row."""
        return self._ids[: self.size]

    def rows_of(self, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each photo, -1 if it has no vector."""
        wanted = np.asarray(ids, np.int64)
        found = np.full(len(wanted), -1, np.int64)
        inside = (wanted >= 0) & (wanted < len(self._place))
        found[inside] = self._place[wanted[inside]]
        return found

    # --- reading rows

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Read some rows, (N, dimension + tones) float32; none may be -1.

        Raises:
            KnownError: the file cannot be read.
        """
        found = np.empty((len(rows), self._columns), np.float32)
        if not len(rows):
            return found
        some = self._file.take(np.asarray(rows, np.int64))
        found[:, : self.dimension] = some["vector"]
        found[:, : self.dimension] *= np.float32(_STEP)
        found[:, self.dimension :] = some["tone"]
        return found

    def product(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Multiply every row with one column of weights or several.

        Args:
            weights: (dimension + tones,) or (dimension + tones, K).

        Returns:
            (size,) or (size, K) float32.
        """
        given = np.array(weights, np.float32)
        given[: self.dimension] *= np.float32(_STEP)  # once here, not once a number of the file
        result = np.empty((self.size, *given.shape[1:]), np.float32)
        for start, rows in self._blocks():
            np.matmul(rows, given, out=result[start : start + len(rows)])
        return result

    def _blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Read the file from front to back: where a block begins, and its rows.

        The rows are valid until the next block; multiply their vectors by _STEP.
        """
        rows = np.empty((_BLOCK, self._columns), np.float32)
        for start, stored in self._file.blocks(self.size, _BLOCK):
            some = rows[: len(stored)]
            some[:, : self.dimension] = stored["vector"]
            some[:, self.dimension :] = stored["tone"]
            yield start, some

    # --- similar photos

    def nearest(
        self,
        vector: NDArray[np.float32],
        most: int,
        among: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the photos most similar to a vector: (ids, cosines), nearest first.

        Args:
            vector: (dimension,) of unit length.
            most: the largest number of photos to return.
            among: ids of the photos that count; None for all.
        """
        if among is not None:
            rows = self.rows_of(among)
            rows = rows[rows >= 0]
            if self._sketch is not None and len(rows) > _CANDIDATES:
                rows = self._sketch.likely(vector, _CANDIDATES, rows)
            likeness = self.take(rows)[:, : self.dimension] @ vector[: self.dimension]
        elif self._sketch is not None and most < _CANDIDATES:
            rows = self._sketch.likely(vector, _CANDIDATES)
            likeness = self.take(rows)[:, : self.dimension] @ vector
        else:
            weights = np.zeros(self._columns, np.float32)
            weights[: self.dimension] = vector[: self.dimension]  # 0 columns before there are rows
            rows, likeness = np.arange(self.size), self.product(weights)
        some = min(most, len(rows))
        best = np.argpartition(-likeness, some - 1)[:some] if some else np.zeros(0, np.intp)
        best = best[np.argsort(-likeness[best], kind="stable")]
        return self.ids[rows[best]], likeness[best]

    def prepare(self) -> None:
        """Make the sketch that speeds up :meth:`nearest`, if the index is large or has doubled.

        Takes half a second at 100,000 photos; call it when there is nothing else to do.

        Raises:
            KnownError: there is no room on disk; the next call tries again.
        """
        if self.size < max(_SKETCHED, _GROWN * self._sketched_at):
            return
        sample = self.take(np.arange(0, self.size, max(self.size // _SAMPLE, 1)))
        sketch = VectorSketch.of(sample[:, : self.dimension], self.scratch)
        self._sketch = None  # its file makes room for that of the next
        if sketch is not None:
            weights = np.zeros((self._columns, len(sketch.directions)), np.float32)
            weights[: self.dimension] = sketch.directions.T * np.float32(_STEP)
            for start, rows in self._blocks():
                sketch.put(np.arange(start, start + len(rows)), rows @ weights)
        self._sketch, self._sketched_at = sketch, self.size

    # --- reading vectors

    def sync(
        self,
        catalog: Catalog,
        encoder: str | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> NDArray[np.int64]:
        """Read vectors that are new in the catalog; return the ids of their photos.

        If the encoder changed, all its vectors are read.

        Args:
            catalog: the catalog to read.
            encoder: whose vectors to read; None for the encoder the catalog uses.
            pause: called between parts; may raise to end this.

        Raises:
            KnownError: there is no room on disk; the next call reads the missing vectors.
        """
        encoder = encoder or next(iter(catalog.vectors.encoders()), "")
        if encoder != self.encoder:
            self._clear()
            self.encoder = encoder
        found = [_NO_IDS]
        while encoder and (part := catalog.vectors.read(encoder, self._rev, _PART)):
            found.append(self._add([row[1] for row in part], [row[2:] for row in part]))
            self._rev = part[-1][0]
            pause()
        return np.concatenate(found)

    def _add(self, ids: list[int], blobs: list[tuple[bytes, bytes]]) -> NDArray[np.int64]:
        """Add or replace rows, from the bytes of vector and tone; return the ids of sound ones."""
        if not self.size:  # the most common size is the right one
            (vector, tone), _ = Counter((*map(len, pair),) for pair in blobs).most_common(1)[0]
            self.dimension, self._columns = vector // 2, vector // 2 + tone // 4
            self._stored = np.dtype(
                [
                    ("vector", "<i2", (self.dimension,)),
                    ("tone", "<f4", (self._columns - self.dimension,)),
                ]
            )
            self._file = RowFile(self._stored, self.scratch)
        self.damaged -= set(ids)
        sizes = 2 * self.dimension, 4 * (self._columns - self.dimension)
        good = [number for number, pair in enumerate(blobs) if (*map(len, pair),) == sizes]
        vectors = np.frombuffer(b"".join(blobs[each][0] for each in good), "<f2")
        tones = np.frombuffer(b"".join(blobs[each][1] for each in good), "<f4")
        vectors = vectors.astype(np.float32).reshape(len(good), self.dimension)
        tones = tones.reshape(len(good), self._columns - self.dimension)
        sound = np.isfinite(vectors).all(axis=1) & np.isfinite(tones).all(axis=1)
        sound &= np.abs(np.einsum("ij,ij->i", vectors, vectors) - 1.0) < 0.02
        kept = np.array([ids[number] for number in good], np.int64)[sound]
        bad = set(ids) - set(kept.tolist())
        if bad:
            self.damaged |= bad
            log.info("%d vectors of %s are damaged and left out", len(bad), self.encoder)
        self._store(kept, vectors[sound], tones[sound])
        return kept

    def _store(
        self, ids: NDArray[np.int64], vectors: NDArray[np.float32], tones: NDArray[np.float32]
    ) -> None:
        if not len(ids):
            return
        if ids.max() >= len(self._place):
            wider = np.full(max(int(ids.max()) + 1, 2 * len(self._place)), -1, np.int64)
            wider[: len(self._place)] = self._place
            self._place = wider
        at = self._place[ids]
        fresh = at < 0
        at[fresh] = np.arange(self.size, self.size + int(fresh.sum()))
        rows = np.empty(len(ids), self._stored)
        rows["vector"] = np.clip(np.rint(vectors / _STEP), -32767, 32767)
        rows["tone"] = tones
        self._file.put(at, rows)
        self._reserve(self.size + int(fresh.sum()))
        if self._sketch is not None:
            self._sketch.put(at, vectors @ self._sketch.directions.T)
        self._place[ids], self._ids[at] = at, ids
        self.size += int(fresh.sum())

    def _reserve(self, count: int) -> None:
        if count > len(self._ids):
            grown = np.zeros(max(count, 2 * len(self._ids), _FIRST_CAPACITY), np.int64)
            grown[: self.size] = self.ids
            self._ids = grown
