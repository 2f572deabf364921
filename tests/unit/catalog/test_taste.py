"""Vectors, ratings and predictions in the catalog: the data of learning and its evaluation."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog, TasteRow
from curator.model import NotFoundError
from curator.stages import STAGES
from tests import taste_data
from tests.unit.catalog.shoot import Shoot, photo_bytes

ZERO_TONE = np.zeros(76, np.float32)


def state(catalog: Catalog, photo: int) -> str:
    return next(str(work.state) for work in catalog.photos.get(photo).work if work.stage == "embed")


# --- vectors


def test_a_saved_vector_is_loaded_unchanged(twelve: Catalog) -> None:
    vectors = taste_data.embed(twelve, [3, 5])
    rows = twelve.vectors.read(taste_data.ENCODER)
    assert [row[1] for row in rows] == [3, 5]
    assert np.frombuffer(rows[0][2], np.float16) == pytest.approx(vectors[3], abs=1e-3)
    assert state(twelve, 3) == "done" and state(twelve, 4) == "waiting"


def test_only_newer_vectors_are_read(twelve: Catalog) -> None:
    taste_data.embed(twelve, [1, 2, 3])
    last = twelve.vectors.read(taste_data.ENCODER)[-1][0]
    assert twelve.vectors.read(taste_data.ENCODER, last) == []
    taste_data.embed(twelve, [2])
    assert [row[1] for row in twelve.vectors.read(taste_data.ENCODER, last)] == [2]


def test_a_vector_of_an_older_proxy_is_dropped_and_recomputed(twelve: Catalog) -> None:
    made = taste_data.result(twelve, 3, taste_data.ENCODER, np.ones(4, np.float16), ZERO_TONE)
    stale = replace(made, source="other bytes")
    assert twelve.vectors.save([(taste_data.job(3), stale)]) == []
    assert twelve.vectors.read(taste_data.ENCODER) == []
    assert state(twelve, 3) == "waiting"


def test_another_encoder_embeds_everything_and_takes_over_when_done(
    twelve: Catalog,
) -> None:
    everyone = range(1, 13)
    twelve.vectors.use_encoder("old")
    taste_data.embed(twelve, everyone, "old")
    assert twelve.vectors.use_encoder("old") == 0
    assert twelve.vectors.use_encoder("new") == 12
    taste_data.embed(twelve, range(1, 7), "new")
    assert next(iter(twelve.vectors.encoders())) == "old"
    taste_data.embed(twelve, range(7, 13), "new")
    assert next(iter(twelve.vectors.encoders())) == "new"
    assert twelve.vectors.use_encoder("old") == 0, "its vectors stayed"


def test_vectors_of_a_restored_folder_are_reported_as_new(shoot: Shoot) -> None:
    shoot.catalog.work.use_stages(STAGES)
    for name in ("A.JPG", "B.JPG"):
        shoot.write(name, photo_bytes(name))
    shoot.ingest()
    taste_data.embed(shoot.catalog, [1, 2])
    shoot.catalog.folders.remove(1, keep_photos=False)
    other = shoot.write("../elsewhere/C.JPG", photo_bytes("C"))
    shoot.ingest(other.parent)
    taste_data.embed(shoot.catalog, [3])
    [(last, *_)] = shoot.catalog.vectors.read(taste_data.ENCODER)
    shoot.scan()
    assert {row[1] for row in shoot.catalog.vectors.read(taste_data.ENCODER, last)} == {1, 2}


def test_only_changed_proxies_are_embedded_again(shoot: Shoot) -> None:
    catalog = shoot.catalog
    catalog.work.use_stages(STAGES)
    shoot.write("a.jpg", photo_bytes("one"))
    shoot.ingest()
    photo = shoot.photo("a.jpg").id
    taste_data.embed(catalog, [photo])
    # A program wrote its rating into the file: other bytes, the same picture, an equal proxy.
    for digest, wait in ((shoot.photo("a.jpg").proxy_digest, []), ("another", [photo])):
        shoot.write("a.jpg", photo_bytes(f"one, written into, {digest}"))
        shoot.scan()
        shoot.peek()
        again = shoot.jobs("convert")
        assert [job.photo_id for job in again] == [photo]
        result = replace(shoot.converted(again[0]), proxy_digest=digest)
        catalog.results.save_converted([(again[0], result)])
        assert [each.photo_id for each in catalog.work.pending("embed", 9)] == wait
    assert catalog.work.pending("embed", 9)[0].proxy_digest == "another"


def test_a_photo_whose_analysis_failed_is_not_unreadable(twelve: Catalog) -> None:
    assert not twelve.work.save_failure(taste_data.job(3), "Too little memory.", retry=True)
    twelve.work.start("embed", [3])
    twelve.work.save_failure(taste_data.job(3), "Too little memory.", retry=False)
    assert twelve.photos.get(3).state == ""
    assert [failure.stage for failure in twelve.work.failures()] == ["embed"]


def test_without_the_stage_no_photo_waits_for_an_encoder(twelve: Catalog) -> None:
    assert twelve.work.unfinished("proxy") == 12
    twelve.work.use_stages(STAGES[:2])
    assert twelve.work.unfinished() == twelve.work.unfinished("proxy") == 0


# --- ratings


def test_only_current_ratings_are_returned(twelve: Catalog) -> None:
    before = {judgment.photo_id: judgment.rating for judgment in twelve.taste.ratings()}
    twelve.journal.decide({3: {"rating": 5}}, summary="")
    twelve.journal.decide({4: {"flag": "reject"}}, summary="")
    marks = {
        judgment.photo_id: (judgment.rating, judgment.rejected)
        for judgment in twelve.taste.ratings()
    }
    assert marks.keys() - before.keys() == {3, 4}
    assert marks[3] == (5, False) and marks[4] == (None, True)
    starred = [rating is not None and not rejected for rating, rejected in marks.values()]
    assert twelve.taste.count_rated() == sum(starred)
    twelve.journal.undo()
    assert [judgment.rejected for judgment in twelve.taste.ratings([4])] == [False]


def test_a_prediction_is_stored_with_its_rating(twelve: Catalog) -> None:
    twelve.journal.decide({3: {"rating": 4, "kept": True}}, summary="", expected={3: 3.6, 4: 1.0})
    twelve.journal.decide({5: {"rating": 2}}, summary="", order_name="match")
    predictions = {each.photo_id: each for each in twelve.taste.predictions()}
    assert (predictions[3].rating, predictions[3].expected) == (4, 3.6)
    assert (predictions[5].expected, predictions[5].order_name) == (None, "match")


def test_only_the_first_valid_rating_is_evaluated(twelve: Catalog) -> None:
    twelve.journal.decide({3: {"rating": 4}}, summary="", expected={3: 3.6})
    twelve.journal.decide({3: {"rating": 1}}, summary="", expected={3: 4.0})
    assert [(e.rating, e.expected) for e in twelve.taste.predictions() if e.photo_id == 3] == [
        (4, 3.6)
    ]
    twelve.journal.undo()
    twelve.journal.undo()
    assert [e for e in twelve.taste.predictions() if e.photo_id == 3] == []
    twelve.journal.decide({3: {"rating": 2}}, summary="", expected={3: 2.2})
    assert [(e.rating, e.expected) for e in twelve.taste.predictions() if e.photo_id == 3] == [
        (2, 2.2)
    ]


def test_versions_are_listed_newest_first(catalog: Catalog) -> None:
    row = TasteRow(0, 0.0, "test/1", 20, None, None, None, "daily", b"numbers")
    first = catalog.taste.save_version(row)
    second = catalog.taste.save_version(replace(row, ratings=30, correlation=0.4))
    listed = catalog.taste.versions()
    assert [version.id for version in listed] == [second, first]
    assert listed[0].made_at > 0 and listed[0].correlation == 0.4


def test_a_redone_rating_keeps_its_prediction(twelve: Catalog) -> None:
    twelve.journal.decide({3: {"rating": 4}}, summary="", expected={3: 3.6})
    for _ in range(2):
        twelve.journal.undo()
        twelve.journal.redo()
        assert [e.expected for e in twelve.taste.predictions() if e.photo_id == 3] == [3.6]


@pytest.mark.parametrize("by", ["stack", "stacked"])
def test_only_the_first_rating_of_a_stack_is_evaluated(twelve: Catalog, by: str) -> None:
    stack(twelve, by, 4, [4, 5])
    twelve.journal.decide({5: {"rating": 2}}, summary="", expected={5: 2.5})
    twelve.journal.decide({4: {"rating": 5}}, summary="", expected={4: 3.0})
    twelve.journal.decide({6: {"rating": 3}}, summary="", expected={6: 3.5})
    assert [e.photo_id for e in twelve.taste.predictions() if e.photo_id in (4, 5, 6)] == [5, 6]
    twelve.journal.decide({4: {"stacked": 0}}, summary="split")
    assert [e.photo_id for e in twelve.taste.predictions() if e.photo_id in (4, 5, 6)] == [5, 4, 6]


def test_a_rating_has_the_stack_of_its_photo(twelve: Catalog) -> None:
    stack(twelve, "stack", 4, [4, 5, 6])
    twelve.journal.decide({4: {"kept": True}, 5: {"flag": "reject"}, 8: {"kept": True}}, summary="")
    marks = {judgment.photo_id: judgment for judgment in twelve.taste.ratings()}
    assert (marks[4].stack, marks[5].stack) == (4, 4)
    assert marks[4].kept and not marks[5].kept and marks[5].rejected
    assert 8 not in marks, "kept and alone teaches nothing"
    twelve.journal.decide({5: {"stacked": 0}}, summary="")
    assert next(twelve.taste.ratings([5])).stack < 0
    twelve.journal.decide({7: {"rating": 2}, 5: {"stacked": 7}}, summary="")
    twelve.journal.decide({7: {"stacked": 7}}, summary="")
    assert {judgment.stack for judgment in twelve.taste.ratings([5, 7])} == {7}


# --- repeated ratings


def stars(catalog: Catalog) -> list[tuple[int, int, int]]:
    """Return the repeated ratings as (photo, first, again)."""
    return [(each.photo_id, each.first, each.again) for each in catalog.taste.repeats()]


def test_a_repeat_is_recorded_even_with_the_same_stars(twelve: Catalog) -> None:
    twelve.journal.decide({3: {"rating": 4}, 4: {"rating": 2}}, summary="")
    same = twelve.journal.repeat(3, {"rating": 4, "kept": True}, summary="4 stars")
    twelve.journal.repeat(4, {"rating": 5, "kept": True}, summary="5 stars")
    assert same.id and [change.repeated for change in same.changes if change.field == "rating"]
    assert stars(twelve) == [(3, 4, 4), (4, 2, 5)]
    [of_3, of_4] = twelve.taste.repeats()
    assert of_3.first_at == of_4.first_at < of_3.again_at < of_4.again_at
    assert twelve.photos.get(4).marks.rating == 5
    assert {each.photo_id: each.rating for each in twelve.taste.ratings()}[4] == 5


def test_an_undone_repeat_does_not_count_until_it_is_redone(twelve: Catalog) -> None:
    twelve.journal.decide({3: {"rating": 4}}, summary="")
    twelve.journal.repeat(3, {"rating": 5}, summary="5 stars")
    twelve.journal.repeat(3, {"rating": 5}, summary="5 stars")
    assert stars(twelve) == [(3, 4, 5), (3, 5, 5)]
    for left in ([(3, 4, 5)], []):
        twelve.journal.undo()
        assert stars(twelve) == left
    assert twelve.photos.get(3).marks.rating == 4
    again = [each.repeated for step in twelve.journal.history(3) for each in step.changes]
    assert again == [False, True, True, False, False], "the first rating is not rated again"
    twelve.journal.redo()
    twelve.journal.redo()
    assert stars(twelve) == [(3, 4, 5), (3, 5, 5)]
    assert [change.repeated for change in twelve.journal.history(3)[-1].changes] == [True]


def test_a_repeat_follows_the_newest_rating_of_a_person(twelve: Catalog) -> None:
    twelve.journal.decide({3: {"rating": 1}}, summary="")
    twelve.journal.decide({3: {"rating": 2}}, summary="")
    twelve.journal.repeat(3, {"rating": 3}, summary="")
    twelve.journal.decide({4: {"rating": 5}}, summary="", source="file")
    twelve.journal.repeat(4, {"rating": 4}, summary="")
    assert stars(twelve) == [(3, 2, 3)]
    with twelve.store.transaction():
        twelve.store.run("UPDATE photo SET merged_into = 2 WHERE id = 3")
    twelve.journal.repeat(2, {"rating": 5}, summary="")
    assert stars(twelve) == [(2, 2, 3), (2, 3, 5)]


def test_a_repeat_never_tests_the_prediction(twelve: Catalog) -> None:
    twelve.journal.decide({3: {"rating": 4}}, summary="", source="file")
    twelve.journal.repeat(3, {"rating": 4}, summary="")
    assert all(each.photo_id != 3 for each in twelve.taste.predictions())


def stack(catalog: Catalog, by: str, name: int, photos: list[int]) -> None:
    """Put photos into one stack, automatically or by hand."""
    if by == "stacked":
        catalog.journal.decide({photo: {"stacked": name} for photo in photos}, summary="stack")
        return
    with catalog.store.transaction():
        catalog.store.run_many(
            "UPDATE photo SET stack = ?, stack_kind = 'burst' WHERE id = ?",
            [(name, photo) for photo in photos],
        )


# --- moving over to another encoder


def halfway(catalog: Catalog, seen: range) -> Catalog:
    """Twelve photos with vectors of the old encoder and some of the new one, now in use."""
    catalog.vectors.use_encoder("old")
    taste_data.embed(catalog, range(1, 11), "old")
    catalog.vectors.use_encoder("new")
    taste_data.embed(catalog, seen, "new")
    return catalog


def test_an_encoder_done_for_other_photos_is_not_complete(twelve: Catalog) -> None:
    halfway(twelve, range(3, 13))
    assert list(twelve.vectors.encoders().items()) == [("old", 10), ("new", 10)]
    again = twelve.vectors.catching_up()
    assert again is not None
    assert (again.encoder, again.encoded, again.total, again.waiting) == ("new", 8, 10, 2)
    taste_data.embed(twelve, [1, 2], "new")
    assert next(iter(twelve.vectors.encoders())) == "new" and twelve.vectors.catching_up() is None


def test_new_photos_do_not_activate_an_incomplete_encoder(
    twelve: Catalog,
) -> None:
    halfway(twelve, range(2, 13))
    assert next(iter(twelve.vectors.encoders())) == "old", (
        "eleven are more than ten, but one is missing"
    )


def test_failed_analyses_delay_an_encoder_only_if_there_are_many(twelve: Catalog) -> None:
    halfway(twelve, range(1, 10))
    twelve.work.start("embed", [10])
    twelve.work.save_failure(taste_data.job(10), "Its proxy is damaged.", retry=False)
    assert next(iter(twelve.vectors.encoders())) == "new", "nine of ten, and no more can be had"
    with twelve.store.transaction():
        twelve.store.run("DELETE FROM vector WHERE encoder = 'new' AND photo_id = 9")
        twelve.store.run("UPDATE photo SET missing = 1 WHERE id = 9")
    assert next(iter(twelve.vectors.encoders())) == "old", (
        "a fifth of the photos would lose their score"
    )
    again = twelve.vectors.catching_up()
    assert again is not None and (again.encoded, again.waiting) == (8, 0)


def test_new_proxies_do_not_reactivate_the_former_encoder(twelve: Catalog) -> None:
    halfway(twelve, range(1, 11))
    assert next(iter(twelve.vectors.encoders())) == "new"
    twelve.work.backfill("embed")
    assert next(iter(twelve.vectors.encoders())) == "new"


def test_removed_photos_do_not_delay_an_encoder(twelve: Catalog) -> None:
    halfway(twelve, range(1, 6))
    with twelve.store.transaction():
        twelve.store.run("UPDATE photo SET removed_at = 1, missing = 1 WHERE id IN (4, 6, 7, 8, 9)")
        twelve.store.run("UPDATE photo SET merged_into = 1 WHERE id = 10")
    assert twelve.vectors.encoders() == {"new": 4, "old": 4}, "all that are here were seen by both"
    assert next(iter(twelve.vectors.encoders())) == "new" and twelve.vectors.catching_up() is None


def test_removed_photos_do_not_count_as_analyzed(twelve: Catalog) -> None:
    halfway(twelve, range(1, 10))
    with twelve.store.transaction():
        twelve.store.run("UPDATE photo SET removed_at = 1, missing = 1 WHERE id < 8")
        twelve.store.run("UPDATE photo SET missing = 1 WHERE id = 10")
    assert next(iter(twelve.vectors.encoders())) == "old", (
        "a third of the photos would lose their score"
    )
    again = twelve.vectors.catching_up()
    assert again is not None and (again.encoded, again.total, again.waiting) == (2, 3, 0)


# --- versions and the pin


def kept(catalog: Catalog, reason: str = "closing", **fields: object) -> int:
    row = TasteRow(0, 0.0, "test/1", 20, None, None, None, reason, b"numbers")
    return catalog.taste.save_version(replace(row, **fields))  # type: ignore[arg-type]


def test_a_pin_is_remembered_until_removed(catalog: Catalog) -> None:
    assert catalog.taste.pinned() is None
    number = kept(catalog)
    catalog.taste.pin(number)
    other = Catalog.open(catalog.path)
    assert other.taste.pinned() == number
    assert other.taste.version(number).numbers == b"numbers"
    other.taste.pin(None)
    other.close()
    assert catalog.taste.pinned() is None
    with pytest.raises(NotFoundError, match="Taste version 9 not found"):
        catalog.taste.version(9)


def test_old_versions_are_removed_except_monthly_pinned_and_manual_ones(
    catalog: Catalog,
) -> None:
    first = kept(catalog)
    catalog.taste.pin(first)
    by_hand = kept(catalog, "hand")
    old = [kept(catalog, "daily") for _ in range(4)]
    with catalog.store.transaction():  # long ago, over two months
        catalog.store.run_many(
            "UPDATE taste_version SET made_at = ? WHERE id = ?",
            [
                (1_600_000_000 + 20 * 86_400 * place, number)
                for place, number in enumerate([first, by_hand, *old])
            ],
        )
    new = [kept(catalog) for _ in range(20)]
    left = [row.id for row in catalog.taste.versions()]
    # September: the pinned one; then one by hand; then the last of October, November, December.
    assert left == sorted([first, by_hand, *months(catalog, old), *new], reverse=True)
    assert len(months(catalog, old)) == 3


def months(catalog: Catalog, numbers: list[int]) -> list[int]:
    """Return the last version of each month, of versions made every twenty days from 2020-09-13."""
    by_month = {}
    for place, number in enumerate(numbers, 2):
        made = datetime.datetime.fromtimestamp(1_600_000_000 + 20 * 86_400 * place, datetime.UTC)
        by_month[made.month] = number
    return sorted(by_month.values())
