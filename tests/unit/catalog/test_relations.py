"""Fields that relate a photo to something else: journaled, undone and redone like marks."""

from __future__ import annotations

import pytest

from curator.catalog import Catalog
from curator.model import NotFoundError, UsageError


def rows(catalog: Catalog, sql: str) -> list[tuple[object, ...]]:
    return catalog.store.rows(sql)


def make_project(catalog: Catalog, name: str) -> int:
    with catalog.store.transaction():
        number = catalog.store.run(
            "INSERT INTO project (name, made_at) VALUES (?, 0)", (name,)
        ).lastrowid
    assert number is not None
    return number


PLACES = "SELECT photo_id, place FROM photo_project ORDER BY photo_id"


def test_adding_a_photo_to_a_project_can_be_undone(catalog: Catalog, photos: list[int]) -> None:
    harbour = make_project(catalog, "Harbour")
    first, second, _ = photos
    catalog.journal.decide({first: {("project", harbour): 1.0}}, summary="to Harbour")
    step = catalog.journal.decide(
        {first: {("project", harbour): 1.0}, second: {("project", harbour): 2.0}}, summary="both"
    )
    assert [change.photo_id for change in step.changes] == [second]  # the other is in it already
    assert rows(catalog, PLACES) == [(first, 1.0), (second, 2.0)]
    catalog.journal.undo()
    assert rows(catalog, PLACES) == [(first, 1.0)]
    catalog.journal.undo()
    assert rows(catalog, PLACES) == []
    catalog.journal.redo()
    assert rows(catalog, PLACES) == [(first, 1.0)]


def test_a_preference_can_be_set_and_undone(catalog: Catalog, photos: list[int]) -> None:
    winner, loser, _ = photos
    catalog.journal.decide({winner: {("over", loser): True}}, summary="a over b")
    catalog.journal.decide(
        {loser: {("over", winner): True}, winner: {("over", loser): None}}, summary="b over a"
    )
    duels = "SELECT winner_id, loser_id FROM duel"
    assert rows(catalog, duels) == [(loser, winner)]
    catalog.journal.undo()
    assert rows(catalog, duels) == [(winner, loser)]
    assert [change.about for change in catalog.journal.history(winner)[0].changes] == [loser]


def test_unknown_subjects_are_refused_and_nothing_is_decided(
    catalog: Catalog, photos: list[int]
) -> None:
    first = photos[0]
    with pytest.raises(NotFoundError, match="Project 9 not found"):
        catalog.journal.decide({first: {"rating": 5, ("project", 9): 1.0}}, summary="-")
    for fields in ({("rating", 3): 4}, {"project": 1.0}, {("over", first): 2}, {"elsewhere": 1}):
        with pytest.raises(UsageError):
            catalog.journal.decide({first: fields}, summary="-")
    assert catalog.photos.get(first).marks.rating is None and catalog.journal.next_undo() is None


def test_a_mark_read_from_a_file_is_no_decision_by_the_person(
    catalog: Catalog, photos: list[int]
) -> None:
    first, second, _ = photos
    elsewhere = "SELECT id FROM photo WHERE elsewhere ORDER BY id"
    catalog.journal.decide({second: {"flag": "pick"}}, summary="Picked")
    catalog.journal.decide(
        {first: {"rating": 4}, second: {"label": "red"}}, summary="-", source="file"
    )
    assert rows(catalog, elsewhere) == [(first,)]  # a label is no verdict
    assert [row[0] for row in rows(catalog, "SELECT photo_id FROM unwritten")] == [second]
    undone = catalog.journal.next_undo()
    assert undone is not None and undone.summary == "Picked"
    catalog.journal.decide({first: {"rating": 4}}, summary="4 stars")  # the same stars, but mine
    assert rows(catalog, elsewhere) == []
    catalog.journal.undo()
    assert rows(catalog, elsewhere) == [(first,)]
    assert catalog.photos.get(first).marks.rating == 4
