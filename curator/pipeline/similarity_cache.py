"""Similarity of pairs of photos by an encoder's vectors; each pair is computed only once.

`stacking` uses it. The vectors of all photos must never be in memory at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog

Ids = NDArray[np.int64]

_PART = 256  # pairs whose vectors are in memory at a time
_SAMPLE = 96  # photos sampled to measure the similarity of unrelated photos
# A shoot of one scene has no unrelated pairs. Unrelated pairs measure 0.2 to 0.5 by network.
_ZERO_AT_MOST = 0.5
_SHIFT = np.int64(1 << 31)


class PairSimilarity:
    """Cosines of pairs, scaled so that unrelated photos are near 0 and equal ones are 1.

    Thread: one, that of the catalog.

    Attributes:
        encoder: key of the encoder that made the vectors.
    """

    def __init__(self, catalog: Catalog, encoder: str) -> None:
        """Make an empty cache of pairs.

        Args:
            catalog: has the vectors.
            encoder: key of the encoder; vectors of other encoders are ignored.
        """
        self._catalog, self.encoder = catalog, encoder
        self._rev = 0
        self._seen = np.zeros(1, bool)  # by photo id
        self._codes: Ids = np.zeros(0, np.int64)  # of pairs, ascending
        self._cosines = np.zeros(0, np.float32)
        self._zero = 0.0  # cosine of unrelated photos
        self._measured = 0  # photos there were when that was measured

    def refresh(self) -> None:
        """Find photos with new vectors, and drop their cached pairs."""
        renewed: list[int] = []
        while rows := self._catalog.vectors.revisions(self.encoder, self._rev):
            ids = np.array([row[1] for row in rows], np.int64)
            if ids.max() >= len(self._seen):
                wider = np.zeros(2 * int(ids.max()) + 1, bool)
                wider[: len(self._seen)] = self._seen
                self._seen = wider
            renewed += ids[self._seen[ids]].tolist()
            self._seen[ids] = True
            self._rev = int(rows[-1][0])
        if renewed:
            stale = np.isin(self._codes // _SHIFT, renewed) | np.isin(self._codes % _SHIFT, renewed)
            self._codes, self._cosines = self._codes[~stale], self._cosines[~stale]
        if self._seen.sum() >= 2 * self._measured:
            self._measure_zero()

    def __call__(self, a: Ids, b: Ids) -> NDArray[np.float32]:
        """Return the similarity of pairs of photos; NaN where one has no vector."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        last = len(self._seen) - 1
        seen = (
            self._seen[np.minimum(low, last)] & self._seen[np.minimum(high, last)] & (high <= last)
        )
        codes = low * _SHIFT + high
        new = np.setdiff1d(codes[seen], self._codes)
        for start in range(0, len(new), _PART):
            self._read(new[start : start + _PART])
        found = np.full(len(codes), np.nan, np.float32)
        at = np.minimum(np.searchsorted(self._codes, codes), max(len(self._codes) - 1, 0))
        if self._codes.size:
            here = self._codes[at] == codes
            found[here] = self._cosines[at[here]]
        return (found - np.float32(self._zero)) / np.float32(1 - self._zero)

    def _read(self, codes: Ids) -> None:
        ids, where = np.unique(np.r_[codes // _SHIFT, codes % _SHIFT], return_inverse=True)
        vectors = self._vectors(ids)
        one, other = where[: len(codes)], where[len(codes) :]
        cosines = np.einsum("ij,ij->i", vectors[one], vectors[other])
        joined = np.r_[self._codes, codes]
        order = np.argsort(joined, kind="stable")
        self._codes = joined[order]
        self._cosines = np.r_[self._cosines, cosines][order]

    def _vectors(self, ids: Ids) -> NDArray[np.float32]:
        """Read vectors (N, D) of unit length; NaN where a photo has none."""
        blobs = self._catalog.vectors.of(self.encoder, ids.tolist())
        sizes = [len(blob) for blob in blobs.values()]
        size = max(sizes, key=sizes.count, default=0) // 2 * 2
        rows = np.full((len(ids), max(size // 2, 1)), np.nan, np.float32)
        for at, photo in enumerate(ids.tolist()):
            blob = blobs.get(photo, b"")
            if blob and len(blob) == size:
                rows[at] = np.frombuffer(blob, np.float16)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        length[~((length > 0) & np.isfinite(length))] = np.nan
        return rows / length

    def _measure_zero(self) -> None:
        """Measure the median cosine of a sample of all photos, which becomes similarity 0."""
        ids = np.flatnonzero(self._seen)
        self._measured = len(ids)
        if len(ids) < 2:
            return
        some = ids[np.unique(np.linspace(0, len(ids) - 1, _SAMPLE).astype(np.intp))]
        vectors = self._vectors(some)
        cosines = (vectors @ vectors.T)[np.triu_indices(len(some), 1)]
        usual = float(np.nan_to_num(np.nanmedian(cosines))) if np.isfinite(cosines).any() else 0.0
        self._zero = min(max(usual, 0.0), _ZERO_AT_MOST)
