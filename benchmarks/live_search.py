"""Wall time to a configuration within 5 % of the exhaustive best, on this machine, against Kernel Tuner as it comes.

python benchmarks/live_search.py [--kernels ...] [--seeds 5] [--minutes M] [--work DIR] [--peer PYTHON]

Four C kernels (benchmarks/live) with at least 500 configurations each, and one for OpenCL on PoCL beside them: the same
source, space, compiler options, inputs and answers for both. First every configuration is measured (the best ones
again, in turn); then ATunner and Kernel Tuner's adaptive_tabu_greywolf and genetic_algorithm run in turn, each in a
process of its own with empty caches, until their best so far belongs to that set; ATunner's counts when it is verified.
Then the winners run against one another, interleaved. What was done is kept in DIR and not done again, so the script
may be run in pieces with --minutes. Exits 1 when a figure is missed, the last line names which. PYTHON: an interpreter
with kernel_tuner, for OpenCL also pyopencl and pocl-binary-distribution (python -m venv .venv-peers).
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from live_theirs import peer_job, reached
from live_truth import FOLDER, Truth

# Both sides import before the clock starts; what we load by name is named here.
import atunner.domains.user_kernels.domain
import atunner.search.auto  # noqa: F401
from atunner.core.errors import ATunnerError
from atunner.core.task import Budget
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
from atunner.operators.user import UserFamily
from atunner.operators.user.task import kernel_task
from atunner.search.formats import read_kernel
from atunner.settings import Settings
from atunner.tools.process import end, start
from atunner.wiring import Session

KERNELS = ("matmul", "convolution", "reduction", "stencil", "matmul_cl")
PEERS = ("adaptive_tabu_greywolf", "genetic_algorithm")
TUNERS = ("atunner", *PEERS)
EVALUATIONS, LIMIT_S = 300, 150.0
FASTER, AS_GOOD = 2.0, 0.95
"""What is to be reached: times shorter than a peer; a winner as good as the peer's, which may differ within the 5 %."""
PATH = "/usr/local/bin:/usr/bin:/bin"
MACHINE = ("runner", "ceilings.json")
"""What ATunner makes once for a machine, as pip did for Kernel Tuner."""

Result = dict[str, Any]
"""seconds, evaluations and the winner; tried_s alone when the best was not reached: what all evaluations took."""


def ours(job: Path) -> None:
    """One run of ATunner in this process; what it took lies in done.json beside the job."""
    told = json.loads(job.read_text())
    kernel = read_kernel(FOLDER / f"{told['kernel']}.yaml")
    family: Any = UserFamily(kernel, kernel.name)
    near = {family.realise(json.loads(key)).id: key for key in told["near"]}
    settings = Settings(data=job.parent / "data", cache=job.parent / "cache")
    stop, found, starts = threading.Event(), Result(), list[float]()

    def watch(event: Event) -> None:
        words = event.message.replace(":", " ").split()
        if event.stage == "evaluation" and event.kind == "stage":
            starts.append(time.time() - started)
        right = event.kind in ("trial", "verified") and words[2] in ("ok", "verified")
        if right and words[1] in near and not found:
            took = {"seconds": time.time() - started, "first_s": min(starts, default=0.0)}
            found.update(took, evaluations=event.done, winner=near[words[1]])
            stop.set()

    options = Options(search="auto", seed=told["seed"], slice=told["evaluations"], ahead=settings.build_workers + 1)
    budget = Budget(trials=told["evaluations"])
    request = Request(task=kernel_task(kernel), budget=budget, options=options, executor="threads")
    with Session(settings) as session:
        started = time.time()
        try:
            session.start(request, watch, stop)
        except ATunnerError as error:
            sys.stderr.write(f"{error}\n")
    (job.parent / "done.json").write_text(json.dumps(found))


