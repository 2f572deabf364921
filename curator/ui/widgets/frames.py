"""Decoded thumbnails and proxies in memory, ready to paint.

Each view requests the pictures it needs, most urgent first, and requests anew whenever it moves;
what no view requests any longer is never decoded. Decoding, rotating and resizing to exact device
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

from curator.imaging import screen
from curator.imaging.proxy import proxy_path, thumb_path
from curator.model import INTERNAL_ERROR, UnreadableError
from curator.settings import Home, Settings

log = logging.getLogger(__name__)

THUMB, PROXY = "thumb", "proxy"

_MB = 1 << 20
_THUMBS_MB = 64  # some 700 tiles of 184 px at one device pixel a pixel, 170 at two
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
    """A picture ready to blit: an opaque sRGB image, one image pixel per device pixel."""

    image: QImage
    pixels: np.ndarray  # owns the memory of the image

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self.pixels.nbytes)

    @classmethod
    def of(cls, pixels: np.ndarray) -> Frame:
        """Wrap (H, W, 4) BGRX or (H, W, 3) RGB uint8 pixels without copying.

        They may be a view of some columns of a larger picture.
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

    Signals:
        arrived(set[FrameRequest]): requests that were decoded or failed just now.

    Thread: GUI only; decoding runs in its own pool.
    """

    arrived = Signal(object)
    _landed = Signal()

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
            budget_bytes: all decoded frames together never exceed it.
            threads: number of pictures decoded at once.
            parent: Qt parent.
        """
        super().__init__(parent)
        self.budget_bytes = budget_bytes
        self._read = read
        self._frames: OrderedDict[FrameRequest, Frame] = OrderedDict()
        self._bytes = 0
        self._any_size: dict[tuple[str, str, int], FrameRequest] = {}
        self._failed: dict[FrameRequest, str] = {}
        self._wants: dict[str, list[FrameRequest]] = {}
        self._wanted: frozenset[FrameRequest] = frozenset()
        self._lock = threading.Lock()
        self._queue: list[FrameRequest] = []  # next one last; the lock guards it and the next three
        self._running: set[FrameRequest] = set()
        self._done: list[tuple[FrameRequest, Frame | str]] = []
        self._busy = 0
        self._threads = threads
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._landed.connect(self._take, Qt.ConnectionType.QueuedConnection)

    # --- asking

    def get(self, want: FrameRequest) -> Frame | None:
        """Return a frame if it is decoded, and mark it as used."""
        frame = self._frames.get(want)
        if frame is not None:
            self._frames.move_to_end(want)
        return frame

    def any_size(self, want: FrameRequest) -> Frame | None:
        """Return the same content at the size decoded last, to show until the exact one arrives."""
        other = self._any_size.get((want.kind, want.key, want.turn))
        return None if other is None else self._frames.get(other)

    def failure(self, want: FrameRequest) -> str | None:
        """Return why a picture could not be decoded, or None."""
        return self._failed.get(want)

    def want(self, client: str, wants: Iterable[FrameRequest]) -> None:
        """Replace the requests of a view, most urgent first; the view that asked last goes first.

        Requests beyond the budget are ignored, so that wanted frames never evict each other.
        """
        self._wants.pop(client, None)
        self._wants = {client: list(wants)} | self._wants
        missing: list[FrameRequest] = []
        kept: dict[FrameRequest, None] = {}
        weight = 0
        for request in (each for requests in self._wants.values() for each in requests):
            if request in kept:
                continue
            frame = self._frames.get(request)
            weight += request.guessed_bytes if frame is None else frame.nbytes
            if weight > self.budget_bytes and kept:
                break
            kept[request] = None
            if frame is None and request not in self._failed:
                missing.append(request)
        self._wanted = frozenset(kept)
        with self._lock:
            under_way = self._running | {request for request, _ in self._done}
            self._queue = [request for request in reversed(missing) if request not in under_way]
            start = max(min(len(self._queue), self._threads - self._busy), 0)
            self._busy += start
        for _ in range(start):
            self._pool.start(self._work)

    def clear_failures(self, keys: Iterable[str | None]) -> None:
        """Try pictures with these keys again if they failed: their files may exist now.

        ``keys`` is iterated only if anything failed.
        """
        if self._failed:
            gone = set(keys)
            self._failed = {one: why for one, why in self._failed.items() if one.key not in gone}

    def clear(self) -> None:
        """Drop all frames and failures."""
        self._frames.clear()
        self._any_size.clear()
        self._failed.clear()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all frames."""
        return self._bytes

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
                want = self._queue.pop()
                self._running.add(want)
            made = self._make(want)
            with self._lock:
                self._running.discard(want)
                self._done.append((want, made))
                first = len(self._done) == 1
            if first:  # one wake-up stores all frames decoded by then
                self._landed.emit()

    def _make(self, want: FrameRequest) -> Frame | str:
        try:
            return Frame.of(screen.from_jpeg(self._read(want), want.size, want.turn))
        except OSError as error:
            return f"Its {want.kind} is not in the cache ({error.strerror or error})."
        except UnreadableError as error:
            return str(error)
        except Exception:
            log.exception("Making a frame of %s failed", want)
            return INTERNAL_ERROR

    # --- storing, on the GUI thread

    def _take(self) -> None:
        with self._lock:
            done, self._done = self._done, []
        for want, made in done:
            if isinstance(made, Frame):
                self._insert(want, made)
            else:
                self._failed[want] = made
        self._evict()
        if done:
            self.arrived.emit({want for want, _ in done})

    def _insert(self, want: FrameRequest, frame: Frame) -> None:
        old = self._frames.pop(want, None)
        self._bytes += frame.nbytes - (old.nbytes if old else 0)
        self._frames[want] = frame
        self._any_size[want.kind, want.key, want.turn] = want

    def _evict(self) -> None:
        """Drop the least recently used until the budget holds, wanted frames last."""
        if self._bytes <= self.budget_bytes:
            return
        for spare in (
            [request for request in self._frames if request not in self._wanted],
            [*self._frames],
        ):
            for want in spare:
                if self._bytes <= self.budget_bytes or len(self._frames) == 1:
                    return
                frame = self._frames.pop(want, None)
                if frame is not None:
                    self._bytes -= frame.nbytes
                    name = want.kind, want.key, want.turn
                    if self._any_size.get(name) == want:
                        del self._any_size[name]


class Pictures:
    """The frame stores of a window: ``frames`` for the loupe, ``thumbs`` for grid and filmstrip.

    They are separate so that scrolling a grid never evicts a frame of the loupe. Thread: GUI.
    """

    def __init__(self, home: Home, settings: Settings) -> None:
        self._cache: Path = home.cache
        self.frames = FrameStore(self._jpeg, settings.loupe.frames_mb * _MB)
        self.thumbs = FrameStore(self._jpeg, _THUMBS_MB * _MB)

    def _jpeg(self, want: FrameRequest) -> bytes:
        where = thumb_path if want.kind == THUMB else proxy_path
        return where(self._cache, want.key).read_bytes()

    def clear_failures(self, keys: Iterable[str | None]) -> None:
        """Try these pictures again if they failed: their files were written anew."""
        for store, some in zip((self.frames, self.thumbs), tee(keys), strict=True):
            store.clear_failures(some)

    def close(self) -> None:
        """Stop decoding and end the threads."""
        self.frames.close()
        self.thumbs.close()
