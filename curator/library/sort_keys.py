"""The ranks of photos by capture time and by name, with which all sort orders break ties."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from curator.library.photo_folders import PhotoFolders
from curator.library.photo_rows import PhotoRows
from curator.library.spans import Ids

_DIGITS = re.compile(r"(\d+)")
NO_COPIES: Mapping[int, tuple[str, int]] = MappingProxyType({})
_T = TypeVar("_T")
_SEARCH = 2  # one comparison to insert a name costs as much as sorting this many among all


class TextColumn(Protocol):
    """Texts by row: a list, or `Texts`."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> str | None: ...

    def __iter__(self) -> Iterator[str | None]: ...


class Names:
    """The names of all rows and their sorted order, computed at first use.

    A few new names are inserted one by one, so that a new photo does not cost sorting a hundred
    thousand.

    Attributes:
        order: the rows sorted so far, by name; equal names keep their order.
    """

    def __init__(self, names: TextColumn) -> None:
        """Use a column that may grow; whoever changes a name in it calls :meth:`forget`."""
        self._names = names
        self.forget()

    def forget(self) -> None:
        """Drop ranks because a name changed."""
        self.order: Ids = np.zeros(0, np.int64)

    def ranks(self, rows: Ids) -> Ids:
        """Return the rank by name of some rows among each other; equal names keep their order."""
        if len(rows) < self._cost():
            ascending = np.sort(rows)
            keys = natural([str(self._names[row]) for row in ascending.tolist()])
            return _inverse(_sorted(keys))[np.searchsorted(ascending, rows)]
        return _inverse(self.sorted_rows())[rows]

    def sorted_rows(self) -> Ids:
        """Return all rows sorted by name; equal names keep their order."""
        known, count = len(self.order), len(self._names)
        if self._cost() == count:
            self.order = _sorted(natural([str(name) for name in self._names]))
        elif known < count:
            keys = natural([str(self._names[row]) for row in range(known, count)])
            fresh = _sorted(keys)
            self.order = np.insert(self.order, self._places(keys, fresh), fresh + known)
        return self.order

    def _cost(self) -> int:
        """Return what :meth:`sorted_rows` will cost, as the number of names to be sorted."""
        known, count = len(self.order), len(self._names)
        return min(count, _SEARCH * (count - known) * max(known.bit_length(), 1))

    def _places(self, keys: Sequence[str], rows: Ids) -> list[int]:
        """Return where to insert the names of some rows: after those that are less or equal."""

        @cache  # names that come together are mostly compared with the same ones
        def known(row: int) -> str:
            return natural([str(self._names[row])])[0]

        return [bisect_right(self.order, keys[row], key=known) for row in rows.tolist()]


