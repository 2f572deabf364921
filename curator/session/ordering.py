"""Sorting the list: by columns of the table at once, or by answers of the learner later."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, Signal

from curator.library.sort_orders import ORDERS, Order
from curator.library.spans import Ids
from curator.model import KnownError
from curator.session.criteria import RELEVANCE
from curator.session.messages import Messages
from curator.session.photo_list import PhotoList
from curator.session.taste import TasteController


class OrderController(QObject):
    """Sorts the list of one window.

    Signals:
        rebuilt_sorted: a rebuilt list was sorted by the learner's answer.

    Thread: GUI only; answers come from the learning thread.
    """

    rebuilt_sorted = Signal()

    def __init__(self, photos: PhotoList, taste: TasteController, messages: Messages) -> None:
        super().__init__()
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._taste, self._messages = photos, taste, messages
        self._latest: object = None  # identifies the last request; older answers are dropped
        photos.rebuilt.connect(self._sort_rebuilt)

    @property
    def title(self) -> str:
        """Name of the order in force, with the number of a pinned version of taste."""
        order, version = ORDERS[self._criteria.order], self._taste.pinned_version
        by_version = order.by_taste and version is not None
        return f"{order.title}, version {version}" if by_version else order.title

    @property
    def is_pending(self) -> bool:
        """Whether the learner's answer, by which the list will be sorted, has yet to arrive."""
        return self._latest is not None

    def is_available(self, name: str) -> bool:
        """Whether the list can be sorted by this order now."""
        if name == RELEVANCE:
            return self._criteria.is_ranked
        return self._taste.has_scores or not ORDERS[name].by_taste

    def why_unavailable(self, name: str) -> str:
        """Return why an order is not available."""
        return "only when searching for words" if name == RELEVANCE else self._taste.sentence

    def set_order(self, order: str, backwards: bool = False) -> None:
        """Sort the list; the choice holds for this scope and mode, or for the search in force.

        An order that the learner computes takes effect when its answer arrives.
        """
        chosen, criteria, photos = ORDERS[order], self._criteria, self._photos
        if order == RELEVANCE and not criteria.is_ranked:
            self._messages.say("To sort by relevance, search for words first.")
            return
        if chosen.by_taste and not self._taste.has_scores:
            self._messages.say(f"{chosen.title}: {self._taste.sentence or 'not known yet.'}")
            return
        self._latest = None
        is_known = order == criteria.order and backwards != criteria.is_reversed
        if chosen.question is None or is_known:
            self._sort(order, backwards)
            return
        asked_for, ids = (criteria.scope, criteria.mode), photos.ids

        def sort(answer: np.ndarray) -> None:
            if (criteria.scope, criteria.mode) == asked_for:
                self._table.scores.set_sort_values(order, ids, answer)
                self._sort(order, backwards)
                photos.go_to_first()  # the person chose the order to see its first photo

        self._messages.say(f"Sorting: {chosen.title}…")
        self._ask(chosen, ids, sort)

    def _sort(self, order: str, backwards: bool) -> None:
        self._criteria.choose_order(order, backwards)
        self._photos.sort()
        chosen, taste = ORDERS[order], self._taste
        line = f"Sort: {chosen.title}"
        if chosen.by_taste and taste.pinned_version is not None:
            line += f" · {taste.sentence}"
        elif backwards:
            line += ", reversed"
        self._messages.say(line)

    def _sort_rebuilt(self, keep: int | None) -> None:
        """Sort a rebuilt list again when the learner's answer arrives."""
        photos, criteria = self._photos, self._criteria
        order, self._latest = criteria.order, None
        if ORDERS[order].question is None or not len(photos.ids):
            return
        ids, here = photos.ids, photos.current
        at_front = keep is None and photos.index == 0

        def sort(answer: np.ndarray) -> None:
            if photos.ids is not ids or photos.current != here or criteria.order != order:
                return  # the person has moved in the list, so it stays
            self._table.scores.set_sort_values(order, ids, answer)
            photos.rebuild_ranked(keep)
            if at_front:
                photos.go_to_first()
            self.rebuilt_sorted.emit()

        self._ask(ORDERS[order], ids, sort)

    def _ask(self, order: Order, ids: Ids, callback: Callable[[np.ndarray], None]) -> None:
        """Ask the learner part by part, so that it can learn from new ratings in between."""
        request = self._latest = object()
        parts = np.array_split(ids, max(len(ids) // order.part, 1)) if order.part else [ids]
        answers: list[np.ndarray] = []
        question = order.question
        assert question is not None

        def ask() -> None:
            part = parts[len(answers)].tolist()
            self._taste.learner.ask(lambda learner: question(learner, part), on_part)

        def on_part(answer: np.ndarray | KnownError) -> None:
            if self._latest is not request:
                return
            if isinstance(answer, KnownError):
                self._latest = None
                self._messages.say(str(answer))
                return
            answers.append(answer)
            if len(answers) < len(parts):
                ask()
            else:
                self._latest = None
                callback(np.concatenate(answers))

        ask()
