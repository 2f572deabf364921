"""Lanes: QThreadPools whose threads wait for worker processes and hand over what came of a job.

A lane's threads only wait, so they cost nothing; the work is done in the processes. Whatever
happens to a job, exactly one :class:`Outcome` is delivered for it: an exception in a bare pool
callable would only reach stderr, and the photo would never report.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QThreadPool

from curator.catalog import Pending
from curator.imaging.proxy import proxy_path
from curator.model import Kind, StageJob
from curator.settings import Settings, WorkSettings
from curator.stages import Stage
from curator.workers import WorkerCancelled, WorkerPool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one job: a stage's result, or the error it ended with."""

    job: StageJob
    result: Any = None
    error: Exception | None = None


class Lane:
    """One kind of work, with a bounded window of jobs in flight.

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
            work: has the time limit, looked up for each job.
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

    def room(self) -> int:
        """Count the jobs that may be submitted now."""
        return self.window - len(self.in_flight)

    def groups(self, found: Sequence[Pending]) -> list[Sequence[Pending]]:
        """Say which photos go to a process together; here each goes alone."""
        return [[pending] for pending in found]

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Put a group of jobs in flight; a photo is in ``in_flight`` until :meth:`landed`."""
        self.in_flight.update(job.photo_id for job in jobs)
        if self._threads is None:
            self._work(run, jobs)
        else:
            self._threads.start(lambda: self._work(run, jobs))

    def landed(self, photo_id: int) -> None:
        """Take note that the outcome of a job arrived at the conductor."""
        self.in_flight.discard(photo_id)
        self._given_up.discard(photo_id)

    def give_up(self, photos: Iterable[int]) -> None:
        """End jobs in flight that may never end: the drive of these photos is away.

        Their outcomes say that they were stopped.
        """
        for photo in self.in_flight.intersection(photos):
            self._given_up.add(photo)
            self._pool.cancel(self._token(photo))

    def _token(self, photo: int) -> object:
        return id(self), photo

    def forget(self) -> None:
        """Let go of what was learned about the work; the way to do it is another now."""

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
    """Say what is to be done for a photo: what a stage reads, and where derived files go."""
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
