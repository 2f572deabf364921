"""The overview by key and by mouse: open it, follow a figure and return."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from curator.model import Pass, View
from curator.ui.main_window import MainWindow
from curator.ui.pages.charts import Chart
from tests.gui.keyboard import press

Key = Qt.Key
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def click(chart: Chart, name: str) -> None:
    place = chart.place_of(name)
    assert place.isValid(), f"{name} is not drawn"
    at = place.center()
    QTest.mouseMove(chart, at)
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at)


def test_a_figure_opens_its_photos_and_esc_returns_to_the_same_photo(
    window: MainWindow, qtbot: QtBot
) -> None:
    session, page = window.session, window.overview
    session.photos.go(7)
    session.viewer.set_view(View.LOUPE)
    here = session.current
    press(window, Key.Key_I, held=CTRL)
    assert window.pages.currentWidget() is page
    qtbot.waitUntil(lambda: page.work.rows.count() > 0 and page.disk.rows.count() > 0)

    cameras = page.cameras
    assert cameras.accessibleName().startswith("Cameras: Curator Works Test One, 40 photos")
    click(cameras, "Curator Works Test Two")
    assert window.pages.currentWidget() is window.grid
    assert session.criteria.filter == 'camera:"Curator Works Test Two"'
    assert len(session.ids) == 20

    press(window, Key.Key_Escape)
    assert window.pages.currentWidget() is page, "one step back"
    press(window, Key.Key_Escape)
    assert window.pages.currentWidget() is window.loupe
    assert (session.current, session.view_state.view, session.criteria.filter) == (
        here,
        View.LOUPE,
        "",
    )


def test_no_key_marks_a_photo_that_is_not_on_screen(window: MainWindow) -> None:
    press(window, Key.Key_I, held=CTRL)
    before = window.session.statistics.counts()
    for key in (Key.Key_X, Key.Key_P, Key.Key_3, Key.Key_Space, Key.Key_Right):
        press(window, key)
    assert window.session.statistics.counts() == before
    press(window, Key.Key_1, held=ALT)
    assert window.session.criteria.mode is Pass.CULL
    assert window.pages.currentWidget() is window.loupe


def test_arrow_keys_move_through_a_chart(window: MainWindow) -> None:
    press(window, Key.Key_I, held=CTRL)
    stars = window.overview.stars
    stars.setFocus()
    assert stars.readout.startswith("5 stars")
    press(window, Key.Key_Down)
    press(window, Key.Key_Down)
    assert stars.readout == "3 stars · 1 photo"
    press(window, Key.Key_Return)
    assert window.session.criteria.filter == "rating:3 -is:rejected"
    assert len(window.session.ids) == 1


def test_the_overview_stays_open_in_another_scope_and_follows_marks(window: MainWindow) -> None:
    session, page = window.session, window.overview
    press(window, Key.Key_I, held=CTRL)
    session.sources.open_scope(session.sources.scopes()[1].scope)
    assert window.pages.currentWidget() is page
    decided = page.strip.accessibleName()
    session.decisions.decide(
        "reject", {photo: {"flag": "reject"} for photo in session.statistics.scope_ids()}
    )
    page.refresh()
    assert page.strip.accessibleName() == "rejected, 60 photos" != decided
