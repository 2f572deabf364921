"""Keeping stacks up to date while photos come in; the conductor calls it between other work.

Only photos near what changed are grouped again, see `neighborhoods`. While photos come in, grouping
gets a twentieth of the time at most; it is always done before the pipeline reports that it is idle.
Changes are written a few stacks at a time. A stack with a person's decision must never change.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.catalog import SHOT_COLUMNS, Catalog, StackChange
from curator.catalog.store import Row, TransactionSize
from curator.library import column_file
from curator.model import STACK_KINDS, KnownError
from curator.pipeline.neighborhoods import SHOT, Neighborhoods, Shots
from curator.pipeline.pair_similarity import PairSimilarity
from curator.stages import copies
from curator.stages.stack import KIND_CODE, group
from curator.stages.stack_columns import Likeness, exposure_value, parse_hashes, reliable_times

log = logging.getLogger(__name__)

# Raise it when grouping changes: all stacks without a decision are then made again.
VERSION = "1"
EVERY_S = 3.0  # the shortest time between two groupings while photos come in
_PAUSE_FACTOR = 20  # and at least this many times as long as the last grouping took
_CALM_PAUSE_FACTOR = 4  # instead of both, while nothing else is being done
_HUGE_PX = 1_000_000  # longer edges count as this
FILE = "stacks.columns"
"""The file in the cache from which the next start knows all photos; it may be deleted."""
_REST_S = 60.0  # after this long without changes, photos are kept in the file only

Ids = NDArray[np.int64]


@dataclass
class _Changes:
    """Changes to save, photos of one stack together; ``at`` is the next one."""

    ids: Ids
    home: Ids
    stack: Ids
    kind: NDArray[np.int8]
    at: int = 0

    def next(self, most: int) -> tuple[list[StackChange], int]:
        """Return ``most`` changes, or more to finish a stack, and the index after them."""
        stop = min(self.at + most, len(self.ids))
        while 0 < stop < len(self.ids) and self.home[stop] == self.home[stop - 1]:
            stop += 1
        part = slice(self.at, stop)
        columns = (self.ids[part].tolist(), self.stack[part].tolist(), self.kind[part].tolist())
        changes = [
            StackChange(photo, stack or None, STACK_KINDS[kind])
            for photo, stack, kind in zip(*columns, strict=True)
        ]
        return changes, stop


class Stacker:
    """Groups photos, and saves changed stacks.

    Thread: the conductor's.
    """

    def __init__(self, catalog: Catalog, file: Path | None = None) -> None:
        """Make a stacker; it reads photos when it groups them for the first time.

        Args:
            catalog: the conductor's.
            file: where :meth:`save` keeps what is known of them; None: nowhere.
        """
        self._catalog, self._file = catalog, file
        self._pairs: PairSimilarity | None = None
        self._grouped_by: str | None = None  # the encoder at the last grouping
        self._photos: Neighborhoods | None = None
        self._cameras: dict[str, int] = {}
        self._rev = 0
        self._saved_rev = -1  # the revision in the file
        self._unsaved: _Changes | None = None
        self._size = TransactionSize()
        self._is_recorded = catalog.stacks.made_by() == VERSION  # that all stacks are up to date
        self._stale = not self._is_recorded
        self._due_at = self._calm_due_at = 0.0
        self._held: frozenset[int] = frozenset()  # photos on screen whose stack is to change
        self._deferred: Ids = np.zeros(0, np.int64)  # all photos that wait for these

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
        if self._is_recorded:
            self._catalog.stacks.set_made_by(None)
            self._is_recorded = False

    @property
    def waiting(self) -> bool:
        """Whether there is something to do, now or soon."""
        return self._stale or self._unsaved is not None

    @property
    def waits_for_focus(self) -> bool:
        """Whether stacks are to change once their photos have left the screen; any thread."""
        return bool(self._held)

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
            begin = time.monotonic()
            if calm and self._photos is not None and begin > self._due_at + _REST_S:
                self._unload()
            if not self._stale or self.wait_s(calm):
                return []
            self._stale = False
            try:
                self._unsaved = self._group(focus)
            except BaseException:
                self._stale = True
                self._reset()
                raise
            after = time.monotonic()
            self._due_at = after + max(EVERY_S, _PAUSE_FACTOR * (after - begin))
            self._calm_due_at = after + _CALM_PAUSE_FACTOR * (after - begin)
        return self._save()

    def _save(self) -> list[int]:
        """Write some changes; after the last, record that all stacks are up to date."""
        assert self._unsaved is not None
        changed: list[int] = []
        some, after = self._unsaved.next(self._size.values)
        if some:
            with self._size.measured(len(some)):
                changed = self._catalog.stacks.save(some)
            self._follow_saved(some, changed)
        self._unsaved.at = after
        if after >= len(self._unsaved.ids):
            self._unsaved = None
            if not (self._stale or self._held or self._is_recorded):
                self._is_recorded = True
                self._catalog.stacks.set_made_by(VERSION)
        return changed

    def _follow_saved(self, changes: Sequence[StackChange], saved: Sequence[int]) -> None:
        """Take over stacks that were saved: they are no reason to group photos again."""
        assert self._photos is not None
        of_saved = set(saved)
        for photo, stack, kind in changes:
            if photo in of_saved:
                self._photos.shots["stack"][photo] = stack or 0
                self._photos.shots["kind"][photo] = KIND_CODE[kind]

    # --- between two runs

    def save(self) -> None:
        """Save what is known of the photos, so that the next start need not read all of them.

        The file has a token, which is written to the catalog after it. What changed since has a
        later revision, and a catalog restored from a backup has another token. A failure is only
        logged: it makes the next start slower.
        """
        photos = self._photos
        if self._file is None or photos is None or self._rev == self._saved_rev:
            return
        if photos.count < column_file.MIN_PHOTOS or not photos.settled:
            return
        deferred = [self._deferred]
        if self._unsaved is not None:
            deferred.append(self._unsaved.ids[self._unsaved.at :])
        state = {
            "rev": self._rev,
            "encoder": self._grouped_by,
            "pairs": None if self._pairs is None else self._pairs.dump(),
            "cameras": list(self._cameras),
        }
        columns = {
            **photos.dump(),
            "deferred": np.concatenate(deferred),
            "state": np.frombuffer(json.dumps(state).encode(), np.uint8),
        }
        token = secrets.token_hex(8)
        try:
            column_file.write(self._file, _label(token), columns)
            self._catalog.stacks.set_snapshot(token)
        except (KnownError, OSError) as error:
            log.info("the next start reads all photos to stack them: %s", error)
        else:
            self._saved_rev = self._rev

    def _restore(self) -> Neighborhoods:
        """Return the photos in the file, or none if it is not valid."""
        token = self._catalog.stacks.snapshot()
        if self._file is None or not token:
            return Neighborhoods()
        try:
            label, columns = column_file.read(self._file)
            if label != _label(token):
                return Neighborhoods()
            photos, deferred = Neighborhoods(columns), columns["deferred"]
            state = json.loads(columns["state"].tobytes())
            rev, encoder, cameras = state["rev"], state["encoder"], state["cameras"]
            if self._pairs is not None and state["pairs"] and self.encoder == encoder:
                self._pairs.restore(state["pairs"])
        except FileNotFoundError:
            return Neighborhoods()
        except (ValueError, KeyError) as error:
            log.info("all photos are read to stack them, %s is damaged: %s", FILE, error)
            return Neighborhoods()
        self._rev = self._saved_rev = rev
        self._deferred, self._grouped_by = deferred, encoder
        self._cameras = {name: number for number, name in enumerate(cameras)}
        return photos

    def _unload(self) -> None:
        """Free the memory that all photos take, if the file has them."""
        self.save()
        self._due_at = time.monotonic()  # try again later, not at once
        if self._rev == self._saved_rev:
            self._reset()

    def _reset(self) -> None:
        """Know nothing of the photos any more; the next grouping reads the file."""
        self._photos, self._rev, self._saved_rev = None, 0, -1

    # --- grouping

    def _group(self, focus: Sequence[int]) -> _Changes:
        """Group the photos near what changed, if no decision forbids it; return the changes."""
        photos, read = self._read()
        photos.mark_affected(self._deferred)
        ids, similar = photos.take_affected()
        found = group(photos.columns(ids), self._likeness(ids), similar)
        before, kind = (photos.shots[name][ids] for name in ("stack", "kind"))
        changed = (found.stack != before) | (found.kind != kind)
        on_screen = np.isin(ids, np.array(focus, np.int64))
        shown = on_screen & (before > 0)
        # A newly read picture changes stacks on screen, too; an encoder's vectors alone do not.
        fresh = np.isin(ids, read)
        held = changed & (_shares(before, before[shown]) | _shares(found.stack, found.stack[shown]))
        held &= ~(_shares(before, before[fresh]) | _shares(found.stack, found.stack[fresh]))
        self._held = frozenset(ids[shown].tolist()) if held.any() else frozenset()
        self._deferred = ids[held]
        rows = np.flatnonzero(changed & ~held)
        # A photo that joins a stack is written with it; photos that leave a stack stay together.
        home = np.where(found.stack > 0, found.stack, before)
        rows = rows[np.lexsort((home[rows], ~_shares(home, home[on_screen])[rows]))]
        return _Changes(ids[rows], home[rows], found.stack[rows], found.kind[rows])

    def _likeness(self, ids: Ids) -> Likeness | None:
        pairs = self._pairs
        return None if pairs is None else lambda a, b: pairs(ids[a], ids[b])

    def _read(self) -> tuple[Neighborhoods, Ids]:
        """Read what changed in the catalog; also return photos whose perceptual hash changed."""
        photos = self._photos = self._photos or self._restore()
        read = [np.zeros(0, np.int64)]
        while rows := self._catalog.stacks.shots(self._rev):
            ids, shots = self._shots(rows)
            photos.make_room(int(ids.max()))
            looks = photos.shots["phash"][ids] != shots["phash"]
            read.append(ids[looks.any(axis=1)])
            photos.update(ids, shots, self._members)
            self._rev = int(rows[-1][0])
        if self.encoder != self._grouped_by:
            self._grouped_by = self.encoder
            photos.mark_all_affected()
        renewed = None if self._pairs is None else self._pairs.refresh()
        if renewed is not None:
            photos.mark_affected(renewed)
        elif self._pairs is not None:
            photos.mark_all_affected()
        return photos, np.concatenate(read)

    def _members(self, stacks: Ids) -> Ids:
        return np.array(self._catalog.stacks.members(stacks.tolist()), np.int64)

    def _shots(self, rows: Sequence[Row]) -> tuple[Ids, Shots]:
        """Return the photos of rows of the catalog, and what is known of them."""
        row = dict(zip(SHOT_COLUMNS, zip(*rows, strict=True), strict=True))
        shots = np.zeros(len(rows), SHOT)
        exposure_s, f_number, iso = (
            np.array(row[name], np.float32) for name in ("exposure_s", "f_number", "iso")
        )
        shots["exposure_s"] = exposure_s
        shots["ev"] = exposure_value(exposure_s, f_number, iso)
        shots["taken_at"] = reliable_times(np.array(row["taken_at"], "M8[us]"))
        shots["camera"] = [self._camera(name) for name in row["camera"]]
        for edge in ("width", "height"):  # older versions accepted any header
            shots[edge] = [min(value or 0, _HUGE_PX) for value in row[edge]]
        shots["phash"] = parse_hashes(row["look"])
        shots["kind"] = [KIND_CODE[value] for value in row["stack_kind"]]
        shots["person"] = np.array(row["person"]) >= 0
        for name in ("stack", "marked", "here"):
            shots[name] = row[name]
        return np.array(row["id"], np.int64), shots

    def _camera(self, name: str | None) -> int:
        return self._cameras.setdefault(name, len(self._cameras)) if name else -1


def _label(token: str) -> str:
    """Return what the file must be of: the catalog's state, and what its columns depend on."""
    bands = copies.BANDS, copies.NEIGHBORS, copies.CROWD
    return f"{token} {VERSION} {SHOT.descr} {bands}"


def _shares(stack: Ids, names: Ids) -> NDArray[np.bool_]:
    """Return a mask of photos whose stack is among ``names``; 0 is no stack."""
    return np.isin(stack, names[names > 0])
