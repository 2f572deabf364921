"""Ctrl+E: the photo in another program, whatever it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from curator.model import KnownError, NotFoundError
from curator.ui import external_editor


@pytest.mark.skipif(os.name == "nt", reason="a script of that kind does not start there")
def test_the_editor_gets_the_file_as_one_word_and_its_options(tmp_path: Path, qtbot) -> None:
    said = tmp_path / "said"
    editor = tmp_path / "my editor"
    editor.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(said)!r}, 'w').write(repr(sys.argv))"
    )
    editor.chmod(0o755)
    photo = tmp_path / "-rf; $(touch x) 'a'\n.jpg"
    photo.write_bytes(b"photo")
    external_editor.open_in(f"'{editor}' --new-window", [photo])
    qtbot.waitUntil(lambda: said.exists() and said.read_text().endswith("]"))
    assert eval(said.read_text()) == [str(editor), "--new-window", str(photo)]
    said.unlink()
    external_editor.open_in(str(editor), [photo])  # as copied from a file manager
    qtbot.waitUntil(lambda: said.exists() and said.read_text().endswith("]"))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("", "No editor is set."),
        ("   ", "No editor is set."),
        ("no-such-editor-anywhere --x", "Editor not found: no-such-editor-anywhere."),
        ("gimp 'unclosed", "The quotes in the editor setting do not match."),
    ],
)
def test_an_editor_that_is_not_there_is_one_sentence(program: str, sentence: str) -> None:
    with pytest.raises(KnownError) as caught:
        external_editor.command(program)
    assert caught.value.args[0] == sentence and "settings" in caught.value.remedy


def test_a_photo_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.jpg is missing"):
        external_editor.open_in(sys.executable, [tmp_path / "gone.jpg"])


def test_ctrl_e_asks_for_the_photo_on_screen(window) -> None:
    said: list[str] = []
    window.session.messages.status_message.connect(said.append)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert said[-1].startswith("No editor is set.")
