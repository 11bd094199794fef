"""Values that were hardly tried: a search comes back to them, and leaves them alone where none was neglected."""

from collections import Counter

import numpy as np
import pytest

from atunner.core.candidate import Params
from atunner.core.space import Parameter, Space
from atunner.search import SearchSpace, searcher
from atunner.search.coverage import neglected
from atunner.search.ledger import Ledger

SPACE = SearchSpace(
    Space(
        parameters=(
            Parameter(name="order", values=(0, 1, 2)),
            Parameter(name="depth", values=(4, 8, 16, 32, 64)),
            Parameter(name="rows", values=(4, 8, 16, 32, 64)),
            Parameter(name="columns", values=(16, 32, 64, 96, 192)),
        )
    )
)


def trap(params: Params) -> float:
    """Order 0 is far the worst but where depth is small, and there it is the best: a product's order of loops."""
    rest = 0.01 * (abs(int(params["rows"]) - 16) + abs(int(params["columns"]) - 64)) / 16
    if params["order"] == 0:
        return (1.0 if int(params["depth"]) <= 8 else 25.0) + rest
    return 2.5 + 0.1 * int(params["order"]) + rest


def asked(seed: int, count: int) -> list[Params]:
    """The first points of a search that begins with a figure of order 1."""
    search = searcher("auto", SPACE, seed)
    search.tell({"order": 1, "depth": 64, "rows": 4, "columns": 16}, 3.0)
    found = []
    for _ in range(count):
        (params,) = search.ask(1)
        search.tell(params, trap(params))
        found.append(params)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_each_value_of_a_switch_is_tried_early(seed: int) -> None:
    assert {p["order"] for p in asked(seed, 9)} == {0, 1, 2}


def test_a_value_whose_first_figure_was_bad_is_come_back_to() -> None:
    needed = [next(n for n, p in enumerate(asked(seed, 60), 1) if trap(p) < 2) for seed in range(12)]

    assert max(needed) <= 45
    assert sorted(needed)[6] <= 15


@pytest.mark.parametrize(("tried", "expected"), [((9, 9, 9), None), ((9, 9, 3), 2), ((1, 13, 13), 0), ((20, 2, 1), 2)])
def test_the_value_that_was_tried_least_is_found(tried: tuple[int, ...], expected: int | None) -> None:
    ledger, orders = Ledger(SPACE), SPACE.codes[:, 0]
    for value, count in enumerate(tried):
        ledger.asked |= dict.fromkeys(np.flatnonzero(orders == value)[:count].tolist())
    pool = np.arange(len(SPACE))
    found = Counter(orders[pool[neglected(ledger, pool)]].tolist())

    assert found == ({} if expected is None else {expected: int((orders == expected).sum())})
