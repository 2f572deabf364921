"""Find lines of text on a picture with PP-OCRv5's detector.

The network marks the core of each line; a rectangle around that, enlarged, is the line. Source:
Liao et al. 2020, "Real-time Scene Text Detection with Differentiable Binarization".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.imaging.pixels import Image
from curator.ocr import models

_Array = npt.NDArray[Any]

MOST = 300
"""Lines of one photo at most, the surest: a page of a newspaper has fewer."""
_CORE = 0.3  # a pixel of a line's core
_SURE = 0.6  # mean over the core of a line
_ENLARGED = 1.5  # area of the core over its outline: how far the line reaches beyond it
_LEAST_PX = 3.0  # height of the core; smaller ones cannot be read
_MULTIPLE = 32  # the network's input is a multiple of this
_ROWS = 30  # lines whose middles are in the same part of the height are side by side
_SQUARE = 1.5  # a box with sides more alike than that may be read along either
_MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32) * 255


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as a rectangle, in px of the picture it was found on.

    Attributes:
        center: (x, y).
        length: along the text.
        height: across it, a little more than that of its capitals.
        angle: of the reading direction, in radians; positive turns clockwise on screen.
        score: the detector's, 0-1.
    """

    center: tuple[float, float]
    length: float
    height: float
    angle: float
    score: float

    def scaled(self, scale: float) -> Line:
        """Return the line on a picture ``scale`` times as large."""
        x, y = self.center
        return replace(
            self,
            center=(x * scale, y * scale),
            length=self.length * scale,
            height=self.height * scale,
        )

    def turned(self) -> Line:
        """Return the line read from its other end."""
        return replace(self, angle=self.angle + math.pi)

    def corners(self) -> _Array:
        """Return its corners (4, 2): where the text begins, above and on; then clockwise."""
        along = np.array([math.cos(self.angle), math.sin(self.angle)]) * self.length / 2
        down = np.array([-math.sin(self.angle), math.cos(self.angle)]) * self.height / 2
        middle = np.array(self.center)
        return middle + np.array([-along - down, along - down, along + down, -along + down])


def find(rgb: Image) -> list[Line]:
    """Find the lines of text on a picture, in reading order: from the top, then from the left.

    Args:
        rgb: (H, W, 3) uint8 sRGB upright; text of 8 px and more is found.

    Raises:
        TextModelError: the network is not installed, damaged or not supported.
    """
    lines = sorted(_lines(_cores(rgb)), key=lambda line: -line.score)[:MOST]
    row_px = rgb.shape[0] / _ROWS
    return sorted(lines, key=lambda line: (round(line.center[1] / row_px), line.center))


def _cores(rgb: Image) -> _Array:
    """Return how likely each pixel is in the core of a line, (H, W) 0-1."""
    height, width = rgb.shape[:2]
    padded = (math.ceil(height / _MULTIPLE) * _MULTIPLE, math.ceil(width / _MULTIPLE) * _MULTIPLE)
    blob = np.zeros((1, 3, *padded), np.float32)
    # The network was trained on blue first, with these numbers in this order.
    blob[0, :, :height, :width] = ((rgb[..., ::-1] - _MEAN) / _SPREAD).transpose(2, 0, 1)
    net = models.load(models.FINDER)
    net.setInput(blob)
    cores: _Array = net.forward()[0, 0, :height, :width]
    return cores


def _lines(cores: _Array) -> list[Line]:
    outlines, _ = cv2.findContours(
        (cores > _CORE).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE
    )
    found = []
    for outline in outlines:
        center, (one, other), degrees = cv2.minAreaRect(outline)
        if min(one, other) < _LEAST_PX:
            continue
        score = _mean(cores, outline)
        if score < _SURE:
            continue
        reach = _ENLARGED * one * other / (one + other)
        sides, angle = (one + reach, other + reach), math.radians(degrees)
        found.append(_line((center[0], center[1]), sides, angle, score))
    return found


def _mean(cores: _Array, outline: _Array) -> float:
    """Return the mean of the pixels inside an outline."""
    x, y, width, height = cv2.boundingRect(outline)
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [outline - [x, y]], -1, 1, -1)
    return float(cv2.mean(cores[y : y + height, x : x + width], inside)[0])


def _line(
    center: tuple[float, float], sides: tuple[float, float], angle: float, score: float
) -> Line:
    """Return a rectangle as a line: read along its long side, from the left.

    Args:
        center: (x, y).
        sides: the one at ``angle``, and the one across it.
        angle: in radians.
        score: the detector's.
    """
    one, other = sides
    if max(one, other) < _SQUARE * min(one, other):
        across = abs(math.cos(angle)) < abs(math.sin(angle))  # the side nearer to level
    else:
        across = one < other
    if across:
        one, other, angle = other, one, angle + math.pi / 2
    if math.cos(angle) < -1e-6:
        angle += math.pi
    return Line(center, one, other, math.remainder(angle, 2 * math.pi), score)
