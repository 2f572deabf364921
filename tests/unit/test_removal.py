"""Removing the files of rejects: what is listed, removed, kept and restored."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curator import removal
from curator.catalog import Catalog
from curator.catalog import removal as catalog_removal
from curator.model import Flag, KnownError
from curator.removal import Part, RemovalPlan, untick_shared
from tests.unit.catalog.shoot import Card, Shoot, photo_bytes


@pytest.fixture
def shoot(catalog: Catalog, tmp_path: Path, trash: Path) -> Shoot:
    """A shoot on the same drive as the test's trash."""
    return Shoot(catalog, tmp_path / "shoot")


def write(shoot: Shoot, *names: str) -> None:
    for name in names:
        shoot.write(name, photo_bytes(name))


def listed(shoot: Shoot) -> RemovalPlan:
    return removal.plan(shoot.listed())


def going(shown: RemovalPlan) -> set[str]:
    return {Path(file.path).name for file in shown.going}


def remove(
    shoot: Shoot, shown: RemovalPlan, delete: removal.Delete = removal.trash
) -> removal.RemovalReport:
    return removal.remove(
        shown,
        shoot.listed(),
        delete=delete,
        ledger=shoot.catalog.removal,
    )


@pytest.fixture
def paired(shoot: Shoot) -> Iterator[Shoot]:
    """A pair with sidecars of both names and a companion, and a photo that stays."""
    write(shoot, "DSC_1.NEF", "DSC_1.JPG", "DSC_2.JPG")
    for name in ("DSC_1.xmp", "DSC_1.NEF.xmp", "DSC_1.NEF.pp3", "DSC_2.xmp"):
        (shoot.folder / name).write_text(name)
    shoot.ingest()
    shoot.reject("DSC_1.NEF")
    yield shoot


def test_a_pair_is_removed_with_its_sidecars_and_other_companions_stay(paired: Shoot) -> None:
    shown = listed(paired)
    assert going(shown) == {"DSC_1.NEF", "DSC_1.JPG", "DSC_1.xmp", "DSC_1.NEF.xmp"}
    others = {Path(file.path).name for file in shown.files if not file.ticked}
    assert others == {"DSC_1.NEF.pp3"}
    assert shown.photos == 1
    assert shown.bytes == sum((paired.folder / name).stat().st_size for name in going(shown))
    report = remove(paired, shown)
    assert sorted(path.name for path in paired.folder.iterdir()) == [
        "DSC_1.NEF.pp3",
        "DSC_2.JPG",
        "DSC_2.xmp",
    ]
    assert (report.photos, len(report.removed), report.bytes) == (1, 4, shown.bytes)
    assert [photo.name for photo in paired.listed()] == ["DSC_2"]


def test_removed_files_are_in_the_trash_and_come_back_as_rejects(
    paired: Shoot, trash: Path
) -> None:
    remove(paired, listed(paired))
    trashed = trash / "files" / "DSC_1.NEF"
    shutil.move(trashed, paired.folder / "renamed.NEF")
    assert paired.ingest().new == 0
    assert paired.photo("renamed.NEF").marks.flag is Flag.REJECT


def test_removed_photos_are_not_found_by_a_scan(paired: Shoot) -> None:
    remove(paired, listed(paired))
    assert paired.ingest().found == 1
    assert [photo.name for photo in paired.listed()] == ["DSC_2"]
    assert paired.catalog.check() == []


def test_only_rejects_are_removed(shoot: Shoot) -> None:
    write(shoot, "a.jpg", "b.jpg")
    shoot.ingest()
    shoot.reject("a.jpg")
    shown = listed(shoot)
    shoot.catalog.journal.undo()
    with pytest.raises(KnownError, match="Nothing was removed"):
        remove(shoot, shown)
    assert len(list(shoot.folder.iterdir())) == 2


@pytest.mark.parametrize("change", ["grown", "another", "gone"])
def test_an_outdated_list_removes_nothing(shoot: Shoot, change: str) -> None:
    write(shoot, "a.jpg", "b.jpg")
    (shoot.folder / "a.xmp").write_text("stars")
    shoot.ingest()
    shoot.reject("a.jpg")
    shoot.reject("b.jpg")
    shown = listed(shoot)
    if change == "grown":
        write(shoot, "a.jpg")
    elif change == "another":
        write(shoot, "a.tif")  # whose sidecar a.xmp is as well
    else:
        (shoot.folder / "a.jpg").unlink()
    with pytest.raises(KnownError, match="changed after the list was made"):
        remove(shoot, shown)
    assert (shoot.folder / "b.jpg").exists()


