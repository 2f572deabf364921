"""Tags in the catalog: a machine suggests, a person decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog, TagDetail, tag_name, tag_names
from curator.model import Marks, NotFoundError, UsageError
from curator.sidecar import PROFILES, SidecarMetadata, merge, read
from tests import taste_data
from tests.unit.catalog.shoot import Shoot, decide_tag, photo_bytes

TONE = np.zeros(76, np.float32)


def suggest(catalog: Catalog, photo: int, *tags: tuple[str, int] | None) -> None:
    """Save an encoder's tags of a photo; only None: the encoder has no vocabulary."""
    seen = taste_data.result(catalog, photo, taste_data.ENCODER, np.ones(4, np.float16), TONE)
    words = None if tags == (None,) else tags
    assert catalog.vectors.save([(taste_data.job(photo), replace(seen, tags=words))]) == [photo]


def read_from_file(
    catalog: Catalog, photo: int, *keywords: str, paths: tuple[str, ...] = ()
) -> None:
    with catalog.store.transaction():
        catalog.tags.set_keywords(photo, keywords, paths)


def names(catalog: Catalog, photo: int) -> list[str]:
    return [tag.name for tag in catalog.photos.get(photo).tags]


def test_tags_of_an_encoder_are_suggested_most_certain_first(twelve: Catalog) -> None:
    suggest(twelve, 3, ("boat", 30), ("harbor", 80))
    assert twelve.photos.get(3).tags == (
        TagDetail("harbor", "encoder", 80, "suggested"),
        TagDetail("boat", "encoder", 30, "suggested"),
    )
    assert twelve.photos.get(4).tags == ()


def test_a_new_analysis_replaces_earlier_suggestions(twelve: Catalog) -> None:
    suggest(twelve, 3, ("boat", 30), ("harbor", 80))
    suggest(twelve, 3, ("pier", 60))
    assert names(twelve, 3) == ["pier"]
    suggest(twelve, 3, None)
    assert names(twelve, 3) == ["pier"], "an encoder without a vocabulary removes nothing"
    suggest(twelve, 3)
    assert names(twelve, 3) == []


def test_a_persons_tags_are_kept_whatever_is_suggested_later(twelve: Catalog) -> None:
    suggest(twelve, 3, ("boat", 30), ("harbor", 80))
    decide_tag(twelve, 3, "boat", "confirmed")
    decide_tag(twelve, 3, "harbor", "removed")
    suggest(twelve, 3, ("harbor", 90), ("boat", 50), ("pier", 40))
    assert twelve.photos.get(3).tags == (
        TagDetail("boat", "person", 100, "confirmed"),
        TagDetail("pier", "encoder", 40, "suggested"),
    )
    twelve.journal.undo()
    assert names(twelve, 3) == ["boat", "harbor", "pier"], "the suggestion is back"
    twelve.journal.undo()
    assert twelve.photos.get(3).tags[0] == TagDetail("harbor", "encoder", 80, "suggested")


def test_photos_are_found_by_their_tags_in_any_case(twelve: Catalog) -> None:
    suggest(twelve, 3, ("harbor", 80))
    suggest(twelve, 5, ("harbor", 40), ("sea lion", 30))
    suggest(twelve, 7, ("harborfish", 30))
    assert twelve.tags.photos_with("Harbor") == [3, 5]
    assert twelve.tags.photos_with("harb") == []
    decide_tag(twelve, 5, "harbor", "removed")
    assert twelve.tags.photos_with("harbor") == [3]
    assert twelve.tags.photos_with("100%") == twelve.tags.photos_with("") == []


def test_the_tag_revision_grows_with_tags_and_not_with_marks(twelve: Catalog) -> None:
    before = twelve.tags.revision()
    twelve.journal.decide({3: {"rating": 4}}, summary="")
    assert twelve.tags.revision() == before
    suggest(twelve, 3, ("harbor", 80))
    assert twelve.tags.revision() > before


