"""Nearby maybes: survivors like the current photo that stand between yes and no.

A star is given in comparison: beside the photo one rates stand those nearest to it that have none
yet, or two to four. Likeness is asked of the thread that learns and comes a moment later; of
photos that nobody has compared yet the nearest in time are taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from curator.learning.learner import TasteLearner
from curator.library.table import Ids, Table
from curator.model import KnownError
from curator.session.messages import Messages
from curator.session.navigation import Navigator
from curator.session.taste import TasteController

SLOTS = 4
_SETTLED = (1, 5)  # ratings nobody doubts any more
_AT_ONCE = 4096  # rows of the archive read at a time


class CandidateFinder(QObject):
    """The maybes near the current photo of a session.

    Signals:
        changed: there are others.

    Attributes:
        photos: their ids, at most SLOTS, the nearest first until one is swapped in.

    Thread: GUI only.
    """

    changed = Signal()

    def __init__(self, navigator: Navigator, taste: TasteController, messages: Messages) -> None:
        super().__init__()
        self._navigator, self._taste, self._messages = navigator, taste, messages
        self._list, self._table = navigator.photos, navigator.photos.table
        self.photos: tuple[int, ...] = ()
        self._wanted = self._asking = False

    def look(self) -> None:
        """Find those near the current photo; while an answer is awaited, once more after it."""
        self._wanted = True
        if not self._asking:
            self._ask()

    def forget(self) -> None:
        """Let go of those there are."""
        self._wanted = False
        self._show(())

    def swap(self, slot: int) -> None:
        """Exchange the current photo and one of the maybes; again, and they are as they were.

        Args:
            slot: 0 is the first.
        """
        here = self._list.current
        if here is None or slot >= len(self.photos):
            self._messages.say("There is no such maybe here.")
            return
        chosen = self.photos[slot]
        self._wanted = False
        self._navigator.detour(chosen)
        if self._list.current == chosen:
            self._show((*self.photos[:slot], here, *self.photos[slot + 1 :]))

    def _ask(self) -> None:
        here = self._list.current
        self._wanted = False
        ids = np.zeros(0, np.int64) if here is None else self._maybes(here)
        if here is None or not len(ids):
            self._show(())
            return
        self._asking = True

        def tell(answer: NDArray[np.float32] | KnownError) -> None:
            self._asking = False
            if self._list.current == here:
                if isinstance(answer, KnownError):
                    answer = np.full(len(ids), np.nan, np.float32)
                self._show(chosen(self._table, here, ids, answer))
            elif self._wanted:
                self._ask()

        self._taste.learner.ask(lambda learner: likeness(learner, here, ids.tolist()), tell)

    def _maybes(self, here: int) -> Ids:
        """Give the survivors in the list that are not settled, the current photo left out."""
        table, ids = self._table, self._list.ids
        rows = table.rows_of(ids)
        open_ = table.kept()[rows] & ~np.isin(table.column("rating")[rows], _SETTLED)
        return ids[open_ & ~table.failed()[rows] & (ids != here)]

    def _show(self, photos: tuple[int, ...]) -> None:
        if photos != self.photos:
            self.photos = photos
            self.changed.emit()


def likeness(learner: TasteLearner, photo_id: int, ids: Sequence[int]) -> NDArray[np.float32]:
    """Say how like a photo others are, as cosines; NaN where one of the two was not compared.

    Thread: that of the learner.
    """
    archive = learner.vectors
    found = np.full(len(ids), np.nan, np.float32)
    here, places = archive.places([photo_id]), archive.places(ids)
    if here[0] < 0:
        return found
    vector = archive.take(here)[0, : archive.dimension]
    seen = np.flatnonzero(places >= 0)
    for start in range(0, len(seen), _AT_ONCE):
        some = seen[start : start + _AT_ONCE]
        found[some] = archive.take(places[some])[:, : archive.dimension] @ vector
    return found


def chosen(table: Table, photo_id: int, ids: Ids, likeness: NDArray[np.float32]) -> tuple[int, ...]:
    """Choose the nearest: by likeness, and behind them by capture time.

    Of a stack only the nearest frame is taken, and none of the photo's own: those are compared in
    a survey.

    Args:
        table: of the session.
        photo_id: the photo they are to be near to.
        ids: (N,) candidates.
        likeness: (N,) cosines, NaN unknown.
    """
    here = table.rows_of([photo_id])
    rows = table.rows_of(ids)
    apart = np.abs(table.column("taken_at")[rows] - table.column("taken_at")[here])
    between = np.abs(table.ranks.by_time()[rows] - table.ranks.by_time()[here])
    # NaT and NaN sort last.
    order = np.lexsort((between, apart, -likeness))
    stacks = table.stacks.of(ids)
    own = table.stacks.of(np.array([photo_id]))[0]
    found: list[int] = []
    taken = {int(own)} - {0}
    for place in order.tolist():
        stack = int(stacks[place])
        if stack not in taken:
            found.append(int(ids[place]))
            taken |= {stack} - {0}
        if len(found) == SLOTS:
            break
    return tuple(found)
