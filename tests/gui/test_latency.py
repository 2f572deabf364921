"""What runs between a key and its painted photo: only what must."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest

from curator.model import Flag
from curator.session import Session
from curator.ui.loupe import caption
from curator.ui.main_window import MainWindow
from curator.ui.widgets.overlay_panel import OverlayPanel
from tests.gui import swatches
from tests.gui.conftest import QuietPipeline

WITHIN_MS = 60_000
WOKEN = ["focus", "learned from"]
READ = {"file", "work", "photo_tag", "description", "directory", "folder"}


@pytest.fixture
def culling(
    make_session: Callable[..., Session], make_window: Callable[..., MainWindow], qtbot
) -> MainWindow:
    """A window in the cull, the photo and the next one decoded, nothing left to do."""
    session = make_session()
    swatches.lay_out(session.home.cache, session.ids.tolist())
    window = make_window(session)
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    sight, frames = window.loupe._viewport, window.pictures.frames
    qtbot.waitUntil(
        lambda: (
            session.viewer.is_painted
            and all(frames.get(each) is not None for each in sight.proxy_requests() if each)
            and not window.loupe._requesting.isActive()
        ),
        timeout=WITHIN_MS,
    )
    return window


def test_a_decoded_photo_is_painted_before_other_widgets_hear_of_it(culling: MainWindow) -> None:
    session, events = culling.session, []
    culling.loupe.painted.connect(events.append)
    session.photos.current_changed.connect(lambda: events.append("others"))
    QTest.keyClick(culling, Qt.Key.Key_Right)
    assert events == [session.current, "others"]


def test_closed_panels_see_no_key_and_no_paint(
    culling: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[QEvent.Type] = []
    monkeypatch.setattr(
        OverlayPanel, "eventFilter", lambda _panel, _at, event: bool(seen.append(event.type()))
    )
    QTest.keyClick(culling, Qt.Key.Key_Right)
    assert not seen
    culling.help.open()
    QTest.keyClick(culling, Qt.Key.Key_Right)
    assert seen


def test_a_panel_covers_a_window_that_was_resized_while_minimized(
    culling: MainWindow, qtbot
) -> None:
    culling.help.open()
    culling.showMinimized()
    qtbot.waitUntil(
        lambda: not culling.help.isVisible() or culling.isMinimized(), timeout=WITHIN_MS
    )
    culling.resize(culling.width() - 200, culling.height() - 100)
    culling.showNormal()
    qtbot.waitUntil(lambda: culling.help.size() == culling.size(), timeout=WITHIN_MS)


def test_the_caption_of_the_next_photo_is_drawn_before_its_key(
    culling: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot
) -> None:
    loupe, drawn, painted = culling.loupe, [], []
    draw = caption.Caption.draw
    monkeypatch.setattr(
        caption.Caption, "draw", lambda shown, *at: (drawn.append(shown.name), draw(shown, *at))
    )
    caption.drawn.cache_clear()
    loupe.painted.connect(lambda _: painted.append(len(drawn)))
    for _ in range(3):
        QTest.keyClick(culling, Qt.Key.Key_Right)
        qtbot.waitUntil(
            lambda: bool(painted) and not loupe._requesting.isActive(), timeout=WITHIN_MS
        )
        drawn_ahead, drawn_by_key = drawn[painted[0] :], drawn[: painted[0]]
        painted.clear(), drawn.clear()
    following = culling.session.tile(int(culling.session.ids[culling.session.photos.index + 1]))
    assert (drawn_by_key, drawn_ahead) == ([], [following.name])


def test_after_a_mark_the_next_photo_is_painted_first(
    culling: MainWindow, pipeline: QuietPipeline, monkeypatch: pytest.MonkeyPatch, qtbot
) -> None:
    window, session = culling, culling.session
    marked, events, said = session.current, [], []
    hold = session.catalog.store.hold_background
    monkeypatch.setattr(
        session.catalog.store, "hold_background", lambda held: (hold(held), events.append(held))
    )
    monkeypatch.setattr(pipeline, "focus", lambda _: events.append("focus"))
    monkeypatch.setattr(
        session.taste.learner, "marks_changed", lambda _: events.append("learned from")
    )
    named = window.loupe.accessibleName()

    def painted(photo: int) -> None:
        session.catalog.store.trace(None)
        flag = session.catalog.photos.get(marked).marks.flag
        events.append((photo, flag, window.loupe.accessibleName() == named))

    window.loupe.painted.connect(painted)
    session.catalog.store.trace(said.append)
    QTest.keyClick(window, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: set(WOKEN) <= set(events), timeout=WITHIN_MS)
    painted_ = (session.current, Flag.REJECT, True)
    assert events[:2] == [True, painted_], "held still, decided, painted, then the others"
    qtbot.waitUntil(lambda: window.loupe.accessibleName() != named, timeout=WITHIN_MS)
    assert False in events
    # Each statement lets go of the interpreter, and getting it back from a busy thread takes long.
    told = list(dict.fromkeys(said))  # one with triggers is traced several times
    assert not [text for text in told if READ & set(text.split())], "nothing of the photo one left"
    assert len(told) <= 9, "\n".join(told)
