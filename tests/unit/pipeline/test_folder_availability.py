"""Drives that are unplugged and come back: nothing is lost, done twice or held up."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest
from PySide6.QtCore import Qt

from curator import volumes
from curator.catalog import Catalog
from curator.home import Home
from curator.library import folder_lookup
from curator.library.folder_lookup import FolderLocations
from curator.model import CatalogError, KnownError, StageState
from curator.pipeline import FolderNews, Pipeline, ScanReport, Totals, folder_availability, saving
from curator.pipeline.file_probe import FileProbe
from curator.pipeline.folder_availability import DriveWatch, FolderAvailability, LocatedFolders
from curator.settings import Settings
from curator.volumes import FolderLocation, Mount
from tests import catalogs, fake_stages
from tests.drives import Drives, Silence, drives  # noqa: F401 # a fixture

LIMIT_S = 60.0
DIRECT = Qt.ConnectionType.DirectConnection

Make = Callable[..., Pipeline]


@pytest.fixture
def make(home: Home, pipelines: list[Pipeline]) -> Make:
    catalogs.empty(home.catalog)
    settings = Settings.load(home, {"work": {"workers": 2, "timeout_s": 120, "backoff_s": 0}})

    def make(inline: bool = True) -> Pipeline:
        pipeline = Pipeline(home, settings, inline=inline, stages=fake_stages.STAGES)
        pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    return make


@pytest.fixture
def inline(make: Make) -> Pipeline:
    return make()


@pytest.fixture
def trip(drives: Drives) -> Path:  # noqa: F811
    """A folder of three photos on a drive called T7 Shield, plugged in."""
    fake_stages.write(drives.make("1a2b", "T7 Shield") / "trip", "ok", "ok", "ok")
    return drives.plug("1a2b") / "trip"


def states(catalog: Catalog) -> list[str]:
    return [catalog.photos.get(photo).state for photo in catalog.photos.ids()]


def attempts(catalog: Catalog) -> set[int]:
    return {
        work.attempts for photo in catalog.photos.ids() for work in catalog.photos.get(photo).work
    }


def paths(catalog: Catalog) -> list[str]:
    return [str(catalog.photos.get(photo).path) for photo in catalog.photos.ids()]


def test_a_drive_under_another_name_is_the_same_folder(
    inline: Pipeline,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    trip: Path,
    home: Home,
) -> None:
    inline.open_folders([trip])
    catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
    catalog.folders.save_position(str(trip), {"photo": 2})
    drives.pull("1a2b")
    inline.rescan()
    [row] = catalog.folders.all()
    assert (row.away, row.absence) == (True, "T7 Shield unplugged")
    assert states(catalog) == ["missing"] * 3
    assert catalog.store.value("SELECT count(*) FROM file WHERE missing_since IS NOT NULL") == 0
    reported: list[FolderNews] = []
    inline.events.folders_changed.connect(reported.append)
    now = drives.plug("1a2b", "T7 Shield1") / "trip"
    inline.rescan()
    [row] = catalog.folders.all()
    assert (row.path, row.away, row.volume_name) == (str(now), False, "T7 Shield")
    assert paths(catalog) == [str(now / f"{n:03}.jpg") for n in range(3)]
    assert states(catalog) == ["", "", ""]
    assert catalog.photos.get(2).marks.rating == 4
    assert catalog.folders.position(str(now)) == {"photo": 2}
    assert (home.cache / "order.log").read_text().split() == ["1", "2", "3"]  # nothing twice
    assert [back.sentence for back in reported[0].back] == ["T7 Shield is back"]


def test_a_drive_mounted_elsewhere_is_found_at_the_start(
    make: Make,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    trip: Path,
) -> None:
    first = make()
    first.open_folders([trip])
    first.stop()
    drives.pull("1a2b")
    now = drives.plug("1a2b", "E") / "trip"
    make().rescan()
    assert paths(catalog) == [str(now / f"{n:03}.jpg") for n in range(3)]
    assert len(catalog.folders.all()) == 1


def test_unread_photos_wait_for_their_drive_and_lose_no_attempt(
    make: Make,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    trip: Path,
) -> None:
    inline = make()
    inline.pause()
    inline.open_folders([trip])
    drives.pull("1a2b")
    inline.resume()
    inline.rescan()
    assert catalog.volumes.waiting_by_volume() == {"T7 Shield": 3}
    assert (catalog.work.unfinished(), catalog.work.failures(), attempts(catalog)) == (0, [], {0})
    assert inline.wait_idle() is not None  # nobody waits for a drive for ever
    inline.stop()
    again = make()  # still away the next day
    again.rescan()
    assert catalog.volumes.waiting_by_volume() == {"T7 Shield": 3}
    reported: list[FolderNews] = []
    again.events.folders_changed.connect(reported.append)
    drives.plug("1a2b", "Volume")
    again.rescan()
    assert reported[0].back[0].sentence == "T7 Shield is back · Reading 3 photos"
    assert catalog.volumes.waiting_by_volume() == {}
    assert catalog.work.counts()["convert"]["done"] == 3
    assert len(catalog.photos.ids()) == 3


def test_another_card_at_the_same_path_is_another_folder(
    inline: Pipeline,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
) -> None:
    for key in ("monday", "tuesday"):
        fake_stages.write(drives.make(key, "EOS") / "DCIM", "ok", "ok")
        (drives._shelf / key / "DCIM" / "000.jpg").write_text(f"ok - of {key}")
        (drives._shelf / key / "DCIM" / "001.jpg").write_text(f"ok - and of {key}")
    card = drives.plug("monday") / "DCIM"
    inline.open_folders([card])
    catalog.journal.decide({1: {"flag": "reject"}}, summary="Rejected")
    drives.pull("monday")
    drives.plug("tuesday")
    inline.rescan()
    assert states(catalog) == ["missing", "missing"]  # Monday's card does not have Tuesday's photos
    assert len(catalog.photos.ids()) == 2
    inline.open_folders([card])
    assert sorted(row.volume or "" for row in catalog.folders.all()) == ["monday", "tuesday"]
    assert states(catalog) == ["missing", "missing", "", ""]
    assert catalog.photos.get(3).marks.flag is None
    drives.pull("tuesday")
    drives.plug("monday")
    inline.rescan()
    assert states(catalog) == ["", "", "missing", "missing"]
    assert {row.volume: row.path for row in catalog.folders.all()}["monday"] == str(card)
    assert catalog.photos.get(1).marks.flag == "reject"
    assert catalog.store.value("SELECT count(*) FROM file WHERE missing_since IS NOT NULL") == 0


def test_a_cloned_disk_is_the_same_folder(
    inline: Pipeline,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    trip: Path,
) -> None:
    inline.open_folders([trip])
    drives.pull("1a2b")
    (drives._shelf / "1a2b").rename(drives._shelf / "9z")
    drives.labels["9z"] = "T7 Shield"
    drives.plug("9z")
    inline.rescan()
    [row] = catalog.folders.all()
    assert (row.volume, row.away, row.path) == ("9z", False, str(trip))


def test_opening_a_moved_folder_keeps_its_photos(
    inline: Pipeline,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    trip: Path,
) -> None:
    inline.open_folders([trip])
    drives.pull("1a2b")
    now = drives.plug("1a2b", "F") / "trip"
    inline.open_folders([now])
    assert [row.path for row in catalog.folders.all()] == [str(now)]
    assert len(catalog.photos.ids()) == 3


def test_without_volume_keys_only_the_path_identifies_a_folder(
    inline: Pipeline, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Mount("overlay", tmp_path.anchor, "overlay", None, "/", False, False)
    monkeypatch.setattr(folder_availability.volumes, "mounted", lambda: (root,))
    folder = fake_stages.write(tmp_path / "in", "ok", "ok")
    inline.open_folders([folder])
    reports: list[ScanReport] = []
    inline.events.scan_ended.connect(reports.append)
    folder.rename(tmp_path / "gone")
    inline.rescan()
    assert reports[0].problems == (f"{folder} is not there.",)
    assert catalog.folders.all()[0].absence == "folder not there now"
    (tmp_path / "gone").rename(folder)
    inline.rescan()
    assert states(catalog) == ["", ""]


def test_a_silent_network_drive_is_away_and_delays_nothing(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nas = Mount("//nas/photos", str(tmp_path / "nas"), "cifs", "//nas/photos", "x", False, True)
    disk = Mount("/dev/vda", tmp_path.anchor, "ext4", "system", "/", False, False)
    monkeypatch.setattr(folder_availability.volumes, "mounted", lambda: (disk, nas))
    monkeypatch.setattr(folder_lookup, "NETWORK_S", 0.01)
    answer = threading.Event()
    look = folder_availability.volumes.find_folder

    def slow(path: str, *rest: object) -> FolderLocation:
        if path.startswith(str(tmp_path / "nas")):
            answer.wait(LIMIT_S)
        return look(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(folder_availability.volumes, "find_folder", slow)
    far, near = catalog.folders.add(tmp_path / "nas" / "a"), catalog.folders.add(tmp_path)
    for _ in range(2):  # the second time nobody asks it again
        looks = folder_lookup.locate_folders(catalog.folders.all())
        assert looks[far] is None
        assert looks[near] is not None
    assert len(volumes._silent) == 1
    answer.set()
    for thread in volumes._silent.values():
        thread.join(LIMIT_S)


@pytest.mark.slow
def test_a_silent_drive_delays_neither_reading_nor_marking(
    make: Make,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folder_availability, "EVERY_S", 0.05)
    far = fake_stages.write(drives.make("1a2b", "T7") / "far", "ok", "ok", "ok")
    far = drives.plug("1a2b") / "far"
    near = fake_stages.write(tmp_path / "near", "ok")
    threaded = make(inline=False)
    threaded.open_folders([far, near])
    assert threaded.wait_idle(LIMIT_S) is not None
    (far / "001.jpg").unlink()  # nobody can tell now
    same = (far / "000.jpg").read_text()
    silence = Silence(far, monkeypatch)
    silence.begin()
    threaded.rescan()  # what is silent first
    shutil.copy(near / "000.jpg", near / "copy.jpg")
    (near / "of far.jpg").write_text(same)
    fake_stages.write(near, "ok", "ok")
    with pytest.raises(KnownError, match="does not answer"):
        threaded.open_folders([far])
    threaded.open_folders([near])
    catalog.journal.decide({1: {"rating": 4}}, summary="4 stars")
    assert threaded.wait_idle(LIMIT_S) is not None
    assert (catalog.work.counts()["convert"]["done"], len(catalog.photos.ids())) == (6, 6)
    silence.end()
    assert silence.waiting
    assert silence.waiting.isdisjoint({"MainThread", "curator-conductor"}), silence.waiting


@pytest.mark.slow
def test_a_drive_pulled_while_its_photos_are_read(
    make: Make,
    catalog: Catalog,
    drives: Drives,  # noqa: F811
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Jobs that fail because of it are put back; all of it is read once, under the new name."""
    monkeypatch.setattr(folder_availability, "EVERY_S", 0.05)
    monkeypatch.setattr(saving, "RETRY_S", 0.05)
    fake_stages.write(drives.make("1a2b", "T7 Shield") / "trip", *["ok"] * 10, *["wait"] * 30)
    trip = drives.plug("1a2b") / "trip"
    threaded = make(inline=False)
    some, back = threading.Event(), threading.Event()

    def count(_: object) -> None:
        order = home.cache / "order.log"
        if order.exists() and len(order.read_text().split()) >= 3:  # a wish to wait may come first
            some.set()

    threaded.events.photos_saved.connect(count, DIRECT)
    threaded.events.folders_changed.connect(lambda news: back.set() if news.back else None, DIRECT)
    threaded.open_folders([trip])
    assert some.wait(LIMIT_S)
    drives.pull("1a2b")
    (home.cache / "go").touch()  # what was being read goes on, into nothing
    assert threaded.wait_idle(LIMIT_S) is not None
    away = catalog.volumes.waiting_by_volume()
    assert catalog.work.failures() == []
    assert away["T7 Shield"] >= 20
    catalog.journal.decide({1: {"rating": 5}}, summary="5 stars")
    now = drives.plug("1a2b", "T7 Shield 1") / "trip"
    assert back.wait(LIMIT_S)
    assert isinstance(threaded.wait_idle(LIMIT_S), Totals)
    while catalog.work.counts()["convert"]["done"] < 40:
        assert threaded.wait_idle(LIMIT_S) is not None
        threading.Event().wait(0.02)
    assert (catalog.work.failures(), len(catalog.photos.ids())) == ([], 40)
    assert sorted(paths(catalog)) == [str(now / f"{n:03}.jpg") for n in range(40)]
    assert catalog.photos.get(1).marks.rating == 5
    assert {w.state for photo in catalog.photos.ids() for w in catalog.photos.get(photo).work} == {
        StageState.DONE
    }


