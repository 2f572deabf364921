"""Faces without a window: measured by ingest, listed by photos and faces, and switched off."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from curator.catalog import Catalog
from curator.faces import models
from curator.model import Eye
from tests import face_data
from tests.face_data import CLOSED, OPEN, UNKNOWN
from tests.unit.cli.conftest import NAMES, Type

FACE = {
    "box": [96, 48, 24, 24],
    "size_px": 600,
    "eyes": {"left": "open", "right": "open"},
    "blink": {"left": 0.1, "right": 0.1},
    "smile": 0.5,
    "yaw_deg": 3.0,
    "eye_sharpness": 60.0,
    "score": 0.9,
}


@pytest.fixture
def group(shoot: Type, tmp_path: Path) -> int:
    """A photo in which four faces were measured; returns its id."""
    photo = id_of(shoot, "DSC_1")
    faces = [OPEN, face_data.at(CLOSED, 0.1), UNKNOWN, face_data.at(OPEN, 0.7)]
    faces[3] = replace(faces[3], left=Eye.CLOSED, yaw_deg=-31.6, smile=None)
    with closing(Catalog.open(tmp_path / "home" / "catalog.db")) as catalog:
        face_data.save(catalog, {photo: faces})
    return photo


def id_of(shoot: Type, name: str) -> int:
    (photo,) = [photo for photo in shoot("photos", "--json").json if photo["name"] == name]
    return int(photo["id"])


def test_ingest_measures_faces_before_it_returns(curator: Type, card: Path) -> None:
    answer = curator("ingest", card, "--json", "--set", "work.workers=1").json
    assert (answer["converted"], answer["faces"]) == (4, 4)
    assert curator("status", "--json").json["work"]["faces"]["done"] == 4
    faces = {photo["name"]: photo["faces"] for photo in curator("photos", "--json").json}
    assert faces == {name: [] for name in NAMES[:4]} | {"DSC_5": None}, "null: not measured"


def test_open_and_closed_eyes_are_seen_from_file_to_list(curator: Type, tmp_path: Path) -> None:
    face_data.draw(tmp_path / "card" / "three.jpg", Eye.OPEN, Eye.CLOSED, Eye.OPEN)
    curator("ingest", tmp_path / "card", "--set", "work.workers=1")
    (photo,) = curator("photos", "--json").json
    words = [set(face["eyes"].values()) for face in photo["faces"]]
    assert words == [{"open"}, {"closed"}, {"open"}], "the largest first"
    places = zip(photo["faces"], (333, 1000, 1667), (160, 144, 130), strict=True)
    for face, middle, size in places:
        left, _, width, _ = face["box"]
        assert left + width / 2 == pytest.approx(middle, abs=15)
        assert width == pytest.approx(size, rel=0.15) and face["size_px"] == width
    said = curator("faces", tmp_path / "card" / "three.jpg").out
    assert said.count("eyes open") == 2 and said.count("eyes closed") == 1
    assert [p["id"] for p in curator("photos", "--json", "--filter", "eyes:closed").json] == [1]


def test_photos_lists_faces_in_pixels_of_the_original(shoot: Type, group: int) -> None:
    photos = {photo["id"]: photo for photo in shoot("photos", "--json").json}
    assert photos[group]["faces"][0] == FACE
    small = photos[group]["faces"][2]
    assert small["eyes"] == {"left": "unknown", "right": "unknown"} and small["smile"] == 0.5
    assert small["blink"] == {"left": None, "right": None} and small["size_px"] == 20


def test_faces_lists_them_in_words(shoot: Type, group: int) -> None:
    lines = shoot("faces", group).out.splitlines()
    words = ("face 1", "600 px", "eyes open", "blink 0.10/0.10", "smile 0.5", "turned 3° left")
    assert lines[0].split("  ")[:1] == ["face 1"] and all(word in lines[0] for word in words)
    assert lines[0].endswith("eye sharpness 60") and "eyes closed" in lines[1]
    assert "can't tell" in lines[2] and "blink" not in lines[2]
    assert "left eye closed" in lines[3] and "turned 32° right" in lines[3]
    document = shoot("faces", group, "--json").json
    assert document["id"] == group and document["faces"][0] == FACE


def test_a_photo_not_measured_yet_is_measured_and_saved(
    shoot: Type, card: Path, tmp_path: Path
) -> None:
    photo = id_of(shoot, "DSC_2")
    with closing(Catalog.open(tmp_path / "home" / "catalog.db")) as catalog:
        with catalog.store.transaction():
            catalog.store.run("UPDATE photo SET faces = NULL")
        assert shoot("faces", card / "DSC_2.JPG").out == "No faces\n"
        assert catalog.faces.of([photo]) == {photo: ()}


def test_a_file_outside_the_catalog_is_measured(curator: Type, card: Path, tmp_path: Path) -> None:
    assert curator("faces", card / "DSC_1.JPG").out == "No faces\n"
    document = curator("faces", card / "DSC_1.JPG", "--json").json
    assert document == {"id": None, "path": str(card / "DSC_1.JPG"), "faces": []}
    assert not (tmp_path / "home" / "catalog.db").exists(), "looking adds nothing"
    damaged = curator("faces", card / "DSC_5.JPG")
    assert damaged.code == 1 and "not a picture" in damaged.err
    assert curator("faces", card / "nothing.jpg").code == 1


def test_a_real_group_has_faces_with_open_eyes(curator: Type) -> None:
    document = curator("faces", face_data.pictures() / "groups" / "fr_obama.jpg", "--json").json
    (face,) = document["faces"]
    left, top, width, height = face["box"]
    assert width == pytest.approx(face["size_px"], abs=1) and width > 100 and height > 100
    assert left > 0 and top > 0 and face["eyes"] == {"left": "open", "right": "open"}


def test_switched_off_everything_measured_is_removed_at_once(shoot: Type, group: int) -> None:
    assert shoot("settings", "faces.on=false").code == 0
    photos = shoot("photos", "--json").json
    assert [photo["faces"] for photo in photos] == [None] * len(photos)
    assert "faces" not in {stage for stage, n in works(shoot).items() if n}
    for verb in (("backfill", "faces"), ("faces", group)):
        refused = shoot(*verb, "--json")
        assert refused.code == 1 and "faces.on=true" in refused.json["remedy"]
    shoot("settings", "faces.on=true")
    assert shoot("backfill", "faces", "--json", "--set", "work.workers=1").json["asked"] == 4
    assert works(shoot)["faces"] == 4


def works(shoot: Type) -> dict[str, int]:
    return {name: states["done"] for name, states in shoot("status", "--json").json["work"].items()}


def test_the_doctor_names_a_missing_model(curator: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "FINDER", "none.onnx")
    findings = {each["what"]: each for each in curator("doctor", "--json").json["findings"]}
    assert not findings["faces"]["well"] and "none.onnx" in findings["faces"]["found"]
    assert "Install Curator again" in findings["faces"]["remedy"]
