"""The entry point hands over to the command line, and that to the window or the bench."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from curator import __main__ as entry


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What a window was opened with."""
    calls: list[tuple[object, ...]] = []
    app = ModuleType("curator.app")
    app.main = lambda *arguments: calls.append(arguments) or 5  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "curator.app", app)
    monkeypatch.setattr("curator.app", app, raising=False)
    return calls


def test_a_folder_opens_the_window_on_it(opened: list[tuple[object, ...]], tmp_path: Path) -> None:
    assert entry.main([str(tmp_path), "--home", str(tmp_path / "home")]) == 5
    ((home, settings, folders),) = opened
    assert home.data == tmp_path / "home"  # type: ignore[attr-defined]
    assert settings.work.workers == 0  # type: ignore[attr-defined]
    assert folders == [tmp_path]


def test_a_verb_does_not_open_it(
    opened: list[tuple[object, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main(["--home", str(tmp_path / "home"), "status"]) == 0
    assert opened == [] and "0 photos" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("curator 0.")


def test_linear_algebra_uses_one_core_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    entry.main(["--home", str(tmp_path), "status"])
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    entry.main(["--home", str(tmp_path), "status"])
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
