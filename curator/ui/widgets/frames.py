"""Decoded thumbnails and proxies in memory, ready to paint.

Each view requests the pictures it needs, most urgent first, and requests again whenever it moves.
What no view requests any longer is not decoded. Decoding, rotating and resizing to exact device
pixels run in a thread pool, so that a paint is one blit. Frames stay until newer ones need their
share of the byte budget. A frame is identified by the *content* it shows (a cache key), never by a
position in a list: no photo's pixels may appear under another photo's name.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QObject, Qt, QThreadPool, Signal
from PySide6.QtGui import QColorSpace, QImage

from curator.home import Home
from curator.imaging import screen
from curator.imaging.proxy import proxy_path, thumb_path
from curator.model import INTERNAL_ERROR, UnreadableError
from curator.settings import Settings

log = logging.getLogger(__name__)

THUMB, PROXY = "thumb", "proxy"

_MB = 1 << 20
_THUMBS_MB = 64  # some 700 tiles of 184 px on a standard screen, 170 at twice its density
# One frame takes 13 ms of a core, one thumbnail 1 ms; one core is left for the window.
_THREADS = max(1, min((os.cpu_count() or 2) - 1, 3))
_GUESS_BYTES = 1440 * 960 * 4  # of a proxy at its own size, before it is known
_FORMATS = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGB32}


class FrameRequest(NamedTuple):
    """A picture at one size.

    Attributes:
        kind: THUMB or PROXY of the cache.
        key: cache key of the content.
        size: (width, height) in device px after ``turn``; None for the picture's own size.
        turn: quarter turns clockwise, 0-3.
    """

    kind: str
    key: str
    size: tuple[int, int] | None
    turn: int = 0

    @property
    def guessed_bytes(self) -> int:
        """Estimated bytes of the frame."""
        return self.size[0] * self.size[1] * 4 if self.size else _GUESS_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded picture: an opaque sRGB image, made to be painted pixel for pixel."""

    image: QImage
    pixels: np.ndarray  # owns the memory of the image

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self.pixels.nbytes)

    @classmethod
    def of(cls, pixels: np.ndarray) -> Frame:
        """Wrap (H, W, 4) BGRX or (H, W, 3) RGB uint8 pixels without copying.

        ``pixels`` may be a view of some columns of a larger picture.
        """
        height, width, depth = pixels.shape
        line = pixels.strides[0]
        length = (height - 1) * line + width * depth
        buffer = np.lib.stride_tricks.as_strided(pixels, (length,), (1,))
        image = QImage(buffer.data, width, height, line, _FORMATS[depth])
        image.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
        return cls(image, pixels)


