"""Thumbnails of photos, which grid, filmstrip, panels and pages draw in the same way.

Chooses the picture that a tile shows at a size, draws it pixel for pixel, and caches the tiles of a
view. Nothing here decodes: frames come from :mod:`curator.ui.widgets.frames`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Set
from functools import lru_cache

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from curator.imaging.proxy import THUMB_PX
from curator.library.table import Tile
from curator.session import Session
from curator.ui.widgets import mark_painter, theme
from curator.ui.widgets.frames import PROXY, THUMB, Frame, FrameRequest

REJECTED_OPACITY = 0.3
_STALE_OPACITY = 0.55  # of a photo that no longer matches the filter
_ASPECT = (3, 2)  # until the photo's own is known
_CACHED_TILES = 4096  # several screens of the smallest tiles on the largest screen
_STRETCH = 1.1  # enlarging a thumbnail this much is not visible
_RING = 3  # px between a picture and the ring around it
_PAD = 8


def fitted(tile: Tile, box: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a photo in a box of device px: never cropped, small photos enlarged."""
    return _fitted(tile.width, tile.height, box)


@lru_cache(maxsize=1024)
def _fitted(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    width, height = (width, height) if width and height else _ASPECT
    scale = min(box[0] / width, box[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def thumbnail_request(tile: Tile, box: tuple[int, int]) -> FrameRequest | None:
    """Return the request for a photo's picture in a box of device px, or None before there is one.

    A large tile on a dense screen has more pixels than a thumbnail and shows the proxy.
    """
    size = fitted(tile, box)
    if tile.proxy is not None and max(size) > THUMB_PX * _STRETCH:
        return FrameRequest(PROXY, tile.proxy, size, tile.turn)
    return None if tile.thumb is None else FrameRequest(THUMB, tile.thumb, size, tile.turn)


def whole_proxy(tile: Tile) -> FrameRequest | None:
    """Return the request for a photo's proxy at its own size, or None before there is one."""
    return FrameRequest(PROXY, tile.proxy, None, tile.turn) if tile.proxy else None


def logical(rect: QRect, ratio: float) -> QRectF:
    """Convert a rectangle from device px to logical px."""
    return QRectF(rect.x() / ratio, rect.y() / ratio, rect.width() / ratio, rect.height() / ratio)


def draw_thumbnail(
    painter: QPainter, tile: Tile, frame: Frame | None, place: QRect, ratio: float
) -> QRectF:
    """Draw a photo's thumbnail: dim if it is rejected or stale, struck out if rejected.

    Args:
        painter: in logical px.
        tile: the photo.
        frame: its picture; None draws a flat rectangle.
        place: the rectangle of the picture, device px.
        ratio: device px per logical px.

    Returns:
        The rectangle of the picture, logical px.
    """
    rect = logical(place, ratio)
    if frame is None:
        painter.fillRect(rect, theme.PANEL)
    elif tile.rejected or tile.stale:
        painter.setOpacity(REJECTED_OPACITY if tile.rejected else _STALE_OPACITY)
        blit(painter, frame, place, ratio)
        painter.setOpacity(1.0)
    else:
        blit(painter, frame, place, ratio)
    if tile.rejected:
        mark_painter.draw_strike(painter, rect)
    return rect


def blit(painter: QPainter, frame: Frame, place: QRect, ratio: float) -> None:
    """Draw a frame at a rectangle of device px; it is stretched only if its size differs.

    The painter's scale is undone first: with a device pixel ratio on the image, Qt would scale
    while copying, which is several times slower.
    """
    if ratio != 1.0:
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
    if frame.image.size() == place.size():
        painter.drawImage(place.topLeft(), frame.image)
    else:
        painter.drawImage(place, frame.image)
    if ratio != 1.0:
        painter.restore()


class TileCache:
    """The tiles one view has drawn before: the session takes 25 us for a tile, this 1 us.

    Create it before the view connects to the session's signals, so that the cache drops changed
    tiles before the view asks for them. Thread: GUI.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tiles: dict[int, Tile] = {}
        session.photos.photos_changed.connect(self._forget)
        session.photos.list_changed.connect(self._tiles.clear)
        session.taste.scores_changed.connect(self._tiles.clear)

    def __call__(self, photo_id: int) -> Tile:
        """Return a photo's tile."""
        if photo_id not in self._tiles:
            self.gather((photo_id,))
        return self._tiles[photo_id]

    def gather(self, photo_ids: Iterable[int]) -> None:
        """Load all missing tiles with one call, which is faster than one by one."""
        missing = [photo for photo in photo_ids if photo not in self._tiles]
        if missing:
            if len(self._tiles) > _CACHED_TILES:
                self._tiles.clear()
            self._tiles.update(zip(missing, self._session.tiles(missing), strict=True))

    def _forget(self, changed: Set[int]) -> None:
        for photo_id in self._tiles.keys() & changed:  # iterates over the smaller of the two
            del self._tiles[photo_id]


def draw_suggestion_ring(painter: QPainter, rect: QRectF) -> None:
    """Draw the ring around a suggested best frame, fainter than any mark of a person."""
    painter.setPen(QPen(theme.DISABLED, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect.toRect().adjusted(-_RING, -_RING, _RING - 1, _RING - 1))


def draw_failure_card(
    painter: QPainter, rect: QRect, name: str, reason: str, pad: int = _PAD
) -> QRect:
    """Draw the card shown in place of a picture that could not be read, in the painter's font.

    Returns:
        The rectangle of its Retry link.
    """
    painter.fillRect(rect, theme.PANEL)
    inside = rect.adjusted(pad, pad, -pad, -pad)
    metrics = QFontMetrics(painter.font())
    line = metrics.height() + 2
    painter.setPen(theme.TEXT)
    shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, inside.width())
    painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, shown)
    painter.setPen(theme.QUIET)
    wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    body = inside.adjusted(0, line, 0, -line)
    painter.save()
    painter.setClipRect(body)
    painter.drawText(body, wrap, reason)
    painter.restore()
    width = metrics.horizontalAdvance("Retry")
    retry = QRect(inside.left(), inside.bottom() + 1 - line, width, line)
    painter.setPen(theme.TEXT)
    painter.drawText(retry, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "Retry")
    painter.drawLine(retry.left(), retry.bottom() - 1, retry.right(), retry.bottom() - 1)
    return retry


def single_line_tooltip(text: str) -> str:
    """Return a tooltip of one line that shows file names as they are, never as markup."""
    return f'<p style="white-space:pre">{html.escape(text)}</p>' if text else ""
