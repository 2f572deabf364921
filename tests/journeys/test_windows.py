"""Two real processes: the second start passes its folder to the first window."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from curator.catalog import Catalog, ConductorLock
from curator.home import Home
from curator.model import Flag
from tests.catalogs import fill
from tests.journeys.evening import Evening
from tests.photos import draw_jpeg

pytestmark = [
    pytest.mark.usefixtures("sockets"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="runtime folders of Unix"),
]

# A window as `curator FOLDER` opens it, on a screen nobody sees; it says on stdout what happens.
WINDOW = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from curator import app
from curator.home import Home
from curator.settings import Settings
from curator.ui.widgets import dialogs
from curator.ui.main_window import MainWindow

def say(**what): print(json.dumps(what), flush=True)

QApplication.platformName = lambda: "xcb"
QApplication.alert = lambda *_: None
answer = sys.argv[2]
def ask(parent, question):
    say(asked=question.title, choices=[choice.text for choice in question.choices])
    return answer
dialogs.ask = ask
real = MainWindow.open_sources
def take(window, sources):
    real(window, sources)
    say(taken=[str(source) for source in sources])
    QTimer.singleShot(0, window.close)
MainWindow.open_sources = take
MainWindow.raise_ = lambda _: None
QTimer.singleShot(0, lambda: say(shown=True))
home = Home.at(sys.argv[1])
settings = Settings.load(home, {"encoder": {"which": "none"}, "work": {"workers": 1}})
say(code=app.main(home, settings, [Path(each) for each in sys.argv[3:]]))
"""

# Before it: a start that says when it begins to settle who is first, and stops in the middle.
HESITANT = """
import json, sys
from curator.ui import single_instance
real_listen = single_instance.InstanceServer.listen
real_remove = single_instance.QLocalServer.removeServer

def tell(**what): print(json.dumps(what), flush=True)

def listen(self):
    if not self._server.isListening(): tell(asks=True)
    return real_listen(self)

def remove(name):
    tell(nobody=True)
    sys.stdin.readline()
    return real_remove(name)

single_instance.InstanceServer.listen, single_instance.QLocalServer.removeServer = listen, remove
"""


def start(home: Path, *words: object, before: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", before + WINDOW, str(home), *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> dict[str, object]:
    """Return the next line a process writes."""
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def over(*processes: subprocess.Popen[str]) -> None:
    """Check that processes end normally."""
    for process in processes:
        assert process.wait(60) == 0
        close(process)


def close(process: subprocess.Popen[str]) -> None:
    """Wait for a process and close its pipes."""
    process.wait(60)
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def test_a_folder_is_passed_to_the_open_window(tmp_path: Path) -> None:
    card = tmp_path / "card"
    draw_jpeg(card / "DSC_1.JPG")
    first = start(tmp_path / "home", "another")
    assert said(first) == {"shown": True}
    second = start(tmp_path / "home", "show", card)
    asked = said(second)
    assert asked["asked"] == "Curator is already open on this catalog"
    assert asked["choices"] == ["Open another window", "Open “card” there"]
    assert said(first) == {"taken": [str(card)]}
    assert said(second) == {"code": 0} and said(first) == {"code": 0}
    over(first, second)


def test_of_two_starts_at_the_same_time_one_opens_a_window_and_the_other_asks_it(
    tmp_path: Path,
) -> None:
    card = tmp_path / "card"
    draw_jpeg(card / "DSC_1.JPG")
    first = start(tmp_path / "home", "another", before=HESITANT)
    assert said(first) == {"asks": True} and said(first) == {"nobody": True}
    second = start(tmp_path / "home", "show", card, before=HESITANT)
    assert said(second) == {"asks": True}
    assert first.stdin is not None
    first.stdin.write("\n")
    first.stdin.flush()
    assert said(first) == {"shown": True}
    assert said(second).get("asked") == "Curator is already open on this catalog"
    assert said(first) == {"taken": [str(card)]}
    over(first, second)


def test_a_start_killed_before_it_listens_does_not_block_the_next(
    tmp_path: Path,
) -> None:
    first = start(tmp_path / "home", "another", before=HESITANT)
    assert said(first) == {"asks": True} and said(first) == {"nobody": True}
    first.kill()
    first.wait(60)
    second = start(tmp_path / "home", "another")
    assert said(second) == {"shown": True}
    second.kill()
    for process in (first, second):
        close(process)


def test_after_a_kill_the_next_start_opens_without_a_question(tmp_path: Path) -> None:
    first = start(tmp_path / "home", "another")
    assert said(first) == {"shown": True}
    first.kill()
    first.wait(60)
    card = tmp_path / "card"
    draw_jpeg(card / "DSC_1.JPG")
    second = start(tmp_path / "home", None)
    assert said(second) == {"shown": True}, "nobody was asked"
    third = start(tmp_path / "home", "show", card)
    assert "asked" in said(third)
    assert said(second) == {"taken": [str(card)]}
    over(second, third)
    close(first)


def test_two_windows_mark_and_each_sees_the_changes_of_the_other(
    evening: Evening, home: Home
) -> None:
    fill(home.catalog, 12)
    with ConductorLock(home), contextlib.closing(Catalog.open(home.catalog)) as other:
        evening.start().reads("is reading photos")
        assert evening.app is not None and evening.app.pipeline is None
        other.journal.decide({3: {"rating": 4}}, summary="4 stars")
        evening.until(lambda: evening.session.table.marks(3).rating == 4)
        evening.session.navigator.go_to(5)
        evening.press("X")
        assert other.photos.get(5).marks.flag == Flag.REJECT
        evening.close()
