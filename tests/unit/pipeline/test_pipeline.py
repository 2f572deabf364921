"""The pipeline as a whole: no bad file, full disk or second pipeline stops other work."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest
from PySide6.QtCore import Qt

from curator import files
from curator.catalog import Catalog, DiskFullError
from curator.catalog.results import Results
from curator.catalog.store import LOG_BYTES
from curator.catalog.work import WorkQueue
from curator.home import Home
from curator.model import INTERNAL_ERROR, BusyError, CatalogError, KnownError, StageState
from curator.pipeline import (
    _PRELOAD,
    Pipeline,
    Progress,
    ScanReport,
    Totals,
    scanning,
    upkeep,
)
from curator.pipeline.stacking import Stacker
from curator.settings import Settings
from curator.stages import STAGES, Stage
from tests import catalogs, fake_stages
from tests.photos import draw_jpeg
from tests.sidecars import xmp

LIMIT_S = 60.0
DIRECT = Qt.ConnectionType.DirectConnection

Make = Callable[..., Pipeline]


@pytest.fixture
def settings(home: Home) -> Settings:
    flags = {"work": {"workers": 2, "timeout_s": LIMIT_S, "backoff_s": 0, "memory_mb": 512}}
    return Settings.load(home, flags)


@pytest.fixture
def make(home: Home, settings: Settings, pipelines: list[Pipeline]) -> Make:
    catalogs.empty(home.catalog)

    def make(inline: bool = False, stages: Sequence[Stage] = fake_stages.STAGES) -> Pipeline:
        pipeline = Pipeline(home, settings, inline=inline, stages=stages)
        pipelines.append(pipeline)
        return pipeline

    return make


@pytest.fixture
def inline(make: Make) -> Pipeline:
    pipeline = make(inline=True)
    pipeline.start()
    return pipeline


@pytest.fixture
def threaded(make: Make) -> Pipeline:
    pipeline = make()
    pipeline.start()
    return pipeline


def states(catalog: Catalog) -> dict[str, set[str]]:
    """Return the names of photos by their state of convert."""
    found: dict[str, set[str]] = {}
    for photo in catalog.photos.ids():
        detail = catalog.photos.get(photo)
        work = next(work for work in detail.work if work.stage == "convert")
        found.setdefault(str(work.state), set()).add(detail.name)
    return found


def order(home: Home) -> list[int]:
    """List photos in the order they were converted in."""
    return [int(line) for line in (home.cache / "order.log").read_text().split()]


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens on another thread."""
    late = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < late
        threading.Event().wait(0.005)


# --- a folder


def test_a_folder_is_read_to_the_end(inline: Pipeline, catalog: Catalog, tmp_path: Path) -> None:
    reports: list[ScanReport] = []
    inline.events.scan_ended.connect(reports.append)
    folder = fake_stages.write(tmp_path / "in", *["ok"] * 40)
    (folder / "clip.mp4").write_bytes(b"moving")
    inline.open_folders([folder])
    assert inline.wait_idle() == Totals(found=40, new=40, known=0, converted=40, failed=0)
    assert [report.sentence for report in reports] == ["40 photos; 1 video skipped"]
    assert states(catalog) == {"done": {f"{n:03}" for n in range(40)}}
    assert len(catalog.photos.ids()) == 40


def test_opening_a_folder_twice_does_nothing_new(
    inline: Pipeline, home: Home, tmp_path: Path
) -> None:
    folder = fake_stages.write(tmp_path / "in", *["ok"] * 5)
    inline.open_folders([folder])
    inline.open_folders([folder])
    assert inline.wait_idle() == Totals(found=5, new=0, known=5, converted=0, failed=0)
    assert len(order(home)) == 5


def test_a_pair_is_one_photo(inline: Pipeline, tmp_path: Path) -> None:
    folder = fake_stages.write(tmp_path / "in", "ok")
    (folder / "000.nef").write_text("ok raw")
    reports: list[ScanReport] = []
    inline.events.scan_ended.connect(reports.append)
    inline.open_folders([folder])
    assert [report.sentence for report in reports] == ["1 photo (1 pair)"]


