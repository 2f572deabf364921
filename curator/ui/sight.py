"""What the loupe looks at: where the picture lies, and which pixels of it to show and to fetch.

No painting and no events here. Places are device px. The room is set by the widget; everything
else is asked of the session each time, so that nothing can be a photo behind.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize

from curator.session import Session, Tile
from curator.ui import placing
from curator.ui.frames import PROXY, Frame, FrameStore, Want
from curator.ui.originals import Originals
from curator.ui.tiles import KnownTiles

MARGIN = 12
_ABOVE_CAPTION = 8  # with 12 the picture would miss its 78 % of a window of 900 px
_SAME_ASPECT = 0.02


class Sight:
    """The current photo in a room of a certain size.

    Attributes:
        area: where a picture at fit may lie, device px.
        view: what a zoomed picture may fill, device px.
        dragged: where one drags the zoomed picture to; None: the session's own centre.

    Thread: GUI.
    """

    def __init__(self, session: Session, frames: FrameStore, originals: Originals) -> None:
        self._session = session
        self._frames = frames
        self._originals = originals
        self._known = KnownTiles(session)
        self.area = QRect()
        self.view = QRect()
        self.dragged: placing.Fraction | None = None

    def set_room(self, room: QRect, ratio: float, caption_px: int) -> None:
        """Take over the widget's rectangle, its pixel ratio, and the height of the caption."""

        def scaled(rect: QRect) -> QRect:
            return QRect(
                round(rect.x() * ratio),
                round(rect.y() * ratio),
                int(rect.width() * ratio),
                int(rect.height() * ratio),
            )

        below = _ABOVE_CAPTION + caption_px if caption_px else MARGIN
        self.area = scaled(room.adjusted(MARGIN, MARGIN, -MARGIN, -below))
        self.view = scaled(room.adjusted(0, 0, 0, -below if caption_px else 0))

    # --- where

    def tile(self) -> Tile | None:
        """Give the current photo."""
        photo = self._session.current
        return None if photo is None else self._known(photo)

    def size(self, tile: Tile) -> QSize:
        """Give the picture's own size; that of the original's pixels where those are there."""
        whole = self._frames.get(self.whole(tile)) if self._session.zoom else None
        if whole is not None and whole.image.width() * 10 >= tile.width * 9:
            return whole.image.size()
        return QSize(max(tile.width, 1), max(tile.height, 1))

    def place(self, frame: Frame | None = None) -> QRect:
        """Give where the current photo's picture lies; empty if there is none.

        A frame that has another aspect than the photo is said to have keeps its own.
        """
        tile, zoom = self.tile(), self._session.zoom
        if tile is None:
            return QRect()
        size = self.size(tile)
        if zoom is not None:
            return placing.zoomed(size, self.view, zoom, self.dragged or self._session.center)
        place = placing.fit(size, self.area)
        if frame is not None and frame.image.size() != place.size():
            own = frame.image.width() / frame.image.height()
            if not tile.width or abs(own * place.height() / place.width() - 1) > _SAME_ASPECT:
                return placing.fit(frame.image.size(), self.area)
        return place

    def fitted(self, tile: Tile) -> tuple[int, int]:
        """Give the size a photo has at fit."""
        place = placing.fit(QSize(max(tile.width, 1), max(tile.height, 1)), self.area)
        return place.width(), place.height()

    def center_for(self, zoom: float, pointer: QPoint | None) -> placing.Fraction:
        """Choose where to look when going to ``zoom``: what is under the pointer stays there.

        Without a pointer: where one looks already, else the subject the camera marked, else the
        sharpest spot, else the middle.
        """
        tile = self.tile()
        assert tile is not None
        size = self.size(tile)
        if pointer is not None:
            center = placing.center_under(pointer, self.place(), size, self.view, zoom)
        elif self._session.zoom is not None:
            center = self._session.center
        else:
            detail = self._session.detail(tile.id)
            point = detail.capture.subject or (detail.quality and detail.quality.sharpest)
            center = placing.turned(point or (0.5, 0.5), tile.turn)
        place = placing.zoomed(size, self.view, zoom, center)
        return placing.center_of(place, self.view)

    # --- which pixels

    def whole(self, tile: Tile) -> Want:
        """Name every pixel of a photo's original."""
        return Originals.want(tile.id, tile.proxy, None, tile.turn)

    def proxy(self, tile: Tile) -> Want | None:
        """Name the proxy at the size of the view, None before there is one."""
        if not tile.proxy or not tile.width:
            return None
        return Want(PROXY, tile.proxy, self.fitted(tile), tile.turn)

    def sharp(self, tile: Tile) -> Want | None:
        """Name what is wanted of the original now, None where the proxy has all one can see."""
        if self._session.zoom is not None:
            return self.whole(tile)
        proxy = self.proxy(tile)
        if proxy is None:
            size = self.fitted(tile) if tile.width else self.area.size().toTuple()
            return Originals.want(tile.id, tile.proxy, size, tile.turn)
        assert proxy.size is not None
        has = min(self._session.settings.proxy.long_edge_px, max(tile.width, tile.height))
        if max(proxy.size) <= has and self._frames.failure(proxy) is None:
            return None
        return Originals.want(tile.id, tile.proxy, proxy.size, tile.turn)

    def best(self, tile: Tile) -> Frame | None:
        """Choose the best pixels of a photo that are there now, of whatever size."""
        sharp, proxy = self.sharp(tile), self.proxy(tile)
        wants = [sharp]
        if self._session.zoom is not None and tile.proxy:
            wants.append(Want(PROXY, tile.proxy, None, tile.turn))
        wants.append(proxy)
        for want in wants:
            frame = self._frames.get(want) if want is not None else None
            if frame is not None:
                return frame
        for want in (proxy, sharp):
            frame = self._frames.stand_in(want) if want is not None else None
            if frame is not None:
                return frame
        return None

    def wants(self) -> list[Want]:
        """List what to have ready: the current photo, then where one is going, then one back."""
        session = self._session
        ahead, step = session.settings.loupe.prefetch, session.direction
        offsets = [0, *(step * (n + 1) for n in range(ahead))]
        offsets.insert(3, -step)  # one turns back now and then, but not at once
        found: list[Want | None] = []
        for offset in offsets:
            index = session.index + offset
            if not 0 <= index < len(session.ids):
                continue
            tile = self._known(int(session.ids[index]))
            if offset in (0, step):
                found.append(self.sharp(tile))  # not decoded by asking, but kept
            found.append(self.proxy(tile))
            if session.zoom is not None and tile.proxy:
                found.append(Want(PROXY, tile.proxy, None, tile.turn))
        return [want for want in found if want is not None]

    def ready(self) -> bool:
        """Tell whether the current photo's pixels are there at their exact size."""
        tile = self.tile()
        frame = None if tile is None else self.best(tile)
        return frame is not None and frame.image.size() == self.place(frame).size()

    def fetch(self) -> None:
        """Ask for the original of the current photo where it is wanted, then of the next one."""
        session = self._session
        places = (session.index, session.index + session.direction)
        ids = [int(session.ids[place]) for place in places if 0 <= place < len(session.ids)]
        for photo in ids:
            tile = self._known(photo)
            want = None if tile.state == "failed" else self.sharp(tile)
            if want is None or self._frames.get(want) is not None:
                continue
            if self._originals.ask(photo, want):
                return  # the next one follows when this one is there

    def reason(self, tile: Tile) -> str:
        """Say why there are no pixels, as far as that is known."""
        sharp, proxy = self.sharp(tile), self.proxy(tile)
        said = self._originals.reason(sharp) if sharp is not None else None
        return said or (self._frames.failure(proxy) if proxy is not None else None) or ""
