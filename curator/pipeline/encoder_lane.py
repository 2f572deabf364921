"""The lane that gives photos to the encoder's process; must never import torch itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from curator.catalog import Catalog, Pending
from curator.encoders import Encoding, EncodingError, Recipe
from curator.model import (
    INTERNAL_ERROR,
    Embeddings,
    GoneError,
    KnownError,
    StageJob,
    UnreadableError,
)
from curator.pipeline.lanes import Lane, Outcome, Verdict
from curator.settings import Settings, WorkSettings
from curator.stages import LaneKind, Stage
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

NICE = 19  # behind the decoders: photos to look at go before photos to analyze
FREED_S = 60.0  # an idle encoder's memory is freed after this long
LOADING_S = 240.0  # more for a process's first group: weights of gigabytes from a slow disk
# Failures in a row after which the encoder itself is to blame: one that worked before, a new one.
_BROKEN_AFTER, _BROKEN_FROM_THE_START = 6, 2


def possible(stages: Sequence[Stage], encoding: Encoding) -> tuple[Stage, ...]:
    """Leave out the stages that need an encoder where there is none."""
    return tuple(
        stage
        for stage in stages
        if stage.lane is not LaneKind.ENCODER or encoding.recipe is not None
    )


def with_loading(pool: WorkerPool, timeout_s: float) -> float:
    """Return a time limit that includes loading the encoder where it is not loaded yet."""
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
        keeps_memory=True,
    )


class EncoderLane(Lane):
    """Gives the encoder several photos at once, and saves what it can when its process dies.

    A group whose process died is halved until the culprit is alone: a photo, or their number. A
    photo that kills the process even so is tried once on the CPU, where memory is larger; then it
    has failed, with the reason, and the others go on. Each photo is tried at most once on each
    device in one attempt, so this ends.

    Attributes:
        recipe: how to load the encoder; None: there is none.

    Thread: as Lane; what is learned about the encoder changes on the lane's one thread.
    """

    def __init__(
        self, threads: int, pool: WorkerPool, work: WorkSettings, deliver: Callable[[Outcome], None]
    ) -> None:
        super().__init__(min(threads, 1), 0, pool, work, deliver)
        self.recipe: Recipe | None = None
        self._groups: list[set[int]] = []
        self._at_once = 1  # until the encoder says how many it likes
        self._most: int | None = None  # more at once cost it its process
        self._on_cpu = False  # the GPU's memory was too small even for one
        self._guilty = 0  # photos no encoder survived
        self._failed_in_a_row = 0
        self._works = False  # whether any photo was analyzed yet

    def use(self, recipe: Recipe | None) -> None:
        """Analyze photos with this encoder; what was learned about another is forgotten."""
        self.recipe = recipe
        self.forget()
        self._failed_in_a_row, self._works = 0, False

    def forget(self) -> None:
        """Forget what was learned about the encoder's memory."""
        self._at_once, self._most, self._on_cpu = 1, None, False

    def equip(self, job: StageJob) -> StageJob:
        """Add the encoder to a job."""
        return replace(job, encoder=self.recipe)

    def succeeded(self, photos: Sequence[int]) -> None:
        """Note that the encoder works."""
        self._failed_in_a_row, self._works = 0, True

    def judge(self, catalog: Catalog, job: StageJob, error: Exception) -> Verdict | None:
        """Put a photo back if the encoder is to blame, or if it is no longer the one in use."""
        if self.recipe is None or job.encoder.key != self.recipe.key:
            catalog.work.put_back(job.stage, [job.photo_id])
            return Verdict()
        if not self._is_broken(error):
            return None
        catalog.work.put_back(job.stage, [job.photo_id])
        if isinstance(error, KnownError):
            return Verdict(no_encoder=error)
        log.error("%s of %s failed: %s", job.stage, job.path, error)
        return Verdict(no_encoder=KnownError(INTERNAL_ERROR))

    def _is_broken(self, error: Exception) -> bool:
        """Whether the encoder is to blame: it cannot be loaded, or dies of every photo."""
        if isinstance(error, UnreadableError | GoneError | OSError):
            return False
        if isinstance(error, WorkerError | EncodingError) or not isinstance(error, KnownError):
            self._failed_in_a_row += 1
            most = _BROKEN_AFTER if self._works else _BROKEN_FROM_THE_START
            return self._failed_in_a_row > most
        return True

    def room(self) -> int:
        """Return how many photos may be submitted now: one group works, one waits."""
        return self._at_once if len(self._groups) < 2 else 0

    def groups(self, found: Sequence[Pending]) -> list[Sequence[Pending]]:
        """Group photos by the encoder's batch size; one that failed before goes alone."""
        fresh = [pending for pending in found if not pending.attempts]
        alone = [[pending] for pending in found if pending.attempts]
        size = self._at_once
        return [*(fresh[at : at + size] for at in range(0, len(fresh), size)), *alone]

    def submit(self, run: Callable[..., object], jobs: Sequence[StageJob]) -> None:
        """Put a group in flight."""
        self._groups.append({job.photo_id for job in jobs})
        super().submit(run, jobs)

    def landed(self, photo_id: int) -> None:
        """Note that the outcome of a job was saved."""
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
        """Continue after a group's process died, or after a bug in it."""
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
            log.info("encoder: continues on the CPU: %s", error.args[0])
            self._on_cpu = True
            self._work(run, jobs)
            self._on_cpu = self._guilty == guilty
        else:
            self._guilty += 1
            self._fail(jobs, explain_encoder_error(error, self._limits.timeout_s))

    def _may_have_a_gpu(self, job: StageJob) -> bool:
        return not self._on_cpu and job.encoder.options.device != "cpu"

    def _fail(self, jobs: Sequence[StageJob], error: Exception) -> None:
        for job in jobs:
            self._deliver(Outcome(job, error=error))


def explain_encoder_error(error: Exception, timeout_s: float) -> Exception:
    """Return an error of the encoder's process in words about analyzing a photo."""
    again = "Close other programs and try again, or set the encoder to starter."
    if isinstance(error, WorkerMemory):
        return WorkerMemory("Analyzing it needs more memory than there is.", again)
    if isinstance(error, WorkerTimeout):
        return WorkerTimeout(f"Analyzing it took longer than {timeout_s:g} s.", again)
    if isinstance(error, WorkerCrashed):
        return WorkerCrashed("The encoder's process died while analyzing it.", again)
    return error
