"""Estimates when the person will go to the next photo.

The loupe does not decode originals that nobody waits for: one that is passed before it is decoded
has cost a core and 70 MB while the next photos needed both.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_INTERVALS = 3  # averaged
_PAUSE_S = 2.0  # a longer interval is a pause, after which the pace is unknown
_REST_INTERVALS = 1.5  # without a step, after which the hand rests


class StepPace:
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
        """Return in how many seconds to begin work on the current photo.

        Args:
            least_s: the shortest delay.
            work_s: how long the work takes. If it would end after the next step, it begins when
                the hand rests.
        """
        if len(self._steps) < 2:
            return least_s
        interval = (self._steps[-1] - self._steps[0]) / (len(self._steps) - 1)
        if least_s + work_s < interval:
            return least_s
        rests_at = self._steps[-1] + _REST_INTERVALS * interval
        return max(least_s, rests_at - self._clock())
