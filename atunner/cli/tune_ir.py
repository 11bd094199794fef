"""`atunner tune ir`: a C program made faster by flags, passes and rewritten loops, each result verified."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import JsonValue

from atunner.cli.common import command, words
from atunner.cli.ir_report import Tuned, finish, part
from atunner.cli.optimize import writable
from atunner.cli.show import named, progress
from atunner.core.errors import UserError
from atunner.core.status import Status
from atunner.core.task import Budget, Objective, Task
from atunner.core.trial import Trial
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.polybench import kernels
from atunner.domains.llvm_ir.program import Input, Program, read_program
from atunner.domains.llvm_ir.recipe import recipe_of
from atunner.domains.llvm_ir.subject import Subject
from atunner.graphs.deps import Options
from atunner.graphs.events import Event
from atunner.graphs.request import Request
from atunner.graphs.strategies import BUILT_IN as STRATEGIES
from atunner.jobs.programs import PATIENCE, ROUNDS
from atunner.settings import Settings
from atunner.tools.text import text_of
from atunner.wiring import HOST, Session, domain_config

LONG_ENOUGH_MS = 20.0
HELP = """Make a C program faster, and prove that its result is the same.

FILE prints its whole result, in hexadecimal floats (%a) or integers, when it is run with the argument `dump`; it is
timed without. A folder is a suite: every program in it is tuned, all in one chart. Levels: exact (every bit equal),
tolerance (within 1e-6 of the largest number), fast (within 1e-3).

