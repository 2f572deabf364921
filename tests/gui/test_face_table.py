"""The face table in the real window, by real keys: whose faces, words about them, marks, zoom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.model import Flag, Verdict, View
from curator.ui.compare.face_table_layout import HEAD, LEFT, TableLayout
from curator.ui.loupe import pan_zoom
from curator.ui.main_window import MainWindow
from curator.ui.widgets import theme
from tests import catalogs, face_data
from tests.face_data import CLOSED, OPEN, UNKNOWN
from tests.gui import swatches
from tests.gui.darkroom import Darkroom
from tests.gui.keyboard import press

NO_KEYS = Qt.KeyboardModifier.NoModifier
ANNA, BEN, CARL = 0.4, 0.6, 0.8  # where three people stand
TURNED_AWAY = replace(face_data.at(UNKNOWN, CARL), size_px=400)
FRAMES = [3, 4, 5]
BURST = {
    3: [face_data.at(OPEN, ANNA), face_data.at(CLOSED, BEN)],
    4: [face_data.at(OPEN, ANNA), face_data.at(OPEN, BEN), TURNED_AWAY],
    5: [face_data.at(OPEN, BEN)],
}


@pytest.fixture
def pipeline(dressed: object) -> Darkroom:
    return Darkroom()


@pytest.fixture
def window(make_window, make_session, qtbot, monkeypatch) -> MainWindow:
    """The window in the loupe at the first frame of a burst of three."""
    monkeypatch.setattr(pan_zoom, "PEEK_S", 60.0)  # a tap stays one on a busy machine
    session = make_session()
    catalogs.stack(session.catalog.path, *FRAMES)
    face_data.save(session.catalog, BURST)
    swatches.lay_out(session.home.cache, session.ids.tolist()[:8])
    session.refresh()
    made = make_window(session)
    made.resize(1200, 900)
    session.navigator.go_to(3)
    session.viewer.set_view(View.LOUPE)
    qtbot.waitUntil(lambda: 3 in session.viewer.painted)
    return made


@pytest.fixture
def table(window: MainWindow, qtbot) -> MainWindow:
    press(window, "Shift+Q")
    assert window.pages.currentWidget() is window.faces
    qtbot.waitUntil(lambda: all(shown(window)))
    painted(window, qtbot)
    return window


def painted(window: MainWindow, qtbot) -> None:
    """Wait until the row in focus counts as shown."""
    qtbot.waitUntil(lambda: window.session.viewer.is_painted)


def seen(window: MainWindow) -> QImage:
    return window.faces.viewport().grab().toImage()


def shown(window: MainWindow) -> list[bool]:
    """Return for each face whether its cell shows the color of its frame."""
    image, table = seen(window), window.session.face_table.table
    assert table is not None
    return [
        swatches.shows(image, place.center().x(), place.center().y(), frame)
        for row, frame in enumerate(table.frames)
        for column, person in enumerate(table.people)
        if frame in person.faces
        for place in [window.faces.cell(row, column)]
    ]


def color(image: QImage, at: QPoint) -> QColor:
    return image.pixelColor(at)


def test_the_stack_is_decided_by_keys_and_undone(table, qtbot) -> None:
    session = table.session
    press(table, "Down")
    painted(table, qtbot)
    press(table, "K")
    verdicts = [session.table.verdict(frame) for frame in FRAMES]
    assert verdicts == [Verdict.REJECTED, Verdict.KEPT, Verdict.REJECTED]
    assert table.status.message.text == "Kept DSC_0003, rejected 2 · Ctrl+Z"
    assert table.pages.currentWidget() is table.faces
    press(table, "Esc", "G", "Ctrl+Z")
    assert {session.table.verdict(frame) for frame in FRAMES} == {Verdict.UNREVIEWED}
    assert table.pages.currentWidget() is table.faces
    assert session.current == 4


def test_only_closed_and_soft_eyes_are_outlined(table) -> None:
    image = seen(table)
    corners = {
        (row, column): color(image, table.faces.cell(row, column).topLeft())
        for row in range(3)
        for column in range(3)
    }
    assert [cell for cell, found in corners.items() if found == theme.QUIET] == [(0, 1)]


def test_nothing_is_drawn_where_a_person_is_not_in_a_frame(table) -> None:
    empty = table.faces.cell(2, 0).center()
    assert color(seen(table), empty) == theme.CANVAS


def test_the_row_and_the_face_in_focus_have_a_white_line(table) -> None:
    def lines() -> list[tuple[int, int]]:
        image, found = seen(table), []
        for row in range(3):
            for column in range(3):
                place = table.faces.cell(row, column)
                below = [QPoint(place.center().x(), place.bottom() + by) for by in range(15, 25)]
                if any(color(image, at) == theme.WHITE for at in below):
                    found.append((row, column))
        return found

    assert lines() == [(0, 0)]
    press(table, "Right", "Down", "Right", "Right", "Left")
    assert lines() == [(1, 1)]


def test_z_opens_the_eye_at_100_percent_and_esc_comes_back_to_the_cell(table, qtbot) -> None:
    session = table.session
    press(table, "Right", "Z")
    assert session.view_state.view is View.LOUPE and session.view_state.zoom == 1.0
    assert session.view_state.center == pytest.approx((BEN + 0.05, 0.36))  # between the eyes
    press(table, "Esc")
    assert table.pages.currentWidget() is table.faces
    assert (session.current, session.face_table.column) == (3, 1)
    press(table, "Return")
    assert (session.view_state.view, session.view_state.zoom) == (View.LOUPE, None)
    press(table, "Esc", "Esc")
    assert session.view_state.view is View.LOUPE


def test_holding_z_is_a_quick_look(table, monkeypatch) -> None:
    monkeypatch.setattr(pan_zoom, "PEEK_S", 0.25)
    clock = [100.0]
    monkeypatch.setattr("curator.ui.widgets.key_state.time.monotonic", lambda: clock[0])
    QTest.keyPress(table.faces, Qt.Key.Key_Z)
    assert table.session.view_state.view is View.LOUPE
    clock[0] += 0.3
    QTest.keyRelease(table.loupe, Qt.Key.Key_Z)
    assert table.pages.currentWidget() is table.faces


def test_a_turned_photo_shows_its_faces_turned(table, qtbot) -> None:
    press(table, "Ctrl+]")
    qtbot.waitUntil(lambda: all(shown(table)))
    press(table, "Z")
    x, y = table.session.view_state.center
    assert (x, y) == pytest.approx((1 - 0.36, ANNA + 0.05))


def test_a_rejected_row_stays_and_is_dimmed(table, qtbot) -> None:
    press(table, "X")
    assert table.session.table.marks(3).flag is Flag.REJECT
    assert table.session.current == 4
    assert shown(table)[:2] == [False, False]  # at 30 %
    assert all(shown(table)[2:])


def test_a_mark_waits_until_the_faces_of_the_row_are_painted(window, qtbot) -> None:
    press(window, "Shift+Q")
    window.session.viewer.note_painted()
    press(window, "X")
    assert window.session.table.marks(3).flag is None
    assert (
        window.status.message.text == "DSC_0002 is still loading. Nothing was changed; try again."
    )


def test_keys_typed_faster_than_the_screen_mark_the_rows_they_mean(table) -> None:
    for key in (Qt.Key.Key_Down, Qt.Key.Key_X, Qt.Key.Key_P):  # no paint in between
        QTest.keyClick(table.faces, key)
    flags = [table.session.table.marks(frame).flag for frame in FRAMES]
    assert flags == [None, Flag.REJECT, Flag.PICK]


def test_a_click_moves_the_focus_and_a_double_click_opens_the_face(table) -> None:
    session, view = table.session, table.faces.viewport()
    at = table.faces.cell(1, 2).center()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, NO_KEYS, at)
    assert (session.current, session.face_table.column) == (4, 2)
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, NO_KEYS, at)
    assert (session.view_state.view, session.view_state.zoom) == (View.LOUPE, 1.0)
    assert session.current == 4


def test_heads_and_captions_stay_while_the_table_scrolls(table, qtbot) -> None:
    press(table, *["+"] * 6)
    before = seen(table)
    press(table, "Down", "Down", "Right", "Right")
    after = seen(table)
    assert table.faces.verticalScrollBar().value() > 0
    assert table.faces.cell(2, 2).bottom() < table.faces.viewport().height()
    assert table.faces.cell(2, 2).right() < table.faces.viewport().width()
    corner = (0, 0, LEFT - 40, HEAD)
    assert before.copy(*corner) == after.copy(*corner)


def test_one_minus_undoes_the_last_of_too_many_pluses(table) -> None:
    press(table, *["+"] * 12)
    largest = table.faces.table_layout.side
    press(table, "-")
    assert table.faces.table_layout.side < largest


def test_a_screen_reader_hears_the_cell(table) -> None:
    press(table, "Right")
    QApplication.processEvents()
    assert table.faces.accessibleName() == (
        "DSC_0002 · eyes closed: 1 of 2"
        " · person 2 of 3: eyes closed · eye sharpness 60 · rank 3 of 3 frames"
    )


def test_crops_shrink_to_show_everybody_and_no_further_than_is_readable() -> None:
    room = QSize(1440, 832)
    few, many = (TableLayout.fitting(6, columns, room) for columns in (1, 12))
    assert few.side == 200
    assert many.side == 89
    assert many.size.width() <= 1440
