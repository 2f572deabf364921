"""What is on the table: scope, pass, list, current photo, selection, marks and undo.

The session is the one model under every view. It owns the window's connection to the catalog,
holds the photos as a :class:`Table`, and says by signals what changed; views draw what they find
here and never ask the catalog themselves. All of it runs on the GUI thread and stays there only
for milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import numpy as np

from curator.model import Marks, Pass, Step, View
from curator.session import captions, sources
from curator.session.insights import Insights
from curator.session.scopes import EVERYTHING, Scope


class Session(Insights):
    """The state of one window: what is on the table, and all a person does with it.

    Thread: GUI only.
    """

    # --- moving

    def go(self, index: int) -> None:
        """Make the photo at a position current."""
        self._untouched = False
        before = self.index
        if self.listing.go(index):
            self.direction = 1 if self.index > before else -1
            self._arrive()

    def go_to(self, photo_id: int) -> None:
        """Make a photo of the list current."""
        place = self.listing.position(photo_id)
        if place is not None:
            self.finished = False
            self.go(place)
            self.view_changed.emit()

    def visit(self, photo_id: int) -> None:
        """Go to a photo: in the list, else browsing the scope, else browsing everything.

        What one leaves is not lost: a pass is found again where it was, and so is a scope.
        """
        if photo_id in self.listing:
            self.go_to(photo_id)
            return
        view, left = self.view, (self.scope, self.pass_)
        if not self._in_scope()[self.table.rows_of([photo_id])[0]]:
            self.open_scope(EVERYTHING)
        self.set_pass(Pass.BROWSE)
        if photo_id not in self.listing:
            self.set_filter("")
        self.go_to(photo_id)
        self.set_view(view)
        self.say(self._way_back(*left))

    def _way_back(self, scope: Scope, pass_: Pass) -> str:
        """Say where one is now, and how one gets back to where one was."""
        where = f"Browsing {self.scope.title}"
        if scope != self.scope:
            return f"{where}; {scope.title} is as you left it"
        key = self.keys.get(pass_.value)
        return where if pass_ is Pass.BROWSE or key is None else f"{where}; {key} goes on"

    def step(self, by: int) -> None:
        """Move along the list; past the last photo of a pass lies its finish page."""
        if self.finished:
            if by < 0 and len(self.listing):
                self.finished = False
                self.view_changed.emit()
            return
        if self.index + by >= len(self.listing) and self.pass_ is not Pass.BROWSE:
            self.finish()
            return
        self.go(self.index + by)

    def step_undecided(self, by: int) -> None:
        """Move to the next or previous photo nobody has judged."""
        wanted = self.table.undecided()[self.table.rows_of(self.ids)]
        place = self.listing.next_where(wanted, by)
        if place is None:
            self.say("No undecided photo further on." if by > 0 else "None before this one.")
        else:
            self.go(place)

    def finish(self) -> None:
        """Turn to the finish page of the pass."""
        self.finished, self.zoom = True, None
        self.view_changed.emit()

    def shown(self, photo_id: int) -> None:
        """Take note that this photo's picture (or failure card) has been painted."""
        self._shown = photo_id

    def rested(self, photo_id: int) -> None:
        """Take note that a person rested on this photo in the loupe: it is *seen*."""
        if photo_id != self.current:
            return
        tile = self.table.tile(photo_id)
        if not tile.seen and tile.state != "failed":  # what could not be read was not seen
            self.catalog.mark_seen([photo_id])
            self.refresh()

    def set_visible(self, ids: Iterable[int]) -> None:
        """Tell which tiles are on screen, so that their work goes first."""
        if self.pipeline is not None:
            self.pipeline.focus(list(ids))

    def set_zoom(self, zoom: float | None, center: tuple[float, float] | None = None) -> None:
        """Zoom the loupe: None fits, 1.0 is one pixel of the original a pixel of the screen."""
        self.zoom = zoom
        if center is not None:
            self.center = center
        self.view_changed.emit()

    def switch_source(self) -> None:
        """Go from the camera's picture to the RAW, or back; the next photos follow."""
        if self.current is None:
            return
        detail = self.detail(self.current)
        reason = sources.no_choice(detail)
        if reason:
            self.say(reason)
            return
        zoomed = self.zoom is not None
        self.developed = not sources.shows_raw(detail, self.developed, zoomed)
        self.view_changed.emit()

    # --- selection

    def select_only(self, photo_id: int) -> None:
        """Select one photo and make it current."""
        self._selected(self.listing.select_only, photo_id)

    def toggle(self, photo_id: int) -> None:
        """Add a photo to the selection or take it out."""
        self._selected(self.listing.toggle, photo_id)

    def select_range(self, photo_id: int) -> None:
        """Select from the last one clicked to this photo."""
        self._selected(self.listing.select_range, photo_id)

    def select_all(self) -> None:
        """Select the whole list."""
        self.listing.select_all()
        self.selection_changed.emit()

    def clear_selection(self) -> None:
        """Select nothing but the current photo."""
        self.listing.clear_selection()
        self.selection_changed.emit()

    def _selected(self, how: object, photo_id: int) -> None:
        self._untouched = False
        before = self.current
        how(photo_id)  # type: ignore[operator]
        self.selection_changed.emit()
        if self.current != before:
            self._shown = None
            self.current_changed.emit()
            self._place_timer.start()

    def targets(self) -> list[int]:
        """Give the photos a mark acts on: in the grid the selection, else the one on screen."""
        if self.finished or self.current is None:
            return []
        if self.view is View.GRID and len(self.selection) > 1:
            return [photo_id for photo_id in self.ids.tolist() if photo_id in self.selection]
        return [self.current]

    # --- marks

    def mark(self, act: str, changes: Mapping[int, Mapping[str, object]], *, advance: bool) -> None:
        """Make decisions for the photos on screen, as one undo step, and go on if told to.

        Args:
            act: what the step is called: "reject", "4 stars".
            changes: field values by photo id; what is so already is left out.
            advance: whether to go to the next photo afterwards, if it was a single one.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided, one stays.
        """
        if self.view is View.LOUPE and self._shown != self.current:
            self.say(f"{self.table.name(self.current or 0)} is not on screen yet.")
            return
        step = self._decide(act, changes)
        if step is not None and step.id:
            self._pace.decided(time.monotonic())
            self.say(self._with_undo(step.summary))
        elif len(changes) == 1:
            self.say(f"{self.table.name(next(iter(changes)))}: {act} already")
        if advance and len(changes) == 1:
            self.step(1)

    def decide_many(self, act: str, changes: Mapping[int, Mapping[str, object]]) -> None:
        """Make decisions for photos that need not be on screen (finish page), as one step."""
        step = self._decide(act, changes)
        if step is not None and step.id:
            self.say(self._with_undo(step.summary))

    def _with_undo(self, text: str) -> str:
        return f"{text} · {self.keys['undo']}" if "undo" in self.keys else text

    def _decide(self, act: str, changes: Mapping[int, Mapping[str, object]]) -> Step | None:
        if not changes:
            return None
        ids = list(changes)
        what = self.table.name(ids[0]) if len(ids) == 1 else f"{len(ids):,} photos"
        context = {
            "act": act,
            "what": what,
            "scope": self.scope.key,
            "scope_title": self.scope.title,
            "pass": self.pass_,
            "view": View.LOUPE if self.view is View.LOUPE else View.GRID,
            "photo": self.current if len(ids) > 1 else ids[0],
        }
        step = self.catalog.decide(
            changes,
            summary=captions.summary(act, what),
            scope=self.scope.key,
            context=context,
            order_name=self.order,
            expected=self.foretell(changes),
        )
        if step.id:
            self._own_steps.add(step.id)
        self.reveal(step)
        self._after_journal({change.photo_id for change in step.changes})
        return step

    def _after_journal(self, changed: set[int]) -> None:
        self._announced = None
        changed |= self.table.refresh(folders=False)
        self._forget(changed)
        if self.pass_ is Pass.BROWSE and self.filter:
            fits = self.table.ids[self._fits()]
            self._stale = frozenset(self.listing.ids[~np.isin(self.ids, fits)].tolist())
        self._data_version = self.catalog.data_version()
        self.teach(changed)
        self.photos_changed.emit(changed)
        self.counts_changed.emit()

    # --- undo and redo

    def undo(self) -> None:
        """Take the last step back and bring its photo on screen where it was marked."""
        self._travel("undo")

    def redo(self) -> None:
        """Do the last step taken back again."""
        self._travel("redo")

    def _travel(self, way: str) -> None:
        step = self.catalog.next_undo() if way == "undo" else self.catalog.next_redo()
        if step is None:
            self.say(f"Nothing to {way}.")
            return
        context = step.context
        elsewhere = context.get("scope", self.scope.key) != self.scope.key
        if (elsewhere or step.id not in self._own_steps) and self._announced != (way, step.id):
            self._announced = (way, step.id)
            self.say(f"Next: {captions.step_line(step)}. Again to {way}")
            return
        done = self.catalog.undo() if way == "undo" else self.catalog.redo()
        if done is None:
            return
        self._own_steps.add(done.id)
        self._after_journal({change.photo_id for change in done.changes})
        self._bring_back(step, [change.photo_id for change in done.changes])
        verb = "Undid" if way == "undo" else "Redid"
        self.say(f"{verb} {context.get('act', 'marks')}, {context.get('what', step.summary)}")

    def _bring_back(self, step: Step, ids: list[int]) -> None:
        context = step.context
        key = context.get("scope", self.scope.key)
        if key != self.scope.key:
            for row in self.scopes():
                if row.scope.key == key:
                    self.open_scope(row.scope)
        photo = context.get("photo")
        photo = photo if isinstance(photo, int) and photo in ids else ids[0]
        pass_ = Pass(str(context.get("pass", self.pass_)))
        elsewhere = pass_ is not self.pass_
        self.pass_ = pass_
        self.view = View(str(context.get("view", self.view)))
        self.finished = False
        if self.view is View.GRID:
            self.zoom = None
        if elsewhere:
            self._left = None
        if elsewhere or photo not in self.listing:  # the list of one pass is not another's
            self.rebuild(keep=photo)
        if photo in self.listing:
            self.go_to(photo)
        self.view_changed.emit()
        self.counts_changed.emit()


def changed_marks(marks: Marks, **fields: object) -> dict[str, object]:
    """Say which of the fields differ from the marks a photo has."""
    return {name: value for name, value in fields.items() if getattr(marks, name) != value}
