"""Tags in the catalog: a machine suggests, a person's word stays."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog, TagDetail
from curator.stages import STAGES
from tests import catalogs, likings
from tests.unit.catalog.shoot import Shoot, photo_bytes

TONE = np.zeros(76, np.float32)


@pytest.fixture
def twelve(catalog: Catalog) -> Catalog:
    catalogs.fill(catalog.path, 12)
    catalog.use_stages(STAGES)
    return catalog


def see(catalog: Catalog, photo: int, *tags: tuple[str, int] | None) -> None:
    """Have an encoder look at a photo and say these words; None alone: it knows none."""
    seen = likings.result(catalog, photo, likings.ENCODER, np.ones(4, np.float16), TONE)
    words = None if tags == (None,) else tags
    assert catalog.save_embedded([(likings.job(photo), replace(seen, tags=words))]) == [photo]


def say(catalog: Catalog, photo: int, name: str, state: str) -> None:
    """Put a person's word on a suggestion, as the catalog will hold it."""
    beside = sqlite3.connect(catalog.path)
    beside.execute(
        "UPDATE photo_tag SET state = ? WHERE photo_id = ?"
        " AND tag_id = (SELECT id FROM tag WHERE name = ?)",
        (state, photo, name),
    )
    beside.commit()
    beside.close()


def names(catalog: Catalog, photo: int) -> list[str]:
    return [tag.name for tag in catalog.photo(photo).tags]


def test_what_an_encoder_sees_is_suggested_the_surest_first(twelve: Catalog) -> None:
    see(twelve, 3, ("boat", 30), ("harbor", 80))
    assert twelve.photo(3).tags == (
        TagDetail("harbor", "encoder", 80, "suggested"),
        TagDetail("boat", "encoder", 30, "suggested"),
    )
    assert twelve.photo(4).tags == ()


def test_looking_again_replaces_what_was_suggested_before(twelve: Catalog) -> None:
    see(twelve, 3, ("boat", 30), ("harbor", 80))
    see(twelve, 3, ("pier", 60))
    assert names(twelve, 3) == ["pier"]
    see(twelve, 3, None)
    assert names(twelve, 3) == ["pier"], "an encoder without words has nothing against them"
    see(twelve, 3)
    assert names(twelve, 3) == []


def test_a_persons_word_stays_whatever_is_suggested_later(twelve: Catalog) -> None:
    see(twelve, 3, ("boat", 30), ("harbor", 80))
    say(twelve, 3, "boat", "confirmed")
    say(twelve, 3, "harbor", "removed")
    see(twelve, 3, ("harbor", 90), ("boat", 50), ("pier", 40))
    assert twelve.photo(3).tags == (
        TagDetail("boat", "encoder", 30, "confirmed"),
        TagDetail("pier", "encoder", 40, "suggested"),
    )


def test_photos_are_found_by_their_tags_in_any_case(twelve: Catalog) -> None:
    see(twelve, 3, ("harbor", 80))
    see(twelve, 5, ("harbor", 40), ("sea lion", 30))
    see(twelve, 7, ("lionfish", 30))
    assert twelve.tagged("Harbor") == [3, 5]
    assert twelve.tagged("harb") == []
    assert sorted(twelve.tagged("LION", whole=False)) == [5, 7]
    say(twelve, 5, "harbor", "removed")
    assert twelve.tagged("harbor") == [3]
    assert twelve.tagged("100%") == twelve.tagged("") == []


def test_a_number_tells_that_tags_changed_and_a_mark_changes_none(twelve: Catalog) -> None:
    before = twelve.tags_rev()
    twelve.decide({3: {"rating": 4}}, summary="")
    assert twelve.tags_rev() == before
    see(twelve, 3, ("harbor", 80))
    assert twelve.tags_rev() > before


def test_two_photos_that_prove_to_be_one_keep_the_tags_of_both(shoot: Shoot) -> None:
    shoot.write("a.jpg", photo_bytes(1))
    shoot.write("b.jpg", photo_bytes(2))
    shoot.ingest()
    catalog = shoot.catalog
    one, other = shoot.photo("a.jpg").id, shoot.photo("b.jpg").id
    see(catalog, one, ("boat", 50), ("pier", 40))
    see(catalog, other, ("harbor", 50), ("pier", 30))
    say(catalog, other, "harbor", "confirmed")
    say(catalog, other, "pier", "removed")
    shoot.write("b.jpg", photo_bytes(1))  # the same exposure, and now the same bytes
    shoot.ingest()
    assert catalog.find(other) == one
    assert [(tag.name, tag.state) for tag in catalog.photo(one).tags] == [
        ("harbor", "confirmed"),
        ("boat", "suggested"),
    ]
