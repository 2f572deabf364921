"""Words of photos read into the full-text index, a few at a time, between other work."""

from __future__ import annotations

import time

from curator.catalog import Catalog

PART = 40
"""Photos at a time: a decision waits some 10 ms for them, one in a hundred times 45."""
_BUSY_S, _CALM_S = 0.25, 0.003  # from one part to the next


class Indexer:
    """Keeps the full-text index in step with the photos.

    Thread: the conductor's.

    Attributes:
        waiting: whether the words of photos wait to be read.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._next_at = 0.0
        self.waiting = False

    def advance(self, calm: bool) -> None:
        """Read the words of some photos, if any wait and it is time.

        Args:
            calm: nothing else is being done.
        """
        if self.wait_s(calm) > 0:
            return
        self.waiting = self._catalog.fold_text(PART)
        self._next_at = time.monotonic() + _CALM_S

    def wait_s(self, calm: bool) -> float:
        """Say how long until the next part, in s."""
        pause = 0.0 if calm else _BUSY_S - _CALM_S
        return self._next_at + pause - time.monotonic()
