"""A domain with a known answer: for tests of the loop and for the tutorial on writing a domain."""

from collections.abc import Sequence

from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import Rejected, UserError, Wrong
from atunner.core.facts import OperatorFacts
from atunner.core.measurement import Environment, Measurement
from atunner.core.profile import Profile
from atunner.core.space import Family, Parameter, Space
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Screening, Trial

AXIS = tuple(range(16))


class Toy:
    """Minimise (x - 3)^2 + (y - 5)^2 + floor; x = 7 computes something wrong. Two families, `low` and `high` floor."""

    def __init__(self, config: dict[str, JsonValue] | None = None) -> None:
        self.config = config or {}

    def admit(self, task: Task) -> Task:
        """Only `floor` may be set: a positive whole number, as no cost of a kernel is zero."""
        floor = task.spec.get("floor", 1)
        if set(task.spec) - {"floor"} or not isinstance(floor, int) or floor < 1:
            raise UserError(f"toy takes floor=INTEGER from 1, got {task.spec}")
        return task.model_copy(update={"spec": {"floor": floor}})

    def unreachable(self, task: Task) -> str:
        """Always within reach."""
        return ""

    def provenance(self, task: Task) -> Provenance:
        """The figures are computed, so they count as simulated."""
        return Provenance.SIMULATED

    def facts(self, task: Task) -> OperatorFacts:
        """A problem of one number."""
        return OperatorFacts(
            operator="toy", dtype="float32", settings=(), tensors={"x": (1,)}, flops=4, min_bytes=8, reuse={"x": 1}
        )

    def families(self, task: Task) -> tuple[Family, ...]:
        """`low` has the better floor; both have the same bowl."""
        space = Space(
            parameters=(Parameter(name="x", values=AXIS), Parameter(name="y", values=AXIS)), constraints=("x != 12",)
        )
        return (
            Family(name="low", summary="floor as asked", space=space, techniques=("cache_blocking",)),
            Family(name="high", summary="floor plus 10", space=space, techniques=("loop_unrolling",)),
        )

    def baseline(self, task: Task) -> Candidate:
        """The far corner."""
        return self.realise(task, "high", {"x": 15, "y": 15}).model_copy(update={"origin": "baseline"})

    def realise(self, task: Task, family: str, params: Params) -> Candidate:
        """The family is the file, so that the two families differ in content."""
        return Candidate(files={"family.txt": family}, params=params, family=family, origin="search")

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """Both parameters must be on the axis."""
        for name in ("x", "y"):
            if candidate.params.get(name) not in AXIS:
                raise Rejected(f"{name} must be one of 0..15, got {candidate.params.get(name)!r}")
        return (Check(name="on the axis", passed=True),)

    def build(self, task: Task, candidate: Candidate) -> Candidate:
        """Nothing to build."""
        return candidate

    def verify(self, task: Task, built: Candidate) -> tuple[Check, ...]:
        """At x = 7 the answer is wrong."""
        if built.params["x"] == 7:
            raise Wrong("x = 7 gives a wrong answer")
        return (Check(name="answer", passed=True),)

    def measure(self, task: Task, built: Candidate) -> Measurement:
        """The bowl."""
        x, y = (int(str(built.params[n])) for n in ("x", "y"))
        floor = int(str(task.spec.get("floor", 1))) + (10 if built.files["family.txt"] == "high" else 0)
        value = float((x - 3) ** 2 + (y - 5) ** 2 + floor)
        return Measurement(unit="us", samples=(value,) * 3, provenance=Provenance.SIMULATED, source="toy bowl")

    def profile(self, task: Task, built: Candidate) -> Profile:
        """Nothing is known."""
        return Profile(notes=("a bowl has no counters",))

    def compare(self, task: Task, baseline: Candidate, candidate: Candidate) -> Comparison | None:
        """The exact ratio, with no spread."""
        a, b = self.measure(task, baseline), self.measure(task, candidate)
        ratio = a.value / b.value
        return Comparison(ratio=ratio, low=ratio, high=ratio, minimum_gain=0.02, baseline=a, candidate=b)

    def yardstick(self, task: Task, candidate: Candidate) -> Comparison | None:
        """Nobody else sells bowls."""
        return None

    def evidence(self, task: Task, trial: Trial, comparison: Comparison | None, baseline: Candidate) -> JsonValue:
        """The bowl speaks for itself."""
        return None

    def screen(self, task: Task, candidates: Sequence[Candidate]) -> list[Screening]:
        """Everything on the axis can be built; what is not is refused here already, before it costs a trial."""
        return [self._screened(task, c) for c in candidates]

    def _screened(self, task: Task, candidate: Candidate) -> Screening:
        try:
            self.check(task, candidate)
        except Rejected as error:
            return Screening(candidate=candidate, reason=f"{error.status}: {error}")
        return Screening(candidate=candidate)

    def environment(self, task: Task) -> Environment:
        """Any machine will do."""
        return Environment(device="toy")