def test_a_file_with_other_bytes_of_the_same_size_and_time_is_kept(shoot: Shoot) -> None:
    write(shoot, "a.jpg")
    shoot.ingest()
    shoot.reject("a.jpg")
    path, status = shoot.folder / "a.jpg", (shoot.folder / "a.jpg").stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    report = remove(shoot, listed(shoot))
    assert path.exists() and not report.removed
    assert "changed after" in report.left[0][1]


def test_a_copy_elsewhere_stays_unless_ticked(shoot: Shoot) -> None:
    write(shoot, "a.jpg")
    shoot.ingest()
    shoot.write("backup/a.jpg", (shoot.folder / "a.jpg").read_bytes())
    shoot.ingest()
    shoot.reject("a.jpg")
    shown = listed(shoot)
    assert [(Path(file.path).parent.name, file.part, file.ticked) for file in shown.files] == [
        ("shoot", Part.ORIGINAL, True),
        ("backup", Part.COPY, False),
    ]
    remove(shoot, shown)
    assert not (shoot.folder / "a.jpg").exists()
    assert shoot.photo("backup/a.jpg").marks.flag is Flag.REJECT  # what is left of it


def test_a_shared_sidecar_stays(shoot: Shoot) -> None:
    write(shoot, "a.tif", "a.jpg")
    for name in ("a.xmp", "a.tif.xmp"):
        (shoot.folder / name).write_text(name)
    shoot.ingest()
    shoot.reject("a.tif")
    shown = listed(shoot)
    assert going(shown) == {"a.tif", "a.tif.xmp"}
    assert shown.staying() == {"It also belongs to a.jpg, which stays.": 1}


def test_a_link_and_a_disconnected_drive_are_listed_and_kept(shoot: Shoot, tmp_path: Path) -> None:
    write(shoot, "a.jpg", "card/b.jpg")
    shoot.ingest()
    shoot.reject("a.jpg")
    shoot.reject("card/b.jpg")
    (shoot.folder / "card").rename(tmp_path / "unplugged")
    target = tmp_path / "real.jpg"
    (shoot.folder / "a.jpg").rename(target)
    (shoot.folder / "a.jpg").symlink_to(target)
    shown = listed(shoot)
    assert shown.going == []
    assert set(shown.staying()) == {
        "It is a link; the file it points to stays.",
        f"{shoot.folder / 'card'} cannot be reached.",
    }


def test_without_a_trash_files_stay_unless_deleted_permanently(
    shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shoot, "a.jpg")
    shoot.ingest()
    shoot.reject("a.jpg")
    monkeypatch.setattr(removal, "_no_trash", lambda path: "/mnt/card has no trash.")
    shown = listed(shoot)
    assert shown.going == [] and shown.staying() == {"/mnt/card has no trash.": 1}
    remove(shoot, shown)
    assert (shoot.folder / "a.jpg").exists()
    remove(shoot, removal.plan(shoot.listed(), permanently=True), removal.delete_permanently)
    assert not (shoot.folder / "a.jpg").exists() and shoot.listed() == []


def in_use(*suffixes: str) -> removal.Delete:
    """Return a function that removes files and refuses those with these suffixes."""

    def delete(path: str) -> None:
        if path.endswith(suffixes):
            raise KnownError("It is in use.")
        Path(path).unlink()

    return delete


def test_an_original_in_use_stays_with_its_companions(paired: Shoot) -> None:
    report = remove(paired, listed(paired), in_use("NEF"))
    assert [reason for _, reason in report.left] == ["It is in use."]
    assert (report.photos, report.removed) == (0, [])
    assert paired.photo("DSC_1.NEF").marks.flag is Flag.REJECT
    assert len(list(paired.folder.glob("DSC_1*"))) == 5


