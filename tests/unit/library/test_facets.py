"""Filters by mouse: the values in a scope, and how a click changes the search."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.library import filters
from curator.library.facets import FACETS, conditions_on, with_condition
from curator.library.table import Table
from tests import catalogs, face_data
from tests.face_data import CLOSED, OPEN, UNKNOWN

TWO = 'camera:"EOS 5D" -camera:"EOS 5D II"'
IS, CAMERA = frozenset({"is"}), FACETS["camera"].fields


@pytest.mark.parametrize(
    ("search", "fields", "query", "then"),
    [
        ("", CAMERA, "camera:x100", "camera:x100"),
        ("dog", CAMERA, "camera:x100", "dog camera:x100"),
        ("dog camera:x100", CAMERA, "camera:x100", "dog"),
        ("camera:x100 dog", CAMERA, "camera:d700", "dog camera:d700"),
        (TWO, CAMERA, "camera:d700", "camera:d700"),
        (
            'a camera:"EOS 5D" -camera:"EOS 5D II"',
            CAMERA,
            'camera:"eos 5d" -camera:"EOS 5D II"',
            "a",
        ),
        ("camera:a OR camera:b rating:5", CAMERA, "camera:c", "rating:5 camera:c"),
        ("camera:a OR tag:b", CAMERA, "camera:c", "camera:a OR tag:b camera:c"),
        ("-is:rejected dog", IS, "is:picked", "dog is:picked"),
        ("after:2024 before:2025", FACETS["date"].fields, "on:2024-05", "on:2024-05"),
        ("is:picked dog", IS, "", "dog"),
    ],
)
def test_a_click_changes_only_the_terms_of_its_fields(
    search: str, fields: frozenset[str], query: str, then: str
) -> None:
    assert with_condition(search, fields, query) == then


def test_each_value_counts_what_its_search_finds(home: Home) -> None:
    catalogs.fill(home.catalog, 20)
    with closing(sqlite3.connect(home.catalog)) as database, database:
        database.execute("UPDATE photo SET lens = NULL WHERE id < 5")
        database.execute("UPDATE photo SET camera = 'EOS 5D Mark II' WHERE id = 7")
        database.execute("UPDATE photo SET camera = 'EOS 5D' WHERE id IN (8, 9)")
        database.execute("UPDATE photo SET taken_at = NULL WHERE id = 3")
        database.execute("UPDATE photo SET label = 'red' WHERE id IN (1, 2)")
    catalog = Catalog.open(home.catalog)
    face_data.save(catalog, {1: [], 2: [OPEN], 3: [OPEN, CLOSED], 4: [OPEN] * 5, 5: [UNKNOWN]})
    catalog.text.update_all()
    table = Table(catalog)
    found = {name: facet.values(table, table.alive()) for name, facet in FACETS.items()}
    for name, values in found.items():
        for value in values:
            assert filters.mask(filters.parse(value.query), table).sum() == value.photos, value
            assert with_condition(value.query, FACETS[name].fields, value.query) == ""
        if name not in ("label", "faces", "eyes"):
            assert sum(value.photos for value in values if not value.inside) == 20
    titles = {name: [value.title for value in values] for name, values in found.items()}
    assert titles["label"] == ["Red"]
    assert titles["camera"][-2:] == ["EOS 5D", "EOS 5D Mark II"]
    assert titles["lens"][1:] == ["Not recorded"]
    assert titles["faces"] == ["No faces", "1 face", "2 faces", "3 or more"]
    assert titles["eyes"] == ["Closed", "Open", "Can't tell"]
    assert titles["date"] == ["2024", "May", "4 May", "No date"]
    catalog.close()


def test_photos_added_later_are_counted(home: Home, catalog: Catalog) -> None:
    table = Table(catalog)
    assert [facet.values(table, table.alive()) for facet in FACETS.values()] == [[]] * len(FACETS)
    catalogs.fill(home.catalog, 5)
    table.refresh()
    camera = FACETS["camera"].values(table, table.alive())
    assert sum(value.photos for value in camera) == 5


def test_unreadable_photos_have_no_values() -> None:
    assert conditions_on("rating:", IS) == frozenset()
