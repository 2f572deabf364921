"""Decoded pictures in memory, ready to be painted without any further work.

A view says which pictures it wants, most urgent first, and each time it moves it says so anew:
what is no longer wanted is never decoded. Decoding, turning and resizing to the exact device
pixels run in a thread pool; a paint is one blit. What was decoded stays until the byte budget is
needed for something newer. Frames are known by the *content* they show (a cache key), never by a
place in a list, so that no photo's pixels can come up under another's name.
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
# One frame takes 13 ms of a core, one thumbnail 1 ms; a core is left to the window.
_THREADS = max(1, min((os.cpu_count() or 2) - 1, 3))
_GUESS_BYTES = 1440 * 960 * 4  # what a proxy at its own size weighs, before it is known
_FORMATS = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGB32}


class FrameRequest(NamedTuple):
    """One picture at one size.

    Attributes:
        kind: THUMB or PROXY of the cache.
        key: cache key of the content.
        size: (width, height) in device px with ``turn`` applied; None for the picture's own.
        turn: quarter turns clockwise, 0-3.
    """

    kind: str
    key: str
    size: tuple[int, int] | None
    turn: int = 0

    @property
    def guessed_bytes(self) -> int:
        """About what the frame will weigh."""
        return self.size[0] * self.size[1] * 4 if self.size else _GUESS_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture ready to blit: an opaque image tagged sRGB, one image pixel a device pixel."""

    image: QImage
    pixels: np.ndarray  # the image looks into these; they live as long as it does

    @property
    def nbytes(self) -> int:
        """Weight in memory."""
        return int(self.pixels.nbytes)

    @classmethod
    def of(cls, pixels: np.ndarray) -> Frame:
        """Wrap (H, W, 4) BGRX or (H, W, 3) RGB uint8 pixels; nothing is copied.

        They may be a part of the columns of a larger picture, each row whole.
        """
        height, width, depth = pixels.shape
        line = pixels.strides[0]
        length = (height - 1) * line + width * depth
        buffer = np.lib.stride_tricks.as_strided(pixels, (length,), (1,))
        image = QImage(buffer.data, width, height, line, _FORMATS[depth])
        image.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
        return cls(image, pixels)


class FrameStore(QObject):
    """Frames within a byte budget, decoded ahead in the order wanted.

    Signals:
        arrived: set of the :class:`FrameRequest` that are there now, or that failed just now.

    Thread: GUI only, but for what runs in its pool.
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
        """Make an empty store.

        Args:
            read: gives the JPEG of a want; runs in the pool; OSError where there is none.
            budget_bytes: decoded frames never weigh more than this together.
            threads: how many pictures are decoded at once.
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
        self._queue: list[
            FrameRequest
        ] = []  # next one last; guarded by the lock, as the three below
        self._running: set[FrameRequest] = set()
        self._done: list[tuple[FrameRequest, Frame | str]] = []
        self._busy = 0
        self._threads = threads
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._landed.connect(self._take, Qt.ConnectionType.QueuedConnection)

    # --- asking

    def get(self, want: FrameRequest) -> Frame | None:
        """Give a frame if it is there; it counts as used now."""
        frame = self._frames.get(want)
        if frame is not None:
            self._frames.move_to_end(want)
        return frame

    def any_size(self, want: FrameRequest) -> Frame | None:
        """Give the same content at another size, if that is there, until the exact one is."""
        other = self._any_size.get((want.kind, want.key, want.turn))
        return None if other is None else self._frames.get(other)

    def failure(self, want: FrameRequest) -> str | None:
        """Say why a picture could not be made, or None."""
        return self._failed.get(want)

    def want(self, client: str, wants: Iterable[FrameRequest]) -> None:
        """Replace what a view wants, most urgent first; the last view to ask comes first.

        Asking stops at the budget, so that what is wanted never pushes itself out.
        """
        self._wants.pop(client, None)
        self._wants = {client: list(wants)} | self._wants
        missing: list[FrameRequest] = []
        kept: dict[FrameRequest, None] = {}
        weight = 0
        for one in (one for wants_ in self._wants.values() for one in wants_):
            if one in kept:
                continue
            frame = self._frames.get(one)
            weight += one.guessed_bytes if frame is None else frame.nbytes
            if weight > self.budget_bytes and kept:
                break
            kept[one] = None
            if frame is None and one not in self._failed:
                missing.append(one)
        self._wanted = frozenset(kept)
        with self._lock:
            under_way = self._running | {one for one, _ in self._done}
            self._queue = [one for one in reversed(missing) if one not in under_way]
            start = max(min(len(self._queue), self._threads - self._busy), 0)
            self._busy += start
        for _ in range(start):
            self._pool.start(self._work)

    def clear_failures(self, keys: Iterable[str | None]) -> None:
        """Forget that pictures of these keys failed: their files may be there now.

        Nobody is asked for a key unless one has failed.
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
        """Weight of all frames."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._frames)

    def close(self) -> None:
        """Drop what is waiting and wait for what is running (milliseconds)."""
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
            if first:  # one wake-up takes all that has landed by then
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

    # --- taking in, on the GUI thread

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
        """Drop the longest unused until the budget holds; what is wanted goes last."""
        if self._bytes <= self.budget_bytes:
            return
        for spare in ([one for one in self._frames if one not in self._wanted], [*self._frames]):
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
    """The two stores of a window: ``frames`` for the loupe, ``thumbs`` for grid and filmstrip.

    Kept apart so that scrolling a grid never costs the loupe a frame. Thread: GUI.
    """

    def __init__(self, home: Home, settings: Settings) -> None:
        self._cache: Path = home.cache
        self.frames = FrameStore(self._jpeg, settings.loupe.frames_mb * _MB)
        self.thumbs = FrameStore(self._jpeg, _THUMBS_MB * _MB)

    def _jpeg(self, want: FrameRequest) -> bytes:
        where = thumb_path if want.kind == THUMB else proxy_path
        return where(self._cache, want.key).read_bytes()

    def clear_failures(self, keys: Iterable[str | None]) -> None:
        """Try again what had failed: these pictures were made anew."""
        for store, some in zip((self.frames, self.thumbs), tee(keys), strict=True):
            store.clear_failures(some)

    def close(self) -> None:
        """Stop decoding; the threads are gone afterwards."""
        self.frames.close()
        self.thumbs.close()
