"""Lanes: queues of jobs with a bounded number in flight, run by threads that wait for processes.

The conductor fills the lanes and saves their outcomes. A lane's threads only wait, so they cost
nothing; the work is done in worker processes. Whatever happens to a job, exactly one
:class:`Outcome` is delivered for it: an exception in a plain pool callable would only reach
stderr, and the photo would wait forever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QThreadPool

from curator.catalog import Catalog, Pending
from curator.imaging.proxy import proxy_path
from curator.model import Kind, KnownError, StageJob
from curator.settings import Settings, WorkSettings
from curator.stages import Stage
from curator.workers import WorkerCancelled, WorkerPool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one job: a stage's result, or an error.

    ``drive_gone``: whether the photo's drive went, once that was looked at.
    """

    job: StageJob
    result: Any = None
    error: Exception | None = None
    drive_gone: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a lane made of a failure: the photos it changed, and why no other photo can be done."""

    changed: tuple[int, ...] = ()
    no_encoder: KnownError | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What the conductor knows when it fills the lanes, stage after stage.

    Attributes:
        focus: ids of the photos on screen, the most wanted first.
        paused: a person holds all work but what they ask for.
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
        in_flight: ids of the photos whose jobs were submitted and have not landed.

    Thread: the conductor's; ``deliver`` is called from the lane's own threads.
    """

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
            window: jobs in flight at most: those that run, and a few so that no process waits
                while results are saved. What is in the window can no longer be overtaken.
            pool: where jobs run; None for a lane that runs them itself.
            work: has the time limit, read for each job.
            deliver: takes each job's outcome.
        """
        self.window = window
        self.in_flight: set[int] = set()
        self._given_up: set[int] = set()
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
        """Return the photos that go to a process together; here each goes alone."""
        return [[pending] for pending in found]

    def equip(self, job: StageJob) -> StageJob:
        """Add to a job what this lane's stages need beside the photo; here nothing."""
        return job

    # --- what came of it

    def succeeded(self, photos: Sequence[int]) -> None:
        """Note that results of these photos were saved."""

    def judge(self, catalog: Catalog, job: StageJob, error: Exception) -> Verdict | None:
        """Save a failure that means something special in this lane; None: it does not."""
        return None

    def fail(self, catalog: Catalog, job: StageJob, error: KnownError) -> bool:
        """Save a failure by the rules of this lane; False: the common rules apply."""
        return False

    # --- jobs in flight

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Put a group of jobs in flight; a photo is in ``in_flight`` until :meth:`landed`."""
        self.in_flight.update(job.photo_id for job in jobs)
        if self._threads is None:
            self._work(run, jobs)
        else:
            self._threads.start(lambda: self._work(run, jobs))

    def landed(self, photo_id: int) -> None:
        """Note that the outcome of a job was saved."""
        self.in_flight.discard(photo_id)
        self._given_up.discard(photo_id)

    def give_up(self, photos: Iterable[int]) -> None:
        """Cancel jobs that may never end, because the drive of these photos is away.

        Their outcomes are WorkerCancelled.
        """
        for photo in self.in_flight.intersection(photos):
            self._given_up.add(photo)
            self._pool.cancel(self._token(photo))

    def _token(self, photo: int) -> object:
        return id(self), photo

    def forget(self) -> None:
        """Forget what was learned about the work: it is done differently from now on."""

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
        if job.photo_id in self._given_up:
            raise WorkerCancelled("Reading was stopped.")
        token = self._token(job.photo_id)
        return self._pool.run(run, job, timeout_s=self._limits.timeout_s, token=token)


def job_of(stage: Stage, pending: Pending, settings: Settings, cache: Path) -> StageJob:
    """Make the job of a stage for a photo: what to read, and where derived files go."""
    if stage.reads == "proxy":
        path = str(proxy_path(cache, pending.proxy or ""))
        return StageJob(
            pending.photo_id,
            pending.stage,
            path,
            Kind.IMAGE,
            str(cache),
            fingerprint=pending.proxy_digest,
        )
    return StageJob(
        pending.photo_id,
        pending.stage,
        pending.path,
        pending.kind,
        str(cache),
        pending.fallback,
        pending.fingerprint,
        settings.proxy.long_edge_px,
        settings.proxy.quality,
        settings.work.max_megapixels,
        sidecars=pending.sidecars,
    )
