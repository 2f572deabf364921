"""Choose penalty, tone share and stretch of the taste model by leave-one-group-out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curator.taste.accuracy import rank_correlation
from curator.taste.linear import Array, LeaveOut

PENALTIES = np.geomspace(0.3, 30.0, 13)
USUAL_PENALTY, PENALTY_SPREAD = 3.0, 0.5
"""Mean and standard deviation of a normal prior on the logarithm of the penalty (relative to the
rows' mean square). In `tests/bench` 3 is best at 50 and at 100 ratings; without the prior, the
search picks too small penalties from 50 ratings, which costs 2.5 % of rank correlation."""
TONE_SHARES: tuple[tuple[float, float], ...] = ((0.0, 0.0), (0.1, 1.0), (0.3, 2.0))
"""Shares of tone to try, each with its handicap in log-likelihood. Without the handicap a rater who
ignores tone loses 3 to 5 % of rank correlation at 50 ratings, with it less than 1 %."""
MAX_STRETCH = 6.0
"""A model that predicts almost nothing must not be stretched to the full range of scores."""
TINY = 1e-9


@dataclass(frozen=True)
class Hyperparameters:
    """The result of a search: relative penalty, tone share, stretch."""

    penalty: float = USUAL_PENALTY
    tone_share: float = 0.0
    stretch: float = 1.0


def mean_square(gram: Array, facts: Array) -> float:
    """Return the weighted mean square of rows around their weighted mean, from their Gram."""
    weight = facts[:, 2] / facts[:, 2].sum()
    mass = weight * facts[:, 0]
    total = max(float(mass.sum()), TINY)
    middle = float(mass @ gram @ mass) / total
    return max(float(weight @ np.diag(gram)) - middle, TINY)


def search(
    vector_gram: Array, tone_gram: Array | None, facts: Array, groups: Array
) -> Hyperparameters:
    """Search every pair of penalty and tone share by leave-one-group-out.

    The cost of a pair is ``n/2 log(mean squared error)``, minus the log of the prior of the
    penalty, plus the handicap of the tone share. The result averages the pairs by likelihood
    instead of taking the best: that changes less from one rating to the next, and predicts as well.

    Args:
        vector_gram: (n, n) of the mapped vectors.
        tone_gram: (n, n) of the mapped tone measures; None without tone.
        facts: (n, 3) intercept, target, weight of each row.
        groups: (n,) ints; rows of one group are left out together.
    """
    targets, weight = facts[:, 1], facts[:, 2] / facts[:, 2].mean()
    if len(np.unique(groups)) < 3:  # leaving out a group would leave too little to learn from
        groups = np.arange(len(groups), dtype=np.float64)
    rated = facts[:, 0] > 0
    if len(groups) < 3 or np.ptp(targets[rated]) < TINY:
        return Hyperparameters()
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    shares = TONE_SHARES if tone_gram is not None else TONE_SHARES[:1]
    costs, points, predicted = [], [], []
    for share, handicap in shares:
        gram = vector_gram if tone_gram is None else mix(vector_gram, tone_gram, share)
        square = mean_square(gram, facts)
        left_out = LeaveOut(gram, facts[:, 0], targets, 1.0 / weight, groups)
        for relative in PENALTIES:
            errors = left_out.errors(relative * square)
            error = float(weight @ errors**2) / float(weight.sum())
            prior = np.log(relative / USUAL_PENALTY) ** 2 / (2 * PENALTY_SPREAD**2)
            costs.append(effective / 2 * np.log(error + TINY) + prior + handicap)
            points.append((np.log(relative), share))
            predicted.append(targets[rated] - errors[rated])
    likelihood = np.exp(np.min(costs) - np.array(costs))
    likelihood /= likelihood.sum()
    log_penalty, tone_share = likelihood @ np.array(points)
    stretch = _stretch(targets[rated], likelihood @ np.array(predicted), weight[rated])
    return Hyperparameters(float(np.exp(log_penalty)), float(tone_share), stretch)


def mix(vector_gram: Array, tone_gram: Array, share: float) -> Array:
    """Return the weighted mean of two Gram matrices, with this share of tone."""
    return vector_gram if share == 0 else (1 - share) * vector_gram + share * tone_gram


def _stretch(targets: Array, predicted: Array, weight: Array) -> float:
    """Return the factor that makes predictions vary like the ratings; 1 if they predict nothing."""

    def spread(values: Array) -> float:
        return float(np.sqrt(np.cov(values, aweights=weight)))

    if rank_correlation(predicted, targets) <= 0 or spread(predicted) < TINY:
        return 1.0
    return float(np.clip(spread(targets) / spread(predicted), 1.0, MAX_STRETCH))
