"""Best so far against trials, as plain SVG coordinates: what the page shows where no script runs."""

import math
from collections.abc import Callable, Sequence

from atunner.api import figures
from atunner.api.plots import Progress
from atunner.core.value import Value
from atunner.reports import wording

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640.0, 220.0, 64.0, 28.0, 10.0
MOST = 600
SPREAD = 20.0
Down = Callable[[float], float]


class Dot(Value):
    """A trial in the drawing; what: its figure in words."""

    x: float
    y: float
    what: str


class Curve(Value):
    """points: trials with a figure; failed: those without, by place; best: path of the best so far."""

    points: tuple[Dot, ...]
    failed: tuple[float, ...]
    best: str
    base: float | None
    ticks: tuple[tuple[float, str], ...]
    count: int
    caption: str


def drawn(progress: Progress) -> Curve | None:
    """The curve of a run; None while no trial has a figure."""
    good = [(number, value) for number, _, value, *_ in progress.points if value is not None]
    if not good:
        return None
    bad = [number for number, _, value, *_ in progress.points if value is None]
    values = [v for _, v in good]
    low, high = min(values), max(values)
    count = max(progress.total, 2)
    down = _scale(low, high)
    stride = max(1, len(good) // MOST)
    middle = math.sqrt(low * high) if low > 0 and high > SPREAD * low else (low + high) / 2
    best = min(values) if progress.minimise else max(values)
    base = progress.baseline
    return Curve(
        points=tuple(
            Dot(x=_across(p, count), y=down(v), what=wording.duration(v, progress.unit)) for p, v in good[::stride]
        ),
        failed=tuple(_across(number, count) for number in bad[:: max(1, len(bad) // MOST + 1)]),
        best=_path(good, progress.minimise, count, down),
        base=down(base) if base is not None and low <= base <= high else None,
        ticks=tuple((down(v), wording.duration(v, progress.unit)) for v in dict.fromkeys((low, middle, high))),
        count=progress.total,
        caption=f"{figures.count(len(good))} of {figures.count(progress.total)} trials have a figure; "
        f"the best is {wording.duration(best, progress.unit)}.",
    )


def _across(place: float, count: int) -> float:
    return round(LEFT + (place - 1) / (count - 1) * (WIDTH - LEFT - 10), 1)


def _scale(low: float, high: float) -> Down:
    log = low > 0 and high > SPREAD * low

    def down(value: float) -> float:
        a, b, v = (math.log(low), math.log(high), math.log(value)) if log else (low, high, value)
        share = (v - a) / (b - a) if b > a else 0.5
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    return down


def _path(good: Sequence[tuple[int, float]], minimise: bool, count: int, down: Down) -> str:
    best = good[0][1]
    path = f"M{_across(good[0][0], count)},{down(best)}"
    for place, value in good[1:]:
        if value < best if minimise else value > best:
            best = value
            path += f"H{_across(place, count)}V{down(best)}"
    return f"{path}H{_across(count, count)}"