def test_photos_rated_in_other_apps_are_counted_after_all_headers(
    make: Make, tmp_path: Path
) -> None:
    for number in range(12):
        draw_jpeg(tmp_path / "in" / f"DSC_{number}.jpg", size=(60, 40), seed=number)
        if number < 9:
            (tmp_path / "in" / f"DSC_{number}.xmp").write_bytes(xmp(4))
    reports: list[ScanReport] = []
    pipeline = make(inline=True, stages=STAGES[:1])
    pipeline.events.scan_ended.connect(reports.append)
    pipeline.start()
    pipeline.pause()  # the scan ends before a header is read
    pipeline.open_folders([tmp_path / "in"])
    assert [report.sentence for report in reports] == ["12 photos"], "no header is read yet"
    pipeline.resume()
    assert [report.again for report in reports] == [False, True]
    assert reports[-1].sentence == "12 photos, 9 already rated in other apps"


def test_copies_count_as_photos_only_until_all_headers_are_read(make: Make, tmp_path: Path) -> None:
    folder = fake_stages.write(tmp_path / "in", "ok", "ok", "ok")
    for number in range(3):
        shutil.copy(folder / f"00{number}.jpg", folder / f"copy of 00{number}.jpg")
    reports: list[ScanReport] = []
    pipeline = make(inline=True)
    pipeline.events.scan_ended.connect(reports.append)
    pipeline.start()
    pipeline.pause()
    pipeline.open_folders([folder])
    pipeline.events.idle.connect(lambda _: reports.append(ScanReport(0, 0, 0, 0, "idle")))
    pipeline.resume()
    assert [report.sentence for report in reports] == ["6 photos", "3 photos", "idle"]


def test_single_files_do_not_add_their_neighbors(inline: Pipeline, tmp_path: Path) -> None:
    folder = fake_stages.write(tmp_path / "in", "ok", "ok", "ok")
    inline.open_folders([folder / "001.jpg"])
    assert inline.wait_idle() == Totals(1, 1, 0, 1, 0)
    inline.rescan()
    assert inline.wait_idle() == Totals(1, 0, 1, 0, 0)


def test_a_sample_is_drawn_from_new_photos_and_never_filled_up(
    inline: Pipeline, catalog: Catalog, tmp_path: Path
) -> None:
    folder = fake_stages.write(tmp_path / "in", *["ok"] * 60)
    inline.open_folders([folder], sample=10)
    assert inline.wait_idle() == Totals(10, 10, 0, 10, 0)
    inline.rescan()
    assert inline.wait_idle() == Totals(10, 0, 10, 0, 0)
    inline.open_folders([folder], sample=10)
    assert inline.wait_idle() == Totals(20, 10, 10, 10, 0)
    inline.open_folders([folder])
    assert inline.wait_idle() == Totals(60, 40, 20, 40, 0)
    assert len(catalog.photos.ids()) == 60


def test_a_folder_inside_another_is_read_once(
    inline: Pipeline, catalog: Catalog, tmp_path: Path
) -> None:
    outer = fake_stages.write(tmp_path / "in", "ok")
    inner = fake_stages.write(outer / "day1", "ok")
    inline.open_folders([inner, outer])
    assert inline.wait_idle() == Totals(2, 2, 0, 2, 0)
    inline.open_folders([inner])
    assert inline.wait_idle() == Totals(1, 0, 1, 0, 0)
    assert [row.path for row in catalog.folders.all()] == [str(outer)]


def test_a_missing_folder_raises_at_once(inline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="does not exist"):
        inline.open_folders([tmp_path / "nowhere"])
    assert inline.wait_idle() == Totals()


def test_a_vanished_folder_keeps_its_photos_and_is_reported(
    inline: Pipeline, catalog: Catalog, tmp_path: Path
) -> None:
    folder = fake_stages.write(tmp_path / "in", "ok", "ok")
    inline.open_folders([folder])
    reports: list[ScanReport] = []
    inline.events.scan_ended.connect(reports.append)
    folder.rename(tmp_path / "away")
    inline.rescan()
    assert [str(folder) in problem for problem in reports[0].problems] == [True]
    assert [catalog.photos.get(photo).state for photo in catalog.photos.ids()] == [
        "missing",
        "missing",
    ]


