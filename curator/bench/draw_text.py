"""Drawn text with known words and places, in the font that comes with Pillow, on any system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from curator.imaging import pixels

_CAPITALS = 0.7  # height of capitals in sizes of the font


class Drawn(NamedTuple):
    """Text to draw: its middle in px, the height of its capitals, and its angle clockwise."""

    text: str
    middle: tuple[float, float]
    cap_px: float
    degrees: float = 0.0


def draw(
    size: tuple[int, int],
    texts: Sequence[Drawn],
    background: pixels.Image | None = None,
    color: tuple[int, int, int] = (245, 240, 230),
) -> pixels.Image:
    """Draw texts over a picture, or over a plain one, in one color."""
    plain = Image.new("RGB", size, (40, 60, 80))
    picture = plain if background is None else Image.fromarray(background).resize(size)
    for each in texts:
        font = ImageFont.load_default(each.cap_px / _CAPITALS)
        left, top, right, bottom = font.getbbox(each.text)
        edge = math.ceil(math.hypot(right - left, bottom - top)) + 4
        mask = Image.new("L", (edge, edge))
        place = (edge - right - left) / 2, (edge - bottom - top) / 2
        ImageDraw.Draw(mask).text(place, each.text, 255, font)
        mask = mask.rotate(-each.degrees, Image.Resampling.BICUBIC)
        corner = round(each.middle[0] - edge / 2), round(each.middle[1] - edge / 2)
        picture.paste(color, corner, mask)
    return np.asarray(picture)
