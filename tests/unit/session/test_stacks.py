"""Stacks in the modes and the grid, in a photographer's words.

Twelve photos; 3-6 are a burst of which 6 is proposed, 8-10 a bracket. Photo 1 is a pick with one
star, 11 a reject.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from curator.home import Home
from curator.library import stack_index
from curator.model import Marks, Pass, Verdict, View
from curator.session import Session, suggestions
from tests import catalogs
from tests.unit.conftest import Person

BURST = [3, 4, 5, 6]
BRACKET = [8, 9, 10]


@pytest.fixture
def session(open_session: Callable[[], Session], home: Home) -> Session:
    catalogs.stack(home.catalog, *BURST)
    catalogs.stack(home.catalog, *BRACKET, kind="bracket")
    return open_session()


def tiles(session: Session) -> list[list[int]]:
    listing = session.photos.listing
    return [
        session.ids[listing.tiles[n].start : listing.tiles[n].stop].tolist()
        for n in range(len(listing.tiles))
    ]


def at(session: Session, photo: int) -> None:
    session.navigator.go_to(photo)


def verdicts(session: Session, photos: list[int]) -> list[Verdict]:
    return [session.table.verdict(photo) for photo in photos]


# --- the grid


def test_a_stack_is_one_tile_until_it_is_expanded(person: Person) -> None:
    session = person.session
    assert tiles(session) == [[1], [2], BURST, [7], BRACKET, [11], [12]]
    at(session, 6)
    person.run("toggle_stack")
    assert tiles(session) == [[1], [2], [3], [4], [5], [6], [7], BRACKET, [11], [12]]
    person.run("toggle_stack")
    assert len(tiles(session)) == 7


def test_arrows_move_to_the_cover_of_the_next_tile(person: Person) -> None:
    session = person.run("next_photo", "next_photo").session
    assert session.current == 6  # the proposed one
    person.run("next_photo", "next_photo")
    assert session.current == 8  # of a bracket the first
    person.run("previous_photo", "previous_photo")
    assert session.current == 6
    person.run("last", "first")
    assert session.current == 1


def test_an_expanded_stack_stays_expanded_in_its_scope(person: Person) -> None:
    session = person.session
    at(session, 6)
    person.run("toggle_stack")
    here = session.criteria.scope
    folder = next(row.scope for row in session.sources.scopes() if row.scope.kind == "folder")
    session.sources.open_scope(folder)
    assert BURST in tiles(session)
    session.sources.open_scope(here)
    assert [6] in tiles(session)


def test_a_reviewed_stack_shows_its_best_marked_frame(person: Person) -> None:
    session = person.session
    assert session.stacks.tile_photo(2) == 6
    at(session, 4)
    person.run("loupe", "stars_3", "grid", "first")
    assert session.stacks.tile_photo(2) == 4
    session.catalog.journal.decide({4: {"flag": "reject"}}, summary="")
    session.refresh()
    assert session.stacks.tile_photo(2) == 6


def test_after_the_loupe_the_tile_shows_the_last_viewed_frame(person: Person) -> None:
    session = person.session
    at(session, 4)
    person.run("loupe", "grid")
    assert (session.current, session.stacks.tile_photo(2)) == (4, 4)


def test_a_closed_stack_counts_as_one_tile(session: Session) -> None:
    session.search.set_filter("is:stack")
    assert session.statistics.counts()["stack"] == len(session.photos.listing.tiles) == 2


def test_stack_commands_do_nothing_without_a_stack(person: Person) -> None:
    person.run("toggle_stack")
    assert person.messages[-1] == "DSC_0000 isn't in a stack"


# --- marks


def test_x_on_a_closed_stack_rejects_its_unreviewed_frames_and_advances(person: Person) -> None:
    session = person.session
    session.catalog.journal.decide({5: {"kept": True}}, summary="")
    session.refresh()
    person.run("first", "next_photo", "next_photo", "reject")
    assert person.messages[-1] == "Rejected 3 photos"
    assert verdicts(session, BURST) == [
        Verdict.REJECTED,
        Verdict.REJECTED,
        Verdict.KEPT,
        Verdict.REJECTED,
    ]
    assert session.current == 7
    person.run("undo")
    assert session.table.verdict(3) is Verdict.UNREVIEWED


def test_x_on_a_reviewed_stack_rejects_the_cover(person: Person) -> None:
    session = person.session
    changes = {photo: {"kept": True} for photo in BURST} | {4: {"rating": 4}}
    session.catalog.journal.decide(changes, summary="")
    session.refresh()
    person.run("next_photo", "next_photo")
    assert session.current == 4
    person.run("reject")
    assert verdicts(session, BURST).count(Verdict.REJECTED) == 1


def test_stars_on_a_closed_stack_rate_the_cover(person: Person) -> None:
    session = person.run("next_photo", "next_photo", "stars_4").session
    assert session.table.marks(6) == Marks(rating=4, kept=True)
    assert session.table.marks(3) == Marks()


@pytest.mark.parametrize("shown", [[6], [6, 9]])
def test_commands_on_a_closed_stack_apply_to_the_cover(person: Person, shown: list[int]) -> None:
    session = person.session
    session.projects.create("Iceland")
    session.tags.add(["harbor"], [12])
    at(session, 6)
    for other in shown[1:]:
        session.photos.toggle_selected(other)

    def state() -> dict[int, object]:
        projects = session.table.projects
        return {p: (session.catalog.photos.get(p), projects.of(p)) for p in session.ids.tolist()}

    for mark in ("stars_4", "label_red", "turn_left", "toggle_project", "tag_again"):
        before = state()
        person.run(mark)
        after = state()
        assert [photo for photo in before if before[photo] != after[photo]] == shown, mark


def test_space_keeps_a_closed_stack_in_a_cull_and_opens_the_loupe_otherwise(
    person: Person,
) -> None:
    session = person.run("cull", "grid", "next_photo").session
    assert session.current == 6
    person.run("space")
    assert verdicts(session, BURST) == [Verdict.KEPT] * 4
    assert person.messages[-1] == "Kept 4 photos"
    assert session.current == 7
    person.run("space")
    assert session.view_state.view is View.LOUPE


def test_in_the_loupe_a_mark_applies_to_one_frame(person: Person) -> None:
    session = person.run("cull").session
    at(session, 4)
    person.run("reject")
    assert verdicts(session, BURST).count(Verdict.REJECTED) == 1
    assert session.current == 5


def test_a_selection_includes_all_frames_of_its_closed_stacks(
    person: Person,
) -> None:
    session = person.session
    session.photos.select_only(2)
    session.photos.select_range(7)
    assert session.photos.selection == {2, *BURST, 7}
    person.run("stars_3")
    assert [session.table.marks(photo).rating for photo in (2, 3, 6, 7)] == [3, None, 3, 3]
    person.run("reject")  # of the stack what is left, and the two photos
    assert verdicts(session, BURST) == [*[Verdict.REJECTED] * 3, Verdict.KEPT]
    assert session.table.verdict(2) is Verdict.REJECTED


def test_x_again_on_a_selection_changes_nothing(person: Person) -> None:
    session = person.session
    at(session, 4)
    person.run("stars_5")
    session.photos.select_only(4)
    session.photos.toggle_selected(2)
    at_first = session.stacks.targets(whole=True)
    person.run("reject", "reject")
    assert sorted(at_first) == [2, 3, 5, 6]
    assert session.table.verdict(4) is Verdict.KEPT
    assert verdicts(session, [2, 3, 5, 6]) == [Verdict.REJECTED] * 4


def test_a_stack_found_later_does_not_extend_the_selection(person: Person, home: Home) -> None:
    session = person.session
    session.photos.select_only(12)
    session.photos.toggle_selected(2)
    catalogs.stack(home.catalog, 7, 12)
    session.refresh()
    person.run("reject")
    assert verdicts(session, [2, 7, 12]) == [
        Verdict.REJECTED,
        Verdict.UNREVIEWED,
        Verdict.REJECTED,
    ]


def test_control_click_adds_a_stack_to_the_selection_and_removes_it(person: Person) -> None:
    session = person.session
    session.photos.toggle_selected(6)
    assert session.photos.selection == {1, *BURST}
    session.photos.toggle_selected(6)
    assert session.photos.selection == {1}


def test_the_next_unreviewed_is_the_next_tile(person: Person) -> None:
    session = person.run("next_photo", "next_photo").session
    person.run("next_unreviewed")
    assert session.current == 7
    person.run("previous_unreviewed")
    assert session.current == 6


# --- K


def test_k_keeps_one_frame_and_rejects_the_unreviewed_rest_in_one_step(person: Person) -> None:
    session = person.run("cull").session
    at(session, 4)
    person.run("keep_this")
    assert person.messages[-1] == "Kept DSC_0003, rejected 3"
    assert session.table.marks(4) == Marks(kept=True)
    assert verdicts(session, [3, 5, 6]) == [Verdict.REJECTED] * 3
    assert session.current == 7
    person.run("undo")
    assert verdicts(session, BURST) == [Verdict.UNREVIEWED] * 4
    assert (session.current, session.view_state.view) == (4, View.LOUPE)
    assert person.messages[-1] == "Undid reject 3 and keep, DSC_0003"


def test_k_leaves_reviewed_frames_unchanged(person: Person) -> None:
    session = person.run("cull").session
    at(session, 3)
    person.run("stars_2", "next_photo", "keep_this")
    assert session.table.marks(3) == Marks(rating=2, kept=True)
    assert verdicts(session, [5, 6]) == [Verdict.REJECTED] * 2


def test_k_advances_to_the_cover_of_the_next_stack(person: Person) -> None:
    session = person.run("cull").session
    assert session.current == 2
    person.run("keep_this")  # a single photo is kept
    assert session.table.marks(2) == Marks(kept=True)
    assert session.current == 6


def test_k_in_the_grid_keeps_the_cover(person: Person) -> None:
    session = person.run("next_photo", "next_photo", "keep_this").session
    assert person.messages[-1] == "Kept DSC_0005, rejected 3"
    assert session.current == 7


def test_k_keeps_a_bracket_whole(person: Person) -> None:
    session = person.run("cull").session
    at(session, 9)
    person.run("keep_this")
    assert verdicts(session, BRACKET) == [Verdict.KEPT] * 3
    assert person.messages[-1] == "Kept 3 photos"
    assert session.current == 12


def test_in_rate_mode_k_finds_nothing_unreviewed(person: Person) -> None:
    session = person.session
    session.catalog.journal.decide({photo: {"kept": True} for photo in BURST}, summary="")
    session.refresh()
    person.run("rate")
    at(session, 4)
    person.run("keep_this")
    assert person.messages[-1] == "Nothing unreviewed here."
    assert session.current == 4


def test_with_a_filter_k_leaves_hidden_frames_unchanged(person: Person) -> None:
    session = person.session
    session.search.set_filter("is:suggested")
    assert session.ids.tolist() == [6]
    person.run("keep_this")
    assert verdicts(session, BURST) == [*[Verdict.UNREVIEWED] * 3, Verdict.KEPT]


def test_alt_k_keeps_the_whole_stack_with_its_rejects(person: Person) -> None:
    session = person.run("cull").session
    at(session, 3)
    person.run("reject", "keep_stack")
    assert verdicts(session, BURST) == [Verdict.KEPT] * 4
    assert session.current == 7


# --- moves in the loupe


def test_right_enters_a_stack_at_its_first_frame_and_down_at_the_suggested_best(
    person: Person,
) -> None:
    session = person.run("cull", "next_photo").session
    assert session.current == 3
    person.run("up")
    assert session.current == 2
    person.run("down")
    assert session.current == 6
    person.run("down", "up")
    assert session.current == 6
    person.run("down", "down")
    assert session.current == 8


def test_down_after_the_last_stack_opens_the_finish_page(person: Person) -> None:
    session = person.run("cull", "last", "down").session
    assert session.view_state.finished
    person.run("up")
    assert not session.view_state.finished


def test_a_cull_started_at_a_closed_stack_starts_at_its_first_frame(person: Person) -> None:
    session = person.run("next_photo", "next_photo", "cull").session
    assert session.current == 3


def test_a_frame_has_its_number_within_the_stack(person: Person) -> None:
    session = person.session
    assert [session.stacks.position_in_stack(photo) for photo in (2, 3, 6)] == [
        "",
        "1 of 4",
        "4 of 4",
    ]


def test_a_stack_has_a_kind_and_a_suggested_best(person: Person) -> None:
    session = person.session
    assert session.stacks.facts(2) == []
    assert session.stacks.facts(4) == [
        ("Frame", "2 of 4"),
        ("Kind", "a burst"),
        ("Suggested best", "DSC_0005: sharpest of 4"),
    ]
    assert session.stacks.facts(8)[1:] == [("Kind", "a bracket, which is kept whole")]
    session.photos.select_only(1)
    session.photos.toggle_selected(2)
    person.run("stack_selection")
    assert session.stacks.facts(2)[1] == ("Kind", "stacked by you")


# --- by hand


def test_a_frame_removed_from_its_stack_follows_it_until_undone(person: Person) -> None:
    session = person.run("cull").session
    at(session, 4)
    person.run("remove_from_stack")
    assert person.messages[-1] == "Removed from stack: DSC_0003"
    assert session.ids.tolist() == [2, 3, 5, 6, 4, 7, 8, 9, 10, 12]
    assert session.stacks.position_in_stack(6) == "3 of 3"
    assert session.current == 4
    person.run("undo")
    assert session.ids.tolist() == [2, *BURST, 7, *BRACKET, 12]


def test_a_selection_can_be_stacked_and_unstacked(person: Person) -> None:
    session = person.session
    session.photos.select_only(2)
    session.photos.toggle_selected(7)
    session.photos.toggle_selected(6)  # the whole burst
    person.run("stack_selection")
    assert person.messages[-1] == "Stacked 6 photos"
    assert tiles(session) == [[1], [2, *BURST, 7], BRACKET, [11], [12]]
    person.run("unstack")
    assert person.messages[-1] == "Unstacked 6 photos"
    assert [len(tile) for tile in tiles(session)].count(1) == 9
    person.run("undo", "undo")
    assert tiles(session) == [[1], [2], BURST, [7], BRACKET, [11], [12]]


def test_stacking_distant_photos_groups_them_in_the_current_list(person: Person) -> None:
    session = person.run("cull", "grid").session
    session.photos.select_only(12)
    session.photos.toggle_selected(2)
    person.run("stack_selection")
    assert session.ids.tolist() == [2, 12, *BURST, 7, *BRACKET]


def test_refused_stacking_is_explained(person: Person) -> None:
    person.run("stack_selection")
    assert person.messages[-1] == "Select two or more photos in the grid to stack them."
    person.run("remove_from_stack")
    assert person.messages[-1] == "DSC_0000 isn't in a stack"
    at(person.session, 6)
    person.run("stack_selection")
    assert person.messages[-1] == "These photos are already one stack."


def test_manual_stacks_persist(session: Session, open_session: Callable[[], Session]) -> None:
    person = Person(session)
    session.photos.select_only(2)
    session.photos.toggle_selected(7)
    person.run("stack_selection")
    at(session, 9)
    person.run("unstack")
    tomorrow = open_session()
    assert tiles(tomorrow) == [[1], [2, 7], BURST, [8], [9], [10], [11], [12]]


# --- while photos come in


def test_a_stack_found_while_browsing_closes_at_the_current_photo(
    person: Person, home: Home
) -> None:
    session = person.session
    at(session, 12)
    catalogs.stack(home.catalog, 1, 2)
    session.refresh()
    assert tiles(session)[0] == [1, 2]
    assert session.current == 12


def test_a_stack_found_in_a_list_by_sharpness_gathers_at_the_current_photo(
    person: Person, home: Home
) -> None:
    session = person.run("cull").session
    session.ordering.set_order("sharpness", True)
    assert session.ids.tolist() == [12, *BRACKET, 7, *BURST, 2]
    at(session, 12)
    catalogs.stack(home.catalog, 2, 7)
    session.refresh()
    assert session.ids.tolist() == [12, *BRACKET, 2, 7, *BURST]
    assert session.criteria.mode is Pass.CULL
    assert session.current == 12


# --- suggestions


def test_suggestions_that_would_delay_the_start_come_afterwards(
    session: Session,
    open_session: Callable[[], Session],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    suggested = session.table.ids[session.table.stacks.suggested()].tolist()
    monkeypatch.setattr(stack_index, "_MANY", 1)
    monkeypatch.setattr(suggestions, "_FRAMES", 1)
    later = open_session()
    assert not later.table.stacks.is_complete
    with qtbot.waitSignal(later.photos.counts_changed):
        pass
    qtbot.waitUntil(lambda: later.table.stacks.is_complete)
    assert later.table.ids[later.table.stacks.suggested()].tolist() == suggested
