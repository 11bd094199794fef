"""First-improvement local search over the Hamming neighbourhood, with restarts."""

import numpy as np

from atunner.search.ledger import Ledger

MOVES = 3
"""Parameters changed when a new climb starts from the best point (iterated local search, Lourenco et al. 2003)."""


class LocalSearch:
    """Climbs from a start until no neighbour is left; then restarts, in turn near the best and anywhere."""

    opens = 10

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """Untried neighbours of the best point of this climb, or a new start."""
        since = ledger.count("since")
        here = ledger.best(1, since)
        if here:
            near = ledger.fresh(rng.permutation(ledger.space.neighbours(here[0])))
            if len(near):
                return [int(p) for p in near[:count]]
        if len(ledger.values) > since:
            ledger.memo["since"] = float(len(ledger.values))
        climbs = ledger.count("climbs") + 1
        ledger.memo["climbs"] = float(climbs)
        best = ledger.best(1)
        start = _kicked(ledger, rng, best[0]) if best and climbs % 2 else []
        return start or ledger.random(rng, 1)


def _kicked(ledger: Ledger, rng: np.random.Generator, point: int) -> list[int]:
    for _ in range(MOVES):
        near = ledger.space.neighbours(point)
        if len(near):
            point = int(rng.choice(near))
    return [point] if point not in ledger.asked else []
