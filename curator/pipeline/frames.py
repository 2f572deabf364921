"""Decoding originals for the loupe, the most urgent first.

It runs beside the conductor, in its own processes, because a person waits. They give way to the
window, which paints first. At every move the loupe passes the list of all frames it needs, the most
urgent first; requests that are no longer in the list are canceled. One process is kept for the most
urgent frame: prefetching must never delay it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QThreadPool

from curator.model import INTERNAL_ERROR, KnownError
from curator.settings import WorkSettings
from curator.stages.frame import DecodeRequest, Frame, frame
from curator.workers import WorkerBug, WorkerCancelled, WorkerPool

log = logging.getLogger(__name__)

# A job this old is a demosaic or a huge file; killing it costs a new process (0.4 s). A demosaic
# that is no longer wanted is killed at any age: on average it would run as long again.
STALE_S = 0.7
_TYPICAL_S = 0.25  # to decode 24 megapixels on one core

FrameCallback = Callable[[DecodeRequest, Frame | KnownError], None]


@dataclass
class _Running:
    request: DecodeRequest
    begun: float
    wanted: bool = True
    killed: bool = False


class FrameDecoder:
    """Decodes originals that a person is about to see.

    Thread: any, for every method; callbacks come from a thread of this object's own.
    """

    def __init__(self, work: WorkSettings, pool: WorkerPool) -> None:
        """Make a decoder; no process starts before :meth:`request`.

        Args:
            work: time limit and largest picture.
            pool: processes less nice than the pipeline's; with only one, a prefetch can delay the
                most urgent frame.
        """
        self._work = work
        self._pool = pool
        self._lock = threading.Lock()
        self._wanted: tuple[DecodeRequest, ...] = ()
        self._waiting: list[DecodeRequest] = []
        self._running: list[_Running] = []
        self._callback: FrameCallback | None = None
        self._closed = False
        self._took_s: dict[str, tuple[float, ...]] = {}  # of the last full decodes, by ``want``
        self._threads = QThreadPool()
        self._threads.setMaxThreadCount(pool.size + 1)  # one may be calling back

    def request(self, requests: Sequence[DecodeRequest], callback: FrameCallback) -> None:
        """Replace the list of wanted frames; requests that have not begun are canceled.

        A frame that is being decoded is delivered even if it is no longer wanted, unless its
        process is killed because it delays the most urgent one.

        Args:
            requests: the most urgent first.
            callback: gets each request with its frame, or with the reason why there is none; it is
                not called for canceled requests.
        """
        with self._lock:
            if self._closed:
                return
            self._wanted = tuple(requests)
            self._callback = callback
            under_way = set()
            for running in self._running:
                running.wanted = running.request in self._wanted
                if not running.killed:
                    under_way.add(running.request)
            self._waiting = [
                request for request in dict.fromkeys(requests) if request not in under_way
            ]
            blocking = self._find_blocking()
            self._start()
        if blocking is not None and not self._pool.cancel(blocking.request):
            blocking.killed = False  # it has not reached the pool yet, or has just finished

    def full_s(self, want: str) -> float:
        """Return about how many seconds all pixels of a picture take, from the start of the job.

        The fastest of the last three counts: the start of a process or a slow disk says little
        about the next picture.

        Args:
            want: which picture of a file (:attr:`DecodeRequest.want`).
        """
        return min(self._took_s.get(want, (_TYPICAL_S,)))

    @property
    def is_reading(self) -> bool:
        """Whether any file is being decoded right now."""
        return bool(self._running)

    def is_busy(self, path: str) -> bool:
        """Whether a file is being decoded right now."""
        with self._lock:
            return any(running.request.path == path for running in self._running)

    def _find_blocking(self) -> _Running | None:
        """Return a job to kill so that the most urgent one need not wait; the lock is held."""
        if len(self._running) < self._pool.size or self._wanted[:1] != tuple(self._waiting[:1]):
            return None
        now = time.monotonic()
        # Killing is worth it for two of three reasons: a demosaic, no longer wanted, or old.
        slow = [
            job
            for job in self._running
            if not job.killed
            and (job.request.want == "demosaic") + (not job.wanted) + (now - job.begun >= STALE_S)
            >= 2
        ]
        oldest = min(slow, key=lambda job: job.begun, default=None)
        if oldest is not None:
            oldest.killed = True
        return oldest

    def _start(self) -> None:
        """Start threads for the jobs that may begin now; the lock is held."""
        while self._waiting and len(self._running) < self._pool.size:
            urgent = self._waiting[0] == self._wanted[0]
            if not urgent and len(self._running) >= max(1, self._pool.size - 1):
                return
            running = _Running(self._waiting.pop(0), time.monotonic())
            self._running.append(running)
            self._threads.start(lambda running=running: self._work_off(running))

    def close(self) -> None:
        """Cancel everything and end the processes."""
        with self._lock:
            self._closed = True
            self._waiting = []
            self._callback = None
        self._pool.close()
        self._threads.clear()
        self._threads.waitForDone()

    def _work_off(self, running: _Running) -> None:
        request = running.request
        answer = self._decode(request)
        took_s = time.monotonic() - running.begun
        with self._lock:
            if isinstance(answer, Frame) and request.long_edge_px is None:
                self._took_s[request.want] = (*self._took_s.get(request.want, ())[-2:], took_s)
            self._running.remove(running)
            callback = None if answer is None or running.killed else self._callback
            if not self._closed:
                self._start()
        if callback is None or answer is None:
            return
        try:
            callback(request, answer)
        except Exception:
            log.exception("a callback for %s failed", request)

    def _decode(self, request: DecodeRequest) -> Frame | KnownError | None:
        """Decode in a process; return None if that was canceled."""
        try:
            return self._pool.run(
                frame,
                request,
                self._work.max_megapixels,
                timeout_s=self._work.timeout_s,
                token=request,
            )
        except WorkerCancelled:
            return None
        except KnownError as error:
            return error
        except OSError as error:
            return KnownError(f"The file cannot be read ({error.strerror or error}).")
        except Exception as error:  # whatever it is, or its place would stay taken
            with_traceback = not isinstance(error, WorkerBug)  # that tells it already
            log.error("decoding %s failed: %s", request.path, error, exc_info=with_traceback)
            return KnownError(INTERNAL_ERROR)
