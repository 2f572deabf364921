"""A project from its name to its order by hand, by real keys, over a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.evening import Evening
from tests.photos import TAKEN, draw_jpeg


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Four photos, a minute apart."""
    folder = tmp_path / "South"
    for number in range(4):
        taken = TAKEN + timedelta(minutes=number)
        draw_jpeg(folder / f"DSC_{number:04}.jpg", size=(240, 160), seed=number, taken=taken)
    return folder


def shown(evening: Evening) -> list[str]:
    return [evening.session.table.name(photo) for photo in evening.session.ids.tolist()]


def test_a_project_is_made_filled_ordered_and_there_the_next_evening(
    evening: Evening, shoot: Path
) -> None:
    evening.open(shoot, photos=4).press("E", "Shift+B").type("Harbour").press("Return")
    evening.reads("Project: Harbour")
    evening.press("B").reads("Added DSC_0000 to Harbour")
    evening.press("Right", "B", "Right", "B").reads("Added DSC_0002 to Harbour")
    evening.press("Left", "B").reads("Took DSC_0001 out of Harbour")
    evening.press("Ctrl+Z").reads("Undid take out of Harbour, DSC_0001")
    evening.press("B").reads("Took DSC_0001 out of Harbour")

    project = evening.session.projects.current
    assert project is not None
    evening.session.projects.open_scope(project.id)
    evening.press("G")
    assert shown(evening) == ["DSC_0000", "DSC_0002"] and evening.session.criteria.order == "hand"
    evening.press("End", "Alt+Up").reads("Moved DSC_0002 in Harbour")
    assert shown(evening) == ["DSC_0002", "DSC_0000"]

    evening.again().reads("Project: Harbour")
    assert evening.session.criteria.scope.title == "Harbour"
    assert shown(evening) == ["DSC_0002", "DSC_0000"]
    evening.press("Ctrl+Z").reads("Next: move in Harbour DSC_0002")
    evening.press("Ctrl+Z").reads("Undid move in Harbour, DSC_0002")
    assert shown(evening) == ["DSC_0000", "DSC_0002"]
