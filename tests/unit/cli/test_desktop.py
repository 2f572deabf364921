"""``curator desktop``: the menu and "Open with" of Linux and Windows."""

from __future__ import annotations

import configparser
import re
import sys
import types
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from curator.cli import desktop
from curator.files import IMAGE_SUFFIXES, RAW_SUFFIXES
from curator.home import resource
from tests.unit.cli.conftest import Type

KNOWN = {"avif", "bmp", "gif", "heic", "heif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"}
KNOWN |= {"pbm", "pgm", "pnm", "ppm"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate user data folder; no system tool runs on it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(desktop, "_run", lambda *_: "")
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path / "data"


def entry(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, "utf-8")
    return parser["Desktop Entry"]


def test_remove_deletes_what_add_created(data: Path, curator: Type) -> None:
    assert curator("desktop", "add").code == 0
    there = {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
    assert "applications/curator.desktop" in there
    assert "icons/hicolor/scalable/apps/curator.svg" in there and len(there) == 6
    said = curator("desktop", "remove", "--json")
    assert said.code == 0 and len(said.json["places"]) == 6
    assert list(data.iterdir()) == []
    assert curator("desktop", "remove").code == 0, "there is nothing more to remove"


def test_a_link_in_place_of_an_entry_is_replaced(data: Path, curator: Type) -> None:
    theirs = data.with_name("theirs")
    theirs.write_text("theirs")
    for place in ("applications/curator.desktop", "icons/hicolor/scalable/apps/curator.svg"):
        (data / place).parent.mkdir(parents=True)
        (data / place).symlink_to(theirs)
    assert curator("desktop", "add").code == 0
    assert theirs.read_text() == "theirs"
    assert entry(data / "applications" / "curator.desktop")["Name"] == "Curator"
    assert list(data.rglob("*.tmp")) == []


def test_open_with_starts_the_registered_program(
    data: Path, curator: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Path('/opt/My $HOME/50 % "off"/curator')
    monkeypatch.setattr(desktop, "program", lambda: [str(program)])
    curator("desktop", "add")
    line = entry(data / "applications" / "curator.desktop")["Exec"]
    # As a desktop reads it: a string first, then a quoted argument, then fields.
    quoted = re.fullmatch(r'env "(.*)" %F', line.replace(r"\\", "\\"))
    assert quoted and re.sub(r'\\(["`$\\])', r"\1", quoted[1]).replace("%%", "%") == str(program)


def test_the_default_application_is_unchanged_before_and_after(
    data: Path, curator: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"inode/directory": "files.desktop", "image/gif": "viewer.desktop"}
    own = "[Default Applications]\nimage/png=viewer.desktop\n"
    chosen = data.with_name("config") / "mimeapps.list"
    chosen.parent.mkdir()
    chosen.write_text(own, "utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(chosen.parent))

    def run(tool: str, *words: str) -> str:
        lines = chosen.read_text("utf-8").splitlines()
        if words[:2] == ("query", "default"):
            found = [line.partition("=")[2] for line in lines if line.startswith(f"{words[2]}=")]
            here = ["curator.desktop"] if any(data.glob("applications/*.desktop")) else []
            return [*found, *here, installed.get(words[2], "")][0]
        if words[0] == "default":
            lines += [f"{kind}={words[1]}" for kind in words[2:]]
            chosen.write_text("\n".join(lines) + "\n", "utf-8")
        return ""

    monkeypatch.setattr(desktop, "_run", run)
    for _ in range(2):  # the second time it was there before
        assert curator("desktop", "add").code == 0
        for kind, program in {"image/png": "viewer.desktop", **installed}.items():
            assert run("xdg-mime", "query", "default", kind) == program
        assert run("xdg-mime", "query", "default", "image/x-dcraw") == "curator.desktop"
    assert curator("desktop", "remove").code == 0
    assert chosen.read_text("utf-8") == own


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


def test_an_unwritable_folder_is_reported(data: Path, curator: Type) -> None:
    data.write_text("a file", "utf-8")
    said = curator("desktop", "add")
    assert said.code == 1 and f"{data} cannot be written" in said.err


def test_on_macos_the_app_declares_its_file_types(
    data: Path, curator: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    said = curator("desktop", "add")
    assert said.code == 1 and "Put Curator.app" in said.err and "drop a folder" in said.err
    assert not data.exists()


# --- Windows


class Registry(types.ModuleType):
    """A user's part of the Windows registry, with the interface of the module winreg."""

    HKEY_CURRENT_USER, REG_SZ = "HKCU", 1

    def __init__(self) -> None:
        super().__init__("winreg")
        self.keys: dict[str, dict[str, str]] = {"HKCU": {}}
        self.locked = False

    def CreateKey(self, root: str, path: str) -> Any:
        if self.locked:
            raise PermissionError(13, "Access is denied")
        names = path.split("\\")
        for end in range(len(names)):
            self.keys.setdefault("\\".join((root, *names[: end + 1])), {})
        return self.OpenKey(root, path)

    def OpenKey(self, root: str, path: str) -> Any:
        key = f"{root}\\{path}"
        if key not in self.keys:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return _Key(key)

    def SetValueEx(self, key: str, name: str, reserved: int, kind: int, value: str) -> None:
        assert (reserved, kind) == (0, self.REG_SZ)
        self.keys[key][name] = value

    def QueryInfoKey(self, key: str) -> tuple[int, int, int]:
        return len(self._below(key)), len(self.keys[key]), 0

    def DeleteKey(self, root: str, path: str) -> None:
        key = self.OpenKey(root, path)
        if self._below(key):
            raise PermissionError(13, "Access is denied")
        del self.keys[key]

    def _below(self, key: str) -> list[str]:
        return [each for each in self.keys if each.startswith(f"{key}\\")]


class _Key(str):
    def __enter__(self) -> _Key:
        return self

    def __exit__(self, *_: object) -> None:
        """A key needs no closing here."""


CLASSES = r"HKCU\Software\Classes"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Windows with the frozen program."""
    made = Registry()
    made.CreateKey("HKCU", r"Software\Classes\SystemFileAssociations\.nef\shell\Other\command")
    made.CreateKey("HKCU", r"Software\Classes\Drive")
    made.keys[rf"{CLASSES}\Drive"]["EditFlags"] = "another program's"
    monkeypatch.setitem(sys.modules, "winreg", made)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", r"C:\Program Files\Curator\curator.exe")
    return made


def test_explorer_offers_folders_drives_and_every_kind_of_photo(
    registry: Registry, curator: Type
) -> None:
    said = curator("desktop", "add", "--json")
    assert said.code == 0, said.err
    photos = {rf"SystemFileAssociations\{suffix}" for suffix in IMAGE_SUFFIXES | RAW_SUFFIXES}
    folders = {"Directory", r"Directory\Background", "Drive"}
    for kind in folders | photos:
        verb = registry.keys[rf"{CLASSES}\{kind}\shell\Curator"]
        assert verb[""] == "Open with Curator" and verb["MultiSelectModel"] == "Single"
        assert Path(verb["Icon"]).is_file()
        start = registry.keys[rf"{CLASSES}\{kind}\shell\Curator\command"][""]
        assert start.startswith(r'"C:\Program Files\Curator\curator.exe" ')
        assert start.endswith(r' "%V\."' if kind in folders else ' "%1"')
    assert len(said.json["places"]) == len(folders | photos)


def test_only_our_own_registry_entries_are_removed(registry: Registry, curator: Type) -> None:
    before = {key: dict(values) for key, values in registry.keys.items()}
    assert curator("desktop", "add").code == 0 and registry.keys != before
    assert curator("desktop", "remove").code == 0
    assert registry.keys == before
    assert curator("desktop", "remove").code == 0, "there is nothing more to remove"
    assert registry.keys == before


def test_an_unwritable_registry_is_reported(registry: Registry, curator: Type) -> None:
    registry.locked = True
    said = curator("desktop", "add")
    assert said.code == 1 and "registry cannot be written (Access is denied)" in said.err


def test_a_pip_installation_opens_no_terminal_and_runs_no_code_from_a_card(
    registry: Registry, curator: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", False, raising=False)
    monkeypatch.setattr(sys, "executable", "/venv/Scripts/python.exe")
    curator("desktop", "add")
    start = registry.keys[rf"{CLASSES}\Directory\shell\Curator\command"][""]
    assert start == r'/venv/Scripts/pythonw.exe -P -m curator "%V\."'
