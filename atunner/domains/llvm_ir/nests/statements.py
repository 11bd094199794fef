"""The statements of one region: its loops, conditions and assignments, or why they have no reading."""

from dataclasses import dataclass, field

from atunner.domains.llvm_ir.nests.expressions import Access, Affine, Binary, Cast, Expression, Unary, accesses, affine
from atunner.domains.llvm_ir.nests.flat import polynomial
from atunner.domains.llvm_ir.nests.nest import Condition, Loop, Place, Statement
from atunner.domains.llvm_ir.nests.reading import ARITHMETIC, NotUnderstood, Scope, access, expression
from atunner.domains.llvm_ir.nests.syntax import Node, Unit

COUNTERS = frozenset({"int", "long", "long long", "short", "unsigned long"})
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass
class Reader:
    """Walks the statements of one region and keeps what it read."""

    scope: Scope
    unit: Unit
    statements: list[Statement] = field(default_factory=list)
    loops: tuple[Loop, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def statement(self, node: Node, place: Place) -> None:
        """Read one statement with all below it. Raises NotUnderstood."""
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
                if affine(sub) is None and (len(one.subscripts) > 1 or polynomial(sub) is None):
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
        if any(loop.key in assigned(n) for n in body.walk()):
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
        if node.kind == "UnaryOperator" and node.opcode in {"++", "--"} and assigned(node) == [key]:
            return 1 if node.opcode == "++" else -1
        amount: Affine | None = None
        if node.kind == "CompoundAssignOperator" and node.opcode in {"+=", "-="} and assigned(node) == [key]:
            amount = self._affine(node.children[1]).times(1 if node.opcode == "+=" else -1)
        elif node.kind == "BinaryOperator" and node.opcode == "=" and assigned(node) == [key]:
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


def assigned(node: Node) -> list[str]:
    """Keys of the scalars that a node itself assigns."""
    writes = (node.kind in {"BinaryOperator", "CompoundAssignOperator"} and node.opcode.endswith("=")) and (
        node.opcode not in {"==", "!=", "<=", ">="}
    )
    if not writes and not (node.kind == "UnaryOperator" and node.opcode in {"++", "--"}):
        return []
    target = node.children[0]
    while target.kind == "ParenExpr":
        target = target.children[0]
    return [target.declared.key] if target.kind == "DeclRefExpr" else []
