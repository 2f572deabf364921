"""Deleting rejected photos: review, trash, and splitting a pair."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator.library.scopes import Scope
from curator.ui.dialogs.rejects_dialog import RejectsDialog
from curator.ui.pages.finish_page import cull_page
from curator.ui.widgets import words
from tests.journeys.evening import Evening
from tests.photos import draw_jpeg, write_dng

TAKEN = datetime(2024, 5, 4, 9, 0)


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Three JPEGs and a RAW+JPEG pair with a sidecar."""
    folder = tmp_path / "Iceland"
    for number in range(4):
        taken = TAKEN + timedelta(minutes=number)
        draw_jpeg(folder / f"DSC_{number}.JPG", size=(300, 200), seed=number, taken=taken)
    write_dng(folder / "DSC_0.DNG", size=(300, 200), seed=0, taken=TAKEN)
    (folder / "DSC_0.AAE").write_text("edits of a telephone")
    return folder


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def review(evening: Evening) -> RejectsDialog:
    """Open the review with the command palette, as it has no key."""
    evening.press("Ctrl+K").type("delete rejected").press("Return")
    dialog = evening.window.findChild(RejectsDialog)
    assert isinstance(dialog, RejectsDialog)
    return evening.until(dialog.go.isEnabled) and dialog


def test_rejected_photos_are_reviewed_and_go_to_the_trash_except_one(
    evening: Evening, shoot: Path, trash: Path
) -> None:
    session = evening.open(shoot, photos=4).session
    evening.press("E", "X", "X", "G")
    before = files(shoot)
    dialog = review(evening)
    assert dialog.sentence.text().startswith("3 files of 2 photos")
    assert "DSC_0.AAE" in {Path(file.path).name for file in dialog.model.rows if not file.ticked}
    dialog.grid.setFocus()
    QTest.keyClick(dialog.grid, Qt.Key.Key_Return)  # Enter never removes
    assert dialog.report is None and files(shoot) == before
    second = next(i for i in map(int, session.table.ids) if session.tile(i).name == "DSC_1")
    QTest.mouseClick(
        dialog.grid.viewport(),
        Qt.MouseButton.LeftButton,
        pos=dialog.grid.rect_of([photo for photo, _ in dialog.grid._photos].index(second)).center(),
    )
    assert dialog.go.text() == "Move 2 files to the trash"
    dialog.go.click()
    evening.until(lambda: dialog.report is not None)
    assert files(shoot) == before - {"DSC_0.DNG", "DSC_0.JPG"}
    assert {path.name for path in (trash / "files").iterdir()} == {"DSC_0.DNG", "DSC_0.JPG"}
    dialog.cancel.click()
    assert {session.tile(i).name for i in map(int, session.ids)} == {"DSC_1", "DSC_2", "DSC_3"}
    assert session.statistics.counts()["rejected"] == 1


@pytest.mark.slow
def test_a_pair_is_split_and_joined_again(evening: Evening, shoot: Path) -> None:
    session = evening.open(shoot, photos=4).session
    evening.until(lambda: evening.all_read(4))  # the loupe stays at the photo it opened with
    evening.press("E", "Shift+R").reads("Split DSC_0")
    evening.until(lambda: evening.all_read(5))
    evening.press("X")
    assert {session.tile(i).name for i in map(int, session.table.ids)} >= {"DSC_0.DNG", "DSC_0.JPG"}
    assert session.statistics.counts()["rejected"] == 1
    evening.press("Ctrl+Z", "Ctrl+Z").reads("Undid split, DSC_0")
    assert evening.until(lambda: len(session.ids) == 4)
    assert session.tile(int(session.ids[0])).pair


@pytest.mark.slow
def test_in_a_folder_of_copies_all_texts_tell_the_same_size(evening: Evening, shoot: Path) -> None:
    session = evening.open(shoot, photos=4).session
    card = shoot / "card"
    card.mkdir()
    for number in (1, 2):
        name = f"DSC_{number}.JPG"
        (card / name).write_bytes((shoot / name).read_bytes())
    session.pipeline.rescan()
    evening.until(lambda: len(session.table.ids[session.table.folders.inside(str(card))]) == 2)
    session.sources.open_scope(Scope("folder", str(card), "card"))
    evening.press("Alt+1", "X", "X")
    assert session.statistics.counts()["rejected"] == 2
    numbers = [number.what for number in cull_page(session).numbers]
    dialog = review(evening)
    going = dialog.shown
    assert {Path(file.path).parent for file in going.going} == {card}
    assert dialog.staying.text() == "2 copies in other folders stay."
    assert f"rejected, {words.size(going.bytes)}" in numbers
    dialog.reject()
