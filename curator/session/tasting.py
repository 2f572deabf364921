"""Taste at the desk: scores in the table, the order they allow, and what was expected of a photo.

Between :class:`Opening`, which knows nothing of taste but a column, and the session. Blind where
one judges: before a person has decided, nothing of a score is told here but the order itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal

from curator.catalog import Catalog
from curator.learning import versions
from curator.learning.learner import Learned, Moved
from curator.learning.learner_thread import LearnerThread
from curator.learning.report import Report, report
from curator.library.sort_orders import ORDERS
from curator.model import Changes, KnownError, Pass, Step
from curator.session.opening import Opening
from curator.settings import Home, Settings
from curator.taste import Accuracy

if TYPE_CHECKING:
    from curator.pipeline import Pipeline

_LOOK_MS = 2000  # vectors come in a hundred a second; scores need not


class Tasting(Opening):
    """The desk, with what the machine has learned of a person's taste.

    Signals:
        scores_changed: every photo may have another match score.
        taste_ready: scores can be trusted for the first time; the pass under way is not by them.

    Thread: GUI only.
    """

    scores_changed = Signal()
    taste_ready = Signal()

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        self.learned: Learned | None = None
        self._trusted = False
        self._revealed: tuple[int, str] | None = None
        self._touched: set[int] = set()  # ids that others changed, to be passed on
        self._marked: set[int] = set()  # ids that a person marked, to be learned from
        self._waits_for_scores = False
        self.taste = LearnerThread(catalog.path, settings.taste, home.cache)
        super().__init__(catalog, home, settings, pipeline)
        self.taste.learned.connect(self._on_learned)
        self.taste.judged.connect(self._on_judged)
        self.taste.problem.connect(self.announce)
        if pipeline is not None:
            pipeline.events.photos_saved.connect(self._look_soon)
        self._look_timer = self._timer(_LOOK_MS, self._look)
        # Once the window is painted: the first learning takes seconds of processor time.
        self._timer(0, self.taste.start).start()

    # --- scores

    def _on_learned(self, learned: Learned) -> None:
        """Take over new scores: badges and counts follow, a list on the table does not move."""
        was_ready, pinned = self.has_scores, self.pinned_taste
        self.learned = learned
        if self.pinned_taste != pinned:
            self.view_changed.emit()  # the order by match is another's now, and says so
        if not (learned.ready or was_ready):
            self.scores_changed.emit()
            return
        self.table.scores.set(learned.ids, learned.scores, learned.predicted)
        if self._waits_for_scores and learned.ready:
            self.rebuild(self.current)  # an order that was left by match, before there were any
        self.scores_changed.emit()
        self.counts_changed.emit()

    def _on_judged(self, judged: Accuracy) -> None:
        """Offer the order by match once it can be trusted."""
        before, self._trusted = self.trusts_taste, judged.trusted
        if self.trusts_taste and not before and self._may_offer():
            self.taste_ready.emit()

    @property
    def trusts_taste(self) -> bool:
        """Whether the order by match can be trusted, as the Taste page says."""
        return self.has_scores and self._trusted

    @property
    def has_scores(self) -> bool:
        """Whether any photo has a match score."""
        return self.learned is not None and self.learned.ready

    @property
    def taste_sentence(self) -> str:
        """Say in one line where learning stands; empty before that is known."""
        return self.learned.sentence if self.learned is not None else ""

    def scores_for_export(self) -> tuple[dict[int, int], str | None]:
        """Give match scores by photo id and the name of the model that made them."""
        if self.learned is None or not self.learned.ready:
            return {}, None
        return self.learned.by_id(), self.learned.name

    def _may_offer(self) -> bool:
        passing = self.pass_ is not Pass.BROWSE and not self.finished
        return passing and self.order != "match" and self.pass_ not in self._orders

    def teach(self, ids: Iterable[int]) -> None:
        """Have marks learned from that a person just made or took back, once they are painted."""
        self._marked |= set(ids)
        self._after_paint.start()

    def _tell_others(self) -> None:
        super()._tell_others()
        self._teach_now()

    def _teach_now(self) -> None:
        if self._marked:
            self.taste.marks_changed(self._marked)
            self._marked = set()

    def _come_from_elsewhere(self, changed: set[int]) -> None:
        super()._come_from_elsewhere(changed)
        self._look_soon(changed)

    def _look_soon(self, ids: Iterable[int] = ()) -> None:
        """Have vectors, stacks and marks looked at that came from elsewhere."""
        self._touched |= set(ids)
        if not self._look_timer.isActive():
            self._look_timer.start()

    def _look(self) -> None:
        self.taste.vectors_changed(self._touched)
        self._touched = set()

    def _look_for_others(self) -> None:
        version = self._data_version
        super()._look_for_others()
        if self._data_version == version:
            return
        if self.pipeline is None:
            self.taste.everything_changed()
        else:
            self._look_soon()  # a version may have been pinned

    # --- how it stands, and versions

    @property
    def pinned_taste(self) -> int | None:
        """The version that scores come from, None where they come from all that was learned."""
        return self.learned.pinned if self.learned is not None else None

    def taste_report(self, tell: Callable[[Report | KnownError], None]) -> None:
        """Have all there is to say of taste told, a moment later."""
        self.taste.ask(report, tell)

    def taste_moved(self, number: int, tell: Callable[[list[Moved] | KnownError], None]) -> None:
        """Have told, a moment later, what moved most from the version before to this one."""
        self.taste.ask(lambda learner: learner.moved(number), tell)

    def keep_taste(self, tell: Callable[[int | KnownError], None]) -> None:
        """Keep a version now; its number is told a moment later."""
        self.taste.ask(lambda learner: learner.keep(), tell)

    def roll_back_taste(self, number: int) -> None:
        """Have scores and predictions come from a version until it is unpinned.

        Raises:
            KnownError: that version cannot be used; nothing was changed.
        """
        versions.roll_back(self.catalog, number)
        self.taste.vectors_changed()
        self.say(f"Taste is pinned to version {number}")

    def unpin_taste(self) -> None:
        """Go on with all that was learned."""
        if versions.unpin(self.catalog) is not None:
            self.taste.vectors_changed()
            self.say("Taste is learned from all your stars again")

    # --- order

    @property
    def order_title(self) -> str:
        """Name the order in force; one by taste says which version it is by, if one is pinned."""
        order = ORDERS[self.order]
        by_version = order.by_taste and self.pinned_taste is not None
        return f"{order.title}, version {self.pinned_taste}" if by_version else order.title

    def set_order(self, order: str, backwards: bool = False) -> None:
        """Sort the list; the choice sticks to this scope and pass."""
        super().set_order(order, backwards)
        if ORDERS[order].by_taste and self.pinned_taste is not None:
            self.say(f"Sort: {ORDERS[order].title} · {self.taste_sentence}")

    def first_order(self, pass_: Pass) -> str:
        """Name the order a pass opens with: a new cull lowest match first, once to be trusted."""
        if pass_ is Pass.CULL and self.trusts_taste and self.settings.taste.lowest_first:
            return "match"
        return super().first_order(pass_)

    def rebuild(self, keep: int | None = None) -> None:
        """Open the list anew; one by match is opened once more when the first scores come."""
        self._waits_for_scores = (
            self.order == "match" and not np.isfinite(self.table.scores.match).any()
        )
        super().rebuild(keep)

    # --- what was expected

    def foretell(self, changes: Changes) -> dict[int, float]:
        """Give the stars foretold for photos about to get their first, by id."""
        told: dict[int, float] = {}
        for photo_id, fields in changes.items():
            if fields.get("rating") is None or self.table.marks(photo_id).rating is not None:
                continue
            expected = self.table.scores.expected(photo_id)
            if expected is not None:
                told[photo_id] = expected
        return told

    def reveal(self, step: Step) -> None:
        """Let the caption say what was expected of a photo that just got its stars."""
        self._revealed = None
        stars = [change for change in step.changes if change.field == "rating"]
        if len(stars) != 1 or stars[0].after is None or stars[0].before is not None:
            return
        expected = self.table.scores.expected(stars[0].photo_id)
        if expected is not None:
            line = f"you {stars[0].after} · expected {min(max(expected, 1.0), 5.0):.1f}"
            self._revealed = stars[0].photo_id, line

    def _arrive(self) -> None:
        self._revealed = None
        super()._arrive()

    def caption(self, photo_id: int) -> tuple[str, str, str]:
        """Give the caption under the picture; after a star, what was expected stands in it."""
        left, middle, right = super().caption(photo_id)
        if self._revealed is not None and self._revealed[0] == photo_id:
            middle = f"{self._revealed[1]} · {middle}"
        return left, middle, right

    def close(self) -> None:
        """Remember the place, and end the thread that learns."""
        super().close()
        self._teach_now()
        self.taste.close()
