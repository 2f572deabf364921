"""Candidates: kept photos similar to the current one, to compare it with while rating.

A rating is easier in comparison: beside the loupe the window shows the most similar photos with no
rating yet, or with two to four stars. The learning thread computes the similarity; photos without
a vector are chosen by capture time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from curator.learning.learner import TasteLearner
from curator.library.spans import Ids
from curator.library.table import Table
from curator.model import KnownError
from curator.session.messages import Messages
from curator.session.navigation import Navigator
from curator.session.taste import TasteController

SLOTS = 4
_CERTAIN = (1, 5)  # ratings that need no comparison
_AT_ONCE = 4096  # rows of the index read at a time


class CandidateFinder(QObject):
    """Finds the candidates for the current photo.

    Signals:
        changed: :attr:`photos` changed.

    Attributes:
        photos: ids of at most SLOTS candidates; the most similar first, until one is swapped.

    Thread: GUI only.
    """

    changed = Signal()

    def __init__(self, navigator: Navigator, taste: TasteController, messages: Messages) -> None:
        super().__init__()
        self._navigator, self._taste, self._messages = navigator, taste, messages
        self._list, self._table = navigator.photos, navigator.photos.table
        self.photos: tuple[int, ...] = ()
        self._wanted = self._asking = False

    def find(self) -> None:
        """Find the candidates for the current photo; wait for a pending answer first."""
        self._wanted = True
        if not self._asking:
            self._ask()

    def clear(self) -> None:
        """Drop the candidates."""
        self._wanted = False
        self._show(())

    def swap(self, slot: int) -> None:
        """Swap the current photo with a candidate; a second call swaps them back.

        Args:
            slot: 0 is the first.
        """
        current = self._list.current
        if current is None or slot >= len(self.photos):
            self._messages.say("There is no similar photo with that number.")
            return
        candidate = self.photos[slot]
        self._wanted = False
        self._navigator.detour(candidate)
        if self._list.current == candidate:
            self._show((*self.photos[:slot], current, *self.photos[slot + 1 :]))

    def _ask(self) -> None:
        current = self._list.current
        self._wanted = False
        ids = np.zeros(0, np.int64) if current is None else self._candidates(current)
        if current is None or not len(ids):
            self._show(())
            return
        self._asking = True

        def on_answer(answer: NDArray[np.float32] | KnownError) -> None:
            self._asking = False
            if self._list.current == current:
                if isinstance(answer, KnownError):
                    answer = np.full(len(ids), np.nan, np.float32)
                self._show(most_similar(self._table, current, ids, answer))
            elif self._wanted:
                self._ask()

        self._taste.learner.ask(
            lambda learner: similarities(learner, current, ids.tolist()), on_answer
        )

    def _candidates(self, current: int) -> Ids:
        """Return the kept photos of the list without a certain rating, except the current one."""
        table, ids = self._table, self._list.ids
        rows = table.rows_of(ids)
        hidden = np.fromiter(self._list.hidden_stars, np.int64)
        open_ = table.kept()[rows] & ~np.isin(table.column("rating")[rows], _CERTAIN)
        open_ &= ~np.isin(ids, hidden)
        return ids[open_ & ~table.failed()[rows] & (ids != current)]

    def _show(self, photos: tuple[int, ...]) -> None:
        if photos != self.photos:
            self.photos = photos
            self.changed.emit()


def similarities(learner: TasteLearner, photo_id: int, ids: Sequence[int]) -> NDArray[np.float32]:
    """Return the similarity of photos to one photo, as cosines; NaN without a vector.

    Thread: the learner's.
    """
    index = learner.vectors
    found = np.full(len(ids), np.nan, np.float32)
    row, rows = index.rows_of([photo_id]), index.rows_of(ids)
    if row[0] < 0:
        return found
    vector = index.take(row)[0, : index.dimension]
    known = np.flatnonzero(rows >= 0)
    for start in range(0, len(known), _AT_ONCE):
        some = known[start : start + _AT_ONCE]
        found[some] = index.take(rows[some])[:, : index.dimension] @ vector
    return found


def most_similar(
    table: Table, photo_id: int, ids: Ids, similarity: NDArray[np.float32]
) -> tuple[int, ...]:
    """Choose the most similar photos; those without a vector follow, by capture time.

    Of each stack only the most similar frame is chosen, and no frame of the photo's own stack: a
    survey compares those.

    Args:
        table: with all the photos.
        photo_id: the photo to be similar to.
        ids: (N,) candidates.
        similarity: (N,) cosines, NaN unknown.
    """
    row = table.rows_of([photo_id])
    rows = table.rows_of(ids)
    apart = np.abs(table.column("taken_at")[rows] - table.column("taken_at")[row])
    between = np.abs(table.ranks.by_time()[rows] - table.ranks.by_time()[row])
    # NaT and NaN sort last.
    order = np.lexsort((between, apart, -similarity))
    stacks = table.stacks.of(ids)
    own = table.stacks.of(np.array([photo_id]))[0]
    found: list[int] = []
    used = {int(own)} - {0}
    for number in order.tolist():
        stack = int(stacks[number])
        if stack not in used:
            found.append(int(ids[number]))
            used |= {stack} - {0}
        if len(found) == SLOTS:
            break
    return tuple(found)
