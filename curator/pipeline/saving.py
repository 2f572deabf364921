"""Saving what came of jobs, in transactions short enough for a decision to wait for one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator import atomic
from curator.catalog import Catalog, DiskFullError, Unread
from curator.encoders import EncodingError
from curator.model import (
    INTERNAL_ERROR,
    CatalogError,
    GoneError,
    KnownError,
    StageJob,
    UnreadableError,
)
from curator.pipeline.describing import DESCRIBE, VisionLane
from curator.pipeline.file_probe import Reader, Wish
from curator.pipeline.folder_availability import ASIDE_S, UNSURE
from curator.pipeline.lanes import Outcome
from curator.settings import WorkSettings
from curator.stages import Stage
from curator.vision import Cancelled, VisionError
from curator.workers import (
    WorkerBug,
    WorkerCancelled,
    WorkerError,
    WorkerMemory,
    WorkerTimeout,
    WorkerUnavailable,
)

log = logging.getLogger(__name__)

EMBED = "embed"
# Photos in a row that the encoder could do nothing with: of one that saw others, and of a new one.
_BLIND_AFTER, _BLIND_FROM_THE_START = 6, 2
_AT_MOST = 32  # results in one transaction
# A decision waits while we write: batches shrink until a transaction is shorter than this.
_TARGET_S = 0.003


@dataclass
class Saved:
    """What one call saved.

    Attributes:
        changed: ids of photos whose rows changed.
        landed: the jobs that are dealt with.
        done: photos that went through their last stage.
        failed: photos that failed for good.
        embedded: photos the encoder has seen.
        described: photos the vision model has described.
        blind: why the encoder sees nothing; its photos were put back.
        trouble: why nothing more should be begun now.
    """

    changed: list[int] = field(default_factory=list)
    landed: list[StageJob] = field(default_factory=list)
    done: int = 0
    failed: int = 0
    embedded: int = 0
    described: int = 0
    blind: KnownError | None = None
    trouble: KnownError | None = None


class Saver:
    """Keeps outcomes until they are saved; the catalog may be full or held meanwhile.

    Attributes:
        vision: the lane that is told what came of describing.
        doubts: says of a job that failed whether its drive may just have gone.

    Thread: the conductor's.
    """

    vision: VisionLane
    doubts: Callable[[StageJob, Exception, Reader], bool]

    def __init__(
        self,
        catalog: Catalog,
        stages: Sequence[Stage],
        work: WorkSettings,
        cache: Path,
        read: Callable[[Outcome, Unread], None],
        reader: Reader,
    ) -> None:
        """Make a saver.

        Args:
            catalog: where results go.
            stages: what photos go through, in order.
            work: how often what failed is tried again.
            cache: where derived files go, for words about a full disk.
            read: takes an outcome aside until what it lacks was read; it comes again then.
            reader: has what was read.
        """
        self._read, self._reader = read, reader
        self._aside: dict[int, list[Wish]] = {}
        self._catalog = catalog
        self._stages = stages
        self._work = work
        self._cache = cache
        self._at_most = _AT_MOST
        self._pardoned: set[int] = set()
        self._of_files = [stage.name for stage in stages if stage.reads == "file"]
        self._last_read = self._of_files[-1]
        self.use_encoder(None)
        self.outcomes: list[Outcome] = []

    def use_encoder(self, key: str | None) -> None:
        """Judge failures by this encoder alone: one that was given up may still be at work."""
        self._encoder = key
        self._blind_in_a_row = 0
        self._sees = False  # whether the encoder has seen anything yet

    def pardon(self, photo_ids: Iterable[int]) -> None:
        """Not take trouble of these as new: they were begun before it was over."""
        self._pardoned = set(photo_ids)

    def save(self) -> Saved:
        """Save some outcomes; those that were are taken off :attr:`outcomes`.

        A CatalogError is told as ``trouble``, and what could not be saved stays.
        """
        saved = Saved()
        some = self.outcomes[: self._at_most]
        begin = time.monotonic()
        try:
            for stage in self._stages:
                self._save_results(
                    stage.name, [o for o in some if o.job.stage == stage.name], saved
                )
        except CatalogError as error:
            saved.trouble = error
        took = time.monotonic() - begin
        if took > _TARGET_S:
            self._at_most = max(4, self._at_most // 2)
        elif took < _TARGET_S / 2:
            self._at_most = min(_AT_MOST, self._at_most + 2)
        return saved

    def _save_results(self, stage: str, outcomes: list[Outcome], saved: Saved) -> None:
        good = [outcome for outcome in outcomes if outcome.error is None]
        if good:
            self._save_good(stage, good, saved)
        for outcome in outcomes:
            if outcome.error is not None:
                try:
                    self._save_error(outcome.job, outcome.error, saved)
                except Unread as unread:
                    self._lay_aside(outcome, unread)
                else:
                    self._landed(outcome, saved)

    def _save_good(self, stage: str, good: list[Outcome], saved: Saved) -> None:
        results = [(outcome.job, outcome.result) for outcome in good]
        try:
            if stage == "peek":
                settled = self._catalog.results.save_peeked(results, self._reader)
                saved.changed += settled.changed
                good = self._put_aside(good, settled.lacking)
            elif stage == EMBED:
                embedded = self._catalog.vectors.save(results)
                saved.changed += embedded
                saved.embedded += len(embedded)
                self._blind_in_a_row, self._sees = 0, True
            elif stage == DESCRIBE:
                told = [(job.photo_id, self.vision.kept(result)) for job, result in results]
                described = self._catalog.descriptions.save(told, good[0].job.asking.prompt)
                saved.changed += described
                saved.described += len(described)
                self.vision.answered(described)
            else:
                saved.changed += self._catalog.results.save_converted(results)
        except CatalogError:
            raise
        except Exception:
            if len(good) > 1:  # one of them is to blame
                for outcome in good:
                    self._save_good(stage, [outcome], saved)
                return
            log.exception("saving the result of %s for %s failed", stage, good[0].job.path)
            self._fail(good[0].job, INTERNAL_ERROR, False, saved)
        else:
            saved.done += len(good) if stage == self._last_read else 0
        for outcome in good:
            self._landed(outcome, saved)

    def _put_aside(self, good: list[Outcome], lacking: Mapping[int, Unread]) -> list[Outcome]:
        """Have read what some peeks lack, which may be whole files; return the others."""
        for outcome in good:
            unread = lacking.get(outcome.job.photo_id)
            if unread is not None:
                self._lay_aside(outcome, unread)
        return [outcome for outcome in good if outcome.job.photo_id not in lacking]

    def _lay_aside(self, outcome: Outcome, unread: Unread) -> None:
        self.outcomes.remove(outcome)
        self._aside.setdefault(outcome.job.photo_id, []).extend(unread.wanted)
        self._read(outcome, unread)

    def _landed(self, outcome: Outcome, saved: Saved) -> None:
        self._reader.forget(self._aside.pop(outcome.job.photo_id, ()))
        self.outcomes.remove(outcome)
        self._pardoned.discard(outcome.job.photo_id)
        saved.landed.append(outcome.job)

    def _save_error(self, job: StageJob, error: Exception, saved: Saved) -> None:
        stopped = isinstance(error, WorkerCancelled | Cancelled)
        trouble = error if isinstance(error, WorkerUnavailable) else self._trouble(error)
        if stopped or trouble is not None:
            self._catalog.work.put_back(job.stage, [job.photo_id])
            if not stopped and job.photo_id not in self._pardoned:
                saved.trouble = trouble
        elif isinstance(error, VisionError):
            self.vision.refused(self._catalog, job, error)
            saved.changed.append(job.photo_id)
        elif job.stage == DESCRIBE:
            self.vision.failed(self._catalog, job, error)
            saved.changed.append(job.photo_id)
        elif job.encoder is not None and job.encoder.key != self._encoder:
            self._catalog.work.put_back(job.stage, [job.photo_id])
        elif job.stage == EMBED and self._is_blind(error):
            self._catalog.work.put_back(job.stage, [job.photo_id])
            saved.blind = error if isinstance(error, KnownError) else KnownError(INTERNAL_ERROR)
            if not isinstance(error, KnownError):
                log.error("%s of %s failed: %s", job.stage, job.path, error)
        elif job.stage in self._of_files and self.doubts(job, error, self._reader):
            self._catalog.work.postpone(job.stage, job.photo_id, UNSURE, ASIDE_S)
        elif isinstance(error, WorkerError | GoneError | EncodingError):
            # What hung, or filled memory up to its limit, would again, a process and a minute each
            # time: it waits for a person.
            costly = isinstance(error, WorkerTimeout | WorkerMemory) and job.stage in self._of_files
            self._fail(job, error.args[0], not costly, saved)
        elif isinstance(error, KnownError):
            self._fail(job, error.args[0], False, saved)
        elif isinstance(error, OSError):
            reason = f"The file cannot be read ({error.strerror or error})."
            self._fail(job, reason, True, saved)
        else:
            trace = None if isinstance(error, WorkerBug) else error
            log.error("%s of %s failed: %s", job.stage, job.path, error, exc_info=trace)
            self._fail(job, INTERNAL_ERROR, False, saved)

    def _trouble(self, error: Exception) -> KnownError | None:
        """Say what is wrong with the place of derived files, if that is what an error means.

        No photo is to blame for it, so none fails by it.
        """
        if is_disk_full(error):
            return disk_full(self._cache)
        if not isinstance(error, OSError) or not isinstance(error.filename, str):
            return None
        if not Path(error.filename).is_relative_to(self._cache):
            return None
        return KnownError(
            f"Nothing can be written in {self._cache} ({error.strerror}); reading is paused.",
            "See to that disk, then let it go on or ask again; what was read is kept.",
        )

    def _is_blind(self, error: Exception) -> bool:
        """Say whether the encoder is to blame: it cannot be loaded, or dies of every photo."""
        if isinstance(error, UnreadableError | GoneError | OSError):
            return False
        if isinstance(error, WorkerError | EncodingError) or not isinstance(error, KnownError):
            self._blind_in_a_row += 1
            most = _BLIND_AFTER if self._sees else _BLIND_FROM_THE_START
            return self._blind_in_a_row > most
        return True

    def _fail(self, job: StageJob, reason: str, retry: bool, saved: Saved) -> None:
        if job.stage == DESCRIBE:  # a mistake of ours: what the world does goes to the lane
            self.vision.failed(self._catalog, job, KnownError(reason))
            saved.changed.append(job.photo_id)
            return
        final = self._catalog.work.save_failure(
            job,
            reason,
            retry=retry,
            attempts=self._work.attempts,
            backoff_s=self._work.backoff_s,
        )
        saved.failed += final and job.stage != EMBED
        saved.changed.append(job.photo_id)


def is_disk_full(error: Exception) -> bool:
    """Say whether an error means that there is no room to write."""
    return isinstance(error, DiskFullError) or atomic.is_full(error)


def disk_full(where: Path) -> DiskFullError:
    """Say that there is no room for derived files."""
    return DiskFullError(
        f"The disk that holds {where} is full; reading is paused.",
        "Make room, then let it go on or ask again; what was read is kept.",
    )
