"""Checks all imports against the map in ``curator/__init__.py``.

The check reads source with ``ast``; nothing of the package is imported to judge it, so an import
inside a function counts like one at the top.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import curator
from tests.architecture.trees import parsed, statements

PACKAGE = Path(curator.__file__).resolve().parent

# From the lowest row to the highest. A module imports from rows before its own only: not from a
# later one, and not from a neighbour in its own row.
ROWS: tuple[tuple[str, ...], ...] = (
    ("model", "private", "file_lock", "installing"),
    ("atomic",),
    ("arrays", "deadline", "naming"),
    ("opened_folder",),
    ("home",),
    ("settings",),
    ("sidecar", "exiftool"),
    ("files", "volumes", "imaging", "taste", "catalog", "workers"),
    ("networks",),
    ("faces", "ocr", "encoders", "vision", "cards"),
    ("stages", "export", "removal", "importing"),
    ("learning",),
    ("library",),
    ("pipeline",),
    ("session",),
    ("commands",),
    ("keymap",),
    ("keyboard",),
    ("ui", "cli"),
    ("app",),
    ("bench",),
    ("__main__",),
)
RANK = {name: rank for rank, row in enumerate(ROWS) for name in row}

# Library -> the only modules that import it. `bench` measures against bare libraries and draws
# its own photos; `__main__` calls freeze_support().
PIXELS = {"imaging", "bench"}
ONLY: dict[str, set[str]] = {
    **dict.fromkeys(("rawpy", "PIL", "pillow_heif", "exifread", "simplejpeg"), PIXELS),
    "cv2": {*PIXELS, "networks", "faces", "ocr"},
    **{library: {"taste", "bench"} for library in ("sklearn", "scipy")},
    "tifffile": {"bench"},
    **{library: {"catalog"} for library in ("peewee", "playhouse")},
    "sqlite3": {"catalog", "bench"},
    **{
        library: {"encoders"}
        for library in ("torch", "torchvision", "open_clip", "timm", "safetensors")
    },
    "huggingface_hub": {"encoders"},
    "multiprocessing": {"workers", "__main__"},
    "PySide6": {"ui", "app", "bench"},
    "PySide6.QtNetwork": {"ui"},  # one local socket: see ui.single_instance
    "PySide6.QtCore": {"pipeline", "learning", "session", "ui", "cli", "app", "bench"},
    **{library: {"vision"} for library in ("openai", "instructor", "ollama", "keyring", "httpx")},
    "pydantic": {"settings", "vision", "ui", "cli"},
    "platformdirs": {"home"},
    "send2trash": {"removal"},
    "watchdog": {"pipeline"},
}
# Only `vision` and `encoders.hub` open connections, through the libraries above; none uses these.
NEVER = ("socket", "ssl", "http", "urllib.request", "requests", "aiohttp", "ftplib")
# Loaded at first use, never while a module is imported.
LAZY = (
    "torch",
    "torchvision",
    "open_clip",
    "timm",
    "safetensors",
    "huggingface_hub",
    "openai",
    "instructor",
    "ollama",
    "keyring",
    "httpx",
    "sklearn",
    "scipy",
    "send2trash",
    "tifffile",
    "watchdog",
)


def imported(tree: ast.Module, module: str, package: bool) -> list[tuple[str, int, bool]]:
    """Return (dotted name, line, whether at import time) of all imports of a module."""
    base = module.split(".") if package else module.split(".")[:-1]
    found: list[tuple[str, int, bool]] = []
    for node, early in statements(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, early) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = base[: len(base) - node.level + 1] if node.level else []
            source = ".".join([*up, *([node.module] if node.module else [])])
            found += [(f"{source}.{alias.name}", node.lineno, early) for alias in node.names]
    return found


def violations(module: str, source: str, package: bool = False) -> list[str]:
    """Return the violations of the map in a module's source."""
    parts = module.split(".")
    own = parts[1] if len(parts) > 1 else ""
    complaints = []
    for name, line, early in imported(parsed(source), module, package):
        where = f"{module}:{line}"
        if name == "curator" or name.startswith("curator."):
            complaints += _inner(own, name, where)
        else:
            complaints += _outer(own, name, where, early)
    return complaints


def _inner(own: str, name: str, where: str) -> list[str]:
    other = [*name.split("."), ""][1]
    if other in ("", "__version__") or other == own:
        return []
    if other not in RANK:
        return [f"{where} imports {name}, which is not on the map"]
    if own == "":
        return [f"{where}: the package itself imports nothing"]
    if RANK[other] >= RANK[own]:
        return [f"{where}: {own} may not import {other}"]
    return []


def _outer(own: str, name: str, where: str, early: bool) -> list[str]:
    def starts(prefix: str) -> bool:
        return name == prefix or name.startswith(prefix + ".")

    complaints = [f"{where}: nothing may import {bad}" for bad in NEVER if starts(bad)]
    complaints += [
        f"{where}: {lib} loads at first use only" for lib in LAZY if early and starts(lib)
    ]
    holders = [lib for lib in ONLY if starts(lib)]
    if holders:
        library = max(holders, key=len)
        if own not in ONLY[library]:
            complaints.append(f"{where}: only {sorted(ONLY[library])} import {library}")
    if own == "model" and name.split(".")[0] not in sys.stdlib_module_names:
        complaints.append(f"{where}: model uses the standard library only")
    return complaints


