"""Drawn faces: the networks find them and see whether their eyes are open."""

from __future__ import annotations

import pytest

from curator.bench.draw import scene
from curator.bench.draw_faces import draw_face
from curator.faces.measuring import find, measure
from curator.model import Eye


@pytest.mark.parametrize("width", [60, 90, 120])
def test_a_drawn_face_is_found_with_its_eyes(width: int) -> None:
    rgb = scene((1440, 960), 5).copy()
    assert find(rgb) == []
    for number in range(4):
        draw_face(rgb, (180 + 360 * number, 480), width, shut=number == 2)
    faces = sorted(measure(find(rgb), rgb), key=lambda face: face.box[0])
    assert [face.eyes for face in faces] == [Eye.OPEN, Eye.OPEN, Eye.CLOSED, Eye.OPEN]
