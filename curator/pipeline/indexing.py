"""Keeping the full-text index up to date, a few photos at a time, between other work.

The conductor calls it. A decision must never wait long for the catalog because of it.
"""

from __future__ import annotations

import time

from curator.catalog import Catalog

PART = 40
"""Photos at a time: the catalog is locked for about 3 ms of processor time, at most 10."""
_BUSY_S, _CALM_S = 0.25, 0.003  # pause between two parts
MERGES = 5
"""Merges of the index before the next part, at most: merging keeps up with writing, and the index
never has more than a few separate parts."""


class Indexer:
    """Adds the texts of photos to the full-text index.

    Thread: the conductor's.

    Attributes:
        waiting: whether photos wait to be indexed, or parts of the index to be merged.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._next_at = 0.0
        self._merges = 0
        self.waiting = False

    def advance(self, calm: bool) -> None:
        """Index some photos, or merge parts of the index, if it is time.

        Args:
            calm: nothing else is being done.
        """
        if self.wait_s(calm) > 0:
            return
        if self._merges:
            self._merges = self._merges - 1 if self._catalog.text.merge_some() else 0
        elif self._catalog.text.is_outdated():
            self._catalog.text.update(PART)
            self._merges = MERGES
        self.waiting = bool(self._merges) or self._catalog.text.is_outdated()
        self._next_at = time.monotonic() + _CALM_S

    def wait_s(self, calm: bool) -> float:
        """Return how long until the next part, in s."""
        pause = 0.0 if calm or self._merges else _BUSY_S - _CALM_S
        return self._next_at + pause - time.monotonic()
