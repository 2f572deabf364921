"""Fit a taste model to ratings: ridge regression in a :class:`Space`.

:class:`TrainingSet` keeps what makes the next fit cheap: while there are fewer samples than
columns, their rows; afterwards, weighted sums of products.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from curator.model import UsageError
from curator.taste.hyperparameters import TINY, Hyperparameters, column_scale, search
from curator.taste.model import TasteModel, Uncertainty
from curator.taste.moments import Moments
from curator.taste.row_store import RowStore
from curator.taste.space import Array, Space

MIN_RATINGS = 20
"""Ratings needed before any score is shown."""
SEARCH_EVERY = 10
"""Changes between two searches of the hyperparameters, once there are many samples."""
OFTEN_SEARCHED = 120
"""Up to this many samples each rating changes much, and a search follows each."""
SEARCH_LIMIT = 800
"""A search uses this many ratings, those of the greatest weight; more change nothing."""
DUAL_LIMIT = 800
"""Up to this many samples one equation per sample is faster to solve than one per column."""


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
        self.searched = False  # whether they were found by a search
        self._searched_at = -SEARCH_EVERY
        self._changes = 0
        self._index: dict[Hashable, int] = {}
        self._keys: list[Hashable] = []
        self._groups: list[Hashable] = []
        self._mapped = RowStore(space.columns, scratch)
        # Per sample: intercept (1 rating, 0 comparison), target, weight.
        self._facts = np.zeros((0, 3))
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
        if after > len(self._facts):
            self._facts = np.resize(self._facts, (max(after, 2 * before, 64), 3))
        self._mapped.put(before, z)
        self._facts[before:after] = facts
        for offset, key in enumerate(keys):
            self._index[key] = before + offset
        self._keys += keys
        self._groups += groups
        self._changes += len(keys)
        if self._moments is not None:
            # Sum the stored rows, not the given ones: removing a sample then leaves no rest.
            self._moments.add(self._mapped.take(range(before, after)), facts)
        elif after > DUAL_LIMIT:
            self._mapped.move_to_file(after)
            self._moments = Moments(self.space.columns)
            for part, rows in self._mapped.parts(after):
                self._moments.add(rows, self._facts[part])

    @property
    def search_due(self) -> bool:
        """Whether enough has changed to search the hyperparameters again, in the background."""
        few = len(self) <= OFTEN_SEARCHED
        return self._changes - self._searched_at >= (1 if few else SEARCH_EVERY)

    def search_job(self) -> Callable[[], Hyperparameters]:
        """Return a search of penalty, tone share and match scale, to run on any thread or process.

        It works on a copy of the ratings, without comparisons; pass its result to :meth:`use`. A
        search of SEARCH_LIMIT ratings takes a second.
        """
        self._searched_at = self._changes
        facts = self._facts[: len(self)]
        chosen = np.flatnonzero(facts[:, 0])
        if len(chosen) > SEARCH_LIMIT:
            heaviest = np.argsort(-facts[chosen, 2], kind="stable")[:SEARCH_LIMIT]
            chosen = np.sort(chosen[heaviest])
        names = {name: number for number, name in enumerate(dict.fromkeys(self._groups))}
        groups = np.array([names[self._groups[row]] for row in chosen])
        rows = self._mapped.take(chosen).astype(np.float32)
        stars, weights = facts[chosen, 1:].T.copy()
        return partial(search, rows, self.space.dimension, stars, weights, groups)

    def use(self, hyperparameters: Hyperparameters) -> None:
        """Set the hyperparameters of the next fit, as found by a search."""
        self.hyperparameters, self.searched = hyperparameters, True

    def fit(self) -> TasteModel:
        """Fit a model to all samples: the one that scikit-learn's Ridge gives, in one solve.

        Ridge would need all rows in memory, and seconds at 30,000 ratings; here they are summed
        already. A test holds both equal.

        Raises:
            UsageError: there are no ratings.
        """
        if self.ratings == 0:
            raise UsageError("No photos are rated yet.", "Rate some photos first.")
        return self._dual() if self._moments is None else self._primal()

    def _dual(self) -> TasteModel:
        """Solve in the dual: one equation per sample."""
        count, ratings, scale = len(self), self.ratings, self._column_scale()
        intercept, target, weight = self._facts[:count].T
        mass = weight * intercept
        weight = weight * (ratings / mass.sum())
        mass /= mass.sum()
        rows = self._mapped.first(count) * scale
        center, mean = mass @ rows, float(mass @ target)
        rows -= np.outer(intercept, center)
        residual = target - mean * intercept
        square = float(mass @ np.einsum("ij,ij->i", rows, rows))
        penalty = self.hyperparameters.penalty * max(square, TINY)
        system: Array = rows @ rows.T + np.diag(penalty / weight)
        alpha = np.linalg.solve(system, residual)
        noise = np.sqrt(penalty * max(float(residual @ alpha), 0.0) / max(count - 1, 1))

        def uncertainty() -> Uncertainty:
            known: Array = np.linalg.solve(np.linalg.cholesky(system), rows)
            known /= np.sqrt(penalty)
            return Uncertainty(1.0 / penalty, known, center, scale, 1.0 / ratings)

        return self._model(rows.T @ alpha, scale, mean, center, float(noise), uncertainty)

    def _primal(self) -> TasteModel:
        """Solve in the primal: one equation per column."""
        assert self._moments is not None
        moments, scale, ratings = self._moments, self._column_scale(), self.ratings
        unit_weight = ratings / moments.mass
        middle, mean = moments.rows / moments.mass, moments.target / moments.mass
        system: Array = moments.products - np.outer(middle, moments.rows)
        system *= unit_weight * np.outer(scale, scale)
        right: Array = (moments.row_targets - middle * moments.target) * unit_weight * scale
        square = float((moments.row_squares / moments.mass - middle**2) @ scale**2)
        penalty = self.hyperparameters.penalty * max(square, TINY)
        system[np.diag_indices_from(system)] += penalty
        beta = moments.solve(system, right)
        rest = (moments.squares - moments.target * mean) * unit_weight - float(right @ beta)
        noise = np.sqrt(max(rest, 0.0) / max(len(self) - 1, 1))
        center = middle * scale

        def uncertainty() -> Uncertainty:
            lower = np.linalg.cholesky(system).astype(np.float64, copy=False)
            return Uncertainty(1.0 / penalty, lower, center, scale, 1.0 / ratings, solved=True)

        return self._model(beta, scale, mean, center, float(noise), uncertainty)

    def _column_scale(self) -> Array:
        share = self.hyperparameters.tone_share
        return column_scale(self.space.dimension, self.space.columns, share)

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
            match=self.hyperparameters.match,
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
