"""The translation unit that holds every instance of a candidate, each in a namespace with its own macros."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atunner.core.candidate import Params
from atunner.core.errors import NotBuilt
from atunner.core.expression import evaluate
from atunner.core.program import Buffer, Geometry, Problem, Program
from atunner.domains.kernels.cpu_check.rewrite import Rewritten

ELEMENT_BYTES = {
    **{"float64": 8, "int64": 8, "uint64": 8, "float32": 4, "int32": 4, "uint32": 4},
    **{"float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "bool": 1},
}
_ROLES = {"input": "INPUT", "output": "OUTPUT", "inout": "INOUT", "workspace": "WORKSPACE"}
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Instance:
    """One problem at one point of the parameter space."""

    problem: Problem
    params: Params


@dataclass(frozen=True)
class Layout:
    """What one instance runs: its buffers and its launches with all expressions evaluated."""

    slots: tuple[Buffer, ...]
    launches: tuple[Geometry, ...]


def layout(program: Program, instance: Instance) -> Layout:
    """Buffers, workspaces and launches of one instance.

    Raises:
        NotBuilt: a launch that no GPU takes, or an unknown dtype or name.
    """
    names = {**instance.problem.dims, **instance.params}
    slots = [*instance.problem.buffers]
    for scratch in program.workspaces:
        shape = (int(evaluate(scratch.elements, names)),)
        slots.append(Buffer(name=scratch.name, dtype=scratch.dtype, shape=shape, role="workspace"))
    for slot in slots:
        if not _NAME.fullmatch(slot.name) or slot.dtype not in ELEMENT_BYTES or slot.elements < 0:
            raise NotBuilt(
                f"buffer {slot.name!r} of dtype {slot.dtype!r}: known dtypes are {', '.join(ELEMENT_BYTES)}."
            )
    launches = program.geometry(names)
    for launch in launches:
        _admit(launch)
    return Layout(tuple(slots), launches)


def _admit(launch: Geometry) -> None:
    if min(*launch.grid, *launch.block) < 1 or launch.shared_bytes < 0:
        raise NotBuilt(f"{launch.kernel}: grid {launch.grid} and block {launch.block} must be at least 1.")
    if launch.threads > 1024 or launch.block[2] > 64:
        raise NotBuilt(f"{launch.kernel}: a block of {launch.block} has {launch.threads} threads; at most 1024, z 64.")
    if launch.grid[0] >= 2**31 or max(launch.grid[1:]) > 65535:
        raise NotBuilt(f"{launch.kernel}: a grid of {launch.grid} is too large: y and z are at most 65535.")
    if launch.shared_bytes > 227 * 1024:
        raise NotBuilt(f"{launch.kernel}: {launch.shared_bytes} bytes of dynamic shared memory; at most 232448.")


def driver(source: Rewritten, program: Program, instances: Sequence[Instance], layouts: Sequence[Layout]) -> str:
    """The text of the translation unit; the source keeps its name in messages."""
    defined = definitions(program.flags)
    parts = [
        _instance(source, program.source, number, one, layouts[number], defined) for number, one in enumerate(instances)
    ]
    plans = ", ".join(
        f"{{atunner_buffers_{n}, {len(made.slots)}, atunner_launches_{n}, {len(made.launches)}}}"
        for n, made in enumerate(layouts)
    )
    parts.append(f'extern "C" const atunner::Plan atunner_plans[] = {{{plans}}};')
    parts.append(f'extern "C" const unsigned atunner_plan_count = {len(layouts)};\n')
    return "\n".join(parts)


def _instance(
    source: Rewritten, name: str, number: int, instance: Instance, made: Layout, defined: dict[str, str]
) -> str:
    macros = defined | instance.problem.macros(instance.params)
    lines = [f"#define {key} {value}" for key, value in macros.items()]
    lines += [f"namespace {{ namespace atunner_{number} {{", f"#line 1 {json.dumps(name)}", source.text]
    lines.append('}}\n#line 1 "launch"')
    places = {slot.name: place for place, slot in enumerate(made.slots)}
    names = {**instance.problem.dims, **instance.params}
    for index, launch in enumerate(made.launches):
        arguments = ", ".join(_argument(a, places, names, launch.kernel) for a in launch.args)
        call = f"atunner_{number}::{launch.kernel}({arguments});"
        lines.append(f"static void atunner_start_{number}_{index}(void* const* b) {{ (void)b; {call} }}")
    lines += [f"#undef {key}" for key in dict.fromkeys((*macros, *source.macros))]
    lines.append(_tables(number, made))
    return "\n".join(lines)


def definitions(flags: Sequence[str]) -> dict[str, str]:
    """The macros that compiler flags define: -DNAME, -DNAME=VALUE, -D NAME=VALUE."""
    text = " ".join(flags)
    found = re.findall(r"(?:^|\s)(?:-D\s*|--define-macro[= ])(\w+)(?:=(\S+))?", text)
    return {name: value or "1" for name, value in found}


def _argument(text: str, places: dict[str, int], names: Mapping[str, object], kernel: str) -> str:
    if text in places:
        return f"atunner::Pointer{{b[{places[text]}]}}"
    kind, _, expression = text.partition(":")
    if kind in ("int32", "int64"):
        return f"{'int' if kind == 'int32' else '(long long)'}({int(evaluate(expression, names))}LL)"
    if kind in ("float32", "float64"):
        return f"{'float' if kind == 'float32' else 'double'}({float(evaluate(expression, names))!r})"
    raise NotBuilt(f"{kernel}: argument {text!r} is no buffer or workspace. Known: {', '.join(places)}.")


def _tables(number: int, made: Layout) -> str:
    buffers = ", ".join(
        f'{{"{s.name}", {s.elements * ELEMENT_BYTES[s.dtype]}ul, {ELEMENT_BYTES[s.dtype]}, atunner::{_ROLES[s.role]}}}'
        for s in made.slots
    )
    launches = ", ".join(
        f'{{"", {{{", ".join(map(str, g.grid))}}}, {{{", ".join(map(str, g.block))}}}, {g.shared_bytes}ul, '
        f"atunner_start_{number}_{i}}}"
        for i, g in enumerate(made.launches)
    )
    return (
        f"static const atunner::Buffer atunner_buffers_{number}[] = {{{buffers}}};\n"
        f"static const atunner::Launch atunner_launches_{number}[] = {{{launches}}};"
    )
