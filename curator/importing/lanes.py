"""Lanes: the destinations of an import, each with a thread that writes and one that verifies.

    lane = Lane(0, Anchor(folder), results)
    writing = lane.begin(job)            # ImportRun reads the card once and feeds all lanes
    writing.put(block, timeout_s)        # False if the lane had no room in time
    writing.end(whole=True)              # later: a Result in `results`

A file is written under a temporary name beside its final one, synced, read back past the cache,
compared, renamed without overwriting, and its folder is synced; only then the result says verified.
While one file is read back, the next is being written. What goes wrong at one destination never
holds up another: a lane that is full or gone gets no more files until it is usable again.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from queue import Empty, SimpleQueue

from curator import atomic, naming
from curator.catalog import VerifiedCopy
from curator.importing.anchor import Anchor
from curator.importing.plan import Action, PlannedFile
from curator.importing.readback import hash_past_cache
from curator.importing.report import DestinationState
from curator.model import INTERNAL_ERROR, Kind, KnownError
from curator.opened_folder import FileState, OpenedFolder, file_id

log = logging.getLogger(__name__)

_ROOM = 64  # blocks of 1 MiB a lane may be behind the reader: memory stays bounded
_IN_FLIGHT = 12  # files between the reader and the end of verification
_SYNC_FILES = 32  # renamed files after which their folders are synced, at the latest
_SYNC_S = 0.5
_SILENT_S = 60.0  # without progress for so long, a drive does not answer
_CLOSE_S = 3.0
_SPARE = 8 << 20  # bytes: a full disk is not used again for less
_RETRY_S = 30.0  # a quota or a write protection refuses what the drive seems to have room for

# Temporary files of this process whose drive was away when they were to be removed: their process
# lives, so that a later import of it has to know them by name.
_left: set[str] = set()


class Outcome(StrEnum):
    """How one file ended at one destination."""

    VERIFIED = "verified"
    CHECKED = "checked"  # was there already, and is equal
    OTHER = "other"  # another file has its name
    UNEQUAL = "unequal"  # read back differently from what was written
    FAILED = "failed"
    AGAIN = "again"  # not the file's fault: the destination is full or gone, or was too slow


@dataclass(eq=False)
class Job:
    """One file on its way to the destinations.

    Attributes:
        number: its place in the order of the import.
        planned: what to do.
        kind: of a photo's file; None for videos, recordings and companions.
        actions: what to do by lane; a CHECK becomes a COPY if another file has the name.
        attempts: failed attempts by lane.
        sha256: of what was read from the card, once it was read.
        fingerprint: of the same bytes.
        after: an earlier file of the same name, such as the same photo on another card; this one is
            compared with its copies.
    """

    number: int
    planned: PlannedFile
    kind: Kind | None
    actions: list[Action]
    attempts: dict[int, int] = field(default_factory=dict)
    sha256: str = ""
    fingerprint: str = ""
    after: Job | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file at one lane; ``copy`` if it is verified there."""

    lane: int
    job: Job
    outcome: Outcome
    copy: VerifiedCopy | None = None
    reason: str = ""


class AbandonedError(Exception):
    """The reader gave up on a file."""


class _Room:
    """Counts the blocks that a lane holds in memory. Thread: any."""

    def __init__(self, size: int) -> None:
        self._changed = threading.Condition()
        self._size, self.used = size, 0

    def take(self, timeout_s: float) -> bool:
        """Wait for room for one block; return False if there was none in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.used < self._size, timeout_s):
                return False
            self.used += 1
            return True

    def free(self) -> None:
        """Make room for one more block."""
        with self._changed:
            self.used -= 1
            self._changed.notify()


class Writing:
    """A file that the reader feeds and a lane writes.

    Attributes:
        job: the file.
        temporary: the name it is written under, empty before that.
    """

    def __init__(self, job: Job, room: _Room) -> None:
        self.job, self._room = job, room
        self.temporary = ""
        self._blocks: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._dropped = self._ended = self._whole = False

    # --- the reader's thread

    def put(self, block: bytes, timeout_s: float) -> bool:
        """Hand over a block; return False if the lane had no room for it in time."""
        if self._dropped:
            return True
        if not self._room.take(timeout_s):
            return False
        with self._lock:
            if not self._dropped:
                self._blocks.put(block)
                return True
        self._room.free()
        return True

    def end(self, whole: bool) -> None:
        """End the file, once; without its rest the lane removes what it wrote.

        Args:
            whole: no block is missing, and the job has the hash.
        """
        if not self._ended:
            self._ended, self._whole = True, whole
            self._blocks.put(None)

    # --- the lane's thread

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks as they come.

        Raises:
            AbandonedError: the reader gave up on the file.
        """
        while (block := self._blocks.get()) is not None:
            try:
                yield block
            finally:
                self._room.free()
        if not self._whole:
            raise AbandonedError

    def drop(self) -> None:
        """Take no more blocks."""
        with self._lock:
            self._dropped = True
        with contextlib.suppress(Empty):
            while True:
                if self._blocks.get_nowait() is not None:
                    self._room.free()


