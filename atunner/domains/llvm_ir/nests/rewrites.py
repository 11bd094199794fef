"""The public face: which rewrites a program allows, and the program after some of them."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, JsonValue

from atunner.core.errors import UnknownName, UserError
from atunner.core.space import Parameter, Space
from atunner.core.value import Value
from atunner.domains.llvm_ir.nests.generating import HELPERS
from atunner.domains.llvm_ir.nests.nest import Nest
from atunner.domains.llvm_ir.nests.outlining import Outlined, outlined
from atunner.domains.llvm_ir.nests.planning import Numbers, plan
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra
from atunner.domains.llvm_ir.nests.printing import typedefs
from atunner.domains.llvm_ir.nests.regions import found
from atunner.domains.llvm_ir.nests.syntax import Unit, parsed

SPACE = Space(
    parameters=(
        Parameter(name="bytes", values=(16, 32, 64)),
        Parameter(name="rows", values=(1, 2, 3, 4, 6, 8)),
        Parameter(name="vectors", values=(1, 2, 3, 4)),
        Parameter(name="jam", values=(1, 2, 4, 8, 16)),
        Parameter(name="depth", values=(0, 64, 128, 256, 512)),
        Parameter(name="pack", values=(0, 1)),
        Parameter(name="strip", values=(0, 8, 16, 32, 64)),
        Parameter(name="steps", values=(0, 2, 4, 8, 16)),
    ),
    constraints=("rows * vectors <= 16",),
)


class Rewrite(Value):
    """A change of one loop nest.

    name: template and place. exact: no bit of a result changes. space: its parameters, with constraints.
    default: where to begin. reason: why it should help.
    """

    name: str
    function: str
    line: int
    exact: bool
    space: Space
    default: dict[str, JsonValue]
    reason: str

    @property
    def parameters(self) -> dict[str, tuple[JsonValue, ...]]:
        """Name -> legal values."""
        return {parameter.name: parameter.values for parameter in self.space.parameters}


class Pick(Value):
    """A rewrite by name, with its parameters; those left out keep their defaults."""

    rewrite: str
    params: dict[str, JsonValue] = Field(default_factory=dict)


def rewrites(source: str, flags: Sequence[str], folder: Path) -> tuple[Rewrite, ...]:
    """What can be done to the loop nests of a C program, the most promising first.

    flags: as it is compiled. folder: where its own headers lie.

    Raises:
        UserError: the program does not compile.
    """
    unit = parsed(source, tuple(flags), folder)
    return tuple(_offered(nest) for nest in found(unit).nests)


def rewritten(source: str, flags: Sequence[str], folder: Path, picks: Sequence[Pick]) -> str:
    """The whole program after these rewrites: preprocessed C that keeps the lines of the source.

    Raises:
        UserError: no such rewrite, a value outside its space, or two rewrites of one nest.
    """
    unit = parsed(source, tuple(flags), folder)
    nests = {_offered(nest).name: nest for nest in found(unit).nests}
    changed: list[tuple[Nest, Outlined]] = []
    for pick in picks:
        if pick.rewrite not in nests:
            raise UnknownName("rewrite", pick.rewrite, nests)
        nest = nests[pick.rewrite]
        if any(nest is other for other, _ in changed):
            raise UserError(f"Two rewrites of one nest: {pick.rewrite}; give one.")
        offer = _offered(nest)
        params = {**offer.default, **pick.params}
        if not offer.space.holds(params):
            raise UserError(f"{pick.rewrite} takes {offer.parameters}, got {pick.params}.")
        polyhedra = Polyhedra(nest)
        changed.append((nest, outlined(polyhedra, plan(polyhedra, Numbers(**params)))))  # type: ignore[arg-type]
    return _spliced(unit, changed)


def _offered(nest: Nest) -> Rewrite:
    return Rewrite(
        name=f"register_block@{nest.function}:{nest.line}",
        function=nest.function,
        line=nest.line,
        exact=True,
        space=SPACE,
        default=dict(Numbers().__dict__),
        reason="Sums stay in registers over the whole reduction, and each loaded row serves several of them.",
    )


def _spliced(unit: Unit, changed: Sequence[tuple[Nest, Outlined]]) -> str:
    """The program with each function before the one that calls it, and lines counted as in the source."""
    edits: list[tuple[int, int, str]] = []
    for nest, made in changed:
        again = unit.text[nest.begin : nest.end].decode()
        guarded = f"if ({made.guard})\n  {made.call}\nelse {{\n{_line(unit, nest.begin)}{again}\n}}\n"
        edits.append((nest.begin, nest.end, guarded + _line(unit, nest.end)))
        edits.append((nest.head, nest.head, f"\n{made.function}\n{_line(unit, nest.head)}"))
    text = unit.text
    for begin, end, new in sorted(edits, key=lambda edit: -edit[0]):
        text = text[:begin] + new.encode() + text[end:]
    code = text.decode()
    return f"{typedefs(code)}\n{HELPERS}{code}"


def _line(unit: Unit, offset: int) -> str:
    return f'# {unit.line(offset)} "{unit.file}"\n'
