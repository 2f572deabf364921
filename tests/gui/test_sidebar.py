"""The sidebar: scopes and filters with their counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator.library.filters import FILTERS
from curator.ui.grid import grid_view
from curator.ui.grid.grid_layout import FOOTER
from curator.ui.main_window import MainWindow
from curator.ui.panels.sidebar import StarFilter
from curator.ui.widgets.rows import Row, Rows
from tests import catalogs, face_data
from tests.face_data import CLOSED, OPEN


def counts(rows: Rows) -> dict[str, str]:
    return {row.title: row.count for row in rows.rows}


def test_scopes_and_filters_have_counts(window: MainWindow) -> None:
    assert counts(window.sidebar.folders) == {"All photos": "60", "photos": "60"}
    shown = counts(window.sidebar.filters)
    assert shown["All"] == "60" and shown["Unreviewed"] == "54" and shown["Rejected"] == "2"


def test_filters_for_problems_are_dim_while_there_are_none(
    window: MainWindow,
) -> None:
    rows = {row.title: row for row in window.sidebar.filters.rows}
    assert rows["Unreadable"].dim and rows["Unreadable"].count == "0"
    assert rows.keys() - {"All"} == {title for title, _ in FILTERS.values()}


def test_damaged_photos_have_a_filter_and_a_sign_in_the_grid(
    make_session, make_window, home, qtbot
) -> None:
    session = make_session()
    window = make_window(session)
    before = {photo: footer(window, photo) for photo in (5, 6)}
    assert counts(window.sidebar.filters)["Damaged"] == "0"
    catalogs.capture(home.catalog, 5, damage="The file is damaged: parts may be wrong.")
    session.refresh()
    window.sidebar.refresh()
    assert counts(window.sidebar.filters)["Damaged"] == "1"
    qtbot.waitUntil(lambda: footer(window, 5) != before[5])
    assert footer(window, 6) == before[6]
    assert "damaged" in session.caption(5)[2]
    assert "The file is damaged" in grid_view._tooltip(session, session.tile(5), None)


def footer(window: MainWindow, photo: int) -> QImage:
    """Return the picture of the line below a photo's tile."""
    grid = window.grid
    rect = grid.cell(window.session.ids.tolist().index(photo))
    return grid.viewport().grab(rect.adjusted(0, rect.height() - FOOTER, 0, 0)).toImage()


def test_a_click_on_a_filter_shows_its_photos(window: MainWindow) -> None:
    rows = window.sidebar.filters
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=rows.row_rect("rejected").center())
    assert window.session.criteria.filter == "is:rejected" and len(window.session.ids) == 2
    window.sidebar.refresh()
    assert [row.title for row in rows.rows if row.current] == ["Rejected"]


def test_a_click_on_a_folder_opens_it(window: MainWindow) -> None:
    rows = window.sidebar.folders
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=rows.row_rect("/photos").center())
    assert window.session.criteria.scope.key == "/photos"


def test_subfolders_show_when_their_folder_is_expanded(make_window, make_session) -> None:
    window = make_window(make_session(photos=2_100))
    assert [row.title for row in window.sidebar.folders.rows] == ["All photos", "photos"]
    rows = window.sidebar.folders
    where = rows.row_rect("/photos")
    edge = QPoint(where.right() - 10, where.center().y())
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=edge)
    assert [row.title for row in rows.rows] == ["All photos", "photos", "000", "001"]
    assert window.session.criteria.scope.key == ""


def test_a_folder_can_be_switched_off_and_rescanned(window: MainWindow, pipeline) -> None:
    row = window.session.sources.scopes()[1]
    actions = {action.text(): action for action in window.sidebar.folder_menu(row).actions()}
    actions["Switch off"].trigger()
    assert window.session.statistics.counts()["all"] == 0
    window.sidebar.refresh()
    assert counts(window.sidebar.folders)["photos"] == "off"
    actions["Rescan"].trigger()
    assert pipeline.asked == [("rescan", 1)]


def test_clicks_on_a_star_filter_at_least_then_exactly_then_nothing(
    window: MainWindow, qtbot
) -> None:
    stars = window.sidebar.stars
    fourth = QPoint(12 + 3 * 20 + 8, 14)
    seen = []
    for _ in range(3):
        QTest.mouseClick(stars, Qt.MouseButton.LeftButton, pos=fourth)
        window.sidebar.refresh()
        seen.append(window.session.criteria.filter)
    assert seen == ["rating:>=4", "rating:4", ""]


def test_the_star_filter_reads_what_was_typed(qapp) -> None:
    stars = StarFilter()
    stars.show_filter("is:picked rating:>=3 harbor")
    assert (stars._stars, stars._exact) == (3, False)
    stars.show_filter("rating:5")
    assert (stars._stars, stars._exact) == (5, True)


