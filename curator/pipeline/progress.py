"""How background work is going: counts of this stretch of work, its pace, and the time left."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from curator.catalog import Catalog
from curator.library.folder_lookup import waiting_for_drives
from curator.model import KnownError
from curator.pipeline.folder_availability import News

TELL_S = 0.25  # progress is told this often
_PACE_S = 20.0  # the pace is that of the last seconds: RAWs after JPEGs change it
_ENOUGH = 8  # photos done before a pace is worth telling


@dataclass(frozen=True, slots=True)
class Progress:
    """Background work since it was last idle; ``found`` = ``done`` + ``failed`` + ``waiting``.

    ``left_s`` is None while nobody can tell: at first, during a scan, and paused. ``comparing``
    photos can be looked at already and wait for the encoder only; ``describing`` wait for the
    vision model, and ``held`` says why none is asked about now. ``away`` says what waits for
    drives that are not here; it is in none of the counts.
    """

    found: int = 0
    done: int = 0
    failed: int = 0
    waiting: int = 0
    rate_per_s: float = 0.0
    left_s: float | None = None
    scanning: bool = False
    paused: bool = False
    comparing: int = 0
    describing: int = 0
    held: str = ""
    away: str = ""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What a scan found: photos (a pair is one), and what was left alone.

    ``sentence`` says it: "3,012 photos (2,980 pairs); 12 videos and 4 other files skipped".
    ``problems`` are folders that could not be read, a sentence each. ``watched``: nobody asked for
    it, something changed; the sentence is "12 new in Iceland", or empty. ``again``: the scan was
    told of before, when not all headers were read; now it is known what was rated elsewhere, and
    which are copies.
    """

    found: int
    new: int
    known: int
    pairs: int
    sentence: str
    problems: tuple[str, ...] = ()
    watched: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """What one stretch of work did, from being asked to being idle; found = new + known.

    ``converted`` and ``failed`` count photos that were read, or failed for good; ``embedded``
    those an encoder has seen, ``described`` those a vision model has described. ``scans`` tell of
    each scan again, by what is known at the end: when it ended, copies within it counted as photos.
    """

    found: int = 0
    new: int = 0
    known: int = 0
    converted: int = 0
    failed: int = 0
    embedded: int = 0
    described: int = 0
    scans: tuple[ScanReport, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a photo somebody wanted described; ``reason`` is empty if it was.

    ``again``: it is tried again by itself, and told of again.
    """

    photo_id: int
    reason: str = ""
    again: bool = False


class Listener(Protocol):
    """Who is told; called on the conductor's thread."""

    def on_saved(self, ids: list[int]) -> None: ...  # noqa: D102
    def on_progress(self, progress: Progress) -> None: ...  # noqa: D102
    def on_scanned(self, report: ScanReport) -> None: ...  # noqa: D102
    def on_problem(self, error: KnownError) -> None: ...  # noqa: D102
    def on_encoder(self, error: KnownError) -> None: ...  # noqa: D102
    def on_described(self, told: Told) -> None: ...  # noqa: D102
    def on_held(self, error: KnownError | None) -> None: ...  # noqa: D102
    def on_unwatched(self, error: KnownError) -> None: ...  # noqa: D102
    def on_no_backup(self, error: KnownError) -> None: ...  # noqa: D102
    def on_presence(self, news: News) -> None: ...  # noqa: D102
    def on_idle(self, totals: Totals) -> None: ...  # noqa: D102


class Pace:
    """Counts what one stretch of work did, and how fast.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.described = 0  # not begun anew with each stretch: describing outlasts many
        self.reset()

    def reset(self) -> None:
        """Begin a new stretch of work."""
        self.done = self.failed = self.embedded = 0
        self._marks: deque[tuple[float, int]] = deque()
        self._begun: float | None = None

    def count(self, done: int, failed: int) -> None:
        """Add photos that are done, and such that failed for good."""
        self._begun = self._clock() if self._begun is None else self._begun
        self.done += done
        self.failed += failed
        self._marks.append((self._clock(), done + failed))

    def hold(self) -> None:
        """Forget the pace, not the counts: after a pause the seconds between say nothing."""
        self._marks.clear()
        self._begun = None

    def totals(self, scans: Sequence[ScanReport], arrived: int) -> Totals:
        """Put together what was done; ``arrived`` are photos that came without being asked for."""
        found = sum(scan.found for scan in scans) + arrived
        new = sum(scan.new for scan in scans) + arrived
        return Totals(
            found, new, found - new, self.done, self.failed, self.embedded, scans=tuple(scans)
        )

    def progress(self, waiting: int, scanning: bool, paused: bool, comparing: int = 0) -> Progress:
        """Put it together for those who show it."""
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
            comparing,
        )

    def _rate(self) -> float:
        now = self._clock()
        while self._marks and now - self._marks[0][0] > _PACE_S:
            self._begun = self._marks.popleft()[0]
        photos = sum(number for _, number in self._marks)
        if photos < _ENOUGH or self._begun is None or now <= self._begun:
            return 0.0
        return photos / (now - self._begun)


class Teller:
    """Tells how far the work is, a few times a second and only what is new.

    Args:
        pace: counts what was done.
        tell: takes the progress.
    """

    def __init__(self, pace: Pace, tell: Callable[[Progress], None]) -> None:
        self._pace, self._tell = pace, tell
        self._told: Progress | None = None
        self._told_at = self._count_at = 0.0
        self._counted = 0  # photos finished and unfinished at the last count
        self._comparing = self._describing = 0  # those that waited for encoder, vision model
        self._away = ""

    def soon(self) -> None:
        """Have the next :meth:`tell` say at once what there is."""
        self._told_at = 0.0

    def recount(self) -> None:
        """Have the next :meth:`tell` count anew what waits."""
        self._count_at = 0.0

    def tell(self, catalog: Catalog, scanning: bool, paused: bool, blind: bool, held: str) -> None:
        """Tell where the work stands, if it is time and anything is new.

        Args:
            catalog: where it is counted what waits.
            scanning: folders are being walked.
            paused: nothing new is begun.
            blind: nothing is compared, whatever waits for that.
            held: why nothing is described, if so.
        """
        now = time.monotonic()
        if now < self._told_at + TELL_S:
            return
        self._told_at = now
        with contextlib.suppress(KnownError):
            waiting = self._waiting(catalog, now)
            comparing = 0 if blind else self._comparing
            progress = replace(
                self._pace.progress(waiting, scanning, paused, comparing),
                describing=self._describing,
                held=held,
                away=self._away,
            )
            if progress != self._told:
                self._told = progress
                self._tell(progress)

    def _waiting(self, catalog: Catalog, now: float) -> int:
        """Count what is to be done; counting anew takes at most a fiftieth of the time."""
        finished = self._pace.done + self._pace.failed
        if now >= self._count_at:
            self._counted = catalog.work.unfinished() + finished
            self._comparing = catalog.work.unfinished("proxy")
            self._describing = catalog.descriptions.count_pending()
            self._away = waiting_for_drives(catalog)
            self._count_at = now + 50 * (time.monotonic() - now)
        return max(self._counted - finished, 0)
