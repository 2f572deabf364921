"""Pixels for the screen: decoded, turned and resized to the exact size, four bytes each.

The window only copies them to the screen. Decoding and resizing run in C without the interpreter's
lock, in a thread pool beside the window.

Measured on one 1440 x 960 proxy to 1053 x 702 (two cores, 2026): simplejpeg to BGRX and the resize
below 13 ms, QImageReader with a scaled size 21 ms, QImage and smooth scaling 27 ms, cv2.imdecode
19 ms. libjpeg-turbo has fast inverse transforms at 1, 1/2, 1/4 and 1/8 only: 7/8 takes longer
(14.6 ms) than the full picture (8.5 ms), so only powers of two are used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg

from curator.model import UnreadableError

Bgrx = npt.NDArray[np.uint8]
Area = tuple[int, int, int, int]  # x, y, width, height

_TURNS = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)

# Each method is best in its range against a bicubic reference on real photos (PSNR 47 to 50 dB).
_PLAIN_CUBIC = 0.85
_SOFT_CUBIC = 0.62
_SOFTEN = 0.45  # sigma in px, removes details that the smaller size cannot show
_NEARLY = 0.9  # a crop with this share of the wanted pixels, or fewer than 1 / 0.9, is cut exactly
_KEEP_ASPECT = 0.01  # a picture that differs more from the requested size keeps its own aspect


def from_jpeg(data: bytes, size: tuple[int, int] | None, turn: int = 0) -> Bgrx:
    """Decode one of our own JPEGs for the screen.

    Args:
        data: a proxy or thumbnail.
        size: wanted (width, height) px after turning; None for the JPEG's own size.
        turn: quarter turns clockwise, 0-3.

    Returns:
        (H, W, 4) uint8: blue, green, red, 255. It has exactly ``size``, or the largest size inside
        it if the picture has another aspect.

    Raises:
        UnreadableError: the bytes are not a complete JPEG.
    """
    least = (1, 1) if size is None else (size[1], size[0]) if turn % 2 else size
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        shrink = 1
        if size is not None:
            while shrink < 8 and width >= 2 * shrink * least[0] and height >= 2 * shrink * least[1]:
                shrink *= 2
        decoded = simplejpeg.decode_jpeg(
            data,
            "BGRA",
            # Without a minimal size simplejpeg decodes the full size; else the smallest n/8 above.
            min_width=-(-width // shrink) if shrink > 1 else 0,
            min_height=-(-height // shrink) if shrink > 1 else 0,
        )
    except ValueError as error:
        raise UnreadableError(f"A picture in the cache is damaged ({error}).") from error
    return _fit(turned(decoded, turn), size)


def from_rgb(rgb: npt.NDArray[np.uint8], size: tuple[int, int] | None) -> Bgrx:
    """Convert decoded pixels for the screen.

    Args:
        rgb: (H, W, 3) uint8 sRGB, upright.
        size: as for :func:`from_jpeg`.

    Returns:
        (H, W, 4) uint8: blue, green, red, 255.
    """
    small = _fit(rgb, size)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGRA), np.uint8)


class Cut(NamedTuple):
    """The pixels of a picture that are on screen, and their place there.

    ``rows`` and ``columns`` of the picture; ``x``, ``y``, ``width`` and ``height`` in px of the
    picture as shown.
    """

    rows: slice
    columns: slice
    x: int
    y: int
    width: int
    height: int


def cut(edges: tuple[int, int], size: tuple[float, float], area: Area) -> Cut:
    """Choose the pixels of a picture that are on screen.

    They may reach a little beyond ``area``, because pixels are not divided. If several pixels
    become one on screen, the cut falls between the same groups wherever the area starts, so that
    panning does not shimmer.

    Args:
        edges: (width, height) of the picture.
        size: (width, height) px at which the full picture is shown.
        area: x, y, width and height of the part on screen, in px of the picture as shown.
    """
    columns, x, width = _span(edges[0], size[0], area[0], area[2])
    rows, y, height = _span(edges[1], size[1], area[1], area[3])
    return Cut(rows, columns, x, y, width, height)


def _span(edge: int, shown: float, start: int, length: int) -> tuple[slice, int, int]:
    scale = shown / edge
    step = max(round(1 / scale), 1)
    first = min(max(int(start / scale) // step * step, 0), edge - 1)
    last = -(-math.ceil((start + length) / scale) // step) * step
    last = min(max(last, first + 1), edge)
    at = round(first * scale)
    return slice(first, last), at, max(round(last * scale) - at, 1)


def scaled(
    image: npt.NDArray[np.uint8], where: Cut, smooth: bool | None = None
) -> npt.NDArray[np.uint8]:
    """Scale pixels cut out of a picture to the size at which they are shown.

    Args:
        image: (H, W) or (H, W, C) uint8, the rows and columns of ``where``; it need not be
            contiguous.
        where: from :func:`cut`.
        smooth: whether to smooth an enlarged picture; None: only below twice its size, because
            larger, single pixels are to be seen.
    """
    size, scale = (where.width, where.height), where.width / image.shape[1]
    if image.shape[1::-1] == size:
        return image
    if smooth is None:
        smooth = scale < 2
    enlarged = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    how = cv2.INTER_AREA if scale < 1 else enlarged
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def turned(image: npt.NDArray[np.uint8], turn: int) -> npt.NDArray[np.uint8]:
    """Turn an image by quarter turns clockwise; returns the same array if ``turn`` is 0."""
    how = _TURNS[turn % 4]
    return image if how is None else np.asarray(cv2.rotate(image, how), np.uint8)


def crop(
    rgb: npt.NDArray[np.uint8],
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    turn: int = 0,
) -> npt.NDArray[np.uint8]:
    """Cut a part of a picture, turn it, and resize it to exactly ``size``.

    A box of nearly as many pixels is not resized: its middle is cut pixel for pixel.

    Args:
        rgb: (H, W, 3) uint8.
        box: left, top, width and height as fractions (0-1) of the picture.
        size: wanted (width, height) px after turning.
        turn: quarter turns clockwise, 0-3.
    """
    wide, high = size[::-1] if turn % 2 else size
    columns = _part(rgb.shape[1], box[0], box[2], wide)
    rows = _part(rgb.shape[0], box[1], box[3], high)
    part = turned(rgb[rows, columns], turn)
    if part.shape[1::-1] == size:
        return part
    how = cv2.INTER_AREA if part.shape[1] > size[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)


def _part(edge: int, start: float, length: float, wanted: int) -> slice:
    """Return the pixels of an edge in a fraction of it, and exactly ``wanted`` if nearly so."""
    count = max(round(length * edge), 1)
    if wanted <= edge and _NEARLY * wanted <= count <= wanted / _NEARLY:
        count = wanted
    count = min(count, edge)
    first = round((start + length / 2) * edge - count / 2)
    first = min(max(first, 0), edge - count)
    return slice(first, first + count)


def row_of(images: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Return images side by side, in one as high as the highest of them."""
    row = np.zeros((max(len(image) for image in images), 0, 3), np.uint8)
    padded = [np.pad(image, ((0, len(row) - len(image)), (0, 0), (0, 0))) for image in images]
    return np.hstack([row, *padded])


def _fit(image: npt.NDArray[np.uint8], size: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    height, width = image.shape[:2]
    if size is None or (width, height) == size:
        return np.ascontiguousarray(image)
    ratio = min(size[0] / width, size[1] / height)
    if max(size[0] / width, size[1] / height) / ratio > 1 + _KEEP_ASPECT:
        size = max(round(width * ratio), 1), max(round(height * ratio), 1)
    if _SOFT_CUBIC <= ratio < _PLAIN_CUBIC:
        image = np.asarray(cv2.GaussianBlur(image, (3, 3), _SOFTEN), np.uint8)
    how = cv2.INTER_AREA if ratio < _SOFT_CUBIC else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
