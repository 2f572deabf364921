"""One pane's view of a photo: where it lies, which pixels to show, which to request.

Loupe and compare view own one per pane. Rectangles are device px. It neither paints nor handles
events. The widget sets the size; all else is read from the session each time, so that a pane can
never lag a photo behind. Panes with a common :class:`SharedZoom` zoom and pan together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QPoint, QRect, QSize

from curator.imaging import overlay
from curator.library.table import Tile
from curator.session import Session
from curator.session.pixel_source import Source, shows_raw, source
from curator.ui.loupe import view_transform
from curator.ui.loupe.fullres_cache import FullresCache, Measured, PixelRequest
from curator.ui.widgets.frames import PROXY, Frame, FrameRequest, FrameStore
from curator.ui.widgets.thumbnails import TileCache

MARGIN = 12
_ABOVE_CAPTION = 8  # with 12 the picture would miss its 78 % of a window of 900 px
_SAME_ASPECT = 0.02
_SAME_SIZE = 0.9  # a picture at least this close to the photo's size is shown pixel for pixel
LADDER = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LARGEST = LADDER[-1]
_LARGER_THAN_FIT = 1.1  # steps hardly larger than fit are left out


class SharedZoom:
    """Zoom and center shared by panes that move together.

    Attributes:
        dragged: the center during a drag; None: the session's.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.dragged: view_transform.Fraction | None = None

    @property
    def zoom(self) -> float | None:
        """Device px per pixel of the picture; None at fit."""
        return self._session.view_state.zoom

    @property
    def center(self) -> view_transform.Fraction:
        """The point in the middle of the view, as fractions of the picture."""
        return self.dragged or self._session.view_state.center

    def set(self, zoom: float | None, center: view_transform.Fraction | None = None) -> None:
        """Set zoom and center in the session."""
        self.dragged = None
        self._session.view_state.set_zoom(zoom, center)


@dataclass(frozen=True, slots=True)
class BestPixels:
    """The best pixels of a photo available now.

    Attributes:
        frame: the pixels.
        source: the file of an original they come from; None for the proxy.
        basis: of an original, as the decoder reported it.
        developed: whether they are sensor data as requested; None: the default was requested.
        full_resolution: whether they are all pixels of the original.
    """

    frame: Frame
    source: Source | None = None
    basis: str = ""
    developed: bool | None = None
    full_resolution: bool = False


