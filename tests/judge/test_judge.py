"""The judge over the toy domain and over real C: what becomes of each kind of failure."""

import pytest

from atunner.core.candidate import Candidate
from atunner.core.errors import NotBuilt, ToolError
from atunner.core.judge import judge
from atunner.core.measurement import Measurement
from atunner.core.program import PROGRAM_FILE, Launch, Program
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Check
from atunner.domains.kernels.backends.c import CBackend
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.oracle import Draw, Oracle
from atunner.domains.kernels.selftest import corpus
from atunner.domains.kernels.selftest.problems import ROW_SUM
from atunner.domains.kernels.stages import Stages, Terms
from atunner.domains.toy import Toy

TASK = Task(domain="toy", name="toy")
PROBLEM = ROW_SUM.problem((12, 20), {}, "float32")
NAIVE = next(e for e in corpus("honest") if e.name == "naive")


@pytest.mark.parametrize(
    ("params", "status"),
    [({"x": 3, "y": 5}, Status.OK), ({"x": 7, "y": 5}, Status.WRONG), ({"x": 99, "y": 5}, Status.REJECTED)],
)
def test_any_domain_is_judged_the_same_way(params: dict[str, int], status: Status) -> None:
    trial = judge(Toy(), TASK, Toy().realise(TASK, "low", dict(params)))

    assert trial.status is status
    assert (trial.measurement is not None) == (status is Status.OK)
    assert trial.cost.trials == 1


class WrongAfterTiming(Toy):
    """Right at first, wrong once it was timed."""

    timed = False

    def measure(self, task: Task, built: Candidate) -> Measurement:
        self.timed = True
        return Measurement(unit="us", samples=(1.0,), source="toy")

    def verify(self, task: Task, built: Candidate) -> tuple[Check, ...]:
        return super().verify(task, built.model_copy(update={"params": {"x": 7}}) if self.timed else built)


class Broken(Toy):
    def build(self, task: Task, candidate: Candidate) -> Candidate:
        raise ToolError("the compiler is gone")


def test_a_candidate_that_is_wrong_after_timing_has_no_figure() -> None:
    trial = judge(WrongAfterTiming(), TASK, Toy().realise(TASK, "low", {"x": 3, "y": 5}))

    assert trial.status is Status.WRONG
    assert trial.measurement is None


def test_the_worlds_fault_is_not_a_trial() -> None:
    with pytest.raises(ToolError, match="compiler is gone"):
        judge(Broken(), TASK, Toy().realise(TASK, "low", {"x": 3, "y": 5}))


def candidate(text: str, **program: object) -> Candidate:
    fields: dict[str, object] = {
        "language": "c",
        "source": "k.c",
        "launches": (Launch(kernel="k", args=("x", "w", "y")),),
        **program,
    }
    return Candidate(files={"k.c": text, PROGRAM_FILE: Program.model_validate(fields).model_dump_json()})


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Candidate(files={"k.c": ""}), "no program.json"),
        (Candidate(files={PROGRAM_FILE: "{"}), "is not a program"),
        (candidate("", source="other.c"), "names 'other.c'"),
        (candidate("", launches=(Launch(kernel="k", args=("z",)),)), "passes 'z'"),
        (candidate("", launches=(Launch(kernel="k", args=("int32:rows +",)),)), "Not an expression"),
        (candidate("", launches=(Launch(kernel="k; x", args=("x",)),)), "Not a C function name"),
    ],
)
def test_a_bad_program_is_not_built_and_says_why(bad: Candidate, message: str, backend: CBackend) -> None:
    with pytest.raises(NotBuilt, match=message):
        backend.build(PROBLEM, bad)


def test_parameters_dimensions_and_scalars_reach_the_kernel(backend: CBackend) -> None:
    source = """
        void k(const float *x, const float *w, float *y, int rows, float one) {
            for (int i = 0; i < rows; i += TILE)
                for (int r = i; r < i + TILE && r < DIM_ROWS; r++) {
                    float s = 0;
                    for (int j = 0; j < DIM_COLUMNS; j++) s += x[r * DIM_COLUMNS + j] * w[j] * one;
                    y[r] = s;
                }
        }"""
    made = candidate(source, launches=(Launch(kernel="k", args=("x", "w", "y", "int32:rows", "float32:TILE / 5")),))
    stages = Stages(backend, Terms(Oracle(ROW_SUM), PROBLEM))
    good = judge(stages, TASK, made.model_copy(update={"params": {"TILE": 5}}))
    bad = judge(stages, TASK, made.model_copy(update={"params": {"TILE": 4}}))

    assert good.status is Status.OK, good.feedback
    assert bad.status is Status.WRONG
    assert "worst error" in bad.feedback


def test_a_held_out_shape_is_not_named_in_the_feedback(backend: CBackend) -> None:
    only_derived = "if (rows == 7) return; " + NAIVE.body
    hidden = (ROW_SUM.problem((7, 11), {}, "float32"),)
    stages = Stages(backend, Terms(Oracle(ROW_SUM), PROBLEM, hidden))
    trial = judge(stages, TASK, NAIVE.model_copy(update={"body": only_derived}).candidate)

    assert trial.status is Status.WRONG
    assert "a held-out shape" in trial.feedback
    assert "rows=7" not in trial.feedback


def test_faster_than_the_device_can_be_is_quarantined(backend: CBackend) -> None:
    stages = Stages(backend, Terms(Oracle(ROW_SUM), PROBLEM, bound_us=1e6))
    trial = judge(stages, TASK, NAIVE.candidate)

    assert trial.status is Status.REJECTED
    assert "Quarantined" in trial.feedback


def test_no_two_timed_calls_see_the_same_contents() -> None:
    feed = Feed(Oracle(ROW_SUM), PROBLEM, seed=3)
    fed = [feed.next() for _ in range(40)]
    plain = [(id(f.inputs), f.shift) for f in fed if f.truth is None]

    assert feed.checked >= 4
    assert len(set(plain)) > 0.9 * len(plain)


def test_the_secret_decides_the_inputs() -> None:
    one, same, other = (Oracle(ROW_SUM, secret).inputs(PROBLEM, Draw(number=0)) for secret in (1, 1, 2))

    assert one["x"].tobytes() == same["x"].tobytes()
    assert one["x"].tobytes() != other["x"].tobytes()


def test_a_profile_has_counters_or_says_why_not(backend: CBackend) -> None:
    built = backend.build(PROBLEM, NAIVE.candidate)
    counters = backend.profile(built, Feed(Oracle(ROW_SUM), PROBLEM, seed=1)).counters

    assert counters is not None
    assert counters.values["cpu_us"] >= 0
    assert counters.source == "perf" or "no hardware counters" in counters.notes[0]
