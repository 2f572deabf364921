"""The window as a whole: which page shows, where its edges lie, what Esc closes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from curator.model import Pass, View
from curator.pipeline import Progress, ScanReport, Totals
from curator.session import Session
from curator.ui.main_window import MainWindow
from curator.ui.widgets import dialogs
from tests.gui.conftest import QuietPipeline


def drop(window: MainWindow, *paths: Path) -> None:
    """Drop files from the file manager onto the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(10, 10), action, data, left, none))


def test_an_empty_catalog_shows_where_to_drop_a_folder(make_window) -> None:
    window = make_window(photos=0)
    assert window.pages.currentWidget() is window.empty_window
    assert window.sidebar.isHidden()
    assert window.windowTitle() == "Curator"


def test_views_pages_and_edges_follow_the_session(window: MainWindow) -> None:
    session = window.session
    assert window.pages.currentWidget() is window.grid
    assert not window.sidebar.isHidden() and window.filmstrip.isHidden()
    session.modes.set_mode(Pass.CULL)
    assert window.pages.currentWidget() is window.loupe
    assert window.sidebar.isHidden() and not window.filmstrip.isHidden()
    session.navigator.finish()
    assert window.pages.currentWidget() is window.finish
    session.modes.set_mode(Pass.BROWSE)
    session.search.set_filter("no-such-name")
    assert window.pages.currentWidget() is window.empty_list


def test_the_picture_gets_most_of_the_window(window: MainWindow) -> None:
    window.resize(1440, 900)
    window.session.modes.set_mode(Pass.CULL)
    # Caption 24 and the margin of 12 above and none below are the loupe's own.
    assert window.loupe.height() - 24 - 12 >= 0.78 * 900


