"""Why a photo scores as it does, and which photos would teach most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.taste.model import Doubt, TasteModel
from curator.taste.penalty import USUAL_PENALTY
from curator.taste.space import Array, Space

Places = NDArray[np.intp]

HIGH, LOW = 4.0, 2.0
POOL = 600
"""Photos the archive's uncertainty is summed over; a sample does as well as all, and is quick."""
CANDIDATES = 1500
"""Photos considered at a time, a sample of a longer list."""


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
    model: TasteModel | None = None,
    space: Space | None = None,
    seed: int = 0,
) -> Places:
    """Order photos by what their rating would teach about the whole pool, best first.

    Each pick takes the photo that lowers the summed variance of all predictions most, given the
    picks before it; its own uncertainty alone would pick oddities.

    Args:
        candidates: (N, C) rows of unrated photos.
        pool: (M, C) rows of the archive one wants to be right about; sampled down to POOL.
        most: picks wanted.
        model: what is known so far; None before the first ratings.
        space: the space without a model.
        seed: of the samples.

    Returns:
        Places among ``candidates``, at most ``most``.

    Source: Yu, Bi and Tresp 2006, "Active learning via transductive experimental design".
    """
    rng = np.random.default_rng(seed)
    space = model.space if model is not None else space
    raw, about = np.asarray(candidates, np.float32), np.asarray(pool, np.float32)
    space = Space.plain(raw.shape[1]) if space is None else space
    chosen = np.arange(len(raw))
    if len(raw) > CANDIDATES:
        chosen = np.sort(rng.choice(len(raw), CANDIDATES, replace=False))
    if len(about) > POOL:
        about = about[np.sort(rng.choice(len(about), POOL, replace=False))]
    mapped = space.map(space.clean(np.vstack([raw[chosen], about])))
    doubt = model.doubt if model is not None else _unlearned(mapped, space)
    return chosen[_greedy(doubt.covariance(mapped), len(chosen), min(most, len(chosen)))]


def _unlearned(mapped: Array, space: Space) -> Doubt:
    """Give the doubt before the first rating: the prior, about the pool's middle."""
    centre = mapped.mean(axis=0)
    square = max(float(((mapped - centre) ** 2).sum(axis=1).mean()), 1e-9)
    empty = np.zeros((0, space.columns))
    scale = np.ones(space.columns)
    return Doubt(1.0 / (USUAL_PENALTY * square), empty, -1.0, centre, scale, 1.0)


def _greedy(covariance: Array, candidates: int, most: int) -> Places:
    """Pick among the first rows what lowers the rest's variance most; ratings have noise 1."""
    picked: list[int] = []
    free = np.ones(candidates, dtype=bool)
    for _ in range(most):
        own = np.diag(covariance)[:candidates]
        gain = (covariance[candidates:, :candidates] ** 2).sum(axis=0) / (own + 1.0)
        best = int(np.argmax(np.where(free, gain, -1.0)))
        free[best] = False
        picked.append(best)
        column = covariance[:, best].copy()
        covariance -= np.outer(column, column / (column[best] + 1.0))
    return np.array(picked, dtype=np.intp)
