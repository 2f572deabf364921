"""Panes side by side: winner, challenger, survey, and layouts that use the area well."""

from __future__ import annotations

import pytest

from curator.session.panes import GAP_PX, Cell, Pair, Survey, below, cells, halves

PHOTOS = (10, 11, 12, 13, 14)


# --- compare


def test_challengers_come_in_order_and_never_the_winner_itself() -> None:
    pair = Pair((12, 13), active=1, among=PHOTOS)
    assert pair.following(1) == [14]
    assert pair.following(-1) == [11, 10]  # past the winner
    assert Pair((12, 14), among=PHOTOS).following(1) == []
    assert Pair((12, 10), among=PHOTOS).following(-1) == []
    assert Pair((12, 99), among=PHOTOS).following(1) == []


def test_the_winner_stays_and_so_does_the_active_pane() -> None:
    pair = Pair((12, 13), active=1).challenged_by(14)
    assert (pair.winner, pair.challenger, pair.photo) == (12, 14, 14)
    pair = pair.switched().challenged_by(11)
    assert (pair.winner, pair.challenger, pair.photo) == (12, 11, 12)


def test_a_photo_never_challenges_itself() -> None:
    pair = Pair((12, 13), active=1)
    assert pair.challenged_by(12) == pair


def test_the_challenger_becomes_the_winner_and_the_next_one_challenges_it() -> None:
    pair = Pair((12, 13), active=1).promoted(14)
    assert (pair.winner, pair.challenger, pair.photo) == (13, 14, 14)
    assert pair.switched().promoted(10).photo == 14  # the active pane stays, too


# --- survey


def test_a_survey_shows_eight_and_others_replace_removed_ones() -> None:
    survey = Survey.of(range(1, 12), first=3)
    assert (survey.photos, survey.photo, survey.waiting) == (tuple(range(1, 9)), 3, 3)
    survey = survey.only(set(range(1, 12)) - {3})
    assert survey.photos == (1, 2, 4, 5, 6, 7, 8, 9)
    assert (survey.photo, survey.waiting) == (4, 2)


def test_a_photo_named_twice_is_surveyed_once() -> None:
    assert Survey.of([7, 8, 7, 9, 8]).photos == (7, 8, 9)


def test_removing_another_photo_keeps_the_active_one() -> None:
    survey = Survey.of([1, 2, 3, 4], first=3).only({2, 3, 4})
    assert (survey.photos, survey.photo) == ((2, 3, 4), 3)


def test_removing_the_last_in_a_row_activates_the_one_before_and_one_remains() -> None:
    survey = Survey.of([1, 2], first=2).only({1})
    assert (survey.photos, survey.photo) == ((1,), 1)
    assert survey.only(()) == survey


def test_a_photo_outside_the_survey_is_not_activated_first() -> None:
    assert Survey.of(range(20), first=15).photo == 0


def test_moving_along_the_panes_stops_at_the_ends() -> None:
    survey = Survey.of([1, 2, 3])
    assert survey.stepped(-1).photo == 1
    assert survey.stepped(1).stepped(1).stepped(1).photo == 3
    assert survey.stepped(2).switched().photo == 1
    assert survey.with_active(2).photo == 2
    assert survey.with_active(99) == survey


# --- where they lie


def picture_area(aspects: list[float], found: list[Cell], caption: int) -> float:
    total = 0.0
    for aspect, cell in zip(aspects, found, strict=True):
        wide = min(cell.width, aspect * (cell.height - caption))
        total += wide * wide / aspect
    return total


def rows(found: list[Cell]) -> list[int]:
    """Count the panes of each row."""
    return [sum(cell.y == top for cell in found) for top in sorted({cell.y for cell in found})]


@pytest.mark.parametrize(
    ("aspects", "room", "expected"),
    [
        ([1.5] * 2, (1440, 700), [2]),
        ([1.5] * 2, (700, 1440), [1, 1]),
        ([0.67] * 3, (1440, 700), [3]),
        ([1.5] * 3, (1440, 700), [2, 1]),
        ([1.5] * 4, (1440, 700), [2, 2]),
        ([0.67] * 4, (1440, 700), [4]),
        ([1.5] * 5, (1440, 700), [3, 2]),
        ([1.5] * 8, (1440, 860), [3, 3, 2]),
        ([0.67] * 8, (1440, 700), [4, 4]),
        ([6.0] * 3, (1440, 700), [1, 1, 1]),
        ([0.0] * 4, (1440, 700), [2, 2]),  # sizes nobody knows yet
        ([1.5], (1440, 700), [1]),
    ],
)
def test_rows_and_columns_fit_the_pictures(aspects, room, expected) -> None:
    assert rows(cells(aspects, room, 24)) == expected


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("aspect", [0.5, 0.75, 1.0, 1.5, 3.0])
def test_no_other_number_of_columns_would_show_more(count: int, aspect: float) -> None:
    room, caption = (1440, 748), 24
    aspects = [aspect] * count
    best = picture_area(aspects, cells(aspects, room, caption), caption)
    for columns in range(1, count + 1):
        lines = -(-count // columns)
        wide = (room[0] - GAP_PX * (columns - 1)) // columns
        high = (room[1] - GAP_PX * (lines - 1)) // lines
        other = picture_area(aspects, [Cell(0, 0, wide, high)] * count, caption)
        assert best >= other - 1e-6


def test_panes_are_equal_two_pixels_apart_and_within_the_area() -> None:
    found = cells([1.5] * 5, (1441, 700), 24)
    assert len({cell[2:] for cell in found}) == 1
    assert found[1].x - found[0].x - found[0].width == 2
    assert found[3].y - found[0].y - found[0].height == 2
    assert all(cell.x >= 0 and cell.x + cell.width <= 1441 for cell in found)
    assert all(cell.y >= 0 and cell.y + cell.height <= 700 for cell in found)
    # A last row that is not full stands in the middle.
    left, right = found[3].x, 1441 - found[4].x - found[4].width
    assert abs(left - right) <= 1


def test_two_compared_photos_are_always_side_by_side() -> None:
    left, right = halves((701, 1440))
    assert (left.y, left.width, left.height) == (right.y, right.width, right.height)
    assert right.x - left.x - left.width == 2
    assert right.x + right.width <= 701


def test_a_tiny_area_still_has_panes() -> None:
    assert all(cell.width >= 1 and cell.height >= 1 for cell in cells([1.5] * 8, (5, 5), 24))


def test_up_and_down_go_to_the_nearest_pane_of_the_next_row() -> None:
    found = cells([1.5] * 5, (1440, 700), 24)  # 3 above 2
    assert below(found, 0, 1) == 3
    assert below(found, 2, 1) == 4
    assert below(found, 4, -1) in (1, 2)
    assert below(found, 0, -1) == 0
    assert below(found, 3, 1) == 3
