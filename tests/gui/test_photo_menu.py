"""The context menu of photos: a whole pass with the mouse alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from curator.commands import COMMANDS
from curator.model import Flag, Pass, View
from curator.ui.dialogs import palette
from curator.ui.main_window import MainWindow
from tests import catalogs
from tests.requests import recorded

MOUSE = QContextMenuEvent.Reason.Mouse
KEY = QContextMenuEvent.Reason.Keyboard


MenuAt = Callable[..., QMenu | None]


@pytest.fixture
def menu_at(monkeypatch: pytest.MonkeyPatch) -> MenuAt:
    """Right-click somewhere, or press the Menu key. Return the menu."""
    shown: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _: shown.append(menu))

    def press(over: QWidget, at: QPoint, reason: QContextMenuEvent.Reason = MOUSE) -> QMenu | None:
        shown.clear()
        QApplication.sendEvent(over, QContextMenuEvent(reason, at, over.mapToGlobal(at)))
        return shown[0] if shown else None

    return press


def choose(menu: QMenu | None, title: str) -> None:
    assert menu is not None
    found = {action.text().partition("\t")[0]: action for action in menu.actions()}
    found[title].trigger()


def test_a_photo_can_be_marked_with_the_mouse_alone(
    window: MainWindow, menu_at: MenuAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, view = window.session, window.grid.viewport()
    third = window.grid.tile_photo(2)
    menu = menu_at(view, window.grid.cell(2).center())
    assert session.current == third and menu is not None
    said = [action.text() for action in menu.actions() if action.text()]
    assert said[0] == session.table.name(third) and not menu.actions()[0].isEnabled()
    assert f"{COMMANDS['reject'].title}\tX" in said and "Grid\tG" not in said
    choose(menu, "Reject")
    assert session.table.marks(third).flag is Flag.REJECT
    session.photos.select_only(window.grid.tile_photo(4))
    session.photos.select_range(window.grid.tile_photo(6))
    menu = menu_at(view, window.grid.cell(5).center())
    assert menu is not None and menu.actions()[0].text() == "3 photos", "all that are selected"
    choose(menu, "5 stars")
    marked = {window.grid.tile_photo(n) for n in (4, 5, 6)}
    asked = recorded(session.requests)
    monkeypatch.setattr(
        "curator.ui.dialogs.export_dialog.ExportDialog", lambda *_: Mock(report=None)
    )
    menu = menu_at(view, window.grid.cell(5).center())
    choose(menu, "Export selected…")
    assert asked == [("export", marked)]
    choose(menu, "Rotate right")
    assert {session.tile(photo).turn for photo in marked} == {1}
    assert any(action.text().startswith("Write sidecars") for action in menu.actions())
    assert [session.table.marks(window.grid.tile_photo(n)).rating for n in (4, 5, 6)] == [5, 5, 5]
    choose(menu_at(view, window.grid.cell(8).center()), "Loupe")
    assert session.view_state.view is View.LOUPE and session.current == window.grid.tile_photo(8)
    assert session.photos.selection == frozenset()
    choose(menu_at(window.filmstrip, window.filmstrip.cell(9).center()), "Compare")
    assert session.view_state.view is View.COMPARE
    panes = window.compare.panes()
    menu = menu_at(window.compare, panes[1].cell.center())
    assert menu is not None and menu.actions()[0].text() == session.table.name(panes[1].photo)


def test_the_menu_key_opens_the_menu_of_the_current_photo(
    window: MainWindow, menu_at: MenuAt
) -> None:
    session = window.session
    session.photos.go(7)
    menu = menu_at(window.grid, window.grid.rect().center(), KEY)
    assert session.photos.index == 7 and menu is not None
    assert menu.actions()[0].text() == session.table.name(session.current)
    assert menu_at(window.topbar, QPoint(300, 20)) is None
    window.run("palette")
    assert menu_at(window.command_palette, QPoint(20, 500)) is None, "what lies below is covered"
    window.command_palette.close_panel()
    session.modes.set_mode(Pass.CULL)
    session.navigator.finish()
    assert menu_at(window.finish, QPoint(20, 300)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="there the system asks for the menu")
def test_shift_f10_opens_the_menu_at_the_current_photo(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, QPoint]] = []
    monkeypatch.setattr(
        QMenu, "popup", lambda menu, place: opened.append((menu.actions()[0].text(), place))
    )
    session, grid = window.session, window.grid

    def press() -> QPoint:
        over = QApplication.focusWidget() or window
        QTest.keyClick(over, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
        name, place = opened.pop()
        assert name == session.table.name(session.current) and not opened
        return place

    for number in (7, len(session.ids) - 1):
        session.photos.go(number - session.photos.index)
        place = grid.viewport().mapFromGlobal(press())
        assert grid.cell(session.stacks.tile_number).contains(place)
        assert grid.viewport().rect().contains(place)
    window.run("loupe")
    assert window.loupe.rect().contains(window.loupe.mapFromGlobal(press()))
    window.run("compare")
    active = window.compare.panes()[session.compare.panes.active]
    assert active.cell.contains(window.compare.mapFromGlobal(press()))


def test_stack_commands_are_offered_for_stacks_only(window: MainWindow, menu_at: MenuAt) -> None:
    session = window.session
    catalogs.stack(session.home.catalog, 3, 4, 5)
    session.refresh()
    commands = ("toggle_stack", "remove_from_stack", "unstack")
    titles = {COMMANDS[name].title for name in commands}

    def offered() -> tuple[set[str], set[str], set[str]]:
        menu = menu_at(
            window.grid.viewport(), window.grid.cell(session.stacks.tile_number).center()
        )
        assert menu is not None
        mine = {action.text().partition("\t")[0] for action in menu.actions()}
        whole = [a for m in window.topbar.commands_menu().findChildren(QMenu) for a in m.actions()]
        on = {action.text().partition("\t")[0] for action in whole if action.isEnabled()}
        found = palette.entries(session, "grid", lambda _: None)
        return mine & titles, on & titles, {e.title for e in found if not e.off} & titles

    session.navigator.go_to(1)
    assert offered() == (set(), set(), set())
    session.navigator.go_to(4)
    assert offered() == ({"Expand the stack"}, titles, titles)