def test_names_with_markup_are_drawn_as_text(qapp) -> None:
    rows = Rows()
    rows.resize(232, 100)
    rows.show_rows([Row("k", "<img src=x> & <b>", "1", "folder", tip="<b>a</b>")])
    assert not rows.grab().isNull()


def test_a_new_count_paints_its_row_only(qapp, qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows()
    qtbot.addWidget(rows)
    rows.resize(232, 84)
    listed = [Row(title, title, "1") for title in "abc"]
    rows.show_rows(listed)
    rows.show()
    qtbot.waitExposed(rows)
    QApplication.processEvents()
    painted: list[str] = []
    monkeypatch.setattr(rows, "_paint", lambda _painter, row, _index: painted.append(row.title))
    rows.show_rows([*listed[:2], replace(listed[2], count="2")])
    QApplication.processEvents()
    assert painted == ["c"]
    rows.show_rows([*listed, Row("d", "d", "1")])
    QApplication.processEvents()
    assert painted == ["c", *"abcd"]


def click_row(window: MainWindow, rows: Rows, title: str) -> None:
    key = next(row.key for row in rows.rows if row.title == title)
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=rows.row_rect(key).center())
    window.sidebar.refresh()


def test_camera_label_and_verdict_can_be_combined_by_mouse(window: MainWindow) -> None:
    session, rows, box = window.session, window.sidebar.facets.rows, window.topbar.search
    session.catalog.journal.decide({4: {"label": "red"}, 5: {"label": "red"}}, summary="-")
    session.refresh()
    assert [row.title for row in rows.rows] == ["Label", "Camera", "Lens", "Date"]
    click_row(window, rows, "Camera")
    camera = rows.rows[2]
    assert camera.depth == 1 and camera.tip.startswith("camera:")
    click_row(window, rows, camera.title)
    assert box.text() == session.criteria.filter == camera.tip
    assert len(session.ids) == int(camera.count) == int(box.accessibleDescription().split()[0])
    click_row(window, rows, "Label")
    assert ("Red", "2") in [(row.title, row.count) for row in rows.rows]
    click_row(window, rows, "Red")
    assert session.criteria.filter == f"{camera.tip} label:red"
    click_row(window, window.sidebar.filters, "Picked")
    assert session.criteria.filter == f"{camera.tip} label:red is:picked"
    assert {row.title for row in rows.rows if row.current} == {camera.title, "Red"}
    click_row(window, rows, camera.title)
    click_row(window, window.sidebar.filters, "Picked")
    assert session.criteria.filter == "label:red" and len(session.ids) == 2
    click_row(window, rows, "Label")
    assert [row.title for row in rows.rows if row.current] == ["Label"], (
        "a collapsed field still shows that it filters"
    )
    click_row(window, window.sidebar.filters, "All")
    assert (
        not session.criteria.filter and len(session.ids) == 60 and not box.accessibleDescription()
    )


def test_faces_and_eyes_are_filters_as_soon_as_photos_have_faces(window: MainWindow) -> None:
    session, rows = window.session, window.sidebar.facets.rows
    face_data.save(session.catalog, {1: [], 2: [OPEN], 3: [OPEN, CLOSED], 4: [OPEN] * 5})
    session.refresh()
    window.sidebar.refresh()
    assert [row.title for row in rows.rows][-2:] == ["Faces", "Eyes"]
    click_row(window, rows, "Faces")
    click_row(window, rows, "Eyes")
    shown = [(row.title, row.count) for row in rows.rows if row.depth]
    assert shown == [
        *(("No faces", "1"), ("1 face", "1"), ("2 faces", "1"), ("3 or more", "1")),
        *(("Closed", "1"), ("Open", "2")),
    ]
    click_row(window, rows, "3 or more")
    click_row(window, rows, "Open")
    assert session.criteria.filter == "faces:>=3 eyes:open"
    assert session.ids.tolist() == [4]


def test_days_are_below_their_month_and_no_row_moves_while_photos_arrive(
    window: MainWindow,
) -> None:
    session, rows = window.session, window.sidebar.facets.rows
    click_row(window, rows, "Date")
    titles = [row.title for row in rows.rows][4:]
    assert titles[:3] == ["2024", "May", "4 May"]
    click_row(window, rows, "4 May")
    assert session.criteria.filter == "on:2024-05-04"
    click_row(window, rows, "4 May")
    assert not session.criteria.filter
    session.catalog.photos.turn([1], 0)
    with closing(sqlite3.connect(session.home.catalog)) as database, database:
        later = "UPDATE photo SET taken_at = '2025-01-02T00:00:00', rev = rev + 100 WHERE id = 9"
        database.execute(later)
    session.refresh()
    window.sidebar.refresh()
    shown = [row.title for row in rows.rows][4:]
    assert shown[0] == "2024" and shown[-1] == "2025", (
        "a new year is added at the end while the list is open"
    )
    click_row(window, rows, "Date")
    click_row(window, rows, "Date")
    assert [row.title for row in rows.rows][4] == "2025", "the newest year is first"
