"""The Domain port for C programs and their IR: the judge's stages, and the expert's order of what to try."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.device import Device
from atunner.core.errors import CandidateError, NotMeasured, UserError
from atunner.core.facts import OperatorFacts, Setting
from atunner.core.measurement import Environment, Measurement
from atunner.core.profile import Profile
from atunner.core.space import Advice, Family
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.core.terms import Terms
from atunner.core.trial import Check, Comparison, Screening, Trial
from atunner.core.value import Value
from atunner.domains.kernels.evidence import Merit, Origin
from atunner.domains.llvm_ir import edits, expert, flags, gate, hints, pipelines, timing
from atunner.domains.llvm_ir.bundle import ProgramEvidence, Validity, bundled
from atunner.domains.llvm_ir.excerpt import excerpt, hottest
from atunner.domains.llvm_ir.making import main_text
from atunner.domains.llvm_ir.preflight import admitted
from atunner.domains.llvm_ir.program import Program, program_of
from atunner.domains.llvm_ir.recipe import recipe_of
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.seen import Seen
from atunner.domains.llvm_ir.subject import BASELINE, Subject, copied, digest
from atunner.domains.llvm_ir.templates import FAMILY, Templates
from atunner.domains.llvm_ir.toolchain import toolchain
from atunner.domains.llvm_ir.variants import varied
from atunner.domains.llvm_ir.wording import told

LEAST_OWN_SHARE = 0.2
"""Below this part of the time in the program's own lines there is nothing to rewrite."""
TOOLS_S = "tools_s"
"""Among the figures of the last check: seconds that the trial spent in compilers and in runs."""


class Config(Value):
    """What a worker needs to make the domain: values only; fields of other domains are ignored."""

    cache: Path
    device: Device
    workers: int = 1
    sandbox: str = "rlimits"
    torch_python: str = ""


@dataclass
class Built:
    """A candidate with its binary. path: of the binary. rewritten: whether its source or IR is not the program's own.

    checked: set once the whole gate was passed, so that after timing only the result is looked at again.
    """

    candidate: Candidate
    path: Path
    rewritten: bool
    checked: bool = False

    @property
    def sha256(self) -> str:
        """Of the binary: what was verified is what is timed and kept."""
        return digest(self.path)


