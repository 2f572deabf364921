"""The import dialog and the offer of an inserted card, with real keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from curator.session import imports
from curator.ui.dialogs import import_dialog
from curator.ui.dialogs.import_dialog import ImportDialog
from curator.ui.main_window import MainWindow
from tests.conftest import PATIENCE_MS
from tests.fake_imports import FakeEngine, card
from tests.gui.conftest import QuietPipeline
from tests.gui.keyboard import press

Key = Qt.Key


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine of every window of the test; it reads and copies nothing."""
    made = FakeEngine()
    monkeypatch.setattr(import_dialog, "_REPLAN_MS", 10)
    monkeypatch.setattr(imports, "ImportEngine", lambda settings, give_way: made)
    return made


@pytest.fixture
def insert(window: MainWindow, qtbot: QtBot) -> Callable[..., None]:
    """Inserts cards into the window's computer, and removes all others."""

    def insert(*paths: Path) -> None:
        watcher = window.session.cards
        watcher._find = lambda: [card(path, path.name) for path in paths]
        watcher.look()
        qtbot.waitUntil(lambda: [each.path for each in watcher.cards] == [*map(str, paths)])

    return insert


def dialog_of(window: MainWindow) -> ImportDialog:
    found = QApplication.activeModalWidget()
    assert isinstance(found, ImportDialog)
    return found


def open_dialog(window: MainWindow, qtbot: QtBot) -> ImportDialog:
    """Open the dialog by key, and wait for its first plan."""
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window, PATIENCE_MS)
    press(window, "Ctrl+Shift+I")
    dialog = dialog_of(window)
    qtbot.waitUntil(dialog.go.isEnabled)
    return dialog


