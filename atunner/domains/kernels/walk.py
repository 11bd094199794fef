"""How often each instruction runs: one thread's path through the code, with loops counted where they can be.

A loop is entered for real; after three rounds whose tests move by the same step, those that follow the same path are
counted without being walked.
Branches that hang on data fall through, or take the longer side of an if and its else.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from atunner.domains.kernels.sass import Instruction
from atunner.domains.kernels.scalar import step
from atunner.domains.kernels.thread_state import MASK, Comparison, Geometry, State, holds

MAX_STEPS = 60_000
MAX_ROUNDS = 40
MAX_DEPTH = 8


@dataclass
class Path:
    """Executions of each instruction by one thread, and how many loops had to be counted once."""

    weights: list[float]
    unknown_loops: int = 0


@dataclass
class _Round:
    """One pass through a loop's body: where it went next, and the comparisons behind its branches by their index."""

    again: bool | None
    next: int
    decided: dict[int, Comparison]


@dataclass
class _Walker:
    code: Sequence[Instruction]
    state: State
    steps: int = 0
    unknown: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.offsets = [instruction.offset for instruction in self.code]
        self.tails: dict[int, int] = {}
        for i, instruction in enumerate(self.code):
            target = self.target(instruction)
            if instruction.opcode.startswith("BRA") and target is not None and target < i:
                self.tails[target] = max(i, self.tails.get(target, 0))

    def target(self, instruction: Instruction) -> int | None:
        """Index of the instruction that a branch names, or of the next one where it names padding."""
        if not instruction.operands or instruction.opcode.split(".")[0] not in ("BRA", "CALL"):
            return None
        try:
            found = bisect_left(self.offsets, int(instruction.operands[-1], 16))
        except ValueError:
            return None
        return found if found < len(self.code) else None

    def is_jump(self, at: int) -> bool:
        """A branch, or a call that never returns: the compiler leaves loops so."""
        name = self.code[at].opcode.split(".")[0]
        if name != "CALL":
            return name == "BRA"
        target = self.target(self.code[at])
        ends = (one.opcode.split(".")[0] for one in self.code[target or 0 :] if not one.guard)
        return target is not None and next((name for name in ends if name in ("EXIT", "RET")), "") == "EXIT"

    def run(self, start: int, end: int, weights: list[float], inside: frozenset[int]) -> _Round:
        """Follow the path from `start` until it leaves [start, end] or takes the branch back to `start`."""
        at = start
        decided: dict[int, Comparison] = {}
        while start <= at <= end:
            if at in self.tails and at not in inside and self.steps < MAX_STEPS:
                at = self.loop(at, weights, inside)
                continue
            instruction = self.code[at]
            self.steps += 1
            weights[at] += 1
            moved = self.jump(instruction, at, weights, inside)
            if moved is None:
                return _Round(again=False, next=len(self.code), decided=decided)
            if self.is_jump(at):
                condition = _condition(instruction)
                if at == end and self.target(instruction) == start and self.state.truth(condition) is None:
                    return _Round(again=None, next=at + 1, decided=decided)
                source = self.state.compared.get(condition.lstrip("!"))
                if source is not None:
                    decided[at] = source
            if moved == start and at >= start and moved <= at:
                return _Round(again=True, next=start, decided=decided)
            at = moved
        return _Round(again=False, next=at, decided=decided)

    def jump(self, instruction: Instruction, at: int, weights: list[float], inside: frozenset[int]) -> int | None:
        """Where control goes after an instruction; None where the thread ends."""
        name = instruction.opcode.split(".")[0]
        taken = self.state.truth(_condition(instruction))
        if self.is_jump(at):
            target = self.target(instruction)
            if taken is None and target is not None:
                taken = self.likely(at, target)
            return target if taken and target is not None else at + 1
        if name in ("EXIT", "RET"):
            return None if taken else at + 1
        if name == "CALL" and taken and (target := self.target(instruction)) is not None and len(inside) < MAX_DEPTH:
            self.run(target, len(self.code) - 1, weights, inside | {-target})
        step(self.state, instruction)
        return at + 1

    def likely(self, at: int, target: int) -> bool:
        """Whether to take a branch that hangs on data: of an if and its else, the longer one."""
        last = self.code[target - 1]
        behind = self.target(last)
        if target <= at + 1 or last.guard or not last.opcode.startswith("BRA") or behind is None or behind <= target:
            return False
        return behind - target > target - at

    def loop(self, head: int, weights: list[float], inside: frozenset[int]) -> int:
        """Count a loop; returns where control goes behind it. One that cannot be counted counts once."""
        tail = self.tails[head]
        recent: list[dict[int, Comparison]] = []
        counted = [0.0] * len(self.code)
        once: list[float] = []
        for _ in range(MAX_ROUNDS):
            body = [0.0] * len(self.code)
            before = dict(self.state.words)
            done = self.run(head, tail, body, inside | {head})
            once = once or body
            if done.again is False:
                _add(counted, body, 1.0)
                _add(weights, counted, 1.0)
                return done.next
            if done.again is None or self.steps >= MAX_STEPS:
                break
            recent = [*recent[-2:], done.decided]
            alike = _alike_rounds(recent)
            _add(counted, body, 1.0 + alike)
            if alike:
                self.advance(head, before, alike)
                recent = []
        self.unknown.add(head)
        _add(weights, once, 1.0)
        self.forget_changes(before)
        return tail + 1

    def advance(self, head: int, before: dict[str, int | None], rounds: int) -> None:
        """Move what changed in the last round by as much for each further round."""
        for name, word in self.state.words.items():
            old = before.get(name)
            if word != old:
                self.state.words[name] = None if word is None or old is None else (word + (word - old) * rounds) & MASK
        for name in self.decided_in(head):
            self.state.predicates.pop(name, None)
            self.state.compared.pop(name, None)

    def decided_in(self, head: int) -> set[str]:
        """Predicates that a loop's body may write."""
        body = self.code[head : self.tails[head] + 1]
        return {name for one in body for name in one.operands[:2] if name.removeprefix("U")[:1] == "P"}

    def forget_changes(self, before: dict[str, int | None]) -> None:
        """Registers that the last round changed are not known from here on."""
        for name, word in self.state.words.items():
            if word != before.get(name):
                self.state.words[name] = None


