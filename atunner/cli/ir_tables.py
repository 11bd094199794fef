"""`atunner ir diff-stats`, `plot`, `heatmap` and `selftest`: tables and pictures of what is on disk."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from atunner.cli.common import command
from atunner.core.errors import UserError
from atunner.core.task import Task
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.evidence import steps
from atunner.domains.llvm_ir.evidence.ir_difference import Change, Difference, difference
from atunner.domains.llvm_ir.evidence.ir_text import Module
from atunner.domains.llvm_ir.evidence.readings import USER_TIME, Readings
from atunner.domains.llvm_ir.selftest import tried
from atunner.reports import ir_files, ir_tables
from atunner.reports.ir import Build, Kernel
from atunner.settings import Settings
from atunner.wiring import HOST, domain_config

MOST_OPCODES = 16
DIFF_STATS = """Counters and IR of two builds side by side, and as a line of optimization_report.csv.

Example: atunner ir diff-stats --original-ir gemm.ll --optimized-ir gemm.opt.ll --kernel gemm --output-csv report.csv
"""
PLOT = """Draw the bars of cycles, cache misses and IR lines; with several programs their speed-ups in one chart too.

PATH is what `atunner tune ir` wrote: its folder, a suite's folder, or an optimization_report.csv.

Example: atunner ir plot gemm-ir
"""
HEATMAP = """Draw how the counts of IR opcodes changed: opcodes by programs, on a logarithmic colour scale.

PATH is what `atunner tune ir` wrote: its folder, a suite's folder, or an ir_instr_log.json.

Example: atunner ir heatmap gemm-ir
"""


def register(room: typer.Typer) -> None:
    """Add the commands."""
    command(room, "diff-stats", DIFF_STATS)(diff_stats)
    command(room, "plot", PLOT)(plot)
    command(room, "heatmap", HEATMAP)(heatmap)


def diff_stats(
    original_ir: Path = typer.Option(..., "--original-ir", "--original_ir", help="IR before, e.g. gemm.ll."),
    optimized_ir: Path = typer.Option(..., "--optimized-ir", "--optimized_ir", help="IR after, e.g. gemm.opt.ll."),
    original_perf: Path = typer.Option(
        Path(), "--original-perf", "--original_perf", show_default=False, help="Counters before."
    ),
    optimized_perf: Path = typer.Option(
        Path(), "--optimized-perf", "--optimized_perf", show_default=False, help="Counters after."
    ),
    kernel: str = typer.Option("", "--kernel", help="Name of the program; left out: that of the first file."),
    output_csv: Path = typer.Option(
        Path(), "--output-csv", "--output_csv", show_default=False, help="File to add a line to."
    ),
) -> int:
    """Translate, compare, print and write."""
    modules = steps.module(original_ir), steps.module(optimized_ir)
    counts = tuple(steps.counted(p) if p != Path() else Readings() for p in (original_perf, optimized_perf))
    name = kernel or original_ir.name.split(".")[0]
    before, after = (_build(module, found) for module, found in zip(modules, counts, strict=True))
    found = Kernel(name=name, level="n/a", original=before, optimised=after, ratio=None)
    _show(found, difference(*modules))
    if output_csv != Path():
        _add_line(output_csv, found)
    return 0


def _build(module: Module, counts: Readings) -> Build:
    user = counts.get(USER_TIME)
    return Build(
        cycles=counts.get("cycles"),
        instructions=counts.get("instructions"),
        cache_misses=counts.get("cache-misses"),
        cpu_ms=1000 * user if user is not None else None,
        ir_lines=module.lines,
        opcodes=module.opcodes,
    )


def _show(kernel: Kernel, changed: Difference) -> None:
    row = ir_tables.row_of(kernel)
    table = Table(kernel.name, "original", "optimized", "change", title_justify="left")
    for name in ir_tables.FIGURES:
        before, after, change = row.before.get(name), row.after.get(name), row.change(name)
        table.add_row(name, *(f"{v:,.6g}" if v is not None else "n/a" for v in (before, after)), _percent(change))
    for one in changed.opcodes[:MOST_OPCODES]:
        table.add_row(f"opcode {one.name}", str(one.before), str(one.after), _percent(one.percent))
    for one in changed.functions:
        table.add_row(f"function {one.name}", *_instructions(one), _percent(one.percent))
    Console(width=None if Console().is_terminal else 120).print(table)
    if not changed.opcodes and not changed.functions:
        typer.echo("The functions of both files have the same instructions.")


def _instructions(one: Change) -> tuple[str, str]:
    return tuple(f"{n} instructions" if n else "not there" for n in (one.before, one.after))  # type: ignore[return-value]  # two of them


def _percent(change: float | None) -> str:
    return "n/a" if change is None else f"{change:+.1f} %"


def _add_line(path: Path, kernel: Kernel) -> None:
    text = ir_tables.as_csv([kernel])
    header, line = text.split("\n", 1)
    try:
        if path.is_file() and path.stat().st_size:
            ir_tables.read_csv(path)
            old = path.read_text(encoding="utf-8")
            path.write_text(f"{old.rstrip()}\n{line}", encoding="utf-8")
        else:
            path.write_text(f"{header}\n{line}", encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot write --output-csv {path}: {error.strerror}.") from error
    typer.echo(str(path))


def plot(
    path: Path = typer.Argument(..., help="Folder of a run or a suite, or an optimization_report.csv."),
    out: Path = typer.Option(Path(), "--out", show_default=False, help="Folder for the pictures; left out: the same."),
) -> int:
    """Translate, draw, name the files, and print the suite's table."""
    rows, _, _ = _found(path)
    written = ir_files.draw(rows, _beside(path, out))
    for one in written:
        typer.echo(str(one))
    if len(rows) > 1:
        typer.echo(ir_files.suite_table(rows), nl=False)
    return 0


