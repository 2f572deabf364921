"""The README keeps its promises: two commands, and tables that are the code's own."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

from curator import commands
from curator.cli import reference
from curator.session.filters import FILTERS, parse

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def shell_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_there_are_exactly_two_set_up_commands_of_one_line() -> None:
    assert len(shell_lines()) == 2
    install, test = shell_lines()
    assert install.endswith("curator ~/Pictures")
    assert test.endswith("-m pytest") and "QT_QPA_PLATFORM=offscreen" in test


def test_the_commands_name_extras_and_scripts_that_exist() -> None:
    for line in shell_lines():
        for extra in re.findall(r"\[(\w+)\]", line):
            assert extra in PROJECT["optional-dependencies"]
        assert shlex.split(line)[:3] == ["python3", "-m", "venv"]
    assert PROJECT["scripts"] == {"curator": "curator.__main__:main"}


def test_the_generated_tables_are_those_of_the_code() -> None:
    assert reference.filled(README) == README, "run: python -m curator.cli.reference"


def test_every_filter_is_named() -> None:
    assert [name for name in FILTERS if name not in README] == []
    example = re.search(r"`(is:picked [^`]*)`", README)
    assert example and parse(" ".join(example[1].split()))


def test_the_files_it_names_exist() -> None:
    named = re.findall(r"`((?:curator|resources|\.ci)/[\w./]+)`", README)
    assert named and [name for name in named if not (ROOT / name).exists()] == []


def test_the_keys_of_the_walk_are_bound_as_it_says() -> None:
    from curator.keymap import keys_of

    said = {"Space": "space", "X": "reject", "Ctrl+Z": "undo", "Alt+2": "rate", "Z": "zoom"}
    said["Ctrl+Shift+E"] = "export"
    for key, command in said.items():
        assert command in commands.COMMANDS
        assert key in keys_of(command), f"{key} is not {command}"


def test_neither_machine_nor_registry_is_named() -> None:
    hosts = re.findall(r"https?://(?!localhost:)[^\s)>\"']+", README)
    assert hosts == []
    assert "/work/" not in README and "/home/" not in README
