"""What the catalog's ratings, repeats and stacks say about the ceiling and more ratings."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from curator.catalog import Catalog, EncoderProgress
from curator.learning.learner import TasteLearner
from curator.learning.outlook import Outlook, OutlookReport
from curator.learning.report import Report, report
from curator.learning.versions import roll_back
from curator.taste import ceiling
from curator.taste.ceiling import LITERATURE, Forecast
from tests import catalogs, taste_data

PHOTOS = 120


@pytest.fixture
def liked(catalog: Catalog) -> dict[int, np.ndarray]:
    """A hundred and twenty photos with vectors and without marks."""
    return taste_data.analyzed(catalog, PHOTOS)


def reported(learner: TasteLearner) -> Report:
    learner.sync_vectors()
    learner.update_training()
    learner.fit()
    return report(learner)


def repeat(catalog: Catalog, liked: dict[int, np.ndarray], photos: range, off: int = 0) -> None:
    """Rate photos again, with as many stars more or less as ``off`` says for every third."""
    for photo in photos:
        again = taste_data.stars(liked[photo]) + (off if photo % 3 == 0 else 0)
        catalog.journal.repeat(photo, {"rating": min(max(again, 1), 5)}, summary="again")


def test_before_any_repeat_the_agreement_is_assumed(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    assert reported(learner).agreement is None, "no ratings at all"
    taste_data.rate(catalog, liked, range(1, 31), predicted=True)
    found = reported(learner)
    assert found.agreement is not None and found.agreement.value == pytest.approx(LITERATURE)
    assert found.agreement.sentence.startswith(
        "You agree with yourself 0.92 (0.57 to 0.98). Assumed from other people, until"
    )
    assert found.reached == 1
    assert found.reached_sentence == (
        "Curator's predictions are 100 % as good as predictions of your ratings can be, if you are"
        " as consistent as most people."
    )
    repeat(catalog, liked, range(1, 31))
    assert reported(learner).reached_sentence == (
        "Curator's predictions are 100 % as good as predictions of your ratings can be."
    )


def test_repeats_are_read_from_the_journal_and_undone_with_it(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31))
    repeat(catalog, liked, range(1, 21), off=1)
    found = reported(learner).agreement
    assert found is not None and found.repeats == 20 and 12 < found.same < 19
    assert found.sentence.endswith("of 20 repeated photos got the same stars; partly assumed from "
                                   "other people.")  # fmt: skip
    catalog.journal.undo()
    undone = reported(learner).agreement
    assert undone is not None and undone.repeats == 19


def test_predictions_that_may_be_chance_reach_no_share(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    for photo in range(1, 41):
        stars = taste_data.stars(liked[photo])
        expected = {photo: 6.0 - stars}
        catalog.journal.decide({photo: {"rating": stars}}, summary="", expected=expected)
    found = reported(learner)
    assert found.accuracy.count == 40 and found.accuracy.low < 0
    assert found.reached is None and found.reached_sentence == ""


def test_a_person_who_contradicts_themselves_has_nothing_to_reach(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 61), predicted=True)
    for photo in range(1, 41):
        opposite = 6 - taste_data.stars(liked[photo])
        catalog.journal.repeat(photo, {"rating": opposite}, summary="again")
    found = reported(learner)
    assert found.agreement is not None and found.agreement.value < 0
    assert found.reached is None and found.reached_sentence == ""
    assert OutlookReport()(learner).forecast is None


def test_a_better_version_of_the_same_encoder_is_told_from_the_earlier_one(
    learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    again = EncoderProgress("starter/second", 5, PHOTOS, PHOTOS - 5)
    found = replace(reported(learner), encoder="starter/first", analyzing_again=again)
    assert found.analysis_sentence.endswith(
        ": 5 of 120. Taste uses the earlier analysis until that is done."
    )
    other = replace(found, encoder="open_clip/large")
    assert "Taste uses CLIP until that is done." in other.analysis_sentence


def test_the_outlook_is_measured_once_until_ratings_change(
    catalog: Catalog,
    learner: TasteLearner,
    liked: dict[int, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taste_data.rate(catalog, liked, range(1, 61), predicted=True)
    measured: list[int] = []
    monkeypatch.setattr(ceiling, "learning_scores", lambda *given: measured.append(len(given[1])))
    outlook = OutlookReport()
    reported(learner)
    assert outlook(learner) == outlook(learner) == Outlook()
    assert measured == [60]
    taste_data.rate(catalog, liked, range(61, 71))
    reported(learner)
    outlook(learner)
    assert measured == [60, 70]


def test_a_pinned_version_or_few_ratings_have_no_outlook(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 50))
    reported(learner)
    assert OutlookReport()(learner) == Outlook(), "49 ratings are too few to forecast"
    roll_back(catalog, learner.keep_version())
    taste_data.rate(catalog, liked, range(50, 101))
    assert reported(learner).learned.pinned == 1
    assert OutlookReport()(learner) == Outlook()


def test_a_forecast_in_words_starts_at_the_accuracy_shown_and_ends_below_the_ceiling(
    catalog: Catalog, learner: TasteLearner, liked: dict[int, np.ndarray]
) -> None:
    taste_data.rate(catalog, liked, range(1, 31), predicted=True)
    perfect = reported(learner)
    now = replace(perfect, accuracy=replace(perfect.accuracy, correlation=0.55, low=0.4))
    rising = Outlook(Forecast(40, 0.07, 0.02))
    assert (
        rising.sentence(now)
        == "About 40 more ratings should raise the correlation from 0.55 to 0.62."
    )
    assert rising.sentence(perfect) == "More stars will hardly help.", "it is perfect already"
    assert Outlook(Forecast(0, 0.01, 0.01)).sentence(now) == "More stars will hardly help."
    assert Outlook().sentence(now) == ""


# --- stacks


@pytest.fixture
def bursts(catalog: Catalog, liked: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Twenty stacks of three after sixty rated photos; the frame the person likes best is kept.

    The kept frame is the sharpest in every second stack, and the softest in the others.
    """
    taste_data.rate(catalog, liked, range(1, 61), predicted=True)
    sharpness = {}
    for first in range(61, 121, 3):
        frames = [first, first + 1, first + 2]
        catalogs.stack(catalog.path, *frames)
        best = max(frames, key=lambda photo: float(liked[photo][0]))
        marks = {photo: {"flag": "reject"} for photo in frames} | {best: {"kept": True}}
        catalog.journal.decide(marks, summary="cull")
        sharpness |= dict.fromkeys(frames, 50)
        sharpness[best] = 90 if first % 2 else 10
    with closing(sqlite3.connect(catalog.path)) as connection, connection:
        connection.executemany(
            "UPDATE photo SET sharpness = ? WHERE id = ?",
            [(value, photo) for photo, value in sharpness.items()],
        )
    return liked


def test_choices_in_stacks_are_predicted_beside_sharpness(
    learner: TasteLearner, bursts: dict[int, np.ndarray]
) -> None:
    reported(learner)
    found = OutlookReport()(learner).choices
    assert found is not None and (found.pairs, found.stacks) == (40, 20)
    assert found.prediction.value > 0.75 and found.prediction.low > 0.5
    assert found.sharpness.value == 0.5 and found.sharpness.low < 0.4
    assert found.sentence.endswith(
        "of 40 pairs. Sharpness alone did in 50 %, and a coin toss would in 50 %."
    )


def test_a_few_stacks_or_unmeasured_photos_say_nothing(
    catalog: Catalog, learner: TasteLearner, bursts: dict[int, np.ndarray]
) -> None:
    with closing(sqlite3.connect(catalog.path)) as connection, connection:
        connection.execute("UPDATE photo SET sharpness = NULL WHERE id > 87")
    reported(learner)
    assert OutlookReport()(learner).choices is None, "nine stacks left"
