"""The conductor: the one thread that writes scans, starts jobs, saves their results and reports.

`Pipeline` runs it and asks it for work through :meth:`Conductor.post`. It writes to the catalog in
transactions of a few milliseconds, because a decision on another connection waits for them. It must
never look at a file itself, because a drive may not answer.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import removal
from curator.catalog import Catalog
from curator.catalog.store import PAUSE_S
from curator.encoders import Encoding
from curator.model import KnownError
from curator.pipeline.backup_scheduler import BackupScheduler
from curator.pipeline.between_jobs import BetweenJobs
from curator.pipeline.dispatch import Dispatcher
from curator.pipeline.encoder_lane import FREED_S
from curator.pipeline.events import PipelineEvents
from curator.pipeline.idle_tracker import IdleTracker
from curator.pipeline.ingest import Ingest
from curator.pipeline.lanes import Outcome
from curator.pipeline.progress import PUBLISH_S, ProgressReporter, WorkCounts
from curator.pipeline.saving import Saver
from curator.pipeline.upkeep import Upkeep
from curator.settings import Settings
from curator.stages import LaneKind, Stage
from curator.workers import WorkerPool

log = logging.getLogger(__name__)

GATHER_S = 0.03  # results are gathered this long, so that there are few transactions
CHECK_S = 2.0  # how often an idle conductor checks for work that another process requested
_BROKEN = "Unexpected error; background work is paused."
_AFTER_BROKEN = "Resume; if it happens again, `curator logs` shows the details."
_MAINTAIN_S = 0.05  # how often a busy one maintains the catalog, which takes a sixth of a turn


@dataclass(frozen=True, slots=True)
class _Request:
    """A request of a caller, who may wait for what it starts."""

    run: Callable[[], None]


class Conductor:
    """Runs all background work on the photos of one catalog.

    Attributes:
        catalog: its connection.
        encoding: the encoder in use, or why there is none.
        idle: counts requests; callers wait with it until all are done.
        jobs: which jobs start next; ``jobs.focus`` may be set from any thread.
        ingest: opens, scans and watches folders.
        upkeep: maintains the catalog's log; runs deferred functions.

    Thread: any for the methods under "from other threads"; the conductor's for all others.
    """

    catalog: Catalog
    ingest: Ingest

    def __init__(
        self,
        settings: Settings,
        stages: Sequence[Stage],
        cache: Path,
        pools: tuple[WorkerPool, WorkerPool],
        events: PipelineEvents,
        watching: bool = False,
    ) -> None:
        """Make a conductor; nothing happens before :meth:`open`.

        Args:
            settings: read for every job, so that changes count at once.
            stages: all stages, in order.
            cache: the folder of derived files.
            pools: the one that runs the stages, and the encoder's; pools of size 0 run jobs on the
                conductor's thread.
            events: where everything is reported.
            watching: scan changed folders by itself, as the settings say.
        """
        self._settings, self._cache, self._events = settings, cache, events
        pool, self._encoder_pool = pools
        self._inline = pool.size == 0
        self._inbox: SimpleQueue[Outcome | _Request | Callable[[], None] | None] = SimpleQueue()
        self.encoding = Encoding(None, "")
        self.idle = IdleTracker()
        self.upkeep = Upkeep()
        self.jobs = Dispatcher(settings, stages, cache, pools, self._inbox.put, self.wake)
        self._faces_on = True  # as last switched in the catalog, by us or another process
        self._starting = [self._begin]
        if watching:
            self._starting.append(lambda: self.ingest.watch())
        self._counts = WorkCounts()
        self._reporter = ProgressReporter(self._counts, events)
        self._paused = self._stopping = self._resting = False
        self._save_at = self._maintain_at = 0.0
        self._version = -1  # data version of the catalog at the last check
        self._look = True  # whether there may be jobs to start

    # --- from other threads

    def post(self, request: Callable[[], None]) -> None:
        """Run a request on the conductor's thread; ``idle.wait`` waits for what it starts."""
        self.idle.note_posted()
        self._inbox.put(_Request(request))

    def deliver(self, function: Callable[[], None]) -> None:
        """Run a function on the conductor's thread, as a part of work already requested."""
        self._inbox.put(function)

    def wake(self) -> None:
        """Make the conductor look for work."""
        self._inbox.put(None)

    def focus(self, ids: Sequence[int]) -> None:
        """Set the photos on screen: they are done first, in this order."""
        self.jobs.focus = tuple(ids)
        # At rest no job waits to be started, but stacks that were on screen may wait to change.
        if not self._resting or self._between.stacker.waits_for_focus:
            self.wake()

    def stop(self) -> None:
        """Make :meth:`run` end soon; :meth:`close` puts jobs in flight back."""
        self._stopping = True
        self.ingest.stop()
        self.wake()
        self.idle.stop()

    @property
    def is_idle(self) -> bool:
        """Whether every photo has been read and no request waits; descriptions may be under way."""
        return self._resting and self.idle.is_taken()

    # --- the thread

    def open(self, path: Path) -> None:
        """Open a catalog, on the thread that will call all other methods of this section.

        Raises:
            CatalogError: it cannot be opened.
        """
        catalog = self.catalog = Catalog.open(path)
        self.jobs.open(catalog)
        self.ingest = Ingest(catalog, self._settings, self._inline, self, self.jobs, self._events)
        self._saver = Saver(
            catalog,
            self.jobs.stages,
            self.jobs.lanes,
            self.ingest.availability,
            self.ingest.probe,
            self._settings.work,
        )
        self._backups = BackupScheduler(
            path, self._inline, lambda error: self._events.backup_failed.emit(str(error))
        )
        self._between = BetweenJobs(
            catalog,
            self._encoder_pool,
            self._settings,
            self._cache,
            self._inline,
            self._events.photos_saved.emit,
        )
        self.idle.note_posted()

    def run(self) -> None:
        """Work until stopped."""
        try:
            while not self._stopping:
                self._guard(self._turn)
        finally:
            self.close()

    def work_off(self) -> None:
        """Do all that can be done now, on the calling thread; postponed attempts are left."""
        while not self._resting or not self._inbox.empty():
            self._guard(self._turn)
            held = self.idle.halted or (self.paused and not self.ingest.scanner.busy)
            if held and self._inbox.empty():
                break

    def close(self) -> None:
        """Save the outcomes that came in, put other jobs back, and close; first close the pool."""
        self.jobs.close()
        self.ingest.close()
        self._between.stop()
        self._backups.close()
        with contextlib.suppress(KnownError):
            self._take_in(0.0)
            while self._saver.outcomes and self._saver.save().trouble is None:
                pass
            self.catalog.work.reset_running()
            with contextlib.suppress(OSError):  # the drive is gone
                self.catalog.store.keep_disk_reserve()
            self.catalog.store.checkpoint()
        self.catalog.close()

    def _start(self) -> None:
        """Do what comes before all other work; what fails is done again once work resumes."""
        while self._starting:
            self._starting[0]()
            del self._starting[0]
        self._resting = False
        self.idle.note_taken()
        self.wake()

    def _begin(self) -> None:
        self.use_encoder(self.encoding)
        self._switch_faces()
        self.catalog.work.reset_running()
        removal.note_interrupted(self.catalog.removal)
        self.ingest.start()

    def use_encoder(self, encoding: Encoding) -> None:
        """Analyze photos with this encoder, also those that another one analyzed."""
        self.encoding = encoding
        self.jobs.use_encoder(encoding)
        self._between.use_encoder(encoding.recipe)

    def use_faces(self) -> None:
        """Measure faces, or remove what was measured, by the settings as they are now."""
        self.jobs.use_faces()
        self._switch_faces()

    def _switch_faces(self) -> None:
        self._faces_on = self._settings.faces.on
        self._report_saved(self.catalog.faces.switch(self._faces_on))

    def _guard(self, function: Callable[[], None]) -> None:
        """Run a piece of work; an error pauses all work and never ends the thread."""
        try:
            function()
        except KnownError as error:
            self._halt(error)
        except Exception as error:
            log.exception("the conductor failed")
            known = self.catalog.store.damage_error(error)
            self._halt(known or KnownError(_BROKEN, _AFTER_BROKEN))

    def _turn(self) -> None:
        """Wait for news, then save, scan, start jobs, and report."""
        if self._starting and self.idle.halted is None:
            self._start()
        self._take_in(self._patience())
        if self._stopping:
            return
        if not self._inline and self.ingest.notice_drives():
            self._look = True
        self._save()  # also while halted: jobs in flight end, and what cannot be saved is kept
        if self.idle.halted is None:
            self._scan()
            if self._look:
                self._look = False
                if self.ingest.availability.begun:
                    self.jobs.fill(self._paused, self.ingest.scanner.reads_first_screens)
            self._between.advance(self._is_calm(), self.jobs.focus)
            self._maintain()
        self._reporter.report_requests(self.jobs.vision, self.jobs.text)
        if self.idle.halted is None:
            self._release()  # last, so that callers find everything reported
        self._publish()

    def _patience(self) -> float:
        """Return for how long to wait for the inbox, in s."""
        if self._inline:
            return 0.0
        if self.idle.halted is not None:
            return CHECK_S
        if self.ingest.scanner.waiting:
            return 0.0
        if self._saver.outcomes:
            return max(0.0, self._save_at - time.monotonic())
        patience = CHECK_S if self._resting or self._paused else PUBLISH_S
        vision = self.jobs.vision
        if vision.due:
            patience = min(patience, max(GATHER_S, vision.limits.wait_s()))
        if self._between.waiting:  # a decision must find the catalog free in between
            patience = min(patience, max(PAUSE_S, self._between.wait_s(self._is_calm())))
        return patience

    def _take_in(self, patience: float) -> None:
        """Empty the inbox: keep outcomes for saving, run everything else."""
        try:
            item = self._inbox.get(patience > 0, patience or None)
        except Empty:
            self._look = True  # a postponed attempt may be due, or another process requested work
            return
        with contextlib.suppress(Empty):
            while True:
                if isinstance(item, Outcome):
                    self._saver.outcomes.append(item)
                else:
                    self._resting, self._look = False, True
                    if isinstance(item, _Request):
                        self.idle.note_taken()
                        self._guard(item.run)
                    elif item is not None:
                        self._guard(item)
                item = self._inbox.get_nowait()

    # --- one short transaction each

    def _save(self) -> None:
        if not self._saver.outcomes:
            return
        if not self._inline and time.monotonic() < self._save_at:
            return
        landed = self._saver.save()
        # Outcomes that are left follow at once; in between the lock is free for a decision.
        self._save_at = time.monotonic() + (PAUSE_S if self._saver.outcomes else GATHER_S)
        self._look = True
        for job in landed.jobs:
            if job.stage == self.jobs.stages[0].name:
                self.ingest.scanner.note_read()
            self.jobs.landed(job)
        self._counts.count(landed.done, landed.failed)
        self._counts.described += landed.saved[LaneKind.VISION]
        self._counts.texts += landed.saved[LaneKind.TEXT]
        if analyzed := landed.saved[LaneKind.ENCODER]:
            self._counts.embedded += analyzed
            self._between.tagger.touch()
        self._report_saved(landed.changed)
        self._counts.measured += landed.saved[LaneKind.FACES]
        for kind, broken in landed.broken.items():
            if self.jobs.drop(kind):
                self._report_broken(kind, broken)
        if landed.trouble is not None:
            self._halt(landed.trouble)

    def _report_broken(self, kind: LaneKind, error: KnownError) -> None:
        """Report why photos are no longer analyzed or measured until the next start."""
        log.info("no more work for %s: %s", kind, error)
        if kind is LaneKind.FACES:
            self._events.faces_failed.emit(str(error))
            return
        if kind is LaneKind.TEXT:
            self._events.text_failed.emit(str(error))
            return
        self.encoding = Encoding(self.encoding.recipe, f"Similar photos and taste are off. {error}")
        self._events.encoder_failed.emit(str(error))

    def _scan(self) -> None:
        if self.ingest.scanner.waiting:
            self._look = True
            self._report_saved(self.ingest.advance())

    def _report_saved(self, ids: Sequence[int]) -> None:
        if ids:
            self._between.stacker.touch()
            self._events.photos_saved.emit(list(dict.fromkeys(ids)))

    def _is_calm(self) -> bool:
        """Whether nothing is being read or analyzed, and nothing waits to be saved."""
        return self.jobs.is_calm and not (self.ingest.scanner.busy or self._saver.outcomes)

    # --- pausing

    @property
    def paused(self) -> bool:
        """Whether no new jobs are started, by request or because of a problem."""
        return self._paused or self.idle.halted is not None

    def set_paused(self, paused: bool) -> None:
        """Pause or resume work; jobs in flight end, and their results are saved."""
        self._paused = paused
        self._saver.pardon(self.jobs.in_flight())
        self._counts.hold()
        self._reporter.hurry()

    def _halt(self, error: KnownError) -> None:
        if self.idle.halted is not None:
            return
        log.info("all work is paused: %s", error)
        self._reporter.hurry()
        self._events.paused_by.emit(str(error))
        self.idle.halt(error)

    # --- reporting and maintaining

    def _publish(self) -> None:
        waits = self.jobs.vision.limits.reason
        scanning = self.ingest.scanner.is_requested
        self._reporter.publish(self.catalog, scanning, self.paused, waits)

    def _maintain(self) -> None:
        """Maintain the catalog, follow other processes, and report when all is done."""
        now = time.monotonic()
        if now < self._maintain_at and not (self._inline or self._is_calm()):
            return
        self._maintain_at = now + _MAINTAIN_S
        # Not only when resting: a person who marks and moves wakes this thread all the time.
        if self._is_calm():
            self._encoder_pool.end_idle(FREED_S)
        scanner = self.ingest.scanner
        self.upkeep.run_due(self.catalog, scanner.reads_first_screens, self._resting)
        self._backups.look(self._resting)
        self._follow_faces()
        if self._resting:
            version = self.catalog.store.data_version()
            if version != self._version:
                self.ingest.refresh()  # a folder may have been switched on or off, or removed
            self._resting, self._version = version == self._version, version
            return
        if self._is_all_read():
            self._report_idle()

    def _report_idle(self) -> None:
        """Report that every photo has been read; `wait_idle` waits for all late work, too."""
        self._resting, self._version = True, self.catalog.store.data_version()
        self.jobs.vision.report_unreadable(self.catalog)
        self.jobs.text.report_unreadable(self.catalog)
        counts = self._counts
        worked = counts.done or counts.failed or counts.measured or counts.embedded
        if self.idle.is_reported and not worked:
            return  # nothing was requested or done
        totals = self._counts.totals(*self.ingest.take_reports())
        self._reporter.hurry()
        self._reporter.recount()
        self._publish()
        self._counts.reset()
        self._reporter.recount()
        self._events.idle.emit(totals)
        self._backups.finished()
        self.idle.note_read(totals)

    def _release(self) -> None:
        """Wake callers that wait until all is done, if it is."""
        waited_for = self._resting and self.idle.is_waited_for
        if waited_for and not self.jobs.is_late_work_left(self.paused):
            self.idle.release(self._counts.described, self._counts.texts)
            self._counts.described = self._counts.texts = 0

    def _follow_faces(self) -> None:
        """Measure faces or not, as another process has switched since we did."""
        on = self.catalog.faces.is_on()
        if on != self._faces_on:
            self._settings.faces.on = on
            self.use_faces()

    def _is_all_read(self) -> bool:
        """Whether nothing is left to read or analyze but postponed attempts."""
        busy = self._between.waiting or self.ingest.is_busy or not self._is_calm()
        if self.paused or busy or not self._inbox.empty():
            return False
        if not self.ingest.availability.begun or self.ingest.scanner.reads_first_screens:
            return False
        # No job was started although there was room, so only postponed attempts can be left.
        return self._inline or self.jobs.next_due() is None
