"""The gallery: a public page without private information."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from curator.catalog import PhotoDetail, TagDetail
from curator.export import ExportReport, Options, write
from curator.model import KnownError
from curator.workers import InlinePool
from tests.photos import draw_jpeg
from tests.unit.export.conftest import PICK, REJECT, make_plan, photo
from tests.unit.export.test_folder import manifest, snapshot

WILD = "</title></h1><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;\u202e"


def run(photos: list[PhotoDetail], to: Path, **options: object) -> ExportReport:
    made = Options(to, target="gallery", **{"long_edge_px": 1600, **options})  # type: ignore[arg-type]
    return write(make_plan(photos, made), pool=InlinePool())


@pytest.fixture
def two(card: Path) -> list[PhotoDetail]:
    return [
        photo(number, PICK, draw_jpeg(card / f"DSC_{number}.JPG", size=(900, 600), seed=number))
        for number in (2, 3)
    ]


class Page(HTMLParser):
    """The content a browser finds: elements with attributes, and the text."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.source = (folder / "index.html").read_text("utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_a_page_shows_each_photo_in_sizes_that_are_there(
    two: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(two, out, long_edge_px=800, title="Harbour")
    page = Page(out)
    assert "Harbour" in page.text and "2 photographs · 4 May 2024" in page.text
    pictures = page.all("img")
    assert len(pictures) == 4  # a tile and a frame each
    for picture in pictures:
        for each in str(picture["srcset"]).split(", "):
            address, width = each.split()
            with Image.open(out / address) as image:
                assert image.size[0] == int(width.removesuffix("w"))
        assert picture["alt"] and (picture["width"], picture["height"]) == ("800", "533")
    assert {link["href"] for link in page.all("a")} <= {f"#{k}{n}" for k in "pt" for n in (1, 2)}


def test_foreign_text_is_never_markup(two: list[PhotoDetail], card: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tags = (
        TagDetail(WILD, "person", 100, "confirmed"),
        TagDetail("a guess", "vision", 80, "suggested"),
    )
    wild = replace(two[0], tags=tags, capture=replace(two[0].capture, camera=WILD, lens=WILD))
    path = draw_jpeg(card / "a&b<i>'\" %41.JPG", size=(90, 60))
    run([wild, photo(9, PICK, path)], out, title=WILD, notes=f"{WILD}\n@STYLE@ second line")
    page = Page(out)
    assert page.source.count("<script") == 1 and not page.all("i")
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert "<script>alert(1)</script>" in page.text, "it is there, as text"
    assert "@STYLE@ second line" in page.text and "\u202e" not in page.source
    assert "a guess" not in page.source, "tags nobody confirmed are not published"
    sources = {html.unescape(str(picture["src"])) for picture in page.all("img")}
    assert any("%2541" in source for source in sources), "a name is written as an address"


def test_the_page_runs_and_loads_only_its_own_content(
    two: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(two, out)
    page = Page(out)
    policy = next(str(m["content"]) for m in page.all("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src 'self' file:;")
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"(https?:)?//\w", re.sub(r"^\s*//.*$", "", page.source, flags=re.M))
    assert all("style" not in attributes for _, attributes in page.elements)
    assert not page.all("link") and not page.all("iframe")


def test_its_manifest_has_no_original_path_and_no_location_unless_chosen(
    two: list[PhotoDetail], card: Path, tmp_path: Path
) -> None:
    placed = [
        replace(each, capture=replace(each.capture, latitude=64.1, longitude=-21.9)) for each in two
    ]
    run(placed, tmp_path / "a", metadata="all")
    run(placed, tmp_path / "b")
    run(placed, tmp_path / "c", metadata="none")
    content = manifest(tmp_path / "a")
    assert content["target"] == "gallery"
    assert str(card) not in json.dumps(content) and str(card) not in Page(tmp_path / "a").source
    places = [manifest(tmp_path / name)["photos"][0]["capture"]["latitude"] for name in "abc"]  # type: ignore[index]
    assert places == [64.1, None, None]
    assert "Test One" in Page(tmp_path / "b").text
    assert "Test One" not in Page(tmp_path / "c").source


def test_a_second_run_changes_nothing_and_rejects_leave_the_page(
    two: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(two, out)
    before, images = snapshot_all(out), snapshot(out / "images")
    run(two, out)
    assert snapshot_all(out) == before and snapshot(out / "images") == images
    report = run([two[0], replace(two[1], marks=REJECT)], out)
    assert len(report.withdrawn) == 3 and snapshot(out / "images") == images
    assert "1 photograph ·" in Page(out).text and "DSC_3" not in Page(out).source
    run(two, out)
    assert "2 photographs" in Page(out).text and snapshot(out / "images") == images


def snapshot_all(out: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in out.iterdir() if p.is_file()}


def test_a_project_is_shown_in_its_order_by_hand(two: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(two, out, project="Harbour", order=(3, 2))
    assert [entry["filename"] for entry in manifest(out)["photos"]] == [
        "images/DSC_3-1600.jpg",
        "images/DSC_2-1600.jpg",
    ]
    source = Page(out).source
    assert source.index("DSC_3") < source.index("DSC_2")


def test_a_photo_removed_from_the_project_leaves_its_page(
    two: list[PhotoDetail], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(two, out, project="Harbour", order=(2, 3))
    report = run(two[:1], out, project="Harbour", order=(2,))
    assert len(report.withdrawn) == 3 and "DSC_3" not in Page(out).source
    assert [e["reason"] for e in manifest(out)["withdrawn"]] == ["no longer in the project"]
    run(two, out, project="Harbour", order=(2, 3))
    assert manifest(out)["withdrawn"] == [] and "DSC_3" in Page(out).source


def test_a_foreign_page_is_never_overwritten(two: list[PhotoDetail], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("my homepage")
    with pytest.raises(KnownError, match="already contains an index"):
        run(two, out)
    assert (out / "index.html").read_text() == "my homepage"
    (out / "index.html").unlink()
    run(two, out)
    (out / "index.html").write_text("changed by hand")
    assert run(two, out, title="New").edited == ["index.html"]
    assert (out / "index.html").read_text() == "changed by hand"
