"""The door between windows: a second start finds the first, and hands it what is to be opened.

    door = InstanceServer(home)
    if not door.listen() and answers(home):         # there is a window already
        send_to_running(home, [Path("/photos/Iceland")])  # it comes to the front and opens that
    door.attend(...)                                # who opens what other starts hand over

It is a local socket (a named pipe on Windows) that only the same user can open, named after the
home; nothing of it is on a network. What comes through it is data: a limited number of paths, no
command, and whoever does not keep to that is hung up on.

macOS starts no second program: it tells the one that runs what to open (:class:`Application`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QLockFile, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QWidget

from curator import private
from curator.settings import Home

log = logging.getLogger(__name__)

_BYTES = 256 << 10  # of one call
_PATHS = 1000
_LONG = 4096  # characters of one path
_TOKEN = 256
_CALLERS = 8
_LONGEST = 100  # bytes of a socket's path; systems take 103 or 107
_SPEAK_MS = 5_000  # a caller says what it wants within this, or is hung up on
_ANSWER_MS = 15_000  # a window that is just being made hears nobody before it is there
_OK = b"ok\n"
_MINIMIZED = Qt.WindowState.WindowMinimized
# What desktops give a program they start, so that it may come to the front.
_TOKENS = ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID")


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """What another start asks of the window: to come to the front, and to open these."""

    paths: tuple[Path, ...] = ()
    token: str = ""


def name_of(home: Home) -> str:
    """Name the socket of a home: the same for every process of one user, and short."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(home.data))).hexdigest()[:24]
    if sys.platform == "win32":
        return f"curator-{digest}"
    given = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")
    paths = [Path(place, f"curator-{os.getuid()}-{digest}") for place in given if place]
    fit = (path for path in paths if len(os.fsencode(path)) <= _LONGEST and path.parent.is_dir())
    return str(next(fit, paths[-1]))


def answers(home: Home) -> bool:
    """Say whether a window is open on this home; its process may be busy."""
    return _connected(name_of(home)) is not None


def send_to_running(home: Home, paths: Sequence[Path] = (), token: str = "") -> bool:
    """Have the open window come to the front and open these; say whether it answered."""
    socket = _connected(name_of(home))
    if socket is None:
        return False
    asked = {"paths": [str(path) for path in paths[:_PATHS]], "token": token}
    socket.write(json.dumps(asked).encode("ascii") + b"\n")
    answer = b""
    while len(answer) < len(_OK) and socket.waitForReadyRead(_ANSWER_MS):
        answer += bytes(socket.readAll().data())
    socket.abort()
    return answer == _OK


def token() -> str:
    """Give what the desktop that started this process lets come to the front by, if anything."""
    return next(filter(None, (os.environ.get(name, "") for name in _TOKENS)), "")


def _connected(name: str) -> QLocalSocket | None:
    if sys.platform != "win32":
        try:
            if Path(name).stat().st_uid != os.getuid():
                return None  # somebody else's: what we open is none of their business
        except OSError:
            return None
    socket = QLocalSocket()
    socket.connectToServer(name)
    return socket if socket.waitForConnected(_ANSWER_MS) else None


