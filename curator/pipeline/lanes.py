"""Lanes: queues of jobs with a bounded number in flight, run by threads that wait for processes.

`dispatch` fills the lanes, and `saving` saves their outcomes. A lane's threads only wait; the work
is done in worker processes. Whatever happens to a job, exactly one :class:`Outcome` must be
delivered for it, or the photo would wait forever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QThreadPool

from curator.catalog import Catalog, Pending
from curator.model import KnownError, StageJob
from curator.pipeline.events import RequestNews
from curator.settings import WorkSettings
from curator.stages import Stage
from curator.workers import WorkerCancelled, WorkerPool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one job: a stage's result, or an error.

    ``drive_gone`` is whether the photo's drive is gone; None until that was checked.
    """

    job: StageJob
    result: Any = None
    error: Exception | None = None
    drive_gone: bool | None = None


@dataclass(frozen=True, slots=True)
class FailureEffect:
    """What a lane did about a failure.

    Attributes:
        changed: ids of photos whose rows changed.
        broken: why the lane works for no photo; None if it may work for others.
    """

    changed: tuple[int, ...] = ()
    broken: KnownError | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """The state of one pass of `Dispatcher.fill` over the stages.

    Attributes:
        focus: ids of the photos on screen, the most urgent first.
        paused: start only what a person asks for now.
        behind: an earlier stage has more photos than there was room for. Headers of all photos
            come before pixels of all, except for the photos on screen.
    """

    focus: Sequence[int]
    paused: bool
    behind: bool = False


class Lane:
    """One queue of jobs with a bounded window in flight.

    Attributes:
        window: jobs in flight at most.
        in_flight: ids of the photos whose jobs were submitted and whose outcomes are not saved.

    Thread: the conductor's; ``deliver`` is called from the lane's own threads.
    """

    _at_once = 1  # photos that go to a process together

    def __init__(
        self,
        threads: int,
        window: int,
        pool: WorkerPool | None,
        work: WorkSettings,
        deliver: Callable[[Outcome], None],
    ) -> None:
        """Make a lane.

        Args:
            threads: jobs that run at a time; 0 runs each on the calling thread, for tests.
            window: jobs in flight at most: those that run, and a few more so that no process waits
                while results are saved. Photos that come on screen cannot overtake these.
            pool: where jobs run; None for a lane that overrides :meth:`_run`.
            work: has the time limit, read for each job.
            deliver: gets each job's outcome.
        """
        self.window = window
        self.in_flight: set[int] = set()
        self._canceled: set[int] = set()
        self._leaders: dict[int, int] = {}  # photo in flight → the first of its group
        if pool is not None:
            self._pool = pool
        self._limits = work
        self._deliver = deliver
        self._threads: QThreadPool | None = None
        if threads:
            self._threads = QThreadPool()
            self._threads.setMaxThreadCount(threads)

    # --- what to do next

    def room(self) -> int:
        """Return how many jobs may be submitted now."""
        return self.window - len(self.in_flight)

    def choose(self, catalog: Catalog, stage: Stage, now: Round) -> tuple[list[Pending], bool]:
        """Choose the photos to start a stage with.

        Returns:
            The photos, and whether later stages have to stay behind.
        """
        room = 0 if now.paused else self.room()
        if room <= 0:
            return [], True
        found = catalog.work.pending(stage.name, room, now.focus)
        if now.behind:
            found = [pending for pending in found if pending.photo_id in now.focus]
        return found, now.behind or len(found) == room

    def groups(self, found: Sequence[Pending]) -> list[Sequence[Pending]]:
        """Group the photos that go to a process together; one that failed before goes alone."""
        fresh = [pending for pending in found if not pending.attempts]
        alone = [[pending] for pending in found if pending.attempts]
        size = self._at_once
        return [*(fresh[at : at + size] for at in range(0, len(fresh), size)), *alone]

    def equip(self, job: StageJob) -> StageJob:
        """Add what this lane's stages need beside the photo to a job; here nothing."""
        return job

    # --- outcomes

    def succeeded(self, photos: Sequence[int]) -> None:
        """Note that results of these photos were saved."""

    def handle_failure(
        self, catalog: Catalog, job: StageJob, error: Exception
    ) -> FailureEffect | None:
        """Save a failure that means more than that of one photo; None if it does not."""
        return None

    def fail(self, catalog: Catalog, job: StageJob, error: KnownError) -> bool:
        """Save a photo's failure by the rules of this lane; False if the common rules apply."""
        return False

    def failed(self, photo_id: int, reason: str, final: bool) -> None:
        """Note that a photo's failure was saved by the common rules; unless ``final``, it waits."""

    # --- jobs in flight

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Start a group of jobs; each photo is in ``in_flight`` until :meth:`landed`."""
        self.in_flight.update(job.photo_id for job in jobs)
        self._leaders.update((job.photo_id, jobs[0].photo_id) for job in jobs)
        if self._threads is None:
            self._work(run, jobs)
        else:
            self._threads.start(lambda: self._work(run, jobs))

    def landed(self, photo_id: int) -> None:
        """Note that the outcome of a job was saved."""
        self.in_flight.discard(photo_id)
        self._leaders.pop(photo_id, None)
        self._canceled.discard(photo_id)

    def cancel(self, photos: Iterable[int]) -> None:
        """Cancel jobs in flight of these photos; their outcomes have the error WorkerCancelled.

        Others of their groups may get it, too; like these they are put back.
        """
        for photo in self.in_flight.intersection(photos):
            self._canceled.add(photo)
            self._pool.cancel(self._token(photo))

    def _token(self, photo: int) -> object:
        return id(self), self._leaders.get(photo)

    def close(self) -> None:
        """Wait for the threads; close the worker pool first, or this waits for the jobs."""
        if self._threads is not None:
            self._threads.clear()
            self._threads.waitForDone()

    def _work(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        for job in jobs:
            try:
                outcome = Outcome(job, self._run(run, job))
            except Exception as error:
                outcome = Outcome(job, error=error)
            self._deliver(outcome)

    def _run(self, run: Callable[..., object], job: StageJob) -> object:
        if job.photo_id in self._canceled:
            raise WorkerCancelled("Reading was stopped.")
        token = self._token(job.photo_id)
        return self._pool.run(run, job, timeout_s=self._limits.timeout_s, token=token)


class Requests:
    """The photos that a person asked a lane for, and what is to be reported about them.

    Attributes:
        photos: ids of the photos, the latest first, as keys.

    Thread: the conductor's.
    """

    def __init__(self) -> None:
        self.photos: dict[int, None] = {}
        self._news: list[RequestNews] = []

    def add(self, photos: Sequence[int]) -> None:
        """Put photos before all others."""
        self.photos = dict.fromkeys([*photos, *self.photos])

    def report(self, photo: int, reason: str = "", final: bool = True) -> None:
        """Report the result for a photo if it was requested; ``final`` ends its request."""
        if photo in self.photos:
            self._news.append(RequestNews(photo, reason, not final))
            if final:
                del self.photos[photo]

    def take_news(self) -> list[RequestNews]:
        """Return the results for requested photos since the last call."""
        news, self._news = self._news, []
        return news
