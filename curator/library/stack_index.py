"""The stacks of a table's photos, and the suggested best frame of each.

`Table` keeps it beside its rows. A stack made by hand overrides the automatic one. After a mark,
only the stack of that photo gets a new suggestion. When many photos changed, a stack gets its
suggestion once somebody asks about it, or a slice of :meth:`StackIndex.advance` reaches it:
comparing the people in half a million frames takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog
from curator.library.columns import padded
from curator.library.photo_folders import PhotoFolders
from curator.library.photo_rows import PhotoRows
from curator.library.sort_keys import SortRanks
from curator.library.spans import Ids, Mask, first_frames, unit_spans
from curator.library.stack_eyes import StackEyes
from curator.model import StackKind
from curator.stages.stack import KIND_CODE, Candidates, propose, reason

_MANY = 2000  # with more changed rows, all suggestions are computed again
_SLICE = 20_000  # frames compared at once, where nobody has to draw meanwhile; it bounds memory


class _UnitsByTime(NamedTuple):
    """An answer of :meth:`StackIndex.units_by_time`, and what it was computed from."""

    every: Ids  # all rows by capture time
    serial: int
    among: Mask
    together: bool
    rows: Ids
    starts: Ids

    def holds(self, every: Ids, serial: int, among: Mask, together: bool) -> bool:
        """Whether this still is the answer."""
        same = self.every is every and (self.serial, self.together) == (serial, together)
        return same and np.array_equal(self.among, among)


class StackIndex:
    """Which photos of a table are stacked.

    Thread: the table's.

    Attributes:
        serial: grows whenever a photo came into a stack or left one.
        eyes: of the people in the stacks.
    """

    def __init__(
        self, rows: PhotoRows, folders: PhotoFolders, ranks: SortRanks, catalog: Catalog
    ) -> None:
        self._rows, self._folders, self._ranks = rows, folders, ranks
        self.eyes = StackEyes(rows, catalog)
        self.serial = 0
        self._names: Ids = np.zeros(0, np.int64)
        self._suggested: Mask = np.zeros(0, bool)
        self._last_units: _UnitsByTime | None = None
        self._outdated: set[int] | None = None  # stacks with a changed frame; None: all stacks
        # The stacks without a suggestion yet: their frames and their names, ascending by name.
        self._waiting: tuple[Ids, Ids] = np.zeros(0, np.int64), np.zeros(0, np.int64)

    @property
    def names(self) -> Ids:
        """The name of each row's stack, a number; 0 for a single photo.

        An automatic stack and a stack made by hand never share a name, whatever their numbers in
        the catalog: names of the former are even, of the latter odd.
        """
        return self._names[: self._rows.size]

    def of(self, ids: Ids) -> Ids:
        """Return the stack names of known photos, in the same order."""
        return self._names[self._rows.rows_of(ids)]

    def ranks(self, ids: Ids) -> Ids:
        """Return the ranks of known photos by capture time, in the same order."""
        return self._ranks.by_time()[self._rows.rows_of(ids)]

    def units_by_time(self, among: Mask, together: bool = True) -> tuple[Ids, Ids]:
        """Return the marked rows by capture time, each stack where its first marked frame is.

        The last answer is kept, because a list is sorted again and again; do not change it.

        Args:
            among: (R,) which rows.
            together: whether stacks stay together, or each frame is where it was taken.

        Returns:
            (N,) the rows, and (U,) the position of the first of each stack or single photo.
        """
        every, last = self._ranks.rows_by_time(), self._last_units
        if last is None or not last.holds(every, self.serial, among, together):
            rows = every[among[every]]
            stacks = self.names[rows] if together else np.zeros(len(rows), np.int64)
            order = np.argsort(first_frames(stacks), kind="stable")  # nearly sorted
            starts = unit_spans(stacks[order]).starts
            last = _UnitsByTime(every, self.serial, among, together, rows[order], starts)
            self._last_units = last
        return last.rows, last.starts

    # --- saving and restoring

    def dump(self, rows: Ids, capacity: int) -> dict[str, NDArray[Any]]:
        """Return the stacks of some rows as arrays for :meth:`restore`.

        Args:
            rows: (N,) which, ascending.
            capacity: the length of each array along its rows, the rest of it zeros.
        """
        self.update_suggestions()
        waiting = np.zeros(len(self._names), bool)
        waiting[self._waiting[0]] = True
        own = {
            "stack.name": self._names,
            "stack.suggested": self._suggested,
            "stack.waiting": waiting,
        }
        dumped = {name: padded(column[rows], capacity) for name, column in own.items()}
        return dumped | self.eyes.dump(rows, capacity)

    def restore(self, dumped: Mapping[str, NDArray[Any]]) -> None:
        """Use what :meth:`dump` returned, without copying it.

        Call :meth:`invalidate` if other folders are disabled now: suggestions are among the photos
        of enabled ones.
        """
        self._names, self._suggested = dumped["stack.name"], dumped["stack.suggested"]
        self._outdated = set()
        self._await(np.flatnonzero(dumped["stack.waiting"]))
        self.serial += 1
        self.eyes.restore(dumped)

    # --- updates from the table

    def update(self, at: NDArray[np.int64]) -> None:
        """Update the stacks of rows that were added or changed."""
        rows = self._rows
        if len(self._names) < rows.size:
            self._names = padded(self._names, rows.capacity)
            self._suggested = padded(self._suggested, rows.capacity)
        # By hand: the number of a stack, 0 to stay single, -1 for the automatic stack.
        automatic, by_hand = rows.column("stack")[at], rows.column("stacked")[at]
        named = np.where(by_hand > 0, 2 * by_hand + 1, 0)
        before, after = self._names[at], np.where(by_hand < 0, 2 * automatic, named)
        if not np.array_equal(before, after):
            self._names[at] = after
            self._suggested[at[before != after]] = False
            self.serial += 1
        if len(at) > _MANY:
            self._outdated = None
        elif self._outdated is not None:
            self._outdated.update(before.tolist(), after.tolist())
            self._outdated.discard(0)  # single photos have no suggestion

    def invalidate(self) -> None:
        """Discard all suggestions, because a folder was enabled or disabled."""
        self._outdated = None

    # --- questions

    def shared(self) -> Mask:
        """Mark the photos in stacks of two or more."""
        mask: Mask = (self.names > 0) & self._folders.alive()
        counts = np.bincount(self.names[mask], minlength=1)
        mask[mask] = counts[self.names[mask]] > 1
        return mask

    def number(self, among: Mask) -> int:
        """Count the stacks of the marked rows."""
        return int(np.count_nonzero(np.bincount(self.names[among])[1:]))

    def rows_of_stack(self, row: int) -> NDArray[np.intp]:
        """Return the rows of the stack of a row, itself included; just the row if it has none."""
        name = self._names[row]
        return np.flatnonzero(self.names == name) if name else np.array([row])

    def rows_named(self, names: Ids) -> NDArray[np.intp]:
        """Return the rows of stacks with these names, none of them 0, ascending.

        Among a million it takes 1.5 ms, and `numpy.isin` 12 where the names lie far apart.
        """
        wanted = np.zeros(int(names.max(initial=0)) + 2, bool)  # the last is for all higher names
        wanted[names] = True
        return np.flatnonzero(np.take(wanted, self.names, mode="clip"))

    def is_bracket(self, rows: NDArray[np.int64]) -> bool:
        """Whether any of these frames is part of a bracket, which is kept as a whole."""
        kinds = self._rows.column("stack_kind")[rows]
        return bool((kinds == KIND_CODE[StackKind.BRACKET]).any())

    def unused_number(self, ids: Ids) -> int:
        """Return a number that no other photo uses, for a stack by hand of these photos."""
        rows = self._rows
        others = np.ones(rows.size, bool)
        others[rows.rows_of(ids)] = False
        used = np.concatenate([rows.column("stack")[others], rows.column("stacked")[others], [0]])
        free = np.setdiff1d(ids, used)
        return int(free[0]) if len(free) else int(used.max()) + 1

    # --- suggestions

    @property
    def is_complete(self) -> bool:
        """Whether all suggestions are computed; otherwise :meth:`suggested` takes seconds."""
        return self._outdated is not None and not len(self._waiting[0])

    def suggested(self) -> Mask:
        """Mark the suggested frames that are still unreviewed."""
        self.complete()
        return self._suggested[: self._rows.size] & self._rows.unreviewed()

    def suggested_at(self, rows: NDArray[np.int64]) -> Mask:
        """Mark the suggested frames among these rows, reviewed or not."""
        self.update_suggestions()
        frames, names = self._waiting
        wanted = np.unique(self._names[rows])
        first, last = np.searchsorted(names, wanted), np.searchsorted(names, wanted, "right")
        asked = [np.arange(*span) for span in zip(first, last, strict=True) if span[0] < span[1]]
        if asked:
            at = np.concatenate(asked)
            self._waiting = np.delete(frames, at), np.delete(names, at)
            self._suggest(frames[at])
        return self._suggested[rows]

    def reason(self, row: int) -> str:
        """Return why the frame in a row is suggested."""
        rows = self._in_order(self.rows_of_stack(row))
        return reason(self._candidates(rows), int(np.flatnonzero(rows == row)[0]))

    def update_suggestions(self) -> None:
        """Compute the suggestions of stacks with a changed frame.

        After many changes all stacks wait to be asked about instead, unless few frames are stacked.

        A window calls it before it paints, as it may read faces from the catalog.
        """
        if self._outdated is None:
            self._suggested[:] = False
            self._await(np.flatnonzero(self.names > 0))
            if len(self._waiting[0]) <= _MANY:
                self._outdated = set()
                self.complete()
        elif self._outdated:
            changed = np.array([*self._outdated], np.int64)
            frames, names = self._waiting
            others = ~np.isin(names, changed)
            self._waiting = frames[others], names[others]
            rows = self.rows_named(changed)
            self._suggested[rows] = False
            self._suggest(rows)
        self._outdated = set()

    def advance(self, frames: int = _SLICE) -> bool:
        """Compute suggestions for stacks of about so many frames; return whether any are left."""
        self.update_suggestions()
        waiting, names = self._waiting
        if len(names):
            end = int(np.searchsorted(names, names[:frames][-1], "right"))
            self._waiting = waiting[end:], names[end:]
            self._suggest(waiting[:end])
        return not self.is_complete

    def complete(self) -> None:
        """Compute all suggestions."""
        while self.advance():
            pass

    def _await(self, rows: NDArray[np.intp]) -> None:
        names = self._names[rows]
        order = np.argsort(names)
        self._waiting = rows[order], names[order]

    def _suggest(self, rows: NDArray[np.intp]) -> None:
        """Compute the suggestions of complete stacks."""
        rows = self._in_order(rows)
        self._suggested[rows] = propose(self._candidates(rows))

    def _in_order(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Sort frames by capture time, so that ties take the first; drop hidden ones."""
        return self._ranks.in_time_order(rows[self._folders.alive()[rows]])

    def _candidates(self, rows: NDArray[np.intp]) -> Candidates:
        every = self._rows
        return Candidates(
            stack=self._names[rows],
            kind=every.column("stack_kind")[rows],
            sharpness=every.column("sharpness")[rows],
            exposure=every.column("exposure")[rows],
            light=every.column("light")[rows],
            pixels=every.column("width")[rows].astype(np.int64) * every.column("height")[rows],
            able=~(every.failed() | every.rejected() | every.column("damaged"))[rows],
            eyes=self.eyes.at(rows, self._names[rows]),
        )
