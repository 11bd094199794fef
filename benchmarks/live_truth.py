"""The live comparison's kernels: each with every configuration measured, so that it is known what is near the best."""

import json
import time
from functools import cached_property
from pathlib import Path

import numpy as np

from atunner.core.candidate import Candidate
from atunner.core.errors import NotMeasured, Rejected
from atunner.core.ports import WorkItem
from atunner.core.task import Task
from atunner.core.value import canonical
from atunner.domains import BUILT_IN
from atunner.domains.user_kernels.domain import UserKernels
from atunner.executors.local import LocalExecutor
from atunner.operators.user import UserKernel
from atunner.operators.user.task import kernel_task
from atunner.search import SearchSpace
from atunner.search.formats import read_kernel
from atunner.settings import Settings
from atunner.tools import hardware
from atunner.tools.ceilings import PROBES
from atunner.wiring import domain_config

FOLDER = Path(__file__).parent / "live"
NEAR = 1.05
FINALISTS, ROUNDS = 60, 6
PAIR_ROUNDS, PAIR_TRIES = 3, 9
"""Comparisons of two winners, and how often one may be tried: a loud moment is no answer."""


class Truth:
    """Every configuration of a kernel with its time in microseconds.

    One that was among the best has the median of its races: the least would name whoever had the luckiest moment.
    """

    def __init__(self, name: str, work: Path) -> None:
        self.name, self.path, self.cache = name, work / f"truth-{name}.json", work / "truth-cache"
        self.kernel: UserKernel = read_kernel(FOLDER / f"{name}.yaml")
        self.space = SearchSpace(self.kernel.space)

    @property
    def times(self) -> dict[str, float]:
        """By the canonical text of the parameters."""
        found: dict[str, float] = json.loads(self.path.read_text())
        return found

    @property
    def near(self) -> dict[str, float]:
        """The configurations within 5 % of the best."""
        times = self.times
        best = min(times.values())
        return {key: value for key, value in times.items() if value <= NEAR * best}

    def candidate(self, key: str) -> Candidate:
        """The configuration of that canonical text."""
        return self._domain.realise(self._task, self.kernel.name, json.loads(key))

    def measure(self, deadline: float) -> bool:
        """Build all side by side, race each, and race the best again in turn; False when the time is up.

        What was raced before is kept in a file beside, so that this may be done in pieces.
        """
        kept = self.path.with_suffix(".part")
        told = json.loads(kept.read_text()) if kept.exists() else {"times": {}, "order": []}
        if not told["order"]:
            rng = np.random.default_rng(0)
            points = [canonical(dict(self.space.params(int(p)))) for p in rng.permutation(len(self.space))]
            told["order"] = points
            self._build(points)
        raced: dict[str, list[float]] = told["times"]
        while told["order"]:
            if time.monotonic() > deadline:
                return False
            key = told["order"].pop(0)
            rival = None if key in raced else min((min(v) for v in raced.values() if v), default=None)
            score = self._domain.race(self._task, self.candidate(key), rival).score
            raced[key] = raced.get(key, []) + ([] if score is None else [score])
            if not told["order"] and told.get("rounds", 0) < ROUNDS:
                best = sorted((k for k, v in raced.items() if v), key=lambda k: min(raced[k]))[:FINALISTS]
                told["rounds"] = told.get("rounds", 0) + 1
                told["order"] = np.random.default_rng(told["rounds"]).permutation(best).tolist()
            kept.write_text(json.dumps(told))
        self.path.write_text(json.dumps({k: float(np.median(v)) for k, v in raced.items() if v}))
        return True

    def _build(self, keys: list[str]) -> None:
        settings = Settings(cache=self.cache)
        executor = LocalExecutor(BUILT_IN["user_kernels"], domain_config(settings, self._task), settings.build_workers)
        executor.map([WorkItem(action="screen", task=self._task, candidate=self.candidate(key)) for key in keys])
        executor.close()

    def prepare(self) -> None:
        """Have in the cache what this version of ATunner makes once for a machine: its runners and its ceilings."""
        self._task  # noqa: B018 - admission builds and runs the untuned kernel
        for _ in range(PROBES):
            hardware.ceilings(hardware.cpu(), self.cache)

    def ratio(self, theirs: str, ours: str) -> float:
        """Time of one configuration over the other's, both interleaved in new processes; above 1 ours is faster."""
        if theirs == ours:
            return 1.0
        built = [self._domain.build(self._task, self.candidate(key)) for key in (theirs, ours)]
        found: list[float] = []
        for left in reversed(range(PAIR_TRIES)):
            try:
                one = self._domain.compare(self._task, *built)
            except (NotMeasured, Rejected):  # too loud a machine just now, or clocks that it made contradict each other
                if not found and not left:
                    raise
                continue
            found += [one.ratio] if one else []
            if len(found) == PAIR_ROUNDS:
                break
        return float(np.median(found))

    @cached_property
    def _domain(self) -> UserKernels:
        return UserKernels(domain_config(Settings(cache=self.cache), kernel_task(self.kernel)))

    @cached_property
    def _task(self) -> Task:
        return self._domain.admit(kernel_task(self.kernel))
