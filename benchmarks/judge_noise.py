"""Does the judge call a difference where there is none, and find one where there is? Under background load.

python benchmarks/judge_noise.py [COMPARISONS] [CACHE]: as many A/A comparisons, half as many with a planted gain of
3 % and of 10 %. Prints a table; exits 1 when a figure is missed.
"""

import sys
import tempfile
import time
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.core.errors import NotMeasured
from atunner.core.statistics import Interval, is_equal
from atunner.core.task import Task
from atunner.core.trial import Comparison
from atunner.domains.kernels.backends.c import CBackend, CBuilt
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest import Entry
from atunner.domains.kernels.selftest.problems import ROW_SUM
from atunner.domains.kernels.stages import Stages, Terms
from atunner.tools.process import end, start

TASK = Task(name="noise")
BODY = """
    for (volatile int k = 0; k < {repeats}; k++)
        for (int i = 0; i < rows; i++) {{
            float s = 0;
            for (int j = 0; j < columns; j++) s += x[i * columns + j] * w[j];
            y[i] = s;
        }}
"""
BASE = 1000


def work(repeats: int) -> Candidate:
    entry = Entry(
        name="work", category="noise", body=BODY.format(repeats=repeats).replace("y[i]", "((volatile float *)y)[i]")
    )
    return entry.candidate


def compared(stages: Stages[CBuilt], repeats: int) -> Comparison | None:
    base, other = (stages.build(TASK, work(r)) for r in (BASE, repeats))
    try:
        return stages.compare(TASK, base, other)
    except NotMeasured:
        return None


def main(count: int, cache: Path) -> int:
    problem = ROW_SUM.problem((5, 16), {}, "float32")
    stages = Stages(CBackend(cache), Terms(Oracle(ROW_SUM), problem))
    load = start(sys.executable, "-c", "while True: pass")
    missed: list[str] = []
    try:
        for name, repeats, number, figure, least in (
            ("A/A", BASE, count, "called different", None),
            ("3 % faster", round(BASE / 1.03), count // 2, "found", 0.80),
            ("10 % faster", round(BASE / 1.10), count // 2, "found", 0.99),
        ):
            started = time.perf_counter()
            found = [compared(stages, repeats) for _ in range(number)]
            good = [c for c in found if c is not None]
            if least is None:
                hits = sum(not is_equal(Interval(value=c.ratio, low=c.low, high=c.high)) for c in good)
                missed += ["A/A above 2 %"] if hits > 0.02 * number else []
            else:
                hits = sum(c.better for c in good)
                missed += [f"{name} found less than {least:.0%}"] if hits < least * number else []
            samples = sum(len(c.baseline.samples) + len(c.candidate.samples) for c in good) / max(1, len(good))
            seconds = (time.perf_counter() - started) / number
            share = f"{name:12} {number:4} comparisons: {hits:3} ({hits / number:.1%}) {figure}"
            rest = f"{number - len(good)} without figure, {samples:.0f} samples, {seconds:.2f} s each"
            print(f"{share}, {rest}", flush=True)
    finally:
        end(load)
    print("missed: " + "; ".join(missed) if missed else "all figures reached")
    return 1 if missed else 0


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    if len(sys.argv) > 2:
        sys.exit(main(number, Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(number, Path(folder)))
