"""The quick loop, ``pytest -m quick``, covers every package of curator."""

from __future__ import annotations

from pathlib import Path

import pytest

import curator
from tests.conftest import quick_files

PACKAGE = Path(curator.__file__).resolve().parent
ROOT = Path(__file__).resolve().parents[2]
# Packages whose tests stand in a folder of another name.
FOLDERS = {"ui": "tests/gui", "commands": "tests/unit/session"}
PACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_the_listed_files_exist() -> None:
    assert [path for path in quick_files() if not path.is_file()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_tests_in_the_quick_loop(package: str) -> None:
    folder = ROOT / FOLDERS.get(package, f"tests/unit/{package}")
    assert any(path.parent == folder for path in quick_files()), folder
