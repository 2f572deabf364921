"""A local model hub with the part of its protocol that its client uses.

It answers HEAD with size and tag, GET with Range, and 404 with a reason in a header.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from curator.encoders import hub

PIECE = 10 * 1024 * 1024  # bytes the hub's client reads at a time
NAME = "open_clip_model.safetensors"
LIMIT_S = 60.0


class Hub:
    """The files of the server and its behavior.

    Attributes:
        files: content by file name.
        tag: the tag to send, if not the sha256 of the content.
        breaks: number of bytes after which the first ``broken`` GETs end.
        holds: number of bytes after which a GET waits for ``go``.
        status: HTTP status to send instead of a file.
        asked: (method, name, Range) of every request.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.tag = ""
        self.breaks = self.holds = 0
        self.broken = 0
        self.go = threading.Event()
        self.status = 0
        self.asked: list[tuple[str, str, str | None]] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.rpartition("/")[2]
        ranged = request.headers.get("Range")
        self.asked.append((request.command, name, ranged))
        content = self.files.get(name)
        if self.status or content is None:
            request.send_response(self.status or 404)
            if not self.status:
                request.send_header("X-Error-Code", "EntryNotFound")
            request.end_headers()
            return
        start = int(ranged.split("=")[1].split("-")[0]) if ranged else 0
        request.send_response(206 if ranged else 200)
        tag = self.tag or hashlib.sha256(content).hexdigest()
        request.send_header("ETag", f'"{tag}"')
        request.send_header("X-Repo-Commit", "0" * 40)
        request.send_header("Content-Length", str(len(content) - start))
        if ranged:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        if request.command == "GET":
            self._send(request, content[start:])

    def _send(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        try:
            if self.broken:
                self.broken -= 1
                request.wfile.write(content[: self.breaks])
            elif self.holds:
                request.wfile.write(content[: self.holds])
                self.go.wait(LIMIT_S)
            else:
                request.wfile.write(content)
        except OSError:
            pass  # the client hung up


@contextmanager
def serving() -> Iterator[tuple[Hub, str]]:
    """Run the server; yields the hub and its address."""
    served = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = False  # joined when it closes
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served, f"http://127.0.0.1:{listening.server_port}"
    finally:
        served.go.set()
        listening.shutdown()
        listening.server_close()
        thread.join()


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove variables that would redirect the client, until the end of the test."""
    for name in hub.ENVIRONMENT:
        monkeypatch.setenv(name, "1")
    for name in ("HF_HUB_OFFLINE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # its thread would outlive the test
