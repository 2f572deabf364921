"""Honest accuracy: predictions made before each rating, against always guessing the mean."""

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


@dataclass(frozen=True)
class Accuracy:
    """How well ratings were foreseen.

    Attributes:
        count: ratings judged.
        correlation: rank correlation of prediction and rating, -1 to 1.
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
    def verdict(self) -> str:
        """Say in three words whether to trust the order."""
        return f"Trust the order: {self.trust}"

    @property
    def why(self) -> str:
        """Say what the verdict rests on."""
        if self.count < ENOUGH:
            missing = ENOUGH - self.count
            return (
                f"{missing} more rating{'s' * (missing > 1)} must be foreseen before anything can "
                "be said."
            )
        if not self.varied:
            return f"All {self.count:,} ratings foreseen were alike: no order is right or wrong."
        errors = (
            f"Off by {self.error:.2f} stars where always guessing your mean is off by "
            f"{self.mean_error:.2f}"
        )
        order = (
            f"rank correlation {self.correlation:.2f}, at least {self.low:.2f}, over "
            f"{self.count:,} ratings foreseen"
        )
        if self.low <= 0:
            return f"It may be chance: {order}. {errors}."
        if self.error >= self.mean_error:
            return f"{errors}, though the order is better than chance: {order}."
        return f"{errors}; {order}."

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return f"{self.verdict}. {self.why}"


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
    p, y, before = _foreseen(predicted, given)
    step = max(STEP, len(y) // MOST_POINTS)
    stops = range(len(y), ENOUGH - 1, -step)[::-1]
    return [
        (stop, _judged(*(each[max(stop - window, 0) : stop] for each in (p, y, before))))
        for stop in stops
    ]


def _foreseen(predicted: ArrayLike, given: ArrayLike) -> tuple[Array, Array, Array]:
    """Give predictions, ratings and means of the ratings before, where there was a prediction."""
    p, y = np.asarray(predicted, np.float64), np.asarray(given, np.float64)
    before = np.concatenate([[3.0], np.cumsum(y)[:-1] / np.maximum(np.arange(1, len(y)), 1)])
    made = np.isfinite(p)
    return p[made], y[made], before[: len(made)][made]


def _judged(p: Array, y: Array, before: Array) -> Accuracy:
    if not len(y):
        return Accuracy(0, 0.0, -1.0, 0.0, 0.0, NOT_YET)
    correlation = rank_correlation(p, y)
    low = _lower(correlation, len(y))
    error, mean_error = float(np.abs(p - y).mean()), float(np.abs(before - y).mean())
    trust = NOT_YET
    if len(y) >= ENOUGH and low > 0 and error < mean_error:
        trust = YES if low >= SURE else ROUGHLY
    return Accuracy(len(y), correlation, low, error, mean_error, trust, bool(np.ptp(y) > 0))


def _lower(correlation: float, count: int) -> float:
    """Lower 5 % bound by Fisher's transform.

    Source: variance 1.06 / (n - 3) of a transformed rank correlation (Fieller, Hartley and Pearson
    1957).
    """
    if count < 4:
        return -1.0
    bounded = np.clip(correlation, -0.999, 0.999)
    return float(np.tanh(np.arctanh(bounded) - 1.645 * np.sqrt(1.06 / (count - 3))))
