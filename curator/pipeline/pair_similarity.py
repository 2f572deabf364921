"""Similarity of pairs of photos by an encoder's vectors.

`stacking` uses it. The vectors of all photos must never be in memory at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog

Ids = NDArray[np.int64]

_PART = 256  # pairs whose vectors are in memory at a time
_SAMPLE = 96  # photos sampled to measure the similarity of unrelated photos
# A shoot of one scene has no unrelated pairs. Unrelated pairs measure 0.2 to 0.5 by network.
_ZERO_AT_MOST = 0.5
_SAMPLED = 0.02  # difference of two medians that the choice of the samples may cause


class PairSimilarity:
    """Cosines of pairs, scaled so that unrelated photos are near 0 and equal ones are 1.

    Thread: one, that of the catalog.

    Attributes:
        encoder: key of the encoder that made the vectors.
    """

    def __init__(self, catalog: Catalog, encoder: str) -> None:
        """Prepare to read the vectors of an encoder; those of others are ignored."""
        self._catalog, self.encoder = catalog, encoder
        self._rev = 0
        self._zero = 0.0  # cosine of unrelated photos
        self._measure_at = 0  # revision from which on to measure it again

    def dump(self) -> dict[str, float]:
        """Return what :meth:`restore` needs."""
        return {"vector_rev": self._rev, "zero": self._zero, "measure_at": self._measure_at}

    def restore(self, stored: Mapping[str, float]) -> None:
        """Continue where the one that was dumped was.

        Raises:
            KeyError: a value is missing; nothing was changed.
        """
        rev, zero, measure_at = (stored[name] for name in ("vector_rev", "zero", "measure_at"))
        self._rev, self._zero, self._measure_at = int(rev), zero, int(measure_at)

    def refresh(self) -> Ids | None:
        """Return photos with new vectors; None where the similarity of all pairs is new."""
        last = self._catalog.vectors.last_revision(self.encoder)
        if last >= self._measure_at and last > self._rev and self._measure_zero(last):
            self._rev = last
            return None
        renewed: list[int] = []
        while rows := self._catalog.vectors.revisions(self.encoder, self._rev):
            renewed += [photo for _, photo in rows]
            self._rev = int(rows[-1][0])
        return np.array(renewed, np.int64)

    def __call__(self, a: Ids, b: Ids) -> NDArray[np.float32]:
        """Return the similarity of pairs of photos; NaN where one has no vector."""
        cosines = np.full(len(a), np.nan, np.float32)
        for start in range(0, len(a), _PART):
            part = slice(start, start + _PART)
            ids, where = np.unique(np.r_[a[part], b[part]], return_inverse=True)
            vectors = self._vectors(ids)
            one, other = np.split(vectors[where], 2)
            cosines[part] = np.einsum("ij,ij->i", one, other)
        return (cosines - np.float32(self._zero)) / np.float32(1 - self._zero)

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

    def _measure_zero(self, last: int) -> bool:
        """Measure the median cosine of a sample of all photos, which becomes similarity 0.

        It is measured again after as many new vectors as there are now. Photos that were analyzed
        again left gaps in the early revisions, so the sample is of the latest.

        Args:
            last: the latest revision.

        Returns:
            Whether it differs from the last one by more than the choice of the sample does.
        """
        count = self._catalog.vectors.count(self.encoder)
        self._measure_at = last + count
        begins = np.unique(np.linspace(last - count, last - 1, _SAMPLE).astype(np.int64)).tolist()
        rows = [self._catalog.vectors.revisions(self.encoder, begin, 1) for begin in begins]
        some = np.unique([photo for found in rows for _, photo in found]).astype(np.int64)
        if len(some) < 2:
            return False
        vectors = self._vectors(some)
        cosines = (vectors @ vectors.T)[np.triu_indices(len(some), 1)]
        usual = float(np.nan_to_num(np.nanmedian(cosines))) if np.isfinite(cosines).any() else 0.0
        usual = min(max(usual, 0.0), _ZERO_AT_MOST)
        if abs(usual - self._zero) < _SAMPLED:
            return False
        self._zero = usual
        return True
