"""Commands about runs: list, show, resume, export, compare, import."""

import json
import threading
from pathlib import Path

import typer
from rich.console import Console

from atunner.cli.approve import ended, reported, settled
from atunner.cli.common import command, print_json
from atunner.cli.show import finish, named, progress
from atunner.cli.tables import show_table
from atunner.core.errors import UserError
from atunner.core.record import RunRecord, RunState
from atunner.domains.kernels.bundle import write_bundle
from atunner.reports import compare as compare_records
from atunner.reports import export as exports
from atunner.reports.terminal import show as show_record
from atunner.reports.transcript import transcript
from atunner.wiring import Session

NO_RUNS = "No runs yet. Start with: atunner optimize --operator matmul"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "list")(list_runs)
    command(app, "show")(show)
    command(app, "resume")(resume)
    command(app, "export")(export)
    command(app, "import")(import_result)
    command(app, "compare")(compare)


def list_runs(
    limit: int = typer.Option(20, "--limit", min=1, help="How many, newest first."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """List runs, newest first.

    Example: atunner list --limit 5
    """
    with Session() as session:
        found = session.store.runs(limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [(r.run, r.state, r.name, r.target, str(r.spent.trials), r.created) for r in found]
    show_table(("run", "state", "what", "target", "trials", "created"), rows, NO_RUNS)


def show(
    run: str = typer.Argument(help="A run's name from `atunner list`."),
    as_json: bool = typer.Option(False, "--json", help="The whole record as JSON."),
    with_transcript: bool = typer.Option(False, "--transcript", help="Every prompt and answer instead."),
) -> None:
    """Show one run: facts, agents, leaderboard, result.

    Example: atunner show conv2d-a100-20260101-120000-1a2b
    """
    record = _load(run)
    if with_transcript:
        with Session() as session:
            calls = session.store.calls(run)
        typer.echo(json.dumps([c.model_dump(mode="json") for c in calls]) if as_json else transcript(calls))
    elif as_json:
        print_json(record)
    else:
        show_record(record, (), Console())


def resume(
    run: str = typer.Argument(help="A run that was stopped or killed, or that waits for approval."),
    output: Path = typer.Option(
        Path(), "--output", show_default=False, help="Folder for results; default: the one named at the start."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the run's record as JSON."),
) -> int:
    """Go on with a run; no recorded trial is judged again. What it waits for is asked at a terminal.

    Example: atunner resume conv2d-a100-20260101-120000-1a2b
    """
    with Session() as session:
        record = session.store.head(run)
        if record.state is not RunState.WAITING or session.question(run) is None:
            with progress(as_json) as watch:
                record = session.resume(run, watch, threading.Event())
        record = settled(session, record, as_json)
        folder = named(output) or session.output_of(run) or Path()
    return ended(record, folder, as_json)


def export(
    run: str = typer.Argument(help="A run's name."),
    output: Path = typer.Option(
        Path(), "--output", show_default=False, help="Folder for all files; default atunner-runs/RUN."
    ),
    bundle: Path = typer.Option(Path(), "--bundle", help="Only the bundle that measures on a GPU machine, here."),
    form: str = typer.Option("", "--format", help="json or csv, to standard output, instead of files."),
) -> int:
    """Write a run's files again, its bundle, or its record in another form.

    Example: atunner export conv2d-a100-20260101-120000-1a2b --bundle ./bundle
    """
    record = _load(run)
    if form not in ("", "json", "csv"):
        raise UserError(f"--format takes json or csv, got {form!r}.")
    if form:
        typer.echo(exports.as_json(record) if form == "json" else exports.as_csv(record))
    elif bundle != Path():
        typer.echo(write_bundle(record, bundle))
    else:
        return reported(record, output, False)
    return 0


def import_result(
    file: Path = typer.Argument(help="The result.json that a bundle wrote on the GPU machine."),
    output: Path = typer.Option(
        Path(), "--output", show_default=False, help="Folder for results; default atunner-runs/RUN."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the new record as JSON."),
) -> int:
    """Take back what a bundle measured: a new run, ranked by the measured times.

    Example: atunner import bundle/result.json
    """
    with Session() as session:
        record = session.take_back(file)
    return finish(record, output, as_json)


def compare(
    runs: list[str] = typer.Argument(help="Two to five runs."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """Show runs side by side; differing devices and environments are named first.

    Example: atunner compare RUN1 RUN2
    """
    compared = compare_records.compare([_load(run) for run in runs])
    if as_json:
        print_json(compared)
    else:
        Console().print(compare_records.shown(compared))


def _load(run: str) -> RunRecord:
    with Session() as session:
        return session.store.load(run)
