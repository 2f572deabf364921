"""One file dropped on the window is previewed; closing the preview leaves all as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from curator import app
from curator.home import Home
from curator.model import (
    Described,
    Embedded,
    Face,
    Kind,
    KnownError,
    StageJob,
    SuggestedTag,
    View,
)
from curator.pipeline import Encoding
from curator.settings import Settings
from curator.stages.file_preview import decode_file
from curator.ui.main_window import MainWindow
from curator.ui.widgets import dialogs
from curator.ui.widgets.tag_chips import TagChips
from tests.face_data import CLOSED, OPEN
from tests.gui.conftest import QuietPipeline
from tests.gui.keyboard import press
from tests.photos import draw_jpeg

Key = Qt.Key


class Studio(QuietPipeline):
    """Decodes a file to preview at once, on this thread."""

    encoding = Encoding(None, "Photos are analyzed with the test.")
    tags = (("harbor", 76), ("pier", 31))
    given_up = 0
    faces: tuple[Face, ...] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.file_previews = SimpleNamespace(
            request=self._preview, describe=self._describe, cancel=self._cancel
        )

    def _preview(
        self, path: str, screen_px: int, recipe: None, tell: Callable[[object], None]
    ) -> None:
        self.asked.append(("preview", path))
        try:
            job = StageJob(0, "file_preview", path, Kind.IMAGE, "")
            tell(replace(decode_file(job, screen_px), faces=self.faces))
            tell(Embedded("test/1", "", b"", b"", self.tags))
        except KnownError as error:
            tell(error)

    def _describe(self, proxy: bytes, tell: Callable[[object], None]) -> None:
        assert proxy.startswith(b"\xff\xd8")
        self.say = tell

    def _cancel(self) -> None:
        self.given_up += 1


@pytest.fixture
def pipeline(dressed: object) -> Studio:
    return Studio()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return draw_jpeg(tmp_path / "card" / "DSC_0412.JPG", size=(900, 600))


def data(*paths: Path) -> QMimeData:
    made = QMimeData()
    made.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return made


def drop(window: MainWindow, *paths: Path) -> None:
    """Drag files over the window and let go, as a file manager does."""
    left, none, copy = (
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.DropAction.CopyAction,
    )
    carried = data(*paths)
    window.dragEnterEvent(QDragEnterEvent(QPoint(10, 10), copy, carried, left, none))
    window.dropEvent(QDropEvent(QPointF(10, 10), copy, carried, left, none))


def said(window: MainWindow) -> str:
    """Return all texts of the facts, line by line."""

    def seen(of: QWidget) -> list[str]:
        labels = of.findChildren(QLabel)
        return [label.text() for label in labels if label.isVisibleTo(window.file_preview)]

    for _ in range(100):  # Qt shows what joins a layout in a turn of its own
        QApplication.processEvents()
        if seen(window.file_preview.facts):
            break
    shown = seen(window.file_preview.panel)
    return "\n".join(shown).replace("\u200b", "")


def test_a_single_dropped_file_is_previewed_and_no_folder_opens(
    window: MainWindow, pipeline: Studio, photo: Path
) -> None:
    drop(window, photo)
    assert pipeline.asked == [("preview", str(photo))]
    assert window.file_preview.isVisible() and window.file_drop.isHidden()
    assert window.file_preview.geometry() == window.rect()
    text = said(window)
    for part in ("DSC_0412", "Sharpness", "Exposure", "JPEG", "900 × 600 · 0.5 MP"):
        assert part in text, f"{part} in {text}"
    assert "Not in the catalog. Curator stores nothing about it." in text
    assert "Describing…" in text
    assert "Photos are analyzed with the test." in text
    shown = window.file_preview.panel.findChildren(TagChips)
    (chips,) = (each for each in shown if each.isVisibleTo(window.file_preview))
    assert "harbor, suggested by the encoder, 76 %" in chips.accessibleName()
    assert window.file_preview.picture.place().size().toTuple() == (900, 600), "never enlarged"


def test_the_faces_in_a_file_are_listed(window: MainWindow, pipeline: Studio, photo: Path) -> None:
    pipeline.faces = OPEN, replace(CLOSED, size_px=96, eye_sharpness=None)
    drop(window, photo)
    lines = said(window).splitlines()
    place = lines.index("Faces")
    assert lines[place + 1 : place + 4] == [
        "2 faces",
        "600 px · eyes open · sharpness 60",
        "96 px · eyes closed",
    ]


def test_the_description_is_shown_as_plain_text(
    window: MainWindow, pipeline: Studio, photo: Path
) -> None:
    drop(window, photo)
    tags = (SuggestedTag("boat"), SuggestedTag("harbor", 60))
    subject = "A <b>boat</b> & its mooring."
    pipeline.say(Described("ollama", "llava", "", subject, "still_life", "Soft.", "calm", tags))
    text = said(window)
    for part in (subject, "Soft.", "Still life · calm", "Described by llava"):
        assert part in text, f"{part} in {text}"
    assert "Describing…" not in text
    names = window.file_preview.panel.findChildren(TagChips)[-1].accessibleName()
    assert "boat, suggested by the vision" in names and names.count("harbor") == 1


def test_without_a_vision_model_the_reason_shows(
    window: MainWindow, pipeline: Studio, photo: Path
) -> None:
    drop(window, photo)
    pipeline.say(KnownError("Ollama is not running.", "Start it."))
    assert "Ollama is not running. Start it." in said(window)


def test_several_files_or_a_folder_are_opened(
    window: MainWindow, pipeline: Studio, photo: Path
) -> None:
    other = draw_jpeg(photo.parent / "b.jpg", size=(30, 20))
    drop(window, photo)
    drop(window, photo, other)
    assert pipeline.asked[1:] == [("open", [photo, other])]
    assert window.file_preview.isHidden(), "what was shown gives way"
    drop(window, photo.parent)
    assert pipeline.asked[-1] == ("open", [photo.parent])


def test_the_overlay_says_what_a_drop_will_do(window: MainWindow, photo: Path) -> None:
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    for paths, text in (((photo,), "Drop to inspect"), ((photo.parent,), "Drop to open")):
        carried = data(*paths)
        window.dragEnterEvent(
            QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, carried, left, none)
        )
        assert window.file_drop.text() == text and window.file_drop.isVisible()


def test_esc_closes_the_preview_and_no_key_marks_a_photo_below(
    window: MainWindow, pipeline: Studio, photo: Path
) -> None:
    session = window.session
    press(window, Key.Key_Right)
    press(window, Key.Key_E)
    here, before = session.current, session.catalog.photos.last_rev()
    drop(window, photo)
    for key in (Key.Key_X, Key.Key_5, Key.Key_Space, Key.Key_Right, Key.Key_G, Key.Key_PageDown):
        press(window, key)
    press(window, Key.Key_Right, held=Qt.KeyboardModifier.ControlModifier)
    press(window, Key.Key_Escape)
    assert window.file_preview.isHidden() and window.loupe.hasFocus()
    assert (session.current, session.view_state.view) == (here, View.LOUPE)
    assert session.catalog.photos.last_rev() == before
    assert pipeline.given_up


def test_tab_moves_among_the_buttons_and_enter_presses_one(
    window: MainWindow, pipeline: Studio, photo: Path
) -> None:
    drop(window, photo)
    press(window, Key.Key_Tab)
    assert window.file_preview.folder_button.hasFocus()
    press(window, Key.Key_Tab)
    assert window.file_preview.close_button.hasFocus()
    press(window, Key.Key_Tab)
    assert window.file_preview.folder_button.hasFocus(), "what lies beneath is not reached"
    press(window, Key.Key_Return)
    assert window.file_preview.isHidden() and pipeline.asked[-1] == ("open", [photo.parent])


def test_a_file_in_the_catalog_can_be_shown_there(
    make_session, make_window, tmp_path: Path
) -> None:
    session = make_session(folder=str(tmp_path))
    window = make_window(session)
    path = draw_jpeg(tmp_path / "000" / "DSC_0010.NEF", size=(90, 60))  # photo 11
    drop(window, path)
    assert "In the catalog: rejected" in said(window) and "Not in the catalog" not in said(window)
    QTest.mouseClick(window.file_preview.show_button, Qt.MouseButton.LeftButton)
    assert window.file_preview.isHidden()
    assert (session.current, session.view_state.view) == (11, View.LOUPE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty."),
        (b"{}", "The file is a document, not a picture."),
        (None, "The file is no longer there."),
    ],
)
def test_a_file_without_picture_gets_one_sentence(
    window: MainWindow, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "odd.jpg"
    if content is not None:
        path.write_bytes(content)
    drop(window, path)
    preview = window.file_preview._loader.preview
    assert preview.refused == reason and window.file_preview.picture.message == reason
    assert "odd.jpg" in said(window) and "Sharpness" not in said(window)
    assert "catalog" not in said(window), "nothing is said about the catalog"
    assert window.file_preview.folder_button.isVisible()
    press(window, Key.Key_Escape)
    assert window.file_preview.isHidden()


def test_the_command_asks_for_a_file(
    window: MainWindow, pipeline: Studio, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "choose_file", lambda *_, **__: None)
    window.run("inspect_file")
    assert window.file_preview.isHidden()
    monkeypatch.setattr(dialogs, "choose_file", lambda *_, **__: str(photo))
    QTest.keyClick(window, Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(window.focusWidget(), "inspect")
    press(window, Key.Key_Return)
    assert window.file_preview.isVisible() and pipeline.asked == [("preview", str(photo))]


@pytest.mark.parametrize("size", [(1440, 900), (1000, 700), (640, 480)])
def test_facts_and_picture_share_the_window(
    window: MainWindow, tmp_path: Path, size: tuple[int, int]
) -> None:
    name = "a name without any end_" * 6
    drop(window, draw_jpeg(tmp_path / f"{name}.jpg", size=(3000, 2000)))
    window.resize(*size)
    panel = window.file_preview
    assert panel.geometry() == window.rect()
    assert panel.panel.geometry().right() == window.rect().right()
    assert panel.picture.width() + panel.panel.width() == size[0]
    assert panel.picture.rect().contains(panel.picture.place())
    assert panel.facts.width() <= panel.panel.width(), "nothing is cut off at the right"
    assert panel.close_button.isVisible()


@pytest.fixture
def real(dressed: object, home: Home) -> Iterator[app.App]:
    """The whole application, reading with processes of its own."""
    built = app.build(home, Settings.load(home, {"work": {"workers": 1}}))
    built.window.show()
    yield built
    built.close()


def kept(home: Home) -> tuple[list[str], dict[str, bytes]]:
    """Return all rows of the catalog about photos, and every derived file."""
    with closing(sqlite3.connect(home.catalog)) as connection:
        rows = [line for line in connection.iterdump() if '"place"' not in line]
    derived = {str(path): path.read_bytes() for path in home.cache.rglob("*") if path.is_file()}
    return rows, derived


@pytest.mark.slow
def test_nothing_of_the_file_is_kept(real: app.App, photo: Path, qtbot: QtBot) -> None:
    window = real.window
    assert real.pipeline is not None and real.pipeline.wait_idle(60) is not None
    before = kept(real.home)
    original = photo.read_bytes(), photo.stat().st_mtime_ns
    drop(window, photo)
    qtbot.waitUntil(lambda: window.file_preview._loader.preview.quality is not None, timeout=60_000)
    assert not window.file_preview.picture.place().isEmpty()
    press(window, Key.Key_Escape)
    assert (photo.read_bytes(), photo.stat().st_mtime_ns) == original
    assert kept(real.home) == before
    assert window.file_preview.picture.place().isEmpty(), "its pixels are let go"
