"""Place 478 points on a face and derive expressions, with MediaPipe's face mesh.

Points are in px of the given picture, their depth in the same unit, smaller toward the camera.
Indices and names of expressions are MediaPipe's; its "left" is the person's own left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.faces import models
from curator.imaging.pixels import Image

_Array = npt.NDArray[Any]

_INPUT_PX = 256
_MARGIN = 1.5  # the network sees this many times the face
_COUNT = 478
# Per eye, left then right: the corners toward the ear and the nose.
EYE_CORNERS = ((263, 362), (33, 133))
SKIN = (425, 280, 205, 50, 4, 151)  # both cheeks, the tip of the nose, the forehead
BLINK, SMILE = (9, 10), (44, 45)
# The points from which the second network derives expressions.
_SUBSET = np.array([
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65),
    *(66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136),
    *(144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168),
    *(172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276),
    *(282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318),
    *(321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380),
    *(381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466),
    *range(468, 478),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mesh:
    """A face's points (478, 3) and how surely it is a face, 0-1."""

    points: _Array
    presence: float

    @property
    def yaw_deg(self) -> float:
        """How far the head is turned, positive toward the person's left."""
        left, right = (self.points[EYE_CORNERS[side][0]] for side in (0, 1))
        across = math.hypot(*(left[:2] - right[:2]))
        return math.degrees(math.atan2(left[2] - right[2], across))

    @property
    def roll_deg(self) -> float:
        """How far the head leans, 0 upright; positive clockwise."""
        left, right = (self.points[EYE_CORNERS[side][0]] for side in (0, 1))
        return math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))

    def eye_center(self, side: int) -> _Array:
        """Return the center of an eye, (x, y); ``side`` 0 is the left one."""
        return np.asarray(self.points[list(EYE_CORNERS[side]), :2].mean(axis=0))

    def eye_width(self, side: int) -> float:
        """Return the distance between an eye's corners, in px."""
        outer, inner = self.points[list(EYE_CORNERS[side]), :2]
        return float(math.hypot(*(outer - inner)))


def fit(rgb: Image, box: _Array, eyes: _Array) -> Mesh:
    """Fit a mesh to a face: once where the detector saw it, and again where the mesh lies then.

    Args:
        rgb: (H, W, 3) uint8 sRGB; the face should be 100 to 400 px wide there, or smaller if the
            original has no more pixels.
        box: the detector's box, (4,) as x0, y0, x1, y1 in px.
        eyes: (2, 2), the person's right eye and left eye in px.

    Raises:
        ModelError: the network is missing or damaged.
    """
    angle = math.atan2(*(eyes[1] - eyes[0])[::-1])
    first = _run(rgb, (box[:2] + box[2:]) / 2, float(max(box[2:] - box[:2])), angle)
    left, right = (first.points[EYE_CORNERS[side][0], :2] for side in (0, 1))
    angle = math.atan2(*(left - right)[::-1])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    straight = first.points[:, :2] @ turn
    low, high = straight.min(axis=0), straight.max(axis=0)
    return _run(rgb, turn @ ((low + high) / 2), float(max(high - low)), angle)


def _run(rgb: Image, center: _Array, side: float, angle: float) -> Mesh:
    """Run the network on a square around ``center``, turned by ``angle`` (radians)."""
    step = max(side * _MARGIN / _INPUT_PX, 1e-6)
    across = np.array([math.cos(angle), math.sin(angle)]) * step
    down = np.array([-across[1], across[0]])
    origin = center - (across + down) * _INPUT_PX / 2
    to_picture = np.column_stack([across, down, origin])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(rgb, to_picture, (_INPUT_PX, _INPUT_PX), flags=flags)
    net = models.load(models.MESH)
    net.setInput(np.ascontiguousarray(seen.transpose(2, 0, 1)[None], np.float32) / 255)
    names = sorted(net.getUnconnectedOutLayersNames())
    outputs = [output.ravel() for output in net.forward(names)]
    raw = next(output for output in outputs if output.size == 3 * _COUNT).reshape(_COUNT, 3)
    logit = next(float(output[0]) for output in outputs if output.size == 1)
    places = raw[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
    return Mesh(np.column_stack([places, raw[:, 2] * step]), 1 / (1 + math.exp(-logit)))


def expressions(mesh: Mesh) -> _Array:
    """Return the 52 expressions of a face, each 0-1.

    Raises:
        ModelError: the network is missing or damaged.
    """
    net = models.load(models.EXPRESSIONS)
    net.setInput(np.ascontiguousarray(mesh.points[None, None, _SUBSET, :2], np.float32))
    return np.asarray(net.forward()).ravel().copy()
