"""The README's tables, made from the tables in the code: ``python -m curator.cli.reference``.

A block of the README between ``<!-- keys -->`` and ``<!-- /keys -->`` (likewise ``commands`` and
``settings``) is replaced by what is rendered here; a test fails while the two differ.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from curator import keymap
from curator.cli.machine import env, every_setting
from curator.cli.verbs import VERBS


def commands_table() -> str:
    """Render the verbs as a Markdown table."""
    lines = ["| command | does |", "| --- | --- |"]
    lines.append("| `curator [FOLDER...]` | open the window, adding the folders |")
    for verb in VERBS:
        usage = f"curator {verb.name} {verb.usage}".strip().replace("|", "\\|")
        lines.append(f"| `{usage}` | {verb.help} |")
    return "\n".join(lines)


def settings_table() -> str:
    """Render the settings as a Markdown table."""
    lines = ["| setting | environment | default | what |", "| --- | --- | --- | --- |"]
    for section, field, title, default in every_setting():
        name = f"{section}.{field}"
        lines.append(f"| `{name}` | `{env(name)}` | `{default}` | {title} |")
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {
    "keys": keymap.rendered,
    "commands": commands_table,
    "settings": settings_table,
}


def filled(text: str) -> str:
    """Return a README's text with every generated block as the code has it today.

    Raises:
        ValueError: a block's markers are not there exactly once.
    """
    for name, render in BLOCKS.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the block <!-- {name} --> ... <!-- /{name} --> is not there once")
        before, after = pattern.findall(text)[0]
        start = text.index(before)
        end = text.index(after) + len(after)
        text = f"{text[:start]}{before}{render()}\n{after}{text[end:]}"
    return text


def main(argv: Sequence[str]) -> int:
    """Bring a README up to date, ``README.md`` unless one is named."""
    path = Path(argv[0] if argv else "README.md")
    path.write_text(filled(path.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
