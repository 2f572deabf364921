"""Repeated ratings: now and then a photo comes back in the rating mode with its stars hidden.

How often people give the same stars again shows how well any prediction can do. So about every
fiftieth time (`taste.repeats`) a photo rated in an earlier session, or more than a day ago, is
moved between the unrated photos ahead, beyond the visible filmstrip, and looks unrated there: its
match and its explanation, too, are then made without its stars. Only after the person rated it,
they are told what they gave it before. Whatever else they do leaves the photo as it was, and
leaving the loupe or the mode shows its stars again.

:class:`RepeatSchedule` decides when, :class:`RepeatController` which photo, and what is shown.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QTimer

from curator.catalog import LastRating
from curator.library import captions
from curator.library.spans import Ids
from curator.model import Changes, Pass, Step, View
from curator.session.ordering import OrderController
from curator.session.photo_list import PhotoList
from curator.session.services import Services
from curator.session.taste import TasteController

GAP = 50
"""The least number of photos between two repeats."""
_AHEAD = 24  # photos before a repeat: more than the filmstrip shows ahead on a 4K screen
_LEAST_AHEAD = 4  # photos before a repeat in a list just opened, with few unrated photos
_DAY_S = 86_400.0
_REST_S = 30 * _DAY_S  # for which a photo that was repeated does not come back again
_TRIES = 24  # photos looked up in the catalog for each number of stars
_PAUSE = 10  # ratings to wait for when no photo can come back
_ANY = 2.0  # percent that tells how much to read while none come back


class RepeatSchedule:
    """When the next photo may come back, by the photos rated since the last one did.

    At any time at most the given percentage of the rated photos has come back.
    """

    def __init__(self, since_planned: Iterable[int] = (), since_shown: Iterable[int] = ()) -> None:
        """Continue from the photos rated since a repeat was last planned, and last shown."""
        self._since_planned, self._since_shown = set(since_planned), set(since_shown)
        self._before_planned: set[int] = set()  # to count again if the repeat is given up
        self._not_before = 0

    @property
    def rated(self) -> set[int]:
        """All photos it counts."""
        return self._since_planned | self._since_shown | self._before_planned

    def rate(self, photo_id: int) -> None:
        """Note that a photo got its first stars."""
        self._since_planned.add(photo_id)
        self._since_shown.add(photo_id)

    def unrate(self, photo_ids: Iterable[int]) -> None:
        """Note that photos have no stars any more."""
        gone = set(photo_ids)
        self._since_planned -= gone
        self._since_shown -= gone
        self._before_planned -= gone

    def ahead(self, percent: float) -> int | None:
        """Return how many photos ahead the next repeat must be at least; None if it is not due."""
        due = percent > 0 and len(self._since_planned) >= max(needed(percent), self._not_before)
        return max(GAP + 1 - len(self._since_shown), 1) if due else None

    def postpone(self) -> None:
        """Wait for a few more ratings, as no photo can come back now."""
        self._not_before = len(self._since_planned) + _PAUSE

    def plan(self) -> None:
        """Note that a repeat is ahead now."""
        self._before_planned, self._since_planned = self._since_planned, set()
        self._not_before = 0

    def give_up(self) -> None:
        """Note that it is not ahead any more; the person never reached it."""
        self._since_planned |= self._before_planned
        self._before_planned.clear()

    def show(self) -> None:
        """Note that the person reached it."""
        self._since_shown.clear()
        self._before_planned.clear()


def needed(percent: float) -> int:
    """Return how many photos are rated for each one that comes back."""
    return max(GAP, math.ceil(100 / percent))


@dataclass(slots=True)
class _Repeat:
    """A photo whose stars are hidden.

    Attributes:
        earlier: its rating.
        follower: the photo that came after it in the list; None if it was the last.
        planned_after: the newest decision when it was planned.
        reached: whether the person has reached it.
    """

    earlier: LastRating
    follower: int | None
    planned_after: int
    reached: bool = False


class RepeatController(QObject):
    """Brings photos back in the rating mode of one window, and says what they got before.

    Thread: GUI only.
    """

    def __init__(
        self,
        services: Services,
        photos: PhotoList,
        predictions: TasteController,
        ordering: OrderController,
    ) -> None:
        super().__init__()
        self._taste, self._settings = services.catalog.taste, services.settings
        self._messages = services.messages
        self._predictions, self._ordering = predictions, ordering
        self._photos, self._table = photos, photos.table
        self._criteria, self._view_state = photos.criteria, photos.view_state
        self._started_at = time.time()
        self._schedule: RepeatSchedule | None = None  # read when a photo may first come back
        self._repeats: dict[int, _Repeat] = {}  # of the photos whose stars are hidden
        self._stars_seen: set[int] = set()  # photos that were current with their stars
        self._told: tuple[int, str] | None = None  # the photo just rated again, and a sentence
        self._to_note: int | None = None  # the decision after which the repeat shown was planned
        # Bringing a photo back reads the catalog and lays out the list: after the key's paint.
        self._after_paint = QTimer(self, singleShot=True, interval=0)
        self._after_paint.timeout.connect(self._catch_up)
        photos.list_changed.connect(self._drop_unhidden_by_list)
        photos.rebuilt.connect(self._follow_rebuilt)
        ordering.rebuilt_sorted.connect(self._follow_rebuilt)
        photos.current_changed.connect(self._follow_current)
        photos.photos_changed.connect(self._follow_photos)
        self._view_state.view_changed.connect(self._follow_view)
        services.preferences.changed.connect(self._follow_view)

    # --- rating a photo again

    def answered_by(self, changes: Changes) -> int | None:
        """Return the photo that these changes rate while its stars are hidden, if there is one."""
        if len(changes) != 1:
            return None
        ((photo, fields),) = changes.items()
        hidden = photo in self._photos.hidden_stars
        return photo if hidden and fields.get("rating") is not None else None

    def follow(self, step: Step, again: int | None) -> str:
        """Take over a step made in this window, before the list does.

        Args:
            step: the step; it names another photo if the one on screen was merged meanwhile.
            again: the photo that :meth:`answered_by` found in its changes.

        Returns:
            What the person gave that photo before; empty without such a photo.
        """
        self._told = None
        if again is not None:
            self._photos.hidden_stars.discard(again)
            earlier = self._end(again).earlier
            [stars] = (change.after for change in step.changes if change.repeated)
            text = captions.earlier_rating(*earlier, same=stars == earlier.rating)
            self._told = again, text
            return text
        for change in step.changes:
            if change.field != "rating" or change.after is None:
                continue
            self._stars_seen.add(change.photo_id)
            if change.before is None and self._criteria.mode is Pass.RATE:
                self._known_schedule().rate(change.photo_id)
                self._after_paint.start()
        return ""

    def forget_told(self) -> None:
        """Show the earlier rating no longer: another step was made or undone."""
        self._told = None

    def caption(self, photo_id: int, line: str) -> str:
        """Return a line of capture data, with what a photo just rated again got before it."""
        if self._told is None or self._told[0] != photo_id:
            return line
        return f"{self._told[1]} · {line}"

    # --- bringing photos back

    def _may_come_back(self) -> bool:
        """Whether photos may come back: the person rates in the loupe, and did not turn it off.

        None does in a project or a saved search: what these hold may depend on stars.
        """
        state, criteria = self._view_state, self._criteria
        rates = criteria.mode is Pass.RATE and state.view is View.LOUPE and not state.finished
        return rates and not criteria.scope.follows_marks and self._settings.taste.repeats > 0

    def _known_schedule(self) -> RepeatSchedule:
        if self._schedule is None:
            most = needed(self._settings.taste.repeats or _ANY) + GAP
            self._schedule = RepeatSchedule(
                self._taste.rated_since("planned", most), self._taste.rated_since("shown", most)
            )
        return self._schedule

    def _catch_up(self) -> None:
        planned_after, self._to_note = self._to_note, None
        if planned_after is not None:
            self._messages.attempt(lambda: self._taste.note_repeat(planned_after))
        self._plan()

    def _plan(self, just_opened: bool = False) -> None:
        """Bring a photo back ahead of the current one, if it is time and there is space.

        A list that will soon be sorted by the learner's answer waits for it.

        Args:
            just_opened: whether the list is not on screen yet. If it is short, the photo may then
                be closer than the end of the filmstrip.
        """
        percent = self._settings.taste.repeats
        self._end_passed()
        if self._unseen() or not self._may_come_back() or self._ordering.is_pending:
            return
        schedule = self._known_schedule()
        if schedule.ahead(percent) is None:
            return
        schedule.unrate(photo for photo in schedule.rated if not self._has_stars(photo))
        ahead = schedule.ahead(percent)
        position = None if ahead is None else self._position(ahead, just_opened)
        if position is None:
            return
        newest = self._taste.newest_decision()
        chosen = self._choose(position, random.Random(newest))
        if chosen is None:
            schedule.postpone()
            return
        photo, earlier = chosen
        ids, after = self._photos.ids, self._photos.listing.positions([photo])[0] + 1
        follower = int(ids[after]) if after < len(ids) else None
        self._repeats[photo] = _Repeat(earlier, follower, newest)
        self._photos.hidden_stars.add(photo)
        self._predictions.leave_out(self._repeats)
        self._photos.listing.move(photo, position)
        self._photos.list_changed.emit()
        self._photos.photos_changed.emit({photo})
        schedule.plan()

    def _unseen(self) -> set[int]:
        """Return the photos that came back and were not reached yet."""
        return {p for p in self._photos.hidden_stars if not self._repeats[p].reached}

    def _end_passed(self) -> None:
        """Show the stars of photos that came back and were passed over."""
        position, index = self._photos.listing.position, self._photos.index
        passed = {photo for photo in self._unseen() if (position(photo) or 0) < index}
        for photo in passed:
            self._photos.hidden_stars.discard(photo)
            self._end(photo)
        if passed:
            self._photos.photos_changed.emit(passed)

    def _has_stars(self, photo_id: int) -> bool:
        return photo_id in self._table and self._table.marks(photo_id).rating is not None

    def _position(self, ahead: int, just_opened: bool) -> int | None:
        """Return the position for a photo that comes back; None without unrated photos behind it.

        It takes no stack apart.
        """
        photos, units = self._photos, self._photos.listing.units
        ratings = self._table.column("rating")[self._table.rows_of(photos.ids)]
        last = int(np.flatnonzero(ratings == 0).max(initial=-1))
        decoded = self._settings.loupe.prefetch
        position = photos.index + max(ahead, _AHEAD, decoded + 1)
        if just_opened and position > last:
            position = max(last, photos.index + max(ahead, _LEAST_AHEAD))
        if position > last:
            return None
        span = units[units.at(position)]
        position = span.start if span.start == position else span.stop
        return position if position <= last else None

    def _choose(self, position: int, chance: random.Random) -> tuple[int, LastRating] | None:
        """Choose the photo that comes back, among those behind a position; None if none may.

        Each number of stars comes back equally often, as far as there are such photos; of some of
        these, one that was repeated least.
        """
        repeats = self._taste.repeats()
        by_stars = Counter(repeat.first for repeat in repeats)
        by_photo = Counter(repeat.photo_id for repeat in repeats)
        ids, ratings = self._candidates(position)
        for stars in sorted(set(ratings.tolist()), key=lambda n: (by_stars[n], chance.random())):
            photos = ids[ratings == stars].tolist()
            some = chance.sample(photos, min(_TRIES, len(photos)))
            for photo in sorted(some, key=lambda photo: by_photo[photo]):
                earlier = self._taste.last_rating(photo)
                if earlier is None or earlier.rating != stars:
                    continue
                if earlier.made_at < self._latest(was_repeated=photo in by_photo):
                    return photo, earlier
        return None

    def _candidates(self, position: int) -> tuple[Ids, Ids]:
        """Return the listed photos behind a position that may come back, and their stars.

        Only single photos that are kept without a flag: a stack would be taken apart, and of a
        pick the inspector says why it is approved for export.
        """
        table, listing = self._table, self._photos.listing
        starts = listing.units.starts
        single = starts[np.diff(np.append(starts, len(listing.ids))) == 1]
        ids = listing.ids[single[single > position]]
        rows = table.rows_of(ids)
        ratings = table.column("rating")[rows].astype(np.int64)
        flagged = table.picked() | table.rejected() | table.failed()
        fit = (ratings > 0) & table.column("kept")[rows] & ~flagged[rows]
        fit &= ~np.isin(ids, np.fromiter(self._stars_seen, np.int64))
        return ids[fit], ratings[fit]

    def _latest(self, *, was_repeated: bool) -> float:
        """Return when a photo must have been rated before to come back, in Unix time."""
        now = time.time()
        return now - _REST_S if was_repeated else max(now - _DAY_S, self._started_at)

    # --- showing stars again

    def _follow_rebuilt(self) -> None:
        self._plan(just_opened=True)

    def _drop_unhidden_by_list(self) -> None:
        """Forget the repeats whose stars the list shows again, because it was made anew."""
        unhidden = self._repeats.keys() - self._photos.hidden_stars
        for photo in unhidden:
            self._end(photo)
        if unhidden:
            self._photos.photos_changed.emit(unhidden)

    def _follow_current(self) -> None:
        self._told, current = None, self._photos.current
        if current in self._photos.hidden_stars and self._may_come_back():
            repeat = self._repeats[current]
            if not repeat.reached:
                repeat.reached, self._to_note = True, repeat.planned_after
                self._known_schedule().show()
        elif current is not None:
            self._stars_seen.add(current)
        if self._criteria.mode is Pass.RATE:
            self._after_paint.start()

    def _follow_photos(self, changed: Collection[int]) -> None:
        """Show the stars of photos that got others meanwhile: by undo, or in another window."""
        for photo in self._photos.hidden_stars.intersection(changed):
            if self._table.marks(photo).rating != self._repeats[photo].earlier.rating:
                self._photos.hidden_stars.discard(photo)
                self._end(photo)

    def _end(self, photo: int) -> _Repeat:
        repeat = self._repeats.pop(photo)
        self._predictions.leave_out(self._repeats)
        if repeat.reached:  # with its stars now, and perhaps still current
            self._stars_seen.add(photo)
        else:
            self._known_schedule().give_up()
        return repeat

    def _follow_view(self) -> None:
        """Show all stars if no photo may come back now, and put one not reached back in place."""
        if self._may_come_back():
            self._after_paint.start()
            return
        photos, unhidden = self._photos, set(self._photos.hidden_stars)
        photos.hidden_stars.clear()
        for photo in unhidden:
            repeat, listing = self._end(photo), photos.listing
            if not repeat.reached and photo in listing:
                after = None if repeat.follower is None else listing.position(repeat.follower)
                listing.move(photo, len(listing) if after is None else after - 1)
        if unhidden:
            photos.list_changed.emit()
            photos.photos_changed.emit(unhidden)
