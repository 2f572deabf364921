"""A pipe in the place of a file is refused: nobody ever writes into it, and no start waits."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from curator import atomic, cli, files, keyboard
from curator.catalog import backups
from curator.cli.output import start_logging, stop_logging, tail
from curator.encoders import zero_shot
from curator.export import presets
from curator.home import Home
from curator.library import table_cache
from curator.model import KnownError
from curator.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")

LIMIT_S = 20


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Fail where a test waits, instead of waiting with it."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise AssertionError("it waits for the pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which pipes have the names of all that is read at a start."""
    home = Home.at(tmp_path / "home").make()
    (home.data / "export-presets").mkdir()
    for name in (
        "settings.json",
        "keys.toml",
        "vocabulary.txt",
        "curator.log",
        "export-presets/web.json",
        "cache/table.columns",
        "a.jpg",
    ):
        os.mkfifo(home.data / name)
    return home


def test_a_cached_table_and_a_log_file_that_are_pipes_are_ignored(home: Home) -> None:
    assert table_cache.read(home.table_file, "1") is None
    start_logging(home)
    stop_logging()


@pytest.mark.parametrize(
    "read",
    [
        Settings.load,
        lambda home: zero_shot.read_vocabulary(home.data),
        lambda home: presets.read(home.data / "export-presets" / "web.json"),
        lambda home: tail(home.log, 3),
        lambda home: files.fingerprint(home.data / "a.jpg"),
        lambda home: files.sha256(home.data / "a.jpg"),
    ],
    ids=["settings", "vocabulary", "preset", "log", "fingerprint", "sha256"],
)
def test_a_pipe_instead_of_a_file_is_reported(home: Home, read: Callable[[Home], object]) -> None:
    with pytest.raises(KnownError, match="it is not a plain file"):
        read(home)


def test_a_backup_that_is_a_pipe_cannot_be_used(home: Home) -> None:
    home.backups.mkdir()
    os.mkfifo(home.backups / "catalog-daily-20260101-000000.db")
    (found,) = backups.listed(home.catalog)
    assert found.fault == "cannot be read (it is not a plain file)"


def test_with_a_pipe_as_keys_file_the_keys_are_curators_own(home: Home) -> None:
    keys, said = keyboard.load_for_home(home)
    assert keys.preset == keyboard.Keyboard().preset
    assert said == "keys.toml is not used: it is not a plain file."


def test_a_folder_instead_of_a_file_is_reported_as_one(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        atomic.read(tmp_path)


def test_a_verb_reports_it_and_ends(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--home", str(home.data), "status"], lambda *_: 0, lambda *_: 0) == 1
    assert "settings.json cannot be read (it is not a plain file)" in capsys.readouterr().err
