"""Downloading CLIP in the window: offered, confirmed, running and done, never unasked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from curator.encoders import DownloadJob, EncoderOptions, Recipe
from curator.encoders.options import missing_package
from curator.pipeline import Encoding, Totals
from curator.settings import Settings
from curator.ui.main_window import MainWindow
from curator.ui.notices import model_download
from curator.ui.widgets import dialogs
from tests import hubs
from tests.gui.conftest import QuietPipeline
from tests.hubs import NAME, PIECE, Hub

STARTER = Encoding(
    Recipe("starter", "starter/1", EncoderOptions()),
    "Photos are analyzed with the built-in encoder.",
)
CLIP = Encoding(
    Recipe("open_clip", "clip/1", EncoderOptions()), "Photos are analyzed with CLIP: it is here."
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A local server in place of the public hub."""
    if (lack := missing_package("torch", "open_clip", "huggingface_hub")) is not None:
        pytest.skip(lack)
    hubs.clear_environment(monkeypatch)
    with hubs.serving() as (served, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield served


@pytest.fixture
def starting(
    pipeline: QuietPipeline, settings: Settings, make_window: Callable[..., MainWindow]
) -> MainWindow:
    """A window that uses the built-in starter, after its first scan."""
    settings.encoder.which = "auto"
    pipeline.encoding = STARTER
    window = make_window()
    pipeline.events.idle.emit(Totals())
    return window


def answer_questions(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> list[dialogs.Question]:
    """Answer every question; return the list of questions asked."""
    asked: list[dialogs.Question] = []
    monkeypatch.setattr(dialogs, "ask", lambda _, question: asked.append(question) or answer)
    return asked


def offered(window: MainWindow) -> str:
    """Return the text of the current notification."""
    return window.notifications.current.text if window.notifications.current is not None else ""


def test_clip_is_offered_once_with_its_size_until_dismissed(
    server: Hub, starting: MainWindow, pipeline: QuietPipeline
) -> None:
    assert "CLIP" in offered(starting) and "1.7 GB" in offered(starting)
    QTest.keyClick(starting, Qt.Key.Key_Escape)
    pipeline.events.idle.emit(Totals())
    assert offered(starting) == ""
    assert server.asked == []


def test_size_and_destination_are_shown_before_any_request_to_the_hub(
    server: Hub, starting: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer_questions(monkeypatch, None)
    starting.notifications.action.click()
    (question,) = asked
    assert "1.7 GB" in question.body and str(starting.session.home.cache) in question.body
    assert question.choices[0].text == "Download 1.7 GB"
    assert server.asked == [] and not starting.model_download.running


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain install, whatever this machine has."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.fixture
def packaged(without_torch: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundle, into which nothing can be installed."""
    monkeypatch.setattr("sys.frozen", True, raising=False)


def test_the_plain_install_offers_clip_with_its_size_and_the_command(
    without_torch: None, starting: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = offered(starting)
    assert "finds photos by any description" in said and " GB to install" in said
    panel = model_download.EncoderPanel(starting.model_download)
    assert panel.button.text() == "How to install CLIP…" and not panel.button.isHidden()
    asked = answer_questions(monkeypatch, "copy")
    starting.notifications.action.click()
    (question,) = asked
    command = f"{sys.executable} -m pip install torch open-clip-torch"
    assert command in question.body.split("\n") and "1.7 GB" in question.body
    assert QGuiApplication.clipboard().text() == command
    panel.button.click()
    assert asked == [question, question]


@pytest.mark.parametrize("dismissed", [True, False])
def test_the_weights_are_offered_after_the_packages_were(
    without_torch: None,
    starting: MainWindow,
    pipeline: QuietPipeline,
    monkeypatch: pytest.MonkeyPatch,
    dismissed: bool,
) -> None:
    assert " GB to install" in offered(starting)
    if dismissed:
        QTest.keyClick(starting, Qt.Key.Key_Escape)
        pipeline.events.idle.emit(Totals())
        assert offered(starting) == ""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)  # now it is installed
    pipeline.events.idle.emit(Totals())
    assert "1.7 GB to download" in offered(starting)
    QTest.keyClick(starting, Qt.Key.Key_Escape)
    pipeline.events.idle.emit(Totals())
    assert offered(starting) == ""


def test_the_bundle_offers_nothing_it_cannot_have(packaged: None, starting: MainWindow) -> None:
    assert offered(starting) == ""
    assert model_download.EncoderPanel(starting.model_download).button.isHidden()


@pytest.mark.slow
def test_a_confirmed_download_runs_in_the_background_and_clip_takes_over(
    server: Hub,
    starting: MainWindow,
    pipeline: QuietPipeline,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: object,
) -> None:
    server.files[NAME] = b"weights"
    answer_questions(monkeypatch, "yes")
    starting.notifications.action.click()
    assert "Downloading CLIP" in offered(starting)
    pipeline.encoding = CLIP
    qtbot.waitUntil(lambda: not starting.model_download.running)  # type: ignore[attr-defined]
    assert ("settle", None) in pipeline.asked
    assert "analyzed with CLIP" in starting.status.message.text
    assert offered(starting) == ""


@pytest.mark.slow
def test_a_download_can_be_stopped_and_keeps_what_arrived(
    server: Hub, starting: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: object
) -> None:
    server.files[NAME], server.holds = bytes(2 * PIECE), PIECE + 1000
    answer_questions(monkeypatch, "yes")
    starting.notifications.action.click()
    qtbot.waitUntil(lambda: "10.5 MB of 21.0 MB" in offered(starting))  # type: ignore[attr-defined]
    panel = model_download.EncoderPanel(starting.model_download)
    assert "10.5 MB of 21.0 MB" in panel.status.text()
    panel.button.click()
    assert not starting.model_download.running and "kept" in starting.status.message.text
    assert panel.button.text() == "Download CLIP…"
    parts = list(Path(starting.session.home.cache).rglob("*.part"))
    assert [part.stat().st_size for part in parts] == [PIECE]


class Failing(DownloadJob):
    """A download that fails at once."""

    def _run(self) -> None:
        from curator.model import KnownError

        self.error = KnownError("The hub could not be reached.", "Try again later.")


@pytest.mark.slow
def test_an_unreachable_hub_can_be_retried(
    starting: MainWindow, monkeypatch: pytest.MonkeyPatch, server: Hub, qtbot: object
) -> None:
    monkeypatch.setattr(model_download, "DownloadJob", Failing)
    answer_questions(monkeypatch, "yes")
    starting.notifications.action.click()
    qtbot.waitUntil(lambda: not starting.model_download.running)  # type: ignore[attr-defined]
    assert "could not be reached" in offered(starting)
    assert starting.notifications.action.text() == "Try again"


def test_changed_encoder_settings_apply_at_once(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    window.window_actions.apply_settings({"encoder.which"})
    assert ("settle", None) in pipeline.asked
    assert "taste are off" in window.status.message.text


def test_the_settings_show_the_encoder_in_use(window: MainWindow) -> None:
    panel = window.window_actions.notes()["encoder"]
    assert isinstance(panel, model_download.EncoderPanel)
    assert panel.status.text() == "Similar photos and taste are off: no encoder installed."
    assert panel.button.isHidden()
