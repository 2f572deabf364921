"""Searching for kinds of things: a search for birds finds herons, and says so."""

from __future__ import annotations

import pytest

from curator.catalog import Catalog
from curator.session import Session

SUGGESTED = {
    1: [("little blue heron", 61)],
    2: [("jay", 30), ("magpie", 45)],
    3: [("peacock", 98)],
    4: [("cab", 80), ("heron", 21)],
    5: [("minivan", 40)],
    6: [("acoustic guitar", 70)],
}


@pytest.fixture
def birds(session: Session) -> Session:
    """A session whose photos 1 to 4 show birds, says the encoder; 4 and 5 show cars."""
    suggest(session.catalog, SUGGESTED)
    return session


def suggest(catalog: Catalog, tags: dict[int, list[tuple[str, int]]]) -> None:
    with catalog.store.transaction():
        for photo, words in tags.items():
            catalog.tags.suggest(photo, "encoder", words)


def search(session: Session, text: str) -> list[int]:
    session.search.set_filter(text)
    return session.ids.tolist()


def why(session: Session, photo: int) -> str:
    return session.photos.membership.reasons([photo], in_full=True).get(photo, "")


@pytest.mark.parametrize("text", ["bird", "birds", "Birds", "BIRD"])
def test_the_most_certain_come_first_and_several_kinds_add_up(birds: Session, text: str) -> None:
    assert search(birds, text) == [3, 2, 1, 4]
    assert [why(birds, photo) for photo in (3, 2, 1)] == [
        "peacock is a bird, suggested 98 %",
        "magpie or jay is a bird, suggested 75 %",
        "little blue heron is a bird, suggested 61 %",
    ]
    assert birds.tile(3).found == "peacock 98 %"


def test_a_confirmed_tag_comes_before_every_suggestion(birds: Session) -> None:
    birds.tags.confirm("little blue heron", [1])
    assert search(birds, "bird") == [1, 3, 2, 4]
    assert why(birds, 1) == "little blue heron is a bird"


def test_a_tag_someone_removed_counts_no_more(birds: Session) -> None:
    birds.tags.remove("peacock", [3])
    assert search(birds, "bird") == [2, 1, 4]
    birds.catalog.journal.undo()
    assert search(birds, "birds") == [3, 2, 1, 4]


def test_a_tag_of_a_person_is_found_by_its_kinds_too(birds: Session) -> None:
    birds.tags.add(["Geese"], [9])
    assert search(birds, "tag:animal")[-1] == 9
    assert why(birds, 9) == "goose is an animal"


def test_words_in_names_and_texts_come_first(birds: Session) -> None:
    birds.tags.add(["early bird"], [7])
    assert search(birds, "bird")[:2] == [7, 3]


def test_words_that_only_begin_so_come_last(birds: Session) -> None:
    suggest(birds.catalog, {8: [("carousel", 99)]})
    assert search(birds, "car") == [4, 5, 8]


@pytest.mark.parametrize("text", ["tag:bird", "tag:birds", "tag:Bird OR tag:nothing"])
def test_a_tag_search_finds_kinds(birds: Session, text: str) -> None:
    assert sorted(search(birds, text)) == [1, 2, 3, 4]
    assert birds.tile(1).found == "little blue heron 61 %"


def test_a_negated_kind_excludes_the_same_photos(birds: Session) -> None:
    found, rest = search(birds, "tag:bird"), search(birds, "-tag:bird")
    assert sorted(found + rest) == search(birds, "") and not set(found) & set(rest)
    assert search(birds, "tag:car -tag:bird") == [5]
    assert search(birds, "car -bird") == [5]


def test_synonyms_and_compounds_find_the_same(birds: Session) -> None:
    assert search(birds, "automobile") == search(birds, "autos") == search(birds, "car") == [4, 5]
    assert search(birds, "musical instrument") == [6]
    assert search(birds, "tag:musical-instrument") == [6]
    assert search(birds, "bird car") == [4], "both words must match"


@pytest.mark.parametrize("text", ['"bird"', 'tag:"bird"'])
def test_a_word_in_quotes_stands_only_for_itself(birds: Session, text: str) -> None:
    assert search(birds, text) == []
    birds.tags.add(["bird"], [9])
    assert search(birds, f"{text} -is:rejected") == [9]


def test_a_renamed_tag_is_of_its_new_kind(birds: Session) -> None:
    birds.tags.rename("minivan", "peacock")
    assert sorted(search(birds, "bird")) == [1, 2, 3, 4, 5]
    assert search(birds, "car") == [4]


def test_new_suggestions_are_found_by_the_next_search(birds: Session) -> None:
    assert search(birds, "bird") == [3, 2, 1, 4]
    suggest(birds.catalog, {3: [], 10: [("robin", 99)]})
    assert search(birds, "birds") == [10, 2, 1, 4]


def test_a_hint_names_the_tags_of_a_kind_and_says_that_clip_finds_more(birds: Session) -> None:
    hints = birds.search_hints.hints
    listed = "little blue heron, jay, magpie… · CLIP finds more"
    for typed in ("bird", "is:picked Birds", "tag:birds"):
        assert ("tag:bird ", listed) in hints(typed).found
    assert hints("sunset").found == [] == hints("bir").found
    assert hints("instruments").found[0].text == "tag:instrument "
