"""Kernel Tuner's strategies on the same replay as ours: each run is the order in which it tried configurations."""

import contextlib
import copy
import io
import json
import random
import time
import warnings
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from search_replay import Recording

STRATEGIES = {
    "adaptive_tabu_greywolf": 1.0,
    "genetic_algorithm": 1.0,
    "diff_evo": 1.0,
    "simulated_annealing": 1.0,
    "random_sample": 1.0,
    "dual_annealing": 0.5,
    "pso": 0.2,
    "mls": 0.2,
    "greedy_ils": 0.2,
    "hybrid_vndx": 0.1,
    "bayes_opt": 0.1,
}
"""Strategy and the share of the seeds that it gets: the slow ones take 10 to 250 ms an evaluation."""
LIMITS = {"bayes_opt": 200, "hybrid_vndx": 350}
"""Budgets below the common one, for the strategies whose cost grows with the number of evaluations."""


def installed() -> str | None:
    """Kernel Tuner's version, None where it is not installed."""
    try:
        return version("kernel_tuner")
    except PackageNotFoundError:
        return None


class Peers:
    """Runs of Kernel Tuner, kept in `folder` by the recording's hash and Kernel Tuner's version."""

    def __init__(self, folder: Path, budget: int) -> None:
        self.folder, self.budget = folder, budget

    def runs(self, recording: Recording, strategy: str, seeds: int) -> list[list[int]]:
        """Points in the order tried, one list a seed; from the cache where it has them."""
        wanted = max(min(seeds, 3), round(seeds * STRATEGIES[strategy]))
        known = version_of(self.folder, recording, strategy) if installed() is None else installed()
        path = self.folder / f"{recording.hash}-{known}-{strategy}-{self.budget}.json"
        kept: dict[str, list[int]] = json.loads(path.read_text()) if path.exists() else {}
        if installed() is not None and len(kept) < wanted:
            tuner = _Tuner(recording)
            for seed in range(wanted):
                if str(seed) not in kept:
                    limit = min(self.budget, LIMITS.get(strategy, self.budget))
                    kept[str(seed)] = tuner.run(strategy, seed, limit)
                    self._keep(path, kept)
        return list(kept.values())[:wanted]

    def _keep(self, path: Path, runs: dict[str, list[int]]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        fresh.write_text(json.dumps(runs, separators=(",", ":")))
        fresh.replace(path)


def version_of(folder: Path, recording: Recording, strategy: str) -> str:
    """The newest version of which this folder has runs."""
    names = sorted(folder.glob(f"{recording.hash}-*-{strategy}-*.json"))
    return names[-1].name.split("-")[1] if names else "none"


class _Visits(set[str]):
    """The runner's set of visited configurations, which also remembers their order."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def add(self, key: str) -> None:
        if key not in self:
            self.order.append(key)
        super().add(key)


class _Tuner:
    """Kernel Tuner's simulation runner over one recording; what runs could share is copied for each."""

    def __init__(self, recording: Recording) -> None:
        from constraint import FunctionConstraint
        from kernel_tuner.searchspace import Searchspace
        from kernel_tuner.util import RuntimeFailedConfig

        space, values = recording.space, recording.values
        names = space.names
        rows = [tuple(space.params(i).values()) for i in range(len(space))]
        self._index = {",".join(str(v) for v in row): i for i, row in enumerate(rows)}
        legal = set(rows)
        self._cache = {}
        for key, i in self._index.items():
            outcome = {"time": float(values[i])} if np.isfinite(values[i]) else {"__error__": RuntimeFailedConfig()}
            cost = {"compile_time": recording.costs[i], "verification_time": 0.0, "benchmark_time": 0.0}
            self._cache[key] = dict(zip(names, rows[i], strict=True)) | outcome | cost
        self._params = {p.name: list(p.values) for p in space.space.parameters}
        allowed = FunctionConstraint(lambda *row: row in legal)
        with contextlib.redirect_stdout(io.StringIO()):
            self._space = Searchspace(self._params, [allowed], 1_000_000_000)

    def run(self, strategy: str, seed: int, budget: int) -> list[int]:
        """Points tried, in order."""
        from kernel_tuner.interface import strategy_map

        random.seed(seed)
        np.random.seed(seed)
        runner, options = self._runner(budget)
        visits = _Visits()
        runner.visited_results = visits
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            # A strategy that ends with an error keeps what it tried until then, as its users would.
            with contextlib.suppress(IndexError, ValueError, KeyError, ZeroDivisionError, RuntimeError, TypeError):
                strategy_map[strategy].tune(_unshared(self._space), runner, options)
        return [self._index[k] for k in visits.order[:budget]]

    def _runner(self, budget: int) -> tuple[Any, Any]:
        from kernel_tuner.interface import Options
        from kernel_tuner.runners.simulation import SimulationRunner
        from kernel_tuner.util import TuningBudget

        device = Options(quiet=True)
        runner = SimulationRunner(None, Options(kernel_name="replay"), device, 7, None)
        options = Options(
            objective=["time"],
            objective_higher_is_better=[False],
            strategy_options=Options(max_fevals=budget),
            tune_params=self._params,
            cache=self._cache,
            metrics=None,
            verbose=False,
            restrictions=None,
            simulation_mode=True,
            budget=TuningBudget(None, budget),
            seed=None,
            max_fevals=budget,
            eps=None,
            snap=True,
        )
        return runner, options


def _unshared(space: Any) -> Any:
    """A copy whose neighbour caches are empty: shared ones would tell a run what earlier runs met."""
    fresh = copy.copy(space)
    for name, value in vars(space).items():
        if "neighbor" in name and isinstance(value, dict):
            setattr(
                fresh,
                name,
                {k: type(v)(list) if hasattr(v, "default_factory") else type(v)() for k, v in value.items()},
            )
    return fresh


def warm(folder: Path, recordings: Iterable[Recording], budget: int, seeds: int) -> None:
    """Fill the cache, the quick strategies first, and say how long each took."""
    peers = Peers(folder, budget)
    for strategy in STRATEGIES:
        for recording in recordings:
            start = time.perf_counter()
            count = len(peers.runs(recording, strategy, seeds))
            print(f"{strategy} {recording.name}: {count} runs, {time.perf_counter() - start:.0f} s", flush=True)
