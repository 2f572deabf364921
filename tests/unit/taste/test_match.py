"""Match scores: places among the rated photos, and none while predictions tell nothing apart."""

from __future__ import annotations

import numpy as np
import pytest

from curator.taste import TasteModel
from tests.taste_models import fit
from tests.unit.taste.test_training import photos, stars


def test_seventy_means_above_seventy_percent_of_the_rated_photos():
    x = photos(2200)
    y = stars(x, noise=1.5)
    scores = (model := fit(x[:200], y[:200])).scores(model.rating(x[200:]))
    levels = np.arange(10, 100, 10)
    below = np.array([(scores < level).mean() for level in levels])
    assert np.abs(below - levels / 100).mean() < 0.06
    liked = y[200:] >= 4
    assert liked[scores >= 70].mean() > 1.3 * liked.mean() > 1.7 * liked[scores < 30].mean()


def test_scores_keep_the_order_of_predictions_and_their_range():
    x = photos(500)
    model = fit(x[:200], stars(x[:200]))
    predicted = np.sort(np.r_[model.rating(x), -50, 50].astype(np.float32))
    scores = model.scores(predicted)
    assert (np.diff(scores) >= 0).all() and (scores[0], scores[-1]) == (0, 100)
    assert (scores == np.rint(scores)).all()


def test_ratings_without_any_pattern_give_no_scores():
    x = photos(300)
    for count in (20, 60, 150, 300):
        y = np.random.default_rng(count).integers(1, 6, count).astype(float)
        model = fit(x[:count], y)
        assert np.isnan(model.scores(model.rating(x))).all()
        assert np.isfinite(model.rating(x)).all()


def test_scores_begin_once_predictions_are_further_apart_than_they_are_uncertain():
    x = photos(300)
    y = stars(x, noise=1.5)
    has = [fit(x[:count], y[:count]).match.separates for count in (20, 40, 80, 160, 300)]
    assert has == sorted(has) and not has[0] and has[-1]


def test_rejects_are_learned_from_but_match_compares_with_stars_only():
    x = photos(400)
    y = stars(x)
    order = np.argsort(y[:200], kind="stable")
    rejected = np.zeros(200, bool)
    rejected[order[:120]] = True  # what is left has three stars and more
    model = fit(x[:200], np.where(rejected, 0.5, y[:200]))
    best = y[200:] >= 4
    assert (model.scores(model.rating(x[200:][~best])) >= 70).mean() < 0.1


def test_a_version_saved_before_match_had_a_scale_has_scores_from_a_hundred_ratings_on():
    x = photos(300)
    for count, has in ((60, False), (150, True)):
        model = fit(x[:count], stars(x[:count], noise=1.5))
        numbers = {k: v for k, v in model.to_numbers().items() if not k.startswith("match.")}
        old = TasteModel.from_numbers(numbers | {"stretch": 2.0})
        np.testing.assert_allclose(old.rating(x), model.rating(x))
        assert model.match.measured and not old.match.measured
        scores = old.scores(np.array([old.mean, old.mean + 0.3], np.float32))
        assert np.isfinite(scores).all() == has
        if has:
            assert scores[0] == 50 and 60 < scores[1] < 80


def test_a_damaged_scale_is_refused():
    x = photos(40)
    numbers = fit(x, stars(x)).to_numbers()
    for places in (numbers["match.places"][::-1], numbers["match.places"][:5]):
        with pytest.raises(ValueError, match="match scale"):
            TasteModel.from_numbers(numbers | {"match.places": places})
