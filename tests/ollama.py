"""A fake Ollama that speaks real HTTP on a loopback socket and can be told to misbehave.

It answers /api/version, /api/tags, /api/show, /api/pull (streaming), /v1/models and
/v1/chat/completions. By default it has llava and describes every picture the same way::

    with Ollama() as server:
        server.chat(busy(after="7"), cut)     # the next two chats; normal again afterwards
        options = VisionOptions(url=server.url)
        server.asked[-1].body                 # the body of the last request
"""

from __future__ import annotations

import gzip
import json
import select
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RECORD: dict[str, Any] = {
    "subject": "A fishing boat tied up in a small harbor.",
    "content_type": "landscape",
    "lighting_critique": "Low warm sun from the left rakes across the hull.",
    "artistic_mood": "quiet, end of day",
    "suggested_tags": ["boat", "harbor", "evening", "water", "rope"],
}


@dataclass(frozen=True)
class Asked:
    """A request the server received."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of a connection; acts write their answers with its methods."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a small answer is sent at once
    server: _Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.answer(json.loads(self.rfile.read(length) or b"null"))

    def answer(self, body: Any) -> None:
        ollama = self.server.ollama
        headers = {name.lower(): value for name, value in self.headers.items()}
        ollama.asked.append(Asked(self.command, self.path, headers, body))
        waiting = ollama.acts.get(self.path)
        usual = _USUAL.get(self.path, status(404, "page not found"))
        act = waiting.popleft() if waiting else usual
        try:
            act(self)
        except (BrokenPipeError, ConnectionResetError):
            ollama.gone.set()
            self.close_connection = True

    def begin(self, code: int, kind: str, length: int | None, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.flush()

    def json(self, document: Any, code: int = 200, **headers: str) -> None:
        data = json.dumps(document).encode()
        self.begin(code, "application/json", len(data), **headers)
        self.wfile.write(data)

    def wait(self, seconds: float) -> bool:
        """Wait; return True if the client hung up or the server is shutting down."""
        ollama = self.server.ollama
        ready, _, _ = select.select([self.connection, ollama.bell], [], [], seconds)
        if self.connection in ready:
            ollama.gone.set()
        if ready:
            self.close_connection = True
        return bool(ready)


Act = Callable[[Handler], None]


# --- acts: ways to answer a request


def reply(content: Any, finish: str = "stop") -> Act:
    """Answer a chat with this text as the model's words; anything but text is sent as JSON."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)

    def act(handler: Handler) -> None:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        handler.json(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": "llava",
                "choices": [choice],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        )

    return act


def record(**changes: Any) -> Act:
    """Answer a chat with the usual record, with some fields changed; None removes a field."""
    found = {name: value for name, value in (RECORD | changes).items() if value is not None}
    return reply(found)


def packed(data: bytes) -> Act:
    """Answer with these bytes compressed, although the client did not ask for that."""

    def act(handler: Handler) -> None:
        body = gzip.compress(data)
        handler.begin(200, "application/json", len(body), Content_Encoding="gzip")
        handler.wfile.write(body)

    return act


def raw(data: bytes, kind: str = "application/json") -> Act:
    """Answer with these bytes."""

    def act(handler: Handler) -> None:
        handler.begin(200, kind, len(data))
        handler.wfile.write(data)

    return act


def document(found: Any) -> Act:
    """Answer with this JSON document."""
    return lambda handler: handler.json(found)


def status(code: int, words: str = "", **headers: str) -> Act:
    """Answer with an HTTP status and a message in the form of OpenAI's errors."""
    return lambda handler: handler.json(
        {"error": {"message": words, "type": "api_error"}}, code, **headers
    )


def busy(code: int = 429, after: str | None = None) -> Act:
    """Answer that the server is busy, with ``after`` as Retry-After header."""
    headers = {} if after is None else {"Retry_After": after}
    return status(code, "server busy, please try again", **headers)


def redirect(url: str) -> Act:
    """Redirect the client to another URL."""
    return status(307, Location=url)


def hang(handler: Handler) -> None:
    """Send nothing until the client gives up."""
    while not handler.wait(30):
        pass


