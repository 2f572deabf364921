"""Marks a person makes: written as one undo step each, learned from, and reported.

Every decision of a window goes through :class:`DecisionController`: flags and stars, tags,
projects, stacks, preferences. Nothing advances before the decision is on disk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from curator.library import captions
from curator.model import Changes, Field, Marks, Pass, Step, View
from curator.session.navigation import Navigator
from curator.session.panes import Pair
from curator.session.services import Services
from curator.session.statistics import ScopeStatistics
from curator.session.taste import TasteController


@dataclass(frozen=True, slots=True)
class StepText:
    """The words for a step: ``what`` it was done to, and a sentence as ``summary``."""

    what: str
    summary: str


@dataclass(frozen=True, slots=True)
class StepContext:
    """Where a person made a step, stored with it so that undo can show the photo there again.

    Attributes:
        act: what the step is called: "reject", "4 stars".
        what: the photo, or how many photos.
        scope, scope_title: the scope it was made in.
        mode, view: as they were.
        photo: id of the photo to show again.
        panes: ids of the photos side by side, None in the grid and the loupe.
    """

    act: str
    what: str
    scope: str
    scope_title: str
    mode: Pass
    view: View
    photo: int | None = None
    panes: tuple[int, ...] | None = None

    def stored(self) -> dict[str, object]:
        """Return the context as JSON-able values, with the keys the journal has always used."""
        context: dict[str, object] = {
            "act": self.act,
            "what": self.what,
            "scope": self.scope,
            "scope_title": self.scope_title,
            "pass": self.mode,
            "view": self.view,
            "photo": self.photo,
        }
        return context if self.panes is None else context | {"panes": list(self.panes)}


class DecisionController(QObject):
    """Records the decisions of one window.

    Signals:
        decided(str): a person just decided something; the sentence about it.

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
    ) -> None:
        super().__init__()
        photos = navigator.photos
        self._catalog, self._messages = services.catalog, services.messages
        self._preferences = services.preferences
        self._table, self._criteria = photos.table, photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        self._navigator, self._viewer = navigator, navigator.viewer
        self._stacks, self._compare = navigator.stacks, navigator.compare
        self._statistics, self._taste = statistics, taste
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
        """Decide about the photos on screen, as one undo step, and advance if told to.

        Args:
            act: what the step is called: "reject", "4 stars".
            changes: field values by photo id; a value that a photo already has is left out.
            advance: whether to advance afterwards, if one photo or one tile was marked.
            by_stack: advance over whole stacks.
            text: what to report instead of the act and the number of photos.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided, nothing advances.
        """
        if not self._viewer.check_painted():
            return
        single = self._stacks.on_one_tile
        step = self._decide(act, changes, text)
        if step is not None and step.id:
            self._statistics.pace.decided(time.monotonic())
            self._report(step)
        elif len(changes) == 1:
            self._messages.say(captions.already(act, self._table.name(next(iter(changes)))))
        if not (advance and single):
            return
        if self._compare.panes is not None:
            self._compare.advance()
        elif by_stack:
            self._navigator.step_unit(1)
        else:
            self._navigator.step(1)

    def decide(self, act: str, changes: Changes, text: StepText | None = None) -> Step | None:
        """Decide about photos that need not be on screen, as one undo step.

        Returns:
            The step, with id 0 if it changed nothing; None if ``changes`` is empty.
        """
        step = self._decide(act, changes, text)
        if step is not None and step.id:
            self._report(step)
        return step

    def prefer(self) -> None:
        """Decide that the challenger is the better of the two, and bring the next challenger.

        This replaces any earlier preference between these two.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided, both stay.
        """
        pair = self._compare.panes
        if not isinstance(pair, Pair) or not self._viewer.check_painted():
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
        self._messages.say("Turned in the catalog; the file is untouched.")

    def adopt(self, step: Step) -> None:
        """Show a step that the catalog wrote itself, such as the renaming of a tag."""
        if step.id:
            self.own_steps.add(step.id)
            self.take_over(set())
            self._messages.announce(self._preferences.with_undo_key(step.summary))

    def _report(self, step: Step) -> None:
        self._messages.announce(self._preferences.with_undo_key(step.summary))
        self.decided.emit(step.summary)

    def _decide(self, act: str, changes: Changes, text: StepText | None) -> Step | None:
        if not changes:
            return None
        ids = list(changes)
        what = self._table.name(ids[0]) if len(ids) == 1 else f"{len(ids):,} photos"
        text = text or StepText(what, captions.summary(act, what))
        self._messages.announce_slow(f"Marking {len(ids):,} photos…", len(ids))
        step = self._catalog.journal.decide(
            changes,
            summary=text.summary,
            context=self._context(act, text.what, ids).stored(),
            order_name=self._criteria.order,
            expected=self._taste.predict(changes),
        )
        if step.id:
            self.own_steps.add(step.id)
        self._taste.reveal(step)
        self.take_over({change.photo_id for change in step.changes})
        return step

    def _context(self, act: str, what: str, ids: list[int]) -> StepContext:
        panes, scope = self._compare.panes, self._criteria.scope
        return StepContext(
            act,
            what,
            scope.key,
            scope.title,
            self._criteria.mode,
            self._view_state.view,
            self._photos.current if len(ids) > 1 else ids[0],
            panes.photos if panes is not None else None,
        )

    def take_over(self, photo_ids: set[int]) -> None:
        """Update the list and teach the learner, after a step about these photos was written."""
        self._taste.teach(self._photos.take_marks(photo_ids))


def changed_marks(marks: Marks, **fields: object) -> Mapping[str, object]:
    """Return the fields whose values differ from the marks a photo has."""
    return {name: value for name, value in fields.items() if getattr(marks, name) != value}
