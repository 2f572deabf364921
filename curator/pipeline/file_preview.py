"""Single files looked at on request: decoded, and shown to the encoder, without a catalog.

A person waits, so decoding runs in the loupe's processes. The encoder is the one there is: its
process takes the file between two groups of photos, and is never ended for its sake.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QThreadPool

from curator.encoders import Recipe
from curator.model import INTERNAL_ERROR, Described, Embedded, Kind, KnownError, StageJob
from curator.pipeline.describing import asking
from curator.pipeline.encoder_lane import explain_encoder_error, with_loading
from curator.settings import Settings
from curator.stages.describe import described
from curator.stages.embed import embedded
from curator.stages.file_preview import Seen, see
from curator.vision import Cancelled
from curator.workers import (
    WorkerBug,
    WorkerCancelled,
    WorkerError,
    WorkerPool,
    WorkerUnavailable,
)

log = logging.getLogger(__name__)

FilePreviewCallback = Callable[[Seen | Embedded | KnownError], None]
DescriptionCallback = Callable[[Described | KnownError], None]


def seen(pool: WorkerPool, path: str, settings: Settings, screen_px: int = 0) -> Seen:
    """Decode a file in a process; its path is the token to cancel that by.

    Args:
        pool: where.
        path: the file.
        settings: have the limits, and what a proxy is.
        screen_px: as for `curator.stages.file_preview.see`.

    Raises:
        WorkerCancelled: it was called off.
        KnownError: no picture can be made of it; says why.
    """
    job = StageJob(
        photo_id=0,
        stage="file_preview",
        path=path,
        kind=Kind.IMAGE,
        cache="",
        long_edge_px=settings.proxy.long_edge_px,
        quality=settings.proxy.quality,
        max_megapixels=settings.work.max_megapixels,
    )
    try:
        return pool.run(see, job, screen_px, timeout_s=settings.work.timeout_s, token=path)
    except OSError as error:
        raise KnownError(f"The file cannot be read ({error.strerror or error}).") from error
    except WorkerBug as error:
        log.error("decoding %s failed: %s", path, error)
        raise KnownError(INTERNAL_ERROR) from None


def compared(pool: WorkerPool, recipe: Recipe, found: Seen, settings: Settings) -> Embedded:
    """Have the encoder look at what was decoded.

    Raises:
        WorkerCancelled: its process was ended.
        KnownError: it sees nothing there, or cannot be loaded; says why.
    """
    limit = settings.work.timeout_s
    try:
        return pool.run(embedded, recipe, found.proxy, timeout_s=with_loading(pool, limit))
    except (WorkerCancelled, WorkerUnavailable):
        raise
    except WorkerError as error:
        raise explain_encoder_error(error, limit) from None
    except WorkerBug as error:
        log.error("comparing a file failed: %s", error)
        raise KnownError(INTERNAL_ERROR) from None


class FilePreviewer:
    """Looks at one file at a time; the next one asked for gives up the one before.

    Thread: any, for every method; callbacks come from threads of this object's own.
    """

    def __init__(self, settings: Settings, pool: WorkerPool, encoder_pool: WorkerPool) -> None:
        """Make it over processes that others use too; they end them."""
        self._settings, self._pool, self._encoder_pool = settings, pool, encoder_pool
        self._lock = threading.Lock()
        self._wanted: object = None
        self._path = ""
        self._threads = QThreadPool()

    def want(
        self, path: str, screen_px: int, recipe: Recipe | None, tell: FilePreviewCallback
    ) -> None:
        """Look at a file.

        Args:
            path: the file.
            screen_px: as for `curator.stages.file_preview.see`.
            recipe: the encoder to show it to, None for none.
            tell: gets what was seen, then what the encoder saw; an error in place of either ends
                it. Never called again once another file is wanted, or none.
        """
        self.give_up()
        asked = object()
        with self._lock:
            self._wanted, self._path = asked, path
        self._threads.start(lambda: self._work(asked, path, screen_px, recipe, tell))

    def describe(self, proxy: bytes, tell: DescriptionCallback) -> None:
        """Have the vision model describe the file wanted last.

        Args:
            proxy: what was seen of it, as a JPEG.
            tell: gets the description, or a KnownError; never once another file is wanted.
        """
        wanted = self._wanted

        def work() -> None:
            answer: Described | KnownError
            try:
                answer = described(
                    proxy, asking(self._settings, lambda: self._wanted is not wanted)
                )
            except Cancelled:
                return
            except KnownError as error:
                answer = error
            except Exception:
                log.exception("describing a file failed")
                answer = KnownError(INTERNAL_ERROR)
            with self._lock:
                if self._wanted is wanted:
                    tell(answer)

        if wanted is not None:
            self._threads.start(work)

    def give_up(self) -> None:
        """Want nothing any more; a file that is being decoded ends at once."""
        with self._lock:
            path, self._path, self._wanted = self._path, "", None
        if path:
            self._pool.cancel(path)

    def close(self) -> None:
        """Give up, and wait for the threads; close the pools first."""
        self.give_up()
        self._threads.waitForDone()

    def _work(
        self,
        asked: object,
        path: str,
        screen_px: int,
        recipe: Recipe | None,
        tell: FilePreviewCallback,
    ) -> None:
        def said(what: Seen | Embedded | KnownError) -> bool:
            """Tell, unless that is not wanted any more."""
            with self._lock:  # whoever gave up may be gone before a call begun now ends
                if self._wanted is asked:
                    tell(what)
                return self._wanted is asked

        try:
            if self._wanted is not asked:
                return
            found = seen(self._pool, path, self._settings, screen_px)
            if said(found) and recipe is not None:
                said(compared(self._encoder_pool, recipe, found, self._settings))
        except WorkerCancelled:
            return
        except KnownError as error:
            said(error)
