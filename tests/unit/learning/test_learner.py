"""Learning from ratings in the catalog, at once and incrementally."""

from __future__ import annotations

import time

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.home import Home
from curator.learning.learner import Learned, TasteLearner, accuracy_of
from curator.learning.report import report
from curator.learning.row_file import RowFile
from curator.learning.vector_index import VectorIndex
from curator.model import KnownError
from curator.settings import TasteSettings
from curator.taste import rank_correlation
from curator.taste.tone import TONES
from tests import catalogs, taste_data

PHOTOS = 60


@pytest.fixture
def liked(catalog: Catalog) -> dict[int, np.ndarray]:
    """Sixty photos with vectors and without any ratings."""
    return taste_data.analyzed(catalog, PHOTOS)


def after(learner: TasteLearner, ids: list[int] | None = None) -> Learned:
    learner.sync_vectors()
    learner.update_training(ids)
    return taste_data.searched(learner)


def test_a_disk_full_during_an_encoder_change_leaves_no_training_data_of_the_old_one(
    catalog: Catalog,
    learner: TasteLearner,
    liked: dict[int, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    after(learner)
    catalog.vectors.use_encoder("wider/1")
    taste_data.embed(catalog, range(1, PHOTOS + 1), "wider/1", dimension=24)
    with monkeypatch.context() as full:
        full.setattr(RowFile, "put", refuse)
        with pytest.raises(KnownError):
            learner.sync_vectors()
    learned = after(learner)
    assert learned.encoder == "wider/1" and len(learned.scores) == PHOTOS


@pytest.mark.parametrize("dual_limit", [25, 800])
def test_photos_left_out_are_predicted_as_if_unrated_until_they_count_again(
    catalog: Catalog,
    learner: TasteLearner,
    liked: dict[int, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
    dual_limit: int,
) -> None:
    monkeypatch.setattr("curator.taste.training.DUAL_LIMIT", dual_limit)
    taste_data.rate(catalog, liked, range(1, 41))
    every = after(learner)
    assert learner.leave_out([7]) and not learner.leave_out([7])
    without = learner.fit().predicted
    learner.update_training()
    assert set(learner.judged_photos()[0].tolist()) == set(range(1, 41)) - {7}
    assert learner.save_daily_version() is None
    assert learner.leave_out(())
    assert learner.fit().predicted == pytest.approx(every.predicted, abs=1e-5)
    catalog.journal.decide({7: {"rating": None}}, summary="no stars")
    learner.update_training([7])
    assert learner.fit().predicted == pytest.approx(without, abs=1e-5)


def refuse(*_: object) -> None:
    raise KnownError("There is no room.", "Make some.")


def test_after_a_full_disk_the_next_rating_is_learned_with_all_others(
    catalog: Catalog,
    learner: TasteLearner,
    liked: dict[int, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("curator.taste.training.DUAL_LIMIT", 25)
    taste_data.rate(catalog, liked, range(1, 25))
    after(learner)
    taste_data.rate(catalog, liked, range(25, 28))
    with monkeypatch.context() as full:
        full.setattr("curator.taste.row_store.RowStore.move_to_file", refuse)
        with pytest.raises(KnownError):
            learner.update_training([25, 26, 27])
    taste_data.rate(catalog, liked, range(28, 29))
    learned = after(learner, [28])
    assert learned.usable == 28 and len(learned.scores) == PHOTOS


# --- the archive


def test_the_index_holds_every_vector_once(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray]
) -> None:
    archive = VectorIndex(home.cache)
    assert set(archive.sync(catalog).tolist()) == set(liked)
    assert len(archive.sync(catalog)) == 0
    row = archive.take(archive.rows_of([7]))[0]
    assert row[: archive.dimension] == pytest.approx(liked[7], abs=1e-3)
    taste_data.embed(catalog, [7])
    assert archive.sync(catalog).tolist() == [7] and archive.size == PHOTOS
    assert archive.rows_of([7, 999, 10**7]).tolist() == [archive.rows_of([7])[0], -1, -1]


def test_the_index_grows_without_losing_a_row(catalog: Catalog, home: Home) -> None:
    catalogs.fill(catalog.path, 1500)
    first = taste_data.embed(catalog, range(1, 900))
    archive = VectorIndex(home.cache)
    archive.sync(catalog)
    taste_data.embed(catalog, range(900, 1501))
    archive.sync(catalog)
    assert archive.size == 1500
    assert archive.take(archive.rows_of([3]))[0, :16] == pytest.approx(first[3], abs=1e-3)


@pytest.mark.parametrize("fault", ["zeros", "nan", "short", "empty"])
@pytest.mark.parametrize("photo", [1, 9])
def test_a_damaged_vector_is_left_out_and_the_rest_is_loaded(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray], fault: str, photo: int
) -> None:
    damage(catalog, photo, fault)
    archive = VectorIndex(home.cache)
    archive.sync(catalog)
    assert archive.size == PHOTOS - 1 and archive.rows_of([photo]).tolist() == [-1]
    assert archive.damaged == {photo}
    taste_data.embed(catalog, [photo])
    archive.sync(catalog)
    assert archive.size == PHOTOS and not archive.damaged


def damage(catalog: Catalog, photo: int, fault: str) -> None:
    """Write an invalid vector as the first of the catalog."""
    bad = np.zeros(16, np.float16)
    bad = {"zeros": bad, "nan": bad + np.float16("nan"), "short": bad[:3] + 1, "empty": bad[:0]}[
        fault
    ]
    with catalog.store.transaction():
        catalog.store.run("UPDATE vector SET vector = ? WHERE photo_id = ?", (bad.tobytes(), photo))


def test_a_photo_with_a_damaged_vector_has_no_score_and_is_reported(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray], learner: TasteLearner
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    for photo, fault in ((1, "short"), (40, "nan")):
        damage(catalog, photo, fault)
    after(learner)
    learned = taste_data.learned_now(catalog, TasteSettings(), home.cache)
    assert (learned.ratings, learned.usable, learned.damaged) == (30, 29, 2)
    assert learned.sentence == "Learned from 29 of 30 photos with stars."
    assert learned.by_id().keys() == set(liked) - {1, 40}
    assert np.isfinite(learned.predicted).all()
    assert report(learner).damaged.startswith("2 photos cannot be scored")


def test_the_index_follows_the_encoder_in_use(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray]
) -> None:
    archive = VectorIndex(home.cache)
    archive.sync(catalog)
    catalog.vectors.use_encoder("wide/1")
    taste_data.embed(catalog, range(1, PHOTOS), "wide/1", dimension=24)
    archive.sync(catalog)
    assert archive.dimension == 16, "one photo is still missing"
    taste_data.embed(catalog, [PHOTOS], "wide/1", dimension=24)
    archive.sync(catalog)
    assert (archive.dimension, archive.size, archive.encoder) == (24, PHOTOS, "wide/1")


# --- learning


def test_below_twenty_ratings_the_missing_number_is_reported(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 20))
    learned = after(learner)
    assert not learned.ready and len(learned.scores) == 0
    assert learned.sentence == "Rate 1 more photo to start predictions."


def test_ratings_without_vectors_are_learned_once_the_vectors_arrive(
    catalog: Catalog, learner: TasteLearner
) -> None:
    catalogs.fill(catalog.path, 30)
    catalog.journal.decide(
        {p: {"rating": 1 + p % 5, "flag": None} for p in range(1, 26)}, summary=""
    )
    assert "not analyzed yet" in after(learner).sentence
    taste_data.embed(catalog, range(1, 31))
    learned = after(learner, [])
    assert learned.ready and learned.usable == 25


def test_the_learner_learns_a_persons_taste(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 41))
    learned = taste_data.learned_now(catalog, TasteSettings(), home.cache)
    rest = learned.ids > 40
    wanted = [liked[int(photo)][0] for photo in learned.ids[rest]]
    assert rank_correlation(learned.predicted[rest], wanted) > 0.5
    assert learned.scores.min() >= 0 and learned.scores.max() <= 100
    assert learned.by_id().keys() == set(liked)


