"""An overlay as a screen wants it: a layer to lie over the part of a picture that is shown.

Everything is neutral. Clipped highlights are white with dark lines, shadows black with light ones,
leaning the other way; sharp places keep their light while the rest is dimmed; edges in focus are
white on the dimmed picture.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.imaging import screen
from curator.imaging.overlay import (
    BITS,
    CLIPPING,
    HIGHLIGHT,
    PEAK,
    PEAKING,
    SHADOW,
    STEP,
    Overlay,
)
from curator.imaging.quality import TILE

_Array = npt.NDArray[Any]

_DIM = 150  # how much of 255 is taken from what is not sharp
_PERIOD = 3  # a line of the hatch and the room to the next, in lines
_SHARE = 32  # of 255: a place of which an eighth is clipped shows as clipped
# Of a place of 4 x 4 pixels a sharp line fills a quarter; single marks are noise.
_PEAK_FROM, _PEAK_FULL = 16, 96
_SHARP_LEAST = 35  # a photo whose sharpest tiles score less is sharp nowhere
_SHARP_BEST = 8  # so many of the sharpest tiles say how sharp this photo gets
_SHARP_NONE = 8  # a score that counts as nothing

_ramp = np.clip((np.arange(256) - _PEAK_FROM) / (_PEAK_FULL - _PEAK_FROM), 0, 1)
_PEAK_VALUE = np.rint(255 * _ramp).astype(np.uint8)
_PEAK_ALPHA = np.rint(255 * (1 - (1 - _DIM / 255) * (1 - _ramp))).astype(np.uint8)


def draw(
    found: Overlay,
    whole: tuple[int, int],
    size: tuple[int, int],
    area: screen.Area,
    line_px: int = 2,
) -> _Array | None:
    """Draw what was measured, for the part of the picture on screen.

    Args:
        found: what was measured.
        whole: (width, height) px of the picture it was measured on.
        size: (width, height) px the whole picture is shown at.
        area: the part on screen, px of the picture as shown.
        line_px: width of a line of the hatch.

    Returns:
        Pixels to lie exactly over ``area``, (h, w, 4) uint8 BGRA, colors multiplied with alpha;
        None where there is nothing to be drawn.
    """
    value: _Array = np.zeros((area[3], area[2]), np.uint8)
    alpha: _Array = np.zeros_like(value)
    drawn = False
    if found.tiles is not None:
        alpha, drawn = _spread(_dimming(found.tiles), TILE, whole, size, area, False), True
    if PEAKING in found.kinds:
        value = _marked(found, PEAK, whole, size, area)
        if found.marks is not None and size[0] >= whole[0]:  # all or nothing
            alpha = np.maximum(value, np.uint8(_DIM))
        else:
            value, alpha = cv2.LUT(value, _PEAK_VALUE), cv2.LUT(value, _PEAK_ALPHA)
        drawn = True
    if CLIPPING in found.kinds:
        for bit, ground, line, lean in ((HIGHLIGHT, 255, 25, 1), (SHADOW, 0, 190, -1)):
            share = _marked(found, bit, whole, size, area)
            mask = cv2.inRange(share, _SHARE, 255)
            if cv2.countNonZero(mask):
                value = cv2.copyTo(_hatch(area, line_px, lean, (ground, line)), mask, value)
                alpha, drawn = cv2.bitwise_or(alpha, mask), True
    return cv2.merge([value, value, value, alpha]) if drawn else None


def _dimming(tiles: _Array) -> _Array:
    """Say how much light each tile loses: none where the photo is sharpest."""
    best = np.sort(tiles, axis=None)[-_SHARP_BEST:].mean()
    reach = max(float(best), _SHARP_LEAST) - _SHARP_NONE
    lit = np.clip((tiles.astype(np.float32) - _SHARP_NONE) / reach, 0, 1)
    return np.rint(_DIM * (1 - lit)).astype(np.uint8)


def _marked(
    found: Overlay, bit: int, whole: tuple[int, int], size: tuple[int, int], area: screen.Area
) -> _Array:
    """Bring one kind of mark to the view: its share (0-255) of each pixel there."""
    assert found.shares is not None
    if found.marks is None or 2 * size[0] < whole[0]:
        plane = np.ascontiguousarray(found.shares[:, :, BITS.index(bit)])
        return _spread(plane, STEP, whole, size, area, True)
    where = screen.cut(whole, size, area)
    mask: _Array = cv2.inRange(found.marks[where.rows, where.columns] & np.uint8(bit), 1, 255)
    return _within(screen.scaled(mask, where, False), where, area)


def _spread(
    plane: _Array,
    step: int,
    whole: tuple[int, int],
    size: tuple[int, int],
    area: screen.Area,
    smooth: bool,
) -> _Array:
    """Bring a plane with one value for ``step`` x ``step`` pixels to the view."""
    height, width = plane.shape
    covered = width * step * size[0] / whole[0], height * step * size[1] / whole[1]
    where = screen.cut((width, height), covered, area)
    return _within(screen.scaled(plane[where.rows, where.columns], where, smooth), where, area)


def _within(image: _Array, where: screen.Cut, area: screen.Area) -> _Array:
    """Take exactly the area out of what reaches beyond it."""
    left, top = area[0] - where.x, area[1] - where.y
    return image[top : top + area[3], left : left + area[2]]


def _hatch(area: screen.Area, line_px: int, lean: int, levels: tuple[int, int]) -> _Array:
    """Draw slanting lines that lie still on the picture, whatever part of it is shown.

    Args:
        area: the part.
        line_px: width of a line.
        lean: 1 or -1, which way they lean.
        levels: of the ground and of the lines.
    """
    period = line_px * _PERIOD
    wave = np.arange(area[2] + period) // line_px % _PERIOD == 0
    levels_ = np.where(wave, np.uint8(levels[1]), np.uint8(levels[0]))
    starts = (np.arange(area[3]) * lean + area[1] * lean + area[0]) % period
    rows = np.lib.stride_tricks.sliding_window_view(levels_, area[2])
    return np.ascontiguousarray(rows[starts])
