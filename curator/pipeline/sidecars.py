"""Writing sidecars beside the conductor: in batches, in a worker process, when asked or when quiet.

What is to be written stands in the catalog until it is on disk, so that nothing is lost whatever
happens in between: `catalog.sidecars.request_write` wants it now, from any process; in the
background, where the settings say so, it is written once a person has been quiet for two seconds.

    found = catalog.sidecars.to_write(ids)
    jobs, without = jobs_for(found, profile)        # without: this editor reads none of theirs
    batch.write(jobs)
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from curator.catalog import Catalog, SidecarContent, SidecarCounts, WriteResult
from curator.model import INTERNAL_ERROR, KnownError, counted
from curator.pipeline import metadata_embedding
from curator.settings import Settings
from curator.sidecar import PROFILES, Profile, batch
from curator.sidecar.batch import Outcome, SidecarJob, SidecarResult
from curator.stages import embed_metadata
from curator.stages.embed_metadata import Inside
from curator.workers import WorkerCancelled, WorkerPool, WorkerUnavailable

log = logging.getLogger(__name__)

QUIET_S = 2.0
BATCH = 32  # sidecars a worker writes in one go: some 50 ms
_LOOK_S = 0.5  # how often it looks whether somebody decided something
_AGAIN_S = 30.0  # what could not be written may be possible again
_TIMEOUT_S = 60.0
_CLOSE_S = 2.0
_AWAY = "Its drive is away. Connect it, and its sidecar is written."


@dataclass(frozen=True, slots=True)
class SidecarNews:
    """Where sidecars stand.

    ``pending`` are to be written, ``conflicts`` contradict a person's word. ``reason`` says why
    some cannot be written. ``said`` is what came of what was asked for, once it is done.
    """

    pending: int = 0
    conflicts: int = 0
    reason: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What writing one sidecar would change, line by line; ``problem`` why it cannot be written.

    ``changed``: another program wrote it since it was read; it is read again before anything else.
    """

    photo_id: int
    path: str
    lines: tuple[str, ...] = ()
    problem: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What writing the sidecars of some photos would do.

    ``same`` of them say so already; ``without``: photos this editor reads no sidecar of, but
    that have something to say. ``lone``: a person had a word in them, and no sidecar takes it to
    this editor; embedding does.
    """

    profile: Profile
    photos: int
    differences: tuple[Difference, ...]
    same: int
    without: tuple[int, ...]
    lone: tuple[int, ...] = ()


def profile_of(settings: Settings) -> Profile:
    """Give the profile sidecars are written in."""
    return PROFILES[settings.sidecars.profile]


def news_of(left: SidecarCounts, settings: Settings) -> SidecarNews:
    """Say where sidecars stand; what nobody asked for is pending where it is written by itself."""
    pending = left.unwritten if settings.sidecars.background else left.asked
    return SidecarNews(pending, left.conflicts, left.reason)


def jobs_for(
    found: Sequence[SidecarContent], profile: Profile, dry: bool = False
) -> tuple[list[SidecarJob], list[SidecarContent]]:
    """Say what is to be done for photos, and for which this editor reads no sidecar."""
    jobs: list[SidecarJob] = []
    without: list[SidecarContent] = []
    for each in found:
        file = (each.path, each.kind)
        job = batch.job_for(each.photo_id, file, each.said, each.known, profile)
        # What is only embedded in the original needs no sidecar to repeat it.
        if job is None or not (each.judged or each.sidecars):
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
    """Say what writing the sidecars of photos would change; writes nothing.

    Args:
        catalog: where the marks are.
        ids: of the photos.
        profile: the editor it is for.
        run: compares a batch; here, or in a worker.
    """
    found: list[Difference] = []
    without: list[int] = []
    alone: list[int] = []
    same = 0
    for start in range(0, len(ids), BATCH):
        waiting = catalog.sidecars.to_write(ids[start : start + BATCH])
        # What contradicts waits for a person's choice.
        waiting = [each for each in waiting if all(s.state != "conflict" for s in each.sidecars)]
        jobs, left_out = jobs_for(waiting, profile, dry=True)
        without += [each.photo_id for each in left_out if each.speaks]
        alone += [each.photo_id for each in left_out if each.judged]
        for result in run(jobs):
            if result.outcome is Outcome.SAME:
                same += 1
                continue
            changed = result.outcome is Outcome.CHANGED
            found.append(
                Difference(result.photo_id, result.path, result.lines, result.problem, changed)
            )
    return Preview(profile, len(ids), tuple(found), same, tuple(without), tuple(alone))


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of writing a few sidecars.

    ``results`` are of those that were tried; one that was ``CHANGED`` was read again. ``failed``
    are photo ids with the reason. ``without`` are photos that have something to say and no
    sidecar this editor reads, ``taken`` those whose marks came from a file after all.
    """

    results: tuple[SidecarResult, ...]
    failed: tuple[tuple[int, str], ...]
    without: tuple[int, ...]
    taken: tuple[int, ...]

    def of(self, act: Outcome) -> list[SidecarResult]:
        """List the results of one kind."""
        return [result for result in self.results if result.outcome is act]


