"""Keys one may change: how they are spelled, laid over each other, written and refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from curator import keyboard
from curator.commands import COMMANDS
from curator.home import Home
from curator.keyboard import RENAMED, Keyboard, KeysError, keys_file, load, load_for_home, save
from curator.keymap import KEYMAP, KeymapError, shifted, spelled
from curator.model import KnownError


def write(home: Home, text: str) -> Path:
    path = keys_file(home)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("x", "X"),
        ("shift+ctrl+e", "Ctrl+Shift+E"),
        ("Ctrl + K", "Ctrl+K"),
        ("+", "+"),
        ("Ctrl++", "Ctrl++"),
        ("Ctrl+,", "Ctrl+,"),
        ("Enter", "Return"),
        ("Escape", "Esc"),
        ("ö", "Ö"),
        ("f5", "F5"),
    ],
)
def test_keys_are_normalized(written: str, key: str) -> None:
    assert spelled(written) == key == spelled(key)


@pytest.mark.parametrize(
    "written", ["", "Ctrl", "Ctrl+", "Frob", "a+b", "X, Y", "Shift+?", "Num+5"]
)
def test_an_unknown_key_is_refused_by_name(written: str) -> None:
    with pytest.raises(KeymapError, match=r"not a key|without Shift"):
        spelled(written)


@pytest.mark.parametrize(
    ("key", "with_shift"),
    [
        ("X", "Shift+X"),
        ("Ctrl+1", "Ctrl+Shift+1"),
        ("F1", "Shift+F1"),
        ("-", None),
        ("Ctrl++", None),
    ],
)
def test_shift_is_added_only_where_it_types_no_other_character(
    key: str, with_shift: str | None
) -> None:
    assert shifted(key) == with_shift


# --- layers


def test_without_changes_the_keys_are_those_of_keymap() -> None:
    assert set(Keyboard().bindings) == set(KEYMAP)


def test_changed_keys_replace_all_keys_of_a_command() -> None:
    mine = Keyboard().with_keys({"reject": ["X", "Y"], "undo": []})
    assert mine.keys_of("reject") == ("X", "Y")
    assert mine.keys_of("undo") == ()
    assert "undo" not in mine.first_keys() and mine.first_keys()["reject"] == "X"
    assert mine.keys_of("pick") == ("P",)


def test_a_changed_key_works_in_the_views_of_its_command() -> None:
    mine = Keyboard().with_keys({"zoom": ["Z", "Y"], "next_photo": ["Right", "F12"]})
    lines = {line.keys: line for line in mine.bindings}
    assert lines["Y"].views == lines["Z"].views
    assert lines["F12"].repeat and lines["F12"].views == lines["Right"].views


def test_shift_with_a_mark_inverts_unless_the_key_is_used() -> None:
    mine = Keyboard().with_keys({"reject": ["Y"], "export": ["Shift+P"]})
    turned = {line.keys: line.command for line in mine.bindings if line.invert}
    assert turned["Shift+Y"] == "reject"
    assert "Shift+X" not in turned and "Shift+P" not in turned


def test_a_key_that_is_in_use_is_refused_naming_both_commands() -> None:
    assert Keyboard().conflicts("reject", "P") == ["pick"]
    assert Keyboard().conflicts("reject", "Y") == []
    assert Keyboard().conflicts("reject", "X") == [], "it is its own"
    assert Keyboard().conflicts("select_all", "Z") == [], "zoom means nothing in the grid"
    with pytest.raises(KeymapError, match=r"^P is bound to both pick and reject in grid$"):
        Keyboard().with_keys({"reject": ["P"]})
    taken_over = Keyboard().with_keys({"reject": ["P"], "pick": []})
    assert taken_over.keys_of("pick") == ()


def test_keys_equal_to_the_preset_are_no_change() -> None:
    changed = Keyboard("darktable").with_keys({"reject": ["Y"]})
    assert changed.preset_keys_of("reject") == ("R",)
    assert changed.with_keys({"reject": ["R"]}) == Keyboard("darktable")


def test_presets_differ_as_their_programs_do() -> None:
    assert Keyboard("lightroom").keys_of("zoom") == ("Z", "Space")
    assert Keyboard("photo_mechanic").keys_of("pick")[0] == "T"
    assert Keyboard("photo_mechanic").keys_of("stars_5") == ("Ctrl+5",)
    assert Keyboard("darktable").keys_of("reject") == ("R",)
    assert "Space" in Keyboard("darktable").keys_of("next_photo")


# --- files


def test_a_file_holds_only_changes_and_is_read_back(home: Home) -> None:
    mine = Keyboard("lightroom").with_keys({"reject": ["X", '"'], "undo": []})
    save(mine, keys_file(home))
    text = keys_file(home).read_text("utf-8")
    assert tomllib.loads(text) == {"preset": "lightroom", "reject": ["X", '"'], "undo": []}
    assert text.startswith("#") and len(text.splitlines()) == 5
    assert load(keys_file(home)) == mine
    assert load_for_home(home) == (mine, "")
    assert sorted(path.name for path in home.data.glob("keys*")) == ["keys.toml"]


def test_without_a_file_the_keys_are_curators_own(home: Home) -> None:
    assert load_for_home(home) == (Keyboard(), "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('frobnicate = ["Y"]', "Y is bound to frobnicate, not a command"),
        ('reject = ["P"]', "P is bound to both"),
        ('reject = ["Y"]\npick = ["Y"]', "Y is bound to both reject and pick in"),
        ('reject = ["Frob"]', "Frob is not a key (reject)"),
        ('reject = "X"', "reject needs a list of keys"),
        ("reject = [1]", "reject needs a list of keys"),
        ("reject [", "(at line 1, column 8)"),
        ("\n" + ".".join("a" * 10_000) + " = 1", "line 2 is longer than 400 characters"),
        ("preset = 3", "preset must be one of curator, lightroom, photo_mechanic, darktable"),
        ('preset = "nikon"', "nikon is not a preset"),
    ],
)
def test_a_broken_file_is_refused_in_one_sentence(home: Home, text: str, said: str) -> None:
    write(home, text)
    with pytest.raises(KeysError):
        load(keys_file(home))
    keys, why = load_for_home(home)
    assert keys == Keyboard()
    assert why.startswith("keys.toml is not used: ") and said in why and "\n" not in why
    assert why.count("keys.toml is not used") == 1


def test_a_broken_file_keeps_the_preset_it_names(home: Home) -> None:
    write(home, 'preset = "darktable"\nfrobnicate = ["Y"]\n')
    assert load_for_home(home)[0] == Keyboard("darktable")


def test_a_former_command_name_still_binds_its_keys(home: Home) -> None:
    write(home, 'split_off = ["Y"]\nnext_unreviewed = ["F3"]\nnext_undecided = ["F4"]\n')
    keys, why = load_for_home(home)
    assert why == "" and keys.keys_of("remove_from_stack") == ("Y",)
    assert keys.keys_of("next_unreviewed") == ("F3",)
    save(keys, keys_file(home))
    assert "split_off" not in keys_file(home).read_text() and load(keys_file(home)) == keys


def test_former_command_names_lead_to_commands() -> None:
    assert set(RENAMED.values()) <= set(COMMANDS) and not set(RENAMED) & set(COMMANDS)


def test_a_file_from_another_editor_is_read_too(home: Home) -> None:
    keys_file(home).write_bytes('\ufeffpreset = "curator"\r\nreject = ["y"]\r\n'.encode())
    assert load_for_home(home)[0].keys_of("reject") == ("Y",)


def test_saving_keeps_a_copy_of_a_broken_file(home: Home) -> None:
    path = write(home, "reject [")
    save(Keyboard(), path)
    assert load(path) == Keyboard()
    assert path.with_name("keys.toml.refused").read_text("utf-8") == "reject ["


def test_if_nothing_can_be_written_the_old_file_stays(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    old = Keyboard().with_keys({"reject": ["Y"]})
    save(old, keys_file(home))
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(KnownError, match="could not be saved"):
        save(Keyboard(), keys_file(home))
    assert load(keys_file(home)) == old
    assert [path.name for path in home.data.iterdir() if path.is_file()] == ["keys.toml"]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(KeymapError, match="nikon is not a preset"):
        keyboard.preset("nikon")


@pytest.mark.parametrize("content", [b"a=" + b"[" * 60_000, b"a." * 40_000 + b"b=1", b"\0"])
def test_a_file_that_is_no_keys_file_changes_no_keys(home: Home, content: bytes) -> None:
    keyboard.keys_file(home).write_bytes(content)
    found, why = keyboard.load_for_home(home)
    assert found == Keyboard() and why.startswith("keys.toml is not used: ")
