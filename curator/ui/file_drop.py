"""Files and folders dragged over the window, with an overlay that says what a drop does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QWidget

from curator import volumes


class FileDrop(QLabel):
    """Covers the window while local files hover over it.

    Signals:
        dropped(list[Path]): the files and folders a person dropped.

    Thread: GUI.
    """

    dropped = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__("Drop to open", window)
        window.setAcceptDrops(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setObjectName("dropoverlay")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def enter(self, event: QDragEnterEvent) -> None:
        """Accept local files and folders, and show the overlay."""
        paths = _local_paths(event)
        if paths:
            event.acceptProposedAction()
            self.setText("Drop to inspect" if is_single_file(paths) else "Drop to open")
            self.show()
            self.raise_()

    def drop(self, event: QDropEvent) -> None:
        """Emit the dropped files and folders."""
        self.hide()
        event.acceptProposedAction()
        self.dropped.emit(_local_paths(event))


def is_single_file(paths: Sequence[Path]) -> bool:
    """Whether this is a single file, which is inspected instead of opened."""
    return len(paths) == 1 and not volumes.is_folder(paths[0])


def _local_paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
