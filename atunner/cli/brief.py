"""`atunner brief`: what a model would be told, with its token count, before anything is asked."""

import typer

from atunner.agents.brief import LEAST, LIMIT
from atunner.cli.common import command, numbers, pairs, print_json
from atunner.core.errors import UnknownName, UserError
from atunner.core.record import RunRecord
from atunner.core.task import Task
from atunner.domains import BUILT_IN as DOMAINS
from atunner.executors.work import resolve
from atunner.graphs.briefs import ROLES, Briefing
from atunner.knowledge_base.devices import device as named_device
from atunner.wiring import HOST, Session, domain_config


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "brief")(brief)


def brief(
    operator: str = typer.Option("", "--operator", help="What to compute; or give --run."),
    input_shape: str = typer.Option("", "--input-shape", help="As for optimize."),
    target_gpu: str = typer.Option("", "--target-gpu", help="GPU by name; left out: this machine."),
    setting: list[str] = typer.Option([], "--set", help="name=value, repeatable."),
    role: str = typer.Option("coder", "--role", help="planner, coder, or an agent such as codegen."),
    run: str = typer.Option("", "--run", help="As it would be at the end of this run, with its trials."),
    limit: int = typer.Option(LIMIT, "--limit", min=LEAST, help="Tokens at most."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Print what a model would be told, which parts entered, and how many tokens that is; nothing is sent.

    Example: atunner brief --operator matmul --input-shape 256,256,256 --role coder
    """
    if role not in ROLES:
        raise UnknownName("role", role, ROLES)
    if bool(operator) == bool(run):
        raise UserError("A brief is of one task: give --operator NAME, or --run RUN for one that was run.")
    with Session() as session:
        record = session.store.load(run) if run else None
        task = record.task if record else _task(operator, input_shape, target_gpu, setting)
        domain = resolve(DOMAINS[task.domain], domain_config(session.settings, task))
        task = task if record else domain.admit(task)
        recalled = session.recalled(task)
        found = Briefing(domain, named_device(task.target), task, recalled, record).of(role, limit)
    if as_json:
        print_json(found)
        return
    typer.echo(found.text)
    typer.echo(_about(found.tokens, limit, found.entered, found.left_out, record), err=True)


def _task(operator: str, shape: str, target: str, settings: list[str]) -> Task:
    spec = {
        "operator": operator,
        "shape": list(numbers(shape, "--input-shape")) if shape else None,
        "settings": dict(pairs(settings, "--set")),
    }
    return Task.model_validate({"name": operator, "spec": spec, "target": target or HOST})


def _about(
    tokens: int, limit: int, entered: tuple[str, ...], left_out: tuple[str, ...], record: RunRecord | None
) -> str:
    trials = f" Trials of {record.run} are told newest, best, then one failure of each kind." if record else ""
    out = f" Left out or cut: {', '.join(left_out)}." if left_out else ""
    return f"about {tokens} tokens of at most {limit}. Entered: {', '.join(entered)}.{out}{trials}"
