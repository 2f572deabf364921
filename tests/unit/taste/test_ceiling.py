"""Agreement with oneself, forecasts and pairs of stacks, for people whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from curator.taste import ceiling, rank_correlation
from curator.taste.ceiling import LITERATURE, agreement
from tests.raters import AGREEMENTS, FIVE_STARS, person

STARS = np.repeat([1, 2, 3, 4, 5], [10, 20, 30, 25, 15])


def test_a_simulated_person_agrees_with_themselves_as_real_people_do():
    somebody = person(LITERATURE)
    assert somebody.agreement == pytest.approx(LITERATURE, abs=0.003)
    assert np.mean(somebody.first == somebody.again) == pytest.approx(0.67, abs=0.02)


@pytest.mark.parametrize("truth", AGREEMENTS)
def test_the_ceiling_is_found_from_a_hundred_repeats(truth):
    somebody, rng = person(truth, FIVE_STARS), np.random.default_rng(1)
    found = [somebody.asked(100, rng) for _ in range(60)]
    assert np.mean([each.value for each in found]) == pytest.approx(somebody.agreement, abs=0.03)
    ceilings = np.array([each.ceiling for each in found])
    close = np.mean(np.abs(ceilings - np.sqrt(somebody.agreement)) <= 0.03)
    assert close >= (0.9 if truth >= 0.85 else 0.65)


@pytest.mark.parametrize("repeats", [0, 10, 20, 50])
def test_before_that_the_interval_holds_the_truth_for_nine_in_ten(repeats):
    rng = np.random.default_rng(repeats)
    held = []
    for truth in AGREEMENTS:
        somebody = person(truth, FIVE_STARS)
        for _ in range(30):
            found = somebody.asked(repeats, rng)
            held.append(found.low <= somebody.agreement <= found.high)
    assert np.mean(held) >= 0.9


def test_without_repeats_the_literature_is_assumed_and_counts_for_a_few():
    nothing = agreement([], [], STARS)
    assert nothing is not None
    assert (nothing.value, nothing.repeats) == (pytest.approx(LITERATURE), 0)
    assert nothing.low < 0.7 and nothing.high > 0.97
    chance = np.random.default_rng(0).choice(STARS, (200, 2, 9))
    unrelated = [agreement(first, again, STARS) for first, again in chance]
    values = [each.value for each in unrelated if each is not None]
    assert np.mean(values) == pytest.approx(LITERATURE / 2, abs=0.08), "half assumed, half 0"
    assert nothing.ceiling == pytest.approx(0.958, abs=0.001)


def test_three_repeats_hardly_move_the_assumption():
    three = agreement([5, 3, 4], [5, 3, 4], STARS)
    assert three is not None
    assert LITERATURE < three.value < 0.95 and three.low < 0.8 and three.same == 3


def test_perfect_agreement_nears_but_does_not_claim_certainty():
    perfect = agreement(STARS, STARS, STARS)
    assert perfect is not None
    assert 0.98 < perfect.value < 1 and perfect.high < 1 and perfect.same == len(STARS)


def test_opposite_ratings_leave_nothing_to_reach():
    against = agreement(np.tile(STARS, 5), np.tile(6 - STARS, 5), STARS)
    assert against is not None
    assert against.value < 0 and against.low == -1
    assert against.ceiling == against.reached(0.5) == 0


def test_equal_ratings_or_none_say_nothing():
    assert agreement([], [], []) is None
    assert agreement([3, 3], [3, 3], [3, 3, 3]) is None


def test_repeats_of_good_photos_only_say_the_same():
    """Their own correlation would be far too low: they hardly differ."""
    somebody = person(LITERATURE, FIVE_STARS)
    good = np.flatnonzero(somebody.first >= 4)
    found = agreement(somebody.first[good], somebody.again[good], somebody.first)
    assert found is not None
    assert rank_correlation(somebody.first[good], somebody.again[good]) < 0.8
    assert found.value == pytest.approx(LITERATURE, abs=0.04)


def test_a_share_of_what_can_be_reached():
    nothing = agreement([], [], STARS)
    assert nothing is not None
    assert nothing.reached(0.6) == pytest.approx(0.626, abs=0.001)
    assert nothing.reached(-0.2) == 0 and nothing.reached(0.99) == 1


# --- more ratings


def measured(curve, noise: float = 0.01, folds: int = 10, ratings: int = 200):
    """Scores as of learning_scores, around a curve; folds differ in how easy they are."""
    rng = np.random.default_rng(0)
    sizes = (np.array([0.25, 0.5, 0.75, 1]) * ratings * 0.8).astype(int)
    easy = rng.normal(0, 0.1, folds)
    return sizes, curve(sizes)[:, None] + easy - easy.mean() + rng.normal(0, noise, (4, folds))


def test_a_rising_curve_says_how_many_more_ratings_help():
    def rising(count):
        return 0.8 * np.sqrt(count / (count + 150))

    found = ceiling.forecast(*measured(rising), 200, 0.95)
    assert found is not None and 80 <= found.more <= 200
    truth = rising(200 + found.more) - rising(200)
    assert found.gain == pytest.approx(truth, abs=0.02) and found.error < 0.03


def test_a_flat_curve_says_that_more_ratings_hardly_help():
    found = ceiling.forecast(*measured(lambda count: 0.55 + 0 * count), 200, 0.95)
    assert found is not None and found.more == 0 and found.gain < 0.02


def test_nothing_is_forecast_past_the_ceiling():
    """The same points below a ceiling they nearly reach cannot rise much further."""
    curve = measured(lambda count: 0.62 * np.sqrt(count / (count + 10)))
    found = ceiling.forecast(*curve, 200, 0.63)
    assert found is not None and found.more == 0


def test_scattered_or_useless_scores_give_no_forecast():
    assert ceiling.forecast(*measured(lambda count: -0.1 + 0 * count), 200, 0.95) is None
    sizes, _ = measured(lambda count: 0.5 + 0 * count)
    wild = np.random.default_rng(2).normal(0.2, 0.4, (4, 10))
    assert ceiling.forecast(sizes, wild, 60, 0.95) is None


def people(count: int, columns: int = 12, seed: int = 0):
    """Return rows, stars and stacks of a person whose taste is linear in the rows, with noise."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, columns))
    liking = rows @ rng.standard_normal(columns) / np.sqrt(columns)
    stars = np.clip(np.rint(3 + 1.2 * (liking + 0.5 * rng.standard_normal(count))), 1, 5)
    return rows, stars, np.arange(count) // 2


