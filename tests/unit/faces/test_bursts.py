"""Bursts made of real faces, whose eyes are shut or blurred in some frames: which is suggested?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from curator.faces import people
from curator.faces.detector import Found
from curator.faces.measuring import find, measure
from curator.imaging import quality
from curator.imaging.pixels import Image
from curator.model import StackKind
from curator.stages.stack import KIND_CODE, Candidates, propose, reason
from tests import face_data
from tests.blinking import blink

PORTRAITS = [
    "fr_alex-lacamoire.png",
    "fr_alex_lacamoire1.jpg",
    "fr_biden.jpg",
    "fr_biden2.jpg",
    "fr_img1.jpg",
    "fr_img2.jpg",
    "fr_johnsnow_test1.jpg",
    "fr_kit_with_rose.jpg",
    "fr_lin-manuel-miranda.png",
    "fr_obama-1080p.jpg",
    "fr_obama-480p.jpg",
    "fr_obama-720p.jpg",
    "fr_obama.jpg",
    "fr_obama1.jpg",
    "fr_obama2.jpg",
    "fr_obama_and_biden.jpg",
    "fr_obama_small.jpg",
    "fr_two_people.jpg",
    "Tom_Cruise_avp_2014_4.jpg",
]


def picture(name: str) -> Image:
    read = cv2.imread(str(face_data.pictures() / "groups" / name))
    if read is None:
        pytest.skip(f"no {name}")
    return np.ascontiguousarray(read[:, :, ::-1])


def burst(frames: Sequence[Image], seed: int = 0) -> list[Image]:
    """Return frames as a hand-held camera would have taken them: moved a little, with noise."""
    chance = np.random.default_rng(seed)
    taken = []
    for rgb in frames:
        over, down = chance.integers(-8, 9, 2)
        moved = np.float32([[1, 0, over], [0, 1, down]])
        size = rgb.shape[1], rgb.shape[0]
        shaken = cv2.warpAffine(rgb, moved, size, borderMode=cv2.BORDER_REFLECT)
        noisy = shaken + chance.normal(0, 2, shaken.shape)
        taken.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return taken


def suggested(frames: Sequence[Image]) -> tuple[int, str]:
    """Measure frames; return the number of the suggested one, from 0, and why."""
    faces = people.columns([measure(find(rgb), rgb) for rgb in frames])
    stack = np.ones(len(frames), np.int64)
    measured = [quality.measure(rgb) for rgb in frames]
    candidates = Candidates(
        stack,
        np.full(len(frames), KIND_CODE[StackKind.BURST], np.int8),
        np.array([each.sharpness for each in measured], np.float32),
        np.array([each.exposure for each in measured], np.float32),
        np.zeros(len(frames), np.float32),
        np.full(len(frames), 24_000_000),
        np.ones(len(frames), bool),
        people.compare(faces, faces.frame, stack),
    )
    (frame,) = np.flatnonzero(propose(candidates)).tolist()
    return frame, reason(candidates, frame)


def main_faces(rgb: Image) -> list[Found]:
    found = find(rgb)
    return [face for face in found if face.box[2] > 0.4 * max(each.box[2] for each in found)]


def shut(rgb: Image, faces: Sequence[Found]) -> Image:
    for face in faces:
        rgb = blink(rgb, face)
    return rgb


def soften(rgb: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)


def test_the_frame_in_which_nobody_blinks_is_suggested() -> None:
    rgb = picture("fr_two_people.jpg")
    left, right = main_faces(rgb)
    frames = [shut(rgb, [left]), shut(rgb, [right]), rgb, shut(rgb, [left, right])]
    words = "the only frame of 4 with everyone's eyes open"
    assert suggested(burst(frames)) == (2, words)


def test_if_everybody_blinks_in_every_frame_the_sharpest_is_suggested_and_it_says_so() -> None:
    rgb = picture("fr_two_people.jpg")
    both = shut(rgb, main_faces(rgb))
    found, why = suggested(burst([soften(both, 2.0), both, soften(both, 1.5)]))
    assert (found, why) == (1, "no open eyes in any frame; sharpest of 3")


def test_sharp_eyes_win_against_a_sharp_background() -> None:
    rgb = picture("fr_img2.jpg")
    (face,) = main_faces(rgb)
    frames = [blurred_face(rgb, face), blurred_face(rgb, face), soften(rgb, 0.4)]
    assert suggested(burst(frames)) == (2, "eyes open; sharpest eyes of 3")


def blurred_face(rgb: Image, face: Found) -> Image:
    """Return a picture whose focus lies behind a face."""
    height, width = rgb.shape[:2]
    left, top = int(face.box[0] * width), int(face.box[1] * height)
    right, bottom = left + int(face.box[2] * width), top + int(face.box[3] * height)
    missed = rgb.copy()
    missed[top:bottom, left:right] = soften(missed[top:bottom, left:right], 2.0)
    return missed


def test_if_no_frame_has_sharp_eyes_the_least_soft_is_suggested_and_it_says_so() -> None:
    rgb = picture("fr_img2.jpg")
    frames = [soften(rgb, sigma) for sigma in (3.0, 2.5, 1.5, 3.0)]
    words = "eyes open; soft eyes in every frame, sharpest here"
    assert suggested(burst(frames)) == (2, words)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "least"), [("blink", 13), ("focus", 17)], ids=["blinks", "missed focus"]
)
def test_of_most_portraits_the_only_good_frame_is_suggested(spoil: str, least: int) -> None:
    """In all frames but one somebody's eyes are shut, or softer; by chance 3 of 19 are found.

    Not every eye that `blink` shuts looks shut to the networks.
    """
    spoilers: dict[str, Callable[[Image, Found], Image]] = {"blink": blink, "focus": blurred_face}
    right = []
    for number, name in enumerate(PORTRAITS):
        rgb, good = picture(name), number % 6
        faces = main_faces(rgb)
        frames = [spoilers[spoil](rgb, faces[at % len(faces)]) for at in range(6)]
        frames[good] = rgb
        right += [name] if suggested(burst(frames, number))[0] == good else []
    print(f"{spoil}: {len(right)} of {len(PORTRAITS)}, not {sorted(set(PORTRAITS) - set(right))}")
    assert len(right) >= least
