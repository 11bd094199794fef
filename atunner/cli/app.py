"""The command line: all commands, and the one place where an error becomes a line and an exit code."""

import errno
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from atunner import __version__
from atunner.cli import STOPPED
from atunner.cli.outline import completed, outline
from atunner.core.errors import ATunnerError, ToolError, UserError

HELP = """Make compute code faster, and prove it: agents propose, a judge decides.

Start with: atunner optimize --operator conv2d --input-shape 1,3,224,224 --target-gpu A100
"""
FULL = (errno.ENOSPC, errno.EDQUOT)
MISUSED: type[Exception] = typer.BadParameter.__mro__[1]
"""What Typer raises for an unknown command, option or value."""


ROOMS = {
    "optimize": ("optimize",),
    "tune": ("tune",),
    "runs": ("list", "show", "resume", "export", "import", "compare"),
    "replay": ("replay",),
    "approve": ("approve",),
    "cost": ("cost",),
    "brief": ("brief",),
    "inspect": ("inspect",),
    "judge": ("judge", "verify"),
    "lookups": ("operators", "devices"),
    "doctor": ("doctor",),
    "serve": ("serve", "worker"),
    "submit": ("submit",),
    "status": ("status", "logs", "cancel"),
    "jobs": ("job",),
    "ir": ("ir",),
}
"""The modules of this folder with the commands that each registers: only the one that is asked for is imported."""


def build(asked: str = "") -> typer.Typer:
    """The application; with every command, or with those that come from the same module as `asked`."""
    app = _top()
    home = [room for room, commands in ROOMS.items() if asked in commands]
    for room in [] if asked == "--version" else home or ROOMS:
        import_module(f"atunner.cli.{room}").register(app)
    return app


def _top() -> typer.Typer:
    """The application without its commands."""
    app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback(invoke_without_command=True)
    def top(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
        if version:
            typer.echo(f"atunner {__version__}")
            raise typer.Exit

    return app


def _for(argv: Sequence[str]) -> typer.Typer:
    """The application as far as a command line needs it: one command whole, or the names of all."""
    asked = argv[0] if argv else completed()
    if any(asked in commands for commands in ROOMS.values()):
        return build(asked)
    app = _top()
    outline(app)
    return app


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    0 done, 1 failed, 2 bad request, 3 tool missing, 4 waits for approval, 130 stopped.
    """
    command = typer.main.get_command(_for(argv))
    try:
        code = command.main(args=list(argv), prog_name="atunner", standalone_mode=False)
    except MISUSED as error:
        return _misused(error, argv)
    except ATunnerError as error:
        typer.echo(f"error: {error}", err=True)
        return error.exit_code
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = f" while writing {error.filename}" if error.filename else ""
        typer.echo(f"error: no space is left on the disk{where}; make room, then: atunner resume RUN.", err=True)
        return ToolError.exit_code
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("stopped", err=True)
        return STOPPED
    return code if isinstance(code, int) else 0


def _misused(error: Any, argv: Sequence[str]) -> int:
    """One line in place of Typer's four; the help itself when nothing was asked."""
    if not argv:
        error.show()
        return UserError.exit_code
    path = getattr(error.ctx, "command_path", "atunner")
    typer.echo(f"error: {error.format_message().rstrip('.')}. See: {path} --help", err=True)
    return UserError.exit_code
