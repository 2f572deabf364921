"""Facts of the files on a card: read in workers, and no bad file costs another one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from curator import files
from curator.importing import headers
from curator.importing.card_files import CardFile, find_files
from curator.importing.headers import FileFacts, read_headers
from curator.model import GoneError
from curator.workers import (
    InlinePool,
    WorkerBug,
    WorkerCancelled,
    WorkerCrashed,
    WorkerPool,
    WorkerTimeout,
    WorkerUnavailable,
)
from tests.cards import draw_card, jpeg, write
from tests.faulty_drive import Faults, FaultyDrive
from tests.photos import TAKEN

FIRST = TAKEN  # of the first photo of a card


class BadPool(InlinePool):
    """A pool whose processes end at a file of a certain name."""

    def __init__(self, name: str, error: Exception, header_only: bool = False) -> None:
        super().__init__()
        self._name, self._error, self._header_only = name, error, header_only
        self.calls: list[int] = []

    def run(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        (jobs,) = arguments
        self.calls.append(len(jobs))
        for job in jobs:
            if Path(job.path).name == self._name and (job.header or not self._header_only):
                raise self._error
        return super().run(function, *arguments, **options)


def by_name(facts: dict[Path, FileFacts]) -> dict[str, FileFacts]:
    return {path.name: each for path, each in facts.items()}


def read(card: Path, pool: WorkerPool | None = None) -> dict[str, FileFacts]:
    return by_name(read_headers(find_files([card]), pool or InlinePool()))


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return draw_card(tmp_path / "EOS_DIGITAL", 5)


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDrive]:
    made = FaultyDrive(tmp_path, "EOS_DIGITAL", monkeypatch)
    draw_card(made.files, 5)
    yield made
    made.close()


def test_worker_processes_read_times_cameras_and_fingerprints(card: Path) -> None:
    seen: list[tuple[int, int]] = []
    pool = WorkerPool(2, memory_mb=2000, preload=("curator.imaging.exif",))
    try:
        contents = find_files([card])
        facts = read_headers(contents, pool, progressed=lambda *done: seen.append(done))
    finally:
        pool.close()
    assert set(facts) == {file.path for item in contents.items for file in item.files}
    assert all(each.fingerprint == files.fingerprint(path) for path, each in facts.items())
    assert not any(each.problem for each in facts.values())
    named = by_name(facts)
    for number in (2, 3, 4, 5):
        assert named[f"IMG_000{number}.JPG"].taken_at == FIRST + timedelta(minutes=number - 1)
    assert named["IMG_0001.DNG"].taken_at == FIRST and named["IMG_0001.DNG"].camera
    for name in ("IMG_0001.JPG", "IMG_0002.xmp", "MVI_0005.MP4", "MVI_0005.THM"):
        assert named[name].taken_at is None, f"the header of {name} is not read"
    assert seen[-1] == (len(facts), len(facts))


def test_a_pair_is_dated_by_its_jpeg_where_the_raw_has_no_time(tmp_path: Path) -> None:
    write(tmp_path / "A.NEF", b"nothing a camera wrote", FIRST)
    write(tmp_path / "A.JPG", jpeg(FIRST.replace(microsecond=0), b"a"), FIRST)
    found = read(tmp_path)
    assert found["A.JPG"].taken_at == FIRST and found["A.NEF"].taken_at is None


def test_two_workers_are_busy_at_the_same_time(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "BATCH", 4)
    meeting = threading.Barrier(2)

    class Meeting(InlinePool):
        def run(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            if len(calls) < 2:
                calls.append(1)
                meeting.wait(60)  # broken if the second call only begins after the first
            return super().run(function, *arguments, **options)

    calls: list[int] = []
    assert len(read(card, Meeting())) == 10


def test_a_header_that_crashes_its_reader_costs_only_its_time(card: Path) -> None:
    pool = BadPool("IMG_0002.JPG", WorkerCrashed("It crashed."), header_only=True)
    found = read(card, pool)
    bad = found.pop("IMG_0002.JPG")
    assert bad == FileFacts(files.fingerprint(next(card.rglob("IMG_0002.JPG"))))
    assert found["IMG_0003.JPG"].taken_at and not any(each.problem for each in found.values())


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (WorkerCrashed("Reading it ended in a crash."), "Reading it ended in a crash."),
        (WorkerTimeout("Reading it took longer than 60 s."), "Reading it took longer than 60 s."),
        (WorkerBug("Traceback ..."), "Reading it failed."),
    ],
)
def test_a_file_that_ends_its_worker_costs_only_itself(
    card: Path, error: Exception, problem: str
) -> None:
    found = read(card, BadPool("MVI_0005.MP4", error))
    assert found.pop("MVI_0005.MP4") == FileFacts(problem=problem)
    assert all(each.fingerprint for each in found.values())


def test_a_machine_that_starts_no_process_ends_the_reading(card: Path) -> None:
    pool = BadPool("IMG_0002.JPG", WorkerUnavailable("No process could be started."))
    with pytest.raises(WorkerUnavailable):
        read(card, pool)
    assert pool.calls == [10], "nothing is retried"


def test_a_file_that_changes_after_it_was_listed_is_not_copied(card: Path) -> None:
    contents = find_files([card])
    photo = next(file for item in contents.items for file in item.files if file.size)
    photo.path.write_bytes(photo.path.read_bytes()[:-1])
    problem = read_headers(contents, InlinePool())[photo.path].problem
    assert problem == "Its size changed after the card was listed."


def test_bad_sectors_and_short_files_are_problems_in_plain_words(drive: FaultyDrive) -> None:
    (photo,), (video,) = (list(drive.files.rglob(f"*_000{n}")) for n in ("2.JPG", "5.MP4"))
    damaged, short = (path.relative_to(drive.files).as_posix() for path in (photo, video))
    drive.fail(Faults(unreadable={damaged: 100}, cut={short: 20_000}))
    found = read(drive.plug())
    assert found.pop("IMG_0002.JPG").problem == "The file cannot be read (Input/output error)."
    assert found.pop("MVI_0005.MP4").problem == "The file ends before its listed size."
    assert all(each.fingerprint and not each.problem for each in found.values())


def test_a_card_that_is_pulled_ends_the_reading(drive: FaultyDrive) -> None:
    card = drive.plug()
    contents = find_files([card])
    drive.fail(Faults(gone_after=1000))
    with pytest.raises(GoneError, match="was removed while it was read") as caught:
        read_headers(contents, InlinePool())
    assert "Insert it again" in caught.value.remedy


def test_reading_stops_when_asked_and_ends_its_jobs(card: Path) -> None:
    ended = threading.Event()

    class Endless(InlinePool):
        def run(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
            assert ended.wait(60)
            raise WorkerCancelled("Reading was stopped.")

        def cancel(self, token: object) -> bool:
            ended.set()
            return True

    with pytest.raises(WorkerCancelled, match="Reading the card was stopped"):
        read_headers(find_files([card]), Endless(), stopped=lambda: True)
    assert ended.is_set()


def test_files_of_two_cards_with_the_same_name_have_facts_of_their_own(tmp_path: Path) -> None:
    cards = [draw_card(tmp_path / name, 1, pairs=False, maker="X") for name in ("A", "B")]
    facts = read_headers(find_files(cards), InlinePool())
    assert len({each.fingerprint for each in facts.values()}) == len(facts) == 2
    assert {path.name for path in facts} == {"IMG_0001.JPG"}
    assert isinstance(find_files(cards).items[0].main, CardFile)
