"""Writing sidecars in batches in a worker process, on request or in the background.

The window and the command line use it. The catalog keeps a sidecar as waiting until it is on disk,
so that nothing is lost. `catalog.sidecars.request_write` requests sidecars from any process; with
background writing on, they are written once a person has made no mark for two seconds.

    found = catalog.sidecars.to_write(ids)
    jobs, without = jobs_for(found, profile)    # without: photos that need or get no sidecar
    batch.write(jobs)
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from curator.cards import COPY_FIRST, Protection
from curator.catalog import Catalog, SidecarContent, SidecarCounts, WriteResult
from curator.model import INTERNAL_ERROR, KnownError, counted
from curator.pipeline import metadata_embedding
from curator.pipeline.file_probe import opened_beside
from curator.settings import Settings
from curator.sidecar import PROFILES, Profile, batch
from curator.sidecar.batch import Outcome, SidecarJob, SidecarResult
from curator.stages import embed_metadata
from curator.stages.embed_metadata import MetadataResult
from curator.workers import WorkerCancelled, WorkerPool, WorkerUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
Opened = Callable[[], Catalog]
"""Opens the thread's catalog, or returns it."""

QUIET_S = 2.0
BATCH = 32  # sidecars a worker writes in one go: some 50 ms
_CHECK_S = 0.5  # how often to check for new marks
_AGAIN_S = 30.0  # how soon a failed write is tried again
_TIMEOUT_S = 60.0
_CLOSE_S = 2.0
_AWAY = "Its drive is not connected. Connect it, and the sidecar is written."


@dataclass(frozen=True, slots=True)
class SidecarNews:
    """How many sidecars wait.

    ``pending`` are to be written, ``conflicts`` differ from marks made here. ``reason`` is why some
    cannot be written, or empty. ``message`` is the result of a person's request once it is done,
    otherwise empty.
    """

    pending: int = 0
    conflicts: int = 0
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What writing one sidecar would change, line by line, or why it cannot be written.

    ``changed``: another program wrote it since Curator read it, so its marks are imported first.
    """

    photo_id: int
    path: str
    lines: tuple[str, ...] = ()
    problem: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What writing the sidecars of some photos would do.

    ``same`` is the number of sidecars that are up to date. ``without`` are ids of photos with
    metadata of which this editor reads no sidecar. ``lone`` are ids of those that a person marked:
    their marks reach this editor only if they are embedded.
    """

    profile: Profile
    photos: int
    differences: tuple[Difference, ...]
    same: int
    without: tuple[int, ...]
    lone: tuple[int, ...] = ()


def profile_of(settings: Settings) -> Profile:
    """Return the profile of the editor for which sidecars are written."""
    return PROFILES[settings.sidecars.profile]


def news_of(left: SidecarCounts, settings: Settings) -> SidecarNews:
    """Return how many sidecars wait; with background writing on, for all unwritten marks."""
    pending = left.unwritten if settings.sidecars.background else left.asked
    return SidecarNews(pending, left.conflicts, left.reason)


def jobs_for(
    found: Sequence[SidecarContent], profile: Profile, dry: bool = False
) -> tuple[list[SidecarJob], list[SidecarContent]]:
    """Return the jobs for photos, and the photos that need no sidecar or get none."""
    jobs: list[SidecarJob] = []
    without: list[SidecarContent] = []
    for each in found:
        file = (each.path, each.kind)
        job = batch.job_for(each.photo_id, file, each.fields, each.known, profile)
        # Metadata that is only embedded in the original needs no sidecar.
        if job is None or not (each.decided or each.sidecars):
            without.append(each)
        else:
            jobs.append(replace(job, dry=dry))
    return jobs, without


