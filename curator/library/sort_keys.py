"""Where photos stand by name and by time: what orders break ties by."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from curator.library.spans import Ids

_DIGITS = re.compile(r"(\d+)")
_T = TypeVar("_T")
_SEARCH = 4  # looking at a single name costs as much as some names of all that are sorted


class Names:
    """The names of all rows, as they are sorted; in which order they stand is made when asked for.

    Names that came since are put where they belong one by one, as long as they are few: a photo
    that arrives costs no sorting of a hundred thousand.

    Attributes:
        order: the first rows by name, as far as they were sorted; equal ones as they came.
    """

    def __init__(self, names: list[object]) -> None:
        """Stand over a list that grows, and whose names may change: then :meth:`forget`."""
        self._names = names
        self.forget()

    def forget(self) -> None:
        """Take note that a name changed."""
        self.order: Ids = np.zeros(0, np.int64)

    def places(self, rows: Ids) -> Ids:
        """Give the place of each of some rows by name; equal ones stand as they came."""
        if len(rows) < len(self._names) and len(self.order) < len(self._names):
            ids = np.sort(rows)
            keys = natural([str(self._names[row]) for row in ids.tolist()])
            return _inverse(_sorted(keys))[np.searchsorted(ids, rows)]
        return _inverse(self.whole())[rows]

    def whole(self) -> Ids:
        """Give all rows by name; equal ones as they came."""
        known, count = len(self.order), len(self._names)
        if _SEARCH * (count - known) * max(known.bit_length(), 1) >= count:
            self.order = _sorted(natural([str(name) for name in self._names]))
        elif known < count:
            keys = natural([str(name) for name in self._names[known:]])
            fresh = _sorted(keys)
            at = [self._find(keys[row]) for row in fresh.tolist()]
            self.order = np.insert(self.order, at, fresh + known)
        return self.order

    def _find(self, key: str) -> int:
        """Find where a name goes: behind those that are less or equal."""
        return bisect_right(self.order, key, key=lambda row: natural([str(self._names[row])])[0])


def _sorted(keys: Sequence[str]) -> Ids:
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def _inverse(order: Ids) -> Ids:
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def ranked(values: Ids) -> Ids:
    """Give each value's place among all; no two are equal."""
    return _inverse(np.argsort(values))


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
    return _inverse(order)


def natural(names: Sequence[str]) -> list[str]:
    """Make keys under which IMG_2 comes before IMG_10; all at once, a third faster than singly."""
    if not names:
        return []
    parts = _DIGITS.split("\0".join(names).casefold())  # no file is named with a NUL
    parts[1::2] = [digits.zfill(10) for digits in parts[1::2]]
    return "".join(parts).split("\0")


def in_order(things: Iterable[_T], name: Callable[[_T], str]) -> list[_T]:
    """Sort things by name as people count: Evening 2 before Evening 10."""
    listed = sorted(things, key=name)
    keys = natural([name(thing) for thing in listed])
    return [listed[place] for place in _sorted(keys).tolist()]
