"""An ordered list of photos with a current photo and a selection; it knows nothing of a window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from curator.library import spans
from curator.library.spans import Ids, Spans

# New photos are inserted this far behind the current photo, beyond the visible filmstrip.
_STRIP_AHEAD = 16

_NO_IDS: Ids = np.zeros(0, np.int64)


class Stacked(Protocol):
    """Provides the stacks of a list's photos."""

    def of(self, ids: Ids) -> Ids:
        """Return the stack of each photo, 0 if it is alone."""

    def ranks(self, ids: Ids) -> Ids:
        """Return the ranks that order the frames of a stack."""


class Listing:
    """An ordered list of photo ids with a current one and a selection.

    Attributes:
        ids: photo ids in order, int64; replaced, never changed in place.
        index: position of the current photo, -1 when the list is empty.
        selection: ids that marks in the grid apply to; empty, or with the current photo.
        expanded: ids of photos whose stacks the grid shows by frame; may be shared by lists.
        units: spans of the list that are a stack or a single photo.
        tiles: spans of the list that the grid shows as one tile.
    """

    def __init__(self, stacked: Stacked, expanded: set[int]) -> None:
        """Make an empty list; ``expanded`` is changed in place and may be shared by lists."""
        self._stacked = stacked
        self.expanded = expanded
        self.ids: Ids = _NO_IDS
        self.index = -1
        self.selection: frozenset[int] = frozenset()
        self._anchor: int | None = None
        self._places: Ids = _NO_IDS  # position by photo id, -1 if not in the list; ids are dense
        self._cut()

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, photo_id: object) -> bool:
        if not isinstance(photo_id, int | np.integer):
            return False
        return self.position(int(photo_id)) is not None

    @property
    def current(self) -> int | None:
        """Id of the current photo, or None."""
        return int(self.ids[self.index]) if 0 <= self.index < len(self.ids) else None

    def position(self, photo_id: int) -> int | None:
        """Return a photo's position, or None if it is not in the list."""
        place = self._places[photo_id] if 0 <= photo_id < len(self._places) else -1
        return int(place) if place >= 0 else None

    def positions(self, photo_ids: Iterable[int]) -> Ids:
        """Return the positions of those photos that are in the list."""
        ids = np.fromiter(photo_ids, np.int64)
        places = self._places[ids[ids < len(self._places)]]
        return places[places >= 0]

    def replace(self, ids: Ids, current: int | None = None) -> None:
        """Replace the list; ``current``, else the current photo, stays current if it is in it.

        Otherwise the position stays, or the nearest that exists: a list that shrinks or is sorted
        again never jumps to its first photo.
        """
        wanted = self.current if current is None else current
        self.ids = ids
        self._places = np.full(int(ids.max()) + 1 if len(ids) else 0, -1)
        self._places[ids] = np.arange(len(ids))
        place = None if wanted is None else self.position(wanted)
        if place is None:
            place = min(max(self.index, 0), len(ids) - 1)
        self.index = place
        self.selection = frozenset(photo for photo in self.selection if photo in self)
        self._cut()

    def join(self, ids: Ids) -> None:
        """Add new photos behind what the filmstrip shows, in the order of ``ids``.

        Frames of the current stack, and of stacks behind it, join theirs.
        """
        split = min(self.index + _STRIP_AHEAD, len(self.ids)) if self.index >= 0 else 0
        head = self.ids[:split]
        tail = ids[~np.isin(ids, head)]
        self.replace(np.concatenate([head, tail]))
        if len(self):
            self.gather(self.units[self.units.at(self.index)].start)

    def gather(self, start: int = 0) -> None:
        """Gather the frames of each stack, from a position on; nothing else moves."""
        rest = self.ids[start:]
        order = spans.group_stacks(self._stacked.of(rest), self._stacked.ranks(rest))
        self.replace(np.concatenate([self.ids[:start], rest[order]]))

    # --- units and tiles

    def _cut(self) -> None:
        self.units = spans.unit_spans(self._stacked.of(self.ids))
        self._tile()

    def _tile(self) -> None:
        expanded = np.zeros(len(self.ids), bool)
        if self.expanded:
            open_ = (self.position(photo) for photo in self.expanded)
            expanded[[place for place in open_ if place is not None]] = True
        self.tiles: Spans = spans.tile_spans(self.units, expanded)

    def unit(self, photo_id: int) -> Ids:
        """Return the listed photos of a photo's stack, itself included."""
        place = int(self._places[photo_id])
        span = self.units[self.units.at(place)]
        return self.ids[span.start : span.stop]

    def tile(self, photo_id: int) -> Ids:
        """Return the photos of a photo's tile in the grid: its stack, or itself if expanded."""
        place = int(self._places[photo_id])
        span = self.tiles[self.tiles.at(place)]
        return self.ids[span.start : span.stop]

    def expand(self, photo_id: int) -> bool:
        """Expand a photo's stack in the grid, or collapse it; return whether it is expanded now.

        Collapsing a stack deselects it.
        """
        frames = frozenset(self.unit(photo_id).tolist())
        opened = len(self.tile(photo_id)) > 1
        if opened:
            self.expanded |= frames
        else:
            self.expanded -= frames
            self.selection -= frames
        self._tile()
        return opened

    # --- moving

    def go(self, index: int) -> bool:
        """Move to a position; return whether the current photo changed."""
        index = min(max(index, 0), len(self.ids) - 1)
        moved = index != self.index
        self.index = index
        return moved

    def next_where(self, wanted: Iterable[bool], step: int) -> int | None:
        """Return the nearest position before or after the current one where ``wanted`` is true."""
        places = np.flatnonzero(np.asarray(wanted))
        places = places[places > self.index] if step > 0 else places[places < self.index]
        if not len(places):
            return None
        return int(places[0] if step > 0 else places[-1])

    # --- selection

    def select_only(self, photo_id: int) -> None:
        """Select one photo and go to it."""
        self._anchor = photo_id
        self.selection = frozenset()
        self.index = int(self._places[photo_id])

    def toggle(self, photo_id: int) -> None:
        """Add a tile to the selection or take it out; go to it."""
        start = self.selection
        if not start and self.current is not None:
            start = frozenset(self.tile(self.current).tolist())
        tile = frozenset(self.tile(photo_id).tolist())
        self.selection = start - tile if tile <= start else start | tile
        self._anchor = photo_id
        self.index = int(self._places[photo_id])

    def select_range(self, photo_id: int) -> None:
        """Select all tiles between the anchor and a photo; go to it."""
        anchor = self._anchor if self._anchor in self else self.current
        if anchor is None:
            return
        ends = [self.tiles.at(int(self._places[photo])) for photo in (anchor, photo_id)]
        first, last = self.tiles[min(ends)].start, self.tiles[max(ends)].stop
        self.selection = frozenset(self.ids[first:last].tolist())
        self._anchor = anchor
        self.index = int(self._places[photo_id])

    def select_all(self) -> None:
        """Select the whole list."""
        self.selection = frozenset(self.ids.tolist())

    def clear_selection(self) -> None:
        """Select nothing but the current photo."""
        self.selection = frozenset()
        self._anchor = self.current
