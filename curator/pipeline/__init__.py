"""The pipeline: photos go from folders through the stages into the catalog, beside the window.

    pipeline = Pipeline(home, settings, catalog_path=home.catalog)
    pipeline.saved.connect(table.refresh)
    pipeline.start()                                  # BusyError: another Curator reads already
    pipeline.open_folders([Path("/photos/iceland")], recursive=True)
    pipeline.focus([412, 413])                        # on screen: first
    pipeline.stop()

`conductor` is the one thread that asks, saves and reports; `lanes` wait for worker processes;
`opening` makes folders known, `scanning` walks them; `watching` has scanned what changed in them,
as `lookout` saw it, once it is still (`stillness`); `presence` knows which folders are here;
`reading` looks at files, so that nobody waits for a drive; `saving` takes results in; `stacking`
keeps the stacks up to date, with `likeness` for pairs of photos; `progress` counts;
`encoding` settles which encoder there is and hands it photos, `phrases` has it read words;
`describing` asks the vision model; `frames` decodes originals for the loupe on demand, `placard`
single files that are in no catalog. Nothing here draws, and no Python loop here runs long: the
window's thread shares the interpreter with it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue

from PySide6.QtCore import QObject, Signal

from curator import atomic
from curator.catalog import ConductorLock
from curator.encoders.selection import Encoding, select_encoder
from curator.model import KnownError
from curator.pipeline.conductor import Conductor
from curator.pipeline.encoder_lane import make_pool
from curator.pipeline.file_preview import DescriptionCallback, PlacardCallback, Placards
from curator.pipeline.folder_availability import News
from curator.pipeline.frames import FrameCallback, Frames
from curator.pipeline.opening import check_sources
from curator.pipeline.progress import Progress, ScanReport, Told, Totals
from curator.pipeline.sidecars import Difference, Preview, SidecarNews, SidecarWriter
from curator.pipeline.text_encoding import PhraseCallback, Phrases
from curator.settings import Home, Settings
from curator.sidecar import Profile
from curator.stages import STAGES, Stage
from curator.stages.embed_metadata import Inside
from curator.stages.frame import Look
from curator.workers import InlinePool, WorkerPool

__all__ = [
    "Difference",
    "Encoding",
    "FrameCallback",
    "Inside",
    "Look",
    "News",
    "Pipeline",
    "Preview",
    "Progress",
    "ScanReport",
    "SidecarNews",
    "Told",
    "Totals",
]

_ANSWER_S = 1.0
# What a worker process loads before its first job; the window's process need not.
_PIXELS = ("curator.imaging.decode", "curator.imaging.proxy")
_LOOKS = (*_PIXELS, "curator.imaging.overlay", "curator.imaging.screen")
_HEADERS = (
    "curator.imaging.embedded_thumbnail",
    "curator.imaging.embedded_metadata",
    "curator.sidecar.batch",
)
_PRELOAD = ("curator.stages", *_HEADERS, "curator.imaging.quality", *_PIXELS)


class Pipeline(QObject):
    """Reads photos in the background, for one catalog.

    Signals (emitted on the conductor's thread; a receiver in the window's gets them queued):
        saved(list[int]): ids of photos whose rows changed, after each transaction.
        progressed(Progress): at most four times a second, and when something changed for good.
        scanned(ScanReport): a scan ended; ``again`` once the headers of all it found are read.
        problem(str): reading paused itself: one sentence and what to do. :meth:`resume` goes on.
        no_backup(str): no back-up could be made: why, and what to do; work goes on.
        idle(Totals): all that was asked for is done.
        encoder_said(str): photos are no longer compared: why, and what to do.
        described(Told): what came of a photo that :meth:`describe` was asked for.
        held(object): the KnownError that keeps all others from being described; None: nothing does
            any more.
        sidecars_told(SidecarNews): where sidecars stand, whenever that changes.
        presence_told(News): folders are here again, away, or at another path.
        unwatched(str): not all folders can be watched: why, and what to do; once.

    Thread: any, for every method; with ``inline`` the one that called :meth:`start`.
    """

    saved = Signal(object)
    progressed = Signal(object)
    scanned = Signal(object)
    problem = Signal(str)
    no_backup = Signal(str)
    idle = Signal(object)
    encoder_said = Signal(str)
    described = Signal(object)
    held = Signal(object)
    sidecars_told = Signal(object)
    presence_told = Signal(object)
    unwatched = Signal(str)

    def __init__(
        self,
        home: Home,
        settings: Settings,
        *,
        catalog_path: Path | None = None,
        inline: bool = False,
        stages: Sequence[Stage] = STAGES,
        watching: bool = False,
    ) -> None:
        """Make a pipeline; nothing is started before :meth:`start`.

        Args:
            home: where the catalog, its lock and derived files are.
            settings: shared; changes of time limits, attempts and proxies count at once.
            catalog_path: the SQLite file, if it is not the home's.
            inline: everything happens in the call that asks for it, for tests.
            stages: what photos go through.
            watching: what changes in folders is seen without being asked for, as the settings say.
        """
        super().__init__()
        self._path = catalog_path or home.catalog
        self._lock = ConductorLock(home)
        work = settings.work
        self._pool = (
            InlinePool()
            if inline
            else WorkerPool(
                (work.workers or _cores()) + 1, memory_mb=work.memory_mb, preload=_PRELOAD
            )
        )
        self._home, self._settings = home, settings
        self.encoding = select_encoder(home, settings)
        self._encoder_pool = InlinePool() if inline else make_pool(settings)
        self._conductor = Conductor(
            settings, stages, home.cache, (self._pool, self._encoder_pool), self
        )
        self._thread: threading.Thread | None = None
        self._running = False
        self._inline, self._watching = inline, watching
        self._frame_pool = WorkerPool(
            2, memory_mb=work.memory_mb, nice=0, name="frames", preload=_LOOKS
        )
        self._frames = Frames(work, self._frame_pool)
        self._frames_warm = self._looked_at = False
        self._placards = Placards(settings, self._frame_pool, self._encoder_pool)
        self._sidecars = SidecarWriter(
            self._path, settings, self._pool, self.sidecars_told.emit, self.on_saved
        )
        self._phrases = Phrases(settings, self._encoder_pool, self._conductor.keep_encoder)

    # --- life

    def start(self) -> None:
        """Begin to work off what the catalog has waiting.

        Raises:
            BusyError: another Curator reads photos into this catalog; nothing was started.
            CatalogError: the catalog cannot be opened; nothing was started.
        """
        self._lock.acquire()
        _sweep(self._home)
        opened_: list[BaseException | None] = []
        ready = threading.Event()

        def run() -> None:
            try:
                self._conductor.open(self._path, self.encoding)
            except BaseException as error:
                opened_.append(error)
                return
            finally:
                ready.set()
            self._conductor.run()

        try:
            if self._inline:
                self._conductor.open(self._path, self.encoding)
            else:
                self._thread = threading.Thread(target=run, name="curator-conductor", daemon=True)
                self._thread.start()
                ready.wait()
                if opened_ and opened_[0] is not None:
                    self._thread.join()
                    raise opened_[0]
        except BaseException:
            self._lock.release()
            raise
        self._running = True
        if not self._inline:  # they load while the person chooses a folder
            # One core is left to the window that is being built.
            self._conductor.post(lambda: self._pool.warm(max(1, min(2, _cores() - 1))))
            if self._watching:
                self._conductor.post(self._conductor.watch)
            self._sidecars.start()
        self._settle()

    def stop(self) -> None:
        """End: jobs in flight are put back, processes killed. Safe to repeat."""
        self._frames.close()
        self._placards.give_up()
        self._phrases.give_up()
        running, self._running = self._running, False
        if running:
            self._conductor.stop()
            self._pool.close()
            self._sidecars.close()
        self._encoder_pool.close()
        self._placards.close()
        self._phrases.close()
        if not running:
            return
        if self._thread is not None:
            self._thread.join()
        else:
            self._conductor.close()
        self._lock.release()

    def pause(self) -> None:
        """Begin nothing new; what is in flight ends and is saved."""
        self._post(lambda: self._conductor.set_paused(True))

    def resume(self) -> None:
        """Go on after :meth:`pause`, or after a problem."""
        self._conductor.forgive()
        self._post(lambda: self._conductor.set_paused(False))

    @property
    def paused(self) -> bool:
        """Whether nothing new is begun, by wish or because of a problem."""
        return self._conductor.paused

    @property
    def is_idle(self) -> bool:
        """Whether all that was asked for is done."""
        return self._conductor.is_idle

    def wait_idle(self, timeout_s: float | None = None) -> Totals | None:
        """Wait until everything asked for is done, attempts that were postponed too.

        Returns:
            What this stretch of work did; None if ``timeout_s`` ran out first.

        Raises:
            KnownError: reading paused itself because of this.
        """
        return self._conductor.wait_idle(timeout_s)

    # --- asking

    def open_folders(
        self,
        sources: Iterable[str | os.PathLike[str]],
        recursive: bool = True,
        sample: int | None = None,
    ) -> None:
        """Add folders or single files, scan them, and read what is new.

        If a problem had paused reading, it goes on; if it is not over, it is told again.

        Args:
            sources: folders and files.
            recursive: whether subfolders belong to them.
            sample: take this many at random of the photos not known yet; such a folder is not
                filled up by re-scans.

        Raises:
            KnownError: a source is not there or cannot be read; nothing was added.
        """
        paths = check_sources(sources)
        conductor = self._conductor
        conductor.forgive()
        self._post(lambda: conductor.open_sources(paths, recursive, sample))

    def rescan(self, folder_id: int | None = None) -> None:
        """Look for new, moved and missing files in a folder, or in all that are switched on.

        If a problem had paused reading, it goes on.
        """
        conductor = self._conductor
        conductor.forgive()
        self._post(lambda: conductor.rescan(folder_id))

    def settle_watching(self) -> None:
        """Watch folders by the settings as they are now."""
        if self._running:
            self._post(self._conductor.watcher.settle)

    def retry(
        self,
        stage: str | None = None,
        ids: Sequence[int] | None = None,
        timeout_s: float | None = _ANSWER_S,
    ) -> int:
        """Try failed work again, of one stage or all, of some photos or all.

        If a problem had paused reading, it goes on.

        Returns:
            How much will be tried; 0 if the conductor did not answer within ``timeout_s``.
        """
        if not self._running:
            return 0
        conductor = self._conductor
        answer: SimpleQueue[int] = SimpleQueue()
        conductor.forgive()
        self._post(lambda: answer.put(conductor.retry(stage, ids)))
        try:
            return answer.get(timeout=timeout_s)
        except Empty:
            return 0

    def settle_encoder(self) -> Encoding:
        """Settle anew which encoder there is: weights came, or its settings changed.

        Photos it has not seen are compared in the background; taste goes by the former vectors
        until then.
        """
        self.encoding = encoding = select_encoder(self._home, self._settings)
        if self._running:
            self._post(lambda: self._conductor.settle(encoding))
        return encoding

    def describe(self, *photos: int) -> None:
        """Describe photos before all others, whether or not all are; :attr:`described` tells."""
        conductor = self._conductor
        self._post(lambda: conductor.describe(photos))

    def settle_vision(self) -> None:
        """Describe by the settings as they are now; what waited for a server is tried anew."""
        if self._running:
            self._post(self._conductor.settle_vision)

    def focus(self, ids: Sequence[int]) -> None:
        """Name the photos on screen, the most wanted first; replaces what was named before."""
        self._conductor.focus(ids)
        if self._inline:
            self._settle()
        elif not self._frames_warm and (self._looked_at or self._conductor.is_idle):
            self._frames_warm = True  # somebody looks at photos; soon at one
            self._conductor.post(lambda: self._frame_pool.warm(1))
        self._looked_at = True  # who opens a folder waits for its first photos, first of all

    def _post(self, act: Callable[[], None]) -> None:
        self._conductor.post(act)
        self._settle()

    def _settle(self) -> None:
        if self._inline and self._running:
            self._conductor.work_off()

    # --- sidecars

    def write_sidecars(self) -> None:
        """Write the sidecars that were requested (`Sidecars.request_write`) now."""
        if self._inline:
            self._sidecars.work_off()
        else:
            self._sidecars.wake()

    def preview_sidecars(
        self, ids: Sequence[int], profile: Profile, tell: Callable[[Preview | KnownError], None]
    ) -> None:
        """Say what writing the sidecars of photos would change; ``tell`` gets it on a thread."""
        self._sidecars.preview(ids, profile, tell)

    def compare_originals(
        self, ids: Sequence[int], tell: Callable[[list[Inside] | KnownError], None]
    ) -> None:
        """Say what embedding marks would change in originals; ``tell`` gets it on a thread."""
        self._sidecars.compare_inside(ids, tell)

    def embed(self, ids: Sequence[int], program: str) -> None:
        """Put marks into originals; only ever after a person agreed to how many."""
        self._sidecars.embed(ids, program)

    # --- the loupe

    def want_frames(self, looks: Sequence[Look], callback: FrameCallback) -> None:
        """Say which originals' pixels and overlays are wanted now; what was before is given up.

        Args:
            looks: the most urgent first.
            callback: called on a thread of the lane with a look, and its Frame or a KnownError;
                never with what was given up.
        """
        self._frames.want(looks, callback)

    # --- single files

    def want_placard(self, path: str, screen_px: int, tell: PlacardCallback) -> None:
        """Look at one file that need not be a photo of the catalog; nothing of it is kept.

        Args:
            path: the file; another one wanted before is given up.
            screen_px: long edge of its picture for the screen.
            tell: called on a thread with what was seen, then with what the encoder saw, if there
                is one; with a KnownError in place of either, which is the end. Never once the
                placard was given up.
        """
        self._placards.want(path, screen_px, self.encoding.recipe, tell)

    def want_description(self, proxy: bytes, tell: DescriptionCallback) -> None:
        """Have the vision model describe the file of the placard wanted last; nothing is kept.

        Args:
            proxy: what was seen of it.
            tell: called on a thread with a Described, or a KnownError; never once given up.
        """
        self._placards.describe(proxy, tell)

    def give_up_placard(self) -> None:
        """Want no placard any more; a file that is being decoded ends at once."""
        self._placards.give_up()

    def want_phrase(self, text: str, tell: PhraseCallback) -> bool:
        """Encode what somebody searches for; say whether there is an encoder that knows words.

        Args:
            text: the phrase; another one wanted before is given up.
            tell: gets the vector as bytes, (dimension,) float32, or a KnownError; at once if it is
                known, else on a thread.
        """
        return self._phrases.want(text, self.encoding.recipe, tell)

    # --- Listener

    def on_saved(self, ids: list[int]) -> None:
        """Pass on from the conductor."""
        self.saved.emit(ids)

    def on_progress(self, progress: Progress) -> None:
        """Pass on from the conductor."""
        self.progressed.emit(progress)

    def on_scanned(self, report: ScanReport) -> None:
        """Pass on from the conductor."""
        self.scanned.emit(report)

    def on_problem(self, error: KnownError) -> None:
        """Pass on from the conductor."""
        self.problem.emit(str(error))

    def on_encoder(self, error: KnownError) -> None:
        """Pass on from the conductor, and remember it as what there is to say of the encoder."""
        self.encoding = replace(
            self.encoding, sentence=f"Similar photos and taste are off. {error}"
        )
        self.encoder_said.emit(str(error))

    def on_described(self, told: Told) -> None:
        """Pass on from the conductor."""
        self.described.emit(told)

    def on_held(self, error: KnownError | None) -> None:
        """Pass on from the conductor."""
        self.held.emit(error)

    def on_presence(self, news: News) -> None:
        """Pass on from the conductor."""
        self.presence_told.emit(news)

    def on_unwatched(self, error: KnownError) -> None:
        """Pass on from the conductor."""
        self.unwatched.emit(str(error))

    def on_no_backup(self, error: KnownError) -> None:
        """Pass on from the keeper of back-ups, on its thread."""
        self.no_backup.emit(str(error))

    def on_idle(self, totals: Totals) -> None:
        """Pass on from the conductor."""
        self.idle.emit(totals)


def _sweep(home: Home) -> None:
    """Clear what processes that were killed left in a home; others may write there now."""
    for base in (home.data, home.cache):
        with contextlib.suppress(OSError):
            for folder in (base, *filter(Path.is_dir, base.iterdir())):
                atomic.remove_leftovers(folder)


def _cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
