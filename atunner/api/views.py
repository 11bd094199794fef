"""What pages show of a job, computed from queue and record."""

from collections import Counter
from typing import Any

from atunner.api import figures
from atunner.api.context import Service
from atunner.api.digest import Tried
from atunner.api.sight import OF_NAIVE, Sight
from atunner.core.errors import UserError
from atunner.core.job import ENDED, Job
from atunner.core.measurement import Environment
from atunner.core.status import Provenance, Status
from atunner.core.value import Value
from atunner.knowledge_base import watching
from atunner.knowledge_base.streams import Event
from atunner.knowledge_base.watching import RunStanding
from atunner.reports import wording
from atunner.tools.sandbox import LEVELS

TOLD = ("stage", "trial", "note", "end", "state")


class Line(Value):
    """One line of the list of jobs. run: None while the job has none."""

    job: Job
    run: RunStanding | None = None

    @property
    def figure(self) -> str:
        """The best figure."""
        if self.run is None or self.run.best is None:
            return ""
        if self.run.provenance is Provenance.PREDICTED and self.run.baseline:
            return f"{wording.number(self.run.best / self.run.baseline)} {OF_NAIVE}"
        return wording.duration(self.run.best, self.run.objective.unit)

    @property
    def done(self) -> int:
        """Trials so far: candidates judged or screened."""
        return max(self.job.progress, self.run.trials if self.run else 0)


class Bar(Value):
    """A bound of the budget and how much of it is used."""

    name: str
    used: float
    bound: float
    words: str


class Standing(Value):
    """Where a job stands. stage, message: what it does now. eta: at most so long, in words."""

    bars: tuple[Bar, ...] = ()
    stage: str = ""
    message: str = ""
    eta: str = ""
    seconds: float = 0.0
    tokens: int = 0
    usd: float = 0.0


class Failure(Value):
    """All candidates that ended in one status."""

    status: Status
    count: int
    reason: str


def lines(here: Service, jobs: tuple[Job, ...]) -> list[Line]:
    """Jobs for the list, with one look at the database for all of them."""
    found = watching.standings(here.store.database, [job.run for job in jobs if job.run])
    return [Line(job=job, run=found.get(job.run or "")) for job in jobs]


def standing(here: Service, seen: Sight, events: list[Event]) -> Standing:
    """The newest figures that the run told of itself."""
    bodies = [e.body for e in events if isinstance(e.body, dict)]
    newest: dict[str, Any] = next((b for b in reversed(bodies) if b.get("done")), {})
    last: dict[str, Any] = next((b for b in reversed(bodies) if b.get("message")), {})
    spent = seen.head.spent if seen.head else None
    calls = here.store.call_totals(seen.head.run) if seen.head else None
    seconds = max(float(newest.get("seconds", 0.0)), spent.seconds if spent else 0.0)
    trials = max(int(newest.get("done", 0)), spent.trials if spent else 0, len(seen.digest.tried) if seen.digest else 0)
    tokens, usd = (calls.tokens, calls.usd) if calls else (0, 0.0)
    used = {"trials": float(trials), "seconds": seconds, "tokens": float(tokens), "usd": usd}
    eta = newest.get("eta_s") if seen.job.state not in ENDED else None
    return Standing(
        bars=tuple(_bars(seen.job, used)),
        stage=str(last.get("stage") or ""),
        message=str(last.get("message") or "").partition("\n")[0],
        eta=wording.elapsed(float(eta)) if eta is not None else "",
        seconds=seconds,
        tokens=tokens,
        usd=usd,
    )


def _bars(job: Job, used: dict[str, float]) -> list[Bar]:
    words = {"trials": "Trials", "seconds": "Time", "tokens": "Tokens", "usd": "Money"}
    found = []
    for name, title in words.items():
        bound = getattr(job.request.budget, name)
        if bound is not None:
            said = f"{_said(name, used[name])} of {_said(name, float(bound))}"
            found.append(Bar(name=title, used=min(used[name], float(bound)), bound=float(bound), words=said))
    return found


def _said(name: str, value: float) -> str:
    if name == "seconds":
        return wording.elapsed(value)
    return figures.money(value) if name == "usd" else figures.count(value)


def failures(tried: list[Tried]) -> tuple[Failure, ...]:
    """Candidates without a figure by status, the commonest first, each with its newest reason."""
    bad = [t for t in tried if t.status is not Status.OK]
    counts = Counter(t.status for t in bad)
    newest = {t.status: t.reason for t in bad}
    return tuple(Failure(status=s, count=n, reason=newest[s]) for s, n in counts.most_common())


def sandbox_level(environment: Environment | None) -> str:
    """The strongest level whose layers were all active; "" while that is not known."""
    if environment is None:
        return ""
    layers = set(environment.sandbox)
    return [name for name, needed in LEVELS.items() if {str(n) for n in needed} <= layers][-1]


def chosen(known: list[str], name: str, what: str) -> None:
    """Raises UserError: there is no `what` of that name."""
    if name not in known:
        raise UserError(f"No {what} named {name!r}. Known: {', '.join(known)}.")
