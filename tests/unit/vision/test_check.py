"""Testing a provider, pulling a model, and the doctor's finding about both."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from curator import cli, vision
from curator.home import Home
from curator.settings import Settings
from curator.vision import Cancelled, VisionError, VisionOptions
from tests import ollama as fake
from tests.ollama import Act, Ollama

PICTURE = vision.sample_picture()


# --- test provider


@pytest.mark.parametrize("provider", vision.PROVIDERS)
def test_the_test_of_a_provider_finds_its_models_and_times_a_picture(
    provider: str, ollama: Ollama, options: VisionOptions
) -> None:
    compatible = replace(options, provider=provider, model="llava:latest")
    health = vision.check(compatible, PICTURE)
    assert health.ok and health.models == ("llava:latest",)
    assert health.description is not None and "described a small picture in" in health.sentence
    assert len(ollama.chats) == 1


def test_without_a_picture_nothing_is_described(ollama: Ollama, options: VisionOptions) -> None:
    health = vision.check(options)
    assert health.ok and health.description is None and ollama.chats == []


def test_an_unreachable_server_is_a_finding_and_not_raised(options: VisionOptions) -> None:
    health = vision.check(replace(options, url="http://127.0.0.1:9"), PICTURE)
    assert not health.ok and health.models == ()
    assert "not running" in health.sentence and "ollama serve" in health.remedy


def test_a_missing_model_is_named_together_with_the_models_there_are(
    ollama: Ollama, options: VisionOptions
) -> None:
    health = vision.check(replace(options, model="moondream"), PICTURE)
    assert not health.ok and health.pull and health.models
    assert "moondream" in health.sentence and "llava:latest" in health.sentence
    assert "ollama pull moondream" in health.remedy and ollama.chats == []


def test_a_text_model_is_recognized_before_a_photo_is_sent(
    ollama: Ollama, options: VisionOptions
) -> None:
    ollama.models["llama3:latest"] = ["completion", "tools"]
    health = vision.check(replace(options, model="llama3"), PICTURE)
    assert not health.ok and "cannot look at pictures" in health.sentence
    assert ollama.chats == []


def test_a_server_without_a_list_of_models_may_still_describe(
    ollama: Ollama, options: VisionOptions
) -> None:
    ollama.on("/v1/models", fake.status(404, "no such page"))
    health = vision.check(replace(options, provider="openai_compatible"), PICTURE)
    assert health.ok and health.models == ()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (fake.hang, "does not answer"),
        (fake.raw(b"<html>", "text/html"), "does not come from a model"),
        (fake.document({"models": "many"}), "does not come from a model"),
        (fake.cut, "closed the connection in the middle"),
        (fake.status(500, "oops"), "failed (500)"),
        (fake.raw(b" " * 8_000_000), "far more data than expected"),
        (fake.packed(b"{}"), "far more data than expected"),
    ],
    ids=["hang", "web page", "text where a list belongs", "cut", "broken", "huge", "packed"],
)
def test_a_faulty_server_is_reported_with_what_is_wrong(
    act: Act, words: str, ollama: Ollama, options: VisionOptions
) -> None:
    ollama.on("/api/tags", act)
    health = vision.check(replace(options, timeout_s=0.2) if act is fake.hang else options)
    assert words in health.sentence and health.remedy
    assert not health.ok


def test_the_finding_tells_why_the_picture_failed(ollama: Ollama, options: VisionOptions) -> None:
    ollama.chat(fake.status(500, "model requires more system memory"))
    health = vision.check(options, PICTURE)
    assert not health.ok and health.models and "more system memory" in health.sentence


def test_a_test_can_be_canceled(ollama: Ollama, options: VisionOptions) -> None:
    ollama.on("/api/tags", fake.hang)
    with pytest.raises(Cancelled):
        vision.check(options, PICTURE, lambda: bool(ollama.asked))
    assert ollama.gone.wait(60)


# --- pull


def test_pulling_a_model_reports_progress_and_adds_the_model(
    ollama: Ollama, options: VisionOptions
) -> None:
    moondream = replace(options, model="moondream")
    steps: list[tuple[str, int, int]] = []
    vision.pull(moondream, lambda *step: steps.append(step))
    assert ("pulling 170370233dd5", 100, 400) in steps and steps[-1] == ("success", 0, 0)
    assert vision.check(moondream).ok


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([{"status": "pulling"}, {"error": "pull model manifest: file does not exist"}], "exist"),
        ([{"status": "pulling", "total": 400, "completed": 9}], "stopped in the middle"),
        ([{"status": "pulling", "total": "much"}], "does not come from a model"),
        ([b"<html>"], "does not come from a model"),
        ([], "stopped in the middle"),
    ],
    ids=["no such model", "cut", "text where a number belongs", "web page", "nothing"],
)
def test_a_failed_pull_tells_why(
    lines: list[object], words: str, ollama: Ollama, options: VisionOptions
) -> None:
    ollama.on("/api/pull", fake.stream(*lines))
    with pytest.raises(VisionError) as caught:
        vision.pull(options, lambda *_: None)
    assert words in str(caught.value.args[0]) and caught.value.remedy


def test_a_pull_can_be_canceled(ollama: Ollama, options: VisionOptions) -> None:
    ollama.on("/api/pull", fake.stream({"status": "pulling", "total": 9}, fake.silence))
    steps: list[str] = []
    with pytest.raises(Cancelled):
        vision.pull(options, lambda status, *_: steps.append(status), lambda: bool(steps))
    assert steps == ["pulling"] and ollama.gone.wait(60)


def test_a_provider_that_cannot_pull_models_is_an_error(options: VisionOptions) -> None:
    with pytest.raises(VisionError, match="cannot download models"):
        vision.pull(replace(options, provider="openai_compatible"), lambda *_: None)


# --- the doctor; settings; what loads when


def doctor(capsys: pytest.CaptureFixture[str], home: Path, *words: str) -> dict[str, object]:
    def window(*_: object) -> int:
        return 77

    assert cli.main(["--home", str(home), "doctor", "--json", *words], window, window) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    return next(finding for finding in findings if finding["what"] == "vision model")


def test_the_doctor_tests_the_provider_with_a_small_picture(
    ollama: Ollama,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("curator.cli.doctor._formats", lambda: [])  # decoding is tested elsewhere
    monkeypatch.setenv("CURATOR_VISION__URL", ollama.url)
    finding = doctor(capsys, tmp_path)
    assert finding["well"] and "described a small picture in" in str(finding["found"])
    monkeypatch.setenv("CURATOR_VISION__URL", "http://127.0.0.1:9")
    finding = doctor(capsys, tmp_path)
    assert finding["well"] and "Needed only" in str(finding["found"])
    monkeypatch.setenv("CURATOR_VISION__AUTOMATIC", "true")
    finding = doctor(capsys, tmp_path)
    assert not finding["well"] and "ollama serve" in str(finding["remedy"])


def test_the_options_come_from_the_settings(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CURATOR_VISION__URL")
    settings = Settings.load(home, {"vision": {"model": "moondream", "timeout_s": 7}})
    assert vision.options(settings) == VisionOptions(model="moondream", timeout_s=7)
    assert not settings.vision.automatic and not settings.vision.on_battery
    assert settings.vision.provider in vision.PROVIDERS


def test_importing_vision_loads_none_of_its_libraries() -> None:
    code = "import curator.vision, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"openai", "instructor", "ollama", "keyring", "httpx", "httpx2", "cv2"}
    assert heavy & set(done.stdout.split()) == set()
