"""Sharpness and exposure of drawn pictures with known results."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from curator.imaging import quality
from tests.photos import Look, scene


def sharpness(look: Look = "sharp", seed: int = 0, size: tuple[int, int] = (1200, 800)) -> float:
    return quality.measure(scene(size, seed, look)).sharpness


@pytest.mark.parametrize("seed", range(3))
def test_blur_of_either_kind_scores_far_below(seed: int) -> None:
    sharp = sharpness(seed=seed)
    assert sharp > 60
    assert sharpness("soft", seed) < 10
    assert sharpness("shaken", seed) < sharp / 2


@pytest.mark.parametrize("seed", range(3))
def test_a_sharp_subject_on_a_soft_background_is_sharp(seed: int) -> None:
    assert sharpness("subject", seed) > 0.75 * sharpness(seed=seed)


def test_the_sharpest_place_is_inside_the_sharp_subject() -> None:
    found = quality.measure(scene((1200, 800), 0, "subject"))
    assert found.sharpest is not None
    assert 0.3 < found.sharpest[0] < 0.7
    assert 0.3 < found.sharpest[1] < 0.7


def test_grain_is_not_sharpness() -> None:
    soft = scene((1200, 800), 0, "soft").astype(np.float32)
    grain = np.random.default_rng(5).normal(0, 4, soft.shape)
    noisy = np.clip(np.rint(soft + grain), 0, 255).astype(np.uint8)
    assert quality.measure(noisy).sharpness < 15


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_the_score_does_not_depend_on_how_the_camera_was_held(turn: int) -> None:
    picture = scene((1024, 768), 2)
    turned = np.ascontiguousarray(np.rot90(picture, turn))
    assert quality.measure(turned).sharpness == pytest.approx(
        quality.measure(picture).sharpness, abs=6
    )


def test_contrast_decides_little() -> None:
    picture = scene((1024, 768), 1)
    flat = (picture * 0.5 + 64).astype(np.uint8)
    assert quality.measure(flat).sharpness == pytest.approx(
        quality.measure(picture).sharpness, abs=12
    )


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_picture_is_not_sharp(value: int) -> None:
    found = quality.measure(np.full((300, 400, 3), value, np.uint8))
    assert found.sharpness == 0
    assert found.sharpest is None


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (63, 63), (64, 64), (65, 129), (130, 70)])
def test_any_size_can_be_measured(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    found = quality.measure(picture)
    assert 0 <= found.sharpness <= 100
    if found.sharpest:
        assert all(0 <= part <= 1 for part in found.sharpest)


def test_luma_alone_gives_the_same_sharpness() -> None:
    picture = scene((1024, 768), 3)
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert quality.sharpness(luma)[0] == pytest.approx(quality.sharpness(picture)[0], rel=0.02)


def test_the_score_rises_with_the_ratio() -> None:
    values = [quality.score(raw) for raw in np.linspace(0, 3, 40)]
    assert values == sorted(values)
    assert values[0] == 0
    assert 90 < values[-1] <= 100


def test_clipping_counts_pixels_highlights_and_shadows_apart() -> None:
    picture = np.full((200, 300, 3), 120, np.uint8)
    picture[:50] = 255
    picture[50:60] = 0
    picture[60:70, :, 0] = 255  # one channel gone is detail gone
    picture[70:80, :, 1] = 0  # but a pure color is not black
    found = quality.measure(picture)
    assert found.highlights == pytest.approx(0.30)
    assert found.shadows == pytest.approx(0.05)


def test_exposure_scores_100_without_clipping_and_falls_with_it() -> None:
    scores = [quality.exposure_score(share, 0) for share in (0, 0.01, 0.05, 0.2, 1)]
    assert scores[0] == 100
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 1
    assert quality.exposure_score(0, 0.05) > quality.exposure_score(0.05, 0)


def test_a_region_in_focus_is_sharper_than_the_same_blurred_with_grain() -> None:
    sharp = cv2.cvtColor(scene((1200, 800), 0, "sharp"), cv2.COLOR_RGB2GRAY)
    chance = np.random.default_rng(5)
    grain = chance.normal(0, 3, sharp.shape)
    soft = cv2.GaussianBlur(sharp, (0, 0), 2) + grain
    noisy = np.clip(np.rint(soft), 0, 255).astype(np.uint8)
    region = np.s_[300:360, 500:600]
    found = quality.region_sharpness(sharp[region], quality.noise_floor(sharp))
    blurred = quality.region_sharpness(noisy[region], quality.noise_floor(noisy))
    assert quality.score(found) > 4 * quality.score(blurred)
    # Second differences of white noise have six times its variance.
    assert quality.noise_floor(noisy) == pytest.approx(6 * 9, rel=0.25)