def test_tab_hides_the_panels_and_esc_shows_them(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    window.session.viewer.set_view(View.LOUPE)
    pipeline.events.paused_by.emit("The disk is full.")
    QTest.keyClick(window, Qt.Key.Key_Tab)
    assert window.loupe.size() == window.size()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.topbar.isHidden() and not window.notifications.isHidden()
    assert window.session.view_state.view is View.LOUPE


@pytest.mark.parametrize("width", [1440, 1000, 800, 640])
def test_the_sidebar_has_a_button_and_a_key_at_every_width(window: MainWindow, width: int) -> None:
    window.resize(width, 600)
    button, sidebar = window.topbar.sidebar, window.sidebar
    assert QRect(QPoint(), window.topbar.size()).contains(button.geometry())
    shown = not sidebar.isHidden()
    for _ in range(2):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert sidebar.isHidden() is shown
        QTest.keyClick(window, Qt.Key.Key_F7)
        assert sidebar.isHidden() is not shown
    window.run("cull")
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert sidebar.isVisible() and window.loupe.width() == width, "over the photo, for a moment"
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert sidebar.isHidden()


def test_a_sidebar_beside_the_page_can_be_hidden(window: MainWindow) -> None:
    window.resize(1440, 600)
    window.run("loupe")
    QTest.keyClick(window, Qt.Key.Key_F7)
    window.run("grid")
    assert window.sidebar.isVisible()
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert window.sidebar.isHidden()
    window.topbar.scope.clicked.emit()
    assert window.sidebar.isVisible() and window.grid.width() < 1440
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert window.sidebar.isHidden()


@pytest.mark.parametrize("view", [View.LOUPE, View.COMPARE, View.GRID])
@pytest.mark.parametrize("width", [1440, 1000, 800])
def test_the_photo_fits_beside_the_inspector(window: MainWindow, width: int, view: View) -> None:
    window.resize(width, 600)
    window.run("rate")
    window.session.viewer.set_view(view)
    window.run("toggle_inspector")
    inspector = window.inspector
    assert inspector.isVisible() and inspector.geometry().right() == width - 1
    assert window.pages.geometry().right() < inspector.x()
    if view is View.LOUPE:
        place = window.loupe.place()
        assert 0 < place.width() <= window.loupe.width() and place.right() < inspector.x()


def test_the_sidebar_lies_over_the_page_in_a_narrow_window(window: MainWindow) -> None:
    window.resize(1000, 700)
    assert window.sidebar.isHidden() and window.grid.width() == 1000
    window.topbar.scope.clicked.emit()
    assert not window.sidebar.isHidden() and window.grid.width() == 1000
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.sidebar.isHidden()
    assert window.session.view_state.view is View.GRID


def test_a_new_folder_offers_the_cull_and_enter_starts_it(make_window, make_session, home) -> None:
    session = make_session()
    session.catalog.journal.decide(
        {int(i): {"flag": None, "kept": False, "rating": None} for i in session.ids}, summary="-"
    )
    session.refresh()
    window = make_window(session)
    window.session.pipeline.events.scan_ended.emit(
        ScanReport(60, 60, 0, 12, "60 photos (12 pairs)")
    )
    assert window.notifications.current is not None
    assert window.notifications.text.text == "60 photos (12 pairs)"
    read = ScanReport(
        60, 60, 0, 12, "60 photos (12 pairs), 9 already rated in other apps", again=True
    )
    window.session.pipeline.events.scan_ended.emit(read)
    assert window.notifications.text.text == read.sentence, (
        "in place, as soon as all headers are read"
    )
    merged = ScanReport(57, 57, 0, 11, "57 photos (11 pairs)")
    window.session.pipeline.events.idle.emit(Totals(57, 57, 0, 57, 0, scans=(merged,)))
    assert window.notifications.text.text == "57 photos (11 pairs)", (
        "copies are known to be such now"
    )
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert session.criteria.mode is Pass.CULL
    window.session.pipeline.events.scan_ended.emit(read)
    assert window.notifications.isHidden() and "elsewhere" not in window.status.message.text


def test_esc_leaves_the_view_before_it_dismisses_a_notification(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    session = window.session
    pipeline.events.paused_by.emit("The disk is full.")
    session.search.set_filter("is:unreviewed")
    session.photos.select_all()
    session.viewer.set_view(View.LOUPE)
    session.view_state.set_zoom(1.0)
    left: list[Callable[[], bool]] = [
        lambda: session.view_state.zoom is None,
        lambda: session.view_state.view is View.GRID,
        lambda: not session.photos.selection,
        lambda: not session.criteria.filter,
    ]
    for has_left in left:
        assert not has_left()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert has_left() and not window.notifications.isHidden()
    QTest.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.page() is window.grid and not window.notifications.isHidden()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.notifications.isHidden()


def test_a_problem_can_be_answered_in_its_notification(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    pipeline.events.paused_by.emit("The disk is full.")
    window.notifications.action.click()
    assert ("resume", None) in pipeline.asked


def test_dropped_folders_are_opened(
    window: MainWindow, pipeline: QuietPipeline, tmp_path: Path
) -> None:
    drop(window, tmp_path)
    assert pipeline.asked == [("open", [tmp_path])]
    assert window.session.criteria.scope.key == str(tmp_path)


def test_a_missing_folder_or_file_is_reported(window: MainWindow) -> None:
    said: list[str] = []
    window.session.messages.status_message.connect(said.append)
    window.session.requests.show_path_requested.emit("/nowhere/at/all")
    assert said[-1].startswith("/nowhere/at/all is missing.")
    photo = int(window.session.ids[0])
    window.session.requests.show_file_requested.emit(photo)
    assert said[-1].startswith("/photos/000/DSC_0000.NEF is missing.")


def test_choosing_a_folder_opens_it(
    window: MainWindow,
    pipeline: QuietPipeline,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(dialogs, "choose_folder", lambda *_: str(tmp_path))
    window.run("open_folder")
    assert pipeline.asked == [("open", [tmp_path])]


@pytest.mark.parametrize(("answer", "left"), [("go", 0), ("stay", 60), (None, 60)])
def test_removing_a_folder_asks_about_its_photos(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, answer: str | None, left: int
) -> None:
    asked: list[dialogs.Question] = []

    def ask(_: object, question: dialogs.Question) -> str | None:
        asked.append(question)
        return answer

    monkeypatch.setattr(dialogs, "ask", ask)
    window.session.requests.remove_folder_requested.emit(1)
    assert "60 photos" in asked[0].body
    assert window.session.statistics.counts()["all"] == left
    assert bool(window.session.catalog.folders.all()) is (answer is None)


def test_an_empty_list_shows_that_a_scan_runs(make_window, pipeline: QuietPipeline) -> None:
    window = make_window(photos=0)
    pipeline.events.progressed.emit(Progress(found=0, scanning=True))
    assert window.pages.currentWidget() is window.empty_list
    assert window.empty_list.reason.text() == "Looking for photos…"


def test_the_window_restores_its_state(
    make_window: Callable[..., MainWindow], make_session: Callable[..., Session]
) -> None:
    first = make_window(make_session())
    first.resize(760, 600)
    first.session.modes.set_mode(Pass.CULL)
    first.session.photos.go(7)
    first.run("toggle_inspector")
    photo = first.session.current
    first.close()
    again = make_window(make_session())
    assert (again.width(), again.height()) == (760, 600)
    assert again.session.current == photo
    assert again.session.criteria.mode is Pass.CULL
    assert not again.inspector.isHidden()


def test_full_screen_is_left_by_esc(window: MainWindow) -> None:
    window.session.viewer.set_view(View.LOUPE)
    QTest.keyClick(window, Qt.Key.Key_F)
    assert window.isFullScreen() and window.topbar.isHidden()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen() and not window.topbar.isHidden()


def test_a_long_problem_leaves_room_for_its_button(
    window: MainWindow, pipeline: QuietPipeline, qtbot
) -> None:
    window.resize(700, 500)
    pipeline.events.paused_by.emit("The disk is full. " * 30)
    notifications = window.notifications
    action, close = notifications.action, notifications.close_button
    qtbot.waitUntil(lambda: action.geometry().right() < close.geometry().left() < 700)
    QTest.mouseClick(notifications.close_button, Qt.MouseButton.LeftButton)
    assert notifications.isHidden()


def test_a_photo_of_the_finish_page_opens_in_the_loupe(window: MainWindow) -> None:
    window.resize(1440, 900)
    window.session.modes.set_mode(Pass.CULL)
    window.session.navigator.finish()
    tile, _ = window.finish.sheet.places[0]
    window.finish.sheet.pressed.emit(tile.id)
    assert window.session.current == tile.id
    assert window.pages.currentWidget() is window.loupe


def test_background_messages_replace_no_notification(
    window: MainWindow,
) -> None:
    scanned = window.session.pipeline.events.scan_ended
    scanned.emit(ScanReport(60, 60, 0, 0, "60 photos"))
    offered = window.notifications.current
    scanned.emit(ScanReport(12, 12, 0, 0, "12 new in Iceland", watched=True))
    assert window.status.message.text == "12 new in Iceland"
    scanned.emit(ScanReport(12, 0, 12, 0, "", watched=True))
    assert window.status.message.text == "12 new in Iceland"
    assert window.notifications.current is offered
