"""Searching for kinds of things: a search for birds finds herons, and says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def suggest(
    catalog: Catalog,
    tags: Mapping[int, Sequence[tuple[str, int | None]]],
    source: str = "encoder",
) -> None:
    with catalog.store.transaction():
        for photo, words in tags.items():
            catalog.tags.suggest(photo, source, words)


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


def test_the_number_belongs_to_the_tags_it_names(birds: Session) -> None:
    suggest(birds.catalog, {7: [("jay", 26), ("magpie", 25), ("robin", 24)]})
    search(birds, "bird")
    assert why(birds, 7) == "jay, magpie or 1 more is a bird, suggested 75 %"
    assert birds.tile(7).found == "jay, magpie or 1 more 75 %"


def test_what_two_sources_suggest_is_not_added(birds: Session) -> None:
    suggest(birds.catalog, {1: [("bird", None)], 2: [("robin", 90), ("bird", 95)]}, "vision")
    assert search(birds, "bird") == [3, 2, 1, 4]
    assert why(birds, 1) == "little blue heron is a bird, suggested 61 %"
    assert why(birds, 2) == "bird, suggested 95 %"
    suggest(birds.catalog, {2: [("robin", 90), ("owl", 80)]}, "vision")
    assert why(birds, 2) == "robin is a bird, suggested 90 %", "a vision model's do not add up"
    suggest(birds.catalog, {1: [("heron", 0)]})
    suggest(birds.catalog, {1: []}, "vision")
    assert search(birds, "bird") == [3, 2, 4, 1]


def test_every_number_that_ranks_a_photo_is_said(birds: Session) -> None:
    suggest(birds.catalog, {7: [("castle", 24)], 8: [("house finch", 95)], 9: [("palace", 60)]})
    assert search(birds, "castle") == [7]
    assert why(birds, 7) == "castle, suggested 24 %"
    assert search(birds, "house") == [9, 8], "a finch is no house"
    assert why(birds, 9) == "palace is a house, suggested 60 %"
    assert why(birds, 8) == "tag house finch, suggested 95 %"
    suggest(birds.catalog, {10: [("bird", 40), ("heron", 20)]})
    search(birds, "bird")
    assert why(birds, 10) == "bird or heron, suggested 60 %"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Newfoundland", "dog"),
        ("Robin", "bird"),
        ("Drake", "animal"),
        ("People|robin", "birds"),
        ("Places|Jersey", "clothing"),
        ("Rose", "flower"),
        ("Jack", "food"),
        ("Bob", "vehicle"),
        ("Mini", "skirt"),
        ("Chihuahua", "dogs"),
    ],
)
def test_names_of_people_and_places_are_no_things(birds: Session, name: str, word: str) -> None:
    birds.tags.add([name], [8])
    assert 8 not in search(birds, word) and 8 not in search(birds, f"tag:{word}")
    tag = name.rpartition("|")[2]
    assert 8 in search(birds, tag) and 8 in search(birds, f"tag:{tag}")
    assert tag not in [each.name for each in birds.tags.kinds_of(word)]


@pytest.mark.parametrize("name", ["robin", "Birds|Robin", "Animals|birds|robin", "Heron"])
def test_a_name_in_small_letters_or_under_its_kind_is_a_thing(birds: Session, name: str) -> None:
    birds.tags.add([name], [8])
    assert 8 in search(birds, "bird") and 8 in search(birds, "tag:animal")


def test_a_suggested_tag_becomes_a_name_when_it_is_renamed(birds: Session) -> None:
    birds.tags.add(["Jay"], [8])  # the suggested tag jay, which photo 2 has
    assert 8 in search(birds, "bird")
    birds.tags.rename("jay", "Jay")
    assert search(birds, "bird") == [3, 1, 2, 4]


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
    assert search(birds, "tag:animal")[0] == 9
    assert why(birds, 9) == "goose is an animal"


def test_words_in_names_and_texts_come_first(birds: Session) -> None:
    birds.tags.add(["early bird"], [7])
    assert search(birds, "bird")[:2] == [7, 3]


def test_words_that_only_begin_so_come_last(birds: Session) -> None:
    suggest(birds.catalog, {8: [("carousel", 99)]})
    assert search(birds, "car") == [4, 5, 8]


@pytest.mark.parametrize("text", ["tag:bird", "tag:birds", "tag:Bird OR tag:nothing"])
def test_a_tag_search_finds_kinds(birds: Session, text: str) -> None:
    assert search(birds, text) == [3, 2, 1, 4], "the most certain first, as for words"
    assert birds.tile(1).found == "little blue heron 61 %"
    birds.tags.confirm("heron", [4])
    assert search(birds, f"{text} rating:0")[0] == 4


def test_tags_that_are_no_kinds_stay_in_the_order_of_the_list(birds: Session) -> None:
    birds.tags.add(["Iceland"], [5, 1])
    assert search(birds, "tag:iceland") == [1, 5] == search(birds, 'tag:"Iceland"')
    assert birds.criteria.order == "taken"
    assert search(birds, "tag:iceland OR tag:bird") == [3, 2, 1, 4, 5]
    assert search(birds, "tag:bird tag:car") == [4]


def test_an_approval_rule_means_the_tag_itself(birds: Session) -> None:
    suggest(birds.catalog, {7: [("pizza", 20)], 8: [("food", 30)]})
    birds.catalog.journal.decide({photo: {"kept": True} for photo in (7, 8)}, summary="-")
    birds.catalog.text.update_all()
    birds.refresh()
    for rule in ("tag:food", "food", "musical food OR tag:foods tag:food"):
        birds.settings.approval.rule = rule
        assert list(birds.statistics.approved()) == ([8] if "musical" not in rule else []), rule
    assert search(birds, "tag:food") == [8, 7]


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
    listed = "little blue heron, jay… · CLIP finds more"
    for typed in ("bird", "is:picked Birds", "tag:birds", "tag:bird", "is:picked tag:bird"):
        assert ("tag:bird ", listed) in hints(typed).found
    assert hints("sunset").found == [] == hints("bir").found
    assert hints("instruments").found[0].text == "tag:instrument "


def test_a_completion_of_a_tag_that_is_also_a_kind_means_the_tag(birds: Session) -> None:
    birds.tags.add(["bird", "Iceland"], [9])
    texts = [hint.text for hint in birds.search_hints.hints("tag:bird").found]
    assert texts == ["tag:bird ", 'tag:"bird" ']
    assert [hint.text for hint in birds.search_hints.hints("tag:ice").found] == ["tag:Iceland "]
