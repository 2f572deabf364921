"""Grouping only near what changed gives what grouping all photos gives, over random histories."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray

from curator.catalog import Catalog
from curator.library import column_file
from curator.model import CatalogError
from curator.pipeline import stacking
from curator.pipeline.neighborhoods import SHOT, Neighborhoods, Shots
from curator.pipeline.stacking import Stacker
from curator.stages import copies
from curator.stages.stack import Stacks, group
from curator.stages.stack_columns import StackColumns
from tests import catalogs, taste_data

PHOTOS = 160
STEPS = 25
SCENES = 12
# Seconds from one photo to the next: bursts, brackets, pauses that decide about them, and others.
GAPS = (0.0, 0.005, 0.1, 0.2, 0.3, 1.0, 2.0, 3.5, 7.9, 9.5, 15.0, 17.5, 30.0, 62.0, 70.0)
EXPOSURES = (0.001, 0.004, 0.016, 0.064, 15.0, 30.0, 400.0, None)


class History:
    """Random changes to the photos of a catalog, as scans, stages and a person make them."""

    def __init__(self, catalog: Catalog, connection: sqlite3.Connection, seed: int) -> None:
        catalogs.fill(catalog.path, PHOTOS)
        self.catalog, self._connection = catalog, connection
        self.chance = random.Random(seed)
        drawn = np.random.default_rng(seed)
        self._looks = drawn.integers(0, 2, (SCENES, 128), np.uint8)
        self._at = [3600.0 * scene for scene in range(SCENES)]
        self._vectors = drawn.standard_normal((SCENES, 16))
        self._scene = dict.fromkeys(range(1, PHOTOS + 1), 0)
        connection.execute(
            "UPDATE photo SET taken_at = NULL, look = NULL, flag = NULL, rating = NULL,"
            " label = NULL, kept = 0"
        )

    def step(self) -> None:
        """Make some changes."""
        for _ in range(self.chance.choice((1, 1, 2, 6))):
            self.chance.choice(self._acts())()

    def _acts(self) -> list[Callable[[], None]]:
        often: list[Callable[[], None]] = [self._read] * 6 + [self._look] * 3 + [self._analyze] * 2
        return [*often, self._mark, self._undo, self._stack, self._remove, self._return]

    def _photo(self) -> int:
        return self.chance.randint(1, PHOTOS)

    def _set(self, photo: int, **columns: object) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self._connection.execute(
            f"UPDATE photo SET {names} WHERE id = ?", (*columns.values(), photo)
        )

    def _read(self) -> None:
        """Read a series of photos of a scene, which follow each other in time."""
        scene = self.chance.randrange(SCENES)
        exposure = self.chance.choice(EXPOSURES)
        for _ in range(self.chance.choice((1, 2, 5))):
            photo = self._photo()
            self._scene[photo] = scene
            self._at[scene] += self.chance.choice(GAPS)
            taken = catalogs.FIRST + timedelta(seconds=self._at[scene])
            if self.chance.random() < 0.2:
                exposure = self.chance.choice(EXPOSURES)
            unknown = self.chance.random() < 0.1
            self._set(
                photo,
                taken_at=None if unknown else taken.isoformat(timespec="microseconds"),
                camera=self.chance.choice(("One", "One", "Two", None)),
                exposure_s=exposure,
                f_number=4.0,
                iso=100,
                width=(width := self.chance.choice((6000, 3000))),
                height=width * 2 // 3,
            )
            if self.chance.random() < 0.8:
                self._look(photo)

    def _look(self, photo: int | None = None) -> None:
        """Draw a picture like those of its scene; many pictures of the first are all the same."""
        photo = photo or self._photo()
        scene = self._scene[photo]
        bits = self._looks[scene].copy()
        turned = 0 if scene == 0 else self.chance.choice((0, 0, 1, 3, 6, 20, 45))
        bits[self.chance.sample(range(128), turned)] ^= 1
        look = None if self.chance.random() < 0.05 else np.packbits(bits).tobytes().hex() + "020"
        self._set(photo, look=look)

    def _mark(self) -> None:
        fields = self.chance.choice(({"rating": 3}, {"flag": "reject"}, {"kept": True}))
        self.catalog.journal.decide({self._photo(): fields}, summary="")

    def _undo(self) -> None:
        self.catalog.journal.undo()

    def _stack(self) -> None:
        stacked = self.chance.choice((0, self._photo()))
        self.catalog.journal.decide({self._photo(): {"stacked": stacked}}, summary="")

    def _remove(self) -> None:
        self._set(self._photo(), removed_at=1.0)

    def _return(self) -> None:
        self._connection.execute("UPDATE photo SET removed_at = NULL WHERE removed_at IS NOT NULL")

    def _analyze(self) -> None:
        photo = self._photo()
        noise = [self.chance.gauss(0, self.chance.choice((0.1, 2.0))) for _ in range(16)]
        vector = (self._vectors[self._scene[photo]] + noise).astype(np.float16)
        tone = np.zeros(76, np.float32)
        found = taste_data.result(self.catalog, photo, taste_data.ENCODER, vector, tone)
        self.catalog.vectors.save([(taste_data.job(photo), found)])


def work_off(stacker: Stacker) -> list[int]:
    stacker.touch()
    changed = []
    while stacker.waiting:
        changed += stacker.advance(calm=True, focus=())
    return changed


def another(stacker: Stacker, catalog: Catalog) -> Stacker:
    """Return a stacker that knows nothing yet, and takes the same pairs for unrelated ones."""
    other = Stacker(catalog)
    other.use_encoder(stacker.encoder)
    if stacker._pairs is not None and other._pairs is not None:
        other._pairs.restore(stacker._pairs.dump())
    return other


# --- grouping what is near a change gives what grouping all photos gives


def alike(chance: np.random.Generator, count: int) -> Shots:
    """Draw photos without a time, of which many look nearly the same."""
    shots = np.zeros(count, SHOT)
    shots["here"], shots["camera"] = chance.random(count) < 0.9, -1
    shots["taken_at"] = np.datetime64("NaT")
    shots["exposure_s"] = shots["ev"] = np.nan
    shots["width"], shots["height"] = 6000, 4000
    bits = np.random.default_rng(5).integers(0, 2, (6, 128), np.uint8)
    bits = bits[chance.integers(0, 6, count)]
    for row, flips in zip(bits, chance.choice((1, 2, 3, 4, 6), count), strict=True):
        row[chance.integers(0, 128, flips) // 4 * 4] ^= 1
    shots["phash"] = np.packbits(bits, axis=1).view(np.uint64)
    shots["phash"][chance.random(count) < 0.1] = 0
    return shots


def crowded(chance: np.random.Generator, count: int) -> Shots:
    """Draw photos of many motifs that agree in some bands, where others are between them.

    Half of them differ from the other half of their motif in all other bands.
    """
    shots = alike(chance, count)
    bits = np.random.default_rng(6).integers(0, 2, (25, 128), np.uint8)
    bits[:, :48] = bits[0, :48]
    bits = bits[chance.integers(0, 25, count)]
    for row in bits[: len(bits) // 2]:
        row[np.arange(48, 128, 16) + chance.integers(0, 16, 5)] ^= 1
    shots["phash"] = np.packbits(bits, axis=1).view(np.uint64)
    return shots


def timed(chance: np.random.Generator, count: int) -> Shots:
    """Draw photos of two cameras in a few minutes, many of them brackets, and long exposures."""
    shots = np.zeros(count, SHOT)
    shots["here"], shots["camera"] = chance.random(count) < 0.9, chance.choice((0, 0, 0, 1), count)
    times = chance.integers(0, 40, count) * 23_000_000 + chance.integers(0, 80, count) * 100_000
    shots["taken_at"] = np.datetime64("2020-01-01T10:00:00", "us") + times.astype("m8[us]")
    shots["exposure_s"] = chance.choice((0.01, 0.04, 7.5, 15.0, 30.0, 60.0, 900.0), count)
    shots["ev"] = chance.choice((8.0, 8.0, 8.0, 10.0, 12.0), count)
    shots["phash"] = 1
    shots["width"], shots["height"] = 6000, 4000
    return shots


def rhythmic(chance: np.random.Generator, count: int) -> Shots:
    """Draw photos with gaps at which the pauses around a series decide about it."""
    shots = timed(chance, count)
    times = chance.integers(0, 400, count) * np.timedelta64(4_000_000, "us")
    shots["taken_at"] = np.datetime64("2020-01-01T10:00:00", "us") + times
    shots["exposure_s"], shots["ev"], shots["camera"] = 0.01, 8.0, 0
    return shots


@pytest.mark.parametrize("most", [5, 20])
@pytest.mark.parametrize(
    ("draw", "crowd"), [(alike, 64), (alike, 12), (crowded, 64), (timed, 64), (rhythmic, 64)]
)
def test_grouping_what_is_near_a_change_is_exact(
    monkeypatch: pytest.MonkeyPatch,
    draw: Callable[[np.random.Generator, int], Shots],
    crowd: int,
    most: int,
) -> None:
    monkeypatch.setattr(copies, "CROWD", crowd)
    chance, photos = np.random.default_rng(most), Neighborhoods()
    stacks, kinds = np.zeros(100, np.int64), np.zeros(100, np.int8)
    changes = 0
    for step in range(80):
        ids = np.sort(chance.choice(np.arange(1, 100), chance.integers(1, most), replace=False))
        photos.update(ids, draw(chance, len(ids)), lambda names: np.zeros(0, np.int64))
        some, similar = photos.take_affected()
        found = group(photos.columns(some), None, similar)
        changes += int((stacks[some] != found.stack).sum())
        stacks[some], kinds[some] = found.stack, found.kind
        every = np.flatnonzero(photos.shots["grouped"])
        afresh = group(photos.columns(every))
        np.testing.assert_array_equal(stacks[every], afresh.stack, f"after step {step}")
        np.testing.assert_array_equal(kinds[every], afresh.kind, f"after step {step}")
    assert changes > 100


@pytest.mark.parametrize("crowd", [64, 1])
def test_similar_pairs_are_those_of_all_photos(monkeypatch: pytest.MonkeyPatch, crowd: int) -> None:
    monkeypatch.setattr(copies, "CROWD", crowd)
    chance, photos = np.random.default_rng(3), Neighborhoods()
    before: set[tuple[int, int]] = set()
    changes = 0
    for step in range(200):
        ids = np.sort(chance.choice(np.arange(1, 100), 1 + step % 5, replace=False))
        photos.update(ids, crowded(chance, len(ids)), lambda names: np.zeros(0, np.int64))
        some, similar = photos.take_affected()
        every = np.flatnonzero(photos.shots["grouped"])
        found = copies.similar_pairs(photos.shots["phash"][every])
        now = set().union(*(pairs_of(every, *pairs) for pairs in found))
        taken, grouped = set(some.tolist()), set(every.tolist())
        near = {pair for pair in now if taken.intersection(pair)}
        assert similar is None or pairs_of(some, *similar) == near, f"step {step}"
        changed = {photo for pair in before ^ now for photo in pair}
        assert changed & grouped <= taken, f"step {step}"
        changes += len(before ^ now)
        before = now
    assert changes > 100


def pairs_of(
    ids: NDArray[np.int64], one: NDArray[np.intp], other: NDArray[np.intp]
) -> set[tuple[int, int]]:
    return {
        (min(pair), max(pair)) for pair in zip(ids[one].tolist(), ids[other].tolist(), strict=True)
    }


@pytest.fixture
def connection(catalog: Catalog) -> Iterator[sqlite3.Connection]:
    catalog.work.use_stages(catalogs.STAGES)
    with closing(sqlite3.connect(catalog.path, isolation_level=None)) as opened:
        opened.execute("PRAGMA synchronous = OFF")
        yield opened


@pytest.mark.parametrize("encoder", [None, taste_data.ENCODER])
@pytest.mark.parametrize("seed", range(5))
def test_grouping_everything_afresh_changes_nothing(
    catalog: Catalog,
    connection: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    encoder: str | None,
) -> None:
    if seed > 2:  # a crowd comes and goes
        monkeypatch.setattr(copies, "CROWD", 9)
    history = History(catalog, connection, seed)
    stacker = Stacker(catalog)
    stacker.use_encoder(encoder)
    stacked = 0
    for step in range(STEPS):
        history.step()
        stacked += len(work_off(stacker))
        assert work_off(another(stacker, catalog)) == [], f"after step {step}"
    assert stacked > STEPS / 4


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many photos were grouped, each time."""
    counts: list[int] = []

    def counting(shots: StackColumns, *more: Any) -> Stacks:
        counts.append(len(shots.ids))
        return group(shots, *more)

    monkeypatch.setattr(stacking, "group", counting)
    monkeypatch.setattr(column_file, "MIN_PHOTOS", 0)
    return counts


