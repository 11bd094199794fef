"""Where objects meet: settings and a task become a run, and the record comes back out of the database."""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from atunner.agents.codegen import Recalled
from atunner.core.approval import Question, asked_for
from atunner.core.consult import Toolbox
from atunner.core.device import Device
from atunner.core.errors import ATunnerError, Interrupted, UserError
from atunner.core.plugins import load
from atunner.core.ports import Domain, Executor
from atunner.core.record import AgentNote, RunRecord, RunState
from atunner.core.status import Provenance
from atunner.core.task import Task
from atunner.domains import BUILT_IN as DOMAINS
from atunner.domains.kernels.bundle_result import as_measured, read_result
from atunner.executors import BUILT_IN as EXECUTORS
from atunner.executors.work import resolve
from atunner.graphs.approval import decide, pending, repeat
from atunner.graphs.briefs import Briefing
from atunner.graphs.deps import Deps
from atunner.graphs.drive import drive
from atunner.graphs.events import Watch, ignore
from atunner.graphs.holding import contexts_then, keep_contexts, must_fit
from atunner.graphs.replay import (
    RecordEnded,
    as_repeat,
    keep_recalled,
    recalled_then,
    replayed,
    report_to,
    source_of,
    verdict_on,
)
from atunner.graphs.request import Request, affordable, request_from, request_values
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import ASKING
from atunner.graphs.strategies.own import exits, guarded
from atunner.graphs.strategies.prepare import must_suit, prepared, without_model
from atunner.graphs.thread import in_thread
from atunner.knowledge_base.database import SHORT_S, Database
from atunner.knowledge_base.devices import device as named_device
from atunner.knowledge_base.store import Store
from atunner.knowledge_base.tools import toolbox
from atunner.llm import Terms, named, replay_of
from atunner.llm import model as make_model
from atunner.llm.panel import CastModel
from atunner.llm.preflight import check as check_models
from atunner.llm.prices import price
from atunner.llm.unheard import unheard
from atunner.search import method
from atunner.search.formats.recalled import searching
from atunner.settings import Settings, secret
from atunner.tools.clock import WallClock
from atunner.tools.lock import held

HOST = "host"
GOOD_START = 1.1
STARTS = 6


@dataclass(frozen=True)
class AtWork:
    """A domain in this process, and the executor that works for it."""

    domain: Domain[Any]
    executor: Executor


def device_of(settings: Settings, task: Task) -> Device:
    """The target; what was measured of this machine is kept with the cache."""
    return named_device(task.target, settings.cache)


