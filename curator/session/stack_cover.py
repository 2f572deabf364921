"""Which frame stands for a stack."""

from __future__ import annotations

import numpy as np

from curator.library.spans import Ids
from curator.library.table import Table
from curator.model import Flag, Marks, Verdict


def stack_cover(table: Table, frames: Ids) -> int:
    """Choose the photo that stands for a stack: the best marked, else the suggested best.

    Args:
        table: with the marks of the frames.
        frames: its photos in list order; of a single photo, that one.
    """
    if len(frames) == 1:
        return int(frames[0])
    rows = table.rows_of(frames)
    marks = table.marks_of(frames.tolist())
    liking = np.array([_liking(table, *each) for each in zip(frames.tolist(), marks, strict=True)])
    best = np.flatnonzero(liking == liking.max())
    suggested = best[table.stacks.suggested_at(rows[best])]
    return int(frames[suggested[0] if len(suggested) else best[0]])


def _liking(table: Table, photo_id: int, marks: Marks) -> int:
    """Rank a frame by its marks; one that is rejected or unreadable comes last."""
    if marks.verdict is Verdict.REJECTED or table.state(photo_id) == "failed":
        return -1
    if marks.verdict is Verdict.UNREVIEWED:
        return 0
    return 1 + 2 * (marks.rating or 0) + (marks.flag is Flag.PICK)
