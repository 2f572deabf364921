"""The commands that messages propose to add packages."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from curator.encoders.options import CLIP_PACKAGES
from curator.installing import install_command, install_remedy
from curator.ocr.models import REQUIREMENT

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_a_command_is_for_the_python_that_runs_curator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "executable", "/home/a b/.venv/bin/python")
    expected = "'/home/a b/.venv/bin/python' -m pip install --upgrade torch"
    assert install_command("--upgrade", "torch") == expected


def test_on_windows_pip_runs_where_its_output_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "executable", "/Photos/.venv/Scripts/pythonw.exe")
    python = str(Path("/Photos/.venv/Scripts/python.exe"))
    assert install_command("torch") == f"{python} -m pip install torch"
    monkeypatch.setattr(sys, "executable", "/My Photos/pythonw.exe")
    assert install_command("torch") == f'"{Path("/My Photos/python.exe")}" -m pip install torch'


def test_the_bundle_proposes_no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    remedy = install_remedy("Install it", "torch")
    assert "Nothing can be added" in remedy and "pip" not in remedy


def test_commands_name_the_packages_of_the_extras() -> None:
    """Never Curator itself: pip may take another package of this name from PyPI."""
    extras = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]
    assert [each.partition(">")[0] for each in extras["clip"]] == list(CLIP_PACKAGES)
    assert REQUIREMENT in extras["text"]
