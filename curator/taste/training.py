"""Fit a taste model to ratings: ridge regression in a :class:`Space`.

:class:`TrainingSet` keeps what makes the next fit cheap: while there are fewer samples than
columns, their rows and Gram matrix; afterwards, weighted sums of products.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.model import UsageError
from curator.taste.hyperparameters import TINY, Hyperparameters, mean_square, mix, search
from curator.taste.linear import Moments, cholesky_solve, forward
from curator.taste.model import TasteModel, Uncertainty
from curator.taste.row_store import RowStore
from curator.taste.space import Array, Space

MIN_RATINGS = 20
"""Ratings needed before any score is shown."""
SEARCH_EVERY = 10
"""Changes between two searches of the hyperparameters, once a search is no longer instant."""
INSTANT_SEARCH_LIMIT = 120
"""Up to this many samples a search takes about 10 ms, and every fit runs one."""
SEARCH_LIMIT = 800
"""A search uses this many samples, those of the greatest weight; more change nothing."""
DUAL_LIMIT = 1200
"""The Gram matrix is kept up to this many samples, about the number of columns."""


class TrainingSet:
    """All samples of one person's taste, kept so that one more rating costs one solve.

    A sample is a rating, or a comparison of two photos. Its key (a photo's id) lets a changed
    rating replace it and undo remove it. Only the ratio of weights matters, so recency makes new
    samples heavier and never touches old ones (:func:`recency`).

    Above DUAL_LIMIT samples the rows move from memory to a file (:class:`RowStore`).

    Thread: one at a time (the learner's); the models it returns may be used on any thread.
    """

    def __init__(self, space: Space, scratch: Path | None = None) -> None:
        """Start empty; ``scratch`` is the folder for the temporary file of :class:`RowStore`."""
        self.space = space
        self.hyperparameters = Hyperparameters()
        self._searched_at = -SEARCH_EVERY
        self._changes = 0
        self._index: dict[Hashable, int] = {}
        self._keys: list[Hashable] = []
        self._groups: list[Hashable] = []
        self._parts = (slice(0, space.dimension), slice(space.dimension, space.columns))
        self._mapped = RowStore(space.columns, scratch)
        # Per sample: intercept (1 rating, 0 comparison), target, weight.
        self._facts = np.zeros((0, 3))
        self._grams: list[Array] | None = [np.zeros((0, 0)), np.zeros((0, 0))]
        self._moments: Moments | None = None

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def ratings(self) -> int:
        """The number of samples that are ratings, not comparisons."""
        return int(self._facts[: len(self), 0].sum())

    def add(
        self,
        keys: Sequence[Hashable],
        rows: ArrayLike,
        ratings: ArrayLike,
        weights: ArrayLike,
        groups: Sequence[Hashable],
    ) -> None:
        """Add or replace ratings. Invalid input changes nothing.

        Args:
            keys: one per row.
            rows: (N, D + T) raw rows of the space.
            ratings: (N,) stars, 0.0-5.0.
            weights: (N,) > 0.
            groups: one per row: the id of the stack, or of the photo itself.

        Raises:
            UsageError: a rating, a weight or a length is invalid.
            BadVectorsError: a row is invalid.
            KnownError: the temporary file cannot be written; the set is incomplete and must not be
                used any more.
        """
        clean = self.space.clean(rows)
        targets = np.asarray(ratings, np.float64).ravel()
        if not (np.isfinite(targets).all() and ((targets >= 0) & (targets <= 5)).all()):
            raise UsageError("A rating is a number from 0 to 5.")
        strength = np.asarray(weights, np.float64).ravel()
        if len(strength) != len(targets):
            raise UsageError(
                f"{len(targets)} ratings and {len(strength)} weights do not fit together."
            )
        facts = np.column_stack([np.ones(len(targets)), targets, strength])
        self._add(list(keys), self.space.map(clean), facts, list(groups))

    def add_comparisons(
        self,
        keys: Sequence[Hashable],
        better: ArrayLike,
        worse: ArrayLike,
        weights: ArrayLike,
        groups: Sequence[Hashable],
    ) -> None:
        """Add or replace comparisons: one photo was preferred to another.

        Each counts as a difference of one star.

        Args:
            keys: one per comparison.
            better: (N, D + T) rows of the preferred photos.
            worse: (N, D + T) rows of the others.
            weights: (N,) > 0; 0.5 counts half as much as a rating.
            groups: one per comparison: the id of the stack.

        Raises:
            UsageError, BadVectorsError, KnownError: as :meth:`add`.
        """
        strength = np.asarray(weights, np.float64).ravel()
        winners, losers = (self.space.map(self.space.clean(rows)) for rows in (better, worse))
        if not len(winners) == len(losers) == len(strength):
            raise UsageError(f"{len(winners)} photos and {len(losers)} others make no pairs.")
        facts = np.column_stack([np.zeros(len(winners)), np.ones(len(winners)), strength])
        self._add(list(keys), winners - losers, facts, list(groups))

    def remove(self, key: Hashable) -> None:
        """Remove a sample, if it exists: photos without a vector were never added."""
        row = self._index.pop(key, None)
        if row is None:
            return
        last = len(self) - 1
        if self._moments is not None:
            self._moments.add(self._mapped.take([row]), self._facts[row : row + 1], -1.0)
        if row != last:  # the last sample takes its row
            self._mapped.put(row, self._mapped.take([last]))
            self._facts[row] = self._facts[last]
            self._keys[row], self._groups[row] = self._keys[last], self._groups[last]
            self._index[self._keys[row]] = row
            for gram in self._grams or ():
                gram[row, : last + 1] = gram[last, : last + 1]
                gram[: last + 1, row] = gram[: last + 1, last]
                gram[row, row] = gram[last, last]
        del self._keys[last], self._groups[last]
        self._changes += 1

    def _add(self, keys: list[Hashable], z: Array, facts: Array, groups: list[Hashable]) -> None:
        if not len(keys) == len(z) == len(facts) == len(groups):
            raise UsageError("Keys, vectors, ratings and groups do not fit together.")
        if not (np.isfinite(facts[:, 2]).all() and (facts[:, 2] > 0).all()):
            raise UsageError("A weight must be a number greater than 0.")
        last = {key: row for row, key in enumerate(keys)}
        if len(last) < len(keys):  # a key given twice: the later sample counts
            keep = sorted(last.values())
            z, facts = z[keep], facts[keep]
            keys, groups = [keys[row] for row in keep], [groups[row] for row in keep]
        for key in keys:
            self.remove(key)
        before, after = len(self), len(self) + len(keys)
        self._reserve(after)
        self._mapped.put(before, z)
        self._facts[before:after] = facts
        for offset, key in enumerate(keys):
            self._index[key] = before + offset
        self._keys += keys
        self._groups += groups
        self._changes += len(keys)
        if self._grams is not None and after > DUAL_LIMIT:
            self._grams = None
            self._mapped.move_to_file(after)
            self._sum()
        elif self._moments is not None:
            # Sum the stored rows, not the given ones: removing a sample then leaves no rest.
            self._moments.add(self._mapped.take(range(before, after)), facts)
        for gram, block in zip(self._grams or (), self._parts, strict=False):
            cross = self._mapped.first(after)[:, block] @ z[:, block].T
            gram[:after, before:after] = cross
            gram[before:after, :after] = cross.T

    def _reserve(self, count: int) -> None:
        if count <= len(self._facts):
            return
        room = max(count, 2 * len(self._facts), 64)
        self._facts = _grown(self._facts, (room, 3))
        if self._grams is not None and count <= DUAL_LIMIT:
            side = min(room, DUAL_LIMIT)
            self._grams = [_grown(gram, (side, side)) for gram in self._grams]

    @property
    def search_due(self) -> bool:
        """Whether enough has changed to search the hyperparameters again, in the background."""
        return self._changes - self._searched_at >= SEARCH_EVERY

    def fit(self) -> TasteModel:
        """Fit a model to all samples: one Cholesky solve, and a search while that is instant.

        Raises:
            UsageError: there are no ratings.
        """
        if self.ratings == 0:
            raise UsageError("No photos are rated yet.", "Rate some photos first.")
        if len(self) <= INSTANT_SEARCH_LIMIT:
            self.use(self.search_job()())
        return self._dual() if self._moments is None else self._primal()

    def search_job(self) -> Callable[[], Hyperparameters]:
        """Return a search of penalty, tone share and stretch, to run on any thread.

        It works on a copy of the samples; pass its result to :meth:`use`. A search of SEARCH_LIMIT
        samples takes about a second.
        """
        self._searched_at = self._changes
        count = len(self)
        facts = self._facts[:count]
        chosen = np.arange(count)
        if count > SEARCH_LIMIT:
            chosen = np.sort(np.argsort(-facts[:, 2], kind="stable")[:SEARCH_LIMIT])
        if self._grams is not None:
            vectors, tones = (gram[np.ix_(chosen, chosen)] for gram in self._grams)
        else:
            vectors, tones = (
                rows[:, part] @ rows[:, part].T
                for rows in [self._mapped.take(chosen)]
                for part in self._parts
            )
        names = {name: number for number, name in enumerate(dict.fromkeys(self._groups))}
        groups = np.array([names[self._groups[row]] for row in chosen])
        tone = tones if self.space.columns > self.space.dimension else None
        copied = facts[chosen].copy()
        return lambda: search(vectors, tone, copied, groups)

    def use(self, hyperparameters: Hyperparameters) -> None:
        """Set the hyperparameters of the next fit, as found by a search."""
        self.hyperparameters = hyperparameters
        if self._moments is not None:  # sums of products drift a little with every removal
            self._sum()

    def _sum(self) -> None:
        """Compute the sums of products of all samples from scratch."""
        self._moments = Moments(self.space.columns)
        for part, rows in self._mapped.parts(len(self)):
            self._moments.add(rows, self._facts[part])

    def _column_scale(self) -> Array:
        scale = np.full(self.space.columns, np.sqrt(1.0 - self.hyperparameters.tone_share))
        scale[self.space.dimension :] = np.sqrt(self.hyperparameters.tone_share)
        return scale

    def _dual(self) -> TasteModel:
        """Solve in the dual: one equation per sample."""
        count, share = len(self), self.hyperparameters.tone_share
        assert self._grams is not None
        intercept, target, weight = self._facts[:count].T
        gram = mix(self._grams[0][:count, :count], self._grams[1][:count, :count], share)
        penalty = self.hyperparameters.penalty * mean_square(gram, self._facts[:count])
        weight = weight / weight.mean()
        mass = weight * intercept
        middle = gram @ mass / mass.sum()
        offset = float(mass @ middle) / mass.sum()
        centered = gram - np.outer(middle, intercept) - np.outer(intercept, middle)
        centered += offset * np.outer(intercept, intercept)
        mean = float(mass @ target) / mass.sum()
        residual = target - mean * intercept
        lower = np.linalg.cholesky(centered + np.diag(penalty / weight)).astype(
            np.float64, copy=False
        )
        alpha = cholesky_solve(lower, residual[:, None])[:, 0]
        z, scale = self._mapped.first(count), self._column_scale()
        center = (z.T @ mass / mass.sum()) * scale
        beta = (z.T @ alpha) * scale - center * float(alpha @ intercept)
        noise = np.sqrt(penalty * max(float(residual @ alpha), 0.0) / max(count - 1, 1))

        def uncertainty() -> Uncertainty:
            rows = z * scale - np.outer(intercept, center)
            known = forward(lower, rows) / np.sqrt(penalty)
            return Uncertainty(1.0 / penalty, known, center, scale, 1.0 / float(mass.sum()))

        z = z.copy()  # the samples keep changing; the model's uncertainty must not
        return self._model(beta, scale, mean, center, float(noise), uncertainty)

    def _primal(self) -> TasteModel:
        """Solve in the primal: one equation per column."""
        assert self._moments is not None
        moments, scale = self._moments, self._column_scale()
        unit_weight = len(self) / moments.weight
        mass = moments.mass * unit_weight
        center_raw = moments.rows / moments.mass
        products = moments.products - np.outer(center_raw, moments.rows)
        products *= unit_weight * np.outer(scale, scale)
        mean = moments.target / moments.mass
        right = (moments.row_targets - center_raw * moments.target) * unit_weight * scale
        average = max(float(np.trace(products)) / len(self), TINY)
        penalty = self.hyperparameters.penalty * average
        lower = np.linalg.cholesky(products + penalty * np.eye(len(scale))).astype(
            np.float64, copy=False
        )
        beta = cholesky_solve(lower, right[:, None])[:, 0]
        square = (moments.squares - moments.target * mean) * unit_weight - float(right @ beta)
        center = center_raw * scale

        def uncertainty() -> Uncertainty:
            return Uncertainty(1.0 / penalty, lower, center, scale, 1.0 / mass, solved=True)

        noise = float(np.sqrt(max(square, 0.0) / max(len(self) - 1, 1)))
        return self._model(beta, scale, mean, center, noise, uncertainty)

    def _model(
        self,
        beta: Array,
        scale: Array,
        mean: float,
        center: Array,
        noise: float,
        uncertainty: Callable[[], Uncertainty],
    ) -> TasteModel:
        folded, constant = self.space.fold(beta * scale)
        return TasteModel(
            weights=folded.astype(np.float32),
            bias=constant + mean - float(beta @ center),
            mean=mean,
            stretch=self.hyperparameters.stretch,
            penalty=self.hyperparameters.penalty,
            tone_share=self.hyperparameters.tone_share,
            noise=noise,
            count=self.ratings,
            space=self.space,
            _uncertainty=cache(uncertainty),
        )


def recency(rated_at_s: ArrayLike, half_life_s: float, epoch_s: float) -> Array:
    """Return (N,) weights of ratings by age: a rating given one half-life later counts twice.

    Only the ratio of weights matters. So weights grow from a fixed day instead of fading towards
    now, and the weight of an old rating never changes.

    Args:
        rated_at_s: (N,) Unix times.
        half_life_s: > 0; with ``inf`` all ratings weigh the same.
        epoch_s: the Unix time of weight 1: the first rating in the catalog.
    """
    return np.exp2((np.asarray(rated_at_s, np.float64) - epoch_s) / half_life_s)


def _grown(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Return a larger array of zeros with the given one in its upper left corner."""
    larger = np.zeros(shape, array.dtype)
    rows, columns = min(shape[0], array.shape[0]), min(shape[1], array.shape[1])
    larger[:rows, :columns] = array[:rows, :columns]
    return larger