@contextlib.contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Keep other starts from looking who listens until it is settled whether this one does.

    Qt takes away the lock of a process that is gone; where none can be had, there is none.
    """
    # Beside the socket; the name of a pipe is no path.
    lock = QLockFile(str(Path(tempfile.gettempdir(), f"{name}.lock")))
    if lock.tryLock(_ANSWER_MS):
        private.restrict(lock.fileName())
    else:
        log.info("who listens is settled without a lock: %s", lock.error())
    try:
        yield
    finally:
        lock.unlock()


def parsed(line: bytes) -> OpenRequest | None:
    """Read a call; None if it is none.

    Args:
        line: JSON with ``paths``, absolute ones, and ``token``.
    """
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(asked, dict):
        return None
    paths, given = asked.get("paths"), asked.get("token", "")
    if not isinstance(paths, list) or len(paths) > _PATHS or not all(map(_is_path, paths)):
        return None
    if not isinstance(given, str) or len(given) > _TOKEN or not (given + "x").isprintable():
        return None
    return OpenRequest(tuple(Path(path) for path in paths), given if given.isascii() else "")


def _is_path(text: object) -> bool:
    if not isinstance(text, str) or not 0 < len(text) <= _LONG or "\0" in text:
        return False
    return Path(text).is_absolute()


class InstanceServer(QObject):
    """The open window's end of it.

    Signals:
        called(OpenRequest): another start asks for something.

    Thread: GUI.
    """

    called = Signal(object)

    def __init__(self, home: Home, parent: QObject | None = None) -> None:
        """Make a door; nobody hears at it before :meth:`listen`."""
        super().__init__(parent)
        self._name = name_of(home)
        self._callers: set[_Caller] = set()
        self._early: list[OpenRequest] = []
        self.called.connect(self._keep)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.setMaxPendingConnections(_CALLERS)
        self._server.newConnection.connect(self._come)

    def attend(self, listener: Callable[[OpenRequest], None]) -> None:
        """Have calls heard from now on; what was called while there was no window comes first.

        Args:
            listener: gets each call, not before the event loop runs.
        """
        self.called.disconnect(self._keep)
        self.called.connect(listener)
        for call in self._early:
            QTimer.singleShot(0, self, lambda call=call: self.called.emit(call))

    def _keep(self, call: OpenRequest) -> None:
        """Keep a call for the window to come; the question that holds it up comes forward."""
        self._early.append(call)
        question = QApplication.activeModalWidget()
        if question is not None:
            bring_to_front(question, call.token)

    def listen(self) -> bool:
        """Listen, unless another window does; what a killed process left is cleared away.

        Who listens is the first: of several starts in one instant just one is.
        """
        if self._server.isListening():
            return True
        with _one_at_a_time(self._name):
            if _connected(self._name) is not None:
                return False
            QLocalServer.removeServer(self._name)
            heard = self._server.listen(self._name)
        if not heard:
            log.info("no other start will find this window: %s", self._server.errorString())
        return heard

    def close(self) -> None:
        """Hear nobody any more."""
        self._server.close()

    def _come(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            if len(self._callers) >= _CALLERS:
                socket.abort()
                continue
            caller = _Caller(socket, self)
            self._callers.add(caller)
            caller.hear()  # it may have spoken already

    def forget(self, caller: _Caller) -> None:
        """Let go of somebody who went."""
        self._callers.discard(caller)


class _Caller(QObject):
    """One connection, from its first byte to the answer."""

    def __init__(self, socket: QLocalSocket, door: InstanceServer) -> None:
        super().__init__(door)
        self._socket, self._door = socket, door
        socket.setParent(self)
        socket.readyRead.connect(self.hear)
        socket.disconnected.connect(self._end)
        patience = QTimer(self, singleShot=True, interval=_SPEAK_MS)
        patience.timeout.connect(self._hang_up)
        patience.start()

    def hear(self) -> None:
        """Take in what was said so far; answer once it is a call."""
        if not self._socket.canReadLine():
            if self._socket.bytesAvailable() > _BYTES:
                self._hang_up()
            return
        line = bytes(self._socket.readLine(_BYTES).data())
        call = parsed(line) if line.endswith(b"\n") else None
        if call is None:
            self._hang_up()
            return
        self._socket.readyRead.disconnect(self.hear)
        self._socket.write(_OK)
        self._socket.disconnectFromServer()  # once that is written
        self._door.called.emit(call)

    def _hang_up(self) -> None:
        log.info("hung up on somebody who asked for nothing")
        self._socket.abort()
        self._end()

    def _end(self) -> None:
        self._door.forget(self)
        self.deleteLater()


class Application(QApplication):
    """Qt's application, which also hears what macOS's Finder has opened with Curator.

    Signals:
        opened(OpenRequest): files and folders that arrived together, as one request.

    Thread: GUI.
    """

    opened = Signal(object)

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        self._paths: list[Path] = []
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._tell)

    def event(self, event: QEvent) -> bool:
        """Take in one file that is to be opened."""
        if not isinstance(event, QFileOpenEvent):
            return super().event(event)
        if event.file():  # else it is an address of the web
            self._paths.append(Path(event.file()))
            self._soon.start()
        return True

    def _tell(self) -> None:
        paths, self._paths = self._paths, []
        self.opened.emit(OpenRequest(tuple(paths)))


def bring_to_front(window: QWidget, token: str = "") -> None:
    """Bring a window to the front as far as the system lets it; else its button asks for a look.

    Args:
        window: the window; a dialog over it comes with it.
        token: of the start that asks for it; Wayland lets nobody forward without one.
    """
    if token:
        os.environ[_TOKENS[0]] = token  # where Qt looks for it
    window.setWindowState(window.windowState() & ~_MINIMIZED)
    window.show()
    front = QApplication.activeModalWidget() or window
    front.raise_()
    front.activateWindow()
    QApplication.alert(front)
