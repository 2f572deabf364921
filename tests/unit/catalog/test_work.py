"""The work queue: priorities, prerequisites, failures and retries."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import BLOCKED, Catalog, store
from curator.model import Flag, NotFoundError, StageJob
from tests import catalogs
from tests.catalogs import STAGES, Stage
from tests.unit.catalog import shoot as shooting
from tests.unit.catalog.shoot import Shoot, photo_bytes


@pytest.fixture
def four(shoot: Shoot) -> Shoot:
    """Four photos, scanned but not processed."""
    for number in range(1, 5):
        shoot.write(f"A{number}.JPG", photo_bytes(number))
    shoot.scan()
    return shoot


def waiting(shoot: Shoot, stage: str, first: Sequence[int] = ()) -> list[int]:
    return [row.photo_id for row in shoot.catalog.work.pending(stage, 10, first)]


def test_photos_on_screen_are_processed_first(four: Shoot) -> None:
    assert waiting(four, "peek") == [1, 2, 3, 4]
    assert waiting(four, "peek", first=[4, 99, 2]) == [4, 2, 1, 3]
    assert [row.photo_id for row in four.catalog.work.pending("peek", 1, first=[3, 2])] == [3]


def test_a_stage_waits_for_its_prerequisites(four: Shoot) -> None:
    assert waiting(four, "convert") == []
    four.peek()
    assert waiting(four, "convert") == [1, 2, 3, 4]
    four.convert()
    assert waiting(four, "convert") == []
    assert four.catalog.work.counts()["convert"] == {
        "waiting": 0,
        "running": 0,
        "done": 4,
        "failed": 0,
        BLOCKED: 0,
    }


def test_results_of_several_photos_are_saved_together(four: Shoot) -> None:
    statements: list[str] = []
    four.peek()
    four.catalog.store.trace(statements.append)
    four.convert()
    four.catalog.store.trace(None)
    (*_, start) = (at for at, sql in enumerate(statements) if sql == "BEGIN IMMEDIATE")
    locked = set(statements[start:])  # SQLite reports a statement again for each trigger
    # Each statement lets go of the interpreter, and a mark may wait for the transaction.
    assert len([sql for sql in locked if sql.startswith("UPDATE work")]) == 2, "done, and ready"
    assert not [sql for sql in locked if sql.startswith("SELECT")], "all of it was read before"
    assert four.catalog.work.counts()["convert"]["done"] == 4


def test_running_work_is_handed_out_once_and_survives_a_crash(four: Shoot) -> None:
    four.catalog.work.start("peek", [1, 2])
    assert waiting(four, "peek") == [3, 4]
    assert four.catalog.work.reset_running() == 2
    assert [(row.photo_id, row.attempts) for row in four.catalog.work.pending("peek", 2)] == [
        (1, 0),
        (2, 0),
    ]


def test_returned_work_does_not_count_as_an_attempt(four: Shoot) -> None:
    four.catalog.work.start("peek", [1])
    four.catalog.work.put_back("peek", [1])
    assert four.catalog.work.pending("peek", 1)[0].attempts == 0


def test_failures_wait_longer_each_time_and_then_count(
    four: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting_at(moment: float) -> list[int]:
        with monkeypatch.context() as clock:
            clock.setattr(time, "time", lambda: moment)
            return waiting(four, "peek")

    job = four.jobs("peek")[0]
    waits = []
    for attempt in range(3):
        now = four.catalog.work.next_due() or 0.0
        assert 1 in waiting_at(now)
        four.catalog.work.start("peek", [1])
        failed = four.catalog.work.save_failure(
            job, "It crashed.", retry=True, attempts=3, backoff_s=60
        )
        assert failed == (attempt == 2)
        if not failed:
            due = four.catalog.work.next_due()
            assert due is not None
            assert 1 not in waiting_at(due - 1)
            waits.append(due)
    assert waits[1] - waits[0] == pytest.approx(60, abs=30), "120 s after the second, 60 the first"
    assert four.catalog.work.next_due() is None
    [failure] = four.catalog.work.failures()
    assert (failure.photo_id, failure.stage, failure.reason, failure.attempts) == (
        1,
        "peek",
        "It crashed.",
        3,
    )
    assert failure.path == str(four.folder / "A1.JPG")
    assert four.photo("A1.JPG").state == "failed"
    assert four.photo("A1.JPG").reason == "It crashed."


def test_failed_work_is_retried_after_all_other_work(four: Shoot) -> None:
    """A file that hangs blocks a process for a minute at every attempt."""
    for job in four.jobs("peek")[:3:2]:
        four.catalog.work.start("peek", [job.photo_id])
        four.catalog.work.save_failure(job, "It took too long.", retry=True, backoff_s=0)
    assert waiting(four, "peek") == [2, 4, 1, 3]
    assert [row.photo_id for row in four.catalog.work.pending("peek", 3)] == [2, 4, 1]
    assert waiting(four, "peek", first=[3]) == [3, 2, 4, 1]


def test_permanent_failures_are_not_retried(four: Shoot) -> None:
    job = four.jobs("peek")[0]
    four.catalog.work.start("peek", [1])
    assert four.catalog.work.save_failure(job, "The file is empty.", retry=False)
    assert waiting(four, "peek") == [2, 3, 4]


def test_retry_resets_the_attempts(four: Shoot) -> None:
    for job in four.jobs("peek")[:2]:
        four.catalog.work.start("peek", [job.photo_id])
        four.catalog.work.save_failure(job, "It crashed.", retry=False)
    assert four.catalog.work.retry(stage="convert") == 0
    assert four.catalog.work.retry(ids=[2]) == 1
    assert [f.photo_id for f in four.catalog.work.failures()] == [1]
    assert four.catalog.work.retry() == 1
    assert waiting(four, "peek") == [1, 2, 3, 4]
    assert {photo.state for photo in four.photos().values()} == {""}


def test_a_newer_stage_recomputes_only_its_results(four: Shoot) -> None:
    four.peek()
    four.convert()
    assert four.catalog.work.use_stages(STAGES) == 0
    newer = (STAGES[0], replace(STAGES[1], version=99))
    assert four.catalog.work.use_stages(newer) == 4
    assert waiting(four, "peek") == []
    assert waiting(four, "convert") == [1, 2, 3, 4]
    four.convert()
    assert {entry.version for entry in four.photo("A1.JPG").work} == {STAGES[0].version, 99}


def test_a_corrected_capture_time_moves_the_photo_and_keeps_its_marks(
    four: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer peek no longer takes a file's modification time as capture time."""
    four.peek()
    four.convert()
    four.reject("A1.JPG")
    four.catalog.work.use_stages((replace(STAGES[0], version=99), *STAGES[1:]))
    read = shooting.read_exif
    monkeypatch.setattr(shooting, "read_exif", lambda path: replace(read(path), taken_at=None))
    four.peek()
    assert len(four.photos()) == 4, "each is still the photo it was"
    again = four.photo("A1.JPG")
    assert (again.capture.taken_at, again.marks.flag) == (None, Flag.REJECT)
    assert waiting(four, "convert") == []


