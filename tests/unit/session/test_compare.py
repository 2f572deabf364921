"""Compare and survey in the session: panes, moves, marks of the active photo, and undo."""

from __future__ import annotations

import pytest

from curator import commands
from curator.catalog import Catalog
from curator.model import Flag, Kind, Marks, StageJob, View
from curator.session import Session
from tests import catalogs
from tests.unit.conftest import Person


def shown(session: Session) -> tuple[int, ...]:
    assert session.compare.panes is not None
    return session.compare.panes.photos


def marked(session: Session) -> set[int]:
    """Return the photos marked in a test; 1 and 11 were marked before."""
    others = set(session.ids.tolist()) - {1, 11}
    return {photo for photo in others if session.table.marks(photo) != Marks()}


@pytest.fixture
def comparing(person: Person, session: Session) -> Person:
    """A person who compares photos 3 and 4, coming from the loupe."""
    session.photos.go(2)
    return person.run("loupe", "compare")


# --- compare


def test_compare_opens_with_the_current_photo_as_winner_and_the_next_beside_it(
    comparing, session
) -> None:
    assert session.view_state.view is View.COMPARE
    assert shown(session) == (3, 4)
    assert session.current == 4  # the challenger has to prove itself


def test_arrows_bring_challengers_and_the_winner_stays(comparing, session) -> None:
    comparing.run("next_photo")
    assert shown(session) == (3, 5)
    comparing.run("previous_photo", "previous_photo")
    assert shown(session) == (3, 2)
    assert session.current == 2
    comparing.run("previous_photo", "previous_photo")
    assert shown(session) == (3, 1)
    assert comparing.messages[-1] == "No challengers before this one."


def preferences(session: Session) -> list[tuple[int, int]]:
    return [(each.winner, each.loser) for each in session.catalog.taste.preferences()]


def test_enter_makes_the_challenger_the_winner(comparing, session) -> None:
    comparing.run("promote")
    assert shown(session) == (4, 5)
    assert session.current == 5
    assert preferences(session) == [(4, 3)]
    assert marked(session) == set()  # it says which is better, not that either is good


def test_a_comparison_is_undone_in_the_compare_view(comparing, session) -> None:
    comparing.run("promote", "undo")
    assert preferences(session) == []
    assert shown(session) == (3, 4)
    assert comparing.messages[-1] == "Undid preference, DSC_0003"
    comparing.run("redo")
    assert preferences(session) == [(4, 3)]


def test_a_second_enter_waits_until_the_next_challenger_is_painted(comparing, session) -> None:
    comparing.run("promote")
    commands.run(session, "promote")  # before the next one is painted
    assert preferences(session) == [(4, 3)]
    assert shown(session) == (4, 5)
    assert comparing.messages[-1] == "DSC_0004 is still loading. Nothing was changed; try again."


def test_a_challenger_that_was_not_seen_does_not_win(comparing, session) -> None:
    session.compare.activate(3)  # the winner, which is on screen
    session.viewer.note_painted(3)
    commands.run(session, "promote")
    assert preferences(session) == [] and shown(session) == (3, 4)
    assert comparing.messages[-1] == "DSC_0003 is still loading. Nothing was changed; try again."
    comparing.run("promote")
    assert preferences(session) == [(4, 3)]


def test_the_last_comparison_of_two_photos_counts(comparing, session) -> None:
    session.catalog.journal.decide(
        {3: {("over", 4): True}}, summary="Preferred DSC_0002 to DSC_0003"
    )
    comparing.run("promote")
    assert preferences(session) == [(4, 3)]
    comparing.run("undo")
    assert preferences(session) == [(3, 4)]


def test_x_on_the_challenger_brings_the_next(comparing, session) -> None:
    comparing.run("reject")
    assert marked(session) == {4}
    assert session.tile(4).marks.flag is Flag.REJECT
    assert shown(session) == (3, 5)


def test_x_on_the_winner_promotes_the_challenger(comparing, session) -> None:
    comparing.run("switch_pane", "reject")
    assert marked(session) == {3}
    assert shown(session) == (4, 5)
    assert session.current == 4  # the same pane as before


