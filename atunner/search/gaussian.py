"""A Gaussian process on discrete points: weights by maximum likelihood, posterior over a fixed pool, one row a point.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006): kernel 4.17 (Matern 5/2), algorithm 2.1,
likelihood gradient 5.9.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dtrtrs
from scipy.optimize import minimize

Matrix = NDArray[np.float64]
ROOT = float(np.sqrt(5))
START = {"scale": 0.25, "identity": 0.02, "alignment": 0.02, "product": 0.02, "belief": 0.02}
"""Weights before anything was measured, by the kind of a feature group: smooth, until the figures say otherwise."""
SPREAD = 0.5
"""Standard deviation of the logarithm of a weight around its start; wide, a dozen figures of noise move one tenfold."""
NOISE = 1e-3


@dataclass(frozen=True)
class Weights:
    """Logarithms of one weight a feature group, then of the noise variance relative to the signal's."""

    values: tuple[float, ...]

    @classmethod
    def start(cls, kinds: list[str]) -> "Weights":
        """What is believed of the groups at first."""
        return cls((*(float(np.log(START[k])) for k in kinds), float(np.log(NOISE))))

    def scaled(self, features: Matrix, groups: NDArray[np.int64]) -> Matrix:
        """Columns times the root of their weight: plain squared distances are then the process's."""
        scaled: Matrix = features * np.sqrt(np.exp(np.array(self.values))[groups])
        return scaled

    @property
    def noise(self) -> float:
        """Noise variance relative to the signal's."""
        return float(np.exp(self.values[-1]))


def matern(squared: Matrix) -> Matrix:
    """Correlation at a squared distance."""
    distance = np.sqrt(np.maximum(squared, 0))
    result: Matrix = (1 + ROOT * distance + (5 / 3) * squared) * np.exp(-ROOT * distance)
    return result


def fitted(kinds: list[str], groups: NDArray[np.int64], features: Matrix, target: Matrix, start: Weights) -> Weights:
    """Weights of the largest posterior, from `start` on; features (n, columns), target (n,)."""
    first = np.array(Weights.start(kinds).values)
    likelihood = _Likelihood(groups, features, target, first)
    bounds = [(-7.0, 5.0)] * len(kinds) + [(float(np.log(1e-5)), float(np.log(0.3)))]
    found = minimize(
        likelihood, np.array(start.values), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 15}
    )
    return Weights(tuple(float(v) for v in found.x))


class _Likelihood:
    """Negative log posterior of the weights, scale and mean profiled out, with its gradient."""

    def __init__(self, groups: NDArray[np.int64], features: Matrix, target: Matrix, first: Matrix) -> None:
        self._count, self._target, self._first = len(target), target, first
        parts = [_squared(features[:, groups == g], features[:, groups == g]) for g in range(len(first) - 1)]
        self._parts = np.array(parts).reshape(len(parts), -1)

    def __call__(self, logs: Matrix) -> tuple[float, Matrix]:
        n, weights = self._count, np.exp(logs)
        squared = (weights[:-1] @ self._parts).reshape(n, n)
        distance = np.sqrt(np.maximum(squared, 0))
        decay = np.exp(-ROOT * distance)
        kernel = (1 + ROOT * distance + (5 / 3) * squared) * decay
        kernel[np.diag_indices(n)] += weights[-1]
        inverse, half = _inverse(kernel)
        ones = inverse.sum(axis=1)
        rest = self._target - (ones @ self._target) / ones.sum()
        alpha = inverse @ rest
        scale = max(float(rest @ alpha) / n, 1e-12)
        inner = np.outer(alpha, alpha) / scale - inverse
        slope = inner * (-(5 / 6) * (1 + ROOT * distance) * decay)
        gradient = np.append(-0.5 * weights[:-1] * (self._parts @ slope.ravel()), -0.5 * weights[-1] * np.trace(inner))
        away = (logs - self._first) / SPREAD
        value = 0.5 * n * np.log(scale) + half + 0.5 * float(away @ away)
        return float(value), gradient + away / SPREAD


