"""The lane that reads text in photos: the last of all work, but at once where a person asks.

`dispatch` fills it. Reading takes about a second per photo, so that everything else goes first, and
nothing waits for it; without the networks everything else works.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from curator.catalog import Catalog, Pending
from curator.catalog.text_lines import READ_TEXT
from curator.model import StageJob
from curator.ocr.models import TextModelError
from curator.pipeline.lanes import FailureEffect, Lane, Outcome, Requests, Round
from curator.settings import WorkSettings
from curator.stages import Stage
from curator.workers import WorkerPool

NOT_HERE = "Its file cannot be read now. Its text will be read once it can."


class TextLane(Lane):
    """Reads text in the processes that convert photos, while no other lane works.

    Attributes:
        requested: the photos that a person asked for; they go first, also while all work is
            paused.

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
        self.requested = Requests()
        self._is_free = is_free

    def choose(self, catalog: Catalog, stage: Stage, now: Round) -> tuple[list[Pending], bool]:
        """Choose the photos to start: requested ones first, others if nothing else is done."""
        room = self.room()
        requested = self.requested.photos
        if room <= 0:
            return [], now.behind
        goes_on = not (now.paused or now.behind) and self._is_free()
        if not (goes_on or requested):
            return [], now.behind
        found = catalog.work.pending(stage.name, room, [*requested, *now.focus])
        if not goes_on:
            found = [pending for pending in found if pending.photo_id in requested]
        return found, now.behind

    def is_busy(self, catalog: Catalog, stage: str, paused: bool) -> bool:
        """Whether photos are being read, or will be without a new request."""
        if self.in_flight:
            return True
        return not paused and catalog.work.count_unfinished(stage) > 0

    def succeeded(self, photos: Sequence[int]) -> None:
        """Report the requested photos among those whose text was saved."""
        for photo in photos:
            self.requested.report(photo)

    def failed(self, photo_id: int, reason: str, final: bool) -> None:
        """Report that a requested photo could not be read."""
        self.requested.report(photo_id, reason, final)

    def report_unreadable(self, catalog: Catalog) -> None:
        """Report requested photos that cannot be read for now; call it once all others were."""
        for photo in catalog.work.not_pending(READ_TEXT, list(self.requested.photos)):
            self.requested.report(photo, NOT_HERE)

    def handle_failure(
        self, catalog: Catalog, job: StageJob, error: Exception
    ) -> FailureEffect | None:
        """Put a photo back if the networks cannot be loaded: no photo can be read."""
        if not isinstance(error, TextModelError):
            return None
        catalog.work.put_back(job.stage, [job.photo_id])
        for photo in list(self.requested.photos):
            self.requested.report(photo, str(error))
        return FailureEffect(broken=error)
