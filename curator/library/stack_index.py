"""The stacks of a table's photos, as the person sees them, and the frame proposed of each.

What the machine found is a fact, what a person said of it goes first. A mark touches one stack,
and just that one is looked at again for another frame to propose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curator.library.photo_folders import PhotoFolders
from curator.library.photo_rows import PhotoRows
from curator.library.sort_keys import SortRanks
from curator.library.spans import Ids, Mask
from curator.model import StackKind
from curator.stages.stack import KIND_CODE, Candidates, propose, reason

_MANY = 2000  # changed rows, from which on all stacks are looked at again


class StackIndex:
    """Which photos of a table show as one.

    Thread: that of the table.

    Attributes:
        serial: grows whenever a photo came into a stack or left one.
    """

    def __init__(self, rows: PhotoRows, folders: PhotoFolders, ranks: SortRanks) -> None:
        self._rows, self._folders, self._ranks = rows, folders, ranks
        self.serial = 0
        self._names: Ids = np.zeros(0, np.int64)
        self._proposed: Mask = np.zeros(0, bool)
        self._doubtful: set[int] | None = None  # stacks with a changed frame; None: any may be

    @property
    def names(self) -> Ids:
        """The name of each row's stack, a number; 0 stands alone.

        A stack the machine found and one made by hand never share a name, whatever numbers they
        go by in the catalog.
        """
        return self._names[: self._rows.size]

    def of(self, ids: Ids) -> Ids:
        """Name the stacks of known photos, in the same order."""
        return self._names[self._rows.rows_of(ids)]

    def ranks(self, ids: Ids) -> Ids:
        """Give the places of known photos by capture time, in the same order."""
        return self._ranks.by_time()[self._rows.rows_of(ids)]

    # --- kept up with the table

    def take(self, at: NDArray[np.int64]) -> None:
        """Take over rows that came or changed."""
        table = self._rows
        if len(self._names) < table.size:
            fresh = max(table.size, 2 * len(self._names)) - len(self._names)
            self._names = np.concatenate([self._names, np.zeros(fresh, np.int64)])
            self._proposed = np.concatenate([self._proposed, np.zeros(fresh, bool)])
        found, said = table.column("stack")[at], table.column("stacked")[at]
        by_hand = np.where(said > 0, 2 * said + 1, 0)
        before, after = self._names[at], np.where(said < 0, 2 * found, by_hand)
        if not np.array_equal(before, after):
            self._names[at] = after
            self.serial += 1
        if len(at) > _MANY:
            self._doubtful = None
        elif self._doubtful is not None:
            self._doubtful.update(before.tolist(), after.tolist())
            self._doubtful.discard(0)  # who stands alone is proposed to nobody

    def invalidate(self) -> None:
        """Look at all of them again: photos came or went with their folder."""
        self._doubtful = None

    # --- what they are

    def shared(self) -> Mask:
        """Mark the photos in stacks of two and more."""
        mask: Mask = (self.names > 0) & self._folders.alive()
        members = np.flatnonzero(mask)
        _, where, counts = np.unique(self._names[members], return_inverse=True, return_counts=True)
        mask[members] = counts[where] > 1
        return mask

    def number(self, among: Mask) -> int:
        """Return how many stacks the marked rows are of."""
        return len(np.unique(self.names[among & (self.names > 0)]))

    def rows_of_stack(self, row: int) -> NDArray[np.intp]:
        """Give the rows of the stack a row is in, itself included; of a photo alone, just that."""
        name = self._names[row]
        return np.flatnonzero(self.names == name) if name else np.array([row])

    def is_bracket(self, rows: NDArray[np.int64]) -> bool:
        """Tell whether one of these frames is of a bracket: the stack is then kept whole."""
        kinds = self._rows.column("stack_kind")[rows]
        return bool((kinds == KIND_CODE[StackKind.BRACKET]).any())

    def unused_number(self, ids: Ids) -> int:
        """Find a number for a stack by hand of these photos: one that no other photo goes by."""
        table = self._rows
        others = np.ones(table.size, bool)
        others[table.rows_of(ids)] = False
        used = np.concatenate([table.column("stack")[others], table.column("stacked")[others], [0]])
        free = np.setdiff1d(ids, used)
        return int(free[0]) if len(free) else int(used.max()) + 1

    # --- proposals

    def suggested(self) -> Mask:
        """Mark the proposed frames that nobody has judged yet."""
        self._propose()
        return self._proposed[: self._rows.size] & self._rows.unreviewed()

    def suggested_at(self, rows: NDArray[np.int64]) -> Mask:
        """Mark the proposed frames among these rows, judged or not."""
        self._propose()
        return self._proposed[rows]

    def reason(self, row: int) -> str:
        """Say why the frame in a row is proposed."""
        rows = self._in_order(self.rows_of_stack(row))
        return reason(self._candidates(rows), int(np.flatnonzero(rows == row)[0]))

    def _propose(self) -> None:
        """Look again at the stacks with a changed frame."""
        if self._doubtful is None:
            rows = np.flatnonzero(self.names > 0)
            self._proposed[:] = False
        elif self._doubtful:
            rows = np.flatnonzero(np.isin(self.names, sorted(self._doubtful)))
            self._proposed[rows] = False
            rows = rows[self._names[rows] > 0]
        else:
            return
        self._doubtful = set()
        rows = self._in_order(rows)
        self._proposed[rows] = propose(self._candidates(rows))

    def _in_order(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Order frames by capture time, so that ties take the first; leave out what is gone."""
        rows = rows[self._folders.alive()[rows]]
        return rows[np.argsort(self._ranks.by_time()[rows])]

    def _candidates(self, rows: NDArray[np.intp]) -> Candidates:
        table = self._rows
        return Candidates(
            stack=self._names[rows],
            kind=table.column("stack_kind")[rows],
            sharpness=table.column("sharpness")[rows],
            exposure=table.column("exposure")[rows],
            light=table.column("light")[rows],
            pixels=table.column("width")[rows].astype(np.int64) * table.column("height")[rows],
            able=~(table.failed() | table.rejected() | table.column("damaged"))[rows],
        )
