"""The command line: all commands, and the one place where an error becomes a line and an exit code."""

import sys
from collections.abc import Sequence

import click
import typer

from atunner.cli import doctor, lookups, optimize, runs
from atunner.cli.common import AtunnerGroup
from atunner.core.errors import ATunnerError

HELP = """Make compute code faster, and prove it: agents propose, a judge decides.

Start with: atunner optimize --operator conv2d --input-shape 1,3,224,224 --target-gpu A100
"""


def build() -> typer.Typer:
    """The application with every command."""
    app = typer.Typer(cls=AtunnerGroup, help=HELP, no_args_is_help=True, add_completion=True, rich_markup_mode=None)

    @app.callback(invoke_without_command=True)
    def top(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
        if version:
            from atunner import __version__

            typer.echo(f"atunner {__version__}")
            raise typer.Exit

    for room in (optimize, runs, lookups, doctor):
        room.register(app)
    return app


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed, 2 bad request, 3 tool missing, 130 stopped."""
    try:
        result = build()(args=list(argv), prog_name="atunner", standalone_mode=False)
    except ATunnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        return 1
    return result if isinstance(result, int) else 0
