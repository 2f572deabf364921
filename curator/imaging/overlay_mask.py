"""Drawing an overlay: a layer of pixels over the visible part of a picture.

All overlays are gray. Clipped highlights are white with dark lines, shadows black with light lines
leaning the other way. Sharp areas keep their brightness while the rest is dimmed. Edges in focus
are white on the dimmed picture.
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

_DIM = 150  # of 255, by which areas that are not sharp are darkened
_PERIOD = 3  # distance of hatch lines, in line widths
_SHARE = 32  # of 255: an area of which an eighth is clipped shows as clipped
# A sharp line fills a quarter of 4 x 4 pixels; single marks are noise.
_PEAK_FROM, _PEAK_FULL = 16, 96
_SHARP_LEAST = 35  # if the sharpest tiles score less, nothing in the photo is sharp
_SHARP_BEST = 8  # number of sharpest tiles that set the reference
_SHARP_NONE = 8  # a score that counts as not sharp at all

_ramp = np.clip((np.arange(256) - _PEAK_FROM) / (_PEAK_FULL - _PEAK_FROM), 0, 1)
_PEAK_VALUE = np.rint(255 * _ramp).astype(np.uint8)
_PEAK_ALPHA = np.rint(255 * (1 - (1 - _DIM / 255) * (1 - _ramp))).astype(np.uint8)


def draw(
    found: Overlay,
    full_size: tuple[int, int],
    size: tuple[int, int],
    area: screen.Area,
    line_px: int = 2,
) -> _Array | None:
    """Draw an overlay for the part of the picture on screen.

    Args:
        found: the measurements.
        full_size: (width, height) px of the picture they were made on.
        size: (width, height) px at which the full picture is shown.
        area: the part on screen, in px of the picture as shown.
        line_px: width of a hatch line.

    Returns:
        Pixels that cover ``area`` exactly, (h, w, 4) uint8 BGRA, colors premultiplied with alpha;
        None if there is nothing to draw.
    """
    value: _Array = np.zeros((area[3], area[2]), np.uint8)
    alpha: _Array = np.zeros_like(value)
    drawn = False
    if found.tiles is not None:
        alpha, drawn = _spread(_dimming(found.tiles), TILE, full_size, size, area, False), True
    if PEAKING in found.kinds:
        value = _marked(found, PEAK, full_size, size, area)
        if found.marks is not None and size[0] >= full_size[0]:  # all or nothing
            alpha = np.maximum(value, np.uint8(_DIM))
        else:
            value, alpha = cv2.LUT(value, _PEAK_VALUE), cv2.LUT(value, _PEAK_ALPHA)
        drawn = True
    if CLIPPING in found.kinds:
        for bit, ground, line, lean in ((HIGHLIGHT, 255, 25, 1), (SHADOW, 0, 190, -1)):
            share = _marked(found, bit, full_size, size, area)
            mask = cv2.inRange(share, _SHARE, 255)
            if cv2.countNonZero(mask):
                value = cv2.copyTo(_hatch(area, line_px, lean, (ground, line)), mask, value)
                alpha, drawn = cv2.bitwise_or(alpha, mask), True
    return cv2.merge([value, value, value, alpha]) if drawn else None


def is_seamless(found: Overlay, full_size: tuple[int, int], size: tuple[int, int]) -> bool:
    """Return whether parts drawn one by one look like the whole drawn at once.

    Args:
        found: the measurements.
        full_size: (width, height) px of the picture they were made on.
        size: (width, height) px at which the full picture is shown.
    """
    if size != full_size:
        return False  # scaled marks depend on where the part begins
    return found.marks is not None or not found.kinds & {CLIPPING, PEAKING}


def _dimming(tiles: _Array) -> _Array:
    """Return by how much each tile is darkened; 0 where the photo is sharpest."""
    best = np.sort(tiles, axis=None)[-_SHARP_BEST:].mean()
    reach = max(float(best), _SHARP_LEAST) - _SHARP_NONE
    lit = np.clip((tiles.astype(np.float32) - _SHARP_NONE) / reach, 0, 1)
    return np.rint(_DIM * (1 - lit)).astype(np.uint8)


def _marked(
    found: Overlay, bit: int, full_size: tuple[int, int], size: tuple[int, int], area: screen.Area
) -> _Array:
    """Scale one kind of mark to the view: its share (0-255) of each pixel there."""
    assert found.shares is not None
    if found.marks is None or 2 * size[0] < full_size[0]:
        plane = np.ascontiguousarray(found.shares[:, :, BITS.index(bit)])
        return _spread(plane, STEP, full_size, size, area, True)
    where = screen.cut(full_size, size, area)
    mask: _Array = cv2.inRange(found.marks[where.rows, where.columns] & np.uint8(bit), 1, 255)
    return _within(screen.scaled(mask, where, False), where, area)


def _spread(
    plane: _Array,
    step: int,
    full_size: tuple[int, int],
    size: tuple[int, int],
    area: screen.Area,
    smooth: bool,
) -> _Array:
    """Scale a plane with one value per ``step`` x ``step`` pixels to the view."""
    height, width = plane.shape
    covered = width * step * size[0] / full_size[0], height * step * size[1] / full_size[1]
    where = screen.cut((width, height), covered, area)
    return _within(screen.scaled(plane[where.rows, where.columns], where, smooth), where, area)


def _within(image: _Array, where: screen.Cut, area: screen.Area) -> _Array:
    """Crop an image that reaches beyond an area to exactly that area."""
    left, top = area[0] - where.x, area[1] - where.y
    return image[top : top + area[3], left : left + area[2]]


def _hatch(area: screen.Area, line_px: int, lean: int, levels: tuple[int, int]) -> _Array:
    """Draw slanting lines that stay fixed to the picture while it is panned.

    Args:
        area: the part shown.
        line_px: width of a line.
        lean: 1 or -1, the direction of the slant.
        levels: gray levels of background and lines.
    """
    period = line_px * _PERIOD
    wave = np.arange(area[2] + period) // line_px % _PERIOD == 0
    levels_ = np.where(wave, np.uint8(levels[1]), np.uint8(levels[0]))
    starts = (np.arange(area[3]) * lean + area[1] * lean + area[0]) % period
    rows = np.lib.stride_tricks.sliding_window_view(levels_, area[2])
    return np.ascontiguousarray(rows[starts])
