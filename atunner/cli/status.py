"""`atunner status`, `logs`, `cancel`: where a server's jobs stand."""

import typer

from atunner.cli.common import command, print_json
from atunner.cli.jobs import SERVER, client, show
from atunner.cli.tables import show_table
from atunner.client import Client
from atunner.core.errors import UserError
from atunner.core.job import Job, JobState

NO_JOBS = "No jobs. Hand one in with: atunner submit --toy"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "status")(status)
    command(app, "logs")(logs)
    command(app, "cancel")(cancel)


def status(
    job: str = typer.Argument("", help="A job's id; left out: the newest jobs."),
    server: str = SERVER,
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Say where a job stands, or list jobs.

    Example: atunner status
    """
    with client(server) as there:
        if job:
            show(there.job(job), as_json)
            return
        page = there.jobs(limit=20)
    if as_json:
        print_json(page)
        return
    rows = [(j.id, j.state, j.request.task.name, j.request.task.target, str(j.progress), j.reason) for j in page.jobs]
    show_table(("job", "state", "what", "target", "progress", "reason"), rows, NO_JOBS)


def logs(
    job: str = typer.Argument(help="A job's id."),
    follow: bool = typer.Option(False, "--follow", help="Go on to the end of the job."),
    server: str = SERVER,
) -> None:
    """Print what happened in a job.

    Example: atunner logs 0123456789abcdef --follow
    """
    with client(server) as there:
        if follow:
            followed(there, there.job(job), error=False)
        else:
            typer.echo(there.logs(job), nl=False)


def cancel(job: str = typer.Argument(help="A job's id."), server: str = SERVER) -> None:
    """End a job; what it found is kept.

    Example: atunner cancel 0123456789abcdef
    """
    with client(server) as there:
        found = there.cancel(job)
    if found.state is not JobState.CANCELLED:
        raise UserError(f"Job {job} had ended before: it is {found.state}, and stays so. Nothing was cancelled.")
    typer.echo(f"{job} is {found.state}")


def followed(client: Client, job: Job, error: bool = True) -> None:
    """Print each event of a job to its end. error: on standard error."""
    for told in client.events(job.id):
        body = told.body if isinstance(told.body, dict) else {}
        words = (str(body[name]) for name in ("state", "stage", "message") if body.get(name))
        typer.echo(f"{told.created} {told.kind:6} {' '.join(words)}", err=error)