def test_other_marks_on_the_winner_leave_it_there(comparing, session) -> None:
    comparing.run("switch_pane", "pick")
    assert shown(session) == (3, 4)
    comparing.run("stars_4")
    assert shown(session) == (3, 4)
    assert marked(session) == {3}


def test_shift_x_leaves_both_where_they_are(comparing, session) -> None:
    comparing.run("reject", invert=True)
    assert shown(session) == (3, 4)
    comparing.run("switch_pane").run("reject", invert=True)
    assert shown(session) == (3, 4)


def test_the_last_challenger_to_win_ends_the_comparison(person, session) -> None:
    session.photos.go(10)
    person.run("compare")
    assert shown(session) == (11, 12)
    person.run("promote")
    assert session.view_state.view is View.LOUPE
    assert session.current == 12
    assert "no more challengers" in person.messages[-1]


def test_the_last_photo_is_challenged_by_the_nearest_earlier_one_that_is_not_rejected(
    person, session
) -> None:
    session.photos.go(11)
    person.run("compare")
    assert shown(session) == (12, 10)


def test_a_reject_challenges_only_rejects(comparing, session) -> None:
    session.catalog.journal.decide({5: {"flag": "reject"}, 7: {"flag": "reject"}}, summary="-")
    job = StageJob(6, "convert", "", Kind.IMAGE, "")
    session.catalog.work.save_failure(job, "empty", retry=False)
    session.refresh()
    comparing.run("next_photo")
    assert shown(session) == (3, 8), "5 and 7 are rejects, 6 cannot be read"
    comparing.run("previous_photo", "reject")
    assert shown(session) == (3, 8)
    comparing.run("previous_photo")
    assert shown(session) == (3, 2)
    comparing.run("switch_pane", "reject")
    assert shown(session) == (2, 8), "3 lost, and what follows 2 is rejected or unreadable"
    session.search.set_filter("is:rejected")
    comparing.run("compare")
    assert session.table.rejected()[session.table.rows_of(shown(session))].all()


def test_rejects_of_a_selection_or_stack_do_not_challenge(person, session, home) -> None:
    catalogs.stack(home.catalog, 3, 4, 5)
    session.refresh()
    session.catalog.journal.decide({4: {"flag": "reject"}}, summary="-")
    session.refresh()
    session.navigator.go_to(3)
    person.run("loupe", "compare")
    assert shown(session) == (3, 5)
    person.run("back", "grid")
    session.catalog.journal.decide({9: {"flag": "reject"}}, summary="-")
    session.refresh()
    session.photos.select_only(7)
    for photo in (10, 9, 8):
        session.photos.toggle_selected(photo)
    person.run("compare")
    assert shown(session) == (8, 10)
    person.run("back", "grid")
    session.photos.select_only(8)
    session.photos.toggle_selected(9)
    person.run("compare")
    assert set(shown(session)) == {8, 9}, "the two that were chosen"


def test_esc_returns_to_the_previous_view_with_the_winner(comparing, session) -> None:
    comparing.run("next_photo", "next_photo", "back")
    assert session.view_state.view is View.LOUPE
    assert session.current == 3


def test_e_opens_the_active_photo_in_the_loupe(comparing, session) -> None:
    comparing.run("next_photo", "loupe")
    assert (session.view_state.view, session.current) == (View.LOUPE, 5)


def test_esc_leaves_100_percent_first(comparing, session) -> None:
    session.view_state.set_zoom(1.0, (0.3, 0.3))
    comparing.run("back")
    assert (session.view_state.view, session.view_state.zoom) == (View.COMPARE, None)


def test_two_selected_photos_are_compared_with_each_other(person, session) -> None:
    session.photos.select_only(7)
    session.photos.toggle_selected(2)
    person.run("compare")
    assert shown(session) == (2, 7)
    person.run("next_photo")
    assert shown(session) == (2, 8)


