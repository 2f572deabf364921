"""Tags on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.catalog import Catalog
from curator.home import Home
from tests import catalogs
from tests.unit.cli.conftest import Type


@pytest.fixture
def suggested(tmp_path: Path) -> None:
    """Nine photos with suggested tags: harbor for 1 to 4, boat for 1."""
    home = Home.at(tmp_path / "home").make()
    catalogs.fill(home.catalog, 9)
    catalog = Catalog.open(home.catalog)
    with catalog.store.transaction():
        for photo in (1, 2, 3, 4):
            words = [("harbor", 80), ("boat", 40)][: 2 if photo == 1 else 1]
            catalog.tags.suggest(photo, "encoder", words)
    catalog.close()


def tags(curator: Type, photo: int) -> dict[str, str]:
    listed = {each["id"]: each for each in curator("photos", "--json").json}
    return {tag["name"]: tag["state"] for tag in listed[photo]["tags"]}


@pytest.mark.usefixtures("suggested")
def test_tags_are_added_confirmed_removed_and_undone(curator: Type) -> None:
    said = curator("tag", "add", 5, 6, "Harbor, Sea Lion")
    assert said.out.strip() == "Tagged 2 photos: Harbor, Sea Lion"
    assert tags(curator, 5) == {"harbor": "confirmed", "Sea Lion": "confirmed"}
    assert curator("tag", "confirm", 1, 9, "harbor", "--json").json["changed"] == [1]
    assert tags(curator, 1) == {"harbor": "confirmed", "boat": "suggested"}
    curator("tag", "remove", 2, "harbor")
    assert tags(curator, 2) == {}
    assert curator("tag", "remove", 2, "harbor").out.startswith("DSC_0001: nothing to remove")
    curator("undo", 2)
    assert tags(curator, 2) == {"harbor": "suggested"} == tags(curator, 3)


@pytest.mark.usefixtures("suggested")
def test_tags_lists_removed_suggestions_by_source(curator: Type) -> None:
    curator("tag", "remove", 1, 2, "harbor")
    curator("tag", "confirm", 3, "harbor")
    listed = curator("tags", "--json", "--prefix", "HA").json
    assert listed == [
        {
            "name": "harbor",
            "kinds": [],
            "category": None,
            "count": 2,
            "confirmed": 1,
            "suggestions": {"encoder": {"suggested": 4, "removed": 2, "share": 0.5}},
        }
    ]
    out = curator("tags").out
    assert "encoder 2 of 4 (50%)" in out
    assert "Suggested by the encoder: 5, of which people removed 2 (40%)." in out


@pytest.mark.usefixtures("suggested")
def test_a_tag_is_renamed_and_merged(curator: Type) -> None:
    assert curator("tag", "rename", "harbor", "Hafen").out.strip() == "Renamed tag harbor to Hafen"
    assert tags(curator, 1) == {"Hafen": "suggested", "boat": "suggested"}
    curator("tag", "merge", "boat", "Hafen")
    assert tags(curator, 1) == {"Hafen": "suggested"}
    same = curator("--json", "tag", "rename", "Hafen", "Hafen")
    assert same.json["step"] is None, "there is nothing to undo"
    assert curator("undo").out.strip() == "Merged tag boat into Hafen"


@pytest.mark.usefixtures("suggested")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "harbor"), 2),
        (("add", 1, " , "), 2),
        (("add", 1, "x" * 65), 2),
        (("rename", "harbor"), 2),
        (("rename", "harbor", "boat"), 2),
        (("merge", "harbor", "nothing"), 1),
        (("remove", 1, "nothing"), 1),
        (("confirm", 77, "harbor"), 1),
    ],
)
def test_invalid_tag_commands_change_nothing(
    curator: Type, words: tuple[object, ...], code: int
) -> None:
    said = curator("tag", *words)
    assert said.code == code and said.err
    assert curator("undo").out.strip() == "Nothing to undo."


@pytest.mark.usefixtures("suggested")
def test_tags_of_a_kind_are_listed_and_their_photos_found(curator: Type) -> None:
    curator("tag", "add", 5, "Peacock")
    curator("tag", "add", 6, "heron")
    listed = curator("tags", "--json", "--kind", "animals").json
    assert [(tag["name"], tag["kinds"]) for tag in listed] == [
        ("heron", ["bird"]),
        ("Peacock", ["bird"]),
    ]
    assert "boat" in curator("tags", "--kind", "vehicle").out
    found = {each["id"]: each["found_by"] for each in curator("search", "bird", "--json").json}
    assert found == {5: "Peacock is a bird", 6: "heron is a bird"}
    assert "boat" not in curator("tags", "--kind", "bird").out
    listed = curator("photos", "--filter", "tag:vehicle -tag:bird", "--json").json
    assert [photo["id"] for photo in listed] == [1]
    for text in ("sunset", "bird", "tag:bird", "tag:tree"):
        assert "CLIP finds more" in curator("search", text).err, text
    for text in ("tag:none", 'tag:"tree"', "is:picked"):
        assert "CLIP" not in curator("search", text).err, text
