"""Maintenance that can wait: growing and checkpointing the catalog's log, starting processes ahead.

The conductor calls :meth:`Upkeep.run_due` at most twenty times a second while it is busy. It must
not delay the first photos on screen.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable

from curator.catalog import Catalog

# The log gets its full size this long after the start: writing that much would delay the first
# photos, and a command that ends sooner writes little.
RESERVE_S = 3.0
# A checkpoint syncs the catalog, and a decision at that moment waits for the disk; at eight keys a
# second, that is one key in a hundred and sixty.
CHECKPOINT_S = 20.0


class Upkeep:
    """Runs maintenance when it is due.

    Attributes:
        deferred: functions to call once the first screens of photos are read; any thread may
            append to it.

    Thread: the conductor's.
    """

    def __init__(self) -> None:
        self.deferred: deque[Callable[[], None]] = deque()
        self._reserve_at = time.monotonic() + RESERVE_S
        self._checkpoint_at = time.monotonic() + CHECKPOINT_S

    def run_due(self, catalog: Catalog, reads_first_screens: bool, resting: bool) -> None:
        """Run what is due: deferred functions, growing the log, a checkpoint.

        Args:
            catalog: the conductor's.
            reads_first_screens: the first screens of photos are being read.
            resting: nothing is written to the catalog.
        """
        while self.deferred and not reads_first_screens:
            self.deferred.popleft()()
        now = time.monotonic()
        if now > self._reserve_at and not reads_first_screens:
            self._reserve_at = math.inf
            # A drive that is gone is reported by the next write.
            with contextlib.suppress(OSError):
                catalog.store.keep_disk_reserve()
                catalog.store.reserve_log()
        if resting:
            return
        if now >= self._checkpoint_at:
            catalog.store.checkpoint()
            self._checkpoint_at = now + CHECKPOINT_S
        else:
            catalog.store.checkpoint_if_long()
