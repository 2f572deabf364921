"""The people in a burst: the same person is found in all frames and compared with themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest

from curator.faces import people
from curator.faces.tracking import track
from curator.model import Eye, Face
from tests.face_data import CLOSED, OPEN, UNKNOWN, at

LEFT, MIDDLE, RIGHT = at(OPEN, 0.2), at(OPEN, 0.45), at(OPEN, 0.7)


def wide(face: Face, width: float) -> Face:
    """Return a face of another width, a fraction of the picture's."""
    return replace(face, box=(*face.box[:2], width, 1.5 * width), size_px=round(6000 * width))


def panned(faces: Sequence[Face], x: float, y: float = 0.0) -> list[Face]:
    return [at(face, face.box[0] + x, face.box[1] + y) for face in faces]


def shut(blink: float, closed: bool = False) -> Face:
    """Return a face whose eyes are so far shut."""
    eye = Eye.CLOSED if closed else Eye.OPEN
    return replace(OPEN, left=eye, right=eye, left_blink=blink, right_blink=blink)


# --- whose face is whose


def test_three_people_keep_their_columns_though_the_detector_lists_them_in_any_order() -> None:
    frames = [[LEFT, MIDDLE, RIGHT], [RIGHT, LEFT, MIDDLE], [MIDDLE, RIGHT, LEFT]]
    assert people.match(frames) == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]


def test_the_person_with_the_largest_face_is_first() -> None:
    far, near = wide(at(OPEN, 0.1), 0.05), wide(at(OPEN, 0.6), 0.2)
    assert people.match([[far, near], [far, near]]) == [[1, 1], [0, 0]]


def test_a_camera_that_pans_by_more_than_a_place_in_the_row_confuses_nobody() -> None:
    heights = (0.30, 0.36, 0.28, 0.33, 0.31)
    row = [at(OPEN, 0.1 + 0.12 * number, high) for number, high in enumerate(heights)]
    frames = [row, panned(row, 0.15, 0.1), panned(row, -0.05), panned(row, 0.2)]
    assert people.match(frames) == [[number] * 4 for number in range(5)]


def test_who_comes_late_leaves_or_is_hidden_for_a_frame_has_a_column_of_their_own() -> None:
    frames = [[LEFT, MIDDLE], [LEFT], [LEFT, MIDDLE, RIGHT], [MIDDLE, RIGHT]]
    assert people.match(frames) == [[0, 0, 0, None], [1, None, 1, 0], [None, None, 2, 1]]


def test_frames_without_faces_are_no_problem() -> None:
    assert people.match([]) == []
    assert people.match([[], []]) == []
    assert people.match([[], [LEFT], [], [LEFT]]) == [[None, 0, None, 0]]


def test_a_child_behind_a_grown_up_is_not_mistaken_for_them() -> None:
    large, small = wide(at(OPEN, 0.40), 0.2), wide(at(OPEN, 0.45, 0.35), 0.08)
    assert people.match([[large, small], [small], [large, small]]) == [[0, None, 0], [1, 0, 1]]


def test_two_people_nobody_can_tell_apart_go_on_as_new_people() -> None:
    before = [at(OPEN, 0.40), at(OPEN, 0.50)]
    after = [at(OPEN, 0.45, 0.25), at(OPEN, 0.45, 0.35)]  # they turned about one another
    found = people.match([before, after, after])
    assert sorted(found, key=str) == [[0, None, None], [1, None, None], [None, 0, 0], [None, 1, 1]]


def test_two_people_who_change_places_are_told_apart_by_their_looks() -> None:
    chance = np.random.default_rng(1)
    anna, ben = (chance.integers(0, 256, (64, 48, 3), np.uint8) for _ in range(2))
    frames = [[LEFT, at(OPEN, 0.32)], [LEFT, at(OPEN, 0.32)]]
    looks = [[people.look(anna), people.look(ben)], [people.look(ben), people.look(anna)]]
    assert people.match(frames, looks) == [[0, 1], [1, 0]]
    assert people.match(frames) == [[0, 0], [1, 1]], "without looks the place decides"


