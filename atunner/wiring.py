"""Where objects meet: settings and a task become a run, and the record comes back out of the database."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from atunner.agents.codegen import Recalled
from atunner.core.approval import Question, asked_for
from atunner.core.consult import Toolbox
from atunner.core.errors import ATunnerError, Interrupted, UserError
from atunner.core.plugins import load
from atunner.core.record import RunRecord, RunState
from atunner.core.status import Provenance
from atunner.core.task import Budget, Task
from atunner.domains import BUILT_IN as DOMAINS
from atunner.domains.kernels.bundle_result import as_measured, read_result
from atunner.executors import BUILT_IN as EXECUTORS
from atunner.executors.work import resolve
from atunner.graphs.approval import decide, pending
from atunner.graphs.deps import Deps, Options
from atunner.graphs.drive import drive
from atunner.graphs.events import Watch, ignore
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import strategy as find_strategy
from atunner.knowledge_base.devices import device as named_device
from atunner.knowledge_base.store import Store
from atunner.knowledge_base.tools import toolbox
from atunner.llm import Terms
from atunner.llm import model as make_model
from atunner.llm.preflight import check as check_models
from atunner.search import BUILT_IN as SEARCHERS
from atunner.search.formats.recalled import searching
from atunner.settings import Settings, secret
from atunner.tools.lock import held

HOST = "host"
GOOD_START = 1.1
STARTS = 6


@dataclass(frozen=True)
class Request:
    """What a user asks for: the task, its budget, and how to run it. model: "" for the configured one."""

    task: Task
    budget: Budget
    options: Options = field(default_factory=Options)
    model: str = ""
    strategy: str = "expert"
    executor: str = "local"


class WallClock:
    """Real time."""

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()


def domain_config(settings: Settings, task: Task) -> dict[str, JsonValue]:
    """What a worker needs to make the domain by itself: values only."""
    device = named_device(task.target)
    return {
        "cache": str(settings.cache),
        "device": device.model_dump(mode="json"),
        "workers": settings.build_workers,
        "sandbox": settings.sandbox,
        "torch_python": settings.torch_python,
    }


def new_run(task: Task) -> str:
    """A name for a run that sorts by time and says what it is about."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = "".join(c for c in task.target.lower() if c.isalnum())
    return f"{task.name}-{target}-{stamp}-{secrets.token_hex(2)}"