def domain_config(settings: Settings, task: Task) -> dict[str, JsonValue]:
    """What a worker needs to make the domain by itself: values only."""
    device = device_of(settings, task)
    return {
        "cache": str(settings.cache),
        "device": device.model_dump(mode="json"),
        "workers": settings.build_workers,
        "sandbox": settings.sandbox,
        "torch_python": settings.torch_python,
        **({"powercap": str(settings.powercap)} if task.domain == "user_kernels" else {}),
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
        self.store = store or Store(Database(self.settings.database_url, busy_s=SHORT_S))

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
        prepared(request.strategy, request.options.strategy)
        asked_for(request.options.approve)
        if not replay_of(request.model or self.settings.model):
            affordable(request.budget)
        with self._at_work(request.task, request.executor) as work:
            record = self._admitted(request, work.domain, run)
            without_model(self.store, record, request.strategy, watch)
            return self._drive(record, request, watch, stop, work)

    def _admitted(self, request: Request, domain: Domain[Any], run: str) -> RunRecord:
        """The record of a run that may begin; it is kept, and so is its request."""
        source = self._source(request)
        task = source.task if source and source.task.id == request.task.id else domain.admit(request.task)
        if not domain.unreachable(task):
            method(request.options.search)
        must_suit(request.strategy, request.options.strategy, domain.baseline(task))
        run = run or new_run(task)
        provenance = domain.provenance(task)
        record = RunRecord(
            run=run,
            task=task,
            state=RunState.RUNNING,
            facts=domain.facts(task),
            device=device_of(self.settings, task),
            provenance=provenance,
            environment=domain.environment(task),
            budget=request.budget,
            model=request.model or self.settings.model,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            version=_version(),
        )
        if source is not None:
            record = as_repeat(source, record)
        contexts = self._check_model(record, request, domain)
        # The request first: a run that is in the list can always be resumed as it was asked for.
        self.store.event(run, "request", request_values(request, self.settings.prices), key="request")
        keep_contexts(self.store, run, contexts)
        self._keep_recalled(record)
        self.store.save_run(record)
        return record

    def output_of(self, run: str) -> Path | None:
        """The folder for results that was named when the run was started, None when none was."""
        return self._asked(self.store.head(run)).output

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
        request = self._asked(record)
        with self._at_work(record.task, request.executor) as work:
            return self._drive(record, request, watch, stop, work)

    def _asked(self, record: RunRecord) -> Request:
        """The request that a run was started with."""
        asked = [e.body for e in self.store.events(record.run) if e.kind == "request"]
        return request_from(record, asked[0] if asked and isinstance(asked[0], dict) else {})

    def _source(self, request: Request) -> RunRecord | None:
        """The run whose record answers in place of builds and measurements.

        Raises:
            UserError: there is none of that name, or it is a replay itself.
        """
        text = request.model or self.settings.model
        if not replay_of(text):
            if request.remeasure:
                raise UserError(f"To remeasure takes the answers of a run: give replay:RUN as the model, got {text!r}.")
            return None
        source = self.store.load(replay_of(text))
        if replay_of(source.model):
            raise UserError(f"Run {source.run} is itself a replay of {replay_of(source.model)}; replay that one.")
        return None if request.remeasure else source

    def _keep_recalled(self, record: RunRecord) -> None:
        """What was known when the run began, kept so that a resumed or replayed run is told the same."""
        source = replay_of(record.model)
        found = recalled_then(self.store, source) if source else None
        keep_recalled(self.store, record.run, self.recalled(record.task) if found is None else found)
        if source:
            repeat(self.store, source, record.run)

    def again(self, run: str, remeasure: bool = False) -> Request:
        """The request that repeats a run with its own answers, within what it spent.

        Raises:
            UserError: no such run.
        """
        record = self.store.load(run)
        bound = record.budget.model_copy(update={"seconds": None, "usd": None})
        if bound.trials is None or record.budget.seconds is not None:
            bound = bound.model_copy(update={"trials": max(1, record.spent.trials)})
        return replace(self._asked(record), model=f"replay:{run}", remeasure=remeasure, budget=bound)

    def question(self, run: str) -> Question | None:
        """What a waiting run asks a person; None when it asks nothing."""
        return pending(self.store, run)

    def approve(
        self,
        run: str,
        approved: bool = True,
        comment: str = "",
        steps: Sequence[str] = (),
        question: str | None = None,
    ) -> RunRecord:
        """Answer what a run waits for; `resume` goes on with it. steps: a plan to follow instead of the one shown.

        question: the id of what is answered; None for whatever the run asks now.

        Raises:
            UserError: no such run, or it waits for nothing or something else.
        """
        self.store.head(run)
        decide(self.store, run, approved, comment, tuple(steps), question)
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

    def _check_model(self, record: RunRecord, request: Request, domain: Domain[Any]) -> dict[str, int]:
        """Refuse models that cannot do; what each holds, by name, where it is known."""
        prices = request.prices or self.settings.prices
        if prices is not None:
            price(record.model, prices)  # reads it, so that a wrong file is found also where nothing is asked
        model = self._model(record, request)
        check_models(record.model, secret("OPENAI_API_KEY"))
        if request.strategy in ASKING:
            must_fit(model, Briefing(domain, device_of(self.settings, record.task), record.task))
        return model.contexts if model else {}

    def _model(self, record: RunRecord, request: Request) -> CastModel | None:
        """The run's models; a replay of a run that asked none has none."""
        source = replay_of(record.model)
        if source and not self.store.calls(source):
            return None
        budget = record.budget
        terms = Terms(budget.tokens, budget.usd, secret("OPENAI_API_KEY"), request.prices or self.settings.prices)
        terms = replace(terms, contexts=contexts_then(self.store, source or record.run))
        if source:
            told = report_to(self.store, record.run)
            terms = replace(
                terms,
                cast=named(self.store.head(source).model),
                diverged=lambda role, number: told(f"call {number} of {role} asks what was not asked then"),
            )
        return make_model(record.model, record.run, self.store, terms)

    def _drive(
        self, record: RunRecord, request: Request, watch: Watch, stop: threading.Event | None, work: AtWork
    ) -> RunRecord:
        """Run the graph to its end, alone: two processes at work on one run would both judge its next candidate."""
        run = record.run
        with held(self.settings.lock_of(run)) as alone:
            if not alone:
                raise UserError(f"Run {run} is at work in another process; wait for it, or stop that one first.")
            self.store.set_state(run, RunState.RUNNING)
            deps = self._deps(record, request, watch, stop or threading.Event(), work)
            strategy = guarded(prepared(request.strategy, request.options.strategy), request.strategy, run)
            start = TuningState(run=run, task=record.task, budget=record.budget)
            try:
                with self._accounted(run), exits(request.strategy, run):
                    try:
                        in_thread(drive(deps, start, strategy, self.settings.data), f"run {run}", stop)
                    except RecordEnded as end:
                        self._keep_best(run)
                        self.store.set_state(run, RunState.DONE, str(end))
                    self._tell_unheard(run)
                    self._compare_replay(run, record.model)
            except KeyboardInterrupt as error:
                if stop is None:
                    raise
                raise Interrupted(f"Stopped at once. Go on with: atunner resume {run}") from error
        return self.store.load(run)

    def _accounted(self, run: str) -> ExitStack:
        """Whatever ends the run, what it spent is recorded, and why it ended early."""
        ends = ExitStack()
        ends.callback(self._spent, run)
        ends.push(lambda _, error, __: None if error is None else self._stopped(run, error))
        return ends

    def _spent(self, run: str) -> None:
        self.store.set_spent(run, self.store.call_totals(run).model_copy(update={"seconds": 0.0}))

    def _tell_unheard(self, run: str) -> None:
        if said := unheard(self.store.calls(run)):
            self.store.note(run, AgentNote(round=0, agent="model", by="rules", summary=said))

    def _compare_replay(self, run: str, model: str) -> None:
        """Say whether a replay went the way of its source, and where it first did not."""
        source = replay_of(model)
        if source and self.store.head(run).state is RunState.DONE:
            now = self.store.load(run)
            self.store.note(run, verdict_on(self.store, self.store.load(source), now, len(self.store.calls(run))))

    def _stopped(self, run: str, error: BaseException) -> None:
        """Keep the reason and the best so far; a run that was stopped, or met a missing program, can be resumed."""
        reason = str(error) if isinstance(error, ATunnerError) else type(error).__name__
        state = RunState.INTERRUPTED if isinstance(error, ATunnerError | KeyboardInterrupt) else RunState.FAILED
        self._keep_best(run)
        self.store.set_state(run, state, reason)

    def _keep_best(self, run: str) -> None:
        """The best so far of a run that was not confirmed."""
        ranked = self.store.load(run).ranked
        if ranked:
            self.store.save_run(self.store.head(run).model_copy(update={"best": ranked[0].candidate.id}))

    @contextmanager
    def _at_work(self, task: Task, executor: str) -> Iterator[AtWork]:
        """The executor, and the domain that it has in this process, else another one."""
        path, config = DOMAINS[self._domain(task)], domain_config(self.settings, task)
        with closing(load("executors", executor, EXECUTORS)(path, config, self.settings.build_workers)) as made:
            yield AtWork(getattr(made, "domain", None) or resolve(path, config), made)

    def _deps(self, record: RunRecord, request: Request, watch: Watch, stop: threading.Event, work: AtWork) -> Deps:
        task, clock = record.task, WallClock()
        deps = Deps(
            run=record.run,
            domain=work.domain,
            device=device_of(self.settings, task),
            present=record.provenance is not Provenance.PREDICTED,
            memory=self.store,
            executor=work.executor,
            searcher=searching(task, request.rules),
            tools=self._tools(task),
            clock=clock,
            model=self._model(record, request),
            recalled=recalled_then(self.store, record.run) or (),
            options=request.options,
            watch=watch,
            stopped=stop.is_set,
            began=clock.now(),
            earlier_s=record.spent.seconds,
        )
        source = self._source(replace(request, model=record.model))
        return deps if source is None else replayed(deps, source_of(self.store, source))

    def _tools(self, task: Task) -> Callable[[str], Toolbox]:
        return lambda agent: toolbox(agent, self.store, task)

    def recalled(self, task: Task) -> tuple[Recalled, ...]:
        """Good points of similar earlier tasks; the run says where they came from. A replay knows what it is given."""
        found = [] if "recording" in task.spec else [p for p in self.store.history(task) if p.relative <= GOOD_START]
        return tuple(Recalled(family=p.family, params=p.params, from_task=p.run) for p in found[:STARTS])


def _version() -> str:
    from atunner import __version__

    return str(__version__)