def test_a_rating_and_its_undo_restore_the_former_scores(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    before = after(learner)
    catalog.journal.decide({50: {"rating": 5}}, summary="")
    between = after(learner, [50])
    assert between.usable == 31
    assert not np.allclose(between.predicted, before.predicted, atol=1e-4)
    catalog.journal.undo()
    back = after(learner, [50])
    assert back.usable == 30
    assert back.predicted == pytest.approx(before.predicted, abs=1e-3)


def test_incremental_learning_equals_learning_at_once(
    catalog: Catalog, home: Home, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 25))
    after(learner)
    for photo in range(25, 33):
        taste_data.rate(catalog, liked, [photo])
        step_by_step = after(learner, [photo])
    at_once = taste_data.learned_now(catalog, TasteSettings(), home.cache)
    assert step_by_step.predicted == pytest.approx(at_once.predicted, abs=1e-3)


def restack(catalog: Catalog, name: int, photos: range) -> None:
    """Save an automatic stack."""
    with catalog.store.transaction():
        catalog.store.run_many(
            "UPDATE photo SET stack = ?, stack_kind = 'burst' WHERE id = ?",
            [(name, photo) for photo in photos],
        )


def examples_of(learner: TasteLearner) -> dict[int, tuple[str, float, object]]:
    """Return each training example by key: rating or comparison, its weight, its group."""
    training = learner._training
    assert training is not None
    facts = training._facts[: len(training)]
    return {
        key: ("rating" if fact[0] else "comparison", round(fact[2], 6), group)  # type: ignore[misc]
        for key, fact, group in zip(training._keys, facts, training._groups, strict=True)
    }


