"""What a signal makes of a verb: it ends in order, and says so."""

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
def test_a_signal_ends_a_verb_in_order(
    shoot: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The log is folded in, the exit code is the shell's, and one sentence says what happened."""
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
def test_sigterm_ends_an_ingest_in_order_and_the_next_goes_on(
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
