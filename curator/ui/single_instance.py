"""One window per home: a second start finds the first, and sends it what to open.

:mod:`curator.app` uses it:

    server = InstanceServer(home)
    if not server.listen() and is_running(home):          # another window is open
        send_to_running(home, [Path("/photos/Iceland")])  # it comes to the front and opens that
    server.deliver_to(...)                                # gets what later starts send

It is a local socket (a named pipe on Windows) named after the home, which only the same user can
open; nothing of it reaches a network. Requests are data: a limited number of paths and never a
command. A connection that sends anything else is closed.

macOS starts no second process: it tells the running one what to open (:class:`Application`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QWidget

from curator import file_lock, private
from curator.home import Home

log = logging.getLogger(__name__)

# Limits of one request: bytes, paths, characters of a path and of the token.
_MAX_BYTES, _MAX_PATHS, _MAX_PATH_LENGTH, _MAX_TOKEN_LENGTH = 256 << 10, 1000, 4096, 256
_MAX_CONNECTIONS = 8
_MAX_SOCKET_PATH = 100  # bytes; systems take 103 or 107
_REQUEST_MS = 5_000  # a connection without a request is closed after this
_ANSWER_MS = 15_000  # a window that is still starting does not answer before it shows
_OK = b"ok\n"
_MINIMIZED = Qt.WindowState.WindowMinimized
# Environment variables for the token that lets a started program come to the front.
_TOKENS = ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID")


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request of another start to the running window: come to the front and open these paths."""

    paths: tuple[Path, ...] = ()
    token: str = ""


def socket_name(home: Home) -> str:
    """Return the name of a home's socket: the same in all processes of one user."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(home.data))).hexdigest()[:24]
    if sys.platform == "win32":
        return f"curator-{digest}"
    folders = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")
    paths = [Path(folder, f"curator-{os.getuid()}-{digest}") for folder in folders if folder]
    usable = (
        path
        for path in paths
        if len(os.fsencode(path)) <= _MAX_SOCKET_PATH and path.parent.is_dir()
    )
    return str(next(usable, paths[-1]))


def is_running(home: Home) -> bool:
    """Whether a window is open on this home; its process may be busy."""
    return _connected(socket_name(home)) is not None


def send_to_running(home: Home, paths: Sequence[Path] = (), token: str = "") -> bool:
    """Ask the running window to come to the front and open paths. Return whether it answered."""
    socket = _connected(socket_name(home))
    if socket is None:
        return False
    request = {"paths": [str(path) for path in paths[:_MAX_PATHS]], "token": token}
    socket.write(json.dumps(request).encode("ascii") + b"\n")
    answer = b""
    while len(answer) < len(_OK) and socket.waitForReadyRead(_ANSWER_MS):
        answer += bytes(socket.readAll().data())
    socket.abort()
    return answer == _OK


def activation_token() -> str:
    """Return the token with which the desktop lets this process come to the front, or ''."""
    return next(filter(None, (os.environ.get(name, "") for name in _TOKENS)), "")


def _connected(name: str) -> QLocalSocket | None:
    if sys.platform != "win32":
        try:
            if Path(name).stat().st_uid != os.getuid():
                return None  # another user's process must not learn what we open
        except OSError:
            return None
    socket = QLocalSocket()
    socket.connectToServer(name)
    return socket if socket.waitForConnected(_ANSWER_MS) else None


@contextlib.contextmanager
def _start_lock(name: str) -> Iterator[None]:
    """Hold a lock while choosing the process that listens, so that two starts never both do.

    If locking is impossible or takes too long, the block runs without the lock.
    """
    # In the temporary folder, because on Windows the socket's name is not a path.
    path = Path(tempfile.gettempdir(), f"{name}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), private.FILE)
    except OSError as error:
        log.info("starting to listen without a lock: %s", error)
        yield
        return
    try:
        deadline = time.monotonic() + _ANSWER_MS / 1000
        with contextlib.suppress(OSError):  # a file system without locks
            while not file_lock.acquire(handle) and time.monotonic() < deadline:
                time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def parse_request(line: bytes) -> OpenRequest | None:
    """Parse a request: JSON with absolute ``paths`` and a ``token``. Return None if invalid."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict):
        return None
    paths, token = request.get("paths"), request.get("token", "")
    if not isinstance(paths, list) or len(paths) > _MAX_PATHS or not all(map(_is_path, paths)):
        return None
    if not isinstance(token, str) or len(token) > _MAX_TOKEN_LENGTH or not token.isprintable():
        return None
    return OpenRequest(tuple(Path(path) for path in paths), token if token.isascii() else "")


