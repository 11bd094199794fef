"""How much faster C programs get, and that nothing wrong is accepted: a table for any folder of programs.

    python benchmarks/llvm_ir.py --kernels DIR [--level exact] [--evals 25] [--json OUT] [--only gemm,2mm]

Each file of the folder prints its whole result when it is run with the argument `dump`. Every program is tuned by
`Session`, as `atunner tune ir` does, without a model; the winner is confirmed, built afresh and compared once more.
Then every planted bad edit is judged (--no-planted leaves them out): none may be accepted.
Exits 1 when a figure is missed; the last line names which.
"""

import argparse
import fcntl
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from atunner.cli.tune_ir import task_of
from atunner.core.errors import ATunnerError, CandidateError
from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.core.task import Budget, Task
from atunner.domains.llvm_ir.domain import TOOLS_S, LlvmIr
from atunner.domains.llvm_ir.program import Level, program_of, read_program
from atunner.domains.llvm_ir.selftest import tried
from atunner.domains.llvm_ir.subject import Subject
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.reports import ir
from atunner.settings import Settings
from atunner.wiring import HOST, Session, domain_config

GOALS = {Level.EXACT: 1.8, Level.TOLERANCE: 2.2, Level.FAST: 2.2}
GEMM_GOAL = 3.5
ENOUGH_KERNELS = 14
OVERHEAD_S = 0.1
TUNE_S = 120.0


@dataclass(frozen=True)
class Line:
    """One program's result. ratio: confirmed, 1 where the baseline is kept. portfolio: best fixed build, unconfirmed.

    overhead_s: the median over trials of what a trial cost beyond its compiles and runs.
    """

    name: str
    base_ms: float
    ratio: float
    low: float
    high: float
    portfolio: float
    evals: int
    seconds: float
    overhead_s: float
    right: bool
    winner: str


