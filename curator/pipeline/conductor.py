"""The conductor: the one thread that scans, starts jobs, saves their results and reports.

Everything that writes to the catalog in the background happens on this thread, in transactions of
a few milliseconds, because a decision on another connection waits for them. It never looks at a
file itself, because a drive may not answer. The rest of the program talks to it through
:meth:`Conductor.post`.
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
from curator.encoders import Encoding
from curator.model import INTERNAL_ERROR, KnownError
from curator.pipeline.backup_scheduler import BackupScheduler
from curator.pipeline.between_jobs import BetweenJobs
from curator.pipeline.dispatch import Dispatcher
from curator.pipeline.encoder_lane import FREED_S
from curator.pipeline.events import PipelineEvents, Totals
from curator.pipeline.idle_tracker import IdleTracker
from curator.pipeline.ingest import Ingest
from curator.pipeline.lanes import Outcome
from curator.pipeline.progress import PUBLISH_S, Pace, ProgressReporter
from curator.pipeline.saving import Saver
from curator.settings import Settings
from curator.stages import LaneKind, Stage
from curator.workers import WorkerPool

log = logging.getLogger(__name__)

GATHER_S = 0.03  # results are gathered this long, so that there are few transactions
FREE_S = 0.003  # the write lock stays free this long after each
LOOK_S = 2.0  # how often an idle conductor looks whether another process left it work
# A checkpoint syncs the catalog, and a decision at that moment waits for the disk; at eight keys a
# second this is one key in a hundred and sixty.
CHECKPOINT_S = 20.0


@dataclass(frozen=True, slots=True)
class _Request:
    """Something a caller asked for and may wait for."""

    act: Callable[[], None]


class Conductor:
    """Runs all background work on the photos of one catalog.

    Attributes:
        catalog: its connection.
        encoding: the encoder in use.
        idle: whether all that was asked for is done.
        jobs: which jobs start next; ``jobs.focus`` may be set from any thread.
        ingest: opens, scans and watches folders.

    Thread: any for the methods under "from other threads"; all others are the conductor's.
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
    ) -> None:
        """Make a conductor; nothing happens before :meth:`open`.

        Args:
            settings: read for every job, so that changes count at once.
            stages: what photos go through, in order, where there is an encoder.
            cache: where derived files go.
            pools: where stages run, and where the encoder does; a pool of size 0 runs them on
                the conductor's thread.
            events: where everything is reported.
        """
        self._settings, self._cache, self._events = settings, cache, events
        pool, self._encoder_pool = pools
        self._inline = pool.size == 0
        self._inbox: SimpleQueue[Outcome | _Request | Callable[[], None] | None] = SimpleQueue()
        self.encoding = Encoding(None, "")
        self.idle = IdleTracker()
        self.jobs = Dispatcher(settings, stages, cache, pools, self._inbox.put, self.wake)
        self._no_encoder = False  # it works for no photo, as long as this conductor lives
        self._analyzed_at = 0.0  # when the encoder last had something to do
        self._pace = Pace()
        self._reporter = ProgressReporter(self._pace, events)
        self._paused = self._stopping = self._resting = False
        self._save_at = 0.0
        self._checkpoint_at = time.monotonic() + CHECKPOINT_S
        self._version = -1  # of the catalog, when it was last looked at
        self._look = True  # whether there may be jobs to start

    # --- from other threads

    def post(self, act: Callable[[], None]) -> None:
        """Run a request on the conductor's thread; :meth:`wait_idle` waits for what it starts."""
        self.idle.note_posted()
        self._inbox.put(_Request(act))

    def deliver(self, act: Callable[[], None]) -> None:
        """Run a function on the conductor's thread, as a part of work already asked for."""
        self._inbox.put(act)

    def wake(self) -> None:
        """Make the conductor look for work."""
        self._inbox.put(None)

    def focus(self, ids: Sequence[int]) -> None:
        """Set the photos on screen: they are done first, in this order."""
        self.jobs.focus = tuple(ids)
        self.wake()

    def stop(self) -> None:
        """Make :meth:`run` end soon; what is in flight is put back."""
        self._stopping = True
        self.ingest.stop()
        self.wake()
        self.idle.stop()

    @property
    def is_idle(self) -> bool:
        """Whether all that was posted is done, and nothing else is being done."""
        return self._resting and self.idle.is_taken()

    def keep_encoder(self) -> None:
        """Keep the encoder in memory: it was used by someone else just now."""
        self._analyzed_at = time.monotonic()
        self.wake()

    # --- the thread

    def open(self, path: Path, encoding: Encoding) -> None:
        """Open the catalog, on the thread that will do the rest.

        Args:
            path: of the catalog.
            encoding: the encoder to begin with.

        Raises:
            CatalogError: it cannot be opened.
        """
        catalog = self.catalog = Catalog.open(path)
        self.jobs.open(catalog)
        self.ingest = Ingest(catalog, self._settings, self._inline, self, self._events)
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
        self.post(lambda: self._begin(encoding))

    def run(self) -> None:
        """Work until stopped."""
        try:
            while not self._stopping:
                self._guard(self._turn)
        finally:
            self.close()

    def work_off(self) -> None:
        """Do what there is to do now, on the calling thread; postponed attempts stay."""
        while not self._resting or not self._inbox.empty():
            self._guard(self._turn)
            held = self.idle.halted or (self.paused and not self.ingest.scanner.busy)
            if held and self._inbox.empty():
                break

    def close(self) -> None:
        """Save what came in, put back what did not, and close; the pool was closed before."""
        self.jobs.close()
        self.ingest.close()
        self._between.stop()
        self._backups.close()
        with contextlib.suppress(KnownError):
            self._take_in(0.0)
            while self._saver.outcomes and self._saver.save().trouble is None:
                pass
            self.catalog.work.reset_running()
            self.catalog.store.checkpoint()
        self.catalog.close()

    def _begin(self, encoding: Encoding) -> None:
        self.use_encoder(encoding)
        self.catalog.work.reset_running()
        removal.note_interrupted(self.catalog.removal)
        self.ingest.start()
        self.catalog.store.reserve_space()

    def use_encoder(self, encoding: Encoding) -> None:
        """Analyze photos with this encoder; photos another one analyzed wait for it again."""
        self.encoding, self._no_encoder = encoding, False
        self.jobs.use_encoder(encoding)
        self._between.use_encoder(encoding.recipe)

    def give_up_away(self) -> None:
        """Cancel jobs that read files on drives that are away."""
        self.jobs.give_up_away()

    def _guard(self, act: Callable[[], None]) -> None:
        """Run a piece of work; an error pauses all work and never ends the thread."""
        try:
            act()
        except KnownError as error:
            self._halt(error)
        except Exception as error:
            log.exception("the conductor failed")
            known = self.catalog.store.damage_error(error)
            self._halt(known or KnownError(INTERNAL_ERROR, "Reading is paused."))

    def _turn(self) -> None:
        """Wait for something to happen, take it in, and start what can be started."""
        self._take_in(self._patience())
        if self._stopping:
            return
        if not self._inline and self.ingest.notice_drives():
            self._look = True
        self._save()  # also while halted: what is in flight lands, and what cannot be saved stays
        if self.idle.halted is None:
            self._scan()
            if self._look:
                self._look = False
                if self.ingest.availability.begun:
                    self.jobs.fill(self._paused)
            self._between.advance(self._is_calm(), self.jobs.focus)
            self._rest()
        self._reporter.report_descriptions(self.jobs.vision)
        if self.idle.halted is None:
            self._release()  # last: callers find everything reported
        self._publish()

    def _patience(self) -> float:
        """Return for how long only the inbox needs to be watched, in s."""
        if self._inline:
            return 0.0
        if self.idle.halted is not None:
            return LOOK_S
        if self.ingest.scanner.waiting:
            return 0.0
        if self._saver.outcomes:
            return max(0.0, self._save_at - time.monotonic())
        patience = LOOK_S if self._resting or self._paused else PUBLISH_S
        vision = self.jobs.vision
        if vision.due:
            patience = min(patience, max(GATHER_S, vision.wait_s()))
        if self._between.waiting:  # after a pause in which a decision finds the catalog free
            patience = min(patience, max(FREE_S, self._between.wait_s(self._is_calm())))
        return patience

    def _take_in(self, patience: float) -> None:
        """Empty the inbox: keep outcomes for saving, run everything else."""
        try:
            item = self._inbox.get(patience > 0, patience or None)
        except Empty:
            self._look = True  # a postponed attempt may be due, another process may have asked
            return
        with contextlib.suppress(Empty):
            while True:
                if isinstance(item, Outcome):
                    self._saver.outcomes.append(item)
                else:
                    self._resting, self._look = False, True
                    if isinstance(item, _Request):
                        self.idle.note_taken()
                        self._guard(item.act)
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
        # What did not fit follows at once; the lock is free in between for a decision.
        self._save_at = time.monotonic() + (FREE_S if self._saver.outcomes else GATHER_S)
        self._look = True
        for job in landed.jobs:
            self.ingest.scanner.go_on()
            self.jobs.landed(job)
        self._pace.count(landed.done, landed.failed)
        self._pace.described += landed.saved[LaneKind.VISION]
        if analyzed := landed.saved[LaneKind.ENCODER]:
            self._pace.embedded += analyzed
            self._between.note_vectors()
            self._analyzed_at = time.monotonic()
        self._report_saved(landed.changed)
        if landed.no_encoder is not None and not self._no_encoder:
            self._drop_encoder(landed.no_encoder)
        if landed.trouble is not None:
            self._halt(landed.trouble)

    def _drop_encoder(self, error: KnownError) -> None:
        """Analyze no more photos; those that wait do so until the next start."""
        log.info("photos are no longer analyzed: %s", error)
        self._no_encoder = True
        self.jobs.drop_encoder()
        self.encoding = Encoding(self.encoding.recipe, f"Similar photos and taste are off. {error}")
        self._events.encoder_failed.emit(str(error))

    def _scan(self) -> None:
        if self.ingest.scanner.waiting:
            self._look = True
            self._report_saved(self.ingest.advance())

    def _report_saved(self, ids: Sequence[int]) -> None:
        if ids:
            self._between.note_changes()
            self._events.photos_saved.emit(list(dict.fromkeys(ids)))

    def _is_calm(self) -> bool:
        """Whether nothing is being read or analyzed, and nothing waits to be saved."""
        return self.jobs.is_calm and not (self.ingest.scanner.busy or self._saver.outcomes)

    # --- pausing

    @property
    def paused(self) -> bool:
        """Whether nothing new is started, by request or because of a problem."""
        return self._paused or self.idle.halted is not None

    def set_paused(self, paused: bool) -> None:
        """Pause or resume work; what is in flight ends and is saved."""
        self._paused = paused
        self._saver.pardon(self.jobs.in_flight())
        self._pace.hold()
        self._reporter.hurry()

    def _halt(self, error: KnownError) -> None:
        if self.idle.halted is not None:
            return
        log.info("all work is paused: %s", error)
        self._reporter.hurry()
        self._events.paused_by.emit(str(error))
        self.idle.halt(error)

    # --- reporting and resting

    def _publish(self) -> None:
        waits = self.jobs.vision.waits
        scanning = self.ingest.scanner.asked
        self._reporter.publish(self.catalog, scanning, self.paused, self._no_encoder, waits)

    def _rest(self) -> None:
        """Notice that all is done; look after the catalog; look for work others left."""
        # A person who marks and moves wakes this thread all the time; that is no work for it.
        if time.monotonic() > self._analyzed_at + FREED_S and self._is_calm():
            self._encoder_pool.end_idle()
        self._backups.look(self._resting)
        if self._resting:
            version = self.catalog.store.data_version()
            if version != self._version:
                self.ingest.refresh()  # a folder may have been switched on or off, or removed
            self._resting, self._version = version == self._version, version
            return
        self._checkpoint()
        if self._is_idle():
            self._report_idle()

    def _report_idle(self) -> None:
        """Report that every photo has been read; callers waiting for all wait for descriptions."""
        self._resting, self._version = True, self.catalog.store.data_version()
        self.jobs.vision.give_up_unreadable(self.catalog)
        worked = self._pace.done or self._pace.failed or self._pace.embedded
        if self.idle.is_reported and not worked:
            return  # nothing was asked for; somebody only looked
        totals = self._pace.totals(*self.ingest.take_reports())
        self._reporter.hurry()
        self._reporter.recount()
        self._publish()
        self._pace.reset()
        self._reporter.recount()
        self.ingest.forget_requests()
        self._events.idle.emit(totals)
        self._backups.finished()
        self.idle.note_read(totals)

    def _release(self) -> None:
        """Wake callers that wait for all to be done, once that is so."""
        waited_for = self._resting and self.idle.is_waited_for
        if waited_for and not self.jobs.is_describing(self.paused):
            self.idle.release(self._pace.described)
            self._pace.described = 0

    def _checkpoint(self) -> None:
        """Fold the write-ahead log in now and then, and when it is long; its file is reused."""
        now = time.monotonic()
        if now >= self._checkpoint_at:
            self.catalog.store.checkpoint()
            self._checkpoint_at = now + CHECKPOINT_S
        else:
            self.catalog.store.checkpoint_if_long()

    def _is_idle(self) -> bool:
        busy = self._between.waiting or self.ingest.is_busy or not self._is_calm()
        if self.paused or busy or not self._inbox.empty():
            return False
        if not self.ingest.availability.begun:
            return False
        # Nothing was started although there was room: only postponed attempts can be left.
        return self._inline or self.catalog.work.next_due(excluding=self.jobs.described_by) is None

    def wait_idle(self, timeout_s: float | None) -> Totals | None:
        """Wait until all that was asked for is done; from any thread. See `IdleTracker.wait`."""
        return self.idle.wait(timeout_s)
