"""Looking at files for the catalog beside the conductor: whether they are there, and what is in.

The catalog asks a :class:`Reader` for what it must know of a file to tell what it is. What was
not looked at yet makes it raise :class:`~curator.catalog.Unread`; :class:`Readers` then do that on
threads of their own, and the catalog is asked again. A drive full of copies, each proved by its
sha256, takes an evening; meanwhile results are saved, and stopping takes no longer than a read. A
drive that does not answer holds up nobody: what is asked of it is answered by a UnavailableError.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from pathlib import PurePath
from queue import SimpleQueue
from typing import Any, TypeVar

from curator import files, volumes
from curator.catalog import Unread
from curator.model import KnownError, UnavailableError

log = logging.getLogger(__name__)

A = TypeVar("A", bound=Hashable)
T = TypeVar("T")
Wish = tuple[Callable[[Any], Any], Any]  # what to ask, and what of: the path of a file mostly
_THREADS = 2  # more would only make one disk seek
PATIENCE_S = 10.0  # a disk that sleeps takes long to wake
_CLOSE_S = 2.0
_SPARED = "It is on a card, which is not read whole without being asked."


class Reader:
    """What was found out about files, for the catalog; the rest is asked for.

    Thread: the conductor's, but for :meth:`read`.
    """

    def __init__(self, inline: bool = False) -> None:
        """Make a reader; ``inline`` finds out at once what is asked for."""
        self._inline = inline
        self._found: dict[Wish, Any] = {}

    def status(self, path: str) -> os.stat_result:
        """Give size, times and all of a file."""
        return self.ask(files.status, path)

    def fingerprint(self, path: str) -> str:
        """Give the fingerprint of a file."""
        return self.ask(files.fingerprint, path)

    def sha256(self, path: str) -> str:
        """Give the sha256 of a whole file; one that can be pulled out is not read for it."""
        return self.ask(_whole, path)

    def ask(self, question: Callable[[A], T], about: A) -> T:
        """Give the answer to any question; one that failed raises its KnownError.

        Raises:
            Unread: nobody found out yet.
        """
        if self._inline:
            return question(about)
        if (question, about) not in self._found:
            raise Unread([(question, about)])
        found = self._found[question, about]
        if isinstance(found, KnownError):
            raise found
        answer: T = found
        return answer

    def read(self, wanted: Iterable[Wish], stopped: Callable[[], bool]) -> None:
        """Find out what an ``Unread`` names, or why that cannot be; any thread."""
        for what in wanted:
            if stopped():
                return
            try:
                self._found[what] = _patiently(what, stopped)
            except KnownError as error:
                self._found[what] = error
            except Exception:
                log.exception("looking at %s failed", what[1])
                self._found[what] = KnownError("The file cannot be read.")

    def forget(self, wanted: Iterable[Wish] | None = None) -> None:
        """Let go of what was found out, or of some of it: files may change from now on."""
        if wanted is None:
            self._found.clear()
            return
        for what in wanted:
            self._found.pop(what, None)


def _whole(path: str, stopped: Callable[[], bool] = lambda: False) -> str:
    mount = volumes.mount_of(path)
    if mount is not None and mount.removable:
        raise UnavailableError(_SPARED)
    return files.sha256(path, stopped)


def _patiently(what: Wish, stopped: Callable[[], bool]) -> object:
    """Ask on a thread that may hang, for as long as it gets on."""
    question, about = what
    moved_at = time.monotonic()

    def heed() -> bool:
        nonlocal moved_at
        moved_at = time.monotonic()
        return stopped()

    def put() -> object:
        return _whole(about, heed) if question is _whole else question(about)

    # A file's folder; else it is about a folder, or a row of one.
    near: Any = PurePath(about).parent if isinstance(about, str) else getattr(about, "path", about)
    return volumes.ask(near, put, PATIENCE_S, lambda: moved_at, stopped)


class Readers:
    """The threads on which files are looked at for the catalog; they begin with the first wish."""

    def __init__(self, inline: bool = False) -> None:
        """Make them; ``inline``: there are none, all is looked at where it is asked for."""
        self._inline = inline
        self._stopped = False
        self._wishes: SimpleQueue[tuple[Reader, Unread, Callable[[], None]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def reader(self) -> Reader:
        """Make a reader for something that is to be told apart."""
        return Reader(self._inline)

    def start(self, reader: Reader, lacking: Unread, then: Callable[[], None]) -> None:
        """Find out what is lacking, and call ``then`` on a reading thread unless stopped.

        Thread: the conductor's.
        """
        if self._stopped:
            return
        self._wishes.put((reader, lacking, then))
        if len(self._threads) < _THREADS:
            thread = threading.Thread(target=self._work, name="curator-reading", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (wish := self._wishes.get()) is not None and not self._stopped:
            reader, lacking, then = wish
            reader.read(lacking.wanted, lambda: self._stopped)
            if not self._stopped:
                then()

    def stop(self) -> None:
        """Give up what is being read; what hangs is left to end with the process."""
        self._stopped = True
        for _ in self._threads:
            self._wishes.put(None)
        for thread in self._threads:
            thread.join(_CLOSE_S)
