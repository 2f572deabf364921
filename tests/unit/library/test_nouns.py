"""What words are kinds of, and the table made from WordNet."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from curator.home import resource
from curator.library.nouns import Nouns, nouns

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`.ci/word_table.py`, which is not part of the program."""
    path = ROOT / ".ci" / "word_table.py"
    spec = importlib.util.spec_from_file_location("word_table", path)
    assert spec is not None and spec.loader is not None
    sys.modules["word_table"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def known() -> Nouns:
    return nouns()


def classes() -> list[str]:
    lines = resource("models/starter_classes.txt").read_text("utf-8").splitlines()
    return [line.partition(" ")[2] for line in lines]


def test_the_table_is_what_the_script_makes_of_wordnet(script: ModuleType) -> None:
    if not script.WORDNET.exists():
        pytest.skip("WordNet is not installed (Debian: wordnet-base)")
    made = script.table(script.WordNet(script.WORDNET))
    assert resource("words/nouns.txt").read_text("utf-8") == made


def test_the_license_of_wordnet_lies_beside_the_table() -> None:
    license_text = resource("words/LICENSE-WordNet.txt").read_text("utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in license_text
    assert len(resource("words/nouns.txt").read_bytes()) < 100_000


def test_every_class_of_the_starter_has_a_name_of_its_own_and_a_kind(known: Nouns) -> None:
    names = classes()
    assert len(set(names)) == 1000
    assert [name for name in names if len(known.above(name)) < 2] == ["web site", "menu"]


LISTS = (ROOT / "tests" / "data" / "words" / "kinds.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("line", LISTS)
def test_a_search_finds_all_classes_that_people_count_among_it_and_no_others(
    known: Nouns, line: str
) -> None:
    word, _, listed = line.partition(": ")
    assert [name for name in sorted(classes()) if known.is_kind(name, word)] == listed.split(", ")


@pytest.mark.parametrize(
    ("tag", "word"),
    [
        ("little blue heron", "birds"),
        ("sulphur-crested cockatoo", "Bird"),
        ("minivan", "car"),
        ("cab", "automobile"),
        ("sports car", "autos"),
        ("fireboat", "boats"),
        ("liner", "ships"),
        ("liner", "boat"),
        ("mountain bike", "bike"),
        ("mountain bike", "bicycles"),
        ("strawberry", "food"),
        ("pizza", "foods"),
        ("wood rabbit", "animals"),
        ("grand piano", "musical-instruments"),
        ("lighthouse", "building"),
        ("seashore", "beaches"),
        ("hen", "animal"),
        ("timber wolf", "wolves"),
        ("goose", "geese"),
        ("daisy", "flower"),
        ("airliner", "plane"),
        ("tailed frog", "amphibians"),
        ("dogs", "animal"),  # a person's tag may be plural
        ("cock", "roosters"),
        ("hen", "chickens"),
        ("pug", "puppies"),
        ("tabby", "kitten"),
        ("television", "tv"),
        ("tow truck", "lorries"),
        ("running shoe", "sneakers"),
        ("hay", "grass"),
        ("slide rule", "calculator"),
        ("beach", "seashore"),
        ("cash machine", "ATM"),
    ],
)
def test_a_tag_is_of_the_kinds_people_count_it_among(known: Nouns, tag: str, word: str) -> None:
    assert known.is_kind(tag, word)


@pytest.mark.parametrize(
    ("tag", "word"),
    [
        ("lion", "cat"),
        ("cougar", "cat"),
        ("lynx", "cat"),
        ("menu", "food"),
        ("hay", "food"),
        ("cup", "drink"),
        ("meat loaf", "bread"),
        ("peacock", "game"),
        ("wig", "dress"),
        ("mask", "dress"),
        ("slide rule", "computer"),
        ("lumbermill", "plant"),
        ("home theater", "building"),
        ("eggnog", "drug"),
        ("ear", "fruit"),
        ("green mamba", "black mamba"),
        ("bassoon", "wind"),
        ("rifle", "arm"),
        ("minivan", "container"),
        ("construction crane", "bird"),
        ("cardigan", "dog"),
        ("heron", "car"),
        ("convertible", "furniture"),  # the sofa
        ("web site", "computer"),
        ("Iceland", "island"),
        ("hot dogs with fries and more", "food"),
    ],
)
def test_no_tag_is_found_by_a_sense_that_nobody_means(known: Nouns, tag: str, word: str) -> None:
    assert not known.is_kind(tag, word)


@pytest.mark.parametrize("word", ["entity", "whole", "artifact", "matter", "object", "is", "as"])
def test_what_is_too_general_means_nothing(known: Nouns, word: str) -> None:
    assert not known.kinds(word)


def test_a_group_has_the_same_tags_as_a_search_for_it(known: Nouns) -> None:
    names = [known.names[kind] for kind in known.groups]
    assert len(set(names)) == len(names) > 30
    for group in names:
        inside = {tag for tag in known.named if group in known.all_groups_of(tag)}
        assert inside == {tag for tag in known.named if known.is_kind(tag, group)}, group


def test_a_tag_belongs_to_the_most_special_group(known: Nouns) -> None:
    groups = {tag: known.groups_of(tag) for tag in ("heron", "zebra", "strawberry", "Iceland")}
    assert groups == {
        "heron": ["bird"],
        "zebra": ["animal"],
        "strawberry": ["food", "fruit"],
        "Iceland": [],
    }


@pytest.mark.parametrize(
    ("tag", "word", "sentence"),
    [
        ("heron", "birds", "heron is a bird"),
        ("pug", "animal", "pug is an animal"),
        ("desk", "furniture", "desk is furniture"),
        ("cab", "automobile", "cab is an automobile"),
        ("Dogs", "animals", "dog is an animal"),
        ("ox", "cattle", "ox: cattle"),
        ("jean", "clothes", "jean: clothes"),
        ("sunglasses", "glasses", "sunglasses: glasses"),
        ("binoculars", "optical instrument", "binoculars: optical instrument"),
        ("groom", "people", "groom: people"),
        ("groom", "persons", "groom is a person"),
        ("bagel", "bread", "bagel is bread"),
        ("necklace", "jewelry", "necklace is jewelry"),
        ("baseball", "sports equipment", "baseball is sports equipment"),
        ("spatula", "utensils", "spatula is a utensil"),
        ("pug", "puppies", "pug is a dog"),
        ("hen", "chickens", "hen is a chicken"),
    ],
)
def test_a_hit_explains_itself(known: Nouns, tag: str, word: str, sentence: str) -> None:
    assert known.sentence([tag], word) == sentence
