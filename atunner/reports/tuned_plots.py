"""Plots of one family's parameters: which matter, and where the good configurations run."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from pydantic import JsonValue

from atunner.core.record import RunRecord
from atunner.core.value import canonical
from atunner.reports import wording
from atunner.reports.palette import Colours
from atunner.reports.tuned import Family, Point, effects, family
from atunner.search.explain import sensitivity

GOOD = 0.1
MOST_LINES = 160
MOST_STEPS = 12


def importance(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """How much of the variation each parameter explains alone."""
    found = family(record)
    shares = effects(found) if found else ()
    if found is None or not shares:
        return None
    axes.barh([e.name for e in shares], [100 * e.share for e in shares], color=colours.first, height=0.6)
    axes.invert_yaxis()
    for place, effect in enumerate(shares):
        at = (100 * effect.share, place)
        axes.annotate(f"{effect.share:.0%}", at, xytext=(3, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, 110)
    axes.set_xlabel("variation explained alone (%)")
    axes.grid(visible=False, axis="y")
    return (
        f"Family {found.name}, {len(found.points)} configurations: share of the variation of the figure's logarithm "
        f"that each parameter explains alone; {shares[0].name} matters most."
    )


def steps(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """What one step away from the best configuration costs, by parameter."""
    found = family(record)
    if found is None:
        return None
    tried = sensitivity(found.costs)[:MOST_STEPS]
    if not tried:
        return None
    names = [f"{s.parameter}={s.value}" for s in tried]
    axes.barh(names, [s.ratio for s in tried], color=colours.second, height=0.6)
    axes.axvline(1.0, color=colours.first, linewidth=1.2)
    axes.invert_yaxis()
    axes.set_xlabel("times the best figure" if found.smaller else "times below the best figure")
    axes.grid(visible=False, axis="y")
    return f"Configurations that differ from the best in one parameter: the dearest {len(tried)} of those tried."


def parallel(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """Every configuration as a line over its parameters; the best tenth stands out."""
    found = family(record)
    if found is None or len(found.names) < 2:
        return None
    good = max(1, int(len(found.points) * GOOD))
    rest = found.points[good:]
    shown = rest[:: max(1, len(rest) // MOST_LINES)]
    across = np.arange(len(found.names))
    places = {name: _places(found.values(name)) for name in found.names}
    for points, tint, width, order in ((shown, colours.line, 0.6, 1), (found.points[:good], colours.first, 1.1, 2)):
        lines = [np.column_stack([across, _heights(places, p)]) for p in points]
        axes.add_collection(LineCollection(lines, colors=tint, linewidths=width, alpha=0.8, zorder=order))
    best = _heights(places, found.points[0])
    axes.plot(across, best, color=colours.good, linewidth=2.2, marker="o", markersize=4, zorder=3, label="best")
    axes.plot([], [], color=colours.first, label=f"best {good}")
    _ends(found, axes)
    axes.set_xlim(-0.3, len(across) - 0.7)
    axes.set_ylim(-0.12, 1.12)
    axes.set_yticks([])
    axes.set_xticks(across, found.names, rotation=20, ha="right")
    axes.legend(frameon=False, loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.12))
    return f"Family {found.name}: each line is one of {len(found.points)} configurations, the {good} best in front."


def _places(values: Sequence[JsonValue]) -> dict[str, float]:
    """The height of each value of an axis: its place among those that were tried."""
    return {canonical(value): place / (len(values) - 1) for place, value in enumerate(values)}


def _heights(places: Mapping[str, Mapping[str, float]], point: Point) -> list[float]:
    """Where a configuration crosses each axis."""
    return [heights[canonical(point.params[name])] for name, heights in places.items()]


def _ends(found: Family, axes: Axes) -> None:
    """The lowest and the highest value on each axis."""
    for place, name in enumerate(found.names):
        values = found.values(name)
        low, high = (wording.parameters({"": v}).lstrip("=") for v in (values[0], values[-1]))
        axes.annotate(low, (place, 0), xytext=(0, -3), textcoords="offset points", ha="center", va="top")
        axes.annotate(high, (place, 1), xytext=(0, 3), textcoords="offset points", ha="center", va="bottom")
