"""Capture data by column, read when a search first needs it.

`filters` uses it for ``iso:``, ``near:``, ``ext:`` and similar fields, `facets` for cameras and
lenses. Most sessions need none of it, so opening a window does not read it. Later changes are read
by revision, as in the table itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curator.catalog import CAPTURE_COLUMNS, Catalog
from curator.library.columns import widened
from curator.library.photo_rows import PhotoRows
from curator.library.spans import Ids, Mask


class CaptureColumns:
    """Capture data as columns over the rows of a table.

    Thread: the table's.
    """

    def __init__(self, rows: PhotoRows, catalog: Catalog) -> None:
        self._rows, self._catalog = rows, catalog
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(0, "f8" if name in ("latitude", "longitude") else "f4")
            for name in CAPTURE_COLUMNS
        }
        self._rev = 0
        # By column: codes by row, the code of each name, and the revision they are of.
        self._named: dict[str, tuple[NDArray[np.int32], dict[str, int], int]] = {}

    def column(self, name: str) -> NDArray[Any]:
        """Return one of CAPTURE_COLUMNS, (rows,) float; NaN where the file has no value."""
        self._refresh()
        return self._columns[name]

    def suffixed(self, suffix: str) -> Mask:
        """Mark the photos that have a file with an extension such as ``nef``; case is ignored."""
        codes, endings = self._coded("suffix", self._endings)
        wanted = f" {suffix.lower()} "
        mask: Mask = np.isin(codes, [code for code, each in enumerate(endings) if wanted in each])
        return mask

    def names(self, column: Literal["camera", "lens"]) -> tuple[NDArray[np.int32], list[str]]:
        """Return which camera or lens each row has, as an index into the names; 0 is none."""
        if column == "camera":
            return self._rows.column("camera"), self._rows.cameras
        return self._coded(column, partial(self._catalog.photos.capture_names, column))

    def _coded(
        self, what: str, read: Callable[[int], Iterable[tuple[str, Ids]]]
    ) -> tuple[NDArray[np.int32], list[str]]:
        """Return which name each row has, as an index into the names; 0 is none.

        Args:
            what: the cache key of the answer.
            read: returns each name with the ids of its photos changed since a revision.
        """
        codes, of_name, since = self._named.get(what, (np.zeros(0, "i4"), {"": 0}, 0))
        rev, size = self._rows.rev, self._rows.size
        if len(codes) < size:
            codes = np.concatenate([codes, np.zeros(size - len(codes), "i4")])
        if rev != since:
            for name, ids in read(since):
                codes[self._rows.rows_of_known(ids)] = of_name.setdefault(name, len(of_name))
        self._named[what] = codes, of_name, rev
        return codes, list(of_name)

    def _endings(self, since_rev: int) -> Iterable[tuple[str, Ids]]:
        """Return each combination of extensions, " jpg nef ", with its photos changed since."""
        of_photo: dict[int, set[str]] = {}
        for photo, suffix in self._catalog.photos.suffixes(since_rev):
            of_photo.setdefault(photo, set()).add(suffix)
        photos: dict[str, list[int]] = {}
        for photo, suffixes in of_photo.items():
            photos.setdefault(f" {' '.join(sorted(suffixes))} ", []).append(photo)
        return ((ending, np.array(ids, np.int64)) for ending, ids in photos.items())

    def _refresh(self) -> None:
        rev, size = self._rows.rev, self._rows.size
        if len(self._columns["iso"]) < size:
            self._columns = {name: widened(column, size) for name, column in self._columns.items()}
        if rev != self._rev:
            found = list(zip(*self._catalog.photos.capture_columns(self._rev), strict=True))
            self._rev = rev
            if not found:
                return
            ids = np.array(found[0], np.int64)
            known = self._rows.knows(ids)
            rows = self._rows.rows_of(ids[known])
            for name, values in zip(CAPTURE_COLUMNS, found[1:], strict=True):
                column = self._columns[name]
                column[rows] = np.array(values, column.dtype)[known]
