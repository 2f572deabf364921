"""Opening a catalog and keeping it valid: migrations, backups and system errors."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import namedtuple
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import peewee
import pytest

from curator.catalog import (
    Catalog,
    ConductorLock,
    DamagedError,
    DiskFullError,
    backups,
    migrations,
    photos,
    restore,
    schema,
    store,
)
from curator.home import Home
from curator.model import BusyError, CatalogError
from tests import catalogs
from tests.catalogs import fill
from tests.faults import QUOTA, refuse

OLD = Path(__file__).parents[2] / "data" / "catalogs"


def shape(path: Path) -> dict[str, object]:
    """Return columns, indexes and triggers of a schema, without the text of its SQL."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            "columns": {
                table: sorted(row[1:] for row in connection.execute(f"PRAGMA table_info({table})"))
                for table in tables
            },
            "other": sorted(
                row
                for row in connection.execute(
                    "SELECT type, name, tbl_name FROM sqlite_master WHERE type <> 'table'"
                )
            ),
            "version": connection.execute("PRAGMA user_version").fetchone(),
        }


def add_place_age(database: peewee.Database) -> None:
    database.execute_sql("ALTER TABLE place ADD COLUMN age INTEGER NOT NULL DEFAULT 0")


def fail_half_way(database: peewee.Database) -> None:
    add_place_age(database)
    raise RuntimeError("a migration that fails half-way")


def migrate(path: Path, *steps: tuple[int, str, migrations.Step]) -> None:
    database = store.Store.connect(path)
    try:
        migrations.bring_up_to_date(database, path, (*migrations.MIGRATIONS, *steps))
    finally:
        database.close()


# --- schema and migrations


