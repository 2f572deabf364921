"""A folder comes to another path, with all that hangs on it, and into a folder that is there."""

from __future__ import annotations

from pathlib import Path

from curator.catalog import Catalog
from curator.removal import plan
from tests.unit.catalog.shoot import Shoot, photo_bytes


def tops(catalog: Catalog) -> list[str]:
    return [row.path for row in catalog.folders()]


def test_all_that_hangs_on_a_path_comes_along(shoot: Shoot, tmp_path: Path) -> None:
    shoot.write("day/A.JPG", photo_bytes(1))
    shoot.ingest()
    catalog, old = shoot.catalog, str(shoot.folder)
    beside = str(shoot.folder / "day" / "A.xmp")
    with catalog._writing():
        catalog._run(
            "INSERT INTO sidecar (photo_id, path, digest, size, mtime_ns, state)"
            " VALUES (1, ?, '', 1, 1, 'synced')",
            (beside,),
        )
    catalog.save_place(f"{old}/day", {"photo": 1})
    for scope in (f"{old} 2", f"{old}/day"):
        catalog.decide({1: {"kept": scope[-1] == "2"}}, summary="", context={"scope": scope})
    catalog.save_place(f"{old} 2", {"photo": 7})  # its name only begins alike
    catalog.save_place(":last", {"scope": f"{old}/day"})
    # Into itself, as a drive whose top is mounted one folder lower.
    for new in (f"{old}/deeper", "/media/t7/shoot"):
        catalog.relink(catalog.folders()[0].id, new)
        assert tops(catalog) == [new]
        assert str(catalog.photo(1).path) == f"{new}/day/A.JPG"
        assert catalog._value("SELECT path FROM sidecar") == f"{new}/day/A.xmp"
        assert catalog.place(f"{new}/day") == {"photo": 1}
        assert catalog.place(":last") == {"scope": f"{new}/day"}
        last = catalog.next_undo()
        assert last is not None and last.context["scope"] == f"{new}/day"
    assert catalog.place(f"{old} 2") == {"photo": 7}
    again = catalog.undo()
    assert again is not None and again.context["scope"] == "/media/t7/shoot/day"
    first = catalog.next_undo()
    assert first is not None and first.context["scope"] == f"{old} 2"
    assert catalog.check() == []


def test_a_folder_known_at_that_path_takes_it_in(shoot: Shoot, tmp_path: Path) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.write("sub/B.JPG", photo_bytes(2))
    shoot.ingest()
    catalog = shoot.catalog
    catalog.decide({1: {"rating": 5}}, summary="5 stars")
    other = tmp_path / "other"
    (other / "sub").mkdir(parents=True)
    (other / "A.JPG").write_bytes(photo_bytes(3))  # under one name, something else
    shoot.ingest(other)
    mine = next(row.id for row in catalog.folders() if row.path == str(shoot.folder))
    host = catalog.relink(mine, str(other))
    assert [(row.id, row.path) for row in catalog.folders()] == [(host, str(other))]
    found = {str(detail.path): detail for detail in catalog.details([2, 3])}
    assert {path: detail.state for path, detail in found.items()} == {
        str(other / "sub" / "B.JPG"): "",
        str(other / "A.JPG"): "",
    }
    assert (catalog.photo(1).state, catalog.photo(1).marks.rating) == ("missing", 5)
    assert catalog.check() == []


def test_two_drives_of_one_name_that_make_room_are_two_still(shoot: Shoot) -> None:
    shoot.write("a/A.JPG", photo_bytes(1))
    shoot.write("b/B.JPG", photo_bytes(2))
    shoot.ingest(shoot.folder / "a")
    shoot.ingest(shoot.folder / "b")
    catalog = shoot.catalog
    for key in ("1a2b", "3c4d"):
        row = next(row for row in catalog.folders() if row.volume is None)
        catalog.relink(row.id, "/media/NO NAME")  # where each was plugged in, one after the other
        catalog.note_volume(row.id, key, "NO NAME", "")
        catalog.set_aside(next(each for each in catalog.folders() if each.id == row.id))
    assert [row.volume for row in catalog.folders()] == ["1a2b", "3c4d"]
    assert catalog.main_files([1])[1].directory != catalog.main_files([2])[2].directory


def test_no_file_stands_for_a_photo_that_is_missing(shoot: Shoot) -> None:
    gone = shoot.write("A.JPG", photo_bytes(1))
    shoot.write("B.JPG", photo_bytes(2))
    shoot.ingest()
    gone.unlink()
    shoot.ingest()
    assert [row.name for row in shoot.catalog.main_files([1, 2]).values()] == ["B.JPG"]


def test_a_reject_on_a_drive_that_is_away_is_named_and_left(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    catalog = shoot.catalog
    [row] = catalog.folders()
    catalog.note_volume(row.id, "4A21-0F3C", "T7 Shield", "shoot")
    catalog.set_away(row.id, True, unplugged=True)
    catalog.decide({1: {"flag": "reject"}}, summary="Rejected")
    assert catalog.photo(1).state == "missing"
    assert catalog.photo(1).files[0].away == "T7 Shield unplugged"
    assert plan([catalog.photo(1)]).staying() == {"T7 Shield unplugged.": 1}
