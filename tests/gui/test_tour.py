"""The first run: an empty window with instructions, and six keys above the first cull."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget

from curator import commands
from curator.model import Pass, View
from curator.pipeline import ScanReport, Totals
from curator.session import Session
from curator.ui.dialogs import palette
from curator.ui.main_window import MainWindow
from curator.ui.notices.notification_bar import Notification
from curator.ui.pages.help_overlay import sheet, without_key
from curator.ui.pages.tour import Tour
from curator.ui.widgets import theme
from tests.gui.conftest import QuietPipeline
from tests.gui.keyboard import press
from tests.requests import recorded

Windows = Callable[..., MainWindow]
TAB = Qt.FocusPolicy.TabFocus


@pytest.fixture
def unmarked(make_session: Callable[..., Session]) -> Session:
    """A session of nine unmarked photos."""
    session = make_session(9)
    nothing: dict[str, object] = {"rating": None, "flag": None, "kept": False}
    session.decisions.decide("clear", dict.fromkeys(session.ids.tolist(), nothing))
    return session


def lines(menu: QMenu) -> Iterator[str]:
    """Yield the texts of a menu and its submenus."""
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            yield from lines(below)
        else:
            yield action.text().replace("&&", "&")


def named_by_text(part: QWidget) -> bool:
    return isinstance(part, QAbstractButton | QLabel) and bool(part.text())


def bright(tour: Tour) -> list[str]:
    """Return which of the six keys were not used yet."""
    return [does for does, (_, word) in tour.pairs.items() if word.isEnabled()]


def test_the_first_cull_shows_six_keys_that_fade_once_used(
    make_window: Windows, unmarked: Session
) -> None:
    window = make_window(unmarked)
    assert window.tour.isHidden()
    press(window, Qt.Key.Key_Return)
    tour = window.tour
    assert tour.isVisible() and window.pages.y() == theme.TOPBAR + theme.TOUR
    assert [cap.text() for cap, _ in tour.pairs.values()] == [
        *("X", "Space", "1 – 5", "Z", "Ctrl+Z", "?")
    ]
    assert bright(tour) == ["reject", "keep", "stars", "100 %", "undo", "all keys"]
    press(window, Qt.Key.Key_X, Qt.Key.Key_Space, Qt.Key.Key_3)
    assert bright(tour) == ["100 %", "undo", "all keys"]
    press(window, Qt.Key.Key_Z)
    tour.on_command("undo")
    assert bright(tour) == ["all keys"]
    window.run("help_")
    assert bright(tour) == [] and tour.isVisible(), "closing it would resize the picture"
    window.help.hide()
    window.run("browse")
    window.run("cull")
    assert tour.isHidden()


def test_esc_keeps_the_tour_and_its_close_button_ends_it_for_good(
    make_window: Windows, unmarked: Session, make_session: Callable[..., Session]
) -> None:
    window = make_window(unmarked)
    press(window, Qt.Key.Key_Return)
    assert window.tour.isVisible()
    press(window, Qt.Key.Key_Escape)
    assert unmarked.view_state.view is View.GRID
    press(window, Qt.Key.Key_E)
    assert window.tour.isVisible()
    window.tour.close_button.click()
    assert window.tour.isHidden() and unmarked.view_state.view is View.LOUPE
    window.run("browse")
    window.run("cull")
    assert window.tour.isHidden()
    window.close()
    again = make_window(make_session(9))
    again.run("cull")
    assert again.tour.isHidden(), "also in the next run"


def test_the_tour_ends_after_forty_marks(make_window: Windows, unmarked: Session) -> None:
    window = make_window(unmarked)
    window.run("cull")
    for _ in range(39):
        window.tour.on_command("reject")
    assert window.tour.isVisible()
    window.tour.on_command("reject")
    assert not bright(window.tour)
    window.run("browse")
    window.run("cull")
    assert window.tour.isHidden()


def test_after_an_earlier_cull_the_tour_starts_only_on_request(window: MainWindow) -> None:
    session = window.session
    session.modes.set_mode(Pass.CULL)
    assert window.tour.isHidden(), "some of these are reviewed"
    session.modes.set_mode(Pass.BROWSE)
    window.run("tour")
    assert session.view_state.view is View.LOUPE and window.tour.isVisible()


def test_a_notification_in_the_status_line_yields_to_messages(
    make_window: Windows, unmarked: Session
) -> None:
    window = make_window(unmarked)
    window.run("cull")
    notifications = window.notifications
    notifications.post(Notification("news", "There is news."))
    assert notifications.isVisible() and window.tour.isVisible()
    assert window.status.geometry().contains(notifications.geometry())
    window.session.messages.say("Kept DSC_0001")
    assert notifications.isHidden() and window.status.message.isVisible()
    assert not notifications.update_text("other", "…") and notifications.update_text(
        "news", "There is more news."
    )
    assert notifications.isHidden(), "progress does not bring it back"
    notifications.post(Notification("other", "Something else."), first=True)
    assert notifications.isVisible(), "a new notification is shown"
    window.session.messages.say("Kept DSC_0002")
    notifications._yielding.stop()
    notifications._yielding.timeout.emit()
    assert notifications.isVisible() and notifications.text.text == "Something else."


def test_menu_palette_and_help_list_every_command_with_its_key(window: MainWindow) -> None:
    keyboard, keys = window.keys.keyboard, window.session.preferences.keys
    entries = palette.entries(window.session, "grid", lambda _: None)
    found = {entry.name: entry for entry in entries}
    menu = dict(line.partition("\t")[::2] for line in lines(window.topbar.commands_menu()))
    parts = sheet("grid", keyboard).values()
    helped = {line.title for part in parts for line in part} | set(without_key(keyboard))
    folded = re.compile(r"\d stars?|(Red|Yellow|Green|Blue) label|Similar photo \d")
    assert len(keys) > 80
    for name, command in commands.COMMANDS.items():
        key = keys.get(name, "")
        if name not in ("delete", "menu"):  # one does nothing, the other opens this menu
            assert menu[command.title] == key
        if name != "palette":
            assert found[name].key == key
            assert palette.best(entries, command.title.rstrip("…"))[0].name == name
        assert {command.title, command.title.rstrip("…")} & helped or folded.fullmatch(
            command.title
        ), f"{name} is not on the cheat sheet"


def test_every_button_has_a_name_and_shows_its_key(window: MainWindow) -> None:
    window.notifications.post(Notification("news", "There is news.", "Go on"))
    for button in window.findChildren(QAbstractButton):
        named = button.text() or button.accessibleName()
        assert named, f"{button} in {button.parent()} has no name"
        assert button.text() or button.toolTip(), f"{named} says nothing under the pointer"
    window.session.modes.set_mode(Pass.CULL)
    for button, command in (
        (window.topbar.more, "menu"),
        (window.topbar.order, "order"),
        (window.topbar.passes[Pass.RATE], "rate"),
        (window.sidebar.add, "open_folder"),
        (window.sidebar.projects.add, "choose_project"),
        (window.sidebar.saved.add, "save_search"),
    ):
        assert f"({window.session.preferences.keys[command]})" in button.toolTip()
    takers = [part for part in window.findChildren(QWidget) if part.focusPolicy() & TAB]
    assert len(takers) > 5
    nameless = [part for part in takers if not (part.accessibleName() or named_by_text(part))]
    names = [f"{type(part).__name__} in {type(part.parent()).__name__}" for part in nameless]
    assert names == [], " ".join(names)


def test_a_folder_dropped_on_the_empty_window_is_opened(
    make_window: Windows, pipeline: QuietPipeline, tmp_path: Path
) -> None:
    window = make_window(photos=0)
    texts = [label.text() for label in window.empty_window.findChildren(QLabel)]
    assert texts[0] == "Drop a folder of photos here"
    assert "Nothing is moved, changed or uploaded." in texts
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    action, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    over = QDragEnterEvent(QPoint(600, 400), action, data, left, none)
    QApplication.sendEvent(window, over)
    assert (
        over.isAccepted()
        and window.file_drop.isVisible()
        and window.file_drop.text() == "Drop to open"
    )
    QApplication.sendEvent(window, QDropEvent(QPointF(600, 400), action, data, left, none))
    assert window.file_drop.isHidden() and pipeline.asked == [("open", [tmp_path])]
    text = QMimeData()
    text.setText("words from a browser")
    refused = QDragEnterEvent(QPoint(600, 400), action, text, left, none)
    QApplication.sendEvent(window, refused)
    assert not refused.isAccepted() and window.file_drop.isHidden()


def test_the_notification_counts_later_photos_and_closes_with_its_scope(
    make_window: Windows,
    unmarked: Session,
    pipeline: QuietPipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window, session = make_window(unmarked), unmarked
    report = ScanReport(9, 9, 0, 0, "9 photos")
    pipeline.events.scan_ended.emit(report)
    pipeline.events.idle.emit(
        Totals(scans=(replace(report, sentence="9 photos; 2 videos skipped"),))
    )
    assert window.notifications.text.text == "9 photos; 2 videos skipped"
    here = session.statistics.counts()
    monkeypatch.setattr(session.statistics, "counts", lambda: {**here, "all": 12})
    pipeline.events.scan_ended.emit(ScanReport(3, 3, 0, 0, "3 new in photos", watched=True))
    pipeline.events.idle.emit(Totals())
    assert window.notifications.text.text == "9 photos; 2 videos skipped; 3 more since"
    monkeypatch.undo()
    session.sources.open_scope(session.sources.scopes()[1].scope)
    assert window.notifications.isHidden(), "it concerned all photos"
    pipeline.events.idle.emit(Totals())
    assert window.notifications.isHidden()


def test_enter_in_the_empty_window_chooses_a_folder(
    make_window: Windows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window = make_window(photos=0)
    asked = recorded(window.session.requests)
    monkeypatch.setattr("curator.ui.window_actions.dialogs.choose_folder", lambda *_: None)
    press(window, Qt.Key.Key_Return)
    assert asked == [("add_folder",)]