def test_merged_photos_keep_the_tags_of_both(shoot: Shoot) -> None:
    shoot.write("a.jpg", photo_bytes(1))
    shoot.write("b.jpg", photo_bytes(2))
    shoot.ingest()
    catalog = shoot.catalog
    one, other = shoot.photo("a.jpg").id, shoot.photo("b.jpg").id
    suggest(catalog, one, ("boat", 50), ("pier", 40))
    suggest(catalog, other, ("harbor", 50), ("pier", 30))
    decide_tag(catalog, other, "harbor", "confirmed")
    decide_tag(catalog, other, "pier", "removed")
    shoot.write("b.jpg", photo_bytes(1))  # the same exposure, and now the same bytes
    shoot.ingest()
    assert catalog.photos.find(other) == one
    assert [(tag.name, tag.state) for tag in catalog.photos.get(one).tags] == [
        ("harbor", "confirmed"),
        ("boat", "suggested"),
    ]


# --- names


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  sea   lion\t", "sea lion"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("har\u202ebor\x00\x1b[31m\u2066", "har bor 31m"),
        ('the "Vik" cliffs', "the Vik cliffs"),
        ("O'Brien\u2019s #boat_2", "OBriens boat 2"),
        ("black & white", "black white"),
        ("-A-", ""),
        ("X", ""),
        ("\u82b1", "\u82b1"),
        ("\u0646\u200c\u0645", "\u0646\u200c\u0645"),
        ("x" * 80, "x" * 50),
        (" \u200b\n", ""),
        ("tag:harbor OR 1=1; <b>", "tag harbor OR 1 1 b"),
    ],
)
def test_a_name_is_letters_digits_spaces_and_hyphens(typed: str, name: str) -> None:
    assert tag_name(typed) == name


