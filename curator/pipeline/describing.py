"""The lane that asks the vision model: threads that wait for a server, and what its errors mean.

The catalog counts the attempts for each photo, as for every stage; the lane handles errors that
concern all photos. A server that is not running stops the lane, which continues by itself once the
server answers. A busy server is asked again after a wait that doubles, or after the wait it names,
whichever is longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from curator import vision
from curator.catalog import Catalog, Pending
from curator.catalog.work import DESCRIBE
from curator.home import resource
from curator.model import INTERNAL_ERROR, Described, KnownError, StageJob
from curator.pipeline.lanes import FailureEffect, Lane, Outcome, Requests, Round
from curator.settings import Settings
from curator.stages import LaneKind, Stage
from curator.stages.describe import Asking
from curator.vision import VisionError

log = logging.getLogger(__name__)

LOOK_S = 10.0  # how often a server that stopped the lane is checked
_BUSY_S, _BUSY_MOST_S = 4.0, 64.0  # the first wait for a busy server, and the longest
_PATIENCE_S = 300.0  # a server that is busy for longer, or names a longer wait, stops the lane
_CHUNK = 100  # requested photos looked up at a time
_POWER_S = 10.0  # how often the battery is checked

NO_PICTURE = "It has no picture to describe."
ON_BATTERY = KnownError("Photos are not described on battery.", "Plug the computer in.")


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


def on_battery() -> bool:
    """Whether this computer runs on battery; False if that is unknown."""
    import psutil

    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, psutil.Error):  # no such call here, or no such file
        return False
    return battery is not None and battery.power_plugged is False


class VisionLane(Lane):
    """Asks about several photos at a time, as set, and one more for a person who presses D.

    Attributes:
        held: why only requested photos are described; None while nothing is wrong.
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
        self._settings, self._wake = settings, wake
        threads = 0 if inline else settings.vision.concurrency + 1
        super().__init__(threads, 0, None, settings.work, deliver)
        self.held: KnownError | None = None
        self.due = False
        self.requested = Requests()
        self._idle = True  # no requested photo was ready
        self._begun: deque[float] = deque()  # when photos were started, in the last minute
        self._power_at, self._battery = 0.0, False
        self._stop = threading.Event()
        self._busy_with: VisionError | None = None
        self._health: vision.Health | None = None
        self._checking = False
        self.renew()

    # --- which photos next

    def renew(self) -> None:
        """Ask by the settings as they are now; requests in progress are canceled and put back."""
        self._stop.set()
        self._stop = threading.Event()
        self.asking = asking(self._settings, self._stop.is_set)
        self._not_before = self._busy_since = self._check_at = 0.0
        self._busy, self._busy_with = 0, None
        self.held = None
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
        if waiting and not self._is_held():
            may = min(room, self._allowed())
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

    def _allowed(self) -> int:
        """Return how many photos the rate limit and a busy server's wait allow to start now."""
        now, rate = time.monotonic(), self._settings.vision.per_minute
        if now < self._not_before:
            return 0
        while self._begun and now - self._begun[0] >= 60:
            self._begun.popleft()
        return rate - len(self._begun) if rate else self._settings.vision.concurrency

    def wait_s(self) -> float:
        """Return for how long no photo can be started, in s, where photos are due."""
        now = time.monotonic()
        rated = self._begun[0] + 60 if self._begun else now
        return (self._not_before if now < self._not_before else rated) - now

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Start photos, and note when."""
        self._begun.extend(time.monotonic() for _ in jobs)
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
        self._busy, self._not_before, self._busy_with = 0, 0.0, None
        self.held = None
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
                _log("describing %s failed", job.path, level=logging.ERROR, error=error)
                error = KnownError(INTERNAL_ERROR)
            self.fail(catalog, job, error)
        return FailureEffect((job.photo_id,))

    def _refused(self, catalog: Catalog, job: StageJob, error: VisionError) -> None:
        reason, final = str(error), True
        if error.stops_all:
            self._hold(error, LOOK_S)
            if self._settings.vision.automatic:
                catalog.work.put_back(job.stage, [job.photo_id])
            else:  # a person requested it, in the window or by `curator retry`
                catalog.work.save_failure(job, reason, retry=False)
        else:
            wait_s = None if error.uses_attempt else self._back_off(error)
            final = self._failed(catalog, job, reason, error.retry, wait_s)
        _log("%s was not described: %s", job.path, reason)
        self.requested.report(job.photo_id, reason, final)

    def fail(self, catalog: Catalog, job: StageJob, error: KnownError) -> bool:
        """Save that a photo was not described, for a reason other than the server."""
        _log("%s was not described: %s", job.path, error)
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

    # --- a server that is away or busy

    def _back_off(self, error: VisionError) -> float:
        """Leave a busy server alone for a while, longer each time; return how long, in s.

        The wait that the server names does not replace ours: a server that named 1 s each time was
        asked 256 times in five minutes.
        """
        now = time.monotonic()
        self._busy_since = now if not self._busy else self._busy_since
        own = min(_BUSY_S * 2.0 ** min(self._busy, 10), _BUSY_MOST_S)
        wait = max(own, error.after_s or 0.0)
        self._busy += 1
        if now + wait > self._not_before:
            self._not_before, self._busy_with = now + wait, error
        if self._not_before - self._busy_since > _PATIENCE_S:
            self._hold(error, wait)
        return wait

    @property
    def waits(self) -> str:
        """Why only requested photos are described now, and until when; empty if all are."""
        if self.held is not None:
            return str(self.held)
        left = self._not_before - time.monotonic()
        if self._busy_with is None or left <= 0:
            return ""
        again = time.strftime("%H:%M:%S", time.localtime(time.time() + left))
        return f"{self._busy_with.args[0]} Next try at {again}."

    def _hold(self, error: KnownError, check_in_s: float) -> None:
        self.held, self._check_at = error, time.monotonic() + check_in_s

    def _is_held(self) -> bool:
        """Whether only requested photos may be described; checks power and server first."""
        self._check_power()
        if self._battery and self.held is None:
            self.held = ON_BATTERY
        elif not self._battery and self.held is ON_BATTERY:
            self.held = None
        self._take_health()
        if self.held not in (None, ON_BATTERY) and time.monotonic() >= self._check_at:
            self._begin_check()
        return self.held is not None

    def _begin_check(self) -> None:
        if not self._checking and self._threads is not None:
            self._checking = True
            options, stop = self.asking.options, self._stop
            self._threads.start(lambda: self._check(options, stop))

    def _check_power(self) -> None:
        now = time.monotonic()
        if now >= self._power_at:
            self._power_at = now + _POWER_S
            self._battery = on_battery() and not self._settings.vision.on_battery

    def _check(self, options: vision.VisionOptions, stop: threading.Event) -> None:
        """Check whether the server answers again; on a thread of the lane."""
        health = None
        try:
            health = vision.check(options, None, stop.is_set)
        except vision.Cancelled:
            pass
        except Exception as error:
            _log("checking the vision model failed", level=logging.ERROR, error=error)
        self._health = health if not stop.is_set() else None
        self._checking = False
        self._wake()

    def _take_health(self) -> None:
        health, self._health = self._health, None
        if health is None:
            return
        self._check_at = time.monotonic() + LOOK_S
        if health.ok:  # it may be as busy as before: only an answer shortens the next wait
            self.held = None
        elif self.held is not None:
            self.held = VisionError(health.sentence, health.remedy, stops_all=True)
            self.held.pull = health.pull


def _log(
    text: str, *about: object, level: int = logging.INFO, error: Exception | None = None
) -> None:
    """Write a line to the log; a log that cannot be written must stop nothing."""
    with contextlib.suppress(Exception):
        log.log(level, text, *about, exc_info=error)
