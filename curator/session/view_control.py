"""Which view shows the photos, and whether the person has seen the photo a mark would apply to.

A mark waits until the picture of the current photo is painted: the loupe reports each paint here.
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
        painted: the current photo, once its picture or failure card has been painted; else None.

    Thread: GUI only.
    """

    def __init__(self, services: Services, photos: PhotoList) -> None:
        super().__init__()
        self._catalog, self._messages = services.catalog, services.messages
        self._photos, self._table = photos, photos.table
        self._view_state, self._details = photos.view_state, photos.details
        view_state = photos.view_state
        self.painted: int | None = None
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
        self.painted = None

    def _follow_view(self) -> None:
        if self._view_state.view is not self._view:
            self._view = self._view_state.view
            self.painted = None

    def hold_background(self, held: bool) -> None:
        """Pause background writers while the next photo is being painted, or let them continue."""
        self._catalog.store.hold_background(held)

    def note_painted(self, photo_id: int) -> None:
        """Note that a photo's picture, or failure card, has been painted."""
        if photo_id == self._photos.current:  # the person may have gone on since
            self.painted = photo_id

    @property
    def is_painted(self) -> bool:
        """Whether the photo a mark would apply to is on screen."""
        return self._view_state.view is View.GRID or self.painted == self._photos.current

    def check_painted(self) -> bool:
        """Whether the photo a mark would apply to is on screen; show a message if not."""
        if not self.is_painted:
            self._messages.say(
                f"{self._table.name(self._photos.current or 0)} is not on screen yet."
            )
        return self.is_painted

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
