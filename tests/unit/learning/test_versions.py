"""Versions of taste: saved when due, pinned by rolling back, refused when damaged."""

from __future__ import annotations

import datetime
import io
import pickle
from dataclasses import replace
from typing import NoReturn

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.learning import versions
from curator.learning.learner import Learned, TasteLearner
from curator.learning.report import report
from curator.model import KnownError, NotFoundError
from curator.settings import TasteSettings
from curator.taste import TasteModel
from curator.taste.match import NO_SCALE
from tests import catalogs, taste_data

PHOTOS = 60
EVERYONE = range(1, PHOTOS + 1)


@pytest.fixture
def liked(catalog: Catalog) -> dict[int, np.ndarray]:
    """Sixty photos with vectors, thirty of them rated."""
    catalogs.fill(catalog.path, PHOTOS)
    nothing = {"rating": None, "flag": None, "kept": False}
    catalog.journal.decide(dict.fromkeys(EVERYONE, nothing), summary="a fresh mind")
    catalog.vectors.use_encoder(taste_data.ENCODER)
    vectors = taste_data.embed(catalog, EVERYONE)
    taste_data.rate(catalog, vectors, range(1, 31))
    return vectors


@pytest.fixture
def learner(catalog: Catalog, home: Home, liked: dict[int, np.ndarray]) -> TasteLearner:
    """A learner with thirty ratings, saved as version 1."""
    learner = TasteLearner(catalog, TasteSettings(), home.cache)
    after(learner)
    assert learner.save_version("daily") == 1
    return learner


def after(learner: TasteLearner) -> Learned:
    learner.sync_vectors()
    learner.update_training()
    return taste_data.searched(learner)


def change_of_heart(catalog: Catalog) -> None:
    """Rate all photos with the opposite taste."""
    vectors = taste_data.embed(catalog, EVERYONE)
    for photo in EVERYONE:
        catalog.journal.decide(
            {photo: {"rating": 6 - taste_data.stars(vectors[photo])}}, summary=""
        )


# --- keeping


def test_a_saved_version_is_loaded_unchanged_without_pickle(
    catalog: Catalog, learner: TasteLearner
) -> None:
    blob = catalog.taste.version(1).numbers
    with np.load(io.BytesIO(blob), allow_pickle=False) as numbers:
        again = TasteModel.from_numbers(dict(numbers))
    learned = learner.learned
    assert learned is not None
    rows = learner.vectors.take(np.arange(PHOTOS))
    assert again.rating(rows) == pytest.approx(learned.predicted, abs=1e-2)
    row = catalog.taste.versions()[0]
    assert (row.ratings, row.encoder, row.reason) == (30, taste_data.ENCODER, "daily")


def test_a_version_is_saved_only_if_something_changed(
    catalog: Catalog, learner: TasteLearner
) -> None:
    assert learner.save_version("closing") is None
    catalog.journal.decide({40: {"rating": 1}}, summary="")
    after(learner)
    assert learner.save_version("closing") == 2
    catalog.journal.undo()
    catalog.journal.decide(
        {41: {"rating": 1}}, summary=""
    )  # the same number of ratings, with other stars
    after(learner)
    assert learner.save_version("closing") == 3
    assert [row.reason for row in catalog.taste.versions()] == ["closing", "closing", "daily"]


def test_saving_by_hand_keeps_an_existing_version_permanently(
    catalog: Catalog, learner: TasteLearner
) -> None:
    assert learner.keep_version() == 1
    assert [(row.id, row.reason) for row in catalog.taste.versions()] == [(1, "hand")]
    catalog.journal.decide({40: {"rating": 1}}, summary="")
    after(learner)
    assert learner.keep_version() == 2


def test_without_taste_no_version_can_be_saved(catalog: Catalog, home: Home) -> None:
    with pytest.raises(KnownError, match=r"nothing to keep yet\. Rate 20 more photos"):
        TasteLearner(catalog, TasteSettings(), home.cache).keep_version()