class LlvmIr:
    """C programs on this machine: every figure is measured, by turns with the fastest so far."""

    def __init__(self, config: dict[str, JsonValue]) -> None:
        self.config = Config.model_validate(config)
        self._subjects: dict[str, Subject] = {}
        self._templates: dict[str, Templates] = {}
        self._before_s = 0.0

    def admit(self, task: Task) -> Task:
        """The preflight: toolchain, compile, run, determinism, held-out inputs. Raises UserError, ProgramMissing."""
        if self.config.device.kind != "cpu":
            raise UserError(f"C programs run on this machine, not on {self.config.device.name}: leave --target out.")
        program = program_of(task)
        ready = admitted(self._subject_of(program))
        return task.model_copy(update={"spec": ready.model_dump(mode="json")})

    def unreachable(self, task: Task) -> str:
        """Always within reach: the target is this machine."""
        return ""

    def provenance(self, task: Task) -> Provenance:
        """Measured, always."""
        return Provenance.MEASURED

    def facts(self, task: Task) -> OperatorFacts:
        """What is known of the program without counting its work."""
        program = program_of(task)
        held_out = len(program.inputs) + len(program.changes)
        settings = (
            Setting(name="level", value=str(program.level), assumed=False),
            Setting(name="arguments", value=" ".join(program.input.args) or "none", assumed=False),
        )
        notes: tuple[str, ...] = (
            f"{len(program.source.splitlines())} lines of C, {len(program.files) - 1} headers",
            f"{held_out} held-out variants: "
            + ("; ".join([*(" ".join(i.args) for i in program.inputs), *(c.name for c in program.changes)]) or "none"),
        )
        own = sum(line.share for line in program.hot)
        if program.hot and own < LEAST_OWN_SHARE:
            notes = (*notes, f"no hot function: its own lines take {own:.0%} of the time, so only flags can help")
        return OperatorFacts(
            operator=program.name,
            dtype="C program",
            settings=settings,
            tensors={},
            flops=0,
            min_bytes=0,
            access=self._places(task).described(),
            notes=notes,
        )

    def families(self, task: Task) -> tuple[Family, ...]:
        """Flags, the rewrites that the program's loops admit, orders of passes, metadata of the hot loops."""
        program = program_of(task)
        tools = toolchain(program.clang)
        return (flags.family(program.level, tools), *self._places(task).families(), *self._searched(task))

    def _searched(self, task: Task) -> tuple[Family, ...]:
        """Spaces without an order of the expert: the searchers walk them."""
        subject = self._subject(task)
        passes = pipelines.family("opt" in subject.tools.tools)
        return (*passes, *hints.family(subject.loops, subject.program.level))

    def baseline(self, task: Task) -> Candidate:
        """The program as it is, with -O3."""
        return self._subject(task).baseline

    def realise(self, task: Task, family: str, params: Params) -> Candidate:
        """The program with these flags, or with these rewrites. Raises UserError for an unknown family."""
        subject = self._subject(task)
        if family == flags.FAMILY:
            recipe = flags.recipe(params)
        elif family == pipelines.FAMILY:
            recipe = pipelines.recipe(params)
        elif family == hints.FAMILY:
            recipe = hints.recipe(subject.loops, params)
        else:
            return self._places(task).realise(subject, family, params)
        return subject.candidate(subject.program.source, recipe, family).model_copy(update={"params": params})

    def advise(self, task: Task, trials: Sequence[Trial], points: int) -> tuple[Advice, ...]:
        """The expert's order: strict native and the portfolio, rewrites, then both together and their numbers."""
        program = program_of(task)
        first = flags.portfolio(program.level, toolchain(program.clang))
        known = expert.Known(first, self._places(task), tuple(f.name for f in self._searched(task)))
        return expert.advise(known, trials, points, lambda f, p: self.realise(task, f, p))

    def complete(self, task: Task, parent: Candidate, answer: str) -> dict[str, str]:
        """The files of a model's answer: an edit applied to the parent, or a whole source in place of the parent's.

        Raises:
            Rejected: an edit that does not fit. NotBuilt: the parent's IR is needed and cannot be made.
        """
        edit = edits.read(answer)
        if edit is None:
            return {**parent.files, main_text(parent)[0]: answer}
        subject = self._subject(task)
        if isinstance(edit, edits.IrFunctionEdit):
            return edits.applied(*subject.apart(parent), edit)
        if isinstance(edit, edits.SourceFunctionEdit) and parent.family == FAMILY:
            parent = subject.candidate(subject.program.source, recipe_of(parent), parent.family)
        return edits.applied(parent, "", edit)

    def terms(self, task: Task) -> Terms:
        """What a model is told of this domain, with the profile of the program."""
        return told(self._subject(task), self._places(task).described())

    def shown(self, task: Task, candidate: Candidate) -> str:
        """The candidate's source for a brief: whole, or its hot functions."""
        subject, (file, text) = self._subject(task), main_text(candidate)
        program = subject.program
        names = hottest(program.source, subject.base_shape.functions, program.hot)
        own = (program.kernel,) if program.kernel else ()
        return excerpt(file, text, tuple(dict.fromkeys((*own, *names))))

    def check(self, task: Task, candidate: Candidate) -> tuple[Check, ...]:
        """Flags, then the shape of what is compiled. Raises Rejected, NotBuilt."""
        subject = self._subject(task)
        self._before_s = subject.runner.meter.spent_s
        return gate.static(subject, candidate)

    def build(self, task: Task, candidate: Candidate) -> Built:
        """Compile within the limit, or take it from the cache. Raises NotBuilt, Rejected."""
        subject = self._subject(task)
        return Built(candidate, subject.built(candidate), gate.rewritten(subject, candidate))

    def verify(self, task: Task, built: Built) -> tuple[Check, ...]:
        """Results on every input, held-out variants, sanitizers; the given input alone once that was passed.

        Raises:
            Wrong, Crashed, TimedOut.
        """
        subject = self._subject(task)
        if built.checked:
            found = gate.result(subject, built.path)
            spent = subject.runner.meter.spent_s - self._before_s
            return (found.model_copy(update={"figures": {TOOLS_S: round(spent, 4)}}),)
        seen, key = self._seen(subject), built.sha256
        checks = seen.passed(key)
        if not checks:
            changes = self._variants(subject, built)
            checks = gate.dynamic(subject, built.candidate, built.path, changes)
            seen.keep_passed(key, checks)
        built.checked = True
        return checks

    def _seen(self, subject: Subject) -> Seen:
        return Seen(subject.folder / f"seen-{gate.VERSION}-{subject.program.level}")

    def _variants(self, subject: Subject, built: Built) -> Iterator[gate.Variant]:
        """The candidate in each varied program that it fits; what a template wrote is tried in one of them only."""
        changes = subject.program.changes if built.rewritten else ()
        for number, change in enumerate(changes[:1] if built.candidate.family == FAMILY else changes):
            candidate = varied(subject, built.candidate, change)
            if candidate is not None:
                yield gate.Variant(number, change.name, candidate)

    def measure(self, task: Task, built: Built) -> Measurement:
        """Processor time by turns with the fastest so far; a binary that was timed before is not timed again."""
        subject = self._subject(task)
        seen, key = self._seen(subject), built.sha256
        earlier = seen.recall(key)
        if earlier is not None:
            return earlier
        leader, steady_ms = subject.built(subject.baseline), subject.reference.cpu_ms
        if built.candidate.family != BASELINE and (ahead := seen.leader()):
            leader, steady_ms = ahead.program, ahead.figure.value
        with open_folder() as folder:
            lead, mine = copied(leader, folder / "leader"), copied(built.path, folder / "mine")
            found = timing.look(lambda: subject.timed_ms(lead), lambda: subject.timed_ms(mine))
        figure = timing.corrected(found, steady_ms)
        seen.keep(key, built.path, figure)
        return figure

    def profile(self, task: Task, built: Built) -> Profile:
        """Nothing beyond the time, candidate by candidate; `atunner ir profile` looks closer. Raises NotMeasured."""
        raise NotMeasured("candidates are not profiled one by one")

    def compare(self, task: Task, baseline: Built, candidate: Built) -> Comparison | None:
        """Both built again from their records, at least 15 pairs by turns, in new processes.

        Raises:
            NotMeasured: not faster than the baseline for sure, so that it must not be published.
        """
        subject = self._subject(task)
        with open_folder() as folder:
            programs = []
            for number, built in enumerate((baseline, candidate)):
                here = folder / str(number)
                here.mkdir(mode=0o755)
                programs.append(subject.fresh_build(built.candidate, here))
            gate.result(subject, programs[1])
            if candidate.rewritten and subject.tools.sanitizers:
                gate.clean(subject, candidate.candidate)
            first, second = programs
            found = timing.confirmed(lambda: subject.timed_ms(first), lambda: subject.timed_ms(second))
        if found.low <= 1.0:
            raise NotMeasured(
                f"not faster when confirmed: {found.ratio:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"
            )
        return found

    def meet(self, task: Task, leader: Built, rival: Built) -> Comparison | None:
        """The binaries that were verified, by turns: nothing is published from it."""
        subject = self._subject(task)
        with open_folder() as folder:
            first, second = (copied(built.path, folder / str(n)) for n, built in enumerate((leader, rival)))
            return timing.met(lambda: subject.timed_ms(first), lambda: subject.timed_ms(second))

    def yardstick(self, task: Task, candidate: Any) -> Comparison | None:
        """No library computes what the program computes."""
        return None

    def evidence(self, task: Task, trial: Trial, comparison: Comparison | None, baseline: Candidate) -> JsonValue:
        """All that it takes to check a result again from scratch, see `atunner verify`."""
        return bundled(
            ProgramEvidence(
                program=program_of(task),
                candidate=trial.candidate,
                baseline=baseline,
                sha256=self.build(task, trial.candidate).sha256,
                validity=Validity(status=trial.status, checks=trial.checks),
                merit=Merit(measurement=trial.measurement, comparison=comparison),
                origin=Origin(provenance=Provenance.MEASURED, environment=self.environment(task)),
            )
        )

    def screen(self, task: Task, candidates: Sequence[Candidate]) -> list[Screening]:
        """Whether each passes the static gate and compiles, and into what."""
        found = []
        for candidate in candidates:
            reason, built = "", ""
            try:
                self.check(task, candidate)
                built = digest(self.build(task, candidate).path)
            except CandidateError as error:
                reason = f"{error.status}: {error}"
            found.append(Screening(candidate=candidate, reason=reason, built=built))
        return found

    def environment(self, task: Task) -> Environment:
        """This machine, its clang and the sandbox."""
        subject = self._subject(task)
        return Environment(
            device=self.config.device.name,
            toolchain={"clang": subject.tools.version},
            sandbox=subject.runner.chain.names,
            extra={"metric": timing.SOURCE, "core": subject.runner.cpu},
        )

    def _subject(self, task: Task) -> Subject:
        return self._subject_of(program_of(task))

    def _subject_of(self, program: Program) -> Subject:
        key = program.model_dump_json()
        if key not in self._subjects:
            self._subjects[key] = Subject(program, self.config.cache, self.config.sandbox)
        return self._subjects[key]

    def _places(self, task: Task) -> Templates:
        program = program_of(task)
        key = program.model_dump_json()
        if key not in self._templates:
            self._templates[key] = Templates(program)
        return self._templates[key]
