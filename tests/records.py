"""Values to record."""

from atunner.core.candidate import Candidate
from atunner.core.measurement import Measurement
from atunner.core.record import RunRecord, RunState
from atunner.core.status import Provenance, Status
from atunner.core.task import Budget, Task
from atunner.core.trial import Trial

MATMUL = Task(name="matmul", spec={"operator": "matmul", "shape": [512, 512, 512], "dtype": "float32"})


def run_record(run: str = "run-1", task: Task = MATMUL) -> RunRecord:
    return RunRecord(run=run, task=task, state=RunState.RUNNING, budget=Budget(trials=100))


def ok(number: int, us: float = 10.0, provenance: Provenance = Provenance.MEASURED, family: str = "tiled") -> Trial:
    return Trial(
        candidate=Candidate(files={"kernel.c": "void f(void) {}"}, params={"tile": number}, family=family),
        status=Status.OK,
        measurement=Measurement(unit="us", samples=(us, us * 1.01, us * 0.99), provenance=provenance, source="cpu"),
    )


def wrong(number: int) -> Trial:
    candidate = Candidate(files={"kernel.c": "broken"}, params={"tile": number}, origin="model:m", parent="abc")
    return Trial(candidate=candidate, status=Status.WRONG, feedback="worst error 3 at (0, 1)")
