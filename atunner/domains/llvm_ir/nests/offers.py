"""Which templates suit a nest, with what parameters, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from atunner.core.space import Parameter, Space
from atunner.core.value import Value
from atunner.domains.llvm_ir.nests.effort import WHOLE, TooIntricate, limited
from atunner.domains.llvm_ir.nests.pieces import Pieces
from atunner.domains.llvm_ir.nests.planning import plan, takes_steps
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra
from atunner.domains.llvm_ir.nests.sizes import Numbers
from atunner.domains.llvm_ir.nests.strips import strips

EVERY = "program"
BLOCKS = (
    Parameter(name="bytes", values=(16, 32, 64)),
    Parameter(name="rows", values=(1, 2, 3, 4, 6, 8)),
    Parameter(name="vectors", values=(1, 2, 3, 4)),
    Parameter(name="jam", values=(2, 4, 8, 16)),
    Parameter(name="depth", values=(0, 64, 128, 256, 512)),
    Parameter(name="pack", values=(0, 1)),
    Parameter(name="apart", values=(0, 1)),
)
STRIP = Parameter(name="strip", values=(8, 16, 32, 64))
STEPS = Parameter(name="steps", values=(2, 4, 8, 16))
FEW = ("rows * vectors <= 16",)


class Rewrite(Value):
    """A change of one loop nest, or of every one in the program.

    name: template and place. exact: no bit of a result changes. space: its parameters, with constraints.
    default: where to begin. starts: numbers in place of those, worth trying next. reason: why it should help.
    """

    name: str
    function: str
    line: int
    exact: bool
    space: Space
    default: dict[str, JsonValue]
    starts: tuple[dict[str, JsonValue], ...] = ()
    reason: str

    @property
    def parameters(self) -> dict[str, tuple[JsonValue, ...]]:
        """Name -> legal values."""
        return {parameter.name: parameter.values for parameter in self.space.parameters}


@dataclass(frozen=True)
class Template:
    """A family of plans. first: the numbers to begin with. starts: what to change of them next."""

    name: str
    exact: bool
    parameters: tuple[Parameter, ...]
    first: Numbers
    reason: str
    starts: tuple[dict[str, JsonValue], ...] = ()

    def numbers(self, params: Mapping[str, JsonValue]) -> Numbers:
        """The numbers of a pick."""
        return replace(self.first, **params)  # type: ignore[arg-type]  # the space holds integers alone

    def at(self, function: str, line: int) -> Rewrite:
        """The rewrite of one place; line 0 for every place."""
        return Rewrite(
            name=f"{self.name}@{function}:{line}" if line else f"{self.name}@{EVERY}",
            function=function,
            line=line,
            exact=self.exact,
            space=Space(parameters=self.parameters, constraints=FEW),
            starts=self.starts,
            default={parameter.name: getattr(self.first, parameter.name) for parameter in self.parameters},
            reason=self.reason,
        )


def shapes(vector_bytes: int) -> tuple[dict[str, JsonValue], ...]:
    """Packed blocks whose accumulators fill the registers: 8 to 16 of 32, of half or all of the width; else 8 of 16.

    Twelve of them, three loads and a product have room in the first sixteen registers, whose names are shorter.
    """
    packed: dict[str, JsonValue] = {"rows": 4, "pack": 1, "apart": 1}
    if vector_bytes < 64:
        return ({**packed, "vectors": 2, "depth": 256}, {**packed, "vectors": 3, "depth": 256})
    half = {**packed, "bytes": 32}
    return (
        {**half, "vectors": 3, "depth": 128},
        {**half, "vectors": 2, "depth": 256},
        {**packed, "vectors": 4, "depth": 256},
    )


def templates(vector_bytes: int) -> tuple[Template, ...]:
    """Every template, for a machine with vectors of that size."""
    first = Numbers(bytes=vector_bytes)
    return (
        Template(
            "register_block",
            True,
            BLOCKS,
            first,
            "Sums stay in registers over a whole reduction, in their own order, and each element that is loaded "
            "serves several of them; loops are parted and exchanged so that neighbours in memory make vectors.",
            shapes(vector_bytes),
        ),
        Template(
            "strip_rows",
            True,
            (*BLOCKS, STRIP),
            replace(first, strip=16),
            "Several statements walk over one large array: all use a strip of its rows while that is in the cache.",
        ),
        Template(
            "sweep_steps",
            True,
            (*BLOCKS, STEPS),
            replace(first, steps=4),
            "Sweeps over the same arrays follow each other: several run together, each a little behind the last.",
        ),
        Template(
            "reassociate",
            False,
            BLOCKS,
            replace(first, loose=True),
            "Sums in any order, and products and sums in one rounding: vectors along a reduction, fewer operations.",
            shapes(vector_bytes),
        ),
    )


def suits(template: Template, polyhedra: Polyhedra) -> bool:
    """Whether a template changes this nest for what it is meant to do, as far as that can be told with some effort."""
    try:
        with limited(WHOLE):
            return _suits(template, polyhedra)
    except TooIntricate:
        return False


def _suits(template: Template, polyhedra: Polyhedra) -> bool:
    if template.first.strip:
        return bool(strips(polyhedra, template.first.strip))
    if template.first.steps:
        return takes_steps(polyhedra, template.first)
    return any(blocks(piece) for piece in plan(polyhedra, template.first).pieces.values())


def blocks(pieces: Pieces) -> bool:
    """Whether anything of a statement is written out in blocks."""
    return bool(pieces.blocking.unrolled) and not pieces.origins.is_empty()


def promise(polyhedra: Polyhedra) -> tuple[int, int]:
    """What orders nests: how deep their loops are, and how many statements are that deep."""
    depths = [len(statement.loops) for statement in polyhedra.nest.statements]
    return max(depths), depths.count(max(depths))
