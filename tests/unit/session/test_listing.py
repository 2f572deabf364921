"""The photo list: the current photo and the selection while the list changes."""

from __future__ import annotations

import numpy as np

from curator.library.spans import Ids
from curator.session.listing import Listing, ListStacks


class NoStacks(ListStacks):
    """Photos without stacks."""

    def __init__(self) -> None:
        pass

    def of(self, ids: Ids) -> Ids:
        return np.zeros_like(ids)

    def ranks(self, ids: Ids) -> Ids:
        return ids

    def expanded_in_scope(self) -> set[int]:
        return set()


def listing(*ids: int, current: int | None = None) -> Listing:
    made = Listing(NoStacks())
    made.replace(np.array(ids, np.int64), current)
    return made


def test_an_empty_list_has_no_current_photo() -> None:
    made = listing()
    assert made.current is None
    assert made.index == -1


def test_a_new_order_stays_on_the_current_photo() -> None:
    made = listing(1, 2, 3, current=3)
    made.replace(np.array([3, 2, 1], np.int64))
    assert made.current == 3
    assert made.index == 0


def test_a_list_that_loses_its_current_photo_stays_near_it() -> None:
    made = listing(1, 2, 3, 4, 5, current=4)
    made.replace(np.array([1, 2, 3, 5], np.int64))
    assert made.current == 5


def test_new_photos_are_added_after_the_visible_part_of_the_filmstrip() -> None:
    made = listing(*range(100, 140), current=100)
    everything = np.array([1, *range(100, 140), 200], np.int64)
    made.join(everything)
    assert made.ids[:16].tolist() == list(range(100, 116))
    assert set(made.ids.tolist()) == set(everything.tolist())
    assert made.ids[16] == 1


def test_photos_join_an_empty_list_in_order() -> None:
    made = listing()
    made.join(np.array([3, 1, 2], np.int64))
    assert made.ids.tolist() == [3, 1, 2]
    assert made.current == 3


def test_photos_that_are_gone_leave_a_list_that_others_join() -> None:
    made = listing(*range(1, 41))
    made.go(5)
    made.move(30, 35)
    left = [photo for photo in range(1, 42) if photo not in (4, 6, 8, 25)]
    made.join(np.array(left, np.int64), placed=[30])
    assert made.current == 7, "the next one, as 6 is gone"
    assert sorted(made.ids.tolist()) == left
    assert made.ids.tolist().index(30) == 35 - 3, "three before it are gone"


def test_shift_click_selects_from_the_last_click() -> None:
    made = listing(1, 2, 3, 4, 5)
    made.select_only(2)
    made.select_range(4)
    assert made.selection == {2, 3, 4}
    made.select_range(1)
    assert made.selection == {1, 2}


def test_control_click_adds_to_the_selection_and_removes_again() -> None:
    made = listing(1, 2, 3)
    made.toggle(3)
    assert made.selection == {1, 3}
    made.toggle(3)
    assert made.selection == {1}


def test_the_next_wanted_photo_is_found_in_both_directions() -> None:
    made = listing(1, 2, 3, 4, 5, current=3)
    wanted = [True, False, True, False, True]
    assert made.next_where(wanted, 1) == 4
    assert made.next_where(wanted, -1) == 0
    assert made.next_where([False] * 5, 1) is None
