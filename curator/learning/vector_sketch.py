"""A compact sketch of many vectors, to find the few that need an exact comparison.

`vector_index` uses it. Photos differ along few directions: for real photos the 128 strongest hold
some three quarters of the variance of vectors of 1280 numbers. Coordinates along those, a byte
each, find the candidates; exact rows decide among them. Comparing 100,000 rows exactly takes 40 ms
and more, this 8. The coordinates of a million photos would hold 128 MB, so they are in a file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.learning.row_file import RowFile

_DIRECTIONS = 128
# Share of the variance that the directions must hold, or the sketch would miss too many. In vectors
# without any structure they hold a tenth; in those of real photos 0.73 (starter encoder).
_ENOUGH = 0.4
_OVERSAMPLED, _TURNS = 16, 2
_BLOCK = 4096
_LEVELS = 127.0
_MARGIN = 1.25  # beyond the sample's largest coordinates; what lies further out is clipped

Floats = NDArray[np.float32]


class VectorSketch:
    """Coordinates of many vectors along their strongest directions, a byte each.

    Attributes:
        directions: (K, D) float32, orthonormal.
    """

    def __init__(self, directions: Floats, mean: Floats, steps: Floats, scratch: Path) -> None:
        self.directions = directions
        self._mean, self._steps = mean, steps
        self._codes = RowFile(np.dtype((np.int8, len(directions))), scratch)
        self._size = 0

    @classmethod
    def of(cls, sample: Floats, scratch: Path) -> VectorSketch | None:
        """Find the strongest directions of a sample; None if they hold too little of its variance.

        Args:
            sample: (N, D) unit vectors.
            scratch: the folder of the temporary file.

        Source: Halko, Martinsson and Tropp 2011, "Finding structure with randomness", algorithm
        4.4: iterating a random subspace twice takes a tenth of the time of all eigenvectors.
        """
        center = sample.mean(axis=0)
        centered = sample - center
        some = min(_DIRECTIONS, sample.shape[1], len(sample))
        wide = min(some + _OVERSAMPLED, sample.shape[1])
        basis = np.random.default_rng(0).standard_normal((sample.shape[1], wide), np.float32)
        for _ in range(_TURNS):
            basis = np.linalg.qr(centered.T @ (centered @ basis))[0]
        coordinates = centered @ basis
        values, turn = np.linalg.eigh(coordinates.T @ coordinates)
        directions = np.ascontiguousarray((basis @ turn[:, ::-1][:, :some]).T)
        held, total = float(values[::-1][:some].sum()), float(np.vdot(centered, centered))
        if held < _ENOUGH * max(total, 1e-9):
            return None
        coordinates = centered @ directions.T
        steps = np.abs(coordinates).max(axis=0) * np.float32(_MARGIN / _LEVELS)
        steps = np.maximum(steps, np.float32(1e-9))
        return cls(directions, directions @ center, steps, scratch)

    def put(self, rows: NDArray[np.int64], products: Floats) -> None:
        """Store vectors at rows, new or changed.

        Args:
            rows: (N,) rows; the sketch grows for rows beyond the last.
            products: (N, K) products of the vectors with :attr:`directions`.

        Raises:
            KnownError: there is no room on disk.
        """
        levels = np.rint((products - self._mean) / self._steps)
        self._codes.put(rows, np.clip(levels, -_LEVELS, _LEVELS).astype(np.int8))
        self._size = max(self._size, int(rows.max(initial=-1)) + 1)

    def likely(
        self, vector: Floats, most: int, among: NDArray[np.int64] | None = None
    ) -> NDArray[np.intp]:
        """Return the rows that are probably nearest to a unit vector, unsorted.

        Args:
            vector: (D,) float32.
            most: the number of rows.
            among: the rows to choose from, more than ``most``; None for all.
        """
        asked = (self.directions @ vector) * self._steps
        likeness = np.empty(self._size, np.float32)
        block = np.empty((_BLOCK, len(asked)), np.float32)
        for start, codes in self._codes.blocks(self._size, _BLOCK):
            some = block[: len(codes)]
            some[:] = codes
            np.matmul(some, asked, out=likeness[start : start + len(codes)])
        if among is not None:
            likeness = likeness[among]
            return among[np.argpartition(-likeness, most - 1)[:most]]
        if most >= self._size:
            return np.arange(self._size)
        return np.argpartition(-likeness, most - 1)[:most]
