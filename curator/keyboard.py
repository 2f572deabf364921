"""The keys in use: KEYMAP, changed by a preset, then by the user's ``keys.toml``.

A keys file is small and meant to be read, shared and written by hand::

    preset = "lightroom"
    reject = ["X", "Ctrl+Backspace"]
    zoom = ["Z"]

A line replaces all keys of a command; a command without a line keeps those of the preset. Presets
are files of the same form in ``resources/keys``; their comments list what they do not take over
from their program. KEYMAP says in which views a command's keys work, and whether they repeat while
held. Shift with a mark inverts auto-advance wherever that key is free.
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
from curator.home import Home, resource
from curator.keymap import KEYMAP, VIEWS, Binding, KeymapError, check, shifted, spelled
from curator.model import KnownError
from curator.settings import parse_problem, read_small_file, write_text_file

KeyChanges = Mapping[str, tuple[str, ...]]  # command -> all its keys

PRESETS = ("curator", "lightroom", "photo_mechanic", "darktable")
# Former name of a command -> its name. Keys files and the palette's history may hold former names.
RENAMED = {
    "cull_elsewhere": "include_rated_externally",
    "find_series": "find_related",
    "keep_passed_over": "keep_skipped",
    "look_again": "review_skipped",
    "look_at_unseen": "continue_with_unseen",
    "maybe_1": "candidate_1",
    "maybe_2": "candidate_2",
    "maybe_3": "candidate_3",
    "maybe_4": "candidate_4",
    "next_undecided": "next_unreviewed",
    "placard": "inspect_file",
    "previous_undecided": "previous_unreviewed",
    "reject_passed_over": "reject_skipped",
    "remove_rejects": "delete_rejects",
    "split_off": "remove_from_stack",
}
_LONGEST = 400  # characters of a line
_HEADER = """\
# Keys of Curator: what differs from the preset, each line a command and all its keys.
# `curator keys` lists the commands. Presets: {presets}.
"""


class KeysError(KnownError):
    """A keys file cannot be used; the message names key and command."""


@dataclass(frozen=True, slots=True)
class Preset:
    """The keys of another program.

    Attributes:
        name: the name of its file.
        title: the program.
        changes: what differs from KEYMAP.
        flags_stay: flagging stays on the photo, as rating does; with Shift it goes to the next.
        caps_lock: while Caps Lock is on, flags, stars and labels go to the next photo.
    """

    name: str
    title: str
    changes: KeyChanges
    flags_stay: bool = False
    caps_lock: bool = False


@dataclass(frozen=True)
class Keyboard:
    """A preset with the user's changes.

    Raises:
        KeymapError: two commands have the same key in one view; the message names all three.
    """

    preset: str = PRESETS[0]
    changes: KeyChanges = field(default_factory=dict)
    bindings: tuple[Binding, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        bindings = _bindings({**preset(self.preset).changes, **self.changes})
        object.__setattr__(self, "bindings", bindings)

    @cached_property
    def _keys(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for line in self.bindings:
            if not line.invert:
                found[line.command] = (*found.get(line.command, ()), line.keys)
        return found

    def keys_of(self, command: str) -> tuple[str, ...]:
        """Return the plain keys of a command."""
        return self._keys.get(command, ())

    def first_keys(self) -> dict[str, str]:
        """Return the first key of each command that has one, for sentences that name a key."""
        return {command: keys[0] for command, keys in self._keys.items()}

    def conflicts(self, command: str, keys: str) -> list[str]:
        """Return the other commands that use this key in a view of ``command``."""
        views = views_of(command)
        found = (line for line in self.bindings if line.keys == keys and not line.invert)
        return [line.command for line in found if line.command != command and line.views & views]

    def with_keys(self, changes: Mapping[str, Sequence[str]]) -> Keyboard:
        """Return a keyboard in which the given commands have these keys.

        Raises:
            KeymapError: one of the keys already runs another command.
        """
        wanted = dict(self.changes) | {name: tuple(keys) for name, keys in changes.items()}
        return Keyboard(
            self.preset,
            {name: keys for name, keys in wanted.items() if keys != self.preset_keys_of(name)},
        )

    def preset_keys_of(self, command: str) -> tuple[str, ...]:
        """Return the keys of a command in the preset, without the user's changes."""
        return _preset_keyboard(self.preset).keys_of(command)


@lru_cache(maxsize=len(PRESETS))
def _preset_keyboard(preset: str) -> Keyboard:
    return Keyboard(preset)


def views_of(command: str) -> frozenset[str]:
    """Return the views in which a command has keys: those of KEYMAP, else all."""
    views = [line.views for line in KEYMAP if line.command == command]
    return frozenset().union(*views) if views else frozenset(VIEWS)


def _bindings(changes: KeyChanges) -> tuple[Binding, ...]:
    """Return KEYMAP with changes.

    Returns:
        First the plain keys; then Shift with each key of the marks, wherever no plain key uses it.

    Raises:
        KeymapError: a command or key does not exist, or a key is bound twice in one view.
    """
    unknown = [name for name in changes if name not in COMMANDS]
    if unknown:
        keys = ", ".join(changes[unknown[0]]) or "no key"
        raise KeymapError(f"{keys} is bound to {unknown[0]}, not a command")
    plain = [line for line in KEYMAP if not line.invert and line.command not in changes]
    for command, wanted in changes.items():
        plain += [_line(command, each) for each in dict.fromkeys(wanted)]
    check(plain)
    taken = {(line.keys, view) for line in plain for view in line.views}
    inverted = []
    inverts = {line.command for line in KEYMAP if line.invert}
    for line in plain:
        other = shifted(line.keys) if line.command in inverts else None
        if other is not None:
            free = frozenset(view for view in line.views if (other, view) not in taken)
            inverted += [Binding(other, line.command, free, invert=True)] if free else []
    return (*plain, *inverted)


