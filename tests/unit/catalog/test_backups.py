"""Backups: made while the catalog is in use, verified, rotated and restored."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from curator import atomic
from curator.catalog import (
    Catalog,
    MissingError,
    ReplayReport,
    UseLock,
    backups,
    create_new_catalog,
    restore,
)
from curator.home import Home
from curator.model import BusyError, CatalogError, Described
from tests import face_data
from tests.catalogs import fill
from tests.face_data import OPEN
from tests.unit.catalog.shoot import Shoot, photo_bytes

NOON = datetime(2026, 3, 4, 12)


def named(folder: Path, what: str, when: datetime) -> Path:
    return folder / f"catalog-{what}-{when:%Y%m%d-%H%M%S}.db"


def damage(path: Path, table: str = "photo") -> None:
    """Overwrite the root of a table; the rest stays readable."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
        root = page.fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("rb+") as file:
        file.seek((root - 1) * size)
        file.write(b"\xde\xad" * (size // 2))


@pytest.fixture
def backed(home: Home) -> Path:
    """The path of a backup of a catalog with twenty photos, one of them rated."""
    fill(home.catalog, 20)
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({3: {"rating": 4}}, summary="4 stars")
        made = backups.make_if_due(catalog.path)
    assert made is not None
    return made


# --- making and verifying


def test_a_backup_is_verified_completely_and_counted(home: Home, backed: Path) -> None:
    (found,) = backups.listed(home.catalog)
    assert (found.path, found.photos, found.fault) == (backed, 20, "")
    assert found.decisions > 0 and found.size == backed.stat().st_size
    assert abs(found.made_at - time.time()) < 86_400
    assert [path.name for path in home.backups.iterdir()] == [backed.name], "nothing beside it"


def test_photos_whose_files_were_deleted_are_not_counted(home: Home) -> None:
    fill(home.catalog, 20)
    with closing(Catalog.open(home.catalog)) as catalog:
        with catalog.store.transaction():
            catalog.store.run("UPDATE photo SET emptied_at = 1 WHERE id = 5")
        made = backups.make_if_due(catalog.path)
        shown = len(catalog.photos.ids())
    assert made is not None and backups.inspect(made).photos == shown == 19


@pytest.mark.parametrize("how", ["cut short", "overwritten", "foreign", "gone"])
def test_an_invalid_backup_has_a_reason(backed: Path, how: str) -> None:
    whole = backed.read_bytes()
    backed.unlink()
    if how == "foreign":
        with closing(sqlite3.connect(backed)) as other:
            other.execute("CREATE TABLE moz_places (id)")
    elif how == "cut short":
        backed.write_bytes(whole[: len(whole) // 2])
    elif how == "overwritten":
        backed.write_bytes(whole[:8192] + b"\xde\xad" * 4096 + whole[16384:])
    assert backups.inspect(backed).fault


def test_the_newest_valid_backup_is_suggested(home: Home, backed: Path) -> None:
    older = backed.rename(backed.with_name("catalog-daily-20200102-030405.db"))
    backed.write_bytes(older.read_bytes()[:5_000])
    found = backups.newest_intact(home.catalog)
    assert found is not None and found.path == older
    older.unlink()
    assert backups.newest_intact(home.catalog) is None


def test_a_backup_before_a_migration_replaces_no_daily_backup(home: Home, backed: Path) -> None:
    assert not backups.is_due(home.catalog)
    backed.rename(backed.with_name(backed.name.replace("-daily-", "-v4-")))
    assert backups.is_due(home.catalog)


def test_decisions_continue_during_a_backup_which_holds_one_moment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home.catalog, 300)
    monkeypatch.setattr(backups, "_PAGES", 20)
    catalog = Catalog.open(home.catalog)
    steps: list[int] = []

    def decide() -> bool:
        photo = len(steps) % 300 + 1
        steps.append(catalog.journal.decide({photo: {"label": "red"}}, summary="red").id)
        return False

    before = catalog.store.value("SELECT count(*) FROM decision")
    made = backups.make_if_due(home.catalog, 0, decide)  # asked between two steps of the copy
    assert len(steps) >= 2 and steps[-1] > 0
    assert made is not None and backups.inspect(made).decisions == before
    catalog.close()


def test_a_canceled_backup_leaves_nothing_behind(home: Home) -> None:
    fill(home.catalog, 20)
    with pytest.raises(backups.GivenUpError):
        backups.make_if_due(home.catalog, 0, lambda: True)
    assert list(home.backups.iterdir()) == []


def test_the_next_process_removes_leftovers_of_a_killed_one(home: Home, backed: Path) -> None:
    left = home.backups / ".curator-999999999-0123456789ab.tmp-journal"
    growing = atomic.temporary_path(home.backups / "x.db")
    for path in (left, growing):
        path.write_bytes(b"half")
    backups.make_if_due(home.catalog, 0)
    assert list(home.backups.glob(".*")) == [growing], "this process may still write it"


@pytest.mark.parametrize("table", ["photo", "work"])
def test_with_a_damaged_catalog_no_backup_is_made_or_deleted(
    home: Home, backed: Path, table: str
) -> None:
    damage(home.catalog, table)
    days = [NOON - timedelta(days=day) for day in range(1, 9)]
    old = [shutil.copy(backed, named(home.backups, "daily", day)) for day in days]
    with pytest.raises(CatalogError, match="damaged") as caught:
        backups.make_if_due(home.catalog, 0)
    assert "doctor restore" in caught.value.remedy
    assert len(list(home.backups.iterdir())) == len(old) + 1


def test_on_a_full_disk_a_backup_leaves_nothing_behind(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home.catalog, 20)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CatalogError, match="No space left") as caught:
        backups.make_if_due(home.catalog, 0)
    assert "Free space" in caught.value.remedy
    assert list(home.backups.iterdir()) == []


def test_a_catalog_without_photos_is_not_backed_up(home: Home) -> None:
    Catalog.open(home.catalog).close()
    assert backups.make_if_due(home.catalog, 0) is None and not backups.files(home.catalog)


def test_a_new_backup_replaces_old_ones(home: Home, backed: Path) -> None:
    old = [named(home.backups, "daily", NOON - timedelta(hours=hour)) for hour in range(8)]
    for path in old:
        path.touch()
    newer = backed.rename(named(home.backups, "daily", NOON + timedelta(hours=1)))
    made = backups.make_if_due(home.catalog, 0)
    # The five newest, and the last of the only week before them.
    assert set(home.backups.iterdir()) == {made, newer, *old[:4]}


def test_a_backup_dated_in_the_future_does_not_prevent_new_ones(home: Home, backed: Path) -> None:
    now = datetime.now()
    for year in range(1, 7):
        named(home.backups, "daily", now + timedelta(days=365 * year)).touch()
    assert not backups.is_due(home.catalog), "today's is there"
    assert backups.files(home.catalog)[0] == backed
    backed.rename(named(home.backups, "daily", now - timedelta(days=2)))
    assert backups.is_due(home.catalog)
    made = backups.make_if_due(home.catalog)
    assert made is not None and made.exists() and backups.files(home.catalog)[0] == made
    backed.with_name(made.name).rename(named(home.backups, "daily", now + timedelta(hours=20)))
    assert not backups.is_due(home.catalog), "made east of here"


def test_five_days_four_weeks_and_three_versions_are_kept(tmp_path: Path) -> None:
    daily = [named(tmp_path, "daily", NOON - timedelta(days=day)) for day in range(60)]
    migrated = [named(tmp_path, f"v{4 - at}", NOON - timedelta(days=at)) for at in range(4)]
    twice = named(tmp_path, "v4", NOON - timedelta(days=30))
    other = tmp_path / "catalog-mine.db"
    for path in (*daily, *migrated, twice, other):
        path.touch()
    found = backups.files(tmp_path / "catalog.db")
    assert found == []
    listed = sorted((*daily, *migrated, twice, other), key=backups.made_at, reverse=True)
    gone = backups.superseded(listed)
    left = [path for path in listed if path not in gone]
    assert [path for path in left if path in daily[:5]] == daily[:5]
    weeks = [path for path in left if path in daily[5:]]
    ages = [(NOON - datetime.fromtimestamp(backups.made_at(path))).days for path in weeks]
    assert ages == [5, 10, 17, 24], "the Sundays before, and what is left of the week between"
    assert set(migrated[:3]) <= set(left) and migrated[3] in gone and twice in gone
    assert other in left, "a file with another name is left alone"


# --- restoring


def test_decisions_made_since_the_backup_are_replayed(home: Home, backed: Path) -> None:
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({5: {"flag": "reject"}, 6: {"rating": 2}}, summary="two")
        harbor = catalog.tags.ids(["harbor"], make=True)["harbor"]
        catalog.journal.decide({7: {"kept": True}}, summary="kept")
        catalog.journal.undo()
        catalog.journal.repeat(3, {"rating": 5}, summary="5 stars")
        catalog.journal.decide({8: {("tag", harbor): "confirmed"}}, summary="harbor")
        history = [step.summary for step in catalog.journal.history(7)]
    damage(home.catalog)
    whole = home.catalog.read_bytes()
    restored = restore(home.catalog, backed, redo=True)
    assert restored.redone == ReplayReport(5, 6, 0, True)
    assert restored.aside is not None and restored.aside.read_bytes() == whole
    with closing(Catalog.open(home.catalog)) as catalog:
        assert (
            catalog.photos.get(5).marks.flag == "reject" and catalog.photos.get(6).marks.rating == 2
        )
        assert not catalog.photos.get(7).marks.kept
        assert [step.summary for step in catalog.journal.history(7)] == history
        assert [(each.first, each.again) for each in catalog.taste.repeats()] == [(4, 5)]
        assert [tag.name for tag in catalog.tags.of([8])[8]] == ["harbor"]
        assert catalog.check() == []
        undone = catalog.journal.undo()
        assert undone is not None and undone.summary == "harbor"
    assert not (home.data / "restoring").exists()


@pytest.mark.slow
def test_photos_added_since_the_backup_are_counted_and_their_marks_reported_lost(
    home: Home, backed: Path
) -> None:
    with closing(Catalog.open(home.catalog)) as catalog:
        with catalog.store.transaction():
            catalog.store.run(
                "INSERT INTO photo (id, directory_id, name, added_at) VALUES (99,1,'x',1)"
            )
        catalog.journal.decide({99: {"rating": 5}, 2: {"rating": 1}}, summary="two")
    damage(home.catalog)
    assert restore(home.catalog, backed, redo=True).redone == ReplayReport(1, 1, 1, True)


def test_a_step_with_unreadable_decisions_is_skipped(home: Home, backed: Path) -> None:
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({5: {"flag": "reject"}}, summary="one")
    damage(home.catalog, "decision")
    assert restore(home.catalog, backed, redo=True).redone == ReplayReport(whole=False)


@pytest.mark.slow
def test_a_truncated_journal_is_replayed_up_to_its_end(home: Home, backed: Path) -> None:
    with closing(Catalog.open(home.catalog)) as catalog:
        for number in range(1, 400):
            catalog.journal.decide({number % 20 + 1: {"rating": number % 5 + 1}}, summary="s" * 200)
    with closing(sqlite3.connect(home.catalog, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    whole = home.catalog.read_bytes()
    home.catalog.write_bytes(whole[: len(whole) - 6 * size])
    redone = restore(home.catalog, backed, redo=True).redone
    assert redone is not None and not redone.whole
    with closing(Catalog.open(home.catalog)) as catalog:
        assert catalog.check() == []
        count = catalog.store.value("SELECT count(*) FROM step")
    assert count < 400


@pytest.mark.slow
def test_an_unrelated_backup_is_restored_without_current_decisions(
    home: Home, backed: Path
) -> None:
    with closing(sqlite3.connect(home.catalog, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER step_no_update")
        connection.execute("UPDATE step SET summary = 'another'")
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({9: {"rating": 5}}, summary="5 stars")
    redone = restore(home.catalog, backed, redo=True).redone
    assert redone == ReplayReport(related=False)
    with closing(Catalog.open(home.catalog)) as catalog:
        assert catalog.photos.get(9).marks.rating is None


def test_going_back_on_purpose_replays_nothing(home: Home, backed: Path) -> None:
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({9: {"rating": 5}}, summary="5 stars")
    assert restore(home.catalog, backed, redo=False).redone is None
    with closing(Catalog.open(home.catalog)) as catalog:
        assert catalog.photos.get(9).marks.rating != 5


def test_an_invalid_backup_changes_nothing(home: Home, backed: Path) -> None:
    backed.write_bytes(backed.read_bytes()[:10_000])
    before = home.catalog.read_bytes()
    with pytest.raises(CatalogError, match="cannot be used"):
        restore(home.catalog, backed, redo=True)
    assert home.catalog.read_bytes() == before
    assert not list(home.data.glob("*before-restore*"))


@pytest.mark.slow
def test_a_disk_error_during_a_restore_changes_nothing(
    home: Home, backed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = home.catalog.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(CatalogError, match="No space left"):
        restore(home.catalog, backed, redo=True)
    assert home.catalog.read_bytes() == before and not (home.data / "restoring").exists()


@pytest.mark.slow
def test_an_older_backup_is_migrated_when_restored(home: Home) -> None:
    old = Path(__file__).parents[2] / "data" / "catalogs" / "v1.db"
    home.backups.mkdir()
    backup = home.backups / "catalog-v1-20250101-120000.db"
    shutil.copy(old, backup)
    home.catalog.write_bytes(b"not a database, but long enough to be looked at " * 100)
    restored = restore(home.catalog, backup, redo=True)
    assert restored.redone is not None and not restored.redone.whole
    assert [path.name for path in home.backups.iterdir()] == [backup.name]
    with closing(Catalog.open(home.catalog)) as catalog:
        assert catalog.photos.get(2).marks.rating == 4


def test_decisions_in_a_damaged_catalog_of_an_older_version_are_replayed(home: Home) -> None:
    old = Path(__file__).parents[2] / "data" / "catalogs" / "v8.db"
    home.backups.mkdir()
    backup = home.backups / "catalog-daily-20250101-120000.db"
    for copy in (backup, home.catalog):
        shutil.copy(old, copy)
    with closing(sqlite3.connect(home.catalog)) as connection:
        connection.execute(
            "INSERT INTO step (kind, summary, made_at, source, scope, context)"
            " VALUES ('do', '2 stars', 1.8e9, 'person', '', '{}')"
        )
        connection.execute(
            "INSERT INTO decision (step_id, photo_id, field, before, after, order_name)"
            " VALUES (last_insert_rowid(), 3, 'rating', NULL, 2, '')"
        )
        connection.commit()
    damage(home.catalog)
    assert restore(home.catalog, backup, redo=True).redone == ReplayReport(1, 1)
    with closing(Catalog.open(home.catalog)) as catalog:
        assert catalog.photos.get(3).marks.rating == 2


def test_a_leftover_write_ahead_log_is_not_applied_to_the_backup(home: Home, backed: Path) -> None:
    with closing(Catalog.open(home.catalog)) as catalog:
        for number in range(1, 21):
            catalog.journal.decide({number: {"rating": 2}}, summary="2 stars")
        log = Path(f"{home.catalog}-wal").read_bytes()
    home.catalog.unlink()
    Path(f"{home.catalog}-wal").write_bytes(log)
    assert restore(home.catalog, backed, redo=True).aside is None
    with closing(Catalog.open(home.catalog)) as catalog:
        assert catalog.check() == [] and catalog.photos.get(1).marks.rating != 2
    (kept,) = home.data.glob("catalog-before-restore-*.db-wal")
    assert kept.read_bytes() == log


# --- a missing catalog


def test_a_missing_catalog_is_not_silently_created_anew(home: Home, backed: Path) -> None:
    home.catalog.unlink()
    before = backups.inspect(backed)
    with pytest.raises(MissingError, match="is missing, but backups") as caught:
        Catalog.open(home.catalog)
    assert "doctor restore" in caught.value.remedy and "doctor new-catalog" in caught.value.remedy
    assert not home.catalog.exists()
    create_new_catalog(home.catalog)
    with closing(Catalog.open(home.catalog)) as catalog:
        assert len(catalog.photos.ids()) == 0
        catalog.journal.decide({}, summary="")
    with pytest.raises(CatalogError, match="A catalog exists"):
        create_new_catalog(home.catalog)
    (held,) = backups.listed(home.catalog)
    assert "-held-" in held.path.name and held.made_at == before.made_at and held.photos == 20
    new = [named(home.backups, "daily", NOON - timedelta(days=day)) for day in range(60)]
    for path in new:
        path.touch()
    assert held.path not in backups.superseded(backups.files(home.catalog))


# --- changes outside the journal


def test_newer_photos_descriptions_and_searches_are_carried_over(home: Home, backed: Path) -> None:
    seen = ("0" * 64, "a harbor", "landscape", "soft", "calm", (("sea", 80),))
    description = Described("ollama", "llava", *seen)
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.searches.save("old", "rating:5")
    backups.make_if_due(home.catalog, 0)
    (newest, *_) = backups.files(home.catalog)
    with closing(Catalog.open(home.catalog)) as catalog:
        with catalog.store.transaction():
            catalog.store.run("UPDATE photo SET proxy_digest = ? WHERE id = 3", ("0" * 64,))
            catalog.store.run("INSERT INTO folder (id, path, added_at) VALUES (8, '/new', 1)")
            catalog.store.run("INSERT INTO directory (id, folder_id, path) VALUES (7, 8, '/new/a')")
            catalog.store.run(
                "INSERT INTO photo (id, directory_id, name, added_at) VALUES (99, 7, 'NEW_1', 1)"
            )
            catalog.store.run(
                "INSERT INTO file (photo_id, directory_id, name, kind, role, size, mtime_ns)"
                " VALUES (99, 7, 'NEW_1.JPG', 'image', 'main', 5, 1)"
            )
        face_data.save(catalog, {99: [OPEN]})
        catalog.journal.decide({99: {"rating": 5}, 2: {"rating": 1}}, summary="two")
        catalog.descriptions.save([(3, description)])
        catalog.searches.remove(catalog.searches.all()[0].id)
        catalog.searches.save("mine", "tag:harbor")
        catalog.photos.turn([4], 1)
        catalog.removal.note_removed(5, {str(catalog.photos.get(5).path): ""})
    damage(home.catalog, "vector")
    assert restore(home.catalog, newest, redo=True).redone == ReplayReport(1, 2, 0, True, photos=1)
    with closing(Catalog.open(home.catalog)) as catalog:
        new = catalog.photos.get(99)
        assert (new.marks.rating, str(new.path)) == (5, "/new/a/NEW_1.JPG")
        assert new.faces is None, "they are measured again"
        assert "/new" in [row.path for row in catalog.folders.all()]
        assert catalog.descriptions.of([3])[3].subject == "a harbor"
        assert [tag.name for tag in catalog.tags.of([3])[3]] == ["sea"]
        assert [each.name for each in catalog.searches.all()] == ["mine"]
        assert catalog.photos.get(4).turn == 1 and catalog.check() == []
        assert 5 not in catalog.photos.ids()


def test_a_pair_split_since_the_backup_stays_split(home: Home, tmp_path: Path) -> None:
    with closing(Catalog.open(home.catalog)) as catalog:
        shoot = Shoot(catalog, tmp_path / "shoot")
        for name in ("A.NEF", "A.JPG"):
            shoot.write(name, photo_bytes(name))
        shoot.ingest()
        backup = backups.make_if_due(home.catalog)
        catalog.journal.decide({1: {"apart": True}}, summary="Split A")
    damage(home.catalog, "vector")
    restore(home.catalog, backup or Path(), redo=True)
    with closing(Catalog.open(home.catalog)) as catalog:
        shoot = Shoot(catalog, tmp_path / "shoot")
        for _ in range(2):
            names = {photo.name: photo.files[0].role for photo in shoot.listed()}
            assert {name.removesuffix(".NEF") for name in names} == {"A", "A.JPG"}
            shoot.ingest()
        assert catalog.identity.pair_of(shoot.photo("A.JPG").id) == 1


# --- other processes


@pytest.mark.slow
def test_a_catalog_open_in_another_process_is_not_replaced(home: Home, backed: Path) -> None:
    script = (
        "import sys; from curator.catalog import Catalog;"
        "catalog = Catalog.open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(home.catalog)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None and other.stdin is not None
    assert other.stdout.readline() == b"open\n"
    with pytest.raises(BusyError, match="open on this catalog"):
        restore(home.catalog, backed, redo=True)
    other.kill()
    other.wait()
    other.stdout.close()
    other.stdin.close()
    restore(home.catalog, backed, redo=True)


def test_a_catalog_being_replaced_cannot_be_opened(home: Home, backed: Path) -> None:
    with UseLock(home.catalog) as lock:
        lock.exclude_others()
        with pytest.raises(BusyError, match="being restored"):
            Catalog.open(home.catalog)
    Catalog.open(home.catalog).close()


def test_several_processes_share_a_catalog(home: Home, backed: Path) -> None:
    first, second = Catalog.open(home.catalog), Catalog.open(home.catalog)
    first.close()
    with UseLock(home.catalog) as lock, pytest.raises(BusyError):
        lock.exclude_others()
    second.close()
    with UseLock(home.catalog) as lock:
        lock.exclude_others()