def write_some(
    catalog: Catalog,
    ids: Sequence[int],
    profile: Profile,
    work: Callable[[Sequence[SidecarJob]], Sequence[SidecarResult]] = batch.write,
) -> Batch:
    """Write the sidecars of a few photos, and note what came of it.

    What another program wrote since it was read is taken over instead; what remains to be said
    comes the next time, unless it contradicts.

    Args:
        catalog: where the marks are.
        ids: of the photos; some tens.
        profile: the editor it is for.
        work: does it; here, or in a worker.
    """
    found = {each.photo_id: each for each in catalog.sidecars.to_write(ids)}
    away = [each for each in found.values() if each.missing]
    jobs, without = jobs_for([e for e in found.values() if not e.missing], profile)
    # Merged, gone, or of no sidecar this editor reads: there is nothing to write.
    done = [WriteResult(photo, None, None) for photo in ids if photo not in found]
    done += [WriteResult(each.photo_id, each.since, None) for each in without]
    done += [WriteResult(each.photo_id, each.since, None, _AWAY) for each in away]
    results: tuple[SidecarResult, ...] = ()
    if jobs:
        catalog.sidecars.start_writing({job.photo_id: job.metadata for job in jobs})
        results = tuple(work(jobs))
    changed = [r for r in results if r.outcome is Outcome.CHANGED and r.now is not None]
    taken = catalog.metadata.save_readings(
        [(r.photo_id, [r.now]) for r in changed if r.now is not None]
    )
    for result in results:
        if result.outcome is not Outcome.CHANGED:
            since = found[result.photo_id].since
            done.append(WriteResult(result.photo_id, since, result.now, result.problem))
        elif result.now is not None and result.now.said is None:
            # It cannot be read, so nothing may be put into it.
            done.append(WriteResult(result.photo_id, None, None, result.now.problem))
    catalog.sidecars.save_written(done)
    return Batch(
        results,
        tuple((wrote.photo_id, wrote.problem) for wrote in done if wrote.problem),
        tuple(each.photo_id for each in without if each.speaks),
        tuple(taken),
    )


