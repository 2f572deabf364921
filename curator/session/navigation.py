"""Moving from photo to photo: along the list, over stacks, to another photo and back."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from curator.library.spans import Spans
from curator.model import Pass, View
from curator.session.compare import CompareController
from curator.session.messages import Messages
from curator.session.photo_list import PhotoList
from curator.session.stacks import StackController
from curator.session.view_control import ViewController


class Navigator(QObject):
    """Makes other photos current in one window.

    Thread: GUI only.
    """

    def __init__(
        self,
        photos: PhotoList,
        viewer: ViewController,
        stacks: StackController,
        compare: CompareController,
        messages: Messages,
    ) -> None:
        super().__init__()
        self.photos, self.viewer = photos, viewer
        self.stacks, self.compare = stacks, compare
        self._table, self._criteria = photos.table, photos.criteria
        self._view_state, self._messages = photos.view_state, messages
        self._detour: int | None = None  # the photo that the next step returns to
        photos.current_changed.connect(self._end_detour)

    def go_to(self, photo_id: int) -> None:
        """Make a photo of the list current."""
        position = self.photos.listing.position(photo_id)
        if position is not None:
            self._view_state.finished = False
            self.photos.go(position)
            self._view_state.publish()

    def detour(self, photo_id: int) -> None:
        """Show another photo of the list until the next step, which returns to this one."""
        origin = self.photos.current if self._detour is None else self._detour
        self.go_to(photo_id)
        if origin is not None and self.photos.current != origin:
            self._detour = origin
            name = self._table.name(origin)
            self._messages.say(f"Similar photo shown · Next or previous photo returns to {name}")

    def _end_detour(self) -> None:
        self._detour = None

    # --- along the list

    def step(self, by: int) -> None:
        """Move along the list; in the grid to the cover of the next tile.

        Side by side it moves as `compare.step` does.

        Past the end of the list a mode shows its finish page.
        """
        if self._return_from_detour():
            return
        photos, view_state = self.photos, self._view_state
        if self.compare.panes is not None and not view_state.finished:
            self.compare.step(by)
        elif view_state.view is View.GRID:
            self._step_over(photos.listing.tiles, by)
        elif not self._passes_end(by, photos.index + by, len(photos.listing)):
            photos.go(photos.index + by)

    def step_unit(self, by: int) -> None:
        """Move over whole stacks, to the cover of the next one."""
        if self._return_from_detour():
            return
        if self.compare.panes is not None and not self._view_state.finished:
            self.compare.step(by)
        else:
            self._step_over(self.photos.listing.units, by)

    @property
    def following(self) -> int | None:
        """Id of the photo to which the next move in the same direction leads; None at the end."""
        photos = self.photos
        index = photos.index + photos.direction
        listed = photos.current is not None and 0 <= index < len(photos.ids)
        return int(photos.ids[index]) if listed else None

    def leads_on(self, by_stack: bool) -> bool:
        """Whether a step forward shows another photo in the loupe, not the finish page."""
        listing = self.photos.listing
        if self._view_state.view is not View.LOUPE or not len(listing):
            return False
        return self.photos.index < (listing.units.starts[-1] if by_stack else len(listing) - 1)

    def _return_from_detour(self) -> bool:
        """Return from a detour, if the loupe shows one; return whether it did."""
        in_loupe = self._view_state.view is View.LOUPE and not self._view_state.finished
        back = self._detour if in_loupe else None
        if back is None or back not in self.photos.listing:
            return False
        self.go_to(back)
        return True

    def go_to_tile(self, number: int) -> None:
        """Go to the cover of a tile of the grid."""
        self._go_to_span(self.photos.listing.tiles[number])

    def go_to_end(self, by: int) -> None:
        """Go to the last photo or tile of the list or, with ``by`` -1, to the first."""
        listing = self.photos.listing
        if self._view_state.view is View.GRID and len(listing):
            self.go_to_tile(0 if by < 0 else len(listing.tiles) - 1)
        else:
            self.photos.go(0 if by < 0 else len(listing) - 1)

    def _step_over(self, spans: Spans, by: int) -> None:
        number = spans.at(self.photos.index) + by
        if not self._passes_end(by, number, len(spans)) and len(spans):
            self._go_to_span(spans[min(max(number, 0), len(spans) - 1)])

    def _go_to_span(self, span: range) -> None:
        photos = self.photos
        if photos.index not in span:
            photos.go(photos.listing.position(self.stacks.cover_of(span)) or 0)
        else:
            photos.current_confirmed.emit()

    def _passes_end(self, by: int, position: int, count: int) -> bool:
        """Open or leave the finish page at the end of the list; return whether it did."""
        view_state = self._view_state
        if view_state.finished:
            if by < 0 and len(self.photos.listing):
                view_state.finished = False
                view_state.publish()
            return True
        if position >= count and self._criteria.mode is not Pass.BROWSE:
            self.finish()
            return True
        return False

    def finish(self) -> None:
        """Open the finish page of the mode."""
        self._view_state.finished, self._view_state.zoom = True, None
        self._view_state.publish()

    # --- to unreviewed photos

    def step_unreviewed(self, by: int) -> None:
        """Go to the next or previous unreviewed photo, in the grid to the next tile with one.

        From the finish page, the previous one is the last unreviewed photo of the list.
        """
        photos, view_state = self.photos, self._view_state
        wanted = self._table.unreviewed()[self._table.rows_of(photos.ids)]
        if view_state.finished and by < 0 and wanted.any():
            self.go_to(int(photos.ids[np.flatnonzero(wanted)[-1]]))
            return
        in_grid = view_state.view is View.GRID
        if in_grid and len(wanted):
            tiles = photos.listing.tiles
            inside = np.logical_or.reduceat(wanted, tiles.starts)
            wanted = np.zeros(len(wanted), bool)
            wanted[tiles.starts] = inside
            span = tiles[self.stacks.tile_number]
            wanted[span.start : span.stop] = False
        position = photos.listing.next_where(wanted, by)
        if position is None:
            self._messages.say(f"No unreviewed photos {'after' if by > 0 else 'before'} this one.")
            photos.current_confirmed.emit()
        elif in_grid:
            tiles = photos.listing.tiles
            self.go_to(self.stacks.cover_of(tiles[tiles.at(position)]))
        else:
            self.go_to(int(photos.ids[position]))

    def go_to_unseen(self) -> None:
        """Go to the first photo of the mode that is neither reviewed nor seen."""
        table = self._table
        unseen = table.unreviewed() & ~table.column("seen") & ~table.failed()
        positions = np.flatnonzero(unseen[table.rows_of(self.photos.ids)])
        if len(positions):
            self.go_to(int(self.photos.ids[positions[0]]))
        else:
            self._messages.say("You have seen every photo here.")
