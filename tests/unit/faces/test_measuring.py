"""Faces are found and measured; odd pictures are no trouble."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg

from curator.bench.draw_faces import draw_face
from curator.faces.detector import Found
from curator.faces.measuring import MOST, find, measure
from curator.imaging.pixels import Image, upright, upright_view
from curator.model import Eye
from tests import face_data
from tests.blinking import blink
from tests.photos import scene

POINTS = ((0.45, 0.45), (0.55, 0.45), (0.5, 0.5), (0.46, 0.56), (0.54, 0.56))


@pytest.fixture(scope="module")
def three() -> Image:
    """A real picture of three people, 500 x 375 px."""
    path = face_data.pictures() / "groups" / "2008_001322.jpg"
    return np.asarray(simplejpeg.decode_jpeg(path.read_bytes()))


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (31, 40), (33, 32), (1440, 40)])
def test_pictures_of_any_size_without_faces(size: tuple[int, int]) -> None:
    chance = np.random.default_rng(1)
    noise = chance.integers(0, 256, (*size, 3), np.uint8)
    assert find(noise) == []
    assert find(np.full_like(noise, 128)) == []


def test_a_drawn_scene_has_no_faces() -> None:
    assert find(scene((1440, 960), 0, "sharp")) == []


def test_a_face_where_there_is_none_gets_no_word() -> None:
    """The mesh doubts what the detector took for a face: a rock, the head of an animal."""
    rock = scene((1200, 800), 0, "sharp")
    (face,) = measure([Found((0.4, 0.35, 0.2, 0.3), 0.6, POINTS)], rock)
    assert (face.size_px, face.eyes, face.left_blink) == (240, Eye.UNKNOWN, None)


@pytest.mark.parametrize(
    "box", [(-0.2, -0.3, 0.4, 0.6), (0.9, 0.9, 0.4, 0.6), (1.2, 1.2, 0.1, 0.1), (0.5, 0.5, 0, 0)]
)
def test_a_box_past_the_edge_is_measured_or_left_unknown(
    box: tuple[float, float, float, float],
) -> None:
    (face,) = measure([Found(box, 0.6, POINTS)], scene((600, 400), 0, "sharp"))
    assert face.box == box
    assert face.eyes is Eye.UNKNOWN


def test_people_are_found_largest_first_with_both_eyes_in_their_faces(three: Image) -> None:
    faces = measure(find(three), three)
    assert len(faces) == 3
    assert [face.size_px for face in faces] == sorted((f.size_px for f in faces), reverse=True)
    for face in faces:
        left, top, width, height = face.box
        assert face.eyes is Eye.OPEN
        assert face.left_at is not None and face.right_at is not None
        # The person's left is on the viewer's right.
        assert left < face.right_at[0] < face.left_at[0] < left + width
        assert top < face.left_at[1] < top + 0.6 * height


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_may_lie_as_its_file_stores_it(three: Image, orientation: int) -> None:
    found = find(three)
    back = {6: 8, 8: 6}.get(orientation, orientation)
    stored = np.ascontiguousarray(upright(three, back))
    assert measure(found, upright_view(stored, orientation)) == measure(found, three)


def test_faces_are_measured_on_the_original_not_on_the_proxy(three: Image) -> None:
    found = find(three)
    large = cv2.resize(three, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    for one, other in zip(measure(found, three), measure(found, large), strict=True):
        assert other.size_px == pytest.approx(4 * one.size_px, abs=4)
        assert other.left_blink == pytest.approx(one.left_blink, abs=0.15)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_faces_on_their_side_or_head_get_no_word(three: Image, turns: int) -> None:
    turned = np.ascontiguousarray(np.rot90(three, turns))
    assert {face.eyes for face in measure(find(turned), turned)} <= {Eye.UNKNOWN}


def test_a_face_cut_by_the_edge_is_counted(three: Image) -> None:
    box = measure(find(three), three)[0].box
    cut = np.ascontiguousarray(three[:, : round(500 * (box[0] + 0.5 * box[2]))])
    at_edge = [face for face in measure(find(cut), cut) if face.box[0] + face.box[2] > 0.98]
    assert [face.eyes for face in at_edge] == [Eye.UNKNOWN], "half a face is one, without a word"


def test_small_faces_are_counted_and_get_no_word(three: Image) -> None:
    small = cv2.resize(three, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    canvas = np.full((480, 720, 3), 90, np.uint8)
    canvas[100:212, 200:350] = small
    faces = measure(find(canvas), canvas)
    assert len(faces) == 3
    assert all(face.size_px < 32 and face.eyes is Eye.UNKNOWN for face in faces)


@pytest.mark.parametrize("side", [0, 1])
def test_left_and_right_are_the_persons_own(three: Image, side: int) -> None:
    """A wink drawn on one eye raises the blink of that eye."""
    rises = np.zeros(2)
    for face in find(three):
        (before,) = measure([face], three)
        (after,) = measure([face], blink(three, face, (side,)))
        assert before.left_blink is not None and before.right_blink is not None
        assert after.left_blink is not None and after.right_blink is not None
        rises += after.left_blink - before.left_blink, after.right_blink - before.right_blink
    assert rises[side] > 3 * abs(rises[1 - side])


def test_eyes_in_focus_are_sharper_than_blurred_ones_also_under_noise() -> None:
    path = face_data.pictures() / "groups" / "fr_obama-1080p.jpg"
    rgb = np.asarray(simplejpeg.decode_jpeg(path.read_bytes()))
    soft = cv2.GaussianBlur(rgb, (0, 0), 2)
    noise = np.random.default_rng(1).normal(0, 3, rgb.shape)
    noisy = np.clip(np.rint(soft + noise), 0, 255).astype(np.uint8)
    face = find(rgb)[0]
    sharp, *others = (measure([face], each)[0].eye_sharpness for each in (rgb, soft, noisy))
    assert sharp is not None and sharp > 40
    assert all(other is not None and other < sharp / 3 for other in others)


def crowd(width_px: int, across: int, down: int) -> Image:
    """Draw rows of faces on a scene."""
    rgb = scene((1440, 960), 0, "soft").copy()
    for row in range(down):
        for column in range(across):
            place = (1440 * (column + 0.5) / across, 960 * (row + 0.5) / down)
            draw_face(rgb, place, width_px)
    return rgb


def test_drawn_faces_are_found_and_their_eyes_told() -> None:
    rgb = scene((1440, 960), 0, "soft").copy()
    draw_face(rgb, (400, 480), 160)
    draw_face(rgb, (1000, 480), 120, shut=True)
    faces = measure(find(rgb), rgb)
    assert [face.eyes for face in faces] == [Eye.OPEN, Eye.CLOSED]
    assert all(abs(face.yaw_deg or 90) < 10 for face in faces)


@pytest.mark.slow
def test_of_a_crowd_all_are_counted_and_the_largest_hundred_measured() -> None:
    rgb = crowd(50, 20, 10)
    faces = measure(find(rgb), rgb)
    assert len(faces) == 200
    assert [face.left_blink is not None for face in faces] == [True] * MOST + [False] * 100


def test_a_gray_picture_is_measured(three: Image) -> None:
    gray = np.repeat(three.mean(axis=2, dtype=np.float32).astype(np.uint8)[..., None], 3, axis=2)
    assert len(measure(find(gray), gray)) == 3


def test_a_face_may_fill_a_huge_picture() -> None:
    rgb = scene((1440, 960), 0, "soft").copy()
    draw_face(rgb, (720, 480), 560)
    huge = cv2.resize(rgb, (9000, 6000), interpolation=cv2.INTER_LINEAR)
    (face,) = measure(find(rgb), huge)
    assert face.size_px > 2500
    assert face.left_blink is not None


def test_eyes_behind_sunglasses_get_no_word() -> None:
    rgb = scene((1440, 960), 0, "soft").copy()
    draw_face(rgb, (720, 480), 200)
    (plain,) = measure(find(rgb), rgb)
    for x in (678, 762):
        cv2.ellipse(rgb, (x, 464), (36, 28), 0, 0, 360, (20, 20, 22), -1)
    (covered,) = measure(find(rgb), rgb)
    assert plain.eyes is Eye.OPEN
    assert covered.eyes is Eye.UNKNOWN
