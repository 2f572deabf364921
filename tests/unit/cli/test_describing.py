"""`curator describe`: the placard of a photo, or of any file, on a terminal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.photos import draw_jpeg
from tests.unit.cli.conftest import Type
from tests.unit.cli.test_tastes import liked

__all__ = ["liked"]  # a fixture used here, too


def rows(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "catalog.db")) as connection:
        return list(connection.iterdump())


def test_a_file_is_described_and_no_catalog_is_made_for_it(curator: Type, tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "DSC_0412.JPG", size=(900, 600))
    before = path.read_bytes(), path.stat().st_mtime_ns
    told = curator("describe", path, "--json").json
    assert (told["id"], told["name"], told["format"]) == (None, "DSC_0412", "JPEG")
    assert (told["width"], told["height"], told["bytes"]) == (900, 600, path.stat().st_size)
    assert 0 < told["sharpness"] <= 100 and 0 < told["exposure"] <= 100
    assert told["tags"] is None and told["description"] is None and told["match_score"] is None
    assert told["encoder"] == "Photos are not compared: no encoder is chosen."
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    left = [each.name for each in (tmp_path / "home").rglob("*") if each.is_file()]
    assert left == ["curator.log"]


def test_its_label_reads_from_what_it_is_to_where_it_lies(curator: Type, tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "DSC_0412.JPG", size=(900, 600))
    lines = curator("describe", path).out.splitlines()
    assert lines[0] == "DSC_0412" and "4 May 2024, 18:" in lines[1]
    heads = [line.split()[0] for line in lines if line.startswith(("sharpness", "exposure"))]
    assert heads == ["sharpness", "exposure"]
    assert "description: No vision model describes photos yet." in lines
    assert any(line.endswith("not in the catalog") for line in lines)
    assert str(path) in lines


def test_a_photo_is_described_from_the_catalog_by_id_and_by_path(
    shoot: Type, card: Path, tmp_path: Path
) -> None:
    (listed,) = [each for each in shoot("photos", "--json").json if each["name"] == "DSC_4"]
    before = rows(tmp_path / "home")
    for name in (listed["id"], card / "DSC_4.DNG", card / "DSC_4.JPG"):
        told = shoot("describe", name, "--json").json
        assert (told["id"], told["path"]) == (listed["id"], listed["path"])
        for field in ("sharpness", "exposure", "taken_at", "camera", "basis", "tags", "width"):
            assert told[field] == listed[field], field
    assert rows(tmp_path / "home") == before


def test_a_copy_outside_is_known_by_its_content(shoot: Type, card: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere.jpg"
    copy.write_bytes((card / "DSC_1.JPG").read_bytes())
    (listed,) = [each for each in shoot("photos", "--json").json if each["name"] == "DSC_1"]
    before = rows(tmp_path / "home")
    told = shoot("describe", copy, "--json").json
    assert (told["id"], told["path"]) == (listed["id"], str(copy))
    assert told["sharpness"] == listed["sharpness"]
    assert rows(tmp_path / "home") == before


def test_the_match_of_a_photo_is_told_with_its_doubt(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    (listed,) = [each for each in curator("photos", "--json").json if each["id"] == 50]
    told = curator("describe", 50, "--json").json
    assert told["match_score"] == listed["match_score"] is not None
    assert 1 <= told["expected_stars"] <= 5 and told["uncertainty_stars"] > 0
    assert "like it were rated" in told["doubt"]
    assert f"match      {told['match_score']}" in curator("describe", 50).out


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.jpg", b"{}", "The file is a document, not a picture."),
        ("none.jpg", None, "There is no photo"),
        ("12", None, "There is no photo 12."),
    ],
)
def test_what_cannot_be_described_says_why_and_ends_with_1(
    shoot: Type, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = shoot("describe", tmp_path / name if "." in name else name)
    assert said.code == 1 and reason in said.err and said.out == ""
    assert len(said.err.splitlines()) == 1


def test_a_file_that_is_gone_is_one_sentence_without_a_catalog_too(
    curator: Type, tmp_path: Path
) -> None:
    said = curator("describe", tmp_path / "gone.jpg", "--json")
    assert said.code == 1 and said.json["error"] == "The file is no longer there."


def test_a_photo_that_failed_says_why(shoot: Type, card: Path) -> None:
    said = shoot("describe", card / "DSC_5.JPG")
    assert said.code == 1 and "curator retry" in said.err
