"""Every point in the declared order."""

import numpy as np

from atunner.core.errors import UserError
from atunner.search.ledger import Ledger


class Exhaustive:
    """Walks the table; the next point is the first that was not asked."""

    opens = 0

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """The next points in order.

        Raises:
            UserError: the space is too large to be built, so it cannot be exhausted.
        """
        space = ledger.space
        if not space.complete:
            raise UserError(f"About {space.size:.2g} configurations are too many to try all. Use another searcher.")
        at = ledger.count("at")
        chosen: list[int] = []
        while at < len(space) and len(chosen) < count:
            if at not in ledger.asked:
                chosen.append(at)
            at += 1
        ledger.memo["at"] = float(at)
        return chosen
