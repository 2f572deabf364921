"""The cache of the photo table: fast to load, and never ahead of the catalog."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from curator import files
from curator.bench import synthetic_catalog
from curator.catalog import Catalog, CatalogError, photos
from curator.catalog.photos import Photos
from curator.home import Home
from curator.library import column_file, sort_keys, table_cache
from curator.library.columns import NUMBERS, TEXTS
from curator.library.table import Table
from curator.session import Session
from curator.settings import Settings
from tests import catalogs


@pytest.fixture
def catalog(home: Home) -> Iterator[Catalog]:
    """Twelve photos, of which 3 and 4 are a stack, and a project of two."""
    catalogs.fill(home.catalog, 12)
    catalogs.stack(home.catalog, 3, 4)
    opened = Catalog.open(home.catalog)
    project = opened.projects.create("Iceland")
    opened.journal.decide(
        {5: {("project", project): 1.0}, 6: {("project", project): 2.0}}, summary=""
    )
    yield opened
    opened.close()


@pytest.fixture
def kept(home: Home, catalog: Catalog) -> Path:
    """The table of those photos."""
    table_cache.write_table(Table(catalog), home.table_file)
    return home.table_file


def everything(table: Table) -> dict[str, object]:
    """Return all columns of a table by photo id."""
    rows = np.argsort(table.ids)[~table.column("gone")[np.argsort(table.ids)]]
    known: dict[str, object] = {name: table.column(name)[rows].tolist() for name in NUMBERS}
    known |= {name: [table.texts(name)[row] for row in rows] for name in TEXTS}
    known["id"] = table.ids[rows].tolist()
    known["stack"] = table.stacks.shared()[rows].tolist()
    known["by time"] = table.ids[rows][np.argsort(table.ranks.by_time()[rows])].tolist()
    known["by name"] = table.ids[rows][np.argsort(table.ranks.by_name()[rows])].tolist()
    known["projects"] = {
        row.name: table.projects.ids(row.id).tolist() for row in table.projects.rows
    }
    return {name: str(value) for name, value in known.items()}


def reads_all(catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a table with that cache reads every photo from the catalog."""
    asked: list[Photos] = []
    parts = Photos.iterate_columns
    with monkeypatch.context() as watched:
        watched.setattr(
            Photos, "iterate_columns", lambda self: [asked.append(self), parts(self)][1]
        )
        table_cache.open_table(catalog, kept)
    return bool(asked)


