"""What the plots of a job draw, as JSON: trials in the order judged, the roofline, and the parameters of a family."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import JsonValue

from atunner.api.context import Here, JobId
from atunner.api.digest import Digest
from atunner.api.lineage import Node, tree
from atunner.api.parameters import Parameters, parameters
from atunner.api.sight import Sight, sight
from atunner.core.status import Provenance
from atunner.core.value import Value
from atunner.reports import wording
from atunner.reports.roof import roofline

router = APIRouter(include_in_schema=False)
Mark = Annotated[int, Query(ge=0, le=1 << 31)]


class Progress(Value):
    """Trials after a mark. points: number, seconds, figure or None, place in families, candidate, status."""

    unit: str
    metric: str
    minimise: bool
    provenance: Provenance
    baseline: float | None
    families: tuple[str, ...]
    points: tuple[tuple[int, float, float | None, int, str, str], ...]
    total: int


class Roof(Value):
    """Ceilings in GFLOP/s and GB/s. points: FLOP/byte, GFLOP/s, family, candidate. attained: measured, not a bound.

    ridge: where it is, and between which two it may be. assumed: some candidates' traffic is not known, so that they
    stand at the operator's minimal traffic.
    """

    peak: float
    bandwidth: float
    ridge: float
    ridge_low: float
    ridge_high: float
    intensity: float
    attained: bool
    assumed: bool
    points: tuple[tuple[float, float, str, str], ...]


@router.get("/jobs/{job}/plots/progress.json")
def progress(here: Here, job: JobId, after: Mark = 0) -> Progress:
    """The trials after the first `after`."""
    return progress_of(sight(here, job), after)


def progress_of(seen: Sight, after: int = 0) -> Progress:
    """The trials of a job after the first `after`."""
    digest = seen.digest or Digest("")
    families = tuple(dict.fromkeys(t.family for t in digest.tried))
    place = {name: at for at, name in enumerate(families)}
    times, scale = digest.times(), seen.scale
    return Progress(
        unit=seen.unit,
        metric=seen.objective.metric if not seen.scored else "score",
        minimise=seen.objective.minimise,
        provenance=seen.head.provenance if seen.head else Provenance.MEASURED,
        baseline=seen.base.value * scale if seen.base and seen.base.value is not None else None,
        families=families,
        points=tuple(
            (t.number, round(times[t.number - 1], 2), v, place[t.family], t.candidate, t.status.value)
            for t in digest.tried[after:]
            for v in [None if t.value is None else t.value * scale]
        ),
        total=len(digest.tried),
    )


@router.get("/jobs/{job}/plots/roofline.json")
def roof(here: Here, job: JobId) -> Roof | None:
    """The device's ceilings and the candidates under them; null where the device or the operator is not known."""
    seen = sight(here, job)
    line = roofline(seen.head) if seen.head else None
    if seen.head is None or seen.digest is None or line is None:
        return None
    measured = seen.head.provenance is Provenance.MEASURED
    step = wording.SECONDS.get(seen.objective.unit)
    points = []
    for one in seen.digest.good:
        intensity = line.flops / one.moved if one.moved else line.intensity
        if measured and step and one.value:
            points.append((intensity, line.flops / (one.value * step) / 1e9, one.family, one.candidate))
        elif not measured and one.moved:
            points.append((intensity, line.ceiling(intensity) / 1e9, one.family, one.candidate))
    return Roof(
        peak=line.peak / 1e9,
        bandwidth=line.bandwidth / 1e9,
        ridge=line.ridge,
        ridge_low=line.ridge_low,
        ridge_high=line.ridge_high,
        intensity=line.intensity,
        attained=measured,
        assumed=any(t.moved is None for t in seen.digest.good),
        points=tuple(points),
    )


@router.get("/jobs/{job}/plots/parameters.json")
def parameters_of(here: Here, job: JobId, family: Annotated[str, Query(max_length=200)] = "") -> Parameters | None:
    """One family's configurations; the winner's family when none is named; null while there are too few."""
    return parameters(sight(here, job), family)


@router.get("/jobs/{job}/plots/lineage.json")
def lineage(here: Here, job: JobId) -> JsonValue:
    """Who came from whom, as a tree."""
    found = tree(sight(here, job))
    return _plain(found) if found else None


def _plain(node: Node) -> JsonValue:
    told: dict[str, JsonValue] = {
        "name": node.name,
        "figure": node.figure,
        "status": node.status,
        "candidate": node.candidate,
        "best": node.best,
        "children": [_plain(child) for child in node.children],
    }
    if node.hidden:
        children = told["children"]
        assert isinstance(children, list)
        children.append({"name": f"{node.hidden} more", "status": "more", "family": node.family, "children": []})
    return told
