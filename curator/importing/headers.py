"""Capture time, camera and fingerprint of the files on a card, read in worker processes.

A header that crashes its reader costs that file its capture time, nothing else: the photo is still
copied. A file that cannot be read is named with the reason. When the card itself is gone, reading
ends instead of failing file by file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from curator import files, volumes
from curator.importing.card_files import CardContents, CardFile
from curator.model import Capture, GoneError, KnownError
from curator.workers import (
    WorkerBug,
    WorkerCancelled,
    WorkerError,
    WorkerPool,
    WorkerTimeout,
    WorkerUnavailable,
)

BATCH = 32  # files read by one call of a worker
TIMEOUT_S = 60.0  # for a batch, or for one file of a batch that failed
_PARALLEL = 2  # one worker parses while the other waits for the card; more only make it seek
_POLL_S = 0.2  # how often it is checked whether to stop


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the header of a file says.

    Attributes:
        fingerprint: of its content; empty if it could not be read.
        taken_at: the wall clock of the camera; None if the file has no capture time.
        camera: the camera's name, or None.
        problem: why the file could not be read, in one sentence, or empty.
    """

    fingerprint: str = ""
    taken_at: datetime | None = None
    camera: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to read; ``header`` is whether its capture time is wanted."""

    path: str
    size: int
    header: bool


def make_pool(memory_mb: int) -> WorkerPool:
    """Return the processes for :func:`read_headers`; a person waits for them.

    Args:
        memory_mb: resident memory at which a process is killed.
    """
    return WorkerPool(
        _PARALLEL, memory_mb=memory_mb, nice=0, name="import", preload=("curator.imaging.exif",)
    )


def read_headers(
    contents: CardContents,
    pool: WorkerPool,
    *,
    progressed: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[Path, FileFacts]:
    """Read the facts of all files of all items.

    Capture time and camera are read from the main file of a photo; from the other half of a pair
    if the main file has none. Companions and videos have a fingerprint only.

    Args:
        contents: what is on the cards.
        pool: processes that read, from :func:`make_pool`.
        progressed: called with the numbers of files read and of all files.
        stopped: asked several times a second; reading ends when it returns True.

    Raises:
        WorkerCancelled: ``stopped`` returned True, or the pool was closed.
        WorkerUnavailable: no process can be started.
        GoneError: a card is no longer there.
    """
    mains = {item.main for item in contents.items if item.photo_files}
    found = [file for item in contents.items for file in item.files]
    reading = _Reading(pool, stopped, {file.card for file in found})
    facts = reading.read(
        [_job(file, file in mains) for file in found], lambda done: progressed(done, len(found))
    )
    undated = [
        item.files[1]
        for item in contents.items
        if item.photo_files > 1 and facts[str(item.main.path)].taken_at is None
    ]
    facts |= reading.read([_job(file, True) for file in undated], lambda done: None)
    return {file.path: facts[str(file.path)] for file in found}


def _job(file: CardFile, header: bool) -> _Job:
    return _Job(str(file.path), file.size, header)


class _Reading:
    """Reads files in worker processes, in batches; a batch that fails is read file by file.

    Thread: each batch waits on a thread of its own.
    """

    def __init__(self, pool: WorkerPool, stopped: Callable[[], bool], cards: set[Path]) -> None:
        self._pool, self._stopped = pool, stopped
        self._devices = {card: _device(card) for card in cards}
        self._is_over = False

    def read(self, jobs: Sequence[_Job], progressed: Callable[[int], None]) -> dict[str, FileFacts]:
        """Read files; see :func:`read_headers`."""
        facts: dict[str, FileFacts] = {}
        batches = [jobs[at : at + BATCH] for at in range(0, len(jobs), BATCH)]
        with ThreadPoolExecutor(_PARALLEL, "curator-headers") as threads:
            pending = {threads.submit(self._read_batch, batch) for batch in batches}
            try:
                while pending:
                    done, pending = wait(pending, _POLL_S, FIRST_COMPLETED)
                    for each in done:
                        facts |= each.result()
                        progressed(len(facts))
                    if self._stopped():
                        raise WorkerCancelled("Reading the card was stopped.")
            except BaseException:
                self._is_over = True
                threads.shutdown(wait=False, cancel_futures=True)
                self._pool.cancel(self)
                raise
        return facts

    def _read_batch(self, jobs: Sequence[_Job]) -> dict[str, FileFacts]:
        try:
            facts = self._run(jobs)
        except (WorkerCancelled, WorkerUnavailable):
            raise
        except (WorkerError, WorkerBug):
            self._check_cards()
            return {job.path: self._read_alone(job) for job in jobs}
        if any(each.problem for each in facts.values()):
            self._check_cards()
        return facts

    def _read_alone(self, job: _Job) -> FileFacts:
        try:
            return self._run([job])[job.path]
        except (WorkerCancelled, WorkerUnavailable):
            raise
        except (WorkerError, WorkerBug) as error:
            self._check_cards()
            if job.header and not isinstance(error, WorkerTimeout):
                return self._read_alone(replace(job, header=False))
            problem = "Reading it failed." if isinstance(error, WorkerBug) else error.args[0]
            return FileFacts(problem=problem)

    def _run(self, jobs: Sequence[_Job]) -> dict[str, FileFacts]:
        if self._is_over:
            raise WorkerCancelled("Reading the card was stopped.")
        facts = self._pool.run(_read_files, jobs, timeout_s=TIMEOUT_S, token=self)
        return {job.path: each for job, each in zip(jobs, facts, strict=True)}

    def _check_cards(self) -> None:
        """Raise GoneError if a card was removed: its files did not fail one by one."""
        for card, device in self._devices.items():
            if _device(card) != device:
                raise GoneError(
                    f"{card.name or card} was removed while it was read.",
                    "Insert it again, then start again.",
                )


def _device(card: Path) -> int | None:
    """Return the id of the drive a card is on; None if it is gone or does not answer."""
    status = volumes.status(card)
    return None if status is None else status.st_dev


def _read_files(jobs: Sequence[_Job]) -> list[FileFacts]:
    """Read the facts of files; runs in a worker process."""
    return list(map(_read_file, jobs))


def _read_file(job: _Job) -> FileFacts:
    from curator.imaging import exif  # in a worker only; the window starts without its libraries

    try:
        if files.status(job.path).st_size != job.size:
            return FileFacts(problem="Its size changed after the card was listed.")
        fingerprint = files.fingerprint(job.path)
    except KnownError as error:
        return FileFacts(problem=error.args[0])
    capture = Capture()
    if job.header:
        with contextlib.suppress(KnownError):  # the content could be read: it is copied, undated
            capture = exif.read_capture(job.path)
    return FileFacts(fingerprint, capture.taken_at, capture.camera)
