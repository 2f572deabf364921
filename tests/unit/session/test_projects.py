"""Projects in the session: B adds and removes photos, a scope in manual order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.library.scopes import EVERYTHING
from curator.library.sort_orders import sorted_ids
from curator.model import Pass, View
from curator.session import Session
from tests import catalogs
from tests.requests import recorded
from tests.unit.conftest import Person


@pytest.fixture
def harbour(session: Session) -> int:
    """The current project: photos 3, 1 and 5 in manual order."""
    project = session.projects.create("Harbour")
    session.projects.add(project, [3, 1, 5], on_screen=False)
    return project


def by_hand(session: Session) -> list[int]:
    assert session.projects.open is not None
    return session.catalog.projects.members(session.projects.open.id)


def test_b_adds_removes_and_undo_restores(session: Session, person: Person) -> None:
    project = session.projects.create("Harbour")
    session.viewer.set_view(View.LOUPE)
    session.photos.go(3)
    person.run("toggle_project")
    assert session.catalog.projects.members(project) == [4] and session.current == 4
    assert person.messages[-1].startswith("Added DSC_0003 to Harbour")
    person.run("toggle_project")
    assert session.catalog.projects.members(project) == []
    assert person.messages[-1].startswith("Removed DSC_0003 from Harbour")
    session.photos.go(8)
    person.run("undo")
    assert session.catalog.projects.members(project) == [4] and session.current == 4
    assert person.messages[-1] == "Undid remove from Harbour, DSC_0003"


def test_b_waits_for_the_picture_like_any_mark(session: Session, person: Person) -> None:
    from curator import commands

    session.projects.create("Harbour")
    session.viewer.set_view(View.LOUPE)
    commands.run(session, "toggle_project")
    assert person.messages[-1] == "DSC_0000 is still loading. Nothing was changed; try again."


def test_without_a_project_b_opens_the_chooser(session: Session, person: Person) -> None:
    asked = recorded(session.requests)
    person.run("toggle_project", "choose_project")
    assert asked == [("add_to_project",), ("choose_project",)]


def test_b_adds_the_selection_in_one_step(session: Session, person: Person, harbour: int) -> None:
    session.photos.select_only(3)
    session.photos.select_range(6)
    person.run("toggle_project")  # 3 and 5 are in it already
    assert session.catalog.projects.members(harbour) == [3, 1, 5, 4, 6]
    person.run("toggle_project")
    assert session.catalog.projects.members(harbour) == [1]
    person.run("undo", "undo")
    assert session.catalog.projects.members(harbour) == [3, 1, 5]


def test_a_project_is_a_scope_in_manual_order(session: Session, harbour: int) -> None:
    session.projects.open_scope(harbour)
    assert session.ids.tolist() == [3, 1, 5] and session.criteria.order == "hand"
    assert session.statistics.counts()["all"] == 3
    assert session.criteria.scope.title == "Harbour" and session.projects.current is not None
    session.modes.set_mode(Pass.CULL)  # 1 is a pick
    assert session.ids.tolist() == [3, 5] and session.criteria.order == "taken"
    session.modes.set_mode(Pass.BROWSE)
    assert session.ids.tolist() == [3, 1, 5]


def test_a_removed_photo_stays_listed_until_the_project_is_reopened(
    session: Session, person: Person, harbour: int
) -> None:
    session.projects.open_scope(harbour)
    session.navigator.go_to(1)
    person.run("toggle_project")
    assert session.ids.tolist() == [3, 1, 5] and session.current == 1
    assert session.tile(1).stale and session.statistics.counts()["all"] == 2
    person.run("toggle_project")
    assert session.ids.tolist() == [3, 1, 5] and not session.tile(1).stale
    assert by_hand(session) == [3, 1, 5]  # it came back where it stood
    person.run("toggle_project", "reapply")
    assert session.ids.tolist() == [3, 5]
    person.run("undo")
    assert session.ids.tolist() == [3, 1, 5] and session.current == 1


def test_a_removed_photo_returns_to_its_position_after_a_rename(
    session: Session, person: Person, harbour: int
) -> None:
    session.projects.open_scope(harbour)
    session.navigator.go_to(1)
    person.run("toggle_project")
    session.projects.rename(harbour, "Port")
    assert session.ids.tolist() == [3, 1, 5] and session.statistics.counts()["all"] == 2
    person.run("toggle_project")
    assert by_hand(session) == [3, 1, 5]


def test_photos_moved_by_keys_stay_there(
    session: Session, person: Person, harbour: int, open_session: Callable[[], Session]
) -> None:
    session.projects.open_scope(harbour)
    session.navigator.go_to(5)
    person.run("move_earlier")
    assert session.ids.tolist() == by_hand(session) == [3, 5, 1] and session.current == 5
    person.run("move_earlier", "move_earlier")
    assert session.ids.tolist() == [5, 3, 1]
    assert person.messages[-1] == "Already in that position."
    person.run("move_to_end")
    assert session.ids.tolist() == [3, 1, 5]
    person.run("undo")
    assert session.ids.tolist() == by_hand(session) == [5, 3, 1]
    person.run("move_later")
    assert session.ids.tolist() == [3, 5, 1]
    again = open_session()
    assert again.criteria.scope.title == "Harbour" and again.ids.tolist() == [3, 5, 1]
    assert again.projects.current is not None and again.projects.current.name == "Harbour"


def test_a_moved_selection_becomes_one_block(session: Session, harbour: int) -> None:
    session.projects.add(harbour, [7, 8, 9], on_screen=False)  # 3 1 5 7 8 9
    session.projects.open_scope(harbour)
    session.projects.move([9, 3], before=5)
    assert session.ids.tolist() == [1, 3, 9, 5, 7, 8]
    session.projects.move([5, 1], before=5)
    assert session.ids.tolist() == [3, 9, 1, 5, 7, 8]
    session.projects.move([3, 9], before=None)
    assert session.ids.tolist() == [1, 5, 7, 8, 3, 9]
    assert by_hand(session) == session.ids.tolist()


def test_positions_that_are_too_close_are_renumbered(session: Session, harbour: int) -> None:
    session.projects.open_scope(harbour)
    wanted = session.ids.tolist()
    for _ in range(60):  # halving the space between two for ever
        wanted = [wanted[0], wanted[2], wanted[1]]
        session.projects.move([wanted[1]], before=wanted[2])
        assert session.ids.tolist() == wanted
    places = session.table.projects.positions(harbour, session.ids)
    assert (np.diff(places) > 1e-7).all()


def test_photos_move_in_manual_order_only(session: Session, person: Person, harbour: int) -> None:
    person.run("move_later")
    assert person.messages[-1].startswith("To move photos, open a project")
    session.projects.open_scope(harbour)
    session.ordering.set_order("taken")
    person.run("move_later")
    assert person.messages[-1].startswith("To move photos, sort by Custom order")
    session.modes.set_mode(Pass.RATE)
    person.run("move_later")
    assert person.messages[-1].startswith("To move photos, switch to Browse")
    assert session.catalog.projects.members(harbour) == [3, 1, 5]


def test_frames_of_a_stack_stay_where_they_were_moved(
    open_session: Callable[[], Session],
) -> None:
    session = open_session()
    catalogs.stack(session.home.catalog, 3, 4, 5)
    session.refresh()
    project = session.projects.create("Harbour")
    session.projects.add(project, [4, 9, 3], on_screen=False)
    session.projects.open_scope(project)
    assert session.ids.tolist() == [4, 9, 3]
    assert len(session.photos.listing.tiles) == 3 and not session.stacks.on_collapsed_stack
    session.ordering.set_order("taken")
    assert len(session.photos.listing.tiles) == 2


def test_orders_by_stack_and_by_project(open_session: Callable[[], Session]) -> None:
    session = open_session()
    catalogs.stack(session.home.catalog, 6, 7)
    catalogs.stack(session.home.catalog, 9, 10, 12)
    session.refresh()
    everything = session.table.alive()
    by_stack = sorted_ids(session.table, everything, "stack").tolist()
    assert by_stack[:5] == [9, 10, 12, 6, 7] and by_stack[5:] == [1, 2, 3, 4, 5, 8, 11]
    night, early = session.projects.create("Night"), session.projects.create("early")
    session.projects.add(night, [5, 2], on_screen=False)
    session.projects.add(early, [8, 5, 6], on_screen=False)
    by_project = sorted_ids(session.table, everything, "project").tolist()
    assert by_project[:5] == [8, 5, 6, 7, 2]  # 7 is stacked with 6


def test_counts_leave_out_photos_that_are_not_visible(session: Session, harbour: int) -> None:
    assert session.projects.counts()[harbour] == (3, 0)  # 1 is a pick, but of one star
    session.catalog.journal.decide({3: {"rating": 4}}, summary="-")
    session.refresh()
    assert session.projects.counts()[harbour] == (3, 1)
    (folder,) = session.catalog.folders.all()
    session.catalog.folders.enable(folder.id, False)
    session.refresh()
    assert session.projects.counts()[harbour] == (0, 0)
    row = session.projects.current
    assert row is not None and session.projects.cover(row) is None


def test_the_cover_is_the_first_photo_until_one_is_chosen(
    session: Session, person: Person, harbour: int
) -> None:
    row = session.projects.current
    assert row is not None and session.projects.cover(row) == 3
    session.navigator.go_to(2)
    person.run("make_cover")
    assert person.messages[-1] == "DSC_0001 isn't in Harbour. Add it first."
    session.navigator.go_to(5)
    person.run("make_cover")
    row = session.projects.current
    assert row is not None and session.projects.cover(row) == 5
    person.run("toggle_project")  # a photo that is out of it is not its cover
    assert session.projects.cover(row) == 3


def test_project_changes_of_another_window_show(session: Session, harbour: int) -> None:
    session.projects.open_scope(harbour)
    changes: list[None] = []
    session.projects.changed.connect(lambda: changes.append(None))
    other = Catalog.open(session.home.catalog)
    try:
        other.journal.decide({9: {("project", harbour): 1.5}}, summary="elsewhere")
        session.refresh()
        assert session.ids.tolist() == [3, 9, 1, 5]
        other.projects.rename(harbour, "Port")
        session.refresh()
        assert session.criteria.scope.title == "Port" and changes
        other.projects.remove(harbour)
        session.refresh()
        assert session.criteria.scope == EVERYTHING and session.projects.current is None
    finally:
        other.close()


def test_completion_lists_matching_starts_first(session: Session) -> None:
    for name in ("The harbour", "Harbour", "Oldharbour", "Harbour 2"):
        session.projects.create(name)
    found = [row.name for row in session.projects.named(" HARB")]
    assert found == ["Harbour", "Harbour 2", "The harbour", "Oldharbour"]
    assert session.projects.named("harbour 2")[0].name == "Harbour 2"
    assert session.projects.named("xyz") == []
    assert session.projects.free_name("harbour") == "harbour 3"
