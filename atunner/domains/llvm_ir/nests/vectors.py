"""What a loop does to the elements of a statement: whether its turns make vectors, and which values they share."""

from collections.abc import Mapping

from atunner.domains.llvm_ir.nests.expressions import Access, Binary, Expression, Select, accesses, names, parts
from atunner.domains.llvm_ir.nests.nest import Statement
from atunner.domains.llvm_ir.nests.polyhedra import subscript
from atunner.domains.llvm_ir.nests.printing import NotVectorizable, Printed, Printer


def uses(access: Access, statement: Statement, level: int) -> bool:
    """Whether an element depends on a loop of its statement."""
    key = statement.loops[level].key
    return any(key in subscript(sub).terms for sub in access.subscripts)


def offset(statement: Statement, level: int) -> int:
    """Where a loop with a constant lower bound begins, so that blocks begin there too."""
    loop = statement.loops[level]
    if statement.folded:
        return 0
    return loop.lower.constant if loop.step > 0 and not loop.lower.terms else 0


def vectorizable(
    statement: Statement, level: int, lanes: int, kept: Mapping[Expression, Printed] | None = None
) -> bool:
    """Whether neighbouring turns of a loop make a vector."""
    loop = statement.loops[level]
    if loop.step != 1:
        return False
    names: Mapping[str, str] = _Any()
    printer = Printer(names, {}, {}, {loop.key: 1}, lanes, kept or {}, {})
    try:
        printer.splat(statement.value)
        return printer.varies(statement.target)
    except NotVectorizable:
        return False


class _Any(dict[str, str]):
    """Names for an expression that is printed only to see whether it can be."""

    def __missing__(self, key: str) -> str:
        return "x"


def strided(statement: Statement, access: Access, level: int) -> bool:
    """Whether neighbouring turns of a loop use elements that are no neighbours."""
    key = statement.loops[level].key
    changes = [subscript(sub).terms.get(key, 0) for sub in access.subscripts]
    return any(changes[:-1]) or (bool(changes) and changes[-1] not in {0, 1})


def overlaps(statement: Statement, level: int) -> bool:
    """Whether neighbouring turns of a loop read some elements in common, as a stencil does."""
    key = statement.loops[level].key
    seen: dict[object, set[tuple[int, ...]]] = {}
    for access in statement.reads:
        forms = [subscript(sub) for sub in access.subscripts]
        if any(key in form.terms for form in forms):
            steady = tuple(tuple(sorted(form.terms.items())) for form in forms)
            seen.setdefault((access.array, steady), set()).add(tuple(f.constant for f in forms if key in f.terms))
    return any(len(places) > 1 for places in seen.values())


def shared(statement: Statement, across: int, inner: int) -> list[Expression]:
    """The largest parts of the value that depend on just these two loops and not on the target's array."""
    pair = {statement.loops[across].key, statement.loops[inner].key}
    found: list[Expression] = []

    def visit(expression: Expression) -> None:
        keys = {name.key for name in names(expression)} & {loop.key for loop in statement.loops}
        if keys <= pair and all(a.array != statement.target.array for a in accesses(expression)):
            if keys == pair and expression not in found:
                found.append(expression)
            return
        for part in certain(expression):
            visit(part)

    visit(statement.value)
    return found


def certain(expression: Expression) -> tuple[Expression, ...]:
    """The operands that are evaluated whatever their values are."""
    lazy = isinstance(expression, Select) or (isinstance(expression, Binary) and expression.operator in {"&&", "||"})
    return parts(expression)[:1] if lazy else parts(expression)
