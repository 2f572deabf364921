"""Explain a score by similar rated photos, and choose the photos whose rating teaches most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.taste.space import Array, Space

Indices = NDArray[np.intp]

HIGH, LOW = 4.0, 2.0
PENALTY, TONE_SHARE = 0.5, 0.1
"""Choosing photos assumes less noise than fitting does (3.0): the choices then spread over the pool
instead of crowding where photos are many. With 120 simulated raters, the number of ratings needed
to reach what 60 in random order reach, on the folders rated and on others: x 1.07 and 1.03 at 3.0,
x 0.83 and 0.87 at 0.5."""


@dataclass(frozen=True)
class Evidence:
    """The rated photos most similar to a photo, as (index among the rated, cosine), best first."""

    high: tuple[tuple[int, float], ...]
    low: tuple[tuple[int, float], ...]


def evidence(
    vector: ArrayLike, rated: ArrayLike, ratings: ArrayLike, most: int, space: Space
) -> Evidence:
    """Find the most similar photos rated high (4 or more) and low (2 or less).

    Args:
        vector: (D + T,) row of the photo; only the vectors are compared.
        rated: (N, D + T) rows of the rated photos.
        ratings: (N,) stars.
        most: how many of each kind.
        space: the space of the archive.

    Raises:
        BadVectorsError: vectors hold zeros or NaN, or come from another encoder.
    """
    dimension = space.dimension
    similarity = space.clean(rated)[:, :dimension] @ space.clean(vector)[0, :dimension]
    stars = np.asarray(ratings, np.float64)

    def nearest(which: NDArray[np.bool_]) -> tuple[tuple[int, float], ...]:
        indices = np.flatnonzero(which)
        best = indices[np.argsort(-similarity[indices], kind="stable")[:most]]
        return tuple((int(index), float(similarity[index])) for index in best)

    return Evidence(nearest(stars >= HIGH), nearest(stars <= LOW))


def informative(
    candidates: ArrayLike, pool: ArrayLike, rated: ArrayLike, most: int, space: Space
) -> Indices:
    """Order photos by how much their rating would teach about the whole pool, best first.

    Each pick is the photo that most lowers the summed variance of all predictions, given the
    rated photos and the earlier picks. Picking by a photo's own uncertainty would favor outliers.
    The ratings themselves play no part, so the order can be computed ahead.

    Args:
        candidates: (N, C) rows of unrated photos; memory and time grow with (N + M + R)².
        pool: (M, C) rows that stand for the archive to predict well.
        rated: (R, C) rows of the photos rated already; R may be 0.
        most: number of picks wanted.
        space: the space of the archive.

    Returns:
        Indices into ``candidates``, at most ``most``.

    Source: Yu, Bi and Tresp 2006, "Active learning via transductive experimental design".
    """
    blocks = [space.map(space.clean(rows)) for rows in (candidates, pool, rated)]
    for block in blocks:
        block[:, : space.dimension] *= np.sqrt(1.0 - TONE_SHARE)
        block[:, space.dimension :] *= np.sqrt(TONE_SHARE)
    asked, about, known = blocks
    covariance = _prior(np.vstack(blocks))
    count = len(asked) + len(about)
    if len(known):
        across = covariance[:count, count:]
        inner = covariance[count:, count:] + np.eye(len(known))
        covariance = covariance[:count, :count]
        covariance -= across @ np.linalg.solve(inner, across.T)
    return _greedy(covariance, len(asked), min(most, len(asked)))


def _prior(mapped: Array) -> Array:
    """Return the covariance of all predictions before any rating, in units of a rating's noise."""
    if not len(mapped):
        return np.zeros((0, 0))
    centered = mapped - mapped.mean(axis=0)
    similar = centered @ centered.T
    similar /= PENALTY * max(float(np.trace(similar)) / len(similar), 1e-9)
    similar += 1.0  # in place: these are tens of MB
    return np.asarray(similar)


def _greedy(covariance: Array, candidates: int, most: int) -> Indices:
    """Pick the candidates (the first rows) that most lower the variance of the other rows.

    A pick changes every covariance. Only the values the next choice needs are kept up to date; the
    rest of a column is computed when its photo is picked: 200 picks of 1,500 take 0.5 s, not 2.5.
    """
    own = np.diag(covariance)[:candidates].copy()
    about = covariance[candidates:, :candidates].copy()
    taken = np.zeros((most, candidates))  # the reduction by each pick, for every candidate
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
