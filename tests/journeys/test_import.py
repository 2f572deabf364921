"""Imports from failing cards to failing drives: nothing is lost, nothing is claimed falsely.

Each test has real file systems, and an auditor that compares the bytes on the card with those at
the destinations and knows nothing of the importer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import Catalog
from curator.importing.report import ImportProgress, ImportReport
from curator.model import KnownError
from tests.cards import TAKEN, draw_card, draw_many, jpeg, must_be_copied, write
from tests.faults import small_disk
from tests.faulty_drive import CARD, Faults, FaultyDrive, Traits
from tests.filesystems import KINDS, mounted, write_protected
from tests.import_audit import Audit, tree
from tests.importing import import_cards, plan_import

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SIZE = 300_000  # of a JPEG: three times what its fingerprint reads
FIRST, SECOND = "DCIM/100CANON/IMG_0001.JPG", "DCIM/100CANON/IMG_0002.JPG"
DISK = Traits()

Drives = Callable[..., FaultyDrive]


@pytest.fixture
def drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drives]:
    """Make drives that fail as asked; at the end, nothing was ever changed on a card."""
    made: list[FaultyDrive] = []

    def make(label: str, traits: Traits = DISK) -> FaultyDrive:
        made.append(FaultyDrive(tmp_path, label, monkeypatch, traits))
        return made[-1]

    yield make
    for drive in made:
        drive.close()
    assert [
        line for drive in made if drive.label == "EOS_DIGITAL" for line in drive.changes()
    ] == []


@pytest.fixture
def camera(drives: Drives) -> FaultyDrive:
    """A card of 4 photos with a pair, a sidecar and a voice memo; not yet inserted."""
    drive = drives("EOS_DIGITAL", CARD)
    draw_card(drive.files, 4, size=SIZE)
    return drive


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def named(report: ImportReport) -> set[str]:
    """Return the files that a report says failed."""
    return {failure.path for failure in report.failures}


# --- the card


@pytest.mark.parametrize(
    "faults",
    [Faults(cut={SECOND: 200_000}), Faults(unreadable={SECOND: 150_000})],
    ids=["cut", "EIO"],
)
def test_a_file_that_cannot_be_read_whole_is_named_and_comes_later(
    camera: FaultyDrive, library: Path, backup: Path, catalog: Catalog, faults: Faults
) -> None:
    audit = Audit([camera.files], [library, backup])
    card = camera.plug()
    camera.fail(faults)
    report = import_cards(catalog, [card], [library, backup])
    audit.check()
    audit.check_report(report)
    audit.check_catalog(catalog)
    assert not report.safe and named(report) <= {SECOND}
    assert audit.missing(library) == audit.missing(backup) == [SECOND]
    camera.fail(Faults())
    report = import_cards(catalog, [card], [library, backup])
    assert report.complete and not report.failures
    assert [place.verified for place in report.destinations] == [1, 1]
    audit.check_finished()
    audit.check_report(report)


def test_each_file_is_read_once_for_two_destinations(
    camera: FaultyDrive, library: Path, backup: Path, catalog: Catalog
) -> None:
    card = camera.plug()
    import_cards(catalog, [card], [library, backup])
    read = camera.bytes_read()
    for name in must_be_copied(camera.files):
        size = (camera.files / name).stat().st_size
        assert read[name] <= 2 * size + (1 << 20), f"{name} was read again and again"


def test_a_card_that_reads_differently_the_second_time_is_said_to_fail(
    camera: FaultyDrive, drives: Drives, library: Path, catalog: Catalog
) -> None:
    """The second destination is full at first, so that the file is read again for it."""
    second = drives("T7")
    audit = Audit([camera.files], [library])
    card, backup = camera.plug(), second.plug()
    second.fail(Faults(room=0))

    def differ(progress: ImportProgress) -> None:
        first, late = progress.destinations
        if first.files == first.total_files and late.state == "full":
            camera.fail(Faults(unsteady={SECOND: 150_000}))
            second.fail(Faults())

    report = import_cards(catalog, [card], [library, backup], progressed=differ, waits=True)
    assert named(report) == {SECOND} and not report.safe, [*report.failures]
    assert all("Two readings" in failure.reason for failure in report.failures)
    assert len(report.failures) == 2, "neither copy is vouched for"
    assert audit.missing(library) == []
    digest = must_be_copied(camera.files)[SECOND]
    recorded = catalog.store.values("SELECT sha256 FROM verified_copy")
    assert digest not in recorded, "one of two different readings is recorded as verified"


def test_a_file_that_changes_while_it_is_copied_is_never_a_mixture(
    camera: FaultyDrive, library: Path, catalog: Catalog
) -> None:
    card = camera.plug()
    camera.fail(Faults(changing={SECOND: 150_000}))
    report = import_cards(catalog, [card], [library])
    audit = Audit([camera.files], [])
    audit.destinations, audit._there = [library], {library: {}}
    audit.check()
    audit.check_report(report)
    camera.fail(Faults())
    assert import_cards(catalog, [card], [library]).complete
    audit.check_finished()


def test_a_card_is_pulled_out_and_inserted_again_elsewhere(
    camera: FaultyDrive, library: Path, backup: Path, catalog: Catalog
) -> None:
    audit = Audit([camera.files], [library, backup])
    card = camera.plug()
    said = []

    def insert_again(progress: ImportProgress) -> None:
        if progress.reason and not said:
            said.append(progress.reason)
            camera.wait_until_gone()
            audit.check()
            camera.fail(Faults())
            camera.plug("EOS_DIGITAL1")

    plan = plan_import(catalog, [card], [library, backup])
    camera.fail(Faults(gone_after=700_000))
    from curator.importing.run import ImportRun

    report = ImportRun(plan, catalog, progressed=insert_again, waits=True).run()
    assert said == ["EOS_DIGITAL was removed. Insert it again to continue."]
    assert report.complete and not report.failures
    audit.check_finished()
    audit.check_report(report)


def test_an_import_ends_when_its_card_is_pulled_out_and_the_next_completes_it(
    camera: FaultyDrive, library: Path, catalog: Catalog
) -> None:
    audit = Audit([camera.files], [library])
    plan = plan_import(catalog, [camera.plug()], [library])
    camera.fail(Faults(gone_after=700_000))
    from curator.importing.run import ImportRun

    report = ImportRun(plan, catalog).run()
    camera.wait_until_gone()
    audit.check()
    audit.check_report(report)
    assert not report.complete and not report.safe
    assert "EOS_DIGITAL was removed" in report.sentence
    done = {name: (library / name).stat().st_ino for name in audit.copies(library)}
    camera.fail(Faults())
    report = import_cards(catalog, [camera.plug("EOS_DIGITAL1")], [library])
    assert report.complete
    audit.check_finished()
    assert all((library / name).stat().st_ino == inode for name, inode in done.items())


# --- the destinations


@pytest.mark.parametrize("waits", [False, True])
def test_a_destination_that_is_pulled_out_is_never_filled_in_on_the_system_disk(
    camera: FaultyDrive, drives: Drives, library: Path, catalog: Catalog, waits: bool
) -> None:
    drive = drives("T7")
    mount_point = drive.plug(keep_mount_point=True)
    backup = mount_point / "2024"
    audit = Audit([camera.files], [library])
    there = Audit([camera.files], [drive.files / "2024"])
    card = camera.plug()
    drive.fail(Faults(gone_after=500_000))
    back: list[Path] = []

    def connect_again(progress: ImportProgress) -> None:
        if progress.destinations[1].state == "waiting" and waits and not back:
            drive.wait_until_gone()
            assert list(mount_point.iterdir()) == []
            drive.fail(Faults())
            back.append(drive.plug("T7 1"))

    report = import_cards(catalog, [card], [library, backup], progressed=connect_again, waits=waits)
    assert list(mount_point.iterdir()) == [], "filled in at the empty mount point"
    audit.check_finished()
    there.check()
    if waits:
        assert report.complete and Path(report.destinations[1].path) == back[0] / "2024"
        there.check_finished()
        return
    drive.wait_until_gone()
    assert not report.complete and not report.safe
    assert "T7 was removed" in report.destinations[1].reason
    assert report.destinations[0].unfinished == 0
    drive.fail(Faults())
    report = import_cards(catalog, [card], [library, drive.plug("T7 1") / "2024"])
    assert report.complete
    there.check_finished()


def test_a_full_destination_is_told_first_and_holds_up_no_other(
    camera: FaultyDrive, tmp_path: Path, library: Path, catalog: Catalog
) -> None:
    card = camera.plug()
    with small_disk(tmp_path / "small", 16) as disk:
        disk.fill(spare=700_000)
        backup = disk.path / "backup"
        plan = plan_import(catalog, [card], [library, backup])
        assert [room.is_enough for room in plan.rooms] == [True, False]
        audit = Audit([camera.files], [library, backup])
        report = import_cards(catalog, [card], [library, backup])
        audit.check()
        audit.check_report(report)
        audit.check_finished([library])
        assert audit.temporary(backup) == []
        assert not report.complete and "full" in report.destinations[1].reason
        disk.empty()
        report = import_cards(catalog, [card], [library, backup])
        assert report.complete and report.destinations[0].verified == 0
        audit.check_finished()


def test_an_import_waits_for_room_and_continues(
    camera: FaultyDrive, tmp_path: Path, catalog: Catalog
) -> None:
    card = camera.plug()
    with small_disk(tmp_path / "small", 32) as disk:
        disk.fill(spare=700_000)
        library, said = disk.path / "library", []

        def make_room(progress: ImportProgress) -> None:
            if progress.destinations[0].state == "full":
                said.append(progress.destinations[0].reason)
                disk.empty()

        audit = Audit([camera.files], [library])
        report = import_cards(catalog, [card], [library], progressed=make_room, waits=True)
        assert report.complete and "is full. Free some space" in said[0]
        audit.check_finished()


def test_an_import_ends_where_a_quota_refuses_what_the_drive_has_room_for(
    camera: FaultyDrive, drives: Drives, library: Path, catalog: Catalog
) -> None:
    drive = drives("NAS")
    backup = drive.plug()
    audit = Audit([camera.files], [library, backup])
    drive.fail(Faults(quota=400_000))
    report = import_cards(catalog, [camera.plug()], [library, backup])
    audit.check()
    audit.check_report(report)
    audit.check_finished([library])
    assert not report.complete and "full" in report.destinations[1].reason


def test_a_slow_second_destination_holds_up_nothing_and_may_go_away(
    camera: FaultyDrive, drives: Drives, library: Path, catalog: Catalog
) -> None:
    draw_card(camera.files, 12, size=SIZE, seed="more", first=20)
    drive = drives("SLOW")
    backup = drive.plug()
    audit = Audit([camera.files], [library, drive.files])
    ahead: list[bool] = []

    def watch(progress: ImportProgress) -> None:
        first, second = progress.destinations
        if first.state == "done" and not ahead:
            ahead.append(second.files < second.total_files)
            drive.fail(Faults(gone_after=0))

    drive.fail(Faults(wait_s=0.1))
    report = import_cards(catalog, [camera.plug()], [library, backup], progressed=watch)
    assert ahead == [True], "the slow one held up the other"
    drive.wait_until_gone()
    audit.check()
    audit.check_report(report)
    audit.check_finished([library])
    assert not report.complete and not report.safe


def test_what_a_drive_stores_wrongly_is_not_called_verified(
    camera: FaultyDrive, drives: Drives, library: Path, catalog: Catalog
) -> None:
    drive = drives("OLD")
    backup = drive.plug()
    audit = Audit([camera.files], [library, backup])
    drive.fail(Faults(forgotten={"": 20_000}))
    report = import_cards(catalog, [camera.plug()], [library, backup])
    audit.check()
    audit.check_report(report)
    audit.check_finished([library])
    audit.check_catalog(catalog)
    assert all("reads back differently" in failure.reason for failure in report.failures)
    assert len(report.failures) >= 4 and not report.safe
    assert audit.temporary(backup) == []


def test_a_drive_that_cannot_sync_has_nothing_verified(
    camera: FaultyDrive, drives: Drives, library: Path, catalog: Catalog
) -> None:
    drive = drives("OLD")
    backup = drive.plug()
    audit = Audit([camera.files], [library, backup])
    drive.fail(Faults(sync_fails=True))
    report = import_cards(catalog, [camera.plug()], [library, backup])
    assert report.destinations[1].done == 0 and not report.safe
    audit.check()
    audit.check_finished([library])


def test_a_read_only_destination_is_named_and_the_other_is_completed(
    camera: FaultyDrive, tmp_path: Path, library: Path, catalog: Catalog
) -> None:
    card = camera.plug()
    with small_disk(tmp_path / "locked", 16) as disk:
        audit = Audit([camera.files], [library, disk.path])
        with write_protected(disk.path):
            try:
                report = import_cards(catalog, [card], [library, disk.path])
            except KnownError as error:
                assert str(disk.path) in str(error)
            else:
                audit.check_report(report)
                assert not report.safe and "write-protected" in report.destinations[1].reason
                audit.check_finished([library])
        assert import_cards(catalog, [card], [library, disk.path]).complete
        audit.check_finished()


# --- names


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_are_one_name_at_the_destination_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: Catalog, kind: str
) -> None:
    names = (
        "IMG_0001.JPG",
        "img_0001.jpg",
        "Café.jpg",
        "CAFÉ.JPG",
        "Cafe\u0301.jpg",
        "STRASSE.JPG",
    )
    card = tmp_path / "card"
    if kind == "fat":  # its driver has no other letters
        names = tuple(filter(str.isascii, names))
    for number, name in enumerate((*names, "img_0001.JPG", "strasse.jpg")):
        write(card / "DCIM" / "100CANON" / name, jpeg(TAKEN, f"{number}".encode()), TAKEN)
    with mounted(kind, tmp_path, monkeypatch) as drive:
        library = drive / "photos"
        audit = Audit([card], [library])
        report = import_cards(catalog, [card], [library])
        assert report.safe, report.failures
        audit.check_finished()
        audit.check_catalog(catalog)
        again = import_cards(catalog, [card], [library])
        assert again.destinations[0].verified == 0, "copied twice"
        audit.check_finished()


def test_names_that_are_illegal_elsewhere_are_copied_under_legal_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: Catalog
) -> None:
    card = tmp_path / "card"
    names = ("a:b?.jpg", "con.jpg", "trailing. .jpg", "pipe|<x>.jpg", 'quote".jpg', "-rf.jpg")
    for number, name in enumerate(
        (*names, "line\nbreak.jpg", "back\\slash.jpg", "x" * 240 + ".jpg")
    ):
        write(card / "DCIM" / name, jpeg(TAKEN, f"{number}".encode()), TAKEN)
    with mounted("exfat", tmp_path, monkeypatch) as drive:
        audit = Audit([card], [drive / "photos"])
        report = import_cards(catalog, [card], [drive / "photos"])
        assert report.safe, report.failures
        audit.check_finished()


def test_a_name_that_a_drive_refuses_fails_that_file_only(
    camera: FaultyDrive, drives: Drives, library: Path, catalog: Catalog
) -> None:
    drive = drives("ODD")
    backup = drive.plug()
    drive.fail(Faults(refused="IMG_0002"))
    audit = Audit([camera.files], [library, backup])
    report = import_cards(catalog, [camera.plug()], [library, backup])
    audit.check_report(report)
    audit.check_finished([library])
    assert named(report) == {SECOND, SECOND.replace(".JPG", ".xmp")}
    assert audit.temporary(backup) == []


def test_the_same_names_on_two_cards_are_all_copied_and_never_twice(
    tmp_path: Path, library: Path, backup: Path, catalog: Catalog
) -> None:
    cards = [draw_card(tmp_path / name, 6, seed=name) for name in ("ONE", "TWO")]
    audit = Audit(cards, [library, backup])
    report = import_cards(catalog, cards, [library, backup])
    assert report.complete and not report.failures
    audit.check_finished()
    for pair in (path for path in library.rglob("*.DNG")):
        assert pair.with_suffix(".JPG").exists(), "a pair was separated by its number"
    for card in cards:  # each again by itself
        report = import_cards(catalog, [card], [library, backup])
        assert [place.verified for place in report.destinations] == [0, 0]
        audit.check_finished()


# --- clocks


def test_shifted_times_of_a_card_copy_nothing_twice(
    camera: FaultyDrive, library: Path, catalog: Catalog, home: object
) -> None:
    """FAT stores local time: a change of the time zone, or of the card's, shifts every file."""
    camera.traits = replace(CARD, shift_s=0)
    audit = Audit([camera.files], [library])
    assert import_cards(catalog, [camera.plug()], [library]).complete
    done = {name: (library / name).stat().st_ino for name in audit.copies(library)}
    for hours in (1, -1, 24, -24 * 365):
        camera.pull()
        camera.traits = replace(CARD, shift_s=3600 * hours)
        report = import_cards(catalog, [camera.plug()], [library])
        assert report.destinations[0].verified == 0, f"copied again after {hours} hours"
        assert report.complete
        audit.check_finished()
    assert {name: (library / name).stat().st_ino for name in audit.copies(library)} == done


