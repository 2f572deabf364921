"""A list in units: stacks and single photos, as arrays over its positions.

A stack has a name, a number above 0; 0 stands alone. In a list it is a run of equal names, so
that whatever cuts a list into units or tiles is one comparison of neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


def group_stacks(stacks: Ids, ranks: Ids) -> NDArray[np.intp]:
    """Give the positions in an order that has each stack whole, where its first frame is.

    Args:
        stacks: (N,) names of stacks, 0 alone.
        ranks: (N,) by which the frames of a stack stand.
    """
    lead = np.arange(len(stacks))
    members = np.flatnonzero(stacks)
    _, first, where = np.unique(stacks[members], return_index=True, return_inverse=True)
    lead[members] = members[first][where]
    return np.lexsort((ranks, lead))


class Spans:
    """A list cut into spans that follow each other, each of one position at least."""

    def __init__(self, begins: Mask) -> None:
        """Begin a span wherever ``begins`` holds; it holds at the first position."""
        self._edges = np.append(np.flatnonzero(begins), len(begins))

    def __len__(self) -> int:
        return len(self._edges) - 1

    @property
    def starts(self) -> NDArray[np.intp]:
        """The first position of each span."""
        return self._edges[:-1]

    def at(self, position: int) -> int:
        """Find the span a position lies in; -1 for a position before the first."""
        return int(np.searchsorted(self._edges, position, "right")) - 1

    def over(self, positions: Ids) -> Ids:
        """Number the spans that any of these positions lie in, ascending."""
        return np.unique(np.searchsorted(self._edges, positions, "right") - 1)

    def __getitem__(self, number: int) -> range:
        """Give the positions of a span."""
        return range(int(self._edges[number]), int(self._edges[number + 1]))


def unit_spans(stacks: Ids) -> Spans:
    """Cut a list into its units: runs of one stack, and single photos."""
    begins = np.ones(len(stacks), bool)
    begins[1:] = (stacks[1:] == 0) | (stacks[1:] != stacks[:-1])
    return Spans(begins)


def tile_spans(of: Spans, expanded: Mask) -> Spans:
    """Cut a list into the grid's tiles: a unit is one, but where it is expanded.

    Args:
        of: the units of the list.
        expanded: (N,) whether a photo's unit was expanded; one frame speaks for its unit.
    """
    if not expanded.any():
        return of
    open_ = np.logical_or.reduceat(expanded, of.starts)
    begins = np.repeat(open_, np.diff(np.append(of.starts, len(expanded))))
    begins[of.starts] = True
    return Spans(begins)
