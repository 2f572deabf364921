"""Functions of one system are guarded: Curator can be imported on Linux, macOS and Windows.

`tests/elsewhere.py` is the Python of another system; types are checked for all three by `.ci/run`.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys

import pytest

from tests.architecture.trees import parsed
from tests.elsewhere import NOT_ON_WINDOWS, PACKAGE, POSIX_MODULES, WINDOWS_MODULES, modules

GUARD = re.compile(r"sys\.platform|os\.name|hasattr\(")
LACKING = {*NOT_ON_WINDOWS, *POSIX_MODULES, *WINDOWS_MODULES}
NAMED = re.compile(r"\b(?:os|signal|time|socket|select)\.\w+")
IMPORTED = re.compile(r"\b(?:import|from) (\w+)")
FROM = re.compile(r"\bfrom (?:os|signal|time|socket|select) import")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="plays the other systems on Linux")
def test_everything_can_be_imported_as_on_macos_and_windows() -> None:
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", PYTHONPATH=str(PACKAGE.parent))
    command = [sys.executable, "-m", "tests.elsewhere"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [f"asked {len(modules())}"]


def is_suspect(source: str) -> bool:
    """Whether a module may use such a function; only these few modules are parsed."""
    named = {*NAMED.findall(source), *IMPORTED.findall(source)}
    return not named.isdisjoint(LACKING) or FROM.search(source) is not None


def unguarded(source: str) -> list[str]:
    """Return names that a system lacks and that a module uses without a guard.

    A function that asks anywhere counts as asking everywhere in it: most return early.
    """
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        test = node.test if isinstance(node, ast.If | ast.IfExp) else None
        asks = test or (node if isinstance(node, ast.FunctionDef) else None)
        if asks is not None and GUARD.search(ast.unparse(asks)):
            return
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        found.extend(f"{node.lineno}: {name}" for name in names if name in LACKING)  # type: ignore[attr-defined]
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(parsed(source))
    return found


def test_functions_of_one_system_are_guarded() -> None:
    sources = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    found = {path: unguarded(source) for path, source in sources.items() if is_suspect(source)}
    assert found and {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "complaints"),
    [
        ("import fcntl", 1),
        ("import os\nx = os.getuid()", 1),
        ("from os import nice", 1),
        ("import select\nselect.poll()", 1),
        ("import signal\ndef f(): signal.signal(signal.SIGHUP, None)", 1),
        ("import sys\nif sys.platform != 'win32':\n    import fcntl", 0),
        ("def f():\n    if sys.platform != 'linux':\n        return\n    os.statvfs('/')", 0),
        ("import signal\nsignal.SIGINT", 0),
        ("x = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1", 0),
    ],
)
def test_a_planted_call_is_found(source: str, complaints: int) -> None:
    assert len(unguarded(source)) == complaints
    assert not complaints or is_suspect(source)


def loose(source: str) -> list[int]:
    """Return the lines that read or write text without naming an encoding."""
    calls = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and len(call.args) < {"read_text": 1, "write_text": 2}.get(call.func.attr, 0)
        and not any(keyword.arg == "encoding" for keyword in call.keywords)
    ]


def test_text_is_read_and_written_as_utf_8_everywhere() -> None:
    sources = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    found = {path: loose(source) for path, source in sources.items() if "_text(" in source}
    assert found and {path: lines for path, lines in found.items() if lines} == {}


def test_a_planted_text_without_encoding_is_found() -> None:
    assert loose("path.read_text()\npath.read_text('utf-8')\npath.write_text(x)") == [1, 3]
