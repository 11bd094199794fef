"""NVRTC in child processes: many compiles side by side, each under a limit of CPU time.

`python -m atunner.tools.nvrtc_children` is such a child: it reads jobs from stdin and leaves each outcome in the cache.
A compile that runs away kills only its child; its job is TimedOut and the next child goes on behind it.
"""

import resource
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from atunner.core.errors import NotBuilt, TimedOut, ToolError
from atunner.core.value import Value
from atunner.tools.nvrtc import CompileJob, Outcome, check_architecture, compile_here, recall
from atunner.tools.process import run

MEMORY_BYTES = 16 << 30
# One compile's wall time on a busy machine may be several times its CPU time.
WALL_PER_CPU = 4.0
START_S = 30.0


class Order(Value):
    """What a child is told: jobs in order, where outcomes go, CPU seconds for each."""

    cache: Path
    cpu_s: float
    jobs: tuple[CompileJob, ...]


def compile_many(
    jobs: Sequence[CompileJob], cache: Path | None = None, workers: int = 2, cpu_s: float = 60.0
) -> list[Outcome]:
    """Compile all jobs in `workers` child processes; outcomes in the order given, equal jobs compiled once.

    Raises:
        UserError: an architecture that the compiler does not take. ToolError: a child cannot run at all.
    """
    for arch in {job.arch for job in jobs}:
        check_architecture(arch)
    if cache is None:
        with TemporaryDirectory(prefix="atunner-nvrtc-") as folder:
            return compile_many(jobs, Path(folder), workers, cpu_s)
    cache.mkdir(parents=True, exist_ok=True)
    distinct = {job.id: job for job in jobs}
    outcomes = {key: recall(job, cache) for key, job in distinct.items()}
    missing = [distinct[key] for key, outcome in outcomes.items() if outcome is None]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        shares = [missing[start::workers] for start in range(workers) if missing[start::workers]]
        for done in pool.map(lambda share: _share(share, cache, cpu_s), shares):
            outcomes |= done
    return [_present(outcomes[job.id]) for job in jobs]


def _present(outcome: Outcome | None) -> Outcome:
    if outcome is None:
        raise ToolError("A compile ended with no outcome; run again.")
    return outcome


def _share(jobs: list[CompileJob], cache: Path, cpu_s: float) -> dict[str, Outcome]:
    """Outcomes of one share; a child that dies is replaced, and the job that it died on is told why."""
    outcomes: dict[str, Outcome] = {}
    while len(outcomes) < len(jobs):
        left = [job for job in jobs if job.id not in outcomes]
        order = Order(cache=cache, cpu_s=cpu_s, jobs=tuple(left))
        done = run(
            sys.executable,
            "-m",
            "atunner.tools.nvrtc_children",
            stdin=order.model_dump_json(),
            timeout_s=START_S + WALL_PER_CPU * cpu_s * len(left),
        )
        found = {job.id: outcome for job in left if (outcome := recall(job, cache)) is not None}
        outcomes |= found
        culprit = next((job for job in left if job.id not in found), None)
        if culprit is not None:
            outcomes[culprit.id] = _blame(done.code, done.output, cpu_s)
    return outcomes


def _blame(code: int, output: str, cpu_s: float) -> Outcome:
    if code == -signal.SIGPROF:
        return TimedOut(f"NVRTC did not end within {cpu_s:g} s of CPU time; make the source compile faster.")
    if code < 0:
        return NotBuilt(f"NVRTC was killed by {signal.Signals(-code).name} on this source.")
    raise ToolError(f"NVRTC's child failed: {(output.strip().splitlines() or ['no output'])[-1]}")


def main() -> None:
    """Compile what stdin orders."""
    order = Order.model_validate_json(sys.stdin.read())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # The default action of SIGPROF ends the process even inside the compiler, where no Python code could run.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for job in order.jobs:
        signal.setitimer(signal.ITIMER_PROF, order.cpu_s)
        try:
            compile_here(job, order.cache)
        except NotBuilt:
            continue


if __name__ == "__main__":
    main()
