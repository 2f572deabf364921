"""The fitted taste model: predicts a rating, a match score and an uncertainty for every photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.taste.hyperparameters import Hyperparameters
from curator.taste.match import MatchScale
from curator.taste.space import Array, Rows, Space

STORED_DIRECTIONS = 16
"""Directions of certainty stored with a version. `std` of the restored model is an upper bound."""
ITERATIONS = 12
"""Rounds of the subspace iteration that finds them."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The uncertainty of a prediction, over mapped, weighted, centered columns z.

    With fewer ratings than columns, the model subtracts what it knows from the prior: variance /
    noise² is ``plain |z|² - |rows z|²`` plus the variance of the mean, where ``rows`` is (R, C).
    With more ratings than columns (``solved``) it is ``|rows⁻¹ z|²`` plus the variance of the
    mean, where ``rows`` is the (C, C) Cholesky factor of the solved system. The smallest
    eigenvalue of that system is the penalty, 1 / ``plain``.
    """

    plain: float
    rows: Array
    center: Array
    column_scale: Array
    mean_variance: float
    solved: bool = False

    def variance(self, mapped: Array) -> Array:
        """Return variance / noise² of the predicted rating of (N, C) mapped rows, (N,)."""
        z = mapped * self.column_scale - self.center
        if self.solved:
            known = np.linalg.solve(self.rows, z.T)
            value: Array = np.einsum("ij,ij->j", known, known)
        else:
            known = z @ self.rows.T
            value = self.plain * np.einsum("ij,ij->i", z, z)
            value -= np.einsum("ij,ij->i", known, known)
        return np.maximum(value, 0.0) + self.mean_variance

    def compressed(self) -> Uncertainty:
        """Keep only the STORED_DIRECTIONS known best; all others count as never seen."""
        factor = self.rows.T if self.solved else self.rows
        squares, directions = _strongest(factor, STORED_DIRECTIONS)
        if self.solved:  # at least 1 / plain, so that weaker directions count as unknown
            squares = self.plain - 1.0 / np.maximum(squares, 1.0 / self.plain)
        rows = directions * np.sqrt(squares)[:, None]
        return Uncertainty(self.plain, rows, self.center, self.column_scale, self.mean_variance)


def _strongest(factor: Array, most: int) -> tuple[Array, Array]:
    """Find the largest eigenvalues of ``factorᵀ factor`` and their directions.

    Uses subspace iteration, which takes a tenth of a second where the full decomposition takes
    seconds.

    Args:
        factor: (R, C).
        most: number of eigenvalues wanted.

    Returns:
        (K,) and (K, C), largest first. K is the smallest of ``most``, R and C.
    """
    wide = min(2 * most, *factor.shape)
    basis = np.random.default_rng(0).standard_normal((factor.shape[1], wide))
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(factor.T @ (factor @ basis))[0]
    _, values, directions = np.linalg.svd(factor @ basis, full_matrices=False)
    return values[:most] ** 2, (directions @ basis.T)[:most]


@dataclass(frozen=True, eq=False)
class TasteModel:
    """One person's taste: linear in a photo's row, so one product scores a whole archive.

    Attributes:
        weights: (D + T,) float32, for raw rows (unit vector, then tone measures).
        bias: added to the product; the sum is the predicted rating in stars.
        mean: weighted mean of the training ratings.
        match: converts predicted ratings to match scores.
        penalty: ridge penalty relative to the mean square of the rows.
        tone_share: how much of the model may depend on tone, 0.0-1.0.
        noise: standard deviation of a rating around its prediction, in stars.
        count: number of training ratings.

    Thread: any; a model never changes.
    """

    weights: Rows
    bias: float
    mean: float
    match: MatchScale
    penalty: float
    tone_share: float
    noise: float
    count: int
    space: Space
    _uncertainty: Callable[[], Uncertainty] = field(repr=False)

    def rating(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Predict ratings in stars, at times slightly outside 1-5. Sort photos by this value.

        Every row is checked, which takes longer than the product: `curator.learning.learner`
        multiplies the rows of an archive, checked when they were read, by :attr:`weights`.

        Args:
            vectors: (N, D + T) or one (D + T,) row.

        Returns:
            (N,) float32.

        Raises:
            BadVectorsError: the rows come from another encoder, or hold zeros or NaN.
        """
        return self.space.clean(vectors) @ self.weights + np.float32(self.bias)

    def scores(self, ratings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert predicted ratings to match scores 0-100, (N,); NaN while the model has none."""
        return self.match.scores(ratings)

    def std(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Return the standard deviation of :meth:`rating` in stars, (N,) float32.

        Each photo costs a product with every training rating: use this for the photos on screen
        or a sample, never for an archive.
        """
        mapped = self.space.map(self.space.clean(vectors))
        return (self.noise * np.sqrt(self.uncertainty.variance(mapped))).astype(np.float32)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """What the model was fitted with."""
        return Hyperparameters(self.penalty, self.tone_share, self.match)

    @property
    def uncertainty(self) -> Uncertainty:
        """The uncertainty of predictions, computed at first use."""
        return self._uncertainty()

    def to_numbers(self) -> dict[str, Any]:
        """Return the model as a flat dict of numbers and arrays for ``np.savez``; no pickles.

        The keys are stored in catalogs: never rename one.
        """
        uncertainty = self.uncertainty.compressed()
        numbers: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("bias", "mean", "penalty", "tone_share", "noise", "count")
        }
        numbers["version"] = 1
        numbers["weights"] = self.weights
        numbers |= self.match.to_numbers()
        numbers |= {f"space.{name}": value for name, value in self.space.numbers().items()}
        numbers |= {
            "doubt.plain": uncertainty.plain,
            "doubt.rows": uncertainty.rows.astype(np.float32),
            "doubt.centre": uncertainty.center.astype(np.float32),
            "doubt.tone_scale": float(uncertainty.column_scale[-1]),
            "doubt.vector_scale": float(uncertainty.column_scale[0]),
            "doubt.mean_variance": uncertainty.mean_variance,
        }
        return numbers

    @classmethod
    def from_numbers(cls, numbers: dict[str, Any]) -> TasteModel:
        """Build a model from the result of :meth:`to_numbers`: a dict, ``np.load`` or parsed JSON.

        Raises:
            ValueError: values are missing, not finite, or of shapes that do not fit together.
        """
        if int(numbers.get("version", 0)) != 1:
            raise ValueError("not a taste model of version 1")
        try:
            space = Space.from_numbers(
                {name[6:]: numbers[name] for name in numbers if name.startswith("space.")}
            )
            weights = np.asarray(numbers["weights"], np.float32)
            scale = np.full(space.columns, float(numbers["doubt.vector_scale"]))
            scale[space.dimension :] = float(numbers["doubt.tone_scale"])
            uncertainty = Uncertainty(
                float(numbers["doubt.plain"]),
                np.asarray(numbers["doubt.rows"], np.float64).reshape(-1, space.columns),
                np.asarray(numbers["doubt.centre"], np.float64),
                scale,
                float(numbers["doubt.mean_variance"]),
            )
            scalars = {
                name: float(numbers[name])
                for name in ("bias", "mean", "penalty", "tone_share", "noise")
            }
            count, match = int(numbers["count"]), MatchScale.from_numbers(numbers)
        except KeyError as error:
            raise ValueError(f"a taste model without {error}") from error
        columns = (space.columns,)
        fits = weights.shape == columns and uncertainty.center.shape == columns
        fits &= space.directions.shape == (len(space.gains), space.dimension)
        if not (fits and all(np.isfinite(np.asarray(each)).all() for each in numbers.values())):
            raise ValueError("the numbers of a taste model do not fit each other")
        return cls(
            weights=weights,
            match=match,
            count=count,
            space=space,
            _uncertainty=lambda: uncertainty,
            **scalars,
        )
