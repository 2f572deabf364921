"""A second start finds the window that is open, and hands it what was to be opened."""

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
from curator.model import KnownError
from curator.settings import Home, Settings
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
def open_door(home: Home, qapp: QApplication) -> Iterator[InstanceServer]:
    made = InstanceServer(home)
    assert made.listen()
    yield made
    made.close()


def speak(home: Home, words: bytes) -> bytes:
    """Say something at the door as another process would, and hear it to the end."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(single_instance.name_of(home))
        with contextlib.suppress(OSError):  # it may hang up in the middle of a word
            caller.sendall(words)
        said = b""
        with contextlib.suppress(ConnectionError):
            while part := caller.recv(100):
                said += part
        return said


def elsewhere(qtbot: QtBot, act: Callable[[], object]) -> object:
    """Do something on a thread while the window lives."""
    said: list[object] = []
    thread = threading.Thread(target=lambda: said.append(act()))
    thread.start()
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE_MS)
    thread.join()
    return said[0]


def call(*paths: Path, token: str = "") -> bytes:
    asked = {"paths": [str(path) for path in paths], "token": token}
    return json.dumps(asked).encode("ascii") + b"\n"


@pytest.mark.slow
def test_what_another_process_hands_over_arrives_and_is_answered(
    qtbot: QtBot, open_door: InstanceServer, home: Home, tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9 \xff")  # bytes that are no text
    script = (
        "import sys; from pathlib import Path; from curator.settings import Home;"
        "from curator.ui import single_instance as single;"
        "sys.exit(not single.send_to_running(Home.at(sys.argv[1]), [Path(sys.argv[2])], 't0ken'))"
    )
    heard: list[OpenRequest] = []
    open_door.called.connect(heard.append)
    other = subprocess.Popen([sys.executable, "-c", script, str(home.data), os.fspath(odd)])
    qtbot.waitUntil(lambda: other.poll() is not None, timeout=PATIENCE_MS)
    assert other.returncode == 0 and heard == [OpenRequest((odd,), "t0ken")]


def test_a_call_in_pieces_is_one_call(qtbot: QtBot, open_door: InstanceServer, home: Home) -> None:
    heard: list[OpenRequest] = []
    open_door.called.connect(heard.append)
    caller = socket.socket(socket.AF_UNIX)
    caller.connect(single_instance.name_of(home))
    words = call(Path("/photos/a"), Path("/photos/b"))
    caller.sendall(words[:20])
    qtbot.waitUntil(lambda: len(open_door._callers) == 1, timeout=PATIENCE_MS)
    assert heard == []
    caller.sendall(words[20:])
    qtbot.waitUntil(lambda: bool(heard), timeout=PATIENCE_MS)
    assert heard == [OpenRequest((Path("/photos/a"), Path("/photos/b")))]
    assert elsewhere(qtbot, lambda: caller.recv(100)) == b"ok\n"
    caller.close()
    qtbot.waitUntil(lambda: not open_door._callers, timeout=PATIENCE_MS)


def test_nobody_is_there_and_what_a_killed_process_left_is_in_nobodys_way(
    qtbot: QtBot, home: Home
) -> None:
    assert not single_instance.answers(home) and not single_instance.send_to_running(home)
    left = Path(single_instance.name_of(home))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    assert left.exists() and not single_instance.answers(home)
    alive = InstanceServer(home)
    assert alive.listen() and single_instance.answers(home)
    alive.close()


def test_one_window_is_found_and_the_next_once_the_first_is_closed(
    open_door: InstanceServer, home: Home, tmp_path: Path
) -> None:
    second = InstanceServer(home)
    assert single_instance.answers(home) and not second.listen()
    assert not single_instance.answers(Home.at(tmp_path / "other").make()), "each home has its own"
    open_door.close()
    assert second.listen() and second.listen() and single_instance.answers(home)
    second.close()


def test_only_the_same_user_may_come(open_door: InstanceServer, home: Home) -> None:
    path = Path(single_instance.name_of(home))
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
def test_what_is_no_call_is_none(line: bytes) -> None:
    assert single_instance.parsed(line) is None


def test_who_does_not_speak_the_language_is_hung_up_on(
    qtbot: QtBot, open_door: InstanceServer, home: Home
) -> None:
    heard: list[OpenRequest] = []
    open_door.called.connect(heard.append)
    for words in (b"GET / HTTP/1.1\n", b"x" * (single_instance._BYTES + 10)):
        assert elsewhere(qtbot, lambda words=words: speak(home, words)) == b""
    assert heard == [] and not open_door._callers
    assert elsewhere(qtbot, lambda: speak(home, call())) == b"ok\n" and heard == [OpenRequest()]


def test_who_says_nothing_is_not_waited_for(
    qtbot: QtBot, open_door: InstanceServer, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "_SPEAK_MS", 1)
    assert elsewhere(qtbot, lambda: speak(home, b"")) == b""


def test_the_window_comes_forward_out_of_the_task_bar(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QWidget, "raise_", lambda _: None)  # this platform has none
    window = QWidget()
    qtbot.addWidget(window)
    window.showMinimized()
    single_instance.bring_to_front(window, "")
    assert window.isVisible() and not window.windowState() & Qt.WindowState.WindowMinimized


# --- macOS


def test_what_finder_opens_comes_through_the_door_as_one_call(
    qtbot: QtBot, qapp: QApplication, home: Home, tmp_path: Path
) -> None:
    entrance, heard = InstanceServer(home), list[OpenRequest]()
    assert isinstance(qapp, single_instance.Application)
    qapp.opened.connect(entrance.called)
    chosen = (tmp_path / "card 1", tmp_path / "DSC_1.JPG")
    for place in (*map(QUrl.fromLocalFile, map(str, chosen)), QUrl("https://example.com/")):
        QApplication.sendEvent(qapp, QFileOpenEvent(place))
    entrance.called.connect(heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [OpenRequest(chosen)]


# --- a second start


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """Somebody looks at the screen; what they are asked. Answers are set by the test."""
    monkeypatch.setattr(QApplication, "platformName", lambda: "xcb")
    questions: list[Question] = []
    return questions


def answering(questions: list[Question], *answers: str | None) -> Callable[..., str | None]:
    left = list(answers)

    def answer(parent: object, question: Question) -> str | None:
        questions.append(question)
        return left.pop(0)

    return answer


@pytest.mark.parametrize(("answer", "alone"), [("show", False), ("another", True), (None, False)])
def test_where_a_window_is_open_the_person_chooses(
    home: Home,
    tmp_path: Path,
    seen: list[Question],
    monkeypatch: pytest.MonkeyPatch,
    answer: str | None,
    alone: bool,
) -> None:
    handed: list[object] = []
    monkeypatch.setattr(single_instance, "answers", lambda _: True)
    monkeypatch.setattr(
        single_instance, "send_to_running", lambda *what: handed.append(what) or True
    )
    monkeypatch.setattr(dialogs, "ask", answering(seen, answer))
    assert app._is_alone(home, [tmp_path], "token") is alone
    (question,) = seen
    assert question.title == "Curator is already open on this catalog"
    assert question.choices[-1].text == f"Open “{tmp_path.name}” there"
    assert handed == ([(home, [tmp_path], "token")] if answer == "show" else [])


def test_a_place_that_is_not_there_is_said_by_who_was_asked_before_any_question(
    home: Home, tmp_path: Path, seen: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "answers", lambda _: True)
    monkeypatch.setattr(dialogs, "ask", answering(seen, "show"))
    with pytest.raises(KnownError):
        app._is_alone(home, [tmp_path / "nothing"], "")
    assert not seen


def test_a_window_that_hangs_keeps_nobody_from_opening_another(
    home: Home, seen: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "answers", lambda _: True)
    monkeypatch.setattr(single_instance, "send_to_running", lambda *_: False)
    monkeypatch.setattr(dialogs, "ask", answering(seen, "show", "another", "show", None))
    assert app._is_alone(home, [], "")
    assert not app._is_alone(home, [], "")
    assert [question.title for question in seen[::2]] == [seen[0].title] * 2
    assert seen[1].title == "The open window does not answer"


# --- a damaged catalog at the start


@pytest.mark.slow
def test_a_damaged_catalog_offers_its_back_up_and_the_window_opens_on_it(
    home: Home,
    pipeline: object,
    seen: list[Question],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "_start_reading", lambda *_: (pipeline, ""))
    monkeypatch.setattr(pipeline, "stop", lambda: None, raising=False)
    fill(home.catalog, 20)
    catalog = Catalog.open(home.catalog)
    backups.keep(catalog.path)
    catalog.close()
    whole = home.catalog.read_bytes()
    home.catalog.write_bytes(b"\x89PNG" * 4096 + whole[16384:])
    monkeypatch.setattr(dialogs, "ask", answering(seen, None, "restore", None))
    with pytest.raises(KnownError, match="damaged"):
        app._built(home, Settings.load(home), ())
    running = app._built(home, Settings.load(home), ())
    assert len(running.session.table.ids) == 20
    assert ("rescan", None) in pipeline.asked  # type: ignore[attr-defined]
    running.close()
    offer, told = seen[1:]
    assert offer.title == "The catalog is damaged" and "not deleted" in offer.body
    assert offer.choices[0].text.startswith("Restore the back-up of today ")
    assert offer.choices[0].text.endswith("(20 photos)")
    assert told.title == "The catalog is restored" and "is kept" in told.body


def test_what_is_called_before_there_is_a_window_goes_to_the_one_that_comes(
    qtbot: QtBot,
    open_door: InstanceServer,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[QWidget] = []
    monkeypatch.setattr(QDialog, "raise_", lambda self: raised.append(self))
    monkeypatch.setattr(QApplication, "alert", lambda *_: None)
    question = QDialog()
    qtbot.addWidget(question)
    question.open()  # the catalog is gone, say
    assert elsewhere(qtbot, lambda: speak(home, call(tmp_path))) == b"ok\n"
    assert raised == [question]
    heard: list[OpenRequest] = []
    open_door.attend(heard.append)
    question.close()
    qtbot.waitUntil(lambda: bool(heard))
    assert elsewhere(qtbot, lambda: speak(home, call())) == b"ok\n"
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert [each.paths for each in heard] == [(tmp_path,), ()]


@pytest.mark.parametrize("answer", [recovery.RESTORE, recovery.ANEW, None])
def test_a_catalog_that_is_gone_is_put_back_or_begun_anew(
    home: Home, seen: list[Question], monkeypatch: pytest.MonkeyPatch, answer: str | None
) -> None:
    fill(home.catalog, 20)
    backups.keep(home.catalog)
    home.catalog.unlink()
    monkeypatch.setattr(dialogs, "ask", answering(seen, answer, None))
    assert recovery.offer_restore(home) is (answer is not None)
    offer = seen[0]
    assert offer.title == "The catalog is gone" and "(20 photos), with 0 decisions" in offer.body
    assert [choice.text for choice in offer.choices] == [
        "Start empty",
        "Put the back-up in its place",
    ]
    assert home.catalog.exists() is (answer is not None)
    if answer is not None:
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            assert len(catalog.photos.columns()) == (20 if answer == recovery.RESTORE else 0)


def test_without_a_sound_back_up_nothing_is_offered(
    home: Home, seen: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    home.catalog.write_bytes(b"no catalog")
    monkeypatch.setattr(dialogs, "ask", answering(seen))
    assert not recovery.offer_restore(home)
    assert seen == []
