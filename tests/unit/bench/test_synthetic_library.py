"""A synthetic library is a sound catalog, also after its rows were repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curator import bench, cli
from curator.bench import synthetic_library
from curator.catalog import Catalog
from curator.home import Home
from curator.library import column_file
from curator.library.filters import mask, parse
from curator.library.table import Table
from curator.model import KnownError, StageState
from tests.unit.cli.conftest import typed

COUNT, READ = 2_000, 800


@pytest.mark.slow
def test_repeated_rows_are_a_sound_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_library, "_READ", READ)
    monkeypatch.setattr(column_file, "MIN_PHOTOS", COUNT)
    home = Home.at(tmp_path / "home")
    synthetic_library.make(home, COUNT, pictures=False)
    assert home.table_file.exists(), "the first window opens like any other"
    catalog = Catalog.open(home.catalog)
    try:
        assert catalog.check() == []
        table = Table(catalog)
        assert len(table.ids) == COUNT == catalog.vectors.encoders()["drawn/1"]
        counts = catalog.work.counts()
        assert counts["convert"][StageState.DONE] == counts["faces"][StageState.DONE] == COUNT
        faces = catalog.faces.of([16, READ + 16])
        assert len(faces[16]) == 1 and faces[READ + 16] == faces[16]
        assert not catalog.text.is_outdated() and catalog.work.unfinished() == 0
        # A copy is like its original, a few evenings later.
        first, last = catalog.photos.get(1), catalog.photos.get(2 * READ + 1)
        assert last.name == "DSC_001600" and last.files[0].path.name == "DSC_001600.JPG"
        assert first.capture.taken_at is not None and last.capture.taken_at is not None
        assert (last.capture.taken_at - first.capture.taken_at).days == 6
        assert last.path.parent.name == f"{last.capture.taken_at:%Y-%m-%d}"
        assert last.marks == first.marks and last.description == first.description
        for text in (
            "is:stack",
            "is:rejected",
            "rating:>=4",
            "folder:2012-01",
            "name:DSC_0016",
            "eyes:closed",
        ):
            found = table.ids[mask(parse(text), table)]
            assert (found > READ).any(), text
        # Undo affects the photos of the last step only.
        step = catalog.journal.undo()
        assert step is not None and {change.photo_id > READ for change in step.changes} == {True}
    finally:
        catalog.close()


def test_a_home_with_a_catalog_is_left_alone(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home").make()
    Catalog.open(home.catalog).close()
    before = home.catalog.read_bytes()
    with pytest.raises(KnownError, match="already"):
        synthetic_library.make(home, 10)
    assert home.catalog.read_bytes() == before


@pytest.mark.slow
def test_the_verb_makes_a_library_that_can_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "drawn"
    words = ["--home", str(tmp_path / "own"), "--json", "bench", "--count", "30"]
    assert cli.main([*words, "--make-catalog", str(drawn)], pytest.fail, bench.main) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["home"], said["photos"]) == (str(drawn), 30)
    photos = typed(capsys, "--home", drawn, "--json", "photos").json
    assert len(photos) == 30 and {photo["verdict"] for photo in photos} > {"rejected", "kept"}
    for kind in ("proxies", "thumbs"):
        assert any((drawn / "cache" / kind).rglob("*.jpg"))
