"""A list divided into stacks and tiles."""

from __future__ import annotations

import numpy as np
import pytest

from curator.library.spans import Spans, group_stacks, tile_spans, unit_spans


def spans(cut: Spans) -> list[list[int]]:
    return [list(cut[number]) for number in range(len(cut))]


def test_adjacent_frames_of_a_stack_are_one_span_and_single_photos_one_each() -> None:
    cut = unit_spans(np.array([0, 0, 7, 7, 9, 9, 9, 0]))
    assert spans(cut) == [[0], [1], [2, 3], [4, 5, 6], [7]]
    assert [cut.at(position) for position in range(8)] == [0, 1, 2, 2, 3, 3, 3, 4]
    assert cut.starts.tolist() == [0, 1, 2, 4, 7]


def test_an_empty_list_has_no_spans() -> None:
    cut = unit_spans(np.zeros(0, np.int64))
    assert len(cut) == 0
    assert cut.at(-1) == -1
    assert tile_spans(cut, np.zeros(0, bool)) is cut


def test_a_span_is_one_tile_unless_expanded() -> None:
    cut = unit_spans(np.array([0, 7, 7, 9, 9, 9]))
    expanded = np.array([False, False, False, False, True, False])
    assert spans(tile_spans(cut, expanded)) == [[0], [1, 2], [3], [4], [5]]


@pytest.mark.parametrize(
    ("stacks", "ranks", "order"),
    [
        ([0, 0, 0], [2, 1, 0], [0, 1, 2]),  # photos alone stay where they are
        ([7, 0, 7, 0], [0, 1, 2, 3], [0, 2, 1, 3]),  # a stray frame comes to the first
        ([0, 7, 9, 7, 9], [0, 1, 2, 3, 4], [0, 1, 3, 2, 4]),
        ([7, 7, 0, 7], [2, 1, 3, 0], [3, 1, 0, 2]),  # inside a stack the ranks rule
    ],
)
def test_stacks_are_grouped_at_their_first_frame(
    stacks: list[int], ranks: list[int], order: list[int]
) -> None:
    assert group_stacks(np.array(stacks), np.array(ranks)).tolist() == order
