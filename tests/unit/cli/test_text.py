"""Text in photos without a window: read, listed, searched, and exported nowhere."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from curator.bench.draw_text import Drawn, draw
from curator.catalog import Catalog
from curator.cli import doctor, text
from curator.cli.output import Output
from curator.home import Home
from curator.ocr import models
from curator.settings import Settings
from tests import catalogs, text_data
from tests.text_data import needs_models
from tests.unit.cli.conftest import Type


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    """A photo of a sign."""
    path = tmp_path / "card" / "DSC_1.jpg"
    path.parent.mkdir()
    Image.fromarray(draw((640, 420), [Drawn("EXIT 12", (200, 200), 36)])).save(path, quality=92)
    return path


@needs_models
@pytest.mark.slow
def test_a_photo_is_read_once_asked_and_the_text_is_kept(curator: Type, sign: Path) -> None:
    curator("ingest", sign.parent, "--json", "--set", "work.workers=1", "--encoder", "none")
    assert curator("photos", "--json").json[0]["text"] is None, "off until asked for"
    [read] = curator("text", "1", "--json").json
    [line] = read["text"]
    assert (read["id"], line["text"]) == (1, "EXIT 12") and line["confidence"] > 0.9
    xs, ys = zip(*line["corners"], strict=True)
    assert 90 < min(xs) < max(xs) < 310 and 160 < min(ys) < max(ys) < 240
    [listed] = curator("photos", "--filter", 'text:"exit 12"', "--json").json
    assert listed["text"] == read["text"]
    assert curator("backfill", "read_text", "--json").json["asked"] == 1
    answer = curator("ingest", sign.parent, "--json", "--set", "text.automatic=true").json
    assert answer["failed"] == 0 and curator("photos", "--json").json[0]["text"] == read["text"]


@needs_models
def test_a_file_outside_the_catalog_is_read_too(curator: Type, sign: Path, tmp_path: Path) -> None:
    answer = curator("text", sign)
    assert "EXIT 12" in answer.out and not (tmp_path / "home" / "catalog.db").exists()


def test_text_is_listed_and_searched(curator: Type, home: Home) -> None:
    catalogs.fill(home.catalog, 5)
    with closing(Catalog.open(home.catalog)) as catalog:
        text_data.save(catalog, {1: ["EXIT 12", "<b>Main</b>"]})
    [listed] = curator("photos", "--filter=text:exit", "--json").json
    assert [line["text"] for line in listed["text"]] == ["EXIT 12", "<b>Main</b>"]
    corners, width = listed["text"][0]["corners"], listed["width"]
    assert [corner[0] for corner in corners] == [
        round(share * width) for share in (0.1, 0.3, 0.3, 0.1)
    ]
    [found] = curator("search", "exit", "--json").json
    assert (found["id"], found["found_by"]) == (1, "text: EXIT 12")
    assert len(curator("photos", "--filter=-text:exit", "--json").json) == 4


def test_one_of_several_that_cannot_be_read_costs_no_other(
    curator: Type, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "folder", lambda: None)
    catalogs.fill(home.catalog, 5)
    with closing(Catalog.open(home.catalog)) as catalog:
        text_data.save(catalog, {1: ["EXIT 12"], 2: [], 3: ["TAXI"]})
    answer = curator("text", "1", "99", "2", "4", "5", "3")
    assert answer.code == 1
    assert [line for line in answer.out.splitlines() if "/" not in line and "\\" not in line] == [
        "90%  EXIT 12", "No text", "90%  TAXI"
    ]  # fmt: skip
    assert answer.err.startswith("99: ")
    assert answer.err.count("not installed") == 1, "missing networks are reported once"
    answer = curator("text", "1", "99", "4", "3", "--json")
    assert answer.code == 1
    assert [bool(each["error"]) for each in answer.json] == [False, True, True, False]
    assert [each["text"] and each["text"][0]["text"] for each in answer.json] == [
        "EXIT 12", None, None, "TAXI"
    ]  # fmt: skip
    assert curator("text", "1", "3").code == 0, "known text needs no networks"


def test_each_photo_is_listed_before_the_next_is_read(
    curator: Type, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs.fill(home.catalog, 3)
    steps: list[str] = []
    monkeypatch.setattr(text, "_listed", lambda *given: steps.append("read") or ({"path": "x"}, []))
    monkeypatch.setattr(Output, "part", lambda self, lines: steps.append("listed"))
    curator("text", "1", "2")
    assert steps[:4] == ["read", "listed", "read", "listed"]


@pytest.mark.slow
def test_text_is_exported_nowhere(shoot: Type, tmp_path: Path) -> None:
    with closing(Catalog.open(tmp_path / "home" / "catalog.db")) as catalog:
        text_data.save(catalog, {1: ["EXIT 12"]})
    shoot("mark", "--rate", "5", "1")
    shoot("export", tmp_path / "out", "--json")
    shoot("export", tmp_path / "gallery", "--target", "gallery", "--json")
    shoot("sidecar", "write", "--json")
    written = [file for file in tmp_path.rglob("*") if file.suffix in (".json", ".xmp", ".html")]
    assert tmp_path / "out" / "photos.json" in written
    assert not [file for file in written if "EXIT" in file.read_text("utf-8")]


def test_without_the_extra_the_remedy_is_to_install_it(
    curator: Type, sign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "folder", lambda: None)
    models.forget()
    answer = curator("text", sign, "--json")
    assert answer.code == 1 and models.REQUIREMENT in answer.json["remedy"]
    settings = Settings()
    [finding] = doctor._text(SimpleNamespace(settings=settings))  # type: ignore[arg-type]
    assert finding.well and models.REQUIREMENT in finding.found, "no problem while nobody wants it"
    settings.text.automatic = True
    [finding] = doctor._text(SimpleNamespace(settings=settings))  # type: ignore[arg-type]
    assert not finding.well and models.REQUIREMENT in finding.remedy
