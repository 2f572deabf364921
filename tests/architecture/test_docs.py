"""README.md and docs/ are true: commands, generated parts, and names that exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from curator import commands
from curator.cli import reference
from curator.encoders import ENCODERS
from curator.library.filters import parse
from curator.model import UsageError

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
ALL = "\n".join([README, *PAGES.values()])
# The prose: without the generated tables and code blocks.
PROSE = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", ALL, flags=re.DOTALL)
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


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 8 * 1024


@pytest.mark.parametrize("page", reference.PAGES)
def test_the_generated_parts_are_those_of_the_code(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert reference.filled(page, text) == text, "run: python -m curator.cli.reference"


def test_a_page_whose_markers_are_missing_or_doubled_is_refused() -> None:
    for text in ("", "<!-- keys -->\n<!-- /keys -->\n" * 2):
        with pytest.raises(ValueError, match="keys"):
            reference.filled("docs/keys.md", text)


def test_every_link_leads_to_a_page_and_a_heading() -> None:
    for name, text in {"../README.md": README, **PAGES}.items():
        folder = ROOT if name == "../README.md" else ROOT / "docs"
        for target in re.findall(r"(?<!!)\[[^]]+\]\(([^)]+)\)", text):
            file, _, anchor = target.partition("#")
            page = (folder / file).resolve() if file else ROOT / "docs" / name
            assert page.is_file(), f"{name}: {target}"
            headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
            assert not anchor or anchor in anchors, f"{name}: {target}"


def test_the_example_of_a_search_is_valid() -> None:
    example = re.search(r"```text\n(is:picked .*?)```", PAGES["guide.md"], re.DOTALL)
    assert example and parse(" ".join(example[1].split()))


def spans(text: str) -> list[str]:
    """Return the texts in backticks, each on one line."""
    return [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]


def test_the_files_named_in_the_docs_exist() -> None:
    named = re.findall(r"`((?:curator|resources|\.ci)/[\w./]+)`", ALL)
    named += [
        span.split()[-1] for span in spans(PROSE) if re.match(r"(pyinstaller|python) [^-]", span)
    ]
    assert named and [name for name in named if not (ROOT / name).exists()] == []


def test_the_code_knows_the_files_that_the_docs_describe() -> None:
    written = "\n".join(path.read_text("utf-8") for path in (ROOT / "curator").rglob("*.py"))
    named = [span for span in spans(PROSE) if re.fullmatch(r"\w+\.(json|toml|txt|db)", span)]
    assert {"photos.json", "keys.toml", "catalog.db"} <= set(named)
    assert [name for name in named if name not in written] == []


def test_the_script_makes_all_pictures_of_the_docs() -> None:
    script = (ROOT / ".ci" / "screenshots.py").read_text("utf-8")
    made = {f"docs/{name}.webp" for name in re.findall(r'\("(\w+)", \1\)', script)}
    made |= {f"docs/{name}" for name in re.findall(r'folder / "(\w+\.webp)"', script)}
    shown = set(re.findall(r"!\[[^]]*\]\((docs/[^)]+)\)", README))
    shown |= {f"docs/{name}" for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", PAGES["guide.md"])}
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.webp")}
    assert made == shown == there


def commands_named() -> list[str]:
    found = [span for span in spans(PROSE) if span.startswith("curator ")]
    return [span.replace(r"\|", "|") for span in found]


def test_every_command_in_the_docs_exists() -> None:
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
            assert words[0] in verbs or words[0].startswith(("~", "FOLDER", "[F")), command


def test_every_setting_and_variable_in_the_docs_exists() -> None:
    from curator.cli.machine import environment_variable, every_setting

    known = [f"{section}.{field}" for section, field, _, _ in every_setting()]
    sections = {name.partition(".")[0] for name in known}
    named = [span for span in spans(PROSE) if span.partition(".")[0] in sections and "." in span]
    assert "vision.automatic" in named and [name for name in named if name not in known] == []
    variables = set(re.findall(r"\bCURATOR_\w+", PROSE))
    assert variables <= {*map(environment_variable, known), "CURATOR_HOME", "CURATOR_VISION_KEY"}


def test_every_figure_in_the_docs_names_the_bar_that_reproduces_it() -> None:
    # Read, not imported: all bars together import everything there is.
    bench = (ROOT / "curator" / "bench" / "__init__.py").read_text("utf-8")
    bars = set(re.findall(r'^ +Bar\("(\w+)"', bench, re.MULTILINE))
    table = PAGES["performance.md"].partition("## A million")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    figures = [row for row in rows if "---" not in row and "| What |" not in row]
    assert len(figures) > 20
    for row in figures:
        reproduce = re.search(r"`curator bench --only (\w+)`", row)
        assert reproduce, row
        assert reproduce[1] in bars, row


# Key -> the commands the prose says it runs. A page that names another key adds it here.
KEY_COMMANDS: dict[str, str] = {
    "/": "search",
    "0": "stars_0",
    "1": "stars_1",
    "5": "stars_5",
    "6": "label_red",
    "9": "label_blue",
    "?": "help_",
    "A": "step_focus",
    "Alt+1": "cull",
    "Alt+2": "rate",
    "Alt+Down": "move_later",
    "Alt+G": "remove_from_stack",
    "Alt+K": "keep_stack",
    "Alt+Up": "move_earlier",
    "B": "toggle_project",
    "Backspace": "drop",
    "C": "compare",
    "Ctrl+,": "settings",
    "Ctrl+1": "candidate_1",
    "Ctrl+4": "candidate_4",
    "Ctrl+G": "stack_selection",
    "Ctrl+I": "overview",
    "Ctrl+K": "palette",
    "Ctrl+L": "find_similar",
    "Ctrl+O": "open_folder",
    "Ctrl+S": "write_sidecars",
    "Ctrl+Shift+E": "export",
    "Ctrl+Shift+F": "save_search",
    "Ctrl+Shift+G": "unstack",
    "Ctrl+Shift+I": "import_card",
    "Ctrl+Shift+Z": "redo",
    "Ctrl+T": "taste",
    "Ctrl+Z": "undo",
    "D": "describe",
    "Enter": "enter open_frame promote",
    "Esc": "back",
    "F": "toggle_fullscreen",
    "H": "toggle_histogram",
    "I": "toggle_inspector",
    "J": "toggle_clipping",
    "K": "keep_this",
    "L": "surround",
    "M": "toggle_stars_advance",
    "N": "survey",
    "O": "order",
    "P": "pick",
    "Q": "toggle_faces",
    "V": "step_text",
    "R": "switch_source",
    "S": "toggle_stack",
    "Shift+B": "choose_project",
    "Shift+Q": "face_table",
    "Shift+R": "split_pair",
    "Shift+T": "tag_again",
    "Shift+Z": "next_face",
    "Space": "space",
    "T": "tag",
    "Tab": "switch_pane",
    "U": "unflag",
    "W": "why",
    "X": "reject",
    "Z": "zoom",
}
# Bold, and no command's key.
NO_KEY = {
    "Shift",
    "Windows",
    "Scan",
    "Peek",
    "Convert",
    "Faces",
    "Embed",
    "Stack",
    "Describe",
    "Find",
    "Headers",
    "Plan",
    "Copy",
    "Verify",
    "Verified",
    "Record",
    "Ctrl+C",
}
# How prose writes a key, and how a keymap does.
KEY_NAMES = {"Enter": "Return"}


def keys_named() -> set[str]:
    """Return the keys named in the prose: short bold words, and those with a modifier."""
    bold = re.findall(r"\*\*([^*]+)\*\*", PROSE)
    keys = {text for text in bold if re.fullmatch(r"[A-Z0-9/?]|[A-Z][a-z]+|(\w+\+)+\S+", text)}
    keys |= set(re.findall(r"\b(?:(?:Ctrl|Alt|Shift)\+)+(?:[A-Z][a-z]*|\d|,)", PROSE))
    return keys - NO_KEY


def test_every_key_in_the_docs_is_bound_as_described() -> None:
    from curator.keyboard import Keyboard

    assert keys_named() == set(KEY_COMMANDS), "add what the prose says it does to KEY_COMMANDS"
    for key, does in KEY_COMMANDS.items():
        for command in does.split():
            assert command in commands.COMMANDS, command
            assert KEY_NAMES.get(key, key) in Keyboard().keys_of(command), f"{key} is not {command}"


def test_the_instructions_for_extending_name_existing_tables() -> None:
    part = PAGES["architecture.md"].partition("## To add")[2].partition("`tests/architecture/")[0]
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


def test_neither_machine_nor_registry_is_named() -> None:
    hosts = re.findall(r"https?://(?!localhost:)[^\s)>\"']+", ALL)
    assert hosts == []
    assert "/work/" not in ALL and "/home/" not in ALL
