"""A folder of people: faces are measured once it is on screen, compared, removed on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator import cli
from curator.model import Eye, Verdict, View
from tests import face_data
from tests.journeys.evening import Evening
from tests.photos import draw_jpeg


def measured(evening: Evening) -> list[str]:
    """Return the eyes of the faces of each photo, in the order of the list: ``open closed``."""
    found = evening.session.catalog.faces.of([int(photo) for photo in evening.session.ids])
    return [" ".join(face.eyes for face in faces) for faces in found.values()]


def shown(evening: Evening, search: str) -> int:
    """Search, and return the number of photos found."""
    evening.session.search.set_filter(search)
    return len(evening.session.ids)


def switch(evening: Evening, on: bool) -> None:
    """Change the setting, as the settings dialog does."""
    evening.session.settings.faces.on = on
    evening.window.window_actions.apply_settings({"faces.on"})  # type: ignore[attr-defined]


@pytest.mark.slow
def test_faces_are_measured_found_and_removed_on_request(evening: Evening, tmp_path: Path) -> None:
    folder = tmp_path / "Wedding"
    face_data.draw(folder / "DSC_1.jpg", Eye.OPEN, Eye.OPEN)
    face_data.draw(folder / "DSC_2.jpg", Eye.CLOSED)
    draw_jpeg(folder / "DSC_3.jpg", size=(600, 400))
    evening.open(folder, photos=3)
    evening.until(lambda: measured(evening) == ["open open", "closed", ""])
    evening.until(lambda: shown(evening, "eyes:closed") == 1)
    assert evening.name() == "DSC_2"
    evening.until(lambda: shown(evening, "faces:>=2") == 1)
    assert shown(evening, "") == 3

    switch(evening, on=False)
    evening.until(lambda: measured(evening) == [])
    evening.until(lambda: shown(evening, "faces:>=1") == 0)
    assert shown(evening, "") == 3
    switch(evening, on=True)
    evening.until(lambda: measured(evening) == ["open open", "closed", ""])

    # Another process, on the command line, switches faces off: the window follows.
    arguments = ["--home", str(evening.home.data), "settings", "faces.on=false"]
    assert cli.main(arguments, lambda *_: 77, lambda *_: 77) == 0
    assert measured(evening) == []
    evening.until(lambda: not evening.session.settings.faces.on)
    evening.until(lambda: shown(evening, "faces:>=1") == 0)


def test_a_stack_in_which_two_blink_is_decided_in_the_face_table(
    evening: Evening, tmp_path: Path
) -> None:
    folder = tmp_path / "Wedding"
    face_data.draw(folder / "DSC_1.jpg", Eye.CLOSED, Eye.OPEN)
    face_data.draw(folder / "DSC_2.jpg", Eye.OPEN, Eye.OPEN)
    face_data.draw(folder / "DSC_3.jpg", Eye.OPEN, Eye.CLOSED)
    evening.open(folder, photos=3).until(lambda: len(measured(evening)) == 3)
    session = evening.session
    evening.press("Ctrl+A", "Ctrl+G", "Home", "E", "Home", "Shift+Q", "Left")
    evening.reads("DSC_1 · eyes closed: 1 of 2 · person 1 of 2: eyes closed")
    evening.press("Down").reads("DSC_2 · everyone's eyes open")
    evening.press("Z")
    assert (session.view_state.view, session.view_state.zoom) == (View.LOUPE, 1.0)
    evening.press("Esc", "K").reads("Kept DSC_2, rejected 2 · Ctrl+Z")
    assert session.view_state.view is View.FACES
    verdicts = [session.table.verdict(int(photo)) for photo in session.ids]
    assert verdicts == [Verdict.REJECTED, Verdict.KEPT, Verdict.REJECTED]
    evening.press("Esc", "G", "Ctrl+Z").reads("Undid")
    assert (session.view_state.view, evening.name()) == (View.FACES, "DSC_2")
    assert {session.table.verdict(int(photo)) for photo in session.ids} == {Verdict.UNREVIEWED}
