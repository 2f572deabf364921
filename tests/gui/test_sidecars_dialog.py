"""The sidecars dialog: which conflicts it resolves, and the sides a person chose."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator.catalog import Catalog
from curator.pipeline.sidecars import SidecarNews
from curator.session import Session
from curator.ui.dialogs.sidecars_dialog import SidecarsDialog
from curator.ui.main_window import MainWindow
from tests.conftest import PATIENCE_MS
from tests.gui.conftest import QuietPipeline
from tests.sidecars import reading

FIRST, SECOND, THIRD = 2, 3, 4


def contradict(catalog: Catalog, photo: int, theirs: int = 5) -> None:
    """Give a photo 2 stars, and read other stars from its sidecar."""
    catalog.journal.decide({photo: {"rating": 2}}, summary="2 stars")
    catalog.metadata.save_readings([(photo, [reading(f"/photos/000/{photo}.xmp", rating=theirs)])])


@pytest.fixture
def writing(pipeline: QuietPipeline) -> QuietPipeline:
    """The pipeline; comparing sidecars has no answer, and writing them writes nothing."""
    pipeline.sidecars = SimpleNamespace(preview=lambda *_: None)  # type: ignore[attr-defined]
    pipeline.write_sidecars = lambda: None  # type: ignore[attr-defined]
    return pipeline


@pytest.fixture
def opened(session: Session, writing: QuietPipeline, qtbot) -> Callable[..., SidecarsDialog]:
    """Opens the dialog for photos."""

    def opened(*photos: int) -> SidecarsDialog:
        session.refresh()
        dialog = SidecarsDialog(session, photos, "Iceland")
        qtbot.addWidget(dialog)
        dialog.show()
        assert QTest.qWaitForWindowActive(dialog, PATIENCE_MS)
        return dialog

    return opened


def test_a_chosen_side_stays_while_other_sidecars_come_into_conflict(
    session: Session, writing: QuietPipeline, opened: Callable[..., SidecarsDialog]
) -> None:
    for photo in (FIRST, SECOND):
        contradict(session.catalog, photo)
    dialog = opened(FIRST, SECOND, THIRD)
    suggested = dialog.conflicts.choices()
    dialog.sides.setFocus()
    for row in (0, 1):
        dialog.sides.selectRow(row)
        QTest.keyClick(dialog.sides, Qt.Key.Key_Space)
    chosen = dialog.conflicts.choices()
    assert all(chosen[photo] != suggested[photo] for photo in (FIRST, SECOND))

    contradict(session.catalog, THIRD)
    contradict(session.catalog, SECOND, theirs=4)  # changed again: not what the person saw
    writing.events.sidecars_changed.emit(SidecarNews(conflicts=3))
    assert len(dialog.conflicts.rows) == 3
    assert dialog.conflicts.chosen == {FIRST: chosen[FIRST]}


def test_conflicts_of_other_photos_are_counted_and_left_alone(
    session: Session, opened: Callable[..., SidecarsDialog]
) -> None:
    for photo in (FIRST, SECOND):
        contradict(session.catalog, photo)
    dialog = opened(FIRST)
    assert dialog.apply.text() == "Apply to 1 photo"
    others = "Of other photos: 1 sidecar changed in other apps conflicts with your marks."
    assert others in dialog.disputed.text()
    dialog.files.click()
    dialog.apply.click()
    assert [conflict.photo_id for conflict in session.sidecars.conflicts()] == [SECOND]
    assert session.table.marks(FIRST).rating == 5 and session.table.marks(SECOND).rating == 2
    assert dialog.disputed.text() == others
    assert dialog.disputed.isVisible() and not dialog.apply.isVisible()


def test_the_notification_opens_the_dialog_for_the_photos_in_conflict(
    window: MainWindow, writing: QuietPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def note(dialog: SidecarsDialog) -> int:
        shown.append(f"{dialog.title.text()}: {dialog.apply.text()}")
        return 0

    monkeypatch.setattr(SidecarsDialog, "exec", note)
    for photo in (FIRST, SECOND):
        contradict(window.session.catalog, photo)
    window.session.photos.toggle_selected(8)
    window.session.photos.toggle_selected(9)
    writing.events.sidecars_changed.emit(SidecarNews(conflicts=2))
    assert window.notifications.current is not None
    window.notifications.action.click()
    assert shown == ["Sidecars of 2 photos: Apply to 2 photos"]
