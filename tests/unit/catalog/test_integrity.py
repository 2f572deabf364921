"""Damaged catalogs: every damage is reported in a sentence and can be repaired."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from curator.catalog import Catalog, DamagedError, backups, is_damaged, restore
from curator.home import Home
from curator.model import CatalogError, Described, KnownError
from tests.catalogs import fill, stack

SEEDS = int(os.environ.get("CURATOR_DAMAGES", "60"))


def write_unchecked(path: Path, statement: str) -> None:
    """Write invalid values into a catalog, bypassing its constraints."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "act"),
    [
        ("UPDATE work SET state = 'dome' WHERE photo_id = 3", lambda c: c.work.counts()),
        ("UPDATE photo SET taken_at = '2O24-05-04' WHERE id = 3", lambda c: c.photos.get(3)),
        (
            "UPDATE photo SET name = CAST(x'ff41' AS TEXT) WHERE id = 3",
            lambda c: list(c.photos.iterate_columns()),
        ),
        ("UPDATE meta SET value = '[[' WHERE key = 'stages'", lambda c: c.work.counts()),
        ("INSERT INTO meta VALUES ('tags_rev', 'seven')", lambda c: c.tags.revision()),
    ],
)
def test_values_curator_never_writes_are_damage(
    home: Home, statement: str, act: Callable[[Catalog], object]
) -> None:
    fill(home.catalog, 20)
    write_unchecked(home.catalog, statement)
    with closing(Catalog.open(home.catalog)) as catalog:
        with pytest.raises(DamagedError, match="is damaged"):
            act(catalog)
        assert catalog.check()
    assert is_damaged(home.catalog)


def test_a_bug_on_a_valid_catalog_is_not_reported_as_damage(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home.catalog, 20)
    with closing(Catalog.open(home.catalog)) as catalog:
        checks: list[str] = []
        sound = catalog.store.check
        monkeypatch.setattr(catalog.store, "check", lambda: checks.append("again") or sound())
        for _ in range(2):
            with pytest.raises(KeyError):
                catalog.text.photos_without("nothing there is")
        assert checks == ["again"], "a large one takes seconds"
    assert catalog.store.damage_error(ValueError()) is None, "it is closed"


@pytest.mark.parametrize("version", sorted(Path(__file__).parents[2].glob("data/catalogs/*.db")))
def test_catalogs_of_all_versions_are_valid(version: Path) -> None:
    assert backups.inspect(version).fault == ""


def damage(pristine: bytes, seed: int) -> bytes:
    """Damage a file as disks and memory do: flipped bits and zeroed, foreign or missing pages."""
    chance, page = random.Random(seed), 4096
    data = bytearray(pristine)
    pages = len(data) // page
    kind = ("bits", "bytes", "zeros", "other", "cut", "noise")[seed % 6]
    if kind in ("bits", "bytes"):
        for _ in range(chance.choice((1, 3, 10, 100))):
            at = chance.randrange(len(data))
            flipped = data[at] ^ 1 << chance.randrange(8)
            data[at] = flipped if kind == "bits" else chance.randrange(256)
    elif kind == "cut":
        del data[chance.randrange(len(data)) :]
    else:
        for _ in range(chance.choice((1, 1, 3))):
            at = chance.randrange(pages) * page
            size = chance.choice((page, 512))
            there = chance.randrange(pages) * page
            new = {"zeros": bytes(size), "other": data[there : there + size]}
            data[at : at + size] = new.get(kind) or chance.randbytes(size)
    return bytes(data)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A home with data of every kind and a backup made before the last decisions."""
    home = Home.at(tmp_path_factory.mktemp("pristine")).make()
    fill(home.catalog, 60)
    stack(home.catalog, 4, 5, 6)
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.searches.save("mine", "rating:5")
        tag = catalog.tags.ids(["harbor"], make=True)["harbor"]
        catalog.journal.decide({3: {"rating": 4}, 4: {("tag", tag): "confirmed"}}, summary="before")
        catalog.text.update_all()
        made = backups.make_if_due(catalog.path)
        assert made is not None
        made.rename(made.with_name("catalog-daily-20240101-120000.db"))
        for photo in range(1, 40):
            catalog.journal.decide(
                {photo: {"rating": photo % 5 + 1, "kept": True}}, summary="since"
            )
        description = Described("ollama", "llava", "0" * 64, "sea", "landscape", "soft", "calm", ())
        with catalog.store.transaction():
            catalog.store.run("UPDATE photo SET proxy_digest = ? WHERE id = 3", ("0" * 64,))
        catalog.descriptions.save([(3, description)])
        catalog.photos.mark_seen([7, 8])
    return home.data, home.catalog.read_bytes()


def look_around(catalog: Catalog) -> None:
    """Run the queries of a window."""
    catalog.work.counts()
    ids = catalog.photos.ids()
    for photo in ids[:10]:
        catalog.photos.get(photo)
        catalog.journal.history(photo)
    list(catalog.photos.details(ids))
    catalog.folders.all()
    catalog.folders.directories()
    catalog.photos.copy_locations()
    catalog.tags.of(ids)
    catalog.searches.all()
    catalog.descriptions.of(ids)
    catalog.projects.all()
    catalog.work.failures()
    catalog.journal.next_undo()
    catalog.text.photos_with("dsc")
    catalog.text.update_all()
    catalog.work.pending("peek", 10)
    catalog.sidecars.outstanding()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_kind_of_damage_is_reported_and_repaired(
    pristine: tuple[Path, bytes], home: Home
) -> None:
    source, data = pristine
    shutil.copytree(source / "backups", home.backups, dirs_exist_ok=True)
    (backup,) = backups.files(home.catalog)
    odd: list[str] = []
    damaged = redone = 0
    for seed in range(SEEDS):
        for path in home.data.glob("catalog*"):
            path.unlink()
        home.catalog.write_bytes(damage(data, seed))
        try:
            with suppress(KnownError), closing(Catalog.open(home.catalog)) as catalog:
                look_around(catalog)
                catalog.journal.decide({9: {"rating": 2}}, summary="one more")
                catalog.journal.undo()
            damaged += is_damaged(home.catalog)
            with suppress(CatalogError):
                backups.make_if_due(home.catalog, -1.0)
            for extra in set(backups.files(home.catalog)) - {backup}:
                assert backups.inspect(extra).fault == ""
                extra.unlink()
            restored = restore(home.catalog, backup, redo=True)
            redone += bool(restored.redone and restored.redone.decisions)
            with closing(Catalog.open(home.catalog)) as catalog:
                assert catalog.check() == []
                look_around(catalog)
                assert len(catalog.photos.ids()) == 60
        except Exception as error:
            odd.append(f"{seed}: {error!r}")
    assert not odd, "\n".join(odd)
    assert damaged > SEEDS / 2 and redone > SEEDS / 4
