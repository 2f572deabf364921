"""The stacks of a list: which photos belong together, which stacks are expanded, and their covers.

:class:`~curator.session.photo_list.PhotoList` owns them; nothing here changes the list itself.
"""

from __future__ import annotations

import numpy as np

from curator.library.scopes import followed
from curator.library.sort_orders import is_manual
from curator.library.spans import Ids
from curator.library.table import Table
from curator.model import Flag, Marks, Verdict
from curator.session.criteria import ListCriteria
from curator.session.listing import Listing


class ListStacks:
    """The stacks of a list; sorting by hand in a project shows no stacks.

    Thread: GUI only.
    """

    def __init__(self, table: Table, criteria: ListCriteria) -> None:
        self._table, self._criteria = table, criteria
        self._expanded: dict[str, set[int]] = {}  # by scope, while the window is open

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

    def new_listing(self) -> Listing:
        """Return an empty list for the scope, with the stacks expanded that were before."""
        return Listing(self, self._expanded.setdefault(self._criteria.scope.key, set()))

    def follow_folder(self, old: str, new: str) -> None:
        """Keep stacks expanded in a folder that moved."""
        self._expanded = {followed(k, old, new): v for k, v in self._expanded.items()}

    def with_frames(self, photo_ids: set[int]) -> set[int]:
        """Add the other frames of stacks: a mark on one may change which is suggested."""
        table = self._table
        known = np.array([photo for photo in photo_ids if photo in table], np.int64)
        stacks = np.unique(table.stacks.of(known))
        stacks = stacks[stacks > 0]
        if not len(stacks):
            return photo_ids
        return photo_ids | set(table.ids[np.isin(table.stacks.names, stacks)].tolist())

    def cover(self, frames: Ids) -> int:
        """Choose the cover of a stack: the best marked photo, or else the suggested best.

        Args:
            frames: its photos in list order; of a single photo, that one.
        """
        if len(frames) == 1:
            return int(frames[0])
        table, photos = self._table, frames.tolist()
        rows, marks = table.rows_of(frames), table.marks_of(photos)
        liking = np.array([_liking(table, *each) for each in zip(photos, marks, strict=True)])
        best = np.flatnonzero(liking == liking.max())
        suggested = best[table.stacks.suggested_at(rows[best])]
        return int(frames[suggested[0] if len(suggested) else best[0]])


def _liking(table: Table, photo_id: int, marks: Marks) -> int:
    """Rank a frame by its marks; one that is rejected or unreadable comes last."""
    if marks.verdict is Verdict.REJECTED or table.state(photo_id) == "failed":
        return -1
    if marks.verdict is Verdict.UNREVIEWED:
        return 0
    return 1 + 2 * (marks.rating or 0) + (marks.flag is Flag.PICK)
