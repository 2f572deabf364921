"""Photos that come back in the rating mode with hidden stars: when, which, and what they reveal."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog, RepeatRating
from curator.home import Home
from curator.library import captions
from curator.model import Flag, View
from curator.session import Session
from curator.session.repeats import GAP, RepeatSchedule
from curator.settings import Settings
from tests import catalogs, taste_data
from tests.unit.conftest import Person

PHOTOS = 200
RATED = range(1, 101)  # in an earlier session, with 1, 2, 3, 4, 5, 1, 2... stars
DAY_S = 86_400


def stars_of(photo: int) -> int:
    return (photo - 1) % 5 + 1


def rate(catalog: Catalog, photos: Iterable[int], source: str = "person") -> None:
    """Rate photos as in an earlier session."""
    catalog.journal.decide(
        {photo: {"rating": stars_of(photo), "kept": True} for photo in photos},
        summary="stars",
        context={"pass": "rate"},
        source=source,
    )


@pytest.fixture
def keep_all(qapp: QCoreApplication, home: Home) -> Catalog:
    """A catalog whose photos are all kept, without stars."""
    catalogs.fill(home.catalog, PHOTOS)
    catalog = Catalog.open(home.catalog)
    kept = {"kept": True, "flag": None, "rating": None, "label": None}
    catalog.journal.decide(dict.fromkeys(range(1, PHOTOS + 1), kept), summary="keep all")
    return catalog


@pytest.fixture
def open_rating(keep_all: Catalog, home: Home) -> Iterator[Callable[..., Session]]:
    """Open a session in the rating mode; a second call closes the first, as the next start does."""
    opened: list[tuple[Session, Catalog]] = []

    def close() -> None:
        while opened:
            session, catalog = opened.pop()
            session.close()
            catalog.close()

    def start(**taste: object) -> Session:
        close()
        catalog = Catalog.open(home.catalog)
        session = Session(catalog, home, Settings.load(home, {"taste": taste}))
        opened.append((session, catalog))
        Person(session).run("rate")
        session.navigator.go_to(int(session.ids[0]))
        QCoreApplication.processEvents()
        return session

    yield start
    close()
    keep_all.close()


@pytest.fixture
def session(keep_all: Catalog, open_rating: Callable[..., Session]) -> Session:
    """A session that opens the rating mode after a hundred photos were rated in another."""
    rate(keep_all, RATED)
    return open_rating()


def hidden(session: Session) -> int:
    """Return the only photo whose stars are hidden."""
    [photo] = session.photos.hidden_stars
    return photo


def reach(session: Session) -> int:
    """Go to the photo that came back."""
    session.navigator.go_to(hidden(session))
    QCoreApplication.processEvents()
    return hidden(session)


def rate_next(session: Session, photos: int) -> list[int]:
    """Rate photos one after the other with 3 stars; return the positions of hidden stars."""
    person, found = Person(session), []
    for _ in range(photos):
        if session.current in session.photos.hidden_stars:
            found.append(session.photos.index)
        person.run("stars_3", "next_photo")
        QCoreApplication.processEvents()
    return found


def repeats(session: Session) -> list[RepeatRating]:
    return session.catalog.taste.repeats()


# --- when


@pytest.mark.parametrize("percent", [2, 1.3, 0.5])
def test_at_any_time_at_most_the_share_has_come_back(percent: float) -> None:
    """Ten thousand photos, some skipped, some undone, with restarts and places passed over."""
    chance, schedule = random.Random(7), RepeatSchedule()
    rated, since_planned, since_shown, shown = set[int](), set[int](), set[int](), list[int]()
    ahead, planned_at = None, 0  # the position of the next repeat, and where it was planned
    for photo in range(10_000):
        if photo == ahead:
            shown.append(photo)
            schedule.show()
            since_shown.clear()
            since_planned.intersection_update(range(planned_at + 1, photo))
            ahead = None
            assert len(shown) <= len(rated) * percent / 100
            continue
        if chance.random() < 0.9:
            for each in (rated, since_planned, since_shown):
                each.add(photo)
            schedule.rate(photo)
        if chance.random() < 0.02 and photo in rated:
            for each in (rated, since_planned, since_shown):
                each.remove(photo)
            schedule.unrate([photo])
        if chance.random() < 0.01 and ahead is not None:
            schedule.give_up()
            ahead = None
        if chance.random() < 0.002:
            schedule, ahead = RepeatSchedule(since_planned, since_shown), None
        least = schedule.ahead(percent)
        if ahead is None and least is not None:
            ahead, planned_at = photo + max(least, 24), photo
            schedule.plan()
    assert all(later - earlier > GAP for earlier, later in pairwise(shown))
    assert len(shown) > 0.6 * len(rated) * percent / 100, "and not far fewer"


def test_one_photo_in_fifty_comes_back(session: Session) -> None:
    places = rate_next(session, 80)
    assert places == [24, 76], "more than fifty others lie between"
    assert [each.photo_id for each in repeats(session)] == session.ids[places].tolist()


@pytest.mark.parametrize("percent", [0, 1])
def test_the_setting_makes_it_rarer_or_turns_it_off(
    keep_all: Catalog, open_rating: Callable[..., Session], percent: float
) -> None:
    rate(keep_all, range(1, 99))
    session = open_rating(repeats=percent)
    assert not session.photos.hidden_stars
    rate_next(session, 3)
    assert len(session.photos.hidden_stars) == percent


def test_a_repeat_is_beyond_the_visible_filmstrip_and_before_unrated_photos(
    session: Session,
) -> None:
    photo = hidden(session)
    position = session.photos.listing.position(photo)
    assert position == session.photos.index + 24
    ahead = session.ids[session.photos.index : position + 1].tolist()
    assert [each for each in ahead if each <= RATED[-1]] == [photo]


@pytest.mark.parametrize("order", ["informative", "uncertain"])
def test_a_repeat_leaves_an_order_that_the_learner_computes(
    keep_all: Catalog, open_rating: Callable[..., Session], qtbot: QtBot, order: str
) -> None:
    taste_data.embed(keep_all, range(1, PHOTOS + 1))
    rate(keep_all, RATED)
    session = open_rating(repeats=0)
    qtbot.waitUntil(lambda: session.taste.has_scores)
    with qtbot.waitSignal(session.photos.list_changed):
        session.ordering.set_order(order)
    before = session.ids.tolist()
    session.settings.taste.repeats = 2
    with qtbot.waitSignal(session.ordering.rebuilt_sorted):
        Person(session).run("browse", "rate")
    photo = hidden(session)
    assert session.photos.listing.position(photo) == 24
    after = session.ids.tolist()
    for order_of_ids in (before, after):
        order_of_ids.remove(photo)
    assert after == before


def test_after_sorting_again_a_photo_comes_back_although_none_was_reached(
    keep_all: Catalog, open_rating: Callable[..., Session], qtbot: QtBot
) -> None:
    taste_data.embed(keep_all, range(1, PHOTOS + 1))
    rate(keep_all, RATED)
    session = open_rating()
    qtbot.waitUntil(lambda: session.taste.has_scores)
    for _ in range(2):
        hidden(session)
        cleared = lambda: not session.photos.hidden_stars  # noqa: E731 - the next may hide at once
        with qtbot.waitSignal(session.photos.list_changed, check_params_cb=cleared):
            session.ordering.set_order("informative")  # the second time of the ratings made since
        session.navigator.step(1)
        QCoreApplication.processEvents()
    hidden(session)


def test_none_comes_back_in_the_cull_in_projects_or_while_browsing(session: Session) -> None:
    person = Person(session)
    person.run("cull")
    assert not session.photos.hidden_stars
    person.run("browse")
    session.viewer.set_view(View.LOUPE)
    QCoreApplication.processEvents()
    assert not session.photos.hidden_stars


# --- what is said


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("2026-11-23", "earlier today"),
        ("2026-11-22", "yesterday"),
        ("2026-11-20", "3 days ago"),
        ("2026-11-12", "last week"),
        ("2026-03-14", "in March"),
        ("2025-12-31", "in December 2025"),
    ],
)
def test_the_earlier_rating_is_dated_as_people_say_it(then: str, said: str) -> None:
    moment, now = datetime.fromisoformat(f"{then} 01:00"), datetime(2026, 11, 23, 20)
    text = captions.earlier_rating(4, moment.timestamp(), same=False, now=now)
    assert text == f"You gave this 4 {said}"


# --- which


def test_each_number_of_stars_comes_back_and_no_photo_twice(
    keep_all: Catalog, open_rating: Callable[..., Session]
) -> None:
    for first in (1, 51, 101):
        rate(keep_all, range(first, first + 50))
        session = open_rating()
        photo = reach(session)
        Person(session).run("stars_5")
        assert not session.photos.hidden_stars and session.tile(photo).marks.rating == 5
    found = repeats(session)
    assert len({each.photo_id for each in found}) == len({each.first for each in found}) == 3


def test_ratings_from_files_and_of_this_session_do_not_come_back(
    keep_all: Catalog, open_rating: Callable[..., Session]
) -> None:
    rate(keep_all, RATED[:60], source="file")
    session = open_rating()
    rate_next(session, 80)
    assert not session.photos.hidden_stars


def test_stacked_flagged_and_unkept_photos_do_not_come_back(
    keep_all: Catalog, open_rating: Callable[..., Session]
) -> None:
    rate(keep_all, RATED)
    only = {7, 8}
    keep_all.journal.decide(
        {photo: {"stacked": 1 + photo // 3} for photo in range(10, 101)}, summary="stack"
    )
    keep_all.journal.decide({photo: {"flag": Flag.PICK} for photo in range(1, 7)}, summary="pick")
    keep_all.journal.decide({9: {"flag": Flag.REJECT}}, summary="reject")
    assert hidden(open_rating()) in only


# --- hiding and showing


def test_a_photo_that_came_back_looks_unrated(session: Session) -> None:
    photo = reach(session)
    assert session.tile(photo).marks.rating is None and session.detail(photo).marks.rating is None
    assert "★" not in session.caption(photo)[0]
    assert {each.field for s in session.history.of(photo) for each in s.changes} <= {"kept"}
    assert session.table.marks(photo).rating == stars_of(photo), "exports see the stars"
    progress = session.statistics.progress()
    assert (progress.decided, progress.unrated) == (100, 100)


def test_the_first_rating_is_told_after_the_second(session: Session) -> None:
    photo, person = reach(session), Person(session)
    earlier = stars_of(photo)
    person.run("stars_1" if earlier > 1 else "stars_2")
    name = session.table.name(photo)
    told = f"You gave this {earlier} earlier today"
    assert person.messages[-1].startswith(f"{2 - (earlier > 1)} star")
    assert told in person.messages[-1] and name in person.messages[-1]
    assert session.caption(photo)[1].startswith(f"{told} · {name}")
    [found] = repeats(session)
    assert (found.photo_id, found.first, found.again) == (photo, earlier, 2 - (earlier > 1))
    session.navigator.step(1)
    assert told not in session.caption(photo)[1]


def test_the_same_stars_again_count_and_undo_and_redo_work(session: Session) -> None:
    photo, person = reach(session), Person(session)
    stars = stars_of(photo)
    person.run(f"stars_{stars}")
    assert person.messages[-1].endswith(f"You gave this {stars} earlier today, too")
    assert [(each.first, each.again) for each in repeats(session)] == [(stars, stars)]
    person.run("undo")
    assert not repeats(session) and session.tile(photo).marks.rating == stars
    assert "You gave" not in session.caption(photo)[1]
    person.run("redo")
    assert len(repeats(session)) == 1 and session.current == photo
    person.run("undo", f"stars_{stars}")
    assert not repeats(session), "its stars were on screen"


def test_a_photo_merged_meanwhile_can_be_rated_again(keep_all: Catalog, session: Session) -> None:
    photo, person = reach(session), Person(session)
    with keep_all.store.transaction():
        keep_all.store.run("UPDATE photo SET merged_into = 200 WHERE id = ?", (photo,))
    stars = stars_of(photo)
    person.run(f"stars_{stars}")
    assert person.messages[-1].endswith(f"You gave this {stars} earlier today, too")
    assert [(each.photo_id, each.again) for each in repeats(session)] == [(200, stars)]
    assert not session.photos.hidden_stars


def test_whatever_else_a_person_does_leaves_the_stars(session: Session) -> None:
    photo, person = reach(session), Person(session)
    for mark in ("stars_0", "label_red", "pick", "reject"):
        person.run(mark)
        session.navigator.go_to(int(session.ids[0]))
        session.navigator.go_to(photo)
        assert session.tile(photo).marks.rating is None, "still hidden"
    assert session.table.marks(photo).rating == stars_of(photo) and not repeats(session)
    assert f"{session.table.name(photo)}: no stars already" in person.messages


@pytest.mark.parametrize("leave", ["grid", "compare", "browse", "finish"])
def test_leaving_the_loupe_or_the_mode_shows_the_stars_and_repeats_nothing(
    session: Session, leave: str
) -> None:
    before, photo = session.ids.tolist(), reach(session)
    Person(session).run(leave)
    assert not session.photos.hidden_stars
    assert session.tile(photo).marks.rating == stars_of(photo)
    Person(session).run("rate")
    session.navigator.go_to(photo)
    Person(session).run(f"stars_{6 - stars_of(photo)}")
    assert not repeats(session)
    assert sorted(before) == sorted(session.ids.tolist())


def test_a_photo_not_reached_returns_to_its_place(session: Session) -> None:
    photo = hidden(session)
    Person(session).run("grid")
    ids = session.ids.tolist()
    assert ids[:100] == list(range(101, 201)) and sorted(ids[100:]) == list(RATED)
    at = ids.index(photo)
    assert stars_of(ids[at - 1]) <= stars_of(photo) <= stars_of(ids[at + 1])


@pytest.mark.parametrize("reached", [False, True])
def test_turning_it_off_shows_the_stars_and_puts_the_photo_back(
    session: Session, reached: bool
) -> None:
    photo = reach(session) if reached else hidden(session)
    session.settings.taste.repeats = 0
    session.preferences.save()
    assert session.tile(photo).marks.rating == stars_of(photo)
    assert (session.ids.tolist()[:100] == list(range(101, 201))) is not reached, "it is on screen"
    session.navigator.step(1)
    QCoreApplication.processEvents()
    assert not session.photos.hidden_stars


def test_a_photo_passed_over_by_a_jump_shows_its_stars_and_the_next_one_is_ahead(
    session: Session,
) -> None:
    photo = hidden(session)
    session.navigator.go_to(int(session.ids[30]))
    QCoreApplication.processEvents()
    assert session.tile(photo).marks.rating == stars_of(photo)
    another = hidden(session)
    assert another != photo and session.photos.listing.position(another) == 30 + 24


def test_new_photos_do_not_move_a_photo_that_came_back(session: Session) -> None:
    photo = hidden(session)
    position = session.photos.listing.position(photo)
    session.photos.recheck()
    assert session.photos.listing.position(photo) == position
    assert session.tile(photo).marks.rating is None


def test_a_rating_in_another_window_shows_the_stars(keep_all: Catalog, session: Session) -> None:
    photo = hidden(session)
    other = stars_of(photo) % 5 + 1
    keep_all.journal.decide({photo: {"rating": other}}, summary="elsewhere")
    session.refresh()
    assert not session.photos.hidden_stars and session.tile(photo).marks.rating == other


def test_sorting_the_list_shows_the_stars(session: Session) -> None:
    photo = reach(session)
    session.ordering.set_order("taken")
    assert session.tile(photo).marks.rating == stars_of(photo)


def test_a_photo_whose_stars_sorting_showed_does_not_come_back_in_this_session(
    keep_all: Catalog, open_rating: Callable[..., Session]
) -> None:
    rate(keep_all, RATED)
    others = {photo: {"flag": Flag.PICK} for photo in RATED if photo != 60}
    keep_all.journal.decide(others, summary="pick")
    session = open_rating()
    assert reach(session) == 60
    session.ordering.set_order("taken")
    session.ordering.set_order("rating")
    session.navigator.go_to(int(session.ids[0]))
    QCoreApplication.processEvents()
    assert not rate_next(session, 80) and not session.photos.hidden_stars


def test_a_photo_not_reached_before_leaving_the_loupe_may_come_back_again(
    keep_all: Catalog, open_rating: Callable[..., Session]
) -> None:
    rate(keep_all, RATED)
    others = {photo: {"flag": Flag.PICK} for photo in RATED if photo != 60}
    keep_all.journal.decide(others, summary="pick")
    session = open_rating()
    assert hidden(session) == 60
    Person(session).run("grid", "loupe")
    QCoreApplication.processEvents()
    assert hidden(session) == 60


def test_a_window_closed_before_rating_leaves_all_as_it_was(
    session: Session, open_rating: Callable[..., Session]
) -> None:
    photo = reach(session)
    session = open_rating()
    assert session.tile(photo).marks.rating == stars_of(photo) and not repeats(session)
    assert not session.photos.hidden_stars, "one was asked for: the next comes after fifty more"


def test_a_version_saved_at_closing_is_of_all_ratings(
    keep_all: Catalog, open_rating: Callable[..., Session], qtbot: QtBot
) -> None:
    taste_data.embed(keep_all, range(1, PHOTOS + 1))
    rate(keep_all, RATED)
    session = open_rating()
    hidden(session)
    qtbot.waitUntil(lambda: bool(session.taste.learned and session.taste.learned.ratings == 99))
    open_rating()
    assert {version.ratings for version in keep_all.taste.versions()} == {100}


def test_a_photo_repeated_lately_is_not_repeated(
    keep_all: Catalog, open_rating: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(keep_all, RATED)
    others = set(RATED) - {60}
    keep_all.journal.decide({photo: {"flag": Flag.PICK} for photo in others}, summary="pick")
    now = time.time()
    keep_all.journal.repeat(60, {"rating": 2}, summary="2 stars")
    assert not open_rating().photos.hidden_stars
    monkeypatch.setattr(time, "time", lambda: now + 40 * DAY_S)
    assert hidden(open_rating()) == 60
