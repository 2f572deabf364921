"""Finds the folders that are away, in a window without a pipeline.

With a pipeline, the pipeline records this in the catalog. The check does not run on the GUI
thread: a dead network drive may never answer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog, FolderRow, absence
from curator.library.folder_lookup import locate_folders
from curator.volumes import FolderLocation

_EVERY_MS = 5000  # how soon a pulled drive shows in the sidebar
_COLLECT_MS = 100


class AwayFolders(QObject):
    """Checks every few seconds, on a thread of its own, whether folders can be reached.

    The thread holds a plain list for its answer and no Qt object: it may outlive the window, as
    nobody can wait for a network drive that never answers.

    Signals:
        changed: folders went away or came back.

    Attributes:
        why: why a folder cannot be reached, by path; only folders that are away.

    Thread: GUI.
    """

    changed = Signal()

    def __init__(self, catalog: Catalog, parent: QObject) -> None:
        super().__init__(parent)
        self._catalog = catalog
        self.why: Mapping[str, str] = {}
        self._looking: threading.Thread | None = None
        self._found: list[Mapping[str, str]] = []  # the thread appends its answer
        self._collect_timer = QTimer(self, interval=_COLLECT_MS)
        self._collect_timer.timeout.connect(self._collect)
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self.look()

    def close(self) -> None:
        """Stop checking."""
        self._timer.stop()
        self._collect_timer.stop()

    def look(self) -> None:
        """Start a check, unless a check is running."""
        if self._looking is not None and self._looking.is_alive():
            return
        self._found = []
        self._looking = threading.Thread(
            target=_look,
            args=(self._catalog.folders.all(), self._found),
            name="curator-folders",
            daemon=True,
        )
        self._looking.start()
        self._collect_timer.start()

    def _collect(self) -> None:
        """Take the answer over once the thread has ended."""
        if self._looking is not None and self._looking.is_alive():
            return
        self._collect_timer.stop()
        why = self._found.pop() if self._found else self.why
        if why != self.why:
            self.why = why
            self.changed.emit()


def _look(rows: Sequence[FolderRow], found: list[Mapping[str, str]]) -> None:
    """Append why folders cannot be reached, by path, to ``found``."""
    places = locate_folders(rows)
    found.append({row.path: why for row in rows if (why := _absence(row, places[row.id]))})


def _absence(row: FolderRow, place: FolderLocation | None) -> str:
    """Return why a folder cannot be reached; empty if it can."""
    if place is not None and place.path:
        return ""
    unplugged = row.volume is not None and not (place is not None and place.plugged)
    return absence(unplugged, row.volume, row.volume_name)
