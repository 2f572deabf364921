"""Where photos stand by name and by time: what orders break ties by."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from curator.session.units import Ids

_DIGITS = re.compile(r"(\d+)")


class Names:
    """The names of all rows, as they are sorted; what they are sorted by is made when asked for."""

    def __init__(self, names: list[object]) -> None:
        """Stand over a list that grows, and whose names may change: then :meth:`forget`."""
        self._names = names
        self._keys: list[str] = []

    def forget(self) -> None:
        """Take note that a name changed."""
        self._keys.clear()

    def places(self, rows: Ids) -> Ids:
        """Give the place of each of some rows among them; equal ones keep their order."""
        keys = self._of(rows)
        place = np.empty(len(rows), np.int64)
        place[sorted(range(len(rows)), key=keys.__getitem__)] = np.arange(len(rows))
        return place

    def _of(self, rows: Ids) -> list[str]:
        if len(rows) < len(self._names) and len(self._keys) < len(self._names):
            return natural([str(self._names[row]) for row in rows.tolist()])
        self._keys += natural([str(name) for name in self._names[len(self._keys) :]])
        return [self._keys[row] for row in rows.tolist()]


def by_time(taken: NDArray[np.datetime64], among: Callable[[Ids], Ids]) -> Ids:
    """Give each row's place by time, those without one last.

    Args:
        taken: (N,) datetime64[us], NaT for none.
        among: gives places among rows of one time; asked of such only, which are few.
    """
    order = np.lexsort((taken.view("i8"), np.isnat(taken)))
    new = np.r_[True, np.diff(taken[order].view("i8")) != 0, True]
    tied = np.flatnonzero(~(new[1:] & new[:-1]))
    rows = order[tied]
    order[tied] = rows[np.lexsort((among(rows), np.cumsum(new[:-1])[tied]))]
    place = np.empty(len(taken), np.int64)
    place[order] = np.arange(len(taken))
    return place


def natural(names: Sequence[str]) -> list[str]:
    """Make keys under which IMG_2 comes before IMG_10; all at once, a third faster than singly."""
    if not names:
        return []
    parts = _DIGITS.split("\0".join(names).casefold())  # no file is named with a NUL
    parts[1::2] = [digits.zfill(10) for digits in parts[1::2]]
    return "".join(parts).split("\0")
