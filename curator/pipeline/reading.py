"""Reading files for the catalog beside the conductor: fingerprints, and whole files.

The catalog asks a :class:`Reader` for what it must know of a file to tell what it is. What was
not read yet makes it raise :class:`~curator.catalog.Unread`; :class:`Readers` then read that on
threads of their own, and the catalog is asked again. A drive full of copies, each proved by its
sha256, takes an evening; meanwhile results are saved, and stopping takes no longer than a read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from PySide6.QtCore import QThreadPool

from curator import files
from curator.catalog import Unread
from curator.model import KnownError

log = logging.getLogger(__name__)

Wish = tuple[Callable[[str], str], str]  # what to read of a file, and its path
_THREADS = 2  # more would only make one disk seek


class Reader:
    """What was read of files, for the catalog; the rest is asked for.

    Thread: the conductor's, but for :meth:`read`.
    """

    def __init__(self, inline: bool = False) -> None:
        """Make a reader; ``inline`` reads at once what is asked for."""
        self._inline = inline
        self._found: dict[Wish, str | KnownError] = {}

    def fingerprint(self, path: str) -> str:
        """Give the fingerprint of a file."""
        return self._at_hand(files.fingerprint, path)

    def sha256(self, path: str) -> str:
        """Give the sha256 of a whole file."""
        return self._at_hand(files.sha256, path)

    def _at_hand(self, read: Callable[[str], str], path: str) -> str:
        if self._inline:
            return read(path)
        found = self._found.get((read, path))
        if found is None:
            raise Unread([(read, path)])
        if isinstance(found, KnownError):
            raise found
        return found

    def read(self, wanted: Iterable[Wish], stopped: Callable[[], bool]) -> None:
        """Read what an ``Unread`` names, or why it cannot be read; any thread."""
        for what in wanted:
            read, path = what
            try:
                if read is files.sha256:
                    self._found[what] = files.sha256(path, stopped)
                else:
                    self._found[what] = read(path)
            except KnownError as error:
                self._found[what] = error
            except Exception:
                log.exception("reading %s failed", path)
                self._found[what] = KnownError("The file cannot be read.")
            if stopped():
                return

    def forget(self, wanted: Iterable[Wish]) -> None:
        """Let go of what was read: the files may change from now on."""
        for what in wanted:
            self._found.pop(what, None)


class Readers:
    """The threads on which files are read for the catalog."""

    def __init__(self) -> None:
        self._stopped = False
        self._threads = QThreadPool()
        self._threads.setMaxThreadCount(_THREADS)

    def start(self, reader: Reader, lacking: Unread, then: Callable[[], None]) -> None:
        """Read what is lacking, and call ``then`` on the reading thread unless stopped."""
        if self._stopped:
            return
        self._threads.start(lambda: self._work(reader, lacking.wanted, then))

    def _work(self, reader: Reader, wanted: list[Wish], then: Callable[[], None]) -> None:
        reader.read(wanted, lambda: self._stopped)
        if not self._stopped:
            then()

    def stop(self) -> None:
        """Give up what is being read."""
        self._stopped = True
        self._threads.clear()
        self._threads.waitForDone()