def test_frames_of_a_stack_are_left_out_together(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    restack(catalog, 4, range(4, 7))
    after(learner)
    groups = {photo: group for photo, (_, _, group) in examples_of(learner).items()}
    assert groups[4] == groups[5] == groups[6] == 4
    assert len(set(groups.values())) == 28
    catalog.journal.decide({5: {"stacked": 0}}, summary="split")
    after(learner, [5])
    assert len({group for _, _, group in examples_of(learner).values()}) == 29
    restack(catalog, 20, range(20, 23))
    assert learner.update_training([20, 21, 22]), "a new automatic stack counts at once"
    assert len({group for _, _, group in examples_of(learner).values()}) == 27


def test_a_reject_in_a_stack_counts_only_against_kept_frames_of_that_stack(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    restack(catalog, 40, range(40, 44))
    catalog.journal.decide({40: {"flag": "reject"}, 41: {"flag": "reject"}}, summary="")
    after(learner)
    examples = examples_of(learner)
    assert examples[40] == ("rating", examples[41][1], 40), "nothing of the stack was kept"
    alone = examples[40][1] + examples[41][1]
    catalog.journal.decide({42: {"kept": True}}, summary="")
    after(learner, [42])
    examples = examples_of(learner)
    assert examples[40][0] == examples[41][0] == "comparison" and 42 not in examples
    assert examples[40][1] + examples[41][1] == pytest.approx(alone, rel=1e-6)
    catalog.journal.undo()
    after(learner, [42])
    assert examples_of(learner)[40][0] == "rating"
    catalog.journal.decide({50: {"flag": "reject"}}, summary="")
    after(learner, [50])
    assert examples_of(learner)[50] == ("rating", pytest.approx(alone, rel=1e-3), -50)


def test_kept_frames_of_a_stack_score_above_rejected_ones(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    restack(catalog, 40, range(40, 42))
    before = after(learner)
    catalog.journal.decide({40: {"flag": "reject"}, 41: {"kept": True}}, summary="")
    now = after(learner, [40, 41])
    places = learner.vectors.rows_of([40, 41])
    gap = {id(each): np.diff(each.predicted[places])[0] for each in (before, now)}
    assert gap[id(now)] > gap[id(before)]
    middle = [float(each.predicted[places].mean()) for each in (before, now)]
    assert middle[1] == pytest.approx(middle[0], abs=0.2), "the subject is as good as it was"


def test_the_winner_of_a_comparison_scores_higher_until_undone(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    before = after(learner)
    places = learner.vectors.rows_of([40, 41])
    worse, better = np.array([40, 41])[np.argsort(before.predicted[places])].tolist()
    catalog.journal.decide(
        {worse: {("over", better): True}}, summary="Preferred the one predicted worse"
    )
    now = after(learner, [worse, better])
    assert now.usable == before.usable, "a comparison is no rating"
    gained = (now.predicted - before.predicted)[learner.vectors.rows_of([worse, better])]
    assert gained[0] > 0.05 and gained[0] > gained[1] + 0.1
    catalog.journal.undo()
    back = after(learner, [worse])
    assert back.predicted == pytest.approx(before.predicted, abs=1e-3)


def test_a_comparison_waits_for_both_vectors(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    with catalog.store.transaction():
        catalog.store.run("DELETE FROM vector WHERE photo_id = 41")
    taste_data.rate(catalog, liked, range(1, 31))
    catalog.journal.decide({40: {("over", 41): True}}, summary="Preferred 40 to 41")
    after(learner)
    assert ("over", 40, 41) not in examples_of(learner)
    taste_data.embed(catalog, [41])
    after(learner, [])
    assert examples_of(learner)["over", 40, 41][0] == "comparison"


def test_a_kept_frame_without_vector_is_learned_later(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    others = {photo: vector for photo, vector in liked.items() if photo != 41}
    with catalog.store.transaction():
        catalog.store.run("DELETE FROM vector WHERE photo_id = 41")
    taste_data.rate(catalog, others, range(1, 31))
    restack(catalog, 40, range(40, 42))
    catalog.journal.decide({40: {"flag": "reject"}, 41: {"rating": 4}}, summary="")
    after(learner)
    assert 40 not in examples_of(learner)
    taste_data.embed(catalog, [41])
    after(learner, [])
    examples = examples_of(learner)
    assert (examples[40][0], examples[41][0]) == ("comparison", "rating")


def test_recent_ratings_weigh_more_by_the_half_life_of_the_settings(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    with catalog.store.transaction():  # the first ten were rated a year ago
        catalog.store.run("DROP TRIGGER step_no_update")
        catalog.store.run(
            "UPDATE step SET made_at = made_at - 365 * 86400 WHERE id IN (SELECT step_id FROM"
            " decision WHERE field = 'rating' AND after IS NOT NULL AND photo_id <= 10)"
        )
    learner._settings.half_life_days = 365
    after(learner)
    weights = {photo: weight for photo, (_, weight, _) in examples_of(learner).items()}
    assert weights[30] / weights[2] == pytest.approx(2, rel=1e-3)
    learner._settings.half_life_days = 182.5  # as the settings dialog does
    assert learner.sync_vectors() and not learner.sync_vectors()
    learner.fit()
    weights = {photo: weight for photo, (_, weight, _) in examples_of(learner).items()}
    assert weights[30] / weights[2] == pytest.approx(4, rel=1e-3)


def test_rejects_lower_scores_and_are_no_ratings(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    before = after(learner)
    catalog.journal.decide({photo: {"flag": "reject"} for photo in range(40, 50)}, summary="")
    learned = after(learner, list(range(40, 50)))
    assert learned.ratings == learned.usable == 30
    rejected = np.isin(learned.ids, range(40, 50))
    assert learned.predicted[rejected].mean() < before.predicted[rejected].mean()


def test_equal_ratings_give_no_score_until_something_differs(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    catalog.journal.decide({photo: {"rating": 5} for photo in range(1, 26)}, summary="")
    learned = after(learner)
    assert not learned.ready, "five stars for all would make everything a match"
    assert learned.sentence.startswith("All 25 rated photos have the same rating")
    catalog.journal.decide({40: {"rating": 2}}, summary="")
    assert after(learner, [40]).ready
    catalog.journal.undo()
    assert not after(learner, [40]).ready
    catalog.journal.decide({41: {"flag": "reject"}}, summary="")
    assert after(learner, [41]).ready, "a reject differs from five stars"


# --- accuracy


@pytest.mark.slow
def test_predictions_made_before_ratings_are_evaluated(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 21))
    learned = after(learner)
    for photo in range(21, 61):
        predicted = dict(zip(learned.ids.tolist(), learned.predicted.tolist(), strict=True))
        stars = taste_data.stars(liked[photo])
        catalog.journal.decide(
            {photo: {"rating": stars}}, summary="", expected={photo: predicted[photo]}
        )
        learned = after(learner, [photo])
    judged = accuracy_of(catalog.taste.predictions())
    assert judged.count == 40
    assert judged.correlation > 0.3 and "rank correlation" in judged.sentence


def test_a_photo_similar_to_the_last_rated_one_is_not_evaluated(
    catalog: Catalog,
    liked: dict[int, np.ndarray],
    learner: TasteLearner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two similar photos the second is evaluated again a day later."""
    twin = {2: liked[1], 4: liked[3]}
    for photo, vector in twin.items():
        made = taste_data.result(
            catalog,
            photo,
            taste_data.ENCODER,
            vector.astype(np.float16),
            np.zeros(TONES, np.float32),
        )
        catalog.vectors.save([(taste_data.job(photo), made)])
    tomorrow = time.time() + 86_400
    for photo in (1, 2, 3, 5, 4):
        if photo == 4:  # rated a day after its twin
            monkeypatch.setattr(time, "time", lambda: tomorrow)
        catalog.journal.decide({photo: {"rating": 3}}, summary="rated", expected={photo: 3.0})
    after(learner)
    counted = {each.photo_id: each.expected for each in learner.predictions()}
    assert counted == {1: 3.0, 2: None, 3: 3.0, 5: 3.0, 4: 3.0}
    assert learner.accuracy().count == 4
