"""What pages need of every trial, read once: trials never change, so a page that watches reads only the new ones."""

import math
import re
import threading
from collections import Counter, OrderedDict

from atunner.core.candidate import Params
from atunner.core.job import Job
from atunner.core.measurement import Measurement
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.knowledge_base import watching
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.watching import Screened
from atunner.reports import rows

KEPT = 24
EVENTS = 20_000
CANDIDATE = re.compile(r"\b[0-9a-f]{16}\b")


class Tried(Value):
    """A trial in short. number: from 1, in the order judged. seconds: what judging it took.

    value: None without a figure of the run's provenance. low, high: what its samples leave open (see `noise`).
    moved: bytes that it moves, where known.
    """

    number: int
    candidate: str
    family: str
    status: Status
    origin: str
    parent: str | None
    params: Params
    value: float | None
    low: float | None
    high: float | None
    seconds: float
    reason: str
    checked: int | None
    moved: float | None


class Digest:
    """All trials of one run in short, in the order judged; grows as the run does.

    made: what was computed from all of them, by what it was computed from; the newest only.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.tried: list[Tried] = []
        self.screened: list[Screened] = []
        self.counts: Counter[Status] = Counter()
        self.by_id: dict[str, Tried] = {}
        self.base = ""
        self.made: dict[str, object] = {}
        self._trials = self._screenings = 0
        self._times: dict[str, float] = {}
        self._seq = 0

    def read(self, database: Database, job: Job | None, head: RunRecord) -> None:
        """Take in what is new."""
        if job is not None:
            self._clock(database, job.id)
        found = watching.trials_after(database, self.run, self._trials)
        self._trials = found.mark
        self.base = head.baseline.candidate.id if head.baseline else ""
        for trial in found.trials:
            one = _tried(trial, head.provenance, len(self.tried) + 1)
            self.tried.append(one)
            self.by_id[one.candidate] = one
            self.counts[one.status] += 1
        seen = watching.screenings_after(database, self.run, self._screenings)
        self.screened.extend(seen.screenings)
        self._screenings = seen.mark

    def _clock(self, database: Database, job: str) -> None:
        """When each candidate was judged, by the run's own events."""
        for event in watching.events_after(database, job, self._seq, "trial", EVENTS):
            self._seq = event.seq
            body = event.body if isinstance(event.body, dict) else {}
            named = CANDIDATE.search(str(body.get("message", "")))
            seconds = body.get("seconds")
            if named and isinstance(seconds, int | float):
                self._times.setdefault(named[0], float(seconds))

    @property
    def good(self) -> list[Tried]:
        """Those with a figure, the baseline among them."""
        return [t for t in self.tried if t.value is not None]

    def times(self) -> list[float]:
        """Seconds since the run began at which each trial was judged; by its cost where no event says it."""
        found, last = [], 0.0
        for one in self.tried:
            last = max(last, self._times.get(one.candidate, last + one.seconds))
            found.append(last)
        return found

    def ranked(self, minimise: bool) -> list[Tried]:
        """The leaderboard: best first, the baseline not among them."""
        found = [t for t in self.tried if t.value is not None and t.candidate != self.base]
        return sorted(found, key=lambda t: (t.value or 0.0) * (1 if minimise else -1))


def _tried(trial: Trial, provenance: Provenance, number: int) -> Tried:
    figure = _figure(trial, provenance)
    low, high = noise(trial.measurement) if figure is not None and trial.measurement else (None, None)
    return Tried(
        number=number,
        candidate=trial.candidate.id,
        family=trial.candidate.family or rows.NO_FAMILY,
        status=trial.status,
        origin=trial.candidate.origin,
        parent=trial.candidate.parent,
        params=trial.candidate.params,
        value=figure,
        low=low,
        high=high,
        seconds=trial.cost.seconds,
        reason="" if trial.status is Status.OK else rows.first_line(trial.feedback),
        checked=rows.inputs_checked(trial),
        moved=trial.profile.bytes_moved if trial.profile else None,
    )


def _figure(trial: Trial, provenance: Provenance) -> float | None:
    if trial.status is not Status.OK or trial.measurement is None or trial.measurement.provenance is not provenance:
        return None
    return trial.measurement.value if math.isfinite(trial.measurement.value) else None


def noise(measurement: Measurement) -> tuple[float | None, float | None]:
    """A 95 % interval of the median from order statistics (no law is assumed); None for fewer than six samples."""
    values, n = sorted(measurement.samples), len(measurement.samples)
    if measurement.provenance is not Provenance.MEASURED or n < 6:
        return None, None
    first = max(1, math.floor(n / 2 - 0.98 * math.sqrt(n)))
    return values[first - 1], values[n - first]


class Digests:
    """The digests of the runs that were looked at last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Digest] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, database: Database, run: str, head: RunRecord, job: Job | None = None) -> Digest:
        """The digest of a run, with all that is recorded by now."""
        with self._lock:
            found = self._kept.pop(run, None) or Digest(run)
            self._kept[run] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            found.read(database, job, head)
            return found
