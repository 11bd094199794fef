"""Every CUDA kernel family of every operator on this machine's GPU, against the naive kernel and PyTorch.

    python benchmarks/gpu.py [--points 4] [--seconds 5] [--json OUT]

Uses the bundle's runner: interleaved, verified, cold cache, winner confirmed. Prints the rank agreement between the
ranking model and the measured times. Then the product's own judge takes each naive kernel through its stages on the
GPU: verified at every shape, timed by two clocks, run under compute-sanitizer and Nsight Compute where they are
installed. With no GPU it compiles everything, says that nothing was measured, and exits 0.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue
from scipy.stats import spearmanr

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.errors import CandidateError, UserError
from atunner.core.judge import judge
from atunner.core.program import PROGRAM_FILE, Problem, Program
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.domains.kernels.bundle import Contents, problem_of, write_contents
from atunner.domains.kernels.bundle_result import BundleResult, read_result
from atunner.domains.kernels.bundle_runner.driver import Driver, NoDevice
from atunner.domains.kernels.domain import Kernels
from atunner.domains.kernels.ranking import predict
from atunner.domains.kernels.static_facts import LaunchShape, inspect_all
from atunner.knowledge_base.devices import named
from atunner.operators import known, operator
from atunner.search import SearchSpace
from atunner.tools.nvrtc import Compiled, CompileJob
from atunner.tools.nvrtc_children import compile_many
from atunner.tools.process import run

DEFAULT_TARGET = "A100"


class Figures(NamedTuple):
    """One operator, measured."""

    operator: str
    naive_us: float
    best: str
    ratio: str
    torch: str
    agreement: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4, help="configurations of each family (default 4)")
    parser.add_argument("--seconds", type=float, default=5.0, help="longest timing of one kernel (default 5)")
    parser.add_argument("--operators", nargs="*", default=known(), help="default: all")
    parser.add_argument("--json", type=Path, help="folder that keeps each operator's result.json")
    options = parser.parse_args()
    target, missing = present()
    failed = []
    with tempfile.TemporaryDirectory(prefix="atunner-gpu-") as name:
        for one in options.operators:
            folder = write_contents(contents(one, target, options.points), Path(name) / one)
            if missing:
                failed += checked(one, folder)
                continue
            failed += measured(one, folder, target, options)
            failed += judged(one, target, Path(name) / "cache")
    if missing:
        print(f"NOTHING WAS MEASURED: {missing}; compiled only, for {target.name} ({target.arch}).")
    if failed:
        print(f"failed: {'; '.join(failed)}")
    return 1 if failed else 0


def present() -> tuple[Device, str]:
    """The GPU here as the knowledge base knows it, or the default target and why there is none."""
    try:
        driver = Driver()
    except NoDevice as error:
        return named(DEFAULT_TARGET), str(error)
    try:
        return named(driver.name), ""
    except UserError:
        return Device(name=driver.name, vendor="nvidia", kind="gpu", arch=driver.arch), ""


def contents(name: str, target: Device, points: int) -> Contents:
    """The naive kernel and `points` configurations of each family at the operator's default shape."""
    one = operator(name)
    task = Task(
        name=name,
        target=target.name,
        spec={"operator": name, "shape": list(one.default_shape), "settings": {}, "dtype": "float32"},
    )
    problem, kernels = admitted(task), one.kernels["cuda"]
    candidates = [kernels.baseline.realise({}, origin="baseline")]
    for family in kernels.families:
        space = SearchSpace(family.space(problem))
        chosen = space.sample(np.random.default_rng(0), points)
        candidates += [family.realise(space.params(int(point))) for point in chosen]
    return Contents(run=f"gpu-benchmark-{name}", task=task, target=target, candidates=tuple(candidates))


def admitted(task: Task) -> Problem:
    problem = problem_of(task)
    if problem is None:
        raise UserError(f"{task.name} is not a kernel task.")
    return problem


def checked(name: str, folder: Path) -> list[str]:
    """Compile all kernels of a bundle; the failure, if any."""
    done = run(sys.executable, str(folder / "run.py"), "--check", timeout_s=600)
    print(f"{name:>12}  {done.output.splitlines()[0]}")
    return [f"{name} does not compile"] if done.code else []


def measured(name: str, folder: Path, target: Device, options: argparse.Namespace) -> list[str]:
    """Measure a bundle and print its line; the failure, if any."""
    done = run(sys.executable, str(folder / "run.py"), "--seconds", str(options.seconds), timeout_s=3600)
    print(done.output)
    if done.code:
        return [f"{name} was not measured"]
    if options.json:
        options.json.mkdir(parents=True, exist_ok=True)
        (options.json / f"{name}.json").write_bytes((folder / "result.json").read_bytes())
    result = read_result(folder / "result.json")
    found = figures(name, result, contents(name, target, options.points))
    print("  ".join(f"{label}: {value}" for label, value in found._asdict().items()), flush=True)
    return [] if result.confirmed and result.confirmed.better else [f"{name}: no candidate beats the naive kernel"]


