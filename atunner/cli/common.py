"""What every command has: --config, --log-level, --log-json, and JSON on standard output."""

import functools
import inspect
import json
import logging
import shlex
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
import typer
from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from atunner.core.errors import UserError
from atunner.tools.text import text_of

LEVELS = ("debug", "info", "warning", "error")
CONFIG_HELP = "YAML file with this command's options, e.g. 'target-gpu: A100'; the command line wins."


def command(app: typer.Typer, name: str, help_text: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a command that also takes --config, --log-level and --log-json."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**arguments: Any) -> None:
            _set_logs(str(arguments.pop("log_level")), bool(arguments.pop("log_json")))
            arguments.pop("config")
            code = function(**arguments)
            if isinstance(code, int) and code:
                raise typer.Exit(code)

        hints = typing.get_type_hints(function, include_extras=True)
        own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(function).parameters.values()]
        own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        call.__signature__ = inspect.Signature([*own, *_shared()])  # type: ignore[attr-defined]  # read by Typer
        call.__annotations__ = {p.name: p.annotation for p in [*own, *_shared()]}
        app.command(name, help=help_text or None)(call)
        return function

    return add


def _shared() -> list[inspect.Parameter]:
    options: list[tuple[str, Any, Any]] = [
        ("config", Path | None, typer.Option(None, "--config", is_eager=True, callback=_read_config, help=CONFIG_HELP)),
        ("log_level", str, typer.Option("warning", "--log-level", help=f"To standard error: {', '.join(LEVELS)}.")),
        ("log_json", bool, typer.Option(False, "--log-json", help="Log as JSON lines.")),
    ]
    only = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, only, default=option, annotation=kind) for name, kind, option in options]


def _read_config(ctx: typer.Context, path: Path | None) -> Path | None:
    if path is None:
        return None
    known = {flag.lstrip("-").replace("-", "_"): str(p.name) for p in ctx.command.params for flag in p.opts}
    found: dict[str, Any] = {}
    for key, value in _options(path).items():
        name = key.replace("-", "_")
        if name not in known:
            options = ", ".join(sorted(n.replace("_", "-") for n in known))
            raise UserError(f"--config {path}: no option {key!r} for {ctx.info_name}. Known: {options}.")
        found[known[name]] = [str(v) for v in value] if isinstance(value, list) else value
    ctx.default_map = {**(ctx.default_map or {}), **found}
    return path


def _options(path: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(text_of(path, f"--config {path}")) or {}
    except YAMLError as error:
        raise UserError(f"--config {path} is not YAML: {str(error).splitlines()[0]}.") from error
    if not isinstance(content, Mapping):
        raise UserError(f"--config {path} must hold 'option: value' lines, got {type(content).__name__}.")
    return {str(key): value for key, value in content.items()}


def _set_logs(level: str, as_json: bool) -> None:
    if level not in LEVELS:
        raise UserError(f"--log-level takes one of {', '.join(LEVELS)}; got {level!r}.")
    form = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            form,
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


def words(text: str, option: str) -> tuple[str, ...]:
    """`-DN=400 '-DNAME=a b'` as a shell would divide it.

    Raises:
        UserError: a quotation is not closed.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UserError(f"{option}: a quotation is not closed; got {text[:60]!r}.") from error


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
