"""The list on the table: which photos, in which order, where one is, what is selected."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from curator.session.table import Ids

# New photos never push into what the filmstrip shows: they join this far behind the current one.
_STRIP_AHEAD = 16


class Listing:
    """An ordered list of photo ids with a current one and a selection.

    Attributes:
        ids: photo ids in order, int64; replaced, never changed in place.
        index: position of the current photo, -1 when the list is empty.
        selection: ids marks in the grid act on, the current one among them when it is not empty.
    """

    def __init__(self) -> None:
        self.ids: Ids = np.zeros(0, np.int64)
        self.index = -1
        self.selection: frozenset[int] = frozenset()
        self._anchor: int | None = None
        self._position: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, photo_id: object) -> bool:
        return photo_id in self._position

    @property
    def current(self) -> int | None:
        """The photo one is at, or None."""
        return int(self.ids[self.index]) if 0 <= self.index < len(self.ids) else None

    def position(self, photo_id: int) -> int | None:
        """Give a photo's place in the list, or None."""
        return self._position.get(photo_id)

    def replace(self, ids: Ids, current: int | None = None) -> None:
        """Put another list on the table; stay on ``current`` where it has a place in it.

        Otherwise the index stays where it was, as near as the list allows: a list that shrinks
        or is sorted anew never throws one back to its first photo.
        """
        wanted = self.current if current is None else current
        self.ids = ids
        self._position = {photo_id: place for place, photo_id in enumerate(ids.tolist())}
        place = None if wanted is None else self._position.get(wanted)
        if place is None:
            place = min(max(self.index, 0), len(ids) - 1)
        self.index = place
        self.selection = frozenset(self.selection & self._position.keys())

    def join(self, ids: Ids) -> None:
        """Let new photos in, behind what the filmstrip shows; ``ids`` holds the sorted tail."""
        split = min(self.index + _STRIP_AHEAD, len(self.ids)) if self.index >= 0 else 0
        head = self.ids[:split]
        tail = ids[~np.isin(ids, head)]
        self.replace(np.concatenate([head, tail]))

    def go(self, index: int) -> bool:
        """Move to a position; tell whether that is another photo."""
        index = min(max(index, 0), len(self.ids) - 1)
        moved = index != self.index
        self.index = index
        return moved

    def next_where(self, wanted: Iterable[bool], step: int) -> int | None:
        """Find the nearest position before or after the current one where ``wanted`` holds."""
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
        self.index = self._position.get(photo_id, self.index)

    def toggle(self, photo_id: int) -> None:
        """Add a photo to the selection or take it out; go to it."""
        start = self.selection or frozenset(() if self.current is None else (self.current,))
        self.selection = start ^ {photo_id}
        self._anchor = photo_id
        self.index = self._position.get(photo_id, self.index)

    def select_range(self, photo_id: int) -> None:
        """Select everything between the anchor and a photo; go to it."""
        anchor = self.current if self._anchor not in self._position else self._anchor
        if anchor is None:
            return
        first, last = sorted((self._position[anchor], self._position[photo_id]))
        self.selection = frozenset(self.ids[first : last + 1].tolist())
        self._anchor = anchor
        self.index = self._position[photo_id]

    def select_all(self) -> None:
        """Select the whole list."""
        self.selection = frozenset(self._position)

    def clear_selection(self) -> None:
        """Select nothing but the current photo."""
        self.selection = frozenset()
        self._anchor = self.current
