"""The algebra of the taste model: a symmetric solve, and leave-one-out errors in closed form.

A sample is a row: mapped vector ``z``, intercept ``h`` (1 for a rating, 0 for a comparison of
two photos, whose intercepts cancel), target ``t`` and weight ``w``. Ridge regression with an
unpenalized intercept ``b`` is then, in the dual, ``C α = t - b h`` with ``C = Z Zᵀ + a W⁻¹``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BLOCK = 96
"""Rows per block of the triangular solves; 64 to 128 took the same time at 1,280 rows."""


def cholesky_solve(lower: Array, right: Array) -> Array:
    """Solve ``L Lᵀ x = right`` in blocks; numpy has a Cholesky but no triangular solve.

    Args:
        lower: (n, n) lower triangle.
        right: (n, k) right-hand sides.
    """
    x = forward(lower, right)
    n = len(lower)
    for start in range((n - 1) // BLOCK * BLOCK, -1, -BLOCK):
        stop = min(start + BLOCK, n)
        if stop < n:
            x[start:stop] -= lower[stop:, start:stop].T @ x[stop:]
        x[start:stop] = np.linalg.solve(lower[start:stop, start:stop].T, x[start:stop])
    return x


def forward(lower: Array, right: Array) -> Array:
    """Solve ``L x = right`` in blocks; shapes as in :func:`cholesky_solve`."""
    x = np.array(right, dtype=np.float64)
    n = len(lower)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        if start:
            x[start:stop] -= lower[start:stop, :start] @ x[:start]
        x[start:stop] = np.linalg.solve(lower[start:stop, start:stop], x[start:stop])
    return x


class LeaveOut:
    """The prediction error of each row without its group, for any penalty, in closed form.

    With ``P = C⁻¹ - C⁻¹ h hᵀ C⁻¹ / (hᵀ C⁻¹ h)`` and ``α = P t`` the error on the rows of group G
    is ``(P_GG)⁻¹ α_G``. The second term of P belongs to the intercept: for equal weights and
    centered rows it is ``- 1/n`` (times 1/a). Without it the chosen penalty is far too small.

    Source: the block form of the leave-one-out identity for linear smoothers (Cook & Weisberg
    1982, section 2.2), with the intercept eliminated; tests compare it with refitting.
    """

    def __init__(
        self, gram: Array, intercept: Array, targets: Array, inverse_weights: Array, groups: Array
    ) -> None:
        root = 1.0 / np.sqrt(inverse_weights)
        values, vectors = np.linalg.eigh(gram * np.outer(root, root))
        self._values = np.maximum(values, 0.0)
        self._vectors = vectors * root[:, None]  # C⁻¹ = vectors (values + a)⁻¹ vectorsᵀ
        self._squares = self._vectors**2
        self._h, self._t = self._vectors.T @ intercept, self._vectors.T @ targets
        order = np.argsort(groups, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
        self._several = [part for part in parts if len(part) > 1]

    def errors(self, penalty: float) -> Array:
        """Return target minus prediction for every row, predicted without its group, (n,).

        Args:
            penalty: the ridge penalty, greater than 0.
        """
        shrunk = 1.0 / (self._values + penalty)
        intercept_mass = float((self._h * shrunk * self._h).sum())
        mean = float((self._h * shrunk * self._t).sum()) / intercept_mass
        alpha = self._vectors @ (shrunk * (self._t - mean * self._h))
        share = self._vectors @ (shrunk * self._h) / np.sqrt(intercept_mass)
        diagonal = self._squares @ shrunk - share**2
        errors = alpha / np.maximum(diagonal, 1e-12)
        for part in self._several:
            rows = self._vectors[part]
            block = (rows * shrunk) @ rows.T - np.outer(share[part], share[part])
            errors[part] = np.linalg.lstsq(block, alpha[part], rcond=1e-9)[0]
        return errors


class Moments:
    """Weighted sums of products of rows: all that ridge regression needs.

    Cheaper than the rows themselves once rows outnumber columns. The (n, 3) facts are intercept,
    target and weight of each row.
    """

    def __init__(self, columns: int) -> None:
        self.products = np.zeros((columns, columns))
        self.rows = np.zeros(columns)
        self.row_targets = np.zeros(columns)
        self.weight = self.mass = self.target = self.squares = 0.0

    def add(self, rows: Array, facts: Array, sign: float = 1.0) -> None:
        """Add (n, C) rows, or subtract them with ``sign`` -1."""
        intercept, target, weight = facts[:, 0], facts[:, 1], facts[:, 2] * sign
        self.products += (rows.T * weight) @ rows
        self.rows += rows.T @ (weight * intercept)
        self.row_targets += rows.T @ (weight * target)
        self.weight += float(weight.sum())
        self.mass += float(weight @ intercept)
        self.target += float(weight @ (intercept * target))
        self.squares += float(weight @ target**2)