def test_a_cached_table_equals_one_read_from_the_catalog(
    catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert everything(table_cache.open_table(catalog, kept)) == everything(Table(catalog))
    assert not reads_all(catalog, kept, monkeypatch)


def test_a_cached_table_is_not_sorted_again(
    catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = everything(Table(catalog))
    sizes: list[int] = []
    by_key = sort_keys._sorted
    monkeypatch.setattr(
        sort_keys, "_sorted", lambda keys: [sizes.append(len(keys)), by_key(keys)][1]
    )
    assert everything(table_cache.open_table(catalog, kept)) == right
    assert max(sizes) < 12, "names of photos, not of projects"


def test_released_texts_read_the_same(
    catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_cache.open_table(catalog, kept)
    released: list[np.ndarray] = []
    monkeypatch.setattr(column_file, "release", released.append)
    table.rows.release_texts()
    assert len(released) == 2 * len(TEXTS)
    assert not any(column.flags.writeable for column in released), "so none could lose a change"
    monkeypatch.undo()
    table.rows.release_texts()
    assert everything(table) == everything(Table(catalog))


def test_later_decisions_are_included(catalog: Catalog, kept: Path) -> None:
    project = catalog.projects.all()[0].id
    catalog.journal.decide({2: {"flag": "reject", "rating": 4}}, summary="Rejected")
    catalog.journal.decide(
        {5: {("project", project): None}, 7: {("project", project): 1.5}}, summary=""
    )
    catalog.projects.create("Norway")
    now = everything(table_cache.open_table(catalog, kept))
    assert now == everything(Table(catalog))
    assert now["projects"] == "{'Iceland': [7, 6], 'Norway': []}"


def test_a_later_photo_is_inserted_in_order(catalog: Catalog, kept: Path) -> None:
    folder = catalog.folders.all()[0]
    group = synthetic_catalog._group(Path(folder.path), 4)
    assert catalog.scans.apply(catalog.scans.begin(folder.id, files), [group]).new
    assert len(table_cache.open_table(catalog, kept).ids) == 13
    assert everything(table_cache.open_table(catalog, kept)) == everything(Table(catalog))


def test_suggestions_follow_a_folder_that_is_switched_on_or_off(
    home: Home, catalog: Catalog
) -> None:
    def suggested(table: Table) -> list[int]:
        return table.ids[table.stacks.suggested()].tolist()

    folder = catalog.folders.all()[0].id
    catalog.folders.enable(folder, False)
    table_cache.write_table(Table(catalog), home.table_file)
    catalog.folders.enable(folder, True)
    table = table_cache.open_table(catalog, home.table_file)
    assert suggested(table) == suggested(Table(catalog)) == [4]
    table_cache.write_table(table, home.table_file)
    assert suggested(table_cache.open_table(catalog, home.table_file)) == [4]
    catalog.folders.enable(folder, False)
    assert suggested(table_cache.open_table(catalog, home.table_file)) == []


def test_merged_photos_are_not_cached(home: Home, catalog: Catalog) -> None:
    table = Table(catalog)
    with catalog.store.transaction():
        catalog.store.run("UPDATE photo SET merged_into = 1 WHERE id = 2")
    table.refresh()
    table.ranks.by_time()
    table.ranks.by_name()
    table_cache.write_table(table, home.table_file)
    again = table_cache.open_table(catalog, home.table_file)
    assert 2 not in again.ids.tolist()
    assert everything(again) == everything(Table(catalog)) == everything(table)


def test_a_restored_catalog_has_its_own_marks(
    home: Home, catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restored backup has an older revision; changes made after the backup are gone."""
    catalog.store.checkpoint()
    copy = home.data / "copy.db"
    shutil.copyfile(home.catalog, copy)
    catalog.journal.decide({2: {"rating": 5}}, summary="")
    table_cache.write_table(table_cache.open_table(catalog, kept), kept)
    before = Catalog.open(copy)
    before.journal.decide({3: {"rating": 1}}, summary="")
    try:
        assert reads_all(before, kept, monkeypatch)
        assert everything(table_cache.open_table(before, kept)) == everything(Table(before))
    finally:
        before.close()


@pytest.mark.parametrize("size", [0, 100, -200])
def test_a_truncated_cache_is_ignored(
    catalog: Catalog, kept: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.truncate(kept, size % kept.stat().st_size)
    assert reads_all(catalog, kept, monkeypatch)
    assert everything(table_cache.open_table(catalog, kept)) == everything(Table(catalog))


def test_a_flipped_byte_is_detected(
    catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(kept.read_bytes())
    place = content.index(np.array([5, 6], "i8").tobytes())  # the photos of the project
    content[place] ^= 1
    kept.write_bytes(content)
    assert reads_all(catalog, kept, monkeypatch)


def test_a_cache_with_changed_columns_is_ignored(
    catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "_SELECT", photos._SELECT.replace("N sharpness", "N exposure"))
    assert reads_all(catalog, kept, monkeypatch)


def test_a_cache_that_lacks_a_column_is_ignored(
    catalog: Catalog, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, held = column_file.read(kept)
    del held["stack.suggested"]
    column_file.write(kept, label, held)
    assert reads_all(catalog, kept, monkeypatch)
    assert everything(table_cache.open_table(catalog, kept)) == everything(Table(catalog))


def test_a_window_caches_a_table_that_is_slow_to_read(
    qapp: object, home: Home, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    Session(catalog, home, Settings.load(home)).close()
    assert not home.table_file.exists(), "twelve photos are read at once"
    monkeypatch.setattr(column_file, "MIN_PHOTOS", 12)
    Session(catalog, home, Settings.load(home)).close()
    assert not reads_all(catalog, home.table_file, monkeypatch)


def test_a_session_without_decisions_writes_no_cache(
    qapp: object, home: Home, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_file, "MIN_PHOTOS", 12)

    def close_and_stat(decide: Callable[[Catalog], object] = lambda _: None) -> tuple[int, int]:
        session = Session(catalog, home, Settings.load(home))
        decide(catalog)
        session.close()
        status = home.table_file.stat()
        return status.st_ino, status.st_mtime_ns

    before = close_and_stat()
    assert close_and_stat() == before
    after = close_and_stat(
        lambda catalog: catalog.journal.decide({3: {"rating": 5}}, summary="5 stars")
    )
    assert after != before
    assert close_and_stat() == after
    home.table_file.unlink()  # the cache was emptied
    assert close_and_stat() not in (before, after)
    assert not reads_all(catalog, home.table_file, monkeypatch)
    session = Session(catalog, home, Settings.load(home))
    catalog.photos.set_snapshot(catalog.photos.new_snapshot())  # another window saved its own
    session.close()
    assert not reads_all(catalog, home.table_file, monkeypatch)
    project = catalog.projects.all()[0].id
    before = close_and_stat()
    after = close_and_stat(lambda catalog: catalog.projects.rename(project, "Norway"))
    assert after != before, "a change of a project counts, too"


def test_a_full_disk_prevents_only_the_cache(
    qapp: object, home: Home, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_file, "MIN_PHOTOS", 12)
    home.table_file.mkdir()  # nothing can be written there
    Session(catalog, home, Settings.load(home)).close()
    assert everything(table_cache.open_table(catalog, home.table_file)) == everything(
        Table(catalog)
    )


def test_a_locked_catalog_prevents_only_the_cache(
    home: Home, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_file, "MIN_PHOTOS", 12)

    def held(*_: object) -> NoReturn:
        raise CatalogError("The catalog is locked by another program.", "Try again in a moment.")

    monkeypatch.setattr(Photos, "snapshot", held)
    table_cache.save(catalog, home.table_file)
    assert not home.table_file.exists()
    monkeypatch.undo()
    monkeypatch.setattr(column_file, "MIN_PHOTOS", 12)
    table_cache.save(catalog, home.table_file)
    assert not reads_all(catalog, home.table_file, monkeypatch)
