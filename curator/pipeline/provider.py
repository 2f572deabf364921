"""Testing a vision provider and downloading its model, while a person waits.

The settings and the session use it. Photos are described by `describing`, not here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QThreadPool

from curator import vision
from curator.model import INTERNAL_ERROR, KnownError
from curator.vision import Health, VisionOptions

log = logging.getLogger(__name__)

_REPORT_S = 0.1  # the shortest time between two reports; progress comes many times a second


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Progress of a download: the current step, and bytes so far and in total (0: unknown)."""

    model: str
    doing: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class DownloadEnd:
    """The end of a download; ``error`` is None if the model is there, or if it was stopped."""

    model: str
    stopped: bool = False
    error: KnownError | None = None


Callback = Callable[[Health | DownloadProgress | DownloadEnd | KnownError], None]


class ProviderClient:
    """Makes one call at a time; a new call cancels the former one.

    Thread: any, for every method; answers come from a thread of this object's own.
    """

    def __init__(self) -> None:
        """Prepare; nothing connects before :meth:`test` or :meth:`pull`."""
        self._threads = QThreadPool()
        self._stop = threading.Event()

    def test(self, options: VisionOptions, callback: Callback) -> None:
        """Test whether a provider answers, and have it describe a small picture.

        Args:
            options: the provider and model; they need not be those of the settings.
            callback: gets the Health, or a KnownError if Curator itself failed.
        """

        def work(stopped: Callable[[], bool]) -> None:
            callback(vision.check(options, vision.sample_picture(), stopped))

        self._begin(work, callback)

    def pull(self, options: VisionOptions, callback: Callback) -> None:
        """Make a provider download its model; a stopped download can be continued later.

        Args:
            options: the provider and model.
            callback: gets DownloadProgress several times a second, DownloadEnd at the end; or a
                KnownError if Curator itself failed.
        """
        reported_at = -_REPORT_S

        def report(doing: str, done: int, total: int) -> None:
            nonlocal reported_at
            if time.monotonic() > reported_at + _REPORT_S:
                reported_at = time.monotonic()
                callback(DownloadProgress(options.model, doing, done, total))

        def work(stopped: Callable[[], bool]) -> None:
            try:
                vision.pull(options, report, stopped)
            except vision.Cancelled:
                callback(DownloadEnd(options.model, stopped=True))
            except KnownError as error:
                callback(DownloadEnd(options.model, error=error))
            else:
                callback(DownloadEnd(options.model))

        self._begin(work, callback)

    def stop(self) -> None:
        """Cancel the call in progress and close its connection."""
        self._stop.set()

    def close(self) -> None:
        """Cancel, and wait for the thread."""
        self.stop()
        self._threads.waitForDone()

    def _begin(self, work: Callable[[Callable[[], bool]], None], callback: Callback) -> None:
        self.stop()
        stop = self._stop = threading.Event()

        def run() -> None:
            try:
                work(stop.is_set)
            except vision.Cancelled:
                return
            except KnownError as error:
                callback(error)
            except Exception:
                log.exception("a call to the vision provider failed")
                callback(KnownError(INTERNAL_ERROR))

        self._threads.start(run)