def preview(
    catalog: Catalog,
    ids: Sequence[int],
    profile: Profile,
    run: Callable[[Sequence[SidecarJob]], Sequence[SidecarResult]] = batch.write,
) -> Preview:
    """Return what writing the sidecars of photos would change; writes nothing.

    Args:
        catalog: has the marks.
        ids: of the photos.
        profile: the editor to write for.
        run: compares a batch, in this process or in a worker.
    """
    found: list[Difference] = []
    without: list[int] = []
    lone: list[int] = []
    same = 0
    for start in range(0, len(ids), BATCH):
        waiting = catalog.sidecars.to_write(ids[start : start + BATCH])
        # Conflicts wait for a person's choice.
        waiting = [each for each in waiting if all(s.state != "conflict" for s in each.sidecars)]
        jobs, left_out = jobs_for(waiting, profile, dry=True)
        reasons = _reasons(jobs)
        without += [each.photo_id for each in left_out if each.needs_sidecar]
        lone += [each.photo_id for each in left_out if each.decided]
        for result in _run(jobs, reasons, run):
            if result.outcome is Outcome.SAME:
                same += 1
                continue
            changed = result.outcome is Outcome.CHANGED
            found.append(
                Difference(result.photo_id, result.path, result.lines, result.problem, changed)
            )
    return Preview(profile, len(ids), tuple(found), same, tuple(without), tuple(lone))


@dataclass(frozen=True, slots=True)
class Batch:
    """The results of writing a few sidecars.

    ``results`` are those of all sidecars for which there was a job; marks in ``CHANGED`` ones were
    imported. ``failed`` are photo ids with the reason. ``without`` are ids of photos with metadata
    of which this editor reads no sidecar, ``taken`` of those whose marks a file replaced.
    """

    results: tuple[SidecarResult, ...]
    failed: tuple[tuple[int, str], ...]
    without: tuple[int, ...]
    taken: tuple[int, ...]

    def of(self, outcome: Outcome) -> list[SidecarResult]:
        """Return the results with an outcome."""
        return [result for result in self.results if result.outcome is outcome]


def write_some(
    catalog: Catalog,
    ids: Sequence[int],
    profile: Profile,
    run: Callable[[Sequence[SidecarJob]], Sequence[SidecarResult]] = batch.write,
) -> Batch:
    """Write the sidecars of a few photos, and save the results.

    A sidecar that another program changed since it was read is imported instead of written. Marks
    that the file still lacks are written the next time, unless they conflict with the file. A
    sidecar on a memory card is not written: it waits until a copy is the photo's main file.

    Args:
        catalog: has the marks.
        ids: of the photos; some tens.
        profile: the editor to write for.
        run: writes a batch, in this process or in a worker.
    """
    found = {each.photo_id: each for each in catalog.sidecars.to_write(ids)}
    away = [each for each in found.values() if each.missing]
    jobs, without = jobs_for([e for e in found.values() if not e.missing], profile)
    # These photos were merged, are gone, or have no sidecar that this editor reads.
    done = [WriteResult(photo, None, None) for photo in ids if photo not in found]
    done += [WriteResult(each.photo_id, each.since, None) for each in without]
    done += [WriteResult(each.photo_id, each.since, None, _AWAY) for each in away]
    results: tuple[SidecarResult, ...] = ()
    if jobs:
        reasons = _reasons(jobs)
        writing = [job for job in jobs if job.path not in reasons]
        catalog.sidecars.start_writing({job.photo_id: job.metadata for job in writing})
        results = _run(jobs, reasons, run)
    changed = [r for r in results if r.outcome is Outcome.CHANGED and r.now is not None]
    taken = catalog.metadata.save_readings(
        [(r.photo_id, [r.now]) for r in changed if r.now is not None]
    )
    for result in results:
        if result.outcome is not Outcome.CHANGED:
            since = found[result.photo_id].since
            done.append(WriteResult(result.photo_id, since, result.now, result.problem))
        elif result.now is not None and result.now.fields is None:
            # It cannot be read, so it must not be changed.
            done.append(WriteResult(result.photo_id, None, None, result.now.problem))
    catalog.sidecars.save_written(done)
    return Batch(
        results,
        tuple((wrote.photo_id, wrote.problem) for wrote in done if wrote.problem),
        tuple(each.photo_id for each in without if each.needs_sidecar),
        tuple(taken),
    )