def modules() -> list[tuple[str, Path]]:
    """Return (dotted name, path) of every module of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["curator", *path.relative_to(PACKAGE).with_suffix("").parts]
        found.append((".".join(p for p in parts if p != "__init__"), path))
    return found


@pytest.mark.parametrize(("module", "path"), modules(), ids=[name for name, _ in modules()])
def test_imports_follow_the_map(module: str, path: Path) -> None:
    package = path.name == "__init__.py"
    assert violations(module, path.read_text("utf-8"), package) == []


# The rooms of the window, from low to high; a module of `ui` itself stands above all rooms.
ROOMS = ("widgets", "grid", "loupe", "compare", "dialogs", "panels", "notices", "pages")


def room(module: str) -> int:
    """Return the level of a module's package within `curator.ui`."""
    part = [*module.split("."), ""][2]
    return ROOMS.index(part) if part in ROOMS else len(ROOMS)


@pytest.mark.parametrize(
    ("module", "path"), [found for found in modules() if found[0].startswith("curator.ui.")]
)
def test_rooms_of_the_window_import_downward_only(module: str, path: Path) -> None:
    package = path.name == "__init__.py"
    names = [name for name, *_ in imported(parsed(path.read_text("utf-8")), module, package)]
    inside = [name for name in names if name.startswith("curator.ui.")]
    assert [name for name in inside if room(name) > room(module)] == []


def test_the_map_names_every_module_in_the_order_of_the_rows() -> None:
    named = re.findall(r"^    (\w+) {2,}\S", curator.__doc__ or "", re.MULTILINE)
    ranks = [RANK[name] for name in named]
    assert ranks == sorted(ranks), "the map in curator/__init__.py is out of order"
    there = {p.stem for p in PACKAGE.glob("*.py")} | {
        p.parent.name for p in PACKAGE.glob("*/__init__.py")
    }
    there.discard("__init__")
    assert set(named) == there == set(RANK)


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("curator.files", "from curator.catalog import Catalog", "files may not import catalog"),
        (
            "curator.imaging.decode",
            "def f():\n    import curator.pipeline",
            "may not import pipeline",
        ),
        ("curator.imaging.decode", "from ..workers import WorkerPool", "may not import workers"),
        ("curator.imaging.decode", "from .. import session", "may not import session"),
        ("curator.ui.grid.grid_view", "from curator import cli", "ui may not import cli"),
        ("curator.library.table", "import cv2", "import cv2"),
        ("curator.pipeline", "from PySide6.QtGui import QImage", "import PySide6"),
        ("curator.pipeline", "from PySide6 import QtWidgets", "import PySide6"),
        ("curator.export.gallery", "import peewee", "import peewee"),
        ("curator.pipeline", "from multiprocessing import Process", "import multiprocessing"),
        ("curator.files", "from curator.helpers import x", "not on the map"),
        ("curator.model", "import numpy", "standard library only"),
        ("curator.app", "def f():\n    from urllib.request import urlopen", "nothing may import"),
        ("curator.app", "import torch", "first use only"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str, complaint: str) -> None:
    found = violations(module, source)
    assert found and complaint in " ".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("curator.pipeline", "from PySide6.QtCore import QObject"),
        ("curator.pipeline", "from PySide6 import QtCore"),
        ("curator.imaging.decode", "import cv2\nfrom .exif import read_capture"),
        ("curator.encoders.starter", "def f():\n    import torch"),
        ("curator.ui.grid.grid_view", "from curator import __version__, session"),
    ],
)
def test_allowed_imports_pass(module: str, source: str) -> None:
    assert violations(module, source) == []


def loaded_after(statement: str) -> set[str]:
    """Return the top-level names in ``sys.modules`` of a fresh process after ``statement``."""
    code = f"{statement}\nimport sys\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_entry_point_imports_nothing_heavy() -> None:
    # A spawned worker imports __main__ again; every library here would be paid per process.
    heavy = {"PySide6", "numpy", "cv2", "PIL", "rawpy", "peewee", "pydantic", "rich", "torch"}
    assert loaded_after("import curator.__main__") & heavy == set()


def test_a_worker_never_loads_window_or_catalog() -> None:
    loaded = loaded_after("import curator.stages, curator.workers")
    assert loaded & {"PySide6", "peewee", "torch", "rich"} == set()


def test_the_command_line_loads_neither_torch_nor_scikit_learn() -> None:
    assert loaded_after("import curator.cli") & {"torch", "sklearn", "scipy"} == set()


def test_the_window_loads_scikit_learn_at_first_use_only() -> None:
    # 100 MB and a second; the time to the first photo is a second.
    loaded = loaded_after("import curator.app, curator.ui.main_window")
    assert loaded & {"sklearn", "scipy"} == set()
