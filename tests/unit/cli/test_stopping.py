"""A signal ends a verb cleanly and with a message."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from curator.cli.invocation import Invocation
from curator.pipeline import Pipeline
from tests.unit.cli.conftest import Type


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_verb_cleanly(
    shoot: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The log is merged, the exit code is that of a signal, and one sentence reports it."""
    number = getattr(signal, name)
    before = signal.getsignal(number)

    def killed(invocation: Invocation) -> NoReturn:
        invocation.catalog.journal.decide({1: {"rating": 5}}, summary="5 stars")
        signal.raise_signal(number)  # os.kill may reach another thread first
        raise AssertionError("it went on")

    monkeypatch.setattr("curator.cli.work.scored", killed)
    said = shoot("status")
    assert (said.code, said.out) == (128 + number, "")
    assert said.err == "curator: Stopped. Everything finished so far is saved.\n"
    assert not (tmp_path / "home" / "catalog.db-wal").exists()
    assert signal.getsignal(number) is before
    monkeypatch.undo()
    assert shoot("photos", "--filter", "rating:5", "--json").json


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_sigterm_ends_an_ingest_cleanly_and_the_next_continues(
    curator: Type, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = Pipeline.wait_idle
    with monkeypatch.context() as patched:
        patched.setattr(
            Pipeline,
            "wait_idle",
            lambda pipeline, *limit: (os.kill(os.getpid(), signal.SIGTERM), wait(pipeline, *limit)),
        )
        said = curator("ingest", card, "--set", "work.workers=1")
    assert (
        said.code == 143 and said.err == "curator: Stopped. Everything finished so far is saved.\n"
    )
    assert not (tmp_path / "home" / "catalog.db-wal").exists()
    assert curator("ingest", card, "--json", "--set", "work.attempts=1").json["converted"] == 4
