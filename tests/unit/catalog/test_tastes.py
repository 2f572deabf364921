"""Vectors, ratings and predictions in the catalog: what learning reads, and is judged by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog, TasteRow
from curator.stages import STAGES
from tests import catalogs, likings
from tests.unit.catalog.shoot import Shoot, photo_bytes

ZERO_TONE = np.zeros(76, np.float32)


@pytest.fixture
def twelve(catalog: Catalog) -> Catalog:
    catalogs.fill(catalog.path, 12)
    catalog.use_stages(STAGES)
    return catalog


def state(catalog: Catalog, photo: int) -> str:
    return next(str(work.state) for work in catalog.photo(photo).work if work.stage == "embed")


# --- vectors


def test_a_vector_comes_back_as_it_was_saved(twelve: Catalog) -> None:
    vectors = likings.embed(twelve, [3, 5])
    rows = twelve.vectors(likings.ENCODER)
    assert [row[1] for row in rows] == [3, 5]
    assert np.frombuffer(rows[0][2], np.float16) == pytest.approx(vectors[3], abs=1e-3)
    assert state(twelve, 3) == "done" and state(twelve, 4) == "waiting"


def test_only_what_is_newer_is_read_again(twelve: Catalog) -> None:
    likings.embed(twelve, [1, 2, 3])
    last = twelve.vectors(likings.ENCODER)[-1][0]
    assert twelve.vectors(likings.ENCODER, last) == []
    likings.embed(twelve, [2])
    assert [row[1] for row in twelve.vectors(likings.ENCODER, last)] == [2]


def test_a_vector_of_an_older_proxy_is_dropped_and_made_again(twelve: Catalog) -> None:
    made = likings.result(twelve, 3, likings.ENCODER, np.ones(4, np.float16), ZERO_TONE)
    stale = replace(made, source="other bytes")
    assert twelve.save_embedded([(likings.job(3), stale)]) == []
    assert twelve.vectors(likings.ENCODER) == []
    assert state(twelve, 3) == "waiting"


def test_another_encoder_has_everything_embedded_again_and_takes_over_when_done(
    twelve: Catalog,
) -> None:
    everyone = range(1, 13)
    twelve.use_encoder("old")
    likings.embed(twelve, everyone, "old")
    assert twelve.use_encoder("old") == 0
    assert twelve.use_encoder("new") == 12
    likings.embed(twelve, range(1, 7), "new")
    assert next(iter(twelve.encoders())) == "old"
    likings.embed(twelve, range(7, 13), "new")
    assert next(iter(twelve.encoders())) == "new"
    assert twelve.use_encoder("old") == 0, "its vectors stayed"


def test_equal_proxies_are_not_embedded_again_and_others_are(shoot: Shoot) -> None:
    catalog = shoot.catalog
    catalog.use_stages(STAGES)
    shoot.write("a.jpg", photo_bytes("one"))
    shoot.ingest()
    photo = shoot.photo("a.jpg").id
    likings.embed(catalog, [photo])
    # A program wrote its rating into the file: other bytes, the same picture, an equal proxy.
    for digest, wait in ((shoot.photo("a.jpg").proxy_digest, []), ("another", [photo])):
        shoot.write("a.jpg", photo_bytes(f"one, written into, {digest}"))
        shoot.scan()
        shoot.peek()
        again = shoot.jobs("convert")
        assert [job.photo_id for job in again] == [photo]
        result = replace(shoot.converted(again[0]), proxy_digest=digest)
        catalog.save_converted([(again[0], result)])
        assert [each.photo_id for each in catalog.pending("embed", 9)] == wait
    assert catalog.pending("embed", 9)[0].proxy_digest == "another"


def test_a_photo_that_could_not_be_compared_is_not_unreadable(twelve: Catalog) -> None:
    assert not twelve.save_failure(likings.job(3), "Too little memory.", retry=True)
    twelve.start("embed", [3])
    twelve.save_failure(likings.job(3), "Too little memory.", retry=False)
    assert twelve.photo(3).state == ""
    assert [failure.stage for failure in twelve.failures()] == ["embed"]


def test_without_the_stage_nothing_waits_for_an_encoder(twelve: Catalog) -> None:
    assert twelve.unfinished("proxy") == 12
    twelve.use_stages(STAGES[:2])
    assert twelve.unfinished() == twelve.unfinished("proxy") == 0


# --- ratings


def test_lessons_are_what_one_thinks_now(twelve: Catalog) -> None:
    before = {lesson.photo_id: lesson.rating for lesson in twelve.lessons()}
    twelve.decide({3: {"rating": 5}}, summary="")
    twelve.decide({4: {"flag": "reject"}}, summary="")
    told = {lesson.photo_id: (lesson.rating, lesson.rejected) for lesson in twelve.lessons()}
    assert told.keys() - before.keys() == {3, 4}
    assert told[3] == (5, False) and told[4] == (None, True)
    starred = [rating is not None and not rejected for rating, rejected in told.values()]
    assert twelve.stars() == sum(starred)
    twelve.undo()
    assert [lesson.rejected for lesson in twelve.lessons([4])] == [False]


def test_a_prediction_stands_beside_the_rating_it_was_made_for(twelve: Catalog) -> None:
    twelve.decide({3: {"rating": 4, "kept": True}}, summary="", expected={3: 3.6, 4: 1.0})
    twelve.decide({5: {"rating": 2}}, summary="", order_name="match")
    told = {each.photo_id: each for each in twelve.foreseen()}
    assert (told[3].rating, told[3].expected) == (4, 3.6)
    assert (told[5].expected, told[5].order_name) == (None, "match")


def test_only_the_first_rating_that_stands_is_judged(twelve: Catalog) -> None:
    twelve.decide({3: {"rating": 4}}, summary="", expected={3: 3.6})
    twelve.decide({3: {"rating": 1}}, summary="", expected={3: 4.0})
    assert [(e.rating, e.expected) for e in twelve.foreseen() if e.photo_id == 3] == [(4, 3.6)]
    twelve.undo()
    twelve.undo()
    assert [e for e in twelve.foreseen() if e.photo_id == 3] == []
    twelve.decide({3: {"rating": 2}}, summary="", expected={3: 2.2})
    assert [(e.rating, e.expected) for e in twelve.foreseen() if e.photo_id == 3] == [(2, 2.2)]


def test_versions_are_listed_newest_first(catalog: Catalog) -> None:
    row = TasteRow(0, 0.0, "test/1", 20, None, None, None, "daily", b"numbers")
    first = catalog.save_taste_version(row)
    second = catalog.save_taste_version(replace(row, ratings=30, correlation=0.4))
    listed = catalog.taste_versions()
    assert [version.id for version in listed] == [second, first]
    assert listed[0].made_at > 0 and listed[0].correlation == 0.4
