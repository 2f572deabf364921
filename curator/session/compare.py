"""Photos side by side: compare puts a challenger beside a winner, survey lays out up to eight.

The rows of the face table are panes, too: :mod:`curator.session.face_table` opens them. The current
photo is the one in the active pane, so marks, undo, inspector and filmstrip apply to that photo
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
from PySide6.QtCore import QObject, Signal

from curator.library.spans import Ids, Mask
from curator.model import Flag, View
from curator.session.messages import Messages
from curator.session.panes import MOST, Pair, Panes, Rows, Survey
from curator.session.photo_list import PhotoList
from curator.session.view_control import ViewController


class CompareController(QObject):
    """Opens and changes the panes of one window.

    Signals:
        panes_changed: other photos are side by side, or another pane is active.

    Thread: GUI only.
    """

    panes_changed = Signal()

    def __init__(self, photos: PhotoList, viewer: ViewController, messages: Messages) -> None:
        super().__init__()
        self._table = photos.table
        self._photos, self._view_state = photos, photos.view_state
        self._viewer, self._messages = viewer, messages
        self._panes: Panes | None = None
        self._origins: list[tuple[View, Panes]] = []  # the panes these were opened from
        photos.list_changed.connect(self.follow_list)
        photos.current_changed.connect(self._follow_current)

    @property
    def panes(self) -> Panes | None:
        """The photos side by side; None in the grid and the loupe."""
        return self._panes if self._view_state.view.side_by_side else None

    def upcoming(self, count: int = 1) -> list[int]:
        """Return the photos that would challenge next, in the direction of travel."""
        pair = self.panes
        if not isinstance(pair, Pair):
            return []
        return self._following(pair, self._photos.direction, count)

    # --- opening and leaving

    def open(self) -> None:
        """Compare the current photo, as the winner on the left, with a challenger.

        The challenger is another frame of its stack, or else the next photo of the list; if photos
        are selected or surveyed, the next of these.
        """
        winner, panes = self._photos.current, self.panes
        if winner is None:
            self._messages.say("There is no photo here to compare.")
            return
        if isinstance(panes, Pair):
            return
        chosen = panes.among if panes is not None else self._selected()
        if chosen and winner not in chosen:
            winner = chosen[0]
        # Two photos are compared with each other first, then with the list.
        among = chosen if len(chosen) > 2 else ()
        beside = np.array(chosen or self._frames_of_stack(winner), np.int64)
        rivals = beside[self._rivals(winner, beside) | (beside == winner)].tolist()
        # A selected reject is shown if no better photo is available.
        challenger = (
            _next_to(winner, rivals) or _next_to(winner, chosen) or self._nearest_in_list(winner)
        )
        if challenger is None:
            self._messages.say(f"There is nothing to compare {self._table.name(winner)} with.")
            return
        self._open(View.COMPARE, Pair((winner, challenger), 1, among))

    def open_survey(self) -> None:
        """Survey the selection, or else the stack of the current photo."""
        if isinstance(self.panes, Survey):
            return
        current = self._photos.current
        chosen = self._selected() or (() if current is None else self._frames_of_stack(current))
        if len(chosen) < 2:
            self._messages.say("Select photos to survey, or go to a photo in a stack.")
            return
        survey = Survey.of(chosen, current)
        self._open(View.SURVEY, survey)
        if survey.waiting:
            self._messages.say(f"Showing {MOST} of {len(chosen):,}; remove one to see the next")

    def open_rows(self, frames: Sequence[int], first: int | None = None) -> None:
        """Show frames of a stack as the rows of the face table.

        Args:
            frames: their ids, in the order of the rows.
            first: the frame that has the focus; None for the current photo.
        """
        self._open(View.FACES, Rows.of(frames, self._photos.current if first is None else first))

    def _open(self, view: View, panes: Panes) -> None:
        origins = [*self._origins, (self._view_state.view, self.panes)] if self.panes else []
        self._origins = list(takewhile(lambda origin: origin[0] is not view, origins))
        self._show_as(view, panes)

    def _show_as(self, view: View, panes: Panes) -> None:
        self._photos.untouched = False
        self._view_state.view, self._view_state.finished = view, False
        self._show(panes)
        self._view_state.publish()

    def leave(self) -> None:
        """Return to the panes or the view before; after a comparison the winner is current."""
        panes = self.panes
        if panes is None:
            return
        if isinstance(panes, Pair):
            self._show(panes.with_active(panes.winner))
        view, origin = self._origins.pop() if self._origins else (None, None)
        current = self._photos.current
        if isinstance(origin, Pair) and current is not None:
            origin = origin.challenged_by(current)
        if view is not None and origin is not None and current in (origin.among or origin.photos):
            self._show_as(view, origin.with_active(current))
        else:
            self._viewer.set_view(self._view_state.resting_view)

    def _selected(self) -> tuple[int, ...]:
        """Return the selection in list order; empty if it is a single photo."""
        selection = self._photos.selection
        if len(selection) < 2:
            return ()
        return tuple(photo for photo in self._photos.ids.tolist() if photo in selection)

    def _frames_of_stack(self, photo_id: int) -> tuple[int, ...]:
        """Return the frames of a photo's stack that are in the list, in its order."""
        return tuple(self._photos.listing.unit(photo_id).tolist())

    def _nearest_in_list(self, photo_id: int) -> int | None:
        """Return the next photo of the list that may challenge this one, or else one before it."""
        position = self._photos.listing.position(photo_id)
        if position is None:
            return None
        found = self._from(position, 1, photo_id) or self._from(position, -1, photo_id)
        return found[0] if found else None

    def _rivals(self, winner: int, ids: Ids) -> Mask:
        """Mark the photos that may challenge a winner: readable ones; a reject only a reject."""
        rows = self._table.rows_of(ids)
        fit = ~self._table.failed()[rows] & (ids != winner)
        if self._table.marks(winner).flag is not Flag.REJECT:
            fit &= ~self._table.rejected()[rows]
        return fit

    def _from(self, position: int, by: int, winner: int, count: int = 1) -> list[int]:
        """Return the nearest photos on one side of a position that may challenge a winner."""
        ids = self._photos.ids
        side = ids[position + 1 :] if by > 0 else ids[:position][::-1]
        return side[self._rivals(winner, side)][:count].tolist()

    # --- from pane to pane

    def step(self, by: int) -> None:
        """Bring the next or previous challenger; in a survey go to the next or previous pane."""
        panes = self.panes
        if isinstance(panes, Pair):
            self._photos.direction = by
            if not self._challenge(panes, by):
                self._messages.say(f"No challengers {'after' if by > 0 else 'before'} this one.")
        elif panes is not None:
            self._show(panes.stepped(by))

    def advance(self, by_stack: bool = False) -> None:
        """Advance after a mark: to the next challenger or pane; a rejected winner is replaced.

        ``by_stack``: the mark decided about a whole stack, whose rows stay as they are.
        """
        panes = self.panes
        if isinstance(panes, Pair):
            if panes.photo != panes.winner:
                self._challenge(panes, 1)
            elif self._table.marks(panes.winner).flag is Flag.REJECT:
                self.promote()
        elif panes is not None and not by_stack:
            self._show(panes.stepped(1))

    def switch_pane(self) -> None:
        """Make the next pane the active one."""
        if self.panes is not None:
            self._show(self.panes.switched())

    def activate(self, photo_id: int) -> None:
        """Make the pane of a photo the active one."""
        if self.panes is not None:
            self._show(self.panes.with_active(photo_id))

    def promote(self) -> None:
        """Make the challenger the winner, and bring the next challenger or open the loupe."""
        pair = self.panes
        if not isinstance(pair, Pair):
            return
        followers = self._following(pair, 1, winner=pair.challenger)
        if followers:
            self._show(pair.promoted(followers[0]))
            return
        self._show(pair.with_active(pair.challenger))
        self._viewer.set_view(View.LOUPE)
        stays = self._table.name(pair.challenger)
        self._messages.say(f"{stays} wins: no more challengers.")

    def drop(self) -> None:
        """Remove the photo in the active pane from the survey; nothing is decided."""
        survey = self.panes
        if not isinstance(survey, Survey):
            return
        name = self._table.name(survey.photo)
        if len(survey.among) == 1:
            self._messages.say(f"{name} is the last photo in the survey.")
            return
        self._show(survey.only(set(survey.among) - {survey.photo}))
        self._messages.say(f"Removed {name} from the survey; its marks stay")

    def _challenge(self, pair: Pair, by: int) -> bool:
        following = self._following(pair, by)
        if following:
            self._show(pair.challenged_by(following[0]))
        return bool(following)

    def _following(
        self, pair: Pair, by: int, count: int = 1, winner: int | None = None
    ) -> list[int]:
        """Return up to ``count`` next challengers, of this winner or of the present one."""
        position = self._photos.listing.position(pair.challenger)
        if position is None:
            return []
        winner = pair.winner if winner is None else winner
        if pair.among:
            among = np.array(pair.following(by), np.int64)
            found = among[self._rivals(winner, among)].tolist()
        else:
            found = self._from(position, by, winner, count + 1)
        return [photo for photo in found if photo not in pair.photos][:count]

    def _show(self, panes: Panes) -> None:
        """Show these panes; the photo in the active pane becomes current."""
        self._panes = panes
        self._photos.make_current(panes.photo)
        self.panes_changed.emit()

    # --- following the list

    def _follow_current(self) -> None:
        """React to a change of the current photo: make it the challenger, or leave the survey."""
        panes, current = self.panes, self._photos.current
        if panes is None or current is None or panes.photo == current:
            return
        if current in panes.photos:
            self._panes = panes.with_active(current)
        elif isinstance(panes, Pair):
            self._panes = panes.challenged_by(current).with_active(current)
        else:
            self._view_state.view = View.LOUPE
            if self._photos.selection:
                self._photos.clear_selection()
        self.panes_changed.emit()
        self._view_state.publish()

    def follow_list(self) -> None:
        """Remove photos from the panes that are no longer in the list."""
        panes, listing = self.panes, self._photos.listing
        if panes is None or all(photo in listing for photo in panes.among or panes.photos):
            return
        left = [photo for photo in panes.photos if photo in listing]
        remaining: Panes | None = None
        if not isinstance(panes, Pair):
            remaining = panes.only(listing) if left else None
        elif left:
            among = tuple(photo for photo in panes.among if photo in listing)
            challenger = _next_to(left[0], left) or self._nearest_in_list(left[0])
            if challenger is not None:
                remaining = Pair((left[0], challenger), 0, among)  # the photo seen before is active
        if remaining is None:
            self._view_state.view = View.LOUPE
            self.panes_changed.emit()
        else:
            self._show(remaining)
        self._view_state.publish()

    # --- undo

    def restore(self, view: View, photos: Sequence[int], photo_id: int) -> None:
        """Return to the view a photo was marked in, with the same photos side by side.

        A survey or face table that shows the photo already stays as it is. Call
        :meth:`show_restored` once the list and the current photo are restored, too.
        """
        state = self._view_state
        if view.side_by_side:
            if not state.view.side_by_side:
                self._origins = []
            now = self.panes if view is state.view else None
            if view is View.COMPARE and len(photos) == 2:
                same = now is not None and set(photos) <= set(now.among)
                among = now.among if same and now is not None else ()
                self._panes = Pair((photos[0], photos[1]), 0, among)
            elif view is View.COMPARE:
                view, self._panes = View.LOUPE, None
            elif now is None or photo_id not in now.photos:
                self._panes = (Rows if view is View.FACES else Survey).of(photos)
            self._panes = self._panes and self._panes.with_active(photo_id)
        state.view = view

    def show_restored(self) -> None:
        """Show the restored panes, without photos that have left the list since."""
        self.follow_list()
        self.panes_changed.emit()


def _next_to(photo_id: int, ids: Sequence[int]) -> int | None:
    """Return the photo after another one, or else before it."""
    if photo_id not in ids:
        return None
    position = ids.index(photo_id)
    rest = [*ids[position + 1 :], *ids[:position][::-1]]
    return next((photo for photo in rest if photo != photo_id), None)
