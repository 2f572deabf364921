"""Full text search: matches, an up-to-date index, and typed text that is never syntax."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.catalog.text import COLUMNS, phrase
from curator.model import ContentType, Described, NotFoundError, UsageError
from curator.pipeline.between_jobs import Indexer
from tests import taste_data
from tests.unit.catalog.shoot import Shoot, decide_tag, photo_bytes


@pytest.fixture
def twelve(twelve: Catalog) -> Catalog:
    """Twelve photos with an up-to-date text index."""
    twelve.text.update_all()
    return twelve


def describe(catalog: Catalog, photo: int, subject: str, mood: str = "", light: str = "") -> None:
    """Save a vision model's description of a photo."""
    source = catalog.photos.get(photo).proxy_digest or ""
    description = Described("test", "t", source, subject, ContentType.STREET, light, mood, ())
    assert catalog.descriptions.save([(photo, description)]) == [photo]


def found(catalog: Catalog, text: str, column: str = "") -> list[int]:
    """Update the text index and search."""
    catalog.text.update_all()
    return sorted(catalog.text.photos_with(text, column).tolist())


def test_words_are_found_by_prefix_ignoring_accents(twelve: Catalog) -> None:
    describe(twelve, 3, "Ein Café am Hafen", "ÉTHÉRÉ", "東京の夜")
    decide_tag(twelve, 4, "sea lion", "confirmed")
    describe(twelve, 5, "🐶 Rüde", "")
    assert found(twelve, "cafe") == found(twelve, "CAFÉ") == found(twelve, "haf") == [3]
    assert found(twelve, "ethere", "mood") == [3] and found(twelve, "ethere", "subject") == []
    assert found(twelve, "京の") == [3], "words without spaces between them"
    assert found(twelve, "sea li") == [4] and found(twelve, "lion sea") == []
    assert found(twelve, "🐶") == found(twelve, "rude") == [5]
    assert found(twelve, "afen") == [], "only from the beginning of a word"
    assert found(twelve, "dsc_0011") == found(twelve, "11") == [12], "zeros may be left out"
    assert found(twelve, "works test two", "camera") == [1, 4, 7, 10]


def test_the_best_match_comes_first(twelve: Catalog) -> None:
    describe(twelve, 2, "street", "a calm harbor")
    describe(twelve, 3, "a harbor with boats")
    decide_tag(twelve, 7, "harbor", "confirmed")
    twelve.text.update_all()
    assert twelve.text.ranked([[("harbor", True)]]).tolist() == [7, 3, 2], "tag, subject, mood"
    assert twelve.text.ranked(
        [[("harbor", True), ("street", True)], [("calm", True)]]
    ).tolist() == [2]


def test_the_index_follows_changes_of_text_only(twelve: Catalog) -> None:
    assert not twelve.text.is_outdated()
    twelve.journal.decide({1: {"rating": 5, "flag": "pick"}}, summary="")
    twelve.photos.mark_seen([2])
    assert not twelve.text.is_outdated(), "a mark costs the index nothing"
    rev = twelve.text.revision()
    decide_tag(twelve, 4, "harbor", "confirmed")
    assert twelve.text.is_outdated() and found(twelve, "harbor") == [4]
    assert twelve.text.revision() > rev
    decide_tag(twelve, 4, "harbor", "removed")
    assert found(twelve, "harbor") == []
    project = twelve.projects.create("Iceland")
    twelve.journal.decide({n: {("project", project): float(n)} for n in (1, 2)}, summary="")
    assert found(twelve, "iceland", "project") == [1, 2]
    twelve.journal.undo()
    assert found(twelve, "iceland") == []
    decide_tag(twelve, 6, "port", "confirmed")
    twelve.vocabulary.rename("port", "haven")
    assert found(twelve, "haven") == [6] and found(twelve, "port") == []


def test_updating_the_index_merges_segments_only_on_request(
    twelve: Catalog,
) -> None:
    def segments() -> int:
        return int(twelve.store.value("SELECT count(DISTINCT segid) FROM photo_text_idx"))

    indexer, most = Indexer(twelve), 0
    for number in range(12):
        describe(twelve, 1 + number, f"sea and harbor {number}")
        indexer.waiting = True
        while indexer.waiting:
            indexer._next_at = 0.0  # it is always time
            indexer.advance(calm=True)
            most = max(most, segments())
    assert 1 < most <= 5 and not twelve.text.is_outdated()
    before = segments()
    for number in range(3):
        describe(twelve, 1 + number, f"a dune {number}")
        twelve.text.update()
    assert segments() == before + 3, "each update is a segment until a merge is requested"
    assert found(twelve, "harbor") == list(range(4, 13))
    with twelve.store.transaction():
        twelve.store.run("INSERT INTO photo_text (photo_text) VALUES ('integrity-check')")


