"""Sums of products of samples, from which ridge regression is solved once they outnumber columns.

A sample is a mapped row with its facts: intercept (1 for a rating, 0 for a comparison of two
photos, whose intercepts cancel), target and weight.
"""

from __future__ import annotations

import numpy as np

from curator.taste.space import Array, Rows

STEPS, TOLERANCE = 15, 1e-8
"""Of the iterative solve: most steps, and the relative error at which it ends."""


class Moments:
    """Weighted sums of products of rows: all that ridge regression needs.

    Cheaper than the rows themselves once rows outnumber columns. The (n, 3) facts are intercept,
    target and weight of each row.
    """

    def __init__(self, columns: int) -> None:
        self.products = np.zeros((columns, columns))
        self.rows = np.zeros(columns)
        self.row_squares = np.zeros(columns)
        self.row_targets = np.zeros(columns)
        self.mass = self.target = self.squares = 0.0
        self._inverse: Rows = np.zeros((0, 0), np.float32)  # of an earlier system

    def add(self, rows: Array, facts: Array, sign: float = 1.0) -> None:
        """Add (n, C) rows, or subtract them with ``sign`` -1."""
        intercept, target, weight = facts[:, 0], facts[:, 1], facts[:, 2] * sign
        mass = weight * intercept
        heavy = rows * np.sqrt(facts[:, 2])[:, None]
        self.products += sign * (heavy.T @ heavy)  # of one array: half the work
        self.rows += mass @ rows
        self.row_squares += mass @ rows**2
        self.row_targets += (weight * target) @ rows
        self.mass += float(mass.sum())
        self.target += float(mass @ target)
        self.squares += float(weight @ target**2)

    def solve(self, system: Array, right: Array) -> Array:
        """Solve a (C, C) system made of these sums.

        By conjugate gradients, preconditioned by the inverse of an earlier system: after one more
        rating 3 to 6 steps take 5 ms of 1,356 columns, where a direct solve takes 50. Where that
        inverse is too old, as after quite other hyperparameters, a new one is computed.
        """
        found, rest = np.zeros_like(right), right.copy()
        direction, last = np.zeros_like(right), np.inf
        for _ in range(STEPS if len(self._inverse) else 0):
            if rest @ rest <= TOLERANCE**2 * (right @ right):
                return found
            step = self._inverse @ rest.astype(np.float32)
            size = float(step @ rest)
            direction = step + size / last * direction
            product, last = system @ direction, size
            length = size / float(direction @ product)
            found += length * direction
            rest -= length * product
        inverse = np.linalg.inv(system)
        self._inverse = inverse.astype(np.float32)
        return np.asarray(inverse @ right)
