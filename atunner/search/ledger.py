"""What a search has asked and been told."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atunner.search.prior import Belief
from atunner.search.space import Points, SearchSpace


@dataclass
class Ledger:
    """Asked points and told values of one search, in order; the only memory that a method needs.

    order: told points as they came. values: by told point; None is a failure. memo: small JSON values of the method.
    beliefs: what is known from models and other devices.
    """

    space: SearchSpace
    asked: dict[int, None] = field(default_factory=dict)
    values: dict[int, float | None] = field(default_factory=dict)
    memo: dict[str, list[float] | float] = field(default_factory=dict)
    beliefs: tuple[Belief, ...] = ()

    def told(self) -> Points:
        """Told points in order."""
        return np.fromiter(self.values, dtype=np.int64, count=len(self.values))

    def figures(self) -> NDArray[np.float64]:
        """Told values in order, infinite where it failed."""
        found = np.array(list(self.values.values()), dtype=float)
        found[np.isnan(found)] = np.inf
        return found

    def best(self, count: int, since: int = 0) -> list[int]:
        """The best successful points told from position `since` on, best first."""
        figures = self.figures()[since:]
        rank = np.argsort(figures, kind="stable")[:count]
        return [int(p) for p in self.told()[since:][rank[np.isfinite(figures[rank])]]]

    def fresh(self, points: Points) -> Points:
        """Those of the points that were not asked, in their order."""
        return np.array([p for p in points.tolist() if p not in self.asked], dtype=np.int64)

    def count(self, name: str) -> int:
        """A counter of the memo, 0 at first."""
        value = self.memo.get(name, 0.0)
        return int(value) if isinstance(value, float | int) else 0

    def random(self, rng: np.random.Generator, count: int) -> list[int]:
        """Up to `count` points that were not asked, uniformly; fewer when the space runs out."""
        space = self.space
        if not space.complete and len(self.asked) + count > len(space) // 2:
            space.resample(rng)
        if 2 * (len(self.asked) + count) < len(space):
            drawn = self.fresh(space.sample(rng, 2 * count + 4))
            while len(drawn) < count:
                drawn = self.fresh(space.sample(rng, 4 * count + 4))
            return [int(p) for p in drawn[:count]]
        left = np.setdiff1d(np.arange(len(space)), np.fromiter(self.asked, dtype=np.int64))
        return [int(p) for p in rng.permutation(left)[:count]]
