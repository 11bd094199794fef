"""What changed between two modules, in counts."""

from atunner.core.value import Value
from atunner.domains.llvm_ir.evidence.ir_text import Module


class Change(Value):
    """One count before and after."""

    name: str
    before: int
    after: int

    @property
    def percent(self) -> float | None:
        """Change in percent of before, None where there was nothing before."""
        return 100.0 * (self.after - self.before) / self.before if self.before else None


class Difference(Value):
    """Counts of two modules. opcodes, functions: only those that changed; functions by their instructions."""

    lines: Change
    instructions: Change
    opcodes: tuple[Change, ...] = ()
    functions: tuple[Change, ...] = ()


def difference(before: Module, after: Module) -> Difference:
    """Compare two modules; opcodes by the size of their change, functions in the order of the first module."""
    names = dict.fromkeys([f.name for f in before.functions] + [f.name for f in after.functions])
    functions = [_function(name, before, after) for name in names]
    opcodes = _changes(before.opcodes, after.opcodes)
    return Difference(
        lines=Change(name="IR lines", before=before.lines, after=after.lines),
        instructions=Change(name="instructions", before=before.instructions, after=after.instructions),
        opcodes=tuple(sorted(opcodes, key=lambda c: (-abs(c.after - c.before), c.name))),
        functions=tuple(f for f in functions if f is not None),
    )


def _changes(before: dict[str, int], after: dict[str, int]) -> list[Change]:
    found = [Change(name=n, before=before.get(n, 0), after=after.get(n, 0)) for n in sorted({*before, *after})]
    return [c for c in found if c.before != c.after]


def _function(name: str, before: Module, after: Module) -> Change | None:
    old, new = before.function(name), after.function(name)
    if (old.opcodes if old else None) == (new.opcodes if new else None):
        return None
    return Change(name=name, before=old.instructions if old else 0, after=new.instructions if new else 0)
