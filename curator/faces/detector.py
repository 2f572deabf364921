"""Find faces on a proxy with CenterFace.

A first look at about 0.1 megapixels finds all faces of a twentieth of the picture and more, and
leaves hints of smaller ones. A second look at windows of the proxy around these hints follows, so
that a picture without any pays for one small look only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.faces import models
from curator.imaging.pixels import Image, shrink

_Array = npt.NDArray[Any]

_FIRST_PX = 90000  # pixels of the first look
_SURE = 0.5  # a face
_HINT = 0.15  # maybe a face, if seen closer,
_LARGE_HINT = 0.2  # or maybe a large one, if seen from farther: 15 of 16 such faces are above
_SMALL = 12.0  # px of a face at the first look, below which a second look measures it better
_FARTHER = 0.4  # scale of a look that makes surer of a large face
_WINDOW = 256  # px of the proxy, the least window of a second look
_MOST_PX = 1_400_000  # pixels of all second looks
_SAME = 0.3  # boxes that share this part of their union, or
_INSIDE = 0.7  # this part of the smaller one, are of one face
_MULTIPLE = 32  # the network's input is a multiple of this
_OUTPUTS = ("537", "538", "539", "540")


@dataclass(frozen=True, slots=True)
class Found:
    """A face found on a proxy; places are fractions of the upright picture's width and height.

    Attributes:
        box: left, top, width and height.
        score: the detector's, 0-1.
        points: the person's right eye, left eye, nose, right and left corner of the mouth.
    """

    box: tuple[float, float, float, float]
    score: float
    points: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class _Peaks:
    """Faces and hints of faces: boxes (N, 4) as x0, y0, x1, y1, scores (N,), points (N, 5, 2)."""

    boxes: _Array
    scores: _Array
    points: _Array

    def __getitem__(self, which: _Array) -> _Peaks:
        return _Peaks(self.boxes[which], self.scores[which], self.points[which])

    @property
    def widths(self) -> _Array:
        return self.boxes[:, 2] - self.boxes[:, 0]


def find(rgb: Image) -> list[Found]:
    """Find the faces of a picture, largest first.

    Args:
        rgb: (H, W, 3) uint8 sRGB upright, of the proxy's size.

    Raises:
        ModelError: the network is missing or damaged.
    """
    height, width = rgb.shape[:2]
    if min(height, width) < _MULTIPLE:
        return []
    scale = min(1.0, math.sqrt(_FIRST_PX / (width * height)))
    peaks = _look(rgb, scale)
    small = peaks.widths * scale < _SMALL
    sure = peaks.scores >= _SURE
    looks = [peaks[sure & ~small]] if scale < 1 else [peaks]
    if scale < 1:
        looks += _look_closer(rgb, peaks[small | ~sure & (peaks.widths * scale < 2 * _SMALL)])
    if (~sure & (peaks.scores >= _LARGE_HINT) & (peaks.widths * scale >= 2 * _SMALL)).any():
        looks.append(_look(rgb, scale * _FARTHER))
    every = _Peaks(*(np.concatenate([getattr(look, name) for look in looks]) for name in
                     ("boxes", "scores", "points")))  # fmt: skip
    faces = _distinct(every[every.scores >= _SURE])
    faces = faces[np.argsort(-faces.widths, kind="stable")]
    return [_found(*face, width, height) for face in zip(
        faces.boxes, faces.scores, faces.points, strict=True)]  # fmt: skip


def _found(box: _Array, score: float, points: _Array, width: int, height: int) -> Found:
    size = np.array([width, height], np.float64)
    x0, y0, x1, y1 = (float(edge) for edge in (box.reshape(2, 2) / size).ravel())
    places = tuple((float(x), float(y)) for x, y in points / size)
    return Found((x0, y0, x1 - x0, y1 - y0), float(score), places)


def _look_closer(rgb: Image, hints: _Peaks) -> Iterator[_Peaks]:
    """Look at windows around hints, in the proxy's full size; the strongest hints first."""
    left = _MOST_PX
    for x0, y0, x1, y1 in _windows(hints, rgb.shape[1], rgb.shape[0]):
        left -= (x1 - x0) * (y1 - y0)
        if left < 0:
            return
        found = _look(rgb[y0:y1, x0:x1], 1.0)
        offset = np.array([x0, y0], np.float32)
        found.boxes += np.tile(offset, 2)
        found.points += offset
        yield found


def _windows(hints: _Peaks, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Return windows that hold all hints; those that overlap become one."""
    windows: list[tuple[int, int, int, int]] = []
    for box in hints.boxes[np.argsort(-hints.scores, kind="stable")]:
        center = (box[:2] + box[2:]) / 2
        reach = max(_WINDOW / 2, 2.0 * float(box[2] - box[0]))
        low = np.maximum(center - reach, 0)
        high = np.minimum(center + reach, (width, height))
        window = (int(low[0]), int(low[1]), math.ceil(high[0]), math.ceil(high[1]))
        while touching := next((each for each in windows if _overlap(each, window)), None):
            windows.remove(touching)
            window = (
                min(window[0], touching[0]), min(window[1], touching[1]),
                max(window[2], touching[2]), max(window[3], touching[3]),
            )  # fmt: skip
        windows.append(window)
    return windows


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > 0 and down > 0


def _look(rgb: Image, scale: float) -> _Peaks:
    """Run the network on a picture scaled by ``scale``; places are in pixels of ``rgb``."""
    small = shrink(rgb, round(max(rgb.shape[:2]) * scale))
    height, width = small.shape[:2]
    padded = (math.ceil(height / _MULTIPLE) * _MULTIPLE, math.ceil(width / _MULTIPLE) * _MULTIPLE)
    blob = np.zeros((1, 3, *padded), np.float32)
    blob[0, :, :height, :width] = small.transpose(2, 0, 1)
    net = models.load(models.FINDER, padded)
    net.setInput(blob)
    heat, size, offset, landmarks = (output[0] for output in net.forward(_OUTPUTS))
    rows, columns = np.nonzero(heat[0] >= _HINT)
    heights, widths = np.exp(size[:, rows, columns]) * 4
    left = (columns + offset[1, rows, columns] + 0.5) * 4 - widths / 2
    top = (rows + offset[0, rows, columns] + 0.5) * 4 - heights / 2
    boxes = np.stack([left, top, left + widths, top + heights], axis=1) / scale
    x = landmarks[1::2, rows, columns] * widths + left
    y = landmarks[0::2, rows, columns] * heights + top
    points = np.stack([x, y], axis=-1).transpose(1, 0, 2) / scale
    return _distinct(_Peaks(boxes, heat[0][rows, columns], points))


def _distinct(peaks: _Peaks) -> _Peaks:
    """Keep the surest of boxes that lie over each other."""
    order = np.argsort(-peaks.scores, kind="stable")
    boxes, kept = peaks.boxes, []
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    while len(order):
        first, order = order[0], order[1:]
        kept.append(first)
        low = np.maximum(boxes[first, :2], boxes[order, :2])
        high = np.minimum(boxes[first, 2:], boxes[order, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        union = areas[first] + areas[order] - shared
        inside = shared / np.minimum(areas[first], areas[order])
        order = order[(shared < _SAME * union) & (inside < _INSIDE)]
    return peaks[np.array(kept, np.intp)]
