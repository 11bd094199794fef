"""From a model's rewrite to a family that is searched: gate and build cost no trial, the first point is judged."""

import asyncio
from typing import Any

from langgraph.runtime import Runtime

from atunner.agents.codegen import Move, Proposal
from atunner.agents.rewrite import Inconsistent, Rewrite, Written, written
from atunner.core.candidate import Candidate
from atunner.core.ports import Fault, WorkItem
from atunner.core.record import AgentNote
from atunner.core.space import Family
from atunner.core.status import Status
from atunner.core.trial import Screening
from atunner.graphs.deps import Deps
from atunner.graphs.slice import Slice
from atunner.graphs.state import TuningState
from atunner.graphs.written import keep

SHARE = 0.5
"""What of a round's points a verified rewrite may have."""
REMEMBERED = 4


async def admit(state: TuningState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Take the proposal's rewrites through repair, gate, build and judge; the verified ones are searched first.

    Those that fall are told why, in the memo under `refused`, and their points stay with the other moves.
    """
    proposal = state.proposal
    if proposal is None or not proposal.rewrites:
        return {}
    return await asyncio.to_thread(_admit, runtime.context, state, proposal)


def _admit(deps: Deps, state: TuningState, proposal: Proposal) -> dict[str, Any]:
    refused, taken, moves = [], [], list(proposal.moves)
    for rewrite in proposal.rewrites:
        found = _tried(deps, state, rewrite, proposal.by)
        if isinstance(found, str):
            refused.append(f"{rewrite.name}: {found}"[:1500])
            continue
        taken.append(found.family.name)
        moves = _with(moves, found, deps.options.slice)
    points = (*(f"taken: {t}" for t in taken), *(f"refused: {r}" for r in refused))
    summary = f"{len(taken)} rewrites verified, {len(refused)} refused"
    deps.memory.note(
        deps.run, AgentNote(round=state.round, agent="admission", by="rules", summary=summary, points=points)
    )
    earlier = state.memo.get("refused")
    told = [*(earlier if isinstance(earlier, list) else []), *refused][-REMEMBERED:]
    memo = {**state.memo, "refused": told, "taken": taken, "fell": list(refused)}
    return {"proposal": proposal.model_copy(update={"moves": tuple(moves), "rewrites": ()}), "memo": memo}


def parent_of(deps: Deps, state: TuningState) -> Candidate:
    """What a rewrite is derived from: what the strategy holds on to, else the best so far, else the baseline."""
    base = state.memo.get("base")
    trial = deps.memory.trial(deps.run, str(base or state.best or state.baseline or ""))
    return trial.candidate if trial else deps.domain.baseline(state.task)


def values_of(families: tuple[Family, ...], name: str) -> dict[str, tuple[Any, ...]]:
    """The values of a family's parameters by name."""
    return {p.name: p.values for f in families if f.name == name for p in f.space.parameters}


def _tried(deps: Deps, state: TuningState, rewrite: Rewrite, by: str) -> Written | str:
    """The family, verified at its first point, or why not."""
    parent = parent_of(deps, state)
    try:
        one = written(rewrite, parent, values_of(deps.domain.families(state.task), parent.family), by)
    except Inconsistent as error:
        return f"inconsistent: {error}"
    if one.files == parent.files:
        return "it is the kernel that it was derived from, unchanged"
    candidate = one.realise(one.start)
    (outcome,) = deps.executor.map([WorkItem(action="screen", task=state.task, candidate=candidate)])
    if outcome.fault is not Fault.NONE:
        return f"its build {outcome.fault}: {outcome.message}"
    screening = Screening.model_validate(outcome.answer)
    if screening.reason:
        return screening.reason
    work = Slice(deps, state)
    if work.spent().over(state.budget):
        return "the budget was spent before it could be judged"
    trial = work.judge(candidate)
    if trial.status is not Status.OK:
        return f"{trial.status}: {trial.feedback}"
    keep(deps.memory, deps.run, one)
    return one


def _with(moves: list[Move], one: Written, slice_: int) -> list[Move]:
    """The written family first, its points taken from the last moves."""
    size = 1
    for parameter in one.family.space.parameters:
        size *= len(parameter.values)
    if size == 1:
        return moves
    total = sum(m.points for m in moves) or slice_
    points = max(1, min(size, int(total * SHARE)))
    left, kept = max(0, total - points), []
    for move in moves:
        if left > 0:
            kept.append(move.model_copy(update={"points": min(move.points, left)}))
            left -= kept[-1].points
    first = Move(family=one.family.name, points=points, reason=f"{one.origin} wrote it; {one.family.summary}"[:200])
    return [first, *kept]