@pytest.mark.parametrize(("decided", "held"), [(1, [0, 0]), (9, [0, 0, 0, 1])])
def test_after_a_decision_text_is_recomputed_outside_the_lock(
    twelve: Catalog, monkeypatch: pytest.MonkeyPatch, decided: int, held: list[int]
) -> None:
    other = Catalog.open(twelve.path)
    due, depths = twelve.text._due, list[int]()

    def meanwhile(most: int) -> object:
        found = due(most)
        depths.append(twelve.store.in_transaction)
        if len(depths) <= decided and not twelve.store.in_transaction:
            decide_tag(other, 4, f"harbor {len(depths)}", "confirmed")
        return found

    decide_tag(twelve, 5, "harbor", "confirmed")
    monkeypatch.setattr(twelve.text, "_due", meanwhile)
    statements: list[str] = []
    twelve.store.trace(statements.append)
    assert not twelve.text.update()
    twelve.store.trace(None)
    assert depths == held, "unless decisions keep coming"
    assert sum(sql.startswith("INSERT INTO photo_text (rowid") for sql in set(statements)) == 1
    assert sorted(twelve.text.photos_with("harbor").tolist()) == [4, 5]
    other.close()


def test_the_index_follows_merged_and_hidden_photos(shoot: Shoot) -> None:
    catalog = shoot.catalog
    shoot.write("a.jpg", photo_bytes(1))
    shoot.write("b.jpg", photo_bytes(2))
    shoot.ingest()
    one, other = shoot.photo("a.jpg").id, shoot.photo("b.jpg").id
    decide_tag(catalog, other, "harbor", "confirmed")
    assert found(catalog, "harbor") == [other]
    shoot.write("b.jpg", photo_bytes(1))  # the same exposure, and now the same bytes
    shoot.ingest()
    assert catalog.photos.find(other) == one
    assert found(catalog, "harbor") == [one] and found(catalog, "b") == []
    catalog.folders.remove(catalog.folders.all()[0].id, keep_photos=False)
    assert found(catalog, "harbor") == []
    shoot.ingest()
    assert found(catalog, "harbor") == [one]


@pytest.mark.parametrize(
    "typed",
    [
        '"* OR NEAR(',
        '"',
        "name : x",
        "'; DROP TABLE photo; --",
        "a* AND b",
        "^DSC",
        "{name}",
        "\x00",
        "\ud800",
        "\u202eDSC",
        "سلام",
        "x" * 10_000,
        "",
        " ",
        "*",
    ],
)
def test_typed_text_is_never_query_syntax(twelve: Catalog, typed: str) -> None:
    for column in ("", *COLUMNS):
        assert twelve.text.photos_with(typed, column).tolist() in ([], list(range(1, 13)))
    assert twelve.text.ranked([[(typed, True), (typed, False)], [(typed, True)]]).dtype == np.int64
    assert phrase(typed).count('"') % 2 == 0
    assert twelve.check() == []


def test_text_of_a_model_is_only_text(twelve: Catalog) -> None:
    describe(twelve, 2, '"; DROP TABLE photo_text; -- NEAR(', "\x00 OR 1=1")
    assert found(twelve, "drop table") == found(twelve, "near") == [2]


def test_suggested_tags_are_found_and_removed_ones_are_not(twelve: Catalog) -> None:
    seen = taste_data.result(
        twelve, 5, taste_data.ENCODER, np.ones(4, np.float16), np.zeros(76, np.float32)
    )
    twelve.vectors.save([(taste_data.job(5), replace(seen, tags=(("tabby", 80), ("pug", 30))))])
    assert found(twelve, "tab") == [5]
    decide_tag(twelve, 5, "tabby", "removed")
    assert found(twelve, "tab") == [] and found(twelve, "pug") == [5]


def test_searches_are_saved_by_name(catalog: Catalog) -> None:
    kept = catalog.searches.save("  Best \n of it ", "is:picked")
    catalog.searches.save("beaches", "bea OR tag:seashore")
    assert [each.name for each in catalog.searches.all()] == ["beaches", "Best of it"]
    assert catalog.searches.save("Best of it", "rating:5").id == kept.id, "the same search"
    with pytest.raises(UsageError, match="Another search"):
        catalog.searches.rename(kept.id, "beaches")
    with pytest.raises(UsageError, match="needs a name"):
        catalog.searches.save(" \x00 ", "is:picked")
    catalog.searches.rename(kept.id, "Finest")
    catalog.searches.remove(kept.id)
    with pytest.raises(NotFoundError):
        catalog.searches.remove(kept.id)
