"""The gate in its order, cheapest first: flags, shape, results, held-out inputs and variants, sanitizers."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from atunner.core.candidate import Candidate
from atunner.core.errors import CandidateError, Wrong
from atunner.core.trial import Check
from atunner.domains.llvm_ir.evidence.ir_text import parse
from atunner.domains.llvm_ir.making import main_text
from atunner.domains.llvm_ir.recipe import check_flags, check_loops, check_macros, recipe_of
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.shape import keep
from atunner.domains.llvm_ir.subject import BASELINE, Subject

VERSION = 2
"""Raised with every check that is added or made stricter: what passed before is looked at again."""
WORK_MS = 2.0
"""What printing a result may cost more for one build than for another, in milliseconds."""
SHARE = 0.3
KNOWING, LEAST_SHARE = 1.5, 0.3
"""From this gain on, so much of it must be there with other numbers too."""
QUICK_MS = 60.0
"""Programs up to here are sanitized at their own size while searching."""


@dataclass(frozen=True)
class Variant:
    """A candidate in a varied program. number: of the change among the program's."""

    number: int
    name: str
    candidate: Candidate


@dataclass(frozen=True)
class Tried:
    """A variant and the folder that it is built in."""

    variant: Variant
    folder: Path

    @property
    def program(self) -> Path:
        """Its binary."""
        return self.folder / "program"


def rewritten(subject: Subject, candidate: Candidate) -> bool:
    """Whether what is compiled is not the program's own source."""
    return main_text(candidate)[1] != subject.program.source


def static(subject: Subject, candidate: Candidate) -> tuple[Check, ...]:
    """Flags and shape. Raises Rejected, NotBuilt."""
    level = subject.program.level
    recipe = recipe_of(candidate)
    check_flags(recipe.flags if candidate.family != BASELINE else (), level)
    check_loops(recipe.loops, level)
    check_macros(candidate.params, subject.program.files.values())
    checks = [Check(name="flags", passed=True, detail=f"none is looser than level {level}")]
    if rewritten(subject, candidate):
        keep(subject.base_shape_for(candidate), subject.shape(candidate), level)
        checks.append(Check(name="shape", passed=True, detail="signatures, outside calls, volatile and main are kept"))
    return tuple(checks)


def result(subject: Subject, program: Path) -> Check:
    """The printed result on the given input. Raises Wrong, Crashed, TimedOut."""
    return Check(name="result", passed=True, detail=subject.agrees(program, 0))


def counted(subject: Subject, candidate: Candidate) -> Check:
    """Lines and opcodes of the IR that was compiled: reported, never a goal."""
    module = parse(subject.ir_of(candidate))
    opcodes: dict[str, JsonValue] = dict(module.opcodes)
    return Check(name="IR", passed=True, figures={"ir_lines": module.lines, "opcodes": opcodes})


def dynamic(subject: Subject, candidate: Candidate, program: Path, variants: Iterable[Variant]) -> tuple[Check, ...]:
    """Everything that needs a run: results on each input, in varied programs, sanitizers, work when timed.

    The varied programs are written while the candidate runs.

    Raises:
        Wrong, Crashed, TimedOut, NotBuilt.
    """
    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(tuple, variants)
        checks = [*_as_given(subject, candidate, program)]
        if rewritten(subject, candidate):
            checks += _held_out(subject, candidate, program, written.result())
            checks.append(works_when_timed(subject, program))
    return tuple(checks)


def _as_given(subject: Subject, candidate: Candidate, program: Path) -> Iterator[Check]:
    """Results on the given input and on those that were held out."""
    yield from (result(subject, program), counted(subject, candidate))
    for number in range(1, len(subject.given)):
        words = " ".join(subject.given[number].args)
        try:
            detail = subject.agrees(program, number)
        except Wrong as error:
            raise Wrong(f"On the held-out input {words!r} only: {error}") from error
        yield Check(name=f"held-out input {words}", passed=True, detail=detail)