def test_a_new_stage_is_queued_for_old_photos(four: Shoot) -> None:
    four.peek()
    four.convert()
    assert four.catalog.work.use_stages((*STAGES, Stage("embed", needs=("convert",)))) == 4
    assert waiting(four, "embed") == [1, 2, 3, 4]
    assert four.catalog.work.backfill("convert") == 4
    assert waiting(four, "embed") == []


def test_the_row_of_a_merged_photo_does_not_stand_for_a_missing_one(four: Shoot) -> None:
    four.peek()
    four.convert()
    embed = (*STAGES, Stage("embed", needs=("convert",)))
    assert four.catalog.work.use_stages(embed) == 4
    with four.catalog.store.transaction():
        four.catalog.store.run("UPDATE photo SET merged_into = 1 WHERE id = 3")
        four.catalog.store.run("DELETE FROM work WHERE photo_id = 2 AND stage = 'embed'")
    assert four.catalog.work.use_stages(embed) == 1
    assert waiting(four, "embed")[:2] == [1, 2]


def test_unreadable_photos_do_not_count_as_waiting_for_later_stages(four: Shoot) -> None:
    four.catalog.work.use_stages((*STAGES, Stage("embed", needs=("convert",))))
    four.peek()
    job = four.jobs("convert", [4])[0]
    four.catalog.work.start("convert", [4])
    assert four.catalog.work.save_failure(job, "It is broken.", retry=False)
    four.convert()
    counts = four.catalog.work.counts()
    assert counts["convert"]["failed"] == 1
    assert (counts["embed"]["waiting"], counts["embed"][BLOCKED]) == (3, 1)
    four.catalog.work.retry("convert")
    counts = four.catalog.work.counts()
    assert (counts["embed"]["waiting"], counts["embed"][BLOCKED]) == (4, 0)


