"""The seed's pictures: bars before and after, the heatmap of opcodes, and the chart of a whole suite."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from atunner.reports import palette, wording
from atunner.reports.ir_tables import Opcodes, Row
from atunner.reports.palette import PRINTED, Colours

NO_COUNTERS = "n/a: no counters on this machine"
MOST_OPCODES = 24
WIDE = 20.0
"""A ratio of heights that a linear axis no longer shows well."""
OCTAVES = 3.0
"""Colours end at an eighth and at eight times; an opcode that is new or gone has the last colour."""


def bars(rows: Sequence[Row], name: str, label: str) -> Figure:
    """One figure of every program before and after, with the change in percent; honest text where there is none."""
    known = [row for row in rows if row.before.get(name) is not None and row.after.get(name) is not None]
    figure, axes = _figure(max(len(known), 1))
    if not known:
        return _empty(figure, axes, label)
    draw_bars(known, name, axes, PRINTED)
    left_out = [row.kernel for row in rows if row not in known]
    axes.set_title(_title(label, known, left_out), fontsize=9.5, loc="left", color=PRINTED.ink)
    return figure


def cycles(rows: Sequence[Row]) -> Figure:
    """report_cycles.png: cycles, or processor time where a machine counts none."""
    if all(row.before.get("cycles") is None for row in rows) and any(row.before.get("cpu_ms") for row in rows):
        return bars(rows, "cpu_ms", "processor time in ms (no cycle counter here)")
    return bars(rows, "cycles", "CPU cycles (user)")


def cache(rows: Sequence[Row]) -> Figure:
    """report_cache.png."""
    return bars(rows, "cache_misses", "cache misses (user)")


def ir_lines(rows: Sequence[Row]) -> Figure:
    """report_ir_lines.png: shown because the seed shows it; shorter IR is no goal."""
    return bars(rows, "IR_lines", "lines of IR")


def draw_bars(rows: Sequence[Row], name: str, axes: Axes, colours: Colours) -> None:
    """Two bars for each program: before, after, with the change above them."""
    before = [row.before[name] or 0.0 for row in rows]
    after = [row.after[name] or 0.0 for row in rows]
    across = np.arange(len(rows))
    axes.bar(across - 0.2, before, 0.38, color=colours.muted, label="-O3")
    axes.bar(across + 0.2, after, 0.38, color=colours.first, label="ATunner")
    heights = [v for v in (*before, *after) if v > 0]
    if heights and max(heights) > WIDE * min(heights):
        axes.set_yscale("log")
    for place, row in enumerate(rows):
        change = row.change(name)
        if change is not None:
            at = (place, max(before[place], after[place]))
            text = f"{change:+.0f}%" if abs(change) >= 0.5 else "0%"
            axes.annotate(text, at, xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=8)
    turned = len(rows) > 6
    axes.set_xticks(
        across, [row.kernel for row in rows], rotation=40 if turned else 0, ha="right" if turned else "center"
    )
    axes.set_xlim(-0.7, len(rows) - 0.3)
    axes.margins(y=0.15)
    axes.grid(visible=False, axis="x")
    axes.legend(
        frameon=False, loc="upper right", ncols=2, bbox_to_anchor=(1.0, -0.1 if not turned else -0.34), fontsize=8.5
    )


def heatmap(lines: Sequence[Opcodes]) -> Figure:
    """ir_instr_heatmap.png: opcodes by programs, relative change of their counts on a logarithmic colour scale."""
    pairs = _pairs(lines)
    names = _telling(pairs)
    figure, axes = _figure(max(len(pairs), 1), height=1.6 + 0.26 * max(len(names), 6))
    if not names:
        said = "no opcode changed" if pairs else "n/a: no IR was kept"
        return _empty(figure, axes, "opcodes", said)
    changes = np.array([[_octaves(*pair, name) for pair in pairs.values()] for name in names])
    image = axes.imshow(changes, cmap="RdBu_r", vmin=-OCTAVES, vmax=OCTAVES, aspect="auto")
    axes.set_yticks(range(len(names)), names)
    turned = len(pairs) > 6
    axes.set_xticks(range(len(pairs)), list(pairs), rotation=40 if turned else 0, ha="right" if turned else "center")
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    if len(pairs) <= 10:
        _cells(axes, pairs, names, changes)
    bar = figure.colorbar(image, ax=axes, ticks=range(-3, 4), fraction=0.05, pad=0.02)
    bar.ax.set_yticklabels(["⅛, or gone", "¼", "½", "same", "2x", "4x", "8x, or new"])
    bar.set_label("change of the count (log scale)", fontsize=8.5)
    bar.ax.tick_params(labelsize=8)
    axes.tick_params(labelsize=8.5, length=0)
    axes.set_title("Opcodes: count in -O3 → count in ATunner's", fontsize=9.5, loc="left", color=PRINTED.ink)
    return figure


def speedups(rows: Sequence[Row]) -> Figure:
    """report_speedup.png: every program of a suite with its interval, and the geometric mean."""
    known = sorted((row for row in rows if row.speedup), key=lambda row: row.speedup or 0.0)
    figure, axes = _figure(1, height=1.3 + 0.27 * max(len(known), 3))
    if not known:
        return _empty(figure, axes, "speed-up")
    values = [row.speedup or 0.0 for row in known]
    tints = [PRINTED.first if row.low is not None else PRINTED.muted for row in known]
    axes.barh(range(len(known)), values, color=tints, height=0.62)
    for place, row in enumerate(known):
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [place, place], color=PRINTED.ink, linewidth=1.2)
        text = f"{row.speedup:.2f}x" if row.low is not None else "baseline kept"
        at = (max(row.high or 0.0, row.speedup or 0.0), place)
        axes.annotate(text, at, xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    mean = geometric_mean(values)
    axes.axvline(1.0, color=PRINTED.muted, linewidth=1, linestyle="--")
    axes.axvline(mean, color=PRINTED.good, linewidth=1.2)
    axes.set_yticks(range(len(known)), [row.kernel for row in known])
    axes.margins(x=0.14, y=0.02)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("speed-up over -O3, confirmed, with its 95 % interval")
    axes.set_title(
        f"{len(known)} programs, geometric mean {mean:.2f}x (green)", fontsize=9.5, loc="left", color=PRINTED.ink
    )
    return figure


def geometric_mean(values: Sequence[float]) -> float:
    """Of positive numbers."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


