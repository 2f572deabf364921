"""Undo and redo, across restarts, with the photo brought back on screen where it was marked."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject

from curator.library import captions
from curator.model import Pass, Step, View
from curator.session.decisions import DecisionController
from curator.session.modes import ModeController
from curator.session.navigation import Navigator
from curator.session.services import Services
from curator.session.sources import SourceController

_Way = Literal["undo", "redo"]


class UndoController(QObject):
    """Undoes and redoes steps for one window.

    A step of another scope or another window is named first, and undone when asked again.

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
        self._named: tuple[_Way, int] | None = None  # the step that was named, not undone yet
        for passed in (photos.current_changed, services.messages.cleared, decisions.decided):
            passed.connect(self._forget_named)

    def _forget_named(self) -> None:
        self._named = None

    def of(self, photo_id: int) -> list[Step]:
        """Return the steps that changed a photo, oldest first, with its changes only."""
        return self._catalog.journal.history(photo_id)

    def undo(self) -> None:
        """Undo the last step and bring its photo on screen where it was marked."""
        self._travel("undo")

    def redo(self) -> None:
        """Redo the last step undone."""
        self._travel("redo")

    def _travel(self, way: _Way) -> None:
        catalog, messages = self._catalog, self._messages
        step = catalog.journal.next_undo() if way == "undo" else catalog.journal.next_redo()
        if step is None:
            messages.say(f"Nothing to {way}.")
            return
        here = self._criteria.scope.key
        is_elsewhere = step.context.get("scope", here) != here
        is_foreign = is_elsewhere or step.id not in self._decisions.own_steps
        if is_foreign and self._named != (way, step.id):
            self._named = way, step.id
            messages.say(f"Next: {captions.step_line(step)}. Again to {way}")
            return
        begins = "Taking back" if way == "undo" else "Doing again"
        messages.announce_slow(f"{begins}: {step.summary}…", len(step.changes))
        done = catalog.journal.undo(step.id) if way == "undo" else catalog.journal.redo(step.id)
        if done is None:
            messages.say(f"Something was decided elsewhere just now. Again to {way}")
            return
        self._named = None
        self._decisions.own_steps.add(done.id)
        changed = [change.photo_id for change in done.changes]
        self._decisions.take_over(set(changed))
        if changed:  # none, where a tag was renamed
            self._show_again(step, changed)
        verb = "Undid" if way == "undo" else "Redid"
        act, what = step.context.get("act", "marks"), step.context.get("what", step.summary)
        messages.announce(f"{verb} {act}, {what}")

    def _show_again(self, step: Step, changed: list[int]) -> None:
        """Bring a step's photo on screen, in the scope, mode and view it was marked in."""
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
            View(str(context.get("view", self._view_state.view))),
            panes if isinstance(panes, list) else [photo],
            photo,
        )
        self._modes.return_to(Pass(str(context.get("pass", criteria.mode))), photo)
        if photo in photos.listing:
            self._navigator.go_to(photo)
        photos.publish()
        self._compare.show_restored()
        photos.counts_changed.emit()
