"""Values that were hardly tried: what a process takes for settled after one bad figure, or after none.

A switch with two to four values often parts a space into landscapes of their own. Where the first figures of one of its
values were bad, or there were none, a process that has learned the rest of the space expects nothing there, and the
search may stay away for a hundred evaluations. So at a few counts that grow geometrically, the point with the largest
expected improvement is taken among those with the value that was tried least; where no value was neglected, nothing
changes.
"""

import numpy as np
from numpy.typing import NDArray

from atunner.search.ledger import Ledger
from atunner.search.space import Points

TURNS = frozenset(round(6 * 1.5**number) for number in range(24))
FEW = 4
"""Values of a parameter that is looked after."""
SHARE = 0.5
"""A value is neglected when its part of the points tried is below this share of its part of the space."""


def neglected(ledger: Ledger, pool: Points) -> NDArray[np.bool_]:
    """Which points of the pool have the value that was tried least; none when no value was neglected."""
    space, tried = ledger.space, np.fromiter(ledger.asked, dtype=np.int64, count=len(ledger.asked))
    lowest, found = SHARE, np.zeros(len(pool), dtype=np.bool_)
    for column, parameter in enumerate(space.space.parameters):
        count = len(parameter.values)
        if not 2 <= count <= FEW:
            continue
        there = np.bincount(space.codes[:, column], minlength=count) / len(space.codes)
        part = np.bincount(space.codes[tried, column], minlength=count) / len(tried)
        ratio = np.divide(part, there, out=np.full(count, np.inf), where=there > 0)
        value = int(np.argmin(ratio))
        if ratio[value] < lowest:
            lowest, found = float(ratio[value]), space.codes[pool, column] == value
    return found
