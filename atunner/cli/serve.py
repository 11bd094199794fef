"""`atunner serve` and `atunner worker`: the service itself."""

import signal
import threading

import typer

from atunner.cli.common import command
from atunner.core.plugins import load
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
