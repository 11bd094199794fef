"""`atunner approve`, and the same question asked at the terminal while a run waits."""

import sys
import threading
from pathlib import Path

import typer

from atunner.cli.common import command
from atunner.cli.show import finish, progress
from atunner.core.approval import Question
from atunner.core.errors import Interrupted
from atunner.core.record import RunRecord, RunState
from atunner.wiring import Session

WAITS = 4
"""The exit code of a run that waits for a person."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "approve")(approve)


def approve(
    run: str = typer.Argument(help="A run that waits for approval."),
    reject: bool = typer.Option(False, "--reject", help="Refuse what is shown."),
    comment: str = typer.Option("", "--comment", help="Told to the model with the refusal."),
    step: list[str] = typer.Option([], "--step", help="A step to follow instead of those shown; repeatable."),
    show: bool = typer.Option(False, "--show", help="Only print the question, with its id."),
    asked: str = typer.Option("", "--question", help="The id that --show told: refuse where another is asked by now."),
) -> None:
    """Answer what a run waits for; `atunner resume RUN` goes on with it.

    Example: atunner approve matmul-host-20260101-120000-1a2b --reject --comment "no padding, please"
    """
    with Session() as session:
        session.store.head(run)
        question = session.question(run)
        if question is not None:
            typer.echo(f"question {question.id}\n{shown(question)}" if show else shown(question))
        if show:
            return
        session.approve(run, not reject, comment, step, asked or (question.id if question else None))
    typer.echo(f"{'Refused' if reject else 'Approved'}. Go on with: atunner resume {run}")


def shown(question: Question) -> str:
    """A question as text: its title, its lines, and the source below."""
    lines = "\n".join(f"  {number}. {line}" for number, line in enumerate(question.lines, 1))
    return "\n".join(filter(None, (question.title, lines, question.source.rstrip())))


def settled(session: Session, record: RunRecord, as_json: bool) -> RunRecord:
    """The run gone on with as often as somebody at the terminal answers; as it is where nobody sits there."""
    while record.state is RunState.WAITING and sys.stdin.isatty():
        question = session.question(record.run)
        if question is None:
            break
        typer.echo(shown(question), err=True)
        try:
            approved = typer.confirm("Approve?", err=True)
            comment = "" if approved else typer.prompt("Why not (told to the model)", default="", err=True)
        except typer.Abort as error:
            raise Interrupted(f"Nothing was answered. {waits(record)}") from error
        session.approve(record.run, approved, comment, question=question.id)
        with progress(as_json) as watch:
            record = session.resume(record.run, watch, threading.Event())
    return record


def ended(record: RunRecord, output: Path, as_json: bool) -> int:
    """The report of a run that has ended, or the line that says what it waits for."""
    if record.state is not RunState.WAITING:
        return reported(record, output, as_json)
    typer.echo(waits(record), err=True)
    return WAITS


def waits(record: RunRecord) -> str:
    """What a run waits for, and how to go on with it."""
    return f"{record.run} {record.stop_reason} Answer with: atunner approve {record.run}"


def reported(record: RunRecord, output: Path, as_json: bool) -> int:
    """All files of a run, and its report."""
    if record.task.domain == "llvm_ir":
        from atunner.cli.ir_report import Tuned
        from atunner.cli.ir_report import finish as finish_program

        return finish_program([Tuned(Path(f"{record.task.name}.c"), record)], output, as_json, False)
    return finish(record, output, as_json)