def test_challengers_come_from_a_larger_selection(person, session) -> None:
    session.photos.select_only(9)
    session.photos.toggle_selected(2)
    session.photos.toggle_selected(5)
    person.run("compare")
    assert shown(session) == (5, 9)
    person.run("previous_photo")
    assert shown(session) == (5, 2)
    person.run("previous_photo")
    assert shown(session) == (5, 2)


def test_a_single_photo_cannot_be_compared(person, session) -> None:
    session.search.set_filter("is:picked")
    assert session.ids.tolist() == [1]
    person.run("compare")
    assert session.view_state.view is View.GRID
    assert person.messages[-1] == "There is nothing to compare DSC_0000 with."
    person.run("survey")
    assert session.view_state.view is View.GRID


def test_an_empty_list_cannot_be_compared(person, session) -> None:
    session.search.set_filter("rating:5 is:rejected")
    assert session.current is None
    person.run("compare", "survey")
    assert session.view_state.view is View.GRID


# --- only the active one


@pytest.mark.parametrize("command", ["pick", "reject", "keep", "stars_3", "label_red", "unflag"])
@pytest.mark.parametrize("view", ["compare", "survey"])
def test_a_mark_applies_to_the_active_photo_only_despite_a_selection(
    person, session, view: str, command: str
) -> None:
    session.photos.select_only(2)
    session.photos.select_range(6)
    person.run(view)
    assert len(session.photos.selection) > 2
    active = session.current
    person.run(command)
    assert marked(session) <= {active}


def test_a_mark_waits_until_the_active_photo_is_on_screen(session, person) -> None:
    session.photos.go(2)
    person.run("compare")
    commands.run(session, "reject")
    assert marked(session) == set()
    assert "is still loading" in person.messages[-1]


def test_the_selection_is_kept_after_a_comparison(person, session) -> None:
    for photo in (2, 5, 9):
        session.photos.toggle_selected(photo)
    chosen = session.photos.selection
    person.run("survey", "next_photo", "next_photo", "back")
    assert session.view_state.view is View.GRID
    assert session.photos.selection == chosen


# --- survey


@pytest.fixture
def surveying(person: Person, session: Session) -> Person:
    """A person who surveys photos 2, 4, 6 and 8, coming from the grid."""
    session.photos.select_only(8)
    for photo in (6, 4, 2):
        session.photos.toggle_selected(photo)
    return person.run("survey")


def test_a_survey_lays_out_the_selection_in_the_order_of_the_list(surveying, session) -> None:
    assert session.view_state.view is View.SURVEY
    assert shown(session) == (2, 4, 6, 8)
    assert session.current == 2


def test_a_rejected_photo_stays_until_removed_and_the_focus_advances(surveying, session) -> None:
    surveying.run("reject")
    assert shown(session) == (2, 4, 6, 8)
    assert (session.current, marked(session)) == (4, {2})
    surveying.run("previous_photo", "drop")
    assert shown(session) == (4, 6, 8)
    assert session.current == 4
    assert marked(session) == {2}  # dropping decides nothing


def test_the_last_photo_of_a_survey_stays(surveying, session) -> None:
    surveying.run("drop", "drop", "drop", "drop")
    assert shown(session) == (8,)
    assert surveying.messages[-1] == "DSC_0007 is the last photo in the survey."


def test_more_than_eight_photos_fill_the_panes_of_removed_ones(person, session) -> None:
    session.photos.select_all()
    person.run("survey")
    assert shown(session) == tuple(range(1, 9))
    assert person.messages[-1].startswith("Showing 8 of 12")
    person.run("drop")
    assert shown(session) == tuple(range(2, 10))


def test_compare_from_a_survey_stays_within_it_and_returns(surveying, session) -> None:
    surveying.run("next_photo", "compare")
    assert shown(session) == (4, 6)
    surveying.run("next_photo")
    assert shown(session) == (4, 8)
    surveying.run("promote")
    assert session.view_state.view is View.LOUPE  # 8 was the last to challenge
    surveying.run("back")
    assert session.view_state.view is View.GRID


