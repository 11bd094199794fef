"""`atunner tune`: parameter tuning of what the user brings."""

import threading
from pathlib import Path

import typer
from pydantic import JsonValue

from atunner.cli import tune_ir
from atunner.cli.budget import parse_budget
from atunner.cli.common import command, numbers
from atunner.cli.optimize import writable
from atunner.cli.show import finish, named, progress
from atunner.core.errors import UnknownName, UserError
from atunner.core.metric import aimed
from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.core.task import Budget, Objective, Task
from atunner.domains.user_kernels.answers import commonest
from atunner.domains.user_kernels.subjects import kernel_of
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.knowledge_base.devices import device
from atunner.operators.user.task import kernel_task
from atunner.search.formats import read_kernel
from atunner.settings import Settings
from atunner.tools.recording import UNIT, Recording, read_recording
from atunner.wiring import HOST, Session

WHOLE = 1_000_000
OBJECTIVE_HELP = "time, gflops (needs flops:), energy, power or a --metric; several, with commas, give a Pareto front."
METRIC_HELP = "NAME=FORMULA over time (ms), energy (J), sizes and parameters; repeatable."
KERNEL_HELP = """Tune a kernel of your own, and prove what is claimed.

FILE is a T1 file (.json, as Kernel Tuner takes it), a short YAML file, or the source itself with names such as
block_size_x. C is measured on this machine; CUDA is compiled for the named GPU, checked on the CPU and ranked by a
model. Results are written as T4 too. With --simulate a Kernel Tuner cache file answers instead of a device.

Example: atunner tune kernel examples/blur/blur.yaml --budget 60
"""


def register(app: typer.Typer) -> None:
    """Add `tune` with its commands."""
    room = typer.Typer(help="Tune the parameters of your own code.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(room, name="tune")
    tune_ir.register(room)

    @command(room, "kernel", KERNEL_HELP)
    def kernel(
        file: Path = typer.Argument(Path(), help="T1 (.json), YAML, or the source; not needed with --simulate."),
        target_gpu: str = typer.Option("", "--target-gpu", help="GPU by name for CUDA; left out: this machine."),
        problem_size: str = typer.Option("", "--problem-size", help="For a source alone, e.g. 4096,4096."),
        budget: str = typer.Option("200", "--budget", help="Trials, or a time such as 90s or 5m."),
        search: str = typer.Option("auto", "--search", help="Which searcher finds the numbers."),
        history: list[Path] = typer.Option([], "--history", help="Kernel Tuner cache file as history; repeatable."),
        simulate: Path = typer.Option(Path(), "--simulate", help="Replay this cache file; needs no compiler."),
        objective: list[str] = typer.Option(["time"], "--objective", help=OBJECTIVE_HELP),
        metric: list[str] = typer.Option([], "--metric", help=METRIC_HELP),
        compiler: str = typer.Option("", "--compiler", help="gcc or clang for C."),
        model: str = typer.Option("none", "--model", help="none, openai:NAME, ollama:NAME or URL#NAME."),
        seed: int = typer.Option(0, "--seed", help="Seed of the search."),
        output: Path = typer.Option(
            Path(), "--output", show_default=False, help="Folder for results; default atunner-runs/RUN."
        ),
        as_json: bool = typer.Option(False, "--json", help="Print the run's record as JSON."),
    ) -> int:
        """Translate the options, run, and show the record."""
        bound = parse_budget(budget)
        task = _task(file, simulate, target_gpu, problem_size, compiler)
        task = task.model_copy(update={"spec": {**task.spec, **_history(history, task)}})
        task = aimed(task, objective, metric, _recorded(task))
        writable(output)
        settings = Settings()
        request = Request(
            task=task,
            budget=bound,
            options=Options(search=search, seed=seed, slice=bound.trials or WHOLE, ahead=settings.build_workers + 1),
            model=model,
            executor="threads" if task.domain == "user_kernels" else "local",
            output=named(output),
        )
        with Session(settings) as session, progress(as_json) as watch:
            record = session.start(request, watch, threading.Event())
        code = finish(record, output, as_json)
        _refuse_empty(record, bound)
        return code


def _recorded(task: Task) -> set[str]:
    """What a recording has beside the time."""
    file = task.spec.get("recording")
    return {n for e in read_recording(Path(file)).entries for n in e.figures} if isinstance(file, str) else set()


def _task(file: Path, simulate: Path, target: str, problem_size: str, compiler: str) -> Task:
    if simulate != Path():
        if file != Path():
            raise UserError(
                f"{file} or --simulate {simulate}? A replay takes kernel and space from the recording alone."
            )
        return replay_task(read_recording(simulate))
    if file == Path():
        raise UserError("Which kernel? Give a T1 file, a YAML file or a source, or --simulate FILE.")
    kernel = read_kernel(file, numbers(problem_size, "--problem-size") if problem_size else ())
    return kernel_task(kernel, target or HOST, compiler)


def replay_task(recording: Recording) -> Task:
    """The task of searching a recording; its device is the target where the knowledge base has it."""
    try:
        target = device(recording.device).name
    except UnknownName:
        target = HOST
    spec: dict[str, JsonValue] = {"recording": recording.file}
    return Task(domain="replay", name=recording.kernel, spec=spec, target=target, objective=Objective(unit=UNIT))


def _history(files: list[Path], task: Task) -> dict[str, JsonValue]:
    """The spec's part for history; each file is read once here, so that a useless one is found at once.

    Raises:
        UserError: one is damaged, or has no parameter of this kernel.
    """
    found = [read_recording(f) for f in files]
    space = (
        read_recording(Path(str(task.spec["recording"]))).space if task.domain == "replay" else kernel_of(task).space
    )
    names = {p.name for p in space.parameters}
    for file, recording in zip(files, found, strict=True):
        others = [p.name for p in recording.space.parameters]
        if names.isdisjoint(others):
            raise UserError(
                f"--history {file} is of other parameters ({', '.join(others)}) and says nothing of {task.name}, which "
                f"has {', '.join(sorted(names)) or 'none'}; leave it out."
            )
    return {"history": [r.file for r in found]} if found else {}


def _refuse_empty(record: RunRecord, bound: Budget) -> None:
    """Say it when a run came to its end with nothing but a baseline.

    Raises:
        UserError: the budget went into the baseline, or all other configurations failed (commonest reason first).
    """
    base = record.baseline.candidate.id if record.baseline else ""
    others = {t.candidate.id: t for t in record.trials if t.candidate.id != base}
    unsound = [t for t in others.values() if t.status is not Status.OK]
    failed = [f"{t.status}: {t.feedback.splitlines()[0][:160] if t.feedback else ''}" for t in unsound]
    failed += [s.reason.splitlines()[0][:160] for s in record.screenings if s.reason and s.candidate.id not in others]
    tried = others.keys() | {s.candidate.id for s in record.screenings} - {base}
    if not others and not record.screenings and "budget" in record.stop_reason:
        cost = f"{record.spent.seconds:.3g} s and {record.spent.trials} trial"
        asked = f"{bound.trials} trials" if bound.trials else f"{bound.seconds:g} s"
        raise UserError(
            f"The budget of {asked} is less than the baseline costs ({cost}): nothing was tried. Give more."
        )
    if failed and len(failed) == len(tried):
        raise UserError(f"All {len(failed)} configurations but the baseline fail: {commonest(failed)}.")
