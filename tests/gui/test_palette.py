"""The command palette: what a few letters find, and what stays unchanged."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from curator.commands import COMMANDS
from curator.model import Flag, Pass, View
from curator.session import Session
from curator.ui.dialogs.palette import Entry, best, entries
from curator.ui.main_window import MainWindow

CTRL = Qt.KeyboardModifier.ControlModifier


def titles(text: str, recent: list[str], *entries: Entry) -> list[str]:
    return [entry.title for entry in best(entries, text, recent)]


def entry(name: str, title: str, about: str = "", **more: object) -> Entry:
    return Entry(name, title, about, lambda: None, **more)  # type: ignore[arg-type]


REJECT = entry("reject", "Reject", "Nothing is deleted.", key="X", at_once=True)
REVERSE = entry("reverse_order", "Reverse sort order", "Turn the list round.", at_once=True)
PANELS = entry("toggle_panels", "Panels", "Hide everything but the picture.", at_once=True)
ZOOM = entry("zoom", "Zoom", "Fit or 100 %.", off="in the loupe only", at_once=True)
ICELAND = entry("scope:/iceland", "Go to Iceland")
ALL = (REJECT, REVERSE, PANELS, ZOOM, ICELAND)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("rev", ["Reverse sort order"]),
        ("re", ["Reject", "Reverse sort order"]),
        ("order", ["Reverse sort order"]),
        ("rto", ["Reverse sort order"]),
        ("rvs", ["Reverse sort order"]),
        ("hide picture", ["Panels"]),
        ("toggle_p", ["Panels"]),
        ("iceland", ["Go to Iceland"]),
        ("x", ["Reject"]),
        ("nosuchthing", []),
    ],
)
def test_letters_match_beginnings_initials_and_subsequences(typed: str, found: list[str]) -> None:
    assert titles(typed, [], *ALL) == found


ABBREVIATIONS = {
    **{"exp": "export", "expo": "export", "ex": "export", "expa": "toggle_stack"},
    **{"und": "undo", "re": "reject", "redo": "redo", "red": "label_red", "pi": "pick"},
    **{"cul": "cull", "rat": "rate", "comp": "compare", "sea": "search", "5": "stars_5"},
    **{"turn r": "turn_right", "stack sel": "stack_selection", "select": "select_all"},
    **{"sharp": "order:sharpness", "full": "toggle_fullscreen", "set": "settings"},
    # Names in other programs.
    **{"pref": "settings", "rotate": "turn_left", "keyw": "tag", "sort": "order"},
    **{"import": "import_card", "shortcut": "help_", "xmp": "write_sidecars", "exit": "quit_"},
}


def test_common_abbreviations_find_the_expected_command(session: Session) -> None:
    everything = entries(session, "grid", lambda _: None)
    found = {typed: best(everything, typed)[0].name for typed in ABBREVIATIONS}
    assert found == ABBREVIATIONS


def test_among_equal_matches_the_last_used_is_first_and_disabled_ones_last() -> None:
    assert titles("re", ["reverse_order"], *ALL) == ["Reverse sort order", "Reject"]
    offered = titles("", ["scope:/iceland", "toggle_panels"], *ALL)
    assert offered == ["Go to Iceland", "Panels", "Reject", "Reverse sort order", "Zoom"]
    assert "Go to Iceland" not in titles("", [], *ALL), "folders appear only for typed text"


def test_the_palette_lists_every_command(session: Session) -> None:
    found = {each.name: each for each in entries(session, "grid", lambda _: None)}
    assert set(COMMANDS) - {"palette"} <= set(found)
    assert found["zoom"].off == "in the loupe, compare, survey and face table only"
    assert found["reject"].off == ""
    assert {"scope:/photos", "order:sharpness", "is:picked"} <= set(found)
    found["is:picked"].act()
    assert session.criteria.filter == "is:picked"
    found["order:sharpness"].act()
    assert session.criteria.order == "sharpness"
    found["scope:/photos"].act()
    assert session.criteria.scope.key == "/photos"


def open_palette(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    assert window.command_palette.isVisible() and window.command_palette.field.hasFocus()


def test_enter_runs_the_command_on_the_current_photo(window: MainWindow) -> None:
    window.session.photos.go(3)
    photo = window.session.current
    assert photo is not None
    open_palette(window)
    QTest.keyClicks(window.command_palette.field, "rej")
    assert window.session.table.marks(photo).flag is None, "letters are typed here"
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Return)
    assert window.session.table.marks(photo).flag is Flag.REJECT
    assert window.command_palette.isHidden() and window.grid.hasFocus()
    open_palette(window)
    assert window.command_palette.rows.current is not None
    assert window.command_palette.rows.current.name == "reject", "the last used command"


def test_a_command_used_under_a_former_name_is_still_recent(window: MainWindow) -> None:
    window._state["recent"] = ["placard", "export"]
    window.run("palette")
    assert window.command_palette.rows.entries[0].name == "inspect_file"


def test_closing_the_palette_restores_view_and_focus(window: MainWindow) -> None:
    window.session.modes.set_mode(Pass.CULL)
    for leave in (
        lambda: QTest.keyClick(window.command_palette.field, Qt.Key.Key_Escape),
        lambda: QTest.keyClick(window.command_palette.field, Qt.Key.Key_K, CTRL),
        lambda: QTest.mouseClick(
            window.command_palette, Qt.MouseButton.LeftButton, pos=QPoint(5, 400)
        ),
    ):
        open_palette(window)
        leave()
        assert window.command_palette.isHidden() and window.loupe.hasFocus()
        assert window.session.view_state.view is View.LOUPE
    window.search()
    field = window.topbar.search
    QTest.keyClicks(field, "DSC")
    QTest.keyClick(field, Qt.Key.Key_K, CTRL)
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Escape)
    assert field.hasFocus() and field.text() == "DSC"


def test_a_disabled_command_does_nothing(window: MainWindow) -> None:
    open_palette(window)
    QTest.keyClicks(window.command_palette.field, "zoom")
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Return)
    assert window.command_palette.isVisible() and window.session.view_state.zoom is None


def test_no_disabled_row_is_ever_highlighted(window: MainWindow) -> None:
    open_palette(window)
    rows, field = window.command_palette.rows, window.command_palette.field
    assert rows.current is not None and not rows.current.off
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_End, Qt.Key.Key_PageUp):
        for _ in rows.entries:
            QTest.keyClick(field, key)
            assert rows.current is not None and not rows.current.off
    for typed in ("zoom", "keep"):
        field.clear()
        QTest.keyClicks(field, typed)
        off = [row for row, entry in enumerate(rows.entries[:12]) if entry.off]
        assert off, "disabled commands are listed"
        assert rows.current is None if off[0] == 0 else rows.current is rows.entries[0]
        before = rows.current
        QTest.mouseMove(rows, QPoint(40, 4 + off[0] * 28 + 14))
        assert rows.current is before
        QTest.keyClick(field, Qt.Key.Key_Down)
        QTest.keyClick(field, Qt.Key.Key_Up)
        assert rows.current is None or not rows.current.off
    field.setText("zzzzz")
    QTest.keyClick(field, Qt.Key.Key_Down)
    assert rows.current is None and not rows.entries


def test_arrows_move_and_a_click_runs_a_row(window: MainWindow) -> None:
    open_palette(window)
    rows = window.command_palette.rows
    QTest.keyClicks(window.command_palette.field, "sort by")
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Down)
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Up)
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Up)
    assert rows.current is rows.entries[0]
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_PageDown)
    page = rows.entries[: min(12, len(rows.entries))]
    assert rows.current is next(each for each in reversed(page) if not each.off)
    wanted = rows.entries[2]
    QTest.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPoint(40, 4 + 2 * 28 + 14))
    assert f"order:{window.session.criteria.order}" == wanted.name


def test_a_command_that_takes_the_focus_keeps_it(window: MainWindow) -> None:
    open_palette(window)
    QTest.keyClicks(window.command_palette.field, "search")
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Return)
    assert window.topbar.search.hasFocus()


def test_used_commands_are_remembered(window: MainWindow, make_window, make_session) -> None:
    open_palette(window)
    QTest.keyClicks(window.command_palette.field, "select all")
    QTest.keyClick(window.command_palette.field, Qt.Key.Key_Return)
    window.close()
    again = make_window(make_session())
    open_palette(again)
    assert again.command_palette.rows.entries[0].name == "select_all"