class Contest:
    """Runs in turn; each result is kept by kernel, tuner and seed, and so is what became of the winners."""

    def __init__(self, work: Path, peer: str, deadline: float) -> None:
        self.work, self.peer, self.deadline = work, peer, deadline
        self._kept = work / "runs.json"
        self.results: dict[str, Result] = json.loads(self._kept.read_text()) if self._kept.exists() else {}

    def run(self, truth: Truth, tuner: str, seed: int) -> bool:
        """One run unless it was done before; False when the time is up."""
        key = f"{truth.name}/{tuner}/{seed}"
        if key in self.results:
            return True
        if time.monotonic() > self.deadline:
            return False
        folder = Path(tempfile.mkdtemp(dir=self.work, prefix="run-"))
        try:
            result = self._ours(truth, seed, folder) if tuner == "atunner" else self._peer(truth, tuner, seed, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._keep(key, result)
        return True

    def winners(self, truth: Truth, peer: str, seed: int) -> bool:
        """The two winners of a seed against one another, unless that was done; False when the time is up."""
        theirs, mine = (self.results[f"{truth.name}/{tuner}/{seed}"] for tuner in (peer, "atunner"))
        key = f"{truth.name}/{peer}/{seed}/winners"
        if key in self.results or "winner" not in theirs or "winner" not in mine:
            return True
        if time.monotonic() > self.deadline:
            return False
        self._keep(key, {"ratio": truth.ratio(theirs["winner"], mine["winner"])})
        return True

    def _keep(self, key: str, result: Result) -> None:
        self.results[key] = result
        self._kept.write_text(json.dumps(self.results, indent=1))
        print(key, result, flush=True)

    def _ours(self, truth: Truth, seed: int, folder: Path) -> Result:
        (folder / "cache").mkdir()
        for name in MACHINE:
            source, copy = truth.cache / name, folder / "cache" / name
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, copy)
        job = {"kernel": truth.name, "seed": seed, "near": list(truth.near), "evaluations": EVALUATIONS}
        (folder / "job.json").write_text(json.dumps(job))
        # Its own folder for temporary files, so that no other process of ATunner has the lock of the processor.
        environment = {"PATH": PATH, "HOME": str(folder), "TMPDIR": str(folder)}
        begun = time.monotonic()
        process = start(sys.executable, __file__, "--ours", str(folder / "job.json"), env=environment)
        return _awaited(process, folder / "done.json") or {"tried_s": time.monotonic() - begun}

    def _peer(self, truth: Truth, tuner: str, seed: int, folder: Path) -> Result:
        cache = folder / "cache.json"
        told = {"strategy": tuner, "seed": seed, "cache": str(cache), "evaluations": EVALUATIONS}
        job = peer_job(truth, folder) | told
        (folder / "job.json").write_text(json.dumps(job))
        program = str(Path(__file__).with_name("live_peer.py"))
        environment = {"PATH": PATH, "HOME": str(folder), "POCL_CACHE_DIR": str(folder / "pocl")}
        process = start(self.peer, program, str(folder / "job.json"), cwd=folder, env=environment)
        names, near = list(job["parameters"]), set(truth.near)
        begun = time.monotonic()
        try:
            while time.monotonic() < begun + LIMIT_S and process.poll() is None:
                time.sleep(0.2)
                if found := reached(folder, cache, names, near):
                    return found
            return reached(folder, cache, names, near) or {"tried_s": time.monotonic() - begun}
        finally:
            end(process)


def _awaited(process: Any, done: Path) -> Result:
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.2)
    end(process)
    found: Result = json.loads(done.read_text()) if done.exists() else {}
    return found


def report(truths: list[Truth], results: dict[str, Result], seeds: int) -> list[str]:
    """Print the table; the figures missed. OpenCL is reported beside, and nothing is demanded of it."""
    missed, ratios = list[str](), list[float]()
    print(f"{'kernel':12} {'points':>6} {'near':>5} {'tuner':24} {'median s':>9} {'evaluations':>11} {'reached':>8}")
    for truth in truths:
        median = {tuner: _row(truth, tuner, results, seeds) for tuner in TUNERS}
        demanded = truth.kernel.language == "c"
        for peer in PEERS:
            shorter = median[peer] / median["atunner"]
            kept = [results.get(f"{truth.name}/{peer}/{seed}/winners") for seed in range(seeds)]
            pairs = [found["ratio"] for found in kept if found]
            beside = statistics.median(pairs) if pairs else None
            told = f"its winner takes {beside:.3f} of ours" if beside else "no seed in which both have a winner"
            print(f"{truth.name:12} {peer}: {shorter:.2f} times our wall time; {told}")
            if demanded:
                ratios.append(shorter)
                missed += [f"{truth.name} against {peer}: {shorter:.2f}x"] if shorter < FASTER else []
                missed += [f"{truth.name}'s winner against {peer}: {beside:.3f}"] if beside and beside < AS_GOOD else []
    if ratios:
        print(f"median over the C kernels and peers: {statistics.median(ratios):.2f}x")
    return missed


def _row(truth: Truth, tuner: str, results: dict[str, Result], seeds: int) -> float:
    """Print one line; the median seconds.

    A peer's run that did not get there counts with what all its evaluations took, which is less than it would have
    needed; one of ours with the limit.
    """
    found = [results[f"{truth.name}/{tuner}/{seed}"] for seed in range(seeds)]
    given_up = [LIMIT_S if tuner == "atunner" else f.get("tried_s", LIMIT_S) for f in found]
    median = statistics.median([f.get("seconds", most) for f, most in zip(found, given_up, strict=True)])
    tried = statistics.median([f.get("evaluations", EVALUATIONS) for f in found])
    begun = [f["first_s"] for f in found if "first_s" in f]
    first = f" (first one raced after {statistics.median(begun):.2f} s)" if begun else ""
    near = f"{truth.name:12} {len(truth.space):6} {len(truth.near):5}"
    count = f"{sum(1 for f in found if 'winner' in f):>5}/{seeds}"
    print(f"{near} {tuner:24} {median:9.1f} {tried:11.0f} {count}{first}")
    return median


def contest(truths: list[Truth], held: Contest, seeds: int) -> bool:
    """All runs, seed after seed, the tuners in turn; then the winners. False when the time is up."""
    for truth in truths:
        truth.prepare()
    for seed in range(seeds):
        for truth in truths:
            if not all(held.run(truth, tuner, seed) for tuner in TUNERS):
                return False
    return all(held.winners(truth, peer, seed) for truth in truths for peer in PEERS for seed in range(seeds))


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
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    deadline = time.monotonic() + 60 * asked.minutes
    measured = all(truth.path.exists() or truth.measure(deadline) for truth in truths)
    if asked.measure and measured:
        return 0
    held = Contest(work, str(Path(asked.peer).absolute()), deadline)
    if not measured or not contest(truths, held, asked.seeds):
        print("time is up; run again to go on")
        return 1
    missed = report(truths, held.results, asked.seeds)
    print("missed: " + "; ".join(missed) if missed else "all figures reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
