"""What more ratings would bring, and how well choices within stacks are predicted.

The Taste page and the command line show it below the report (`report`). It takes up to a second, in
the process with scikit-learn, so the page asks for it separately.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from curator.learning.judgments import Marks
from curator.learning.learner import REJECT_WEIGHT, TasteLearner
from curator.learning.report import Report, own_agreement
from curator.model import counted
from curator.taste import TasteModel, ceiling
from curator.taste.accuracy import MIN_JUDGED
from curator.taste.ceiling import MOST, NOTICEABLE, Forecast, Share
from curator.taste.space import Array

_FEWEST_CHOICES = 10  # stacks, below which their share says nothing


@dataclass(frozen=True)
class Choices:
    """How often a prediction preferred the frame of a stack that was kept.

    Attributes:
        pairs: number of pairs of a kept and a rejected frame.
        stacks: number of their stacks.
        prediction: how often the prediction was right, by models that learned nothing of the stack.
        sharpness: how often the kept frame was the sharper one.
    """

    pairs: int
    stacks: int
    prediction: Share
    sharpness: Share

    @property
    def sentence(self) -> str:
        """Both shares in one sentence."""
        prediction, sharpness = (
            f"{100 * each.value:.0f} %" for each in (self.prediction, self.sharpness)
        )
        return (
            f"In your stacks, the prediction preferred the frame you kept in {prediction} of"
            f" {counted(self.pairs, 'pair')}. Sharpness alone did in {sharpness}, and a coin toss"
            " would in 50 %."
        )


@dataclass(frozen=True)
class Outlook:
    """What more ratings would bring, None if that cannot be known; and the choices in stacks."""

    forecast: Forecast | None = None
    choices: Choices | None = None

    def sentence(self, report: Report) -> str:
        """What more ratings would bring, in words; empty if that cannot be known."""
        judged = report.accuracy
        if self.forecast is None or report.agreement is None or judged.count < MIN_JUDGED:
            return ""
        then = min(judged.correlation + self.forecast.gain, report.agreement.ceiling)
        if not self.forecast.more or then - judged.correlation < NOTICEABLE:
            return "More stars will hardly help."
        return (
            f"About {counted(self.forecast.more, 'more rating')} should raise the correlation"
            f" from {judged.correlation:.2f} to {then:.2f}."
        )


class OutlookReport:
    """Computes the outlook, and remembers it until ratings or choices change.

    Thread: the learner's.
    """

    def __init__(self) -> None:
        self._basis: object = None
        self._outlook = Outlook()

    def __call__(self, learner: TasteLearner) -> Outlook:
        """Return the outlook; empty while there is no model, or a version is pinned."""
        learned = learner.learned or learner.fit()
        if learned.model is None or learned.pinned is not None:
            return Outlook()
        rated, choices = learner.rated_photos(), learner.choices()
        facts = (each.tobytes() for each in (rated, *choices))
        basis = (learned.encoder, learned.usable, *map(hash, facts))
        if basis != self._basis:
            self._outlook = _outlook(learner, learned.model, rated, choices)
            self._basis = basis
        return self._outlook


def _outlook(
    learner: TasteLearner,
    model: TasteModel,
    rated: Marks,
    choices: tuple[Marks, Marks],
) -> Outlook:
    known = rated[learner.vectors.rows_of(rated["photo_id"]) >= 0]
    return Outlook(_forecast(learner, model, known), _choices(learner, model, known, choices))


def _forecast(learner: TasteLearner, model: TasteModel, rated: Marks) -> Forecast | None:
    """Forecast from the latest MOST ratings; of more, only that further ones hardly help."""
    agreement, latest = own_agreement(learner), rated[-MOST:]
    job = partial(
        ceiling.learning_scores,
        _columns(learner, model, latest),
        latest["rating"].astype(np.float64),
        latest["stack"],
        model.penalty,
    )
    measured = learner.run_job(job)
    if measured is None or agreement is None or not agreement.ceiling:
        return None
    found = ceiling.forecast(*measured, len(latest), agreement.ceiling)
    return found if found is None or not found.more or len(rated) <= MOST else None


def _choices(
    learner: TasteLearner,
    model: TasteModel,
    rated: Marks,
    choices: tuple[Marks, Marks],
) -> Choices | None:
    """Judge the latest choices by models learned from the other stacks and the latest ratings."""
    best, worse, latest = (each[-MOST // 2 :] for each in (*choices, rated))
    sharper = _sharpness(learner, best) - _sharpness(learner, worse)
    measured = np.isfinite(sharper)
    best, worse, sharper = best[measured], worse[measured], sharper[measured]
    stacks = worse["stack"]
    if len(np.unique(stacks)) < _FEWEST_CHOICES:
        return None
    stars = latest["rating"].astype(np.float64)
    rows, kept, rejected = (_columns(learner, model, each) for each in (latest, best, worse))
    _, place, count = np.unique(stacks, return_inverse=True, return_counts=True)
    is_pair = np.arange(len(latest) + len(worse)) >= len(latest)
    job = partial(
        ceiling.predict_pairs,
        np.concatenate([rows - rows.mean(axis=0), kept - rejected]),
        np.concatenate([stars - stars.mean(), np.ones(len(worse))]),
        np.concatenate([np.ones(len(latest)), REJECT_WEIGHT / count[place]]),
        np.concatenate([latest["stack"], stacks]),
        model.penalty,
        is_pair,
    )
    predicted = learner.run_job(job)
    if predicted is None:
        return None
    prediction, technical = (
        ceiling.share((np.sign(each) + 1) / 2, stacks) for each in (predicted, sharper)
    )
    return Choices(len(worse), len(count), prediction, technical)


def _columns(learner: TasteLearner, model: TasteModel, photos: Marks) -> Array:
    """Return the photos in the columns in which the model was fitted, (N, C)."""
    rows = learner.vectors.take(learner.vectors.rows_of(photos["photo_id"]))
    columns, tone = model.space.map(model.space.clean(rows)), model.space.dimension
    columns[:, :tone] *= np.sqrt(1 - model.tone_share)
    columns[:, tone:] *= np.sqrt(model.tone_share)
    return columns


def _sharpness(learner: TasteLearner, photos: Marks) -> Array:
    """Return the sharpness of the photos, NaN where it is not measured, (N,)."""
    ids = photos["photo_id"].tolist()
    found = learner.catalog.photos.sharpness(ids)
    return np.array([found.get(photo) for photo in ids], np.float64)
