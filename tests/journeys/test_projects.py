"""A project from its name to its manual order, with real keys and a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.evening import Evening
from tests.photos import draw_series


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Four photos, a minute apart."""
    return draw_series(tmp_path / "South", 4, size=(240, 160))


def shown(evening: Evening) -> list[str]:
    return [evening.session.table.name(photo) for photo in evening.session.ids.tolist()]


@pytest.mark.slow
def test_a_project_is_made_filled_ordered_and_kept_over_a_restart(
    evening: Evening, shoot: Path
) -> None:
    evening.open(shoot, photos=4).press("E", "Shift+B").type("Harbour").press("Return")
    evening.reads("Project: Harbour")
    evening.press("B").reads("Added DSC_0000 to Harbour")
    evening.press("Right", "B", "Right", "B").reads("Added DSC_0002 to Harbour")
    evening.press("Left", "B").reads("Removed DSC_0001 from Harbour")
    evening.press("Ctrl+Z").reads("Undid remove from Harbour, DSC_0001")
    evening.press("B").reads("Removed DSC_0001 from Harbour")

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
    evening.press("Ctrl+Z").reads("Not undone yet: move in Harbour DSC_0002")
    evening.press("Ctrl+Z").reads("Undid move in Harbour, DSC_0002")
    assert shown(evening) == ["DSC_0000", "DSC_0002"]
