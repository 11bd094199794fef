"""The tables and pictures of one program or a whole suite, in a folder; and the suite's table for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from atunner.core.errors import UserError
from atunner.reports import ir_plots, ir_tables
from atunner.reports.ir import NOT_AVAILABLE, Kernel
from atunner.reports.ir_tables import Metric, Opcodes, Row
from atunner.reports.plots import png

REPORT = "optimization_report.csv"
METRICS = "metrics_log.json"
OPCODES = "ir_instr_log.json"
CYCLES = "report_cycles.png"
CACHE = "report_cache.png"
LINES = "report_ir_lines.png"
HEATMAP = "ir_instr_heatmap.png"
SPEEDUP = "report_speedup.png"
TABLE = "suite.md"


def write(kernels: Sequence[Kernel], folder: Path) -> tuple[Path, ...]:
    """All tables and pictures; the chart of speed-ups and the table for people where there are several programs.

    Raises:
        UserError: the folder cannot be made or written.
    """
    metrics, opcodes = ir_tables.metrics(kernels), ir_tables.opcodes(kernels)
    rows = tuple(ir_tables.row_of(kernel) for kernel in kernels)
    tables = {
        REPORT: ir_tables.as_csv(kernels),
        METRICS: ir_tables.as_json(metrics),
        OPCODES: ir_tables.as_json(opcodes),
    }
    if len(rows) > 1:
        tables[TABLE] = suite_table(rows)
    written = tuple(_put(folder / name, text.encode()) for name, text in tables.items())
    return (*written, *draw(rows, folder), draw_heatmap(opcodes, folder))


def draw(rows: Sequence[Row], folder: Path) -> tuple[Path, ...]:
    """Bars of cycles, cache misses and lines of IR; speed-ups where there are several programs. Raises UserError."""
    figures = {CYCLES: ir_plots.cycles(rows), CACHE: ir_plots.cache(rows), LINES: ir_plots.ir_lines(rows)}
    if len(rows) > 1:
        figures[SPEEDUP] = ir_plots.speedups(rows)
    return tuple(_picture(folder / name, figure) for name, figure in figures.items())


def draw_heatmap(log: Sequence[Opcodes], folder: Path) -> Path:
    """The heatmap of opcodes. Raises UserError."""
    return _picture(folder / HEATMAP, ir_plots.heatmap(log))


class Gathered(NamedTuple):
    """What the tables of a folder say."""

    rows: tuple[Row, ...]
    metrics: tuple[Metric, ...]
    opcodes: tuple[Opcodes, ...]


def gathered(folder: Path) -> Gathered:
    """Rows and logs of a folder and of the folders in it that hold such files, as a suite leaves them.

    Raises:
        UserError: there is no report, or a file is damaged.
    """
    places = [p for p in (folder, *sorted(folder.glob("*/"))) if (p / REPORT).is_file()]
    if not places:
        raise UserError(f"{folder} has no {REPORT}. Give the folder that `atunner tune ir` wrote to.")
    if places[0] == folder:
        places = places[:1]
    rows = [row for p in places for row in ir_tables.read_csv(p / REPORT)]
    metrics = [line for p in places if (p / METRICS).is_file() for line in ir_tables.read_metrics(p / METRICS)]
    opcodes = [line for p in places if (p / OPCODES).is_file() for line in ir_tables.read_opcodes(p / OPCODES)]
    return Gathered(ir_tables.with_user_time(rows, metrics), tuple(metrics), tuple(opcodes))


def suite_table(rows: Sequence[Row]) -> str:
    """Every program with its confirmed ratio as a Markdown table; the geometric mean counts a kept baseline as 1."""
    lines = ["| program | speed-up | 95 % interval | cycles | processor time | IR lines |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = f"{row.speedup:.2f}x" if row.speedup is not None else NOT_AVAILABLE
        span = f"{row.low:.2f} to {row.high:.2f}" if row.low is not None and row.high is not None else "baseline kept"
        changes = (_percent(row.change(name)) for name in ("cycles", "cpu_ms", "IR_lines"))
        lines.append(f"| {row.kernel} | {ratio} | {span} | {' | '.join(changes)} |")
    known = [row.speedup for row in rows if row.speedup]
    if known:
        lines.append(f"| **geometric mean of {len(known)}** | **{ir_plots.geometric_mean(known):.2f}x** | | | | |")
    return "\n".join(lines) + "\n"


def _percent(change: float | None) -> str:
    return NOT_AVAILABLE if change is None else f"{change:+.0f} %"


def _picture(path: Path, figure: Figure) -> Path:
    return _put(path, png(figure))


def _put(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.write_bytes(content)
        return new.replace(path)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror}. Choose another folder.") from error
