"""A second start finds the running window and sends it what to open."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from curator import app
from curator.catalog import Catalog, backups
from curator.home import Home
from curator.model import KnownError
from curator.settings import Settings
from curator.ui import single_instance
from curator.ui.dialogs import recovery
from curator.ui.single_instance import InstanceServer, OpenRequest
from curator.ui.widgets import dialogs
from curator.ui.widgets.dialogs import Question
from tests.catalogs import fill
from tests.conftest import PATIENCE_MS

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="speaks to a Unix socket"),
    pytest.mark.usefixtures("sockets"),
]


@pytest.fixture
def server(home: Home, qapp: QApplication) -> Iterator[InstanceServer]:
    made = InstanceServer(home)
    assert made.listen()
    yield made
    made.close()


def send(home: Home, request: bytes) -> bytes:
    """Send a request as another process would. Return the whole answer."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(single_instance.socket_name(home))
        with contextlib.suppress(OSError):  # the server may close the connection meanwhile
            caller.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := caller.recv(100):
                answer += part
        return answer


def on_thread(qtbot: QtBot, act: Callable[[], object]) -> object:
    """Run something on a thread while the event loop runs. Return its result."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(act()))
    thread.start()
    qtbot.waitUntil(lambda: bool(results), timeout=PATIENCE_MS)
    thread.join()
    return results[0]


def request(*paths: Path, token: str = "") -> bytes:
    fields = {"paths": [str(path) for path in paths], "token": token}
    return json.dumps(fields).encode("ascii") + b"\n"


@pytest.mark.slow
def test_a_request_of_another_process_arrives_and_is_answered(
    qtbot: QtBot, server: InstanceServer, home: Home, tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9 \xff")  # not valid UTF-8
    script = (
        "import sys; from pathlib import Path; from curator.home import Home;"
        "from curator.ui import single_instance as single;"
        "sys.exit(not single.send_to_running(Home.at(sys.argv[1]), [Path(sys.argv[2])], 't0ken'))"
    )
    received: list[OpenRequest] = []
    server.requested.connect(received.append)
    other = subprocess.Popen([sys.executable, "-c", script, str(home.data), os.fspath(odd)])
    qtbot.waitUntil(lambda: other.poll() is not None, timeout=PATIENCE_MS)
    assert other.returncode == 0 and received == [OpenRequest((odd,), "t0ken")]


def test_a_request_in_pieces_is_one_request(
    qtbot: QtBot, server: InstanceServer, home: Home
) -> None:
    received: list[OpenRequest] = []
    server.requested.connect(received.append)
    caller = socket.socket(socket.AF_UNIX)
    caller.connect(single_instance.socket_name(home))
    sent = request(Path("/photos/a"), Path("/photos/b"))
    caller.sendall(sent[:20])
    qtbot.waitUntil(lambda: len(server._connections) == 1, timeout=PATIENCE_MS)
    assert received == []
    caller.sendall(sent[20:])
    qtbot.waitUntil(lambda: bool(received), timeout=PATIENCE_MS)
    assert received == [OpenRequest((Path("/photos/a"), Path("/photos/b")))]
    assert on_thread(qtbot, lambda: caller.recv(100)) == b"ok\n"
    caller.close()
    qtbot.waitUntil(lambda: not server._connections, timeout=PATIENCE_MS)


def test_the_socket_of_a_killed_process_is_replaced(qtbot: QtBot, home: Home) -> None:
    assert not single_instance.is_running(home) and not single_instance.send_to_running(home)
    left = Path(single_instance.socket_name(home))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    assert left.exists() and not single_instance.is_running(home)
    alive = InstanceServer(home)
    assert alive.listen() and single_instance.is_running(home)
    alive.close()


def test_the_first_window_is_found_and_the_second_after_it_closed(
    server: InstanceServer, home: Home, tmp_path: Path
) -> None:
    second = InstanceServer(home)
    assert single_instance.is_running(home) and not second.listen()
    other = Home.at(tmp_path / "other").make()
    assert not single_instance.is_running(other), "each home has its own"
    server.close()
    assert second.listen() and second.listen() and single_instance.is_running(home)
    second.close()


def test_only_the_same_user_may_connect(server: InstanceServer, home: Home) -> None:
    path = Path(single_instance.socket_name(home))
    assert path.stat().st_mode & 0o077 == 0
    assert len(os.fsencode(path)) < 250


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"paths": "x"}',
        b'{"paths": ["relative/a.jpg"]}',
        b'{"paths": ["/a\\u0000b"]}',
        b'{"paths": [4]}',
        json.dumps({"paths": ["/" + "x" * 5000]}).encode(),
        json.dumps({"paths": ["/x"] * 1001}).encode(),
        b'{"paths": [], "token": "a\\nb"}',
        b'{"paths": [], "token": 5}',
        json.dumps({"paths": [], "token": "x" * 300}).encode(),
    ],
)
def test_an_invalid_request_is_refused(line: bytes) -> None:
    assert single_instance.parse_request(line) is None


def test_a_connection_that_sends_anything_else_is_closed(
    qtbot: QtBot, server: InstanceServer, home: Home
) -> None:
    received: list[OpenRequest] = []
    server.requested.connect(received.append)
    for words in (b"GET / HTTP/1.1\n", b"x" * (single_instance._MAX_BYTES + 10)):
        assert on_thread(qtbot, lambda words=words: send(home, words)) == b""
    assert received == [] and not server._connections
    assert on_thread(qtbot, lambda: send(home, request())) == b"ok\n" and received == [
        OpenRequest()
    ]


def test_a_silent_connection_is_closed(
    qtbot: QtBot, server: InstanceServer, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "_REQUEST_MS", 1)
    assert on_thread(qtbot, lambda: send(home, b"")) == b""


def test_a_minimized_window_comes_to_the_front(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QWidget, "raise_", lambda _: None)  # the platform has no raise
    window = QWidget()
    qtbot.addWidget(window)
    window.showMinimized()
    single_instance.bring_to_front(window, "")
    assert window.isVisible() and not window.windowState() & Qt.WindowState.WindowMinimized


# --- macOS


def test_files_that_finder_opens_arrive_as_one_request(
    qtbot: QtBot, qapp: QApplication, home: Home, tmp_path: Path
) -> None:
    server, received = InstanceServer(home), list[OpenRequest]()
    assert isinstance(qapp, single_instance.Application)
    qapp.opened.connect(server.requested)
    chosen = (tmp_path / "card 1", tmp_path / "DSC_1.JPG")
    for place in (*map(QUrl.fromLocalFile, map(str, chosen)), QUrl("https://example.com/")):
        QApplication.sendEvent(qapp, QFileOpenEvent(place))
    server.requested.connect(received.append)
    qtbot.waitUntil(lambda: bool(received))
    assert received == [OpenRequest(chosen)]


# --- a second start


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """The questions asked as if a person could see the screen; the test sets the answers."""
    monkeypatch.setattr(QApplication, "platformName", lambda: "xcb")
    questions: list[Question] = []
    return questions


def answering(questions: list[Question], *answers: str | None) -> Callable[..., str | None]:
    remaining = list(answers)

    def answer(parent: object, question: Question) -> str | None:
        questions.append(question)
        return remaining.pop(0)

    return answer


@pytest.mark.parametrize(("answer", "alone"), [("show", False), ("another", True), (None, False)])
def test_if_a_window_is_open_the_person_chooses(
    home: Home,
    tmp_path: Path,
    seen: list[Question],
    monkeypatch: pytest.MonkeyPatch,
    answer: str | None,
    alone: bool,
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(single_instance, "is_running", lambda _: True)
    monkeypatch.setattr(single_instance, "send_to_running", lambda *what: sent.append(what) or True)
    monkeypatch.setattr(dialogs, "ask", answering(seen, answer))
    assert app._should_open_window(home, [tmp_path], "token") is alone
    (question,) = seen
    assert question.title == "Curator is already open on this catalog"
    assert question.choices[-1].text == f"Open “{tmp_path.name}” there"
    assert sent == ([(home, [tmp_path], "token")] if answer == "show" else [])


def test_a_missing_source_is_reported_before_any_question(
    home: Home, tmp_path: Path, seen: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "is_running", lambda _: True)
    monkeypatch.setattr(dialogs, "ask", answering(seen, "show"))
    with pytest.raises(KnownError):
        app._should_open_window(home, [tmp_path / "nothing"], "")
    assert not seen


def test_another_window_can_open_while_the_first_hangs(
    home: Home, seen: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "is_running", lambda _: True)
    monkeypatch.setattr(single_instance, "send_to_running", lambda *_: False)
    monkeypatch.setattr(dialogs, "ask", answering(seen, "show", "another", "show", None))
    assert app._should_open_window(home, [], "")
    assert not app._should_open_window(home, [], "")
    assert [question.title for question in seen[::2]] == [seen[0].title] * 2
    assert seen[1].title == "The open window does not answer"


# --- a damaged catalog at the start


@pytest.mark.slow
def test_a_damaged_catalog_can_be_restored_from_its_backup(
    home: Home,
    pipeline: object,
    seen: list[Question],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "_start_reading", lambda *_: (pipeline, ""))
    monkeypatch.setattr(pipeline, "stop", lambda: None, raising=False)
    fill(home.catalog, 20)
    catalog = Catalog.open(home.catalog)
    backups.make_if_due(catalog.path)
    catalog.close()
    content = home.catalog.read_bytes()
    home.catalog.write_bytes(b"\x89PNG" * 4096 + content[16384:])
    monkeypatch.setattr(dialogs, "ask", answering(seen, None, "restore", None))
    with pytest.raises(KnownError, match="damaged"):
        app._build_or_restore(home, Settings.load(home), ())
    running = app._build_or_restore(home, Settings.load(home), ())
    assert len(running.session.table.ids) == 20
    assert ("rescan", None) in pipeline.asked  # type: ignore[attr-defined]
    running.close()
    offer, told = seen[1:]
    assert offer.title == "The catalog is damaged" and "not deleted" in offer.body
    assert offer.choices[0].text.startswith("Restore the backup from today ")
    assert offer.choices[0].text.endswith("(20 photos)")
    assert told.title == "The catalog is restored" and "is kept" in told.body


def test_a_request_before_the_window_exists_is_delivered_later(
    qtbot: QtBot,
    server: InstanceServer,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[QWidget] = []
    monkeypatch.setattr(QDialog, "raise_", lambda self: raised.append(self))
    monkeypatch.setattr(QApplication, "alert", lambda *_: None)
    question = QDialog()
    qtbot.addWidget(question)
    question.open()  # for example because the catalog is missing
    assert on_thread(qtbot, lambda: send(home, request(tmp_path))) == b"ok\n"
    assert raised == [question]
    received: list[OpenRequest] = []
    server.deliver_to(received.append)
    question.close()
    qtbot.waitUntil(lambda: bool(received))
    assert on_thread(qtbot, lambda: send(home, request())) == b"ok\n"
    qtbot.waitUntil(lambda: len(received) == 2)
    assert [each.paths for each in received] == [(tmp_path,), ()]


@pytest.mark.parametrize("answer", [recovery.RESTORE, recovery.NEW, None])
def test_a_missing_catalog_is_restored_or_created_anew(
    home: Home, seen: list[Question], monkeypatch: pytest.MonkeyPatch, answer: str | None
) -> None:
    fill(home.catalog, 20)
    backups.make_if_due(home.catalog)
    home.catalog.unlink()
    monkeypatch.setattr(dialogs, "ask", answering(seen, answer, None))
    assert recovery.offer_restore(home) is (answer is not None)
    offer = seen[0]
    assert offer.title == "The catalog is missing" and "(20 photos), with 0 decisions" in offer.body
    assert [choice.text for choice in offer.choices] == [
        "Start empty",
        "Restore the backup",
    ]
    assert home.catalog.exists() is (answer is not None)
    if answer is not None:
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            assert len(catalog.photos.ids()) == (20 if answer == recovery.RESTORE else 0)


def test_without_a_valid_backup_nothing_is_offered(
    home: Home, seen: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    home.catalog.write_bytes(b"no catalog")
    monkeypatch.setattr(dialogs, "ask", answering(seen))
    assert not recovery.offer_restore(home)
    assert seen == []
