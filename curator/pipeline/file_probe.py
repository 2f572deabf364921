"""Reading files for the conductor on another thread, because a drive may not answer.

The conductor must never wait for a drive. A :class:`FileProbe` runs its questions about files on a
thread with its own catalog connection, and delivers the answers on the conductor's thread.
Comparing a drive full of copies by their sha256 takes an evening; meanwhile results are saved, and
stopping takes no longer than one read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path, PurePath
from queue import SimpleQueue
from typing import TypeVar

from curator import files, volumes
from curator.catalog import Catalog, FileReader
from curator.model import KnownError, UnavailableError

log = logging.getLogger(__name__)

T = TypeVar("T")
PATIENCE_S = 10.0  # a disk that sleeps takes long to wake
_CLOSE_S = 2.0
_ON_CARD = "It is on a card, which is not read completely unless you ask."


class PatientReader:
    """Reads files for the catalog and waits for a drive only as long as it makes progress.

    A drive that does not answer raises UnavailableError, and so does a reader that was stopped.

    Thread: any.
    """

    def __init__(self, inline: bool = False) -> None:
        """Make a reader; ``inline`` reads on the calling thread and waits as long as it takes."""
        self._inline = inline
        self._stopped = False

    def stop(self) -> None:
        """Cancel the read in progress and refuse all others."""
        self._stopped = True

    def status(self, path: str) -> os.stat_result:
        """Return the status of a file, such as its size and times."""
        return self._ask(path, lambda _: files.status(path))

    def fingerprint(self, path: str) -> str:
        """Return the fingerprint of a file."""
        return self._ask(path, lambda _: files.fingerprint(path))

    def sha256(self, path: str) -> str:
        """Return the sha256 of a whole file.

        Raises:
            UnavailableError: it is on a removable card, which is not read completely unasked.
        """
        return self._ask(path, lambda stopped: _sha256(path, stopped))

    def _ask(self, path: str, question: Callable[[Callable[[], bool]], T]) -> T:
        if self._inline:
            return question(lambda: False)
        if self._stopped:
            raise UnavailableError("Reading was stopped.")
        moved_at = time.monotonic()

        def stopped() -> bool:
            nonlocal moved_at
            moved_at = time.monotonic()
            return self._stopped

        return volumes.ask(
            PurePath(path).parent,
            lambda: question(stopped),
            PATIENCE_S,
            lambda: moved_at,
            lambda: self._stopped,
        )


def _sha256(path: str, stopped: Callable[[], bool]) -> str:
    mount = volumes.mount_of(path)
    if mount is not None and mount.removable:
        raise UnavailableError(_ON_CARD)
    return files.sha256(path, stopped)


class FileProbe:
    """Answers questions about files one after the other, on a thread of its own.

    Thread: the conductor's; questions run on the probe's thread.
    """

    def __init__(
        self,
        catalog: Catalog,
        deliver: Callable[[Callable[[], None]], None],
        inline: bool = False,
    ) -> None:
        """Make a probe; its thread starts with the first question.

        Args:
            catalog: the conductor's connection; the thread opens its own to the same file.
            deliver: runs a function on the conductor's thread.
            inline: answer on the calling thread.
        """
        self._catalog, self._deliver, self._inline = catalog, deliver, inline
        self._reader = PatientReader(inline)
        self._stopped = False
        self._questions: SimpleQueue[Callable[[Callable[[], Catalog]], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def look(
        self,
        question: Callable[[Catalog, FileReader], T],
        then: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Answer a question about files; once stopped, no answer is delivered.

        Args:
            question: reads files and the catalog; must not write.
            then: gets the answer, on the conductor's thread.
            failed: gets the error that the question, or opening the catalog, raised, on the
                conductor's thread.
        """

        def work(opened: Callable[[], Catalog]) -> None:
            try:
                answer = question(opened(), self._reader)
            except Exception as error:
                reason = error  # Python deletes ``error`` at the end of this block
                if not isinstance(error, KnownError):
                    log.exception("looking at files failed")
                self._deliver_answer(lambda: failed(reason))
            else:
                self._deliver_answer(lambda: then(answer))

        if self._inline:
            work(lambda: self._catalog)
            return
        self._questions.put(work)
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="curator-probe", daemon=True)
            self._thread.start()

    def _deliver_answer(self, function: Callable[[], None]) -> None:
        if self._inline:
            function()
        elif not self._stopped:
            self._deliver(function)

    def _run(self) -> None:
        with opened_beside(self._catalog.path) as opened:
            while (work := self._questions.get()) is not None and not self._stopped:
                work(opened)

    def stop(self) -> None:
        """Stop reading; a thread that waits for a slow drive is left to end with the process."""
        self._stopped = True
        self._reader.stop()
        if self._thread is not None:
            self._questions.put(None)
            self._thread.join(_CLOSE_S)


@contextlib.contextmanager
def opened_beside(path: Path) -> Iterator[Callable[[], Catalog]]:
    """Yield a function that opens a second connection once it is called; after an error, again."""
    with contextlib.ExitStack() as at_end:

        @cache
        def opened() -> Catalog:
            return at_end.enter_context(contextlib.closing(open_beside(path)))

        yield opened


def open_beside(path: Path) -> Catalog:
    """Open a second connection to an open catalog, for another thread.

    Another process may hold the file for a moment; then it is tried again.
    """
    for _ in range(3):
        with contextlib.suppress(KnownError):
            return Catalog.open(path)
        time.sleep(0.1)
    return Catalog.open(path)
