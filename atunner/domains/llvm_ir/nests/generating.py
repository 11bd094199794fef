"""C loops from schedules: isl orders the pieces, and each piece is printed as statements."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import islpy as isl

from atunner.domains.llvm_ir.nests.blocking import Blocking, Phase
from atunner.domains.llvm_ir.nests.expressions import Expression
from atunner.domains.llvm_ir.nests.kernels import Kernels
from atunner.domains.llvm_ir.nests.nest import Nest, Statement
from atunner.domains.llvm_ir.nests.pieces import Pieces
from atunner.domains.llvm_ir.nests.polyhedra import Polyhedra
from atunner.domains.llvm_ir.nests.printing import Printed, Printer, vector_type

_OPERATORS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "pdiv_q": "/",
    "pdiv_r": "%",
    "zdiv_r": "%",
    "and_": "&&",
    "and_then": "&&",
    "or_": "||",
    "or_else": "||",
    "eq": "==",
    "le": "<=",
    "lt": "<",
    "ge": ">=",
    "gt": ">",
}
_FUNCTIONS = {
    "min": "atunner_min",
    "max": "atunner_max",
    "fdiv_q": "atunner_floor",
}
ROWS = 40
"""Names for loop variables: more than any schedule has rows."""

HELPERS = """\
static inline __attribute__((unused)) long atunner_min(long a, long b) { return a < b ? a : b; }
static inline __attribute__((unused)) long atunner_max(long a, long b) { return a > b ? a : b; }
static inline __attribute__((unused)) long atunner_floor(long a, long b) { return a / b - (a % b < 0); }
"""


def expression_text(expr: isl.AstExpr, names: Mapping[str, str]) -> str:
    """C text of an expression that isl made. names: p0, p1 ... -> C names."""
    kind = isl.ast_expr_type(expr.get_type()).name
    if kind == "int":
        return str(expr.get_val())
    if kind == "id":
        name = str(expr.get_id().get_name())
        return f"(long){names[name]}" if name in names else name
    operands = [expression_text(expr.get_op_arg(n), names) for n in range(expr.get_op_n_arg())]
    operation = isl.ast_expr_op_type(expr.get_op_type()).name
    if operation == "minus":
        return f"(-{operands[0]})"
    if operation in {"cond", "select"}:
        return f"({operands[0]} ? {operands[1]} : {operands[2]})"
    if operation in _FUNCTIONS:
        text = operands[0]
        for operand in operands[1:]:
            text = f"{_FUNCTIONS[operation]}({text}, {operand})"
        return text
    return f"({f' {_OPERATORS[operation]} '.join(operands)})"


@dataclass(frozen=True)
class Block:
    """One instance of a block's body: which accumulator it uses, and where it lies from the origin."""

    number: int
    shift: Mapping[int, int]