def test_esc_from_a_comparison_within_a_survey_returns_to_the_survey(surveying, session) -> None:
    surveying.run("drop", "compare", "back")
    assert (session.view_state.view, shown(session)) == (View.SURVEY, (4, 6, 8))
    surveying.run("back")
    assert session.view_state.view is View.GRID


# --- undo, and coming back


def test_undo_restores_the_pair_of_a_mark(comparing, session) -> None:
    comparing.run("reject", "next_photo", "back", "grid", "undo")
    assert session.view_state.view is View.COMPARE
    assert shown(session) == (3, 4)
    assert session.current == 4
    assert marked(session) == set()
    comparing.run("redo")
    assert (session.view_state.view, session.current, marked(session)) == (View.COMPARE, 4, {4})


def test_undo_in_a_survey_stays_in_it(surveying, session) -> None:
    surveying.run("stars_5", "drop")
    assert shown(session) == (4, 6, 8)
    surveying.run("undo")
    assert session.view_state.view is View.SURVEY
    assert 2 in shown(session)
    assert session.current == 2


def test_undo_after_a_restart_restores_the_pair(comparing, session, open_session) -> None:
    comparing.run("reject")
    again = open_session()
    assert again.view_state.view is View.LOUPE  # a comparison is not opened by itself
    person = Person(again).run("undo", "undo")
    assert (again.view_state.view, shown(again), again.current) == (View.COMPARE, (3, 4), 4)
    person.run("back")
    assert again.view_state.view is View.LOUPE


def test_a_removed_photo_leaves_its_pane(comparing, session, catalog_edit) -> None:
    catalog_edit("UPDATE photo SET merged_into = 1 WHERE id = 4")
    session.refresh()
    assert shown(session) == (3, 5)
    catalog_edit("UPDATE photo SET merged_into = 1 WHERE id = 3")
    session.refresh()
    assert shown(session) == (5, 6)


def test_a_survey_of_removed_photos_changes_to_the_loupe(surveying, session, catalog_edit) -> None:
    catalog_edit("UPDATE photo SET merged_into = 1 WHERE id IN (2, 4)")
    session.refresh()
    assert shown(session) == (6, 8)
    assert session.current == 6
    catalog_edit("UPDATE photo SET merged_into = 1 WHERE id IN (6, 8)")
    session.refresh()
    assert session.view_state.view is View.LOUPE


def test_a_photo_chosen_in_the_filmstrip_becomes_the_challenger(comparing, session) -> None:
    session.navigator.go_to(9)
    assert shown(session) == (3, 9)
    assert session.current == 9
    session.navigator.go_to(3)
    assert shown(session) == (3, 9)
    assert session.current == 3


def test_a_search_from_a_comparison_returns_to_the_loupe(comparing, session) -> None:
    session.search.set_filter("is:picked")
    assert session.view_state.view is View.GRID
    session.search.leave_filter()
    assert (session.view_state.view, session.current) == (View.LOUPE, 4)


@pytest.fixture
def catalog_edit(session: Session):
    """Change the catalog as another program would."""
    catalog = Catalog.open(session.catalog.path)

    def edit(statement: str) -> None:
        with catalog.store.transaction():
            catalog.store.run(statement)

    yield edit
    catalog.close()


def test_opening_another_photo_from_a_comparison_ends_in_the_loupe(comparing, session) -> None:
    comparing.run("cull", "compare")
    assert session.compare.panes is not None
    session.visit(1)  # no photo of this pass
    assert (session.view_state.view, session.current) == (View.LOUPE, 1)


def test_browsing_on_keeps_the_pair(comparing, session) -> None:
    comparing.run("cull", "compare")
    pair = shown(session)
    comparing.run("browse")
    assert (session.view_state.view, shown(session)) == (View.COMPARE, pair)


def test_undo_from_another_comparison_continues_in_the_list(comparing, session) -> None:
    comparing.run("reject", "grid")  # 3 against 4
    for photo in (7, 8, 9):
        session.photos.toggle_selected(photo)
    comparing.run("compare")
    comparing.run("undo")
    assert shown(session) == (3, 4)
    comparing.run("next_photo")
    assert shown(session) == (3, 5)
