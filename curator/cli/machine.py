"""Verbs about this installation: the log, the settings and the keys."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from curator.cli.invocation import Invocation, check_searches, nested
from curator.cli.output import columns, tail
from curator.model import UsageError
from curator.private import mask_secrets
from curator.settings import Settings, save


def logs(invocation: Invocation) -> None:
    """Show the end of the log file."""
    lines = tail(invocation.home.log, invocation.arguments.lines)
    document = {"path": invocation.home.log, "lines": lines}
    invocation.output.answer(document, lines or [f"Nothing in {invocation.home.log} yet."])


def settings(invocation: Invocation) -> None:
    """List every setting with its value, or change some and save them.

    Raises:
        UsageError: no such name, or the value is out of range; nothing was saved.
    """
    if invocation.arguments.changes:
        _change(invocation)
    rows: list[dict[str, Any]] = []
    for section, field, title, default in every_setting():
        value = getattr(getattr(invocation.settings, section), field)
        value = mask_secrets(value) if isinstance(value, str) else value
        name = f"{section}.{field}"
        rows.append(
            {"name": name, "value": value, "default": default, "title": title, "env": env(name)}
        )
    lines = columns([(row["name"], str(row["value"]), row["title"]) for row in rows])
    invocation.output.answer({row["name"]: row for row in rows}, lines)


def _change(invocation: Invocation) -> None:
    invocation.home.make()
    kept = Settings.load(invocation.home)
    for section, fields in nested(invocation.arguments.changes).items():
        for field, value in fields.items():
            try:
                setattr(getattr(kept, section), field, value)
            except ValidationError as error:
                first = error.errors()[0]
                raise UsageError(f"{section}.{field}: {first['msg']} (got {value!r}).") from error
    check_searches(kept)
    save(kept, invocation.home)
    invocation.__dict__.pop("settings", None)


def keys(invocation: Invocation) -> None:
    """List every command with its keys; a keys file that cannot be used is reported on stderr.

    Raises:
        UsageError: there is no such preset.
    """
    from curator.commands import COMMANDS
    from curator.keyboard import PRESETS, Keyboard, keys_file, load_for_home

    chosen = invocation.arguments.preset
    if chosen is not None and chosen not in PRESETS:
        raise UsageError(f"There is no preset {chosen}.", f"There are {', '.join(PRESETS)}.")
    keyboard, refused = (Keyboard(chosen), "") if chosen else load_for_home(invocation.home)
    if refused:
        invocation.output.note(refused)
    document = {
        "preset": keyboard.preset,
        "file": keys_file(invocation.home),
        "refused": refused or None,
        "keys": {name: list(keyboard.keys_of(name)) for name in COMMANDS},
    }
    rows = [
        (name, "  ".join(keyboard.keys_of(name)), command.help.splitlines()[0])
        for name, command in COMMANDS.items()
    ]
    invocation.output.answer(document, columns(rows))


def every_setting() -> list[tuple[str, str, str, object]]:
    """List (section, field, title, default) of every setting, in the order of the models."""
    found = []
    for section, group in Settings.model_fields.items():
        for field, info in getattr(group.annotation, "model_fields", {}).items():
            title = f"{info.title}. {info.description}" if info.description else info.title
            found.append((section, field, str(title), info.default))
    return found


def env(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"CURATOR_{name.replace('.', '__').upper()}"
