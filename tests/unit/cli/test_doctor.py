"""`curator doctor`: the problems of a home, and restoring a backup."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from curator.catalog import Catalog, UseLock, backups
from curator.cli import doctor
from curator.home import Home
from tests.catalogs import fill
from tests.unit.cli.conftest import Type


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out checks that need processes or a server; other tests cover them."""
    monkeypatch.setattr(doctor, "_formats", list)
    monkeypatch.setattr(doctor, "_vision", lambda _: [])


@pytest.fixture
def kept(tmp_path: Path) -> Home:
    """A home with twenty photos, a backup and one later decision."""
    home = Home.at(tmp_path / "home").make()
    fill(home.catalog, 20, folder=str(tmp_path / "card"))
    with closing(Catalog.open(home.catalog)) as catalog:
        backups.make_if_due(catalog.path)
        catalog.journal.decide({3: {"rating": 4}}, summary="4 stars")
    return home


def hurt(home: Home) -> None:
    whole = home.catalog.read_bytes()
    home.catalog.write_bytes(b"\x89PNG" * 4096 + whole[16384:])


@pytest.fixture
def finding(curator: Type) -> Iterator[Callable[[str], tuple[bool, str, str]]]:
    """Return the doctor's finding of a title."""

    def look(what: str) -> tuple[bool, str, str]:
        said = curator("doctor", "--json")
        assert said.code == 0
        (found,) = [each for each in said.json["findings"] if each["what"] == what]
        return found["well"], found["found"], found["remedy"]

    yield look


@pytest.mark.slow
def test_a_fresh_home_has_no_problems(curator: Type, finding: Callable[..., object]) -> None:
    said = curator("doctor", "--json").json
    assert [f for f in said["findings"] if not f["well"] and "space" not in f["what"]] == []
    assert finding("backups")[1].startswith("none yet")  # type: ignore[index]


def test_a_damaged_catalog_is_reported_with_the_repair_command(
    kept: Home, finding: Callable[..., tuple[bool, str, str]]
) -> None:
    well, found, _ = finding("backups")
    assert well and "20 photos" in found and "today" in found
    hurt(kept)
    well, found, remedy = finding("catalog")
    assert not well and "damaged" in found and "curator doctor restore" in remedy


@pytest.mark.slow
def test_invalid_and_old_backups_are_problems(
    kept: Home, finding: Callable[..., tuple[bool, str, str]]
) -> None:
    (newest,) = kept.backups.iterdir()
    old = newest.rename(kept.backups / "catalog-daily-20240101-120000.db")
    well, found, remedy = finding("backups")
    assert not well and "1 Jan 2024 12:00" in found and "curator logs" in remedy
    old.write_bytes(old.read_bytes()[:9000])
    well, found, remedy = finding("backups")
    assert not well and "cannot be used" in found and "doctor backups" in remedy


