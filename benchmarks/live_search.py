"""Wall time to a configuration within 5 % of the exhaustive best, on this machine, against Kernel Tuner as it comes.

python benchmarks/live_search.py [--kernels ...] [--seeds 5] [--minutes M] [--work DIR] [--peer PYTHON]

Four C kernels (benchmarks/live) with at least 500 configurations each, the same source, space, compiler options, inputs
and answers for both. First every configuration is measured (the best ones again, in turn); then ATunner and Kernel
Tuner's adaptive_tabu_greywolf and genetic_algorithm run in turn, each in a process of its own with empty caches, until
their best so far belongs to that set; ATunner's counts when it is verified. What was done is kept in DIR and not done
again, so the script may be run in pieces with --minutes. Exits 1 when a figure is missed, the last line names
which. PYTHON: an interpreter with kernel_tuner (python -m venv .venv-peers; .venv-peers/bin/pip install kernel_tuner).
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

import atunner.search.auto  # noqa: F401 - both sides import before the clock starts
from atunner.core.errors import ATunnerError
from atunner.core.ports import WorkItem
from atunner.core.task import Budget
from atunner.core.value import canonical
from atunner.domains import BUILT_IN
from atunner.domains.user_kernels.domain import UserKernels
from atunner.executors.local import LocalExecutor
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
from atunner.operators.user import UserFamily, UserKernel
from atunner.operators.user.task import kernel_task
from atunner.search import SearchSpace
from atunner.search.formats import read_kernel
from atunner.settings import Settings
from atunner.tools.process import end, start
from atunner.wiring import Session, domain_config

FOLDER = Path(__file__).parent / "live"
KERNELS = ("matmul", "convolution", "reduction", "stencil")
PEERS = ("adaptive_tabu_greywolf", "genetic_algorithm")
NEAR = 1.05
EVALUATIONS, LIMIT_S = 300, 150.0
FLAGS = ["-O3", "-march=native"]
FINALISTS, ROUNDS = 60, 6
TIMED = """
#include <time.h>
float timed_{name}({declared}) {{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    {name}({passed});
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (to.tv_sec - from.tv_sec) * 1e3f + (to.tv_nsec - from.tv_nsec) * 1e-6f;
}}
"""


class Truth:
    """Every configuration of a kernel with its time in microseconds: the least of a few races."""

    def __init__(self, name: str, work: Path) -> None:
        self.name, self.path, self.work = name, work / f"truth-{name}.json", work
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

    def measure(self) -> None:
        """Build all side by side, race each, and race the best again in turn."""
        task = kernel_task(self.kernel)
        settings = Settings(cache=self.work / "truth-cache")
        config = domain_config(settings, task)
        domain = UserKernels(config)
        task = domain.admit(task)
        rng = np.random.default_rng(0)
        points = [self.space.params(int(p)) for p in rng.permutation(len(self.space))]
        candidates = {canonical(dict(p)): domain.realise(task, self.kernel.name, p) for p in points}
        executor = LocalExecutor(BUILT_IN["user_kernels"], config, settings.build_workers)
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


def ours(job: Path) -> None:
    """One run of ATunner in this process; what it took lies in done.json beside the job."""
    told = json.loads(job.read_text())
    kernel = read_kernel(FOLDER / f"{told['kernel']}.yaml")
    family: Any = UserFamily(kernel, kernel.name)
    near = {family.realise(params).id for params in told["near"]}
    settings = Settings(data=job.parent / "data", cache=job.parent / "cache")
    stop, seen = threading.Event(), list[float]()

    def watch(event: Event) -> None:
        words = event.message.replace(":", " ").split()
        right = event.kind in ("trial", "verified") and words[2] in ("ok", "verified")
        if right and words[1] in near and not seen:
            seen.extend((time.time() - started, event.done))
            stop.set()

    options = Options(search="auto", seed=told["seed"], slice=told["evaluations"])
    budget = Budget(trials=told["evaluations"])
    request = Request(task=kernel_task(kernel), budget=budget, options=options, executor="threads")
    with Session(settings) as session:
        started = time.time()
        try:
            session.start(request, watch, stop)
        except ATunnerError as error:
            sys.stderr.write(f"{error}\n")
    (job.parent / "done.json").write_text(json.dumps(seen))


class Contest:
    """Runs in turn; each result is kept by kernel, tuner and seed."""

    def __init__(self, work: Path, peer: str, deadline: float) -> None:
        self.work, self.peer, self.deadline = work, peer, deadline
        self.kept = work / "runs.json"
        self.results: dict[str, list[float]] = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def run(self, truth: Truth, tuner: str, seed: int) -> bool:
        """One run unless it was done before; False when the time is up."""
        key = f"{truth.name}/{tuner}/{seed}"
        if key in self.results:
            return True
        if time.monotonic() > self.deadline:
            return False
        folder = Path(tempfile.mkdtemp(dir=self.work, prefix="run-"))
        self.results[key] = (
            self._ours(truth, seed, folder) if tuner == "atunner" else self._peer(truth, tuner, seed, folder)
        )
        self.kept.write_text(json.dumps(self.results, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        print(key, self.results[key], flush=True)
        return True

    def _ours(self, truth: Truth, seed: int, folder: Path) -> list[float]:
        # The native programs of the sandbox are made once for a machine, as Kernel Tuner's were by pip.
        shutil.copytree(self.work / "truth-cache" / "runner", folder / "cache" / "runner")
        near = [json.loads(key) for key in truth.near]
        job = {"kernel": truth.name, "seed": seed, "near": near, "evaluations": EVALUATIONS}
        (folder / "job.json").write_text(json.dumps(job))
        process = start(sys.executable, __file__, "--ours", str(folder / "job.json"))
        return _awaited(process, folder / "done.json")

    def _peer(self, truth: Truth, tuner: str, seed: int, folder: Path) -> list[float]:
        cache = folder / "cache.json"
        job = peer_job(truth, folder) | {"strategy": tuner, "seed": seed, "cache": str(cache)}
        (folder / "job.json").write_text(json.dumps(job))
        process = start(self.peer, str(Path(__file__).with_name("live_peer.py")), str(folder / "job.json"), cwd=folder)
        names, near = list(job["parameters"]), set(truth.near)
        until = time.monotonic() + LIMIT_S
        try:
            while time.monotonic() < until and process.poll() is None:
                time.sleep(0.2)
                if found := _reached(folder, cache, names, near):
                    return found
            return _reached(folder, cache, names, near) or []
        finally:
            end(process)


def _awaited(process: Any, done: Path) -> list[float]:
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.2)
    end(process)
    found: list[float] = json.loads(done.read_text()) if done.exists() else []
    return found


def _reached(folder: Path, cache: Path, names: list[str], near: set[str]) -> list[float] | None:
    """Seconds and evaluations until its best so far is near the true best, from Kernel Tuner's cache file."""
    if not cache.exists() or not (folder / "started").exists():
        return None
    text = cache.read_text().rstrip().rstrip(",")
    for closing in ("", "}", "}}"):
        try:
            entries = list(json.loads(text + closing)["cache"].values())
            break
        except (json.JSONDecodeError, KeyError):
            continue
    else:
        return None
    begun, best = float((folder / "started").read_text()), float("inf")
    for count, entry in enumerate(entries, 1):
        if not isinstance(entry["time"], float) or entry["time"] >= best:
            continue
        best = entry["time"]
        if canonical({n: entry[n] for n in names}) in near:
            return [datetime.fromisoformat(entry["timestamp"]).timestamp() - begun, count]
    return None


