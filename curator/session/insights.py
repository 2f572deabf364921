"""The desk, asking the learner: why a photo scores as it does, what is like it, what to rate next.

Answers are worked out on the thread that learns and come a moment later; nothing here ever waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal

from curator.catalog import Catalog
from curator.learning.explanations import Insight, Near, insight
from curator.library.sort_orders import ORDERS, Order
from curator.library.table import Ids
from curator.model import KnownError, Verdict
from curator.session.tasting import Tasting
from curator.settings import Home, Settings

if TYPE_CHECKING:
    from curator.pipeline import Pipeline

_AFTER = "Hidden until you decide."


class Insights(Tasting):
    """The desk, with answers about single photos, and orders that have to be asked for.

    Signals:
        insight_came(Insight): what can be said of a photo, maybe no longer the current one.
        why_asked: the why of the current photo is to be brought into sight.

    Thread: GUI only.
    """

    insight_came = Signal(object)
    why_asked = Signal()

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        self._wanted: int | None = None  # the photo to ask about once the answer under way is here
        self._wondering = False
        self._why_for: int | None = None  # unreviewed, and W was pressed once
        self._why_shown: int | None = None  # unreviewed, and W was pressed again
        self._opened_for_why = False  # W opened the inspector, so W closes it
        self._work: object = None  # the last order asked for; older answers come too late
        super().__init__(catalog, home, settings, pipeline)
        self.scores_changed.connect(self._on_scores)

    def _on_scores(self) -> None:
        if self.settings.taste.show_match:
            self.view_changed.emit()  # captions and filmstrip show them

    # --- one photo

    def wonder(self, photo_id: int) -> None:
        """Have :attr:`insight_came` tell about a photo; of many asked for, only about the last."""
        self._wanted = photo_id
        if not self._wondering:
            self._wonder()

    def _wonder(self) -> None:
        photo, self._wanted = self._wanted, None
        if photo is None:
            return
        self._wondering = True

        def tell(answer: Insight | KnownError) -> None:
            self._wondering = False
            if isinstance(answer, KnownError):
                answer = Insight(photo, missing=str(answer))
            self.insight_came.emit(self._of_what_is_here(answer))
            self._wonder()

        self.taste.ask(lambda learner: insight(learner, photo), tell)

    def _of_what_is_here(self, told: Insight) -> Insight:
        """Leave out photos that are not to be seen: their folder is off, or they became others."""
        alive = self.table.alive()

        def here(near: tuple[Near, ...]) -> tuple[Near, ...]:
            known = [each for each in near if each[0] in self.table]
            return tuple(each for each in known if alive[self.table.rows_of([each[0]])[0]])

        why = told.why and replace(told.why, high=here(told.why.high), low=here(told.why.low))
        return replace(told, similar=here(told.similar), why=why)

    # --- why, which stays closed where one has yet to judge

    def may_show_why(self, photo_id: int) -> bool:
        """Tell whether the machine may say what it thinks of a photo."""
        decided = self.table.verdict(photo_id) is not Verdict.UNREVIEWED
        return decided or self.settings.taste.show_match or self._why_shown == photo_id

    def ask_why(self) -> None:
        """Bring the why of the current photo into sight; of one not judged at the second asking."""
        photo = self.current
        if photo is None or self.finished:
            self.say("There is no photo here.")
            return
        shown = self.inspector and not self.panels_hidden
        if not self.may_show_why(photo):
            if self._why_for == photo:
                self._why_shown = photo
                self.say("")
            else:
                again = f" Press {self.keys['why']} again to show." if "why" in self.keys else ""
                self._why_for = photo
                self.say(_AFTER + again)
        elif shown and self._opened_for_why and self._why_for == photo:
            self._why_for = self._why_shown = None
            self.inspector = self._opened_for_why = False
            self.view_changed.emit()
            return
        else:
            self._why_for = photo
        if not shown:
            self.inspector, self.panels_hidden, self._opened_for_why = True, False, True
        self.view_changed.emit()
        self.why_asked.emit()

    def show_why(self) -> None:
        """Show the why of the current photo although nobody has judged it yet."""
        self._why_for = self._why_shown = self.current
        self.view_changed.emit()
        self.why_asked.emit()

    def _arrive(self) -> None:
        self._why_for = self._why_shown = None
        super()._arrive()

    def caption(self, photo_id: int) -> tuple[str, str, str]:
        """Give the caption under the picture; where a setting wants it, with the match."""
        left, middle, right = super().caption(photo_id)
        score = self.table.scores.match_of(photo_id) if self.settings.taste.show_match else None
        return left, middle if score is None else f"match {score} · {middle}", right

    # --- orders that have to be asked for

    def set_order(self, order: str, backwards: bool = False) -> None:
        """Sort the list; by what has to be worked out first, a moment later."""
        chosen = ORDERS[order]
        if chosen.by_taste and not self.has_scores:
            self.say(f"{chosen.title}: {self.taste_sentence or 'not known yet.'}")
            return
        self._work = None
        known = order == self.order and backwards != self.reversed
        if chosen.question is None or known:
            super().set_order(order, backwards)
            return
        where, ids = (self.scope, self.pass_), self.ids

        def sort(answer: np.ndarray) -> None:
            if (self.scope, self.pass_) == where:
                self.table.scores.set_answer(order, ids, answer)
                super(Insights, self).set_order(order, backwards)
                self._to_front()  # who asks what comes first wants to see it

        self.say(f"{chosen.title}: a moment…")
        self._ask_for(chosen, ids, sort)

    def rebuild(self, keep: int | None = None) -> None:
        """Open the list anew; by an order that has to be asked for, sorted once it is known."""
        super().rebuild(keep)
        order, self._work = self.order, None
        if ORDERS[order].question is None or not len(self.ids):
            return
        ids, here = self.ids, self.current
        at_front = keep is None and self.index == 0

        def sort(answer: np.ndarray) -> None:
            if self.ids is not ids or self.current != here or self.order != order:
                return  # one has begun: what is under way does not move
            self.table.scores.set_answer(order, ids, answer)
            super(Insights, self).rebuild(keep)
            if at_front:
                self._to_front()

        self._ask_for(ORDERS[order], ids, sort)

    def _to_front(self) -> None:
        if self.listing.go(0):
            self._arrive()
            self.view_changed.emit()

    def _ask_for(self, order: Order, ids: Ids, tell: Callable[[np.ndarray], None]) -> None:
        """Ask the learner, part by part, so that a star given meanwhile is learned in between."""
        work = self._work = object()
        parts = np.array_split(ids, max(len(ids) // order.part, 1)) if order.part else [ids]
        answers: list[np.ndarray] = []
        question = order.question
        assert question is not None

        def ask() -> None:
            part = parts[len(answers)].tolist()
            self.taste.ask(lambda learner: question(learner, part), take)

        def take(answer: np.ndarray | KnownError) -> None:
            if self._work is not work:
                return
            if isinstance(answer, KnownError):
                self.say(str(answer))
                return
            answers.append(answer)
            if len(answers) < len(parts):
                ask()
            else:
                tell(np.concatenate(answers))

        ask()
