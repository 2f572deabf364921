"""Previews of single files: decoded, analyzed by the encoder and described, without a catalog.

The session and the command line use it. A person waits, so the window decodes in the loupe's
processes. The encoder's only process takes the file between two batches of photos; canceling a
preview never ends that process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QThreadPool

from curator.catalog import PhotoDetail
from curator.encoders import Recipe
from curator.imaging.proxy import proxy_path
from curator.model import INTERNAL_ERROR, Described, Embedded, Kind, KnownError, StageJob
from curator.pipeline.describing import asking
from curator.pipeline.encoder_lane import run_encoder
from curator.settings import Settings
from curator.stages.describe import describe_proxy
from curator.stages.embed import embed_proxy
from curator.stages.file_preview import DecodedFile, decode_file
from curator.vision import Cancelled
from curator.workers import WorkerBug, WorkerCancelled, WorkerPool

log = logging.getLogger(__name__)

T = TypeVar("T")
FilePreviewCallback = Callable[[DecodedFile | Embedded | KnownError], None]
DescriptionCallback = Callable[[Described | KnownError], None]


def job_of(path: str, settings: Settings) -> StageJob:
    """Return a job for a file that need not be in the catalog."""
    return StageJob(
        photo_id=0,
        stage="file_preview",
        path=path,
        kind=Kind.IMAGE,
        cache="",
        long_edge_px=settings.proxy.long_edge_px,
        quality=settings.proxy.quality,
        max_megapixels=settings.work.max_megapixels,
    )


def job_of_photo(photo: PhotoDetail, stage: str, settings: Settings, cache: Path) -> StageJob:
    """Return a job of a stage that reads the original behind a photo's proxy."""
    main, half = photo.files[0], next((file for file in photo.files if file.role == "half"), None)
    return replace(
        job_of(str(photo.path), settings),
        photo_id=photo.id,
        stage=stage,
        kind=main.kind,
        fallback=None if half is None or half.missing else str(half.path),
        fingerprint=photo.proxy_digest,
        proxy=str(proxy_path(cache, photo.proxy or "")),
    )


def run_on_file(
    pool: WorkerPool,
    settings: Settings,
    doing: str,
    function: Callable[..., T],
    job: StageJob,
    *given: object,
) -> T:
    """Run a function in a worker process; `WorkerPool.cancel` takes the path of its file.

    Args:
        pool: the worker processes.
        settings: the time limit.
        doing: what the log says failed: "decoding".
        function: it gets the job and what is ``given``.
        job: names the file.
        given: further arguments.

    Raises:
        WorkerCancelled: it was canceled.
        KnownError: the file cannot be read, or the function failed, and why.
    """
    try:
        return pool.run(function, job, *given, timeout_s=settings.work.timeout_s, token=job.path)
    except OSError as error:
        raise KnownError(f"The file cannot be read ({error.strerror or error}).") from error
    except WorkerBug as error:
        log.error("%s %s failed: %s", doing, job.path, error)
        raise KnownError(INTERNAL_ERROR) from None


def decode_in_worker(
    pool: WorkerPool, path: str, settings: Settings, screen_px: int = 0, faces: bool = False
) -> DecodedFile:
    """Decode a file in a worker process; `WorkerPool.cancel` takes its path.

    Args:
        pool: the worker processes.
        path: the file.
        settings: limits, and the size of a proxy.
        screen_px: as for `curator.stages.file_preview.decode_file`.
        faces: whether to measure faces, if that is on in the settings.

    Raises:
        WorkerCancelled: it was canceled.
        KnownError: the file cannot be decoded, and why.
    """
    job, measured = job_of(path, settings), faces and settings.faces.on
    return run_on_file(pool, settings, "decoding", decode_file, job, screen_px, measured)


def encode_in_worker(
    pool: WorkerPool, recipe: Recipe, found: DecodedFile, settings: Settings
) -> Embedded:
    """Run the encoder on a decoded file.

    Raises:
        WorkerCancelled: its process was ended.
        KnownError: the encoder failed or cannot be loaded, and why.
    """
    return run_encoder(pool, settings, embed_proxy, recipe, found.proxy)


class FilePreviewer:
    """Previews one file at a time; requesting another one cancels the one before.

    Thread: any, for every method; callbacks run on threads of this object's own.
    """

    def __init__(self, settings: Settings, pool: WorkerPool, encoder_pool: WorkerPool) -> None:
        """Use shared worker pools, which their owner closes."""
        self._settings, self._pool, self._encoder_pool = settings, pool, encoder_pool
        self._lock = threading.Lock()
        self._wanted: object = None
        self._path = ""
        self._threads = QThreadPool()

    def request(
        self, path: str, screen_px: int, recipe: Recipe | None, callback: FilePreviewCallback
    ) -> None:
        """Preview a file.

        Args:
            path: the file.
            screen_px: as for `curator.stages.file_preview.decode_file`.
            recipe: the encoder to run, or None.
            callback: gets the decoded file, then the encoder's result; an error in place of either
                is the last call. Never called after another file was requested, or this one
                canceled.
        """
        self.cancel()
        token = object()
        with self._lock:
            self._wanted, self._path = token, path
        self._threads.start(lambda: self._work(token, path, screen_px, recipe, callback))

    def describe(self, proxy: bytes, callback: DescriptionCallback) -> None:
        """Ask the vision model to describe the file requested last.

        Args:
            proxy: the decoded file as a JPEG.
            callback: gets the description or a KnownError; never after another file was requested,
                or this one canceled.
        """
        wanted = self._wanted

        def work() -> None:
            answer: Described | KnownError
            try:
                answer = describe_proxy(
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
                    callback(answer)

        if wanted is not None:
            self._threads.start(work)

    def cancel(self) -> None:
        """Cancel the preview; a running decode ends at once."""
        with self._lock:
            path, self._path, self._wanted = self._path, "", None
        if path:
            self._pool.cancel(path)

    def close(self) -> None:
        """Cancel and wait for the threads; close the pools first."""
        self.cancel()
        self._threads.waitForDone()

    def _work(
        self,
        token: object,
        path: str,
        screen_px: int,
        recipe: Recipe | None,
        callback: FilePreviewCallback,
    ) -> None:
        def report(result: DecodedFile | Embedded | KnownError) -> bool:
            """Report a result unless it was canceled. Return whether to go on."""
            with self._lock:  # the receiver may be gone as soon as it has canceled
                if self._wanted is token:
                    callback(result)
                return self._wanted is token

        try:
            if self._wanted is not token:
                return
            found = decode_in_worker(self._pool, path, self._settings, screen_px, faces=True)
            if report(found) and recipe is not None:
                report(encode_in_worker(self._encoder_pool, recipe, found, self._settings))
        except WorkerCancelled:
            return
        except KnownError as error:
            report(error)
