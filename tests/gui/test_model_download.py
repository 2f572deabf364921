"""CLIP's weights in the window: offered, asked for, coming, here; nothing comes by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
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
    """A hub on this machine that is taken for the usual one."""
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
    """A window whose photos are compared by the starter, after its first reading."""
    settings.encoder.which = "auto"
    pipeline.encoding = STARTER
    window = make_window()
    pipeline.events.idle.emit(Totals())
    return window


def say(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> list[dialogs.Question]:
    """Answer the next question; return the list of questions asked."""
    asked: list[dialogs.Question] = []
    monkeypatch.setattr(dialogs, "ask", lambda _, question: asked.append(question) or answer)
    return asked


def offered(window: MainWindow) -> str:
    return window.notifications.current.text if window.notifications.current is not None else ""


def test_clip_is_offered_once_with_its_size_and_esc_sends_it_away_for_good(
    server: Hub, starting: MainWindow, pipeline: QuietPipeline
) -> None:
    assert "CLIP" in offered(starting) and "1.7 GB" in offered(starting)
    QTest.keyClick(starting, Qt.Key.Key_Escape)
    pipeline.events.idle.emit(Totals())
    assert offered(starting) == ""
    assert server.asked == []


def test_size_and_place_are_said_before_anything_is_asked_of_the_hub(
    server: Hub, starting: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = say(monkeypatch, None)
    starting.notifications.act.click()
    (question,) = asked
    assert "1.7 GB" in question.body and str(starting.session.home.cache) in question.body
    assert question.choices[0].text == "Download 1.7 GB"
    assert server.asked == [] and not starting.model_download.running


@pytest.mark.slow
def test_a_yes_brings_it_beside_the_work_and_it_takes_over(
    server: Hub,
    starting: MainWindow,
    pipeline: QuietPipeline,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: object,
) -> None:
    server.files[NAME] = b"weights"
    say(monkeypatch, "yes")
    starting.notifications.act.click()
    assert "Downloading CLIP" in offered(starting)
    pipeline.encoding = CLIP
    qtbot.waitUntil(lambda: not starting.model_download.running)  # type: ignore[attr-defined]
    assert ("settle", None) in pipeline.asked
    assert "analyzed with CLIP" in starting.status.act.text
    assert offered(starting) == ""


@pytest.mark.slow
def test_it_can_be_stopped_and_what_came_is_kept(
    server: Hub, starting: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: object
) -> None:
    server.files[NAME], server.holds = bytes(2 * PIECE), PIECE + 1000
    say(monkeypatch, "yes")
    starting.notifications.act.click()
    qtbot.waitUntil(lambda: "10.5 MB of 21.0 MB" in offered(starting))  # type: ignore[attr-defined]
    panel = model_download.EncoderPanel(starting.model_download)
    assert "10.5 MB of 21.0 MB" in panel.status.text()
    panel.button.click()
    assert not starting.model_download.running and "kept" in starting.status.act.text
    assert panel.button.text() == "Download CLIP…"
    parts = list(Path(starting.session.home.cache).rglob("*.part"))
    assert [part.stat().st_size for part in parts] == [PIECE]


class Failing(DownloadJob):
    """A download that ends at once."""

    def _run(self) -> None:
        from curator.model import KnownError

        self.error = KnownError("The hub could not be reached.", "Try again later.")


@pytest.mark.slow
def test_a_hub_out_of_reach_is_offered_to_be_tried_again(
    starting: MainWindow, monkeypatch: pytest.MonkeyPatch, server: Hub, qtbot: object
) -> None:
    monkeypatch.setattr(model_download, "DownloadJob", Failing)
    say(monkeypatch, "yes")
    starting.notifications.act.click()
    qtbot.waitUntil(lambda: not starting.model_download.running)  # type: ignore[attr-defined]
    assert "could not be reached" in offered(starting)
    assert starting.notifications.act.text() == "Try again"


def test_other_settings_of_the_encoder_count_at_once(
    window: MainWindow, pipeline: QuietPipeline
) -> None:
    window.window_actions.apply_settings({"encoder.which"})
    assert ("settle", None) in pipeline.asked
    assert "taste are off" in window.status.act.text


def test_the_settings_say_which_encoder_it_is(window: MainWindow) -> None:
    panel = window.window_actions.notes()["encoder"]
    assert isinstance(panel, model_download.EncoderPanel)
    assert panel.status.text() == "Similar photos and taste are off: no encoder installed."
    assert panel.button.isHidden()
