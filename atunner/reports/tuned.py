"""What the parameters did: the points of one family with their figures, and how much each parameter explains."""

import json
import math
from collections import Counter, defaultdict
from statistics import fmean, pvariance

from pydantic import JsonValue

from atunner.core.candidate import Candidate, Params
from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.core.value import Value

FEWEST = 8
"""Points below which nothing can be said of a parameter."""


class Point(Value):
    """One configuration and its figure (positive)."""

    params: Params
    value: float


class Family(Value):
    """One family's points, best first. names: the parameters that took more than one value. smaller: is better."""

    name: str
    names: tuple[str, ...]
    points: tuple[Point, ...]
    smaller: bool = True

    @property
    def costs(self) -> list[tuple[Params, float]]:
        """What each point costs by its moved parameters: its figure, or the inverse of one that is to be large."""
        return [({n: p.params[n] for n in self.names}, p.value if self.smaller else 1 / p.value) for p in self.points]

    def values(self, name: str) -> tuple[JsonValue, ...]:
        """The values that a parameter took: numbers in order, anything else by text."""
        found = {json.dumps(p.params[name]): p.params[name] for p in self.points}
        return tuple(sorted(found.values(), key=_order))


class Effect(Value):
    """How much of the variation of the figure's logarithm a parameter explains alone, from 0 to 1."""

    name: str
    share: float


def _order(value: JsonValue) -> tuple[bool, float, str]:
    if isinstance(value, int | float):
        return False, float(value), ""
    return True, 0.0, str(value)


def family(record: RunRecord) -> Family | None:
    """The winner's family, or the one with most points; None where too few points have a figure."""
    found: dict[str, dict[str, Point]] = defaultdict(dict)
    for candidate, value in _figures(record):
        if candidate.params and value > 0 and math.isfinite(value):
            found[candidate.family][candidate.id] = Point(params=candidate.params, value=value)
    counts = Counter({name: len(points) for name, points in found.items()})
    winner = record.winner.candidate.family if record.winner else ""
    name = winner if counts[winner] >= FEWEST else max(counts, key=lambda n: counts[n], default="")
    if counts[name] < FEWEST:
        return None
    smaller = 1 if record.task.objective.minimise or _raced(record) else -1
    points = sorted(found[name].values(), key=lambda p: smaller * p.value)
    shared = [n for n in points[0].params if all(n in p.params for p in points)]
    moved = tuple(n for n in shared if len({json.dumps(p.params[n]) for p in points}) > 1)
    return Family(name=name, names=moved, points=tuple(points), smaller=smaller > 0) if moved else None


def _raced(record: RunRecord) -> bool:
    """Whether the search went by the times of races; these are what is to be explained, whatever the objective."""
    return record.provenance is Provenance.MEASURED and any(s.score is not None for s in record.screenings)


def _figures(record: RunRecord) -> list[tuple[Candidate, float]]:
    """Measured figures of trials, or the scores that ordered the search: predicted ones, or races of the same scale.

    A raced candidate whose results were found wrong does not count.
    """
    bad = {t.candidate.id for t in record.trials if t.status is not Status.OK}
    scored = [(s.candidate, s.score) for s in record.screenings if s.score is not None and s.candidate.id not in bad]
    if record.provenance is Provenance.PREDICTED and record.screenings:
        return [(s.candidate, s.score) for s in record.screenings if s.score is not None]
    if _raced(record):
        return scored
    return [
        (t.candidate, t.measurement.value)
        for t in record.trials
        if t.status is Status.OK and t.measurement and t.measurement.provenance is record.provenance
    ]


def effects(found: Family) -> tuple[Effect, ...]:
    """Each parameter's correlation ratio (R. A. Fisher, 1925), less what chance gives as many groups; largest first.

    Between-group over total variance of the logarithms, adjusted as R squared is: 1 - (1 - r)(n - 1) / (n - groups).
    """
    logs = [math.log(p.value) for p in found.points]
    total = pvariance(logs)
    if total == 0:
        return ()
    shares = [Effect(name=name, share=_share(found, name, logs, total)) for name in found.names]
    return tuple(sorted(shares, key=lambda e: -e.share))


def _share(found: Family, name: str, logs: list[float], total: float) -> float:
    groups: dict[str, list[float]] = defaultdict(list)
    for point, log in zip(found.points, logs, strict=True):
        groups[json.dumps(point.params[name])].append(log)
    count, middle = len(logs), fmean(logs)
    if count <= len(groups):
        return 0.0
    between = sum(len(g) * (fmean(g) - middle) ** 2 for g in groups.values()) / count
    adjusted = 1.0 - (1.0 - between / total) * (count - 1) / (count - len(groups))
    return min(1.0, max(0.0, adjusted))