def _line(command: str, keys: str) -> Binding:
    """Bind a key as KEYMAP does, or with the views and repetition of the command's other keys."""
    own = [line for line in KEYMAP if line.command == command and not line.invert]
    same = [line for line in own if line.keys == keys]
    repeat = any(line.repeat for line in own)
    return same[0] if same else Binding(keys, command, views_of(command), repeat)


@lru_cache(maxsize=len(PRESETS))
def preset(name: str) -> Preset:
    """Read a preset of ``resources/keys``.

    Raises:
        KeymapError: there is no preset of that name.
    """
    if name not in PRESETS:
        raise KeymapError(f"{name} is not a preset; there are {', '.join(PRESETS)}")
    head, changes = _parsed(resource("keys") / f"{name}.toml", ("title", "flags", "caps_lock"))
    flags_stay, caps_lock = head.get("flags") == "stay", head.get("caps_lock") == "advances"
    return Preset(name, head["title"], changes, flags_stay, caps_lock)


# --- files of keys


def keys_file(home: Home) -> Path:
    """Return the path of a home's keys file."""
    return home.data / "keys.toml"


def load(path: Path) -> Keyboard:
    """Read a keys file.

    Raises:
        KeysError: it cannot be read, is not TOML, or contradicts itself.
    """
    head, changes = _parsed(path)
    try:
        return Keyboard(head.get("preset", PRESETS[0]), changes)
    except KeymapError as error:
        raise KeysError(f"{path.name} is not used: {error}.") from error


def save(keyboard: Keyboard, path: Path) -> None:
    """Write a keys file atomically.

    An existing file that cannot be used is still somebody's work: it is copied to a file with
    ``.refused`` appended to its name.

    Raises:
        KnownError: the folder cannot be written; the old file stays.
    """
    text = _HEADER.format(presets=", ".join(PRESETS)) + f"preset = {_quoted(keyboard.preset)}\n"
    text += "".join(
        f"{command} = [{', '.join(map(_quoted, keyboard.changes[command]))}]\n"
        for command in COMMANDS
        if command in keyboard.changes
    )
    aside = path.with_name(f"{path.name}.refused") if problem_in(path) else None
    write_text_file(path, text, f"The keys could not be saved in {path.parent}", aside)


def problem_in(path: Path) -> str:
    """Return why a keys file cannot be used; empty if it can, or if there is none."""
    try:
        if path.exists():
            load(path)
    except KeysError as error:
        return str(error.args[0])
    return ""


def load_for_home(home: Home) -> tuple[Keyboard, str]:
    """Return the keys of a home, and why its file cannot be used, else "".

    If the file cannot be used, the keys are those of the preset it names, or Curator's own.
    """
    path = keys_file(home)
    if not path.exists():
        return Keyboard(), ""
    try:
        return load(path), ""
    except KeysError as error:
        problem = str(error.args[0])
    with contextlib.suppress(KeysError, KeymapError):
        return Keyboard(_parsed(path, only_head=True)[0].get("preset", PRESETS[0])), problem
    return Keyboard(), problem


def _parsed(
    path: Path, heads: Sequence[str] = ("preset", "title"), *, only_head: bool = False
) -> tuple[dict[str, str], KeyChanges]:
    """Read a keys file: the values of ``heads``, and the keys of each command.

    Raises:
        KeysError: it cannot be read, is not TOML, or a line has no list of valid keys.
    """
    not_used = f"{path.name} is not used:"
    try:
        found = tomllib.loads(_check_lines(read_small_file(path, "utf-8-sig")))
    except (OSError, ValueError, RecursionError) as error:
        raise KeysError(f"{not_used} {' '.join(parse_problem(error).split())}.") from error
    head: dict[str, str] = {name: found.pop(name) for name in heads if name in found}
    if not all(isinstance(value, str) for value in head.values()):
        raise KeysError(f"{not_used} preset must be one of {', '.join(PRESETS)}, in quotes.")
    changes: dict[str, tuple[str, ...]] = {}
    for name, keys in ({} if only_head else found).items():
        command = RENAMED.get(name, name)
        if command != name and command in found:
            continue  # the line with today's name counts
        if not isinstance(keys, list) or not all(isinstance(each, str) for each in keys):
            raise KeysError(f'{not_used} {command} needs a list of keys, like ["X", "Ctrl+X"].')
        try:
            changes[command] = tuple(spelled(each) for each in keys)
        except KeymapError as error:
            raise KeysError(f"{not_used} {error} ({command}).") from error
    return head, changes


def _check_lines(text: str) -> str:
    """Refuse lines longer than people write: the parser takes 10 s for one key of 20 KB.

    Raises:
        ValueError: a line is too long.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST:
            raise ValueError(f"line {number} is longer than {_LONGEST} characters")
    return text


def _quoted(text: str) -> str:
    """Quote a text for TOML; JSON strings are valid TOML."""
    return json.dumps(text, ensure_ascii=False)
