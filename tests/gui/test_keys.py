"""The window's keyboard: the lines of KEYMAP, digit keys by position, letters in fields."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from curator import keymap
from curator.keyboard import PRESETS, Keyboard
from curator.keymap import KEYMAP, Binding, KeymapError
from curator.model import Flag, Pass, View
from curator.ui.main_window import MainWindow
from curator.ui.widgets.actions import KeyActions, digit_at, spelled_press
from curator.ui.widgets.key_state import is_caps_lock_on
from tests.requests import recorded

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT, CTRL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
PAD, ALTGR = Qt.KeyboardModifier.KeypadModifier, Qt.KeyboardModifier.GroupSwitchModifier


@pytest.fixture
def keys(qapp: QApplication, qtbot) -> KeyActions:
    """The keys of the loupe in an empty window."""
    bare = QWidget()
    qtbot.addWidget(bare)
    made = KeyActions(bare, Keyboard(), lambda _: None)
    made.enter_view("loupe")
    return made


def in_loupe(window: MainWindow, pass_: Pass = Pass.BROWSE) -> int:
    """Show an unreviewed photo in the loupe as if its picture had been painted."""
    session = window.session
    if pass_ is not Pass.BROWSE:
        session.modes.set_mode(pass_)
    session.viewer.set_view(View.LOUPE)
    session.photos.go(3)
    assert session.current is not None
    session.viewer.note_painted(session.current)
    return session.current


def press_key_at(
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
    assert {binding for binding, _ in window.keys.shortcuts.actions} == set(KEYMAP)
    assert len(window.keys.shortcuts.actions) == len(KEYMAP)
    assert all(action.shortcut().toString() for _, action in window.keys.shortcuts.actions)
    assert not any(
        action.autoRepeat()
        for binding, action in window.keys.shortcuts.actions
        if binding.command == "reject"
    )


def test_a_key_with_two_meanings_is_refused_by_name() -> None:
    with pytest.raises(KeymapError, match=r"^X is bound to both reject and pick in grid$"):
        keymap.check([Binding("X", "reject"), Binding("X", "pick")])
    with pytest.raises(KeymapError, match="frobnicate"):
        keymap.check([Binding("X", "frobnicate")])


def test_only_the_keys_of_the_current_view_work(window: MainWindow) -> None:
    window.session.viewer.set_view(View.GRID)
    assert window.keys.shortcuts.action("Z") is None
    window.session.viewer.set_view(View.LOUPE)
    assert window.keys.shortcuts.action("Z") is not None
    assert window.keys.shortcuts.action("PgDown") is None


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
def test_digit_keys_are_identified_by_position(
    window: MainWindow,
    monkeypatch: pytest.MonkeyPatch,
    key: Qt.Key,
    text: str,
    modifiers: Qt.KeyboardModifier,
    stays: bool,
) -> None:
    monkeypatch.setattr("curator.ui.widgets.actions.sys.platform", "linux")
    photo = in_loupe(window, Pass.CULL)
    press_key_at(window, 10, key, text, modifiers)
    assert window.session.table.marks(photo).rating == 1
    assert (window.session.current == photo) is stays


@pytest.mark.parametrize(
    ("scan", "key", "text", "modifiers", "command"),
    [
        pytest.param(15, Qt.Key.Key_Minus, "-", NONE, "label_red", id="AZERTY 6 types a minus"),
        pytest.param(10, Qt.Key.Key_Plus, "+", NONE, "stars_1", id="Czech 1 types a plus"),
        pytest.param(15, Qt.Key.Key_Minus, "-", CTRL, None, id="AZERTY Ctrl+-, by its key code"),
        pytest.param(17, Qt.Key.Key_BracketLeft, "[", ALTGR, None, id="German bracket, as typed"),
        pytest.param(16, Qt.Key.Key_Slash, "/", SHIFT, "search", id="German slash"),
        pytest.param(20, Qt.Key.Key_Question, "?", SHIFT, "help_", id="German question mark"),
        pytest.param(58, Qt.Key.Key_Question, "?", SHIFT, "help_", id="AZERTY question mark"),
        pytest.param(60, Qt.Key.Key_Slash, "/", SHIFT, "search", id="AZERTY slash"),
        pytest.param(21, Qt.Key.Key_Plus, "+", SHIFT, "larger", id="US and AZERTY plus"),
    ],
)
def test_punctuation_is_identified_by_character_and_digits_by_position(
    keys: KeyActions,
    monkeypatch: pytest.MonkeyPatch,
    scan: int,
    key: Qt.Key,
    text: str,
    modifiers: Qt.KeyboardModifier,
    command: str | None,
) -> None:
    """Key events as X11 delivers them."""
    monkeypatch.setattr("curator.ui.widgets.actions.sys.platform", "linux")
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers, scan, 0, 0, text)
    action = keys.action_by_position(event)
    assert (action.text() if action else None) == command


def test_the_number_pad_works_like_the_main_keys(window: MainWindow) -> None:
    asked = recorded(window.session.requests)
    QTest.keyClick(window, Qt.Key.Key_Enter, PAD)
    assert window.session.view_state.view is View.LOUPE
    photo = in_loupe(window)
    QTest.keyClick(window, Qt.Key.Key_4, PAD)
    assert window.session.table.marks(photo).rating == 4
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
        QTest.keyClick(window, key, PAD)
    assert asked[-2:] == [("resize", 1), ("resize", -1)]


@pytest.mark.parametrize(
    ("scan", "key", "text", "modifiers", "spelled"),
    [
        (53, Qt.Key.Key_X, "x", NONE, "X"),
        (53, Qt.Key.Key_X, "X", SHIFT, "Shift+X"),
        (10, Qt.Key.Key_Exclam, "!", SHIFT, "Shift+1"),
        (10, Qt.Key.Key_Ampersand, "&", NONE, "1"),
        (11, Qt.Key.Key_Eacute, "é", CTRL, "Ctrl+2"),
        (16, Qt.Key.Key_Slash, "/", SHIFT, "/"),
        (58, Qt.Key.Key_Question, "?", SHIFT, "?"),
        (21, Qt.Key.Key_Plus, "+", SHIFT, "+"),
        (17, Qt.Key.Key_BracketLeft, "[", ALTGR, "["),
        (84, Qt.Key.Key_5, "5", PAD, "5"),
        (104, Qt.Key.Key_Enter, "\r", PAD, "Return"),
        (23, Qt.Key.Key_Backtab, "", SHIFT, "Shift+Tab"),
        (67, Qt.Key.Key_F1, "", CTRL | SHIFT, "Ctrl+Shift+F1"),
        (50, Qt.Key.Key_Shift, "", SHIFT, ""),
        (0, Qt.Key.Key_VolumeUp, "", NONE, ""),
    ],
)
def test_a_press_is_spelled_as_the_keymap_spells_it(
    monkeypatch: pytest.MonkeyPatch,
    scan: int,
    key: Qt.Key,
    text: str,
    modifiers: Qt.KeyboardModifier,
    spelled: str,
) -> None:
    monkeypatch.setattr("curator.ui.widgets.actions.sys.platform", "linux")
    event = QKeyEvent(QEvent.Type.KeyPress, key, modifiers, scan, 0, 0, text)
    assert spelled_press(event, Keyboard()) == spelled


@pytest.mark.parametrize("name", PRESETS)
def test_qt_knows_every_key_of_a_preset(keys: KeyActions, name: str) -> None:
    keys.use(Keyboard(name))
    for binding, action in keys.actions:
        found = [each.toString() for each in action.shortcuts()]
        assert found[0] == binding.keys and len(found) == 1 + ("Return" in binding.keys)


def test_an_active_preset_sets_every_shown_and_pressed_key(window: MainWindow) -> None:
    window.keys.use(Keyboard("photo_mechanic"))
    assert window.session.preferences.keys["pick"] == "T"
    assert window.session.preferences.keys["stars_1"] == "Ctrl+1"
    photo = in_loupe(window, Pass.CULL)
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert window.session.table.marks(photo).kept is False, "Space does not keep in this preset"
    QTest.keyClick(window, Qt.Key.Key_T)
    assert window.session.table.marks(photo).flag is Flag.PICK
    photo = in_loupe(window, Pass.CULL)
    QTest.keyClick(window, Qt.Key.Key_8)
    assert window.session.table.marks(photo).flag is Flag.REJECT
    assert window.session.current == photo, "in this preset a mark does not advance"


def advances(
    window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier, native: int = 0
) -> bool:
    """Press a mark key in a cull's loupe. Whether it moved to the next photo."""
    photo = in_loupe(window, Pass.CULL)
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers, 0, 0, native, "")
    event.ignore()
    QApplication.sendEvent(window, event)
    with_shift = "Shift+" if modifiers & SHIFT else ""
    action = window.keys.shortcuts.action(with_shift + chr(key))
    assert action is not None
    action.trigger()  # as Qt does where nothing overrides the shortcut
    QTest.keyRelease(window, key, modifiers)
    moved = window.session.current != photo
    window.run("undo")
    return moved


