"""What a search has left to find: the gain that its model expects of the best configuration not tried."""

from collections.abc import Sequence

import numpy as np

from atunner.core.candidate import Params
from atunner.core.value import Value
from atunner.search.acquisition import improvement
from atunner.search.features import Features
from atunner.search.gaussian import Posterior, Weights, fitted
from atunner.search.space import Points, SearchSpace

FEWEST, ROWS, POOL = 8, 150, 5000


class Left(Value):
    """gain: expected improvement of the most promising configuration, as a share of the best. untried: how many."""

    gain: float
    untried: int


def left(space: SearchSpace, trials: Sequence[tuple[Params, float]]) -> Left | None:
    """By a Gaussian process over the logarithms of positive figures, lower is better; None where they are too few."""
    known = {space.point(params): value for params, value in trials if params in space and value > 0}
    if len(known) < FEWEST:
        return None
    pool = _untried(space, known)
    untried = round(space.size) - len(known)
    if not len(pool) or untried <= 0:
        return Left(gain=0.0, untried=0)
    points = np.array(sorted(known, key=lambda p: known[p])[:ROWS], dtype=np.int64)
    target = np.log([known[int(p)] for p in points])
    if float(np.ptp(target)) == 0:
        return None
    features = Features(space)
    rows = features(points)
    weights = fitted(features.kinds, features.groups, rows, target, Weights.start(features.kinds))
    posterior = Posterior(weights.noise, weights.scaled(features(pool), features.groups))
    posterior.start(weights.scaled(rows, features.groups))
    mean, deviation = posterior.predict(target)
    gain = float(np.max(improvement(float(target.min()), mean, deviation)))
    return Left(gain=1.0 - float(np.exp(-gain)), untried=untried)


def _untried(space: SearchSpace, known: dict[int, float]) -> Points:
    drawn = space.sample(np.random.default_rng(0), min(len(space), POOL))
    best = min(known, key=lambda p: known[p])
    near = space.neighbours(best)
    return np.array([p for p in np.unique(np.concatenate([drawn, near])).tolist() if p not in known], dtype=np.int64)
