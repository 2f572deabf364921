"""An ordered list of photos with a current photo, a selection and stacks.

:class:`~curator.session.photo_list.PhotoList` owns them. They know nothing of a window, and emit
no signals.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from curator.library import spans
from curator.library.scopes import moved_key
from curator.library.sort_orders import is_manual
from curator.library.spans import Ids, Spans
from curator.library.table import Table
from curator.model import Flag, Marks, Verdict
from curator.session.criteria import ListCriteria

# New photos are inserted this far behind the current photo, beyond the visible filmstrip.
_STRIP_AHEAD = 16

_NO_IDS: Ids = np.zeros(0, np.int64)


class Listing:
    """An ordered list of photo ids with a current one and a selection.

    Attributes:
        ids: photo ids in order, int64; replaced, never changed in place.
        index: position of the current photo, -1 when the list is empty.
        selection: ids that marks in the grid apply to; empty, or with the current photo.
        units: spans of the list that are a stack or a single photo.
        tiles: spans of the list that the grid shows as one tile.
    """

    def __init__(self, stacks: ListStacks) -> None:
        self._stacks = stacks
        self._expanded = stacks.expanded_in_scope()
        self.ids: Ids = _NO_IDS
        self.index = -1
        self.selection: frozenset[int] = frozenset()
        self._anchor: int | None = None
        # By photo id, -1 if not in the list; ids are dense.
        self._positions: NDArray[np.int32] = np.zeros(0, np.int32)
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
        position = self._positions[photo_id] if 0 <= photo_id < len(self._positions) else -1
        return int(position) if position >= 0 else None

    def positions(self, photo_ids: Iterable[int] | Ids) -> Ids:
        """Return the positions of those photos that are in the list."""
        ids = photo_ids
        if not isinstance(ids, np.ndarray):
            ids = np.fromiter(ids, np.int64)
        positions = self._positions[ids[ids < len(self._positions)]]
        return positions[positions >= 0].astype(np.int64)

    def replace(self, ids: Ids, current: int | None = None) -> None:
        """Replace the list; ``current``, else the current photo, stays current if it is in it.

        Otherwise the next photo of the former list that is still in it becomes current, or else the
        last one before, so that no photo is passed over; without any, the position stays.
        """
        wanted = self.current if current is None else current
        was, at = self.ids, max(self.index, 0)
        self.ids = ids
        self._positions = np.full(int(ids.max()) + 1 if len(ids) else 0, -1, np.int32)
        self._positions[ids] = np.arange(len(ids))
        position = None if wanted is None else self.position(wanted)
        if position is None:
            left = self.positions(np.concatenate([was[at:], was[:at][::-1]]))
            position = int(left[0]) if len(left) else None
        self.index = min(max(self.index, 0), len(ids) - 1) if position is None else position
        self.selection = frozenset(photo for photo in self.selection if photo in self)
        self._cut()

    def join(self, ids: Ids, placed: Iterable[int] = ()) -> None:
        """Add new photos behind what the filmstrip shows, in the order of ``ids``; drop the others.

        Frames of the current stack, and of stacks behind it, join theirs, but none moves before the
        current photo, where nobody would see it. Photos that were ``placed`` by :meth:`move` keep
        their positions.
        """
        split = min(self.index + _STRIP_AHEAD, len(self.ids)) if self.index >= 0 else 0
        positions = np.sort(self.positions(placed))
        positions = positions[positions >= split]
        fixed, head = self.ids[positions], self.ids[:split]
        head = head[np.isin(head, ids)]
        self.replace(np.concatenate([head, ids[~np.isin(ids, head)]]))
        for photo, position in zip(fixed.tolist(), positions - (split - len(head)), strict=True):
            if photo in self:
                self.move(photo, int(position))
        if len(self):
            self._gather_ahead()

    def move(self, photo_id: int, position: int) -> None:
        """Move a photo to a position of the list; the current photo stays current."""
        others = self.ids[self.ids != photo_id]
        self.replace(np.insert(others, min(position, len(others)), photo_id))

    def gather(self, photo_ids: Iterable[int]) -> None:
        """Gather the frames of stacks that some photos are or were in; nothing else moves."""
        stacks = self._stacks.of(self.ids)
        units = [self.units[number] for number in self.units.over(self.positions(photo_ids))]
        touched = [stacks[unit.start : unit.stop] for unit in units]
        stacks[~np.isin(stacks, np.concatenate([_NO_IDS, *touched]))] = 0
        self.replace(self.ids[spans.group_stacks(stacks, self._stacks.ranks(self.ids))])

    def _gather_ahead(self) -> None:
        """Gather the frames of each stack from the current photo on, which comes first."""
        rest = self.ids[self.index :]
        ranks = self._stacks.ranks(rest).copy()
        ranks[0] = -1
        order = spans.group_stacks(self._stacks.of(rest), ranks)
        self.replace(np.concatenate([self.ids[: self.index], rest[order]]))

    # --- units and tiles

    def _cut(self) -> None:
        self.units = spans.unit_spans(self._stacks.of(self.ids))
        self._tile()

    def _tile(self) -> None:
        expanded = np.zeros(len(self.ids), bool)
        if self._expanded:
            expanded[self.positions(self._expanded)] = True
        self.tiles: Spans = spans.tile_spans(self.units, expanded)

    def unit(self, photo_id: int) -> Ids:
        """Return the listed photos of a photo's stack, itself included."""
        span = self.units[self.units.at(int(self._positions[photo_id]))]
        return self.ids[span.start : span.stop]

    def tile(self, photo_id: int) -> Ids:
        """Return the photos of a photo's tile in the grid: its stack, or itself if expanded."""
        span = self.tiles[self.tiles.at(int(self._positions[photo_id]))]
        return self.ids[span.start : span.stop]

    def expand(self, photo_id: int) -> bool:
        """Expand a photo's stack in the grid, or collapse it; return whether it is expanded now.

        Collapsing a stack deselects it.
        """
        frames = frozenset(self.unit(photo_id).tolist())
        expanded = len(self.tile(photo_id)) > 1
        if expanded:
            self._expanded |= frames
        else:
            self._expanded -= frames
            self.selection -= frames
        self._tile()
        return expanded

    # --- moving

    def go(self, index: int) -> bool:
        """Move to a position; return whether the current photo changed."""
        index = min(max(index, 0), len(self.ids) - 1)
        moved = index != self.index
        self.index = index
        return moved

    def next_where(self, wanted: Iterable[bool], step: int) -> int | None:
        """Return the nearest position before or after the current one where ``wanted`` is true."""
        found = np.flatnonzero(np.asarray(wanted))
        found = found[found > self.index] if step > 0 else found[found < self.index]
        if not len(found):
            return None
        return int(found[0] if step > 0 else found[-1])

    # --- selection

    def select_only(self, photo_id: int) -> None:
        """Select one photo and go to it."""
        self._anchor = photo_id
        self.selection = frozenset()
        self.index = int(self._positions[photo_id])

    def toggle(self, photo_id: int) -> None:
        """Add a tile to the selection and go to it; or take it out, and go to the nearest left."""
        start = self.selection
        if not start and self.current is not None:
            start = frozenset(self.tile(self.current).tolist())
        tile = frozenset(self.tile(photo_id).tolist())
        self.selection = start - tile if tile <= start else start | tile
        self._anchor = photo_id
        self.index = int(self._positions[photo_id])
        if self.selection and photo_id not in self.selection:
            left = self.positions(self.selection)
            near = int(self.ids[left[np.argmin(np.abs(left - self.index))]])
            self.index = int(self._positions[self._stacks.cover(self.tile(near))])

    def select_range(self, photo_id: int) -> None:
        """Select all tiles between the anchor and a photo; go to it."""
        anchor = self._anchor if self._anchor in self else self.current
        if anchor is None:
            return
        ends = [self.tiles.at(int(self._positions[photo])) for photo in (anchor, photo_id)]
        first, last = self.tiles[min(ends)].start, self.tiles[max(ends)].stop
        self.selection = frozenset(self.ids[first:last].tolist())
        self._anchor = anchor
        self.index = int(self._positions[photo_id])

    def select_all(self) -> None:
        """Select the whole list."""
        self.selection = frozenset(self.ids.tolist())

    def clear_selection(self) -> None:
        """Select nothing but the current photo."""
        self.selection = frozenset()
        self._anchor = self.current


