"""Where a picture lies in the loupe: fit, zoomed, and which of its points stays under the pointer.

All sizes and places are device px, so that a pixel of the picture can be a pixel of the screen;
points of the picture are fractions of its upright width and height.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QRect, QSize

Fraction = tuple[float, float]


def fit(picture: QSize, view: QRect) -> QRect:
    """Center a picture in the view, as large as it goes but never past its own pixels."""
    size = QSize(picture)
    if size.width() > view.width() or size.height() > view.height():
        scale = min(view.width() / size.width(), view.height() / size.height())
        size = QSize(max(1, round(size.width() * scale)), max(1, round(size.height() * scale)))
    return QRect(
        view.x() + (view.width() - size.width()) // 2,
        view.y() + (view.height() - size.height()) // 2,
        size.width(),
        size.height(),
    )


def zoomed(picture: QSize, view: QRect, zoom: float, center: Fraction) -> QRect:
    """Place a picture at ``zoom`` with its point ``center`` in the middle of the view.

    It never leaves a side of the view bare that it could fill.
    """
    width, height = round(picture.width() * zoom), round(picture.height() * zoom)
    return QRect(
        _edge(view.x(), view.width(), width, center[0]),
        _edge(view.y(), view.height(), height, center[1]),
        width,
        height,
    )


def _edge(start: int, room: int, length: int, fraction: float) -> int:
    if length <= room:
        return start + (room - length) // 2
    wanted = start + room / 2 - fraction * length
    # Halves go one way, whatever the number: panes beside each other show the very same pixels.
    return math.floor(min(max(wanted, start + room - length), start) + 0.5)


def center_of(place: QRect, view: QRect) -> Fraction:
    """Tell which point of a placed picture lies in the middle of the view."""
    return (
        (view.x() + view.width() / 2 - place.x()) / max(place.width(), 1),
        (view.y() + view.height() / 2 - place.y()) / max(place.height(), 1),
    )


def center_under(
    pointer: QPoint, place: QRect, picture: QSize, view: QRect, zoom: float
) -> Fraction:
    """Find the center that keeps the point under the pointer there when zooming.

    Args:
        pointer: in the view.
        place: where the picture lies now.
        picture: its own size.
        view: the room there is.
        zoom: the zoom to go to.
    """
    x, y = pointer.x() + 0.5, pointer.y() + 0.5
    fx = (x - place.x()) / max(place.width(), 1)
    fy = (y - place.y()) / max(place.height(), 1)
    return (
        fx - (x - view.x() - view.width() / 2) / (picture.width() * zoom),
        fy - (y - view.y() - view.height() / 2) / (picture.height() * zoom),
    )


def turned(point: Fraction, turn: int) -> Fraction:
    """Carry a point of the upright picture over to the picture after quarter turns clockwise."""
    x, y = point
    for _ in range(turn % 4):
        x, y = 1 - y, x
    return x, y
