"""Folder watching over real files, with the system's real notifications."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from watchdog.events import FileDeletedEvent

from curator.catalog import Catalog
from curator.home import Home
from curator.model import CatalogError, KnownError
from curator.pipeline import Pipeline, PipelineEvents, file_stability, folder_watcher
from curator.pipeline.folder_watcher import (
    ChangedDirectory,
    FolderToWatch,
    FolderWatch,
    FolderWatcher,
    System,
)
from curator.pipeline.ingest import Ingest
from curator.settings import Settings
from tests.photos import draw_jpeg

LIMIT_S = 60.0


class Recorder:
    """Takes what a watched folder hands over, as the catalog would."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.system = System()
        self.watch: FolderWatch | None = None
        self.reported: list[ChangedDirectory] = []
        self.troubles: list[KnownError] = []
        self._news = threading.Condition()

    def begin(self, recursive: bool = True, since: float | None = None) -> Recorder:
        wanted = FolderToWatch(str(self.top), recursive, time.time() if since is None else since)
        self.watch = FolderWatch(3, wanted, self.system, self._take, self.troubles.append)
        self.watch.start()
        self.until(lambda: self.watch is not None and self.watch.ready)
        return self

    def _take(self, watch: FolderWatch, looked: list[ChangedDirectory]) -> None:
        assert watch is self.watch
        with self._news:
            self.reported += looked
            self._news.notify_all()
        watch.scanned()

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + LIMIT_S
        with self._news:
            while not condition():
                assert time.monotonic() < end, f"timed out; passed on: {self.reported}"
                self._news.wait(0.02)

    def has(self, name: str) -> bool:
        """Whether a file was reported; ``name`` is its path below the top."""
        wanted = str(self.top / name)
        return any(file.path == wanted for each in self.reported for file in each.found)

    def was_looked_at(self, name: str = "") -> bool:
        return any(each.directory == str(self.top / name) for each in self.reported)

    def close(self) -> None:
        if self.watch is not None:
            self.watch.stop()
            self.watch.join(LIMIT_S)
        self.system.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all waits a tenth as long."""
    monkeypatch.setattr(file_stability, "QUIET_S", 0.05)
    monkeypatch.setattr(file_stability, "APART_S", 0.05)
    monkeypatch.setattr(file_stability, "_WRITTEN_NS", 50_000_000)
    monkeypatch.setattr(folder_watcher, "START_S", 3600.0)
    monkeypatch.setattr(folder_watcher, "POLL_S", 0.05)


@pytest.fixture
def started(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the check at the start happen at once."""
    monkeypatch.setattr(folder_watcher, "START_S", 0.0)


@pytest.fixture
def recorder(tmp_path: Path, quick: None) -> Iterator[Recorder]:
    made = Recorder(tmp_path / "iceland")
    made.top.mkdir()
    yield made
    made.close()


