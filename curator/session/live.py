"""Taste, live: one thread that learns after every decision and scores the archive again.

It has a connection of its own, because reading a hundred thousand vectors takes a second; what it
says comes back to the GUI thread as a signal. Whatever comes in while it is at work is taken in
one go afterwards: a burst of keys costs one refit, not ten.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from PySide6.QtCore import QObject, Signal

from curator.catalog import Catalog
from curator.model import KnownError
from curator.session.pupil import Learned, Pupil
from curator.settings import Taste
from curator.taste import Choice

log = logging.getLogger(__name__)


@dataclass
class _Asked:
    """What is to be done: ``ids`` None means that anything may have changed."""

    ids: set[int] | None = field(default_factory=set)
    look: bool = False
    choice: Choice | None = None
    stop: bool = False

    def add(self, other: _Asked) -> None:
        """Do the other's too."""
        self.ids = None if self.ids is None or other.ids is None else self.ids | other.ids
        self.look |= other.look
        self.choice = other.choice or self.choice
        self.stop |= other.stop


class LiveTaste(QObject):
    """Owns the thread that learns.

    Signals:
        learned(Learned): emitted on that thread whenever something was learned anew.

    Thread: any, for every method.
    """

    learned = Signal(object)

    def __init__(self, catalog_path: Path, settings: Taste, scratch: Path) -> None:
        """Make it; nothing is read before :meth:`start`."""
        super().__init__()
        self._path, self._settings, self._scratch = catalog_path, settings, scratch
        self._asked: SimpleQueue[_Asked] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="curator-taste", daemon=True)
        self._search: threading.Thread | None = None
        self._last: Learned | None = None

    def start(self) -> None:
        """Learn from all there is, and from then on from what is said here."""
        self._asked.put(_Asked(None, look=True))
        self._thread.start()

    def decided(self, ids: Iterable[int]) -> None:
        """Say that marks of photos changed, by a decision or its undo."""
        self._asked.put(_Asked(set(ids)))

    def look(self) -> None:
        """Say that photos were compared, so that there may be new vectors."""
        self._asked.put(_Asked(look=True))

    def anything(self) -> None:
        """Say that another process decided or compared something."""
        self._asked.put(_Asked(None, look=True))

    def close(self) -> None:
        """End the thread, and keep a version of what was learned. Safe to repeat."""
        self._asked.put(_Asked(stop=True))
        if self._thread.ident is not None:
            self._thread.join()

    # --- the thread

    def _run(self) -> None:
        try:
            catalog = Catalog.open(self._path)
        except KnownError as error:
            log.warning("Nothing is learned from stars now: %s", error)
            return
        try:
            self._learn_on(Pupil(catalog, self._settings, self._scratch))
        finally:
            if self._search is not None:
                self._search.join()
            catalog.close()

    def _learn_on(self, pupil: Pupil) -> None:
        while True:
            asked = self._next()
            if asked.stop:
                break
            with self._forgiving("learned"):
                self._turn(pupil, asked)
        if self._last is not None:
            with self._forgiving("kept as a version"):
                pupil.snapshot(self._last)

    @contextlib.contextmanager
    def _forgiving(self, what: str) -> Iterator[None]:
        """Let the thread outlive the world's faults: a full disk, a locked catalog."""
        try:
            yield
        except KnownError as error:
            log.warning("Taste could not be %s: %s", what, error)

    def _next(self) -> _Asked:
        asked = self._asked.get()
        with contextlib.suppress(Empty):
            while True:
                asked.add(self._asked.get_nowait())
        return asked

    def _turn(self, pupil: Pupil, asked: _Asked) -> None:
        news = asked.choice is not None
        if asked.choice is not None:
            pupil.adopt(asked.choice)
        if asked.look:
            news |= pupil.look()
        if asked.ids is None or asked.ids:
            pupil.study(None if asked.ids is None else sorted(asked.ids))
            news = True
        if news or self._last is None:
            self._last = pupil.learn()
            self.learned.emit(self._last)
            self._begin_search(pupil)

    def _begin_search(self, pupil: Pupil) -> None:
        """Search the penalty beside: it takes a second once ratings are many."""
        if self._search is not None and self._search.is_alive():
            return
        job = pupil.search()
        if job is not None:
            self._search = threading.Thread(
                target=self._searched, args=(job,), name="curator-taste-search", daemon=True
            )
            self._search.start()

    def _searched(self, job: Callable[[], Choice]) -> None:
        self._asked.put(_Asked(choice=job()))
