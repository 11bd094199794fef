"""Simulated annealing with relative steps and reheating."""

import numpy as np

from atunner.search.ledger import Ledger

START, COOLING, END = 0.3, 0.97, 0.005
"""Temperatures in units of relative worsening: at START a point 30 % slower is taken with probability 1/e."""


class Annealing:
    """Walks over neighbours; told points are accepted or refused when the next one is asked for."""

    opens = 10

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """Untried neighbours of the current point; anywhere when there is none."""
        here = _walk(ledger, rng)
        if here is None:
            return ledger.random(rng, count)
        near = ledger.fresh(rng.permutation(ledger.space.neighbours(here)))
        if len(near) == 0:
            ledger.memo.pop("here", None)
            return ledger.random(rng, 1)
        return [int(p) for p in near[:count]]


def _walk(ledger: Ledger, rng: np.random.Generator) -> int | None:
    read = ledger.count("read")
    heat = float(START * COOLING ** ledger.count("cooled"))
    key = ledger.memo.get("here")
    here = int(ledger.space.find(np.array([key], dtype=np.uint16))[0]) if isinstance(key, list) else None
    for point, value in list(ledger.values.items())[read:]:
        if value is not None and _accepts(ledger, here, value, heat, rng):
            here = point
        heat = heat * COOLING if heat > END else START
    cooled = round(np.log(heat / START) / np.log(COOLING))
    ledger.memo.update(read=float(len(ledger.values)), cooled=float(cooled))
    if here is not None:
        ledger.memo["here"] = [float(c) for c in ledger.space.key(here)]
    return here


def _accepts(ledger: Ledger, here: int | None, value: float, heat: float, rng: np.random.Generator) -> bool:
    current = None if here is None else ledger.values[here]
    if current is None or value <= current:
        return True
    return bool(rng.random() < np.exp(-(value - current) / (abs(current) + 1e-300) / heat))
