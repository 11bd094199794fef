"""What integer SASS does to a thread's registers: enough to decide branches and count loops."""

import struct
from collections.abc import Callable

from atunner.domains.kernels.sass import Instruction
from atunner.domains.kernels.thread_state import (
    MASK,
    TESTS,
    Comparison,
    State,
    Word,
    forget,
    holds,
    immediate,
    is_predicate,
    plain,
    registers,
    signed,
    write,
)


def step(state: State, instruction: Instruction) -> None:
    """Execute one instruction that is not a branch."""
    held = state.truth(instruction.guard)
    if held is False:
        return
    name = instruction.opcode.split(".", 1)[0]
    action = _ACTIONS.get(name.removeprefix("U") if name not in _ACTIONS else name)
    if action is None or held is None:
        forget(state, instruction)
    else:
        action(state, instruction)


def _compute(function: Callable[..., int]) -> Callable[[State, Instruction], None]:
    def act(state: State, instruction: Instruction) -> None:
        carried = ".X" in instruction.opcode
        words = [state.read(operand) for operand in plain(instruction)[1:]]
        known = not carried and all(word is not None for word in words)
        try:
            write(state, instruction, function(instruction.opcode, *words) if known else None)
        except (TypeError, ValueError):
            forget(state, instruction)

    return act


def _sum(_: str, *words: int) -> int:
    return sum(words)


def _lea(opcode: str, a: int, b: int, *rest: int) -> int:
    if ".SX32" in opcode:
        return (signed(a) >> (32 - rest[-1])) + b
    if ".HI" in opcode:
        high, shift = rest
        return (((high << 32 | a) << shift) >> 32) + b
    return (a << (rest[-1] & 31)) + b


def _shift(opcode: str, low: int, count: int, high: int = 0) -> int:
    if ".L" in opcode:
        return low << (count & 63)
    if "S32" in opcode:
        return signed(high) >> (count & 63)
    return (high if ".HI" in opcode else low) >> (count & 63)


def _multiply(state: State, instruction: Instruction) -> None:
    """Multiply and add; WIDE and HI add a pair of words and give both words, or the high one, of 64 bits."""
    opcode = instruction.opcode
    target, *sources = plain(instruction)
    words = [state.read(operand) for operand in sources]
    double = ".WIDE" in opcode or ".HI" in opcode
    if double and len(sources) == 3:
        words.append(state.read(_next(sources[2])))
    forget(state, instruction)
    if None in words or ".X" in opcode or len(words) < 2:
        return
    left, right, low, high = (*(word or 0 for word in words), 0, 0)[:4]
    if double and ".U32" not in opcode:
        left, right = signed(left), signed(right)
    result = left * right + (high << 32) + low
    state.words[target] = (result >> 32 if ".HI" in opcode else result) & MASK
    if ".WIDE" in opcode and _next(target) != target:
        state.words[_next(target)] = result >> 32 & MASK


def _next(register: str) -> str:
    """The register above, the upper half of a pair; a zero register is its own."""
    prefix = register.rstrip("0123456789")
    digits = register[len(prefix) :]
    return f"{prefix}{int(digits) + 1}" if digits and prefix in ("R", "UR") else register


def _move(_: str, *words: int) -> int:
    return words[-1] if len(words) == 1 else words[0]


def _half_constant(state: State, instruction: Instruction) -> None:
    operands = plain(instruction)
    if operands[1:3] != ("-RZ", "RZ"):
        forget(state, instruction)
        return
    try:
        high, low = (int.from_bytes(struct.pack("<e", float(x)), "little") for x in operands[3:5])
    except (ValueError, OverflowError):
        forget(state, instruction)
        return
    write(state, instruction, high << 16 | low)


def _special(state: State, instruction: Instruction) -> None:
    forget(state, instruction)
    first, source = instruction.operands[:2]
    for register in registers(first, 2 if instruction.opcode.startswith("CS2R") else 1):
        state.words[register] = state.geometry.special(source)


def _load_constant(state: State, instruction: Instruction) -> None:
    forget(state, instruction)
    first, source = instruction.operands[:2]
    state.words[first] = state.read(source)


def _extreme(state: State, instruction: Instruction) -> None:
    words = [state.read(operand) for operand in plain(instruction)[1:3]]
    smaller = state.truth(instruction.operands[-1])
    if None in words or smaller is None or len(words) != 2 or "64" in instruction.opcode:
        forget(state, instruction)
        return
    values = [word or 0 for word in words]
    key = None if "U32" in instruction.opcode else signed
    write(state, instruction, min(values, key=key) if smaller else max(values, key=key))


def _add_extreme(state: State, instruction: Instruction) -> None:
    """`VIADDMNMX d, a, b, c, PT`: the smaller of a + b and c, or the larger with !PT."""
    left, right, other = (state.read(operand) for operand in plain(instruction)[1:4])
    smaller = state.truth(instruction.operands[-1])
    if left is None or right is None or other is None or smaller is None:
        forget(state, instruction)
        return
    key = None if "U32" in instruction.opcode else signed
    values = ((left + right) & MASK, other)
    write(state, instruction, min(values, key=key) if smaller else max(values, key=key))


