"""Uniform random search without repeats: the yardstick."""

import numpy as np

from atunner.search.ledger import Ledger


class RandomOrder:
    """Draws what was not asked."""

    opens = 10

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """Uniformly drawn points."""
        return ledger.random(rng, count)
