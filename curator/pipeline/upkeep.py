"""Work of the conductor that serves no photo: it waits until nobody waits for photos.

That is the size and the checkpoints of the catalog's log, and processes started ahead. The
conductor calls :meth:`Upkeep.look` on every turn. It must not delay the first photos on screen.
"""

from __future__ import annotations

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
    """Decides when the upkeep is due.

    Attributes:
        after_screens: functions to call once the first screens of photos are read; any thread may
            append to it.

    Thread: the conductor's.
    """

    def __init__(self) -> None:
        self.after_screens: deque[Callable[[], None]] = deque()
        self._reserve_at = time.monotonic() + RESERVE_S
        self._checkpoint_at = time.monotonic() + CHECKPOINT_S

    def look(self, catalog: Catalog, reads_first_screens: bool, resting: bool) -> None:
        """Do what is due: call functions, grow the log, or checkpoint it while it is written to."""
        while self.after_screens and not reads_first_screens:
            self.after_screens.popleft()()
        now = time.monotonic()
        if now > self._reserve_at:
            self._reserve_at = math.inf
            catalog.store.keep_disk_reserve()
            catalog.store.reserve_log()
        if resting:
            return
        if now >= self._checkpoint_at:
            catalog.store.checkpoint()
            self._checkpoint_at = now + CHECKPOINT_S
        else:
            catalog.store.checkpoint_if_long()