class Generator:
    """Prints the loops of one nest.

    names: key -> C name of parameters, scalars and arrays. kernels: takes whole blocks; None leaves them in the loops.
    """

    def __init__(
        self,
        polyhedra: Polyhedra,
        pieces: Mapping[str, Pieces],
        names: Mapping[str, str],
        kernels: Kernels | None = None,
    ) -> None:
        self.nest: Nest = polyhedra.nest
        self.pieces = pieces
        self.names = names
        self.kernels = kernels
        self.parameters = {short: names[key] for key, short in polyhedra.parameters.items()}
        self.statements = {statement.name: statement for statement in self.nest.statements}
        self.accumulators: dict[str, str] = {}
        self.panels: dict[str, str] = {}
        self.folds = {a.key: tuple(e.constant for e in a.dims if e) for a in self.nest.arrays if a.folded}

    def body(self, schedule: isl.UnionMap, context: isl.Set) -> list[str]:
        """The lines of the whole schedule."""
        build = isl.AstBuild.from_context(context)
        ids = isl.IdList.alloc(context.get_ctx(), 0)
        for place in range(ROWS):
            ids = ids.add(isl.Id(f"at_t{place}", context=context.get_ctx()))
        build = build.set_iterators(ids)
        return list(self._node(build.node_from_schedule_map(schedule), 1))

    def _node(self, node: isl.AstNode, depth: int) -> Iterator[str]:
        indent = "  " * depth
        kind = isl.ast_node_type(node.get_type()).name
        if kind == "for_":
            yield from self._for(node, depth)
        elif kind == "if_":
            yield f"{indent}if ({self._text(node.if_get_cond())}) {{"
            yield from self._node(node.if_get_then_node(), depth + 1)
            yield f"{indent}}}"
            if node.if_has_else_node():
                yield f"{indent}else {{"
                yield from self._node(node.if_get_else_node(), depth + 1)
                yield f"{indent}}}"
        elif kind == "block":
            yield from self._block(list(_flat(node)), depth)
        else:
            yield from (f"{indent}{line}" for line in self._piece(node.user_get_expr()))

    def _block(self, children: Sequence[isl.AstNode], depth: int) -> Iterator[str]:
        """What follows each other; a block from its loads to its stores is one call where there are kernels."""
        place = 0
        while place < len(children):
            end = place
            if self.kernels and (name := _phase(children[place], Phase.LOAD)):
                end = next((e for e in range(place, len(children)) if _phase(children[e], Phase.STORE) == name), place)
            lines = [line for child in children[place : end + 1] for line in self._node(child, depth)]
            call = self.kernels.call(lines, self.accumulators, self.panels) if self.kernels and end > place else None
            yield from lines if call is None else [f"{'  ' * depth}{call}"]
            place = end + 1

    def _for(self, node: isl.AstNode, depth: int) -> Iterator[str]:
        indent = "  " * depth
        name = self._text(node.for_get_iterator())
        start = self._text(node.for_get_init())
        if node.for_is_degenerate():
            yield f"{indent}{{ const long {name} = {start};"
        else:
            advance = self._text(node.for_get_inc())
            yield f"{indent}for (long {name} = {start}; {self._text(node.for_get_cond())}; {name} += {advance}) {{"
        yield from self._node(node.for_get_body(), depth + 1)
        yield f"{indent}}}"

    def _text(self, expr: isl.AstExpr) -> str:
        return expression_text(expr, self.parameters)

    def _piece(self, expr: isl.AstExpr) -> Iterator[str]:
        name, _, number = str(expr.get_op_arg(0).get_id().get_name()).partition("_")
        words = [self._text(expr.get_op_arg(n)) for n in range(1, expr.get_op_n_arg())]
        statement, blocking = self.statements[name], self.pieces[name].blocking
        place, origins = words[: len(statement.loops)], words[len(statement.loops) :]
        if number.startswith("p"):
            yield from self._fill(blocking, int(number[1:]), place, origins)
            return
        phase = Phase(int(number))
        if phase in {Phase.BEFORE, Phase.AFTER}:
            printer = self._printer(statement, place, Block(0, {}), {}, 1, {})
            yield f"{printer.element(statement.target)} = {printer.scalar(statement.value)};"
            return
        if any(tile.parallel for tile in blocking.unrolled):
            yield from self._at_once(blocking, place)
            return
        for block in _blocks(blocking):
            yield from self._instance(blocking, phase, place, block, origins)

    def _at_once(self, blocking: Blocking, place: Sequence[str]) -> Iterator[str]:
        """Independent instances: all values first, then all stores, so that they overlap."""
        statement, stores = blocking.statement, []
        for block in _blocks(blocking):
            printer = self._printer(statement, place, block, {}, 1, {})
            name = f"at_{statement.name}_{block.number}".lower()
            self.accumulators[name] = statement.target.type
            yield f"{name} = {printer.scalar(statement.value)};"
            stores.append(f"{printer.element(statement.target)} = {name};")
        yield from stores

    def _fill(self, blocking: Blocking, number: int, place: Sequence[str], origin: Sequence[str]) -> Iterator[str]:
        panel = blocking.panels[number]
        printer = self._printer(blocking.statement, place, Block(0, {}), {}, 1, {})
        index = panel.index(f"{place[panel.inner]} - {origin[0]}", f"{place[panel.across]} - {origin[1]}")
        for which, value in enumerate(panel.values):
            name = f"at_{blocking.statement.name}_panel{number}_{which}".lower()
            self.panels[name] = f"{value.type} {name}[{panel.depth * panel.width}] __attribute__((aligned(64)))"
            yield f"{name}[{index}] = {printer.scalar(value)};"

    def _panels(
        self, blocking: Blocking, place: Sequence[str], block: Block, origins: Sequence[str]
    ) -> dict[Expression, Printed]:
        """What the body takes from panels."""
        kept: dict[Expression, Printed] = {}
        for number, panel in enumerate(blocking.panels if origins else ()):
            first, left = origins[2 * number], origins[2 * number + 1]
            column = f"({place[panel.across]} - {left} + {block.shift.get(panel.across, 0)})"
            index = panel.index(f"{place[panel.inner]} - {first}", column)
            for which, value in enumerate(panel.values):
                element = f"at_{blocking.statement.name}_panel{number}_{which}[{index}]".lower()
                if panel.vector:
                    element = f"(*({vector_type(value.type, blocking.lanes)} *)&{element})"
                kept[value] = Printed(element, panel.vector)
        return kept

    def _instance(
        self, blocking: Blocking, phase: Phase, place: Sequence[str], block: Block, origins: Sequence[str]
    ) -> Iterator[str]:
        statement = blocking.statement
        step = lane_step(blocking)
        kept = self._panels(blocking, place, block, origins)
        if blocking.accumulates:
            kind = accumulator_type(blocking)
            name = f"at_{statement.name}_{block.number}".lower()
            self.accumulators[name] = kind
            kept[statement.target] = Printed(name, blocking.lanes > 1)
        printer = self._printer(statement, place, block, step, blocking.lanes, kept)
        memory = printer.element(statement.target)
        if blocking.lanes > 1:
            memory = f"(*({vector_type(statement.target.type, blocking.lanes)} *)&{memory})"
        if phase is Phase.LOAD:
            yield f"{name} = {memory};"
        elif phase is Phase.STORE:
            yield f"{memory} = {name};"
        else:
            value = printer.splat(statement.value) if blocking.lanes > 1 else printer.scalar(statement.value)
            yield f"{name if blocking.accumulates else memory} = {value};"

    def _printer(
        self,
        statement: Statement,
        place: Sequence[str],
        block: Block,
        step: Mapping[str, int],
        lanes: int,
        kept: Mapping[Expression, Printed],
    ) -> Printer:
        shifted = [f"{text} + {block.shift[d]}" if block.shift.get(d) else text for d, text in enumerate(place)]
        return Printer(
            self.names,
            {loop.key: text for loop, text in zip(statement.loops, shifted, strict=True)},
            {loop.key: loop.type for loop in statement.loops},
            step,
            lanes,
            kept,
            self.folds,
        )


