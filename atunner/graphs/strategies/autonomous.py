"""Autonomous: plan, take the next step, check it, break it down, apply it; the loop verifies, tunes and keeps; replan.

    settle -> [ plan -> agree ] -> pick -> apply

One step a round. The memo holds the plan, what each step brought, and how often was planned and broken down.
"""

from typing import Any, Literal

from langgraph.graph import END, START
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from atunner.agents.briefing import brief
from atunner.core.approval import Approved, Question
from atunner.core.consult import fitting, put
from atunner.graphs.approval import said, wait_for, wanted
from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import finished, strategy_graph
from atunner.graphs.strategies.material import gather
from atunner.graphs.strategies.steps import Memo, Settings, base_after, drafted, known, propose, reckon, rewrite, say

MOST_STEPS = 8
WHOLE = "the whole plan"
PLAN = (
    "Plan at most {most} steps that make this kernel faster, most promising first. Each step is one change to the "
    "kernel's code in one sentence; no host code, no measuring, no testing.{past}"
)
CHECK = (
    "Is this step one change to the kernel's own code that could make it faster (is_tuning)? Is it too much for one "
    "rewrite (too_big)? The step:\n{step}"
)
BREAK = "Break this step into two to four smaller ones that are applied one after the other. The step:\n{step}"
APPLY = "Apply this step, and only this one, to the kernel. Turn its numbers into parameters. The step:\n{step}"


class Plan(BaseModel):
    """A planner's answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: tuple[str, ...] = Field(min_length=1, max_length=32)


class StepCheck(BaseModel):
    """A planner's view of one step."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    is_tuning: bool
    too_big: bool = False
    reason: str = ""


class Autonomous(Settings):
    """with_replanning, max_replanning: when a plan is done, make another from code and outcomes, so many times.

    breakdown_steps, max_breakdowns: break steps that are too big, so many in a run. retries: of a step that fell.
    """

    with_replanning: bool = True
    max_replanning: int = Field(default=3, ge=0)
    breakdown_steps: bool = True
    max_breakdowns: int = Field(default=1, ge=0)
    retries: int = Field(default=1, ge=0)


def _settings(deps: Deps) -> Autonomous:
    settings: Autonomous = known(deps.options.strategy, Autonomous)
    return settings


def _steps(memo: Memo, name: str) -> list[str]:
    found = memo.get(name)
    return [str(s) for s in found] if isinstance(found, list) else []


def _told(memo: Memo, step: str, said: str) -> list[JsonValue]:
    done: list[JsonValue] = [*_steps(memo, "done"), f"{step[:200]}: {said}"]
    return done[-12:]


def _number(memo: Memo, name: str) -> int:
    found = memo.get(name)
    return found if isinstance(found, int) else 0