Example: atunner tune ir examples/ir/gemm.c --evals 25
"""


def register(room: typer.Typer) -> None:
    """Add the command to the room of `tune`."""

    @command(room, "ir", HELP)
    def ir(
        files: list[Path] = typer.Argument(None, help="C files, or a folder of them.", show_default=False),
        level: str = typer.Option("exact", "--level", help="exact, tolerance or fast."),
        evals: int = typer.Option(25, "--evals", "--budget-evals", min=1, help="Candidates judged at most."),
        seconds: float = typer.Option(0.0, "--budget-seconds", min=0, help="Time for the run, 0 for no bound."),
        usd: float = typer.Option(0.0, "--budget-usd", "--max-usd", min=0, help="Dollars for models, 0 for no bound."),
        iterations: int = typer.Option(ROUNDS, "--iterations", min=1, help="Rounds of proposals."),
        args: str = typer.Option("", "--args", help="The program's arguments, for timing."),
        dump: str = typer.Option("dump", "--dump", help="The last argument, with which it prints its whole result."),
        stdin: Path = typer.Option(Path(), "--stdin", show_default=False, help="File that the program reads."),
        inputs: list[str] = typer.Option([], "--inputs", help="Held-out arguments, for checking only; repeatable."),
        cflags: str = typer.Option("", "--cflags", help="Flags that the program needs to compile, such as -DN=400."),
        ldflags: str = typer.Option("", "--ldflags", help="Libraries that it needs, such as -lz."),
        kernel: str = typer.Option("", "--kernel", help="The function to change; left out: the hottest."),
        clang: str = typer.Option("", "--clang", help="Which clang; left out: the newest here."),
        suite: Path | None = typer.Option(None, "--polybench", help="Folder of PolyBench/C, a suite."),
        model: str = typer.Option("none", "--model", help="none, openai:NAME, ollama:NAME or URL#NAME."),
        strategy: str = typer.Option(
            "", "--strategy", help=f"{', '.join(sorted(STRATEGIES))}; expert without a model."
        ),
        search: str = typer.Option("auto", "--search", help="Which searcher finds the numbers."),
        seed: int = typer.Option(0, "--seed", help="Seed of the search."),
        output: Path = typer.Option(
            Path(), "--output", "--out", show_default=False, help="Folder for results; default atunner-runs/RUN."
        ),
        emit_vscode: bool = typer.Option(False, "--emit-vscode", help="Write tasks.json and launch.json."),
        dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be tried, and try nothing."),
        as_json: bool = typer.Option(False, "--json", help="Print the run's record as JSON."),
    ) -> int:
        """Translate the options, run, and show the records."""
        sources = Sources(
            files or [],
            suite,
            level,
            words(cflags, "--cflags"),
            words(ldflags, "--ldflags"),
            _inputs(args, stdin, inputs),
        )
        writable(output)
        budget = Budget(trials=evals, seconds=seconds or None, usd=usd or None)
        options = Options(search=search, seed=seed, rounds=iterations, slice=-(-evals // iterations), patience=PATIENCE)
        chosen = strategy or ("expert" if model == "none" else "one_prompt")
        tuned, refused = list[Tuned](), list[str]()
        several = suite is not None or len(files or []) > 1 or any(file.is_dir() for file in files or [])
        with Session(Settings()) as session, progress(as_json) as watch:
            for source, program in programs(sources, session.settings):
                asked = program.model_copy(update={"kernel": kernel, "clang": clang, "dump": dump})
                folder = part(output, asked, several)
                request = Request(task_of(asked), budget, options, model, chosen, output=named(folder))
                try:
                    if dry_run:
                        plan(request, session.settings)
                        continue
                    watch(_looked_at(program))
                    tuned.append(Tuned(source, session.start(request, watch, threading.Event()), seed))
                except UserError as error:
                    if not several:
                        raise
                    refused.append(f"{program.name} was left out: {error}")
        code = finish(tuned, output, as_json, emit_vscode) if tuned else 0
        return _left_out(refused) or code


def _left_out(refused: Sequence[str]) -> int:
    """Name the programs of a suite that cannot be tuned; exit code 1 when there are any."""
    for line in refused:
        typer.echo(line, err=True)
    return int(bool(refused))


def _looked_at(program: Program) -> Event:
    """The first thing to see: compiling, running and profiling a program takes a while before anything is judged."""
    message = f"{program.name} is compiled, run three times, varied and profiled before anything is spent"
    return Event(run="", kind="note", round=0, stage="preflight", message=message)


def task_of(program: Program) -> Task:
    """The task of tuning a program on this machine."""
    spec: dict[str, JsonValue] = program.model_dump(mode="json")
    goal = Objective(metric="processor time", unit="ms")
    return Task(domain="llvm_ir", name=program.name, spec=spec, objective=goal, target=HOST)


@dataclass(frozen=True)
class Sources:
    """What to tune, as the command line says it."""

    files: Sequence[Path]
    suite: Path | None
    level: str
    cflags: tuple[str, ...]
    ldflags: tuple[str, ...]
    inputs: tuple[Input, ...]


def programs(sources: Sources, settings: Settings) -> Iterator[tuple[Path, Program]]:
    """Every program with its source, one at a time.

    Raises:
        UserError: none was named, or one cannot be read.
    """
    if sources.suite is not None:
        for sizes in kernels(sources.suite, sources.level, sources.cflags):
            yield sources.suite, _fitting(sizes, settings)
        return
    for file in _files(sources.files):
        yield file, read_program(file, sources.level, sources.cflags, sources.ldflags, sources.inputs)


def _fitting(sizes: Sequence[Program], settings: Settings) -> Program:
    """The first size that runs long enough, else the last."""
    for program in sizes[:-1]:
        subject = Subject(program, settings.cache, settings.sandbox)
        if subject.reference.cpu_ms >= LONG_ENOUGH_MS:
            return program
    return sizes[-1]


def _files(named: Sequence[Path]) -> list[Path]:
    if not named:
        raise UserError("Which program? Give C files, a folder of them, or --polybench FOLDER.")
    found = [f for path in named for f in (sorted(path.glob("*.c")) if path.is_dir() else [path])]
    if not found:
        raise UserError(f"No C file (.c) in {named[0]}.")
    return found


def plan(request: Request, settings: Settings) -> None:
    """Say what would be tried: the preflight is done, no candidate is built."""
    domain = LlvmIr(domain_config(settings, request.task))
    task = domain.admit(request.task)
    facts = domain.facts(task)
    typer.echo(
        f"{task.name}: level {task.spec['level']}, at most {request.budget.trials} evaluations; "
        + "; ".join(facts.notes[1:])
    )
    for family in domain.families(task):
        typer.echo(
            f"  family {family.name}: " + ", ".join(f"{p.name} ({len(p.values)})" for p in family.space.parameters)
        )
    for line in facts.access:
        typer.echo(f"  {line}")
    base = Trial(candidate=domain.baseline(task), status=Status.OK)
    for advice in domain.advise(task, [base], request.options.slice):
        for start in advice.starts:
            candidate = domain.realise(task, advice.family, start)
            flags = " ".join(recipe_of(candidate).flags)
            changed = [f"{k}={v}" for k, v in start.items() if advice.family != "flags" and k != "build"]
            typer.echo(f"  first: {advice.family}: {flags} {'; '.join(changed)}".rstrip())


def _inputs(args: str, stdin: Path, held_out: Sequence[str]) -> tuple[Input, ...]:
    typed = text_of(stdin, f"--stdin {stdin}") if stdin != Path() else ""
    return (
        Input(args=words(args, "--args"), stdin=typed),
        *(Input(args=words(h, "--inputs"), stdin=typed) for h in held_out),
    )
