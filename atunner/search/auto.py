"""The default: a Gaussian process over scales, identities, alignments and products, started by what is already known.

The process predicts the logarithm of the figure. The next point has the largest expected improvement over a pool of
random points, of neighbours of the best, and of the points that the beliefs (other devices, a ranking model) rank
first; where no gain is expected any more, the lowest mean and the surroundings of the best have their turns. A belief
is one more feature of a point: it counts as far as the figures bear it out, so a wrong one fades.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from atunner.search.acquisition import choice
from atunner.search.coverage import TURNS, neglected
from atunner.search.design import opening
from atunner.search.features import Features
from atunner.search.gaussian import Matrix, Posterior, Weights, fitted
from atunner.search.ledger import Ledger
from atunner.search.merge import merged, warped
from atunner.search.space import Points

DESIGN, OPENING = 5, 3
"""Points before the process is asked; with beliefs, the OPENING best of them are asked instead."""
POOL, WHOLE, FEW = 2500, 5000, 150
"""Random points of a pool; up to FEW figures, a space of up to WHOLE points is its own pool."""
CHANGES, AROUND = 2, 1000
"""What differs from the best in so many values is near it; up to AROUND such points are in a pool."""
ROWS, FIT_ROWS = 160, 110
GROWTH, LONGEST = 1.2, 40
REFIT = 1.3
TRUSTED, STALE = 40, 25
"""After TRUSTED figures, the last STALE without a better one, beliefs are forgotten: they may mislead here."""


@dataclass
class _Model:
    """The posterior between two rebuilds. pool: ascending. rows: measured points in it, in the order of its rows.

    near: which points of the pool are near the best, which stays the best until the next rebuild.
    """

    since: int
    pool: Points
    near: NDArray[np.bool_]
    posterior: Posterior
    rows: list[int]

    def places(self, points: Points) -> Points:
        """Where the points stand in the pool, -1 for those that do not. Shape (k,)."""
        at = np.minimum(np.searchsorted(self.pool, points), len(self.pool) - 1)
        found: Points = np.where(self.pool[at] == points, at, -1)
        return found


class Auto:
    """Expected improvement of a Gaussian process."""

    opens = OPENING

    def __init__(self) -> None:
        self._features: Features | None = None
        self._belief: Matrix | None = None
        self._model: _Model | None = None
        self._threads = ThreadpoolController()

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """The points that the process would try next; random ones at first."""
        # Matrices this small lose far more to waking threads than they gain, above all beside a measurement.
        with self._threads.limit(limits=1):
            return self._proposed(ledger, rng, count)

    def _proposed(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        design = OPENING if ledger.beliefs else DESIGN
        if len(ledger.asked) < design:
            return opening(ledger, rng, min(count, design - len(ledger.asked)))
        figures = ledger.figures()
        if not np.isfinite(figures).any():
            return ledger.random(rng, count)
        model = self._current(ledger, figures, rng)
        fresh = ledger.count("alone") + DESIGN - len(ledger.asked)
        if ledger.count("alone") and fresh > 0:  # a new look round, after beliefs led nowhere
            return ledger.random(rng, min(count, fresh))
        return self._choose(ledger, model, warped(figures), count)

    # -- the model ------------------------------------------------------------------------------------------------

    def _current(self, ledger: Ledger, figures: Matrix, rng: np.random.Generator) -> _Model:
        """The model that a search with this ledger has: rebuilt at fixed counts, so that a resumed one is the same."""
        told = ledger.told()
        since = max(_rebuilt_at(len(told)), int(np.argmin(figures)) + 1)
        if self._features is None:
            self._prepare(ledger)
        if self._belief is not None and _misled(figures, since):
            ledger.memo = {
                "alone": float(len(ledger.asked)),
                **{k: v for k, v in ledger.memo.items() if k not in ("weights", "fitted")},
            }
            self._model = None
            self._prepare(ledger)
        if self._model is None or self._model.since != since or not set(self._model.rows) <= set(told.tolist()):
            self._model = self._build(ledger, figures[:since], _pool_seed(ledger, since, rng))
        model = self._model
        there = set(model.rows)
        for point in told[since:].tolist():
            if point not in there:
                self._add(model, point)
        return model

    def _prepare(self, ledger: Ledger) -> None:
        self._belief = None if ledger.count("alone") else merged(ledger.space, ledger.beliefs)
        extra = () if self._belief is None else (self._belief / max(float(np.std(self._belief)), 1e-9),)
        self._features = Features(ledger.space, extra)

    def _build(self, ledger: Ledger, figures: Matrix, seed: int) -> _Model:
        features, since = self._features, len(figures)
        assert features is not None
        told, target = ledger.told()[:since], warped(figures)
        weights = self._weights(ledger, features, target)
        rng = np.random.default_rng(seed)
        rank = np.argsort(target, kind="stable")
        kept = _kept(rank, ROWS)
        near = [ledger.space.neighbours(int(told[i])) for i in rank[:5]]
        best = int(told[rank[0]])
        around = np.flatnonzero(ledger.space.around(best, np.arange(len(ledger.space)), CHANGES))
        near.append(rng.permutation(around)[:AROUND])
        whole = since <= FEW and len(ledger.space) <= WHOLE
        drawn = ledger.space.sample(rng, len(ledger.space) if whole else POOL)
        pool = np.unique(np.concatenate([drawn, *near]))
        if self._belief is not None:
            pool = np.unique(np.concatenate([pool, np.argsort(self._belief, kind="stable")[:500]]))
        posterior = Posterior(weights.noise, weights.scaled(features(pool), features.groups))
        rows = told[kept]
        posterior.start(weights.scaled(features(rows), features.groups))
        self._scale = weights
        return _Model(since, pool, ledger.space.around(best, pool, CHANGES), posterior, rows.tolist())

    def _weights(self, ledger: Ledger, features: Features, target: Matrix) -> Weights:
        """Fitted at counts that grow by REFIT; kept in the memo, since each fit starts from the one before."""
        memo, since = ledger.memo.get("weights"), len(target)
        start = Weights(tuple(float(v) for v in memo)) if isinstance(memo, list) else Weights.start(features.kinds)
        if since < REFIT * ledger.count("fitted") or since < 5:
            return start
        told = ledger.told()[:since]
        kept = _kept(np.argsort(target, kind="stable"), FIT_ROWS)
        if float(np.ptp(target[kept])) == 0:
            return start
        found = fitted(features.kinds, features.groups, features(told[kept]), target[kept], start)
        ledger.memo["weights"], ledger.memo["fitted"] = list(found.values), float(since)
        return found

    def _add(self, model: _Model, point: int) -> None:
        assert self._features is not None
        (at,) = model.places(np.array([point]))
        if at >= 0:
            row = model.posterior.pool[at]
        else:
            row = self._scale.scaled(self._features(np.array([point])), self._features.groups)[0]
        model.posterior.add(row)
        model.rows.append(point)

    # -- the choice -----------------------------------------------------------------------------------------------

    def _choose(self, ledger: Ledger, model: _Model, figures: Matrix, count: int) -> list[int]:
        """One after the other; what is chosen or pending counts as measured with its predicted value.

        figures: warped, in the order in which they were told.
        """
        known = dict(zip(ledger.values, figures.tolist(), strict=True))
        target = np.array([known[p] for p in model.rows])
        best, real = float(figures.min()), model.posterior.count
        asked = model.places(np.fromiter(ledger.asked, dtype=np.int64, count=len(ledger.asked)))
        open_ = np.ones(len(model.pool), dtype=bool)
        open_[asked[asked >= 0]] = False
        chosen: list[int] = []
        while len(chosen) < count and open_.any():
            mean, deviation = model.posterior.predict(target)
            turn = len(ledger.asked) + len(chosen)
            free = self._free(ledger, model.pool, open_, turn)
            at = choice(turn, free, model.near, best, mean, deviation)
            chosen.append(int(model.pool[at]))
            open_[at] = False
            if len(chosen) < count:
                self._add(model, chosen[-1])
                target = np.append(target, mean[at])
        model.posterior.forget(real)
        del model.rows[real:]
        return chosen

    def _free(self, ledger: Ledger, pool: Points, open_: NDArray[np.bool_], turn: int) -> NDArray[np.bool_]:
        """What may be chosen on this turn: all that is open, or of it what was neglected."""
        if self._belief is not None or turn not in TURNS:
            return open_
        few = open_ & neglected(ledger, pool)
        return few if few.any() else open_


def _misled(figures: Matrix, since: int) -> bool:
    """Whether the figures up to a rebuild say that the beliefs lead nowhere."""
    return since >= TRUSTED and since - int(np.argmin(figures[:since])) > STALE


def _rebuilt_at(count: int) -> int:
    """The last scheduled rebuild at or before this many told points."""
    at = 1
    while True:
        step = int(at * GROWTH) + 1
        following = min(max(step, at + 2), at + LONGEST)
        if following > count:
            return min(at, count)
        at = following


def _pool_seed(ledger: Ledger, since: int, rng: np.random.Generator) -> int:
    """Drawn once a rebuild and kept, so that a resumed search has the same pool."""
    if ledger.count("rebuilt") != since:
        ledger.memo.update(rebuilt=float(since), pool=float(rng.integers(2**31)))
    return ledger.count("pool")


def _kept(rank: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Positions of the rows to keep: the better ones and the latest."""
    if len(rank) <= most:
        return np.arange(len(rank))
    return np.unique(np.concatenate([rank[: most * 2 // 3], np.arange(len(rank) - most // 3, len(rank))]))