def tuned(file: Path, level: str, evals: int, rounds: int) -> Line:
    settings = Settings()
    began = time.monotonic()
    with Session(settings) as session:
        options = Options(rounds=rounds, slice=-(-evals // rounds), patience=4)
        request = Request(task_of(read_program(file, level)), Budget(trials=evals), options, "none")
        record = session.start(request)
    return _line(record, time.monotonic() - began, settings)


def _line(record: RunRecord, seconds: float, settings: Settings) -> Line:
    found, confirmed, winner = ir.kernel(record), record.confirmed, record.winner
    kept = bool(ir.kept(record)) and confirmed is not None and winner is not None
    base = record.baseline.measurement if record.baseline else None
    flags = [t.measurement.value for t in record.trials if t.candidate.family == "flags" and t.measurement]
    choice = winner.candidate.params if winner and kept else {}
    usual = ("usual", "auto", "off", "on", "as it is", "O3", "native", "strict", "kept")
    return Line(
        name=record.task.name,
        base_ms=base.value if base else math.nan,
        ratio=found.ratio or 1.0,
        low=confirmed.low if confirmed and kept else 1.0,
        high=confirmed.high if confirmed and kept else 1.0,
        portfolio=max([1.0, *(base.value / f for f in flags)]) if base else 1.0,
        evals=record.spent.trials,
        seconds=seconds,
        overhead_s=_overhead(record),
        right=_right(record, settings) if kept else True,
        winner=" ".join(f"{k}={v}" for k, v in choice.items() if v not in usual) or ("-O3" if not kept else "strict"),
    )


def _overhead(record: RunRecord) -> float:
    costs = []
    for trial in record.trials:
        spent = [float(str(c.figures[TOOLS_S])) for c in trial.checks if TOOLS_S in c.figures]
        if spent and trial.status is Status.OK:
            costs.append(trial.cost.seconds - spent[-1])
    return sorted(costs)[len(costs) // 2] if costs else 0.0


def _right(record: RunRecord, settings: Settings) -> bool:
    """Build the winner afresh and compare what it prints with what the -O3 build prints."""
    assert record.winner is not None
    program = program_of(record.task)
    subject = Subject(program, settings.cache, settings.sandbox)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        try:
            built = subject.fresh_build(record.winner.candidate, Path(name))
            for number in range(len(subject.given)):
                subject.agrees(built, number)
        except CandidateError:
            return False
    return True


def mean(lines: Sequence[Line]) -> float:
    return math.exp(sum(math.log(line.ratio) for line in lines) / len(lines)) if lines else 0.0


def missed(lines: Sequence[Line], level: Level, failed: Sequence[str]) -> list[str]:
    found = [f"failed: {name}" for name in failed]
    if len(lines) >= ENOUGH_KERNELS and mean(lines) < GOALS[level]:
        found.append(f"geometric mean {mean(lines):.2f}x, wanted {GOALS[level]}x at level {level}")
    found += [f"{line.name} {line.ratio:.2f}x is below 1.00x" for line in lines if line.ratio < 1.0]
    found += [f"{line.name}: a wrong result was accepted" for line in lines if not line.right]
    for line in lines:
        if line.name == "gemm" and level is Level.EXACT and line.ratio < GEMM_GOAL:
            found.append(f"gemm {line.ratio:.2f}x, wanted {GEMM_GOAL}x")
        if line.seconds > TUNE_S and line.base_ms <= 60:
            found.append(f"{line.name} took {line.seconds:.0f} s, wanted {TUNE_S:.0f} s")
        if line.overhead_s > OVERHEAD_S:
            found.append(
                f"{line.name}: {line.overhead_s * 1e3:.0f} ms beyond compiles and runs, wanted {OVERHEAD_S * 1e3:.0f}"
            )
    return found


def planted() -> list[str]:
    """Judge every planted bad edit; what was accepted."""
    task = Task(domain="llvm_ir", name="planted", target=HOST)
    rows = list(tried(LlvmIr(domain_config(Settings(), task))))
    for row in rows:
        if not row.good:
            print(f"{row.kind:16}{row.name:32}expected {row.expected}, got {row.status}: {row.feedback[:100]}")
    accepted = [row.name for row in rows if row.accepted]
    print(f"planted bad edits: {len(rows)}, accepted {len(accepted)}", flush=True)
    return [f"the planted edit {name} was accepted" for name in accepted]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=Path, required=True, help="folder of C programs")
    parser.add_argument("--level", choices=[str(level) for level in Level], default="exact")
    parser.add_argument("--evals", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--only", default="", help="names of programs, separated by commas")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--planted", action=argparse.BooleanOptionalAction, default=True, help="judge bad edits too")
    parser.add_argument("--lock", type=Path, help="hold this file locked for each program, beside other benchmarks")
    given = parser.parse_args()
    only = set(given.only.split(",")) - {""}
    files = [f for f in sorted(given.kernels.glob("*.c")) if not only or f.stem in only]
    print(
        f"{'program':16}{'-O3 ms':>9}{'ratio':>8}{'interval':>16}{'flags':>8}{'evals':>7}{'s':>6}  winner", flush=True
    )
    lines, failed = list[Line](), list[str]()
    for file in files:
        with ExitStack() as stack:
            if given.lock:
                fcntl.flock(stack.enter_context(given.lock.open("a")), fcntl.LOCK_EX)
            try:
                line = tuned(file, given.level, given.evals, given.rounds)
            except ATunnerError as error:
                failed.append(f"{file.stem}: {error}")
                print(f"{file.stem:16}{error}", flush=True)
                continue
        lines.append(line)
        interval = f"{line.low:.2f}-{line.high:.2f}"
        print(
            f"{line.name:16}{line.base_ms:9.2f}{line.ratio:8.2f}{interval:>16}{line.portfolio:8.2f}{line.evals:7}"
            f"{line.seconds:6.0f}  {line.winner[:120]}",
            flush=True,
        )
    print(f"geometric mean of {len(lines)} programs at level {given.level}: {mean(lines):.3f}x over clang -O3")
    if given.json:
        given.json.write_text(json.dumps([asdict(line) for line in lines], indent=1), encoding="utf-8")
    found = missed(lines, Level(given.level), failed) + (planted() if given.planted else [])
    print("missed: " + "; ".join(found) if found else "all figures reached")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