def test_after_a_kill_the_rest_of_a_photo_can_be_removed(paired: Shoot) -> None:
    gone: list[str] = []

    def killed(path: str) -> None:
        if len(gone) == 2:  # both pictures
            raise SystemExit
        gone.append(path)
        removal.trash(path)

    with pytest.raises(SystemExit):
        remove(paired, listed(paired), killed)
    paired.ingest()
    left = listed(paired)
    assert going(left) == {"DSC_1.xmp", "DSC_1.NEF.xmp"}
    remove(paired, left)
    assert going(listed(paired)) == set()
    assert sorted(path.name for path in paired.folder.iterdir()) == [
        "DSC_1.NEF.pp3",
        "DSC_2.JPG",
        "DSC_2.xmp",
    ]


@pytest.mark.parametrize("scanned", [False, True])
def test_a_kill_right_after_the_last_file_leaves_no_missing_photo(
    paired: Shoot, monkeypatch: pytest.MonkeyPatch, trash: Path, scanned: bool
) -> None:
    with monkeypatch.context() as kill:

        def killed(*_: object) -> None:
            raise SystemExit

        kill.setattr(catalog_removal.Removal, "note_removed", killed)
        with pytest.raises(SystemExit):
            remove(paired, listed(paired))
    if scanned:  # by another process, before this one was restarted
        paired.ingest()
        assert paired.photo("DSC_1.NEF").state == "missing"
    assert (
        removal.note_interrupted(paired.catalog.removal) == 1
        and removal.note_interrupted(paired.catalog.removal) == 0
    )
    assert [photo.name for photo in paired.listed()] == ["DSC_2"]
    assert paired.ingest().found == 1
    shutil.move(trash / "files" / "DSC_1.NEF", paired.folder / "renamed.NEF")
    assert paired.ingest().new == 0
    assert paired.photo("renamed.NEF").marks.flag is Flag.REJECT


