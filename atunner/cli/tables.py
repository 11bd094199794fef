"""Tables for people: drawn at a terminal; in a pipe one whole line for each row, so that other programs can read it."""

import sys
from collections.abc import Sequence

import typer


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str = "", title: str = "") -> None:
    """Print rows under their columns; `empty` where there are none."""
    if not rows and empty:
        typer.echo(empty)
        return
    if sys.stdout.isatty():
        _drawn(columns, rows, title)
        return
    cells = [[" ".join(cell.split()) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    if title:
        typer.echo(title)
    for row in cells:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    first, *others = (Column(name, no_wrap=at == 0, overflow="fold") for at, name in enumerate(columns))
    table = Table(first, *others, title=escape(title) or None, title_justify="left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)
