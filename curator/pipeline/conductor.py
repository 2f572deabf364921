"""The conductor: asks what is pending, keeps a bounded window in flight, saves, reports.

Everything that writes to the catalog in the background happens on its one thread, in
transactions of a few milliseconds, because a decision on another connection waits for them. The
rest of the program talks to it through :meth:`Conductor.post`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import removal
from curator.catalog import Catalog, Pending
from curator.encoders import Recipe
from curator.encoders.selection import Encoding
from curator.model import INTERNAL_ERROR, KnownError, StageJob
from curator.pipeline import describing
from curator.pipeline.backup_scheduler import BackupScheduler
from curator.pipeline.describing import VisionLane
from curator.pipeline.encoder_lane import FREED_S, LANE, EncoderLane, possible
from curator.pipeline.file_probe import Readers
from curator.pipeline.folder_availability import Attended, FolderAvailability
from curator.pipeline.indexing import Indexer
from curator.pipeline.lanes import Lane, Outcome, job_of
from curator.pipeline.opening import Opener
from curator.pipeline.progress import TELL_S, Listener, Pace, Teller, Totals
from curator.pipeline.saving import Saver
from curator.pipeline.scanning import Request, Scanner, rescanned
from curator.pipeline.stacking import Stacker
from curator.pipeline.watching import Watcher
from curator.pipeline.zero_shot_tagger import ZeroShotTagger
from curator.settings import Settings
from curator.stages import Stage
from curator.workers import WorkerPool

log = logging.getLogger(__name__)

GATHER_S = 0.03  # results are gathered this long, so that there are few transactions
LET_GO_S = 0.003  # the write lock stays free this long after each
LOOK_S = 2.0  # how often an idle conductor looks whether another process left it work
# Folding the log in syncs the catalog, and a decision that comes just then waits for the disk; at
# eight keys a second this is one key in a hundred and sixty.
CHECKPOINT_S = 20.0
_SHORT_JOBS = 24  # peeks in flight: processes never wait for a save, the screen not for them


class Conductor:
    """Runs all background work on the photos of one catalog.

    Thread: any for what stands under "from other threads"; everything else is the conductor's.
    """

    def __init__(
        self,
        settings: Settings,
        stages: Sequence[Stage],
        cache: Path,
        pools: tuple[WorkerPool, WorkerPool],
        to: Listener,
    ) -> None:
        """Make a conductor; nothing happens before :meth:`open`.

        Args:
            settings: read anew for every job, so that changes count at once.
            stages: what photos go through, in order, where there is an encoder.
            cache: where derived files go.
            pools: where stages run, and where the encoder does; a pool of size 0 runs them on
                the conductor's thread.
            to: who is told what happens.
        """
        self.catalog: Catalog
        self._settings = settings
        self._all = self._stages = tuple(stages)
        self._cache = cache
        pool, self._encoder_pool = pools
        self.recipe: Recipe | None = None  # how to load the encoder
        self._to = to
        self._inline = pool.size == 0
        # One process stays free for short jobs while all others are at pixels.
        self._at_once = max(1, pool.size - 1)
        self._inbox: SimpleQueue[Outcome | Callable[[], None] | None] = SimpleQueue()
        self._vision = VisionLane(self._inline, settings, self._inbox.put, self._wake)
        self._held: KnownError | None = None  # why nothing is described, as it was last told
        self._lanes = {
            name: self._lane(name, pool) for name in dict.fromkeys(stage.lane for stage in stages)
        }
        self._readers = Readers(self._inline)
        self._blind = False  # the encoder sees nothing, for as long as this conductor lives
        self._compared_at = 0.0  # when the encoder last had something to do
        self._pace = Pace()
        self._requests: list[Request] = []
        self._focus: tuple[int, ...] = ()
        self._paused = self._stopping = self._resting = False
        self._halted: KnownError | None = None
        self._save_at = 0.0
        self._fold_at = time.monotonic() + CHECKPOINT_S
        self._teller = Teller(self._pace, to.on_progress)
        self._version = -1
        # Who waits for idleness waits for the acts posted before; ``_done`` is set when idle.
        self._calm = threading.Condition()
        self._posted = self._done = self._taken = self._read = 0
        self._arrived = 0  # photos that came by themselves, since the last rest
        self.watcher = Watcher(settings.scan, self.post, to.on_unwatched)
        self._look = True  # whether there may be something to begin
        self._totals = Totals()

    def _lane(self, name: str, pool: WorkerPool) -> Lane:
        threads = 0 if self._inline else self._at_once
        work, put = self._settings.work, self._inbox.put
        if name == describing.LANE:
            return self._vision
        if name == LANE:
            return EncoderLane(threads, self._encoder_pool, work, put)
        window = _SHORT_JOBS if name == "peek" else self._at_once + 2
        return Lane(threads, window, pool, work, put)

    # --- from other threads

    def post(self, act: Callable[[], None]) -> None:
        """Have something done on the conductor's thread."""
        with self._calm:
            self._posted += 1
        self._inbox.put(act)

    def focus(self, ids: Sequence[int]) -> None:
        """Name the photos on screen: theirs is done first, in this order."""
        self._focus = tuple(ids)
        self._wake()

    def forgive(self) -> None:
        """Take the trouble that paused the work for over; any thread, before posting an act."""
        with self._calm:
            self._halted = None

    def stop(self) -> None:
        """Have :meth:`run` end soon; what is in flight is put back."""
        self._stopping = True
        self.watcher.stop()
        self._wake()
        with self._calm:
            self._calm.notify_all()

    def wait_idle(self, timeout_s: float | None) -> Totals | None:
        """Wait until all that was asked for is done; None if time ran out or it was stopped.

        Raises:
            KnownError: the work is paused because of this (a full disk).
        """
        with self._calm:
            asked = self._posted
            self._calm.wait_for(
                lambda: self._done >= asked or self._halted or self._stopping, timeout_s
            )
            if self._done >= asked:
                return self._totals
            if self._halted is not None:
                raise self._halted
            return None

    @property
    def is_idle(self) -> bool:
        """Whether all that was posted is done, and nothing else is being done."""
        with self._calm:
            return self._taken >= self._posted and self._resting

    def keep_encoder(self) -> None:
        """Say that the encoder was of use to somebody just now."""
        self._compared_at = time.monotonic()
        self._wake()

    def _wake(self) -> None:
        self._inbox.put(None)

    # --- the thread

    def open(self, path: Path, encoding: Encoding) -> None:
        """Open the catalog, on the thread that will do the rest.

        Args:
            path: its file.
            encoding: what compares the photos, to begin with.

        Raises:
            CatalogError: it cannot be opened.
        """
        self.catalog = Catalog.open(path)
        reader = self._readers.reader()
        self._saver = Saver(
            self.catalog,
            self._all,
            self._settings.work,
            self._cache,
            lambda outcome, unread: self._readers.start(
                reader, unread, lambda: self._inbox.put(outcome)
            ),
            reader,
        )
        self._saver.vision = self._vision
        self._attendance = FolderAvailability(self.catalog, self._wake, self._readers, self._inline)
        self._saver.doubts = self._attendance.doubts
        self._opener = Opener(self.catalog, self._attendance, self._readers, self.post)
        self._scanner = Scanner(
            self.catalog, self._wake, self._readers, self._inline, self._attendance.is_here
        )
        self._stacker = Stacker(self.catalog)
        self._indexer = Indexer(self.catalog)
        self._keeper = BackupScheduler(path, self._inline, self._to.on_no_backup)
        self._namer = ZeroShotTagger(self.catalog, self._encoder_pool, self._settings, self._cache)
        self._afterwards = (self._stacker, self._indexer, self._namer)
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
            idle = self._halted or (self.paused and not self._scanner.busy)
            if idle and self._inbox.empty():
                break

    def close(self) -> None:
        """Save what came in, put back what did not, and close; the pool was closed before."""
        for lane in self._lanes.values():
            lane.close()
        for part in (self._attendance, self._scanner, self._readers, self._namer):
            part.stop()
        self.watcher.close()
        self._keeper.close()
        with contextlib.suppress(KnownError):
            self._take_in(0.0)
            while self._saver.outcomes and self._saver.save().trouble is None:
                pass
            self.catalog.work.reset_running()
            self.catalog.store.checkpoint()
        self.catalog.close()

    def _begin(self, encoding: Encoding) -> None:
        self.settle(encoding)
        self.catalog.work.reset_running()
        removal.note_interrupted(self.catalog.removal)
        self._attendance.start()
        self.catalog.store.reserve_space()

    def settle(self, encoding: Encoding) -> None:
        """Compare photos by this encoder from now on; those another saw wait for it again."""
        self.recipe, self._blind = encoding.recipe, False
        self._use(possible(self._all, encoding))
        if self.recipe is not None:
            self.catalog.vectors.use_encoder(self.recipe.key)
        key = self.recipe.key if self.recipe is not None else None
        self._saver.use_encoder(key)
        self._stacker.use_encoder(key)
        self._namer.use(self.recipe)
        for lane in self._lanes.values():
            lane.forget()
        self._encoder_pool.rest()

    def settle_vision(self) -> None:
        """Describe photos as the settings say now; what is under way is begun anew."""
        self._vision.renew()
        self._use(self._stages)
        self.catalog.descriptions.request(list(self._vision.asked))

    def describe(self, photos: Sequence[int]) -> None:
        """Describe photos before all others, whether or not all are described."""
        self._vision.ask(photos)
        self.catalog.descriptions.request(photos)

    def _use(self, stages: Sequence[Stage]) -> None:
        self._stages = describing.tuned(stages, self._settings)
        self.catalog.work.use_stages(self._stages)

    def _guard(self, act: Callable[[], None]) -> None:
        """Run a piece of the loop; what goes wrong pauses the work and never ends the thread."""
        try:
            act()
        except KnownError as error:
            self._halt(error)
        except Exception as error:
            log.exception("the conductor failed")
            known = self.catalog.store.damage_error(error)
            self._halt(known or KnownError(INTERNAL_ERROR, "Reading is paused."))

    def _turn(self) -> None:
        """Wait for something to happen, take it in, and begin what can be begun."""
        self._take_in(self._patience())
        if self._stopping:
            return
        if not self._inline:
            self._heed(self._attendance.attend())
        self._save()  # also in trouble: what is in flight lands, and what cannot be saved stays
        if not self._halted:
            self._scan()
            if self._look:
                self._look = False
                self._fill()
            self._stack()
            self._indexer.advance(self._inline or self._is_calm())
            self._rest()
        self._tell_described()
        if not self._halted:
            self._release()  # who waited finds all of it told
        self._tell()

    def _patience(self) -> float:
        """Say how long nothing but the inbox needs looking at, in s."""
        if self._inline:
            return 0.0
        if self._halted:
            return LOOK_S
        if self._scanner.waiting:
            return 0.0
        if self._saver.outcomes:
            return max(0.0, self._save_at - time.monotonic())
        patience = LOOK_S if self._resting or self._paused else TELL_S
        if self._vision.due:
            patience = min(patience, max(GATHER_S, self._vision.wait_s()))
        for each in self._afterwards:
            if each.waiting:  # after a pause in which a decision finds the catalog free
                patience = min(patience, max(LET_GO_S, each.wait_s(self._is_calm())))
        return patience

    def _take_in(self, patience: float) -> None:
        """Empty the inbox: outcomes are laid ready, acts are done."""
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
                if callable(item):
                    self._taken += 1
                    self._guard(item)
                item = self._inbox.get_nowait()

    # --- saving and scanning, one short transaction each

    def _save(self) -> None:
        if not self._saver.outcomes:
            return
        if not self._inline and time.monotonic() < self._save_at:
            return
        saved = self._saver.save()
        # What did not fit follows at once; the lock is free in between for a decision.
        self._save_at = time.monotonic() + (LET_GO_S if self._saver.outcomes else GATHER_S)
        self._look = True
        for job in saved.landed:
            self._scanner.go_on()
            lane = next(stage.lane for stage in self._all if stage.name == job.stage)
            self._lanes[lane].landed(job.photo_id)
        self._pace.count(saved.done, saved.failed)
        self._pace.described += saved.described
        if saved.embedded:
            self._pace.embedded += saved.embedded
            self._namer.touch()
            self._compared_at = time.monotonic()
        self._say_saved(saved.changed)
        if saved.blind is not None and not self._blind:
            self._blind = True
            # What waits for it waits for the next start, and nobody for it until then.
            self._use(tuple(stage for stage in self._stages if stage.lane != LANE))
            log.info("photos are no longer compared: %s", saved.blind)
            self._to.on_encoder(saved.blind)
        if saved.trouble is not None:
            self._halt(saved.trouble)

    def open_sources(self, paths: Sequence[Path], recursive: bool, sample: int | None) -> None:
        """Make folders and files known, and scan them after what was asked for before."""
        self._opener.open(paths, recursive, sample, self._opened)

    def _opened(self, found: Attended, request: Request) -> None:
        self._heed(found)
        self._ask(request)

    def rescan(self, folder_id: int | None) -> None:
        """Scan a folder again, or all that are on, after what was asked for before."""
        self._heed(self._attendance.attend())
        self._ask(rescanned(self.catalog, folder_id, self._readers.reader()))

    def watch(self) -> None:
        """Scan from now on what changes in folders, as the settings say."""
        self.watcher.begin(self.catalog, self._scanner)

    def _heed(self, found: Attended | None) -> None:
        """Have folders scanned that are here again; tell who came, and where from."""
        if found is None:
            return
        if found.away:
            self._scanner.give_up(found.away)
            for lane in {self._lanes[stage.lane] for stage in self._all if stage.reads == "file"}:
                lane.give_up(self.catalog.volumes.away_among(lane.in_flight))
        for number in found.scan:
            request = rescanned(self.catalog, number, self._readers.reader())
            request.watched = "".join(Path(part.sources[0]).name for part in request.parts)
            self._scanner.ask(request)
        self.watcher.settle()
        self._look = True
        self._to.on_presence(found.news)

    def _ask(self, request: Request) -> None:
        self._requests.append(request)
        self._scanner.ask(request)

    def _scan(self) -> None:
        if not self._scanner.waiting:
            return
        self._look = True
        changed, report = self._scanner.advance()
        self._say_saved(changed)
        if report is not None:
            self._arrived += report.new if report.watched else 0
            self._to.on_scanned(report)

    def _say_saved(self, ids: Sequence[int]) -> None:
        if ids:
            self._stacker.touch()
            self._to.on_saved(list(dict.fromkeys(ids)))

    def _stack(self) -> None:
        """Bring the stacks up to date, and the words encoders have, a piece at a time."""
        changed = self._stacker.advance(self._is_calm(), self._focus)
        changed += self._namer.advance(self._inline or self._is_calm())
        if changed:
            self._to.on_saved(changed)

    def _is_calm(self) -> bool:
        """Say whether nothing is being read or compared, and nothing waits to be saved."""
        busy = self._scanner.busy or self._saver.outcomes
        lanes = (lane for lane in self._lanes.values() if lane is not self._vision)
        return not busy and not any(lane.in_flight for lane in lanes)

    # --- filling the lanes

    def _fill(self) -> None:
        """Put jobs in flight, on-screen photos first; describing comes last, but for who asked."""
        if self._halted or not self._attendance.begun:
            return
        behind = self._paused
        for stage in self._stages:
            lane = self._lanes[stage.lane]
            if lane is self._vision:
                found = self._vision.choose(self.catalog, behind, self._focus)
                self._begin_jobs(stage, found)
                continue
            room = 0 if self._paused else lane.room()
            if room <= 0:
                behind = True
                continue
            found = self.catalog.work.pending(stage.name, room, self._focus)
            if behind:
                # Headers of all come before pixels of all, but for the pixels on screen.
                found = [pending for pending in found if pending.photo_id in self._focus]
            behind = behind or len(found) == room
            self._begin_jobs(stage, found)

    def _begin_jobs(self, stage: Stage, found: Sequence[Pending]) -> None:
        lane = self._lanes[stage.lane]
        if found:
            self.catalog.work.start(stage.name, [pending.photo_id for pending in found])
            for group in lane.groups(found):
                lane.submit(stage.run, [self._job(stage, pending) for pending in group])

    def _job(self, stage: Stage, pending: Pending) -> StageJob:
        job = job_of(stage, pending, self._settings, self._cache)
        if stage.lane == LANE:
            return replace(job, encoder=self.recipe)
        return replace(job, asking=self._vision.asking) if stage.lane == describing.LANE else job

    # --- pausing

    @property
    def paused(self) -> bool:
        """Whether nothing new is begun, by wish or because of trouble."""
        return self._paused or self._halted is not None

    def set_paused(self, paused: bool) -> None:
        """Hold the work, or let it go on; what is in flight ends and is saved."""
        self._paused = paused
        self._saver.pardon(photo for lane in self._lanes.values() for photo in lane.in_flight)
        self._pace.hold()
        self._teller.soon()

    def retry(self, stage: str | None, ids: Sequence[int] | None) -> int:
        """Do failed work again, descriptions too where photos are not described by themselves.

        Returns:
            How much that is.
        """
        if stage in (None, describing.DESCRIBE) and not self._settings.vision.automatic:
            failed = self.catalog.work.failures(ids, later=True)
            self._vision.ask([row.photo_id for row in failed if row.stage == describing.DESCRIBE])
        return self.catalog.work.retry(stage, ids)

    def _halt(self, error: KnownError) -> None:
        if self._halted is not None:
            return
        log.info("reading is paused: %s", error)
        self._teller.soon()
        self._to.on_problem(error)
        with self._calm:
            self._halted = error
            self._calm.notify_all()

    # --- telling and resting

    def _tell(self) -> None:
        scanning, waits = self._scanner.asked, self._vision.waits
        self._teller.tell(self.catalog, scanning, self.paused, self._blind, waits)

    def _rest(self) -> None:
        """Notice that all is done; fold the log in; look whether others left us work."""
        # A person who marks and moves wakes this thread all the time; that is no work for it.
        if time.monotonic() > self._compared_at + FREED_S and self._is_calm():
            self._encoder_pool.rest()
        self._keeper.look(self._resting)
        if self._resting:
            version = self.catalog.store.data_version()
            if version != self._version:
                self.watcher.settle()  # a folder may have been switched on or off, or taken out
                self._attendance.settle()
            self._resting, self._version = version == self._version, version
            return
        self._fold()
        if not self._is_idle():
            return
        self._rest_from_reading()

    def _rest_from_reading(self) -> None:
        """Tell that all is read; who waits for all to be done waits for descriptions too."""
        self._resting, self._version = True, self.catalog.store.data_version()
        self._vision.let_go(self.catalog)
        worked = self._pace.done or self._pace.failed or self._pace.embedded
        if self._read == self._taken and not worked:
            return  # somebody only looked
        reports = [request.told(self.catalog) for request in self._requests]
        totals, self._arrived = self._pace.totals(reports, self._arrived), 0
        self._teller.soon()
        self._teller.recount()
        self._tell()
        self._pace.reset()
        self._teller.recount()
        self._requests.clear()
        self._to.on_idle(totals)
        self._keeper.finished()
        self._totals, self._read = totals, self._taken

    def _release(self) -> None:
        """Let go who waits for all to be done, once that is so."""
        if not self._resting or self._done == self._read or self._is_describing():
            return
        with self._calm:
            self._totals = replace(self._totals, described=self._pace.described)
            self._pace.described = 0
            self._done = self._read
            self._calm.notify_all()

    def _is_describing(self) -> bool:
        """Say whether photos are being described, or will be by themselves before long."""
        lane = self._vision
        if lane.in_flight or (lane.due and not self._inline):
            return True
        held = lane.held is not None or self._inline or self.paused
        return not held and self.catalog.work.next_due(only=describing.DESCRIBE) is not None

    def _tell_described(self) -> None:
        """Tell what came of photos somebody wanted described, and what keeps others from it."""
        for told in self._vision.news():
            self._to.on_described(told)
        if str(self._vision.held or "") != str(self._held or ""):
            self._held = self._vision.held
            self._teller.soon()
            if self._held is not None:
                log.info("describing waits: %s", self._held)
            self._to.on_held(self._held)

    def _fold(self) -> None:
        """Fold the write-ahead log in now and then, and when it is long; its file is used again."""
        now = time.monotonic()
        if now >= self._fold_at:
            self.catalog.store.checkpoint()
            self._fold_at = now + CHECKPOINT_S
        else:
            self.catalog.store.checkpoint_if_long()

    def _is_idle(self) -> bool:
        later = any(each.waiting for each in (*self._afterwards, self._opener))
        busy = later or not self._is_calm()
        if self.paused or busy or not self._inbox.empty() or not self._attendance.begun:
            return False
        # Nothing was begun although there was room: only postponed attempts can be left.
        return self._inline or self.catalog.work.next_due(but=describing.DESCRIBE) is None
