"""The kernels domain: an operator, a language and a device, judged by one code path."""

import secrets
from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.errors import NotMeasured, Wrong
from atunner.core.facts import OperatorFacts
from atunner.core.measurement import Environment, Measurement
from atunner.core.profile import Counters, Profile
from atunner.core.roofline import bound, ceilings
from atunner.core.space import Family
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Screening, Trial
from atunner.domains.kernels import timing
from atunner.domains.kernels.admission import Alike, alike_plan
from atunner.domains.kernels.backends.c import CBuilt
from atunner.domains.kernels.backends.cuda import CudaBuilt
from atunner.domains.kernels.evidence import Bundle, Meant, gather
from atunner.domains.kernels.feed import Feed
from atunner.domains.kernels.screening import gated, predicted, screen
from atunner.domains.kernels.stages import Stages, Terms, possible
from atunner.domains.kernels.subject import (
    Config,
    Subject,
    admitted_subject,
    c_backend,
    check_memory,
    problem_of,
)
from atunner.domains.kernels.subjects import Subjects
from atunner.domains.kernels.target import reach
from atunner.domains.kernels.timing import TimingPlan
from atunner.domains.kernels.verify import verify
from atunner.domains.kernels.yardstick import TorchSession, python_with_torch
from atunner.operators import operator

PREDICTED_UNIT = "of the naive baseline's predicted cost"
GPU_PLAN = TimingPlan(
    cold=True,
    warmup_s=1.0,
    least_s=0.5,
    most_s=3.0,
    compare_s=10.0,
    relative_error=0.005,
    block_us=2000.0,
    timeout_s=30.0,
)
"""For a GPU: a second of warming up settles its clocks; the L2 cache is flushed before every call."""

EVIDENT = ("c", "cuda")
CACHES = ("l2_bytes", "l3_bytes")
SHORT = TimingPlan(most_s=0.25, relative_error=0.02)


