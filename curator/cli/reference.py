"""The generated parts of docs/: ``python -m curator.cli.reference``.

Developers run it after changing a key, a command, a verb, a setting or the search language. It
replaces the text between ``<!-- NAME -->`` and ``<!-- /NAME -->`` in each page by what it renders
from the tables in the code. A test fails while a page and the code differ.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from curator import keymap
from curator.cli.machine import every_setting
from curator.cli.verbs import VERBS, Verb
from curator.commands import COMMANDS, GROUPS
from curator.keyboard import Keyboard
from curator.library.filters import FIELDS, FILTERS
from curator.settings import Settings

# Names of keys in full, as `keys.toml` accepts them, too.
_TITLES = {"Return": "Enter", "PgUp": "PageUp", "PgDown": "PageDown"}


def keys_tables() -> str:
    """Render the keymap: a heading and a Markdown table for each group of commands."""
    parts, keyboard = [], Keyboard()
    for group in GROUPS:
        lines = [f"## {group}", "", "| Key | Command | What it does |", "| --- | --- | --- |"]
        for name, command in COMMANDS.items():
            if command.group == group and (keys := keyboard.keys_of(name)):
                shown = " or ".join(_key(key, name) for key in keys)
                lines.append(f"| {shown} | `{name}` | {command.help.splitlines()[0]} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _key(key: str, command: str) -> str:
    """Render a key; if it runs other commands elsewhere, with the views in which it runs this."""
    lines = [line for line in keymap.KEYMAP if line.keys == key]
    shown = f"`{_TITLES.get(key, key)}`"
    if all(line.command == command for line in lines):
        return shown
    views = {view for line in lines if line.command == command for view in line.views}
    return f"{shown} ({', '.join(view for view in keymap.VIEWS if view in views)})"


def commands_sections() -> str:
    """Render the verbs: their usage, what they do and every option."""
    return "\n\n".join(_section(verb) for verb in VERBS)


def _section(verb: Verb) -> str:
    parser = argparse.ArgumentParser(add_help=False)
    verb.arguments(parser)
    lines = [f"## {verb.name}", "", f"`curator {verb.name} {verb.usage}`".replace(" `", "`"), ""]
    lines.append(f"{verb.help}.")
    options = [
        _option(action) for action in parser._actions if action.help is not argparse.SUPPRESS
    ]
    return "\n".join([*lines, *(["", *options] if options else [])])


def _option(action: argparse.Action) -> str:
    """Render one argument as a line of a Markdown list."""
    choices = "|".join(map(str, action.choices or ()))
    value = action.metavar or choices or action.dest.upper()
    value = " ".join(value) if isinstance(value, tuple) else value
    names = action.option_strings or [value]
    shown = ", ".join(names)
    if action.option_strings and action.nargs != 0:
        shown += f" {value}"
    help_text = (action.help or "").replace("%%", "%")
    if choices and value != choices:
        help_text += f"{'; ' if help_text else ''}{', '.join(map(str, action.choices or ()))}"
    return f"- `{shown}`" + (f": {help_text}" if help_text else "")


def settings_tables() -> str:
    """Render the settings: a heading and a Markdown table for each section."""
    parts = []
    for section in Settings.model_fields:
        lines = [f"## {section}", "", "| Setting | Default | What it does |", "| --- | --- | --- |"]
        for group, field, title, default in every_setting():
            if group == section:
                lines.append(f"| `{section}.{field}` | {_value(default)} | {title} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _value(default: object) -> str:
    """Render a default as it is written in ``settings.json``; empty for an empty text."""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if str(default) else ""


def search_tables() -> str:
    """Render the fields of a search, and what ``is:`` finds, as Markdown tables."""
    lines = ["| Field | Finds by | Example |", "| --- | --- | --- |"]
    lines += [f"| `{n}:` | {field.about} | `{n}:{field.example}` |" for n, field in FIELDS.items()]
    lines += ["", "| Filter | Finds |", "| --- | --- |"]
    lines += [f"| `is:{name}` | {title} |" for name, (title, _) in FILTERS.items()]
    return "\n".join(lines)


# Page → block → the function that renders it.
PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "docs/guide.md": {"search": search_tables},
    "docs/keys.md": {"keys": keys_tables},
    "docs/commands.md": {"commands": commands_sections},
    "docs/settings.md": {"settings": settings_tables},
}


def filled(page: str, text: str) -> str:
    """Return the text of a page with every generated block updated from the code.

    Raises:
        KeyError: the page is not in PAGES.
        ValueError: the markers of a block are missing or doubled.
    """
    for name, render in PAGES[page].items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        content = f"\n{render()}\n\n"
        blocks = list(block.finditer(text))
        if len(blocks) != 1:
            raise ValueError(f"{page} has {len(blocks)} blocks <!-- {name} --> instead of one")
        text = f"{text[: blocks[0].end(1)]}{content}{text[blocks[0].start(2) :]}"
    return text


def main(argv: Sequence[str]) -> int:
    """Update the pages of a checkout: the current folder, or the one named."""
    root = Path(argv[0] if argv else ".")
    for page in PAGES:
        path = root / page
        path.write_text(filled(page, path.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
