"""The rewritten nest as a function of its own, called where the nest was, with the nest itself as the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import islpy as isl

from atunner.domains.llvm_ir.nests.effort import PRINTING, limited
from atunner.domains.llvm_ir.nests.generating import Generator
from atunner.domains.llvm_ir.nests.guarding import apart, condition, within
from atunner.domains.llvm_ir.nests.kernels import Kernels, declared, rows_of
from atunner.domains.llvm_ir.nests.nest import Nest
from atunner.domains.llvm_ir.nests.planning import Plan


@dataclass(frozen=True)
class Outlined:
    """The new function, and the statement that calls it when the guard holds."""

    name: str
    function: str
    guard: str
    call: str


LOOSE = "#pragma clang fp reassociate(on) contract(fast)"


def outlined(plan: Plan, *, loose: bool = False) -> Outlined:
    """Print a plan. Its legality was proved when it was made. loose: let sums be taken in any order."""
    polyhedra, pieces = plan.polyhedra, plan.pieces
    nest = polyhedra.nest
    name = f"atunner_{nest.function}_{nest.line}"
    names = _names(nest)
    good = within(polyhedra)
    schedule = None
    width = max(piece.width for piece in pieces.values())
    for piece in pieces.values():
        part = piece.schedule(width)
        schedule = part if schedule is None else schedule.union(part)
    assert isinstance(schedule, isl.UnionMap)
    pragma = LOOSE if loose else ""
    kernels = Kernels(name, nest, names, pragma) if plan.apart else None
    generator = Generator(polyhedra, pieces, names, kernels)
    with limited(PRINTING):
        body = generator.body(schedule, good)
    outside = {name.key: name.name for name in (*nest.parameters, *nest.scalars)} | {a.key: a.name for a in nest.arrays}
    shorts = {short: outside[key] for key, short in polyhedra.parameters.items()}
    tests = [f"{name.name} == {value}" for name, value in nest.taken]
    tests += [condition(good, shorts), *apart(polyhedra, shorts, outside)]
    return Outlined(
        name,
        _function(nest, name, names, generator, body, pragma),
        " && ".join(test for test in tests if test != "1") or "1",
        f"{name}({', '.join(_arguments(nest))});",
    )


def _names(nest: Nest) -> dict[str, str]:
    """The program's own names inside the new function, made different where the program has one name twice.

    Names that begin with at_ are those of loop variables and accumulators.
    """
    names: dict[str, str] = {}
    known = [(item.key, item.name) for item in (*nest.parameters, *nest.scalars)]
    for key, name in [*known, *((array.key, array.name) for array in nest.arrays)]:
        taken = name in names.values() or name.startswith("at_")
        names[key] = f"{name}_{len(names)}_" if taken else name
    return names


def _function(
    nest: Nest, name: str, names: Mapping[str, str], generator: Generator, body: Sequence[str], pragma: str
) -> str:
    scalars = [array for array in nest.arrays if not array.dims]
    folded = [array for array in nest.arrays if array.folded]
    outer = [f"{item.type} {names[item.key]}" for item in (*nest.parameters, *nest.scalars)]
    outer += [declared(array, names) for array in nest.arrays if array.dims and not array.folded]
    outer += [f"{s.element} *restrict at_{names[s.key]}" for s in scalars if not s.private]
    lines = [*(generator.kernels.functions if generator.kernels else ())]
    lines += [f"static __attribute__((noinline)) void {name}({', '.join(outer)}) {{", pragma]
    lines += [f"  {s.element} {names[s.key]}{'' if s.private else f' = *at_{names[s.key]}'};" for s in scalars]
    for array in folded:
        extents = "".join(f"[{extent.constant}]" for extent in array.dims if extent)
        lines.append(f"  {array.element} {names[array.key]}{extents} __attribute__((aligned(64)));")
    used = "\n".join(body)
    lines += [f"  {kind} {word};" for word, kind in generator.accumulators.items() if f"{word} =" in used]
    lines += [f"  {panel};" for panel in generator.panels.values()]
    lines += body
    lines += [f"  *at_{names[s.key]} = {names[s.key]};" for s in scalars if not s.private]
    return "\n".join([*lines, "}"])


def _arguments(nest: Nest) -> list[str]:
    here = {item.key: item.name for item in (*nest.parameters, *nest.scalars)}
    words = list(here.values())
    for array in nest.arrays:
        if array.dims and not array.folded:
            kind = f"{array.element} *" if len(array.dims) == 1 else rows_of(array, "(*)", here)
            words.append(f"({kind}){array.name}")
    return [*words, *(f"&{array.name}" for array in nest.arrays if not array.dims and not array.private)]
