"""How fast taste is learned, with simulated raters of real photos; -s prints the figures."""

from __future__ import annotations

import time

import numpy as np
import pytest

from curator.learning.learner import follows_similar, similar_cosine
from curator.taste import TrainingSet, accuracy, rank_correlation
from tests.bench.scene import corpus_scene
from tests.simulation import (
    ORDERS,
    compare,
    compared_pairs,
    informative_order,
    rating_session,
    ratio,
)
from tests.taste_models import plain_space

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def scene():
    return corpus_scene()


@pytest.fixture(scope="module")
def figures(scene):
    found = compare(scene, raters=60, counts=(50, 100), splits=2)
    show(found)
    return found


def show(figures):
    print()
    for name, found in figures.items():
        cells = [f"{name:13s}"]
        for column, count in enumerate((50, 100)):
            usual = ratio(found[:, column], figures["standardized"][:, column])
            plain = ratio(found[:, column], figures["plain"][:, column])
            mean = found[:, column].mean()
            cells.append(f"{count} ratings {mean:.3f}, x{usual[0]:.3f} (>{usual[1]:.3f}) usual,"
                         f" x{plain[0]:.3f} (>{plain[1]:.3f}) plain")  # fmt: skip
        print(" | ".join(cells))


@pytest.mark.parametrize("learner", ["taste", "archive", "tone"])
def test_taste_is_learned_faster_than_with_scikit_learn(figures, learner):
    for column, floor in enumerate((1.08, 1.12)):
        mean, low = ratio(figures[learner][:, column], figures["standardized"][:, column])
        assert mean >= floor
        assert low > 1.0
        assert ratio(figures[learner][:, column], figures["plain"][:, column])[0] >= 0.98


def test_tone_measures_make_learning_even_faster(figures):
    for column in range(2):
        mean, low = ratio(figures["tone"][:, column], figures["taste"][:, column])
        assert mean >= 1.08
        assert low > 1.0


def test_raters_who_ignore_light_lose_almost_nothing(scene):
    figures = compare(scene, raters=60, splits=1, content_share=1.0)
    show(figures)
    for learner in ("taste", "archive", "tone"):
        for column in range(2):
            assert ratio(figures[learner][:, column], figures["plain"][:, column])[0] >= 0.98


def test_comparisons_improve_predictions(scene):
    without, with_pairs = compared_pairs(scene)
    mean, low = ratio(with_pairs, without)
    print(f"\n40 comparisons and 50 ratings: x{mean:.3f} (>{low:.3f})")
    assert mean > 1.05 and low > 1.02


def test_informative_order_needs_fewer_ratings(scene):
    found = informative_order(scene, raters=60)
    print(f"\ninformative order: {found.same:.2f} of the ratings on the same folders, "
          f"{found.other:.2f} on others (correlations {found.reached})")  # fmt: skip
    assert found.same <= 0.90
    assert found.other <= 1.10


@pytest.mark.parametrize("bursts", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_the_claimed_accuracy_holds_for_unrated_photos(order, bursts):
    """Compare claimed and true accuracy; the lower bound must hold for most raters."""
    people = [rating_session(seed, order, bursts=bursts) for seed in range(20)]
    truth = np.array([person.truth for person in people])
    plain, claimed = [], []
    for person in people:
        made = np.isfinite(person.predicted)
        plain.append(rank_correlation(person.predicted[made], person.stars[made]))
        seconds = 5.0 * np.arange(len(person.stars))
        away = follows_similar(person.vectors, seconds, similar_cosine(person.vectors))
        claimed.append(accuracy(np.where(away, np.nan, person.predicted), person.stars))
    low = np.array([found.low for found in claimed])
    holds = float((low <= truth).mean())
    print(f"\n{order}{', bursts' if bursts else ''}: true {truth.mean():.2f},"
          f" every prediction {np.mean(plain):.2f},"
          f" claimed {np.mean([found.correlation for found in claimed]):.2f}"
          f" (at least {low.mean():.2f}, holds for {holds:.0%})")  # fmt: skip
    assert holds >= 0.85
    if order == "random" and not bursts:
        assert low.mean() > 0.3, "needlessly pessimistic"


def test_refit_and_score_of_a_large_archive():
    """Print the times, without asserting them. The bar is 150 ms for 100,000 photos."""
    rng = np.random.default_rng(0)
    archive = rng.standard_normal((100_000, 1280), dtype=np.float32)
    archive /= np.linalg.norm(archive, axis=1, keepdims=True)
    training = TrainingSet(plain_space(1280))
    print()
    for count in (100, 500, 1000, 1500, 3000):
        new = np.arange(len(training), count)
        stars = rng.integers(1, 6, len(new))
        training.add(new.tolist(), archive[new], stars, np.ones(len(new)), new.tolist())
        if count <= 1000:
            began = time.perf_counter()
            training.use(training.search_job()())
            searched = time.perf_counter() - began
        took = []
        for turn in range(5):
            began = time.perf_counter()
            training.add([-turn], archive[[-turn - 1]], [4], [1.0], [-turn])
            model = training.fit()
            refitted = time.perf_counter()
            scores = model.scores(archive @ model.weights + np.float32(model.bias))
            took.append((refitted - began, time.perf_counter() - refitted))
        refit, score = np.median(took, axis=0) * 1e3
        print(f"{count:5d} ratings: refit {refit:5.0f} ms + score 100,000 {score:5.0f} ms "
              f"(search of hyperparameters, in background: {searched * 1e3:.0f} ms)")  # fmt: skip
        assert len(scores) == 100_000
