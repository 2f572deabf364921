"""Browsing, culling and rating: changing the mode, and returning to the photo left in each."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from curator.model import Pass, View
from curator.session.photo_list import PhotoList
from curator.session.sources import SourceController


class ModeController(QObject):
    """Changes the mode of one window.

    Signals:
        mode_opened: a mode was opened, or opened again; its list is about to be rebuilt.

    Thread: GUI only.
    """

    mode_opened = Signal()

    def __init__(self, photos: PhotoList, sources: SourceController) -> None:
        super().__init__()
        self._criteria = photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        self._left_at: dict[Pass, int] = {}  # the current photo when a mode was left
        sources.scope_opened.connect(self._left_at.clear)

    def set_mode(self, mode: Pass) -> None:
        """Browse, cull or rate the scope; culling and rating open in the loupe.

        From or to browsing, and in the same mode again, the current photo stays current if it is in
        the new list. Otherwise a mode opens at the photo where the person left it, or else at its
        first photo. From its own finish page it starts at the first photo.
        """
        criteria, photos = self._criteria, self._photos
        photos.untouched = False
        before, here = criteria.mode, self._photos_here(mode)
        if self._view_state.finished:  # so the mode may open in another order next time
            criteria.forget_opening(before)
        elif photos.current is not None:
            self._left_at[before] = photos.current
        is_new = criteria.open_mode(mode)
        if mode is not Pass.BROWSE:
            self._view_state.view = View.LOUPE
            criteria.filter = ""  # a mode ends the search: its list is that of the scope
        self.mode_opened.emit()
        wanted = here if Pass.BROWSE in (before, mode) or before is mode else []
        if is_new and criteria.opens_by("match"):
            wanted = []  # a list sorted by lowest match starts at its first photo
        if before is not mode and mode in self._left_at:
            wanted = [*wanted, self._left_at[mode]]
        found = photos.membership.first_fitting(wanted)
        if found is None:
            photos.start_over()
        else:
            photos.rebuild(found)

    def _photos_here(self, mode: Pass) -> list[int]:
        """Return the current photo, or all frames of a collapsed stack; none at the finish page."""
        current = self._photos.current
        if self._view_state.finished or current is None:
            return []
        if self._view_state.view is View.GRID and mode is not Pass.BROWSE:
            return self._photos.listing.tile(current).tolist()
        return [current]

    def cull_rated_too(self) -> None:
        """Cull the scope again, photos with marks from files included."""
        self._criteria.include_rated = True
        self._criteria.forget_opening(Pass.CULL)
        self.set_mode(Pass.CULL)

    def return_to(self, mode: Pass, photo_id: int) -> None:
        """Show a mode's list with a photo in it, for undo; open it if the mode is another."""
        criteria, photos = self._criteria, self._photos
        is_another = mode is not criteria.mode
        criteria.mode = mode
        self._view_state.finished = False
        if self._view_state.view is View.GRID:
            self._view_state.zoom = None
        if is_another:
            criteria.filter = criteria.filter if mode is Pass.BROWSE else ""
            self.mode_opened.emit()
        if is_another or photo_id not in photos.listing:
            photos.rebuild(keep=photo_id)