def test_migration_numbers_only_increase() -> None:
    numbers = [number for number, _, _ in migrations.MIGRATIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("version", ["v1", "v3", "v4", "v6", "v7", "v8", "v9", "v10"])
def test_an_old_catalog_is_migrated(version: str, tmp_path: Path) -> None:
    old, new = tmp_path / "old" / "catalog.db", tmp_path / "new" / "catalog.db"
    old.parent.mkdir()
    shutil.copy(OLD / f"{version}.db", old)
    catalog = Catalog.open(old)
    (part,) = catalog.photos.iterate_columns()
    assert part["name"].split("\0") == ["DSC_0000", "DSC_0001", "DSC_0002"]
    assert catalog.photos.get(2).marks.rating == 4
    decided = catalog.store.value("SELECT count(DISTINCT photo_id) FROM decision")
    assert catalog.sidecars.outstanding().unwritten == decided >= 1  # it is in no sidecar yet
    assert catalog.journal.undo() is not None
    assert catalog.photos.get(2).marks.rating is None
    assert catalog.journal.decide({1: {"stacked": 0}}, summary="Unstacked DSC_0000").changes
    assert catalog.check() == []
    catalog.close()
    with (
        closing(sqlite3.connect(old)) as connection,
        pytest.raises(sqlite3.DatabaseError, match="only ever added to"),
    ):
        connection.execute("DELETE FROM decision")
    Catalog.open(new).close()
    assert shape(old) == shape(new)


def test_a_migration_backs_the_catalog_up_first(home: Home) -> None:
    fill(home.catalog, 5)
    migrate(home.catalog, (len(migrations.MIGRATIONS) + 1, "places have an age", add_place_age))
    assert "age" in str(shape(home.catalog)["columns"])
    [backup] = home.backups.iterdir()
    assert shape(backup)["version"] == (len(migrations.MIGRATIONS),)
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT count(*) FROM photo").fetchone() == (5,)


def test_a_failed_migration_leaves_the_catalog_unchanged(home: Home) -> None:
    fill(home.catalog, 5)
    before = shape(home.catalog)
    with pytest.raises(RuntimeError, match="half-way"):
        migrate(home.catalog, (len(migrations.MIGRATIONS) + 1, "fails", fail_half_way))
    assert shape(home.catalog) == before
    Catalog.open(home.catalog).close()


def test_no_migration_without_a_backup(home: Home) -> None:
    fill(home.catalog, 5)
    home.backups.write_text("a file where the folder should be")
    before = shape(home.catalog)
    with pytest.raises(CatalogError, match="could not be made"):
        migrate(home.catalog, (len(migrations.MIGRATIONS) + 1, "adds age", add_place_age))
    assert shape(home.catalog) == before


def test_a_newer_catalog_is_refused_politely(home: Home) -> None:
    fill(home.catalog, 1)
    with closing(sqlite3.connect(home.catalog)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(CatalogError, match="newer Curator") as caught:
        Catalog.open(home.catalog)
    assert "Install the newer Curator" in caught.value.remedy


def test_a_database_of_another_program_is_left_unchanged(home: Home) -> None:
    with closing(sqlite3.connect(home.catalog)) as connection:
        connection.execute("CREATE TABLE moz_places (id)")
    before = home.catalog.read_bytes()
    with pytest.raises(CatalogError, match="not a catalog of Curator"):
        Catalog.open(home.catalog)
    with closing(sqlite3.connect(home.catalog)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("moz_places",)]
    assert before


# --- faults of the world


@pytest.mark.parametrize("damage", ["overwritten", "cut short", "emptied"])
def test_a_damaged_catalog_says_so_and_names_the_newest_backup(home: Home, damage: str) -> None:
    fill(home.catalog, 200)
    catalog = Catalog.open(home.catalog)
    backup = backups.make_if_due(catalog.path)
    assert backups.make_if_due(catalog.path) is None
    catalog.close()
    whole = home.catalog.read_bytes()
    broken = {
        "overwritten": b"\x89PNG" * 4096 + whole[16384:],
        "cut short": whole[:20_000],
        "emptied": b"",  # to SQLite a new catalog, in which all decisions would be gone
    }
    home.catalog.write_bytes(broken[damage])
    with pytest.raises(CatalogError, match="damaged") as caught:
        opened = Catalog.open(home.catalog)
        try:
            opened.photos.ids()
        finally:
            opened.close()
    assert str(backup) in caught.value.remedy and "doctor restore" in caught.value.remedy
    restore(home.catalog, backup or Path(), redo=True)
    restored = Catalog.open(home.catalog)
    assert len(restored.photos.ids()) == 200
    restored.close()


def test_without_a_backup_the_remedy_is_to_start_again(home: Home) -> None:
    home.catalog.write_bytes(b"not a database, but long enough to be looked at " * 100)
    with pytest.raises(CatalogError, match="damaged") as caught:
        Catalog.open(home.catalog)
    assert "add your folders again" in caught.value.remedy


def test_an_unwritable_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CatalogError, match="cannot be opened") as caught:
        Catalog.open(tmp_path / "file" / "catalog.db")
    assert "--home" in caught.value.remedy


def test_a_folder_where_the_catalog_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").mkdir()
    with pytest.raises(CatalogError, match="is not writable"):
        Catalog.open(tmp_path / "catalog.db")


def test_a_read_only_catalog_refuses_a_decision_and_keeps_reading(home: Home) -> None:
    fill(home.catalog, 3)
    catalog = Catalog.open(home.catalog)
    catalog.store.rows("PRAGMA query_only = ON")
    with pytest.raises(CatalogError, match="is not writable"):
        catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
    assert catalog.photos.get(2).marks.rating is None
    catalog.close()


def test_photos_are_read_in_parts_and_in_order(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(home.catalog, 40)
    catalog = Catalog.open(home.catalog)
    (whole,) = catalog.photos.iterate_columns()
    monkeypatch.setattr(photos, "_PART", 3)
    parts = list(catalog.photos.iterate_columns())
    assert [len(part["id"]) for part in parts] == [*[3] * 13, 1]
    assert np.concatenate([part["id"] for part in parts]).tolist() == whole["id"].tolist()
    assert "\0".join(part["name"] for part in parts) == whole["name"]
    some = catalog.photos.iterate_columns()
    next(some)
    some.close()
    readers = [thread for thread in threading.enumerate() if "reader" in thread.name]
    assert not readers, "a caller who stops early leaves no thread behind"
    catalog.close()


def test_a_part_that_cannot_be_read_is_damage(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(home.catalog, 40)
    monkeypatch.setattr(photos, "_PART", 3)
    catalog = Catalog.open(home.catalog)
    with catalog.store.transaction():
        catalog.store.run("UPDATE photo SET name = CAST(x'ff41' AS TEXT) WHERE id = 31")
    with pytest.raises(DamagedError, match="is damaged"):
        list(catalog.photos.iterate_columns())
    catalog.close()


def test_a_full_disk_loses_nothing_and_work_continues_after_it(home: Home) -> None:
    fill(home.catalog, 3)
    catalog = Catalog.open(home.catalog)
    catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
    pages = catalog.store.value("PRAGMA page_count")
    catalog.store.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFullError) as caught:
        for number in range(200):
            catalog.folders.save_position(f"/photos/{number}", {"note": "x" * 4000})
    assert "full" in str(caught.value)
    assert catalog.photos.get(2).marks.rating == 4
    catalog.store.rows(f"PRAGMA max_page_count = {pages + 1000}")
    catalog.folders.save_position("/photos", {"view": "grid"})
    assert catalog.check() == []
    catalog.close()


def test_a_disk_too_full_to_open_a_catalog_is_reported_as_full(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    assert "reports errors" in str(store.translate(error, home.catalog))
    none = namedtuple("none", "total used free")(10**9, 10**9, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: none)
    assert isinstance(store.translate(error, home.catalog), DiskFullError)
    monkeypatch.undo()
    disk = refuse(monkeypatch, home.data, QUOTA)  # SQLite tells no quota from a broken disk
    disk.room_for(0)
    translated = store.translate(error, home.catalog)
    assert (
        isinstance(translated, DiskFullError)
        and "quota" in translated.args[0]
        and "raised" in translated.remedy
    )
    assert [path.name for path in home.data.iterdir() if path.is_file()] == []


def test_the_write_ahead_log_stays_small_on_a_nearly_full_disk(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog.open(home.catalog)
    log_file = home.data / "catalog.db-wal"
    little = namedtuple("little", "total used free")(10**9, 10**9 - 10**8, 10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: little)
    catalog.store.reserve_log()
    assert log_file.stat().st_size < store.LOG_BYTES
    monkeypatch.undo()
    catalog.store.reserve_log()
    assert log_file.stat().st_size == store.LOG_BYTES
    assert catalog.check() == []
    catalog.close()


@pytest.mark.skipif(sys.platform == "win32", reason="nothing that is open can be moved there")
def test_a_home_moved_while_in_use_is_not_recreated(home: Home, tmp_path: Path) -> None:
    fill(home.catalog, 3)
    with closing(Catalog.open(home.catalog)) as catalog:
        home.data.rename(tmp_path / "moved")
        catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
        with pytest.raises(CatalogError, match="was moved while it was open"):
            Catalog.open(home.catalog)
        assert not home.data.exists()
    with closing(Catalog.open(tmp_path / "moved" / "catalog.db")) as catalog:
        assert catalog.photos.get(2).marks.rating == 4 and catalog.check() == []
    Catalog.open(home.catalog).close()


def test_a_catalog_locked_by_another_process_is_reported(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home.catalog, 3)
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.05)
    catalog = Catalog.open(home.catalog)
    with closing(sqlite3.connect(home.catalog, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogError, match="locked by another program"):
            catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
        with pytest.raises(CatalogError, match="locked by another program"):
            catalog.photos.mark_seen([2])
        other.execute("ROLLBACK")
    catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
    catalog.close()


def test_our_own_bugs_are_not_disguised(home: Home) -> None:
    catalog = Catalog.open(home.catalog)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        catalog.store.rows("SELECT * FROM nonsense")
    catalog.close()


# --- many at once


def test_two_writers_wait_for_each_other(home: Home) -> None:
    fill(home.catalog, 60)
    errors: list[BaseException] = []

    def rate(first: int) -> None:
        try:
            catalog = Catalog.open(home.catalog)
            for number in range(first, 61, 2):
                catalog.journal.decide({number: {"label": "red"}}, summary="red")
            catalog.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=rate, args=(first,)) for first in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    catalog = Catalog.open(home.catalog)
    steps = catalog.store.value("SELECT count(*) FROM step")
    revs = catalog.store.values("SELECT rev FROM photo")
    assert (steps, len(set(revs))) == (60, 60)
    catalog.close()


def test_a_reader_sees_that_another_process_committed(home: Home) -> None:
    fill(home.catalog, 3)
    reader, writer = Catalog.open(home.catalog), Catalog.open(home.catalog)
    version, rev = reader.store.data_version(), catalogs.last_rev(reader)
    assert reader.store.data_version() == version
    writer.journal.decide({2: {"rating": 4}}, summary="4 stars")
    assert reader.store.data_version() != version
    changed = reader.photos.changed(rev)
    assert changed is not None and changed["id"].tolist() == [2]
    reader.close()
    writer.close()


def test_there_is_one_conductor_and_a_dead_one_holds_no_lock(home: Home) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from curator.home import Home;"
        "from curator.catalog import ConductorLock; ConductorLock(Home.at(sys.argv[1])).acquire();"
        "print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(home.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(BusyError, match="is reading photos"):
        ConductorLock(home).acquire()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    with ConductorLock(home), pytest.raises(BusyError):
        ConductorLock(home).acquire()
    with ConductorLock(home):
        pass


def test_the_models_have_every_column_of_the_schema(home: Home) -> None:
    Catalog.open(home.catalog).close()
    columns = shape(home.catalog)["columns"]
    assert isinstance(columns, dict)
    for table in schema.TABLES:
        named = {field.column_name for field in table._meta.sorted_fields}
        assert named == {row[0] for row in columns[table._meta.table_name]}
        assert table.__doc__


def test_an_undecodable_schema_is_a_damaged_catalog(home: Home) -> None:
    """SQLite quotes the schema in its error message, which Python cannot decode."""
    Catalog.open(home.catalog).close()
    data = home.catalog.read_bytes()
    assert data.count(b"CREATE INDEX") > 3
    home.catalog.write_bytes(data.replace(b"CREATE INDEX", b"CREATE \x98\x99DEX"))
    with pytest.raises(CatalogError, match="is damaged"):
        Catalog.open(home.catalog)


# --- the write-ahead log


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> Path:
    """The write-ahead log of a catalog, limited to 1 MB."""
    monkeypatch.setattr(store, "CHECKPOINT_BYTES", 512 << 10)
    monkeypatch.setattr(store, "LOG_BYTES", 1 << 20)
    catalog.store.rows(f"PRAGMA journal_size_limit = {store.LOG_BYTES}")
    catalog.store.checkpoint()
    return Path(f"{catalog.path}-wal")


def grow(catalog: Catalog, times: int) -> None:
    """Write about 100 KB repeatedly."""
    for number in range(times):
        with catalog.store.transaction():
            catalog.store.run(
                "INSERT OR REPLACE INTO meta VALUES ('test', ?)", (str(number) * 100_000,)
            )


def test_the_write_ahead_log_stays_within_its_limit(catalog: Catalog, small_log: Path) -> None:
    """With checkpoints by time only, 4,000 empty files made the log 173 MB long in 20 seconds."""
    for _ in range(60):
        grow(catalog, 1)
        catalog.store.checkpoint_if_long()
        assert small_log.stat().st_size <= store.LOG_BYTES
    assert not store.log_reaches(small_log, 2 * store.CHECKPOINT_BYTES)


def test_a_long_reader_delays_checkpoints_and_the_log_shrinks_afterwards(
    catalog: Catalog, small_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    checkpoint = catalog.store.checkpoint
    monkeypatch.setattr(catalog.store, "checkpoint", lambda: (tried.append(1), checkpoint()))
    with closing(sqlite3.connect(catalog.path)) as reader:
        grow(catalog, 1)
        cursor = reader.execute("SELECT key FROM meta UNION ALL SELECT key FROM meta")
        cursor.fetchone()
        for _ in range(40):
            grow(catalog, 1)
            catalog.store.checkpoint_if_long()
        assert small_log.stat().st_size > 3 << 20 and 2 <= len(tried) <= 12
        cursor.close()
    for _ in range(12):
        grow(catalog, 1)
        catalog.store.checkpoint_if_long()
    assert small_log.stat().st_size <= store.LOG_BYTES


def test_the_used_length_of_the_log_is_read_from_its_salts(tmp_path: Path) -> None:
    log = tmp_path / "catalog.db-wal"
    assert not store.log_reaches(log, 0), "none is there"
    log.write_bytes(bytes(100))
    assert not store.log_reaches(log, 0), "reserved, and never used"
    with closing(sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE a (b)")
        connection.execute("INSERT INTO a VALUES (zeroblob(100000))")
        filled = log.stat().st_size
        assert store.log_reaches(log, filled - 1) and not store.log_reaches(log, filled)
        connection.execute("PRAGMA wal_checkpoint")
        connection.execute("INSERT INTO a VALUES (1)")
        assert log.stat().st_size == filled, "its file stays as long as it was"
        assert store.log_reaches(log, 0) and not store.log_reaches(log, filled // 2)


@pytest.mark.parametrize(
    ("each_s", "sizes"), [(2**-15, [16, 32, 32, 4]), (2**-6, [16, 1, 1]), (0.0, [16, 32, 64, 3])]
)
def test_background_transactions_take_as_many_photos_as_their_time_allows(
    monkeypatch: pytest.MonkeyPatch, each_s: float, sizes: list[int]
) -> None:
    now = 0.0
    monkeypatch.setattr(store.time, "monotonic", lambda: now)
    parts = []
    for part in store.paused_chunks(range(sum(sizes)), 0.0):
        parts.append(len(part))
        now += len(part) * each_s
    assert parts == sizes


def test_a_pause_between_transactions_makes_none_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    now, parts = 0.0, []

    def pass_time(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(store, "time", SimpleNamespace(monotonic=lambda: now, sleep=pass_time))
    for part in store.paused_chunks(range(84)):
        parts.append(len(part))
        pass_time(len(part) * 2**-15)
    assert parts == [16, 32, 32, 4]
    assert now == pytest.approx(84 * 2**-15 + 4 * store.PAUSE_S)
