"""Suggests the best frame of every stack while the person looks at the first photos.

Stacks on screen have their suggestions already (`StackIndex.suggested_at`). After a start without a
cached table, the others take seconds in a large library, so they are computed a few at a time.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from curator.session.photo_list import PhotoList

_FRAMES = 500  # compared in 4 ms
_EVERY_MS = 15  # leaves half of the time to the person


class SuggestionRunner(QObject):
    """Computes the suggestions that are left; emits `PhotoList.counts_changed` after the last.

    Thread: GUI only.
    """

    def __init__(self, photos: PhotoList) -> None:
        super().__init__()
        self._photos, self._closed = photos, False
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._advance)
        photos.counts_changed.connect(self._start)
        self._start()

    def _start(self) -> None:
        if not (self._closed or self._photos.table.stacks.is_complete or self._timer.isActive()):
            self._timer.start()

    def _advance(self) -> None:
        if not self._photos.table.stacks.advance(_FRAMES):
            self._timer.stop()
            self._photos.counts_changed.emit()

    def close(self) -> None:
        """Stop the timer; what is left is computed for the next window."""
        self._closed = True
        self._timer.stop()
