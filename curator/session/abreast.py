"""Photos side by side at the desk: opened, challenged, promoted, dropped, and left again.

Between stacks and the session. The current photo is the one in the active pane, so that whatever
acts on the current photo acts on that one and on no other: marks, undo, inspector, filmstrip.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Signal

from curator.catalog import Catalog
from curator.library.spans import Ids
from curator.library.table import Mask
from curator.model import Flag, View
from curator.session.panes import MOST, Pair, Panes, Survey
from curator.session.stacking import Stacking
from curator.settings import Home, Settings

if TYPE_CHECKING:
    from curator.pipeline import Pipeline


class Abreast(Stacking):
    """The desk, with photos side by side on it.

    Signals:
        panes_changed: other photos stand side by side, or another pane is active.

    Thread: GUI only.
    """

    panes_changed = Signal()

    def __init__(
        self,
        catalog: Catalog,
        home: Home,
        settings: Settings,
        pipeline: Pipeline | None = None,
    ) -> None:
        self._panes: Panes | None = None
        self._plain = View.GRID  # where one came from
        self._within: Survey | None = None  # where one came from to compare
        super().__init__(catalog, home, settings, pipeline)
        self.list_changed.connect(self._settle_panes)

    @property
    def panes(self) -> Panes | None:
        """The photos side by side; None in a view of one photo or of all."""
        return self._panes if self.view.side_by_side else None

    @property
    def resting_view(self) -> View:
        """The view to come back to another time: what stood side by side is forgotten."""
        return self._plain if self.view.side_by_side else self.view

    def upcoming(self, count: int = 1) -> list[int]:
        """List the photos that would challenge next, in the direction one goes."""
        panes = self.panes
        return self._following(panes, self.direction, count) if isinstance(panes, Pair) else []

    # --- opening and leaving

    def compare(self) -> None:
        """Put the current photo at the left, as the winner, and one that challenges it beside it.

        That is another frame of its stack, else the next of the list; where photos are selected
        or surveyed, the next of those.
        """
        here, panes = self.current, self.panes
        if here is None:
            self.say("There is no photo here to compare.")
            return
        if isinstance(panes, Pair):
            return
        chosen = panes.among if isinstance(panes, Survey) else self._chosen()
        if chosen and here not in chosen:
            here = chosen[0]
        # Two are compared with each other first, and with the list from then on.
        among = chosen if len(chosen) > 2 else ()
        beside = np.array(chosen or self._mates(here), np.int64)
        rivals = beside[self._rivals(here, beside) | (beside == here)].tolist()
        # Somebody who selected a reject wants to see it, where there is nothing better.
        challenger = _beside(here, rivals) or _beside(here, chosen) or self._neighbour(here)
        if challenger is None:
            self.say(f"There is nothing to compare {self.table.name(here)} with.")
            return
        within = panes if isinstance(panes, Survey) else None
        self._open(View.COMPARE, Pair((here, challenger), 1, among))
        self._within = within

    def survey(self) -> None:
        """Lay out the selection, else the stack of the current photo."""
        if isinstance(self.panes, Survey):
            return
        here = self.current
        chosen = self._chosen() or (() if here is None else self._mates(here))
        if len(chosen) < 2:
            self.say("Select photos to survey, or go to one of a stack.")
            return
        survey = Survey.of(chosen, here)
        self._open(View.SURVEY, survey)
        if survey.waiting:
            self.say(f"Showing {MOST} of {len(chosen):,}; remove one to see the next")

    def _open(self, view: View, panes: Panes) -> None:
        if not self.view.side_by_side:
            self._plain = self.view
        self._within = None
        self._untouched = False
        self.view, self.finished, self._shown = view, False, None
        self._take(panes)
        self.view_changed.emit()
        self._place_timer.start()

    def leave_panes(self) -> None:
        """Go back to where one came from: after a comparison with the winner."""
        panes, within = self.panes, self._within
        if panes is None:
            return
        if isinstance(panes, Pair):
            self._take(panes.turned_to(panes.winner))
        if within is not None and self.current in within.among:
            self._open(View.SURVEY, within.turned_to(self.current))
        else:
            self.set_view(self._plain)

    def set_view(self, view: View) -> None:
        """Show the list as a grid, or one photo in the loupe; two and more are opened otherwise."""
        self._within = None
        super().set_view(View.LOUPE if view.side_by_side else view)

    def _chosen(self) -> tuple[int, ...]:
        """Give what is selected, in the order of the list; nothing where that is a single one."""
        if len(self.selection) < 2:
            return ()
        return tuple(photo for photo in self.ids.tolist() if photo in self.selection)

    def _mates(self, photo_id: int) -> tuple[int, ...]:
        """Give the frames of a photo's stack that are in the list, in its order."""
        return tuple(self.listing.unit(photo_id).tolist())

    def _neighbour(self, photo_id: int) -> int | None:
        """Return the next photo of the list that may challenge this one, else the one before."""
        place = self.listing.position(photo_id)
        if place is None:
            return None
        found = self._from(place, 1, photo_id) or self._from(place, -1, photo_id)
        return found[0] if found else None

    def _rivals(self, winner: int, ids: Ids) -> Mask:
        """Mark which photos may challenge a winner: readable ones, and rejects only a reject."""
        rows = self.table.rows_of(ids)
        fit = ~self.table.failed()[rows] & (ids != winner)
        if self.table.marks(winner).flag is not Flag.REJECT:
            fit &= ~self.table.rejected()[rows]
        return fit

    def _from(self, place: int, by: int, winner: int, count: int = 1) -> list[int]:
        """List the nearest photos that may challenge a winner, on one side of a place."""
        side = self.ids[place + 1 :] if by > 0 else self.ids[:place][::-1]
        return side[self._rivals(winner, side)][:count].tolist()

    # --- from pane to pane

    def step_panes(self, by: int) -> None:
        """Bring the next challenger; in a survey go to the next pane."""
        panes = self.panes
        if isinstance(panes, Pair):
            self.direction = by
            if not self._challenge(panes, by):
                self.say("No challengers after this one." if by > 0 else "None before this one.")
        elif panes is not None:
            self._take(panes.stepped(by))

    def advance(self) -> None:
        """Go on after a mark beside others; a winner gives way only when it was rejected."""
        panes = self.panes
        if isinstance(panes, Pair):
            if panes.photo != panes.winner:
                self._challenge(panes, 1)
            elif self.table.marks(panes.winner).flag is Flag.REJECT:
                self.promote()
        elif panes is not None:
            self._take(panes.stepped(1))

    def switch_pane(self) -> None:
        """Make the next pane the active one."""
        if self.panes is not None:
            self._take(self.panes.switched())

    def activate(self, photo_id: int) -> None:
        """Make the pane of a photo the active one."""
        if self.panes is not None:
            self._take(self.panes.turned_to(photo_id))

    def promote(self) -> None:
        """Have the challenger be the winner, and the next one challenge it."""
        pair = self.panes
        if not isinstance(pair, Pair):
            return
        followers = self._following(pair, 1, winner=pair.challenger)
        if followers:
            self._take(pair.promoted(followers[0]))
            return
        self._take(pair.turned_to(pair.challenger))
        self.set_view(View.LOUPE)
        stays = self.table.name(pair.challenger)
        self.say(f"{stays} stays: no more photos to compare it with.")

    def drop(self) -> None:
        """Take the photo in the active pane out of the survey; nothing is decided."""
        survey = self.panes
        if not isinstance(survey, Survey):
            return
        name = self.table.name(survey.photo)
        if len(survey.among) == 1:
            self.say(f"{name} is the last one here.")
            return
        self._take(survey.only(set(survey.among) - {survey.photo}))
        self.say(f"Removed {name} from the survey; its marks stay")

    def _challenge(self, pair: Pair, by: int) -> bool:
        following = self._following(pair, by)
        if following:
            self._take(pair.challenged_by(following[0]))
        return bool(following)

    def _following(
        self, pair: Pair, by: int, count: int = 1, winner: int | None = None
    ) -> list[int]:
        """List the photos that would challenge next, the present winner or another one."""
        place = self.listing.position(pair.challenger)
        if place is None:
            return []
        winner = pair.winner if winner is None else winner
        if pair.among:
            among = np.array(pair.following((), by), np.int64)
            found = among[self._rivals(winner, among)].tolist()
        else:
            found = self._from(place, by, winner, count + 1)
        return [photo for photo in found if photo not in pair.photos][:count]

    def _take(self, panes: Panes) -> None:
        """Put these side by side; the photo in the active pane is the current one."""
        changed, self._panes = panes != self._panes, panes
        place = self.listing.position(panes.photo)
        if place is not None and self.listing.go(place):
            self._arrive()
        elif changed:
            self._focus_pipeline()
        self.panes_changed.emit()

    # --- what comes from elsewhere

    def _arrive(self) -> None:
        """Follow whoever made another photo current: it challenges, or one leaves the survey."""
        panes, here = self.panes, self.current
        elsewhere = panes is not None and here is not None and panes.photo != here
        if elsewhere:
            assert panes is not None and here is not None
            if here in panes.photos:
                self._panes = panes.turned_to(here)
            elif isinstance(panes, Pair):
                self._panes = panes.challenged_by(here).turned_to(here)
            else:
                self.view = View.LOUPE
        super()._arrive()
        if elsewhere:
            self.panes_changed.emit()
            self.view_changed.emit()

    def _settle_panes(self) -> None:
        """Leave out what the list has no more."""
        panes = self.panes
        if panes is None or all(photo in self.listing for photo in panes.among or panes.photos):
            return
        left = [photo for photo in panes.photos if photo in self.listing]
        settled: Panes | None = None
        if isinstance(panes, Survey):
            settled = panes.only(self.listing) if left else None
        elif left:
            among = tuple(photo for photo in panes.among if photo in self.listing)
            challenger = _beside(left[0], left) or self._neighbour(left[0])
            if challenger is not None:
                settled = Pair((left[0], challenger), 0, among)  # active is what one saw before
        before = self.current
        if settled is None:
            self.view = View.LOUPE
        else:
            self._panes = settled
            self.listing.go(self.listing.position(settled.photo) or 0)
        self.panes_changed.emit()
        if self.current != before:
            self._arrive()
        self.view_changed.emit()

    def _focus_pipeline(self) -> None:
        panes = self.panes
        if panes is None:
            super()._focus_pipeline()
        elif self.pipeline is not None:
            self.pipeline.focus(list(dict.fromkeys([panes.photo, *panes.photos, *self.upcoming()])))

    # --- for the journal

    def seen_in(self) -> dict[str, object]:
        """Say in which view, and beside which photos, a person sees what they mark."""
        panes = self.panes
        return {"view": self.view} | ({"panes": list(panes.photos)} if panes is not None else {})

    def look_as_in(self, context: Mapping[str, object], photo_id: int) -> None:
        """Bring back the view a photo was marked in, with what stood beside it.

        A survey under way that shows the photo stays as it is.
        """
        view = View(str(context.get("view", self.view)))
        if view.side_by_side:
            if not self.view.side_by_side:
                self._plain = self.view
            listed = context.get("panes")
            ids = listed if isinstance(listed, list) else [photo_id]
            now = self.panes if view is self.view else None
            if view is View.COMPARE and len(ids) == 2:
                same = now is not None and set(ids) <= set(now.among)
                self._panes = Pair(tuple(ids), 0, now.among if same and now is not None else ())
            elif view is View.COMPARE:
                view, self._panes = View.LOUPE, None
            elif now is None or photo_id not in now.photos:
                self._panes = Survey.of(ids)
            self._panes = self._panes and self._panes.turned_to(photo_id)
        self.view = view


def _beside(photo_id: int, ids: tuple[int, ...] | list[int]) -> int | None:
    """Give the photo behind one in some order, else the one before it."""
    if photo_id not in ids:
        return None
    place = ids.index(photo_id)
    rest = [*ids[place + 1 :], *ids[:place][::-1]]
    return next((photo for photo in rest if photo != photo_id), None)
