"""Compare, survey and candidates with real keys and files, also with missing pictures."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from curator.model import Verdict, View
from tests.journeys.evening import Evening
from tests.photos import TAKEN, draw_jpeg

NAMES = [f"DSC_{number:04}" for number in range(6)]


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Six photos a minute apart."""
    folder = tmp_path / "Iceland"
    for number, name in enumerate(NAMES):
        taken = TAKEN + timedelta(minutes=number)
        draw_jpeg(folder / f"{name}.jpg", seed=number, taken=taken)
    return folder


def beside(evening: Evening) -> list[str]:
    """Return the names of the photos side by side."""
    panes = evening.session.compare.panes
    return [] if panes is None else [evening.session.table.name(one) for one in panes.photos]


def judged(evening: Evening, verdict: Verdict) -> list[str]:
    table = evening.session.table
    return sorted(table.name(one) for one in table.ids.tolist() if table.verdict(one) is verdict)


@pytest.mark.slow
def test_the_best_of_six_photos_is_found_in_compare(evening: Evening, shoot: Path) -> None:
    evening.open(shoot, photos=6).press("Return", "C")
    assert beside(evening) == NAMES[:2]
    evening.press("X").reads("Rejected DSC_0001")  # 1 is worse than 0
    assert beside(evening) == [NAMES[0], NAMES[2]]
    evening.press("Return")  # 2 is better: it stays
    assert beside(evening) == NAMES[2:4]
    evening.press("Right", "Tab", "X")  # 4 beside 2, and 2 is worse after all
    assert beside(evening) == NAMES[4:]
    evening.press("Z")
    evening.until(lambda: evening.window.compare.is_full_resolution)
    evening.press("Tab", "X", "Tab", "5", "Esc", "Esc")  # 5, the last one, is worse than 4
    assert judged(evening, Verdict.REJECTED) == [NAMES[1], NAMES[2], NAMES[5]]
    assert (evening.session.view_state.view, evening.name()) == (View.LOUPE, NAMES[4])
    assert evening.session.table.marks(evening.session.current or 0).rating == 5


@pytest.mark.slow
def test_undo_returns_to_the_pair_of_the_mark(evening: Evening, shoot: Path) -> None:
    evening.open(shoot, photos=6).press("Return", "C", "3", "X", "G", "Ctrl+Z")
    assert beside(evening) == NAMES[:2]
    assert evening.name() == NAMES[1]
    evening.reads("Undid reject, DSC_0001")
    evening.press("Ctrl+Z")
    assert (beside(evening), evening.name()) == (NAMES[:2], NAMES[1])
    assert judged(evening, Verdict.UNREVIEWED) == NAMES
    evening.again()
    assert (
        evening.session.view_state.view is View.GRID
    )  # where one had been; no pair opens by itself
    assert evening.name() == NAMES[1]


@pytest.mark.slow
def test_a_survey_is_reduced_to_one_photo(evening: Evening, shoot: Path) -> None:
    evening.open(shoot, photos=6).reads("6 photos").press("Esc")
    evening.press("Ctrl+A", "N").reads("6 selected")
    assert beside(evening) == NAMES
    evening.press("X", "X")
    assert beside(evening) == NAMES  # rejected ones stay until they are dropped
    evening.press("Left", "Left", "Backspace", "Backspace")
    assert beside(evening) == NAMES[2:]
    assert judged(evening, Verdict.REJECTED) == NAMES[:2]
    evening.press("Right", "C", "Return", "Esc")
    assert beside(evening) == NAMES[2:]
    assert evening.name() == NAMES[4]  # it won against 3
    evening.press("5", "Esc").reads("5 stars for DSC_0004")
    assert evening.session.view_state.view is View.GRID


@pytest.mark.slow
def test_photos_whose_files_are_gone_are_compared_by_their_proxies(
    evening: Evening, shoot: Path
) -> None:
    evening.open(shoot, photos=6).press("Return")
    (shoot / f"{NAMES[1]}.jpg").unlink()
    evening.press("C", "Z").reads("zoom is limited to the proxy")
    assert beside(evening) == NAMES[:2]
    evening.press("X")
    assert judged(evening, Verdict.REJECTED) == [NAMES[1]]


@pytest.mark.slow
def test_a_photo_without_a_picture_is_compared_with_another(evening: Evening, shoot: Path) -> None:
    (shoot / f"{NAMES[1]}.jpg").write_bytes(b"\xff\xd8\xff\xe1 gone wrong")
    evening.open(shoot, photos=6).reads("6 photos").press("Esc", "Ctrl+A", "N")
    assert sorted(beside(evening)) == NAMES
    evening.press("End", "Right", "Right", "Right", "Right", "Right")
    assert evening.name() == NAMES[1]  # without a capture time it comes last
    evening.reads("6 of 6 · DSC_0001").press("X", "Left", "Z", "Esc", "Esc")
    assert judged(evening, Verdict.REJECTED) == [NAMES[1]]
    assert evening.session.view_state.view is View.GRID


@pytest.mark.slow
def test_candidates_show_next_to_the_rated_photo(evening: Evening, shoot: Path) -> None:
    evening.open(shoot, photos=6).press("Alt+1", *["Space"] * 6, "Alt+2", "Home")
    here = evening.name()
    evening.reads("Similar photos: ")
    evening.press("Ctrl+1").reads(f"Next or previous photo returns to {here}")
    maybe = evening.name()
    assert maybe != here
    evening.press("4", "Right")
    assert evening.name() == here
    evening.reads(f"{maybe} · kept · ★★★★ · Ctrl+1")
