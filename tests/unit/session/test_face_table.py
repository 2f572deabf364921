"""The face table in the session: rows and columns, moves, marks of the row, undo, coming back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from curator.faces import people
from curator.model import Eye, Face, Flag, Verdict, View
from curator.session import Session
from curator.session.face_table import MOST, FaceTable
from curator.session.faces import Focus
from tests import catalogs, face_data
from tests.face_data import CLOSED, OPEN, UNKNOWN
from tests.unit.conftest import Person

ANNA, BEN = 0.2, 0.6  # where two people stand
BURST = {
    4: [face_data.at(OPEN, ANNA), face_data.at(OPEN, BEN)],
    5: [face_data.at(CLOSED, ANNA), face_data.at(OPEN, BEN)],
    6: [face_data.at(OPEN, BEN)],
}


@pytest.fixture
def at_table(person: Person, session: Session) -> Person:
    """A person at the face table of frames 4, 5 and 6, coming from the loupe at frame 5."""
    catalogs.stack(session.catalog.path, 4, 5, 6)
    face_data.save(session.catalog, BURST)
    session.refresh()
    session.navigator.go_to(5)
    return person.run("loupe", "face_table")


def table(session: Session) -> FaceTable:
    assert session.view_state.view is View.FACES and session.face_table.table is not None
    return session.face_table.table


def eyes(session: Session) -> list[list[Eye | None]]:
    """Return the eyes in the table, row by row."""
    shown = table(session)
    return [
        [person.faces[frame].eyes if frame in person.faces else None for person in shown.people]
        for frame in shown.frames
    ]


def test_rows_are_frames_and_columns_are_people(at_table, session) -> None:
    assert table(session).frames == (4, 5, 6)
    assert eyes(session) == [
        [Eye.OPEN, Eye.OPEN],
        [Eye.CLOSED, Eye.OPEN],
        [None, Eye.OPEN],
    ]
    assert session.current == 5


def test_a_row_says_what_is_known_of_the_eyes(at_table, session) -> None:
    facts = [table(session).facts(frame) for frame in (4, 5, 6)]
    assert facts == [["everyone's eyes open"], ["eyes closed: 1 of 2"], ["eyes open"]]


def test_soft_eyes_are_softer_than_the_same_person_at_their_sharpest() -> None:
    soft = replace(OPEN, eye_sharpness=20.0)
    shown = FaceTable.of([1, 2], {1: (OPEN,), 2: (soft,)})
    assert [person.soft for person in shown.people] == [{2}]
    assert shown.facts(2) == ["eyes open", "soft"]
    lashes = replace(CLOSED, eye_sharpness=95.0)
    shown = FaceTable.of([1, 2], {1: (OPEN,), 2: (lashes,)})
    assert [person.soft for person in shown.people] == [set()]
    turned_away = replace(UNKNOWN, size_px=600, eye_sharpness=20.0)
    shown = FaceTable.of([1, 2], {1: (OPEN,), 2: (turned_away,)})
    assert shown.facts(2) == ["can't tell"] and shown.people[0].look(2).word == "?"


def test_arrows_move_over_frames_and_people_and_stop_at_the_ends(at_table, session) -> None:
    at_table.run("down", "down", "next_photo", "next_photo")
    assert (session.current, session.face_table.column) == (6, 1)
    at_table.run("up", "up", "up", "previous_photo", "previous_photo")
    assert (session.current, session.face_table.column) == (4, 0)


def test_k_decides_the_stack_in_one_step_and_undo_brings_the_table_back(at_table, session) -> None:
    at_table.run("down", "keep_this")
    verdicts = [session.table.verdict(frame) for frame in (4, 5, 6)]
    assert verdicts == [Verdict.REJECTED, Verdict.REJECTED, Verdict.KEPT]
    assert (table(session).frames, session.current) == ((4, 5, 6), 6)
    assert at_table.messages[-1].startswith("Kept DSC_0005, rejected 2")
    at_table.run("back", "grid", "undo")
    assert {session.table.verdict(frame) for frame in (4, 5, 6)} == {Verdict.UNREVIEWED}
    assert (table(session).frames, session.current) == ((4, 5, 6), 6)


@pytest.mark.parametrize(("mark", "next_row"), [("reject", 6), ("pick", 6), ("stars_4", 5)])
def test_a_mark_applies_to_the_frame_of_the_row(at_table, session, mark, next_row) -> None:
    at_table.run(mark)
    marks = {frame for frame in (4, 5, 6) if session.table.verdict(frame) != Verdict.UNREVIEWED}
    assert (marks, session.current) == ({5}, next_row)
    at_table.run("undo")
    assert session.table.verdict(5) is Verdict.UNREVIEWED
    assert (session.view_state.view, session.current) == (View.FACES, 5)


def test_undo_after_a_restart_opens_the_table(at_table, session, open_session) -> None:
    at_table.run("reject")
    again = open_session()
    assert again.view_state.view is View.LOUPE  # a table is not opened by itself
    Person(again).run("undo", "undo")
    assert table(again).frames == (4, 5, 6)
    assert again.table.marks(5).flag is not Flag.REJECT


def test_esc_returns_to_the_loupe_and_from_a_zoomed_eye_to_the_cell(at_table, session) -> None:
    at_table.run("next_photo")
    session.face_table.open_face((0.3, 0.4))
    state = session.view_state
    assert (state.view, state.zoom, state.center) == (View.LOUPE, 1.0, (0.3, 0.4))
    at_table.run("back")
    assert (table(session).frames, session.current, session.face_table.column) == ((4, 5, 6), 5, 1)
    assert session.view_state.zoom is None
    at_table.run("back")
    assert (session.view_state.view, session.current) == (View.LOUPE, 5)
    at_table.run("face_table", "face_table")
    assert (session.view_state.view, session.current) == (View.LOUPE, 5)
    at_table.run("back")
    assert session.view_state.view is View.GRID


def test_a_frame_opened_from_the_table_returns_to_it(at_table, session) -> None:
    at_table.run("open_frame", "next_photo", "back")
    assert (table(session).frames, session.current) == ((4, 5, 6), 6)
    at_table.run("open_frame", "next_photo", "back")  # frame 7 is not in the stack
    assert session.view_state.view is View.GRID


def test_a_survey_and_a_comparison_come_back(at_table, session) -> None:
    at_table.run("back", "survey", "face_table", "down", "back")
    assert (session.view_state.view, session.current) == (View.SURVEY, 6)
    at_table.run("compare", "face_table", "back", "back", "back")
    assert session.view_state.view is View.LOUPE


def test_a_stack_without_faces_says_so(person, session) -> None:
    session.navigator.go_to(5)
    person.run("face_table")
    assert person.messages[-1] == "DSC_0004 isn't in a stack"
    catalogs.stack(session.catalog.path, 4, 5)
    session.refresh()
    person.run("face_table")
    assert person.messages[-1] == "Faces not measured yet"
    face_data.save(session.catalog, {4: [], 5: []})
    session.refresh()
    person.run("face_table")
    assert person.messages[-1] == "No faces in this stack"
    assert session.view_state.view is View.GRID


def test_faces_measured_meanwhile_appear(at_table, session) -> None:
    face_data.save(session.catalog, {6: [face_data.at(UNKNOWN, ANNA)]})
    session.refresh()
    assert eyes(session)[2] == [Eye.UNKNOWN, None]
    assert table(session).facts(6) == ["can't tell"]


def test_faces_measured_just_before_a_mark_appear(at_table, session) -> None:
    face_data.save(session.catalog, {6: [face_data.at(UNKNOWN, ANNA)]})
    at_table.run("stars_4")
    assert eyes(session)[2] == [Eye.UNKNOWN, None]


def test_a_mark_matches_nobody_again(at_table, session, monkeypatch) -> None:
    at_table.run("open_frame")
    session.faces.focus = Focus(5, 0)
    looks, place = session.faces.looks(5), session.faces.place_in(4)
    monkeypatch.setattr(people, "match", lambda *_: pytest.fail("matched again"))
    at_table.run("stars_4")
    assert (session.faces.looks(5), session.faces.place_in(4)) == (looks, place)


def test_a_face_measured_again_loses_the_focus(at_table, session) -> None:
    session.face_table.open_face((0.3, 0.4))
    assert session.faces.place_in(5) == 0
    face_data.save(session.catalog, {5: []})
    session.refresh()
    assert session.faces.focus is None and session.faces.place_in(5) is None


def test_faces_switched_off_are_gone_at_once(at_table, session) -> None:
    session.face_table.open_face((0.3, 0.4))
    session.settings.faces.on = False
    session.preferences.save()
    assert session.faces.focus is None and session.faces.of(5) is None


def test_of_a_crowd_the_largest_are_shown_from_left_to_right() -> None:
    def face(number: int) -> Face:
        return replace(face_data.at(OPEN, 0.9 - number * 0.004), size_px=600 - number)

    shown = FaceTable.of([1], {1: tuple(map(face, range(200)))})
    sizes = [person.size_px for person in shown.people]
    assert (len(sizes), len(shown.others)) == (MOST, 188)
    assert sizes == list(range(589, 601))
    assert shown.main_person == 11


def test_page_down_shows_the_next_stack_with_faces(at_table, session) -> None:
    catalogs.stack(session.catalog.path, 7, 8)
    catalogs.stack(session.catalog.path, 9, 10)
    face_data.save(session.catalog, {7: [], 8: [], 9: [OPEN], 10: [OPEN], 12: [OPEN]})
    session.refresh()
    at_table.run("page_down")
    assert table(session).frames == (9, 10)
    at_table.run("page_down")
    assert table(session).frames == (9, 10)
    assert at_table.messages[-1] == "No stacks with faces after this one."
    at_table.run("page_up")
    assert table(session).frames == (4, 5, 6)
    at_table.run("back")
    assert session.view_state.view is View.LOUPE


def test_a_view_saved_by_another_version_opens_as_the_grid(at_table, session) -> None:
    folder = session.sources.scopes()[1].scope
    session.catalog.folders.save_position(folder.key, {"view": "hologram", "photo": 5})
    session.sources.open_scope(folder)
    assert (session.view_state.view, session.current) == (View.GRID, 5)


def test_faces_in_the_background_are_only_counted() -> None:
    small = replace(face_data.at(OPEN, 0.8), size_px=140)
    tiny = replace(face_data.at(UNKNOWN, 0.1), size_px=20)
    shown = FaceTable.of([1, 2], {1: (OPEN, small), 2: (tiny,)})
    assert ([person.size_px for person in shown.people], len(shown.others)) == ([600], 2)
    assert (shown.facts(1), shown.facts(2)) == (["eyes open"], ["can't tell"])
    alone = FaceTable.of([1], {1: (tiny,)})
    assert (len(alone.people), len(alone.others)) == (1, 0)


def test_looks_tell_two_people_apart_who_changed_places_and_split_nobody(at_table, session) -> None:
    red, blue, other = np.eye(3)

    def by_closed_eyes(photo: int, faces: Sequence[Face]) -> list[np.ndarray]:
        return [other if face.eyes is Eye.CLOSED else blue for face in faces]

    before = table(session)
    session.face_table.compare_looks(by_closed_eyes)
    assert table(session) is before

    def swapped(photo: int, faces: Sequence[Face]) -> list[np.ndarray]:
        at_left = blue if photo == 5 else red
        return [at_left if face.box[0] == ANNA else red + blue - at_left for face in faces]

    session.face_table.compare_looks(swapped)
    assert eyes(session)[:2] == [[Eye.OPEN, Eye.OPEN], [Eye.OPEN, Eye.CLOSED]]
