"""The top bar: modes, order, search and the menu of all commands."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from curator.library.sort_orders import ORDERS
from curator.model import Pass, View
from curator.ui.main_window import MainWindow
from tests.requests import recorded


def test_a_click_on_a_mode_opens_it(window: MainWindow) -> None:
    window.topbar.passes[Pass.CULL].click()
    assert window.session.criteria.mode is Pass.CULL
    assert [p for p, b in window.topbar.passes.items() if b.isChecked()] == [Pass.CULL]


@pytest.mark.slow
def test_a_click_on_the_current_mode_keeps_it_checked(window: MainWindow) -> None:
    window.topbar.passes[Pass.BROWSE].click()
    assert window.topbar.passes[Pass.BROWSE].isChecked()


def test_the_top_bar_names_scope_and_order(window: MainWindow) -> None:
    window.session.ordering.set_order("sharpness", True)
    assert window.topbar.scope.text == "All photos"
    assert window.topbar.order.text() == "Sort: Sharpness ↑ ▾"


def test_the_sort_menu_sorts(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: bool(window.session.taste.sentence))
    menu = window.topbar.orders_menu()
    actions = {action.text().partition("\t")[0]: action for action in menu.actions()}
    assert {order.title for order in ORDERS.values() if not order.manual} <= set(actions)
    assert actions["Sharpness"].text() == "Sharpness\tsoftest first"
    assert actions["Capture time"].isChecked()
    by_taste = [actions[order.title] for order in ORDERS.values() if order.by_taste]
    assert len(by_taste) == 3 and not any(action.isEnabled() for action in by_taste)
    assert not actions["Relevance"].isEnabled(), "there is no search"
    assert window.session.taste.sentence in actions, "the menu shows the reason"
    actions["Sharpness"].trigger()
    assert window.session.criteria.order == "sharpness"


def test_commands_of_other_views_are_disabled(window: MainWindow) -> None:
    menu = window.topbar.commands_menu()
    view_menu = next(a.menu() for a in menu.actions() if a.text() == "View")
    assert isinstance(view_menu, QMenu)
    zoom = next(a for a in view_menu.actions() if a.text().startswith("Zoom"))
    assert not zoom.isEnabled()


def test_typing_filters_and_enter_returns_to_the_photos(window: MainWindow, qtbot) -> None:
    QTest.keyClick(window, Qt.Key.Key_Slash)
    field = window.topbar.search
    assert field.hasFocus()
    QTest.keyClicks(field, "DSC_0001")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert len(window.session.ids) == 1
    assert window.grid.hasFocus()


def test_esc_in_the_field_removes_the_filter(window: MainWindow) -> None:
    window.session.search.set_filter("DSC_0001")
    window.search()
    QTest.keyClick(window.topbar.search, Qt.Key.Key_Escape)
    assert window.session.criteria.filter == "" and len(window.session.ids) == 60
    assert window.session.view_state.view is View.GRID


def test_an_invalid_filter_is_explained_and_changes_nothing(window: MainWindow) -> None:
    window.search()
    field = window.topbar.search
    QTest.keyClicks(field, "is:foo")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.hasFocus() and field.problem.isVisible()
    assert "is: must be one of" in field.problem.text()
    assert len(window.session.ids) == 60


def test_the_field_shows_a_filter_set_elsewhere(window: MainWindow) -> None:
    window.session.search.set_filter("is:picked")
    assert window.topbar.search.text() == "is:picked"


def test_a_long_project_name_does_not_shorten_the_scope(window: MainWindow) -> None:
    projects = window.session.projects
    projects.choose(projects.create("Everything one would hang at the exhibition in autumn"))
    window.resize(800, 600)
    QApplication.processEvents()
    scope = window.topbar.scope
    assert scope.text == "All photos" and scope.width() >= scope.sizeHint().width()
    assert window.topbar.project.text().startswith("Every")


def test_the_export_button_is_dim_while_nothing_is_approved(window: MainWindow) -> None:
    session, button = window.session, window.topbar.export
    asked = recorded(session.requests)
    messages: list[str] = []
    session.messages.status_message.connect(messages.append)
    window.topbar._count_approved()
    assert (
        button.property("tone") == "pencil" and "approved photo of All photos" in button.toolTip()
    )
    wide = button.width()
    session.modes.set_mode(Pass.CULL)
    window.topbar._count_approved()
    assert button.property("tone") == "plain", "plain until the cull is over"
    session.modes.set_mode(Pass.BROWSE)
    session.catalog.journal.decide(
        {int(i): {"flag": None, "rating": None, "kept": True} for i in session.ids}, summary="-"
    )
    session.refresh()
    window.topbar._count_approved()
    assert button.property("tone") == "off" and button.width() == wide
    button.click()
    assert asked == [("export", None)] and messages[-1].startswith("No photo here is approved yet.")


def test_the_export_button_shrinks_in_a_narrow_window(window: MainWindow) -> None:
    button, texts = window.topbar.export, Qt.ToolButtonStyle
    for width, style in ((1300, texts.ToolButtonTextOnly), (900, texts.ToolButtonIconOnly)):
        window.resize(width, 600)
        QApplication.processEvents()
        assert button.isVisible() and button.toolButtonStyle() is style
    window.resize(700, 600)
    QApplication.processEvents()
    assert not button.isVisible()
    assert "Export…" in [
        action.text().partition("\t")[0] for action in window.topbar.commands_menu().actions()
    ]
