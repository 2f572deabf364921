"""Match scores, predicted ratings, and other values to sort by that are not in the catalog.

The session and the command line set them; sort orders, filters and tiles read them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from curator.library.columns import as_measure, as_score, widened
from curator.library.photo_rows import PhotoRows
from curator.library.spans import Ids

_NONE = np.zeros(0, "f4")


class Scores:
    """Scores by row, in memory only.

    Thread: the table's.
    """

    def __init__(self, rows: PhotoRows) -> None:
        self._rows = rows
        self._match = _NONE
        self._expected = _NONE
        self._sort_values: dict[str, NDArray[np.float32]] = {}

    def resize(self) -> None:
        """Extend the columns for new photos, which have no scores."""
        if len(self._match) < self._rows.size:
            self._match, self._expected = (
                widened(column, self._rows.capacity) for column in (self._match, self._expected)
            )

    def set(self, ids: Ids, match: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
        """Set the taste model's predictions; all other photos lose theirs.

        Both are set together, so that a match and a rating on screen are of one prediction.

        Args:
            ids: (N,) photo ids; unknown ones are ignored.
            match: (N,) match scores 0-100, NaN for none.
            expected: (N,) predicted ratings in stars.
        """
        self._match[:] = np.nan
        self._expected[:] = np.nan
        known = self._rows.knows(ids)
        rows = self._rows.rows_of(ids[known])
        self._match[rows] = match[known]
        self._expected[rows] = expected[known]

    @property
    def match(self) -> NDArray[np.float32]:
        """Match scores 0-100 by row, NaN for photos without a score."""
        return self._match[: self._rows.size]

    def match_of(self, photo_id: int) -> int | None:
        """Return a photo's match score 0-100, None without one."""
        return as_score(self._match[self._rows.row(photo_id)])

    def matches_at(self, rows: Ids) -> Iterable[int | None]:
        """Return the match scores of some rows."""
        return map(as_score, self._match[rows].tolist())

    @property
    def expected(self) -> NDArray[np.float32]:
        """Predicted ratings in stars by row, NaN for photos without a prediction."""
        return self._expected[: self._rows.size]

    def expected_of(self, photo_id: int) -> float | None:
        """Return a photo's predicted rating in stars, None without a prediction."""
        return as_measure(self._expected[self._rows.row(photo_id)])

    # --- values of sort orders

    def set_sort_values(self, order: str, ids: Ids, values: NDArray[np.float32]) -> None:
        """Set the values an order sorts by; all other photos lose theirs.

        Args:
            order: its name.
            ids: (N,) known photos.
            values: (N,) values to sort by, NaN for none.
        """
        found = self._sort_values[order] = np.full(self._rows.size, np.nan, "f4")
        found[self._rows.rows_of(ids)] = values

    def sort_values(self, order: str) -> NDArray[np.float32]:
        """Return the values an order sorts by, by row; NaN for photos without a value."""
        known = self._sort_values.get(order, _NONE)
        return widened(known, self._rows.size)

    def uncertainties_at(self, rows: Ids) -> Iterable[float | None]:
        """Return the model's uncertainty for some rows, in stars; None if no order requested it."""
        known = self._sort_values.get("uncertain", _NONE)
        return (
            as_measure(known.item(row) if row < len(known) else math.nan) for row in rows.tolist()
        )
