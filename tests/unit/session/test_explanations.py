"""Requests to the learner: explanations, similar photos and computed sort orders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.learning.explanations import Insight
from curator.model import Pass
from curator.session import Session
from tests import taste_data
from tests.unit.conftest import Person
from tests.unit.session.test_taste import PHOTOS, Open, open_at, vectors

__all__ = ["open_at", "vectors"]  # fixtures used here, too

Ask = Callable[[Session, int], Insight]


@pytest.fixture
def ask(qtbot: QtBot) -> Ask:
    """Request an explanation and wait for it."""

    def ask(session: Session, photo: int) -> Insight:
        with qtbot.waitSignal(session.explanations.insight_ready) as signal:
            session.explanations.explain(photo)
        return signal.args[0]

    return ask


# --- why, and what is similar


def test_an_explanation_has_the_match_and_the_nearest_photos_rated_high_and_low(
    open_at: Open, ask: Ask, vectors: dict[int, np.ndarray]
) -> None:
    session = open_at(40)
    insight = ask(session, 50)
    why = insight.why
    assert why is not None and insight.photo_id == 50
    assert why.match == session.tile(50).match
    assert why.expected == pytest.approx(session.table.scores.expected_of(50), abs=1e-3)
    assert why.std > 0 and ("few similar" in why.certainty or "similar photos" in why.certainty)
    for near, liked in ((why.high, lambda stars: stars >= 4), (why.low, lambda stars: stars <= 2)):
        rated = [photo for photo in range(1, 41) if liked(taste_data.stars(vectors[photo]))]
        nearest = sorted(rated, key=lambda photo: -float(vectors[photo] @ vectors[50]))
        assert [photo for photo, _ in near] == nearest[:3]
        assert near[0][1] == pytest.approx(float(vectors[nearest[0]] @ vectors[50]), abs=1e-3)


def test_a_photo_never_explains_itself_and_rejects_count_as_low(
    open_at: Open, ask: Ask, catalog: Catalog
) -> None:
    catalog.journal.decide({photo: {"flag": "reject"} for photo in (55, 56)}, summary="")
    session = open_at(25)
    why = ask(session, 7).why
    assert why is not None and 7 not in [photo for photo, _ in (*why.high, *why.low)]
    low = {photo for photo in range(1, 61) for p, _ in ask(session, photo).why.low if p == photo}
    assert low == set()
    assert any(
        photo in (55, 56) for near in range(26, 50) for photo, _ in ask(session, near).why.low
    )


def test_similar_photos_need_no_ratings(
    open_at: Open, ask: Ask, vectors: dict[int, np.ndarray]
) -> None:
    insight = ask(open_at(0), 5)
    others = sorted(set(vectors) - {5}, key=lambda photo: -float(vectors[photo] @ vectors[5]))
    assert [photo for photo, _ in insight.similar][:6] == others[:6]
    assert insight.why is None
    assert insight.missing == "Rate 20 more photos to start predictions."


def test_a_photo_not_analyzed_yet_says_so(open_at: Open, ask: Ask, catalog: Catalog) -> None:
    with catalog.store.transaction():
        catalog.store.run("DELETE FROM vector WHERE photo_id = 9")
    assert ask(open_at(0), 9) == Insight(9, missing="This photo is not analyzed yet.")


def test_photos_of_a_switched_off_folder_are_left_out(
    open_at: Open, ask: Ask, catalog: Catalog
) -> None:
    session = open_at(0)
    near = ask(session, 5).similar[0][0]
    with catalog.store.transaction():
        catalog.store.run("UPDATE photo SET merged_into = 5, rev = 99999 WHERE id = ?", (near,))
    session.table.refresh()
    assert near not in [photo for photo, _ in ask(session, 5).similar]


def test_of_many_requests_in_a_row_the_first_and_the_last_are_answered(
    open_at: Open, qtbot: QtBot
) -> None:
    session = open_at(0)
    photos: list[int] = []
    session.explanations.insight_ready.connect(lambda insight: photos.append(insight.photo_id))
    for photo in range(1, 30):
        session.explanations.explain(photo)
    qtbot.waitUntil(lambda: len(photos) == 2)
    assert photos == [1, 29]


# --- hidden


def test_an_unreviewed_photo_is_explained_only_at_the_second_request(open_at: Open) -> None:
    session = open_at(25)
    session.preferences.keys = {"why": "W"}
    messages: list[str] = []
    session.messages.status_message.connect(messages.append)
    session.navigator.go_to(40)
    assert not session.explanations.may_show_why(40)
    session.explanations.ask_why()
    assert session.view_state.inspector and not session.explanations.may_show_why(40)
    assert messages[-1] == "Hidden until you decide. Press W again to show."
    session.explanations.ask_why()
    assert session.explanations.may_show_why(40)
    session.explanations.ask_why()
    assert not session.view_state.inspector, "the key that opened it closes it"
    Person(session).run("next_photo", "previous_photo")
    assert not session.explanations.may_show_why(40), "hidden again after another photo"
    Person(session).run("stars_4")
    assert session.explanations.may_show_why(40)


def test_a_setting_shows_the_match_everywhere(open_at: Open) -> None:
    hidden, open_ = open_at(25), open_at(0, show_match=True)
    assert not any("match" in part for part in hidden.caption(40))
    assert open_.explanations.may_show_why(40)
    assert f"match {open_.tile(40).match} · " in open_.caption(40)[1]


# --- going to a similar photo


def test_visiting_a_photo_stays_in_the_list_or_changes_to_browse(open_at: Open) -> None:
    session = open_at(25)
    session.preferences.keys = {"cull": "Alt+1"}
    messages: list[str] = []
    session.messages.status_message.connect(messages.append)
    session.modes.set_mode(Pass.CULL)
    here = session.ids.tolist()[4]
    session.visit(here)
    assert (session.current, session.criteria.mode) == (here, Pass.CULL)
    session.visit(3)
    assert (session.current, session.criteria.mode) == (3, Pass.BROWSE)
    assert messages[-1] == "Browsing All photos; press Alt+1 to go on"
    session.modes.set_mode(Pass.CULL)
    assert session.current == here, "the cull is where it was left"


def test_visiting_a_photo_removes_a_filter_that_hides_it(open_at: Open) -> None:
    session = open_at(25)
    session.search.set_filter("is:rated")
    session.visit(50)
    assert session.current == 50 and session.criteria.filter == ""


# --- orders that the learner computes


def test_the_most_uncertain_photos_come_first_and_the_list_then_stays(
    qtbot: QtBot, open_at: Open
) -> None:
    session = open_at(30)
    session.navigator.go_to(7)
    with qtbot.waitSignal(session.photos.list_changed):
        session.ordering.set_order("uncertain")
    assert session.photos.index == 0
    order = session.ids.tolist()
    doubt = session.table.scores.sort_values("uncertain")[session.table.rows_of(session.ids)]
    assert list(doubt) == sorted(doubt, reverse=True) and len(order) == PHOTOS
    assert session.tile(order[0]).uncertainty == pytest.approx(doubt[0])
    Person(session).run("stars_5")
    qtbot.waitUntil(lambda: bool(session.taste.learned and session.taste.learned.ratings == 31))
    Person(session).run("undo")
    qtbot.waitUntil(lambda: bool(session.taste.learned and session.taste.learned.ratings == 30))
    assert session.ids.tolist() == order


def test_the_most_informative_photos_come_first_in_rate_mode(
    qtbot: QtBot, open_at: Open, catalog: Catalog
) -> None:
    catalog.journal.decide({photo: {"kept": True} for photo in range(31, 61)}, summary="")
    session = open_at(30)
    session.modes.set_mode(Pass.RATE)
    with qtbot.waitSignal(session.photos.list_changed):
        session.ordering.set_order("informative")
    assert set(session.ids.tolist()[:30]) == set(range(31, 61))
    order = session.ids.tolist()
    Person(session).run("stars_3")
    assert session.ids.tolist() == order
    session.modes.set_mode(Pass.BROWSE)
    with qtbot.waitSignals([session.photos.list_changed, session.photos.list_changed]):
        session.modes.set_mode(Pass.RATE)
    assert set(session.ids.tolist()[:29]) < set(range(31, 61)), "computed again"


def test_without_taste_such_an_order_is_refused_with_a_reason(open_at: Open) -> None:
    session = open_at(19)
    messages: list[str] = []
    session.messages.status_message.connect(messages.append)
    for order, title in (("informative", "Most informative"), ("match", "Match")):
        session.ordering.set_order(order)
        assert session.criteria.order == "taken"
        assert messages[-1] == f"{title}: Rate 1 more photo to start predictions."


def test_reversing_such_an_order_computes_nothing(qtbot: QtBot, open_at: Open) -> None:
    session = open_at(30)
    with qtbot.waitSignal(session.photos.list_changed):
        session.ordering.set_order("uncertain")
    order = session.ids.tolist()
    session.ordering.set_order("uncertain", True)
    assert session.ids.tolist() == order[::-1]


def test_an_order_chosen_meanwhile_wins(qtbot: QtBot, open_at: Open) -> None:
    session = open_at(30)
    session.ordering.set_order("informative")
    session.ordering.set_order("name")
    answers: list[object] = []
    session.taste.learner.ask(lambda learner: "later", answers.append)
    qtbot.waitUntil(lambda: bool(answers))
    assert session.criteria.order == "name"


def test_a_mode_keeps_such_an_order(qtbot: QtBot, open_at: Open) -> None:
    first = open_at(30)
    with qtbot.waitSignal(first.photos.list_changed):
        first.ordering.set_order("uncertain")
    order = first.ids.tolist()
    first.close()
    second = open_at(0)
    qtbot.waitUntil(lambda: second.ids.tolist() == order)
    assert second.criteria.order == "uncertain"
