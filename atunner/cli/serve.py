"""`atunner serve`, `worker`, and the commands of a client: `submit`, `status`, `logs`, `cancel`."""

import signal
import threading
import uuid
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from atunner.cli.budget import parse_budget
from atunner.cli.common import command, numbers, pairs, print_json
from atunner.cli.jobs import SERVER, client, show
from atunner.client import Client
from atunner.core.errors import UserError
from atunner.core.job import Job, JobState
from atunner.core.plugins import load
from atunner.jobs.submission import Submission, submission_of
from atunner.jobs.worker import Pace
from atunner.settings import Settings

SERVERS = {
    "http": "atunner.api.serving:serve",
    "key": "atunner.api.serving:new_key",
    "worker": "atunner.service.processes:make_worker",
    "place": "atunner.api.serving:Place",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "serve")(serve)
    command(app, "worker")(worker)
    command(app, "submit")(submit)
    command(app, "status")(status)
    command(app, "logs")(logs)
    command(app, "cancel")(cancel)


def serve(
    host: str = typer.Option("127.0.0.1", "--host", help="Where to listen; beyond loopback only with an API key."),
    port: int = typer.Option(8765, "--port", min=0, max=65535, help="0 for a free one."),
    slots: int = typer.Option(1, "--slots", min=0, max=64, help="Jobs worked on at once, 0 for none in this process."),
    lease: float = typer.Option(30.0, "--lease", min=2, max=3600, help="Seconds until a silent worker's job moves on."),
    name: list[str] = typer.Option([], "--name", help="A host name that requests may use; repeatable."),
    new_key: str = typer.Option("", "--new-key", help="Make an API key of this name, print it once, and leave."),
    scopes: str = typer.Option("read,submit", "--scopes", help="Of a new key: read, submit, admin."),
    rate: int = typer.Option(100, "--rate", min=0, max=100_000, help="Requests a second of a new key, 0 for any."),
    open_jobs: int = typer.Option(1000, "--open-jobs", min=0, max=1_000_000, help="Unfinished jobs of a new key."),
) -> None:
    """Serve the REST API and the dashboard, with a worker and a database in this process.

    Example: atunner serve --port 8765
    """
    settings = Settings()
    if new_key:
        typer.echo(load("servers", "key", SERVERS)(settings, new_key, tuple(scopes.split(",")), rate, open_jobs))
        return
    place = load("servers", "place", SERVERS)(host=host, port=port, names=frozenset(name), slots=slots, lease_s=lease)
    load("servers", "http", SERVERS)(settings, place)


def worker(
    slots: int = typer.Option(1, "--slots", min=1, max=64, help="Jobs at once; more than one disturbs measurements."),
    lease: float = typer.Option(30.0, "--lease", min=2, max=3600, help="Seconds until a silent worker's job moves on."),
    grace: float = typer.Option(20.0, "--grace", min=0, help="Seconds that a job has to stop by itself."),
) -> None:
    """Work on the jobs of the database until SIGTERM; then give them back.

    Example: ATUNNER_DATABASE=postgresql://db/atunner atunner worker
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    made = load("servers", "worker", SERVERS)(Settings(), Pace(slots=slots, grace_s=grace), lease)
    typer.echo(f"{made.name} is waiting for jobs - stop with Ctrl-C")
    made.run(stop)


def submit(
    operator: str = typer.Option("", "--operator", help="What to compute; `atunner operators` lists them."),
    kernel: Path | None = typer.Option(
        None, "--kernel", help="A kernel of your own, as `atunner tune kernel` takes it."
    ),
    toy: bool = typer.Option(False, "--toy", help="A problem with a known answer, to try a server out."),
    input_shape: str = typer.Option("", "--input-shape", help="As for `atunner optimize`."),
    target_gpu: str = typer.Option("", "--target-gpu", help="GPU by name; left out: the server's machine."),
    setting: list[str] = typer.Option([], "--set", help="name=value; repeatable."),
    dtype: str = typer.Option("float32", "--dtype", help="Element type."),
    budget: str = typer.Option("128", "--budget", help="Trials, or a time such as 90s or 5m."),
    model: str = typer.Option("", "--model", help="none, openai:NAME or ollama:NAME."),
    priority: int = typer.Option(0, "--priority", min=-100, max=100, help="Higher goes first."),
    label: list[str] = typer.Option([], "--label", help="name=value; repeatable."),
    key: str = typer.Option("", "--key", help="Idempotency key: the same key gives the same job."),
    wait: bool = typer.Option(False, "--wait", help="Follow the job to its end; exit 1 unless it is done."),
    server: str = SERVER,
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> int:
    """Hand a job to a server.

    Example: atunner submit --operator matmul --input-shape 256,256,256 --budget 64
    """
    bounds = parse_budget(budget)
    if bool(operator) + (kernel is not None) + toy != 1:
        raise UserError("Submit one thing: give --operator NAME, --kernel FILE or --toy, and one of them only.")
    work: dict[str, object] = {"kind": "operator", "operator": operator, "dtype": dtype, "target": target_gpu or "host"}
    if toy:
        work = {"kind": "toy"}
    elif kernel is not None:
        work = {"kind": "kernel", **sent(kernel), "target": target_gpu or "host"}
    else:
        work["shape"] = numbers(input_shape, "--input-shape") if input_shape else None
        work["settings"] = pairs(setting, "--set")
    asked: Submission = submission_of(
        {
            "task": work,
            "budget": bounds.model_dump(),
            "model": model,
            "priority": priority,
            "labels": pairs(label, "--label"),
        }
    )
    with client(server) as there:
        job = there.submit(asked, key or f"cli-{uuid.uuid4().hex}")
        if wait:
            _follow(there, job)
            job = there.job(job.id)
    show(job, as_json)
    return int(wait and job.state is not JobState.DONE)


def sent(main: Path) -> dict[str, object]:
    """A description or source, and the files beside it that it names, as texts.

    Raises:
        UserError: one of them cannot be read, or is not text.
    """
    try:
        text = main.read_text(encoding="utf-8")
        described = main.suffix in (".json", ".yaml", ".yml")
        named = [f for f in sorted(main.parent.iterdir()) if described and f != main and f.is_file() and f.name in text]
        return {"main": main.name, "files": {main.name: text, **{f.name: f.read_text(encoding="utf-8") for f in named}}}
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read --kernel {main} and what it names: {error}.") from error


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
    table = Table("job", "state", "what", "target", "progress", "reason")
    for one in page.jobs:
        task = one.request.task
        table.add_row(one.id, one.state, task.name, task.target, str(one.progress), one.reason)
    Console().print(table if page.jobs else "No jobs. Hand one in with: atunner submit --toy")


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
            _follow(there, there.job(job), error=False)
        else:
            typer.echo(there.logs(job), nl=False)


def cancel(job: str = typer.Argument(help="A job's id."), server: str = SERVER) -> None:
    """End a job; what it found is kept.

    Example: atunner cancel 0123456789abcdef
    """
    with client(server) as there:
        typer.echo(f"{job} is {there.cancel(job).state}")


def _follow(client: Client, job: Job, error: bool = True) -> None:
    for told in client.events(job.id):
        body = told.body if isinstance(told.body, dict) else {}
        words = (str(body[name]) for name in ("state", "stage", "message") if body.get(name))
        typer.echo(f"{told.created} {told.kind:6} {' '.join(words)}", err=error)
