"""The keys in force: KEYMAP, over it a preset, over that what a person changed in ``keys.toml``.

A file of keys is small and made to be read, shared and written by hand::

    preset = "lightroom"
    reject = ["X", "Ctrl+Backspace"]
    zoom = ["Z"]

A line gives a command these keys and no others; a command without a line has those of the preset.
The presets are files of the same form in ``resources/keys``, each saying what it does not take
over from its program. Where a key means something, and whether it repeats while it is held, is
the command's in KEYMAP; Shift with a mark turns the advance rule round wherever that key is free.
"""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from curator.commands import COMMANDS
from curator.keymap import KEYMAP, VIEWS, Binding, KeymapError, check, shifted, spelled
from curator.model import KnownError
from curator.settings import Home, parse_problem, read_small_file, resource, write_text_file

Changes = Mapping[str, tuple[str, ...]]  # command -> its keys, all of them

PRESETS = ("curator", "lightroom", "photo_mechanic", "darktable")
_LONGEST = 400  # characters of a line
_TOP = """\
# Keys of Curator: what differs from the preset, each line a command and all its keys.
# `curator keys` lists the commands. Presets: {presets}.
"""


class KeysError(KnownError):
    """A file of keys cannot be used; the sentence names key and command."""


@dataclass(frozen=True, slots=True)
class Preset:
    """The keys of a program people know.

    Attributes:
        name: of the file.
        title: the program.
        changes: what differs from KEYMAP.
        flags_stay: a flag stays on the photo, as stars do; Shift with it goes to the next.
        caps_lock: while Caps Lock is on, flags, stars and labels go to the next photo.
    """

    name: str
    title: str
    changes: Changes
    flags_stay: bool = False
    caps_lock: bool = False