@pytest.mark.slow
def test_a_missing_folder_and_a_full_disk_are_reported(
    kept: Home, finding: Callable[..., tuple[bool, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Catalog.open(kept.catalog)) as catalog:
        (folder,) = catalog.folders.all()
    well, found, remedy = finding(f"folder {folder.path}")
    assert not well and found == "not available" and "connect its drive" in remedy
    little = namedtuple("little", "total used free")(10**12, 10**12 - 10**6, 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: little)
    well, found, remedy = finding("space for the catalog")
    assert not well and found == "1.0 MB free" and "CURATOR_HOME" in remedy


@pytest.mark.slow
def test_an_unwritable_home_is_reported(
    kept: Home, finding: Callable[..., tuple[bool, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    well, found, remedy = finding("home")
    assert not well and "Permission denied" in found and "CURATOR_HOME" in remedy


# --- backups


@pytest.mark.slow
def test_backups_are_listed_with_their_content(kept: Home, curator: Type) -> None:
    (path,) = kept.backups.iterdir()
    broken = kept.backups / "catalog-daily-20240101-120000.db"
    broken.write_bytes(b"x" * 5000)
    said = curator("doctor", "backups")
    first, second = said.out.splitlines()
    assert path.name in first and "20 photos" in first and first.endswith("intact")
    assert broken.name in second and "1 Jan 2024" in second and "not a database" in second
    newest, _ = curator("doctor", "backups", "--json").json
    assert newest["fault"] == "" and newest["photos"] == 20


def test_a_damaged_catalog_is_restored_with_later_decisions(kept: Home, curator: Type) -> None:
    with closing(Catalog.open(kept.catalog)) as catalog:
        catalog.store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        root = catalog.store.value("SELECT rootpage FROM sqlite_master WHERE name = 'photo'")
        size = catalog.store.value("PRAGMA page_size")
    with kept.catalog.open("rb+") as file:
        file.seek((root - 1) * size)
        file.write(b"\xde\xad" * (size // 2))
    said = curator("doctor", "restore")
    assert said.code == 2 and "--yes" in said.err, "nobody was asked"
    said = curator("doctor", "restore", "--yes")
    assert said.code == 0, said.err
    assert "20 photos" in said.out and "made since then" in said.out
    (aside,) = kept.data.glob("catalog-before-restore-*.db")
    assert str(aside) in said.out and "rescan" in said.out
    with closing(Catalog.open(kept.catalog)) as catalog:
        assert catalog.photos.get(3).marks.rating == 4 and catalog.check() == []


@pytest.mark.slow
def test_answering_no_changes_nothing(
    kept: Home, curator: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurt(kept)
    before = kept.catalog.read_bytes()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    said = curator("doctor", "restore")
    assert "Nothing was changed." in said.out and kept.catalog.read_bytes() == before


@pytest.mark.slow
def test_a_valid_catalog_can_be_rolled_back_after_a_warning(kept: Home, curator: Type) -> None:
    (path,) = kept.backups.iterdir()
    said = curator("doctor", "restore", path.name, "--yes")
    assert said.code == 0 and "is intact" in said.err
    with closing(Catalog.open(kept.catalog)) as catalog:
        assert catalog.photos.get(3).marks.rating != 4


@pytest.mark.slow
def test_a_missing_or_newer_catalog_can_be_restored(kept: Home, curator: Type) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{kept.catalog}{ending}").unlink(missing_ok=True)
    said = curator("doctor", "restore", "--yes")
    assert (
        said.code == 0
        and "20 photos" in said.out
        and "are lost with the missing catalog" in said.out
    )
    with closing(Catalog.open(kept.catalog)) as catalog, catalog.store.transaction():
        catalog.store.run("PRAGMA user_version = 99")
    assert curator("doctor", "restore", "--yes").code == 0
    Catalog.open(kept.catalog).close()


def test_no_verb_creates_an_empty_catalog_if_backups_exist(
    kept: Home, curator: Type, finding: Callable[..., tuple[bool, str, str]]
) -> None:
    kept.catalog.unlink()
    said = curator("photos")
    assert said.code == 1 and said.out == "" and len(said.err.splitlines()) == 1
    assert (
        "is missing" in said.err
        and "doctor restore" in said.err
        and "doctor new-catalog" in said.err
    )
    well, found, _ = finding("catalog")
    assert not well and "is missing" in found
    assert not kept.catalog.exists()
    assert curator("doctor", "new-catalog").code == 0 and curator("photos", "--json").json == []
    said = curator("doctor", "new-catalog")
    assert said.code == 1 and "A catalog exists" in said.err


def test_an_invalid_time_is_a_usage_error(kept: Home, curator: Type) -> None:
    with closing(sqlite3.connect(kept.catalog)) as connection:
        connection.execute("UPDATE photo SET taken_at = replace(taken_at, 'T', 'U') WHERE id = 3")
        connection.commit()
    said = curator("photos")
    assert said.code == 1 and "is damaged" in said.err and "doctor restore" in said.err


@pytest.mark.slow
def test_a_damaged_backup_is_skipped_and_refused_by_name(kept: Home, curator: Type) -> None:
    (path,) = kept.backups.iterdir()
    newer = kept.backups / "catalog-daily-20990101-120000.db"
    newer.write_bytes(b"x" * 5000)
    hurt(kept)
    said = curator("doctor", "restore", newer.name, "--yes")
    assert said.code == 1 and "cannot be used" in said.err
    assert curator("doctor", "restore", "nothing.db", "--yes").code == 1
    assert curator("doctor", "restore", "--json", "--yes").json["backup"]["path"] == str(path)


@pytest.mark.slow
def test_without_a_valid_backup_the_remedy_is_named(kept: Home, curator: Type) -> None:
    (path,) = kept.backups.iterdir()
    os.truncate(path, 100)
    hurt(kept)
    said = curator("doctor", "restore", "--yes")
    assert said.code == 1 and "no intact backup" in said.err and "open your folders" in said.err


@pytest.mark.slow
def test_nothing_is_restored_while_curator_is_open(kept: Home, curator: Type) -> None:
    with UseLock(kept.catalog) as open_somewhere:
        open_somewhere.share()
        said = curator("doctor", "restore", "--yes")
    assert said.code == 1 and "open on this catalog" in said.err


def test_a_backup_may_be_named_only_to_restore_it(curator: Type) -> None:
    assert curator("doctor", "backups", "x.db").code == 2