def peer_job(truth: Truth, folder: Path) -> dict[str, Any]:
    """The kernel as Kernel Tuner takes it, with inputs and answers from our description."""
    from atunner.domains.user_kernels.python_answer import PythonAnswer
    from atunner.operators.user import UserOperator, problem_of

    kernel = truth.kernel
    problem = problem_of(kernel, kernel.sizes)
    operator = UserOperator(kernel, PythonAnswer(kernel, truth.work / "truth-cache"))
    inputs = operator.inputs(problem, 1, 1.0)
    right = operator.reference(problem, inputs)
    tolerance = operator.tolerance(problem, inputs, right)
    made = {b.name: inputs.get(b.name, np.zeros(b.shape, b.dtype)) for b in problem.buffers}
    np.savez(folder / "arguments.npz", **made)
    np.savez(folder / "answer.npz", **{n: v.astype(np.float32) for n, v in right.items()})
    tensors = {b.name for b in problem.buffers}
    declared = ", ".join(f"{'float *' if a.name in tensors else 'int '}{a.name}" for a in kernel.arguments)
    passed = ", ".join(a.name for a in kernel.arguments)
    order = [(a.name, a.dtype, 0 if a.name in tensors else problem.dims[a.value]) for a in kernel.arguments]
    return {
        "name": f"timed_{kernel.name}",
        "source": kernel.source + TIMED.format(name=kernel.name, declared=declared, passed=passed),
        "parameters": {p.name: list(p.values) for p in kernel.space.parameters},
        "constraints": list(kernel.space.constraints),
        "order": order,
        "arguments": str(folder / "arguments.npz"),
        "answer": str(folder / "answer.npz"),
        "atol": float(max(np.max(v) for v in tolerance.values())),
        "flags": FLAGS,
        "evaluations": EVALUATIONS,
    }


