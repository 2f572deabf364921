"""The accuracy of predictions: compared with guessing the mean, and in words."""

from __future__ import annotations

import numpy as np
import pytest

from curator.taste import accuracy, learning_curve, rank_correlation


def test_rank_correlation_by_hand():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    # ties share their mean rank: (1.5, 1.5, 3, 4) against (1, 2, 3, 4)
    assert rank_correlation([5, 5, 6, 7], [1, 2, 3, 4]) == pytest.approx(0.9486833)
    assert rank_correlation([2, 2, 2], [1, 2, 3]) == 0.0
    assert rank_correlation([1], [1]) == rank_correlation([], []) == 0.0


def rated(count: int, worth: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    liking = rng.standard_normal(count)
    guess = worth * liking + np.sqrt(1 - worth**2) * rng.standard_normal(count)
    return 3 + worth * guess, np.clip(np.rint(3 + 1.2 * liking), 1, 5)


@pytest.mark.parametrize(
    ("count", "worth", "trust", "headline"),
    [
        (10, 1.0, "not yet", "Not reliable yet. "),
        (200, 0.0, "not yet", "Not reliable yet. "),
        (60, 0.45, "roughly", "Roughly reliable. "),
        (200, 0.8, "yes", "Reliable. "),
    ],
)
def test_reliability_is_told_in_words(count, worth, trust, headline):
    found = accuracy(*rated(count, worth))
    assert found.trust == trust
    assert found.sentence.startswith(headline)


def test_following_the_preceding_ratings_is_no_accuracy():
    """All weak photos first, then better and better ones: predictions follow, knowing nothing."""
    stars = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 30)
    noise = np.random.default_rng(1).normal(0, 0.2, len(stars))
    follows = np.concatenate([[3.0], np.cumsum(stars)[:-1] / np.arange(1, len(stars))]) + noise
    assert rank_correlation(follows, stars) > 0.9
    found = accuracy(follows, stars)
    assert found.low < 0 and found.trust == "not yet"
    knows = accuracy(follows + 2 * stars, stars)
    assert knows.low > 0.3, "knowledge beyond that still counts"


def test_in_random_order_the_preceding_ratings_change_nothing():
    guess, stars = rated(200, 0.6)
    assert accuracy(guess, stars).correlation == pytest.approx(
        rank_correlation(guess, stars), abs=0.02
    )


def test_a_right_order_with_worse_errors_than_the_mean_is_not_trusted_yet():
    guess, stars = rated(100, 0.9)
    assert accuracy(guess + 4, stars).trust == "not yet"


def test_the_guess_to_compare_with_is_the_mean_of_the_preceding_ratings():
    found = accuracy([3.0, 3.0, 3.0], [5.0, 1.0, 3.0])
    # before any rating the middle of the scale: |3-5|, |5-1|, |3-3|
    assert found.mean_error == pytest.approx(2.0)
    assert found.error == pytest.approx(4 / 3)


def test_ratings_without_a_prediction_count_for_the_mean_only():
    guess, stars = rated(50, 0.7)
    guess[:20] = np.nan
    found = accuracy(guess, stars)
    assert found.count == 30
    before = np.array([stars[:i].mean() for i in range(20, 50)])
    assert found.mean_error == pytest.approx(np.abs(before - stars[20:]).mean())
    assert accuracy([np.nan], [3]).trust == "not yet"
    assert accuracy([], []).count == 0


def test_the_learning_curve_shows_getting_better():
    early, late = rated(50, 0.1), rated(100, 0.9, seed=1)
    curve = learning_curve(*(np.concatenate([a, b]) for a, b in zip(early, late, strict=True)))
    assert [at for at, _ in curve] == list(range(20, 151, 5))
    assert [point.count for _, point in curve] == [*range(20, 50, 5), *[50] * 21]
    first, last = curve[6][1], curve[-1][1]
    assert first.correlation < 0.4 < 0.7 < last.correlation
    assert learning_curve([], []) == learning_curve(*rated(19, 0.5)) == []


def test_the_newest_point_of_a_long_curve_is_now_and_points_stay_few():
    curve = learning_curve(*rated(5003, 0.5))
    assert curve[-1][0] == 5003 and len(curve) <= 62


def test_a_point_of_the_curve_is_compared_with_the_mean_of_all_ratings_before_it():
    guess, stars = rated(90, 0.7)
    before = np.array([stars[:i].mean() for i in range(40, 90)])
    assert learning_curve(guess, stars)[-1][1].mean_error == pytest.approx(
        np.abs(before - stars[40:]).mean()
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (accuracy([], []), "Rate 20 more photos, unlike"),
        (accuracy(*rated(19, 0.5)), "Rate 1 more photo, unlike"),
        (accuracy(np.linspace(1, 5, 30), np.full(30, 4)), "All 30 predicted ratings were the same"),
        (accuracy(*rated(200, 0.0)), "This may be chance: over 200 ratings"),
        (accuracy(rated(100, 0.9)[0] + 4, rated(100, 0.9)[1]), "The order is still better"),
        (accuracy(*rated(200, 0.8)), "Off by 0."),
    ],
)
def test_the_explanation_names_the_reason(found, words):
    assert words in found.explanation
