"""Writing sidecars: once, merged, and never over another program's change."""

from __future__ import annotations

import errno
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from curator import atomic
from curator.catalog import Catalog
from curator.home import Home
from curator.model import CatalogError, KnownError
from curator.pipeline import SidecarNews, file_probe, sidecars
from curator.pipeline.sidecars import Batch, SidecarWriter, preview, write_some
from curator.settings import Settings
from curator.sidecar import PROFILES, read
from curator.sidecar.batch import Outcome
from curator.workers import InlinePool, WorkerUnavailable
from tests import catalogs
from tests.drives import Silence
from tests.sidecars import change, read_again, xmp

RAW, JPEG = 6, 3
LIGHTROOM, DARKTABLE = PROFILES["lightroom"], PROFILES["darktable"]
WAIT_S = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "photos" / "000"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def catalog(tmp_path: Path, folder: Path) -> Iterator[Catalog]:
    catalogs.fill(tmp_path / "catalog.db", 12, folder=str(folder.parent))
    opened = Catalog.open(tmp_path / "catalog.db")
    yield opened
    opened.close()


def write(catalog: Catalog, *photos: int) -> Batch:
    return write_some(catalog, photos, LIGHTROOM)


def rate(catalog: Catalog, stars: int, *photos: int) -> None:
    catalog.journal.decide({photo: {"rating": stars} for photo in photos}, summary=f"{stars} stars")


def rating_in(path: Path) -> int | None:
    return read(path.read_bytes()).metadata.rating


def test_marks_are_written_beside_the_raw_and_once(catalog: Catalog, folder: Path) -> None:
    rate(catalog, 4, RAW)
    assert write(catalog, RAW).of(Outcome.WRITTEN)
    sidecar = folder / "DSC_0005.xmp"
    assert [path.name for path in folder.iterdir()] == [sidecar.name] and rating_in(sidecar) == 4
    before = sidecar.stat().st_mtime_ns
    assert write(catalog, RAW).of(Outcome.SAME)
    assert sidecar.stat().st_mtime_ns == before
    assert catalog.sidecars.outstanding().unwritten == 0


def test_other_content_of_a_sidecar_stays(catalog: Catalog, folder: Path) -> None:
    sidecar = folder / "DSC_0005.xmp"
    sidecar.write_bytes(xmp(2, keywords=("Sea",)))
    read_again(catalog, RAW, sidecar)
    rate(catalog, 4, RAW)
    write(catalog, RAW)
    text = sidecar.read_text("utf-8")
    assert rating_in(sidecar) == 4 and 'crs:Exposure2012="+0.35"' in text and "Sea" in text


def test_undoing_a_mark_removes_it_from_the_file(catalog: Catalog, folder: Path) -> None:
    sidecar = folder / "DSC_0005.xmp"
    rate(catalog, 4, RAW)
    write(catalog, RAW)
    change(sidecar, b"<rdf:Description", b'<rdf:Description xmlns:o="o:" o:mine="1"')
    read_again(catalog, RAW, sidecar)
    catalog.journal.undo()
    write(catalog, RAW)
    assert not rating_in(sidecar) and "o:mine" in sidecar.read_text("utf-8")


def test_another_programs_change_is_imported_not_overwritten(
    catalog: Catalog, folder: Path
) -> None:
    sidecar = folder / "DSC_0005.xmp"
    rate(catalog, 4, RAW)
    write(catalog, RAW)
    change(sidecar, b'Rating="4"', b'Rating="5"')
    rate(catalog, 2, RAW)
    batch = write(catalog, RAW)
    assert batch.of(Outcome.CHANGED) and rating_in(sidecar) == 5
    assert catalog.sidecars.conflicts()[0].differs == {"rating": (2, 5)}
    catalog.sidecars.resolve_conflicts([RAW], write=True)
    write(catalog, RAW)
    assert rating_in(sidecar) == 2


def test_an_unknown_sidecar_is_read_first(catalog: Catalog, folder: Path) -> None:
    (folder / "DSC_0005.xmp").write_bytes(xmp(3, "Red"))
    catalog.journal.decide({RAW: {"flag": "pick"}}, summary="Pick")
    assert write(catalog, RAW).taken == (RAW,)
    write(catalog, RAW)
    content = read((folder / "DSC_0005.xmp").read_bytes()).metadata
    assert (content.rating, content.flag, content.label) == (3, "pick", "red")


