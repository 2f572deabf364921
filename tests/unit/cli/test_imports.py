"""Verbs that only read the catalog, or mark photos in it, load no Qt, decoder or scikit-learn."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

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
