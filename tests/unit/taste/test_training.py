"""Fitting a taste model, checked against slow textbook computations."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from curator.model import UsageError
from curator.taste import (
    BadVectorsError,
    Hyperparameters,
    Space,
    TasteModel,
    TrainingSet,
    hyperparameters,
    recency,
)
from curator.taste import training as training_module
from curator.taste.hyperparameters import left_out, search
from tests.taste_models import fit, plain_space, tuned


def photos(count: int, dimension: int = 24, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, dimension)) + 1.0
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def stars(vectors: np.ndarray, seed: int = 1, noise: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    liking = vectors @ np.random.default_rng(99).standard_normal(vectors.shape[1])
    liking = (liking - liking.mean()) / liking.std() + noise * rng.standard_normal(len(vectors))
    return np.clip(np.rint(3 + 1.1 * liking), 1, 5)


def by_scikit_learn(x, y, weights, pairs, pair_weights, model):
    """Fit scikit-learn's Ridge to mapped rows and pairs of rows: the predictions of all rows.

    A pair is two rows on opposite sides of the middle of the rated rows, so that it moves neither
    that nor the intercept; each has half the weight.
    """
    space, share = model.space, model.tone_share
    z = space.map(space.clean(x))
    z[:, : space.dimension] *= np.sqrt(1 - share)
    z[:, space.dimension :] *= np.sqrt(share)
    rated = z[: len(y)]
    middle, mean = np.average(rated, axis=0, weights=weights), np.average(y, weights=weights)
    apart = np.array([z[better] - z[worse] for better, worse in pairs]).reshape(-1, z.shape[1])
    rows = np.vstack([rated, middle + apart, middle - apart])
    targets = np.concatenate([y, np.full(len(pairs), mean + 1), np.full(len(pairs), mean - 1)])
    square = np.average(((rated - middle) ** 2).sum(axis=1), weights=weights)
    heavy = np.concatenate([weights, *[np.asarray(pair_weights) / 2] * 2])
    ridge = Ridge(model.penalty * square).fit(rows, targets, heavy / np.mean(weights))
    return ridge.predict(z)


@pytest.mark.parametrize("tone_share", [0.0, 0.3])
@pytest.mark.parametrize("solved", ["dual", "primal"])
@pytest.mark.parametrize("compared", [[], [(3, 4), (9, 8)]], ids=["ratings", "comparisons"])
def test_the_fit_equals_scikit_learn(monkeypatch, compared, solved, tone_share):
    """Ratings and comparisons, weighted by age, solved by samples or by columns."""
    if solved == "primal":
        monkeypatch.setattr(training_module, "DUAL_LIMIT", 20)
    x, day = rows_with_tone(90), 86_400.0
    y = stars(x[:60, :24])
    weights = recency(np.arange(60) * day, 30 * day, 0.0)
    training = TrainingSet(Space.of(x, dimension=24))
    for part in (slice(0, 25), slice(25, 60)):
        training.add(range(60)[part], x[:60][part], y[part], weights[part], range(60)[part])
        training.fit()  # the next solve starts from this one
    pair_weights = [0.5, 0.2][: len(compared)]
    if compared:
        better, worse = zip(*compared, strict=True)
        training.add_comparisons(compared, x[[*better]], x[[*worse]], pair_weights, compared)
    training.use(Hyperparameters(2.0, tone_share))
    model = training.fit()
    expected = by_scikit_learn(x, y, weights, compared, pair_weights, model)
    np.testing.assert_allclose(model.rating(x), expected, atol=2e-5)


def test_leaving_a_row_out_in_closed_form_equals_refitting_without_it():
    z = photos(18).astype(np.float64)
    t, w = stars(z), np.random.default_rng(3).uniform(0.2, 2, 18)
    predicted, variances = (each[:, 1] for each in left_out(z, t, w, np.array([3.0, 0.7])))
    whole = Ridge(0.7).fit(z, t, w)
    noise = (w @ (t - whole.predict(z)) ** 2 + 0.7 * whole.coef_ @ whole.coef_) / 17
    for row in range(18):
        others = np.arange(18) != row
        ridge = Ridge(0.7).fit(z[others], t[others], w[others])
        assert predicted[row] == pytest.approx(ridge.predict(z[[row]])[0])
        given = np.column_stack([z[others], np.ones(17)])  # the posterior of weights and mean
        inner = given.T * w[others] @ given + np.diag([0.7] * z.shape[1] + [0.0])
        here = np.append(z[row], 1.0)
        assert variances[row] == pytest.approx(noise * here @ np.linalg.solve(inner, here))


def test_a_search_leaves_out_one_stack_at_a_time(monkeypatch):
    """With two penalties, the result shows how much better one of them predicted."""
    low, high = penalties = np.array([1.0, 2.0])
    monkeypatch.setattr(hyperparameters, "PENALTIES", penalties)
    z = photos(60).astype(np.float64)
    y, w = stars(z), np.random.default_rng(3).uniform(0.2, 2, 60)
    groups = np.array([0, 0, 0, 1, 1, *range(2, 57)])
    w /= w.mean()
    square = np.average(((z - np.average(z, 0, w)) ** 2).sum(axis=1), weights=w)
    members = [groups == name for name in range(57)]
    mass = np.array([w[each].sum() for each in members])
    rows, means = (
        np.array([np.average(values[each], 0, w[each]) for each in members]) for values in (z, y)
    )
    costs = []
    for penalty in penalties:
        ridge = RidgeCV([penalty * square], scoring="r2", store_cv_results=True)
        predicted = ridge.fit(rows, means, mass).cv_results_.ravel()
        error = np.average((means - predicted) ** 2, weights=mass)
        prior = np.log(penalty / hyperparameters.USUAL_PENALTY) ** 2 / (2 * 0.5**2)
        costs.append(mass.sum() ** 2 / (mass**2).sum() / 2 * np.log(error) + prior)
    share = 1 / (1 + np.exp(costs[1] - costs[0]))  # of the higher penalty
    found = search(z, 24, y, w, groups)
    assert np.log(found.penalty) == pytest.approx(
        share * np.log(high) + (1 - share) * np.log(low), abs=1e-4
    )
    assert 0.001 < share < 0.999


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
    np.testing.assert_allclose(
        tuned(training).rating(x), fit(x[kept], y[kept]).rating(x), atol=1e-4
    )


def test_of_two_ratings_of_one_photo_the_later_counts():
    x = photos(30)
    y = stars(x)
    training = TrainingSet(plain_space(24))
    training.add([*range(30), 4], x[[*range(30), 4]], [*y, 5], np.ones(31), [*range(30), 4])
    assert len(training) == 30
    expected = fit(x, np.where(np.arange(30) == 4, 5, y))
    np.testing.assert_allclose(tuned(training).rating(x), expected.rating(x), atol=1e-4)


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


@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_all_ratings_equal_predict_just_that(count):
    x = photos(count + 10)
    model = fit(x[:count], np.full(count, 4.0))
    np.testing.assert_allclose(model.rating(x), 4.0, atol=1e-4)
    assert np.isnan(model.scores(model.rating(x))).all(), "no photo is better than another"
    assert np.isfinite(model.std(x)).all()


def test_a_single_stack_can_be_learned_from():
    x = photos(30)
    model = fit(x, stars(x), groups=np.zeros(30))
    assert np.isfinite(model.rating(x)).all()


def test_copies_of_one_photo_can_be_learned_from():
    x = np.repeat(photos(1), 30, axis=0)
    model = fit(x, np.arange(30) % 5 + 1.0)
    np.testing.assert_allclose(model.rating(x), 3.0, atol=1e-3)


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
    with pytest.raises(BadVectorsError, match="different encoders"):
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
    elsewhere = pickle.loads(pickle.dumps(job))  # the window searches in another process
    training.use(elsewhere())
    assert training.hyperparameters != Hyperparameters()
    assert not training.search_due
    assert training.fit().penalty == training.hyperparameters.penalty
