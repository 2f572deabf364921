"""Match, 0-100: the share of a person's rated photos whose predicted rating is lower.

"Match 70" says: expected to be liked more than 70 % of the photos you rated. The rated photos are
predicted without their own rating (leave-one-out), as a new photo is, so new photos like those use
the whole range: 30 % of them score 70 and more, however cautious the model still is.

A model has no match scores while its order may be chance, and while the interval of a typical
prediction (± its standard deviation) is wider than the range of nine predictions in ten: the places
of two photos would then say little. For 280 real photos and simulated raters as consistent as
people, that ends by 50 ratings for 29 % of the raters, by 100 for 77 % and by 200 for all; a rater
who rates at random almost never gets scores (`tests/bench/test_match.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.taste.accuracy import lower_bound, rank_correlation
from curator.taste.space import Array

LEVELS = np.linspace(0.0, 100.0, 41)
"""Scores whose predicted ratings are stored; those between are interpolated."""
_RANGE = np.array([5.0, 95.0])  # scores between which nine predictions in ten lie
# A version saved before match had this meaning knows neither places nor intervals. Ratings of most
# people spread by 1.1 stars, and from 100 ratings on most models have scores.
_USUAL_SPREAD, _USUAL_COUNT = 1.1, 100


@dataclass(frozen=True, eq=False)
class MatchScale:
    """Converts the predicted ratings of one model to match scores.

    Attributes:
        places: (41,) the predicted rating at each of LEVELS, rising.
        separates: whether predictions tell photos apart; else there are no scores.
        measured: whether it was built from rated photos, not assumed.
    """

    places: Array
    separates: bool
    measured: bool = True

    @classmethod
    def of(cls, ratings: Array, predicted: Array, weights: Array, variances: Array) -> MatchScale:
        """Build the scale from rated photos, each predicted without its own rating.

        Args:
            ratings: (n,) in stars.
            predicted: (n,) predicted ratings.
            weights: (n,) > 0.
            variances: (n,) of the predictions, in stars².
        """
        total = float(weights.sum())
        mean = float(weights @ ratings) / total
        # Without a high rating the mean of the others is lower, and so is the prediction. Against
        # one's own ratings that is right, but as a place among other photos it is too low.
        own = weights * (ratings - mean) / np.maximum(total - weights, 1e-9 * total)
        shifted = predicted + own
        order = np.argsort(shifted)
        at = (np.cumsum(weights[order]) - weights[order] / 2) / total * 100.0
        places = np.interp(LEVELS, at, shifted[order])
        interval = 2.0 * float(np.sqrt(weights @ variances / total))
        low, high = np.interp(_RANGE, LEVELS, places)
        by_chance = lower_bound(rank_correlation(predicted, ratings), len(ratings)) <= 0
        return cls(places, bool(interval < high - low and not by_chance))

    @classmethod
    def assumed(cls, mean: float, stretch: float, count: int) -> MatchScale:
        """Assume the scale of a version of ``count`` ratings that was saved without one.

        Args:
            mean: of the ratings.
            stretch: factor by which they spread wider than the predictions.
            count: number of ratings.
        """
        usual = NormalDist(mean, _USUAL_SPREAD / stretch)
        places = np.array([usual.inv_cdf(each) for each in np.clip(LEVELS / 100, 0.005, 0.995)])
        return cls(places, count >= _USUAL_COUNT, measured=False)

    def scores(self, predicted: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return match scores 0-100 as whole numbers, (N,); NaN if the scale has none."""
        if not self.separates:
            return np.full(len(predicted), np.nan, np.float32)
        return np.rint(np.interp(predicted, self.places, LEVELS)).astype(np.float32)

    def to_numbers(self) -> dict[str, Any]:
        """Return the scale as numbers; the keys are stored in catalogs: never rename one."""
        return {"match.places": self.places, "match.separates": int(self.separates)}

    @classmethod
    def from_numbers(cls, numbers: dict[str, Any]) -> MatchScale:
        """Build a scale from the numbers of a saved model.

        Raises:
            KeyError: values are missing.
            ValueError: the values fit no scale.
        """
        if "match.places" not in numbers:
            known = (float(numbers["mean"]), float(numbers["stretch"]), int(numbers["count"]))
            return cls.assumed(*known)
        places = np.asarray(numbers["match.places"], np.float64)
        if places.shape != LEVELS.shape or (np.diff(places) < 0).any():
            raise ValueError("the places of a match scale do not rise")
        return cls(places, bool(numbers["match.separates"]))


NO_SCALE = MatchScale(np.zeros(len(LEVELS)), separates=False)
"""The scale of a model that could not be compared with ratings; it has no scores."""