async def settle(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """What the last round's step brought: kept, tried without gain, or refused; a refused one is tried once more."""
    deps, memo = runtime.context, dict(state.memo)
    step = str(memo.pop("step", "") or "")
    if not step:
        return {"memo": {**memo, "base": memo.get("base") or state.baseline}}
    outcome = reckon(deps, state)
    if outcome.why and _number(memo, "retried") < _settings(deps).retries:
        memo |= {"retried": _number(memo, "retried") + 1, "plan": [step, *_steps(memo, "plan")]}
    else:
        said = f"refused, {outcome.why[:160]}" if outcome.why else "kept" if outcome.kept else "no gain beyond noise"
        memo |= {"retried": 0, "done": _told(memo, step, said)}
    return {"memo": {**memo, "base": base_after(deps, state, outcome)}}


def wants_plan(state: TuningState, runtime: Runtime[Deps]) -> Literal["plan", "pick"]:
    """Plan at the start, and again when a plan is done and replanning is left."""
    settings, planned = _settings(runtime.context), _number(state.memo, "plans")
    if _steps(state.memo, "plan") or runtime.context.model is None:
        return "pick"
    most = 1 + (settings.max_replanning if settings.with_replanning else 0)
    return "plan" if planned < most else "pick"


def again(state: TuningState, runtime: Runtime[Deps]) -> Literal["plan", "pick"]:
    """Plan once more where a person refused the plan; a model without a plan is not asked again at once."""
    refused = any(d.startswith(WHOLE) for d in _steps(state.memo, "done")[-1:])
    return wants_plan(state, runtime) if refused else "pick"


async def plan(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Ask the planner, telling it what the steps so far brought."""
    deps = runtime.context
    done = _steps(state.memo, "done")
    past = "\nSteps so far and what they brought:\n" + "\n".join(f"- {d}" for d in done) if done else ""
    order = PLAN.format(most=MOST_STEPS, past=past)
    limit = fitting(deps.model, "planner", Plan, _settings(deps).brief_tokens)
    told = brief("planner", gather(deps, state), order, limit)
    answer = await put(deps.model, "planner", told.text, Plan, deps.tools("planner")) if deps.model else None
    steps = [s.strip()[:600] for s in answer.steps if s.strip()][:MOST_STEPS] if answer else []
    say(deps, state, "planner", f"{len(steps)} steps planned" if answer else "no valid plan", tuple(steps))
    return {"memo": {**state.memo, "plan": steps, "plans": _number(state.memo, "plans") + 1}}


async def agree(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Where a person wants to be asked: the plan as it is, with other steps, or another one by the comment."""
    deps, steps = runtime.context, _steps(state.memo, "plan")
    if not wanted(deps, Approved.PLAN) or not steps:
        return {}
    title = f"May plan {_number(state.memo, 'plans')} be followed?"
    question = Question(kind=Approved.PLAN, round=state.round, title=title, lines=tuple(steps))
    decision = wait_for(deps, question)
    said(deps, state, [decision], "plan")
    if decision.approved:
        return {"memo": {**state.memo, "plan": list(decision.steps or steps)}}
    told = _told(state.memo, WHOLE, f"refused by a person: {decision.comment or 'no reason given'}")
    return {"memo": {**state.memo, "plan": [], "done": told}}


async def pick(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """The next step that is a tuning step; one that is too big is broken down while that is allowed."""
    deps, settings, memo = runtime.context, _settings(runtime.context), dict(state.memo)
    left = _steps(memo, "plan")
    while left and deps.model is not None:
        step = left.pop(0)
        if _number(memo, "retried"):
            return {"memo": {**memo, "plan": left, "step": step}}
        check = await deps.model.ask("planner", CHECK.format(step=step), StepCheck)
        if check is not None and not check.is_tuning:
            memo["done"] = _told(memo, step, "not a tuning step")
            continue
        if check is not None and check.too_big and _may_break(memo, settings):
            memo["breakdowns"] = _number(memo, "breakdowns") + 1
            smaller = await deps.model.ask("planner", BREAK.format(step=step), Plan)
            if smaller is not None:
                left = [*(s[:600] for s in smaller.steps[:4]), *left]
                continue
        return {"memo": {**memo, "plan": left, "step": step}}
    return {"memo": {**memo, "plan": left}}


def _may_break(memo: Memo, settings: Autonomous) -> bool:
    return settings.breakdown_steps and _number(memo, "breakdowns") < settings.max_breakdowns


async def apply(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Have the step written; without one the round is search alone."""
    deps, step = runtime.context, str(state.memo.get("step") or "")
    if not step:
        return await propose(deps, state, state.memo, (), "no step left")
    answer = await rewrite(deps, state, APPLY.format(step=step), _settings(deps))
    said = f"step: {step[:120]}" + ("" if answer else ": no valid answer")
    return await propose(deps, state, state.memo, drafted(deps, answer), said)


def autonomous() -> Any:
    """The strategy."""
    graph = strategy_graph()
    graph.add_node("settle", settle)
    graph.add_node("plan", plan)
    graph.add_node("agree", agree)
    graph.add_node("pick", pick)
    graph.add_node("apply", apply)
    graph.add_edge(START, "settle")
    graph.add_conditional_edges("settle", wants_plan)
    graph.add_edge("plan", "agree")
    graph.add_conditional_edges("agree", again)
    graph.add_edge("pick", "apply")
    graph.add_edge("apply", END)
    return finished(graph, Autonomous)
