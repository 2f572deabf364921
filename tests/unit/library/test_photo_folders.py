"""A viewed card is imported: photos move to their copies, and stay where they are in the list."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.library.table import Table
from tests.copies import copy_verified
from tests.unit.catalog.shoot import Shoot, photo_bytes


@pytest.mark.parametrize("ingested", [False, True])
def test_a_viewed_card_keeps_its_photos_their_names_and_their_order(
    ingested: bool, catalog: Catalog, tmp_path: Path
) -> None:
    shoot = Shoot(catalog, tmp_path / "card")
    library = tmp_path / "photos"
    for name in ("A.JPG", "B.JPG", "C.JPG"):  # taken in the same second, or not read yet
        shoot.write(name, photo_bytes(name))
    (shoot.ingest if ingested else shoot.scan)()
    catalog.imports.add_library(library, is_new=True)
    table = Table(catalog)
    table.folders.set_viewed(str(shoot.folder))
    # Among all photos the first would come last, and the last first.
    moves = (("B.JPG", "0/X.JPG"), ("C.JPG", "0/A.JPG"), ("A.JPG", "1/Z.JPG"))
    for number, (name, to) in enumerate(moves, 1):
        copy = copy_verified(shoot.folder, name, library, to)
        catalog.imports.record(catalog.imports.begin({}, ""), [copy], library)
        assert table.refresh() == {"ABC".index(name[0]) + 1}
        assert table.folders.inside(str(shoot.folder)).tolist() == [True] * 3
        assert table.folders.inside(str(library)).sum() == number
        inside = [table.folders.are_any_inside(str(library), np.array([row])) for row in range(3)]
        assert inside == table.folders.inside(str(library)).tolist()
        assert [table.name(photo) for photo in (1, 2, 3)] == ["A", "B", "C"]
        assert table.ranks.by_time().tolist() == table.ranks.by_name().tolist() == [0, 1, 2]
    rows = np.arange(3)
    assert table.folders.are_any_inside(str(shoot.folder), rows), "by their copies"
    assert not table.folders.are_any_inside(str(tmp_path / "elsewhere"), rows)
    table.folders.set_viewed(str(library))
    assert [table.name(photo) for photo in (1, 2, 3)] == ["Z", "X", "A"]
    assert table.ranks.by_time().tolist() == table.ranks.by_name().tolist() == [2, 1, 0]
    table.folders.set_viewed(str(shoot.folder))
    card = catalog.folders.containing(shoot.folder)
    assert card is not None
    catalog.volumes.set_away(card.id, away=True)
    table.refresh()
    assert not table.missing().any()
    assert catalog.imports.settle_card(card.id)
    table.refresh()
    assert not table.missing().any() and not table.folders.inside(str(shoot.folder)).any()
    assert table.folders.inside(str(library)).all()


def test_photos_of_a_folder_that_another_took_in_are_sorted_before_all_are_read_again(
    catalog: Catalog, tmp_path: Path
) -> None:
    shoot, other = Shoot(catalog, tmp_path / "photos"), tmp_path / "other"
    for name in ("A.JPG", "B.JPG", "../other/C.JPG"):
        shoot.write(name, photo_bytes(name))
    shoot.scan(shoot.folder, other)
    table, read = Table(catalog), 0
    (taken_in,) = (row.id for row in catalog.folders.all() if row.path == str(shoot.folder))
    catalog.volumes.relink(taken_in, str(other))
    while table.refresh(at_most=1):
        read += 1
        names = [table.name(photo) for photo in table.ids[table.ranks.in_time_order(np.arange(3))]]
        assert sorted(names) == ["A", "B", "C"]
    assert names == ["A", "B", "C"] and read > 1
