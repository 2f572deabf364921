"""Which of the folders are away: a drive was pulled, a path is gone."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from curator.catalog import Catalog

_EVERY_MS = 5000  # how soon a pulled drive shows in the sidebar


class AwayFolders(QObject):
    """Looks every few seconds, beside the window: a dead network drive may never answer.

    Signals:
        changed: other folders are away than before.

    Attributes:
        paths: the folders that are away.

    Thread: GUI.
    """

    changed = Signal()
    _looked = Signal(object)

    def __init__(self, catalog: Catalog, parent: QObject) -> None:
        super().__init__(parent)
        self._catalog = catalog
        self.paths: frozenset[str] = frozenset()
        self._looking: threading.Thread | None = None
        self._looked.connect(self._take)
        timer = QTimer(self)
        timer.setInterval(_EVERY_MS)
        timer.timeout.connect(self.look)
        timer.start()
        self.look()

    def look(self) -> None:
        """Begin to look, unless that is going on."""
        if self._looking is not None and self._looking.is_alive():
            return
        paths = [folder.path for folder in self._catalog.folders()]

        def look() -> None:
            away = frozenset(path for path in paths if not Path(path).exists())
            with contextlib.suppress(RuntimeError):  # the window was closed meanwhile
                self._looked.emit(away)

        self._looking = threading.Thread(target=look, name="curator-folders", daemon=True)
        self._looking.start()

    def _take(self, away: frozenset[str]) -> None:
        if away != self.paths:
            self.paths = away
            self.changed.emit()
