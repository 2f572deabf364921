"""The stacks of a table's photos, as a person sees them, and the suggested best of each.

A person's choice of stack overrides the machine's. A mark affects one stack, and
only that one gets a new suggestion.
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

_MANY = 2000  # with more changed rows, all suggestions are made again


class StackIndex:
    """Which photos of a table show as one.

    Thread: the table's.

    Attributes:
        serial: grows whenever a photo came into a stack or left one.
    """

    def __init__(self, rows: PhotoRows, folders: PhotoFolders, ranks: SortRanks) -> None:
        self._rows, self._folders, self._ranks = rows, folders, ranks
        self.serial = 0
        self._names: Ids = np.zeros(0, np.int64)
        self._suggested: Mask = np.zeros(0, bool)
        self._outdated: set[int] | None = None  # stacks with a changed frame; None: all stacks

    @property
    def names(self) -> Ids:
        """The name of each row's stack, a number; 0 for a single photo.

        A stack the machine found and a stack made by hand never share a name, whatever numbers they
        have in the catalog.
        """
        return self._names[: self._rows.size]

    def of(self, ids: Ids) -> Ids:
        """Return the stack names of known photos, in the same order."""
        return self._names[self._rows.rows_of(ids)]

    def ranks(self, ids: Ids) -> Ids:
        """Return the ranks of known photos by capture time, in the same order."""
        return self._ranks.by_time()[self._rows.rows_of(ids)]

    # --- updates from the table

    def take(self, at: NDArray[np.int64]) -> None:
        """Update the stacks of rows that were added or changed."""
        table = self._rows
        if len(self._names) < table.size:
            fresh = max(table.size, 2 * len(self._names)) - len(self._names)
            self._names = np.concatenate([self._names, np.zeros(fresh, np.int64)])
            self._suggested = np.concatenate([self._suggested, np.zeros(fresh, bool)])
        found, said = table.column("stack")[at], table.column("stacked")[at]
        by_hand = np.where(said > 0, 2 * said + 1, 0)
        before, after = self._names[at], np.where(said < 0, 2 * found, by_hand)
        if not np.array_equal(before, after):
            self._names[at] = after
            self.serial += 1
        if len(at) > _MANY:
            self._outdated = None
        elif self._outdated is not None:
            self._outdated.update(before.tolist(), after.tolist())
            self._outdated.discard(0)  # single photos have no suggestion

    def invalidate(self) -> None:
        """Discard all suggestions, because photos came or went with their folder."""
        self._outdated = None

    # --- questions

    def shared(self) -> Mask:
        """Mark the photos in stacks of two or more."""
        mask: Mask = (self.names > 0) & self._folders.alive()
        members = np.flatnonzero(mask)
        _, where, counts = np.unique(self._names[members], return_inverse=True, return_counts=True)
        mask[members] = counts[where] > 1
        return mask

    def number(self, among: Mask) -> int:
        """Count the stacks of the marked rows."""
        return len(np.unique(self.names[among & (self.names > 0)]))

    def rows_of_stack(self, row: int) -> NDArray[np.intp]:
        """Return the rows of the stack of a row, itself included; just the row if it has none."""
        name = self._names[row]
        return np.flatnonzero(self.names == name) if name else np.array([row])

    def is_bracket(self, rows: NDArray[np.int64]) -> bool:
        """Whether any of these frames is part of a bracket, which is kept as a whole."""
        kinds = self._rows.column("stack_kind")[rows]
        return bool((kinds == KIND_CODE[StackKind.BRACKET]).any())

    def unused_number(self, ids: Ids) -> int:
        """Return a number for a stack by hand of these photos that no other photo uses."""
        table = self._rows
        others = np.ones(table.size, bool)
        others[table.rows_of(ids)] = False
        used = np.concatenate([table.column("stack")[others], table.column("stacked")[others], [0]])
        free = np.setdiff1d(ids, used)
        return int(free[0]) if len(free) else int(used.max()) + 1

    # --- suggestions

    def suggested(self) -> Mask:
        """Mark the suggested frames that are still unreviewed."""
        self._suggest()
        return self._suggested[: self._rows.size] & self._rows.unreviewed()

    def suggested_at(self, rows: NDArray[np.int64]) -> Mask:
        """Mark the suggested frames among these rows, reviewed or not."""
        self._suggest()
        return self._suggested[rows]

    def reason(self, row: int) -> str:
        """Return why the frame in a row is suggested."""
        rows = self._in_order(self.rows_of_stack(row))
        return reason(self._candidates(rows), int(np.flatnonzero(rows == row)[0]))

    def _suggest(self) -> None:
        """Make suggestions again for the stacks with a changed frame."""
        if self._outdated is None:
            rows = np.flatnonzero(self.names > 0)
            self._suggested[:] = False
        elif self._outdated:
            rows = np.flatnonzero(np.isin(self.names, sorted(self._outdated)))
            self._suggested[rows] = False
            rows = rows[self._names[rows] > 0]
        else:
            return
        self._outdated = set()
        rows = self._in_order(rows)
        self._suggested[rows] = propose(self._candidates(rows))

    def _in_order(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Sort frames by capture time, so that ties take the first; drop hidden ones."""
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
