"""The bar for starting: a few verbs, and the window until it is painted for the first time.

Each is a fresh process with warm caches of files and bytecode. In the same round a bare process
does the least that such a start needs: Python alone, or Python with an empty window of Qt.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from curator.bench.figures import Figure, PairedTimes, Workspace, program
from curator.bench.synthetic_library import library_copy, make
from curator.home import Home
from curator.model import KnownError

_PHOTOS = 500
_ROUNDS = 7  # counted, after one that warms the caches
_PYTHON = "python -c pass"
_QT = "Python with PySide6, painting an empty window"
# Prints a line once a window is painted and the event loop runs again; arguments are Curator's.
_WINDOW = """
import sys
if sys.argv[1:]:  # before PySide, as by `curator`
    import curator.cli, curator.settings
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            qt.removeEventFilter(self)
            QCoreApplication.postEvent(self, QEvent(QEvent.Type.User), 1 << 20)
        return False

    def customEvent(self, event):
        print("painted", flush=True)
        qt.closeAllWindows()

qt = QApplication(["curator"])
watch = FirstPaint()
qt.installEventFilter(watch)
if sys.argv[1:]:
    from curator.__main__ import main
    sys.exit(main(sys.argv[1:]))
window = QWidget()
window.resize(1440, 900)
window.show()
sys.exit(qt.exec())
"""


def start(workspace: Workspace) -> list[Figure]:
    """Start verbs and windows on libraries of 500 photos and of ``count``; medians of 7 rounds.

    `curator photos` learns taste in the round that does not count, and reads its scores in others.
    """
    few = Home.at(workspace.scratch / "few")
    make(few, _PHOTOS, pictures=False)
    many = library_copy(workspace)
    stars = itertools.cycle("12345")
    verbs: list[tuple[str, float, Callable[[], list[str]]]] = [
        ("curator --version", 150, lambda: ["--version"]),
        ("curator photos --limit 1", 400, lambda: _on(few, "photos", "--limit", "1")),
        (
            f"curator photos --limit 1, of {workspace.count:,}",
            600,
            lambda: _on(many, "photos", "--limit", "1"),
        ),
        ("curator mark", 400, lambda: _on(few, "mark", "--rate", next(stars), "1")),
    ]
    figures = [
        _paired(
            lambda words=words: _ended([*program(), *words()]),  # type: ignore[misc]
            lambda: _ended([sys.executable, "-c", "pass"]),
        ).figure(what, 0.5, limit, _PYTHON)
        for what, limit, words in verbs
    ]
    for home, count, limit in ((few, _PHOTOS, 600.0), (many, workspace.count, 1000.0)):
        pairs = _paired(lambda home=home: _painted(_on(home)), lambda: _painted([]))  # type: ignore[misc]
        figures.append(pairs.figure(f"first paint of {count:,} photos", 0.5, limit, _QT))
    return figures


def _on(home: Home, *words: str) -> list[str]:
    return ["--home", str(home.data), *words]


def _paired(act: Callable[[], float], bare: Callable[[], float]) -> PairedTimes:
    """Measure an act and its reference alternately, after a round of each that does not count."""
    pairs = PairedTimes()
    act()
    bare()
    for _ in range(_ROUNDS):
        pairs.add(act(), bare())
    return pairs


def _ended(command: Sequence[str]) -> float:
    """Run a command; return the seconds until it ended.

    Raises:
        KnownError: it failed.
    """
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, env=_environment(), check=False)
    spent = time.perf_counter() - begin
    if done.returncode:
        raise KnownError(f"`{' '.join(command)}` ended with {done.returncode}.")
    return spent


def _painted(arguments: Sequence[str]) -> float:
    """Open a window, Curator's or with no arguments an empty one; return the seconds to its paint.

    Raises:
        KnownError: the process ended before.
    """
    begin = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _WINDOW, *arguments], stdout=subprocess.PIPE, env=_environment()
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        spent = time.perf_counter() - begin
    if not line:
        raise KnownError(f"The window ended with {process.returncode} before it was painted.")
    return spent


def _environment() -> dict[str, str]:
    """Return the environment of a start: no display, and bytecode cached as in an installation."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "QT_QPA_PLATFORM": "offscreen"}
