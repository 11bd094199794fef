"""What every command has: --config, --log-level, --log-json, and JSON on standard output."""

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import structlog
import typer
from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from typer.core import TyperCommand, TyperGroup

from atunner.core.errors import UserError

LEVELS = ("debug", "info", "warning", "error")


class AtunnerCommand(TyperCommand):
    """A command with the options that all commands share."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(
                ["--config"],
                type=click.Path(dir_okay=False, path_type=Path),
                is_eager=True,
                expose_value=False,
                callback=_read_config,
                help="YAML file with this command's options, e.g. 'target-gpu: A100'; the command line wins.",
            ),
            click.Option(
                ["--log-level"],
                type=click.Choice(LEVELS),
                default="warning",
                expose_value=False,
                callback=_set_level,
                help="How much to log to standard error.",
            ),
            click.Option(
                ["--log-json"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_set_form,
                help="Log as JSON lines.",
            ),
        ]


class AtunnerGroup(TyperGroup):
    """A group whose commands are AtunnerCommands, listed in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use, not of the alphabet."""
        return list(self.commands)


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise UserError(f"Cannot read --config {path}: {error.strerror}.") from error
    except YAMLError as error:
        raise UserError(f"--config {path} is not YAML: {str(error).splitlines()[0]}.") from error
    if not isinstance(content, Mapping):
        raise UserError(f"--config {path} must hold 'option: value' lines, got {type(content).__name__}.")
    known = {name.lstrip("-").replace("-", "_"): p.name for p in ctx.command.params for name in p.opts}
    found: dict[str, Any] = {}
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name not in known:
            options = ", ".join(sorted(n.replace("_", "-") for n in known))
            raise UserError(f"--config {path}: no option {key!r} for {ctx.info_name}. Known: {options}.")
        found[str(known[name])] = [str(v) for v in value] if isinstance(value, list) else value
    ctx.default_map = {**(ctx.default_map or {}), **found}


def _set_form(ctx: click.Context, _: click.Parameter, as_json: bool) -> None:
    form = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    ctx.meta["atunner.log_form"] = form


def _set_level(ctx: click.Context, _: click.Parameter, level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            ctx.meta.get("atunner.log_form", structlog.dev.ConsoleRenderer(colors=False)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def print_json(content: object) -> None:
    """JSON on standard output, for programs."""
    typer.echo(json.dumps(_plain(content), indent=1))


def _plain(content: object) -> Any:
    if isinstance(content, BaseModel):
        return content.model_dump(mode="json")
    if isinstance(content, Mapping):
        return {str(k): _plain(v) for k, v in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(v) for v in content]
    return content


def numbers(text: str, option: str) -> tuple[int, ...]:
    """`1,3,224,224` as integers.

    Raises:
        UserError: another form.
    """
    try:
        found = tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError as error:
        raise UserError(f"{option} takes integers separated by commas, as in 1,3,224,224; got {text!r}.") from error
    return found


def pairs(texts: list[str], option: str) -> dict[str, str]:
    """`name=value` texts as a mapping.

    Raises:
        UserError: another form, or a name given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise UserError(f"{option} takes name=value, as in {option} kernel=3; got {text!r}.")
        if name in found:
            raise UserError(f"{option} {name} was given twice.")
        found[name] = value
    return found
