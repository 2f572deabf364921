"""The lane that asks the vision model: threads that wait for a server, and what its refusals mean.

Attempts at one photo are counted in the catalog, as for every stage. What concerns all photos is
here: a server that is not running stops the lane with one sentence, and it goes on by itself once
the server answers; one that is busy is asked again after a wait that doubles, or after the wait it
names, whichever is longer.
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

import psutil

from curator import vision
from curator.catalog import Catalog, Pending
from curator.model import INTERNAL_ERROR, Described, KnownError, StageJob
from curator.pipeline.lanes import Lane, Outcome
from curator.pipeline.progress import Told
from curator.settings import Settings, resource
from curator.stages import Stage
from curator.stages.describe import Asking
from curator.vision import VisionError

log = logging.getLogger(__name__)

LANE = "vision"
DESCRIBE = "describe"
LOOK_S = 10.0  # how often a server that stopped the lane is looked at
_BUSY_S, _BUSY_MOST_S = 4.0, 64.0  # the least wait for a busy server; it doubles up to the second
_PATIENCE_S = 300.0  # one that wants more, or has been busy for longer, has stopped the lane
_LOOKED_AT = 100  # photos somebody waits for, at a time
_POWER_S = 10.0  # how often the battery is looked at

NO_PICTURE = "There is no picture of it to look at."
ON_BATTERY = KnownError("Photos are not described on battery.", "Plug the computer in.")


def tuned(stages: Sequence[Stage], settings: Settings) -> tuple[Stage, ...]:
    """Say of the stage that describes whether it is for all photos, and by which words."""
    every, variant = settings.vision.automatic, prompt_key()
    return tuple(
        replace(stage, every=every, variant=variant) if stage.lane == LANE else stage
        for stage in stages
    )


def prompt_key() -> str:
    """Name the words a vision model is asked with: other words, another key."""
    words = resource("prompts/describe.txt").read_bytes()
    return f" {hashlib.sha256(words).hexdigest()[:12]}"


def asking(settings: Settings, cancelled: Callable[[], bool] = lambda: False) -> Asking:
    """Put the settings in the words of `curator.stages.describe`."""
    return Asking(vision.options(settings), cancelled, prompt_key())


def on_battery() -> bool:
    """Say whether this computer runs on battery; one that cannot tell does not."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, psutil.Error):  # no such call here, or no such file
        return False
    return battery is not None and battery.power_plugged is False


