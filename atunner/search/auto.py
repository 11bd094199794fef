"""The default: several methods share one history, and each ask goes to one of them."""

import numpy as np

from atunner.search.evolution import DifferentialEvolution
from atunner.search.genetic import Genetic
from atunner.search.ledger import Ledger
from atunner.search.local import LocalSearch


class Auto:
    """Chooses a method for each ask."""

    opens = 10

    def __init__(self) -> None:
        self._methods = (Genetic(), DifferentialEvolution(), LocalSearch())

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """Points of the chosen method."""
        return self._methods[int(rng.integers(len(self._methods)))].propose(ledger, rng, count)
