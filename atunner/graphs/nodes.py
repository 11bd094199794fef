"""The nodes of the optimise graph: glue between agents, domain and database. Each may run twice after a crash."""

import asyncio
from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel

from atunner.agents import evaluation, fusion, hardware, operator, performance
from atunner.core.consult import Spoken
from atunner.core.errors import ToolError
from atunner.core.record import AgentNote, RunState
from atunner.core.status import Status
from atunner.core.trial import Trial
from atunner.graphs.deps import Deps
from atunner.graphs.events import Event
from atunner.graphs.slice import PATIENCE, Slice
from atunner.graphs.state import TuningState

Update = dict[str, Any]


def note(
    deps: Deps, state: TuningState, agent: str, spoken: Spoken[Any], summary: str, points: tuple[str, ...]
) -> None:
    """Record what an agent said and tell whoever watches."""
    answer: BaseModel = spoken.answer
    deps.memory.note(
        deps.run,
        AgentNote(
            round=state.round,
            agent=agent,
            by=spoken.by,
            summary=summary,
            points=points,
            answer=answer.model_dump(mode="json"),
            tools=spoken.tools,
        ),
    )
    deps.watch(Event(run=deps.run, kind="note", round=state.round, stage=agent, message=summary))


async def examine_operator(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """What is computed."""
    deps = runtime.context
    facts = deps.domain.facts(state.task)
    spoken = await operator.examine(deps.model, deps.tools("operator"), facts)
    note(deps, state, "operator", spoken, spoken.answer.summary, facts.access)
    return {"operator": spoken.answer}


async def examine_hardware(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """What the device can do."""
    deps = runtime.context
    facts = deps.domain.facts(state.task)
    blocked = bool(deps.domain.unreachable(state.task))
    spoken = await hardware.examine(deps.model, deps.tools("hardware"), deps.device, facts, deps.present)
    note(deps, state, "hardware", spoken, spoken.answer.summary, deps.device.notes)
    return {"hardware": spoken.answer, "blocked": blocked}


async def take_baseline(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """Judge the naive candidate; a baseline that is not OK ends the run, since nothing could be compared with it."""
    deps = runtime.context
    work = Slice(deps, state)
    trial = await asyncio.to_thread(work.judge_first, deps.domain.baseline(state.task))
    if trial.status is Status.NOT_MEASURED:
        raise ToolError(await asyncio.to_thread(_unmeasurable, deps, trial))
    if trial.status is not Status.OK or trial.measurement is None:
        raise ToolError(f"The baseline is {trial.status}, so nothing can be compared with it: {trial.feedback}")
    spent = work.spent()
    deps.memory.set_baseline(deps.run, trial)
    deps.memory.set_spent(deps.run, spent)
    value = trial.measurement.value
    best = {"best": trial.candidate.id, "best_value": value}
    return {"baseline": trial.candidate.id, "baseline_value": value, "spent": spent, "before": spent, **best}


def _unmeasurable(deps: Deps, trial: Trial) -> str:
    """Why there is no figure to compare with, and what to do about it."""
    busy = deps.rest()
    why = f"The machine is busy ({busy})" if busy else "The machine is not busy now"
    return (
        f"Not measurable here: {trial.feedback} Judged {PATIENCE + 1} times. {why}: stop other work or take a larger "
        f"problem; then go on with: atunner resume {deps.run}"
    )


async def diagnose(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """The one thing that limits the best candidate now."""
    deps = runtime.context
    trial = deps.memory.trial(deps.run, state.best or "")
    if trial is None:
        raise ToolError(f"Run {deps.run} has no trial {state.best}; its record is incomplete.")
    facts = deps.domain.facts(state.task)
    spoken = await performance.diagnose(deps.model, deps.tools("performance"), trial, facts, deps.device)
    note(deps, state, "performance", spoken, spoken.answer.summary, spoken.answer.evidence)
    return {"diagnosis": spoken.answer}


async def fuse(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """What could be merged. The answer does not change from round to round, so it is asked once."""
    if state.fusion is not None:
        return {}
    deps = runtime.context
    bound = state.hardware.bound_us if state.hardware else 0.0
    spoken = await fusion.examine(deps.model, deps.tools("fusion"), deps.domain.facts(state.task), deps.device, bound)
    points = tuple(
        f"{o.name} ({o.route}): saves {o.saved_bytes / 1e6:.3g} MB" + (f"; blocked: {o.blocker}" if o.blocker else "")
        for o in spoken.answer.opportunities
    )
    note(deps, state, "fusion", spoken, spoken.answer.summary, points)
    return {"fusion": spoken.answer}


async def evaluate(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """Spend the proposal's points, then say what the round was worth and whether to go on."""
    deps = runtime.context
    work = Slice(deps, state)
    closed = tuple(sorted({*state.closed, *await asyncio.to_thread(work.run)}))
    best, spent = work.best(), work.spent()
    update = _progress(state, best)
    deps.memory.set_spent(deps.run, spent)
    deps.memory.save_run(deps.memory.head(deps.run).model_copy(update={"best": update["best"]}))
    open_ = {f.name for f in deps.domain.families(state.task)} - {*closed}
    exhausted = not open_ or not (state.proposal and state.proposal.moves)
    after = state.model_copy(update={**update, "spent": spent, "exhausted": exhausted})
    spoken = await evaluation.decide(deps.model, deps.tools("evaluation"), standing(deps, after))
    note(deps, state, "evaluation", spoken, spoken.answer.reason, ())
    ended = {"spent": spent, "before": spent, "round": state.round + 1, "exhausted": exhausted, "closed": closed}
    return {**update, **ended, "verdict": spoken.answer}


def _progress(state: TuningState, best: Trial | None) -> Update:
    """The best so far, and by how much this round moved it; 1 % is the least that counts as progress."""
    if best is None or best.measurement is None or state.best_value is None:
        return {"best": state.best, "best_value": state.best_value, "gain": 1.0, "stale": state.stale + 1}
    gain = state.task.objective.ratio(state.best_value, best.measurement.value)
    stale = 0 if gain > 1.01 else state.stale + 1
    return {"best": best.candidate.id, "best_value": best.measurement.value, "gain": gain, "stale": stale}


def standing(deps: Deps, state: TuningState) -> evaluation.Standing:
    """What the evaluation agent decides on."""
    known = state.best_value is not None and state.baseline_value is not None
    ratio = state.task.objective.ratio(state.baseline_value or 0.0, state.best_value or 0.0) if known else None
    return evaluation.Standing(
        round=state.round,
        budget=state.budget,
        spent=state.spent,
        best=state.best_value,
        baseline=state.baseline_value,
        ratio=ratio,
        gain=state.gain,
        stale=state.stale,
        headroom=state.diagnosis.headroom if state.diagnosis else None,
        target_ratio=deps.options.target_ratio,
        at_limit=state.best != state.baseline and performance.at_limit(state.diagnosis),
        exhausted=state.exhausted,
        last=state.round + 1 >= deps.options.rounds,
        patience=deps.options.patience,
    )


async def analyse(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """The end of a run whose target no compiler here can reach: facts and fusion, and one line saying why no code."""
    deps = runtime.context
    reason = deps.domain.unreachable(state.task)
    update = await fuse(state, runtime)
    deps.memory.set_state(deps.run, RunState.DONE, reason)
    deps.watch(Event(run=deps.run, kind="end", round=state.round, stage="analysis", message=reason))
    return update