def _held_out(subject: Subject, candidate: Candidate, program: Path, variants: Iterable[Variant]) -> list[Check]:
    """Varied programs, with sanitizers at their side: nothing is timed until both are through."""
    quick, cleaning = subject.reference.cpu_ms <= QUICK_MS, list[Future[str]]()
    with ExitStack() as stack:
        beside = stack.enter_context(ThreadPoolExecutor(1))
        if subject.tools.sanitizers and quick:
            cleaning.append(beside.submit(clean, subject, candidate))
        tried = [Tried(variant, stack.enter_context(open_folder())) for variant in variants]
        if subject.tools.sanitizers and not quick:
            smaller = [one.variant.candidate for one in tried if "smaller" in one.variant.name]
            cleaning.append(beside.submit(subject.clean, (candidate, *smaller)[-1]))
        checks = [_agrees(subject, one) for one in tried]
        if subject.program.changes and not tried and len(subject.given) == 1:
            raise Wrong("No varied form of the program takes this rewrite, so that it could be a table of answers.")
        checks += (Check(name="sanitizers", passed=True, detail=found.result()) for found in cleaning)
        for one in tried:
            with _only(one.variant):
                gains_alike(subject, one, program)
    return checks


def _agrees(subject: Subject, tried: Tried) -> Check:
    """The rewrite in a varied program: a table of answers, or a loop without its remainder, is right in one only."""
    variant = tried.variant
    with _only(variant):
        varied = subject.fresh_build(variant.candidate, tried.folder)
        detail = subject.agrees(varied, variant.number, "change")
    return Check(name=f"held-out variant: {variant.name}", passed=True, detail=detail)


@contextmanager
def _only(variant: Variant) -> Iterator[None]:
    """What is wrong in here is wrong with the variant only. Raises Wrong."""
    try:
        yield
    except CandidateError as error:
        raise Wrong(f"With {variant.name} only: {error}") from error


def gains_alike(subject: Subject, tried: Tried, program: Path) -> None:
    """With other numbers of the same size a rewrite gains what it gains with the given ones.

    Before it is refused, the -O3 builds of both are timed anew, all four in turn: preflight may have been loud.

    Raises:
        Wrong: it does not, so that it knows the given numbers.
    """
    reference, number = subject.reference, tried.variant.number
    if "sizes" in tried.variant.name or number >= len(reference.change_ms):
        return
    programs, known = [program, tried.program], [reference.dump_ms, reference.change_ms[number]]
    for runs in (1, 4, 8):
        given_ms, varied_ms, *before = _least_ms(subject, programs, runs)
        gain, other = (was / now for was, now in zip(before or known, (given_ms, varied_ms), strict=True))
        if gain < KNOWING or other - 1 > LEAST_SHARE * (gain - 1):
            return
        programs = [program, tried.program, subject.built(subject.baseline), subject.built(subject.varied(number))]
    raise Wrong(f"{gain:.2f} times as fast with the given numbers, {other:.2f} times with others: it knows the answer.")


def _least_ms(subject: Subject, programs: Iterable[Path], runs: int) -> list[float]:
    """The least time of each program over so many turns of all, in milliseconds."""
    return [min(took) for took in zip(*([subject.printed_ms(p) for p in programs] for _ in range(runs)), strict=True)]


def clean(subject: Subject, candidate: Candidate) -> str:
    """Sanitizers at the program's own size. Raises Wrong, NotBuilt."""
    in_ir = main_text(candidate)[0].endswith(".ll")
    return subject.clean(candidate) if in_ir else subject.clean_alike(candidate)


def works_when_timed(subject: Subject, program: Path) -> Check:
    """A run that prints may take longer than a timed one by what printing costs, not by what is computed.

    What printing costs is asked of the -O3 build again before a program is refused: the machine may be slower by now.

    Raises:
        Wrong: the work is left out when nobody looks.
    """
    reference = subject.reference
    printing = max(0.0, reference.dump_ms - reference.cpu_ms)
    for runs in (1, 3, 5):
        if runs > 1:
            printed, plain = subject.both_ms(subject.built(subject.baseline), runs)
            printing = max(printing, printed - plain)
        allowed = 1.5 * printing + SHARE * reference.cpu_ms + WORK_MS
        with_result, without = subject.both_ms(program, runs)
        if with_result - without <= allowed:
            extra = max(0.0, with_result - without)
            return Check(name="works when timed", passed=True, detail=f"printing costs {extra:.3g} ms")
    raise Wrong(
        f"The program works less when its result is not asked for: {without:.3g} ms, {with_result:.3g} ms with it; "
        f"printing alone explains {allowed:.3g} ms."
    )
