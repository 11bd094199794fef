"""Finals: what the board cannot tell apart meets in turn, in one session, before the winner is confirmed.

Figures of the board come from sessions minutes apart; a shared machine may have been another one by then.
"""

from atunner.core.errors import CandidateError
from atunner.core.ports import Meeting
from atunner.core.record import AgentNote
from atunner.core.status import Provenance
from atunner.core.trial import Comparison, Trial
from atunner.graphs.deps import Deps
from atunner.graphs.state import TuningState

NEAR = 1.25
"""Figures within this factor of the best may differ by the machine's state alone."""
RIVALS = 4
SHARE, MEETING_S = 0.5, 2.0
"""Finals take about this part of what the search took at most; what one meeting takes, about."""


def led(deps: Deps, state: TuningState, board: list[Trial]) -> list[Trial]:
    """The board with its true leader first, as far as meetings tell. board: the best figure first."""
    rivals, told = _near(deps, state, board), list[str]()
    until = deps.clock.now() + _allowed_s(deps) - MEETING_S
    for rival in rivals:
        if deps.clock.now() > until:
            told.append(f"{_name(rival)} was not met: finals take {SHARE:.0%} of the search's time")
            continue
        try:
            found = _met(deps, state, board[0], rival)
        except CandidateError as error:
            told.append(f"{_name(rival)} does not pass {_name(board[0])}: {error.status}: {error}")
            continue
        if found is None:
            return board
        said = f"{found.ratio:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"
        told.append(f"{_name(rival)} beside {_name(board[0])}: {said}")
        if found.ratio > 1.0:  # also where that is not certain: it says more than figures of two sessions do
            board = [rival, *(trial for trial in board if trial is not rival)]
    if rivals:
        summary = f"{_name(board[0])} leads those that the board could not tell apart"
        note = AgentNote(round=state.round, agent="finals", by="rules", summary=summary, points=tuple(told))
        deps.memory.note(deps.run, note)
    return board


def _near(deps: Deps, state: TuningState, board: list[Trial]) -> list[Trial]:
    """Who meets the leader: measured, near enough, and no more than the time of the run allows."""
    if not board or deps.domain.provenance(state.task) is not Provenance.MEASURED:
        return []
    figures = [trial.measurement.value if trial.measurement else 0.0 for trial in board]
    if min(figures) <= 0.0 or _allowed_s(deps) < MEETING_S:
        return []
    near = [max(f / figures[0], figures[0] / f) <= NEAR for f in figures]
    return [trial for trial, close in zip(board[1:], near[1:], strict=True) if close][:RIVALS]


def _allowed_s(deps: Deps) -> float:
    return SHARE * deps.memory.head(deps.run).spent.seconds


def _met(deps: Deps, state: TuningState, leader: Trial, rival: Trial) -> Comparison | None:
    first, second = (deps.domain.build(state.task, trial.candidate) for trial in (leader, rival))
    if isinstance(deps.domain, Meeting):
        return deps.domain.meet(state.task, first, second)
    return deps.domain.compare(state.task, first, second)


def _name(trial: Trial) -> str:
    return f"{trial.candidate.family} {trial.candidate.id}"