# --- bad files


def test_bad_files_fail_alone_and_say_why(
    threaded: Pipeline, catalog: Catalog, tmp_path: Path, expected_log: Callable[[str], None]
) -> None:
    expected_log("ZeroDivisionError")
    bad = {
        "crash": ("Reading it ended in a crash.", 3),
        "unreadable": ("The file is empty.", 1),
        "gone": ("The file is not there any more.", 3),
        "mistake": (INTERNAL_ERROR, 1),
    }
    wishes = [wish for name in bad for wish in ("ok", name, "ok")]
    threaded.open_folders([fake_stages.write(tmp_path / "in", *wishes)])
    totals = threaded.wait_idle(LIMIT_S)
    assert totals == Totals(found=12, new=12, known=0, converted=8, failed=4)
    assert {
        Path(f.path).read_text().split()[0]: (f.reason, f.attempts) for f in catalog.work.failures()
    } == bad


@pytest.mark.slow
def test_a_hang_fails_only_that_photo(
    threaded: Pipeline, settings: Settings, catalog: Catalog, home: Home, tmp_path: Path
) -> None:
    settings.work.timeout_s = 5  # a busy machine may take a second for the others
    assert settings.work.attempts > 1, "a job that hangs is not tried again automatically"
    threaded.open_folders([fake_stages.write(tmp_path / "in", "hang", *["ok"] * 6)])
    assert threaded.wait_idle(LIMIT_S) == Totals(7, 7, 0, 6, 1)
    assert [(failure.reason, failure.attempts) for failure in catalog.work.failures()] == [
        ("Reading it took longer than 5 s.", 1)
    ]


def test_a_photo_that_fills_memory_is_tried_once(
    inline: Pipeline, settings: Settings, catalog: Catalog, tmp_path: Path
) -> None:
    assert settings.work.attempts > 1
    inline.open_folders([fake_stages.write(tmp_path / "in", "greedy", "ok")])
    assert [(failure.reason, failure.attempts) for failure in catalog.work.failures()] == [
        ("Reading it needs more than 512 MB.", 1)
    ]


@pytest.mark.slow
def test_a_photo_that_fails_sometimes_is_tried_again(
    threaded: Pipeline, catalog: Catalog, tmp_path: Path
) -> None:
    threaded.open_folders([fake_stages.write(tmp_path / "in", "shaky 2", "ok")])
    assert threaded.wait_idle(LIMIT_S) == Totals(2, 2, 0, 2, 0)
    assert catalog.work.failures() == []


def test_an_attempt_is_postponed_and_asking_again_does_not_wait(
    inline: Pipeline, settings: Settings, catalog: Catalog, tmp_path: Path
) -> None:
    settings.work.backoff_s = 300
    folder = fake_stages.write(tmp_path / "in", "gone")
    inline.open_folders([folder])
    assert states(catalog) == {"waiting": {"000"}}
    (folder / "000.jpg").write_text("ok now")
    inline.rescan()
    inline.retry()
    assert states(catalog) == {"done": {"000"}}


def test_failed_photos_are_read_again_when_asked(
    inline: Pipeline, catalog: Catalog, home: Home, tmp_path: Path
) -> None:
    folder = fake_stages.write(tmp_path / "in", "unreadable", "unreadable")
    inline.open_folders([folder])
    photos = catalog.photos.ids()
    before = {failure.photo_id: failure.attempts for failure in catalog.work.failures()}
    assert inline.retry(None, photos[:1]) == 1
    assert inline.wait_idle() == Totals(failed=1)
    assert {failure.photo_id: failure.attempts for failure in catalog.work.failures()} == before
    assert inline.retry("convert") == 2
    assert inline.wait_idle() == Totals(failed=2)


# --- pausing, stopping, going on


