"""The simulated raters: held-out folders and stacks, repeatable ratings, and their learners."""

from __future__ import annotations

import numpy as np
import pytest

from tests import simulation
from tests.simulation import Scene
from tests.unit.taste.test_training import photos


@pytest.fixture(scope="module")
def scene():
    count = 200
    x = photos(count)
    rng = np.random.default_rng(1)
    light = rng.standard_normal((count, 15))
    tones = light[:, :6] + 0.3 * rng.standard_normal((count, 6))
    content = simulation.hidden_content(x @ rng.standard_normal((24, 60)), 10)
    stacks = np.arange(count) // 2 * 2
    folders = np.arange(count) // 16
    rows = np.hstack([x, tones]).astype(np.float32)
    return Scene(rows, 24, content, light, folders, stacks)


def test_no_folder_and_no_stack_is_split(scene):
    for seed in range(5):
        learn, judge = scene.split(seed)
        assert not set(scene.folders[learn]) & set(scene.folders[judge])
        assert not set(scene.stacks[learn]) & set(scene.stacks[judge])
        assert len(judge) > 40 and len(learn) > 100


def test_a_rater_is_repeatable_and_uses_all_stars(scene):
    np.testing.assert_array_equal(scene.stars(3), scene.stars(3))
    assert (scene.stars(3) != scene.stars(4)).any()
    assert set(np.unique(scene.stars(3))) <= {1, 2, 3, 4, 5}
    assert len(np.unique(scene.stars(3))) >= 4
    assert 0.5 < (scene.stars(3, sitting=1) == scene.stars(3)).mean() < 1


def test_pairs_count_only_inside_a_folder():
    predicted = np.array([1.0, 2.0, 2.0, 0.0])
    stars = np.array([1.0, 3.0, 4.0, 5.0])
    assert simulation.pairs_right(predicted, stars, np.array([0, 0, 0, 1])) == pytest.approx(
        2.5 / 3
    )


@pytest.mark.slow
def test_a_learner_with_tone_measures_learns_from_light(scene):
    found = simulation.compare(scene, "light", raters=8, counts=(60,), splits=1)
    assert found.correlation["curator"].mean() > found.correlation["vectors"].mean()
    assert found.pairs["curator"].mean() > found.pairs["vectors"].mean()
    mean, low = simulation.ratio(found.pairs["plain"][:, 0], found.pairs["plain"][:, 0])
    assert mean == low == 1.0


def test_copies_are_found():
    x = photos(6)
    x[4] = x[1]
    x[5] = x[4]
    assert simulation.stacks_of(x, 0.999).tolist() == [0, 1, 2, 3, 1, 1]


def test_the_hidden_measures_of_light_are_finite():
    rng = np.random.default_rng(0)
    shown = [rng.integers(0, 255, (40, 60, 3), np.uint8) for _ in range(9)]
    light = simulation.hidden_light(shown)
    assert light.shape == (9, 15) and np.isfinite(light).all()
