"""What the page of a tuned C program shows beside the rest: figures before and after, opcodes, evidence, its diff."""

import math
import re

from matplotlib.axes import Axes

from atunner.core.candidate import Candidate
from atunner.core.record import RunRecord
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.reports import difference, wording
from atunner.reports.ir import DOMAIN, Kernel, kept, kernel
from atunner.reports.ir_plots import NO_COUNTERS, draw_bars
from atunner.reports.ir_tables import row_of
from atunner.reports.palette import Colours

MOST_OPCODES = 14
NAMES = {
    "cycles": "CPU cycles",
    "cpu_ms": "processor time in ms",
    "cache_misses": "cache misses",
    "IR_lines": "lines of IR",
}
_MARKER = re.compile(r'# \d+ "([^"]*)".*')


class Evidence(Value):
    """What is known of how one build runs. title: which build."""

    title: str
    points: tuple[str, ...]


def cycles(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """Cycles of both builds, or processor time where none were counted."""
    if record.task.domain != DOMAIN:
        return None
    found = kernel(record)
    name = "cpu_ms" if found.original.cycles is None else "cycles"
    return _bars(found, name, axes, colours)


def cache(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """Cache misses of both builds."""
    return _bars(kernel(record), "cache_misses", axes, colours) if record.task.domain == DOMAIN else None


def ir_lines(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """Lines of IR of both builds: shown, never a goal."""
    return _bars(kernel(record), "IR_lines", axes, colours) if record.task.domain == DOMAIN else None


def _bars(found: Kernel, name: str, axes: Axes, colours: Colours) -> str:
    row = row_of(found)
    before, after, change = row.before.get(name), row.after.get(name), row.change(name)
    if before is None or after is None or change is None:
        axes.set_axis_off()
        axes.text(0.5, 0.5, NO_COUNTERS, ha="center", va="center", transform=axes.transAxes)
        return f"{NAMES[name].capitalize()} could not be counted."
    draw_bars((row,), name, axes, colours)
    axes.set_ylabel(NAMES[name])
    figures = f"{wording.number(before)} with -O3, {wording.number(after)} with what was kept ({change:+.0f} %)"
    return f"{NAMES[name][0].upper()}{NAMES[name][1:]}: {figures}."


def opcodes(record: RunRecord, axes: Axes, colours: Colours) -> str | None:
    """How often the count of each opcode doubled, those that changed most."""
    if record.task.domain != DOMAIN or not kept(record):
        return None
    found = kernel(record)
    before, after = found.original.opcodes, found.optimised.opcodes
    moved = {n: after.get(n, 0) - before.get(n, 0) for n in {*before, *after} if after.get(n, 0) != before.get(n, 0)}
    if not before or not moved:
        return None
    names = sorted(sorted(moved, key=lambda n: (-abs(moved[n]), n))[:MOST_OPCODES])
    octaves = [math.log2(max(after.get(n, 0), 0.5) / max(before.get(n, 0), 0.5)) for n in names]
    axes.barh(names, octaves, color=[colours.first if o > 0 else colours.second for o in octaves], height=0.62)
    axes.invert_yaxis()
    for place, (name, octave) in enumerate(zip(names, octaves, strict=True)):
        side = 3 if octave >= 0 else -3
        text, turned = f"{before.get(name, 0)} → {after.get(name, 0)}", "left" if octave >= 0 else "right"
        axes.annotate(text, (octave, place), xytext=(side, 0), textcoords="offset points", va="center", ha=turned)
    axes.axvline(0, color=colours.muted, linewidth=1)
    axes.margins(x=0.25)
    axes.set_xlabel("times that the count doubled (log scale)")
    axes.grid(visible=False, axis="y")
    return f"IR opcodes, count with -O3 → count in what was kept; {len(moved)} of them changed."


def evidence(record: RunRecord) -> tuple[Evidence, ...]:
    """Hot lines, remarks and the inner loop of the -O3 build, then of what was kept."""
    if record.task.domain != DOMAIN:
        return ()
    winner = record.winner if kept(record) else None
    pairs = (("The -O3 build", record.baseline), ("What was kept", winner))
    return tuple(Evidence(title=title, points=_points(trial)) for title, trial in pairs if trial and _points(trial))


def _points(trial: Trial) -> tuple[str, ...]:
    return trial.profile.notes if trial.profile else ()


def shown(record: RunRecord, candidate: Candidate) -> str:
    """What a diff compares: the source without what it includes, and the recipe where there is one."""
    text = difference.source(candidate)[1]
    if record.task.domain != DOMAIN:
        return text
    return f"{own_source(text)}\n{candidate.files.get(difference.RECIPE_FILE, '')}"


def own_source(text: str) -> str:
    """A preprocessed source without what it includes; any other text as it is."""
    names = [found[1] for line in text.splitlines() if (found := _MARKER.fullmatch(line))]
    if not names:
        return text
    main, own, result = names[0], True, list[str]()
    for line in text.splitlines():
        found = _MARKER.fullmatch(line)
        if found:
            own = found[1] == main
        elif own and (line.strip() or not result or result[-1].strip()):
            result.append(line)
    return "\n".join(result) + "\n"
