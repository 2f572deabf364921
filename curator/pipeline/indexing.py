"""Words of photos read into the full-text index, a few at a time, between other work."""

from __future__ import annotations

import time

from curator.catalog import Catalog

PART = 40
"""Photos at a time: the catalog is locked for some 3 ms of processor time, 10 at the very most."""
_BUSY_S, _CALM_S = 0.25, 0.003  # from one part to the next
MERGES = 5
"""Times that what was written is merged before the next part, at most: what comes together keeps up
with what comes in, and no more than a few parts ever lie apart."""


class Indexer:
    """Keeps the full-text index in step with the photos.

    Thread: the conductor's.

    Attributes:
        waiting: whether the words of photos wait to be read, or such as were read to be merged.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._next_at = 0.0
        self._merges = 0
        self.waiting = False

    def advance(self, calm: bool) -> None:
        """Read the words of some photos, if any wait and it is time, or merge some.

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
        """Say how long until the next part, in s."""
        pause = 0.0 if calm or self._merges else _BUSY_S - _CALM_S
        return self._next_at + pause - time.monotonic()