def type_into(field, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


EOS, NIKON = Path("/media/ada/EOS_DIGITAL"), Path("/media/ada/NIKON Z 8")


def test_an_inserted_card_is_offered_and_nothing_opens_by_itself(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot
) -> None:
    insert(EOS)
    bar = window.notifications
    assert (bar.text.text, bar.action.text()) == ("EOS_DIGITAL inserted", "Import…")
    assert QApplication.activeModalWidget() is None and not engine.asked
    press(window, Key.Key_Escape)
    assert bar.current is None
    insert(EOS)
    assert bar.current is None, "once for each insertion"
    insert()
    insert(EOS)
    assert bar.current is not None
    bar.action.click()
    assert dialog_of(window).sources.ticked() == [EOS]
    assert bar.current is None


def test_a_removed_card_is_no_longer_offered(
    engine: FakeEngine, window: MainWindow, insert
) -> None:
    insert(EOS)
    insert()
    assert window.notifications.current is None


def test_the_offer_can_be_switched_off(engine: FakeEngine, window: MainWindow, insert) -> None:
    window.session.settings.importing.offer = False
    insert(EOS)
    assert window.notifications.current is None


def test_the_empty_window_offers_to_import_while_a_card_is_here(
    engine: FakeEngine, make_window, qtbot: QtBot
) -> None:
    window = make_window(photos=0)
    button = window.empty_window.import_button
    assert not button.isVisible()
    window.session.cards._find = lambda: [card(EOS)]
    window.session.cards.look()
    qtbot.waitUntil(button.isVisible)
    button.click()
    assert dialog_of(window).sources.ticked() == [EOS]


def test_the_dialog_says_what_is_imported_before_anything_starts(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot
) -> None:
    engine.renamed = [("DCIM/100CANON/IMG_0001.CR3", "2026/2026-11-22/IMG_0001-2.CR3")]
    insert(EOS)
    dialog = open_dialog(window, qtbot)
    assert dialog.title.text() == "Import from EOS_DIGITAL"
    assert dialog.go.text() == "Import 904 photos"
    assert dialog.form.folders.note.text() == "2026/2026-11-22"
    assert dialog.form.names.note.text() == "IMG_0001.CR3, IMG_0002.CR3, IMG_0003.CR3, …"
    assert dialog.form.into.note.text() == "21.7 GB needed · 1,099.5 GB free"
    assert "1 file gets another name: IMG_0001.CR3 → 2026/" in dialog.details.text()
    assert not engine.runs


def test_enter_imports_once_the_plan_is_ready(
    engine: FakeEngine, window: MainWindow, insert, pipeline: QuietPipeline, qtbot: QtBot
) -> None:
    insert(EOS)
    dialog = open_dialog(window, qtbot)
    press(dialog, Key.Key_Return)
    assert dialog.isHidden()
    qtbot.waitUntil(lambda: len(engine.runs) == 1)
    assert ("open", [EOS]) in pipeline.asked, "its photos are on screen while they are copied"
    assert window.session.criteria.scope.title == "EOS_DIGITAL"
    engine.runs[0].may_end.set()
    qtbot.waitUntil(lambda: not window.session.imports.is_running)


def test_a_wrong_template_is_explained_and_cannot_be_imported(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot
) -> None:
    insert(EOS)
    dialog = open_dialog(window, qtbot)
    type_into(dialog.form.names.field, "{nmae}")
    qtbot.waitUntil(lambda: "Unknown placeholder {nmae}" in dialog.outcome.text())
    assert not dialog.go.isEnabled() and dialog.form.names.field.property("wrong")
    type_into(dialog.form.names.field, "{name}")
    qtbot.waitUntil(dialog.go.isEnabled)
    assert not dialog.form.names.field.property("wrong")


def test_typing_reads_no_card_again_and_only_the_last_text_counts(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot
) -> None:
    insert(EOS)
    dialog = open_dialog(window, qtbot)
    before = len(engine.asked)
    type_into(dialog.form.job.field, "Wedding")
    assert not dialog.go.isEnabled(), "the plan shown belongs to other choices"
    qtbot.waitUntil(dialog.go.isEnabled)
    assert engine.asked[-1].job == "Wedding" and len(engine.asked) == before + 1


def test_several_cards_are_imported_together(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot
) -> None:
    insert(EOS, NIKON)
    dialog = open_dialog(window, qtbot)
    assert (dialog.title.text(), dialog.go.text()) == ("Import from 2 cards", "Import 1,808 photos")
    QTest.keyClick(dialog.sources.boxes[EOS], Key.Key_Space)
    qtbot.waitUntil(lambda: dialog.go.isEnabled() and dialog.go.text() == "Import 904 photos")
    assert engine.asked[-1].cards == (NIKON,)
    insert(EOS)
    assert list(dialog.sources.boxes) == [EOS]


def test_a_second_copy_needs_room_of_its_own(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.ui.widgets.dialogs.choose_folder", lambda *_: "/backup/T7")
    insert(EOS)
    dialog = open_dialog(window, qtbot)
    engine.free = 1_000_000_000
    dialog.form.add_also.click()
    qtbot.waitUntil(lambda: dialog.form.also.note.text().startswith("Not enough room: 21.7 GB"))
    assert not dialog.go.isEnabled()
    assert [str(each) for each in engine.asked[-1].destinations][1] == "/backup/T7"
    engine.free = 1 << 40
    dialog.form.remove_also.click()
    qtbot.waitUntil(dialog.go.isEnabled)
    assert len(engine.asked[-1].destinations) == 1


def test_the_choices_are_those_of_the_last_import_except_the_job(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot, tmp_path: Path
) -> None:
    insert(EOS)
    dialog = open_dialog(window, qtbot)
    type_into(dialog.form.into.field, str(tmp_path / "library"))
    type_into(dialog.form.folders.field, "{job}")
    type_into(dialog.form.job.field, "Wedding")
    QTest.keyClick(dialog.form.sidecars, Key.Key_Space)
    type_into(dialog.form.creator.field, "Ada Lovelace")
    qtbot.waitUntil(dialog.go.isEnabled)
    press(dialog, Key.Key_Tab)
    dialog.go.setFocus()
    press(dialog, Key.Key_Return)
    qtbot.waitUntil(lambda: len(engine.runs) == 1)
    engine.runs[0].may_end.set()
    qtbot.waitUntil(lambda: not window.session.imports.is_running)
    again = open_dialog(window, qtbot)
    asked = again.form.request([EOS])
    assert (asked.folders, asked.job, asked.creator, asked.sidecars) == (
        "{job}",
        "",
        "Ada Lovelace",
        True,
    )
    assert asked.destinations == (tmp_path / "library",)


def test_only_kept_photos_can_be_chosen_once_some_are_kept(
    engine: FakeEngine, make_session, make_window, qtbot: QtBot
) -> None:
    window = make_window(make_session(folder=str(EOS / "DCIM")))
    window.session.cards._find = lambda: [card(EOS)]
    window.session.cards.look()
    qtbot.waitUntil(lambda: bool(window.session.cards.cards))
    dialog = open_dialog(window, qtbot)
    kept = window.session.imports.kept_on([EOS])
    assert kept > 0 and dialog.form.keepers.text() == f"Only photos I kept ({kept})"
    QTest.keyClick(dialog.form.keepers, Key.Key_Space)
    qtbot.waitUntil(dialog.go.isEnabled)
    assert engine.asked[-1].keepers


def test_a_problem_with_the_card_is_said_in_the_dialog(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot
) -> None:
    engine.problem = "EOS_DIGITAL cannot be read."
    insert(EOS)
    press(window, "Ctrl+Shift+I")
    dialog = dialog_of(window)
    qtbot.waitUntil(lambda: dialog.outcome.text() == "EOS_DIGITAL cannot be read.")
    assert not dialog.go.isEnabled()


def test_without_a_card_the_dialog_asks_for_one(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    press(window, "Ctrl+Shift+I")
    text = "Insert a card, or choose a folder to import from."
    assert dialog_of(window).outcome.text() == text and not engine.asked


def test_the_form_scrolls_on_a_small_screen(
    engine: FakeEngine, window: MainWindow, insert, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImportDialog, "max_size", QSize(784, 500))
    window.session.settings.importing.also = "/backup/T7"
    window.session.settings.importing.sidecars = True
    insert(EOS, NIKON)
    dialog = open_dialog(window, qtbot)
    assert dialog.height() <= 500
    for button in (dialog.go, dialog.cancel):
        assert dialog.rect().contains(button.geometry())
    assert dialog.outcome.height() >= dialog.outcome.heightForWidth(dialog.outcome.width())
    field = dialog.form.copyright.field
    assert not field.visibleRegion().boundingRect().height()
    dialog.form.creator.field.setFocus()
    press(dialog, Key.Key_Tab)
    assert field.hasFocus() and field.visibleRegion().boundingRect().height() == field.height()
