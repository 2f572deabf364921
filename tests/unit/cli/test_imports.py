"""What verbs load: those that only read the catalog or mark photos no Qt, decoder, scikit-learn."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"PySide6", "torch", "open_clip", "cv2", "rawpy", "PIL", "sklearn", "scipy"}
HEAVY_ROOMS = {"curator.pipeline", "curator.session", "curator.ui", "curator.imaging"}
VERBS = [
    ["status"],
    ["photos", "--filter", "is:picked", "--limit", "1"],
    ["search", "DSC"],
    ["searches"],
    ["tags"],
    ["projects"],
    ["folders"],
    ["failures"],
    ["rejects"],
    ["mark", "--rate", "4", "1"],
    ["undo"],
    ["redo"],
    ["tag", "add", "1", "harbor"],
    ["project", "new", "Iceland"],
    ["taste"],
    ["taste", "versions"],
    ["encoder"],
    ["settings"],
    ["logs"],
]
PROGRAM = """
import contextlib, io, json, sys
from curator import cli

home, verbs = sys.argv[1], json.loads(sys.argv[2])
found = {}
for verb in verbs:
    with contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(["--home", home, *verb], None, None)
    found[" ".join(verb)] = code, sorted(sys.modules)
print(json.dumps(found))
"""


def test_verbs_that_only_read_load_neither_qt_nor_a_decoder(
    read_once: Path, tmp_path: Path
) -> None:
    shutil.copytree(read_once / "home", tmp_path / "home")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "home"), json.dumps(VERBS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for verb, (code, modules) in json.loads(done.stdout).items():
        loaded = {name.partition(".")[0] for name in modules} & HEAVY
        loaded |= {".".join(name.split(".")[:2]) for name in modules} & HEAVY_ROOMS
        assert (code, loaded) == (0, set()), f"curator {verb}: {done.stderr}"


# What the shortest verbs may load beside the standard library: their time is that of imports.
ALLOWED = {
    "--version": {"platformdirs"},
    "photos --help": {"platformdirs", "numpy", "peewee", "pydantic"},
    "tags": {"platformdirs", "numpy", "peewee"},
    "photos --limit 1": {"platformdirs", "numpy", "peewee", "pydantic"},
    "mark --rate 4 1": {"platformdirs", "numpy", "peewee", "pydantic"},
}
OF_PYDANTIC = {"pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
LARGE_ROOMS = HEAVY_ROOMS | {"curator.export", "curator.vision", "curator.encoders"}
LARGE_MODULES = {"curator.learning.learner", "curator.learning.explanations"}
BARE = """
import subprocess, sys
before = set(sys.modules)
from curator.__main__ import main
try:
    main(sys.argv[1:])
finally:
    print("MODULES", *(set(sys.modules) - before))
"""


@pytest.mark.parametrize("verb", ALLOWED)
def test_a_short_verb_loads_what_it_needs_only(verb: str, read_once: Path, tmp_path: Path) -> None:
    shutil.copytree(read_once / "home", tmp_path / "home")
    command = [sys.executable, "-c", BARE, "--home", str(tmp_path / "home"), *verb.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = done.stdout.rpartition("MODULES")[2].split()
    loaded = {name.partition(".")[0] for name in modules if not name.startswith("_")}
    libraries = loaded - sys.stdlib_module_names - OF_PYDANTIC - {"curator"}
    assert libraries <= ALLOWED[verb]
    assert {".".join(name.split(".")[:2]) for name in modules} & LARGE_ROOMS == set()
    assert LARGE_MODULES.isdisjoint(modules)


READ = """
import linecache, sys, types
sys.modules["curator.app"] = types.SimpleNamespace(main=lambda: 0)
from curator import __main__
__main__._open_window()
import colorsys
print("PySide6.QtCore" in sys.modules, colorsys.__file__ in linecache.cache)
"""


def test_pyside_reads_no_source_of_modules_imported_after_it() -> None:
    command = [sys.executable, "-c", READ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_a_window_starts_with_few_dialogs_and_nothing_of_an_import() -> None:
    names = "print(*(name for name in sys.modules if name.startswith('curator.')))"
    command = [sys.executable, "-c", f"import sys; from curator import app; {names}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[::2] for name in done.stdout.split()}
    dialogs = {"recovery", "palette", "tag_entry", "project_chooser", "project_dialogs"}
    assert {name for room, name in loaded if room == "curator.ui.dialogs"} <= dialogs
    assert {name for room, name in loaded if room == "curator.importing"} == {"report", "request"}
