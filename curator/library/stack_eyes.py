"""The eyes of the people in stacks, as `curator.faces.people` compares them; read when needed.

`StackIndex` suggests frames by them. The faces of a stack are read from the catalog the first time
it is asked about, and again after faces or frames of the stack changed, never after a mark. The
results are saved with the table (`table_cache`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Catalog
from curator.catalog.faces import FACE_COLUMNS, SUMMARY
from curator.faces.people import FaceColumns, FrameEyes, compare
from curator.library.columns import padded
from curator.library.photo_rows import PhotoRows
from curator.library.spans import Ids, Mask

_COUNT_BITS = 24  # no stack has 16 million frames


class StackEyes:
    """What is known of the eyes in each photo of a table, by row.

    Thread: the table's.
    """

    def __init__(self, rows: PhotoRows, catalog: Catalog) -> None:
        self._rows, self._catalog = rows, catalog
        self._eyes = np.zeros((len(FrameEyes._fields), 0), np.float32)
        # What the eyes were computed from: sums of faces, and the stack with its number of frames.
        self._sums = np.zeros((len(SUMMARY), 0), np.float32)
        self._stacks = np.zeros(0, np.int64)

    def dump(self, rows: Ids, capacity: int) -> dict[str, NDArray[Any]]:
        """Return what is known of some rows as arrays of (..., capacity) for :meth:`restore`."""
        self._grow()
        own: dict[str, NDArray[Any]] = {
            "eyes": self._eyes,
            "eyes.sums": self._sums,
            "eyes.stacks": self._stacks,
        }
        return {name: padded(columns[..., rows], capacity) for name, columns in own.items()}

    def restore(self, dumped: Mapping[str, NDArray[Any]]) -> None:
        """Use what was known of all rows; what changed since is noticed."""
        self._eyes = dumped["eyes"]
        self._sums, self._stacks = dumped["eyes.sums"], dumped["eyes.stacks"]

    def at(self, rows: Ids, stacks: Ids) -> FrameEyes:
        """Return the eyes in the photos of complete stacks.

        Eyes count only in stacks whose faces are all measured.

        Args:
            rows: of the photos, in the order of time.
            stacks: the stack of each.
        """
        self._grow()
        _, where, counts = np.unique(stacks, return_inverse=True, return_counts=True)
        sums = np.stack([self._rows.column(name)[rows] for name in SUMMARY])
        frames = stacks << _COUNT_BITS | counts[where]
        before = self._sums[:, rows]
        same = (before == sums) | np.isnan(before) & np.isnan(sums)
        known = same.all(axis=0) & (self._stacks[rows] == frames)
        changed = np.zeros(len(counts), bool)
        changed[where[~known]] = True
        again = changed[where]
        if again.any():
            self._sums[:, rows[again]] = sums[:, again]
            self._stacks[rows[again]] = frames[again]
            self._eyes[:, rows[again]] = self._compare(rows[again], stacks[again])
        return FrameEyes(*self._eyes[:, rows])

    def _grow(self) -> None:
        if self._eyes.shape[1] < self._rows.size:
            self._eyes = padded(self._eyes, self._rows.capacity)
            self._sums = padded(self._sums, self._rows.capacity)
            self._stacks = padded(self._stacks, self._rows.capacity)  # no stack is named 0

    def _compare(self, rows: Ids, stacks: Ids) -> FrameEyes:
        """Compare the people of complete stacks, whose faces are read."""
        measured = self._measured(rows, stacks)
        faces = self._rows.column("faces")[rows]
        wanted = self._rows.ids[rows[measured & (faces > 0)]]
        found = self._catalog.faces.columns(wanted.tolist())
        values = np.array(found, np.float64).reshape(-1, len(FACE_COLUMNS))
        order = np.argsort(rows)
        having = self._rows.rows_of(values[:, 0].astype(np.int64))
        photo = order[np.searchsorted(rows, having, sorter=order)]
        columns = FaceColumns(
            stack=stacks[photo],
            frame=photo,
            box=values[:, 1:5],
            size_px=values[:, 5],
            blink=values[:, 6],
            closed=values[:, 7] > 0,
            sharpness=values[:, 8],
        )
        return compare(columns, photo, stacks)

    def _measured(self, rows: Ids, stacks: Ids) -> Mask:
        """Mark the photos of stacks whose faces are measured in all readable frames."""
        unmeasured = np.isnan(self._rows.column("faces")[rows]) & ~self._rows.failed()[rows]
        measured: Mask = ~np.isin(stacks, stacks[unmeasured])
        return measured