@pytest.mark.parametrize("key", [Qt.Key.Key_P, Qt.Key.Key_X, Qt.Key.Key_U, Qt.Key.Key_3])
def test_marks_advance_as_in_lightroom(
    window: MainWindow, key: Qt.Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Lightroom a mark advances only with Shift, Caps Lock or Auto Advance."""
    monkeypatch.setattr("curator.ui.widgets.key_state.sys.platform", "linux")
    caps_lock = 1 << 1
    window.keys.use(Keyboard("lightroom"))
    assert [advances(window, key, NONE), advances(window, key, SHIFT)] == [False, True]
    assert advances(window, key, NONE, caps_lock)
    assert not advances(window, key, NONE)
    window.run("toggle_stars_advance")
    assert advances(window, key, NONE)
    window.run("toggle_stars_advance")
    window.keys.use(Keyboard("curator"))
    expected = key in (Qt.Key.Key_P, Qt.Key.Key_X)
    assert [advances(window, key, NONE, native) for native in (0, caps_lock)] == [
        expected,
        expected,
    ]


@pytest.mark.parametrize(
    ("native", "platform", "on"),
    [(2, "linux", True), (1, "linux", False), (1 << 8, "win32", True), (1 << 16, "darwin", True)],
)
def test_caps_lock_is_read_from_native_modifiers(native: int, platform: str, on: bool) -> None:
    assert is_caps_lock_on(native, platform) is on


def test_a_held_space_counts_as_navigation_if_it_is_bound_to_it(window: MainWindow) -> None:
    in_loupe(window)
    held = window.keys.state
    for preset, navigates in (("curator", False), ("darktable", True)):
        window.keys.use(Keyboard(preset))
        QTest.keyPress(window, Qt.Key.Key_Space)
        assert held.is_navigating() is navigates
        QTest.keyRelease(window, Qt.Key.Key_Space)


def test_a_held_x_rejects_one_photo_even_if_its_repeats_look_like_taps(
    window: MainWindow,
) -> None:
    """X11 reports a repeat as a release and a press at the same time; a finger takes longer."""
    photo = in_loupe(window)
    QTest.keyPress(window, Qt.Key.Key_X)
    assert window.session.table.marks(photo).flag is Flag.REJECT
    for released, pressed, advance in ((500, 500, False), (540, 540, False), (900, 980, True)):
        before = window.session.current
        assert before is not None
        window.session.viewer.note_painted(before)
        for kind, at in (
            (QEvent.Type.KeyRelease, released),
            (QEvent.Type.ShortcutOverride, pressed),
        ):
            event = QKeyEvent(kind, Qt.Key.Key_X, NONE, "x")
            event.ignore()
            event.setTimestamp(at)
            QApplication.sendEvent(window, event)
        action = window.keys.shortcuts.action("X")
        assert action is not None
        action.trigger()  # as Qt does where nothing overrides the shortcut
        assert (window.session.current != before) is advance


def test_alt_with_a_digit_key_opens_a_mode(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.ui.widgets.actions.sys.platform", "linux")
    press_key_at(window, 10, Qt.Key.Key_Ampersand, "&", ALT)
    assert window.session.criteria.mode is Pass.CULL


def test_a_bound_character_wins_over_the_key_position(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shift+7 types a slash on a German keyboard: it searches and sets no label."""
    monkeypatch.setattr("curator.ui.widgets.actions.sys.platform", "linux")
    photo = in_loupe(window)
    press_key_at(window, 16, Qt.Key.Key_Slash, "/", SHIFT)
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
def test_scan_codes_of_digits(scan: int, virtual: int, platform: str, digit: str | None) -> None:
    assert digit_at(scan, virtual, platform) == digit


def test_letters_typed_into_the_search_field_mark_nothing(
    window: MainWindow, qtbot, make_window: Callable[..., MainWindow]
) -> None:
    photo = in_loupe(window)
    window.search()
    field = window.topbar.search
    QTest.keyClicks(field, "x15 p/?")
    assert field.text() == "x15 p/?"
    marks = window.session.table.marks(photo)
    assert (marks.flag, marks.rating) == (None, None)
