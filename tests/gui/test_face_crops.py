"""Close-ups of faces: the part of the photo, its scale, and pixels of the proxy until then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from curator.library.table import Tile
from curator.ui.loupe import face_crops
from curator.ui.loupe.face_crops import Closeup, crop_of, scale_of
from curator.ui.widgets.frames import Frame
from tests.face_data import OPEN, at
from tests.gui import swatches

SMALL = replace(OPEN, box=(0.4, 0.3, 0.02, 0.03), size_px=120)  # of 6,000 x 4,000 px


@pytest.fixture
def tile(session) -> Tile:
    return replace(session.tile(1), width=6000, height=4000, turn=0)


def test_a_large_face_fits_its_cell_and_a_small_one_is_at_100_percent(tile) -> None:
    large = crop_of(OPEN, tile, 300)
    assert large.size == (300, 300)
    assert scale_of(large, tile) == pytest.approx(300 / (1.2 * 600))
    small = crop_of(SMALL, tile, 300)
    assert small.size == (300, 300)
    assert scale_of(small, tile) == pytest.approx(1.0)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_face_at_the_edge_has_a_crop_inside_the_picture(tile, turn) -> None:
    if turn % 2:
        tile = replace(tile, width=4000, height=6000)
    crop = crop_of(at(OPEN, 0.97), replace(tile, turn=turn), 300)
    left, top, width, height = crop.box
    assert left >= 0 and left + width == pytest.approx(1.0) and top >= 0 and top + height <= 1
    assert width * 6000 == pytest.approx(height * 4000) and crop.size == (300, 300)


@pytest.mark.parametrize("turn", [0, 1])
def test_a_picture_smaller_than_the_cell_is_not_enlarged(tile, turn) -> None:
    size = (40, 200) if turn else (200, 40)
    thin = replace(tile, width=size[0], height=size[1], turn=turn)
    assert crop_of(OPEN, thin, 300).size == size
    assert scale_of(crop_of(OPEN, thin, 300), thin) == pytest.approx(1.0)
    assert crop_of(OPEN, replace(tile, width=1, height=1), 300).size == (1, 1)


def test_several_faces_can_be_shown_at_one_scale(tile) -> None:
    side = face_crops.side_px(OPEN, tile)
    scales = [scale_of(crop_of(face, tile, 200, side), tile) for face in (OPEN, SMALL)]
    assert scales == pytest.approx([200 / 720] * 2)


def test_until_the_crop_is_read_the_proxy_s_pixels_show(tile) -> None:
    # The picture's left third is darker; the face lies in it, and with a turn at the top.
    face = at(OPEN, 0.05)
    proxy = Frame.of(swatches.picture(3, (96, 64)))
    canvas = QImage(100, 100, QImage.Format.Format_RGB32)
    crop = crop_of(face, tile, 100)

    def drawn(sharp: Frame | None, proxy: Frame | None) -> bool:
        canvas.fill(0)
        with QPainter(canvas) as painter:
            return Closeup(crop, 0, sharp, proxy).draw(painter, QRect(0, 0, 100, 100), 1.0)

    assert not drawn(None, None)
    assert drawn(None, proxy)
    assert canvas.pixelColor(50, 50).red() == pytest.approx(swatches.color(3).red() / 2, abs=2)
    assert drawn(Frame.of(swatches.picture(4, (100, 100))), proxy)
    assert swatches.shows(canvas, 80, 50, 4)
