"""The end of a run: the winner is built again from its record and has to hold once more, on new inputs."""

import asyncio
from dataclasses import dataclass
from typing import Any

from langgraph.runtime import Runtime

from atunner.core.errors import CandidateError, NotMeasured
from atunner.core.record import AgentNote, RunState
from atunner.core.status import Status
from atunner.core.trial import Comparison, Trial
from atunner.graphs.deps import Deps
from atunner.graphs.events import Event
from atunner.graphs.finals import led
from atunner.graphs.state import TuningState

Update = dict[str, Any]
CONFIRMED = 3
SESSIONS = 3
MOVED = 1.25


@dataclass(frozen=True)
class Survivor:
    """A confirmed candidate's id, with its comparison where figures can be measured."""

    candidate: str
    comparison: Comparison | None


async def confirm(state: TuningState, runtime: Runtime[Deps]) -> Update:
    """Rebuild baseline and winner from their records and measure both again, interleaved, in new processes."""
    deps = runtime.context
    reason = state.verdict.reason if state.verdict else ""
    deps.watch(
        Event(run=deps.run, kind="stage", round=state.round, stage="confirm", message="judging the winner again")
    )
    chosen = await asyncio.to_thread(_confirmed, deps, state)
    update = {"best": chosen.candidate, "confirmed": chosen.comparison} if chosen else {"best": state.baseline}
    deps.memory.save_run(deps.memory.head(deps.run).model_copy(update=update))
    if chosen and chosen.comparison:
        await asyncio.to_thread(_beside_library, deps, state, chosen.candidate)
    deps.memory.set_state(deps.run, RunState.DONE, reason)
    deps.watch(Event(run=deps.run, kind="end", round=state.round, stage="confirm", message=reason))
    return {}


def _confirmed(deps: Deps, state: TuningState) -> Survivor | None:
    """The best candidate that survives; one that does not is noted, and the next one is tried."""
    base = deps.memory.trial(deps.run, state.baseline or "")
    if base is None or state.best == state.baseline:
        return None
    failures: list[str] = []
    for trial in _contenders(deps, state):
        try:
            found = Survivor(trial.candidate.id, _steady(deps, state, base, trial))
        except CandidateError as error:
            failures.append(f"{trial.candidate.family} {trial.candidate.id}: {error.status}: {error}")
            if isinstance(error, NotMeasured):
                deps.rest()
            continue
        _note(deps, state, base, failures, found)
        _keep_evidence(deps, state, trial, found.comparison, base)
        return found
    _note(deps, state, base, failures, None)
    return None


def _steady(deps: Deps, state: TuningState, base: Trial, trial: Trial) -> Comparison | None:
    """The comparison of a session in which the baseline stands where it stood before.

    An interval knows the noise within its session only. When the baseline moved, both are measured again; if no session
    agrees with the board, the least ratio that was seen is the one to be published.
    """
    seen: list[Comparison] = []
    for _ in range(SESSIONS):
        found = _compare(deps, state, base, trial)
        if found is None or _agrees(found, base):
            return found
        seen.append(found)
    return min(seen, key=lambda c: c.ratio)


def _agrees(found: Comparison, base: Trial) -> bool:
    before = base.measurement.value if base.measurement else found.baseline.value
    return 1 / MOVED <= found.baseline.value / before <= MOVED if before else True


def _contenders(deps: Deps, state: TuningState) -> list[Trial]:
    """The best three, each twice: a disturbed machine, which may calm down, must not cost the winner its place."""
    good = [t for t in deps.memory.trials(deps.run) if t.status is Status.OK and t.candidate.id != state.baseline]
    sign = 1 if state.task.objective.minimise else -1
    good.sort(key=lambda t: sign * t.measurement.value if t.measurement else 0.0)
    return [t for trial in led(deps, state, good)[:CONFIRMED] for t in (trial, trial)]


def _note(deps: Deps, state: TuningState, base: Trial, failures: list[str], found: Survivor | None) -> None:
    """What was confirmed, and what did not survive; nothing is published of a candidate that did not."""
    if found is None:
        summary = "no candidate survived its confirmation, so none is published"
    elif found.comparison is None:
        summary = f"{found.candidate} was built again and gave right results on new inputs"
    else:
        summary = f"{found.candidate} was built, verified and measured again in new processes"
        summary += (
            ""
            if _agrees(found.comparison, base)
            else (
                f"; the machine is not steady: the baseline took {found.comparison.baseline.value:.4g} "
                f"{found.comparison.baseline.unit} here, not what it took on the board; the least ratio of "
                f"{SESSIONS} sessions is published"
            )
        )
    deps.memory.note(
        deps.run, AgentNote(round=state.round, agent="confirm", by="rules", summary=summary, points=tuple(failures))
    )


def _keep_evidence(deps: Deps, state: TuningState, trial: Trial, found: Comparison | None, base: Trial) -> None:
    """The winner's evidence, kept with the run; `atunner verify` checks it again from scratch."""
    bundle = deps.domain.evidence(state.task, trial, found, base.candidate)
    if bundle is not None:
        summary = f"everything needed to check {trial.candidate.id} again is in evidence.json"
        note = AgentNote(round=state.round, agent="evidence", by="rules", summary=summary, answer=bundle)
        deps.memory.note(deps.run, note)


def _beside_library(deps: Deps, state: TuningState, candidate: str) -> None:
    """Where the field's usual library is here, say how the winner stands beside it."""
    trial = deps.memory.trial(deps.run, candidate)
    if trial is None:
        return
    try:
        found = deps.domain.yardstick(state.task, deps.domain.build(state.task, trial.candidate))
    except CandidateError as error:
        summary = f"not compared: {error}"
    else:
        if found is None:
            return
        summary = (
            f"{found.baseline.source}: {found.baseline.value:.4g} {found.baseline.unit}, the winner "
            f"{found.candidate.value:.4g}: ratio {found.ratio:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"
        )
    note = AgentNote(round=state.round, agent="yardstick", by="rules", summary=summary)
    deps.memory.note(deps.run, note)


def _compare(deps: Deps, state: TuningState, base: Trial, best: Trial) -> Comparison | None:
    built = [deps.domain.build(state.task, trial.candidate) for trial in (base, best)]
    deps.domain.verify(state.task, built[1])
    return deps.domain.compare(state.task, *built)
