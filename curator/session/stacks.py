"""Stacks of the list: which frame is the cover of a stack, and which photos a mark applies to.

The grid shows a stack as one tile until the person expands it; every other view shows its frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curator.library.spans import Ids
from curator.model import STACK_KINDS, StackKind, Verdict, View, counted
from curator.session.photo_list import PhotoList
from curator.session.services import Services

_KINDS = {
    None: "a stack",
    StackKind.BURST: "a burst",
    StackKind.BRACKET: "a bracket, which is kept whole",
    StackKind.DUPLICATE: "copies",
}


class StackController:
    """Answers questions about stacks in the list, and expands them.

    Thread: GUI only.
    """

    def __init__(self, services: Services, photos: PhotoList) -> None:
        self._catalog, self._messages = services.catalog, services.messages
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state

    # --- covers

    def cover_of(self, span: range) -> int:
        """Return the cover of the photos at these positions of the list."""
        return self._photos.stacks.cover(self._photos.ids[span.start : span.stop])

    def tile_photo(self, number: int) -> int:
        """Return the photo that a tile of the grid shows: the current photo, or else its cover.

        Args:
            number: of the tile in ``listing.tiles``.
        """
        photos = self._photos
        span = photos.listing.tiles[number]
        return int(photos.ids[photos.index]) if photos.index in span else self.cover_of(span)

    def next_cover(self) -> int | None:
        """Return the cover that the next move by whole stacks leads to; None at the end."""
        photos = self._photos
        units = photos.listing.units
        number = units.at(photos.index) + photos.direction
        if photos.index < 0 or not 0 <= number < len(units):
            return None
        return self.cover_of(units[number])

    @property
    def tile_number(self) -> int:
        """Number of the grid's tile with the current photo, -1 if there is none."""
        photos = self._photos
        return photos.listing.tiles.at(photos.index) if photos.index >= 0 else -1

    # --- facts

    def position_in_stack(self, photo_id: int) -> str:
        """Return a photo's position in its stack: "3 of 6"; empty for a single photo."""
        listing = self._photos.listing
        if photo_id not in listing:
            return ""
        frames = listing.unit(photo_id)
        if len(frames) == 1:
            return ""
        position = int(np.flatnonzero(frames == photo_id)[0]) + 1
        return f"{position:,} of {len(frames):,}"

    def suggestion_reason(self, photo_id: int) -> str:
        """Return why a photo is the suggested best of its stack; empty if it is not."""
        rows = self._table.rows_of([photo_id])
        stacks = self._table.stacks
        return stacks.reason(int(rows[0])) if stacks.suggested_at(rows)[0] else ""

    def facts(self, photo_id: int) -> list[tuple[str, str]]:
        """Return facts about a photo's stack as names and values; none for a single photo."""
        position = self.position_in_stack(photo_id)
        if not position:
            return []
        table, frames = self._table, self._photos.listing.unit(photo_id)
        rows = table.rows_of(frames)
        by_hand = (table.column("stacked")[rows] > 0).any()
        kind = STACK_KINDS[int(table.column("stack_kind")[rows].max())]
        if table.stacks.is_bracket(rows):
            kind = StackKind.BRACKET
        facts = [("Frame", position), ("Kind", "stacked by you" if by_hand else _KINDS[kind])]
        for frame in frames.tolist():
            why = self.suggestion_reason(frame)
            if why:
                facts.append(("Suggested best", f"{table.name(frame)}: {why}"))
        return facts

    def is_bracket(self, frames: Sequence[int]) -> bool:
        """Whether the stack of these frames is a bracket, which is kept as a whole."""
        stacks = self._table.stacks
        return stacks.is_bracket(stacks.rows_of_stack(int(self._table.rows_of(frames[:1])[0])))

    def split_pair_of(self, photo_id: int) -> int | None:
        """Return the photo of the pair that this photo was split from, or None."""
        return self._catalog.identity.pair_of(photo_id)

    def frames_of_each(self, photos: Sequence[int]) -> list[list[int]]:
        """Return the readable frames of each photo's stack, by capture time, and the photo itself.

        Only frames of the scope; under a filter only listed ones, so that no unseen photo is
        marked.
        """
        table = self._table
        visible = self._photos.membership.in_scope() & ~table.failed()
        if self._criteria.filter:
            visible &= self._photos.members()
        found = []
        for row in table.rows_of(photos).tolist():
            rows = table.stacks.rows_of_stack(row)
            rows = rows[visible[rows] | (rows == row)]
            found.append(table.ids[table.ranks.in_time_order(rows)].tolist())
        return found

    # --- expanding

    def toggle(self, photo_id: int) -> None:
        """Show a stack frame by frame in the grid, or as one tile again."""
        frames = self._photos.listing.unit(photo_id)
        if len(frames) == 1:
            self._messages.say(f"{self._table.name(photo_id)} isn't in a stack")
            return
        expanded = self._photos.expand(photo_id)
        what = counted(len(self._photos.listing.unit(photo_id)), "frame")
        self._messages.say(
            f"Expanded a stack of {what}" if expanded else f"Collapsed a stack of {what}"
        )

    # --- what a mark applies to

    def targets(self, whole: bool = False) -> list[int]:
        """Return the photos a mark applies to: in the grid the selection, else the current photo.

        Stars, labels, tags, projects, turning and editors all apply to these. Of a collapsed stack
        that is the frame shown.

        Args:
            whole: of a collapsed stack, take every unreviewed frame instead. A stack with none
                gives the frame shown if it is alone, and no photo if it is one of several selected:
                the same key again changes nothing there.
        """
        photos, current = self._photos, self._photos.current
        if self._view_state.finished or current is None:
            return []
        if self._view_state.view is not View.GRID:
            return [current]
        tiles, selecting = photos.listing.tiles, len(photos.selection) > 1
        targets: list[int] = []
        numbers = self._marked_tiles()
        first = photos.ids[tiles.starts[numbers]].tolist()
        alone = (np.diff(tiles.starts, append=len(photos.ids))[numbers] == 1).tolist()
        for number, photo, is_alone in zip(numbers.tolist(), first, alone, strict=True):
            if is_alone:
                targets.append(photo)
                continue
            frames = photos.ids[tiles[number].start : tiles[number].stop].tolist()
            if selecting:  # a stack may have formed around what was selected
                frames = [frame for frame in frames if frame in photos.selection]
            stacked = whole and len(frames) > 1
            found = self._unreviewed(frames) if stacked else []
            if not found and not (stacked and selecting):
                cover = photos.stacks.cover
                found = [current if current in frames else cover(np.array(frames, np.int64))]
            targets += found
        return targets

    def _marked_tiles(self) -> Ids:
        """Return the numbers of the tiles a mark applies to: the selected tiles or the current."""
        photos = self._photos
        if len(photos.selection) < 2:
            return np.array([self.tile_number], np.int64)
        return photos.listing.tiles.over(photos.listing.positions(photos.selection))

    def _unreviewed(self, photos: Sequence[int]) -> list[int]:
        """Return those photos that are readable and unreviewed."""
        table = self._table
        return [
            photo
            for photo in photos
            if table.verdict(photo) is Verdict.UNREVIEWED and table.state(photo) != "failed"
        ]

    @property
    def on_collapsed_stack(self) -> bool:
        """Whether the current photo is in a stack that the grid shows as one tile."""
        photos = self._photos
        return (
            self._view_state.view is View.GRID
            and photos.current is not None
            and len(photos.listing.tile(photos.current)) > 1
        )

    @property
    def on_one_tile(self) -> bool:
        """Whether a mark applies to one photo or one tile, so that it may advance to the next."""
        return self._view_state.view is not View.GRID or len(self._marked_tiles()) == 1

    def selected(self) -> set[int]:
        """Return all photos of the selected tiles, to stack or export; else the current photo.

        Marks apply to :meth:`targets`.
        """
        photos = self._photos
        if photos.current is None or self._view_state.finished:
            return set()
        if self._view_state.view is not View.GRID:
            return {photos.current}
        return set(photos.selection) or set(photos.listing.tile(photos.current).tolist())
