"""Running an import: copied, read back, recorded; nothing overwritten, nothing claimed falsely."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import pytest

from curator import files
from curator.catalog import Catalog, VerifiedCopy
from curator.importing import lanes
from curator.importing.anchor import Anchor
from curator.importing.card_files import find_files
from curator.importing.destinations import Room
from curator.importing.plan import Action, ImportPlan, KnownItem, PlannedFile, PlannedItem
from curator.importing.request import ImportRequest
from curator.importing.run import ImportRun
from curator.model import KnownError
from curator.opened_folder import OpenedFolder
from curator.sidecar import Credits, add_credits
from curator.volumes import Mount
from tests.cards import draw_card, must_be_copied


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card of 3 photos: 6 files, a pair, a sidecar and a voice memo among them."""
    return draw_card(tmp_path / "EOS_DIGITAL", photos=3)


def plan_of(
    card: Path,
    destinations: Sequence[Path],
    action: Action = Action.COPY,
    verified: Callable[[str], VerifiedCopy | None] = lambda name: None,
) -> ImportPlan:
    """Plan to do the same with every file of a card, at every destination."""
    plan = ImportPlan(ImportRequest((card,), tuple(destinations)), find_files([card]))
    for item in plan.contents.items:
        planned = [
            PlannedFile(
                file,
                files.fingerprint(file.path),
                f"2024/{file.path.name}",
                (action,) * len(destinations),
                tuple(verified(file.path.name) for _ in destinations),
            )
            for file in item.files
        ]
        plan.items.append(PlannedItem(item, tuple(planned)))
    return plan


