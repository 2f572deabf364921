"""Honest accuracy: predictions made before each rating, against always guessing the mean.

Who rates in sorted batches, all weak photos first and then the good ones, moves the prediction of
every photo along with their stars: it follows the last few ratings and says nothing of the photo.
Measured so, simulated people were promised 0.89 (at least 0.84) where photos they had not rated
gave 0.64. So what the ratings just before tell is taken out of the correlation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

NOT_YET, ROUGHLY, YES = "not yet", "roughly", "yes"
ENOUGH = 20
"""Judged ratings below which nothing is claimed."""
SURE = 0.35
"""Lower bound of the rank correlation from which the order is to be trusted."""
RECENT = 10
"""The mean of so many ratings before one is what they tell of it."""
WINDOW, STEP, MOST_POINTS = 50, 5, 60
"""A point of the learning curve: over so many ratings, so many apart, so many points at most."""


def ranks(values: ArrayLike) -> Array:
    """Rank (N,) values from 1; equal ones share their mean rank."""
    _, place, count = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    shared: Array = (last - (count - 1) / 2.0)[place.ravel()]
    return shared


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float:
    """Give Spearman's rank correlation, ties by mean rank; 0.0 when either does not vary."""
    a, b = ranks(one), ranks(other)
    if len(a) < 2:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def partial_correlation(one: ArrayLike, other: ArrayLike, given: ArrayLike) -> float:
    """Return the rank correlation of two columns beyond what a third tells of both.

    0.0 where the third tells all of one of them.
    """
    plain = rank_correlation(one, other)
    first, second = rank_correlation(one, given), rank_correlation(other, given)
    left = (1 - first**2) * (1 - second**2)
    return (plain - first * second) / float(np.sqrt(left)) if left > 1e-6 else 0.0


@dataclass(frozen=True)
class Accuracy:
    """How well ratings were foreseen.

    Attributes:
        count: ratings judged.
        correlation: rank correlation of prediction and rating, -1 to 1, beyond what the ratings
            just before tell.
        low: lower 5 % bound of it.
        error: mean absolute error in stars, unstretched.
        mean_error: the same for always guessing the mean of the ratings before.
        trust: "not yet", "roughly" or "yes".
        varied: whether the ratings judged differ at all.
    """

    count: int
    correlation: float
    low: float
    error: float
    mean_error: float
    trust: str
    varied: bool = True

    @property
    def trusted(self) -> bool:
        """Whether photos may be put in the order of their predictions unasked."""
        return self.trust != NOT_YET

    @property
    def headline(self) -> str:
        """Say in three words whether to trust the order."""
        return f"Trust the order: {self.trust}"

    @property
    def explanation(self) -> str:
        """Say what the verdict rests on."""
        if self.count < ENOUGH:
            missing = ENOUGH - self.count
            return (
                f"Rate {missing} more photo{'s' * (missing > 1)}, unlike those rated just before,"
                " to see how well it predicts."
            )
        if not self.varied:
            return f"All {self.count:,} ratings predicted were alike: no order is right or wrong."
        errors = (
            f"Off by {self.error:.2f} stars where always guessing your mean is off by "
            f"{self.mean_error:.2f}"
        )
        order = (
            f"rank correlation {self.correlation:.2f}, at least {self.low:.2f}, over "
            f"{self.count:,} ratings predicted before you gave them"
        )
        if self.low <= 0:
            return f"It may be chance: {order}. {errors}."
        if self.error >= self.mean_error:
            return f"{errors}, though the order is better than chance: {order}."
        return f"{errors}; {order}."

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return f"{self.headline}. {self.explanation}"


def accuracy(predicted: ArrayLike, given: ArrayLike) -> Accuracy:
    """Judge predictions made one after another, each before its rating.

    Args:
        predicted: (N,) as stored beside the decisions, oldest first; NaN where none was made.
        given: (N,) ratings in the same order. All of them feed the mean that is guessed instead.
    """
    return _judged(*_foreseen(predicted, given))


def learning_curve(
    predicted: ArrayLike, given: ArrayLike, window: int = WINDOW
) -> list[tuple[int, Accuracy]]:
    """Judge the latest ratings again and again as there were more: is it getting better?

    Args:
        predicted: as in :func:`accuracy`.
        given: as in :func:`accuracy`.
        window: ratings judged at a time, the latest ones; fewer while there are fewer.

    Returns:
        (Ratings foreseen until then, how the latest were), from ENOUGH on, STEP or more apart;
        the last one is now.
    """
    columns = _foreseen(predicted, given)
    y = columns[1]
    step = max(STEP, len(y) // MOST_POINTS)
    stops = range(len(y), ENOUGH - 1, -step)[::-1]
    return [
        (stop, _judged(*(each[max(stop - window, 0) : stop] for each in columns))) for stop in stops
    ]


def _foreseen(predicted: ArrayLike, given: ArrayLike) -> tuple[Array, Array, Array, Array]:
    """Return predictions, ratings, means of all ratings before and of the RECENT ones before.

    Only of ratings there was a prediction for.
    """
    p, y = np.asarray(predicted, np.float64), np.asarray(given, np.float64)
    at = np.arange(len(y))
    total = np.concatenate([[0.0], np.cumsum(y)])
    first = np.maximum(at - RECENT, 0)
    before = np.where(at > 0, total[at] / np.maximum(at, 1), 3.0)
    recent = np.where(at > 0, (total[at] - total[first]) / np.maximum(at - first, 1), 3.0)
    made = np.isfinite(p)
    return p[made], y[made], before[made], recent[made]


def _judged(p: Array, y: Array, before: Array, recent: Array) -> Accuracy:
    if not len(y):
        return Accuracy(0, 0.0, -1.0, 0.0, 0.0, NOT_YET)
    correlation = partial_correlation(p, y, recent)
    low = _lower(correlation, len(y))
    error, mean_error = float(np.abs(p - y).mean()), float(np.abs(before - y).mean())
    trust = NOT_YET
    if len(y) >= ENOUGH and low > 0 and error < mean_error:
        trust = YES if low >= SURE else ROUGHLY
    return Accuracy(len(y), correlation, low, error, mean_error, trust, bool(np.ptp(y) > 0))


def _lower(correlation: float, count: int) -> float:
    """Lower 5 % bound by Fisher's transform.

    Source: variance 1.06 / (n - 3) of a transformed rank correlation (Fieller, Hartley and Pearson
    1957), and one rating less for the column taken out (Fisher 1924).
    """
    if count < 5:
        return -1.0
    bounded = np.clip(correlation, -0.999, 0.999)
    return float(np.tanh(np.arctanh(bounded) - 1.645 * np.sqrt(1.06 / (count - 4))))
