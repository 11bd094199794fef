"""Kernel Tuner's strategies on the same replay as ours: each run is the order in which it tried configurations."""

import json
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from search_replay import Recording

from atunner.search.kernel_tuner import KernelTuner
from atunner.search.ledger import Ledger

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
            for seed in range(wanted):
                if str(seed) not in kept:
                    limit = min(self.budget, LIMITS.get(strategy, self.budget))
                    kept[str(seed)] = tried(recording, strategy, seed, limit)
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


def tried(recording: Recording, strategy: str, seed: int, budget: int) -> list[int]:
    """Points in the order in which the strategy tries them, up to where it ends."""
    method, ledger, rng = KernelTuner(f"{strategy}:{budget}"), Ledger(recording.space), np.random.default_rng(seed)
    ledger.memo["seed"] = float(seed)
    while points := method.propose(ledger, rng, 1):
        for point in points:
            figure = float(recording.values[point])
            ledger.asked[point] = None
            ledger.values[point] = figure if np.isfinite(figure) else None
    return list(ledger.asked)


def warm(folder: Path, recordings: Iterable[Recording], budget: int, seeds: int) -> None:
    """Fill the cache, the quick strategies first, and say how long each took."""
    peers = Peers(folder, budget)
    for strategy in STRATEGIES:
        for recording in recordings:
            start = time.perf_counter()
            count = len(peers.runs(recording, strategy, seeds))
            print(f"{strategy} {recording.name}: {count} runs, {time.perf_counter() - start:.0f} s", flush=True)
