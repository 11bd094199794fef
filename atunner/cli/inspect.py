"""`atunner inspect`: a CUDA kernel's resources, instruction mix and occupancy, with gates for CI."""

from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from atunner.cli.common import command, numbers, pairs, print_json
from atunner.core.device import Device
from atunner.core.errors import UserError
from atunner.domains.kernels.inspect import Gates, Report, Request, inspect
from atunner.knowledge_base.devices import named

DEFAULT_ARCH = "sm_80"
COMPILERS = ("nvrtc", "nvcc")


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "inspect")(inspect_file)


def inspect_file(
    file: Path = typer.Argument(..., help="CUDA C++ source."),
    kernel: str = typer.Option("", "--kernel", help="Which kernel; a template as an instance: 'tile<32>'."),
    target: list[str] = typer.Option([], "--target", help="GPU by name, e.g. A100; may be given several times."),
    arch: list[str] = typer.Option([], "--arch", help="Architecture, e.g. sm_90; may be given several times."),
    define: list[str] = typer.Option([], "--define", "-D", help="Macro as NAME=VALUE."),
    block: str = typer.Option("", "--block", help="Threads per block: X,Y,Z. Default: launch bounds, else 256."),
    grid: str = typer.Option("", "--grid", help="Blocks: X,Y,Z."),
    shared: int = typer.Option(0, "--shared", min=0, help="Dynamic shared memory per block in bytes."),
    compiler: str = typer.Option("nvrtc", "--compiler", help=f"One of: {', '.join(COMPILERS)}."),
    max_registers: int | None = typer.Option(None, "--max-registers", help="Gate: exit 1 with more registers."),
    no_spills: bool = typer.Option(False, "--no-spills", help="Gate: exit 1 when registers spill."),
    min_occupancy: float | None = typer.Option(None, "--min-occupancy", help="Gate: exit 1 below it (0 to 1)."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> int:
    """Read a kernel's machine code for one or more GPUs; none needs to be here.

    Example: atunner inspect kernel.cu --target A100 --target H100 --block 32,8 --no-spills
    """
    if compiler not in COMPILERS:
        raise UserError(f"--compiler takes one of {', '.join(COMPILERS)}; got {compiler!r}.")
    request = Request(
        file=str(file),
        source=_text(file),
        kernel=kernel,
        targets=_targets(target, arch),
        defines=pairs(define, "--define"),
        block=_three(block, "--block") if block else None,
        grid=_three(grid, "--grid") if grid else (0, 0, 0),
        shared=shared,
        compiler=compiler,
    )
    gates = Gates(max_registers=max_registers, no_spills=no_spills, min_occupancy=min_occupancy)
    reports = inspect(request, gates)
    if as_json:
        print_json(reports)
    else:
        for report in reports:
            _show(report)
    failed = [f"{report.target}: {line}" for report in reports for line in report.failed]
    for line in failed:
        typer.echo(f"gate failed: {line}", err=True)
    return 1 if failed else 0


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"Cannot read {file}: {reason}. Give a CUDA C++ source file.") from error


def _targets(names: list[str], arches: list[str]) -> tuple[Device, ...]:
    devices = [named(name) for name in names]
    devices += [Device(name=arch, vendor="NVIDIA", kind="gpu", arch=arch) for arch in arches]
    return tuple(devices) or _targets([], [DEFAULT_ARCH])


def _three(text: str, option: str) -> tuple[int, int, int]:
    found = numbers(text, option)
    if not 1 <= len(found) <= 3:
        raise UserError(f"{option} takes X, X,Y or X,Y,Z; got {text!r}.")
    x, y, z = (*found, 1, 1)[:3]
    return (x, y, z)


def _show(report: Report) -> None:
    facts, console = report.facts, Console()
    table = Table("figure", "value", title=f"{report.kernel} on {report.target} ({facts.arch})", title_justify="left")
    for name, value in _rows(report):
        table.add_row(name, value)
    console.print(table)
    console.print("look at first:", highlight=False)
    for number, line in enumerate(report.look_at, 1):
        console.print(f"  {number}. {line}", highlight=False, markup=False)


def _rows(report: Report) -> list[tuple[str, str]]:
    facts = report.facts
    found = facts.occupancy
    return [
        ("registers", str(facts.registers)),
        ("shared memory", f"{facts.static_shared} B static, {facts.dynamic_shared} B dynamic"),
        ("spills", f"{facts.spill_bytes} B a thread"),
        ("local arrays", f"{facts.local_array_bytes} B a thread"),
        ("occupancy", _occupancy(report) if found else "unknown"),
        ("next cliff", found.next_cliff if found and found.next_cliff else "none"),
        ("instructions a thread", ", ".join(f"{k} {v:g}" for k, v in _largest(facts.mix))),
        ("global accesses", ", ".join(f"{n} x {bits} bit" for bits, n in facts.widths.items()) or "none"),
        ("bytes a thread", ", ".join(f"{k} {v:g}" for k, v in _largest(facts.traffic)) or "none"),
        ("FLOPs a thread", f"{facts.flops + facts.tensor_flops:g}"),
        ("busiest pipes", ", ".join(f"{k} {v:.0%}" for k, v in list(report.pipes.items())[:4])),
    ]


def _largest(counts: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(counts.items(), key=lambda item: -item[1])


def _occupancy(report: Report) -> str:
    found = report.facts.occupancy
    if found is None:
        return "unknown"
    threads = report.facts.threads_per_block
    return f"{found.fraction:.0%}: {found.blocks} blocks of {threads} threads, limited by {found.limiter}"
