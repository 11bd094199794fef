"""Differential evolution on value indices (Storn and Price 1997, rand-to-best/1/bin), steady state."""

import numpy as np

from atunner.search.ledger import Ledger

POPULATION = 20
CROSSOVER = 0.7
TRIES = 30


class DifferentialEvolution:
    """Moves the best points along differences of others; steps are rounded to value indices."""

    opens = 10

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """Valid trial vectors that were not asked."""
        missing = POPULATION - len(ledger.asked)
        if missing > 0:
            return ledger.random(rng, min(count, missing))
        members = ledger.best(POPULATION)
        if len(members) < 4:
            return ledger.random(rng, count)
        chosen: list[int] = []
        for _ in range(count):
            chosen += _trial(ledger, rng, np.array(members))
        return chosen


def _trial(ledger: Ledger, rng: np.random.Generator, members: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    space = ledger.space
    codes = space.codes[members].astype(float)
    target, a, b, c = codes[rng.integers(len(members), size=(4, TRIES))]
    factor = rng.uniform(0.5, 1.0, size=(TRIES, 1))
    mutant = a + factor * (codes[0] - a) + factor * (b - c)
    mutant = np.clip(np.rint(mutant + rng.uniform(-0.5, 0.5, size=mutant.shape)), 0, space.widths - 1)
    cross = rng.random(mutant.shape) < CROSSOVER
    cross[np.arange(TRIES), rng.integers(mutant.shape[1], size=TRIES)] = True
    found = space.find(np.where(cross, mutant, target).astype(np.uint16))
    fresh = ledger.fresh(found[found >= 0])
    return [int(p) for p in fresh[:1]]
