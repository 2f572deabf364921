"""A photo is its content, not its path (promise 7): how scans recognize files."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from curator import files
from curator.catalog import Scan, store
from curator.catalog.identity import FileRow, assign_roles
from curator.model import Capture, CatalogError, Flag, Peeked, StageJob
from tests import catalogs
from tests.unit.catalog.shoot import NINE, TEN, Card, Shoot, photo_bytes, read_exif, save_peeked


def test_a_second_scan_recognizes_the_photo_and_the_pair_of_the_first(shoot: Shoot) -> None:
    shoot.write("DSC_1.NEF", photo_bytes("raw"))
    shoot.write("dsc_1.jpg", photo_bytes("jpeg"))
    shoot.write("DSC_2.JPG", photo_bytes("other"))
    first = shoot.ingest()
    assert (first.found, first.new, first.known) == (2, 2, 0)
    second = shoot.ingest()
    assert (second.found, second.new, second.known) == (2, 0, 2)
    pair = shoot.photo("DSC_1.NEF")
    assert [(file.path.name, file.role) for file in pair.files] == [
        ("DSC_1.NEF", "main"),
        ("dsc_1.jpg", "half"),
    ]
    assert all(file.fingerprint for file in pair.files)


def test_an_unchanged_folder_is_not_written_to_the_catalog(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    before = catalogs.last_rev(shoot.catalog)
    assert shoot.scan().changed == []
    assert catalogs.last_rev(shoot.catalog) == before
    assert shoot.catalog.work.pending("peek", 10) == []


@pytest.mark.parametrize("halves", [("A.JPG",), ("A.NEF",), ("A.NEF", "A.JPG")])
def test_a_renamed_photo_keeps_its_reject(shoot: Shoot, halves: tuple[str, ...]) -> None:
    for name in halves:
        shoot.write(name, photo_bytes(name))
    shoot.ingest()
    shoot.reject(halves[0])
    number = shoot.photo(halves[0]).id
    for name in halves:
        (shoot.folder / name).rename(shoot.folder / name.replace("A", "Iceland"))
    count = shoot.ingest()
    assert (count.new, count.known) == (0, 1)
    photos = shoot.photos()
    assert list(photos) == [f"shoot/{halves[0].replace('A', 'Iceland')}"]
    renamed = next(iter(photos.values()))
    assert (renamed.id, renamed.marks.flag, renamed.state) == (number, Flag.REJECT, "")
    assert renamed.name == "Iceland"
    assert len(renamed.files) == len(halves)


def test_a_moved_folder_and_another_mount_point_have_the_same_photos(
    shoot: Shoot, tmp_path: Path
) -> None:
    for number in range(7):
        shoot.write(f"day/A{number}.NEF", photo_bytes(f"raw {number}"))
        shoot.write(f"day/A{number}.JPG", photo_bytes(f"jpeg {number}"))
    shoot.ingest()
    shoot.reject("day/A3.NEF")
    ids = sorted(photo.id for photo in shoot.photos().values())
    shoot.folder.rename(tmp_path / "mounted elsewhere")
    shoot.folder.mkdir()
    count = shoot.ingest(tmp_path / "mounted elsewhere", shoot.folder)
    assert count.new == 0
    photos = shoot.photos()
    assert sorted(photo.id for photo in photos.values()) == ids
    assert all(photo.state == "" and len(photo.files) == 2 for photo in photos.values())
    assert photos["mounted elsewhere/day/A3.NEF"].marks.flag is Flag.REJECT
    assert shoot.catalog.work.counts()["convert"]["done"] == 7


def test_photos_of_a_missing_drive_are_kept_until_it_returns(shoot: Shoot, tmp_path: Path) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    away = tmp_path / "away"
    shoot.folder.rename(away)
    shoot.scan(shoot.folder)
    assert [photo.state for photo in shoot.photos().values()] == ["missing"]
    assert shoot.photos()["shoot/A.JPG"].proxy is not None
    away.rename(shoot.folder)
    count = shoot.ingest()
    assert (count.new, count.known) == (0, 1)
    assert shoot.photos()["shoot/A.JPG"].state == ""


def test_a_copy_is_no_new_photo(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    shutil.copy(shoot.folder / "A.JPG", shoot.folder / "B.JPG")
    count = shoot.ingest()
    assert (count.found, count.new, count.known) == (1, 0, 1)
    photo = shoot.photo("B.JPG")
    assert [(file.path.name, file.role) for file in photo.files] == [
        ("A.JPG", "main"),
        ("B.JPG", "copy"),
    ]
    assert all(file.sha256 for file in photo.files)


def test_copies_found_together_become_one_photo(shoot: Shoot) -> None:
    for name in ("one/A.JPG", "two/A.JPG", "two/B.JPG", "three/C.JPG"):
        shoot.write(name, photo_bytes("B" if "B" in name else "same"))
    count = shoot.ingest()
    assert (count.found, count.new) == (2, 2)
    assert (
        sorted(shoot.photos()) == ["shoot/one/A.JPG", "shoot/two/B.JPG"] or len(shoot.photos()) == 2
    )
    assert len(shoot.photo("three/C.JPG").files) == 3
    assert shoot.ingest().found == 2


def test_a_copy_takes_over_when_the_first_file_is_deleted(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    shutil.copy(shoot.folder / "A.JPG", shoot.folder / "B.JPG")
    shoot.ingest()
    (shoot.folder / "A.JPG").unlink()
    shoot.ingest()
    assert [photo.state for photo in shoot.photos().values()] == [""]
    assert shoot.photo("B.JPG").path.name == "B.JPG"


def test_files_that_differ_only_in_the_middle_are_two_photos(shoot: Shoot) -> None:
    edge = photo_bytes("edge") * 200
    shoot.write("A.JPG", edge + b"one" + edge)
    shoot.ingest()
    shoot.write("B.JPG", edge + b"two" + edge)
    assert files.fingerprint(shoot.folder / "A.JPG") == files.fingerprint(shoot.folder / "B.JPG")
    assert shoot.ingest().new == 1
    assert shoot.photo("A.JPG").id != shoot.photo("B.JPG").id
    assert shoot.ingest().new == 0


def test_empty_files_are_not_copies_of_each_other(shoot: Shoot) -> None:
    shoot.write("A.JPG", b"")
    shoot.write("B.JPG", b"")
    shoot.scan()
    mark = files.fingerprint(shoot.folder / "A.JPG")
    for job in shoot.jobs("peek"):
        save_peeked(shoot.catalog, [(job, Peeked(mark, 0, 1, Capture()))], files)
    assert len(shoot.photos()) == 2


def test_an_edited_file_is_a_newer_state_of_the_same_photo(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes("before", NINE))
    shoot.ingest()
    shoot.reject("A.JPG")
    before = shoot.photo("A.JPG")
    shoot.write("A.JPG", photo_bytes("after", NINE))
    count = shoot.ingest()
    assert (count.new, count.known) == (0, 1)
    after = shoot.photo("A.JPG")
    assert (after.id, after.marks.flag) == (before.id, Flag.REJECT)
    assert after.proxy != before.proxy, "convert ran on the new content"


@pytest.mark.parametrize(
    "other",
    [
        photo_bytes("next week", TEN),
        photo_bytes("next week", NINE, camera="Test Two"),
        photo_bytes("next week", NINE, size="4000x6000"),
        photo_bytes("no clock", None),
    ],
    ids=["another time", "another camera", "another size", "no time"],
)
def test_a_file_name_reused_by_the_camera_is_a_new_photo(shoot: Shoot, other: bytes) -> None:
    shoot.write("DSC_0001.JPG", photo_bytes("this week", NINE))
    shoot.ingest()
    shoot.reject("DSC_0001.JPG")
    old = shoot.photo("DSC_0001.JPG").id
    shoot.write("DSC_0001.JPG", other)
    count = shoot.ingest()
    assert (count.found, count.new) == (1, 1)
    new = shoot.photo("DSC_0001.JPG")
    assert new.id != old
    assert (new.marks.flag, new.state) == (None, "")
    rejected = shoot.catalog.photos.get(old)
    assert (rejected.marks.flag, rejected.state) == (Flag.REJECT, "missing")
    shoot.write("from the backup.JPG", photo_bytes("this week", NINE))
    shoot.ingest()
    assert shoot.photo("from the backup.JPG").id == old


def test_a_pair_name_reused_by_the_camera_is_a_new_pair(shoot: Shoot) -> None:
    for name in ("DSC_1.NEF", "DSC_1.JPG"):
        shoot.write(name, photo_bytes(name, NINE))
    shoot.ingest()
    shoot.reject("DSC_1.NEF")
    old = shoot.photo("DSC_1.NEF").id
    for name in ("DSC_1.NEF", "DSC_1.JPG"):
        shoot.write(name, photo_bytes("other " + name, TEN))
    shoot.ingest()
    new = shoot.photo("DSC_1.NEF")
    assert new.id != old
    assert [file.role for file in new.files] == ["main", "half"]
    assert shoot.photo("DSC_1.JPG").id == new.id
    assert shoot.catalog.photos.get(old).state == "missing"
    assert shoot.ingest().new == 0


def test_a_touched_file_is_not_converted_again(shoot: Shoot) -> None:
    path = shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    os.utime(path, ns=(1, 1))
    shoot.scan()
    shoot.peek()
    assert shoot.catalog.work.pending("convert", 10) == []
    assert shoot.scan().changed == []


def test_names_swapped_on_disk_swap_in_the_catalog(shoot: Shoot) -> None:
    a = shoot.write("A.JPG", photo_bytes("a", NINE))
    b = shoot.write("B.JPG", photo_bytes("b and longer", TEN))
    shoot.ingest()
    shoot.reject("A.JPG")
    ids = shoot.photo("A.JPG").id, shoot.photo("B.JPG").id
    a.rename(shoot.folder / "C.JPG")
    b.rename(a)
    (shoot.folder / "C.JPG").rename(b)
    shoot.ingest()
    shoot.ingest()
    assert (shoot.photo("B.JPG").id, shoot.photo("A.JPG").id) == ids
    assert shoot.photo("B.JPG").marks.flag is Flag.REJECT
    assert {photo.state for photo in shoot.photos().values()} == {""}


def test_adding_and_removing_a_half_leaves_the_photo_unchanged(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes("jpeg"))
    shoot.ingest()
    shoot.reject("A.JPG")
    number = shoot.photo("A.JPG").id
    raw = shoot.write("A.NEF", photo_bytes("raw"))
    assert shoot.ingest().new == 0
    pair = shoot.photo("A.NEF")
    assert (pair.id, pair.marks.flag, pair.basis) == (number, Flag.REJECT, "preview")
    assert [file.role for file in pair.files] == ["main", "half"]
    raw.unlink()
    assert shoot.ingest().new == 0
    single = shoot.photo("A.JPG")
    assert (single.id, single.path.name, single.basis) == (number, "A.JPG", "image")
    assert single.state == ""


def test_an_edited_half_changes_only_its_fingerprint(shoot: Shoot) -> None:
    shoot.write("A.NEF", photo_bytes("raw"))
    shoot.write("A.JPG", photo_bytes("jpeg"))
    shoot.ingest()
    before = shoot.photo("A.NEF")
    shoot.write("A.JPG", photo_bytes("jpeg with stars in its header"))
    shoot.ingest()
    after = shoot.photo("A.NEF")
    assert after.id == before.id
    assert after.proxy == before.proxy
    assert after.files[1].fingerprint == files.fingerprint(shoot.folder / "A.JPG")


def test_an_edited_copy_becomes_a_separate_photo(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    shutil.copy(shoot.folder / "A.JPG", shoot.folder / "B.JPG")
    shoot.ingest()
    shoot.write("B.JPG", photo_bytes("edited"))
    assert shoot.ingest().new == 1
    assert shoot.photo("B.JPG").id != shoot.photo("A.JPG").id
    assert len(shoot.photo("A.JPG").files) == 1


def test_a_raw_and_a_jpeg_become_a_pair_once_in_one_folder(shoot: Shoot) -> None:
    raw = shoot.write("raw/A.NEF", photo_bytes("raw"))
    jpeg = shoot.write("jpeg/A.JPG", photo_bytes("jpeg"))
    shoot.ingest()
    shoot.catalog.journal.decide({shoot.photo("jpeg/A.JPG").id: {"rating": 4}}, summary="4 stars")
    assert len(shoot.photos()) == 2
    (shoot.folder / "both").mkdir()
    raw.rename(shoot.folder / "both" / "A.NEF")
    jpeg.rename(shoot.folder / "both" / "A.JPG")
    count = shoot.ingest()
    assert (count.found, count.new) == (1, 0)
    pair = shoot.photo("both/A.NEF")
    assert pair.marks.rating == 4
    assert [file.role for file in pair.files] == ["main", "half"]


def test_a_symbolic_link_to_a_photo_is_no_new_photo(shoot: Shoot) -> None:
    target = shoot.write("A.JPG", photo_bytes(1))
    (shoot.folder / "B.JPG").symlink_to(target)
    assert shoot.ingest().found == 1
    assert shoot.ingest().found == 1


def test_a_rescan_adds_no_photos_to_a_sampled_folder(shoot: Shoot) -> None:
    for number in range(5):
        shoot.write(f"A{number}.JPG", photo_bytes(number))
    left = shoot.scan(add=False, sampled=True).left
    assert len(left) == 5
    assert shoot.last is not None
    shoot.catalog.scans.apply(shoot.last, left[:2])
    count = shoot.catalog.scans.count_found([shoot.last])
    assert (count.new, count.known) == (2, 0)
    shoot.peek()
    (shoot.folder / "A0.JPG").rename(shoot.folder / "Z.JPG")
    assert len(shoot.scan(add=False, sampled=True).left) == 3
    assert sorted(shoot.photos()) == ["shoot/A1.JPG", "shoot/Z.JPG"]
    assert shoot.catalog.folders.all()[0].sampled
    assert shoot.ingest().found == 5, "added without sampling, it is complete"


def test_merging_photos_keeps_the_marks_of_both(shoot: Shoot) -> None:
    """Both were marked before being read; the journal keeps each under its own id."""
    shoot.write("one/A.JPG", photo_bytes("same"))
    shoot.write("two/A.JPG", photo_bytes("same"))
    shoot.scan()
    older, newer = sorted(photo.id for photo in shoot.photos().values())
    decide = shoot.catalog.journal.decide
    decide({older: {"rating": 2}}, summary="2 stars")
    decide({newer: {"rating": 4}}, summary="4 stars")
    decide({newer: {"flag": "pick"}}, summary="picked")
    shoot.peek()
    merged = shoot.catalog.photos.get(newer)
    assert merged.id == older
    assert (merged.marks.rating, merged.marks.flag) == (4, Flag.PICK)
    assert [step.changes[0].photo_id for step in shoot.catalog.journal.history(older)] == [
        older,
        newer,
        newer,
    ]
    shoot.catalog.journal.undo()
    shoot.catalog.journal.undo()
    assert shoot.catalog.photos.get(older).marks.rating == 2, "the other decision counts again"
    shoot.catalog.journal.redo()
    assert shoot.catalog.photos.get(older).marks.rating == 4
    shoot.catalog.journal.undo()
    shoot.catalog.journal.undo()
    assert shoot.catalog.photos.get(older).marks.rating is None
    assert decide({newer: {"rating": 5}}, summary="5 stars").changes[0].photo_id == older


def test_readers_learn_which_photos_were_merged_away(shoot: Shoot) -> None:
    shoot.write("one/A.JPG", photo_bytes("same"))
    shoot.write("two/A.JPG", photo_bytes("same"))
    shoot.scan()
    rev = catalogs.last_rev(shoot.catalog)
    shoot.peek()
    changed = shoot.catalog.photos.changed(rev)
    assert changed is not None
    assert dict(zip(changed["id"], changed["gone"], strict=True)) == {1: 0, 2: 1}


def test_a_header_result_of_a_photo_merged_meanwhile_is_dropped(shoot: Shoot) -> None:
    shoot.write("one/A.JPG", photo_bytes("same"))
    shoot.write("two/A.JPG", photo_bytes("same"))
    shoot.scan()
    late = shoot.jobs("peek")[1]
    shoot.peek()
    status = Path(late.path).stat()
    result = Peeked(
        files.fingerprint(late.path), status.st_size, status.st_mtime_ns, read_exif(late.path)
    )
    save_peeked(shoot.catalog, [(late, result)], files)
    assert shoot.catalog.work.save_failure(late, "too late", retry=True) is False
    assert len(shoot.photos()) == 1
    assert shoot.catalog.check() == []


def test_a_file_changed_between_peek_and_convert_is_read_again(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes("before", NINE))
    shoot.scan()
    shoot.peek()
    job: StageJob = shoot.jobs("convert")[0]
    shoot.write("A.JPG", photo_bytes("after", TEN))
    shoot.catalog.work.start("convert", [job.photo_id])
    shoot.catalog.results.save_converted([(job, shoot.converted(job))])
    assert shoot.photo("A.JPG").quality is None
    assert [row.stage for row in shoot.catalog.work.pending("peek", 5)] == ["peek"]
    assert shoot.catalog.work.pending("convert", 5) == []


def _row(number: int, name: str, role: str = "copy", *, there: bool = True, at: int = 1) -> FileRow:
    kind = "raw" if name.endswith("NEF") else "image"
    away = None if there else 1.0
    return FileRow(number, 1, at, name, kind, role, 1, 1, "f", None, None, None, away, f"/{at}")


@pytest.mark.parametrize(
    ("rows", "roles"),
    [
        ([_row(1, "A.JPG")], {1: "main"}),
        ([_row(1, "A.JPG"), _row(2, "A.NEF")], {1: "half", 2: "main"}),
        ([_row(1, "A.JPG", "main"), _row(2, "B.JPG")], {1: "main", 2: "copy"}),
        ([_row(1, "A.JPG"), _row(2, "B.JPG", "main")], {1: "copy", 2: "main"}),
        ([_row(1, "A.JPG", "main", there=False), _row(2, "B.JPG")], {1: "copy", 2: "main"}),
        ([_row(1, "A.NEF", "main", there=False), _row(2, "A.JPG", "half")], {1: "copy", 2: "main"}),
        (
            [_row(1, "A.JPG", "half", at=2), _row(2, "A.NEF", "main"), _row(3, "A.JPG")],
            {1: "copy", 2: "main", 3: "half"},
        ),
        ([_row(1, "A.JPG", "main", there=False)], {1: "main"}),
        ([_row(1, "A.JPG", "former", there=False), _row(2, "A.JPG")], {2: "main"}),
        ([], {}),
    ],
)
def test_roles_are_given_to_present_files_raw_first(
    rows: list[FileRow], roles: dict[int, str]
) -> None:
    assert assign_roles(rows) == roles


def test_a_photo_is_shown_in_switched_on_folders() -> None:
    rows = [_row(1, "A.NEF", "main"), _row(2, "A.JPG", "half"), _row(3, "B.NEF", at=2)]
    assert assign_roles(rows, {1}) == {1: "copy", 2: "copy", 3: "main"}
    assert assign_roles(rows[:2], {1}) == {1: "main", 2: "half"}
    assert assign_roles([*rows[:2], _row(3, "B.NEF", at=2, there=False)], {1})[1] == "main"


def test_tags_of_a_merged_photo_are_written_to_the_remaining_sidecar(
    shoot: Shoot,
) -> None:
    for name in ("A.JPG", "B.JPG"):
        shoot.write(name, photo_bytes(name))
    shoot.ingest()
    catalog = shoot.catalog
    catalog.journal.decide({2: {"rating": 4}}, summary="4 stars")
    with catalog.store.transaction():
        catalog.identity.merge([1, 2])
        catalog.identity.sync([1])
    (content,) = catalog.sidecars.to_write([1])
    assert content.fields["rating"] == 4
    assert content.decided and content.needs_sidecar


def test_undo_keeps_an_earlier_comparison_with_the_same_photo(shoot: Shoot) -> None:
    for name in ("A.JPG", "B.JPG", "C.JPG"):
        shoot.write(name, photo_bytes(name))
    shoot.ingest()
    catalog = shoot.catalog
    catalog.journal.decide({3: {("over", 1): True}}, summary="Preferred")
    catalog.journal.decide({3: {("over", 2): True}}, summary="Preferred")
    with catalog.store.transaction():
        catalog.identity.merge([1, 2])
    assert [duel[:2] for duel in catalog.taste.preferences()] == [(3, 1)]
    for left in ([(3, 1)], []):
        catalog.journal.undo()
        assert [duel[:2] for duel in catalog.taste.preferences()] == left


@pytest.mark.parametrize(("newest", "learned"), [("person", [(1, 5)]), ("file", [])])
def test_whether_merged_stars_count_depends_on_who_gave_them(
    shoot: Shoot, newest: str, learned: list[tuple[int, int]]
) -> None:
    for name in ("A.JPG", "B.JPG"):
        shoot.write(name, photo_bytes(name))
    shoot.ingest()
    catalog = shoot.catalog
    if newest == "person":
        catalog.journal.decide({1: {"rating": 3}}, summary="Read from files", source="file")
    catalog.journal.decide({2: {"rating": 5}}, summary="5 stars", source=newest)
    with catalog.store.transaction():
        catalog.identity.merge([1, 2])
    assert [(each.photo_id, each.rating) for each in catalog.taste.ratings()] == learned
    assert catalog.taste.count_rated() == len(learned)


@pytest.mark.parametrize(("taken", "new"), [(NINE, 0), (None, 1)])
def test_a_copy_on_a_card_is_recognized_by_its_capture_time(
    shoot: Shoot, taken: str | None, new: int
) -> None:
    shoot.reader = Card(shoot.folder / "card")
    shoot.write("A.JPG", photo_bytes(1, taken))
    shoot.ingest()
    shoot.reject("A.JPG")
    (shoot.folder / "card").mkdir()
    shutil.copy2(shoot.folder / "A.JPG", shoot.folder / "card" / "A.JPG")
    assert shoot.ingest().new == new
    assert shoot.photo("card/A.JPG").marks.flag is (None if new else Flag.REJECT)
    assert [file.sha256 for photo in shoot.listed() for file in photo.files] == [None, None]
    (shoot.folder / "card" / "A.JPG").rename(shoot.folder / "card" / "B.JPG")
    assert shoot.ingest().new == 0  # a file that is gone has moved, even without proof
    assert shoot.photo("card/B.JPG").state == ""


def test_a_file_moved_on_a_card_stays_distinct_from_a_photo_it_was_compared_with(
    shoot: Shoot,
) -> None:
    one = photo_bytes(1) + bytes(200_000)
    shoot.write("A.JPG", one)
    shoot.ingest()
    shoot.write("card/B.JPG", one[:100_000] + b"1" + one[100_001:])
    assert shoot.ingest().new == 1  # read whole: the two are not the same
    shoot.reject("A.JPG")
    shoot.reader = Card(shoot.folder / "card")
    (shoot.folder / "card" / "B.JPG").rename(shoot.folder / "card" / "C.JPG")
    assert shoot.ingest().new == 0
    assert shoot.photo("card/C.JPG").marks.flag is None


def test_a_scan_uses_short_transactions_and_an_interrupted_one_continues(
    shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        shoot.write(f"DSC_{number}.JPG", photo_bytes(number))
    catalog, statements = shoot.catalog, list[str]()
    groups = list(files.pair(files.walk([shoot.folder])))
    scan = catalog.scans.begin(catalog.folders.add(shoot.folder), files)
    write_groups, parts = catalog.scans._write_groups, list[int]()

    def fail_once(scan: Scan, some: Sequence[Any], add: bool) -> object:
        parts.append(len(some))
        if len(parts) == 2:
            raise CatalogError("The disk that holds the catalog is full.")
        return write_groups(scan, some, add)

    monkeypatch.setattr(catalog.scans, "_write_groups", fail_once)
    monkeypatch.setattr(store, "TRANSACTION_S", 0.0)
    with pytest.raises(CatalogError):
        catalog.scans.apply(scan, groups)
    monkeypatch.setattr(store, "TRANSACTION_S", math.inf)
    catalog.store.trace(statements.append)
    assert len(catalog.scans.apply(scan, groups).new) == 9, (
        "what was written is known, the rest comes now"
    )
    catalog.store.trace(None)
    assert parts == [10, 9, 9] and statements.count("COMMIT") == 1
    written = [sql for sql in statements[: statements.index("COMMIT")] if " work " in sql]
    # Each statement lets go of the interpreter, and a mark may wait for the transaction.
    assert len(written) == len(shoot.stages), "one for all photos, not one for each"
    count = catalog.scans.count_found([scan])
    assert (count.found, count.new) == (10, 10)
    assert len(catalog.work.pending("peek", 100)) == 10


def test_a_copy_of_the_last_read_file_is_recognized_before_it_is_opened(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    shoot.write("B.JPG", photo_bytes(1))
    assert shoot.scan().new == []