def test_a_removal_in_an_unreachable_folder_is_recorded_once_it_is_back(
    paired: Shoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = paired.photo("DSC_1.NEF")
    paired.catalog.removal.begin({photo.id: [str(photo.path)]})
    away = paired.folder.rename(tmp_path / "away")
    assert removal.note_interrupted(paired.catalog.removal) == 0
    away.rename(paired.folder)
    assert removal.note_interrupted(paired.catalog.removal) == 0
    assert paired.catalog.removal.interrupted() == {}, "it was there: nothing had gone"
    paired.catalog.removal.begin({photo.id: [str(photo.path)]})
    monkeypatch.setattr("os.getpid", lambda: 1)  # that process is running and may be removing files
    assert paired.catalog.removal.interrupted() == {}


def test_a_half_in_use_keeps_its_shared_sidecar(paired: Shoot) -> None:
    report = remove(paired, listed(paired), in_use("JPG"))
    there = {path.name for path in paired.folder.glob("DSC_1*")}
    assert there == {"DSC_1.JPG", "DSC_1.xmp", "DSC_1.NEF.pp3"}
    assert (report.photos, len(report.left)) == (1, 2)
    paired.ingest()
    assert going(listed(paired)) == {"DSC_1.JPG", "DSC_1.xmp"}, "it can be removed again"


def test_after_stopping_the_rest_can_be_removed(shoot: Shoot) -> None:
    write(shoot, "a.jpg", "b.jpg", "c.jpg")
    shoot.ingest()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        shoot.reject(name)
    through = 0

    def stop_after_two() -> bool:
        nonlocal through
        through += 1
        return through > 2

    report = removal.remove(
        listed(shoot),
        shoot.listed(),
        delete=removal.trash,
        ledger=shoot.catalog.removal,
        cancelled=stop_after_two,
    )
    assert report.cancelled and report.photos == 2
    assert going(listed(shoot)) == {"c.jpg"}


def test_a_sidecar_stays_with_every_picture_it_belongs_to(shoot: Shoot) -> None:
    write(shoot, "a.tif", "a.jpg")
    for name in ("a.xmp", "a.jpg.xmp", "a.tif.xmp"):
        (shoot.folder / name).write_text(name)
    shoot.ingest()
    shoot.reject("a.tif")
    shoot.reject("a.jpg")
    shown = listed(shoot)
    assert len(going(shown)) == 5
    for kept in ("a.jpg", "a.tif"):
        files = [replace(f, ticked=Path(f.path).name != kept) for f in shown.files]
        assert f"{kept}.xmp" not in going(left := RemovalPlan(tuple(untick_shared(files))))
        assert "a.xmp" not in going(left) and len(left.going) == 2
        again = removal.plan(shoot.listed(), {file.path for file in files if file.ticked})
        assert set(again.going) == set(left.going)

    def refuse(path: str) -> None:
        if path.endswith(".jpg"):
            raise KnownError("It is in use.")
        Path(path).unlink()

    remove(shoot, shown, refuse)
    assert {path.name for path in shoot.folder.iterdir()} == {"a.jpg", "a.jpg.xmp", "a.xmp"}


@pytest.mark.parametrize("seen", [True, False])
def test_an_original_that_changed_keeps_its_half_and_its_sidecars(
    paired: Shoot, seen: bool
) -> None:
    path, status = paired.folder / "DSC_1.NEF", (paired.folder / "DSC_1.NEF").stat()
    path.write_bytes(b"x" * (status.st_size + seen))
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    shown = listed(paired)
    remove(paired, shown)
    there = {path.name for path in paired.folder.glob("DSC_1*")}
    assert there >= {"DSC_1.NEF", "DSC_1.xmp", "DSC_1.NEF.xmp"}
    assert "DSC_1.JPG" in there or seen  # where it was found before, according to the list


def test_a_kept_copy_is_not_proposed_again(shoot: Shoot) -> None:
    write(shoot, "a.NEF", "a.JPG")
    shoot.ingest()
    for name in ("a.NEF", "a.JPG"):
        shoot.write(f"backup/{name}", (shoot.folder / name).read_bytes())
    shoot.ingest()
    shoot.reject("a.NEF")
    for _ in range(2):
        remove(shoot, listed(shoot))
        shoot.ingest()
    assert {path.name for path in (shoot.folder / "backup").iterdir()} == {"a.NEF", "a.JPG"}
    assert listed(shoot).going == [] and len(listed(shoot).files) == 2
    remove(shoot, removal.plan(shoot.listed(), {file.path for file in listed(shoot).files}))
    assert not list((shoot.folder / "backup").iterdir())


def test_a_photo_no_longer_rejected_during_removal_is_kept(shoot: Shoot) -> None:
    write(shoot, "a.jpg", "b.jpg", "c.jpg")
    shoot.ingest()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        shoot.reject(name)
    second = shoot.photo("b.jpg").id

    def delete(path: str) -> None:
        Path(path).unlink()
        shoot.catalog.journal.decide(
            {second: {"flag": None}}, summary="Taken back in another window"
        )

    report = remove(shoot, listed(shoot), delete)
    assert [path.name for path in shoot.folder.iterdir()] == ["b.jpg"]
    assert [Path(path).name for path, _ in report.left] == ["b.jpg"]


@pytest.mark.parametrize("by", ["link", "case"])
def test_a_folder_reached_by_two_paths_has_no_copies(shoot: Shoot, tmp_path: Path, by: str) -> None:
    write(shoot, "a.jpg")
    shoot.ingest()
    again = tmp_path / "link"
    if by == "link":
        again.symlink_to(shoot.folder)
    else:  # a disk that takes both cases for one name, as those of Windows and macOS do
        again = shoot.folder.with_name(shoot.folder.name.swapcase())
        again.mkdir()
        os.link(shoot.folder / "a.jpg", again / "a.jpg")
    shoot.ingest(again)
    shoot.reject("a.jpg")
    assert [bool(file.stays) for file in listed(shoot).files] == [False, True]


def test_a_canceled_list_is_not_finished(shoot: Shoot) -> None:
    write(shoot, "a.jpg", "b.jpg", "c.jpg")
    shoot.ingest()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        shoot.reject(name)
    looks: list[int] = []

    def check() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        removal.plan(shoot.listed(), check_stopped=check)
    assert len(looks) == 2


@pytest.mark.parametrize("same", [True, False])
def test_a_copy_never_read_completely_is_verified_before_removal(shoot: Shoot, same: bool) -> None:
    one = photo_bytes(1) + bytes(200_000)
    shoot.write("A.JPG", one)
    shoot.ingest()
    shoot.reader = Card(shoot.folder / "card")
    copy = shoot.write("card/A.JPG", one if same else one[:100_000] + b"1" + one[100_001:])
    assert shoot.ingest().new == 0
    shoot.reject("A.JPG")
    report = remove(shoot, removal.plan(shoot.listed(), wanted=[str(copy)]))
    assert copy.exists() is not same
    assert [said for _, said in report.left] == ([] if same else [removal._NO_COPY])


def test_in_a_folder_of_copies_the_copies_are_removed(shoot: Shoot) -> None:
    write(shoot, "a.NEF", "a.JPG", "b.JPG")
    shoot.ingest()
    for name in ("a.NEF", "a.JPG"):
        shoot.write(f"backup/{name}", (shoot.folder / name).read_bytes())
        (shoot.folder / name).with_suffix(".xmp").write_text("first")
    (shoot.folder / "backup" / "a.xmp").write_text("second")
    shoot.ingest()
    for name in ("a.NEF", "b.JPG"):
        shoot.reject(name)
    backup = str(shoot.folder / "backup")
    seen = [photo for photo in shoot.listed() if photo.name != "b"]
    shown = removal.plan(seen, within=backup)
    assert {file.path for file in shown.going} == {
        f"{backup}/{name}" for name in ("a.NEF", "a.JPG", "a.xmp")
    }
    elsewhere = [file for file in shown.files if not file.ticked]
    assert {(Path(file.path).name, file.part) for file in elsewhere} == {
        ("a.NEF", Part.COPY),
        ("a.JPG", Part.COPY),
    }
    report = removal.remove(shown, seen, delete=removal.trash, ledger=shoot.catalog.removal)
    assert len(report.removed) == 3 and report.left == []
    assert not list(Path(backup).iterdir()), "the files one saw are gone"
    assert (shoot.folder / "a.NEF").exists() and (shoot.folder / "a.xmp").exists()
    assert going(removal.plan(seen)) >= {"a.NEF", "a.JPG"}, "seen from everywhere, as ever"


def test_in_the_folder_of_the_original_its_copies_elsewhere_stay(shoot: Shoot) -> None:
    write(shoot, "first/a.JPG")
    shoot.ingest()
    shoot.write("second/a.JPG", (shoot.folder / "first/a.JPG").read_bytes())
    shoot.ingest()
    shoot.reject("first/a.JPG")
    for within in ("first", ""):
        shown = removal.plan(shoot.listed(), within=str(shoot.folder / within))
        assert [Path(file.path).parent.name for file in shown.going] == ["first"]


def test_a_copy_shown_alone_is_verified_before_removal(shoot: Shoot) -> None:
    one = photo_bytes(1) + bytes(200_000)
    shoot.write("A.JPG", one)
    shoot.ingest()
    shoot.reader = Card(shoot.folder / "card")
    copy = shoot.write("card/A.JPG", one[:100_000] + b"1" + one[100_001:])
    assert shoot.ingest().new == 0
    shoot.reject("A.JPG")
    within = str(copy.parent)
    shown = removal.plan(shoot.listed(), within=within)
    assert [file.path for file in shown.going] == [str(copy)]
    report = removal.remove(
        shown, shoot.listed(), delete=removal.trash, ledger=shoot.catalog.removal
    )
    assert copy.exists() and [said for _, said in report.left] == [removal._NO_COPY]


def backed_up(shoot: Shoot) -> Path:
    """Make a backup of a folder, with times, outside the folders read."""
    backup = shoot.folder.with_name("backup")
    shutil.copytree(shoot.folder, backup)
    return backup


@pytest.mark.parametrize("delete", [removal.trash, removal.delete_permanently])
def test_a_link_in_place_of_a_folder_removes_no_backup(
    shoot: Shoot, delete: removal.Delete
) -> None:
    write(shoot, "a.JPG", "b.JPG")
    shoot.ingest()
    shoot.reject("a.JPG")
    shoot.reject("b.JPG")
    shown, backup = (
        removal.plan(shoot.listed(), permanently=delete is removal.delete_permanently),
        backed_up(shoot),
    )
    aside = shoot.folder.with_name("aside")

    def swap() -> None:
        shoot.folder.rename(aside)
        shoot.folder.symlink_to(backup)

    def meanwhile(path: str) -> None:
        delete(path)
        swap()  # another program, between two photos

    report = remove(shoot, shown, meanwhile)
    assert len(report.removed) == 1
    assert [reason for _, reason in report.left] == [removal._CHANGED]
    assert {path.name for path in backup.iterdir()} == {"a.JPG", "b.JPG"}
    with pytest.raises(KnownError, match="changed after the list was made"):
        remove(shoot, shown, delete)
    assert {path.name for path in backup.iterdir()} == {"a.JPG", "b.JPG"}
