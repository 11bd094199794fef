"""`atunner replay`: a recorded run once more, from its record."""

import threading
from dataclasses import replace
from pathlib import Path

import typer

from atunner.cli.approve import ended
from atunner.cli.common import command
from atunner.cli.show import named, progress
from atunner.core.record import RunRecord
from atunner.wiring import Session


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "replay")(replay)


def replay(
    run: str = typer.Argument(help="A run's name from `atunner list`."),
    remeasure: bool = typer.Option(False, "--remeasure", help="Take the answers only; build and measure afresh."),
    output: Path = typer.Option(
        Path(), "--output", show_default=False, help="Folder for results; default atunner-runs/RUN."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the run's record as JSON."),
) -> int:
    """Run again what was recorded: answers and measurements from the record, stamped simulated, with no network.

    Example: atunner replay matmul-host-20260101-120000-1a2b --remeasure
    """
    with Session() as session, progress(as_json) as watch:
        request = replace(session.again(run, remeasure), output=named(output))
        record = session.start(request, watch, threading.Event())
    typer.echo(said(record), err=True)
    return ended(record, output, as_json)


def said(record: RunRecord) -> str:
    """Whether it went the way of its source; "" for a run that is no replay."""
    return next((f"{record.run}: {n.summary}" for n in reversed(record.notes) if n.agent == "replay"), "")