def _pairs(lines: Sequence[Opcodes]) -> dict[str, tuple[Opcodes, Opcodes]]:
    """Program -> counts before and after; after is what was kept, or the baseline again."""
    found = {}
    for name in dict.fromkeys(line.kernel for line in lines):
        own = [line for line in lines if line.kernel == name]
        before = next((line for line in own if line.iteration == 0), own[0])
        found[name] = (before, next((line for line in own if line.verdict == "kept"), before))
    return found


def _telling(pairs: dict[str, tuple[Opcodes, Opcodes]]) -> list[str]:
    """The opcodes that changed somewhere: those with the largest changes, by name."""
    moved: dict[str, int] = {}
    for before, after in pairs.values():
        for name in {*before.opcodes, *after.opcodes}:
            by = abs(after.opcodes.get(name, 0) - before.opcodes.get(name, 0))
            moved[name] = max(moved.get(name, 0), by)
    changed = sorted((name for name, by in moved.items() if by), key=lambda name: (-moved[name], name))
    return sorted(changed[:MOST_OPCODES])


def _octaves(before: Opcodes, after: Opcodes, name: str) -> float:
    """How often the count doubled; at the ends of the scale for an opcode that is new or gone."""
    old, new = before.opcodes.get(name, 0), after.opcodes.get(name, 0)
    if not old or not new:
        return OCTAVES * ((new > 0) - (old > 0))
    return math.log2(new / old)


def _cells(
    axes: Axes, pairs: dict[str, tuple[Opcodes, Opcodes]], names: list[str], changes: NDArray[np.float64]
) -> None:
    for column, (before, after) in enumerate(pairs.values()):
        for line, name in enumerate(names):
            old, new = before.opcodes.get(name, 0), after.opcodes.get(name, 0)
            dark = abs(changes[line, column]) > 1.8
            text = f"{old} → {new}" if old != new else str(old)
            axes.text(
                column, line, text, ha="center", va="center", fontsize=7.5, color="white" if dark else PRINTED.ink
            )


def _title(label: str, known: Sequence[Row], left_out: Sequence[str]) -> str:
    rest = f"; not known of {', '.join(left_out[:4])}" if left_out else ""
    return f"{label[0].upper()}{label[1:]}: {len(known)} program{'s' if len(known) > 1 else ''}{rest}"


def _figure(columns: int, height: float = 3.4) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(min(16.0, max(5.4, 2.0 + 0.62 * columns)), min(height, 14.0)), layout="constrained")
    axes = figure.add_subplot()
    palette.dress(axes, PRINTED)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: wording.scaled(value, "").strip()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(colors=PRINTED.muted, labelsize=8.5)
    return figure, axes


def _empty(figure: Figure, axes: Axes, label: str, said: str = NO_COUNTERS) -> Figure:
    """A picture that says that there is nothing to show."""
    axes.set_axis_off()
    text = f"{label[0].upper()}{label[1:]}\n{said}"
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=11, color=PRINTED.muted, transform=axes.transAxes)
    return figure
