"""Undo and redo, across restarts; the photo returns to the screen in the view it was marked in."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from PySide6.QtCore import QObject

from curator.library import captions
from curator.model import Change, Pass, Step, View
from curator.session.decisions import DecisionController
from curator.session.modes import ModeController
from curator.session.navigation import Navigator
from curator.session.services import Services
from curator.session.sources import SourceController

_Direction = Literal["undo", "redo"]
_VERBS: dict[_Direction, tuple[str, str, str]] = {
    "undo": ("Undoing", "Undid", "undone"),
    "redo": ("Redoing", "Redid", "redone"),
}


def _is_no_rating(change: Change) -> bool:
    """Whether a change has nothing to do with stars; a rating also ends ``elsewhere``."""
    return change.field not in ("rating", "elsewhere")


class UndoController(QObject):
    """Undoes and redoes steps for one window.

    A step of another scope, or not made in this window, is announced first. The same command again
    undoes it.

    Thread: GUI only.
    """

    def __init__(
        self,
        services: Services,
        navigator: Navigator,
        sources: SourceController,
        modes: ModeController,
        decisions: DecisionController,
    ) -> None:
        super().__init__()
        photos = navigator.photos
        self._catalog, self._messages = services.catalog, services.messages
        self._criteria = photos.criteria
        self._photos, self._view_state = photos, photos.view_state
        self._navigator, self._compare = navigator, navigator.compare
        self._sources, self._modes, self._decisions = sources, modes, decisions
        self._announced: tuple[_Direction, int] | None = None  # a step announced, not yet undone
        for signal in (photos.current_changed, services.messages.cleared, decisions.decided):
            signal.connect(self._forget_announced)

    def _forget_announced(self) -> None:
        self._announced = None

    def of(self, photo_id: int) -> list[Step]:
        """Return the steps that changed a photo, oldest first, with its changes only.

        While its stars are hidden, changes of these are left out.
        """
        steps = self._catalog.journal.history(photo_id)
        if photo_id not in self._photos.hidden_stars:
            return steps
        others = [replace(s, changes=tuple(filter(_is_no_rating, s.changes))) for s in steps]
        return [step for step in others if step.changes]

    def undo(self) -> None:
        """Undo the last step and show its photo where it was marked."""
        self._run("undo")

    def redo(self) -> None:
        """Redo the step that was undone last."""
        self._run("redo")

    def _run(self, direction: _Direction) -> None:
        catalog, messages = self._catalog, self._messages
        doing, did, past = _VERBS[direction]
        step = catalog.journal.next_undo() if direction == "undo" else catalog.journal.next_redo()
        if step is None:
            messages.say(f"Nothing to {direction}.")
            return
        here = self._criteria.scope.key
        is_elsewhere = step.context.get("scope", here) != here
        is_foreign = is_elsewhere or step.id not in self._decisions.own_steps
        if is_foreign and self._announced != (direction, step.id):
            self._announced = direction, step.id
            line = captions.step_line(step)
            messages.say(f"Not {past} yet: {line}. Press again to {direction}.")
            return
        messages.announce_slow(f"{doing}: {step.summary}…", len(step.changes))
        done = (
            catalog.journal.undo(step.id) if direction == "undo" else catalog.journal.redo(step.id)
        )
        if done is None:
            messages.say(f"Marks changed in another window just now. Press again to {direction}.")
            return
        self._announced = None
        self._decisions.own_steps.add(done.id)
        self._decisions.follow_step(done.changes)
        changed = [change.photo_id for change in done.changes]
        if changed:  # renaming a tag changes no photo
            self._show_again(step, changed)
        act, what = step.context.get("act", "marks"), step.context.get("what", step.summary)
        messages.announce(f"{did} {act}, {what}")

    def _show_again(self, step: Step, changed: list[int]) -> None:
        """Show the photo of a step in the scope, mode and view it was marked in."""
        context, criteria, photos = step.context, self._criteria, self._photos
        key = context.get("scope", criteria.scope.key)
        if key != criteria.scope.key:
            for row in self._sources.scopes():
                if row.scope.key == key:
                    self._sources.open_scope(row.scope)
        wanted = context.get("photo")
        photo = wanted if isinstance(wanted, int) and wanted in changed else changed[0]
        panes = context.get("panes")
        self._compare.restore(
            View.saved(context.get("view"), self._view_state.view),
            panes if isinstance(panes, list) else [photo],
            photo,
        )
        self._modes.return_to(Pass(str(context.get("pass", criteria.mode))), photo)
        if photo in photos.listing:
            self._navigator.go_to(photo)
        photos.publish()
        self._compare.show_restored()
        photos.counts_changed.emit()