def _select(state: State, instruction: Instruction) -> None:
    chosen = state.truth(instruction.operands[-1])
    operands = plain(instruction)
    write(state, instruction, None if chosen is None else state.read(operands[1] if chosen else operands[2]))


def _logic(state: State, instruction: Instruction) -> None:
    operands = plain(instruction)
    words = [state.read(operand) for operand in operands[1:]]
    if len(words) < 4 or words[3] is None:
        forget(state, instruction)
        return
    result = _lookup(words[:3], words[3])
    first = instruction.operands[0]
    write(state, instruction, result)
    if is_predicate(first):
        state.predicates[first] = None if result is None else result != 0


def _lookup(words: list[Word], table: int) -> Word:
    """The bitwise function of three words that an eight-entry truth table gives."""
    out = 0
    # An AND with zero is zero whatever the other word is.
    if table == 0xC0 and 0 in words[:2]:
        return 0
    for index in range(8):
        if not table >> index & 1:
            continue
        term = MASK
        for word, bit in zip(words, (4, 2, 1), strict=True):
            if word is None:
                return None
            term &= word if index & bit else ~word & MASK
        out |= term
    return out


def _compare(state: State, instruction: Instruction) -> None:
    forget(state, instruction)
    test, *modifiers = instruction.opcode.split(".")[1:]
    words = [state.read(operand) for operand in plain(instruction)[:2]]
    target, other = instruction.operands[0], instruction.operands[-1]
    if test not in TESTS or "EX" in modifiers or None in words:
        return
    left, right = (word or 0 if "U32" in modifiers else signed(word or 0) for word in words)
    comparison = Comparison(left, right, test)
    result: bool | None = holds(comparison)
    rest = state.truth(other)
    if "OR" in modifiers:
        result = True if result or rest else (None if rest is None else False)
    elif "AND" in modifiers:
        result = False if result is False or rest is False else (None if rest is None else True)
    state.predicates[target] = result
    source = state.saved.get(plain(instruction)[0]) if (test, right) == ("NE", 0) else None
    state.compared[target] = (source or comparison) if other in ("PT", "UPT", "!PT", "!UPT") else None


def _put_away(state: State, instruction: Instruction) -> None:
    """`P2R register, PR, other, mask`: predicates under the mask become bits of a register."""
    target, _, other, mask = instruction.operands
    bits, rest = immediate(mask) or 0, state.read(other)
    names = [f"P{i}" for i in range(7) if bits >> i & 1]
    values = [state.truth(name) for name in names]
    source = state.compared.get(names[0]) if len(names) == 1 else None
    forget(state, instruction)
    if rest is not None and None not in values:
        held = sum(1 << int(name[1:]) for name, value in zip(names, values, strict=True) if value)
        state.words[target] = rest & ~bits | held
        state.saved[target] = source


def _take_back(state: State, instruction: Instruction) -> None:
    """`R2P PR, register, mask`: bits under the mask become predicates again."""
    source, mask = instruction.operands[-2:]
    bits, word = immediate(mask) or 0, state.read(source)
    for i in range(7):
        if bits >> i & 1:
            state.predicates[f"P{i}"] = None if word is None else bool(word >> i & 1)
            state.compared[f"P{i}"] = state.saved.get(source) if bits == 1 << i else None


def _predicate_logic(state: State, instruction: Instruction) -> None:
    forget(state, instruction)
    target, *inputs = instruction.operands
    table = immediate(inputs[-2]) if len(inputs) >= 5 else None
    if table is None:
        return
    names = inputs[-5:-2]
    values = [state.truth(name) for name in names]
    results = {
        bool(table >> index & 1)
        for index in range(8)
        if all(v is None or v == bool(index & bit) for v, bit in zip(values, (4, 2, 1), strict=True))
    }
    state.predicates[target] = results.pop() if len(results) == 1 else None
    sources = [state.compared.get(name) for name in names if name not in ("PT", "!PT", "UPT", "!UPT")]
    state.compared[target] = sources[0] if len(sources) == 1 else None


_ACTIONS: dict[str, Callable[[State, Instruction], None]] = {
    **dict.fromkeys(["MOV", "R2UR"], _compute(_move)),
    **dict.fromkeys(["IADD", "IADD3", "VIADD"], _compute(_sum)),
    "IMAD": _multiply,
    "LEA": _compute(_lea),
    **dict.fromkeys(["SHF", "SHL", "SHR"], _compute(_shift)),
    **dict.fromkeys(["HFMA2"], _half_constant),
    **dict.fromkeys(["S2R", "S2UR", "CS2R"], _special),
    **dict.fromkeys(["LDC", "ULDC", "LDCU"], _load_constant),
    **dict.fromkeys(["IMNMX", "VIMNMX"], _extreme),
    "VIADDMNMX": _add_extreme,
    "SEL": _select,
    "LOP3": _logic,
    "ISETP": _compare,
    "P2R": _put_away,
    "R2P": _take_back,
    "PLOP3": _predicate_logic,
}
