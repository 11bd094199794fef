"""Best so far against trials, as plain SVG coordinates; the style sheet gives the colours."""

import math

from atunner.core.record import RunRecord
from atunner.core.status import Status
from atunner.core.value import Value
from atunner.reports import wording

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640.0, 220.0, 64.0, 28.0, 10.0
MOST = 1500
SPREAD = 20.0


class Point(Value):
    """A trial in the drawing; what: its figure in words."""

    x: float
    y: float
    what: str


class Curve(Value):
    """points: trials with a figure; failed: those without, by place; best: path of the best so far."""

    points: tuple[Point, ...]
    failed: tuple[float, ...]
    best: str
    base: float | None
    ticks: tuple[tuple[float, str], ...]
    count: int
    caption: str


def drawn(record: RunRecord) -> Curve | None:
    """The curve of a run; None while no trial has a figure."""
    trials = list(enumerate(record.trials, start=1))
    good = [
        (place, t.measurement.value)
        for place, t in trials
        if t.status is Status.OK and t.measurement and t.measurement.provenance is record.provenance
    ]
    if not good:
        return None
    values = [v for _, v in good]
    low, high = min(values), max(values)
    log = low > 0 and high > SPREAD * low
    count = max(len(trials), 2)

    def across(place: float) -> float:
        return round(LEFT + (place - 1) / (count - 1) * (WIDTH - LEFT - 10), 1)

    def down(value: float) -> float:
        a, b, v = (math.log(low), math.log(high), math.log(value)) if log else (low, high, value)
        share = (v - a) / (b - a) if b > a else 0.5
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    unit = record.task.objective.unit
    base = record.baseline.measurement if record.baseline else None
    best, steps = values[0], []
    better = record.task.objective.better
    for place, value in good:
        best = value if better(value, best) else best
        steps.append(f"{across(place)},{down(best)}")
    path = f"M{steps[0]}" + "".join(f"H{s.split(',')[0]}V{s.split(',')[1]}" for s in steps[1:]) + f"H{across(count)}"
    stride = max(1, len(good) // MOST)
    middle = math.sqrt(low * high) if log else (low + high) / 2
    return Curve(
        points=tuple(Point(x=across(p), y=down(v), what=wording.duration(v, unit)) for p, v in good[::stride]),
        failed=tuple(across(p) for p, t in trials if t.status is not Status.OK)[:MOST],
        best=path,
        base=down(base.value) if base and low <= base.value <= high else None,
        ticks=tuple((down(v), wording.duration(v, unit)) for v in dict.fromkeys((low, middle, high))),
        count=count,
        caption=f"{len(good)} of {len(trials)} trials have a figure; the best is {wording.duration(best, unit)}.",
    )