def _flat(node: isl.AstNode) -> Iterator[isl.AstNode]:
    """What follows each other in a block and in the blocks of it."""
    if isl.ast_node_type(node.get_type()).name != "block":
        yield node
        return
    listed = node.block_get_children()
    for number in range(listed.n_ast_node()):
        yield from _flat(listed.get_ast_node(number))


def _phase(node: isl.AstNode, phase: Phase) -> str:
    """The statement of which a node is that phase; empty for anything else."""
    if isl.ast_node_type(node.get_type()).name != "user":
        return ""
    name, _, number = str(node.user_get_expr().get_op_arg(0).get_id().get_name()).partition("_")
    return name if number == str(int(phase)) else ""


def accumulator_type(blocking: Blocking) -> str:
    """The C type of a block's accumulators."""
    element = blocking.statement.target.type
    return vector_type(element, blocking.lanes) if blocking.lanes > 1 else element


def lane_step(blocking: Blocking) -> dict[str, int]:
    """What one lane adds to the loop variables, by key; empty without vectors."""
    steps = blocking.steps() or {}
    for tile, step in steps.items():
        if tile.vector:
            return {blocking.statement.loops[d].key: amount for d, amount in step.items()}
    return {}


def _blocks(blocking: Blocking) -> list[Block]:
    steps = blocking.steps() or {}
    counts = [range(0, tile.size, blocking.lanes if tile.vector else 1) for tile in steps]
    blocks = []
    for number, points in enumerate(product(*counts)):
        shift: dict[int, int] = {}
        for (_, step), point in zip(steps.items(), points, strict=True):
            for d, amount in step.items():
                shift[d] = shift.get(d, 0) + amount * point
        blocks.append(Block(number, shift))
    return blocks