def age(path: Path, seconds: float = 100.0) -> Path:
    """Make a file or folder look as old as that."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_new_changed_and_removed_files_are_reported(recorder: Recorder) -> None:
    (recorder.top / "1.jpg").write_bytes(b"one")
    recorder.begin()
    (recorder.top / "2.jpg").write_bytes(b"two")
    recorder.until(lambda: recorder.has("2.jpg"))
    (recorder.top / "1.jpg").write_bytes(b"one, edited")
    recorder.until(
        lambda: any(file.size == 11 for each in recorder.reported for file in each.found)
    )
    recorder.reported.clear()
    (recorder.top / "2.jpg").unlink()
    recorder.until(recorder.was_looked_at)
    assert not recorder.has("2.jpg")


def test_a_temporary_name_is_ignored_until_the_final_one(recorder: Recorder) -> None:
    recorder.begin()
    whole = "3.jpg"
    names = ["3.jpg.part", "3.jpg.crdownload", "3.jpg~", "3.jpg.!qB", ".3.jpg", ".3.jpg.Xy12Ab"]
    for name in names:
        (recorder.top / name).write_bytes(b"half")
    (recorder.top / "1.jpg").write_bytes(b"one")
    recorder.until(lambda: recorder.has("1.jpg"))
    (recorder.top / names[-1]).rename(recorder.top / whole)  # as rsync does
    recorder.until(lambda: recorder.has(whole))
    found = {file.path for each in recorder.reported for file in each.found}
    assert found == {str(recorder.top / "1.jpg"), str(recorder.top / whole)}


def test_a_directory_moved_in_is_scanned_with_its_subfolders(
    recorder: Recorder, tmp_path: Path
) -> None:
    deep = tmp_path / "day 1" / "raw"
    deep.mkdir(parents=True)
    (deep / "1.nef").write_bytes(b"one")
    recorder.begin()
    (tmp_path / "day 1").rename(recorder.top / "day 1")
    recorder.until(lambda: recorder.has("day 1/raw/1.nef"))
    (recorder.top / "day 1" / "raw" / "2.nef").write_bytes(b"two")  # it is watched now
    recorder.until(lambda: recorder.has("day 1/raw/2.nef"))
    recorder.reported.clear()
    shutil.rmtree(recorder.top / "day 1")
    recorder.until(lambda: recorder.was_looked_at() or recorder.was_looked_at("day 1"))


def test_a_folder_opened_through_a_link_keeps_its_name(recorder: Recorder, tmp_path: Path) -> None:
    recorder.top.rename(tmp_path / "real")
    recorder.top.symlink_to(tmp_path / "real")
    (tmp_path / "real" / "round").symlink_to(tmp_path / "real")  # a loop
    recorder.begin()
    (tmp_path / "real" / "1.jpg").write_bytes(b"one")
    recorder.until(lambda: recorder.has("1.jpg"))
    assert {each.directory for each in recorder.reported} == {str(recorder.top)}


def test_folders_that_scans_skip_are_not_watched(recorder: Recorder) -> None:
    cache = recorder.top / "home" / "cache"
    (cache / "proxies").mkdir(parents=True)
    (cache / "CACHEDIR.TAG").touch()
    (recorder.top / ".trash").mkdir()
    recorder.begin()
    (cache / "proxies" / "1.jpg").write_bytes(b"a proxy")
    (recorder.top / ".trash" / "1.jpg").write_bytes(b"rubbish")
    (recorder.top / "2.jpg").write_bytes(b"two")
    recorder.until(lambda: recorder.has("2.jpg"))
    assert {each.directory for each in recorder.reported} == {str(recorder.top)}


def test_reading_a_photo_reports_nothing(recorder: Recorder) -> None:
    (recorder.top / "1.jpg").write_bytes(b"one")
    recorder.begin()
    for _ in range(20):
        (recorder.top / "1.jpg").read_bytes()
    (recorder.top / "a").mkdir()
    for name in ("a/1.jpg", "a/2.jpg"):  # had reading been news, it would have come before these
        (recorder.top / name).write_bytes(b"one")
        recorder.until(lambda name=name: recorder.has(name))
    assert not recorder.was_looked_at()


@pytest.mark.usefixtures("started")
def test_changes_made_before_the_start_are_found(recorder: Recorder) -> None:
    for name in ("old", "new"):
        (recorder.top / name).mkdir()
        age(recorder.top / name, 10_000)
    age(recorder.top, 10_000)
    (recorder.top / "new" / "1.jpg").write_bytes(b"one")
    recorder.begin(since=time.time() - 5_000)
    recorder.until(lambda: recorder.has("new/1.jpg"))
    assert {each.directory for each in recorder.reported} == {str(recorder.top / "new")}


def test_a_changing_file_does_not_delay_others(recorder: Recorder) -> None:
    recorder.begin()
    (recorder.top / "1.jpg").touch()  # somebody will fill it
    (recorder.top / "2.jpg").write_bytes(b"two")
    recorder.until(lambda: recorder.has("2.jpg"))
    assert not recorder.has("1.jpg")
    (recorder.top / "1.jpg").write_bytes(b"one")
    recorder.until(lambda: recorder.has("1.jpg"))


@pytest.mark.usefixtures("started")
def test_a_network_drive_is_polled(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    class Far:
        network, kind = True, "nfs"

    monkeypatch.setattr(folder_watcher, "mount_of", lambda path: Far)
    monkeypatch.setattr(System, "watch", lambda *_: pytest.fail("the system was asked"))
    age(recorder.top, 200_000)
    recorder.begin()
    (recorder.top / "day 1").mkdir()
    (recorder.top / "day 1" / "1.jpg").write_bytes(b"one")
    recorder.until(lambda: recorder.has("day 1/1.jpg"))
    (recorder.top / "day 1" / "2.jpg").write_bytes(b"two")
    recorder.until(lambda: recorder.has("day 1/2.jpg"))


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("late", [False, True], ids=["at once", "for subfolders"])
def test_without_free_watches_the_folder_is_polled_and_that_is_reported(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    def watch(*_: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    if late:  # watchdog passes over what it could not watch below a folder
        monkeypatch.setattr(System, "is_full", lambda _: True)
    else:
        monkeypatch.setattr(System, "watch", watch)
    recorder.begin()
    (recorder.top / "1.jpg").write_bytes(b"one")
    recorder.until(lambda: recorder.has("1.jpg"))
    assert "fs.inotify.max_user_watches" in str(recorder.troubles[0])
    assert "Rescan folders" in recorder.troubles[0].remedy


def test_lost_events_scan_the_whole_folder(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_watcher, "_BURST", 10)
    (recorder.top / "deaf").mkdir()
    (recorder.top / "deaf" / "1.jpg").write_bytes(b"its event was lost")
    recorder.begin()
    for number in range(20):
        (recorder.top / f"{number}.jpg").write_bytes(b"x")
    recorder.until(lambda: recorder.has("deaf/1.jpg"))


def test_a_folder_that_comes_back_is_watched_again(recorder: Recorder, tmp_path: Path) -> None:
    recorder.begin()
    recorder.top.rename(tmp_path / "pulled")
    recorder.top.mkdir()
    recorder.top.rmdir()
    (tmp_path / "pulled" / "1.jpg").write_bytes(b"one")  # the system still names the old place
    recorder.until(lambda: recorder.watch is not None and not recorder.watch.ready)
    assert recorder.reported == []
    (tmp_path / "pulled").rename(recorder.top)
    recorder.until(lambda: recorder.has("1.jpg"))
    (recorder.top / "2.jpg").write_bytes(b"two")
    recorder.until(lambda: recorder.has("2.jpg"))


def test_late_events_of_a_removed_folder_end(recorder: Recorder) -> None:
    recorder.begin()
    watch = recorder.watch
    assert watch is not None
    shutil.rmtree(recorder.top)
    recorder.until(lambda: not watch.ready)
    watch._happened(FileDeletedEvent(str(recorder.top / "1.jpg")))  # it was on its way
    recorder.until(lambda: watch._changes.wait_s() is None)


def test_subfolders_can_be_left_out(recorder: Recorder) -> None:
    (recorder.top / "sub").mkdir()
    recorder.begin(recursive=False)
    (recorder.top / "sub" / "1.jpg").write_bytes(b"one")
    (recorder.top / "2.jpg").write_bytes(b"two")
    recorder.until(lambda: recorder.has("2.jpg"))
    assert not recorder.has("sub/1.jpg")


def test_changes_are_reported_one_at_a_time(recorder: Recorder) -> None:
    recorder.begin()
    assert recorder.watch is not None
    given: list[ChangedDirectory] = []
    recorder.watch._changed = lambda _, looked: given.extend(
        looked
    )  # and nobody says it is scanned
    (recorder.top / "1.jpg").write_bytes(b"one")
    recorder.until(lambda: given)
    (recorder.top / "2.jpg").write_bytes(b"two")
    recorder.until(lambda: recorder.watch is not None and recorder.watch._changes.wait_s() == 0)
    assert len(given) == 1
    recorder.watch.scanned()
    recorder.until(lambda: len(given) > 1)


def test_changes_the_catalog_refused_are_reported_again(recorder: Recorder) -> None:
    recorder.begin()
    watch = recorder.watch
    assert watch is not None
    lost: list[ChangedDirectory] = []

    def lose(_: FolderWatch, looked: list[ChangedDirectory]) -> None:
        lost.extend(looked)
        watch._changed = recorder._take
        watch.pass_on_again(looked)

    watch._changed = lose
    (recorder.top / "1.jpg").write_bytes(b"one")
    recorder.until(lambda: recorder.has("1.jpg"))
    assert [file.path for each in lost for file in each.found] == [str(recorder.top / "1.jpg")]


def test_watching_continues_after_a_catalog_error(
    recorder: Recorder, catalog: Catalog, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    conductor: Any = SimpleNamespace(post=posted.put, deliver=posted.put, wake=lambda: None)
    jobs: Any = SimpleNamespace(cancel_away=lambda: None)
    ingest = Ingest(catalog, Settings.load(home), True, conductor, jobs, PipelineEvents())
    catalog.folders.add(recorder.top)
    ingest.watch()
    try:
        [watch] = ingest._watcher._folders.values()
        recorder.until(lambda: watch.ready)
        (recorder.top / "1.jpg").write_bytes(b"one")
        begin = catalog.scans.begin
        monkeypatch.setattr(catalog.scans, "begin", refuse)
        with pytest.raises(CatalogError):
            posted.get(timeout=LIMIT_S)()
        monkeypatch.setattr(catalog.scans, "begin", begin)
        posted.get(timeout=LIMIT_S)()
        while ingest.is_busy:
            ingest.advance()
    finally:
        ingest.close()
    assert [catalog.photos.get(photo).name for photo in catalog.photos.ids()] == ["1"]


def test_changes_of_a_watch_that_ended_are_not_scanned(
    recorder: Recorder, catalog: Catalog, home: Home
) -> None:
    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    scanned: list[Path] = []
    folder_id = catalog.folders.add(recorder.top)
    watcher = FolderWatcher(
        Settings.load(home).scan,
        posted.put,
        lambda watch, _: scanned.append(Path(watch.path)),
        lambda _: None,
    )
    watcher.start(catalog)
    try:
        [former] = watcher._folders.values()
        recorder.until(lambda: former.ready)
        (recorder.top / "1.jpg").write_bytes(b"one")
        scan = posted.get(timeout=LIMIT_S)
        catalog.folders.enable(folder_id, False)
        watcher.refresh()
        catalog.folders.enable(folder_id, True)
        watcher.refresh()  # another watch of the same folder
        scan()
    finally:
        watcher.close()
    assert scanned == []


def refuse(*_: object) -> None:
    raise CatalogError("The catalog is locked by another program.", "Try again in a moment.")


@pytest.mark.parametrize("size", [100])
def test_a_file_copied_in_two_attempts_is_one_photo(
    home: Home, catalog: Catalog, tmp_path: Path, size: int
) -> None:
    whole = draw_jpeg(tmp_path / "card.jpg").read_bytes()
    half = tmp_path / "in" / "1.jpg"
    half.parent.mkdir()
    half.write_bytes(whole[:size])
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    try:
        pipeline.open_folders([half.parent])
        assert catalog.photos.get(1).state == "failed"
        half.write_bytes(whole)
        pipeline.rescan()
    finally:
        pipeline.stop()
    assert catalog.photos.ids() == [1]
    assert not catalog.photos.get(1).state and not catalog.work.failures()
    assert [file.role for file in catalog.photos.get(1).files] == ["main"]
