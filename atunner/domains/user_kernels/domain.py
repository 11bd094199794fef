"""The domain of a user's own kernel: the kernels domain with an operator made from the user's description."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import JsonValue

from atunner.core.candidate import Candidate
from atunner.core.errors import CandidateError, UserError
from atunner.core.facts import OperatorFacts
from atunner.core.measurement import Measurement
from atunner.core.metric import FROM_ENERGY, needs_energy, only_time
from atunner.core.profile import Profile, StaticFacts
from atunner.core.roofline import bound, ceilings
from atunner.core.space import Family
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.core.trial import Check, Comparison, Screening, Trial
from atunner.domains.kernels.domain import Kernels
from atunner.domains.kernels.evidence import Bundle, Meant, gather
from atunner.domains.kernels.screening import refused
from atunner.domains.kernels.stages import Stages, Terms
from atunner.domains.kernels.timing import TimingPlan
from atunner.domains.user_kernels.answers import UserPlan, commonest, first_look, no_answer
from atunner.domains.user_kernels.figures import Figures, by_time, compared, demand, figures
from atunner.domains.user_kernels.kept import with_kernel
from atunner.domains.user_kernels.objectives import compared_energy, counter_of, energy
from atunner.domains.user_kernels.racing import RacePlan, Unanswered, race
from atunner.domains.user_kernels.subjects import MEASURED, UserSubjects, baseline_of, kernel_of
from atunner.operators.user import UserFamily, UserKernel, UserOperator, problem_of
from atunner.tools.energy import Counter

LANGUAGES = ("c", "cuda", "hip", "opencl")


class UserKernels(Kernels):
    """The Domain port for a user's kernel: the same judge, backends and model as for the operators that ship."""

    def __init__(self, config: dict[str, JsonValue]) -> None:
        super().__init__(config)
        self._subjects = UserSubjects(self.config)
        self._spent: dict[str, dict[str, float]] = {}

    def admit(self, task: Task) -> Task:
        """Find a configuration that builds, runs and is right: the baseline, and the answer where none was given.

        Raises:
            UserError: the language does not fit the target, or every configuration tried fails (commonest reason
                first).
        """
        kernel = kernel_of(task)
        self._fits(kernel)
        problem = problem_of(kernel, kernel.sizes)
        spec: dict[str, JsonValue] = {
            **task.spec,
            "operator": kernel.name,
            "shape": list(kernel.sizes.values()),
            "dtype": problem.dtype,
            "language": kernel.language,
            "compiler": str(task.spec.get("compiler", "")),
            "baseline": dict(kernel.starts[0]),
        }
        admitted = task.model_copy(update={"spec": spec})
        self._can_be_measured(admitted, kernel)
        if kernel.language == "hip":
            return self._compiled(self._with_baseline(admitted, kernel), kernel)
        return admitted if self.unreachable(admitted) else self._with_baseline(admitted, kernel)

    def unreachable(self, task: Task) -> str:
        """Why nothing can be tuned for the target; an OpenCL device compiles for itself."""
        if task.spec.get("language") == "hip":
            return str(task.spec.get("compiled", "HIP kernels are compiled and checked, not measured"))
        return "" if task.spec.get("language") == "opencl" else super().unreachable(task)

    def build(self, task: Task, candidate: Candidate) -> Any:
        """Compile for the task's own problem."""
        with self._spending(candidate, "build"):
            return super().build(task, candidate)

    def verify(self, task: Task, built: Any) -> tuple[Check, ...]:
        """Results against the answer; after a measurement also how long each stage took."""
        with self._spending(built.candidate, "verify"):
            checks = super().verify(task, built)
        spent = self._spent.get(built.candidate.id, {})
        if "measure" not in spent:
            return checks
        figures: dict[str, JsonValue] = {f"{stage}_ms": seconds * 1e3 for stage, seconds in spent.items()}
        detail = ", ".join(f"{stage} {seconds:.3g} s" for stage, seconds in spent.items())
        del self._spent[built.candidate.id]
        return (*checks, Check(name="stages", passed=True, detail=detail, figures=figures))

    def measure(self, task: Task, built: Any) -> Measurement:
        """The objective's figure; the energy of a call takes calls of its own."""
        with self._spending(built.candidate, "measure"):
            found = super().measure(task, built)
            if only_time(task):
                return found
            made = self._figures(task, built)
            self._timed[built.candidate.id] += (made.check(found),)
            return made.objective(task, found)

    def compare(self, task: Task, baseline: Any, candidate: Any) -> Comparison | None:
        """Both interleaved, as for the kernels that ship; energy in stretches of its own, power from none."""
        metric = task.objective.metric
        if metric in FROM_ENERGY:
            return self._compare_energy(task, baseline, candidate) if metric == "energy" else None
        found = super().compare(task, baseline, candidate)
        if found is None or metric == "time":
            return found
        return compared(task, found, self._figures(task, baseline), self._figures(task, candidate))

    def meet(self, task: Task, leader: Any, rival: Any) -> Comparison | None:
        """By the task's own objective."""
        return super().meet(task, leader, rival) if only_time(task) else self.compare(task, leader, rival)

    def _figures(self, task: Task, built: Any) -> Figures:
        subject, joules = self._subjects.of(task), tuple[float, ...]()
        if needs_energy(task):
            plan, backend = TimingPlan(), subject.backend
            with backend.device(), backend.session(built, self._feed(subject), plan) as session:
                joules = energy(session, self._counter())
        return figures(task, kernel_of(task), built.candidate.params, joules)

    def _compare_energy(self, task: Task, baseline: Any, candidate: Any) -> Comparison:
        subject, plan = self._subjects.of(task), TimingPlan()
        backend = subject.backend
        with (
            backend.device(),
            backend.session(baseline, self._feed(subject), plan) as first,
            backend.session(candidate, self._feed(subject), plan) as second,
        ):
            return compared_energy(first, second, self._counter())

    def _counter(self) -> Counter:
        """What counts the energy of the device. Raises UserError: nothing that can be read."""
        return counter_of(self.config.device, self._subjects.gpus, self.config.powercap)

    def _equals(self, task: Task, built: Any, found: Measurement) -> tuple[Check, ...]:
        """Where candidates are raced it is asked of the finalists: the search starts sooner, and claims come later."""
        if self.races(task) and built.candidate.id == self.baseline(task).id:
            return ()
        return super()._equals(task, built, found)

    @contextmanager
    def _spending(self, candidate: Candidate, stage: str) -> Iterator[None]:
        """Note the wall time of one stage of a candidate."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = self._spent.setdefault(candidate.id, {})
            spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - started

    def provenance(self, task: Task) -> Provenance:
        """Measured where the language runs on this machine, else as for the kernels that ship."""
        return Provenance.MEASURED if task.spec.get("language") in MEASURED else super().provenance(task)

    def facts(self, task: Task) -> OperatorFacts:
        """The numbers of the user's problem."""
        kernel = kernel_of(task)
        return UserOperator(kernel, no_answer).facts(problem_of(kernel, kernel.sizes), frozenset())

    def baseline(self, task: Task) -> Candidate:
        """The untuned kernel."""
        kernel = kernel_of(task)
        return UserFamily(kernel, kernel.name).realise(baseline_of(task), origin="baseline")

    def families(self, task: Task) -> tuple[Family, ...]:
        """The source as given, where it has anything to search; else only what models write."""
        return tuple(f for f in super().families(task) if f.space.parameters)

    def screen(self, task: Task, candidates: Sequence[Candidate]) -> list[Screening]:
        """Compile all; what is raced only for its own problem, OpenCL to the code of its work-group size."""
        if not self.races(task):
            return super().screen(task, candidates)
        return [self._built_ahead(task, candidate) for candidate in candidates]

    def races(self, task: Task) -> bool:
        """Times measured by sessions on this machine can be raced, where the faster one is the better one."""
        return task.spec.get("language") in MEASURED and by_time(task, kernel_of(task))

    def race(self, task: Task, candidate: Candidate, rival: float | None) -> Screening:
        """The least time of a few calls, in microseconds, on inputs of their own; nothing is verified."""
        subject = self._subjects.of(task)
        unanswered: Any = Unanswered(subject.oracle, subject.problem, secrets.randbits(63))
        try:
            with (
                subject.backend.session(self.build(task, candidate), unanswered, TimingPlan()) as session,
                subject.backend.quiet(),
            ):
                return Screening(candidate=candidate, score=race(session, RacePlan(), rival))
        except CandidateError as error:
            return refused(candidate, error)

    def prove(self, task: Task, candidate: Candidate) -> Screening:
        """Gate, build and every case of the verification."""
        try:
            self.check(task, candidate)
            self.verify(task, self.build(task, candidate))
        except CandidateError as error:
            return refused(candidate, error)
        return Screening(candidate=candidate)

    def profile(self, task: Task, built: Any) -> Profile:
        """Counters, or what the compiler says, with the roofline bound; other numbers of threads are not tried."""
        if task.spec["language"] not in MEASURED:
            return super().profile(task, built)
        subject, facts = self._subjects.of(task), self.facts(task)
        roof = bound(ceilings(self.config.device, facts.dtype), facts.flops, facts.min_bytes)
        found: Profile = subject.backend.profile(built, self._feed(subject))
        return found.model_copy(update={"bound_us": roof.us, "flops": facts.flops})

    def yardstick(self, task: Task, candidate: Any) -> Comparison | None:
        """No library is known to compute the same."""
        return None

    def evidence(self, task: Task, trial: Trial, comparison: Comparison | None, baseline: Candidate) -> JsonValue:
        """All that it takes to check a time again, the user's description included; None for other figures."""
        if task.spec.get("language") not in MEASURED or task.objective.metric != "time":
            return None
        subject = self._subjects.of(task)
        meant = Meant(self.config.device.name if self.config.device.kind != "cpu" else "")
        stages = Stages(subject.backend, Terms(subject.oracle, subject.problem))
        found = with_kernel(gather(stages, trial, comparison, baseline, meant), kernel_of(task), baseline_of(task))
        plain: JsonValue = Bundle(digest=found.digest, evidence=found).model_dump(mode="json")
        return plain

    def plan_of(self, task: Task) -> UserPlan:
        """The cases that candidates of an admitted task are held against."""
        plan = self._subjects.of(task).plan
        return plan if isinstance(plan, UserPlan) else UserPlan(plan.oracle, plan.problem)

    def _built_ahead(self, task: Task, candidate: Candidate) -> Screening:
        try:
            self.check(task, candidate)
            self.build(task, candidate)
        except CandidateError as error:
            return refused(candidate, error)
        return Screening(candidate=candidate)

    def _fits(self, kernel: UserKernel) -> None:
        device = self.config.device
        if kernel.language not in LANGUAGES:
            raise UserError(f"{kernel.language} kernels cannot be built here. Known: {', '.join(LANGUAGES)}.")
        if kernel.language == "opencl":
            return
        if (kernel.language == "c") != (device.kind == "cpu"):
            wanted = "this machine: leave --target-gpu out" if kernel.language == "c" else "a GPU: give --target-gpu"
            raise UserError(f"{kernel.file} is {kernel.language} and runs on {wanted}, not on {device.name}.")
        if kernel.language == "cuda" and device.vendor.lower() != "nvidia":
            raise UserError(
                f"{kernel.file} is cuda, and {device.name} is a GPU of {device.vendor}: give a .hip or .cl file."
            )

    def _can_be_measured(self, task: Task, kernel: UserKernel) -> None:
        """Refuse an objective that has no figure here, before anything is spent. Raises UserError."""
        demand(task, kernel)
        if only_time(task) or self.unreachable(task):
            return
        if self.provenance(task) is not Provenance.MEASURED:
            raise UserError(
                f"{self.config.device.name} is not on this machine: {kernel.name} can only be tuned for its predicted "
                "time; leave --objective and --metric out."
            )
        if needs_energy(task):
            self._counter()

    def _with_baseline(self, task: Task, kernel: UserKernel) -> Task:
        failures = []
        for params in kernel.starts:
            tried = task.model_copy(update={"spec": {**task.spec, "baseline": dict(params)}})
            try:
                self._try(tried)
            except CandidateError as error:
                failures.append(f"{error.status}: {str(error).splitlines()[0][:200]}")
                continue
            return tried
        raise UserError(
            f"All {len(failures)} configurations of {kernel.name} that were tried fail: {commonest(failures)}."
        )

    def _compiled(self, task: Task, kernel: UserKernel) -> Task:
        """With what came of compiling the first configurations for an AMD GPU, in words."""
        subject, family = self._subjects.of(task), UserFamily(kernel, kernel.name)
        found, failures = list[StaticFacts](), list[str]()
        for params in kernel.starts:
            try:
                found += subject.backend.resources(subject.problem, family.realise(params))
            except CandidateError as error:
                failures.append(str(error).splitlines()[0][:160])
        registers = sorted(f.registers for f in found)
        took = f"{registers[0]} to {registers[-1]} vector registers, {sum(f.spill_bytes > 0 for f in found)} that spill"
        failed = f"; {len(failures)} fail: {commonest(failures)}" if failures else ""
        count, arch = len(kernel.starts), self.config.device.arch
        told = (
            f"{count - len(failures)} of {count} configurations of {kernel.name} were compiled for {arch} "
            f"({took}){failed}; "
            "the first one gave right results on the CPU. Running HIP kernels needs an AMD GPU and is not done here."
        )
        return task.model_copy(update={"spec": {**task.spec, "compiled": told}})

    def _try(self, task: Task) -> None:
        """Build and run one configuration on one input. Raises CandidateError."""
        subject, candidate = self._subjects.of(task), self.baseline(task)
        backend, plan = subject.backend, subject.plan
        backend.check(subject.problem, candidate)
        backend.build(subject.problem, candidate)
        first_look(backend, plan, candidate, kernel_of(task))
