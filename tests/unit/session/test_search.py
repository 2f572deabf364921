"""Searching twelve photos: what is found, in which order, and what a mark costs.

The encoder knows two words; each is an axis of its vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.encoders import EncoderOptions, Recipe
from curator.home import Home
from curator.library.query import FilterError
from curator.library.scopes import EVERYTHING
from curator.model import KnownError, Pass, View
from curator.session import Session
from curator.settings import Settings
from tests import catalogs, taste_data
from tests.unit.conftest import Person

AXES = {"boat": 0, "night": 1}


class TextEncoder:
    """A pipeline with only its text encoder, which is itself."""

    def __init__(self) -> None:
        recipe = Recipe("open_clip", taste_data.ENCODER, EncoderOptions())
        self.encoding = SimpleNamespace(recipe=recipe)
        self.asked: list[str] = []
        self.refusal: KnownError | None = None

    @property
    def text_encoder(self) -> TextEncoder:
        return self

    def request(self, text: str, recipe: Recipe, tell: Callable[[object], None]) -> None:
        self.asked.append(text)
        axis = AXES.get(text)
        vector = np.eye(4, dtype=np.float32)[3 if axis is None else axis]
        tell(self.refusal or vector.tobytes())


@pytest.fixture
def indexed(qapp: object, home: Home) -> Iterator[Session]:
    """A session with vectors: 1 to 3 show boats, 3 to 5 were taken at night."""
    catalogs.fill(home.catalog, 12)
    catalog = Catalog.open(home.catalog)
    results = []
    for photo in range(1, 13):
        vector = np.array([photo <= 3, 3 <= photo <= 5, 1, 0.1 * photo], np.float32)
        vector[0] += 0.01 * photo
        vector /= np.linalg.norm(vector)
        tone = np.zeros(76, np.float32)
        seen = taste_data.result(
            catalog, photo, taste_data.ENCODER, vector.astype(np.float16), tone
        )
        results.append((taste_data.job(photo), seen))
    catalog.vectors.save(results)
    session = Session(catalog, home, Settings.load(home))
    session.search.pipeline = TextEncoder()  # type: ignore[assignment]
    catalog.text.update_all()
    yield session
    session.close()
    catalog.close()


def tag(session: Session, photo: int, name: str) -> None:
    """Add a tag to a photo as another window would."""
    number = session.catalog.tags.ids([name], make=True)[name]
    session.catalog.journal.decide({photo: {("tag", number): "confirmed"}}, summary=f"tag {name}")


def found_by(session: Session) -> dict[int, str]:
    return {int(photo): session.tile(int(photo)).found for photo in session.ids}


def test_text_and_visual_matches_are_one_list_with_their_kind(
    indexed: Session, qtbot: QtBot
) -> None:
    tag(indexed, 9, "boat")
    tag(indexed, 2, "boat")
    indexed.search.set_filter("boat")
    assert sorted(indexed.ids) == [2, 9] and indexed.criteria.order == "relevance", "words at once"
    qtbot.waitUntil(lambda: len(indexed.ids) > 2)
    assert indexed.ids[0] == 2, "what both found comes first"
    assert found_by(indexed) == {2: "words, looks", 9: "words", 1: "looks", 3: "looks"}
    assert indexed.photos.index == 0


def test_visual_search_runs_on_photos_that_match_the_fields(indexed: Session, qtbot: QtBot) -> None:
    indexed.catalog.journal.decide({3: {"flag": "pick"}, 12: {"flag": "pick"}}, summary="")
    indexed.refresh()
    indexed.search.set_filter("night is:picked")
    qtbot.waitUntil(lambda: indexed.ids.tolist() == [3])
    indexed.search.set_filter("night -is:picked")
    qtbot.waitUntil(lambda: sorted(indexed.ids) == [4, 5])


def test_similar_photos_are_a_search_with_the_photo_itself_first(
    indexed: Session, qtbot: QtBot
) -> None:
    indexed.photos.go(3)
    photo = indexed.current
    indexed.search.find_similar()
    qtbot.waitUntil(lambda: len(indexed.ids) > 0)
    assert indexed.criteria.filter == f"similar:{photo}" and indexed.ids[:2].tolist() == [4, 5]
    assert indexed.tile(4).found == "1.00"
    indexed.search.leave_filter()
    assert indexed.current == photo and len(indexed.ids) == 12 and indexed.tile(4).found == ""


def test_an_unavailable_visual_search_is_reported_and_text_matches_stay(
    indexed: Session, qtbot: QtBot
) -> None:
    person = Person(indexed)
    indexed.search.pipeline.refusal = KnownError("The encoder failed.")  # type: ignore[union-attr]
    indexed.search.set_filter("DSC_0003")
    qtbot.waitUntil(lambda: person.messages[-1:] == ["Found by words only. The encoder failed."])
    assert indexed.ids.tolist() == [4]
    with pytest.raises(FilterError):
        indexed.search.set_filter("rating:many")
    assert indexed.criteria.filter == "DSC_0003", "an invalid search changes nothing"


def test_a_sort_order_chosen_in_a_search_belongs_to_that_search(session: Session) -> None:
    session.catalog.text.update_all()
    session.ordering.set_order("sharpness", True)
    session.search.set_filter("DSC")
    assert (session.criteria.order, session.criteria.is_reversed) == ("relevance", False)
    session.ordering.set_order("name", True)
    assert session.ids.tolist() == list(range(12, 0, -1))
    session.search.set_filter("DSC_00")
    assert session.criteria.order == "relevance", "another search, another order"
    session.search.leave_filter()
    assert (session.criteria.order, session.criteria.is_reversed) == ("sharpness", True)
    session.ordering.set_order("relevance")
    assert session.criteria.order == "sharpness", "nothing is searched for"


def test_a_mark_in_a_search_repeats_no_query_and_keeps_the_photo_listed(
    session: Session, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.catalog.text.update_all()
    session.search.set_filter("DSC camera:two is:unreviewed")
    assert session.ids.tolist() == [4, 7, 10]
    asked: list[object] = []
    for name in ("photos_with", "ranked", "update"):
        monkeypatch.setattr(session.catalog.text, name, lambda *args, **_: asked.append(args))
    person.run("reject")
    assert asked == [] and session.ids.tolist() == [4, 7, 10]
    assert session.tile(4).stale and not session.tile(7).stale
    monkeypatch.undo()
    session.photos.rebuild()
    assert session.ids.tolist() == [7, 10]


def test_text_changed_by_others_adds_matching_photos(session: Session) -> None:
    session.catalog.text.update_all()
    session.search.set_filter("harbor")
    assert not len(session.ids)
    other = Catalog.open(session.catalog.path)
    tag(session, 5, "harbor")
    other.text.update_all()
    other.close()
    session.watcher.check_for_commits()
    assert session.ids.tolist() == [5]


def test_a_saved_search_is_a_scope_with_modes(session: Session, person: Person) -> None:
    session.search.set_filter("camera:two is:unreviewed")
    session.search.save_search("Number two")
    session.search.leave_filter()
    row = next(row for row in session.sources.scopes() if row.scope.search is not None)
    assert (row.scope.title, row.count) == ("Number two", 3)
    session.sources.open_scope(row.scope)
    assert session.ids.tolist() == [4, 7, 10]
    person.run("reject")
    assert session.ids.tolist() == [4, 7, 10], "it stays until the list is opened again"
    session.modes.set_mode(Pass.CULL)
    assert session.ids.tolist() == [7, 10]
    session.search.remove_search(row.scope.search or 0)
    assert session.criteria.scope.kind == "all"


def test_an_open_saved_search_that_is_changed_shows_its_new_result(session: Session) -> None:
    for search in ("is:picked", "is:rejected"):
        session.sources.open_scope(EVERYTHING)
        session.search.set_filter(search)
        session.search.save_search(search.removeprefix("is:"))
    session.sources.open_scope(
        next(row.scope for row in session.sources.scopes() if row.scope.title == "picked")
    )
    session.search.set_filter("is:rejected")
    session.search.save_search("picked")
    session.search.leave_filter()
    assert session.criteria.scope.expression == "is:rejected"
    assert session.ids.tolist() == [11]


def test_browse_in_a_search_keeps_the_place_to_return_to(session: Session, person: Person) -> None:
    session.photos.go(7)
    person.run("loupe")
    session.search.set_filter("is:rejected")
    person.run("browse", "back")
    assert (session.view_state.view, session.photos.index) == (View.LOUPE, 7)


def test_a_saved_search_of_a_newer_version_finds_nothing_and_does_no_harm(session: Session) -> None:
    saved = session.catalog.searches.save("Odd", "colour:red")
    row = next(row for row in session.sources.scopes() if row.scope.search == saved.id)
    assert row.count == 0
    session.sources.open_scope(row.scope)
    assert not len(session.ids)
