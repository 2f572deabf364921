"""Whatever happens to files between two scans, a photo is its content and keeps its reject."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator import files
from curator.catalog import Catalog
from tests import catalogs
from tests.unit.catalog.shoot import Shoot, photo_bytes

NAMES = ("A.JPG", "B.JPG", "C.JPG", "in/A.JPG", "in/D.JPG")
NAME = st.sampled_from(NAMES)
ACT = st.one_of(
    st.tuples(st.just("write"), NAME, NAME),
    st.tuples(st.just("move"), NAME, NAME),
    st.tuples(st.just("copy"), NAME, NAME),
    st.tuples(st.just("delete"), NAME, NAME),
    st.tuples(st.just("reject"), NAME, NAME),
    st.tuples(st.just("ingest"), NAME, NAME),
    st.tuples(st.just("scan"), NAME, NAME),
)


def play(shoot: Shoot, acts: list[tuple[str, str, str]]) -> set[str]:
    """Perform the steps; return the fingerprints of the rejected content."""
    rejected: set[str] = set()
    for number, (act, name, other) in enumerate(acts):
        path, target = shoot.folder / name, shoot.folder / other
        if act == "write":
            minute = f"2024-05-04T{number // 60:02d}:{number % 60:02d}:00"
            shoot.write(name, photo_bytes(f"seed {number}", minute))
        elif act == "ingest":
            shoot.ingest()
        elif act == "scan":
            shoot.scan()
        elif not path.exists():
            continue
        elif act == "delete":
            path.unlink()
        elif act == "move":
            path.rename(target)
        elif act == "copy" and name != other:
            shutil.copy(path, target)
        elif act == "reject":
            shoot.ingest()
            shoot.reject(name)
            rejected.add(files.fingerprint(path))
    return rejected


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(acts=st.lists(ACT, max_size=16))
def test_after_any_series_each_content_is_one_photo(
    acts: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("series")
    catalog = Catalog.open(folder / "home" / "catalog.db")
    shoot = Shoot(catalog, folder / "shoot")
    (shoot.folder / "in").mkdir()
    rejected = play(shoot, acts)
    shoot.ingest()
    count = shoot.ingest()
    on_disk = {path: files.fingerprint(path) for path in shoot.folder.rglob("*.JPG")}
    here = [photo for photo in shoot.listed() if photo.state != "missing"]
    assert len(here) == len(set(on_disk.values())), "as many photos as there are contents"
    assert (count.found, count.new) == (len(here), 0)
    for path, content in on_disk.items():
        photo = catalog.photos.get(path)
        assert content in {file.fingerprint for file in photo.files if file.path == path}
        assert (photo.marks.flag == "reject") == (content in rejected)
    live = [file.path for photo in here for file in photo.files if not file.missing]
    assert sorted(live) == sorted(on_disk), "each file belongs to one photo"
    assert catalog.work.pending("peek", 5) == catalog.work.pending("convert", 5) == []
    catalog.close()


PAIRED = st.sampled_from(("A.JPG", "A.NEF", "B.JPG", "B.NEF", "in/A.JPG", "in/A.NEF"))
PAIRED_ACT = st.tuples(
    st.sampled_from(("write", "move", "copy", "delete", "reject", "ingest")), PAIRED, PAIRED
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(acts=st.lists(PAIRED_ACT, max_size=16))
def test_after_any_series_with_pairs_each_file_has_one_photo_and_a_second_scan_does_nothing(
    acts: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("series")
    catalog = Catalog.open(folder / "home" / "catalog.db")
    shoot = Shoot(catalog, folder / "shoot")
    (shoot.folder / "in").mkdir()
    rejected = play(shoot, [act for act in acts if Path(act[1]).suffix == Path(act[2]).suffix])
    for _ in range(3):
        shoot.ingest()
    before = catalogs.last_rev(catalog)
    count = shoot.ingest()
    assert count.new == 0
    assert catalogs.last_rev(catalog) == before, "nothing is left to be found out"
    on_disk = sorted(path for path in shoot.folder.rglob("*.*") if path.is_file())
    here = [photo for photo in shoot.listed() if photo.state != "missing"]
    assert count.found == len(here)
    assert sorted(f.path for photo in here for f in photo.files if not f.missing) == on_disk
    for path in on_disk:
        photo = catalog.photos.get(path)
        assert photo.files[0].role == "main"
        if files.fingerprint(path) in rejected:
            assert photo.marks.flag == "reject"
    catalog.close()