def listed(folder: Path) -> list[str]:
    """List the files in a folder, without checksum lists."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sha256")
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_every_file_is_read_back_at_both_destinations(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    before = must_be_copied(card)
    library, backup = tmp_path / "library", tmp_path / "backup"
    report = ImportRun(plan_of(card, [library, backup]), catalog).run()
    names = {Path(name).name: sha256 for name, sha256 in before.items()}
    for place, done in zip((library, backup), report.destinations, strict=True):
        assert listed(place) == sorted(f"2024/{name}" for name in names)
        assert done.verified == len(names)
        checked = subprocess.run(
            ["sha256sum", "-c", Path(done.checksums).name], cwd=place, capture_output=True
        )
        assert checked.returncode == 0, checked.stdout
        assert len(checked.stdout.splitlines()) == len(names)
    assert (report.photos, report.files, report.complete) == (3, 6, True)
    assert report.sentence.startswith(
        "All of EOS_DIGITAL is copied: 6 files (2 copies each) read back and equal"
    )
    assert must_be_copied(card) == before
    found = catalog.imports.verified([files.fingerprint(library / "2024" / "IMG_0001.JPG")])
    assert {copy.path for copies in found.values() for copy in copies} == {
        str(place / "2024" / "IMG_0001.JPG") for place in (library, backup)
    }


def test_copies_keep_the_time_of_the_file(card: Path, tmp_path: Path, catalog: Catalog) -> None:
    ImportRun(plan_of(card, [tmp_path / "library"]), catalog).run()
    original = card / "DCIM" / "100CANON" / "IMG_0001.JPG"
    copy = tmp_path / "library" / "2024" / "IMG_0001.JPG"
    assert copy.stat().st_mtime_ns == original.stat().st_mtime_ns


def test_a_file_that_is_there_already_is_compared_and_not_copied_again(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    library = tmp_path / "library"
    ImportRun(plan_of(card, [library]), catalog).run()
    before = {name: (library / name).stat().st_ino for name in listed(library)}
    report = ImportRun(plan_of(card, [library], Action.CHECK), catalog).run()
    assert (report.destinations[0].checked, report.destinations[0].verified) == (6, 0)
    assert {name: (library / name).stat().st_ino for name in listed(library)} == before
    assert not report.left


@pytest.mark.parametrize("action", [Action.CHECK, Action.COPY])
def test_another_file_of_that_name_stays_and_the_copy_gets_a_number(
    card: Path, tmp_path: Path, catalog: Catalog, action: Action
) -> None:
    library = tmp_path / "library"
    (library / "2024").mkdir(parents=True)
    (library / "2024" / "IMG_0001.JPG").write_bytes(b"somebody else's")
    plan = plan_of(card, [library], action)
    report = ImportRun(plan, catalog).run()
    assert (library / "2024" / "IMG_0001.JPG").read_bytes() == b"somebody else's"
    original = card / "DCIM" / "100CANON" / "IMG_0001.JPG"
    assert (library / "2024" / "IMG_0001-2.JPG").read_bytes() == original.read_bytes()
    assert report.files == 6


def test_what_an_earlier_import_verified_is_not_touched(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    library = tmp_path / "library"
    plan = plan_of(card, [library])
    ImportRun(plan, catalog).run()
    prints = [planned.fingerprint for item in plan.items for planned in item.files]
    known = {
        Path(copy.name).name: copy
        for copies in catalog.imports.verified(prints).values()
        for copy in copies
    }
    report = ImportRun(plan_of(card, [library], Action.KEEP, known.get), catalog).run()
    assert (report.destinations[0].kept, report.destinations[0].verified) == (6, 0)
    assert "6 files verified by earlier imports and still there" in report.sentence
    assert len(list(library.glob("*.sha256"))) == 1  # the list of the first import


def test_a_photo_on_two_cards_is_copied_once_and_compared(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    """Cameras with two slots write every photo to both cards."""
    twin = tmp_path / "SECOND_SLOT"
    shutil.copytree(card, twin)
    library = tmp_path / "library"
    plan = plan_of(card, [library])
    second = plan_of(twin, [library], Action.CHECK)
    pairs = zip(plan.items, second.items, strict=True)
    both = ImportPlan(ImportRequest((card, twin), (library,)), plan.contents)
    both.items = [item for pair in pairs for item in pair]
    report = ImportRun(both, catalog).run()
    assert (report.destinations[0].verified, report.destinations[0].checked) == (6, 6)
    assert len(listed(library)) == 6
    assert report.complete


def test_creator_and_job_are_written_into_sidecars_where_asked_for(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    (card / "DCIM" / "100CANON" / "IMG_0002.xmp").write_bytes(add_credits(None, Credits(job="A")))
    library, before = tmp_path / "library", must_be_copied(card)
    plan = plan_of(card, [library])
    plan.request = replace(plan.request, sidecars=True, creator="Ada", job="Wedding")
    report = ImportRun(plan, catalog, profile="digikam").run()
    assert not report.problems
    assert report.destinations[0].sidecars == 3
    for name in ("IMG_0001.DNG.xmp", "IMG_0002.xmp", "IMG_0003.JPG.xmp"):
        assert b"Ada" in (library / "2024" / name).read_bytes()
    listed = Path(report.destinations[0].checksums).read_text()
    assert "IMG_0002.JPG" in listed
    assert "IMG_0002.xmp" not in listed  # it states more than the card's
    assert must_be_copied(card) == before


def test_lists_of_two_imports_that_began_in_one_second_are_both_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other import writes its list while this one has found the name free, and still writes."""
    ours, other = (lanes.Lane(0, Anchor(tmp_path), SimpleQueue()) for _ in range(2))
    create, begun = OpenedFolder.create, []

    def create_later(folder: OpenedFolder, name: str) -> AbstractContextManager[BinaryIO]:
        if not begun:
            begun.append(name)
            assert other.write_file("list.sha256", b"other") == str(tmp_path / "list.sha256")
        return create(folder, name)

    monkeypatch.setattr(OpenedFolder, "create", create_later)
    assert ours.write_file("list.sha256", b"ours") == str(tmp_path / "list-2.sha256")
    for lane in (ours, other):
        lane.finish()
        lane.close()
    lists = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert lists == {"list.sha256": b"other", "list-2.sha256": b"ours"}


def test_an_empty_card_is_not_called_safe(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "EMPTY" / "DCIM").mkdir(parents=True)
    report = ImportRun(plan_of(tmp_path / "EMPTY", [tmp_path / "library"]), catalog).run()
    assert report.sentence == "No photos, videos or recordings on EMPTY."
    assert not report.safe


def test_photos_without_a_verified_copy_and_deleted_photos_are_counted_apart(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    plan = plan_of(card, [tmp_path / "library"])
    first, *others = (planned.item for planned in plan.items)
    plan.items.clear()
    plan.known.append(KnownItem(first, ("/archive/IMG_0001.DNG",), proved=False, deleted=False))
    plan.known += [KnownItem(item, (), proved=False, deleted=True) for item in others[:2]]
    assert ImportRun(plan, catalog).run().left == (
        "no verified copy of 1 photo in your library was found (check them before you format)",
        "2 photos you deleted before, not copied again",
    )


def test_no_destination_is_created_where_its_drive_was(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    """The drive left after planning; its empty mount point is on the system disk."""
    plan = plan_of(card, [tmp_path / "T7" / "photos"])
    plan.rooms = [Room(tmp_path / "T7" / "photos", 0, 0, device=1)]
    with pytest.raises(KnownError, match=r"its drive is no longer connected"):
        ImportRun(plan, catalog).run()
    assert not (tmp_path / "T7").exists()


Hash = tuple[str, bool]


@pytest.fixture
def bad_readings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], None]]]:
    """Copies that read back wrongly, one for each function in the list; each is called then."""
    real, wrong = lanes.hash_past_cache, list[Callable[[], None]]()

    def hash_past_cache(handle: int, mount: Mount | None, stopped: Callable[[], bool]) -> Hash:
        if wrong:
            wrong.pop()()
            return "0" * 64, False
        return real(handle, mount, stopped)

    monkeypatch.setattr(lanes, "hash_past_cache", hash_past_cache)
    yield wrong