def _reasons(jobs: Sequence[SidecarJob]) -> dict[str, str]:
    """Return why sidecars must not be written, by path; these are on memory cards."""
    protection = Protection()
    reasons = {job.path: protection.reason(job.path, COPY_FIRST) for job in jobs}
    return {path: reason for path, reason in reasons.items() if reason}


def _run(
    jobs: Sequence[SidecarJob],
    reasons: Mapping[str, str],
    run: Callable[[Sequence[SidecarJob]], Sequence[SidecarResult]],
) -> tuple[SidecarResult, ...]:
    """Run jobs; one with a reason is only compared, and fails if its sidecar would change."""
    results = run([replace(job, dry=job.dry or job.path in reasons) for job in jobs])
    return tuple(
        SidecarResult(result.photo_id, result.path, Outcome.FAILED, problem=reasons[result.path])
        if result.outcome is Outcome.WRITTEN and result.path in reasons
        else result
        for result in results
    )


class SidecarWriter:
    """Writes waiting sidecars on its own thread and connection, and reports the results.

    Thread: any, for every method.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        pool: WorkerPool,
        notify: Callable[[SidecarNews], None],
        changed: Callable[[list[int]], None],
    ) -> None:
        """Make a writer; nothing is read before :meth:`start`.

        Args:
            path: of the catalog.
            settings: read each time, so that changes count at once.
            pool: where sidecars are written; a pool of size 0 writes on this object's thread.
            notify: gets the news whenever they change, on this object's thread.
            changed: gets the ids of photos whose marks a file replaced, on this object's thread.
        """
        self._path, self._settings, self._pool = path, settings, pool
        self._notify, self._changed = notify, changed
        self._requests: SimpleQueue[Callable[[Opened], None] | None] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="curator-sidecars", daemon=True)
        self._version = -1
        self._known: object = None  # setting and revision of the sidecars at the last check
        self._due_at = 0.0
        self._reported = SidecarNews()
        self._failure = ""  # as last reported
        self._report = _Report()

    def start(self) -> None:
        """Start with the sidecars that were not written the last time."""
        self._thread.start()

    def wake(self) -> None:
        """Write waiting sidecars now, because a person asked."""
        self._requests.put(self._note_requested)

    def work_off(self) -> None:
        """Write waiting sidecars now on the calling thread, for tests."""
        with contextlib.closing(Catalog.open(self._path)) as catalog:
            self._due_at = 0.0
            self._turn(catalog)

    def preview(
        self, ids: Sequence[int], profile: Profile, callback: Callable[[Preview | KnownError], None]
    ) -> None:
        """Find what writing sidecars would change; ``callback`` gets it on this object's thread."""
        self._ask(lambda catalog: preview(catalog, ids, profile, self._run_batch), callback)

    def compare_originals(
        self, ids: Sequence[int], callback: Callable[[list[MetadataResult] | KnownError], None]
    ) -> None:
        """Find what embedding marks would change; ``callback`` gets it on this object's thread."""

        def compare(catalog: Catalog) -> list[MetadataResult]:
            run = partial(self._pool.run, embed_metadata.compare, timeout_s=_TIMEOUT_S)
            change, left = metadata_embedding.find_changes(catalog, ids, run)
            return [*change, *left]

        self._ask(compare, callback)

    def _ask(
        self, question: Callable[[Catalog], T], callback: Callable[[T | KnownError], None]
    ) -> None:
        """Answer a question on this object's thread; ``callback`` gets the answer or the error."""

        def request(opened: Opened) -> None:
            try:
                answer: T | KnownError = question(opened())
            except WorkerCancelled:  # closing
                return
            except KnownError as error:
                answer = error
            except Exception:
                log.exception("a question about sidecars failed")
                answer = KnownError(INTERNAL_ERROR)
            callback(answer)

        self._requests.put(request)

    def embed(self, ids: Sequence[int], program: str) -> None:
        """Embed marks in originals, only after a person agreed to how many; report progress.

        Args:
            ids: of the photos.
            program: from :func:`curator.exiftool.find`.
        """

        def request(opened: Opened) -> None:
            try:
                catalog = opened()
            except KnownError as error:
                self._notify(replace(self._reported, message=str(error)))
                return
            done: list[MetadataResult] = []
            run = partial(
                self._pool.run, embed_metadata.make, timeout_s=metadata_embedding.TIMEOUT_S
            )
            try:
                for start in range(0, len(ids), metadata_embedding.BATCH):
                    if self._stopped:
                        return
                    some = ids[start : start + metadata_embedding.BATCH]
                    done += metadata_embedding.embed_some(catalog, some, program, run)
                    self._report_embedding(catalog, f"Embedding: {len(done):,} of {len(ids):,}")
            except WorkerCancelled:  # closing
                return
            except Exception as error:
                if not isinstance(error, KnownError):
                    log.exception("marks could not be embedded")
                why = str(error) if isinstance(error, KnownError) else INTERNAL_ERROR
                self._report_embedding(catalog, f"{metadata_embedding.sentence(done)} · {why}")
                return
            self._report_embedding(catalog, metadata_embedding.sentence(done))

        self._requests.put(request)

    def _report_embedding(self, catalog: Catalog, message: str) -> None:
        news = news_of(catalog.sidecars.outstanding(), self._settings)
        self._notify(replace(news, message=message))

    def close(self) -> None:
        """End; sidecars that still wait are written after the next start. Close the pool first.

        A thread that waits for a drive which does not answer is left to end with the process.
        """
        self._stopped = True
        self._requests.put(None)
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_S)

    # --- the thread

    def _note_requested(self, _: Opened) -> None:
        self._report.requested = True

    def _run(self) -> None:
        with opened_beside(self._path) as opened:
            while not self._stopped:
                wait_s = self._write_due(opened)
                with contextlib.suppress(Empty):
                    self._take_requests(opened, wait_s)

    def _take_requests(self, opened: Opened, wait_s: float) -> None:
        """Wait for a request, then run all that came.

        Raises:
            Empty: no more requests came.
        """
        request = self._requests.get(timeout=wait_s)
        while request is not None:
            self._due_at = 0.0
            try:
                request(opened)
            except Exception:  # an error must not end the thread
                log.exception("a request about sidecars failed")
            request = self._requests.get_nowait()

    def _write_due(self, opened: Opened) -> float:
        """Write sidecars that are due; an error is reported and never ends the thread.

        Returns:
            For how long there is nothing to do, in s.
        """
        try:
            wait_s = self._turn(opened())
            self._failure = ""
            return wait_s
        except WorkerCancelled:  # closing
            return _CHECK_S
        except KnownError as error:
            log.info("sidecars wait: %s", error)
            if self._failure != str(error):  # only once, because it is tried every half minute
                self._failure = str(error)
                message = f"Sidecars not written. {error}"
                self._notify(replace(self._reported, reason=self._failure, message=message))
        except Exception:
            log.exception("writing sidecars failed")
        return _AGAIN_S

    def _turn(self, catalog: Catalog) -> float:
        """Write sidecars that are due; return for how long there is nothing to do, in s."""
        version = catalog.store.data_version()
        is_due = time.monotonic() >= self._due_at
        if (is_due or version != self._version) and (self._note_revision(catalog) or is_due):
            background = self._settings.sidecars.background
            while due := catalog.sidecars.due(BATCH, background, QUIET_S):
                # Another process may have requested these.
                self._report.requested |= catalog.sidecars.outstanding().ready > 0
                written = write_some(catalog, due, profile_of(self._settings), self._run_batch)
                self._report.add(written)
                if written.taken:
                    self._changed(list(written.taken))
                if self._stopped:
                    return 0.0
                self._report_counts(catalog.sidecars.outstanding())
            left = catalog.sidecars.outstanding()
            self._due_at = time.monotonic() + self._pause(left)
            self._report_counts(left)
        self._version = version
        return min(max(self._due_at - time.monotonic(), 0.0), _CHECK_S)

    def _note_revision(self, catalog: Catalog) -> bool:
        """Note the present revision; return whether its changes concern sidecars.

        Without background writing few do, and each mark would cost a query over all unwritten ones.
        """
        background = self._settings.sidecars.background
        was, self._known = self._known, (background, *catalog.sidecars.revision())
        return background or self._known != was

    def _pause(self, left: SidecarCounts) -> float:
        """Return in how many seconds to check again for sidecars to write in the background."""
        if not self._settings.sidecars.background or not left.unwritten:
            return _AGAIN_S
        # The limit helps if the clock was set back.
        quiet_in = min(left.newest + QUIET_S - time.time(), QUIET_S)
        return quiet_in if quiet_in > 0 else _AGAIN_S

    def _run_batch(self, jobs: Sequence[SidecarJob]) -> Sequence[SidecarResult]:
        """Run a batch in a worker process; another error fails all of it.

        Raises:
            WorkerUnavailable: no process can be used.
            WorkerCancelled: the pool was closed.
        """
        try:
            return self._pool.run(batch.write, tuple(jobs), timeout_s=_TIMEOUT_S)
        except (WorkerUnavailable, WorkerCancelled):
            raise
        except Exception as error:
            problem = str(error) if isinstance(error, KnownError) else INTERNAL_ERROR
            if problem == INTERNAL_ERROR:
                log.exception("sidecars could not be written")
            return [
                SidecarResult(j.photo_id, j.path, Outcome.FAILED, problem=problem) for j in jobs
            ]

    def _report_counts(self, left: SidecarCounts) -> None:
        message = ""
        if not left.ready:
            if self._report.requested:
                message = self._report.sentence(left, profile_of(self._settings))
            self._report = _Report()
        news = replace(news_of(left, self._settings), message=message)
        if news != self._reported:
            self._reported = replace(news, message="")
            self._notify(news)


