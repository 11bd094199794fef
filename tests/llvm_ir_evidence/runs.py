"""Records of tuned C programs."""

from atunner.core.candidate import Candidate
from atunner.core.measurement import Measurement
from atunner.core.profile import Counters, Profile
from atunner.core.record import RunRecord, RunState
from atunner.core.status import Status
from atunner.core.task import Budget, Objective, Spent, Task
from atunner.core.trial import Check, Comparison, Trial

BASE = {"add": 10, "fmul": 4, "store": 2}
BEST = {"add": 5, "fmul": 16, "shufflevector": 8, "store": 2}
NO_COUNTERS = ("user time only", {"user-time": 0.05})


def trial(name: str, family: str, value: float, opcodes: dict[str, int], unit: str = "cycles") -> Trial:
    counted = {"cycles": value, "instructions": 3 * value, "cache-misses": value / 100, "user-time": value / 3e9}
    counters = Counters(source="perf", values=counted if unit == "cycles" else {})
    return Trial(
        candidate=Candidate(files={"gemm.c": f"int {name};"}, family=family, origin="expert"),
        status=Status.OK,
        measurement=Measurement(unit=unit, samples=(value,), source="cpu"),
        checks=(
            Check(name="ir", passed=True, figures={"ir_lines": sum(opcodes.values()) + 9, "opcodes": {**opcodes}}),
        ),
        profile=Profile(counters=counters, notes=("hot function: kernel, 99 % by 100 samples",)),
        cost=Spent(trials=1, seconds=1.5, tokens=7, usd=0.01),
    )


def failed(status: Status, family: str = "source-function") -> Trial:
    candidate = Candidate(files={"gemm.c": f"broken {status}"}, family=family, origin="model:m")
    return Trial(
        candidate=candidate, status=status, feedback="element 3: expected 0x1p+0, got 0x0p+0", cost=Spent(trials=1)
    )


def record(unit: str = "cycles", low: float = 3.5, name: str = "gemm") -> RunRecord:
    base, best = trial("base", "baseline", 1.5e8, BASE, unit), trial("best", "source-function", 4e7, BEST, unit)
    fixed = trial("fixed", "portfolio", 1.2e8, BASE, unit)
    assert base.measurement is not None
    assert best.measurement is not None
    return RunRecord(
        run="run-1",
        task=Task(domain="llvm_ir", name=name, spec={"name": name, "level": "exact"}, objective=Objective(unit=unit)),
        state=RunState.DONE,
        budget=Budget(trials=25),
        spent=Spent(trials=3),
        baseline=base,
        trials=(base, fixed, failed(Status.WRONG), best),
        best=best.candidate.id,
        confirmed=Comparison(
            ratio=3.7, low=low, high=3.9, minimum_gain=0.01, baseline=base.measurement, candidate=best.measurement
        ),
    )
