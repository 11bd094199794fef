"""The first points of a search that knows nothing: near the middle, above the middle, then values not seen yet.

Ends of value lists are where kernels fail or crawl (no parallel work, no registers left), so that a point near the
middle of every list is better than most. Random points follow, since a rule of thumb must not be the only evidence;
of several drawn, the one whose values were tried least, since a value without any figure is one that a process is
blind to.
"""

import numpy as np

from atunner.search.ledger import Ledger
from atunner.search.space import Points

PLACES = (0.5, 2 / 3)
NEAR = 4
"""The first point is one of the NEAR nearest to the first of PLACES, as shares of each ordered list, and so on."""
DRAWN = 32


def opening(ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
    """Up to `count` points that were not asked."""
    if ledger.beliefs or not ledger.space.complete:
        return ledger.random(rng, count)
    chosen: list[int] = []
    for place in PLACES[len(ledger.asked) :][:count]:
        near = [p for p in ledger.fresh(_nearest(ledger, place)).tolist() if p not in chosen]
        chosen += [near[int(rng.integers(len(near)))]] if near else []
    return chosen or _covering(ledger, rng, count)


def _covering(ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
    """Random points, each the one of DRAWN whose values were tried least."""
    codes, chosen = ledger.space.codes, list[int]()
    for _ in range(count):
        drawn = [p for p in ledger.random(rng, DRAWN) if p not in chosen]
        if not drawn:
            break
        tried = (codes[drawn][:, None] == codes[[*ledger.asked, *chosen]]).sum(axis=1)
        chosen.append(drawn[int(np.argmax((1 / (1 + tried)).sum(axis=1)))])
    return chosen


def _nearest(ledger: Ledger, place: float) -> Points:
    """The NEAR points nearest to a share of the way through each ordered list."""
    space = ledger.space
    away = np.zeros(len(space))
    for column, (parameter, scale) in enumerate(zip(space.space.parameters, space.scales, strict=True)):
        if scale.ordered and len(parameter.values) > 1:
            away += (space.codes[:, column] / (len(parameter.values) - 1) - place) ** 2
    return np.argsort(away, kind="stable")[:NEAR]