class SortRanks:
    """Each row's rank by capture time and by name, computed at first use.

    Thread: the table's.
    """

    def __init__(self, rows: PhotoRows, folders: PhotoFolders) -> None:
        self._rows, self._folders = rows, folders
        self._names = Names(rows.texts("name"))
        self._by_time: Ids | None = None
        self._rows_by_time: Ids | None = None
        self._by_name: Ids | None = None
        self._names_serial = folders.names_serial

    def restore(self, by_time: Ids, rows_by_name: Ids) -> None:
        """Load ranks that were computed before."""
        self._by_time, self._names.order = by_time, rows_by_name
        self._rows_by_time = None

    def forget_times(self) -> None:
        """Drop ranks because a capture time changed."""
        self._by_time = None

    def forget_directories(self) -> None:
        """Drop ranks because a main file moved."""
        self._by_name = self._by_time = None

    def forget_names(self) -> None:
        """Drop ranks because a name changed."""
        self._names.forget()
        self._by_name = self._by_time = None

    def by_time(self) -> Ids:
        """Return ranks by capture time, folder, name; photos without a time come last.

        Folder and name are those in the viewed folder: while a card is imported and its photos move
        to their copies, none changes its place.
        """
        ranks = self._known_by_time()
        if ranks is None:
            among = partial(self._ranked_by_name, copies_here=self._folders.copies_here)
            self._rows_by_time = None
            ranks = self._by_time = time_ranks(self._rows.column("taken_at"), among)
        return ranks

    def _known_by_time(self) -> Ids | None:
        """Return the ranks by time if they are still right."""
        self._follow_names()
        known = self._by_time is not None and len(self._by_time) == self._rows.size
        return self._by_time if known else None

    def rows_by_time(self) -> Ids:
        """Return all rows sorted by :meth:`by_time`."""
        ranks = self.by_time()
        if self._rows_by_time is None:
            self._rows_by_time = _inverse(ranks)
        return self._rows_by_time

    def in_time_order(self, rows: Ids) -> Ids:
        """Sort some rows by :meth:`by_time`; a few need not wait for the ranks of all rows."""

        def among(some: Ids) -> Ids:
            return self._ranked_by_name(rows[some], self._folders.copies_here)

        every = self._known_by_time()
        taken_at = self._rows.column("taken_at")
        ranks = time_ranks(taken_at[rows], among) if every is None else every[rows]
        return rows[np.argsort(ranks)]

    def by_name(self) -> Ids:
        """Return ranks by folder and name, as in the viewed folder; equal names by row."""
        self._follow_names()
        if self._by_name is None or len(self._by_name) != self._rows.size:
            rows = np.arange(self._rows.size)
            self._by_name = self._ranked_by_name(rows, self._folders.copies_here)
        return self._by_name

    def _follow_names(self) -> None:
        """Drop ranks if photos have other names in the viewed folder now."""
        if self._names_serial != self._folders.names_serial:
            self._by_name = self._by_time = None
            self._names_serial = self._folders.names_serial

    def dump(self) -> tuple[Ids, Ids]:
        """Return what :meth:`restore` takes; no folder is viewed then."""
        return time_ranks(self._rows.column("taken_at"), self._ranked_by_name), self.rows_by_name()

    def rows_by_name(self) -> Ids:
        """Return all rows sorted by the name of their main file alone."""
        return self._names.sorted_rows()

    def _ranked_by_name(
        self, rows: Ids, copies_here: Mapping[int, tuple[str, int]] = NO_COPIES
    ) -> Ids:
        """Return the rank of some rows among each other, by folder and name."""
        directories = self._folders.directories
        directory_ids, by_name = self._rows.column("directory_id"), self._names.ranks
        if copies_here:
            names, viewed = list(self._rows.texts("name")), directory_ids.copy()
            for photo, (name, directory_id) in copies_here.items():
                row = self._rows.row(photo)
                names[row], viewed[row] = name, directory_id
            directory_ids, by_name = viewed, Names(names).ranks
        here = directory_ids[rows]
        count = np.bincount(here)
        path_ranks = np.zeros(len(count), np.int64)
        # A folder that another took in is gone before all of its photos are read again.
        used = sorted(np.flatnonzero(count).tolist(), key=lambda each: directories.get(each, ""))
        path_ranks[used] = np.arange(len(used))
        return ranked(path_ranks[here] << 32 | by_name(rows))


def _sorted(keys: Sequence[str]) -> Ids:
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def _inverse(order: Ids) -> Ids:
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def ranked(values: Ids) -> Ids:
    """Return the rank of each value; no two are equal."""
    return _inverse(np.argsort(values))


def time_ranks(taken: NDArray[np.datetime64], among: Callable[[Ids], Ids]) -> Ids:
    """Return each row's rank by time, rows without a time last.

    Args:
        taken: (N,) datetime64[us], NaT for none.
        among: returns ranks among rows with equal times; called only for those, which are few.
    """
    time = taken.view("i8") - 1  # NaT is the smallest number: it wraps around to the largest
    order = np.argsort(time)
    new = np.r_[True, np.diff(time[order]) != 0, True]
    tied = np.flatnonzero(~(new[1:] & new[:-1]))
    rows = order[tied]
    order[tied] = rows[np.lexsort((among(rows), np.cumsum(new[:-1])[tied]))]
    return _inverse(order)


def natural(names: Sequence[str]) -> list[str]:
    """Return keys that sort IMG_2 before IMG_10; all at once, a third faster than singly."""
    if not names:
        return []
    parts = _DIGITS.split("\0".join(names).casefold())  # no file is named with a NUL
    parts[1::2] = [digits.zfill(10) for digits in parts[1::2]]
    return "".join(parts).split("\0")


def in_order(things: Iterable[_T], name: Callable[[_T], str]) -> list[_T]:
    """Sort things by name in natural order: Evening 2 before Evening 10."""
    listed = sorted(things, key=name)
    keys = natural([name(thing) for thing in listed])
    return [listed[index] for index in _sorted(keys).tolist()]