def _condition(instruction: Instruction) -> str:
    """The predicate that a branch hangs on: its guard, or the operand before the target (`BRA.U UP0, target`)."""
    if len(instruction.operands) == 2 and instruction.opcode.startswith("BRA") and not instruction.guard:
        return instruction.operands[0]
    return instruction.guard


def _add(weights: list[float], body: list[float], times: float) -> None:
    for i, count in enumerate(body):
        if count:
            weights[i] += count * times


def _alike_rounds(recent: list[dict[int, Comparison]]) -> int:
    """Rounds that will take the same path as the last three did, because every comparison moves by the same step."""
    if len(recent) < 3:
        return 0
    first, second, third = recent
    if not first.keys() == second.keys() == third.keys():
        return 0
    left = []
    for index, last in third.items():
        a, b = first[index], second[index]
        step = (last.left - b.left, last.right - b.right)
        if step != (b.left - a.left, b.right - a.right) or not a.test == b.test == last.test:
            return 0
        change = _until_change(last, *step)
        if change is not None:
            left.append(change)
    return min(left) - 1 if left else 0


def _until_change(last: Comparison, left: int, right: int) -> int | None:
    """Rounds until the comparison's truth changes, when its sides move by `left` and `right` a round."""
    gap, move = last.left - last.right, left - right
    if move == 0:
        return None
    now = holds(last)
    guess = max(1, abs(gap) // abs(move) - 1)
    for rounds in range(guess, guess + 4):
        if holds(Comparison(gap + move * rounds, 0, last.test)) != now:
            return rounds
    return None


def walk(code: Sequence[Instruction], geometry: Geometry, number: int) -> Path:
    """Count executions for one thread in the middle of the grid. number: compute capability times ten."""
    walker = _Walker(code, State(geometry, number))
    weights = [0.0] * len(code)
    if code:
        walker.run(0, len(code) - 1, weights, frozenset())
    return Path(weights=weights, unknown_loops=len(walker.unknown))
