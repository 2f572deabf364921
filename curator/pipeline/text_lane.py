"""The lane that reads text in photos: the last of all work, but at once where a person asks.

`dispatch` fills it. Reading takes about a second per photo, so that everything else goes first, and
nothing waits for it; without the networks everything else works.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from curator.catalog import Catalog, Pending
from curator.model import StageJob
from curator.ocr.models import TextModelError
from curator.pipeline.lanes import FailureEffect, Lane, Outcome, Round
from curator.settings import WorkSettings
from curator.stages import Stage
from curator.workers import WorkerPool


class TextLane(Lane):
    """Reads text in the processes that convert photos, while no other lane works.

    Attributes:
        requested: ids of photos that a person asked for, as keys; they go first, also while all
            work is paused.

    Thread: as Lane.
    """

    def __init__(
        self,
        threads: int,
        pool: WorkerPool,
        work: WorkSettings,
        deliver: Callable[[Outcome], None],
        is_free: Callable[[], bool],
    ) -> None:
        """Make a lane; ``is_free`` returns whether no other lane works."""
        super().__init__(threads, max(threads, 1) + 1, pool, work, deliver)
        self.requested: dict[int, None] = {}
        self._is_free = is_free

    def request(self, photos: Sequence[int]) -> None:
        """Read photos before all others."""
        self.requested = dict.fromkeys([*photos, *self.requested])

    def choose(self, catalog: Catalog, stage: Stage, now: Round) -> tuple[list[Pending], bool]:
        """Choose the photos to start: requested ones first, others if nothing else is done."""
        room = self.room()
        if room <= 0:
            return [], now.behind
        goes_on = not (now.paused or now.behind) and self._is_free()
        if not (goes_on or self.requested):
            return [], now.behind
        found = catalog.work.pending(stage.name, room, [*self.requested, *now.focus])
        if not goes_on:
            found = [pending for pending in found if pending.photo_id in self.requested]
        return found, now.behind

    def is_busy(self, catalog: Catalog, stage: str, paused: bool) -> bool:
        """Whether photos are being read, or will be without a new request."""
        if self.in_flight:
            return True
        return not paused and catalog.work.count_unfinished(stage) > 0

    def landed(self, photo_id: int) -> None:
        """Note that the outcome of a job was saved."""
        super().landed(photo_id)
        self.requested.pop(photo_id, None)

    def handle_failure(
        self, catalog: Catalog, job: StageJob, error: Exception
    ) -> FailureEffect | None:
        """Put a photo back if the networks cannot be loaded: no photo can be read."""
        if not isinstance(error, TextModelError):
            return None
        catalog.work.put_back(job.stage, [job.photo_id])
        return FailureEffect(broken=error)
