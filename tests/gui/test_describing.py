"""Descriptions: D for one photo, a setting for all, and tests of the provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from curator import commands
from curator.catalog import Catalog
from curator.home import Home
from curator.imaging.proxy import proxy_path
from curator.model import Described
from curator.pipeline import Pipeline, Progress, RequestNews
from curator.session import Session
from curator.settings import Settings
from curator.stages import STAGES
from curator.ui.dialogs.failures_dialog import FailuresDialog
from curator.ui.dialogs.settings_dialog import SettingsDialog
from curator.ui.main_window import MainWindow
from curator.ui.notices.vision_provider import ProviderPanel
from curator.ui.panels.photo_sections import section_block, sections
from curator.ui.panels.status_line import work_text
from curator.ui.widgets.frames import Pictures
from curator.vision import VisionError
from tests import ollama
from tests.catalogs import fill
from tests.conftest import PATIENCE_MS
from tests.gui.conftest import QuietPipeline
from tests.gui.keyboard import press
from tests.ollama import Ollama
from tests.photos import draw_jpeg

Key = Qt.Key
GONE = "http://127.0.0.1:9"


def shown(widget: QWidget) -> str:
    """Return all texts of a widget."""
    for _ in range(20):  # Qt shows new parts of a layout in a later event
        QApplication.processEvents()
    labels = widget.findChildren(QLabel)
    text = "\n".join(label.text() for label in labels if label.isVisibleTo(widget))
    return text.replace("\u200b", "")


def wait_until(holds: Callable[[], bool]) -> None:
    """Process events until a condition holds; fail after 100 s."""
    deadline = time.monotonic() + 100  # a provider's libraries load at first use
    while not holds():
        assert time.monotonic() < deadline
        QTest.qWait(5)


# --- real keys, a real pipeline and a real socket


@pytest.fixture
def server() -> Iterator[Ollama]:
    with Ollama() as server:
        yield server


@pytest.fixture
def real(home: Home, tmp_path: Path, dressed: object, server: Ollama) -> Iterator[MainWindow]:
    """A window of four photos and a pipeline that calls the server on this thread."""
    fill(home.catalog, 4)
    jpeg = draw_jpeg(tmp_path / "a.jpg", size=(60, 40)).read_bytes()
    for number in range(4):
        path = proxy_path(home.cache, f"{number:032x}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg)
    settings = Settings.load(home, {"vision": {"backoff_s": 0, "timeout_s": 60}})
    settings.vision.url = server.url
    stages = [stage for stage in STAGES if stage.lane != "encoder"]
    pipeline = Pipeline(home, settings, inline=True, stages=stages)
    pipeline.start()
    catalog = Catalog.open(home.catalog)
    session = Session(catalog, home, settings, pipeline)
    window = MainWindow(session, Pictures(home, settings), pipeline)
    window.show()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window, PATIENCE_MS)
    yield window
    window.close()
    window.pictures.close()
    session.close()
    pipeline.stop()
    catalog.close()
    window.deleteLater()
    QApplication.processEvents()


def test_photos_are_described_again_after_the_provider_comes_back(
    real: MainWindow, server: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.pipeline.asking_limits._BUSY_S", 0.0)
    window, session = real, real.session
    press(window, Key.Key_I)
    press(window, Key.Key_E)
    press(window, Key.Key_D)
    assert window.status.message.text == f"DSC_0000: {ollama.RECORD['subject']}"
    wait_until(lambda: "Described by llava" in shown(window.inspector))
    text = shown(window.inspector)
    assert ollama.RECORD["subject"] in text and ollama.RECORD["lighting_critique"] in text

    session.settings.vision.url = GONE  # as if Ollama were closed
    session.descriptions.apply_settings()
    press(window, Key.Key_Right)
    press(window, Key.Key_D)
    message = window.status.message.text
    assert message.startswith("DSC_0001 was not described. ") and "ollama serve" in message
    wait_until(lambda: GONE in shown(window.inspector))  # the failed work of the photo
    dialog = FailuresDialog(lambda: session.catalog.work.failures(later=True), len, print)
    assert "1 photo could not be described" in dialog.sentence.text()
    dialog.deleteLater()

    commands.run(session, "describe_all")
    assert GONE in window.status.message.text or "All photos" in window.status.message.text
    assert "ollama serve" in window.notifications.current.text, "one notification for all photos"
    assert len(session.catalog.work.failures()) == 1

    wrong = ollama.reply("What a lovely picture!")
    server.chat(ollama.busy(after="0"), wrong, wrong)
    session.settings.vision.url = server.url  # as if Ollama were started again
    session.descriptions.apply_settings()
    session.pipeline.resume()
    done = session.catalog.work.counts()["describe"]
    assert (done["done"], done["failed"]) == (3, 1), "a failed request by hand is not retried"
    assert window.notifications.current is None
    session.pipeline.retry("describe")
    assert session.catalog.work.counts()["describe"]["done"] == 4


# --- messages, with a pipeline that only records requests


def test_d_announces_its_work_and_then_reports_the_result(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    press(window, Key.Key_I)
    press(window, Key.Key_D)
    assert pipeline.asked == [("describe", (1,))]
    assert window.status.message.text == "Describing DSC_0000…"
    wait_until(lambda: "Describing…" in shown(window.inspector))
    pipeline.events.description_ended.emit(
        RequestNews(1, "The server sent half an answer.", again=True)
    )
    assert window.status.message.text.endswith("half an answer. It will be retried.")
    pipeline.events.description_ended.emit(RequestNews(1, "The server sent half an answer."))
    wait_until(lambda: "Describing…" not in shown(window.inspector))
    assert (
        window.status.message.text == "DSC_0000 was not described. The server sent half an answer."
    )
    pipeline.events.description_ended.emit(RequestNews(1))
    assert window.status.message.text.endswith("half an answer."), (
        "a result nobody waits for is not reported"
    )
    window.session.descriptions.pipeline = None  # another process reads
    press(window, Key.Key_D)
    assert "Another Curator" in window.status.message.text


@pytest.mark.slow
def test_in_the_grid_the_selection_is_described(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    commands.run(window.session, "select_all")
    press(window, Key.Key_D)
    assert pipeline.asked == [("describe", tuple(range(1, 61)))], "one request for all"
    assert window.status.message.text == "Describing 60 photos…"
    pipeline.events.description_ended.emit(RequestNews(1))
    pipeline.events.description_ended.emit(RequestNews(2, "It cannot be read."))
    pipeline.events.description_ended.emit(RequestNews(3))
    assert window.status.message.text == "Described 2 of 60, 1 failed"


def test_a_failure_among_several_photos_is_reported_with_the_counts(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    window.session.photos.listing.selection = frozenset((1, 2, 3))
    press(window, Key.Key_D)
    pipeline.events.description_ended.emit(RequestNews(1))
    assert window.status.message.text == "Described 1 of 3"
    pipeline.events.description_ended.emit(RequestNews(2, "It cannot be read."))
    assert window.status.message.text == (
        "DSC_0001 was not described. It cannot be read. Described 1 of 3, 1 failed"
    )


def test_what_stops_all_descriptions_is_reported_once_with_a_remedy(
    window: MainWindow, pipeline: QuietPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = window.session
    gone = VisionError("Ollama is not running.", "Start it with `ollama serve`.", stops_all=True)
    pipeline.events.describing_held.emit(gone)
    assert window.notifications.current is None, "descriptions by hand report their own errors"
    session.settings.vision.automatic = True
    pipeline.events.describing_held.emit(gone)
    assert window.status.message.text == str(gone)
    assert window.notifications.current.text.startswith(str(gone))
    assert window.notifications.action.text() == "Vision model…"
    missing = VisionError("llava is not here.", "Pull it.", stops_all=True)
    missing.pull = True
    pulled: list[str] = []
    monkeypatch.setattr(session.descriptions, "pull", lambda options: pulled.append(options.model))
    pipeline.events.describing_held.emit(missing)
    window.notifications.action.click()
    assert pulled == ["llava"] and window.notifications.current.text.startswith("Downloading llava")
    pipeline.events.describing_held.emit(None)
    assert window.status.message.text == str(missing)


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (Progress(describing=3012), "Describing 3,012 photos"),
        (Progress(describing=1, held="Ollama is not running."), "1 photo to describe"),
        (Progress(analyzing=2, describing=3), "Analyzing 2 photos"),
        (Progress(measuring=14_000, describing=3), "Measuring faces in 14,000 photos"),
        (Progress(), ""),
    ],
)
def test_the_status_line_counts_photos_to_describe(work: Progress, text: str) -> None:
    assert work_text(work) == text


# --- the provider


@pytest.fixture
def dialog(
    window: MainWindow, server: Ollama, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SettingsDialog]:
    monkeypatch.delenv("CURATOR_VISION__URL")
    session = window.session
    dialog = SettingsDialog(session.settings, session.home, window, window.window_actions.notes())
    dialog.enter("vision.url", server.url)
    dialog.turn_to_section("vision")
    dialog.show()
    yield dialog
    dialog.close()
    dialog.deleteLater()


@pytest.mark.slow
def test_the_test_button_uses_the_typed_address_and_offers_a_missing_model(
    dialog: SettingsDialog, server: Ollama
) -> None:
    (panel,) = dialog.findChildren(ProviderPanel)
    dialog.enter("vision.timeout_s", "soon")
    panel.test.click()
    assert "invalid" in panel.result.text() and server.asked == []
    dialog.enter("vision.timeout_s", "20")
    server.models = {"moondream:latest": ["completion", "vision"]}
    panel.test.click()
    wait_until(panel.test.isEnabled)
    assert "llava" in panel.result.text() and panel.pull.isVisible()
    assert [panel.models.itemText(row) for row in range(1, panel.models.count())] == [
        "moondream:latest"
    ]
    panel.pull.click()
    wait_until(lambda: "llava:latest" in server.models)
    wait_until(lambda: panel.result.text() == "llava is installed.")
    panel.test.click()
    wait_until(panel.test.isEnabled)
    assert ollama.RECORD["subject"] in panel.result.text() and not panel.pull.isVisible()
    panel.models.activated.emit(1)
    assert dialog.entered("vision")["model"] == panel.models.itemText(1)


@pytest.mark.slow
def test_a_model_download_can_be_stopped(dialog: SettingsDialog, server: Ollama) -> None:
    (panel,) = dialog.findChildren(ProviderPanel)
    server.models = {}
    total = {"status": "pulling", "digest": "sha256:1", "total": 4_700_000_000, "completed": 10}
    server.on("/api/pull", ollama.stream(total, ollama.silence))
    panel.test.click()
    wait_until(panel.test.isEnabled)
    panel.pull.click()
    wait_until(lambda: "of 4.7 GB" in panel.result.text())
    assert panel.pull.text() == "Stop download"
    panel.pull.click()
    wait_until(lambda: panel.pull.text() == "Download llava")
    assert server.gone.wait(60)


def blocks_with(session: Session, described: Described | None) -> dict[str, QWidget]:
    detail = replace(session.detail(1), description=described)
    return {section.title: section_block(section) for section in sections(detail)}


def test_markup_in_a_description_is_shown_as_text(dressed: object, session: Session) -> None:
    described = Described("ollama", "llava", "", "<b>Bold</b>", "other", "", "", ())
    block = blocks_with(session, described)["Description"]
    formats = {label.textFormat() for label in block.findChildren(QLabel)}
    assert formats == {Qt.TextFormat.PlainText}
    assert "Description" not in blocks_with(session, None)


def test_an_endless_word_is_broken_and_nothing_is_cut_off(
    dressed: object, session: Session
) -> None:
    described = Described("ollama", "m" * 300, "", "A" * 240, "other", "B" * 300, "C" * 80, ())
    block = blocks_with(session, described)["Description"]
    assert max(label.minimumSizeHint().width() for label in block.findChildren(QLabel)) < 272
