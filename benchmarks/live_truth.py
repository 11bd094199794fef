"""The live comparison's kernels: each with every configuration measured, so that it is known what is near the best."""

import json
from functools import cached_property
from pathlib import Path

import numpy as np

from atunner.core.candidate import Candidate
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
from atunner.wiring import domain_config

FOLDER = Path(__file__).parent / "live"
NEAR = 1.05
FINALISTS, ROUNDS = 60, 6
PAIR_ROUNDS = 3


class Truth:
    """Every configuration of a kernel with its time in microseconds: the least of a few races."""

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

    def measure(self) -> None:
        """Build all side by side, race each, and race the best again in turn."""
        domain, task, rng = self._domain, self._task, np.random.default_rng(0)
        points = [self.space.params(int(p)) for p in rng.permutation(len(self.space))]
        candidates = {canonical(dict(p)): domain.realise(task, self.kernel.name, p) for p in points}
        settings = Settings(cache=self.cache)
        executor = LocalExecutor(BUILT_IN["user_kernels"], domain_config(settings, task), settings.build_workers)
        executor.map([WorkItem(action="screen", task=task, candidate=c) for c in candidates.values()])
        executor.close()
        found: dict[str, float] = {}
        for key, candidate in candidates.items():
            score = domain.race(task, candidate, min(found.values(), default=None)).score
            found |= {key: score} if score is not None else {}
        for _ in range(ROUNDS):
            for key in rng.permutation(sorted(found, key=lambda k: found[k])[:FINALISTS]).tolist():
                score = domain.race(task, candidates[key], None).score
                found[key] = min(found[key], score or found[key])
        self.path.write_text(json.dumps(found))

    def ratio(self, theirs: str, ours: str) -> float:
        """Time of one configuration over the other's, both interleaved in new processes; above 1 ours is faster."""
        if theirs == ours:
            return 1.0
        built = [self._domain.build(self._task, self.candidate(key)) for key in (theirs, ours)]
        found = [self._domain.compare(self._task, *built) for _ in range(PAIR_ROUNDS)]
        return float(np.median([one.ratio for one in found if one is not None]))

    @cached_property
    def _domain(self) -> UserKernels:
        return UserKernels(domain_config(Settings(cache=self.cache), kernel_task(self.kernel)))

    @cached_property
    def _task(self) -> Task:
        return self._domain.admit(kernel_task(self.kernel))