def _is_path(text: object) -> bool:
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_PATH_LENGTH or "\0" in text:
        return False
    return Path(text).is_absolute()


class InstanceServer(QObject):
    """Receives the requests of later starts in the running process.

    Signals:
        requested(OpenRequest): another start asks for something.

    Thread: GUI.
    """

    requested = Signal(object)

    def __init__(self, home: Home, parent: QObject | None = None) -> None:
        """Create the server; it listens only after :meth:`listen`."""
        super().__init__(parent)
        self._name = socket_name(home)
        self._connections: set[_Connection] = set()
        self._early: list[OpenRequest] = []
        self.requested.connect(self._hold)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.setMaxPendingConnections(_MAX_CONNECTIONS)
        self._server.newConnection.connect(self._accept)

    def deliver_to(self, listener: Callable[[OpenRequest], None]) -> None:
        """Deliver requests from now on, first those held while there was no window.

        Args:
            listener: gets each request, not before the event loop runs.
        """
        self.requested.disconnect(self._hold)
        self.requested.connect(listener)
        for request in self._early:
            QTimer.singleShot(0, self, lambda request=request: self.requested.emit(request))

    def _hold(self, request: OpenRequest) -> None:
        """Hold a request until the window exists; bring a dialog that delays it to the front."""
        self._early.append(request)
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            bring_to_front(dialog, request.token)

    def listen(self) -> bool:
        """Start to listen unless another window does. Return whether this process listens now.

        The socket of a killed process is removed. Of several simultaneous starts only one listens.
        """
        if self._server.isListening():
            return True
        with _start_lock(self._name):
            if _connected(self._name) is not None:
                return False
            QLocalServer.removeServer(self._name)
            listening = self._server.listen(self._name)
        if not listening:
            log.info("no other start will find this window: %s", self._server.errorString())
        return listening

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _accept(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            if len(self._connections) >= _MAX_CONNECTIONS:
                socket.abort()
                continue
            connection = _Connection(socket, self)
            self._connections.add(connection)
            connection.read()  # its request may have arrived already

    def forget(self, connection: _Connection) -> None:
        """Drop a closed connection."""
        self._connections.discard(connection)


class _Connection(QObject):
    """One connection, from its first byte to the answer."""

    def __init__(self, socket: QLocalSocket, server: InstanceServer) -> None:
        super().__init__(server)
        self._socket, self._server = socket, server
        socket.setParent(self)
        socket.readyRead.connect(self.read)
        socket.disconnected.connect(self._end)
        timeout = QTimer(self, singleShot=True, interval=_REQUEST_MS)
        timeout.timeout.connect(self._reject)
        timeout.start()

    def read(self) -> None:
        """Read what has arrived; answer once it is a complete request."""
        if not self._socket.canReadLine():
            if self._socket.bytesAvailable() > _MAX_BYTES:
                self._reject()
            return
        line = bytes(self._socket.readLine(_MAX_BYTES).data())
        request = parse_request(line) if line.endswith(b"\n") else None
        if request is None:
            self._reject()
            return
        self._socket.readyRead.disconnect(self.read)
        self._socket.write(_OK)
        self._socket.disconnectFromServer()  # after the answer is written
        self._server.requested.emit(request)

    def _reject(self) -> None:
        log.info("closed a connection without a valid request")
        self._socket.abort()
        self._end()

    def _end(self) -> None:
        self._server.forget(self)
        self.deleteLater()


class Application(QApplication):
    """Qt's application, which also receives the files macOS's Finder opens with Curator.

    Signals:
        opened(OpenRequest): files and folders that arrived together, as one request.

    Thread: GUI.
    """

    opened = Signal(object)

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        self._paths: list[Path] = []
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._emit)

    def event(self, event: QEvent) -> bool:
        """Collect a file to open."""
        if not isinstance(event, QFileOpenEvent):
            return super().event(event)
        if event.file():  # empty for a web address
            self._paths.append(Path(event.file()))
            self._soon.start()
        return True

    def _emit(self) -> None:
        paths, self._paths = self._paths, []
        self.opened.emit(OpenRequest(tuple(paths)))


def bring_to_front(window: QWidget, token: str = "") -> None:
    """Bring a window to the front; where the system refuses, its taskbar button blinks.

    Args:
        window: the window; a dialog over it comes with it.
        token: the activation token of the start that asks; Wayland requires one.
    """
    if token:
        os.environ[_TOKENS[0]] = token  # Qt reads it there
    window.setWindowState(window.windowState() & ~_MINIMIZED)
    window.show()
    front = QApplication.activeModalWidget() or window
    front.raise_()
    front.activateWindow()
    QApplication.alert(front)