def test_a_folder_that_another_process_took_for_away_is_looked_at_again(
    catalog: Catalog, tmp_path: Path
) -> None:
    number = catalog.folders.add(tmp_path)
    delivered: SimpleQueue[FolderLocations] = SimpleQueue()
    watch = DriveWatch(delivered.put)
    watch.watch(catalog.folders.all())
    watch.start()
    try:
        assert delivered.get(timeout=LIMIT_S)[number] is not None
        catalog.volumes.set_away(number, True)  # `curator status` waited too short for its drive
        watch.watch(catalog.folders.all())
        assert delivered.get(timeout=LIMIT_S)[number] is not None
    finally:
        watch.stop()


def test_all_folders_that_are_back_are_scanned_after_a_busy_catalog(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        numbers.append(catalog.folders.add(tmp_path / name))
        catalog.volumes.set_away(numbers[-1], True)
    probe = FileProbe(catalog, lambda act: act(), inline=True)
    availability = FolderAvailability(catalog, lambda: None, probe, inline=True)
    here = LocatedFolders({row.id: FolderLocation(row.path) for row in catalog.folders.all()}, {})
    note = catalog.volumes.set_away

    def refuse_second(number: int, *rest: bool) -> None:
        if number == numbers[1]:
            raise CatalogError(
                "The catalog is locked by another program.", "Try again in a moment."
            )
        note(number, *rest)

    monkeypatch.setattr(catalog.volumes, "set_away", refuse_second)
    with pytest.raises(CatalogError):
        availability.apply(here)
    monkeypatch.setattr(catalog.volumes, "set_away", note)
    assert sorted(availability.apply(here).scan) == numbers
    assert availability.apply(here).scan == ()
