"""Beliefs as one figure a point: what the other devices and the ranking model say together."""

import numpy as np
from numpy.typing import NDArray

from atunner.search.features import Features
from atunner.search.gaussian import Matrix, Posterior, Weights, fitted
from atunner.search.prior import Belief
from atunner.search.space import SearchSpace

SLOPE = 0.2
COVERED = 0.95
ROWS = 150
CHUNK = 5000


def warped(figures: NDArray[np.float64]) -> Matrix:
    """Logarithms in which the worse half counts a fifth: a process need not know how bad the bad ones are.

    Failures (infinite) become the worst that was seen. Figures that are not all positive are shifted.
    """
    good = np.isfinite(figures)
    if not good.any():
        return np.zeros(len(figures))
    low = float(figures[good].min())
    logs = np.log(np.where(good, figures if low > 0 else figures - low + 1, 1.0))
    logs[~good] = logs[good].max()
    middle = _median(logs[good])
    result: Matrix = np.where(logs > middle, middle + SLOPE * (logs - middle), logs)
    return result


def _median(values: Matrix) -> float:
    """The median; numpy's own takes five times as long for a hundred values, and this is asked at each evaluation."""
    low, high = (len(values) - 1) // 2, len(values) // 2
    placed = np.partition(values, (low, high))
    return float(placed[high] - (placed[high] - placed[low]) / 2)


def merged(space: SearchSpace, beliefs: tuple[Belief, ...]) -> Matrix | None:
    """The mean over the beliefs of their warped scores, by point of the table; None where nothing is believed."""
    each = [_filled(space, b) for b in beliefs if np.isfinite(b.scores).sum() > 1]
    if not each:
        return None
    mean: Matrix = np.mean(each, axis=0)
    return mean


def _filled(space: SearchSpace, belief: Belief) -> Matrix:
    """Warped scores; where the source has none, what a process over its scores expects."""
    figures = np.where(belief.failed, np.inf, np.exp(belief.scores))
    known = np.flatnonzero(~np.isnan(figures))
    scores = np.full(len(figures), np.nan)
    scores[known] = warped(figures[known])
    if len(known) < COVERED * len(figures):
        unknown = np.flatnonzero(np.isnan(scores))
        scores[unknown] = _expected(space, known, scores[known], unknown)
    scores[np.isnan(scores)] = np.nanmedian(scores)
    return scores


def _expected(space: SearchSpace, known: NDArray[np.int64], scores: Matrix, wanted: NDArray[np.int64]) -> Matrix:
    rank = np.argsort(scores, kind="stable")
    spread = np.linspace(0, len(rank) - 1, min(ROWS, len(rank))).astype(int)
    kept = np.unique(np.concatenate([rank[: ROWS // 2], rank[spread]]))
    features = Features(space)
    rows = features(known[kept])
    weights = fitted(features.kinds, features.groups, rows, scores[kept], Weights.start(features.kinds))
    found = []
    for at in range(0, len(wanted), CHUNK):
        pool = weights.scaled(features(wanted[at : at + CHUNK]), features.groups)
        posterior = Posterior(weights.noise, pool)
        posterior.start(weights.scaled(rows, features.groups))
        found.append(posterior.predict(scores[kept])[0])
    return np.concatenate(found)
