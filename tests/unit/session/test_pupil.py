"""What is learned from ratings in the catalog, once and step by step."""

from __future__ import annotations

import io

import numpy as np
import pytest

from curator.catalog import Catalog
from curator.session.archive import Archive
from curator.session.pupil import Learned, Pupil, judge, learned_now
from curator.settings import Home, Settings, Taste
from curator.taste import TasteModel, rank_correlation
from tests import catalogs, likings

PHOTOS = 60


@pytest.fixture
def liked(catalog: Catalog) -> dict[int, np.ndarray]:
    """Sixty photos that were compared; the fill rated some of them at random: taken back."""
    catalogs.fill(catalog.path, PHOTOS)
    everyone = range(1, PHOTOS + 1)
    nothing = {"rating": None, "flag": None, "kept": False}
    catalog.decide(dict.fromkeys(everyone, nothing), summary="a fresh mind")
    return likings.embed(catalog, everyone)


@pytest.fixture
def pupil(catalog: Catalog, home: Home) -> Pupil:
    return Pupil(catalog, Settings.load(home).taste, home.cache)


def after(pupil: Pupil, ids: list[int] | None = None) -> Learned:
    pupil.look()
    pupil.study(ids)
    return pupil.learn()


# --- the archive


def test_the_archive_holds_every_vector_once(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray]
) -> None:
    archive = Archive(home.cache)
    assert set(archive.sync(catalog).tolist()) == set(liked)
    assert len(archive.sync(catalog)) == 0
    row = archive.take(archive.places([7]))[0]
    assert row[: archive.dimension] == pytest.approx(liked[7], abs=1e-3)
    likings.embed(catalog, [7])
    assert archive.sync(catalog).tolist() == [7] and archive.size == PHOTOS
    assert archive.places([7, 999, 10**7]).tolist() == [archive.places([7])[0], -1, -1]


def test_the_archive_grows_without_losing_a_row(catalog: Catalog, home: Home) -> None:
    catalogs.fill(catalog.path, 1500)
    first = likings.embed(catalog, range(1, 900))
    archive = Archive(home.cache)
    archive.sync(catalog)
    likings.embed(catalog, range(900, 1501))
    archive.sync(catalog)
    assert archive.size == 1500
    assert archive.take(archive.places([3]))[0, :16] == pytest.approx(first[3], abs=1e-3)


@pytest.mark.parametrize("fault", ["zeros", "nan", "short"])
def test_a_damaged_vector_is_left_out_and_the_rest_is_there(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray], fault: str
) -> None:
    bad = np.zeros(16, np.float16)
    bad = {"zeros": bad, "nan": bad + np.float16("nan"), "short": bad[:3] + 1}[fault]
    made = likings.result(catalog, 9, likings.ENCODER, bad, np.zeros(76, np.float32))
    catalog.save_embedded([(likings.job(9), made)])
    archive = Archive(home.cache)
    archive.sync(catalog)
    assert archive.size == PHOTOS - 1 and archive.places([9]).tolist() == [-1]


def test_the_archive_follows_the_encoder_to_go_by(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray]
) -> None:
    archive = Archive(home.cache)
    archive.sync(catalog)
    catalog.use_encoder("wide/1")
    likings.embed(catalog, range(1, PHOTOS), "wide/1", dimension=24)
    archive.sync(catalog)
    assert archive.dimension == 16, "one photo is still missing"
    likings.embed(catalog, [PHOTOS], "wide/1", dimension=24)
    archive.sync(catalog)
    assert (archive.dimension, archive.size, archive.encoder) == (24, PHOTOS, "wide/1")


# --- learning


def test_below_twenty_stars_it_says_how_many_are_missing(
    catalog: Catalog, pupil: Pupil, liked: dict[int, np.ndarray]
) -> None:
    likings.rate(catalog, liked, range(1, 20))
    learned = after(pupil)
    assert not learned.ready and len(learned.scores) == 0
    assert learned.sentence == "1 more photo with stars until taste is ready."


def test_stars_without_vectors_teach_when_the_vectors_come(catalog: Catalog, pupil: Pupil) -> None:
    catalogs.fill(catalog.path, 30)
    catalog.decide({p: {"rating": 1 + p % 5, "flag": None} for p in range(1, 26)}, summary="")
    assert "not compared yet" in after(pupil).sentence
    likings.embed(catalog, range(1, 31))
    learned = after(pupil, [])
    assert learned.ready and learned.taught == 25


