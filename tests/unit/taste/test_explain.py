"""Why a photo scores as it does, and what to rate next."""

from __future__ import annotations

import numpy as np
import pytest

from curator.taste import BadVectorsError, Space, evidence, explain, informative
from tests.unit.taste.test_training import photos, rows_with_tone


def test_evidence_is_the_nearest_liked_and_disliked():
    x = photos(40)
    y = np.array([5, 4, 3, 2, 1] * 8)
    found = evidence(x[0], x, y)
    assert found.high[0] == (0, pytest.approx(1.0, abs=1e-5))
    assert all(y[place] >= 4 for place, _ in found.high)
    assert all(y[place] <= 2 for place, _ in found.low)
    likeness = x @ x[0]
    low = np.flatnonzero(y <= 2)
    assert [p for p, _ in found.low] == low[np.argsort(-likeness[low])][:3].tolist()
    assert evidence(x[0], x, np.full(40, 3)).high == ()


def test_evidence_goes_by_content_not_by_tone():
    rows = rows_with_tone(40)
    space = Space.of(rows, dimension=24)
    asked = rows[7].copy()
    asked[24:] += 100
    assert evidence(asked, rows, np.full(40, 5.0), space=space).high[0][0] == 7


def test_evidence_refuses_an_empty_vector():
    with pytest.raises(BadVectorsError):
        evidence(np.zeros(24), photos(5), np.ones(5))


def two_clusters() -> np.ndarray:
    """90 photos of one thing, 10 of another, and one oddity."""
    rng = np.random.default_rng(0)
    many, few, odd = np.eye(24)[:3] * 3
    rows = np.vstack([np.tile(many, (90, 1)), np.tile(few, (10, 1)), odd[None]])
    rows = rows + 0.2 * rng.standard_normal(rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_what_teaches_most_stands_for_many_and_never_twice():
    rows = two_clusters()
    order = informative(rows, rows, 20)
    assert len(set(order.tolist())) == 20
    kinds = ["many" if place < 90 else "few" if place < 100 else "odd" for place in order[:4]]
    assert kinds[0] != "odd"
    assert {"many", "few"} <= set(kinds)


def test_what_was_rated_already_is_not_asked_again():
    rows = two_clusters()
    assert informative(rows, rows, 1, rated=rows[:30])[0] >= 90


def test_asking_in_parts_gives_the_same_questions():
    x = photos(60)
    whole = informative(x, x, 12)
    first = informative(x, x, 6)
    rest = np.setdiff1d(np.arange(60), first)
    # the pool's middle is taken over all photos given, so the parts agree nearly, not exactly
    then = rest[informative(x[rest], x, 6, rated=x[first])]
    assert len(set(whole.tolist()) & {*first.tolist(), *then.tolist()}) >= 9


def test_each_pick_lowers_the_doubt_of_the_pool_most():
    x = photos(40)
    pick = informative(x, x, 1)[0]
    centred = x.astype(float) - x.mean(0)
    similar = centred @ centred.T
    covariance = similar / (explain.PENALTY * np.trace(similar) / 40) + 1

    def left(place: int) -> float:
        column = covariance[:, place]
        return np.trace(covariance - np.outer(column, column) / (column[place] + 1))

    assert left(pick) == pytest.approx(min(left(place) for place in range(40)))


def test_a_long_list_is_sampled_and_still_answers_with_its_own_places():
    x = photos(4000)
    order = informative(x, x, 10)
    assert len(order) == 10 and order.max() > 1500
    assert len(informative(x[:3], x, 10)) == 3
    assert len(informative(x[:0], x, 10)) == 0
