"""Folders move to another path with everything that belongs to them."""

from __future__ import annotations

from pathlib import Path

from curator.catalog import Catalog
from curator.removal import plan
from tests.unit.catalog.shoot import Shoot, photo_bytes


def tops(catalog: Catalog) -> list[str]:
    return [row.path for row in catalog.folders.all()]


def test_folders_below_a_moved_path_follow(shoot: Shoot, tmp_path: Path) -> None:
    shoot.write("day/A.JPG", photo_bytes(1))
    shoot.ingest()
    catalog, old = shoot.catalog, str(shoot.folder)
    beside = str(shoot.folder / "day" / "A.xmp")
    with catalog.store.transaction():
        catalog.store.run(
            "INSERT INTO sidecar (photo_id, path, digest, size, mtime_ns, state)"
            " VALUES (1, ?, '', 1, 1, 'synced')",
            (beside,),
        )
    catalog.folders.save_position(f"{old}/day", {"photo": 1})
    for scope in (f"{old} 2", f"{old}/day"):
        catalog.journal.decide(
            {1: {"kept": scope[-1] == "2"}}, summary="", context={"scope": scope}
        )
    catalog.folders.save_position(f"{old} 2", {"photo": 7})  # its name only begins alike
    catalog.folders.save_position(":last", {"scope": f"{old}/day"})
    # Into itself, as a drive whose top is mounted one folder lower.
    for new in (f"{old}/deeper", "/media/t7/shoot"):
        catalog.volumes.relink(catalog.folders.all()[0].id, new)
        assert tops(catalog) == [new]
        assert str(catalog.photos.get(1).path) == f"{new}/day/A.JPG"
        assert catalog.store.value("SELECT path FROM sidecar") == f"{new}/day/A.xmp"
        assert catalog.folders.position(f"{new}/day") == {"photo": 1}
        assert catalog.folders.position(":last") == {"scope": f"{new}/day"}
        last = catalog.journal.next_undo()
        assert last is not None and last.context["scope"] == f"{new}/day"
    assert catalog.folders.position(f"{old} 2") == {"photo": 7}
    again = catalog.journal.undo()
    assert again is not None and again.context["scope"] == "/media/t7/shoot/day"
    first = catalog.journal.next_undo()
    assert first is not None and first.context["scope"] == f"{old} 2"
    assert catalog.check() == []


def test_a_folder_already_known_at_the_new_path_is_merged(shoot: Shoot, tmp_path: Path) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.write("sub/B.JPG", photo_bytes(2))
    shoot.ingest()
    catalog = shoot.catalog
    catalog.journal.decide({1: {"rating": 5}}, summary="5 stars")
    other = tmp_path / "other"
    (other / "sub").mkdir(parents=True)
    (other / "A.JPG").write_bytes(photo_bytes(3))  # under one name, something else
    shoot.ingest(other)
    mine = next(row.id for row in catalog.folders.all() if row.path == str(shoot.folder))
    host = catalog.volumes.relink(mine, str(other))
    assert [(row.id, row.path) for row in catalog.folders.all()] == [(host, str(other))]
    found = {str(detail.path): detail for detail in catalog.photos.details([2, 3])}
    assert {path: detail.state for path, detail in found.items()} == {
        str(other / "sub" / "B.JPG"): "",
        str(other / "A.JPG"): "",
    }
    assert (catalog.photos.get(1).state, catalog.photos.get(1).marks.rating) == ("missing", 5)
    assert catalog.check() == []


def test_two_missing_drives_of_the_same_name_stay_separate(shoot: Shoot) -> None:
    shoot.write("a/A.JPG", photo_bytes(1))
    shoot.write("b/B.JPG", photo_bytes(2))
    shoot.ingest(shoot.folder / "a")
    shoot.ingest(shoot.folder / "b")
    catalog = shoot.catalog
    for key in ("1a2b", "3c4d"):
        row = next(row for row in catalog.folders.all() if row.volume is None)
        catalog.volumes.relink(
            row.id, "/media/NO NAME"
        )  # where each was plugged in, one after the other
        catalog.volumes.note(row.id, key, "NO NAME", "")
        catalog.volumes.set_aside(next(each for each in catalog.folders.all() if each.id == row.id))
    assert [row.volume for row in catalog.folders.all()] == ["1a2b", "3c4d"]
    assert catalog.files.main([1])[1].directory != catalog.files.main([2])[2].directory


def test_a_missing_photo_has_no_file(shoot: Shoot) -> None:
    gone = shoot.write("A.JPG", photo_bytes(1))
    shoot.write("B.JPG", photo_bytes(2))
    shoot.ingest()
    gone.unlink()
    shoot.ingest()
    assert [row.name for row in shoot.catalog.files.main([1, 2]).values()] == ["B.JPG"]


def test_a_reject_on_a_missing_drive_is_reported_and_not_removed(shoot: Shoot) -> None:
    shoot.write("A.JPG", photo_bytes(1))
    shoot.ingest()
    catalog = shoot.catalog
    [row] = catalog.folders.all()
    catalog.volumes.note(row.id, "4A21-0F3C", "T7 Shield", "shoot")
    catalog.volumes.set_away(row.id, True, unplugged=True)
    catalog.journal.decide({1: {"flag": "reject"}}, summary="Rejected")
    assert catalog.photos.get(1).state == "missing"
    assert catalog.photos.get(1).files[0].away == "T7 Shield unplugged"
    assert plan([catalog.photos.get(1)]).staying() == {"T7 Shield unplugged.": 1}
