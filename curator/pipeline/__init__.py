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
    dispatch     decides which jobs start next; `lanes` wait for worker processes, `encoder_lane`
                 for the encoder, `describing` for the vision model
    saving       saves results, as each stage says, and failures
    file_probe   looks at files, so that the conductor waits for no drive
    between_jobs keeps stacks (`stacking`, `similarity_cache`), suggested tags (`zero_shot_tagger`)
                 and the full-text index (`indexing`) up to date
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
from curator.model import KnownError
from curator.pipeline.conductor import Conductor
from curator.pipeline.encoder_lane import make_pool
from curator.pipeline.events import (
    DescriptionNews,
    PipelineEvents,
    Progress,
    ScanReport,
    Totals,
)
from curator.pipeline.file_preview import DescriptionCallback, FilePreviewCallback, FilePreviewer
from curator.pipeline.folder_availability import FolderNews
from curator.pipeline.frames import FrameCallback, FrameDecoder
from curator.pipeline.ingest import check_sources
from curator.pipeline.sidecars import Difference, Preview, SidecarNews, SidecarWriter
from curator.pipeline.text_encoding import TextEncoder, TextVectorCallback
from curator.settings import Home, Settings
from curator.sidecar import Profile
from curator.stages import STAGES, Stage
from curator.stages.embed_metadata import MetadataResult
from curator.stages.frame import DecodeRequest
from curator.workers import InlinePool, WorkerPool

__all__ = [
    "DecodeRequest",
    "DescriptionNews",
    "Difference",
    "Encoding",
    "FolderNews",
    "FrameCallback",
    "MetadataResult",
    "Pipeline",
    "PipelineEvents",
    "Preview",
    "Progress",
    "ScanReport",
    "SidecarNews",
    "Totals",
]

