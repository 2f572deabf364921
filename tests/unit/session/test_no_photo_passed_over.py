"""In a pass every photo is shown, and a mark goes to what the person saw, whatever comes meanwhile.

Twelve photos. The pipeline, another process and a refresh change the list under the person.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.learning.learner import Learned
from curator.model import Flag, Marks, Verdict, View
from curator.session import Session
from tests import catalogs
from tests.unit.conftest import UNREVIEWED, Person


def ahead(session: Session) -> list[int]:
    """Return the current photo and all that come after it."""
    return session.ids[session.photos.index :].tolist()


# --- the list of a pass


def test_a_refresh_goes_on_with_the_next_photo_that_is_left(person: Person) -> None:
    session = person.run("cull", "keep", "keep", "keep", "keep", "stars_4").session
    here = session.current
    person.run("reapply")
    assert here == 6 and session.current == 7


def test_a_refresh_at_the_end_goes_to_the_last_photo_that_is_left(person: Person) -> None:
    session = person.run("cull").session
    session.navigator.go_to(12)
    person.run("stars_4", "reapply")
    assert session.current == 10


def test_a_late_frame_of_the_current_stack_comes_after_the_current_photo(
    person: Person, home: Home
) -> None:
    session = person.run("cull").session
    session.navigator.go_to(6)
    catalogs.append(home.catalog, 99, "DSC_0099.JPG", taken_at="2020-01-01T00:00:00")
    catalogs.stack(home.catalog, 6, 99)
    session.refresh()
    assert ahead(session)[:2] == [6, 99]


def test_splitting_one_stack_moves_no_frame_of_another(person: Person, home: Home) -> None:
    catalogs.stack(home.catalog, 6, 7)
    session = person.session
    session.refresh()
    person.run("cull")
    session.navigator.go_to(6)
    catalogs.stack(home.catalog, 3, 10)
    session.refresh()
    session.decisions.decide("split off", {6: {"stacked": 0}})
    assert 10 in ahead(session)


@pytest.mark.parametrize("moved", [True, False])
def test_first_scores_sort_a_pass_only_if_the_person_has_not_moved(
    person: Person, moved: bool
) -> None:
    session = person.run("cull").session
    session.criteria.choose_order("match", False)
    session.photos.rebuild()  # as when the window opens: there are no scores yet
    if moved:
        person.run("next_photo", "next_photo", "next_photo")
    before = session.ids.tolist()
    stars = np.tile(np.float32([1, 5]), 6)
    model: Any = SimpleNamespace(match=SimpleNamespace(separates=True))
    learned = Learned("starter", 30, 30, 12, model=model, ids=np.arange(1, 13))
    session.taste._on_learned(replace(learned, predicted=stars, scores=20 * stars))
    assert (session.ids.tolist() == before) is moved
    assert (session.photos.index == 0) is not moved


@pytest.mark.parametrize("mode", ["cull", "rate"])
def test_a_photo_that_another_process_brings_back_joins_an_open_pass(
    person: Person, mode: str
) -> None:
    session = person.session
    session.decisions.decide("reject", {5: {"flag": Flag.REJECT}})
    person.run(mode)
    assert 5 not in session.ids
    with closing(Catalog.open(session.catalog.path)) as other:
        other.journal.decide({5: {"flag": None, "kept": mode == "rate"}}, summary="Elsewhere")
    session.refresh()
    assert 5 in ahead(session)


# --- what a mark goes to


def test_a_marked_photo_stays_while_capture_times_arrive(person: Person, home: Home) -> None:
    session = person.session
    session.photos.untouched = True  # as in a folder just opened
    session.decisions.mark("5 stars", {1: {"rating": 5}}, advance=False)
    catalogs.capture(home.catalog, 7, taken_at="2020-01-01T00:00:00")
    session.refresh()
    assert session.current == 1


def test_the_loupe_stays_at_its_photo_while_capture_times_arrive(
    person: Person, home: Home
) -> None:
    session = person.session
    session.photos.untouched = True
    session.viewer.set_view(View.LOUPE)
    catalogs.capture(home.catalog, 7, taken_at="2020-01-01T00:00:00")
    session.refresh()
    assert session.current == 1


def test_frames_that_join_a_stack_with_the_key_are_not_rejected(person: Person, home: Home) -> None:
    catalogs.stack(home.catalog, 3, 4)
    session = person.run("cull").session
    session.navigator.go_to(3)
    session.refresh()
    catalogs.stack(home.catalog, 3, 4, 9)
    person.run("keep_this")
    verdicts = [session.table.verdict(photo) for photo in (3, 4, 9)]
    assert verdicts == [Verdict.KEPT, Verdict.REJECTED, Verdict.UNREVIEWED]


@pytest.mark.parametrize("mode", ["browse", "cull"])
def test_keep_this_decides_nothing_if_its_refresh_changes_what_it_is_about(
    person: Person, home: Home, mode: str
) -> None:
    session = person.session
    catalogs.stack(home.catalog, 3, 4, 5)
    session.refresh()
    person.run(mode)
    session.navigator.go_to(4)
    with closing(Catalog.open(home.catalog)) as other, other.store.transaction():
        other.store.run("UPDATE photo SET merged_into = 3 WHERE id = 4")
    person.run("keep_this")
    assert {session.table.verdict(photo) for photo in (3, 5)} == {Verdict.UNREVIEWED}
    assert "Look again" in person.messages[-1]


def test_a_cull_whose_photos_are_all_gone_is_at_its_end(person: Person, home: Home) -> None:
    session = person.run("cull").session
    with closing(Catalog.open(home.catalog)) as other, other.store.transaction():
        other.store.run(f"UPDATE photo SET merged_into = 1 WHERE id IN {tuple(UNREVIEWED)}")
    session.refresh()
    assert not session.ids.size and session.view_state.finished


def test_a_tile_taken_out_of_the_selection_gets_no_mark(session: Session) -> None:
    session.photos.select_only(3)
    session.photos.toggle_selected(5)
    session.photos.toggle_selected(5)
    assert session.stacks.targets() == [3]


def test_the_last_tiles_taken_out_leave_the_cover_of_a_stack_as_target(
    session: Session, home: Home
) -> None:
    catalogs.stack(home.catalog, 5, 6, 7)
    session.decisions.decide("5 stars", {7: {"rating": 5, "kept": True}})
    session.refresh()
    session.photos.select_only(7)
    session.photos.toggle_selected(3)
    session.photos.toggle_selected(3)
    assert session.current == 7 and session.stacks.targets() == [7]


def test_a_stack_made_by_hand_in_a_cull_is_together_whatever_else_changed(
    person: Person, home: Home
) -> None:
    session = person.run("cull", "grid").session
    session.photos.select_only(3)
    session.photos.toggle_selected(5)
    session.photos.toggle_selected(12)
    catalogs.capture(home.catalog, 8, iso=800)
    person.run("stack_selection")
    assert session.photos.listing.unit(3).tolist() == [3, 5, 12]


def test_no_stars_takes_back_nothing_that_another_process_kept(person: Person) -> None:
    session = person.run("cull").session
    with closing(Catalog.open(session.catalog.path)) as other:
        other.journal.decide({2: {"rating": 5, "kept": True}}, summary="Elsewhere")
    person.run("stars_0")
    assert session.catalog.photos.get(2).marks == Marks(kept=True)


def test_undoing_a_label_leaves_a_confirmed_mark_of_a_file_confirmed(session: Session) -> None:
    journal = session.catalog.journal
    journal.decide({4: {"flag": "reject"}}, summary="Read", source="file")
    journal.decide({4: {"flag": "reject"}}, summary="Rejected")
    assert not session.catalog.photos.get(4).elsewhere
    journal.decide({4: {"label": "red"}}, summary="Red")
    journal.undo()
    assert not session.catalog.photos.get(4).elsewhere
    journal.decide({4: {"rating": 2}}, summary="2 stars")
    journal.undo()
    assert not session.catalog.photos.get(4).elsewhere


def test_a_mark_prevails_over_one_the_window_has_not_read_yet(person: Person) -> None:
    session = person.run("cull").session
    shown = session.current
    assert shown == 2
    with closing(Catalog.open(session.catalog.path)) as other:
        other.journal.decide({2: {"flag": "reject"}}, summary="Elsewhere")
    person.run("keep")
    assert session.catalog.photos.get(2).marks == Marks(kept=True)
    session.navigator.go_to(11)
    with closing(Catalog.open(session.catalog.path)) as other:
        other.journal.decide({3: {"flag": "reject"}}, summary="Elsewhere")
        session.refresh()
        other.journal.decide({3: {"flag": None}}, summary="Elsewhere")
    session.navigator.go_to(3)
    person.run("reject")
    assert session.catalog.photos.get(3).marks.flag is Flag.REJECT


def test_stars_of_a_file_do_not_become_a_decision_when_keeping_is_undone(
    session: Session,
) -> None:
    journal = session.catalog.journal
    journal.decide({4: {"kept": True}}, summary="Kept")
    journal.decide({4: {"rating": 5}}, summary="Read", source="file")
    undone = journal.undo()
    assert undone is not None and session.catalog.photos.get(4).elsewhere
    assert session.catalog.photos.get(4).marks == Marks(rating=5)
    journal.redo()
    assert not session.catalog.photos.get(4).elsewhere
