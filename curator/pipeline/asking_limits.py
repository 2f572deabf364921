"""When the vision model may be asked about photos that nobody requested.

Its server may be away, busy, or limited to a number of photos per minute, and the computer may run
on battery. `describing` asks; photos that a person requested are asked about at any time.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

from curator import vision
from curator.model import KnownError
from curator.settings import Settings
from curator.vision import Health, VisionError, VisionOptions

log = logging.getLogger(__name__)

CHECK_S = 10.0  # how often a server that is away is checked
_BUSY_S, _BUSY_MOST_S = 4.0, 64.0  # the first wait for a busy server, and the longest
_PATIENCE_S = 300.0  # a server that is busy for longer, or names a longer wait, counts as away
_POWER_S = 10.0  # how often the battery is checked

ON_BATTERY = KnownError("Photos are not described on battery.", "Plug the computer in.")


def on_battery() -> bool:
    """Whether this computer runs on battery; False if that is unknown."""
    import psutil

    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, psutil.Error):  # no such call here, or no such file
        return False
    return battery is not None and battery.power_plugged is False


class AskingLimits:
    """Decides how many photos may be started now.

    A server that is away is checked until it answers. A busy one is asked again after a wait that
    doubles, or after the wait it names, whichever is longer.

    Attributes:
        held: why only requested photos are described; None while nothing is wrong.

    Thread: the conductor's.
    """

    def __init__(
        self,
        settings: Settings,
        run: Callable[[Callable[[], object]], object] | None,
        wake: Callable[[], None],
    ) -> None:
        """Set the limits.

        Args:
            settings: read at each call, so that changes count at once.
            run: runs a check of the server on another thread; without it, none is checked.
            wake: wakes the conductor after a check; called on that thread.
        """
        self._settings, self._run, self._wake = settings, run, wake
        self._begun: deque[float] = deque()  # when photos were started, in the last minute
        self._power_at, self._battery = 0.0, False
        self._checking = False
        self._health: Health | None = None
        self.renew(lambda: False)

    def renew(self, cancelled: Callable[[], bool]) -> None:
        """Forget what was learned about the server; ``cancelled`` ends a check of this one."""
        self._cancelled = cancelled
        self._not_before = self._busy_since = self._check_at = 0.0
        self._busy = 0  # refusals in a row
        self._busy_with: VisionError | None = None
        self.held: KnownError | None = None

    # --- which photos may start

    def is_held(self) -> bool:
        """Whether only requested photos may be started; checks power and server first."""
        self._check_power()
        if self._battery and self.held is None:
            self.held = ON_BATTERY
        elif not self._battery and self.held is ON_BATTERY:
            self.held = None
        self._take_health()
        if self.held not in (None, ON_BATTERY) and time.monotonic() >= self._check_at:
            self._begin_check()
        return self.held is not None

    def allowed(self) -> int:
        """Return how many photos the rate limit and a busy server's wait allow to start now."""
        now, rate = time.monotonic(), self._settings.vision.per_minute
        if now < self._not_before:
            return 0
        while self._begun and now - self._begun[0] >= 60:
            self._begun.popleft()
        return rate - len(self._begun) if rate else self._settings.vision.concurrency

    def wait_s(self) -> float:
        """Return for how long :meth:`allowed` stays 0, in s."""
        now = time.monotonic()
        rated = self._begun[0] + 60 if self._begun else now
        return (self._not_before if now < self._not_before else rated) - now

    @property
    def reason(self) -> str:
        """Why only requested photos are described now, and until when; empty if all are."""
        if self.held is not None:
            return str(self.held)
        left = self._not_before - time.monotonic()
        if self._busy_with is None or left <= 0:
            return ""
        again = time.strftime("%H:%M:%S", time.localtime(time.time() + left))
        return f"{self._busy_with.args[0]} Next try at {again}."

    # --- what happened

    def note_started(self, photos: int) -> None:
        """Count photos that were started just now, requested ones included."""
        self._begun.extend([time.monotonic()] * photos)

    def note_answer(self) -> None:
        """Note that the server answers and is not busy."""
        self._busy, self._not_before, self._busy_with = 0, 0.0, None
        self.held = None

    def hold(self, error: KnownError) -> None:
        """Start only requested photos until the server answers a check."""
        self.held, self._check_at = error, time.monotonic() + CHECK_S

    def back_off(self, error: VisionError) -> float:
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
            self.held, self._check_at = error, now + wait
        return wait

    # --- checks

    def _check_power(self) -> None:
        now = time.monotonic()
        if now >= self._power_at:
            self._power_at = now + _POWER_S
            self._battery = on_battery() and not self._settings.vision.on_battery

    def _begin_check(self) -> None:
        if self._checking or self._run is None:
            return
        self._checking = True
        options, cancelled = vision.options(self._settings), self._cancelled
        self._run(lambda: self._check(options, cancelled))

    def _check(self, options: VisionOptions, cancelled: Callable[[], bool]) -> None:
        """Check whether the server answers again; on another thread."""
        try:
            health = vision.check(options, None, cancelled)
            self._health = None if cancelled() else health
        except vision.Cancelled:
            pass
        except Exception:
            log.exception("checking the vision model failed")
        finally:
            self._checking = False
            self._wake()

    def _take_health(self) -> None:
        health, self._health = self._health, None
        if health is None:
            return
        self._check_at = time.monotonic() + CHECK_S
        if health.ok:  # it may be as busy as before: only an answer shortens the next wait
            self.held = None
        elif self.held is not None:
            self.held = VisionError(health.sentence, health.remedy, stops_all=True)
            self.held.pull = health.pull