_ANSWER_S = 1.0
# Modules a worker process imports before its first job.
_PIXELS = ("curator.imaging.decode", "curator.imaging.proxy")
_LOOKS = (*_PIXELS, "curator.imaging.overlay", "curator.imaging.screen")
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
            stages: what photos go through.
            watching: scan changes in folders without being asked, as the settings say.
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
            settings, stages, home.cache, (self._pool, self._encoder_pool), self.events
        )
        self._conductor.encoding = select_encoder(home, settings)
        self._thread: threading.Thread | None = None
        self._running = False
        self._inline, self._watching = inline, watching
        self._frame_pool = WorkerPool(
            2, memory_mb=work.memory_mb, nice=0, name="frames", preload=_LOOKS
        )
        self._frames = FrameDecoder(work, self._frame_pool)
        self._frames_warm = self._looked_at = False
        self._file_previewer = FilePreviewer(settings, self._frame_pool, self._encoder_pool)
        self._sidecars = SidecarWriter(
            self._path,
            settings,
            self._pool,
            self.events.sidecars_changed.emit,
            self.events.photos_saved.emit,
        )
        self._phrases = TextEncoder(settings, self._encoder_pool, self._conductor.keep_encoder)

    # --- life

    def start(self) -> None:
        """Start with the work that waits in the catalog.

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
                self._conductor.post(self._conductor.ingest.watch)
            self._sidecars.start()
        self._settle()

    def stop(self) -> None:
        """End: jobs in flight are put back, processes killed. Safe to repeat."""
        self._frames.close()
        self._file_previewer.cancel()
        self._phrases.give_up()
        running, self._running = self._running, False
        if running:
            self._conductor.stop()
            self._pool.close()
            self._sidecars.close()
        self._encoder_pool.close()
        self._file_previewer.close()
        self._phrases.close()
        if not running:
            return
        if self._thread is not None:
            self._thread.join()
        else:
            self._conductor.close()
        self._lock.release()

    def pause(self) -> None:
        """Start nothing new; what is in flight ends and is saved."""
        self._post(lambda: self._conductor.set_paused(True))

    def resume(self) -> None:
        """Continue after :meth:`pause`, or after a problem."""
        self._conductor.idle.forgive()
        self._post(lambda: self._conductor.set_paused(False))

    @property
    def paused(self) -> bool:
        """Whether nothing new is started, by request or because of a problem."""
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
        conductor.idle.forgive()
        self._post(lambda: conductor.ingest.open(paths, recursive, sample))

    def rescan(self, folder_id: int | None = None) -> None:
        """Look for new, moved and missing files in a folder, or in all that are switched on.

        If a problem had paused reading, it goes on.
        """
        conductor = self._conductor
        conductor.idle.forgive()
        self._post(lambda: conductor.ingest.rescan(folder_id))

    def apply_watching_settings(self) -> None:
        """Watch folders by the settings as they are now."""
        if self._running:
            self._post(self._conductor.ingest.refresh)

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
        conductor.idle.forgive()
        self._post(lambda: answer.put(conductor.jobs.retry(stage, ids)))
        try:
            return answer.get(timeout=timeout_s)
        except Empty:
            return 0

    def reselect_encoder(self) -> Encoding:
        """Choose the encoder again: weights were downloaded, or its settings changed.

        Photos it has not seen are compared in the background; taste goes by the former vectors
        until then.
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
        """Describe photos before all others, whether or not all are described."""
        conductor = self._conductor
        self._post(lambda: conductor.jobs.describe(photos))

    def apply_vision_settings(self) -> None:
        """Describe by the settings as they are now; photos that waited are tried again."""
        if self._running:
            self._post(self._conductor.jobs.renew_vision)

    def focus(self, ids: Sequence[int]) -> None:
        """Set the photos on screen, the most wanted first."""
        self._conductor.focus(ids)
        if self._inline:
            self._settle()
        elif not self._frames_warm and (self._looked_at or self._conductor.is_idle):
            self._frames_warm = True  # the grid is in use; the loupe may be next
            self._conductor.post(lambda: self._frame_pool.warm(1))
        self._looked_at = True  # right after opening a folder, its first photos come first

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
        """Find what writing sidecars would change; ``tell`` gets it on a thread."""
        self._sidecars.preview(ids, profile, tell)

    def compare_originals(
        self, ids: Sequence[int], tell: Callable[[list[MetadataResult] | KnownError], None]
    ) -> None:
        """Find what embedding marks would change in originals; ``tell`` gets it on a thread."""
        self._sidecars.compare_metadata(ids, tell)

    def embed(self, ids: Sequence[int], program: str) -> None:
        """Embed marks in originals; only after a person agreed to how many."""
        self._sidecars.embed(ids, program)

    # --- the loupe

    def request_frames(self, requests: Sequence[DecodeRequest], callback: FrameCallback) -> None:
        """Request pixels and overlays of originals; former requests are canceled.

        Args:
            requests: the most urgent first.
            callback: called on a thread of the lane with a look, and its Frame or a KnownError;
                never with what was given up.
        """
        self._frames.want(requests, callback)

    # --- single files

    def request_file_preview(self, path: str, screen_px: int, tell: FilePreviewCallback) -> None:
        """Preview one file that need not be in the catalog; nothing of it is saved.

        Args:
            path: the file; another one wanted before is given up.
            screen_px: long edge of its picture for the screen.
            tell: called on a thread with what was seen, then with what the encoder saw, if there
                is one; with a KnownError in place of either, which is the end. Never once the
                preview was canceled.
        """
        self._file_previewer.want(path, screen_px, self.encoding.recipe, tell)

    def request_description(self, proxy: bytes, tell: DescriptionCallback) -> None:
        """Ask the vision model to describe the file previewed last; nothing is kept.

        Args:
            proxy: what was seen of it.
            tell: called on a thread with a Described, or a KnownError; never once given up.
        """
        self._file_previewer.describe(proxy, tell)

    def cancel_file_preview(self) -> None:
        """Cancel the file preview; a running decode ends at once."""
        self._file_previewer.cancel()

    def request_text_vector(self, text: str, tell: TextVectorCallback) -> bool:
        """Encode the text of a search; False if no encoder here encodes texts.

        Args:
            text: the phrase; another one wanted before is given up.
            tell: gets the vector as bytes, (dimension,) float32, or a KnownError; at once if it is
                known, else on a thread.
        """
        return self._phrases.want(text, self.encoding.recipe, tell)


def _sweep(home: Home) -> None:
    """Remove what killed processes left in a home; others may write there now."""
    for base in (home.data, home.cache):
        with contextlib.suppress(OSError):
            for folder in (base, *filter(Path.is_dir, base.iterdir())):
                atomic.remove_leftovers(folder)


def _cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