@dataclass
class _Report:
    """The result of a person's request."""

    requested: bool = False
    tried: bool = False
    names: list[str] = field(default_factory=list)
    same: int = 0
    without: int = 0
    failed: int = 0

    def add(self, batch: Batch) -> None:
        """Count the results of a batch."""
        self.tried = True
        self.names += [Path(result.path).name for result in batch.of(Outcome.WRITTEN)]
        self.same += len(batch.of(Outcome.SAME))
        self.without += len(batch.without)
        self.failed += len(batch.failed)

    def sentence(self, left: SidecarCounts, profile: Profile) -> str:
        """Summarize the result in one line; empty if no sidecar waited."""
        parts: list[str] = []
        if self.names:
            one = len(self.names) == 1
            parts.append(f"Wrote {self.names[0] if one else counted(len(self.names), 'sidecar')}")
        elif self.same:
            parts.append(
                "Sidecar already up to date" if self.same == 1 else "Sidecars already up to date"
            )
        if self.without:
            parts.append(profile.ignores(self.without))
        if left.conflicts:
            waits = "waits" if left.conflicts == 1 else "wait"
            number = counted(left.conflicts, "sidecar")
            parts.append(f"{number} changed elsewhere {waits} for your choice")
        if self.failed:
            parts.append(f"{self.failed:,} not written: {left.reason}")
        if self.names and profile.name == "lightroom":
            parts.append("in Lightroom: Metadata > Read Metadata from Files")
        return " · ".join(parts) or ("Nothing to write" if self.tried else "")
