"""Bayesian optimisation: a Gaussian process of scikit-learn on log values, expected improvement over a pool."""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from atunner.search.ledger import Ledger
from atunner.search.space import Points

START = 15
POOL = 1000
TRAIN = 200
"""Points that the process is fitted to: the best half and the latest; more would cost cubic time."""


class Bayesian:
    """Expected improvement (Jones et al. 1998) with a Matern 5/2 kernel; failures count as the worst value seen."""

    opens = 10

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """The pool's points with the largest expected improvement."""
        if len(ledger.asked) < START:
            return ledger.random(rng, min(count, START - len(ledger.asked)))
        if len(ledger.best(2)) < 2:
            return ledger.random(rng, count)
        pool = _pool(ledger, rng)
        if len(pool) == 0:
            return []
        return [int(p) for p in pool[np.argsort(-_improvement(ledger, pool, rng), kind="stable")[:count]]]


def _pool(ledger: Ledger, rng: np.random.Generator) -> Points:
    near = [ledger.space.neighbours(p) for p in ledger.best(3)]
    return ledger.fresh(np.unique(np.concatenate([*near, ledger.space.sample(rng, POOL)])))


def _improvement(ledger: Ledger, pool: Points, rng: np.random.Generator) -> NDArray[np.float64]:
    figures = _logs(ledger.figures())
    rank = np.argsort(figures, kind="stable")
    kept = np.unique(np.concatenate([rank[: TRAIN // 2], np.arange(len(figures))[-TRAIN // 2 :]]))
    kernel = ConstantKernel(1.0, (0.1, 10.0)) * Matern(0.5, (0.05, 10.0), nu=2.5) + WhiteKernel(1e-3, (1e-6, 0.1))
    process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=int(rng.integers(2**31)))
    # Matrices this small lose far more to waking threads than they gain, above all beside a measurement.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(ledger.space.encoded(ledger.told()[kept]), figures[kept])
    mean, deviation = process.predict(ledger.space.encoded(pool), return_std=True)
    gain = figures.min() - mean
    z = gain / np.maximum(deviation, 1e-12)
    result: NDArray[np.float64] = gain * norm.cdf(z) + deviation * norm.pdf(z)
    return result


def _logs(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms where all figures are positive, ranks are kept either way; failures become the worst."""
    good = np.isfinite(figures)
    filled = np.where(good, figures, figures[good].max())
    return np.log(filled) if filled.min() > 0 else filled
