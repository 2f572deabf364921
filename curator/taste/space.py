"""The space the taste model is fitted in: vectors, tone measures, and the archive's structure.

A row is a photo's unit vector, optionally followed by its tone measures
(:mod:`curator.taste.tone`). :class:`Space` maps rows to columns in which plain ridge regression
learns fastest, and folds the learned weights back onto raw rows. Scoring an archive is then one
product over stored rows, and a new space changes none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from curator.model import KnownError
from curator.taste.tone import TONES, WEIGHTS

Array = NDArray[np.float64]
Rows = NDArray[np.float32]

DIRECTIONS = 64
"""Directions of the archive to stretch; 32 gained half as much in `tests/bench`."""
EMPHASIS = 0.5
"""Exponent on the archive's variance: directions in which photos differ count for more. In
`tests/bench` whitening (negative values) lost 3 to 7 % of rank correlation, 0.5 gains 1 to 2 % at
50 ratings."""
UNIT_TOLERANCE = 1e-2
"""Storing a unit vector as float16 changes its length by less than 1e-3."""

_ONE_ENCODER = (
    "Wait until all photos are analyzed with the same encoder, or run `curator backfill embed`."
)


class BadVectorsError(KnownError):
    """Unusable vectors: zeros, not numbers, or made by another encoder."""


def as_rows(values: ArrayLike, columns: int | None = None) -> Rows:
    """Return rows as an (N, C) float32 array, without a copy if they are one already.

    Raises:
        BadVectorsError: the rows differ in length, or do not have ``columns`` columns.
    """
    try:
        rows = np.asarray(values, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise BadVectorsError(
            "The photos were analyzed with different encoders.", _ONE_ENCODER
        ) from error
    if rows.ndim == 1:
        rows = rows[None] if rows.size else rows.reshape(0, columns or 0)
    if rows.ndim != 2 or (columns is not None and rows.shape[1] != columns):
        raise BadVectorsError(
            "The photos were analyzed with another encoder than taste was learned with"
            f" ({rows.shape[-1]} numbers a photo, not {columns}).",
            _ONE_ENCODER,
        )
    return rows


def unit(vectors: Rows) -> Rows:
    """Return (N, D) vectors scaled to length 1; without a copy if all have it already.

    Raises:
        BadVectorsError: a vector is all zeros, or holds NaN or infinity.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    bad = ~(np.isfinite(lengths) & (lengths > 1e-6))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise BadVectorsError(
            f"The analysis of {int(bad.sum())} of {len(vectors)} photos is damaged"
            f" (the first is number {first}).",
            "`curator backfill embed` analyzes all photos again.",
        )
    if np.abs(lengths - 1.0).max(initial=0.0) < UNIT_TOLERANCE:
        return vectors
    return (vectors / lengths[:, None]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Space:
    """A linear map from raw rows to columns that ridge regression penalizes equally.

    ``mean`` (D,); ``directions`` (R, D), orthonormal, each stretched by 1 + its gain in ``gains``
    (R,) >= 0; ``scale`` to unit mean square; ``tone_mean`` and ``tone_scale`` (T,), T may be 0.
    """

    mean: Array
    directions: Array
    gains: Array
    scale: float
    tone_mean: Array
    tone_scale: Array

    @classmethod
    def of(cls, rows: ArrayLike, dimension: int | None = None) -> Space:
        """Learn the space from an archive of rated and unrated photos.

        Args:
            rows: (N, D + T) raw rows; a sample of 4,000 is enough (0.3 s).
            dimension: D, the length of the vector in a row; the whole row if None.
        """
        raw = as_rows(rows)
        dimension = raw.shape[1] if dimension is None else dimension
        tones = raw[:, dimension:].astype(np.float64)
        vectors = unit(raw[:, :dimension]).astype(np.float64)
        mean = vectors.mean(axis=0)
        centered = vectors - mean
        directions, gains = _strongest(centered)
        mapped = centered + (centered @ directions.T * gains) @ directions
        square = float((mapped**2).sum(axis=1).mean())
        spread = tones.std(axis=0)
        return cls(
            mean,
            directions,
            gains,
            1.0 / np.sqrt(square) if square > 1e-9 else 1.0,
            tones.mean(axis=0),
            np.where(spread > 1e-6, 1.0 / np.maximum(spread, 1e-6), 0.0)
            * _tone_weights(tones.shape[1]),
        )

    @property
    def dimension(self) -> int:
        """Length of the vector in a row."""
        return len(self.mean)

    @property
    def columns(self) -> int:
        """Length of a row: the vector and the tone measures."""
        return len(self.mean) + len(self.tone_mean)

    def clean(self, rows: ArrayLike) -> Rows:
        """Check rows and scale their vectors to unit length.

        Raises:
            BadVectorsError: rows of another length, or with zeros or NaN.
        """
        raw = as_rows(rows, self.columns)
        vectors = unit(raw[:, : self.dimension])
        if self.columns == self.dimension:
            return vectors
        if not np.isfinite(raw[:, self.dimension :]).all():
            raise BadVectorsError("Some tone measures are not numbers.")
        return np.concatenate([vectors, raw[:, self.dimension :]], axis=1)

    def map(self, rows: Rows) -> Array:
        """Map (N, D + T) clean rows to (N, D + T) columns.

        Over the archive, the vectors and the tone measures each have a mean square near 1.
        """
        vectors = rows[:, : self.dimension].astype(np.float64) - self.mean
        vectors += (vectors @ self.directions.T * self.gains) @ self.directions
        tones = (rows[:, self.dimension :].astype(np.float64) - self.tone_mean) * self.tone_scale
        return np.concatenate([vectors * self.scale, tones], axis=1)

    def fold(self, weights: Array) -> tuple[Array, float]:
        """Convert weights for mapped columns to (weights for raw columns, constant to add)."""
        vector = weights[: self.dimension] * self.scale
        vector = vector + (vector @ self.directions.T * self.gains) @ self.directions
        tone = weights[self.dimension :] * self.tone_scale
        constant = -float(vector @ self.mean) - float(tone @ self.tone_mean)
        return np.concatenate([vector, tone]), constant

    def numbers(self) -> dict[str, Any]:
        """Return the space as plain arrays, float16 where that is precise enough."""
        return {
            "mean": self.mean.astype(np.float32),
            "directions": self.directions.astype(np.float16),
            "gains": self.gains,
            "scale": self.scale,
            "tone_mean": self.tone_mean,
            "tone_scale": self.tone_scale,
        }

    @classmethod
    def from_numbers(cls, numbers: dict[str, Any]) -> Space:
        """Build a space from the result of :meth:`numbers`."""
        return cls(
            np.asarray(numbers["mean"], np.float64),
            np.asarray(numbers["directions"], np.float64).reshape(-1, len(numbers["mean"])),
            np.asarray(numbers["gains"], np.float64),
            float(numbers["scale"]),
            np.asarray(numbers["tone_mean"], np.float64),
            np.asarray(numbers["tone_scale"], np.float64),
        )


def _tone_weights(count: int) -> Array:
    """Return weights of tone measures whose squares sum to 1 over standardized columns."""
    return WEIGHTS if count == TONES else np.full(count, 1.0 / np.sqrt(max(count, 1)))


def _strongest(centered: Array) -> tuple[Array, Array]:
    """Return the archive's strongest directions (R, D) and their gains (R,)."""
    count, dimension = centered.shape
    rank = min(DIRECTIONS, count // 4, dimension // 2)
    if rank < 2:
        return np.zeros((0, dimension)), np.zeros(0)
    if count <= dimension:
        values, left = np.linalg.eigh(centered @ centered.T)
        values, left = values[::-1], left[:, ::-1]
        if values[rank] <= 1e-9 * max(values[0], 1e-30):
            return np.zeros((0, dimension)), np.zeros(0)
        directions = (left[:, :rank] / np.sqrt(values[:rank])).T @ centered
    else:
        values, right = np.linalg.eigh(centered.T @ centered)
        values = values[::-1]
        directions = right[:, ::-1][:, :rank].T.copy()  # a view would keep all 13 MB
        if values[rank] <= 1e-9 * max(values[0], 1e-30):
            return np.zeros((0, dimension)), np.zeros(0)
    return directions, (values[:rank] / values[rank]) ** (EMPHASIS / 2) - 1.0
