"""Read lines of text on a picture with PP-OCRv5's recognizer.

The network returns, for each eighth of a line's height, how likely each of 18,385 characters is.
The likeliest ones make the text: one that lasts counts once, and nothing comes between two alike
(connectionist temporal classification, Graves et al. 2006, read greedily).
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.imaging import color
from curator.imaging.pixels import Image, shrink
from curator.model import TextLine
from curator.ocr import models
from curator.ocr.finder import Line

_Array = npt.NDArray[Any]

_HEIGHT_PX = 48  # of the network's input
_LONGEST = 50  # lengths of a line in heights; what is longer is squeezed
_STEP = 8  # px of the input for each character of the output
_CLEAR = 0.8  # a line read with less confidence is also tried upside down
_SURE = 0.75  # lines read with less confidence are left out,
_SURE_ALONE = 0.95  # a single letter or digit too: edges and corners look like these
_PATTERN = 0.8  # share of one character, of four or more: rows of windows or holes look like it
_BIB = 5  # digits of a number on a bib at most; these may all be alike, except for zeros


def read(
    found: Sequence[Line], scale: float, rgb: Image, icc: bytes | None = None
) -> list[TextLine]:
    """Read lines; those that say nothing, or that cannot be read for sure, are left out.

    Args:
        found: the lines, as :func:`curator.ocr.finder.find` returns them.
        scale: px of ``rgb`` per px of the picture they were found on.
        rgb: (H, W, 3) uint8, the original upright at full resolution; may be a view, as
            :func:`pixels.upright_view` returns it, since only patches around lines are read.
        icc: its color profile, as in :func:`color.to_srgb`.

    Raises:
        TextModelError: the network is not installed, damaged or not supported.
    """
    size = np.array(rgb.shape[1::-1], np.float64)
    lines = []
    for each in found:
        line = each.scaled(scale)
        strip = _strip(line, rgb, icc)
        if strip is None:
            continue
        text, confidence = _read(strip)
        if confidence < _CLEAR:
            other = _read(np.ascontiguousarray(strip[::-1, ::-1]))
            if other[1] > confidence:
                line, (text, confidence) = line.turned(), other
        text = _plain(text)
        if _is_text(text, confidence):
            corners = np.clip(line.corners() / size, 0, 1)
            places = tuple((float(x), float(y)) for x, y in corners)
            lines.append(TextLine(text, round(confidence, 3), places))
    return lines


def _plain(text: str) -> str:
    """Return text on one line, without control characters and marks that turn its direction."""
    kept = (" " if each.isspace() else each for each in text)
    return " ".join("".join(c for c in kept if unicodedata.category(c)[0] != "C").split())


def _is_text(text: str, confidence: float) -> bool:
    """Whether what was read is probably text, and no pattern that looks like it."""
    letters = [each for each in text if each.isalnum()]
    if not letters:
        return False
    most = Counter(letters).most_common(1)[0][1]
    if most >= 4 and most > _PATTERN * len(letters):
        # Drawn numbers such as 1111 are read at 0.998, rows of posts as ones at 0.4. Rows of holes
        # are read as zeros at 0.99, as are drawn zeros.
        is_bib = text.isdecimal() and len(text) <= _BIB and text.strip("0")
        return bool(is_bib) and confidence >= _SURE_ALONE
    return confidence >= (_SURE_ALONE if len(letters) == 1 else _SURE)


def _strip(line: Line, rgb: Image, icc: bytes | None) -> Image | None:
    """Return a line turned level, in the height of the network's input; None outside ``rgb``."""
    corners = line.corners()
    low = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0)) + 1, rgb.shape[1::-1]).astype(int)
    if (high - low < 2).any():
        return None
    patch = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])
    # First by area, because the turn below looks at single pixels.
    wanted = max(1, math.ceil(max(patch.shape[:2]) * min(1.0, 2 * _HEIGHT_PX / line.height)))
    small = color.to_srgb(shrink(patch, wanted), icc)
    across, down = small.shape[1] / patch.shape[1], small.shape[0] / patch.shape[0]
    width = round(_HEIGHT_PX * min(max(line.length / line.height, 0.5), _LONGEST))
    begin = ((corners - low) * (across, down)).astype(np.float32)[[0, 1, 3]]
    end = np.array([[0, 0], [width, 0], [0, _HEIGHT_PX]], np.float32)
    turn, size = cv2.getAffineTransform(begin, end), (width, _HEIGHT_PX)
    edges = cv2.BORDER_REPLICATE
    level = cv2.warpAffine(small, turn, size, flags=cv2.INTER_CUBIC, borderMode=edges)
    return np.asarray(level, np.uint8)


def _read(strip: Image) -> tuple[str, float]:
    """Return the text of a strip (48, W, 3), and the mean confidence of its characters."""
    width = math.ceil(strip.shape[1] / _STEP) * _STEP
    blob = np.zeros((1, 3, _HEIGHT_PX, max(width, _HEIGHT_PX)), np.float32)
    blob[0, :, :, : strip.shape[1]] = (strip[..., ::-1] / 127.5 - 1).transpose(2, 0, 1)
    net = models.load(models.READER)
    net.setInput(blob)
    likely = net.forward()[0]
    classes, confidences = likely.argmax(axis=1), likely.max(axis=1)
    new = (classes != 0) & (classes != np.append(0, classes[:-1]))
    if not new.any():
        return "", 0.0
    characters = models.characters()
    return "".join(characters[each] for each in classes[new]), float(confidences[new].mean())
