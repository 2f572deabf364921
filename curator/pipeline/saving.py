"""Saving the outcomes of jobs, in transactions short enough that a decision can wait for one.

The conductor passes outcomes to the :class:`Saver`. Each stage saves its own results
(`curator.stages.Stage.save`), and a lane may handle failures in its own way; this module does the
rest. An outcome must never be lost: it is kept until it is saved, also while the disk is full or
another program holds the catalog.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from curator import atomic
from curator.catalog import Catalog, DiskFullError
from curator.catalog.store import TransactionSize
from curator.encoders import EncodingError
from curator.model import INTERNAL_ERROR, CatalogError, GoneError, KnownError, StageJob
from curator.pipeline.file_probe import FileProbe
from curator.pipeline.folder_availability import FolderAvailability
from curator.pipeline.lanes import Lane, Outcome
from curator.settings import WorkSettings
from curator.stages import LaneKind, Stage
from curator.vision import Cancelled
from curator.workers import (
    WorkerBug,
    WorkerCancelled,
    WorkerError,
    WorkerMemory,
    WorkerTimeout,
    WorkerUnavailable,
)

if TYPE_CHECKING:
    from curator.stages.saving import Question

log = logging.getLogger(__name__)

RETRY_S = 3.0  # how long a photo waits whose drive may be gone
NO_ANSWER = "Its drive does not answer."


@dataclass
class Landed:
    """What one call of :meth:`Saver.save` did.

    Attributes:
        changed: ids of photos whose rows changed.
        jobs: the jobs whose outcomes are saved.
        done: number of photos that passed the last stage that reads originals.
        failed: number of photos that failed permanently.
        saved: number of photos with a new result, by lane.
        broken: lanes that work for no photo, and why; their photos were put back.
        trouble: why all work should pause.
    """

    changed: list[int] = field(default_factory=list)
    jobs: list[StageJob] = field(default_factory=list)
    done: int = 0
    failed: int = 0
    saved: Counter[LaneKind] = field(default_factory=Counter)
    broken: dict[LaneKind, KnownError] = field(default_factory=dict)
    trouble: KnownError | None = None


class Saver:
    """Keeps outcomes until they are saved.

    Attributes:
        outcomes: the outcomes to save.

    Thread: the conductor's.
    """

    def __init__(
        self,
        catalog: Catalog,
        stages: Sequence[Stage],
        lanes: Mapping[LaneKind, Lane],
        availability: FolderAvailability,
        probe: FileProbe,
        work: WorkSettings,
    ) -> None:
        """Make a saver.

        Args:
            catalog: where results are saved.
            stages: all stages, in order.
            lanes: handle failures of their stages.
            availability: checks whether the drive of a photo that failed is still here.
            probe: answers the questions about files that a save function may have.
            work: how often failed work is tried again.
        """
        self._catalog, self._stages, self._lanes = catalog, stages, lanes
        self._availability, self._probe, self._work = availability, probe, work
        self._size = TransactionSize()
        self._pardoned: set[int] = set()
        self._last_read = [stage for stage in stages if stage.reads == "file"][-1]
        self.outcomes: list[Outcome] = []

    def pardon(self, photo_ids: Iterable[int]) -> None:
        """Pause for no trouble with these photos: their jobs began before it was resolved."""
        self._pardoned = set(photo_ids)

    def save(self) -> Landed:
        """Save some outcomes and remove them from :attr:`outcomes`.

        A CatalogError becomes ``trouble``; outcomes that could not be saved are kept.
        """
        landed = Landed()
        some = self.outcomes[: self._size.values]
        with self._size.measured(len(some)):
            try:
                for stage in self._stages:
                    outcomes = [outcome for outcome in some if outcome.job.stage == stage.name]
                    if good := [outcome for outcome in outcomes if outcome.error is None]:
                        self._save_results(stage, good, landed)
                    for outcome in outcomes:
                        if outcome.error is not None:
                            self._save_error(stage, outcome, outcome.error, landed)
            except CatalogError as error:
                landed.trouble = error
        return landed

    # --- results

    def _save_results(self, stage: Stage, good: list[Outcome], landed: Landed) -> None:
        try:
            saved = stage.save(self._catalog, [(outcome.job, outcome.result) for outcome in good])
        except CatalogError:
            raise
        except Exception:
            if len(good) > 1:  # find the one that fails
                for outcome in good:
                    self._save_results(stage, [outcome], landed)
                return
            log.exception("saving the result of %s for %s failed", stage.name, good[0].job.path)
            self._fail(stage, good[0].job, KnownError(INTERNAL_ERROR), False, landed)
            self._land(good[0], landed)
            return
        landed.changed += saved.changed
        for outcome in good:
            question = saved.questions.get(outcome.job.photo_id)
            if question is None:
                landed.done += stage is self._last_read
                self._land(outcome, landed)
            else:
                self._ask(outcome, question)
        landed.saved[stage.lane] += len(saved.changed)
        self._lanes[stage.lane].succeeded(saved.changed)

    def _ask(self, outcome: Outcome, question: Question) -> None:
        """Set an outcome aside until a question about files is answered."""
        self.outcomes.remove(outcome)
        self._probe.look(
            question,
            lambda found: self.outcomes.append(replace(outcome, result=found)),
            lambda error: self.outcomes.append(replace(outcome, result=None, error=error)),
        )

    def _land(self, outcome: Outcome, landed: Landed) -> None:
        self.outcomes.remove(outcome)
        self._pardoned.discard(outcome.job.photo_id)
        landed.jobs.append(outcome.job)

    # --- failures

    def _save_error(self, stage: Stage, outcome: Outcome, error: Exception, landed: Landed) -> None:
        job = outcome.job
        stopped = isinstance(error, WorkerCancelled | Cancelled)
        trouble = error if isinstance(error, WorkerUnavailable) else self._trouble(job, error)
        if stopped or trouble is not None:
            self._catalog.work.put_back(job.stage, [job.photo_id])
            if not stopped and job.photo_id not in self._pardoned:
                landed.trouble = trouble
        elif effect := self._lanes[stage.lane].handle_failure(self._catalog, job, error):
            landed.changed += effect.changed
            if effect.broken is not None:
                landed.broken.setdefault(stage.lane, effect.broken)
        elif stage.reads != "proxy" and (gone := self._drive_gone(outcome, error)) is not False:
            if gone is None:
                return  # the drive is checked first
            self._catalog.work.postpone(job.stage, job.photo_id, NO_ANSWER, RETRY_S)
        else:
            self._save_failure(stage, job, error, landed)
        self._land(outcome, landed)

    def _drive_gone(self, outcome: Outcome, error: Exception) -> bool | None:
        """Whether a job failed because its drive is gone; None: the drive is being checked."""
        if outcome.drive_gone is not None:
            return outcome.drive_gone
        answer = self._availability.may_be_gone(outcome.job, error)
        if isinstance(answer, bool):
            return answer
        self.outcomes.remove(outcome)
        self._availability.ask_drive(
            outcome.job,
            answer,
            lambda gone: self.outcomes.append(replace(outcome, drive_gone=gone)),
        )
        return None

    def _save_failure(self, stage: Stage, job: StageJob, error: Exception, landed: Landed) -> None:
        """Save why a photo failed; the reason is shown to the photographer."""
        if isinstance(error, WorkerError | GoneError | EncodingError):
            # A job that hung or ran out of memory would do so again, and each time cost a process
            # and a minute. It is not tried again unless a person asks.
            costly = isinstance(error, WorkerTimeout | WorkerMemory) and stage.reads != "proxy"
            self._fail(stage, job, error, not costly, landed)
        elif isinstance(error, KnownError):
            self._fail(stage, job, error, False, landed)
        elif isinstance(error, OSError):
            reason = f"The file cannot be read ({error.strerror or error})."
            self._fail(stage, job, KnownError(reason), True, landed)
        else:
            trace = None if isinstance(error, WorkerBug) else error
            log.error("%s of %s failed: %s", job.stage, job.path, error, exc_info=trace)
            self._fail(stage, job, KnownError(INTERNAL_ERROR), False, landed)

    def _trouble(self, job: StageJob, error: Exception) -> KnownError | None:
        """Return what is wrong with the folder of derived files, if that caused an error.

        Such an error is no photo's failure.
        """
        cache = Path(job.cache)
        if isinstance(error, DiskFullError) or atomic.is_full(error):
            return DiskFullError(
                f"The disk that holds {cache} is full. Background work is paused.",
                "Free some disk space, then resume. Everything read so far is kept.",
            )
        if not isinstance(error, OSError) or not isinstance(error.filename, str):
            return None
        if not Path(error.filename).is_relative_to(cache):
            return None
        return KnownError(
            f"Nothing can be written in {cache} ({error.strerror}). Background work is paused.",
            "Check that disk, then resume. Everything read so far is kept.",
        )

    def _fail(
        self, stage: Stage, job: StageJob, error: KnownError, retry: bool, landed: Landed
    ) -> None:
        landed.changed.append(job.photo_id)
        if self._lanes[stage.lane].fail(self._catalog, job, error):
            return
        final = self._catalog.work.save_failure(
            job,
            error.args[0],
            retry=retry,
            attempts=self._work.attempts,
            backoff_s=self._work.backoff_s,
        )
        self._lanes[stage.lane].failed(job.photo_id, str(error), final)
        landed.failed += final and stage.reads == "file"
