"""Changing keys in the settings with real key presses; saved keys work at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from curator.home import Home
from curator.keyboard import Keyboard, keys_file, load_for_home
from curator.model import Flag
from curator.settings import Settings
from curator.ui.dialogs.keys_page import KeyRow, KeysPage
from curator.ui.dialogs.settings_dialog import SettingsDialog
from curator.ui.main_window import MainWindow
from curator.ui.widgets import dialogs
from tests.conftest import PATIENCE_MS

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def dialog(dressed, qtbot, home: Home, settings: Settings) -> SettingsDialog:
    made = SettingsDialog(settings, home, keys=load_for_home(home)[0])
    qtbot.addWidget(made)
    made.show_page("Keys")
    made.show()
    assert QTest.qWaitForWindowActive(made, PATIENCE_MS)
    return made


@pytest.fixture
def page(dialog: SettingsDialog) -> KeysPage:
    return dialog.keys


def rebind(row: KeyRow, key: Qt.Key, modifiers: Qt.KeyboardModifier | None = None) -> None:
    """Click the row's first key cap, or +, and press the new key."""
    target = row.caps[0] if row.caps else row.add
    QTest.mouseClick(target, Qt.MouseButton.LeftButton)
    assert row.caps[0].text() == "Press a key"
    QTest.keyClick(row.caps[0], key, modifiers or Qt.KeyboardModifier.NoModifier)


def answers(row: KeyRow) -> dict[str, QPushButton]:
    """Return the buttons of a row's question by their text."""
    found = (row.note.itemAt(number).widget() for number in range(row.note.count()))
    return {each.text(): each for each in found if isinstance(each, QPushButton)}


def shown(page: KeysPage) -> list[str]:
    return [name for name, row in page.rows.items() if not row.isHidden()]


def test_a_pressed_key_replaces_the_old_one(page: KeysPage) -> None:
    rebind(page.rows["reject"], Qt.Key.Key_Y)
    assert page.keyboard.keys_of("reject") == ("Y",)
    assert [cap.text() for cap in page.rows["reject"].caps] == ["Y"]
    assert not page.rows["reject"].reset.isHidden()
    page.rows["reject"].reset.click()
    assert page.keyboard == Keyboard()
    assert page.rows["reject"].reset.isHidden()


def test_keys_used_by_dialogs_can_be_assigned(page: KeysPage) -> None:
    for name in ("Tab", "Return", "Space"):
        rebind(page.rows["pause"], Qt.Key[f"Key_{name}"], CTRL)
        assert page.keyboard.keys_of("pause") == (f"Ctrl+{name}",)


def test_esc_keeps_the_key_and_a_modifier_alone_is_ignored(page: KeysPage) -> None:
    row = page.rows["reject"]
    row.caps[0].click()
    QTest.keyClick(row.caps[0], Qt.Key.Key_Shift)
    assert row.caps[0].waits
    QTest.keyClick(row.caps[0], Qt.Key.Key_Escape)
    assert row.caps[0].text() == "X" and page.keyboard == Keyboard()


@pytest.mark.slow
def test_a_second_key_can_be_added_and_delete_removes_a_key(page: KeysPage) -> None:
    row = page.rows["reject"]
    row.add.click()
    QTest.keyClick(row.caps[1], Qt.Key.Key_Y)
    assert page.keyboard.keys_of("reject") == ("X", "Y")
    QTest.keyClick(row.caps[0], Qt.Key.Key_Delete)
    assert page.keyboard.keys_of("reject") == ("Y",)
    row.add.click()
    QTest.keyClick(row.caps[1], Qt.Key.Key_Escape)
    assert len(row.caps) == 1


def test_a_key_in_use_names_its_command_and_can_be_reassigned(page: KeysPage) -> None:
    row = page.rows["reject"]
    rebind(row, Qt.Key.Key_P)
    assert list(answers(row)) == ["Reassign", "Cancel"]
    assert page.keyboard == Keyboard(), "nothing is changed yet"
    answers(row)["Cancel"].click()
    assert [cap.text() for cap in row.caps] == ["X"] and not answers(row)
    rebind(row, Qt.Key.Key_P)
    answers(row)["Reassign"].click()
    assert page.keyboard.keys_of("reject") == ("P",)
    assert page.keyboard.keys_of("pick") == () and page.rows["pick"].caps == []


