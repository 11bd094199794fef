"""`atunner operators` and `atunner devices`: what can be named."""

import typer
from rich.console import Console
from rich.table import Table

from atunner.cli.common import command, print_json
from atunner.core.device import Device
from atunner.knowledge_base.devices import device, host
from atunner.knowledge_base.devices import known as known_devices
from atunner.operators import known, operator


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "operators")(operators)
    command(app, "devices")(devices)


def operators(as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """List the operators, what --input-shape means for each, and their kernel families.

    Example: atunner operators
    """
    found = [operator(name) for name in known()]
    rows = [
        {
            "name": o.name,
            "summary": o.summary,
            "shape": o.shape_help,
            "default_shape": list(o.default_shape),
            "families": {language: [f.name for f in s.families] for language, s in o.kernels.items()},
        }
        for o in found
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("operator", "what it computes", "--input-shape", "default", "families")
    for row, o in zip(rows, found, strict=True):
        families = "\n".join(f"{lang}: {', '.join(f.name for f in s.families)}" for lang, s in o.kernels.items())
        table.add_row(str(row["name"]), o.summary, o.shape_help, ",".join(map(str, o.default_shape)), families)
    Console().print(table)


def devices(
    name: str = typer.Argument("", help="One device by name; left out: all."),
    as_json: bool = typer.Option(False, "--json", help="As JSON."),
) -> None:
    """List the devices of the knowledge base and this machine's processor; one by name, with every source.

    Example: atunner devices A100
    """
    found = [device(name)] if name else [host(), *known_devices()]
    if as_json:
        print_json(found)
    elif name:
        _one(found[0])
    else:
        _all(found)


def _all(found: list[Device]) -> None:
    table = Table("device", "arch", "also called", "FP32 TFLOP/s", "DRAM GB/s")
    for one in found:
        figures = [f"{one.get(n):g}" if n in one.facts else "-" for n in ("fp32_tflops", "dram_gbs")]
        table.add_row(one.name, one.arch, ", ".join(one.aliases), *figures)
    Console().print(table)


def _one(one: Device) -> None:
    table = Table("fact", "value", "unit", "source", title=f"{one.name} ({one.vendor}, {one.arch})")
    for name, fact in one.facts.items():
        table.add_row(name, f"{fact.value:g}", fact.unit, f"{fact.source} {fact.note}".strip())
    Console().print(table)
    for note in one.notes:
        Console().print(note)
