"""Which jobs start next: the stages in use, their lanes, and the photos on screen.

The conductor calls :meth:`Dispatcher.fill` whenever there may be room in a lane or new work. Only a
bounded number of photos may be in flight, so that a photo that comes on screen is next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from curator.catalog import Catalog, Pending
from curator.encoders import Encoding
from curator.imaging.proxy import proxy_path
from curator.model import Kind, StageJob
from curator.pipeline import describing
from curator.pipeline.describing import VisionLane
from curator.pipeline.encoder_lane import EncoderLane
from curator.pipeline.faces_lane import FacesLane
from curator.pipeline.headers_lane import HeadersLane
from curator.pipeline.lanes import Lane, Outcome, Round
from curator.pipeline.text_lane import TextLane
from curator.settings import Settings
from curator.stages import LaneKind, Stage
from curator.workers import WorkerPool

_READING = (LaneKind.HEADERS, LaneKind.PIXELS)
_LATE = (LaneKind.VISION, LaneKind.TEXT)  # a photo counts as read without these
# Peeks in flight: two processes finish two in a millisecond, and results are gathered for 30; with
# 24 in flight they waited half of the time. A photo that comes on screen waits for 30 ms at most.
_SHORT_JOBS = 64
_ASKED_S = 2.0  # photos on screen are looked up this long after somebody asked whether any waits


class Dispatcher:
    """Starts the jobs of all stages, photos on screen first.

    Attributes:
        stages: all stages, in order.
        lanes: one for each kind of work.
        vision: the lane that describes photos.
        text: the lane that reads text in photos.
        described_by: name of the stage that describes photos; empty if there is none.
        focus: ids of the photos on screen, the most urgent first.

    Thread: the conductor's; any for setting :attr:`focus` and for :meth:`reads_for_screen`.
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
            stages: all stages, in order.
            cache: the folder of derived files.
            pools: the one that runs the stages, and the encoder's; pools of size 0 run jobs on the
                calling thread.
            deliver: gets the outcome of each job; called on any thread.
            wake: wakes the conductor; called on any thread.
        """
        pool, self._encoder_pool = pools
        inline = pool.size == 0
        at_once = max(1, pool.size - 1)  # one process stays free for short jobs
        threads, work = 0 if inline else at_once, settings.work
        self.stages = tuple(stages)
        self._encoder = EncoderLane(threads, self._encoder_pool, work, deliver)
        self.vision = VisionLane(inline, settings, deliver, wake)
        self.text = TextLane(
            0 if inline else max(1, at_once - 1), pool, work, deliver, self._is_free_for_text
        )
        self.lanes: dict[LaneKind, Lane] = {
            LaneKind.HEADERS: HeadersLane(threads, _SHORT_JOBS, pool, work, deliver),
            LaneKind.PIXELS: Lane(threads, at_once + 2, pool, work, deliver),
            LaneKind.FACES: FacesLane(threads, at_once + 2, pool, work, deliver),
            LaneKind.ENCODER: self._encoder,
            LaneKind.VISION: self.vision,
            LaneKind.TEXT: self.text,
        }
        self._late = {stage.name for stage in stages if stage.lane in _LATE}
        vision = (stage.name for stage in stages if stage.lane is LaneKind.VISION)
        self.described_by = next(vision, "")
        self.focus: tuple[int, ...] = ()
        self._unread: frozenset[int] = frozenset()
        self._asked_at = -_ASKED_S
        self._catalog: Catalog
        self._settings, self._cache, self._inline = settings, cache, inline
        self._in_use: tuple[Stage, ...] = ()
        self._broken: set[LaneKind] = set()

    def open(self, catalog: Catalog) -> None:
        """Take work from this catalog."""
        self._catalog = catalog

    # --- which stages

    def use_encoder(self, encoding: Encoding) -> None:
        """Analyze photos with this encoder, also those that another one analyzed."""
        self._encoder.use(encoding.recipe)
        self._broken.discard(LaneKind.ENCODER)
        self._use_stages()
        if encoding.recipe is not None:
            self._catalog.vectors.use_encoder(encoding.recipe.key)
        self._encoder_pool.end_idle()

    def use_faces(self) -> None:
        """Measure faces or not, by the settings as they are now."""
        self._broken.discard(LaneKind.FACES)
        self._use_stages()

    def use_text(self) -> None:
        """Read text in all photos or on request, by the settings as they are now."""
        self._broken.discard(LaneKind.TEXT)
        self._use_stages()
        self._catalog.text_lines.request(list(self.text.requested.photos))

    def drop(self, kind: LaneKind) -> bool:
        """Stop a lane that works for no photo; return whether it was in use before."""
        if kind in self._broken:
            return False
        self._broken.add(kind)
        self._use_stages()
        return True

    def renew_vision(self) -> None:
        """Describe photos by the settings as they are now; requests in progress are repeated."""
        self.vision.renew()
        self._use_stages()
        self._catalog.descriptions.request(list(self.vision.requested.photos))

    def _use_stages(self) -> None:
        """Use the stages that can run and are not switched off.

        While its networks cannot be loaded, text stays declared: the catalog must know that it was
        on, so that its work is canceled when it is switched off.
        """
        off = set(self._broken)
        if self._encoder.recipe is None:
            off.add(LaneKind.ENCODER)
        if not self._settings.faces.on:
            off.add(LaneKind.FACES)
        declared = [
            replace(stage, every=self._settings.text.automatic)
            if stage.lane is LaneKind.TEXT
            else stage
            for stage in describing.tuned(self.stages, self._settings)
            if stage.lane is LaneKind.TEXT or stage.lane not in off
        ]
        self._in_use = tuple(stage for stage in declared if stage.lane not in off)
        self._catalog.work.use_stages(declared)

    # --- which photos

    def request_descriptions(self, photos: Sequence[int]) -> None:
        """Request descriptions of photos, also of those described before; they go first."""
        self.vision.requested.add(photos)
        self._catalog.descriptions.request(photos)

    def request_text(self, photos: Sequence[int]) -> None:
        """Request the text in photos, also in those read before; they go first."""
        self.text.requested.add(photos)
        self.use_text()

    def retry(self, stage: str | None, ids: Sequence[int] | None) -> int:
        """Do failed work again, including descriptions if photos are described only on request.

        Returns:
            How many results will be made again.
        """
        if stage in (None, self.described_by) and not self._settings.vision.automatic:
            failed = self._catalog.work.failures(ids, later=True)
            described = [row.photo_id for row in failed if row.stage == self.described_by]
            self.vision.requested.add(described)
        return self._catalog.work.retry(stage, ids)

    def fill(self, paused: bool, only_reading: bool) -> None:
        """Start jobs in all lanes that have room.

        Args:
            paused: start only what a person asks for now.
            only_reading: start neither models nor the encoder, whose loading takes as long as
                reading the first screens of photos does.
        """
        now = Round(self.focus, paused)
        for stage in self._in_use:
            if only_reading and stage.lane not in _READING:
                continue
            lane = self.lanes[stage.lane]
            found, behind = lane.choose(self._catalog, stage, now)
            now = replace(now, behind=behind)
            if found:
                self._catalog.work.start(stage.name, [pending.photo_id for pending in found])
                for group in lane.groups(found):
                    lane.submit(stage.run, [self._job(stage, pending) for pending in group])
        asked = time.monotonic() - self._asked_at < _ASKED_S
        looks = asked and self.focus and not paused
        self._unread = frozenset(self._find_unread() if looks else ())

    def _find_unread(self) -> list[int]:
        """Return the photos on screen for whose header or pixels no job had room."""
        stages = [stage.name for stage in self._in_use if stage.lane in _READING]
        return self._catalog.work.waiting_among(stages, self.focus)

    def _job(self, stage: Stage, pending: Pending) -> StageJob:
        if stage.reads == "proxy":
            job = StageJob(
                pending.photo_id,
                pending.stage,
                str(proxy_path(self._cache, pending.proxy or "")),
                Kind.IMAGE,
                str(self._cache),
                fingerprint=pending.proxy_digest,
            )
        else:
            job = StageJob(
                pending.photo_id,
                pending.stage,
                pending.path,
                pending.kind,
                str(self._cache),
                pending.fallback,
                pending.fingerprint,
                self._settings.proxy.long_edge_px,
                self._settings.proxy.quality,
                self._settings.work.max_megapixels,
                sidecars=pending.sidecars,
            )
        if stage.reads == "both":
            proxy = str(proxy_path(self._cache, pending.proxy or ""))
            job = replace(job, proxy=proxy, fingerprint=pending.proxy_digest)
        return self.lanes[stage.lane].equip(job)

    # --- jobs in flight

    @property
    def is_calm(self) -> bool:
        """Whether no photo is being read or analyzed; descriptions and text may be under way."""
        return not any(lane.in_flight for kind, lane in self.lanes.items() if kind not in _LATE)

    def reads_for_screen(self) -> bool:
        """Whether a photo on screen is being read, or waits for its turn; thread: any.

        The answer about those that wait is looked up by the next :meth:`fill`.
        """
        self._asked_at = time.monotonic()
        unread = (self._unread, *(self.lanes[kind].in_flight for kind in _READING))
        return not all(photos.isdisjoint(self.focus) for photos in unread)

    def is_describing(self, paused: bool) -> bool:
        """Whether photos are being described, or will be without a new request."""
        lane = self.vision
        if lane.in_flight or (lane.due and not self._inline):
            return True
        held = lane.limits.held is not None or self._inline or paused or not self.described_by
        return not held and self._catalog.work.next_due(only=self.described_by) is not None

    def is_late_work_left(self, paused: bool) -> bool:
        """Whether photos are being described or their text read, or will be by themselves."""
        stages = [stage.name for stage in self._in_use if stage.lane is LaneKind.TEXT]
        reads_text = any(self.text.is_busy(self._catalog, stage, paused) for stage in stages)
        return reads_text or self.is_describing(paused)

    def next_due(self) -> float | None:
        """Return when the earliest postponed attempt to read or analyze a photo is due."""
        return self._catalog.work.next_due(excluding=self._late)

    def _is_free_for_text(self) -> bool:
        return not any(lane.in_flight for lane in self.lanes.values() if lane is not self.text)

    def in_flight(self) -> set[int]:
        """Return the ids of all photos in flight."""
        return {photo for lane in self.lanes.values() for photo in lane.in_flight}

    def landed(self, job: StageJob) -> None:
        """Note that the outcome of a job was saved."""
        stage = next(stage for stage in self.stages if stage.name == job.stage)
        self.lanes[stage.lane].landed(job.photo_id)

    def cancel_away(self) -> None:
        """Cancel jobs that read files on drives that are away: they may never end."""
        for kind in {stage.lane for stage in self.stages if stage.reads != "proxy"}:
            lane = self.lanes[kind]
            lane.cancel(self._catalog.volumes.away_among(lane.in_flight))

    def close(self) -> None:
        """Wait for the lanes; close the worker pools first, or this waits for the jobs."""
        for lane in self.lanes.values():
            lane.close()
