"""Full and failing disks: decisions survive, messages are clear, and work continues."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import random
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from curator import app as composition
from curator import export
from curator.catalog import Catalog, DiskFullError
from curator.catalog.store import Store
from curator.cli.output import start_logging, stop_logging
from curator.export.options import Options
from curator.home import Home
from curator.learning.learner_thread import LearnerThread
from curator.model import CatalogError, KnownError, View
from curator.pipeline import Pipeline, SidecarNews
from curator.pipeline.sidecars import SidecarWriter, write_some
from curator.session import Session
from curator.settings import Settings, save
from curator.sidecar import PROFILES, read
from curator.workers import InlinePool
from tests import catalogs, taste_data
from tests.faults import (
    FAULTS,
    FULL,
    broken_beyond,
    fill_up,
    make_room,
    refuse,
    small_disk,
)
from tests.journeys.evening import Evening
from tests.photos import draw_jpeg
from tests.sidecars import xmp

PHOTOS = 6
BROKEN, *OTHERS = (errno.EIO, *(number for number in FAULTS if number != errno.EIO))
MOSTLY_SLOW = [BROKEN, *(pytest.param(number, marks=pytest.mark.slow) for number in OTHERS)]


def draw(folder: Path, photos: int = PHOTOS) -> None:
    for number in range(photos):
        draw_jpeg(folder / f"IMG_{number:02}.jpg", seed=number, size=(120, 80))


@pytest.fixture
def inline(home: Home) -> Iterator[Pipeline]:
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    yield pipeline
    pipeline.stop()


def answer(act: Callable[[], object]) -> str:
    """Call a function; return the error message if it fails."""
    try:
        act()
    except KnownError as error:
        return str(error)
    return ""


def journal(catalog: Catalog) -> list[tuple[object, ...]]:
    return catalog.store.rows(
        "SELECT step_id, photo_id, field, before, after FROM decision ORDER BY rowid"
    )


# --- reading photos


@pytest.mark.parametrize("number", MOSTLY_SLOW)
def test_no_photo_fails_because_its_proxy_cannot_be_written(
    inline: Pipeline,
    home: Home,
    catalog: Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    draw(tmp_path / "card", 3)
    said: list[str] = []
    inline.events.paused_by.connect(said.append)
    disk = refuse(monkeypatch, home.cache, number)
    disk.room_for(9)  # of some photo's second file
    inline.open_folders([tmp_path / "card"])
    assert disk.refused and inline.paused and catalog.work.failures() == []
    assert len(said) == 1 and str(home.cache) in said[0] and "Background work is paused" in said[0]
    assert "Errno" not in said[0]
    disk.room_for(float("inf"))
    inline.resume()
    totals = inline.wait_idle()
    assert totals is not None and totals.converted == 3 and catalog.work.failures() == []
    assert not list(home.cache.rglob(".*"))


def test_a_scan_adds_the_photos_that_a_full_disk_refused(
    inline: Pipeline, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "card"
    draw(folder, 1)
    inline.open_folders([folder])
    for number in range(12):
        (folder / f"NO_{number}.jpg").write_bytes(b"no picture %d" % number)
    with full_catalog(monkeypatch):
        inline.rescan()
        assert inline.paused and len(catalog.photos.ids()) == 1
    inline.resume()
    assert inline.wait_idle() is not None
    assert len(catalog.photos.ids()) == 13, "a batch was lost"
    assert not any(catalog.photos.get(photo).state == "missing" for photo in catalog.photos.ids())


# --- deciding


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_a_decision_on_a_full_disk_is_not_saved_in_part(home: Home, seed: int) -> None:
    catalogs.fill(home.catalog, 60)
    chance, acknowledged = random.Random(seed), []
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        refused = 0
        for turn in range(24):
            if turn % 12 == 4:
                fill_up(catalog, spare=chance.randint(0, 3))
            some = {photo: {"rating": chance.randint(1, 5)} for photo in range(1, 61)}
            before = journal(catalog)
            try:
                step = catalog.journal.decide(some, summary="Stars")
            except DiskFullError as error:
                refused += 1
                assert "is full" in str(error) and "Free at least" in str(error)
                assert journal(catalog) == before
                make_room(catalog)
            else:
                acknowledged += [(step.id, change.photo_id) for change in step.changes]
        assert refused and catalog.check() == []
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        assert [row[:2] for row in journal(catalog)] == acknowledged


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_a_decision_on_a_failing_disk_is_not_saved_in_part(home: Home, seed: int) -> None:
    catalogs.fill(home.catalog, 60)
    chance, acknowledged, refused = random.Random(seed), [], 0
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        log = home.data / "catalog.db-wal"
        for turn in range(24):
            some = {photo: {"rating": chance.randint(1, 5)} for photo in range(1, 61)}
            before = journal(catalog)
            breaks = broken_beyond(chance.randrange(1, log.stat().st_size)) if turn % 2 else None
            try:
                with breaks or contextlib.nullcontext():
                    step = catalog.journal.decide(some, summary="Stars")
            except CatalogError as error:
                refused += 1
                assert "reports errors" in str(error) and "Check the disk" in str(error)
                assert journal(catalog) == before
            else:
                acknowledged += [(step.id, change.photo_id) for change in step.changes]
        assert refused >= 6 and catalog.check() == []
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        assert [row[:2] for row in journal(catalog)] == acknowledged


def test_reading_waits_while_the_disk_of_the_catalog_fails(
    inline: Pipeline, catalog: Catalog, tmp_path: Path
) -> None:
    draw(tmp_path / "card", 3)
    said: list[str] = []
    inline.events.paused_by.connect(said.append)
    with broken_beyond(12_000):
        inline.open_folders([tmp_path / "card"])
    assert inline.paused and catalog.work.failures() == []
    assert len(said) == 1 and "reports errors" in said[0], said
    inline.open_folders([tmp_path / "card"])
    totals = inline.wait_idle()
    assert totals is not None and len(catalog.photos.ids()) == 3 and catalog.work.failures() == []
    assert catalog.check() == []


@contextlib.contextmanager
def full_catalog(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make every write to a catalog fail with a full disk."""

    def full(*_: object, **__: object) -> None:
        raise DiskFullError("The disk that holds the catalog is full.", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "transaction", full)
        yield


