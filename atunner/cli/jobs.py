"""`atunner job`: what else can be done with a job of a server, and what it found."""

from pathlib import Path
from typing import get_args

import typer

from atunner.cli.common import command, print_json
from atunner.cli.tables import show_table
from atunner.client import Client, Export
from atunner.core.errors import UserError
from atunner.core.job import Job
from atunner.settings import secret

SERVER = typer.Option("http://127.0.0.1:8765", "--server", help="Where `atunner serve` runs.")
JOB = typer.Argument(help="A job's id.")
FORMS = get_args(Export)


def register(app: typer.Typer) -> None:
    """Add `job` with its commands."""
    room = typer.Typer(help="Jobs of a server: change them, see what they found.", no_args_is_help=True)
    app.add_typer(room, name="job")
    for function in (approve, question, resume, retry, delete, board, compare, export, artefact, history):
        command(room, function.__name__)(function)


def approve(
    job: str = JOB,
    reject: bool = typer.Option(False, "--reject", help="Refuse instead."),
    comment: str = typer.Option("", "--comment", help="Told to the planner or coder."),
    step: list[str] = typer.Option([], "--step", help="A plan to follow instead; repeatable."),
    asked: str = typer.Option(
        "", "--question", help="The id that `atunner job question J` tells; none for a held job."
    ),
    server: str = SERVER,
) -> None:
    """Answer what a job waits for: the question of that id, and no other that it may ask by then.

    Example: atunner job approve J --question Q --comment "tile first"
    """
    with client(server) as there:
        show(there.approve(job, not reject, comment, step, asked))


def question(job: str = JOB, server: str = SERVER) -> None:
    """Show what a waiting job asks.

    Example: atunner job question J
    """
    with client(server) as there:
        asked = there.question(job)
    typer.echo("\n".join([f"{asked.id} {asked.title}", *asked.lines, asked.source]).rstrip())


def resume(job: str = JOB, server: str = SERVER) -> None:
    """Go on with an ended job's unfinished run, as a new job.

    Example: atunner job resume J
    """
    with client(server) as there:
        show(there.resume(job))


def retry(job: str = JOB, server: str = SERVER) -> None:
    """Do the same again, as a new job.

    Example: atunner job retry J
    """
    with client(server) as there:
        show(there.retry(job))


def delete(job: str = JOB, server: str = SERVER) -> None:
    """Forget an ended job; its run stays.

    Example: atunner job delete J
    """
    with client(server) as there:
        there.delete(job)
    typer.echo(f"{job} is deleted")


def board(
    job: str = JOB,
    limit: int = typer.Option(20, "--limit", min=1, max=5000, help="Lines at most."),
    server: str = SERVER,
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Show the leaderboard of a job, and what failed.

    Example: atunner job board J --limit 5
    """
    with client(server) as there:
        found = there.leaderboard(job, limit)
    if as_json:
        print_json(found)
        return
    shown = [*([found.baseline] if found.baseline else []), *found.rows]
    rows = [(str(row.rank), row.candidate, row.family, f"{row.value:.5g} {row.unit}") for row in shown]
    show_table(("rank", "candidate", "family", "figure"), rows, "Nothing is verified yet.", found.headline)
    for failed in found.failed:
        typer.echo(f"{failed.candidate} {failed.status}: {failed.reason}")


def compare(
    jobs: list[str] = typer.Argument(help="2 to 5 jobs."),
    server: str = SERVER,
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Set jobs side by side, with every reason why their figures must not be compared.

    Example: atunner job compare J1 J2
    """
    with client(server) as there:
        found = there.compare(jobs)
    if as_json:
        print_json(found)
        return
    show_table(("", *found.runs), [(name, *cells) for name, cells in found.lines])
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)


def export(
    job: str = JOB,
    form: str = typer.Option("run.json", "--format", help=f"One of {', '.join(FORMS)}."),
    output: Path = typer.Option(Path("-"), "--output", help="Where to write; - is standard output."),
    server: str = SERVER,
) -> None:
    """Fetch a job's results as a file.

    Example: atunner job export J --format report.html --output report.html
    """
    if form not in FORMS:
        raise UserError(f"--format takes one of {', '.join(FORMS)}; got {form!r}.")
    with client(server) as there:
        written(there.export(job, form), output)  # type: ignore[arg-type]  # it is one of them


def artefact(
    digest: str = typer.Argument(help="The SHA-256 of a file's content; run.json and `board` name candidates."),
    output: Path = typer.Option(Path("-"), "--output", help="Where to write; - is standard output."),
    server: str = SERVER,
) -> None:
    """Fetch a file by its hash.

    Example: atunner job artefact DIGEST --output kernel.c
    """
    with client(server) as there:
        written(there.artefact(digest), output)


def history(
    operator: str = typer.Option("", "--operator", help="Only runs of this operator."),
    target: str = typer.Option("", "--target", help="Only runs for this device."),
    limit: int = typer.Option(20, "--limit", min=1, max=200, help="Lines at most."),
    server: str = SERVER,
) -> None:
    """List earlier runs that the server knows.

    Example: atunner job history --operator matmul
    """
    with client(server) as there:
        found = there.history(operator, target, limit)
    figures = [f"{run.best:.5g} {run.unit} {run.provenance}" if run.best is not None else "" for run in found]
    rows = [(run.run, run.state, str(run.trials), best) for run, best in zip(found, figures, strict=True)]
    show_table(("run", "state", "trials", "best"), rows, "No runs.")


def written(content: bytes, output: Path) -> None:
    """To a file, or to standard output.

    Raises:
        UserError: it cannot be written.
    """
    if output == Path("-"):
        typer.echo(content.decode(errors="replace"), nl=False)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UserError(f"Cannot write --output {output}: {error.strerror}. Name another file.") from error


def client(server: str) -> Client:
    """The client of a server, with the key of the environment."""
    return Client(server, secret("ATUNNER_API_KEY"))


def show(job: Job, as_json: bool = False) -> None:
    """One line of a job, or JSON."""
    if as_json:
        print_json(job)
        return
    task = job.request.task
    typer.echo(f"{job.id} {job.state}: {task.name} on {task.target}, {job.progress} trials {job.reason}".rstrip())
