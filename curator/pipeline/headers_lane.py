"""The lane that reads headers: a process gets several short jobs at once.

`dispatch` fills it. Sending a job to a process and receiving its result takes a thread of the
window's process several turns at the interpreter lock, which is longer than reading a header takes.
A photo must never fail because of another one in its group.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from curator.model import StageJob
from curator.pipeline.lanes import Lane, Outcome
from curator.workers import run_each

log = logging.getLogger(__name__)

_MOST = 16  # photos in a group
_TARGET_S = 0.02  # groups shrink until they take no longer: on a slow drive each photo goes alone


class HeadersLane(Lane):
    """Runs groups of jobs; a group that fails as a whole is repeated photo by photo.

    Thread: as Lane; the size of groups changes on the lane's own threads.
    """

    def room(self) -> int:
        """Return how many jobs may be submitted now; 0 while there is no room for a whole group."""
        room = super().room()
        return room if room >= self._at_once else 0

    def _work(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        begin = time.monotonic()
        results = self._run_together(run, jobs) if len(jobs) > 1 else None
        if results is None:
            super()._work(run, jobs)
        else:
            for job, result in zip(jobs, results, strict=True):
                self._deliver(Outcome(job, result))
        took = time.monotonic() - begin
        if took > _TARGET_S:
            self._at_once = max(1, len(jobs) // 2)
        elif took < _TARGET_S / 2:
            self._at_once = min(_MOST, 2 * len(jobs))

    def _run_together(
        self, run: Callable[..., object], jobs: Sequence[StageJob]
    ) -> list[Any] | None:
        """Return the results of all jobs; None if one failed or was canceled."""
        if not self._canceled.isdisjoint(job.photo_id for job in jobs):
            return None
        token, limit = self._token(jobs[0].photo_id), self._limits.timeout_s
        try:
            return self._pool.run(run_each, run, jobs, timeout_s=limit, token=token)
        except Exception as error:
            log.debug("%d photos are read one by one: %s", len(jobs), error)
            return None
