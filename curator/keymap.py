"""The whole keyboard as one table: which keys run which command, in which views.

To bind a key, add one line. The table is checked at import: a key bound twice in one view, an
unknown key or an unknown command raises an error, because Qt silently ignores ambiguous keys.
:mod:`curator.keyboard` applies presets and personal keys to the table.

A key is spelled as in Qt's portable text: ``Ctrl+Shift+E``. The number pad needs no line: its
digits, signs and Enter (``Return``) work like the main keys. ``Ctrl+[`` needs AltGr on many
keyboards, and ``-`` is a digit key on a French one; a command with such a key has a second key that
works everywhere.

Each deviation from Lightroom's keys has a reason: Space keeps in the cull, because keeping is most
frequent and Space is the largest key. Left and Right never decide. Delete deletes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from curator.commands import COMMANDS

VIEWS = ("grid", "loupe", "compare", "survey", "face table", "finish", "overview")
_ALWAYS = frozenset(VIEWS)
_EVERYWHERE = _ALWAYS - {"overview"}  # wherever there are photos
_GRID = frozenset({"grid"})
_COMPARE = frozenset({"compare"})
_SURVEY = frozenset({"survey"})
_FACES = frozenset({"face table"})
_BESIDE = _COMPARE | _SURVEY
_LIST = frozenset({"grid", "loupe"})
_FINISH = frozenset({"finish"})
_LOUPE = frozenset({"loupe"})
_CLOSE = _LOUPE | _BESIDE
_PHOTOS = _LIST | _BESIDE | _FACES


@dataclass(frozen=True, slots=True)
class Binding:
    """One line of the keymap.

    Attributes:
        keys: a key as :func:`spelled`.
        command: name in COMMANDS.
        views: where the key works.
        repeat: whether a held key repeats; never for marks.
        invert: whether the key inverts auto-advance (Shift with a mark).
    """

    keys: str
    command: str
    views: frozenset[str] = _PHOTOS
    repeat: bool = False
    invert: bool = False


def _mark(keys: str, command: str, views: frozenset[str] = _PHOTOS) -> tuple[Binding, Binding]:
    """Bind a mark, and the same key with Shift, which inverts auto-advance.

    Shift with a digit types another character on most layouts. The window reads the modifier and
    the physical key, so that ``Shift+1`` works all the same.
    """
    return Binding(keys, command, views), Binding(f"Shift+{keys}", command, views, invert=True)


KEYMAP: tuple[Binding, ...] = (
    Binding("Alt+0", "browse", _ALWAYS),
    Binding("Alt+1", "cull", _ALWAYS),
    Binding("Alt+2", "rate", _ALWAYS),
    Binding("O", "order", _EVERYWHERE),
    Binding("Shift+O", "reverse_order"),
    Binding("G", "grid", _ALWAYS),
    Binding("E", "loupe", _GRID | _BESIDE),
    Binding("C", "compare", _LIST | _SURVEY | _FACES),
    Binding("N", "survey", _LIST | _COMPARE | _FACES),
    Binding("Shift+Q", "face_table", _PHOTOS),
    Binding("Return", "enter", _GRID),
    Binding("Return", "open_frame", _FACES),
    Binding("E", "open_frame", _FACES),
    Binding("Esc", "back", _ALWAYS),
    Binding("Space", "space"),
    Binding("Shift+Space", "space", invert=True),
    *_mark("K", "keep_this", _LIST | _FACES),
    *_mark("K", "keep", _BESIDE),  # side by side, a mark applies to one photo
    Binding("Alt+K", "keep_stack", _LIST | _FACES),
    *_mark("P", "pick"),
    *_mark("X", "reject"),
    *_mark("U", "unflag"),
    *_mark("1", "stars_1"),
    *_mark("2", "stars_2"),
    *_mark("3", "stars_3"),
    *_mark("4", "stars_4"),
    *_mark("5", "stars_5"),
    *_mark("0", "stars_0"),
    *_mark("6", "label_red"),
    *_mark("7", "label_yellow"),
    *_mark("8", "label_green"),
    *_mark("9", "label_blue"),
    Binding("M", "toggle_stars_advance", _EVERYWHERE),
    Binding("T", "tag"),
    Binding("Shift+T", "tag_again"),
    Binding("Ctrl+Z", "undo", _ALWAYS),
    Binding("Ctrl+Shift+Z", "redo", _ALWAYS),
    Binding("Ctrl+Y", "redo", _ALWAYS),
    Binding("Del", "delete", _EVERYWHERE),
    Binding("Right", "next_photo", _EVERYWHERE, repeat=True),
    Binding("Left", "previous_photo", _EVERYWHERE, repeat=True),
    Binding("Backspace", "previous_photo", _EVERYWHERE - _SURVEY - _FACES, repeat=True),
    Binding("Down", "down", repeat=True),
    Binding("Up", "up", repeat=True),
    Binding("PgDown", "page_down", _GRID | _FACES, repeat=True),
    Binding("PgUp", "page_up", _GRID | _FACES, repeat=True),
    Binding("Ctrl+Right", "next_unreviewed", _LIST | _FINISH),
    Binding("Ctrl+Left", "previous_unreviewed", _LIST | _FINISH),
    Binding("Home", "first", _LIST),
    Binding("End", "last", _LIST),
    Binding("S", "toggle_stack", _GRID),
    Binding("Ctrl+G", "stack_selection", _GRID),
    Binding("Ctrl+Shift+G", "unstack", _LIST),
    Binding("Alt+G", "remove_from_stack"),
    Binding("Tab", "switch_pane", _BESIDE),
    Binding("Return", "promote", _COMPARE),
    Binding("Backspace", "drop", _SURVEY),
    Binding("Ctrl+1", "candidate_1", _LOUPE),
    Binding("Ctrl+2", "candidate_2", _LOUPE),
    Binding("Ctrl+3", "candidate_3", _LOUPE),
    Binding("Ctrl+4", "candidate_4", _LOUPE),
    Binding("B", "toggle_project"),
    Binding("Shift+B", "choose_project", _EVERYWHERE),
    Binding("Alt+Up", "move_earlier", _GRID),
    Binding("Alt+Down", "move_later", _GRID),
    Binding("Alt+Home", "move_to_front", _GRID),
    Binding("Alt+End", "move_to_end", _GRID),
    Binding("Ctrl+A", "select_all", _GRID),
    Binding("Ctrl+D", "select_none", _GRID),
    Binding("Z", "zoom", _CLOSE | _FACES),
    Binding("Shift+Z", "next_face", _CLOSE),
    Binding("Q", "toggle_faces", _LOUPE),
    Binding("+", "larger"),
    Binding("=", "larger"),
    Binding("Ctrl++", "larger"),
    Binding("Ctrl+=", "larger"),
    Binding("-", "smaller"),
    Binding("Ctrl+-", "smaller"),
    Binding("Ctrl+[", "turn_left"),
    Binding("Alt+Left", "turn_left"),
    Binding("Ctrl+]", "turn_right"),
    Binding("Alt+Right", "turn_right"),
    Binding("R", "switch_source", _CLOSE),
    Binding("Shift+R", "split_pair"),
    Binding("J", "toggle_clipping", _CLOSE),
    Binding("A", "step_focus", _CLOSE),
    Binding("H", "toggle_histogram", _CLOSE),
    Binding("V", "step_text", _CLOSE),
    Binding("L", "surround", _CLOSE),
    Binding("I", "toggle_inspector", _PHOTOS),
    Binding("F7", "toggle_sidebar", _ALWAYS),
    Binding("W", "why", _PHOTOS),
    Binding("D", "describe", _PHOTOS),
    Binding("Tab", "toggle_panels", _LIST | _FACES),
    Binding("F", "toggle_fullscreen", _ALWAYS),
    Binding("/", "search", _ALWAYS),
    Binding("Ctrl+F", "search", _ALWAYS),
    Binding("Ctrl+Shift+F", "save_search", _EVERYWHERE),
    Binding("Ctrl+L", "find_similar", _PHOTOS),
    Binding("F5", "reapply", _GRID),
    Binding("?", "help_", _ALWAYS),
    Binding("Ctrl+I", "overview", _ALWAYS),
    Binding("Ctrl+T", "taste", _ALWAYS),
    Binding("Ctrl+K", "palette", _ALWAYS),
    Binding("F10", "menu", _ALWAYS),
    Binding("Ctrl+O", "open_folder", _ALWAYS),
    Binding("Ctrl+Shift+I", "import_card", _ALWAYS),
    Binding("Ctrl+Shift+E", "export", _ALWAYS),
    Binding("Ctrl+E", "open_in_editor"),
    Binding("Ctrl+R", "show_file"),
    Binding("Ctrl+S", "write_sidecars"),
    Binding("Ctrl+,", "settings", _ALWAYS),
    Binding("Ctrl+Q", "quit_", _ALWAYS),
)


class KeymapError(ValueError):
    """The table contradicts itself; the message names the key."""


_MODIFIERS = ("Meta", "Ctrl", "Alt", "Shift")  # in the order of Qt's portable text
_NAMED = (
    *("Esc", "Tab", "Backspace", "Return", "Ins", "Del", "Pause", "Print", "Menu", "Space"),
    *("Home", "End", "Left", "Up", "Right", "Down", "PgUp", "PgDown"),
    *(f"F{number}" for number in range(1, 25)),
)
_BY_NAME = {name.lower(): name for name in (*_MODIFIERS, *_NAMED)} | {
    "enter": "Return",
    "escape": "Esc",
    "insert": "Ins",
    "delete": "Del",
    "pageup": "PgUp",
    "pagedown": "PgDown",
    "control": "Ctrl",
}


@lru_cache(maxsize=1024)  # each start, and each change of a key, spells the whole table
def spelled(keys: str) -> str:
    """Spell a key as the table does: ``shift+ctrl+e`` is ``Ctrl+Shift+E``.

    Raises:
        KeymapError: there is no such key, or Shift makes another character of it on many
            keyboards; the message says what to write.
    """
    rest, key = keys.strip(), "+"
    if rest == "+" or rest.endswith("++"):  # the plus key itself
        rest = rest[:-1].removesuffix("+")
    else:
        rest, _, key = rest.rpartition("+")
    held = {_BY_NAME.get(each.strip().lower(), each) for each in rest.split("+") if each.strip()}
    key = key.strip()
    name = key.upper() if len(key) == 1 and key.isprintable() else _BY_NAME.get(key.lower(), "")
    if not name or name in _MODIFIERS or len(name) != len(key) == 1 or not held <= {*_MODIFIERS}:
        raise KeymapError(f"{keys or 'an empty text'} is not a key")
    if len(name) == 1 and not name.isalnum() and "Shift" in held:
        raise KeymapError(f"{keys} types another character: write that, without Shift")
    return "+".join([*(each for each in _MODIFIERS if each in held), name])


def shifted(keys: str) -> str | None:
    """Return a key with Shift added; None if it has Shift, or Shift types another character."""
    key = keys[-1] if keys.endswith("+") else keys.rpartition("+")[2]
    if "Shift+" in keys or (len(key) == 1 and not key.isalnum()):
        return None
    return spelled(f"Shift+{keys}")


def check(keymap: Iterable[Binding]) -> None:
    """Check that each key is valid, runs a command, and is bound once in each view.

    Raises:
        KeymapError: the message names the key and the reason.
    """
    taken: dict[tuple[str, str], str] = {}
    for binding in keymap:
        if binding.command not in COMMANDS:
            raise KeymapError(f"{binding.keys} is bound to {binding.command}, not a command")
        if spelled(binding.keys) != binding.keys:
            raise KeymapError(f"{binding.keys} must be written {spelled(binding.keys)}")
        if not binding.views <= set(VIEWS):
            raise KeymapError(f"{binding.keys} names an unknown view")
        for view in sorted(binding.views, key=VIEWS.index):
            other = taken.setdefault((binding.keys, view), binding.command)
            if other != binding.command:
                commands = f"{other} and {binding.command}"
                raise KeymapError(f"{binding.keys} is bound to both {commands} in {view}")


check(KEYMAP)
