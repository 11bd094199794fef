"""What is looked at before anything is spent: a program that cannot be tuned fails here, with one line."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from atunner.core.errors import CandidateError, Crashed, NotBuilt, TimedOut, UnknownName, UserError
from atunner.domains.llvm_ir.build import LINES, O3, laid_out
from atunner.domains.llvm_ir.changes import other_inputs, tried
from atunner.domains.llvm_ir.evidence.gather import Program as Profiled
from atunner.domains.llvm_ir.evidence.gather import hottest
from atunner.domains.llvm_ir.making import make_sanitized
from atunner.domains.llvm_ir.outputs import first_difference
from atunner.domains.llvm_ir.program import Change, HotLine, Input, Program
from atunner.domains.llvm_ir.recipe import Recipe
from atunner.domains.llvm_ir.running import Runner, open_folder
from atunner.domains.llvm_ir.subject import Subject, copied
from atunner.tools.process import Clocked

LEAST_MS = 5.0
WAITING_S = 3.0
LIMIT_S = 60.0
Printing = Callable[[Path, Input, str, Path, float], Clocked]
_CLOCK = re.compile(r"time|clock|date")
"""A source in which none of these is spoken of does not read a clock; a libc has no other words for it."""

_UNDEFINED = re.compile(r"undefined reference to [`']([^`']+)'")


def admitted(subject: Subject) -> Program:
    """The program with its held-out inputs and variants, after it has shown that it can be tuned.

    Raises:
        UserError: it does not compile, has no main, needs a library, waits for input, fails, prints nothing with the
            dump argument, prints something else each time, or takes less than LEAST_MS.
    """
    program = subject.program
    if program.ready:
        return program
    binary = _compiled(subject)
    if program.kernel and program.kernel not in subject.base_shape.functions:
        raise UnknownName("function", program.kernel, subject.base_shape.functions)
    with open_folder() as folder:
        copy = copied(binary, folder / "program")
        _reads_nothing(subject.runner, copy, program.input)
        printed = subject.runner.printed
        first = _printed(printed, copy, program, program.input, folder / "first.txt")
        _deterministic(subject.runner, copy, program, folder, first)
        _long_enough(subject, copy)
        inputs = program.inputs or _inputs(subject.runner, copy, program, folder, first)
    held_out = program.model_copy(update={"inputs": inputs})
    changes = tried(held_out, lambda change: _sound(subject, change, first))
    filled = {"changes": changes, "clang": subject.tools.name, "hot": _hot(subject), "ready": True}
    return held_out.model_copy(update=filled)


def _hot(subject: Subject) -> tuple[HotLine, ...]:
    """Lines of the source with their share of the time; none where neither perf nor an instrumented build tells."""
    program = subject.program
    with open_folder() as folder:
        source = laid_out(program.files, folder)
        flags = (*O3, *program.cflags)
        binary = subject.compiler.binary(source, folder / "program", (*flags, *LINES), program.ldflags)
        run = Profiled(binary, (*program.input.args,), program.input.stdin)
        found = hottest(run, subject.compiler, source, flags)
    return tuple(HotLine(line=one.line, share=round(one.share, 4)) for one in found.lines if one.file == program.main)


def _compiled(subject: Subject) -> Path:
    try:
        return subject.built(subject.baseline)
    except NotBuilt as error:
        text = str(error)
        missing = _UNDEFINED.findall(text)
        if "main" in missing:
            raise UserError(
                f"{subject.program.main} has no main: a program is needed that prints its result when run with "
                f"{subject.program.dump!r}."
            ) from error
        if missing:
            raise UserError(
                f"{subject.program.main} needs a library: {', '.join(sorted(set(missing))[:4])} is not defined; name "
                "the library with --ldflags=-lNAME."
            ) from error
        raise UserError(f"{subject.program.main} does not compile with -O3: {text.splitlines()[0][:240]}") from error


def _reads_nothing(runner: Runner, binary: Path, given: Input) -> None:
    """A program that waits for input that nobody gives must be told what to read."""
    if not given.stdin and runner.waits(binary, given, WAITING_S):
        raise UserError("The program waits for input: give it with --stdin FILE.")


def _printed(run: Printing, binary: Path, program: Program, given: Input, out: Path) -> bytes:
    try:
        run(binary, given, program.dump, out, LIMIT_S)
    except TimedOut as error:
        raise UserError(f"The program did not end within {LIMIT_S:g} s; make its problem smaller.") from error
    except Crashed as error:
        raise UserError(f"The program itself fails when run with {program.dump!r}: {error}") from error
    text = out.read_bytes()
    if not text.strip():
        raise UserError(
            f"The program prints nothing when run with {program.dump!r}: it must print its whole result then, in "
            "hexadecimal floats (%a) or integers."
        )
    return text


def _deterministic(runner: Runner, binary: Path, program: Program, folder: Path, first: bytes) -> None:
    if any(_CLOCK.search(text) for text in program.files.values()):
        _next_second()
    for number, run in enumerate((runner.printed, runner.printed_outside)):
        again = _printed(run, binary, program, program.input, folder / f"again{number}.txt")
        if again != first:
            raise UserError(
                f"The program is not deterministic, so nothing can be checked: two runs differ {_twice(first, again)}; "
                "time, addresses, process ids and threads must not be in its result."
            )


def _next_second() -> None:
    """Wait until the calendar's clock shows another second than now: a result with the time in it then differs."""
    time.sleep(1.0 - time.time() % 1.0)


def _twice(first: bytes, again: bytes) -> str:
    return first_difference(first, again).replace("expected", "first").replace("got", "then")


def _long_enough(subject: Subject, binary: Path) -> None:
    try:
        runs = [subject.runner.timed(binary, subject.program.input, LIMIT_S).cpu_s * 1e3 for _ in range(3)]
    except (Crashed, TimedOut) as error:
        raise UserError(f"The program itself fails: {error}") from error
    if max(runs) < LEAST_MS:
        raise UserError(
            f"The program takes {max(runs):.2g} ms, too little to tell what is faster (at least {LEAST_MS:g} ms): give "
            "it a larger problem, or repeat its work."
        )


def _inputs(runner: Runner, binary: Path, program: Program, folder: Path, first: bytes) -> tuple[Input, ...]:
    """Inputs like the one given that the program takes, and that make it print something else."""
    found = []
    for number, given in enumerate(other_inputs(program.input)):
        try:
            text = _printed(runner.printed, binary, program, given, folder / f"other{number}.txt")
        except UserError:
            continue
        if text != first:
            found.append(given)
    return tuple(found)


def _sound(subject: Subject, change: Change, first: bytes) -> bool:
    """Whether the varied program compiles, prints something else, twice the same, and is clean under sanitizers."""
    program = subject.program
    varied = change.applied(program.source)
    if varied is None:
        return False
    candidate = subject.candidate(varied, Recipe(flags=O3), "varied")
    try:
        with open_folder() as folder:
            binary = subject.fresh_build(candidate, folder)
            outs = [folder / f"{number}.txt" for number in range(2)]
            for out in outs:
                subject.runner.printed(binary, program.input, program.dump, out, LIMIT_S)
            one, two = (out.read_bytes() for out in outs)
            if one != two or one == first or not one.strip():
                return False
            if subject.tools.sanitizers:
                checked = make_sanitized(subject.compiler, program, candidate, folder / "sanitized")
                subject.runner.sanitized(checked, program.input, program.dump, folder / "found.txt", LIMIT_S)
    except CandidateError:
        return False
    return True
