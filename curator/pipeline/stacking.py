"""Keeping stacks up to date while photos come in; the conductor calls it between other work.

All photos are grouped again each time: that takes a third of a second for 100,000 photos, and no
partial state can go wrong. While photos come in, grouping gets a twentieth of the time at most; it
is always done before the pipeline reports that it is idle. Changes are written a few stacks at a
time. A stack with a person's decision must never change.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from curator.catalog import SHOT_COLUMNS, Catalog, StackChange
from curator.pipeline.similarity_cache import PairSimilarity
from curator.stages.stack import KIND_CODE, KINDS, group
from curator.stages.stack_columns import Likeness, StackColumns, exposure_value, parse_hashes

# Raise it when grouping changes: all stacks without a decision are then made again.
VERSION = "1"
EVERY_S = 3.0  # the shortest time between two groupings while photos come in,
_SHARE = 20  # and this many times as long as the last one took
_CALM_SHARE = 4  # the same while nothing else is being done
_TARGET_S = 0.003  # how long a transaction should take: a decision waits for it
_HUGE_PX = 1_000_000  # longer edges count as this
_AT_MOST = 64  # changes in one transaction; a larger stack is written as a whole

Ids = NDArray[np.int64]


# The columns of `StackColumns` but ``ids``, and the stacks in the catalog.
_DTYPES = {
    "here": "?",
    "taken_at": "M8[us]",
    "camera": "i4",
    "exposure_s": "f4",
    "ev": "f4",
    "width": "i4",
    "height": "i4",
    "phash": "2u8",
    "stack": "i8",
    "kind": "i1",
    "person": "i8",
    "marked": "?",
}
_GROUPED_BY = [column.name for column in fields(StackColumns) if column.name != "ids"]


@dataclass
class _Changes:
    """Changes to save, photos of one stack together; ``at`` is the next one."""

    ids: Ids
    home: Ids
    stack: Ids
    kind: NDArray[np.int8]
    at: int = 0

    def next(self, most: int) -> tuple[list[StackChange], int]:
        """Return about ``most`` changes, all of their stacks, and the index after them."""
        stop = min(self.at + most, len(self.ids))
        while 0 < stop < len(self.ids) and self.home[stop] == self.home[stop - 1]:
            stop += 1
        part = slice(self.at, stop)
        columns = (self.ids[part].tolist(), self.stack[part].tolist(), self.kind[part].tolist())
        changes = [
            StackChange(photo, stack or None, KINDS[kind])
            for photo, stack, kind in zip(*columns, strict=True)
        ]
        return changes, stop


class Stacker:
    """Groups photos, and saves changed stacks.

    Thread: the conductor's.
    """

    def __init__(self, catalog: Catalog) -> None:
        """Make a stacker; it reads photos when it groups them for the first time."""
        self._catalog = catalog
        self._pairs: PairSimilarity | None = None
        # Indexed by photo id.
        self._columns = {name: np.zeros(1024, dtype) for name, dtype in _DTYPES.items()}
        self._cameras: dict[str, int] = {}
        self._rev = 0
        self._unsaved: _Changes | None = None
        self._at_most = _AT_MOST
        self._noted = catalog.stacks.made_by() == VERSION
        self._stale = not self._noted
        self._due_at = self._calm_due_at = 0.0
        self._held: frozenset[int] = frozenset()  # photos on screen whose stack is to change

    def use_encoder(self, key: str | None) -> None:
        """Refine stacks by the vectors of this encoder from now on; None: without vectors."""
        if key != self.encoder:
            self._pairs = None if key is None else PairSimilarity(self._catalog, key)

    @property
    def encoder(self) -> str | None:
        """The key of the encoder whose vectors refine stacks."""
        return None if self._pairs is None else self._pairs.encoder

    def touch(self) -> None:
        """Note that photos changed."""
        self._stale = True
        if self._noted:
            self._catalog.stacks.set_made_by(None)
            self._noted = False

    @property
    def waiting(self) -> bool:
        """Whether there is something to do, now or soon."""
        return self._stale or self._unsaved is not None

    def wait_s(self, calm: bool) -> float:
        """Return for how long there is nothing to do, in s; only while :attr:`waiting`."""
        if self._unsaved is not None:
            return 0.0
        return max(0.0, (self._calm_due_at if calm else self._due_at) - time.monotonic())

    def advance(self, calm: bool, focus: Sequence[int]) -> list[int]:
        """Do the next piece if it is due; return ids of photos that changed.

        Args:
            calm: nothing else is being done, so no more photos will come soon.
            focus: photos on screen; vectors alone do not change their stacks while they are shown.
        """
        if self._held and self._held.isdisjoint(focus):
            self._held, self._stale = frozenset(), True
        if self._unsaved is None:
            if not self._stale or self.wait_s(calm):
                return []
            begin = time.monotonic()
            self._stale = False
            self._unsaved = self._group(focus)
            after = time.monotonic()
            self._due_at = after + max(EVERY_S, _SHARE * (after - begin))
            self._calm_due_at = after + _CALM_SHARE * (after - begin)
        return self._save()

    def _save(self) -> list[int]:
        """Write some changes; after the last, note that all stacks are up to date."""
        assert self._unsaved is not None
        changed: list[int] = []
        some, after = self._unsaved.next(self._at_most)
        if some:
            begin = time.monotonic()
            changed = self._catalog.stacks.save(some)
            took = time.monotonic() - begin
            if took > _TARGET_S:
                self._at_most = max(4, self._at_most // 2)
            elif took < _TARGET_S / 2:
                self._at_most = min(_AT_MOST, self._at_most + 4)
        self._unsaved.at = after
        if after >= len(self._unsaved.ids):
            self._unsaved = None
            if not (self._stale or self._held or self._noted):
                self._noted = True
                self._catalog.stacks.set_made_by(VERSION)
        return changed

    # --- grouping

    def _group(self, focus: Sequence[int]) -> _Changes:
        """Group all photos whose stack has no decision; return the changes."""
        fresh = self._read()
        columns = self._columns
        ids = np.flatnonzero(columns["here"] & ~self._frozen())
        shots = StackColumns(ids, *(columns[name][ids] for name in _GROUPED_BY))
        found = group(shots, self._likeness(ids))
        before = columns["stack"][ids]
        changed = (found.stack != before) | (found.kind != columns["kind"][ids])
        on_screen = np.isin(ids, np.array(focus, np.int64))
        shown = on_screen & (before > 0)
        # A newly read picture changes stacks on screen, too; an encoder's vectors alone do not.
        read = np.isin(ids, fresh)
        held = changed & (_shares(before, before[shown]) | _shares(found.stack, found.stack[shown]))
        held &= ~(_shares(before, before[read]) | _shares(found.stack, found.stack[read]))
        self._held = frozenset(ids[shown].tolist()) if held.any() else frozenset()
        rows = np.flatnonzero(changed & ~held)
        # A photo that joins a stack is written with it; photos that leave a stack stay together.
        home = np.where(found.stack > 0, found.stack, before)
        rows = rows[np.lexsort((home[rows], ~_shares(home, home[on_screen])[rows]))]
        return _Changes(ids[rows], home[rows], found.stack[rows], found.kind[rows])

    def _frozen(self) -> NDArray[np.bool_]:
        """Return a mask of photos in stacks with a mark or another decision of a person."""
        stack, grouped_by_person = self._columns["stack"], self._columns["person"] >= 0
        decided = self._columns["here"] & (self._columns["marked"] | grouped_by_person)
        return grouped_by_person | _shares(stack, stack[decided])

    def _likeness(self, ids: Ids) -> Likeness | None:
        pairs = self._pairs
        if pairs is None:
            return None
        pairs.refresh()
        return lambda a, b: pairs(ids[a], ids[b])

    def _read(self) -> Ids:
        """Read photos that changed in the catalog; return ids whose perceptual hash changed."""
        columns = self._columns
        fresh = [np.zeros(0, np.int64)]
        while rows := self._catalog.stacks.shots(self._rev):
            row = dict(zip(SHOT_COLUMNS, zip(*rows, strict=True), strict=True))
            at = np.array(row["id"])
            if at.max() >= len(columns["here"]):
                for name, old in columns.items():
                    columns[name] = np.zeros((2 * int(at.max()), *old.shape[1:]), old.dtype)
                    columns[name][: len(old)] = old
            exposure_s, f_number, iso = (
                np.array(row[name], np.float32) for name in ("exposure_s", "f_number", "iso")
            )
            columns["exposure_s"][at] = exposure_s
            columns["ev"][at] = exposure_value(exposure_s, f_number, iso)
            columns["taken_at"][at] = np.array(row["taken_at"], "M8[us]")
            columns["camera"][at] = [self._camera(name) for name in row["camera"]]
            for edge in ("width", "height"):  # older versions accepted any header
                columns[edge][at] = [min(value or 0, _HUGE_PX) for value in row[edge]]
            phash = parse_hashes(row["look"])
            fresh.append(at[(columns["phash"][at] != phash).any(axis=1)])
            columns["phash"][at] = phash
            columns["kind"][at] = [KIND_CODE[value] for value in row["stack_kind"]]
            for name in ("stack", "person", "marked", "here"):
                columns[name][at] = row[name]
            self._rev = int(row["rev"][-1])
        return np.concatenate(fresh)

    def _camera(self, name: str | None) -> int:
        return self._cameras.setdefault(name, len(self._cameras)) if name else -1


def _shares(stack: Ids, names: Ids) -> NDArray[np.bool_]:
    """Return a mask of photos whose stack is among ``names``; 0 is no stack."""
    return np.isin(stack, names[names > 0])
