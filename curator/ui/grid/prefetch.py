"""Requests the thumbnails the grid shows, then those of the next screen in the scroll direction.

:class:`curator.ui.grid.grid_view.GridView` owns one. Requests are made after a paint, never within
it, and the request of each tile is cached until the grid says that it may have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from PySide6.QtCore import QObject, QTimer

from curator.ui.widgets.frames import FrameRequest, FrameStore
from curator.ui.widgets.throttle import Throttle

_CACHED = 4096  # requests


class ThumbnailPrefetch(QObject):
    """Requests the thumbnails one grid needs.

    Args:
        store: decodes and keeps thumbnails.
        requests_of: returns the request of each of these tiles, None without a picture.
        visible: returns the tiles on screen, or None while the grid is hidden.
        count: returns the number of tiles.
        parent: the grid.

    Attributes:
        downward: whether the grid was last scrolled down.

    Thread: GUI.
    """

    def __init__(
        self,
        store: FrameStore,
        requests_of: Callable[[Sequence[int]], dict[int, FrameRequest | None]],
        visible: Callable[[], range | None],
        count: Callable[[], int],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._store, self._requests_of = store, requests_of
        self._visible, self._count = visible, count
        self._requests: dict[int, FrameRequest | None] = {}  # by tile
        self._wanted: dict[FrameRequest, None] = {}  # the most urgent first
        self.downward = True
        self._soon = Throttle(self, 0, self.refresh)  # after the paint
        self._ahead = QTimer(self, singleShot=True)
        self._ahead.timeout.connect(self._add_next_screen)

    def refresh_soon(self) -> None:
        """Request what is on screen, after the next paint."""
        self._soon.request()

    def refresh(self) -> None:
        """Request what is on screen now, and then the next screen."""
        visible = self._visible()
        if visible is None:
            self._store.want("grid", ())
            return
        self._wanted = {}
        self._add(visible)
        self._ahead.start()

    def forget(self, numbers: Iterable[int] | None = None) -> None:
        """Forget the requests of these tiles, or of all: they may have changed."""
        if numbers is None:
            self._requests.clear()
        else:
            for number in numbers:
                self._requests.pop(number, None)

    def tiles_showing(self, requests: Collection[FrameRequest]) -> list[int]:
        """Return the tiles on screen that show any of these pictures, also those just scrolled to.

        Pictures of tiles off screen are found when they are painted.
        """
        visible = self._visible() or range(0)
        self._look_up(visible)
        return [number for number in visible if self._requests[number] in requests]

    def _add_next_screen(self) -> None:
        visible = self._visible()
        if visible is None:
            return
        length, count = len(visible), self._count()
        if self.downward:
            self._add(range(visible.stop, min(visible.stop + length, count)))
        else:
            self._add(range(visible.start - 1, max(visible.start - length, 0) - 1, -1))

    def _add(self, numbers: range) -> None:
        """Request the thumbnails of these tiles after those requested so far."""
        self._look_up(numbers)
        found = (self._requests[number] for number in numbers)
        self._wanted.update((request, None) for request in found if request is not None)
        self._store.want("grid", self._wanted)

    def _look_up(self, numbers: range) -> None:
        cached = self._requests
        if len(cached) > _CACHED:
            cached.clear()
        cached.update(self._requests_of([number for number in numbers if number not in cached]))
