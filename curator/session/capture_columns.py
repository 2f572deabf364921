"""Capture data by column, read when a search first asks for it.

`filters` uses this for ``iso:``, ``near:``, ``ext:`` and their like. Most sessions never ask, so
that opening a window reads none of it; what changed since the last look is taken over by revision,
as in the table itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from curator.catalog import CAPTURE_COLUMNS, Catalog
from curator.session.columns import widened
from curator.session.units import Mask

if TYPE_CHECKING:
    from curator.session.table import Table


class CaptureColumns:
    """What the cameras wrote, as columns over the rows of a table.

    Thread: one, the table's.
    """

    def __init__(self, table: Table, catalog: Catalog) -> None:
        self._table, self._catalog = table, catalog
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(0, "f8" if name in ("latitude", "longitude") else "f4")
            for name in CAPTURE_COLUMNS
        }
        self._rev = 0
        self._endings: list[str] = [""]  # each combination of suffixes there is: " jpg nef "
        self._ending = np.zeros(0, "i4")  # by row, an index into it
        self._endings_rev = 0
        # Codes by row, the code of each name, and the revision they are of.
        self._named: dict[str, tuple[NDArray[np.int32], dict[str, int], int]] = {}

    def column(self, name: str) -> NDArray[Any]:
        """Return one of CAPTURE_COLUMNS, (rows,) float; NaN where the file does not say."""
        self._refresh()
        return self._columns[name]

    def suffixed(self, suffix: str) -> Mask:
        """Mark the photos that have a file of a suffix, as in ``nef``; case does not matter."""
        self._refresh_endings()
        wanted = f" {suffix.lower()} "
        found = [code for code, ending in enumerate(self._endings) if wanted in ending]
        mask: Mask = np.isin(self._ending, found)
        return mask

    def names(self, column: Literal["camera", "lens"]) -> tuple[NDArray[np.int32], list[str]]:
        """Return which camera or lens each row has, an index into the names; 0 is none."""
        codes, of_name, since = self._named.get(column, (np.zeros(0, "i4"), {"": 0}, 0))
        rev, size = self._table.rev, self._table.size
        if len(codes) < size:
            codes = np.concatenate([codes, np.zeros(size - len(codes), "i4")])
        if rev != since:
            for name, ids in self._catalog.capture_names(column, since):
                rows = self._table.rows_of(ids[self._table.knows(ids)])
                codes[rows] = of_name.setdefault(name, len(of_name))
        self._named[column] = codes, of_name, rev
        return codes, list(of_name)

    def _refresh_endings(self) -> None:
        rev, size = self._table.rev, self._table.size
        if len(self._ending) < size:
            self._ending = np.concatenate([self._ending, np.zeros(size - len(self._ending), "i4")])
        if rev == self._endings_rev:
            return
        of_photo: dict[int, set[str]] = {}
        for photo, suffix in self._catalog.suffixes(self._endings_rev):
            of_photo.setdefault(photo, set()).add(suffix)
        codes = {ending: code for code, ending in enumerate(self._endings)}
        for photo, suffixes in of_photo.items():
            if photo in self._table:
                ending = f" {' '.join(sorted(suffixes))} "
                code = codes.setdefault(ending, len(codes))
                self._ending[self._table.rows_of([photo])] = code
        self._endings, self._endings_rev = list(codes), rev

    def _refresh(self) -> None:
        rev, size = self._table.rev, self._table.size
        if len(self._columns["iso"]) < size:
            self._columns = {
                name: widened(column, len(column), size) for name, column in self._columns.items()
            }
        if rev != self._rev:
            self._take(self._catalog.capture_columns(self._rev))
            self._rev = rev

    def _take(self, found: Iterable[tuple[Any, ...]]) -> None:
        columns = list(zip(*found, strict=True))
        if not columns:
            return
        ids = np.array(columns[0], np.int64)
        known = self._table.knows(ids)
        rows = self._table.rows_of(ids[known])
        for name, values in zip(CAPTURE_COLUMNS, columns[1:], strict=True):
            column = self._columns[name]
            column[rows] = np.array(values, column.dtype)[known]
