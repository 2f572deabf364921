"""Taste models for tests: fitted at once, in a space learned or plain."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from curator.taste import Space, TasteModel, TrainingSet


def plain_space(dimension: int) -> Space:
    """Return the space that leaves vectors unchanged, for use without an archive."""
    none = np.zeros(0)
    return Space(np.zeros(dimension), np.zeros((0, dimension)), none, 1.0, none, none)


def fit(
    rows: ArrayLike,
    ratings: ArrayLike,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    space: Space | None = None,
) -> TasteModel:
    """Fit a model to (N, D) vectors, or to (N, D + T) rows with tone and their space.

    By default all weights are 1 and each row is its own group.
    """
    given = np.asarray(ratings, np.float64)
    count = len(rows)  # type: ignore[arg-type]
    keys = range(count)
    training = TrainingSet(space or plain_space(len(rows[0])))  # type: ignore[index, arg-type]
    training.add(
        keys,
        rows,
        given,
        np.ones(len(given)) if weights is None else weights,
        keys if groups is None else np.asarray(groups).tolist(),
    )
    return tuned(training)


def tuned(training: TrainingSet) -> TasteModel:
    """Search the hyperparameters, and fit with them."""
    training.use(training.search_job()())
    return training.fit()
