"""The marks that taste learns from, as columns: 27 bytes a photo, a tenth of what objects take.

The learner keeps them and makes training examples of them. Arrays of marks are of the type
:data:`MARK`, sorted by photo.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator.catalog import Judgment

MARK = np.dtype(
    [
        ("photo_id", "<i8"),
        ("rating", "i1"),  # 0 for none
        ("rejected", "?"),
        ("kept", "?"),
        ("stack", "<i8"),
        ("decided_at", "<f8"),
    ]
)
"""The columns of a :class:`~curator.catalog.Judgment`."""
Marks = NDArray[np.void]


class Judgments:
    """The marks of all photos that are training examples, or the kept frame rejects lost to.

    Attributes:
        marks: (N,) of MARK, sorted by photo; replaced as a whole by every change.
    """

    def __init__(self) -> None:
        self.marks: Marks = np.zeros(0, MARK)

    def update(
        self, found: Iterable[Judgment], ids: Collection[int] | None = None
    ) -> tuple[Marks, Marks]:
        """Replace the marks of photos.

        Args:
            found: the present marks of these photos; those that teach nothing are left out.
            ids: the photos, among them every photo of ``found``; None for all.

        Returns:
            The former marks that changed, and the present ones that did, (K,) and (M,) of MARK.
        """
        teaching = ((each[0], each[1] or 0, *each[2:]) for each in found if _is_informative(each))
        new = _sorted(np.fromiter(teaching, MARK))
        asked = None if ids is None else np.fromiter(ids, np.int64)
        touched = _is_in(self.marks["photo_id"], asked)
        old = self.marks[touched]
        if len(new):
            at = np.minimum(np.searchsorted(new["photo_id"], old["photo_id"]), len(new) - 1)
            same = new[at] == old
            is_new = np.ones(len(new), bool)
            is_new[at[same]] = False
        else:
            same, is_new = np.zeros(len(old), bool), np.zeros(0, bool)
        gone, changed = old[~same], new[is_new]
        if len(gone) or len(changed):
            self.marks = new if ids is None else _sorted(np.append(self.marks[~touched], new))
        return gone, changed

    def of_stacks(self, stacks: NDArray[np.int64] | None = None) -> Marks:
        """Return the marks of all photos of these stacks; None for all."""
        return self.marks[_is_in(self.marks["stack"], stacks)]


class Examples(NamedTuple):
    """What marks teach, the stacks in the order of their first photos.

    A reject beside a frame that was kept says nothing about the subject, only which frame is
    better. It is ignored until the kept frame has a vector.

    Attributes:
        rated: photos with stars, and rejects without a kept frame in their stack.
        rated_shares: (N,) share of a whole example; all rejects of a stack together are one.
        best: the best kept frame of a stack, for each of its rejects.
        rejected: the rejects, (M,).
        rejected_shares: (M,) likewise.
    """

    rated: Marks
    rated_shares: NDArray[np.float64]
    best: Marks
    rejected: Marks
    rejected_shares: NDArray[np.float64]


def examples(marks: Marks, analyzed: NDArray[np.bool_]) -> Examples:
    """Return the training examples of whole stacks.

    Args:
        marks: (N,) of MARK, sorted by photo.
        analyzed: (N,) whether the photo has a vector.
    """
    _, first, stack = np.unique(marks["stack"], return_index=True, return_inverse=True)
    rejected, kept = analyzed & marks["rejected"], analyzed & marks["kept"]
    shares = 1.0 / np.maximum(np.bincount(stack[rejected], minlength=len(first)), 1)
    has_kept = np.bincount(stack[marks["kept"]], minlength=len(first)) > 0
    best, frames = np.full(len(first), -1), np.flatnonzero(kept)[::-1]
    frames = frames[np.argsort(marks["rating"][frames], kind="stable")]
    best[stack[frames]] = frames  # the last one stays: the highest rating, then the lowest id
    order = np.argsort(first[stack], kind="stable")
    rated = order[(has_stars(marks) & analyzed | rejected & ~has_kept[stack])[order]]
    lost = order[(rejected & (best[stack] >= 0))[order]]
    return Examples(
        marks[rated],
        np.where(marks["rejected"][rated], shares[stack[rated]], 1.0),
        marks[best[stack[lost]]],
        marks[lost],
        shares[stack[lost]],
    )


def has_stars(marks: Marks) -> NDArray[np.bool_]:
    """Whether photos have a rating and are not rejected, (N,)."""
    stars: NDArray[np.bool_] = (marks["rating"] > 0) & ~marks["rejected"]
    return stars


def latest_last(marks: Marks) -> NDArray[np.intp]:
    """Return the order in which the latest marks come last."""
    return np.lexsort((marks["photo_id"], marks["decided_at"]))


def _is_informative(judgment: Judgment) -> bool:
    """Whether a photo is a training example, or the kept frame its stack's rejects lost to."""
    kept_in_stack = judgment.kept and judgment.stack > 0
    return judgment.rating is not None or judgment.rejected or kept_in_stack


def _sorted(marks: Marks) -> Marks:
    return marks[np.argsort(marks["photo_id"], kind="stable")]


def _is_in(values: NDArray[Any], wanted: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    return np.ones(len(values), bool) if wanted is None else np.isin(values, wanted)
