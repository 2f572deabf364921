"""What was learned, as numbers: a rating, a match score and a doubt for every photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.taste.linear import forward
from curator.taste.space import Array, BadVectorsError, Rows, Space, as_rows, unit

CHECKED_WHOLE = 4096
"""Up to so many rows every length is checked; an archive is checked when it is written."""
KEPT_DIRECTIONS = 16
"""Directions of certainty a stored version keeps; std is then an upper bound."""
TURNS = 12
"""Rounds of subspace iteration that find them."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """How uncertain a prediction is, over mapped, weighted, centred columns z.

    Fitted from fewer ratings than columns, what is known is taken off the prior: variance over
    noise² is ``plain |z|² - |rows z|²`` plus the mean's, with (R, C) ``rows``. From more, it is
    ``|rows⁻¹ z|²`` plus the mean's, ``rows`` being the (C, C) Cholesky factor of what was
    ``solved``, whose least eigenvalue is the penalty, 1 / ``plain``.
    """

    plain: float
    rows: Array
    centre: Array
    column_scale: Array
    mean_variance: float
    solved: bool = False

    def variance(self, mapped: Array) -> Array:
        """Give the variance over noise² of the predicted rating of (N, C) mapped rows."""
        z = mapped * self.column_scale - self.centre
        if self.solved:
            known = forward(self.rows, z.T)
            value: Array = np.einsum("ij,ij->j", known, known)
        else:
            known = z @ self.rows.T
            value = self.plain * np.einsum("ij,ij->i", z, z)
            value -= np.einsum("ij,ij->i", known, known)
        return np.maximum(value, 0.0) + self.mean_variance

    def brief(self) -> Uncertainty:
        """Keep the directions known best; the rest counts as never seen."""
        factor = self.rows.T if self.solved else self.rows
        squares, directions = _strongest(factor, KEPT_DIRECTIONS)
        if self.solved:  # 1 / plain at least, so that nothing is known of what lies below
            squares = self.plain - 1.0 / np.maximum(squares, 1.0 / self.plain)
        rows = directions * np.sqrt(squares)[:, None]
        return Uncertainty(self.plain, rows, self.centre, self.column_scale, self.mean_variance)


def _strongest(factor: Array, most: int) -> tuple[Array, Array]:
    """Find the largest eigenvalues of ``factorᵀ factor`` and their directions.

    By subspace iteration: the whole decomposition takes seconds where this takes a tenth.

    Args:
        factor: (R, C).
        most: eigenvalues wanted.

    Returns:
        (K,) and (K, C), largest first, K at most ``most``, R and C.
    """
    wide = min(2 * most, *factor.shape)
    basis = np.random.default_rng(0).standard_normal((factor.shape[1], wide))
    for _ in range(TURNS):
        basis = np.linalg.qr(factor.T @ (factor @ basis))[0]
    _, values, directions = np.linalg.svd(factor @ basis, full_matrices=False)
    return values[:most] ** 2, (directions @ basis.T)[:most]


@dataclass(frozen=True, eq=False)
class TasteModel:
    """One person's taste: linear in a photo's row, so an archive is scored by one product.

    Attributes:
        weights: (D + T,) float32 on raw rows (unit vector, then tone measures).
        bias: added to the product; together the predicted rating in stars.
        mean: weighted mean of the ratings learned from.
        stretch: >= 1; how far predictions are spread about the mean before they become a
            match score (order and :meth:`rating` are untouched).
        penalty: ridge penalty relative to the mean square of the rows.
        tone_share: how much of the model may rest on tone, 0.0-1.0.
        noise: standard deviation of a rating about its prediction, stars.
        count: ratings learned from.

    Thread: any; a model never changes.
    """

    weights: Rows
    bias: float
    mean: float
    stretch: float
    penalty: float
    tone_share: float
    noise: float
    count: int
    space: Space
    _doubt: Callable[[], Uncertainty] = field(repr=False)

    def rating(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Predict ratings in stars; order by this. May lie a little outside 1-5.

        Args:
            vectors: (N, D + T) or one (D + T,) row.

        Returns:
            (N,) float32.

        Raises:
            BadVectorsError: rows of another encoder, zeros or NaN.
        """
        rows = as_rows(vectors, self.space.columns)
        if len(rows) <= CHECKED_WHOLE or not self._looks_unit(rows):
            rows = self.space.clean(rows)
        dimension = self.space.dimension
        with np.errstate(invalid="ignore", over="ignore"):
            product = rows[:, :dimension] @ self.weights[:dimension]
            self._refuse_empty(rows, product)
            product += np.float32(self.bias)
            if rows.shape[1] > dimension:
                product += rows[:, dimension:] @ self.weights[dimension:]
        if not np.isfinite(product).all():
            raise BadVectorsError("Tone measures hold values that are not numbers.")
        return product

    def _refuse_empty(self, rows: Rows, product: Rows) -> None:
        """Look closer at rows whose product is what a vector of zeros or NaN would give."""
        suspicious = np.flatnonzero(~np.isfinite(product) | (product == 0.0))
        for start in range(0, len(suspicious), CHECKED_WHOLE):
            unit(rows[suspicious[start : start + CHECKED_WHOLE], : self.space.dimension])

    def _looks_unit(self, rows: Rows) -> bool:
        sample = rows[:: max(len(rows) // 64, 1), : self.space.dimension]
        with np.errstate(invalid="ignore"):
            off = np.abs((sample.astype(np.float64) ** 2).sum(axis=1) - 1.0)
        return bool((off < 2e-2).all())

    def match_score(self, vectors: ArrayLike) -> NDArray[np.int16]:
        """Score 0-100: ``(stretched - 1) * 25``, rounded; 70 and over is a match. (N,) int16."""
        return self.scores(self.rating(vectors))

    def scores(self, ratings: NDArray[np.float32]) -> NDArray[np.int16]:
        """Turn what :meth:`rating` gave into match scores without reading the vectors again."""
        stretched = self.mean + (ratings - self.mean) * self.stretch
        return np.clip(np.rint((stretched - 1.0) * 25.0), 0, 100).astype(np.int16)

    def std(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Say how uncertain :meth:`rating` is, stars, (N,) float32.

        Costs a product with every rating: for the photos on screen and a sample, not an archive.
        """
        mapped = self.space.map(self.space.clean(vectors))
        return (self.noise * np.sqrt(self.doubt.variance(mapped))).astype(np.float32)

    @property
    def doubt(self) -> Uncertainty:
        """The uncertainty, made when first asked for."""
        return self._doubt()

    def to_numbers(self) -> dict[str, Any]:
        """Give the model as a flat dict of numbers and arrays for ``np.savez``; no pickles."""
        doubt = self.doubt.brief()
        numbers: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("bias", "mean", "stretch", "penalty", "tone_share", "noise", "count")
        }
        numbers["version"] = 1
        numbers["weights"] = self.weights
        numbers |= {f"space.{name}": value for name, value in self.space.numbers().items()}
        numbers |= {
            "doubt.plain": doubt.plain,
            "doubt.rows": doubt.rows.astype(np.float32),
            "doubt.centre": doubt.centre.astype(np.float32),
            "doubt.tone_scale": float(doubt.column_scale[-1]),
            "doubt.vector_scale": float(doubt.column_scale[0]),
            "doubt.mean_variance": doubt.mean_variance,
        }
        return numbers

    @classmethod
    def from_numbers(cls, numbers: dict[str, Any]) -> TasteModel:
        """Read what :meth:`to_numbers` gave, from a dict, an ``np.load`` or parsed JSON.

        Raises:
            ValueError: fields are missing, not finite, or do not fit each other.
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
            doubt = Uncertainty(
                float(numbers["doubt.plain"]),
                np.asarray(numbers["doubt.rows"], np.float64).reshape(-1, space.columns),
                np.asarray(numbers["doubt.centre"], np.float64),
                scale,
                float(numbers["doubt.mean_variance"]),
            )
            scalars = {
                name: float(numbers[name])
                for name in ("bias", "mean", "stretch", "penalty", "tone_share", "noise")
            }
            count = int(numbers["count"])
        except KeyError as error:
            raise ValueError(f"a taste model without {error}") from error
        fits = weights.shape == (space.columns,) and doubt.centre.shape == (space.columns,)
        fits &= space.directions.shape == (len(space.gains), space.dimension)
        if not (fits and all(np.isfinite(np.asarray(each)).all() for each in numbers.values())):
            raise ValueError("the numbers of a taste model do not fit each other")
        return cls(weights=weights, count=count, space=space, _doubt=lambda: doubt, **scalars)
