"""Pixels as a screen wants them: decoded, turned and resized to the exact size, four bytes each.

The window blits what comes out of here and does nothing else to it. Decoding and resizing happen
in C without the interpreter's lock, so they run beside the window in a thread pool.

Measured on one 1440 x 960 proxy to 1053 x 702 (two cores, 2026): simplejpeg to BGRX and the resize
below 13 ms, QImageReader with a scaled size 21 ms, QImage and smooth scaling 27 ms, cv2.imdecode
19 ms. libjpeg-turbo has fast inverse transforms at 1, 1/2, 1/4 and 1/8 only: 7/8 takes longer
(14.6 ms) than the whole picture (8.5 ms), so only powers of two are asked for.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg

from curator.model import UnreadableError

Bgrx = npt.NDArray[np.uint8]

_TURNS = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)

# Against a bicubic reference over real photos each of these wins in its range (PSNR 47 to 50 dB).
_PLAIN_CUBIC = 0.85
_SOFT_CUBIC = 0.62
_SOFTEN = 0.45  # sigma in px, takes out what the smaller size cannot hold
_KEEP_ASPECT = 0.01  # a picture that differs more from the size asked for keeps its own aspect


def from_jpeg(data: bytes, size: tuple[int, int] | None, turn: int = 0) -> Bgrx:
    """Decode one of our own JPEGs for the screen.

    Args:
        data: a proxy or thumbnail.
        size: (width, height) px to come out with, ``turn`` included; None for the JPEG's own.
        turn: quarter turns clockwise, 0-3.

    Returns:
        (H, W, 4) uint8: blue, green, red, 255. It has exactly ``size``, or the largest size
        inside it where the picture has another aspect.

    Raises:
        UnreadableError: the bytes are no whole JPEG.
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
            # Without a least size simplejpeg decodes whole; with one, at the smallest n/8 over it.
            min_width=-(-width // shrink) if shrink > 1 else 0,
            min_height=-(-height // shrink) if shrink > 1 else 0,
        )
    except ValueError as error:
        raise UnreadableError(f"A picture in the cache is damaged ({error}).") from error
    return _fitted(turned(decoded, turn), size)


def from_rgb(rgb: npt.NDArray[np.uint8], size: tuple[int, int] | None, turn: int = 0) -> Bgrx:
    """Make decoded pixels ready for the screen.

    Args:
        rgb: (H, W, 3) uint8 sRGB, upright.
        size: as for :func:`from_jpeg`.
        turn: quarter turns clockwise, 0-3.

    Returns:
        (H, W, 4) uint8: blue, green, red, 255.
    """
    small = _fitted(turned(rgb, turn), size)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGRA), np.uint8)


def turned(image: npt.NDArray[np.uint8], turn: int) -> npt.NDArray[np.uint8]:
    """Turn an image by quarter turns clockwise; C-contiguous, the same array if there is none."""
    how = _TURNS[turn % 4]
    return image if how is None else np.asarray(cv2.rotate(image, how), np.uint8)


def _fitted(image: npt.NDArray[np.uint8], size: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
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
