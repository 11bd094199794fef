"""A region of affine loop nests: arrays, loops and statements, named by structure and never by the program's names."""

from collections.abc import Iterator
from dataclasses import dataclass

from atunner.domains.llvm_ir.nests.expressions import Access, Affine, Expression, Name, accesses

Place = tuple[int | None, ...]


@dataclass(frozen=True)
class Array:
    """A memory object. dims: extents, None where the first is open; no dims for a scalar.

    element: C type. distinct: a declared array or a scalar, which no pointer of the region means too unless `exposed`.
    private: declared inside the region, so that nothing of it is seen outside. folded: subscripts count modulo extents.
    """

    key: str
    name: str
    element: str
    dims: tuple[Affine | None, ...]
    distinct: bool
    private: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Loop:
    """One loop: variable, bounds (both included, lower <= upper in value) and step (negative: downwards)."""

    key: str
    name: str
    type: str
    lower: Affine
    upper: Affine
    step: int


@dataclass(frozen=True)
class Condition:
    """An affine test that must be true, or false where `holds` is not set."""

    test: Expression
    holds: bool


@dataclass(frozen=True)
class Statement:
    """`target = value` under loops and conditions.

    place: position among its siblings at each level, None for a loop. folded: it uses arrays whose subscripts count
    modulo their extents, so that its tiles begin at multiples of their sizes.
    """

    index: int
    loops: tuple[Loop, ...]
    conditions: tuple[Condition, ...]
    place: Place
    target: Access
    value: Expression
    line: int
    folded: bool = False

    @property
    def name(self) -> str:
        """The name in sets of instances."""
        return f"S{self.index}"

    @property
    def reads(self) -> tuple[Access, ...]:
        """Elements read, without repeats."""
        return tuple(dict.fromkeys(accesses(self.value)))


@dataclass(frozen=True)
class Nest:
    """Consecutive loop nests of one function.

    begin, end: byte range of the preprocessed text that it replaces. head: where the function begins.
    parameters: integers in bounds and subscripts. scalars: all invariant scalars that the statements read.
    taken: parameters whose values were put in their places, to be tested where the nest runs.
    """

    function: str
    line: int
    head: int
    begin: int
    end: int
    arrays: tuple[Array, ...]
    parameters: tuple[Name, ...]
    scalars: tuple[Name, ...]
    statements: tuple[Statement, ...]
    taken: tuple[tuple[Name, int], ...] = ()

    def array(self, key: str) -> Array:
        """The array of that key."""
        return next(array for array in self.arrays if array.key == key)

    @property
    def written(self) -> frozenset[str]:
        """Keys of the arrays that some statement writes."""
        return frozenset(statement.target.array for statement in self.statements)

    def references(self) -> Iterator[tuple[Statement, Access]]:
        """Every element that is read or written, with its statement."""
        for statement in self.statements:
            yield statement, statement.target
            for access in statement.reads:
                yield statement, access
