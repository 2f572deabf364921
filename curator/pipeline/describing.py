"""The lane that asks the vision model: threads that wait for a server, and what its errors mean.

The catalog counts the attempts for each photo, as for every stage; the lane handles errors that
concern all photos. When the server may be asked is decided by `asking_limits`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from curator import vision
from curator.catalog import Catalog, Pending
from curator.catalog.work import DESCRIBE
from curator.home import resource
from curator.model import INTERNAL_ERROR, Described, KnownError, StageJob
from curator.pipeline.asking_limits import AskingLimits
from curator.pipeline.lanes import FailureEffect, Lane, Outcome, Requests, Round
from curator.settings import Settings
from curator.stages import LaneKind, Stage
from curator.stages.describe import Asking
from curator.vision import VisionError

log = logging.getLogger(__name__)

_CHUNK = 100  # requested photos looked up at a time

NO_PICTURE = "It has no picture to describe."


def tuned(stages: Sequence[Stage], settings: Settings) -> tuple[Stage, ...]:
    """Return the stages, those of the vision model with its settings and prompt."""
    every, variant = settings.vision.automatic, prompt_key()
    return tuple(
        replace(stage, every=every, variant=variant) if stage.lane is LaneKind.VISION else stage
        for stage in stages
    )


def prompt_key() -> str:
    """Return a key of the prompt for the vision model, which changes with the prompt."""
    words = resource("prompts/describe.txt").read_bytes()
    return f" {hashlib.sha256(words).hexdigest()[:12]}"


def asking(settings: Settings, cancelled: Callable[[], bool] = lambda: False) -> Asking:
    """Return what `curator.stages.describe` needs to know, by the settings as they are now."""
    return Asking(vision.options(settings), cancelled, prompt_key())


class VisionLane(Lane):
    """Asks about several photos at a time, as set, and one more for a person who presses D.

    Attributes:
        limits: when the server may be asked about photos that nobody requested.
        due: whether photos wait for time to pass: for a rate limit, or a busy server.
        requested: the photos that a person asked for; they are described even while all others
            are held.
        asking: which server and model to ask, by the settings at the last :meth:`renew`.

    Thread: as Lane.
    """

    def __init__(
        self,
        inline: bool,
        settings: Settings,
        deliver: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> None:
        """Make a lane; ``inline`` asks on the calling thread, ``wake`` wakes the conductor."""
        self._settings = settings
        threads = 0 if inline else settings.vision.concurrency + 1
        super().__init__(threads, 0, None, settings.work, deliver)
        start = self._threads.start if self._threads is not None else None
        self.limits = AskingLimits(settings, start, wake)
        self.due = False
        self.requested = Requests()
        self._idle = True  # no requested photo was ready
        self._stop = threading.Event()
        self.renew()

    # --- which photos next

    def renew(self) -> None:
        """Ask by the settings as they are now; requests in progress are canceled and put back."""
        self._stop.set()
        self._stop = threading.Event()
        self.asking = asking(self._settings, self._stop.is_set)
        self.limits.renew(self._stop.is_set)
        if self._threads is not None:
            self._threads.setMaxThreadCount(self._settings.vision.concurrency + 1)

    def choose(self, catalog: Catalog, stage: Stage, now: Round) -> tuple[list[Pending], bool]:
        """Choose the photos to start: requested ones first, others if no earlier stage has work."""
        most = self._settings.vision.concurrency
        found = self._find_requested(catalog, stage.name, most + 1 - len(self.in_flight))
        self._idle = not found
        self.due = False
        if now.behind or now.paused:
            return found, now.behind
        room = most - len(self.in_flight) - len(found)
        waiting = catalog.work.pending(stage.name, max(room, 1) + len(found), now.focus)
        waiting = [pending for pending in waiting if pending not in found]
        if waiting and not self.limits.is_held():
            may = min(room, self.limits.allowed())
            self.due = may <= 0 < room
            found += waiting[: max(may, 0)]
        return found, now.behind

    def _find_requested(self, catalog: Catalog, stage: str, most: int) -> list[Pending]:
        """Return at most ``most`` requested photos that are ready."""
        found: list[Pending] = []
        if most > 0:
            asked = list(self.requested.photos)
            for start in range(0, len(asked), _CHUNK):
                some = asked[start : start + _CHUNK]
                ready = catalog.work.pending(stage, most - len(found), some)
                found += [pending for pending in ready if pending.photo_id in some]
                if len(found) >= most:
                    break
        return found

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Start photos, and count them."""
        self.limits.note_started(len(jobs))
        super().submit(run, jobs)

    def equip(self, job: StageJob) -> StageJob:
        """Add the server and model to a job."""
        return replace(job, asking=self.asking)

    def _run(self, run: Callable[..., object], job: StageJob) -> object:
        result = run(job)
        if isinstance(result, Described):  # without the tags the settings do not want
            return replace(result, tags=tuple(self._settings.tags.select(result.tags)))
        return result

    def close(self) -> None:
        """Cancel requests in progress, and wait for the threads."""
        self._stop.set()
        super().close()

    # --- outcomes

    def report_unreadable(self, catalog: Catalog) -> None:
        """Report requested photos that have no proxy; call it once every photo has been read."""
        if self.requested.photos and self._idle and not self.in_flight:
            for photo in catalog.work.not_pending(DESCRIBE, list(self.requested.photos)):
                self.requested.report(photo, NO_PICTURE)

    def succeeded(self, photos: Sequence[int]) -> None:
        """Note that photos were described: the server answers and is not busy."""
        self.limits.note_answer()
        for photo in photos:
            self.requested.report(photo)

    def handle_failure(
        self, catalog: Catalog, job: StageJob, error: Exception
    ) -> FailureEffect | None:
        """Save why a photo was not described; stop the lane if the server is away or busy."""
        if isinstance(error, VisionError):
            self._refused(catalog, job, error)
        else:
            if not isinstance(error, KnownError):
                log.error("describing %s failed", job.path, exc_info=error)
                error = KnownError(INTERNAL_ERROR)
            self.fail(catalog, job, error)
        return FailureEffect((job.photo_id,))

    def _refused(self, catalog: Catalog, job: StageJob, error: VisionError) -> None:
        reason, final = str(error), True
        if error.stops_all:
            self.limits.hold(error)
            if self._settings.vision.automatic:
                catalog.work.put_back(job.stage, [job.photo_id])
            else:  # a person requested it, in the window or by `curator retry`
                catalog.work.save_failure(job, reason, retry=False)
        else:
            wait_s = None if error.uses_attempt else self.limits.back_off(error)
            final = self._failed(catalog, job, reason, error.retry, wait_s)
        log.info("%s was not described: %s", job.path, reason)
        self.requested.report(job.photo_id, reason, final)

    def fail(self, catalog: Catalog, job: StageJob, error: KnownError) -> bool:
        """Save that a photo was not described, for a reason other than the server."""
        log.info("%s was not described: %s", job.path, error)
        self._failed(catalog, job, str(error), False)
        self.requested.report(job.photo_id, str(error))
        return True

    def _failed(
        self,
        catalog: Catalog,
        job: StageJob,
        reason: str,
        retry: bool,
        wait_s: float | None = None,
    ) -> bool:
        """Count a failed attempt at a photo; return whether it was the last."""
        limits = self._settings.vision
        return catalog.work.save_failure(
            job,
            reason,
            retry=retry,
            attempts=limits.attempts,
            backoff_s=limits.backoff_s,
            wait_s=wait_s,
        )
