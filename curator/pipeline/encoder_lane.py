"""The encoder's process: the lane that gives it photos, and other calls to it.

The conductor owns the lane; searches and file previews use :func:`run_encoder`. This process must
never load an encoder itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from curator.catalog import Catalog
from curator.encoders import EncodingError, Recipe
from curator.model import (
    INTERNAL_ERROR,
    Embeddings,
    GoneError,
    KnownError,
    StageJob,
    UnreadableError,
)
from curator.pipeline.lanes import FailureEffect, Lane, Outcome
from curator.settings import Settings, WorkSettings, in_settings
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

T = TypeVar("T")

NICE = 19  # behind the decoders: photos to look at go before photos to analyze
FREED_S = 60.0  # an idle encoder's memory is freed after this long
LOADING_S = 240.0  # more for a process's first group: weights of gigabytes from a slow disk
# Failures in a row after which the encoder itself is to blame: if it worked before, and if not.
_BROKEN_AFTER, _BROKEN_FROM_THE_START = 6, 2


def run_encoder(
    pool: WorkerPool, settings: Settings, function: Callable[..., T], *arguments: object
) -> T:
    """Run a function in the encoder's process while a person waits.

    Raises:
        WorkerCancelled: its process was ended.
        KnownError: the encoder failed or cannot be loaded, and why.
    """
    limit = settings.work.timeout_s
    try:
        return pool.run(function, *arguments, timeout_s=with_loading(pool, limit))
    except (WorkerCancelled, WorkerUnavailable):
        raise
    except WorkerError as error:
        raise explain_encoder_error(error, limit) from None
    except WorkerBug as error:
        log.error("the encoder failed: %s", error)
        raise KnownError(INTERNAL_ERROR) from None


def with_loading(pool: WorkerPool, timeout_s: float) -> float:
    """Return a time limit that includes loading the encoder where it is not loaded yet."""
    return timeout_s + (0.0 if pool.processes() else LOADING_S)


def make_pool(settings: Settings) -> WorkerPool:
    """Make a pool for the one process that holds the encoder; it starts with its first job."""
    return WorkerPool(
        1,
        memory_mb=settings.encoder.memory_mb,
        nice=NICE,
        name="encoder",
        preload=("curator.stages",),
        keeps_memory=True,
    ).named("analyze photos", "Analyzing it")


class EncoderLane(Lane):
    """Runs the encoder on several photos at once, and on smaller groups if its process dies.

    A group whose process died is halved until it works, or until a single photo kills the process.
    That photo is tried once more on the CPU, where memory is larger; if that fails, the photo has
    failed with the reason, and the others continue. Alone, a photo is tried at most once on each
    device, so this ends.

    Attributes:
        recipe: how to load the encoder; None if there is none.

    Thread: as Lane; what it knows about the encoder's memory changes on the lane's one thread.
    """

    def __init__(
        self, threads: int, pool: WorkerPool, work: WorkSettings, deliver: Callable[[Outcome], None]
    ) -> None:
        super().__init__(min(threads, 1), 0, pool, work, deliver)
        self.recipe: Recipe | None = None
        self._groups: list[set[int]] = []
        self._most: int | None = None  # larger groups killed its process
        self._on_cpu = False  # the GPU's memory was too small even for one photo
        self._fatal = 0  # photos that failed alone, on every device
        self._failed_in_a_row = 0
        self._works = False  # whether any photo was analyzed yet

    def use(self, recipe: Recipe | None) -> None:
        """Analyze photos with this encoder, and forget what was learned about the former one."""
        self.recipe = recipe
        self._at_once = 1  # until the encoder states its batch size
        self._most, self._on_cpu = None, False
        self._failed_in_a_row, self._works = 0, False

    def equip(self, job: StageJob) -> StageJob:
        """Add the encoder to a job."""
        return replace(job, encoder=self.recipe)

    def succeeded(self, photos: Sequence[int]) -> None:
        """Note that the encoder works."""
        self._failed_in_a_row, self._works = 0, True

    def handle_failure(
        self, catalog: Catalog, job: StageJob, error: Exception
    ) -> FailureEffect | None:
        """Put a photo back if the encoder is to blame, or if another one is in use by now."""
        if self.recipe is None or job.encoder.key != self.recipe.key:
            catalog.work.put_back(job.stage, [job.photo_id])
            return FailureEffect()
        if not self._count_failure(error):
            return None
        catalog.work.put_back(job.stage, [job.photo_id])
        if isinstance(error, KnownError):
            return FailureEffect(broken=error)
        log.error("%s of %s failed: %s", job.stage, job.path, error)
        return FailureEffect(broken=KnownError(INTERNAL_ERROR))

    def _count_failure(self, error: Exception) -> bool:
        """Count a failure; return whether the encoder is to blame.

        It is if it cannot be loaded, or fails with every photo.
        """
        if isinstance(error, UnreadableError | GoneError | OSError):
            return False
        if isinstance(error, WorkerError | EncodingError) or not isinstance(error, KnownError):
            self._failed_in_a_row += 1
            most = _BROKEN_AFTER if self._works else _BROKEN_FROM_THE_START
            return self._failed_in_a_row > most
        return True

    def room(self) -> int:
        """Return how many photos may be submitted now: one group runs and one waits at most."""
        return self._at_once if len(self._groups) < 2 else 0

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
        if self._most is not None and len(jobs) > self._most:  # grouped before that was known
            for at in range(0, len(jobs), self._most):
                self._work(run, jobs[at : at + self._most])
            return
        try:
            answer = self._ask(run, jobs)
        except (WorkerCancelled, WorkerUnavailable) as error:
            self._fail(jobs, error)
        except (WorkerError, WorkerBug) as error:
            self._retry_smaller(run, jobs, error)
        except Exception as error:  # the encoder could not be loaded
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

    def _retry_smaller(
        self, run: Callable[..., object], jobs: Sequence[StageJob], error: Exception
    ) -> None:
        """Try the halves of a group that killed the process, then single photos on the CPU."""
        fatal = self._fatal
        if len(jobs) > 1:
            before, half = self._most, len(jobs) // 2
            log.info("encoder: %d at once from now on: %s", half, error.args[0])
            self._most = self._at_once = half
            self._work(run, jobs[:half])
            self._work(run, jobs[half:])
            if self._fatal > fatal:  # one photo was the cause, not their number
                self._most = before
        elif isinstance(error, WorkerError) and not (
            self._on_cpu or jobs[0].encoder.options.device == "cpu"
        ):
            log.info("encoder: continues on the CPU: %s", error.args[0])
            self._on_cpu = True
            self._work(run, jobs)
            self._on_cpu = self._fatal == fatal
        else:
            self._fatal += 1
            self._fail(jobs, explain_encoder_error(error, self._limits.timeout_s))

    def _fail(self, jobs: Sequence[StageJob], error: Exception) -> None:
        for job in jobs:
            self._deliver(Outcome(job, error=error))


def explain_encoder_error(error: Exception, timeout_s: float) -> Exception:
    """Return an error of the encoder's process with a sentence about analyzing a photo."""
    again = f"Close other programs, or set {in_settings('encoder.which')} to Built-in (starter)."
    if isinstance(error, WorkerMemory):
        return WorkerMemory("Analyzing it needs more memory than there is.", again)
    if isinstance(error, WorkerTimeout):
        return WorkerTimeout(f"Analyzing it took longer than {timeout_s:g} s.", again)
    if isinstance(error, WorkerCrashed):
        return WorkerCrashed("The encoder's process died while analyzing it.", again)
    return error
