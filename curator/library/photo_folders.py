"""Where photos lie: each in the folder of its main file, and in those of its copies as well."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curator.library.spans import Ids, Mask

Places = tuple[int, ...]
"""Directory ids: the main file's first, then those of copies elsewhere, ascending."""


def counted(main: Ids, here: Mask, rows: Ids, copies: Ids) -> dict[Places, int]:
    """Count photos by where they lie.

    Args:
        main: (N,) directory id of each photo's main file.
        here: (N,) which are counted.
        rows: (M,) which of these have a copy, one entry a copy.
        copies: (M,) directory id of that copy.
    """
    alone = here.copy()
    alone[rows] = False
    found: dict[Places, int] = {(where,): number for where, number in _each(main[alone])}
    order = np.lexsort((copies, rows))
    copies = copies[order]
    photos, first, numbers = np.unique(rows[order], return_index=True, return_counts=True)
    for number in np.unique(numbers).tolist():
        has = numbers == number
        spread = [copies[first[has] + each] for each in range(number)]
        where, counts = np.unique(
            np.column_stack([main[photos[has]], *spread]), axis=0, return_counts=True
        )
        found |= dict(zip(map(tuple, where.tolist()), counts.tolist(), strict=True))
    return found


def _each(directories: Ids) -> Iterator[tuple[int, int]]:
    where, counts = np.unique(directories, return_counts=True)
    return zip(where.tolist(), counts.tolist(), strict=True)