def test_lightroom_gets_no_sidecar_of_a_jpeg_and_darktable_does(
    catalog: Catalog, folder: Path
) -> None:
    rate(catalog, 4, JPEG)
    assert write(catalog, JPEG).without == (JPEG,)
    assert list(folder.iterdir()) == []
    assert write_some(catalog, [JPEG], DARKTABLE).of(Outcome.WRITTEN)
    assert [path.name for path in folder.iterdir()] == ["DSC_0002.JPG.xmp"]


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    catalog: Catalog, folder: Path
) -> None:
    rate(catalog, 4, RAW, JPEG)
    found = preview(catalog, [1, RAW, JPEG], LIGHTROOM)
    lines = {Path(each.path).name: each.lines for each in found.differences}
    assert lines["DSC_0005.xmp"] == ("rating: none → 4",)
    assert found.without == (JPEG,)
    assert list(folder.iterdir()) == [] and catalog.sidecars.outstanding().unwritten == 2


def test_a_read_only_folder_gives_one_message(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(catalog, 4, RAW)
    if os.name == "nt" or os.geteuid() == 0:  # whom no folder's mode keeps out

        def refused(path: Path) -> Path:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

        monkeypatch.setattr(atomic, "temporary_path", refused)
    folder.chmod(0o500)
    try:
        batch = write(catalog, RAW)
    finally:
        folder.chmod(0o700)
    assert "Make the folder writable" in batch.failed[0][1]


def test_a_sidecar_waits_for_its_drive(catalog: Catalog, folder: Path) -> None:
    rate(catalog, 4, RAW)
    folder.rmdir()
    assert "Connect its drive" in write(catalog, RAW).failed[0][1]
    left = catalog.sidecars.outstanding()
    assert (left.unwritten, left.failed) == (1, 1) and "Connect its drive" in left.reason
    folder.mkdir()
    catalog.sidecars.request_write([RAW])
    assert write(catalog, RAW).of(Outcome.WRITTEN)
    assert catalog.sidecars.outstanding().unwritten == 0


def test_a_full_disk_is_reported_and_the_old_sidecar_stays(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(catalog, 4, RAW)
    write(catalog, RAW)
    rate(catalog, 5, RAW)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        batch = write(catalog, RAW)
    assert "Make room on the disk" in batch.failed[0][1]
    assert rating_in(folder / "DSC_0005.xmp") == 4
    assert [path.name for path in folder.iterdir()] == ["DSC_0005.xmp"]


def test_a_sidecar_that_is_no_xml_is_left_alone(catalog: Catalog, folder: Path) -> None:
    (folder / "DSC_0005.xmp").write_bytes(b"<broken")
    rate(catalog, 4, RAW)
    batch = write(catalog, RAW)
    assert batch.failed and (folder / "DSC_0005.xmp").read_bytes() == b"<broken"
    assert catalog.sidecars.outstanding().failed == 1


# --- by itself


@pytest.fixture
def reported() -> queue.SimpleQueue[SidecarNews]:
    return queue.SimpleQueue()


@pytest.fixture
def writer(
    catalog: Catalog, home: Home, reported: queue.SimpleQueue[SidecarNews]
) -> Iterator[SidecarWriter]:
    made = SidecarWriter(
        catalog.path, Settings.load(home), InlinePool(), reported.put, lambda ids: None
    )
    yield made
    made.close()


def test_a_requested_sidecar_is_written_and_reported(
    catalog: Catalog, folder: Path, writer: SidecarWriter, reported: queue.SimpleQueue[SidecarNews]
) -> None:
    rate(catalog, 4, RAW)
    catalog.sidecars.request_write([RAW])
    writer.start()  # as at the next start, if it was asked for at the end of the last
    while not (news := reported.get(timeout=WAIT_S)).message:
        pass
    assert news.message.startswith("Wrote DSC_0005.xmp")
    assert rating_in(folder / "DSC_0005.xmp") == 4


class NoProcess(InlinePool):
    """A system that starts no more processes."""

    def run(self, *_: object, **__: object) -> Any:
        raise WorkerUnavailable("No process could be started to read photos.", "Close others.")


def test_without_a_process_every_request_is_answered(
    catalog: Catalog, home: Home, folder: Path, reported: queue.SimpleQueue[SidecarNews]
) -> None:
    rate(catalog, 4, RAW)
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()
    made = SidecarWriter(
        catalog.path, Settings.load(home), NoProcess(), reported.put, lambda ids: None
    )
    try:
        made.preview([RAW], PROFILES["lightroom"], answers.put)
        made.compare_originals([RAW], answers.put)
        catalog.sidecars.request_write([RAW])
        made.start()
        for _ in range(2):
            assert "No process" in str(answers.get(timeout=WAIT_S))
        while "No process" not in reported.get(timeout=WAIT_S).message:
            pass
    finally:
        made.close()


def test_a_catalog_that_was_locked_is_opened_for_the_next_request(
    catalog: Catalog,
    writer: SidecarWriter,
    reported: queue.SimpleQueue[SidecarNews],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_beside, locked = file_probe.open_beside, [True, True]

    def opened(path: Path) -> Catalog:
        if locked:
            locked.pop()
            raise CatalogError("The catalog is locked by another program.", "Try again.")
        return open_beside(path)

    monkeypatch.setattr(file_probe, "open_beside", opened)
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()
    for _ in range(2):
        writer.preview([RAW], PROFILES["lightroom"], answers.put)
    writer.start()  # before it answers, it looks for sidecars to write
    assert isinstance(answers.get(timeout=WAIT_S), CatalogError)
    assert not isinstance(answers.get(timeout=WAIT_S), KnownError)
    assert "locked" in reported.get(timeout=WAIT_S).message


def test_a_sidecar_written_early_is_reported_once(
    catalog: Catalog, folder: Path, writer: SidecarWriter, reported: queue.SimpleQueue[SidecarNews]
) -> None:
    rate(catalog, 4, RAW)
    with closing(Catalog.open(catalog.path)) as here:  # the writer's
        catalog.sidecars.request_write([RAW])
        writer._turn(here)  # it looked by itself, just before it was woken
        writer.wake()
        with suppress(queue.Empty):
            writer._take_requests(lambda: here, 0)
        writer._turn(here)
    news = [reported.get().message for _ in range(reported.qsize())]
    assert [each[:18] for each in news if each] == ["Wrote DSC_0005.xmp"]


def test_a_mark_that_is_not_written_costs_no_query_over_others(
    catalog: Catalog, folder: Path, writer: SidecarWriter
) -> None:
    here = Catalog.open(catalog.path)  # the writer's
    try:
        rate(catalog, 3, JPEG)
        writer._turn(here)
        noted: list[str] = []
        here.store.trace(noted.append)
        for stars in (1, 2):
            rate(catalog, stars, RAW)
            writer._turn(here)
        assert noted and not [sql for sql in noted if "unwritten" in sql]
        catalog.sidecars.request_write([RAW])  # as another process does: nobody wakes the writer
        writer._turn(here)
        assert rating_in(folder / "DSC_0005.xmp") == 2
        writer._settings.sidecars.background = True
        del noted[:]
        rate(catalog, 5, JPEG)
        writer._turn(here)
        assert [sql for sql in noted if "unwritten" in sql], "in the background, marks count"
    finally:
        here.close()


def test_background_writing_waits_for_a_quiet_moment(
    catalog: Catalog,
    folder: Path,
    writer: SidecarWriter,
    reported: queue.SimpleQueue[SidecarNews],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sidecars, "QUIET_S", 3600)
    writer._settings.sidecars.background = True
    rate(catalog, 4, RAW)
    writer.start()
    assert reported.get(timeout=WAIT_S).pending == 1
    assert list(folder.iterdir()) == []
    monkeypatch.setattr(sidecars, "QUIET_S", 0)
    writer.wake()
    while reported.get(timeout=WAIT_S).pending:
        pass
    assert rating_in(folder / "DSC_0005.xmp") == 4


def test_closing_does_not_wait_for_a_silent_drive(
    catalog: Catalog, folder: Path, writer: SidecarWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidecars, "_CLOSE_S", 0.0, raising=False)
    rate(catalog, 4, RAW)
    catalog.sidecars.request_write([RAW])
    silence = Silence(folder, monkeypatch)
    silence.begin()
    try:
        writer.start()
        while not silence.waiting:
            threading.Event().wait(0.001)
        leaving = threading.Thread(target=writer.close)
        leaving.start()
        leaving.join(WAIT_S / 6)
        assert not leaving.is_alive()
    finally:
        silence.end()
        writer._thread.join(WAIT_S)
    assert rating_in(folder / "DSC_0005.xmp") == 4
