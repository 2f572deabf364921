"""Starting from a file manager: a single picture, no display, and why no window opens."""

from __future__ import annotations

import gc
import os
import signal
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from curator import app
from curator.home import Home
from curator.model import KnownError, Stopped
from curator.settings import Settings
from curator.ui.widgets import dialogs
from tests.catalogs import fill
from tests.gui.conftest import QuietPipeline
from tests.photos import draw_jpeg


@pytest.fixture
def quiet(pipeline: QuietPipeline, monkeypatch: pytest.MonkeyPatch) -> QuietPipeline:
    """A pipeline that reads nothing, in place of the real one."""
    monkeypatch.setattr(app, "_start_reading", lambda *_: (pipeline, ""))
    monkeypatch.setattr(pipeline, "stop", lambda: None, raising=False)
    return pipeline


def started(home: Home, *sources: Path) -> app.App:
    return app.build(home, Settings.load(home), sources)


def test_opening_one_picture_previews_it_without_adding_it(
    home: Home, quiet: QuietPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "card" / "DSC_1.JPG"
    draw_jpeg(picture)
    wanted: list[str] = []
    previews = SimpleNamespace(request=lambda path, *_: wanted.append(path), cancel=lambda: None)
    monkeypatch.setattr(quiet, "file_previews", previews, raising=False)
    fill(home.catalog, 3)
    running = started(home, picture)
    window = running.window
    window.show()
    QApplication.processEvents()
    assert wanted == [str(picture)] and quiet.asked == []
    over = window.childAt(20, 200)
    assert over is window.file_preview or window.file_preview.isAncestorOf(over), (
        "nothing lies over it"
    )
    running.close()


def test_a_window_is_no_larger_than_its_screen(home: Home, quiet: QuietPipeline) -> None:
    running = started(home)
    window, room = running.window, running.window.screen().availableSize()
    window.resize(room)  # and a title bar above
    app._fit_screen(window)
    assert window.isMaximized(), "as large as it can be with its frame"
    assert window.height() < room.height(), "and within the screen when it is so no more"
    window.setWindowState(Qt.WindowState.WindowNoState)
    window.resize(room - QSize(20, 60))
    app._fit_screen(window)
    assert not window.isMaximized() and window.size() == room - QSize(20, 60)
    running.close()


def test_a_folder_and_several_pictures_are_opened(
    home: Home, quiet: QuietPipeline, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    draw_jpeg(card / "DSC_1.JPG")
    running = started(home, card)
    assert quiet.asked[0] == ("open", [card])
    assert running.session.criteria.scope.title == "card"
    running.close()


def test_without_a_display_an_error_is_raised(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KnownError, match="no display"):
        app.main(home, Settings.load(home))


def test_a_dialog_shows_an_error_that_no_terminal_shows(
    dressed: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def exec_(dialog: dialogs.Dialog) -> int:
        shown.extend(label.text() for label in dialog.findChildren(type(dialog.title)))
        return 0

    monkeypatch.setattr(dialogs.Dialog, "exec", exec_)
    error = KnownError("/cards/a <b>.jpg is not there.", "Check the name.")
    app._show_error(error)
    assert shown == [], "nobody would see it on this platform"
    monkeypatch.setattr(QApplication, "platformName", lambda: "xcb")
    monkeypatch.setattr("sys.stderr", None)
    app._show_error(error)
    assert shown == ["Nothing was opened", "/cards/a <b>.jpg is not there.", "Check the name."]


def test_long_lived_objects_are_excluded_from_garbage_collection(
    home: Home, quiet: QuietPipeline
) -> None:
    running = started(home)
    thresholds = gc.get_threshold()
    counts = []
    try:
        app.freeze_long_lived(running)
        counts.append(gc.get_freeze_count())
        stays = []
        for _ in range(2):  # what came when taste was learned is there to stay, later things not
            stays += [[] for _ in range(10_000)]
            running.session.taste.scores_changed.emit()
            counts.append(gc.get_freeze_count())
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        running.close()
    assert counts[0] > 0 and counts[1] >= counts[0] + 10_000 and counts[2] < counts[1] + 10_000


def test_garbage_is_collected_in_a_pause_between_photos(
    home: Home, quiet: QuietPipeline, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(app, "_PAUSE_MS", 1)
    thresholds = gc.get_threshold()
    running = started(home)
    lost = QObject()
    kept = [lost]
    kept.append(kept)  # a cycle, which only a collection frees
    gone = weakref.ref(lost)
    try:
        app.freeze_long_lived(running)
        gc.unfreeze()
        assert gc.get_threshold()[2] > thresholds[2], "keys could meet a collection of everything"
        del lost, kept
        running.session.photos.current_changed.emit()
        qtbot.waitUntil(lambda: gone() is None)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        running.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_closes_the_window_in_order(
    home: Home, quiet: QuietPipeline, dressed: QApplication
) -> None:
    """Even while a dialog waits for an answer."""
    running = started(home)
    running.window.show()

    def ask() -> None:
        QTimer.singleShot(0, kill)
        dialogs.question_dialog(None, dialogs.Question("Delete them?", "", ())).exec()

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    QTimer.singleShot(0, ask)
    with pytest.raises(Stopped) as stopped:
        app._run(running.window, dressed)
    running.close()
    assert stopped.value.code == 143 and not running.window.isVisible()
    assert not home.catalog.with_name("catalog.db-wal").exists()
