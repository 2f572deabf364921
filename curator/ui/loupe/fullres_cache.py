"""Pixels, crops and overlays of originals, read ahead within a byte budget.

Every view of originals shares one. A view requests what it needs, most urgent first, and requests
again at every move. The pipeline decodes what is missing in worker processes. Results stay until
newer ones need the space, least recently used first, or until no view has requested any for a
while. Pictures are identified by their *content* (a fingerprint the worker has checked): the pixels
of a file replaced on disk must never be shown as the former photo.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, QThreadPool, QTimer, Signal

from curator.imaging.overlay import Overlay
from curator.library import captions
from curator.model import READ_ELSEWHERE, KnownError
from curator.session import Session
from curator.session.pixel_source import Source
from curator.stages.frame import ChangedError, Crop, DecodeRequest
from curator.stages.frame import Frame as Decoded
from curator.ui.widgets.frames import Frame

log = logging.getLogger(__name__)

_PICTURE_SHARE = 0.7  # of the budget for one picture; an overlay adds 1.2 bytes to its 3 per pixel
_IDLE_MS = 10_000  # after so long without requests, everything is released
_CANCELED = 16  # canceled requests whose results may still arrive


class Picture(NamedTuple):
    """The identity of a picture: its file's content, which picture in it, its rotation."""

    content: str
    want: str
    turn: int

    @property
    def unturned(self) -> tuple[str, str]:
        """Content and picture, by which failures are recorded."""
        return self.content, self.want


@dataclass(frozen=True, slots=True)
class PixelRequest:
    """What a view needs of one original.

    Attributes:
        photo: the photo's id.
        source: which of its files, and which picture in it.
        turn: quarter turns clockwise.
        size: (width, height) device px; None for all pixels.
        pixels: whether the picture is needed, or only its overlays.
        overlays: kinds of overlays needed (:data:`curator.imaging.overlay.KINDS`).
        guessed_bytes: estimated size in memory, without crops.
        crops: parts of the picture needed, each at its own size.
    """

    photo: int
    source: Source
    turn: int
    size: tuple[int, int] | None = None
    pixels: bool = True
    overlays: frozenset[str] = frozenset()
    guessed_bytes: int = 0
    crops: tuple[Crop, ...] = ()

    @property
    def picture(self) -> Picture:
        """The identity of the picture; of a photo not read yet, by its id."""
        source = self.source
        return Picture(source.fingerprint or f"photo {self.photo}", source.want, self.turn)