class Viewport:
    """One photo in a pane of a certain size.

    Attributes:
        area: the rectangle for a picture at fit, device px.
        view: the rectangle for a zoomed picture, device px.
        shared_zoom: zoom and center; panes with a common one move together.

    Thread: GUI.
    """

    def __init__(
        self,
        session: Session,
        frames: FrameStore,
        originals: FullresCache,
        shared_zoom: SharedZoom | None = None,
        photo: Callable[[], int | None] | None = None,
    ) -> None:
        """Create the viewport of a pane.

        Args:
            session: the window's session.
            frames: decoded proxies.
            originals: decoded originals.
            shared_zoom: shared with other panes; its own otherwise.
            photo: returns the photo of the pane; the current one otherwise.
        """
        self._session = session
        self._frames = frames
        self._originals = originals
        self._known = TileCache(session)
        self._photo = photo or (lambda: session.current)
        self.shared_zoom = shared_zoom or SharedZoom(session)
        self.area = QRect()
        self.view = QRect()

    def set_room(self, room: QRect, ratio: float, caption_px: int, margin_px: int = MARGIN) -> None:
        """Set the pane's rectangle, device pixel ratio, caption height and margin."""

        def scaled(rect: QRect) -> QRect:
            return QRect(
                round(rect.x() * ratio),
                round(rect.y() * ratio),
                int(rect.width() * ratio),
                int(rect.height() * ratio),
            )

        below = min(_ABOVE_CAPTION, margin_px) + caption_px if caption_px else margin_px
        self.area = scaled(room.adjusted(margin_px, margin_px, -margin_px, -below))
        self.view = scaled(room.adjusted(0, 0, 0, -below if caption_px else 0))

    # --- where

    def tile(self) -> Tile | None:
        """Return the pane's photo."""
        photo = self._photo()
        return None if photo is None else self._known(photo)

    def size(self, tile: Tile, frame: Frame | None = None) -> QSize:
        """Return a photo's size at 100 %: the frame's own if it has (nearly) all pixels.

        A smaller frame is enlarged to the photo's size; a frame whose aspect differs from the
        catalog's size keeps its own.
        """
        expected = QSize(max(tile.width, 1), max(tile.height, 1))
        if frame is None:
            return expected
        own = frame.image.size()
        long, wanted = max(own.toTuple()), max(expected.toTuple())
        if not tile.width or wanted * _SAME_SIZE <= long <= wanted / _SAME_SIZE:
            return own
        if (
            abs(own.width() * expected.height() / (own.height() * expected.width()) - 1)
            <= _SAME_ASPECT
        ):
            return expected
        scale = wanted / long
        return QSize(max(1, round(own.width() * scale)), max(1, round(own.height() * scale)))

    def place(self, frame: Frame | None = None) -> QRect:
        """Return the rectangle of the picture; empty if there is none."""
        tile, zoom = self.tile(), self.shared_zoom.zoom
        if tile is None:
            return QRect()
        if zoom is not None:
            if frame is None:
                best = self.best(tile)
                frame = None if best is None else best.frame
            return view_transform.zoomed(
                self.size(tile, frame), self.view, zoom, self.shared_zoom.center
            )
        place = view_transform.fit(QSize(max(tile.width, 1), max(tile.height, 1)), self.area)
        if frame is not None and frame.image.size() != place.size():
            own = frame.image.width() / frame.image.height()
            if not tile.width or abs(own * place.height() / place.width() - 1) > _SAME_ASPECT:
                return view_transform.fit(frame.image.size(), self.area)
        return place

    def fitted(self, tile: Tile) -> tuple[int, int]:
        """Return a photo's size at fit."""
        place = view_transform.fit(QSize(max(tile.width, 1), max(tile.height, 1)), self.area)
        return place.width(), place.height()

    def steps(self, tile: Tile) -> list[float]:
        """Return the zoom steps beyond fit."""
        fit = max(self.fitted(tile)) / max(tile.width, tile.height, 1)
        return [step for step in LADDER if step >= 1 or step > fit * _LARGER_THAN_FIT]

    def center_for(self, zoom: float, pointer: QPoint | None) -> view_transform.Fraction:
        """Return the center when zooming to ``zoom``; the point under the pointer stays there.

        Without a pointer: the present center, else the camera's focus point, else the sharpest
        spot, else the middle.
        """
        tile = self.tile()
        assert tile is not None
        best = self.best(tile)
        size = self.size(tile, best.frame if best is not None and self.shared_zoom.zoom else None)
        if pointer is not None:
            center = view_transform.center_under(pointer, self.place(), size, self.view, zoom)
        elif self.shared_zoom.zoom is not None:
            center = self.shared_zoom.center
        else:
            detail = self._session.detail(tile.id)
            point = detail.capture.subject or (detail.scores and detail.scores.sharpest)
            center = view_transform.turned(point or (0.5, 0.5), tile.turn)
        place = view_transform.zoomed(size, self.view, zoom, center)
        return view_transform.center_of(place, self.view)

    # --- which pixels

    def proxy(self, tile: Tile) -> FrameRequest | None:
        """Return the request for the proxy at fit, or None before there is one."""
        if not tile.proxy or not tile.width:
            return None
        return FrameRequest(PROXY, tile.proxy, self.fitted(tile), tile.turn)

    def whole_proxy(self, tile: Tile) -> FrameRequest | None:
        """Return the request for the proxy at its own size, or None."""
        return FrameRequest(PROXY, tile.proxy, None, tile.turn) if tile.proxy else None

    def request_for(
        self, tile: Tile, developed: bool | None, zoomed: bool | None = None
    ) -> PixelRequest:
        """Return the request for a photo's original.

        Args:
            tile: the photo.
            developed: the RAW, the camera's picture, or (None) the default.
            zoomed: all pixels, or those needed at fit; None: by the present zoom.
        """
        zoomed = self.shared_zoom.zoom is not None if zoomed is None else zoomed
        size = None
        if not zoomed:
            size = self.fitted(tile) if tile.width else self.area.size().toTuple()
        area = tile.width * tile.height
        wanted = overlays(self._session)
        bytes_ = 4 * size[0] * size[1] if size else min(3 * area, self._originals.limit_bytes)
        return PixelRequest(
            tile.id,
            source(self._session.detail(tile.id), developed, zoomed),
            tile.turn,
            size,
            zoomed or self._beyond_proxy(tile, developed),
            wanted,
            bytes_ + (area if wanted else 0),
        )

    def _beyond_proxy(self, tile: Tile, developed: bool | None) -> bool:
        """Whether fit needs more pixels than the proxy has."""
        proxy = self.proxy(tile)
        if proxy is None or self._frames.failure(proxy) is not None:
            return True
        detail = self._session.detail(tile.id)
        if developed is not None and developed != shows_raw(detail, None, False):
            return True
        has = min(self._session.settings.proxy.long_edge_px, max(tile.width, tile.height))
        assert proxy.size is not None
        return max(proxy.size) > has

    def best(self, tile: Tile) -> BestPixels | None:
        """Return the best pixels of a photo available now, at any size."""
        return self._original(tile) or self._small(tile)

    def _original(self, tile: Tile) -> BestPixels | None:
        asked = self._session.view_state.developed
        zoomed = self.shared_zoom.zoom is not None
        for developed in (asked,) if asked is None else (asked, not asked):
            request = self.request_for(tile, developed)
            if not request.pixels:
                return None  # the proxy suffices
            for size in (None, self.fitted(tile)) if zoomed else (request.size, None):
                pixels = self._originals.pixels(replace(request, size=size))
                if pixels is not None:
                    return BestPixels(
                        pixels.frame, request.source, pixels.basis, developed, size is None
                    )
        return None

    def _small(self, tile: Tile) -> BestPixels | None:
        proxy = self.proxy(tile)
        for want in (self.whole_proxy(tile) if self.shared_zoom.zoom is not None else None, proxy):
            frame = self._frames.get(want) if want is not None else None
            if frame is not None:
                return BestPixels(frame)
        frame = self._frames.any_size(proxy) if proxy is not None else None
        return None if frame is None else BestPixels(frame)

    def overlay(self, tile: Tile, best: BestPixels) -> tuple[Measured, Source] | None:
        """Return the overlays measured on exactly the picture that is painted."""
        shown = best.developed if best.source is not None else None
        request = self.request_for(tile, shown)
        found = self._originals.overlay(request)
        return None if found is None else (found, request.source)

    def wants(self) -> list[FrameRequest]:
        """Return requests for proxies: of the current photo, then in the direction of travel."""
        found: list[FrameRequest | None] = []
        for tile in self._around(self._session.settings.loupe.prefetch):
            found.append(self.proxy(tile))
            if self.shared_zoom.zoom is not None:
                found.append(self.whole_proxy(tile))
        return [want for want in found if want is not None]

    def requests(self, lingering: bool = False) -> list[PixelRequest]:
        """Return requests for originals: of the current photo, then of its neighbors.

        Args:
            lingering: whether the person stays on this photo and may zoom in next: then all of
                its pixels, too.
        """
        asked = self._session.view_state.developed
        # Developing sensor data takes seconds, so only the next photo's are requested.
        around = self._around(2)[: 2 if asked else None]
        found = [self.request_for(tile, asked) for tile in around if tile.state != "failed"]
        found = [request for request in found if request.pixels or request.overlays]
        if lingering and self.shared_zoom.zoom is None and not asked and around[0].state == "":
            found.append(self.request_for(around[0], asked, zoomed=True))
        return found

    def _around(self, ahead: int) -> list[Tile]:
        """Return the current photo, the next, the previous, and further ones ahead."""
        session = self._session
        offsets = [0, *(session.photos.direction * (n + 1) for n in range(ahead))]
        offsets.insert(2, -session.photos.direction)  # people step back now and then
        places = (session.photos.index + offset for offset in offsets)
        listed = session.ids
        ids = [int(listed[place]) for place in places if 0 <= place < len(listed)]
        beyond = session.stacks.next_cover()  # the next stack, where Down leads
        if beyond is not None and beyond not in ids:
            ids.insert(2, beyond)
        return [self._known(photo) for photo in ids]

    def ready(self) -> bool:
        """Whether the photo's pixels are available at their exact size."""
        tile = self.tile()
        best = None if tile is None else self.best(tile)
        return best is not None and best.frame.image.size() == self.place(best.frame).size()

    def reason(self, tile: Tile) -> str:
        """Return why there are no better pixels, if known."""
        request, proxy = (
            self.request_for(tile, self._session.view_state.developed),
            self.proxy(tile),
        )
        reason = self._originals.reason(request) if request.pixels else None
        return reason or (self._frames.failure(proxy) if proxy is not None else None) or ""

    def missing_pixels_message(self, reason: str) -> str:
        """Return a message about pixels a person requested and cannot get; else empty.

        Args:
            reason: why the original could not be read, one sentence.
        """
        tile = self.tile()
        if tile is None:
            return ""
        if self._session.view_state.developed:
            return f"{tile.name}, RAW: {reason}"
        best = self.best(tile)
        if self.shared_zoom.zoom is not None and (best is None or best.source is None):
            return f"{tile.name}: zoom stops at the proxy. {reason}"
        return f"{tile.name}: {reason}" if overlays(self._session) else ""


def overlays(session: Session) -> frozenset[str]:
    """Return the overlays switched on, by the worker's names."""
    loupe = session.settings.loupe
    on = {
        overlay.CLIPPING: loupe.clipping,
        overlay.TILES: loupe.focus == "tiles",
        overlay.PEAKING: loupe.focus == "peaking",
        overlay.HISTOGRAM: loupe.histogram,
    }
    return frozenset(kind for kind, wanted in on.items() if wanted)
