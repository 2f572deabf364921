"""Learning from ratings: ridge in a :class:`Space`, its penalty chosen from the data.

:class:`TrainingSet` keeps what makes the next fit cheap: rows and their Gram matrix while ratings
are few, weighted sums of products once they outnumber columns. :func:`fit` is the one-shot form::

    model = fit(vectors, ratings)
    model.match_score(archive)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.model import UsageError
from curator.taste.hyperparameters import TINY, Hyperparameters, mean_square, mix, search
from curator.taste.linear import Moments, cholesky_solve, forward
from curator.taste.model import TasteModel, Uncertainty
from curator.taste.row_store import RowStore
from curator.taste.space import Array, Space, as_rows

MIN_RATINGS = 20
"""Ratings needed before anything is shown."""
SEARCH_EVERY = 10
"""Ratings between two searches of the penalty once searching is no longer instant."""
SEARCH_AT_ONCE = 120
"""Up to so many rows a search takes some 10 ms and every fit makes one."""
SEARCH_LIMIT = 800
"""Rows a search looks at, the weightiest: the penalty does not need them all."""
DUAL_LIMIT = 1200
"""Rows up to which the Gram matrix is kept; about where columns get fewer than rows."""


def fit(
    vectors: ArrayLike,
    ratings: ArrayLike,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    space: Space | None = None,
) -> TasteModel:
    """Learn from ratings once; see :class:`TrainingSet` for learning live.

    Args:
        vectors: (N, D) unit vectors, or (N, D + T) rows with tone behind them (needs ``space``).
        ratings: (N,) stars, 0.0-5.0 (a reject is given as something below 1).
        weights: (N,) > 0; recency and strength of evidence. All 1 when None.
        groups: (N,) ids; rows of one group (a stack) are left out together. Each its own if None.
        space: what the archive taught; None leaves vectors as they are.

    Raises:
        BadVectorsError: zeros, NaN, or vectors of different lengths.
        UsageError: no ratings, or ratings, weights or groups that do not fit.
    """
    rows = as_rows(vectors)
    space = Space.plain(rows.shape[1]) if space is None else space
    given = np.asarray(ratings, np.float64).ravel()
    strength = np.ones(len(given)) if weights is None else np.asarray(weights, np.float64).ravel()
    names = np.arange(len(given)) if groups is None else np.asarray(groups).ravel()
    if not len(rows) == len(given) == len(strength) == len(names):
        raise UsageError(
            f"{len(rows)} vectors, {len(given)} ratings, {len(strength)} weights and "
            f"{len(names)} groups do not belong together."
        )
    lessons = TrainingSet(space)
    lessons.add(range(len(rows)), rows, given, strength, names.tolist())
    model = lessons.fit()
    if lessons.search_due:
        lessons.use(lessons.search_job()())
        model = lessons.fit()
    return model


class TrainingSet:
    """Everything rated so far, kept so that one more rating costs one solve.

    Each has a key (a photo's id), so that a changed rating replaces it and undo withdraws it.
    Weights count relative to each other: let recency grow towards now instead of fading the old
    (:func:`recency`), and no lesson ever has to be touched again for getting old.

    Once no Gram matrix is kept the rows leave memory (:class:`RowStore`).

    Thread: one at a time (the refit thread's); models it returns are free.
    """

    def __init__(
        self, space: Space, choice: Hyperparameters | None = None, scratch: Path | None = None
    ) -> None:
        """Make none; ``scratch`` is where many of them go (:class:`RowStore`)."""
        self.space = space
        self.choice = choice or Hyperparameters()
        self._searched_at = -SEARCH_EVERY
        self._changes = 0
        self._place: dict[Hashable, int] = {}
        self._keys: list[Hashable] = []
        self._groups: list[Hashable] = []
        self._parts = (slice(0, space.dimension), slice(space.dimension, space.columns))
        self._z = RowStore(space.columns, scratch)
        self._facts = np.zeros((0, 3))  # intercept (1 rating, 0 comparison), target, weight
        self._grams: list[Array] | None = [np.zeros((0, 0)), np.zeros((0, 0))]
        self._moments: Moments | None = None

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def ratings(self) -> int:
        """How many lessons are ratings, not comparisons."""
        return int(self._facts[: len(self), 0].sum())

    def add(
        self,
        keys: Sequence[Hashable],
        rows: ArrayLike,
        ratings: ArrayLike,
        weights: ArrayLike,
        groups: Sequence[Hashable],
    ) -> None:
        """Add or replace ratings; all or nothing.

        Args:
            keys: one a row.
            rows: (N, D + T) as the space has them.
            ratings: (N,) stars, 0.0-5.0.
            weights: (N,) > 0.
            groups: one a row: the stack, or the photo itself.
        """
        clean = self.space.clean(rows)
        targets = np.asarray(ratings, np.float64).ravel()
        if not (np.isfinite(targets).all() and ((targets >= 0) & (targets <= 5)).all()):
            raise UsageError("A rating is a number from 0 to 5.")
        strength = np.asarray(weights, np.float64).ravel()
        if len(strength) != len(targets):
            raise UsageError(f"{len(targets)} ratings and {len(strength)} weights do not fit.")
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
        """Add or replace comparisons: one photo was kept, of the same stack another was not.

        Each is worth one star of difference.

        Args:
            keys: one a comparison.
            better: (N, D + T) rows of the photos kept.
            worse: (N, D + T) rows of the others.
            weights: (N,) > 0; 0.5 is half a star press.
            groups: one a comparison: the stack.
        """
        strength = np.asarray(weights, np.float64).ravel()
        kept, left = (self.space.map(self.space.clean(rows)) for rows in (better, worse))
        if not len(kept) == len(left) == len(strength):
            raise UsageError(f"{len(kept)} photos and {len(left)} others are no comparisons.")
        facts = np.column_stack([np.zeros(len(kept)), np.ones(len(kept)), strength])
        self._add(list(keys), kept - left, facts, list(groups))

    def remove(self, key: Hashable) -> None:
        """Withdraw a lesson; one never learned is no error (undo of a rating without vector)."""
        place = self._place.pop(key, None)
        if place is None:
            return
        last = len(self) - 1
        if self._moments is not None:
            self._moments.add(self._z.take([place]), self._facts[place : place + 1], -1.0)
        if place != last:
            self._z.put(place, self._z.take([last]))
            self._facts[place] = self._facts[last]
            self._keys[place], self._groups[place] = self._keys[last], self._groups[last]
            self._place[self._keys[place]] = place
            for gram in self._grams or ():
                gram[place, : last + 1] = gram[last, : last + 1]
                gram[: last + 1, place] = gram[: last + 1, last]
                gram[place, place] = gram[last, last]
        del self._keys[last], self._groups[last]
        self._changes += 1

    def _add(self, keys: list[Hashable], z: Array, facts: Array, groups: list[Hashable]) -> None:
        if not len(keys) == len(z) == len(facts) == len(groups):
            raise UsageError("Keys, vectors, ratings and groups do not belong together.")
        if not (np.isfinite(facts[:, 2]).all() and (facts[:, 2] > 0).all()):
            raise UsageError("A weight is a number greater than 0.")
        last = {key: place for place, key in enumerate(keys)}
        if len(last) < len(keys):  # rated twice in one go: the later one counts
            keep = sorted(last.values())
            z, facts = z[keep], facts[keep]
            keys, groups = [keys[place] for place in keep], [groups[place] for place in keep]
        for key in keys:
            self.remove(key)
        before, after = len(self), len(self) + len(keys)
        self._reserve(after)
        self._z.put(before, z)
        self._facts[before:after] = facts
        for offset, key in enumerate(keys):
            self._place[key] = before + offset
        self._keys += keys
        self._groups += groups
        self._changes += len(keys)
        if self._grams is not None and after > DUAL_LIMIT:
            self._grams = None
            self._z.leave_memory(after)
            self._sum()
        elif self._moments is not None:
            # What is summed is what is kept, so that a lesson withdrawn leaves nothing behind.
            self._moments.add(self._z.take(range(before, after)), facts)
        for gram, block in zip(self._grams or (), self._parts, strict=False):
            cross = self._z.first(after)[:, block] @ z[:, block].T
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
        """Whether enough has changed that the penalty should be searched again, in background."""
        return self._changes - self._searched_at >= SEARCH_EVERY

    def fit(self) -> TasteModel:
        """Learn from all lessons: one Cholesky solve, and a search while that is instant.

        Raises:
            UsageError: nothing was rated yet.
        """
        if self.ratings == 0:
            raise UsageError("Nothing is rated yet.", "Rate some photos first.")
        if len(self) <= SEARCH_AT_ONCE:
            self.use(self.search_job()())
        return self._dual() if self._moments is None else self._primal()

    def search_job(self) -> Callable[[], Hyperparameters]:
        """Give a search of penalty, tone share and stretch that any thread may run.

        It looks at the lessons as they are now; bring its result home with :meth:`use`. Takes
        about a second at SEARCH_LIMIT rows.
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
                for rows in [self._z.take(chosen)]
                for part in self._parts
            )
        names = {name: number for number, name in enumerate(dict.fromkeys(self._groups))}
        groups = np.array([names[self._groups[place]] for place in chosen])
        tone = tones if self.space.columns > self.space.dimension else None
        copied = facts[chosen].copy()
        return lambda: search(vectors, tone, copied, groups)

    def use(self, choice: Hyperparameters) -> None:
        """Use what a search settled from the next fit on."""
        self.choice = choice
        if self._moments is not None:  # sums of products drift a little with every drop
            self._sum()

    def _sum(self) -> None:
        """Sum the products of all lessons anew."""
        self._moments = Moments(self.space.columns)
        for part, rows in self._z.parts(len(self)):
            self._moments.add(rows, self._facts[part])

    def _column_scale(self) -> Array:
        scale = np.full(self.space.columns, np.sqrt(1.0 - self.choice.tone_share))
        scale[self.space.dimension :] = np.sqrt(self.choice.tone_share)
        return scale

    def _dual(self) -> TasteModel:
        count, share = len(self), self.choice.tone_share
        assert self._grams is not None
        intercept, target, weight = self._facts[:count].T
        gram = mix(self._grams[0][:count, :count], self._grams[1][:count, :count], share)
        penalty = self.choice.penalty * mean_square(gram, self._facts[:count])
        weight = weight / weight.mean()
        mass = weight * intercept
        middle = gram @ mass / mass.sum()
        offset = float(mass @ middle) / mass.sum()
        centred = gram - np.outer(middle, intercept) - np.outer(intercept, middle)
        centred += offset * np.outer(intercept, intercept)
        mean = float(mass @ target) / mass.sum()
        residual = target - mean * intercept
        lower = np.linalg.cholesky(centred + np.diag(penalty / weight)).astype(
            np.float64, copy=False
        )
        alpha = cholesky_solve(lower, residual[:, None])[:, 0]
        z, scale = self._z.first(count), self._column_scale()
        centre = (z.T @ mass / mass.sum()) * scale
        beta = (z.T @ alpha) * scale - centre * float(alpha @ intercept)
        noise = np.sqrt(penalty * max(float(residual @ alpha), 0.0) / max(count - 1, 1))

        def doubt() -> Uncertainty:
            rows = z * scale - np.outer(intercept, centre)
            known = forward(lower, rows) / np.sqrt(penalty)
            return Uncertainty(1.0 / penalty, known, centre, scale, 1.0 / float(mass.sum()))

        z = z.copy()  # the lessons go on changing; the model's doubt must not
        return self._model(beta, scale, mean, centre, float(noise), doubt)

    def _primal(self) -> TasteModel:
        assert self._moments is not None
        moments, scale = self._moments, self._column_scale()
        unit_weight = len(self) / moments.weight
        mass = moments.mass * unit_weight
        centre_raw = moments.rows / moments.mass
        products = moments.products - np.outer(centre_raw, moments.rows)
        products *= unit_weight * np.outer(scale, scale)
        mean = moments.target / moments.mass
        right = (moments.row_targets - centre_raw * moments.target) * unit_weight * scale
        penalty = self.choice.penalty * max(float(np.trace(products)) / len(self), TINY)
        lower = np.linalg.cholesky(products + penalty * np.eye(len(scale))).astype(
            np.float64, copy=False
        )
        beta = cholesky_solve(lower, right[:, None])[:, 0]
        square = (moments.squares - moments.target * mean) * unit_weight - float(right @ beta)
        centre = centre_raw * scale

        def doubt() -> Uncertainty:
            return Uncertainty(1.0 / penalty, lower, centre, scale, 1.0 / mass, solved=True)

        noise = float(np.sqrt(max(square, 0.0) / max(len(self) - 1, 1)))
        return self._model(beta, scale, mean, centre, noise, doubt)

    def _model(
        self,
        beta: Array,
        scale: Array,
        mean: float,
        centre: Array,
        noise: float,
        doubt: Callable[[], Uncertainty],
    ) -> TasteModel:
        folded, constant = self.space.fold(beta * scale)
        return TasteModel(
            weights=folded.astype(np.float32),
            bias=constant + mean - float(beta @ centre),
            mean=mean,
            stretch=self.choice.stretch,
            penalty=self.choice.penalty,
            tone_share=self.choice.tone_share,
            noise=noise,
            count=self.ratings,
            space=self.space,
            _doubt=_once(doubt),
        )


def recency(rated_at_s: ArrayLike, half_life_s: float, epoch_s: float) -> Array:
    """Weigh ratings by when they were made: one a half-life later counts twice.

    Only weights relative to each other matter, so they grow from a fixed day instead of fading
    towards now, and old lessons keep theirs.

    Args:
        rated_at_s: (N,) Unix times.
        half_life_s: > 0; ``inf`` weighs all alike.
        epoch_s: the Unix time that weighs 1; the catalog's first rating.
    """
    return np.exp2((np.asarray(rated_at_s, np.float64) - epoch_s) / half_life_s)


def _grown(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Copy an array into the corner of a larger one of zeros."""
    larger = np.zeros(shape, array.dtype)
    rows, columns = min(shape[0], array.shape[0]), min(shape[1], array.shape[1])
    larger[:rows, :columns] = array[:rows, :columns]
    return larger


def _once(make: Callable[[], Uncertainty]) -> Callable[[], Uncertainty]:
    """Make the uncertainty at its first use and keep it."""
    made: list[Uncertainty] = []

    def get() -> Uncertainty:
        if not made:
            made.append(make())
        return made[0]

    return get
