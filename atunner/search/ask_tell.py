"""The ask/tell port around a method: no duplicate, no early stop, failures told, and the state as a JSON value."""

from typing import Protocol

import numpy as np
from pydantic import JsonValue

from atunner.core.candidate import Params
from atunner.core.errors import UserError
from atunner.search.ledger import Ledger
from atunner.search.prior import first


class Method(Protocol):
    """Chooses where to look; all that it remembers is in the ledger, so that it can go on after a restart.

    opens: how many of the points that the beliefs rank first are asked before the method is.
    """

    opens: int

    def propose(self, ledger: Ledger, rng: np.random.Generator, count: int) -> list[int]:
        """Points to try next, best first. Those already asked are dropped, and what is missing is drawn at random."""
        ...


class AskTell:
    """A Searcher over one space. The random numbers of an ask depend on the seed and on what was asked before only."""

    def __init__(self, name: str, method: Method, ledger: Ledger, seed: int) -> None:
        self.name, self.space, self.seed = name, ledger.space, seed
        self.at_once: int | None = getattr(method, "at_once", None)
        """How many points may be pending; what is asked for beyond is drawn at random. None: as many as are asked."""
        self._method, self._ledger, self._asks = method, ledger, 0

    def ask(self, count: int) -> list[Params]:
        """Up to `count` points not asked before; fewer only when the space runs out."""
        rng = np.random.default_rng([self.seed, self._asks])
        self._asks += 1
        ledger = self._ledger
        chosen: dict[int, None] = {}
        opening = first(ledger.beliefs, self._method.opens)
        for point in opening + self._method.propose(ledger, rng, count):
            if point not in ledger.asked and len(chosen) < count:
                chosen[point] = None
        ledger.asked.update(chosen)
        if len(chosen) < count:
            chosen.update(dict.fromkeys(ledger.random(rng, count - len(chosen))))
            ledger.asked.update(chosen)
        return [self.space.params(p) for p in chosen]

    def tell(self, params: Params, value: float | None) -> None:
        """Take the figure of a point (lower is better), None when it failed; a later figure replaces an earlier one.

        Raises:
            UserError: the point is not in the space, or the figure is not a number.
        """
        if value is not None and not np.isfinite(value):
            raise UserError(f"Not a figure: {value} for {params}. Tell None for a failure.")
        point = self.space.point(params)
        self._ledger.asked[point] = None
        self._ledger.values[point] = None if value is None else float(value)

    def state(self) -> JsonValue:
        """Points as value indices, figures, and the method's memo."""
        ledger, key = self._ledger, self.space.key
        pending: list[JsonValue] = [list(key(p)) for p in ledger.asked if p not in ledger.values]
        told: list[JsonValue] = [[list(key(p)), v] for p, v in ledger.values.items()]
        return {
            "name": self.name,
            "seed": self.seed,
            "asks": self._asks,
            "told": told,
            "pending": pending,
            "memo": {k: list(v) if isinstance(v, list) else v for k, v in ledger.memo.items()},
        }

    def restore(self, state: JsonValue) -> None:
        """Go on from a state of the same searcher over the same space.

        Raises:
            UserError: the state is of another searcher or of another space.
        """
        try:
            self._restore(state)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UserError(f"Not a state of the searcher {self.name!r} over this space: {error}.") from error

    def _restore(self, state: JsonValue) -> None:
        if not isinstance(state, dict) or state["name"] != self.name:
            raise ValueError("the name differs")
        told = state["told"] if isinstance(state["told"], list) else []
        values = {self._at(pair[0]): pair[1] for pair in told if isinstance(pair, list)}
        pending = state["pending"] if isinstance(state["pending"], list) else []
        self.seed, self._asks = int(str(state["seed"])), int(str(state["asks"]))
        self._ledger = Ledger(self.space, beliefs=self._ledger.beliefs)
        self._ledger.values = {p: None if v is None else float(str(v)) for p, v in values.items()}
        self._ledger.asked = dict.fromkeys([*values, *(self._at(k) for k in pending)])
        memo = state["memo"] if isinstance(state["memo"], dict) else {}
        for name, value in memo.items():
            self._ledger.memo[name] = [float(str(v)) for v in value] if isinstance(value, list) else float(str(value))

    def _at(self, key: JsonValue) -> int:
        found = int(self.space.find(np.array([key], dtype=np.uint16))[0])
        if found < 0:
            raise ValueError(f"no point {key}")
        return found