def test_the_first_learning_of_a_day_saves_a_version(
    catalog: Catalog, learner: TasteLearner, home: Home
) -> None:
    assert learner.save_daily_version() is None, "today's version is saved"
    catalog.journal.decide({40: {"rating": 1}}, summary="")
    with catalog.store.transaction():
        catalog.store.run("UPDATE taste_version SET made_at = made_at - 2 * 86400")
    tomorrow = TasteLearner(catalog, TasteSettings(), home.cache)
    assert tomorrow.save_daily_version() is None, "nothing is learned yet"
    after(tomorrow)
    assert tomorrow.save_daily_version() == 2 and tomorrow.save_daily_version() is None
    made = datetime.date.fromtimestamp(catalog.taste.versions()[0].made_at)
    assert made == datetime.date.today()


# --- rolling back


def test_scores_and_predictions_come_from_the_pinned_version_whatever_is_learned(
    catalog: Catalog, learner: TasteLearner, home: Home
) -> None:
    first = learner.learned
    assert first is not None
    change_of_heart(catalog)
    changed = after(learner)
    assert np.abs(changed.scores - first.scores).max() > 10
    versions.roll_back(catalog, 1)
    back = after(learner)
    assert (back.pinned, back.usable) == (1, 60)
    assert back.predicted == pytest.approx(first.predicted, abs=1e-2)
    assert np.abs(back.scores - first.scores).max() <= 1
    assert back.sentence == "Taste is pinned to version 1."
    assert back.name == f"{taste_data.ENCODER}, version 1"
    again = taste_data.learned_now(catalog, TasteSettings(), home.cache)  # the next start
    assert again.pinned == 1 and again.predicted == pytest.approx(first.predicted, abs=1e-2)
    assert versions.unpin(catalog) == 1 and versions.unpin(catalog) is None
    assert after(learner).predicted == pytest.approx(changed.predicted, abs=1e-2)


def test_ratings_made_while_pinned_are_learned_afterwards(
    catalog: Catalog, learner: TasteLearner
) -> None:
    versions.roll_back(catalog, 1)
    pinned = after(learner)
    change_of_heart(catalog)
    assert after(learner).predicted == pytest.approx(pinned.predicted, abs=1e-6)
    versions.unpin(catalog)
    now = after(learner)
    assert now.usable == 60 and np.abs(now.predicted - pinned.predicted).max() > 0.3


def test_no_version_is_saved_while_another_is_pinned(
    catalog: Catalog, learner: TasteLearner
) -> None:
    versions.roll_back(catalog, 1)
    change_of_heart(catalog)
    after(learner)
    assert learner.save_version("closing") is None
    with pytest.raises(KnownError, match=r"pinned to version 1.*Unpin it"):
        learner.keep_version()


def test_a_pinned_version_scores_also_below_twenty_stars(
    catalog: Catalog, learner: TasteLearner, home: Home
) -> None:
    versions.roll_back(catalog, 1)
    catalog.journal.decide({photo: {"rating": None} for photo in range(1, 20)}, summary="")
    learned = taste_data.learned_now(catalog, TasteSettings(), home.cache)
    assert learned.ratings == 11 and learned.ready and learned.pinned == 1


# --- when its hyperparameters are used again


def test_the_command_line_has_match_scores_if_the_window_has_them(
    catalog: Catalog, home: Home
) -> None:
    vectors = taste_data.analyzed(catalog, 200)
    taste_data.rate(catalog, vectors, range(1, 21))
    for photo in range(21, 121):
        catalog.journal.decide({photo: {"flag": "reject"}}, summary="rejected")
    window = TasteLearner(catalog, TasteSettings(), home.cache)
    assert not after(window).has_match, "not yet, after 20 stars and 100 rejects"
    window.save_version("closing")
    unflagged = {photo: {"flag": None} for photo in range(21, 121)}
    catalog.journal.decide(unflagged, summary="no rejects")
    taste_data.rate(catalog, vectors, range(21, 131))
    shown = after(window)
    assert shown.has_match
    command = taste_data.learned_now(catalog, TasteSettings(), home.cache)
    assert command.by_id() == shown.by_id()


