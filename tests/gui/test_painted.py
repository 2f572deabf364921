"""The grid paints exactly the list, however the list was chosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.library.scopes import EVERYTHING, Scope
from curator.model import Pass, View
from curator.ui.grid.grid_view import GridView
from curator.ui.main_window import MainWindow
from curator.ui.widgets import theme
from tests import catalogs
from tests.gui import swatches

Key = Qt.Key
CTRL, ALT, NONE = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.NoModifier,
)


@pytest.fixture
def lit(window: MainWindow) -> MainWindow:
    """The window over sixty photos of plain colors, the words of all of them read."""
    session = window.session
    catalogs.stack(session.home.catalog, 22, 23, 24)
    session.refresh()
    session.catalog.text.update_all()
    swatches.lay_out(session.home.cache, session.ids.tolist())
    return window


def painted(window: MainWindow) -> QImage:
    """Return what the grid shows; only regions marked for repainting are painted."""
    QApplication.processEvents()
    QApplication.sendEvent(window, QEvent(QEvent.Type.UpdateRequest))
    whole = window.screen().grabWindow(window.winId()).toImage()
    sheet = window.grid.viewport()
    ratio = whole.width() / window.width()
    at = sheet.mapTo(window, QPoint())
    return whole.copy(
        round(at.x() * ratio),
        round(at.y() * ratio),
        round(sheet.width() * ratio),
        round(sheet.height() * ratio),
    )


def listed(window: MainWindow) -> QImage:
    """Return what a new grid over the same session shows."""
    fresh = GridView(window.session, window.pictures)
    fresh.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    fresh.resize(window.grid.size())
    fresh.show()
    fresh.verticalScrollBar().setValue(window.grid.verticalScrollBar().value())
    image = fresh.viewport().grab().toImage()
    fresh.close()
    fresh.deleteLater()
    window.session.preferences.changed.emit()  # it withdrew the requests of the window's grid
    return image


def key(window: MainWindow, *presses: Qt.Key | tuple[Qt.Key, Qt.KeyboardModifier] | str) -> None:
    """Press keys and type texts into the focused widget."""
    for press in presses:
        into = QApplication.focusWidget() or window
        if isinstance(press, str):
            QTest.keyClicks(into, press)
        else:
            QTest.keyClick(into, *(press if isinstance(press, tuple) else (press, NONE)))
        painted(window)


def search(window: MainWindow, text: str) -> None:
    key(window, Key.Key_Slash, (Key.Key_A, CTRL), text, Key.Key_Return)
    assert window.session.criteria.filter == text


def press_filter(window: MainWindow, name: str) -> None:
    """Click a line of the sidebar's filters."""
    rows = window.sidebar.filters
    place = [row.key for row in rows.rows].index(name)
    at = QPoint(60, place * theme.ROW + theme.ROW // 2)
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, NONE, at)


