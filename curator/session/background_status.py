"""Pending background work and the disk space that Curator uses, for the overview page.

Nothing is computed on the GUI thread. The learning thread, which has a connection, reads the
catalog. Another thread measures files, folder by folder with a pause between; a measurement is
reused for a minute.
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
from curator.home import Home
from curator.learning.learner import TasteLearner
from curator.model import KnownError
from curator.session.taste import TasteController
from curator.stages import STAGES

_REUSED_S = 60.0
_PAUSE_S = 0.001  # between two folders: lets other threads have the GIL
_PROXIES, _THUMBS = "proxies", "thumbs"  # as in `curator.imaging.proxy`


@dataclass(frozen=True, slots=True)
class StageCounts:
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
class DiskUsage:
    """Bytes of the files that Curator made from all photos."""

    proxies: int = 0
    thumbs: int = 0
    catalog: int = 0


@dataclass(frozen=True, slots=True)
class BackgroundStatus:
    """Figures from the catalog.

    Attributes:
        scope: key of the scope whose originals were counted.
        stages: counts of all photos, for each stage that has any.
        vectors: bytes of all vectors inside the catalog.
        originals: bytes of the original files of the scope.
    """

    scope: str
    stages: tuple[StageCounts, ...]
    vectors: int
    originals: int


class BackgroundMonitor(QObject):
    """Monitors the background work of one window. Close it with its page.

    Signals:
        changed: :attr:`status` or :attr:`disk_usage` changed.

    Attributes:
        status: the last figures from the catalog; None before the first.
        disk_usage: the last measurement; None before the first.

    Thread: GUI only.
    """

    changed = Signal()
    _measured = Signal(object)

    def __init__(self, home: Home, taste: TasteController) -> None:
        super().__init__()
        self._home, self._taste = home, taste
        self.status: BackgroundStatus | None = None
        self.disk_usage: DiskUsage | None = None
        self._threads = QThreadPool()
        self._stop = threading.Event()
        self._wanted: tuple[str, Sequence[int]] = ("", ())
        self._is_asking = self._is_measuring = False
        self._measured_at = -_REUSED_S
        self._measured.connect(self._on_measured)

    def update(self, scope: str, ids: Sequence[int]) -> None:
        """Read the catalog, and measure files unless the last measurement is recent.

        Args:
            scope: the key of a scope.
            ids: its photos, whose originals are counted.
        """
        self._wanted = scope, ids
        if not self._is_asking:
            self._ask_catalog()
        if not self._is_measuring and time.monotonic() > self._measured_at + _REUSED_S:
            self._is_measuring = True
            home, stop = self._home, self._stop
            self._threads.start(lambda: self._measured.emit(measure(home, stop)))

    def _ask_catalog(self) -> None:
        self._is_asking = True
        scope, ids = self._wanted
        self._taste.learner.ask(lambda learner: read_status(learner, scope, ids), self._on_status)

    def _on_status(self, status: BackgroundStatus | KnownError) -> None:
        self._is_asking = False
        if not isinstance(status, BackgroundStatus):
            return
        if status.scope != self._wanted[0]:
            self._ask_catalog()
        if status != self.status:
            self.status = status
            self.changed.emit()

    def _on_measured(self, usage: DiskUsage) -> None:
        self._is_measuring, self._measured_at = False, time.monotonic()
        if usage != self.disk_usage:
            self.disk_usage = usage
            self.changed.emit()

    def close(self) -> None:
        """Stop measuring, and wait for the thread. Safe to repeat."""
        self._stop.set()
        self._threads.waitForDone()


def read_status(learner: TasteLearner, scope: str, ids: Sequence[int]) -> BackgroundStatus:
    """Read the figures; a vector is stored as 16-bit floats, its tone columns as 32-bit floats.

    Thread: the learner's.
    """
    catalog, index = learner.catalog, learner.vectors
    row = 2 * index.dimension + 4 * (index.columns - index.dimension)
    stages = stage_counts(catalog.work.counts())
    return BackgroundStatus(scope, stages, index.size * row, catalog.photos.file_bytes(ids))


def stage_counts(counts: Mapping[str, Mapping[str, int]]) -> tuple[StageCounts, ...]:
    """Return the counts of each stage that has photos, in the order of STAGES.

    Args:
        counts: photos by stage and state, from the catalog.
    """
    names = ("done", "waiting", "running", "failed", BLOCKED)
    found = []
    for stage in STAGES:
        states = counts.get(stage.name, {})
        counted = StageCounts(stage.name, stage.title, *(states.get(state, 0) for state in names))
        if counted.all:
            found.append(counted)
    return tuple(found)


def measure(home: Home, stop: threading.Event) -> DiskUsage:
    """Add up the files Curator keeps; a file that cannot be read counts as 0.

    Thread: any but the GUI's: takes a second at 100,000 photos.
    """
    files = (home.catalog, home.catalog.with_name(f"{home.catalog.name}-wal"))
    return DiskUsage(
        _size(home.cache / _PROXIES, stop),
        _size(home.cache / _THUMBS, stop),
        sum(map(_bytes_of, files)),
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
                total += sum(map(_bytes_of, os.scandir(path)))
    return total


def _bytes_of(file: Path | os.DirEntry[str]) -> int:
    """Return a file's size; 0 if it cannot be read, such as one that was just deleted."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
