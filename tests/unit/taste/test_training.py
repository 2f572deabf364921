"""Fitting a taste model, checked against slow textbook computations."""

from __future__ import annotations

import json

import numpy as np
import pytest

from curator.model import UsageError
from curator.taste import (
    BadVectorsError,
    Hyperparameters,
    Space,
    TasteModel,
    TrainingSet,
    recency,
)
from curator.taste import training as training_module
from curator.taste.linear import LeaveOut, cholesky_solve
from tests.taste_models import fit, plain_space


def photos(count: int, dimension: int = 24, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, dimension)) + 1.0
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def stars(vectors: np.ndarray, seed: int = 1, noise: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    liking = vectors @ np.random.default_rng(99).standard_normal(vectors.shape[1])
    liking = (liking - liking.mean()) / liking.std() + noise * rng.standard_normal(len(vectors))
    return np.clip(np.rint(3 + 1.1 * liking), 1, 5)


def slow_ridge(z, h, t, w, penalty):
    """Ridge with an unpenalized intercept as one big least-squares problem."""
    columns = z.shape[1]
    rows = np.sqrt(w)[:, None] * np.column_stack([z, h])
    rows = np.vstack([rows, np.sqrt(penalty) * np.eye(columns, columns + 1)])
    solution = np.linalg.lstsq(rows, np.concatenate([np.sqrt(w) * t, np.zeros(columns)]))[0]
    return solution[:-1], solution[-1]


def test_blocked_solve_agrees_with_numpy():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((301, 301))
    matrix = root @ root.T + 301 * np.eye(301)
    right = rng.standard_normal((301, 2))
    solved = cholesky_solve(np.linalg.cholesky(matrix), right)
    np.testing.assert_allclose(solved, np.linalg.solve(matrix, right), atol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_leaving_a_stack_out_in_closed_form_equals_refitting_without_it(weighted):
    z = photos(18).astype(np.float64)
    t = stars(z)
    rng = np.random.default_rng(3)
    w = rng.uniform(0.2, 2, 18) if weighted else np.ones(18)
    h = np.ones(18)
    h[5] = 0.0  # a comparison has no intercept
    groups = np.array([0, 0, 0, 1, 1, *range(2, 15)])
    errors = LeaveOut(z @ z.T, h, t, 1 / w, groups).errors(0.7)
    for group in range(15):
        out = groups == group
        weights, mean = slow_ridge(z[~out], h[~out], t[~out], w[~out], 0.7)
        np.testing.assert_allclose(errors[out], t[out] - z[out] @ weights - mean * h[out])


def test_the_fit_is_the_ridge_it_claims_to_be():
    x, w = photos(40), np.random.default_rng(2).uniform(0.2, 3, 40)
    y = stars(x)
    model = fit(x, y, weights=w)
    w = w / w.mean()
    centered = x - np.average(x, axis=0, weights=w)
    penalty = model.penalty * np.average((centered**2).sum(axis=1), weights=w)
    weights, mean = slow_ridge(x.astype(float), np.ones(40), y, w, penalty)
    np.testing.assert_allclose(model.rating(x), x @ weights + mean, atol=1e-4)


def test_many_ratings_are_summed_and_give_the_same_model(monkeypatch):
    x = photos(90)
    y = stars(x)
    few = TrainingSet(Space.of(x))
    few.add(range(90), x, y, np.linspace(1, 2, 90), range(90))
    few.add_comparisons(["pair", "other"], x[[3, 9]], x[[4, 8]], [0.5, 0.2], ["pair", "pair"])
    one = few.fit()
    monkeypatch.setattr(training_module, "DUAL_LIMIT", 30)
    many = TrainingSet(Space.of(x))
    for key in [*range(90), 7, 30]:  # twice rated: replaced
        many.add([key], x[[key]], y[[key]], [1 + key / 89], [key])
    many.add_comparisons(["pair"], x[[3]], x[[4]], [0.5], ["pair"])
    many.add_comparisons(["other"], x[[9]], x[[8]], [0.2], ["pair"])
    many.add(["gone"], x[[0]], [5], [1.0], ["gone"])
    many.remove("gone")
    other = many.fit()
    np.testing.assert_allclose(one.rating(x), other.rating(x), atol=2e-4)
    np.testing.assert_allclose(one.std(x), other.std(x), rtol=2e-3)
    assert one.noise == pytest.approx(other.noise, rel=1e-3)


def test_a_removed_rating_leaves_no_trace():
    x = photos(50)
    y = stars(x)
    training = TrainingSet(plain_space(24))
    training.add(range(50), x, y, np.ones(50), range(50))
    for key in (49, 3, 20):
        training.remove(key)
    training.remove("never rated")
    kept = [i for i in range(50) if i not in (49, 3, 20)]
    np.testing.assert_allclose(training.fit().rating(x), fit(x[kept], y[kept]).rating(x), atol=1e-4)


def test_of_two_ratings_of_one_photo_the_later_counts():
    x = photos(30)
    y = stars(x)
    training = TrainingSet(plain_space(24))
    training.add([*range(30), 4], x[[*range(30), 4]], [*y, 5], np.ones(31), [*range(30), 4])
    assert len(training) == 30
    expected = fit(x, np.where(np.arange(30) == 4, 5, y))
    np.testing.assert_allclose(training.fit().rating(x), expected.rating(x), atol=1e-4)


@pytest.mark.parametrize("short", ["keys", "weights", "groups"])
def test_columns_of_different_lengths_change_nothing(short):
    x = photos(6)
    training = TrainingSet(plain_space(24))
    training.add([0], x[:1], [3], [1.0], [0])
    given = {"keys": [0, 1, 2], "weights": [1.0] * 3, "groups": [0, 1, 2]}
    given[short] = given[short][:2]
    with pytest.raises(UsageError):
        training.add(given["keys"], x[3:], [1, 2, 3], given["weights"], given["groups"])
    assert len(training) == 1
    assert training.fit().rating(x[0]) == pytest.approx(3.0)


def test_undoing_does_not_disturb_a_model_already_made():
    x = photos(40)
    training = TrainingSet(plain_space(24))
    training.add(range(40), x, stars(x), np.ones(40), range(40))
    model, again = training.fit(), training.fit()
    before = again.std(x)
    for key in range(30):
        training.remove(key)
    np.testing.assert_array_equal(model.std(x), before)


def test_a_later_rating_weighs_more():
    x = np.repeat(photos(2), 10, axis=0)
    y = np.tile([1.0, 5.0], 10)
    day = 86400.0
    late = recency(np.where(y == 5, 60 * day, 0), 30 * day, epoch_s=0)
    assert fit(x, y, weights=late).rating(x).mean() > 3.5
    assert fit(x, y).rating(x).mean() == pytest.approx(3.0, abs=1e-3)


def test_a_comparison_within_a_stack_teaches_its_order():
    x = photos(30)
    training = TrainingSet(plain_space(24))
    training.add(range(20), x[:20], stars(x[:20]), np.ones(20), range(20))
    before = training.fit().rating(x[20:22])
    training.add_comparisons([20], x[[21]], x[[20]], [2.0], [("stack", 7)])
    after = training.fit().rating(x[20:22])
    assert after[1] - after[0] > before[1] - before[0] + 0.05


@pytest.mark.parametrize("worse", [[20], [20, 21]])
def test_comparisons_that_do_not_pair_up_are_refused(worse):
    x = photos(30)
    with pytest.raises(UsageError):
        TrainingSet(plain_space(24)).add_comparisons([1, 2], x[[3, 4]], x[worse], [1.0], [1, 2])


def test_a_model_predicts_new_photos_and_knows_where_it_is_uncertain():
    x = photos(400)
    y = stars(x)
    model = fit(x[:300], y[:300])
    assert np.corrcoef(model.rating(x[300:]), y[300:])[0, 1] > 0.8
    far = photos(50, seed=8) * np.where(np.arange(24) % 2, 1, -1).astype(np.float32)
    assert model.std(far).mean() > 1.5 * model.std(x[:300]).mean()


def test_ratings_spread_so_that_some_photos_match():
    x = photos(500)
    y = stars(x, noise=1.5)
    model = fit(x[:80], y[:80])
    scores = model.scores(model.rating(x[80:]))
    assert model.stretch > 1.2
    assert (scores >= 70).mean() > 0.1
    order = np.argsort(model.rating(x[80:]), kind="stable")
    assert (np.diff(scores[order]) >= 0).all()
    assert scores.min() >= 0 and scores.max() <= 100


def test_match_score_is_the_documented_formula():
    x = photos(60)
    model = fit(x, stars(x))
    predicted = model.mean + (model.rating(x).astype(float) - model.mean) * model.stretch
    expected = np.clip(np.round((predicted - 1) * 25), 0, 100)
    np.testing.assert_allclose(model.scores(model.rating(x)), expected, atol=1)


@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_all_ratings_equal_predict_just_that(count):
    x = photos(count + 10)
    model = fit(x[:count], np.full(count, 4.0))
    np.testing.assert_allclose(model.rating(x), 4.0, atol=1e-4)
    assert set(model.scores(model.rating(x))) == {75}
    assert np.isfinite(model.std(x)).all()


def test_a_single_stack_can_be_learned_from():
    x = photos(30)
    model = fit(x, stars(x), groups=np.zeros(30))
    assert np.isfinite(model.rating(x)).all()


def test_copies_of_one_photo_can_be_learned_from():
    x = np.repeat(photos(1), 30, axis=0)
    model = fit(x, np.arange(30) % 5 + 1.0)
    np.testing.assert_allclose(model.rating(x), 3.0, atol=1e-3)


def test_ratings_without_any_pattern_are_not_stretched_too_far():
    x = photos(60)
    y = np.random.default_rng(5).integers(1, 6, 60).astype(float)
    model = fit(x, y)
    assert 1.0 <= model.stretch <= 6.0
    assert np.isfinite(model.scores(model.rating(photos(100, seed=4)))).all()


@pytest.mark.parametrize("poison", [0.0, np.nan, np.inf])
def test_an_empty_or_broken_vector_is_refused_by_name(poison):
    x = photos(5000)
    y = stars(x)
    bad = x.copy()
    bad[17] = poison
    with pytest.raises(BadVectorsError, match=r"1 of 40 .*number 17"):
        fit(bad[:40], y[:40])
    model = fit(x[:40], y[:40])
    with pytest.raises(BadVectorsError):
        model.rating(bad[:100])
    with pytest.raises(BadVectorsError):
        model.scores(model.rating(bad))
    with pytest.raises(BadVectorsError):
        model.std(bad[:100])


def test_vectors_of_another_encoder_are_refused():
    x = photos(40)
    model = fit(x, stars(x))
    with pytest.raises(BadVectorsError, match="another encoder"):
        model.rating(photos(3, dimension=32))
    with pytest.raises(BadVectorsError, match="more than one encoder"):
        fit([x[0].tolist(), photos(1, dimension=32)[0].tolist()], [1, 2])
    training = TrainingSet(plain_space(24))
    with pytest.raises(BadVectorsError):
        training.add([1], photos(1, dimension=32), [3], [1.0], [1])
    assert len(training) == 0


def test_vectors_that_are_not_unit_length_count_by_direction():
    x = photos(5000)
    y = stars(x)
    model = fit(x[:50] * 7, y[:50])
    np.testing.assert_allclose(model.rating(x), fit(x[:50], y[:50]).rating(x), atol=1e-4)
    np.testing.assert_allclose(model.rating(x * 3), model.rating(x), atol=1e-4)


@pytest.mark.parametrize(
    ("ratings", "weights"), [([9] * 5, None), ([np.nan] * 5, None), ([3] * 5, [0] * 5), ([3], None)]
)
def test_impossible_ratings_and_weights_are_refused(ratings, weights):
    with pytest.raises(UsageError):
        fit(photos(5), ratings, weights=weights)


def test_without_any_rating_there_is_a_plain_error():
    with pytest.raises(UsageError, match="No photos are rated"):
        TrainingSet(plain_space(8)).fit()


def rows_with_tone(count: int, seed: int = 0) -> np.ndarray:
    tone = np.random.default_rng(seed + 50).standard_normal((count, 6)) * 3 + 10
    return np.hstack([photos(count, seed=seed), tone.astype(np.float32)])


def test_tone_counts_for_people_who_rate_by_it_and_not_for_others():
    rows = rows_with_tone(150)
    space = Space.of(rows, dimension=24)
    bright = rows[:, 24]
    by_tone = np.clip(np.rint(3 + (bright - bright.mean()) / bright.std()), 1, 5)
    loves_light = fit(rows[:80], by_tone[:80], space=space)
    assert loves_light.tone_share > 0.2
    assert np.corrcoef(loves_light.rating(rows[80:]), by_tone[80:])[0, 1] > 0.5
    by_content = stars(rows[:, :24])
    assert fit(rows[:80], by_content[:80], space=space).tone_share < 0.1


@pytest.mark.parametrize("column", [slice(0, 24), slice(25, 26)])
@pytest.mark.parametrize("poison", [0.0, np.nan])
def test_a_broken_row_among_thousands_is_found(column, poison):
    rows = np.tile(rows_with_tone(100), (50, 1))
    model = fit(rows[:60], stars(rows[:60, :24]), space=Space.of(rows, dimension=24))
    rows[4321, column] = poison
    if poison == 0.0 and column.start:
        assert np.isfinite(model.rating(rows)).all()  # a tone of 0 is a tone
        return
    with pytest.raises(BadVectorsError):
        model.rating(rows)


def test_a_stored_version_predicts_the_same_and_holds_only_numbers(tmp_path):
    rows = rows_with_tone(120)
    model = fit(rows[:60], stars(rows[:60, :24]), space=Space.of(rows, dimension=24))
    np.savez(tmp_path / "version.npz", **model.to_numbers())
    with np.load(tmp_path / "version.npz", allow_pickle=False) as stored:
        restored = TasteModel.from_numbers(dict(stored))
    np.testing.assert_array_equal(
        restored.scores(restored.rating(rows)), model.scores(model.rating(rows))
    )
    np.testing.assert_allclose(restored.rating(rows), model.rating(rows))
    assert (restored.std(rows) >= model.std(rows) * 0.98).all()  # never more certain than before
    text = json.dumps({k: np.asarray(v).tolist() for k, v in model.to_numbers().items()})
    np.testing.assert_allclose(
        TasteModel.from_numbers(json.loads(text)).rating(rows), model.rating(rows)
    )


@pytest.mark.parametrize("limit", [1200, 50])
def test_a_stored_version_is_never_more_certain_than_the_model(monkeypatch, limit):
    monkeypatch.setattr(training_module, "DUAL_LIMIT", limit)
    rows = photos(200, dimension=60)
    model = fit(rows[:100], stars(rows[:100]), space=Space.of(rows))
    restored = TasteModel.from_numbers(model.to_numbers())
    assert (restored.std(rows) >= model.std(rows) * 0.999).all()
    known = np.corrcoef(restored.std(rows), model.std(rows))[0, 1]
    assert known > 0.5, "it still separates well known photos from others"


def test_a_damaged_version_is_refused():
    x = photos(40)
    numbers = fit(x, stars(x)).to_numbers()
    with pytest.raises(ValueError, match="without"):
        TasteModel.from_numbers({k: v for k, v in numbers.items() if k != "weights"})
    with pytest.raises(ValueError, match="fit"):
        TasteModel.from_numbers(numbers | {"weights": np.zeros(3)})
    with pytest.raises(ValueError, match="fit"):
        TasteModel.from_numbers(numbers | {"space.mean": np.full(24, np.nan)})
    with pytest.raises(ValueError, match="version"):
        TasteModel.from_numbers(numbers | {"version": 2})


def test_the_hyperparameters_can_be_searched_while_ratings_change():
    x = photos(200)
    y = stars(x)
    training = TrainingSet(plain_space(24))
    training.add(range(200), x, y, np.ones(200), range(200))
    assert training.search_due
    job = training.search_job()
    training.remove(5)
    training.use(job())
    assert training.hyperparameters != Hyperparameters()
    assert not training.search_due
    assert training.fit().penalty == training.hyperparameters.penalty
