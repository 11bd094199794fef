"""`atunner doctor`: what is here, what it enables, and how to get the rest."""

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from atunner.cli.common import command, print_json
from atunner.settings import Settings
from atunner.tools.doctor import examine


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "doctor")(doctor)


def doctor(as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Say what is on this machine, what each thing enables, and how to get what is missing.

    Example: atunner doctor
    """
    found = examine(Settings().model)
    if as_json:
        print_json(found)
        return
    table = Table("what", "here", "enables", "how to get it")
    for item in found:
        here = (
            f"[green]yes[/green] {escape(item.detail)}"
            if item.present
            else f"[yellow]no[/yellow] {escape(item.detail)}"
        )
        table.add_row(item.name, here, item.enables, "" if item.present else escape(item.get))
    Console().print(table)
