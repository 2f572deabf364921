"""Every table of Curator, entry by entry: documented, unique, and referring to existing things."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from curator.cli.verbs import VERBS, parse
from curator.commands import COMMANDS, GROUPS, Command
from curator.export import TARGETS, Target
from curator.keyboard import PRESETS, Keyboard, preset, views_of
from curator.keymap import KEYMAP, Binding, KeymapError, check, shifted
from curator.model import KnownError, UsageError
from curator.settings import Settings
from curator.stages import STAGES, LaneKind, Stage

FIELDS = [
    (section, name, field)
    for section, group in Settings.model_fields.items()
    for name, field in group.annotation.model_fields.items()  # type: ignore[union-attr]
]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_is_a_documented_function_a_worker_can_be_sent(stage: Stage) -> None:
    earlier = [other.name for other in STAGES[: STAGES.index(stage)]]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", stage.name) and stage.title
    assert stage.version >= 1
    assert set(stage.needs) <= set(earlier), "a stage needs only what comes before it"
    assert inspect.getdoc(stage.run)
    assert pickle.loads(pickle.dumps(stage.run)) is stage.run
    assert stage.run.__module__ == f"curator.stages.{stage.name}"
    several = stage.lane is LaneKind.ENCODER  # an encoder profits from seeing them together
    assert list(inspect.signature(stage.run).parameters) == ["jobs" if several else "job"]


def test_the_names_of_stages_are_unique() -> None:
    assert len({stage.name for stage in STAGES}) == len(STAGES)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_command_explains_itself_in_a_sentence(command: Command) -> None:
    first = command.help.splitlines()[0]
    assert first[0].isupper() and first[-1] in ".?", first
    assert command.group in GROUPS
    assert command.title and not command.title.endswith(".")


def test_command_titles_are_unique() -> None:
    titles = [command.title for command in COMMANDS.values()]
    assert sorted(titles) == sorted(set(titles))


def test_every_key_runs_a_known_command() -> None:
    bound = {binding.command for binding in KEYMAP}
    assert bound <= set(COMMANDS)


@pytest.mark.parametrize(
    "keymap",
    [
        (Binding("Y", "keep"), Binding("Y", "reject")),
        (Binding("Y", "make_coffee"),),
        (Binding("Y", "keep", frozenset({"kitchen"})),),
    ],
    ids=["twice", "unknown command", "unknown view"],
)
def test_the_error_about_a_conflicting_keymap_names_the_key(keymap: tuple[Binding, ...]) -> None:
    with pytest.raises(KeymapError, match="Y"):
        check(keymap)


def test_decisions_do_not_repeat_while_a_key_is_held() -> None:
    marks = {name for name, command in COMMANDS.items() if command.group == "Rate and flag"}
    journal = {"undo", "redo"}
    assert [b.keys for b in KEYMAP if b.repeat and b.command in marks - journal] == []


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_binds_every_command(name: str) -> None:
    keyboard = Keyboard(name)
    check(keyboard.bindings)  # its Shift with a mark too
    assert preset(name).title and set(preset(name).changes) <= set(COMMANDS)
    usual = {line.command for line in KEYMAP}
    lost = {command for command in usual if not keyboard.keys_of(command)}
    assert lost <= {"space"}, "a preset leaves no command without a key, but Space may just look"
    assert keyboard.keys_of("space") or keyboard.keys_of("keep"), "something keeps"
    assert "Del" in keyboard.keys_of("delete")
    assert keyboard.keys_of("palette") == ("Ctrl+K",)


@pytest.mark.parametrize("name", PRESETS)
def test_in_no_preset_do_navigation_keys_decide(name: str) -> None:
    """The arrows move in every preset; Space keeps in Curator's own preset only."""
    does = {
        (line.keys, view): line.command for line in Keyboard(name).bindings for view in line.views
    }
    for view in views_of("next_photo"):
        assert does["Right", view] == "next_photo" and does["Left", view] == "previous_photo"
    marks = {name for name, command in COMMANDS.items() if command.group == "Rate and flag"}
    space = {command for (keys, _), command in does.items() if keys == "Space"}
    assert space == {"space"} if name == "curator" else not space & marks


@pytest.mark.parametrize("name", PRESETS)
def test_shift_inverts_auto_advance_of_every_mark_with_a_free_key(name: str) -> None:
    keyboard = Keyboard(name)
    plain = {
        (line.keys, view) for line in keyboard.bindings if not line.invert for view in line.views
    }
    turned = {(line.keys, view) for line in keyboard.bindings if line.invert for view in line.views}
    for command in {line.command for line in KEYMAP if line.invert}:
        for keys in filter(None, map(shifted, keyboard.keys_of(command))):
            assert all((keys, view) in turned | plain for view in views_of(command)), keys


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_a_target_has_documented_functions(target: Target) -> None:
    assert TARGETS[target.name] is target
    assert inspect.getdoc(target.plan_files) and inspect.getdoc(target.write_file)


@pytest.mark.parametrize(
    ("section", "name", "field"), FIELDS, ids=[f"{section}.{name}" for section, name, _ in FIELDS]
)
def test_a_setting_has_a_title_and_a_bounded_value(section: str, name: str, field: object) -> None:
    info = Settings.model_fields[section].annotation.model_fields[name]  # type: ignore[union-attr]
    assert info.title and not info.title.endswith(".")
    if info.annotation in (int, float):
        limits = {type(limit).__name__ for limit in info.metadata}
        assert {"Ge", "Le"} <= limits, "a number says its range"


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_verb_prints_its_help(verb: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb.help and verb.help[0].isupper() and not verb.help.endswith(".")  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as ended:
        parse([verb.name, "--help"])  # type: ignore[attr-defined]
    assert ended.value.code == 0
    assert f"curator {verb.name}" in capsys.readouterr().out  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_verb_refuses_unknown_options(verb: object) -> None:
    with pytest.raises(UsageError) as caught:
        parse([verb.name, "--no-such-flag"])  # type: ignore[attr-defined]
    assert isinstance(caught.value, KnownError) and caught.value.remedy