def refuse(_: object) -> NoReturn:
    raise AssertionError("searched although hardly anything changed")


def test_a_version_of_almost_the_same_ratings_spares_the_search(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray], learner: TasteLearner
) -> None:
    taste_data.rate(catalog, liked, range(31, 40))
    later = TasteLearner(catalog, TasteSettings(), home.cache, run_job=refuse)
    later.sync_vectors()
    later.update_training()
    assert later.fit().usable == 39
    assert later.learned is not None and learner.learned is not None
    known, now = learner.learned.model, later.learned.model
    assert known is not None and now is not None
    assert now.hyperparameters.penalty == known.hyperparameters.penalty


def test_an_unpinned_version_does_not_decide_on_match_any_more(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray], learner: TasteLearner
) -> None:
    assert learner.learned is not None and learner.learned.model is not None
    without = replace(learner.learned.model, match=NO_SCALE)
    learner.learned = replace(learner.learned, model=without, usable=0)
    number = learner.save_version("hand")
    assert number is not None
    versions.roll_back(catalog, number)
    window = TasteLearner(catalog, TasteSettings(), home.cache)
    assert not after(window).has_match
    taste_data.rate(catalog, liked, range(31, 61))
    versions.unpin(catalog)
    window.sync_vectors()
    window.update_training()
    assert window.fit().has_match


def test_the_largest_changes_have_both_scores(catalog: Catalog, learner: TasteLearner) -> None:
    first = learner.learned
    assert first is not None and learner.score_changes(1) == []
    change_of_heart(catalog)
    second = after(learner)
    learner.save_version("closing")
    moved = learner.score_changes(2, most=5)
    gaps = np.abs(second.scores.astype(int) - first.scores)
    assert [abs(each.now - each.before) for each in moved] == sorted(gaps, reverse=True)[:5]
    assert second.by_id()[moved[0].photo_id] == moved[0].now
    assert first.by_id()[moved[0].photo_id] == moved[0].before
    catalog.journal.decide({31: {"rating": 3}}, summary="a third mind")
    after(learner)
    assert learner.save_version("daily") == 3
    assert all(second.by_id()[each.photo_id] == each.before for each in learner.score_changes(3))


# --- what cannot be used


def overwrite(catalog: Catalog, blob: bytes, number: int = 1) -> None:
    with catalog.store.transaction():
        catalog.store.run("UPDATE taste_version SET numbers = ? WHERE id = ?", (blob, number))


def pickled() -> bytes:
    held = io.BytesIO()
    np.savez(held, weights=np.array([{"code": 1}], dtype=object))
    return held.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda blob: b"",
        lambda blob: b"numbers",
        lambda blob: blob[: len(blob) // 2],
        lambda blob: blob[:400] + bytes(50) + blob[450:],
        lambda blob: pickle.dumps({"weights": [1.0]}),
        lambda blob: pickled(),
    ],
    ids=["empty", "no archive", "cut off", "overwritten", "a pickle", "objects"],
)
def test_a_damaged_version_is_refused_and_nothing_changes(
    catalog: Catalog, learner: TasteLearner, damage
) -> None:  # type: ignore[no-untyped-def]
    overwrite(catalog, damage(catalog.taste.version(1).numbers))
    with pytest.raises(KnownError, match="Version 1 of taste is damaged"):
        versions.roll_back(catalog, 1)
    assert catalog.taste.pinned() is None and after(learner).pinned is None


def test_invalid_numbers_are_damage(catalog: Catalog, learner: TasteLearner) -> None:
    learned = learner.learned
    assert learned is not None and learned.model is not None
    overwrite(
        catalog, versions.to_blob(replace(learned.model, weights=learned.model.weights * np.nan))
    )
    with pytest.raises(KnownError, match="damaged"):
        versions.roll_back(catalog, 1)


def test_an_unknown_version_is_named(catalog: Catalog, learner: TasteLearner) -> None:
    with pytest.raises(NotFoundError, match="Taste version 7 not found"):
        versions.roll_back(catalog, 7)