def test_a_copy_that_reads_back_differently_once_is_copied_again(
    card: Path, tmp_path: Path, catalog: Catalog, bad_readings: list[Callable[[], None]]
) -> None:
    bad_readings.append(lambda: None)
    report = ImportRun(plan_of(card, [tmp_path / "library"]), catalog).run()
    assert report.files == 6
    assert not report.failures


def test_a_drive_that_reads_back_differently_again_and_again_is_said_to_fail(
    card: Path, tmp_path: Path, catalog: Catalog, bad_readings: list[Callable[[], None]]
) -> None:
    bad_readings += [lambda: None] * 100
    report = ImportRun(plan_of(card, [tmp_path / "library"]), catalog).run()
    assert listed(tmp_path / "library") == []
    assert len(report.failures) == 6
    assert all("the drive may be failing" in failure.reason for failure in report.failures)
    assert not report.safe
    assert "6 files failed" in report.sentence


def test_a_card_that_is_read_differently_the_second_time_is_said_to_fail(
    card: Path, tmp_path: Path, catalog: Catalog, bad_readings: list[Callable[[], None]]
) -> None:
    first = card / "DCIM" / "100CANON" / "IMG_0001.DNG"

    def flip_a_bit() -> None:
        content = bytearray(first.read_bytes())
        content[len(content) // 2] ^= 1
        first.write_bytes(content)

    bad_readings.append(flip_a_bit)  # the first file that is read back
    report = ImportRun(plan_of(card, [tmp_path / "library"]), catalog).run()
    [failure] = report.failures
    assert failure.path == "DCIM/100CANON/IMG_0001.DNG"
    assert failure.reason.startswith("Two readings of it differ: the card or its reader may be")
    assert "2024/IMG_0001.DNG" not in listed(tmp_path / "library")


def test_a_copy_is_no_longer_vouched_for_once_a_second_reading_differs(
    card: Path, tmp_path: Path, catalog: Catalog, bad_readings: list[Callable[[], None]]
) -> None:
    first = card / "DCIM" / "100CANON" / "IMG_0001.DNG"
    before = files.fingerprint(first)
    library, backup = tmp_path / "library", tmp_path / "backup"

    def flip_a_bit() -> None:
        content = bytearray(first.read_bytes())
        content[len(content) // 2] ^= 1
        first.write_bytes(content)

    bad_readings.append(flip_a_bit)  # at one destination; the other reads back equal
    plan = plan_of(card, [library, backup])
    plan.items = plan.items[:1]
    report = ImportRun(plan, catalog).run()
    assert {failure.path for failure in report.failures} == {"DCIM/100CANON/IMG_0001.DNG"}
    assert len(report.failures) == 2
    assert catalog.imports.verified([before]) == {}
    assert not report.safe


def test_a_stopped_import_keeps_what_is_verified_and_says_what_is_missing(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    library = tmp_path / "library"
    run: ImportRun

    blocks = iter(range(9))

    def stop_at_the_third() -> bool:
        if next(blocks) == 2:
            run.stop()
        return False

    run = ImportRun(plan_of(card, [library]), catalog, give_way=stop_at_the_third)
    report = run.run()
    assert not report.complete
    assert not report.safe
    done = report.destinations[0]
    assert done.verified + done.unfinished == 6
    assert done.verified <= 3
    assert "not copied" in report.sentence
    assert not [name for name in listed(library) if ".tmp" in name]
    assert len(listed(library)) == done.verified


def test_what_a_killed_import_verified_is_listed_by_the_next(
    card: Path, tmp_path: Path, catalog: Catalog
) -> None:
    library = tmp_path / "library"
    plan = plan_of(card, [library])
    ImportRun(plan, catalog).run()
    [first] = library.glob("*.sha256")
    content = first.read_bytes()
    first.unlink()  # as if it had been killed right before the list
    with catalog.store.transaction():
        catalog.store.run("UPDATE import_run SET ended_at = NULL, process = ?", (2**31 - 1,))
    prints = [planned.fingerprint for item in plan.items for planned in item.files]
    known = {
        Path(copy.name).name: copy
        for copies in catalog.imports.verified(prints).values()
        for copy in copies
    }
    ImportRun(plan_of(card, [library], Action.KEEP, known.get), catalog).run()
    [second] = library.glob("*.sha256")
    assert second.read_bytes() == content