class FrameStore(QObject):
    """Frames within a byte budget, decoded ahead in the order requested.

    Attributes:
        budget_bytes: the most bytes all frames may take.
        nbytes: the bytes they take now.

    Signals:
        arrived(set[FrameRequest]): requests that were decoded or failed just now.

    Thread: GUI only; decoding runs in its own pool.
    """

    arrived = Signal(object)
    _decoded = Signal()

    def __init__(
        self,
        read: Callable[[FrameRequest], bytes],
        budget_bytes: int,
        threads: int = _THREADS,
        parent: QObject | None = None,
    ) -> None:
        """Create an empty store.

        Args:
            read: returns the JPEG of a request, or raises OSError; runs in the pool.
            budget_bytes: the most bytes all frames may take; a single frame may exceed it.
            threads: number of pictures decoded at once.
            parent: Qt parent.
        """
        super().__init__(parent)
        self.budget_bytes = budget_bytes
        self.nbytes = 0
        self._read = read
        self._frames: OrderedDict[FrameRequest, Frame] = OrderedDict()
        self._last_size: dict[tuple[str, str, int], FrameRequest] = {}  # by content and turn
        self._failed: dict[FrameRequest, str] = {}
        self._by_view: dict[str, list[FrameRequest]] = {}
        self._wanted: frozenset[FrameRequest] = frozenset()  # those within the budget
        self._lock = threading.Lock()  # guards the next four
        self._queue: list[FrameRequest] = []  # the most urgent last
        self._running: set[FrameRequest] = set()
        self._done: list[tuple[FrameRequest, Frame | str]] = []
        self._busy = 0
        self._threads = threads
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._decoded.connect(self._store_decoded, Qt.ConnectionType.QueuedConnection)

    # --- requests

    def get(self, request: FrameRequest) -> Frame | None:
        """Return a frame if it is decoded, and mark it as used."""
        frame = self._frames.get(request)
        if frame is not None:
            self._frames.move_to_end(request)
        return frame

    def best(self, request: FrameRequest | None) -> Frame | None:
        """Return a frame; until it is decoded, the same content at the size decoded last."""
        if request is None:
            return None
        frame = self.get(request)
        other = self._last_size.get((request.kind, request.key, request.turn))
        return self._frames.get(other) if frame is None and other is not None else frame

    def failure(self, request: FrameRequest) -> str | None:
        """Return why a picture could not be decoded, or None."""
        return self._failed.get(request)

    def want(self, view: str, requests: Iterable[FrameRequest | None]) -> None:
        """Replace the requests of a view, most urgent first; the view that asked last goes first.

        Requests beyond the budget are ignored, so that wanted frames never evict each other.

        Args:
            view: names the view.
            requests: the pictures it needs; None for a photo without a picture is skipped.
        """
        self._by_view.pop(view, None)
        own = [request for request in requests if request is not None]
        self._by_view = {view: own} | self._by_view
        missing: list[FrameRequest] = []
        wanted: dict[FrameRequest, None] = {}
        total = 0
        for request in (each for requests in self._by_view.values() for each in requests):
            if request in wanted:
                continue
            frame = self._frames.get(request)
            total += request.guessed_bytes if frame is None else frame.nbytes
            if total > self.budget_bytes and wanted:
                break
            wanted[request] = None
            if frame is None and request not in self._failed:
                missing.append(request)
        self._wanted = frozenset(wanted)
        with self._lock:
            started = self._running | {request for request, _ in self._done}
            self._queue = [request for request in reversed(missing) if request not in started]
            idle = max(min(len(self._queue), self._threads - self._busy), 0)
            self._busy += idle
        for _ in range(idle):
            self._pool.start(self._work)

    def clear_failures(self, keys: Iterable[str | None]) -> None:
        """Try pictures with these keys again if they failed: their files may exist now.

        ``keys`` is iterated only if anything failed.
        """
        if self._failed:
            again = set(keys)
            failed = self._failed.items()
            self._failed = {request: why for request, why in failed if request.key not in again}

    def clear(self) -> None:
        """Drop all frames and failures."""
        self._frames.clear()
        self._last_size.clear()
        self._failed.clear()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def close(self) -> None:
        """Drop waiting requests and wait for running ones (milliseconds)."""
        with self._lock:
            self._queue = []
        self._pool.waitForDone()

    # --- decoding, in the pool

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._busy -= 1
                    return
                request = self._queue.pop()
                self._running.add(request)
            result = self._decode(request)
            with self._lock:
                self._running.discard(request)
                self._done.append((request, result))
                first = len(self._done) == 1
            if first:  # one wake-up stores all frames decoded by then
                self._decoded.emit()

    def _decode(self, request: FrameRequest) -> Frame | str:
        """Return the frame, or why it could not be decoded."""
        try:
            return Frame.of(screen.from_jpeg(self._read(request), request.size, request.turn))
        except OSError as error:
            return f"Its {request.kind} is not in the cache ({error.strerror or error})."
        except UnreadableError as error:
            return str(error)
        except Exception:
            log.exception("Decoding %s failed", request)
            return INTERNAL_ERROR

    # --- storing, on the GUI thread

    def _store_decoded(self) -> None:
        with self._lock:
            done, self._done = self._done, []
        for request, result in done:
            if isinstance(result, Frame):
                old = self._frames.pop(request, None)
                self.nbytes += result.nbytes - (old.nbytes if old else 0)
                self._frames[request] = result
                self._last_size[request.kind, request.key, request.turn] = request
            else:
                self._failed[request] = result
        self._evict()
        if done:
            self.arrived.emit({request for request, _ in done})

    def _evict(self) -> None:
        """Drop the least recently used until the budget holds, wanted frames last."""
        if self.nbytes <= self.budget_bytes:
            return
        spare = [request for request in self._frames if request not in self._wanted]
        wanted = [request for request in self._frames if request in self._wanted]
        for request in [*spare, *wanted]:
            if self.nbytes <= self.budget_bytes or len(self._frames) == 1:
                return
            self.nbytes -= self._frames.pop(request).nbytes
            content = request.kind, request.key, request.turn
            if self._last_size.get(content) == request:
                del self._last_size[content]


class Pictures:
    """The frame stores of a window: ``frames`` for the loupe, ``thumbs`` for grid and filmstrip.

    They are separate so that scrolling a grid never evicts a frame of the loupe. Thread: GUI.
    """

    def __init__(self, home: Home, settings: Settings) -> None:
        self._cache: Path = home.cache
        self.frames = FrameStore(self._jpeg, settings.loupe.frames_mb * _MB)
        self.thumbs = FrameStore(self._jpeg, _THUMBS_MB * _MB)

    def _jpeg(self, request: FrameRequest) -> bytes:
        path_of = thumb_path if request.kind == THUMB else proxy_path
        return path_of(self._cache, request.key).read_bytes()

    def clear_failures(self, keys: Iterable[str | None]) -> None:
        """Try pictures with these keys again if they failed: their files were written again."""
        for store, own_keys in zip((self.frames, self.thumbs), tee(keys), strict=True):
            store.clear_failures(own_keys)

    def close(self) -> None:
        """Stop decoding and end the threads."""
        self.frames.close()
        self.thumbs.close()