@pytest.mark.slow
def test_a_full_disk_pauses_work_until_there_is_room(
    threaded: Pipeline, catalog: Catalog, home: Home, tmp_path: Path
) -> None:
    problems: list[str] = []
    threaded.events.paused_by.connect(problems.append, DIRECT)
    full = home.cache / "disk-is-full"
    full.touch()
    threaded.open_folders([fake_stages.write(tmp_path / "in", *["full"] * 20)])
    with pytest.raises(DiskFullError, match=r"is full\. Background work is paused\. Free some"):
        threaded.wait_idle(LIMIT_S)
    assert len(problems) == 1
    assert threaded.paused
    assert catalog.work.failures() == [], "a full disk is no photo's fault"
    full.unlink()
    threaded.resume()
    assert threaded.wait_idle(LIMIT_S) == Totals(20, 20, 0, 20, 0)


def test_results_that_could_not_be_saved_are_saved_later(
    inline: Pipeline, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def refuse(self: Results, results: object) -> list[int]:
            raise DiskFullError("The disk is full.", "Make room.")

        patch.setattr(Results, "save_converted", refuse)
        inline.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
        assert inline.paused
    inline.resume()
    assert inline.wait_idle() == Totals(2, 2, 0, 2, 0)
    assert len(order(home)) == 2, "nothing was read twice"


def test_a_bug_in_one_result_fails_only_that_photo(
    inline: Pipeline,
    catalog: Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected_log: Callable[[str], None],
) -> None:
    expected_log("saving the result of convert for .*001.jpg failed")
    save = Results.save_converted

    def trip(self: Results, results: list[tuple[object, object]]) -> list[int]:
        if any("001" in job.path for job, _ in results):  # type: ignore[attr-defined]
            raise TypeError("ours")
        return save(self, results)  # type: ignore[arg-type]

    monkeypatch.setattr(Results, "save_converted", trip)
    inline.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok", "ok")])
    assert states(catalog) == {"done": {"000", "002"}, "failed": {"001"}}


def test_pausing_starts_nothing_and_photos_on_screen_go_first(
    inline: Pipeline, catalog: Catalog, home: Home, tmp_path: Path
) -> None:
    inline.pause()
    inline.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 30)])
    photos = catalog.photos.ids()
    assert len(photos) == 30, "paused, photos still appear"
    assert inline.paused
    assert states(catalog) == {"waiting": {f"{n:03}" for n in range(30)}}
    seen = [photos[17], photos[4]]
    inline.focus(seen)
    inline.resume()
    assert order(home)[:2] == seen
    assert len(order(home)) == 30


@pytest.mark.parametrize("after_s", [1000.0, -1.0])
def test_the_log_gets_its_size_only_after_the_first_photos(
    make: Make, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after_s: float
) -> None:
    monkeypatch.setattr(upkeep, "RESERVE_S", after_s)
    pipeline = make(inline=True)
    pipeline.start()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok")])
    reserved = Path(f"{home.catalog}-wal").stat().st_size >= LOG_BYTES
    assert reserved is (after_s < 0)
    pipeline.stop()
    assert (home.data / "catalog.reserve").exists()


