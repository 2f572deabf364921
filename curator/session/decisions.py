"""Marks a person makes: written as one undo step each, learned from, and reported.

Every decision of a window goes through :class:`DecisionController`: flags and stars, tags,
projects, stacks, preferences. The window never advances before the decision is on disk.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from curator.library import captions
from curator.model import Change, Changes, Field, Step
from curator.session.navigation import Navigator
from curator.session.panes import Pair
from curator.session.repeats import RepeatController
from curator.session.services import Services
from curator.session.statistics import ScopeStatistics
from curator.session.taste import TasteController


@dataclass(frozen=True, slots=True)
class StepText:
    """The words for a step: ``what`` it changed, and a sentence about it as ``summary``."""

    what: str
    summary: str


class DecisionController(QObject):
    """Records the decisions of one window.

    Signals:
        decided(str): a person just decided something; with the sentence about it.

    Attributes:
        own_steps: ids of the steps made in this window.

    Thread: GUI only.
    """

    decided = Signal(str)

    def __init__(
        self,
        services: Services,
        navigator: Navigator,
        statistics: ScopeStatistics,
        taste: TasteController,
        repeats: RepeatController,
    ) -> None:
        super().__init__()
        photos = navigator.photos
        self._catalog, self._messages = services.catalog, services.messages
        self._preferences = services.preferences
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        self._navigator, self._viewer = navigator, navigator.viewer
        self._stacks, self._compare = navigator.stacks, navigator.compare
        self._statistics, self._taste, self._repeats = statistics, taste, repeats
        self.own_steps: set[int] = set()

    def mark(
        self,
        act: str,
        changes: Changes,
        *,
        advance: bool,
        by_stack: bool = False,
        text: StepText | None = None,
    ) -> None:
        """Decide about the photos on screen as one undo step, and advance if asked to.

        Args:
            act: what the step is called: "reject", "4 stars".
            changes: new values of fields by photo id; values that a photo has already are ignored.
            advance: whether to advance afterwards, if one photo or one tile was marked.
            by_stack: whether to advance over whole stacks.
            text: the words to report; by default made from the act and the photos.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided, nothing advances.
        """
        if not self._viewer.check_painted():
            return
        advance = advance and self._stacks.on_one_tile
        step, said = self._write(act, changes, text)
        if step.id:
            self._statistics.pace.decided(time.monotonic())
        elif len(changes) == 1:
            self._messages.say(captions.unchanged_text(act, self._table.name(next(iter(changes)))))
        if advance and self._navigator.leads_on(by_stack):
            # The loupe paints the next photo at once, not after the list and its counts changed.
            try:
                self._advance(by_stack)
            finally:
                self._take_over(step, said)
        else:
            self._take_over(step, said)
            if advance:
                self._advance(by_stack)

    def _advance(self, by_stack: bool) -> None:
        if self._compare.panes is not None:
            self._compare.advance(by_stack)
        elif by_stack:
            self._navigator.step_unit(1)
        else:
            self._navigator.step(1)

    def decide(self, act: str, changes: Changes, text: StepText | None = None) -> Step | None:
        """Decide about photos as one undo step; they need not be on screen.

        Returns:
            The step, with id 0 if it changed nothing; None if ``changes`` is empty.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided.
        """
        if not changes:
            return None
        step, said = self._write(act, changes, text)
        self._take_over(step, said)
        return step

    def _write(self, act: str, changes: Changes, text: StepText | None) -> tuple[Step, str]:
        """Write a step; return it and the sentence about it. The list does not show it yet."""
        ids = list(changes)
        self._photos.untouched = False
        what = self._photos.named(ids)
        text = text or StepText(what, captions.done_text(act, what))
        self._messages.announce_slow(f"Marking {len(ids):,} photos…", len(ids))
        again = self._repeats.answered_by(changes)
        step = self._record(changes, again, text.summary, self._context(act, text.what, ids))
        if step.id:
            self.own_steps.add(step.id)
        self._taste.reveal(step)
        earlier = self._repeats.follow(step, again)
        return step, f"{step.summary} · {earlier}" if earlier else step.summary

    def _take_over(self, step: Step, said: str) -> None:
        """Update the list after a step of this window, and announce it."""
        self._follow(step.changes)
        if step.id:
            self._messages.announce(self._preferences.with_undo_key(said))
            self.decided.emit(said)

    def _record(
        self, changes: Changes, again: int | None, summary: str, context: dict[str, object]
    ) -> Step:
        """Write a step; the rating of ``again``, if given, is recorded as repeated."""
        journal, order = self._catalog.journal, self._criteria.order
        if again is not None:
            return journal.repeat(
                again, changes[again], summary=summary, context=context, order_name=order
            )
        expected = self._taste.predict(changes)
        return journal.decide(
            changes, summary=summary, context=context, order_name=order, expected=expected
        )

    def prefer(self) -> None:
        """Record that the challenger beats the winner, and bring the next challenger.

        After the last, the loupe opens. This replaces any earlier preference between these two. It
        does nothing outside a pair, or while one of them is not on screen yet.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided, both stay.
        """
        pair = self._compare.panes
        if not isinstance(pair, Pair) or not self._viewer.check_painted(*pair.photos):
            return
        better, worse = self._table.name(pair.challenger), self._table.name(pair.winner)
        won: dict[Field, object] = {("over", pair.winner): True}
        lost: dict[Field, object] = {("over", pair.challenger): None}
        self.decide(
            "preference",
            {pair.challenger: won, pair.winner: lost},
            StepText(better, f"{better} beat {worse}"),
        )
        self._compare.promote()

    def turn(self, photos: Sequence[int], quarters: int) -> None:
        """Turn photos by quarters to the right, in the catalog only.

        Raises:
            KnownError: the catalog cannot be written; nothing was turned.
        """
        self._catalog.photos.turn(photos, quarters)
        self._photos.refresh()
        self._messages.say("Rotated in the catalog; the file is unchanged.")

    def adopt(self, step: Step) -> None:
        """Update the window after a step that the catalog wrote itself: a tag was renamed."""
        if step.id:
            self.own_steps.add(step.id)
            self.follow_step(())
            self._messages.announce(self._preferences.with_undo_key(step.summary))

    def _context(self, act: str, what: str, ids: list[int]) -> dict[str, object]:
        """Return where a step is made, to store with it: undo shows the photo there again.

        The keys are those the journal has always used. ``panes`` is set only side by side.
        """
        panes, scope = self._compare.panes, self._criteria.scope
        context: dict[str, object] = {
            "act": act,
            "what": what,
            "scope": scope.key,
            "scope_title": scope.title,
            "pass": self._criteria.mode,
            "view": self._view_state.view,
            "photo": self._photos.current if len(ids) > 1 else ids[0],
        }
        return context if panes is None else context | {"panes": list(panes.photos)}

    def follow_step(self, changes: Sequence[Change]) -> None:
        """Update the list and teach the learner after a step with these changes was written."""
        self._repeats.forget_told()
        self._taste.forget_revealed()
        self._follow(changes)

    def _follow(self, changes: Sequence[Change]) -> None:
        photos = {change.photo_id for change in changes}
        stacked = {change.photo_id for change in changes if change.field in ("stacked", "apart")}
        self._taste.teach(self._photos.follow_marks(photos, stacked))