@pytest.mark.slow
def test_a_command_is_found_by_name_description_and_key(page: KeysPage) -> None:
    for typed, found in (
        ("x", "reject"),
        ("palette", "palette"),
        ("rotate left", "turn_left"),
        ("ctrl+z", "undo"),
    ):
        page.search_field.clear()
        QTest.keyClicks(page.search_field, typed)
        assert shown(page) == [found]
    page.search_field.clear()
    assert shown(page) == list(page.rows)


@pytest.mark.slow
def test_choosing_a_preset_replaces_custom_keys_with_a_message(page: KeysPage) -> None:
    rebind(page.rows["reject"], Qt.Key.Key_Y)
    page.presets.setCurrentIndex(page.presets.findData("darktable"))
    page.presets.activated.emit(page.presets.currentIndex())
    assert page.keyboard == Keyboard("darktable")
    assert [cap.text() for cap in page.rows["reject"].caps] == ["R"]
    assert page.message.text() == "Your keys of 1 command were replaced."


def test_a_canceled_dialog_saves_no_keys(dialog: SettingsDialog, home: Home) -> None:
    rebind(dialog.keys.rows["reject"], Qt.Key.Key_Y)
    dialog.reject()
    assert not keys_file(home).exists()


def test_saved_keys_are_in_the_file_and_work_at_once(
    window: MainWindow, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_a_key(dialog: SettingsDialog) -> int:
        dialog.show_page("Keys")
        dialog.show()
        rebind(dialog.keys.rows["reject"], Qt.Key.Key_Y)
        dialog.commit()
        return dialog.result()

    monkeypatch.setattr(SettingsDialog, "exec", change_a_key)
    window.run("settings")
    assert tomllib.loads(keys_file(home).read_text("utf-8")) == {
        "preset": "curator",
        "reject": ["Y"],
    }
    window.session.photos.go(3)
    photo = window.session.current
    QTest.keyClick(window, Qt.Key.Key_X)
    assert photo is not None and window.session.table.marks(photo).flag is None
    QTest.keyClick(window, Qt.Key.Key_Y)
    assert window.session.table.marks(photo).flag is Flag.REJECT
    messages: list[str] = []
    window.session.messages.status_message.connect(messages.append)
    QTest.keyClick(window, Qt.Key.Key_Delete)
    assert messages == ["Y rejects. No key deletes a file."]


@pytest.mark.slow
def test_keys_can_be_shared_as_a_file(
    page: KeysPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "mine.toml"
    monkeypatch.setattr(dialogs, "choose_file", lambda *_, **__: str(shared))
    rebind(page.rows["reject"], Qt.Key.Key_Y)
    mine = page.keyboard
    page.save_as.click()
    page.reset_all.click()
    assert page.keyboard == Keyboard()
    page.load.click()
    assert page.keyboard == mine
    assert page.message.text() == "Loaded mine.toml; takes effect when saved."
    shared.write_text('frobnicate = ["Y"]')
    page.load.click()
    assert page.keyboard == mine
    assert "frobnicate, not a command" in page.message.text()


def test_an_invalid_keys_file_is_reported_and_the_window_opens(
    make_window: Callable[..., MainWindow], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys_file(home).write_text('preset = "darktable"\nreject = ["P"]\n')
    window = make_window()
    assert window.notifications.current is not None
    text = window.notifications.text.text
    assert "P is bound to both" in text and "reject" in text and "pick" in text
    assert window.keys.keyboard == Keyboard("darktable")
    monkeypatch.setattr(SettingsDialog, "exec", lambda dialog: dialog.commit() or dialog.result())
    window.notifications.action.click()
    assert window.notifications.isHidden()
    assert load_for_home(home) == (Keyboard("darktable"), ""), (
        "saved again; the invalid file is kept"
    )
