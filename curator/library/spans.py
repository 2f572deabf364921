"""A list cut into units and tiles: stacks and single photos, as arrays over its positions.

A stack has a name, a number above 0; 0 means a single photo. In a list, a stack is a run of equal
names, so that cutting the list compares each position with its neighbor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


def group_stacks(stacks: Ids, ranks: Ids) -> NDArray[np.intp]:
    """Return positions sorted so that each stack is together, where its first frame was.

    Args:
        stacks: (N,) names of stacks, 0 for single photos.
        ranks: (N,) the order of frames within a stack.
    """
    return np.lexsort((ranks, first_frames(stacks)))


def first_frames(stacks: Ids) -> Ids:
    """Return for each position that of the first frame of its stack, or itself if it is single."""
    first = np.arange(len(stacks))
    frames = np.flatnonzero(stacks)
    of = stacks[frames]
    by_stack = np.full(int(of.max(initial=0)) + 1, len(stacks))
    np.minimum.at(by_stack, of, frames)
    first[frames] = by_stack[of]
    return first


class Spans:
    """A list cut into consecutive spans of at least one position each."""

    def __init__(self, begins: Mask) -> None:
        """Begin a span wherever ``begins`` is True; it must be True at the first position."""
        self._edges = np.append(np.flatnonzero(begins), len(begins))

    def __len__(self) -> int:
        return len(self._edges) - 1

    @property
    def starts(self) -> NDArray[np.intp]:
        """The first position of each span."""
        return self._edges[:-1]

    def at(self, position: int) -> int:
        """Return the number of the span with a position; -1 before the list, the count past it."""
        return int(np.searchsorted(self._edges, position, "right")) - 1

    def over(self, positions: Ids) -> Ids:
        """Return the numbers of the spans that contain any of these positions, ascending."""
        return np.unique(np.searchsorted(self._edges, positions, "right") - 1)

    def __getitem__(self, number: int) -> range:
        """Return the positions of a span."""
        return range(int(self._edges[number]), int(self._edges[number + 1]))


def unit_spans(stacks: Ids) -> Spans:
    """Cut a list into units: stacks and single photos."""
    begins = np.ones(len(stacks), bool)
    begins[1:] = (stacks[1:] == 0) | (stacks[1:] != stacks[:-1])
    return Spans(begins)


def tile_spans(of: Spans, expanded: Mask) -> Spans:
    """Cut a list into the grid's tiles: units, or single frames where a stack is expanded.

    Args:
        of: the units of the list.
        expanded: (N,) whether a stack is expanded; True at one frame is enough.
    """
    if not expanded.any():
        return of
    open_ = np.logical_or.reduceat(expanded, of.starts)
    begins = np.repeat(open_, np.diff(np.append(of.starts, len(expanded))))
    begins[of.starts] = True
    return Spans(begins)
