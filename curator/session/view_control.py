"""Which view shows the photos, and whether the person has seen those a mark would apply to.

A mark waits until the picture of the current photo is painted: the views report each paint here.
"""

from __future__ import annotations

from PySide6.QtCore import QObject

from curator.model import View
from curator.session import pixel_source
from curator.session.photo_list import PhotoList
from curator.session.services import Services


class ViewController(QObject):
    """Changes the view, and notes which photos were painted and seen.

    Attributes:
        painted: the photos whose pictures or failure cards the present view shows; in the grid,
            which marks do not wait for, none.

    Thread: GUI only.
    """

    def __init__(self, services: Services, photos: PhotoList) -> None:
        super().__init__()
        self._catalog, self._messages = services.catalog, services.messages
        self._photos, self._table = photos, photos.table
        self._view_state, self._details = photos.view_state, photos.details
        view_state = photos.view_state
        self.painted: frozenset[int] = frozenset()
        self._view = view_state.view
        photos.current_changed.connect(self._forget)
        view_state.view_changed.connect(self._follow_view)

    def set_view(self, view: View) -> None:
        """Show the list as a grid, or one photo in the loupe.

        Panes side by side are opened by :class:`~curator.session.compare.CompareController`.
        """
        view = View.LOUPE if view.side_by_side else view
        if view is View.LOUPE and self._photos.current is None:
            self._messages.say("There is no photo here to look at.")
            return
        state = self._view_state
        state.view, state.finished = view, False
        self._photos.untouched &= view is View.GRID
        if view is View.GRID:
            state.zoom = state.developed = None
        state.publish()

    def _forget(self) -> None:
        if not self._view_state.view.side_by_side:  # there, another pane becomes the current one
            self.painted = frozenset()

    def _follow_view(self) -> None:
        if self._view_state.view is not self._view:
            self._view = self._view_state.view
            self.painted = frozenset()

    def hold_background(self, held: bool) -> None:
        """Pause background writers while the next photo is being painted, or let them continue."""
        self._catalog.store.hold_background(held)

    def note_painted(self, *photos: int) -> None:
        """Note that the view now shows the pictures, or failure cards, of these photos alone."""
        self.painted = frozenset(photos)

    @property
    def is_painted(self) -> bool:
        """Whether the current photo is on screen."""
        return self._view_state.view is View.GRID or self._photos.current in self.painted

    def check_painted(self, *others: int) -> bool:
        """Whether the current photo and others are on screen; show a message if one is not."""
        unseen = () if self.is_painted else (self._photos.current or 0,)
        for photo in (*unseen, *(other for other in others if other not in self.painted)):
            self._messages.say(
                f"{self._table.name(photo)} is still loading. Nothing was changed; try again."
            )
            return False
        return True

    def note_rested(self, photo_id: int) -> None:
        """Record that the person rested on the current photo, so that it counts as seen."""
        if photo_id != self._photos.current:
            return
        (tile,) = self._photos.tiles([photo_id])
        if tile.seen or tile.state == "failed":  # only a failure card was seen
            return
        self._messages.attempt(lambda: self._catalog.photos.mark_seen([photo_id]))
        self._photos.refresh(folders=False)

    def switch_source(self) -> None:
        """Switch between the camera's picture and the RAW, for the following photos too."""
        if self._photos.current is None:
            return
        detail = self._details.of(self._photos.current)
        reason = pixel_source.why_no_choice(detail)
        if reason:
            self._messages.say(reason)
            return
        zoomed = self._view_state.zoom is not None
        shows_raw = pixel_source.shows_raw(detail, self._view_state.developed, zoomed)
        self._view_state.develop(not shows_raw)
