"""Finds the folders that are away, in a window without a pipeline.

With a pipeline, the pipeline records this in the catalog. The check does not run on the GUI
thread: a dead network drive may never answer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping

from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog, FolderRow, absence
from curator.library.folder_lookup import locate_folders
from curator.volumes import FolderLocation

_EVERY_MS = 5000  # how soon a pulled drive shows in the sidebar


class AwayFolders(QObject):
    """Checks every few seconds, on a thread of its own, whether folders can be reached.

    Signals:
        changed: folders went away or came back.

    Attributes:
        why: why a folder cannot be reached, by path; only folders that are away.

    Thread: GUI.
    """

    changed = Signal()
    _looked = Signal(object)

    def __init__(self, catalog: Catalog, parent: QObject) -> None:
        super().__init__(parent)
        self._catalog = catalog
        self.why: Mapping[str, str] = {}
        self._looking: threading.Thread | None = None
        self._looked.connect(self._take)
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self.look()

    def close(self) -> None:
        """Stop checking."""
        self._timer.stop()

    def look(self) -> None:
        """Start a check, unless a check is running."""
        if self._looking is not None and self._looking.is_alive():
            return
        rows = self._catalog.folders.all()

        def look() -> None:
            places = locate_folders(rows)
            away = {row.path: why for row in rows if (why := _absence(row, places[row.id]))}
            with contextlib.suppress(RuntimeError):  # the window was closed meanwhile
                self._looked.emit(away)

        self._looking = threading.Thread(target=look, name="curator-folders", daemon=True)
        self._looking.start()

    def _take(self, why: Mapping[str, str]) -> None:
        if why != self.why:
            self.why = why
            self.changed.emit()


def _absence(row: FolderRow, place: FolderLocation | None) -> str:
    """Return why a folder cannot be reached; empty if it can."""
    if place is not None and place.path:
        return ""
    unplugged = row.volume is not None and not (place is not None and place.plugged)
    return absence(unplugged, row.volume, row.volume_name)
