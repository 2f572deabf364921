"""On-demand pixels of originals for the loupe: only what was asked for last is waited for.

Runs beside the conductor over processes of its own that are not niced, because a person waits.
A request for what is already asked for joins it; asking for something else is how one gives up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from PySide6.QtCore import QThreadPool

from curator.model import KnownError
from curator.settings import Work
from curator.stages.frame import Frame, frame
from curator.workers import WorkerBug, WorkerCancelled, WorkerPool

log = logging.getLogger(__name__)

Want = Literal["preview", "demosaic"]

# A job this old is a demosaic or a huge file; killing it costs a new process (0.4 s).
STALE_S = 0.7
MISTAKE = "Curator made a mistake here (see the log)."


class FrameKey(NamedTuple):
    """Which pixels: of a photo's file, as preview or demosaic, all (None) or at least so many."""

    photo_id: int
    path: str
    want: Want = "preview"
    long_edge_px: int | None = None


FrameCallback = Callable[[Frame | KnownError], None]


@dataclass
class _Request:
    key: FrameKey
    callbacks: list[FrameCallback] = field(default_factory=list)
    begun: float = 0.0
    stale: bool = False


class Frames:
    """Decodes originals when a person wants to see them.

    Thread: any, for every method; callbacks come from a thread of this object's own.
    """

    def __init__(self, work: Work, pool: WorkerPool) -> None:
        """Make the lane.

        Args:
            work: time limit and largest picture.
            pool: processes that are not niced; as many requests are worked on at a time.
        """
        self._work = work
        self._pool = pool
        self._lock = threading.Lock()
        self._waiting: _Request | None = None
        self._running: list[_Request] = []
        self._closed = False
        self._threads = QThreadPool()
        self._threads.setMaxThreadCount(pool.size)

    def request(self, key: FrameKey, callback: FrameCallback) -> None:
        """Ask for pixels; ``callback`` gets them, or the reason why there are none.

        What else is waiting is called off, and its callbacks are never called. What is being
        decoded already is delivered, unless it takes so long that it would be in the way.
        """
        with self._lock:
            if self._closed:
                return
            for running in self._running:
                if running.key == key and not running.stale:
                    running.callbacks.append(callback)
                    return
            if self._waiting is None or self._waiting.key != key:
                self._waiting = _Request(key)
                self._threads.start(self._work_one)
            self._waiting.callbacks.append(callback)
            stuck = self._in_the_way()
        if stuck is not None:
            self._pool.cancel(stuck.key)

    def is_busy(self, photo_id: int) -> bool:
        """Say whether a photo's original is being decoded right now."""
        with self._lock:
            return any(request.key.photo_id == photo_id for request in self._running)

    def _in_the_way(self) -> _Request | None:
        """Choose what to kill so that the newest request need not wait; the lock is held."""
        if len(self._running) < self._pool.size:
            return None
        oldest = min(self._running, key=lambda request: request.begun)
        if oldest.stale or time.monotonic() - oldest.begun < STALE_S:
            return None
        oldest.stale = True
        oldest.callbacks.clear()
        return oldest

    def close(self) -> None:
        """Call everything off and end the processes."""
        with self._lock:
            self._closed = True
            self._waiting = None
            for request in self._running:
                request.callbacks.clear()
        self._pool.close()
        self._threads.clear()
        self._threads.waitForDone()

    def _work_one(self) -> None:
        with self._lock:
            request, self._waiting = self._waiting, None
            if request is None:
                return
            request.begun = time.monotonic()
            self._running.append(request)
        answer = self._decode(request.key)
        with self._lock:
            self._running.remove(request)
            callbacks = [] if answer is None else list(request.callbacks)
        for callback in callbacks:
            assert answer is not None
            try:
                callback(answer)
            except Exception:
                log.exception("a callback for %s failed", request.key)

    def _decode(self, key: FrameKey) -> Frame | KnownError | None:
        """Decode in a process; None if that was called off."""
        try:
            return self._pool.run(
                frame,
                key.path,
                key.want,
                key.long_edge_px,
                self._work.max_megapixels,
                timeout_s=self._work.timeout_s,
                token=key,
            )
        except WorkerCancelled:
            return None
        except KnownError as error:
            return error
        except OSError as error:
            return KnownError(f"The file cannot be read ({error.strerror or error}).")
        except WorkerBug as error:
            log.error("decoding %s failed: %s", key.path, error)
            return KnownError(MISTAKE)
