"""Taste in the session: scores follow ratings, orders change on request, predictions are stored."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.home import Home
from curator.learning import learner_thread
from curator.learning.learner import NO_MATCH, TasteLearner
from curator.learning.report import Report
from curator.library.photo_rows import PhotoRows
from curator.library.sort_orders import sorted_ids
from curator.model import INTERNAL_ERROR, KnownError, Pass
from curator.session import Session
from curator.settings import Settings
from tests import catalogs, taste_data
from tests.conftest import ExpectedLog
from tests.unit.conftest import Person

PHOTOS = 60
Open = Callable[..., Session]


@pytest.fixture
def vectors(qapp: QCoreApplication, catalog: Catalog) -> dict[int, np.ndarray]:
    catalogs.fill(catalog.path, PHOTOS)
    everyone = range(1, PHOTOS + 1)
    no_marks = {"rating": None, "flag": None, "kept": False}
    catalog.journal.decide(dict.fromkeys(everyone, no_marks), summary="clear all marks")
    return taste_data.embed(catalog, everyone)


@pytest.fixture
def open_at(qtbot: QtBot, home: Home, catalog: Catalog, vectors: dict[int, np.ndarray]):  # type: ignore[no-untyped-def]
    """Open a session, rate some photos and wait until the ratings are learned.

    The latest ``predicted`` ratings were predicted first.
    """
    opened: list[tuple[Session, Catalog]] = []

    def start(rated: int = 0, predicted: int = 0, **taste: object) -> Session:
        taste_data.rate(catalog, vectors, range(1, rated - predicted + 1))
        taste_data.rate(catalog, vectors, range(rated - predicted + 1, rated + 1), predicted=True)
        own = Catalog.open(home.catalog)
        session = Session(own, home, Settings.load(home, {"taste": taste}))
        opened.append((session, own))
        with qtbot.waitSignal(session.taste.learner.accuracy_changed):
            pass
        qtbot.waitUntil(lambda: session.taste.learned is not None)
        return session

    yield start
    for session, own in opened:
        session.close()
        own.close()


def star(session: Session, photo: int, name: str) -> None:
    session.navigator.go_to(photo)
    Person(session).run(name)


def test_below_twenty_ratings_no_photo_has_a_score(open_at: Open) -> None:
    session = open_at(19)
    assert not session.taste.has_scores and session.tile(30).match is None
    assert session.taste.sentence == "Rate 1 more photo to start predictions."
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "taken"


def test_the_twentieth_rating_brings_predictions_but_no_match_yet(
    qtbot: QtBot, open_at: Open, catalog: Catalog
) -> None:
    by_dice = np.random.default_rng(0).integers(1, 6, 20).tolist()
    for photo in range(1, 20):
        catalog.journal.decide({photo: {"rating": by_dice[photo]}}, summary="")
    session = open_at(0)
    with qtbot.waitSignal(session.taste.scores_changed):
        star(session, 20, "stars_5")
    assert session.taste.has_scores and session.table.scores.expected_of(30) is not None
    assert session.taste.sentence == f"Learned from 20 photos with stars. {NO_MATCH}"
    assert [session.tile(photo).match for photo in range(1, PHOTOS + 1)] == [None] * PHOTOS
    assert session.statistics.counts()["match"] == 0
    for search in ("is:match", "match:>=0", "match:<100"):
        session.search.set_filter(search)
        assert not len(session.ids)
    session.search.set_filter("")
    session.ordering.set_order("match")
    expected = session.table.scores.expected[session.table.rows_of(session.ids)]
    assert list(expected) == sorted(expected), "the order needs no numbers"
    assert session.taste.scores_for_export() == ({}, f"{taste_data.ENCODER}, 20 ratings")


def test_texts_are_released_once_the_learner_rests(
    qtbot: QtBot, open_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner_thread, "_IDLE_S", 0.01)
    released: list[PhotoRows] = []
    monkeypatch.setattr(PhotoRows, "release_texts", lambda rows: released.append(rows))
    session = open_at(0)
    qtbot.waitUntil(lambda: session.table.rows in released)


def test_more_ratings_bring_match_scores_to_grid_filter_and_counts(open_at: Open) -> None:
    session = open_at(30)
    assert session.taste.sentence == "Learned from 30 photos with stars."
    scores = [session.tile(photo).match for photo in range(31, PHOTOS + 1)]
    assert None not in scores and len(set(scores)) > 15
    matches = session.statistics.counts()["match"]
    session.search.set_filter("is:match")
    assert len(session.ids) == matches
    assert all(session.table.scores.match_of(int(photo)) >= 70 for photo in session.ids)


def test_a_rating_changes_scores_and_undo_restores_them(
    qtbot: QtBot, open_at: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a search for hyperparameters finds changes all scores, whenever it ends.
    monkeypatch.setattr(TasteLearner, "search", lambda _: None)
    session = open_at(30)
    before = session.table.scores.match.copy()
    with qtbot.waitSignal(session.taste.scores_changed):
        star(session, 40, "stars_1")
    after_one = session.table.scores.match.copy()
    with qtbot.waitSignal(session.taste.scores_changed):
        Person(session).run("undo")
    assert not np.array_equal(after_one, before)
    assert np.abs(session.table.scores.match - before).max() <= 1


def test_a_new_cull_is_by_capture_time_while_the_match_order_is_not_reliable(
    qtbot: QtBot, open_at: Open
) -> None:
    session = open_at(25, predicted=19)
    reports: list[Report] = []
    session.taste.report(reports.append)
    qtbot.waitUntil(lambda: bool(reports))
    assert session.taste.has_scores and reports[0].accuracy.headline == "Not reliable yet"
    assert not session.taste.is_reliable
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "taken"
    session.ordering.set_order("match")
    assert session.criteria.order == "match", "it may be chosen nevertheless"
    session.modes.set_mode(Pass.BROWSE)
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "match", "and keeps it"


def test_a_new_cull_starts_with_the_lowest_match_once_that_order_is_reliable(open_at: Open) -> None:
    session = open_at(25, predicted=25)
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "match"
    scores = session.table.scores.expected[session.table.rows_of(session.ids)]
    assert list(scores) == sorted(scores) and len(scores) == PHOTOS - 25


def test_the_setting_and_a_chosen_order_have_precedence(open_at: Open) -> None:
    assert open_at(25, predicted=25, lowest_first=False).criteria.first_order(Pass.CULL) == "taken"
    session = open_at(0)
    session.modes.set_mode(Pass.CULL)
    session.ordering.set_order("sharpness")
    session.modes.set_mode(Pass.BROWSE)
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "sharpness"


def test_a_running_cull_keeps_its_order_and_the_match_order_is_offered(
    qtbot: QtBot, open_at: Open
) -> None:
    session = open_at(20, predicted=19)
    session.modes.set_mode(Pass.CULL)
    before = session.ids.tolist()
    with qtbot.waitSignal(session.taste.trust_changed):
        star(session, before[3], "stars_4")
    assert session.criteria.order == "taken" and session.ids.tolist() == before
    with qtbot.waitSignal(session.taste.scores_changed):
        star(session, before[5], "stars_2")
    assert session.ids.tolist() == before and session.taste.suggested_order == "match"
    session.ordering.set_order("match")
    assert session.ids.tolist() != before and session.taste.suggested_order is None


def test_an_interrupted_cull_is_not_new_but_a_finished_one_is(qtbot: QtBot, open_at: Open) -> None:
    session = open_at(20, predicted=19)
    session.modes.set_mode(Pass.CULL)
    with qtbot.waitSignal(session.taste.trust_changed):
        star(session, session.ids.tolist()[3], "stars_4")
    session.modes.set_mode(Pass.RATE)
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "taken"
    session.navigator.finish()
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "match" and session.photos.index == 0


def test_a_cull_by_match_keeps_its_order(qtbot: QtBot, open_at: Open) -> None:
    first = open_at(25, predicted=25)
    first.modes.set_mode(Pass.CULL)
    order = first.ids.tolist()
    first.close()
    second = open_at(0)
    assert (second.criteria.mode, second.criteria.order) == (Pass.CULL, "match")
    qtbot.waitUntil(lambda: second.ids.tolist() == order)


def lose_trust(catalog: Catalog) -> None:
    """Undo the latest ratings, so that too few predictions are left to judge by."""
    for _ in range(6):
        catalog.journal.undo()


def test_a_running_cull_by_match_stays_when_trust_is_lost_and_capture_time_is_suggested(
    qtbot: QtBot, open_at: Open, catalog: Catalog
) -> None:
    session = open_at(30, predicted=25)
    session.modes.set_mode(Pass.CULL)
    before = session.ids.tolist()
    lose_trust(catalog)
    with qtbot.waitSignal(session.taste.trust_changed):
        session.taste.learner.everything_changed()
    assert not session.taste.is_reliable and session.taste.suggested_order == "taken"
    assert session.criteria.order == "match" and session.ids.tolist() == before
    session.modes.set_mode(Pass.RATE)
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "match", "the same pass"
    session.navigator.finish()
    session.modes.set_mode(Pass.CULL)
    assert session.criteria.order == "taken" and session.taste.suggested_order is None


@pytest.mark.parametrize("chosen", [False, True])
def test_a_cull_opens_again_by_match_only_if_trusted_or_chosen(
    open_at: Open, catalog: Catalog, chosen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The list stands still when a search changes the scores; here it has the order of the first.
    monkeypatch.setattr(TasteLearner, "search", lambda _: None)
    first = open_at(30, predicted=25)
    first.modes.set_mode(Pass.CULL)
    if chosen:
        first.ordering.set_order("match", backwards=True)
        first.ordering.set_order("match")
    first.close()
    lose_trust(catalog)
    second = open_at(0)
    assert second.taste.has_scores and not second.taste.is_reliable
    assert (second.criteria.mode, second.criteria.order) == (
        Pass.CULL,
        "match" if chosen else "taken",
    )
    assert second.taste.suggested_order is None
    by = sorted_ids(second.table, second.photos.members(), second.criteria.order)
    assert second.ids.tolist() == by.tolist()
    scope = second.criteria.scope
    second.sources.open_scope(scope)
    assert second.criteria.order == ("match" if chosen else "taken")


def test_with_the_setting_off_no_order_by_match_is_suggested(qtbot: QtBot, open_at: Open) -> None:
    session = open_at(20, predicted=19, lowest_first=False)
    session.modes.set_mode(Pass.CULL)
    with qtbot.waitSignal(session.taste.trust_changed):
        star(session, session.ids.tolist()[3], "stars_4")
    assert session.taste.is_reliable and session.taste.suggested_order is None


def test_a_rating_is_stored_with_its_prediction_which_the_caption_shows(
    open_at: Open, catalog: Catalog
) -> None:
    session = open_at(25, predicted=25)
    session.modes.set_mode(Pass.CULL)
    photo = session.current
    assert photo is not None
    assert "expected" not in "".join(session.caption(photo)), "hidden until a decision"
    expected = session.table.scores.expected_of(photo)
    assert expected is not None
    Person(session).run("stars_4")
    assert session.caption(photo)[1].startswith(f"you 4 · expected {min(max(expected, 1), 5):.1f}")
    stored = [each for each in catalog.taste.predictions() if each.photo_id == photo]
    assert [each.expected for each in stored] == [pytest.approx(expected)]
    assert stored[0].order_name == "match"
    Person(session).run("next_photo", "previous_photo")
    assert "expected" not in "".join(session.caption(photo))
    Person(session).run("next_photo", "stars_3")
    assert "you 3 · expected" in session.caption(session.current or 0)[1]
    Person(session).run("undo")
    assert "expected" not in "".join(session.caption(session.current or 0)), "no stars, no news"


def test_match_and_expected_rating_of_the_caption_are_of_one_prediction(
    qtbot: QtBot, open_at: Open
) -> None:
    session = open_at(30, show_match=True)
    photo = 40
    expected, match = session.table.scores.expected_of(photo), session.tile(photo).match
    assert expected is not None and match is not None
    with qtbot.waitSignal(session.taste.scores_changed):
        star(session, photo, "stars_1" if match > 50 else "stars_5")
    assert abs((session.tile(photo).match or 0) - match) > 2, "learned meanwhile"
    shown = f"expected {min(max(expected, 1), 5):.1f}"
    assert f"match {match} · you" in session.caption(photo)[1]
    assert shown in session.caption(photo)[1]
    Person(session).run("next_photo", "previous_photo")
    assert f"match {session.tile(photo).match}" in session.caption(photo)[1]


def test_a_rating_before_its_vector_has_no_prediction_and_is_learned_later(
    qtbot: QtBot, open_at: Open, catalog: Catalog
) -> None:
    with catalog.store.transaction():
        catalog.store.run("DELETE FROM vector WHERE photo_id = 40")
    session = open_at(25)

    def learned() -> tuple[int, int]:
        report = session.taste.learned
        return (0, 0) if report is None else (report.ratings, report.usable)

    with qtbot.waitSignal(session.taste.scores_changed):
        star(session, 40, "stars_4")
    assert [each.expected for each in catalog.taste.predictions() if each.photo_id == 40] == [None]
    assert learned() == (26, 25)
    taste_data.embed(catalog, [40])
    # The watcher may notice the vector, too, and have it learned once more.
    session.taste.learner.vectors_changed()
    qtbot.waitUntil(lambda: learned() == (26, 26))
    Person(session).run("undo")
    qtbot.waitUntil(lambda: learned() == (25, 25))
    assert 40 not in {each.photo_id for each in catalog.taste.predictions()}


def test_a_stack_split_by_hand_is_learned_at_once(
    qtbot: QtBot, open_at: Open, catalog: Catalog
) -> None:
    with catalog.store.transaction():
        catalog.store.run("UPDATE photo SET stack = 40, stack_kind = 'burst' WHERE id IN (40, 41)")
    catalog.journal.decide({40: {"flag": "reject"}, 41: {"kept": True}}, summary="")
    session = open_at(30)
    beside = session.table.scores.expected_of(40)
    with qtbot.waitSignal(session.taste.scores_changed):
        session.decisions.decide("alone", {40: {"stacked": 0}})
    alone = session.table.scores.expected_of(40)
    assert beside is not None and alone is not None
    assert alone < beside - 0.01, "a single reject says something about its subject"


def test_a_changed_rating_has_no_prediction(qtbot: QtBot, open_at: Open) -> None:
    session = open_at(25)
    assert session.taste.predict({3: {"rating": 1}}) == {}
    assert session.taste.predict({40: {"flag": "reject"}}) == {}
    assert session.taste.predict({40: {"rating": 1}}).keys() == {40}


def test_three_stars_and_a_high_match_are_approved(open_at: Open, catalog: Catalog) -> None:
    session = open_at(40)
    best = int(sorted_ids(session.table, session.table.unreviewed(), "match", True)[0])
    threshold = session.table.scores.match_of(best)
    session.settings.taste.match_threshold = threshold
    catalog.journal.decide({best: {"rating": 3}}, summary="")
    session.table.refresh()
    assert session.statistics.approved()[best] == "match"
    scores, model = session.taste.scores_for_export()
    assert scores[best] == threshold and model == f"{taste_data.ENCODER}, 40 ratings"


def test_closing_saves_a_version_of_taste(open_at: Open, catalog: Catalog) -> None:
    session = open_at(25)
    session.close()
    assert [row.ratings for row in catalog.taste.versions()] == [25]


def test_the_last_rating_before_closing_is_in_the_version(open_at: Open, catalog: Catalog) -> None:
    session = open_at(25)
    session.navigator.go_to(40)
    Person(session).run("stars_1")
    session.close()
    assert [row.ratings for row in catalog.taste.versions()] == [26, 25]


# --- questions to the thread that learns


def test_results_of_the_learner_thread_arrive_on_the_gui_thread(
    qtbot: QtBot, open_at: Open
) -> None:
    session = open_at(25)
    answers: list[tuple[object, object]] = []
    session.taste.learner.ask(
        lambda learner: (threading.current_thread().name, learner.learned),
        lambda answer: answers.append((answer, threading.current_thread())),
    )
    qtbot.waitUntil(lambda: bool(answers))
    assert answers == [(("curator-taste", session.taste.learned), threading.main_thread())]


def test_a_failed_request_gets_its_error_and_learning_continues(
    qtbot: QtBot, open_at: Open, expected_log: ExpectedLog
) -> None:
    expected_log("a question about taste failed")
    session = open_at(25)
    answers: list[object] = []

    def refused(learner: TasteLearner) -> object:
        raise KnownError("No.")

    session.taste.learner.ask(refused, answers.append)
    session.taste.learner.ask(lambda learner: 1 // 0, answers.append)
    session.taste.learner.ask(lambda learner: "still here", answers.append)
    qtbot.waitUntil(lambda: len(answers) == 3)
    assert [str(answer) for answer in answers] == [
        "No.",
        INTERNAL_ERROR,
        "still here",
    ]
