"""The daily backup: no other work waits for it, and a failed backup stops nothing."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from curator.catalog import Catalog, backups
from curator.home import Home
from curator.model import CatalogError, KnownError
from curator.pipeline import Pipeline, backup_scheduler
from curator.pipeline.backup_scheduler import BackupScheduler
from curator.settings import Settings
from tests import fake_stages
from tests.catalogs import fill


def test_a_mark_is_committed_during_a_backup(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(home.catalog, 50)
    half_way, go_on = threading.Event(), threading.Event()

    def wait(_: float) -> None:
        half_way.set()
        assert go_on.wait(60)

    monkeypatch.setattr(backups.time, "sleep", wait)
    monkeypatch.setattr(backup_scheduler, "_SETTLED_S", 0.0)
    keeper = BackupScheduler(home.catalog, False, pytest.fail)
    keeper.finished()
    assert half_way.wait(60)
    with closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({2: {"rating": 5}}, summary="5 stars")
        assert catalog.photos.get(2).marks.rating == 5
        catalog.store.checkpoint()
    keeper.finished()  # one is enough
    go_on.set()
    keeper.close()
    assert len(backups.files(home.catalog)) == 1


def test_a_failed_backup_is_reported_once_and_tried_later(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []

    def full(*args: object, **_: object) -> None:
        tries.append(args)
        raise CatalogError("No back-up of the catalog could be made.", "Make room.")

    monkeypatch.setattr(backups, "make_if_due", full)
    reported: list[KnownError] = []
    keeper = BackupScheduler(home.catalog, True, reported.append)
    keeper.finished()
    keeper.finished()
    assert len(tries) == len(reported) == 1
    monkeypatch.setattr(backup_scheduler, "_AGAIN_S", 0.0)
    keeper._again_at = 0.0
    keeper.finished()
    assert len(reported) == 2


def test_a_backup_waits_while_photos_are_read_for_a_day_at_most(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(backups, "is_due", lambda path, every_s: asked.append(every_s))
    monkeypatch.setattr(backup_scheduler, "_SETTLED_S", 0.0)
    monkeypatch.setattr(backup_scheduler, "_CHECK_S", 0.0)
    keeper = BackupScheduler(home.catalog, False, pytest.fail)
    keeper.look(False)
    keeper.look(True)
    assert asked == [2 * backups.DAY_S, backups.DAY_S]


def test_closing_cancels_a_backup_that_takes_too_long(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home.catalog, 50)
    monkeypatch.setattr(backup_scheduler, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(backup_scheduler, "_SETTLED_S", 0.0)
    monkeypatch.setattr(backups, "_PAGES", 1)  # some thousand steps of 5 ms
    keeper = BackupScheduler(home.catalog, False, pytest.fail)
    keeper.finished()
    keeper.close()
    assert list(home.backups.glob("*.db*")) == []


def test_a_window_opens_before_a_backup_begins(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "is_due", lambda *_: pytest.fail("nobody has seen a photo yet"))
    keeper = BackupScheduler(home.catalog, False, pytest.fail)
    keeper.finished()
    keeper.look(True)


@pytest.mark.parametrize(
    "inline", [True, False], ids=["after photos were read", "while it is calm"]
)
def test_every_day_of_use_has_a_backup(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inline: bool
) -> None:
    made = threading.Event()
    real = backups.make_if_due

    def keep(*args: object, **options: object) -> object:
        found = real(*args, **options)  # type: ignore[arg-type]
        made.set()
        return found

    monkeypatch.setattr(backups, "make_if_due", keep)
    monkeypatch.setattr(backup_scheduler, "_SETTLED_S", 0.0)
    pipeline = Pipeline(home, Settings.load(home), inline=inline, stages=fake_stages.STAGES)
    if inline:
        source = fake_stages.write(tmp_path / "in", "ok")
    else:
        fill(home.catalog, 5)
        monkeypatch.setattr(BackupScheduler, "finished", lambda _: None)
    pipeline.start()
    try:
        if inline:
            pipeline.open_folders([source])
        assert made.wait(60)
    finally:
        pipeline.stop()
    assert len(backups.files(home.catalog)) == 1


def test_a_short_run_that_read_photos_ends_with_a_backup(home: Home, tmp_path: Path) -> None:
    source = fake_stages.write(tmp_path / "in", "ok")
    for _ in range(2):  # the second time there is one of today
        pipeline = Pipeline(home, Settings.load(home), stages=fake_stages.STAGES)
        pipeline.start()
        try:
            pipeline.open_folders([source])
            assert pipeline.wait_idle(60) is not None
        finally:
            pipeline.stop()
        assert len(backups.files(home.catalog)) == 1
