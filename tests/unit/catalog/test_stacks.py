"""Automatic stacks in the catalog, and the precedence of manual ones."""

from __future__ import annotations

import pytest

from curator.catalog import SHOT_COLUMNS, Catalog, StackChange
from curator.model import StackKind
from tests import catalogs, taste_data

BURST, DUPLICATE = StackKind.BURST, StackKind.DUPLICATE


@pytest.fixture
def eight(catalog: Catalog) -> Catalog:
    """Eight photos without a mark, of which 2 to 4 are a burst."""
    catalogs.fill(catalog.path, 8)
    catalog.journal.decide({1: {"flag": None, "rating": None, "kept": False}}, summary="")
    stacked(catalog, {2: 2, 3: 2, 4: 2})
    return catalog


def stacked(catalog: Catalog, stacks: dict[int, int | None], kind: StackKind = BURST) -> list[int]:
    return catalog.stacks.save(
        [StackChange(photo, name, kind if name else None) for photo, name in stacks.items()]
    )


def now(catalog: Catalog) -> dict[int, int]:
    """Return the automatic stack of each stacked photo."""
    at, number = SHOT_COLUMNS.index("stack"), SHOT_COLUMNS.index("id")
    return {row[number]: row[at] for row in catalog.stacks.shots() if row[at]}


def test_saved_stacks_are_loaded_unchanged(eight: Catalog) -> None:
    rows = {row[SHOT_COLUMNS.index("id")]: row for row in eight.stacks.shots()}
    assert len(rows) == 8
    three = dict(zip(SHOT_COLUMNS, rows[3], strict=True))
    assert (three["stack"], three["stack_kind"], three["person"]) == (2, "burst", -1)
    assert (three["width"], three["iso"], three["look"]) == (6000, 800, None)
    assert (three["marked"], three["here"]) == (0, 1)
    assert now(eight) == {2: 2, 3: 2, 4: 2}


def test_only_changed_stacks_are_written(eight: Catalog) -> None:
    before = catalogs.last_rev(eight)
    assert stacked(eight, {2: 2, 3: 2, 4: 2, 5: None}) == []
    assert catalogs.last_rev(eight) == before
    assert stacked(eight, {2: 2, 3: 2, 4: None}) == [4]
    changed = eight.stacks.shots(before)
    assert [row[SHOT_COLUMNS.index("id")] for row in changed] == [4]
    assert stacked(eight, {2: 2, 3: 2}, DUPLICATE) == [2, 3]


def test_stack_changes_are_read_incrementally(eight: Catalog) -> None:
    first = eight.stacks.shots(limit=5)
    rest = eight.stacks.shots(first[-1][0], limit=5)
    assert len(first) == 5 and len(rest) == 3


@pytest.mark.parametrize(
    "fields", [{"flag": "reject"}, {"rating": 3}, {"label": "red"}, {"kept": True}, {"stacked": 0}]
)
def test_a_stack_with_a_mark_or_a_manual_change_is_not_rebuilt(
    eight: Catalog, fields: dict[str, object]
) -> None:
    eight.journal.decide({3: fields}, summary="")
    unchanged = {2: 2, 3: 2, 4: 2}
    assert stacked(eight, {4: None}) == [], "no photo leaves it"
    assert stacked(eight, {5: 2}) == [], "no photo joins it"
    assert stacked(eight, {2: None, 3: None, 4: None}) == []
    assert stacked(eight, {1: 1, 2: 1, 3: 1, 4: 1}) == [], "nor is it joined with others"
    assert now(eight) == unchanged
    assert stacked(eight, {5: 5, 6: 5}) == [5, 6], "other stacks are not held up"


def test_a_manual_stack_is_never_extended_automatically(eight: Catalog) -> None:
    eight.journal.decide({6: {"stacked": 6}, 7: {"stacked": 6}}, summary="Stacked 2")
    assert stacked(eight, {6: 6, 8: 6}) == []
    assert now(eight) == {2: 2, 3: 2, 4: 2}


def test_a_photo_rated_before_any_stacking_can_join_a_stack(eight: Catalog) -> None:
    eight.journal.decide({5: {"rating": 4}}, summary="read from its file")
    assert stacked(eight, {5: 5, 6: 5}) == [5, 6]


def test_an_undone_mark_does_not_protect_a_stack(eight: Catalog) -> None:
    eight.journal.decide({3: {"flag": "pick"}}, summary="")
    eight.journal.undo()
    assert stacked(eight, {4: None}) == [4]


def test_photos_merged_since_are_left_out(eight: Catalog) -> None:
    at = SHOT_COLUMNS.index("here")
    assert {row[at] for row in eight.stacks.shots()} == {1}
    eight.folders.remove(eight.folders.all()[0].id, keep_photos=False)
    assert {row[at] for row in eight.stacks.shots()} == {0}


def test_completed_stacking_is_remembered(eight: Catalog) -> None:
    assert eight.stacks.made_by() is None
    eight.stacks.set_made_by("1")
    assert eight.stacks.made_by() == "1"
    eight.stacks.set_made_by(None)
    assert eight.stacks.made_by() is None


def test_vectors_are_loaded_for_pairs_of_photos(eight: Catalog) -> None:
    eight.work.use_stages(catalogs.STAGES)
    vectors = taste_data.embed(eight, [2, 5])
    taste_data.embed(eight, [5], "other")
    assert [row[1] for row in eight.vectors.revisions(taste_data.ENCODER)] == [2, 5]
    rev = eight.vectors.revisions(taste_data.ENCODER)[0][0]
    assert [row[1] for row in eight.vectors.revisions(taste_data.ENCODER, rev)] == [5]
    found = eight.vectors.of(taste_data.ENCODER, [2, 3, 5])
    assert found == {photo: vectors[photo].astype("f2").tobytes() for photo in (2, 5)}