class Kernels:
    """The Domain port for kernels: measured on this machine and its GPU; predicted for a device that is not here."""

    def __init__(self, config: dict[str, JsonValue]) -> None:
        self.config = Config.model_validate(config)
        self._subjects = Subjects(self.config)
        self._baseline_cost: dict[str, float] = {}
        self._timed: dict[str, tuple[Check, ...]] = {}
        self._alike = Alike(self.config.cache / "alike")

    def admit(self, task: Task) -> Task:
        """Fill in shape, settings, dtype and language. Raises UserError."""
        name = str(task.spec.get("operator", task.name))
        chosen = operator(name)
        given = task.spec.get("settings")
        settings = {k: v for k, v in given.items() if isinstance(v, int | str)} if isinstance(given, dict) else {}
        asked = task.spec.get("shape")
        shape = tuple(int(str(e)) for e in asked) if isinstance(asked, list) else chosen.default_shape
        problem = chosen.problem(shape, settings, str(task.spec.get("dtype", "float32")))
        check_memory(problem, self.config.device)
        spec: dict[str, JsonValue] = {
            "operator": name,
            "shape": list(shape),
            "settings": dict(settings),
            "dtype": problem.dtype,
            "language": "c" if self.config.device.kind == "cpu" else "cuda",
            "assumed_shape": not isinstance(asked, list),
            "compiler": str(task.spec.get("compiler", "")),
        }
        admitted = task.model_copy(update={"spec": spec})
        if not self.unreachable(admitted):
            admitted_subject(self._subjects.of(admitted))
        return admitted

    def unreachable(self, task: Task) -> str:
        """Why no code can be made for the target; "" when it can."""
        return reach(self.config.device)

    def provenance(self, task: Task) -> Provenance:
        """Measured on the host and on a GPU of it that is the target; predicted for one that is not here."""
        if task.spec.get("language") == "c":
            return Provenance.MEASURED
        here = not self.unreachable(task) and self._subjects.of(task).measured_here
        return Provenance.MEASURED if here else Provenance.PREDICTED

    def facts(self, task: Task) -> OperatorFacts:
        """The operator's numbers for this problem."""
        chosen, problem, given = problem_of(task)
        return chosen.facts(problem, given)

    def families(self, task: Task) -> tuple[Family, ...]:
        """The families of the task's language with their spaces; those that cannot apply here are left out."""
        subject = self._subjects.of(task)
        found = (
            Family(name=f.name, summary=f.summary, space=f.space(subject.problem), techniques=f.techniques)
            for f in subject.kernels.families
        )
        return tuple(f for f in found if all(p.values for p in f.space.parameters))

    def baseline(self, task: Task) -> Candidate:
        """The naive kernel."""
        return self._subjects.of(task).kernels.baseline.realise({}, origin="baseline")

    def realise(self, task: Task, family: str, params: Params) -> Candidate:
        """The family's source at one point."""
        return self._subjects.of(task).family(family).realise(params)

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """The static gate."""
        return gated(self._subjects.of(task), candidate)

    def build(self, task: Task, candidate: Candidate) -> Any:
        """Compile for the task's own problem."""
        subject = self._subjects.of(task)
        return subject.backend.build(subject.problem, candidate)

    def verify(self, task: Task, built: Any) -> tuple[Check, ...]:
        """Results against the float64 oracle; CUDA runs on its device, or on the CPU at derived shapes."""
        subject = self._subjects.of(task)
        if isinstance(built, CudaBuilt) and not subject.measured_here:
            built = subject.backend.build(subject.plan.problem, built.candidate)
        checks = verify(subject.backend, subject.plan, built.candidate, built)
        return (*checks, *self._timed.pop(built.candidate.id, ()))

    def measure(self, task: Task, built: Any) -> Measurement:
        """Time on this machine, or the predicted cost relative to the naive baseline's."""
        subject = self._subjects.of(task)
        if not subject.measured_here:
            return self._predicted(task, subject, built)
        plan, backend = _timing(subject), subject.backend
        environment = backend.environment().id
        with backend.device(), backend.session(built, self._feed(subject), plan) as session:
            timed = timing.measure(session, plan)
        found = timed.measurement(session.source, environment)
        possible = self._possible(task, found)
        alike = self._equals(task, built, found)
        self._timed[built.candidate.id] = (*timed.checks, possible, *alike)
        return found

    def _equals(self, task: Task, built: Any, found: Measurement) -> tuple[Check, ...]:
        """Whether equal kernels come out as equal, asked once for each task and environment."""
        subject = self._subjects.of(task)
        key = f"{task.id}-{found.environment}"
        return (self._alike.check(key, lambda: self._itself(subject, built, found.value)),)

    def _itself(self, subject: Subject, built: Any, call_us: float) -> Comparison:
        """A candidate against itself, in two processes."""
        backend, plan = subject.backend, alike_plan(_timing(subject), call_us)
        with (
            backend.device(),
            backend.session(built, self._feed(subject), plan) as first,
            backend.session(built, self._feed(subject), plan) as second,
        ):
            return timing.compare(first, second, plan)

    def _possible(self, task: Task, found: Measurement) -> Check:
        """Raises Rejected for a figure below the roofline: DRAM counts only for what no cache can hold."""
        facts = self.facts(task)
        roof = bound(ceilings(self.config.device, facts.dtype), facts.flops, facts.min_bytes)
        cached = facts.min_bytes <= max(
            (self.config.device.get(n) for n in CACHES if n in self.config.device.facts), default=0.0
        )
        return possible(found, roof.compute_us if cached else roof.us)

    def evidence(self, task: Task, trial: Trial, comparison: Comparison | None, baseline: Candidate) -> JsonValue:
        """All that it takes to check a result again from scratch (see `atunner verify`); None for other languages."""
        subject = self._subjects.of(task)
        if subject.language not in EVIDENT:
            return None
        problem, hidden, meant = subject.problem, subject.hidden, Meant()
        if not subject.measured_here:
            problem, *checked = (shape.problem for shape in subject.plan.shapes)
            hidden, meant = tuple(checked), Meant(self.config.device.name, subject.problem)
        elif subject.language == "cuda":
            meant = Meant(self.config.device.name)
        stages = Stages(subject.backend, Terms(subject.oracle, problem, hidden))
        found = gather(stages, trial, comparison, baseline, meant)
        plain: JsonValue = Bundle(digest=found.digest, evidence=found).model_dump(mode="json")
        return plain

    def profile(self, task: Task, built: Any) -> Profile:
        """Static facts and roofline bound, or counters and the time at one thread beside all."""
        subject = self._subjects.of(task)
        facts = self.facts(task)
        roof = bound(ceilings(self.config.device, facts.dtype), facts.flops, facts.min_bytes)
        if isinstance(built, CudaBuilt):
            found: Profile = subject.backend.profile(built, self._feed(subject))
        else:
            with subject.backend.device():
                found = subject.backend.profile(built, self._feed(subject))
                threads = self._threads(subject, found.counters, built.candidate)
            found = found.model_copy(update={"counters": threads})
        return found.model_copy(update={"bound_us": roof.us, "flops": facts.flops})

    def compare(self, task: Task, baseline: Any, candidate: Any) -> Comparison | None:
        """Both interleaved on this machine, in new processes; None for a device that is not here.

        The candidate must first pass the sanitizers of its compiler or its device, where they are installed.
        """
        subject = self._subjects.of(task)
        if not subject.measured_here:
            return None
        plan = TimingPlan(compare_s=3.0, relative_error=0.005)
        sanitized: tuple[Check, ...] = ()
        if isinstance(candidate, CudaBuilt):
            plan = GPU_PLAN
        if isinstance(candidate, CudaBuilt | CBuilt):
            sanitized = self._sanitized(subject, baseline, candidate)
        found = self._interleaved(subject, baseline, candidate, plan)
        return found.model_copy(update={"checks": (*found.checks, *sanitized)})

    def meet(self, task: Task, leader: Any, rival: Any) -> Comparison | None:
        """Both interleaved on this machine, in new processes, for as long as the board's order needs."""
        subject = self._subjects.of(task)
        if not subject.measured_here:
            return None
        plan = _timing(subject)
        return self._interleaved(subject, leader, rival, plan.model_copy(update={"compare_s": plan.compare_s / 2}))

    def _interleaved(self, subject: Subject, first: Any, second: Any, plan: TimingPlan) -> Comparison:
        backend = subject.backend
        with (
            backend.device(),
            backend.session(first, self._feed(subject), plan) as one,
            backend.session(second, self._feed(subject), plan) as other,
        ):
            return timing.compare(one, other, plan)

    def _sanitized(self, subject: Subject, baseline: Any, candidate: Any) -> tuple[Check, ...]:
        """What the sanitizers say; a fault that the baseline has too is told and not held against the candidate."""
        backend = subject.backend
        try:
            found: tuple[Check, ...] = backend.sanitize(candidate, self._feed(subject))
        except Wrong:
            try:
                backend.sanitize(baseline, self._feed(subject))
            except Wrong as known:
                return (Check(name="sanitizers", passed=False, detail=f"the baseline has it too: {known}"),)
            raise
        return found

    def yardstick(self, task: Task, candidate: Any) -> Comparison | None:
        """PyTorch's own operator against the candidate at equal threads, interleaved; None without PyTorch."""
        python = python_with_torch(self.config.torch_python)
        if isinstance(candidate, CudaBuilt) or not python:
            return None
        subject, plan = self._subjects.of(task), TimingPlan(most_s=2.0)
        backend = subject.backend
        with (
            backend.device(),
            TorchSession(python, subject.problem, backend.options.threads, backend.cpus) as torch,
            backend.session(candidate, self._feed(subject), plan) as ours,
        ):
            return timing.compare(torch, ours, plan)

    def screen(self, task: Task, candidates: Sequence[Candidate]) -> list[Screening]:
        """Compile all, side by side; for CUDA inspect the machine code at once and predict relative costs."""
        return screen(self._subjects.of(task), self.config, candidates)

    def environment(self, task: Task) -> Environment:
        """Where figures come from."""
        if self.unreachable(task):
            return Environment(device=f"{self.config.device.name} (not on this machine)")
        found: Environment = self._subjects.of(task).backend.environment()
        others = ", ".join(sorted({gpu.name for gpu in self._subjects.gpus}))
        if self.provenance(task) is Provenance.MEASURED or not others:
            return found
        return found.model_copy(
            update={"device": f"{self.config.device.name} (not on this machine, which has {others})"}
        )

    def _predicted(self, task: Task, subject: Subject, built: CudaBuilt) -> Measurement:
        found = predicted(subject, self.config, subject.backend.facts(built))
        if not found.fits:
            raise NotMeasured("a block does not fit on a multiprocessor of the target")
        return Measurement(
            unit=PREDICTED_UNIT,
            samples=(found.cost / self._naive_cost(task),),
            provenance=Provenance.PREDICTED,
            source=f"ranking model for {self.config.device.name} ({self.config.device.arch})",
            environment=self.environment(task).id,
            error=found.error,
        )

    def _naive_cost(self, task: Task) -> float:
        if task.id not in self._baseline_cost:
            screening = self.screen(task, [self.baseline(task)])[0]
            if screening.score is None:
                raise NotMeasured(f"the naive baseline has no predicted cost: {screening.reason}")
            self._baseline_cost[task.id] = screening.score
        return self._baseline_cost[task.id]

    def _threads(self, subject: Subject, counters: Counters | None, candidate: Candidate) -> Counters:
        """The counters, with the time at one thread and at all."""
        found = counters or Counters(source="user time only")
        values = dict(found.values)
        for threads in sorted({1, self.config.workers}):
            backend = c_backend(self.config, threads, subject.backend.options.compiler)
            built = backend.build(subject.problem, candidate)
            with backend.session(built, self._feed(subject), SHORT) as session:
                values[f"time_us_at_{threads}_threads"] = timing.measure(session, SHORT).measurement("").value
        return found.model_copy(update={"values": values})

    def _feed(self, subject: Subject) -> Feed:
        return Feed(subject.oracle, subject.problem, seed=secrets.randbits(63))


def _timing(subject: Subject) -> TimingPlan:
    return GPU_PLAN if subject.language == "cuda" else TimingPlan()
