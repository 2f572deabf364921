"""The page of an import, its line in the status line, and closing the window meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from curator.catalog import VerifiedCopy
from curator.importing.request import ImportRequest
from curator.model import KnownError, Pass
from curator.session import imports
from curator.ui.import_actions import ImportActions
from curator.ui.main_window import MainWindow
from curator.ui.pages.import_page import ImportPage
from curator.ui.widgets import dialogs
from tests.fake_imports import FakeEngine, card, unsafe_report
from tests.gui.keyboard import press

Key = Qt.Key
CARD = Path("/media/ada/EOS_DIGITAL")
REQUEST = ImportRequest((CARD,), (Path("/photos/library"), Path("/backup/T7")))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine of every window of the test; what still runs is stopped at its end."""
    made = FakeEngine()
    monkeypatch.setattr(imports, "ImportEngine", lambda settings, give_way: made)
    monkeypatch.setattr(dialogs, "ask", lambda *_: "stop")
    return made


def start(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    """Start an import and let it be at its 320th file."""
    with qtbot.waitSignal(window.session.imports.planned) as planned:
        window.session.imports.make_plan(REQUEST)
    window.session.imports.start(planned.args[0].plan)
    qtbot.waitUntil(lambda: bool(engine.runs))
    engine.show()
    qtbot.waitUntil(lambda: window.session.imports.progress is not None)


def end(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.session.imports.ended):
        engine.runs[-1].may_end.set()


def actions_of(window: MainWindow) -> ImportActions:
    found = window.findChild(ImportActions)
    assert isinstance(found, ImportActions)
    return found


def page_of(window: MainWindow) -> ImportPage:
    page = actions_of(window).page
    assert page is not None
    return page


def test_the_status_line_names_the_slowest_destination_and_opens_the_page(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    start(window, engine, qtbot)
    line = window.status.importing
    assert line.text == "Importing 160 of 904 to T7 · 42.0 MB/s · 12 min"
    assert not window.status.work.isVisible()
    QTest.mouseClick(line, Qt.MouseButton.LeftButton)
    page = page_of(window)
    assert page.title.text() == "Importing from EOS_DIGITAL"
    row = page.progress.rows[0]
    cells = [page.progress.cell(row, column) for column in range(6)]
    assert cells[1:] == ["320 of 904", "7.7 GB of 21.7 GB", "84.0 MB/s", "6 min", "Copying"]
    press(page, Key.Key_Escape)
    assert actions_of(window).page is None and window.session.imports.is_running
    end(window, engine, qtbot)
    assert not line.isVisible()


def test_the_command_opens_the_page_while_an_import_runs(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    start(window, engine, qtbot)
    press(window, "Ctrl+Shift+I")
    assert page_of(window).isVisible()


def test_an_import_is_paused_resumed_and_stopped_by_key(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    start(window, engine, qtbot)
    press(window, "Ctrl+Shift+I")
    page = page_of(window)
    page.pause.setFocus()
    press(page, Key.Key_Return)
    qtbot.waitUntil(lambda: page.pause.text() == "Resume")
    assert window.status.importing.text == "Import paused · 160 of 904"
    press(page, Key.Key_Return)
    qtbot.waitUntil(lambda: page.pause.text() == "Pause")
    page.stop.setFocus()
    with qtbot.waitSignal(window.session.imports.ended):
        press(page, Key.Key_Return)
    assert engine.runs[0].calls == ["pause", "resume", "stop"]


def test_a_removed_card_is_asked_for(engine: FakeEngine, window: MainWindow, qtbot: QtBot) -> None:
    start(window, engine, qtbot)
    engine.show(reason="EOS_DIGITAL was removed. Insert it again to continue.")
    text = "Import waits: EOS_DIGITAL was removed · 160 of 904"
    qtbot.waitUntil(lambda: window.status.importing.text == text)
    press(window, "Ctrl+Shift+I")
    page = page_of(window)
    assert page.headline.text() == "Waiting · 160 of 904 files"
    assert page.proof.text() == "EOS_DIGITAL was removed. Insert it again to continue."
    assert [page.progress.cell(row, 5) for row in page.progress.rows] == ["Waiting"] * 2


def test_the_page_ends_with_the_sentence_that_the_card_may_be_formatted(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    start(window, engine, qtbot)
    press(window, "Ctrl+Shift+I")
    page = page_of(window)
    end(window, engine, qtbot)
    assert page.headline.text() == "Safe to format EOS_DIGITAL"
    assert page.proof.text() == "904 files (2 copies each) read back and equal."
    assert [page.copies.cell(page.copies.rows[1], n) for n in (1, 2, 5)] == ["900", "4", "Complete"]
    assert page.failures_view.isHidden() and page.progress_view.isHidden()
    page.cull.setFocus()
    press(page, Key.Key_Return)
    assert window.session.criteria.mode is Pass.CULL


def test_the_page_says_exactly_why_a_card_is_not_safe_to_format(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    engine.report = unsafe_report()
    start(window, engine, qtbot)
    end(window, engine, qtbot)
    bar = window.notifications
    assert bar.text.text.startswith("Not safe to format EOS_DIGITAL: 1 file failed")
    bar.action.click()
    page = page_of(window)
    assert page.headline.text() == "Not safe to format EOS_DIGITAL"
    assert page.reasons.text() == "1 file failed (DCIM/100CANON/IMG_0412.CR3)."
    failure = page.failures.rows[0]
    assert page.failures.cell(failure, 2) == "It cannot be read (Input/output error)."
    assert page.copies.cell(page.copies.rows[0], 5) == "1 failed"


def test_an_import_that_cannot_run_says_why(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    engine.report = KnownError("/backup/T7 cannot be used (Read-only file system).")
    start(window, engine, qtbot)
    end(window, engine, qtbot)
    assert window.notifications.text.text == "/backup/T7 cannot be used (Read-only file system)."
    actions_of(window).open_page()
    assert page_of(window).headline.text() == "The import failed"


def test_the_card_can_be_ejected_from_the_page(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ejected: list[str] = []
    monkeypatch.setattr("curator.cards.can_eject", lambda card: True)
    monkeypatch.setattr("curator.cards.eject", lambda card: ejected.append(card.path))
    window.session.cards._find = lambda: [card(CARD)]
    window.session.cards.look()
    start(window, engine, qtbot)
    end(window, engine, qtbot)
    actions_of(window).open_page()
    page = page_of(window)
    qtbot.waitUntil(page.eject.isVisible)
    assert page.eject.text() == "Eject EOS_DIGITAL"
    page.eject.setFocus()
    with qtbot.waitSignal(window.session.messages.status_message) as said:
        press(page, Key.Key_Return)
    assert ejected == [str(CARD)]
    assert said.args == ["EOS_DIGITAL was ejected. You can remove it."]


def test_reports_of_earlier_imports_can_be_read_again(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    catalog = window.session.catalog
    for report in (unsafe_report(), engine.report):
        run = catalog.imports.begin(REQUEST.as_json(), "Wedding")
        catalog.imports.finish(run, report.summary())  # type: ignore[union-attr]
    actions_of(window).open_page()
    page = page_of(window)
    assert page.headline.text() == "No import is running"
    assert [page.earlier.cell(row, 1) for row in page.earlier.rows] == ["EOS_DIGITAL"] * 2
    page.earlier_view.setFocus()
    page.earlier_view.selectRow(0)
    assert page.headline.text() == "Safe to format EOS_DIGITAL"
    press(page, Key.Key_Down)
    assert page.headline.text() == "Not safe to format EOS_DIGITAL"
    assert page.failures_view.isVisible()


@pytest.mark.parametrize(("answer", "closed"), [(None, False), ("stop", True)])
def test_closing_the_window_asks_before_it_stops_an_import(
    answer: str | None,
    closed: bool,
    engine: FakeEngine,
    window: MainWindow,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start(window, engine, qtbot)
    asked: list[dialogs.Question] = []

    def ask(parent: object, question: dialogs.Question) -> str | None:
        asked.append(question)
        return answer

    monkeypatch.setattr(dialogs, "ask", ask)
    press(window, "Ctrl+Q")
    assert asked[0].title == "An import is running. Stop it?"
    assert window.isHidden() is closed
    assert engine.runs[0].calls == (["stop"] if closed else [])
    monkeypatch.setattr(dialogs, "ask", lambda *_: "stop")


def test_an_interrupted_import_is_offered_again_and_continues(
    engine: FakeEngine, make_session, make_window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session()
    run = session.catalog.imports.begin({**REQUEST.as_json(), "files": 904}, "")
    files = [VerifiedCopy(str(CARD), f"{n}.CR3", "", "", 1, "/photos", "", 0) for n in range(320)]
    session.catalog.imports.record(run, [*files, replace(files[0], destination="/backup")], "/p")
    monkeypatch.setattr("curator.atomic.writer_is_gone", lambda *_: True)
    window = make_window(session)
    bar = window.notifications
    assert bar.text.text == "The import of EOS_DIGITAL was interrupted after 320 of 904 files"
    bar.action.click()
    qtbot.waitUntil(lambda: session.imports.is_running and bool(engine.runs))
    assert engine.asked[-1].cards == REQUEST.cards