def test_shifted_times_of_a_destination_copy_nothing_twice(
    camera: FaultyDrive, drives: Drives, catalog: Catalog, tmp_path: Path
) -> None:
    drive = drives("FAT32", replace(CARD, shift_s=1))
    other = draw_card(tmp_path / "OTHER", 4, seed="other")
    cards = [camera.plug(), other]
    audit = Audit([camera.files, other], [drive.files])
    assert import_cards(catalog, cards, [drive.plug()]).complete
    audit.check_finished()
    for hours in (1, -5):
        drive.pull()
        drive.traits = replace(CARD, shift_s=3600 * hours)
        for card in cards:
            report = import_cards(catalog, [card], [drive.at or drive.plug()])
            assert report.destinations[0].verified == 0, f"copied again after {hours} hours"
        audit.check_finished()


def test_another_time_zone_copies_nothing_twice(
    tmp_path: Path, library: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = draw_card(tmp_path / "CARD", 5)
    plain = jpeg(TAKEN, b"undated").replace(b"2024:05:04", b"0000:00:00")
    write(card / "DCIM" / "100CANON" / "IMG_0100.JPG", plain, TAKEN)
    audit = Audit([card], [library])
    for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        report = import_cards(catalog, [card], [library])
        assert report.complete and (report.destinations[0].verified == 0 or zone == "UTC")
        audit.check_finished()
    monkeypatch.undo()
    time.tzset()


# --- large cards, and folders inside each other


def test_a_card_of_ten_thousand_files(tmp_path: Path, library: Path, catalog: Catalog) -> None:
    card = draw_many(tmp_path / "EOS_DIGITAL", 10_000)
    audit = Audit([card], [library])
    report = import_cards(catalog, [card], [library])
    assert report.complete and report.destinations[0].verified == 10_000
    audit.check_finished()
    again = import_cards(catalog, [card], [library])
    assert again.destinations[0].verified == 0 and again.complete


def test_a_destination_on_the_card_is_refused(
    camera: FaultyDrive, tmp_path: Path, catalog: Catalog
) -> None:
    card = camera.plug()
    before = tree(camera.files)
    for inside in (card, card / "DCIM", card / "copies"):
        with pytest.raises(KnownError):
            import_cards(catalog, [card], [inside])
        with pytest.raises(KnownError):
            import_cards(catalog, [card], [tmp_path / "library", inside])
    (tmp_path / "link").symlink_to(card)
    with pytest.raises(KnownError):
        import_cards(catalog, [card], [tmp_path / "link" / "copies"])
    assert tree(camera.files) == before


def test_a_card_inside_a_destination_is_copied_once_or_refused(
    tmp_path: Path, catalog: Catalog
) -> None:
    photos = tmp_path / "photos"
    card = draw_card(photos / "old card", 4)
    before = tree(photos)
    try:
        report = import_cards(catalog, [card], [photos])
    except KnownError:
        assert tree(photos) == before
        return
    assert report.complete
    assert before.items() <= tree(photos).items()
    names = len(tree(photos))
    import_cards(catalog, [card], [photos])
    assert len(tree(photos)) <= names + 1, "copied twice"


def test_sidecars_with_credits_copy_nothing_twice(
    camera: FaultyDrive, library: Path, catalog: Catalog
) -> None:
    """A sidecar of the card is changed beside its copy; then it is no longer the card's."""
    audit = Audit([camera.files], [library])
    card = camera.plug()
    credit = {"creator": "Ada", "job": "Wedding"}
    assert import_cards(catalog, [card], [library], sidecars=True, **credit).complete
    names = sorted(tree(library))
    assert [name for name in audit.missing(library) if not name.endswith(".xmp")] == []
    report = import_cards(catalog, [card], [library], sidecars=True, **credit)
    assert report.complete, report
    assert [name for name in sorted(tree(library)) if name not in names] == []


@pytest.mark.parametrize("name", ["IMG_0001.JPG", "IMG_0001.DNG", "IMG_0003.JPG", "IMG_0003.WAV"])
@pytest.mark.parametrize("damage", ["shortened", "replaced", "removed"])
def test_a_copy_that_was_damaged_since_does_not_make_a_card_safe_to_format(
    tmp_path: Path, library: Path, backup: Path, catalog: Catalog, name: str, damage: str
) -> None:
    card = draw_card(tmp_path / "EOS_DIGITAL", 4, size=SIZE)
    assert import_cards(catalog, [card], [library, backup]).safe
    for place in (library, backup):
        [copy] = place.rglob(name)
        content = bytearray(copy.read_bytes())
        content[len(content) // 2] ^= 1
        copy.unlink()
        if damage != "removed":
            copy.write_bytes(content if damage == "replaced" else content[:-1000])
    audit = Audit([card], [])
    audit.destinations = [library, backup]
    report = import_cards(catalog, [card], [library, backup])
    if report.safe:
        assert audit.missing(library) == audit.missing(backup) == [], report.sentence
    else:
        assert name in report.sentence


def test_files_that_differ_only_in_the_middle_are_all_copied(
    tmp_path: Path, library: Path, backup: Path, catalog: Catalog
) -> None:
    """Fingerprints read the edges: a dashcam's recordings of fixed size can agree in them."""
    cards = []
    for card, numbers in (("ONE", (0, 1)), ("TWO", (2, 3))):
        for number in numbers:
            content = bytearray(jpeg(TAKEN, b"edges", SIZE))
            content[SIZE // 2 : SIZE // 2 + 9] = f"{card}-{number:05}".encode()
            write(tmp_path / card / "DCIM" / f"10{number}CANON" / "IMG_0001.JPG", content, TAKEN)
        for number in numbers:
            write(tmp_path / card / "DCIM" / f"IMG_900{number}.JPG", b"", TAKEN)
        cards.append(tmp_path / card)
    audit = Audit(cards, [library, backup])
    for chosen in (cards[:1], cards, cards[1:], cards):
        report = import_cards(catalog, chosen, [library, backup])
        audit.check()
        if report.safe:
            done = Audit(chosen, [])
            assert done.missing(library) == done.missing(backup) == [], report.sentence
    assert audit.missing(library) == audit.missing(backup) == []
    audit.check_catalog(catalog)
