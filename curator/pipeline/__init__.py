"""The pipeline: takes photos from folders through the stages into the catalog, beside the window.

    pipeline = Pipeline(home, settings, catalog_path=home.catalog)
    pipeline.events.photos_saved.connect(table.refresh)
    pipeline.start()                                  # BusyError: another Curator reads already
    pipeline.open_folders([Path("/photos/iceland")], recursive=True)
    pipeline.focus([412, 413])                        # on screen: first
    pipeline.stop()

The session, the command line and the window use :class:`Pipeline`. Inside, `conductor` is the one
thread that writes and reports (`events`, `progress`, `idle_tracker`). Below it:

    ingest       opens and scans folders (`scanning`), notices drives (`folder_availability`) and
                 changes (`folder_watcher`, `file_stability`)
    dispatch     decides which jobs start next; `lanes` wait for worker processes, `headers_lane`
                 for those that read headers, `faces_lane` for those that measure faces,
                 `encoder_lane` for the encoder, `describing` for the vision model at the times
                 that `asking_limits` allows, `text_lane` for those that read text, last of all
    saving       saves results with each stage's save function, and failures
    file_probe   looks at files on its own thread, so that the conductor waits for no drive
    between_jobs keeps stacks (`stacking`, `neighborhoods`, `pair_similarity`), suggested tags
                 (`zero_shot_tagger`) and the full-text index up to date
    upkeep       grows and checkpoints the catalog's log, and starts processes ahead
    backup_scheduler    makes the daily backup

Beside it, `frames` decodes originals for the loupe on demand, `file_preview` shows a file that is
in no catalog, `text_encoding` encodes searches, `sidecars` writes sidecars. Nothing here draws, and
no Python loop here may run long: the window's thread shares the interpreter.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from curator import atomic
from curator.catalog import ConductorLock
from curator.encoders import Encoding, select_encoder
from curator.home import Home
from curator.pipeline.conductor import Conductor
from curator.pipeline.encoder_lane import make_pool
from curator.pipeline.events import (
    PipelineEvents,
    Progress,
    RequestNews,
    ScanReport,
    Totals,
)
from curator.pipeline.file_preview import FilePreviewer
from curator.pipeline.folder_availability import FolderNews
from curator.pipeline.frames import FrameDecoder
from curator.pipeline.ingest import check_sources
from curator.pipeline.sidecars import Difference, Preview, SidecarNews, SidecarWriter
from curator.pipeline.text_encoding import TextEncoder
from curator.settings import Settings
from curator.stages import STAGES, Stage
from curator.stages.embed_metadata import MetadataResult
from curator.workers import InlinePool, WorkerPool

__all__ = [
    "Difference",
    "Encoding",
    "FolderNews",
    "MetadataResult",
    "Pipeline",
    "PipelineEvents",
    "Preview",
    "Progress",
    "RequestNews",
    "ScanReport",
    "SidecarNews",
    "Totals",
]

_ANSWER_S = 1.0
# Modules a worker process imports before its first job.
_PIXELS = ("curator.imaging.decode", "curator.imaging.proxy")
_LOOKS = (*_PIXELS, "curator.imaging.overlay", "curator.imaging.screen")
_FRAMES_NICE = 5  # a person waits for these frames, but the window paints first
_HEADERS = (
    "curator.imaging.embedded_thumbnail",
    "curator.imaging.embedded_metadata",
    "curator.sidecar.batch",
)
_PRELOAD = ("curator.stages", *_HEADERS, "curator.imaging.quality", *_PIXELS)


class Pipeline:
    """Reads photos in the background, for one catalog.

    Attributes:
        events: everything it reports, as signals.
        frames: decodes originals for the loupe.
        file_previews: previews single files that need not be in the catalog.
        text_encoder: encodes the texts of searches.
        sidecars: writes sidecars, and embeds marks in originals.

    Thread: any, for every method; with ``inline`` the one that called :meth:`start`.
    """

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
            inline: do everything in the call that asks for it, for tests.
            stages: the steps photos go through.
            watching: for a window: scan changed folders by itself, as the settings say, and start
                processes before there is work.
        """
        self.events = PipelineEvents()
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
        self._encoder_pool = InlinePool() if inline else make_pool(settings)
        self._conductor = Conductor(
            settings,
            stages,
            home.cache,
            (self._pool, self._encoder_pool),
            self.events,
            watching=watching and not inline,
        )
        self._conductor.encoding = select_encoder(home, settings)
        self._thread: threading.Thread | None = None
        self._running = False
        self._inline, self._watching = inline, watching
        self._frame_pool = WorkerPool(
            2, memory_mb=work.memory_mb, nice=_FRAMES_NICE, name="frames", preload=_LOOKS
        )
        self.frames = FrameDecoder(work, self._frame_pool)
        self._frames_warm = self._looked_at = False
        self.file_previews = FilePreviewer(settings, self._frame_pool, self._encoder_pool)
        self.sidecars = SidecarWriter(
            self._path,
            settings,
            self._pool,
            self.events.sidecars_changed.emit,
            self.events.photos_saved.emit,
        )
        self.text_encoder = TextEncoder(settings, self._encoder_pool)

    # --- life

    def start(self) -> None:
        """Start with the work that waits in the catalog.

        Raises:
            BusyError: another Curator reads photos into this catalog; nothing was started.
            CatalogError: the catalog cannot be opened; nothing was started.
        """
        self._lock.acquire()
        _remove_leftovers(self._home)
        failures: list[BaseException] = []
        ready = threading.Event()

        def run() -> None:
            try:
                self._conductor.open(self._path)
            except BaseException as error:
                failures.append(error)
                return
            finally:
                ready.set()
            self._conductor.run()

        try:
            if self._inline:
                self._conductor.open(self._path)
            else:
                self._thread = threading.Thread(target=run, name="curator-conductor", daemon=True)
                self._thread.start()
                ready.wait()
                if failures:
                    self._thread.join()
                    raise failures[0]
        except BaseException:
            self._lock.release()
            raise
        self._running = True
        if not self._inline:
            if self._watching:
                # Processes load while the person chooses a folder; the window keeps one core. A
                # command may need none.
                self._conductor.post(lambda: self._pool.warm(max(1, min(2, _cores() - 1))))
            self.sidecars.start()
        self._work_off()

    def stop(self) -> None:
        """End; jobs in flight are put back, and processes are killed. Safe to repeat."""
        self.frames.close()
        self.file_previews.cancel()
        self.text_encoder.cancel()
        running, self._running = self._running, False
        if running:
            self._conductor.stop()
            self._pool.close()
            self.sidecars.close()
        self._encoder_pool.close()
        self.file_previews.close()
        self.text_encoder.close()
        if not running:
            return
        if self._thread is not None:
            self._thread.join()
        else:
            self._conductor.close()
        self._lock.release()

    def pause(self) -> None:
        """Start no new jobs; those in flight end, and their results are saved."""
        self._post(lambda: self._conductor.set_paused(True))

    def resume(self) -> None:
        """Continue after :meth:`pause`, or after a problem that paused all work."""
        self._conductor.idle.forgive()
        self._post(lambda: self._conductor.set_paused(False))

    @property
    def paused(self) -> bool:
        """Whether no new jobs are started, by request or because of a problem."""
        return self._conductor.paused

    @property
    def is_idle(self) -> bool:
        """Whether all photos are read and analyzed; descriptions and text may be under way."""
        return self._conductor.is_idle

    def wait_idle(self, timeout_s: float | None = None) -> Totals | None:
        """Wait until everything asked for is done, including postponed attempts.

        Returns:
            What was done since work was last idle; None if ``timeout_s`` ran out first, or if the
            pipeline was stopped.

        Raises:
            KnownError: this problem paused all work.
        """
        return self._conductor.idle.wait(timeout_s)

    # --- asking

    def open_folders(
        self,
        sources: Iterable[str | os.PathLike[str]],
        recursive: bool = True,
        sample: int | None = None,
    ) -> None:
        """Add folders or single files, scan them, and read what is new.

        If a problem had paused all work, it continues; a problem that remains is reported again.

        Args:
            sources: folders and files.
            recursive: whether to include subfolders.
            sample: add only this many photos, drawn at random from those not in the catalog.
                Re-scans add no others to such a folder.

        Raises:
            KnownError: a source is not there or cannot be read; nothing was added.
        """
        paths = check_sources(sources)
        conductor = self._conductor
        conductor.idle.forgive()
        self._post(lambda: conductor.ingest.open(paths, recursive, sample))

    def rescan(self, folder_id: int | None = None) -> None:
        """Look for new, moved and missing files in a folder, or in all that are switched on.

        If a problem had paused all work, it continues.
        """
        conductor = self._conductor
        conductor.idle.forgive()
        self._post(lambda: conductor.ingest.rescan(folder_id))

    def apply_watching_settings(self) -> None:
        """Start or stop watching folders, by the settings as they are now."""
        if self._running:
            self._post(self._conductor.ingest.refresh)

    def retry(
        self,
        stage: str | None = None,
        ids: Sequence[int] | None = None,
        timeout_s: float | None = _ANSWER_S,
    ) -> int:
        """Try failed work again, of one stage or all, of some photos or all.

        If a problem had paused all work, it continues.

        Returns:
            How many results will be made again; 0 if the conductor did not answer within
            ``timeout_s``.
        """
        if not self._running:
            return 0
        conductor = self._conductor
        answer: SimpleQueue[int] = SimpleQueue()
        conductor.idle.forgive()
        self._post(lambda: answer.put(conductor.jobs.retry(stage, ids)))
        try:
            return answer.get(timeout=timeout_s)
        except Empty:
            return 0

    def reselect_encoder(self) -> Encoding:
        """Choose the encoder again: weights were downloaded, or its settings changed.

        Photos it has not analyzed are analyzed in the background.
        """
        encoding = self._conductor.encoding = select_encoder(self._home, self._settings)
        if self._running:
            self._post(lambda: self._conductor.use_encoder(encoding))
        return encoding

    @property
    def encoding(self) -> Encoding:
        """The encoder in use, or why there is none."""
        return self._conductor.encoding

    def describe(self, *photos: int) -> None:
        """Request descriptions of photos, also of those described before.

        They go first, whether or not the others are described automatically.
        """
        conductor = self._conductor
        self._post(lambda: conductor.jobs.request_descriptions(photos))

    def apply_vision_settings(self) -> None:
        """Describe photos by the settings as they are now."""
        if self._running:
            self._post(self._conductor.jobs.renew_vision)

    def read_text(self, *photos: int) -> None:
        """Read the text in photos, also in those read before.

        They go first, whether or not the others are read automatically.
        """
        conductor = self._conductor
        self._post(lambda: conductor.jobs.request_text(photos))

    def apply_text_settings(self) -> None:
        """Read text in all photos or on request, by the settings as they are now."""
        if self._running:
            self._post(self._conductor.jobs.use_text)

    def apply_faces_settings(self) -> None:
        """Measure faces, or remove what was measured, by the settings as they are now."""
        if self._running:
            self._post(self._conductor.use_faces)

    def write_sidecars(self) -> None:
        """Write the requested sidecars (`catalog.sidecars.request_write`) now."""
        if self._inline:
            self.sidecars.work_off()
        else:
            self.sidecars.wake()

    @property
    def reads_for_screen(self) -> bool:
        """Whether a photo on screen waits to be read, or a frame for the loupe is being decoded.

        An import gives way as long as this is so. It costs microseconds. Photos that failed or are
        away do not count, and while reading is paused none do.
        """
        if self.frames.is_reading:
            return True
        return self._running and not self.paused and self._conductor.jobs.reads_for_screen()

    def focus(self, ids: Sequence[int]) -> None:
        """Set the photos on screen, the most urgent first."""
        self._conductor.focus(ids)
        if self._inline:
            self._work_off()
        elif not self._frames_warm and (self._looked_at or self._conductor.is_idle):
            # The person moves in the grid and may open the loupe next. Not at the first call, and
            # not while the first screens of a folder are read: its photos need the processor.
            self._frames_warm = True
            self._conductor.upkeep.deferred.append(lambda: self._frame_pool.warm(1))
            self._conductor.wake()
        self._looked_at = True

    def _post(self, request: Callable[[], None]) -> None:
        self._conductor.post(request)
        self._work_off()

    def _work_off(self) -> None:
        """Do what was asked for at once, with ``inline``."""
        if self._inline and self._running:
            self._conductor.work_off()


def _remove_leftovers(home: Home) -> None:
    """Remove the temporary files of killed processes; other processes may write there now."""
    for base in (home.data, home.cache):
        with contextlib.suppress(OSError):
            for folder in (base, *filter(Path.is_dir, base.iterdir())):
                atomic.remove_leftovers(folder)


def _cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