def test_held_out_stacks_are_predicted_better_from_more_ratings():
    found = ceiling.learning_scores(*people(200), 1.0)
    assert found is not None
    sizes, scores = found
    assert sizes.tolist() == [40, 80, 120, 160] and scores.shape == (4, 10)
    mean = scores.mean(axis=1)
    assert 0.4 < mean[0] < mean[-1] < 0.95


def test_few_or_equal_ratings_are_not_measured():
    rows, stars, stacks = people(200)
    assert ceiling.learning_scores(rows[:49], stars[:49], stacks[:49], 1.0) is None
    assert ceiling.learning_scores(rows, stars * 0 + 3, stacks, 1.0) is None
    assert ceiling.learning_scores(rows, stars, stacks // 20, 1.0) is None, "five stacks"


# --- stacks


def test_a_share_is_as_uncertain_as_its_stacks_are_few():
    right = np.tile([1.0, 1.0, 0.0], 30)
    apart = ceiling.share(right, np.arange(90))
    together = ceiling.share(right, np.arange(90) // 10)
    assert apart.value == together.value == pytest.approx(2 / 3)
    assert together.high - together.low > 2 * (apart.high - apart.low)
    one = ceiling.share([1.0], [7])
    assert one.value == 1 and one.low < 0.3 and one.high == pytest.approx(1)


def test_pairs_are_predicted_without_their_stack():
    """In every stack the better photo has something new: seen only there, it teaches nothing."""
    stacks = 40
    rows, targets = np.eye(stacks), np.ones(stacks)
    every = np.ones(stacks, bool)
    nothing = ceiling.predict_pairs(rows, targets, targets, np.arange(stacks), 1.0, every)
    assert nothing is not None and np.allclose(nothing, 0)
    shared = np.column_stack([rows, np.ones(stacks)])
    found = ceiling.predict_pairs(shared, targets, targets, np.arange(stacks), 1.0, every)
    assert found is not None and (found > 0.1).all()
    assert ceiling.predict_pairs(rows[:9], targets[:9], targets[:9], np.arange(9), 1.0,
                                 every[:9]) is None  # fmt: skip
