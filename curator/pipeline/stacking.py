"""Stacks kept up to date while photos come in.

All photos are grouped anew each time: that takes a third of a second for a hundred thousand, and
knows no state that could go wrong. It is done once a burst of saves is over, at most a small share
of the time, and always before idleness is told; what changed is written a few stacks at a time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from curator.catalog import SHOT_COLUMNS, Catalog, StackChange
from curator.pipeline.similarity_cache import Pairs
from curator.stages.stack import (
    KIND_CODE,
    KINDS,
    Likeness,
    Shots,
    exposure_value,
    group,
    looks,
)

# Raise it when other stacks come out: all that are not decided are then made anew.
VERSION = "1"
EVERY_S = 3.0  # while photos come in, at least so long after the last time
_SHARE = 20  # and so many times as long as it took
_CALM_SHARE = 4  # where nothing else is going on, and idleness waits to be told
_TARGET_S = 0.003  # a decision waits while we write
_HUGE_PX = 1_000_000  # what an edge counts as that is longer
_AT_MOST = 64  # changes in one transaction, but for larger stacks

Ids = NDArray[np.int64]


@dataclass
class _Columns:
    """Everything by photo id: what `Shots` has, and what is known of stacks so far."""

    here: NDArray[np.bool_]
    taken_at: NDArray[np.datetime64]
    camera: NDArray[np.int32]
    exposure_s: NDArray[np.float32]
    ev: NDArray[np.float32]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    look: NDArray[np.uint64]
    stack: Ids
    kind: NDArray[np.int8]
    person: Ids
    marked: NDArray[np.bool_]

    @classmethod
    def empty(cls) -> _Columns:
        dtypes = {
            "here": "?",
            "taken_at": "M8[us]",
            "camera": "i4",
            "exposure_s": "f4",
            "ev": "f4",
            "width": "i4",
            "height": "i4",
            "look": "2u8",
            "stack": "i8",
            "kind": "i1",
            "person": "i8",
            "marked": "?",
        }
        return cls(**{name: np.zeros(1024, dtype) for name, dtype in dtypes.items()})

    def reach(self, photo: int) -> None:
        """Make room for a photo id."""
        size = len(self.here)
        if photo < size:
            return
        for column in fields(self):
            old = getattr(self, column.name)
            new = np.zeros((2 * photo, *old.shape[1:]), old.dtype)
            new[:size] = old
            setattr(self, column.name, new)

    def shots(self, ids: Ids) -> Shots:
        """Give what stacks of some photos are made from."""
        names = [column.name for column in fields(Shots) if column.name != "ids"]
        return Shots(ids, *(getattr(self, name)[ids] for name in names))

    def frozen(self) -> NDArray[np.bool_]:
        """Mark photos in stacks that have a mark or a person's word in them."""
        decided = self.here & (self.marked | (self.person >= 0))
        return (self.person >= 0) | _shares(self.stack, self.stack[decided])