class Lane:
    """One destination of an import.

    Attributes:
        index: its index in the request.
        anchor: the destination folder and its volume.
        state: what it is doing; set by its threads and by `ImportRun`.
        reason: why it was suspended, in one sentence.
        in_flight: files begun whose result was not collected yet; counted by `ImportRun`.
        written: bytes written or compared so far.

    Thread: methods are called by the run's thread.
    """

    def __init__(self, index: int, anchor: Anchor, results: SimpleQueue[Result]) -> None:
        """Open the destination and start its threads.

        Raises:
            OSError: it cannot be opened.
        """
        self.index, self.anchor, self._results = index, anchor, results
        self._folder = OpenedFolder.at(anchor.path)
        self.state, self.reason = DestinationState.COPYING, ""
        self.in_flight = self.written = 0
        self._moved_at = time.monotonic()
        self._room = _Room(_ROOM)
        self._stopped = False
        self._suspended_at = 0.0
        self._is_untried = False  # nothing was written since it was reopened
        self._is_futile = False  # reopening it led to nothing
        self._made: set[str] = set()
        self._to_write: SimpleQueue[Writing | None] = SimpleQueue()
        self._to_verify: SimpleQueue[Writing | Job | None] = SimpleQueue()
        self._renamed: list[tuple[str, Result]] = []  # waits until its folder is synced
        self._renamed_at = 0.0
        self._threads = [
            threading.Thread(target=run, name=f"curator-import-{name}-{index}", daemon=True)
            for name, run in (("write", self._write_all), ("verify", self._verify_all))
        ]
        for thread in self._threads:
            thread.start()

    # --- asked by the reader

    @property
    def is_ready(self) -> bool:
        """Whether it can take another file without holding up the reader."""
        return (
            self.state is DestinationState.COPYING
            and self.in_flight < _IN_FLIGHT
            and self._room.used < _ROOM // 2
        )

    @property
    def is_starving(self) -> bool:
        """Whether its writer has nothing to do."""
        return not self._room.used

    @property
    def is_silent(self) -> bool:
        """Whether it has work and made no progress for long: the drive does not answer."""
        return bool(self.in_flight) and time.monotonic() - self._moved_at > _SILENT_S

    @property
    def trouble(self) -> str:
        """Why it takes no files now, in one sentence, or empty."""
        return f"{self.anchor.label} does not answer." if self.is_silent else self.reason

    def sweep(self, folders: Iterable[str]) -> None:
        """Remove what killed imports left in folders of the destination, where these exist."""
        for folder in folders:
            with contextlib.suppress(OSError, KnownError):
                self._sweep(folder)

    def begin(self, job: Job) -> Writing:
        """Begin to write a file; the caller feeds the blocks."""
        self._note_begun()
        writing = Writing(job, self._room)
        self._to_write.put(writing)
        return writing

    def check(self, job: Job) -> None:
        """Compare the file that has the name already with what was read from the card."""
        self._note_begun()
        self._to_verify.put(job)

    def _note_begun(self) -> None:
        if not self.in_flight:
            self._moved_at = time.monotonic()
        self.in_flight += 1

    def reopen(self, needed: int) -> bool:
        """Use the destination again if its drive is back and has room again.

        It must be the folder and the volume that it was: nothing is created here.

        Args:
            needed: the bytes of the next file.
        """
        if self.in_flight or not self.anchor.find_again():
            return False
        if self._is_futile and time.monotonic() - self._suspended_at < _RETRY_S:
            return False
        try:
            if shutil.disk_usage(self.anchor.path).free < needed + _SPARE:
                return False
            folder = OpenedFolder.at(self.anchor.path)
        except OSError:
            return False
        self._folder.close()
        self._folder = folder
        self.sweep(self._made)
        self._made.clear()
        self.state, self.reason = DestinationState.COPYING, ""
        self._is_untried = True
        return True

    def write_file(self, name: str, content: bytes) -> str:
        """Write a small file of our own into the destination, under the first name that is free.

        Raises:
            OSError, OutsideError: it cannot be written.
        """
        path = PurePosixPath(name)
        with self._folder.temporary(name) as temporary:
            with self._folder.create(temporary) as file:
                file.write(content)
            for number in itertools.count(1):  # another import may take a name at this moment
                numbered = naming.joined(path.stem, number, path.suffix)
                with contextlib.suppress(FileExistsError):
                    self._folder.commit(temporary, numbered, None)
                    break
        self._folder.sync()
        return str(self._folder.path / numbered)

    def finish(self) -> None:
        """End the threads; one that hangs in the system is left to end with the process."""
        self._stopped = True
        self._to_write.put(None)
        for thread in self._threads:
            thread.join(_CLOSE_S)

    def close(self) -> None:
        """Close the destination, after :meth:`finish`."""
        if not any(thread.is_alive() for thread in self._threads):
            self._folder.close()

    # --- writing

    def _write_all(self) -> None:
        while (writing := self._to_write.get()) is not None:
            try:
                self._write(writing)
                self._to_verify.put(writing)
            except Exception as error:
                self._give_back(writing, error)
        self._to_verify.put(None)

    def _write(self, writing: Writing) -> None:
        """Write one file under a temporary name and sync it."""
        if self.state is not DestinationState.COPYING:
            raise AbandonedError
        name = PurePosixPath(writing.job.planned.name)
        self._prepare(str(name.parent))
        writing.temporary = name.with_name(atomic.temporary_path(Path("-")).name).as_posix()
        with self._folder.create(writing.temporary) as file:
            for block in writing.blocks():
                if self._stopped:
                    raise AbandonedError
                file.write(block)
                self.written += len(block)
                self._moved_at = time.monotonic()
        self._moved_at, self._is_untried = time.monotonic(), False

    def _prepare(self, folder: str) -> None:
        """Make a folder, once, and sync those above it: its name must outlast a power cut too."""
        if folder in self._made:
            return
        if folder != ".":
            self._folder.make_folder(folder)
            for above in PurePosixPath(folder).parents:
                with self._opened(str(above)) as outer:
                    outer.sync()
        self._made.add(folder)

    def _opened(self, folder: str) -> OpenedFolder:
        return self._folder.inside("" if folder == "." else folder)

    def _sweep(self, folder: str) -> None:
        with self._opened(folder) as inside:
            inside.remove_leftovers()
            for name in _left.intersection(inside.names()):
                inside.remove(name)

    def _give_back(self, writing: Writing, error: Exception) -> None:
        """Drop a file: take no more blocks, remove what was written, and report."""
        writing.drop()
        self._discard(writing.temporary)
        self._results.put(self._failure(writing.job, error))

    def _discard(self, temporary: str) -> None:
        if temporary:
            try:
                self._folder.remove(temporary)
            except (OSError, KnownError):
                _left.add(PurePosixPath(temporary).name)

    def _failure(self, job: Job, error: Exception) -> Result:
        """Return the result for an error: the file's fault, or that of the destination."""
        if isinstance(error, AbandonedError):
            return Result(self.index, job, Outcome.AGAIN)
        if isinstance(error, KnownError):
            return Result(self.index, job, Outcome.FAILED, reason=str(error))
        if not isinstance(error, OSError):
            log.error("an import failed at %s", self.anchor.path, exc_info=error)
            return Result(self.index, job, Outcome.FAILED, reason=INTERNAL_ERROR)
        label = self.anchor.label
        if atomic.is_full(error):
            self._suspend(DestinationState.FULL, f"{label} is full. Free some space to continue.")
        elif error.errno == errno.EROFS:
            self._suspend(DestinationState.WAITING, f"{label} is write-protected.")
        elif not self.anchor.is_here():
            self._suspend(
                DestinationState.WAITING, f"{label} was removed. Connect it again to continue."
            )
        else:
            reason = f"It cannot be written ({error.strerror or error})."
            return Result(self.index, job, Outcome.FAILED, reason=reason)
        return Result(self.index, job, Outcome.AGAIN)

    def _suspend(self, state: DestinationState, reason: str) -> None:
        self._is_futile, self._suspended_at = self._is_untried, time.monotonic()
        self.reason, self.state = reason, state

    # --- verifying

    def _verify_all(self) -> None:
        while True:
            try:
                task = self._to_verify.get(timeout=_SYNC_S if self._renamed else None)
            except Empty:
                self._report_renamed()
                continue
            if task is None:
                break
            job = task if isinstance(task, Job) else task.job
            try:
                result = self._check(task) if isinstance(task, Job) else self._verify(task)
            except Exception as error:
                if not isinstance(task, Job):
                    self._discard(task.temporary)
                result = self._failure(job, error)
            self._moved_at = time.monotonic()
            if result.copy is None:
                self._results.put(result)
                continue
            if not self._renamed:
                self._renamed_at = time.monotonic()
            self._renamed.append((str(PurePosixPath(result.copy.name).parent), result))
            late = time.monotonic() - self._renamed_at > _SYNC_S
            if late or len(self._renamed) >= _SYNC_FILES or self._to_verify.empty():
                self._report_renamed()
        self._report_renamed()

    def _report_renamed(self) -> None:
        """Sync the folders of renamed files; only then report them as verified."""
        renamed, self._renamed = self._renamed, []
        synced: dict[str, Exception | None] = {}
        for folder, result in renamed:
            if folder not in synced:
                synced[folder] = self._sync(folder)
            error = synced[folder]
            if error is not None:
                result = self._failure(result.job, error)
            self._results.put(result)

    def _sync(self, folder: str) -> Exception | None:
        try:
            with self._opened(folder) as inside:
                inside.sync()
        except Exception as error:
            return error
        return None

    def _verify(self, writing: Writing) -> Result:
        """Read a written file back, compare it, and rename it."""
        job = writing.job
        state, cached = self._read_back(writing.temporary)
        if state.sha256 != job.sha256:
            self._discard(writing.temporary)
            return Result(self.index, job, Outcome.UNEQUAL)
        # Only now: other imports take an old temporary file for one of a killed process.
        mtime_ns = job.planned.file.mtime_ns
        state = self._folder.set_mtime(writing.temporary, mtime_ns, state)
        path = PurePosixPath(job.planned.name)
        number = 1
        while True:
            leaf = naming.joined(path.stem, number, path.suffix)
            name = path.with_name(leaf).as_posix()
            try:
                self._folder.rename(writing.temporary, name, state)
            except FileExistsError:
                found = self._same_content(name, job.sha256)
                if found is not None:  # another import was faster
                    self._discard(writing.temporary)
                    return self._verified(Outcome.CHECKED, job, name, *found)
                number += 1
                continue
            return self._verified(Outcome.VERIFIED, job, name, state, cached)

    def _check(self, job: Job) -> Result:
        """Compare the file at the planned name with what was read from the card."""
        self.written += job.planned.file.size
        found = self._same_content(job.planned.name, job.sha256)
        if found is None:
            return Result(self.index, job, Outcome.OTHER)
        return self._verified(Outcome.CHECKED, job, job.planned.name, *found)

    def _same_content(self, name: str, sha256: str) -> tuple[FileState, bool] | None:
        """Return the state of a file if it is a plain file with this content."""
        if not self._folder.is_file(name):
            return None
        # Its writer may not have synced it; Windows allows that to writers only.
        with contextlib.suppress(OSError), self._folder.open(name) as file:
            atomic.sync(file.fileno())
        state, cached = self._read_back(name)
        return (state, cached) if state.sha256 == sha256 else None

    def _read_back(self, name: str) -> tuple[FileState, bool]:
        with self._folder.open(name) as file:
            handle = file.fileno()
            digest, cached = hash_past_cache(handle, self.anchor.mount, lambda: self._stopped)
            status = os.fstat(handle)
        if not digest:
            raise AbandonedError
        return FileState(digest, status.st_size, status.st_mtime_ns, file_id(status)), cached

    def _verified(
        self, outcome: Outcome, job: Job, name: str, state: FileState, cached: bool
    ) -> Result:
        status = self._folder.status(name)
        if status is None:
            raise FileNotFoundError(errno.ENOENT, "it vanished after it was renamed", name)
        source = job.planned.file
        copy = VerifiedCopy(
            str(source.card), source.relative, job.fingerprint, job.sha256, state.size,
            str(self.anchor.path), name, status.st_mtime_ns, cached, job.kind,
        )  # fmt: skip
        return Result(self.index, job, outcome, copy)