def test_every_connection_knows_the_stages_declared_last(four: Shoot) -> None:
    four.catalog.work.use_stages(STAGES)
    with closing(Catalog.open(four.catalog.path)) as window:
        assert [rule.name for rule in window.work.stages()] == [stage.name for stage in STAGES]
        four.catalog.work.use_stages(STAGES[:1])
        assert [rule.name for rule in window.work.stages()] == [STAGES[0].name]


def test_failures_of_a_folder_that_is_switched_off_are_not_listed(four: Shoot) -> None:
    four.peek()
    job = four.jobs("convert", [4])[0]
    four.catalog.work.start("convert", [4])
    four.catalog.work.save_failure(job, "It is broken.", retry=False)
    assert [failure.photo_id for failure in four.catalog.work.failures()] == [4]
    four.catalog.folders.enable(1, False)
    assert not four.catalog.work.failures()


def test_a_backfill_counts_every_finished_photo(four: Shoot) -> None:
    """The count was zero for a stage that was new to all photos."""
    by_hand = replace(STAGES[1], name="describe", needs=("convert",), every=False)
    four.catalog.work.use_stages((*STAGES, by_hand))
    four.peek()
    four.convert()
    assert four.catalog.work.backfill("describe") == 4


def test_queueing_all_photos_yields_to_decisions_and_resumes_after_an_interruption(
    four: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    four.peek()
    four.convert()
    stages = (*STAGES, Stage("embed", needs=("convert",)))
    kept, other = [], Catalog.open(four.catalog.path)

    def between(_: float) -> None:
        kept.append(other.journal.decide({len(kept) + 1: {"rating": 4}}, summary="Rated"))
        if len(kept) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(store, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(store.time, "sleep", between)
    with pytest.raises(KeyboardInterrupt):
        four.catalog.work.use_stages(stages)
    assert waiting(four, "embed") == [1, 2]
    other.close()
    other = Catalog.open(four.catalog.path)
    assert other.work.use_stages(stages) == 2 and waiting(four, "embed") == [1, 2, 3, 4]
    other.close()


def test_missing_and_switched_off_photos_are_not_processed(four: Shoot) -> None:
    (four.folder / "A1.JPG").unlink()
    four.scan()
    assert waiting(four, "peek") == [2, 3, 4]
    four.catalog.folders.enable(1, False)
    assert waiting(four, "peek") == []
    four.catalog.folders.enable(1, True)
    assert waiting(four, "peek") == [2, 3, 4]


def test_work_that_failed_on_a_missing_file_is_retried_when_it_returns(four: Shoot) -> None:
    four.peek()
    job = four.jobs("convert")[0]
    content = (four.folder / "A1.JPG").read_bytes()
    (four.folder / "A1.JPG").unlink()
    four.catalog.work.start("convert", [1])
    four.catalog.work.save_failure(job, "The file is not there any more.", retry=False)
    four.scan()
    assert four.catalog.photos.get(1).state == "missing"
    assert waiting(four, "convert") == [2, 3, 4]
    four.write("A1.JPG", content)
    four.ingest()
    assert four.catalog.photos.get(1).state == ""
    assert four.catalog.work.failures() == []


def test_results_are_stored_unchanged(four: Shoot) -> None:
    four.peek()
    four.convert()
    photo = four.photo("A1.JPG")
    assert photo.capture.taken_at is not None
    assert photo.capture.taken_at.microsecond == 120_000
    assert (photo.capture.camera, photo.capture.width, photo.basis) == ("Test One", 6000, "image")
    assert photo.quality is not None
    assert photo.quality.sharpest == (0.25, 0.75)
    assert photo.proxy_digest == f"digest of {photo.proxy}"


def test_a_pair_offers_its_other_half(shoot: Shoot) -> None:
    shoot.write("A.NEF", photo_bytes("raw"))
    shoot.write("A.JPG", photo_bytes("jpeg"))
    shoot.scan()
    [row] = shoot.catalog.work.pending("peek", 5)
    assert (row.path, row.fallback) == (str(shoot.folder / "A.NEF"), str(shoot.folder / "A.JPG"))
    Path(row.fallback).unlink()
    shoot.scan()
    assert shoot.catalog.work.pending("peek", 5)[0].fallback is None


def test_a_restored_folder_has_its_marks(four: Shoot) -> None:
    four.peek()
    four.reject("A2.JPG")
    rev = catalogs.last_rev(four.catalog)
    assert four.catalog.folders.remove(1, keep_photos=False) == 4
    assert four.catalog.photos.ids() == []
    changed = four.catalog.photos.changed(rev)
    assert changed is not None and changed["gone"].all()
    assert four.catalog.folders.all() == []
    assert waiting(four, "convert") == []
    four.scan()
    assert four.photo("A2.JPG").marks.flag == "reject"
    assert len(four.catalog.photos.ids()) == 4
    assert waiting(four, "convert") == [1, 2, 3, 4]


def test_removing_a_folder_keeps_its_photos(four: Shoot) -> None:
    assert four.catalog.folders.remove(1, keep_photos=True) == 0
    assert len(four.photos()) == 4
    assert {folder for _, folder, _ in four.catalog.folders.directories()} == {None}
    four.scan()
    assert {folder for _, folder, _ in four.catalog.folders.directories()} != {None}
    with pytest.raises(NotFoundError):
        four.catalog.folders.remove(77, keep_photos=True)


def test_the_folder_of_a_path_is_found(catalog: Catalog) -> None:
    whole = catalog.folders.add("/photos")
    inner = catalog.folders.add("/photos/iceland", recursive=False)
    assert catalog.folders.containing("/photos/x/y").id == whole  # type: ignore[union-attr]
    assert catalog.folders.containing("/photos/iceland").id == inner  # type: ignore[union-attr]
    assert catalog.folders.containing("/photos/iceland/x").id == whole  # type: ignore[union-attr]
    assert catalog.folders.containing("/photos2") is None


def test_list_positions_are_remembered(catalog: Catalog) -> None:
    assert catalog.folders.position("/photos") is None
    catalog.folders.save_position("/photos", {"view": "loupe", "photo": 7})
    catalog.folders.save_position("/photos", {"view": "grid", "photo": 8})
    assert catalog.folders.position("/photos") == {"view": "grid", "photo": 8}


def test_a_photo_is_found_by_id_or_path(four: Shoot) -> None:
    path = four.folder / "A2.JPG"
    assert (
        four.catalog.photos.find(2)
        == four.catalog.photos.find("2")
        == four.catalog.photos.find(path)
        == 2
    )
    for unknown in (99, "99", "nowhere.jpg", 10**30, "²", "\udcff.jpg"):
        with pytest.raises(NotFoundError):
            four.catalog.photos.find(unknown)
    assert four.catalog.photos.find_file("/card/\udcff/A2.JPG", "of none") is None


def test_a_result_for_an_unknown_photo_is_dropped(four: Shoot) -> None:
    odd = StageJob(1, "convert", "/elsewhere/A1.JPG", four.jobs("peek")[0].kind, "")
    assert four.catalog.results.save_converted([(odd, four.converted(four.jobs("peek")[0]))]) == []
    assert four.photo("A1.JPG").quality is None
