"""Tags in the session: counted in memory, completed, set and undone."""

from __future__ import annotations

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.library.scopes import Scope
from curator.library.tag_index import TagIndex
from curator.model import UsageError, View
from curator.session import Session
from tests.requests import recorded
from tests.unit.conftest import Person


def suggest(
    catalog: Catalog, tags: dict[int, list[tuple[str, int]]], source: str = "vision"
) -> None:
    with catalog.store.transaction():
        for photo, words in tags.items():
            catalog.tags.suggest(photo, source, words)


def names(session: Session, photo: int) -> dict[str, str]:
    return {tag.name: tag.state for tag in session.detail(photo).tags}


def counted(index: TagIndex, *photos: int) -> list[tuple[str, int, int]]:
    while index.read():
        pass
    found = index.counts(np.array(photos, np.int64) if photos else None)
    return [(each.name, each.count, each.confirmed) for each in found]


def as_the_catalog_has_it(catalog: Catalog) -> list[tuple[str, int, int]]:
    return [(row.name, row.count, row.confirmed) for row in catalog.vocabulary.all() if row.count]


def test_counts_in_memory_follow_every_change_and_undo(session: Session) -> None:
    catalog, index = session.catalog, TagIndex(session.catalog)
    suggest(catalog, {2: [("harbor", 80), ("boat", 60)], 3: [("harbor", 50)], 4: [("haven", 50)]})
    suggest(catalog, {3: [("harbor", 50)]}, "encoder")
    session.tags.add(["Harbor", "pier"], [5, 2])
    session.tags.remove("harbor", [3])
    assert counted(index) == [("harbor", 2, 2), ("pier", 2, 2), ("boat", 1, 0), ("haven", 1, 0)]
    assert counted(index, 2, 4, 11) == [
        ("harbor", 1, 1), ("boat", 1, 0), ("haven", 1, 0), ("pier", 1, 1)
    ]  # fmt: skip
    session.tags.rename("haven", "harbor")
    session.tags.add(["haven"], [3])
    session.tags.remove("harbor", [5])
    suggest(catalog, {4: []})
    assert sorted(counted(index)) == sorted(as_the_catalog_has_it(catalog))
    assert counted(index)[0] == ("harbor", 2, 2)
    for _ in range(5):
        catalog.journal.undo()
        assert sorted(counted(index)) == sorted(as_the_catalog_has_it(catalog))
    assert counted(index) == [("harbor", 2, 0), ("boat", 1, 0)]


def test_completion_lists_the_most_used_tags_first(session: Session) -> None:
    suggest(
        session.catalog,
        {
            2: [("sea lion", 80), ("lion", 60), ("Lisbon", 50), ("liberty", 50)],
            3: [("sea lion", 80), ("Lisbon", 50)],
            4: [("lisbon", 70), ("lioness", 60)],
        },
    )
    found = lambda text: [each.name for each in session.tags.completions(text)]  # noqa: E731
    assert found("LI") == ["Lisbon", "lion", "liberty", "lioness", "sea lion"]
    assert found("lion") == ["lion", "lioness", "sea lion"], "that very name goes first"
    assert found("x") == found(" ") == []
    session.tags.rename("lisbon", "Porto")
    assert found("lis") == [] and found("po") == ["Porto"]


def test_the_tag_cloud_counts_photos_of_the_scope(session: Session) -> None:
    suggest(session.catalog, {2: [("harbor", 80)], 3: [("harbor", 80), ("boat", 60)]})
    assert [(tag.name, tag.count) for tag in session.tags.cloud()] == [("harbor", 2), ("boat", 1)]
    session.sources.open_scope(Scope("folder", "/nowhere", "nowhere"))
    assert session.tags.cloud() == []


def test_a_selection_is_tagged_and_cleared_in_one_step_each(person: Person) -> None:
    session = person.session
    suggest(session.catalog, {3: [("harbor", 80)]})
    session.photos.select_only(2)
    session.photos.select_range(4)
    photos = session.tags.targets()
    assert photos == [2, 3, 4]
    assert [(tag.name, tag.state, number) for tag, number in session.tags.of(photos)] == [
        ("harbor", "suggested", 1)
    ]
    session.tags.add(["Harbor", "Summer"], photos)
    assert person.messages[-1].startswith("Tagged 3 photos: Harbor and Summer")
    assert names(session, 4) == {"harbor": "confirmed", "Summer": "confirmed"}
    session.tags.remove("summer", [1, 2, 3])
    assert person.messages[-1].startswith("Removed summer from 2 photos")
    assert "Summer" in names(session, 4) and "Summer" not in names(session, 1)
    person.run("undo", "undo")
    assert names(session, 3) == {"harbor": "suggested"} and names(session, 4) == {}
    assert person.messages[-1] == "Undid tag \u201cHarbor and Summer\u201d, 3 photos"


def test_the_last_tags_can_be_repeated(person: Person) -> None:
    session = person.session
    person.run("tag_again")
    assert person.messages[-1] == "No tags to repeat yet."
    session.tags.add(["harbor"], [2])
    session.navigator.go_to(5)
    person.run("tag_again")
    assert names(session, 5) == {"harbor": "confirmed"}
    person.run("tag_again")
    assert person.messages[-1] == "No change: DSC_0004"


def test_a_photo_not_painted_yet_is_not_tagged(person: Person) -> None:
    session = person.session
    session.viewer.set_view(View.LOUPE)
    session.photos.go(4)
    asked = recorded(session.requests)
    from curator import commands

    commands.run(session, "tag")
    assert not asked and person.messages[-1].endswith(
        "is still loading. Nothing was changed; try again."
    )
    person.run("tag")
    assert asked == [("tag_entry", [session.current])]


def test_a_tag_rename_is_one_undo_step(person: Person) -> None:
    session = person.session
    session.tags.add(["harbour"], [2])
    session.tags.rename("harbour", "harbor")
    assert names(session, 2) == {"harbor": "confirmed"}, "what was read of the photo is forgotten"
    person.run("undo")
    assert names(session, 2) == {"harbour": "confirmed"}
    assert person.messages[-1] == "Undid rename tag, harbour to harbor"


def test_a_tag_is_not_renamed_to_a_path(session: Session) -> None:
    session.tags.add(["harbor", "iceland"], [2])
    for path in ("place|iceland", "place/iceland"):
        with pytest.raises(UsageError, match="cannot be a path"):
            session.tags.rename("harbor", path)
    assert names(session, 2) == {"harbor": "confirmed", "iceland": "confirmed"}


@pytest.mark.parametrize("name", ['say "cheese"', "-is:picked", "a:b", "50% off", "it's", "[xy]"])
def test_any_tag_name_is_only_data(session: Session, name: str) -> None:
    session.tags.add([name], [3])
    (tag,) = names(session, 3)
    session.search.set_filter(f'tag:"{tag}"')
    assert session.ids.tolist() == [3]


def test_a_tag_created_while_tags_are_loaded_is_loaded_too(session, monkeypatch) -> None:
    catalog = session.catalog
    index = TagIndex(catalog)
    while index.read():
        pass
    suggest(catalog, {2: [("fog", 50)]})
    asked = catalog.tags.rows

    def meanwhile() -> object:
        rows = asked()
        monkeypatch.undo()
        suggest(catalog, {3: [("pier", 50), ("rope", 50)]})  # the conductor, or another window
        return rows

    monkeypatch.setattr(catalog.tags, "rows", meanwhile)
    assert counted(index)
    assert counted(index) == [("fog", 1, 0), ("pier", 1, 0), ("rope", 1, 0)]
