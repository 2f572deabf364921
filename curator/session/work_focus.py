"""Points the pipeline to the photos on screen, so that it works on them first."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer

from curator.model import View
from curator.pipeline import Pipeline
from curator.session.compare import CompareController
from curator.session.photo_list import PhotoList

_BEHIND, _AHEAD = 2, 10  # photos around the current one


class WorkFocus(QObject):
    """Points the pipeline of one window to what the person looks at.

    Thread: GUI only.
    """

    def __init__(
        self, pipeline: Pipeline | None, photos: PhotoList, compare: CompareController
    ) -> None:
        super().__init__()
        self._pipeline, self._compare = pipeline, compare
        self._photos, self._view_state = photos, photos.view_state
        # Worker threads take the interpreter as soon as they have work. Posted paints come before
        # timers, so the photo is on screen by then.
        self._after_paint = QTimer(self, singleShot=True, interval=0)
        self._after_paint.timeout.connect(self._focus)
        photos.current_changed.connect(self._after_paint.start)
        compare.panes_changed.connect(self._after_paint.start)

    def set_visible(self, ids: Iterable[int]) -> None:
        """Let the pipeline work on the tiles on screen first."""
        if self._pipeline is not None:
            self._pipeline.focus(list(ids))

    def _focus(self) -> None:
        photos, panes = self._photos, self._compare.panes
        if self._pipeline is None:
            return
        if panes is not None:
            wanted = [panes.photo, *panes.photos, *self._compare.upcoming()]
        elif self._view_state.view is View.LOUPE and photos.index >= 0:
            around = photos.ids[max(photos.index - _BEHIND, 0) : photos.index + _AHEAD].tolist()
            wanted = [int(photos.ids[photos.index]), *around]
        else:
            return
        self._pipeline.focus(list(dict.fromkeys(wanted)))

    def close(self) -> None:
        """Stop the timer."""
        self._after_paint.stop()