def test_a_version_of_another_encoder_is_refused(catalog: Catalog, learner: TasteLearner) -> None:
    catalog.vectors.use_encoder("better/1")
    taste_data.embed(catalog, EVERYONE, "better/1", dimension=24)
    with pytest.raises(KnownError, match="another encoder"):
        versions.roll_back(catalog, 1)
    assert catalog.taste.pinned() is None
    after(learner)
    with pytest.raises(KnownError, match="another encoder"):
        compare_with_second_version(catalog, learner)


def compare_with_second_version(catalog: Catalog, learner: TasteLearner) -> None:
    """Save a second version of the old encoder and compare both."""
    row = catalog.taste.version(1)
    learner.score_changes(catalog.taste.save_version(row))


def test_a_version_for_another_vector_length_is_refused(
    catalog: Catalog, learner: TasteLearner
) -> None:
    with catalog.store.transaction():  # other weights under the same name
        catalog.store.run("DELETE FROM vector")
    taste_data.embed(catalog, EVERYONE, dimension=24)
    with pytest.raises(KnownError, match="made for vectors of 92 numbers, not 100"):
        versions.roll_back(catalog, 1)
    assert catalog.taste.pinned() is None


def test_a_damaged_pinned_version_gives_no_scores_and_is_reported(
    catalog: Catalog, learner: TasteLearner, home: Home
) -> None:
    versions.roll_back(catalog, 1)
    overwrite(catalog, b"")
    learned = taste_data.learned_now(catalog, TasteSettings(), home.cache)
    assert not learned.ready and len(learned.scores) == 0
    assert learned.sentence.startswith(
        "Taste is pinned to version 1. Version 1 of taste is damaged"
    )
    assert learned.sentence.endswith("Unpin it, or roll back to another.")
    with catalog.store.transaction():
        catalog.store.run("DELETE FROM taste_version")
    assert (
        "Taste version 1 not found"
        in taste_data.learned_now(catalog, TasteSettings(), home.cache).sentence
    )


def test_a_pinned_version_keeps_its_encoder_when_a_better_one_is_ready(
    catalog: Catalog, learner: TasteLearner
) -> None:
    versions.roll_back(catalog, 1)
    before = after(learner)
    catalog.vectors.use_encoder("better/1")
    taste_data.embed(catalog, EVERYONE, "better/1", dimension=24)
    pinned = after(learner)
    assert (pinned.encoder, pinned.pinned) == (taste_data.ENCODER, 1)
    assert pinned.predicted == pytest.approx(before.predicted, abs=1e-6)
    assert "have no score" in report(learner).analysis_sentence
    versions.unpin(catalog)
    assert after(learner).encoder == "better/1"
    with catalog.store.transaction():
        catalog.store.run("DELETE FROM vector WHERE encoder = ?", (taste_data.ENCODER,))
    catalog.taste.pin(1)
    gone = after(learner)
    assert not gone.ready and "learned from other vectors" in gone.sentence


# --- a better encoder


def test_taste_changes_to_the_better_encoder_when_it_is_ready(
    catalog: Catalog, learner: TasteLearner
) -> None:
    catalog.vectors.use_encoder("open_clip/better/1")
    half = range(1, 31)
    taste_data.embed(catalog, half, "open_clip/better/1", dimension=24)
    learned = after(learner)
    shown = report(learner)
    assert learned.encoder == taste_data.ENCODER and learned.ready
    assert shown.analysis_sentence == (
        "Analyzing again with CLIP: 30 of 60. Taste uses test/1 until that is done."
    )
    taste_data.embed(catalog, range(31, 61), "open_clip/better/1", dimension=24)
    learned = after(learner)
    assert (learned.encoder, learned.vectors) == ("open_clip/better/1", PHOTOS) and learned.ready
    assert learned.model is not None and learned.model.space.dimension == 24
    assert report(learner).analysis_sentence == "60 photos analyzed with CLIP."
