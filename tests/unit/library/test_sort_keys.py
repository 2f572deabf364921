"""Sort keys: names in natural order, and times with names as tiebreaker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.library import sort_keys
from curator.library.sort_keys import Names, natural, time_ranks

NONE = "NaT"


def test_names_are_in_natural_order() -> None:
    names = ["IMG_10", "img_2", "a", "IMG_2b", "9", "x\ny1", ""]
    keys = dict(zip(names, natural(names), strict=True))
    assert sorted(names, key=keys.__getitem__) == [
        "",
        "9",
        "a",
        "img_2",
        "IMG_2b",
        "IMG_10",
        "x\ny1",
    ]
    assert natural([]) == []


def test_name_ranks_of_some_rows_equal_those_of_all_and_follow_a_rename() -> None:
    listed: list[object] = ["b2", "b10", "a", "b1"]
    names = Names(listed)
    some = np.array([1, 0])
    assert names.ranks(some).tolist() == [1, 0]
    assert names.ranks(np.arange(4)).tolist() == [2, 3, 0, 1]
    assert names.ranks(some).tolist() == [3, 2]
    listed.append("a0")
    assert names.ranks(np.arange(5)).tolist() == [3, 4, 0, 2, 1]
    listed[1] = "b0"
    names.forget()
    assert names.ranks(some).tolist() == [0, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("aB1902_", max_size=4), max_size=60), st.integers(0, 60))
def test_names_added_later_sort_as_if_added_at_once(listed: list[str], first: int) -> None:
    whole, parts = list[object](listed), list[object](listed[:first])
    names = Names(parts)
    names.ranks(np.arange(len(parts)))
    parts += listed[first:]
    rows = np.arange(len(listed))
    assert names.ranks(rows).tolist() == Names(whole).ranks(rows).tolist()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many names were read at a time to be compared."""
    found: list[int] = []
    plain = sort_keys.natural
    monkeypatch.setattr(sort_keys, "natural", lambda some: found.append(len(some)) or plain(some))
    return found


def test_a_new_name_is_inserted_without_sorting_the_others(looked: list[int]) -> None:
    listed: list[object] = [f"IMG_{number}" for number in range(1000)]
    names = Names(listed)
    names.ranks(np.arange(1000))
    looked.clear()
    listed.append("img_500b")
    assert names.ranks(np.arange(1001))[[500, 1000, 501]].tolist() == [500, 501, 502]
    assert sum(looked) < 20


def test_names_that_come_together_are_compared_with_the_same_others(looked: list[int]) -> None:
    listed: list[object] = [f"IMG_{number}" for number in range(2000)]
    names = Names(listed)
    names.ranks(np.arange(2000))
    looked.clear()
    listed += [f"IMG_{number}" for number in range(2000, 2050)]
    assert names.ranks(np.arange(2050)).tolist() == [*range(2050)]
    assert sum(looked) < 50 + 20


def test_equal_names_keep_their_order() -> None:
    assert Names(["b", "a", "a"]).ranks(np.arange(3)).tolist() == [2, 0, 1]


def test_names_are_compared_only_for_equal_times() -> None:
    times = np.array(["2024-01-02", NONE, "2024-01-01", "2024-01-02", NONE], "M8[us]")
    asked: list[int] = []

    def among(rows: np.ndarray) -> np.ndarray:
        asked.extend(sorted(rows.tolist()))
        return -rows  # the later row first

    assert time_ranks(times, among).tolist() == [2, 4, 0, 1, 3]
    assert asked == [0, 1, 3, 4]
    assert time_ranks(times[:0], among).tolist() == []
