"""Fixtures: a command line, and a home of five photos that is scanned once for all tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from curator import cli
from tests.photos import draw_jpeg, write_dng

NAMES = [f"DSC_{number}" for number in range(1, 6)]


@dataclass
class Said:
    """Output and exit code of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Type = Callable[..., Said]


def typed(capsys: pytest.CaptureFixture[str], *words: object) -> Said:
    def window(*_: object) -> int:
        return 77

    code = cli.main([str(word) for word in words], window, window)
    said = capsys.readouterr()
    return Said(code, said.out, said.err)


@pytest.fixture
def curator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    """Run commands with an empty home."""
    return lambda *words: typed(capsys, "--home", tmp_path / "home", *words)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five photos (one a pair, one damaged) and the home that scanned it."""
    base = tmp_path_factory.mktemp("read")
    card = base / "card"
    for number, name in enumerate(NAMES[:4]):
        draw_jpeg(card / f"{name}.JPG", size=(240, 160), seed=number)
    write_dng(card / "DSC_4.DNG", size=(240, 160), seed=3)
    (card / "DSC_5.JPG").write_bytes(b"this was a photo once")
    (card / "clip.mov").write_bytes(b"a video")

    def window(*_: object) -> int:
        return 77

    arguments = ["--home", str(base / "home"), "--json", "ingest", str(card)]
    arguments += ["--set", "work.workers=1", "--set", "work.attempts=1"]
    assert cli.main(arguments, window, window) == 0
    return base


@pytest.fixture
def shoot(read_once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    """Run commands with a home that scanned the card."""
    capsys.readouterr()
    shutil.copytree(read_once / "home", tmp_path / "home")
    return lambda *words: typed(capsys, "--home", tmp_path / "home", *words)


@pytest.fixture
def card(read_once: Path) -> Path:
    """The scanned card."""
    return read_once / "card"
