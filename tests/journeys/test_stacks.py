"""Stacks with real keys: keep the best photo of a burst, and stack by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator.model import Pass, Verdict, View
from tests.journeys.evening import Evening
from tests.photos import TAKEN, draw_jpeg

FRAMES = 6
SHARP = 3  # the one frame of the burst that is


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """A burst of six within two seconds, one frame sharp; then two photos, minutes later."""
    folder = tmp_path / "Regatta"
    for number in range(FRAMES):
        taken = TAKEN + timedelta(seconds=0.3 * number)
        look = "sharp" if number == SHARP else "soft"
        draw_jpeg(
            folder / f"DSC_{number:04}.jpg", seed=1, look=look, taken=taken, quality=90 - number
        )
    for number in (6, 7):
        taken = TAKEN + timedelta(minutes=number)
        draw_jpeg(folder / f"DSC_{number:04}.jpg", seed=number, taken=taken)
    return folder


def tiles(evening: Evening) -> list[int]:
    """Return the number of photos of each tile in the grid."""
    cut = evening.session.photos.listing.tiles
    return [len(cut[number]) for number in range(len(cut))]


def rejected(evening: Evening) -> list[str]:
    table = evening.session.table
    return sorted(
        table.name(int(photo)) for photo in table.ids if table.verdict(photo) is Verdict.REJECTED
    )


def test_one_key_keeps_the_suggested_best_of_a_burst_and_rejects_the_rest(
    evening: Evening, shoot: Path
) -> None:
    session = evening.open(shoot, photos=8).session
    evening.until(lambda: tiles(evening) == [6, 1, 1])
    evening.press("Home")
    evening.until(lambda: evening.name() == "DSC_0003")  # the sharp one stands for them

    evening.press("S").reads("Expanded a stack of 6 frames")
    assert tiles(evening) == [1] * 8
    evening.press("Right", "Right", "Right")
    assert evening.name() == "DSC_0006"
    evening.press("Home", "S")
    assert tiles(evening) == [6, 1, 1]

    # In the cull Right goes frame by frame, K decides about all of them.
    evening.press("Alt+1")
    assert (session.criteria.mode, session.view_state.view, evening.name()) == (
        Pass.CULL,
        View.LOUPE,
        "DSC_0000",
    )
    evening.reads("1 of 6")
    evening.press("Right", "Right", "Right").reads("4 of 6")
    evening.press("K").reads("Kept DSC_0003, rejected 5")
    assert evening.name() == "DSC_0006"
    assert rejected(evening) == [f"DSC_{number:04}" for number in (0, 1, 2, 4, 5)]
    assert session.statistics.progress().decided == 6
    evening.press("Ctrl+Z").reads("Undid reject 5 and keep, DSC_0003")
    assert (evening.name(), rejected(evening)) == ("DSC_0003", [])

    # Down and Up go over whole stacks, and come to the proposed frame.
    evening.press("Down")
    assert evening.name() == "DSC_0006"
    evening.press("Up")
    assert evening.name() == "DSC_0003"

    # In the grid one X takes what is unreviewed of the whole stack.
    evening.press("G", "X").reads("Rejected 6 photos")
    assert len(rejected(evening)) == FRAMES


@pytest.mark.slow
def test_stacks_changed_by_hand_survive_a_restart(evening: Evening, shoot: Path) -> None:
    evening.open(shoot, photos=8)
    evening.until(lambda: tiles(evening) == [6, 1, 1])
    evening.press("Home", "S", "Right", "Alt+G").reads("Removed from stack")
    split = evening.name()
    assert evening.session.stacks.position_in_stack(evening.session.current) == ""

    grid = evening.app.window.grid
    for place, held in (
        (6, Qt.KeyboardModifier.NoModifier),
        (7, Qt.KeyboardModifier.ShiftModifier),
    ):
        at = grid.cell(place).center()
        QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, held, at)
    evening.press("Ctrl+G").reads("Stacked 2 photos")
    evening.press("Home", "S")
    assert sorted(tiles(evening)) == [1, 2, 5]

    evening.again().until(lambda: sorted(tiles(evening)) == [1, 2, 5])
    evening.press("End", "Ctrl+Shift+G").reads("Unstacked 2 photos")
    evening.press("Ctrl+Z").reads("Undid unstack, 2 photos")
    evening.press("Ctrl+Z").reads(
        "Not undone yet: stack 2 photos"
    )  # of an earlier evening: announced
    evening.press("Ctrl+Z", "Ctrl+Z", "Ctrl+Z")
    evening.until(lambda: tiles(evening) == [6, 1, 1])
    assert evening.name() == split
