"""Draw faces into pictures, for tests and benchmarks that need no photo of a person.

The networks for faces find them like real ones, surely where they are 60 to 120 px wide on the
proxy, and see whether their eyes are open or shut.
"""

from __future__ import annotations

import cv2

from curator.bench.draw import Image

_Part = tuple[float, float, float, float, tuple[int, int, int]]

# Ellipses: center and half axes in widths of the face, from its middle; color.
_HEAD: tuple[_Part, ...] = (
    (0.0, -0.16, 0.58, 0.74, (60, 40, 30)),  # hair
    (0.0, 0.84, 0.25, 0.4, (200, 150, 120)),  # neck
    (0.0, 0.0, 0.5, 0.68, (224, 172, 140)),
    (0.0, 0.19, 0.09, 0.06, (205, 148, 118)),  # nose
    (-0.05, 0.21, 0.02, 0.016, (120, 70, 60)),
    (0.05, 0.21, 0.02, 0.016, (120, 70, 60)),
    (0.0, 0.37, 0.17, 0.06, (185, 85, 85)),  # mouth
    (0.0, 0.37, 0.17, 0.016, (120, 40, 45)),
)
_EYES = ((-0.21, -0.1), (0.21, -0.1))
_SOCKET: tuple[_Part, ...] = (
    (0.0, -0.1, 0.14, 0.03, (60, 40, 30)),  # brow
    (0.0, 0.0, 0.12, 0.08, (200, 145, 118)),
)
_OPEN: tuple[_Part, ...] = (
    (0.0, 0.0, 0.1, 0.064, (50, 30, 25)),
    (0.0, 0.006, 0.095, 0.055, (245, 243, 240)),
    (0.0, 0.0, 0.055, 0.055, (70, 45, 30)),
    (0.0, 0.0, 0.025, 0.025, (10, 10, 10)),
)
_SHUT: tuple[_Part, ...] = (
    (0.0, 0.03, 0.1, 0.02, (50, 30, 25)),
    (0.0, 0.018, 0.1, 0.018, (200, 145, 118)),
)
_SHIFT = 4  # ellipses are placed to sixteenths of a pixel


def draw_face(
    rgb: Image, middle: tuple[float, float], width_px: float, *, shut: bool = False
) -> None:
    """Draw a face into a picture; it reaches 1.2 widths down and 0.9 up.

    Args:
        rgb: (H, W, 3) uint8, changed in place.
        middle: (x, y) of the face in px.
        width_px: of the face without hair.
        shut: whether its eyes are shut.
    """
    _draw(rgb, middle, width_px, _HEAD)
    for x, y in _EYES:
        eye = middle[0] + x * width_px, middle[1] + y * width_px
        _draw(rgb, eye, width_px, _SOCKET + (_SHUT if shut else _OPEN))


def _draw(
    rgb: Image, middle: tuple[float, float], width_px: float, parts: tuple[_Part, ...]
) -> None:
    for x, y, across, down, color in parts:
        edges = (middle[0] + x * width_px, middle[1] + y * width_px)
        half = (across * width_px, down * width_px)
        cv2.ellipse(
            rgb,
            [round(edge * (1 << _SHIFT)) for edge in edges],
            [round(edge * (1 << _SHIFT)) for edge in half],
            *(0, 0, 360, color, cv2.FILLED, cv2.LINE_AA, _SHIFT),
        )