def drip(handler: Handler) -> None:
    """Send a space every 10 ms until the client gives up: no read ever waits long."""
    handler.begin(200, "application/json", None)
    while not handler.wait(0.01):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def cut(handler: Handler) -> None:
    """Send part of the announced bytes and close the connection."""
    handler.begin(200, "application/json", 5000)
    handler.wfile.write(b'{"choices": [{"message"')
    handler.close_connection = True


def stream(*lines: Any) -> Act:
    """Answer with one JSON document per line, as a pull does; bytes are sent unchanged."""

    def act(handler: Handler) -> None:
        handler.begin(200, "application/x-ndjson", None)
        for line in lines:
            if callable(line):
                line(handler)
                continue
            handler.wfile.write(line if isinstance(line, bytes) else json.dumps(line).encode())
            handler.wfile.write(b"\n")
            handler.wfile.flush()

    return act


def silence(handler: Handler) -> None:
    """Send nothing more in the middle of a stream until the client gives up."""
    while not handler.wait(30):
        pass


# --- the usual answers


def _tags(handler: Handler) -> None:
    models = [
        {"name": name, "model": name, "size": 4_733_363_377, "digest": "8dd30f6b0cb1"}
        for name in handler.server.ollama.models
    ]
    handler.json({"models": models})


def _models(handler: Handler) -> None:
    models = [{"id": name, "object": "model"} for name in handler.server.ollama.models]
    handler.json({"object": "list", "data": models})


def _known(handler: Handler) -> str | None:
    """Return the requested model; if it is missing, answer as Ollama does and return None."""
    ollama = handler.server.ollama
    name = str(ollama.asked[-1].body.get("model"))
    for known in (name, f"{name}:latest"):
        if known in ollama.models:
            return known
    words = f'model "{name}" not found, try pulling it first'
    error: Any = {"message": words} if handler.path.startswith("/v1") else words
    handler.json({"error": error}, 404)
    return None


def _show(handler: Handler) -> None:
    if name := _known(handler):
        handler.json(
            {"capabilities": handler.server.ollama.models[name], "details": {}, "model_info": {}}
        )


def _chat(handler: Handler) -> None:
    if _known(handler):
        reply(RECORD)(handler)


def _pull(handler: Handler) -> None:
    ollama = handler.server.ollama
    name = str(ollama.asked[-1].body["model"])
    stream(
        {"status": "pulling manifest"},
        {"status": "pulling 170370233dd5", "digest": "sha256:17", "total": 400, "completed": 100},
        {"status": "pulling 170370233dd5", "digest": "sha256:17", "total": 400, "completed": 400},
        {"status": "verifying sha256 digest"},
        {"status": "success"},
    )(handler)
    ollama.models[f"{name}:latest"] = ["completion", "vision"]


_USUAL: dict[str, Act] = {
    "/api/version": document({"version": "0.12.6"}),
    "/api/tags": _tags,
    "/api/show": _show,
    "/api/pull": _pull,
    "/v1/models": _models,
    "/v1/chat/completions": _chat,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    ollama: Ollama

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up early; anything else is an error in the test."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Ollama:
    """The server, as a context manager that starts it and ends all its threads.

    Attributes:
        url: its address.
        models: name → capabilities.
        asked: every request so far.
        acts: path → how to answer the next requests.
        gone: set when a client hung up on an act that makes it wait.
    """

    def __init__(self) -> None:
        self.models: dict[str, list[str]] = {"llava:latest": ["completion", "vision"]}
        self.asked: list[Asked] = []
        self.acts: dict[str, deque[Act]] = {}
        self.gone = threading.Event()

    def on(self, path: str, *acts: Act) -> None:
        """Set how to answer the next requests of a path, one act per request."""
        self.acts.setdefault(path, deque()).extend(acts)

    def chat(self, *acts: Act) -> None:
        """Set how to answer the next chats, one act per chat."""
        self.on("/v1/chat/completions", *acts)

    @property
    def chats(self) -> list[Any]:
        """The bodies of all chats so far."""
        return [asked.body for asked in self.asked if asked.path == "/v1/chat/completions"]

    def __enter__(self) -> Ollama:
        import socket

        self.bell, self._bell_end = socket.socketpair()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.ollama = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="ollama"
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bell_end.close()  # wakes waiting handlers
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.bell.close()
