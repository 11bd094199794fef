"""What pages show of a job, computed from queue and record."""

import time
from typing import Any

from atunner.api.context import Service
from atunner.core.job import ENDED, Job
from atunner.core.record import AgentNote, RunRecord
from atunner.core.value import Value
from atunner.knowledge_base.runs import TERMINAL, UnknownRun
from atunner.knowledge_base.streams import Event
from atunner.reports import rows, wording

EVENTS = 200


class Line(Value):
    """One line of the list of jobs. gain: how much better than the baseline the best is. confirmed: measured
    again beside it, in a new process. figure: the best."""

    job: Job
    figure: str = ""
    gain: str = ""
    confirmed: bool = False
    provenance: str = ""
    trials: int = 0


class Round(Value):
    """What agents said in one round."""

    number: int
    notes: tuple[AgentNote, ...]


class Standing(Value):
    """Where a job's budget stands. parts: name, used, bound."""

    parts: tuple[tuple[str, float, float, str], ...] = ()
    stage: str = ""
    message: str = ""
    eta: str = ""


def record(here: Service, job: Job) -> RunRecord | None:
    """The run of a job; None while it has none."""
    try:
        return here.store.load(job.run) if job.run else None
    except UnknownRun:
        return None


def line(here: Service, job: Job) -> Line:
    """A job for the list."""
    found = record(here, job)
    if found is None:
        return Line(job=job, trials=job.progress)
    board = rows.leaderboard(found)
    best = board[0] if board else None
    base = found.baseline.measurement if found.baseline else None
    so_far = found.task.objective.ratio(base.value, best.value) if base and best else None
    gain = found.confirmed.ratio if found.confirmed else so_far
    return Line(
        job=job,
        figure=wording.duration(best.value, best.unit) if best else "",
        gain=f"{gain:.2f}x" if gain is not None else "",
        confirmed=found.confirmed is not None,
        provenance=found.provenance.value if best else "",
        trials=len(found.trials) or job.progress,
    )


def rounds(found: RunRecord) -> tuple[Round, ...]:
    """Notes by round, the newest first."""
    numbers = sorted({n.round for n in found.notes}, reverse=True)
    return tuple(Round(number=n, notes=tuple(x for x in found.notes if x.round == n)) for n in numbers)


def latest(here: Service, job: str) -> list[Event]:
    """The last events of a job."""
    found: list[Event] = []
    while batch := here.store.events(job, found[-1].seq if found else 0, 1000):
        found = [*found, *batch][-EVENTS:]
    return found


def standing(job: Job, events: list[Event]) -> Standing:
    """The newest figures that the run told of itself."""
    bodies = [e.body for e in events if isinstance(e.body, dict)]
    newest: dict[str, Any] = next((b for b in reversed(bodies) if b.get("done")), {})
    last: dict[str, Any] = next((b for b in reversed(bodies) if b.get("message")), {})
    used = {"trials": float(newest.get("done", 0)), "seconds": float(newest.get("seconds", 0.0))}
    budget = job.request.budget
    bounds = {"trials": budget.trials, "seconds": budget.seconds}
    parts = tuple(
        (name, min(used[name], float(bound)), float(bound), f"{used[name]:.0f} of {bound:g}")
        for name, bound in bounds.items()
        if bound is not None
    )
    eta = newest.get("eta_s") if job.state not in ENDED else None
    return Standing(
        parts=parts,
        stage=str(last.get("stage", "")),
        message=str(last.get("message", "")),
        eta=wording.elapsed(float(eta)) if eta is not None else "",
    )


def resumable(job: Job, found: RunRecord | None) -> bool:
    """Whether something of an ended job is left to do."""
    return job.state in ENDED and found is not None and found.state not in TERMINAL


def ago(seconds: float | None) -> str:
    """A time, as how long ago it was."""
    return "" if seconds is None else f"{wording.elapsed(max(0.0, time.time() - seconds))} ago"


def took(job: Job) -> str:
    """How long a job has worked."""
    if job.started is None:
        return ""
    return wording.elapsed((job.finished or time.time()) - job.started)
