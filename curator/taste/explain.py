"""Why a photo scores as it does, and which photos would teach most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.taste.space import Array, Space

Places = NDArray[np.intp]

HIGH, LOW = 4.0, 2.0
POOL = 600
"""Photos the archive's uncertainty is summed over; a sample does as well as all, and is quick."""
CANDIDATES = 1500
"""Photos considered at a time, a sample of a longer list."""
RATED = 800
"""Rated photos taken into account, a sample of more."""
PENALTY, TONE_SHARE = 0.5, 0.1
"""Asking assumes less noise than learning does (3.0): it then spreads its questions over the pool
instead of asking again where photos are many. With 120 raters, ratings needed for what random order
reaches at 60, on the folders rated and on others: 1.07 and 1.03 at 3.0, 0.83 and 0.87 at 0.5."""


@dataclass(frozen=True)
class Evidence:
    """Rated photos nearest to one photo, as (place among the rated, cosine), nearest first."""

    high: tuple[tuple[int, float], ...]
    low: tuple[tuple[int, float], ...]


def evidence(
    vector: ArrayLike,
    rated: ArrayLike,
    ratings: ArrayLike,
    most: int = 3,
    space: Space | None = None,
) -> Evidence:
    """Find the nearest photos rated high (4 and over) and low (2 and under).

    Args:
        vector: (D,) or a row with tone; likeness is of the vectors alone.
        rated: (N, D) or rows.
        ratings: (N,) stars.
        most: of each kind.
        space: needed when rows carry tone.

    Raises:
        BadVectorsError: zeros, NaN, or another encoder's.
    """
    rows = np.asarray(rated, np.float32)
    space = Space.plain(rows.shape[1]) if space is None else space
    dimension = space.dimension
    clean = space.clean(rows)[:, :dimension]
    likeness = clean @ space.clean(vector)[0, :dimension]
    stars = np.asarray(ratings, np.float64)

    def nearest(which: NDArray[np.bool_]) -> tuple[tuple[int, float], ...]:
        places = np.flatnonzero(which)
        best = places[np.argsort(-likeness[places], kind="stable")[:most]]
        return tuple((int(place), float(likeness[place])) for place in best)

    return Evidence(nearest(stars >= HIGH), nearest(stars <= LOW))


def informative(
    candidates: ArrayLike,
    pool: ArrayLike,
    most: int,
    rated: ArrayLike | None = None,
    space: Space | None = None,
    seed: int = 0,
) -> Places:
    """Order photos by what their rating would teach about the whole pool, best first.

    Each pick takes the photo that lowers the summed variance of all predictions most, given what
    is rated and the picks before it; its own uncertainty alone would pick oddities. Which stars
    were given plays no part, so the order can be made ahead.

    Args:
        candidates: (N, C) rows of unrated photos.
        pool: (M, C) rows of the archive one wants to be right about; sampled down to POOL.
        most: picks wanted.
        rated: (R, C) rows of the photos rated already, if any.
        space: what the archive taught.
        seed: of the samples.

    Returns:
        Places among ``candidates``, at most ``most``.

    Source: Yu, Bi and Tresp 2006, "Active learning via transductive experimental design".
    """
    rng = np.random.default_rng(seed)
    raw = np.asarray(candidates, np.float32)
    space = Space.plain(raw.shape[1]) if space is None else space

    def sample(rows: ArrayLike, limit: int) -> tuple[Places, Array]:
        some = np.asarray(rows, np.float32)
        places = np.arange(len(some))
        if len(some) > limit:
            places = np.sort(rng.choice(len(some), limit, replace=False))
        mapped = space.map(space.clean(some[places]))
        mapped[:, : space.dimension] *= np.sqrt(1.0 - TONE_SHARE)
        mapped[:, space.dimension :] *= np.sqrt(TONE_SHARE)
        return places, mapped

    chosen, asked = sample(raw, CANDIDATES)
    _, about = sample(pool, POOL)
    _, known = sample(raw[:0] if rated is None else rated, RATED)
    covariance = _prior(np.vstack([asked, about, known]))
    count = len(asked) + len(about)
    if len(known):
        across = covariance[:count, count:]
        inner = covariance[count:, count:] + np.eye(len(known))
        covariance = covariance[:count, :count]
        covariance -= across @ np.linalg.solve(inner, across.T)
    return chosen[_greedy(covariance, len(asked), min(most, len(asked)))]


def _prior(mapped: Array) -> Array:
    """Give the covariance of all predictions before any rating, over the noise of one rating."""
    if not len(mapped):
        return np.zeros((0, 0))
    centred = mapped - mapped.mean(axis=0)
    similar = centred @ centred.T
    similar /= PENALTY * max(float(np.trace(similar)) / len(similar), 1e-9)
    similar += 1.0  # in place: these are tens of MB
    return np.asarray(similar)


def _greedy(covariance: Array, candidates: int, most: int) -> Places:
    """Pick among the first rows what lowers the rest's variance most; ratings have noise 1.

    A pick changes every covariance; only what the next choice looks at is kept up to date, the
    rest of a column is made when its photo is picked: 200 picks of 1,500 take 0.5 s, not 2.5.
    """
    own = np.diag(covariance)[:candidates].copy()
    about = covariance[candidates:, :candidates].copy()
    taken = np.zeros((most, candidates))  # what each pick took off, over the candidates
    free = np.ones(candidates, dtype=bool)
    picked: list[int] = []
    for turn in range(most):
        gain = np.einsum("ij,ij->j", about, about) / (own + 1.0)
        best = int(np.argmax(np.where(free, gain, -1.0)))
        free[best] = False
        picked.append(best)
        spread = 1.0 / np.sqrt(own[best] + 1.0)
        column = covariance[best, :candidates] - taken[:turn, best] @ taken[:turn]
        taken[turn] = column * spread
        about -= np.outer(about[:, best] * spread, taken[turn])
        own -= taken[turn] ** 2
    return np.array(picked, dtype=np.intp)