class Session:
    """Settings and one open database; starts, resumes and reads runs. Close it when done."""

    def __init__(self, settings: Settings | None = None, store: Store | None = None) -> None:
        self.settings = settings or Settings()
        self.store = store or Store(self.settings.database_url)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def start(
        self, request: Request, watch: Watch = ignore, stop: threading.Event | None = None, run: str = ""
    ) -> RunRecord:
        """Run a request to its end. run: the name that was chosen for it before.

        Raises:
            UserError: the request is wrong. ToolError: the world failed; the run can be resumed. Interrupted: stopped.
        """
        find_strategy(request.strategy)()
        asked_for(request.options.approve)
        load("executors", request.executor, EXECUTORS)
        config = domain_config(self.settings, request.task)
        domain = resolve(DOMAINS[self._domain(request.task)], config)
        task = domain.admit(request.task)
        if not domain.unreachable(task):
            load("searchers", request.options.search, SEARCHERS)
        run = run or new_run(task)
        provenance = domain.provenance(task)
        record = RunRecord(
            run=run,
            task=task,
            state=RunState.RUNNING,
            facts=domain.facts(task),
            device=named_device(task.target),
            provenance=provenance,
            environment=domain.environment(task),
            budget=request.budget,
            model=request.model or self.settings.model,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            version=_version(),
        )
        self._check_model(record, request)
        # The request first: a run that is in the list can always be resumed as it was asked for.
        self.store.event(run, "request", request_values(request), key="request")
        self.store.save_run(record)
        return self._drive(record, request, watch, stop)

    def resume(self, run: str, watch: Watch = ignore, stop: threading.Event | None = None) -> RunRecord:
        """Go on with a run that was stopped or killed.

        Raises:
            UserError: no such run, it has ended, or another process is at work on it.
        """
        record = self.store.head(run)
        if record.state in (RunState.DONE, RunState.FAILED, RunState.CANCELLED):
            raise UserError(f"Run {run} is {record.state}; nothing to resume. Look at it with: atunner show {run}")
        waiting = pending(self.store, run)
        if waiting is not None:
            raise UserError(f"Run {run} waits for approval: {waiting.title} Answer with: atunner approve {run}")
        asked = [e.body for e in self.store.events(run) if e.kind == "request"]
        values = asked[0] if asked and isinstance(asked[0], dict) else {}
        request = request_from(record, values)
        return self._drive(record, request, watch, stop)

    def question(self, run: str) -> Question | None:
        """What a waiting run asks a person; None when it asks nothing."""
        return pending(self.store, run)

    def approve(self, run: str, approved: bool = True, comment: str = "", steps: Sequence[str] = ()) -> RunRecord:
        """Answer what a run waits for; `resume` goes on with it. steps: a plan to follow instead of the one shown.

        Raises:
            UserError: no such run, or it waits for nothing.
        """
        self.store.head(run)
        decide(self.store, run, approved, comment, tuple(steps))
        return self.store.load(run)

    def take_back(self, file: Path) -> RunRecord:
        """Record a bundle's result as a run of its own, measured on that device.

        Raises:
            UserError: the file is not a result, was changed, or is of a run that is not here.
        """
        result = read_result(file)
        record = as_measured(self.store.load(result.run), result)
        device = "".join(c for c in result.environment.device.lower() if c.isalnum())
        name = f"{record.run}-on-{device}-{result.environment.id[:4]}"
        imported = record.model_copy(update={"run": name, "stop_reason": f"imported from {file.name}"})
        self.store.save_run(imported)
        return self.store.load(name)

    def _domain(self, task: Task) -> str:
        load("domains", task.domain, DOMAINS)
        return task.domain

    def _check_model(self, record: RunRecord, request: Request) -> None:
        make_model(record.model, record.run, self.store, self._terms(record))
        check_models(record.model, secret("OPENAI_API_KEY"))

    def _terms(self, record: RunRecord) -> Terms:
        """What the run's models may cost, and where their key and prices come from."""
        budget = record.budget
        return Terms(budget.tokens, budget.usd, secret("OPENAI_API_KEY"), self.settings.prices)

    def _drive(
        self,
        record: RunRecord,
        request: Request,
        watch: Watch,
        stop: threading.Event | None,
    ) -> RunRecord:
        """Run the graph to its end, alone: two processes at work on one run would both judge its next candidate."""
        run = record.run
        with held(self.settings.data / "locks" / f"{run}.lock") as alone:
            if not alone:
                raise UserError(f"Run {run} is at work in another process; wait for it, or stop that one first.")
            self.store.set_state(run, RunState.RUNNING)
            with self._deps(record, request, watch, stop or threading.Event()) as deps:
                strategy = find_strategy(request.strategy)()
                start = TuningState(run=run, task=record.task, budget=record.budget)
                try:
                    _in_thread(drive(deps, start, strategy, self.settings.data), run, stop)
                except BaseException as error:
                    self._stopped(run, error)
                    if isinstance(error, KeyboardInterrupt) and stop is not None:
                        raise Interrupted(f"Stopped at once. Go on with: atunner resume {run}") from error
                    raise
                finally:
                    self.store.set_spent(run, self.store.call_totals(run).model_copy(update={"seconds": 0.0}))
        return self.store.load(run)

    def _stopped(self, run: str, error: BaseException) -> None:
        """Keep the reason and the best so far; a run that was stopped, or met a missing program, can be resumed."""
        reason = str(error) if isinstance(error, ATunnerError) else type(error).__name__
        state = RunState.INTERRUPTED if isinstance(error, ATunnerError | KeyboardInterrupt) else RunState.FAILED
        ranked = self.store.load(run).ranked
        if ranked:
            self.store.save_run(self.store.head(run).model_copy(update={"best": ranked[0].candidate.id}))
        self.store.set_state(run, state, reason)

    @contextmanager
    def _deps(self, record: RunRecord, request: Request, watch: Watch, stop: threading.Event) -> Iterator[Deps]:
        task = record.task
        path = DOMAINS[task.domain]
        config = domain_config(self.settings, task)
        executor = load("executors", request.executor, EXECUTORS)(path, config, self.settings.build_workers)
        device = named_device(task.target)
        clock = WallClock()
        try:
            yield Deps(
                run=record.run,
                domain=resolve(path, config),
                device=device,
                present=record.provenance is not Provenance.PREDICTED,
                memory=self.store,
                executor=executor,
                searcher=searching(task),
                tools=self._tools(task),
                clock=clock,
                model=make_model(record.model, record.run, self.store, self._terms(record)),
                recalled=self.recalled(task),
                options=request.options,
                watch=watch,
                stopped=stop.is_set,
                began=clock.now(),
                earlier_s=record.spent.seconds,
            )
        finally:
            executor.close()

    def _tools(self, task: Task) -> Callable[[str], Toolbox]:
        return lambda agent: toolbox(agent, self.store, task)

    def recalled(self, task: Task) -> tuple[Recalled, ...]:
        """Good points of similar earlier tasks; the run says where they came from."""
        found = [past for past in self.store.history(task) if past.relative <= GOOD_START]
        return tuple(Recalled(family=p.family, params=p.params, from_task=p.run) for p in found[:STARTS])


def _in_thread(work: Coroutine[Any, Any, None], run: str, stop: threading.Event | None) -> None:
    """Do `work` in an event loop in a thread of its own, so that a notebook's loop does not matter."""
    failure: list[BaseException] = []
    ended = threading.Event()

    def body() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            failure.append(error)
        finally:
            ended.set()

    threading.Thread(target=body, name=f"run {run}", daemon=True).start()
    _wait(ended, stop)
    if failure:
        raise failure[0]


def _wait(ended: threading.Event, stop: threading.Event | None) -> None:
    """Wait for the run; the first Ctrl-C asks it to stop at the next candidate, a second one leaves at once.

    An event and not Thread.join: a join that is interrupted takes a thread that runs for one that has ended.
    """
    try:
        while not ended.wait(0.2):
            pass
    except KeyboardInterrupt:
        if stop is None or stop.is_set():
            raise
        stop.set()
        _wait(ended, stop)


def _version() -> str:
    from atunner import __version__

    return str(__version__)


def request_values(request: Request) -> dict[str, JsonValue]:
    """What of a request is not in the run's record, as JSON, so that it can be resumed."""
    options = {name: getattr(request.options, name) for name in request.options.__dataclass_fields__}
    return {"options": options, "strategy": request.strategy, "executor": request.executor}


def request_from(record: RunRecord, values: dict[str, JsonValue]) -> Request:
    """The request that a run was started with."""
    options = values.get("options")
    return Request(
        task=record.task,
        budget=record.budget,
        options=Options(**options) if isinstance(options, dict) else Options(),  # type: ignore[arg-type]
        model=record.model,
        strategy=str(values.get("strategy", "expert")),
        executor=str(values.get("executor", "local")),
    )


def interrupted(error: BaseException) -> bool:
    """Whether the user stopped the run."""
    return isinstance(error, Interrupted)
