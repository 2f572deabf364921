"""The keyboard of the window: every line of KEYMAP acts, letters type, digits go by their place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from curator import keymap
from curator.keymap import KEYMAP, Binding, KeymapError
from curator.model import Flag, Pass, View
from curator.ui.keys import digit_at
from curator.ui.main_window import MainWindow

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def in_loupe(window: MainWindow, pass_: Pass = Pass.BROWSE) -> int:
    """Go to an undecided photo in the loupe as if its picture had been painted."""
    session = window.session
    if pass_ is not Pass.BROWSE:
        session.set_pass(pass_)
    session.set_view(View.LOUPE)
    session.go(3)
    assert session.current is not None
    session.shown(session.current)
    return session.current


def press_place(
    window: MainWindow, scan_code: int, key: int, text: str, modifiers: Qt.KeyboardModifier
) -> None:
    """Press a physical key as X11 reports it: override first, then the press itself."""
    for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
        event = QKeyEvent(kind, key, modifiers, scan_code, 0, 0, text)
        event.ignore()
        QApplication.sendEvent(window, event)
        if kind is QEvent.Type.ShortcutOverride and not event.isAccepted():
            return


def test_every_line_of_the_keymap_is_one_action(window: MainWindow) -> None:
    assert {binding for binding, _ in window.keys.actions} == set(KEYMAP)
    assert len(window.keys.actions) == len(KEYMAP)
    assert all(action.shortcut().toString() for _, action in window.keys.actions)
    assert not any(
        action.autoRepeat()
        for binding, action in window.keys.actions
        if binding.command == "reject"
    )


def test_a_key_that_means_two_things_is_refused_by_name() -> None:
    with pytest.raises(KeymapError, match=r"^X means reject and pick in (grid|loupe)$"):
        keymap.check([Binding("X", "reject"), Binding("X", "pick")])
    with pytest.raises(KeymapError, match="frobnicate"):
        keymap.check([Binding("X", "frobnicate")])


def test_only_the_keys_of_this_view_act(window: MainWindow) -> None:
    window.session.set_view(View.GRID)
    assert window.keys.action("Z") is None
    window.session.set_view(View.LOUPE)
    assert window.keys.action("Z") is not None
    assert window.keys.action("PgDown") is None


def test_x_rejects_the_photo_on_screen(window: MainWindow, qtbot) -> None:
    photo = in_loupe(window)
    QTest.keyClick(window, Qt.Key.Key_X)
    assert window.session.table.marks(photo).flag is Flag.REJECT


@pytest.mark.parametrize(
    ("key", "text", "modifiers", "stays"),
    [
        pytest.param(Qt.Key.Key_Exclam, "!", SHIFT, False, id="US, Shift+1 goes on"),
        pytest.param(Qt.Key.Key_Ampersand, "&", NONE, True, id="AZERTY, plain key"),
        pytest.param(Qt.Key.Key_1, "1", SHIFT, False, id="AZERTY, Shift types the digit"),
    ],
)
def test_the_digit_row_goes_by_place(
    window: MainWindow,
    monkeypatch: pytest.MonkeyPatch,
    key: Qt.Key,
    text: str,
    modifiers: Qt.KeyboardModifier,
    stays: bool,
) -> None:
    monkeypatch.setattr("curator.ui.keys.sys.platform", "linux")
    photo = in_loupe(window, Pass.CULL)
    press_place(window, 10, key, text, modifiers)
    assert window.session.table.marks(photo).rating == 1
    assert (window.session.current == photo) is stays


def test_alt_with_a_digit_by_place_opens_a_pass(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.ui.keys.sys.platform", "linux")
    press_place(window, 10, Qt.Key.Key_Ampersand, "&", ALT)
    assert window.session.pass_ is Pass.CULL


def test_a_character_that_is_bound_itself_wins_over_its_place(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shift+7 types a slash on a German keyboard: that searches, and labels nothing."""
    monkeypatch.setattr("curator.ui.keys.sys.platform", "linux")
    photo = in_loupe(window)
    press_place(window, 16, Qt.Key.Key_Slash, "/", SHIFT)
    assert window.session.table.marks(photo).label is None


@pytest.mark.parametrize(
    ("scan", "virtual", "platform", "digit"),
    [
        (10, 0, "linux", "1"),
        (19, 0, "linux", "0"),
        (20, 0, "linux", None),
        (2, 0, "win32", "1"),
        (11, 0, "win32", "0"),
        (0, 23, "darwin", "5"),
        (0, 22, "darwin", "6"),
        (0, 0, "darwin", None),
    ],
)
def test_where_digits_lie(scan: int, virtual: int, platform: str, digit: str | None) -> None:
    assert digit_at(scan, virtual, platform) == digit


def test_letters_type_in_the_search_field_and_mark_nothing(
    window: MainWindow, qtbot, make_window: Callable[..., MainWindow]
) -> None:
    photo = in_loupe(window)
    window.search()
    field = window.topbar.search
    QTest.keyClicks(field, "x15 p/?")
    assert field.text() == "x15 p/?"
    marks = window.session.table.marks(photo)
    assert (marks.flag, marks.rating) == (None, None)
