"""The columns of photos: what the catalog packs into one number comes apart again."""

from __future__ import annotations

import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.library import texts
from curator.library.table import Table
from curator.model import FLAGS, LABELS, STACK_KINDS, STATES
from tests import catalogs

# Column of the table → (column of the catalog, its largest value, the number that stands for it).
LARGEST: dict[str, tuple[str, str | int, int]] = {
    "turn": ("turn", 3, 3),
    "flag": ("flag", str(FLAGS[-1]), len(FLAGS) - 1),
    "rating": ("rating", 5, 5),
    "label": ("label", str(LABELS[-1]), len(LABELS) - 1),
    "kept": ("kept", 1, 1),
    "elsewhere": ("elsewhere", 1, 1),
    "seen": ("seen_at", 1, 1),
    "pair": ("pair", 1, 1),
    "damaged": ("damage", "The file is damaged.", 1),
    "state": ("missing", 1, STATES.index("missing")),
    "stack_kind": ("stack_kind", str(STACK_KINDS[-1]), len(STACK_KINDS) - 1),
}


def test_the_largest_values_change_no_other_column(home: Home) -> None:
    """Each photo has one of them; the last has all."""
    together = len(LARGEST) + 1
    catalogs.fill(home.catalog, together)
    nothing = dict.fromkeys((name for name, _, _ in LARGEST.values()), None)
    nothing |= {"turn": 0, "kept": 0, "elsewhere": 0, "pair": 0, "missing": 0}
    for photo, (name, value, _) in enumerate(LARGEST.values(), 1):
        catalogs.capture(home.catalog, photo, **(nothing | {name: value}))
    catalogs.capture(home.catalog, together, **{name: value for name, value, _ in LARGEST.values()})
    catalog = Catalog.open(home.catalog)
    table = Table(catalog)
    catalog.close()
    for photo, (column, (_, _, number)) in enumerate(LARGEST.items(), 1):
        expected = {photo: number, together: number}
        found = dict(zip(table.ids.tolist(), table.column(column).tolist(), strict=True))
        assert {key: value for key, value in found.items() if value} == expected, column


def test_a_nul_in_a_damaged_catalog_shifts_no_other_name(home: Home) -> None:
    catalogs.fill(home.catalog, 3)
    catalogs.capture(home.catalog, 2, camera="Seaside\0 7")
    catalogs.capture(home.catalog, 3, camera="Meridian")
    catalog = Catalog.open(home.catalog)
    table = Table(catalog)
    catalog.close()
    cameras = [table.rows.cameras[number] for number in table.column("camera")]
    assert cameras[1:] == ["Seaside 7", "Meridian"]


def test_photos_may_be_read_a_few_at_a_time(home: Home) -> None:
    """A mark in between reads all that is left."""
    catalogs.fill(home.catalog, 9)
    catalog = Catalog.open(home.catalog)
    table = Table(catalog)
    catalog.photos.mark_seen([9, 8, 7, 6, 5])
    catalog.photos.turn([9], 1)  # changed twice: it is read once, as it is now
    assert table.refresh(at_most=2) == {8, 7}
    assert table.refresh(at_most=2) == {6, 5}
    assert not table.column("turn").any()
    catalog.photos.mark_seen([1, 2])
    assert table.refresh() == {9, 1, 2} and not table.refresh(at_most=2)
    assert table.column("turn").tolist() == [0] * 8 + [1]
    catalog.close()


def test_of_the_texts_one_column_is_packed_at_a_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key press waits for a refresh, and to pack all takes longer than it may."""
    catalogs.fill(home.catalog, 9)
    catalog = Catalog.open(home.catalog)
    table = Table(catalog)
    columns = {name: table.texts(name) for name in ("name", "thumb", "proxy")}
    before = {name: column._packed for name, column in columns.items() if list(column)}
    monkeypatch.setattr(texts, "_MANY", 2)
    with catalog.store.transaction():
        catalog.store.run("UPDATE photo SET thumb = 't' || id, proxy = 'p' || id")
    packed = []
    table.refresh()
    for _ in range(4):
        packed.append({name for name, was in before.items() if columns[name]._packed is not was})
        table.rows.pack_texts()
    assert packed == [set(), {"thumb"}, {"thumb", "proxy"}, {"thumb", "proxy"}]
    assert list(columns["proxy"]) == [f"p{photo}" for photo in table.ids.tolist()]
    catalog.close()
