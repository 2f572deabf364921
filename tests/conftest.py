"""What every test has at hand, and what no test may do.

No test may reach the network, leave a thread or a process behind, or make Curator log a warning
it did not expect.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# An encoder takes seconds to load; tests of taste ask for one by name.
os.environ["CURATOR_ENCODER__WHICH"] = "none"
# Nor may a test ask an Ollama of whoever runs it: nothing listens here.
os.environ["CURATOR_VISION__URL"] = "http://127.0.0.1:9"
os.environ.pop("CURATOR_VISION_KEY", None)
os.environ.pop("CURATOR_HOME", None)  # whoever runs the tests keeps their own photos

import psutil
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from curator.catalog import Catalog
from curator.home import Home
from curator.learning import learner_thread
from curator.workers import InlinePool
from tests import catalogs

GRACE_S = 30.0  # for what was told to end, to end
PATIENCE_MS = 60_000  # a machine with other things to do is no fault; one that passes waits little
ROOM_BYTES = 6 << 30  # three runs' temporary files, as pytest keeps them
LOOPBACK = ("127.", "::1", "localhost")

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A fresh home folder; CURATOR_HOME points there too."""
    monkeypatch.setenv("CURATOR_HOME", str(tmp_path / "home"))
    return Home.at().make()


@pytest.fixture
def catalog(home: Home) -> Iterator[Catalog]:
    """An empty catalog in that home."""
    catalogs.empty(home.catalog)
    opened = Catalog.open(home.catalog)
    yield opened
    opened.close()


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trash of the test's own, on the drive of its files."""
    monkeypatch.setenv("HOME", str(tmp_path))
    plain = pytest.importorskip("send2trash.plat_other", reason="the trash of other systems")
    monkeypatch.setattr("send2trash.send2trash", plain.send2trash)
    monkeypatch.setattr(plain, "XDG_DATA_HOME", os.fsencode(tmp_path / "data"))
    monkeypatch.setattr(plain, "HOMETRASH_B", os.fsencode(tmp_path / "data" / "Trash"))
    return tmp_path / "data" / "Trash"


