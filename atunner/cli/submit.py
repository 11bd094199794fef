"""`atunner submit`: any task of the command line, handed to a server."""

import re
import uuid
from pathlib import Path

import typer

from atunner.cli.budget import parse_budget
from atunner.cli.common import command, numbers, pairs, words
from atunner.cli.jobs import SERVER, client, show
from atunner.cli.status import followed
from atunner.core.errors import UserError
from atunner.core.job import JobState
from atunner.jobs.submission import submission_of
from atunner.tools.text import text_of

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"/]+)"', re.MULTILINE)
HELP = """Hand a job to a server: an operator, a kernel or a C program of your own, or the toy.

Files are sent as texts, with those beside them that they name. What is wrong is said before anything is accepted.

Example: atunner submit --operator matmul --input-shape 256,256,256 --budget 64
"""
ONE_THING = "Submit one thing: give --operator NAME, --kernel FILE, --ir FILE.c or --toy, and one of them only."


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "submit", HELP)
    def submit(
        operator: str = typer.Option("", "--operator", help="What to compute; `atunner operators` lists them."),
        kernel: Path | None = typer.Option(None, "--kernel", help="Your own, as `atunner tune kernel` takes it."),
        program: Path | None = typer.Option(None, "--ir", help="A C program, as `atunner tune ir` takes it."),
        toy: bool = typer.Option(False, "--toy", help="A problem with a known answer, to try a server out."),
        input_shape: str = typer.Option("", "--input-shape", help="As for `atunner optimize`."),
        problem_size: str = typer.Option("", "--problem-size", help="Of a kernel's source alone, e.g. 4096,4096."),
        target_gpu: str = typer.Option("", "--target-gpu", help="GPU by name; left out: the server's machine."),
        setting: list[str] = typer.Option([], "--set", help="name=value; repeatable."),
        dtype: str = typer.Option("float32", "--dtype", help="Element type."),
        compiler: str = typer.Option("", "--compiler", help="nvrtc or nvcc for CUDA; gcc or clang for C."),
        level: str = typer.Option("exact", "--level", help="Of a C program: exact, tolerance or fast."),
        args: str = typer.Option("", "--args", help="Of a C program: its arguments, for timing."),
        inputs: list[str] = typer.Option([], "--inputs", help="Of a C program: held-out arguments; repeatable."),
        cflags: str = typer.Option("", "--cflags", help="Of a C program: -D and -std, as in '-DN=400 -std=c11'."),
        function: str = typer.Option("", "--function", help="Of a C program: what to change; else the hottest."),
        budget: str = typer.Option("128", "--budget", help="Trials, or a time such as 90s or 5m."),
        max_tokens: int = typer.Option(0, "--max-tokens", min=0, help="Token budget of the models, 0 for none."),
        max_usd: float = typer.Option(0.0, "--max-usd", min=0, help="Dollar budget of the models, 0 for none."),
        model: str = typer.Option("", "--model", help="none, openai:NAME or ollama:NAME; left out: the server's own."),
        strategy: str = typer.Option("expert", "--strategy", help="One that the server knows; its /info lists them."),
        strategy_option: list[str] = typer.Option([], "--strategy-option", help="name=value of the strategy."),
        search: str = typer.Option("auto", "--search", help="Which searcher finds the numbers."),
        target_ratio: float = typer.Option(0.0, "--target-ratio", min=0, help="Stop when this gain is reached."),
        seed: int = typer.Option(0, "--seed", min=0, help="Seed of the searches."),
        approve: str = typer.Option("", "--approve", help="plan or candidate: what a person is asked about first."),
        hold: bool = typer.Option(False, "--hold", help="Begin only when somebody approves the job."),
        priority: int = typer.Option(0, "--priority", min=-100, max=100, help="Higher goes first."),
        label: list[str] = typer.Option([], "--label", help="name=value; repeatable."),
        key: str = typer.Option("", "--key", help="Idempotency key: the same key gives the same job."),
        wait: bool = typer.Option(False, "--wait", help="Follow the job to its end; exit 1 unless it is done."),
        server: str = SERVER,
        as_json: bool = typer.Option(False, "--json", help="As JSON."),
    ) -> int:
        """Translate the options and hand the job in."""
        if bool(operator) + (kernel is not None) + (program is not None) + toy != 1:
            raise UserError(ONE_THING)
        target = {"target": target_gpu or "host", "compiler": compiler}
        if kernel is not None:
            work = {**_kernel(kernel, problem_size), **target}
        elif program is not None:
            work = {**_program(program, args, inputs, cflags), "level": level, "kernel": function}
        else:
            work = {**_operator(operator, input_shape, setting), "dtype": dtype, **target}
        asked = submission_of(
            {
                "task": {"kind": "toy"} if toy else work,
                "budget": parse_budget(budget, max_tokens or None, max_usd or None).model_dump(),
                "model": model,
                "strategy": strategy,
                "strategy_options": pairs(strategy_option, "--strategy-option"),
                "search": search,
                "target_ratio": target_ratio or None,
                "seed": seed,
                "approve": approve,
                "approval": hold,
                "priority": priority,
                "labels": pairs(label, "--label"),
            }
        )
        with client(server) as there:
            job = there.submit(asked, key or f"cli-{uuid.uuid4().hex}")
            if wait:
                followed(there, job)
                job = there.job(job.id)
        show(job, as_json)
        return int(wait and job.state is not JobState.DONE)


def _operator(name: str, shape: str, settings: list[str]) -> dict[str, object]:
    extents = numbers(shape, "--input-shape") if shape else None
    return {"kind": "operator", "operator": name, "shape": extents, "settings": pairs(settings, "--set")}


def _kernel(main: Path, size: str) -> dict[str, object]:
    """A description or source, and the files beside it that it names, as texts."""
    text = text_of(main, f"--kernel {main}")
    described = main.suffix in (".json", ".yaml", ".yml")
    beside = sorted(main.parent.iterdir()) if described else []
    named = [file for file in beside if file != main and file.is_file() and file.name in text]
    files = {main.name: text, **{file.name: text_of(file, f"--kernel {file}") for file in named}}
    extents = numbers(size, "--problem-size") if size else ()
    return {"kind": "kernel", "main": main.name, "files": files, "problem_size": extents}


def _program(main: Path, args: str, inputs: list[str], cflags: str) -> dict[str, object]:
    held_out = [list(words(one, "--inputs")) for one in inputs]
    run = {"args": list(words(args, "--args")), "inputs": held_out, "cflags": list(words(cflags, "--cflags"))}
    return {"kind": "ir", "files": _included(main), **run}


def _included(main: Path) -> dict[str, str]:
    """A C program and the headers beside it that it includes, by name."""
    found: dict[str, str] = {}
    wanted = [main]
    while wanted:
        file = wanted.pop()
        if file.name not in found:
            found[file.name] = text_of(file, f"--ir {file}")
            wanted += [file.with_name(name) for name in INCLUDE.findall(found[file.name])]
    return found
