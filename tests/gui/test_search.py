"""The search box: typing, completions, mistakes and saved searches."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from curator import commands
from curator.model import View
from curator.ui.main_window import MainWindow
from curator.ui.panels import saved_searches
from curator.ui.panels.search_box import SearchField
from tests import face_data
from tests.face_data import CLOSED, OPEN


@pytest.fixture
def box(window: MainWindow) -> SearchField:
    """The focused search box, with an up-to-date text index."""
    window.session.catalog.text.update_all()
    QTest.keyClick(window, Qt.Key.Key_Slash)
    assert window.topbar.search.hasFocus()
    return window.topbar.search


def test_a_field_and_its_value_can_be_completed_by_keyboard(
    window: MainWindow, box: SearchField
) -> None:
    assert [hint.text for hint in box.hints.found][:2] == ["is:", "rating:"]
    assert box.hints.isVisible(), "an empty box lists the fields"
    QTest.keyClicks(box, "la")
    QTest.keyClick(box, Qt.Key.Key_Tab)
    assert box.text() == "label:"
    QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.text() == "label:yellow " and box.hasFocus()
    QTest.keyClicks(box, "xyz")
    assert not box.hints.isVisible(), "plain words have no completions"
    box.setText("")
    QTest.keyClicks(box, "camera:two")
    QTest.keyClick(box, Qt.Key.Key_Tab)
    assert box.text() == 'camera:"Curator Works Test Two" '
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert len(window.session.ids) == 20 and not box.hasFocus()


def test_the_filter_is_in_the_box_after_a_restart(
    window: MainWindow, box: SearchField, make_window, make_session
) -> None:
    QTest.keyClicks(box, "iso:>=100")
    QTest.keyClick(box, Qt.Key.Key_Return)
    window.close()
    again = make_window(make_session())
    assert again.session.criteria.filter == "iso:>=100"
    assert again.topbar.search.text() == "iso:>=100"


def test_eyes_are_completed_by_keyboard(window: MainWindow, box: SearchField) -> None:
    face_data.save(window.session.catalog, {1: [], 2: [OPEN, CLOSED], 3: [OPEN]})
    window.session.refresh()
    QTest.keyClicks(box, "ey")
    QTest.keyClick(box, Qt.Key.Key_Tab)
    QTest.keyClicks(box, "cl")
    QTest.keyClick(box, Qt.Key.Key_Tab)
    assert box.text() == "eyes:closed "
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert window.session.ids.tolist() == [2]


def test_completions_are_shown_above_the_inspector(window: MainWindow, box: SearchField) -> None:
    commands.run(window.session, "toggle_inspector")
    QTest.keyClicks(box, "l")
    window.parts.arrange()  # as happens when photos arrive during typing
    assert window.inspector.isVisible()
    over = box.hints.geometry().intersected(window.inspector.geometry())
    assert not over.isEmpty()
    assert box.hints.isAncestorOf(window.childAt(over.center()))
    box.hide()
    assert not box.hints.isVisible() and not box._typing.isActive(), "a hidden box searches no more"


def test_a_mistake_is_underlined_and_explained(box: SearchField) -> None:
    QTest.keyClicks(box, "sharp rating:many harbor")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.hasFocus() and box.cursorPosition() == len("sharp rating:")
    line, metrics = box._underlined(), box.fontMetrics()
    assert abs(line.width() - metrics.horizontalAdvance("many")) <= 2
    assert "rating: expects a number" in box.problem.text()
    QTest.keyClick(box, Qt.Key.Key_Delete)
    assert not box.problem.isVisible(), "the next key removes it"


def test_an_unfinished_word_is_no_mistake_and_an_empty_result_keeps_the_focus(
    window: MainWindow, box: SearchField
) -> None:
    QTest.keyClicks(box, "is:pick")
    box._apply(finished=False)
    assert not box.problem.isVisible()
    QTest.keyClicks(box, " DSC")
    box._apply(finished=False)
    assert box.problem.isVisible()
    box.clear()
    QTest.keyClicks(box, "nowhere")
    box._apply(finished=False)
    assert window.page() is window.empty_list and box.hasFocus()


def test_a_search_for_match_says_why_no_photo_has_one(
    window: MainWindow, box: SearchField, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: bool(window.session.taste.sentence))
    QTest.keyClicks(box, "rating:3 match:>=70")
    box._apply(finished=False)
    missing = window.session.taste.sentence.rstrip(".")
    assert missing.startswith("Rate ")
    assert window.empty_list.reason.text() == f"No photos match “rating:3 match:>=70”. {missing}"


def test_no_typed_text_does_harm(window: MainWindow, box: SearchField) -> None:
    strange = "😀 سلام \u202e"
    for typed in ('"* OR NEAR(', "'; DROP TABLE photo; --", strange, "\x00", "a" * 10_000):
        box.setText(typed)
        box._apply(finished=True)
    assert window.session.catalog.check() == []
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert len(window.session.ids) == 60


def test_a_search_is_saved_opened_renamed_and_removed(
    window: MainWindow, box: SearchField, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, rows = window.session, window.sidebar.saved
    QTest.keyClicks(box, "is:picked")
    QTest.keyClick(box, Qt.Key.Key_Return)
    QTest.keyClick(
        window,
        Qt.Key.Key_F,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    dialog = window.findChild(saved_searches.NameDialog)
    assert dialog is not None
    dialog.name.setText("Best of all")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    window.sidebar.refresh()
    (row,) = rows.rows.rows
    assert (row.title, row.count) == ("Best of all", "2")

    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert len(session.ids) == 60
    rows.rows.pressed.emit(row.key)
    assert session.criteria.scope.title == "Best of all" and len(session.ids) == 2
    session.search.rename_search(session.criteria.scope.search or 0, "Best")
    assert window.topbar.scope.text == "Best"
    monkeypatch.setattr(saved_searches.dialogs, "ask", lambda *_: "go")
    saved_searches.remove(session, session.criteria.scope, window)
    assert session.criteria.scope.kind == "all" and not session.catalog.searches.all()


def test_esc_returns_to_the_same_view_and_photo(window: MainWindow) -> None:
    session = window.session
    session.catalog.text.update_all()
    session.photos.go(17)
    session.viewer.set_view(View.LOUPE)
    QTest.keyClick(window, Qt.Key.Key_Slash)
    QTest.keyClicks(window.topbar.search, "DSC_0003")
    QTest.keyClick(window.topbar.search, Qt.Key.Key_Return)
    assert session.view_state.view is View.GRID and len(session.ids) == 1
    assert window.topbar.order.text().startswith("Sort: Relevance")
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert (session.view_state.view, session.photos.index, len(session.ids)) == (View.LOUPE, 17, 60)
