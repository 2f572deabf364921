"""The lane that hands photos to the encoder process; no torch needed in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from curator.catalog import Pending
from curator.encoders.selection import Encoding
from curator.model import Embeddings, StageJob
from curator.pipeline.lanes import Lane, Outcome
from curator.settings import Settings, WorkSettings
from curator.stages import Stage
from curator.workers import (
    WorkerBug,
    WorkerCancelled,
    WorkerCrashed,
    WorkerError,
    WorkerMemory,
    WorkerPool,
    WorkerTimeout,
    WorkerUnavailable,
)

log = logging.getLogger(__name__)

LANE = "encoder"
NICE = 19  # behind the decoders: photos to look at go before photos to compare
FREED_S = 60.0  # an encoder that has nothing to do gives its memory back after this long
LOADING_S = 240.0  # more for a process's first group: weights of gigabytes from a slow disk


def possible(stages: Sequence[Stage], encoding: Encoding) -> tuple[Stage, ...]:
    """Leave out the stage that needs an encoder where there is none."""
    return tuple(stage for stage in stages if stage.lane != LANE or encoding.recipe is not None)


def with_loading(pool: WorkerPool, timeout_s: float) -> float:
    """Give an encoder that is not loaded yet the time for that beside its work."""
    return timeout_s + (0.0 if pool.processes() else LOADING_S)


def make_pool(settings: Settings) -> WorkerPool:
    """Make the one process that holds the encoder; it starts with the first photo to compare."""
    stages = ("curator.stages",)
    return WorkerPool(
        1,
        memory_mb=settings.encoder.memory_mb,
        nice=NICE,
        name="encoder",
        preload=stages,
        keeps=True,
    )


class EncoderLane(Lane):
    """Hands the encoder as many photos at once as it likes, and saves what it can when it dies.

    A group whose process died is halved until the culprit is alone: a photo, or their number. A
    photo whose process dies even so is tried once on the CPU, where memory is larger; then it has
    failed, with the reason, and the others go on as before. Each photo is tried at most once on
    each device in one attempt, so this ends.

    Thread: as Lane; what is learned about the encoder changes on the lane's one thread.
    """

    def __init__(
        self, threads: int, pool: WorkerPool, work: WorkSettings, deliver: Callable[[Outcome], None]
    ) -> None:
        super().__init__(min(threads, 1), 0, pool, work, deliver)
        self._groups: list[set[int]] = []
        self._at_once = 1  # until the encoder says how many it likes
        self._most: int | None = None  # more at once cost it its process
        self._on_cpu = False  # the GPU's memory did not do even for one
        self._guilty = 0  # photos no encoder survived

    def forget(self) -> None:
        """Let go of what was learned about the encoder; there is another now."""
        self._at_once, self._most, self._on_cpu = 1, None, False

    def room(self) -> int:
        """Count the photos that may be submitted now: one group works, one waits."""
        return self._at_once if len(self._groups) < 2 else 0

    def groups(self, found: Sequence[Pending]) -> list[Sequence[Pending]]:
        """Put photos together as the encoder likes; one that failed before goes alone."""
        fresh = [pending for pending in found if not pending.attempts]
        alone = [[pending] for pending in found if pending.attempts]
        size = self._at_once
        return [*(fresh[at : at + size] for at in range(0, len(fresh), size)), *alone]

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Put a group in flight."""
        self._groups.append({job.photo_id for job in jobs})
        super().submit(run, jobs)

    def landed(self, photo_id: int) -> None:
        """Take note that the outcome of a job arrived at the conductor."""
        super().landed(photo_id)
        for group in self._groups:
            group.discard(photo_id)
        self._groups = [group for group in self._groups if group]

    def _work(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        if self._most is not None and len(jobs) > self._most:  # put together before that was known
            for at in range(0, len(jobs), self._most):
                self._work(run, jobs[at : at + self._most])
            return
        try:
            answer = self._ask(run, jobs)
        except (WorkerCancelled, WorkerUnavailable) as error:
            self._fail(jobs, error)
        except (WorkerError, WorkerBug) as error:
            self._survive(run, jobs, error)
        except Exception as error:  # it could not be loaded: no photo's fault
            self._fail(jobs, error)
        else:
            self._at_once = min(answer.at_once, self._most or answer.at_once)
            for job, result in zip(jobs, answer.results, strict=True):
                if isinstance(result, Exception):
                    self._deliver(Outcome(job, error=result))
                else:
                    self._deliver(Outcome(job, result))

    def _ask(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> Embeddings:
        if self._on_cpu:
            jobs = [replace(job, encoder=job.encoder.on_cpu()) for job in jobs]
        # A group that takes longer than two photos is too large.
        limit = with_loading(self._pool, self._limits.timeout_s * min(len(jobs), 2))
        answer = self._pool.run(run, jobs, timeout_s=limit)
        assert isinstance(answer, Embeddings)
        return answer

    def _survive(
        self, run: Callable[..., object], jobs: Sequence[StageJob], error: Exception
    ) -> None:
        """Go on after a group's process died, or after a mistake of ours in it."""
        guilty = self._guilty
        if len(jobs) > 1:
            before, half = self._most, len(jobs) // 2
            log.info("encoder: %d at once from now on: %s", half, error.args[0])
            self._most = self._at_once = half
            self._work(run, jobs[:half])
            self._work(run, jobs[half:])
            if self._guilty > guilty:  # one of them was to blame, not their number
                self._most = before
        elif isinstance(error, WorkerError) and self._may_have_a_gpu(jobs[0]):
            log.info("encoder: goes on on the CPU: %s", error.args[0])
            self._on_cpu = True
            self._work(run, jobs)
            self._on_cpu = self._guilty == guilty
        else:
            self._guilty += 1
            self._fail(jobs, said_of_encoder(error, self._limits.timeout_s))

    def _may_have_a_gpu(self, job: StageJob) -> bool:
        return not self._on_cpu and job.encoder.options.device != "cpu"

    def _fail(self, jobs: Sequence[StageJob], error: Exception) -> None:
        for job in jobs:
            self._deliver(Outcome(job, error=error))


def said_of_encoder(error: Exception, timeout_s: float) -> Exception:
    """Say of a photo what the pool says of a decoder."""
    again = "Try again with less running beside it, or set the encoder to starter."
    if isinstance(error, WorkerMemory):
        return WorkerMemory("Analyzing it needs more memory than there is.", again)
    if isinstance(error, WorkerTimeout):
        return WorkerTimeout(f"Analyzing it took longer than {timeout_s:g} s.", again)
    if isinstance(error, WorkerCrashed):
        return WorkerCrashed("The encoder's process was ended while analyzing it.", again)
    return error
