"""The regions of a program that are affine loop nests, found by structure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from atunner.domains.llvm_ir.nests.expressions import (
    Name,
    names,
)
from atunner.domains.llvm_ir.nests.flat import not_affine, parted
from atunner.domains.llvm_ir.nests.nest import Nest, Statement
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC, NotUnderstood, Scope
from atunner.domains.llvm_ir.nests.statements import Reader, assigned
from atunner.domains.llvm_ir.nests.syntax import Node, Unit

ASSIGNMENTS = ("BinaryOperator", "CompoundAssignOperator", "UnaryOperator")


@dataclass(frozen=True)
class Refusal:
    """A loop that no template is tried on, and why."""

    function: str
    line: int
    reason: str


@dataclass
class Found:
    """The nests of a program, and the loops that are none."""

    nests: list[Nest] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def found(unit: Unit) -> Found:
    """Every maximal run of consecutive affine loop nests, function by function."""
    result = Found()
    for function in unit.functions:
        body = next(child for child in function.children if child.kind == "CompoundStmt")
        _search(unit, function, body, result)
    return result


def _search(unit: Unit, function: Node, block: Node, result: Found) -> None:
    run: list[Node] = []
    for child in (*block.children, Node({})):
        reason = "" if child.kind not in {"ForStmt", *ASSIGNMENTS} else _reason(unit, function, [child])
        if child.kind in {"ForStmt", *ASSIGNMENTS} and not reason:
            run.append(child)
            continue
        _close(unit, function, run, result)
        run = []
        if child.kind == "ForStmt":
            result.refusals.append(Refusal(function.name, unit.line(child.begin), reason))
        if child.kind in {"ForStmt", "CompoundStmt", "IfStmt", "WhileStmt", "DoStmt"}:
            _search(unit, function, child, result)


def _close(unit: Unit, function: Node, run: list[Node], result: Found) -> None:
    loops = [place for place, node in enumerate(run) if node.kind == "ForStmt"]
    if not loops:
        return
    whole = run[loops[0] : loops[-1] + 1]
    try:
        result.nests.append(_read(unit, function, whole))
    except NotUnderstood:
        for node in whole:
            if node.kind == "ForStmt" and not _reason(unit, function, [node]):
                result.nests.append(_read(unit, function, [node]))


def _reason(unit: Unit, function: Node, nodes: Sequence[Node]) -> str:
    try:
        _read(unit, function, nodes)
    except NotUnderstood as error:
        return str(error)
    return ""


def _read(unit: Unit, function: Node, nodes: Sequence[Node]) -> Nest:
    reader = Reader(_scope(unit, function, nodes), unit)
    for place, node in enumerate(nodes):
        reader.statement(node, (place,))
    _no_leak(function, nodes, reader.scope)
    scope = reader.scope
    statements, scope.arrays = parted(reader.statements, scope.arrays, scope.seen)
    if not statements:
        raise NotUnderstood("The loops hold no statement.")
    if not_affine(statements):
        raise NotUnderstood("A subscript is not affine in the loop variables.")
    if any(scope.arrays[s.target.array].element in scope.risky for s in statements if _through_pointer(scope, s)):
        raise NotUnderstood("A write through a pointer may change a scalar that the nest reads.")
    parameters = _parameters(statements, scope)
    return Nest(
        function=function.name,
        line=unit.line(nodes[0].begin),
        head=function.begin,
        begin=nodes[0].begin,
        end=_end(unit, nodes[-1]),
        arrays=tuple(scope.arrays.values()),
        parameters=parameters,
        scalars=_scalars(statements, scope, parameters),
        statements=statements,
    )


def _through_pointer(scope: Scope, statement: Statement) -> bool:
    return not scope.arrays[statement.target.array].distinct


def _end(unit: Unit, node: Node) -> int:
    """Behind the statement, with the semicolon that clang leaves out."""
    end = node.end
    rest = unit.text[end : end + 200]
    stripped = rest.lstrip()
    return end + len(rest) - len(stripped) + 1 if stripped.startswith(b";") else end


def _scope(unit: Unit, function: Node, nodes: Sequence[Node]) -> Scope:
    declared = [n for n in function.walk() if n.kind in {"ParmVarDecl", "VarDecl"}]
    inside = frozenset(n.key for top in nodes for n in top.walk() if n.kind == "VarDecl")
    iterators = {key for top in nodes for n in top.walk() if n.kind == "ForStmt" for key in _counter(n)}
    written = frozenset(key for top in nodes for n in top.walk() for key in assigned(n)) - iterators
    changed = frozenset(key for n in function.walk() for key in assigned(n))
    local = {n.key for n in declared if n.text("storageClass") not in {"static", "extern"}}
    exposed = {n.declared.key for n in function.walk() if n.kind == "DeclRefExpr"} - local
    for node in function.walk():
        if node.kind == "UnaryOperator" and node.opcode == "&":
            exposed |= {n.declared.key for n in node.walk() if n.kind == "DeclRefExpr"}
    names_seen = [n.name for n in declared]
    visible = {n.name: n for n in declared if names_seen.count(n.name) == 1}
    scalars_inside = {n.key for n in declared if n.key in inside and n.type in ARITHMETIC} - iterators
    scope = Scope(unit.text, written | scalars_inside, frozenset(exposed), visible, changed, inside)
    if iterators & scope.exposed:
        raise NotUnderstood("A loop variable is global, or its address is taken.")
    return scope


def _counter(loop: Node) -> list[str]:
    start = loop.children[0]
    if start.kind == "DeclStmt":
        return [child.key for child in start.children]
    if start.kind == "BinaryOperator" and start.children[0].kind == "DeclRefExpr":
        return [start.children[0].declared.key]
    return []


def _no_leak(function: Node, nodes: Sequence[Node], scope: Scope) -> None:
    """A loop variable that is declared outside may be used elsewhere only where a loop sets it first."""
    outer = scope.iterators - scope.inside
    skipped = {id(node.raw) for node in nodes}

    def visit(node: Node, set_here: frozenset[str]) -> None:
        if id(node.raw) in skipped:
            if outer & set_here:
                raise NotUnderstood("A loop variable is that of a loop around the nest too.")
            return
        if node.kind == "ForStmt":
            set_here = set_here | frozenset(_counter(node))
        if node.kind == "DeclRefExpr" and node.declared.key in outer - set_here:
            raise NotUnderstood(f"The loop variable {node.declared.name} is used behind its loop.")
        for child in node.children:
            visit(child, set_here)

    visit(function, frozenset())


def _parameters(statements: Sequence[Statement], scope: Scope) -> tuple[Name, ...]:
    wanted: dict[str, None] = {}
    for statement in statements:
        for loop in statement.loops:
            wanted |= dict.fromkeys([*loop.lower.terms, *loop.upper.terms])
        for condition in statement.conditions:
            wanted |= dict.fromkeys(name.key for name in names(condition.test))
        for one in (statement.target, *statement.reads):
            for sub in one.subscripts:
                wanted |= dict.fromkeys(name.key for name in names(sub))
    for array in scope.arrays.values():
        for extent in array.dims:
            wanted |= dict.fromkeys(extent.terms if extent else ())
    if any(key in scope.written for key in wanted):
        raise NotUnderstood("A bound changes inside the nest.")
    return tuple(scope.seen[key] for key in wanted if key not in scope.iterators)


def _scalars(statements: Sequence[Statement], scope: Scope, parameters: Sequence[Name]) -> tuple[Name, ...]:
    read: dict[str, Name] = {}
    for statement in statements:
        for name in (*names(statement.value), *(n for s in statement.target.subscripts for n in names(s))):
            if name.key not in scope.iterators:
                read[name.key] = name
    return tuple(name for key, name in read.items() if key not in {p.key for p in parameters})
