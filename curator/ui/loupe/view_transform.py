"""The rectangle of a picture in a pane, fitted or zoomed, and the points of the picture in view.

Pure arithmetic for the viewport and the file preview. Sizes and rectangles are device px, so that
a pixel of the picture can be a pixel of the screen; points of the picture are fractions of its
upright width and height.
"""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QPoint, QRect, QSize

Fraction = tuple[float, float]


def fit(picture: QSize, view: QRect) -> QRect:
    """Center a picture in the view, as large as possible but never above 100 %."""
    across, down = view.width(), view.height()
    width, height = fitted((picture.width(), picture.height()), (across, down))
    return QRect(view.x() + (across - width) // 2, view.y() + (down - height) // 2, width, height)


@lru_cache(maxsize=1024)  # a key asks for the sizes of a dozen photos, some of them often
def fitted(picture: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a picture in some room, at most its own."""
    (width, height), (across, down) = picture, room
    if width <= across and height <= down:
        return picture
    scale = min(across / width, down / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def zoomed(picture: QSize, view: QRect, zoom: float, center: Fraction) -> QRect:
    """Place a picture at ``zoom`` with its point ``center`` in the middle of the view.

    Near its edges the picture is shifted to fill the view; a side shorter than the view is
    centered.
    """
    width, height = round(picture.width() * zoom), round(picture.height() * zoom)
    return QRect(
        _edge(view.x(), view.width(), width, center[0]),
        _edge(view.y(), view.height(), height, center[1]),
        width,
        height,
    )


def _edge(start: int, available: int, length: int, fraction: float) -> int:
    if length <= available:
        return start + (available - length) // 2
    edge = start + available / 2 - fraction * length
    # Halves always round up: panes side by side must show exactly the same pixels.
    return math.floor(min(max(edge, start + available - length), start) + 0.5)


def center_of(place: QRect, view: QRect) -> Fraction:
    """Return the point of a placed picture that lies in the middle of the view."""
    return (
        (view.x() + view.width() / 2 - place.x()) / max(place.width(), 1),
        (view.y() + view.height() / 2 - place.y()) / max(place.height(), 1),
    )


def center_under(
    pointer: QPoint, place: QRect, picture: QSize, view: QRect, zoom: float
) -> Fraction:
    """Return the center that keeps the point under the pointer in place when zooming.

    Args:
        pointer: in the view.
        place: the rectangle of the picture now.
        picture: its size at 100 %.
        view: the rectangle to fill.
        zoom: the new zoom.
    """
    x, y = pointer.x() + 0.5, pointer.y() + 0.5
    fx = (x - place.x()) / max(place.width(), 1)
    fy = (y - place.y()) / max(place.height(), 1)
    return (
        fx - (x - view.x() - view.width() / 2) / (picture.width() * zoom),
        fy - (y - view.y() - view.height() / 2) / (picture.height() * zoom),
    )


def unturned(point: Fraction, turn: int) -> Fraction:
    """Return a point of a turned picture before its quarter turns clockwise."""
    return turned(point, -turn % 4)


def turned(point: Fraction, turn: int) -> Fraction:
    """Return a point of the upright picture after quarter turns clockwise."""
    x, y = point
    for _ in range(turn % 4):
        x, y = 1 - y, x
    return x, y