class ListStacks:
    """Which photos are stacked in a list, which stacks are expanded, and their covers.

    The custom order of a project shows no stacks.

    Thread: GUI only.
    """

    def __init__(self, table: Table, criteria: ListCriteria) -> None:
        self._table, self._criteria = table, criteria
        self._expanded: dict[str, set[int]] = {}  # photos by scope, while the window is open

    def of(self, ids: Ids) -> Ids:
        """Return the stack of each photo, 0 if it is alone."""
        if is_manual(self._table, self._criteria.order):
            return np.zeros(len(ids), np.int64)
        return self._table.stacks.of(ids)

    def ranks(self, ids: Ids) -> Ids:
        """Return the ranks that order the frames of a stack."""
        if is_manual(self._table, self._criteria.order):
            return np.arange(len(ids))
        return self._table.stacks.ranks(ids)

    def in_time(self, frames: Ids) -> Ids:
        """Return the frames of a stack in the order of capture."""
        return frames[np.argsort(self.ranks(frames), kind="stable")]

    def expanded_in_scope(self) -> set[int]:
        """Return the photos of expanded stacks; all lists of a scope change the same set."""
        return self._expanded.setdefault(self._criteria.scope.key, set())

    def follow_folder(self, old: str, new: str) -> None:
        """Keep stacks expanded in a folder that moved."""
        self._expanded = {moved_key(k, old, new): v for k, v in self._expanded.items()}

    def with_frames(self, photo_ids: set[int]) -> set[int]:
        """Return photos with all frames of their stacks: a mark may change the suggested best."""
        table = self._table
        stacks = np.unique(table.stacks.of(table.known_ids(photo_ids)))
        stacks = stacks[stacks > 0]
        if not len(stacks):
            return photo_ids
        return photo_ids | set(table.ids[table.stacks.rows_named(stacks)].tolist())

    def cover(self, frames: Ids) -> int:
        """Choose the cover of a stack: the best marked photo, or else the suggested best.

        Args:
            frames: its photos in list order, or a single photo.
        """
        if len(frames) == 1:
            return int(frames[0])
        table, photos = self._table, frames.tolist()
        rows, marks = table.rows_of(frames), table.marks_of(photos)
        failed = table.rows.failed_at(rows).tolist()
        preferences = [_preference(*each) for each in zip(marks, failed, strict=True)]
        best = np.flatnonzero(np.array(preferences) == max(preferences))
        suggested = best[table.stacks.suggested_at(rows[best])]
        return int(frames[suggested[0] if len(suggested) else best[0]])


def _preference(marks: Marks, failed: bool) -> int:
    """Rank a frame by its marks; rejected and unreadable frames come last."""
    if failed or marks.verdict is Verdict.REJECTED:
        return -1
    if marks.verdict is Verdict.UNREVIEWED:
        return 0
    return 1 + 2 * (marks.rating or 0) + (marks.flag is Flag.PICK)
