"""Reports pending background work and the disk space Curator uses for photos.

The overview page uses this. Nothing of it runs on the GUI thread: the catalog is asked on the
learning thread, which has a connection; files are measured on a thread of their own, folder by
folder with a pause between, and a measurement is reused for a minute.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QThreadPool, Signal

from curator.catalog import BLOCKED
from curator.learning.learner import TasteLearner
from curator.model import KnownError
from curator.session.taste import TasteController
from curator.settings import Home
from curator.stages import STAGES

_REUSED_S = 60.0
_PAUSE_S = 0.001  # between two folders: lets other threads have the GIL
_PROXIES, _THUMBS = "proxies", "thumbs"  # as in `curator.imaging.proxy`


@dataclass(frozen=True, slots=True)
class Lane:
    """Counts of photos in one stage, by state; ``blocked``: an earlier stage failed."""

    name: str
    title: str
    done: int = 0
    waiting: int = 0
    running: int = 0
    failed: int = 0
    blocked: int = 0

    @property
    def all(self) -> int:
        """The number of photos of the stage."""
        return self.done + self.waiting + self.running + self.failed + self.blocked


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes on disk that Curator made from all photos."""

    proxies: int = 0
    thumbs: int = 0
    catalog: int = 0

    @property
    def all(self) -> int:
        """The total."""
        return self.proxies + self.thumbs + self.catalog


@dataclass(frozen=True, slots=True)
class BackgroundStatus:
    """Catalog figures: ``lanes`` of all photos, and bytes of ``vectors`` and ``originals``.

    Vectors are inside the catalog; the originals are those of the photos of ``scope``, a key.
    """

    scope: str
    lanes: tuple[Lane, ...]
    vectors: int
    originals: int


class BackgroundMonitor(QObject):
    """Monitors the background work of one window. Close it with its page.

    Signals:
        changed: :attr:`status` or :attr:`kept` changed.

    Attributes:
        status: the last answer of the catalog; None before the first.
        kept: the last measurement; None before the first.

    Thread: GUI only.
    """

    changed = Signal()
    _measured = Signal(object)

    def __init__(self, home: Home, taste: TasteController) -> None:
        super().__init__()
        self._home, self._taste = home, taste
        self.status: BackgroundStatus | None = None
        self.kept: Kept | None = None
        self._threads = QThreadPool()
        self._stop = threading.Event()
        self._wanted: tuple[str, Sequence[int]] = ("", ())
        self._asked = self._measuring = False
        self._measured_at = -_REUSED_S
        self._measured.connect(self._take_measure)

    def ask(self, scope: str, ids: Sequence[int]) -> None:
        """Start both updates, unless they are running or the last measurement is recent.

        Args:
            scope: the key of a scope.
            ids: its photos, whose originals are counted.
        """
        self._wanted = scope, ids
        if not self._asked:
            self._ask_catalog()
        if not self._measuring and time.monotonic() > self._measured_at + _REUSED_S:
            self._measuring = True
            home, stop = self._home, self._stop
            self._threads.start(lambda: self._measured.emit(measure(home, stop)))

    def _ask_catalog(self) -> None:
        self._asked = True
        scope, ids = self._wanted
        self._taste.learner.ask(lambda learner: read_status(learner, scope, ids), self._take_status)

    def _take_status(self, told: BackgroundStatus | KnownError) -> None:
        self._asked = False
        if not isinstance(told, BackgroundStatus):
            return
        if told.scope != self._wanted[0]:
            self._ask_catalog()
        if told != self.status:
            self.status = told
            self.changed.emit()

    def _take_measure(self, kept: Kept) -> None:
        self._measuring, self._measured_at = False, time.monotonic()
        if kept != self.kept:
            self.kept = kept
            self.changed.emit()

    def close(self) -> None:
        """Stop measuring, and wait for the thread. Safe to repeat."""
        self._stop.set()
        self._threads.waitForDone()


def read_status(learner: TasteLearner, scope: str, ids: Sequence[int]) -> BackgroundStatus:
    """Read the status; vectors are 16-bit floats, followed by columns of 32-bit ones."""
    archive = learner.vectors
    row = 2 * archive.dimension + 4 * (archive.columns - archive.dimension)
    catalog = learner.catalog
    return BackgroundStatus(
        scope, lanes(catalog.work.counts()), archive.size * row, catalog.photos.file_bytes(ids)
    )


def lanes(counts: Mapping[str, Mapping[str, int]]) -> tuple[Lane, ...]:
    """Return a lane for each stage that has photos, in order.

    Args:
        counts: photos by stage and state, from the catalog.
    """
    stands = ("done", "waiting", "running", "failed", BLOCKED)
    found = []
    for stage in STAGES:
        states = counts.get(stage.name, {})
        lane = Lane(stage.name, stage.title, *(states.get(state, 0) for state in stands))
        if lane.all:
            found.append(lane)
    return tuple(found)


def measure(home: Home, stop: threading.Event) -> Kept:
    """Add up the files Curator keeps; a file that cannot be read counts as 0.

    Thread: any but the GUI's: takes a second at 100,000 photos.
    """
    files = (home.catalog, home.catalog.with_name(f"{home.catalog.name}-wal"))
    return Kept(
        _size(home.cache / _PROXIES, stop),
        _size(home.cache / _THUMBS, stop),
        sum(file.stat().st_size for file in files if file.exists()),
    )


def _size(folder: Path, stop: threading.Event) -> int:
    """Return the total size of the files in a folder's subfolders."""
    total = 0
    with contextlib.suppress(OSError):
        inside = [entry.path for entry in os.scandir(folder) if entry.is_dir()]
        for path in inside:
            if stop.wait(_PAUSE_S):
                break
            with contextlib.suppress(OSError):
                total += sum(entry.stat().st_size for entry in os.scandir(path))
    return total