@dataclass
class _Changes:
    """What is to be saved, sorted so that photos of one stack stand together; ``at`` is next."""

    ids: Ids
    home: Ids
    stack: Ids
    kind: NDArray[np.int8]
    at: int = 0

    def next(self, most: int) -> tuple[list[StackChange], int]:
        """Give the next few stacks, about ``most`` changes, and where those after them begin."""
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
    """Groups photos and saves what changed.

    Thread: the conductor's.
    """

    def __init__(self, catalog: Catalog) -> None:
        """Make a stacker; photos are read when it first has something to do."""
        self._catalog = catalog
        self._pairs: Pairs | None = None
        self._columns = _Columns.empty()
        self._cameras: dict[str, int] = {}
        self._rev = 0
        self._unsaved: _Changes | None = None
        self._at_most = _AT_MOST
        self._noted = catalog.stacks.made_by() == VERSION
        self._stale = not self._noted
        self._due_at = self._calm_due_at = 0.0
        self._held: frozenset[int] = frozenset()  # on screen, in a stack that is to change

    def use_encoder(self, key: str | None) -> None:
        """Refine stacks by the vectors of this encoder from now on; None: of none."""
        if key != self.encoder:
            self._pairs = None if key is None else Pairs(self._catalog, key)

    @property
    def encoder(self) -> str | None:
        """The key of the encoder stacks are refined by."""
        return None if self._pairs is None else self._pairs.encoder

    def touch(self) -> None:
        """Take note that photos changed."""
        self._stale = True
        if self._noted:
            self._catalog.stacks.set_made_by(None)
            self._noted = False

    @property
    def waiting(self) -> bool:
        """Whether there is something to do, now or soon."""
        return self._stale or self._unsaved is not None

    def wait_s(self, calm: bool) -> float:
        """Say for how long there is nothing to do, in s; only while :attr:`waiting`."""
        if self._unsaved is not None:
            return 0.0
        return max(0.0, (self._calm_due_at if calm else self._due_at) - time.monotonic())

    def advance(self, calm: bool, focus: Sequence[int]) -> list[int]:
        """Do the next piece if it is due; return ids of photos that changed.

        Args:
            calm: nothing else is being done, so nothing more will come soon.
            focus: photos on screen; an encoder does not change the stacks they are in for now.
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
        """Write some changes; when there are none left, note that all stacks are made."""
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
        """Group all photos that are the machine's to group; return what is to change."""
        fresh = self._read()
        columns = self._columns
        ids = np.flatnonzero(columns.here & ~columns.frozen())
        found = group(columns.shots(ids), self._likeness(ids))
        before = columns.stack[ids]
        changed = (found.stack != before) | (found.kind != columns.kind[ids])
        looked_at = np.isin(ids, np.array(focus, np.int64))
        shown = looked_at & (before > 0)
        # A picture that was seen since speaks also on screen; an encoder's second thoughts do not.
        seen = np.isin(ids, fresh)
        held = changed & (_shares(before, before[shown]) | _shares(found.stack, found.stack[shown]))
        held &= ~(_shares(before, before[seen]) | _shares(found.stack, found.stack[seen]))
        self._held = frozenset(ids[shown].tolist()) if held.any() else frozenset()
        rows = np.flatnonzero(changed & ~held)
        # What joins a stack is written with it; what only leaves, with what leaves with it.
        home = np.where(found.stack > 0, found.stack, before)
        rows = rows[np.lexsort((home[rows], ~_shares(home, home[looked_at])[rows]))]
        return _Changes(ids[rows], home[rows], found.stack[rows], found.kind[rows])

    def _likeness(self, ids: Ids) -> Likeness | None:
        pairs = self._pairs
        if pairs is None:
            return None
        pairs.refresh()
        return lambda a, b: pairs(ids[a], ids[b])

    def _read(self) -> Ids:
        """Take over what changed in the catalog since the last time; return whose look did."""
        columns = self._columns
        seen = [np.zeros(0, np.int64)]
        while rows := self._catalog.stacks.shots(self._rev):
            row = dict(zip(SHOT_COLUMNS, zip(*rows, strict=True), strict=True))
            columns.reach(max(row["id"]))
            at = np.array(row["id"])
            exposure_s, f_number, iso = (
                np.array(row[name], np.float32) for name in ("exposure_s", "f_number", "iso")
            )
            columns.exposure_s[at] = exposure_s
            columns.ev[at] = exposure_value(exposure_s, f_number, iso)
            columns.taken_at[at] = np.array(row["taken_at"], "M8[us]")
            columns.camera[at] = [self._camera(name) for name in row["camera"]]
            for edge in ("width", "height"):  # older versions believed any header
                getattr(columns, edge)[at] = [min(value or 0, _HUGE_PX) for value in row[edge]]
            look = looks(row["look"])
            seen.append(at[(columns.look[at] != look).any(axis=1)])
            columns.look[at] = look
            columns.kind[at] = [KIND_CODE[value] for value in row["stack_kind"]]
            for name in ("stack", "person", "marked", "here"):
                getattr(columns, name)[at] = row[name]
            self._rev = int(row["rev"][-1])
        return np.concatenate(seen)

    def _camera(self, name: str | None) -> int:
        return self._cameras.setdefault(name, len(self._cameras)) if name else -1


def _shares(stack: Ids, names: Ids) -> NDArray[np.bool_]:
    """Mark photos whose stack is among the named; 0 is none."""
    return np.isin(stack, names[names > 0])
