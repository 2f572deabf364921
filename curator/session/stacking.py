"""Stacks at the desk: which frame stands for one, and what a mark on one takes.

The grid shows a stack as one tile until one expands it; every other view shows its frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curator.library.spans import Ids
from curator.model import Flag, Marks, StackKind, Verdict, View, counted
from curator.session.searching import Searching
from curator.stages.stack import KINDS

_KINDS = {
    None: "a stack",
    StackKind.BURST: "a burst",
    StackKind.BRACKET: "a bracket, which is kept whole",
    StackKind.DUPLICATE: "the same picture more than once",
}


class Stacking(Searching):
    """The desk, with stacks to expand and to act on.

    Thread: GUI only.
    """

    # --- which frame stands for a stack

    def face(self, frames: Ids) -> int:
        """Choose the photo that stands for a stack: the best marked, else the proposed one.

        Args:
            frames: its photos in list order; of a single photo, that one.
        """
        if len(frames) == 1:
            return int(frames[0])
        rows = self.table.rows_of(frames)
        marks = self.table.marks_of(frames.tolist())
        liking = np.array(list(map(self._liking, frames.tolist(), marks)))
        best = np.flatnonzero(liking == liking.max())
        proposed = best[self.table.stacks.suggested_at(rows[best])]
        return int(frames[proposed[0] if len(proposed) else best[0]])

    def _liking(self, photo_id: int, marks: Marks) -> int:
        """Say how far a photo may stand for its stack; rejected or unreadable, not at all."""
        if marks.verdict is Verdict.REJECTED or self.table.state(photo_id) == "failed":
            return -1
        if marks.verdict is Verdict.UNREVIEWED:
            return 0
        return 1 + 2 * (marks.rating or 0) + (marks.flag is Flag.PICK)

    def front(self, number: int) -> int:
        """Give the photo a tile of the grid shows: the current one if it is in it, else its face.

        Args:
            number: of the tile in ``listing.tiles``.
        """
        span = self.listing.tiles[number]
        if self.index in span:
            return int(self.ids[self.index])
        return self.face(self.ids[span.start : span.stop])

    def _begin(self) -> None:
        """Begin at the first photo; in the grid at the one its first tile shows."""
        if self.view is View.GRID and len(self.listing):
            span = self.listing.tiles[0]
            face = self.face(self.ids[span.start : span.stop])
            self.listing.go(self.listing.position(face) or 0)

    def next_face(self) -> int | None:
        """Give the photo one comes to by whole stacks, in the direction one goes."""
        units = self.listing.units
        number = units.at(self.index) + self.direction
        if self.index < 0 or not 0 <= number < len(units):
            return None
        span = units[number]
        return self.face(self.ids[span.start : span.stop])

    @property
    def tile_number(self) -> int:
        """Number of the grid's tile the current photo is in, -1 when there is none."""
        return self.listing.tiles.at(self.index) if self.index >= 0 else -1

    def place_in_stack(self, photo_id: int) -> str:
        """Say which frame of its stack a photo is: "3 of 6"; empty for a single photo."""
        if photo_id not in self.listing:
            return ""
        frames = self.listing.unit(photo_id)
        place = int(np.flatnonzero(frames == photo_id)[0]) + 1
        return f"{place:,} of {len(frames):,}" if len(frames) > 1 else ""

    def proposal(self, photo_id: int) -> str:
        """Say why a photo is the proposed frame of its stack; empty if it is not."""
        rows = self.table.rows_of([photo_id])
        stacks = self.table.stacks
        return stacks.reason(int(rows[0])) if stacks.suggested_at(rows)[0] else ""

    def stack_facts(self, photo_id: int) -> list[tuple[str, str]]:
        """Say what there is to say of a photo's stack, name and value; nothing if it is alone."""
        place = self.place_in_stack(photo_id)
        if not place:
            return []
        rows = self.table.rows_of(self.listing.unit(photo_id))
        by_hand = (self.table.column("stacked")[rows] > 0).any()
        kind = KINDS[int(self.table.column("stack_kind")[rows].max())]
        if self.table.stacks.is_bracket(rows):
            kind = StackKind.BRACKET
        facts = [("Frame", place), ("Found as", "made by hand" if by_hand else _KINDS[kind])]
        for frame in self.listing.unit(photo_id).tolist():
            why = self.proposal(frame)
            if why:
                facts.append(("Suggested best", f"{self.table.name(frame)}: {why}"))
        return facts

    # --- expanding

    def toggle_stack(self, photo_id: int) -> None:
        """Show a stack frame by frame in the grid, or as one tile again."""
        if len(self.listing.unit(photo_id)) == 1:
            self.say(f"{self.table.name(photo_id)} isn't in a stack")
            return
        self._untouched = False
        opened = self.listing.expand(photo_id)
        self.list_changed.emit()
        self.selection_changed.emit()
        frames = counted(len(self.listing.unit(photo_id)), "frame")
        self.say(f"Stack of {frames}" if opened else f"Collapsed a stack of {frames}")

    # --- what a mark takes

    def targets(self, whole: bool = False) -> list[int]:
        """Give the photos a mark acts on: in the grid the selection, else the one on screen.

        One rule for all that is done to photos: stars, labels, tags, projects, turning, editors.

        Args:
            whole: of a collapsed stack, every unreviewed frame; else the frame shown, which also
                stands for a stack with nothing unreviewed in it, unless that is one of several
                selected: the same key again changes nothing there.
        """
        if self.finished or self.current is None:
            return []
        if self.view is not View.GRID:
            return [self.current]
        tiles, selecting = self.listing.tiles, len(self.selection) > 1
        taken: list[int] = []
        meant = self._tiles_meant()
        first = tiles.starts[meant]
        alone = np.diff(tiles.starts, append=len(self.ids))[meant] == 1
        for number, photo, is_alone in zip(
            meant.tolist(), self.ids[first].tolist(), alone.tolist(), strict=True
        ):
            if is_alone:
                taken.append(photo)
                continue
            frames = self.ids[tiles[number].start : tiles[number].stop].tolist()
            if selecting:  # a stack may have formed around what one selected
                frames = [frame for frame in frames if frame in self.selection]
            stacked = whole and len(frames) > 1
            unreviewed = self._undecided(frames) if stacked else []
            if not unreviewed and not (stacked and selecting):
                here = self.current in frames
                unreviewed = [self.current if here else self.face(np.array(frames, np.int64))]
            taken += unreviewed
        return taken

    def _tiles_meant(self) -> Ids:
        """Number the tiles of the grid a mark acts on: the selected ones, else the current one."""
        if len(self.selection) < 2:
            return np.array([self.tile_number], np.int64)
        return self.listing.tiles.over(self.listing.positions(self.selection))

    @property
    def on_collapsed_stack(self) -> bool:
        """Whether one is at a stack that the grid shows as one tile."""
        return (
            self.view is View.GRID
            and self.current is not None
            and len(self.listing.tile(self.current)) > 1
        )

    @property
    def on_one_tile(self) -> bool:
        """Whether a mark acts on what is one thing on screen, and may go on to the next."""
        return self.view is not View.GRID or len(self._tiles_meant()) == 1

    def stack(self, photo_id: int) -> list[int]:
        """Give the readable photos of a photo's stack; see :meth:`stacks_of`."""
        return self.stacks_of([photo_id])[0]

    def stacks_of(self, photos: Sequence[int]) -> list[list[int]]:
        """Give the readable photos of each photo's stack, by capture time, itself included.

        All in scope; under a filter those it shows, so that nothing unseen is decided.
        """
        table = self.table
        there = self._in_scope() & ~table.failed()
        if self.filter:
            there &= self._members()
        found = []
        for row in table.rows_of(photos).tolist():
            rows = table.stacks.rows_of_stack(row)
            rows = rows[there[rows] | (rows == row)]
            found.append(table.ids[rows[np.argsort(table.ranks.by_time()[rows])]].tolist())
        return found

    def selected(self) -> set[int]:
        """Return every photo of the selected tiles, to stack or export; marks take `targets`."""
        if self.current is None or self.finished:
            return set()
        if self.view is not View.GRID:
            return {self.current}
        return set(self.selection) or set(self.listing.tile(self.current).tolist())

    def is_bracket(self, frames: Sequence[int]) -> bool:
        """Tell whether the stack these frames are of is a bracket, which is kept whole."""
        row = int(self.table.rows_of(frames[:1])[0])
        return self.table.stacks.is_bracket(self.table.stacks.rows_of_stack(row))

    def _undecided(self, photos: Sequence[int]) -> list[int]:
        """Give those one can judge: readable, and not judged yet."""
        table = self.table
        return [
            photo
            for photo in photos
            if table.verdict(photo) is Verdict.UNREVIEWED and table.state(photo) != "failed"
        ]
