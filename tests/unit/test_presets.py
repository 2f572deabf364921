"""The presets, key by key, against what the programs' own documents say a key does there.

Sources: Adobe, "Keyboard shortcuts" of Lightroom Classic (views, ratings, flags, Library); the
darktable 5 manual, lighttable (culling, full preview, star ratings and color labels, filemanager);
Camera Bits, "Selection tags and color classes", "Star ratings" and "Preview window" of Photo
Mechanic.
"""

from __future__ import annotations

import pytest

from curator.keyboard import PRESETS, Keyboard, preset
from curator.keymap import VIEWS

PHOTOS = ("grid", "loupe", "compare", "survey")
LIST = ("grid", "loupe")

# Key → what Curator does there, and where. An empty command: the key must do nothing.
SAME: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "lightroom": {
        **{str(stars): (f"stars_{stars}", PHOTOS) for stars in range(6)},
        "P": ("pick", PHOTOS),
        "X": ("reject", PHOTOS),
        "U": ("unflag", PHOTOS),
        "6": ("label_red", PHOTOS),
        "7": ("label_yellow", PHOTOS),
        "8": ("label_green", PHOTOS),
        "9": ("label_blue", PHOTOS),
        "G": ("grid", VIEWS),
        "E": ("loupe", ("grid", "compare", "survey")),
        "C": ("compare", ("grid", "loupe", "survey")),
        "N": ("survey", ("grid", "loupe", "compare")),
        "Return": ("enter", ("grid",)),
        "Z": ("zoom", ("loupe", "compare", "survey")),
        "Space": ("zoom", ("loupe",)),
        "F": ("toggle_fullscreen", VIEWS),
        "L": ("surround", ("loupe",)),
        "I": ("toggle_inspector", PHOTOS),
        "J": ("toggle_clipping", ("loupe",)),
        "Tab": ("toggle_panels", LIST),
        "Shift+Tab": ("toggle_panels", LIST),
        "Ctrl+[": ("turn_left", PHOTOS),
        "Ctrl+]": ("turn_right", PHOTOS),
        "Ctrl+=": ("larger", PHOTOS),
        "Ctrl+-": ("smaller", PHOTOS),
        "=": ("larger", ("grid",)),
        "-": ("smaller", ("grid",)),
        "B": ("toggle_project", PHOTOS),
        "\\": ("search", VIEWS),
        "Ctrl+F": ("search", VIEWS),
        "Ctrl+K": ("palette", VIEWS),  # keywords there; a preset keeps the way to all commands
        "Ctrl+G": ("stack_selection", ("grid",)),
        "Ctrl+Shift+G": ("unstack", LIST),
        "S": ("toggle_stack", ("grid",)),
        "/": ("drop", ("survey",)),
        "Ctrl+A": ("select_all", ("grid",)),
        "Ctrl+D": ("select_none", ("grid",)),
        "Ctrl+R": ("show_file", PHOTOS),
        "Ctrl+E": ("open_in_editor", PHOTOS),
        "Ctrl+S": ("write_sidecars", PHOTOS),
        "Ctrl+Shift+E": ("export", VIEWS),
        "Ctrl+Shift+I": ("import_card", VIEWS),
        "Ctrl+Z": ("undo", VIEWS),
        "Ctrl+Y": ("redo", VIEWS),
        "Ctrl+,": ("settings", VIEWS),
        "Ctrl+/": ("help_", VIEWS),
        "Left": ("previous_photo", PHOTOS),
        "Right": ("next_photo", PHOTOS),
        "Home": ("first", LIST),
        "End": ("last", LIST),
        "Backspace": ("delete", PHOTOS),  # says that no key deletes
        "Del": ("delete", PHOTOS),
        "Ctrl+L": ("", VIEWS),  # filters on and off
        "[": ("", VIEWS),  # one star less
        "]": ("", VIEWS),
        "`": ("", VIEWS),  # the next flag
    },
    "darktable": {
        **{str(stars): (f"stars_{stars}", PHOTOS) for stars in range(6)},
        "R": ("reject", PHOTOS),
        "F1": ("label_red", PHOTOS),
        "F2": ("label_yellow", PHOTOS),
        "F3": ("label_green", PHOTOS),
        "F4": ("label_blue", PHOTOS),
        "F5": ("label_purple", PHOTOS),
        "W": ("loupe", ("grid",)),
        "F": ("loupe", ("grid",)),
        "Ctrl+W": ("step_focus", ("loupe",)),
        "Ctrl+Shift+F": ("step_focus", ("loupe",)),
        "X": ("survey", LIST),
        "Ctrl+X": ("survey", LIST),
        "I": ("toggle_inspector", PHOTOS),
        "H": ("help_", VIEWS),
        "Tab": ("toggle_panels", LIST),
        "F11": ("toggle_fullscreen", VIEWS),
        "Ctrl+A": ("select_all", ("grid",)),
        "Ctrl+Shift+A": ("select_none", ("grid",)),
        "Ctrl+G": ("stack_selection", ("grid",)),
        "Ctrl+Shift+G": ("unstack", LIST),
        "Ctrl+Z": ("undo", VIEWS),
        "Ctrl+Y": ("redo", VIEWS),
        "Left": ("previous_photo", PHOTOS),
        "Right": ("next_photo", PHOTOS),
        "Home": ("first", LIST),
        "End": ("last", LIST),
        "PgUp": ("page_up", ("grid",)),
        "PgDown": ("page_down", ("grid",)),
        "Ctrl+D": ("", VIEWS),  # duplicates
        "Ctrl+C": ("", VIEWS),  # copies edits
    },
    "photo_mechanic": {
        **{f"Ctrl+{stars}": (f"stars_{stars}", PHOTOS) for stars in range(6)},
        "T": ("pick", PHOTOS),
        "Ctrl++": ("pick", PHOTOS),
        "Ctrl+-": ("unflag", PHOTOS),
        "1": ("label_red", PHOTOS),
        "2": ("label_yellow", PHOTOS),
        "3": ("label_green", PHOTOS),
        "4": ("label_blue", PHOTOS),
        "5": ("label_purple", PHOTOS),
        "8": ("reject", PHOTOS),
        "0": ("", VIEWS),  # no class
        "6": ("", VIEWS),
        "7": ("", VIEWS),
        "Ctrl+R": ("enter", ("grid",)),
        "Space": ("enter", ("grid",)),
        "Ctrl+A": ("select_all", ("grid",)),
        "Ctrl+D": ("select_none", ("grid",)),
        "Ctrl+Z": ("undo", VIEWS),
        "Left": ("previous_photo", PHOTOS),
        "Right": ("next_photo", PHOTOS),
        "Del": ("delete", PHOTOS),  # says that no key deletes
    },
}


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, keys in SAME.items() for key in keys]
)
def test_a_key_does_what_it_does_in_its_program(name: str, key: str) -> None:
    command, views = SAME[name][key]
    lines = [line for line in Keyboard(name).bindings if line.keys == key and not line.invert]
    found = {view: line.command for line in lines for view in line.views if view in views}
    assert found == (dict.fromkeys(views, command) if command else {})


@pytest.mark.parametrize("name", PRESETS)
def test_marks_stay_on_the_photo_where_they_do_in_the_program(name: str) -> None:
    """Only Curator's own keys go to the next photo by themselves."""
    its = preset(name)
    assert its.flags_stay is (name != "curator")
    assert its.caps_lock is (name == "lightroom")


@pytest.mark.parametrize("key", ["P", "X", "U", *"0123456789"])
def test_shift_advances_in_the_lightroom_preset(key: str) -> None:
    lines = [line for line in Keyboard("lightroom").bindings if line.keys == f"Shift+{key}"]
    assert lines and all(line.invert for line in lines)
    assert set(PHOTOS) <= set().union(*(line.views for line in lines))