def _inverse(kernel: Matrix) -> tuple[Matrix, float]:
    """The inverse and half the log determinant."""
    lower = np.linalg.cholesky(kernel + 1e-8 * np.eye(len(kernel)))
    root = _solved(lower, np.eye(len(kernel)))
    return root.T @ root, float(np.log(np.diag(lower)).sum())


def _solved(lower: NDArray[np.floating[Any]], right: Matrix) -> Matrix:
    """The inverse of a lower triangle times `right`; LAPACK itself, since SciPy's function takes as long to call it."""
    found: Matrix = dtrtrs(lower.T, right, lower=0, trans=1)[0]
    return found


def _squared(a: Matrix, b: Matrix) -> Matrix:
    product: Matrix = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * (a @ b.T)
    return np.maximum(product, 0)


class Posterior:
    """The process given measured rows, over a pool of m candidates; a row is added in O(n (n + m)).

    Rows and pool are scaled features, shape (n, columns) and (m, columns).
    """

    def __init__(self, noise: float, pool: Matrix) -> None:
        self._noise, self.pool = noise, pool
        self._norms = (pool * pool).sum(axis=1)
        self._rows = np.zeros((0, pool.shape[1]))
        room = 64
        self._lower, self._cross = np.zeros((room, room)), np.zeros((room, len(pool)))
        self._left = np.ones(len(pool))
        self.count = 0

    def start(self, rows: Matrix) -> None:
        """Take many rows at once, in place of those before."""
        n = len(rows)
        self._rows, self.count = rows, n
        self._room(n + 32)
        kernel = matern(_squared(rows, rows))
        kernel[np.diag_indices(n)] += self._noise + 1e-8
        self._lower[:n, :n] = np.linalg.cholesky(kernel)
        across = matern(_squared(rows, self.pool))
        cross = _solved(self._lower[:n, :n], across)
        self._cross[:n] = cross
        self._left = 1 - np.einsum("ij,ij->j", cross, cross)

    def add(self, row: Matrix) -> None:
        """Take one more measured row; features (columns,)."""
        n = self.count
        self._room(n + 1)
        near = matern(((self._rows - row) ** 2).sum(axis=1))
        solved = _solved(self._lower[:n, :n], near) if n else near
        pivot = np.sqrt(max(1 + self._noise + 1e-8 - float(solved @ solved), 1e-8))
        across = matern(np.maximum(self._norms + float(row @ row) - 2 * (self.pool @ row), 0))
        self._cross[n] = (across - solved @ self._cross[:n]) / pivot
        self._lower[n, :n], self._lower[n, n] = solved, pivot
        self._left -= self._cross[n] ** 2
        self._rows = np.vstack([self._rows, row])
        self.count = n + 1

    def forget(self, count: int) -> None:
        """Drop the rows after the first `count`."""
        self._left += (self._cross[count : self.count] ** 2).sum(axis=0)
        self._rows, self.count = self._rows[:count], count

    def predict(self, target: Matrix) -> tuple[Matrix, Matrix]:
        """Mean and standard deviation over the pool, for the measured values (n,)."""
        n = self.count
        lower = self._lower[:n, :n]
        both = np.column_stack([np.ones(n), target])
        ones, seen = _solved(lower, both).T
        level = float(ones @ seen) / float(ones @ ones)
        rest = seen - level * ones
        variance = max(float(rest @ rest) / n, 1e-12)
        mean = level + rest @ self._cross[:n]
        return mean, np.sqrt(variance * np.maximum(self._left, 1e-9))

    def _room(self, count: int) -> None:
        have = len(self._lower)
        if count > have:
            size = max(count, have + 64)
            lower, cross = np.zeros((size, size)), np.zeros((size, len(self.pool)))
            lower[:have, :have], cross[:have] = self._lower, self._cross
            self._lower, self._cross = lower, cross
