"""Which photos form a stack, and which frame is suggested."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.library.filters import mask, parse
from curator.library.sort_orders import sorted_ids
from curator.library.table import Table
from tests import catalogs


@pytest.fixture
def catalog(home: Home) -> Iterator[Catalog]:
    """Twelve photos with the automatic stacks 3-6 and 8-9 and the bracket 10-12."""
    catalogs.fill(home.catalog, 12)
    catalogs.stack(home.catalog, 3, 4, 5, 6)
    catalogs.stack(home.catalog, 8, 9, kind="duplicate")
    catalogs.stack(home.catalog, 10, 11, 12, kind="bracket")
    opened = Catalog.open(home.catalog)
    yield opened
    opened.close()


def stack_by_hand(catalog: Catalog, table: Table, number: int | None, *photos: int) -> None:
    catalog.journal.decide({photo: {"stacked": number} for photo in photos}, summary="")
    table.refresh()


def found(table: Table, expression: str) -> list[int]:
    return table.ids[mask(parse(expression), table)].tolist()


def stacks_of(table: Table) -> list[list[int]]:
    names = table.stacks.names
    return [table.ids[names == name].tolist() for name in np.unique(names[names > 0])]


def test_automatic_stacks_are_loaded(catalog: Catalog) -> None:
    table = Table(catalog)
    assert stacks_of(table) == [[3, 4, 5, 6], [8, 9], [10, 11, 12]]
    assert found(table, "is:stack") == [3, 4, 5, 6, 8, 9, 10, 11, 12]


def test_manual_stacking_has_precedence_and_can_be_undone(catalog: Catalog) -> None:
    table = Table(catalog)
    serial = table.stacks.serial
    stack_by_hand(catalog, table, 0, 4)
    assert stacks_of(table)[0] == [3, 5, 6]
    assert table.stacks.serial > serial
    catalog.journal.undo()
    table.refresh()
    assert stacks_of(table)[0] == [3, 4, 5, 6]


def test_the_frames_of_named_stacks_are_listed_in_order(catalog: Catalog) -> None:
    table = Table(catalog)
    stack_by_hand(catalog, table, 1, 2, 7)
    names = table.stacks.names
    for frames, found_rows in (([2], [1, 6]), ([12, 7], [1, 6, 9, 10, 11]), ([], [])):
        wanted = names[table.rows_of(np.array(frames, np.int64))]
        assert table.stacks.rows_named(wanted).tolist() == found_rows
    assert not len(table.stacks.rows_named(np.array([999])))


def test_a_manual_stack_is_never_confused_with_an_automatic_one_of_the_same_number(
    catalog: Catalog,
) -> None:
    table = Table(catalog)
    stack_by_hand(catalog, table, 3, 1, 2)  # 3 also names the machine's stack of 3-6
    assert stacks_of(table) == [[3, 4, 5, 6], [1, 2], [8, 9], [10, 11, 12]]


def test_the_number_of_a_new_stack_is_unique(catalog: Catalog) -> None:
    table = Table(catalog)
    assert table.stacks.unused_number(np.array([1, 2])) == 1
    assert table.stacks.unused_number(np.array([3, 7])) == 7  # 3 names what 4, 5 and 6 are in
    stack_by_hand(catalog, table, 1, 2, 7)
    assert table.stacks.unused_number(np.array([1])) == 11  # past 10, the highest in use


def test_a_photo_taken_out_of_its_stack_is_not_suggested(catalog: Catalog) -> None:
    table = Table(catalog)
    assert found(table, "is:suggested") == [6, 9]
    stack_by_hand(catalog, table, 0, 6)
    assert found(table, "is:suggested") == [5, 9]


def test_a_single_remaining_frame_is_in_no_stack(catalog: Catalog) -> None:
    table = Table(catalog)
    stack_by_hand(catalog, table, 0, 8)
    assert 9 not in found(table, "is:stack")


def test_marks_do_not_change_stacks(catalog: Catalog) -> None:
    table = Table(catalog)
    serial = table.stacks.serial
    catalog.journal.decide({3: {"flag": "reject"}}, summary="")
    table.refresh()
    assert table.stacks.serial == serial


def test_the_sharpest_frame_is_suggested_but_never_in_a_bracket(catalog: Catalog) -> None:
    table = Table(catalog)
    assert found(table, "is:suggested") == [6, 9]  # sharpness rises with the number
    assert table.stacks.reason(5) == "sharpest of 4"


def test_after_a_reject_the_next_best_frame_is_suggested_until_undone(
    catalog: Catalog,
) -> None:
    table = Table(catalog)
    assert found(table, "is:suggested") == [6, 9]
    catalog.journal.decide({6: {"flag": "reject"}}, summary="")
    table.refresh()
    assert found(table, "is:suggested") == [5, 9]
    catalog.journal.undo()
    table.refresh()
    assert found(table, "is:suggested") == [6, 9]


def test_a_damaged_frame_has_no_sharpness_and_is_never_suggested(
    catalog: Catalog, home: Home
) -> None:
    catalogs.capture(home.catalog, 6, damage="The file is damaged.")  # the sharpest of its stack
    table = Table(catalog)
    assert found(table, "is:damaged") == [6]
    assert found(table, "is:suggested") == [5, 9]
    assert 6 not in found(table, "sharpness:>=0")
    assert [tile.damaged for tile in table.tiles([5, 6])] == [False, True]
    for reverse in (False, True):
        order = sorted_ids(table, table.alive(), "sharpness", reverse, units=False)
        assert order.tolist()[-1] == 6
    assert catalog.photos.get(6).scores is None


def test_a_reviewed_frame_is_not_suggested(catalog: Catalog) -> None:
    table = Table(catalog)
    catalog.journal.decide({6: {"kept": True}}, summary="")
    table.refresh()
    assert found(table, "is:suggested") == [9]


def test_a_mark_recomputes_only_its_own_stack(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curator.library import stack_index

    table = Table(catalog)
    table.stacks.suggested()
    looked: list[int] = []
    propose = stack_index.propose

    def counted(frames: stack_index.Candidates) -> stack_index.Mask:
        looked.append(len(frames.stack))
        return propose(frames)

    monkeypatch.setattr(stack_index, "propose", counted)
    catalog.journal.decide({4: {"rating": 3}, 1: {"rating": 2}}, summary="")
    table.refresh()
    table.stacks.suggested()
    table.stacks.suggested()
    assert looked == [4]


def test_stacks_are_compared_when_asked_about_or_slice_by_slice(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curator.library import filters, stack_index

    monkeypatch.setattr(stack_index, "_MANY", 0)
    table, looked = Table(catalog), list[int]()
    propose = stack_index.propose

    def counted(frames: stack_index.Candidates) -> stack_index.Mask:
        looked.append(len(frames.stack))
        return propose(frames)

    monkeypatch.setattr(stack_index, "propose", counted)
    table.stacks.update_suggestions()
    assert not table.stacks.is_complete and looked == []
    assert "suggested" not in filters.filter_masks(table, 70)
    asked = table.rows_of([5, 6, 1])
    assert table.stacks.suggested_at(asked).tolist() == [False, True, False]
    assert table.stacks.suggested_at(asked[:2]).tolist() == [False, True]
    assert looked == [4]
    while table.stacks.advance(1):
        pass
    assert "suggested" in filters.filter_masks(table, 70)
    shared = int(table.stacks.shared().sum())
    assert sum(looked) == shared and len(looked) > 1
    assert found(table, "is:suggested") == [6, 9] and sum(looked) == shared


def test_a_stack_that_changes_before_its_turn_is_compared_as_it_is_now(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curator.library import stack_index

    table = Table(catalog)
    with monkeypatch.context() as slowly:
        slowly.setattr(stack_index, "_MANY", 0)
        table.stacks.update_suggestions()
    assert not table.stacks.is_complete
    catalog.journal.decide({6: {"stacked": 0}}, summary="")
    catalog.journal.decide({1: {"stacked": 1}, 9: {"stacked": 1}}, summary="")
    table.refresh()
    right = Table(catalog)
    right.stacks.complete()
    while table.stacks.advance(1):
        pass
    assert np.array_equal(table.stacks.suggested(), right.stacks.suggested())


def test_frames_of_a_disabled_folder_are_no_candidates(catalog: Catalog) -> None:
    table = Table(catalog)
    assert found(table, "is:suggested") == [6, 9]
    catalog.folders.enable(1, False)
    table.refresh()
    assert not table.stacks.suggested().any()
    assert not table.stacks.shared().any()