class VisionLane(Lane):
    """Asks about as many photos at a time as the settings say, and one more for who presses D.

    Attributes:
        held: why no photo is begun by itself; None while all is well.
        due: photos wait that time alone keeps from being begun: a rate, or a busy server.
        asked: photos somebody waits for, in order, the latest first; nothing holds these.
        asking: whom to ask, by the settings as they are now.

    Thread: as Lane.
    """

    def __init__(
        self,
        inline: bool,
        settings: Settings,
        deliver: Callable[[Outcome], None],
        wake: Callable[[], None],
    ) -> None:
        """Make it; ``inline`` asks on the calling thread, ``wake`` has the conductor look again."""
        self._settings, self._wake = settings, wake
        threads = 0 if inline else settings.vision.concurrency + 1
        super().__init__(threads, 0, None, settings.work, deliver)
        self.held: KnownError | None = None
        self.due = False
        self.asked: dict[int, None] = {}
        self._news: list[Told] = []
        self._idle = True  # nobody of those waited for could be begun
        self._begun: deque[float] = deque()  # when photos were, in the last minute
        self._power_at, self._battery = 0.0, False
        self._stop = threading.Event()
        self._busy_with: VisionError | None = None
        self._health: vision.Health | None = None
        self._looking = False
        self.renew()

    # --- which photos next

    def renew(self) -> None:
        """Ask by the settings as they are now; what is under way is given up and put back."""
        self._stop.set()
        self._stop = threading.Event()
        self.asking = asking(self._settings, self._stop.is_set)
        self._not_before = self._busy_since = self._look_at = 0.0
        self._busy, self._busy_with = 0, None
        self.held = None
        if self._threads is not None:
            self._threads.setMaxThreadCount(self._settings.vision.concurrency + 1)

    def ask(self, photos: Sequence[int]) -> None:
        """Have photos go before all others, whatever holds those."""
        self.asked = dict.fromkeys([*photos, *self.asked])

    def choose(self, catalog: Catalog, alone: bool, first: Sequence[int]) -> list[Pending]:
        """Say which photos are begun now.

        Args:
            catalog: has those that wait.
            alone: only those somebody waits for: the stages before this one are behind.
            first: ids of photos on screen.
        """
        most = self._settings.vision.concurrency
        found = self._asked_for(catalog, most + 1 - len(self.in_flight))
        self._idle = not found
        self.due = False
        if alone:
            return found
        room = most - len(self.in_flight) - len(found)
        waiting = catalog.work.pending(DESCRIBE, max(room, 1) + len(found), first)
        waiting = [pending for pending in waiting if pending not in found]
        if waiting and not self._is_held():
            may = min(room, self._allowed())
            self.due = may <= 0 < room
            found += waiting[: max(may, 0)]
        return found

    def _asked_for(self, catalog: Catalog, most: int) -> list[Pending]:
        """Give photos somebody waits for, of a whole shoot no more than are needed."""
        found: list[Pending] = []
        if most > 0:
            asked = list(self.asked)
            for start in range(0, len(asked), _LOOKED_AT):
                some = asked[start : start + _LOOKED_AT]
                ready = catalog.work.pending(DESCRIBE, most - len(found), some)
                found += [pending for pending in ready if pending.photo_id in some]
                if len(found) >= most:
                    break
        return found

    def _allowed(self) -> int:
        """Count the photos that may be begun now without asking too much of the server."""
        now, rate = time.monotonic(), self._settings.vision.per_minute
        if now < self._not_before:
            return 0
        while self._begun and now - self._begun[0] >= 60:
            self._begun.popleft()
        return rate - len(self._begun) if rate else self._settings.vision.concurrency

    def wait_s(self) -> float:
        """Say how long nothing can be begun, in s, where photos are due."""
        now = time.monotonic()
        rated = self._begun[0] + 60 if self._begun else now
        return (self._not_before if now < self._not_before else rated) - now

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Put photos in flight."""
        self._begun.extend(time.monotonic() for _ in jobs)
        super().submit(run, jobs)

    def _run(self, run: Callable[..., object], job: StageJob) -> object:
        return run(job)

    def close(self) -> None:
        """Give up what is under way, and wait for the threads."""
        self._stop.set()
        super().close()

    # --- what came of them

    def let_go(self, catalog: Catalog) -> None:
        """Say of photos that cannot be described that they cannot; all that can be read was."""
        if self.asked and self._idle and not self.in_flight:
            for photo in catalog.descriptions.not_pending(list(self.asked)):
                self._tell(photo, NO_PICTURE, True)

    def kept(self, told: Described) -> Described:
        """Leave out tags the settings do not want suggested."""
        return replace(told, tags=tuple(self._settings.tags.select(told.tags)))

    def answered(self, photo_ids: Sequence[int]) -> None:
        """Take note that photos were described: the server is there, and not too busy."""
        self._busy, self._not_before, self._busy_with = 0, 0.0, None
        self.held = None
        for photo in photo_ids:
            self._tell(photo, "", True)

    def refused(self, catalog: Catalog, job: StageJob, error: VisionError) -> None:
        """Save why a photo was not described, and what that means for it and for all others."""
        reason, final = str(error), True
        if error.stops_all:
            self._hold(error, LOOK_S)
            if self._settings.vision.automatic:
                catalog.work.put_back(job.stage, [job.photo_id])
            else:  # somebody asked for it, here or by `curator retry`
                catalog.work.save_failure(job, reason, retry=False)
        else:
            wait_s = None if error.uses_attempt else self._is_busy(error)
            final = self._failed(catalog, job, reason, error.retry, wait_s)
        note("%s was not described: %s", job.path, reason)
        self._tell(job.photo_id, reason, final)

    def failed(self, catalog: Catalog, job: StageJob, error: Exception) -> None:
        """Save that a photo was not described for another reason than the server's."""
        reason = str(error) if isinstance(error, KnownError) else INTERNAL_ERROR
        if isinstance(error, KnownError):
            note("%s was not described: %s", job.path, reason)
        else:
            note("describing %s failed", job.path, level=logging.ERROR, error=error)
        self._failed(catalog, job, reason, False)
        self._tell(job.photo_id, reason, True)

    def _failed(
        self,
        catalog: Catalog,
        job: StageJob,
        reason: str,
        retry: bool,
        wait_s: float | None = None,
    ) -> bool:
        """Count an attempt at a photo that failed; return whether it was the last."""
        limits = self._settings.vision
        return catalog.work.save_failure(
            job,
            reason,
            retry=retry,
            attempts=limits.attempts,
            backoff_s=limits.backoff_s,
            wait_s=wait_s,
        )

    def news(self) -> list[Told]:
        """Give what came of photos somebody waited for, once."""
        news, self._news = self._news, []
        return news

    def _tell(self, photo: int, reason: str, final: bool) -> None:
        if photo in self.asked:
            self._news.append(Told(photo, reason, not final))
            if final:
                del self.asked[photo]

    # --- a server that is away or busy

    def _is_busy(self, error: VisionError) -> float:
        """Leave a busy server alone; return for how long, in s.

        It may name a shorter wait than ours and be busy again each time: one that says "1 s" was
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
        """Why no photo is begun by itself now, and until when, in one sentence; or empty."""
        if self.held is not None:
            return str(self.held)
        left = self._not_before - time.monotonic()
        if self._busy_with is None or left <= 0:
            return ""
        again = time.strftime("%H:%M:%S", time.localtime(time.time() + left))
        return f"{self._busy_with.args[0]} Next try at {again}."

    def _hold(self, error: KnownError, look_in_s: float) -> None:
        self.held, self._look_at = error, time.monotonic() + look_in_s

    def _is_held(self) -> bool:
        """Say whether something keeps photos from being begun; look whether it still does."""
        self._look_at_power()
        if self._battery and self.held is None:
            self.held = ON_BATTERY
        elif not self._battery and self.held is ON_BATTERY:
            self.held = None
        self._take_health()
        if self.held not in (None, ON_BATTERY) and time.monotonic() >= self._look_at:
            self._begin_looking()
        return self.held is not None

    def _begin_looking(self) -> None:
        if not self._looking and self._threads is not None:
            self._looking = True
            options, stop = self.asking.options, self._stop
            self._threads.start(lambda: self._look(options, stop))

    def _look_at_power(self) -> None:
        now = time.monotonic()
        if now >= self._power_at:
            self._power_at = now + _POWER_S
            self._battery = on_battery() and not self._settings.vision.on_battery

    def _look(self, options: vision.VisionOptions, stop: threading.Event) -> None:
        """See whether the server answers again; on a thread of the lane."""
        health = None
        with contextlib.suppress(vision.Cancelled):
            try:
                health = vision.check(options, None, stop.is_set)
            except Exception as error:
                note("looking at the vision model failed", level=logging.ERROR, error=error)
        self._health = health if not stop.is_set() else None
        self._looking = False
        self._wake()

    def _take_health(self) -> None:
        health, self._health = self._health, None
        if health is None:
            return
        self._look_at = time.monotonic() + LOOK_S
        if health.ok:  # it may be as busy as before: only an answer shortens the next wait
            self.held = None
        elif self.held is not None:
            self.held = VisionError(health.sentence, health.remedy, stops_all=True)
            self.held.pull = health.pull


def note(
    text: str, *about: object, level: int = logging.INFO, error: Exception | None = None
) -> None:
    """Write a line into the log; a log that cannot be written takes nothing down with it."""
    with contextlib.suppress(Exception):
        log.log(level, text, *about, exc_info=error)
