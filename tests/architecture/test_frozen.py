"""What is shipped holds what the code looks for: wheel and frozen folder carry `resources`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from curator.cli.doctor import LIBRARIES
from curator.settings import resource

ROOT = Path(__file__).resolve().parents[2]
CODE = "\n".join(path.read_text("utf-8") for path in (ROOT / "curator").rglob("*.py"))
SPEC = (ROOT / "curator.spec").read_text("utf-8")
NAMED = sorted(set(re.findall(r'resource\(f?"([^"{]*)', CODE)))


@pytest.mark.parametrize("name", NAMED)
def test_every_resource_the_code_names_exists(name: str) -> None:
    found = resource(name)
    assert found.exists(), found


def test_the_code_names_resources_at_all() -> None:
    assert NAMED


def test_the_wheel_carries_all_resources_inside_the_package() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"] == {"resources": "curator/resources"}


def test_the_frozen_folder_carries_them_where_the_wheel_does() -> None:
    assert '(str(HERE / "resources"), "curator/resources")' in SPEC


def test_the_frozen_folder_names_what_is_imported_inside_functions() -> None:
    assert re.search(r"^    from curator import \w+$", CODE, re.MULTILINE)
    for package in ("curator", "instructor.v2", "keyring.backends"):
        assert f'*collect_submodules("{package}")' in SPEC


def test_the_frozen_doctor_knows_the_versions_of_what_it_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"]}  # type: ignore[index]
    assert {name.lower() for name in LIBRARIES} <= needed


def test_the_frozen_folder_leaves_taste_out() -> None:
    excluded = re.search(r"excludes=\[(.*?)\]", SPEC, re.DOTALL)
    assert excluded and '"torch"' in excluded[1] and '"open_clip"' in excluded[1]
