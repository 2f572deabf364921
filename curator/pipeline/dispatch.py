"""Which jobs start next: the stages in force, their lanes, and the photos on screen.

The conductor calls :meth:`Dispatcher.fill` after whatever may have made room or work. Never more
than a bounded number of photos are in flight, so that a photo that comes on screen is next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from curator.catalog import Catalog, Pending
from curator.encoders import Encoding
from curator.model import StageJob
from curator.pipeline import describing
from curator.pipeline.describing import VisionLane
from curator.pipeline.encoder_lane import EncoderLane, possible
from curator.pipeline.lanes import Lane, Outcome, Round, job_of
from curator.settings import Settings
from curator.stages import LaneKind, Stage
from curator.workers import WorkerPool

_SHORT_JOBS = 24  # peeks in flight: processes never wait for a save, the screen not for them


class Dispatcher:
    """Starts the jobs of all stages, photos on screen first.

    Attributes:
        stages: all stages, in order.
        lanes: one for each kind of work.
        encoder: the lane that analyzes photos.
        vision: the lane that describes photos.
        described_by: name of the stage that describes photos; empty if there is none.
        focus: ids of the photos on screen, the most wanted first.

    Thread: the conductor's; :attr:`focus` may be set from any.
    """

    def __init__(
        self,
        settings: Settings,
        stages: Sequence[Stage],
        cache: Path,
        pools: tuple[WorkerPool, WorkerPool],
        deliver: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> None:
        """Make a dispatcher.

        Args:
            settings: read for every job, so that changes count at once.
            stages: what photos go through, in order, where there is an encoder.
            cache: where derived files go.
            pools: where stages run, and where the encoder does; a pool of size 0 runs them on
                the calling thread.
            deliver: takes the outcome of each job; any thread.
            wake: wakes the conductor; any thread.
        """
        pool, self._encoder_pool = pools
        inline = pool.size == 0
        # One process stays free for short jobs while all others are at pixels.
        at_once = max(1, pool.size - 1)
        threads, work = 0 if inline else at_once, settings.work
        self.stages = tuple(stages)
        self.encoder = EncoderLane(threads, self._encoder_pool, work, deliver)
        self.vision = VisionLane(inline, settings, deliver, wake)
        self.lanes: dict[LaneKind, Lane] = {
            LaneKind.HEADERS: Lane(threads, _SHORT_JOBS, pool, work, deliver),
            LaneKind.PIXELS: Lane(threads, at_once + 2, pool, work, deliver),
            LaneKind.ENCODER: self.encoder,
            LaneKind.VISION: self.vision,
        }
        vision = (stage.name for stage in stages if stage.lane is LaneKind.VISION)
        self.described_by = next(vision, "")
        self.focus: tuple[int, ...] = ()
        self._catalog: Catalog
        self._settings, self._cache, self._inline = settings, cache, inline
        self._in_force: tuple[Stage, ...] = ()

    def open(self, catalog: Catalog) -> None:
        """Take work from this catalog."""
        self._catalog = catalog

    # --- which stages

    def use_encoder(self, encoding: Encoding) -> None:
        """Analyze photos with this encoder; photos another one analyzed wait for it again."""
        self._use(possible(self.stages, encoding))
        if encoding.recipe is not None:
            self._catalog.vectors.use_encoder(encoding.recipe.key)
        self.encoder.use(encoding.recipe)
        for lane in self.lanes.values():
            lane.forget()
        self._encoder_pool.end_idle()

    def drop_encoder(self) -> None:
        """Analyze no photos until the next start: the encoder cannot be used."""
        self._use([stage for stage in self._in_force if stage.lane is not LaneKind.ENCODER])

    def renew_vision(self) -> None:
        """Describe photos by the settings as they are now; requests in progress are repeated."""
        self.vision.renew()
        self._use(self._in_force)
        self._catalog.descriptions.request(list(self.vision.requested))

    def _use(self, stages: Sequence[Stage]) -> None:
        self._in_force = describing.tuned(stages, self._settings)
        self._catalog.work.use_stages(self._in_force)

    # --- which photos

    def describe(self, photos: Sequence[int]) -> None:
        """Describe photos before all others, whether or not all are described."""
        self.vision.request(photos)
        self._catalog.descriptions.request(photos)

    def retry(self, stage: str | None, ids: Sequence[int] | None) -> int:
        """Do failed work again, descriptions too where photos are described only when asked for.

        Returns:
            How many results will be made again.
        """
        if stage in (None, self.described_by) and not self._settings.vision.automatic:
            failed = self._catalog.work.failures(ids, later=True)
            described = [row.photo_id for row in failed if row.stage == self.described_by]
            self.vision.request(described)
        return self._catalog.work.retry(stage, ids)

    def fill(self, paused: bool) -> None:
        """Put jobs in flight in all lanes that have room."""
        now = Round(self.focus, paused)
        for stage in self._in_force:
            lane = self.lanes[stage.lane]
            found, behind = lane.choose(self._catalog, stage, now)
            now = replace(now, behind=behind)
            if found:
                self._catalog.work.start(stage.name, [pending.photo_id for pending in found])
                for group in lane.groups(found):
                    lane.submit(stage.run, [self._job(stage, pending) for pending in group])

    def _job(self, stage: Stage, pending: Pending) -> StageJob:
        job = job_of(stage, pending, self._settings, self._cache)
        return self.lanes[stage.lane].equip(job)

    # --- what is in flight

    @property
    def is_calm(self) -> bool:
        """Whether no photo is being read or analyzed; descriptions may be under way."""
        return not any(lane.in_flight for lane in self.lanes.values() if lane is not self.vision)

    def is_describing(self, paused: bool) -> bool:
        """Whether photos are being described, or will be by themselves before long."""
        lane = self.vision
        if lane.in_flight or (lane.due and not self._inline):
            return True
        held = lane.held is not None or self._inline or paused or not self.described_by
        return not held and self._catalog.work.next_due(only=self.described_by) is not None

    def in_flight(self) -> set[int]:
        """Return the ids of all photos in flight."""
        return {photo for lane in self.lanes.values() for photo in lane.in_flight}

    def landed(self, job: StageJob) -> None:
        """Note that the outcome of a job was saved."""
        stage = next(stage for stage in self.stages if stage.name == job.stage)
        self.lanes[stage.lane].landed(job.photo_id)

    def give_up_away(self) -> None:
        """Cancel jobs that read files on drives that are away."""
        for kind in {stage.lane for stage in self.stages if stage.reads == "file"}:
            lane = self.lanes[kind]
            lane.give_up(self._catalog.volumes.away_among(lane.in_flight))

    def close(self) -> None:
        """Wait for the lanes; close the worker pools first, or this waits for the jobs."""
        for lane in self.lanes.values():
            lane.close()
