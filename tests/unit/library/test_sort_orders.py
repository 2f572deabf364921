"""Orders sort stacks by their best frame; inside a stack by capture time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.library.sort_orders import ORDERS, sorted_ids
from curator.library.table import Table
from curator.settings import Home
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


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("reverse", [False, True])
def test_every_order_keeps_all_photos_and_stacks_together(
    table: Table, order: str, reverse: bool
) -> None:
    found = listed(table, order, reverse)
    assert sorted(found) == EVERYTHING
    place = found.index(3)
    assert found[place : place + 3] == [3, 4, 8]
