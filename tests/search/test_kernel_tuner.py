"""Kernel Tuner's strategies as searchers: the same points as there, and every way in which they may fail to come."""

import gc
import random
import sys
import threading
import time
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from search.spaces import TILES, cost
from support import need

from atunner.core.errors import UnknownName, UserError
from atunner.core.space import Parameter, Space
from atunner.search import SearchSpace, method, searcher
from atunner.search.kernel_tuner import KernelTuner
from atunner.search.ledger import Ledger

SPACE = SearchSpace(TILES)
COUNT = 60


@pytest.fixture(autouse=True)
def package() -> None:
    need("kernel_tuner", present=find_spec("kernel_tuner") is not None)


def ours(strategy: str, seed: int) -> list[int]:
    """The points that our searcher asks for, in order, until the strategy ends."""
    chosen, ledger, rng = KernelTuner(f"{strategy}:{COUNT}"), Ledger(SPACE), np.random.default_rng(0)
    ledger.memo["seed"] = float(seed)
    while points := chosen.propose(ledger, rng, 1):
        ledger.asked[points[0]] = None
        ledger.values[points[0]] = cost(SPACE.params(points[0]))
    return list(ledger.asked)


def theirs(strategy: str, seed: int) -> list[int]:
    """The points that Kernel Tuner tries by itself on the same figures."""
    from kernel_tuner.interface import Options, strategy_map
    from kernel_tuner.runners.simulation import SimulationRunner
    from kernel_tuner.searchspace import Searchspace
    from kernel_tuner.util import RuntimeFailedConfig, TuningBudget

    rows: dict[str, Any] = {}
    for point in range(len(SPACE)):
        params = SPACE.params(point)
        figure = cost(params)
        outcome = {"__error__": RuntimeFailedConfig()} if figure is None else {"time": figure}
        costs = {"compile_time": 0.0, "verification_time": 0.0, "benchmark_time": 0.0}
        rows[",".join(str(v) for v in params.values())] = params | outcome | costs
    values = {p.name: list(p.values) for p in TILES.parameters}
    listed = {str(i): SPACE.params(i) for i in range(len(SPACE))}
    order: list[str] = []

    class Seen(set[str]):
        def add(self, key: str) -> None:
            order.append(key)
            super().add(key)

    runner = SimulationRunner(None, Options(kernel_name="k"), Options(quiet=True), 1, None)
    runner.visited_results = Seen()
    options = Options(
        objective=["time"],
        objective_higher_is_better=[False],
        strategy_options=Options(max_fevals=COUNT),
        tune_params=values,
        cache=rows,
        metrics=None,
        verbose=False,
        restrictions=None,
        simulation_mode=True,
        budget=TuningBudget(None, COUNT),
        max_fevals=COUNT,
        eps=None,
        snap=True,
    )
    random.seed(seed)
    np.random.seed(seed)
    space = Searchspace(None, None, None, from_cache={"tune_params": values, "cache": listed})
    strategy_map[strategy].tune(space, runner, options)
    places = {key: point for point, key in enumerate(rows)}
    return [places[key] for key in order]


@pytest.mark.parametrize("strategy", ["genetic_algorithm", "adaptive_tabu_greywolf", "mls", "random_sample"])
def test_it_asks_for_what_kernel_tuner_tries(strategy: str) -> None:
    asked = ours(strategy, 3)

    assert len(asked) > 20
    assert asked == theirs(strategy, 3)
    assert asked != ours(strategy, 4)


def test_what_it_draws_and_prints_stays_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)

    ours("genetic_algorithm", 3)

    assert (random.random(), np.random.random()) == expected
    assert capsys.readouterr().out == ""


def test_once_the_strategy_has_ended_the_rest_is_drawn_at_random() -> None:
    search = searcher("kernel_tuner:random_sample:10", SPACE, 1)
    asked = []
    while points := search.ask(1):
        asked += [SPACE.point(p) for p in points]
        search.tell(points[0], cost(points[0]))

    assert sorted(asked) == list(range(len(SPACE)))


def test_its_thread_ends_with_the_searcher() -> None:
    search = searcher("kernel_tuner:pso", SPACE, 1)
    search.ask(1)
    assert [t for t in threading.enumerate() if t.name == "kernel_tuner"]

    del search
    gc.collect()

    until = time.monotonic() + 30
    while [t for t in threading.enumerate() if t.name == "kernel_tuner"] and time.monotonic() < until:
        time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name == "kernel_tuner"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kernel_tuner:genetics", "No strategy of Kernel Tuner named 'genetics'"),
        ("kernel_tuner:pso:many", "takes a whole number above 0, got 'many'"),
        ("kernel_tuner:pso:\u00b2", "takes a whole number above 0, got '\u00b2'"),
        (3, "A searcher is given by its name, got 3"),
        ("kernel_tuner:pso:0", "takes a whole number above 0, got '0'"),
        ("genetic:20", "The searcher 'genetic' takes no options"),
    ],
)
def test_a_name_that_means_nothing_is_told(name: Any, said: str) -> None:
    with pytest.raises((UnknownName, UserError), match=said):
        method(name)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kernel_tuner", None)
    monkeypatch.setitem(sys.modules, "kernel_tuner.interface", None)

    with pytest.raises(UserError, match="Kernel Tuner is not installed here: pip install"):
        method("kernel_tuner")


def test_a_strategy_that_fails_at_once_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from kernel_tuner.interface import strategy_map

    def fails(*_: object) -> None:
        raise ValueError("no such luck")

    monkeypatch.setattr(strategy_map["mls"], "tune", fails, raising=False)

    search = searcher("kernel_tuner:mls", SPACE, 0)
    search.tell(SPACE.params(0), 1.0)  # as a run does with its baseline
    with pytest.raises(UserError, match="'mls' cannot search this: ValueError: no such luck"):
        search.ask(1)


def test_a_space_too_large_for_its_lists_is_refused() -> None:
    huge = Space(parameters=tuple(Parameter(name=f"p{i}", values=tuple(range(10))) for i in range(9)))

    with pytest.raises(UserError, match="Kernel Tuner lists every configuration, up to 200000 here, and there are 1e"):
        searcher("kernel_tuner", SearchSpace(huge, limit=100_000), 0).ask(1)