def test_a_failure_to_save_seen_and_place_is_told_once(
    home: Home, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(home.catalog, 60)
    catalog = Catalog.open(home.catalog)
    session = Session(catalog, home, Settings.load(home))
    said: list[str] = []
    session.messages.status_message.connect(said.append)
    try:
        session.viewer.set_view(View.LOUPE)
        session.navigator.step(1)
        said.clear()
        with full_catalog(monkeypatch):
            for _ in range(3):
                session.viewer.note_rested(session.current or 0)
                session.sources.save_position()
            session.sources.open_scope(session.sources.scopes()[0].scope)
        assert len(said) == 1 and "is full" in said[0]
        said.clear()
        session.viewer.set_view(View.LOUPE)
        session.navigator.step(1)
        session.viewer.note_rested(session.current or 0)
        session.sources.save_position()
        assert said == [] and session.tile(session.current or 0).seen
    finally:
        session.close()
        catalog.close()


@pytest.mark.slow
def test_a_failure_to_save_taste_is_told_once(
    home: Home,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    expected_log: Callable[[str], None],
) -> None:
    expected_log("Taste could not be kept as a version: .* is full")
    catalogs.fill(home.catalog, 40)
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        vectors = taste_data.embed(catalog, range(1, 41))
        taste_data.rate(catalog, vectors, range(1, 31))
        live = LearnerThread(home.catalog, Settings().taste, home.cache)
        said: list[str] = []
        live.problem.connect(said.append)
        with full_catalog(monkeypatch):
            live.start()
            for _ in range(3):
                live.everything_changed()
                answers: list[object] = []
                live.ask(lambda learner: learner.learned and learner.learned.ready, answers.append)
                qtbot.waitUntil(lambda told=answers: bool(told), timeout=60_000)
                assert answers == [True], "what is learned is of use all the same"
        qtbot.waitUntil(lambda: bool(said), timeout=60_000)
        live.close()
        assert len(said) == 1 and "is full" in said[0]
        assert [row.reason for row in catalog.taste.versions()] == ["closing"]


def test_a_known_error_in_a_slot_is_shown_with_its_remedy(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    class Messages:
        say = announce = staticmethod(said.append)

    class Reporting:
        messages = Messages

    for hook in ((sys, "excepthook"), (threading, "excepthook")):
        monkeypatch.setattr(*hook, getattr(*hook))
    composition._report_bugs(Reporting())  # type: ignore[arg-type]
    error = DiskFullError("The disk is full.", "Make room.")
    sys.excepthook(DiskFullError, error, None)
    assert said == ["The disk is full. Make room."]


# --- the home


def test_a_log_that_cannot_be_written_is_told_once_and_stops_nothing(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full here")
    home.log.symlink_to("/dev/full")
    start_logging(home)
    try:
        for number in range(3):
            logging.getLogger("curator.test").info("line %d", number)
    finally:
        stop_logging()
    told = capfd.readouterr().err
    assert told.count("cannot be written") == 1 and "Traceback" not in told


@pytest.mark.parametrize("number", FAULTS)
def test_a_failure_to_save_settings_is_told_and_keeps_the_old_file(
    home: Home, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    settings = Settings.load(home)
    settings.taste.match_threshold = 60
    save(settings, home)
    settings.taste.match_threshold = 80
    disk = refuse(monkeypatch, home.data, number)
    for touches in range(4):  # opened, written, synced, renamed
        disk.room_for(touches)
        with pytest.raises(KnownError, match="Settings could not be saved in") as caught:
            save(settings, home)
        assert "Errno" not in str(caught.value)
        assert Settings.load(home).taste.match_threshold == 60
    disk.room_for(float("inf"))
    assert [path.name for path in home.data.iterdir() if path.is_file()] == ["settings.json"]
    save(settings, home)
    assert Settings.load(home).taste.match_threshold == 80


def test_a_home_on_a_full_disk_can_be_opened(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError(FULL, os.strerror(FULL), str(self))

    monkeypatch.setattr(Path, "touch", full)
    assert home.make() == home
    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(KnownError, match=r"No space left on device.*Free disk space, or choose"):
        home.make()


# --- exports


def ready(home: Home, folder: Path, photos: int = PHOTOS) -> None:
    """Read photos and approve them."""
    draw(folder, photos)
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    pipeline.open_folders([folder])
    pipeline.stop()
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        ids = catalog.photos.ids()
        catalog.journal.decide(
            {photo: {"rating": 5, "kept": True} for photo in ids}, summary="Stars"
        )


def export_to(
    home: Home, out: Path, target: str = "folder", form: str = "original"
) -> export.ExportReport:
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        ids = catalog.photos.ids()
        approved = dict.fromkeys(ids, "stars")
        options = Options(out, approved, target=target, form=form, long_edge_px=320)  # type: ignore[arg-type]
        plan = export.make_plan(catalog.photos.details(ids), options)
        return export.write(plan, pool=InlinePool())


def test_a_page_written_right_before_a_kill_is_recognized(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(home, tmp_path / "card", 3)
    out = tmp_path / "out"
    with monkeypatch.context() as kill:

        def killed(*_: object) -> None:
            raise SystemExit

        kill.setattr("curator.export.gallery.save", killed)
        with pytest.raises(SystemExit):
            export_to(home, out, "gallery")
    first = (out / "index.html").read_bytes()
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({1: {"flag": "reject"}}, summary="Rejected")
    report = export_to(home, out, "gallery")
    assert report.edited == [] and (out / "index.html").read_bytes() != first
    assert not list(out.glob(".*"))
    (out / "index.html").write_text("mine now")
    assert export_to(home, out, "gallery").edited == ["index.html"]


@pytest.mark.slow
@pytest.mark.parametrize("number", FAULTS)
@pytest.mark.parametrize(("target", "form"), [("folder", "original"), ("gallery", "jpeg")])
def test_an_export_resumes_where_the_disk_failed(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    form: str,
    number: int,
) -> None:
    ready(home, tmp_path / "card")
    chance = random.Random(number)
    disk = refuse(monkeypatch, tmp_path / "out", number)
    export_to(home, tmp_path / "clean", target, form)
    export_to(home, tmp_path / "out", target, form)
    needed, refused = disk.touches, 0
    for turn in range(12):
        shutil.rmtree(tmp_path / "out")
        disk.room_for(turn if turn < 4 else chance.randrange(needed))
        try:
            export_to(home, tmp_path / "out", target, form)
        except KnownError as error:
            refused += 1
            assert "no file is incomplete" in str(error) and "Errno" not in str(error)
            if number == FULL:
                assert "is full" in str(error) and "Free some" in str(error)
        assert not list((tmp_path / "out").rglob("*.tmp")) if (tmp_path / "out").exists() else True
        disk.room_for(float("inf"))
        export_to(home, tmp_path / "out", target, form)
        made = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*")}
        clean = {path.relative_to(tmp_path / "clean") for path in (tmp_path / "clean").rglob("*")}
        assert made == clean
    assert refused >= 10


@pytest.mark.slow
@pytest.mark.parametrize("number", FAULTS)
def test_writing_sidecars_resumes_where_the_disk_failed(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = tmp_path / "card"
    ready(home, folder)
    for name in ("IMG_00", "IMG_03"):
        (folder / f"{name}.jpg.xmp").write_bytes(xmp(1, keywords=("Theirs",)))
    pipeline = Pipeline(home, Settings.load(home), inline=True)
    pipeline.start()
    pipeline.rescan()
    pipeline.stop()
    darktable, chance = PROFILES["darktable"], random.Random(number)
    disk, refused = refuse(monkeypatch, folder, number), 0
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        ids = catalog.photos.ids()
        for turn in range(12):
            stars = 1 + turn % 5
            catalog.journal.decide({photo: {"rating": stars} for photo in ids}, summary="Stars")
            catalog.sidecars.request_write(ids)
            disk.room_for(chance.randrange(4 * PHOTOS))
            batch = write_some(catalog, ids, darktable)
            left = catalog.sidecars.outstanding()
            refused += len(batch.failed)
            assert left.failed == len(batch.failed) == left.unwritten and left.conflicts == 0
            assert all("could not be written" in why for _, why in batch.failed)
            disk.room_for(float("inf"))
            catalog.sidecars.request_write(ids)
            write_some(catalog, ids, darktable)
            assert catalog.sidecars.outstanding().unwritten == 0
            for path in folder.glob("*.xmp"):
                assert read(path.read_bytes()).metadata.rating == stars
            for name in ("IMG_00", "IMG_03"):
                assert b"Theirs" in (folder / f"{name}.jpg.xmp").read_bytes()
            assert not list(folder.glob(".*"))
    assert refused > 10


def test_sidecars_that_wait_for_disk_space_are_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(home.catalog, 6)
    told: list[SidecarNews] = []
    writer = SidecarWriter(
        home.catalog, Settings.load(home), InlinePool(), told.append, lambda ids: None
    )
    with contextlib.closing(Catalog.open(home.catalog)) as catalog:
        catalog.journal.decide({1: {"rating": 3}}, summary="Stars")
        catalog.sidecars.request_write([1])
        with full_catalog(monkeypatch):
            for _ in range(3):
                writer._write_due(lambda: catalog)
        assert len([news for news in told if "Sidecars not written" in news.message]) == 1
        assert "is full" in told[-1].reason


# --- disks that are really full


@pytest.fixture
def evening(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[[Home], Evening]]:
    made: list[Evening] = []

    def begin(home: Home) -> Evening:
        made.append(Evening(qtbot, home))
        return made[-1]

    yield begin
    for each in made:
        each.close()


def begin_cull(at: Evening) -> int:
    """Start the cull by key; return the photo on screen."""
    at.press("Alt+1")
    at.until(lambda: at.session.view_state.view is View.LOUPE)
    photo = at.session.current
    assert photo is not None
    return photo


@pytest.mark.slow
def test_a_mark_on_a_full_disk_is_refused_and_accepted_once_there_is_space(
    evening: Callable[[Home], Evening], tmp_path: Path
) -> None:
    draw(tmp_path / "card")
    with small_disk(tmp_path / "small", 24) as disk:
        home = Home.at(disk.path / "home").make()
        at = evening(home).open(tmp_path / "card", photos=PHOTOS)
        try:
            photo = begin_cull(at)
            disk.fill()
            refused = 0
            while not refused:  # the log of the catalog has room left in what it holds already
                before = journal(at.session.catalog)
                stars = 1 + len(before) % 5
                at.press(str(stars))
                if journal(at.session.catalog) == before:
                    refused += 1
                assert len(before) < 500, "the disk never got full"
            marks = at.session.table.marks(photo)
            at.press("X").reads("is full")
            at.reads("Free at least")
            assert at.session.current == photo and at.session.table.marks(photo) == marks
            assert marks.flag is None and journal(at.session.catalog) == before
            disk.empty()
            at.press("X").reads("Rejected IMG_")
            assert at.session.table.marks(photo).flag == "reject"
            kept = journal(at.session.catalog)
        finally:
            at.close()
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            assert journal(catalog) == kept and catalog.check() == []
            assert catalog.photos.get(photo).marks.flag == "reject"


@pytest.mark.slow
def test_reading_waits_for_disk_space_of_the_cache_and_resumes(tmp_path: Path) -> None:
    draw(tmp_path / "card", 20)
    with small_disk(tmp_path / "small", 2) as disk:
        home = Home(tmp_path / "home", disk.path / "cache").make()
        disk.fill(spare=40_000)
        pipeline = Pipeline(home, Settings.load(home))
        pipeline.start()
        try:
            pipeline.open_folders([tmp_path / "card"])
            with pytest.raises(DiskFullError, match=r"is full\. Background work is paused"):
                pipeline.wait_idle(120)
            assert pipeline.paused
            with contextlib.closing(Catalog.open(home.catalog)) as catalog:
                assert catalog.work.failures() == []
            disk.empty()
            pipeline.resume()
            totals = pipeline.wait_idle(120)
        finally:
            pipeline.stop()
        assert totals is not None and (totals.converted, totals.failed) == (20, 0)
        assert not list(home.cache.rglob(".curator-*"))


@pytest.mark.slow
@pytest.mark.parametrize("room_kb", [0, 200, 700])
def test_reading_waits_for_disk_space_of_the_home_and_resumes(tmp_path: Path, room_kb: int) -> None:
    draw(tmp_path / "card", 20)
    with small_disk(tmp_path / "small", 24) as disk:
        home = Home(disk.path / "data", tmp_path / "cache").make()
        Catalog.open(home.catalog).close()
        disk.fill(spare=room_kb << 10)
        pipeline = Pipeline(home, Settings.load(home))
        try:
            with contextlib.suppress(CatalogError):
                pipeline.start()
                pipeline.open_folders([tmp_path / "card"])
                pipeline.wait_idle(120)
            disk.empty()
            pipeline.stop()
            pipeline = Pipeline(home, Settings.load(home))
            pipeline.start()
            pipeline.open_folders([tmp_path / "card"])
            assert pipeline.wait_idle(120) is not None
        finally:
            pipeline.stop()
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            assert len(catalog.photos.ids()) == 20 and catalog.work.failures() == []
            assert catalog.check() == []


@pytest.mark.slow
def test_an_export_to_a_full_disk_tells_the_missing_space_and_resumes(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home").make()
    ready(home, tmp_path / "card")
    with small_disk(tmp_path / "small", 40) as disk:
        out = disk.path / "out"
        disk.fill(spare=1 << 20)
        with pytest.raises(KnownError, match=r"needs .* has only .* free\. Free some"):
            export_to(home, out, "folder", "original")
        assert not list(out.iterdir())
        disk.empty()
        assert len(export_to(home, out, "folder", "original").written) == PHOTOS
        disk.fill()
        assert export_to(home, out, "folder", "original").unchanged == PHOTOS, (
            "nothing had to be written"
        )


@pytest.mark.slow
def test_sidecars_on_a_full_disk_wait_and_are_written(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home").make()
    with small_disk(tmp_path / "small", 4) as disk:
        folder = disk.path / "card"
        ready(home, folder)
        (folder / "IMG_00.jpg.xmp").write_bytes(xmp(1, keywords=("Theirs",)))
        pipeline = Pipeline(home, Settings.load(home), inline=True)
        pipeline.start()
        pipeline.rescan()
        pipeline.stop()
        theirs = (folder / "IMG_00.jpg.xmp").read_bytes()
        disk.fill()
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            ids = catalog.photos.ids()
            batch = write_some(catalog, ids, PROFILES["darktable"])
            assert len(batch.failed) == PHOTOS and "Make room" in batch.failed[0][1]
            assert (folder / "IMG_00.jpg.xmp").read_bytes() == theirs
            assert not list(folder.glob(".*"))
            disk.empty()
            catalog.sidecars.request_write(ids)
            assert write_some(catalog, ids, PROFILES["darktable"]).failed == ()
            assert catalog.sidecars.outstanding().unwritten == 0


@pytest.mark.slow
def test_a_catalog_on_a_full_disk_can_be_viewed_and_marked(
    evening: Callable[[Home], Evening], tmp_path: Path
) -> None:
    draw(tmp_path / "card")
    with small_disk(tmp_path / "small", 160) as disk:
        home = Home.at(disk.path / "home").make()
        evening(home).open(tmp_path / "card", photos=PHOTOS).close()
        assert (home.data / "catalog.reserve").exists()
        disk.fill()
        at = evening(home).open(photos=PHOTOS)
        try:
            photo = begin_cull(at)
            at.press("X").reads("Rejected IMG_")
            at.press("Ctrl+Z").reads("Undid reject")
            at.press("P").reads("Picked IMG_")
        finally:
            at.close()
        disk.empty()
        with contextlib.closing(Catalog.open(home.catalog)) as catalog:
            assert catalog.photos.get(photo).marks.flag == "pick"
            assert catalog.check() == []


@pytest.mark.slow
def test_without_disk_space_the_needed_space_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 8) as disk:
        catalogs.fill(disk.path / "catalog.db", 60)
        disk.fill()
        said = answer(lambda: Catalog.open(disk.path / "catalog.db"))
        assert said.startswith("The disk that holds the catalog is full. Free at least 10 MB")
        assert "10 MB" in said
        disk.empty()
        with contextlib.closing(Catalog.open(disk.path / "catalog.db")) as catalog:
            assert len(catalog.photos.ids()) == 60 and catalog.check() == []


def test_requests_are_answered_while_reading_is_paused(
    inline: Pipeline, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    inline.events.paused_by.connect(said.append)
    draw(tmp_path / "one", 1)
    (tmp_path / "two").mkdir()
    with full_catalog(monkeypatch):
        inline.open_folders([tmp_path / "one"])
        inline.open_folders([tmp_path / "two"])
        assert inline.paused and len(said) == 2, "a folder was refused without a word"
    inline.open_folders([tmp_path / "one"])
    assert not inline.paused and len(catalog.photos.ids()) == 1