def test_a_crowd_over_thirty_frames_is_matched_in_a_moment() -> None:
    chance = np.random.default_rng(2)
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 0.9, 20), np.linspace(0, 0.9, 10)))
    frames = np.repeat(np.arange(30), 200)
    box = np.tile(np.stack([x, y, np.full(200, 0.03), np.full(200, 0.045)], axis=1), (30, 1))
    box[:, :2] += chance.normal(0, 0.003, (6000, 2))
    began = perf_counter()
    found = track(np.ones(6000, np.int64), frames, box).reshape(30, 200)
    assert perf_counter() - began < 5
    assert (found == found[0]).all() and len(set(found[0].tolist())) == 200


def test_stacks_do_not_mix_and_match_as_each_does_alone() -> None:
    chance = np.random.default_rng(3)
    stack, frame = np.repeat(np.arange(1, 41), 12), np.tile(np.repeat(np.arange(4), 3), 40)
    box = np.tile(np.array([face.box for face in (LEFT, MIDDLE, RIGHT)]), (160, 1))
    box[:, :2] += chance.normal(0, 0.01, (480, 2))
    kept = chance.random(480) < 0.8
    stack, frame, box = stack[kept], frame[kept], box[kept]
    together = track(stack, frame, box)
    for name in range(1, 41):
        of_stack = stack == name
        alone = track(stack[of_stack], frame[of_stack], box[of_stack])
        assert len(set(zip(alone, together[of_stack], strict=True))) == len(set(alone))
        assert not set(together[of_stack]) & set(together[~of_stack])


# --- one person over the frames


@pytest.mark.parametrize(
    ("faces", "eyes"),
    [
        ([shut(0.5)] * 4, [Eye.OPEN] * 4),
        ([shut(0.5, closed=True)] * 4, [Eye.OPEN] * 4),  # narrow eyes
        ([shut(0.1), shut(0.7), shut(0.1)], [Eye.OPEN, Eye.CLOSED, Eye.OPEN]),
        ([shut(0.1), shut(0.35), shut(0.15)], [Eye.OPEN] * 3),  # laughs once
        ([shut(0.6, closed=True)] * 4, [Eye.CLOSED] * 4),
        ([shut(0.6, closed=True), None, shut(0.1)], [Eye.CLOSED, Eye.UNKNOWN, Eye.OPEN]),
        ([shut(0.6, closed=True)], [Eye.CLOSED]),
        ([UNKNOWN, OPEN, CLOSED, OPEN], [Eye.UNKNOWN, Eye.OPEN, Eye.CLOSED, Eye.OPEN]),
        ([UNKNOWN] * 3, [Eye.UNKNOWN] * 3),
    ],
)
def test_eyes_are_judged_against_the_same_persons_other_frames(
    faces: list[Face | None], eyes: list[Eye]
) -> None:
    assert people.judged(faces) == eyes


def test_one_eye_shut_in_one_frame_is_a_blink() -> None:
    winks = replace(OPEN, left=Eye.CLOSED, left_blink=0.8)
    assert people.judged([OPEN, winks, OPEN])[1] is Eye.CLOSED


def test_frames_are_ranked_by_open_eyes_then_by_sharp_eyes_and_unknown_is_not_closed() -> None:
    faces = [
        CLOSED,
        replace(OPEN, eye_sharpness=30.0),
        UNKNOWN,
        replace(OPEN, eye_sharpness=70.0),
        None,
        replace(OPEN, eye_sharpness=None),
    ]
    assert people.ranked(faces) == [3, 1, 5, 2, 0, 4]


def test_soft_eyes_are_those_softer_than_the_persons_own_sharpest() -> None:
    values = (40.0, 70.0, 66.0, None, 12.0)
    faces = [replace(OPEN, eye_sharpness=value) for value in values]
    assert people.soft([*faces, None]) == [True, False, False, False, True, False]
    assert people.soft([replace(OPEN, eye_sharpness=12.0)] * 3) == [False] * 3
    assert people.soft([None, UNKNOWN]) == [False, False]


def test_lashes_of_closed_eyes_make_no_open_eyes_soft() -> None:
    blinking = replace(CLOSED, eye_sharpness=90.0)
    assert people.soft([blinking, OPEN, OPEN]) == [False, False, False]
