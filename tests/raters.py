"""Simulated people who rate photos twice, with a known agreement with themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from curator.taste import rank_correlation
from curator.taste.ceiling import LITERATURE, Agreement, agreement

OASIS = (0.113, 0.087, 0.098, 0.160, 0.234, 0.167, 0.141)
"""Shares of 1 to 7 points that real people gave to the pictures of OASIS."""
FIVE_STARS = (0.10, 0.15, 0.30, 0.30, 0.15)
AGREEMENTS = (0.75, 0.80, 0.85, LITERATURE, 0.95, 0.97)
PHOTOS = 8_000
# One rating in five is rash: five times as far off. With the shares of OASIS this gives both of its
# figures, an agreement of 0.918 and the same points for 67 % of the pictures.
_RASH, _RASHNESS = 0.2, 5.0


@dataclass(frozen=True, eq=False)
class Person:
    """The stars of somebody who rated all photos twice, (PHOTOS,) each, and their agreement."""

    first: NDArray[np.intp]
    again: NDArray[np.intp]
    agreement: float

    def asked(self, repeats: int, rng: np.random.Generator, ratings: int = 300) -> Agreement:
        """Return what is said of this person after some ratings and repeats."""
        rated = rng.integers(PHOTOS, size=ratings)
        twice = rng.permutation(rated)[:repeats]
        found = agreement(self.first[twice], self.again[twice], self.first[rated])
        assert found is not None
        return found


@cache
def person(wanted: float, shares: tuple[float, ...] = OASIS, seed: int = 0) -> Person:
    """Return a person with an agreement close to the wanted one."""
    rng = np.random.default_rng(seed)
    liking = rng.standard_normal(PHOTOS)
    rash = np.where(rng.random((2, PHOTOS)) < _RASH, _RASHNESS, 1.0)
    noise = rash * rng.standard_normal((2, PHOTOS))
    low, high = 0.001, 1.0
    while True:
        size = (low + high) / 2
        moods = liking + size * noise
        cuts = np.quantile(moods, np.cumsum(shares)[:-1])
        first, again = 1 + np.searchsorted(cuts, moods)
        found = rank_correlation(first, again)
        if abs(found - wanted) < 0.003:
            return Person(first, again, found)
        low, high = (size, high) if found > wanted else (low, size)
