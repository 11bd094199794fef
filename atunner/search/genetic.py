"""A steady-state genetic algorithm whose children always obey the constraints."""

import numpy as np

from atunner.search.ledger import Ledger

POPULATION = 20
TRIES = 30


class Genetic:
    """Parents by binary tournament among the best, uniform crossover, mutation of one parameter on average."""

    opens = 10

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """Children that were not asked; random points until the first population is there."""
        missing = POPULATION - len(ledger.asked)
        if missing > 0:
            return ledger.random(rng, min(count, missing))
        parents = ledger.best(POPULATION)
        if len(parents) < 2:
            return ledger.random(rng, count)
        chosen: list[int] = []
        for _ in range(count):
            chosen += _child(ledger, rng, parents)
        return chosen


def _child(ledger: Ledger, rng: np.random.Generator, parents: list[int]) -> list[int]:
    space = ledger.space
    table = space.codes
    # Parents are sorted, so the smaller of two draws wins its tournament.
    first, second = (rng.integers(len(parents), size=(2, TRIES, 2))).min(axis=2)
    mothers, fathers = table[np.array(parents)[first]], table[np.array(parents)[second]]
    children = np.where(rng.random(mothers.shape) < 0.5, mothers, fathers)
    mutant = rng.integers(0, space.widths, size=children.shape).astype(np.uint16)
    children = np.where(rng.random(children.shape) < 1 / children.shape[1], mutant, children)
    found = space.find(children)
    fresh = ledger.fresh(found[found >= 0])
    if len(fresh):
        return [int(fresh[0])]
    near = ledger.fresh(rng.permutation(space.neighbours(parents[int(first[0])])))
    return [int(p) for p in near[:1]]
