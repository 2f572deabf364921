"""How fast a person goes from photo to photo, and when their hand has come to rest.

The loupe asks it before it reads originals: a photo passed before its original is read has cost a
core and 70 MB for nothing, at the moment when the next photos need both.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_INTERVALS = 3  # the pace is the mean of so many
_PAUSE_S = 2.0  # a longer interval is a pause, after which the pace is unknown
_RESTED = 1.5  # intervals without a step, after which the hand rests


class Pace:
    """The pace of steps from photo to photo.

    Args:
        clock: seconds.

    Thread: GUI.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: deque[float] = deque(maxlen=_INTERVALS + 1)

    def step(self) -> None:
        """Note that another photo became current."""
        now = self._clock()
        if self._steps and now - self._steps[-1] > _PAUSE_S:
            self._steps.clear()
        self._steps.append(now)

    def delay_s(self, least_s: float, work_s: float) -> float:
        """Return how long after a step to begin work on the photo.

        Args:
            least_s: the shortest delay.
            work_s: how long the work takes. If it would end after the next step, the delay lasts
                until the hand rests.
        """
        if len(self._steps) < 2:
            return least_s
        interval = (self._steps[-1] - self._steps[0]) / (len(self._steps) - 1)
        return least_s if least_s + work_s < interval else max(least_s, _RESTED * interval)
