"""The regions of a program that are affine loop nests, found by structure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from atunner.domains.llvm_ir.nests.expressions import (
    Access,
    Affine,
    Binary,
    Cast,
    Expression,
    Name,
    Unary,
    accesses,
    affine,
    names,
)
from atunner.domains.llvm_ir.nests.nest import Condition, Loop, Nest, Place, Statement
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC, NotUnderstood, Scope, access, expression
from atunner.domains.llvm_ir.nests.syntax import Node, Unit

COUNTERS = frozenset({"int", "long", "long long", "short", "unsigned long"})
ASSIGNMENTS = ("BinaryOperator", "CompoundAssignOperator", "UnaryOperator")
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


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
    reader = _Reader(_scope(unit, function, nodes), unit)
    for place, node in enumerate(nodes):
        reader.statement(node, (place,))
    _no_leak(function, nodes, reader.scope)
    scope, statements = reader.scope, tuple(reader.statements)
    if not statements:
        raise NotUnderstood("The loops hold no statement.")
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
    written = frozenset(key for top in nodes for n in top.walk() for key in _assigned(n)) - iterators
    assigned = frozenset(key for n in function.walk() for key in _assigned(n))
    local = {n.key for n in declared if n.text("storageClass") not in {"static", "extern"}}
    exposed = {n.declared.key for n in function.walk() if n.kind == "DeclRefExpr"} - local
    for node in function.walk():
        if node.kind == "UnaryOperator" and node.opcode == "&":
            exposed |= {n.declared.key for n in node.walk() if n.kind == "DeclRefExpr"}
    names_seen = [n.name for n in declared]
    visible = {n.name: n for n in declared if names_seen.count(n.name) == 1}
    scalars_inside = {n.key for n in declared if n.key in inside and n.type in ARITHMETIC} - iterators
    scope = Scope(unit.text, written | scalars_inside, frozenset(exposed), visible, assigned, inside)
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


def _assigned(node: Node) -> list[str]:
    writes = (node.kind in {"BinaryOperator", "CompoundAssignOperator"} and node.opcode.endswith("=")) and (
        node.opcode not in {"==", "!=", "<=", ">="}
    )
    if not writes and not (node.kind == "UnaryOperator" and node.opcode in {"++", "--"}):
        return []
    target = node.children[0]
    while target.kind == "ParenExpr":
        target = target.children[0]
    return [target.declared.key] if target.kind == "DeclRefExpr" else []


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


@dataclass
class _Reader:
    """Walks the statements of one region and keeps what it read."""

    scope: Scope
    unit: Unit
    statements: list[Statement] = field(default_factory=list)
    loops: tuple[Loop, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def statement(self, node: Node, place: Place) -> None:
        match node.kind:
            case "CompoundStmt":
                for number, child in enumerate(node.children):
                    self.statement(child, (*place, number))
            case "ForStmt":
                self._loop(node, place)
            case "NullStmt":
                return
            case "BinaryOperator" if node.opcode == "=":
                target = access(node.children[0], self.scope)
                self._keep(node, place, target, expression(node.children[1], self.scope))
            case "CompoundAssignOperator":
                self._compound(node, place)
            case "DeclStmt":
                self._declaration(node, place)
            case "IfStmt":
                self._branch(node, place)
            case "ParenExpr":
                self.statement(node.children[0], place)
            case _:
                raise NotUnderstood(f"{node.kind} inside a loop has no reading here.")

    def _keep(self, node: Node, place: Place, target: Access, value: Expression) -> None:
        for one in (target, *accesses(value)):
            for sub in one.subscripts:
                if affine(sub) is None:
                    raise NotUnderstood("A subscript is not affine in the loop variables.")
        line = self.unit.line(node.begin)
        self.statements.append(Statement(len(self.statements), self.loops, self.conditions, place, target, value, line))

    def _compound(self, node: Node, place: Place) -> None:
        target = access(node.children[0], self.scope)
        computed, result = node.typed("computeLHSType"), node.typed("computeResultType")
        left: Expression = target if computed == target.type else Cast(target, computed)
        value: Expression = Binary(node.opcode[:-1], left, expression(node.children[1], self.scope), result)
        self._keep(node, place, target, value if result == target.type else Cast(value, target.type))

    def _declaration(self, node: Node, place: Place) -> None:
        for number, child in enumerate(node.children):
            if child.kind != "VarDecl" or child.type not in ARITHMETIC:
                raise NotUnderstood(f"The declaration of {child.name} inside a loop has no reading here.")
            array = self.scope.array(child)
            for start in child.children:
                value = expression(start, self.scope)
                self._keep(child, (*place, number), Access(array.key, (), array.element), value)

    def _branch(self, node: Node, place: Place) -> None:
        test = expression(node.children[0], self.scope)
        if not testable(test):
            raise NotUnderstood("An if depends on data, or is not affine.")
        kept = self.conditions
        for number, child in enumerate(node.children[1:]):
            self.conditions = (*kept, Condition(test, number == 0))
            self.statement(child, (*place, number))
        self.conditions = kept

    def _loop(self, node: Node, place: Place) -> None:
        start, _, test, step, body = node.children
        loop = self._header(start, test, step)
        if loop.key in {outer.key for outer in self.loops}:
            raise NotUnderstood(f"The loop variable {loop.name} is set again inside its loop.")
        if any(loop.key in _assigned(n) for n in body.walk()):
            raise NotUnderstood(f"The loop variable {loop.name} is changed inside its loop.")
        kept = self.loops
        self.loops = (*kept, loop)
        self.statement(body, (*place, None))
        self.loops = kept

    def _header(self, start: Node, test: Node, step: Node) -> Loop:
        if start.kind == "DeclStmt" and len(start.children) == 1 and start.children[0].children:
            counter, first = start.children[0], start.children[0].children[0]
        elif start.kind == "BinaryOperator" and start.opcode == "=" and start.children[0].kind == "DeclRefExpr":
            counter, first = start.children[0].declared, start.children[1]
        else:
            raise NotUnderstood("A loop does not begin with one assignment to its variable.")
        if counter.type not in COUNTERS:
            raise NotUnderstood(f"The loop variable {counter.name} has the type {counter.type}.")
        self.scope.iterators.add(counter.key)
        begin, amount = self._affine(first), self._step(step, counter.key)
        end = self._bound(test, counter.key, up=amount > 0)
        if counter.type == "unsigned long" and (amount < 0 or not _plain(begin) or not _plain(end.plus(Affine({}, 1)))):
            raise NotUnderstood(f"The bounds of the unsigned {counter.name} may wrap around.")
        low, high = (begin, end) if amount > 0 else (end, begin)
        return Loop(counter.key, counter.name, counter.type, low, high, amount)

    def _affine(self, node: Node) -> Affine:
        form = affine(expression(node, self.scope))
        if form is None:
            raise NotUnderstood("A loop bound is not affine.")
        return form

    def _step(self, node: Node, key: str) -> int:
        """The constant that is added each time."""
        if node.kind == "UnaryOperator" and node.opcode in {"++", "--"} and _assigned(node) == [key]:
            return 1 if node.opcode == "++" else -1
        amount: Affine | None = None
        if node.kind == "CompoundAssignOperator" and node.opcode in {"+=", "-="} and _assigned(node) == [key]:
            amount = self._affine(node.children[1]).times(1 if node.opcode == "+=" else -1)
        elif node.kind == "BinaryOperator" and node.opcode == "=" and _assigned(node) == [key]:
            amount = self._affine(node.children[1]).plus(Affine({key: 1}), -1)
        if amount is None or amount.terms or not amount.constant:
            raise NotUnderstood("A loop does not advance by a constant.")
        return amount.constant

    def _bound(self, node: Node, key: str, *, up: bool) -> Affine:
        """The last value that the test lets in (before the step is counted)."""
        test = expression(node, self.scope)
        if not isinstance(test, Binary) or test.operator not in _SWAPPED:
            raise NotUnderstood("A loop's test is not one comparison of its variable.")
        left, right, operator = affine(test.left), affine(test.right), test.operator
        if left is None or right is None:
            raise NotUnderstood("A loop bound is not affine.")
        if right.terms.get(key):
            left, right, operator = right, left, _SWAPPED[operator]
        if left != Affine({key: 1}) or right.terms.get(key) or (operator in {"<", "<="}) != up:
            raise NotUnderstood("A loop's test does not bound its variable in its direction.")
        strict = {"<": -1, ">": 1}.get(operator, 0)
        return right.plus(Affine({}, strict))


def _plain(form: Affine) -> bool:
    return form.constant >= 0 and all(value > 0 for value in form.terms.values())


def testable(test: Expression) -> bool:
    """Whether a condition is made of affine comparisons."""
    match test:
        case Binary("&&" | "||", left, right, _):
            return testable(left) and testable(right)
        case Binary("<" | "<=" | ">" | ">=" | "==" | "!=", left, right, _):
            return affine(left) is not None and affine(right) is not None
        case Unary("!", operand, _):
            return testable(operand)
        case _:
            return False