def heatmap(
    path: Path = typer.Argument(..., help="Folder of a run or a suite, or an ir_instr_log.json."),
    out: Path = typer.Option(Path(), "--out", show_default=False, help="Folder for the picture; left out: the same."),
) -> int:
    """Translate, draw, name the file."""
    log = ir_tables.read_opcodes(path) if path.is_file() else _found(path)[2]
    typer.echo(str(ir_files.draw_heatmap(log, _beside(path, out))))
    return 0


def _found(path: Path) -> ir_files.Gathered:
    if path.is_file():
        return ir_files.Gathered(ir_tables.read_csv(path), (), ())
    if not path.is_dir():
        raise UserError(f"Cannot read {path}: no such file or folder.")
    return ir_files.gathered(path)


def _beside(path: Path, out: Path) -> Path:
    return out if out != Path() else path.parent if path.is_file() else path


def selftest(
    clang: Annotated[str, typer.Option(help="Which clang; left out: the newest here.")] = "",
    quiet: Annotated[bool, typer.Option(help="Print only what was accepted or refused otherwise.")] = False,
) -> int:
    """Print a table of every planted edit and its answer."""
    task = Task(domain="llvm_ir", name="selftest", target=HOST)
    domain = LlvmIr(domain_config(Settings(), task))
    table = Table("kind", "category", "name", "answer", "as expected", "says")
    total = accepted = odd = 0
    for row in tried(domain, clang):
        total, accepted, odd = total + 1, accepted + row.accepted, odd + (not row.good)
        if not (quiet and row.good):
            said = row.feedback.splitlines()[0][:90] if row.feedback else ""
            table.add_row(
                row.kind, row.category, row.name, str(row.status), "yes" if row.good else f"NO: {row.expected}", said
            )
    Console(width=170).print(table)
    typer.echo(f"{total} planted edits, {accepted} accepted, {odd} refused otherwise than expected")
    return 1 if accepted or odd else 0
