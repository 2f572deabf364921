"""Results that arrive after the catalog has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from curator import files
from curator.catalog import Catalog
from curator.catalog.store import Store
from curator.model import Peeked, StageJob
from tests.unit.catalog.shoot import Shoot, finish, photo_bytes, read_exif, save_peeked


def headers(job: StageJob) -> tuple[StageJob, Peeked]:
    """Return the peek result of a job's file."""
    status = Path(job.path).stat()
    fingerprint = files.fingerprint(job.path)
    return job, Peeked(fingerprint, status.st_size, status.st_mtime_ns, read_exif(job.path))


def test_a_raw_that_arrives_while_its_jpeg_is_read_is_read_next(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes("jpeg"))
    shoot.scan()
    (job,) = shoot.jobs("peek")
    shoot.catalog.work.start("peek", [job.photo_id])
    shoot.write("A.NEF", photo_bytes("raw"))
    shoot.scan()
    save_peeked(shoot.catalog, [headers(job)], files)
    assert [Path(each.path).name for each in shoot.jobs("peek")] == ["A.NEF"]
    shoot.peek()
    assert [Path(each.path).name for each in shoot.jobs("convert")] == ["A.NEF"]


def test_results_saved_just_before_by_another_process_are_respected(
    shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shoot.write("one/A.JPG", photo_bytes("same"))
    shoot.write("two/A.JPG", photo_bytes("same"))
    shoot.scan()
    first, second = (headers(job) for job in shoot.jobs("peek"))
    other = Catalog.open(shoot.catalog.path)
    writing = Store.transaction
    theirs = [first]

    def late(store: Store, durable: bool = False) -> object:
        if store is shoot.catalog.store and theirs:
            save_peeked(other, [theirs.pop()], files)
        return writing(store, durable)

    monkeypatch.setattr(Store, "transaction", late)
    save_peeked(shoot.catalog, [second], files)
    other.close()
    assert len(shoot.photos()) == 1, "one content is one photo"
    assert shoot.catalog.check() == []


class Slow:
    """Read complete files and run a callback meanwhile."""

    status = staticmethod(files.status)
    fingerprint = staticmethod(files.fingerprint)

    def __init__(self, meanwhile: list[Callable[[], object]]) -> None:
        self._meanwhile = meanwhile

    def sha256(self, path: str) -> str:
        while self._meanwhile:
            self._meanwhile.pop()()
        return files.sha256(path)


def test_a_copy_belongs_to_the_photo_its_original_was_merged_into(shoot: Shoot) -> None:
    for number in (1, 2, 3):
        shoot.write(f"{number}/A.JPG", photo_bytes("same"))
    shoot.scan()
    first, second, third = (headers(job) for job in shoot.jobs("peek"))
    shoot.catalog.work.start("peek", [1, 2, 3])
    save_peeked(shoot.catalog, [second], files)
    other = Catalog.open(shoot.catalog.path)
    meanwhile: list[Callable[[], object]] = [lambda: save_peeked(other, [first], files)]
    save_peeked(shoot.catalog, [third], Slow(meanwhile))
    other.close()
    shoot.peek()
    (photo,) = shoot.photos().values()
    assert len(photo.files) == 3
    assert shoot.catalog.check() == []
    assert shoot.catalog.work.counts()["peek"]["running"] == 0


def test_a_folder_removed_during_a_scan_does_not_return(shoot: Shoot) -> None:
    paths = [shoot.write(f"{name}.JPG", photo_bytes(name)) for name in "AB"]
    shoot.ingest()
    groups = list(files.pair(files.walk([shoot.folder])))
    scan = shoot.catalog.scans.begin(shoot.catalog.folders.add(shoot.folder), files)
    for path in paths:
        number = shoot.photo(path.name).id
        path.unlink()
        shoot.catalog.removal.note_removed(number, {str(path): ""})
    shoot.write("B.JPG", photo_bytes("B"))  # this one was put back at once
    shoot.catalog.scans.apply(scan, groups)
    finish(shoot.catalog, scan, [str(shoot.folder)])
    assert list(shoot.photos()) == ["shoot/B.JPG"]
