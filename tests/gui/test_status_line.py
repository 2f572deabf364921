"""The status line: last message, mode, background work and the progress line."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from curator.library.scopes import Scope
from curator.model import Pass, View
from curator.pipeline import Progress
from curator.pipeline.sidecars import SidecarNews
from curator.session import PassProgress, Session
from curator.ui.main_window import MainWindow
from curator.ui.panels.status_line import ProgressLine, work_text
from tests.gui.conftest import QuietPipeline


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (Progress(), ""),
        (Progress(found=3012, done=3000, failed=12), ""),
        (Progress(3012, 1830, 10, 1172, 20.0, 56.2), "Reading 1,840 of 3,012 · 56 s"),
        (Progress(3012, 10, 0, 3002), "Reading 10 of 3,012"),
        (Progress(40_000, 10, 0, 39_990, 3.0, 13_330.0), "Reading 10 of 40,000 · 3 h 42"),
        (Progress(found=120, scanning=True), "Looking for photos · 120 found"),
        (Progress(12, 5, 0, 7, paused=True), "Background work paused · 7 photos left"),
        (Progress(paused=True), "Background work paused"),
    ],
)
def test_background_work_in_words(work: Progress, text: str) -> None:
    assert work_text(work) == text


def progress_of(decided: int, seen: int, total: int, pass_: Pass = Pass.CULL) -> PassProgress:
    return PassProgress(pass_, total, decided, seen, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("progress", "parts"),
    [
        (progress_of(0, 0, 100), (0, 0)),
        (progress_of(50, 25, 100), (500, 250)),
        (progress_of(1, 0, 100_000), (1, 0)),  # one decision is visible
        (progress_of(99_999, 0, 100_000), (999, 0)),  # one missing decision is visible
        (progress_of(100, 0, 100), (1000, 0)),
        (progress_of(0, 0, 0), (0, 0)),
        (progress_of(50, 25, 100, Pass.BROWSE), (0, 0)),  # no line while browsing
    ],
)
def test_progress_as_a_line(qapp, progress: PassProgress, parts: tuple[int, int]) -> None:
    line = ProgressLine()
    line.show_progress(progress)
    assert line.parts(1000) == parts


def test_the_last_message_is_at_the_left(window: MainWindow) -> None:
    window.session.messages.say("Rejected <b>DSC_0411</b> · Ctrl+Z")
    assert window.status.message.text == "Rejected <b>DSC_0411</b> · Ctrl+Z"


@pytest.mark.parametrize(
    ("command", "move"),
    [
        ("toggle_stack", lambda session: session.photos.go(9)),
        ("toggle_stack", lambda session: session.viewer.set_view(View.LOUPE)),
        ("finish", lambda session: session.modes.set_mode(Pass.RATE)),
        ("finish", lambda session: session.search.set_filter("is:picked")),
        ("reject", lambda session: session.modes.set_mode(Pass.CULL)),
        ("reject", lambda session: session.search.set_filter("is:picked")),
        ("reject", lambda session: session.sources.open_scope(folder(session))),
    ],
)
def test_a_message_disappears_with_its_context(
    window: MainWindow, command: str, move: Callable[[Session], None]
) -> None:
    session, line = window.session, window.status.message
    session.photos.go(3)
    window.run(command)
    QApplication.processEvents()
    assert line.text
    move(session)
    assert not line.text


def test_a_mark_is_reported_while_moving_on_and_until_a_newer_message(
    window: MainWindow,
) -> None:
    session, line = window.session, window.status.message
    session.photos.go(3)
    window.run("reject")
    QApplication.processEvents()
    rejected = line.text
    assert "DSC_0003" in rejected
    session.photos.go(9)
    session.viewer.set_view(View.LOUPE)
    assert line.text == rejected
    session.sources.open_scope(folder(session))
    session.messages.say("Opened photos")
    QApplication.processEvents()
    assert line.text == "Opened photos"


def test_undo_is_announced_again_once_its_announcement_is_gone(window: MainWindow) -> None:
    session = window.session
    session.catalog.journal.decide({2: {"rating": 3}}, summary="3 stars")
    for move in (View.LOUPE, View.GRID):
        window.run("undo")
        QApplication.processEvents()
        assert window.status.message.text.startswith("Not undone yet: ")
        session.viewer.set_view(move)
    assert session.catalog.photos.get(2).marks.rating == 3


def folder(session: Session) -> Scope:
    return next(row.scope for row in session.sources.scopes() if row.scope.kind == "folder")


def test_selection_and_auto_advance_are_shown(window: MainWindow, qtbot) -> None:
    window.session.photos.select_all()
    window.run("toggle_stars_advance")
    qtbot.waitUntil(lambda: window.status.selected.text == "60 selected")
    qtbot.waitUntil(lambda: window.status.advances.text == "M")


def test_the_mode_is_shown_in_the_middle(window: MainWindow, qtbot) -> None:
    window.session.modes.set_mode(Pass.CULL)
    qtbot.waitUntil(lambda: window.status.pass_.text.startswith("Cull · "))


def test_work_shows_only_while_there_is_any(window: MainWindow, pipeline) -> None:
    pipeline.events.progressed.emit(Progress(10, 3, 0, 7))
    assert window.status.work.text == "Reading 3 of 10"
    pipeline.events.progressed.emit(Progress(10, 10))
    assert window.status.work.isHidden()


def test_a_long_message_gets_the_room_up_to_the_progress(window: MainWindow, qtbot) -> None:
    status = window.status
    window.session.modes.set_mode(Pass.CULL)
    window.session.messages.say(
        "Not undone yet: reject 1,212 photos, yesterday 23:14, Iceland. Press again to undo."
    )
    wanted = status.message.sizeHint().width()
    assert wanted < 640
    qtbot.waitUntil(lambda: bool(status.pass_.text) and status.message.width() >= wanted)
    assert abs(status.pass_.geometry().center().x() - status.width() // 2) <= 1
    window.resize(640, 600)
    parts = [status.message, status.pass_, status.counts]
    edges = [(part.geometry().left(), part.geometry().right()) for part in parts]
    assert all(one[1] < other[0] for one, other in pairwise(edges))
    assert edges[-1][1] < status.width()


def test_pending_sidecars_are_counted_with_their_reason(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    pipeline.events.sidecars_changed.emit(
        SidecarNews(pending=14, reason="Make the folder writable.")
    )
    assert window.status.sidecars.text == "14 sidecars pending"
    assert "Make the folder writable." in window.status.sidecars.toolTip()
    pipeline.events.sidecars_changed.emit(SidecarNews())
    assert window.status.sidecars.text == ""
    pipeline.events.sidecars_changed.emit(SidecarNews(pending=1))
    assert "writable" not in window.status.sidecars.toolTip(), "the former reason is gone"


def test_a_slow_operation_is_announced_before_it_starts(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.session.messages.MANY", 60)
    session, act = window.session, window.status.message
    shown: list[tuple[str, float]] = []
    observer = PaintObserver(lambda: shown.append((act.text, act._opacity)))
    act.installEventFilter(observer)
    shown_at_start: list[object] = []
    decide = session.catalog.journal.decide

    def decide_later(*changes: object, **how: object) -> object:
        shown_at_start.append(shown[-1])
        return decide(*changes, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(session.catalog.journal, "decide", decide_later)
    session.photos.select_all()
    window.run("stars_4")
    assert shown_at_start == [("Marking 60 photos…", 1.0)], "painted at full opacity"
    assert act.text.startswith("4 stars for 60 photos")
    window.run("undo")
    assert shown[-1] == ("Undoing: 4 stars for 60 photos…", 1.0)
    assert act.text.startswith("Undid 4 stars")
    act.removeEventFilter(observer)


class PaintObserver(QObject):
    """Call a function whenever a widget is painted."""

    def __init__(self, painted: Callable[[], None]) -> None:
        super().__init__()
        self._painted = painted

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self._painted()
        return False
