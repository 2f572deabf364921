"""Stacks follow photos as they come in; a stack with a person's decision stays."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.encoders import EncoderOptions, Recipe
from curator.home import Home
from curator.model import CatalogError
from curator.pipeline import Encoding, Pipeline, stacking
from curator.pipeline.pair_similarity import PairSimilarity
from curator.pipeline.stacking import Stacker
from curator.settings import Settings
from tests import catalogs, taste_data
from tests.photos import TAKEN, draw_jpeg

LOOK = np.random.default_rng(1).integers(0, 2, 128, np.uint8)


class Shoot:
    """Photos 1 to ``count`` an hour apart, none of them marked, to be moved into bursts."""

    def __init__(self, catalog: Catalog, count: int) -> None:
        catalogs.fill(catalog.path, count)
        self.catalog, self.count = catalog, count
        self._connection = sqlite3.connect(catalog.path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = OFF")
        none = {"flag": None, "rating": None, "label": None, "kept": False}
        catalog.journal.decide(dict.fromkeys(range(1, count + 1), none), summary="")
        for photo in range(1, count + 1):
            self.put(photo, 3600.0 * photo)

    def close(self) -> None:
        self._connection.close()

    def put(self, photo: int, at: float | None, turned: int | None = None, **more: object) -> None:
        """Set when a photo was taken, in s, and by how many bits its hash differs."""
        bits = LOOK.copy()
        bits[: turned or 0] ^= 1
        taken = None if at is None else catalogs.FIRST + timedelta(seconds=at)
        columns = {
            "taken_at": taken and taken.isoformat(timespec="microseconds"),
            "look": None if turned is None else np.packbits(bits).tobytes().hex() + "020",
            "camera": "Test One",
            **more,
        }
        self._connection.execute(
            f"UPDATE photo SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
            (*columns.values(), photo),
        )

    def burst(self, *photos: int, turned: int | None = None) -> None:
        """Set the times of photos to right after the first of them."""
        for number, photo in enumerate(photos):
            self.put(photo, 3600.0 * photos[0] + 0.2 * number, turned)

    def stacks(self) -> list[tuple[int, ...]]:
        """Return the stacks, as lists of photo ids."""
        members = defaultdict(list)
        for photo in range(1, self.count + 1):
            row = self.row(photo)
            if row[0] is not None:
                members[row[0]].append(photo)
        assert all(name == min(photos) for name, photos in members.items())
        return [tuple(photos) for photos in members.values()]

    def row(self, photo: int) -> tuple[object, ...]:
        row: tuple[object, ...] = self._connection.execute(
            "SELECT stack, stack_kind FROM photo WHERE id = ?", (photo,)
        ).fetchone()
        return row


@pytest.fixture
def shoot(catalog: Catalog) -> Iterator[Shoot]:
    made = Shoot(catalog, 12)
    yield made
    made.close()


@pytest.fixture
def hundred_bursts(catalog: Catalog) -> Iterator[Shoot]:
    made = Shoot(catalog, 300)
    for first in range(1, 300, 3):
        made.burst(first, first + 1, first + 2)
    yield made
    made.close()


def work_off(stacker: Stacker, focus: tuple[int, ...] = ()) -> list[int]:
    """Run a stacker until it has nothing to do; return the photos it changed."""
    changed = []
    while stacker.waiting:
        changed += stacker.advance(calm=True, focus=focus)
    return changed


def again(stacker: Stacker, focus: tuple[int, ...] = ()) -> list[int]:
    stacker.touch()
    return work_off(stacker, focus)


# --- as photos come in


def test_a_burst_is_stacked_by_time_and_split_by_pictures(shoot: Shoot) -> None:
    shoot.burst(2, 3, 4, 5)
    stacker = Stacker(shoot.catalog)
    assert sorted(work_off(stacker)) == [2, 3, 4, 5]
    assert shoot.stacks() == [(2, 3, 4, 5)]
    shoot.burst(2, 3, turned=4)
    shoot.put(4, 7200.4, 64)
    shoot.put(5, 7200.6, 66)
    assert sorted(again(stacker)) == [4, 5]
    assert shoot.stacks() == [(2, 3), (4, 5)]
    assert shoot.row(4)[1] == "burst"


def test_an_impossible_size_stops_nothing(shoot: Shoot) -> None:
    shoot.burst(3, 4, 5)
    shoot.put(9, 9.0, width=2**32 - 1, height=2**63 - 1)
    work_off(Stacker(shoot.catalog))
    assert shoot.stacks() == [(3, 4, 5)]


def test_new_photos_are_stacked_after_a_full_disk(
    shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    with monkeypatch.context() as full:
        full.setattr(
            shoot.catalog.stacks, "set_made_by", Mock(side_effect=CatalogError("It is full."))
        )
        with pytest.raises(CatalogError):
            stacker.touch()
    stacker.touch()
    assert Stacker(shoot.catalog).waiting, "after a kill, the next start groups them"


def test_grouping_again_writes_nothing(shoot: Shoot) -> None:
    shoot.burst(2, 3, 4)
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    before = catalogs.last_rev(shoot.catalog)
    assert again(stacker) == []
    assert catalogs.last_rev(shoot.catalog) == before


def test_a_copy_is_stacked_once_both_pictures_are_read(shoot: Shoot) -> None:
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    shoot.put(7, 7 * 3600.0, 0)
    shoot.put(9, None, 3, width=1500, height=1000)
    assert again(stacker) == [7, 9]
    assert shoot.row(9)[:2] == (7, "duplicate")


def test_a_photo_merged_into_another_leaves_its_stack(shoot: Shoot) -> None:
    shoot.burst(2, 3)
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    shoot.put(3, 0.0, merged_into=9)
    assert again(stacker) == [2]
    assert shoot.row(2)[0] is None


def test_stacks_are_written_a_few_at_a_time_and_whole(hundred_bursts: Shoot) -> None:
    stacker = Stacker(hundred_bursts.catalog)
    pieces = []
    while stacker.waiting:
        pieces.append(stacker.advance(calm=True, focus=()))
    assert len(pieces) >= 5
    assert all(len(piece) % 3 == 0 for piece in pieces)
    assert len(hundred_bursts.stacks()) == 100


# --- a person's word


@pytest.mark.parametrize(
    "fields", [{"rating": 4}, {"flag": "reject"}, {"label": "red"}, {"kept": True}, {"stacked": 0}]
)
def test_a_stack_with_a_mark_is_never_touched_again(
    shoot: Shoot, fields: dict[str, object]
) -> None:
    shoot.burst(2, 3, 4)
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    shoot.catalog.journal.decide({3: fields}, summary="")
    for photo, turned in ((2, 0), (3, 50), (4, 100)):  # three pictures after all
        shoot.put(photo, 7200.0 + photo / 10, turned)
    for photo in (5, 6):  # and two more of the burst
        shoot.put(photo, 7200.0 + photo / 10, 100)
    again(stacker)
    assert shoot.stacks() == [(2, 3, 4), (5, 6)]


def test_photos_stacked_by_hand_are_left_to_the_person(shoot: Shoot) -> None:
    shoot.catalog.journal.decide({2: {"stacked": 2}, 9: {"stacked": 2}}, summary="Stacked 2")
    shoot.burst(2, 3, 4)
    work_off(Stacker(shoot.catalog))
    assert shoot.stacks() == [(3, 4)]


def test_undoing_a_mark_lets_the_stack_change_again(shoot: Shoot) -> None:
    shoot.burst(2, 3)
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    shoot.catalog.journal.decide({3: {"flag": "pick"}}, summary="")
    shoot.put(3, 9000.0)
    assert again(stacker) == []
    shoot.catalog.journal.undo()
    assert sorted(again(stacker)) == [2, 3]


def test_a_mark_made_while_stacks_are_written_holds(
    shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shoot.burst(2, 3)
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    shoot.put(3, 9000.0)
    save = shoot.catalog.stacks.save

    def late(changes: object) -> list[int]:
        shoot.catalog.journal.decide({2: {"rating": 5}}, summary="")
        return save(changes)  # type: ignore[arg-type]

    monkeypatch.setattr(shoot.catalog.stacks, "save", late)
    assert again(stacker) == []
    assert shoot.stacks() == [(2, 3)]


def test_a_stack_on_screen_changes_only_after_it_is_left(shoot: Shoot) -> None:
    shoot.burst(2, 3)
    shoot.burst(6, 7)
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    shoot.burst(6, 8)
    shoot.put(7, 9500.0)
    shoot.put(3, 9000.0)
    assert sorted(again(stacker, focus=(2, 9))) == [7, 8]
    assert shoot.stacks() == [(2, 3), (6, 8)]
    assert stacker.waits_for_focus
    assert stacker.advance(calm=True, focus=(2,)) == [] and not stacker.waiting
    stacker.advance(calm=True, focus=(10,))
    work_off(stacker)
    assert shoot.stacks() == [(6, 8)] and not stacker.waits_for_focus


def test_pictures_split_a_stack_by_time_even_on_screen(shoot: Shoot) -> None:
    shoot.burst(2, 3, 4)
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    shoot.put(2, 7200.0, 0)
    shoot.put(3, 7200.2, 3)
    assert again(stacker, focus=(2, 3, 4)) == []
    shoot.put(4, 7200.4, 70)
    assert again(stacker, focus=(2, 3, 4)) == [4]


def test_photos_on_screen_are_stacked_first(hundred_bursts: Shoot) -> None:
    stacker = Stacker(hundred_bursts.catalog)
    assert {250, 251, 252} <= set(stacker.advance(calm=True, focus=(251,)))


# --- what an encoder says


def test_vectors_split_photos_that_only_look_alike(shoot: Shoot) -> None:
    shoot.catalog.work.use_stages(catalogs.STAGES)
    shoot.burst(2, 3, 4, turned=3)
    stacker = Stacker(shoot.catalog)
    stacker.use_encoder(taste_data.ENCODER)
    work_off(stacker)
    assert shoot.stacks() == [(2, 3, 4)]
    taste_data.embed(shoot.catalog, [2, 3])  # drawn: they have nothing in common
    again(stacker)
    assert shoot.stacks() == [(3, 4)]
    stacker.use_encoder("a better one")  # and it has seen nothing yet
    again(stacker)
    assert shoot.stacks() == [(2, 3, 4)]


def test_a_new_vector_of_one_photo_splits_its_stack(shoot: Shoot) -> None:
    shoot.catalog.work.use_stages(catalogs.STAGES)
    shoot.burst(2, 3, 4, turned=3)
    stacker = Stacker(shoot.catalog)
    stacker.use_encoder(taste_data.ENCODER)
    vector, tone = np.ones(16, np.float16), np.zeros(76, np.float32)
    for photo in (2, 3, 4):
        found = taste_data.result(shoot.catalog, photo, taste_data.ENCODER, vector, tone)
        shoot.catalog.vectors.save([(taste_data.job(photo), found)])
    work_off(stacker)
    assert shoot.stacks() == [(2, 3, 4)]
    vector[::2] = -1
    found = taste_data.result(shoot.catalog, 4, taste_data.ENCODER, vector, tone)
    shoot.catalog.vectors.save([(taste_data.job(4), found)])
    again(stacker)
    assert shoot.stacks() == [(2, 3)]


@pytest.mark.parametrize("broken", [np.zeros(16), np.full(16, np.nan), np.ones(5)])
def test_a_broken_vector_changes_nothing(shoot: Shoot, broken: np.ndarray) -> None:
    taste_data.embed(shoot.catalog, [1, 2, 4, 5])
    bad = taste_data.result(
        shoot.catalog, 3, taste_data.ENCODER, broken.astype(np.float16), np.zeros(76, np.float32)
    )
    shoot.catalog.vectors.save([(taste_data.job(3), bad)])
    pairs = PairSimilarity(shoot.catalog, taste_data.ENCODER)
    pairs.refresh()
    answer = pairs(np.array([1, 1]), np.array([3, 2]))
    assert np.isnan(answer[0]) and not np.isnan(answer[1])


def test_unrelated_photos_are_measured_among_all_and_again_once_there_are_twice_as_many(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(catalog.path, 240)
    for _ in range(3):  # their proxies changed
        taste_data.embed(catalog, range(1, 121))
    pairs = PairSimilarity(catalog, taste_data.ENCODER)
    read = Mock(side_effect=catalog.vectors.of)
    monkeypatch.setattr(catalog.vectors, "of", read)
    pairs.refresh()
    assert len(read.call_args.args[1]) == 96
    read.reset_mock()
    taste_data.embed(catalog, range(121, 240))
    pairs.refresh()
    assert not read.called
    taste_data.embed(catalog, [240])
    pairs.refresh()
    assert read.called


# --- when


def test_grouping_is_rare_while_photos_come_in(
    shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(stacking, "time", SimpleNamespace(monotonic=lambda: clock.now))
    stacker = Stacker(shoot.catalog)
    shoot.burst(2, 3)
    assert stacker.advance(calm=False, focus=()) == [2, 3], "the first at once"
    shoot.burst(5, 6)
    stacker.touch()
    assert stacker.advance(calm=False, focus=()) == []
    assert stacker.wait_s(calm=False) == pytest.approx(stacking.EVERY_S)
    clock.now += stacking.EVERY_S
    assert stacker.advance(calm=False, focus=()) == [5, 6]
    shoot.burst(8, 9)
    stacker.touch()
    assert stacker.advance(calm=True, focus=()) == [8, 9], "nothing more will come soon"


def test_stacks_left_undone_by_an_earlier_run_are_made(shoot: Shoot) -> None:
    stacker = Stacker(shoot.catalog)
    work_off(stacker)
    assert not Stacker(shoot.catalog).waiting
    shoot.burst(2, 3)
    stacker.touch()  # and killed
    next_run = Stacker(shoot.catalog)
    assert next_run.waiting
    work_off(next_run)
    assert shoot.stacks() == [(2, 3)]
    assert not Stacker(shoot.catalog).waiting


def test_a_new_version_makes_all_stacks_again(
    shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    work_off(Stacker(shoot.catalog))
    monkeypatch.setattr(stacking, "VERSION", "99")
    assert Stacker(shoot.catalog).waiting


def test_stacks_are_made_before_idle_is_reported(home: Home, tmp_path: Path) -> None:
    for number in range(3):
        taken = TAKEN + timedelta(seconds=0.2 * number)
        draw_jpeg(tmp_path / "in" / f"{number}.jpg", size=(300, 200), taken=taken)
    draw_jpeg(tmp_path / "in" / "later.jpg", size=(300, 200), seed=2, quality=50, taken=None)
    hour = timedelta(hours=1)
    draw_jpeg(tmp_path / "in" / "single.jpg", size=(300, 200), seed=2, taken=TAKEN + hour)
    saved: list[int] = []
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.events.photos_saved.connect(saved.extend)
    pipeline.start()
    try:
        pipeline.open_folders([tmp_path / "in"])
        assert pipeline.wait_idle() is not None
    finally:
        pipeline.stop()
    with closing(sqlite3.connect(home.catalog)) as connection:
        rows = connection.execute("SELECT name, stack, stack_kind FROM photo").fetchall()
    burst = {(str(number), 1, "burst") for number in range(3)}
    assert set(rows) == burst | {("later", 4, "duplicate"), ("single", 4, "duplicate")}
    assert {4, 5} <= set(saved)


def test_stacks_use_the_current_encoder(home: Home) -> None:
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    try:
        conductor = pipeline._conductor
        assert conductor._between.stacker.encoder is None
        recipe = Recipe("starter", taste_data.ENCODER, EncoderOptions(home.cache))
        conductor.use_encoder(Encoding(recipe, "Photos are analyzed."))
        assert conductor._between.stacker.encoder == taste_data.ENCODER
        conductor.use_encoder(Encoding(None, "Photos are not analyzed."))
        assert conductor._between.stacker.encoder is None
    finally:
        pipeline.stop()
