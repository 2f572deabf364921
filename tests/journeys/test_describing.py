"""All photos get descriptions despite a busy or missing server and a kill in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from curator.catalog import Catalog
from curator.home import Home
from curator.pipeline import Pipeline, asking_limits
from curator.settings import Settings
from tests import ollama
from tests.ollama import Ollama
from tests.photos import draw_jpeg

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PHOTOS = 12
WELL = ollama.reply(ollama.RECORD)


@pytest.fixture
def server() -> Iterator[Ollama]:
    with Ollama() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(PHOTOS):
        draw_jpeg(tmp_path / "in" / f"DSC_{number:04}.jpg", size=(300, 200), seed=number)
    return tmp_path / "in"


def pictures(server: Ollama) -> list[str]:
    """Return the pictures sent to the server, one per chat."""
    return [json.dumps(chat["messages"][-1]) for chat in server.chats]


def begin(home: Home, server: Ollama, *words: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "CURATOR_VISION__URL": server.url}
    command = [sys.executable, "-m", "curator", "--home", home.data, *words, "--json"]
    command += ["--set=vision.backoff_s=0.1", "--set=vision.concurrency=2"]
    return subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
    )


def test_after_a_kill_the_remaining_photos_are_described(
    home: Home, folder: Path, server: Ollama
) -> None:
    arrived = threading.Semaphore(0)

    def held(handler: ollama.Handler) -> None:
        arrived.release()
        ollama.hang(handler)

    server.chat(*[WELL] * 4, *[held] * 2)
    first = begin(home, server, "ingest", folder, "--describe")
    for _ in range(2):  # both that may be asked for at once: all before them are saved
        assert arrived.acquire(timeout=120)
    first.kill()
    first.communicate()
    with closing(Catalog.open(home.catalog)) as catalog:
        before = catalog.work.counts()["describe"]["done"]
    sent = len(server.chats)
    assert (before, sent) == (4, 6)
    told, errors = begin(home, server, "ingest", folder, "--describe").communicate(timeout=200)
    done = json.loads(told)
    assert (done["described"], done["problems"], done["failed"]) == (PHOTOS - before, [], 0), errors
    assert len(server.chats) - sent == PHOTOS - before, "nothing is described twice"
    assert len(set(pictures(server))) == PHOTOS
    with closing(Catalog.open(home.catalog)) as catalog:
        assert catalog.work.counts()["describe"] == {
            "waiting": 0,
            "running": 0,
            "done": PHOTOS,
            "failed": 0,
            "blocked": 0,
        }
        assert catalog.check() == []


def test_describing_survives_a_busy_server_wrong_answers_and_an_outage(
    home: Home, folder: Path, server: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_limits, "CHECK_S", 0.2)
    settings = Settings.load(home, {"vision": {"backoff_s": 0.1, "automatic": True}})
    settings.vision.url = "http://127.0.0.1:9"
    wrong = ollama.reply("A lovely picture.")
    server.chat(WELL, ollama.busy(after="1"), WELL, wrong, wrong, ollama.cut, WELL)
    held: list[str] = []
    pipeline = Pipeline(home, settings)
    pipeline.events.describing_held.connect(
        lambda error: held.append(str(error or "")), Qt.ConnectionType.DirectConnection
    )
    pipeline.start()
    try:
        pipeline.open_folders([folder])
        totals = pipeline.wait_idle(120)
        assert totals is not None and (totals.converted, totals.described) == (PHOTOS, 0)
        assert len(held) == 1 and "127.0.0.1:9" in held[0]
        # The server comes up at the address that was asked all along.
        options = pipeline._conductor.jobs.vision.asking.options
        object.__setattr__(options, "url", server.url)
        settings.vision.url = server.url
        deadline = time.monotonic() + 60
        with closing(Catalog.open(home.catalog)) as catalog:
            while catalog.work.counts()["describe"]["done"] < PHOTOS:
                assert time.monotonic() < deadline, catalog.work.failures(later=True)
                time.sleep(0.1)
            assert catalog.work.failures(later=True) == []
        assert held[-1] == ""
    finally:
        pipeline.stop()