# Each begins and ends in the grid; each is a way off one list and on to another.
WAYS: dict[str, Callable[[MainWindow], None]] = {
    "a search, Esc": lambda w: (search(w, "is:rejected"), key(w, Key.Key_Escape)),
    "a click on Approved, Esc": lambda w: (press_filter(w, "approved"), key(w, Key.Key_Escape)),
    "what is like it, Esc": lambda w: key(w, (Key.Key_L, CTRL), Key.Key_Escape),
    "a search, Esc in the box": lambda w: (
        search(w, "is:picked"),
        key(w, Key.Key_Slash, Key.Key_Escape),
    ),
    "a search that finds all, in another order": lambda w: (
        search(w, "curator"),
        w.session.ordering.set_order("sharpness"),
        key(w, Key.Key_Escape),
    ),
    "an order chosen under a filter": lambda w: (
        search(w, "is:unreviewed"),
        w.session.ordering.set_order("sharpness"),
        key(w, Key.Key_Escape),
    ),
    "a search within a search": lambda w: (
        search(w, "is:rejected"),
        search(w, "is:pair"),
        key(w, Key.Key_Escape),
    ),
    "All in the sidebar": lambda w: (press_filter(w, "rejected"), press_filter(w, "")),
    "an emptied box": lambda w: (
        search(w, "is:rejected"),
        key(w, Key.Key_Slash, (Key.Key_A, CTRL), Key.Key_Delete, Key.Key_Return),
    ),
    "stars pressed and pressed off": lambda w: (
        w.sidebar.stars.chosen.emit("rating:>=3"),
        w.sidebar.stars.chosen.emit(""),
    ),
    "browsing again": lambda w: (
        search(w, "is:rejected"),
        key(w, (Key.Key_0, ALT), Key.Key_Escape),
    ),
    "a mark under a search": lambda w: (
        search(w, "is:unreviewed"),
        key(w, Key.Key_X, Key.Key_X, Key.Key_Escape),
    ),
    "a mark that no longer fits, applied again": lambda w: (
        search(w, "is:unreviewed"),
        key(w, Key.Key_X, Key.Key_F5, Key.Key_Escape),
    ),
    "a stack expanded under a search": lambda w: (
        search(w, "name:DSC_002"),
        w.session.navigator.go_to(22),
        key(w, Key.Key_S, Key.Key_Escape),
    ),
    "a step taken back under a search": lambda w: (
        key(w, Key.Key_X),
        search(w, "is:picked"),
        key(w, (Key.Key_Z, CTRL), Key.Key_Escape),
    ),
    "a search from the loupe": lambda w: (
        key(w, Key.Key_E),
        search(w, "is:rejected"),
        key(w, Key.Key_Escape),
        w.session.viewer.set_view(View.GRID),
    ),
    "a search from a cull": lambda w: (
        key(w, (Key.Key_1, ALT), Key.Key_G),
        search(w, "is:rejected"),
        key(w, Key.Key_Escape),
    ),
    "a cull begun under a search": lambda w: (
        search(w, "is:rejected"),
        key(w, (Key.Key_1, ALT), Key.Key_G, (Key.Key_0, ALT)),
    ),
    "a saved search": lambda w: (
        search(w, "is:picked"),
        w.session.search.save_search("Picks"),
        key(w, Key.Key_Escape),
        w.session.sources.open_scope(saved(w)),
    ),
    "a saved search, and a search in it": lambda w: (
        search(w, "is:picked"),
        w.session.search.save_search("Picks"),
        w.session.sources.open_scope(saved(w)),
        search(w, "rating:1"),
        key(w, Key.Key_Escape),
    ),
    "a saved search that looks for something else now": lambda w: (
        search(w, "is:picked"),
        w.session.search.save_search("Picks"),
        w.session.sources.open_scope(saved(w)),
        search(w, "is:rejected"),
        w.session.search.save_search("Picks"),
        key(w, Key.Key_Escape),
    ),
    "a saved search that is removed": lambda w: (
        search(w, "is:picked"),
        w.session.search.save_search("Picks"),
        w.session.sources.open_scope(saved(w)),
        w.session.search.remove_search(saved(w).search),
    ),
    "a project, and everything": lambda w: (
        w.session.projects.create("Iceland"),
        key(w, Key.Key_B),
        w.session.projects.open_scope(w.session.projects.current.id),
        key(w, Key.Key_B),
        w.session.sources.open_scope(EVERYTHING),
    ),
    "a folder, left with a search on": lambda w: (
        search(w, "is:rejected"),
        w.session.sources.open_scope(folder(w)),
        search(w, "is:picked"),
        w.session.sources.open_scope(EVERYTHING),
        key(w, Key.Key_Escape),
    ),
}


def saved(window: MainWindow) -> Scope:
    return next(
        row.scope for row in window.session.sources.scopes() if row.scope.search is not None
    )


def folder(window: MainWindow) -> Scope:
    return next(row.scope for row in window.session.sources.scopes() if row.scope.kind == "folder")


def test_the_grid_paints_the_list_however_it_was_chosen(lit: MainWindow, qtbot) -> None:
    session = lit.session
    lit.resize(1120, 420)
    for name, go in WAYS.items():
        session.sources.open_scope(EVERYTHING)
        session.modes.set_mode(Pass.BROWSE)
        session.viewer.set_view(View.GRID)
        session.search.set_filter("")
        painted(lit)
        go(lit)
        fits = set(session.table.ids[session.photos.membership.fits()].tolist())
        assert set(session.ids.tolist()) == fits, name
        assert lit.topbar.search.text() == session.criteria.filter, name
        qtbot.waitUntil(lambda: painted(lit) == listed(lit))  # thumbnails take a moment
