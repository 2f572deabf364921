"""Close-ups of faces: which part of a photo each shows, and how it is drawn.

The strip beside the loupe and the face table use it. The full-resolution cache reads the crops of a
photo with one decode of its original; until they are there, the same part of its proxy is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter

from curator.library.table import Tile
from curator.model import Face
from curator.stages.frame import Crop
from curator.ui.widgets.frames import Frame
from curator.ui.widgets.thumbnails import blit

Box = tuple[float, float, float, float]
_AROUND = 1.2  # side of a close-up, in sides of the face's box


def side_px(face: Face, tile: Tile) -> float:
    """Return the side of a square around a face, in px of the original."""
    width, height = _upright(tile)
    return _AROUND * max(face.box[2] * width, face.box[3] * height, 1.0)


def crop_of(face: Face, tile: Tile, edge_px: int, side: float | None = None) -> Crop:
    """Return a square close-up of a face; at the picture's edges less than a square.

    Args:
        face: one of the photo's.
        tile: the photo, of known size.
        edge_px: edge of the close-up, device px.
        side: px of the original it shows, to show several at one scale; None shows the face, at
            most at 100 %.
    """
    width, height = _upright(tile)
    side = max(side_px(face, tile), edge_px) if side is None else side
    wide, high = min(side, width), min(side, height)
    x, y, across, down = face.box
    left = min(max((x + across / 2) * width - wide / 2, 0.0), width - wide)
    top = min(max((y + down / 2) * height - high / 2, 0.0), height - high)
    size = max(round(wide * edge_px / side), 1), max(round(high * edge_px / side), 1)
    box = left / width, top / height, wide / width, high / height
    return Crop(box, size[::-1] if tile.turn % 2 else size)


def scale_of(crop: Crop, tile: Tile) -> float:
    """Return the device px per px of the original: 1.0 at 100 %."""
    return crop.long_edge_px(tile.turn) / max(tile.width, tile.height)


@dataclass(frozen=True, slots=True)
class Closeup:
    """The pixels of a close-up available now.

    Attributes:
        crop: the part to show.
        turn: the user's quarter turns clockwise.
        sharp: the crop of the original, once it is read.
        proxy: the whole photo, turned, at any size.
    """

    crop: Crop
    turn: int
    sharp: Frame | None
    proxy: Frame | None

    def draw(self, painter: QPainter, place: QRect, ratio: float) -> bool:
        """Draw the original's pixels, or until they are there the proxy's, enlarged.

        Args:
            painter: in logical px.
            place: its rectangle, device px, of the crop's size.
            ratio: device px per logical px.

        Returns:
            Whether any pixels of the photo were drawn.
        """
        if self.sharp is not None:
            blit(painter, self.sharp, place, ratio)
        elif self.proxy is not None:
            size = self.proxy.image.size()
            x, y, width, height = _turned(self.crop.box, self.turn)
            across, down = size.width(), size.height()
            painter.save()
            painter.scale(1 / ratio, 1 / ratio)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            part = QRectF(x * across, y * down, width * across, height * down)
            painter.drawImage(QRectF(place), self.proxy.image, part)
            painter.restore()
        return self.sharp is not None or self.proxy is not None


def _upright(tile: Tile) -> tuple[int, int]:
    """Return a photo's size in px before the user's turn."""
    return (tile.height, tile.width) if tile.turn % 2 else (tile.width, tile.height)


def _turned(box: Box, turn: int) -> Box:
    """Return a box of the upright picture after quarter turns clockwise."""
    x, y, width, height = box
    for _ in range(turn % 4):
        x, y, width, height = 1 - y - height, x, height, width
    return x, y, width, height
