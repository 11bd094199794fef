"""What model-led strategies share: asking for a rewrite, reckoning what the last one brought, and filling the round."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from atunner.agents import codegen
from atunner.agents.brief import LEAST, LIMIT
from atunner.agents.briefing import brief
from atunner.agents.codegen import Draft, Proposal
from atunner.agents.rewrite import Rewrite
from atunner.core import wrong
from atunner.core.consult import Spoken, fitting, put
from atunner.core.errors import UserError
from atunner.core.record import AgentNote
from atunner.core.statistics import MINIMUM_GAIN, interval
from atunner.core.status import Status
from atunner.core.trial import Trial
from atunner.graphs.compile_tool import equipped
from atunner.graphs.deps import Deps
from atunner.graphs.nodes import note
from atunner.graphs.state import TuningState
from atunner.graphs.strategies.expert import look
from atunner.graphs.strategies.material import gather

Memo = dict[str, JsonValue]


class Settings(BaseModel):
    """Settings of a strategy; unknown names are errors. brief_tokens: of each brief at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    brief_tokens: int = Field(default=LIMIT, ge=LEAST)


def known(settings: dict[str, JsonValue], kind: type[BaseModel]) -> Any:
    """The settings of a strategy, typed.

    Raises:
        UserError: an unknown name or a value of another type.
    """
    unknown = sorted(settings.keys() - kind.model_fields.keys())
    if unknown:
        there = ", ".join(sorted(kind.model_fields)) or "none, this strategy has no settings"
        raise UserError(f"No strategy setting {unknown[0]!r}. Known: {there}.")
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise UserError(f"The strategy setting {name} is wrong: {wrong.said(first)}.") from error


async def rewrite(deps: Deps, state: TuningState, order: str, settings: Settings) -> Rewrite | None:
    """Ask the coder for one rewrite; None when there is no model or no valid answer."""
    if deps.model is None:
        return None
    limit = fitting(deps.model, "coder", Rewrite, settings.brief_tokens)
    told = brief("coder", gather(deps, state), order, limit)
    return await put(deps.model, "coder", told.text, Rewrite, equipped(deps, state, "coder"))


def drafted(deps: Deps, answer: Rewrite | None) -> tuple[Draft, ...]:
    """A rewrite of the run's model as a draft, to be derived from the strategy's own base."""
    return (Draft(rewrite=answer, by=f"model:{deps.model.name}"),) if deps.model and answer else ()


async def propose(deps: Deps, state: TuningState, memo: Memo, drafts: tuple[Draft, ...], said: str) -> dict[str, Any]:
    """The expert's moves for the round, and the drafts to be admitted; the memo goes with them."""
    filler = await codegen.propose(None, deps.tools("codegen"), look(deps, state))
    answer: Proposal = filler.answer.model_copy(update={"drafts": drafts})
    spoken = Spoken(answer, drafts[0].by if drafts else "rules", filler.tools)
    points = tuple(f"{m.family}: {m.points} points, {m.reason}" for m in answer.moves)
    note(deps, state, "codegen", spoken, f"{said}; {answer.summary}", points)
    return {"proposal": answer, "memo": {k: v for k, v in memo.items() if k != "admitted"}}


def say(deps: Deps, state: TuningState, agent: str, summary: str, points: tuple[str, ...] = ()) -> None:
    """Note what a strategy decided; one note for each round and agent."""
    by = f"model:{deps.model.name}" if deps.model else "rules"
    deps.memory.note(deps.run, AgentNote(round=state.round, agent=agent, by=by, summary=summary, points=points))


def better(new: Trial | None, old: Trial | None, minimise: bool) -> bool:
    """Whether the new figure is better beyond noise: the 95 % intervals of the medians are apart by the least gain."""
    if new is None or new.status is not Status.OK or new.measurement is None:
        return False
    if old is None or old.measurement is None:
        return True
    a, b = interval(old.measurement.samples), interval(new.measurement.samples)
    first, second = (a.low, b.high) if minimise else (b.low, a.high)
    return first > second * (1.0 + MINIMUM_GAIN)


class Outcome(BaseModel):
    """What the last step brought. kept: better beyond noise. why: of the refusal, "" when a family was taken."""

    family: str = ""
    kept: bool = False
    why: str = ""
    figure: float | None = None


def admitted(state: TuningState) -> list[tuple[str, str]]:
    """Family and reason of each draft of the last round, in order; no family where it fell."""
    found = state.memo.get("admitted")
    pairs = [d for d in found if isinstance(d, dict)] if isinstance(found, list) else []
    return [(str(d.get("family") or ""), str(d.get("why") or "")) for d in pairs]


def best_of(deps: Deps, state: TuningState, family: str) -> Trial | None:
    """The best OK trial of a family in this run."""
    sign = 1 if state.task.objective.minimise else -1
    mine = [t for t in deps.memory.trials(deps.run) if t.candidate.family == family and t.measurement]
    return min(mine, key=lambda t: sign * (t.measurement.value if t.measurement else 0.0), default=None)


def reckon(deps: Deps, state: TuningState) -> Outcome:
    """What came of the rewrite that the last round admitted, by the record."""
    found = admitted(state)
    if not found or not found[0][0]:
        return Outcome(why=found[0][1] if found else "no valid answer")
    family = found[0][0]
    best = best_of(deps, state, family)
    base = deps.memory.trial(deps.run, str(state.memo.get("base") or state.baseline or ""))
    kept = better(best, base, state.task.objective.minimise)
    return Outcome(family=family, kept=kept, figure=best.measurement.value if best and best.measurement else None)


def base_after(deps: Deps, state: TuningState, outcome: Outcome) -> str | None:
    """What the next step starts from: the best so far if it beats the old start beyond noise, else the old start."""
    old = str(state.memo.get("base") or state.baseline or "")
    best = deps.memory.trial(deps.run, state.best or "")
    if better(best, deps.memory.trial(deps.run, old), state.task.objective.minimise):
        return state.best
    return old or None