@lru_cache
def quick_files() -> frozenset[Path]:
    """Return the test files of the quick loop, listed in tests/quick.txt."""
    here = Path(__file__).parent
    lines = (here / "quick.txt").read_text("utf-8").splitlines()
    return frozenset(here.parent / line for line in lines if not line.startswith("#"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Load only the listed files for the quick loop."""
    if config.option.markexpr != "quick" or collection_path.suffix != ".py":
        return None
    return True if collection_path not in quick_files() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the quick loop."""
    quick = quick_files()
    for item in items:
        if item.path in quick and item.get_closest_marker("slow") is None:
            item.add_marker("quick")


class PatientBot(QtBot):
    """Waits long for what must happen, where pytest-qt gives up after five seconds."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE_MS) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **options)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """Keys, clicks and waiting, as pytest-qt has them, with more patience."""
    return PatientBot(request)


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    """Qt's application as `curator.app` makes it."""
    from curator.ui.single_instance import Application

    return Application


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for local sockets, whose paths have to be short."""
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        yield Path(short)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real photos, if this machine has it."""
    folder = Path(
        os.environ.get("CURATOR_CORPUS")
        or Path(__file__).resolve().parents[1].parent / "shared" / "corpus"
    )
    if not folder.is_dir():
        pytest.skip("no corpus of real photos here (CURATOR_CORPUS names its folder)")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory where the system has room for them.

    Nearly every test makes a catalog, and a catalog waits for the disk at each commit: on a disk
    the suite takes twice as long. Slow tests keep to the disk, whose speed some of them measure.
    """
    memory = Path("/dev/shm")
    if config.option.markexpr == "slow" or not os.access(memory, os.W_OK):
        return
    if shutil.disk_usage(memory).free > ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the second process start at the other end of the tests.

    On a fresh clone every module's assertions are to be rewritten: each process rewrites half of
    them, where both would rewrite all, side by side.
    """
    worker = getattr(session.config, "workerinput", {}).get("workerid")
    if worker != "gw1" or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    here = Path(__file__).parent
    for path in sorted(here.rglob("test_*.py"), reverse=True):
        if (path.parent / "__init__.py").exists():
            with contextlib.suppress(Exception, pytest.skip.Exception):  # said when collected
                importlib.import_module(
                    ".".join(path.relative_to(here.parent).with_suffix("").parts)
                )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Destroy here what a test with a window leaves in cycles, and on no other thread.

    Python looks for cycles on whatever thread makes objects. One that learns, or decodes for the
    next test, would destroy Qt's objects of this one under the hands of the event loop; in Curator
    they live as long as their process.
    """
    result = yield
    if "qapp" in getattr(item, "fixturenames", ()):
        gc.collect()
        gc.freeze()  # what survived stays: searching it after each test took most of the time
    return result


# --- guards


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse any connection that leaves this machine."""
    real = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}

    def guarded(name: str) -> Callable[..., object]:
        def connect(self: socket.socket, address: object) -> object:
            outside = isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK)
            if outside:
                pytest.fail(f"a connection to {address!r} was tried", pytrace=True)
            return real[name](self, address)

        return connect

    for name in real:
        monkeypatch.setattr(socket.socket, name, guarded(name))


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread running; threads of Qt's own pools are not Python's."""
    before = set(threading.enumerate())
    yield
    left = [
        thread
        for thread in threading.enumerate()
        if thread not in before and not isinstance(thread, threading._DummyThread)
    ]
    for thread in left:
        thread.join(GRACE_S)
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"threads left behind: {names}"


def _children() -> set[psutil.Process]:
    """Processes we started; the helper that multiprocessing keeps for good is not counted."""
    tracker = getattr(resource_tracker._resource_tracker, "_pid", None)
    direct = _direct_children()
    if direct is not None and not direct - {tracker}:
        return set()  # as after nearly every test; psutil looks at every process of the system
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if not any("resource_tracker" in word for word in child.cmdline()):
                found.add(child)
        except psutil.Error:
            continue
    return found


def _direct_children() -> set[int] | None:
    """Their ids, where the system tells them cheaply (Linux)."""
    try:
        lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    except OSError:  # a thread ended meanwhile
        return None
    return {int(number) for text in lists for number in text.split()} if lists else None


@pytest.fixture(autouse=True)
def no_leaked_processes() -> Iterator[None]:
    """Fail a test that leaves a process running."""
    before = _children()
    yield
    left = _children() - before
    if left:
        _, alive = psutil.wait_procs(left, GRACE_S)
        still = [
            child
            for child in alive
            if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
        ]
        for child in still:
            child.kill()
        psutil.wait_procs(still, GRACE_S)
        assert not still, f"processes left behind: {still}"


@pytest.fixture(scope="session", autouse=True)
def searches_of_taste_stay_here() -> Iterator[None]:
    """Search hyperparameters on a thread: a process of its own imports scikit-learn for a second.

    `tests/unit/learning/test_learner_thread.py` has the process.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner_thread, "make_pool", InlinePool)
        yield


class ExpectedLog:
    """Which warnings of Curator a test expects; each must come, and no other may."""

    def __init__(self) -> None:
        self.records: list[logging.LogRecord] = []
        self._patterns: list[str] = []

    def __call__(self, pattern: str) -> None:
        """Expect a warning or error whose text matches a regular expression."""
        self._patterns.append(pattern)

    def verify(self) -> None:
        said = [record.getMessage() for record in self.records]
        odd = [
            f"{record.levelname} {record.name}: {text}"
            for record, text in zip(self.records, said, strict=True)
            if not any(re.search(pattern, text) for pattern in self._patterns)
        ]
        silent = [
            pattern
            for pattern in self._patterns
            if not any(re.search(pattern, text) for text in said)
        ]
        assert not odd, f"warnings nobody expected: {odd}"
        assert not silent, f"warnings that did not come: {silent}"


@pytest.fixture(autouse=True)
def expected_log() -> Iterator[ExpectedLog]:
    """Fail a test in which Curator logs a warning; name the expected ones with this fixture."""
    expected = ExpectedLog()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            expected.records.append(record)

    collector = Collector(logging.WARNING)
    logger = logging.getLogger("curator")
    logger.addHandler(collector)
    yield expected
    logger.removeHandler(collector)
    expected.verify()
