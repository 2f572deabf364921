"""Files on memory cards: photos with their companions, and what stays on the card."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from curator.importing.card_files import CardContents, CardFile, CardItem, ItemKind, find_files
from curator.model import KnownError


def put(card: Path, *names: str) -> Path:
    """Make files of a few bytes."""
    for name in names:
        (card / name).parent.mkdir(parents=True, exist_ok=True)
        (card / name).write_bytes(name.encode())
    return card


def listed(contents: CardContents) -> list[tuple[str, ...]]:
    """Return the names of the files of each item, without folders."""
    return [tuple(file.path.name for file in item.files) for item in contents.items]


def others(contents: CardContents) -> list[str]:
    """Return the paths of files of no known kind."""
    return [file.relative for file in contents.others]


def test_an_item_counts_all_its_files() -> None:
    card = Path("/media/EOS")
    raw = CardFile(card, "DCIM/100CANON/IMG_0001.CR3", 30, 0)
    memo = CardFile(card, "DCIM/100CANON/IMG_0001.WAV", 12, 0)
    item = CardItem(ItemKind.PHOTO, (raw, memo), photo_files=1)
    assert item.main == raw
    assert item.bytes == 42
    assert raw.path == card / "DCIM" / "100CANON" / "IMG_0001.CR3"


def test_all_that_belongs_to_a_photo_travels_with_it(tmp_path: Path) -> None:
    names = (
        *("IMG_1.CR3", "IMG_1.JPG", "IMG_1.WAV", "IMG_1.xmp", "IMG_1.CR3.xmp", "IMG_1.CR3.pp3"),
        *("IMG_2.HEIC", "IMG_2.MOV", "IMG_2.AAE"),
        *("img_3.jpg", "IMG_3.THM"),
    )
    put(tmp_path, *(f"DCIM/100CANON/{name}" for name in names))
    contents = find_files([tmp_path])
    assert listed(contents) == [
        ("IMG_1.CR3", "IMG_1.JPG", "IMG_1.CR3.xmp", "IMG_1.xmp", "IMG_1.WAV", "IMG_1.CR3.pp3"),
        ("IMG_2.HEIC", "IMG_2.AAE", "IMG_2.MOV"),
        ("img_3.jpg", "IMG_3.THM"),
    ]
    assert [item.photo_files for item in contents.items] == [2, 1, 1]
    assert {item.kind for item in contents.items} == {ItemKind.PHOTO}
    assert not contents.others and not contents.unreadable and not contents.camera_files
    (raw, *_) = contents.items[0].files
    assert raw.relative == "DCIM/100CANON/IMG_1.CR3"
    assert (raw.size, raw.mtime_ns) == (raw.path.stat().st_size, raw.path.stat().st_mtime_ns)


def test_the_cameras_raw_owns_what_is_named_after_its_stem(tmp_path: Path) -> None:
    put(tmp_path, "A.DNG", "A.NEF", "A.TIF", "A.JPG", "A.wav", "A.TIF.xmp", "A.DNG.dop")
    assert sorted(listed(find_files([tmp_path]))) == [
        ("A.DNG", "A.DNG.dop"),
        ("A.NEF", "A.JPG", "A.wav"),
        ("A.TIF", "A.TIF.xmp"),
    ]


def test_videos_and_recordings_are_items_with_companions_of_their_own(tmp_path: Path) -> None:
    put(
        tmp_path,
        *("DCIM/100GOPRO/GX01.MP4", "DCIM/100GOPRO/GX01.THM", "DCIM/100GOPRO/GX01.LRV"),
        *("DCIM/100GOPRO/GX01.xmp", "DCIM/100GOPRO/GX02.WAV"),
        *("PRIVATE/M4ROOT/CLIP/C0001.MP4", "PRIVATE/M4ROOT/CLIP/C0001M01.XML"),
        *("PRIVATE/M4ROOT/SUB/C0001S03.MP4", "PRIVATE/AVCHD/BDMV/STREAM/00001.MTS"),
    )
    contents = find_files([tmp_path])
    assert listed(contents) == [
        ("GX01.MP4", "GX01.xmp", "GX01.THM", "GX01.LRV"),
        ("GX02.WAV",),
        ("00001.MTS",),
        ("C0001.MP4", "C0001M01.XML"),
        ("C0001S03.MP4",),
    ]
    kinds = [item.kind for item in contents.items]
    assert kinds == [ItemKind.VIDEO, ItemKind.AUDIO, *[ItemKind.VIDEO] * 3]
    assert {item.photo_files for item in contents.items} == {0}


def test_files_of_the_same_stem_in_another_folder_belong_to_another_item(tmp_path: Path) -> None:
    put(tmp_path, "100/IMG_1.JPG", "101/IMG_1.CR3", "101/IMG_1.WAV", "102/IMG_1.WAV")
    assert listed(find_files([tmp_path])) == [
        ("IMG_1.JPG",),
        ("IMG_1.CR3", "IMG_1.WAV"),
        ("IMG_1.WAV",),
    ]


def test_indexes_of_cameras_are_counted_and_trash_is_left_out(tmp_path: Path) -> None:
    put(
        tmp_path,
        *("DCIM/100MSDCF/DSC1.ARW", "DCIM/100MSDCF/NC_FLLST.DAT", "CANONMSC/M0100.CTG"),
        *("MISC/AUTPRINT.MRK", "MISC/version.txt", "NIKON001.DSC", "PRIVATE/SONY/SONYCARD.IND"),
        *("PRIVATE/AVCHD/BDMV/INDEX.BDM", "PRIVATE/AVCHD/BDMV/CLIPINF/00001.CPI"),
        *("PRIVATE/AVCHD/BDMV/PLAYLIST/00000.MPL", "PRIVATE/DATABASE/DATABASE.BIN"),
        *("PRIVATE/M4ROOT/MEDIAPRO.XML", "PRIVATE/M4ROOT/STATUS.BIN"),
        "PRIVATE/M4ROOT/THMBNL/C0001T01.JPG",
    )
    contents = find_files([tmp_path])
    assert listed(contents) == [("DSC1.ARW",)] and not contents.others
    assert contents.camera_files == 13
    put(
        tmp_path,
        *("DCIM/100MSDCF/._DSC1.ARW", ".Trashes/501/DSC0.ARW", ".Spotlight-V100/store.jpg"),
        *("$RECYCLE.BIN/DSC0.ARW", "System Volume Information/x.jpg", ".fseventsd/0001.jpg"),
        *("LOST.DIR/1.JPG", ".DS_Store", "Thumbs.db"),
    )
    again = find_files([tmp_path])
    assert again.items == contents.items and not again.others
    assert again.camera_files == 14, "Thumbs.db"


def test_what_a_person_put_on_the_card_is_named(tmp_path: Path) -> None:
    notes = ("DCIM/100CANON/IMG_9.xmp", "DCIM/100CANON/MVI_8.THM", "DCIM/list.dat", "NOTES.TXT")
    put(tmp_path, "DCIM/100CANON/IMG_1.JPG", "MISC/holiday.jpg", *notes)
    contents = find_files([tmp_path])
    assert sorted(others(contents)) == sorted(notes)
    assert listed(contents) == [("IMG_1.JPG",), ("holiday.jpg",)]


def test_a_folder_that_is_no_card_has_no_files_of_cameras(tmp_path: Path) -> None:
    put(tmp_path, "misc/notes.txt", "misc/a.jpg")
    contents = find_files([tmp_path])
    assert others(contents) == ["misc/notes.txt"] and not contents.camera_files


@pytest.mark.skipif(os.name == "nt", reason="links need a right on Windows")
def test_links_are_named_and_never_followed(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", "secret.jpg")
    card = put(tmp_path / "card", "a.jpg")
    (card / "linked").symlink_to(outside)
    (card / "b.jpg").symlink_to(outside / "secret.jpg")
    (card / "around").symlink_to(card)
    os.mkfifo(card / "pipe.jpg")
    contents = find_files([card])
    assert listed(contents) == [("a.jpg",)]
    reasons = {Path(path).name: reason for path, reason in contents.unreadable}
    assert sorted(reasons) == ["around", "b.jpg", "linked", "pipe.jpg"]
    assert "link" in reasons["linked"] and reasons["pipe.jpg"] == "It is not a file."


def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "100/a.jpg", "101/b.jpg")
    scandir = os.scandir

    def failing(path: Path) -> object:
        if Path(path).name == "100":
            raise OSError(5, "Input/output error")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    contents = find_files([tmp_path])
    assert listed(contents) == [("b.jpg",)]
    reason = "The folder cannot be read (Input/output error)."
    assert contents.unreadable == [(str(tmp_path / "100"), reason)]


def test_a_card_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="does not exist") as caught:
        find_files([tmp_path / "gone"])
    assert "connected" in caught.value.remedy
    with pytest.raises(KnownError, match="is not a folder"):
        find_files([put(tmp_path, "a.jpg") / "a.jpg"])


def test_several_cards_are_listed_in_turn_and_each_file_once(tmp_path: Path) -> None:
    first, second = put(tmp_path / "B", "DCIM/1.jpg"), put(tmp_path / "A", "DCIM/1.jpg")
    contents = find_files([first, first / "DCIM", second, first])
    assert [file.path for item in contents.items for file in item.files] == [
        first / "DCIM" / "1.jpg",
        second / "DCIM" / "1.jpg",
    ]


def test_ten_thousand_files_lose_none(tmp_path: Path) -> None:
    for folder in range(10):
        place = tmp_path / "DCIM" / f"{folder + 100}NIKON"
        place.mkdir(parents=True)
        for number in range(500):
            for suffix in ("NEF", "JPG"):
                os.close(os.open(place / f"DSC_{number:04}.{suffix}", os.O_CREAT))
    contents = find_files([tmp_path])
    assert len(contents.items) == 5000 and not contents.others
    assert len({file.relative for item in contents.items for file in item.files}) == 10_000
