"""What can be said of a request before it is queued."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from atunner.core.errors import UserError
from atunner.core.job import JobRequest
from atunner.core.plugins import load
from atunner.domains import BUILT_IN as DOMAINS
from atunner.executors.work import resolve
from atunner.graphs.strategies import BUILT_IN as STRATEGIES
from atunner.jobs.submission import Submission
from atunner.search import BUILT_IN as SEARCHERS
from atunner.settings import Settings
from atunner.wiring import domain_config


def admitted(settings: Settings, request: JobRequest) -> None:
    """Let the domain, and the tables of names, refuse what can never run.

    Raises:
        UserError: with what is wrong and what there is.
    """
    options = request.options.get("options")
    load("strategies", str(request.options.get("strategy")), STRATEGIES)
    if isinstance(options, dict):
        load("searchers", str(options.get("search")), SEARCHERS)
    if request.task.domain not in DOMAINS:
        raise UserError(f"No domain named {request.task.domain!r}. Known: {', '.join(sorted(DOMAINS))}.")
    resolve(DOMAINS[request.task.domain], domain_config(settings, request.task)).admit(request.task)


def submission_of(values: Mapping[str, Any]) -> Submission:
    """A submission from plain values.

    Raises:
        UserError: a value has another form, with its name.
    """
    try:
        return Submission.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("operator", "toy") or len(first["loc"]) < 3)
        raise UserError(f"{where}: {first['msg']}; got {str(first['input'])[:80]!r}.") from error
