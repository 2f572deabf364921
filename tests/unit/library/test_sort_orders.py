"""Orders sort stacks by their best frame; inside a stack by capture time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.library.sort_orders import _NO_VALUE_CODE, ORDERS, _coded, sorted_ids
from curator.library.table import Mask, Table
from tests import catalogs, face_data
from tests.face_data import OPEN

EVERYTHING = list(range(1, 11))


@pytest.fixture
def table(home: Home) -> Iterator[Table]:
    """Ten photos by capture time, with sharpness 0.0, 3.7, 7.4 ... 33.3; 3, 4 and 8 are a stack."""
    catalogs.fill(home.catalog, 10)
    catalogs.stack(home.catalog, 3, 4, 8)
    catalog = Catalog.open(home.catalog)
    yield Table(catalog)
    catalog.close()


def listed(table: Table, order: str, reverse: bool = False, **how: bool) -> list[int]:
    return sorted_ids(table, table.alive(), order, reverse, **how).tolist()


def test_by_time_a_stack_is_at_its_first_frame(table: Table) -> None:
    assert listed(table, "taken") == [1, 2, 3, 4, 8, 5, 6, 7, 9, 10]


def test_ranks_that_a_float_would_round_stay_apart(table: Table) -> None:
    table.column("taken_at")[0] = np.datetime64("NaT")
    table.ranks.by_time = lambda: np.arange(10) + 2**25  # type: ignore[method-assign]
    keys = _coded(ORDERS["taken"].key(table))
    assert keys.tolist() == [_NO_VALUE_CODE, *range(2**25 + 1, 2**25 + 10)]


def test_photos_without_capture_time_are_last_in_both_directions(table: Table) -> None:
    table.column("taken_at")[[4, 7]] = np.datetime64("NaT")  # photos 5 and 8
    table.ranks.forget_times()
    assert listed(table, "taken") == [1, 2, 3, 4, 8, 6, 7, 9, 10, 5]
    assert listed(table, "taken", True) == [10, 9, 7, 6, 3, 4, 8, 2, 1, 5]


def test_in_reverse_order_frames_of_a_stack_stay_chronological(table: Table) -> None:
    assert listed(table, "taken", True) == [10, 9, 7, 6, 5, 3, 4, 8, 2, 1]


def test_by_sharpness_a_stack_is_at_its_sharpest_frame(table: Table) -> None:
    assert listed(table, "sharpness") == [1, 2, 5, 6, 7, 3, 4, 8, 9, 10]


def test_by_name_a_stack_is_at_its_first_name(table: Table) -> None:
    assert listed(table, "name") == [1, 2, 3, 4, 8, 5, 6, 7, 9, 10]


def test_by_rating_and_match_a_stack_is_at_its_best_frame(table: Table) -> None:
    table.column("rating")[[3, 6]] = 5, 2  # photos 4 and 7
    assert listed(table, "rating") == [2, 5, 6, 9, 10, 1, 7, 3, 4, 8]
    scores = np.array([50, 60, 10, 20, 30, 70, 80, 55, 90, 95], np.int16)
    table.scores.set(np.arange(1, 11), scores, scores.astype(np.float32))
    assert listed(table, "match") == [5, 1, 3, 4, 8, 2, 6, 7, 9, 10]


def test_a_frame_without_a_value_follows_one_that_has_it(table: Table) -> None:
    table.column("sharpness")[[2, 7, 9]] = np.nan  # photos 3, 8 and 10
    assert listed(table, "sharpness") == [1, 2, 3, 4, 8, 5, 6, 7, 9, 10]
    assert listed(table, "sharpness", True) == [9, 7, 6, 5, 3, 4, 8, 2, 1, 10]


def test_by_eye_sharpness_photos_without_measured_eyes_are_last_in_both_directions(
    table: Table,
) -> None:
    soft, sharp = replace(OPEN, eye_sharpness=20.0), replace(OPEN, eye_sharpness=70.0)
    face_data.save(table.catalog, {1: [sharp, soft], 2: [], 5: [soft], 4: [OPEN]})
    table.refresh()
    assert listed(table, "eyes") == [5, 3, 4, 8, 1, 2, 6, 7, 9, 10]
    assert listed(table, "eyes", True) == [1, 3, 4, 8, 5, 2, 6, 7, 9, 10]
    assert [tile.eye_sharpness for tile in table.tiles([1, 2, 3])] == [70.0, None, None]


def test_only_listed_frames_count_for_a_stack(table: Table) -> None:
    mask = table.alive()
    mask[2] = False  # photo 3
    assert sorted_ids(table, mask, "taken").tolist() == [1, 2, 4, 8, 5, 6, 7, 9, 10]


def test_frames_can_be_sorted_without_stacks(table: Table) -> None:
    assert listed(table, "taken", units=False) == EVERYTHING


def test_rows_by_time_are_computed_again_only_after_a_change(table: Table) -> None:
    everything, mask = listed(table, "taken"), table.alive()
    rows, _ = table.stacks.units_by_time(mask)
    assert table.stacks.units_by_time(mask.copy())[0] is rows
    assert listed(table, "taken", units=False) == EVERYTHING
    mask[2] = False
    assert sorted_ids(table, mask, "taken").tolist() == [1, 2, 4, 8, 5, 6, 7, 9, 10]
    assert listed(table, "taken") == everything

    with table.catalog.store.transaction():
        table.catalog.store.run("UPDATE photo SET stack = NULL, rev = rev + 9 WHERE id = 8")
    table.refresh()
    assert listed(table, "taken") == EVERYTHING
    table.column("taken_at")[1] = np.datetime64("1999-01-01")
    table.ranks.forget_times()
    assert (table.stacks.units_by_time(table.alive())[0][:3] + 1).tolist() == [2, 1, 3]


@pytest.mark.parametrize("size", [30, 3])
def test_some_photos_are_sorted_by_time_without_the_ranks_of_all(home: Home, size: int) -> None:
    """Photos not read yet have no time; equal times are sorted by folder and name."""
    chance = np.random.default_rng(size)
    catalogs.fill(home.catalog, 30)
    catalog = Catalog.open(home.catalog)
    with catalog.store.transaction():
        catalog.store.run("INSERT INTO directory VALUES (9, 1, '/photos/-earlier')")
        catalog.store.run("UPDATE photo SET directory_id = 9 WHERE id % 2")
    table = Table(catalog)
    for row in range(table.size):
        taken = chance.choice(["NaT", "2024-05-01T10:00", f"2024-05-01T10:00:{row:02}"])
        table.column("taken_at")[row] = np.datetime64(taken)
    table.ranks.forget_times()
    rows = chance.permutation(table.size)[:size]
    found = table.ranks.in_time_order(rows)
    assert found.tolist() == rows[np.argsort(table.ranks.by_time()[rows])].tolist()
    assert table.ranks.in_time_order(rows).tolist() == found.tolist()
    assert table.ranks.in_time_order(rows[:0]).tolist() == []
    catalog.close()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("reverse", [False, True])
def test_every_order_keeps_all_photos_and_stacks_together(
    table: Table, order: str, reverse: bool
) -> None:
    found = listed(table, order, reverse)
    assert sorted(found) == EVERYTHING
    place = found.index(3)
    assert found[place : place + 3] == [3, 4, 8]


def by_hand(table: Table, mask: Mask, order: str, reverse: bool) -> list[int]:
    """Sort as the orders promise, photo by photo."""
    rows = np.flatnonzero(mask).tolist()
    ranks, names = table.ranks.by_time().tolist(), table.stacks.names.tolist()
    values = ORDERS[order].key(table).tolist()
    best = min if ORDERS[order].best is np.minimum else max

    def place(row: int) -> tuple[object, ...]:
        unit = [each for each in rows if each == row or names[each] == names[row] > 0]
        known = [values[each] for each in unit if values[each] == values[each]]
        value = best(known) if known else 0
        first = min(ranks[each] for each in unit)
        return (not known, -value if reverse else value, first, ranks[row])

    return table.ids[sorted(rows, key=place)].tolist()


def test_every_order_sorts_as_one_would_by_hand(home: Home) -> None:
    catalogs.fill(home.catalog, 60)
    catalog = Catalog.open(home.catalog)
    table = Table(catalog)
    chance = np.random.default_rng(5)
    for _ in range(12):
        table.stacks._names[:60] = 2 * chance.integers(0, 12, 60)
        table.column("rating")[:] = chance.integers(0, 6, 60)
        for name in ("sharpness", "exposure", "eye_sharpness"):
            values = chance.choice([np.nan, -1.5, -0.0, 0.0, 1e-3, 20, 20.000002, np.inf], 60)
            table.column(name)[:] = values
        table.column("added_at")[:] = 1.7e9 + chance.integers(-3, 3, 60)
        mask = chance.random(60) < 0.7
        for order in ("taken", "added", "name", "sharpness", "exposure", "eyes", "rating", "stack"):
            for reverse in (False, True):
                found = sorted_ids(table, mask, order, reverse).tolist()
                assert found == by_hand(table, mask, order, reverse), (order, reverse)
    catalog.close()
