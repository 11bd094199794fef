"""What can be said of a request before it is queued."""

import threading
from collections.abc import Callable
from pathlib import Path

from atunner.core.errors import UnknownName, UserError
from atunner.core.job import JobRequest
from atunner.core.plugins import load
from atunner.core.value import canonical
from atunner.domains import BUILT_IN as DOMAINS
from atunner.executors.work import resolve
from atunner.graphs.strategies import BUILT_IN as STRATEGIES
from atunner.graphs.strategies.prepare import prepared
from atunner.jobs.work import FOREIGN
from atunner.llm.prices import price
from atunner.llm.specs import cast
from atunner.search import BUILT_IN as SEARCHERS
from atunner.search import method
from atunner.settings import Settings, secret
from atunner.tools.sandbox import LEVELS, Chain, demand
from atunner.wiring import domain_config

KEPT = 4096


class Admission:
    """Lets the tables of names and the domain refuse what can never run; what was admitted is remembered by content.

    chain: what tells the sandbox of this machine, where jobs run on it too; None where workers have the say.
    """

    def __init__(self, settings: Settings, chain: Callable[[Path], Chain] | None) -> None:
        self._settings, self._chain = settings, chain
        self._known: dict[tuple[str, ...], None] = {}
        self._lock = threading.Lock()

    def check(self, request: JobRequest) -> None:
        """Raises UserError: with what is wrong and what there is."""
        self._model(request)
        told = request.options.get("options")
        options = told if isinstance(told, dict) else {}
        search, strategy = str(options.get("search", "auto")), str(request.options.get("strategy", "expert"))
        settings = options.get("strategy")
        same = (request.task.id, strategy, canonical(settings), search, policy(self._settings, request))
        if same in self._known:
            return
        load("strategies", strategy, STRATEGIES)
        prepared(strategy, settings if isinstance(settings, dict) else {})
        method(search)
        self._task(request)
        with self._lock:
            self._known[same] = None
            while len(self._known) > KEPT:
                self._known.pop(next(iter(self._known)))

    def _model(self, request: JobRequest) -> None:
        """What a model needs of the server: a key, and a price where dollars are bounded."""
        name = model_of(self._settings, request)
        for spec in cast("" if name == "none" else name).specs:
            if spec.kind == "openai" and not secret("OPENAI_API_KEY"):
                raise UserError(
                    f"{spec.text} needs a key and this server has none: its operator sets OPENAI_API_KEY, "
                    "or the job says model none or ollama:NAME."
                )
            if request.budget.usd is not None and price(spec.text, self._settings.prices) is None:
                raise UserError(
                    f"A budget in dollars needs the price of {spec.text}, which this server does not know: "
                    "bound tokens, or its operator names a file of prices in ATUNNER_PRICES."
                )

    def _task(self, request: JobRequest) -> None:
        if request.task.domain not in DOMAINS:
            raise UserError(f"No domain named {request.task.domain!r}. Known: {', '.join(sorted(DOMAINS))}.")
        config = domain_config(self._settings, request.task)
        level = policy(self._settings, request)
        if level != self._settings.sandbox and self._chain is not None:
            demand(self._chain(self._settings.cache), level)
        if request.task.domain not in FOREIGN:  # those are built and run when they are admitted: a worker's business
            resolve(DOMAINS[request.task.domain], config).admit(request.task)


def warm() -> None:
    """Import what admission needs, so that the first request does not wait for it."""
    for kind, table in (("domains", DOMAINS), ("strategies", STRATEGIES), ("searchers", SEARCHERS)):
        for name in table:
            load(kind, name, table)


def policy(settings: Settings, request: JobRequest) -> str:
    """The sandbox level that a job needs: the server's where its code comes from a client or from a model."""
    weakest_first = list(LEVELS)
    if settings.sandbox not in LEVELS:
        raise UnknownName("sandbox level", settings.sandbox, LEVELS)
    foreign = request.task.domain in FOREIGN or model_of(settings, request) != "none"
    return max(settings.sandbox, settings.served_sandbox if foreign else "none", key=weakest_first.index)


def model_of(settings: Settings, request: JobRequest) -> str:
    """The model of a job: its own, else the server's."""
    return str(request.options.get("model") or settings.model)