class SidecarWriter:
    """Writes what is to be written, on a thread and a connection of its own, and tells of it.

    Thread: any, for :meth:`wake`, :meth:`ask` and :meth:`close`.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        pool: WorkerPool,
        tell: Callable[[SidecarNews], None],
        changed: Callable[[list[int]], None],
    ) -> None:
        """Make a writer; nothing is read before :meth:`start`.

        Args:
            path: of the catalog.
            settings: looked up each time.
            pool: where sidecars are written; one of size 0 does it on the thread itself.
            tell: gets the news whenever they change, on the thread.
            changed: told the ids of photos whose marks came from a file after all.
        """
        self._path, self._settings, self._pool = path, settings, pool
        self._tell, self._changed = tell, changed
        self._asked: SimpleQueue[Callable[[Catalog], None] | None] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="curator-sidecars", daemon=True)
        self._version = -1
        self._known: object = None  # of sidecars, when it looked last
        self._due_at = 0.0
        self._told = SidecarNews()
        self._waits = ""  # for what, as it was told
        self._report = _Report()

    def start(self) -> None:
        """Begin with what was left the last time."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once what is to be written: somebody asked."""
        self._asked.put(self._note_asked)

    def work_off(self) -> None:
        """Write what is to be written now, on the calling thread, for tests."""
        catalog = Catalog.open(self._path)
        try:
            self._due_at = 0.0
            self._turn(catalog)
        finally:
            catalog.close()

    def preview(
        self, ids: Sequence[int], profile: Profile, tell: Callable[[Preview | KnownError], None]
    ) -> None:
        """Say what writing would change; ``tell`` gets it on the thread."""

        def act(catalog: Catalog) -> None:
            try:
                tell(preview(catalog, ids, profile, self._work))
            except KnownError as error:
                tell(error)

        self._asked.put(act)

    def compare_inside(
        self, ids: Sequence[int], tell: Callable[[list[Inside] | KnownError], None]
    ) -> None:
        """Say what embedding would change in originals; ``tell`` gets it on the thread."""

        def act(catalog: Catalog) -> None:
            try:
                run = partial(self._pool.run, embed_metadata.compare, timeout_s=_TIMEOUT_S)
                change, left = metadata_embedding.compared(catalog, ids, run)
                tell([*change, *left])
            except (WorkerUnavailable, WorkerCancelled):  # on the way out
                return
            except KnownError as error:
                tell(error)

        self._asked.put(act)

    def embed(self, ids: Sequence[int], program: str) -> None:
        """Put marks into originals, as a person agreed to; it is told how it goes."""

        def act(catalog: Catalog) -> None:
            done: list[Inside] = []
            run = partial(
                self._pool.run, embed_metadata.make, timeout_s=metadata_embedding.TIMEOUT_S
            )
            try:
                for start in range(0, len(ids), metadata_embedding.BATCH):
                    if self._stopped:
                        return
                    some = ids[start : start + metadata_embedding.BATCH]
                    done += metadata_embedding.embed_some(catalog, some, program, run)
                    self._embedded(catalog, f"Embedding: {len(done):,} of {len(ids):,}")
            except (WorkerUnavailable, WorkerCancelled):  # on the way out
                return
            except Exception as error:
                if not isinstance(error, KnownError):
                    log.exception("marks could not be embedded")
                said = str(error) if isinstance(error, KnownError) else INTERNAL_ERROR
                self._embedded(catalog, f"{metadata_embedding.sentence(done)} · {said}")
                return
            self._embedded(catalog, metadata_embedding.sentence(done))

        self._asked.put(act)

    def _embedded(self, catalog: Catalog, said: str) -> None:
        self._tell(replace(news_of(catalog.sidecars.outstanding(), self._settings), said=said))

    def close(self) -> None:
        """End; what was not written yet is at the next start. Close the worker pool first.

        A thread that sits in a drive which does not answer is left to end with the process.
        """
        self._stopped = True
        self._asked.put(None)
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_S)

    # --- the thread

    def _note_asked(self, catalog: Catalog) -> None:
        self._report.asked = True

    def _run(self) -> None:
        try:
            catalog = Catalog.open(self._path)
        except KnownError as error:
            log.warning("No sidecars are written now: %s", error)
            return
        try:
            while not self._stopped:
                wait = self._guarded(catalog)
                with contextlib.suppress(Empty):
                    self._take(catalog, wait)
        finally:
            catalog.close()

    def _take(self, catalog: Catalog, wait: float) -> None:
        """Do what was asked, waiting for it so long; all that came by then in one go."""
        act = self._asked.get(timeout=wait)
        while act is not None:
            self._due_at = 0.0
            try:
                act(catalog)
            except Exception:  # the thread must outlive it
                log.exception("an act on sidecars failed")
            act = self._asked.get_nowait()

    def _guarded(self, catalog: Catalog) -> float:
        """Take a turn; what goes wrong is told and must not end the thread."""
        try:
            wait = self._turn(catalog)
            self._waits = ""
            return wait
        except (WorkerUnavailable, WorkerCancelled):  # on the way out
            return _LOOK_S
        except KnownError as error:
            log.info("sidecars wait: %s", error)
            if self._waits != str(error):  # once: it is tried every half minute
                self._waits = str(error)
                said = f"Sidecars wait. {error}"
                self._tell(replace(self._told, reason=self._waits, said=said))
        except Exception:
            log.exception("writing sidecars failed")
        return _AGAIN_S

    def _turn(self, catalog: Catalog) -> float:
        """Write what is to be written now; say for how long there is nothing to do, in s."""
        version = catalog.store.data_version()
        anyway = time.monotonic() >= self._due_at
        if (anyway or version != self._version) and (self._concerned(catalog) or anyway):
            background = self._settings.sidecars.background
            while due := catalog.sidecars.due(BATCH, background, QUIET_S):
                # Of those due are some that another process asked for.
                self._report.asked |= catalog.sidecars.outstanding().ready > 0
                self._write(catalog, due)
                if self._stopped:
                    return 0.0
                self._say(catalog.sidecars.outstanding())
            left = catalog.sidecars.outstanding()
            self._due_at = time.monotonic() + self._pause(left)
            self._say(left)
        self._version = version
        return min(max(self._due_at - time.monotonic(), 0.0), _LOOK_S)

    def _concerned(self, catalog: Catalog) -> bool:
        """Say whether what changed is about sidecars; marks are where those follow by themselves.

        Else each mark would have gone through all that was marked since the first.
        """
        background = self._settings.sidecars.background
        was, self._known = self._known, (background, *catalog.sidecars.revision())
        return background or self._known != was

    def _pause(self, left: SidecarCounts) -> float:
        """Say when there may be something to write in the background, in s from now."""
        if not self._settings.sidecars.background or not left.unwritten:
            return _AGAIN_S
        # No longer than that where the clock was set back.
        quiet_in = min(left.newest + QUIET_S - time.time(), QUIET_S)
        return quiet_in if quiet_in > 0 else _AGAIN_S

    def _write(self, catalog: Catalog, ids: Sequence[int]) -> None:
        """Write the sidecars of a few photos."""
        written = write_some(catalog, ids, self._profile, self._work)
        self._report.add(written)
        if written.taken:
            self._changed(list(written.taken))

    def _work(self, jobs: Sequence[SidecarJob]) -> Sequence[SidecarResult]:
        """Have a batch done in a worker process.

        Raises:
            WorkerError: the pool is closed, or has no processes.
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

    @property
    def _profile(self) -> Profile:
        return profile_of(self._settings)

    def _say(self, left: SidecarCounts) -> None:
        said = ""
        if not left.ready:
            said = self._report.sentence(left, self._profile) if self._report.asked else ""
            self._report = _Report()
        news = replace(news_of(left, self._settings), said=said)
        if news != self._told:
            self._told = replace(news, said="")
            self._tell(news)


@dataclass
class _Report:
    """What came of what somebody asked for."""

    asked: bool = False
    tried: bool = False
    names: list[str] = field(default_factory=list)
    same: int = 0
    without: int = 0
    failed: int = 0

    def add(self, batch: Batch) -> None:
        """Count what came of a few."""
        self.tried = True
        self.names += [Path(result.path).name for result in batch.of(Outcome.WRITTEN)]
        self.same += len(batch.of(Outcome.SAME))
        self.without += len(batch.without)
        self.failed += len(batch.failed)

    def sentence(self, left: SidecarCounts, profile: Profile) -> str:
        """Say it in one line; nothing where it was written, and told, before its wake came."""
        parts: list[str] = []
        if self.names:
            one = len(self.names) == 1
            parts.append(f"Wrote {self.names[0] if one else counted(len(self.names), 'sidecar')}")
        elif self.same:
            parts.append("The sidecar says so already" if self.same == 1 else "All written already")
        if self.without:
            of = counted(self.without, "photo")
            parts.append(f"{profile.title} read no sidecar of {of} (JPEG, TIFF, DNG, HEIC)")
        if left.conflicts:
            waits = "waits" if left.conflicts == 1 else "wait"
            number = counted(left.conflicts, "sidecar")
            parts.append(f"{number} changed elsewhere {waits} for your choice")
        if self.failed:
            parts.append(f"{self.failed:,} not written: {left.reason}")
        if self.names and profile.name == "lightroom":
            parts.append("in Lightroom: Metadata > Read Metadata from Files")
        return " · ".join(parts) or ("Nothing to write" if self.tried else "")
