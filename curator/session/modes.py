"""Browsing, culling and rating: changes the mode and remembers the photo in each."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from curator.model import Pass, View
from curator.session.photo_list import PhotoList
from curator.session.sources import SourceController


class ModeController(QObject):
    """Changes the mode of one window.

    Signals:
        mode_opened: a mode was opened, maybe the same one again; its list is about to be rebuilt.

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

        From browsing, a mode opens at the current photo; from another mode, at the photo where the
        person left it; from its own finish page, at its first photo.
        """
        criteria, photos = self._criteria, self._photos
        photos.untouched = False
        before, here = criteria.mode, self._standing_at(mode)
        if self._view_state.finished:
            criteria.forget_opening(
                before
            )  # the mode is finished: it may open in another order next time
        elif photos.current is not None:
            self._left_at[before] = photos.current
        is_new = criteria.open_mode(mode)
        if mode is not Pass.BROWSE:
            self._view_state.view = View.LOUPE
            criteria.filter = ""  # entering a mode ends the search, as its list is the scope's
        self.mode_opened.emit()
        keep = here if Pass.BROWSE in (before, mode) or before is mode else []
        if is_new and criteria.opens_by("match"):
            keep = []  # a list sorted by lowest match starts at its first photo
        if before is not mode and mode in self._left_at:
            keep = [*keep, self._left_at[mode]]
        kept = photos.membership.first_fitting(keep)
        if kept is None:
            photos.start_over()
        else:
            photos.rebuild(kept)

    def _standing_at(self, mode: Pass) -> list[int]:
        """Return photos at which to open a mode, the best first; none at the finish page.

        In the grid, a collapsed stack means all its frames.
        """
        current = self._photos.current
        if self._view_state.finished or current is None:
            return []
        if self._view_state.view is View.GRID and mode is not Pass.BROWSE:
            return self._photos.listing.tile(current).tolist()
        return [current]

    def cull_rated_too(self) -> None:
        """Cull the scope together with photos that have marks from files."""
        self._criteria.include_rated = True
        self._criteria.forget_opening(Pass.CULL)
        self.set_mode(Pass.CULL)

    def return_to(self, mode: Pass, photo_id: int) -> None:
        """Show the list of a mode with a photo in it, as it was when the photo was marked."""
        criteria, photos = self._criteria, self._photos
        is_another = mode is not criteria.mode
        criteria.mode = mode
        self._view_state.finished = False
        if self._view_state.view is View.GRID:
            self._view_state.zoom = None
        if is_another:
            criteria.filter = criteria.filter if mode is Pass.BROWSE else ""
            self.mode_opened.emit()
        if is_another or photo_id not in photos.listing:  # each mode has a list of its own
            photos.rebuild(keep=photo_id)
