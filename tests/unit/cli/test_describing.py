"""`curator describe`: all facts of a photo or of any file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests import ollama
from tests.ollama import Ollama
from tests.photos import draw_jpeg
from tests.unit.cli.conftest import Type
from tests.unit.cli.test_tastes import liked

__all__ = ["liked"]  # a fixture used here, too


def rows(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "catalog.db")) as connection:
        return list(connection.iterdump())


def test_a_file_is_described_without_creating_a_catalog(curator: Type, tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "DSC_0412.JPG", size=(900, 600))
    before = path.read_bytes(), path.stat().st_mtime_ns
    told = curator("describe", path, "--json").json
    assert (told["id"], told["name"], told["format"]) == (None, "DSC_0412", "JPEG")
    assert (told["width"], told["height"], told["bytes"]) == (900, 600, path.stat().st_size)
    assert told["faces"] == []
    assert 0 < told["sharpness"] <= 100 and 0 < told["exposure"] <= 100
    assert told["tags"] is None and told["description"] is None and told["match_score"] is None
    assert told["encoder"] == "Similar photos and taste are off in the settings."
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    left = [each.name for each in (tmp_path / "home").rglob("*") if each.is_file()]
    assert left == ["curator.log"]


def test_the_output_has_facts_first_and_the_path_last(curator: Type, tmp_path: Path) -> None:
    path = draw_jpeg(tmp_path / "DSC_0412.JPG", size=(900, 600))
    said = curator("describe", path)
    assert said.code == 1, "the model was asked, and described nothing"
    lines = said.out.splitlines()
    assert lines[0] == "DSC_0412" and "4 May 2024, 18:" in lines[1]
    heads = [line.split()[0] for line in lines if line.startswith(("sharpness", "exposure"))]
    assert heads == ["sharpness", "exposure"]
    [undescribed] = [line for line in lines if line.startswith("description: ")]
    assert "127.0.0.1:9" in undescribed, "why there is none, and what to do"
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


def test_a_copy_outside_is_recognized_by_its_content(
    shoot: Type, card: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere.jpg"
    copy.write_bytes((card / "DSC_1.JPG").read_bytes())
    (listed,) = [each for each in shoot("photos", "--json").json if each["name"] == "DSC_1"]
    before = rows(tmp_path / "home")
    told = shoot("describe", copy, "--json").json
    assert (told["id"], told["path"]) == (listed["id"], str(copy))
    assert told["sharpness"] == listed["sharpness"]
    assert rows(tmp_path / "home") == before


def test_the_match_is_shown_with_its_uncertainty(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    (listed,) = [each for each in curator("photos", "--json").json if each["id"] == 50]
    told = curator("describe", 50, "--json").json
    assert told["match_score"] == listed["match_score"] is not None
    assert 1 <= told["expected_stars"] <= 5 and told["uncertainty_stars"] > 0
    assert "similar photos" in told["certainty"]
    assert f"match      {told['match_score']}" in curator("describe", 50).out


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.jpg", b"{}", "The file is a document, not a picture."),
        ("none.jpg", None, "Photo "),
        ("12", None, "Photo 12 not found."),
    ],
)
def test_a_failed_description_has_a_reason_and_is_exit_1(
    shoot: Type, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = shoot("describe", tmp_path / name if "." in name else name)
    assert said.code == 1 and reason in said.err and said.out == ""
    assert len(said.err.splitlines()) == 1


def test_a_missing_file_is_one_sentence_even_without_a_catalog(
    curator: Type, tmp_path: Path
) -> None:
    said = curator("describe", tmp_path / "gone.jpg", "--json")
    assert said.code == 1 and said.json["error"] == "The file is no longer there."


def test_a_failed_photo_shows_the_reason(shoot: Type, card: Path) -> None:
    said = shoot("describe", card / "DSC_5.JPG")
    assert said.code == 1 and "curator retry" in said.err


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ollama]:
    with Ollama() as server:
        monkeypatch.setenv("CURATOR_VISION__URL", server.url)
        yield server


def test_a_model_describes_a_photo_once_and_the_result_is_kept(
    shoot: Type, card: Path, server: Ollama
) -> None:
    told = shoot("describe", card / "DSC_1.JPG", "--json").json
    assert told["description"] == {
        "subject": ollama.RECORD["subject"],
        "content_type": "landscape",
        "lighting": ollama.RECORD["lighting_critique"],
        "mood": ollama.RECORD["artistic_mood"],
        "provider": "ollama",
        "model": "llava",
    }
    assert {tag["source"] for tag in told["tags"]} == {"vision"}
    lines = shoot("describe", card / "DSC_1.JPG").out.splitlines()
    assert any(line.startswith("subject") and "fishing boat" in line for line in lines)
    assert len(server.chats) == 1
    shoot("describe", card / "DSC_1.JPG", "--again")
    assert len(server.chats) == 2
    assert shoot("status", "--json").json["work"]["describe"]["done"] == 1


@pytest.mark.slow
def test_a_failed_description_is_retried_and_stays_listed(
    shoot: Type, card: Path, server: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("--set", "work.workers=1", "--json")
    assert (
        shoot("backfill", "describe", *few, "--set", f"vision.url={server.url}").json["asked"] == 4
    )
    assert shoot("status", "--json").json["work"]["describe"] == {
        **{"waiting": 0, "running": 0, "done": 4, "failed": 0, "blocked": 1}
    }
    refused = ollama.status(400, "no")
    server.chat(*[refused] * 4)
    assert shoot("backfill", "describe", *few).json["failed"] == 5, "and the photo without pixels"
    server.chat(*[refused] * 4)
    told = shoot("retry", "--stage", "describe", *few).json
    assert (told["asked"], told["failed"], len(server.chats)) == (4, 5, 12)
    told = shoot("retry", "--stage", "describe", *few).json
    assert (told["asked"], told["failed"], len(server.chats)) == (4, 1, 16)


@pytest.mark.slow
def test_a_file_outside_the_catalog_is_described_without_keeping_anything(
    curator: Type, tmp_path: Path, server: Ollama
) -> None:
    path = draw_jpeg(tmp_path / "a.jpg", size=(300, 200))
    told = curator("describe", path, "--json").json
    assert told["description"]["subject"] == ollama.RECORD["subject"] and told["tags"]
    assert [each.name for each in (tmp_path / "home").rglob("*") if each.is_file()] == [
        "curator.log"
    ]


@pytest.mark.slow
def test_ingest_describes_if_enabled_and_reports_what_prevents_it(
    shoot: Type, card: Path, server: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("ingest", card, "--json", "--set", "work.workers=1", "--set", "work.attempts=1")
    assert shoot(*words).json["described"] == 0 and server.asked == []
    server.chat(ollama.busy(after="0"), ollama.reply("nonsense"), ollama.reply("nonsense"))
    done = shoot(*words, "--describe", "--set", "vision.backoff_s=0").json
    assert (done["described"], done["problems"]) == (4, [])
    assert shoot("failures", "--json").json[0]["stage"] != "describe"
    monkeypatch.setenv("CURATOR_VISION__URL", "http://127.0.0.1:9")
    told = shoot("backfill", "describe", "--json").json
    assert told["asked"] == 4 and "127.0.0.1:9" in told["problems"][0]
    assert shoot("status", "--json").json["photos"] == 5
