"""`curator sidecar`: read, write, compare and choose, as scripts use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.catalog import Catalog, NewContent
from curator.home import Home
from curator.sidecar import read
from tests import catalogs
from tests.photos import draw_jpeg
from tests.sidecars import change, xmp
from tests.unit.cli.conftest import Type

RAW = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of twelve photos: one real RAW, the others only names and sizes."""
    home = Home.at(tmp_path / "home").make()
    made = tmp_path / "photos" / "000"
    made.mkdir(parents=True)
    catalogs.fill(home.catalog, 12, folder=str(made.parent))
    (made / "DSC_0005.NEF").write_bytes(b"pixels")
    return made


def test_sidecars_are_written_and_read_back(curator: Type, folder: Path) -> None:
    sidecar = folder / "DSC_0005.xmp"
    curator("mark", "--rate", 4, RAW)
    dry = curator("sidecar", "write", "--dry-run", "--json").json
    assert [entry["changes"] for entry in dry["sidecars"]] == [["rating: none → 4"]]
    assert dry["profile"] == "lightroom" and not sidecar.exists()
    assert curator("sidecar", "write", "--json").json["written"] == 1
    assert read(sidecar.read_bytes()).metadata.rating == 4
    assert curator("sidecar", "status", "--json").json["unwritten"] == 0

    change(sidecar, b'Rating="4"', b'Rating="2"')
    assert curator("sidecar", "read", "--json").json["conflicts"][0]["theirs"] == {"rating": 2}
    assert "4 stars" in curator("sidecar", "conflicts").out
    assert curator("sidecar", "conflicts", "--take", "newer", "--json").json == {
        "ours": [],
        "theirs": [RAW],
    }
    curator("undo")
    assert curator("sidecar", "write", RAW, "--json").json["written"] == 1
    assert read(sidecar.read_bytes()).metadata.rating == 4


def test_new_sidecars_are_read_or_only_listed(curator: Type, folder: Path, tmp_path: Path) -> None:
    (folder / "DSC_0005.xmp").write_bytes(xmp(3, "Red"))
    told = curator("sidecar", "read", "--dry-run").out
    assert "DSC_0005: 3 stars, red" in told and "would get marks" in told
    catalog = Catalog.open(tmp_path / "home" / "catalog.db")
    try:
        assert catalog.photos.get(RAW).marks.rating is None
        curator("sidecar", "read")
        assert catalog.photos.get(RAW).marks.rating == 3
    finally:
        catalog.close()


def test_embedding_is_announced_and_confirmed_first(
    curator: Type, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photo 3 is a JPEG without RAW: Lightroom ignores its sidecar."""
    draw_jpeg(folder / "DSC_0002.JPG")
    status, catalog = (folder / "DSC_0002.JPG").stat(), Catalog.open(tmp_path / "home/catalog.db")
    row = catalog.files.main([3])[3]
    catalog.rewrites.save(row, NewContent("f" * 32, "0" * 64, status.st_size, status.st_mtime_ns))
    catalog.close()
    before = (folder / "DSC_0002.JPG").read_bytes()
    curator("mark", "--rate", 4, 3, RAW)
    told = curator("sidecar", "embed", "--dry-run", "--json").json
    assert [(Path(e["path"]).name, e["changes"]) for e in told["would"]] == [
        ("DSC_0002.JPG", ["rating: none → 4"])
    ]
    monkeypatch.setattr("curator.exiftool.find", lambda settings: "exiftool")
    asked = curator("sidecar", "embed")
    assert asked.code == 2 and "1 original will be changed." in asked.err
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "")
    missing = curator("sidecar", "embed", "--yes")
    assert missing.code == 1 and "exiftool.org" in missing.err
    assert (folder / "DSC_0002.JPG").read_bytes() == before
