"""What is on the table: scope, pass, list, current photo, selection, marks and undo.

The session is the one model under every view. It owns the window's connection to the catalog,
holds the photos as a :class:`Table`, and says by signals what changed; views draw what they find
here and never ask the catalog themselves. All of it runs on the GUI thread and stays there only
for milliseconds.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from curator.catalog import Catalog
from curator.library import captions
from curator.library.scopes import EVERYTHING, Scope
from curator.library.spans import Spans
from curator.library.table import Mask
from curator.model import Changes, Field, Marks, Pass, Step, View, bidi_safe
from curator.session import pixel_source
from curator.session.abreast import Abreast
from curator.session.describing import DescriptionController
from curator.session.panes import Pair
from curator.session.projects import Projects
from curator.session.related_photos import Series
from curator.session.sidecars import Sidecars
from curator.session.tagging import Tagging
from curator.settings import Home, Settings

if TYPE_CHECKING:
    from curator.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a step: ``what`` it was done to, and its ``summary``, a sentence."""

    what: str
    summary: str


_MANY = 2_000  # photos whose marking takes longer than a blink


class Session(Abreast):
    """The state of one window: what is on the table, and all a person does with it.

    Thread: GUI only.
    """

    _detour: int | None = None  # where one was, while one looks at another photo

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        super().__init__(catalog, home, settings, pipeline)
        # What it holds must not hold it: a collector on another thread would end its timers.
        session = weakref.proxy(self)
        self.projects = Projects(session)
        self.series = Series(session)
        self.sidecars = Sidecars(session)
        self.tags = Tagging(session)
        self.clerk = DescriptionController(session)

    def close(self) -> None:
        """Stop what runs for this session; the catalog stays open for its owner."""
        self.clerk.close()
        self.tags.close()
        self.series.close()
        super().close()

    # --- moving

    def go(self, index: int) -> None:
        """Make the photo at a position current."""
        self._untouched = False
        before = self.index
        if self.listing.go(index):
            self.direction = 1 if self.index > before else -1
            self._arrive()
        else:
            self.stayed.emit()

    def go_to(self, photo_id: int) -> None:
        """Make a photo of the list current."""
        place = self.listing.position(photo_id)
        if place is not None:
            self.finished = False
            self.go(place)
            self.view_changed.emit()

    def detour(self, photo_id: int) -> None:
        """Look at another photo of the list for a while: the next step comes back from it."""
        origin = self.current if self._detour is None else self._detour
        self.go_to(photo_id)
        if origin is not None and self.current != origin:
            self._detour = origin
            self.say(f"The next step goes back to {self.table.name(origin)}")

    def _arrive(self) -> None:
        self._detour = None
        super()._arrive()

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
        where = f"Browsing {bidi_safe(self.scope.title)}"
        if scope != self.scope:
            return f"{where}; {bidi_safe(scope.title)} is as you left it"
        key = self.keys.get(pass_.value)
        return where if pass_ is Pass.BROWSE or key is None else f"{where}; {key} goes on"

    def step(self, by: int) -> None:
        """Move along the list, in the grid by tiles; past the end of a pass lies its finish page.

        Frame by frame one enters a stack at its first; to a tile one comes as it shows. Side by
        side another challenger comes, or another pane is active.
        """
        if self._came_back():
            return
        if self.panes is not None and not self.finished:
            self.step_panes(by)
        elif self.view is View.GRID:
            self._step_over(self.listing.tiles, by)
        elif not self._beyond(by, self.index + by, len(self.listing)):
            self.go(self.index + by)

    def step_unit(self, by: int) -> None:
        """Move over whole stacks, to the frame that stands for the one come to."""
        if self._came_back():
            return
        if self.panes is not None and not self.finished:
            self.step_panes(by)
        else:
            self._step_over(self.listing.units, by)

    def _came_back(self) -> bool:
        """Go back to where one left the list for a maybe; tell whether one had."""
        back = self._detour if self.view is View.LOUPE and not self.finished else None
        if back is None or back not in self.listing:
            return False
        self.go_to(back)
        return True

    def go_to_tile(self, number: int) -> None:
        """Go to the photo a tile of the grid shows."""
        self._go_to_span(self.listing.tiles[number])

    def go_to_end(self, way: int) -> None:
        """Go to the last photo of the list or, with ``way`` below 0, the first."""
        if self.view is View.GRID and len(self.listing):
            self.go_to_tile(0 if way < 0 else len(self.listing.tiles) - 1)
        else:
            self.go(0 if way < 0 else len(self.listing) - 1)

    def _step_over(self, spans: Spans, by: int) -> None:
        number = spans.at(self.index) + by
        if not self._beyond(by, number, len(spans)) and len(spans):
            self._go_to_span(spans[min(max(number, 0), len(spans) - 1)])

    def _go_to_span(self, span: range) -> None:
        if self.index not in span:
            face = self.face(self.ids[span.start : span.stop])
            self.go(self.listing.position(face) or 0)
        else:
            self.stayed.emit()

    def _beyond(self, by: int, place: int, count: int) -> bool:
        """Turn to the finish page past the end, or back from it; tell whether that was all."""
        if self.finished:
            if by < 0 and len(self.listing):
                self.finished = False
                self.view_changed.emit()
            return True
        if place >= count and self.pass_ is not Pass.BROWSE:
            self.finish()
            return True
        return False

    def step_unreviewed(self, by: int) -> None:
        """Move to the next or previous photo nobody has judged, in the grid to the next tile.

        The finish page lies past the last photo: from there one gets back to the nearest.
        """
        wanted = self.table.unreviewed()[self.table.rows_of(self.ids)]
        if self.finished and by < 0 and wanted.any():
            self.go_to(int(self.ids[np.flatnonzero(wanted)[-1]]))
            return
        if self.view is View.GRID and len(wanted):
            tiles = self.listing.tiles
            inside = np.logical_or.reduceat(wanted, tiles.starts)
            wanted = np.zeros(len(wanted), bool)
            wanted[tiles.starts] = inside
            span = tiles[self.tile_number]
            wanted[span.start : span.stop] = False
        place = self.listing.next_where(wanted, by)
        if place is None:
            self.say("No unreviewed photos after this one." if by > 0 else "None before this one.")
            self.stayed.emit()
        elif self.view is View.GRID:
            self.go_to_tile(self.listing.tiles.at(place))
        else:
            self.go(place)

    def go_to_unseen(self) -> None:
        """Go to the first photo of the pass that nobody has judged or rested on."""
        table = self.table
        unseen = table.unreviewed() & ~table.column("seen_at") & ~table.failed()
        places = np.flatnonzero(unseen[table.rows_of(self.ids)])
        if len(places):
            self.go_to(int(self.ids[places[0]]))
        else:
            self.say("You have seen every photo here.")

    def finish(self) -> None:
        """Turn to the finish page of the pass."""
        self.finished, self.zoom = True, None
        self.view_changed.emit()

    def shown(self, photo_id: int) -> None:
        """Take note that this photo's picture (or failure card) has been painted."""
        if photo_id == self.current:  # or one has gone on since
            self._shown = photo_id

    def rested(self, photo_id: int) -> None:
        """Take note that a person rested on this photo in the loupe: it is *seen*."""
        if photo_id != self.current:
            return
        tile = self.tile(photo_id)
        if not tile.seen and tile.state != "failed":  # what could not be read was not seen
            self.kept(lambda: self.catalog.photos.mark_seen([photo_id]))
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
        reason = pixel_source.no_choice(detail)
        if reason:
            self.say(reason)
            return
        zoomed = self.zoom is not None
        self.developed = not pixel_source.shows_raw(detail, self.developed, zoomed)
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

    # --- marks

    def mark(
        self,
        act: str,
        changes: Changes,
        *,
        advance: bool,
        over: str = "frames",
        words: Words | None = None,
    ) -> None:
        """Make decisions for the photos on screen, as one undo step, and go on if told to.

        Args:
            act: what the step is called: "reject", "4 stars".
            changes: field values by photo id; what is so already is left out.
            advance: whether to go on afterwards, if it was one photo, or one tile.
            over: what to go on over, "frames" or whole "units".
            words: what to say instead of the act and how many photos.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided, one stays.
        """
        if not self._sees():
            return
        single = self.on_one_tile
        step = self._decide(act, changes, words)
        if step is not None and step.id:
            self._pace.decided(time.monotonic())
            self.announce(self._with_undo(step.summary))
            self.decided.emit(step.summary)
        elif len(changes) == 1:
            self.say(captions.already(act, self.table.name(next(iter(changes)))))
        if advance and single and self.panes is not None:
            self.advance()
        elif advance and single:
            self.step(1) if over == "frames" else self.step_unit(1)

    def decide_many(self, act: str, changes: Changes, words: Words | None = None) -> Step | None:
        """Make decisions for photos that need not be on screen (finish page), as one step."""
        step = self._decide(act, changes, words)
        if step is not None and step.id:
            self.announce(self._with_undo(step.summary))
            self.decided.emit(step.summary)
        return step

    def entered(self, step: Step) -> None:
        """Take over a step the catalog made by itself: a tag was renamed."""
        if step.id:
            self._own_steps.add(step.id)
            self._after_journal(set())
            self.announce(self._with_undo(step.summary))

    @property
    def is_shown(self) -> bool:
        """Whether what a mark would act on is on screen now."""
        return self.view is View.GRID or self._shown == self.current

    def _sees(self) -> bool:
        """Tell whether the person sees what they mark; say so if they do not yet."""
        if not self.is_shown:
            self.say(f"{self.table.name(self.current or 0)} is not on screen yet.")
        return self.is_shown

    def in_scope(self) -> Mask:
        """Mark the photos of the scope, by row of the table."""
        return self._in_scope()

    def prefer(self) -> None:
        """Decide that the challenger is the better of the two, and have the next challenge it.

        Whatever was decided between these two before, this goes before it.

        Raises:
            KnownError: the catalog cannot be written; nothing was decided, both stay.
        """
        pair = self.panes
        if not isinstance(pair, Pair) or not self._sees():
            return
        better, worse = self.table.name(pair.challenger), self.table.name(pair.winner)
        won: dict[Field, object] = {("over", pair.winner): True}
        lost: dict[Field, object] = {("over", pair.challenger): None}
        self.decide_many(
            "preference",
            {pair.challenger: won, pair.winner: lost},
            Words(better, f"{better} beat {worse}"),
        )
        self.promote()

    def _with_undo(self, text: str) -> str:
        return f"{text} · {self.keys['undo']}" if "undo" in self.keys else text

    def _decide(self, act: str, changes: Changes, words: Words | None = None) -> Step | None:
        if not changes:
            return None
        ids = list(changes)
        what = self.table.name(ids[0]) if len(ids) == 1 else f"{len(ids):,} photos"
        words = words or Words(what, captions.summary(act, what))
        context = {
            "act": act,
            "what": words.what,
            "scope": self.scope.key,
            "scope_title": self.scope.title,
            "pass": self.pass_,
            "photo": self.current if len(ids) > 1 else ids[0],
        } | self.seen_in()
        if len(ids) >= _MANY:
            self.lengthy.emit(f"Marking {len(ids):,} photos…")
        step = self.catalog.journal.decide(
            changes,
            summary=words.summary,
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
        if self.pass_ is Pass.BROWSE and (self.filter or self.scope.follows_marks):
            fits = self._fits()[self.table.rows_of(self.ids)]
            self._stale = frozenset(self.ids[~fits].tolist())
        self.teach(changed)
        if self._stack_serial != self.table.stacks.serial:
            self._regroup()
        self._follow_hand()
        self.photos_changed.emit(self._with_their_stacks(changed))
        self.counts_changed.emit()

    # --- undo and redo

    def undo(self) -> None:
        """Take the last step back and bring its photo on screen where it was marked."""
        self._travel("undo")

    def redo(self) -> None:
        """Do the last step taken back again."""
        self._travel("redo")

    def _travel(self, way: str) -> None:
        step = (
            self.catalog.journal.next_undo() if way == "undo" else self.catalog.journal.next_redo()
        )
        if step is None:
            self.say(f"Nothing to {way}.")
            return
        context = step.context
        elsewhere = context.get("scope", self.scope.key) != self.scope.key
        if (elsewhere or step.id not in self._own_steps) and self._announced != (way, step.id):
            self._announced = (way, step.id)
            self.say(f"Next: {captions.step_line(step)}. Again to {way}")
            return
        if len(step.changes) >= _MANY:
            begins = "Taking back" if way == "undo" else "Doing again"
            self.lengthy.emit(f"{begins}: {step.summary}…")
        done = (
            self.catalog.journal.undo(step.id)
            if way == "undo"
            else self.catalog.journal.redo(step.id)
        )
        if done is None:
            self.say(f"Something was decided elsewhere just now. Again to {way}")
            return
        self._own_steps.add(done.id)
        self._after_journal({change.photo_id for change in done.changes})
        if done.changes:  # none, where a tag was renamed
            self._bring_back(step, [change.photo_id for change in done.changes])
        verb = "Undid" if way == "undo" else "Redid"
        self.announce(f"{verb} {context.get('act', 'marks')}, {context.get('what', step.summary)}")

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
        self.look_as_in(context, photo)
        self.finished = False
        if self.view is View.GRID:
            self.zoom = None
        if elsewhere:
            self._left = None
            self.filter = self.filter if pass_ is Pass.BROWSE else ""
        if elsewhere or photo not in self.listing:  # the list of one pass is not another's
            self.rebuild(keep=photo)
        if photo in self.listing:
            self.go_to(photo)
        self._settle_panes()
        self.view_changed.emit()
        self.counts_changed.emit()


def changed_marks(marks: Marks, **fields: object) -> dict[str, object]:
    """Say which of the fields differ from the marks a photo has."""
    return {name: value for name, value in fields.items() if getattr(marks, name) != value}
