"""Plots of a run, drawn from its rows; no plot where the record has nothing to draw."""

import io
from collections.abc import Callable, Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from atunner.core.record import RunRecord
from atunner.core.status import Provenance, Status
from atunner.reports import front, ir_page, palette, wording
from atunner.reports.palette import Colours
from atunner.reports.roof import Roofline, roofline
from atunner.reports.rows import baseline, leaderboard, status_counts
from atunner.reports.tuned_plots import importance, parallel, steps

SIZE = (5.4, 3.3)
BARS = 10
WIDE = 20.0
"""A ratio that a linear axis no longer shows well."""

Draw = Callable[[RunRecord, Axes, Colours], str | None]
"""Draws into the axes and says in one sentence what is seen; None when there is nothing to draw."""


def progress(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """Each trial's figure in the order judged, and the best so far."""
    values = [
        (place, t.measurement.value)
        for place, t in enumerate(record.trials, start=1)
        if t.status is Status.OK and t.measurement and t.measurement.provenance is record.provenance
    ]
    if not values:
        return None
    base = baseline(record)
    scale = base.value if base and base.value and record.provenance is not Provenance.MEASURED else 1.0
    places, figures = [p for p, _ in values], [v / scale for _, v in values]
    sooner = min if record.task.objective.minimise else max
    best = [sooner(figures[: i + 1]) for i in range(len(figures))]
    axes.scatter(places, figures, s=16, color=colours.second, label="trial", zorder=3)
    axes.step(places, best, where="post", color=colours.first, linewidth=2, label="best so far", zorder=2)
    if base:
        axes.axhline(
            base.value / scale,
            color=colours.muted,
            linestyle="--",
            linewidth=1,
            label=wording.base(record).removeprefix("the "),
        )
    failed = [p for p, t in enumerate(record.trials, start=1) if t.status is not Status.OK]
    if failed:
        low = min([*figures, base.value / scale] if base else figures)
        axes.plot(failed, [low] * len(failed), "x", color=colours.bad, markersize=5, label="no figure", zorder=3)
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(_figure_name(record))
    if max(figures) > WIDE * min(figures) > 0:
        axes.set_yscale("log")
    axes.legend(frameon=False)
    return f"Figure of each trial in the order judged; best so far ends at {wording.number(best[-1])}."


def _figure_name(record: RunRecord) -> str:
    if record.provenance is Provenance.MEASURED:
        return f"{record.task.objective.metric} ({record.task.objective.unit})"
    return f"score over naive ({record.provenance.value})"


def roof(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """Ceilings, the operator's intensity and the candidates: attained where measured, upper bounds where predicted."""
    line = roofline(record)
    if line is None:
        return None
    span = _span(line, record)
    axes.plot(span, [line.ceiling(i) / 1e9 for i in span], color=colours.ink, linewidth=1.6, label="roof")
    axes.axvline(line.intensity, color=colours.muted, linestyle="--", linewidth=1, label="at minimal traffic")
    measured = record.provenance is Provenance.MEASURED
    points = _points(record, line)
    if points:
        label = "attained (measured)" if measured else "upper bound (predicted)"
        face = colours.first if measured else "none"
        across, up = [x for x, _ in points], [y for _, y in points]
        axes.scatter(across, up, s=22, facecolors=face, edgecolors=colours.first, label=label, zorder=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("FLOP/byte")
    axes.set_ylabel("GFLOP/s")
    if line.span > 1.0:
        axes.axvspan(line.ridge_low, line.ridge_high, color=colours.line, alpha=0.35, label="the ridge is in here")
    axes.legend(frameon=False, loc="lower right")
    return line.words


def _span(line: Roofline, record: RunRecord) -> list[float]:
    points = [i for i, _ in _points(record, line)]
    low, high = min([line.intensity, line.ridge, *points]) / 4, max([line.intensity, line.ridge, *points]) * 4
    inner = [line.ridge] if low < line.ridge < high else []
    return [low, *inner, high]


def _points(record: RunRecord, line: Roofline) -> list[tuple[float, float]]:
    points = []
    for trial in record.ranked:
        if trial.profile is None or not trial.profile.bytes_moved or trial.measurement is None:
            continue
        intensity = line.flops / trial.profile.bytes_moved
        unit = wording.SECONDS.get(trial.measurement.unit)
        if record.provenance is Provenance.MEASURED and unit:
            points.append((intensity, line.flops / (trial.measurement.value * unit) / 1e9))
        elif record.provenance is not Provenance.MEASURED:
            points.append((intensity, line.ceiling(intensity) / 1e9))
    return points


def board(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """The first rows of the leaderboard as bars beside the baseline."""
    rows = leaderboard(record)[:BARS]
    if not rows:
        return None
    base = baseline(record)
    measured = record.provenance is Provenance.MEASURED
    # A baseline that is far off would press all others into the axis; then the caption tells its figure.
    far = base is not None and base.value > WIDE * rows[-1].value
    shown = [*rows, *([base] if base and not far else [])]
    values = [r.value if measured or r.relative is None else r.relative for r in shown]
    names = [f"{r.rank} {r.family}" if r.rank else r.base for r in shown]
    tints = [colours.muted if r.rank == 0 else colours.first if r.rank == 1 else colours.second for r in shown]
    places = range(len(shown))
    axes.barh(list(places), values, color=tints, height=0.7)
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    for place, value in zip(places, values, strict=True):
        axes.annotate(wording.number(value), (value, place), xytext=(3, 0), textcoords="offset points", va="center")
    axes.margins(x=0.15)
    axes.set_xlabel(_figure_name(record))
    axes.grid(visible=False, axis="y")
    if base is None or not far:
        better = "shorter" if record.task.objective.minimise else "longer"
        return f"The first {len(rows)} of the leaderboard and {wording.base(record)}; {better} is better."
    called, ratio = wording.base(record), wording.number(base.value / rows[0].value)
    return f"The first {len(rows)} of the leaderboard; the bar of {called} would be {ratio} times the first's."


def residency(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """Registers against occupancy, for everything whose machine code was read."""
    profiles = [t.profile for t in record.trials] + [s.profile for s in record.screenings]
    kernels = [k for p in profiles if p for k in p.kernels if k.occupancy]
    if not kernels:
        return None
    clean = [k for k in kernels if not k.spill_bytes]
    spilling = [k for k in kernels if k.spill_bytes]
    for group, tint, mark, label in ((clean, colours.first, "o", "no spills"), (spilling, colours.bad, "x", "spills")):
        if group:
            at = [k.registers for k in group], [100 * k.occupancy.fraction for k in group if k.occupancy]
            axes.scatter(*at, s=20, color=tint, marker=mark, alpha=0.8, label=label)
    axes.set_xlabel("registers a thread")
    axes.set_ylabel("occupancy (%)")
    axes.set_ylim(0, 105)
    axes.legend(frameon=False)
    return f"Registers and occupancy of {len(kernels)} compiled kernels; {len(spilling)} spill registers."


def outcomes(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """How many trials ended in which status."""
    counts = status_counts(record)
    if len(counts) < 2:
        return None
    names = [s.value.replace("_", " ") for s in counts]
    tints = [
        colours.good if s is Status.OK else colours.muted if s is Status.NOT_VERIFIED else colours.bad for s in counts
    ]
    axes.barh(names, list(counts.values()), color=tints, height=0.6)
    axes.invert_yaxis()
    for place, count in enumerate(counts.values()):
        axes.annotate(str(count), (count, place), xytext=(3, 0), textcoords="offset points", va="center")
    axes.margins(x=0.12)
    axes.set_xlabel("trials")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False, axis="y")
    total = sum(counts.values())
    return f"{counts.get(Status.OK, 0)} of {total} trials were verified."


PLOTS: Mapping[str, tuple[str, Draw]] = {
    "progress": ("Progress", progress),
    "roofline": ("Roofline", roof),
    "leaderboard": ("Leaderboard", board),
    "residency": ("Registers and occupancy", residency),
    "outcomes": ("Outcomes", outcomes),
    "front": ("Pareto front", front.plot),
    "importance": ("Which parameters matter", importance),
    "parallel": ("Configurations", parallel),
    "steps": ("Steps from the best", steps),
    "ir_cycles": ("Before and after", ir_page.cycles),
    "ir_cache": ("Cache misses", ir_page.cache),
    "ir_lines": ("Lines of IR", ir_page.ir_lines),
    "ir_opcodes": ("IR opcodes", ir_page.opcodes),
}
"""Name of the file -> title and how it is drawn."""

COUNTED = frozenset({"outcomes", "ir_cache", "ir_lines", "ir_opcodes"})
"""Plots of counts, which are not figures of a device's clock."""


def drawn(record: RunRecord, name: str, colours: Colours) -> tuple[Figure, str] | None:
    """The figure of one plot and the sentence that says what is seen; None when there is nothing to draw."""
    figure = Figure(figsize=SIZE, layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.add_subplot()
    palette.dress(axes, colours)
    said = PLOTS[name][1](record, axes, colours)
    if said is None:
        return None
    palette.tint(axes, colours)
    return figure, said if name in COUNTED else f"{said} All {wording.stamp(record)}."


def svg(figure: Figure, salt: str) -> str:
    """SVG text that is equal for equal content."""
    with palette.fixed(salt):
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def png(figure: Figure) -> bytes:
    """PNG on white, at 160 dots an inch."""
    figure.patch.set_alpha(1.0)
    figure.patch.set_facecolor("white")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=160, metadata={"Software": None})
    return stream.getvalue()
