"""The README keeps its promises: two commands, and tables that are the code's own."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

from curator import commands
from curator.cli import reference
from curator.encoders import ENCODERS
from curator.export import TARGETS
from curator.library.filters import FILTERS, parse
from curator.model import UsageError

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
# What a person wrote: without the tables the code writes.
PROSE = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", README, flags=re.DOTALL)
PROSE = re.sub(r"```.*?```", "", PROSE, flags=re.DOTALL)
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


def spans(text: str) -> list[str]:
    """List what stands in backticks, a line each; what a table says of itself is not asked."""
    return [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]


def test_the_files_it_names_exist() -> None:
    named = re.findall(r"`((?:curator|resources|\.ci)/[\w./]+)`", README)
    named += re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    named += [span.split()[-1] for span in spans(PROSE) if re.match(r"(pyinstaller|python) ", span)]
    assert named and [name for name in named if not (ROOT / name).exists()] == []


def test_the_files_it_says_are_written_or_read_are_known_to_the_code() -> None:
    written = "\n".join(path.read_text("utf-8") for path in (ROOT / "curator").rglob("*.py"))
    named = [span for span in spans(PROSE) if re.fullmatch(r"\w+\.(json|toml|txt|db)", span)]
    assert {"photos.json", "keys.toml", "catalog.db"} <= set(named)
    assert [name for name in named if name not in written] == []


def test_its_pictures_are_those_the_script_makes() -> None:
    script = (ROOT / ".ci" / "screenshots.py").read_text("utf-8")
    made = {f"docs/{name}.webp" for name in re.findall(r'\("(\w+)", \1\)', script)}
    shown = set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", README))
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").iterdir()}
    assert made == shown == there


def commands_named() -> list[str]:
    found = [span for span in spans(PROSE) if span.startswith("curator ")]
    return [span.replace(r"\|", "|") for span in found]


def test_every_command_it_names_is_one() -> None:
    from curator.cli.verbs import VERBS, parse

    assert len(commands_named()) > 20
    verbs = {verb.name for verb in VERBS}
    for command in commands_named():
        words = shlex.split(command)[1:]
        if words[-1] == "NAME=VALUE":
            words[-1] = "work.workers=1"
        try:
            parse(words)
        except UsageError as error:
            # "`curator settings`" is a name; one that lacks only its photos or folder is too.
            assert words[0] in verbs and "required" in str(error), f"{command}: {error}"
        else:
            assert words[0] in verbs or words[0].startswith("~"), command


def test_every_setting_and_variable_it_names_is_one() -> None:
    from curator.cli.machine import env, every_setting

    known = [f"{section}.{field}" for section, field, _, _ in every_setting()]
    sections = {name.partition(".")[0] for name in known}
    named = [span for span in spans(PROSE) if span.partition(".")[0] in sections and "." in span]
    assert "vision.automatic" in named and [name for name in named if name not in known] == []
    variables = set(re.findall(r"\bCURATOR_\w+", PROSE))
    assert variables <= {*map(env, known), "CURATOR_HOME", "CURATOR_VISION_KEY"}


def test_every_bar_it_names_is_one_and_each_figure_says_what_makes_it() -> None:
    # Read, not imported: all bars together import everything there is.
    bench = (ROOT / "curator" / "bench" / "__init__.py").read_text("utf-8")
    bars = set(re.findall(r'^ +Bar\("(\w+)"', bench, re.MULTILINE))
    table = README[README.index("## Speed") :]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    figures = [row for row in rows if "---" not in row and "| what |" not in row]
    assert len(figures) > 20
    for row in figures:
        reproduce = re.search(r"`curator bench --only (\w+)`", row)
        assert reproduce, row
        assert reproduce[1] in bars, row


# Key -> the commands the prose says it does. Whoever names another key there says here which.
SAID: dict[str, str] = {
    "/": "search",
    "1": "stars_1",
    "4": "stars_4",
    "5": "stars_5",
    "Alt+2": "rate",
    "Alt+Down": "move_later",
    "Alt+G": "split_off",
    "Alt+Up": "move_earlier",
    "B": "toggle_project",
    "Backspace": "drop",
    "C": "compare",
    "Ctrl+,": "settings",
    "Ctrl+1": "maybe_1",
    "Ctrl+G": "stack_selection",
    "Ctrl+I": "overview",
    "Ctrl+K": "palette",
    "Ctrl+S": "write_sidecars",
    "Ctrl+Shift+E": "export",
    "Ctrl+Shift+G": "unstack",
    "Ctrl+T": "taste",
    "Ctrl+Z": "undo",
    "D": "describe",
    "Down": "down",
    "Enter": "enter promote",
    "Esc": "back",
    "K": "keep_this",
    "N": "survey",
    "S": "toggle_stack",
    "Shift+B": "choose_project",
    "Shift+R": "split_pair",
    "Space": "space",
    "T": "tag",
    "Tab": "switch_pane",
    "X": "reject",
    "Z": "zoom",
}
# How prose writes a key, and how a keymap does.
SPELLED = {"Enter": "Return"}


def keys_named() -> set[str]:
    """List the keys of the prose: what is bold and short, and what has a modifier."""
    bold = re.findall(r"\*\*([^*]+)\*\*", PROSE)
    keys = {text for text in bold if re.fullmatch(r"[A-Z0-9/?]|[A-Z][a-z]+|(\w+\+)+\S+", text)}
    return keys | set(re.findall(r"\b(?:(?:Ctrl|Alt|Shift)\+)+(?:[A-Z][a-z]*|\d|,)", PROSE))


def test_every_key_of_the_prose_is_bound_as_it_says() -> None:
    from curator.keymap import keys_of

    assert keys_named() == set(SAID), "say in SAID what the prose says of it"
    for key, does in SAID.items():
        for command in does.split():
            assert command in commands.COMMANDS, command
            assert SPELLED.get(key, key) in keys_of(command), f"{key} is not {command}"


def test_what_to_add_names_tables_and_places_that_are_there() -> None:
    part = README[README.index("To add ...") : README.index("`.venv/bin/python -m curator.cli")]
    bullets = [" ".join(each.split()) for each in part.split("\n- ")[1:]]
    assert len(bullets) >= 9
    for bullet in bullets:
        places = re.findall(r"`(curator/[\w/.]+)`", bullet)
        assert places and all((ROOT / place).exists() for place in places), bullet
        for table in re.findall(r"`([A-Z]{4,})`", bullet):
            homes = [ROOT / place for place in places] + [ROOT / "curator" / "keymap.py"]
            texts = [
                file.read_text("utf-8")
                for home in homes
                for file in (home.glob("*.py") if home.is_dir() else [home])
            ]
            assert any(re.search(rf"^{table}\b.*=", text, re.MULTILINE) for text in texts), table
    for verb in ("missing", "key", "load"):
        assert all(hasattr(kind, verb) for kind in ENCODERS)
    named = next(bullet for bullet in bullets if "ENCODERS" in bullet)
    assert set(re.findall(r"`(\w+)`", named)) == {"missing", "key", "load", "ENCODERS"}
    assert all(hasattr(target, "write") for target in TARGETS.values())


def test_neither_machine_nor_registry_is_named() -> None:
    hosts = re.findall(r"https?://(?!localhost:)[^\s)>\"']+", README)
    assert hosts == []
    assert "/work/" not in README and "/home/" not in README
