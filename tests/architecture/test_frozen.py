"""Wheel and frozen folder contain the resources that the code needs.

The spec is run with a fake PyInstaller that records its calls; `.ci/run` builds the bundle.
"""

from __future__ import annotations

import re
import sys
import tomllib
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curator.bench.figures import no_bare_python
from curator.cli.doctor import LIBRARIES
from curator.encoders import PACKAGES_GB, EncoderOptions, missing_by_encoder
from curator.home import resource

ROOT = Path(__file__).resolve().parents[2]
CODE = "\n".join(path.read_text("utf-8") for path in (ROOT / "curator").rglob("*.py"))
NAMED = sorted(set(re.findall(r'resource\(f?"([^"{]*)', CODE)))

Calls = dict[str, tuple[tuple[Any, ...], dict[str, Any]]]
Build = Callable[[str], Calls]


class Made(types.SimpleNamespace):
    """The result of a PyInstaller step, passed to the next one."""

    scripts = pure = ()
    datas = (("PySide6/Qt/translations/qt_ar.qm", "", ""),)
    binaries = (("libQt6Core.so.6", "", ""), ("PySide6/Qt/lib/libQt6Qml.so.6", "", ""))


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Build:
    """Runs the spec as on a given system; records the arguments of each step."""
    hooks = types.ModuleType("PyInstaller.utils.hooks")
    vars(hooks).update(
        collect_dynamic_libs=lambda package: [(f"{package}.libs", ".")],
        collect_submodules=lambda package: [f"{package}.*"],
        copy_metadata=lambda package: [(f"{package}.dist-info", ".")],
    )
    for name in ("PyInstaller", "PyInstaller.utils", hooks.__name__):
        monkeypatch.setitem(sys.modules, name, hooks)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(system: str) -> Calls:
        calls: Calls = {}

        def step(name: str) -> Callable[..., Made]:
            def remember(*words: Any, **options: Any) -> Made:
                calls[name] = (words, options)
                return Made()

            return remember

        monkeypatch.setattr(sys, "platform", system)
        steps = {name: step(name) for name in ("Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE")}
        spec = ROOT / "curator.spec"
        exec(compile(spec.read_text("utf-8"), spec, "exec"), {"SPECPATH": str(ROOT), **steps})
        return calls

    return run


@pytest.mark.parametrize("name", NAMED)
def test_every_resource_the_code_names_exists(name: str) -> None:
    found = resource(name)
    assert found.exists(), found


def test_the_code_names_resources_at_all() -> None:
    assert NAMED


def test_the_wheel_contains_all_resources() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert project["targets"]["wheel"]["force-include"] == {"resources": "curator/resources"}


def test_the_doctor_checks_all_required_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"]}  # type: ignore[index]
    assert {name.lower() for name in LIBRARIES} <= needed


def test_the_frozen_folder_has_all_resources_and_no_torch(build: Build) -> None:
    calls = build("linux")
    analysis = calls["Analysis"][1]
    assert (str(ROOT / "resources"), "curator/resources") in analysis["datas"]
    assert {(f"{name}.dist-info", ".") for name in LIBRARIES} <= set(analysis["datas"])
    # What is imported inside functions, or by its name.
    assert {"curator.*", "instructor.v2.*", "keyring.backends.*"} <= set(analysis["hiddenimports"])
    assert {"torch", "open_clip", "timm"} <= set(analysis["excludes"])
    _, *left = calls["COLLECT"][0]
    assert left == [[Made.binaries[0]], []], "what nothing here uses is left out"
    assert calls["EXE"][1]["console"] and "BUNDLE" not in calls


def test_windows_gets_its_own_icon(build: Build) -> None:
    calls = build("win32")["EXE"][1]
    assert calls["console"] and calls["hide_console"]
    assert Path(calls["icon"]).suffix == ".ico" and Path(calls["icon"]).is_file()


def test_macos_gets_an_app_that_opens_folders_and_pictures(build: Build) -> None:
    calls = build("darwin")
    assert not calls["EXE"][1]["console"], "otherwise macOS takes it for a program without windows"
    options = calls["BUNDLE"][1]
    assert options["name"] == "Curator.app" and Path(options["icon"]).is_file()
    documents = options["info_plist"]["CFBundleDocumentTypes"]
    kinds = [kind for document in documents for kind in document["LSItemContentTypes"]]
    assert {"public.folder", "public.volume", "public.image"} == set(kinds)
    assert {document["LSHandlerRank"] for document in documents} == {"Alternate"}


def test_a_frozen_program_tells_how_to_get_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert missing_by_encoder(EncoderOptions()) == {
        "open_clip": "CLIP, which also searches by description, is not installed (about"
        f" {PACKAGES_GB:g} GB). Nothing can be added to this build: install Curator as its README"
        " describes instead. Your photos and ratings stay.",
        "starter": None,
    }
    assert no_bare_python(), "nor is there a bare Python to measure against"
