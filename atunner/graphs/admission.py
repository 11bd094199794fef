"""From a model's rewrite to a family that is searched: gate and build cost no trial, the first point is judged."""

import asyncio
from typing import Any

from langgraph.runtime import Runtime
from pydantic import JsonValue

from atunner.agents.codegen import Draft, Move, Proposal
from atunner.agents.rewrite import Inconsistent, Rewrite, Written, written
from atunner.core.candidate import Candidate
from atunner.core.errors import CandidateError
from atunner.core.ports import Fault, Outcome, WorkItem
from atunner.core.record import AgentNote
from atunner.core.space import Family
from atunner.core.status import Status
from atunner.core.trial import Screening
from atunner.graphs.deps import Deps
from atunner.graphs.slice import Slice
from atunner.graphs.state import TuningState
from atunner.graphs.written import keep, keep_screen

SHARE = 0.5
"""What of a round's points its verified drafts may have, all together."""
LEAST = 3
"""Points that a verified draft gets however slow its first one is: that may be a bad start."""
REMEMBERED = 4


async def admit(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Take the proposal's drafts through repair, gate, build and judge; the verified ones are searched first.

    Those that fall are told why, in the memo under `refused`, and their points stay with the other moves. `admitted`
    has the family of each draft in order, "" for one that fell, and `why`.
    """
    proposal = state.proposal
    if proposal is None or not proposal.drafts:
        return {}
    return await asyncio.to_thread(_admit, runtime.context, state, proposal)


def _admit(deps: Deps, state: TuningState, proposal: Proposal) -> dict[str, Any]:
    mended = list[str]()
    refused, taken, moves, admitted = [], [], list(proposal.moves), list[JsonValue]()
    for draft in proposal.drafts:
        found = _tried(deps, state, draft)
        if isinstance(found, str):
            refused.append(f"{draft.rewrite.name}: {found}"[:1500])
            admitted.append({"family": "", "why": found[:400]})
            continue
        taken.append(found.family.name)
        mended += [f"mended in {found.family.name}: {n}" for n in found.notes]
        admitted.append({"family": found.family.name, "why": ""})
        share = SHARE / len(proposal.drafts) * _promise(deps, state, found)
        moves = _with(moves, found, deps.options.slice, share)
    points = (*(f"taken: {t}" for t in taken), *mended, *(f"refused: {r}" for r in refused))
    summary = f"{len(taken)} rewrites verified, {len(refused)} refused"
    deps.memory.note(
        deps.run, AgentNote(round=state.round, agent="admission", by="rules", summary=summary, points=points)
    )
    earlier = state.memo.get("refused")
    told = [*(earlier if isinstance(earlier, list) else []), *refused][-REMEMBERED:]
    memo = {**state.memo, "refused": told, "admitted": admitted}
    return {"proposal": proposal.model_copy(update={"moves": tuple(moves), "drafts": ()}), "memo": memo}


def parent_of(deps: Deps, state: TuningState, named: str = "") -> Candidate:
    """What a rewrite is derived from: the one named, what the strategy holds on to, the best so far, the baseline."""
    base = named or state.memo.get("base")
    trial = deps.memory.trial(deps.run, str(base or state.best or state.baseline or ""))
    return trial.candidate if trial else deps.domain.baseline(state.task)


def values_of(families: tuple[Family, ...], name: str) -> dict[str, tuple[Any, ...]]:
    """The values of a family's parameters by name."""
    return {p.name: p.values for f in families if f.name == name for p in f.space.parameters}


def screened(deps: Deps, state: TuningState, draft: Draft) -> Written | str:
    """The family, its source repaired, gated and built, or why not; no trial yet."""
    if draft.refused:
        return draft.refused
    parent = parent_of(deps, state, draft.parent)
    known = values_of(deps.domain.families(state.task), parent.family)
    try:
        one = written(draft.rewrite, parent, known, draft.by, _made(deps, state, parent, draft.rewrite))
    except Inconsistent as error:
        return f"inconsistent: {error}"
    except CandidateError as error:
        return f"{error.status}: {error}"
    if one.files == parent.files:
        return "it is the kernel that it was derived from, unchanged"
    candidate = one.realise(one.start)
    (outcome,) = deps.executor.map([WorkItem(action="screen", task=state.task, candidate=candidate)])
    reason = _reason(outcome)
    keep_screen(deps.memory, deps.run, candidate.id, reason)
    return reason or one


def _tried(deps: Deps, state: TuningState, draft: Draft) -> Written | str:
    """The family, verified at its first point, or why not."""
    one = screened(deps, state, draft)
    if isinstance(one, str):
        return one
    work, candidate = Slice(deps, state), one.realise(one.start)
    if work.spent().over(state.budget):
        return "the budget was spent before it could be judged"
    trial = work.judge(candidate)
    if trial.status is not Status.OK:
        return f"{trial.status}: {trial.feedback}"
    keep(deps.memory, deps.run, one)
    return one


def _made(deps: Deps, state: TuningState, parent: Candidate, answer: Rewrite) -> dict[str, str] | None:
    """The files of an answer where the domain makes them: it may be an edit, or a part of the source."""
    complete = getattr(deps.domain, "complete", None)
    files: dict[str, str] | None = complete(state.task, parent, answer.source) if complete else None
    return files


def _reason(outcome: Outcome) -> str:
    """Why a draft cannot be judged, "" when it can."""
    if outcome.fault is not Fault.NONE:
        return f"its build {outcome.fault}: {outcome.message}"
    return Screening.model_validate(outcome.answer).reason


def _promise(deps: Deps, state: TuningState, one: Written) -> float:
    """How much of its share a family gets by its first point: all of it as fast as the best, a quarter at half that."""
    first = deps.memory.trial(deps.run, one.realise(one.start).id)
    if first is None or first.measurement is None or state.best_value is None:
        return 1.0
    return min(1.0, state.task.objective.ratio(state.best_value, first.measurement.value) ** 2)


def _with(moves: list[Move], one: Written, slice_: int, share: float) -> list[Move]:
    """The written family first, its points taken from the last moves. share: of the round's points, what it gets."""
    size = 1
    for parameter in one.family.space.parameters:
        size *= len(parameter.values)
    if size == 1:
        return moves
    total = sum(m.points for m in moves) or slice_
    points = max(min(LEAST, size, total), min(size, int(total * share)))
    left, kept = max(0, total - points), []
    for move in moves:
        if left > 0:
            kept.append(move.model_copy(update={"points": min(move.points, left)}))
            left -= kept[-1].points
    first = Move(family=one.family.name, points=points, reason=f"{one.origin} wrote it; {one.family.summary}"[:200])
    return [first, *kept]
