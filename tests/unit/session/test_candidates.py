"""Candidates beside the rated photo: which ones, and swapping one in."""

from __future__ import annotations

import numpy as np
import pytest

from curator.learning.learner import TasteLearner
from curator.model import Pass
from curator.session import Session
from curator.session.candidates import CandidateFinder, most_similar, similarities
from tests import taste_data
from tests.unit.conftest import Person


@pytest.fixture
def finder(session: Session, person: Person) -> CandidateFinder:
    """Rate mode with the unrated photos 2 to 10, at photo 5."""
    session.decisions.decide("keep", {photo: {"kept": True} for photo in range(2, 11)})
    session.modes.set_mode(Pass.RATE)
    session.navigator.go_to(5)
    return session.find_candidates()


def find(finder: CandidateFinder, qtbot) -> tuple[int, ...]:
    with qtbot.waitSignal(finder.changed):
        finder.find()
    return finder.photos


def test_without_vectors_the_nearest_in_time_are_candidates(finder, qtbot) -> None:
    assert set(find(finder, qtbot)) == {3, 4, 6, 7}


def test_with_vectors_the_most_similar_are_candidates(finder, session, qtbot) -> None:
    vectors = taste_data.embed(session.catalog, range(1, 13))
    session.taste.learner.vectors_changed()
    like = sorted(
        (photo for photo in range(2, 11) if photo != 5),
        key=lambda photo: -float(vectors[5] @ vectors[photo]),
    )
    assert find(finder, qtbot) == tuple(like[:4])


def test_rejects_and_photos_of_one_or_five_stars_are_no_candidates(finder, session, qtbot) -> None:
    session.decisions.decide("5 stars", {4: {"rating": 5}})
    session.decisions.decide("1 star", {6: {"rating": 1}})
    session.decisions.decide("reject", {3: {"flag": "reject"}})
    session.decisions.decide("2 stars", {7: {"rating": 2}, 2: {"rating": 4}})
    assert set(find(finder, qtbot)) == {2, 7, 8, 9}


def test_a_stack_offers_its_nearest_frame_and_a_frame_none_of_its_own_stack(
    finder, session, qtbot
) -> None:
    session.decisions.decide("stack", {photo: {"stacked": 1} for photo in (4, 5)})
    session.decisions.decide("stack", {photo: {"stacked": 2} for photo in (6, 7, 8)})
    assert set(find(finder, qtbot)) == {2, 3, 6, 9}


def test_there_may_be_no_candidates(finder, session, qtbot) -> None:
    find(finder, qtbot)
    session.decisions.decide("5 stars", {photo: {"rating": 5} for photo in range(1, 11)})
    assert find(finder, qtbot) == ()


def test_many_moves_search_once_for_the_last_photo(finder, session, qtbot, monkeypatch) -> None:
    asked: list[object] = []
    real = session.taste.learner.ask
    monkeypatch.setattr(
        session.taste.learner, "ask", lambda question, tell: (asked.append(1), real(question, tell))
    )
    finder.find()
    for photo in (6, 7, 8):
        session.navigator.go_to(photo)
        finder.find()
    qtbot.waitUntil(lambda: set(finder.photos) == {6, 7, 9, 10})
    assert len(asked) == 2


def test_a_candidate_can_be_swapped_in_and_back(finder, session, qtbot) -> None:
    first = find(finder, qtbot)
    finder.swap(1)
    assert session.current == first[1]
    assert finder.photos == (first[0], 5, *first[2:])
    finder.swap(1)
    assert (session.current, finder.photos) == (5, first)


def test_the_next_step_returns_from_a_candidate(finder, session, person, qtbot) -> None:
    find(finder, qtbot)
    finder.swap(0)
    finder.swap(2)
    person.run("next_photo")
    assert session.current == 5
    person.run("next_photo")
    assert session.current == 6


def test_rejecting_a_candidate_returns_as_well(finder, session, person, qtbot) -> None:
    find(finder, qtbot)
    finder.swap(0)
    candidate = session.current
    person.run("reject")
    assert session.table.rejected()[session.table.rows_of([candidate])[0]]
    assert session.current == 5


def test_the_grid_continues_from_the_candidate(finder, session, person, qtbot) -> None:
    find(finder, qtbot)
    finder.swap(0)
    position = session.photos.index
    person.run("grid", "next_photo")
    assert session.photos.index == position + 1


def test_an_empty_slot_shows_a_message(finder, session, person) -> None:
    finder.swap(0)
    assert session.current == 5
    assert person.messages[-1] == "There is no similar photo with that number."


def test_photos_without_vectors_come_after_those_with_vectors(session) -> None:
    ids = np.array([2, 3, 4, 9])
    alike = np.array([np.nan, 0.1, np.nan, 0.9], np.float32)
    assert most_similar(session.table, 5, ids, alike) == (9, 3, 4, 2)


def test_similarity_is_unknown_without_a_vector(session, home) -> None:
    vectors = taste_data.embed(session.catalog, [1, 2, 3])
    learner = TasteLearner(session.catalog, session.settings.taste, home.cache)
    learner.sync_vectors()
    found = similarities(learner, 1, [2, 9, 3])
    expected = [vectors[1] @ vectors[2], vectors[1] @ vectors[3]]
    assert found[[0, 2]] == pytest.approx(expected, abs=0.01)
    assert np.isnan(found[1])
    assert np.isnan(similarities(learner, 9, [1, 2])).all()
