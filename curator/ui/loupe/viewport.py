"""One pane's view of a photo: where it lies, which pixels to show, which to request.

Loupe and compare view own one per pane. Rectangles are device px. It neither paints nor handles
events. The widget sets the size; all else is read from the session each time, so that a pane never
shows the previous photo and panes side by side zoom and pan together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPoint, QRect, QSize

from curator.imaging import overlay
from curator.library.table import Tile
from curator.model import Face
from curator.session import Session
from curator.session.faces import Focus
from curator.session.pixel_source import Source, shows_raw, source
from curator.stages.frame import Crop
from curator.ui.loupe import view_transform
from curator.ui.loupe.fullres_cache import FullresCache, Measured, PixelRequest
from curator.ui.widgets.frames import PROXY, Frame, FrameRequest, FrameStore
from curator.ui.widgets.thumbnails import TileCache, whole_proxy

MARGIN = 12
_ABOVE_CAPTION = 8  # with 12 the picture would miss its 78 % of a window of 900 px
_SAME_ASPECT = 0.02
_SAME_SIZE = 0.9  # a picture at least this close to the photo's size is shown pixel for pixel
_STEPS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LARGEST = _STEPS[-1]
_LARGER_THAN_FIT = 1.1  # steps hardly larger than fit are left out


@dataclass(frozen=True, slots=True)
class BestPixels:
    """The best pixels of a photo available now.

    Attributes:
        frame: the pixels.
        source: the file of an original they come from; None for the proxy.
        basis: of an original, as the decoder reported it.
        developed: of an original, whether they are the RAW (True), the camera's picture (False)
            or the default (None).
        full_resolution: whether the original was read at its own size, not at the screen's.
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
        state: the window's zoom and center.
        crops: returns the close-ups of a photo to read with its pixels.

    Thread: GUI.
    """

    def __init__(
        self,
        session: Session,
        frames: FrameStore,
        originals: FullresCache,
        photo: Callable[[], int | None] | None = None,
    ) -> None:
        """Create the viewport of a pane.

        Args:
            session: the window's session.
            frames: decoded proxies.
            originals: decoded originals.
            photo: returns the photo of the pane; None for the current photo.
        """
        self._session, self._frames, self._originals = session, frames, originals
        self._tile_of = TileCache(session)
        self._photo = photo or (lambda: session.current)
        self.state = session.view_state
        self.area = QRect()
        self.view = QRect()
        self.crops: Callable[[Tile], tuple[Crop, ...]] = lambda tile: ()

    def set_pane(self, pane: QRect, ratio: float, caption_px: int, margin_px: int = MARGIN) -> None:
        """Set the pane's rectangle, device pixel ratio, caption height and margin."""

        def scaled(rect: QRect) -> QRect:
            return QRect(
                round(rect.x() * ratio),
                round(rect.y() * ratio),
                int(rect.width() * ratio),
                int(rect.height() * ratio),
            )

        below = min(_ABOVE_CAPTION, margin_px) + caption_px if caption_px else margin_px
        self.area = scaled(pane.adjusted(margin_px, margin_px, -margin_px, -below))
        self.view = scaled(pane.adjusted(0, 0, 0, -below if caption_px else 0))

    # --- where

    def tile(self) -> Tile | None:
        """Return the pane's photo, or None."""
        photo = self._photo()
        return None if photo is None else self._tile_of(photo)

    def size(self, tile: Tile, frame: Frame | None = None) -> QSize:
        """Return a photo's size at 100 %: the frame's own if it has (nearly) all pixels.

        A smaller frame is enlarged to the photo's size. One of another aspect than the catalog's
        size is enlarged to the same long edge.
        """
        expected = QSize(max(tile.width, 1), max(tile.height, 1))
        if frame is None:
            return expected
        own = frame.image.size()
        long, expected_long = max(own.toTuple()), max(expected.toTuple())
        if not tile.width or expected_long * _SAME_SIZE <= long <= expected_long / _SAME_SIZE:
            return own
        if _same_aspect(own, expected):
            return expected
        scale = expected_long / long
        return QSize(max(1, round(own.width() * scale)), max(1, round(own.height() * scale)))

    def place(self, frame: Frame | None = None) -> QRect:
        """Return the rectangle of the picture; empty if the pane has no photo.

        Args:
            frame: the pixels to place; None at a zoom means the best available ones.
        """
        tile, zoom = self.tile(), self.state.zoom
        if tile is None:
            return QRect()
        if zoom is not None:
            best = self.best(tile) if frame is None else None
            frame = frame if best is None else best.frame
            size = self.size(tile, frame)
            return view_transform.zoomed(size, self.view, zoom, self.center)
        place = view_transform.fit(self.size(tile), self.area)
        if frame is not None and frame.image.size() != place.size():
            own = frame.image.width() / frame.image.height()
            if not tile.width or abs(own * place.height() / place.width() - 1) > _SAME_ASPECT:
                return view_transform.fit(frame.image.size(), self.area)
        return place

    @property
    def center(self) -> view_transform.Fraction:
        """The point of a zoomed picture to show in the middle of the view."""
        x, y = self.state.dragged or self.state.center
        across, down = self._offset()
        return x + across, y + down

    def shared(self, center: view_transform.Fraction) -> view_transform.Fraction:
        """Return a center of this picture as the window keeps it for all photos."""
        across, down = self._offset()
        return center[0] - across, center[1] - down

    def _offset(self) -> view_transform.Fraction:
        """Return how far the focused person's eyes lie from where they lie in the focused photo."""
        faces, tile = self._session.faces, self.tile()
        focus, place = faces.focus, None if tile is None else faces.place_in(tile.id)
        if tile is None or focus is None or place is None or tile.id == focus.photo:
            return 0.0, 0.0
        x, y = self.eyes_at(tile, place)
        u, v = self.eyes_at(self._tile_of(focus.photo), focus.place)
        return x - u, y - v

    def eyes_at(self, tile: Tile, place: int) -> view_transform.Fraction:
        """Return the point between the eyes of a photo's face, turned as the photo is."""
        faces = self._session.faces.of(tile.id) or ()
        return view_transform.turned(faces[place].eyes_at, tile.turn)

    def focus_face(self, pointer: QPoint | None) -> None:
        """Move the focus to the face under the pointer, or to none.

        Without a pointer it is the face at the camera's focus point, else the main face.
        """
        tile = self.tile()
        assert tile is not None
        faces = self._session.faces.of(tile.id) or ()
        if pointer is None:
            point = self._session.detail(tile.id).capture.subject
            found = [] if point is None else _faces_at(faces, point)
            found = found or [*range(len(faces))]
        else:
            place = self.place()
            x, y = pointer.x() + 0.5 - place.x(), pointer.y() + 0.5 - place.y()
            shown = x / max(place.width(), 1), y / max(place.height(), 1)
            found = _faces_at(faces, view_transform.unturned(shown, tile.turn))
        self._session.faces.focus = Focus(tile.id, found[0]) if found else None

    def fitted(self, tile: Tile) -> tuple[int, int]:
        """Return a photo's size at fit."""
        picture = max(tile.width, 1), max(tile.height, 1)
        return view_transform.fitted(picture, (self.area.width(), self.area.height()))

    def steps(self, tile: Tile) -> list[float]:
        """Return the zoom steps: from 100 % on, and smaller ones that are larger than fit."""
        fit = max(self.fitted(tile)) / max(tile.width, tile.height, 1)
        return [step for step in _STEPS if step >= 1 or step > fit * _LARGER_THAN_FIT]

    def center_for(self, zoom: float, pointer: QPoint | None) -> view_transform.Fraction:
        """Return the center when zooming to ``zoom``; the point under the pointer stays there.

        Without a pointer it is the center now if zoomed, else the eyes of the focused face, else
        the camera's focus point, else the sharpest spot, else the middle.
        """
        tile = self.tile()
        assert tile is not None
        best = self.best(tile)
        size = self.size(tile, best.frame if best is not None and self.state.zoom else None)
        if pointer is not None:
            center = view_transform.center_under(pointer, self.place(), size, self.view, zoom)
        elif self.state.zoom is not None:
            center = self.center
        elif (face := self._session.faces.place_in(tile.id)) is not None:
            center = self.eyes_at(tile, face)
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

    def proxies(self, tile: Tile) -> list[FrameRequest | None]:
        """Return the requests for the proxy: at fit, and at its own size while zoomed."""
        zoomed = self.state.zoom is not None
        return [self.proxy(tile), whole_proxy(tile) if zoomed else None]

    def request_for(
        self, tile: Tile, developed: bool | None, zoomed: bool | None = None
    ) -> PixelRequest:
        """Return the request for a photo's original.

        Args:
            tile: the photo.
            developed: the RAW (True), the camera's picture (False) or the default (None).
            zoomed: whether to request all pixels, else those needed at fit; None: as shown now.
        """
        zoomed = self.state.zoom is not None if zoomed is None else zoomed
        size = None
        if not zoomed:
            size = self.fitted(tile) if tile.width else self.area.size().toTuple()
        area = tile.width * tile.height
        kinds = overlay_kinds(self._session)
        bytes_ = 4 * size[0] * size[1] if size else min(3 * area, self._originals.limit_bytes)
        return PixelRequest(
            tile.id,
            source(self._session.detail(tile.id), developed, zoomed),
            tile.turn,
            size,
            self._needs_original(tile, developed, zoomed),
            kinds,
            bytes_ + (area if kinds else 0),
            self.crops(tile),
        )

    def _needs_original(self, tile: Tile, developed: bool | None, zoomed: bool) -> bool:
        """Whether the proxy does not suffice: absent, too small, or of another picture."""
        proxy = self.proxy(tile)
        if zoomed or proxy is None or self._frames.failure(proxy) is not None:
            return True
        detail = self._session.detail(tile.id)
        if developed is not None and developed != shows_raw(detail, None, False):
            return True
        proxy_edge = min(self._session.settings.proxy.long_edge_px, max(tile.width, tile.height))
        assert proxy.size is not None
        return max(proxy.size) > proxy_edge

    def best(self, tile: Tile) -> BestPixels | None:
        """Return the best pixels of a photo available now, at any size."""
        return self._best_of_original(tile) or self._best_of_proxy(tile)

    def _best_of_original(self, tile: Tile) -> BestPixels | None:
        requested = self.state.developed
        zoomed = self.state.zoom is not None
        for developed in (None,) if requested is None else (requested, not requested):
            if not self._needs_original(tile, developed, zoomed):
                return None
            request = self.request_for(tile, developed)
            for size in (None, self.fitted(tile)) if zoomed else (request.size, None):
                pixels = self._originals.pixels(replace(request, size=size))
                if pixels is not None:
                    return BestPixels(
                        pixels.frame, request.source, pixels.basis, developed, size is None
                    )
        return None

    def _best_of_proxy(self, tile: Tile) -> BestPixels | None:
        whole = whole_proxy(tile) if self.state.zoom is not None else None
        frame = None if whole is None else self._frames.get(whole)
        frame = frame or self._frames.best(self.proxy(tile))
        return None if frame is None else BestPixels(frame)

    def has_crop_of_proxy(self, tile: Tile, best: BestPixels) -> bool:
        """Whether pixels show the picture that the proxy was made of, as far as that is known.

        The RAW of a photo that the camera cropped shows more.
        """
        proxy = None if best.source is None else self._best_of_proxy(tile)
        return proxy is None or _same_aspect(best.frame.image.size(), proxy.frame.image.size())

    def overlay(self, tile: Tile, best: BestPixels) -> Measured | None:
        """Return the overlays measured on exactly the picture that is painted."""
        shown = best.developed if best.source is not None else None
        return self._originals.overlay(self.request_for(tile, shown))

    def proxy_requests(self) -> list[FrameRequest | None]:
        """Return requests for proxies: of the current photo, then of those around it."""
        around = self._around(self._session.settings.loupe.prefetch)
        return [request for tile in around for request in self.proxies(tile)]

    def original_requests(self, all_pixels: bool = False) -> list[PixelRequest]:
        """Return requests for originals: of the current photo, then of its neighbors.

        Args:
            all_pixels: whether the person stays on this photo and may zoom in next: then all of
                its pixels are requested, too.
        """
        developed = self.state.developed
        # Developing sensor data takes seconds, so only the next photo's are requested.
        around = self._around(2)[: 2 if developed else None]
        found = [self.request_for(tile, developed) for tile in around if tile.state != "failed"]
        found = [each for each in found if each.pixels or each.overlays or each.crops]
        if all_pixels and self.state.zoom is None and not developed and around[0].state == "":
            found.append(self.request_for(around[0], developed, zoomed=True))
        return found

    def _around(self, ahead: int) -> list[Tile]:
        """Return the current photo, the next, the next stack's, the previous, and those ahead."""
        photos, listed = self._session.photos, self._session.ids
        offsets = [0, *(photos.direction * (n + 1) for n in range(ahead))]
        offsets.insert(2, -photos.direction)  # people step back now and then
        positions = (photos.index + offset for offset in offsets)
        ids = [int(listed[position]) for position in positions if 0 <= position < len(listed)]
        next_stack = self._session.stacks.next_cover()  # where Down leads
        if next_stack is not None and next_stack not in ids:
            ids.insert(2, next_stack)
        return [self._tile_of(photo) for photo in ids]

    def has_proxies(self) -> bool:
        """Whether the photo's proxies are decoded at the sizes that are shown."""
        tile = self.tile()
        requests = () if tile is None else filter(None, self.proxies(tile))
        return tile is not None and None not in map(self._frames.get, requests)

    def reason(self, tile: Tile) -> str:
        """Return why there are no pixels to show, if known; else empty."""
        request = self.request_for(tile, self.state.developed)
        proxy = self.proxy(tile)
        reason = self._originals.reason(request) if request.pixels else None
        return reason or (self._frames.failure(proxy) if proxy is not None else None) or ""

    def missing_pixels_message(self, reason: str) -> str:
        """Return a message about pixels the person requested and cannot get; else empty.

        Args:
            reason: why the original could not be read, one sentence.
        """
        tile = self.tile()
        if tile is None:
            return ""
        if self.state.developed:
            return f"{tile.name}, RAW: {reason}"
        best = self.best(tile)
        if self.state.zoom is not None and (best is None or best.source is None):
            return f"{tile.name}: zoom is limited to the proxy. {reason}"
        return f"{tile.name}: {reason}" if overlay_kinds(self._session) else ""


def _faces_at(faces: Sequence[Face], point: view_transform.Fraction) -> list[int]:
    """Return the places of the faces at a point of the upright picture, nearest eyes first."""
    around = [place for place, face in enumerate(faces) if face.contains(*point)]
    return sorted(around, key=lambda place: math.dist(faces[place].eyes_at, point))


def overlay_kinds(session: Session) -> frozenset[str]:
    """Return the kinds of overlays that are on (:data:`curator.imaging.overlay.KINDS`)."""
    loupe = session.settings.loupe
    on = {
        overlay.CLIPPING: loupe.clipping,
        overlay.TILES: loupe.focus == "tiles",
        overlay.PEAKING: loupe.focus == "peaking",
        overlay.HISTOGRAM: loupe.histogram,
    }
    return frozenset(kind for kind, wanted in on.items() if wanted)


def _same_aspect(one: QSize, other: QSize) -> bool:
    aspects = one.width() * other.height() / (one.height() * other.width())
    return abs(aspects - 1) <= _SAME_ASPECT
