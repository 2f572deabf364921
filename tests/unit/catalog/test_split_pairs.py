"""A RAW+JPEG pair is split into two photos, marked separately and joined again."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.catalog import Catalog
from tests.unit.catalog.shoot import Shoot, photo_bytes


@pytest.fixture
def pair(shoot: Shoot) -> Shoot:
    for name in ("DSC_1.NEF", "DSC_1.JPG", "DSC_2.JPG"):
        shoot.write(name, photo_bytes(name))
    shoot.ingest()
    shoot.catalog.journal.decide({1: {"rating": 4}}, summary="4 stars")
    return shoot


def names(shoot: Shoot) -> dict[str, int | None]:
    return {photo.name: photo.marks.rating for photo in shoot.listed()}


def split(catalog: Catalog, on: bool = True) -> None:
    catalog.journal.decide({1: {"apart": on}}, summary="Split DSC_1")


def test_each_half_becomes_a_photo_with_the_marks_of_the_pair(pair: Shoot) -> None:
    split(pair.catalog)
    pair.ingest()
    assert names(pair) == {"DSC_1.NEF": 4, "DSC_1.JPG": 4, "DSC_2": None}
    other = pair.photo("DSC_1.JPG")
    assert [file.role for file in other.files] == ["main"] and other.proxy
    pair.catalog.journal.decide({other.id: {"flag": "reject"}}, summary="Rejected")
    assert pair.photo("DSC_1.NEF").marks.flag is None


def test_a_scan_keeps_a_split_pair_split_even_after_a_move(pair: Shoot) -> None:
    split(pair.catalog)
    pair.ingest()
    assert pair.ingest().new == 0
    assert set(names(pair)) == {"DSC_1.NEF", "DSC_1.JPG", "DSC_2"}
    moved = pair.folder / "moved"
    moved.mkdir()
    for name in ("DSC_1.NEF", "DSC_1.JPG"):
        (pair.folder / name).rename(moved / name)
    pair.ingest()
    assert set(names(pair)) == {"DSC_1.NEF", "DSC_1.JPG", "DSC_2"}
    assert pair.catalog.check() == []


def test_undo_joins_a_split_pair(pair: Shoot) -> None:
    split(pair.catalog)
    pair.ingest()
    pair.catalog.journal.undo()
    assert names(pair) == {"DSC_1": 4, "DSC_2": None}
    assert [file.role for file in pair.photo("DSC_1.NEF").files] == ["main", "half"]
    pair.catalog.journal.redo()
    assert set(names(pair)) == {"DSC_1.NEF", "DSC_1.JPG", "DSC_2"}
    assert pair.catalog.check() == []


def test_joining_again_keeps_the_newest_decision(pair: Shoot) -> None:
    split(pair.catalog)
    pair.ingest()
    other = pair.photo("DSC_1.JPG").id
    pair.catalog.journal.decide({other: {"rating": 2}}, summary="2 stars")
    assert pair.catalog.identity.pair_of(other) == 1
    split(pair.catalog, False)
    assert names(pair) == {"DSC_1": 2, "DSC_2": None}
    assert pair.catalog.identity.pair_of(1) is None
    pair.ingest()
    assert names(pair) == {"DSC_1": 2, "DSC_2": None}


def test_undoing_a_join_restores_the_marks_of_each_half(pair: Shoot) -> None:
    catalog = pair.catalog
    split(catalog)
    pair.ingest()
    raw, jpeg = 1, pair.photo("DSC_1.JPG").id
    harbour = catalog.projects.create("Harbour")
    tag = catalog.tags.ids(["boat"], make=True)["boat"]
    catalog.journal.decide({raw: {"flag": "pick"}}, summary="Picked")
    catalog.journal.decide(
        {jpeg: {"rating": 2, ("project", harbour): 1.0, ("tag", tag): "confirmed"}}, summary="Web"
    )

    def state() -> list[object]:
        marked = [catalog.photos.get(each).marks for each in (raw, jpeg)]
        return [*marked, catalog.projects.members(harbour), catalog.tags.keywords_of([raw, jpeg])]

    before = state()
    split(catalog, False)
    assert catalog.projects.members(harbour) == [raw]
    catalog.journal.undo()
    assert state() == before
    catalog.journal.redo()
    split(catalog)  # again: both are what the pair was
    assert [
        (p.rating, p.flag) for p in (catalog.photos.get(raw).marks, catalog.photos.get(jpeg).marks)
    ] == [(2, "pick")] * 2
    for _ in range(2):
        catalog.journal.undo()
    assert state() == before
    for _ in range(2):
        catalog.journal.undo()
    assert names(pair) == {"DSC_1.NEF": 4, "DSC_1.JPG": 4, "DSC_2": None}
    assert catalog.check() == []


def test_each_half_gets_the_tags_and_projects_of_the_pair(pair: Shoot) -> None:
    catalog = pair.catalog
    harbour = catalog.projects.create("Harbour")
    boat, sea = catalog.tags.ids(["boat", "sea"], make=True).values()
    words = {("project", harbour): 1.0, ("tag", boat): "confirmed", ("tag", sea): "confirmed"}
    catalog.journal.decide({1: words}, summary="Web")

    def state() -> tuple[list[int], dict[int, set[str]]]:
        ids = [photo.id for photo in pair.listed()]
        tags = {each: {tag.name for tag in catalog.photos.get(each).tags} for each in ids}
        return sorted(catalog.projects.members(harbour)), tags

    joined = state()
    split(catalog)
    pair.ingest()
    half = pair.photo("DSC_1.JPG").id
    assert state() == ([1, half], {1: {"boat", "sea"}, half: {"boat", "sea"}, 2: set()})
    catalog.journal.decide(
        {half: {("tag", sea): "removed", ("project", harbour): None}}, summary="-"
    )
    apart = state()
    assert apart == ([1], {1: {"boat", "sea"}, half: {"boat"}, 2: set()})
    split(catalog, False)
    catalog.journal.undo()
    assert state() == apart, "each half is as it was before they were joined"
    catalog.journal.undo()
    catalog.journal.undo()
    assert state() == joined
    catalog.journal.redo()
    assert state() == ([1, half], {1: {"boat", "sea"}, half: {"boat", "sea"}, 2: set()})
    assert catalog.check() == []


def test_copies_of_both_halves_keep_a_pair_split(pair: Shoot) -> None:
    for name in ("DSC_1.NEF", "DSC_1.JPG"):
        pair.write(f"backup/{name}", (pair.folder / name).read_bytes())
    pair.ingest()
    split(pair.catalog)
    for _ in range(2):
        pair.ingest()
        assert set(names(pair)) == {"DSC_1.NEF", "DSC_1.JPG", "DSC_2"}
    assert {f.path.suffix for f in pair.photo("DSC_1.JPG").files} == {".JPG"}
    split(pair.catalog, False)
    assert len(pair.photo("DSC_1.NEF").files) == 4


def test_a_pair_split_while_a_half_is_missing_stays_split_when_it_returns(pair: Shoot) -> None:
    split(pair.catalog)
    pair.ingest()
    pair.catalog.journal.undo()
    path = pair.folder / "DSC_1.JPG"
    content = path.read_bytes()
    path.unlink()
    pair.ingest()
    pair.catalog.journal.redo()
    pair.write(path.name, content)
    pair.ingest()
    assert set(names(pair)) == {"DSC_1.NEF", "DSC_1.JPG", "DSC_2"}


def test_each_half_gets_the_sidecar_with_its_name(pair: Shoot) -> None:
    split(pair.catalog)
    pair.ingest()
    for name in ("DSC_1.xmp", "DSC_1.NEF.xmp", "DSC_1.JPG.xmp"):
        pair.write(name, b"<x/>")
    for _ in range(2):
        pair.scan()
        beside = {
            photo.name: {
                Path(row.path).name
                for row in pair.catalog.sidecars.to_write([photo.id])[0].sidecars
            }
            for photo in pair.listed()
        }
        assert beside["DSC_1.JPG"] == {"DSC_1.JPG.xmp"}
        assert beside["DSC_1.NEF"] == {"DSC_1.xmp", "DSC_1.NEF.xmp"}


def test_a_split_pair_merged_with_another_photo_can_be_joined(shoot: Shoot) -> None:
    for name, content in (("A.NEF", "raw"), ("DSC_1.NEF", "raw"), ("DSC_1.JPG", "jpeg")):
        shoot.write(name, photo_bytes(content))
    shoot.scan()
    shoot.catalog.journal.decide({2: {"apart": True}}, summary="Split before anything was read")
    shoot.ingest()
    half = shoot.photo("DSC_1.JPG").id
    assert shoot.catalog.identity.pair_of(half) == 1 and len(shoot.listed()) == 2
    shoot.catalog.journal.decide({1: {"apart": False}}, summary="Joined")
    assert len(shoot.listed()) == 1 and shoot.catalog.identity.pair_of(1) is None