def test_it_learns_what_one_likes(
    catalog: Catalog, home: Home, liked: dict[int, np.ndarray]
) -> None:
    likings.rate(catalog, liked, range(1, 41))
    learned = learned_now(catalog, Taste(), home.cache)
    rest = learned.ids > 40
    wanted = [liked[int(photo)][0] for photo in learned.ids[rest]]
    assert rank_correlation(learned.predicted[rest], wanted) > 0.5
    assert learned.scores.min() >= 0 and learned.scores.max() <= 100
    assert learned.by_id().keys() == set(liked)


def test_one_more_rating_and_its_undo_end_where_they_began(
    catalog: Catalog, pupil: Pupil, liked: dict[int, np.ndarray]
) -> None:
    likings.rate(catalog, liked, range(1, 31))
    before = after(pupil)
    catalog.decide({50: {"rating": 5}}, summary="")
    between = after(pupil, [50])
    assert between.taught == 31
    assert not np.allclose(between.predicted, before.predicted, atol=1e-4)
    catalog.undo()
    back = after(pupil, [50])
    assert back.taught == 30
    assert back.predicted == pytest.approx(before.predicted, abs=1e-3)


def test_step_by_step_is_the_same_as_all_at_once(
    catalog: Catalog, home: Home, pupil: Pupil, liked: dict[int, np.ndarray]
) -> None:
    likings.rate(catalog, liked, range(1, 25))
    after(pupil)
    for photo in range(25, 33):
        likings.rate(catalog, liked, [photo])
        step_by_step = after(pupil, [photo])
    at_once = learned_now(catalog, Taste(), home.cache)
    assert step_by_step.predicted == pytest.approx(at_once.predicted, abs=1e-3)


def test_rejects_pull_down_and_are_no_stars(
    catalog: Catalog, pupil: Pupil, liked: dict[int, np.ndarray]
) -> None:
    likings.rate(catalog, liked, range(1, 31))
    before = after(pupil)
    catalog.decide({photo: {"flag": "reject"} for photo in range(40, 50)}, summary="")
    learned = after(pupil, list(range(40, 50)))
    assert learned.stars == learned.taught == 30
    rejected = np.isin(learned.ids, range(40, 50))
    assert learned.predicted[rejected].mean() < before.predicted[rejected].mean()


def test_all_stars_alike_give_no_score_until_something_differs(
    catalog: Catalog, pupil: Pupil, liked: dict[int, np.ndarray]
) -> None:
    catalog.decide({photo: {"rating": 5} for photo in range(1, 26)}, summary="")
    learned = after(pupil)
    assert not learned.ready, "five stars for all would make everything a match"
    assert learned.sentence.startswith("All 25 photos with stars have equally many")
    catalog.decide({40: {"rating": 2}}, summary="")
    assert after(pupil, [40]).ready
    catalog.undo()
    assert not after(pupil, [40]).ready
    catalog.decide({41: {"flag": "reject"}}, summary="")
    assert after(pupil, [41]).ready, "a reject is something else than five stars"


# --- honesty


def test_predictions_made_before_ratings_are_judged(
    catalog: Catalog, pupil: Pupil, liked: dict[int, np.ndarray]
) -> None:
    likings.rate(catalog, liked, range(1, 21))
    learned = after(pupil)
    for photo in range(21, 61):
        told = dict(zip(learned.ids.tolist(), learned.predicted.tolist(), strict=True))
        stars = likings.stars(liked[photo])
        catalog.decide({photo: {"rating": stars}}, summary="", expected={photo: told[photo]})
        learned = after(pupil, [photo])
    judged = judge(catalog.foreseen())
    assert judged.count == 40
    assert judged.correlation > 0.3 and "rank correlation" in judged.sentence


def test_a_version_is_kept_once_and_reads_back_without_pickles(
    catalog: Catalog, pupil: Pupil, liked: dict[int, np.ndarray]
) -> None:
    likings.rate(catalog, liked, range(1, 31))
    learned = after(pupil)
    assert pupil.snapshot("daily") == 1
    assert pupil.snapshot("closing") is None, "nothing was learned since"
    row = catalog._row("SELECT numbers FROM taste_version")
    assert row is not None
    with np.load(io.BytesIO(row[0]), allow_pickle=False) as numbers:
        again = TasteModel.from_numbers(dict(numbers))
    assert again.rating(pupil.archive.take(range(pupil.archive.size))) == pytest.approx(
        learned.predicted, abs=1e-2
    )
    assert catalog.taste_versions()[0].ratings == 30