def test_no_model_is_loaded_while_the_first_screens_are_read(
    make: Make, catalog: Catalog, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = True
    monkeypatch.setattr(scanning.Scanner, "reads_first_screens", property(lambda _: reads))
    pipeline = make(stages=fake_stages.MEASURING)
    pipeline.start()
    done: list[str] = []
    pipeline._conductor.upkeep.deferred.append(lambda: done.append("process for frames"))
    pipeline.open_folders([fake_stages.write(tmp_path / "in", *["ok smiling"] * 3)])
    until(lambda: len(states(catalog).get("done", ())) == 3)
    assert pipeline.wait_idle(0.1) is None, "faces are left to measure"
    assert not (home.cache / "faces.log").exists() and not done
    reads = False
    totals = pipeline.wait_idle(LIMIT_S)
    assert totals is not None and totals.measured == 3 and done


def test_a_key_wakes_the_conductor_only_while_photos_wait(
    threaded: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threaded.open_folders([fake_stages.write(tmp_path / "in", "ok")])
    until(lambda: threaded.is_idle)
    woken: list[object] = []
    monkeypatch.setattr(threaded._conductor, "wake", lambda: woken.append(None))

    def wakes() -> bool:
        woken.clear()
        threaded.focus([1])
        return bool(woken)

    until(lambda: not wakes())
    with monkeypatch.context() as held:  # stacks wait until their photos leave the screen
        held.setattr(Stacker, "waits_for_focus", True)
        assert wakes()
    threaded.pause()  # on resuming, photos may wait
    until(wakes)


def test_the_catalog_is_closed_although_its_drive_is_gone(
    inline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = inline._conductor.catalog.store
    monkeypatch.setattr(store, "keep_disk_reserve", Mock(side_effect=FileNotFoundError))
    inline.stop()
    assert not store.is_open


def test_an_import_gives_way_while_a_photo_on_screen_waits_to_be_read(
    threaded: Pipeline, catalog: Catalog, home: Home, tmp_path: Path
) -> None:
    assert not threaded.reads_for_screen
    folder = fake_stages.write(tmp_path / "in", "unreadable", "ok")
    threaded.open_folders([folder])
    assert threaded.wait_idle(LIMIT_S) is not None
    fake_stages.write(folder, *["wait"] * 12)
    threaded.rescan()
    until(lambda: {"running", "waiting"} <= states(catalog).keys())
    ids = {catalog.photos.get(photo).name: photo for photo in catalog.photos.ids()}
    for read in ("000", "001"):
        threaded.focus([ids[read]])
        assert not threaded.reads_for_screen, f"{read} needs no more reading"
    running = min(states(catalog)["running"])
    threaded.focus([ids["001"], ids[running]])
    assert threaded.reads_for_screen, "it is being read"
    last = max(states(catalog)["waiting"])
    threaded.focus([ids[last]])
    until(lambda: threaded.reads_for_screen)  # no job has room for it
    threaded.pause()
    until(lambda: not threaded.reads_for_screen)
    threaded.resume()
    until(lambda: threaded.reads_for_screen)
    (home.cache / "go").touch()
    assert threaded.wait_idle(LIMIT_S) is not None
    assert not threaded.reads_for_screen


@pytest.mark.parametrize("inline", [True, False])
def test_a_catalog_that_was_locked_at_the_start_is_read_after_resuming(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inline: bool
) -> None:
    use_stages, locked = WorkQueue.use_stages, [True]

    def locked_at_first(self: WorkQueue, stages: Sequence[Stage]) -> int:
        if locked:
            locked.clear()
            raise CatalogError("The catalog is locked by another program.", "Try again.")
        return use_stages(self, stages)

    monkeypatch.setattr(WorkQueue, "use_stages", locked_at_first)
    pipeline = make(inline=inline)
    pipeline.start()
    with pytest.raises(CatalogError):
        pipeline.wait_idle(LIMIT_S)
    pipeline.resume()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    totals = pipeline.wait_idle(LIMIT_S)
    assert totals is not None and totals.converted == 2


def test_photos_on_screen_are_looked_up_only_while_somebody_asks(
    inline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = Mock(return_value=[])
    monkeypatch.setattr(inline._conductor.catalog.work, "waiting_among", look_up)
    inline.focus([1])
    inline.open_folders([fake_stages.write(tmp_path / "one", "ok")])
    look_up.assert_not_called()
    assert not inline.reads_for_screen
    inline.open_folders([fake_stages.write(tmp_path / "two", "ok")])
    look_up.assert_called()


@pytest.mark.slow
def test_work_stopped_in_the_middle_continues_next_time(
    make: Make, catalog: Catalog, home: Home, tmp_path: Path
) -> None:
    first = make()
    first.start()
    begun = threading.Event()
    first.events.photos_saved.connect(lambda ids: begun.set(), DIRECT)
    first.open_folders([fake_stages.write(tmp_path / "in", *["wait"] * 12)])
    assert begun.wait(LIMIT_S)
    first.stop()
    assert StageState.RUNNING not in states(catalog)
    (home.cache / "go").touch()
    second = make()
    second.start()
    second.rescan()
    totals = second.wait_idle(LIMIT_S)
    assert totals is not None
    assert totals.converted == 12
    assert states(catalog) == {"done": {f"{n:03}" for n in range(12)}}


def test_jobs_of_a_killed_conductor_start_again(
    make: Make, catalog: Catalog, tmp_path: Path
) -> None:
    first = make(inline=True)
    first.start()
    first.pause()
    first.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    first.stop()
    catalog.work.start("peek", catalog.photos.ids())  # and then it was killed
    second = make(inline=True)
    second.start()
    assert states(catalog) == {"done": {"000", "001"}}


@pytest.mark.slow
def test_a_second_conductor_is_refused_and_the_first_continues(
    make: Make, threaded: Pipeline, tmp_path: Path
) -> None:
    with pytest.raises(BusyError, match="is reading photos"):
        make().start()
    threaded.open_folders([fake_stages.write(tmp_path / "in", "ok")])
    assert threaded.wait_idle(LIMIT_S) == Totals(1, 1, 0, 1, 0)


def test_start_raises_if_the_catalog_cannot_be_opened(make: Make, home: Home) -> None:
    home.catalog.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(KnownError):
        make().start()


# --- while it goes on


@pytest.mark.slow
def test_the_first_photos_are_read_before_the_walk_ends(
    threaded: Pipeline, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted = threading.Event()
    walk = files.walk
    seen_at_end: list[bool] = []

    def slow(*arguments: object) -> Iterator[object]:
        for count, found in enumerate(walk(*arguments)):  # type: ignore[arg-type]
            if count == 60:
                seen_at_end.append(converted.wait(LIMIT_S))
            yield found

    def look(ids: list[int]) -> None:
        if (home.cache / "order.log").exists():
            converted.set()

    monkeypatch.setattr(files, "walk", slow)
    threaded.events.photos_saved.connect(look, DIRECT)
    folder = fake_stages.write(tmp_path / "in" / "a", *["ok"] * 50).parent
    fake_stages.write(folder / "b", *["ok"] * 20)
    threaded.open_folders([folder])
    assert threaded.wait_idle(LIMIT_S) == Totals(70, 70, 0, 70, 0)
    assert seen_at_end == [True]


@pytest.mark.slow
def test_a_moved_folder_is_recognized_and_not_read_again(
    threaded: Pipeline, catalog: Catalog, home: Home, tmp_path: Path
) -> None:
    folder = fake_stages.write(tmp_path / "in", *["ok"] * 90)
    threaded.open_folders([folder])
    assert threaded.wait_idle(LIMIT_S) == Totals(90, 90, 0, 90, 0)
    folder.rename(tmp_path / "moved")
    threaded.open_folders([tmp_path / "moved"])
    assert threaded.wait_idle(LIMIT_S) == Totals(90, 0, 90, 0, 0)
    assert len(order(home)) == 90
    paths = {catalog.photos.get(photo).path.parent for photo in catalog.photos.ids()}
    assert paths == {tmp_path / "moved"}


def test_signals_arrive_on_the_windows_thread(
    threaded: Pipeline, qtbot: object, tmp_path: Path
) -> None:
    reported: list[Progress] = []
    threads: set[int] = set()
    here = threading.get_ident()

    def progressed(progress: Progress) -> None:
        reported.append(progress)
        threads.add(threading.get_ident())

    threaded.wait_idle(LIMIT_S)
    threaded.events.progressed.connect(progressed)
    with qtbot.waitSignal(threaded.events.idle, timeout=60_000) as idle:  # type: ignore[attr-defined]
        threaded.open_folders([fake_stages.write(tmp_path / "in", *["ok"] * 30)])
    assert idle.args == [Totals(30, 30, 0, 30, 0)]
    assert threads == {here}
    assert all(p.found == p.done + p.failed + p.waiting for p in reported)
    assert (reported[-1].done, reported[-1].waiting) == (30, 0)
    assert threaded.is_idle


@pytest.mark.slow
def test_work_requested_by_another_process_is_noticed(
    make: Make, catalog: Catalog, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.pipeline.conductor.CHECK_S", 0.05)
    pipeline = make()
    pipeline.start()
    pipeline.open_folders([fake_stages.write(tmp_path / "in", "ok", "ok")])
    pipeline.wait_idle(LIMIT_S)
    again = threading.Event()
    pipeline.events.idle.connect(lambda totals: again.set(), DIRECT)
    catalog.work.backfill("convert")
    assert again.wait(LIMIT_S)
    assert len(order(home)) == 4


# --- copies


@pytest.fixture
def slow_proofs(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Reading a file whole waits until this is set, or until it is not wanted any more."""
    may_go = threading.Event()
    real = files.sha256

    def slow(path: str, stopped: Callable[[], bool] = lambda: False) -> str:
        assert threading.current_thread().name != "curator-conductor", "the conductor waits"
        while not (may_go.wait(0.01) or stopped()):
            pass
        return real(path, stopped)

    monkeypatch.setattr(files, "sha256", slow)
    yield may_go
    may_go.set()


@pytest.mark.slow
@pytest.mark.parametrize("known_before", [True, False], ids=["known before", "met together"])
def test_other_photos_are_read_while_copies_are_compared(
    threaded: Pipeline,
    catalog: Catalog,
    tmp_path: Path,
    slow_proofs: threading.Event,
    known_before: bool,
) -> None:
    copies = scanning._FIRST_BATCH if known_before else 8  # a batch waits together
    card = fake_stages.write(tmp_path / "card", *["ok"] * copies)
    if known_before:
        threaded.open_folders([card])
        assert threaded.wait_idle(LIMIT_S) is not None
    shutil.copytree(card, tmp_path / "drive" / "copies")
    fake_stages.write(tmp_path / "drive" / "others", *["ok"] * 8)
    others = {f"{tmp_path}/drive/others/{number:03}.jpg" for number in range(8)}
    read: set[str] = set()
    all_read = threading.Event()

    def see(ids: list[int]) -> None:
        with closing(Catalog.open(catalog.path)) as seen:
            for photo in seen.photos.details(ids):
                read.update([str(photo.path)] if photo.quality is not None else [])
        if others <= read:
            all_read.set()

    threaded.events.photos_saved.connect(see, DIRECT)
    threaded.open_folders([card, tmp_path / "drive"])
    assert all_read.wait(LIMIT_S), "comparing copies holds up other files"
    slow_proofs.set()
    totals = threaded.wait_idle(LIMIT_S)
    assert totals is not None and totals.found == copies + 8
    assert [report.sentence for report in totals.scans] == [f"{copies + 8} photos"]
    roles = [
        file.role for photo in catalog.photos.ids() for file in catalog.photos.get(photo).files
    ]
    assert (roles.count("main"), roles.count("copy")) == (copies + 8, copies)


@pytest.mark.slow
def test_stopping_does_not_wait_for_a_comparison(
    threaded: Pipeline, catalog: Catalog, tmp_path: Path, slow_proofs: threading.Event
) -> None:
    card = fake_stages.write(tmp_path / "card", *["ok"] * 4)
    threaded.open_folders([card])
    assert threaded.wait_idle(LIMIT_S) is not None
    shutil.copytree(card, tmp_path / "drive")
    threaded.open_folders([tmp_path / "drive"])
    threaded.stop()
    assert not slow_proofs.is_set()
    assert len(catalog.photos.ids()) == 4


# Imports the given modules, reads a photo's headers, and prints what that loaded in addition.
PEEK = """
import importlib, sys
*names, path, cache = sys.argv[1:]
for name in names:
    importlib.import_module(name)
before = set(sys.modules)
from curator.model import Kind, StageJob
from curator.stages.peek import peek
assert peek(StageJob(1, "peek", path, Kind.IMAGE, cache)).thumb is not None
print(*(name for name in sys.modules if name.startswith("curator") and name not in before))
"""


def test_a_worker_imports_everything_before_its_first_photo(tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(300, 200))
    names = [*_PRELOAD, str(path), str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-c", PEEK, *names], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
