"""The photos that explain a score, and the photos to rate next."""

from __future__ import annotations

import numpy as np
import pytest

from curator.taste import BadVectorsError, Space, evidence, explain, informative
from tests.taste_models import plain_space
from tests.unit.taste.test_training import photos, rows_with_tone


def test_evidence_is_the_nearest_photos_rated_high_and_low():
    x = photos(40)
    y = np.array([5, 4, 3, 2, 1] * 8)
    found = evidence(x[0], x, y, 3, plain_space(24))
    assert found.high[0] == (0, pytest.approx(1.0, abs=1e-5))
    assert all(y[index] >= 4 for index, _ in found.high)
    assert all(y[index] <= 2 for index, _ in found.low)
    similarity = x @ x[0]
    low = np.flatnonzero(y <= 2)
    assert [index for index, _ in found.low] == low[np.argsort(-similarity[low])][:3].tolist()
    assert evidence(x[0], x, np.full(40, 3), 3, plain_space(24)).high == ()


def test_evidence_compares_content_and_not_tone():
    rows = rows_with_tone(40)
    space = Space.of(rows, dimension=24)
    asked = rows[7].copy()
    asked[24:] += 100
    assert evidence(asked, rows, np.full(40, 5.0), 3, space).high[0][0] == 7


def test_evidence_refuses_an_empty_vector():
    with pytest.raises(BadVectorsError):
        evidence(np.zeros(24), photos(5), np.ones(5), 3, plain_space(24))


def picks(x: np.ndarray, most: int, rated: np.ndarray | None = None) -> np.ndarray:
    return informative(x, x, x[:0] if rated is None else rated, most, plain_space(x.shape[1]))


def two_clusters() -> np.ndarray:
    """90 photos of one thing, 10 of another, and one outlier."""
    rng = np.random.default_rng(0)
    many, few, odd = np.eye(24)[:3] * 3
    rows = np.vstack([np.tile(many, (90, 1)), np.tile(few, (10, 1)), odd[None]])
    rows = rows + 0.2 * rng.standard_normal(rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_most_informative_photos_stand_for_many_and_none_is_picked_twice():
    rows = two_clusters()
    order = picks(rows, 20)
    assert len(set(order.tolist())) == 20
    kinds = ["many" if index < 90 else "few" if index < 100 else "odd" for index in order[:4]]
    assert kinds[0] != "odd"
    assert {"many", "few"} <= set(kinds)


def test_photos_like_those_rated_already_are_not_picked():
    rows = two_clusters()
    assert picks(rows, 1, rated=rows[:30])[0] >= 90


def test_picking_in_two_parts_gives_about_the_same_photos():
    x = photos(60)
    whole = picks(x, 12)
    first = picks(x, 6)
    rest = np.setdiff1d(np.arange(60), first)
    # the mean of the pool is taken over all photos given, so the parts agree nearly, not exactly
    then = rest[informative(x[rest], x, x[first], 6, plain_space(24))]
    assert len(set(whole.tolist()) & {*first.tolist(), *then.tolist()}) >= 9


def test_each_pick_is_the_photo_that_lowers_the_uncertainty_of_the_pool_most():
    x = photos(40)
    pick = picks(x, 1)[0]
    centered = x.astype(float) - x.mean(0)
    similar = centered @ centered.T
    covariance = similar / (explain.PENALTY * np.trace(similar) / 40) + 1

    def left(index: int) -> float:
        column = covariance[:, index]
        return np.trace(covariance - np.outer(column, column) / (column[index] + 1))

    assert left(pick) == pytest.approx(min(left(index) for index in range(40)))


def test_at_most_all_candidates_are_picked():
    x = photos(60)
    for count in (3, 0):
        assert len(informative(x[:count], x, x[:0], 10, plain_space(24))) == count