@dataclass(frozen=True)
class Keyboard:
    """A preset and what a person changed of it.

    Raises:
        KeymapError: two commands have one key in one view; the message names all three.
    """

    preset: str = PRESETS[0]
    changes: Changes = field(default_factory=dict)
    bindings: tuple[Binding, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        bindings = layered({**preset(self.preset).changes, **self.changes})
        object.__setattr__(self, "bindings", bindings)

    @cached_property
    def _keys(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for line in self.bindings:
            if not line.invert:
                found[line.command] = (*found.get(line.command, ()), line.keys)
        return found

    def keys_of(self, command: str) -> tuple[str, ...]:
        """Give the keys of a command, the plain ones."""
        return self._keys.get(command, ())

    def first_keys(self) -> dict[str, str]:
        """Give the first key of each command that has one, for sentences that name a key."""
        return {command: keys[0] for command, keys in self._keys.items()}

    def others(self, command: str, keys: str) -> list[str]:
        """Name the other commands that have this key where ``command`` means something."""
        views = views_of(command)
        found = (line for line in self.bindings if line.keys == keys and not line.invert)
        return [line.command for line in found if line.command != command and line.views & views]

    def with_keys(self, changes: Mapping[str, Sequence[str]]) -> Keyboard:
        """Give commands these keys; what is as in the preset is no change.

        Raises:
            KeymapError: one of the keys means something else already.
        """
        wanted = dict(self.changes) | {name: tuple(keys) for name, keys in changes.items()}
        return Keyboard(
            self.preset,
            {name: keys for name, keys in wanted.items() if keys != self.usual(name)},
        )

    def usual(self, command: str) -> tuple[str, ...]:
        """Give the keys the preset has for a command."""
        return _as_it_comes(self.preset).keys_of(command)


@lru_cache(maxsize=len(PRESETS))
def _as_it_comes(preset: str) -> Keyboard:
    return Keyboard(preset)


def views_of(command: str) -> frozenset[str]:
    """Tell where a command means something: where KEYMAP binds it, else everywhere."""
    views = [line.views for line in KEYMAP if line.command == command]
    return frozenset().union(*views) if views else frozenset(VIEWS)


def layered(changes: Changes) -> tuple[Binding, ...]:
    """Lay changes over KEYMAP.

    Returns:
        The lines as they then are: first the plain keys, then Shift with those commands KEYMAP
        inverts, wherever no plain key wants that.

    Raises:
        KeymapError: a command or key is none, or a key is bound twice in one view.
    """
    unknown = [name for name in changes if name not in COMMANDS]
    if unknown:
        keys = ", ".join(changes[unknown[0]]) or "no key"
        raise KeymapError(f"{keys} is bound to {unknown[0]}, which is no command")
    plain = [line for line in KEYMAP if not line.invert and line.command not in changes]
    for command, wanted in changes.items():
        plain += [_line(command, each) for each in dict.fromkeys(wanted)]
    check(plain)
    taken = {(line.keys, view) for line in plain for view in line.views}
    turned = []
    inverts = {line.command for line in KEYMAP if line.invert}
    for line in plain:
        other = shifted(line.keys) if line.command in inverts else None
        if other is not None:
            free = frozenset(view for view in line.views if (other, view) not in taken)
            turned += [Binding(other, line.command, free, invert=True)] if free else []
    return (*plain, *turned)


def _line(command: str, keys: str) -> Binding:
    """Bind a key as KEYMAP does it for this command."""
    own = [line for line in KEYMAP if line.command == command and not line.invert]
    same = [line for line in own if line.keys == keys]
    repeat = any(line.repeat for line in own)
    return same[0] if same else Binding(keys, command, views_of(command), repeat)


@lru_cache(maxsize=len(PRESETS))
def preset(name: str) -> Preset:
    """Read a preset of ``resources/keys``.

    Raises:
        KeymapError: there is none of that name.
    """
    if name not in PRESETS:
        raise KeymapError(f"preset {name} is none of {', '.join(PRESETS)}")
    head, changes = _parsed(resource("keys") / f"{name}.toml", ("title", "flags", "caps_lock"))
    flags_stay, caps_lock = head.get("flags") == "stay", head.get("caps_lock") == "advances"
    return Preset(name, head["title"], changes, flags_stay, caps_lock)


# --- files of keys


def keys_file(home: Home) -> Path:
    """Say where a home keeps what differs from the preset."""
    return home.data / "keys.toml"


def load(path: Path) -> Keyboard:
    """Read a file of keys.

    Raises:
        KeysError: it cannot be read, is no TOML, or contradicts itself; the sentence says how.
    """
    head, changes = _parsed(path)
    try:
        return Keyboard(head.get("preset", PRESETS[0]), changes)
    except KeymapError as error:
        raise KeysError(f"{path.name} is not used: {error}.") from error


def save(keyboard: Keyboard, path: Path) -> None:
    """Write a file of keys, through a temporary file.

    A file there that cannot be used is somebody's work all the same: it is kept beside, with
    ``.refused`` at its end.

    Raises:
        KnownError: the place cannot be written; the old file stays.
    """
    text = _TOP.format(presets=", ".join(PRESETS)) + f"preset = {_quoted(keyboard.preset)}\n"
    text += "".join(
        f"{command} = [{', '.join(map(_quoted, keyboard.changes[command]))}]\n"
        for command in COMMANDS
        if command in keyboard.changes
    )
    aside = path.with_name(f"{path.name}.refused") if refused(path) else None
    write_text_file(path, text, f"The keys could not be saved in {path.parent}", aside)


def refused(path: Path) -> str:
    """Say why a file of keys cannot be used; empty where it can, or where there is none."""
    try:
        if path.exists():
            load(path)
    except KeysError as error:
        return str(error.args[0])
    return ""


def in_force(home: Home) -> tuple[Keyboard, str]:
    """Give the keys of a home, and a sentence where its file cannot be used.

    The keys are then those of the preset the file names, or Curator's own where it names none.
    """
    path = keys_file(home)
    if not path.exists():
        return Keyboard(), ""
    try:
        return load(path), ""
    except KeysError as error:
        why = str(error.args[0])
    with contextlib.suppress(KeysError, KeymapError):
        return Keyboard(_parsed(path, only_head=True)[0].get("preset", PRESETS[0])), why
    return Keyboard(), why


def _parsed(
    path: Path, heads: Sequence[str] = ("preset", "title"), *, only_head: bool = False
) -> tuple[dict[str, str], Changes]:
    """Read a file of keys as its head (the lines named ``heads``) and its other lines.

    Raises:
        KeysError: as :func:`load`, but for what only layering finds out.
    """
    not_used = f"{path.name} is not used:"
    try:
        found = tomllib.loads(_narrow(read_small_file(path, "utf-8-sig")))
    except (OSError, ValueError, RecursionError) as error:
        raise KeysError(f"{not_used} {' '.join(parse_problem(error).split())}.") from error
    head: dict[str, str] = {name: found.pop(name) for name in heads if name in found}
    if not all(isinstance(value, str) for value in head.values()):
        raise KeysError(f"{not_used} preset is one of {', '.join(PRESETS)}, in quotes.")
    changes: dict[str, tuple[str, ...]] = {}
    for command, keys in ({} if only_head else found).items():
        if not isinstance(keys, list) or not all(isinstance(each, str) for each in keys):
            raise KeysError(f'{not_used} {command} is no list of keys, like ["X", "Ctrl+X"].')
        try:
            changes[command] = tuple(spelled(each) for each in keys)
        except KeymapError as error:
            raise KeysError(f"{not_used} {error} ({command}).") from error
    return head, changes


def _narrow(text: str) -> str:
    """See that no line is longer than a person writes: of one key of 20 KB the parser makes 10 s.

    Raises:
        ValueError: one is.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST:
            raise ValueError(f"line {number} is longer than {_LONGEST} characters")
    return text


def _quoted(text: str) -> str:
    """Write a text as TOML does; JSON's strings are a part of those."""
    return json.dumps(text, ensure_ascii=False)
