"""A scan of a part of a folder affects no files outside that part."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curator import files
from curator.model import Flag
from tests.unit.catalog.shoot import Shoot, finish, photo_bytes


@pytest.fixture
def days(shoot: Shoot) -> Shoot:
    """Two folders, one with a subfolder, and a photo above them; each with a sidecar."""
    for number, name in enumerate(("top", "a/1", "a/b/2", "a b/3")):
        shoot.write(f"{name}.nef", photo_bytes(number))
        shoot.write(f"{name}.xmp", b"<x/>")
    shoot.scan()
    return shoot


def look(shoot: Shoot, directory: str, deep: bool = False) -> None:
    """Scan one directory, as the folder watcher does."""
    path = shoot.folder / directory
    scan = shoot.catalog.scans.begin(1, files)
    if path.is_dir():
        shoot.catalog.scans.apply(scan, list(files.pair(files.walk([path], deep))))
    finish(shoot.catalog, scan, [str(path)], deep)


def missing(shoot: Shoot) -> set[str]:
    ids = shoot.catalog.photos.ids()
    return {d.name for d in map(shoot.catalog.photos.get, ids) if all(f.missing for f in d.files)}


def sidecars(shoot: Shoot) -> set[str]:
    rows = shoot.catalog.store.rows("SELECT path FROM sidecar")
    return {Path(path).stem for (path,) in rows}


@pytest.mark.parametrize(
    ("directory", "deep", "found"),
    [
        ("", False, {"top"}),
        ("a", False, {"1"}),
        ("a", True, {"1", "2"}),
        ("a b", True, {"3"}),
        ("a/b", False, {"2"}),
        ("", True, {"top", "1", "2", "3"}),
    ],
)
def test_only_scanned_directories_report_missing_files(
    days: Shoot, directory: str, deep: bool, found: set[str]
) -> None:
    for path in [*days.folder.rglob("*.nef"), *days.folder.rglob("*.xmp")]:
        path.unlink()
    look(days, directory, deep)
    assert missing(days) == found
    assert sidecars(days) == {"top", "1", "2", "3"} - found


def test_all_files_of_a_deleted_subfolder_are_missing(days: Shoot) -> None:
    shutil.rmtree(days.folder / "a")
    look(days, "")
    assert missing(days) == {"1", "2"}


def test_all_files_of_a_deleted_folder_are_missing(days: Shoot) -> None:
    shutil.rmtree(days.folder / "a")
    look(days, "a")
    assert missing(days) == {"1", "2"}


def test_a_file_being_written_is_not_missing(days: Shoot) -> None:
    scan = days.catalog.scans.begin(1, files)
    finish(days.catalog, scan, [str(days.folder / "a")], False)
    assert missing(days) == set()


def test_only_a_scan_of_the_complete_folder_is_recorded(days: Shoot) -> None:
    def scanned_at() -> float | None:
        return days.catalog.folders.all()[0].scanned_at

    before = scanned_at()
    look(days, "")
    look(days, "a", True)
    assert scanned_at() == before
    look(days, "", True)
    assert scanned_at() != before


def test_a_renamed_folder_keeps_its_photos_and_marks(days: Shoot) -> None:
    days.ingest()
    days.reject("a/1.nef")
    (days.folder / "a").rename(days.folder / "c")
    look(days, "c", True)
    look(days, "")
    assert missing(days) == set()
    assert len(days.listed()) == 4
    assert days.photo("c/1.nef").marks.flag is Flag.REJECT
    assert str(days.photo("c/b/2.nef").path) == str(days.folder / "c" / "b" / "2.nef")


@pytest.mark.parametrize("rated", [False, True])
def test_a_damaged_photo_copied_again_is_the_same_photo_unless_reviewed(
    shoot: Shoot, rated: bool
) -> None:
    shoot.write("scan.jpg", photo_bytes("cut off", taken=None))
    shoot.scan()
    shoot.peek()
    job = shoot.jobs("convert")[0]
    shoot.catalog.work.start("convert", [job.photo_id])
    shoot.catalog.work.save_failure(job, "The picture is cut off.", retry=False)
    if rated:
        shoot.catalog.journal.decide({job.photo_id: {"rating": 2}}, summary="2 stars")
    shoot.write("scan.jpg", photo_bytes("whole", taken=None))
    shoot.ingest()
    assert len(shoot.listed()) == (2 if rated else 1)
    assert bool(shoot.catalog.work.failures()) is rated
    assert shoot.photo("scan.jpg").marks.rating is None
