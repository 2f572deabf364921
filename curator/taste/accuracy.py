"""Honest accuracy: predictions made before each rating, against always guessing the mean."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

NOT_YET, ROUGHLY, YES = "not yet", "roughly", "yes"
ENOUGH = 20
"""Judged ratings below which nothing is claimed."""


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
    """

    count: int
    correlation: float
    low: float
    error: float
    mean_error: float
    trust: str

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        if self.count < ENOUGH:
            missing = ENOUGH - self.count
            return f"Trust the order: not yet ({missing} more ratings until anything can be said)."
        return (
            f"Trust the order: {self.trust}. Off by {self.error:.2f} stars where always guessing "
            f"your mean is off by {self.mean_error:.2f}; rank correlation {self.correlation:.2f} "
            f"(at least {self.low:.2f}) over {self.count} ratings foreseen."
        )


def accuracy(predicted: ArrayLike, given: ArrayLike) -> Accuracy:
    """Judge predictions made one after another, each before its rating.

    Args:
        predicted: (N,) as stored beside the decisions, oldest first; NaN where none was made.
        given: (N,) ratings in the same order. All of them feed the mean that is guessed instead.
    """
    p, y = np.asarray(predicted, np.float64), np.asarray(given, np.float64)
    before = np.concatenate([[3.0], np.cumsum(y)[:-1] / np.maximum(np.arange(1, len(y)), 1)])
    made = np.isfinite(p)
    if not made.any():
        return Accuracy(0, 0.0, -1.0, 0.0, 0.0, NOT_YET)
    p, y, before = p[made], y[made], before[: len(made)][made]
    correlation = rank_correlation(p, y)
    low = _lower(correlation, len(y))
    error, mean_error = float(np.abs(p - y).mean()), float(np.abs(before - y).mean())
    trust = NOT_YET
    if len(y) >= ENOUGH and low > 0 and error < mean_error:
        trust = YES if low >= 0.35 else ROUGHLY
    return Accuracy(len(y), correlation, low, error, mean_error, trust)


def _lower(correlation: float, count: int) -> float:
    """Lower 5 % bound by Fisher's transform.

    Source: variance 1.06 / (n - 3) of a transformed rank correlation (Fieller, Hartley and Pearson
    1957).
    """
    if count < 4:
        return -1.0
    bounded = np.clip(correlation, -0.999, 0.999)
    return float(np.tanh(np.arctanh(bounded) - 1.645 * np.sqrt(1.06 / (count - 3))))


def learning_curve(predicted: ArrayLike, given: ArrayLike, window: int = 50) -> list[Accuracy]:
    """Judge windows of consecutive ratings, oldest first: is it getting better?

    Args:
        predicted: as in :func:`accuracy`.
        given: as in :func:`accuracy`.
        window: ratings a point; the newest window is whole, the oldest takes the rest.
    """
    p, y = np.asarray(predicted, np.float64), np.asarray(given, np.float64)
    keep = np.isfinite(p)
    p, y = p[keep], y[keep]
    stops = list(range(len(y), 0, -window))[::-1]
    return [accuracy(p[a:b], y[a:b]) for a, b in pairwise([0, *stops])]