def judged(name: str, target: Device, cache: Path) -> list[str]:
    """Take the naive kernel through the product's judge on this GPU and print what it found; the failure, if any."""
    if "dram_gbs" not in target.facts:
        print(f"{name}: not judged, since {target.name} is not in the knowledge base")
        return []
    domain = Kernels({"cache": str(cache), "device": target.model_dump(mode="json")})
    shape: list[JsonValue] = list(operator(name).default_shape)
    task = domain.admit(Task(name=name, target=target.name, spec={"operator": name, "shape": shape}))
    if domain.provenance(task) is not Provenance.MEASURED:
        return [f"{name}: {target.name} is here for the driver and not for NVML, so the judge only predicts"]
    trial = judge(domain, task, domain.baseline(task))
    if trial.measurement is None:
        return [f"{name}: the judge says {trial.status}: {trial.feedback}"]
    print(f"  judge: {trial.status}, {trial.measurement.value:.2f} us; {'; '.join(c.name for c in trial.checks)}")
    profile = trial.profile
    if profile is not None:
        print(f"  counters: {len(profile.counters.values) if profile.counters else 0}; {'; '.join(profile.notes)}")
    return sanitized(name, domain, task)


def sanitized(name: str, domain: Kernels, task: Task) -> list[str]:
    """The interleaved comparison of the naive kernel with itself, behind the sanitizer; the failure, if any."""
    built = domain.build(task, domain.baseline(task))
    try:
        found = domain.compare(task, built, built)
    except CandidateError as error:
        return [f"{name}: {error.status}: {error}"]
    if found is None:
        return [f"{name}: nothing was compared"]
    print(f"  naive beside itself: {found.ratio:.3f} [{found.low:.3f}, {found.high:.3f}]")
    return [] if found.low <= 1.0 <= found.high or abs(found.ratio - 1.0) < 0.01 else [f"{name}: not equal to itself"]


def figures(name: str, result: BundleResult, tried: Contents) -> Figures:
    base, confirmed, torch = result.same.comparison, result.confirmed, result.torch
    families = {c.id: c.family for c in tried.candidates}
    against = torch.comparison if torch else None
    ratio = f"{confirmed.ratio:.2f} [{confirmed.low:.2f}, {confirmed.high:.2f}]" if confirmed else "none"
    return Figures(
        operator=name,
        naive_us=base.baseline.value if base else float("nan"),
        best=families.get(result.best or "", "none"),
        ratio=ratio,
        torch=f"{against.ratio:.2f}" if against else (torch.feedback if torch else "not installed"),
        agreement=agreement(result, tried),
    )


def agreement(result: BundleResult, tried: Contents) -> str:
    """Spearman's rank correlation of the ranking model's cost with the measured times."""
    if "dram_gbs" not in tried.target.facts:
        return f"{tried.target.name} is not in the knowledge base"
    times = {i: r.measurement.value for i, r in result.returned.items() if r.measurement}
    costs = predicted(tried)
    shared = sorted(times.keys() & costs.keys())
    if len(shared) < 3:
        return "too few measured"
    found = spearmanr([costs[i] for i in shared], [times[i] for i in shared]).statistic
    return f"{found:.2f} over {len(shared)}"


def predicted(tried: Contents) -> dict[str, float]:
    """The model's cost by candidate id, for those that compile."""
    problem = admitted(tried.task)
    facts = operator(problem.operator).facts(problem, frozenset())
    jobs = [job(c, problem, tried.target.arch) for c in tried.candidates]
    built = [(c, o) for c, o in zip(tried.candidates, compile_many(jobs), strict=True) if isinstance(o, Compiled)]
    shapes = [launches(c, problem) for c, _ in built]
    seen = inspect_all([o for _, o in built], shapes)
    return {
        c.id: predict(kernels, facts.flops, facts.min_bytes, tried.target).cost
        for (c, _), kernels in zip(built, seen, strict=True)
    }


def program(candidate: Candidate) -> Program:
    return Program.model_validate_json(candidate.files[PROGRAM_FILE])


def job(candidate: Candidate, problem: Problem, arch: str) -> CompileJob:
    one = program(candidate)
    return CompileJob(
        source=candidate.files[one.source], arch=arch, defines=problem.macros(candidate.params), flags=one.flags
    )


def launches(candidate: Candidate, problem: Problem) -> dict[str, LaunchShape]:
    geometry = program(candidate).geometry({**problem.dims, **candidate.params})
    return {g.kernel: LaunchShape(block=g.block, grid=g.grid, dynamic_shared=g.shared_bytes) for g in geometry}


if __name__ == "__main__":
    sys.exit(main())
