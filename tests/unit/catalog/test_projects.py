"""Projects in the catalog: names, notes, members by decision, removal and restoration."""

from __future__ import annotations

import pytest

from curator.catalog import Catalog, WriteResult, project_name
from curator.model import NotFoundError, UsageError


def add(catalog: Catalog, project: int, *photos: int) -> None:
    start = catalog.projects.last_position(project)
    changes = {p: {("project", project): start + n} for n, p in enumerate(photos, 1)}
    catalog.journal.decide(changes, summary="put")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("  Harbour \t at\nnight ", "Harbour at night"),
        ("../../etc", "../../etc"),
        ("<b>bold</b> & 'quoted'; DROP TABLE", "<b>bold</b> & 'quoted'; DROP TABLE"),
        ("👨‍👩‍👧 2024", "👨‍👩‍👧 2024"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("חוף הים", "חוף הים"),
        ("nul\x00l\x1b[31m", "null[31m"),
        ("half \ud83d", "half"),
        ("Ha\u0301fen", "Háfen"),
        ("x" * 255, "x" * 100),
    ],
)
def test_a_name_is_one_line_without_control_characters(given: str, name: str) -> None:
    assert project_name(given) == name


@pytest.mark.parametrize("given", ["", " \n", "\u200b", "\u200d", "\x00\x01"])
def test_an_empty_name_is_refused(catalog: Catalog, given: str) -> None:
    with pytest.raises(UsageError, match="needs a name"):
        catalog.projects.create(given)
    assert catalog.projects.all() == []


@pytest.mark.parametrize("other", ["harbour ", "HARBOUR", "Har\u200dbour", "Ｈarbour"])
def test_names_that_read_the_same_are_the_same(catalog: Catalog, other: str) -> None:
    harbour = catalog.projects.create("Harbour")
    with pytest.raises(UsageError, match="A project Harbour already exists"):
        catalog.projects.create(other)
    assert catalog.projects.find(other).id == harbour
    catalog.projects.rename(harbour, other)  # itself may change its spelling


def test_a_project_has_its_photos_in_manual_order(catalog: Catalog, photos: list[int]) -> None:
    first, second, third = photos
    night, harbour = catalog.projects.create("night"), catalog.projects.create("Harbour")
    add(catalog, harbour, third, first)
    add(catalog, night, first)
    assert [(row.name, row.count) for row in catalog.projects.all()] == [
        ("Harbour", 2),
        ("night", 1),
    ]
    assert catalog.projects.members(harbour) == [third, first]
    assert catalog.projects.names_of(photos) == {first: ("Harbour", "night"), third: ("Harbour",)}
    catalog.journal.decide({third: {("project", harbour): 9.0}}, summary="moved")
    assert catalog.projects.members(harbour) == [first, third]
    catalog.journal.undo()
    assert catalog.projects.members(harbour) == [third, first]
    assert second not in catalog.projects.members(harbour)


def test_photos_of_a_removed_folder_leave_the_counts_until_it_returns(
    catalog: Catalog, photos: list[int]
) -> None:
    harbour = catalog.projects.create("Harbour")
    add(catalog, harbour, *photos)
    catalog.projects.set_cover(harbour, photos[1])
    assert catalog.projects.all()[0].cover == photos[1]
    (folder,) = catalog.folders.all()
    catalog.folders.enable(folder.id, False)
    assert catalog.projects.members(harbour) == []
    catalog.folders.enable(folder.id, True)
    catalog.folders.remove(folder.id, keep_photos=False)
    (row,) = catalog.projects.all()
    assert (row.count, row.cover) == (0, None)


def test_a_merged_photo_keeps_its_projects(catalog: Catalog, photos: list[int]) -> None:
    first, second, third = photos
    harbour = catalog.projects.create("Harbour")
    add(catalog, harbour, second, third)
    catalog.projects.set_cover(harbour, third)
    before, _ = catalog.projects.revisions()
    with catalog.store.transaction():
        catalog.identity.merge([first, third])
    assert catalog.projects.members(harbour) == [second, first]
    assert catalog.projects.all()[0].cover == first
    assert catalog.projects.revisions()[0] > before  # positions must be read again


def test_a_removed_project_can_be_restored_and_frees_its_name(
    catalog: Catalog, photos: list[int]
) -> None:
    harbour = catalog.projects.create("Harbour")
    add(catalog, harbour, *photos)
    catalog.projects.set_notes(harbour, "one\r\n\x1btwo  \n\u202e\n")
    catalog.projects.remove(harbour)
    assert catalog.projects.all() == [] and catalog.projects.names_of(photos) == {}
    with pytest.raises(NotFoundError, match="Project harbour not found"):
        catalog.projects.find("harbour")
    again = catalog.projects.create("Harbour")
    with pytest.raises(UsageError, match="already"):
        catalog.projects.restore(harbour)
    catalog.projects.rename(again, "Harbour II")
    catalog.projects.restore(catalog.projects.find("harbour", removed=True).id)
    back = catalog.projects.find("harbour")
    assert (back.id, back.notes, back.count) == (harbour, "one\ntwo", 3)


def test_positions_in_memory_follow_decisions(catalog: Catalog, photos: list[int]) -> None:
    harbour = catalog.projects.create("Harbour")
    add(catalog, harbour, photos[0])
    seen, rows = catalog.projects.positions()
    assert rows == [(harbour, photos[0], 1.0)]
    rev = catalog.projects.revisions()
    add(catalog, harbour, photos[1])
    catalog.journal.undo()
    assert catalog.projects.revisions()[0] == rev[0] and catalog.projects.revisions()[1] > rev[1]
    assert [row[1:] for row in catalog.projects.moves_since(seen)] == [
        (harbour, photos[1], 2.0),
        (harbour, photos[1], None),
    ]


def test_a_project_renamed_while_sidecars_are_written_is_written_again(
    catalog: Catalog, photos: list[int]
) -> None:
    harbour = catalog.projects.create("Harbour")
    add(catalog, harbour, photos[0])
    (begun,) = catalog.sidecars.to_write(photos[:1])
    catalog.projects.rename(harbour, "Pier")
    catalog.sidecars.save_written([WriteResult(photos[0], begun.since, None)])
    assert catalog.sidecars.outstanding().unwritten == 1
