"""Rules choose the families, search finds the numbers; a model, where there is one, is asked for the moves."""

from typing import Any

from langgraph.graph import START
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict

from atunner.agents import codegen
from atunner.agents.codegen import FamilyRecord, Situation
from atunner.core.errors import ToolError
from atunner.core.space import Advice, Family
from atunner.core.status import Provenance
from atunner.core.task import Objective
from atunner.core.trial import Trial
from atunner.graphs.deps import Deps
from atunner.graphs.nodes import note
from atunner.graphs.state import TuningState
from atunner.graphs.strategies import finished, strategy_graph


class Nothing(BaseModel):
    """This strategy has no settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def records(deps: Deps, state: TuningState) -> tuple[FamilyRecord, ...]:
    """What this run knows of each family, from the database: predicted costs where nothing can be measured.

    A figure to maximise counts as its inverse, so that lower is better for every family.
    """
    figures: dict[str, list[tuple[float | None, dict[str, Any]]]] = {}
    if deps.domain.provenance(state.task) is Provenance.PREDICTED:
        for screening in deps.memory.screenings(deps.run):
            figures.setdefault(screening.candidate.family, []).append((screening.score, screening.candidate.params))
    else:
        for trial in deps.memory.trials(deps.run):
            value = _cost(trial, state.task.objective)
            figures.setdefault(trial.candidate.family, []).append((value, trial.candidate.params))
    known = (_record(f, figures.get(f.name, [])) for f in deps.domain.families(state.task))
    return tuple(r.model_copy(update={"exhausted": r.family.name in state.closed}) for r in known)


def _cost(trial: Trial, objective: Objective) -> float | None:
    if trial.measurement is None:
        return None
    value = trial.measurement.value
    return value if objective.minimise else 1.0 / value if value > 0 else None


def _record(family: Family, figures: list[tuple[float | None, dict[str, Any]]]) -> FamilyRecord:
    good = [(value, params) for value, params in figures if value is not None]
    record = FamilyRecord(family=family, tried=len(figures), failed=len(figures) - len(good))
    if not good:
        return record
    value, params = min(good, key=lambda pair: pair[0])
    return record.model_copy(update={"best": value, "best_params": params})


def advised(deps: Deps, state: TuningState, points: int) -> tuple[Advice, ...]:
    """Where the domain's own expert would search next; () for a domain that has none."""
    expert = getattr(deps.domain, "advise", None)
    if expert is None:
        return ()
    found: tuple[Advice, ...] = expert(state.task, deps.memory.trials(deps.run), points)
    return found


def look(deps: Deps, state: TuningState) -> Situation:
    """What the codegen agent may look at now."""
    if not (state.operator and state.hardware and state.diagnosis and state.fusion):
        raise ToolError(f"Run {deps.run} reached codegen without the other agents' answers.")
    bound = state.budget.trials
    points = deps.options.slice if bound is None else max(1, min(deps.options.slice, bound - state.spent.trials))
    return Situation(
        operator=state.operator,
        hardware=state.hardware,
        diagnosis=state.diagnosis,
        fusion=state.fusion,
        records=records(deps, state),
        recalled=deps.recalled if state.round == 0 else (),
        round=state.round,
        advised=advised(deps, state, points),
        points=points,
    )


async def propose(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Ask the codegen agent what to try next."""
    deps = runtime.context
    spoken = await codegen.propose(deps.model, deps.tools("codegen"), look(deps, state))
    points_said = tuple(f"{m.family}: {m.points} points, {m.reason}" for m in spoken.answer.moves)
    note(deps, state, "codegen", spoken, spoken.answer.summary, points_said)
    return {"proposal": spoken.answer}


def expert() -> Any:
    """The strategy that needs no model."""
    graph = strategy_graph()
    graph.add_node("propose", propose)
    graph.add_edge(START, "propose")
    return finished(graph, Nothing)