def test_the_next_run_goes_on_from_the_file(
    catalog: Catalog, connection: sqlite3.Connection, tmp_path: Path, grouped: list[int]
) -> None:
    history = History(catalog, connection, 7)
    for run in range(STEPS):
        stacker = Stacker(catalog, tmp_path / "stacks.columns")
        history.step()
        work_off(stacker)
        stacker.save()
        few = grouped[-1] < PHOTOS / 2
        assert few or run == 0
        assert work_off(another(stacker, catalog)) == [], f"after run {run}"


@pytest.mark.parametrize("damage", ["file", "token", "column", "rules"])
def test_without_a_valid_file_all_photos_are_grouped(
    catalog: Catalog,
    connection: sqlite3.Connection,
    tmp_path: Path,
    grouped: list[int],
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    file = tmp_path / "stacks.columns"
    stacker = Stacker(catalog, file)
    History(catalog, connection, 8).step()
    work_off(stacker)
    stacker.save()
    work_off(Stacker(catalog, file))
    assert grouped[0] > PHOTOS / 2 and grouped[-1] == 0
    if damage == "file":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "column":
        label, columns = column_file.read(file)
        del columns["state"]
        column_file.write(file, label, columns)
    elif damage == "rules":
        monkeypatch.setattr(copies, "CROWD", 60)
    else:
        catalog.stacks.set_snapshot("of a backup")
    work_off(Stacker(catalog, file))
    assert grouped[-1] == grouped[0]


@pytest.mark.parametrize("later", [None, taste_data.ENCODER, "another"])
@pytest.mark.parametrize("at_saving", [None, "another"])
def test_the_encoder_may_change_between_grouping_saving_and_the_next_run(
    catalog: Catalog,
    connection: sqlite3.Connection,
    tmp_path: Path,
    grouped: list[int],
    at_saving: str | None,
    later: str | None,
) -> None:
    history = History(catalog, connection, 11)
    for _ in range(5):
        history.step()
    stacker = Stacker(catalog, tmp_path / "stacks.columns")
    stacker.use_encoder(taste_data.ENCODER)
    work_off(stacker)
    stacker.use_encoder(at_saving)
    stacker.save()
    restored = Stacker(catalog, tmp_path / "stacks.columns")
    restored.use_encoder(later)
    work_off(restored)
    assert work_off(another(restored, catalog)) == []


def test_photos_are_grouped_after_a_failure(
    catalog: Catalog, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(catalog, connection, 9)
    stacker = Stacker(catalog)
    work_off(stacker)
    for _ in range(5):
        history.step()
    with monkeypatch.context() as failing:
        failing.setattr(stacking, "group", Mock(side_effect=CatalogError("It is full.")))
        with pytest.raises(CatalogError):
            work_off(stacker)
    assert stacker.waiting and work_off(stacker)
    assert work_off(another(stacker, catalog)) == []


def test_photos_at_rest_are_known_from_the_file_only(
    catalog: Catalog,
    connection: sqlite3.Connection,
    tmp_path: Path,
    grouped: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(stacking, "time", SimpleNamespace(monotonic=lambda: clock.now))
    history = History(catalog, connection, 10)
    history.step()
    stacker = Stacker(catalog, tmp_path / "stacks.columns")
    work_off(stacker)
    clock.now += 1000.0
    stacker.advance(calm=False, focus=())
    assert stacker._photos is not None
    stacker.advance(calm=True, focus=())
    assert stacker._photos is None
    history.step()
    work_off(stacker)
    assert grouped[-1] < PHOTOS / 2
    assert work_off(another(stacker, catalog)) == []
