"""``curator desktop``: the menu and "Open with" of a Linux desktop."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from curator.cli import desktop
from curator.files import IMAGE_SUFFIXES, RAW_SUFFIXES
from curator.settings import resource
from tests.unit.cli.conftest import Type

KNOWN = {"avif", "bmp", "gif", "heic", "heif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's data folder of their own; no tool of the system is run on it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(desktop, "_AFTERWARDS", ())
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path / "data"


def entry(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, "utf-8")
    return parser["Desktop Entry"]


def test_what_add_puts_there_remove_takes_away(data: Path, curator: Type) -> None:
    assert curator("desktop", "add").code == 0
    there = {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
    assert "applications/curator.desktop" in there
    assert "icons/hicolor/scalable/apps/curator.svg" in there and len(there) == 6
    said = curator("desktop", "remove", "--json")
    assert said.code == 0 and len(said.json["files"]) == 6
    assert [path for path in data.rglob("*") if path.is_file()] == []
    assert curator("desktop", "remove").code == 0, "there is nothing more to remove"


def test_open_with_starts_the_program_that_was_asked(
    data: Path, curator: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Path('/opt/My $HOME/50 % "off"/curator')
    monkeypatch.setattr(desktop, "program", lambda: program)
    curator("desktop", "add")
    line = entry(data / "applications" / "curator.desktop")["Exec"]
    # As a desktop reads it: a string first, then a quoted argument, then fields.
    quoted = re.fullmatch(r'"(.*)" %F', line.replace(r"\\", "\\"))
    assert quoted and re.sub(r'\\(["`$\\])', r"\1", quoted[1]).replace("%%", "%") == str(program)


def test_folders_and_every_kind_of_photo_are_offered() -> None:
    types = entry(resource("desktop/curator.desktop"))["MimeType"].rstrip(";").split(";")
    assert {"inode/directory", "image/jpeg", "image/x-dcraw"} <= set(types)
    root = ElementTree.parse(resource("desktop/curator.xml")).getroot()
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    globs = {
        glob.attrib["pattern"]: kind.attrib["type"]
        for kind in root.iter(f"{space}mime-type")
        for glob in kind.iter(f"{space}glob")
    }
    assert {f"*{suffix}" for suffix in RAW_SUFFIXES} <= set(globs)
    assert {suffix[1:] for suffix in IMAGE_SUFFIXES if f"*{suffix}" not in globs} == KNOWN
    assert set(globs.values()) <= set(types)


def test_a_folder_that_cannot_be_written_is_said(data: Path, curator: Type) -> None:
    data.write_text("a file", "utf-8")
    said = curator("desktop", "add")
    assert said.code == 1 and f"{data} cannot be written" in said.err


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_told_what_to_do_there(
    data: Path, curator: Type, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    said = curator("desktop", "add")
    assert said.code == 1 and "drop a folder" in said.err
    assert not data.exists()