def test_several_tags_are_typed_with_commas_between() -> None:
    assert tag_names("harbor, Sea Lion ,, HARBOR,") == ["HARBOR", "Sea Lion"]
    assert tag_names("place/iceland|Vik , sea-lion 2") == ["place|iceland|Vik", "sea-lion 2"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("pier, " + "x" * 51, "2 to 50 characters"),
        ("x", "2 to 50 characters"),
        ("animal//bird", "2 to 50 characters"),
        ("B&W", "cannot contain &"),
        ("#sunset!", "cannot contain #!"),
        ("har\u202ebor", "an invisible character"),
    ],
)
def test_an_invalid_typed_name_is_refused(typed: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        tag_names(typed)


def test_a_keyword_path_is_a_tag_below_its_parents(twelve: Catalog) -> None:
    for name in tag_names("animal|bird, place/iceland/vik"):
        decide_tag(twelve, 3, name, "confirmed")
    assert twelve.tags.keywords_of([3]) == {3: [("bird", "animal"), ("vik", "place|iceland")]}
    assert twelve.tags.photos_with("bird") == twelve.tags.photos_with("animal|bird") == [3]
    decide_tag(twelve, 4, "bird", "confirmed")
    assert twelve.tags.keywords_of([4]) == {4: [("bird", "animal")]}
    with pytest.raises(UsageError, match="The tag bird already exists under animal"):
        twelve.tags.ids(["drawing|bird"], make=True)


def test_an_older_tag_keeps_its_characters_and_can_be_removed(twelve: Catalog) -> None:
    with twelve.store.transaction():
        twelve.tags.ensure("B&W")
    decide_tag(twelve, 3, "B&W", "confirmed")
    read_from_file(twelve, 4, "b&w", "Caf\u00e9 & bar")
    assert (names(twelve, 3), names(twelve, 4)) == (["B&W"], ["B&W", "Caf\u00e9 bar"])
    decide_tag(twelve, 3, "B&W", "removed")
    assert names(twelve, 3) == []


def test_a_name_in_any_case_is_one_tag(twelve: Catalog) -> None:
    suggest(twelve, 3, ("Caf\u00e9", 60), ("STRASSE", 50))
    decide_tag(twelve, 4, "cafe\u0301", "confirmed")
    decide_tag(twelve, 4, "stra\u00dfe", "confirmed")
    assert names(twelve, 3) == ["Caf\u00e9", "STRASSE"] == names(twelve, 4)
    assert twelve.tags.ids(["CAF\u00c9", "none"]).keys() == {"CAF\u00c9"}


# --- files


def test_a_tag_from_a_file_is_confirmed_until_the_person_removes_it(twelve: Catalog) -> None:
    read_from_file(twelve, 3, "Vik", "beach", paths=("Places|Iceland|Vik", "Animals| Birds |Crane"))
    assert names(twelve, 3) == ["beach", "Crane", "Vik"]
    assert twelve.tags.keywords_of([3]) == {
        3: [("beach", None), ("Crane", "Animals|Birds"), ("Vik", "Places|Iceland")]
    }
    decide_tag(twelve, 3, "beach", "removed")
    read_from_file(twelve, 3, "beach", "Vik")
    assert names(twelve, 3) == ["Vik"]
    read_from_file(twelve, 4, paths=("Machines|Crane",))
    assert twelve.tags.keywords_of([4]) == {4: [("Crane", "Animals|Birds")]}, "the first path stays"


# --- the vocabulary


def test_the_vocabulary_counts_photos_the_most_used_first(twelve: Catalog) -> None:
    suggest(twelve, 3, ("harbor", 80), ("boat", 70))
    suggest(twelve, 4, ("harbor", 60))
    decide_tag(twelve, 5, "Harbor", "confirmed")
    decide_tag(twelve, 5, "hare", "confirmed")
    found = [(row.name, row.count, row.confirmed) for row in twelve.vocabulary.all("HAR")]
    assert found == [("harbor", 3, 1), ("hare", 1, 1)]
    assert [row.name for row in twelve.vocabulary.all()] == ["harbor", "boat", "hare"]


def test_the_statistics_show_which_suggestions_are_removed(twelve: Catalog) -> None:
    for photo in (3, 4, 5, 6):
        suggest(twelve, photo, ("lens cap", 50))
    decide_tag(twelve, 3, "lens cap", "removed")
    decide_tag(twelve, 4, "lens cap", "removed")
    decide_tag(twelve, 5, "lens cap", "confirmed")
    decide_tag(twelve, 7, "lens cap", "confirmed")  # not a suggestion
    suggest(twelve, 3, ("boat", 50))  # a new analysis keeps decided suggestions
    (row,) = [row for row in twelve.vocabulary.all() if row.name == "lens cap"]
    assert (row.count, row.confirmed) == (3, 2)
    assert (row.suggested, row.removed) == ({"encoder": 4}, {"encoder": 2})


def test_a_rename_is_one_step_and_the_old_name_becomes_an_alias(twelve: Catalog) -> None:
    suggest(twelve, 3, ("harbor", 80))
    decide_tag(twelve, 4, "harbor", "confirmed")
    twelve.vocabulary.rename("Harbor", "Hafen")
    assert names(twelve, 3) == names(twelve, 4) == ["Hafen"]
    suggest(twelve, 5, ("harbor", 70))
    assert names(twelve, 5) == ["Hafen"]
    assert (
        sorted(twelve.tags.photos_with("hafen"))
        == sorted(twelve.tags.photos_with("harbor"))
        == [3, 4, 5]
    )
    decide_tag(twelve, 4, "Hafen", "removed")
    assert names(twelve, 4) == []
    twelve.journal.undo()
    assert twelve.journal.undo().summary == "Renamed tag harbor to Hafen"
    assert names(twelve, 3) == names(twelve, 4) == ["harbor"]
    twelve.journal.redo()
    assert names(twelve, 4) == ["Hafen"]
    twelve.vocabulary.rename("Hafen", "HAFEN")
    assert names(twelve, 3) == ["HAFEN"]
    twelve.vocabulary.rename("hafen", "harbor")
    assert names(twelve, 3) == names(twelve, 4) == ["harbor"]
    assert [row.name for row in twelve.vocabulary.all()] == ["harbor"]


def test_renaming_to_an_existing_tag_is_refused_with_a_hint_to_merge(twelve: Catalog) -> None:
    suggest(twelve, 3, ("harbor", 80), ("port", 40))
    with pytest.raises(UsageError, match="already"):
        twelve.vocabulary.rename("harbor", "PORT")
    with pytest.raises(NotFoundError):
        twelve.vocabulary.rename("haven", "port")
    with pytest.raises(UsageError):
        twelve.vocabulary.rename("harbor", " ")
    for path in ("place/iceland", "place|port"):
        with pytest.raises(UsageError, match="cannot be a path"):
            twelve.vocabulary.rename("harbor", path)
    with pytest.raises(UsageError, match="the same tag"):
        twelve.vocabulary.merge("harbor", "Harbor")
    assert names(twelve, 3) == ["harbor", "port"] and twelve.journal.next_undo() is None


def test_a_merge_joins_two_tags_and_undo_separates_them(twelve: Catalog) -> None:
    suggest(twelve, 3, ("harbour", 80), ("harbor", 40))
    suggest(twelve, 4, ("harbour", 80))
    decide_tag(twelve, 4, "harbour", "removed")
    decide_tag(twelve, 4, "harbor", "confirmed")
    decide_tag(twelve, 5, "harbour", "removed")
    twelve.vocabulary.merge("harbour", "harbor")
    assert twelve.photos.get(3).tags == (TagDetail("harbor", "encoder", 80, "suggested"),)
    assert names(twelve, 4) == ["harbor"], "confirmed wins over removed"
    suggest(twelve, 5, ("harbor", 90))
    assert names(twelve, 5) == [], "it was removed under its other name"
    twelve.journal.undo()
    assert names(twelve, 3) == ["harbour", "harbor"]


def test_a_renamed_tag_changes_its_photos_and_queues_their_sidecars(twelve: Catalog) -> None:
    decide_tag(twelve, 4, "harbor", "confirmed")
    suggest(twelve, 5, ("harbor", 50))
    with twelve.store.transaction():
        twelve.store.run("DELETE FROM unwritten")
    rev = max(row[-1] for row in twelve.store.rows("SELECT rev FROM photo"))
    twelve.vocabulary.rename("harbor", "Hafen")
    assert {row[0] for row in twelve.store.rows("SELECT id FROM photo WHERE rev > ?", (rev,))} == {
        4,
        5,
    }
    assert twelve.store.rows("SELECT photo_id FROM unwritten") == [(4,)]


def test_merging_several_photos_keeps_the_latest_decision_on_a_tag(twelve: Catalog) -> None:
    boat = twelve.tags.ids(["boat"], make=True)["boat"]

    def say(photo: int, word: str | None) -> None:
        twelve.journal.decide({photo: {("tag", boat): word}}, summary="boat")

    def merge(*photos: int) -> None:
        with twelve.store.transaction():
            twelve.identity.merge(photos)

    say(4, "confirmed")
    say(3, "removed")
    say(5, "confirmed")
    twelve.journal.undo()
    say(5, "confirmed")
    say(5, "removed")
    twelve.journal.undo()  # 5 is confirmed, by the newest decision that remains
    merge(2, 3)
    merge(2, 4)  # confirmed before 3 was removed
    assert twelve.tags.of([2]) == {}
    merge(2, 5)
    assert [tag.state for tag in twelve.tags.of([2])[2]] == ["confirmed"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_keyword_path_survives_a_sidecar(twelve: Catalog, profile: str) -> None:
    """As Lightroom and digiKam write it: the leaf as a keyword, the path in a separate list."""
    for name in tag_names("animal|bird, place/iceland/vik, pier"):
        decide_tag(twelve, 3, name, "confirmed")
    keywords = twelve.tags.keywords_of([3])[3]
    paths = [f"{way}|{name}" for name, way in keywords if way]
    metadata = SidecarMetadata.of(Marks(), [name for name, _ in keywords], paths)
    written = merge(None, metadata, None, PROFILES[profile])
    for text in (b"animal|bird", b"place|iceland|vik", b">bird<", b">vik<", b">pier<"):
        assert text in written
    assert (b"place/iceland/vik" in written) == (profile == "digikam")
    again = read(written).metadata
    assert again.keywords is not None and again.hierarchical is not None
    read_from_file(twelve, 4, *again.keywords, paths=again.hierarchical)
    assert twelve.tags.keywords_of([4])[4] == keywords
