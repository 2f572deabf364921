"""Progress of background work: what was done since it was idle, how fast, and the time left.

The conductor counts here and publishes progress and the results of requested descriptions; the
status line and the command line show them.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from curator.catalog import Catalog
from curator.catalog.faces import FACES
from curator.catalog.text_lines import READ_TEXT
from curator.catalog.work import DESCRIBE
from curator.library.folder_lookup import waiting_for_drives
from curator.model import KnownError
from curator.pipeline.describing import VisionLane
from curator.pipeline.events import PipelineEvents, Progress, ScanReport, Totals
from curator.pipeline.text_lane import TextLane

log = logging.getLogger(__name__)

PUBLISH_S = 0.25  # progress is published this often
_PACE_S = 20.0  # the rate is that of so many seconds: it changes when RAWs follow JPEGs
_ENOUGH = 8  # photos done before a rate is shown


class WorkCounts:
    """Counts what was done since work was last idle, and how fast.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.described = self.texts = 0  # not reset when idle, because these continue
        self.reset()

    def reset(self) -> None:
        """Count from 0 again."""
        self.done = self.failed = self.measured = self.embedded = 0
        self._marks: deque[tuple[float, int]] = deque()
        self._begun: float | None = None

    def count(self, done: int, failed: int) -> None:
        """Add photos that are done, and photos that failed permanently."""
        self._begun = self._clock() if self._begun is None else self._begun
        self.done += done
        self.failed += failed
        self._marks.append((self._clock(), done + failed))

    def hold(self) -> None:
        """Forget the rate, not the counts: a pause must not count as slow work."""
        self._marks.clear()
        self._begun = None

    def totals(self, scans: Sequence[ScanReport], arrived: int) -> Totals:
        """Return what was done; ``arrived`` are photos found by watching folders."""
        found = sum(scan.found for scan in scans) + arrived
        new = sum(scan.new for scan in scans) + arrived
        return Totals(
            found,
            new,
            found - new,
            self.done,
            self.failed,
            self.measured,
            self.embedded,
            scans=tuple(scans),
        )

    def progress(self, waiting: int, scanning: bool, paused: bool, analyzing: int = 0) -> Progress:
        """Return the progress with ``waiting`` photos left to read."""
        rate = self._rate()
        left = waiting / rate if rate and not scanning and not paused else None
        finished = self.done + self.failed
        return Progress(
            finished + waiting,
            self.done,
            self.failed,
            waiting,
            rate,
            left,
            scanning,
            paused,
            analyzing,
        )

    def _rate(self) -> float:
        now = self._clock()
        while self._marks and now - self._marks[0][0] > _PACE_S:
            self._begun = self._marks.popleft()[0]
        photos = sum(number for _, number in self._marks)
        if photos < _ENOUGH or self._begun is None or now <= self._begun:
            return 0.0
        return photos / (now - self._begun)


class ProgressReporter:
    """Publishes progress, a few times a second at most, and results of requested descriptions.

    Args:
        counts: what was done.
        events: where progress is published.
    """

    def __init__(self, counts: WorkCounts, events: PipelineEvents) -> None:
        self._counts, self._events = counts, events
        self._last: Progress | None = None
        self._published_at = self._count_at = 0.0
        self._counted = 0  # photos finished and unfinished at the last count
        # Photos that wait for faces, encoder, vision model and text.
        self._measuring = self._analyzing = self._describing = self._texts = 0
        self._away = ""
        self._held: KnownError | None = None  # why photos are not described, as last reported

    def hurry(self) -> None:
        """Report without delay at the next :meth:`publish`."""
        self._published_at = 0.0

    def recount(self) -> None:
        """Count again what waits at the next :meth:`publish`."""
        self._count_at = 0.0

    def publish(self, catalog: Catalog, scanning: bool, paused: bool, held: str) -> None:
        """Publish progress if it is time and anything changed.

        Args:
            catalog: counts what waits.
            scanning: a scan that a person requested is under way.
            paused: no new jobs are started.
            held: why no photo is described now, or empty.
        """
        now = time.monotonic()
        if now < self._published_at + PUBLISH_S:
            return
        self._published_at = now
        with contextlib.suppress(KnownError):
            waiting = self._waiting(catalog, now)
            progress = replace(
                self._counts.progress(waiting, scanning, paused, self._analyzing),
                measuring=self._measuring,
                texts=self._texts,
                describing=self._describing,
                held=held,
                away=self._away,
            )
            if progress != self._last:
                self._last = progress
                self._events.progressed.emit(progress)

    def report_requests(self, vision: VisionLane, text: TextLane) -> None:
        """Report what became of requested photos, and what keeps others from being described."""
        for news in vision.requested.take_news():
            self._events.description_ended.emit(news)
        for news in text.requested.take_news():
            self._events.text_ended.emit(news)
        if str(vision.limits.held or "") != str(self._held or ""):
            self._held = vision.limits.held
            self.hurry()
            if self._held is not None:
                log.info("describing waits: %s", self._held)
            self._events.describing_held.emit(self._held)

    def _waiting(self, catalog: Catalog, now: float) -> int:
        """Return how many photos are left to read; counting takes 2 % of the time at most."""
        finished = self._counts.done + self._counts.failed
        if now >= self._count_at:
            self._counted = catalog.work.unfinished() + finished
            self._measuring = catalog.work.count_unfinished(FACES)
            self._analyzing = catalog.work.unfinished("proxy")
            self._describing = catalog.work.count_unfinished(DESCRIBE)
            self._texts = catalog.work.count_unfinished(READ_TEXT)
            self._away = waiting_for_drives(catalog)
            self._count_at = now + 50 * (time.monotonic() - now)
        return max(self._counted - finished, 0)
