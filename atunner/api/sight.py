"""A job as its pages see it: the queue's word, the head of its run, and all its trials in short."""

from collections.abc import Sequence
from dataclasses import dataclass

from atunner.api.context import Service, without_run
from atunner.api.digest import Digest, Tried
from atunner.api.problems import NoRun
from atunner.core.job import ENDED, Job
from atunner.core.record import RunRecord
from atunner.core.status import Provenance
from atunner.core.task import Objective
from atunner.core.trial import Trial
from atunner.knowledge_base import watching
from atunner.knowledge_base.runs import TERMINAL, UnknownRun
from atunner.reports import rows, wording
from atunner.reports.rows import Row

OF_NAIVE = "of naive"


@dataclass(frozen=True)
class Sight:
    """head: the run without its trials, digest: those in short; both None while the job has no run."""

    job: Job
    head: RunRecord | None = None
    digest: Digest | None = None

    @property
    def ended(self) -> bool:
        """Whether the job changes no more."""
        return self.job.state in ENDED

    @property
    def objective(self) -> Objective:
        """What is to be improved."""
        return self.job.request.task.objective if self.head is None else self.head.task.objective

    @property
    def ranked(self) -> list[Tried]:
        """The leaderboard in short, best first."""
        return self.digest.ranked(self.objective.minimise) if self.digest else []

    @property
    def base(self) -> Tried | None:
        """The baseline's trial."""
        return self.digest.by_id.get(self.digest.base) if self.digest else None

    @property
    def scored(self) -> bool:
        """Whether figures are scores of a model, which say something beside the baseline's only."""
        return self.head is not None and self.head.provenance is Provenance.PREDICTED and bool(self._base_value)

    @property
    def _base_value(self) -> float:
        return (self.base.value if self.base else None) or 0.0

    @property
    def scale(self) -> float:
        """What figures are multiplied with to be shown."""
        return 1 / self._base_value if self.scored else 1.0

    @property
    def unit(self) -> str:
        """The unit of figures as they are shown."""
        return OF_NAIVE if self.scored else self.objective.unit

    def words(self, value: float) -> str:
        """A figure as it is shown."""
        return wording.duration(value * self.scale, self.unit)

    @property
    def gain(self) -> float | None:
        """How many times better than the baseline: as confirmed, else as the trials say so far."""
        if self.head is not None and self.head.confirmed is not None:
            return self.head.confirmed.ratio
        ranked, base = self.ranked, self.base
        if not ranked or base is None:
            return None
        return self.objective.ratio(base.value or 0.0, ranked[0].value or 0.0)

    @property
    def resumable(self) -> bool:
        """Whether the run of an ended job can be gone on with."""
        return self.ended and self.head is not None and self.head.state not in TERMINAL


def sight(here: Service, job: str) -> Sight:
    """What is known of a job now. Raises UnknownJob."""
    found = here.jobs.get(job)
    if found.run is None:
        return Sight(found)
    try:
        head = here.store.head(found.run)
    except UnknownRun:
        return Sight(found)
    return Sight(found, head, here.digests.of(here.store.database, found.run, head, found))


def begun(here: Service, job: str) -> Sight:
    """The same, for pages that need a run.

    Raises:
        NoRun: the job has not begun.
    """
    found = sight(here, job)
    if found.head is None:
        raise NoRun(without_run(found.job))
    return found


def trial_of(here: Service, seen: Sight, candidate: str) -> Trial | None:
    """One trial, whole."""
    return here.store.trial(seen.head.run, candidate) if seen.head else None


def board(here: Service, seen: Sight, wanted: Sequence[Tried]) -> list[tuple[Tried, Row]]:
    """The whole rows of these candidates; their rank is their place among all."""
    if seen.head is None:
        return []
    places = {one.candidate: place for place, one in enumerate(seen.ranked, start=1)}
    found = watching.trials_of(here.store.database, seen.head.run, [one.candidate for one in wanted])
    made = ((one, rows.row(seen.head, found[one.candidate], places.get(one.candidate, 0))) for one in wanted)
    return [(one, row) for one, row in made if row is not None]


def headline(here: Service, seen: Sight) -> str:
    """The result in a sentence; "" while there is none."""
    if seen.head is None or not seen.ranked:
        return ""
    best = seen.head.best or seen.ranked[0].candidate
    found = watching.trials_of(here.store.database, seen.head.run, [best])
    return wording.headline(seen.head.model_copy(update={"best": best, "trials": tuple(found.values())}))