@dataclass(frozen=True, slots=True, eq=False)
class OriginalPixels:
    """Decoded pixels of an original, with ``basis`` from the decoder."""

    frame: Frame
    basis: str

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.frame.nbytes


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Measured:
    """An overlay of an original.

    Attributes:
        overlay: the measurements.
        picture: which picture was measured: "camera JPEG", "RAW"...
        full_size: (width, height) px of that picture, turned.
    """

    overlay: Overlay
    picture: str
    full_size: tuple[int, int]

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        planes = (self.overlay.marks, self.overlay.shares)
        return sum(plane.nbytes for plane in planes if plane is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Crops of an original, in the order requested."""

    frames: tuple[Frame, ...]

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(frame.nbytes for frame in self.frames)


# A picture with a size, None for the full size, or the crops, or _OVERLAY.
_Key = tuple[Picture, object]
_Result = OriginalPixels | Crops | Measured
_OVERLAY = "overlay"


class FullresCache(QObject):
    """Pixels, crops and overlays of originals for the views of one window.

    Attributes:
        nbytes: the bytes all of them take now.

    Signals:
        arrived(int): a photo of which something was decoded.
        failed(int, str): a photo and why it could not be read, one sentence.

    Thread: GUI; results arrive on a pipeline thread and are queued to this one.
    """

    arrived = Signal(int)
    failed = Signal(int, str)
    _answered = Signal(object, object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.nbytes = 0
        self._cache: OrderedDict[_Key, _Result] = OrderedDict()
        self._wanted: dict[_Key, None] = {}  # most urgent first
        self._pending: dict[DecodeRequest, PixelRequest] = {}
        self._reasons: dict[tuple[str, str], str] = {}
        self._rescanned: set[tuple[str, str | None]] = set()
        self._requested: list[DecodeRequest] = []
        self._idle = QTimer(self, singleShot=True, interval=_IDLE_MS)
        self._idle.timeout.connect(self._release_idle)
        self._answered.connect(self._on_answer, Qt.ConnectionType.QueuedConnection)

    # --- requests

    @property
    def budget_bytes(self) -> int:
        """The most bytes all pixels and overlays may take."""
        return self._session.settings.loupe.originals_mb << 20

    @property
    def limit_bytes(self) -> int:
        """The most bytes of one picture; larger ones are halved until they fit."""
        return int(self.budget_bytes * _PICTURE_SHARE)

    def pixels(self, request: PixelRequest) -> OriginalPixels | None:
        """Return the pixels of a request if they were read."""
        found = self._get((request.picture, request.size))
        return found if isinstance(found, OriginalPixels) else None

    def crops(self, request: PixelRequest) -> tuple[Frame, ...] | None:
        """Return the crops of a request, in its order, if they were read."""
        found = self._get((request.picture, request.crops))
        return found.frames if isinstance(found, Crops) else None

    def overlay(self, request: PixelRequest) -> Measured | None:
        """Return the overlays measured on a request's picture, even if some are missing."""
        found = self._get((request.picture, _OVERLAY))
        return found if isinstance(found, Measured) else None

    def reason(self, request: PixelRequest) -> str | None:
        """Return why a picture could not be read, or None."""
        if self._session.pipeline is None:
            return READ_ELSEWHERE
        return self._reasons.get(request.picture.unturned)

    def want(self, requests: Sequence[PixelRequest]) -> None:
        """Replace all requests, most urgent first.

        Requests beyond the budget are ignored, so that needed pictures never evict each other; the
        first is made even if it is larger. A failed picture is tried again only after it has left
        the requests.
        """
        total = 0
        wanted: dict[_Key, None] = {}
        missing: dict[DecodeRequest, PixelRequest] = {}
        named = {request.picture.unturned for request in requests}
        self._reasons = {name: why for name, why in self._reasons.items() if name in named}
        absent: dict[int, str] = {}
        for request in requests:
            total += request.guessed_bytes + _bytes_of(request.crops)
            if total > self.budget_bytes and wanted:
                break
            if request.pixels:
                wanted[request.picture, request.size] = None
            if request.crops:
                wanted[request.picture, request.crops] = None
            if request.overlays:
                wanted[request.picture, _OVERLAY] = None
            decode, name = self._missing(request), request.picture.unturned
            if decode is None or name in self._reasons:
                continue
            if why := self._away(request):  # do not wait for an absent drive
                absent[request.photo] = self._reasons[name] = why
            else:
                missing[decode] = request
        self._wanted = wanted
        if not requests:
            self._idle.start()
        self._decode(missing)
        for photo, why in absent.items():
            self.failed.emit(photo, why)

    def _away(self, request: PixelRequest) -> str:
        """Return why a photo's folder cannot be reached; empty if it can."""
        if self._session.table.state(request.photo) != "missing":
            return ""
        why = captions.unreachable_reason(self._session.detail(request.photo))
        return f"{why[:1].upper()}{why[1:]}." if why else ""

    def _decode(self, missing: dict[DecodeRequest, PixelRequest]) -> None:
        """Request these from the pipeline, in place of those requested before."""
        pipeline, requested = self._session.pipeline, list(missing)
        if pipeline is None or requested == self._requested:
            return
        self._requested = requested
        self._pending |= missing  # results of canceled requests may still arrive
        for decode in list(self._pending)[: -len(requested) - _CANCELED]:
            del self._pending[decode]
        pipeline.frames.request(requested, self._answered.emit)

    def clear_failures(self) -> None:
        """Try again what failed: a drive may be back, a file repaired."""
        self._reasons.clear()

    def _missing(self, request: PixelRequest) -> DecodeRequest | None:
        """Return what is still to be read for a request, or None."""
        measured = self.overlay(request)
        kinds = frozenset() if measured is None else measured.overlay.kinds
        pixels = request.pixels and self.pixels(request) is None
        crops = request.crops if self.crops(request) is None else ()
        if not pixels and not crops and request.overlays <= kinds:
            return None
        return DecodeRequest(
            request.source.path,
            request.source.want,
            request.source.fingerprint,
            request.turn,
            request.size,
            pixels,
            frozenset() if request.overlays <= kinds else request.overlays,
            self.limit_bytes,
            crops,
        )

    def _get(self, key: _Key) -> _Result | None:
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
        return found

    # --- results

    def _on_answer(self, decode: DecodeRequest, answer: Decoded | KnownError) -> None:
        request = self._pending.pop(decode, None)
        if request is None:
            return
        self._requested = [other for other in self._requested if other != decode]
        if isinstance(answer, KnownError):
            self._reasons[request.picture.unturned] = str(answer)
            if isinstance(answer, ChangedError):
                self._rescan(decode)
            self.failed.emit(request.photo, str(answer))
            return
        if answer.array is not None:
            pixels = OriginalPixels(Frame.of(answer.array), answer.basis)
            self._store((request.picture, request.size), pixels)
        if decode.crops:
            frames = tuple(map(Frame.of, answer.crops(decode.crops)))
            self._store((request.picture, decode.crops), Crops(frames))
        overlay = answer.measured()
        if overlay is not None:
            picture = request.source.long_word(answer.basis)
            measured = Measured(overlay, picture, answer.full_size)
            self._store((request.picture, _OVERLAY), measured)
        self._evict()
        self.arrived.emit(request.photo)

    def _store(self, key: _Key, result: _Result) -> None:
        old = self._cache.pop(key, None)
        self.nbytes += result.nbytes - (old.nbytes if old else 0)
        self._cache[key] = result

    def _evict(self) -> None:
        """Drop the least recently used, then the least urgent, until the budget holds."""
        spare = [key for key in self._cache if key not in self._wanted]
        wanted = [key for key in self._wanted if key in self._cache]
        dropped = []
        for key in [*spare, *reversed(wanted[1:])]:
            if self.nbytes <= self.budget_bytes:
                break
            dropped.append(self._cache.pop(key))
            self.nbytes -= dropped[-1].nbytes
        _free(dropped)

    def _release_idle(self) -> None:
        """Release everything after a while without requests."""
        if not self._wanted:
            released = [*self._cache.values()]
            self._cache.clear()
            self.nbytes = 0
            _free(released)

    def _rescan(self, decode: DecodeRequest) -> None:
        """Scan the folder of a changed file again, once per change."""
        key = decode.path, decode.fingerprint
        rows = self._session.sources.folders()
        folders = [row for row in rows if Path(decode.path).is_relative_to(row.path)]
        if self._session.pipeline is None or not folders or key in self._rescanned:
            return
        self._rescanned.add(key)
        self._session.pipeline.rescan(max(folders, key=lambda row: len(row.path)).id)


def _free(results: list[_Result]) -> None:
    """Free the memory of results on another thread: it takes 10 ms for 24 megapixels."""
    if results:
        QThreadPool.globalInstance().start(results.clear)


def _bytes_of(crops: Sequence[Crop]) -> int:
    return sum(4 * width * height for _, (width, height) in crops)
