"""Projects on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogs import fill
from tests.unit.cli.conftest import Type, typed


@pytest.fixture
def shoot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    """Run commands with a home of five synthetic photos: DSC_0000 is photo 1."""
    fill(tmp_path / "home" / "catalog.db", 5)
    return lambda *words: typed(capsys, "--home", tmp_path / "home", *words)


def names(shoot: Type, project: str) -> list[str]:
    return [photo["name"] for photo in shoot("projects", project, "--json").json["photos"]]


def test_photos_are_added_removed_and_restored_by_undo(shoot: Type) -> None:
    assert "No projects yet." in shoot("projects").out
    said = shoot("project", "add", "Harbour", 3, 1, "--json").json
    assert said["project"] == "Harbour" and said["changed"] == [1, 3]
    assert shoot("project", "add", "harbour", 1).out.strip().startswith("All these photos are in")
    assert shoot("project", "remove", "HARBOUR", 3).out.strip() == "Removed DSC_0002 from Harbour"
    assert names(shoot, "harbour") == ["DSC_0000"]
    assert shoot("undo").out.strip() == "Removed DSC_0002 from Harbour"
    assert names(shoot, "Harbour") == ["DSC_0002", "DSC_0000"]
    shoot("project", "move", "Harbour", 1)
    assert names(shoot, "Harbour") == ["DSC_0000", "DSC_0002"]
    shoot("mark", "--rate", 5, 1)
    (row,) = shoot("projects", "--json").json
    assert (row["name"], row["count"], row["approved"]) == ("Harbour", 2, 1)
    listed = {photo["id"]: photo["projects"] for photo in shoot("photos", "--json").json}
    assert listed[1] == ["Harbour"] and listed[2] == []


def test_only_photos_of_the_project_are_moved_and_only_if_their_order_changes(shoot: Type) -> None:
    shoot("project", "add", "Harbour", 3, 1, 2)
    outside = shoot("project", "move", "Harbour", 1, 5)
    assert outside.code == 2 and "DSC_0004 is not in Harbour." in outside.err
    assert shoot("project", "move", "Harbour", 3, 1).out == "Already in that order.\n"
    shoot("project", "remove", "Harbour", 1)
    assert shoot("project", "move", "Harbour", 3).out == "Already in that order.\n"
    assert shoot("project", "move", "Harbour", 2).out == "Ordered Harbour.\n"
    assert names(shoot, "Harbour") == ["DSC_0001", "DSC_0002"]


def test_a_project_can_be_changed_and_removed(shoot: Type) -> None:
    assert shoot("project", "new", "../../etc\n").out.strip() == "Created ../../etc."
    assert (
        shoot("project", "rename", "../../etc", "Port").out.strip() == "Renamed ../../etc to Port."
    )
    shoot("project", "add", "Port", 1, 2)
    assert shoot("project", "notes", "Port", "two\nlines").out.splitlines() == ["two", "lines"]
    assert "DSC_0001 is the cover" in shoot("project", "cover", "Port", 2).out
    gone = shoot("project", "delete", "port").out
    assert "2 photos stay in the catalog" in gone and "No projects yet." in shoot("projects").out
    assert [row["name"] for row in shoot("projects", "--removed", "--json").json] == ["Port"]
    assert shoot("project", "restore", "Port").out.strip() == "Restored Port: 2 photos."
    assert names(shoot, "Port") == ["DSC_0000", "DSC_0001"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("add", "Harbour"), 2, "No photos were named."),
        (("add", "Harbour", 99), 1, "Photo 99 not found."),
        (("remove", "Harbour", 1), 1, "Project Harbour not found."),
        (("new", "\u202e"), 2, "A project needs a name."),
        (("rename", "Night"), 2, "the new name"),
        (("cover", "Night", 1), 2, "DSC_0000 is not in Night."),
        (("new", "NIGHT"), 2, "A project Night already exists."),
        (("new", "Harbour", "at"), 2, "at is one word too many."),
        (("burn", "Night"), 2, "burn"),
    ],
)
def test_an_invalid_command_changes_nothing(
    shoot: Type, words: tuple[object, ...], code: int, sentence: str
) -> None:
    shoot("project", "new", "Night")
    said = shoot("project", *words)
    assert said.code == code and sentence in said.err
    assert [row["name"] for row in shoot("projects", "--json").json] == ["Night"]
