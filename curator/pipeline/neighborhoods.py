"""What stacks are made from, in memory, and which photos a change can put into another stack.

`stacking` uses it. All photos are known by capture time, and by their perceptual hashes. Photos are
neighbors if they follow each other closely, or look the same: only what is connected to a changed
photo by neighbors, before or after the change, needs to be grouped again. Grouping just these must
give what grouping all photos gives; a test compares the two over random histories.

A photo takes about a hundred bytes here. No work may grow with the number of all photos, except for
copying an index of four bytes per photo when photos are added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.stages import bursts, copies
from curator.stages.stack_columns import Pairs, StackColumns

Ids = NDArray[np.int64]
Shots = NDArray[np.void]

# What is known of a photo. ``grouped``: it is here, and neither it nor its stack has a decision of
# a person. ``banded``: its hash is in the bands, because few photos share it.
SHOT = np.dtype(
    [
        ("taken_at", "M8[us]"),
        ("phash", "u8", 2),
        ("camera", "i4"),
        ("exposure_s", "f4"),
        ("ev", "f4"),
        ("width", "i4"),
        ("height", "i4"),
        ("stack", "i4"),
        ("kind", "i1"),
        ("person", "?"),
        ("marked", "?"),
        ("here", "?"),
        ("grouped", "?"),
        ("banded", "?"),
    ],
    align=True,
)
# A photo is grouped again if one of these changes.
_REASONS = set(SHOT.names or ()) - {"person", "marked", "here", "banded"}
_NONE: Ids = np.zeros(0, np.int64)
_CHUNK = 64  # neighbors in time looked at together
_COMPARED = 1024  # places looked at together in a search
_SURE_US = np.timedelta64(int(1e6 * bursts.reach_s(np.array([np.inf], np.float32))[0]), "us")
# Places of two neighbors around a gap, which lies between places NEIGHBORS - 1 and NEIGHBORS.
_PAIRS_ACROSS_GAP = [
    (before, after)
    for before in range(copies.NEIGHBORS)
    for after in range(copies.NEIGHBORS, before + copies.NEIGHBORS + 1)
]
_PAIRS_WITH_CENTER = [
    (copies.NEIGHBORS, at) for at in range(2 * copies.NEIGHBORS + 1) if at != copies.NEIGHBORS
]


class _Order:
    """Photos sorted by a key, and by id where that is the same.

    Attributes:
        ids: (N,) int32.
    """

    def __init__(self, key: Callable[[Ids], NDArray[Any]]) -> None:
        self.ids = np.zeros(0, np.int32)
        self._key = key

    def fill(self, ids: Ids) -> None:
        """Hold these photos only; ids ascend here and below."""
        self.ids = self._sorted(ids)

    def find(self, ids: Ids) -> Ids:
        """Return where each photo is, or would be."""
        return self._bisect(self._key(ids), ids)

    def range_of(self, keys: NDArray[Any]) -> tuple[Ids, Ids]:
        """Return where photos with each key begin and end."""
        last = np.full(len(keys), np.iinfo(np.int64).max)
        return self._bisect(keys, np.full(len(keys), -1)), self._bisect(keys, last)

    def remove(self, ids: Ids) -> None:
        """Remove photos (N,) of the order; their keys must still be the old ones."""
        at = np.sort(self.find(ids))
        if at.size:
            ends = np.append(at, len(self.ids))
            starts = np.insert(at + 1, 0, 0)
            self.ids = np.concatenate(
                [self.ids[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
            )

    def insert(self, ids: Ids) -> None:
        """Insert photos (N,) that are not in the order; their keys must be the new ones already."""
        if ids.size:
            new = self._sorted(ids)
            at = self.find(new.astype(np.int64)).tolist()
            parts = [self.ids[a:b] for a, b in zip([0, *at], [*at, len(self.ids)], strict=True)]
            added = [new[number : number + 1] for number in range(len(new))] + [new[:0]]
            self.ids = np.concatenate(list(chain(*zip(parts, added, strict=True))))

    def around(self, at: Ids, before: int, after: int) -> tuple[Ids, NDArray[np.bool_]]:
        """Return the photos from some places before ``at`` to some after, and where there are any.

        Returns:
            Ids (K, before + after + 1), and a mask like them.
        """
        places = at[:, None] + np.arange(-before, after + 1)
        there = (places >= 0) & (places < len(self.ids))
        if not len(self.ids):
            return np.zeros(places.shape, np.int64), there
        return self.ids[np.clip(places, 0, len(self.ids) - 1)].astype(np.int64), there

    def _sorted(self, ids: Ids) -> NDArray[np.int32]:
        return ids[np.argsort(self._key(ids), kind="stable")].astype(np.int32)

    def _bisect(self, keys: NDArray[Any], ids: Ids) -> Ids:
        """Return the first place after all smaller keys, or ids where the key is the same."""
        low, high = np.zeros(len(ids), np.int64), np.full(len(ids), len(self.ids))
        if not (low.size and len(self.ids)):
            return low
        # Few photos are compared with many at a time, because a step costs about the same.
        parts = min(64, max(2, _COMPARED // len(ids)))
        keys, ids, row = keys[:, None], ids[:, None], np.arange(len(ids))
        while (low < high).any():
            places = low[:, None] + (high - low)[:, None] * np.arange(1, parts) // parts
            photos = self.ids[np.minimum(places, len(self.ids) - 1)].astype(np.int64)
            key = self._key(photos.ravel()).reshape(photos.shape)
            below = (key < keys) | ((key == keys) & (photos < ids))
            number = (below & (places < high[:, None])).sum(axis=1)
            some, all_ = number > 0, number == parts - 1
            low = np.where(some, places[row, number - 1] + 1, low)
            high = np.where(all_, high, places[row, np.minimum(number, parts - 2)])
        return low


class Neighborhoods:
    """All photos, and which of them are to be grouped again.

    Thread: one.
    """

    def __init__(self, stored: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Start without photos, or with the columns of a :meth:`dump`, which are not copied.

        Raises:
            KeyError: a column is missing.
        """
        self.shots: Shots = np.zeros(1024, SHOT)
        self._all = True  # whether all photos are to be grouped; the orders are out of date then
        self._affected: list[Ids] = []
        self._time = _Order(lambda ids: self.shots["taken_at"][ids])
        self._whole = _Order(lambda ids: copies.whole_key(self.shots["phash"][ids]))
        self._bands = [
            _Order(lambda ids, band=band: copies.band_key(self.shots["phash"][ids], band))  # type: ignore[misc]
            for band in range(copies.BANDS)
        ]
        if stored is not None:
            self.shots = stored["shots"].view(SHOT)[:, 0]
            for number, order in enumerate(self._orders):
                order.ids = stored[f"order.{number}"]
            self._all = False

    @property
    def _orders(self) -> list[_Order]:
        return [self._time, self._whole, *self._bands]

    @property
    def settled(self) -> bool:
        """Whether no photo is to be grouped again."""
        return not (self._all or self._affected)

    @property
    def count(self) -> int:
        """How many photos are here."""
        return int(np.count_nonzero(self.shots["here"]))

    def dump(self) -> dict[str, NDArray[Any]]:
        """Return all photos as columns, without a copy; only while :attr:`settled`."""
        orders = {f"order.{number}": order.ids for number, order in enumerate(self._orders)}
        return {"shots": self.shots.view(np.uint8).reshape(len(self.shots), -1), **orders}

    # --- changes

    def mark_affected(self, ids: Ids) -> None:
        """Group these photos (N,) and their neighbors again; an id may come more than once."""
        self._affected.append(ids)

    def mark_all_affected(self) -> None:
        """Group all photos again."""
        self._all, self._affected = True, []

    def make_room(self, last: int) -> None:
        """Make room for photos with ids up to ``last``."""
        if last >= len(self.shots):
            wider = np.zeros(last + 1024 + last // 8, SHOT)
            wider[: len(self.shots)] = self.shots
            self.shots = wider

    def update(self, ids: Ids, shots: Shots, members: Callable[[Ids], Ids]) -> None:
        """Replace what is known of photos, and note which are to be grouped again.

        Args:
            ids: (N,), all different.
            shots: (N,) of SHOT, what is known of them now without ``grouped`` and ``banded``.
            members: returns the photos (K,) in the stacks with these names (M,).
        """
        self.make_room(int(ids.max()))
        self._give_up()
        if self._all:
            self.shots[ids] = shots
            return
        names = np.setdiff1d(np.union1d(self.shots["stack"][ids], shots["stack"]), 0)
        others = members(names)
        others = others[others < len(self.shots)]
        others = others[np.isin(self.shots["stack"][others], names)]  # not read since it moved
        every = np.union1d(ids, others)
        old = self.shots[every]
        new = old.copy()
        new[np.searchsorted(every, ids)] = shots
        new["grouped"], new["banded"] = _is_grouped(new), old["banded"]
        changed = np.zeros(len(every), bool)
        for name in _REASONS:
            changed |= _differs(old[name], new[name])
        self.shots[every[~changed]] = new[~changed]
        if changed.any():
            self._move(every[changed], new[changed])

    def _move(self, ids: Ids, new: Shots) -> None:
        """Replace changed photos in all orders; mark their neighbors affected, old and new."""
        old = self.shots[ids]
        self._affected += [ids, self._same_time(ids[old["grouped"]])]
        later = _differs(old["taken_at"], new["taken_at"]) | (old["grouped"] != new["grouped"])
        self._time.remove(ids[later & _is_timed(old)])
        looks = (old["phash"] != new["phash"]).any(axis=1) | (old["grouped"] != new["grouped"])
        out, hashed = ids[looks & _is_hashed(old)], ids[looks & _is_hashed(new)]
        keys = np.union1d(
            copies.whole_key(old["phash"][looks & _is_hashed(old)]),
            copies.whole_key(new["phash"][looks & _is_hashed(new)]),
        )
        alike = np.union1d(self._with_hash(keys, copies.CROWD + len(ids)), ids[looks])
        was = self.shots["banded"][alike]
        self._whole.remove(out)
        before = self.shots[alike]  # a copy
        self.shots[ids] = new
        self._whole.insert(hashed)
        after = self.shots[alike]
        start, stop = self._whole.range_of(copies.whole_key(after["phash"]))
        banded = _is_hashed(after) & (stop - start <= copies.CROWD)
        moved = was & banded & (before["phash"] == after["phash"]).all(axis=1)
        # The orders find photos by what is known of them, so it is old once more.
        self.shots[ids] = old
        leave, enter = alike[was & ~moved], alike[banded & ~moved]
        self._affected += [leave, enter, *self._leave_bands(leave)]
        self.shots[ids] = new
        self.shots["banded"][alike] = banded
        self._affected += self._enter_bands(enter)
        self._time.insert(ids[later & _is_timed(new)])

    def _leave_bands(self, ids: Ids) -> list[Ids]:
        """Take photos out of all bands; return pairs that this breaks or makes."""
        pairs = list(self._pairs(ids))
        for number, band in enumerate(self._bands):
            band.remove(ids)
            pairs.append(self._across(number, ids))
        return [each for pair in pairs for each in pair]

    def _enter_bands(self, ids: Ids) -> list[Ids]:
        """Put photos into all bands; return pairs that this breaks."""
        pairs = [self._across(number, ids) for number in range(len(self._bands))]
        for band in self._bands:
            band.insert(ids)
        return [each for pair in pairs for each in pair]

    def _across(self, band: int, ids: Ids) -> Pairs:
        """Return similar pairs in a band around the places where photos are not, but would be."""
        order = self._bands[band]
        near = copies.NEIGHBORS
        around, there = order.around(order.find(ids), near, near - 1)
        return self._similar(band, around, there, _PAIRS_ACROSS_GAP)

    def _pairs(self, ids: Ids) -> Iterable[Pairs]:
        """Return the similar pairs of photos in the bands; each may come more than once."""
        ids = ids[self.shots["banded"][ids]]
        for number, band in enumerate(self._bands):
            around, there = band.around(band.find(ids), copies.NEIGHBORS, copies.NEIGHBORS)
            yield self._similar(number, around, there, _PAIRS_WITH_CENTER)

    def _similar(
        self, band: int, around: Ids, there: NDArray[np.bool_], places: list[tuple[int, int]]
    ) -> Pairs:
        """Return the similar pairs of a band among photos at these places of each row."""
        phash = self.shots["phash"][around]
        one, other = np.array(places).T
        near = copies.is_similar(phash[:, one], phash[:, other], band)
        near &= there[:, one] & there[:, other]
        return around[:, one][near], around[:, other][near]

    def _with_hash(self, keys: NDArray[np.uint64], most: int) -> Ids:
        """Return the photos with one of these hashes, but not if more than ``most`` share it."""
        start, stop = self._whole.range_of(keys)
        few = stop - start <= most
        return self._whole.ids[_ranges(start[few], stop[few])].astype(np.int64)

    def _same_time(self, ids: Ids) -> Ids:
        """Return photos that follow each other closely, with some of ``ids`` among them."""
        at = np.unique(self._time.find(ids[_is_timed(self.shots[ids])]))
        if not at.size:
            return _NONE
        blocks = np.unique(np.c_[self._edge(at, -1), self._edge(at, 1)], axis=0)
        places = _ranges(blocks[:, 0], blocks[:, 1] + 1)
        photos = self._time.ids[places].astype(np.int64)
        times = self.shots["taken_at"][photos]
        reach = 1e6 * bursts.reach_s(self.shots["exposure_s"][photos])
        end = np.maximum.accumulate(times + reach.astype(np.int64).astype("m8[us]"))
        part = np.r_[0, np.cumsum(times[1:] > end[:-1])]
        wanted = np.zeros(int(part[-1]) + 1, bool)
        wanted[part[np.searchsorted(places, at)]] = True
        return photos[wanted[part]]

    def _edge(self, at: Ids, step: int) -> Ids:
        """Return how far photos without a long gap in time reach from each place."""
        at, going = at.copy(), np.arange(len(at))
        forward = np.arange(_CHUNK + 1)
        while going.size:
            places = np.clip(at[going, None] + step * forward, 0, len(self._time.ids) - 1)
            times = self.shots["taken_at"][self._time.ids[places]]
            far = (places[:, 1:] == places[:, :-1]) | (
                np.abs(times[:, 1:] - times[:, :-1]) > _SURE_US
            )
            ended = far.any(axis=1)
            at[going] += step * np.where(ended, far.argmax(axis=1), _CHUNK)
            going = going[~ended]
        return at

    # --- what to group

    def take_affected(self) -> tuple[Ids, Pairs | None]:
        """Return the photos to group now, ascending, and the similar pairs of rows among them.

        No pairs are returned with all photos. Then nothing is to be grouped until something
        changes.
        """
        self._give_up()
        if self._all:
            return self._take_all(), None
        affected = np.unique(np.concatenate([_NONE, *self._affected]))
        self._affected = []
        new = affected[self.shots["grouped"][affected]]
        known, pairs = new[:0], [(new[:0], new[:0])]
        while new.size:
            known = np.union1d(known, new)
            some = list(self._pairs(new))
            pairs += some
            reached = np.concatenate([self._same_time(new), *(other for _, other in some)])
            new = np.setdiff1d(reached, known)
        one, other = (np.concatenate(each) for each in zip(*pairs, strict=True))
        return known, (np.searchsorted(known, one), np.searchsorted(known, other))

    def _give_up(self) -> None:
        """Group all photos if many changed: looking for the neighbors of each takes longer."""
        if sum(map(len, self._affected)) > len(self._time.ids) // 4 + 1024:
            self.mark_all_affected()

    def _take_all(self) -> Ids:
        shots, self._all, self._affected = self.shots, False, []
        shots["grouped"] = _is_grouped(shots)
        self._time.fill(np.flatnonzero(_is_timed(shots)))
        hashed = np.flatnonzero(_is_hashed(shots))
        self._whole.fill(hashed)
        _, where, times = np.unique(
            copies.whole_key(shots["phash"][hashed]), return_inverse=True, return_counts=True
        )
        hashed = hashed[times[where] <= copies.CROWD]
        shots["banded"] = False
        shots["banded"][hashed] = True
        for band in self._bands:
            band.fill(hashed)
        return np.flatnonzero(shots["grouped"])

    def columns(self, ids: Ids) -> StackColumns:
        """Return what is known of photos (N,), as columns of N rows in their order."""
        shots = self.shots[ids]
        names = ("taken_at", "camera", "exposure_s", "ev", "width", "height", "phash")
        return StackColumns(ids, *(np.ascontiguousarray(shots[name]) for name in names))


def _is_grouped(shots: Shots) -> NDArray[np.bool_]:
    """Return a mask of photos the machine may group; all photos of their stacks must be given."""
    stack, by_person = shots["stack"], shots["person"]
    decided = shots["here"] & (shots["marked"] | by_person) & (stack > 0)
    return np.asarray(shots["here"] & ~by_person & ~np.isin(stack, stack[decided]))


def _is_timed(shots: Shots) -> NDArray[np.bool_]:
    return np.asarray(shots["grouped"] & ~np.isnat(shots["taken_at"]))


def _is_hashed(shots: Shots) -> NDArray[np.bool_]:
    return np.asarray(shots["grouped"] & shots["phash"].any(axis=1))


def _differs(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Return a mask of the rows that differ; NaN and NaT are equal to themselves."""
    count = len(one)
    one, other = (np.ascontiguousarray(each).view(np.uint8) for each in (one, other))
    return np.asarray((one != other).reshape(count, one.size // max(count, 1)).any(axis=1))


def _ranges(starts: Ids, stops: Ids) -> Ids:
    """Return the numbers of all ranges, one range after the other."""
    count = stops - starts
    first = np.repeat(starts - (np.cumsum(count) - count), count)
    return first + np.arange(count.sum())