def report(truths: list[Truth], results: dict[str, list[float]], seeds: int) -> list[str]:
    """Print the table; the figures missed."""
    missed, ratios = [], []
    print(f"{'kernel':12} {'points':>6} {'near':>5} {'tuner':24} {'median s':>9} {'evaluations':>11} {'reached':>8}")
    for truth in truths:
        median: dict[str, float] = {}
        for tuner in ("atunner", *PEERS):
            found = [results[f"{truth.name}/{tuner}/{seed}"] for seed in range(seeds)]
            hit = [f for f in found if f]
            median[tuner] = statistics.median([f[0] if f else LIMIT_S for f in found])
            tried = statistics.median([f[1] if f else EVALUATIONS for f in found])
            row = f"{tuner:24} {median[tuner]:9.1f} {tried:11.0f} {len(hit):>5}/{seeds}"
            print(f"{truth.name:12} {len(truth.space):6} {len(truth.near):5} {row}")
        for tuner in PEERS:
            ratios.append(median[tuner] / median["atunner"])
            print(f"{truth.name:12} {tuner}: {ratios[-1]:.2f} times our wall time")
            missed += [f"{truth.name} against {tuner}: {ratios[-1]:.2f}x"] if ratios[-1] < 2.0 else []
    print(f"median over kernels and peers: {statistics.median(ratios):.2f}x")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", nargs="*", default=list(KERNELS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--work", type=Path, default=Path("live-search"))
    parser.add_argument("--peer", default=".venv-peers/bin/python")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", action="store_true", help="only measure every configuration")
    asked = parser.parse_args()
    if asked.ours:
        ours(asked.ours)
        return 0
    asked.work.mkdir(parents=True, exist_ok=True)
    work = asked.work.resolve()
    truths = [Truth(name, work) for name in asked.kernels]
    for truth in truths:
        if not truth.path.exists():
            truth.measure()
    if asked.measure:
        return 0
    contest = Contest(work, str(Path(asked.peer).absolute()), time.monotonic() + 60 * asked.minutes)
    for seed in range(asked.seeds):
        for truth in truths:
            for tuner in ("atunner", *PEERS):
                if not contest.run(truth, tuner, seed):
                    print("time is up; run again to go on")
                    return 1
    missed = report(truths, contest.results, asked.seeds)
    print("missed: " + "; ".join(missed) if missed else "all figures reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
